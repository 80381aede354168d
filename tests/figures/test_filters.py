"""A filter draws what lies in its range or categories, and changes nothing of the session."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.support.make_sessions import cloud, mesh, properties, triangular_mesh, volume, write_session

N = 60


def columns(count: int) -> dict[str, Any]:
    number = np.arange(count)
    return {
        "score": (number / count).astype(np.float32),
        "kind": number % 5,
        "number": number.astype(np.float32),
        "state": np.array(["open", "shut", "odd"])[number % 3],
        "flow": np.stack([number, -number, 0 * number], axis=1).astype(np.float32),
    }


@pytest.fixture
def imported(bpy: ModuleType, tmp_path: Path) -> Any:
    """A cloud and picks with volumes, both with vertex properties."""
    from mosaic_addon import api

    points = np.random.default_rng(1).uniform(0, 500, (N, 3)).astype(np.float32)
    given = {"points": points, "vertex_properties": properties(N, columns(N))}
    return api.load(write_session(tmp_path / "s.pickle", [cloud("cloud", N, **given), volume("picks", N, **given)]))


def drawn(bpy: ModuleType, obj: Any) -> int:
    """How many points of an object are drawn."""
    bpy.context.view_layer.update()
    geometry = obj.evaluated_get(bpy.context.view_layer.depsgraph).evaluated_geometry()
    clouds = [cloud for cloud in (geometry.pointcloud, geometry.instances_pointcloud()) if cloud is not None]
    return sum(len(cloud.attributes["position"].data) for cloud in clouds if "position" in cloud.attributes)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"property": "score", "value_range": (0.25, 0.5)}, 16),
        ({"property": "score", "value_range": (0.25, 0.5), "invert": True}, N - 16),
        ({"property": "kind", "categories": (0, 3)}, 24),
        ({"property": "number", "categories": (0, 3, 23, 24, 47)}, 5),
        ({"property": "kind", "value_range": (1, 2)}, 24),
        ({"property": "state", "categories": ("odd",)}, 20),
        ({"property": "flow", "value_range": (-9, 0), "component": 1}, 10),
        ({"property": "flow", "value_range": (0, 9)}, 7),
    ],
)
def test_what_lies_outside_is_not_drawn(
    bpy: ModuleType, imported: Any, tmp_path: Path, options: dict[str, Any], expected: int
) -> None:
    from mosaic_addon import api

    layer = bpy.context.view_layer
    before = [drawn(bpy, obj) for obj in imported.objects]
    assert before == [N, N]
    assert api.set_filter(imported.objects, api.Filter(**options)) == imported.objects
    assert [drawn(bpy, obj) for obj in imported.objects] == [expected, expected]
    read = api.filter_of(imported.objects[0])
    assert read is not None
    assert read == api.Filter(
        **options | {"value_range": options.get("value_range") and pytest.approx(options["value_range"])}
    )
    assert api.unsaved_changes(imported.collection, bpy.context.scene, layer) == []
    saved = api.save(imported, tmp_path / "saved.pickle")
    assert saved.warnings == []
    assert [len(each.points) for each in api.open_session(tmp_path / "saved.pickle").geometries] == [N, N]
    api.clear_filter(imported.objects)
    assert api.filter_of(imported.objects[0]) is None
    assert [drawn(bpy, obj) for obj in imported.objects] == before


def test_faces_of_meshes_are_filtered(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon import api

    vertices = np.stack([*np.meshgrid(np.arange(10.0), np.arange(10.0), indexing="ij")], axis=-1).reshape(-1, 2)
    corner = (np.arange(9)[:, None] * 10 + np.arange(9)).ravel()
    faces = np.concatenate([corner[:, None] + (0, 1, 10), corner[:, None] + (1, 11, 10)])
    points = np.column_stack([vertices, 0 * vertices[:, 0]])
    model = triangular_mesh(100, vertices=points, triangles=faces.astype(np.int32))
    values = properties(100, {"x": vertices[:, 0].astype(np.float32)})
    imported = api.load(
        write_session(tmp_path / "s.pickle", [], [mesh("m", 100, points=points, model=model, vertex_properties=values)])
    )
    (obj,) = imported.objects
    api.set_filter([obj], api.Filter("x", (0.0, 4.0)))
    bpy.context.view_layer.update()
    evaluated = obj.evaluated_get(bpy.context.view_layer.depsgraph).data
    xs = np.array([vertex.co.x for vertex in evaluated.vertices])
    assert xs.max() <= 4.0 + 1e-5
    assert len(obj.data.polygons) == 162
    assert len(evaluated.polygons) >= 72
    assert api.unsaved_changes(imported.collection, bpy.context.scene, bpy.context.view_layer) == []
    assert api.save(imported, tmp_path / "saved.pickle").warnings == []
    (saved,) = api.open_session(tmp_path / "saved.pickle").geometries
    assert len(saved.model.triangles) == 162


def test_applied_modifiers_leave_a_filter_out(bpy: ModuleType, imported: Any, tmp_path: Path) -> None:
    from mosaic_addon import api

    api.set_filter(imported.objects, api.Filter("score", (0.25, 0.5)))
    options = api.ExportOptions(apply_modifiers=True)
    assert api.save(imported, tmp_path / "saved.pickle", options).warnings == []
    assert [len(each.points) for each in api.open_session(tmp_path / "saved.pickle").geometries] == [N, N]


def test_senseless_filters_are_refused(bpy: ModuleType, imported: Any) -> None:
    from mosaic_addon import api

    for options, words in (
        (api.Filter("missing", (0, 1)), "None of the objects has"),
        (api.Filter("score", (1, 0)), "not smaller"),
        (api.Filter("kind", categories=(99,)), "0 to 47"),
        (api.Filter("state", categories=("wrong",)), "No point has the value 'wrong'"),
        (api.Filter("flow", (0, 1), component=3), "no component 3"),
    ):
        with pytest.raises(api.MosaicError, match=words):
            api.set_filter(imported.objects, options)
    assert all(api.filter_of(obj) is None for obj in imported.objects)
