"""Shots of a film: keyframes that an artist can edit, and a note of them on each object that they move.

A turntable is an empty that the camera hangs on, and turns with; the camera's own transform stays as it is. All that
plays a shot is Blender's own, so that a .blend plays where the extension is missing.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ...session.errors import MosaicError
from ..drawing.facts import frames_of
from ..drawing.representations import inputs_of, modifier_of, set_inputs
from ..keys import FIGURE, SHOTS
from ..pictures.camera import Triple, visible_points
from .keyframes import Key, add_keys, curve_of, remove_keys

AXES: Final[dict[str, Triple]] = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}
UP: Final = "up"  # the axis that is up in the picture
TURNTABLE, TRAJECTORY = "turntable", "trajectory"
ANGLE: Final = ("rotation_axis_angle", 0)  # path and index of the turn of an empty
SHOWN, LOOP = "Shown", "Loop"  # inputs of a trajectory


@dataclass(frozen=True, slots=True)
class Shot:
    """A part of a film.

    name: unique in the scene. kind: "turntable" or "trajectory". start, end: its first and last frame. objects: what its
    keyframes move.
    """

    name: str
    kind: str
    start: int
    end: int
    objects: tuple[bpy.types.Object, ...]


# --- the shots of a scene --------------------------------------------------------------------------------------------


def shots_in(scene: bpy.types.Scene) -> list[Shot]:
    """Return the shots of a scene in the order of their first frames, which are those of their keyframes."""
    moved: dict[str, list[bpy.types.Object]] = {}
    for obj in scene.objects:
        if obj.animation_data is not None:
            for name in _notes(obj):
                moved.setdefault(name, []).append(obj)
    shots = []
    for name, objects in moved.items():
        notes = [_notes(obj)[name] for obj in objects]
        spans = [span for obj, note in zip(objects, notes, strict=True) if (span := _span(obj, note)) is not None]
        if spans:
            first, after = min(start for start, _ in spans), max(end for _, end in spans)
            shots.append(Shot(name, notes[0]["kind"], round(first), round(after) - 1, tuple(objects)))
    return sorted(shots, key=lambda shot: (shot.start, shot.name))


def remove_shot(shot: Shot) -> None:
    """Remove a shot: its keyframes, and what was made for them. Values that nothing keys any more are as before it."""
    for obj in shot.objects:
        notes = _notes(obj)
        note = notes.pop(shot.name, None)
        if note is None:
            continue
        if note["kind"] == TURNTABLE:
            _remove_turntable(obj)
            continue
        span = _span(obj, note)
        for path, index, former in note["keyed"]:
            # The key after the last frame belongs to the shot, too.
            if span is None or remove_keys(obj, path, index, *span):
                _restore(obj, path, former)
        _write_notes(obj, notes)


def frames_of_film(scene: bpy.types.Scene) -> tuple[int, int] | None:
    """Return the first and the last frame of all shots of a scene; None without any."""
    shots = shots_in(scene)
    return (min(shot.start for shot in shots), max(shot.end for shot in shots)) if shots else None


def _notes(obj: bpy.types.Object) -> dict[str, Any]:
    """What an object remembers of shots, by their names; nothing of what no shot of ours would write."""
    try:
        notes = json.loads(SHOTS.read(obj) or "{}")
    except (ValueError, RecursionError):
        return {}
    return {name: note for name, note in notes.items() if _is_note(note)} if isinstance(notes, dict) else {}


def _is_note(note: Any) -> bool:
    if not isinstance(note, dict) or note.get("kind") not in (TURNTABLE, TRAJECTORY):
        return False
    keyed = note.get("keyed")
    return (
        isinstance(keyed, list)
        and len(keyed) > 0
        and all(
            isinstance(each, list)
            and len(each) == 3
            and type(each[0]) is str
            and type(each[1]) is int
            and type(each[2]) in (bool, int, float)
            for each in keyed
        )
    )


def _write_notes(obj: bpy.types.Object, notes: dict[str, Any]) -> None:
    if notes:
        SHOTS.write(obj, json.dumps(notes))
    else:
        obj.pop(SHOTS, None)


def _span(obj: bpy.types.Object, note: dict[str, Any]) -> tuple[float, float] | None:
    """The frames of the first and the last key of a shot; None where an artist has removed its keys."""
    path, index, _ = note["keyed"][0]
    curve = curve_of(obj, path, index)
    if curve is None or not len(curve.keyframe_points):
        return None
    return curve.keyframe_points[0].co.x, curve.keyframe_points[-1].co.x


def _new_name(scene: bpy.types.Scene, name: str) -> str:
    """A name that no shot of a scene has yet."""
    known = {known for obj in scene.objects for known in _notes(obj)}
    number, free = 1, name
    while free in known:
        number += 1
        free = f"{name} {number}"
    return free


def frames_in(scene: bpy.types.Scene, seconds: float) -> int:
    """Return how many frames of a scene last so many seconds. Raises MosaicError for fewer than two."""
    render = scene.render
    frames = round(seconds * render.fps / render.fps_base) if math.isfinite(seconds) else 0
    if frames < 2:
        raise MosaicError(f"A shot of {seconds:g} seconds is too short: it has less than two frames.")
    return frames


# --- turntable -------------------------------------------------------------------------------------------------------


def add_turntable(
    scene: bpy.types.Scene,
    objects: Iterable[bpy.types.Object],
    *,
    start: int,
    seconds: float,
    degrees: float = 360.0,
    axis: str | Triple = UP,
    rock: bool = False,
) -> Shot:
    """Let the scene's camera turn around the middle of what is visible of some objects, at constant speed.

    start: the first frame. degrees: that it turns until the frame after the last one, so that a film of a full turn
    closes; against the clock as seen from the axis' end. axis: "x", "y" or "z" of the world, "up" for what is up in the
    picture, or a direction in the world. rock: swing to both sides by half of the degrees instead, and end as it began.
    Raises MosaicError without a camera, for an axis of no length and a shot that is too short.
    """
    camera = scene.camera
    if camera is None:
        raise MosaicError("The scene has no camera that could turn.")
    frames = frames_in(scene, seconds)
    scene.view_layers[0].update()  # so that world matrices are those of what was just moved
    points = visible_points(objects)
    middle = Vector((points.min(axis=0) + points.max(axis=0)).tolist()) / 2 if len(points) else Vector()
    turned = camera
    while turned.parent is not None and TURNTABLE in {note["kind"] for note in _notes(turned.parent).values()}:
        turned = turned.parent
    # The frame that the camera's transform is in, beneath which the empty comes.
    beneath = turned.matrix_parent_inverse.copy()
    if turned.parent is not None:
        beneath = turned.parent.matrix_world @ beneath
    direction = beneath.inverted_safe().to_3x3() @ _direction(camera, axis)
    pivot = beneath.inverted_safe() @ middle
    name = _new_name(scene, "Rock" if rock else "Turntable")
    empty = _new_empty(scene, name, turned, pivot, direction.normalized())
    empty.empty_display_size = float(np.ptp(points, axis=0).max()) / 10 if len(points) else 1.0
    keys = _rocking(start, frames, math.radians(degrees)) if rock else _turning(start, frames, math.radians(degrees))
    add_keys(empty, *ANGLE, keys, name)
    _write_notes(empty, {name: {"kind": TURNTABLE, "keyed": [[*ANGLE, 0.0]]}})
    return Shot(name, TURNTABLE, start, start + frames - 1, (empty,))


def _direction(camera: bpy.types.Object, axis: str | Triple) -> Vector:
    """The direction of an axis in the world."""
    if axis == UP:
        direction = camera.matrix_world.to_3x3() @ Vector((0, 1, 0))
    elif isinstance(axis, str):
        if axis not in AXES:
            raise MosaicError(f"The axis {axis!r} is none of {', '.join(AXES)}, {UP}.")
        direction = Vector(AXES[axis])
    else:
        direction = Vector(axis)
    if not direction.length > 0 or not all(math.isfinite(direction[each]) for each in range(3)):
        raise MosaicError("The axis of a turntable must be a direction.")
    return direction.normalized()


def _new_empty(
    scene: bpy.types.Scene, name: str, turned: bpy.types.Object, pivot: Vector, axis: Vector
) -> bpy.types.Object:
    """Hang an object on a new empty, which hangs where the object has hung. pivot, axis: within that."""
    empty = bpy.data.objects.new(name, None)
    scene.collection.objects.link(empty)
    FIGURE.write(empty, TURNTABLE)
    empty.rotation_mode = "AXIS_ANGLE"
    empty.rotation_axis_angle = (0.0, axis.x, axis.y, axis.z)  # type: ignore[assignment]
    empty.location = pivot
    empty.parent, empty.matrix_parent_inverse = turned.parent, turned.matrix_parent_inverse
    turned.parent, turned.matrix_parent_inverse = empty, Matrix.Translation((-pivot)[:])
    return empty


def _remove_turntable(empty: bpy.types.Object) -> None:
    """Remove a turntable, and hang what it turned where it hung before."""
    for child in empty.children:
        child.parent, child.matrix_parent_inverse = empty.parent, empty.matrix_parent_inverse
    action = empty.animation_data.action if empty.animation_data is not None else None
    bpy.data.objects.remove(empty)
    if action is not None and not action.users:
        bpy.data.actions.remove(action)


def _turning(start: int, frames: int, angle: float) -> list[Key]:
    return [(start, 0.0, "LINEAR", "AUTO"), (start + frames, angle, "LINEAR", "AUTO")]


def _rocking(start: int, frames: int, angle: float) -> list[Key]:
    """A sine, in its quarters."""
    return [
        (start, 0.0, "SINE", "EASE_OUT"),
        (start + frames / 4, angle / 2, "SINE", "EASE_IN_OUT"),
        (start + frames * 3 / 4, -angle / 2, "SINE", "EASE_IN"),
        (start + frames, 0.0, "LINEAR", "AUTO"),
    ]


# --- trajectories ----------------------------------------------------------------------------------------------------


def add_trajectory(
    scene: bpy.types.Scene,
    objects: Iterable[bpy.types.Object],
    *,
    start: int,
    seconds: float,
    loop: bool = False,
    back_and_forth: bool = False,
) -> Shot:
    """Play all frames of those objects that are trajectories within some seconds, each for the same time.

    start: the first frame of the scene. loop: begin again after the seconds, for as long as the scene lasts.
    back_and_forth: from the first to the last and back. Raises MosaicError where there is no trajectory, where one has
    a shot or keyframes already, and for a shot that is too short.
    """
    frames = frames_in(scene, seconds)
    counts = {obj: len(frames_of(obj)) for obj in objects}
    playing = {obj: count for obj, count in counts.items() if count}
    if not playing:
        raise MosaicError("None of the objects is a trajectory.")
    for obj in playing:
        modifier: Any = modifier_of(obj)
        if SHOWN not in inputs_of(modifier):
            raise MosaicError(f"{obj.name} was made by an older version, whose trajectories have no keyframes.")
        if curve_of(obj, inputs_of(modifier).data_path(modifier, SHOWN), 0) is not None:
            raise MosaicError(f"{obj.name} has keyframes for its frames already; remove its shot first.")
    name = _new_name(scene, "Trajectory")
    for obj, count in playing.items():
        _play(obj, name, _playing(start, frames, count, back_and_forth), loop, loop and not back_and_forth)
    return Shot(name, TRAJECTORY, start, start + frames - 1, tuple(playing))


def _playing(start: int, frames: int, count: int, back_and_forth: bool) -> list[Key]:
    if not back_and_forth:
        return [(start, 0.0, "LINEAR", "AUTO"), (start + frames, count, "LINEAR", "AUTO")]
    middle = start + frames / 2
    return [
        (start, 0.0, "LINEAR", "AUTO"),
        (middle, count, "LINEAR", "AUTO"),
        (start + frames, 0.0, "LINEAR", "AUTO"),
    ]


def _play(obj: bpy.types.Object, name: str, keys: list[Key], again: bool, wraps: bool) -> None:
    """Key the frames of a trajectory. again: repeat that. wraps: after the last frame comes the first."""
    modifier: Any = modifier_of(obj)
    inputs = inputs_of(modifier)
    former = {each: inputs.get(modifier, each) for each in (SHOWN, LOOP)}
    shown, wrapping = (inputs.data_path(modifier, each) for each in (SHOWN, LOOP))
    curve = add_keys(obj, shown, 0, keys, name)
    if again:
        curve.modifiers.new("CYCLES").mode_before = "NONE"  # type: ignore[attr-defined]
    add_keys(obj, wrapping, 0, [(keys[0][0], float(wraps), "CONSTANT", "AUTO")], name)
    keyed = [[shown, 0, former[SHOWN]], [wrapping, 0, former[LOOP]]]
    _write_notes(obj, _notes(obj) | {name: {"kind": TRAJECTORY, "keyed": keyed}})


def _restore(obj: bpy.types.Object, path: str, former: float) -> None:
    """Give an input of a trajectory, which nothing keys any more, the value that it had before."""
    modifier = modifier_of(obj)
    if modifier is None:
        return
    inputs = inputs_of(modifier)
    for name in (SHOWN, LOOP):
        if name in inputs and inputs.data_path(modifier, name) == path:
            set_inputs([obj], {name: bool(former) if name == LOOP else float(former)})
