"""Looks: what a picture shows of colours, backgrounds, creases and edges."""

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
    """A large ball of points, a cube and a smaller cube before it, seen from above."""
    from mosaic_addon.scene.render import RenderOptions, set_up_render

    scene = bpy.context.scene
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.data.type, camera.data.ortho_scale = "ORTHO", 8.0
    camera.location.z = 20
    scene.collection.objects.link(camera)
    scene.camera = camera
    add_cube(bpy, (0, 0, 0), 4.0)
    add_cube(bpy, (0, 0, 3), 1.5)
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
        cloud = clouds.new("Point", np.zeros(3, np.float32), 1)
    attribute = cloud.attributes.get("radius") or cloud.attributes.new("radius", "FLOAT", "POINT")
    attribute.data.foreach_set("value", np.full(1, radius, np.float32))
    add(bpy, cloud, place)


def add(bpy: ModuleType, data: Any, place: tuple[float, float, float]) -> None:
    from mosaic_addon.scene.materials import MaterialFactory
    from mosaic_addon.session.session import Appearance

    data.materials.append(MaterialFactory(1).new(data.name, Appearance(base_color=COLOR)))
    thing = bpy.data.objects.new(data.name, data)
    thing.location = place
    bpy.context.scene.collection.objects.link(thing)


@pytest.fixture
def picture(scene: Any, tmp_path: Path) -> Callable[..., Picture]:
    """Renders in a look; gives the display values of the picture, 0 to 255, (SIZE, SIZE, 3 or 4), top row first."""
    from PIL import Image

    from mosaic_addon.scene.looks import apply_look
    from mosaic_addon.scene.render import render_to

    def render(look: str, background: str = "white") -> Picture:
        apply_look(scene, look, background)
        scene.view_layers[0].update()
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


@pytest.mark.parametrize("look", ["simple", "full", "flat", "poster", "silhouettes"])
def test_backgrounds_are_exact(picture: Callable[..., Picture], look: str) -> None:
    assert (picture(look, "white")[OUTSIDE] == 255).all()
    assert (picture(look, "dark")[OUTSIDE] == np.rint(np.array((0.094, 0.094, 0.106)) * 255)).all()
    clear = picture(look, "transparent")
    assert clear.shape[2] == 4
    assert (clear[OUTSIDE][..., 3] == 0).all()
    assert (clear[MIDDLE][..., 3] == 255).all()
