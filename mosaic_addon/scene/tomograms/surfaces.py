"""Density on surfaces <-> nodes of their materials: points, meshes and membranes show the tomogram that they lie in.

The input Color of the material's node "Mosaic Surface" is linked to the tomogram's group, and keeps the base colour
where there is no tomogram. The density at points can also be kept as a vertex property, which is saved in the session.
"""

from collections.abc import Iterable

import bpy
import numpy as np
from numpy.typing import NDArray

from ...session.errors import MosaicError
from ..data.attributes import NORMALS, PointData, points_of, read_attribute
from ..data.placement import to_session
from ..data.vertex_properties import add_column, column_attributes, note_columns
from ..drawing.coloring import DENSITY, WHERE, uncolor_tree
from ..drawing.materials import SURFACE, material_of
from ..drawing.node_tree import NodeProgram, socket_named
from ..keys import TOMOGRAM_NODES
from ..outline.tree import root_above
from .atlas import interpolate
from .tomogram import group_of, values_of_tomogram, volume_of


def wear_tomogram(objects: Iterable[bpy.types.Object], box: bpy.types.Object, offset: float = 0.0) -> int:
    """Colour objects by the density of a tomogram. Returns how many.

    offset: how far from the surface density is looked up, in angstrom along its outward normal. It shows at the surface
    of what is drawn: of a point, on its ball. Raises MosaicError for what is no tomogram, and where no object has a
    material that can be coloured.
    """
    group = group_of(box)
    worn = 0
    for obj in objects:
        material = material_of(obj)
        tree = material.node_tree if material is not None else None
        surface = tree.nodes.get(SURFACE) if tree is not None else None
        if tree is None or surface is None:
            continue
        color = tuple(surface.inputs["Color"].default_value)
        uncolor_tree(tree)
        program = NodeProgram(tree)
        looked = program.node("ShaderNodeGroup", node_tree=group, name=DENSITY, width=200)
        program.connect(offset, looked.inputs["Offset"])
        here = program.node("ShaderNodeMix", "In the tomogram?", name=WHERE, data_type="RGBA")
        for name, value in (("Factor", looked.outputs["Seen"]), ("A", color), ("B", looked.outputs["Color"])):
            program.connect(value, socket_named(here.inputs, name))
        program.connect(socket_named(here.outputs, "Result"), surface.inputs["Color"])
        for node, left in ((here, 240), (looked, 480)):
            node.location = (surface.location.x - left, surface.location.y)
        worn += 1
    if not worn:
        raise MosaicError("None of the objects has a material that could show a tomogram.")
    return worn


def worn_by(obj: bpy.types.Object) -> tuple[bpy.types.Object, float] | None:
    """Return the tomogram whose density an object shows, and how far from its surface; None for none."""
    material = material_of(obj)
    node = material.node_tree.nodes.get(DENSITY) if material is not None and material.node_tree is not None else None
    tree = getattr(node, "node_tree", None)
    if node is None or tree is None:
        return None
    box = next((each for each in bpy.data.objects if TOMOGRAM_NODES.read(each) == tree), None)
    return None if box is None else (box, float(node.inputs["Offset"].default_value))


def keep_density(
    objects: Iterable[bpy.types.Object], box: bpy.types.Object, name: str = "density", offset: float = 0.0
) -> int:
    """Keep the density at the points of objects as a vertex property, which a session holds. Returns of how many.

    offset: how far along the points' normals it is looked up, in angstrom; points without normals are taken as they
    are. Outside of the tomogram it is NaN. Raises MosaicError for what is no tomogram, without any points, and for a
    name that a vertex property of one of the objects has, with nothing changed.
    """
    volume, values = volume_of(box), values_of_tomogram(box)
    objects = list(objects)
    if name != unused_name(objects, name):
        raise MosaicError(f"There is a vertex property {name!r} already; choose another name.")
    kept = 0
    for obj in objects:
        data = points_of(obj)
        points = None if data is None else read_attribute(data, "position")
        if data is None or points is None or not len(points):
            continue
        matrix = _to_box(obj, box)
        places = points.astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
        normals = _normals(data) if offset else None
        if normals is not None:
            along = normals @ np.linalg.inv(matrix[:3, :3])
            lengths = np.linalg.norm(along, axis=1, keepdims=True)
            places += along / np.where(lengths > 0, lengths, 1) * offset
        add_column(data, name, interpolate(values, (places - volume.start) / volume.voxel_size))
        note_columns([obj])
        kept += 1
    if not kept:
        raise MosaicError("None of the objects has points at which density could be looked up.")
    return kept


def unused_name(objects: Iterable[bpy.types.Object], name: str) -> str:
    """Return a name, with a number where a vertex property of some objects has it already."""
    taken = {column for obj in objects if (data := points_of(obj)) is not None for column in column_attributes(data)}
    number, unused = 1, name
    while unused in taken:
        number += 1
        unused = f"{name} {number}"
    return unused


def _to_box(obj: bpy.types.Object, box: bpy.types.Object) -> NDArray[np.float64]:
    """The matrix, (4, 4), from an object's own coordinates to those of a tomogram's box."""
    root = root_above(box)
    own, there = (to_session(each, root) for each in (obj, box))
    matrix = np.eye(4) if own is None else own
    return matrix if there is None else np.linalg.inv(there) @ matrix


def _normals(data: PointData) -> NDArray[np.float64] | None:
    """The outward normals, (n, 3), of points or vertices; None where there are none."""
    stored = read_attribute(data, NORMALS)
    if stored is not None and stored.shape == (len(data.attributes["position"].data), 3):  # type: ignore[attr-defined]
        return stored.astype(np.float64)
    if not isinstance(data, bpy.types.Mesh):
        return None
    normals = np.empty(len(data.vertices) * 3, np.float32)
    data.vertices.foreach_get("normal", normals)
    return normals.reshape(-1, 3).astype(np.float64)
