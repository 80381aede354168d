"""Forged dtypes: what numpy would not pickle like this is refused, since numpy crashes on it, and nobody writes it on."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mosaic_addon.session import MosaicError, Session, open_session
from mosaic_addon.session.pickle_reader import read_pickle
from mosaic_addon.session.pickle_writer import write_pickle
from tests.support import make_sessions as make
from tests.support import opcodes
from tests.support.hostile.inert import Forged, ForgedDtype
from tests.support.opcodes import blob, call, dtype, name, number, text, tup
from tests.support.written import dumps

F8, I4 = np.dtype("f8"), np.dtype("i4")
FIELDS = {"a": (I4, 0), "b": (F8, 4)}
STATE = (3, "|", None, ("a", "b"), FIELDS, 12, 1, 16)


def changed(state: tuple[Any, ...], **parts: Any) -> tuple[Any, ...]:
    """A state with other parts: version, order, sub, names, fields, size, alignment, flags, metadata."""
    keys = ("version", "order", "sub", "names", "fields", "size", "alignment", "flags", "metadata")
    entries = dict(zip(keys, state)) | parts
    return tuple(entries.values())


PLAIN = (3, "<", None, None, None, -1, -1, 0)
DATE: tuple[Any, ...] = (4, "<", None, None, None, -1, -1, 0, ({}, (b"D", 1, 1, 1)))
SUB = (3, "|", (F8, (2,)), None, None, 16, 8, 0)
OBJECT = (3, "|", None, None, None, -1, -1, 63)
VOID = (3, "|", None, None, None, 12, 1, 0)
FORGED: dict[str, tuple[str, tuple[Any, ...]]] = {
    "objects that are said to be numbers": ("O8", changed(OBJECT, flags=0)),
    "numbers that are said to be objects": ("f8", changed(PLAIN, flags=63)),
    "bytes that are said to be objects": ("V12", changed(VOID, flags=63)),
    "long numbers that are said to be objects": ("f16", changed(PLAIN, flags=1)),
    "dates that are said to be objects": ("M8", changed(DATE, flags=63)),
    "texts that are said to be objects": ("U3", (3, "<", None, None, None, 12, 4, 63)),
    "records that are said to be objects": ("V12", changed(STATE, flags=63)),
    "records that are said to be aligned": ("V12", changed(STATE, flags=144)),
    "records of negative flags": ("V12", changed(STATE, flags=-300)),
    "records of many flags": ("V12", changed(STATE, flags=16 + 2**40)),
    "records of objects that are said to be none": (
        "V12", changed(STATE, fields={"a": (I4, 0), "b": (np.dtype("O"), 4)}),
    ),
    "an item too small": ("V11", changed(STATE, size=11)),
    "an item too large for its code": ("V12", changed(STATE, size=16)),
    "another code": ("V16", STATE),
    "a code of numbers": ("f8", STATE),
    "a code of objects": ("O8", STATE),
    "a negative item": ("V12", changed(STATE, size=-12)),
    "a huge item": ("V2147483647", changed(STATE, size=2**31 - 1)),
    "an item beyond all": ("V12", changed(STATE, size=2**70)),
    "another alignment": ("V12", changed(STATE, alignment=8)),
    "a field outside": ("V12", changed(STATE, fields={"a": (I4, 0), "b": (F8, 5)})),
    "a field far outside": ("V12", changed(STATE, fields={"a": (I4, 2**40), "b": (F8, 4)})),
    "a field before": ("V12", changed(STATE, fields={"a": (I4, -4), "b": (F8, 4)})),
    "fields over each other": ("V12", changed(STATE, fields={"a": (I4, 1), "b": (F8, 4)})),
    "one field twice": ("V12", changed(STATE, names=("a", "a"))),
    "a name without a field": ("V12", changed(STATE, names=("a", "c"))),
    "a field without a name": ("V12", changed(STATE, names=("a",))),
    "names in a list": ("V12", changed(STATE, names=["a", "b"])),
    "a name that is none": ("V12", changed(STATE, names=("a", None))),
    "fields in a list": ("V12", changed(STATE, fields=[("a", I4, 0), ("b", F8, 4)])),
    "no fields": ("V12", changed(STATE, fields=None)),
    "no names": ("V12", changed(STATE, names=None)),
    "a field of text": ("V12", changed(STATE, fields={"a": ("i4", 0), "b": (F8, 4)})),
    "a field in a list": ("V12", changed(STATE, fields={"a": [I4, 0], "b": (F8, 4)})),
    "a field of four parts": ("V12", changed(STATE, fields={"a": (I4, 0, "t", 1), "b": (F8, 4)})),
    "a title that leads nowhere": ("V12", changed(STATE, fields={"a": (I4, 0, "t"), "b": (F8, 4)})),
    "a title that is a number": ("V12", changed(STATE, fields={"a": (I4, 0, 5), "b": (F8, 4)})),
    "a title that leads elsewhere": (
        "V12", changed(STATE, fields={"a": (I4, 0, "t"), "b": (F8, 4), "t": (F8, 4, "t")}),
    ),
    "an offset that is a truth value": ("V12", changed(STATE, fields={"a": (I4, False), "b": (F8, 4)})),
    "a byte order of records": ("V12", changed(STATE, order="<")),
    "a byte order that is none": ("M8", changed(DATE, order="?")),
    "a later version": ("V12", changed(STATE, version=4)),
    "an earlier version": ("V12", changed(STATE, version=1)),
    "a version with what it has not": ("V12", changed(STATE, metadata={})),
    "an array of forged ones": ("V24", changed(SUB, sub=(ForgedDtype("V12", *changed(STATE, flags=63)), (2,)), size=24)),
    "an array that is too short": ("V8", changed(SUB, size=8)),
    "an array of a negative shape": ("V16", changed(SUB, sub=(F8, (-2,)))),
    "an array of two negative lengths": ("V16", changed(SUB, sub=(F8, (-1, -2)))),
    "an array of a shape beyond all": ("V16", changed(SUB, sub=(F8, (2**62, 4)))),
    "an array of a shape that wraps round": ("V16", changed(SUB, sub=(F8, (2**63 + 2,)))),
    "an array of a number for a shape": ("V16", changed(SUB, sub=(F8, 2))),
    "an array of no shape": ("V8", changed(SUB, sub=(F8, ()), size=8)),
    "an array within an array": ("V32", changed(SUB, sub=(np.dtype(("f8", (2,))), (2,)), size=32)),
    "an array of too many axes": ("V16", changed(SUB, sub=(F8, (1,) * 70 + (2,)))),
    "an array with fields": ("V16", changed(SUB, names=("a", "b"), fields=FIELDS)),
    "an array of another alignment": ("V16", changed(SUB, alignment=1)),
    "records within of forged ones": (
        "V12", changed(STATE, fields={"a": (I4, 0), "b": (ForgedDtype("f8", *changed(PLAIN, flags=63)), 4)}),
    ),
    "dates without a unit": ("M8", PLAIN),
    "dates of a unit that is none": ("M8", changed(DATE, metadata=({}, (b"x", 1, 1, 1)))),
    "dates of no units": ("M8", changed(DATE, metadata=({}, (b"D", 0, 1, 1)))),
    "dates of negative units": ("M8", changed(DATE, metadata=({}, (b"D", -1, 1, 1)))),
    "dates of half units": ("M8", changed(DATE, metadata=({}, (b"D", 1, 2, 1)))),
    "dates with a list": ("M8", changed(DATE, metadata=[{}, (b"D", 1, 1, 1)])),
    "dates with notes": ("M8", changed(DATE, metadata=({"a": 1}, (b"D", 1, 1, 1)))),
    "notes of text": ("f8", changed(PLAIN, version=4, metadata="x")),
    "notes of numbers": ("f8", changed(PLAIN, version=4, metadata={1: 2})),
    "notes of objects": ("f8", changed(PLAIN, version=4, metadata={"a": make.an_object("x.Y")})),
    "sizes that are truth values": ("V1", (3, "|", None, None, None, True, True, False)),
    "sizes of text": ("V12", changed(VOID, size="12")),
    "nothing": ("V12", ()),
    "too little": ("V12", (3, "|")),
    "half of text": ("U3", (3, "<", None, None, None, 6, 4, 8)),
    "bytes beyond their code": ("V12", changed(VOID, size=2**20)),
    "a pointer": ("p", PLAIN),
    "two codes": ("i4,f8", STATE),
    "a code of a shape": ("(2,)f8", SUB),
}  # fmt: skip


def answer(tmp_path: Any, data: bytes) -> Session | str:
    path = tmp_path / "forged.pickle"
    path.write_bytes(data)
    try:
        return open_session(path)
    except MosaicError as error:
        return str(error)


PLACES: dict[str, Callable[[Any], Any]] = {
    "an array": lambda kind: Forged((2,), kind, bytes(24)),
    "an array without items": lambda kind: Forged((0,), kind, b""),
    "an array of objects": lambda kind: Forged((2,), kind, [1, 2]),
    "a dtype": lambda kind: kind,
    "a scalar": lambda kind: ForgedScalar(kind, bytes(12)),
}


class ForgedScalar:
    """Pickles as a scalar of what it is told."""

    def __init__(self, *args: Any) -> None:
        self.args = args

    def __reduce__(self) -> tuple[Any, ...]:
        return np.float64(0).__reduce__()[0], self.args


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("title", FORGED)
def test_a_forged_dtype_refuses_the_file(title: str, place: str, tmp_path: Any) -> None:
    code, state = FORGED[title]
    value = PLACES[place](ForgedDtype(code, *state))
    for where in ({"meta": {"x": value}}, {"points": value}):
        said = answer(tmp_path, make.session_bytes([make.cloud("odd", **where)], protocol=4))
        assert isinstance(said, str), "it opened"
        assert "harmful" in said or "damaged" in said
        assert "(in clusters 'odd', meta x" in said or "(in clusters number 0, points" in said


def test_what_would_be_forged_is_sound_where_nothing_is_changed(tmp_path: Any) -> None:
    """Otherwise the tests above would prove nothing."""
    states = {"V12": (STATE, VOID), "f8": (PLAIN,), "M8": (DATE,), "V16": (SUB,), "O8": (OBJECT,)}
    for code, several in states.items():
        for state in several:
            kind = ForgedDtype(code, *state)
            session = answer(tmp_path, make.session_bytes([make.cloud("odd", meta={"x": kind})], protocol=4))
            assert isinstance(session, Session), session


def test_a_dtype_cannot_be_changed_after_it_was_checked() -> None:
    """The dict of the fields is remembered, and gets another field behind the check."""
    fields = b"}\x94" + text("a") + tup(dtype("i4"), b"K\x00") + b"s"
    state = tup(b"K\x03", text("|"), b"N", tup(text("a")), fields, number(4), number(1), b"K\x10")
    stream = call(("numpy", "dtype"), text("V4"), b"\x89", b"\x88") + state + b"b"
    forged = b"\x80\x04](" + stream + b"h\x00" + text("a") + tup(dtype("i4"), number(2**20)) + b"se."
    data = dumps(read_pickle(forged))
    assert pickle.loads(data)[0] == np.dtype([("a", "i4")])
    nested = b"\x80\x04](" + stream + b"h\x00" + text("a") + tup(text("x"), b"N") + b"se."
    assert pickle.loads(dumps(read_pickle(nested)))[0].fields["a"][1] == 0


def test_a_dtype_that_holds_itself_is_refused() -> None:
    start = call(("numpy", "dtype"), text("V4"), b"\x89", b"\x88") + b"\x94"
    fields = b"}" + text("a") + tup(b"h\x00", b"K\x00") + b"s"
    state = tup(b"K\x03", text("|"), b"N", tup(text("a")), fields, number(4), number(1), b"K\x10")
    with pytest.raises(MosaicError, match="no form that numpy writes"):
        read_pickle(b"\x80\x04" + start + state + b"b.")


def test_dtypes_within_each_other_have_an_end() -> None:
    """numpy takes them apart one within the other, which overflows the stack of whoever has a hundred thousand."""
    kind = np.dtype([("a", "i4")])
    for _ in range(100):
        kind = np.dtype([("a", kind)])
    with pytest.raises(MosaicError, match="no form that numpy writes"):
        read_pickle(pickle.dumps(kind, 4))


@pytest.mark.parametrize(
    "stream",
    [
        call(("numpy", "dtype"), text("V4"), b"\x89", b"\x88"),
        call(opcodes.SCALAR, call(("numpy", "dtype"), text("f8"), b"\x89", b"\x88"), blob(bytes(8))),
        call(opcodes.SCALAR, dtype("V4", "|", tup(b"K\x03", text("|"), b"NNNK\x04K\x01K\x00")), blob(bytes(3))),
        call(opcodes.SCALAR, dtype("V4", "|", tup(b"K\x03", text("|"), b"NNNK\x04K\x01K\x00")), b"N"),
        call(opcodes.SCALAR, dtype("O8", "|", tup(b"K\x03", text("|"), b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?")), b"N"),
        call(opcodes.FROMBUFFER, blob(bytes(8)), call(("numpy", "dtype"), text("V4"), b"\x89", b"\x88"), tup(b"K\x02"), text("C")),
        call(opcodes.RECONSTRUCT, name("numpy", "record"), tup(b"K\x00"), blob(b"b")),
    ],
)  # fmt: skip
def test_scalars_and_arrays_of_what_is_no_dtype_are_refused_or_inert(stream: bytes) -> None:
    try:
        node = read_pickle(b"\x80\x04](" + stream + b"e.")
    except MosaicError:
        return
    assert pickle.loads(dumps(node))  # numpy makes it, and lives


def test_a_damaged_array_is_written_as_its_bytes() -> None:
    """numpy may crash on one, and in a file it would meet it."""
    streams = [Forged((-1, -3), F8, bytes(24)), Forged((5,), F8, bytes(24)), Forged((1, 3), F8, [0.0] * 3)]
    node = read_pickle(make.dumps({"arrays": streams}, 4))
    parts: list[bytes] = []
    write_pickle(node, lambda data: parts.append(bytes(data)), fetch=lambda stored, owner: np.zeros(0))
    found = pickle.loads(b"".join(parts))["arrays"]
    assert [(array.dtype, len(array)) for array in found] == [(np.uint8, 24), (np.uint8, 24), (np.uint8, 0)]


def test_numpy_dies_of_such_a_dtype() -> None:
    """Why all this is here: it makes an object of the file's bytes."""
    value = Forged((1,), ForgedDtype("V8", 3, "|", None, None, None, 8, 1, 63), b"\x01" * 8)
    script = "import pickle, sys\nprint(pickle.load(sys.stdin.buffer)[0].tolist())"
    done = subprocess.run(
        [sys.executable, "-c", script], input=pickle.dumps([value]), capture_output=True, timeout=60, check=False
    )
    assert done.returncode != 0
