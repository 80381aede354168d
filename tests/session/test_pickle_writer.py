"""What is written as a pickle: Python's own unpickler and our reader find in it what was asked for, and nothing else is ever written."""

from __future__ import annotations

import io
import pickle
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from mosaic_addon.session import MosaicError
from mosaic_addon.session.dtypes import DTYPES
from mosaic_addon.session.file import FileBytes, cut
from mosaic_addon.session.nodes import (
    Stored,
)
from mosaic_addon.session.pickle_reader import read_pickle
from tests.support import damage
from tests.support.edited_sessions import load_editable
from tests.support.hostile.inert import INERT
from tests.support.hostile.refused import REFUSED
from tests.support.written import assert_same, dumps, dumps_unless_too_deep, loads, rewritten

ROOT = Path(__file__).parents[2]
FILES = [
    *sorted((ROOT / "tests" / "sessions").glob("mosaic-*.[pm][io][cs]*")),
    ROOT / "docs" / "examples" / "virion.pickle",
]
MUTATIONS = 70  # of each file
OPCODES_OF_PROTOCOL_4 = {code.name for code in pickletools.opcodes if code.proto <= 4}
NAMES = {
    ("numpy.core.multiarray", "_reconstruct"), ("numpy.core.multiarray", "scalar"), ("numpy", "ndarray"), ("numpy", "dtype"),
    *(("builtins", name) for name in ("complex", "slice", "range", "bytearray")),
}  # fmt: skip


# --- values of Python ------------------------------------------------------------------------------------------------

INTS = st.integers(-(2**511), 2**511 - 1) | st.integers(-70_000, 70_000) | st.sampled_from(
    [sign * 2**bits + more for bits in (7, 8, 15, 16, 31, 32, 63, 64, 127, 255, 510) for sign in (1, -1) for more in (-1, 0, 1)]
)  # fmt: skip
TEXTS = (
    st.text(st.characters(exclude_categories=()))
    | st.text("ab", max_size=3)
    | st.sampled_from(["\ud800", "x" * 255, "ä" * 128, ""])
)
ALL_DTYPES = sorted({dtype.str for dtype in DTYPES.values()} | {"<U1", ">U7", "|S1", "|S9"})
NUMBERS = st.sampled_from([np.dtype(text) for text in ALL_DTYPES])


def array_values(dtype: np.dtype[Any]) -> st.SearchStrategy[Any]:
    if dtype.kind == "U":
        return npst.from_dtype(dtype, alphabet=st.characters(codec="utf-8", exclude_characters="\0"))
    return npst.from_dtype(dtype)


@st.composite
def arrays(draw: Callable[..., Any]) -> np.ndarray[Any, Any]:
    dtype = draw(NUMBERS)
    shape = draw(npst.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4))
    array = draw(
        npst.arrays(dtype, shape, elements=array_values(dtype), fill=st.nothing() if dtype.kind == "U" else None)
    )
    return np.asfortranarray(array) if draw(st.booleans()) else array


@st.composite
def numpy_scalars(draw: Callable[..., Any]) -> np.generic:
    dtype = draw(NUMBERS.filter(lambda dtype: dtype.kind not in "US"))
    return np.array([draw(npst.from_dtype(dtype))], dtype)[0]


LITTLE = st.integers(-5, 5) | st.none()
HASHABLE_SCALARS = (
    st.none() | st.booleans() | INTS | st.floats() | TEXTS | st.binary(max_size=300) | st.complex_numbers() | numpy_scalars()
    | st.builds(range, st.integers(-9, 9), st.integers(-9, 9), st.integers(1, 5))
)  # fmt: skip
HASHABLE = st.deferred(
    lambda: st.recursive(
        HASHABLE_SCALARS,
        lambda inner: st.tuples(inner) | st.tuples(inner, inner, inner, inner) | st.frozensets(inner, max_size=3),
        max_leaves=6,
    )
)
VALUES = st.recursive(
    HASHABLE
    | st.builds(slice, LITTLE, LITTLE, LITTLE)
    | st.binary(max_size=300).map(bytearray)
    | arrays()
    | st.sets(HASHABLE, max_size=4),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.lists(inner, max_size=5).map(tuple)
        | st.dictionaries(HASHABLE, inner, max_size=4)
        | st.lists(inner, min_size=1, max_size=3).map(lambda items: [*items, items[0], items])  # shared
    ),
    max_leaves=20,
)
MANY = settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@MANY
@given(VALUES)
def test_python_and_our_reader_find_what_was_written(value: Any) -> None:
    data = dumps(value)
    assert_same(loads(data), pickle.loads(pickle.dumps(value, 4)))  # which gives numbers the processor's byte order
    node = read_pickle(data)
    assert_same(value, node)
    assert dumps(node) == data


@MANY
@given(VALUES)
def test_what_python_wrote_is_written_again_as_it_was(value: Any) -> None:
    expected = loads(pickle.dumps(value, 4))
    for protocol in (3, 4, 5):
        assert_same(loads(rewritten(pickle.dumps(value, protocol))), expected)


@MANY
@given(VALUES)
def test_only_protocol_4_and_the_names_of_numpy_1_are_written(value: Any) -> None:
    data = dumps(value)
    assert data[:2] == b"\x80\x04"
    assert {opcode.name for opcode, _, _ in pickletools.genops(data)} <= OPCODES_OF_PROTOCOL_4
    asked: set[tuple[str, str]] = set()

    class Noting(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            asked.add((module, name))
            return super().find_class(
                module.replace("numpy.core", "numpy._core") if np.__version__ >= "2" else module, name
            )

    Noting(io.BytesIO(data)).load()
    assert asked <= NAMES


@pytest.mark.parametrize("text", ALL_DTYPES)
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_of_each_dtype_keeps_its_bits(text: str, order: str) -> None:
    dtype = np.dtype(text)
    raw = np.random.default_rng(1).integers(0, 2 if dtype.kind == "b" else 90, 24 * dtype.itemsize, np.uint8)
    if dtype.kind == "U":
        raw = np.full((24 * dtype.itemsize // 4,), 65, f"{dtype.byteorder}u4").view(np.uint8)
    for shape in ((24,), (4, 6), (2, 3, 4), (2, 3, 2, 2), (1, 24), (24, 1)):
        array = raw.view(dtype).reshape(shape, order=order)
        assert_same(loads(dumps(array)), pickle.loads(pickle.dumps(array, 4)))
        assert_same(read_pickle(dumps(array)), array)
    for shape in ((0,), (0, 3), (3, 0, 2)):
        assert_same(read_pickle(dumps(np.empty(shape, dtype))), np.empty(shape, dtype))
    single = raw.view(dtype).reshape(-1)[5]
    assert_same(loads(dumps(single)), pickle.loads(pickle.dumps(single, 4)))


def test_an_array_without_order_is_written_in_c_order() -> None:
    array = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    for strange in (array.transpose(1, 0, 2), array[:, ::2], array[::-1], array.reshape(6, 4)[:, 1]):
        assert_same(loads(dumps(strange)), np.ascontiguousarray(strange))


# --- at the edges, and beyond ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", range(505, 512))
def test_integers_to_64_bytes(bits: int) -> None:
    for value in (2**bits - 1, -(2**bits), -(2**bits) + 1):
        assert loads(dumps(value)) == read_pickle(dumps(value)) == value


@pytest.mark.parametrize(
    "value",
    [
        2**511,
        -(2**511) - 1,
        object(),
        pytest,
        int,
        np.array([object()]),
        np.zeros(3, "i4,f8"),
        np.zeros(2, "M8[s]"),
        [object()],
    ],
    ids=["large", "small", "object", "module", "class", "objects", "records", "dates", "inner"],
)
def test_what_no_session_holds_is_not_written(value: Any) -> None:
    with pytest.raises(TypeError, match="no session holds"):
        dumps(value)


# --- arrays that Blender holds ---------------------------------------------------------------------------------------


def test_a_stored_array_is_asked_for_when_it_is_written_and_shared() -> None:
    array = np.arange(12, dtype=np.float32).reshape(4, 3)
    asked = []

    def fetch(stored: Stored, _: Any) -> Any:
        asked.append(stored.name)
        return array.copy()

    points, normals = Stored("points", "<f4"), Stored("normals", "<f4")
    found = loads(dumps([points, normals, points], fetch=fetch))
    assert asked == ["points", "normals"]
    assert found[0] is found[2]
    assert found[0] is not found[1]
    assert_same(found[1], array)


def test_a_stored_array_comes_back_with_its_owner_and_is_refused_in_a_session() -> None:
    array = np.arange(3)
    data = dumps([array, 7], keep_out={})
    node = read_pickle(data)
    held = {id(node[0]): Stored("columns/a b", "<i8", "F")}
    kept = dumps([node[0], node[0], 7], keep_out=held)
    owner = object()
    found = read_pickle(kept, owner=owner)
    assert_same(found, [held[id(node[0])]] * 2 + [7])
    assert found[0] is found[1]
    assert found[0].owner is owner
    with pytest.raises(MosaicError, match="mosaic_addon"):
        read_pickle(kept)
    assert dumps(found) == kept


# --- session files ---------------------------------------------------------------------------------------------------


def pickle_of(path: Path) -> bytes:
    data = path.read_bytes()
    state = cut(FileBytes(io.BytesIO(data), len(data))).state
    return bytes(state.read(0, len(state)) if isinstance(state, FileBytes) else state)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_session_files_are_written_as_they_were(path: Path, tmp_path: Path) -> None:
    data = pickle_of(path)
    node = read_pickle(data)
    again = dumps(node)
    assert again[:2] == b"\x80\x04"
    assert b"numpy._core" not in again
    assert len(again) < 1.02 * len(data)
    assert_same(read_pickle(again), node)
    assert dumps(read_pickle(again)) == again
    before, after = tmp_path / "before.pickle", tmp_path / "after.pickle"
    before.write_bytes(data)
    after.write_bytes(again)
    assert_same(load_editable(after), load_editable(before))


def readable(data: bytes) -> Any:
    """The root node of a file's state, None for a file that is refused."""
    try:
        file = cut(FileBytes(io.BytesIO(data), len(data)))
        return read_pickle(file.state)
    except MosaicError:
        return None


def assert_written_again(data: bytes) -> bool:
    """Whether a file is read; what is then written is read as the same."""
    node = readable(data)
    if node is None:
        return False
    again = dumps_unless_too_deep(node)
    if again is None:
        return True
    second = read_pickle(again)
    assert_same(second, node)
    assert dumps(second) == again
    return True


@pytest.mark.parametrize("path", FILES[:-1], ids=lambda path: path.name)
def test_whatever_is_read_of_damaged_files_is_written_so_that_it_is_read_again(path: Path) -> None:
    read = sum(assert_written_again(damage.mutation(path.name, seed)) for seed in range(MUTATIONS))
    assert read > 2


def test_whatever_is_read_of_strangers_files_is_written_so_that_it_is_read_again() -> None:
    for title, maker in (INERT | REFUSED).items():
        try:
            assert_written_again(maker(""))
        except (AssertionError, TypeError, ValueError) as error:
            raise AssertionError(title) from error
