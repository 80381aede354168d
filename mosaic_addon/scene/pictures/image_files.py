"""Pictures as files: whether one that Blender wrote is whole, which it does not say when the disk is full; their dpi."""

import struct
import zlib

PNG, JPEG, EXR = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"\x76\x2f\x31\x01"  # the first bytes
TIFF = b"II*\0"  # with the low bytes first, as Blender writes it
STRIPS, STRIP_SIZES, DENSITIES = 273, 279, (282, 283)  # entries of a TIFF's directory
TIFF_SIZES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}  # bytes of a value, by type
INCH = 0.0254  # m
MANY_PARTS = 0x1A  # in the sixth byte of an EXR file: it is tiled, deep or of several parts


def is_whole(data: bytes) -> bool:
    """Return whether a PNG, JPEG, TIFF or EXR file has its end, as far as that can be seen; no other file has one."""
    if data.startswith(PNG):
        return data.endswith(b"\0\0\0\0IEND\xae\x42\x60\x82")
    if data.startswith(JPEG):
        return data.endswith(b"\xff\xd9")
    if data.startswith(TIFF):
        return _has_all_strips(data)
    return data.startswith(EXR) and _has_all_chunks(data)


def with_density(data: bytes, dpi: float) -> bytes:
    """Return a whole PNG, JPEG or TIFF file that says how many pixels an inch of the print has; others as they are.

    Blender writes it for renders alone, and never into a JPEG.
    """
    if data.startswith(PNG):
        # https://www.w3.org/TR/png-3/#11pHYs: pixels a metre in both directions, and that it is metres. After the
        # signature and the header, which is 25 bytes long.
        chunk = b"pHYs" + struct.pack(">IIB", *[_bounded(dpi / INCH, 2**31 - 1)] * 2, 1)
        rest = data[33:]
        at = rest.find(b"pHYs", 0, rest.find(b"IDAT"))
        rest = rest if at < 0 else rest[: at - 4] + rest[at + 17 :]
        return data[:33] + struct.pack(">I", 9) + chunk + struct.pack(">I", zlib.crc32(chunk)) + rest
    if data.startswith(JPEG) and data[2:4] == b"\xff\xe0" and data[6:11] == b"JFIF\0":
        # ITU-T T.871, after the version: a unit, 1 for inches, and pixels in both directions.
        return data[:13] + struct.pack(">BHH", 1, *[_bounded(dpi, 2**16 - 1)] * 2) + data[18:]
    if data.startswith(TIFF):
        changed = bytearray(data)
        for tag, (_, _, start) in _directory(data).items():
            if tag in DENSITIES:
                struct.pack_into("<II", changed, start, _bounded(dpi * 1000, 2**32 - 1), 1000)
        return bytes(changed)
    return data


def _bounded(number: float, most: int) -> int:
    return min(max(round(min(number, 1e12)), 1), most)


def _directory(data: bytes) -> dict[int, tuple[int, int, int]]:
    """The entries of a TIFF file: type, number of values and where these are. Raises struct.error for a damaged one.

    The format: TIFF 6.0, section 2.
    """
    (directory,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, directory)
    entries = {}
    for at in range(directory + 2, directory + 2 + 12 * count, 12):
        tag, kind, number = struct.unpack_from("<HHI", data, at)
        size = TIFF_SIZES.get(kind, 1) * number
        (start,) = (at + 8,) if size <= 4 else struct.unpack_from("<I", data, at + 8)
        if start + size > len(data):
            raise struct.error("a value lies outside the file")
        entries[tag] = kind, number, start
    return entries


def _has_all_strips(data: bytes) -> bool:
    """Return whether all that the directory of a TIFF file names lies inside it."""
    try:
        entries = _directory(data)
        strips, sizes = (
            struct.unpack_from(f"<{number}{'H' if kind == 3 else 'I'}", data, start)
            for kind, number, start in (entries[STRIPS], entries[STRIP_SIZES])
        )
        return all(start + size <= len(data) for start, size in zip(strips, sizes, strict=True))
    except (KeyError, ValueError, struct.error):
        return False


def _has_all_chunks(data: bytes) -> bool:
    """Return whether each chunk that the table of an EXR file names lies inside it; the table is written last.

    The format: https://openexr.com/en/latest/OpenEXRFileLayout.html. The first chunk follows the table of offsets.
    """
    try:
        if data[5] & MANY_PARTS:
            return True  # Blender writes none for the format OPEN_EXR
        table = _end_of_header(data)
        (first,) = struct.unpack_from("<q", data, table)
        count = (first - table) // 8
        if not 0 < count <= len(data) // 8:
            return False
        for offset in struct.unpack_from(f"<{count}q", data, table):
            (size,) = struct.unpack_from("<i", data, offset + 4)
            if offset < first or size < 0 or offset + 8 + size > len(data):
                return False
    except (IndexError, ValueError, struct.error):
        return False
    return True


def _end_of_header(data: bytes) -> int:
    """Return where the attributes of an EXR file end. Raises IndexError, ValueError or struct.error for a damaged one."""
    at = 8
    while data[at] != 0:
        kind_end = data.index(b"\0", data.index(b"\0", at) + 1)
        (size,) = struct.unpack_from("<I", data, kind_end + 1)
        at = kind_end + 5 + size
    return at + 1
