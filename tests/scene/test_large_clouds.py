"""Large clouds go from the file into Blender's memory, without a copy between."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from mosaic_addon.session import MosaicError, open_session, pickle_reader
from tests.support.built import datablocks, positions
from tests.support.make_sessions import cloud, properties, write_session
from tests.support.saved_sessions import units

N = 200_000


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from mosaic_addon.session import rows

    monkeypatch.setattr(pickle_reader, "LATE", 2**16)
    monkeypatch.setattr(rows, "SLAB", 2**17)
    columns = properties(N, {"one": np.arange(N, dtype="f4"), "six": np.ones((N, 6), "f4")})
    points = np.arange(3 * N, dtype="f4").reshape(N, 3)
    made = cloud(
        "cloud", N, points=points, normals=units(N, 3, "f4"), quaternions=units(N, 4, "f4"), vertex_properties=columns
    )
    return write_session(tmp_path / "s.pickle", [made])


def test_they_are_what_stands_in_the_file(bpy: ModuleType, path: Path, tmp_path: Path) -> None:
    from mosaic_addon import api

    imported = api.load(path)
    (obj,), read = imported.objects, open_session(path).geometries[0]
    assert np.array_equal(positions(obj), read.points)
    if isinstance(obj.data, bpy.types.PointCloud):
        drawn = np.array(obj.bound_box).max(axis=0)
        assert np.allclose(drawn, read.points.max(axis=0), rtol=0.02)  # with the balls around them
    values = np.empty((N, 3), np.float32)
    obj.data.attributes["normals"].data.foreach_get("vector", values.reshape(-1))
    assert np.array_equal(values, read.normals)
    assert api.unsaved_changes(imported.collection, bpy.context.scene, bpy.context.view_layer) == []
    api.save(imported.collection, tmp_path / "saved.pickle")
    saved = open_session(tmp_path / "saved.pickle").geometries[0]
    for name, array in {"quaternions": read.quaternions, **read.vertex_properties}.items():
        assert np.array_equal(saved.quaternions if name == "quaternions" else saved.vertex_properties[name], array)


def test_opening_needs_little_memory_beside_blenders(bpy: ModuleType, path: Path) -> None:
    from mosaic_addon import api

    tracemalloc.start()
    try:
        api.load(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # The six columns of one property, which Blender has no attribute for, are the most that is read at once.
    assert peak < 0.45 * path.stat().st_size


def test_a_file_that_is_changed_while_it_is_opened_leaves_nothing(bpy: ModuleType, path: Path) -> None:
    from mosaic_addon.scene.importing.build import build_steps

    session = open_session(path, wait=True)
    steps = build_steps(session, bpy.context.scene, keep=False)
    next(steps)
    before = datablocks(bpy)
    os.utime(path, ns=(1, 1))
    with pytest.raises(MosaicError, match=f"{path.name} was changed while it was read"):
        list(steps)
    assert datablocks(bpy) == before
