"""The bytes of a tomogram's file: opened, checked against its header, and unpacked as far as they are asked for."""

import bz2
import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final

from ..session.errors import MosaicError, brief
from ..session.regular_file import open_regular_file
from .tomogram_headers import HEAD, Header, parse_header

MAGIC: Final = {b"\x1f\x8b": "gzip", b"BZ": "bzip2"}
BEST_RATIO: Final = {"gzip": 1040, "bzip2": 2**21}  # how much shorter they can make a file at the most
STEP: Final = 4 * 2**20  # bytes that are passed over at once
READ_AHEAD: Final = 2**20  # bytes that whoever unpacks a file reads before it has anything to give
ENDS: Final = "ends before its last value; copy it again"


@contextmanager
def open_tomogram(path: Path) -> Iterator[tuple[Header, "TomogramFile"]]:
    """Open a tomogram: its header, and what reads the bytes that the header speaks of.

    Raises MosaicError, in a sentence with the file's name, as `read_header` says, and for what fails within the context.
    """
    name = brief(path.name or str(path))
    try:
        with open_regular_file(path, "is a folder; choose a file") as file:
            size = os.fstat(file.fileno()).st_size
            header, values = _begin(path, file)
            needed = header.offset + header.data_bytes
            if not header.compression and needed > size:
                raise MosaicError(
                    f"is cut short: its header speaks of {needed} bytes, and there are {size}; copy or export it again"
                )
            if header.compression and needed > size * BEST_RATIO[header.compression]:
                raise MosaicError("is cut short or damaged: no file so small can hold its values; copy it again")
            yield header, values
    except MosaicError as error:
        raise MosaicError(f"{name} {error}.") from error
    except (EOFError, zlib.error) as error:
        raise MosaicError(f"{name} is compressed and ends too early or is damaged; copy it again.") from error
    except OSError as error:
        raise MosaicError(f"{name} cannot be read: {error.strerror or error}; copy it again.") from error


def _begin(path: Path, file: BinaryIO) -> tuple[Header, "TomogramFile"]:
    """Parse the header of an open file, within what compresses it. Returns it with what reads the bytes it speaks of."""
    compression = MAGIC.get(file.read(2), "")
    file.seek(0)
    outer = TomogramFile(file, compression)
    header = parse_header(path, outer.head())
    if not header.compression:
        return replace(header, compression=compression), outer
    if compression:
        raise MosaicError("is compressed twice; unpack it once")
    file.seek(header.packed_from)
    return header, TomogramFile(file, header.compression)


class TomogramFile:
    """The bytes of an open file behind its compression, no more of which is unpacked than is asked for.

    compression: "", "gzip" or "bzip2", from where the file stands.
    """

    def __init__(self, file: BinaryIO, compression: str) -> None:
        self._metered = _Metered(file)
        self._file: BinaryIO | gzip.GzipFile | bz2.BZ2File = file
        if compression == "gzip":
            self._file = gzip.GzipFile(fileobj=self._metered, mode="rb")
        elif compression == "bzip2":
            self._file = bz2.BZ2File(self._metered, "rb")  # type: ignore[call-overload]

    def head(self) -> bytes:
        """Read the first bytes, at most HEAD."""
        self._metered.allow(HEAD)
        return self._file.read(HEAD)

    def skip_to(self, start: int) -> Iterator[None]:
        """Go to a place in steps, since a compressed file has to be unpacked up to it. Raises MosaicError without it."""
        if not isinstance(self._file, (gzip.GzipFile, bz2.BZ2File)):
            return
        if start < self._file.tell():
            self._file.seek(0)
        while (left := start - self._file.tell()) > 0:
            self._metered.allow(STEP)
            if not self._file.read(min(left, STEP)):
                raise MosaicError(ENDS)
            yield

    def read_into(self, memory: memoryview, start: int) -> None:
        """Fill memory with the bytes from `start` on. Raises MosaicError if there are not so many."""
        for _ in self.skip_to(start):
            pass
        self._file.seek(start)
        self._metered.allow(len(memory))
        if self._file.readinto(memory) != len(memory):  # type: ignore[union-attr]
            raise MosaicError(ENDS)


class _Metered:
    """A file of which whoever unpacks it may read little more than it unpacks: a million empty parts take minutes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._start = file.tell()
        self._left = 0

    def allow(self, unpacked: int) -> None:
        """Allow to read as much as so many bytes can become when they are compressed badly."""
        self._left = 2 * unpacked + READ_AHEAD

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise MosaicError("is compressed as no program does it; it may be harmful, unpack it first")
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset + (self._start if whence == os.SEEK_SET else 0), whence) - self._start

    def tell(self) -> int:
        return self._file.tell() - self._start

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True
