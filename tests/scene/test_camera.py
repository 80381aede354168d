"""The camera that frames objects: whatever its direction, and the picture's sides, they are in the picture, and large."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from mosaic_addon.scene.pictures import camera as cameras
from tests.support.make_sessions import cloud, write_session

SIZES = ((1920, 1080), (500, 1500), (800, 800))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("orthographic", [False, True])
@pytest.mark.parametrize("view", cameras.VIEWS)
def test_all_is_in_the_picture(
    bpy: ModuleType, tmp_path: Path, view: str, orthographic: bool, size: tuple[int, int]
) -> None:
    from bpy_extras.object_utils import world_to_camera_view

    from mosaic_addon import api

    points = np.random.default_rng(1).uniform(-1, 1, (400, 3)).astype(np.float32) * (300, 900, 150)
    imported = api.load(write_session(tmp_path / "s.pickle", [cloud("c", points=points.astype(np.float32))]))
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = size
    direction, up = cameras.VIEWS[view]
    camera = cameras.frame_camera(scene, imported.objects, direction, up=up, orthographic=orthographic)
    bpy.context.view_layer.update()
    world = imported.objects[0].matrix_world
    seen = np.array(
        [
            world_to_camera_view(scene, camera, world @ p.vector)
            for p in imported.objects[0].data.attributes["position"].data
        ]
    )
    assert seen[:, :2].min() > 0
    assert seen[:, :2].max() < 1
    assert (seen[:, 2] > 0).all()
    assert np.ptp(seen[:, :2], axis=0).max() > 0.75
    assert np.allclose(np.array(camera.matrix_world)[:3, 1], up, atol=1e-5)
    assert np.allclose(-np.array(camera.matrix_world)[:3, 2], direction, atol=1e-5)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("orthographic", [False, True])
def test_all_stays_in_the_picture_of_a_turntable(
    bpy: ModuleType, tmp_path: Path, orthographic: bool, size: tuple[int, int]
) -> None:
    from bpy_extras.object_utils import world_to_camera_view
    from mathutils import Matrix, Vector

    from mosaic_addon import api

    points = np.random.default_rng(1).uniform(-1, 1, (200, 3)).astype(np.float32) * np.float32((100, 150, 900))
    imported = api.load(write_session(tmp_path / "s.pickle", [cloud("c", points=points)]))
    scene = bpy.context.scene
    direction = (0.2, 0.5, -1.0)
    api.set_up_picture(imported, api.RenderOptions(size), direction=direction, orthographic=orthographic, turning=True)
    world = imported.objects[0].matrix_world
    places = [world @ point.vector for point in imported.objects[0].data.attributes["position"].data]
    middle = Vector([(max(axis) + min(axis)) / 2 for axis in zip(*places, strict=True)])
    camera = scene.camera
    before, up = camera.matrix_world.copy(), camera.matrix_world.to_3x3().col[1]
    seen = []
    for step in range(24):
        turn = Matrix.Rotation(np.radians(15 * step), 4, up)
        camera.matrix_world = Matrix.Translation(middle) @ turn @ Matrix.Translation(-middle) @ before
        bpy.context.view_layer.update()
        seen += [world_to_camera_view(scene, camera, place) for place in places]
    shown = np.array(seen)
    assert shown[:, :2].min() > 0
    assert shown[:, :2].max() < 1
    assert np.ptp(shown[:, :2], axis=0).max() > 0.75
    assert np.allclose(shown[: len(places), :2].mean(axis=0), 0.5, atol=0.1)


def test_a_camera_that_is_there_is_used(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon import api

    imported = api.load(write_session(tmp_path / "s.pickle", [cloud("c", 30)]))
    scene = bpy.context.scene
    first = cameras.frame_camera(scene, imported.objects)
    first.data.lens = 20
    again = cameras.frame_camera(scene, imported.objects, orthographic=True, camera=first)
    assert (again, again.data.type) == (first, "ORTHO")
    assert [obj.name for obj in bpy.data.objects if obj.type == "CAMERA"] == ["Mosaic Camera"]


def test_the_densities_of_picks_are_in_the_picture(bpy: ModuleType, tmp_path: Path) -> None:
    from bpy_extras.object_utils import world_to_camera_view

    from mosaic_addon import api
    from tests.support.make_sessions import volume

    geometry = volume("picks", points=np.zeros((2, 3), np.float32))
    imported = api.load(write_session(tmp_path / "s.pickle", [geometry]))
    scene = bpy.context.scene
    camera = cameras.frame_camera(scene, imported.objects, orthographic=True)
    bpy.context.view_layer.update()
    corners = [
        world_to_camera_view(scene, camera, copy.matrix_world @ vertex.co)
        for copy in bpy.context.view_layer.depsgraph.object_instances
        if copy.is_instance
        for vertex in copy.object.data.vertices
    ]
    assert len(corners) > 4
    assert all(0 < corner.x < 1 and 0 < corner.y < 1 for corner in corners)
