"""What an import will make, decided without Blender: sizes, names, places. A session that does not pass changes nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...session.errors import MosaicError
from ...session.session import MESH_REPRESENTATIONS, Geometry, Mesh, Session, UnknownModel
from ..data.custom_properties import clean_text
from ..drawing.representations import ARROW_LENGTH, FIT, MESH, OFFERED, POINTS, SEGMENTATION, TRAJECTORY, VOLUME

# Beyond these an import would take minutes or gigabytes, so it is asked about first.
BUDGET = {
    "objects": 50_000,
    "points": 200_000_000,
    "faces": 100_000_000,
    "frames": 20_000,
    "vertex properties": 200_000,
}
# Mosaic frames a session in a view of 30 degrees; its 3D view is some 900 pixels high on a common screen.
VIEW_ANGLE = np.radians(30.0)
VIEW_HEIGHT = 900
BLOCK = 131_072  # points that stay in the processor's cache between the search for the lowest and the highest
CHUNK = 256  # points side by side in one row, so that numpy reduces whole cache lines


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a session is placed in Blender.

    angstrom_per_unit: 1000 makes a Blender unit 100 nm. recentre: put the middle of the session at the world's origin.
    pixel_size: angstrom that one of Mosaic's screen pixels stands for; None takes what Mosaic's first view shows.
    """

    angstrom_per_unit: float = 1000.0
    recentre: bool = True
    pixel_size: float | None = None


@dataclass(slots=True)
class Item:
    """One object to make: of which geometry, drawn by which node group and inputs, as what, under which name."""

    geometry: Geometry
    group: str
    representation: str
    name: str
    inputs: dict[str, float | bool] = field(default_factory=dict)


@dataclass(slots=True)
class Plan:
    """All that an import will make. centre and pixel_size in angstrom; lower and upper are the extent of what is visible."""

    session: Session
    options: ImportOptions
    name: str
    items: list[Item]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    pixel_size: float
    warnings: list[str] = field(default_factory=list)

    @property
    def centre(self) -> NDArray[np.float64]:
        return (self.lower + self.upper) / 2


def plan_import(
    session: Session, options: ImportOptions, taken: Iterable[str], name_bytes: int, unlimited: bool = False
) -> Plan:
    """Decide what to make of a session.

    taken: names of objects that are in use. name_bytes: how long Blender's names may be. unlimited: pass sessions beyond
    BUDGET. Raises MosaicError for those, and for options that make no sense.
    """
    _check(options)
    if not unlimited:
        _hold_to_budget(session)
    warnings = list(session.warnings)
    names = _unique_names([geometry.name for geometry in session.geometries], set(taken), name_bytes)
    items = []
    for geometry, name in zip(session.geometries, names, strict=True):
        group = _group_of(geometry)
        representation = geometry.representation
        if representation not in OFFERED[group]:
            warnings.append(
                f"{geometry.container} {geometry.name!r}: cannot be shown as {representation}; points are shown."
            )
            representation = "pointcloud"
        items.append(Item(geometry, group, representation, name))
    visible = [item.geometry.points for item in items if item.geometry.visible]
    lower, upper = extent(visible or [item.geometry.points for item in items])
    pixel_size = options.pixel_size or _pixel_size(lower, upper)
    for item in items:
        item.inputs = _inputs(item.geometry, item.group, item.representation, pixel_size)
    name = clean_text(PurePath(session.path).stem) or "Session"
    return Plan(session, options, name, items, lower, upper, pixel_size, warnings)


def _check(options: ImportOptions) -> None:
    for name, value in (("scale", options.angstrom_per_unit), ("pixel size", options.pixel_size)):
        if value is not None and not (np.isfinite(value) and value > 0):
            raise MosaicError(f"The {name} must be a positive number of angstrom, not {value}.")


def _hold_to_budget(session: Session) -> None:
    counts = dict.fromkeys(BUDGET, 0)
    for geometry in session.geometries:
        meshes = [geometry.model] if isinstance(geometry.model, Mesh) else []
        meshes += [frame.mesh for frame in geometry.frames or ()]
        counts["objects"] += 1
        counts["points"] += len(geometry.points) + sum(len(mesh.vertices) for mesh in meshes)
        counts["faces"] += sum(len(mesh.triangles) for mesh in meshes)
        counts["frames"] += len(geometry.frames or ())
        counts["vertex properties"] += len(geometry.vertex_properties)
    for what, limit in BUDGET.items():
        if counts[what] > limit:
            raise MosaicError(
                f"{session.path} holds {counts[what]:,} {what}, more than the {limit:,} that are opened without asking; "
                "choose Very Large Sessions (--unlimited on the command line) if you mean it."
            )


def _group_of(geometry: Geometry) -> str:
    """The node group for its kind of data."""
    if geometry.frames:
        return TRAJECTORY
    if geometry.volume is not None:
        return VOLUME
    if geometry.kind == "segmentation":
        return SEGMENTATION
    if isinstance(geometry.model, Mesh):
        return MESH if len(geometry.model.vertices) == len(geometry.points) else POINTS
    return POINTS if geometry.model is None or isinstance(geometry.model, UnknownModel) else FIT


def _inputs(geometry: Geometry, group: str, representation: str, pixel_size: float) -> dict[str, float | bool]:
    """What the modifier is told beyond its defaults. The size of a surface's points means nothing in Mosaic."""
    inputs: dict[str, float | bool] = {"Pixel Size": pixel_size}
    if representation not in MESH_REPRESENTATIONS:
        inputs["Size"] = geometry.appearance.size
    if not geometry.appearance.render_spheres:
        inputs["Spheres"] = False
    if group != SEGMENTATION:
        inputs["Arrow Length"] = ARROW_LENGTH * float(geometry.sampling_rate.max())
    return inputs


def _unique_names(names: list[str], taken: set[str], limit: int) -> list[str]:
    """Names as Blender will keep them: cut to `limit` bytes, and numbered where they repeat (which Blender does slowly)."""
    numbers: dict[str, int] = {}
    unique = []
    for name in names:
        stem = candidate = clean_text(name).encode()[:limit].decode("utf-8", "ignore") or "Geometry"
        while candidate in taken:
            number = numbers[stem] = numbers.get(stem, 0) + 1
            tail = f".{number:03d}"
            candidate = stem.encode()[: limit - len(tail)].decode("utf-8", "ignore") + tail
        taken.add(candidate)
        unique.append(candidate)
    return unique


def _pixel_size(lower: NDArray[np.float64], upper: NDArray[np.float64]) -> float:
    """Angstrom a pixel in Mosaic's first view: VTK's ResetCamera fits the sphere around the extent into the view angle."""
    radius = float(np.linalg.norm(upper - lower)) / 2 or 0.5
    distance = radius / np.sin(VIEW_ANGLE / 2)
    return float(2 * distance * np.tan(VIEW_ANGLE / 2) / VIEW_HEIGHT)


def extent(clouds: Iterable[NDArray[Any]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper corner, (3,) each, of the finite points of all clouds (n, 3); zeros where there are none."""
    lows: list[NDArray[Any]] = []
    highs: list[NDArray[Any]] = []
    small: list[NDArray[Any]] = []
    waiting = 0
    for points in clouds:
        if len(points) > BLOCK:
            for start in range(0, len(points), BLOCK):
                _reduce(points[start : start + BLOCK], lows, highs)
        elif len(points):
            small.append(points)
            waiting += len(points)
        if waiting > 1_000_000:
            _reduce(np.concatenate(small), lows, highs)
            small, waiting = [], 0
    if small:
        _reduce(np.concatenate(small), lows, highs)
    if not lows:
        return np.zeros(3), np.zeros(3)
    return np.min(lows, axis=0).astype(np.float64), np.max(highs, axis=0).astype(np.float64)


def _reduce(points: NDArray[Any], lows: list[NDArray[Any]], highs: list[NDArray[Any]]) -> None:
    whole = len(points) // CHUNK * CHUNK
    parts = [points[:whole].reshape(-1, CHUNK * 3), points[whole:].reshape(-1, 3)]
    low = np.min([part.min(axis=0).reshape(-1, 3).min(axis=0) for part in parts if len(part)], axis=0)
    high = np.max([part.max(axis=0).reshape(-1, 3).max(axis=0) for part in parts if len(part)], axis=0)
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        points = points[np.isfinite(points).all(axis=1)]
        if not len(points):
            return
        low, high = points.min(axis=0), points.max(axis=0)
    lows.append(low)
    highs.append(high)
