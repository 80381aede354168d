"""Mosaic's visibility <-> Blender's: an object is visible where neither its eye nor its monitor icon is closed.

Renders follow: what is hidden is not rendered.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import bpy
import numpy as np

FEW = 32  # eyes that are set one by one; Blender looks through the whole view layer for each


def is_visible(obj: bpy.types.Object, layer: bpy.types.ViewLayer) -> bool:
    """Return whether an object's own switches show it in the windows of a view layer."""
    return not (obj.hide_viewport or obj.hide_get(view_layer=layer))


def set_visible(
    objects: Iterable[bpy.types.Object], visible: bool, layer: bpy.types.ViewLayer
) -> list[bpy.types.Object]:
    """Show or hide objects, in renders as well. Returns those outside the view layer, which stay as they are."""
    objects = list(objects)
    # All are asked before the first is changed, as Blender looks through the view layer for the next answer.
    changing = [obj for obj in objects if is_visible(obj, layer) != visible]
    if len(changing) > FEW:
        _set_many_eyes(changing, visible, layer)
    outside = []
    for obj in [obj for obj in changing if obj.hide_viewport or obj.hide_get(view_layer=layer) == visible]:
        try:
            obj.hide_set(not visible, view_layer=layer)
        except RuntimeError:
            outside.append(obj)
    left_out = {obj.session_uid for obj in outside}
    inside = [obj for obj in objects if obj.session_uid not in left_out and obj.is_editable]
    if visible:
        for obj in inside:
            if obj.hide_viewport:
                obj.hide_viewport = False
    _set_rendered(inside, visible)
    return outside


def _set_many_eyes(objects: Sequence[bpy.types.Object], visible: bool, layer: bpy.types.ViewLayer) -> None:
    """Open or close eyes by Blender's own operator, which takes many at once; what it cannot reach stays as it is.

    What is selected stays so, but for what is hidden.
    """
    areas = [
        (window, area)
        for window in bpy.context.window_manager.windows
        for area in window.screen.areas
        if window.view_layer == layer and area.type == "VIEW_3D"
    ]
    if not areas:
        return
    selected = list(layer.objects.selected)
    wanted = {obj.session_uid for obj in objects}
    hidden = [obj for obj in layer.objects if obj.hide_get(view_layer=layer)] if visible else []
    hidden = [obj for obj in hidden if obj.session_uid not in wanted]
    context: Any = bpy.context  # the stubs know it as no context manager
    operator: Any = bpy.ops.object.hide_view_set
    with context.temp_override(window=areas[0][0], area=areas[0][1]):
        if not operator.poll():
            return
        if visible:
            bpy.ops.object.hide_view_clear(select=False)
        else:
            hidden = list(objects)
        for obj in selected:
            obj.select_set(False, view_layer=layer)
        for obj in hidden:
            with suppress(RuntimeError):  # not in the view layer
                obj.select_set(True, view_layer=layer)
        if hidden:
            operator()
    for obj in selected:
        obj.select_set(True, view_layer=layer)


def _set_rendered(objects: Sequence[bpy.types.Object], rendered: bool) -> None:
    """Let renders show objects or not, all at once: after each single change Blender would sort out all dependencies.

    One change of the usual kind lets Blender sort them out in the end: a render would leave out what was imported hidden,
    and one that keeps its data between frames would see no change.
    """
    changing = {obj.session_uid for obj in objects if obj.hide_render == rendered}
    if not changing:
        return
    every = bpy.data.objects
    uids, hidden = np.empty(len(every), np.int32), np.empty(len(every), bool)
    every.foreach_get("session_uid", uids)
    every.foreach_get("hide_render", hidden)
    hidden[np.isin(uids, list(changing))] = not rendered
    every.foreach_set("hide_render", hidden)
    last = next(obj for obj in objects if obj.session_uid in changing)
    last.hide_render = not rendered
