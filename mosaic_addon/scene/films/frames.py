"""The pictures of a film, in a folder of their own, where a later run finds those that an earlier one has made.

Each picture carries what it is a picture of, so that one that was cut short, or was made with other settings, is told
from those that belong to the film.
"""

import json
import re
import struct
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import bpy

from ...session.errors import MosaicError
from ..pictures.image_files import PNG
from ..pictures.options import ImageFile
from ..pictures.render import encode_image, render_image, replace_all

Report: TypeAlias = Callable[[int, float], None]  # how many pictures are made, and seconds

DIGITS = 4  # of a picture's number, at least
NOTE = "film.json"  # in the folder: what its pictures are of
KEYWORD = b"Mosaic film"  # of the text in a picture
NAMES = re.compile(r"(?P<before>[^#]*)(?P<digits>#+)(?P<after>[^#]*\.png)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Pictures:
    """The pictures of a film. Their numbers begin at 1.

    folder: where they are. name: that of each, with # for the digits of its number. count: how many the film has.
    digest: of all that they depend on; other settings have another one.
    """

    folder: Path
    name: str
    count: int
    digest: str

    def path(self, number: int) -> Path:
        """Return where a picture is."""
        parts = NAMES.fullmatch(self.name)
        assert parts is not None
        return self.folder / f"{parts['before']}{number:0{len(parts['digits'])}}{parts['after']}"

    def lacking(self, numbers: Iterable[int]) -> list[int]:
        """Return the numbers of those that are not there, whole and of this film."""
        return [number for number in numbers if not self._is_there(number)]

    def _is_there(self, number: int) -> bool:
        try:
            return is_picture_of(self.path(number).read_bytes(), self.digest)
        except OSError:
            return False

    def open_folder(self) -> None:
        """Make the folder, with a note of what its pictures are of.

        Raises MosaicError where it cannot be made, and where it belongs to other pictures.
        """
        note = self.folder / NOTE
        try:
            self.folder.mkdir(exist_ok=True)
            known = json.loads(note.read_bytes()) if note.exists() else None
        except (OSError, ValueError, RecursionError) as error:
            raise MosaicError(f"{self.folder} cannot hold the film's pictures: {error}") from error
        if known is None:
            replace_all([(str(note), json.dumps({"digest": self.digest, "pictures": self.count}).encode())])
        elif not isinstance(known, dict) or known.get("digest") != self.digest:
            raise MosaicError(
                f"{self.folder} holds pictures of another session, or made with other settings or another Blender: "
                "remove that folder, or give the film another name."
            )


def pictures_of(target: Path, count: int, digest: str) -> Pictures:
    """Return the pictures of a film. target: the film, or its pictures where the name has # for digits."""
    if NAMES.fullmatch(target.name):
        return Pictures(target.parent, target.name, count, digest)
    return Pictures(target.with_suffix(".frames"), "#" * DIGITS + ".png", count, digest)


def render_pictures(
    scene: bpy.types.Scene, pictures: Pictures, numbers: Sequence[int], report: Report, goes_on: Callable[[], bool]
) -> None:
    """Render pictures of a film into its folder, which is there. Picture 1 is that of the scene's first frame.

    goes_on: is asked before each picture. Raises MosaicError where one cannot be made; those before it stay.
    """
    scene.render.use_persistent_data = True  # Cycles keeps what does not change from frame to frame
    began = time.monotonic()
    for done, number in enumerate(numbers):
        if not goes_on():
            return
        scene.frame_set(scene.frame_start + number - 1)
        render_image(scene)
        path = str(pictures.path(number))
        picture = encode_image(scene, bpy.data.images["Render Result"], ImageFile(path))
        replace_all([(path, marked(picture, pictures.digest))])
        report(done + 1, time.monotonic() - began)


def marked(data: bytes, digest: str) -> bytes:
    """Return a whole PNG file that carries a digest, instead of texts such as how long its render took.

    The format: https://www.w3.org/TR/png-3/#5DataRep. The text follows the header, which is 25 bytes long.
    """
    chunk = b"tEXt" + KEYWORD + b"\0" + digest.encode()
    text = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    kept = [data[start:end] for kind, start, end in _chunks(data) if kind not in (b"tEXt", b"zTXt", b"iTXt", b"tIME")]
    return PNG + kept[0] + text + b"".join(kept[1:])


def is_picture_of(data: bytes, digest: str) -> bool:
    """Return whether data are a PNG file, undamaged to its end, that carries a digest."""
    try:
        chunks = _chunks(data)
    except (struct.error, ValueError):
        return False
    texts = [data[start + 8 : end - 4] for kind, start, end in chunks if kind == b"tEXt"]
    return bool(chunks) and chunks[-1][0] == b"IEND" and texts == [KEYWORD + b"\0" + digest.encode()]


def _chunks(data: bytes) -> list[tuple[bytes, int, int]]:
    """The chunks of a PNG file: kind, and where each begins and ends. Raises ValueError or struct.error for damage."""
    if not data.startswith(PNG):
        raise ValueError("no PNG file")
    chunks, at = [], len(PNG)
    view = memoryview(data)
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + size
        (crc,) = struct.unpack_from(">I", data, end - 4)
        if zlib.crc32(view[at + 4 : end - 4]) != crc:
            raise ValueError("a chunk is damaged")
        chunks.append((kind, at, end))
        at = end
    return chunks
