"""Files of strangers: nothing in them runs, nothing else is opened, and each is answered in one sentence."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import subprocess
import sys
import time
import unicodedata
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mosaic_addon.session import MosaicError, Session, open_session
from mosaic_addon.session.decode import decode_session
from mosaic_addon.session.file import read_file
from tests.support import make_sessions
from tests.support.hostile import cost
from tests.support.hostile.bombs import BOMBS
from tests.support.hostile.commands import CODE
from tests.support.hostile.inert import INERT
from tests.support.hostile.refused import REFUSED
from tests.support.usable import assert_usable

MB = 2**20
events: list[tuple[str, tuple[Any, ...]]] | None = None  # what Python reports of itself while a file is read


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if events is not None:
        events.append((event, args[:1]))


sys.addaudithook(_hook)


@pytest.fixture(autouse=True)
def _nothing_is_left_behind() -> Iterator[None]:
    def settings() -> tuple[Any, ...]:
        return sys.getrecursionlimit(), gc.isenabled(), np.geterr(), Path.cwd(), sys.path[:]

    before = settings()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
    assert settings() == before


def read(path: Path, at_most: float = 10.0) -> Session | str:
    """The session, or the sentence that refuses it; whatever else happens is a failure."""
    global events
    modules = set(sys.modules)
    began = time.perf_counter()
    seen: list[tuple[str, tuple[Any, ...]]] = []
    events = seen
    try:
        session = open_session(path)
    except MosaicError as error:
        sentence = str(error)
        assert sentence.startswith(f"{path} "), sentence
        assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in sentence), sentence
        assert len(sentence) < len(str(path)) + 400, sentence
        return sentence
    finally:
        events = None
        assert set(sys.modules) == modules
        assert not [event for event in seen if not harmless(event, path)], seen
        assert time.perf_counter() - began < at_most
    assert_usable(session)
    return session


def harmless(event: tuple[str, tuple[Any, ...]], path: Path) -> bool:
    """Opening the file itself, by its name and then by its number; and what says nothing."""
    kind, args = event
    if kind == "open":
        return type(args[0]) is int or args[0] == str(path)
    return kind in ("builtins.id", "mmap.__new__", "object.__getattr__", "sys._getframe")


def write(folder: Path, data: bytes) -> Path:
    path = folder / "session.pickle"
    path.write_bytes(data)
    return path


# --- code ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("title", CODE)
def test_code_is_refused_and_not_run(title: str, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    answer = read(write(tmp_path, CODE[title](str(canary))))
    assert isinstance(answer, str), "it opened"
    assert "harmful" in answer or "damaged" in answer or "protocol" in answer or "neither a pickle" in answer
    assert not canary.exists()


def test_the_traps_would_run_in_pythons_own_unpickler(tmp_path: Path) -> None:
    """Otherwise the tests above would prove nothing. The few that only some Pythons run are told apart by name."""
    script = "import io, pickle, sys\ntry:\n    pickle.load(io.BytesIO(sys.stdin.buffer.read()))\nexcept BaseException:\n    pass"
    inert = []
    titles = [title for title in CODE if not title.endswith(", in a session")]
    for number, title in enumerate(titles):
        canary = tmp_path / str(number)
        data = CODE[title](str(canary))
        subprocess.run(
            [sys.executable, "-c", script], input=data, timeout=60, check=False, cwd=tmp_path, capture_output=True
        )
        if not canary.exists():
            inert.append(title)
    assert len(inert) <= len(titles) // 4, inert


# --- what has no place in a session ----------------------------------------------------------------------------------


@pytest.mark.parametrize("part", range(8))
def test_what_no_session_has_is_refused(part: int, tmp_path: Path) -> None:
    opened = []
    for title in list(REFUSED)[part::8]:
        try:
            answer = read(write(tmp_path, REFUSED[title]("")))
        except Exception as error:
            raise AssertionError(title) from error
        if not isinstance(answer, str):
            opened.append(title)
    assert not opened


@pytest.mark.parametrize("part", range(8))
def test_odd_parts_are_left_out_or_refused(part: int, tmp_path: Path) -> None:
    for title in list(INERT)[part::8]:
        path = write(tmp_path, INERT[title](""))
        try:
            read(path)
        except Exception as error:
            raise AssertionError(title) from error


def test_odd_parts_do_not_keep_healthy_ones_out(tmp_path: Path) -> None:
    refused = {}
    for title, maker in INERT.items():
        answer = read(write(tmp_path, maker("")))
        if isinstance(answer, str):
            refused[title] = answer
        elif "healthy" in title:
            assert any(geometry.name == "healthy" for geometry in answer.geometries), title
    # What is refused as a whole is not an odd number or a wrong shape but a stream that no session has.
    assert all("harmful" in answer or "damaged" in answer or "no clusters" in answer for answer in refused.values())
    shapes = [
        title for title in refused if title.startswith(("points:", "normals:", "triangles", "meta holds", "name is"))
    ]
    assert [title for title in shapes if "date" not in title and "bytearray" not in title] == []


# --- files -----------------------------------------------------------------------------------------------------------


def test_a_missing_file_is_said_so(tmp_path: Path) -> None:
    assert "does not exist" in str(read(tmp_path / "none.pickle"))


def test_a_folder_is_said_so(tmp_path: Path) -> None:
    assert "is a folder" in str(read(tmp_path))


def test_an_empty_file_is_said_so(tmp_path: Path) -> None:
    assert "is empty" in str(read(write(tmp_path, b"")))


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/tty"])
def test_a_device_is_not_read(device: str) -> None:
    assert isinstance(read(Path(device)), str)


def test_a_fifo_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.pickle")
    assert "not a regular file" in str(read(tmp_path / "fifo.pickle", 1))


def test_links_to_nowhere_and_to_themselves_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "c").symlink_to("c")
    assert "does not exist" in str(read(tmp_path / "a"))
    assert "cannot be opened" in str(read(tmp_path / "c"))


@pytest.mark.parametrize("size", [2**33, 2**40])
@pytest.mark.parametrize(
    "start",
    [b"\x80\x04", b"\x80\x04]\x8e" + bytes([0, 0, 0, 255] * 2), b"", b"\x00\x00\x01\x00{}", b"\x00\x00\x00\x02{}"],
)
def test_a_large_file_that_is_no_session_is_not_read_whole(start: bytes, size: int, tmp_path: Path) -> None:
    path = write(tmp_path, start)
    os.truncate(path, size)
    assert isinstance(read(path, 1), str)


def test_a_file_that_is_cut_short_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, make_sessions.session_bytes([make_sessions.cloud(n=100_000)]))
    with contextlib.closing(read_file(path)) as file:
        os.truncate(path, 500_000)
        with pytest.raises(MosaicError, match="became shorter"):
            decode_session(file, str(path))


def test_a_name_of_the_file_may_hold_anything(tmp_path: Path) -> None:
    path = tmp_path / "a\n\x1b[31m\u2028b.pickle"
    path.write_bytes(b"xxxxxxxxxxxx")
    with pytest.raises(MosaicError) as refused:
        open_session(path)
    assert not {"\n", "\x1b", "\u2028"} & set(str(refused.value))
    with pytest.raises(MosaicError):
        open_session("nul\0.pickle")
    with pytest.raises(MosaicError):
        open_session(os.fsencode(tmp_path) + b"/\xff.pickle")


def test_a_newer_format_is_said_so(tmp_path: Path) -> None:
    assert "newer than" in str(read(write(tmp_path, REFUSED["index: newer format"](""))))


@pytest.mark.parametrize("title", ["thumbnail outside the file", "a section not described", "overlapping sections"])
def test_a_damaged_thumbnail_costs_the_thumbnail(title: str, tmp_path: Path) -> None:
    session = read(write(tmp_path, INERT[title]("")))
    assert isinstance(session, Session)
    assert len(session.geometries) == 1
    if title != "overlapping sections":
        assert session.sections == {}
        assert "thumbnail" in session.warnings[0]


# --- time and memory -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("title", BOMBS)
def test_bombs_cost_little(title: str, tmp_path: Path) -> None:
    """At most 100 bytes of memory for each byte of the file, and a second for each megabyte, beside a fixed part."""
    data = BOMBS[title]()
    path = write(tmp_path, data)
    command = [sys.executable, str(cost.__file__), str(path), str(6 * 2**30)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads(done.stdout)
    assert result["memory"] < 128 * MB + 100 * len(data), result
    assert result["memory"] < 2048 * MB, result
    assert result["seconds"] < 10 + len(data) / MB, result
    assert result["seconds"] < 60, result
