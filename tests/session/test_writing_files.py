"""Session files are written whole or not at all, in either layout."""

from __future__ import annotations

import errno
import os
import pickle
import re
import signal
import stat
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from mosaic_addon.session import MosaicError, atomic_write, open_session
from mosaic_addon.session.file import MAX_INDEX, Section, file_stamp, read_file, write_file
from tests.support.make_sessions import cloud, session_bytes

ROOT = Path(__file__).resolve().parents[2]
OLD = b"what was there before"
NEW = b"\x80\x04N."
linux = pytest.mark.skipif(sys.platform != "linux", reason="links, modes and limits as Linux has them")


def says(data: bytes = NEW) -> Callable[[BinaryIO], None]:
    def write(file: BinaryIO) -> None:
        file.write(data)

    return write


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A file that is there already, alone in its folder."""
    path = tmp_path / "session.pickle"
    path.write_bytes(OLD)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def refused(path: Path | str, write: Callable[[BinaryIO], None] | None = None, **options: Any) -> str:
    with pytest.raises(MosaicError) as caught:
        write_file(path, write or says(), options.pop("layout", "pickle"), **options)
    return str(caught.value)


def run_python(code: str, *arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Another Python with what this file's tests need imported."""
    head = """
    import os, sys, time
    from mosaic_addon.session import MosaicError
    from mosaic_addon.session.file import write_file
    """
    command = [sys.executable, "-c", textwrap.dedent(head) + textwrap.dedent(code), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False, **options)


# --- layouts ---------------------------------------------------------------------------------------------------------


def test_a_bare_pickle_is_the_state_alone(tmp_path: Path) -> None:
    path = tmp_path / "new.pickle"
    write_file(path, says(), "pickle", {"thumbnail": Section("png", memoryview(b"left out"))})
    assert path.read_bytes() == NEW
    assert names(tmp_path) == ["new.pickle"]


@pytest.mark.parametrize("size", [0, 1, 255, 70_000, 3 * 2**20])
def test_an_indexed_file_is_read_as_it_was_written(tmp_path: Path, size: int) -> None:
    state = pickle.dumps(bytes(size))
    sections = {
        "thumbnail": Section("png", memoryview(b"\x89PNG" + bytes(size))),
        "meta": Section("json", memoryview(b'{"volume_paths": []}')),
        "a name of our own: ö\ud800 {[": Section("odd", memoryview(b"")),
    }
    path = tmp_path / "new.mosaic"
    write_file(path, says(state), "indexed", sections, "1.2.4")
    file = read_file(path)
    assert (file.layout, file.release, file.warnings) == ("indexed", "1.2.4", [])
    assert bytes(file.state) == state
    assert list(file.sections) == list(sections)
    for name, section in sections.items():
        assert (file.sections[name].encoding, bytes(file.sections[name].data)) == (
            section.encoding,
            bytes(section.data),
        )


def test_sections_that_could_not_be_read_again_are_not_written(target: Path) -> None:
    many = {f"section {i}": Section("json", memoryview(b"{}")) for i in range(500)}
    assert "index" in refused(target, layout="indexed", sections=many)
    long = {"x" * MAX_INDEX: Section("json", memoryview(b"{}"))}
    assert "too long" in refused(target, layout="indexed", sections=long)
    assert target.read_bytes() == OLD
    assert names(target.parent) == [target.name]


def test_mosaic_reads_an_indexed_file(tmp_path: Path, mosaic_python: Path) -> None:
    path = tmp_path / "new.mosaic"
    thumbnail = Section("png", memoryview(b"\x89PNG"))
    write_file(path, says(session_bytes([cloud("one")])), "indexed", {"thumbnail": thumbnail}, "1.3.2")
    assert [geometry.name for geometry in open_session(path).clusters] == ["one"]
    script = """
import sys
from mosaic.formats.session import open_session, read_session_index, read_session_section
assert read_session_index(sys.argv[1])["version"] == "1.3.2"
assert read_session_section(sys.argv[1], "thumbnail") == b"\\x89PNG"
from mosaic.commands.session import Session
session = Session()
session.load_session(sys.argv[1])
print(session._data.data[0]._meta["name"], sorted(session._file_sections))
"""
    answer = subprocess.run(
        [mosaic_python, "-c", script, path], capture_output=True, text=True, timeout=120, check=False
    )
    assert answer.stdout.strip() == "one ['thumbnail']", answer.stderr


# --- what was there before -------------------------------------------------------------------------------------------


def test_the_file_before_the_first_overwrite_is_kept(target: Path) -> None:
    os.utime(target, ns=(1, 2_000_000_000))
    for data in (NEW, b"\x80\x04K\x01."):
        write_file(target, says(data), "pickle")
        assert target.read_bytes() == data
        backup = target.with_name("session.pickle.bak")
        assert backup.read_bytes() == OLD
        assert backup.stat().st_mtime_ns == 2_000_000_000
        assert names(target.parent) == [target.name, backup.name]


def test_where_files_cannot_be_linked_the_backup_is_a_copy(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_link(*_: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", no_link)
    os.utime(target, ns=(1, 2_000_000_000))
    write_file(target, says(), "pickle")
    backup = target.with_name("session.pickle.bak")
    assert (backup.read_bytes(), backup.stat().st_mtime_ns) == (OLD, 2_000_000_000)
    assert names(target.parent) == [target.name, backup.name]


def test_without_a_backup_nothing_is_overwritten(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def copy_half(_: str, copy: str) -> None:
        Path(copy).write_bytes(OLD[:5])
        fail()

    monkeypatch.setattr(os, "link", fail)
    monkeypatch.setattr("shutil.copy2", copy_half)
    assert refused(target) == "is not overwritten, because no backup of it can be made: the disk is full"
    assert target.read_bytes() == OLD
    assert names(target.parent) == [target.name]
    write_file(target, says(), "pickle", backup=False)
    assert target.read_bytes() == NEW


def test_a_folder_in_the_place_of_the_backup_is_told(target: Path) -> None:
    (target.parent / "session.pickle.bak").mkdir()
    assert "'session.pickle.bak'" in refused(target)
    assert target.read_bytes() == OLD
    assert names(target.parent) == ["session.pickle", "session.pickle.bak"]


def test_a_backup_is_taken_away_when_the_file_was_not_replaced(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "replace", fail)
    assert refused(target) == "cannot be replaced: Permission denied"
    assert target.read_bytes() == OLD
    assert names(target.parent) == [target.name]


@linux
@pytest.mark.parametrize("ending", ["pickle", "ö" * 20, "a"])
def test_names_of_255_bytes_work(tmp_path: Path, ending: str) -> None:
    name = "ü" * 100
    name += "x" * (255 - len((name + ending).encode()) - 2) + "1." + ending
    other = name.replace("1.", "2.")
    assert len(name.encode()) == 255
    for path in (tmp_path / name, tmp_path / other):
        path.write_bytes(path.name.encode())
        write_file(path, says(), "pickle")
        assert path.read_bytes() == NEW
    backups = [path for path in tmp_path.iterdir() if path.suffix == ".bak"]
    assert sorted(path.read_text() for path in backups) == sorted((name, other))
    assert len(names(tmp_path)) == 4


# --- links and permissions -------------------------------------------------------------------------------------------


@linux
def test_a_link_stays_a_link(target: Path, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    link = folder / "link.pickle"
    link.symlink_to(Path("..") / target.name)
    write_file(link, says(), "pickle")
    assert link.is_symlink()
    assert target.read_bytes() == NEW
    assert names(folder) == ["link.pickle"]
    assert names(tmp_path) == ["elsewhere", "session.pickle", "session.pickle.bak"]


@linux
def test_a_link_to_nothing_is_filled_and_a_loop_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("new.pickle")
    write_file(tmp_path / "link", says(), "pickle")
    assert (tmp_path / "new.pickle").read_bytes() == NEW
    assert (tmp_path / "link").is_symlink()
    (tmp_path / "loop").symlink_to("loop")
    assert refused(tmp_path / "loop") == "cannot be written: Too many levels of symbolic links"
    assert names(tmp_path) == ["link", "loop", "new.pickle"]


@linux
@pytest.mark.parametrize("mode", [0o600, 0o664, 0o646, 0o750])
def test_permissions_are_kept(target: Path, mode: int) -> None:
    target.chmod(mode)
    seen = []

    def write(file: BinaryIO) -> None:
        seen.append(stat.S_IMODE(os.fstat(file.fileno()).st_mode))
        file.write(NEW)

    write_file(target, write, "pickle")
    assert stat.S_IMODE(target.stat().st_mode) == mode
    assert seen == [0o600]  # while it is written, nobody else reads what may be secret


@linux
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_a_new_file_has_the_usual_permissions(tmp_path: Path, mask: int) -> None:
    old = os.umask(mask)
    try:
        write_file(tmp_path / "new.pickle", says(), "pickle")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "new.pickle").stat().st_mode) == 0o666 & ~mask


@linux
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_the_owner_is_kept(target: Path) -> None:
    os.chown(target, 12345, 54321)
    target.chmod(0o4755)
    write_file(target, says(), "pickle")
    status = target.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (12345, 54321, 0o4755)


# --- what cannot be written ------------------------------------------------------------------------------------------


def test_places_where_nothing_can_be_written(tmp_path: Path, target: Path) -> None:
    assert refused(tmp_path) == "is a folder, not a file"
    assert refused(tmp_path / "no" / "such.pickle") == "cannot be written: its folder does not exist"
    assert refused(target / "inside.pickle").startswith("cannot be written: ")
    assert refused("with \0 in it").startswith("cannot be written: ")
    assert refused(tmp_path / ("x" * 300)).startswith("cannot be written: ")
    target.chmod(0o444)
    assert refused(target).startswith("is write-protected; ")
    assert target.read_bytes() == OLD
    assert names(tmp_path) == [target.name]


@linux
def test_fifos_and_devices_are_left_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert refused(tmp_path / "fifo") == refused("/dev/null") == "is not a regular file, so it is not overwritten"
    assert names(tmp_path) == ["fifo"]


@linux
def test_a_folder_without_the_right_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "session.pickle"
    target.write_bytes(OLD)
    tmp_path.chmod(0o555)
    if os.geteuid() == 0:  # whom no mode stops
        real_open = os.open

        def guarded(path: Any, flags: int, *rest: Any, **options: Any) -> int:
            if flags & os.O_CREAT:
                raise PermissionError(errno.EACCES, "Permission denied")
            return real_open(path, flags, *rest, **options)

        monkeypatch.setattr(os, "open", guarded)
    try:
        assert refused(target) in (
            "cannot be written: Permission denied",
            "cannot be written: its folder is write-protected",
        )
    finally:
        tmp_path.chmod(0o755)
    assert target.read_bytes() == OLD
    assert names(tmp_path) == ["session.pickle"]


@pytest.mark.parametrize("error", [ValueError, MosaicError, KeyboardInterrupt])
@pytest.mark.parametrize("layout", ["pickle", "indexed"])
def test_when_the_state_fails_nothing_is_left(target: Path, error: type[BaseException], layout: Any) -> None:
    def write(file: BinaryIO) -> None:
        file.write(bytes(3 * 2**20))
        raise error("half-way")

    for path in (target, target.with_name("new.pickle")):
        with pytest.raises(error, match="half-way"):
            write_file(path, write, layout)
    assert target.read_bytes() == OLD
    assert names(target.parent) == [target.name]


@linux
@pytest.mark.parametrize("layout", ["pickle", "indexed"])
@pytest.mark.parametrize("size", [100_001, 3 * 2**20])  # within the buffer, and beyond it
def test_a_full_disk_leaves_the_old_file(target: Path, layout: str, size: int) -> None:
    code = """
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    try:
        write_file(sys.argv[1], lambda file: file.write(bytes(int(sys.argv[3]))) and None, sys.argv[2])
    except MosaicError as error:
        print(error)
    """
    answer = run_python(code, target, layout, str(size))
    assert answer.stdout.strip() == "cannot be written: the disk is full", answer.stderr
    assert target.read_bytes() == OLD
    assert names(target.parent) == [target.name]


@linux
def test_a_crash_while_writing_leaves_the_old_file(target: Path) -> None:
    code = """
    def write(file):
        file.write(bytes(3 * 2**20))
        file.flush()
        os.kill(os.getpid(), 9)
    write_file(sys.argv[1], write, "pickle")
    """
    assert run_python(code, target).returncode == -signal.SIGKILL
    assert target.read_bytes() == OLD
    left = [name for name in names(target.parent) if name != target.name]
    assert len(left) == 1
    assert re.fullmatch(r"session\.pickle\.[0-9a-f]{8}\.tmp", left[0])
    write_file(target, says(), "pickle")  # is not kept from its work by that
    assert target.read_bytes() == NEW


@linux
def test_everything_is_on_the_disk_before_it_counts(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new file's bytes, the new name, the folder's entry, in this order."""
    done = []
    real = {name: getattr(os, name) for name in ("fsync", "replace", "link")}

    def note(name: str) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            folder = name == "fsync" and stat.S_ISDIR(os.fstat(arguments[0]).st_mode)
            size = os.fstat(arguments[0]).st_size if name == "fsync" and not folder else None
            done.append((name, "folder" if folder else size))
            return real[name](*arguments)

        return call

    for name in real:
        monkeypatch.setattr(os, name, note(name))
    write_file(target, says(), "pickle")
    assert done == [("fsync", len(NEW)), ("link", None), ("replace", None), ("fsync", "folder")]


@pytest.mark.parametrize("piece", [1000, 2**20, 3 * 2**20])
def test_a_large_file_is_given_to_the_disk_meanwhile(target: Path, monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    data = os.urandom(piece) * (12 * 2**20 // piece)
    monkeypatch.setattr(atomic_write, "FLUSHED", 2**20)
    sizes, begun, real = [], threading.Event(), os.fsync

    def sync(handle: int) -> None:
        sizes.append(os.fstat(handle).st_size)
        begun.set()
        real(handle)

    def write(file: BinaryIO) -> None:
        for start in range(0, len(data), piece):
            file.write(memoryview(data)[start : start + piece])
            if start >= len(data) // 2:
                assert begun.wait(60)

    monkeypatch.setattr(os, "fsync", sync)
    write_file(target, write, "pickle")
    assert target.read_bytes() == data
    assert 2**20 <= sizes[0] < len(data)  # before all was written
    assert sizes[-2] == len(data)  # and, before the folder, once all was


@pytest.mark.parametrize("size", [2**20, 2**21])
def test_what_the_disk_says_meanwhile_is_not_lost(target: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """It tells of an error only once: before the next is begun, or at the end."""
    monkeypatch.setattr(atomic_write, "FLUSHED", size)
    real, calls = os.fsync, []

    def sync(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 1:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(handle)

    monkeypatch.setattr(os, "fsync", sync)
    assert refused(target, says(bytes(3 * 2**20))) == "cannot be written: Input/output error"
    assert target.read_bytes() == OLD
    assert names(target.parent) == ["session.pickle"]


@linux
@pytest.mark.parametrize("works", [True, False])
def test_the_memory_of_what_is_replaced_is_let_go_first(
    target: Path, monkeypatch: pytest.MonkeyPatch, works: bool
) -> None:
    """A wish that not every file system grants."""
    let_go = []

    def advise(handle: int, *_: int) -> None:
        let_go.append((os.fstat(handle).st_ino, names(target.parent)))
        if not works:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(os, "posix_fadvise", advise)
    write_file(target, says(), "pickle")
    assert let_go == []  # a backup may have to be copied from it
    old = target.stat().st_ino
    write_file(target, says(NEW * 2), "pickle")
    assert let_go == [(old, ["session.pickle", "session.pickle.bak"])]
    assert target.read_bytes() == NEW * 2
    monkeypatch.delattr(os, "posix_fadvise")  # where there is none
    write_file(target, says(), "pickle", backup=False)
    assert target.read_bytes() == NEW


# --- stamps ----------------------------------------------------------------------------------------------------------


def test_a_stamp_changes_with_the_file(target: Path) -> None:
    first = file_stamp(target)
    assert first is not None
    assert len(first) < 80
    assert file_stamp(target) == first
    write_file(target, says(OLD), "pickle")
    second = file_stamp(target)
    with target.open("ab") as file:
        file.write(b"!")
    third = file_stamp(target)
    os.utime(target, ns=(0, 12345))
    fourth = file_stamp(target)
    twin = target.with_name("twin")
    twin.write_bytes(target.read_bytes())
    os.utime(twin, ns=(0, 12345))
    twin.replace(target)  # of the same size and time
    assert len({first, second, third, fourth, file_stamp(target)}) == 5


def test_what_is_not_there_has_no_stamp(tmp_path: Path, target: Path) -> None:
    assert file_stamp(tmp_path / "none.pickle") is None
    assert file_stamp(target / "inside.pickle") is None
    with pytest.raises(MosaicError):
        file_stamp("with \0 in it")
