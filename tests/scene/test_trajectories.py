"""Trajectories: every step in the .blend, picked by the frame of the scene, with or without the extension."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.support.built import assert_same_bits, build, inputs_of, set_input
from tests.support.drawn import Part, parts_of
from tests.support.make_sessions import mesh, properties, trajectory, triangular_mesh, write_session

APART = {"angstrom_per_unit": 1.0, "recentre": False, "pixel_size": 2.0}


def fan(n: int, height: float, **state: Any) -> Any:
    """A fan of n vertices in the plane z = height."""
    angle = np.linspace(0, np.pi, n)
    vertices = np.stack((100 * np.cos(angle), 100 * np.sin(angle), np.full(n, height)), axis=1)
    return triangular_mesh(n, vertices=vertices, **state)


def a_film(sizes: list[int], shown: int = 0, **state: Any) -> Any:
    """A step for each number of vertices; step k lies in the plane z = 10 k."""
    steps = [
        {"fit": fan(n, 10.0 * k), "filename": f"step {k}.vtu", "vertex_properties": properties(n, columns(n, k))}
        for k, n in enumerate(sizes)
    ]
    model = fan(sizes[shown], 10.0 * shown)
    points = vars(model)["vertices"].astype(np.float32)
    return trajectory("film", len(points), **{"points": points, "model": model, "trajectory": steps, **state})


def columns(n: int, k: int) -> dict[str, np.ndarray]:
    values = np.random.default_rng(k)
    return {"curvature": values.random(n), "label": np.arange(n) + 2**40 * k, "inside": values.random(n) > 0.5}


def film(bpy: ModuleType, tmp_path: Path, geometry: Any) -> Any:
    return build(bpy, write_session(tmp_path / "s.pickle", [], [geometry]), **APART).objects[0]


def frames_of(obj: Any) -> Any:
    from mosaic_addon.scene.compat import ModifierInputs

    modifier = obj.modifiers["Mosaic"]
    return ModifierInputs(modifier.node_group).get(modifier, "Frames")


def at(bpy: ModuleType, obj: Any, frame: int) -> Part:
    bpy.context.scene.frame_set(frame)
    (part,) = parts_of(bpy, obj)
    return part


def step_at(bpy: ModuleType, obj: Any, frame: int) -> int:
    """The step that is drawn, told by its height."""
    return round(float(at(bpy, obj, frame).points[:, 2].mean()) / 10)


# --- all of it is in the .blend --------------------------------------------------------------------------------------


def test_every_step_is_kept_with_its_shape_file_name_and_properties(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.data.vertex_properties import read_columns

    sizes = [4, 9, 6]
    obj = film(bpy, tmp_path, a_film(sizes))
    kept = sorted(frames_of(obj).objects, key=lambda step: step.name)
    assert [len(step.data.vertices) for step in kept] == sizes
    assert [step.data["mosaic_filename"] for step in kept] == ["step 0.vtu", "step 1.vtu", "step 2.vtu"]
    for k, step in enumerate(kept):
        assert [tuple(face.vertices) for face in step.data.polygons] == [(0, i, i + 1) for i in range(1, sizes[k] - 1)]
        expected = vars(fan(sizes[k], 10.0 * k))["vertices"].astype(np.float32)
        assert np.array_equal([vertex.co[:] for vertex in step.data.vertices], expected)
        found = read_columns(step.data)
        assert list(found) == ["curvature", "label", "inside"]
        for name, column in columns(sizes[k], k).items():
            assert_same_bits(found[name], column, name)


def test_the_steps_are_in_no_scene(bpy: ModuleType, tmp_path: Path) -> None:
    steps = frames_of(film(bpy, tmp_path, a_film([4, 4])))
    assert not [step for step in steps.objects if step.name in bpy.context.scene.objects]
    assert steps not in bpy.context.scene.collection.children_recursive


@pytest.mark.parametrize("name", ["film", "x" * 200, "a\0\nb", "脂質" * 40, "film 00001"])
def test_a_thousand_steps_follow_each_other_whatever_the_name(bpy: ModuleType, tmp_path: Path, name: str) -> None:
    sizes = [3] * (1000 if name == "film" else 12)
    obj = film(bpy, tmp_path, a_film(sizes, meta={"name": name}))
    numbers = [0, 1, 9, 10, 11] if len(sizes) == 12 else [0, 1, 9, 10, 99, 100, 101, 500, 999]
    assert [step_at(bpy, obj, 1 + k) for k in numbers] == numbers


def test_two_films_of_one_name_and_a_second_import_keep_to_their_own_steps(bpy: ModuleType, tmp_path: Path) -> None:
    path = write_session(tmp_path / "s.pickle", [], [a_film([4, 4, 4]), a_film([6, 6, 6])])
    objects = [*build(bpy, path, **APART).objects, *build(bpy, path, **APART).objects]
    assert len({frames_of(obj).name for obj in objects}) == 4
    for obj, size in zip(objects, (4, 6, 4, 6), strict=True):
        for frame in (1, 2, 3):
            part = at(bpy, obj, frame)
            assert len(part.points) == size
            assert round(part.points[0, 2]) == 10 * (frame - 1)


# --- what is drawn at which frame ------------------------------------------------------------------------------------


def test_the_frame_of_the_scene_picks_the_step_even_of_another_size(bpy: ModuleType, tmp_path: Path) -> None:
    sizes = [4, 9, 6, 3]
    obj = film(bpy, tmp_path, a_film(sizes))
    for frame in (3, 1, 4, 2):
        part = at(bpy, obj, frame)
        expected = vars(fan(sizes[frame - 1], 10.0 * (frame - 1)))["vertices"]
        np.testing.assert_allclose(part.points, expected, atol=1e-3)
        assert len(part.corners) == sizes[frame - 1] - 2
        assert set(part.materials) == {obj.material_slots[0].material.name}


def test_before_and_after_it_holds_the_first_and_last_step(bpy: ModuleType, tmp_path: Path) -> None:
    obj = film(bpy, tmp_path, a_film([4, 4, 4]))
    assert [step_at(bpy, obj, frame) for frame in (-10, 0, 1, 2, 3, 4, 100)] == [0, 0, 0, 1, 2, 2, 2]


def test_start_step_and_loop(bpy: ModuleType, tmp_path: Path) -> None:
    obj = film(bpy, tmp_path, a_film([4, 4, 4]))
    set_input(obj, "Start", 10)
    set_input(obj, "Step", 2)
    assert [step_at(bpy, obj, frame) for frame in range(8, 18)] == [0, 0, 0, 0, 1, 1, 2, 2, 2, 2]
    set_input(obj, "Loop", True)
    assert [step_at(bpy, obj, frame) for frame in range(6, 18)] == [1, 1, 2, 2, 0, 0, 1, 1, 2, 2, 0, 0]


def test_a_film_of_one_step(bpy: ModuleType, tmp_path: Path) -> None:
    obj = film(bpy, tmp_path, a_film([5]))
    for loop in (False, True):
        set_input(obj, "Loop", loop)
        assert [step_at(bpy, obj, frame) for frame in (0, 1, 2)] == [0, 0, 0]


@pytest.mark.parametrize("label", ["Surface", "Mesh", "Wireframe", "Point Cloud", "Normals", "Basis"])
def test_every_representation_follows_the_frame(bpy: ModuleType, tmp_path: Path, label: str) -> None:
    obj = film(bpy, tmp_path, a_film([4, 9, 6]))
    set_input(obj, "Representation", label)
    for frame, size in ((1, 4), (3, 6)):
        bpy.context.scene.frame_set(frame)
        parts = parts_of(bpy, obj)
        if label in ("Normals", "Basis"):
            assert len(parts) == size
            heights = [part.matrix[2, 3] for part in parts]
        else:
            assert len(parts) == 1
            heights = parts[0].points[:, 2]
        assert np.mean(heights) == pytest.approx(10 * (frame - 1), abs=0.5)


def test_arrows_follow_the_surface_of_each_step_as_in_mosaic(bpy: ModuleType, tmp_path: Path) -> None:
    tilted = fan(5, 0.0)
    vars(tilted)["vertices"] = vars(tilted)["vertices"][:, [2, 0, 1]]  # into the plane x = 0
    steps = [
        {"fit": shape, "filename": "", "vertex_properties": None}
        for shape in (fan(5, 0.0), tilted, fan(5, 0.0, vertex_normals=np.tile([0, 0.6, 0.8], (5, 1))))
    ]
    obj = film(bpy, tmp_path, a_film([5], trajectory=steps))
    set_input(obj, "Representation", "Normals")
    for frame, way in ((1, (0, 0, 1)), (2, (1, 0, 0)), (3, (0, 0.6, 0.8))):
        bpy.context.scene.frame_set(frame)
        for part in parts_of(bpy, obj):
            found = part.matrix[:3, 2] / np.linalg.norm(part.matrix[:3, 2])
            np.testing.assert_allclose(found, way, atol=1e-3)


def test_the_columns_of_the_step_reach_what_is_drawn(bpy: ModuleType, tmp_path: Path) -> None:
    obj = film(bpy, tmp_path, a_film([4, 9]))
    bpy.context.scene.frame_set(2)
    bpy.context.view_layer.update()
    drawn = obj.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    values = [item.value for item in drawn.attributes["curvature"].data]
    np.testing.assert_allclose(values, columns(9, 1)["curvature"].astype(np.float32))


# --- the scene -------------------------------------------------------------------------------------------------------


def test_the_scene_plays_the_longest_film_and_stands_at_the_step_that_was_saved(
    bpy: ModuleType, tmp_path: Path
) -> None:
    path = write_session(tmp_path / "s.pickle", [], [a_film([4, 6, 5, 4], shown=2), a_film([4] * 7, shown=5), mesh()])
    objects = build(bpy, path, **APART).objects
    scene = bpy.context.scene
    assert (scene.frame_start, scene.frame_end, scene.frame_current) == (1, 7, 3)
    (part,) = parts_of(bpy, objects[0])
    assert len(part.points) == 5


def test_points_that_are_of_no_step_show_the_first(bpy: ModuleType, tmp_path: Path) -> None:
    obj = film(bpy, tmp_path, a_film([4, 4], points=np.ones((4, 3), np.float32)))
    assert bpy.context.scene.frame_current == 1
    assert inputs_of(obj)["Representation"] == "Surface"


def test_a_session_without_films_leaves_the_scenes_frames(bpy: ModuleType, tmp_path: Path) -> None:
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 5, 50
    scene.frame_set(7)
    build(bpy, write_session(tmp_path / "s.pickle", [], [mesh()]))
    assert (scene.frame_start, scene.frame_end, scene.frame_current) == (5, 50, 7)


# --- away from here --------------------------------------------------------------------------------------------------

FARM = """
import json, os, sys
import bpy
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
assert not [name for name in sys.modules if "mosaic" in name]
scene, thing = bpy.context.scene, bpy.data.objects["film"]
found = {}
for frame in (3, 1, 2):
    scene.frame_set(frame)
    data = thing.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    found[frame] = [list(vertex.co) for vertex in data.vertices]
scene.frame_set(2)
scene.render.filepath = sys.argv[2]
bpy.ops.render.render(write_still=True)
print(json.dumps(found), file=sys.stderr, flush=True)
os._exit(0)
"""


def test_a_saved_film_plays_and_renders_where_the_extension_is_not(bpy: ModuleType, tmp_path: Path) -> None:
    from PIL import Image

    from mosaic_addon.scene.pictures.camera import frame_camera
    from mosaic_addon.scene.pictures.looks import apply_look
    from mosaic_addon.scene.pictures.options import RenderOptions
    from mosaic_addon.scene.pictures.render import set_up_render

    sizes = [40, 90, 60]
    look = {"base_color": (0.1, 0.8, 0.1)}
    path = write_session(tmp_path / "s.pickle", [], [a_film(sizes, appearance=look)])
    imported = build(bpy, path, **APART)
    set_up_render(bpy.context.scene, RenderOptions((48, 32), samples=1))
    camera = frame_camera(bpy.context.scene, imported.objects)
    apply_look(bpy.context.scene, "flat", "white", camera)
    saved, picture = tmp_path / "film.blend", tmp_path / "film.png"
    bpy.ops.wm.save_as_mainfile(filepath=str(saved))
    path.unlink()
    command = [sys.executable, "-c", FARM, str(saved), str(picture)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stderr.strip().splitlines()[-1])
    for k, size in enumerate(sizes):
        expected = vars(fan(size, 10.0 * k))["vertices"]
        np.testing.assert_allclose(found[str(k + 1)], expected, atol=1e-3)
    pixels = np.asarray(Image.open(picture).convert("RGB"), int)
    green = (pixels[..., 1] > 150) & (pixels[..., 0] < 100)
    assert 0.2 < green.mean() < 0.9, "half a disc fills a good part of the picture"


def test_changing_the_frame_costs(bpy: ModuleType, tmp_path: Path) -> None:
    """Says what; the figure that counts is that of tests/support/bench.py."""
    film(bpy, tmp_path, a_film([2000] * 50))
    times = []
    for frame in range(1, 51):
        start = time.perf_counter()
        bpy.context.scene.frame_set(frame)
        times.append(time.perf_counter() - start)
    print(f"{1000 * statistics.median(times):.2f} ms a frame of 2,000 vertices")


def test_a_second_film_makes_the_scene_longer_and_never_shorter(bpy: ModuleType, tmp_path: Path) -> None:
    scene = bpy.context.scene
    film(bpy, tmp_path, a_film([4] * 7))
    scene.frame_set(5)
    film(bpy, tmp_path, a_film([4] * 3))
    assert (scene.frame_start, scene.frame_end, scene.frame_current) == (1, 7, 5)
    film(bpy, tmp_path, a_film([4] * 9))
    assert (scene.frame_start, scene.frame_end, scene.frame_current) == (1, 9, 5)


def test_an_animation_that_is_there_keeps_its_frames(bpy: ModuleType, tmp_path: Path) -> None:
    scene = bpy.context.scene
    empty = bpy.data.objects.new("animated", None)
    scene.collection.objects.link(empty)
    empty.keyframe_insert("location", frame=1)
    scene.frame_start, scene.frame_end = 10, 500
    scene.frame_set(20)
    film(bpy, tmp_path, a_film([4] * 3))
    assert (scene.frame_start, scene.frame_end, scene.frame_current) == (10, 500, 20)
