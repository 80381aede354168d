"""Views draw a part of the points of large objects, renders all of them; no save takes that for an edit."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.built import build, evaluated, set_input
from tests.support.make_sessions import cloud, mesh, trajectory, triangular_mesh, write_session

COUNT = 4000
NAME = "Viewport Amount"


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A large cloud beside two small ones and a mesh; views draw 1000 points."""
    from mosaic_addon.scene.importing import plan

    monkeypatch.setattr(plan, "MAX_IN_VIEW", 1000)
    clusters = [cloud("large", COUNT), cloud("small", 100), cloud("hidden", 100, visible=False)]
    return write_session(tmp_path / "s.pickle", clusters, [mesh("mesh", 900, model=triangular_mesh(900))])


def amount(obj: Any) -> float:
    from mosaic_addon.scene.drawing.representations import input_of

    return float(input_of(obj, NAME))


def drawn(bpy: ModuleType, obj: Any) -> int:
    geometry = evaluated(bpy, obj)  # which owns the points
    return len(geometry.pointcloud.points)


def test_an_import_bounds_what_views_draw(bpy: ModuleType, session: Path) -> None:
    large, small, hidden, mesh = build(bpy, session).objects
    assert [amount(obj) for obj in (large, small, hidden)] == pytest.approx([800 / COUNT, 1, 1])
    assert amount(mesh) == pytest.approx(800 / 900)
    assert drawn(bpy, large) == pytest.approx(800, rel=0.15)
    assert drawn(bpy, small) == 100
    geometry = evaluated(bpy, mesh)
    assert len(geometry.mesh.vertices) == 900
    set_input(mesh, "Representation", "Point Cloud")
    assert drawn(bpy, mesh) == pytest.approx(800, rel=0.15)


def test_a_session_that_views_can_draw_is_drawn_whole(bpy: ModuleType, tmp_path: Path) -> None:
    path = write_session(tmp_path / "s.pickle", [cloud("one", COUNT), cloud("two", 10)], [])
    assert [amount(obj) for obj in build(bpy, path).objects] == [1, 1]


def test_fewer_points_are_drawn_wider(bpy: ModuleType, session: Path) -> None:
    """So that a membrane stays closed; twice as wide at most."""
    large = build(bpy, session).objects[0]
    widths = []
    for part in (1.0, 0.5, 0.04):
        set_input(large, NAME, part)
        geometry = evaluated(bpy, large)
        widths.append(geometry.pointcloud.points[0].radius)
    assert widths[1:] == pytest.approx([widths[0] * 2**0.5, widths[0] * 2])


def test_small_amounts_are_part_of_larger_ones(bpy: ModuleType, session: Path) -> None:
    large = build(bpy, session).objects[0]
    found = []
    for part in (0.1, 0.5, 1.0):
        set_input(large, NAME, part)
        geometry = evaluated(bpy, large)
        points = geometry.pointcloud.points
        values = np.empty(3 * len(points), np.float32)
        points.foreach_get("co", values)
        found.append(set(map(tuple, values.reshape(-1, 3).tolist())))
    few, half, whole = found
    assert few < half < whole
    assert len(whole) == COUNT


@pytest.mark.parametrize("representation", ["Point Cloud", "Normals"])
def test_a_render_draws_all(bpy: ModuleType, tmp_path: Path, representation: str) -> None:
    from mosaic_addon import api

    imported = api.load(write_session(tmp_path / "s.pickle", [cloud("one", 500)], []))
    set_input(imported.objects[0], "Representation", representation)
    pictures = []
    for part in (1.0, 0.0):
        set_input(imported.objects[0], NAME, part)
        path = tmp_path / f"{part}.png"
        api.render(imported, path, api.RenderOptions((40, 30), samples=16, look="flat", background="white"))
        pictures.append(np.asarray(Image.open(path).convert("L"), np.float64))
    assert pictures[0].min() < 250
    whole, drawn = [(255 - picture).sum() for picture in pictures]
    assert drawn == pytest.approx(whole, rel=0.2)  # the arrows are thin, and few rays look for them


@pytest.fixture
def grained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A segmentation of many faces beside one of few."""
    from mosaic_addon.scene.drawing import surfaces

    monkeypatch.setattr(surfaces, "MANY_FACES", 1000)
    many = np.argwhere(np.random.default_rng(0).random((20, 20, 20)) < 0.3)
    return write_session(tmp_path / "s.pickle", [segmentation("many", many), segmentation("few", many[:5])], [])


def segmentation(name: str, voxels: np.ndarray) -> Any:
    state = {"cls": "SegmentationGeometry", "representation": "segmentation"}
    points, rate = (voxels * 10).astype(np.float32), np.full(3, 10, np.float32)
    return cloud(name, **state, points=points, sampling_rate=rate)


def faces(bpy: ModuleType, obj: Any) -> int:
    geometry = evaluated(bpy, obj)  # which owns the mesh
    return len(geometry.mesh.polygons)


def test_views_draw_a_coarser_surface_of_large_segmentations(bpy: ModuleType, grained: Path) -> None:
    from mosaic_addon.scene.drawing.representations import faces_in_views, input_of
    from mosaic_addon.scene.outline.surface_mesh import surface_to_mesh

    many, few = build(bpy, grained).objects
    whole = len(input_of(many, "Surface").data.polygons)
    assert faces(bpy, many) == faces_in_views(many) <= 1000 < whole
    assert faces_in_views(few) is None
    assert amount(few) == 1
    made = surface_to_mesh(many, bpy.context.scene, bpy.context.view_layer)
    assert len(made.data.polygons) > whole  # in triangles
    set_input(many, NAME, 1.0)
    assert faces(bpy, many) == whole
    assert faces_in_views(many) is None


def test_a_coarser_surface_lies_where_the_fine_one_does() -> None:
    from mosaic_addon.scene.shapes.voxels import voxel_surface

    ball = np.argwhere(np.linalg.norm(np.indices((60, 60, 60)) - 29.5, axis=0) < 25) * 10.0
    radii = [np.linalg.norm(voxel_surface(ball, 10, times).vertices - 295, axis=1).mean() for times in (1, 2, 4)]
    assert radii == pytest.approx([radii[0]] * 3, abs=15)  # a voxel and a half, where those of the coarsest are four


def test_a_render_draws_the_whole_surface(bpy: ModuleType, grained: Path, tmp_path: Path) -> None:
    from mosaic_addon import api

    imported = api.load(grained)
    pictures = []
    for part in (0.5, 1.0):
        set_input(imported.objects[0], NAME, part)
        api.render(imported, tmp_path / "x.png", api.RenderOptions((40, 30), samples=4, look="flat"))
        pictures.append(np.asarray(Image.open(tmp_path / "x.png")))
    assert np.ptp(pictures[0]) > 0
    assert (pictures[0] == pictures[1]).all()


def test_the_coarser_surface_follows_a_reload_and_leaves_with_its_object(bpy: ModuleType, grained: Path) -> None:
    from mosaic_addon.scene.drawing.representations import VIEW_SURFACE, input_of
    from mosaic_addon.scene.outline.close import close_session
    from mosaic_addon.scene.reloading.reload import reload_session
    from mosaic_addon.session import open_session

    imported = build(bpy, grained)
    many, few = imported.objects
    block = np.argwhere(np.ones((4, 4, 4)))
    speckle = np.argwhere(np.random.default_rng(1).random((20, 20, 20)) < 0.3)
    new = [segmentation("many", block), segmentation("few", speckle)]
    for old, other in zip(open_session(grained).geometries, new, strict=True):
        vars(other)["uuid"] = old.uuid
    write_session(grained, new, [])
    reload_session(imported.collection, open_session(grained), bpy.context.scene, bpy.context.view_layer)
    assert input_of(many, VIEW_SURFACE) is None
    assert input_of(few, VIEW_SURFACE) is not None
    assert faces(bpy, many) == len(input_of(many, "Surface").data.polygons)
    close_session(imported.collection, bpy.context.scene)
    assert not bpy.data.meshes
    assert not bpy.data.objects


def test_it_is_animated_like_any_input(bpy: ModuleType, session: Path) -> None:
    from mosaic_addon.scene.drawing.representations import inputs_of, modifier_of

    large = build(bpy, session).objects[0]
    modifier = modifier_of(large)
    assert modifier is not None
    path = inputs_of(modifier).data_path(modifier, NAME)
    for frame, part in ((1, 0.0), (11, 1.0)):
        set_input(large, NAME, part)
        large.keyframe_insert(path, frame=frame)
    bpy.context.scene.frame_set(11)
    assert drawn(bpy, large) == COUNT
    bpy.context.scene.frame_set(6)
    assert 0 < drawn(bpy, large) < COUNT


def test_no_save_takes_it_for_an_edit_and_the_blend_keeps_it(bpy: ModuleType, session: Path, tmp_path: Path) -> None:
    from mosaic_addon.scene.exporting.save import unsaved_changes

    imported = build(bpy, session)
    for obj in imported.objects:
        set_input(obj, NAME, 0.25)
    assert not unsaved_changes(imported.collection, bpy.context.scene, bpy.context.view_layer)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "x.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "x.blend"))
    assert amount(bpy.data.objects["large"]) == 0.25


def test_a_reload_keeps_it(bpy: ModuleType, session: Path) -> None:
    """For more points, and for a mesh of which Mosaic has made a trajectory, too."""
    from mosaic_addon.scene.drawing.representations import inputs_of, modifier_of
    from mosaic_addon.scene.reloading.reload import reload_session
    from mosaic_addon.session import open_session

    imported = build(bpy, session)
    for number in (0, 3):
        set_input(imported.objects[number], NAME, 0.25)
    clusters = [cloud("large", COUNT + 1), cloud("small", 100), cloud("hidden", 100, visible=False)]
    film = trajectory("mesh", 900)
    for old, new in zip(open_session(session).geometries, [*clusters, film], strict=True):
        vars(new)["uuid"] = old.uuid
    write_session(session, [*clusters, cloud("added", COUNT)], [film])
    reload_session(imported.collection, open_session(session), bpy.context.scene, bpy.context.view_layer)
    large, small, mesh, added = (bpy.data.objects[name] for name in ("large", "small", "mesh", "added"))
    assert len(large.data.points) == COUNT + 1
    assert "Step" in inputs_of(modifier_of(mesh))
    assert [amount(obj) for obj in (large, small, mesh)] == [0.25, 1, 0.25]
    assert amount(added) < 1
