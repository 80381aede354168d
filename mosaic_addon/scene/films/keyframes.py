"""Keyframes of objects, in actions as artists have them."""

from collections.abc import Iterable, Iterator
from typing import Any, Literal, TypeAlias

import bpy

Interpolation: TypeAlias = Literal["CONSTANT", "LINEAR", "BEZIER", "SINE"]
Easing: TypeAlias = Literal["AUTO", "EASE_IN", "EASE_OUT", "EASE_IN_OUT"]
# Frame, value, how it goes on to the next key, and how that eases.
Key: TypeAlias = tuple[float, float, Interpolation, Easing]


def add_keys(obj: bpy.types.Object, path: str, index: int, keys: Iterable[Key], name: str) -> bpy.types.FCurve:
    """Add keyframes to a property of an object. Returns its curve.

    path, index: of the property, from the object. name: of the action, where the object has none yet.
    """
    animation = obj.animation_data_create()
    if animation.action is None:
        animation.action = bpy.data.actions.new(name)
    curve = animation.action.fcurve_ensure_for_datablock(obj, path, index=index)
    for frame, value, interpolation, easing in keys:
        key = curve.keyframe_points.insert(frame, value, options={"FAST"})
        key.interpolation, key.easing = interpolation, easing
        key.handle_left_type = key.handle_right_type = "AUTO_CLAMPED"
    curve.update()
    return curve


def curves_of(obj: bpy.types.Object) -> Iterator[Any]:
    """Yield the curves of an object's action."""
    animation = obj.animation_data
    if animation is None or animation.action is None or animation.action_slot is None:
        return
    for layer in animation.action.layers:
        for strip in layer.strips:
            bag = strip.channelbag(animation.action_slot)  # type: ignore[attr-defined]  # all strips hold keyframes
            if bag is not None:
                yield from bag.fcurves


def curve_of(obj: bpy.types.Object, path: str, index: int) -> Any:
    """Return the curve of a property of an object; None where it has none."""
    return next((curve for curve in curves_of(obj) if (curve.data_path, curve.array_index) == (path, index)), None)


def remove_keys(obj: bpy.types.Object, path: str, index: int, first: float, last: float) -> bool:
    """Remove the keyframes of a property from one frame to another. Returns whether the property has none left.

    The curve goes with its last key, and the action with its last curve.
    """
    curve = curve_of(obj, path, index)
    if curve is None:
        return True
    for key in [key for key in reversed(curve.keyframe_points) if first - 0.5 < key.co.x < last + 0.5]:
        curve.keyframe_points.remove(key, fast=True)
    if len(curve.keyframe_points):
        curve.update()
        return False
    animation: Any = obj.animation_data
    action, slot = animation.action, animation.action_slot
    for layer in action.layers:
        for strip in layer.strips:
            bag = strip.channelbag(slot)
            if bag is not None and curve in bag.fcurves[:]:
                bag.fcurves.remove(curve)
    if next(curves_of(obj), None) is None:
        _remove_action(obj)
    return True


def _remove_action(obj: bpy.types.Object) -> None:
    """Remove an object's action, which has no curves left, unless others use it."""
    animation: Any = obj.animation_data
    action = animation.action
    if not animation.drivers and not animation.nla_tracks:
        obj.animation_data_clear()
    else:
        animation.action = None
    if not action.users:
        bpy.data.actions.remove(action)
