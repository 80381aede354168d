"""Vertex properties of any kind, size and name, as attributes of points."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.support.built import (
    assert_same_bits,
    build,
)
from tests.support.make_sessions import (
    cloud,
    mesh,
    properties,
    write_session,
)

COLUMNS = {
    "int8": np.array([-128, 0, 127], np.int8),
    "uint8": np.array([0, 1, 255], np.uint8),
    "int16": np.array([-32768, 0, 32767], np.int16),
    "uint16": np.array([0, 1, 65535], np.uint16),
    "int32": np.array([-(2**31), 0, 2**31 - 1], np.int32),
    "uint32": np.array([0, 2**31, 2**32 - 1], np.uint32),
    "int64 small": np.array([-5, 0, 5], np.int64),
    "int64": np.array([-(2**63), 2**53 + 1, 2**63 - 1], np.int64),
    "uint64": np.array([0, 2**63 + 1, 2**64 - 1], np.uint64),
    "float16": np.array([6e-8, -65504, np.nan], np.float16),
    "float32": np.array([1e-45, -0.0, np.inf], np.float32),
    "float64": np.array([0.1, 1e300, -5e-324]),
    "float64 odd": np.array([np.nan, -0.0, -np.inf]),
    "big-endian": np.array([0.1, 1, 2], ">f8"),
    "big-endian int": np.array([2**40, 1, 2], ">i8"),
    "bool": np.array([True, False, True]),
    "text": np.array(["脂質", "", "a"]),
    "bytes": np.array([b"a\xff", b"", b"b"]),
    "one wide": np.array([[0.1], [0.2], [0.3]]),
    "two wide": np.arange(6, dtype=np.float32).reshape(3, 2),
    "two ints": np.arange(6, dtype=np.int64).reshape(3, 2) + 2**33,
    "three wide": np.arange(9).reshape(3, 3) / 7,
    "three ints": np.arange(9, dtype=np.int32).reshape(3, 3),
    "four wide": np.arange(12, dtype=np.float32).reshape(3, 4),
    "five wide": np.arange(15).reshape(3, 5) / 3,
    "flags": np.array([[True, False], [False, False], [True, True]]),
    "none wide": np.zeros((3, 0), np.float32),
}


@pytest.mark.parametrize("kind", [*COLUMNS])
@pytest.mark.parametrize("make", [cloud, mesh], ids=["cloud", "mesh"])
def test_a_column_of_any_kind_comes_back_as_it_was(
    bpy: ModuleType, tmp_path: Path, kind: str, make: Callable[..., Any]
) -> None:
    from mosaic_addon.scene.data.vertex_properties import read_columns

    made = make("c", 3, vertex_properties=properties(3, {kind: COLUMNS[kind]}))
    imported = build(bpy, write_session(tmp_path / "s.pickle", [made]))
    assert not imported.warnings
    assert_same_bits(read_columns(imported.objects[0].data)[kind], COLUMNS[kind], kind)


@pytest.mark.parametrize("n", [0, 1])
def test_columns_of_nearly_nothing(bpy: ModuleType, tmp_path: Path, n: int) -> None:
    from mosaic_addon.scene.data.vertex_properties import read_columns

    columns = {name: values[:n] for name, values in COLUMNS.items()}
    made = [cloud("c", n, vertex_properties=properties(n, columns)), cloud("m", n)]
    imported = build(bpy, write_session(tmp_path / "s.pickle", made))
    stored = read_columns(imported.objects[0].data)
    assert list(stored) == list(columns)
    for name, values in columns.items():
        assert_same_bits(stored[name], values, name)


def test_columns_may_have_any_name(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.data.vertex_properties import read_columns

    names = [
        "position", "radius", "id", "material_index", "normals", "quaternions", "custom_normal", ".hidden", ".edge_verts",
        ".corner_vert", ".select_vert", "sharp_face", "UVMap", "", " ", "a" * 100, "a" * 101, "nul\0", "nul_", "脂" * 40,
        "lone \ud800", "x.0", "x", "crease_edge", "velocity", "tilt", "curve_type", "surface_uv_coordinate", ".bits0",
    ]  # fmt: skip
    columns = {name: np.arange(4) + number + 0.1 for number, name in enumerate(names)}
    columns["x"] = np.arange(20).reshape(4, 5) / 3
    made = [make("c", 4, vertex_properties=properties(4, columns)) for make in (cloud, mesh)]
    imported = build(bpy, write_session(tmp_path / "s.pickle", made))
    assert not imported.warnings
    for obj in imported.objects:
        stored = read_columns(obj.data)
        assert sorted(stored) == sorted(columns)
        for name, values in columns.items():
            assert_same_bits(stored[name], values, name)


def test_an_edit_in_blender_changes_that_value_alone(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.data.vertex_properties import column_attributes, read_columns

    values = np.array([0.1, 1e300, 2**53 + 1.0])
    made = cloud("c", 3, vertex_properties=properties(3, {"v": values}))
    (obj,) = build(bpy, write_session(tmp_path / "s.pickle", [made])).objects
    (attribute,) = column_attributes(obj.data)["v"]
    obj.data.attributes[attribute].data[0].value = 7.5
    assert_same_bits(read_columns(obj.data)["v"], np.array([7.5, 1e300, 2**53 + 1.0]), "v")


def test_a_column_that_blender_has_no_attribute_for_is_told_of(bpy: ModuleType, tmp_path: Path) -> None:
    made = cloud("c", 3, vertex_properties=properties(3, {"z": np.array([1j, 2, 3]), "v": np.zeros((3, 2, 2))}))
    imported = build(bpy, write_session(tmp_path / "s.pickle", [made]))
    assert [text for text in imported.warnings if "'z'" in text]
    assert [text for text in imported.warnings if "'v'" in text]
