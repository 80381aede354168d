"""Harmless values of Python's library and numpy's array classes: they are read, shown as text, and written as they were."""

from __future__ import annotations

import array
import enum
import os
import pickle
import warnings
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid1

import numpy as np
import pytest

from mosaic_addon.session import MosaicError, open_session
from mosaic_addon.session.compare import compare
from mosaic_addon.session.node_diff import SideBySide
from mosaic_addon.session.pickle_reader import read_pickle
from tests.support import make_sessions as make
from tests.support import opcodes
from tests.support.opcodes import blob, call, in_session, name, new, number, state_of, text, tup
from tests.support.written import dumps, loads, rewritten

ZONE = timezone(timedelta(hours=5, minutes=30), "IST")
itself: deque[Any] = deque([1])
itself.append(itself)
VALUES: list[tuple[Any, str]] = [
    (datetime(2026, 3, 1, 12), "2026-03-01 12:00:00"),
    (datetime(1, 1, 1, 23, 59, 59, 999999, ZONE, fold=1), "0001-01-01 23:59:59.999999+05:30"),
    (date(9999, 12, 31), "9999-12-31"),
    (time(1, 2, 3, 4, UTC), "01:02:03.000004+00:00"),
    (timedelta(-1, 2, 3), "-1 day, 0:00:02.000003"),
    (ZONE, "IST"),
    (OrderedDict(b=1, a=[None]), "OrderedDict('b': 1, 'a': [None])"),
    (OrderedDict(), "OrderedDict()"),
    (defaultdict(list, k=[1]), "defaultdict('k': [1])"),
    (defaultdict(None, k=1, m=2), "defaultdict('k': 1, 'm': 2)"),
    (deque([1, 2], 5), "deque(1, 2)"),
    (deque("a"), "deque('a')"),
    (itself, "deque(1, deque(1, deque(1, "),
    (Counter("aab"), "Counter('a': 2, 'b': 1)"),
    (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
    (Decimal("-1.50E+3"), "-1.50E+3"),
    (Decimal("sNaN12"), "sNaN12"),
    (Fraction(-1, 3), "-1/3"),
    (PurePosixPath("/data/tomo.mrc"), "/data/tomo.mrc"),
    (PureWindowsPath("C:/a b"), "C:\\a b"),
    (Path("x") / "y", "x/y"),
    (SimpleNamespace(a=1, b=[2]), "SimpleNamespace('a': 1, 'b': [2])"),
    (array.array("d", [1, 2.5]), "array d of 2: 1.0, 2.5"),
    (array.array("b", range(-3, 120)), "array b of 123: -3, -2, "),
    (array.array("Q"), "array Q of 0"),
    (np.float32, "numpy.float32"),
    (np.bool_, "numpy.bool_"),
    (float, "builtins.float"),
    (str, "builtins.str"),
    (int, "builtins.int"),
    (range(3, 9, 2), ""),
    (np.dtype(">f4"), ">f4"),
    (np.datetime64("2026-03-01T12", "h"), "2026-03-01T12"),
    (np.timedelta64(5, "D"), "5 days"),
    (np.array(["2026-03-01", "NaT"], "M8[D]"), "array (2,) of datetime64[D]"),
    (np.ma.masked, "masked"),
    (np.rec.array([(1, 2.0)], [("nx", "i4"), ("x", "f8")]), "array (1,) of records of nx int32, x float64"),
    (np.zeros(2, [("a", "u1"), ("b", "f8", (2,))]), "array (2,) of records of a uint8, b float64 (2,)"),
]  # fmt: skip


def told(value: Any) -> str:
    """All of a value that must stay."""
    return f"{type(value).__name__} {value!r}"


def opened(tmp_path: Any, value: Any, protocol: int) -> Any:
    path = make.write_session(tmp_path / "odd.pickle", [make.cloud("odd", meta={"x": value})], protocol=protocol)
    return open_session(path)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize(("value", "shown"), VALUES, ids=lambda value: str(type(value).__name__))
def test_a_harmless_value_is_shown_and_written_as_it_was(value: Any, shown: str, protocol: int, tmp_path: Any) -> None:
    session = opened(tmp_path, value, protocol)
    assert session.warnings == []
    assert str(session.geometries[0].meta["x"]).startswith(shown)
    data = rewritten(pickle.dumps([value, value, {"again": value}], protocol))
    found = loads(data)
    assert type(found[0]) is type(value)
    assert found[0] is found[1]
    if value is not itself:
        assert told(found[0]) == told(pickle.loads(pickle.dumps(value, protocol)))  # which may lose a `fold`
    assert dumps(read_pickle(data)) == data


def test_every_kind_of_uuid_is_read(tmp_path: Any) -> None:
    made = uuid1()
    assert opened(tmp_path, made, 5).geometries[0].meta["x"] == str(made)
    assert loads(rewritten(pickle.dumps(made))) == made


class Method(enum.Enum):
    """A laboratory's own."""

    CRYO = 1
    STAIN = "negative stain"


@pytest.mark.parametrize("member", list(Method))
def test_members_of_enumerations_are_kept(member: Method, tmp_path: Any) -> None:
    Method.__module__ = "somelab.tools"
    make._classes["somelab.tools.Method"] = Method
    try:
        data = make.dumps({"x": member})
        assert loads(rewritten(data))["x"] is member
        session = opened(tmp_path, member, 5)
        assert session.warnings == []
        assert session.geometries[0].meta["x"] == f"somelab.tools.Method({member.value!r})"
    finally:
        del make._classes["somelab.tools.Method"]


# --- classes of arrays -----------------------------------------------------------------------------------------------


MIXED: Any = [("n", "i4"), ("o", "O")]


def masked(**options: Any) -> Any:
    return np.ma.array(np.arange(24.0).reshape(2, 3, 4), mask=np.arange(24).reshape(2, 3, 4) % 3 == 0, **options)


def arrays(tmp_path: Any) -> dict[str, Any]:
    mapped = np.memmap(tmp_path / "map", np.float32, "w+", shape=(2, 3, 4))
    mapped[:] = np.arange(24).reshape(2, 3, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        matrix = np.matrix([[1, 2], [3, 4]])
    found = {
        "memory map": mapped,
        "memory map in Fortran order": mapped.T,
        "matrix": matrix,
        "record array": np.rec.array([(1, 2.0), (3, 4.0)], [("x", "i4"), ("y", "f8")]),
        "record array without records": np.arange(5).view(np.recarray),
        "masked": masked(fill_value=-1),
        "masked in Fortran order": np.asfortranarray(masked()),
        "masked matrix": np.ma.array(matrix, mask=matrix > 2),
        "masked records": np.ma.array([(1, (2, 3))], [("a", "i4"), ("b", "f4", (2,))], mask=[(True, (False, True))]),
        "masked objects": np.ma.array(np.array([1, None], object), mask=[0, 1]),
        "objects within records": np.array([(1, "a"), (2, None)], MIXED),
        "one record with objects": np.array([(1, "a")], MIXED)[0],
        "a record": np.rec.array([(1, 2.0)], [("x", "i4"), ("y", "f8")])[0],
        "titles": np.zeros(2, [(("the title", "a"), "i4")]),
        "metadata": np.zeros(2, np.dtype("f8", metadata={"unit": "A", "kind": str})),
        "gaps": np.zeros(2, {"names": ["a"], "formats": ["f4"], "offsets": [4], "itemsize": 12}),
        "long": np.zeros(2, [("g", np.longdouble), ("t", "M8[3s]"), ("u", "U2"), ("s", "S3"), ("v", "V1")]),
        "nothing": np.zeros((0, 3), [("a", "i4")]),
    }
    if hasattr(np, "dtypes") and hasattr(np.dtypes, "StringDType"):
        found["texts"] = np.array(["a", "long " * 50], np.dtypes.StringDType())
        found["texts, some missing"] = np.array(["a", None], np.dtypes.StringDType(na_object=None))
    return found


TITLES = (
    """memory map|memory map in Fortran order|matrix|record array|record array without records|masked|masked in Fortran
order|masked matrix|masked records|masked objects|objects within records|one record with objects|a record|titles|metadata|gaps
|long|nothing|texts|texts, some missing""".replace("\n", " ")
    .replace(" |", "|")
    .split("|")
)


@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize("title", TITLES)
def test_arrays_of_every_class_are_written_as_they_were(title: str, protocol: int, tmp_path: Any) -> None:
    found = arrays(tmp_path)
    if title not in found:
        pytest.skip("numpy has none of it")
    value = found[title]
    data = rewritten(pickle.dumps([value, value], protocol))
    again = loads(data)
    assert again[0] is again[1]
    assert type(again[0]) is type(value)
    assert again[0].dtype == value.dtype
    assert again[0].dtype.isalignedstruct == value.dtype.isalignedstruct
    assert str(np.asarray(again[0]).tolist()) == str(np.asarray(value).tolist())
    if isinstance(value, np.ma.MaskedArray):
        assert str(np.ma.getmaskarray(again[0])) == str(np.ma.getmaskarray(value))
        assert str(again[0].fill_value) == str(value.fill_value)
    assert dumps(read_pickle(data)) == data


def test_the_values_of_an_array_of_another_class_are_shown(tmp_path: Any) -> None:
    grids = {title: grid for title, grid in arrays(tmp_path).items() if title in ("memory map", "masked")}
    for title, grid in grids.items():
        path = make.write_session(
            tmp_path / "v.pickle", [make.volume("v", volume=grid), make.cloud("c", points=grid[0][:, :3])]
        )
        session = open_session(path)
        assert session.warnings == [], title
        np.testing.assert_array_equal(session.geometries[0].volume.values, np.arange(24).reshape(2, 3, 4))
        np.testing.assert_array_equal(session.geometries[1].points, np.arange(24).reshape(2, 3, 4)[0][:, :3])


def test_a_structured_array_is_the_same_in_every_protocol(tmp_path: Any) -> None:
    for title, value in arrays(tmp_path).items():
        sides = []
        for protocol in (2, 4, 5):
            sides.append(opened(tmp_path, [value, {"v": value}], protocol))
        clouds = [side.geometries[0].node.fields()["meta"] for side in sides]
        for other in clouds[1:]:
            assert list(SideBySide().differences(clouds[0], other)) == [], title


def test_a_structured_array_that_differs_is_told(tmp_path: Any) -> None:
    kind = [("x", "i4"), ("y", "f8")]
    same = make.new_uuid()

    def session(values: Any, protocol: int = 4) -> Any:
        clusters = [make.cloud("c", uuid=same, points=np.zeros((1, 3)), meta={"x": values})]
        path = make.write_session(tmp_path / "s.pickle", clusters, protocol=protocol)
        return open_session(path)

    left = session(np.array([(1, 2.0), (3, 4.0)], kind))
    assert compare(left, session(np.array([(1, 2.0), (3, 4.0)], kind), 5)) == []
    assert compare(left, session(np.asfortranarray(np.array([(1, 2.0), (3, 4.0)], kind)), 5)) == []
    changed = compare(left, session(np.array([(1, 2.0), (3, 5.0)], kind), 5))
    assert [str(difference) for difference in changed] == ["clusters 'c': meta x: void96 (2,) -> 1 of 2 values differ"]
    assert compare(left, session(np.array([(1, 2.0), (3, 4.0)], [("x", "i4"), ("z", "f8")])))
    assert compare(left, session(np.array([[(1, 2.0), (3, 4.0)]], kind)))
    assert compare(left, session(np.array([(1, 2.0), (3, 4.0)], kind).view(np.recarray)))


# --- what is refused -------------------------------------------------------------------------------------------------


def date_of(*data: int) -> bytes:
    return blob(bytes(data))


FORGED: dict[str, bytes] = {
    "a month that is none": call(("datetime", "date"), date_of(7, 200, 13, 1)),
    "an hour that is none": call(("datetime", "datetime"), date_of(7, 200, 1, 1, 200, 0, 0, 0, 0, 0)),
    "a date of text": call(("datetime", "date"), text("2026")),
    "a date of three numbers": call(("datetime", "date"), number(2026), b"K\x01", b"K\x01"),
    "a zone that is a call of something else": call(
        ("datetime", "datetime"), date_of(7, 200, 1, 1, 0, 0, 0, 0, 0, 0), call(("collections", "deque"))
    ),
    "a zone of two days": call(("datetime", "timezone"), call(("datetime", "timedelta"), b"K\x02", b"K\x00", b"K\x00")),
    "a duration beyond all": call(("datetime", "timedelta"), number(10**12), b"K\x00", b"K\x00"),
    "today": call(("datetime", "datetime")),
    "a decimal of words": call(("decimal", "Decimal"), text("1e")),
    "a decimal of a million digits": call(("decimal", "Decimal"), text("1" * 10**6)),
    "a context": call(("decimal", "getcontext")),
    "a fraction over zero": call(("fractions", "Fraction"), b"K\x01", b"K\x00"),
    "a fraction over zero, as text": call(("fractions", "Fraction"), text("1/0")),
    "a path of a number": call(("pathlib", "PosixPath"), b"K\x01"),
    "a path as an object": new("pathlib", "PosixPath", text("x")),
    "an ordered dict with arguments": call(("collections", "OrderedDict"), b"]"),
    "a default dict of a function": call(("collections", "defaultdict"), name("mosaic.utils", "f")),
    "a default dict of getattr": call(("collections", "defaultdict"), name("builtins", "getattr")),
    "a counter of text": call(("collections", "Counter"), text("aab")),
    "a queue of less than nothing": call(("collections", "deque"), b")", number(-1)),
    "a queue of a list": call(("collections", "deque"), b"]"),
    "a queue with entries": call(("collections", "deque")) + text("a") + b"Ns",
    "an ordered dict with items": call(("collections", "OrderedDict")) + b"Na",
    "a date with items": call(("datetime", "date"), date_of(7, 200, 1, 1)) + b"Na",
    "a date with attributes": call(("datetime", "date"), date_of(7, 200, 1, 1)) + b"}b",
    "a namespace of a class": call(("types", "SimpleNamespace")) + state_of(__class__=b"N") + b"b",
    "a namespace of numbers": call(("types", "SimpleNamespace")) + b"}K\x01Nsb",
    "a namespace twice": call(("types", "SimpleNamespace")) + b"}b}b",
    "a function type": call(("types", "FunctionType")),
    "a uuid beyond all": name("uuid", "UUID") + b")\x81" + state_of(int=number(2**128)) + b"b",
    "a uuid of text": name("uuid", "UUID") + b")\x81" + state_of(int=text("5")) + b"b",
    "a uuid with more": name("uuid", "UUID") + b")\x81" + state_of(int=b"K\x05", node=b"N") + b"b",
    "a uuid by a call": call(("uuid", "UUID"), text("0" * 32)),
    "a uuid of this machine": call(("uuid", "uuid1")),
    "an array of text": call(("array", "array"), text("d"), text("12345678")),
    "an array of another code": call(("array", "array"), text("O"), b"]"),
    "an array of texts that are numbers": call(("array", "array"), text("d"), b"]" + text("x") + b"a"),
    "an array of half a number": call(
        ("array", "_array_reconstructor"), name("array", "array"), text("d"), b"K\x10", blob(bytes(7))
    ),
    "an array of format 99": call(
        ("array", "_array_reconstructor"), name("array", "array"), text("d"), b"K\x63", blob(bytes(8))
    ),
    "an array of another class": call(
        ("array", "_array_reconstructor"), name("mosaic.utils", "Array"), text("d"), b"K\x10", blob(bytes(8))
    ),
    "a member by a path": call(("somelab.io", "Archive"), text("/etc/passwd")),
    "a member by a file": call(("somelab.io", "Archive"), text("x.pt")),
    "a member by two values": call(("somelab.io", "Archive"), text("x"), text("w")),
    "a member of a list": call(("somelab.io", "Archive"), b"]"),
    "a member of scipy": call(("scipy.interpolate", "Rbf"), b"K\x01"),
    "a member of Mosaic": call(("mosaic.geometry", "Geometry"), b"K\x01"),
    "a function": call(("somelab.io", "load"), b"K\x01"),
    "a type that is called": call(("builtins", "list"), b"]"),
    "a type that is made": new("builtins", "dict"),
    "a numpy type that is called": call(("numpy", "float64"), b"K\x01"),
    "another library": call(("weakref", "ref"), b"N"),
    "a memory map without content": call(opcodes.RECONSTRUCT, name("numpy", "memmap"), tup(b"K\x00"), blob(b"b")),
    "a masked array without content": call(
        ("numpy.ma.core", "_mareconstruct"), name("numpy.ma", "MaskedArray"), name("numpy", "ndarray"), tup(b"K\x00"), text("b")
    ),
    "a masked array of a session": call(
        ("numpy.ma.core", "_mareconstruct"), name("mosaic.geometry", "Geometry"), name("numpy", "ndarray"), tup(b"K\x00"), text("b")
    ),
    "texts that convert by a function": call(
        ("numpy._core._internal", "_convert_to_stringdtype_kwargs"), name("mosaic.utils", "f")
    ),
}  # fmt: skip


def masked_of(mask: bytes, fill: bytes = b"N", data: bytes = bytes(16)) -> bytes:
    made = call(
        ("numpy.ma.core", "_mareconstruct"), name("numpy.ma", "MaskedArray"), name("numpy", "ndarray"), tup(b"K\x00"), text("b")
    )  # fmt: skip
    return made + tup(b"K\x01", tup(b"K\x02"), opcodes.dtype(), b"\x89", blob(data), mask, fill) + b"b"


FORGED |= {
    "a mask too short": masked_of(blob(b"\0")),
    "a mask too long": masked_of(blob(bytes(3))),
    "a mask of text": masked_of(text("ab")),
    "a mask of a list": masked_of(b"]"),
    "a fill value of a list": masked_of(blob(bytes(2)), b"]"),
    "masked bytes that do not fit": masked_of(blob(bytes(2)), data=bytes(15)),
}


@pytest.mark.parametrize("title", FORGED)
def test_a_forged_one_is_refused_and_says_where(title: str, tmp_path: Any) -> None:
    path = tmp_path / "forged.pickle"
    path.write_bytes(in_session(FORGED[title]))
    with pytest.raises(MosaicError) as refused:
        open_session(path)
    assert "harmful" in str(refused.value) or "damaged" in str(refused.value)
    if not title.endswith(("content", "items", "entries")):  # missing only at the end, or a broken stream
        assert str(refused.value).endswith("(in more)"), str(refused.value)


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_a_refusal_names_the_object_and_the_keys(protocol: int, tmp_path: Any) -> None:
    def refusal(*clusters: Any, **keys: Any) -> str:
        path = make.write_session(tmp_path / "harm.pickle", clusters, protocol=protocol, **keys)
        with pytest.raises(MosaicError) as refused:
            open_session(path)
        return str(refused.value).rpartition(" (in ")[2]

    healthy = make.cloud("healthy")
    assert (
        refusal(healthy, make.cloud("Membrane 1", meta={"a": 1, "by": os.getcwd})) == "clusters 'Membrane 1', meta by)"
    )
    assert (
        refusal(healthy, make.cloud("one", meta={"deep": {"er": [1, os.getcwd]}})) == "clusters 'one', meta deep er[1])"
    )
    assert refusal(make.cloud("only", meta={"by": {"x": os.getcwd}})) == "clusters 'only', meta by x)"
    assert refusal(healthy, healthy, make.cloud("late", points=os.getcwd)).startswith("clusters number 2, points")
    assert refusal(healthy, make.cloud("late", visible=os.getcwd)) == "clusters 'late', visible)"
    assert refusal(healthy, more=os.getcwd) == "more)"
    assert refusal(healthy, _models=make.container([healthy, make.cloud("m", meta={"x": os.getcwd})])).startswith(
        "models 'm'"
    )
