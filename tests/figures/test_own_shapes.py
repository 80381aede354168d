"""An object or collection of the user's stands at each point, and the session keeps its representation."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.support.make_sessions import cloud, mesh, write_session

HALF = 0.5**0.5
POINTS = np.array([[0, 0, 0], [100, 0, 0], [0, 200, 50]], np.float32)
QUATERNIONS = np.array([[1, 0, 0, 0], [HALF, HALF, 0, 0], [HALF, 0, HALF, 0]], np.float32)  # about x, about y


@pytest.fixture
def imported(bpy: ModuleType, tmp_path: Path) -> Any:
    from mosaic_addon import api

    picks = cloud("picks", 3, points=POINTS, quaternions=QUATERNIONS)
    return api.load(write_session(tmp_path / "s.pickle", [picks], [mesh("m")]))


@pytest.fixture
def arrow(bpy: ModuleType) -> Any:
    """An object of two vertices, from (1, 0, 0) along its x."""
    data = bpy.data.meshes.new("Arrow")
    data.from_pydata([(1, 0, 0), (3, 0, 0)], [(0, 1)], [])
    arrow = bpy.data.objects.new("Arrow", data)
    bpy.context.scene.collection.objects.link(arrow)
    arrow.location = (9, 9, 9)  # its own place does not count
    return arrow


def drawn(bpy: ModuleType, obj: Any) -> Any:
    """The vertices of what stands at the points, in angstrom, (points, vertices, 3)."""
    bpy.context.view_layer.update()
    inverse = obj.matrix_world.inverted()
    return np.array(
        [
            [inverse @ copy.matrix_world @ vertex.co for vertex in copy.object.data.vertices]
            for copy in bpy.context.view_layer.depsgraph.object_instances
            if copy.is_instance and copy.parent.original == obj
        ]
    )


@pytest.mark.parametrize("of_collection", [False, True])
def test_shapes_stand_at_the_points(
    bpy: ModuleType, imported: Any, arrow: Any, tmp_path: Path, of_collection: bool
) -> None:
    from mosaic_addon import api

    obj = imported.objects[0]
    shape: Any = arrow
    if of_collection:
        arrow.location = (0, 0, 0)
        shape = bpy.data.collections.new("Arrows")
        shape.objects.link(arrow)
    options = api.OwnShape(shape, 10.0, pivot=(1.0, 0.0, 0.0), axis=(1.0, 0.0, 0.0))
    assert api.set_own_shape(imported.objects, options) == [obj]
    seen = drawn(bpy, obj)
    assert np.allclose(seen[:, 0], POINTS, atol=1e-3)  # the pivot
    along = seen[:, 1] - seen[:, 0]
    assert np.allclose(along, [(0, 0, 20), (0, -20, 0), (20, 0, 0)], atol=1e-3)  # z, turned by each quaternion
    assert api.own_shape_of(obj) == options
    assert api.unsaved_changes(imported.collection, bpy.context.scene, bpy.context.view_layer) == []
    api.save(imported, tmp_path / "saved.pickle")
    assert api.open_session(tmp_path / "saved.pickle").clusters.geometries[0].representation == "pointcloud"
    api.clear_own_shape(imported.objects)
    assert api.own_shape_of(obj) is None
    assert all(modifier.show_render and modifier.show_viewport for modifier in obj.modifiers)


def test_shapes_are_filtered_and_cut(bpy: ModuleType, imported: Any, arrow: Any) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.figures.cuts import facing

    obj = imported.objects[0]
    api.set_own_shape([obj], api.OwnShape(arrow, 10.0))
    api.add_cut(bpy.context.scene, imported.collection, api.Cut("plane", (50.0, 0.0, 0.0), facing((1.0, 0.0, 0.0))))
    assert len(drawn(bpy, obj)) == 2


def test_senseless_shapes_are_refused(bpy: ModuleType, imported: Any, arrow: Any) -> None:
    from mosaic_addon import api

    picks, surface = imported.objects
    for objects, options, words in (
        ([surface], api.OwnShape(arrow), "None of the objects has points"),
        ([picks], api.OwnShape(arrow, 0.0), "cannot be 0 angstrom"),
        ([picks], api.OwnShape(arrow, axis=(0.0, 0.0, 0.0)), "its axis not zero"),
        ([picks], api.OwnShape(picks), "cannot stand at its own points"),
    ):
        with pytest.raises(api.MosaicError, match=words):
            api.set_own_shape(objects, options)
    assert api.own_shape_of(picks) is None
