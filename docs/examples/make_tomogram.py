"""Make a tomogram of what is in a session: a phantom that lies under it.

    python make_tomogram.py minicell.pickle minicell.mrc [--voxel 6.8] [--tilt 60] [--noise 2.0]

Meshes become membranes of two leaflets, volumes proteins; both are dark, as in a tomogram. Noise is added, and what no
tilt series sees is taken away: the missing wedge of tilts about y. Voxel (i, j, k) has its centre at (i, j, k) times the
voxel size in angstrom, as in Mosaic. Needs numpy alone, and this repository. Everything is seeded.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mosaic_addon.session import Geometry, Session, open_session
from mosaic_addon.session.session import Mesh

Array = NDArray[np.float64]
VOXEL = 6.8  # angstrom
LEAFLET = 18.0  # angstrom from the middle of a membrane to where its head groups are
LIPID = 12.0  # angstrom that a leaflet is thick
PROTEIN = 1.8  # how dense a protein is, where the heads of lipids have 1
LOWEST = 0.02  # of a map's largest value; what is less counts as nothing


def phantom(
    session: Session, voxel: float = VOXEL, *, tilt: float = 60.0, noise: float = 2.0, seed: int = 1
) -> NDArray[np.float32]:
    """The density of a session, (z, y, x), negative where there is matter.

    tilt: degrees to both sides that the tilt series reached; 90 takes nothing away. noise: its standard deviation before
    the filter, where the heads of lipids have 1.
    """
    rng = np.random.default_rng(seed)
    x, y, z = (int(np.ceil(size / voxel)) for size in session.physical_shape or (1000.0, 1000.0, 1000.0))
    density = np.zeros((z, y, x), np.float32)
    for geometry in session.geometries:
        for points, mass in matter(geometry, voxel, rng):
            splat(density, points / voxel, mass / voxel**3)
    density += rng.normal(0.0, noise, density.shape).astype(np.float32) if noise else np.float32(0)
    return -seen(density, tilt)


def matter(geometry: Geometry, voxel: float, rng: np.random.Generator) -> Iterator[tuple[Array, Array]]:
    """The matter of a geometry: points in angstrom, (n, 3), and the volume that each stands for."""
    if isinstance(geometry.model, Mesh):
        corners = geometry.model.vertices[geometry.model.triangles].astype(np.float64)
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        areas = np.linalg.norm(normals, axis=1) / 2
        normals /= np.maximum(2 * areas, 1e-9)[:, None]
        counts = np.ceil(areas / (voxel / 2) ** 2).astype(int)
        owners = np.repeat(np.arange(len(counts)), counts)
        weights = rng.dirichlet((1.0, 1.0, 1.0), len(owners))
        middle = np.einsum("nc,ncd->nd", weights, corners[owners])
        mass = areas[owners] / counts[owners] * LIPID
        for side in (-LEAFLET, LEAFLET):
            yield middle + side * normals[owners], mass
    elif geometry.volume is not None and geometry.quaternions is not None:
        values = np.asarray(geometry.volume.values, np.float64)
        rate = np.broadcast_to(geometry.volume.sampling_rate, 3).astype(np.float64)
        values = values / values.max()
        places = np.argwhere(values > LOWEST)
        mass = values[tuple(places.T)] * rate.prod() * PROTEIN
        offsets = (places - (np.array(values.shape) - 1) / 2) * rate
        for point, turn in zip(geometry.points, matrices(geometry.quaternions)):
            yield offsets @ turn.T + point, mass


def matrices(quaternions: NDArray[Any]) -> Array:
    """The rotation of each quaternion, scalar first, as a matrix: (n, 3, 3)."""
    w, x, y, z = (np.asarray(quaternions, np.float64) / np.linalg.norm(quaternions, axis=1, keepdims=True)).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), -1, 0)


def splat(density: NDArray[np.float32], places: Array, mass: Array) -> None:
    """Add matter to the eight voxels around each place, (n, 3) in voxels along x, y, z."""
    low = np.floor(places).astype(int)
    part = places - low
    sides = np.array(density.shape[::-1])
    for corner in np.ndindex(2, 2, 2):
        voxels = low + corner
        share = np.prod(np.where(corner, part, 1 - part), axis=1) * mass
        inside = ((voxels >= 0) & (voxels < sides)).all(axis=1)
        np.add.at(density, tuple(voxels[inside].T[::-1]), share[inside].astype(np.float32))


def seen(density: NDArray[np.float32], tilt: float, width: float = 1.0) -> NDArray[np.float32]:
    """What a tilt series about y sees of a density, blurred by a Gaussian of `width` voxels."""
    z, y, x = density.shape
    waves = np.fft.rfftn(density)
    kz, ky, kx = np.fft.fftfreq(z)[:, None, None], np.fft.fftfreq(y)[None, :, None], np.fft.rfftfreq(x)[None, None, :]
    blur = [np.exp(-2 * (np.pi * width * k) ** 2).astype(np.float32) for k in (kz, ky, kx)]
    for factor in blur:
        waves *= factor
    if tilt < 90:
        waves *= np.abs(kz) <= np.abs(kx) * np.tan(np.radians(tilt))
    return np.fft.irfftn(waves, density.shape, axes=(0, 1, 2)).astype(np.float32)


def write_mrc(path: Path, values: NDArray[np.float32], voxel: float) -> None:
    """Write a tomogram as 16 bits a voxel, as MRC2014: what all programs read alike. values: (z, y, x)."""
    scaled = np.clip(values * (8000.0 / max(float(np.abs(values).max()), 1e-9)), -32000, 32000).astype("<i2")
    head = np.zeros(256, "<i4")
    numbers = head.view("<f4")
    head[0:3] = head[7:10] = values.shape[::-1]
    head[3] = 1
    numbers[10:13] = np.array(values.shape[::-1]) * voxel
    numbers[13:16] = 90
    head[16:19] = 1, 2, 3
    numbers[19:22] = scaled.min(), scaled.max(), scaled.mean()
    head[22] = 1
    head[27] = 20140
    head[52:54] = np.frombuffer(b"MAP DD\0\0", "<i4")
    numbers[54] = scaled.std()
    with open(path, "wb") as file:
        file.write(head.tobytes())
        file.write(scaled.tobytes())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("session", type=Path)
    parser.add_argument("out", type=Path, help="where to write the tomogram; end it in .mrc")
    parser.add_argument("--voxel", type=float, default=VOXEL, help="angstrom")
    parser.add_argument("--tilt", type=float, default=60.0, help="degrees to both sides")
    parser.add_argument("--noise", type=float, default=2.0, help="standard deviation, where the heads of lipids have 1")
    given = parser.parse_args()
    values = phantom(open_session(given.session), given.voxel, tilt=given.tilt, noise=given.noise)
    write_mrc(given.out, values, given.voxel)


if __name__ == "__main__":
    main()
