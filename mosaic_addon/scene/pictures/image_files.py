"""Pictures as files: whether one that Blender wrote is whole, as Blender does not say so when the disk is full."""

import struct

PNG, JPEG, EXR = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"\x76\x2f\x31\x01"  # the first bytes
MANY_PARTS = 0x1A  # in the sixth byte of an EXR file: it is tiled, deep or of several parts


def is_whole(data: bytes) -> bool:
    """Return whether a PNG, JPEG or EXR file has its end, as far as that can be seen; no other file has one."""
    if data.startswith(PNG):
        return data.endswith(b"\0\0\0\0IEND\xae\x42\x60\x82")
    if data.startswith(JPEG):
        return data.endswith(b"\xff\xd9")
    return data.startswith(EXR) and _has_all_chunks(data)


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
