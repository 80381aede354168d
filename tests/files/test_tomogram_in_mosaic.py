"""The real Mosaic has the same values, at the same place, of the same files."""

from __future__ import annotations

import gzip
import json
import subprocess
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mosaic_addon.files.tomogram import read_density
from tests.support import make_tomograms as make

SCRIPT = Path(__file__).parents[1] / "support" / "read_with_mosaic.py"
VALUES = np.random.default_rng(4).integers(0, 100, (4, 5, 7)).astype("f4")
# mapc, mapr, maps that Mosaic's load_density swaps wrongly; what it makes points of a map with follows MRC2014, as we do.
SWAPPED = ((1, 3, 2), (2, 1, 3))

FILES = {
    **{f"{dtype}.mrc": make.mrc(VALUES.astype(dtype)) for dtype in ("i1", "i2", "u2", "f2", "f4")},
    "big.map": make.mrc(VALUES, byte_order=">"),
    "sides.mrc": make.mrc(VALUES, (1, 2, 3)),
    "cell.mrc": make.mrc(VALUES, None),
    "origin.mrc": make.mrc(VALUES, origin=(100, 200, -300)),
    "start.mrc": make.mrc(VALUES, start=(1, 2, -3)),
    "both.mrc": make.mrc(VALUES, start=(1, 2, 3), origin=(7, 8, 9)),
    "extended.mrc": make.mrc(VALUES, extended=bytes(1024)),
    "packed.mrc.gz": gzip.compress(make.mrc(VALUES)),
    "f4.em": make.em(VALUES),
    "i2.em": make.em(VALUES.astype("i2")),
    "unknown.em": make.em(VALUES, pixel=0),
    **{
        f"axes{''.join(map(str, axes))}.mrc": make.mrc(VALUES, axes=axes, start=(1, 1, 1))
        for axes in permutations((1, 2, 3))
        if axes not in SWAPPED
    },
}


@pytest.fixture(scope="module")
def told(mosaic_python: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder of the files, and what Mosaic says of each."""
    folder = tmp_path_factory.mktemp("tomograms")
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    answer = subprocess.run(
        [mosaic_python, SCRIPT, folder, *FILES], capture_output=True, text=True, timeout=300, check=True
    )
    return folder, dict(zip(FILES, map(json.loads, answer.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("name", FILES)
def test_load_density_agrees(name: str, told: tuple[Path, dict[str, Any]]) -> None:
    folder, answers = told
    theirs = answers[name]["density"]
    ours = read_density(folder / name, max_voxels=10**6)
    np.testing.assert_array_equal(ours.values, np.load(folder / f"{name}.density.npy").T)
    assert ours.voxel_size == pytest.approx(theirs["sampling"])
    assert ours.origin == pytest.approx(theirs["origin"])


def test_the_volume_viewer_knows_the_origin_of_mrc_alone(told: tuple[Path, dict[str, Any]]) -> None:
    """What docs/decisions/tomogram-places.md says of it."""
    folder, answers = told
    for name in ("i2.mrc", "f4.mrc", "origin.mrc", "packed.mrc.gz", "f4.em"):  # in others its values may be wrong
        ours = read_density(folder / name, max_voxels=10**6)
        np.testing.assert_array_equal(ours.values, np.load(folder / f"{name}.viewer.npy"))
    assert answers["origin.mrc"]["viewer"]["origin"] == [100, 200, -300]
    assert answers["start.mrc"]["viewer"]["origin"] == [0, 0, 0]
    assert answers["packed.mrc.gz"]["viewer"]["origin"] == [0, 0, 0]
    assert answers["f2.mrc"]["viewer"]["origin"] == [0, 0, 0]
