"""What is only kept, as it is a stranger's: objects with slots or arguments, odd arrays, unfinished ones."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from mosaic_addon.session.pickle_reader import read_pickle
from tests.support import make_sessions as make
from tests.support import opcodes
from tests.support.opcodes import text
from tests.support.written import dumps, loads, rewritten

FOREIGN = opcodes.name("elsewhere", "Thing")


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
