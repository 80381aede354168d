"""Mosaic's visibility <-> Blender's: an object is visible where neither its eye nor its monitor icon is closed.

Renders follow: what is hidden is not rendered.
"""

from collections.abc import Iterable

import bpy


def is_visible(obj: bpy.types.Object, layer: bpy.types.ViewLayer) -> bool:
    """Return whether an object's own switches show it in the windows of a view layer."""
    return not (obj.hide_viewport or obj.hide_get(view_layer=layer))


def set_visible(
    objects: Iterable[bpy.types.Object], visible: bool, layer: bpy.types.ViewLayer
) -> list[bpy.types.Object]:
    """Show or hide objects, in renders as well. Returns those outside the view layer, which stay as they are."""
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
