"""Trajectories: each frame is a mesh in the .blend, and Geometry Nodes pick one by the scene frame."""

import json
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ...session.session import Frame, Geometry
from ..data.attributes import NORMALS, write_attribute
from ..data.checksums import checksum
from ..data.custom_properties import clean_text
from ..data.exact_bits import write_bits
from ..data.meshes import VERTEX_NORMALS, new_mesh
from ..data.vertex_properties import column_checksums, write_columns
from ..keys import FILENAME, STEP, STEP_SUMS
from .coloring import write_vertex_colors
from .parts import new_part

SUMS_VERSION = 1


def new_frames(name: str, frames: list[Frame]) -> bpy.types.Collection:
    """Make a collection, in no scene, with an object for each frame. The order of their names is that of the frames."""
    collection = bpy.data.collections.new(name)
    stem = name.encode()[:40].decode("utf-8", "ignore")  # so short that Blender cuts nothing of the number
    for number, frame in enumerate(frames):
        label = f"{stem} {number:05d}"
        mesh = new_mesh(label, frame.mesh.vertices, frame.mesh.triangles, frame.mesh.vertex_normals)
        if len(frame.mesh.vertices):
            write_bits(mesh, "vertices", frame.mesh.vertices)
            if frame.mesh.vertex_normals is not None:
                write_attribute(mesh, NORMALS, "FLOAT_VECTOR", frame.mesh.vertex_normals)
                write_bits(mesh, VERTEX_NORMALS, frame.mesh.vertex_normals)
        mesh[STEP] = number
        positions = frame.mesh.vertices.astype(np.float32)
        mesh[STEP_SUMS] = frame_sums(positions, frame.mesh.triangles, column_checksums(frame.vertex_properties))
        mesh[FILENAME] = clean_text(frame.filename)
        mesh.materials.append(None)  # the slot that the material of the trajectory's object fills
        write_columns(mesh, frame.vertex_properties)
        if frame.mesh.vertex_colors is not None and len(frame.mesh.vertices):
            write_vertex_colors(mesh, frame.mesh.vertex_colors)
        collection.objects.link(new_part(label, mesh))
    return collection


def frame_sums(positions: NDArray[np.float32], triangles: NDArray[np.int32], columns: dict[str, int]) -> str:
    """Return counts and check sums of a frame, as JSON: other ones once it was edited.

    positions: (n, 3). triangles: (m, 3). columns: the check sums of its vertex properties by their names.
    """
    sums = {
        "vertices": [len(positions), checksum(positions)],
        "triangles": [len(triangles), checksum(triangles)],
        "columns": columns,
    }
    return json.dumps({"version": SUMS_VERSION} | sums)


def frame_note(mesh: bpy.types.Mesh | None) -> dict[str, Any]:
    """Return what `frame_sums` said of a frame at import; nothing for one that is missing or says no such thing."""
    try:
        note = json.loads(STEP_SUMS.read(mesh) or "{}") if mesh is not None else {}
    except (ValueError, RecursionError):
        note = {}
    return note if isinstance(note, dict) else {}


def saved_frame(geometry: Geometry) -> int:
    """Return the number of the frame that a trajectory showed when it was saved; 0 if that cannot be told.

    It is told by the points: Mosaic stores no number, and the file name of a frame need not be unique.
    """
    for number, frame in enumerate(geometry.frames or ()):
        vertices = frame.mesh.vertices
        if vertices.shape == geometry.points.shape and np.array_equal(vertices.astype(np.float32), geometry.points):
            return number
    return 0
