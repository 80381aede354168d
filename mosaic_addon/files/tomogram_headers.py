"""Headers of tomograms: MRC2014 with its older dialects, EM and NRRD. Bytes become a `Header`; no file is opened here.

Sources: the MRC2014 standard (Cheng et al., J. Struct. Biol. 192, 2015, 146) and IMOD's description of what it writes
besides (mrc_format.txt); the EM format as the TOM toolbox describes it; the definition of NRRD by Teem.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..session.errors import MosaicError, brief

HEAD: Final = 65536  # bytes of a file that are looked at for its header
MAX_SIDE: Final = 2**17  # voxels; so that a row always fits into memory
SANE_VOXEL: Final = (1e-3, 1e6)  # angstrom; anything else in a header counts as unknown
SANE_ORIGIN: Final = 1e9  # angstrom

Three = tuple[int, int, int]
Place = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Header:
    """What a tomogram's header says, checked.

    shape: voxels along x, y, z. voxel_size: angstrom along x, y, z; 1 where the file does not know it, and then
    `has_voxel_size` is False. origin: the centre of voxel (0, 0, 0) in angstrom, as Mosaic's `load_density` has it. dtype:
    of the values. The rest says where they are: from `offset` on, behind `compression` ("", "gzip" or "bzip2") that
    starts at `packed_from` in the file, in rows. `order`: which of x (0), y (1), z (2) runs fastest, slower, slowest.
    four_bits: two values a byte.
    """

    path: Path
    shape: Three
    voxel_size: Place
    origin: Place
    dtype: np.dtype[Any]
    has_voxel_size: bool
    order: Three = (0, 1, 2)
    offset: int = 0
    four_bits: bool = False
    compression: str = ""
    packed_from: int = 0

    @property
    def row_bytes(self) -> int:
        """Bytes of a row in the file."""
        count = self.shape[self.order[0]]
        return (count + 1) // 2 if self.four_bits else count * self.dtype.itemsize

    @property
    def data_bytes(self) -> int:
        """Bytes of all values in the file."""
        return self.row_bytes * self.shape[self.order[1]] * self.shape[self.order[2]]


def parse_header(path: Path, head: bytes) -> Header:
    """Make a header of the first bytes of a file, at most HEAD, after decompression.

    The content tells the formats apart; only an MRC file without the mark of MRC2014 and an EM file can be taken for each
    other, and there the suffix does. Raises MosaicError, in a sentence without the file's name.
    """
    if head[:4] == b"NRRD":
        return _parse_nrrd(path, head)
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    if head[208:211] == b"MAP" or ".em" not in suffixes:
        return _parse_mrc(path, head)
    return _parse_em(path, head)


def _checked_sides(sides: Sequence[int]) -> Three:
    if len(sides) != 3 or not all(0 < side <= MAX_SIDE for side in sides):
        raise MosaicError(
            f"is damaged or no tomogram: its header says {' x '.join(map(str, sides))} voxels; export it again as MRC"
        )
    return sides[0], sides[1], sides[2]


def _checked_voxel(sizes: Sequence[float]) -> tuple[Place, bool]:
    """Return voxel sizes that can be used, and whether the file knew any. One that it does not know is as the others."""
    low, high = SANE_VOXEL
    good = [size for size in sizes if low <= size <= high]
    filled = [size if low <= size <= high else good[0] if good else 1.0 for size in sizes]
    return (filled[0], filled[1], filled[2]), bool(good)


def _checked_origin(origin: Sequence[float]) -> Place:
    if not all(abs(value) <= SANE_ORIGIN for value in origin):  # false for NaN
        return 0.0, 0.0, 0.0
    return float(origin[0]), float(origin[1]), float(origin[2])


# --- MRC -------------------------------------------------------------------------------------------------------------

MRC_HEADER: Final = 1024
MRC_MODES: Final = {0: "i1", 1: "i2", 2: "f4", 6: "u2", 12: "f2", 101: "u1"}
MRC_OTHERS: Final = {3: "a Fourier transform", 4: "a Fourier transform", 16: "colours"}
IMOD_STAMP: Final = 1146047817
SIGNED_BYTES: Final = 1  # of IMOD's flags


def _parse_mrc(path: Path, head: bytes) -> Header:
    if len(head) < MRC_HEADER:
        raise MosaicError("is too short to be a tomogram; copy or export it again")
    is_new = head[208:211] == b"MAP"
    byte_order = _mrc_byte_order(head, is_new)
    words = np.frombuffer(head, byte_order + "i4", 256)
    floats = np.frombuffer(head, byte_order + "f4", 256)
    mode = int(words[3])
    if mode in MRC_OTHERS:
        raise MosaicError(f"holds {MRC_OTHERS[mode]}, no density; export the tomogram itself as MRC")
    if mode not in MRC_MODES:
        raise MosaicError(f"is no tomogram that can be read (MRC mode {mode}); export it as MRC with mode 2")
    sides = _checked_sides(words[:3].tolist())
    extended = int(words[23])
    if extended < 0:
        raise MosaicError("has a damaged header (an extended header of negative length); export it again as MRC")

    axes = [value - 1 for value in words[16:19].tolist()]
    order: Three = (axes[0], axes[1], axes[2]) if sorted(axes) == [0, 1, 2] else (0, 1, 2)
    shape = tuple(sides[order.index(axis)] for axis in range(3))
    voxel, known = _mrc_voxel_size(words, floats, shape)
    origin = _mrc_origin(words, floats, order, voxel, is_new)
    dtype = np.dtype(byte_order + MRC_MODES[mode])
    if mode == 0 and not _has_signed_bytes(words, floats):
        dtype = np.dtype("u1")
    return Header(path, _checked_sides(shape), voxel, origin, dtype, known, order, MRC_HEADER + extended, mode == 101)


def _mrc_byte_order(head: bytes, is_new: bool) -> str:
    """Return "<" or ">": as the machine stamp says, if the size and mode are possible so; it is often wrong."""
    first = ">" if is_new and head[212] == 0x11 else "<"
    for byte_order in (first, "<" if first == ">" else ">"):
        *sides, mode = np.frombuffer(head, byte_order + "i4", 4).tolist()
        if all(0 < side <= MAX_SIDE for side in sides) and (mode in MRC_MODES or mode in MRC_OTHERS):
            return byte_order
    return first


def _mrc_voxel_size(words: NDArray[Any], floats: NDArray[Any], shape: Sequence[int]) -> tuple[Place, bool]:
    """Return the cell's sides by the number of its intervals, which older programs leave 0: then by the voxels."""
    sizes = []
    for cell, intervals, side in zip(floats[10:13].tolist(), words[7:10].tolist(), shape):
        sizes.append(float(np.float32(cell / (intervals if intervals > 0 else side))) if abs(cell) < 1e12 else 0.0)
    return _checked_voxel(sizes)


def _mrc_origin(words: NDArray[Any], floats: NDArray[Any], order: Three, voxel: Place, is_new: bool) -> Place:
    """Return the origin as Mosaic has it: the header's, or where that is 0 the start of the part in voxels.

    A header without MAP has none in that place.
    """
    origin = _checked_origin(floats[49:52].tolist()) if is_new else (0.0, 0.0, 0.0)
    if not np.allclose(origin, 0):
        return origin
    start = words[4:7].tolist()  # along columns, rows and sections
    return _checked_origin([start[order.index(axis)] * voxel[axis] for axis in range(3)])


def _has_signed_bytes(words: NDArray[Any], floats: NDArray[Any]) -> bool:
    """Return whether bytes are signed, as in MRC2014. IMOD flags it; before, only the range of values can tell."""
    if int(words[38]) == IMOD_STAMP:
        return bool(int(words[39]) & SIGNED_BYTES)
    low, high = float(floats[19]), float(floats[20])
    return not (high >= 128 and (low >= 0 or -low <= high - 128))


# --- EM --------------------------------------------------------------------------------------------------------------

EM_HEADER: Final = 512
EM_TYPES: Final = {1: "i1", 2: "i2", 4: "i4", 5: "f4", 9: "f8"}
EM_BIG_ENDIAN: Final = (0, 2, 3, 4, 5)  # codes of OS-9, Convex, SGI, Sun, Mac
EM_ORDER: Final[Three] = (2, 1, 0)


def _parse_em(path: Path, head: bytes) -> Header:
    """Read an EM header.

    Mosaic takes the axis that runs fastest, which EM calls X, for its z, in the volume viewer and whatever it makes of such
    a file, and the number of the pixel size by 1000 for angstrom; so do we, since its sessions lie so.
    """
    if len(head) < EM_HEADER:
        raise MosaicError("is too short to be a tomogram; copy or export it again")
    machine, code = head[0], head[3]
    first = ">" if machine in EM_BIG_ENDIAN else "<"
    for byte_order in (first, "<" if first == ">" else ">"):
        sides = np.frombuffer(head, byte_order + "i4", 3, 4).tolist()
        if all(0 < side <= MAX_SIDE for side in sides):
            break
    if code not in EM_TYPES:
        raise MosaicError(f"is no tomogram that can be read (EM type {code}); export it as MRC with mode 2")
    sides = _checked_sides(sides)
    size = int(np.frombuffer(head, byte_order + "i4", 1, 120)[0]) / 1000
    voxel, known = _checked_voxel((size, size, size))
    dtype = np.dtype(byte_order + EM_TYPES[code])
    shape = (sides[2], sides[1], sides[0])
    return Header(path, shape, voxel, (0.0, 0.0, 0.0), dtype, known, EM_ORDER, EM_HEADER)


# --- NRRD ------------------------------------------------------------------------------------------------------------

NRRD_TYPES: Final = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "f4": ("float",),
    "f8": ("double",),
}
NRRD_ENCODINGS: Final = {"raw": "", "gzip": "gzip", "gz": "gzip", "bzip2": "bzip2", "bz2": "bzip2"}


def _parse_nrrd(path: Path, head: bytes) -> Header:
    """Read an NRRD header: lines up to an empty one. Its numbers count as angstrom, as in Mosaic's volume viewer."""
    text, end, _ = head.replace(b"\r\n", b"\n").partition(b"\n\n")
    if not end:
        raise MosaicError("has no end of its NRRD header; export it again as MRC")
    offset = head.index(b"\r\n\r\n") + 4 if b"\r\n\r\n" in head[: len(text) + 2000] else len(text) + 2
    fields = _nrrd_fields(text.decode("ascii", "replace"))
    if "data file" in fields or "datafile" in fields:
        raise MosaicError("keeps its values in another file, which is not opened; export it as one .nrrd or MRC file")
    kind = " ".join(fields.get("type", "").lower().split())
    dtype = next((np.dtype(code) for code, names in NRRD_TYPES.items() if kind in names), None)
    encoding = fields.get("encoding", "").strip().lower()
    if dtype is None or encoding not in NRRD_ENCODINGS:
        what = f"values of type {brief(kind)!r}, encoded as {brief(encoding)!r}"
        raise MosaicError(f"holds {what}, which is not read; export it raw, or as MRC")
    if dtype.itemsize > 1:
        dtype = dtype.newbyteorder(">" if fields.get("endian", "").strip().lower() == "big" else "<")
    sides = _checked_sides(_whole_numbers(fields.get("sizes", "")))
    skipped = [*_whole_numbers(fields.get("byte skip", "0")), *_whole_numbers(fields.get("line skip", "0"))]
    if skipped != [0, 0]:
        raise MosaicError("skips bytes after its NRRD header, which is not read; export it again as MRC")
    voxel, known = _checked_voxel(_nrrd_spacings(fields))
    origin = _numbers(fields.get("space origin", ""))
    compression = NRRD_ENCODINGS[encoding]
    return Header(
        path,
        sides,
        voxel,
        _checked_origin(origin) if len(origin) == 3 else (0.0, 0.0, 0.0),
        dtype,
        known,
        offset=0 if compression else offset,
        compression=compression,
        packed_from=offset if compression else 0,
    )


def _nrrd_fields(text: str) -> dict[str, str]:
    """Return the fields of a header by their names in lower case, without comments and the user's own keys."""
    fields = {}
    for line in text.split("\n")[1:]:
        name, colon, value = line.partition(": ")
        if colon and not line.startswith("#"):
            fields[name.strip().lower()] = value
    return fields


def _nrrd_spacings(fields: dict[str, str]) -> Sequence[float]:
    """Return the lengths of the three directions, or the spacings; (0, 0, 0) if there are none."""
    vectors = _numbers(fields.get("space directions", ""))
    if len(vectors) == 9:
        return [math.hypot(*vectors[start : start + 3]) for start in (0, 3, 6)]
    spacings = _numbers(fields.get("spacings", ""))
    return spacings if len(spacings) == 3 else (0.0, 0.0, 0.0)


def _numbers(text: str) -> list[float]:
    """Return the numbers of a line such as "(1,0,0) (0,1,0)"; none if a word is no number."""
    try:
        return [float(word) for word in text.translate(str.maketrans("(),", "   ")).split()]
    except ValueError:
        return []


def _whole_numbers(text: str) -> list[int]:
    """Return the whole numbers of a line, none if there is another word."""
    words = text.split()
    return (
        [int(word) for word in words]
        if all(word.isascii() and word.isdigit() and len(word) < 10 for word in words)
        else []
    )
