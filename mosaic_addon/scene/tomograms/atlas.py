"""A volume as one picture: its slices side by side as tiles, four to a pixel. Needs no Blender.

A pixel holds the values of one place in four slices that follow each other, as red, green, blue and alpha; the last of
them is the first of the next tile, so that a single tile has all that is interpolated between. The file is a PNG that
is not compressed: a tomogram is noise, and packing it would take longer than everything else.
"""

import math
import struct
import zlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ...session.errors import MosaicError

LARGEST: Final = 16384  # pixels along a side, which graphics cards take
STEP: Final = 3  # slices from one tile to the next
SAMPLED: Final = 1_000_000  # values that the range is found by
OUTLIERS: Final = 0.0005  # the share of values, at each end, that does not decide the range of 8 bits
GREY, COLORED = 0, 6  # kinds of PNG: one channel, and four
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class Grid:
    """How tiles lie. shape: voxels along x, y and z. columns, rows: of tiles; the first is at the lower left."""

    shape: tuple[int, int, int]
    columns: int
    rows: int

    @property
    def tiles(self) -> int:
        """How many tiles there are."""
        return tiles_of(self.shape[2])

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture in pixels."""
        return self.columns * self.shape[0], self.rows * self.shape[1]


def tiles_of(depth: int) -> int:
    """Return how many tiles hold so many slices."""
    return max(1, math.ceil((depth - 1) / STEP))


def grid_for(shape: tuple[int, int, int]) -> Grid:
    """Return the grid whose picture is nearest to a square. shape: voxels along x, y and z.

    Raises MosaicError for a volume that is too large for one picture.
    """
    width, height, depth = shape
    tiles = tiles_of(depth)
    most_columns = LARGEST // width
    fitting = [
        (max(columns * width, rows * height), columns, rows)
        for columns in range(1, min(most_columns, tiles) + 1)
        if (rows := math.ceil(tiles / columns)) * height <= LARGEST
    ]
    if not fitting:
        raise MosaicError(f"A tomogram of {width} x {height} x {depth} voxels is too large to be shown; bin it more.")
    _, columns, rows = min(fitting)
    return Grid(shape, columns, rows)


def range_of(values: NDArray[Any], bits: int) -> tuple[float, float]:
    """Return the values, of an array (z, y, x), that the least and the greatest level of a picture stand for.

    With 16 bits these are the least and greatest. With 8 bits a few far outliers, such as gold beads, do not count, so
    that the levels are left for the rest; room is left on both sides for contrast.
    """
    sample = sample_of(values)
    if not len(sample):
        return 0.0, 1.0
    low, high = float(sample.min()), float(sample.max())
    if bits == 8:
        inner = np.quantile(sample, (OUTLIERS, 1 - OUTLIERS))
        room = float(inner[1] - inner[0]) / 4
        if room > 0:
            low, high = max(low, float(inner[0]) - room), min(high, float(inner[1]) + room)
    return (low, high) if high > low else (low, low + 1.0)


def sample_of(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return some of the finite values of an array, from all over it: up to SAMPLED."""
    flat = values.reshape(-1)
    step = max(1, len(flat) // SAMPLED)
    if step > 1:
        step |= 1  # so that it does not meet the same column of each row
    sample = flat[::step].astype(np.float64)
    return sample[np.isfinite(sample)]


def encode(values: NDArray[Any], grid: Grid, value_range: tuple[float, float], bits: int) -> bytes:
    """Return the bytes of a PNG that holds a volume, (z, y, x). bits: 8 or 16 of a value. What is no number is least."""
    width, height, depth = grid.shape
    dtype = np.dtype(np.uint8) if bits == 8 else np.dtype(">u2")
    rows = grid.rows * height
    # Each row begins with a byte that says that it is not filtered.
    lines = np.zeros((rows, 1 + grid.size[0] * 4 * dtype.itemsize), np.uint8)
    pixels = lines[:, 1:].reshape(grid.rows, height, grid.columns, width, 4, dtype.itemsize)[::-1]
    for z in range(depth):
        levels = _levels(values[z], value_range, bits)
        raw = levels[::-1].view(np.uint8).reshape(height, width, dtype.itemsize)  # a picture begins with its top row
        for tile, channel in _places(z, grid.tiles):
            row, column = divmod(tile, grid.columns)
            pixels[row, :, column, :, channel] = raw
    return _png(lines, grid.size[0], rows, bits, COLORED)


def encode_plane(values: NDArray[Any], value_range: tuple[float, float], bits: int) -> bytes:
    """Return the bytes of a grey PNG of a plane, (rows, columns), whose first row is the lowest."""
    rows, columns = values.shape
    raw = _levels(values, value_range, bits)[::-1].view(np.uint8).reshape(rows, -1)
    lines = np.zeros((rows, 1 + raw.shape[1]), np.uint8)
    lines[:, 1:] = raw
    return _png(lines, columns, rows, bits, GREY)


def _levels(values: NDArray[Any], value_range: tuple[float, float], bits: int) -> NDArray[Any]:
    """The levels that stand for values; for what is no number the least one."""
    top, (low, high) = 2**bits - 1, value_range
    scaled = (values.astype(np.float32) - np.float32(low)) * np.float32(top / (high - low))
    np.nan_to_num(scaled, copy=False, nan=0.0)
    return np.clip(np.rint(scaled, out=scaled), 0, top, out=scaled).astype(np.uint8 if bits == 8 else ">u2")


def _places(z: int, tiles: int) -> list[tuple[int, int]]:
    """The tiles and channels that hold a slice."""
    tile, channel = divmod(z, STEP)
    places = [(tile, channel)] if tile < tiles else []
    if channel == 0 and tile > 0:
        places.append((tile - 1, STEP))
    return places


def _png(lines: NDArray[np.uint8], width: int, height: int, bits: int, kind: int) -> bytes:
    """An uncompressed PNG of rows that begin with their filter. kind: GREY or COLORED."""
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    packer = zlib.compressobj(0)
    packed = packer.compress(lines.data) + packer.flush()
    return b"".join((_SIGNATURE, _chunk(b"IHDR", header), _chunk(b"IDAT", packed), _chunk(b"IEND", b"")))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return b"".join((struct.pack(">I", len(data)), kind, data, struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))))


def decode(png: bytes, grid: Grid, value_range: tuple[float, float]) -> NDArray[np.float32]:
    """Return the volume, (z, y, x), in a picture that `encode` made. Raises MosaicError for any other."""
    width, height = grid.size
    for bits in (8, 16):
        size = height * (1 + width * 4 * bits // 8)
        head = b"".join((_SIGNATURE, _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, COLORED, 0, 0, 0))))
        start = len(head) + 8
        if png[: len(head)] != head or png[start - 4 : start] != b"IDAT":
            continue
        length = int.from_bytes(png[start - 8 : start - 4], "big")
        packer = zlib.decompressobj()
        try:
            lines = packer.decompress(memoryview(png)[start : start + length], size)
        except zlib.error:
            continue
        if len(lines) == size:
            return _volume(np.frombuffer(lines, np.uint8).reshape(height, -1), grid, value_range, bits)
    raise MosaicError("The tomogram's picture was changed by another program; read the tomogram again.")


def _volume(lines: NDArray[np.uint8], grid: Grid, value_range: tuple[float, float], bits: int) -> NDArray[np.float32]:
    width, height, depth = grid.shape
    dtype = np.dtype(np.uint8) if bits == 8 else np.dtype(">u2")
    pixels = lines[:, 1:].reshape(grid.rows, height, grid.columns, width, 4, dtype.itemsize)[::-1]
    values = np.empty((depth, height, width), np.float32)
    low, high = value_range
    for z in range(depth):
        tile, channel = _places(z, grid.tiles)[0]
        row, column = divmod(tile, grid.columns)
        raw = np.ascontiguousarray(pixels[row, ::-1, column, :, channel])
        values[z] = raw.view(dtype)[..., 0]
    values *= np.float32((high - low) / (2**bits - 1))
    values += np.float32(low)
    return values


def interpolate(values: NDArray[np.float32], places: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the values, (n,), of a volume, (z, y, x), at places, (n, 3), in voxels from the middle of the first one.

    They are interpolated between the eight voxels around; outside the outermost half voxel they are NaN.
    """
    shape = np.array(values.shape[::-1])
    inside = ((places >= -0.5) & (places <= shape - 0.5)).all(axis=1)
    clamped = np.clip(np.where(np.isfinite(places), places, 0.0), 0, shape - 1)
    lower = np.minimum(np.floor(clamped).astype(np.int64), np.maximum(shape - 2, 0))
    weights = (clamped - lower).astype(np.float32)
    upper = np.minimum(lower + 1, shape - 1)
    result = np.zeros(len(places), np.float32)
    for corner in range(8):
        ends = [(upper if corner >> axis & 1 else lower)[:, axis] for axis in range(3)]
        parts = [weights[:, axis] if corner >> axis & 1 else 1 - weights[:, axis] for axis in range(3)]
        result += values[ends[2], ends[1], ends[0]] * parts[0] * parts[1] * parts[2]
    result[~inside] = np.nan
    return result
