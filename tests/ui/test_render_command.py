"""The command render: sizes in print, several files, and .blends of one's own and of strangers."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from tests.support.make_sessions import cloud, mesh, write_session

QUICK = ["--engine", "workbench", "--samples", "1"]


def render(*arguments: str | Path) -> int:
    from mosaic_addon.cli import main

    return main(["render", *map(str, arguments), *QUICK])


@pytest.fixture
def session(tmp_path: Path) -> Path:
    return write_session(tmp_path / "s.pickle", [cloud("c", 50)], [mesh("m")])


@pytest.fixture
def blend(bpy: ModuleType, session: Path, tmp_path: Path) -> Path:
    from mosaic_addon.cli import main

    assert main(["import", str(session), "-o", str(tmp_path / "s.blend")]) == 0
    return tmp_path / "s.blend"


def test_sizes_in_print(bpy: ModuleType, session: Path, tmp_path: Path) -> None:
    target = tmp_path / "p.png"
    for options, size, dpi in (
        (["--mm", "8.5", "--dpi", "100"], (33, 25), 100),
        (["--mm", "8.5x2.54", "--dpi", "100"], (33, 10), 100),
        (["--mm", "2.54"], (30, 23), 300),
        (["--mm", "2.54", "--size", "20x10"], (20, 10), 200),
        (["--dpi", "150", "--size", "20x10"], (20, 10), 150),
    ):
        assert render(session, "-o", target, *options) == 0
        with Image.open(target) as picture:
            assert picture.size == size
            assert picture.info["dpi"] == pytest.approx((dpi, dpi), abs=0.5)


def test_several_files_at_once(
    bpy: ModuleType, session: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [tmp_path / name for name in ("a.png", "b.tif", "c.jpg", "d.exr")]
    outputs = [word for file in files for word in ("-o", file)]
    assert render(session, *outputs, "--size", "16x12", "--bits", "16") == 0
    assert all(file.stat().st_size for file in files)
    assert [line.split(" (")[0] for line in capsys.readouterr().out.splitlines()[-4:]] == list(map(str, files))
    assert files[0].read_bytes()[24] == 16


def test_without_perspective(bpy: ModuleType, session: Path, tmp_path: Path) -> None:
    assert render(session, "-o", tmp_path / "p.png", "--size", "16x12", "--orthographic") == 0
    assert bpy.context.scene.camera.data.type == "ORTHO"


def test_a_blend_is_rendered_as_it_is_set_up(bpy: ModuleType, blend: Path, tmp_path: Path) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(blend))
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 40, 60, 50
    scene.camera.data.lens = 33
    where = scene.camera.matrix_world.copy()
    bpy.ops.wm.save_mainfile()
    saved = blend.read_bytes()
    assert render(blend, "-o", tmp_path / "p.png") == 0
    assert Image.open(tmp_path / "p.png").size == (20, 30)
    scene = bpy.context.scene
    assert scene.camera.matrix_world == where
    assert scene.camera.data.lens == pytest.approx(33)
    assert render(blend, "-o", tmp_path / "p.png", "--size", "20x10", "--direction", "1,0,0", "--look", "flat") == 0
    scene = bpy.context.scene
    assert Image.open(tmp_path / "p.png").size == (20, 10)
    assert scene.camera.matrix_world != where
    assert scene.display.shading.light == "FLAT"
    assert blend.read_bytes() == saved


def test_a_blend_is_coloured_like_sessions(bpy: ModuleType, session: Path, blend: Path, tmp_path: Path) -> None:
    pictures = []
    for file in (session, blend):
        target = tmp_path / f"{file.suffix[1:]}.png"
        arguments = ("--size", "32x24", "--look", "flat", "--direction", "0,1,-1", "--zoom", "1.2")
        assert render(file, "-o", target, *arguments) == 0
        pictures.append(np.asarray(Image.open(target)).astype(int))
    assert np.abs(pictures[0] - pictures[1]).max() <= 1
    assert pictures[0].std() > 1


def test_a_blend_of_a_stranger_runs_nothing_and_writes_nowhere_else(
    bpy: ModuleType, blend: Path, tmp_path: Path
) -> None:
    from mosaic_addon.scene.compat import new_compositing_tree

    bpy.ops.wm.open_mainfile(filepath=str(blend))
    text = bpy.data.texts.new("start.py")
    text.from_string(f"import os; os.mkdir({str(tmp_path / 'canary')!r})")
    text.use_module = True
    bpy.context.scene["x"] = 0.0
    driver = bpy.context.scene.driver_add('["x"]').driver
    driver.expression = f"__import__('os').mkdir({str(tmp_path / 'canary')!r})"
    tree, _ = new_compositing_tree(bpy.context.scene, "Stranger")
    node = tree.nodes.new("CompositorNodeOutputFile")
    if bpy.app.version >= (5, 0):
        node.directory = str(tmp_path / "written")
        node.file_output_items.new("RGBA", "picture")
    else:
        node.base_path = str(tmp_path / "written")
    layers = tree.nodes.new("CompositorNodeRLayers")
    tree.links.new(layers.outputs["Image"], node.inputs[0])
    bpy.context.scene.render.resolution_x, bpy.context.scene.render.resolution_y = 16, 12
    bpy.ops.wm.save_mainfile()
    assert render(blend, "-o", tmp_path / "p.png") == 0
    assert (tmp_path / "p.png").exists()
    assert not (tmp_path / "canary").exists()
    assert not (tmp_path / "written").exists()


def test_what_cannot_be_is_refused_in_one_line(
    bpy: ModuleType, session: Path, blend: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from mosaic_addon.cli import main

    (tmp_path / "text.blend").write_text("no blend")
    for arguments, word in (
        ([blend, session], "can only be rendered alone"),
        ([blend, "--pixel-size", "3"], "leave --no-recentre and --pixel-size out"),
        ([tmp_path / "text.blend"], "text.blend cannot be opened"),
        ([tmp_path / "none.blend"], "none.blend cannot be opened"),
        ([blend, "--frame", "2"], "no frame 2"),
        ([session, "--mm", "85", "--dpi", "300", "--size", "10x10"], "leave --dpi out"),
        ([session, "--device", "metal"], "--device metal is for Cycles"),
        ([session, "--engine", "cycles", "--device", "metal"], "Cycles cannot compute with Metal"),
    ):
        engine = [] if "--engine" in arguments else QUICK
        assert main(["render", *map(str, arguments), *engine, "-o", str(tmp_path / "p.png")]) == 1
        (line,) = (line for line in capfd.readouterr().err.splitlines() if line.startswith("mosaic: "))
        assert line.startswith("mosaic: error: ")
        assert word in line
        assert not (tmp_path / "p.png").exists()
