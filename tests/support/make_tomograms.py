"""Files of tomograms, byte by byte: as the descriptions of formats and programs have them, and wrong ones."""

from __future__ import annotations

import bz2
import gzip
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

MODES = {"i1": 0, "u1": 0, "i2": 1, "f4": 2, "u2": 6, "f2": 12}
IMOD_STAMP = 1146047817
Triple = Sequence[float]


def mrc(
    data: np.ndarray,
    voxel: Triple | None = (6.8, 6.8, 6.8),
    *,
    byte_order: str = "<",
    origin: Triple = (0, 0, 0),
    start: Sequence[int] = (0, 0, 0),
    axes: Sequence[int] = (1, 2, 3),
    extended: bytes = b"",
    marked: bool = True,
    words: Mapping[int, int] = {},
    floats: Mapping[int, float] = {},
    mode: int | None = None,
) -> bytes:
    """An MRC file of sections, rows and columns. words, floats: to set by their number, from 0. voxel: None for a cell of 0."""
    head = np.zeros(256, byte_order + "i4")
    numbers = head.view(byte_order + "f4")
    columns = data.shape[::-1]
    head[:3] = columns
    head[3] = MODES[data.dtype.str[1:]] if mode is None else mode
    head[4:7] = start
    head[7:10] = head[16:19] = axes
    for axis, count in zip(axes, columns):
        head[6 + axis] = count
    if voxel is not None:
        numbers[10:13] = np.asarray(voxel) * head[7:10]
    numbers[13:16] = 90
    numbers[19:22] = data.min(), data.max(), data.mean()
    head[23] = len(extended)
    numbers[49:52] = origin
    for number, word in words.items():
        head[number] = word
    for number, value in floats.items():
        numbers[number] = value
    start_of_file = bytearray(head.tobytes())
    if marked:
        start_of_file[208:216] = b"MAP " + (b"\x44\x44\0\0" if byte_order == "<" else b"\x11\x11\0\0")
    return bytes(start_of_file) + extended + data.astype(data.dtype.newbyteorder(byte_order)).tobytes()


def four_bits(data: np.ndarray) -> bytes:
    """An MRC file of mode 101: two values a byte, the first in the lower half, rows in whole bytes."""
    even = np.pad(data.astype("u1"), ((0, 0), (0, 0), (0, data.shape[2] % 2)))
    packed = even[:, :, 0::2] | even[:, :, 1::2] << 4
    return mrc(data.astype("u1"), mode=101)[:1024] + packed.tobytes()


def em(data: np.ndarray, pixel: int = 6800, machine: int = 6) -> bytes:
    """An EM file. pixel: the pixel size in thousandths."""
    byte_order = "<" if machine == 6 else ">"
    code = {"i1": 1, "i2": 2, "i4": 4, "f4": 5, "f8": 9}[data.dtype.str[1:]]
    user = np.zeros(40, byte_order + "i4")
    user[6] = pixel
    sides = np.array(data.shape[::-1], byte_order + "i4")
    head = bytes([machine, 0, 0, code]) + sides.tobytes() + b"a comment".ljust(80, b"\0") + user.tobytes()
    return head.ljust(512, b"\0") + data.astype(data.dtype.newbyteorder(byte_order)).tobytes()


def nrrd(data: np.ndarray, *, encoding: str = "raw", end: str = "\n", big: bool = False, **fields: Any) -> bytes:
    """An NRRD file. fields: by their names with _ for each space; None leaves one out."""
    names = {"i1": "int8", "u1": "uchar", "i2": "short", "u2": "uint16", "f4": "float", "f8": "double"}
    sizes = " ".join(map(str, data.shape[::-1]))
    lines = {
        "type": names[data.dtype.str[1:]],
        "dimension": str(data.ndim),
        "sizes": sizes,
        "endian": "big" if big else "little",
        "encoding": encoding,
        "spacings": "6.8 6.8 6.8",
    } | {name.replace("_", " "): value for name, value in fields.items()}
    text = ["NRRD0004", "# a comment", *(f"{name}: {value}" for name, value in lines.items() if value is not None)]
    values = data.astype(data.dtype.newbyteorder(">" if big else "<")).tobytes()
    packed = {"gzip": gzip.compress, "bzip2": bz2.compress}.get(encoding, bytes)(values)
    return (end.join(text) + end + end).encode() + packed
