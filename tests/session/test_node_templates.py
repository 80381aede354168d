"""What an import keeps of small objects: the same as in the file, in few bytes, whatever is odd about one of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mosaic_addon.session import MosaicError
from mosaic_addon.session.node_templates import HEAD, Forms, loads
from mosaic_addon.session.nodes import ArrayNode, ObjectNode, Pairs, Stored
from mosaic_addon.session.pickle_reader import read_pickle
from mosaic_addon.session.pickle_writer import write_pickle
from tests.support import make_sessions as make
from tests.support.written import assert_same, dumps

PLAIN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=()))
)
NESTED = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
)


def nodes_of(*clouds: Any) -> list[ObjectNode]:
    """As they stand in one file, with one name for their class."""
    return read_pickle(make.dumps(list(clouds)))


def node_of(**state: Any) -> ObjectNode:
    return nodes_of(make.cloud(**state))[0]


def held_of(node: ObjectNode) -> dict[int, Stored]:
    return {id(node.fields()["points"]): Stored("points", "<f4")}


def with_stored(node: Any, held: dict[int, Stored]) -> Any:
    """What is to come back: as `dumps` writes it."""
    return read_pickle(dumps(node, keep_out=held), owner=True)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.lists(
        st.dictionaries(st.text(max_size=6).filter(lambda key: key != "name"), NESTED, max_size=4),
        min_size=1,
        max_size=4,
    )
)
def test_nodes_come_back_as_they_were(metas: list[dict[str, Any]]) -> None:
    forms = Forms()
    clouds = [make.cloud(f"cloud {number}", 3, meta=meta) for number, meta in enumerate(metas * 2)]
    for number, node in enumerate(nodes_of(*clouds)):
        data = forms.dumps(node, held_of(node), {"more": [1, 2]}, [number, -1])
        if data is None:  # its meta shares a part with itself
            continue
        found = loads(data, "owner")
        assert found is not None
        made = found[0].make()
        assert_same(made, with_stored(node, held_of(node)))
        assert (found[0].alike.kept, found[1]) == ({"more": [1, 2]}, [number, -1])
        assert made.fields()["points"].owner == "owner"


def test_what_is_of_another_kind_has_another_form() -> None:
    kinds = [
        [1, 2],
        (1, 2),
        {"a": 1, "b": 2},
        {"b": 1, "a": 2},
        [[1], 2],
        [1, [2]],
        [[1, []], 2, 3],
        [[1, 2], [], 3],
        [[1, [[]]], 2, [3]],
        [(1,), 2],
        [1, 2, 3],
        [None, True],
        "text",
    ]
    kinds += [make.an_object("mosaic.geometry.Geometry", a=1, b=2), make.an_object("mosaic.geometry.Other", a=1, b=2)]
    forms = Forms()
    for node in nodes_of(*[make.cloud("cloud", 3, meta={"a": value}) for value in kinds]):
        found = loads(forms.dumps(node, held_of(node), {}, []) or b"", None)
        assert found is not None
        assert_same(found[0].make(), with_stored(node, held_of(node)))


def test_nothing_is_shared_between_two_that_come_back() -> None:
    node = node_of(n=3)
    data = Forms().dumps(node, held_of(node), {}, [])
    assert data is not None
    one, other = [formed.make() for formed, _ in filter(None, (loads(data, 1), loads(data, 2)))]
    one.state.as_dict()["meta"].append("changed")
    one.state[1] = "changed"
    assert_same(other, with_stored(node, held_of(node)))
    arrays = [obj.fields()["sampling_rate"] for obj in (one, other)]
    assert arrays[0] is not arrays[1]
    assert [obj.owner for obj in (other.fields()["points"],)] == [2]


def test_objects_of_one_form_share_it() -> None:
    forms = Forms()
    looks = [{"size": number, "base_color": (0.1, number / 10, 1)} for number in range(3)]
    nodes = nodes_of(*[make.cloud(f"cloud {number}", number, appearance=look) for number, look in enumerate(looks)])
    datas = [forms.dumps(node, held_of(node), {}, [number]) or b"" for number, node in enumerate(nodes)]
    assert len(datas[0]) > 500
    assert len({data[:400] for data in datas}) == 1


def shared_list() -> dict[str, Any]:
    part = [1]
    return {"meta": {"a": part, "b": part}}


def around() -> dict[str, Any]:
    part: list[Any] = []
    part.append(part)
    return {"meta": {"a": part}}


def deep() -> dict[str, Any]:
    part: list[Any] = []
    for _ in range(50):
        part = [part]
    return {"meta": {"a": part}}


ODD = {
    "shared": shared_list, "around": around, "deep": deep,
    "set": lambda: {"meta": {"a": {1, 2}}}, "bytes": lambda: {"meta": {"a": b"bytes"}}, "not finite": lambda: {"meta": {"a": float("nan")}},
    "keys": lambda: {"meta": {"a": {3: 4}}}, "numpy's number": lambda: {"visible": np.bool_(True)}, "large": lambda: {"meta": {"a": np.zeros(1000)}},
    "brackets": lambda: {"meta": {"a": "[" * 300 + "{" * 300}},
    "long": lambda: {"meta": {"a": list(range(1000))}}, "objects": lambda: {"meta": {"a": np.array([None])}},
    "same array twice": lambda: (lambda rate: {"sampling_rate": rate, "meta": {"a": rate}})(np.ones(3)),
}  # fmt: skip


@pytest.mark.parametrize("title", ODD)
def test_what_is_odd_has_no_form(title: str) -> None:
    node = node_of(n=3, **ODD[title]())
    assert Forms().dumps(node, held_of(node), {}, []) is None


def test_arrays_that_differ_have_other_forms() -> None:
    forms, rates = Forms(), []
    arrays = [
        np.ones(3),
        np.ones(3, np.float32),
        np.ones((3, 1)),
        -np.ones(3),
        np.ones(6)[::2],
        np.asfortranarray(np.ones((2, 2))),
    ]
    for node in nodes_of(*[make.cloud("cloud", 3, sampling_rate=rate) for rate in [*arrays, *arrays]]):
        found = loads(forms.dumps(node, held_of(node), {}, []) or b"", None)
        assert found is not None
        rates.append(found[0].make().fields()["sampling_rate"])
        assert type(rates[-1]) is ArrayNode
        assert_same(rates[-1], node.fields()["sampling_rate"])


def test_a_damaged_form_is_refused() -> None:
    node = node_of(n=3)
    data = Forms().dumps(node, held_of(node), {"a": 1}, [2]) or b""
    for end in range(1, len(data)):
        with pytest.raises(MosaicError):
            loads(data[:end], None)
    _, size, _ = HEAD.unpack_from(data)
    form = data[HEAD.size : HEAD.size + size]
    alike, own = data[HEAD.size + size : data.index(b"[[2]")], data[data.index(b"[[2]") :]
    values = json.loads(alike)[1]

    def packed(form: bytes, alike: bytes, own: bytes) -> bytes:
        return HEAD.pack(b"F", len(form), len(alike)) + form + alike + own

    assert loads(packed(form, alike, own), None) is not None
    strange: Any
    for strange in ([{}, []], [{}], {}, {"1": 2, "3": 4}, [[], values], [{}, [[[]], *values[1:]]], [{}, [1] * 500]):
        with pytest.raises(MosaicError):
            loads(packed(form, json.dumps(strange).encode(), own), None)
    for strange in ([[], ["a"]], [[]], [{}, ["a", "b"]], [[], [[], "b"]], [[], {"a": 1, "b": 2}]):
        with pytest.raises(MosaicError):
            loads(packed(form, alike, json.dumps(strange).encode()), None)
    for parts in ((alike, b"[" * 100_000), (b"[" * 100_000, own)):
        with pytest.raises(MosaicError):
            loads(packed(form, *parts), None)
    odd: Any
    for odd in (Pairs(), [], [[]] * 2):
        with pytest.raises(MosaicError):
            loads(packed(dumps(odd), b"[{},[1]]", own), None)
    assert loads(dumps(node), None) is None


def pickled(nodes: list[Any], fetch: Callable[[Stored, Any], Any]) -> bytes:
    parts: list[bytes] = []
    write_pickle(nodes, lambda data: parts.append(bytes(data)), fetch=fetch)
    return b"".join(parts)


NAMES = st.sampled_from(["one", "two", "", "points", "name", "x" * 300, "\ud800", None, 3])


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.tuples(NAMES, NAMES, st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=12))
def test_alike_nodes_are_written_by_a_template_as_if_each_had_been_made(entries: list[Any]) -> None:
    forms, arrays, formed = Forms(), [], []
    looks = ({"size": 8}, {"size": 8.0, "base_color": (0.1, 0.2, 1)}, {"size": -0.0})
    for name, uuid, look, points in entries:
        node = node_of(n=3, meta={"name": name, "info": {"a": [1, "text"]}}, uuid=uuid, appearance=looks[look])
        arrays.append(np.arange(points * 3, dtype=np.float32).reshape(-1, 3))
        found = loads(forms.dumps(node, held_of(node), {}, []) or b"", len(arrays) - 1)
        assert found is not None
        formed.append(found[0])
    written = [pickled(nodes, lambda _, owner: arrays[owner]) for nodes in (formed, [each.make() for each in formed])]
    assert_same(*map(read_pickle, written))
    assert len(written[0]) <= len(written[1]) + 700 * len(entries)  # no text of theirs is remembered


def test_the_thousandth_of_its_like_is_small() -> None:
    forms = Forms()
    nodes = nodes_of(*[make.cloud(f"cloud {number}", 3, appearance={"size": 7}) for number in range(1000)])
    formed = [loads(forms.dumps(node, held_of(node), {}, []) or b"", None)[0] for node in nodes]
    assert len({id(each.alike) for each in formed}) == 1
    points = np.zeros((3, 3), np.float32)
    sizes = [len(pickled(formed[:count], lambda *_: points)) for count in (1, 1000)]
    assert (sizes[1] - sizes[0]) / 999 < 500
