"""The objects that operators and panels act on: those selected in Blender, and hidden ones picked in the browser.

Mosaic can select hidden objects, to show them again. Blender cannot. So those that were picked in the browser are
remembered until the selection changes elsewhere. "Chosen" means selected or picked.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress

import bpy

from ..scene.drawing.appearance import is_geometry
from .additions import Addition, state_forgotten

_picked: set[int] = set()  # session_uid of hidden objects
_state = (0, 0)  # of Blender's selection when they were picked: session_uid of the active object, number of selected


def chosen_objects(context: bpy.types.Context) -> list[bpy.types.Object]:
    """Return the chosen objects of whatever kind."""
    objects = list(context.view_layer.objects.selected)
    picked = _picked_now(context)
    if picked:
        objects += [obj for obj in context.view_layer.objects if obj.session_uid in picked]
    return objects


def chosen_geometries(context: bpy.types.Context) -> list[bpy.types.Object]:
    """Return the chosen objects that stand for geometries of a session."""
    return [obj for obj in chosen_objects(context) if is_geometry(obj)]


def chosen_ids(context: bpy.types.Context) -> set[int]:
    """Return the session_uid of the chosen objects of whatever kind."""
    return {obj.session_uid for obj in context.view_layer.objects.selected} | _picked_now(context)


def first_chosen(context: bpy.types.Context) -> bpy.types.Object | None:
    """Return one of the chosen geometries, None without one. It is quick, as each button asks for it at each redraw."""
    selected = next(filter(is_geometry, context.view_layer.objects.selected), None)
    return selected or next(iter(chosen_geometries(context)), None)


def shown_geometry(context: bpy.types.Context) -> bpy.types.Object | None:
    """Return the object whose values panels show: the active one, or if that is no geometry, a chosen one."""
    if context.object is not None and is_geometry(context.object):
        return context.object
    return first_chosen(context)


def edited_geometries(context: bpy.types.Context) -> list[bpy.types.Object]:
    """Return the objects that a change in a panel goes to: the shown one first, then the chosen ones."""
    shown = shown_geometry(context)
    return [] if shown is None else list(dict.fromkeys([shown, *chosen_geometries(context)]))


def choose(
    context: bpy.types.Context,
    objects: Iterable[bpy.types.Object],
    active: bpy.types.Object | None = None,
    extend: bool = False,
) -> list[bpy.types.Object]:
    """Choose objects. Returns those that cannot be chosen, as they are not in the view layer.

    active: the one to make active; by default the active one stays if it is among them, and else is the first. extend:
    keep what is chosen already.
    """
    layer = context.view_layer
    objects = list(dict.fromkeys(objects))
    _leave_mode(context, active)
    picked = {*_picked_now(context)} if extend else set()
    if not extend:
        unchoose(context, list(layer.objects.selected))
    inside: list[bpy.types.Object] = []
    outside: list[bpy.types.Object] = []
    for obj in objects:
        try:
            obj.select_set(True, view_layer=layer)
        except RuntimeError:  # not in the view layer
            outside.append(obj)
            continue
        inside.append(obj)
        if obj.select_get(view_layer=layer):
            picked.discard(obj.session_uid)
        else:
            picked.add(obj.session_uid)
    current = layer.objects.active
    if active is not None and active in inside:
        layer.objects.active = active
    elif inside and (current is None or current not in inside):
        layer.objects.active = inside[0]
    _remember(context, picked)
    return outside


def unchoose(context: bpy.types.Context, objects: Iterable[bpy.types.Object]) -> None:
    """Choose objects no longer."""
    picked = {*_picked_now(context)}
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


def _picked_now(context: bpy.types.Context) -> set[int]:
    """The hidden objects that were picked, if the selection has not changed since."""
    return _picked if _picked and _state == _state_of(context) else set()


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
