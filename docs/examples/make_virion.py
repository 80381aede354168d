"""Make the example session: an influenza virion, opened shell by shell.

    pip install mosaic-gui==1.3.2
    python make_virion.py OUT.pickle

Envelope, matrix layer and genome are cut at successive depths, so that one look shows how the particle is built: two
leaflets with haemagglutinin (HA) and neuraminidase (NA) outside, the M1 layer beneath them, and the eight
ribonucleoproteins (RNPs), seven around one, within. Two liposomes float beside it. Everything is synthetic. The numbers
are those of a real particle (in angstrom), the noise is seeded and the identifiers are derived from the names, so the
same versions of Mosaic and its libraries write the same bytes every time.

The session holds every kind of geometry and nearly every representation that Mosaic knows, and is saved by Mosaic.
"""

from __future__ import annotations

import argparse
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from mosaic.commands.session import Session
from mosaic.container import DataContainer
from mosaic.formats.records import VertexPropertyContainer
from mosaic.geometry import Geometry, GeometryTrajectory, SegmentationGeometry, VolumeGeometry
from mosaic.meshing import to_open3d
from mosaic.operations import GeometryOperations
from mosaic.parametrization import TriangularMesh
from mosaic.tree_state import TreeStateData
from mosaic.utils import normals_to_rot
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

Array = NDArray[np.float64]
Colour = tuple[float, float, float]

VOXEL = 8.0
BOX = np.array([1840.0, 1680.0, 1600.0])
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "mosaic-for-blender/examples/virion")

# Hues after Okabe and Ito, softened: they stay apart for colour-blind readers, on white as on black.
OUTER_LEAFLET: Colour = (0.29, 0.50, 0.69)
INNER_LEAFLET: Colour = (0.62, 0.78, 0.89)
ENVELOPE: Colour = (0.83, 0.90, 0.95)
OUTLINE: Colour = (0.42, 0.53, 0.63)
HAEMAGGLUTININ: Colour = (0.87, 0.40, 0.18)
NEURAMINIDASE: Colour = (0.05, 0.52, 0.44)
ION_CHANNEL: Colour = (0.25, 0.25, 0.30)
MATRIX: Colour = (0.94, 0.81, 0.52)
POLYMERASE: Colour = (0.33, 0.13, 0.34)
RNP_LONGEST, RNP_SHORTEST = (0.56, 0.25, 0.52), (0.90, 0.62, 0.74)
RNP_AXIS: Colour = (0.36, 0.16, 0.36)
VESICLE_MEMBRANE: Colour = (0.52, 0.60, 0.67)
LIPOSOME: Colour = (0.66, 0.80, 0.82)

# Genome segments and their lengths in nucleotides (A/Puerto Rico/8/1934); the first stands in the middle.
SEGMENTS = {"PB2": 2341, "PB1": 2341, "PA": 2233, "HA": 1778, "NP": 1565, "NA": 1413, "M": 1027, "NS": 890}


@dataclass(frozen=True)
class Ovoid:
    """A slightly irregular ellipsoid, elongated along the last column of ``axes``."""

    centre: Array
    radii: Array
    axes: Array
    bumpiness: float = 0.0

    def bump(self, unit: Array) -> Array:
        """Relative deviation from the ellipsoid, a few long waves: real particles are never perfect."""
        x, y, z = unit[..., 0], unit[..., 1], unit[..., 2]
        waves = np.sin(2.1 * x + 3.2 * y + 0.4) + np.cos(3.7 * y - 1.9 * z + 1.1) + np.sin(2.8 * z + 2.3 * x * y)
        return 1.0 + self.bumpiness * waves / 3.0

    def to_local(self, points: Array) -> Array:
        return (points - self.centre) @ self.axes

    def to_world(self, local: Array) -> Array:
        return local @ self.axes.T + self.centre

    def surface(self, unit: Array, offset: float = 0.0) -> tuple[Array, Array]:
        """Points in the given directions, ``offset`` outside the surface, with outward normals."""
        local = unit * self.radii * self.bump(unit)[:, None]
        normals = local / np.square(self.radii)
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        return self.to_world(local + offset * normals), normals @ self.axes.T

    def signed_distance(self, points: Array) -> Array:
        """Distance to the surface, positive outside; exact enough within a few hundred angstrom of it."""
        scaled = self.to_local(points) / self.radii
        length = np.maximum(np.linalg.norm(scaled, axis=-1), 1e-9)
        level = length / self.bump(scaled / length[..., None])
        return length * (level - 1.0) / np.linalg.norm(scaled / self.radii, axis=-1)


@dataclass(frozen=True)
class Cut:
    """A plane that opens a shell: what lies beyond it is left out."""

    origin: Array
    direction: Array

    def depth(self, points: Array) -> Array:
        return (points - self.origin) @ self.direction

    def keeps(self, points: Array, beyond: float) -> NDArray[np.bool_]:
        return self.depth(points) < beyond


def unit_vector(*components: float) -> Array:
    vector = np.array(components, dtype=float)
    return vector / np.linalg.norm(vector)


def frame_along(axis: Array) -> Array:
    """Right-handed axes whose last column is ``axis``."""
    first = np.cross([0.0, 1.0, 0.0], axis)
    first /= np.linalg.norm(first)
    return np.column_stack([first, np.cross(axis, first), axis])


def fibonacci_sphere(count: int) -> Array:
    """Evenly spread unit vectors."""
    index = np.arange(count) + 0.5
    z = 1.0 - 2.0 * index / count
    angle = np.pi * (1.0 + np.sqrt(5.0)) * index
    radius = np.sqrt(1.0 - z * z)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle), z])


AXIS = unit_vector(0.78, -0.20, 0.60)
VIRION = Ovoid(np.array([920.0, 820.0, 780.0]), np.array([515.0, 500.0, 620.0]), frame_along(AXIS), bumpiness=0.022)
VESICLE = Ovoid(np.array([1540.0, 310.0, 720.0]), np.array([165.0, 150.0, 195.0]), frame_along(unit_vector(1, 1, 0)))
LIPOSOME_CENTRE = np.array([1520.0, 1350.0, 780.0])
# Turned a little from the long axis towards the viewer, who looks down -z.
OPENING = Cut(VIRION.centre, unit_vector(0.66, -0.10, 0.74))
ENVELOPE_DEPTH, MATRIX_DEPTH, SPIKE_DEPTH = 20.0, 150.0, -15.0


def add(
    session: Session,
    container: DataContainer,
    geometry: Geometry,
    name: str,
    colour: Colour,
    representation: str | None = None,
    visible: bool = True,
    **appearance: float,
) -> Geometry:
    """Put a geometry into a container, named, coloured and with an identifier that does not change between runs."""
    geometry._meta["name"] = name
    geometry.uuid = str(uuid.uuid5(NAMESPACE, f"{'model' if container is session._models else 'cluster'}/{name}"))
    if representation is not None:
        geometry.change_representation(representation)
    # After the representation, which resets size and opacity.
    geometry.set_appearance(base_color=colour, **appearance)
    geometry.set_visibility(visible)
    container.add(geometry)
    return geometry


def group(tree: TreeStateData, name: str, members: Sequence[Geometry]) -> None:
    """As Session.group, which would draw a random identifier."""
    identifier = str(uuid.uuid5(NAMESPACE, f"group/{name}/{members[0].uuid}"))
    tree.root_items.append(identifier)
    tree.group_names[identifier] = name
    tree.groups[identifier] = [member.uuid for member in members]


def fit(points: ArrayLike, method: str, normals: ArrayLike | None = None, **settings: object) -> Geometry:
    """A model fitted by Mosaic, as its Fit button does."""
    cloud = Geometry(points=np.ascontiguousarray(points, dtype=np.float32), normals=normals, sampling_rate=VOXEL)
    return GeometryOperations.fit(cloud, method=method, **settings).to_geometry()


def properties(**values: ArrayLike) -> VertexPropertyContainer:
    return VertexPropertyContainer({name: np.asarray(value) for name, value in values.items()})


def voxels_near(inside: Callable[[Array], NDArray[np.bool_]], centre: Array, reach: float) -> Array:
    """Centres of the voxels of the tomogram's grid for which ``inside`` holds, found slab by slab to save memory."""
    lower = np.floor((centre - reach) / VOXEL).astype(int)
    upper = np.ceil((centre + reach) / VOXEL).astype(int)
    found = []
    for z in range(lower[2], upper[2]):
        x, y = np.meshgrid(np.arange(lower[0], upper[0]), np.arange(lower[1], upper[1]), indexing="ij")
        points = np.column_stack([x.ravel(), y.ravel(), np.full(x.size, z)]) * VOXEL
        found.append(points[inside(points)])
    return np.concatenate(found)


def segmented_shell(body: Ovoid, offset: float, thickness: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """A membrane leaflet as a segmentation finds it, and the confidence of every voxel.

    Where the membrane lies flat across the beam (z), the missing wedge thins it out.
    """

    def inside(points: Array) -> NDArray[np.bool_]:
        distance = body.signed_distance(points) - offset
        return np.abs(distance + rng.normal(0.0, 0.9, len(points))) < thickness / 2.0

    points = voxels_near(inside, body.centre, float(body.radii.max()) + 60.0)
    local = body.to_local(points) / np.square(body.radii)
    steepness = np.abs((local @ body.axes.T)[:, 2]) / np.linalg.norm(local, axis=1)
    confidence = np.clip(0.97 - 0.35 * steepness**4 + rng.normal(0.0, 0.03, len(points)), 0.0, 1.0)
    keep = rng.random(len(points)) < np.minimum(1.0, confidence + 0.08)
    return points[keep], confidence[keep]


def add_membrane(session: Session) -> list[Geometry]:
    rng = np.random.default_rng(1918)
    leaflets = []
    for label, (name, offset, colour) in enumerate(
        [("Outer leaflet", 18.0, OUTER_LEAFLET), ("Inner leaflet", -18.0, INNER_LEAFLET)], start=1
    ):
        points, confidence = segmented_shell(VIRION, offset, 10.0, rng)
        keep = OPENING.keeps(points, ENVELOPE_DEPTH)
        points, confidence = points[keep], confidence[keep]
        cloud = Geometry(
            points=points,
            sampling_rate=VOXEL,
            vertex_properties=properties(
                confidence=confidence.astype(np.float32), label=np.full(len(points), label, dtype=np.uint8)
            ),
        )
        leaflets.append(add(session, session._data, cloud, name, colour, size=5, specular=0.1))
    return leaflets


def add_matrix(session: Session) -> Geometry:
    """M1 as beads in rings around the long axis, each ring turned against the last by half a bead."""
    spacing, beneath = 40.0, -58.0
    polar = np.linspace(0.0, np.pi, 2000)
    profile = np.column_stack([VIRION.radii[0] * np.sin(polar), VIRION.radii[2] * np.cos(polar)])
    travelled = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(profile, axis=0), axis=1))])
    units, rings = [], []
    for ring, height in enumerate(np.arange(spacing / 2, travelled[-1], spacing * 0.9)):
        theta = np.interp(height, travelled, polar)
        count = max(1, round(2.0 * np.pi * (VIRION.radii[0] + beneath) * np.sin(theta) / spacing))
        angle = 2.0 * np.pi * (np.arange(count) + 0.5 * (ring % 2)) / count
        units.append(
            np.column_stack([np.sin(theta) * np.cos(angle), np.sin(theta) * np.sin(angle), np.cos(theta) + 0 * angle])
        )
        rings.append(np.full(count, ring, dtype=np.int32))
    points, normals = VIRION.surface(np.concatenate(units), beneath)
    points += np.random.default_rng(1933).normal(0.0, 1.6, points.shape)
    keep = OPENING.keeps(points, MATRIX_DEPTH)
    beads = Geometry(
        points=points[keep],
        normals=normals[keep],
        sampling_rate=VOXEL,
        vertex_properties=properties(ring=np.concatenate(rings)[keep]),
    )
    return add(session, session._data, beads, "M1 layer", MATRIX, size=19)


def upright(normals: Array, rng: np.random.Generator, tilt: float | Array) -> Array:
    """Scalar-first orientations along the normals, tilted by some degrees and spun at random about themselves."""
    tilts = np.broadcast_to(tilt, len(normals))[:, None]
    along = Rotation.from_quat(normals_to_rot(normals), scalar_first=True)
    spin = Rotation.from_euler("z", rng.uniform(0.0, 360.0, (len(normals), 1)), degrees=True)
    lean = Rotation.from_euler("xy", rng.normal(0.0, tilts, (len(normals), 2)), degrees=True)
    return (along * lean * spin).as_quat(scalar_first=True)


def spread_out(points: Array, spacing: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Indices of a random subset in which no two points are closer than ``spacing``."""
    neighbours = cKDTree(points).query_ball_point(points, spacing)
    free = np.ones(len(points), dtype=bool)
    chosen = []
    for index in rng.permutation(len(points)):
        if free[index]:
            chosen.append(index)
            free[neighbours[index]] = False
    return np.array(sorted(chosen), dtype=np.int64)


def trimer_map(size: int = 36, spacing: float = 5.0) -> NDArray[np.float32]:
    """A density of HA's outline: a coiled stalk of three, and three globular heads on top."""
    axis = (np.arange(size) - (size - 1) / 2.0) * spacing
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    density = np.zeros(x.shape)

    def blob(centre: Sequence[float], width: Sequence[float], weight: float) -> Array:
        square = sum(((a - c) / w) ** 2 for a, c, w in zip((x, y, z), centre, width, strict=True))
        return weight * np.exp(-0.5 * square)

    for protomer in range(3):
        for height in np.arange(-66.0, 40.0, 6.0):
            turn = 2.0 * np.pi * protomer / 3.0 + 0.012 * height
            radius = 13.0 + 0.06 * (height + 66.0)
            density += blob((radius * np.cos(turn), radius * np.sin(turn), height), (8.5, 8.5, 6.0), 0.55)
        turn = 2.0 * np.pi * protomer / 3.0 + 0.5
        density += blob((25.0 * np.cos(turn), 25.0 * np.sin(turn), 46.0), (14.0, 14.0, 17.0), 1.15)
    return density.astype(np.float32)


def add_glycoproteins(session: Session, envelope: Geometry) -> list[Geometry]:
    rng = np.random.default_rng(1957)
    anchors, normals = VIRION.surface(fibonacci_sphere(6000), 22.0)
    keep = OPENING.keeps(anchors, SPIKE_DEPTH)
    anchors, normals = anchors[keep], normals[keep]
    sites = spread_out(anchors, 80.0, rng)
    # NA comes in patches among HA, as in real particles.
    patch_centres = sites[spread_out(anchors[sites], 390.0, rng)]
    distance, patch = cKDTree(anchors[patch_centres]).query(anchors[sites])
    in_patch = distance < 118.0
    ha_sites, na_sites = sites[~in_patch], sites[in_patch]

    tilted = rng.random(len(ha_sites)) < 0.15
    ha_orientation = upright(normals[ha_sites], rng, tilt=np.where(tilted, 12.0, 3.0))
    ha_axis = Rotation.from_quat(ha_orientation, scalar_first=True).apply([0.0, 0.0, 1.0])
    ha = VolumeGeometry(
        points=anchors[ha_sites] + 70.0 * ha_axis,
        quaternions=ha_orientation,
        volume=trimer_map(),
        volume_sampling_rate=np.full(3, 5.0),
        sampling_rate=VOXEL,
        vertex_properties=properties(
            score=rng.beta(8.0, 3.0, len(ha_sites)).astype(np.float32),
            conformation=np.where(tilted, "tilted", "upright"),
        ),
    )
    add(session, session._data, ha, "HA", HAEMAGGLUTININ, size=14, isovalue_percentile=96.0)

    na = Geometry(
        # Mosaic draws arrows 15 sampling rates long; at 10 they are as tall as the protein, 150 angstrom.
        points=anchors[na_sites],
        quaternions=upright(normals[na_sites], rng, tilt=7.0),
        sampling_rate=10.0,
        vertex_properties=properties(
            score=rng.beta(6.0, 3.0, len(na_sites)).astype(np.float32), patch=patch[in_patch].astype(np.int32)
        ),
    )
    add(session, session._data, na, "NA", NEURAMINIDASE, "normals")

    taken = cKDTree(anchors[sites])
    gaps = np.flatnonzero(taken.query(anchors)[0] > 50.0)
    channels = gaps[spread_out(anchors[gaps], 260.0, rng)]
    m2 = Geometry(
        points=anchors[channels],
        quaternions=upright(normals[channels], rng, tilt=3.0),
        sampling_rate=6.0,
    )
    add(session, session._data, m2, "M2", ION_CHANNEL, "basis")

    session.measure("distance", [ha, na, m2], queries=[envelope], store=True)
    return [ha, na, m2]


def backbone(position: tuple[float, float], length: float, rng: np.random.Generator) -> Array:
    """The gently bent axis of one RNP; all of them start from the same end of the particle."""
    front = 445.0 - 0.55 * float(np.hypot(*position)) ** 2 / 200.0
    along = np.linspace(front, front - length, 9)
    drift = np.cumsum(rng.normal(0.0, 4.5, (9, 2)), axis=0)
    return VIRION.to_world(np.column_stack([np.array(position) + drift - drift.mean(axis=0), along]))


def nucleoprotein_strands(curve: Geometry, rise: float, turn: float, radius: float) -> tuple[Array, Array, Array]:
    """Beads of the two strands that wind about a fitted curve: points, outward normals and strand numbers."""
    count = curve.model.points_per_sampling(rise)
    centres = curve.model.sample(count)
    tangents = np.gradient(centres, axis=0)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    side = np.cross(tangents, VIRION.axes[:, 0])
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    up = np.cross(tangents, side)
    normals = []
    for strand in range(2):
        angle = np.radians(turn) * np.arange(count) + np.pi * strand
        normals.append(np.cos(angle)[:, None] * side + np.sin(angle)[:, None] * up)
    outward = np.concatenate(normals)
    return np.tile(centres, (2, 1)) + radius * outward, outward, np.repeat([0, 1], count)


def add_genome(session: Session) -> tuple[list[Geometry], list[Geometry]]:
    """The RNPs as beads (clusters) along fitted splines (models), and a polymerase at the end of each."""
    rng = np.random.default_rng(1968)
    ring = [(185.0 * np.cos(a), 185.0 * np.sin(a)) for a in 2.0 * np.pi * (np.arange(7) + 0.25) / 7.0]
    strands, curves, ends, directions = [], [], [], []
    for index, (segment, nucleotides) in enumerate(SEGMENTS.items()):
        position = (0.0, 0.0) if index == 0 else ring[(index * 3) % 7]
        curve = fit(backbone(position, 900.0 * nucleotides / 2341.0, rng), "spline", order=3)
        points, normals, strand = nucleoprotein_strands(curve, rise=23.0, turn=38.0, radius=36.0)
        tip = curve.points[0].astype(float)
        ends.append(tip + 26.0 * AXIS)
        directions.append(AXIS)
        shade = (2341.0 - nucleotides) / (2341.0 - 890.0)
        red, green, blue = (1.0 - shade) * np.array(RNP_LONGEST) + shade * np.array(RNP_SHORTEST)
        beads = Geometry(
            points=points,
            normals=normals,
            sampling_rate=VOXEL,
            meta={"nucleotides": nucleotides},
            vertex_properties=properties(
                strand=strand.astype(np.int32),
                segment=np.full(len(points), segment),
                distance_from_end=np.linalg.norm(points - tip, axis=1).astype(np.float32),
            ),
        )
        strands.append(
            add(session, session._data, beads, f"RNP {segment}", (float(red), float(green), float(blue)), size=24)
        )
        curves.append(add(session, session._models, curve, f"RNP {segment} axis", RNP_AXIS, "pointcloud", size=8))
    polymerases = Geometry(
        points=np.array(ends),
        quaternions=upright(np.array(directions), rng, tilt=10.0),
        sampling_rate=VOXEL,
        vertex_properties=properties(segment=np.array(list(SEGMENTS))),
    )
    add(session, session._data, polymerases, "Polymerase", POLYMERASE, size=38)
    return [*strands, polymerases], curves


def add_envelope(session: Session) -> list[Geometry]:
    """The opened mid-surface as a mesh, the whole outline as a wireframe, and the ellipsoid it comes near to."""
    points, normals = VIRION.surface(fibonacci_sphere(10000))
    keep = OPENING.keeps(points, ENVELOPE_DEPTH - 6.0)
    envelope = fit(points[keep], "ball_pivoting", normals[keep], radii="16,24,36", max_hole_size=0, n_smoothing=0)
    add(session, session._models, envelope, "Envelope", ENVELOPE, "surface")
    session.measure("mesh_curvature", [envelope], curvature="mean", radius=5, store=True)

    outline = fit(VIRION.surface(fibonacci_sphere(900))[0], "alpha_shape", alpha=1)
    add(session, session._models, outline, "Outline", OUTLINE, "wireframe", opacity=0.3)

    ellipsoid = fit(VIRION.surface(fibonacci_sphere(2000))[0], "ellipsoid")
    add(session, session._models, ellipsoid, "Ellipsoid fit", OUTLINE, "pointcloud", visible=False, size=4)
    return [envelope, outline, ellipsoid]


def add_vesicle(session: Session) -> Geometry:
    """A neighbouring liposome as a segmentation, opened on the same side as the virion."""
    side = Cut(VESICLE.centre, OPENING.direction)

    def inside(points: Array) -> NDArray[np.bool_]:
        return (np.abs(VESICLE.signed_distance(points)) < 20.0) & side.keeps(points, 60.0)

    vesicle = SegmentationGeometry(points=voxels_near(inside, VESICLE.centre, 240.0), sampling_rate=VOXEL)
    return add(session, session._data, vesicle, "Vesicle", VESICLE_MEMBRANE)


def add_liposome(session: Session, frames: int = 24) -> Geometry:
    """A liposome whose membrane undulates: a trajectory that loops."""
    unit = fibonacci_sphere(500)
    rest = fit(LIPOSOME_CENTRE + 170.0 * unit, "alpha_shape", alpha=1).model
    direction = (rest.vertices - LIPOSOME_CENTRE) / 170.0
    x, y, z = direction.T
    trajectory = []
    for frame in range(frames):
        phase = 2.0 * np.pi * frame / frames
        height = 13.0 * (3.0 * x * x - 1.0) * np.cos(phase) + 11.0 * (x * y + y * z) * np.sin(phase)
        height += 9.0 * z * (5.0 * z * z - 3.0) * np.sin(phase + 1.0)
        vertices = LIPOSOME_CENTRE + (170.0 + height)[:, None] * direction
        trajectory.append(
            {
                "fit": TriangularMesh(to_open3d(vertices, rest.triangles), repair=False),
                "filename": f"undulation_{frame:03d}.tsi",
                "vertex_properties": properties(displacement=height.astype(np.float32)),
            }
        )
    liposome = GeometryTrajectory(trajectory, model=trajectory[0]["fit"], sampling_rate=VOXEL)
    liposome.change_representation("mesh")
    liposome.display_frame(0)
    return add(session, session._models, liposome, "Liposome", LIPOSOME, "mesh")


def make_session() -> Session:
    session = Session(quiet=True)
    session.metadata["shape"] = (BOX / VOXEL).astype(np.int64)
    session.metadata["physical_shape"] = BOX

    fits = add_envelope(session)
    membrane = [*add_membrane(session), add_matrix(session)]
    glycoproteins = add_glycoproteins(session, fits[0])
    genome, curves = add_genome(session)
    vesicle = add_vesicle(session)
    liposome = add_liposome(session)

    group(session._data_tree, "Membrane", membrane)
    group(session._data_tree, "Glycoproteins", glycoproteins)
    group(session._data_tree, "Genome", genome)
    session._data_tree.root_items.append(vesicle.uuid)
    group(session._models_tree, "Membrane", fits)
    group(session._models_tree, "Genome", curves)
    session._models_tree.root_items.append(liposome.uuid)
    return session


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "out", help="where to write the session; end it in .pickle, the only kind Mosaic's window opens"
    )
    make_session().save_session(parser.parse_args().out)


if __name__ == "__main__":
    main()
