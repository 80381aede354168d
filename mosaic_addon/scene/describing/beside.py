"""What is drawn for a figure beside the session -> tables of a recipe."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import bpy
import numpy as np
from mathutils import Vector

from ...files.patterns import patterns_of
from ...files.recipe_parts import Axes, BoundingBox, Box, Cut, Key, Label, Legend, Plane, ScaleBar, Sphere, Text
from ...session.errors import MosaicError
from ..drawing.coloring import coloring_of
from ..drawing.materials import material_of
from ..figures import axes, color_key, cuts, labels, scale_bar
from ..figures.overlay import OVERLAY, drawing_of, inputs_of, items_of, middle_of
from ..figures.recipe import readable_ink
from ..keys import FIGURE
from ..outline.tree import objects_of
from ..tomograms.slices import is_slice
from .notes import Notes, color, rounded, short, triple
from .origins import Origin

SAME_INK: Final = 2e-3  # difference of display values
SINGLE: Final = {"scale_bar": "scale bar", "axes": "axes", "bounding_box": "bounding box"}
SEVERAL: Final = ("cuts", "keys", "legends", "labels", "texts")


@dataclass(frozen=True, slots=True)
class Setting:
    """What items are described by: the first session and its root, all geometries of files, the background.

    step: the angstrom that tell two places apart.
    """

    scene: bpy.types.Scene
    session: bpy.types.Collection
    root: bpy.types.Object
    origins: Sequence[Origin]
    background: str
    step: float
    notes: Notes

    def numbers_of(self, objects: Sequence[bpy.types.Object]) -> set[int]:
        """The numbers of the geometries that objects show. Notes those that no file has."""
        known = {origin.obj: number for number, origin in enumerate(self.origins) if origin.obj is not None}
        self.strangers([obj.name for obj in objects if obj not in known])
        return {known[obj] for obj in objects if obj in known}

    def strangers(self, names: Sequence[str]) -> None:
        for name in names:
            self.notes.add("named beside the session, but in no session's file.", name)

    def patterns(self, numbers: set[int]) -> tuple[str, ...]:
        """Patterns that find geometries and no others; those that nothing tells from others are noted and left out."""
        if not numbers:
            return ()
        called = [origin.called for origin in self.origins]
        found = patterns_of([each.names for each in called], numbers)
        if found is not None:
            return tuple(found)
        alone = {number: patterns_of([each.names for each in called], {number}) for number in sorted(numbers)}
        for number, pattern in alone.items():
            if pattern is None:
                self.notes.add("cannot be told from others of the same name beside the session.", called[number].name)
        return tuple(pattern for several in alone.values() for pattern in several or ())

    def ink(self, display: Sequence[float]) -> tuple[float, float, float] | None:
        """The colour of an item; None for the one that a recipe chooses by itself."""
        usual = readable_ink(self.background)
        return None if np.allclose(display, usual, atol=SAME_INK) else color(display)


def tables_beside(setting: Setting) -> dict[str, Any]:
    """Return the tables of what is drawn beside a scene's session, by the fields of a recipe.

    Notes what is hidden, and what a recipe does not hold of it.
    """
    found: dict[str, Any] = {field: [] for field in SEVERAL}
    for item in sorted(items_of(setting.scene), key=lambda item: item.name):
        kind = FIGURE.read(item) or ""
        if kind not in DESCRIBE or is_slice(item.parent):  # a cut that a slice carries is in the slice's table
            continue
        field, describe = DESCRIBE[kind]
        if item.hide_render:
            setting.notes.add("hidden in the figure, and left out.", item.name)
            continue
        try:
            _note_place(item, kind, setting.notes)
            table = describe(item, setting)
        except MosaicError as error:
            setting.notes.add(f"left out. {error}", item.name)
            continue
        if table is None:
            continue
        if field in SEVERAL:
            found[field].append(table)
        elif field in found:
            setting.notes.add(f"left out, since a recipe has one {SINGLE[field]} for a picture.", item.name)
        else:
            found[field] = table
    return {field: tuple(value) if isinstance(value, list) else value for field, value in found.items()}


def _note_place(item: bpy.types.Object, kind: str, notes: Notes) -> None:
    if kind not in (cuts.KIND, OVERLAY) and not np.allclose(np.array(item.matrix_basis), np.eye(4), atol=1e-5):
        notes.add("moved by hand on the picture; a recipe puts it into its corner.", item.name)


def _given(options: Any, names: Mapping[str, str], setting: Setting) -> dict[str, Any]:
    """Fields of a table from those of an item. names: of the table's, by the item's."""
    values = asdict(options)
    given = {mine: short(values[its]) if isinstance(values[its], float) else values[its] for its, mine in names.items()}
    if "across" in values:
        given["corner"] = short(values["across"]), short(values["up"])
    return given | {"color": setting.ink(values["color"])}


PLACED: Final = {"size": "font_size", "margin": "margin"}


# --- what lies on the picture ----------------------------------------------------------------------------------------


def _scale_bar(item: bpy.types.Object, setting: Setting) -> ScaleBar:
    options = scale_bar.scale_bar_of(item)
    session, middle = inputs_of(item, ("Session", "Middle"))
    camera = setting.scene.camera
    if session != setting.root:
        setting.notes.add("of another session; a recipe's is that of the first.", item.name)
    elif camera is not None and camera.data.type != "ORTHO":
        now = middle_of(setting.root, objects_of(setting.session))
        to_camera = camera.matrix_world.normalized().inverted_safe() @ setting.root.matrix_world
        there, here = to_camera @ Vector(middle), to_camera @ now
        if abs(there.z - here.z) > 1e-3 * abs(here.z):
            setting.notes.add(
                "right at another distance than the middle of what is visible now; add it anew.", item.name
            )
    names = {"unit": "unit", "label": "label", "thickness": "thickness", **PLACED}
    return ScaleBar(length_nm=short(options.length) / 10, **_given(options, names, setting))


def _axes(item: bpy.types.Object, setting: Setting) -> Axes:
    _note_session(item, setting)
    return Axes(**_given(axes.axes_of(item), {"length": "length", **PLACED}, setting))


def _bounding_box(item: bpy.types.Object, setting: Setting) -> BoundingBox:
    _note_session(item, setting)
    options = axes.bounding_box_of(item)
    return BoundingBox(step_nm=short(options.step) / 10, **_given(options, {"line": "line"}, setting))


def _note_session(item: bpy.types.Object, setting: Setting) -> None:
    if inputs_of(item, ("Session",))[0] != setting.root:
        setting.notes.add("of another session; a recipe's is that of the first.", item.name)


def _text(item: bpy.types.Object, setting: Setting) -> Text:
    return Text(**_given(labels.text_of(item), {"text": "text", **PLACED}, setting))


def _label(item: bpy.types.Object, setting: Setting) -> Label | None:
    options = labels.label_of(item)
    named, place = inputs_of(item, ("Object", "Place"))
    numbers = setting.numbers_of([named]) if named is not None else set()
    if not numbers:
        return None
    called = setting.origins[min(numbers)].called
    point = named.matrix_world @ Vector(place)
    usual = named.matrix_world @ middle_of(named, [named])
    to_session = setting.root.matrix_world.inverted_safe()
    is_usual = (to_session @ point - to_session @ usual).length <= 2 * setting.step
    patterns = setting.patterns(numbers)
    if not patterns:
        return None
    return Label(
        of=patterns,
        point=None if is_usual else triple(to_session @ point, setting.step),
        offset=(short(options.offset[0]), short(options.offset[1])),
        **_given(options, {"size": "font_size", "line": "line", "halo": "halo"}, setting),
        text="" if options.text == called.name else options.text,
    )


# --- keys and legends ------------------------------------------------------------------------------------------------


def _key(item: bpy.types.Object, setting: Setting) -> Key:
    options = color_key.color_key_of(item)
    colored = [
        (number, origin.obj, coloring) for number, origin in enumerate(setting.origins)
        if origin.obj is not None and (coloring := coloring_of(origin.obj)) and coloring.color_map
    ]  # fmt: skip
    sockets = drawing_of(item)[1]
    material = inputs_of(item, ("Material" if "Material" in sockets else "Material 1",))[0]
    mine = next((entry for entry in colored if material_of(entry[1]) == material), None)
    if mine is None:
        raise MosaicError("it explains colours that no object has any more; add it anew.")
    number, obj, coloring = mine
    if "Material 1" in sockets:
        count = sum(name.startswith("Text ") for name in sockets)
        texts = inputs_of(item, [f"Text {each}" for each in range(1, count + 1)])
        if texts != [text for _, text in color_key.categories_of(obj, coloring)]:
            setting.notes.add("with texts of its own; a recipe writes those of the categories.", item.name)
    others = [entry for entry in colored if entry[2].property == coloring.property and entry[2] != coloring]
    given = {"horizontal": "horizontal", "length": "length", "breadth": "breadth", **PLACED}
    if "Material 1" in sockets:
        given = {"breadth": "breadth", **PLACED}
    return Key(
        of=coloring.property,
        select=setting.patterns({number}) if others else (),
        title="" if options.title == coloring.property else options.title or " ",
        **_given(options, given, setting),
    )


def _legend(item: bpy.types.Object, setting: Setting) -> Legend:
    options = color_key.color_key_of(item)
    count = sum(name.startswith("Text ") for name in drawing_of(item)[1])
    each = range(1, count + 1)
    materials = inputs_of(item, [f"Material {number}" for number in each])
    texts = inputs_of(item, [f"Text {number}" for number in each])
    holders: dict[Any, int] = {}
    for number, origin in enumerate(setting.origins):
        if origin.obj is not None:
            holders.setdefault(material_of(origin.obj), number)
    entries = [
        (holders[material], text) for material, text in zip(materials, texts, strict=True) if material in holders
    ]
    if not entries:
        raise MosaicError("no object has the colours that it shows; add it anew.")
    if len({number for number, _ in entries}) < len(materials):
        setting.notes.add(
            "with entries that no object of a session's file has, or twice; they are left out.", item.name
        )
    if entries != sorted(entries):
        setting.notes.add("with entries in another order than the browser's, which a recipe keeps to.", item.name)
    known = dict(entries)
    names = [known[number] for number in sorted(known)]
    usual = [setting.origins[number].called.name for number in sorted(known)]
    return Legend(
        select=setting.patterns(set(known)),
        names=() if names == usual else tuple(names),
        **_given(options, {"title": "title", "breadth": "breadth", **PLACED}, setting),
    )


# --- cuts ------------------------------------------------------------------------------------------------------------


def _cut(item: bpy.types.Object, setting: Setting) -> Cut:
    options = cuts.cut_of(item)
    matrix = setting.root.matrix_world.inverted_safe() @ item.matrix_world
    point, rotation, size = matrix.decompose()
    center = triple(point, setting.step)
    turn = (1.0, 0.0, 0.0, 0.0)
    if abs(abs(rotation.w) - 1) > 1e-7:
        w, x, y, z = rounded(rotation[:], 1e-6)
        turn = w, x, y, z
    shape: dict[str, Any]
    if options.shape == "plane":
        shape = {"plane": Plane(point=center, normal=triple(rotation @ Vector((0, 0, 1)), 1e-6))}
    elif options.shape == "box":
        shape = {"box": Box(center=center, size=triple(2 * size, setting.step), rotation=turn)}
    else:
        radii = triple(size, setting.step)
        alike = max(radii) - min(radii) <= 2 * setting.step
        radius = (radii[0],) if alike else radii
        shape = {"sphere": Sphere(center=center, radius=radius, rotation=(1.0, 0.0, 0.0, 0.0) if alike else turn)}
    objects = [origin.obj for origin in setting.origins if origin.obj is not None]
    spared = setting.numbers_of(cuts.spared_by(item, objects))
    return Cut(
        **shape,
        spare=setting.patterns(spared),
        invert=options.invert,
        whole=options.whole,
        cap=None if options.cap is None else color(options.cap),
    )


DESCRIBE: Final[dict[str, tuple[str, Callable[[bpy.types.Object, Setting], Any]]]] = {
    scale_bar.KIND: ("scale_bar", _scale_bar),
    axes.KIND: ("axes", _axes),
    axes.BOX: ("bounding_box", _bounding_box),
    labels.TEXT: ("texts", _text),
    labels.KIND: ("labels", _label),
    color_key.KIND: ("keys", _key),
    color_key.LEGEND: ("legends", _legend),
    cuts.KIND: ("cuts", _cut),
}
