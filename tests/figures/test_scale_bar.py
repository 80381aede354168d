"""A scale bar is as long as what it says, in the plane of the session's middle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.letters import corners_of, letters_in
from tests.support.make_sessions import cloud, write_session

MIDDLE = (500.0, 300.0, 200.0)


def bar_of(bpy: ModuleType, item: Any) -> Any:
    """The corners of a bar, (4, 3), as seen by the camera: parts of the picture, and depth."""
    from bpy_extras.object_utils import world_to_camera_view

    bpy.context.view_layer.update()
    evaluated = item.evaluated_get(bpy.context.view_layer.depsgraph)
    corners = [item.matrix_world @ vertex.co for vertex in evaluated.data.vertices[:4]]
    return np.array([world_to_camera_view(bpy.context.scene, bpy.context.scene.camera, each) for each in corners])


@pytest.fixture
def imported(bpy: ModuleType, tmp_path: Path) -> Any:
    from mosaic_addon import api

    points = np.random.default_rng(1).uniform(0, 1, (400, 3)) * 2 * np.array(MIDDLE)
    return api.load(write_session(tmp_path / "s.pickle", [cloud("c", points=points.astype(np.float32))]))


@pytest.mark.parametrize("orthographic", [False, True])
@pytest.mark.parametrize("size", [(1600, 900), (600, 900)])
def test_a_bar_is_as_long_as_a_ruler(bpy: ModuleType, imported: Any, orthographic: bool, size: tuple[int, int]) -> None:
    from bpy_extras.object_utils import world_to_camera_view
    from mathutils import Vector

    from mosaic_addon.scene.figures.scale_bar import ScaleBar, add_scale_bar
    from mosaic_addon.scene.pictures.camera import frame_camera

    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = size
    camera = frame_camera(scene, imported.objects, (0.3, -1, -0.4), orthographic=orthographic)
    item = add_scale_bar(scene, imported.collection, ScaleBar(length=250))
    imported.root.location = (0.2, 0.1, 0.3)
    bar = bar_of(bpy, item)
    # A ruler of 250 A across the line of sight, at the session's middle.
    middle = imported.root.matrix_world @ Vector(MIDDLE)
    right = camera.matrix_world.to_3x3().col[0] * 125 * imported.root.matrix_world.to_scale()[0]
    ruler = [world_to_camera_view(scene, camera, middle + sign * right).x for sign in (-1, 1)]
    assert np.ptp(bar[:, 0]) * size[0] == pytest.approx((ruler[1] - ruler[0]) * size[0], abs=0.5)
    # It stands in the corner, six points of the print from the borders.
    margin = 6 / (85 / 25.4 * 72)
    assert 1 - bar[:, 0].max() == pytest.approx(margin, abs=1e-4)
    assert bar[:, 1].min() == pytest.approx(margin * size[0] / size[1], abs=1e-4)


@pytest.mark.parametrize("engine", ["cycles", "workbench"])
@pytest.mark.parametrize("orthographic", [False, True])
def test_a_bar_in_a_picture_is_as_long_as_a_ruler_in_it(
    bpy: ModuleType, imported: Any, tmp_path: Path, orthographic: bool, engine: str
) -> None:
    from mathutils import Matrix

    from mosaic_addon import api
    from mosaic_addon.scene.figures.scale_bar import ScaleBar, add_scale_bar
    from mosaic_addon.scene.pictures.camera import frame_camera
    from mosaic_addon.scene.pictures.render import render_to

    scene = bpy.context.scene
    api.set_up_picture(imported, api.RenderOptions((480, 360), engine, samples=16, look="flat"))
    camera = frame_camera(scene, imported.objects, (0.3, -1, -0.4), orthographic=orthographic, camera=scene.camera)
    add_scale_bar(scene, imported.collection, ScaleBar(length=250, label=False, thickness=4, color=(0, 0, 1)))
    imported.objects[0].hide_render = True
    # A ruler of 250 A through the session's middle, across the line of sight.
    mesh = bpy.data.meshes.new("Ruler")
    mesh.from_pydata([(x, y, 0) for x, y in ((-125, -10), (125, -10), (125, 10), (-125, 10))], [], [(0, 1, 2, 3)])
    red = bpy.data.materials.new("Red")
    red.use_nodes = True
    red.node_tree.nodes.clear()
    shine = red.node_tree.nodes.new("ShaderNodeEmission")
    shine.inputs["Color"].default_value = (1, 0, 0, 1)
    out = red.node_tree.nodes.new("ShaderNodeOutputMaterial")
    red.node_tree.links.new(shine.outputs[0], out.inputs[0])
    red.diffuse_color = (1, 0, 0, 1)
    mesh.materials.append(red)
    ruler = bpy.data.objects.new("Ruler", mesh)
    scene.collection.objects.link(ruler)
    ruler.parent = imported.root
    bpy.context.view_layer.update()
    turn = imported.root.matrix_world.to_3x3().normalized().inverted() @ camera.matrix_world.to_3x3().normalized()
    ruler.matrix_local = Matrix.Translation(MIDDLE) @ turn.to_4x4()
    render_to(scene, tmp_path / "ruler.png")
    pixels = np.asarray(Image.open(tmp_path / "ruler.png").convert("RGB"), np.float64) / 255
    # What is missing of green in a row is covered, in parts of pixels.
    covered = 1 - pixels[..., 1]
    is_red = (pixels[..., 0] > pixels[..., 2] + 0.2).any(axis=1)
    is_blue = (pixels[..., 2] > pixels[..., 0] + 0.2).any(axis=1)
    lengths = [covered[rows].sum(axis=1).max() / covered[rows].max() for rows in (is_red, is_blue)]
    assert 40 < lengths[0] < 480
    assert lengths[1] == pytest.approx(lengths[0], abs=1)


@pytest.mark.parametrize("zoom", [0.02, 1.0, 3.0, 40.0])
def test_the_length_is_chosen_near_a_fifth_of_the_width(bpy: ModuleType, imported: Any, zoom: float) -> None:
    from mosaic_addon.scene.figures.scale_bar import add_scale_bar
    from mosaic_addon.scene.pictures.camera import frame_camera

    scene = bpy.context.scene
    camera = frame_camera(scene, imported.objects, orthographic=True)
    item = add_scale_bar(scene, imported.collection)
    camera.data.ortho_scale /= zoom  # it follows
    part = np.ptp(bar_of(bpy, item)[:, 0])
    assert 0.2 / 1.6 < part < 0.2 * 1.6
    width = camera.data.ortho_scale * scene.render.resolution_x / scene.render.resolution_y
    length = part * width / imported.root.matrix_world.to_scale()[0]
    lead = float(f"{length:.3e}".split("e")[0])
    assert min(abs(lead - each) for each in (1, 2, 5, 10)) < 0.01


@pytest.mark.parametrize(
    ("length", "unit", "label"),
    [
        (5.0, "", "5 \u00c5"),
        (12.5, "", "1.25 nm"),
        (500.0, "", "50 nm"),
        (20_000.0, "", "2 \u00b5m"),
        (500.0, "angstrom", "500 \u00c5"),
        (500.0, "um", "0.05 \u00b5m"),
    ],
)
def test_the_label_says_the_length(bpy: ModuleType, imported: Any, length: float, unit: str, label: str) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.figures.scale_bar import ScaleBar, add_scale_bar

    api.set_up_picture(imported)
    item = add_scale_bar(bpy.context.scene, imported.collection, ScaleBar(length=length, unit=unit))
    assert corners_of(bpy, item) - 4 == letters_in(bpy, label)


def test_senseless_bars_are_refused(bpy: ModuleType, imported: Any) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.figures.scale_bar import ScaleBar, add_scale_bar

    api.set_up_picture(imported)
    for options, words in ((ScaleBar(length=-1), "cannot be -1"), (ScaleBar(unit="mm"), "no unit 'mm'")):
        with pytest.raises(api.MosaicError, match=words):
            add_scale_bar(bpy.context.scene, imported.collection, options)
    assert "Mosaic Figure" not in bpy.data.collections


def test_what_a_bar_is_set_to_is_read_back(bpy: ModuleType, imported: Any) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.figures.scale_bar import ScaleBar, add_scale_bar, scale_bar_of, set_scale_bar

    api.set_up_picture(imported)
    item = add_scale_bar(bpy.context.scene, imported.collection)
    assert scale_bar_of(item) == ScaleBar()
    other = ScaleBar(500.0, "angstrom", False, -0.5, 0.25, 3.0, 8.0, 4.0, (1.0, 0.5, 0.0))
    set_scale_bar(item, other)
    read = scale_bar_of(item)
    assert read.color == pytest.approx(other.color, abs=1e-6)
    assert replace(read, color=other.color) == other
