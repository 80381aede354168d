"""Edges of meshes: lines that neither hide what is between them nor grow when the camera comes closer."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.built import build, evaluated, set_input
from tests.support.make_sessions import mesh, triangular_mesh, write_session

CORNERS = np.array([[x, y, 0] for x in (-500, 0, 500) for y in (-500, 500)], np.float32)
TRIANGLES = np.array([[0, 2, 3], [0, 3, 1], [2, 4, 5], [2, 5, 3]], np.int32)
LENGTHS = [500] * 4 + [1000] * 3 + [np.hypot(500, 1000)] * 2  # angstrom


def two_squares(bpy: ModuleType, folder: Path, representation: str) -> Any:
    """A flat mesh with an edge along x = 0 between two rectangles, each of two triangles. 1000 angstrom a unit."""
    model = triangular_mesh(6, vertices=CORNERS.astype(np.float64), triangles=TRIANGLES)
    flat = mesh("m", 6, points=CORNERS, model=model, representation=representation)
    path = write_session(folder / "s.pickle", [], [flat])
    (obj,) = build(bpy, path, pixel_size=10.0, recentre=False).objects
    return obj


def width_of_the_middle_edge(bpy: ModuleType, path: Path, seen: float, within: float = 100) -> float:
    """In pixels of a picture that shows so many angstrom, without light. within: so many angstrom on both sides."""
    from mosaic_addon.scene.drawing.materials import Shading, set_shading

    set_shading(Shading(lit=False))
    scene = bpy.context.scene
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.data.type, camera.data.ortho_scale, camera.location = "ORTHO", seen / 1000, (0, 0, 10)
    scene.collection.objects.link(camera)
    scene.camera = camera
    scene.render.engine = "CYCLES"
    scene.render.resolution_x = scene.render.resolution_y = 128
    scene.cycles.samples, scene.cycles.use_denoising = 16, False
    scene.view_settings.view_transform = "Raw"
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    row = np.asarray(Image.open(path).convert("RGB"), np.float64)[60:68].mean(axis=(0, 2))
    near = int(within / seen * 128)
    lines = row[64 - near : 64 + near]
    return float((1 - lines / np.percentile(lines, 90)).sum())


@pytest.mark.parametrize("pixels", [1.0, 3.0])
def test_edges_are_as_wide_in_the_picture_from_however_near(bpy: ModuleType, tmp_path: Path, pixels: float) -> None:
    from mosaic_addon.scene.drawing.representations import EDGE_WIDTH

    obj = two_squares(bpy, tmp_path, "mesh")
    set_input(obj, "Line Width", pixels)
    for seen in (1000.0, 200.0):
        width = width_of_the_middle_edge(bpy, tmp_path / "a.png", seen)
        assert width == pytest.approx(pixels * EDGE_WIDTH, abs=0.25), seen


def test_a_surface_has_no_edges(bpy: ModuleType, tmp_path: Path) -> None:
    two_squares(bpy, tmp_path, "surface")
    assert width_of_the_middle_edge(bpy, tmp_path / "a.png", 400.0) == pytest.approx(0, abs=0.2)  # dithering


def test_edges_that_would_hide_the_triangles_stay_narrower(bpy: ModuleType, tmp_path: Path) -> None:
    obj = two_squares(bpy, tmp_path, "mesh")
    set_input(obj, "Line Width", 1000.0)
    width = width_of_the_middle_edge(bpy, tmp_path / "a.png", 1000.0, within=120)
    assert width == pytest.approx(0.2 * np.mean(LENGTHS) * 128 / 1000, rel=0.05)


@pytest.mark.parametrize("representation", ["mesh", "wireframe"])
def test_lines_leave_open_what_is_between_them(bpy: ModuleType, tmp_path: Path, representation: str) -> None:
    """Those of the view as well, whose Solid shading asks no material."""
    obj = two_squares(bpy, tmp_path, representation)
    set_input(obj, "Line Width", 1000.0)
    shown = evaluated(bpy, obj)
    places = np.empty(len(shown.mesh.vertices) * 3, np.float32)
    shown.mesh.vertices.foreach_get("co", places)
    widest = 0.1 * np.mean(LENGTHS)
    assert 0.4 * widest < np.abs(places[2::3]).max() <= widest * 1.001
