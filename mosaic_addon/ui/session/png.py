"""A reader of those PNG (ISO/IEC 15948) that Mosaic writes: 8 bits, RGB or RGBA, not interlaced.

A stranger's file is not given to an image library. Here every length is checked before anything is allocated.
"""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from ...session import MosaicError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_SIDE = 1024
CHANNELS = {2: 3, 6: 4}  # of PNG's colour types


def read_png(data: bytes | memoryview) -> NDArray[np.uint8]:
    """Return the pixels (height, width, 4) of a PNG, the top row first. Raises MosaicError if it is no such PNG."""
    view = memoryview(data)
    if bytes(view[:8]) != SIGNATURE:
        raise MosaicError("The thumbnail is no PNG.")
    pos, header, packed = 8, None, bytearray()
    while pos + 12 <= len(view):
        length, kind = struct.unpack_from(">I4s", view, pos)
        body = view[pos + 8 : pos + 8 + length]
        if len(body) != length:
            break
        if kind == b"IHDR" and length == 13:
            header = struct.unpack(">IIBBBBB", body)
        elif kind == b"IDAT":
            packed += body
        elif kind == b"IEND":
            break
        pos += 12 + length
    if header is None:
        raise MosaicError("The thumbnail is damaged: it has no header.")
    width, height, depth, color, compression, method, interlace = header
    usual = depth == 8 and color in CHANNELS and (compression, method, interlace) == (0, 0, 0)
    if not usual or not 0 < width <= MAX_SIDE or not 0 < height <= MAX_SIDE:
        raise MosaicError("The thumbnail is a PNG of an unusual kind.")
    return _unfiltered(packed, width, height, CHANNELS[color])


def _unfiltered(packed: bytearray, width: int, height: int, channels: int) -> NDArray[np.uint8]:
    stride = width * channels + 1
    try:
        raw = zlib.decompressobj().decompress(packed, stride * height)
    except zlib.error as error:
        raise MosaicError("The thumbnail is damaged.") from error
    if len(raw) != stride * height:
        raise MosaicError("The thumbnail is damaged: it ends too early.")
    lines = np.frombuffer(raw, np.uint8).reshape(height, stride)
    above = np.zeros((width, channels), np.uint8)
    pixels = np.full((height, width, 4), 255, np.uint8)
    for number, line in enumerate(lines):
        above = _line(int(line[0]), line[1:].reshape(width, channels), above)
        pixels[number, :, :channels] = above
    return pixels


def _line(method: int, line: NDArray[np.uint8], above: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Undo the filter of a row. line: (width, channels). above: the row above it, without its filter."""
    if method == 0:
        return line
    if method == 1:
        return np.add.accumulate(line, axis=0, dtype=np.uint8)
    if method == 2:
        return line + above
    if method not in (3, 4):
        raise MosaicError("The thumbnail is damaged: it has an unknown filter.")
    out = np.empty_like(line)
    left, corner = [0] * line.shape[1], [0] * line.shape[1]
    for x, (values, ups) in enumerate(zip(line.tolist(), above.tolist(), strict=True)):
        if method == 3:
            left = [(value + (a + b) // 2) & 255 for value, a, b in zip(values, left, ups, strict=True)]
        else:
            left = [(value + _paeth(*three)) & 255 for value, *three in zip(values, left, ups, corner, strict=True)]
            corner = ups
        out[x] = left
    return out


def _paeth(left: int, above: int, corner: int) -> int:
    guess = left + above - corner
    distances = abs(guess - left), abs(guess - above), abs(guess - corner)
    nearest = min(distances)
    return (left, above, corner)[distances.index(nearest)]
