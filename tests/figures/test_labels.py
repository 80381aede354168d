"""Labels point at what they name, whatever the camera; texts stand where they are put."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.support.make_sessions import cloud, write_session


@pytest.fixture
def imported(bpy: ModuleType, tmp_path: Path) -> Any:
    from mosaic_addon import api

    points = np.random.default_rng(1).uniform(0, 900, (60, 3)).astype(np.float32)
    imported = api.load(write_session(tmp_path / "s.pickle", [cloud("Lumen", 60, points=points)]))
    api.set_up_picture(imported, api.RenderOptions((900, 600)), direction=(0.3, 0.8, -0.5))
    return imported


def drawn(bpy: ModuleType, item: Any) -> Any:
    """The vertices that an item is drawn by, (n, 3), as seen by the camera: parts of the picture, and depth."""
    from bpy_extras.object_utils import world_to_camera_view

    scene = bpy.context.scene
    bpy.context.view_layer.update()
    mesh = item.evaluated_get(bpy.context.view_layer.depsgraph).data
    return np.array([world_to_camera_view(scene, scene.camera, item.matrix_world @ v.co) for v in mesh.vertices])


@pytest.mark.parametrize("orthographic", [False, True])
@pytest.mark.parametrize("offset", [(20.0, 0.0), (-20.0, 5.0), (3.0, -20.0)])
def test_a_label_points_at_its_object(
    bpy: ModuleType, imported: Any, orthographic: bool, offset: tuple[float, float]
) -> None:
    from bpy_extras.object_utils import world_to_camera_view
    from mathutils import Vector

    from mosaic_addon.scene.figures.labels import Label, add_label

    scene, (obj,) = bpy.context.scene, imported.objects
    item = add_label(scene, [obj], Label(offset=offset, halo=0.0), point=(100.0, 800.0, 300.0))
    data = scene.camera.data
    data.type = "ORTHO" if orthographic else "PERSP"
    data.shift_x, data.shift_y = 0.06, -0.04
    imported.root.rotation_euler = (0.3, 0.5, 0.1)
    vertices = drawn(bpy, item)
    place = world_to_camera_view(scene, scene.camera, obj.matrix_world @ Vector((100, 800, 300)))
    points = (vertices[:, :2] - place[:2]) * (900, 600) / (900 / (85 / 25.4 * 72))  # from the place, in points
    assert np.linalg.norm(points, axis=1).min() < 0.5
    text = points[:-24] if len(points) > 24 else points
    # The text lies beyond the end of the line.
    if abs(offset[0]) > abs(offset[1]):
        assert (text[:, 0] * np.sign(offset[0])).max() > abs(offset[0]) + 5
    else:
        assert (text[:, 1] * np.sign(offset[1])).max() > abs(offset[1]) + 5


def test_what_is_behind_the_camera_has_no_label(bpy: ModuleType, imported: Any) -> None:
    from mosaic_addon.scene.figures.labels import add_label

    scene = bpy.context.scene
    item = add_label(scene, imported.objects)
    assert len(drawn(bpy, item)) > 50
    imported.root.location = scene.camera.matrix_world.col[2].to_3d() * 1000
    assert len(drawn(bpy, item)) == 0


def test_a_text_stands_in_its_corner(bpy: ModuleType, imported: Any) -> None:
    from mosaic_addon.scene.figures.labels import PictureText, add_text

    vertices = drawn(bpy, add_text(bpy.context.scene, PictureText("H", size=10.0)))
    size = vertices[:, :2].max(axis=0) - vertices[:, :2].min(axis=0)
    width = 85 / 25.4 * 72
    assert size[1] * 600 / 900 * width == pytest.approx(7.3, abs=0.1)  # the capitals of a font of 10 points
    assert vertices[:, 0].min() * width == pytest.approx(6, abs=0.01)
    assert (1 - vertices[:, 1].max()) * width * 600 / 900 == pytest.approx(6, abs=0.01)


def rim_of(bpy: ModuleType, item: Any) -> Any:
    """The colour of the rim around a label's letters."""
    from mosaic_addon.scene.drawing.ink import INK
    from mosaic_addon.scene.figures.overlay import inputs_of

    (rim,) = inputs_of(item, ("Halo",))
    return rim.node_tree.nodes[INK].inputs["Color"].default_value[:3]


def test_labels_and_texts_are_read_back(bpy: ModuleType, imported: Any) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.figures import labels, overlay

    scene = bpy.context.scene
    materials = set(bpy.data.materials)
    label = labels.add_label(scene, imported.objects)
    assert labels.label_of(label) == labels.Label("Lumen", halo=pytest.approx(0.7))
    other = labels.Label("Inside", (-3.0, 9.0), 8.0, 0.25, 1.5, (1.0, 1.0, 1.0))
    labels.set_label(label, other)
    read = labels.label_of(label)
    assert replace(read, color=other.color) == other
    assert rim_of(bpy, label) == pytest.approx((0.0, 0.0, 0.0))  # dark behind white letters
    text = labels.add_text(scene, labels.PictureText("A"))
    labels.set_text(text, labels.PictureText("B", 1.0, -1.0, 12.0, 3.0))
    assert labels.text_of(text) == labels.PictureText("B", 1.0, -1.0, 12.0, 3.0)
    for item in (label, text):
        overlay.remove_item(item)
    assert set(bpy.data.materials) == materials
    with pytest.raises(api.MosaicError, match="Select what"):
        labels.add_label(scene, [])
