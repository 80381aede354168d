"""What an import will make, decided before Blender is touched: kinds of data, names, sizes.

A session that is too large, or options that make no sense, fail here and change nothing.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from ...session.errors import MosaicError
from ...session.session import MESH_REPRESENTATIONS, Geometry, Mesh, Session, UnknownModel
from ..data.custom_properties import clean_text
from ..data.extent import extent, first_pixel_size, spacing
from ..drawing.representations import (
    ARROW_LENGTH,
    FIT,
    MESH,
    OFFERED,
    POINT_REPRESENTATIONS,
    POINTS,
    SEGMENTATION,
    TRAJECTORY,
    VOLUME,
)
from .options import ImportOptions


@dataclass(frozen=True, slots=True)
class Limit:
    """How many of one kind are imported without asking.

    most: beyond it an import takes minutes or gigabytes. floor: that are imported from any file. bytes_each: of the
    file for each beyond the floor; it takes more in every session that Mosaic wrote, but a pickle can name one part
    thousands of times.
    """

    most: int
    floor: int
    bytes_each: float

    def of(self, size: int | None) -> int:
        """Return the limit for a file of so many bytes; None for a session that is in no file."""
        return self.most if size is None else min(self.most, max(self.floor, int(size / self.bytes_each)))


MAX_IN_VIEW = 350_000  # points that all objects together draw in views
# From so many points on, none is wider than this many times the distance to its neighbour: more would hide them.
MANY_POINTS, WIDEST_POINT = 1000, 4.0
LIMITS = {
    "objects": Limit(50_000, 2000, 100),
    "groups": Limit(20_000, 1000, 100),
    "points": Limit(200_000_000, 1_000_000, 2),
    "faces": Limit(100_000_000, 1_000_000, 4),
    "frames": Limit(20_000, 1000, 200),
    "vertex properties": Limit(200_000, 2000, 40),
    "values of vertex properties": Limit(1_000_000_000, 4_000_000, 0.5),
}


@dataclass(slots=True)
class Item:
    """An object to make.

    group: its kind of data, by the node group that draws it. name: unique in Blender. inputs: of the modifier, by name.
    """

    geometry: Geometry
    group: str
    representation: str
    name: str
    inputs: dict[str, float | bool] = field(default_factory=dict)


@dataclass(slots=True)
class Plan:
    """All that an import will make.

    name: of the session's collection. lower, upper: corners, (3,) each, of all that is visible, in angstrom.
    pixel_size: in angstrom. warnings: sentences for the user.
    """

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
        """The middle of the extent, (3,) in angstrom."""
        return (self.lower + self.upper) / 2


def plan_import(
    session: Session, options: ImportOptions, taken: Iterable[str], name_bytes: int, unlimited: bool = False
) -> Plan:
    """Decide what to make of a session.

    taken: names of objects that are in use. name_bytes: the greatest length of names in Blender. unlimited: let
    sessions beyond LIMITS pass. Raises MosaicError for such a session otherwise, and for options that make no sense.
    """
    _check(options)
    if not unlimited:
        _hold_to_limits(session)
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
    pixel_size = options.pixel_size or first_pixel_size(lower, upper)
    bounded = options.pixel_size is None or not options.exact
    for item in items:
        item.inputs = _inputs(item.geometry, item.group, item.representation, pixel_size)
        if bounded and item.representation == "pointcloud":
            _bound_width(item)
    _bound_views(items)
    name = clean_text(PurePath(session.path).stem) or "Session"
    return Plan(session, options, name, items, lower, upper, pixel_size, warnings)


def _check(options: ImportOptions) -> None:
    """Raise MosaicError for options that make no sense."""
    for name, value in (("scale", options.angstrom_per_unit), ("pixel size", options.pixel_size)):
        if value is not None and not (np.isfinite(value) and value > 0):
            raise MosaicError(f"The {name} must be a positive number of angstrom, not {value}.")


def _hold_to_limits(session: Session) -> None:
    """Raise MosaicError for a session that holds more than LIMITS allow for its file."""
    counts = dict.fromkeys(LIMITS, 0)
    counts["groups"] = len(session.clusters.groups) + len(session.models.groups)
    for geometry in session.geometries:
        meshes = [geometry.model] if isinstance(geometry.model, Mesh) else []
        meshes += [frame.mesh for frame in geometry.frames or ()]
        counts["objects"] += 1
        counts["points"] += len(geometry.points) + sum(len(mesh.vertices) for mesh in meshes)
        counts["faces"] += sum(len(mesh.triangles) for mesh in meshes)
        counts["frames"] += len(geometry.frames or ())
        for columns in (geometry.vertex_properties, *(frame.vertex_properties for frame in geometry.frames or ())):
            counts["vertex properties"] += len(columns)
            counts["values of vertex properties"] += sum(values.size for values in columns.values())
    try:
        size = os.path.getsize(session.path) if session.path else None
    except OSError:
        size = None
    for what, limit in LIMITS.items():
        most = limit.of(size)
        if counts[what] > most:
            of_size = "" if size is None or most == limit.most else f" of a file of {size:,} bytes"
            raise MosaicError(
                f"{session.path} holds {counts[what]:,} {what}, more than the {most:,}{of_size} that are opened without "
                "asking; choose Very Large Sessions (--unlimited on the command line) if you mean it."
            )


def _group_of(geometry: Geometry) -> str:
    """The kind of data of a geometry, by the node group that draws it."""
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
    """The inputs of the modifier that are not at their defaults. Mosaic ignores the size of a surface's points."""
    inputs: dict[str, float | bool] = {"Pixel Size": pixel_size}
    if representation not in MESH_REPRESENTATIONS:
        inputs["Size"] = geometry.appearance.size
    if not geometry.appearance.render_spheres:
        inputs["Spheres"] = False
    if group != SEGMENTATION:
        inputs["Arrow Length"] = ARROW_LENGTH * float(geometry.sampling_rate.max())
    return inputs


def _bound_width(item: Item) -> None:
    """Let points be no wider than their spacing allows. Their size stays Mosaic's number, which is saved."""
    points, size = item.geometry.points, item.geometry.appearance.size
    if len(points) >= MANY_POINTS and size > 0:
        widest = WIDEST_POINT * spacing(points, float(item.geometry.sampling_rate.max()))
        item.inputs["Pixel Size"] = min(item.inputs["Pixel Size"], widest / size)


def _bound_views(items: Sequence[Item]) -> None:
    """Let views draw some of the points of large objects, so that all objects together draw MAX_IN_VIEW at most.

    Each may draw as many as the others, so that small ones stay whole. Hidden ones count, as they may be shown. What is
    drawn as a surface has the same bound if its points are drawn later.
    """
    counts = [len(item.geometry.points) for item in items if item.representation in POINT_REPRESENTATIONS]
    most, left = MAX_IN_VIEW, MAX_IN_VIEW
    for number, count in enumerate(sorted(counts)):
        most = left // (len(counts) - number)
        if count > most:
            break
        left -= count
    else:
        most = max([MAX_IN_VIEW - sum(counts), *counts])
    for item in items:
        if len(item.geometry.points) > most:
            item.inputs["Viewport Amount"] = most / len(item.geometry.points)


def _unique_names(names: list[str], taken: set[str], limit: int) -> list[str]:
    """Names cut to `limit` bytes, and numbered where they repeat, which Blender itself would do slowly."""
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
