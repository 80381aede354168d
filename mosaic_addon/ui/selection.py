"""Which objects the panels show and change: the active one, and with it all selected ones."""

import bpy

from ..scene.drawing.appearance import is_geometry


def shown_geometry(context: bpy.types.Context) -> bpy.types.Object | None:
    """The object whose values the panels show: the active one, or if that is none of a session's, the first selected one."""
    if is_geometry(context.object):
        return context.object
    return next(filter(is_geometry, context.selected_objects), None)


def chosen_geometries(context: bpy.types.Context) -> list[bpy.types.Object]:
    """The objects that a change in the panels goes to: the shown one first, and all selected ones that stand for geometries."""
    shown = shown_geometry(context)
    return [] if shown is None else list(dict.fromkeys([shown, *filter(is_geometry, context.selected_objects)]))
