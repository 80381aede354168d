"""Recipes show tomograms, say in a sentence what is wrong with them, and are written of scenes that have them."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from tests.support.make_sessions import cloud, mesh, write_session
from tests.support.tomograms import write_mrc

START = """version = 1
sessions = "s.pickle"
[picture]
width_mm = 10
height_mm = 10
dpi = 127
engine = "cycles"
samples = 1
look = "flat"
"""
TOMOGRAM = """[[tomogram]]
file = "t.mrc"
slices = ["XY", {plane = "XZ", at_nm = 24, opacity = 0.5, cut = true}, {plane = "YZ", full = true}]
on = "mesh"
offset_nm = 1.5
black = -1
white = 2
map = "viridis"
invert = true
average = 3
megabytes = 0.01
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_session(tmp_path / "s.pickle", [cloud("points")], [mesh("mesh")])
    write_mrc(tmp_path / "t.mrc", np.random.default_rng(1).normal(size=(24, 28, 32)).astype(np.float32), 40.0)
    return tmp_path


def figure(folder: Path, text: str, *arguments: str) -> int:
    from mosaic_addon.cli import main

    (folder / "f.toml").write_text(START + text)
    return main(["figure", str(folder / "f.toml"), *arguments])


def test_a_recipe_shows_a_tomogram(bpy: ModuleType, folder: Path) -> None:
    assert figure(folder, "", "-o", str(folder / "without.png")) == 0
    assert figure(folder, TOMOGRAM, "-o", str(folder / "with.png")) == 0
    without, shown = (np.asarray(Image.open(folder / name).convert("RGB")) for name in ("without.png", "with.png"))
    assert (np.abs(shown.astype(int) - without).max(axis=-1) > 10).mean() > 0.1
    assert np.ptp(shown, axis=-1).max() > 60  # viridis


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('"t.mrc"', '"none.mrc"', "line 11: none.mrc does not exist"),
        ('"viridis"', '"virids"', "line 17: There is no colour map"),
        ("average = 3", "average = 99", "line 19: average is 99"),
        ('"XY",', '"XX",', "line 12"),
        ('on = "mesh"', 'on = "mush"', "line 13"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    bpy: ModuleType, folder: Path, capsys: pytest.CaptureFixture[str], before: str, after: str, said: str
) -> None:
    assert figure(folder, TOMOGRAM.replace(before, after), "--check") == 1
    assert said in capsys.readouterr().err


def test_a_recipe_is_written_of_a_scene_with_a_tomogram(bpy: ModuleType, folder: Path) -> None:
    from mosaic_addon.files.recipe import read_recipe
    from mosaic_addon.scene.describing.scene import recipe_of

    assert figure(folder, TOMOGRAM, "-o", str(folder / "with.png")) == 0
    (wanted,) = read_recipe(folder / "f.toml").tomograms
    again, said = recipe_of(bpy.context.scene, str(folder))
    assert said == []
    assert again.cuts == ()
    (table,) = again.tomograms
    assert (table.file, table.on, table.offset_nm) == ("t.mrc", wanted.on, 1.5)
    for field in ("map", "black", "white", "gamma", "invert", "threshold", "opacity", "average", "bits"):
        assert getattr(table, field) == getattr(wanted, field), field
    first, second, third = table.slices
    assert (first.plane, second, third.plane, third.full) == ("XY", wanted.slices[1], "YZ", True)
    assert (first.at_nm, third.at_nm) == (46.0, 64.0)
