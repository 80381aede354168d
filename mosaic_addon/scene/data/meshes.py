"""Triangle meshes <-> Blender meshes, with the normals of the session."""

from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ...session.session import Mesh
from ..compat import values_of
from .attributes import buffer_of, write_attribute
from .exact_bits import is_nearest, write_bits

CUSTOM_NORMAL = "custom_normal"  # the attribute that Blender shades by


def new_mesh(
    name: str, vertices: NDArray[Any], triangles: NDArray[np.int32], normals: NDArray[Any] | None = None
) -> bpy.types.Mesh:
    """Make a mesh, smoothly shaded.

    vertices: (n, 3) angstrom. triangles: (m, 3), which must lie in range: others crash Blender. normals: (n, 3)
    directions to shade by, of any length; where there are none, or one has no direction, those of the triangles count.
    """
    mesh = bpy.data.meshes.new(name)
    fill_mesh(mesh, vertices, triangles, normals)
    return mesh


def fill_mesh(
    mesh: bpy.types.Mesh, vertices: NDArray[Any], triangles: NDArray[np.int32], normals: NDArray[Any] | None = None
) -> None:
    """Replace the shape of a mesh.

    vertices: (n, 3) angstrom. triangles: (m, 3), which must lie in range: others crash Blender. normals: (n, 3)
    directions to shade by, of any length; where there are none, or one has no direction, those of the triangles count.
    """
    fill_faces(mesh, vertices, triangles, np.arange(0, triangles.size, 3, dtype=np.int32))
    if normals is not None and len(triangles):
        write_attribute(mesh, CUSTOM_NORMAL, "FLOAT_VECTOR", _unit(normals, vertices, triangles))


def fill_faces(
    mesh: bpy.types.Mesh,
    vertices: NDArray[Any],
    corners: NDArray[np.int32],
    starts: NDArray[np.int32],
    edges: NDArray[np.int32] | None = None,
    corner_edges: NDArray[np.int32] | None = None,
) -> None:
    """Replace the shape of a mesh by faces of any number of corners. Numbers out of range crash Blender.

    vertices: (n, 3) angstrom. corners: of all faces, indices of vertices. starts: the first corner of each face.
    edges: (e, 2) indices of vertices, and corner_edges the edge from each corner to the next of its face; without them
    Blender looks for the edges, which takes most of the time.
    """
    mesh.clear_geometry()
    if len(vertices):
        mesh.vertices.add(len(vertices))
        values_of(mesh.attributes["position"]).foreach_set("vector", buffer_of(vertices, np.float32))
    if len(starts):
        mesh.loops.add(corners.size)
        mesh.polygons.add(len(starts))
        values_of(mesh.attributes[".corner_vert"]).foreach_set("value", buffer_of(corners, np.int32))
        mesh.polygons.foreach_set("loop_start", starts)
    if edges is not None and corner_edges is not None and len(edges):
        mesh.edges.add(len(edges))
        values_of(mesh.attributes[".edge_verts"]).foreach_set("value", buffer_of(edges, np.int32))
        values_of(mesh.attributes[".corner_edge"]).foreach_set("value", buffer_of(corner_edges, np.int32))
    mesh.update(calc_edges=edges is None)


ORIGINAL = ".vertices"  # hidden: where the vertices were in the session, to tell moved ones
VERTEX_NORMALS = "vertex_normals"


def write_original(mesh: bpy.types.Mesh, model: Mesh, points: NDArray[Any], normals: NDArray[Any] | None) -> None:
    """Store what the session says of a mesh's vertices and the mesh does not show.

    model: the mesh in the session. points, normals: (n, 3), those of its geometry, which are drawn.
    """
    write_attribute(mesh, ORIGINAL, "FLOAT_VECTOR", points)
    if holds_vertices(model, points):
        write_bits(mesh, "vertices", model.vertices)
    if model.vertex_normals is not None and holds_vertex_normals(model, normals):
        write_bits(mesh, VERTEX_NORMALS, model.vertex_normals)


def holds_vertices(mesh: Mesh, points: NDArray[Any]) -> bool:
    """Return whether a mesh's vertices are the points, (n, 3), in single precision."""
    return is_nearest(mesh.vertices, np.asarray(points, np.float32))


def holds_vertex_normals(mesh: Mesh, normals: NDArray[Any] | None) -> bool:
    """Return whether a mesh's vertices have these normals, (n, 3), in single precision."""
    own = mesh.vertex_normals
    return own is not None and normals is not None and is_nearest(own, np.asarray(normals, np.float32))


def _unit(normals: NDArray[Any], vertices: NDArray[Any], triangles: NDArray[np.int32]) -> NDArray[Any]:
    """Return normals of length 1, which Blender relies on; where one has no direction, that of the triangles."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        squares = np.einsum("ij,ij->i", normals, normals)
        if (np.abs(squares - 1) < 1e-5).all():
            return normals
        units = normals / np.sqrt(squares)[:, None]
        bad = ~np.isfinite(units).all(axis=1)
        if bad.any():
            # Not Blender's own: 5.2 keeps normals that were read once, whatever the attribute says afterwards.
            a, b, c = vertices.astype(np.float64)[triangles].transpose(1, 0, 2)
            around = np.zeros((len(vertices), 3))
            np.add.at(around, triangles, np.cross(b - a, c - a)[:, None, :])
            own = around / np.linalg.norm(around, axis=1, keepdims=True)
            units[bad] = np.where(np.isfinite(own), own, (0, 0, 1))[bad]
    return units
