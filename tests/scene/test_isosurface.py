"""Volumes become the surfaces that Mosaic draws."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from mosaic_addon.scene.shapes.isosurface import gaussian_smooth, isosurface, quantile, volume_surface
from tests.support.meshes import is_closed, signed_volume

MIDDLE = np.array([11.2, 13.4, 9.1])


def ball(radius: float = 7.0, shape: tuple[int, int, int] = (24, 28, 20)) -> np.ndarray:
    """A volume whose isosurface at 0 is a sphere of that radius around MIDDLE."""
    distance = np.linalg.norm(np.stack(np.indices(shape), axis=-1) - MIDDLE, axis=-1)
    return (radius - distance).astype(np.float32)


def noise(shape: tuple[int, int, int] = (20, 21, 22)) -> np.ndarray:
    """Every case of a cell, often, and no surface that leaves the volume."""
    values = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    return np.pad(values[1:-1, 1:-1, 1:-1], 1, constant_values=-9)


def test_surface_of_a_ball_is_a_closed_sphere_that_faces_outwards():
    mesh = isosurface(ball(), 0)
    assert is_closed(mesh)
    assert signed_volume(mesh) == pytest.approx(4 / 3 * np.pi * 7**3, rel=0.02)
    outwards = mesh.vertices - MIDDLE
    distance = np.linalg.norm(outwards, axis=1)
    assert np.abs(distance - 7).max() < 0.02
    assert (mesh.normals * outwards / distance[:, None]).sum(axis=1).min() > 0.99
    assert mesh.vertices.dtype == mesh.normals.dtype == np.float32
    assert mesh.triangles.dtype == np.int32
    assert np.array_equal(np.unique(mesh.triangles), np.arange(len(mesh.vertices)))


def test_surface_of_noise_is_closed_and_holds_the_higher_values():
    mesh = isosurface(noise(), 0)
    assert is_closed(mesh)
    assert signed_volume(mesh) > 0.5 * (noise() > 0).sum()
    assert np.allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-6)


def test_surface_that_runs_out_of_the_volume_is_cut_off_there():
    volume = ball(radius=10.5)
    whole, part = isosurface(volume, 0), isosurface(volume[3:-4, 5:-6, 1:-7], 0)
    corners = (whole.vertices - (3, 5, 1))[whole.triangles].reshape(-1, 9)
    last = np.tile(np.array(volume.shape) - (8, 12, 9), 3)
    within = corners[((corners >= 0) & (corners <= last)).all(axis=1)]
    assert 100 < len(within) < len(corners)
    assert len(part.triangles) == len(within)
    assert np.allclose(part.vertices[part.triangles].reshape(-1, 9), within, atol=1e-4)


def test_normals_of_a_plane_are_exact_up_to_the_borders():
    volume = np.indices((6, 7, 8)).transpose(1, 2, 3, 0) @ np.array([1, 2, 3], np.float32)
    mesh = isosurface(volume.astype(np.float32), 17.3)
    assert np.allclose(mesh.normals, -np.array([1, 2, 3]) / np.sqrt(14), atol=1e-6)


def test_spacing_scales_the_vertices_and_turns_the_normals():
    spacing = np.array([2.0, 3.0, 5.0])
    mesh, unscaled = isosurface(ball(), 0, spacing), isosurface(ball(), 0)
    assert np.allclose(mesh.vertices, unscaled.vertices * spacing, rtol=1e-6)
    expected = unscaled.normals / spacing
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.allclose(mesh.normals, expected, atol=1e-3)


def test_flat_spots_have_normals():
    volume = np.zeros((3, 3, 5), np.float32)
    volume[1, 1, [1, 3]] = 1  # between the two the central differences are zero at both ends of an edge
    mesh = isosurface(volume, 0.5)
    assert is_closed(mesh)
    assert np.allclose(np.linalg.norm(mesh.normals, axis=1), 1)


@pytest.mark.parametrize("sigma", [0.6, 1.7, 4.0, 1e9])
def test_gaussian_is_the_cut_and_renormalised_kernel_on_each_axis(sigma: float):
    volume = noise((40, 9, 70))
    expected = volume.astype(np.float64)
    for axis, size in enumerate(volume.shape):
        distance = np.arange(size)[:, None] - np.arange(size)
        matrix = np.where(np.abs(distance) <= int(2 * sigma), np.exp(-(distance**2) / (2 * sigma**2)), 0)
        matrix /= matrix.sum(axis=1, keepdims=True)
        expected = np.moveaxis(np.tensordot(matrix, expected, (1, axis)), 0, axis)
    assert np.abs(gaussian_smooth(volume, sigma) - expected).max() < 1e-5


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", ">f4", "float16", "float64", "int64"])
@pytest.mark.parametrize("fraction", [-1, 0, 0.3, 0.5, 0.995, 1, 2])
@pytest.mark.parametrize("size", [2, 1000, 400_000])
def test_quantile_is_numpys(dtype: str, fraction: float, size: int):
    values = (np.random.default_rng(size).gamma(2, 20, size) % 200).astype(dtype)
    expected = np.quantile(values.astype(np.float64), np.clip(fraction, 0, 1))
    assert quantile(values, fraction) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_quantile_holds_where_its_sample_misleads(monkeypatch: pytest.MonkeyPatch):
    values = np.random.default_rng(1).normal(size=1 << 19)

    class Misleading:
        def integers(self, low: int, high: int, size: int) -> np.ndarray:
            return np.full(size, values.argmin())

    monkeypatch.setattr(np.random, "default_rng", lambda seed: Misleading())
    assert quantile(values, 0.5) == pytest.approx(np.quantile(values, 0.5), rel=1e-12)


def test_volume_surface_is_centred_in_angstrom():
    volume, spacing = ball(), np.array([4.0, 4.0, 5.0])
    percentile = 100 * (volume < 0).mean()
    mesh = volume_surface(volume, spacing, percentile)
    middle = (MIDDLE - (np.array(volume.shape) - 1) / 2) * spacing
    assert np.allclose((mesh.vertices.min(axis=0) + mesh.vertices.max(axis=0)) / 2, middle, atol=1)
    assert np.allclose(np.ptp(mesh.vertices, axis=0), 14 * spacing, rtol=0.05)


def test_volume_is_smoothed_above_the_largest_spacing_only():
    sharp = volume_surface(noise(), (2, 2, 4), 80)
    assert np.array_equal(volume_surface(noise(), (2, 2, 4), 80, 4.0).vertices, sharp.vertices)
    assert len(volume_surface(noise(), (2, 2, 4), 80, 4.1).vertices) < len(sharp.vertices)


def test_kernel_wider_than_any_number_is_no_wider_than_the_volume():
    assert np.isfinite(volume_surface(noise(), (1, 1, 1), None, np.inf).vertices).all()


def test_isovalue_is_taken_from_the_raw_volume_and_without_a_percentile_from_the_smoothed():
    smoothed = gaussian_smooth(noise(), 1.0)
    spacing = np.ones(3)
    half = (np.array(noise().shape) - 1) / 2
    raw = isosurface(smoothed, np.quantile(noise(), 0.6)).vertices - half
    assert np.allclose(volume_surface(noise(), spacing, 60, 2.0).vertices, raw, atol=1e-4)
    default = isosurface(smoothed, np.quantile(smoothed.astype(np.float64), 0.995)).vertices - half
    assert np.allclose(volume_surface(noise(), spacing, None, 2.0).vertices, default, atol=1e-4)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "int64", "float16", ">f4", "float64"])
def test_any_dtype_and_order(dtype: str):
    volume = np.asfortranarray((np.clip(ball() + 2, 0, 4)).astype(dtype))
    mesh = volume_surface(volume, (1, 1, 1), 95)
    assert is_closed(mesh)
    assert signed_volume(mesh) > 0


WITH_NAN, WITH_INF = ball(), ball()
WITH_NAN[3, 4, 5], WITH_INF[3, 4, 5] = np.nan, -np.inf


@pytest.mark.parametrize(
    ("volume", "spacing", "percentile", "reason"),
    [
        (WITH_NAN, (1, 1, 1), 50, "not finite"),
        (WITH_INF, (1, 1, 1), None, "not finite"),
        (np.full((4, 4, 4), 1e300), (1, 1, 1), 50, "not finite"),
        (np.full((4, 4, 4), 7), (1, 1, 1), 50, "are 7"),
        (np.zeros((4, 4, 4), bool), (1, 1, 1), None, "are 0"),
        (np.zeros((4, 1, 4)), (1, 1, 1), None, "single voxel"),
        (np.zeros((0, 3, 4)), (1, 1, 1), None, "single voxel"),
        (np.zeros((4, 4)), (1, 1, 1), None, "2-D"),
        (np.zeros((4, 4, 4), complex), (1, 1, 1), None, "real numbers"),
        (ball(), (1, 0, 1), None, "voxel size"),
        (ball(), (1, np.nan, 1), None, "voxel size"),
        (ball(), (1, 1, 1), np.nan, "not a number"),
        (ball(), (1, 1, 1), 0, "one side"),
    ],
)
def test_what_cannot_be_drawn_is_empty_and_says_why(volume, spacing, percentile, reason):
    mesh = volume_surface(volume, spacing, percentile, 3.0)
    assert mesh.vertices.shape == mesh.triangles.shape == mesh.normals.shape == (0, 3)
    assert reason in mesh.reason


REAL = """
import sys
import numpy as np
from mosaic.geometry import VolumeGeometry
from vtk.util.numpy_support import vtk_to_numpy
found = {}
cases = np.load(sys.argv[1])
for case in range(int(cases["count"])):
    volume, spacing, (percentile, resolution) = (cases[f"{key}{case}"] for key in ("volume", "spacing", "numbers"))
    geometry = VolumeGeometry(
        volume=volume, volume_sampling_rate=spacing, target_resolution=float(resolution),
        points=np.zeros((1, 3), np.float32), quaternions=np.array([[1.0, 0, 0, 0]]),
    )
    if percentile >= 0:
        geometry.set_appearance(isovalue_percentile=float(percentile))
    source = geometry._actor.GetMapper().GetInputAlgorithm(1, 0)
    source.Update()
    surface = source.GetOutput()
    found[f"vertices{case}"] = vtk_to_numpy(surface.GetPoints().GetData())
    found[f"normals{case}"] = vtk_to_numpy(surface.GetPointData().GetNormals())
    found[f"triangles{case}"] = vtk_to_numpy(surface.GetPolys().GetConnectivityArray()).reshape(-1, 3)
np.savez(sys.argv[2], **found)
"""


def test_real_mosaic_draws_the_same_vertices_and_normals(mosaic_python: str, tmp_path: Path):
    float32 = np.float32
    cases = [
        (ball(10.5), (4, 4, 4), None, 0),
        (noise(), (3, 4, 5), 70, 0),
        (noise(), (3, 4, 5), None, 14),
        (ball() + noise((24, 28, 20)), (4, 4, 4), 70, 20),
        (ball() + noise((24, 28, 20)), np.full(3, 6.8, float32), 70, 34),  # sigma 2.5 in float32, below it in float64
        (ball() + noise((24, 28, 20)), np.full(3, 13.7, float32), 70, 13.7),  # not above the spacing in float32
        ((ball() * 20).astype(np.int16), (2, 2, 2), 75, 0),
        (ball().astype(np.float64), (2, 2, 2), 75, 0),
        (ball(), (2, 2, 2), 99, 0),
    ]
    given = {"count": np.array(len(cases))}
    for case, (volume, spacing, percentile, resolution) in enumerate(cases):
        given |= {
            f"volume{case}": volume,
            f"spacing{case}": np.asarray(spacing, np.result_type(np.asarray(spacing), float32)),
        }
        given[f"numbers{case}"] = np.array([-1 if percentile is None else percentile, resolution], float)
    np.savez(tmp_path / "cases.npz", **given)
    (tmp_path / "real.py").write_text(REAL)
    command = [mosaic_python, tmp_path / "real.py", tmp_path / "cases.npz", tmp_path / "found.npz"]
    subprocess.run(command, check=True, timeout=300)
    found = np.load(tmp_path / "found.npz")
    for case, (volume, spacing, percentile, resolution) in enumerate(cases):
        mesh = volume_surface(volume, given[f"spacing{case}"], percentile, resolution)
        vertices, normals, triangles = (found[f"{key}{case}"] for key in ("vertices", "normals", "triangles"))
        assert len(mesh.vertices) == len(vertices) > 20
        assert len(mesh.triangles) == len(triangles)
        # One vertex on each edge that crosses: near enough to pair them by rounding, and each pair once.
        tolerance = 1e-4 * np.max(spacing)
        distance = np.abs(mesh.vertices[:, None] - vertices).max(axis=2)
        pair = distance.argmin(axis=1)
        assert distance[np.arange(len(pair)), pair].max() < tolerance
        assert distance.min(axis=0).max() < tolerance
        assert (mesh.normals * normals[pair]).sum(axis=1).min() > 0.999
