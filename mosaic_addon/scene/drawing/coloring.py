"""What an object is coloured by <-> nodes of its material: a vertex property through a colour map, or vertex colours.

The input Color of the material's node "Mosaic Surface" is linked to the group of the colour map, and that to the sum
of two Attribute nodes, one for points or vertices and one for instances (spheres, arrows), to which the attributes of
points go; an attribute that is not found is 0. Nothing is kept elsewhere: the nodes can be edited by hand, and render
without the extension. The base colour stays in the input, which the link only hides.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from mathutils.kdtree import KDTree
from numpy.typing import NDArray

from ...session.errors import MosaicError
from ..compat import FACTOR
from ..data.attributes import VERTEX_COLORS, PointAttributes, PointData, points_of, read_attribute, write_attribute
from ..data.custom_properties import has
from ..data.vertex_properties import column_attributes, column_texts, note_columns, share_texts
from .color_map_nodes import MAP, color_map_group, map_of
from .color_maps import PALETTES, find_map, to_display, to_scene
from .materials import SURFACE, material_of
from .node_tree import NodeProgram, socket_named
from .representations import FIT, SEGMENTATION, TRAJECTORY, VIEW_SURFACE, group_of, input_of

# Nodes of the material, beside the one named as MAP.
POINT_VALUE, INSTANCE_VALUE = "Mosaic Property", "Mosaic Property of Instances"
SUM, PART = "Mosaic Property Found", "Mosaic Property Component"
DENSITY, WHERE = "Mosaic Tomogram", "Mosaic Tomogram Here"  # of what a tomogram colours
DEFAULT_MAP, DEFAULT_PALETTE = "viridis", "Dark2"  # as in Mosaic's dialog


@dataclass(frozen=True, slots=True)
class Coloring:
    """What an object is coloured by.

    property: the vertex property, or "vertex_colors" with color_map None. component: of a property with several; None
    for the length of the vector. value_range: the values of the map's first and last colour. gamma: above 1 spreads
    the low values over more of the map. categories: each whole number has its own colour of a palette.
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
    """Colour all objects that have a vertex property, by one range; leave the others as they are.

    property: its name in the session; "vertex_colors" shows the meshes' own colours, unless a property is called so.
    color_map: a name of `color_maps`, with "_r" at its end turned round; by default viridis for numbers, Dark2 for
    text and booleans. value_range: the values of the first and last colour; values beyond have these colours. By
    default it goes from the least to the greatest finite value of all objects, or between `quantiles` of them
    (fractions: 0.02, 0.98). gamma: the place in the map is to the power of 1/gamma, as in Mosaic. categories: give
    each whole number a colour of a palette, 0 the first, and begin anew after the last; by default for whole numbers,
    booleans and text if the map is a palette. Otherwise a palette is cut into bands of the range. Text counts by the
    sorted texts of all objects. component: which one of a property with several, from 0; by default the vector's
    length. What is not a number is grey.

    On a mesh values are interpolated between vertices before they are coloured, so the border between the categories 1
    and 3 shows a line of 2. Returns what the objects are coloured by now. Raises MosaicError, with nothing changed,
    when no object has the property or the choices make no sense.
    """
    chosen = list(objects)
    having = _having(chosen, property)
    if property == VERTEX_COLORS and not having:
        return color_by_vertex_colors(chosen)
    if not having:
        known = f"there are: {', '.join(names)}" if (names := colorable(chosen)) else "they have none"
        raise MosaicError(f"None of the objects has the vertex property {property!r}; {known}.")
    surfaces = [_surface(obj) for obj in having]
    all_data = list(dict.fromkeys(data for several in having.values() for data in several))
    kinds = {_kind(data, property) for data in all_data}
    if len(kinds) > 1 and "text" in kinds:
        raise MosaicError(f"The vertex property {property!r} is text in some objects and numbers in others.")
    key, turned = _map_for(color_map, kinds, categories)
    _check(value_range, quantiles, gamma)
    values = [_values(data, property, component) for data in all_data]
    automatic = _range_of_texts(all_data, property) if kinds == {"text"} else _range(values, quantiles)
    coloring = Coloring(
        property,
        key,
        (float(value_range[0]), float(value_range[1])) if value_range else _widened(automatic),
        gamma,
        reverse != turned,
        key in PALETTES and ("number" not in kinds if categories is None else categories),
        component,
    )
    for (obj, drawn), surface in zip(having.items(), surfaces, strict=True):
        carry_to_surfaces(obj, column_attributes(drawn[0]).get(property, ()))
        _link(obj, surface, coloring)
    return coloring


def color_by_vertex_colors(objects: Iterable[bpy.types.Object]) -> Coloring:
    """Show the vertex colours of the objects that have them. Raises MosaicError when none has."""
    having = [obj for obj in objects if any(VERTEX_COLORS in data.attributes for data in drawn_data(obj))]
    if not having:
        raise MosaicError("None of the objects has vertex colours.")
    coloring = Coloring(VERTEX_COLORS)
    for obj, surface in [(obj, _surface(obj)) for obj in having]:
        _link(obj, surface, coloring)
    return coloring


def uncolor(objects: Iterable[bpy.types.Object]) -> None:
    """Show the base colour of objects again."""
    for obj in objects:
        tree = _tree(obj)
        if tree is not None:
            uncolor_tree(tree)


def coloring_of(obj: bpy.types.Object) -> Coloring | None:
    """Return what an object is coloured by, as its material says; None for its base colour or the user's own nodes."""
    tree = _tree(obj)
    if tree is None:
        return None
    source, surface = tree.nodes.get(POINT_VALUE), tree.nodes.get(SURFACE)
    if source is None or surface is None or not surface.inputs["Color"].is_linked:
        return None
    node = tree.nodes.get(MAP)
    if node is None:
        return Coloring(VERTEX_COLORS) if source.attribute_name == VERTEX_COLORS else None
    if node.node_tree is None:
        return None
    name, component = source.attribute_name, None
    columns = [column for data in drawn_data(obj) for column in column_attributes(data).items()]
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
        map_of(node.node_tree),
        (inputs["From Min"].default_value, inputs["From Max"].default_value),
        inputs["Gamma"].default_value,
        inputs["Reverse"].default_value,
        "Categories" in inputs and inputs["Categories"].default_value,
        component,
    )


def colorable(objects: Iterable[bpy.types.Object]) -> list[str]:
    """Return the names of what any of the objects can be coloured by."""
    names: dict[str, None] = {}
    for data in (data for obj in objects for data in drawn_data(obj)):
        names.update(dict.fromkeys(column_attributes(data)))
        if VERTEX_COLORS in data.attributes:
            names[VERTEX_COLORS] = None
    return list(names)


def drawn_data(obj: bpy.types.Object) -> list[PointData]:
    """The data that an object is drawn from: its own, and those of a trajectory's frames."""
    own = points_of(obj)
    if own is None:
        return []
    frames = input_of(obj, "Frames") if group_of(obj) == TRAJECTORY else None
    steps = map(points_of, frames.objects) if frames is not None else ()
    return [own, *(step for step in steps if step is not None)]


def _having(objects: Iterable[bpy.types.Object], property: str) -> dict[bpy.types.Object, list[PointData]]:
    """The objects that have a vertex property, each with those data it is drawn from that have it."""
    drawn = {obj: [data for data in drawn_data(obj) if property in column_attributes(data)] for obj in objects}
    return {obj: having for obj, having in drawn.items() if having}


def carry_to_surfaces(obj: bpy.types.Object, attributes: Sequence[str]) -> None:
    """Give surfaces by which a segmentation, fit or membrane is drawn the values of the nearest point, as Mosaic does."""
    names = ("Surface", VIEW_SURFACE, "Membrane") if group_of(obj) in (SEGMENTATION, FIT) else ("Membrane",)
    holders = [input_of(obj, name) for name in names]
    meshes = [holder.data for holder in holders if holder is not None and isinstance(holder.data, bpy.types.Mesh)]
    cloud = points_of(obj)
    points = read_attribute(cloud, "position") if attributes and meshes and cloud is not None else None
    if cloud is None or points is None:
        return
    finite = np.flatnonzero(np.isfinite(points).all(axis=1))
    if not len(finite):
        return
    tree = KDTree(len(finite))
    for number, point in zip(finite.tolist(), points[finite].tolist(), strict=True):
        tree.insert(point, number)
    tree.balance()
    for mesh in meshes:
        vertices = read_attribute(mesh, "position")
        if vertices is None or not len(vertices):
            continue
        nearest = np.array([tree.find(vertex)[1] for vertex in vertices.tolist()])
        for name in attributes:
            old, values = mesh.attributes.get(name), read_attribute(cloud, name)
            if old is not None:
                mesh.attributes.remove(old)
            if values is not None:
                write_attribute(mesh, name, cloud.attributes[name].data_type, values[nearest])


# --- vertex colours --------------------------------------------------------------------------------------------------


def write_vertex_colors(mesh: bpy.types.Mesh, colors: NDArray[Any]) -> None:
    """Store a mesh's own colours, (n, 3) display values, as the scene values that Blender's paint tools work with.

    Mosaic keeps these colours but does not draw them, so the material goes on to show the base colour.
    """
    values = np.ones((len(colors), 4), np.float32)
    values[:, :3] = to_scene(colors)
    write_attribute(mesh, VERTEX_COLORS, "FLOAT_COLOR", values)
    mesh.attributes.active_color_name = VERTEX_COLORS


def read_vertex_colors(data: PointData, original: NDArray[Any] | None = None) -> NDArray[np.float64] | None:
    """Return a mesh's own colours, (n, 3) display values; None where there are none.

    original: the colours that were stored, (n, 3), to give back exactly those that were not edited since; without it
    they are off by 1e-7.
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
    """Whether the values of a vertex property are "text", "bool", "whole" numbers, or any "number"."""
    if column_texts(data, property) is not None:
        return "text"
    names = column_attributes(data)[property]
    types = {data.attributes[name].data_type for name in names if name in data.attributes}
    return {"BOOLEAN": "bool", "INT": "whole"}.get(types.pop(), "number") if len(types) == 1 else "number"


def _map_for(name: str | None, kinds: set[str], categories: bool | None) -> tuple[str, bool]:
    """The key of a colour map, and whether it is turned round. name: None for that of the kinds of values.

    Raises MosaicError for an unknown map, and for categories with a map that is no palette.
    """
    key, turned = find_map(name or (DEFAULT_PALETTE if kinds <= {"text", "bool"} else DEFAULT_MAP))
    if categories and key not in PALETTES:
        raise MosaicError(f"{key} is no palette of categories; choose one of {', '.join(PALETTES)}.")
    return key, turned


def _values(data: PointData, property: str, component: int | None) -> NDArray[Any]:
    """The numbers, (n,), that the nodes will find. Raises MosaicError for a component that does not exist."""
    parts = PointAttributes(data).read_all(column_attributes(data)[property])
    if not parts:
        raise MosaicError(f"The attribute of the vertex property {property!r} is missing from {data.name!r}.")
    first = parts[0]
    width = len(parts) if len(parts) > 1 else first.shape[1] if first.ndim == 2 else 1
    if component is not None and not 0 <= component < min(width, 3 if len(parts) == 1 else width):
        raise MosaicError(f"The vertex property {property!r} has no component {component}.")
    if width == 1:
        return first
    if component is None and (len(parts) > 1 or width > 3):
        raise MosaicError(f"The vertex property {property!r} has {width} columns; choose a component from 0 on.")
    if component is None:
        return np.linalg.norm(first, axis=1)
    return parts[component] if len(parts) > 1 else first[:, component]


def _range_of_texts(all_data: Sequence[PointData], property: str) -> tuple[float, float]:
    """Make each code of a vertex property stand for the same text in all data. Returns the first and last code."""
    texts = share_texts(all_data, property)
    recoded: set[Any] = set(all_data)
    note_columns(obj for obj in bpy.data.objects if obj.data in recoded)
    return 0.0, float(max(len(texts) - 1, 0))


def _range(values: Sequence[NDArray[Any]], quantiles: tuple[float, float] | None) -> tuple[float, float]:
    """The least and greatest of the finite values, or two quantiles of them; 0 and 1 where none is finite."""
    finite = [part[np.isfinite(part)] if part.dtype.kind == "f" else part for part in values]
    finite = [part for part in finite if len(part)]
    if not finite:
        return 0.0, 1.0
    if quantiles is None:
        return float(min(part.min() for part in finite)), float(max(part.max() for part in finite))
    low, high = np.quantile(np.concatenate(finite).astype(np.float64), quantiles)
    return float(low), float(high)


def _widened(value_range: tuple[float, float]) -> tuple[float, float]:
    """A range whose ends differ, so that values which are all alike get the map's middle, as in Mosaic."""
    low, high = value_range
    if not np.isclose(low, high, rtol=1e-6, atol=0):
        return value_range
    offset = 0.01 * abs(high) + 1e-6
    return low - offset, high + offset


def _check(value_range: tuple[float, float] | None, quantiles: tuple[float, float] | None, gamma: float) -> None:
    """Raise MosaicError for choices that make no sense."""
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
    material = material_of(obj)
    return material.node_tree if material is not None else None


def _surface(obj: bpy.types.Object) -> bpy.types.Node:
    """The node of an object's material that is coloured. Raises MosaicError where there is none."""
    tree = _tree(obj)
    surface = tree.nodes.get(SURFACE) if tree is not None else None
    if surface is None:
        raise MosaicError(f"The material of {obj.name!r} has no node {SURFACE!r} that could be coloured.")
    return surface


def uncolor_tree(tree: bpy.types.NodeTree) -> None:
    """Remove the nodes of a colouring from a material."""
    for name in (POINT_VALUE, INSTANCE_VALUE, SUM, PART, MAP, DENSITY, WHERE):
        node = tree.nodes.get(name)
        if node is not None:
            tree.nodes.remove(node)


def _link(obj: bpy.types.Object, surface: bpy.types.Node, coloring: Coloring) -> None:
    """Put the nodes of a colouring in front of the surface of an object's material."""
    tree = surface.id_data
    assert isinstance(tree, bpy.types.NodeTree)
    uncolor_tree(tree)
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
    """Add nodes that find a number of each point: the vertex property, its component or its length."""
    data = next(data for data in drawn_data(obj) if coloring.property in column_attributes(data))
    names = column_attributes(data)[coloring.property]
    if len(names) > 1:
        assert coloring.component is not None
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
    """Add nodes that find an attribute of the geometry or of the instance, whichever has it."""
    sources = [(POINT_VALUE, "GEOMETRY")]
    # A custom property of that name would be found instead of an attribute of instances.
    if not any(owner is not None and has(owner, attribute) for owner in (obj, obj.data)):
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
