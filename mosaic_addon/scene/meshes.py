"""Triangle meshes <-> Blender meshes, with Mosaic's own normals."""

from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from .attributes import buffer_of, write_attribute

CUSTOM_NORMAL = "custom_normal"  # the attribute that Blender shades by


def new_mesh(
    name: str, vertices: NDArray[Any], triangles: NDArray[np.int32], normals: NDArray[Any] | None = None
) -> bpy.types.Mesh:
    """A mesh, smoothly shaded.

    vertices: (n, 3) angstrom. triangles: (m, 3), already checked to lie in range, as Blender does not. normals: (n, 3) unit
    vectors to shade by; without them Blender computes its own.
    """
    mesh = bpy.data.meshes.new(name)
    if len(vertices):
        mesh.vertices.add(len(vertices))
        mesh.attributes["position"].data.foreach_set("vector", buffer_of(vertices, np.float32))
    if len(triangles):
        mesh.loops.add(triangles.size)
        mesh.polygons.add(len(triangles))
        mesh.attributes[".corner_vert"].data.foreach_set("value", buffer_of(triangles, np.int32))
        mesh.polygons.foreach_set("loop_start", np.arange(0, triangles.size, 3, dtype=np.int32))
    mesh.update(calc_edges=True)
    if normals is not None and len(triangles):
        write_attribute(mesh, CUSTOM_NORMAL, "FLOAT_VECTOR", normals)
    return mesh
