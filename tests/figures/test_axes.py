"""The corner's arrows point as the session's axes do; the bounding box is the tomogram's."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.support.make_sessions import cloud, write_session


@pytest.fixture
def imported(bpy: ModuleType, tmp_path: Path) -> Any:
    from mosaic_addon import api

    sizes = {"metadata": {"shape": (100, 200, 50), "physical_shape": (680.0, 1360.0, 340.0)}}
    points = np.random.default_rng(1).uniform(100, 300, (60, 3)).astype(np.float32)
    imported = api.load(write_session(tmp_path / "s.pickle", [cloud("c", 60, points=points)], **sizes))
    api.set_up_picture(imported, api.RenderOptions((900, 600)), direction=(0.3, 0.8, -0.5))
    return imported


def vertices_of(bpy: ModuleType, item: Any) -> Any:
    """The vertices that an item is drawn by, (n, 3), in its own coordinates."""
    bpy.context.view_layer.update()
    mesh = item.evaluated_get(bpy.context.view_layer.depsgraph).data
    return np.array([vertex.co for vertex in mesh.vertices])


def test_arrows_point_along_the_axes(bpy: ModuleType, imported: Any) -> None:
    from mosaic_addon.scene.figures.axes import add_axes

    item = add_axes(bpy.context.scene, imported.collection)
    imported.root.rotation_euler = (0.4, -0.2, 0.9)
    vertices = vertices_of(bpy, item)
    arrows = np.split(vertices[: 3 * (24 + 17)], 3)  # each of a cylinder and a cone
    turn = np.array(bpy.context.scene.camera.matrix_world.to_3x3().transposed() @ imported.root.matrix_world.to_3x3())
    turn = turn / np.linalg.norm(turn, axis=0)
    for axis, arrow in enumerate(arrows):
        arrow = arrow / (1, 1, 0.01)  # flattened
        direction = arrow[24:].mean(axis=0) - arrow[:24].mean(axis=0)
        assert np.dot(direction / np.linalg.norm(direction), turn[:, axis]) > 0.999


def test_the_bounding_box_is_that_of_the_tomogram(bpy: ModuleType, imported: Any) -> None:
    from mosaic_addon.scene.figures.axes import BoundingBox, add_bounding_box, bounding_box_of, set_bounding_box

    item = add_bounding_box(bpy.context.scene, imported.collection, BoundingBox(line=0.1))
    bpy.context.view_layer.update()
    assert np.allclose(item.matrix_world, imported.root.matrix_world)
    vertices = vertices_of(bpy, item)
    assert np.allclose(vertices.max(axis=0), (680, 1360, 340), atol=3)
    assert (vertices.min(axis=0) < 0).sum() == 2  # ticks, outwards along x and y
    ticks = vertices[vertices[:, 0] < -10]
    steps = np.unique(np.round(ticks[:, 1][ticks[:, 2] < 5] / 10) * 10)
    assert steps.tolist() == [0, 200, 400, 600, 800, 1000, 1200]
    set_bounding_box(item, BoundingBox(500.0, 1.0))
    assert bounding_box_of(item) == BoundingBox(500.0, 1.0, pytest.approx((0.3, 0.3, 0.3)))


def test_a_session_without_size_has_the_box_of_its_points(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.figures.axes import add_bounding_box

    points = np.array([[10, 20, 30], [110, 320, 40]], np.float32)
    imported = api.load(write_session(tmp_path / "s.pickle", [cloud("c", 2, points=points)]))
    api.set_up_picture(imported)
    del imported.collection["mosaic_tomogram_size"]
    item = add_bounding_box(bpy.context.scene, imported.collection)
    assert np.allclose(vertices_of(bpy, item).max(axis=0), (110, 320, 40), atol=3)
    imported.objects[0].hide_render = True
    with pytest.raises(api.MosaicError, match="neither a size nor visible points"):
        add_bounding_box(bpy.context.scene, imported.collection)
