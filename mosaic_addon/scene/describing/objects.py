"""What objects look like -> rules of a recipe: in what each differs from what its file makes of it, and what is alike."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import bpy
import numpy as np

from ...files.patterns import selectors_of
from ...files.recipe_parts import ColorBy, Filter, Rule, Shape
from ..drawing import filters
from ..drawing.color_map_nodes import MAP
from ..drawing.color_maps import PALETTES, to_display, to_scene
from ..drawing.coloring import DENSITY, INSTANCE_VALUE, PART, POINT_VALUE, SUM, WHERE, colorable, coloring_of
from ..drawing.materials import SURFACE, material_of
from ..drawing.own_shapes import own_shape_of
from ..drawing.representation_parts import MEMBRANE_SMOOTHING
from ..drawing.representations import FITTED_SURFACE, MEMBRANE_SURFACE, inputs_of, kind_drawn, modifier_of
from ..drawing.surfaces import shown_at, volume_mesh
from ..exporting.edited_appearance import Drawn, DrawnReader
from ..importing.plan import Item
from .notes import Notes, color, rounded, short
from .origins import Origin

Look = dict[str, Any]  # fields of a rule

WEIGHTS: Final = ("opacity", "ambient", "diffuse", "specular")
OURS: Final = frozenset({SURFACE, POINT_VALUE, INSTANCE_VALUE, SUM, PART, MAP, DENSITY, WHERE})
FRAMES_OF_NODES: Final = ("ShaderNodeOutputMaterial", "NodeFrame", "NodeReroute")
DRAWING: Final = ("representation", "shape", "thickness", "smoothing")
PIXELS_COUNT: Final = ("wireframe", FITTED_SURFACE)  # beside points
# Inputs of the modifier that draws an object, which recipes leave as an import sets them.
LEFT: Final = (
    "Picture Height", "Splat Radius", "Arrow Length", "Line Width", "Tube Width",
)  # fmt: skip
LEFT_BUT_IN_CYCLES: Final = ("Instances", "Sphere Detail")  # where points are round, whatever these are


class Describer:
    """Tells in what objects differ from what their files make of them. What many objects share is looked up once."""

    def __init__(self, scene: bpy.types.Scene, rendered: set[bpy.types.Object], folder: str, notes: Notes) -> None:
        """rendered: what the picture shows. folder: of the recipe, from which paths count."""
        self.rendered, self.folder, self.notes = rendered, folder, notes
        self._left = LEFT if scene.render.engine == "CYCLES" else LEFT + LEFT_BUT_IN_CYCLES
        self._reader = DrawnReader()
        self._defaults: dict[int, dict[str, Any]] = {}

    def look_of(self, origin: Origin) -> Look:
        """Return the fields of a rule that makes of a file's geometry what its object is."""
        obj, item = origin.obj, origin.item
        if obj is None:
            return {"visible": False} if item.geometry.visible else {}
        look: Look = {}
        visible = obj in self.rendered
        if visible != item.geometry.visible:
            look["visible"] = visible
        drawn = self._reader.of(obj)
        self._add_drawing(look, obj, item, drawn)
        self._add_material(look, obj, item, drawn)
        self._add_colors(look, obj)
        kept = filters.filter_of(obj)
        modifier = filters.modifier_that_filters(obj)
        if kept is not None and modifier is not None and modifier.show_render:
            ends = kept.value_range and (short(kept.value_range[0]), short(kept.value_range[1]))
            look["filter"] = Filter(
                property=kept.property, range=ends, categories=kept.categories, component=kept.component,
                invert=bool(kept.invert),
            )  # fmt: skip
        if obj.is_holdout or obj.is_shadow_catcher or not obj.visible_camera:
            self.notes.add("with a ray visibility of its own, which a recipe does not hold.", origin.called.name)
        for each in obj.modifiers:
            if each.show_render and kind_drawn(each) is None and not filters.is_for_view(each):
                self.notes.add(f"with the modifier {each.name!r}, which a recipe does not have.", origin.called.name)
        return look

    def _add_drawing(self, look: Look, obj: bpy.types.Object, item: Item, drawn: Drawn) -> None:
        """Add representation, size and shape."""
        name = item.geometry.name
        modifier = modifier_of(obj)
        if modifier is None:
            self.notes.add("without the modifier that draws it; open its session again.", name)
            return
        placed = own_shape_of(obj)
        if placed is not None:
            self._add_shape(look, placed, name)
        elif not modifier.show_render:
            self.notes.add("with the modifier that draws it switched off, which a recipe does not hold.", name)
        elif drawn.representation is not None and drawn.representation != item.representation:
            look["representation"] = drawn.representation
        inputs = inputs_of(modifier)
        expected = self._defaults_of(modifier.node_group) | item.inputs
        spheres, on_screen, pixel = inputs.several(modifier, ("Spheres", "On Screen", "Pixel Size"))
        for key, now, before in (("spheres", spheres, "Spheres"), ("on_screen", on_screen, "On Screen")):
            if bool(now) != bool(expected[before]):
                look[key] = bool(now)
        self._add_size(look, drawn, pixel, expected, name)
        if drawn.representation == MEMBRANE_SURFACE:
            thickness, smoothing = inputs.several(modifier, ("Thickness", "Smoothing"))
            look["thickness"] = short(thickness)
            if smoothing != MEMBRANE_SMOOTHING:
                look["smoothing"] = int(smoothing)
        self._add_isovalue(look, obj, item)
        known = [each for each in self._left if each in inputs]
        for each, value in zip(known, inputs.several(modifier, known), strict=True):
            if not np.isclose(float(value), float(expected[each]), rtol=1e-5):
                self.notes.add(f"drawn with another {each} ({float(value):.4g}), which a recipe does not hold.", name)

    def _add_size(self, look: Look, drawn: Drawn, pixel: float, expected: Mapping[str, Any], name: str) -> None:
        """Add the size of points; where their pixels have another size than an import gives them, it makes up for that."""
        if drawn.size is None:
            return
        if np.isclose(pixel, expected["Pixel Size"], rtol=1e-4):
            if drawn.size != np.float32(expected["Size"]):
                look["size"] = short(drawn.size)
        elif drawn.representation == "pointcloud":
            look["size"] = float(f"{drawn.size * pixel / expected['Pixel Size']:.5g}")
        elif drawn.representation in PIXELS_COUNT:
            self.notes.add(f"with lines of another Pixel Size ({pixel:.4g}), which a recipe does not hold.", name)

    def _defaults_of(self, group: Any) -> dict[str, Any]:
        if group.session_uid not in self._defaults:
            sockets = [item for item in group.interface.items_tree if hasattr(item, "default_value")]
            self._defaults[group.session_uid] = {socket.name: socket.default_value for socket in sockets}
        return self._defaults[group.session_uid]

    def _add_isovalue(self, look: Look, obj: bpy.types.Object, item: Item) -> None:
        mesh = volume_mesh(obj)
        if mesh is None:
            return
        now, before = shown_at(mesh)[0], item.geometry.appearance.isovalue_percentile
        if now is None and before is not None:
            self.notes.add(
                "with the isovalue that Mosaic chooses, which a recipe does not hold; save the session first.",
                item.geometry.name,
            )
        elif now is not None and (before is None or not np.isclose(now, before, rtol=1e-6)):
            look["isovalue"] = rounded((now,), 1e-6)[0]

    def _add_material(self, look: Look, obj: bpy.types.Object, item: Item, drawn: Drawn) -> None:
        """Add base colour, opacity and Mosaic's weights."""
        material, name = material_of(obj), item.geometry.name
        if material is None or drawn.numbers is None:
            self.notes.add("without a material; a recipe gives it the session's colour.", name)
            return
        tree = material.node_tree
        if len(drawn.numbers) < 7 or tree is None or not all(map(_is_ours, tree.nodes)):
            self.notes.add(
                f"drawn with nodes of your own in the material {material.name!r}, of which a recipe has the colour at most.",
                name,
            )
        appearance = item.geometry.appearance
        now, rest = drawn.numbers[:3], drawn.numbers[3:]
        before = to_scene(np.array(appearance.base_color))
        if None not in now and not np.allclose(np.array(now, np.float64), before, rtol=0, atol=2e-6):
            look["color"] = color(np.clip(to_display(np.array(now, np.float64)), 0, 1))
        for key, value in zip(WEIGHTS, rest, strict=False):
            if value is not None and value != np.float32(getattr(appearance, key)):
                look[key] = min(max(short(value), 0.0), 1.0)

    def _add_colors(self, look: Look, obj: bpy.types.Object) -> None:
        """Add what an object is coloured by."""
        coloring = coloring_of(obj)
        if coloring is None:
            return
        if coloring.color_map is None:
            look["color_by"] = ColorBy(property=coloring.property)
            return
        low, high = (short(end) for end in coloring.value_range)
        if not low < high:
            self.notes.add(f"with a range of colours from {low:g} to {high:g}, which a recipe does not hold.", obj.name)
            return
        look["color_by"] = ColorBy(
            property=coloring.property, map=coloring.color_map, range=(low, high), gamma=short(coloring.gamma),
            reverse=bool(coloring.reverse), component=coloring.component,
            categories=bool(coloring.categories) if coloring.color_map in PALETTES else None,
        )  # fmt: skip

    def _add_shape(self, look: Look, placed: Any, name: str) -> None:
        """Add the object or collection that stands at an object's points, where a .blend holds it."""
        home = _home_of(placed.shape)
        if home is None:
            self.notes.add(
                f"with {placed.shape.name!r} at each point, which no .blend holds yet; save this one first, and write the "
                "recipe again.",
                name,
            )
            return
        if placed.shape.library is None and bpy.data.is_dirty and not bpy.app.background:
            self.notes.add("The recipe takes own shapes from the .blend as it was last saved; save it, too.")
        kind = "object" if isinstance(placed.shape, bpy.types.Object) else "collection"
        shape: dict[str, Any] = {kind: placed.shape.name}
        look["representation"] = "object"
        look["shape"] = Shape(
            blend=relative(home, self.folder), scale=short(placed.scale),
            pivot=three(placed.pivot), axis=three(placed.axis), **shape,
        )  # fmt: skip


def three(values: Any) -> tuple[float, float, float]:
    """Return three numbers as short as they can be."""
    x, y, z = map(short, values)
    return x, y, z


def relative(path: str, folder: str) -> str:
    """Return a path as it is written in a recipe in a folder: from there if it can be, with / between its parts."""
    try:
        path = os.path.relpath(path, folder)
    except ValueError:  # on another drive of Windows
        path = os.path.abspath(path)
    return path.replace(os.sep, "/")


def _is_ours(node: bpy.types.Node) -> bool:
    return node.name in OURS or node.bl_idname in FRAMES_OF_NODES


def _home_of(shape: bpy.types.Object | bpy.types.Collection) -> str | None:
    """The .blend that holds an object or collection; None where there is none yet."""
    library = shape.library
    path = bpy.path.abspath(library.filepath) if library is not None else bpy.data.filepath
    return path if path and os.path.isfile(path) else None


# --- rules -----------------------------------------------------------------------------------------------------------


def rules_of(
    origins: Sequence[Origin], looks: Sequence[Look], rendered: set[bpy.types.Object], notes: Notes
) -> list[Rule]:
    """Return the rules that give geometries of files their looks: what several share stands in one.

    looks: of each geometry, what `Describer` says. Notes those that no rule can tell from others.
    """
    alike: dict[tuple[tuple[str, Any], ...], set[int]] = {}
    for number, look in enumerate(looks):
        for given in _together(look):
            alike.setdefault(given, set()).add(number)
    by_objects: dict[frozenset[int], Look] = {}
    for given, numbers in alike.items():
        by_objects.setdefault(frozenset(numbers), {}).update(given)
    called = [origin.called for origin in origins]
    shown = {number for number, origin in enumerate(origins) if origin.obj in rendered}
    having: dict[str, set[int]] = {}
    rules: list[Rule] = []
    for numbers, look in sorted(by_objects.items(), key=lambda entry: (-len(entry[0]), min(entry[0]))):
        for part in _parts(look):
            free = _free(part, origins, shown, having)
            selectors, lost = selectors_of(called, numbers, free - numbers)
            rules += [Rule(**selector, **part) for selector in selectors]
            for number in sorted(lost):
                notes.add(
                    "cannot be told from others of the same name in a recipe, so it looks as in its file; rename it and save "
                    "the session.",
                    called[number].name,
                )
    return sorted(rules, key=lambda rule: rule.color_by is not None)  # a colour takes away what is coloured by


def _together(look: Look) -> Iterator[tuple[tuple[str, Any], ...]]:
    """Yield what stands in rules of a look: each field alone, and all that says how an object is drawn in one."""
    yield from (((field, value),) for field, value in look.items() if field not in DRAWING)
    drawing = tuple((field, look[field]) for field in DRAWING if field in look)
    if drawing:
        yield drawing


def _parts(look: Look) -> list[Look]:
    """A look as one rule, or as two where colour and colour by property do not go together."""
    if "color" not in look or "color_by" not in look:
        return [look]
    return [{key: value for key, value in look.items() if key != "color_by"}, {"color_by": look["color_by"]}]


def _free(look: Look, origins: Sequence[Origin], shown: set[int], having: dict[str, set[int]]) -> set[int]:
    """The objects that a rule may find as well, as it changes nothing of them."""
    free = set(range(len(origins)))
    for field, value in look.items():
        if field == "visible":
            free &= shown if value else free - shown
        elif field in ("color_by", "filter"):
            if value.property not in having:
                having[value.property] = {
                    number for number, origin in enumerate(origins)
                    if origin.obj is not None and value.property in colorable([origin.obj])
                }  # fmt: skip
            free -= having[value.property]
        else:
            return set()
    return free
