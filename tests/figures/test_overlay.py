"""The plane before the camera: one of its units is a point of the print, whatever camera and picture."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mosaic_addon.scene.figures import numbers
from tests.support.make_sessions import cloud, write_session

SIZES = ((1920, 1080), (500, 1500))


@pytest.fixture
def scene(bpy: ModuleType) -> Any:
    """A scene with a camera that stands askew."""
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    bpy.context.scene.collection.objects.link(camera)
    bpy.context.scene.camera = camera
    camera.location, camera.rotation_euler = (3, -4, 5), (0.7, 0.2, 2.0)
    return bpy.context.scene


def add_bar(scene: Any) -> Any:
    """Add a scale bar for the camera's own lengths."""
    from mosaic_addon.scene.drawing.node_tree import shared_group
    from mosaic_addon.scene.figures import overlay, scale_bar

    group = shared_group(scale_bar.GROUP, "GeometryNodeTree", 1, scale_bar._build)
    return overlay.add_item(scene, "scale bar", group, {"Session": scene.camera}, (0, 0, 0))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("kind", "fit"), list(product(("PERSP", "ORTHO"), ("AUTO", "HORIZONTAL", "VERTICAL"))))
def test_a_unit_is_a_point_of_the_print(
    bpy: ModuleType, scene: Any, size: tuple[int, int], kind: str, fit: str
) -> None:
    from bpy_extras.object_utils import world_to_camera_view
    from mathutils import Vector

    from mosaic_addon.scene.figures import overlay

    overlay.set_print_width(scene, 170.0)
    plane = overlay.overlay_of(scene)
    scene.render.resolution_x, scene.render.resolution_y = size
    data = scene.camera.data
    data.type, data.sensor_fit = kind, fit
    data.lens, data.ortho_scale, data.shift_x, data.shift_y, data.clip_start = 35.0, 7.0, 0.1, -0.05, 0.03
    data.sensor_width, data.sensor_height = 30.0, 20.0
    bpy.context.view_layer.update()
    width = 170 / 25.4 * 72
    corner = Vector((width / 2, width / 2 * size[1] / size[0], 0))
    seen = [world_to_camera_view(scene, scene.camera, plane.matrix_world @ at) for at in (corner, -corner)]
    assert np.allclose([each[:2] for each in seen], [(1, 1), (0, 0)], atol=1e-4)
    assert seen[0].z == pytest.approx(0.3, abs=1e-5)


def test_no_driver_needs_python(bpy: ModuleType, scene: Any) -> None:
    from mosaic_addon.scene.figures import overlay

    item = add_bar(scene)
    drivers = [curve.driver for obj in (item, overlay.overlay_of(scene)) for curve in obj.animation_data.drivers]
    assert len(drivers) == 11
    assert all(driver.is_simple_expression and driver.is_valid for driver in drivers)


def test_the_plane_follows_another_camera(bpy: ModuleType, scene: Any) -> None:
    from mosaic_addon.scene.figures import overlay

    plane = overlay.overlay_of(scene)
    other = scene.camera.copy()
    other.data = scene.camera.data.copy()
    scene.collection.objects.link(other)
    other.data.type, other.data.ortho_scale = "ORTHO", 100.0
    scene.camera = other
    overlay.follow_camera(scene)
    bpy.context.view_layer.update()
    assert plane.parent == other
    assert plane.matrix_world.to_scale().x == pytest.approx(100 / (85 / 25.4 * 72))


def test_paper_lies_behind_the_picture_in_views(bpy: ModuleType, scene: Any) -> None:
    """So that black ink can be read where a view shows its dark grey."""
    from mosaic_addon.scene.figures import overlay
    from mosaic_addon.scene.pictures.looks import apply_look, set_background

    def color() -> list[float]:
        (image,) = bpy.data.images
        return [round(value, 3) for value in image.generated_color]

    first = scene.camera
    item = add_bar(scene)
    assert len(first.data.background_images) == 1
    apply_look(scene, "full", "white")
    assert color() == [1, 1, 1, 1]
    set_background(scene, "dark")
    assert color() == [0.094, 0.094, 0.106, 1]
    scene.camera = bpy.data.objects.new("Other", bpy.data.cameras.new("Other"))
    own = scene.camera.data.background_images.new()
    overlay.follow_camera(scene)
    assert not first.data.background_images
    assert not first.data.show_background_images
    assert len(scene.camera.data.background_images) == 2
    overlay.remove_item(item)
    assert list(scene.camera.data.background_images) == [own]
    assert not bpy.data.images


def test_a_scene_without_camera_is_told_so(bpy: ModuleType) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.figures import overlay

    with pytest.raises(api.MosaicError, match="no camera"):
        overlay.overlay_of(bpy.context.scene)


def test_removed_items_leave_nothing(bpy: ModuleType, scene: Any) -> None:
    from mosaic_addon.scene.figures import overlay

    def everything() -> list[Any]:
        kinds = ("objects", "meshes", "materials", "collections")
        return [each for kind in kinds for each in getattr(bpy.data, kind)]

    before = everything()
    first, second = add_bar(scene), add_bar(scene)
    assert overlay.items_of(scene) == [first, second]
    overlay.remove_item(first)
    assert overlay.items_of(scene) == [second]
    overlay.remove_item(second)
    assert everything() == before


def test_what_is_drawn_is_never_saved(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.figures import overlay, scale_bar

    path = write_session(tmp_path / "s.pickle", [cloud("c", 30)])
    imported = api.load(path)
    api.set_up_picture(imported, api.RenderOptions((200, 100)))
    item = scale_bar.add_scale_bar(bpy.context.scene, imported.collection)
    imported.collection.children[0].objects.link(item)
    imported.collection.children[0].objects.link(overlay.overlay_of(bpy.context.scene))
    assert not api.unsaved_changes(imported.collection, bpy.context.scene, bpy.context.view_layer)
    saved = api.save(imported, tmp_path / "saved.pickle")
    assert not saved.warnings
    assert [geometry.name for geometry in api.open_session(tmp_path / "saved.pickle").clusters] == ["c"]


def test_the_camera_frames_the_session_alone(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.figures import scale_bar
    from mosaic_addon.scene.pictures.camera import visible_points

    imported = api.load(write_session(tmp_path / "s.pickle", [cloud("c", 30)]))
    api.set_up_picture(imported, api.RenderOptions((200, 100)))
    scale_bar.add_scale_bar(bpy.context.scene, imported.collection)
    assert len(visible_points(bpy.context.scene.objects)) == 30


# --- numbers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("length", "unit", "text"),
    [
        (5, None, "5 \u00c5"),
        (10, None, "1 nm"),
        (500, None, "50 nm"),
        (25, None, "2.5 nm"),
        (10_000, None, "1 \u00b5m"),
        (500, "angstrom", "500 \u00c5"),
        (500, "um", "0.05 \u00b5m"),
        (1234.5, "nm", "123.45 nm"),
    ],
)
def test_lengths_are_written_in_a_fitting_unit(length: float, unit: str | None, text: str) -> None:
    assert numbers.length_text(length, unit) == text


def test_nodes_round_as_python_does(bpy: ModuleType) -> None:
    from mosaic_addon.scene.drawing.node_tree import NodeProgram
    from mosaic_addon.scene.figures import overlay_nodes as parts

    values = 10 ** np.random.default_rng(1).uniform(-3, 6, 300).astype(np.float32)
    values[:6] = (1, 2, 5, 10, 0.05, 2500)
    group = bpy.data.node_groups.new("Test", "GeometryNodeTree")
    program = NodeProgram(group)
    program.input("Mesh", "Geometry")
    program.output("Mesh", "Geometry")
    start = program.node("NodeGroupInput").outputs
    value = program.node(
        "ShaderNodeSeparateXYZ", inputs={"Vector": program.node("GeometryNodeInputPosition").outputs[0]}
    )
    rounded = parts.round_number(program, value.outputs["X"])
    answers = program.node(
        "ShaderNodeCombineXYZ", inputs={"X": rounded, "Y": parts.decimals(program, value.outputs["X"])}
    )
    moved = program.node("GeometryNodeSetPosition", inputs={"Geometry": start[0], "Position": answers.outputs[0]})
    program.node("NodeGroupOutput", inputs={"Mesh": moved.outputs[0]})
    mesh = bpy.data.meshes.new("Values")
    mesh.from_pydata(np.stack([values, values * 0, values * 0], axis=1).tolist(), [], [])
    obj = bpy.data.objects.new("Values", mesh)
    bpy.context.scene.collection.objects.link(obj)
    obj.modifiers.new("Test", "NODES").node_group = group
    bpy.context.view_layer.update()
    got = np.array([v.co[:2] for v in obj.evaluated_get(bpy.context.view_layer.depsgraph).data.vertices])
    assert np.allclose(got[:, 0], [numbers.round_number(float(value)) for value in values], rtol=1e-5)
    assert got[:, 1].tolist() == [numbers.decimals(float(value)) for value in values]
