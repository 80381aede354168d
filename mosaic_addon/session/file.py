"""The layouts of a session file: reading its sections, and writing them.

A *bare pickle* is the state alone. An *indexed* file is a big-endian uint32 N, N bytes of JSON that say where each
section lies, and the sections, of which `state` is the pickle. The content tells the layouts apart, never the suffix.
"""

import json
import os
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from math import prod
from typing import Any, BinaryIO, Literal, NoReturn

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray

from .atomic_write import replace_file
from .errors import MosaicError
from .regular_file import open_regular_file
from .releases import NEWEST
from .rows import Rows, slab_of

MAX_FILE = 2**34  # bytes; sessions have some hundred million
MAX_INDEX = 8 * 2**20
MAX_INDEX_BRACKETS = 400  # bounds the nesting, so the JSON parser cannot run out of stack
FORMAT_VERSION = 1

_met: dict[str, str | None] = {}  # stamps of the sessions that this program has read or written, by their real path


@dataclass(slots=True)
class Section:
    """A section of an indexed file. encoding: as the index names it, such as "pickle", "png" or "json"."""

    encoding: str
    data: memoryview


class FileBytes:
    """The bytes of an open file, of which parts are read when they are asked for.

    The file is not mapped into memory: if someone cut a mapped file short, the program would end, and if someone
    changed it, so would what was checked already.
    """

    __slots__ = ("_file", "_path", "_size", "stamp")

    def __init__(self, file: BinaryIO, size: int, stamp: str = "", path: str = "") -> None:
        self._file = file
        self._path = path
        self._size = size
        self.stamp = stamp

    def __len__(self) -> int:
        return self._size

    def read(self, start: int, count: int) -> memoryview:
        """Read `count` bytes from `start` on into memory of their own, which is aligned and freed with its last view.

        Raises MosaicError if they cannot be read or the file has become shorter.
        """
        data = np.empty(count, np.uint8)  # unlike bytes(), in pages large enough to be had quickly
        self.read_into(data.data, start)
        return data.data.toreadonly()

    def read_into(self, data: memoryview, start: int) -> None:
        """Fill memory with what stands from `start` on. Raises MosaicError as `read` does."""
        try:
            self._file.seek(start)
            got = self._file.readinto(data)  # type: ignore[attr-defined]
        except (OSError, ValueError) as error:
            raise FileReadError(f"cannot be read: {error}") from error
        if got != len(data):
            raise FileReadError("became shorter while it was read")

    def later(self, start: int, count: int) -> "FilePart":
        """Return what reads `count` bytes from `start` on when they are asked for."""
        return FilePart(self._path, self.stamp, start, count)

    def close(self) -> None:
        self._file.close()


class FileReadError(MosaicError):
    """A file cannot be read to its end, or was changed meanwhile: a sentence without its name."""


class FilePart:
    """Bytes of a file that are not read yet."""

    __slots__ = ("count", "path", "stamp", "start")

    def __init__(self, path: str, stamp: str, start: int, count: int) -> None:
        self.path = path
        self.stamp = stamp
        self.start = start
        self.count = count

    def __len__(self) -> int:
        return self.count

    def read(self) -> memoryview:
        """Read all of them. Raises MosaicError like `read_into`."""
        data = np.empty(self.count, np.uint8)
        self.read_into(data.data, 0)
        return data.data.toreadonly()

    def read_into(self, data: memoryview, start: int) -> None:
        """Fill memory with the bytes from `start` on. Raises MosaicError if the file was changed since it was opened."""
        with closing(_bytes_of(self.path)) as file:
            if file.stamp != self.stamp:
                raise FileReadError("was changed while it was read")
            file.read_into(data, self.start + start)


class FileRows(NDArrayOperatorsMixin, Rows):
    """An array of a file whose rows are read when they are asked for. For any other indexing all of it is read."""

    __slots__ = ("_part",)

    def __init__(self, part: FilePart, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        super().__init__(shape, dtype, self._read)
        self._part = part

    def _read(self, start: int, stop: int) -> NDArray[Any]:
        values = np.empty((stop - start, *self.shape[1:]), self.dtype)
        self.read_into(values, start)
        return values

    def read_into(self, values: NDArray[Any], start: int = 0) -> None:
        """Fill an array, in C order and of the same dtype, with the rows from `start` on. Raises MosaicError as `FilePart`."""
        if values.size:
            size = self.dtype.itemsize * prod(self.shape[1:])
            self._part.read_into(values.reshape(-1).view(np.uint8).data, start * size)

    def slabs(self) -> Iterator[NDArray[Any]]:
        step = min(slab_of(len(self), self.nbytes), len(self))
        memory = np.empty((step, *self.shape[1:]), self.dtype)  # that was touched once is read into far more quickly
        for start in range(0, len(self), step):
            slab = memory[: len(self) - start]
            self.read_into(slab, start)
            yield slab

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        values = self[:]
        return values if dtype is None else values.astype(dtype, copy=False)

    def __getitem__(self, key: Any) -> Any:
        if type(key) is slice and key.step is None:
            return super().__getitem__(key)
        return np.asarray(self)[key]

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__":
            return NotImplemented
        return ufunc(*[np.asarray(value) if type(value) is FileRows else value for value in inputs], **options)

    def astype(self, dtype: Any, copy: bool = True) -> Any:
        return self if self.dtype == dtype and not copy else np.asarray(self).astype(dtype)


@dataclass(slots=True)
class SessionFile:
    """The bytes of a session, cut into sections but not interpreted.

    release: the Mosaic that wrote it, as an indexed file says, None for a bare pickle. sections: all but the state.
    stamp: of the file when it was opened, as `file_stamp` makes it; "" for bytes that are in no file.
    """

    layout: Literal["pickle", "indexed"]
    state: memoryview | FileBytes
    release: str | None = None
    sections: dict[str, Section] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    stamp: str = ""

    def close(self) -> None:
        if isinstance(self.state, FileBytes):
            self.state.close()


def read_file(path: str | os.PathLike[str]) -> SessionFile:
    """Open a session and find its sections; nothing is decoded. Close the result when its state has been read.

    Raises MosaicError, in a sentence without the file's name, if the file does not exist, is no regular file, cannot be
    read, or has neither layout.
    """
    data = _bytes_of(path)
    try:
        file = cut(data)
    except MosaicError:
        data.close()
        raise
    file.stamp = data.stamp
    if file.state is not data:
        data.close()
    return file


def cut(data: FileBytes) -> SessionFile:
    """Find the sections of a file. If it is no session but, say, a tomogram of many gigabytes, it is not read for that.

    Raises MosaicError for a file of neither layout.
    """
    size = len(data)
    if size < 4:
        raise MosaicError("is empty" if not size else "is too short to be a session")
    head = data.read(0, min(size, 5))
    if head[0] == 0x80:
        return SessionFile("pickle", data)
    (length,) = struct.unpack_from(">I", head)
    if not 2 <= length <= min(size - 4, MAX_INDEX) or head[4] != ord("{"):
        raise MosaicError("is not a Mosaic session: it is neither a pickle nor an indexed session file")
    return _read_indexed(data, _parse_index(bytes(data.read(4, length))))


def _bytes_of(path: str | os.PathLike[str]) -> FileBytes:
    """Open a regular file. Raises MosaicError for anything else."""
    file = open_regular_file(path, "is a folder, not a session file")
    status = os.fstat(file.fileno())
    if status.st_size > MAX_FILE:
        file.close()
        raise MosaicError("is larger than any session")
    return FileBytes(file, status.st_size, _stamp_in(status), os.path.abspath(os.fsdecode(path)))


def _read_indexed(data: FileBytes, index: dict[str, Any]) -> SessionFile:
    """Find the sections of an index. A damaged one is left out with a warning; a damaged state raises MosaicError."""
    size = len(data)
    version = index.get("format_version", FORMAT_VERSION)
    if type(version) is not int:
        raise MosaicError("has a damaged index: its format version is not a number")
    if version > FORMAT_VERSION:
        raise MosaicError(
            f"has the session format {version}, which is newer than this add-on knows ({FORMAT_VERSION}); "
            "update the add-on"
        )
    entries = index.get("sections")
    if type(entries) is not dict or "state" not in entries:
        raise MosaicError("is an indexed file without a session in it (no 'state' section)")
    release = index.get("version")
    whole = data.read(0, size)  # once, since sections can overlap
    file = SessionFile("indexed", whole[:0], release[:40] if type(release) is str else None)
    for name, entry in entries.items():
        trouble = _section_trouble(entry, size)
        if trouble and name == "state":
            raise MosaicError(f"has a damaged index: its session {trouble}")
        if trouble:
            file.warnings.append(f"The section {name[:40]!r} is left out: it {trouble}.")
            continue
        section = Section(entry["encoding"], whole[entry["offset"] : entry["offset"] + entry["size"]])
        if name == "state":
            if section.encoding != "pickle":
                raise MosaicError(f"keeps its session as {section.encoding[:20]!r}, which this add-on does not know")
            file.state = section.data
        else:
            file.sections[name] = section
    return file


def _section_trouble(entry: Any, size: int) -> str | None:
    """Say what is wrong with an entry of the index of a file of `size` bytes: the end of a sentence, or None."""
    if type(entry) is not dict or type(entry.get("encoding")) is not str:
        return "is not described"
    offset, length = entry.get("offset"), entry.get("size")
    if type(offset) is not int or type(length) is not int or offset < 0 or length < 0 or offset + length > size:
        return "lies outside the file, which was cut off or changed"
    return None


def _parse_index(text: bytes) -> dict[str, Any]:
    """Parse an index as strict JSON: UTF-8, no key twice, no NaN, bounded nesting. Raises MosaicError for all else."""

    def no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) < len(pairs):
            raise ValueError("a name occurs twice")
        return dict(pairs)

    def no_constant(name: str) -> NoReturn:
        raise ValueError(f"{name} is no JSON")

    if text.count(b"{") + text.count(b"[") > MAX_INDEX_BRACKETS:
        raise MosaicError("has an index that no session has; it is damaged or may be harmful")
    try:
        index = json.loads(text.decode("utf-8"), object_pairs_hook=no_duplicates, parse_constant=no_constant)
    except ValueError as error:
        raise MosaicError(f"has a damaged index: {error}") from error
    if type(index) is not dict:
        raise MosaicError("has a damaged index: it is not a JSON object")
    return index


# --- writing ---------------------------------------------------------------------------------------------------------


def write_file(
    path: str | os.PathLike[str],
    write_state: Callable[[BinaryIO], None],
    layout: Literal["pickle", "indexed"],
    sections: Mapping[str, Section] = {},
    release: str = NEWEST.version,
    *,
    backup: bool = True,
    also_as: str = "",
) -> None:
    """Write a session file.

    write_state: writes the pickle into the file that it gets, from the current position on. sections: what an indexed
    file holds besides the state; a bare pickle holds none. release: the Mosaic that an indexed file says it is of.
    backup: keep a file that is overwritten for the first time as `<name>.bak` beside it. also_as: keep it in any case,
    under its name and this. Raises MosaicError, in a
    sentence without the file's name, when the file cannot be written. After any error, also one that `write_state`
    raises, an old file is there as it was.
    """

    def write(file: BinaryIO) -> None:
        if layout == "pickle":
            write_state(file)
        else:
            _write_indexed(file, write_state, sections, release)

    replace_file(path, write, backup=backup, also_as=also_as)
    note_session(os.fsdecode(path), file_stamp(path))


def _write_indexed(
    file: BinaryIO, write_state: Callable[[BinaryIO], None], sections: Mapping[str, Section], release: str
) -> None:
    """Write index, state and sections. The index is written last, into room left for it, when all sizes are known."""
    encodings = {"state": "pickle"} | {name: section.encoding for name, section in sections.items()}
    entries = {name: {"offset": MAX_FILE, "size": MAX_FILE, "encoding": encodings[name]} for name in encodings}
    index = {"format_version": FORMAT_VERSION, "version": release, "sections": entries}
    room = len(json.dumps(index).encode())
    if room > MAX_INDEX:
        raise MosaicError("cannot be written: the names of its sections are too long")
    _parse_index(json.dumps(index).encode())  # what we would not read is not written

    file.seek(4 + room)
    for name in entries:
        start = file.tell()
        if name == "state":
            write_state(file)
        else:
            file.write(sections[name].data)
        entries[name] |= {"offset": start, "size": file.tell() - start}
    file.seek(0)
    file.write(struct.pack(">I", room) + json.dumps(index).encode().ljust(room))


def file_stamp(path: str | os.PathLike[str]) -> str | None:
    """Make a short text that changes when a file does, of its size, time and place on the disk; None without a file.

    Raises MosaicError if these cannot be found out.
    """
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise MosaicError(f"cannot be looked at: {getattr(error, 'strerror', None) or error}") from error
    return _stamp_in(status)


def _stamp_in(status: os.stat_result) -> str:
    return f"{status.st_size}-{status.st_mtime_ns}-{status.st_ino}"


def note_session(path: str, stamp: str | None) -> None:
    """Note that a file is a session, as this program has read or written it. stamp: of the file at that time."""
    _met[real_path(path)] = stamp


def was_met(path: str) -> bool:
    """Return whether this program, since it was started, has read or written a session of this path."""
    return real_path(path) in _met


def is_as_met(path: str) -> bool:
    """Return whether a file is a session that has not changed since this program has read or written it.

    Raises MosaicError if the file cannot be looked at.
    """
    stamp = file_stamp(path)
    return stamp is not None and _met.get(real_path(path)) == stamp


def real_path(path: str) -> str:
    """Return the absolute path that links lead to; the path itself if it is none for this system."""
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):
        return path
