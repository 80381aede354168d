"""What is around a file that is replaced: leftovers of killed saves, other names, attributes, folders with rules."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from mosaic_addon.session.file import write_file
from tests.session.test_writing_files import NEW, OLD, linux, names, refused, run_python, says

KILL = """
def write(file):
    file.write(bytes(3 * 2**20))
    file.flush()
    os.kill(os.getpid(), 9)
write_file(sys.argv[1], write, "pickle")
"""


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A file that is there already, alone in its folder."""
    path = tmp_path / "session.pickle"
    path.write_bytes(OLD)
    return path


# --- leftovers -------------------------------------------------------------------------------------------------------


@linux
@pytest.mark.parametrize("name", ["session.pickle", "new.pickle", "ü" * 120 + ".pickle", "[a]*.pickle"])
def test_what_a_killed_save_left_goes_with_the_next(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    for _ in range(2):  # the second save has removed what the first left
        run_python(KILL, path)
    assert len([name for name in names(tmp_path) if name.endswith(".tmp")]) == 1
    write_file(path, says(), "pickle")
    assert names(tmp_path) == [name]


def test_what_a_killed_copy_of_a_backup_left_goes_too(target: Path) -> None:
    (target.parent / "session.pickle.bak.0123abcd.tmp").write_bytes(b"half")
    write_file(target, says(), "pickle")
    assert names(target.parent) == ["session.pickle", "session.pickle.bak"]


def test_files_of_other_names_stay(target: Path) -> None:
    others = [
        "other.pickle.0123abcd.tmp", "session.pickle.tmp", "session.pickle.0123ABCD.tmp", "session.pickle.0123abcd",
        "session.pickle.0123abcde.tmp", "session.pickle.notes123.tmp", "a session.pickle.0123abcd.tmp",
    ]  # fmt: skip
    for name in others:
        (target.parent / name).write_bytes(b"mine")
    (target.parent / "session.pickle.aaaaaaaa.tmp").mkdir()
    (target.parent / "session.pickle.bbbbbbbb.tmp").symlink_to("session.pickle.tmp")
    before = names(target.parent)
    write_file(target, says(), "pickle")
    assert names(target.parent) == sorted([*before, "session.pickle.bak"])


@linux
def test_a_save_that_is_still_at_work_is_left_alone(target: Path) -> None:
    """Two programs write the same file: both finish, and the last one wins."""

    def write(file: object) -> None:
        write_file(target, says(b"\x80\x04K\x01."), "pickle")
        file.write(NEW)  # type: ignore[attr-defined]

    write_file(target, write, "pickle")
    assert target.read_bytes() == NEW
    assert names(target.parent) == ["session.pickle", "session.pickle.bak"]


# --- other names of the file -----------------------------------------------------------------------------------------


@linux
def test_another_name_keeps_what_was_there_and_does_not_reach_the_backup(target: Path) -> None:
    other = target.with_name("snapshot.pickle")
    os.link(target, other)
    write_file(target, says(), "pickle")
    assert (target.read_bytes(), other.read_bytes()) == (NEW, OLD)
    other.write_bytes(b"written in place")
    assert target.with_name("session.pickle.bak").read_bytes() == OLD


# --- attributes ------------------------------------------------------------------------------------------------------


@linux
def test_extended_attributes_are_kept(target: Path) -> None:
    if sys.platform != "linux":
        return
    kept = {"user.origin": b"microscope 3", "user.bytes": bytes(range(256))}
    try:
        for name, value in kept.items():
            os.setxattr(target, name, value)
    except OSError:
        return  # the file system of temporary files has none
    for layout in ("pickle", "indexed"):
        write_file(target, says(), layout)  # type: ignore[arg-type]
        assert {name: os.getxattr(target, name) for name in os.listxattr(target)} == kept


@linux
def test_a_file_system_without_attributes_is_no_hindrance(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    for name in ("setxattr", "getxattr", "listxattr"):
        monkeypatch.setattr(os, name, fail)
        write_file(target, says(), "pickle")
        assert target.read_bytes() == NEW


# --- folders with rules ----------------------------------------------------------------------------------------------


@linux
def test_a_refused_save_leaves_no_backup_where_only_owners_replace(target: Path) -> None:
    """As in /tmp: a hard link to another's file could not be removed again."""
    if os.geteuid() != 0:
        return
    os.chown(target, 12345, 12345)
    target.chmod(0o666)
    os.chown(target.parent, 23456, 23456)
    target.parent.chmod(0o1777)
    code = """
    os.setgroups([])
    os.setgid(34567)
    os.setuid(34567)
    try:
        write_file(sys.argv[1], lambda file: file.write(b"x") and None, "pickle")
    except MosaicError as error:
        print(error)
    """
    for folder in target.parents[:4]:  # which pytest makes for its user alone
        folder.chmod(stat.S_IMODE(folder.stat().st_mode) | 0o011)
    answer = run_python(code, target)
    assert answer.stdout.startswith("cannot be replaced: in its folder only the file's owner can"), answer.stderr
    assert names(target.parent) == [target.name]
    assert target.read_bytes() == OLD


@linux
def test_a_write_protected_folder_is_told_before_any_work(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != str(target.parent) and access(path, mode))
    assert refused(target) == "cannot be written: its folder is write-protected"
    assert refused(target.with_name("new.pickle")) == "cannot be written: its folder is write-protected"
