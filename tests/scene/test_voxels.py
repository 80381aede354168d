"""Segmentations become the surfaces that Mosaic draws."""

import subprocess
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from mosaic_addon.scene.shapes import voxels
from mosaic_addon.scene.shapes.isosurface import isosurface
from mosaic_addon.scene.shapes.voxels import voxel_surface
from tests.support.meshes import is_closed, signed_volume

SPECKLE = np.argwhere(np.random.default_rng(0).random((20, 21, 22)) < 0.4)
"""Every case of a cell, often."""
OFFSET = np.array([100, -50, 7])


def test_one_voxel_is_an_octahedron_of_half_a_voxel():
    mesh = voxel_surface([[20.0, -30.0, 50.0]], 10)
    assert len(mesh.vertices) == 6
    assert is_closed(mesh)
    corners = np.concatenate((np.eye(3), -np.eye(3))) * 5 + (20, -30, 50)
    assert np.array_equal(np.unique(mesh.vertices, axis=0), np.unique(corners, axis=0))
    assert signed_volume(mesh) == pytest.approx(4 / 3 * 5**3)


def test_surface_is_that_of_the_binary_volume():
    mesh = voxel_surface((SPECKLE + OFFSET) * 6.8, [5.0, 6.8, 6.0])
    volume = np.zeros((24, 25, 26), np.float32)
    volume[tuple(SPECKLE.T + 2)] = 1
    dense = isosurface(volume, 0.5)
    assert is_closed(mesh)
    assert np.array_equal(mesh.triangles, dense.triangles)
    assert np.allclose(mesh.vertices, (dense.vertices - 2 + OFFSET) * 6.8, atol=1e-3)


def test_order_repeats_and_stray_values_do_not_matter():
    points = (SPECKLE * 7.0).astype(np.float32)
    shuffled = np.random.default_rng(1).permutation(np.concatenate((points, points[::2] + 3, [[np.nan, 0, np.inf]])))
    mesh, expected = voxel_surface(np.asfortranarray(shuffled), 7), voxel_surface(points, 7)
    assert np.array_equal(mesh.vertices, expected.vertices)
    assert np.array_equal(mesh.triangles, expected.triangles)


def test_memory_follows_the_points_and_not_their_box():
    points = np.random.default_rng(2).integers(0, 1_000_000, (1000, 3))
    points[:2] = [[0, 0, 0], [999_999, 999_999, 999_999]]
    tracemalloc.start()
    mesh = voxel_surface(points, 1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(mesh.vertices) == 6000
    assert is_closed(mesh)
    assert mesh.vertices.max() == 999_999.5
    assert peak < 10e6


@pytest.mark.parametrize("fraction", [0.02, 0.3, 0.7])
def test_looking_at_all_cells_finds_what_the_voxels_alone_tell(monkeypatch: pytest.MonkeyPatch, fraction: float):
    points = np.argwhere(np.random.default_rng(3).random((15, 16, 17)) < fraction) - 4
    dense = voxel_surface(points, 1)
    monkeypatch.setattr(voxels, "DENSE", 0)
    sparse = voxel_surface(points, 1)
    for one, other in zip((dense.vertices, *dense.faces), (sparse.vertices, *sparse.faces)):
        assert np.array_equal(one, other)


def test_edges_are_those_of_the_faces():
    faces = voxel_surface(SPECKLE, 1).faces
    sizes = np.diff(faces.starts, append=len(faces.corners))
    assert set(sizes) == {3, 4}
    following = np.arange(1, len(faces.corners) + 1)
    following[faces.starts + sizes - 1] = faces.starts
    sides = np.stack([faces.corners, faces.corners[following]], axis=1)
    assert np.array_equal(np.sort(faces.edges[faces.corner_edges]), np.sort(sides))
    assert np.array_equal(np.bincount(faces.corner_edges), np.full(len(faces.edges), 2))
    assert len(np.unique(np.sort(faces.edges), axis=0)) == len(faces.edges)


def test_grid_is_coarser_from_four_million_points():
    points = np.indices((160, 160, 160), dtype=np.float32).reshape(3, -1).T
    assert voxel_surface(points[:3_999_999], 1).vertices.min() == -0.5
    mesh = voxel_surface(points, 1)
    assert mesh.vertices.min() == -1
    assert mesh.vertices.max() == 161
    assert is_closed(mesh)


@pytest.mark.parametrize(
    ("points", "rate", "reason"),
    [
        (np.empty((0, 3)), 1, "no points"),
        (np.full((4, 3), np.nan), 1, "no points"),
        (np.zeros((4, 3)), 0, "voxel size"),
        (np.zeros((4, 3)), [1, np.nan, 1], "voxel size"),
        (np.array([[0, 0, 0], [1e30, 1e30, 1e30]]), 1, "too far apart"),
    ],
)
def test_what_cannot_be_drawn_is_empty_and_says_why(points, rate, reason):
    mesh = voxel_surface(points, rate)
    assert mesh.vertices.shape == mesh.triangles.shape == (0, 3)
    assert reason in mesh.reason


REAL = """
import sys
import numpy as np
from mosaic.geometry import SegmentationGeometry
from vtk.util.numpy_support import vtk_to_numpy
found = {}
cases = np.load(sys.argv[1])
for case in range(len(cases.files) // 2):
    surface = SegmentationGeometry(points=cases[f"points{case}"], sampling_rate=cases[f"rate{case}"])._mesh_polydata
    found[f"vertices{case}"] = vtk_to_numpy(surface.GetPoints().GetData())
    found[f"triangles{case}"] = vtk_to_numpy(surface.GetPolys().GetConnectivityArray()).reshape(-1, 3)
np.savez(sys.argv[2], **found)
"""


def test_real_mosaic_draws_the_same_vertices(mosaic_python: str, tmp_path: Path):
    random = np.random.default_rng(3).uniform(-300, 300, (3000, 3))
    half = (SPECKLE + 0.5) * 6.8  # on the edge between two voxels, where the precision decides
    cases = [
        ((SPECKLE + OFFSET) * 13.6, [13.6] * 3),
        (random, [7.0, 9.0, 12.3]),
        (half, [6.8] * 3),
        (half.astype(np.float32), np.float32([6.8] * 3)),
        (np.indices((160, 160, 160)).reshape(3, -1).T * 2.0, [2.0] * 3),
    ]
    given = {f"points{case}": points for case, (points, rate) in enumerate(cases)}
    np.savez(tmp_path / "cases.npz", **given, **{f"rate{case}": rate for case, (points, rate) in enumerate(cases)})
    (tmp_path / "real.py").write_text(REAL)
    command = [mosaic_python, tmp_path / "real.py", tmp_path / "cases.npz", tmp_path / "found.npz"]
    subprocess.run(command, check=True, timeout=300)
    found = np.load(tmp_path / "found.npz")
    for case, (points, rate) in enumerate(cases):
        mesh = voxel_surface(points, rate)
        assert len(mesh.triangles) == len(found[f"triangles{case}"])
        # Halves of a voxel: whole numbers once doubled, so that sorting pairs the two.
        size = np.max(rate) * (2 if case == 4 else 1)
        ours, theirs = mesh.vertices / size * 2, found[f"vertices{case}"] / size * 2
        assert np.abs(ours - np.rint(ours)).max() < 1e-3
        assert np.array_equal(np.unique(np.rint(ours), axis=0), np.unique(np.rint(theirs), axis=0))
        assert len(ours) == len(theirs)
