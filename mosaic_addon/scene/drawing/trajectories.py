"""Trajectories: every step a mesh in the .blend, which Geometry Nodes pick by the scene's frame."""

import bpy
import numpy as np
from numpy.typing import NDArray

from ...session.session import Frame, Geometry
from ..data.attributes import NORMALS, write_attribute
from ..data.custom_properties import clean_text
from ..data.exact_bits import write_bits
from ..data.meshes import VERTEX_NORMALS, new_mesh
from ..data.vertex_properties import write_columns
from ..keys import FILENAME
from ..record import sum_of_bits, sum_of_columns
from .coloring import write_vertex_colors

STEP = "mosaic_step"  # custom property of a step's mesh: its number
STEP_SUM = "mosaic_step_sum"  # and `shape_sum` of it as it was imported
STEP_COLUMNS_SUM = "mosaic_step_columns_sum"  # and `sum_of_columns`


def new_frames(name: str, frames: list[Frame]) -> bpy.types.Collection:
    """A collection, in no scene, with an object for each step. Their names sort as the steps follow each other."""
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
        mesh[STEP_SUM] = shape_sum(frame.mesh.vertices.astype(np.float32), frame.mesh.triangles)
        mesh[STEP_COLUMNS_SUM] = str(sum_of_columns(frame.vertex_properties))
        mesh[FILENAME] = clean_text(frame.filename)
        mesh.materials.append(None)  # the slot that the material of the trajectory's object fills
        write_columns(mesh, frame.vertex_properties)
        if frame.mesh.vertex_colors is not None and len(frame.mesh.vertices):
            write_vertex_colors(mesh, frame.mesh.vertex_colors)
        collection.objects.link(bpy.data.objects.new(label, mesh))
    return collection


def shape_sum(positions: NDArray[np.float32], triangles: NDArray[np.int32], ordered: bool = True) -> str:
    """By which an edit of a mesh is noticed. ordered: as of `sum_of_bits`."""
    sums = sum_of_bits(positions, ordered), sum_of_bits(triangles, ordered)
    return f"{len(positions)} {sums[0]} {len(triangles)} {sums[1]}"


def saved_step(geometry: Geometry) -> int:
    """The number of the step that a trajectory showed when it was saved, told by its points; 0 if none has them.

    Mosaic stores no number, and the file name of a step need not be unique.
    """
    for number, frame in enumerate(geometry.frames or ()):
        vertices = frame.mesh.vertices
        if vertices.shape == geometry.points.shape and np.array_equal(vertices.astype(np.float32), geometry.points):
            return number
    return 0
