"""In pictures, the tomogram of a session lies under the session's objects, and looks as in the real Mosaic's viewer."""

from __future__ import annotations

import json
import runpy
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.built import build

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tests" / "support" / "view_with_mosaic.py"
EXAMPLES = ROOT / "docs" / "examples"
VOXEL = 16.0  # angstrom
SIZE = 400  # pixels of a picture
AWAY = 9.0  # units from a camera to the slice that it looks at
PLANES = {"XY": (0, 1, 2), "XZ": (0, 2, 1), "YZ": (1, 2, 0)}  # the axes to the right, up, and across


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The example session's tomogram, as it is and as microscopes see it."""
    from mosaic_addon.session import open_session

    script: dict[str, Any] = runpy.run_path(str(EXAMPLES / "make_tomogram.py"))
    folder, session = tmp_path_factory.mktemp("phantoms"), open_session(EXAMPLES / "minicell.pickle")
    made = {}
    for name, options in {"clean": {"tilt": 90, "noise": 0}, "noisy": {}}.items():
        made[name] = folder / f"{name}.mrc"
        script["write_mrc"](made[name], script["phantom"](session, VOXEL, **options), VOXEL)
    return made


def looking_at(bpy: ModuleType, obj: Any, plane: str, width: float) -> Any:
    """A camera straight before a slice, with the plane's first axis to the right and its second up."""
    from mathutils import Matrix

    scene = bpy.context.scene
    data = bpy.data.cameras.new("Camera")
    data.type, data.ortho_scale = "ORTHO", width
    scene.camera = bpy.data.objects.new("Camera", data)
    scene.collection.objects.link(scene.camera)
    bpy.context.view_layer.update()
    turn = obj.parent.matrix_world.to_3x3().normalized()
    right, up = (turn.col[axis] for axis in PLANES[plane][:2])
    facing = Matrix((right, up, right.cross(up))).transposed().to_4x4()
    scene.camera.matrix_world = (
        Matrix.Translation(obj.matrix_world.translation) @ facing @ Matrix.Translation((0, 0, AWAY))
    )
    return scene.camera


def picture_of(bpy: ModuleType, obj: Any, path: Path) -> np.ndarray:
    """A picture, (height, width) from black 0 to white 255, its first row the lowest, of one object alone."""
    from mosaic_addon.scene.pictures.looks import apply_look
    from mosaic_addon.scene.pictures.render import render_to

    scene = bpy.context.scene
    apply_look(scene, "full")
    for each in scene.objects:
        each.hide_render = each not in (obj, scene.camera)
    render = scene.render
    render.engine, render.resolution_x, render.resolution_y = "CYCLES", SIZE, SIZE
    scene.cycles.samples, scene.cycles.use_denoising = 4, False
    render_to(scene, path)
    with Image.open(path) as image:
        return np.asarray(image.convert("L"), float)[::-1]


def crossings(obj: Any, camera: Any) -> tuple[np.ndarray, np.ndarray]:
    """Where a mesh crosses the plane that is AWAY before a camera, (n, 2), and its normals there, in the camera's x and y.

    Only where it stands steeply on the plane, so that it is as sharp there as it can be.
    """
    mesh = obj.data
    corners = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", corners)
    to_camera = np.array(camera.matrix_world.inverted() @ obj.matrix_world)
    places = corners.reshape(-1, 3).astype(float) @ to_camera[:3, :3].T + to_camera[:3, 3]
    triangles = np.array([polygon.vertices[:] for polygon in mesh.polygons])
    a, b, c = (places[triangles[:, number]] for number in range(3))
    normals = np.cross(b - a, c - a)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    ends = []
    for one, other in ((a, b), (b, c), (c, a)):
        part = (one[:, 2] + AWAY) / (one[:, 2] - other[:, 2])
        ends.append(np.where(((part > 0) & (part < 1))[:, None], one + part[:, None] * (other - one), np.nan))
    crossed = (np.isfinite(np.array(ends)[..., 0]).sum(axis=0) == 2) & (abs(normals[:, 2]) < 0.5)
    flat = normals[crossed, :2]
    return np.nanmean(np.array(ends)[:, crossed, :2], axis=0), flat / np.linalg.norm(flat, axis=1, keepdims=True)


def distance_of_the_dark_line(
    bpy: ModuleType, path: Path, plane: str, folder: Path, shift: float = 0.0, megabytes: float = 64
) -> np.ndarray:
    """How far the membrane in a slice is from the session's mesh, along the slice's two axes, in voxels.

    shift: how far the tomogram is moved along both before, in angstrom. megabytes: that it may take.
    """
    from mosaic_addon.scene.tomograms.reading import TomogramOptions, open_tomogram
    from mosaic_addon.scene.tomograms.slices import slices_of
    from mosaic_addon.scene.tomograms.tomogram import look_of, set_look

    imported = build(bpy, EXAMPLES / "minicell.pickle")
    envelope = next(obj for obj in imported.objects if obj.type == "MESH" and obj.data.polygons)
    options = TomogramOptions(megabytes, planes=(plane,))
    box = open_tomogram(bpy.context.scene, path, imported.collection, options)
    (obj,) = slices_of(box)
    set_look(box, replace(look_of(box), average=5))  # against noise
    for axis in PLANES[plane][:2]:
        box.location[axis] = shift
    unit = imported.root.matrix_world.to_scale()[0]
    camera = looking_at(bpy, obj, plane, 2400 * unit)
    pixels = picture_of(bpy, obj, folder / "slice.png")
    places, normals = crossings(envelope, camera)
    assert len(places) > 40
    steps = np.linspace(-90, 90, 181)  # angstrom
    along = (places[:, None] + (steps * unit)[:, None] * normals[:, None]) / (2400 * unit) * SIZE + SIZE / 2 - 0.5
    low = np.floor(along).astype(int)
    part = along - low
    seen = np.zeros(along.shape[:2])
    for corner in np.ndindex(2, 2):
        across, up = np.moveaxis(low + corner, -1, 0)
        seen += np.prod(np.where(corner, part, 1 - part), axis=-1) * pixels[up, across]
    found = []
    for axis in range(2):
        sides = []
        for sign in (1, -1):  # else what is moved in on one side and out on the other would be no distance
            profile = 255 - seen[normals[:, axis] * sign > 0.7].mean(axis=0)
            blurred = np.exp(-(((steps[:, None] - steps) / VOXEL) ** 2) / 2) @ profile  # both leaflets as one
            sides.append(sign * steps[blurred.argmax()])
        found.append(sum(sides) / 2)
    return np.array(found) / VOXEL


@pytest.mark.parametrize(
    ("kind", "plane", "limit"),
    [("clean", "XY", 0.25), ("clean", "XZ", 0.25), ("clean", "YZ", 0.25), ("noisy", "XY", 0.5)],
)
def test_the_membrane_is_under_its_mesh(
    kind: str, plane: str, limit: float, bpy: ModuleType, phantoms: dict[str, Path], tmp_path: Path
) -> None:
    assert np.abs(distance_of_the_dark_line(bpy, phantoms[kind], plane, tmp_path)).max() < limit


def test_it_is_under_its_mesh_when_binned(bpy: ModuleType, phantoms: dict[str, Path], tmp_path: Path) -> None:
    away = distance_of_the_dark_line(bpy, phantoms["clean"], "XY", tmp_path, megabytes=1)
    assert np.abs(away).max() < 0.5


def test_a_tomogram_beside_its_place_is_noticed(bpy: ModuleType, phantoms: dict[str, Path], tmp_path: Path) -> None:
    away = distance_of_the_dark_line(bpy, phantoms["clean"], "XY", tmp_path, VOXEL)
    assert np.allclose(away, 1, atol=0.25)


def test_the_recipe_of_the_docs_is_right(phantoms: dict[str, Path], tmp_path: Path, bpy: ModuleType) -> None:
    from mosaic_addon.cli import main

    for path in (EXAMPLES / "minicell.pickle", EXAMPLES / "tomogram.toml"):
        shutil.copy(path, tmp_path)
    shutil.copy(phantoms["noisy"], tmp_path / "minicell.mrc")
    assert main(["figure", str(tmp_path / "tomogram.toml"), "--check"]) == 0


def test_slices_look_as_in_mosaics_viewer(
    bpy: ModuleType, mosaic_python: str, phantoms: dict[str, Path], tmp_path: Path
) -> None:
    from mosaic_addon.scene.pictures.camera import View, place_camera
    from mosaic_addon.scene.tomograms.reading import TomogramOptions, open_tomogram
    from mosaic_addon.scene.tomograms.slices import set_number, slices_of
    from mosaic_addon.scene.tomograms.tomogram import look_of, set_look

    views = [("Z", 56), ("Y", 60), ("X", 80)]
    told = subprocess.run(
        [mosaic_python, SCRIPT, phantoms["noisy"], tmp_path, str(SIZE), json.dumps(views)],
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    answers = [json.loads(line) for line in told.stdout.splitlines() if line.startswith("{")]
    imported = build(bpy, EXAMPLES / "minicell.pickle")
    box = open_tomogram(bpy.context.scene, phantoms["noisy"], imported.collection, TomogramOptions(bits=16))
    slices = dict(zip("ZYX", slices_of(box), strict=True))
    for number, ((orientation, at), answer) in enumerate(zip(views, answers, strict=True)):
        set_number(slices[orientation], at)
        view = View(answer["position"], answer["focal_point"], answer["up"], 30.0)
        place_camera(bpy.context.scene, imported.root, view, orthographic=True, height=answer["height"])
        set_look(box, replace(look_of(box), black=answer["ends"][0], white=answer["ends"][1]))
        ours = picture_of(bpy, slices[orientation], tmp_path / f"ours{number}.png")
        with Image.open(tmp_path / f"{number}.png") as image:
            theirs = np.asarray(image.convert("L"), float)[::-1]
        both = (ours != ours[0, 0]) & (theirs > 0)
        assert both.mean() > 0.2
        assert np.corrcoef(ours[both], theirs[both])[0, 1] > 0.98  # Cycles' pixels are a little blurred
        assert np.abs(ours - theirs)[both].mean() < 4
