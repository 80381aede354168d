"""Shots of a film: what they key, that a turn closes, and that removing one leaves nothing."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.scene.test_trajectories import a_film
from tests.support.built import build, datablocks
from tests.support.make_sessions import cloud, write_session


def opened(bpy: ModuleType, tmp_path: Path, steps: int = 0) -> list[Any]:
    from mosaic_addon.scene.pictures.camera import frame_camera

    models = [a_film([4] * steps)] if steps else []
    objects = build(bpy, write_session(tmp_path / "s.pickle", [cloud("c", 50)], models)).objects
    frame_camera(bpy.context.scene, objects, (0.2, -1.0, -0.3))
    bpy.context.view_layer.update()
    return list(objects)


def places(bpy: ModuleType, frames: Any) -> np.ndarray:
    """The camera's world matrices at some frames."""
    scene, found = bpy.context.scene, []
    for frame in frames:
        scene.frame_set(frame)
        found.append(np.array(scene.camera.matrix_world, np.float64))
    return np.array(found)


def steps_shown(bpy: ModuleType, obj: Any, frames: Any) -> list[int]:
    """The step that is drawn at some frames, told by its height, and that is said to be drawn."""
    from mosaic_addon.scene.drawing.facts import frame_at, frames_of
    from tests.support.drawn import parts_of

    found, count = [], len(frames_of(obj))
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        (part,) = parts_of(bpy, obj)
        found.append(round(float(part.points[:, 2].mean() / np.ptp(part.points[:, 0])) * 20))
        assert found[-1] == frame_at(obj, count, frame)
    return found


def add(bpy: ModuleType, objects: list[Any], **options: Any) -> Any:
    from mosaic_addon.scene.films.shots import add_turntable

    return add_turntable(bpy.context.scene, objects, **({"start": 1, "seconds": 10.0} | options))


@pytest.mark.parametrize("axis", ["up", "z", (1.0, 2.0, -0.5)])
def test_a_turntable_closes_at_constant_speed(bpy: ModuleType, tmp_path: Path, axis: Any) -> None:
    from mosaic_addon.scene.pictures.camera import visible_points

    objects = opened(bpy, tmp_path)
    before = np.array(bpy.context.scene.camera.matrix_world)
    shot = add(bpy, objects, axis=axis)
    assert (shot.start, shot.end) == (1, 240)
    found = places(bpy, range(1, 242))
    np.testing.assert_allclose(found[0], before, atol=1e-6)
    np.testing.assert_allclose(found[240], found[0], atol=1e-6)
    turn = {"up": before[:3, 1], "z": np.array((0, 0, 1.0))}.get(axis if isinstance(axis, str) else "", axis)
    turn = np.array(turn) / np.linalg.norm(turn)
    points = visible_points(objects)
    arms = found[:, :3, 3] - (points.min(axis=0) + points.max(axis=0)) / 2
    np.testing.assert_allclose(arms @ turn, (arms @ turn)[0], atol=1e-5)  # it stays at its height
    np.testing.assert_allclose(np.linalg.norm(arms, axis=1), np.linalg.norm(arms[0]), rtol=1e-5)
    np.testing.assert_allclose(found[:, :3, :3].transpose(0, 2, 1) @ turn - found[0, :3, :3].T @ turn, 0, atol=1e-5)
    steps = np.linalg.norm(np.diff(arms, axis=0), axis=1)
    assert steps.min() > 0
    assert np.ptp(steps) < 1e-4 * steps.mean()


def test_a_rock_swings_to_both_sides_and_ends_as_it_began(bpy: ModuleType, tmp_path: Path) -> None:
    objects = opened(bpy, tmp_path)
    shot = add(bpy, objects, degrees=30.0, rock=True, start=11, seconds=4.0)
    (empty,) = shot.objects
    angles = []
    for frame in range(11, 11 + 97):
        bpy.context.scene.frame_set(frame)
        angles.append(np.degrees(empty.rotation_axis_angle[0]))
    np.testing.assert_allclose(angles, 15 * np.sin(np.arange(97) / 96 * 2 * np.pi), atol=1e-3)


def test_turntables_follow_each_other_and_each_leaves_without_a_trace(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.films.shots import frames_of_film, remove_shot, shots_in

    objects = opened(bpy, tmp_path)
    scene, camera = bpy.context.scene, bpy.context.scene.camera
    rig = bpy.data.objects.new("rig", None)
    scene.collection.objects.link(rig)
    rig.location, rig.rotation_euler = (1, 2, 3), (0.1, 0.2, 0.3)
    camera.parent = rig
    bpy.context.view_layer.update()
    before, blocks = np.array(camera.matrix_world), datablocks(bpy)
    first = add(bpy, objects)
    second = add(bpy, objects, axis="x", start=241, seconds=2.0)
    assert [shot.name for shot in shots_in(scene)] == ["Turntable", "Turntable 2"]
    assert shots_in(scene) == [first, second]
    assert frames_of_film(scene) == (1, 288)
    found = places(bpy, (1, 100, 241, 289))
    np.testing.assert_allclose(found[[0, 2, 3]] - before, 0, atol=1e-5)
    assert np.abs(found[1] - before).max() > 0.1
    for shot in (first, second):
        remove_shot(shot)
        scene.frame_set(1)
        np.testing.assert_allclose(np.array(camera.matrix_world), before, atol=1e-6)
    assert camera.parent == rig
    assert np.array_equal(np.array(camera.matrix_world), before)
    assert shots_in(scene) == []
    assert datablocks(bpy) == blocks


def test_a_turntable_is_nothing_of_the_figure(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon import api

    add(bpy, opened(bpy, tmp_path))
    assert api.items_of(bpy.context.scene) == []  # so that the panel Figure asks for no list of it


def test_a_shot_is_where_an_artist_has_moved_its_keys(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.films.keyframes import curves_of
    from mosaic_addon.scene.films.shots import remove_shot, shots_in

    shot = add(bpy, opened(bpy, tmp_path))
    (empty,) = shot.objects
    empty.name = "mine"
    (curve,) = curves_of(empty)
    for key in curve.keyframe_points:
        key.co.x += 20
    curve.update()
    (moved,) = shots_in(bpy.context.scene)
    assert (moved.start, moved.end) == (21, 260)
    remove_shot(moved)
    assert "mine" not in bpy.data.objects


@pytest.mark.parametrize(
    ("options", "frames", "expected"),
    [
        ({}, (1, 2, 3, 4, 5, 6, 7, 8, 9, 30), [0, 0, 1, 1, 2, 2, 3, 3, 3, 3]),
        ({"loop": True}, (-3, 1, 2, 3, 8, 9, 10, 11, 17, 19), [0, 0, 0, 1, 3, 0, 0, 1, 0, 1]),
        ({"back_and_forth": True}, (1, 2, 3, 4, 5, 6, 7, 8, 9, 30), [0, 1, 2, 3, 3, 3, 2, 1, 0, 0]),
        ({"back_and_forth": True, "loop": True}, (1, 2, 5, 8, 9, 10, 17), [0, 1, 3, 1, 0, 1, 0]),
    ],
)
def test_a_trajectory_plays_over_its_seconds(
    bpy: ModuleType, tmp_path: Path, options: dict[str, bool], frames: Any, expected: list[int]
) -> None:
    from mosaic_addon.scene.films.shots import add_trajectory, remove_shot, shots_in

    objects, scene = opened(bpy, tmp_path, 4), bpy.context.scene
    obj = next(obj for obj in objects if obj.name == "film")
    blocks, before = datablocks(bpy), steps_shown(bpy, obj, range(1, 6))
    shot = add_trajectory(scene, objects, start=1, seconds=8 / 24, **options)
    assert shots_in(scene) == [shot]
    assert (shot.start, shot.end, shot.objects) == (1, 8, (obj,))
    assert steps_shown(bpy, obj, frames) == expected
    remove_shot(shot)
    assert datablocks(bpy) == blocks
    assert steps_shown(bpy, obj, range(1, 6)) == before == [0, 1, 2, 3, 3]


def test_long_trajectories_lose_no_step_to_rounding(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.films.shots import add_trajectory

    objects = opened(bpy, tmp_path, 97)
    obj = next(obj for obj in objects if obj.name == "film")
    add_trajectory(bpy.context.scene, objects, start=7, seconds=97 / 24)
    assert steps_shown(bpy, obj, range(7, 7 + 97)) == list(range(97))


def test_what_cannot_be_is_said(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.films.shots import add_trajectory
    from mosaic_addon.session import MosaicError

    objects, scene = opened(bpy, tmp_path, 3), bpy.context.scene
    blocks = datablocks(bpy)
    for options in ({"axis": "w"}, {"axis": (0, 0, 0)}, {"seconds": 0.01}, {"seconds": float("nan")}):
        with pytest.raises(MosaicError):
            add(bpy, objects, **options)
    with pytest.raises(MosaicError, match="None of the objects"):
        add_trajectory(scene, objects[:1] if objects[0].name != "film" else objects[1:], start=1, seconds=1)
    scene.camera = None
    with pytest.raises(MosaicError, match="no camera"):
        add(bpy, objects)
    assert datablocks(bpy) == blocks
    add_trajectory(scene, objects, start=1, seconds=1)
    with pytest.raises(MosaicError, match="already"):
        add_trajectory(scene, objects, start=50, seconds=1)


@pytest.mark.parametrize(
    "note",
    [
        "[]",
        "{",
        '{"a": 1}',
        '{"a": {"kind": "turntable", "keyed": []}}',
        '{"a": {"kind": "turntable", "keyed": [1]}}',
        "[" * 9999,
        5,
    ],
)
def test_a_note_of_a_stranger_is_no_shot(bpy: ModuleType, note: Any) -> None:
    from mosaic_addon.scene.films.shots import shots_in

    obj = bpy.data.objects.new("o", None)
    bpy.context.scene.collection.objects.link(obj)
    obj.animation_data_create()
    obj["mosaic_shots"] = note
    assert shots_in(bpy.context.scene) == []
