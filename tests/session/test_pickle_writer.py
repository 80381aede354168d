"""What is written as a pickle: Python's own unpickler and our reader find in it what was asked for, and nothing else is ever written."""

from __future__ import annotations

import io
import pickle
import pickletools
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from mosaic_addon.session import MosaicError
from mosaic_addon.session.file import FileBytes, cut
from mosaic_addon.session.nodes import (
    ArrayNode,
    ByteArray,
    CallNode,
    DtypeNode,
    FrozenSetNode,
    Global,
    ObjectNode,
    Pairs,
    SetNode,
    Stored,
)
from mosaic_addon.session.pickle_reader import DTYPES, MAX_MARKS, read_pickle
from mosaic_addon.session.pickle_writer import write_pickle
from tests.support import damage, opcodes
from tests.support import make_sessions as make
from tests.support.edited_sessions import BoundMethod, Kept, load_editable
from tests.support.hostile.inert import INERT
from tests.support.hostile.refused import REFUSED

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


def dumps(value: Any, **options: Any) -> bytes:
    parts: list[bytes] = []
    write_pickle(value, lambda data: parts.append(bytes(data)), **options)
    return b"".join(parts)


def dumps_unless_too_deep(value: Any) -> bytes | None:
    try:
        return dumps(value)
    except MosaicError as error:
        if "nested" not in str(error):
            raise
        return None


def loads(data: bytes) -> Any:
    """By Python itself, with stand-ins for Mosaic's classes."""
    with make.classes_importable():
        return pickle.loads(data)


def rewritten(data: bytes) -> bytes:
    return dumps(read_pickle(data))


# --- whether two structures are the same, sharing included, however deep and even if they contain themselves ---------


def opened(value: Any) -> tuple[Any, list[Any]]:
    """What a value is in itself, and its parts. A node and Python's own value of the same meaning open alike."""
    kind = type(value)
    if isinstance(value, np.generic):
        return ("scalar", value.dtype.str, value.tobytes()), []
    if kind is float:
        return ("float", struct.pack(">d", value)), []
    if kind is complex:
        return ("complex", struct.pack(">dd", value.real, value.imag)), []
    if value is None or kind in (bool, int, str):
        return (kind.__name__, value), []
    if kind in (bytes, memoryview):
        return ("bytes", bytes(value)), []
    if kind in (bytearray, ByteArray):
        return ("bytearray", bytes(value if kind is bytearray else value.data)), []
    if kind in (slice, range):
        return (kind.__name__, value.start, value.stop, value.step), []
    if kind is ArrayNode and value.values is not None:
        value = value.values
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            return ("array", value.dtype.str, value.shape), [value.dtype.descr, *value.reshape(-1).tolist()]
        order = "F" if value.flags.f_contiguous and not value.flags.c_contiguous else "C"
        return ("array", value.dtype.str, str(value.dtype), value.shape, order, value.tobytes(order)), []
    if kind is ArrayNode:
        state = value.state
        if state == ():
            buffer, dtype, shape, fortran = value.args[:4]
            state = (1, shape, dtype, fortran == "F", buffer.data if type(buffer) is ByteArray else buffer)
        return ("kept array", state is None), [state]
    if kind in (dict, Pairs):
        parts = [part for item in value.items() for part in item] if kind is dict else list(value)
        return ("dict", len(parts)), parts
    if kind in (set, SetNode):
        return ("set", len(value)), sorted(value, key=order_of) if len(value) > 1 else list(value)
    if kind in (frozenset, FrozenSetNode):
        return ("frozenset", len(value)), sorted(value, key=order_of) if len(value) > 1 else list(value)
    if kind in (list, tuple):
        return (kind.__name__, len(value)), list(value)
    if kind is Global:
        return ("name", value.module, value.name, value.written, value.kind), []
    if kind is ObjectNode:
        return ("object", value.state is None), [value.cls, value.args, value.kwargs, value.state]
    if kind is CallNode:
        return ("call",), [value.function, value.args]
    if kind is DtypeNode:
        return ("dtype", value.dtype.str if value.dtype is not None else value.code), [] if value.dtype else [
            value.state
        ]
    if kind is Stored:
        return ("stored", value.name, value.dtype, value.order), []
    if isinstance(value, np.dtype):
        return ("numpy's dtype", str(value.descr)), []
    if isinstance(value, BoundMethod):
        return ("bound method",), [value.args]
    if isinstance(value, Kept):
        return ("kept", f"{kind.__module__}.{kind.__qualname__}"), [value.args, value.state]
    if isinstance(value, type):
        return ("class", f"{value.__module__}.{value.__qualname__}"), []
    return ("python's object", f"{kind.__module__}.{kind.__qualname__}"), [value.__dict__]


def order_of(value: Any) -> str:
    """By which the items of sets are sorted: they are hashable, so small and no circles."""
    what, parts = opened(value)
    return repr((what, [order_of(part) for part in parts]))


SHARED = (
    list, tuple, dict, set, frozenset, bytearray, np.ndarray, Kept, Pairs, SetNode, FrozenSetNode, ByteArray, ObjectNode,
    CallNode, ArrayNode,
)  # fmt: skip


def assert_same(left: Any, right: Any) -> None:
    todo: list[tuple[Any, Any, str]] = [(left, right, "")]
    twins: dict[int, int] = {}
    back: dict[int, int] = {}
    held: list[Any] = []
    while todo:
        one, other, path = todo.pop()
        if isinstance(one, SHARED) and not (isinstance(one, (tuple, frozenset, FrozenSetNode)) and not len(one)):
            known = twins.get(id(one)), back.get(id(other))
            if known != (None, None):
                assert known == (id(other), id(one)), f"{path}: shared otherwise"
                continue
            twins[id(one)], back[id(other)] = id(other), id(one)
        (what, parts), (other_what, others) = opened(one), opened(other)
        held += (parts, others)  # so that no id is used twice
        assert what == other_what, path
        todo += [(a, b, f"{path}[{i}]"[-200:]) for i, (a, b) in enumerate(zip(parts, others, strict=True))]


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


# --- what is shared, nested, or contains itself ----------------------------------------------------------------------


def loops() -> Iterator[tuple[str, Any]]:
    a_list: list[Any] = []
    a_list.append(a_list)
    yield "list", a_list
    a_dict: dict[str, Any] = {}
    a_dict["self"] = a_dict
    yield "dict", a_dict
    for size in (1, 2, 3, 4, 7):
        inner: list[Any] = []
        a_tuple = (*range(size - 1), inner)
        inner.append(a_tuple)
        yield f"tuple of {size}", a_tuple
    an_object = make.an_object("mosaic.geometry.Geometry")
    an_object.__dict__["parent"] = [an_object, (an_object,)]
    yield "object", an_object
    two: list[Any] = [[], {}]
    two[0] += (two, two[1])
    two[1]["back"] = two[0]
    yield "each other", two


@pytest.mark.parametrize(("title", "value"), list(loops()))
def test_what_contains_itself_does_so_again(title: str, value: Any) -> None:
    data = rewritten(make.dumps(value))
    assert_same(loads(data), value)
    assert dumps(read_pickle(data)) == data


def text(value: str) -> bytes:
    return opcodes.text(value)


def looped(made: bytes, arguments: bytes = b"") -> bytes:
    """A stream in which the arguments of what is made hold a list that, later, holds what was made."""
    return b"\x80\x04]\x94" + made + b"\x94h\x00h\x01a000h\x01."


FOREIGN = opcodes.name("elsewhere", "Thing")
LOOPS = {
    "arguments of an object": looped(FOREIGN + b"h\x00\x85\x81"),
    "arguments of an object that has a state": looped(FOREIGN + b"h\x00\x85\x81}b"),
    "arguments by name": looped(FOREIGN + b")}" + text("key") + b"h\x00s\x92"),
    "a frozenset": looped(b"(h\x00\x91"),
    "a call": looped(
        opcodes.name(*opcodes.SCALAR) + opcodes.call(("numpy", "dtype"), text("O8"), b"\x89", b"\x88") + b"h\x00\x86R"
    ),
    "an array of objects": looped(
        opcodes.call(opcodes.RECONSTRUCT, opcodes.name("numpy", "ndarray"), b"K\x00\x85", opcodes.blob(b"b"))
        + opcodes.tup(
            b"K\x01",
            b"K\x01\x85",
            opcodes.dtype("O8", "|", opcodes.tup(b"K\x03", text("|"), b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?")),
            b"\x89",
            b"h\x00",
        )
        + b"b"
    ),
}


@pytest.mark.parametrize("title", LOOPS)
def test_a_circle_that_python_would_not_write_ends(title: str) -> None:
    node = read_pickle(LOOPS[title])
    data = dumps(node)
    assert_same(read_pickle(data), node)


def nested(depth: int, wrap: Callable[[Any], Any], core: Any = None) -> Any:
    for _ in range(depth):
        core = wrap(core)
    return core


WRAPS: dict[str, Callable[[Any], Any]] = {
    "list of one": lambda inner: [inner],
    "list of two": lambda inner: [inner, 1],
    "tuple of one": lambda inner: (inner,),
    "tuple of two": lambda inner: (1, inner),
    "tuple of three": lambda inner: (inner, 1, 2),
    "tuple of five": lambda inner: (1, inner, 2, 3, 4),
    "dict of one": lambda inner: Pairs(["key", inner]),
    "dict of two": lambda inner: Pairs(["key", inner, "other", 1]),
    "frozenset": lambda inner: FrozenSetNode([inner]),
    "set": lambda inner: SetNode([inner]),
}


@pytest.mark.parametrize("title", WRAPS)
def test_ten_thousand_levels_need_no_stack(title: str) -> None:
    node = nested(MAX_MARKS - 1, WRAPS[title], np.zeros((1, 1, 1, 1)))
    assert_same(read_pickle(dumps(node)), node)


@pytest.mark.parametrize("title", WRAPS)
def test_deeper_than_the_reader_goes_is_not_written(title: str) -> None:
    data = dumps_unless_too_deep(nested(20 * MAX_MARKS, WRAPS[title]))
    if data is not None:
        read_pickle(data)


def test_what_is_shared_is_shared_again() -> None:
    array, values, blob, more = np.arange(5000.0), [1, 2], bytes(5000), bytearray(5000)
    shared = [array, values, blob, more, "text", ("a", 1)]
    value = [shared, shared, *shared, *shared, {"again": shared[-1]}]
    assert_same(loads(dumps(value)), value)
    assert_same(loads(rewritten(pickle.dumps(value, 4))), value)
    for repeated in (array, blob, more, np.array(["x" * 5000])[0], "y" * 5000, memoryview(bytes(5000))):
        assert len(dumps([repeated] * 100)) < 50_000, type(repeated)


def test_more_than_255_things_are_remembered() -> None:
    shared = [[number] for number in range(400)]
    value = [shared, shared[::-1], [str(number) for number in range(70_000)], [str(number) for number in range(70_000)]]
    assert_same(loads(dumps(value)), value)
    assert_same(read_pickle(dumps(value)), value)


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


# --- what is only kept -----------------------------------------------------------------------------------------------


class Slotted:
    """A class with slots, which pickles with a pair of states."""

    __slots__ = ("left", "right")


class WithKeywords:
    """A class that is made with arguments by name."""

    def __new__(cls, *args: Any, **kwargs: Any) -> WithKeywords:
        made = super().__new__(cls)
        made.__dict__.update(given=(args, kwargs))
        return made

    def __getnewargs_ex__(self) -> Any:
        return self.__dict__["given"]


def test_foreign_objects_keep_their_slots_and_arguments() -> None:
    slotted = Slotted()
    slotted.left, slotted.right = [1, slotted], np.arange(3)
    Slotted.__module__ = WithKeywords.__module__ = "elsewhere.things"
    make._classes.update({"elsewhere.things.Slotted": Slotted, "elsewhere.things.WithKeywords": WithKeywords})
    try:
        value = [slotted, WithKeywords(1, key=[slotted])]
        for protocol in (2, 4, 5):
            if protocol == 2:
                value = value[:1]  # which keyword arguments come with a call of functools.partial to
            found = loads(rewritten(make.dumps(value, protocol)))
            assert found[0].left[1] is found[0]
            assert found[0].right.tolist() == [0, 1, 2]
            value = [slotted, WithKeywords(1, key=[slotted])]
        assert found[1].__dict__["given"][0] == (1,)
        assert found[1].__dict__["given"][1]["key"] == [found[0]]
    finally:
        del make._classes["elsewhere.things.Slotted"], make._classes["elsewhere.things.WithKeywords"]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize(
    "array",
    [
        np.array([1, "two", None, [3]], object),
        np.array([(1, 2.5, "a"), (2, np.nan, "b")], [("count", "<i4"), ("value", ">f8"), ("name", "<U3")]),
        np.asfortranarray(np.array([[(1, 2), (3, 4)], [(5, 6), (7, 8)], [(9, 0), (1, 2)]], "i4,f4")),
        np.array([(1, 2), (3, 4)], np.dtype([("a", "u1"), ("b", "f8")], align=True)),
        np.array(["2020-01-01", "NaT"], "M8[D]"),
        np.zeros((2, 2), [("nested", [("deep", "f4", (2, 3))])]),
        np.zeros(3, "V5"),
        np.zeros(2, np.longdouble),
    ],
    ids=lambda array: str(array.dtype)[:12],
)
def test_arrays_that_are_not_understood_are_written_as_they_were(array: Any, protocol: int) -> None:
    data = rewritten(pickle.dumps([array, array, array.dtype, array[0]], protocol))
    found = loads(data)
    assert found[0] is found[1]
    assert (found[0].dtype, found[0].shape, found[2]) == (array.dtype, array.shape, array.dtype)
    assert str(found[0].tolist()) == str(array.tolist())
    assert str(found[3]) == str(array[0])
    assert dumps(read_pickle(data)) == data


VOID = opcodes.dtype(
    "V4", "|", opcodes.tup(b"K\x03", text("|"), b"NNN", opcodes.number(4), opcodes.number(1), b"K\x00")
)


@pytest.mark.parametrize(("code", "dtype"), [("<f4", opcodes.dtype("f4")), ("V4", VOID)])
def test_an_array_in_another_order_of_axes_is_written_whole(code: str, dtype: bytes) -> None:
    """As numpy 2.3 and later write it: in the order of the memory, and which axis is which."""
    memory = np.arange(24, dtype="<f4").reshape(2, 3, 4)
    axes = opcodes.tup(b"K\x01", b"K\x00", b"K\x02")
    shape = opcodes.tup(b"K\x02", b"K\x03", b"K\x04")
    stream = opcodes.call(opcodes.FROMBUFFER, opcodes.blob(memory.tobytes()), dtype, shape, text("K"), axes)
    found = loads(rewritten(b"\x80\x05" + stream + b"."))
    assert found.dtype == np.dtype(code)
    assert found.view("<f4").tolist() == memory.transpose(1, 0, 2).tolist()


@pytest.mark.parametrize(
    "stream",
    [
        opcodes.call(opcodes.RECONSTRUCT, opcodes.name("numpy", "ndarray"), b"K\x00\x85", opcodes.blob(b"b")),
        opcodes.call(("numpy", "dtype"), text("f8"), b"\x89", b"\x88"),
        opcodes.call(opcodes.FROMBUFFER, b"N", opcodes.dtype(), b"K\x03\x85", text("C")),
        opcodes.call(opcodes.FROMBUFFER, opcodes.blob(bytes(24)), opcodes.dtype(), b"N", text("F")),
        opcodes.call(opcodes.FROMBUFFER, opcodes.blob(bytes(24)), opcodes.dtype(), b"K\x07\x85", text("C")),
        FOREIGN + b")\x81)b",
        FOREIGN + b")\x81Nb",
        FOREIGN + b")\x81K\x01b",
        FOREIGN + b")\x81" + opcodes.call(opcodes.SCALAR, opcodes.dtype(), opcodes.blob(bytes(8))) + b"b",
        FOREIGN,
        opcodes.name(*opcodes.RECONSTRUCT),
    ],
)
def test_what_is_odd_or_unfinished_is_written_so_that_it_can_be_read(stream: bytes) -> None:
    node = read_pickle(b"\x80\x04" + stream + b".")
    data = dumps(node)
    assert dumps(read_pickle(data)) == data
    assert type(read_pickle(data)) is type(node)
    assert b"numpy._core" not in data


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
