"""Points and lines as the scene's camera sees them: flat discs that face it, and widths on the screen."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.scene.test_representations import GROUPS, LOOK, PIXEL, PLACES, drawn_as, make, one
from tests.support.built import set_input
from tests.support.drawn import parts_of


def place_camera(bpy: ModuleType, location: tuple[float, ...], turn: tuple[float, ...] = (0.5, 0.3, 0.2)) -> Any:
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.location, camera.rotation_euler = location, turn
    bpy.context.scene.collection.objects.link(camera)
    bpy.context.scene.camera = camera
    return camera


def depths(camera: Any, points: np.ndarray) -> np.ndarray:
    """How far in front of the camera world points are, along its view."""
    return -(np.c_[points, np.ones(len(points))] @ np.linalg.inv(np.array(camera.matrix_world)).T)[:, 2]


def test_flat_points_are_discs_that_face_the_camera_as_it_moves(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing.representation_parts import DISC_RADIUS

    obj = one(bpy, tmp_path, make("points", appearance=LOOK | {"render_spheres": False}), angstrom_per_unit=100.0)
    obj.parent.rotation_euler = (0.4, -0.9, 1.3)
    camera = place_camera(bpy, (3, -4, 5))
    for turn in ((0.5, 0.3, 0.2), (1.5, -0.4, 2.2)):
        camera.rotation_euler = turn
        parts = parts_of(bpy, obj)
        assert [len(part.corners) for part in parts] == [1] * 5
        towards = np.linalg.inv(np.array(obj.matrix_world, np.float64))[:3, :3] @ np.array(camera.matrix_world)[:3, 2]
        towards /= np.linalg.norm(towards)
        for part, place in zip(parts, PLACES, strict=True):
            arms = part.points - place
            np.testing.assert_allclose(np.linalg.norm(arms, axis=1), 10 * PIXEL / 2 * DISC_RADIUS, rtol=1e-4)
            np.testing.assert_allclose(arms @ towards, 0, atol=1e-2)
            assert np.cross(arms[0], arms[1]) @ towards > 0, "its front is away from the camera"


VIEWS = {
    "perspective": {"lens": 35.0, "shift_y": 0.1},
    "upright": {"lens": 80.0, "sensor_fit": "VERTICAL"},
    "orthographic": {"type": "ORTHO", "ortho_scale": 90.0},
}


def height_seen(bpy: ModuleType, camera: Any, points: np.ndarray) -> np.ndarray:
    """How high, in scene units, the camera's view is at the depth of world points."""
    corners = np.array(camera.data.view_frame(scene=bpy.context.scene))
    height = np.ptp(corners[:, 1])
    if camera.data.type == "ORTHO":
        return np.full(len(points), height)
    return height * depths(camera, points) / -corners[0, 2]


@pytest.mark.parametrize("view", list(VIEWS))
@pytest.mark.parametrize("how", ["plain", "Instances", "flat"])
def test_points_on_screen_are_as_wide_wherever_they_are(bpy: ModuleType, tmp_path: Path, how: str, view: str) -> None:
    from mosaic_addon.scene.drawing.appearance import set_number

    obj = one(bpy, tmp_path, make("points"), angstrom_per_unit=10.0)
    camera = place_camera(bpy, (20, 20, 150), (0.1, 0.05, 0.3))
    for name, value in VIEWS[view].items():
        setattr(camera.data, name, value)
    render = bpy.context.scene.render
    set_input(obj, "Instances", how == "Instances")
    if how == "flat":
        set_number([obj], "render_spheres", False)
    set_number([obj], "on_screen", True)
    world = PLACES @ np.array(obj.matrix_world)[:3, :3].T
    expected = np.empty(0)
    for size in ((400, 300), (300, 500)):
        render.resolution_x, render.resolution_y = size
        for turn in ((0.1, 0.05, 0.3), (0.0, -0.2, 0.1)):
            camera.rotation_euler = turn
            # Ten pixels of 900 in the picture's height, in angstrom.
            radii = radii_of(bpy, obj, how)
            expected = 10 / 900 / 2 * height_seen(bpy, camera, world) * 10
            np.testing.assert_allclose(radii, expected, rtol=1e-4)
    assert (np.ptp(expected) > 0.1 * expected.max()) == (view != "orthographic")
    set_input(obj, "Picture Height", 450.0)
    np.testing.assert_allclose(radii_of(bpy, obj, how), 2 * expected, rtol=1e-4)
    if view != "orthographic":
        camera.location.z = -100  # all points lie behind it
        np.testing.assert_allclose(radii_of(bpy, obj, how), 0, atol=1e-6)


def test_points_on_screen_have_their_size_in_space_where_no_camera_sees_them(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing.appearance import set_number

    obj = one(bpy, tmp_path, make("points"))
    set_number([obj], "on_screen", True)
    np.testing.assert_allclose(radii_of(bpy, obj, "plain"), 10 * PIXEL / 2, rtol=1e-5)
    empty = bpy.data.objects.new("Empty", None)
    bpy.context.scene.collection.objects.link(empty)
    bpy.context.scene.camera = empty  # which Blender lets one choose
    np.testing.assert_allclose(radii_of(bpy, obj, "plain"), 10 * PIXEL / 2, rtol=1e-5)


def test_points_on_screen_follow_the_scenes_camera_and_survive_a_saved_blend(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing.appearance import number_of, set_number

    obj = one(bpy, tmp_path, make("points"))
    set_number([obj], "on_screen", True)
    place_camera(bpy, (200, 200, 1500))
    near = radii_of(bpy, obj, "plain")
    place_camera(bpy, (200, 200, 15000))  # another one, which becomes the scene's
    far = radii_of(bpy, obj, "plain")
    assert (far > 8 * near).all()
    path = str(tmp_path / "s.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path, use_scripts=False)
    obj = bpy.data.objects["points"]
    assert number_of(obj, "on_screen") is True
    np.testing.assert_allclose(radii_of(bpy, obj, "plain"), far, rtol=1e-5)
    bpy.context.scene.camera.location.z = 1500
    np.testing.assert_allclose(radii_of(bpy, obj, "plain"), near, rtol=1e-4)


@pytest.mark.parametrize("kind", GROUPS)
def test_choosing_on_screen_keeps_all_inputs_and_their_keyframes(bpy: ModuleType, tmp_path: Path, kind: str) -> None:
    from mosaic_addon.scene.compat import ModifierInputs
    from mosaic_addon.scene.drawing.appearance import set_number
    from mosaic_addon.scene.drawing.representations import group_of

    obj = one(bpy, tmp_path, make(kind))
    modifier = obj.modifiers["Mosaic"]
    set_input(obj, "Representation", "Point Cloud")
    set_input(obj, "Sphere Detail", 3)
    inputs = ModifierInputs(modifier.node_group)
    for frame, size in ((1, 10.0), (3, 40.0)):
        inputs.set(modifier, "Size", size)
        assert obj.keyframe_insert(inputs.data_path(modifier, "Size"), frame=frame)
    names = [name for name in inputs if name not in ("Geometry", "On Screen", "Size")]
    before = inputs.several(modifier, names)
    for on_screen in (True, False):
        set_number([obj], "on_screen", on_screen)
        now = ModifierInputs(modifier.node_group)
        assert now.several(modifier, names) == before
        assert group_of(obj) == GROUPS[kind]
        sizes = []
        for frame in (1, 2, 3):
            bpy.context.scene.frame_set(frame)
            sizes.append(now.get(modifier, "Size"))
        assert sizes == [10, pytest.approx(25), 40]


def radii_of(bpy: ModuleType, obj: Any, how: str) -> np.ndarray:
    """The radii of points as they are drawn."""
    parts = parts_of(bpy, obj)
    if how == "plain":
        return np.asarray(parts[0].radii)
    return np.array([np.linalg.norm(part.matrix[:3, 0]) for part in parts])


def test_only_what_needs_the_camera_is_drawn_anew_when_it_moves(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing.appearance import number_of, set_number

    obj = one(bpy, tmp_path, make("points"))
    camera = place_camera(bpy, (200, 200, 1500))
    changed: list[str] = []

    def note(_: Any, graph: Any) -> None:
        changed.extend(update.id.name for update in graph.updates if update.is_updated_geometry)

    def is_drawn_anew() -> bool:
        bpy.context.view_layer.update()
        changed.clear()
        camera.location.x += 1
        bpy.context.view_layer.update()
        return obj.name in changed

    bpy.app.handlers.depsgraph_update_post.append(note)
    try:
        settings = ("size", "render_spheres", "on_screen", "viewport_amount")
        before = {name: number_of(obj, name) for name in settings}
        assert not is_drawn_anew()
        for name, value in (("on_screen", True), ("render_spheres", False)):
            set_number([obj], name, value)
            assert is_drawn_anew()
            set_number([obj], name, before[name])
            assert not is_drawn_anew()
        assert {name: number_of(obj, name) for name in settings} == before
    finally:
        bpy.app.handlers.depsgraph_update_post.remove(note)


def test_soft_points_have_their_size_in_space_whatever_the_camera(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing.appearance import set_number

    obj = one(bpy, tmp_path, make("points"))
    place_camera(bpy, (200, 200, 1500))
    set_number([obj], "on_screen", True)
    set_number([obj], "render_spheres", False)
    (part,) = drawn_as(bpy, obj, "Gaussian Density")
    np.testing.assert_allclose(part.radii, 6, rtol=1e-6)
    set_input(obj, "Splat Radius", 11.0)
    np.testing.assert_allclose(parts_of(bpy, obj)[0].radii, 11, rtol=1e-6)


def test_lines_on_screen_are_as_wide_wherever_they_are(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing.appearance import set_number

    obj = one(bpy, tmp_path, make("mesh"))
    camera = place_camera(bpy, (-300, 200, 500), (0, -0.7, 0))
    set_number([obj], "on_screen", True)
    (wires,) = drawn_as(bpy, obj, "Wireframe")
    ends = np.array([PLACES[np.linalg.norm(PLACES[:4] - point, axis=1).argmin()] for point in wires.points])
    expected = height_seen(bpy, camera, ends) / 900 / 2
    assert np.ptp(expected) > 0.1 * expected.max()
    np.testing.assert_allclose(np.linalg.norm(wires.points - ends, axis=1), expected, rtol=1e-2)
