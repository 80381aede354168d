"""Models move along with the points that they were fitted to: points on a model, moved, lie on the moved model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mosaic_addon.session.budget import Budget
from mosaic_addon.session.decode_models import decode_model
from mosaic_addon.session.move_models import move_fit
from mosaic_addon.session.nodes import ObjectNode
from mosaic_addon.session.pickle_reader import read_pickle
from mosaic_addon.session.pickle_writer import write_pickle
from mosaic_addon.session.reading import Item, Reading
from tests.support.make_sessions import an_object, dumps, triangular_mesh

random = np.random.default_rng(0)
CENTER = np.array([1000.0, -2000.0, 300.0])
AXES = np.linalg.qr(random.normal(size=(3, 3)))[0] * (1, 1, -1)
TURN = np.linalg.qr(random.normal(size=(3, 3)))[0]
TURN *= np.linalg.det(TURN)
UNITS = random.normal(size=(500, 3))
UNITS /= np.linalg.norm(UNITS, axis=1, keepdims=True)


def matrix(linear: Any, shift: Any = (10.0, 20.0, -3000.0)) -> np.ndarray:
    made = np.eye(4)
    made[:3, :3], made[:3, 3] = linear, shift
    return made


ALIKE = {
    "moved": matrix(np.eye(3)),
    "turned": matrix(TURN),
    "turned and scaled": matrix(2.5 * TURN),
    "scaled down": matrix(0.01 * np.eye(3)),
}
MIRRORED = {"mirrored": matrix(np.diag([1.0, -1.0, 1.0])), "mirrored and turned": matrix(-3 * TURN)}
UNEVEN = {
    "stretched": matrix(np.diag([1.0, 2.0, 1.0])),
    "sheared": matrix([[1, 0.5, 0], [0, 1, 0], [0, 0, 1]]),
    "flattened unevenly": matrix(TURN @ np.diag([1.0, 1.0, 0.1])),
}


def at(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def node_of(fit: Any) -> ObjectNode:
    return read_pickle(dumps(fit))


def written(node: ObjectNode) -> bytes:
    parts: list[bytes] = []
    write_pickle(node, lambda data: parts.append(bytes(data)))
    return b"".join(parts)


def model_of(node: ObjectNode) -> Any:
    """A node as a session that was saved has it."""
    warnings: list[str] = []
    model = decode_model(read_pickle(written(node)), Item(Reading(Budget(10**6), warnings), "models", "fit"))
    assert warnings == []
    return model


def fit(name: str, **state: Any) -> Any:
    return an_object(f"mosaic.parametrization.{name}", state)


def assert_refused(made: Any, matrix: np.ndarray) -> None:
    node = node_of(made)
    before = written(node)
    assert not move_fit(node, matrix)
    assert written(node) == before


def cases(*groups: dict[str, np.ndarray]) -> Any:
    every = {name: value for group in groups for name, value in group.items()}
    return pytest.mark.parametrize("moved", every.values(), ids=every)


# --- shapes ----------------------------------------------------------------------------------------------------------

SPHERE = fit("Sphere", radius=np.float32(250), center=CENTER)
ELLIPSOID = fit("Ellipsoid", radii=np.array([300.0, 200.0, 100.0]), center=CENTER, orientations=AXES)


def cylinder(**state: Any) -> Any:
    return fit("Cylinder", **{"centers": CENTER, "orientations": AXES, "radius": 50.0, "height": 400, **state})


@cases(ALIKE, MIRRORED)
def test_a_sphere(moved: np.ndarray) -> None:
    node = node_of(SPHERE)
    assert move_fit(node, moved)
    sphere = model_of(node)
    distances = np.linalg.norm(at(moved, CENTER + 250 * UNITS) - sphere.center, axis=1)
    np.testing.assert_allclose(distances, sphere.radius, rtol=1e-9)


@cases(ALIKE, MIRRORED, UNEVEN)
def test_an_ellipsoid_even_stretched(moved: np.ndarray) -> None:
    node = node_of(ELLIPSOID)
    assert move_fit(node, moved)
    ellipsoid = model_of(node)
    points = at(moved, (UNITS * (300, 200, 100)) @ AXES.T + CENTER)
    along = (points - ellipsoid.center) @ ellipsoid.orientations / ellipsoid.radii
    np.testing.assert_allclose((along**2).sum(axis=1), 1, rtol=1e-9)
    np.testing.assert_allclose(ellipsoid.orientations.T @ ellipsoid.orientations, np.eye(3), atol=1e-12)
    if not any(moved is alike for alike in ALIKE.values()):  # which leave the file's own axes
        assert np.linalg.det(ellipsoid.orientations) > 0


@cases(ALIKE)
def test_an_ellipsoid_keeps_the_order_of_its_axes(moved: np.ndarray) -> None:
    node = node_of(fit("Ellipsoid", radii=np.array([100.0, 300.0, 200.0]), center=CENTER, orientations=AXES))
    assert move_fit(node, moved)
    radii = model_of(node).radii
    np.testing.assert_allclose(radii / radii[0], [1, 3, 2])


@cases(ALIKE)
def test_a_cylinder_and_the_mesh_that_it_carries(moved: np.ndarray) -> None:
    angles, heights = random.uniform(-np.pi, np.pi, 500), random.uniform(-200, 200, 500)
    points = np.stack([50 * np.cos(angles), 50 * np.sin(angles), heights], axis=1) @ AXES.T + CENTER
    node = node_of(cylinder(_mesh=triangular_mesh(500, vertices=points)))
    assert move_fit(node, moved)
    model = model_of(node)
    along = (at(moved, points) - model.centers) @ model.orientations
    np.testing.assert_allclose(np.linalg.norm(along[:, :2], axis=1), model.radius, rtol=1e-6)
    np.testing.assert_allclose(along[:, 2] / model.height, heights / 400, atol=1e-9)
    np.testing.assert_allclose(node.fields()["_mesh"].fields()["vertices"], at(moved, points))


@cases(UNEVEN)
def test_a_sphere_and_a_cylinder_are_none_any_more_when_stretched(moved: np.ndarray) -> None:
    assert_refused(SPHERE, moved)
    assert_refused(cylinder(_mesh=triangular_mesh()), moved)


@cases(MIRRORED)
def test_a_cylinder_is_not_mirrored(moved: np.ndarray) -> None:
    assert_refused(cylinder(_mesh=triangular_mesh()), moved)


@cases({"moved": ALIKE["moved"]})
def test_what_is_damaged_or_of_another_kind_stays(moved: np.ndarray) -> None:
    for damaged in (
        fit("Sphere", center=CENTER),
        fit("Sphere", radius=250.0, center=["a", "b", "c"]),
        fit("Ellipsoid", radii=np.array([1.0, 2.0]), center=CENTER, orientations=AXES),
        cylinder(radius=None),
        fit("RBF", rbf=an_object("scipy.interpolate._rbf.Rbf", xi=np.zeros((2, 4)), nodes=np.zeros(4)), direction="xy"),
        fit("SplineCurve", positions=np.zeros((4, 3)), _splines=[]),
        fit("Teapot", radius=250.0, center=CENTER),
        an_object("elsewhere.Sphere", radius=250.0, center=CENTER),
    ):
        assert_refused(damaged, moved)


# --- curves ----------------------------------------------------------------------------------------------------------

PARAMETERS = np.linspace(0, 1, 201)
POSITIONS = random.uniform(-1000, 1000, (8, 3)).astype(np.float32)


def polyline(*inner: int) -> list[Any]:
    """Three linear splines, with `inner` knots each."""
    splines = []
    for count in inner:
        breaks = np.sort(np.concatenate([[0, 1], random.uniform(size=count)]))
        values = random.uniform(-1000, 1000, len(breaks))
        knots = np.concatenate([breaks[:1], breaks, breaks[-1:]])
        arguments = (knots, np.concatenate([values, [0.0, 0.0]]), 1)
        splines.append(an_object("scipy.interpolate._fitpack2.InterpolatedUnivariateSpline", _eval_args=arguments))
    return splines


def cubics(key: str, breaks: np.ndarray) -> list[Any]:
    return [
        an_object("scipy.interpolate._cubic.CubicSpline", {f"{key}c": c, f"{key}x": breaks})
        for c in random.uniform(-100, 100, (3, 4, len(breaks) - 1))
    ]


def drawn(curve: Any) -> np.ndarray:
    """(n, 3): a curve at PARAMETERS."""
    columns = []
    for spline in curve.splines:
        knots, values = spline.knots, spline.coefficients
        if spline.kind == "bspline":
            columns.append(np.interp(PARAMETERS, knots[1:-1], values[: len(knots) - 2]))
            continue
        part = np.clip(np.searchsorted(knots, PARAMETERS, side="right") - 1, 0, len(knots) - 2)
        columns.append(sum(values[3 - power, part] * (PARAMETERS - knots[part]) ** power for power in range(4)))
    return np.stack(columns, axis=1)


@cases(ALIKE, MIRRORED, UNEVEN)
@pytest.mark.parametrize(
    "splines",
    [polyline(3, 5, 8), cubics("", np.array([0, 0.2, 0.7, 1])), cubics("_", np.array([0, 0.5, 1]))],
    ids=["linear", "cubic", "cubic of late"],
)
def test_a_curve(splines: list[Any], moved: np.ndarray) -> None:
    node = node_of(fit("SplineCurve", positions=POSITIONS, _splines=splines))
    before = model_of(node)
    assert move_fit(node, moved)
    after = model_of(node)
    np.testing.assert_allclose(drawn(after), at(moved, drawn(before)), atol=1e-7)
    assert after.positions.dtype == np.float32
    np.testing.assert_allclose(after.positions, at(moved, POSITIONS), rtol=1e-5, atol=1e-2)


def test_a_curve_of_another_degree_or_of_several_breakpoints_stays() -> None:
    several = [cubics("", np.array([0, middle, 1]))[0] for middle in (0.2, 0.5, 0.5)]
    quadratic = polyline(3, 3, 3)
    knots, values, _ = quadratic[0]._eval_args
    quadratic[0]._eval_args = (knots, values, 2)
    for splines in (several, quadratic):
        assert_refused(fit("SplineCurve", positions=POSITIONS, _splines=splines), ALIKE["turned"])


# --- meshes ----------------------------------------------------------------------------------------------------------


@cases(ALIKE, MIRRORED, UNEVEN)
@pytest.mark.parametrize("cls", ["TriangularMesh", "ConvexHull"])
def test_a_mesh_faces_as_it_did(cls: str, moved: np.ndarray) -> None:
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float64) + CENTER
    faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.int32)
    mesh = triangular_mesh(cls=cls, vertices=corners, triangles=faces, vertex_normals=UNITS[:4])
    a, b, c = corners[faces].swapaxes(0, 1)
    mesh.triangle_normals = np.cross(b - a, c - a)
    node = node_of(mesh)
    assert move_fit(node, moved)
    model = model_of(node)
    np.testing.assert_allclose(model.vertices, at(moved, corners))
    a, b, c = model.vertices[model.triangles].swapaxes(0, 1)
    across = np.cross(b - a, c - a)
    outwards = (a + b + c) / 3 - model.vertices.mean(axis=0)
    assert ((across * outwards).sum(axis=1) > 0).all()
    normals = np.asarray(read_pickle(written(node)).fields()["triangle_normals"].values)
    units = across / np.linalg.norm(across, axis=1, keepdims=True)
    if not np.allclose(moved[:3, :3], moved[0, 0] * np.eye(3)):
        np.testing.assert_allclose(normals, units, atol=1e-9)
        np.testing.assert_allclose(np.linalg.norm(model.vertex_normals, axis=1), 1)
