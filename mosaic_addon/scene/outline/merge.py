"""Merge objects into one, as Mosaic does: point clouds, meshes, or the copies of one volume."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ...session.errors import MosaicError
from ...session.move_models import turned_normals
from ..compat import PointCloudFactory, values_of
from ..data.attributes import KINDS, NORMALS, QUATERNIONS, Kind, PointData, buffer_of, fill, points_of, read_attribute
from ..data.exact_bits import holds_all
from ..data.meshes import CUSTOM_NORMAL
from ..data.placement import applied_of, to_session, turn_of
from ..data.vertex_properties import column_attributes, note_columns, read_columns, share_all_texts, write_columns
from ..drawing.membranes import has_membrane, make_membrane
from ..drawing.representations import MESH, POINTS, VOLUME, group_of, input_of
from ..keys import COLUMNS, SAMPLING_RATE, UUID
from .duplicate import remove
from .tree import name_of

Array = NDArray[Any]
MERGEABLE = (POINTS, MESH, VOLUME)


@dataclass(slots=True)
class Merged:
    """The outcome of a merge: the object that is left, and the names of what it lacks.

    left_out: vertex properties and attributes that not all of the merged objects had.
    """

    object: bpy.types.Object
    left_out: list[str]


def why_not_merged(objects: Sequence[bpy.types.Object]) -> str:
    """Return a sentence why objects cannot be merged, "" where they can."""
    if len(objects) < 2:
        return "Choose at least two objects to merge."
    groups = {group_of(obj) for obj in objects}
    if len(groups) > 1 or len({type(obj.data) for obj in objects}) > 1:
        return "Only objects of one kind can be merged: choose point clouds alone, or meshes alone."
    if not groups <= set(MERGEABLE):
        return "Fits, segmentations and trajectories cannot be merged: choose point clouds or meshes."
    if groups == {VOLUME} and len({input_of(obj, "Surface") for obj in objects}) > 1:
        return "Volumes can be merged only where all are copies of the same one."
    return ""


def merge(objects: Sequence[bpy.types.Object], root: bpy.types.Object | None) -> Merged:
    """Give the first of the objects the points or faces of all, where they stand, and remove the others.

    The first keeps its name, appearance and other properties; its sampling rate becomes the coarsest of all, as in
    Mosaic. Points keep what those of all objects have: normals, quaternions, vertex properties and other attributes.
    root: of the session. Raises MosaicError, with nothing changed, for objects that cannot be merged.
    """
    reason = why_not_merged(objects)
    if reason:
        raise MosaicError(reason)
    first, *others = objects
    matrices = _to_first(objects, root)
    all_data = [data for obj in objects if (data := points_of(obj)) is not None]
    old = all_data[0]
    data = _merged_data(all_data, matrices)
    left_out = _merge_attributes(data, all_data, matrices)
    columns, lost = _merged_columns(all_data)
    left_out += lost + write_columns(data, columns)
    share_all_texts((old, data))
    for key, value in old.items():
        if key != COLUMNS:
            data[key] = value
    data.materials.append(None)  # the slot that the object fills
    name = old.name
    rates = [rate for obj in objects if (rate := SAMPLING_RATE.read(obj)) is not None]
    first.data = data
    note_columns([first])
    first[UUID] = str(uuid.uuid4())
    if rates:
        first[SAMPLING_RATE] = np.max(rates, axis=0).tolist()
    if has_membrane(first):
        make_membrane(first, keeps_thickness=True)
    remove(others)
    if not old.users:
        bpy.data.batch_remove([old])
    data.name = name
    return Merged(first, sorted(set(left_out)))


def _to_first(objects: Sequence[bpy.types.Object], root: bpy.types.Object | None) -> list[NDArray[np.float64] | None]:
    """The (4, 4) matrix of each object from its coordinates to those of the first, None where they are the same.

    Raises MosaicError where the first object is scaled to nothing.
    """
    applied = applied_of(root) if root is not None else None
    matrices = [to_session(obj, root, applied) for obj in objects]
    own = np.eye(4) if matrices[0] is None else matrices[0]
    if not np.linalg.det(own[:3, :3]):
        raise MosaicError(f"{name_of(objects[0])!r} is scaled to nothing, so that others cannot be merged into it.")
    relative: list[Any] = []
    for matrix in matrices:
        full = np.eye(4) if matrix is None else matrix
        relative.append(None if np.array_equal(full, own) else np.linalg.solve(own, full))
    return relative


# --- data ------------------------------------------------------------------------------------------------------------


def _merged_data(all_data: Sequence[PointData], matrices: Sequence[NDArray[np.float64] | None]) -> PointData:
    """A mesh or point cloud of all points or faces. matrices: for each data to their common coordinates."""
    positions = _positions(all_data, matrices)
    meshes = [data for data in all_data if isinstance(data, bpy.types.Mesh)]
    if meshes:
        return _merged_mesh(meshes, positions)
    with PointCloudFactory() as factory:
        return factory.new("Merged", len(positions), lambda items: fill(items, "FLOAT_VECTOR", positions))


def _merged_mesh(meshes: Sequence[bpy.types.Mesh], positions: Array) -> bpy.types.Mesh:
    """A mesh of the faces of all. positions: of all their vertices, (n, 3) float32."""
    vertices = _starts([len(mesh.vertices) for mesh in meshes])
    edges = _starts([len(mesh.edges) for mesh in meshes])
    loops = _starts([len(mesh.loops) for mesh in meshes])
    merged = bpy.data.meshes.new("Merged")
    merged.vertices.add(len(positions))
    merged.edges.add(sum(len(mesh.edges) for mesh in meshes))
    merged.loops.add(sum(len(mesh.loops) for mesh in meshes))
    merged.polygons.add(sum(len(mesh.polygons) for mesh in meshes))
    for parts, key, width, offsets in (
        ("edges", "vertices", 2, vertices),
        ("loops", "vertex_index", 1, vertices),
        ("loops", "edge_index", 1, edges),
        ("polygons", "loop_start", 1, loops),
    ):
        numbers = []
        for mesh, offset in zip(meshes, offsets, strict=True):
            values = np.empty(len(getattr(mesh, parts)) * width, np.int32)
            getattr(mesh, parts).foreach_get(key, values)
            numbers.append(values + np.int32(offset))
        if sum(map(len, numbers)):
            getattr(merged, parts).foreach_set(key, np.concatenate(numbers))
    if len(positions):
        values_of(merged.attributes["position"]).foreach_set("vector", buffer_of(positions, np.float32))
    merged.update()
    return merged


def _starts(counts: Sequence[int]) -> list[int]:
    """The number of elements before each part, from how many each part has."""
    return [0, *np.cumsum(counts).tolist()[:-1]]


def _positions(all_data: Sequence[PointData], matrices: Sequence[NDArray[np.float64] | None]) -> Array:
    """The positions of all points, moved, (n, 3) float32."""
    parts = []
    for data, matrix in zip(all_data, matrices, strict=True):
        points = read_attribute(data, "position")
        if points is None:  # a cloud without points
            continue
        parts.append(points if matrix is None else points @ matrix[:3, :3].T + matrix[:3, 3])
    return np.concatenate(parts).astype(np.float32, copy=False) if parts else np.empty((0, 3), np.float32)


# --- what points and faces carry -------------------------------------------------------------------------------------


def _merged_columns(all_data: Sequence[PointData]) -> tuple[dict[str, Array], list[str]]:
    """The vertex properties that all data have, those of one after those of the other, and the names of the rest."""
    tables = [read_columns(data) for data in all_data if data.attributes.domain_size("POINT")]
    names = list(dict.fromkeys(name for table in tables for name in table))
    merged, left_out = {}, []
    for name in names:
        parts = [table[name] for table in tables if name in table]
        text = {part.dtype.kind in "US" for part in parts}
        shapes = {part.shape[1:] for part in parts}
        if len(parts) == len(tables) and len(text) == len(shapes) == 1:
            merged[name] = _concatenated(parts)
        else:
            left_out.append(name)
    return merged, left_out


def _concatenated(parts: Sequence[Array]) -> Array:
    """The parts in a row. Whole numbers of different kinds, which numpy would make floats, stay whole."""
    if {part.dtype.kind for part in parts} == {"i", "u"}:
        for dtype in (np.dtype(np.int64), np.dtype(np.uint64)):
            if np.result_type(*parts).kind == "f" and all(holds_all(part, dtype) for part in parts):
                return np.concatenate([part.astype(dtype) for part in parts])
    return np.concatenate(parts)


def _merge_attributes(
    merged: PointData, all_data: Sequence[PointData], matrices: Sequence[NDArray[np.float64] | None]
) -> list[str]:
    """Store the attributes other than vertex properties that all data have. Returns the names of the rest."""
    full = [
        (data, matrix) for data, matrix in zip(all_data, matrices, strict=True) if data.attributes.domain_size("POINT")
    ]
    of_columns = {name for data, _ in full for names in column_attributes(data).values() for name in names}
    found: dict[str, list[tuple[Kind, Any]]] = {}
    for data, _ in full:
        for attribute in data.attributes:
            if not (attribute.name.startswith(".") or attribute.is_required or attribute.name in of_columns):
                found.setdefault(attribute.name, []).append((attribute.data_type, attribute.domain))
    left_out = []
    for name, kinds in found.items():
        kind, domain = kinds[0]
        if len(kinds) < len(full) or len(set(kinds)) > 1 or kind not in KINDS:
            left_out.append(name)
            continue
        key, width, dtype = KINDS[kind]
        parts = []
        for data, matrix in full:
            stored = values_of(data.attributes[name])
            values = np.empty(len(stored) * width, dtype)
            stored.foreach_get(key, values)
            parts.append(values if matrix is None else _turned(name, values, matrix))
        attribute = merged.attributes.new(name, kind, domain)
        if attribute is not None and attribute.name == name:
            values_of(attribute).foreach_set(key, buffer_of(np.concatenate(parts), dtype))
    return left_out


def _turned(name: str, values: Array, matrix: NDArray[np.float64]) -> Array:
    """The values of an attribute, flat, once its points are moved: normals and quaternions turn, others stay."""
    if name in (NORMALS, CUSTOM_NORMAL):
        turned = turned_normals(values.reshape(-1, 3), matrix)
        length = np.linalg.norm(turned, axis=1, keepdims=True)
        return np.divide(turned, length, out=turned, where=length > 0).astype(np.float32).reshape(-1)
    if name == QUATERNIONS:
        w, x, y, z = turn_of(matrix)
        left = np.array([[w, -x, -y, -z], [x, w, -z, y], [y, z, w, -x], [z, -y, x, w]])
        return (values.reshape(-1, 4) @ left.T).astype(np.float32).reshape(-1)
    return values
