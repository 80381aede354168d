"""Membrane Surface: a smooth surface around a cluster's points, made when it is first asked for.

The surface is an object of its own in no scene, as those of volumes are. It keeps to what the points were when it was
made; thickness and smoothing are inputs of the object's modifier. Nothing of it gets into a session.
"""

from collections.abc import Iterable

import bpy
import numpy as np

from ..data.attributes import points_of, read_attribute, write_attribute
from ..data.meshes import fill_mesh
from ..data.vertex_properties import column_attributes
from ..keys import MEMBRANE_GRID, SAMPLING_RATE
from ..shapes.membrane import membrane_surface
from .coloring import carry_to_surfaces, coloring_of
from .filters import filter_of, order_filter
from .parts import new_surface
from .representations import MEMBRANE_SURFACE, OFFERED, group_of, input_of, set_inputs, set_representation


def draw_as(
    objects: Iterable[bpy.types.Object], representation: str
) -> tuple[list[bpy.types.Object], dict[bpy.types.Object, str]]:
    """Switch objects to a representation, and make the surface that Membrane Surface needs where there is none yet.

    Returns the objects whose kind of data lacks the representation, and those of which no surface can be made, each
    with a sentence why; both stay as they are.
    """
    chosen, troubles = list(objects), {}
    if representation == MEMBRANE_SURFACE:
        for obj in chosen:
            if MEMBRANE_SURFACE in OFFERED.get(group_of(obj) or "", ()) and not has_membrane(obj):
                trouble = make_membrane(obj)
                if trouble:
                    troubles[obj] = trouble
    passed = set_representation([obj for obj in chosen if obj not in troubles], representation)
    for obj in chosen:
        order_filter(obj)
    return passed, troubles


def has_membrane(obj: bpy.types.Object) -> bool:
    """Return whether the surface of Membrane Surface was made for an object."""
    return input_of(obj, "Membrane") is not None


def make_membrane(obj: bpy.types.Object, *, keeps_thickness: bool = False) -> str:
    """Make the surface around an object's points, in the place of an older one.

    keeps_thickness: leave the thickness that the modifier has; otherwise it becomes that of the points. Returns "" where
    a surface was made, else a sentence why there is none, and then leaves the older one.
    """
    data = points_of(obj)
    points = read_attribute(data, "position") if data is not None else None
    rate = SAMPLING_RATE.read(obj)
    membrane = membrane_surface(np.empty((0, 3)) if points is None else points, (1.0,) if rate is None else rate)
    shape = membrane.surface
    if shape.reason:
        return f"{obj.name}: {shape.reason}"
    mesh = bpy.data.meshes.new(f"{obj.name} Membrane")
    mesh.materials.append(None)  # the slot that the object's material fills
    fill_mesh(mesh, shape.vertices, shape.triangles)
    grid = np.tile(np.array((membrane.size, membrane.thickness), np.float32), (len(shape.vertices), 1))
    write_attribute(mesh, MEMBRANE_GRID, "FLOAT2", grid)
    old = input_of(obj, "Membrane")
    thickness = {} if keeps_thickness else {"Thickness": membrane.own}
    set_inputs([obj], {"Membrane": new_surface(mesh.name, mesh), **thickness})
    if old is not None and not old.users:  # others may show it, too
        was = old.data
        bpy.data.objects.remove(old)
        if not was.users:
            bpy.data.batch_remove([was])
    if data is not None:
        columns = column_attributes(data)
        shown = [each.property for each in (coloring_of(obj), filter_of(obj)) if each is not None]
        carry_to_surfaces(obj, [name for property in shown for name in columns.get(property, ())])
    return ""
