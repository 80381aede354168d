"""What an object is coloured by <-> nodes of its material: a vertex property through a colour map, or vertex colours.

In front of the material's "Mosaic Surface" stand an Attribute node for the points or vertices, one for instances on them
(spheres, arrows: there the points' attributes are the instances'), their sum, as what is not found is 0, and the group of the
colour map. Nothing is kept elsewhere: the nodes can be edited by hand, and render where the extension is missing. The base
colour stays in the surface's input, which the link only hides.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from mathutils.kdtree import KDTree
from numpy.typing import NDArray

from ...session.errors import MosaicError
from ..compat import FACTOR, ModifierInputs
from ..data.attributes import VERTEX_COLORS, PointData, read_attribute, write_attribute
from ..data.vertex_properties import column_attributes, column_texts, note_columns, share_texts
from ..keys import NODE_GROUP
from .color_maps import PALETTES, find_map, stops, to_display, to_scene
from .materials import SURFACE
from .node_tree import NodeProgram, shared_group, socket_named
from .representations import FIT, SEGMENTATION, TRAJECTORY, group_of, modifier_of

MAP = "Mosaic Color Map"  # the node of the colour map, and with the map's name its group
POINT_VALUE, INSTANCE_VALUE = "Mosaic Property", "Mosaic Property of Instances"
SUM, PART = "Mosaic Property Found", "Mosaic Property Component"
DEFAULT_MAP, DEFAULT_PALETTE = "viridis", "Dark2"  # as in Mosaic's dialog
GREY = 0.5  # display value of what is not a number
LARGEST = 3e38


@dataclass(frozen=True, slots=True)
class Coloring:
    """What an object is coloured by.

    property: the vertex property, or "vertex_colors" with color_map None. component: of a property with several columns; None
    is the length of the vector. value_range: the values of the map's first and last colour. gamma: above 1 spreads the low
    values over more of the map. categories: whole numbers stand for a colour of a palette each.
    """

    property: str
    color_map: str | None = None
    value_range: tuple[float, float] = (0.0, 1.0)
    gamma: float = 1.0
    reverse: bool = False
    categories: bool = False
    component: int | None = None


def color_by(
    objects: Iterable[bpy.types.Object],
    property: str,
    color_map: str | None = None,
    *,
    value_range: tuple[float, float] | None = None,
    quantiles: tuple[float, float] | None = None,
    gamma: float = 1.0,
    reverse: bool = False,
    categories: bool | None = None,
    component: int | None = None,
) -> Coloring:
    """Colour all `objects` that have the vertex property, by one range; leave the others as they are.

    property: its name in the session; "vertex_colors" shows the meshes' own colours, unless a property is called so.
    color_map: a name of `color_maps`, with "_r" at its end turned round; without one numbers get viridis, text and booleans
    Dark2. value_range: the values of the first and last colour; values beyond have these colours. Without it, the range is
    from the least to the greatest finite value of all objects, or between `quantiles` of them (fractions: 0.02, 0.98).
    gamma: as in Mosaic, the place in the map is to the power of 1/gamma. categories: let whole numbers choose a colour of a
    palette each, 0 the first, and from the start again after the last; by default so for what are whole numbers, booleans or
    text if the map is a palette, which else is cut into bands. Text counts by the sorted texts of all objects. component:
    which column of a property with several; by default the vector's length. What is not a number is grey.

    On a mesh values are interpolated between vertices before they are coloured, so the border between the categories 1 and 3
    shows a line of 2. Returns what the objects are coloured by now. Raises MosaicError, with nothing changed, when no object
    has the property or the choices make no sense.
    """
    chosen = list(objects)
    drawn = [(obj, [data for data in _drawn(obj) if property in column_attributes(data)]) for obj in chosen]
    having = {obj: all_data for obj, all_data in drawn if all_data}
    if property == VERTEX_COLORS and not having:
        return color_by_vertex_colors(chosen)
    if not having:
        known = ", ".join(colorable(chosen))
        raise MosaicError(
            f"None of the objects has the vertex property {property!r}; {f'there are: {known}' if known else 'they have none'}."
        )
    surfaces = [_surface(obj) for obj in having]
    all_data = list(dict.fromkeys(data for several in having.values() for data in several))
    kinds = {_kind(data, property) for data in all_data}
    if len(kinds) > 1 and "text" in kinds:
        raise MosaicError(f"The vertex property {property!r} is text in some objects and numbers in others.")
    labels = kinds <= {"text", "bool"}
    key, turned = find_map(color_map or (DEFAULT_PALETTE if labels else DEFAULT_MAP))
    if categories and key not in PALETTES:
        raise MosaicError(f"{key} is no palette of categories; choose one of {', '.join(PALETTES)}.")
    _check(value_range, quantiles, gamma)
    values = [_values(data, property, component) for data in all_data]
    if kinds == {"text"}:
        texts = share_texts(all_data, property)
        recoded = set(all_data)
        note_columns(obj for obj in bpy.data.objects if obj.data in recoded)
        automatic = (0.0, float(max(len(texts) - 1, 0)))
    else:
        automatic = _range(values, quantiles)
    coloring = Coloring(
        property,
        key,
        (float(value_range[0]), float(value_range[1])) if value_range else _widened(automatic),
        gamma,
        reverse != turned,
        key in PALETTES and ("number" not in kinds if categories is None else categories),
        component,
    )
    for obj, surface in zip(having, surfaces, strict=True):
        _carry_to_surface(obj, column_attributes(obj.data).get(property, []))
        _link(obj, surface, coloring)
    return coloring


def color_by_vertex_colors(objects: Iterable[bpy.types.Object]) -> Coloring:
    """Show the vertex colours of those objects that have them. Raises MosaicError when none has."""
    having = [obj for obj in objects if any(VERTEX_COLORS in data.attributes for data in _drawn(obj))]
    if not having:
        raise MosaicError("None of the objects has vertex colours.")
    coloring = Coloring(VERTEX_COLORS)
    for obj, surface in [(obj, _surface(obj)) for obj in having]:
        _link(obj, surface, coloring)
    return coloring


def uncolor(objects: Iterable[bpy.types.Object]) -> None:
    """Show the base colour again."""
    for obj in objects:
        tree = _tree(obj)
        if tree is not None:
            _remove_nodes(tree)


def coloring_of(obj: bpy.types.Object) -> Coloring | None:
    """What an object is coloured by, as its material says; None for its base colour or the user's own nodes."""
    tree = _tree(obj)
    source = tree.nodes.get(POINT_VALUE) if tree is not None else None
    surface = tree.nodes.get(SURFACE) if tree is not None else None
    if source is None or surface is None or not surface.inputs["Color"].is_linked:
        return None
    node = tree.nodes.get(MAP)
    if node is None:
        return Coloring(VERTEX_COLORS) if source.attribute_name == VERTEX_COLORS else None
    if node.node_tree is None:
        return None
    name, component = source.attribute_name, None
    columns = [column for data in _drawn(obj) for column in column_attributes(data).items()]
    for property, attributes in columns:
        if source.attribute_name in attributes:
            name = property
            component = attributes.index(source.attribute_name) if len(attributes) > 1 else None
            break
    part = tree.nodes.get(PART)
    if part is not None and part.bl_idname == "ShaderNodeSeparateXYZ":
        component = next(number for number, output in enumerate(part.outputs) if output.is_linked)
    inputs = node.inputs
    return Coloring(
        name,
        str(node.node_tree.get(NODE_GROUP, "")).removeprefix(f"{MAP} ").partition("/")[0],
        (inputs["From Min"].default_value, inputs["From Max"].default_value),
        inputs["Gamma"].default_value,
        inputs["Reverse"].default_value,
        "Categories" in inputs and inputs["Categories"].default_value,
        component,
    )


def colorable(objects: Iterable[bpy.types.Object]) -> list[str]:
    """The names that `color_by` takes for any of the objects."""
    names: dict[str, None] = {}
    for data in (data for obj in objects for data in _drawn(obj)):
        names.update(dict.fromkeys(column_attributes(data)))
        if VERTEX_COLORS in data.attributes:
            names[VERTEX_COLORS] = None
    return list(names)


def _drawn(obj: bpy.types.Object) -> list[PointData]:
    """The data that an object is drawn from: its own, and those of the steps of a trajectory."""
    if not isinstance(obj.data, PointData):
        return []
    frames = _modifier_input(obj, "Frames", TRAJECTORY)
    return [obj.data, *([step.data for step in frames.objects] if frames is not None else [])]


def _modifier_input(obj: bpy.types.Object, name: str, *groups: str) -> Any:
    """An input of the object's "Mosaic" modifier, if it draws by one of the groups."""
    modifier = modifier_of(obj)
    if modifier is None or group_of(obj) not in groups:
        return None
    return ModifierInputs(modifier.node_group).get(modifier, name)


def _carry_to_surface(obj: bpy.types.Object, attributes: Sequence[str]) -> None:
    """Give the surface by which a segmentation or fit is drawn the attributes of the nearest point, as Mosaic does."""
    surface = _modifier_input(obj, "Surface", SEGMENTATION, FIT)
    mesh = surface.data if surface is not None else None
    if not isinstance(mesh, bpy.types.Mesh):
        return
    points, vertices = read_attribute(obj.data, "position"), read_attribute(mesh, "position")
    finite = np.flatnonzero(np.isfinite(points).all(axis=1))
    if not len(finite) or not len(vertices):
        return
    tree = KDTree(len(finite))
    for number, point in zip(finite.tolist(), points[finite].tolist(), strict=True):
        tree.insert(point, number)
    tree.balance()
    nearest = [tree.find(vertex)[1] for vertex in vertices.tolist()]
    for name in attributes:
        old = mesh.attributes.get(name)
        if old is not None:
            mesh.attributes.remove(old)
        write_attribute(mesh, name, obj.data.attributes[name].data_type, read_attribute(obj.data, name)[nearest])


# --- vertex colours --------------------------------------------------------------------------------------------------


def write_vertex_colors(mesh: bpy.types.Mesh, colors: NDArray[Any]) -> None:
    """Store a mesh's own colours, (n, 3) display values, as the scene values that Blender's paint tools work with.

    Mosaic keeps these colours but does not draw them, so the material shows the base colour until `color_by_vertex_colors`.
    """
    values = np.ones((len(colors), 4), np.float32)
    values[:, :3] = to_scene(colors)
    write_attribute(mesh, VERTEX_COLORS, "FLOAT_COLOR", values)
    mesh.attributes.active_color_name = VERTEX_COLORS


def read_vertex_colors(data: PointData, original: NDArray[Any] | None = None) -> NDArray[np.float64] | None:
    """The colours, (n, 3) display values, or None where there are none.

    original: what `write_vertex_colors` got, to have the values that were not edited since exactly; without it they are off
    by 1e-7.
    """
    stored = read_attribute(data, VERTEX_COLORS)
    if stored is None or stored.ndim != 2 or stored.shape[1] != 4:
        return None
    colors = to_display(stored[:, :3])
    if original is not None and len(original) == len(colors):
        return np.where(to_scene(original).astype(np.float32) == stored[:, :3], original, colors)
    return colors


# --- values and ranges -----------------------------------------------------------------------------------------------


def _kind(data: PointData, property: str) -> str:
    if column_texts(data, property) is not None:
        return "text"
    attributes = [data.attributes.get(name) for name in column_attributes(data)[property]]
    types = {attribute.data_type for attribute in attributes if attribute is not None}
    return {"BOOLEAN": "bool", "INT": "whole"}.get(types.pop(), "number") if len(types) == 1 else "number"


def _values(data: PointData, property: str, component: int | None) -> NDArray[Any]:
    """The numbers, (n,), that the nodes will find. Raises MosaicError for a component that does not exist."""
    names = column_attributes(data)[property]
    parts = [read_attribute(data, name) for name in names]
    if not parts or any(part is None for part in parts):
        raise MosaicError(f"The attribute of the vertex property {property!r} is missing from {data.name!r}.")
    width = len(parts) if len(parts) > 1 else parts[0].shape[1] if parts[0].ndim == 2 else 1
    if component is not None and not 0 <= component < min(width, 3 if len(parts) == 1 else width):
        raise MosaicError(f"The vertex property {property!r} has no component {component}.")
    if width == 1:
        return parts[0]
    if component is None and (len(parts) > 1 or width > 3):
        raise MosaicError(f"The vertex property {property!r} has {width} columns; choose a component from 0 on.")
    if component is None:
        return np.linalg.norm(parts[0], axis=1)
    return parts[component] if len(parts) > 1 else parts[0][:, component]


def _range(values: Sequence[NDArray[Any]], quantiles: tuple[float, float] | None) -> tuple[float, float]:
    finite = [part[np.isfinite(part)] if part.dtype.kind == "f" else part for part in values]
    finite = [part for part in finite if len(part)]
    if not finite:
        return 0.0, 1.0
    if quantiles is None:
        return float(min(part.min() for part in finite)), float(max(part.max() for part in finite))
    low, high = np.quantile(np.concatenate(finite).astype(np.float64), quantiles)
    return float(low), float(high)


def _widened(value_range: tuple[float, float]) -> tuple[float, float]:
    """A range whose ends differ; equal values get the map's middle, as in Mosaic."""
    low, high = value_range
    if not np.isclose(low, high, rtol=1e-6, atol=0):
        return value_range
    offset = 0.01 * abs(high) + 1e-6
    return low - offset, high + offset


def _check(value_range: tuple[float, float] | None, quantiles: tuple[float, float] | None, gamma: float) -> None:
    if value_range is not None and quantiles is not None:
        raise MosaicError("Choose a range or quantiles, not both.")
    if value_range is not None and not (np.isfinite(value_range).all() and value_range[0] < value_range[1]):
        low, high = value_range
        raise MosaicError(f"The range must go from a number to a greater one, not {low} to {high}.")
    if quantiles is not None and not 0 <= quantiles[0] < quantiles[1] <= 1:
        raise MosaicError(f"Quantiles go from 0 to 1, not {quantiles[0]} to {quantiles[1]}.")
    if not (np.isfinite(gamma) and gamma > 0):
        raise MosaicError(f"Gamma must be a positive number, not {gamma}.")


# --- nodes -----------------------------------------------------------------------------------------------------------


def _tree(obj: bpy.types.Object) -> bpy.types.NodeTree | None:
    material = obj.material_slots[0].material if obj.material_slots else None
    return material.node_tree if material is not None else None


def _surface(obj: bpy.types.Object) -> bpy.types.Node:
    tree = _tree(obj)
    surface = tree.nodes.get(SURFACE) if tree is not None else None
    if surface is None:
        raise MosaicError(f"The material of {obj.name!r} has no node {SURFACE!r} that could be coloured.")
    return surface


def _remove_nodes(tree: bpy.types.NodeTree) -> None:
    for name in (POINT_VALUE, INSTANCE_VALUE, SUM, PART, MAP):
        node = tree.nodes.get(name)
        if node is not None:
            tree.nodes.remove(node)


def _link(obj: bpy.types.Object, surface: bpy.types.Node, coloring: Coloring) -> None:
    tree = surface.id_data
    _remove_nodes(tree)
    program = NodeProgram(tree)
    if coloring.color_map is None:
        value = _found(program, obj, VERTEX_COLORS, "Color")
    else:
        value = _property_value(program, obj, coloring)
        group = color_map_group(coloring.color_map)
        node = program.node("ShaderNodeGroup", coloring.color_map, node_tree=group, name=MAP, width=200)
        settings = {
            "Value": value,
            "From Min": coloring.value_range[0],
            "From Max": coloring.value_range[1],
            "Gamma": coloring.gamma,
            "Reverse": coloring.reverse,
        }
        if coloring.color_map in PALETTES:
            settings["Categories"] = coloring.categories
        for name, setting in settings.items():
            program.connect(setting, socket_named(node.inputs, name))
        value = node.outputs[0]
    program.connect(value, surface.inputs["Color"])
    for name, left, down in (
        (MAP, 240, 0), (PART, 420, 0), (SUM, 600, 0), (POINT_VALUE, 800, 0), (INSTANCE_VALUE, 800, 240)
    ):  # fmt: skip
        if name in tree.nodes:
            tree.nodes[name].location = (surface.location.x - left, surface.location.y - down)


def _property_value(program: NodeProgram, obj: bpy.types.Object, coloring: Coloring) -> bpy.types.NodeSocket:
    data = next(data for data in _drawn(obj) if coloring.property in column_attributes(data))
    names = column_attributes(data)[coloring.property]
    if len(names) > 1:
        return _found(program, obj, names[coloring.component], FACTOR)
    if data.attributes[names[0]].data_type in ("FLOAT2", "FLOAT_VECTOR", "FLOAT_COLOR"):
        vector = _found(program, obj, names[0], "Vector")
        if coloring.component is None:
            node = program.node("ShaderNodeVectorMath", "Length", {"Vector": vector}, operation="LENGTH", name=PART)
            return socket_named(node.outputs, "Value")
        node = program.node("ShaderNodeSeparateXYZ", "Component", {"Vector": vector}, name=PART)
        return node.outputs[coloring.component]
    return _found(program, obj, names[0], FACTOR)


def _found(program: NodeProgram, obj: bpy.types.Object, attribute: str, output: str) -> bpy.types.NodeSocket:
    """The attribute of the geometry or of the instance, whichever has it."""
    sources = [(POINT_VALUE, "GEOMETRY")]
    if attribute not in obj and attribute not in obj.data:  # what the search for an instance's would find instead
        sources.append((INSTANCE_VALUE, "INSTANCER"))
    nodes = [
        program.node("ShaderNodeAttribute", "", attribute_type=kind, attribute_name=attribute, name=name)
        for name, kind in sources
    ]
    values = [node.outputs[output] for node in nodes]
    if len(values) == 1:
        return values[0]
    kind = "Value" if output == FACTOR else "Vector"
    node = program.node(
        "ShaderNodeMath" if output == FACTOR else "ShaderNodeVectorMath",
        "Of points or of instances",
        {f"{kind} 0": values[0], f"{kind} 1": values[1]},
        operation="ADD",
        name=SUM,
    )
    return node.outputs[0]


def color_map_group(key: str) -> bpy.types.NodeTree:
    """The node group of a colour map: a value in, its colour out."""
    return shared_group(f"{MAP} {key}", "ShaderNodeTree", 1, lambda program: _build_map(program, key))


def _build_map(program: NodeProgram, key: str) -> None:
    program.input("Value", "Float", "Value of the vertex property")
    program.input("From Min", "Float", "The value that gets the map's first colour", default_value=0)
    program.input("From Max", "Float", "The value that gets the map's last colour", default_value=1)
    tip = "Above 1 spreads the low values over more of the map, below 1 the high ones"
    program.input("Gamma", "Float", tip, default_value=1, min_value=0.01, max_value=10)
    program.input("Reverse", "Bool", "Turn the map round", default_value=False)
    if key in PALETTES:
        tip = "Each whole number has its colour, over and over, whatever the range; else the range is cut into equal parts"
        program.input("Categories", "Bool", tip, default_value=False)
    grey = (*to_scene(np.full(3, GREY)).tolist(), 1.0)
    program.input("No Value", "Color", "Colour where the property is not a number", default_value=grey)
    program.output("Color", "Color")
    start = program.node("NodeGroupInput").outputs
    value = start["Value"]
    above, below = program.math("GREATER_THAN", value, -LARGEST), program.math("LESS_THAN", value, LARGEST)
    number = program.math("MULTIPLY", above, below)
    clamped = program.node(
        "ShaderNodeClamp", "In the range", {"Value": value, "Min": start["From Min"], "Max": start["From Max"]}
    ).outputs[0]
    length = program.math("SUBTRACT", start["From Max"], start["From Min"])
    place = program.math("DIVIDE", program.math("SUBTRACT", clamped, start["From Min"]), length)
    place = program.math("POWER", place, program.math("DIVIDE", 1.0, start["Gamma"]))
    if key in PALETTES:
        place = _category(program, key, start, place)
    place = program.math("ABSOLUTE", program.math("SUBTRACT", start["Reverse"], place))
    ramp = program.node("ShaderNodeValToRGB", key, {FACTOR: place}, width=300)
    _fill(ramp.color_ramp, key)
    mix = program.node(
        "ShaderNodeMix",
        "Grey for no number",
        {},
        data_type="RGBA",
    )
    for name, source in (("Factor", number), ("A", start["No Value"]), ("B", ramp.outputs["Color"])):
        program.connect(source, socket_named(mix.inputs, name))
    program.node("NodeGroupOutput", inputs={"Color": socket_named(mix.outputs, "Result")})


def _category(
    program: NodeProgram, key: str, start: bpy.types.bpy_prop_collection, place: bpy.types.NodeSocket
) -> bpy.types.NodeSocket:
    """The place of a whole number's colour, or `place` where the values are no categories."""
    count = float(len(PALETTES[key].split()))
    finite = program.node("ShaderNodeClamp", inputs={"Value": start["Value"], "Min": -1e9, "Max": 1e9}).outputs[0]
    whole = program.math("FLOORED_MODULO", program.math("ROUND", finite), count)
    middle = program.math("DIVIDE", program.math("ADD", whole, 0.5), count)
    mix = program.node("ShaderNodeMix", "Categories?", {"Factor": start["Categories"], "A": place, "B": middle})
    return socket_named(mix.outputs, "Result")


def _fill(ramp: bpy.types.ColorRamp, key: str) -> None:
    positions, colors = stops(key)
    ramp.color_mode = "RGB"
    ramp.interpolation = "CONSTANT" if key in PALETTES else "LINEAR"
    ramp.elements.remove(ramp.elements[-1])
    for number, (position, color) in enumerate(zip(positions, to_scene(colors), strict=True)):
        element = ramp.elements[0] if number == 0 else ramp.elements.new(position)
        element.position = position
        element.color = (*color.tolist(), 1.0)
