"""Meshes of the surfaces that volumes, segmentations, fits, trajectories and membranes show.

Blender's own Convert knows the points of such an object alone: its surface is made by Geometry Nodes of another one.
"""

from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ...session.errors import MosaicError
from ..data.custom_properties import clean_text
from ..data.meshes import new_mesh
from ..drawing.materials import material_of
from ..drawing.node_tree import NodeProgram
from ..drawing.representations import (
    FIT,
    FITTED_SURFACE,
    LABELS,
    MEMBRANE_SURFACE,
    MESH,
    SEGMENTATION,
    TRAJECTORY,
    VOLUME,
    RepresentationFactory,
    group_of,
    input_of,
    modifier_of,
    representation_of,
    set_inputs,
)
from ..keys import CLASS, MODEL, NAME, SAMPLING_RATE, SHOWN
from .arrange import Tree, trees_of
from .naming import note_name
from .tree import container_of, name_of, session_of

SURFACES = {VOLUME: "volume", SEGMENTATION: "segmentation", FIT: FITTED_SURFACE, TRAJECTORY: "surface"}
REALIZE = "Mosaic Realize"


def surface_of(obj: bpy.types.Object) -> str | None:
    """Return the representation by which an object shows a surface beside its own data; None where it has none."""
    if representation_of(obj) == MEMBRANE_SURFACE:
        return MEMBRANE_SURFACE
    return SURFACES.get(group_of(obj) or "")


def surface_to_mesh(obj: bpy.types.Object, scene: bpy.types.Scene, layer: bpy.types.ViewLayer) -> bpy.types.Object:
    """Make a mesh of the surface of an object, as it is at this frame, where it stands, among the models.

    Raises MosaicError for an object without one, and for a session that cannot be changed.
    """
    session = session_of(obj, scene)
    models = container_of(session, "models") if session is not None else None
    if models is None:
        raise MosaicError(f"{name_of(obj)!r} belongs to no session that has a collection for models.")
    trees_of([obj, *models.all_objects])  # raises an error where they cannot be changed
    drawn = surface_of(obj)
    if drawn is None:
        raise MosaicError(
            f"{name_of(obj)!r} has no surface beside its own data; volumes, segmentations, fits and trajectories have, "
            "and clusters that are shown as Membrane Surface."
        )
    vertices, triangles = _shape_as(obj, drawn, scene, layer)
    if not len(triangles):
        raise MosaicError(f"{name_of(obj)!r} has no surface to make a mesh of.")
    name = f"{name_of(obj)} Mesh"
    data = new_mesh(clean_text(name), vertices, triangles)
    data.materials.append(None)  # the slot that the object fills
    made = bpy.data.objects.new(clean_text(name), data)
    made[NAME] = clean_text(name)
    note_name(made, SHOWN, clean_text(name), made.name)
    made[CLASS], made[MODEL] = "Geometry", "TriangularMesh"
    SAMPLING_RATE.copy(obj, made)
    made.parent = obj.parent
    made.matrix_parent_inverse = obj.matrix_parent_inverse
    made.matrix_basis = obj.matrix_basis
    material = material_of(obj)
    if material is not None:
        made.material_slots[0].link = "OBJECT"
        made.material_slots[0].material = material.copy()
    made.color = obj.color
    RepresentationFactory().add(made, MESH, "surface", {"Pixel Size": input_of(obj, "Pixel Size")})
    tree = Tree(models)
    tree.items.append(made)
    tree.write()
    return made


def _shape_as(
    obj: bpy.types.Object, representation: str, scene: bpy.types.Scene, layer: bpy.types.ViewLayer
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return the vertices, (n, 3), and triangles, (m, 3), of an object drawn as a surface, as its data lie."""
    group = bpy.data.node_groups.new(REALIZE, "GeometryNodeTree")
    program = NodeProgram(group)
    program.input("Geometry", "Geometry")
    program.output("Geometry", "Geometry")
    start = program.node("NodeGroupInput").outputs
    real = program.node("GeometryNodeRealizeInstances", inputs={"Geometry": start[0]})
    program.node("NodeGroupOutput", inputs={"Geometry": real.outputs[0]})
    copy = obj.copy()
    try:
        copy.hide_viewport = False  # what is hidden is not evaluated
        set_inputs([copy], {"Representation": LABELS[representation], "Viewport Amount": 1.0})
        drawing: Any = modifier_of(copy)
        drawing.show_viewport = True
        modifier: Any = copy.modifiers.new(REALIZE, "NODES")
        modifier.node_group = group
        scene.collection.objects.link(copy)
        layer.update()
        geometry = copy.evaluated_get(layer.depsgraph).evaluated_geometry()  # which owns the mesh
        return _shape_of(geometry.mesh)
    finally:
        bpy.data.objects.remove(copy)
        bpy.data.node_groups.remove(group)


def _shape_of(mesh: bpy.types.Mesh | None) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    if mesh is None:
        return np.empty((0, 3), np.float32), np.empty((0, 3), np.int32)
    mesh.calc_loop_triangles()
    vertices, triangles = np.empty(3 * len(mesh.vertices), np.float32), np.empty(3 * len(mesh.loop_triangles), np.int32)
    mesh.vertices.foreach_get("co", vertices)
    mesh.loop_triangles.foreach_get("vertices", triangles)
    return vertices.reshape(-1, 3), triangles.reshape(-1, 3)
