"""Values of Python's library and numpy's array classes come through Blender as they were, and the real Mosaic has them."""

from __future__ import annotations

import sys
from pathlib import Path, PurePath
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mosaic_addon.session import open_session
from tests.session.test_library_values import TITLES, VALUES, arrays, itself
from tests.support.make_sessions import cloud, mesh, some_points, triangular_mesh, volume, write_session
from tests.support.saved_sessions import Opened, differences


def mapped(tmp_path: Path, values: Any) -> Any:
    found = np.memmap(tmp_path / f"map{len(list(tmp_path.iterdir()))}", values.dtype, "w+", shape=values.shape)
    found[:] = values
    return found


def is_written(value: Any) -> bool:
    """Paths of Python 3.13 are named so that no other Python has them; what we write of them is tested elsewhere."""
    return value is not itself and not (isinstance(value, PurePath) and sys.version_info[:2] == (3, 13))


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A session with all of it: in meta, and arrays of other classes where an object has its points and values."""
    meta = {f"value {number}": value for number, (value, _) in enumerate(VALUES) if is_written(value)}
    found = arrays(tmp_path)
    many = {f"array {number}": found[title] for number, title in enumerate(TITLES) if title in found}
    points = some_points(6)
    grid = np.random.default_rng(3).random((8, 8, 8), np.float32)
    masked = np.ma.array(points, mask=points > 0.5)
    clusters = [
        cloud("healthy", 5),
        cloud("values", 5, meta=meta),
        cloud("arrays", 5, meta=many),
        cloud(
            "mapped", points=mapped(tmp_path, points), normals=mapped(tmp_path, np.tile(np.float32([0, 0, 1]), (6, 1)))
        ),
        cloud("masked", points=masked),
        volume("volume", volume=mapped(tmp_path, grid)),
        volume("masked volume", volume=np.ma.array(grid, mask=grid > 0.5)),
        mesh("mesh", model=triangular_mesh(vertices=mapped(tmp_path, some_points(4)))),
    ]
    return write_session(tmp_path / "odd.pickle", clusters)


def test_what_is_odd_is_shown_and_saved_as_it_was(bpy: ModuleType, odd: Path, tmp_path: Path) -> None:
    opened = Opened(bpy, odd)
    for number, (value, shown) in enumerate(VALUES):
        if is_written(value):
            assert str(opened["values"][f"value {number}"]).startswith(shown) or not shown
    assert opened.unsaved() == []
    target = tmp_path / "saved.pickle"
    saved = opened.save(target)
    assert saved.left_out == []
    assert differences(odd, target) == []
    again = Opened(bpy, target)
    assert again["values"]["value 0"] == opened["values"]["value 0"]


def test_an_edit_changes_that_value_alone(bpy: ModuleType, odd: Path, tmp_path: Path) -> None:
    opened, target = Opened(bpy, odd), tmp_path / "saved.pickle"
    opened["mapped"].data.attributes["position"].data[0].vector = (0, 0, 7)
    opened["values"]["value 0"] = "another day"
    opened.save(target)
    nodes = {geometry.name: geometry.node.fields() for geometry in open_session(target).geometries}
    assert nodes["mapped"]["points"].values[0].tolist() == [0, 0, 7]
    assert repr(nodes["mapped"]["normals"].cls) == repr(nodes["volume"]["volume"].cls) == "numpy.memmap"
    assert nodes["masked"]["points"].mask is not None
    meta = nodes["values"]["meta"].as_dict()
    assert meta["value 0"] == "another day"
    assert repr(meta["value 1"].function) == "datetime.datetime"


def test_the_real_mosaic_has_the_same(bpy: ModuleType, odd: Path, tmp_path: Path, mosaic: Any) -> None:
    target = tmp_path / "saved.pickle"
    Opened(bpy, odd).save(target)
    assert mosaic.differences(odd, target) == []
    assert len(mosaic.load(target)["geometries"]) == len(mosaic.load(odd)["geometries"]) == 8
