"""What the Information panel tells of an object, and that it is quick about it."""

import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.support.make_sessions import an_object, cloud, mesh, properties, trajectory, volume, write_session


@pytest.fixture
def addon(bpy: ModuleType) -> Iterator[ModuleType]:
    import mosaic_addon

    mosaic_addon.register()
    yield bpy
    mosaic_addon.unregister()


def opened(bpy: ModuleType, tmp_path: Path, *geometries: Any) -> list[Any]:
    bpy.ops.mosaic.load_session(filepath=str(write_session(tmp_path / "s.pickle", geometries)))
    return [bpy.data.objects[vars(geometry)["meta"]["name"]] for geometry in geometries]


def test_counts_and_extent_are_those_of_the_points(addon: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing.facts import counts_of

    points = np.array([[0, 1, 2], [10, -5, 2.5], [3, 3, 3]], np.float32)
    few, faces, none, odd = opened(
        addon,
        tmp_path,
        cloud("few", points=points, vertex_properties=properties(3, {})),
        mesh("faces", 6),
        cloud("none", 0),
        cloud("odd", points=np.full((2, 3), np.nan, np.float32), vertex_properties=properties(2, {})),
    )
    counts = counts_of(few.data)
    assert counts is not None
    assert (counts.points, counts.faces, counts.lower, counts.upper) == (3, None, (0, -5, 2), (10, 3, 3))
    assert (counts_of(faces.data).points, counts_of(faces.data).faces) == (6, 4)
    assert (counts_of(none.data).points, counts_of(none.data).lower) == (0, None)
    assert (counts_of(odd.data).points, counts_of(odd.data).lower) == (2, None)


def test_ranges_are_told_as_a_reader_wants_them(addon: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing.facts import range_of

    columns = {
        "curvature": np.array([0.25, -1.5, np.nan, 3]),
        "label": np.array([1, 2000, 3, 4]),
        "same": np.full(4, 7),
        "flag": np.array([True, False, True, True]),
        "vector": np.arange(12.0).reshape(4, 3),
        "kind": np.array(["b", "a", "b", "c"]),
        "kinds": np.array(["b", "a", "d", "c"]),
        "nothing": np.full(4, np.nan),
        "huge": np.array([1, 2, 3, 2**40]),
    }
    obj, none = opened(
        addon,
        tmp_path,
        cloud("c", 4, vertex_properties=properties(4, columns)),
        cloud("none", 0, vertex_properties=properties(0, {"a": np.zeros(0)})),
    )
    assert {name: range_of(obj.data, name) for name in columns} == {
        "curvature": "-1.5 to 3",
        "label": "1 to 2,000",
        "same": "7",
        "flag": "3 of 4 true",
        "vector": "3 columns, 0 to 11",
        "kind": "a, b, c",
        "kinds": "a, b, c and 1 more",
        "nothing": "no numbers",
        "huge": "1 to 1,099,511,627,776",
    }
    assert range_of(none.data, "a") == "no values"
    obj.data.attributes.remove(obj.data.attributes["label"])
    addon.context.view_layer.update()
    assert range_of(obj.data, "label") in ("its attribute is missing", "1 to 2,000")


def test_numbers_are_worked_out_once_and_again_after_a_change(
    addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mosaic_addon.scene.drawing import facts

    (obj,) = opened(addon, tmp_path, mesh("m", 4))
    worked_out = []
    count = facts._count

    def noted(data: Any) -> Any:
        worked_out.append(data.name)
        return count(data)

    monkeypatch.setattr(facts, "_count", noted)
    before = [facts.counts_of(obj.data) for _ in range(3)][-1]
    assert worked_out == ["m"]
    obj.location.x = 5  # another kind of change
    addon.context.view_layer.update()
    assert facts.counts_of(obj.data) is before
    obj.data.vertices[0].co.x = 99_999
    obj.data.update()
    addon.context.view_layer.update()
    after = facts.counts_of(obj.data)
    assert worked_out == ["m", "m"]
    assert after.upper[0] == 99_999  # type: ignore[union-attr, index]


def test_another_file_begins_with_nothing_remembered(addon: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing import facts

    (obj,) = opened(addon, tmp_path, mesh("m", 4))
    facts.counts_of(obj.data)
    assert facts._known
    addon.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    assert not facts._known


def test_disabling_takes_the_handlers_away(bpy: ModuleType) -> None:
    import mosaic_addon

    def ours() -> list[str]:
        lists = (getattr(bpy.app.handlers, name) for name in dir(bpy.app.handlers) if name.endswith(("_post", "_pre")))
        return [function.__name__ for handlers in lists for function in handlers if "mosaic" in function.__module__]

    mosaic_addon.register()
    assert len(ours()) == 7
    mosaic_addon.unregister()
    assert ours() == []


def test_what_is_remembered_is_bounded(addon: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing import facts

    columns = {str(number): np.zeros(1, np.int32) for number in range(facts.MAX_REMEMBERED + 10)}
    (obj,) = opened(addon, tmp_path, cloud("c", 1, vertex_properties=properties(1, columns)))
    for name in columns:
        facts.range_of(obj.data, name)
    assert len(facts._known) == facts.MAX_REMEMBERED


def test_a_mesh_being_edited_is_told_from_what_was_known_before(addon: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing import facts

    (obj,) = opened(addon, tmp_path, mesh("m", 4))
    addon.context.view_layer.objects.active = obj
    addon.ops.object.mode_set(mode="EDIT")
    assert facts.counts_of(obj.data) is None
    addon.ops.object.mode_set(mode="OBJECT")
    assert facts.counts_of(obj.data).points == 4  # type: ignore[union-attr]
    addon.ops.object.mode_set(mode="EDIT")
    known = facts.counts_of(obj.data)
    assert known is None or known.points == 4
    addon.ops.object.mode_set(mode="OBJECT")


@pytest.mark.parametrize(
    ("timing", "expected"),
    [
        ({}, {-3: 0, 1: 0, 2: 1, 3: 2, 50: 2}),
        ({"Start": 10, "Step": 2}, {9: 0, 11: 0, 12: 1, 13: 1, 14: 2, 99: 2}),
        ({"Loop": True}, {0: 2, 1: 0, 3: 2, 4: 0, 8: 1}),
    ],
)
def test_the_step_of_a_trajectory_is_the_one_that_is_drawn(
    addon: ModuleType, tmp_path: Path, timing: dict[str, Any], expected: dict[int, int]
) -> None:
    from mosaic_addon.scene.drawing.facts import frame_at, frames_of, shown_data
    from mosaic_addon.scene.drawing.representations import set_inputs

    (obj,) = opened(addon, tmp_path, trajectory("t", frames=3))
    set_inputs([obj], timing)
    steps = frames_of(obj)
    assert {frame: frame_at(obj, len(steps), frame) for frame in expected} == expected
    for frame, step in expected.items():
        addon.context.scene.frame_set(frame)
        drawn = obj.evaluated_get(addon.context.evaluated_depsgraph_get()).to_mesh()
        shown = shown_data(obj, frame)
        assert shown == steps[step].data
        assert [tuple(v.co) for v in drawn.vertices] == [tuple(v.co) for v in shown.vertices]


def test_models_tell_their_numbers(addon: ModuleType, sessions: Path) -> None:
    from mosaic_addon.scene.drawing.facts import model_parameters

    addon.ops.mosaic.load_session(filepath=str(sessions / "mosaic-1.3.2.pickle"))
    told = {obj.name: model_parameters(obj) for obj in addon.data.objects if "mosaic_class" in obj}
    assert told["Sphere"] == {"Model": "Sphere", "Radius": "450 Å", "Centre": "5000, 1500, 800 Å"}
    assert told["Cylinder"] == {
        "Model": "Cylinder",
        "Radius": "300 Å",
        "Height": "1197.8 Å",
        "Centre": "7405.6, 1493, 824.07 Å",
        "Axis": "0.00, 0.00, 1.00",
    }
    assert told["Ellipsoid"]["Radii"] == "450, 270, 180 Å"
    assert told["Ellipsoid"]["Axis 2"] == "0.00, -1.00, 0.00"
    assert told["RBF xz"]["Function"] == "linear"
    assert told["RBF xz"]["Plane"] == "xz"
    assert told["RBF xz"]["Fitted to"] == "225 points"
    assert told["SplineCurve order3"] == {"Model": "SplineCurve", "Fitted to": "25 points"}
    assert told["PoissonMesh"] == {"Model": "PoissonMesh"}
    assert told["plain cloud"] == {}


def test_the_axis_of_a_cylinder_is_the_last_column_and_an_old_fit_is_found_in_meta(
    addon: ModuleType, tmp_path: Path
) -> None:
    from mosaic_addon.scene.drawing.facts import model_parameters

    columns = np.array([[0.0, 0.6, 0.8], [1.0, 0.0, 0.0], [0.0, 0.8, -0.6]])
    state = {"radius": 5, "height": 20.0, "centers": np.arange(3.0), "orientations": columns}
    fit = an_object("mosaic.parametrization.Cylinder", state)
    new, old = opened(addon, tmp_path, cloud("new", 2, model=fit), cloud("old", 2, model=None, meta={"fit": fit}))
    told = model_parameters(new)
    assert told["Axis"] == "0.80, 0.00, -0.60"
    assert "Axis 1" not in told
    assert model_parameters(old) == told


def test_a_model_in_no_known_form_is_named_and_nothing_more(addon: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing.facts import model_parameters

    states = {
        "text": {"radius": "wide", "center": np.array(["a", "b", "c"]), "orientations": np.full((3, 3), "x")},
        "nested": {"radius": [[1], 2, {}], "center": an_object("odd.Thing"), "orientations": 5},
    }
    made = [cloud(name, 2, model=an_object("mosaic.parametrization.Sphere", state)) for name, state in states.items()]
    objects = opened(addon, tmp_path, *made, cloud("damaged", 2, model=an_object("mosaic.parametrization.Sphere")))
    objects[-1]["mosaic_record"] = b"nonsense"
    for obj in objects:
        told = model_parameters(obj)
        assert told["Model"] == "Sphere"
        assert all(isinstance(text, str) for text in told.values())


def test_a_volume_tells_its_voxels(addon: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing.facts import volume_parameters

    obj, plain = opened(addon, tmp_path, volume("v"), cloud("c", 2))
    assert volume_parameters(obj) == {"Voxels": "4 x 5 x 6", "Voxel size": "10 x 10 x 10 Å"}
    assert volume_parameters(plain) == {}


def test_meta_is_told_without_our_own_properties(addon: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing.facts import children_of, meta_of, value_text

    meta = {
        "origin": "tomo_1.mrc",
        "score": 0.123456789,
        "list": [1, 2, 3],
        "nested": {"a": {"b": np.arange(300)}, "flag": True},
        "raw": b"12345",
        "long": "line one\nline two " * 20,
    }
    (obj,) = opened(addon, tmp_path, cloud("c", 2, meta=meta))
    told = meta_of(obj)
    assert list(told) == list(meta)
    plain = {key: value_text(value) for key, value in told.items() if children_of(value) is None}
    assert plain["origin"] == "tomo_1.mrc"
    assert plain["score"] == "0.123457"
    assert plain["list"] == "1, 2, 3"
    assert plain["raw"] == "3132333435"
    assert len(plain["long"]) == 80
    assert "\n" not in plain["long"]
    nested = dict(children_of(told["nested"]) or [])
    inner = dict(children_of(nested["a"]) or [])
    assert children_of(inner["b"]) is None
    assert value_text(inner["b"]).endswith("…")
    assert value_text(nested["flag"]) in ("True", "1")


def test_asking_again_is_quick_whatever_the_size(addon: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing import facts

    columns = properties(500_000, {name: np.random.default_rng(1).random(500_000) for name in "abc"})
    big, moving = opened(
        addon, tmp_path, cloud("big", 500_000, vertex_properties=columns), trajectory("t", n=50, frames=150)
    )

    def ask(obj: Any) -> None:
        data = facts.shown_data(obj, 3)
        facts.counts_of(data)
        for name in ("a", "b", "c"):
            facts.range_of(data, name)
        facts.model_parameters(obj)
        facts.volume_parameters(obj)
        facts.meta_of(obj)

    for obj in (big, moving):
        ask(obj)
        took = []
        for _ in range(20):
            start = time.perf_counter()
            ask(obj)
            took.append(time.perf_counter() - start)
        assert min(took) < 0.001
