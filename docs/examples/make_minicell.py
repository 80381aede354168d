"""Make the session of the cover figure: a dividing cell with ribosomes inside and spikes outside.

    pip install mosaic-gui==1.3.2
    python make_minicell.py OUT.pickle

The envelope is a mesh that Mosaic fitted, with the curvature that Mosaic measured on it; proteins are picks with their
densities. Everything is synthetic and seeded, in angstrom. It borrows from make_virion.py, which lies beside it.
"""

from __future__ import annotations

import argparse

import numpy as np
from make_virion import (
    VOXEL,
    Array,
    Ovoid,
    add,
    fibonacci_sphere,
    fit,
    frame_along,
    group,
    properties,
    spread_out,
    trimer_map,
    unit_vector,
    upright,
)
from mosaic.commands.session import Session
from mosaic.geometry import Geometry, VolumeGeometry
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

BOX = np.array([2400.0, 2000.0, 1800.0])


class DividingCell(Ovoid):
    """An ovoid with a waist, where its curvature changes sign."""

    def bump(self, unit: Array) -> Array:
        waist = np.exp(-np.square(unit[..., 2] / 0.33))
        return super().bump(unit) * (1.0 - 0.33 * waist)

    def surface(self, unit: Array, offset: float = 0.0) -> tuple[Array, Array]:
        """As of the ovoid, with normals that know of the waist."""
        points = super().surface(unit)[0]
        steps = np.eye(3)
        normals = np.stack(
            [self.signed_distance(points + step) - self.signed_distance(points - step) for step in steps], axis=-1
        )
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        return points + offset * normals, normals


CELL = DividingCell(BOX / 2, np.array([640.0, 600.0, 960.0]), frame_along(unit_vector(1.0, 0.25, 0.2)), bumpiness=0.05)

ENVELOPE = (0.62, 0.78, 0.89)
SPIKE = (0.87, 0.40, 0.18)
LARGE_SUBUNIT, SMALL_SUBUNIT = (0.42, 0.55, 0.73), (0.93, 0.80, 0.50)


def lobes(parts: Array, size: int = 32, spacing: float = 9.0) -> NDArray[np.float32]:
    """A density of soft balls. parts: their centres and radii, (n, 4), in angstrom from the middle of the map."""
    axis = (np.arange(size) - (size - 1) / 2.0) * spacing
    places = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)
    density = np.zeros(places.shape[:3])
    for *centre, radius in parts:
        density += np.exp(-0.5 * (np.linalg.norm(places - centre, axis=-1) / radius) ** 4)
    return density.astype(np.float32)


def subunit(centre: tuple[float, float, float], radii: tuple[float, float, float], count: int, seed: int) -> Array:
    """Lumps on an ellipsoid, which make a rugged blob of it."""
    rng = np.random.default_rng(seed)
    places = np.array(centre) + fibonacci_sphere(count) * np.array(radii) * rng.uniform(0.55, 0.85, (count, 1))
    return np.column_stack([places, rng.uniform(20.0, 34.0, count)])


def add_envelope(session: Session) -> Geometry:
    points, normals = CELL.surface(fibonacci_sphere(3000))
    envelope = fit(points, "ball_pivoting", normals, radii="40,60,90", max_hole_size=0, n_smoothing=0)
    add(session, session._models, envelope, "Envelope", ENVELOPE, "mesh", opacity=0.45)
    session.measure("mesh_curvature", [envelope], curvature="mean", radius=5, store=True)
    return envelope


def add_spikes(session: Session) -> Geometry:
    rng = np.random.default_rng(7)
    anchors, normals = CELL.surface(fibonacci_sphere(5000), 20.0)
    sites = spread_out(anchors, 190.0, rng)
    sites = sites[rng.random(len(sites)) < 0.8]
    orientations = upright(normals[sites], rng, tilt=6.0)
    outwards = Rotation.from_quat(orientations, scalar_first=True).apply([0.0, 0.0, 1.0])
    spikes = VolumeGeometry(
        points=anchors[sites] + 70.0 * outwards,
        quaternions=orientations,
        volume=trimer_map(),
        volume_sampling_rate=np.full(3, 5.0),
        sampling_rate=VOXEL,
        vertex_properties=properties(score=rng.beta(8.0, 3.0, len(sites)).astype(np.float32)),
    )
    return add(session, session._data, spikes, "Spike", SPIKE, size=14, isovalue_percentile=96.0)


def add_ribosomes(session: Session) -> list[Geometry]:
    rng = np.random.default_rng(11)
    candidates = rng.uniform(-960.0, 960.0, (6000, 3)) + CELL.centre
    candidates = candidates[CELL.signed_distance(candidates) < -170.0]
    places = candidates[spread_out(candidates, 285.0, rng)]
    # In a polysome ribosomes keep close: some get a neighbour.
    near = cKDTree(places).query(places, k=2)[0][:, 1]
    turns = Rotation.random(len(places), random_state=5).as_quat(scalar_first=True)
    made = []
    for name, colour, parts in (
        ("Ribosome 50S", LARGE_SUBUNIT, subunit((0.0, 0.0, 28.0), (92.0, 86.0, 70.0), 60, 1)),
        ("Ribosome 30S", SMALL_SUBUNIT, subunit((0.0, 14.0, -62.0), (96.0, 52.0, 42.0), 40, 2)),
    ):
        ribosomes = VolumeGeometry(
            points=places,
            quaternions=turns,
            volume=lobes(parts),
            volume_sampling_rate=np.full(3, 9.0),
            sampling_rate=VOXEL,
            vertex_properties=properties(distance_to_next=near.astype(np.float32)),
        )
        made.append(add(session, session._data, ribosomes, name, colour, size=14, isovalue_percentile=90.0))
    return made


def make_session() -> Session:
    session = Session(quiet=True)
    session.metadata["shape"] = (BOX / VOXEL).astype(np.int64)
    session.metadata["physical_shape"] = BOX
    add_envelope(session)
    spikes = add_spikes(session)
    group(session._data_tree, "Ribosomes", add_ribosomes(session))
    session._data_tree.root_items.append(spikes.uuid)
    session._models_tree.root_items.append(session._models.data[0].uuid)
    return session


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", help="where to write the session; end it in .pickle")
    make_session().save_session(parser.parse_args().out)


if __name__ == "__main__":
    main()
