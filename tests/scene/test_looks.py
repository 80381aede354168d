"""Looks: what a picture shows of colours, backgrounds, creases and edges."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

COLOR = (0.8, 0.4, 0.2)
SIZE = 48

Picture = NDArray[np.float64]


@pytest.fixture
def scene(bpy: ModuleType) -> Any:
    """A cube, a smaller one on it and, apart, a point, seen from above."""
    from mosaic_addon.scene.pictures.options import RenderOptions
    from mosaic_addon.scene.pictures.render import set_up_render

    scene = bpy.context.scene
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.data.type, camera.data.ortho_scale = "ORTHO", 8.0
    camera.location.z = 20
    scene.collection.objects.link(camera)
    scene.camera = camera
    add_cube(bpy, (0, 0, 0), 4.0)
    add_cube(bpy, (0, 0, 2.75), 1.5)
    add_point(bpy, (-3, 3, 0), 0.8)
    set_up_render(scene, RenderOptions((SIZE, SIZE), samples=16))
    return scene


def add_cube(bpy: ModuleType, place: tuple[float, float, float], side: float) -> None:
    corners = [(x, y, z) for z in (-0.5, 0.5) for y in (-0.5, 0.5) for x in (-0.5, 0.5)]
    mesh = bpy.data.meshes.new("Cube")
    faces = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    mesh.from_pydata([tuple(side * value for value in corner) for corner in corners], [], faces)
    add(bpy, mesh, place)


def add_point(bpy: ModuleType, place: tuple[float, float, float], radius: float) -> None:
    from mosaic_addon.scene.compat import PointCloudFactory

    with PointCloudFactory() as clouds:
        cloud = clouds.new("Point", 1, lambda items: items.foreach_set("vector", np.zeros(3, np.float32)))
    attribute = cloud.attributes.get("radius") or cloud.attributes.new("radius", "FLOAT", "POINT")
    attribute.data.foreach_set("value", np.full(1, radius, np.float32))
    add(bpy, cloud, place)


def add(bpy: ModuleType, data: Any, place: tuple[float, float, float]) -> None:
    from mosaic_addon.scene.drawing.materials import MaterialFactory
    from mosaic_addon.session.session import Appearance

    data.materials.append(MaterialFactory(1).new(data.name, Appearance(base_color=COLOR)))
    obj = bpy.data.objects.new(data.name, data)
    obj.location = place
    bpy.context.scene.collection.objects.link(obj)


@pytest.fixture
def picture(scene: Any, tmp_path: Path) -> Callable[..., Picture]:
    """Renders in a look; gives the display values of the picture, 0 to 255, (SIZE, SIZE, 3 or 4), top row first."""
    from PIL import Image

    from mosaic_addon.scene.pictures.looks import apply_look
    from mosaic_addon.scene.pictures.render import render_to

    def render(look: str, background: str = "white") -> Picture:
        apply_look(scene, look, background)
        render_to(scene, tmp_path / "picture.png")
        with Image.open(tmp_path / "picture.png") as image:
            return np.asarray(image, np.float64)

    return render


# Where things are in the picture.
MIDDLE = (slice(22, 26), slice(22, 26))  # of the small cube's upper side
FLOOR = (slice(14, 17), slice(14, 17))  # the large cube's upper side, away from the small one
POINT = (slice(5, 8), slice(5, 8))
OUTSIDE = (slice(44, 47), slice(44, 47))


def test_flat_shows_base_colours_unchanged(picture: Callable[..., Picture]) -> None:
    flat = picture("flat")
    for where in (MIDDLE, FLOOR, POINT):
        assert np.abs(flat[where] - np.array(COLOR) * 255).max() <= 1


@pytest.mark.parametrize("look", ["simple", "full", "flat", "poster", "silhouettes", "ink", "clay"])
def test_backgrounds_are_exact(picture: Callable[..., Picture], look: str) -> None:
    assert (picture(look, "white")[OUTSIDE] == 255).all()
    assert (picture(look, "dark")[OUTSIDE] == np.rint(np.array((0.094, 0.094, 0.106)) * 255)).all()
    clear = picture(look, "transparent")
    assert clear.shape[2] == 4
    assert (clear[OUTSIDE][..., 3] == 0).all()
    assert (clear[MIDDLE][..., 3] == 255).all()


def test_poster_darkens_creases_and_nothing_else(picture: Callable[..., Picture]) -> None:
    flat, poster = picture("flat"), picture("poster")
    crease = (slice(21, 27), slice(18, 19))  # of the large cube, beside the small one
    assert (poster[crease] < 0.95 * flat[crease]).all()
    for open_place in (MIDDLE, POINT):
        assert np.abs(poster[open_place] - flat[open_place]).mean() <= 1


def test_silhouettes_draw_dark_lines_at_edges_and_not_inside(picture: Callable[..., Picture]) -> None:
    simple = picture("simple", "transparent")
    lines = picture("silhouettes", "transparent")
    assert lines[24, 10:14, :3].min() < 40  # the outline of the large cube
    assert lines[24, 17:22, :3].min() < 40  # the small one before it
    for where in (MIDDLE, FLOOR):
        assert np.abs(lines[where] - simple[where]).max() <= 1
    assert (lines[OUTSIDE][..., 3] == 0).all()


def test_a_translucent_object_gets_no_lines(scene: Any, picture: Callable[..., Picture]) -> None:
    for obj in scene.objects:
        if obj.type == "MESH":
            obj.data.materials[0].node_tree.nodes["Mosaic Surface"].inputs["Opacity"].default_value = 0.3
    assert picture("silhouettes")[14:40, 14:40].min() > 60


def test_headlight_adds_mosaics_weights_in_display_values(picture: Callable[..., Picture]) -> None:
    lit = np.array(COLOR) * (0.3 + 0.7) + 0.2  # ambient, diffuse and specular, where the surface faces the viewer
    assert np.abs(picture("simple")[MIDDLE] - np.minimum(lit, 1) * 255).max() <= 2


def test_glass_is_clear_where_one_looks_through_it_and_points_stay_solid(
    scene: Any, picture: Callable[..., Picture]
) -> None:
    cloud = next(obj.data for obj in scene.objects if obj.type == "POINTCLOUD")
    cloud.attributes.new("mosaic_sprite", "FLOAT", "POINT").data[0].value = 1.0  # as our nodes mark points
    glass = picture("glass", "transparent")
    assert glass[MIDDLE][..., 3].max() < 130  # three sides behind each other
    assert glass[MIDDLE][..., 3].min() > 20
    assert (glass[POINT][..., 3] == 255).all()


def test_ink_is_grey_and_paler_with_the_distance(picture: Callable[..., Picture]) -> None:
    ink = picture("ink")
    assert np.ptp(ink, axis=2).max() <= 1
    assert ink[24, 10:14].min() < 130  # a line, at the far end of the scene
    assert ink[24, 17:22].min() < ink[24, 10:14].min() - 20  # and one that is nearer


def test_clay_has_one_colour(picture: Callable[..., Picture]) -> None:
    clay = picture("clay")
    for where in (MIDDLE, FLOOR, POINT):
        red, green, blue = clay[where].reshape(-1, 3).mean(axis=0)
        assert red > green > blue > 0.6 * red


def test_lines_are_the_same_when_drawn_again(picture: Callable[..., Picture]) -> None:
    assert (picture("silhouettes") == picture("silhouettes")).all()


def test_a_look_takes_the_place_of_another(bpy: ModuleType, scene: Any) -> None:
    from mosaic_addon.scene.compat import compositing_tree
    from mosaic_addon.scene.pictures.looks import apply_look
    from mosaic_addon.scene.pictures.options import LOOKS

    def counts() -> list[int]:
        kinds = (bpy.data.objects, bpy.data.lights, bpy.data.worlds, bpy.data.materials, bpy.data.node_groups)
        return [len(kind) for kind in kinds]

    apply_look(scene, "flat")
    before = counts()
    for look in (*LOOKS, *LOOKS, "flat"):
        apply_look(scene, look, "dark")
    assert counts() == before
    assert compositing_tree(scene) is None
    assert not scene.view_layers[0].use_pass_z


def test_a_look_leaves_materials_and_what_is_the_users(bpy: ModuleType, scene: Any) -> None:
    from mosaic_addon.scene.pictures.looks import apply_look
    from mosaic_addon.scene.pictures.options import LOOKS

    lamp = bpy.data.objects.new("Mosaic Key", bpy.data.lights.new("Mosaic Key", "SUN"))
    scene.collection.objects.link(lamp)
    own = scene.world = bpy.data.worlds.new("World")

    def state() -> list[Any]:
        return [
            [(socket.name, str(socket.default_value)) for socket in node.inputs if hasattr(socket, "default_value")]
            for material in bpy.data.materials
            for node in material.node_tree.nodes
        ]

    before = state()
    for look in LOOKS:
        apply_look(scene, look)
    assert state() == before
    assert "Mosaic Key" in scene.objects
    assert own.name == "World"


def test_silhouettes_refuse_a_scene_with_compositing_of_its_own(scene: Any) -> None:
    from mosaic_addon.scene.compat import compositing_tree, new_compositing_tree
    from mosaic_addon.scene.pictures.looks import apply_look
    from mosaic_addon.session import MosaicError

    tree, _ = new_compositing_tree(scene, "Own")
    with pytest.raises(MosaicError, match="of its own"):
        apply_look(scene, "silhouettes")
    apply_look(scene, "flat")
    assert compositing_tree(scene) == tree
    assert tree.nodes


def test_eevee_shows_the_same_without_the_extension(
    bpy: ModuleType, scene: Any, real_blender: str, tmp_path: Path
) -> None:
    from PIL import Image

    from mosaic_addon.scene.pictures.looks import apply_look
    from mosaic_addon.scene.pictures.options import RenderOptions
    from mosaic_addon.scene.pictures.render import set_up_render

    set_up_render(scene, RenderOptions((SIZE, SIZE), engine="eevee", samples=8))
    pictures = {}
    for look in ("flat", "full", "silhouettes"):
        apply_look(scene, look, "dark")
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / f"{look}.blend"))
        command = [real_blender, "-b", str(tmp_path / f"{look}.blend"), "-o", str(tmp_path / f"{look}_"), "-f", "1"]
        if screen := shutil.which("xvfb-run"):
            command = [screen, "-a", *command]
        subprocess.run(command, check=True, timeout=600)
        with Image.open(tmp_path / f"{look}_0001.png") as image:
            pictures[look] = np.asarray(image, np.float64)[..., :3]
        assert (pictures[look][OUTSIDE] == np.rint(np.array((0.094, 0.094, 0.106)) * 255)).all()
    for where in (MIDDLE, FLOOR):
        assert np.abs(pictures["flat"][where] - np.array(COLOR) * 255).max() <= 1
        assert pictures["full"][where].min() > 20
        assert pictures["silhouettes"][where].min() > 50
    assert pictures["silhouettes"][24, 10:14].min() < 15


def test_the_users_own_world_stays_in_the_file(bpy: ModuleType, scene: Any) -> None:
    from mosaic_addon.scene.pictures.looks import apply_look

    own = scene.world = bpy.data.worlds.new("Own")
    apply_look(scene, "full")
    apply_look(scene, "flat")
    assert scene.world != own
    assert own.users == 1


def add_lamp(bpy: ModuleType, name: str) -> Any:
    lamp = bpy.data.objects.new(name, bpy.data.lights.new(name, "POINT"))
    lamp.location, lamp.data.energy = (4, 1, 6), 1000
    bpy.context.scene.collection.objects.link(lamp)
    return lamp


def views(bpy: ModuleType) -> list[Any]:
    """The shading of all 3D views of the .blend."""
    areas = [area for screen in bpy.data.screens for area in screen.areas]
    return [space.shading for area in areas for space in area.spaces if space.type == "VIEW_3D"]


def state_of(bpy: ModuleType, scene: Any) -> list[Any]:
    """All that a look might change of what is the user's."""
    view, render, cycles = scene.view_settings, scene.render, scene.cycles
    return [
        sorted((obj.name, obj.hide_render, obj.hide_viewport, sorted(obj.keys())) for obj in scene.objects),
        (scene.world, sorted(scene.keys()), render.engine, render.film_transparent, render.dither_intensity),
        (view.view_transform, view.look, view.exposure, view.gamma),
        (cycles.filter_width, cycles.transparent_max_bounces, cycles.min_transparent_bounces),
        [(view.use_scene_lights, view.use_scene_world, view.use_compositor) for view in views(bpy)],
        [sorted(screen.keys()) for screen in bpy.data.screens],
    ]


def test_a_look_gives_back_what_it_took(bpy: ModuleType, scene: Any) -> None:
    from mosaic_addon.scene.pictures.former import choose_engine
    from mosaic_addon.scene.pictures.looks import apply_look, remove_look
    from mosaic_addon.scene.pictures.options import LOOKS

    add_lamp(bpy, "Light")
    add_lamp(bpy, "Off").hide_render = True
    scene.world = bpy.data.worlds.new("Own")
    scene.render.engine, scene.view_settings.exposure = "BLENDER_WORKBENCH", 0.5
    scene.view_settings.view_transform = "AgX"
    shadings = views(bpy)
    assert shadings
    shadings[0].use_scene_world = True
    before = state_of(bpy, scene)
    for look in LOOKS:
        apply_look(scene, look, "transparent")
        choose_engine(scene, look)
        assert state_of(bpy, scene) != before
    remove_look(scene)
    assert state_of(bpy, scene) == before
    assert [world.name for world in bpy.data.worlds] == ["Own"]
    assert [lamp.name for lamp in bpy.data.lights] == ["Light", "Off"]
    remove_look(scene)  # of a scene without one
    assert state_of(bpy, scene) == before


def test_a_look_says_what_it_changes(bpy: ModuleType, scene: Any) -> None:
    from mosaic_addon.scene.pictures.looks import apply_look

    lamp = add_lamp(bpy, "Light")
    (said,) = apply_look(scene, "poster")
    assert "Light" in said
    assert lamp.hide_render
    assert lamp.hide_viewport
    later = add_lamp(bpy, "Mine")
    assert apply_look(scene, "full") == []
    assert not later.hide_render
    assert not later.hide_viewport


def test_a_look_gets_the_engine_that_shows_it_and_says_so(bpy: ModuleType, scene: Any) -> None:
    from mosaic_addon.scene.compat import EEVEE
    from mosaic_addon.scene.pictures.former import choose_engine
    from mosaic_addon.scene.pictures.looks import apply_look

    def choose(look: str) -> tuple[str, list[str]]:
        apply_look(scene, look)
        said = choose_engine(scene, look)
        return scene.render.engine, said

    scene.render.engine = EEVEE
    assert choose("full") == (EEVEE, [])
    engine, said = choose("poster")
    assert engine == "CYCLES"
    assert "Cycles" in said[0]
    engine, said = choose("simple")
    assert engine == EEVEE
    assert "EEVEE" in said[0]
    scene.render.engine = "BLENDER_WORKBENCH"
    assert choose("full")[0] == "CYCLES"


def test_material_preview_shows_the_light_of_the_look(bpy: ModuleType, scene: Any) -> None:
    """With Blender's own picture of a forest besides, it is overexposed."""
    from mosaic_addon.scene.pictures.looks import apply_look

    apply_look(scene)
    assert all(shading.use_scene_lights and shading.use_scene_world for shading in views(bpy))


def test_lamps_of_the_scene_change_no_picture(bpy: ModuleType, picture: Callable[..., Picture]) -> None:
    from mosaic_addon.scene.pictures.looks import remove_look

    without = picture("full")
    remove_look(bpy.context.scene)
    add_lamp(bpy, "Light")
    assert (picture("full") == without).all()
