"""Meshes and points that exist only while a session is written: of curves, and of what modifiers make."""

import bpy

from ..data.attributes import PointData
from ..data.custom_properties import has
from ..drawing.filters import is_for_view
from ..drawing.representations import modifier_of
from ..keys import COLUMNS


class Temporaries:
    """The datablocks that were made for one save."""

    def __init__(self) -> None:
        self._made: list[PointData] = []

    def copy_of(self, mesh: bpy.types.Mesh) -> bpy.types.Mesh:
        """Copy a mesh that is in Edit Mode, because its own attributes cannot be read meanwhile."""
        copy = mesh.copy()
        self._made.append(copy)
        return copy

    def of(self, obj: bpy.types.Object, scene: bpy.types.Scene, layer: bpy.types.ViewLayer) -> PointData | None:
        """Return what an object's curve or modifiers make, without the modifier that draws it.

        None if that is neither points nor faces.
        """
        if obj.type == "META":
            return self._of_metaball(obj, layer)
        copy = obj.copy()
        copy.hide_viewport = False  # what is hidden is not evaluated
        while (modifier := modifier_of(copy)) is not None:  # it may have been duplicated
            copy.modifiers.remove(modifier)
        for modifier in list(copy.modifiers):
            if is_for_view(modifier):
                copy.modifiers.remove(modifier)
        scene.collection.objects.link(copy)
        try:
            layer.update()
            graph = layer.depsgraph
            evaluated = copy.evaluated_get(graph)
            if obj.type == "POINTCLOUD":
                geometry = evaluated.evaluated_geometry()
                found = geometry.pointcloud or geometry.mesh
                data = found.copy() if found is not None else None
            else:
                data = bpy.data.meshes.new_from_object(evaluated, preserve_all_data_layers=True, depsgraph=graph)
        except RuntimeError:  # nothing that has points
            data = None
        finally:
            bpy.data.objects.remove(copy)
        if data is not None:
            self._made.append(data)
            note = COLUMNS.read(obj.data) if obj.data is not None else None
            if note is not None and not has(data, COLUMNS):
                data[COLUMNS] = note
        return data

    def _of_metaball(self, obj: bpy.types.Object, layer: bpy.types.ViewLayer) -> PointData | None:
        """Return the surface of a metaball's family; None for one that is part of another's surface.

        The object itself is evaluated, because a copy would belong to the family.
        """
        layer.update()
        try:
            data = bpy.data.meshes.new_from_object(obj.evaluated_get(layer.depsgraph))
        except RuntimeError:
            return None
        self._made.append(data)
        return data

    def close(self) -> None:
        """Remove all of them."""
        if self._made:  # an empty list keeps Blender busy as well
            bpy.data.batch_remove(self._made)
        self._made = []
