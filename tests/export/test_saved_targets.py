"""Sessions of all releases saved for other releases: these load all of it, and what they cannot hold is said."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mosaic_addon.session import Session, open_session
from mosaic_addon.session.session import Group, Mesh
from tests.support.make_sessions import mesh, triangular_mesh, volume, write_session
from tests.support.real_mosaic import RealMosaic
from tests.support.saved_sessions import FILES, NEWEST, Opened, units

TARGETS = ("1.0.12", "1.1.1", "1.2.4", "1.3.2")
PICKLES = [path for path in FILES if path.suffix == ".pickle"]
# Another release's Mosaic, where it is installed: MOSAIC_PYTHON_1_1_1 and so on are its Pythons.
OLDER = {target: os.environ.get(f"MOSAIC_PYTHON_{target.replace('.', '_')}") for target in TARGETS}
# What is said of the files of the newest release, by target.
LOST = {
    "1.0.12": ["target resolution"] * 6 + ["no segmentations", "physical shape"],
    "1.1.1": ["no segmentations", "physical shape"],
    "1.2.4": ["vertex properties of segmentations", "physical shape"],
    "1.3.2": [],
}


def browser(session: Session) -> dict[str, list[Any]]:
    """What Mosaic's window lists."""
    return {
        part.name: [
            [item.name, [g.name for g in item.geometries]] if isinstance(item, Group) else item.name
            for item in part.items
        ]
        for part in (session.clusters, session.models)
    }


def assert_holds(before: Session, after: Session) -> None:
    """All that every release knows is there."""
    assert [len(part) for part in (after.clusters, after.models)] == [
        len(part) for part in (before.clusters, before.models)
    ]
    assert after.shape == before.shape
    assert len(after.clusters.groups) == len(before.clusters.groups)
    for one, other in zip(before.geometries, after.geometries, strict=True):
        what = f"{one.container} {one.name!r}"
        np.testing.assert_array_equal(other.points, one.points, what)
        if one.normals is not None:
            np.testing.assert_array_equal(other.normals, one.normals, what)
        if one.quaternions is not None:
            np.testing.assert_array_equal(other.quaternions, one.quaternions, what)
        assert (other.visible, other.appearance) == (one.visible, one.appearance), what
        assert list(other.vertex_properties) in (list(one.vertex_properties), []), what
        assert type(other.model) is type(one.model), what
        if isinstance(one.model, Mesh):
            np.testing.assert_array_equal(other.model.triangles, one.model.triangles, what)
        assert len(other.frames or ()) == len(one.frames or ()), what
        if one.volume is not None:
            np.testing.assert_array_equal(other.volume.values, one.volume.values, what)
        assert {**other.meta, "name": None, "fit": None}.keys() == {**one.meta, "name": None, "fit": None}.keys(), what


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("path", PICKLES, ids=lambda path: path.stem)
def test_all_that_a_release_knows_is_there(bpy: ModuleType, tmp_path: Path, path: Path, target: str) -> None:
    opened = Opened(bpy, path)
    saved = opened.save(tmp_path / "saved.pickle", target=target)
    before, after = open_session(path), open_session(tmp_path / "saved.pickle")
    assert (saved.changes, saved.left_out) == ([], [])
    assert [text for text in after.warnings if "no volume to show" not in text] == []
    assert_holds(before, after)
    if path == NEWEST:
        assert len(saved.warnings) == len(LOST[target])
        for text in set(LOST[target]):
            assert sum(text in warning for warning in saved.warnings) == LOST[target].count(text)
    assert opened.unsaved() == []  # it is a copy for others: the session stays that of its own file


def test_mosaic_loads_all_of_them(bpy: ModuleType, tmp_path: Path, mosaic: RealMosaic) -> None:
    """The newest, and those of the targets and between that are named by variables."""
    others = {target: RealMosaic(python) for target, python in OLDER.items() if python and target != "1.3.2"}
    for path in PICKLES:
        bpy.ops.wm.read_factory_settings(use_empty=True)
        opened = Opened(bpy, path)
        for target in TARGETS:
            file = tmp_path / f"{path.stem} {target}.pickle"
            opened.save(file, target=target)
            session = open_session(file)
            running = [
                mosaic,
                *[other for release, other in others.items() if release_of(release) >= release_of(target)],
            ]
            for program in running:
                told = program.load(file)
                assert told["browser"] == browser(session), file
                assert len(told["geometries"]) == len(session.geometries)
                empty = {item["name"] for item in told["geometries"] if not item["drawn"]}
                # Tiny splats, what has no points, and volumes whose surface is empty.
                drawn = {g.name for g in session.geometries if g.representation not in ("gaussian_density", "volume")}
                assert not empty & drawn - {"empty"}, (file, program.python)


def release_of(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def test_old_sessions_load_in_the_newest_mosaic_with_everything(
    bpy: ModuleType, tmp_path: Path, mosaic: RealMosaic
) -> None:
    """It refuses colabseg's own files, and knows nothing of volumes and models where the first releases kept them."""
    for name in ("colabseg", "1.0.0"):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        path = FILES[0].parent / f"mosaic-{name}.pickle"
        Opened(bpy, path).save(tmp_path / "new.pickle", target="1.3.2")
        before, told = open_session(path), mosaic.load(tmp_path / "new.pickle")
        assert told["shape"] == list(before.shape)
        for geometry, item in zip(before.geometries, told["geometries"], strict=True):
            assert (item["points"], item["visible"]) == (len(geometry.points), geometry.visible), geometry.name
            assert item["representation"] == geometry.representation, geometry.name
            assert (item["model"] is None) == (geometry.model is None), geometry.name  # some have new names there
            faces = len(geometry.model.triangles) if isinstance(geometry.model, Mesh) else item["faces"]
            assert item["faces"] == faces, geometry.name
            assert set(item["columns"]) == set(geometry.vertex_properties)
            expected = geometry.appearance.isovalue_percentile
            assert item["appearance"].get("isovalue_percentile") == (
                expected if expected is None else pytest.approx(expected)
            )
            assert item["drawn"] or geometry.representation in ("gaussian_density", "volume"), geometry.name
    assert mosaic.refusal(FILES[0].parent / "mosaic-colabseg.pickle") is not None


def test_volumes_that_stand_along_normals_do_so_in_the_newest_mosaic(bpy: ModuleType, tmp_path: Path) -> None:
    opened = Opened(bpy, FILES[0].parent / "mosaic-1.1.1.pickle")
    opened.save(tmp_path / "new.pickle", target="1.3.2")
    after = next(g for g in open_session(tmp_path / "new.pickle").clusters if g.name == "volume normals only")
    w, x, y, z = after.quaternions.astype(float).T
    directions = np.stack([2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)], axis=1)
    np.testing.assert_allclose(directions, after.normals, atol=1e-5)
    np.testing.assert_allclose(z, 0, atol=1e-6)  # the shortest way


def test_turns_to_all_directions() -> None:
    import bpy  # noqa: F401 - without it there is no mathutils

    from mosaic_addon.scene.data.placement import turns_from_z

    normals = np.float32([[0, 0, 1], [0, 0, -1], [5, 0, 0], [0, -2, 0], [0, 0, 0], *units(20, 3, "f4")])
    w, x, y, z = turns_from_z(normals).astype(float).T
    directions = np.stack([2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)], axis=1)
    expected = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
    expected[4] = (0, 0, 1)
    np.testing.assert_allclose(directions, expected, atol=1e-6)


@pytest.mark.parametrize("name", ["BallPivoting", "AlphaShape", "ShrinkWrap"])
def test_meshes_that_a_release_does_not_know_are_plain_ones(bpy: ModuleType, tmp_path: Path, name: str) -> None:
    path = write_session(tmp_path / "s.pickle", [volume("v")], [mesh("m", model=triangular_mesh(cls=name))])
    opened = Opened(bpy, path)
    for target in TARGETS:
        opened.save(tmp_path / "saved.pickle", target=target)
        model = open_session(tmp_path / "saved.pickle").models[0].model
        assert model.class_name == (name if target in ("1.2.4", "1.3.2") else "TriangularMesh")
