"""Surfaces of volumes, segmentations and fits: right, kept in the .blend, contoured again, and missing without harm."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mosaic_addon.scene.shapes.isosurface import volume_surface
from mosaic_addon.session import MosaicError
from tests.support.built import build, datablocks, inputs_of, set_input
from tests.support.drawn import Part, parts_of
from tests.support.make_sessions import MISSING, an_object, cloud, mesh, volume, write_session

APART = {"angstrom_per_unit": 1.0, "recentre": False, "pixel_size": 2.0}
PLACE = np.array([[10, 20, 30]], np.float32)
SPACING = np.array([5, 6, 7], np.float32)


def ball(dtype: str = "f4", size: int = 14) -> np.ndarray:
    """A volume that is highest in its middle."""
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, size)] * 3, indexing="ij"))
    return (100 * np.exp(-3 * (grid**2).sum(axis=0))).astype(dtype)


def a_volume(name: str = "volume", percentile: float | None = 90.0, **state: Any) -> Any:
    look = {} if percentile is None else {"isovalue_percentile": percentile}
    usual = {
        "points": PLACE,
        "volume": ball(),
        "volume_sampling_rate": SPACING,
        "target_resolution": 1.0,
        "appearance": look,
    }
    return volume(name, 1, **{**usual, "quaternions": None, **state})


def objects_of(bpy: ModuleType, tmp_path: Path, *geometries: Any) -> list[Any]:
    return build(bpy, write_session(tmp_path / "s.pickle", list(geometries)), **APART).objects


def vertices(mesh: Any) -> np.ndarray:
    found = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.attributes["position"].data.foreach_get("vector", found)
    return found.reshape(-1, 3)


def mesh_of(obj: Any) -> Any:
    from mosaic_addon.scene.drawing.surfaces import volume_mesh

    return volume_mesh(obj)


# --- volumes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["f4", "f8", ">f4", "f2", "i1", "u1", "i2", "u2", "i4", "i8", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_the_values_of_a_volume_are_kept_exactly(bpy: ModuleType, tmp_path: Path, dtype: str, order: str) -> None:
    from mosaic_addon.scene.drawing.surfaces import volume_values

    values = np.asarray(ball(dtype)[:, :9, :5], order=order)  # type: ignore[call-overload]
    (obj,) = objects_of(bpy, tmp_path, a_volume(volume=values))
    name = mesh_of(obj).name
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "kept.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "kept.blend"))
    kept = bpy.data.meshes[name]
    found = volume_values(kept)
    assert found.dtype == values.dtype
    np.testing.assert_array_equal(found, values)
    assert list(kept["mosaic_spacing"]) == SPACING.tolist()


@pytest.mark.parametrize("percentile", [None, 0.0, 80.0, 99.9])
@pytest.mark.parametrize("resolution", [None, 0.0, 30.0])
def test_the_surface_is_what_the_session_asks_for(
    bpy: ModuleType, tmp_path: Path, percentile: float | None, resolution: float | None
) -> None:
    state = MISSING if resolution is None else resolution
    (obj,) = objects_of(bpy, tmp_path, a_volume(percentile=percentile, target_resolution=state))
    expected = volume_surface(ball(), SPACING, percentile, 10.0 if resolution is None else resolution)
    kept = mesh_of(obj)
    np.testing.assert_array_equal(vertices(kept), expected.vertices)
    assert len(kept.polygons) == len(expected.triangles)
    assert kept["mosaic_target_resolution"] == (10.0 if resolution is None else resolution)
    assert kept.get("mosaic_isovalue_percentile") == percentile
    set_input(obj, "Representation", "Volume")
    drawn = parts_of(bpy, obj)
    if len(expected.vertices):
        np.testing.assert_allclose(drawn[0].points, expected.vertices + PLACE, atol=1e-3)


def test_geometries_that_show_a_volume_alike_share_its_surface_and_others_do_not(
    bpy: ModuleType, tmp_path: Path
) -> None:
    shared, equal = ball(), ball()
    objects = objects_of(
        bpy,
        tmp_path,
        a_volume("a", volume=shared),
        a_volume("b", volume=shared),
        a_volume("other isovalue", 80.0, volume=shared),
        a_volume("other resolution", volume=shared, target_resolution=25.0),
        a_volume("another volume", volume=equal),
    )
    surfaces = [mesh_of(obj).name for obj in objects]
    assert surfaces[0] == surfaces[1]
    assert len(set(surfaces)) == 4


def test_a_shared_volume_at_another_spacing_has_a_surface_of_its_own(bpy: ModuleType, tmp_path: Path) -> None:
    shared = ball()
    wide = SPACING * np.float32(2)
    objects = objects_of(
        bpy, tmp_path, a_volume("a", volume=shared), a_volume("b", volume=shared, volume_sampling_rate=wide)
    )
    narrow, wider = (np.ptp(vertices(mesh_of(obj)), axis=0) for obj in objects)
    np.testing.assert_allclose(wider, 2 * narrow, rtol=1e-5)


def test_a_volume_without_surface_is_told_of_for_each_geometry(bpy: ModuleType, tmp_path: Path) -> None:
    flat = np.full((4, 4, 4), 7, np.float32)
    path = write_session(tmp_path / "s.pickle", [a_volume("one", volume=flat), a_volume("two", volume=flat)])
    imported = build(bpy, path, **APART)
    for name in ("one", "two"):
        (said,) = [text for text in imported.warnings if repr(name) in text]
        assert "no surface" in said
        assert ".." not in said
    for obj in imported.objects:
        assert parts_of(bpy, obj) == []
        set_input(obj, "Representation", "Point Cloud")
        assert [len(part.points) for part in parts_of(bpy, obj)] == [1]


def test_surfaces_are_in_no_scene_and_survive_saving(bpy: ModuleType, tmp_path: Path) -> None:
    geometries = [a_volume("v"), a_segmentation("s"), a_fit("f", *SPHERE)]
    names = [obj.name for obj in objects_of(bpy, tmp_path, *geometries)]
    before = {name: drawn_surface(bpy, bpy.data.objects[name]).points for name in names}
    assert {obj.name for obj in bpy.context.scene.objects if obj.type != "EMPTY"} == set(names)
    for _ in range(2):  # what has no user is gone after the second time at the latest
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "kept.blend"))
        bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "kept.blend"))
    for name in names:
        np.testing.assert_array_equal(drawn_surface(bpy, bpy.data.objects[name]).points, before[name])


def drawn_surface(bpy: ModuleType, obj: Any) -> Part:
    if "mosaic_model" in obj:
        set_input(obj, "Representation", "Fitted Surface")
    (part,) = parts_of(bpy, obj)
    return part


# --- contouring again ------------------------------------------------------------------------------------------------


def test_another_isovalue_or_resolution_changes_the_surface(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing.surfaces import contour_again

    (obj,) = objects_of(bpy, tmp_path, a_volume())
    kept = mesh_of(obj)
    for percentile, resolution in ((70.0, 1.0), (95.0, 1.0), (95.0, 20.0), (None, 0.0)):
        contour_again(kept, percentile, resolution)
        expected = volume_surface(ball(), SPACING, percentile, resolution)
        (part,) = parts_of(bpy, obj)
        np.testing.assert_allclose(part.points, expected.vertices + PLACE, atol=1e-3)
        assert len(part.corners) == len(expected.triangles)
        assert set(part.materials) == {obj.material_slots[0].material.name}
        assert (kept.get("mosaic_isovalue_percentile"), kept["mosaic_target_resolution"]) == (percentile, resolution)


def test_smooth_shading_follows_the_new_surface(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing.surfaces import contour_again

    (obj,) = objects_of(bpy, tmp_path, a_volume())
    kept = mesh_of(obj)
    list(kept.corner_normals)  # read once, as a viewport does
    contour_again(kept, 70.0, 1.0)
    expected = volume_surface(ball(), SPACING, 70.0, 1.0)
    found = np.array([normal.vector for normal in kept.corner_normals])
    np.testing.assert_allclose(found, expected.normals[expected.triangles.reshape(-1)], atol=1e-3)


def test_an_isovalue_without_surface_is_refused_and_the_old_one_stays(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing.surfaces import contour_again

    steps = np.zeros((6, 6, 6), np.float32)
    steps[2:4, 2:4, 2:4] = 1
    (obj,) = objects_of(bpy, tmp_path, a_volume(volume=steps, percentile=98.0))
    kept = mesh_of(obj)
    before = vertices(kept)
    assert len(before)
    with pytest.raises(MosaicError, match="no surface") as refused:
        contour_again(kept, 0.0, 1.0)
    assert ".." not in str(refused.value)
    np.testing.assert_array_equal(vertices(kept), before)
    assert (kept["mosaic_isovalue_percentile"], kept["mosaic_target_resolution"]) == (98.0, 1.0)
    contour_again(kept, None, 30.0)
    before = vertices(kept)
    with pytest.raises(MosaicError):
        contour_again(kept, 0.0, 1.0)
    np.testing.assert_array_equal(vertices(kept), before)
    assert "mosaic_isovalue_percentile" not in kept


@pytest.fixture
def addon(bpy: ModuleType) -> Iterator[ModuleType]:
    """Blender with the extension registered."""
    import mosaic_addon

    mosaic_addon.register()
    yield bpy
    mosaic_addon.unregister()


def test_the_operator_contours_the_active_volume(addon: ModuleType, tmp_path: Path) -> None:
    (obj,) = objects_of(addon, tmp_path, a_volume())
    addon.context.view_layer.objects.active = obj
    found = addon.ops.mosaic.contour_volume(isovalue_percentile=75.0, target_resolution=20.0)
    assert found == {"FINISHED"}
    expected = volume_surface(ball(), SPACING, 75.0, 20.0)
    np.testing.assert_array_equal(vertices(mesh_of(obj)), expected.vertices)
    operator = addon.ops.mosaic.contour_volume.get_rna_type()
    assert operator.name == "Contour Volume"
    assert {"REGISTER", "UNDO"} <= set(addon.types.MOSAIC_OT_contour_volume.bl_options)


def test_the_operator_reports_that_there_is_no_surface(addon: ModuleType, tmp_path: Path) -> None:
    steps = np.zeros((6, 6, 6), np.float32)
    steps[2:4, 2:4, 2:4] = 1
    (obj,) = objects_of(addon, tmp_path, a_volume(volume=steps, percentile=98.0))
    addon.context.view_layer.objects.active = obj
    before = vertices(mesh_of(obj))
    with pytest.raises(RuntimeError, match="has no surface there"):
        addon.ops.mosaic.contour_volume(isovalue_percentile=0.0, target_resolution=0.0)
    np.testing.assert_array_equal(vertices(mesh_of(obj)), before)


def test_the_operator_wants_an_active_volume(addon: ModuleType, tmp_path: Path) -> None:
    objects = objects_of(addon, tmp_path, cloud(), mesh(), a_segmentation("s"), a_fit("f", *SPHERE))
    foreign = addon.data.objects.new("foreign", addon.data.meshes.new("foreign"))
    foreign.modifiers.new("Mosaic", "NODES")
    addon.context.scene.collection.objects.link(foreign)
    for obj in (None, *objects, foreign):
        addon.context.view_layer.objects.active = obj
        assert not addon.ops.mosaic.contour_volume.poll()
        with pytest.raises(RuntimeError, match="active that shows a volume"):
            addon.ops.mosaic.contour_volume()


# --- segmentations ---------------------------------------------------------------------------------------------------


def a_segmentation(name: str, points: np.ndarray | None = None, **state: Any) -> Any:
    block = np.stack(np.meshgrid(*[np.arange(3)] * 3), axis=-1).reshape(-1, 3) * 10
    points = (block if points is None else points).astype(np.float32)
    rate = np.full(3, 10, np.float32)
    usual = {"cls": "SegmentationGeometry", "representation": "segmentation", "points": points, "sampling_rate": rate}
    return cloud(name, **{**usual, **state})


def test_a_segmentation_is_the_surface_of_its_voxels(bpy: ModuleType, tmp_path: Path) -> None:
    (obj,) = objects_of(bpy, tmp_path, a_segmentation("s"))
    (part,) = parts_of(bpy, obj)
    np.testing.assert_allclose(part.points.min(axis=0), -5, atol=1e-3)  # half a voxel outside
    np.testing.assert_allclose(part.points.max(axis=0), 25, atol=1e-3)
    set_input(obj, "Representation", "Point Cloud")
    assert [len(part.points) for part in parts_of(bpy, obj)] == [27]


def test_blender_finds_nothing_to_mend_in_a_segmentation(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing.representations import input_of

    speckle = np.argwhere(np.random.default_rng(0).random((20, 21, 22)) < 0.4) * 10
    (obj,) = objects_of(bpy, tmp_path, a_segmentation("s", speckle))
    mesh = input_of(obj, "Surface").data
    assert not mesh.validate(verbose=True)
    assert {len(face.vertices) for face in mesh.polygons} == {3, 4}
    assert len(mesh.loops) == 2 * len(mesh.edges)  # closed, and no edge for each face alone
    found = set(mesh.edge_keys)
    assert len(found) == len(mesh.edges)
    assert all(set(face.edge_keys) <= found for face in mesh.polygons)
    corners = [mesh.edges[loop.edge_index].vertices[:] for loop in mesh.loops]
    assert all(loop.vertex_index in ends for loop, ends in zip(mesh.loops, corners))


def test_surfaces_are_computed_before_blender_asks_for_them(bpy: ModuleType, tmp_path: Path) -> None:
    """And are each their own, however many more there are than are begun at once."""
    from mosaic_addon.scene.drawing.representations import input_of

    blocks = [np.argwhere(np.ones((n, n, n))) * 10 for n in range(1, 9)]
    objects = objects_of(bpy, tmp_path, *[a_segmentation(f"s{n}", block) for n, block in enumerate(blocks)])
    for n, obj in enumerate(objects, start=1):
        assert np.ptp(vertices(input_of(obj, "Surface").data)[:, 0]) == pytest.approx(10 * n)


def test_a_segmentation_that_no_grid_holds_is_told_of(bpy: ModuleType, tmp_path: Path) -> None:
    odd = np.full((3, 3), np.nan)
    imported = build(bpy, write_session(tmp_path / "s.pickle", [a_segmentation("odd", odd)]), **APART)
    (said,) = [text for text in imported.warnings if "no surface" in text]
    assert "'odd'" in said
    assert parts_of(bpy, imported.objects[0]) == []


# --- fits ------------------------------------------------------------------------------------------------------------

CENTER = np.array([100.0, -50, 20])
TURN = np.array([[0.36, 0.48, -0.8], [-0.8, 0.6, 0], [0.48, 0.64, 0.6]])
SPHERE = ("Sphere", {"radius": 80.0, "center": CENTER})
ELLIPSOID = ("Ellipsoid", {"radii": np.array([90.0, 60, 30]), "center": CENTER, "orientations": TURN})
CYLINDER = ("Cylinder", {"centers": CENTER, "orientations": TURN, "radius": 40.0, "height": 200.0})


def a_fit(name: str, cls: str, state: dict[str, Any], **more: Any) -> Any:
    points = np.random.default_rng(3).normal(size=(20, 3)).astype(np.float32) * 50
    return cloud(name, points=points, model=an_object(f"mosaic.parametrization.{cls}", state), **more)


def fitted(bpy: ModuleType, obj: Any) -> Part:
    set_input(obj, "Representation", "Fitted Surface")
    (part,) = parts_of(bpy, obj)
    assert set(part.materials) == {obj.material_slots[0].material.name}
    return part


def test_a_fit_is_shown_as_its_points_until_its_surface_is_asked_for(bpy: ModuleType, tmp_path: Path) -> None:
    (obj,) = objects_of(bpy, tmp_path, a_fit("f", *SPHERE))
    assert inputs_of(obj)["Representation"] == "Point Cloud"
    assert parts_of(bpy, obj)[0].is_cloud


def test_the_fitted_surfaces_are_their_formulas(bpy: ModuleType, tmp_path: Path) -> None:
    objects = objects_of(bpy, tmp_path, *[a_fit(fit[0], *fit) for fit in (SPHERE, ELLIPSOID, CYLINDER)])
    sphere, ellipsoid, cylinder = (fitted(bpy, obj).points - CENTER for obj in objects)
    np.testing.assert_allclose(np.linalg.norm(sphere, axis=1), 80, rtol=1e-5)
    along = ellipsoid @ TURN / ELLIPSOID[1]["radii"]
    np.testing.assert_allclose(np.linalg.norm(along, axis=1), 1, rtol=1e-4)
    along = cylinder @ TURN
    across = np.linalg.norm(along[:, :2], axis=1)
    on_side = np.isclose(across, 40, rtol=1e-4)
    on_cap = np.isclose(np.abs(along[:, 2]), 100, rtol=1e-4)
    assert (on_side | on_cap).all()
    assert on_side.any()
    assert on_cap.any()
    assert across.max() < 40.01


def test_the_fits_of_a_session_of_mosaic_pass_through_its_own_points(bpy: ModuleType, sessions: Path) -> None:
    imported = build(bpy, sessions / "mosaic-1.3.2.pickle", **APART)
    seen = set()
    for obj in imported.objects:
        if obj.modifiers["Mosaic"].node_group.name != "Mosaic Fit":
            continue
        surface = fitted(bpy, obj)
        own = np.array([point.co for point in obj.data.points])
        size = np.ptp(own, axis=0).max()
        near = np.array([distance_to(surface, point) for point in own[::10]])
        # Points lie on the true surface; ours is of triangles, and the tube of a curve is 8 pixels wide.
        # Mosaic samples a cylinder on one of twelve sides.
        room = {"SplineCurve": 8 * 2.0 / 2 * 1.01, "Cylinder": 0.01 * size}.get(obj["mosaic_model"], 0.005 * size)
        # A sheet through scattered points has spikes finer than its triangles.
        assert (np.median(near) if obj["mosaic_model"] == "RBF" else near.max()) < room, obj.name
        seen.add(obj["mosaic_model"])
    assert seen == {"Sphere", "Ellipsoid", "Cylinder", "RBF", "SplineCurve"}


def distance_to(surface: Part, point: np.ndarray) -> float:
    """From a point to the nearest place on the triangles, or halves of quadrangles, near it."""
    corners = np.array([(face[0], face[i], face[i + 1]) for face in surface.corners for i in range(1, len(face) - 1)])
    a, b, c = (surface.points[corners[:, i]] for i in range(3))
    u, v, w = b - a, c - a, point - a
    uu, uv, vv = (np.einsum("ij,ij->i", *pair) for pair in ((u, u), (u, v), (v, v)))
    wu, wv = np.einsum("ij,ij->i", w, u), np.einsum("ij,ij->i", w, v)
    with np.errstate(divide="ignore", invalid="ignore"):
        s, t = ((vv * wu - uv * wv) / (uu * vv - uv**2), (uu * wv - uv * wu) / (uu * vv - uv**2))
    inside = (s >= -0.01) & (t >= -0.01) & (s + t <= 1.01)
    found = [np.linalg.norm(point - surface.points, axis=1).min()]
    if inside.any():
        found.append(np.linalg.norm(w - s[:, None] * u - t[:, None] * v, axis=1)[inside].min())
    return float(min(found))


def spline(knots: list[float], values: list[float]) -> Any:
    """As scipy pickles a spline of degree one."""
    return an_object("scipy.interpolate._fitpack2.UnivariateSpline", _eval_args=(np.array(knots), np.array(values), 1))


def a_curve(name: str, **more: Any) -> Any:
    knots = [0.0, 0.0, 0.5, 1.0, 1.0]
    splines = [spline(knots, values) for values in ([0.0, 100, 100], [0.0, 0, 200], [7.0, 7, 7])]
    state = {"positions": np.zeros((3, 3)), "_splines": splines}
    return a_fit(name, "SplineCurve", state, **more)


def test_a_fitted_curve_is_a_closed_tube_of_points_width(bpy: ModuleType, tmp_path: Path) -> None:
    (obj,) = objects_of(bpy, tmp_path, a_curve("curve"))
    for pixels in (8.0, 3.0):
        set_input(obj, "Tube Width", pixels)
        tube = fitted(bpy, obj)
        legs = [np.array([[0, 0, 7], [100, 0, 7]], float), np.array([[100, 0, 7], [100, 200, 7]], float)]
        near = []
        for start, end in legs:
            way = end - start
            along = np.clip((tube.points - start) @ way / (way @ way), 0, 1)
            near.append(np.linalg.norm(tube.points - start - along[:, None] * way, axis=1))
        distance = np.min(near, axis=0)
        assert np.median(distance) == pytest.approx(pixels * 2.0 / 2, rel=1e-3)  # a pixel is 2 angstrom
        assert distance.max() < pixels * 2.0 / 2 * 1.5
        edges: dict[tuple[int, ...], int] = {}
        for face in tube.corners:
            for edge in zip(face, [*face[1:], face[0]]):
                edges[tuple(sorted(edge))] = edges.get(tuple(sorted(edge)), 0) + 1
        assert set(edges.values()) == {2}, "it has a hole"


BROKEN = {
    "no radius": ("Sphere", {**SPHERE[1], "radius": 0.0}),
    "a radius that is no number": ("Sphere", {**SPHERE[1], "radius": np.nan}),
    "a centre that is no number": ("Sphere", {**SPHERE[1], "center": np.array([np.nan, 0, 0])}),
    "flat": ("Ellipsoid", {**ELLIPSOID[1], "radii": np.array([1.0, 1, 0])}),
    "axes in a plane": ("Ellipsoid", {**ELLIPSOID[1], "orientations": np.ones((3, 3))}),
    "no height": ("Cylinder", {**CYLINDER[1], "height": 0.0}),
    "endless": ("Cylinder", {**CYLINDER[1], "height": np.inf}),
}


@pytest.mark.parametrize("what", [*BROKEN])
def test_a_broken_fit_is_told_of_and_its_points_are_shown(bpy: ModuleType, tmp_path: Path, what: str) -> None:
    imported = build(bpy, write_session(tmp_path / "s.pickle", [a_fit("broken", *BROKEN[what])]), **APART)
    assert [text for text in imported.warnings if "'broken'" in text]
    assert not [text for text in imported.warnings if ".." in text]
    (obj,) = imported.objects
    assert [len(part.points) for part in parts_of(bpy, obj)] == [20]
    if obj.modifiers["Mosaic"].node_group.name == "Mosaic Fit":
        set_input(obj, "Representation", "Fitted Surface")
        for part in parts_of(bpy, obj):
            assert np.isfinite(part.points).all()


def test_nothing_beside_the_surfaces_is_made(bpy: ModuleType, tmp_path: Path) -> None:
    before = datablocks(bpy)
    objects_of(bpy, tmp_path, a_volume("v"), a_segmentation("s"), a_fit("f", *SPHERE), a_curve("c"))
    new = datablocks(bpy) - before
    assert sorted(name for kind, name, _ in new if kind == "meshes") == ["f Surface", "s Surface", "v Surface"]
    assert [name for kind, name, _ in new if kind == "curves"] == ["c Surface"]
