"""Parametric fits become the surfaces and curves that Mosaic samples."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from mosaic_addon.scene.shapes.parametric import (
    b_spline,
    cylinder,
    ellipsoid,
    piecewise_polynomial,
    rbf_sheet,
    rbf_values,
    sphere,
    spline_curve,
)
from tests.support.meshes import edges, is_closed, signed_volume

CENTER = np.array([1000.0, -2000.0, 300.0])
TURNED = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
BOTH_HANDS = pytest.mark.parametrize("frame", [TURNED, TURNED * (1, 1, -1)], ids=["one hand", "other hand"])


@pytest.mark.parametrize("resolution", [1, 4, 7, 64])
def test_sphere_is_exact_and_closed(resolution: int):
    mesh = sphere(250, CENTER, resolution)
    outwards = mesh.vertices - CENTER
    assert np.allclose(np.linalg.norm(outwards, axis=1), 250, rtol=1e-5)
    assert np.allclose(mesh.normals, outwards / 250, atol=1e-5)
    assert is_closed(mesh)
    assert signed_volume(mesh) > 0
    if resolution == 64:
        assert signed_volume(mesh) == pytest.approx(4 / 3 * np.pi * 250**3, rel=0.005)


@BOTH_HANDS
def test_ellipsoid_is_exact_and_closed(frame: np.ndarray):
    radii = np.array([300.0, 200.0, 100.0])
    mesh = ellipsoid(radii * (1, -1, 1), CENTER, frame)
    along = (mesh.vertices - CENTER) @ frame
    assert np.allclose(((along / radii) ** 2).sum(axis=1), 1, atol=1e-5)
    gradient = along / radii**2
    gradient /= np.linalg.norm(gradient, axis=1, keepdims=True)
    assert np.allclose(mesh.normals @ frame, gradient, atol=1e-5)
    assert is_closed(mesh)
    assert signed_volume(mesh) == pytest.approx(4 / 3 * np.pi * radii.prod(), rel=0.005)


@BOTH_HANDS
def test_cylinder_is_exact_and_closed_with_its_caps_last(frame: np.ndarray):
    mesh = cylinder(50, 400, CENTER, frame, 128)
    along = (mesh.vertices - CENTER) @ frame
    assert np.allclose(np.abs(along[:, 2]), 200, atol=1e-3)
    across = np.linalg.norm(along[:, :2], axis=1)
    assert np.allclose(across[:-2], 50, atol=1e-3)
    assert np.allclose(across[-2:], 0, atol=1e-3)
    assert is_closed(mesh)
    assert signed_volume(mesh) == pytest.approx(np.pi * 50**2 * 400, rel=0.001)
    height = along[:, 2][mesh.triangles]
    assert (np.ptp(height[: 2 * 128], axis=1) > 399).all()
    assert (np.ptp(height[2 * 128 :], axis=1) < 1e-3).all()


def test_shapes_without_volume_are_refused():
    with pytest.raises(ValueError, match="no volume"):
        ellipsoid([1, 0, 1], CENTER, np.eye(3))
    with pytest.raises(ValueError, match="no volume"):
        sphere(np.nan, CENTER)
    with pytest.raises(ValueError, match="no volume"):
        cylinder(1, 2, CENTER, np.ones((3, 3)))


@pytest.mark.parametrize(
    ("function", "value"),
    [
        ("multiquadric", np.sqrt(25 / 4 + 1)),
        ("inverse", 1 / np.sqrt(25 / 4 + 1)),
        ("inverse_multiquadric", 1 / np.sqrt(25 / 4 + 1)),
        ("gaussian", np.exp(-25 / 4)),
        ("linear", 5),
        ("Cubic", 125),
        ("quintic", 3125),
        ("thin_plate", 25 * np.log(5)),
        ("thin-plate", 25 * np.log(5)),
    ],
)
def test_kernels_are_their_formulas(function: str, value: float):
    # One centre 5 away with weight 3; a second at the place itself shows the value at distance 0.
    at = [[10.0], [20.0]]
    assert rbf_values(at, [[13.0], [24.0]], [3.0], 2.0, function)[0] == pytest.approx(3 * value)
    assert np.isfinite(rbf_values(at, at, [1.0], 2.0, function)).all()


def test_norms_are_their_formulas():
    for norm, value in {"euclidean": 5, "sqeuclidean": 25, "cityblock": 7, "chebyshev": 4}.items():
        assert rbf_values([[0.0], [0.0]], [[3.0], [-4.0]], [1.0], 1.0, "linear", norm)[0] == value


def test_unknown_kernels_and_norms_are_refused():
    with pytest.raises(ValueError, match="wendland"):
        rbf_values([[0.0], [0.0]], [[1.0], [1.0]], [1.0], 1.0, "wendland")
    with pytest.raises(ValueError, match="cosine"):
        rbf_values([[0.0], [0.0]], [[1.0], [1.0]], [1.0], 1.0, "linear", "cosine")


def test_many_centres_are_summed_in_parts():
    random = np.random.default_rng(1)
    xi, nodes, positions = random.normal(size=(2, 3000)), random.normal(size=3000), random.normal(size=(2, 1000))
    at_once = np.linalg.norm(positions[:, :, None] - xi[:, None], axis=0) @ nodes
    assert np.allclose(rbf_values(positions, xi, nodes, 1, "linear"), at_once)


@pytest.mark.parametrize(("direction", "order"), [("xy", (0, 1, 2)), ("xz", (2, 1, 0)), ("yz", (0, 2, 1))])
def test_sheet_is_the_function_over_the_grid(direction: str, order: tuple[int, int, int]):
    mesh = rbf_sheet([[1.0], [2.0]], [3.0], 1.0, "linear", ((-4, 6), (-1, 5)), direction, resolution=12)
    x, y, z = mesh.vertices[:, order].T
    assert np.allclose(z, 3 * np.hypot(x - 1, y - 2), atol=1e-4)
    assert (x.min(), x.max(), y.min(), y.max()) == (-4, 6, -1, 5)
    assert len(mesh.vertices) == 144
    assert len(mesh.triangles) == 2 * 11 * 11
    forward, backward = edges(mesh)
    assert (np.diff(forward) > 0).all()
    assert len(np.setdiff1d(forward, backward)) == 4 * 11


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
def test_b_spline_without_inner_knots_is_a_bezier_curve(k: int):
    c = np.random.default_rng(k).normal(size=k + 1)
    x = np.linspace(-0.2, 1.3, 50)
    binomial = np.cumprod([1, *[(k - i) / (i + 1) for i in range(k)]])
    expected = sum(binomial[i] * x**i * (1 - x) ** (k - i) * c[i] for i in range(k + 1))
    padded = np.concatenate((c, np.zeros(k + 1)))  # as scipy keeps them
    assert np.allclose(b_spline(x, [0] * (k + 1) + [1] * (k + 1), padded, k), expected)


def test_b_spline_of_degree_one_interpolates_between_its_knots():
    t, c = np.array([0, 0, 0.3, 0.5, 1, 1]), np.array([4.0, -1, 7, 2])
    x = np.linspace(0, 1, 31)
    assert np.allclose(b_spline(x, t, c, 1), np.interp(x, t[1:-1], c))


def test_piecewise_polynomial_starts_anew_at_each_breakpoint():
    c, x = np.array([[1.0, 0], [0, 2], [0, 0], [5, 6]]), np.array([0, 1, 3])
    p = np.array([-1, 0, 0.5, 1, 2, 3, 4])
    expected = np.where(p < 1, p**3 + 5, 2 * (p - 1) ** 2 + 6)
    assert np.allclose(piecewise_polynomial(p, c, x), expected)


def test_curve_keeps_its_corners():
    splines = [(np.array([0, 0, 1 / 3, 1, 1]), np.array(c), 1) for c in ([0.0, 10, 0], [0.0, 5, 10], [1.0, 1, 1])]
    curve = spline_curve(splines, 100)
    assert curve.dtype == np.float32
    assert (curve == (10, 5, 1)).all(axis=1).any()
    assert np.array_equal(curve[[0, -1]], [[0, 0, 1], [0, 10, 1]])
    assert len(curve) == 101


REAL = """
import sys
import numpy as np
from mosaic.parametrization import RBF, Cylinder, Ellipsoid, Sphere, SplineCurve
given, found = np.load(sys.argv[1]), {}
center, frame, points, path = (given[name] for name in ("center", "frame", "points", "path"))
found["sphere"] = Sphere(300.0, center).compute_distance(given["sphere"])
found["ellipsoid"] = Ellipsoid(np.array([300.0, 200, 100]), center, frame).compute_distance(given["ellipsoid"])
found["cylinder"] = Cylinder(center, frame, 50.0, 400.0).sample(2000)
for function in ("multiquadric", "inverse", "gaussian", "linear", "cubic", "quintic", "thin_plate"):
    for direction in ("xz", "yz", "xy"):
        fit, name = RBF.fit(points, direction=direction, function=function), f"{function} {direction}"
        found |= {f"{name} xi": fit.rbf.xi, f"{name} nodes": fit.rbf.nodes, f"{name} epsilon": fit.rbf.epsilon}
        found |= {f"{name} function": fit.rbf.function, f"{name} norm": fit.rbf.norm, f"{name} grid": fit.grid}
        found[f"{name} sample"] = fit.sample(900)
for order in range(1, 6):
    fit = SplineCurve(path, order=order)
    for axis, spline in enumerate(fit._splines):
        parts = (spline.c, spline.x) if order == 3 else spline._eval_args
        found |= {f"spline {order} {axis} {part}": value for part, value in enumerate(parts)}
    found[f"spline {order} sample"] = fit.sample(200)
np.savez(sys.argv[2], **found)
"""


def test_real_mosaic_samples_lie_on_our_surfaces(mosaic_python: str, tmp_path: Path):
    random = np.random.default_rng(2)
    points = random.uniform(0, 1000, (200, 3))
    points[:, 1] = 100 * np.sin(points[:, 0] / 200)
    angle = np.linspace(0, 4, 12)
    path = np.stack((100 * np.cos(angle), 100 * np.sin(angle), 30 * angle), axis=1) + random.normal(size=(12, 3))
    given = {
        "center": CENTER,
        "frame": TURNED,
        "points": points,
        "path": path,
        "sphere": sphere(300, CENTER).vertices,
        "ellipsoid": ellipsoid([300, 200, 100], CENTER, TURNED).vertices,
    }
    np.savez(tmp_path / "given.npz", **given)
    (tmp_path / "real.py").write_text(REAL)
    command = [mosaic_python, tmp_path / "real.py", tmp_path / "given.npz", tmp_path / "found.npz"]
    subprocess.run(command, check=True, timeout=300)
    found = np.load(tmp_path / "found.npz")

    assert found["sphere"].max() < 300 * 1e-4
    assert found["ellipsoid"].max() < 300 * 1e-4
    # Mosaic samples a cylinder on a mesh of some 45 corners around: its points lie inside by the chords of that mesh.
    along = (found["cylinder"] - CENTER) @ TURNED
    assert np.abs(along[:, 2]).max() < 200 * (1 + 1e-4)
    across = np.linalg.norm(along[:, :2], axis=1)
    assert 50 * (1 - 1e-3) < across.max() < 50 * (1 + 1e-4)
    assert (np.abs(np.abs(along[:, 2]) - 200) < 0.02).any()

    for name in (key.removesuffix(" sample") for key in found.files if key.endswith(" sample") and "spline" not in key):
        xi, nodes, grid = (found[f"{name} {part}"] for part in ("xi", "nodes", "grid"))
        epsilon, function, norm = (found[f"{name} {part}"].item() for part in ("epsilon", "function", "norm"))
        mesh = rbf_sheet(xi, nodes, epsilon, function, grid, name.split()[-1], norm, resolution=30)
        sample = found[f"{name} sample"]
        assert np.abs(mesh.vertices - sample).max() < 1e-4 * np.ptp(sample, axis=0).max()

    for order in range(1, 6):
        splines = [
            tuple(found[f"spline {order} {axis} {part}"] for part in range(2 if order == 3 else 3)) for axis in range(3)
        ]
        curve, sample = spline_curve(splines, 200), found[f"spline {order} sample"]
        distance = np.linalg.norm(sample[:, None] - curve, axis=2).min(axis=1)
        assert distance.max() < 1e-4 * 100
