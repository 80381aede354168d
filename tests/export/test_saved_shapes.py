"""Points, directions, faces and fits after an object was moved, stretched or edited."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from mosaic_addon.session import Session, open_session
from tests.support.make_sessions import (
    cloud,
    mesh,
    properties,
    triangular_mesh,
    write_session,
)
from tests.support.saved_sessions import NEWEST, Opened
from tests.support.user_edits import (
    COLORED,
    PLACE,
    SURFACE,
    TURN,
    Edit,
    apply_transform,
    found,
    in_edit_mode,
    move_vertices,
    named,
    pick_all,
    put,
    saved,
    select,
)


def matrix(scale: tuple[float, float, float] = (1, 1, 1)) -> np.ndarray:
    """The linear part of what an object with TURN and `scale` does to its points."""
    from mathutils import Euler

    return np.array(Euler(TURN).to_matrix()) @ np.diag(scale)


def turned_z(quaternions: np.ndarray) -> np.ndarray:
    """Where each quaternion, scalar first, turns (0, 0, 1)."""
    w, x, y, z = quaternions.T
    return np.stack([2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)], axis=1)


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_points_and_directions_follow_an_object(opened: Opened, tmp_path: Path) -> None:
    before = named(open_session(NEWEST), "basis")
    put("basis", location=PLACE, rotation_euler=TURN, scale=(2, 2, 2))(opened)
    after = named(saved(opened, tmp_path), "basis")
    turn = matrix()
    assert after.points.dtype == np.float32
    np.testing.assert_allclose(after.points, before.points @ (2 * turn).T + PLACE, rtol=1e-5)
    np.testing.assert_allclose(after.normals, before.normals @ turn.T, atol=1e-5)
    np.testing.assert_allclose(turned_z(after.quaternions), turned_z(before.quaternions) @ turn.T, atol=1e-5)
    np.testing.assert_allclose(turned_z(after.quaternions), after.normals, atol=1e-5)


def test_a_mesh_that_was_stretched_and_mirrored_still_faces_outwards(opened: Opened, tmp_path: Path) -> None:
    put(SURFACE, location=PLACE, rotation_euler=TURN, scale=(-1, 2, 0.5))(opened)
    after = named(saved(opened, tmp_path), SURFACE)
    corners = after.model.vertices[after.model.triangles]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    outwards = corners.mean(axis=1) - after.model.vertices.mean(axis=0)
    assert (np.einsum("ij,ij->i", across, outwards) > 0).all()
    assert (np.einsum("ij,ij->i", after.normals, after.points - after.points.mean(axis=0)) > 0).all()
    face_normals = after.node.fields()["model"].fields()["triangle_normals"].values
    np.testing.assert_allclose(face_normals, unit(across), atol=1e-6)
    np.testing.assert_allclose(after.model.vertex_normals, after.normals, atol=1e-6)


@pytest.mark.parametrize("scale", [(1, 1, 1), (2, 2, 2), (1, 2, 3)])
def test_points_still_lie_on_their_fit(opened: Opened, tmp_path: Path, scale: tuple[float, float, float]) -> None:
    names = ["Sphere", "Ellipsoid", "Cylinder"]
    for name in names:
        put(name, location=PLACE, rotation_euler=TURN, scale=scale)(opened)
    before, after = open_session(NEWEST), saved(opened, tmp_path)

    def misfit(name: str, session: Session) -> float:
        geometry = named(session, name)
        fit = geometry.model
        if name == "Sphere":
            return np.abs(np.linalg.norm(geometry.points - fit.center, axis=1) / fit.radius - 1).max()
        if name == "Ellipsoid":
            return np.abs(
                np.linalg.norm((geometry.points - fit.center) @ fit.orientations / fit.radii, axis=1) - 1
            ).max()
        local = (geometry.points - fit.centers) @ fit.orientations
        assert abs(local[:, 2]).max() == pytest.approx(fit.height / 2, rel=0.2)
        return np.abs(np.linalg.norm(local[:, :2], axis=1) / fit.radius - 1).max()

    for name in names:
        if scale == (1, 2, 3) and name != "Ellipsoid":
            assert named(after, name).model is None
        else:
            assert misfit(name, after) < misfit(name, before) + 1e-4, name


@pytest.mark.parametrize("name", ["SplineCurve order1", "SplineCurve order3"])
def test_a_curve_moves_with_its_points(opened: Opened, tmp_path: Path, name: str) -> None:
    from mosaic_addon.scene.shapes.parametric import spline_curve

    def line(session: Session) -> np.ndarray:
        splines = named(session, name).model.splines
        return spline_curve(
            [(s.knots, s.coefficients, s.degree) if s.kind == "bspline" else (s.coefficients, s.knots) for s in splines]
        )

    put(name, location=PLACE, rotation_euler=TURN, scale=(1, 2, 3))(opened)
    before, after = open_session(NEWEST), saved(opened, tmp_path)
    affine = matrix((1, 2, 3))
    np.testing.assert_allclose(line(after), line(before) @ affine.T + PLACE, rtol=1e-4, atol=0.05)
    positions = [named(session, name).model.positions for session in (before, after)]
    np.testing.assert_allclose(positions[1], positions[0] @ affine.T + PLACE, rtol=1e-5)


def test_only_where_vertices_were_moved_normals_are_renewed(opened: Opened, tmp_path: Path) -> None:
    before = named(open_session(NEWEST), SURFACE)
    move_vertices(opened)
    after = named(saved(opened, tmp_path), SURFACE)
    faces = before.model.triangles
    near = np.unique(faces[np.isin(faces, np.arange(5)).any(axis=1)])
    far = np.setdiff1d(np.arange(len(before.points)), near)
    np.testing.assert_array_equal(after.normals[far], before.normals[far])
    np.testing.assert_array_equal(after.model.vertex_normals[far], before.model.vertex_normals[far])
    corners = after.model.vertices[faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    shape = np.zeros_like(after.model.vertices)
    np.add.at(shape, faces, across[:, None, :])
    np.testing.assert_allclose(after.normals[near], unit(shape)[near], atol=1e-6)
    assert np.abs(after.normals[near] - before.normals[near]).max() > 0.01


def test_applying_a_transform_turns_a_meshs_normals(opened: Opened, tmp_path: Path) -> None:
    before = named(open_session(NEWEST), SURFACE)
    apply_transform(opened)
    after = named(saved(opened, tmp_path), SURFACE)
    np.testing.assert_allclose(after.points, before.points @ matrix().T + PLACE, rtol=1e-4)
    np.testing.assert_allclose(after.normals, before.normals @ matrix().T, atol=1e-3)


def test_all_turned_round_is_as_it_was_after_another_time(opened: Opened, tmp_path: Path) -> None:
    in_edit_mode(COLORED, pick_all, lambda ops: ops.mesh.flip_normals(), lambda ops: ops.mesh.flip_normals())(opened)
    before, after = named(open_session(NEWEST), COLORED), named(saved(opened, tmp_path), COLORED)
    np.testing.assert_array_equal(after.normals, before.normals)


def test_faces_that_are_joined_to_quads_are_not_turned_round(opened: Opened, tmp_path: Path) -> None:
    in_edit_mode(COLORED, pick_all, lambda ops: ops.mesh.tris_convert_to_quads())(opened)
    result = opened.save(tmp_path / "edited.pickle")
    assert result.changes == [f"models '{COLORED}': faces changed"]
    before, after = named(open_session(NEWEST), COLORED), named(open_session(tmp_path / "edited.pickle"), COLORED)
    np.testing.assert_array_equal(after.normals, before.normals)


@pytest.mark.parametrize(
    ("name", "staying"),
    [
        ("basis", "not its normals and quaternions,"),
        ("Cylinder", r"not its normals and fit \(Cylinder\),"),
        ("plain cloud", ""),
    ],
)
def test_an_applied_turn_of_points_is_told_where_directions_stay(
    opened: Opened, tmp_path: Path, name: str, staying: str
) -> None:
    put(name, rotation_euler=TURN)(opened)
    select(opened, name)
    opened.bpy.ops.object.transform_apply(location=False, rotation=True, scale=False)
    warnings = opened.save(tmp_path / "edited.pickle").warnings
    assert len(warnings) == bool(staying)
    assert all(re.search(staying, warning) for warning in warnings)


def change_places(attribute: str, key: str) -> Edit:
    """Give the first and the last two of four points each other's values."""

    def edit(opened: Opened) -> None:
        items = opened["c"].data.attributes[attribute].data
        values = np.empty(12 if key == "vector" else 4, np.float32 if key == "vector" else np.int32)
        items.foreach_get(key, values)
        items.foreach_set(key, np.roll(values.reshape(4, -1), 2, axis=0).reshape(-1))

    return edit


@pytest.mark.parametrize(
    ("edit", "change"),
    [
        (change_places("position", "vector"), "points moved"),
        (change_places("label", "value"), "values of vertex properties"),
    ],
)
def test_what_changes_places_is_noticed(bpy: ModuleType, tmp_path: Path, edit: Edit, change: str) -> None:
    labels = {"label": np.array([1, 1, 2, 2], np.int32)}
    opened = Opened(bpy, write_session(tmp_path / "s.pickle", [cloud("c", 4, vertex_properties=properties(4, labels))]))
    assert opened.unsaved() == []
    edit(opened)
    assert [text.split(": ")[1].split(",")[0] for text in opened.unsaved()] == [change]


def test_a_plain_quad_is_turned_round_with_its_normals(bpy: ModuleType, tmp_path: Path) -> None:
    square = np.float32([[0, 0, 0], [100, 0, 0], [100, 100, 0], [0, 100, 0]])
    normals = np.tile(np.float32([0, 0, 1]), (4, 1))
    model = triangular_mesh(4, vertices=square.astype(np.float64))
    made = mesh("m", 4, points=square, normals=normals, model=model)
    opened = Opened(bpy, write_session(tmp_path / "s.pickle", models=[made]))
    opened["m"].data.flip_normals()
    assert opened.save(tmp_path / "edited.pickle").changes == ["models 'm': faces turned round"]
    after = open_session(tmp_path / "edited.pickle").models.geometries[0]
    np.testing.assert_array_equal(after.normals, -normals)


def test_a_pinned_shape_key_counts(opened: Opened, tmp_path: Path) -> None:
    obj = opened["BallPivoting"]
    obj.shape_key_add(name="Basis")
    key = obj.shape_key_add(name="Longer")
    for vertex in key.data:
        vertex.co.x += 1000
    key.value, obj.active_shape_key_index, obj.show_only_shape_key = 0.0, 1, True
    opened.save(tmp_path / "edited.pickle", apply_modifiers=True)
    before, after = (named(open_session(path), "BallPivoting") for path in (NEWEST, tmp_path / "edited.pickle"))
    np.testing.assert_allclose(after.points, before.points + np.float32([1000, 0, 0]), rtol=1e-5)


def test_shape_keys_count_where_modifiers_are_applied(opened: Opened, tmp_path: Path) -> None:
    obj = opened["BallPivoting"]
    obj.shape_key_add(name="Basis")
    assert opened.save(tmp_path / "edited.pickle").warnings == []
    key = obj.shape_key_add(name="Longer")
    for vertex in key.data:
        vertex.co.x += 1000
    key.value = 0.0
    assert opened.save(tmp_path / "edited.pickle", apply_modifiers=True).changes == []
    key.value = 0.5
    (warning,) = opened.save(tmp_path / "edited.pickle").warnings
    assert "'BallPivoting': its shape keys do not count; save with Apply Modifiers" in warning
    assert found(NEWEST, tmp_path / "edited.pickle") == {}
    assert opened.save(tmp_path / "edited.pickle", apply_modifiers=True).warnings == []
    before, after = (named(open_session(path), "BallPivoting") for path in (NEWEST, tmp_path / "edited.pickle"))
    np.testing.assert_allclose(after.points, before.points + np.float32([500, 0, 0]), rtol=1e-5)


def test_a_flattened_cloud_keeps_normals_that_have_no_direction_any_more(opened: Opened, tmp_path: Path) -> None:
    before = named(open_session(NEWEST), "basis")
    put("basis", scale=(1, 1, 0))(opened)
    after = named(saved(opened, tmp_path), "basis")
    np.testing.assert_allclose(after.points, before.points * (1, 1, 0), rtol=1e-6)
    expected = np.zeros_like(before.normals)
    expected[:, 2] = np.sign(before.normals[:, 2])
    expected = np.where(before.normals[:, 2:] == 0, before.normals, expected)
    np.testing.assert_allclose(after.normals, expected, atol=1e-5)
