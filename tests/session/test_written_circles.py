"""What is shared, nested deeply, or contains itself is written so that it is read as that."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from mosaic_addon.session.nodes import CallNode, FrozenSetNode, Global, Pairs, SetNode
from mosaic_addon.session.pickle_reader import MAX_MARKS, read_pickle
from tests.support import make_sessions as make
from tests.support import opcodes
from tests.support.opcodes import text
from tests.support.written import assert_same, dumps, dumps_unless_too_deep, loads, rewritten


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


def looped(made: bytes, arguments: bytes = b"") -> bytes:
    """A stream in which the arguments of what is made hold a list that, later, holds what was made."""
    return b"\x80\x04]\x94" + made + b"\x94h\x00h\x01a000h\x01."


FOREIGN = opcodes.name("elsewhere", "Thing")


LOOPS = {
    "arguments of an object": looped(FOREIGN + b"h\x00\x85\x81"),
    "arguments of an object that has a state": looped(FOREIGN + b"h\x00\x85\x81}b"),
    "arguments by name": looped(FOREIGN + b")}" + text("key") + b"h\x00s\x92"),
    "a frozenset": looped(b"(h\x00\x91"),
    "a call": looped(opcodes.call(("collections", "Counter"), b"}" + text("key") + b"h\x00s")),
    "a queue": looped(opcodes.call(("collections", "deque")) + b"h\x00a"),
    "an ordered dict": looped(
        opcodes.call(("collections", "OrderedDict")) + b"(" + text("a") + b"h\x00" + text("b") + b"Nu"
    ),
    "a namespace": looped(opcodes.call(("types", "SimpleNamespace")) + b"}" + text("key") + b"h\x00sb"),
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


def filled(name: str, items: list[Any]) -> CallNode:
    node = CallNode(Global("collections", name, "call"), ())
    node.items = items
    return node


WRAPS: dict[str, Callable[[Any], Any]] = {
    "list of one": lambda inner: [inner],
    "list of two": lambda inner: [inner, 1],
    "tuple of one": lambda inner: (inner,),
    "tuple of two": lambda inner: (1, inner),
    "tuple of three": lambda inner: (inner, 1, 2),
    "tuple of five": lambda inner: (1, inner, 2, 3, 4),
    "dict of one": lambda inner: Pairs(["key", inner]),
    "dict of two": lambda inner: Pairs(["key", inner, "other", 1]),
    "queue of one": lambda inner: filled("deque", [inner]),
    "ordered dict of one": lambda inner: filled("OrderedDict", Pairs(["key", inner])),
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
