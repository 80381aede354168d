"""The phantom tomogram of the example session lies under the session's objects."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mosaic_addon.files.tomogram import Density, Region, read_density
from mosaic_addon.session import Session, open_session

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
VOXEL = 16.0  # angstrom, so that it is made at once


@pytest.fixture(scope="module")
def session() -> Session:
    return open_session(EXAMPLES / "minicell.pickle")


@pytest.fixture(scope="module")
def made(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tomogram, without noise and with all of its tilts."""
    script: dict[str, Any] = runpy.run_path(str(EXAMPLES / "make_tomogram.py"))
    path = tmp_path_factory.mktemp("phantom") / "minicell.mrc"
    script["write_mrc"](path, script["phantom"](session, VOXEL, tilt=90, noise=0), VOXEL)
    return path


def sampled(density: Density, places: np.ndarray) -> np.ndarray:
    """The density at places in angstrom, (n, 3), between eight voxels each."""
    voxels = (places - density.origin) / density.voxel_size
    low = np.floor(voxels).astype(int)
    part = voxels - low
    values = np.zeros(len(places))
    for corner in np.ndindex(2, 2, 2):
        x, y, z = (low + corner).T
        values += np.prod(np.where(corner, part, 1 - part), axis=1) * density.values[z, y, x]
    return values


@pytest.mark.parametrize("most", [10**7, 10**5], ids=["whole", "binned"])
def test_the_membrane_is_where_its_mesh_is(most: int, session: Session, made: Path) -> None:
    density = read_density(made, max_voxels=most)
    assert (density.binning > 1) == (most == 10**5)
    mesh = session.models[0].model
    steps = np.linspace(-100, 100, 81)
    profile = [-sampled(density, mesh.vertices + step * mesh.vertex_normals).mean() for step in steps]
    profile = np.maximum(np.array(profile) - np.percentile(profile, 20), 0)
    middle = (profile * steps).sum() / profile.sum()
    assert abs(middle) < VOXEL / 8


def test_proteins_are_where_their_points_are(session: Session, made: Path) -> None:
    ribosomes = session.clusters[1].points
    inside = read_density(made, max_voxels=10**7)
    away = np.random.default_rng(1).normal(size=ribosomes.shape) * 10 + [1200, 1000, 100]
    assert sampled(inside, ribosomes).mean() < 10 * sampled(inside, away).mean() - 100
    place = np.array(ribosomes[0])
    start = (place / VOXEL - 4).astype(int)
    region = Region(tuple(start.tolist()), tuple((start + 9).tolist()))  # type: ignore[arg-type]
    cropped = read_density(made, max_voxels=10**7, region=region)
    assert cropped.values.shape == (9, 9, 9)
    np.testing.assert_allclose(sampled(cropped, place[None]), sampled(inside, place[None]), rtol=1e-5)
