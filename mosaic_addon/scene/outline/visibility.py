"""Mosaic's visibility <-> Blender's: an object is visible if neither its eye nor its monitor is closed; rendered alike."""

from collections.abc import Iterable

import bpy


def is_visible(thing: bpy.types.Object, layer: bpy.types.ViewLayer) -> bool:
    """Whether an object is shown in the view layer's windows, as far as it is up to the object."""
    return not (thing.hide_viewport or thing.hide_get(view_layer=layer))


def set_visible(
    things: Iterable[bpy.types.Object], visible: bool, layer: bpy.types.ViewLayer
) -> list[bpy.types.Object]:
    """Show or hide objects, in pictures, too. Returns those that cannot be: they are not in the view layer."""
    outside = []
    for thing in things:
        if is_visible(thing, layer) != visible:
            try:
                thing.hide_set(not visible, view_layer=layer)
            except RuntimeError:
                outside.append(thing)
                continue
        if thing.is_editable:
            if visible:
                thing.hide_viewport = False
            thing.hide_render = not visible
    return outside
