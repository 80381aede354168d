"""The part of the benchmark for tomograms' files: read and averaged, beside a plain read of them into one array."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mosaic_addon.files.tomogram import read_density, read_slice
from tests.support import make_tomograms as make

FITS = 64 * 2**20  # voxels: what a scene holds of a tomogram in 8 bits by default
SIDES = {
    "float32": (300, 1000, 1000),
    "int16": (300, 1000, 1000),
    "int8": (300, 1000, 1000),
    "float16": (300, 1000, 1000),
}


def density(
    folder: Path,
    report: Callable[..., None],
    in_turn: Callable[..., list[float]],
    memory_of: Callable[[str, Path | None], dict[str, int] | None],
) -> None:
    """Files of each kind of values, and the memory for one of 4 GB."""
    for dtype, sides in SIDES.items():
        path = tomogram(folder / f"{dtype}.mrc", np.dtype(dtype), sides)
        size = f"{path.stat().st_size / 1e9:.1f} GB of {dtype}"
        ours, plain = in_turn(
            3, lambda p=path: read_density(p, max_voxels=FITS), lambda p=path: np.fromfile(p, np.uint8)
        )
        report(f"read and average a tomogram, {size} / a plain read", ours, plain, 1.5 if dtype == "float32" else None)
        if dtype == "float32":
            ours, plain = in_turn(3, lambda p=path: read_slice(p, "y", 500), lambda p=path: np.fromfile(p, np.uint8))
            report("one slice across y of it / a plain read", ours, plain, None)
        path.unlink()
    path = folder / "large.mrc"
    with open(path, "wb") as file:  # all zeros, which no disk has to hold
        file.write(make.mrc(np.zeros((1, 1, 1), "f4"), words=dict.fromkeys((0, 1, 2), 1000))[:1024])
        file.truncate(1024 + 4 * 1000**3)
    work = (
        f"from mosaic_addon.files.tomogram import read_density; kept = read_density({str(path)!r}, max_voxels={FITS})"
    )
    peak = memory_of(work, None)
    if peak is not None:
        limit = 300e6 / 2**20
        report(
            "memory for a tomogram of 4 GB / 300 MB", peak["all"] / 2**20, limit, 1.0, "142 of it are the result", "MiB"
        )
    path.unlink()


def tomogram(path: Path, dtype: np.dtype[Any], sides: tuple[int, int, int]) -> Path:
    """A tomogram of noise, the same in each section."""
    noise = np.random.default_rng(1).standard_normal((1, *sides[1:]), np.float32) * 30
    content = make.mrc(noise.astype(dtype), words={2: sides[0], 9: sides[0]})
    with open(path, "wb") as file:
        file.write(content[:1024])
        for _ in range(sides[0]):
            file.write(content[1024:])
    return path
