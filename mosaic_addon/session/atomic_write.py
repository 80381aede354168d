"""Replacement of a file, during which either the old or the new one is there, whole, at every moment.

The new file is written beside the old one, forced onto the disk, and then takes its name.
"""

import contextlib
import errno
import hashlib
import io
import os
import re
import secrets
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, BinaryIO

from .errors import MosaicError

if sys.platform != "win32":
    import fcntl

BUFFER = 2**20  # bytes
FLUSHED = 2**23  # bytes after which the disk is given what there is
MAX_NAME = 255  # bytes of a file's name
FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
BACKUP_SUFFIX = ".bak"
NO_STRAY = ".00000000.tmp"  # as long as the end of a temporary file's name
KEPT_ATTRIBUTES = ("user.", "system.posix_acl_access")  # of the extended ones: the user's own, and who may read it


def replace_file(
    path: str | os.PathLike[str], write: Callable[[BinaryIO], None], *, backup: bool, also_as: str = ""
) -> None:
    """Let `write` fill a new file, which then takes the place of the one at `path`.

    A symbolic link is followed. Mode, owner and extended attributes of an existing file are kept; other names of it,
    hard links, keep the old content. backup: keep an existing file beside the new one as `<name>.bak`, unless there is
    such a backup already. also_as: keep it in any case, as a file whose name is its own and this. Raises MosaicError, in a sentence without the file's name, when the file cannot be written.
    After any error, also one that `write` raises, the old file is there as it was, and nothing else is left. What a
    program that was killed meanwhile has left goes with the next call for the same file.
    """
    target, old = find_target(path)
    for name in (target, _beside(target, BACKUP_SUFFIX)):
        _remove_strays(name)
    temporary = _temporary(target)
    left = [temporary]
    try:
        if old is not None and not also_as and (not backup or os.path.lexists(_beside(target, BACKUP_SUFFIX))):
            _let_go_of(target)  # but not of what may have to be copied
        with _as_mosaic_error("cannot be written"):
            _write_through(temporary, write, target, old)
        if backup and old is not None:
            left += _back_up(target, old, BACKUP_SUFFIX)
        if also_as and old is not None:
            left += _back_up(target, old, also_as)
        with _as_mosaic_error("cannot be replaced"):
            os.replace(temporary, target)
        left.clear()
    finally:
        _remove(left)
    with contextlib.suppress(OSError):  # not every system can do that for a folder; the file is in place either way
        _sync(os.path.dirname(target), os.O_RDONLY)


@contextlib.contextmanager
def _as_mosaic_error(what: str) -> Iterator[None]:
    """Turn an OSError inside a `with` block into a MosaicError that begins with `what`."""
    try:
        yield
    except OSError as error:
        reason = "the disk is full" if error.errno in FULL_DISK else error.strerror or error
        raise MosaicError(f"{what}: {reason}") from error


def find_target(path: str | os.PathLike[str]) -> tuple[str, os.stat_result | None]:
    """Follow links to the file that is meant. Returns its path and its status, None if there is no such file yet.

    Raises MosaicError where no file can be written.
    """
    try:
        target = os.path.realpath(path)
        folder = os.path.dirname(target)
        if os.path.isdir(folder) and not os.access(folder, os.W_OK):
            raise MosaicError("cannot be written: its folder is write-protected")
        old = os.stat(target)
    except FileNotFoundError:
        if not os.path.isdir(folder):
            raise MosaicError("cannot be written: its folder does not exist") from None
        return target, None
    except (OSError, ValueError) as error:
        raise MosaicError(f"cannot be written: {getattr(error, 'strerror', None) or error}") from error
    if stat.S_ISDIR(old.st_mode):
        raise MosaicError("is a folder, not a file")
    if not stat.S_ISREG(old.st_mode):
        raise MosaicError("is not a regular file, so it is not overwritten")
    if not old.st_mode & 0o222 or not os.access(target, os.W_OK):
        raise MosaicError("is write-protected; save under another name, or make it writable")
    around = os.stat(folder)
    if around.st_mode & stat.S_ISVTX and os.geteuid() not in (0, old.st_uid, around.st_uid):  # as in /tmp
        raise MosaicError("cannot be replaced: in its folder only the file's owner can; save under another name")
    return target, old


def _let_go_of(path: str) -> None:
    """Let the system forget what it holds in memory of a file that is about to be replaced; the file stays as it is.

    The new file then gets that memory, which is faster than asking for more, and a large session is not held twice.
    """
    if hasattr(os, "posix_fadvise"):  # on Linux
        with contextlib.suppress(OSError):  # it is a wish, no more
            handle = os.open(path, os.O_RDONLY)
            try:
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(handle)


def _beside(target: str, suffix: str) -> str:
    """Append a suffix to a path. A name that gets too long is cut, and a check sum tells it from others cut like it."""
    folder, name = os.path.split(target)
    room = MAX_NAME - len(suffix)
    if len(os.fsencode(name)) > room:
        suffix = f"~{hashlib.sha256(os.fsencode(name)).hexdigest()[:8]}{suffix}"
        room -= 9
        while len(os.fsencode(name)) > room:
            name = name[:-1]
    return os.path.join(folder, name + suffix)


def _temporary(target: str) -> str:
    """Return a new name for what is to become a file."""
    return _beside(target, f".{secrets.token_hex(4)}.tmp")


def _remove_strays(target: str) -> None:
    """Remove what programs that were killed while they wrote a file have left. One that still writes holds a lock."""
    folder, name = os.path.split(_beside(target, NO_STRAY))
    pattern = re.escape(name.removesuffix(NO_STRAY)) + r"\.[0-9a-f]{8}\.tmp"
    with contextlib.suppress(OSError):
        for stray in os.listdir(folder):
            path = os.path.join(folder, stray)
            if re.fullmatch(pattern, stray) and not _is_being_written(path):
                _remove([path])


def _is_being_written(path: str) -> bool:
    """Return whether a program still writes a file, or might; on Windows such a file cannot be removed anyway."""
    if sys.platform == "win32":
        return False
    try:
        handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def _write_through(path: str, write: Callable[[BinaryIO], None], replaced: str, old: os.stat_result | None) -> None:
    """Make a file with the permissions of the one that it replaces, and wait until the disk has it."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags, 0o666 if old is None else 0o600)
    with _FlushedFile(handle, "wb") as raw, io.BufferedWriter(raw, BUFFER) as file:
        if sys.platform != "win32":
            with contextlib.suppress(OSError):  # not every file system has locks
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        write(file)
        file.flush()
        raw.wait()
        if old is not None and hasattr(os, "fchown"):  # Windows has neither
            now = os.fstat(handle)
            if (now.st_uid, now.st_gid) != (old.st_uid, old.st_gid):
                with contextlib.suppress(PermissionError):  # only root gives files away
                    os.fchown(handle, -1, old.st_gid)
                    os.fchown(handle, old.st_uid, -1)
            os.fchmod(handle, stat.S_IMODE(old.st_mode))
        if old is not None:
            _copy_attributes(replaced, handle)
        os.fsync(handle)


def _copy_attributes(path: str, handle: int) -> None:
    """Give an open file the extended attributes of another, as far as the file system takes them."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            for name in os.listxattr(path):
                if name.startswith(KEPT_ATTRIBUTES):
                    os.setxattr(handle, name, os.getxattr(path, name))


class _FlushedFile(io.FileIO):
    """A file that goes to the disk while it is still being written, so that little is left to wait for at the end."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._flusher = ThreadPoolExecutor(1)  # starts no thread before it is given something to do
        self._flush: Future[None] | None = None
        self._unflushed = 0

    def write(self, data: Any) -> int:
        """Write some of the bytes and return how many, which is what a buffer around a file expects."""
        written = super().write(memoryview(data)[:FLUSHED])
        self._unflushed += written
        if self._unflushed >= FLUSHED and (self._flush is None or self._flush.done()):
            self.wait()
            self._unflushed = 0
            self._flush = self._flusher.submit(os.fsync, self.fileno())
        return written

    def wait(self) -> None:
        """Wait for the flush that was begun. Raises its error, which the system reports only once."""
        if self._flush is not None:
            self._flush.result()

    def close(self) -> None:
        self._flusher.shutdown()
        super().close()


def _back_up(target: str, old: os.stat_result, suffix: str) -> list[str]:
    """Make a backup beside a file, unless there is one; that is older and stays. Returns the backups that were made.

    A file with other names is copied: who writes to it by one of these would change the backup, too.
    """
    backup = _beside(target, suffix)
    if os.path.isfile(backup):
        return []
    if os.path.lexists(backup):
        raise MosaicError(
            f"is not overwritten, because {os.path.basename(backup)!r}, where it would be kept, is no file"
        )
    with _as_mosaic_error("is not overwritten, because no backup of it can be made"):
        if old.st_nlink == 1 and suffix == BACKUP_SUFFIX:
            with contextlib.suppress(OSError):  # not every file system has hard links
                os.link(target, backup)
                return [backup]
        _copy(target, backup)
    return [backup]


def _copy(source: str, target: str) -> None:
    """Copy a file with its times, through a temporary file, so that `target` is never there in part."""
    temporary = _temporary(target)
    try:
        shutil.copy2(source, temporary)
        _sync(temporary, os.O_RDWR)
        os.rename(temporary, target)
    finally:
        _remove([temporary])


def _remove(paths: list[str]) -> None:
    """Delete those of the files that are there."""
    for path in paths:
        with contextlib.suppress(OSError):
            os.unlink(path)


def _sync(path: str, flags: int) -> None:
    """Wait until the disk has what was written to a file or folder. flags: for opening it."""
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
