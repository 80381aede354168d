"""Pictures as files: written whole or not at all, and under the name that was asked for."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mosaic_addon.session import MosaicError
from tests.support.make_sessions import cloud, write_session

ROOT = Path(__file__).resolve().parents[2]
SUFFIXES = [".png", ".jpg", ".tif", ".exr"]
linux = pytest.mark.skipif(sys.platform != "linux", reason="limits and names as Linux has them")


@pytest.fixture
def session(tmp_path: Path) -> Path:
    folder = tmp_path / "sessions"
    folder.mkdir()
    return write_session(folder / "s.pickle", [cloud("c", 50)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    return folder


def draw(bpy: ModuleType, session: Path, target: Path, size: tuple[int, int] = (16, 12)) -> None:
    from mosaic_addon import api

    api.render(api.load(session), target, api.RenderOptions(size=size, samples=1, engine="workbench"))


def render_process(session: Path, target: Path, before: str = "", **environment: str) -> Any:
    """The command line in another Python, which runs `before` first."""
    code = f"{before}\nimport runpy; runpy.run_module('mosaic_addon', run_name='__main__')"
    size = ["--size", "300x200", "--samples", "1"]
    command = [sys.executable, "-c", code, "render", str(session), "-o", str(target), *size]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=180, check=False
    )


def limited(size: int) -> str:
    return f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))"


def assert_refused(done: Any, target: Path) -> None:
    assert done.returncode == 1, done.stderr
    assert str(target) not in done.stdout
    errors = [line for line in done.stderr.splitlines() if line.startswith("mosaic: error: ")]
    assert len(errors) == 1, done.stderr
    assert str(target) in errors[0]
    assert "full" in errors[0] or "too large" in errors[0]  # of JPEG, Blender itself says it
    assert "Traceback" not in done.stderr


# --- a full disk -----------------------------------------------------------------------------------------------------


@linux
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_where_no_picture_can_be_written_the_old_one_stays(session: Path, folder: Path, suffix: str) -> None:
    target = folder / f"p{suffix}"
    target.write_bytes(b"an old picture")
    done = render_process(session, target, limited(2000))
    assert_refused(done, target)
    assert [path.name for path in folder.iterdir()] == [target.name]
    assert target.read_bytes() == b"an old picture"


@linux
def test_on_a_full_disk_the_old_picture_stays(bpy: ModuleType, session: Path, folder: Path) -> None:
    """The disk of the picture alone: a folder of its own, in memory, where that can be had."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        return  # the test before this one limits the size of files
    try:
        target = folder / "p.exr"
        target.write_bytes(b"an old picture")
        with pytest.raises(MosaicError, match=r"p\.exr cannot be written: the disk is full"):
            draw(bpy, session, target, (600, 400))
        assert target.read_bytes() == b"an old picture"
        assert [path.name for path in folder.iterdir()] == ["p.exr"]
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_picture_that_blender_wrote_in_part_is_not_taken(
    bpy: ModuleType, session: Path, folder: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a full disk for temporary files, of which Blender says nothing."""
    target = folder / f"p{suffix}"
    draw(bpy, session, target)
    whole = target.read_bytes()
    read = Path.read_bytes
    for kept in (0, 1, 8, len(whole) // 2, len(whole) - 1):
        monkeypatch.setattr(Path, "read_bytes", lambda path, kept=kept: read(path)[:kept])
        with pytest.raises(MosaicError, match=re.escape(target.name)):
            draw(bpy, session, target)
        monkeypatch.undo()
        assert target.read_bytes() == whole
    assert [path.name for path in folder.iterdir()] == [target.name]


@pytest.mark.parametrize("depth", ["16", "32"])
@pytest.mark.parametrize("size", [(16, 12), (33, 300)])
def test_every_kind_of_exr_is_known_as_whole(
    bpy: ModuleType, tmp_path: Path, depth: str, size: tuple[int, int]
) -> None:
    from mosaic_addon.scene.pictures.image_files import is_whole

    settings = bpy.context.scene.render.image_settings
    settings.file_format, settings.color_depth = "OPEN_EXR", depth
    image = bpy.data.images.new("noise", *size, float_buffer=True)
    image.pixels.foreach_set(np.random.default_rng(0).random(size[0] * size[1] * 4).astype(np.float32))
    tried = 0
    for codec in [item.identifier for item in settings.bl_rna.properties["exr_codec"].enum_items]:
        try:
            settings.exr_codec = codec
        except TypeError:
            continue  # not with this depth
        path = tmp_path / f"{codec}.exr"
        image.save_render(str(path), scene=bpy.context.scene)
        data = path.read_bytes()
        assert is_whole(data), codec
        for kept in (*range(0, len(data), max(1, len(data) // 97)), len(data) - 1):
            assert not is_whole(data[:kept]), codec
        tried += 1
    assert tried > 6


def test_no_thumbnail_is_made_of_a_part_of_one(bpy: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    from mosaic_addon.ui.session import thumbnail

    pixels = np.random.default_rng(0).random(thumbnail.WIDTH * thumbnail.HEIGHT * 4).astype(np.float32)
    assert thumbnail._as_png(pixels).startswith(b"\x89PNG")
    monkeypatch.setattr(thumbnail, "is_whole", lambda data: False)
    with pytest.raises(MosaicError, match="only a part of the new thumbnail"):
        thumbnail._as_png(pixels)


# --- kinds, and what is in them --------------------------------------------------------------------------------------


def test_each_file_says_how_large_it_is_in_print(bpy: ModuleType, session: Path, folder: Path) -> None:
    from mosaic_addon import api

    options = api.RenderOptions(size=(16, 12), samples=1, engine="workbench", dpi=254.0)
    files = [folder / "a.png", api.ImageFile(folder / "b.png", 16), folder / "c.jpg", folder / "d.tif",
             api.ImageFile(folder / "e.tiff", 16), folder / "f.exr"]  # fmt: skip
    api.render(api.load(session), files, options)
    assert sorted(path.name for path in folder.iterdir()) == ["a.png", "b.png", "c.jpg", "d.tif", "e.tiff", "f.exr"]
    for name in ("a.png", "b.png", "c.jpg", "d.tif", "e.tiff"):
        with Image.open(folder / name) as picture:
            assert picture.info["dpi"] == pytest.approx((254, 254), abs=0.01), name
            assert picture.size == (16, 12)
            picture.load()  # PNG's check sums are right
    bits = {name: (folder / name).read_bytes()[24] for name in ("a.png", "b.png")}  # in a PNG's header
    assert bits == {"a.png": 8, "b.png": 16}
    with Image.open(folder / "d.tif") as eight, Image.open(folder / "e.tiff") as sixteen:
        assert (eight.tag_v2[258], sixteen.tag_v2[258]) == ((8, 8, 8), (16, 16, 16))


def test_settings_of_files_stay_as_they_were(bpy: ModuleType, session: Path, folder: Path) -> None:
    from mosaic_addon.scene.pictures.options import ImageFile

    settings = bpy.context.scene.render.image_settings
    settings.file_format, settings.color_depth, settings.quality = "OPEN_EXR", "32", 77
    before = settings.file_format, settings.color_mode, settings.color_depth, settings.quality
    draw(bpy, session, ImageFile(folder / "p.jpg", quality=20))  # type: ignore[arg-type]
    assert (settings.file_format, settings.color_mode, settings.color_depth, settings.quality) == before


def test_of_several_files_all_are_written_or_none(bpy: ModuleType, session: Path, folder: Path) -> None:
    from mosaic_addon.scene.pictures import render

    contents = [(str(folder / name), name.encode()) for name in ("a", "b", "c")]
    render.replace_all(contents)
    assert [Path(path).read_bytes() for path, _ in contents] == [b"a", b"b", b"c"]
    (folder / "d").mkdir()
    for at in range(4):
        new = [(path, b"new") for path, _ in contents]
        new.insert(at, (str(folder / "d"), b"new"))
        with pytest.raises(MosaicError, match=re.escape(f"{folder / 'd'} is a folder")):
            render.replace_all(new)
        assert [Path(path).read_bytes() for path, _ in contents] == [b"a", b"b", b"c"]
        assert sorted(path.name for path in folder.iterdir()) == ["a", "b", "c", "d"]


# --- names -----------------------------------------------------------------------------------------------------------

NAMES: dict[str, Callable[[], str]] = {
    "a template": lambda: "{blend_name}.png",
    "numbers": lambda: "frame_####.png",
    "one number": lambda: "#1.png",
    "braces": lambda: "{a}{{b}}}.png",
    "percent": lambda: "%04d.png",
    "in the folder": lambda: "{frame_number}/##/p.png",
    "a long path": lambda: "/".join(["x" * 200] * 6) + "/p.png",
    "no text": lambda: os.fsdecode(b"\xff\xfe.png"),
    "spaces": lambda: " p .png",
}


@pytest.mark.parametrize("kind", [*NAMES])
def test_a_name_means_itself(bpy: ModuleType, session: Path, folder: Path, kind: str) -> None:
    target = folder / NAMES[kind]()
    target.parent.mkdir(parents=True, exist_ok=True)
    there = bpy.context.scene.render.filepath
    draw(bpy, session, target)
    assert Image.open(target).size == (16, 12)
    assert [path for path in folder.rglob("*") if path.is_file()] == [target]
    assert bpy.context.scene.render.filepath == there


def test_a_picture_is_written_through_a_link(bpy: ModuleType, session: Path, folder: Path) -> None:
    (folder / "p.png").write_bytes(b"an old picture")
    (folder / "p.png").chmod(0o640)
    (folder / "link.png").symlink_to("p.png")
    draw(bpy, session, folder / "link.png")
    assert (folder / "link.png").is_symlink()
    assert Image.open(folder / "p.png").size == (16, 12)
    assert (folder / "p.png").stat().st_mode & 0o777 == 0o640
