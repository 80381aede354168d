"""Two sessions are compared whole: nothing that differs goes unseen, nothing that is the same is told."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mosaic_addon.session import MosaicError, node_diff, open_session
from mosaic_addon.session.compare import compare
from mosaic_addon.session.node_diff import SideBySide, array_difference, same_scalars
from mosaic_addon.session.nodes import Pairs
from tests.support.edited_sessions import EDITS, FILE_EDITS, dumps, load_editable
from tests.support.hostile.inert import INERT
from tests.support.make_sessions import (
    MISSING,
    an_object,
    cloud,
    container,
    indexed_bytes,
    session_bytes,
    tree,
    write_session,
)

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "sessions"
PICKLES = sorted(FOLDER.glob("*.pickle"))
FIRST = {
    "a uuid": "clusters: order of display",
    "order of the frames": "models 'trajectory': trajectory[0]",
    "a vertex of a frame": "models 'trajectory': model vertices: float64 (266, 3) -> 1 of 266 rows differ",
    "a point, by the last bit": "clusters 'plain cloud': points: float32 (300, 3) -> 1 of 300 rows differ, by up to 0.00012",
    "kind of opacity": "clusters 'plain cloud': appearance opacity: 1.0 (float) -> 1 (int)",
    "kind of size": "clusters 'plain cloud': appearance size: 8 (int) -> 8 (numpy.int64)",
    "minus zero in the meta": "clusters 'oriented, coloured, props': meta np_f64: 3.25 -> -0.0",
    "a key of the meta dropped": "clusters 'oriented, coloured, props': meta: with 'none' -> without",
    "deep in the meta": "clusters 'oriented, coloured, props': meta nested a: 4 items -> 5 items",
    "a NaN that is none": "clusters 'oriented, coloured, props': vertex_properties with_nan: float64 (250,) -> 25 of 250",
    "a geometry lost": "models 'trajectory': object: trajectory, 266 points -> not there",
    "radius of a sphere": "models 'Sphere': model radius: 449.9",
    "a weight of an RBF": "models 'RBF xy': model rbf nodes: float64 (225,) -> 1 of 225 values differ",
    "order of the geometries": "clusters: order: 'plain cloud', ",
    "shape": "session: metadata shape[0]: 924 -> 925",
    "colour of a container": "clusters: highlight_color[2]: 0.2 -> 0.3",
    "a group's name": "clusters group 'Virus': name: 'Virus' -> 'other'",
    "something kept in a container": "clusters: keys: without -> with 'more'",
    "an unknown attribute of a geometry": "clusters 'hidden': attributes: without -> with 'later'",
    "an unknown key of the state": "session: keys: without -> with 'later'",
    "type of the points": "clusters 'plain cloud': points: float32 (300, 3) -> float64 (300, 3)",
}
# Because the file shares what is changed, an object of the tree is another one, or it is told of each thing that moved.
TOLD_IN_SEVERAL_WAYS = (
    *("a uuid", "a uuid lost", "order of the frames", "a vertex of a frame", "a voxel", "shape", "physical shape"),
    *("sampling rate of a volume", "order of the tree", "a group's name", "a member of a group"),
)


def told(left: Path, right: Path) -> list[str]:
    return [str(difference) for difference in compare(open_session(left), open_session(right))]


def told_of(tmp_path: Path, left: bytes, right: bytes) -> list[str]:
    paths = [tmp_path / "left.pickle", tmp_path / "right.pickle"]
    for path, data in zip(paths, (left, right), strict=True):
        path.write_bytes(data)
    return told(*paths)


# --- sessions of Mosaic ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PICKLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_the_protocol_and_the_numpy_that_saved_make_no_difference(path: Path, protocol: int, tmp_path: Path) -> None:
    copy = tmp_path / "copy.pickle"
    copy.write_bytes(dumps(load_editable(path), protocol))
    assert told(path, copy) == told(copy, path) == told(path, path) == []


@pytest.mark.parametrize("release", ["1.2.4", "1.3.2"])
def test_an_indexed_file_differs_from_a_bare_one_by_its_sections_alone(release: str) -> None:
    bare, indexed = (FOLDER / f"mosaic-{release}.{suffix}" for suffix in ("pickle", "mosaic"))
    assert told(indexed, bare) == ["session: sections: meta, thumbnail -> none"]
    assert told(indexed, indexed) == []


@pytest.mark.parametrize("name", [*EDITS, *FILE_EDITS])
def test_every_change_is_found(name: str, tmp_path: Path) -> None:
    path = FOLDER / "mosaic-1.3.2.pickle"
    state = load_editable(path)
    (EDITS | FILE_EDITS)[name](state)
    changed = tmp_path / "changed.pickle"
    changed.write_bytes(dumps(state, 4))
    differences = told(path, changed)
    assert differences
    assert differences[0].startswith(FIRST.get(name, ""))
    assert len(differences) == 1 or name in TOLD_IN_SEVERAL_WAYS
    assert len(set(differences)) == len(differences)
    assert len(told(changed, path)) == len(differences)


@pytest.mark.parametrize("release", ["colabseg", "1.0.0", "1.0.11", "1.1.1", "1.2.4"])
def test_a_change_in_a_file_of_every_release_is_found_where_it_is(release: str, tmp_path: Path) -> None:
    """Geometries without a uuid belong together by their place."""
    path = FOLDER / f"mosaic-{release}.pickle"
    state = load_editable(path)
    geometry = state["_models"].state["data"][1].state
    geometry["points"][5] += 2
    changed = tmp_path / "changed.pickle"
    changed.write_bytes(dumps(state, 4))
    (difference,) = compare(open_session(path), open_session(changed))
    assert difference.where == f"models {geometry['meta']['name']!r}"
    assert difference.what == "points"
    assert difference.right.startswith("1 of ")
    assert difference.right.endswith(", by up to 2")


# --- which geometries belong together --------------------------------------------------------------------------------


def test_geometries_belong_together_by_uuid_wherever_they_stand(tmp_path: Path) -> None:
    first, second, third = (cloud(name, n=n) for n, name in enumerate("abc", 3))
    left = session_bytes([first, second, third])
    vars(second)["visible"] = False
    right = session_bytes([third, second, first], _data_tree=tree([]))
    assert told_of(tmp_path, left, right) == [
        "clusters: order: 'a', 'b', 'c' -> 'c', 'b', 'a'",
        "clusters: order of display: 'a', 'b', 'c' -> 'c', 'b', 'a'",
        "clusters 'b': visible: True -> False",
        "clusters: tree root_items: 3 items -> 0 items",
    ]


def test_geometries_with_one_uuid_belong_together_by_their_place(tmp_path: Path) -> None:
    twins = [cloud("twin", n=n, uuid="the same") for n in (3, 4)]
    left = session_bytes(twins)
    vars(twins[1])["visible"] = False
    assert told_of(tmp_path, left, session_bytes(twins)) == ["clusters 'twin' (number 1): visible: True -> False"]


def test_a_geometry_with_a_uuid_of_its_own_is_no_part_of_twins(tmp_path: Path) -> None:
    first, second = (cloud(name, uuid="the same") for name in "ab")
    left = session_bytes([first, second], _data_tree=tree([]))
    differences = told_of(tmp_path, left, session_bytes([first], _data_tree=tree([])))
    assert differences == ["clusters 'b': object: cluster, 5 points -> not there"]


def test_geometries_without_a_uuid_belong_together_by_their_place_whatever_their_name(tmp_path: Path) -> None:
    geometry = cloud("old", uuid=MISSING)
    left = session_bytes([geometry])
    vars(geometry)["meta"]["name"] = "new"
    assert told_of(tmp_path, left, session_bytes([geometry])) == ["clusters 'old': meta name: 'old' -> 'new'"]


def test_groups_and_their_members(tmp_path: Path) -> None:
    clouds = [cloud(name, uuid=name) for name in "abc"]

    def grouped(groups: dict[str, list[str]], roots: list[str]) -> bytes:
        return session_bytes(clouds, _data_tree=tree(roots, groups, {uuid: f"group {uuid}" for uuid in groups}))

    left = grouped({"1": ["a", "b"], "2": ["c"]}, ["1", "2"])
    moved = told_of(tmp_path, left, grouped({"1": ["a"], "2": ["c", "b"]}, ["1", "2"]))
    assert moved[:2] == [
        "clusters group 'group 1': members: … 'b' -> … nothing",
        "clusters group 'group 2': members: … nothing -> … 'b'",
    ]
    other = told_of(tmp_path, left, grouped({"1": ["a", "b"], "3": ["c"]}, ["1", "3"]))
    assert other[:3] == [
        "clusters: order of display: … 'group 2' -> … 'group 3'",
        "clusters group 'group 2': group: 1 objects -> not there",
        "clusters group 'group 3': group: not there -> 1 objects",
    ]


def test_a_geometry_that_only_one_has_is_told_once(tmp_path: Path) -> None:
    one, other, both = cloud("one"), cloud("other"), cloud("both")
    differences = told_of(
        tmp_path,
        session_bytes([one, both], _data_tree=tree([])),
        session_bytes([both, other], _data_tree=tree([])),
    )
    assert differences == [
        "clusters 'one': object: cluster, 5 points -> not there",
        "clusters 'other': object: not there -> cluster, 5 points",
    ]


def test_damaged_objects_are_compared_by_what_the_file_has(tmp_path: Path) -> None:
    def damaged(more: int) -> bytes:
        return session_bytes([cloud("bad", points="none", uuid="u", more=more)], _data_tree=tree([]))

    assert told_of(tmp_path, damaged(1), damaged(1)) == []
    assert told_of(tmp_path, damaged(1), damaged(2)) == ["clusters 'bad', damaged: more: 1 -> 2"]
    other = session_bytes([cloud("bad", points=np.zeros((3, 2)), uuid="u", more=1)], _data_tree=tree([]))
    assert told_of(tmp_path, damaged(1), other)[0].startswith(
        "clusters 'bad', damaged: trouble: its points cannot be read"
    )
    differences = told_of(tmp_path, damaged(1), session_bytes([], _data_tree=tree([])))
    assert differences == ["clusters: damaged objects: 1 -> 0"]


# --- sections and containers -----------------------------------------------------------------------------------------


def test_sections_are_compared_byte_by_byte(tmp_path: Path) -> None:
    state = session_bytes([cloud(uuid="u")])
    left = indexed_bytes(state, meta=("json", b"{}"), thumbnail=("png", b"PNG"))
    assert told_of(tmp_path, left, left) == []
    right = indexed_bytes(state, {"version": "1.2.4"}, thumbnail=("webp", b"PNH"), meta=("json", b"{}"))
    assert told_of(tmp_path, left, right) == [
        "session: release: 1.3.2 -> 1.2.4",
        "session: sections: meta, thumbnail -> thumbnail, meta",
        "session: section thumbnail encoding: 'png' -> 'webp'",
        "session: section thumbnail data: bytes of 3: 504e47 -> bytes of 3: 504e48",
    ]


def test_a_container_that_is_no_longer_there_is_told(tmp_path: Path) -> None:
    empty = container([])
    left, right = session_bytes([], _data=empty, _models=empty), session_bytes([], _data=empty, _models=None)
    assert "models: keys: a mosaic.container.DataContainer -> None" in told_of(tmp_path, left, right)


# --- values ----------------------------------------------------------------------------------------------------------


def meta_differences(tmp_path: Path, left: Any, right: Any) -> list[str]:
    sides = (session_bytes([cloud(uuid="u", meta={"x": value})]) for value in (left, right))
    return [text.removeprefix("clusters 'cloud': meta ") for text in told_of(tmp_path, *sides)]


NAN = float("nan")
ODD_NAN = np.frombuffer(np.uint64(0x7FF8000000000001).tobytes())[0]
SAME: list[tuple[Any, Any]] = [
    (NAN, -NAN),
    (np.float32("nan"), -np.float32("nan")),
    (np.array([1, NAN]), np.array([1, ODD_NAN])),
    (complex(NAN, 1), complex(NAN, 1)),
    ({"b", "a", "c"}, {"c", "a", "b"}),
    (np.asfortranarray(np.arange(6).reshape(2, 3)), np.arange(6).reshape(2, 3)),
    ({1: {2.5: None}, (1, 2): [()]}, {1: {2.5: None}, (1, 2): [()]}),
    (b"x" * 1000, b"x" * 1000),
    (bytearray(b"abc"), bytearray(b"abc")),
    (np.array(["a", "bc"]), np.array(["a", "bc"])),
    (np.array([{"a": 1}], object), np.array([{"a": 1}], object)),
    (np.zeros((0, 3)), np.zeros((0, 3))),
    (np.array("2020-01-01", "M8[D]"), np.array("2020-01-01", "M8[D]")),
    (slice(1, None), slice(1, None)),
    (range(3), range(3)),
]
DIFFERENT: list[tuple[Any, Any, str]] = [
    (1, True, "x: 1 (int) -> True (bool)"),
    (1, 1.0, "x: 1 (int) -> 1.0 (float)"),
    (1.0, np.float64(1), "x: 1.0 (float) -> 1.0 (numpy.float64)"),
    (np.float32(1), np.float64(1), "x: 1.0 (numpy.float32) -> 1.0 (numpy.float64)"),
    (0.0, -0.0, "x: 0.0 -> -0.0"),
    (1.0, math.nextafter(1, 2), "x: 1.0 -> 1.0000000000000002"),
    ("1", 1, "x: '1' (str) -> 1 (int)"),
    ("a\x1bb", "ab", r"x: 'a\x1bb' -> 'ab'"),
    ([1], (1,), "x: a list of 1 -> a tuple of 1"),
    ({1}, frozenset({1}), "x: a set of 1 -> a set of 1"),
    ({1}, {True}, "x: 1 items 1 (int) -> 1 items True (bool)"),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}, "x: in the order 'a', 'b' -> in the order 'b', 'a'"),
    ({1: 2}, {True: 2}, "x: with 1 (int) -> with True (bool)"),
    ({(1, 2): 3}, {(1, 3): 3}, "x key 0[1]: 2 -> 3"),
    ({(1, 2): 3}, {(1, 2): 4}, "x a composite key: 3 -> 4"),
    (b"abc", bytearray(b"abc"), "x: bytes of 3: 616263 -> bytearray of 3: 616263"),
    (b"abc", b"abd", "x: bytes of 3: 616263 -> bytes of 3: 616264"),
    (bytearray(b"abc"), bytearray(b"abd"), "x: bytearray of 3: 616263 -> bytearray of 3: 616264"),
    (slice(1, 2), slice(1, 3), "x: slice(1, 2, None) -> slice(1, 3, None)"),
    (range(3), range(4), "x: range(0, 3) -> range(0, 4)"),
    (complex(0, 0.0), complex(0, -0.0), "x: 0j -> -0j"),
    (np.arange(3, dtype="<i4"), np.arange(3, dtype=">i4"), "x: int32 (3,) -> >i4 (3,)"),
    (np.array(["a"]), np.array(["ab"]), "x: <U1 (1,) -> <U2 (1,)"),
    (np.array(["ab"]), np.array(["ac"]), "x: <U2 (1,) -> 1 of 1 values differ"),
    (np.array([0.0]), np.array([-0.0]), "x: float64 (1,) -> 1 of 1 values differ, by up to 0"),
    (np.array(1), np.array(2), "x: 1 -> 2"),
    (np.arange(6), np.arange(6).reshape(2, 3), "x: int64 (6,) -> int64 (2, 3)"),
    (np.zeros((0, 3)), np.zeros((3, 0)), "x: float64 (0, 3) -> float64 (3, 0)"),
    (np.array([{"a": 1}], object), np.array([{"a": 2}], object), "x state[4][0] a: 1 -> 2"),
    (an_object("mosaic.later.Thing", a=1), an_object("mosaic.later.Thing", a=2), "x a: 1 -> 2"),
    (
        an_object("mosaic.later.Thing", a=bytearray(b"abc")),
        an_object("mosaic.later.Thing", a=bytearray(b"abd")),
        "x a: bytes of 3: 616263 -> bytes of 3: 616264",
    ),
    (
        an_object("mosaic.later.Thing", a=1),
        an_object("mosaic.later.Other", a=1),
        "x class: mosaic.later.Thing -> mosaic.later.Other",
    ),
    (np.datetime64(1, "D"), np.datetime64(2, "D"), "x: '1970-01-02' -> '1970-01-03'"),
]


@pytest.mark.parametrize(("left", "right"), SAME, ids=lambda value: str(type(value).__name__))
def test_the_same_values(left: Any, right: Any, tmp_path: Path) -> None:
    assert meta_differences(tmp_path, left, right) == []


@pytest.mark.parametrize(("left", "right", "text"), DIFFERENT, ids=lambda value: str(value)[:30])
def test_different_values(left: Any, right: Any, text: str, tmp_path: Path) -> None:
    differences = meta_differences(tmp_path, left, right)
    assert differences[-1].startswith(text)
    assert len(differences) == 1 or type(left) is not type(right)
    assert meta_differences(tmp_path, right, left)


def test_a_key_that_occurs_twice_is_compared_twice() -> None:
    left, right = Pairs(["a", 1, "a", 2]), Pairs(["a", 9, "a", 2])
    assert list(SideBySide().differences(left, right)) == [(("a",), "1", "9")]


def test_how_much_arrays_differ() -> None:
    left = np.zeros((1000, 3), np.float32)
    right = left.copy()
    right[[3, 500]] = [[0, 0.25, 0], [0, 0.5, 0.125]]
    assert array_difference(left, right) == ("float32 (1000, 3)", "2 of 1000 rows differ, by up to 0.5")
    right[3, 0] = np.inf
    assert array_difference(left, right) == (
        "float32 (1000, 3)",
        "2 of 1000 rows differ, some of them not finite in one",
    )
    small, large = np.array([0, 255], np.uint8), np.array([255, 255], np.uint8)
    assert array_difference(small, large) == ("uint8 (2,)", "1 of 2 values differ, by up to 255")
    assert array_difference(left, left.copy()) is None
    assert array_difference(np.asfortranarray(right), right) is None


def test_scalars_that_are_none_are_not_the_same() -> None:
    assert not same_scalars([], [])
    assert same_scalars(None, None)


# --- what a file can do ----------------------------------------------------------------------------------------------


def nested(depth: int, core: Any) -> list[Any]:
    value = [core]
    for _ in range(depth):
        value = [value]
    return value


def test_values_that_contain_themselves(tmp_path: Path) -> None:
    rings = []
    for length in (1, 1, 3):
        ring: dict[str, Any] = {}
        last = ring
        for _ in range(length - 1):
            last["next"] = {}
            last = last["next"]
        last["next"] = ring
        rings.append(ring)
    assert meta_differences(tmp_path, rings[0], rings[1]) == []
    assert meta_differences(tmp_path, rings[0], rings[2]) == []  # they say the same, however far one follows them
    rings[1]["end"] = True
    assert meta_differences(tmp_path, rings[0], rings[1])


def test_shared_parts_are_looked_at_once(tmp_path: Path) -> None:
    """Forty levels of a list that holds the one below twice: 2**40 parts if one followed each."""
    values = []
    for core in (1, 1, 2):
        value = [core]
        for _ in range(40):
            value = [value, value]
        values.append(value)
    began = time.perf_counter()
    assert meta_differences(tmp_path, values[0], values[1]) == []
    assert meta_differences(tmp_path, values[0], values[2])
    assert time.perf_counter() - began < 5


def test_deep_values(tmp_path: Path) -> None:
    """Far deeper than Python's stack, and than any difference is told."""
    depth = 200_000

    def deep(core: bytes) -> bytes:
        value = b"]" * depth + core + b"a" * depth
        return session_bytes([cloud(uuid="u", meta={"x": "VALUE"})], protocol=2).replace(
            b"X\x05\x00\x00\x00VALUE", value
        )

    began = time.perf_counter()
    left = deep(b"K\x01")
    if b"]" * depth not in left:
        pytest.fail("the value is spelt otherwise")
    for core, count in ((b"K\x01", 0), (b"K\x02", 1)):
        differences = told_of(tmp_path, left, deep(core))
        assert len(differences) == count
        assert all(len(text) < 500 for text in differences)
    assert time.perf_counter() - began < 20


@pytest.mark.parametrize("name", list(INERT)[::20])
def test_odd_files_are_the_same_as_themselves(name: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.pickle"
    path.write_bytes(INERT[name](str(tmp_path / "canary")))
    try:
        assert told(path, path) == []
    except MosaicError:  # forged dtypes are refused
        assert name.startswith("dtype")
        return
    assert told(path, FOLDER / "mosaic-colabseg.pickle")


def test_what_many_geometries_share_is_compared_once(tmp_path: Path) -> None:
    shared = list(range(1_000_000))
    data = session_bytes([cloud(uuid=str(i), later=shared) for i in range(300)])
    began = time.perf_counter()
    assert told_of(tmp_path, data, data) == []
    assert time.perf_counter() - began < 30


def test_what_is_too_much_to_compare_is_no_equality(monkeypatch: pytest.MonkeyPatch) -> None:
    path = FOLDER / "mosaic-1.3.2.pickle"
    monkeypatch.setattr(node_diff, "MAX_PARTS", 1000)
    assert any("more than is compared" in text for text in told(path, path))


def write_copy(path: Path, folder: Path) -> Path:
    copy = folder / "copy.pickle"
    copy.write_bytes(path.read_bytes())
    return copy


def test_very_many_differences_are_cut_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_diff, "MAX_DIFFERENCES", 10)
    differences = meta_differences(tmp_path, list(range(1000)), list(range(1, 1001)))
    assert 10 <= len(differences) < 40
    assert any("more than is compared" in text for text in differences)


def test_many_objects_are_compared_quickly(tmp_path: Path) -> None:
    write_session(tmp_path / "many.pickle", [cloud(f"object {i}") for i in range(2000)])
    began = time.perf_counter()
    assert told(tmp_path / "many.pickle", write_copy(tmp_path / "many.pickle", tmp_path)) == []
    assert time.perf_counter() - began < 20
