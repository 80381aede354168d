"""What Mosaic refuses a whole file over, or dies of: mended in the geometry's node, or told as a reason to leave it out.

Some of it came with the file, some can be done in Blender. What Mosaic bears is left as it is.
"""

from typing import Any

import numpy as np

from ...session.edit import entry, put, set_fit, set_sampling_rate, state_of
from ...session.nodes import Node, ObjectNode, Pairs, Stored
from ...session.releases import MESH_CLASSES, Spelling
from ...session.repair import crashes_mosaic
from ...session.session import DEFAULT_RESOLUTION, MESH_REPRESENTATIONS, POINT_REPRESENTATIONS, Appearance
from ...session.values import array_of, fit_of, numbers_of
from ..keys import SHAPE, SPACING
from ..record import Record
from .object_arrays import Source

MAX_VOXELS = 2**31  # of the grid that Mosaic makes of a segmentation, one byte each
MAX_VOXEL = 2**31  # along one axis, from the origin; somewhere beyond, Mosaic's numbers overflow
POINTS_ON_A_FINE_GRID, POINTS_A_STEP = 4_000_000, 500_000
DRAWN = frozenset((*POINT_REPRESENTATIONS, *MESH_REPRESENTATIONS, "pointcloud_normals"))


def repair(node: ObjectNode, source: Source, record: Record, name: str, spelling: Spelling) -> list[str]:
    """Mend a geometry's node. Returns what was mended, one sentence each. name: of the object."""
    mended: list[str] = []
    state = state_of(node)
    fields = state.as_dict()
    if type(fields.get("meta")) is not Pairs:
        put(entry(node, "meta"), "name", name)
        mended.append("its meta, which was none, is new")
    if type(fields.get("appearance")) is not Pairs:
        color = Appearance().base_color
        put(entry(node, "appearance"), "base_color", color)
        mended.append("its appearance, which was none, is new")
    else:
        _repair_color(fields["appearance"], mended)
    _repair_fit(node, fields, record, mended, spelling)
    if node.cls.name == "SegmentationGeometry":
        rate = array_of(fields.get("sampling_rate"))
        if rate is not None and not _is_positive(rate):
            set_sampling_rate(node, numbers_of(node)[0])
            mended.append("its sampling rate was not positive")
        return mended
    if node.cls.name == "VolumeGeometry" and source.volume is not None:
        _repair_volume(state, source, mended)
    if spelling.representations:
        _repair_representation(state, source, mended)
    return mended


def trouble(node: ObjectNode, source: Source) -> str | None:
    """Why Mosaic cannot load a geometry whatever is mended: the end of a sentence; None if it can."""
    if node.cls.name == "SegmentationGeometry":
        if not source.count:
            return "Mosaic crashes on a segmentation without voxels"
        points = source.points(np.dtype(np.float32))
        lower, upper = points.min(axis=0).astype(np.float64), points.max(axis=0).astype(np.float64)
        if not np.isfinite([lower, upper]).all():
            return "Mosaic crashes on a segmentation with voxels that are not finite"
        step = int(np.cbrt(len(points) / POINTS_A_STEP)) if len(points) > POINTS_ON_A_FINE_GRID else 1
        rate = numbers_of(node)[0]
        if np.abs([lower, upper]).max() / min(rate) > MAX_VOXEL:
            return "its voxels lie further from the origin than Mosaic can number them"
        voxels = (upper - lower) / (max(rate) * step) + 1
        if voxels.prod() > MAX_VOXELS:
            return "it spans more voxels than Mosaic has memory for"
    elif source.volume is not None and 0 in list(source.volume[SHAPE]):
        return "Mosaic crashes on an empty volume"
    return None


def turn_by_quaternions(node: ObjectNode, source: Source) -> None:
    """Give a volume that stands along normals the quaternions for it: since 1.3 Mosaic does not look at its normals."""
    fields = node.fields()
    if (
        node.cls.name == "VolumeGeometry"
        and source.count
        and fields.get("quaternions") is None
        and fields.get("normals") is not None
    ):
        put(state_of(node), "quaternions", source.stored("quaternions"))


def _is_positive(values: Any) -> bool:
    return values.dtype.kind in "biuf" and bool((np.isfinite(values) & (values > 0)).all())


def _repair_color(appearance: Pairs, mended: list[str]) -> None:
    color = appearance.as_dict().get("base_color")
    if isinstance(color, (list, tuple)) and len(color) > 3:
        put(appearance, "base_color", tuple(color[:3]))
        mended.append("its colour had more than three numbers")


def _repair_fit(
    node: ObjectNode, fields: dict[str, Node], record: Record, mended: list[str], spelling: Spelling
) -> None:
    """Faces that name vertices which are not there end Mosaic. Those that Blender holds were checked when they were read."""
    fit = fit_of(node)
    if fit is not None and fit.cls.name in MESH_CLASSES and _is_broken(fit):
        set_fit(node, None, spelling)
        if state_of(node).as_dict().get("representation") in MESH_REPRESENTATIONS:
            put(state_of(node), "representation", "pointcloud")
        mended.append("its mesh, whose faces name vertices that it does not have, is left out")
    steps = fields.get("trajectory")
    if type(steps) is list and len(steps) > len(record.frames):
        kept = [step for step in steps if type(step) is Pairs and not _is_broken(step.as_dict().get("fit"))]
        if kept and len(kept) < len(steps):
            put(state_of(node), "trajectory", kept)
            mended.append(f"{len(steps) - len(kept)} of its frames, which are damaged, are left out")


def _is_broken(fit: Node) -> bool:
    return type(fit) is not ObjectNode or (type(fit.fields().get("triangles")) is not Stored and crashes_mosaic(fit))


def _repair_volume(state: Pairs, source: Source, mended: list[str]) -> None:
    assert source.volume is not None
    rate = array_of(state.as_dict().get("volume_sampling_rate"))
    if rate is not None and not _is_positive(rate):
        put(state, "volume_sampling_rate", np.array(source.volume[SPACING], np.float32))
        mended.append("the sampling rate of its volume was not positive")
    resolution = state.as_dict().get("target_resolution")
    if isinstance(resolution, (float, np.floating)) and np.isinf(resolution):
        put(state, "target_resolution", DEFAULT_RESOLUTION)
        mended.append("its target resolution was not finite")


def _repair_representation(state: Pairs, source: Source, mended: list[str]) -> None:
    fields = state.as_dict()
    said = fields.get("representation")
    shown = said.lower() if type(said) is str else None
    if shown not in DRAWN and not (shown == "volume" and source.volume is not None):
        put(state, "representation", "volume" if source.volume is not None else "pointcloud")
        what = f"the representation {said!r}" if type(said) is str else "no representation"
        mended.append(f"it had {what}, over which Mosaic refuses a file")
    elif shown == "basis" and not source.count:
        put(state, "representation", "pointcloud")
        mended.append(
            "it is shown as axes but has no points, over which Mosaic refuses a file, so it is shown as points"
        )
    elif shown == "basis" and fields.get("normals") is None and fields.get("quaternions") is None:
        put(state, "quaternions", source.stored("quaternions"))
        mended.append("it is shown as axes but had no orientations, so all of them stand along x, y and z")
