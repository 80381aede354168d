"""Keys show the colours of what they explain, at the right numbers, whoever changes them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mosaic_addon.scene.drawing.color_maps import sample
from tests.support.letters import corners_of, letters_in
from tests.support.make_sessions import cloud, properties, write_session


@pytest.fixture
def objects(bpy: ModuleType, tmp_path: Path) -> Any:
    """Two clouds with a number and a category for each point, before a camera."""
    from mosaic_addon import api

    rng = np.random.default_rng(1)
    clouds = [
        cloud(
            name,
            50,
            points=rng.uniform(0, 100, (50, 3)).astype(np.float32),
            vertex_properties=properties(
                50,
                {
                    "curvature": np.linspace(-2e-5, 3e-5, 50, dtype=np.float32),
                    "kind": np.arange(50) % 3 + 1,
                    "state": np.array(["open", "closed"] * 25),
                },
            ),
        )
        for name in ("a", "b")
    ]
    imported = api.load(write_session(tmp_path / "s.pickle", clouds))
    api.set_up_picture(imported, api.RenderOptions((200, 150), samples=1, look="flat"))
    return imported.objects


def ticks_of(bpy: ModuleType, item: Any) -> list[float]:
    """Where the ticks of a standing bar are, on it from 0 to 1."""
    bpy.context.view_layer.update()
    mesh = item.evaluated_get(bpy.context.view_layer.depsgraph).data
    points = np.array([vertex.co for vertex in mesh.vertices])
    letters = np.empty(3 * len(points), np.float32)
    mesh.attributes["mosaic_text"].data.foreach_get("vector", letters)
    bar, rest = points[:4], points[8:][letters[2::3][8:] < 0.5]  # after the bar and its frame
    low, high = bar[:, 1].min(), bar[:, 1].max()
    right = bar[:, 0].max()
    ends = rest[np.abs(rest[:, 0] - right - 2.35) < 0.01]
    return sorted({round(float(each), 2) for each in (ends[:, 1].reshape(-1, 2).mean(axis=1) - low) / (high - low)})


@pytest.mark.parametrize(
    ("ends", "ticks"),
    [
        ((0.0, 1.0), "0.0 0.2 0.4 0.6 0.8 1.0"),
        ((-2e-5, 3e-5), "-0.00002 -0.00001 0.00000 0.00001 0.00002 0.00003"),
        ((-0.3, 1200.0), "0 200 400 600 800 1000 1200"),
        ((7.3, 9.1), "7.5 8.0 8.5 9.0"),
    ],
)
def test_ticks_are_round_numbers_of_the_range(
    bpy: ModuleType, objects: Any, ends: tuple[float, float], ticks: str
) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.figures.color_key import add_color_key

    api.color_by(objects, "curvature")
    item = add_color_key(bpy.context.scene, objects)
    api.color_by(objects, "curvature", value_range=ends)  # the key follows
    low, high = ends
    expected = [(float(tick) - low) / (high - low) for tick in ticks.split()]
    assert ticks_of(bpy, item) == pytest.approx(expected, abs=0.01)
    # Beside bar, frame and ticks there are the letters of title and numbers, and nothing else.
    boxes = 4 * (2 + len(expected))
    assert corners_of(bpy, item) - boxes == letters_in(bpy, f"curvature {ticks}")


def test_the_bar_shows_the_map_whoever_changes_it(bpy: ModuleType, objects: Any, tmp_path: Path) -> None:
    from bpy_extras.object_utils import world_to_camera_view

    from mosaic_addon import api
    from mosaic_addon.scene.figures.color_key import ColorKey, add_color_key
    from mosaic_addon.scene.pictures.looks import apply_look
    from mosaic_addon.scene.pictures.render import render_to

    scene = bpy.context.scene
    for obj in objects:
        obj.hide_render = True
    api.color_by(objects, "curvature", "magma")
    item = add_color_key(scene, objects, ColorKey(length=150.0, breadth=60.0, across=0.0, up=0.0))
    api.color_by(objects, "curvature", "viridis", gamma=2.0, reverse=True)
    for look in ("flat", "full"):  # also where display values are rendered, and where lamps shine
        apply_look(scene, look)
        render_to(scene, tmp_path / "key.png")
        image = bpy.data.images.load(str(tmp_path / "key.png"))
        pixels = np.array(image.pixels[:]).reshape(150, 200, 4)[..., :3]
        bpy.data.images.remove(image)
        bpy.context.view_layer.update()
        mesh = item.evaluated_get(bpy.context.view_layer.depsgraph).data
        corners = [world_to_camera_view(scene, scene.camera, item.matrix_world @ v.co) for v in mesh.vertices[:4]]
        bottom, top = (end(corner.y for corner in corners) * 150 for end in (min, max))
        column = round(sum(corner.x for corner in corners) / 4 * 200)
        rows = np.arange(round(bottom) + 2, round(top) - 2)
        places = 1 - ((rows + 0.5 - bottom) / (top - bottom)) ** (1 / 2.0)
        assert np.abs(pixels[rows, column] - sample("viridis", places)).max() < 0.03


def test_categories_have_swatches_with_their_texts(bpy: ModuleType, objects: Any) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.figures.color_key import add_color_key
    from mosaic_addon.scene.figures.overlay import inputs_of

    api.color_by(objects, "state")
    item = add_color_key(bpy.context.scene, objects)
    assert inputs_of(item, ("Title", "Text 1", "Text 2")) == ["state", "closed", "open"]
    assert inputs_of(item, ("Swatch 1", "Swatch 2")) == [1, 2]
    api.color_by(objects, "kind", "Dark2")
    item = add_color_key(bpy.context.scene, objects)
    assert inputs_of(item, ("Text 1", "Text 2", "Text 3")) == ["1", "2", "3"]
    assert inputs_of(item, ("Swatch 1", "Swatch 2", "Swatch 3")) == [1, 1.5, 2]


def test_a_legend_names_objects(bpy: ModuleType, objects: Any) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.drawing.materials import material_of
    from mosaic_addon.scene.figures.color_key import add_legend
    from mosaic_addon.scene.figures.overlay import inputs_of

    item = add_legend(bpy.context.scene, objects)
    assert inputs_of(item, ("Text 1", "Text 2")) == ["a", "b"]
    assert inputs_of(item, ("Material 1", "Material 2")) == [material_of(obj) for obj in objects]
    with pytest.raises(api.MosaicError, match="1 to 40 entries, not 0"):
        add_legend(bpy.context.scene, [])


def test_what_a_key_is_set_to_is_read_back(bpy: ModuleType, objects: Any) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.figures.color_key import ColorKey, add_color_key, color_key_of, set_color_key

    with pytest.raises(api.MosaicError, match="None of the objects is coloured"):
        add_color_key(bpy.context.scene, objects)
    api.color_by(objects, "curvature")
    item = add_color_key(bpy.context.scene, objects)
    assert color_key_of(item) == ColorKey(title="curvature")
    other = ColorKey("Mean", True, 50.0, 5.0, -1.0, 0.5, 8.0, 3.0, (1.0, 0.0, 0.0))
    set_color_key(item, other)
    read = color_key_of(item)
    assert read.color == pytest.approx(other.color, abs=1e-6)
    assert replace(read, color=other.color) == other
