"""What of a tomogram is shown, as numbers: how a box remembers it, and what it is made from. Needs no Blender."""

import json
import math
from dataclasses import asdict, dataclass
from typing import Any, Final, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...session.errors import MosaicError
from .atlas import LARGEST, Grid, grid_for, range_of

Triple: TypeAlias = tuple[float, float, float]

MOST_TEXT: Final = 20_000  # characters of what a box remembers


@dataclass(frozen=True, slots=True)
class Volume:
    """What of a tomogram is shown.

    shape: voxels along x, y and z. voxel_size: of them, in angstrom. start: the middle of the first one, from the
    middle of the first voxel of the file, in angstrom. value_range: what the least and greatest level stand for.
    columns, rows: of tiles in the image. file_voxel_size: of the file, in angstrom. binning: how many of these along a
    side became one. path: of the file, relative to the .blend where it begins with "//"; only for reading it again.
    """

    shape: tuple[int, int, int]
    voxel_size: Triple
    start: Triple
    value_range: tuple[float, float]
    columns: int
    rows: int
    file_voxel_size: Triple
    binning: int = 1
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the volume of a text that `dump` made. Raises ValueError and the like for any other."""
        values = json.loads(text) if len(text) <= MOST_TEXT else None
        if not isinstance(values, dict):
            raise ValueError("no group of values")
        volume = cls(
            _whole(values["shape"]),
            _three(values["voxel_size"]),
            _three(values["start"]),
            (float(values["value_range"][0]), float(values["value_range"][1])),
            int(values["columns"]),
            int(values["rows"]),
            _three(values["file_voxel_size"]),
            int(values["binning"]),
            values["path"] if isinstance(values["path"], str) else "",
        )
        sides = (*volume.shape, *volume.voxel_size, *volume.file_voxel_size)
        numbers = (*sides, *volume.start, *volume.value_range)
        if min(*sides, volume.binning, volume.columns, volume.rows) <= 0 or not all(map(math.isfinite, numbers)):
            raise ValueError("no such tomogram")
        if max(volume.grid.size) > LARGEST or volume.columns * volume.rows < volume.grid.tiles:
            raise ValueError("no such image")
        return volume

    def dump(self) -> str:
        """Return the volume as a text."""
        return json.dumps(asdict(self))

    @property
    def grid(self) -> Grid:
        """How its slices lie in the image."""
        return Grid(self.shape, self.columns, self.rows)

    @property
    def bounds(self) -> tuple[Triple, Triple]:
        """Two opposite corners of the box, in angstrom from the middle of the file's first voxel."""
        low = [start - size / 2 for start, size in zip(self.start, self.voxel_size, strict=True)]
        high = [low + n * size for low, n, size in zip(low, self.shape, self.voxel_size, strict=True)]
        return (low[0], low[1], low[2]), (high[0], high[1], high[2])

    @property
    def no_threshold(self) -> float:
        """A threshold above which all values are."""
        low, high = self.value_range
        return low - 0.01 * (high - low)

    @property
    def distance(self) -> float:
        """From one slice to the next, in angstrom."""
        return sum(self.voxel_size) / 3


@dataclass(frozen=True, slots=True)
class Shown:
    """What is to be shown of a tomogram.

    values: (z, y, x). voxel_size: of these, in angstrom. start: the middle of the first value, from the middle of the
    file's first voxel, in angstrom. file_voxel_size: of the file, by default that of the values. binning: how many of
    the file's voxels along a side became one. path: of the file, for reading it again. bits: 8 or 16 of a value.
    """

    values: NDArray[Any]
    voxel_size: Triple
    start: Triple = (0.0, 0.0, 0.0)
    file_voxel_size: Triple | None = None
    binning: int = 1
    path: str = ""
    bits: int = 8

    def check(self) -> None:
        """Raise MosaicError for what cannot be shown."""
        if self.values.ndim != 3 or not self.values.size or self.values.dtype.kind not in "biuf":
            raise MosaicError("A tomogram has numbers along three axes, z, y and x.")
        sizes = (*self.voxel_size, *(self.file_voxel_size or ()), self.binning)
        if not all(0 < size < math.inf for size in sizes) or not np.isfinite(self.start).all():
            raise MosaicError("The size of a voxel must be positive, and its place a finite number.")
        if self.bits not in (8, 16):
            raise MosaicError(f"A value has 8 or 16 bits, not {self.bits}.")

    def laid_out(self) -> Volume:
        """Return how the values lie in an image. Raises MosaicError where they are too many."""
        depth, height, width = self.values.shape
        grid = grid_for((width, height, depth))
        return Volume(
            grid.shape,
            _three(self.voxel_size),
            _three(self.start),
            range_of(self.values, self.bits),
            grid.columns,
            grid.rows,
            _three(self.file_voxel_size or self.voxel_size),
            self.binning,
            self.path,
        )


def _three(values: Any) -> Triple:
    x, y, z = (float(value) for value in values)
    return x, y, z


def _whole(values: Any) -> tuple[int, int, int]:
    x, y, z = (int(value) for value in values)
    return x, y, z
