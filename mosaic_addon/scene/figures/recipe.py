"""A recipe applied to a scene: what its sessions look like, from where they are seen, and what is drawn beside them."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Vector

from ...files.recipe import Camera, Content, Panel, Picture, Recipe
from ...files.recipe_parts import Cut, Key, Label, Legend, Rule, Shape, Triple
from ...files.toml_tables import Table, one_word
from ...session.errors import MosaicError
from ..drawing.appearance import contour, set_base_color, set_number
from ..drawing.color_maps import find_map, to_scene
from ..drawing.coloring import color_by, colorable, coloring_of, uncolor
from ..drawing.facts import frames_of
from ..drawing.filters import Filter, set_filter
from ..drawing.membranes import draw_as
from ..drawing.own_shapes import OwnShape, set_own_shape
from ..drawing.representations import OFFERED, POINTS, VOLUME, group_of, set_inputs
from ..drawing.surfaces import shown_at
from ..outline.visibility import set_visible
from ..pictures.camera import VIEWS, View, frame_camera, place_camera
from ..pictures.looks import apply_look
from ..pictures.options import BACKGROUNDS, ENGINES, LOOKS, RenderOptions
from ..pictures.render import set_up_render, show_frame
from . import axes, color_key, cuts, labels, scale_bar
from .overlay import session_root, set_print_width
from .selecting import Entry, entries_of, select, select_by
from .tomograms import check_tomogram, show_tomogram

SAMPLES = {"cycles": 128, "eevee": 64, "workbench": 8}  # by default
NUMBERS = ("size", "opacity", "ambient", "diffuse", "specular")  # of a rule, by their names in `drawing.appearance`


@dataclass(frozen=True, slots=True)
class Plan:
    """A picture of a figure: the whole of one without panels, or a panel. size: in pixels. width: in print, in mm."""

    letter: str
    picture: Picture
    size: tuple[int, int]
    width: float
    content: Panel


def content_of(recipe: Recipe, panel: Panel | None) -> Panel:
    """Return what a picture holds: what the recipe says for all, and over it what it says for a panel."""
    panel = panel or Panel()
    several = [field.name for field in fields(Content) if field.default == ()]
    single = [field.name for field in fields(Content) if field.default is None]
    return replace(
        panel,
        **{field: getattr(recipe, field) + getattr(panel, field) for field in several},
        **{
            field: getattr(recipe, field) if getattr(panel, field) is None else getattr(panel, field)
            for field in single
        },
        look=panel.look or recipe.picture.look,
        background=panel.background or recipe.picture.background,
        frame=recipe.picture.frame if panel.frame is None else panel.frame,
    )


def check_recipe(recipe: Recipe, sessions: Sequence[bpy.types.Collection]) -> None:
    """Raise MosaicError, with the line, for what a recipe says of sessions that are not so.

    sessions: their collections, as they were opened.
    """
    entries = entries_of(sessions)
    picture = recipe.picture
    _check_word(picture, "engine", picture.engine, ENGINES)
    _check_word(picture, "look", picture.look, LOOKS)
    _check_word(picture, "background", picture.background, BACKGROUNDS)
    for panel in recipe.panels:
        _check_word(panel, "look", panel.look, LOOKS)
        _check_word(panel, "background", panel.background, BACKGROUNDS)
    for panel in recipe.panels or (None,):
        _check_content(content_of(recipe, panel), recipe, entries)


def apply_recipe(plan: Plan, scene: bpy.types.Scene, sessions: Sequence[bpy.types.Collection]) -> None:
    """Make a scene, with sessions as they were opened, a picture of a figure.

    Raises MosaicError, with the line, for what cannot be.
    """
    entries = entries_of(sessions)
    content = plan.content
    picture = plan.picture
    engine = picture.engine
    dpi = plan.size[0] / plan.width * 25.4
    samples = picture.samples or SAMPLES[engine]
    look, background = content.look or "full", content.background or "white"
    set_up_render(scene, RenderOptions(plan.size, engine, samples, look, background, dpi))
    set_print_width(scene, plan.width)
    for rule in content.rules:
        with _at(rule):
            _apply_rule(rule, select_by(entries, rule), scene)
    if content.frame is not None:
        show_frame(scene, content.frame, [entry.obj for entry in entries])
    scene.view_layers[0].update()
    camera = _place_camera(content.camera or Camera(), scene, sessions, entries)
    apply_look(scene, look, background, camera)
    _add_items(content, scene, sessions, entries)


@contextmanager
def _at(table: Table) -> Iterator[None]:
    """Tell of errors inside a `with` block where the recipe says what led to them."""
    try:
        yield
    except MosaicError as error:
        sentence = str(error)
        if table.place.file and sentence.startswith(table.place.file):
            raise
        raise table.place.wrong(sentence) from error


# --- checks ----------------------------------------------------------------------------------------------------------


def _check_word(table: Table, field: str, value: str | None, known: Collection[str]) -> None:
    if value is not None and value not in known:
        raise table.wrong(field, f"There is no {field} {value!r}; {one_word(value, known)}")


def _check_content(content: Panel, recipe: Recipe, entries: Sequence[Entry]) -> None:
    properties = {coloring.property for entry in entries if (coloring := coloring_of(entry.obj)) and coloring.color_map}
    for rule in content.rules:
        _check_rule(rule, select_by(entries, rule))
        if rule.color_by is not None:
            properties.add(rule.color_by.property)
    for key in content.keys:
        select(entries, key, "select", key.select)
        if key.of not in properties:
            raise key.wrong("of", f"Nothing is coloured by {key.of!r}; {one_word(key.of, properties)}")
    if content.camera is not None:
        select(entries, content.camera, "objects", content.camera.objects)
    for cut in content.cuts:
        select(entries, cut, "spare", cut.spare)
    for tomogram in content.tomograms:
        check_tomogram(tomogram, entries)
    for legend in content.legends:
        count = len(_legend_entries(legend, entries))
        if legend.names and len(legend.names) != count:
            raise legend.wrong("names", f"There are {len(legend.names)} names, but {count} entries.")
    for label in content.labels:
        select(entries, label, "of", label.of)
    if content.frame is not None:
        count = max((len(frames_of(entry.obj)) for entry in entries), default=0)
        own = (*content.place.path, "frame") in content.place.lines
        table: Table = content if own else recipe.picture
        if content.frame >= count:
            said = f"frames go from 0 to {count - 1}" if count else "the sessions have no trajectory"
            raise table.wrong("frame", f"There is no frame {content.frame}: {said}.")


def _check_rule(rule: Rule, objects: Sequence[bpy.types.Object]) -> None:
    """Raise MosaicError for what none of a rule's objects can be."""
    if rule.representation not in (None, "object"):
        offered = [word for obj in objects for word in OFFERED.get(group_of(obj) or "", ())]
        if rule.representation not in offered:
            sentence = f"None of these objects can be drawn as {rule.representation!r}; {one_word('', offered)}"
            raise rule.wrong("representation", sentence)
    for table in (rule.color_by, rule.filter):
        if table is not None and table.property not in (names := colorable(objects)):
            sentence = f"None of these objects has the vertex property {table.property!r}; "
            raise table.wrong("property", sentence + one_word(table.property, names))
    if rule.color_by is not None and rule.color_by.map is not None:
        try:
            find_map(rule.color_by.map)
        except MosaicError as error:
            raise rule.color_by.wrong("map", str(error)) from error
    if rule.shape is not None and not any(group_of(obj) in (POINTS, VOLUME) for obj in objects):
        raise rule.wrong("shape", "None of these objects has points at which a shape could stand.")


# --- objects and camera ----------------------------------------------------------------------------------------------


def _apply_rule(rule: Rule, objects: list[bpy.types.Object], scene: bpy.types.Scene) -> None:
    if rule.visible is not None:
        set_visible(objects, rule.visible, scene.view_layers[0])
    if rule.representation not in (None, "object"):
        _, troubles = draw_as(objects, rule.representation)
        if troubles:
            raise MosaicError(" ".join(troubles.values()))
    membrane = {"Thickness": rule.thickness, "Smoothing": rule.smoothing}
    set_inputs(objects, {name: value for name, value in membrane.items() if value is not None})
    for key in NUMBERS:
        if (value := getattr(rule, key)) is not None:
            set_number(objects, key, value)
    for key, switch in (("render_spheres", rule.spheres), ("on_screen", rule.on_screen)):
        if switch is not None:
            set_number(objects, key, switch)
    if rule.isovalue is not None:
        isovalue = rule.isovalue
        contour(objects, lambda mesh: (isovalue, shown_at(mesh)[1]))
    if rule.color is not None:
        uncolor(objects)
        set_base_color(objects, to_scene(np.array(rule.color)).tolist())
    if (by := rule.color_by) is not None:
        color_by(
            objects,
            by.property,
            by.map,
            value_range=by.range,
            quantiles=by.quantiles,
            gamma=by.gamma,
            reverse=by.reverse,
            categories=by.categories,
            component=by.component,
        )
    if (kept := rule.filter) is not None:
        set_filter(objects, Filter(kept.property, kept.range, kept.categories, kept.component, kept.invert))
    if (shape := rule.shape) is not None:
        options = OwnShape(
            load_shape(Path(rule.place.file).parent / shape.blend, shape), shape.scale, shape.pivot, shape.axis
        )
        set_own_shape(objects, options)


def load_shape(path: Path, shape: Shape) -> bpy.types.Object | bpy.types.Collection:
    """Append an object or collection of another .blend.

    Raises MosaicError where the .blend cannot be read or does not have it.
    """
    kind, name = ("objects", shape.object) if shape.object is not None else ("collections", shape.collection)
    libraries: Any = bpy.data.libraries  # the stubs know what is loaded as nothing
    try:
        with libraries.load(str(path)) as (there, taken):
            names = list(getattr(there, kind))
            if name not in names:
                raise MosaicError(f"{path} has no {kind[:-1]} {name!r}; {one_word(name or '', names)}")
            setattr(taken, kind, [name])
    except OSError as error:
        raise MosaicError(f"{path} cannot be opened: it is missing, or no .blend.") from error
    (found,) = getattr(taken, kind)
    return found  # type: ignore[no-any-return]


def _place_camera(
    camera: Camera, scene: bpy.types.Scene, sessions: Sequence[bpy.types.Collection], entries: Sequence[Entry]
) -> bpy.types.Object:
    if (point := camera.waypoint) is not None:
        view = View(point.position, point.focal_point, point.up, point.view_angle)
        root = session_root(sessions[0])
        return place_camera(scene, root, view, orthographic=camera.orthographic, height=point.height, shift=point.shift)
    direction, up = VIEWS[camera.view] if camera.view else (camera.direction or (0.0, 0.0, -1.0), camera.up)
    objects = select(entries, camera, "objects", camera.objects) or [entry.obj for entry in entries]
    return frame_camera(scene, objects, direction, camera.zoom, up=up, orthographic=camera.orthographic)


# --- what is drawn beside them ---------------------------------------------------------------------------------------


def _add_cut(cut: Cut, scene: bpy.types.Scene, session: bpy.types.Collection, entries: Sequence[Entry]) -> None:
    spared = select(entries, cut, "spare", cut.spare)
    if cut.plane is not None:
        options = cuts.Cut("plane", cut.plane.point, cuts.facing(cut.plane.normal))
    elif cut.box is not None:
        x, y, z = (side / 2 for side in cut.box.size)
        options = cuts.Cut("box", cut.box.center, cut.box.rotation, (x, y, z))
    else:
        assert cut.sphere is not None  # as its table checks
        x, y, z = cut.sphere.radius if len(cut.sphere.radius) == 3 else cut.sphere.radius * 3
        options = cuts.Cut("sphere", cut.sphere.center, cut.sphere.rotation, (x, y, z))
    options = replace(options, invert=cut.invert, whole=cut.whole, cap=cut.cap)
    cuts.add_cut(scene, session, options, spared)


def _add_items(
    content: Panel, scene: bpy.types.Scene, sessions: Sequence[bpy.types.Collection], entries: Sequence[Entry]
) -> None:
    first = sessions[0]
    for cut in content.cuts:
        with _at(cut):
            _add_cut(cut, scene, first, entries)
    for tomogram in content.tomograms:
        with _at(tomogram):
            show_tomogram(tomogram, scene, first, entries)
    if (bar := content.scale_bar) is not None:
        across, up = bar.corner
        scale_bar.add_scale_bar(
            scene,
            first,
            scale_bar.ScaleBar(
                bar.length_nm * 10,
                bar.unit,
                bar.label,
                across,
                up,
                bar.thickness,
                bar.font_size,
                bar.margin,
                _ink(bar, content),
            ),
        )
    for key in content.keys:
        with _at(key):
            _add_key(key, content, scene, entries)
    for legend in content.legends:
        with _at(legend):
            shown = _legend_entries(legend, entries)
            names = legend.names or [name for _, name in shown]
            color_key.add_legend(scene, [obj for obj, _ in shown], _key_options(legend, content), names)
    for label in content.labels:
        with _at(label):
            _add_label(label, content, scene, session_root(first), entries)
    for text in content.texts:
        labels.add_text(
            scene, labels.PictureText(text.text, *text.corner, text.font_size, text.margin, _ink(text, content))
        )
    if (arrows := content.axes) is not None:
        options = axes.Axes(arrows.length, *arrows.corner, arrows.font_size, arrows.margin, _ink(arrows, content))
        axes.add_axes(scene, first, options)
    if (box := content.bounding_box) is not None:
        with _at(box):
            axes.add_bounding_box(scene, first, axes.BoundingBox(box.step_nm * 10, box.line, _ink(box, content)))


def _ink(table: Any, content: Panel) -> Triple:
    """The colour of what is drawn beside the objects: its own, or what can be read on the background."""
    if table.color is not None:
        return table.color  # type: ignore[no-any-return]
    return readable_ink(content.background or "white")


def readable_ink(background: str) -> Triple:
    """Return the display values of what can be read on a background, one of BACKGROUNDS: black, or white on dark."""
    return (1.0, 1.0, 1.0) if sum(BACKGROUNDS[background]) < 1.5 else (0.0, 0.0, 0.0)


def _add_key(key: Key, content: Panel, scene: bpy.types.Scene, entries: Sequence[Entry]) -> None:
    chosen = select(entries, key, "select", key.select) or [entry.obj for entry in entries]
    having = [obj for obj in chosen if (coloring := coloring_of(obj)) and coloring.property == key.of]
    if not having:
        raise key.wrong("of", f"Nothing is coloured by {key.of!r} any more.")
    visible = [obj for obj in having if not obj.hide_render]
    options = replace(_key_options(key, content), horizontal=key.horizontal, length=key.length)
    color_key.add_color_key(scene, visible or having, options)


def _key_options(key: Key | Legend, content: Panel) -> color_key.ColorKey:
    across, up = key.corner
    return color_key.ColorKey(
        key.title,
        breadth=key.breadth,
        across=across,
        up=up,
        size=key.font_size,
        margin=key.margin,
        color=_ink(key, content),
    )


def _legend_entries(legend: Legend, entries: Sequence[Entry]) -> list[tuple[bpy.types.Object, str]]:
    """The objects of a legend, and what is written beside each; with groups only the first object of each group."""
    chosen = {obj.session_uid: obj for obj in select(entries, legend, "select", legend.select)}
    shown: dict[str | int, tuple[bpy.types.Object, str]] = {}
    for entry in entries:
        uid = entry.obj.session_uid
        if uid in chosen:
            group, name = entry.called.group, entry.called.name
            by_group = legend.groups and group
            shown.setdefault(group if by_group else uid, (entry.obj, group if by_group else name))
    return list(shown.values())


def _add_label(
    label: Label, content: Panel, scene: bpy.types.Scene, root: bpy.types.Object, entries: Sequence[Entry]
) -> None:
    objects = select(entries, label, "of", label.of)
    options = labels.Label(label.text, label.offset, label.font_size, label.line, label.halo, _ink(label, content))
    point = None
    if label.point is not None:
        place = objects[0].matrix_world.inverted_safe() @ root.matrix_world @ Vector(label.point)
        point = place[0], place[1], place[2]
    labels.add_label(scene, objects, options, point)
