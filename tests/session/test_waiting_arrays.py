"""Large arrays of a file that are not read before somebody asks for them."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mosaic_addon.session import MosaicError, Session, open_session, pickle_reader
from mosaic_addon.session.compare import compare
from mosaic_addon.session.file import FileRows
from mosaic_addon.session.pickle_writer import write_pickle
from tests.support.make_sessions import (
    MISSING,
    classes_importable,
    cloud,
    mesh,
    properties,
    session_state,
    write_session,
)
from tests.support.saved_sessions import FILES

N = 200


@pytest.fixture(autouse=True)
def _everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickle_reader, "LATE", 300)
    monkeypatch.setattr(pickle_reader, "WINDOW", 4096)


def read_now(session: Session) -> Session:
    """The session with all arrays in memory."""
    for geometry in session.geometries:
        geometry.points = np.asarray(geometry.points)
        for name in ("normals", "quaternions"):
            if getattr(geometry, name) is not None:
                setattr(geometry, name, np.asarray(getattr(geometry, name)))
        geometry.vertex_properties = {name: np.asarray(each) for name, each in geometry.vertex_properties.items()}
    return session


def some_session(path: Path, **more: Any) -> Path:
    columns = properties(
        N, {"f4": np.ones(N, "f4"), "two": np.ones((N, 2), "f4"), "f8": np.ones(N), "text": np.array(["a"] * N)}
    )
    points = np.random.default_rng(1).normal(size=(N, 3)).astype("f4")
    turns = np.ones((N, 4), "f4")
    clouds = [
        cloud("cloud", N, points=points, normals=points + 1, quaternions=turns, vertex_properties=columns),
        cloud("fortran", N, points=np.asfortranarray(points)),
    ]
    return write_session(path, clouds, [mesh("mesh", N, points=points)], **more)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_they_wait_and_are_what_stands_in_the_file(tmp_path: Path, protocol: int) -> None:
    path = some_session(tmp_path / "s.pickle", protocol=protocol)
    waiting, read = open_session(path, wait=True), open_session(path)
    plain, fortran, fitted = waiting.geometries
    waits = [plain.normals, plain.quaternions, *(plain.vertex_properties[name] for name in ("f4", "two"))]
    if protocol > 2:  # which writes bytes as text
        assert {FileRows} == set(map(type, waits))
    for values in (plain.points, fortran.points, fitted.points, *map(plain.vertex_properties.get, ("f8", "text"))):
        assert type(values) is np.ndarray
    normals, expected = plain.normals, read.geometries[0].normals
    assert np.array_equal(normals, expected)
    assert np.array_equal(normals[50:60], expected[50:60])
    assert np.array_equal(normals[::7] - 1, expected[::7] - 1)
    assert np.array_equal(normals - 1, expected - 1)
    assert np.array_equal(normals[:, 1], expected[:, 1])
    assert compare(read_now(waiting), read) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_sessions_are_the_same_whether_arrays_wait_or_not(path: Path) -> None:
    waiting, read = open_session(path, wait=True), open_session(path)
    assert waiting.warnings == read.warnings
    assert compare(read_now(waiting), read) == []


def test_numbers_that_cannot_be_drawn_are_warned_of(tmp_path: Path) -> None:
    points, turns = np.zeros((N, 3), "f4"), np.ones((N, 4), "f4")
    points[N - 1, 1], turns[3] = np.nan, 0
    path = write_session(tmp_path / "s.pickle", [cloud("cloud", N, points=points, quaternions=turns)])
    assert len(open_session(path).warnings) == 2
    assert open_session(path, wait=True).warnings == open_session(path).warnings


class _Shared:
    """An array that pickles with bytes that something else has, too."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __reduce__(self) -> Any:
        made: Any = np.zeros(3).__reduce__()
        return made[0], made[1], (1, (N, 3), np.dtype("<f4"), False, self.data)


def test_bytes_that_stand_elsewhere_as_well_are_kept(tmp_path: Path) -> None:
    data = np.arange(3 * N, dtype="f4").tobytes()
    meta = {"name": "cloud", "bytes": data}
    state = session_state([cloud("cloud", N, normals=_Shared(data), quaternions=MISSING, meta=meta)])
    with classes_importable():
        (tmp_path / "s.pickle").write_bytes(pickle.dumps(state, 4))
    session = open_session(tmp_path / "s.pickle", wait=True)
    assert type(session.geometries[0].normals) is FileRows
    with open(tmp_path / "again.pickle", "wb") as file:
        write_pickle(session.state, file.write)
    assert compare(open_session(tmp_path / "again.pickle"), open_session(tmp_path / "s.pickle")) == []


def test_a_file_that_was_changed_meanwhile_is_refused(tmp_path: Path) -> None:
    path = some_session(tmp_path / "s.pickle")
    normals: Any = open_session(path, wait=True).geometries[0].normals
    os.utime(path, ns=(1, 1))
    with pytest.raises(MosaicError, match="was changed while it was read"):
        normals[:5]
    path.unlink()
    with pytest.raises(MosaicError, match="does not exist"):
        np.asarray(normals)
