"""What Blender draws of an object after its modifiers: every part with its place and materials, in angstrom."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Part:
    """One mesh or cloud that is drawn, in the coordinates of its object.

    points: (n, 3). faces: (m, 3 or more) indices, only of meshes whose faces have equally many corners. materials: the names
    of what each face, or the whole cloud, is drawn with. radii: (n,) of a cloud.
    """

    points: np.ndarray
    matrix: np.ndarray
    materials: list[str]
    corners: list[list[int]]
    radii: np.ndarray | None

    @property
    def is_cloud(self) -> bool:
        return self.radii is not None

    def points_with(self, material: str) -> np.ndarray:
        """The corners of the faces of one material."""
        found = [corner for name, face in zip(self.materials, self.corners) if name == material for corner in face]
        return self.points[sorted(set(found))]


def parts_of(bpy: ModuleType, obj: Any) -> list[Part]:
    """All that is drawn of `thing`, what is empty left out."""
    obj.update_tag()
    bpy.context.view_layer.update()
    graph = bpy.context.evaluated_depsgraph_get()
    own = np.linalg.inv(np.array(obj.matrix_world, np.float64))
    parts = []
    for instance in graph.object_instances:  # each is valid during its turn alone
        if (instance.parent or instance.object).original != obj:
            continue
        matrix = own @ np.array(instance.matrix_world, np.float64)
        part = _part(instance.object, matrix)
        if len(part.points):
            parts.append(part)
    return parts


def _part(drawn: Any, matrix: np.ndarray) -> Part:
    data = drawn.data
    # Without a slot of its own a renderer draws it grey, though the object has a material.
    slots = [slot.material.name if slot.material else "" for slot in drawn.material_slots] if data.materials else []
    points = _floats(data, "position", "vector", 3)
    placed = points @ matrix[:3, :3].T + matrix[:3, 3]
    if drawn.type == "POINTCLOUD":
        radii = _floats(data, "radius", "value", 1)[:, 0] * np.linalg.norm(matrix[:3, 0])
        return Part(placed, matrix, slots[:1] or ["none at all"], [], radii)
    assert drawn.type == "MESH", drawn.type
    names = slots or ["none at all"]
    materials = [names[min(face.material_index, len(names) - 1)] for face in data.polygons]
    return Part(placed, matrix, materials, [list(face.vertices) for face in data.polygons], None)


def _floats(data: Any, name: str, field: str, width: int) -> np.ndarray:
    attribute = data.attributes.get(name)
    if attribute is None:
        return np.zeros((0, width))
    values = np.empty(len(attribute.data) * width, np.float32)
    attribute.data.foreach_get(field, values)
    return values.reshape(-1, width).astype(np.float64)


def rotated(quaternion: Any, vector: Any) -> np.ndarray:
    """The vector under the active rotation of a quaternion (w, x, y, z) of any length; zero turns nothing."""
    w, x, y, z = np.asarray(quaternion, np.float64)
    length = np.sqrt(w * w + x * x + y * y + z * z)
    if length == 0:
        return np.asarray(vector, np.float64)
    w, axis = w / length, np.array([x, y, z]) / length
    vector = np.asarray(vector, np.float64)
    return vector + 2 * np.cross(axis, np.cross(axis, vector) + w * vector)
