"""Mosaic's visibility <-> Blender's: an object is visible if neither its eye nor its monitor is closed; rendered alike."""

from collections.abc import Iterable

import bpy


def is_visible(obj: bpy.types.Object, layer: bpy.types.ViewLayer) -> bool:
    """Whether an object is shown in the view layer's windows, as far as it is up to the object."""
    return not (obj.hide_viewport or obj.hide_get(view_layer=layer))


def set_visible(
    objects: Iterable[bpy.types.Object], visible: bool, layer: bpy.types.ViewLayer
) -> list[bpy.types.Object]:
    """Show or hide objects, in pictures, too. Returns those that cannot be: they are not in the view layer."""
    outside = []
    for obj in objects:
        if is_visible(obj, layer) != visible:
            try:
                obj.hide_set(not visible, view_layer=layer)
            except RuntimeError:
                outside.append(obj)
                continue
        if obj.is_editable:
            if visible:
                obj.hide_viewport = False
            obj.hide_render = not visible
    return outside
