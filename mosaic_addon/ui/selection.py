"""Which objects operators and panels act on: those selected in Blender, and hidden ones that were picked in the browser.

Blender cannot select hidden objects. In Mosaic they can be selected, to show them again. So hidden objects that were
picked in the browser are remembered until the selection changes elsewhere.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress

import bpy

from ..scene.drawing.appearance import is_geometry
from .additions import Addition, state_forgotten

_picked: set[int] = set()  # session_uid of hidden objects
_state = (0, 0)  # of Blender's selection when they were picked: session_uid of the active object, number of selected


def chosen_objects(context: bpy.types.Context) -> list[bpy.types.Object]:
    """The selected and picked objects, of whatever kind."""
    objects = list(context.view_layer.objects.selected)
    ids = chosen_ids(context) - {obj.session_uid for obj in objects}
    return objects + ([obj for obj in context.view_layer.objects if obj.session_uid in ids] if ids else [])


def chosen_geometries(context: bpy.types.Context) -> list[bpy.types.Object]:
    """Those of the chosen objects that stand for geometries of a session."""
    return [obj for obj in chosen_objects(context) if is_geometry(obj)]


def chosen_ids(context: bpy.types.Context) -> set[int]:
    """The session_uid of the chosen objects."""
    ids = {obj.session_uid for obj in context.view_layer.objects.selected}
    return ids | _picked if _picked and _state == _state_of(context) else ids


def first_chosen(context: bpy.types.Context) -> bpy.types.Object | None:
    """The first of the chosen geometries, None without one. Quick, as each button asks for it at each redraw."""
    selected = next(filter(is_geometry, context.view_layer.objects.selected), None)
    return selected or next(iter(chosen_geometries(context)), None)


def shown_geometry(context: bpy.types.Context) -> bpy.types.Object | None:
    """The object whose values the panels show: the active one, or if it is no geometry, the first that is chosen."""
    if context.object is not None and is_geometry(context.object):
        return context.object
    return first_chosen(context)


def edited_geometries(context: bpy.types.Context) -> list[bpy.types.Object]:
    """The objects that a change in the panels goes to: the shown one first, then the chosen ones."""
    shown = shown_geometry(context)
    return [] if shown is None else list(dict.fromkeys([shown, *chosen_geometries(context)]))


def choose(
    context: bpy.types.Context,
    objects: Iterable[bpy.types.Object],
    active: bpy.types.Object | None = None,
    extend: bool = False,
) -> list[bpy.types.Object]:
    """Select objects, and nothing else unless `extend`. Returns those that cannot be: they are not in the view layer.

    active: the one to make active. Without it the active object stays if it is selected, and else is the first one.
    """
    layer = context.view_layer
    objects = list(dict.fromkeys(objects))
    _leave_mode(context, active)
    picked = {*_picked} if extend and _state == _state_of(context) else set()
    if not extend:
        unchoose(context, list(layer.objects.selected))
    inside, outside = [], []
    for obj in objects:
        try:
            obj.select_set(True, view_layer=layer)
        except RuntimeError:  # not in the view layer
            outside.append(obj)
            continue
        inside.append(obj)
        if not obj.select_get(view_layer=layer):
            picked.add(obj.session_uid)
    if active in inside:
        layer.objects.active = active
    elif inside and layer.objects.active not in inside:
        layer.objects.active = inside[0]
    _remember(context, picked)
    return outside


def unchoose(context: bpy.types.Context, objects: Iterable[bpy.types.Object]) -> None:
    """Deselect objects."""
    picked = {*_picked} if _state == _state_of(context) else set()
    for obj in objects:
        picked.discard(obj.session_uid)
        with suppress(RuntimeError):  # not in the view layer
            obj.select_set(False, view_layer=context.view_layer)
    _remember(context, picked)


def additions() -> Iterator[Addition]:
    """Which hidden objects were picked."""
    yield state_forgotten(_forget)


def _forget() -> None:
    global _picked, _state
    _picked, _state = set(), (0, 0)


def _remember(context: bpy.types.Context, picked: set[int]) -> None:
    global _picked, _state
    _picked, _state = picked, _state_of(context)


def _state_of(context: bpy.types.Context) -> tuple[int, int]:
    active = context.view_layer.objects.active
    return active.session_uid if active is not None else 0, len(context.view_layer.objects.selected)


def _leave_mode(context: bpy.types.Context, active: bpy.types.Object | None) -> None:
    """Go from Edit Mode and the like to Object Mode before another object becomes active, as the Outliner does."""
    current = context.view_layer.objects.active
    if current is not None and current.mode != "OBJECT" and current != active:
        bpy.ops.object.mode_set(mode="OBJECT")
