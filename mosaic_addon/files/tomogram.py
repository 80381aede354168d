"""Tomograms: their headers, their density binned to fit, and single slices, from files of strangers.

A file is never held as a whole: its rows are read, converted and averaged a few at a time.
"""

import os
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Final, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..session.errors import MosaicError
from .tomogram_file import TomogramFile, open_tomogram
from .tomogram_headers import Header, Place, Three

CHUNK: Final = 2**19  # values that are read at once, so that they are still in the processor's cache when averaged
MOST_OF_A_SLICE: Final = 2**28  # voxels
MAX_HALF: Final = 65504

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Region:
    """A box of voxels: from `start` up to, without, `stop`, along x, y, z."""

    start: Three
    stop: Three

    @property
    def shape(self) -> Three:
        """Voxels along x, y, z."""
        sides = [stop - start for start, stop in zip(self.start, self.stop)]
        return sides[0], sides[1], sides[2]


@dataclass(frozen=True, slots=True)
class Density:
    """A tomogram, or a part of it, binned.

    values: (z, y, x), finite. binning: n, if each value is the mean of n x n x n voxels; along an axis with fewer than n
    of all of them, and at the far ends of what is left. voxel_size: angstrom of a value along x, y, z. origin: the centre
    of value (0, 0, 0) in angstrom, so that value (k, j, i) lies at origin + (i, j, k) * voxel_size. It contains the
    header's origin, which Mosaic's geometries do not: they lie at voxel x sampling rate. header: of the file. region: the
    voxels of the file that were read.
    """

    values: NDArray[np.float32]
    voxel_size: Place
    origin: Place
    binning: int
    header: Header
    region: Region


def read_header(path: str | os.PathLike[str]) -> Header:
    """Read what a file says of its tomogram, and check that the values can be in the file.

    Raises MosaicError, in a sentence with the file's name, if it does not exist, is no regular file, has no format that
    is known, or is cut short.
    """
    with open_tomogram(Path(path)) as (header, _):
        return header


def read_density(
    path: str | os.PathLike[str],
    *,
    max_voxels: int,
    region: Region | None = None,
    progress: Callable[[float], None] | None = None,
) -> Density:
    """Read a tomogram with the smallest binning by which it has at most `max_voxels` values.

    region: the voxels to read, by default all; what of it lies outside the tomogram is left out. progress: called with
    the fraction that is done; an exception that it raises ends the reading. Raises MosaicError like `read_header`, and if
    the region is empty or the file became shorter.
    """
    return _all_of(density_steps(path, max_voxels=max_voxels, region=region), progress)


def density_steps(
    path: str | os.PathLike[str], *, max_voxels: int, region: Region | None = None
) -> Generator[float, None, Density]:
    """Read a tomogram as `read_density` does, in steps: yield the fraction that is done. Close it to stop."""
    with open_tomogram(Path(path)) as (header, file):
        region = _within(header, region)
        binning = 1
        while prod(-(-side // min(binning, side)) for side in region.shape) > max(max_voxels, 1):
            binning += 1
        bins = tuple(min(binning, side) for side in region.shape)
        values = yield from _means(header, file, region, (bins[0], bins[1], bins[2]))
    voxel = tuple(size * count for size, count in zip(header.voxel_size, bins))
    origin = tuple(
        origin + size * (start + (count - 1) / 2)
        for origin, size, start, count in zip(header.origin, header.voxel_size, region.start, bins)
    )
    return Density(values, (voxel[0], voxel[1], voxel[2]), (origin[0], origin[1], origin[2]), binning, header, region)


def read_slice(
    path: str | os.PathLike[str],
    axis: Literal["x", "y", "z"],
    index: int,
    *,
    average: int = 1,
    progress: Callable[[float], None] | None = None,
) -> NDArray[np.float32]:
    """Read one slice at full resolution, across `axis`, or the mean of `average` slices around it.

    Of an even number there is one more behind the slice than before it; those outside the tomogram are left out. Returns
    (y, x) across z, (z, x) across y, (z, y) across x. progress, errors: as for `read_density`, and for a slice of more than
    2**28 voxels. Across x all of the file is read.
    """
    return _all_of(slice_steps(path, axis, index, average=average), progress)


def slice_steps(
    path: str | os.PathLike[str], axis: Literal["x", "y", "z"], index: int, *, average: int = 1
) -> Generator[float, None, NDArray[np.float32]]:
    """Read a slice as `read_slice` does, in steps: yield the fraction that is done. Close it to stop."""
    number = "xyz".index(axis)
    with open_tomogram(Path(path)) as (header, file):
        first = index - (average - 1) // 2
        start, stop, bins = [0, 0, 0], list(header.shape), [1, 1, 1]
        start[number], stop[number] = max(first, 0), min(first + max(average, 1), header.shape[number])
        region = _within(header, Region((start[0], start[1], start[2]), (stop[0], stop[1], stop[2])))
        bins[number] = region.shape[number]
        if prod(region.shape) // bins[number] > MOST_OF_A_SLICE:
            raise MosaicError("has slices too large to be read at full resolution; choose a region of it")
        values = yield from _means(header, file, region, (bins[0], bins[1], bins[2]))
    return values.squeeze(2 - number)


def _all_of(steps: Generator[float, None, Result], progress: Callable[[float], None] | None) -> Result:
    """Take all steps, and tell each fraction. Ends them, and closes their file, if that raises."""
    with closing(steps):
        while True:
            try:
                fraction = next(steps)
            except StopIteration as end:
                return end.value
            if progress is not None:
                progress(fraction)


# --- the values ------------------------------------------------------------------------------------------------------


def _within(header: Header, region: Region | None) -> Region:
    """Return the part of a region that lies in the tomogram. Raises MosaicError if there is none."""
    if region is None:
        return Region((0, 0, 0), header.shape)
    start = [max(0, value) for value in region.start]
    stop = [min(value, side) for value, side in zip(region.stop, header.shape)]
    if any(low >= high for low, high in zip(start, stop)):
        raise MosaicError(
            f"has {' x '.join(map(str, header.shape))} voxels, and none of those that were asked for; choose others"
        )
    return Region((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))


def _means(
    header: Header, file: TomogramFile, region: Region, bins: Three
) -> Generator[float, None, NDArray[np.float32]]:
    """Average blocks of `bins` voxels along x, y, z, and yield the fraction that is done. Returns (z, y, x) values."""
    fast, middle, slow = (bins[axis] for axis in header.order)
    first = [region.start[axis] for axis in header.order]
    count = [region.shape[axis] for axis in header.order]
    x, y, z = (-(-side // size) for side, size in zip(region.shape, bins))
    result = np.empty((z, y, x), np.float32)
    slices = result.transpose([2 - axis for axis in reversed(header.order)])  # slow, middle, fast
    sums = np.zeros(slices.shape[1:], np.float32)
    weights = _counts(count[1], middle)[:, None] * _counts(count[0], fast)
    step = max(CHUNK // header.shape[header.order[0]] // middle, 1) * middle
    for _ in file.skip_to(header.offset + first[2] * header.shape[header.order[1]] * header.row_bytes):
        yield 0.0
    rows = _Rows(header, file, slice(first[0], first[0] + count[0]), min(step, count[1]))
    for k in range(count[2]):
        for j in range(0, count[1], step):
            values = rows.read(first[2] + k, first[1] + j, min(step, count[1] - j))
            _add_blocks(sums[j // middle : -(-(j + len(values)) // middle)], values, middle, fast, rows.spare)
            yield (k + (j + len(values)) / count[1]) / count[2]
        if (k + 1) % slow == 0 or k + 1 == count[2]:
            sums /= weights * (k % slow + 1)
            if not np.isfinite(sums).all():
                np.nan_to_num(sums, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
            slices[k // slow] = sums
            sums[:] = 0
    return result


def _counts(total: int, size: int) -> NDArray[np.float32]:
    """Return how many of `total` are in each block of `size`: in the last what is left."""
    counts = np.full(-(-total // size), size, np.float32)
    counts[-1] = total - size * (len(counts) - 1)
    return counts


class _Rows:
    """Rows of a tomogram as numbers, in memory that is used again for each part. spare: more of it, of the same shape."""

    def __init__(self, header: Header, file: TomogramFile, columns: slice, most: int) -> None:
        self._header = header
        self._file = file
        self._columns = columns
        self._bytes = np.empty((most, header.row_bytes), np.uint8)
        self._numbers = np.empty((most, header.shape[header.order[0]]), np.float32)
        self.spare = np.empty((most, columns.stop - columns.start), np.float32)

    @np.errstate(all="ignore")
    def read(self, section: int, row: int, count: int) -> NDArray[np.float32]:
        """Read rows of one section. Returns (rows, columns), which hold until the next call."""
        header, raw, numbers = self._header, self._bytes[:count], self._numbers[:count]
        place = section * header.shape[header.order[1]] + row
        self._file.read_into(raw.reshape(-1).data, header.offset + place * header.row_bytes)
        if header.four_bits:  # the first of two in the lower half
            numbers[:, 0::2] = raw & 15
            numbers[:, 1::2] = (raw >> 4)[:, : numbers.shape[1] // 2]
        elif header.dtype.kind == "f" and header.dtype.itemsize == 2:
            _widen_halves(raw.view(header.dtype.str.replace("f", "i")), numbers)
        elif header.dtype == np.float32:
            numbers = raw.view(header.dtype)
        else:
            np.copyto(numbers, raw.view(header.dtype), casting="unsafe")
        return numbers[:, self._columns]


def _widen_halves(halves: NDArray[np.int16], numbers: NDArray[np.float32]) -> None:
    """Turn 16 bits of a float each into float32, in a quarter of the time that numpy takes for it."""
    bits = numbers.view(np.int32)
    np.copyto(bits, halves)
    np.left_shift(bits, 13, out=bits)  # its sign, exponent and fraction to where they belong
    np.bitwise_and(bits, ~0x70000000, out=bits)  # without the copies of the sign
    np.multiply(numbers, np.float32(2.0**112), out=numbers)  # for the exponent's other zero point
    if numbers.max() > MAX_HALF or numbers.min() < -MAX_HALF:
        numbers[np.abs(numbers) > MAX_HALF] = np.nan  # infinite, or none


@np.errstate(all="ignore")
def _add_blocks(
    sums: NDArray[np.float32], rows: NDArray[np.float32], middle: int, fast: int, spare: NDArray[np.float32]
) -> None:
    """Add the sums of blocks of `middle` rows and `fast` columns. The last blocks may have less of either."""
    if middle > 1:
        whole = len(rows) // middle
        added = spare[: len(sums)]
        np.add.reduce(rows[: whole * middle].reshape(whole, middle, -1), axis=1, out=added[:whole])
        if whole < len(sums):
            np.add.reduce(rows[whole * middle :], axis=0, out=added[whole])
        rows = added
    if fast == 1:
        sums += rows
        return
    whole = rows.shape[1] // fast
    # Far quicker than a sum along so short an axis.
    sums[:, :whole] += rows[:, : whole * fast].reshape(len(rows), whole, fast) @ np.ones(fast, np.float32)
    if whole < sums.shape[1]:
        sums[:, whole] += rows[:, whole * fast :].sum(axis=1)
