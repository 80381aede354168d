"""The surface around points as numbers: closed, where the points are, without steps; odd points make sense or a sentence."""

from __future__ import annotations

import numpy as np
import pytest

from mosaic_addon.scene.shapes.membrane import Membrane, membrane_surface

RATE = 6.8  # angstrom
RANDOM = np.random.default_rng(3)


def directions(count: int) -> np.ndarray:
    away = RANDOM.normal(size=(count, 3))
    return away / np.linalg.norm(away, axis=1)[:, None]


def on_grid(points: np.ndarray) -> np.ndarray:
    return (np.unique(np.rint(points / RATE), axis=0) * RATE).astype(np.float32)


def sheet(side: int, z: float = 0.0, spacing: float = RATE) -> np.ndarray:
    x, y = np.meshgrid(np.arange(side), np.arange(side))
    return np.stack((x.ravel() * spacing, y.ravel() * spacing, np.full(x.size, z)), axis=1)


def edges_of(made: Membrane) -> np.ndarray:
    """How many triangles each edge has."""
    corners = made.surface.triangles
    edges = np.sort(np.concatenate([corners[:, pair] for pair in ([0, 1], [1, 2], [2, 0])]), axis=1)
    return np.unique(edges, axis=0, return_counts=True)[1]


def pieces_of(made: Membrane) -> int:
    """How many connected pieces a surface has."""
    label = np.arange(len(made.surface.vertices))
    while True:
        lowest = label[made.surface.triangles].min(axis=1)
        new = label.copy()
        for corner in range(3):
            np.minimum.at(new, made.surface.triangles[:, corner], lowest)
        new = new[new]
        if np.array_equal(new, label):
            return len(np.unique(label))
        label = new


def is_sound(made: Membrane) -> None:
    assert made.surface.reason == ""
    assert np.isfinite(made.surface.vertices).all()
    assert set(edges_of(made)) == {2}
    assert 0 < made.size
    assert 0 < made.own <= made.thickness


def test_a_shell_has_two_sides_as_far_from_its_voxels_everywhere() -> None:
    made = membrane_surface(on_grid(directions(400_000) * 300), RATE)
    is_sound(made)
    assert made.size == pytest.approx(RATE)
    assert pieces_of(made) == 2
    distance = np.linalg.norm(made.surface.vertices, axis=1) - 300
    for side in (distance[distance > 0], -distance[distance < 0]):
        assert abs(np.median(side) - 1.5 * RATE) < 0.6 * RATE
        assert side.max() < 2.6 * RATE
        assert side.min() > 0.4 * RATE


def test_its_own_thickness_is_that_of_the_points() -> None:
    away = directions(800_000) * (300 + 40 * (RANDOM.random(800_000) - 0.5))[:, None]
    made = membrane_surface(on_grid(away), RATE)
    is_sound(made)
    assert made.own == pytest.approx(40 + RATE, rel=0.15)


def test_triangles_face_outwards() -> None:
    made = membrane_surface(np.zeros((1, 3)), RATE)
    a, b, c = made.surface.vertices[made.surface.triangles].transpose(1, 0, 2)
    assert (np.einsum("ij,ij->i", np.cross(b - a, c - a), a + b + c) > 0).all()


def test_one_point_becomes_a_ball() -> None:
    made = membrane_surface([[100, 200, 300]], [5, RATE, 4])
    is_sound(made)
    distance = np.linalg.norm(made.surface.vertices - (100, 200, 300), axis=1)
    assert distance.max() < 2.1 * RATE  # its voxel is up to half a voxel away along each axis
    np.testing.assert_allclose(made.surface.vertices.mean(axis=0), (100, 200, 300), atol=RATE / 2)


@pytest.mark.parametrize("spacing", [1.0, 3.7])
def test_a_line_of_points_becomes_a_tube(spacing: float) -> None:
    points = np.arange(60)[:, None] * np.array([[0.6, 0.0, 0.8]]) * RATE * spacing
    made = membrane_surface(points, RATE)
    is_sound(made)
    assert pieces_of(made) == 1
    assert made.size <= 6 * RATE


def test_points_beside_the_grid_are_surrounded_like_those_on_it() -> None:
    made = membrane_surface(directions(60_000) * 300 + 0.377, RATE)
    is_sound(made)
    assert pieces_of(made) == 2
    assert np.abs(np.linalg.norm(made.surface.vertices - 0.377, axis=1) - 300).max() < 2.8 * RATE


@pytest.mark.parametrize("factor", [2.5, 7, 15])
def test_points_far_apart_for_their_sampling_rate_are_a_sheet_all_the_same(factor: float) -> None:
    made = membrane_surface(sheet(40, spacing=factor * RATE), RATE)
    is_sound(made)
    assert pieces_of(made) == 1
    assert factor * RATE <= 2 * made.size <= 4 * factor * RATE


def test_two_sheets_close_together_stay_two() -> None:
    made = membrane_surface(np.concatenate((sheet(40), sheet(40, 4 * RATE))), RATE)
    is_sound(made)
    assert pieces_of(made) == 2
    assert pieces_of(membrane_surface(np.concatenate((sheet(40), sheet(40, 2 * RATE))), RATE)) == 1


def test_few_isolated_points_become_balls() -> None:
    made = membrane_surface(RANDOM.random((300, 3)) * 2e4, RATE)
    is_sound(made)
    assert 290 <= pieces_of(made) <= 300


def test_very_many_isolated_points_are_refused_in_a_sentence() -> None:
    made = membrane_surface(RANDOM.random((100_000, 3)) * 5e5, RATE)
    assert not len(made.surface.triangles)
    assert made.surface.reason == (
        "The points are too far apart for a surface: most have no other within 108.8 angstrom."
    )


@pytest.mark.parametrize(
    ("points", "rate", "reason"),
    [
        (np.empty((0, 3)), RATE, "no points"),
        ([[np.nan, 0, 0], [0, np.inf, 0]], RATE, "no points"),
        ([[0, 0, 0]], 0.0, "voxel size is 0,"),
        ([[0, 0, 0]], np.nan, "voxel size is nan"),
        ([[0, 0, 0], [1e9, 0, 0]], RATE, "too far apart for their voxel size"),
        ([[0, 0, 0], [3e38, 0, 0]], RATE, "too far apart for their voxel size"),
    ],
)
def test_what_no_surface_can_be_made_of_is_said(points: object, rate: float, reason: str) -> None:
    made = membrane_surface(points, rate)  # type: ignore[arg-type]
    assert not len(made.surface.vertices)
    assert reason in made.surface.reason


def test_what_is_not_finite_is_left_out() -> None:
    points = sheet(20)
    with_bad = np.concatenate((points, [[np.nan, 0, 0]]))
    np.testing.assert_array_equal(
        membrane_surface(with_bad, RATE).surface.vertices, membrane_surface(points, RATE).surface.vertices
    )


def test_repeats_and_order_change_nothing() -> None:
    points = on_grid(directions(3000) * 80)
    again = RANDOM.permutation(np.concatenate((points, points)))
    np.testing.assert_array_equal(
        membrane_surface(again, RATE).surface.vertices, membrane_surface(points, RATE).surface.vertices
    )
