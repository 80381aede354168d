"""Pictures, as somebody looks at them: what is there, where, and in which colour."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mosaic_addon.session import MosaicError
from tests.support.make_sessions import cloud, mesh, triangular_mesh, write_session

ROOT = Path(__file__).resolve().parents[2]
SIZE = (96, 64)
RED, GREEN, BLUE = (0.9, 0.05, 0.05), (0.05, 0.8, 0.05), (0.05, 0.1, 0.9)


def look(color: tuple[float, float, float], **more: Any) -> dict[str, Any]:
    return {"base_color": color, "size": 10, **more}


def red_cloud(**state: Any) -> Any:
    """A grid of points around (-500, 0, 0), 200 angstrom wide."""
    side = np.linspace(-100, 100, 6)
    points = np.stack(np.meshgrid(side - 500, side, side), axis=-1).reshape(-1, 3).astype(np.float32)
    return cloud("red cloud", points=points, **{"appearance": look(RED, size=40), **state})


def square(center: tuple[float, float, float], half: float) -> Any:
    corners = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]) * half + center
    return triangular_mesh(4, vertices=corners.astype(np.float64))


def blue_mesh(**state: Any) -> Any:
    """A square around (500, 0, 0) that faces +z, 200 angstrom wide."""
    model = square((500, 0, 0), 100)
    points = vars(model)["vertices"].astype(np.float32)
    return mesh("blue mesh", 4, points=points, model=model, **{"appearance": look(BLUE), **state})


@pytest.fixture
def session(tmp_path: Path) -> Path:
    return write_session(tmp_path / "s.pickle", [red_cloud()], [blue_mesh()])


def picture(path: Path) -> np.ndarray:
    """RGBA as floats 0-1, (height, width, 4), top row first."""
    return np.asarray(Image.open(path).convert("RGBA"), np.float64) / 255


def render(bpy: ModuleType, session: Path, target: Path, **how: Any) -> np.ndarray:
    from mosaic_addon import api

    options = {"size": SIZE, "samples": 4, **how.pop("options", {})}
    imported = api.load(session, options=how.pop("loading", None))
    api.render(imported, target, api.RenderOptions(**options), **how)
    return picture(target)


def is_red(pixels: np.ndarray) -> np.ndarray:
    return (pixels[..., 0] > 0.4) & (pixels[..., 1] < 0.6 * pixels[..., 0]) & (pixels[..., 2] < 0.6 * pixels[..., 0])


def is_blue(pixels: np.ndarray) -> np.ndarray:
    return (pixels[..., 2] > 0.4) & (pixels[..., 0] < 0.6 * pixels[..., 2]) & (pixels[..., 1] < 0.6 * pixels[..., 2])


def is_white(pixels: np.ndarray) -> np.ndarray:
    return pixels[..., :3].min(axis=-1) > 0.98


def middle_of(mask: np.ndarray) -> tuple[float, float]:
    """Mean column and row."""
    rows, columns = np.nonzero(mask)
    assert len(rows), "nothing of that colour is in the picture"
    return float(columns.mean()), float(rows.mean())


def test_colours_are_where_the_objects_are_on_white(bpy: ModuleType, session: Path, tmp_path: Path) -> None:
    pixels = render(bpy, session, tmp_path / "p.png")
    assert pixels.shape == (SIZE[1], SIZE[0], 4)
    left, right = pixels[:, :48], pixels[:, 48:]
    assert is_red(left).sum() > 100
    assert is_blue(right).sum() > 100
    assert not is_blue(left).any()
    assert not is_red(right).any()
    for column, row in (middle_of(is_red(pixels)), middle_of(is_blue(pixels))):
        assert min(abs(column - 10), abs(column - 85)) < 6
        assert row == pytest.approx(31.5, abs=1.5)
    assert is_white(pixels[:16]).all()
    assert is_white(pixels[-16:]).all()
    assert is_white(pixels[:, 40:56]).all()
    assert (pixels[..., 3] == 1).all()


def test_all_that_is_visible_is_in_the_picture(bpy: ModuleType, session: Path, tmp_path: Path) -> None:
    """From any side, a margin of white runs around it, also where the points are large."""
    large = write_session(
        tmp_path / "large.pickle", [red_cloud(appearance=look(RED, size=150)), cloud("far", 1)], [blue_mesh()]
    )
    cases = [(path, way) for path in (session, large) for way in ((0, 0, -1), (1, -0.5, -0.7), (0, 1, 0))]
    for number, (path, direction) in enumerate(cases):
        pixels = render(
            bpy, path, tmp_path / f"{number}.png", direction=direction, options={"size": (300, 200), "samples": 1}
        )
        assert (~is_white(pixels)).any()
        border = [pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]
        assert all(is_white(line).all() for line in border), direction
        bpy.ops.wm.read_factory_settings(use_empty=True)


def test_a_session_of_one_point_shows_it(bpy: ModuleType, tmp_path: Path) -> None:
    one = cloud("one", points=np.array([[1000, 2000, 3000]], np.float32), appearance=look(RED))
    mask = is_red(render(bpy, write_session(tmp_path / "s.pickle", [one]), tmp_path / "p.png"))
    assert mask.sum() > 10
    assert middle_of(mask) == (pytest.approx(47.5, abs=1), pytest.approx(31.5, abs=1))


def test_from_behind_left_is_right(bpy: ModuleType, session: Path, tmp_path: Path) -> None:
    pixels = render(bpy, session, tmp_path / "p.png", direction=(0, 0, 1))
    assert middle_of(is_red(pixels))[0] > 70
    assert middle_of(is_blue(pixels))[0] < 25


def test_zoom_comes_closer(bpy: ModuleType, tmp_path: Path) -> None:
    alone = write_session(tmp_path / "s.pickle", [], [blue_mesh()])
    once = is_blue(render(bpy, alone, tmp_path / "1.png", zoom=0.5)).sum()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    twice = is_blue(render(bpy, alone, tmp_path / "2.png", zoom=1.0)).sum()
    assert twice / once == pytest.approx(4, rel=0.2)


def test_nothing_is_opaque_where_nothing_is(bpy: ModuleType, session: Path, tmp_path: Path) -> None:
    pixels = render(bpy, session, tmp_path / "p.png", options={"background": "transparent"})
    assert (pixels[:16, :, 3] == 0).all()
    assert (pixels[:, 40:56, 3] == 0).all()
    assert (pixels[is_blue(pixels) & (pixels[..., 3] > 0.9)]).any()
    assert pixels[32, int(middle_of(is_red(pixels) & (pixels[..., 3] > 0.9))[0]), 3] > 0.9


def test_hidden_objects_are_absent_and_not_framed(bpy: ModuleType, tmp_path: Path) -> None:
    pixels = render(
        bpy, write_session(tmp_path / "s.pickle", [red_cloud()], [blue_mesh(visible=False)]), tmp_path / "p.png"
    )
    assert not is_blue(pixels).any()
    assert middle_of(is_red(pixels)) == (pytest.approx(47.5, abs=2), pytest.approx(31.5, abs=2))
    assert is_red(pixels).sum() > 1000


def test_nothing_visible_gives_an_empty_picture(bpy: ModuleType, tmp_path: Path) -> None:
    for number, clouds in enumerate([[], [red_cloud(visible=False)], [cloud("empty", 0)]]):
        path = write_session(tmp_path / f"{number}.pickle", clouds)
        assert is_white(render(bpy, path, tmp_path / f"{number}.png")).all()


def test_an_empty_cloud_among_others_is_no_trouble_also_from_a_saved_file(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.cli import main

    path = write_session(tmp_path / "s.pickle", [cloud("empty", 0), red_cloud()])
    assert is_red(render(bpy, path, tmp_path / "p.png")).any()
    assert main(["import", str(path), "-o", str(tmp_path / "s.blend")]) == 0
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "s.blend"))
    bpy.context.scene.render.engine = "CYCLES"
    bpy.context.scene.cycles.samples = 1
    bpy.context.scene.render.resolution_percentage = 2
    bpy.context.scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    bpy.context.scene.collection.objects.link(bpy.context.scene.camera)
    assert bpy.ops.render.render() == {"FINISHED"}


def test_opacity_lets_the_background_through(bpy: ModuleType, tmp_path: Path) -> None:
    faint = write_session(tmp_path / "s.pickle", [], [blue_mesh(appearance=look(BLUE, opacity=0.3))])
    pixels = render(bpy, faint, tmp_path / "p.png", options={"background": "transparent", "samples": 16})
    assert pixels[32, 48, 3] == pytest.approx(0.3, abs=0.12)


def test_other_formats(bpy: ModuleType, session: Path, tmp_path: Path) -> None:
    from mosaic_addon import api

    assert is_red(render(bpy, session, tmp_path / "p.jpg")[:, :48]).sum() > 100
    imported = api.load(session)
    api.render(imported, tmp_path / "p.EXR", api.RenderOptions(size=SIZE, samples=1))
    assert (tmp_path / "p.EXR").read_bytes()[:4] == b"\x76\x2f\x31\x01"
    for wrong in ("p.gif", "p", "none/p.png"):
        with pytest.raises(MosaicError):
            api.render(imported, tmp_path / wrong, api.RenderOptions(size=SIZE, samples=1))


# --- Mosaic's camera -------------------------------------------------------------------------------------------------

POINTS = {RED: (1000.0, 2000.0, 500.0), BLUE: (1800.0, 1500.0, 900.0), GREEN: (1500.0, 2300.0, 100.0)}
CAMERA: dict[str, Any] = {
    "position": [4000.0, 900.0, 5200.0],
    "focal_point": [1400.0, 1900.0, 450.0],
    "up": [0.2, 1.0, 0.1],
    "view_angle": 28.0,
    "size": [120, 90],
}


def projected(point: tuple[float, ...]) -> tuple[float, float]:
    """Column and row of a point in the picture of CAMERA, as VTK and OpenGL have it."""
    position, focal_point, up = (np.array(CAMERA[key]) for key in ("position", "focal_point", "up"))
    forward = focal_point - position
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, up)
    right /= np.linalg.norm(right)
    above = np.cross(right, forward)
    away = np.array(point) - position
    width, height = CAMERA["size"]
    per_height = height / 2 / np.tan(np.radians(CAMERA["view_angle"]) / 2) / (away @ forward)
    return width / 2 + (away @ right) * per_height - 0.5, height / 2 - (away @ above) * per_height - 0.5


@pytest.mark.parametrize("extra", [[], ["--no-recentre"], ["--scale", "1nm"], ["--size", "240x180"]])
def test_points_are_where_mosaics_camera_sees_them_and_as_large(
    bpy: ModuleType, tmp_path: Path, extra: list[str]
) -> None:
    from mosaic_addon.cli import main

    clouds = [
        cloud(str(color), points=np.array([point], np.float32), appearance=look(color, ambient=0.6))
        for color, point in POINTS.items()
    ]
    path = write_session(tmp_path / "s.pickle", clouds)
    (tmp_path / "camera.json").write_text(json.dumps(CAMERA))
    arguments = [
        "render",
        path,
        "-o",
        tmp_path / "p.png",
        "--camera",
        tmp_path / "camera.json",
        "--samples",
        "8",
        *extra,
    ]
    assert main([str(argument) for argument in arguments]) == 0
    pixels = picture(tmp_path / "p.png")
    times = pixels.shape[0] / CAMERA["size"][1]
    assert pixels.shape[1] == CAMERA["size"][0] * times
    for channel, (color, point) in zip((0, 2, 1), POINTS.items(), strict=True):
        others = [pixels[..., other] for other in range(3) if other != channel]
        mask = (pixels[..., channel] > 1.5 * others[0]) & (pixels[..., channel] > 1.5 * others[1])
        column, row = projected(point)
        expected = ((column + 0.5) * times - 0.5, (row + 0.5) * times - 0.5)
        assert middle_of(mask) == (pytest.approx(expected[0], abs=1), pytest.approx(expected[1], abs=1)), color
        # Ten pixels wide at the focal point, in the pixels of the picture that is made.
        assert 2 * np.sqrt(mask.sum() / np.pi) == pytest.approx(10, rel=0.25)


# --- other engines ---------------------------------------------------------------------------------------------------


def test_workbench_shows_the_same(session: Path, tmp_path: Path) -> None:
    """In a process of its own, as what draws with graphics drivers may hang or take the process down at its end."""
    command = [sys.executable, "-m", "mosaic_addon", "render", session, "-o", tmp_path / "p.png"]
    command += ["--engine", "workbench", "--size", "96x64"]
    done = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    pixels = picture(tmp_path / "p.png")
    assert is_red(pixels[:, :48]).sum() > 50
    assert is_blue(pixels[:, 48:]).sum() > 50
    assert is_white(pixels[:16]).all()
