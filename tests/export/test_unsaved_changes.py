"""What a .blend remembers of a save is what was saved: nothing is unsaved right after it, nor when the .blend is opened again."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mosaic_addon.scene.exporting.canonical import canonical, digest_of
from tests.support.make_sessions import an_object, cloud, mesh, write_session
from tests.support.saved_sessions import Opened

ODD_APPEARANCES = {
    "an array": {"base_color": np.array([0.1, 0.2, 0.3])},
    "a long array": {"ramp": np.linspace(0, 1, 5000)},
    "an array of objects": {"odd": np.array([1, "a"], object)},
    "an object": {"odd": an_object("other.thing.Lid", {"a": 1})},
    "bytes": {"odd": b"a" * 500},
    "a set": {"odd": {"b", "a"}},
    "not a number": {"odd": float("nan")},
}


def reopened(opened: Opened, blend: Path) -> Opened:
    opened.bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    return Opened.from_blend(opened.bpy, blend)


@pytest.mark.parametrize("name", ODD_APPEARANCES)
def test_nothing_is_unsaved_whatever_an_appearance_holds(bpy: ModuleType, tmp_path: Path, name: str) -> None:
    clouds = [cloud("a", 4, appearance=dict(cloud().appearance, **ODD_APPEARANCES[name])), cloud("b", 4)]
    opened = Opened(bpy, write_session(tmp_path / "odd.pickle", clouds))
    opened["a"].name = "renamed"
    assert opened.unsaved() == ["clusters 'a': renamed to 'renamed'"]
    opened.save(tmp_path / "saved.pickle")
    assert opened.unsaved() == []
    assert reopened(opened, tmp_path / "s.blend").unsaved() == []


# --- relatives: what else the memory of a save could have been disturbed by -------------------------------------------


def test_what_is_remembered_is_digests(bpy: ModuleType, tmp_path: Path) -> None:
    opened = Opened(bpy, write_session(tmp_path / "two.pickle", [cloud("a"), cloud("b")]))
    opened["a"].location.x += 1
    opened["b"].name = "other"
    opened.save(tmp_path / "saved.pickle")
    remembered = opened.collection["mosaic_session"]["saved"].split()
    assert len(remembered) == 2
    assert all(len(bytes.fromhex(digest)) == 8 for digest in remembered)


@pytest.mark.parametrize(
    "around", [lambda a: {"by": a, "year": 2024}, lambda a: [{"by": a}], lambda a: {"deep": {"by": a}}]
)
def test_a_datablock_inside_a_custom_property_is_left_out(bpy: ModuleType, tmp_path: Path, around: Any) -> None:
    opened = Opened(bpy, write_session(tmp_path / "one.pickle", [cloud("a")]))
    opened["a"]["seen"] = around(opened.root)
    opened["a"].name = "renamed"
    warning = "clusters 'a': the custom property 'seen' is left out, as Mosaic has no such thing."
    assert opened.save(tmp_path / "saved.pickle").warnings == [warning]
    assert opened.unsaved() == []
    opened.root.name = "another name"
    assert opened.unsaved() == []
    assert reopened(opened, tmp_path / "s.blend").unsaved() == []


PROPERTIES: dict[str, Any] = {
    "whole": 3, "real": 3.0, "truth": True, "text": "ü", "bytes": b"a\0b", "negative zero": -0.0, "nan": float("nan"),
    "wholes": [1, 2], "reals": [1.0, float("nan"), -0.0], "truths": [True, False], "mixed": [1, 2.5], "texts": ["b", "a"],
    "none": [], "group": {"z": 1, "a": {"list": [1, 2], "empty": {}}}, "groups": [{"a": 1}, {"b": 2.0}],
    "numpy": np.arange(3.0),
}  # fmt: skip


def test_custom_properties_of_all_kinds_are_saved_once(bpy: ModuleType, tmp_path: Path) -> None:
    opened = Opened(bpy, write_session(tmp_path / "one.pickle", [cloud("a", meta={"wholes": (7, 8), "real": 1})]))
    for key, value in PROPERTIES.items():
        opened["a"][key] = value
    opened.save(tmp_path / "saved.pickle")
    assert opened.unsaved() == []
    opened = reopened(opened, tmp_path / "s.blend")
    assert opened.unsaved() == []
    opened["a"]["whole"] = 3.0  # which a session tells from 3
    assert len(opened.unsaved()) == 1


def test_an_object_that_was_turned_is_saved_once(bpy: ModuleType, tmp_path: Path) -> None:
    opened = Opened(bpy, write_session(tmp_path / "one.pickle", [cloud("a")], [mesh("m")]))
    parent = bpy.data.objects.new("parent", None)
    bpy.context.scene.collection.objects.link(parent)
    parent.rotation_euler, parent.scale = (0, np.pi, 0), (1, 2, 0.3)
    opened["a"].rotation_euler = (np.pi, 0.1, -np.pi / 2)
    opened["m"].parent = parent
    opened["m"].location = (-0.0, 1e-8, 1e5)
    bpy.context.view_layer.update()
    opened.save(tmp_path / "saved.pickle")
    assert opened.unsaved() == []
    opened = reopened(opened, tmp_path / "s.blend")
    assert opened.unsaved() == []
    bpy.context.view_layer.update()
    assert opened.unsaved() == []


def test_new_objects_and_copies_are_saved_once(bpy: ModuleType, tmp_path: Path) -> None:
    opened = Opened(bpy, write_session(tmp_path / "one.pickle", [cloud("a")]))
    new = bpy.data.meshes.new("new")
    new.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    new.attributes.new("weight", "FLOAT", "POINT").data.foreach_set("value", [1, 2, float("nan")])
    for obj in (bpy.data.objects.new("new", new), opened["a"].copy(), opened["a"].copy()):
        opened.container("clusters").objects.link(obj)
    bpy.context.view_layer.update()
    assert len(opened.unsaved()) == 3
    opened.save(tmp_path / "saved.pickle")
    assert opened.unsaved() == []
    opened = reopened(opened, tmp_path / "s.blend")
    assert opened.unsaved() == []
    bpy.data.objects["new"].data.attributes["weight"].data[0].value = 5
    assert opened.unsaved() == ["clusters 'new': new, 3 points and 1 triangles"]


def test_what_is_edited_again_is_named(bpy: ModuleType, tmp_path: Path) -> None:
    opened = Opened(bpy, write_session(tmp_path / "two.pickle", [cloud("a"), cloud("b")]))
    for name in "ab":
        opened[name].location.x += 1
    bpy.context.view_layer.update()
    opened.save(tmp_path / "saved.pickle")
    opened["b"].location.x += 1
    bpy.context.view_layer.update()
    assert opened.unsaved() == ["clusters 'b': moved"]
    opened["b"].location.x -= 2
    bpy.context.view_layer.update()
    assert opened.unsaved() == ["Changes that the file has were changed again or taken back."]


def test_objects_of_one_name_are_told_one_by_one(bpy: ModuleType, tmp_path: Path) -> None:
    opened = Opened(bpy, write_session(tmp_path / "two.pickle", [cloud("same"), cloud("same")]))
    for obj in opened.container("clusters").objects:
        obj.hide_viewport = True
    assert opened.unsaved() == ["clusters 'same': hidden"] * 2
    opened.save(tmp_path / "saved.pickle")
    assert opened.unsaved() == []


# --- values as bytes --------------------------------------------------------------------------------------------------


class Address:
    """What tells nothing of itself but where it is."""


class Color(Enum):
    RED = "red"


@pytest.mark.parametrize(
    "value", [Address(), Address, object(), {1, 2}, np.array([None]), {"a": [Address()]}, memoryview(b"a"), 1j]
)
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="no canonical form"):
        canonical(value)


SAME: list[tuple[Any, Any]] = [
    ((1, "a"), [1, "a"]),
    ({"a": 1, "b": 2.0}, {"b": 2.0, "a": 1}),
    (float("nan"), -float("nan")),
    (np.array([1, 2], "<i4"), np.array([0, 1, 0, 2], "<i4")[1::2]),
    (np.arange(6).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3))),
]
DIFFERENT: list[Any] = [
    None, False, True, 0, 1, -1, 10**30, 0.0, -0.0, 1.0, "", "1", "a", b"", b"a", [], [[]], [1], [1, 1], [[1], 1], {}, {"a": 1},
    {"a": {"b": 1}}, {"a": [1]}, np.float32(1), np.float64(1), np.int32(1), np.array([1], np.int32), np.array([[1]], np.int32),
    ["a", "b"], ["ab"], ["a", b"b"], Color.RED, "red", "\ud800",
]  # fmt: skip


@pytest.mark.parametrize(("left", "right"), SAME)
def test_equal_values_are_equal_bytes(left: Any, right: Any) -> None:
    assert canonical(left) == canonical(right)


def test_different_values_are_different_bytes() -> None:
    assert len(set(map(canonical, DIFFERENT))) == len(DIFFERENT)
    assert len(set(map(digest_of, DIFFERENT))) == len(DIFFERENT)


def test_every_kind_of_change_has_words() -> None:
    from mosaic_addon.scene.exporting.changes import WORDS, Kind

    assert list(WORDS) == list(Kind)
