"""Large arrays are saved some rows at a time: what is written is the same, and little memory is needed for it."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.support.make_sessions import cloud, mesh, properties, write_session
from tests.support.saved_sessions import Opened, units

N = 500
MEMORY_N = 300_000


def slabs_from(monkeypatch: pytest.MonkeyPatch, count: int, size: int) -> None:
    """Let arrays of more than `count` points be made some `size` bytes at a time."""
    from mosaic_addon.scene.data import attributes
    from mosaic_addon.scene.exporting import object_arrays
    from mosaic_addon.session import rows

    monkeypatch.setattr(attributes, "BORROWED", count)
    monkeypatch.setattr(object_arrays, "LARGE", count)
    monkeypatch.setattr(rows, "SLAB", size)


def all_kinds(n: int) -> dict[str, Any]:
    """Every kind of vertex property, so that some need bits beside floats and some are texts."""
    numbers = np.arange(n)
    late = numbers.copy()
    late[-1] = 2**60  # so that what holds all of them is known from the last row alone
    return {
        "f4": np.linspace(0, 1, n, dtype="f4"), "f8": numbers / 3, "i8": numbers + 2**60, "late": late, "u1": numbers.astype("u1"),
        "bool": numbers % 3 == 0, "text": np.array([f"t{i % 7}" for i in numbers]), "two": np.arange(2.0 * n).reshape(n, 2) / 3,
        "fortran": np.asfortranarray(np.arange(3.0 * n, dtype="f4").reshape(n, 3)), "five": np.ones((n, 5), "f4"),
        "none": np.empty((n, 0)), "f2": numbers.astype("f2"),
    }  # fmt: skip


def a_session(path: Path) -> Path:
    points = np.random.default_rng(1).normal(size=(N, 3)) * 1000
    directions = {"normals": units(N, 3, "f8"), "quaternions": units(N, 4, "f4")}
    exact = cloud("exact", N, points=points, vertex_properties=properties(N, all_kinds(N)), **directions)
    plain = cloud("plain", N, points=np.asfortranarray(points.astype("f4")), quaternions=units(N, 4, "f8"))
    return write_session(path / "s.pickle", [exact, plain], [mesh("mesh", N, points=points.astype("f4"))])


def edit(opened: Opened, how: str) -> None:
    """Change something of all objects."""
    data = [opened[name].data for name in ("exact", "plain", "mesh")]
    if how == "moved":
        for name in ("exact", "plain", "mesh"):
            opened[name].rotation_euler = (0.1, 0.2, 0.3)
        opened.bpy.context.view_layer.update()
    elif how == "values":
        for name in ("f4", "f8", "i8", "text", "late"):
            value = data[0].attributes[name].data[N - 2]
            value.value = 1
    elif how == "without directions":
        for each in data:
            for name in ("normals", "quaternions"):
                if name in each.attributes:
                    each.attributes.remove(each.attributes[name])
    elif how == "bits gone":  # so that whole numbers become others
        for name in [a.name for a in data[0].attributes if a.name.startswith((".late", ".i8"))]:
            data[0].attributes.remove(data[0].attributes[name])
    elif how == "bytes":
        data[0].attributes.new("color", "BYTE_COLOR", "POINT")


@pytest.mark.parametrize("how", ["untouched", "moved", "values", "without directions", "bits gone", "bytes"])
def test_rows_at_a_time_give_the_same_file(
    bpy: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    opened = Opened(bpy, a_session(tmp_path))
    edit(opened, how)
    whole, by_rows = tmp_path / "whole.pickle", tmp_path / "rows.pickle"
    told = [opened.unsaved(), opened.save(whole).changes]
    slabs_from(monkeypatch, N // 2, 1000)
    assert [opened.unsaved(), opened.save(by_rows).changes] == [[], told[1]]
    assert by_rows.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("how", ["untouched", "moved", "values"])
def test_a_save_needs_little_memory(bpy: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    n = MEMORY_N
    columns = properties(n, {"f8": np.arange(n) / 3, "f4": np.ones(n, "f4"), "text": np.array(["a", "bc"] * (n // 2))})
    session = cloud(
        "cloud", n, points=np.arange(3.0 * n).reshape(n, 3) / 3, normals=units(n, 3, "f4"), vertex_properties=columns
    )
    path = write_session(tmp_path / "s.pickle", [session])
    opened = Opened(bpy, path)
    if how == "moved":
        opened["cloud"].location = (1, 2, 3)
        bpy.context.view_layer.update()
    elif how == "values":
        opened["cloud"].data.attributes["f8"].data[5].value = 7
    slabs_from(monkeypatch, 1000, 2**17)
    tracemalloc.start()
    try:
        opened.save(tmp_path / "saved.pickle")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 0.2 * path.stat().st_size
