"""Building a session leaves nothing beside it: neither what it needs meanwhile, nor what was made before a failure."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mosaic_addon.session import MosaicError, open_session
from tests.session.test_session_truth import FOLDER
from tests.support.built import (
    build,
    datablocks,
)
from tests.support.make_sessions import (
    cloud,
    mesh,
    properties,
    trajectory,
    tree,
    volume,
    write_session,
)


def test_nothing_is_left_of_what_the_import_needs_meanwhile(bpy: ModuleType, tmp_path: Path) -> None:
    before = datablocks(bpy)
    build(bpy, write_session(tmp_path / "s.pickle", [cloud(f"cloud {i}") for i in range(3)], [mesh("mesh")]))
    new = sorted((kind, name) for kind, name, _ in datablocks(bpy) - before)
    names = ["cloud 0", "cloud 1", "cloud 2", "mesh"]
    assert [name for kind, name in new if kind == "objects"] == [*names, "s"]
    assert [name for kind, name in new if kind == "pointclouds"] == names[:3]
    assert [name for kind, name in new if kind == "meshes"] == names[3:]
    assert [name for kind, name in new if kind == "collections"] == ["Clusters", "Models", "s"]
    assert {kind for kind, _ in new} == {"objects", "pointclouds", "meshes", "materials", "node_groups", "collections"}
    assert [scene.name for scene in bpy.data.scenes] == ["Scene"]


class Stop(Exception):
    pass


FAILURES = [
    ("importing.build:_new_root", 1), ("importing.build:_new_data", 1), ("importing.build:_new_data", 3), ("importing.build:_new_object", 1),
    ("importing.build:_new_object", 3), ("importing.build:_fill_container", 2), ("importing.build:write_attribute", 1), ("importing.build:write_columns", 2),
    ("importing.build:new_mesh", 1), ("importing.build:MaterialFactory.new", 2), ("importing.build:session_properties", 1),
    ("importing.build:RepresentationFactory.add", 3), ("compat:PointCloudFactory.new", 2), ("drawing.representations:_finish", 1),
    ("drawing.materials:_build_surface", 1), ("importing.build:write_original", 1), ("drawing.surfaces:SurfaceFactory.new", 1),
    ("drawing.surfaces:_contour", 1), ("importing.build:new_frames", 1),
]  # fmt: skip


@pytest.mark.parametrize(("where", "call"), FAILURES)
@pytest.mark.parametrize("error", [Stop, KeyboardInterrupt])
def test_a_failure_half_way_leaves_nothing(
    bpy: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, call: int, error: type
) -> None:
    import importlib

    module, _, path = where.partition(":")
    owner: Any = importlib.import_module(f"mosaic_addon.scene.{module}")
    *owners, name = path.split(".")
    for step in owners:
        owner = getattr(owner, step)
    original, calls = getattr(owner, name), []

    def fail_in_time(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        result = original(*args, **kwargs)
        if len(calls) == call:
            raise error
        return result

    clouds = [cloud(f"c{i}", 3, normals=np.eye(3, dtype=np.float32)) for i in range(3)]
    path = write_session(tmp_path / "s.pickle", [*clouds, volume("v")], [mesh("m"), trajectory("t")])
    before = datablocks(bpy)
    monkeypatch.setattr(owner, name, fail_in_time)
    with pytest.raises(error):
        build(bpy, path)
    assert len(calls) == call
    assert datablocks(bpy) == before
    monkeypatch.undo()
    assert len(build(bpy, path).objects) == 6


def test_progress_that_fails_leaves_nothing(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.importing.build import build_session

    def progress(fraction: float) -> None:
        raise Stop

    before = datablocks(bpy)
    with pytest.raises(Stop):
        build_session(
            open_session(write_session(tmp_path / "s.pickle", [cloud()])), bpy.context.scene, progress=progress
        )
    assert datablocks(bpy) == before


def test_progress_grows_from_nothing_to_at_most_all(bpy: ModuleType) -> None:
    from mosaic_addon.scene.importing.build import build_session

    seen: list[float] = []
    build_session(open_session(FOLDER / "mosaic-1.3.2.pickle"), bpy.context.scene, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[0] == 0
    assert seen[-1] <= 1


# --- the budget ------------------------------------------------------------------------------------------------------


KINDS = ["objects", "groups", "points", "faces", "frames", "vertex properties", "values of vertex properties"]


@pytest.mark.parametrize("what", KINDS)
def test_what_takes_minutes_is_opened_only_when_asked_to(
    bpy: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    from mosaic_addon.scene.importing import plan
    from mosaic_addon.scene.importing.build import build_session

    assert list(plan.LIMITS) == KINDS
    monkeypatch.setitem(plan.LIMITS, what, plan.Limit(1, 1, 1))
    clouds = [cloud(str(i), vertex_properties=properties(5, {"a": np.zeros(5)})) for i in range(2)]
    names = {"a": [clouds[0].uuid], "b": [clouds[1].uuid]}
    groups = {"_data_tree": tree(["a", "b"], names, {"a": "A", "b": "B"})}
    session = open_session(write_session(tmp_path / "s.pickle", clouds, [trajectory()], **groups))
    before = datablocks(bpy)
    with pytest.raises(MosaicError, match=what):
        build_session(session, bpy.context.scene)
    assert datablocks(bpy) == before
    assert len(build_session(session, bpy.context.scene, unlimited=True).objects) == 3


def small_files() -> dict[str, tuple[list[Any], list[Any], dict[str, Any]]]:
    """Sessions that name one part thousands of times: clusters, models and other keys of the state."""
    points = np.zeros((0, 3), np.float32)
    many = [cloud("same", points=points, uuid=None) for _ in range(3000)]
    shared = vars(many[0])
    for obj in many[1:]:
        for key in shared:
            setattr(obj, key, shared[key])
    column = np.zeros(20_000)
    film = trajectory(frames=1)
    film.trajectory = film.trajectory * 5000
    groups: dict[str, list[str]] = {str(number): [] for number in range(3000)}
    return {
        "objects": (many, [], {}),
        "frames": ([], [film], {}),
        "values of vertex properties": (
            [cloud("c", 20_000, vertex_properties=properties(20_000, {str(i): column for i in range(260)}))], [], {},
        ),
        "groups": ([cloud()], [], {"_data_tree": tree(list(groups), groups, dict.fromkeys(groups, "g"))}),
    }  # fmt: skip


@pytest.mark.parametrize("what", ["objects", "frames", "values of vertex properties", "groups"])
def test_what_a_small_file_makes_much_of_is_opened_only_when_asked_to(
    bpy: ModuleType, tmp_path: Path, what: str
) -> None:
    from mosaic_addon.scene.importing.build import build_session

    clusters, models, keys = small_files()[what]
    path = write_session(tmp_path / "s.pickle", clusters, models, **keys)
    session = open_session(path)
    before = datablocks(bpy)
    with pytest.raises(MosaicError, match=rf"holds [\d,]+ {what}, more than the [\d,]+ of a file of [\d,]+ bytes"):
        build_session(session, bpy.context.scene)
    assert datablocks(bpy) == before


def test_the_state_of_a_session_is_not_changed_by_building_it(bpy: ModuleType) -> None:
    from mosaic_addon.session.describe import describe

    session = open_session(FOLDER / "mosaic-1.3.2.pickle")
    before = describe(session)
    build(bpy, session)
    assert describe(session) == before
