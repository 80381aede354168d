"""Attributes that were converted, renamed, removed, joined or separated in Blender are saved as what they are now."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mosaic_addon.session import MosaicError, open_session
from tests.support.make_sessions import cloud, mesh, properties, write_session
from tests.support.real_mosaic import RealMosaic, of_name
from tests.support.saved_sessions import FOLDER, NEWEST, Opened, differences, what_differs
from tests.support.user_edits import COLORED, PROPS, keep_points, select

BIG = np.arange(4) + 2**40
EXACT = {
    "text": np.array(["a", "b", "c", "a"]),
    "i8": BIG,
    "u8": BIG.astype("u8") + np.uint64(2**63),
    "f8": np.arange(4.0) / 3,
}
Columns = dict[str, np.ndarray]


def geometry_in(path: Path, name: str) -> Any:
    session = open_session(path)
    return next(g for g in (*session.clusters.geometries, *session.models.geometries) if g.name == name)


def columns_in(path: Path, name: str) -> Columns:
    return geometry_in(path, name).vertex_properties


def clouds(bpy: ModuleType, path: Path, **columns: Columns) -> Opened:
    """A session of clouds with these vertex properties."""
    made = []
    for name, own in columns.items():
        count = len(next(iter(own.values())))
        made.append(cloud(name, count, vertex_properties=properties(count, own)))
    return Opened(bpy, write_session(path / "s.pickle", made))


def convert(opened: Opened, name: str, attribute: str, kind: str, domain: str = "POINT") -> None:
    obj = select(opened, name)
    obj.data.attributes.active = obj.data.attributes[attribute]
    assert opened.bpy.ops.geometry.attribute_convert(domain=domain, data_type=kind) == {"FINISHED"}


def remove(opened: Opened, name: str, attribute: str) -> None:
    attributes = opened[name].data.attributes
    attributes.remove(attributes[attribute])


def same(values: np.ndarray, expected: Any, dtype: str | None = None) -> None:
    assert np.array_equal(values, expected), values
    assert dtype is None or values.dtype == dtype


# --- converted -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attribute", "kind", "words"), [("normals", "FLOAT", "three"), ("quaternions", "FLOAT_VECTOR", "four")]
)
def test_converted_directions_are_refused(
    bpy: ModuleType, tmp_path: Path, attribute: str, kind: str, words: str
) -> None:
    opened = Opened(bpy, NEWEST)
    convert(opened, "basis", attribute, kind)
    sentence = (
        f"clusters 'basis': its attribute '{attribute}' is no longer {words} numbers per point; undo that, or remove"
    )
    with pytest.raises(MosaicError, match=sentence):
        opened.save(tmp_path / "x.pickle")
    with pytest.raises(MosaicError, match=sentence):
        opened.unsaved()


def test_converted_normals_of_a_step_are_refused(bpy: ModuleType) -> None:
    from mosaic_addon.scene.drawing.facts import frames_of

    opened = Opened(bpy, NEWEST)
    attributes = frames_of(opened["trajectory"])[0].data.attributes
    attributes.remove(attributes["normals"])
    attributes.new("normals", "FLOAT", "POINT")
    with pytest.raises(MosaicError, match="'trajectory': its attribute 'normals' is no longer"):
        opened.unsaved()


@pytest.mark.parametrize(("attribute", "kind"), [("normals", "FLOAT"), ("quaternions", "FLOAT_VECTOR")])
def test_directions_of_new_objects_have_their_width(bpy: ModuleType, tmp_path: Path, attribute: str, kind: str) -> None:
    opened = Opened(bpy, NEWEST)
    data = bpy.data.meshes.new("mine")
    data.from_pydata([(0, 0, 0), (1, 0, 0)], [], [])
    data.attributes.new(attribute, kind, "POINT")
    opened.container("clusters").objects.link(bpy.data.objects.new("mine", data))
    with pytest.raises(MosaicError, match=f"'mine': its attribute '{attribute}' is no longer"):
        opened.save(tmp_path / "x.pickle")


def test_a_converted_vertex_property_is_what_it_is_now(bpy: ModuleType, tmp_path: Path) -> None:
    opened = Opened(bpy, NEWEST)
    convert(opened, PROPS, "curvature", "FLOAT_VECTOR")
    convert(opened, PROPS, "class", "FLOAT")
    convert(opened, PROPS, "flag", "INT")
    (change,) = opened.unsaved()
    for words in ("curvature as 3 float32", "class as float32", "flag as int32"):
        assert words in change
    saved = opened.save(tmp_path / "x.pickle")
    assert saved.changes == [change]
    columns, before = columns_in(tmp_path / "x.pickle", PROPS), columns_in(NEWEST, PROPS)
    assert columns["curvature"].shape == (*before["curvature"].shape, 3)
    same(columns["flag"], before["flag"].astype("i4"), "int32")
    assert columns["class"].dtype == "float32"
    assert {where for where, _ in what_differs(NEWEST, tmp_path / "x.pickle")} == {f"clusters '{PROPS}'"}


@pytest.mark.parametrize("domain", ["CORNER", "FACE"])
def test_a_vertex_property_that_left_the_points_is_gone(bpy: ModuleType, tmp_path: Path, domain: str) -> None:
    opened = Opened(bpy, NEWEST)
    convert(opened, COLORED, "hit", "FLOAT", domain)
    assert opened.unsaved() == [f"models '{COLORED}': vertex properties without hit"]
    opened.save(tmp_path / "x.pickle")
    assert [*columns_in(tmp_path / "x.pickle", COLORED)] == ["mean_curvature"]


@pytest.mark.real
def test_mosaic_loads_converted_and_removed_ones(bpy: ModuleType, tmp_path: Path, mosaic: RealMosaic) -> None:
    opened = Opened(bpy, NEWEST)
    convert(opened, PROPS, "curvature", "FLOAT_VECTOR")
    convert(opened, COLORED, "hit", "FLOAT", "CORNER")
    for name, attribute in (
        ("basis", "normals"),
        ("volume quat", "quaternions"),
        ("volume quat", "normals"),
        (COLORED, "normals"),
    ):
        remove(opened, name, attribute)
    opened["plain cloud"].data.attributes.new("tiny", "INT8", "POINT")
    opened["plain cloud"].data.attributes.new("paint", "BYTE_COLOR", "POINT")
    opened.save(tmp_path / "x.pickle")
    assert of_name(mosaic.load(tmp_path / "x.pickle"), "basis")


# --- removed ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("attribute", ["normals", "quaternions"])
def test_removed_directions_are_gone(bpy: ModuleType, tmp_path: Path, attribute: str) -> None:
    opened = Opened(bpy, NEWEST)
    remove(opened, "basis", attribute)
    assert opened.unsaved() == [f"clusters 'basis': without {attribute}"]
    opened.save(tmp_path / "x.pickle")
    assert getattr(geometry_in(tmp_path / "x.pickle", "basis"), attribute) is None
    assert what_differs(NEWEST, tmp_path / "x.pickle") == [("clusters 'basis'", attribute)]


def test_removed_normals_of_a_mesh_are_those_of_its_shape(bpy: ModuleType, tmp_path: Path) -> None:
    opened = Opened(bpy, NEWEST)
    remove(opened, COLORED, "normals")
    assert opened.unsaved() == [f"models '{COLORED}': normals of its shape"]
    opened.save(tmp_path / "x.pickle")
    normals = geometry_in(tmp_path / "x.pickle", COLORED).normals
    assert np.allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)
    assert len(np.unique(normals.round(3), axis=0)) > 1


@pytest.mark.parametrize("release", ["1.0.0", "1.0.11"])
def test_removed_normals_are_filled_where_the_release_fills_them(bpy: ModuleType, tmp_path: Path, release: str) -> None:
    opened = Opened(bpy, FOLDER / f"mosaic-{release}.pickle")
    remove(opened, PROPS, "normals")
    assert opened.unsaved() == [f"clusters '{PROPS}': without normals"]
    opened.save(tmp_path / "x.pickle")
    assert (geometry_in(tmp_path / "x.pickle", PROPS).normals == (0, 0, 1)).all()


# --- joined ----------------------------------------------------------------------------------------------------------


def joined(bpy: ModuleType, path: Path, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Of a cloud with these values, to which one with others was joined; the same with Merge."""
    found = []
    for way in ("join", "merge"):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        opened = clouds(bpy, path, A={"v": first}, B={"v": second})
        if way == "join":
            select(opened, "A", "B")
            bpy.ops.object.join()
        else:
            from mosaic_addon.scene.outline.merge import merge

            merge([opened["A"], opened["B"]], opened.root)
        opened.save(path / "x.pickle")
        found.append(columns_in(path / "x.pickle", "A")["v"])
    same(found[0], found[1])
    return found[0]


JOINS: dict[str, tuple[Any, Any]] = {
    "texts": (np.array(["actin", "tubulin", "actin"]), np.array(["lipid", "zinc"])),
    "longer texts": (np.array(["a", "b"]), np.array(["something", "a"])),
    "bytes": (np.array([b"z", b"y"]), np.array([b"longer"])),
    "bits in the second": (np.array([5, 0]), BIG),
    "bits in the first": (BIG, np.array([5, 0])),
    "bits in both": (BIG, BIG + 10**15 + 7),
    "unsigned": (np.array([5, 0], "u8"), np.array([2**64 - 1, 2**63 + 1], "u8")),
    "signed and unsigned": (np.array([5, 0]), np.array([2**63 + 1], "u8")),
    "doubles": (np.array([0.5, 1.0]), np.array([0.1, 1e300, np.pi])),
    "singles and doubles": (np.array([0.5, 0.1], "f4"), np.array([0.1, np.pi])),
    "small and large": (np.array([5, 6], "i4"), BIG),
    "bytes that overflow": (np.array([1, 2, 3], "u1"), np.array([300, -1], "i4")),
    "whole and real": (np.array([1, 2, 3], "i4"), np.array([0.5, 2], "f4")),
    "halves and singles": (np.array([1, 2, 3], "f2"), np.array([0.1, 1e30], "f4")),
    "unsigned of 32 bits": (np.array([1, 2**32 - 1], "u4"), np.array([-1, 7], "i4")),
}


@pytest.mark.parametrize("title", JOINS)
def test_joined_values_are_exact(bpy: ModuleType, tmp_path: Path, title: str) -> None:
    first, second = JOINS[title]
    assert joined(bpy, tmp_path, first, second).tolist() == [*first.tolist(), *second.tolist()]


@pytest.mark.parametrize("names", ["AB", "BA"])
def test_joined_meshes_keep_vertex_properties(bpy: ModuleType, tmp_path: Path, names: str) -> None:
    """Of those with another type of attribute, Blender 4.5 makes zeros."""
    columns = {"A": EXACT, "B": {**EXACT, "text": np.array([*"zabz"]), "i8": 7 - BIG, "f8": np.ones(4)}}
    made = [mesh(name, 4, vertex_properties=properties(4, columns[name])) for name in "AB"]
    opened = Opened(bpy, write_session(tmp_path / "s.pickle", [], made))
    select(opened, *names)
    bpy.ops.object.join()
    opened.save(tmp_path / "x.pickle")
    for name, values in columns_in(tmp_path / "x.pickle", names[0]).items():
        same(values, np.concatenate([columns[each][name] for each in names]), EXACT[name].dtype.str)


def test_texts_stay_shared_after_a_merge(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.outline.merge import merge

    opened = clouds(bpy, tmp_path, **{name: {"v": np.array([name * 2, "z"])} for name in "ABC"})
    merge([opened["A"], opened["B"]], opened.root)
    bpy.context.view_layer.update()
    select(opened, "C", "A")
    bpy.ops.object.join()
    opened.save(tmp_path / "x.pickle")
    assert columns_in(tmp_path / "x.pickle", "C")["v"].tolist() == ["CC", "z", "AA", "z", "BB", "z"]


def test_shared_texts_are_no_change(bpy: ModuleType, tmp_path: Path) -> None:
    opened = clouds(
        bpy, tmp_path, A={"v": np.array(["a", "b"])}, B={"v": np.array(["something", "a"])}, C={"v": np.array([""])}
    )
    assert opened.unsaved() == []
    opened.save(tmp_path / "x.pickle")
    assert differences(opened.path, tmp_path / "x.pickle") == []


def test_only_its_own_texts_are_shown(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing.facts import range_of

    opened = clouds(bpy, tmp_path, A={"v": np.array(["a", "b"])}, B={"v": np.array(["c", "a"])})
    assert [range_of(opened[name].data, "v") for name in "AB"] == ["a, b", "a, c"]


def test_joined_points_bring_their_64_bits_to_points_without(bpy: ModuleType, tmp_path: Path) -> None:
    numbers = {name: EXACT[name] for name in ("i8", "u8", "f8")}
    opened = clouds(bpy, tmp_path, A=numbers, B={"w": np.ones(2)})
    select(opened, "A")
    opened["A"].select_set(True)
    bpy.context.view_layer.objects.active = opened["B"]
    opened["B"].select_set(True)
    bpy.ops.object.join()
    result = opened.save(tmp_path / "x.pickle")
    (warning,) = [text for text in result.warnings if "which Blender gives" in text]
    assert all(f" {name} 0" in warning for name in numbers), warning
    found = columns_in(tmp_path / "x.pickle", "B")
    for name, values in numbers.items():
        same(found[name], [0, 0, *values.tolist()], values.dtype.str if name != "u8" else None)


def test_joined_texts_of_which_only_codes_are_left_are_told(bpy: ModuleType, tmp_path: Path) -> None:
    opened = clouds(bpy, tmp_path, A={"v": np.array(["x", "y"])}, B={"w": np.ones(2)})
    select(opened, "A")
    opened["A"].select_set(True)
    bpy.context.view_layer.objects.active = opened["B"]
    opened["B"].select_set(True)
    bpy.ops.object.join()
    (warning,) = [text for text in opened.save(tmp_path / "x.pickle").warnings if "only the codes are left" in text]
    assert warning.startswith("clusters 'B': 'v' came with points that were joined")


# --- separated, and made by modifiers --------------------------------------------------------------------------------


def test_separated_points_keep_their_vertex_properties(bpy: ModuleType, tmp_path: Path) -> None:
    opened = clouds(bpy, tmp_path, A=EXACT)
    obj = opened["A"]
    if bpy.app.version >= (5, 1):
        select(opened, "A")
        bpy.ops.object.mode_set(mode="EDIT")
        bpy.ops.pointcloud.select_random(probability=0.5)
        bpy.ops.pointcloud.separate()
        bpy.ops.object.mode_set(mode="OBJECT")
        other = (
            opened["A.001"]
            if "A.001" in [t.get("mosaic_name") for t in bpy.data.objects]
            else bpy.data.objects["A.001"]
        )
    else:  # as that does
        other = obj.copy()
        other.data = obj.data.copy()
        obj.users_collection[0].objects.link(other)
        del other.data["mosaic_vertex_properties"]
    assert "mosaic_vertex_properties" not in other.data
    opened.save(tmp_path / "x.pickle")
    assert "mosaic_vertex_properties" not in other.data
    places = {tuple(point): n for n, point in enumerate(geometry_in(opened.path, "A").points.tolist())}
    for geometry in open_session(tmp_path / "x.pickle").clusters.geometries:
        rows = [places[tuple(point)] for point in geometry.points.tolist()]
        for name, values in EXACT.items():
            same(geometry.vertex_properties[name], values[rows], values.dtype.str)


@pytest.mark.parametrize("columns", [EXACT, {"zero": np.zeros(2)}], ids=["many", "zeros"])
@pytest.mark.parametrize("modifier", [False, True])
def test_converted_points_keep_their_vertex_properties(
    bpy: ModuleType, tmp_path: Path, columns: Any, modifier: bool
) -> None:
    opened = clouds(bpy, tmp_path, A=columns)
    if modifier:
        select(opened, "A")
        bpy.ops.object.convert(target="MESH")
        opened.save(tmp_path / "x.pickle")
        assert set(columns_in(tmp_path / "x.pickle", "A")) <= set(columns)
        return
    select(opened, "A").modifiers.clear()
    for target in ("MESH", "POINTCLOUD"):
        bpy.ops.object.convert(target=target)
        assert opened.save(tmp_path / "x.pickle").changes == []
        for name, values in columns.items():
            same(columns_in(tmp_path / "x.pickle", "A")[name], values, values.dtype.str)


def test_converted_points_have_the_texts_that_they_were_coloured_by(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing.coloring import color_by

    opened = clouds(bpy, tmp_path, A={"v": np.array(["b", "c"])}, B={"w": np.zeros(2)})
    other = opened["B"]
    other.data = opened["A"].data.copy()
    other.data["mosaic_vertex_properties"] = other.data["mosaic_vertex_properties"].replace('"b"', '"a"')
    color_by([opened["A"], other], "v")  # in both, "b" has another code now
    select(opened, "A").modifiers.clear()
    bpy.ops.object.convert(target="MESH")
    opened.save(tmp_path / "x.pickle")
    assert columns_in(tmp_path / "x.pickle", "A")["v"].tolist() == ["b", "c"]


def test_modifiers_keep_vertex_properties(bpy: ModuleType, tmp_path: Path) -> None:
    columns = {**EXACT, "id": np.arange(4)}
    path = write_session(tmp_path / "s.pickle", [], [mesh("m", 4, vertex_properties=properties(4, columns))])
    opened = Opened(bpy, path)
    opened["m"].modifiers.new("T", "TRIANGULATE")
    opened.save(tmp_path / "same.pickle", apply_modifiers=True)
    assert differences(path, tmp_path / "same.pickle") == []
    opened["m"].modifiers.new("M", "ARRAY")
    opened.save(tmp_path / "x.pickle", apply_modifiers=True)
    for name, values in columns.items():
        same(columns_in(tmp_path / "x.pickle", "m")[name], np.tile(values, 2), values.dtype.str)


# --- new kinds, codes and names --------------------------------------------------------------------------------------


def test_new_attributes_of_odd_types_are_written_or_told(bpy: ModuleType, tmp_path: Path) -> None:
    opened = Opened(bpy, NEWEST)
    attributes = opened["plain cloud"].data.attributes
    for kind in ("INT8", "BYTE_COLOR", "INT16_2D", "FLOAT4X4", "STRING"):
        attributes.new(f"a{kind}", kind, "POINT")
    attributes["aINT8"].data[0].value = -5
    attributes["aBYTE_COLOR"].data[0].color = (1, 0, 0, 1)
    warnings = opened.save(tmp_path / "x.pickle").warnings
    for kind in ("FLOAT4X4", "STRING"):
        assert any(f"'plain cloud': its attribute 'a{kind}' is left out" in warning for warning in warnings)
    columns = columns_in(tmp_path / "x.pickle", "plain cloud")
    assert sorted(columns) == ["aBYTE_COLOR", "aINT16_2D", "aINT8"]
    assert columns["aINT8"][0] == -5
    assert columns["aBYTE_COLOR"][0].tolist() == [1, 0, 0, 1]


@pytest.mark.parametrize("code", [99, -5])
def test_a_code_without_a_text_is_refused(bpy: ModuleType, code: int) -> None:
    opened = Opened(bpy, NEWEST)
    opened[PROPS].data.attributes["class"].data[0].value = code
    with pytest.raises(
        MosaicError, match=f"'{PROPS}': its vertex property 'class' has the code {code}, which stands for none"
    ):
        opened.unsaved()


def test_numbers_that_do_not_fit_get_room(bpy: ModuleType, tmp_path: Path) -> None:
    opened = Opened(bpy, NEWEST)
    values = opened[PROPS].data.attributes["label_u8"].data
    values[0].value, values[1].value = 300, -1
    assert opened.unsaved() == [f"clusters '{PROPS}': vertex properties label_u8 as int32"]
    opened.save(tmp_path / "x.pickle")
    same(columns_in(tmp_path / "x.pickle", PROPS)["label_u8"][:2], [300, -1])


@pytest.mark.parametrize("name", EXACT)
def test_a_renamed_attribute_keeps_its_values(bpy: ModuleType, tmp_path: Path, name: str) -> None:
    opened = clouds(bpy, tmp_path, A=EXACT)
    opened["A"].data.attributes[name].name = "mine"
    assert opened.unsaved() == [f"clusters 'A': vertex properties {name} renamed to mine"]
    opened.save(tmp_path / "x.pickle")
    columns = columns_in(tmp_path / "x.pickle", "A")
    assert [*columns] == ["mine" if n == name else n for n in EXACT]
    same(columns["mine"], EXACT[name], EXACT[name].dtype.str)


def test_renamed_attributes_keep_their_values(bpy: ModuleType, tmp_path: Path) -> None:
    opened = clouds(bpy, tmp_path, A=EXACT)
    new = {"text": "f8 as it was", "f8": "z", "i8": "a"}  # in another order
    for old, name in new.items():
        opened["A"].data.attributes[old].name = name
    saved = opened.save(tmp_path / "x.pickle")
    assert saved.warnings == []
    found = columns_in(tmp_path / "x.pickle", "A")
    assert set(found) == {*new.values(), "u8"}
    for old, name in new.items():
        same(found[name], EXACT[old], EXACT[old].dtype.str)
    opened["A"].data.attributes["z"].data[0].value = 7  # nobody can tell any more what it was; the others are known
    assert opened.save(tmp_path / "y.pickle").warnings == []
    found = columns_in(tmp_path / "y.pickle", "A")
    same(found["f8 as it was"], EXACT["text"], EXACT["text"].dtype.str)
    assert found["z"][0] == 7


def test_lost_texts_are_told(bpy: ModuleType, tmp_path: Path) -> None:
    opened = clouds(bpy, tmp_path, A=EXACT)
    opened["A"].data.attributes["text"].name = "mine"
    keep_points("A", slice(2))(opened)
    saved = opened.save(tmp_path / "x.pickle")
    assert any("the texts of its vertex property 'text' are left out" in warning for warning in saved.warnings)
    same(columns_in(tmp_path / "x.pickle", "A")["mine"], [0, 1])


# --- what is kept of them ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "note",
    [
        5,
        "no JSON",
        "null",
        "[1]",
        '{"version": 1, "columns": [{"name": "v"}]}',
        '{"version": 2, "columns": []}',
        '[{"name": "v", "dtype": "<f4", "shape": [], "attributes": ["v"]}]',
        '{"version": 1, "columns": [{"name": "v", "dtype": "?!", "shape": [], "attributes": ["v"]}]}',
        '{"version": 1, "columns": [{"name": "v", "dtype": "O", "shape": [], "attributes": ["v"]}]}',
        '{"version": 1, "columns": [{"name": "v", "dtype": "<U900000000", "shape": [], "attributes": ["v"], "texts": ["a"]}]}',
        '{"version": 1, "columns": [{"name": "v", "dtype": "<U1", "shape": [], "attributes": [], "texts": ["a"]}]}',
        '{"version": 1, "columns": [{"name": "v", "dtype": "<f4", "shape": [99999999999], "attributes": ["v"]}]}',
        '{"version": 1, "columns": [{"name": "v", "dtype": "<f4", "shape": [], "attributes": [5]}]}',
        "[" * 100_000,
    ],
)
def test_a_damaged_note_of_vertex_properties_is_told_and_values_are_saved(
    bpy: ModuleType, tmp_path: Path, note: Any
) -> None:
    opened = clouds(bpy, tmp_path, A={"v": np.array([1.0, 1 / 3])})
    opened["A"].data["mosaic_vertex_properties"] = note
    saved = opened.save(tmp_path / "x.pickle")
    assert any("'A': its note of vertex properties is damaged" in text for text in saved.warnings)
    same(columns_in(tmp_path / "x.pickle", "A")["v"], [1.0, 1 / 3])


def test_bits_that_are_none_are_passed_over(bpy: ModuleType, tmp_path: Path) -> None:
    opened = clouds(bpy, tmp_path, A={"v": np.array([1.0, 2.0])})
    data = opened["A"].data
    data["mosaic_vertex_properties"] = data["mosaic_vertex_properties"].replace('"bits": ".v"', '"bits": "position"')
    assert '"position"' in data["mosaic_vertex_properties"]
    opened.save(tmp_path / "x.pickle")
    same(columns_in(tmp_path / "x.pickle", "A")["v"], [1.0, 2.0])
