"""Repair of geometries over which Mosaic refuses a whole file, or crashes; those beyond repair are named.

Some of the faults come with a file, others can be made in Blender. A fault that Mosaic tolerates is left as it is. All
was tried with Mosaic 1.3.2.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arrays import NORMALS, QUATERNIONS, TRIANGLES, VERTICES
from .edit import drop, entry, put, set_fit, set_name, set_sampling_rate, state_of
from .nodes import ArrayNode, Node, ObjectNode, Pairs, Stored
from .releases import MESH_CLASSES, OLD_REPRESENTATIONS, Spelling
from .session import DEFAULT_RESOLUTION, MESH_REPRESENTATIONS, POINT_REPRESENTATIONS, Appearance
from .values import MIN_SAMPLING, array_of, fit_of, number_of, numbers_of, told_rate

MAX_VOXELS = 2**31  # of the grid that Mosaic makes of a segmentation, one byte each
MAX_VOXEL = 2**31  # along one axis, from the origin; somewhere beyond, Mosaic's numbers overflow
POINTS_ON_A_FINE_GRID, POINTS_A_STEP = 4_000_000, 500_000
PLAIN = (type(None), bool, int, float)
LOOKS = ("size", "opacity", "ambient", "diffuse", "specular", "isovalue_percentile", "render_spheres")
COLORS = ("base_color", "highlight_color")
DRAWN = frozenset((*POINT_REPRESENTATIONS, *MESH_REPRESENTATIONS, *OLD_REPRESENTATIONS))


def repair(
    node: ObjectNode,
    spelling: Spelling,
    *,
    name: str,
    count: int,
    frames: int,
    spacing: Sequence[float] | None,
    quaternions: Node,
) -> list[str]:
    """Mend a geometry's node. Returns a sentence, without a full stop, for each part that was mended.

    name: of the geometry. count: of its points. frames: of its trajectory that were checked when they were read.
    spacing: angstrom a voxel of its volume, None without one. quaternions: for its points, (n, 4) or a `Stored` node,
    which it gets if Mosaic needs some.
    """
    mended: list[str] = []
    state = state_of(node)
    fields = state.as_dict()
    if type(fields.get("meta")) is not Pairs:
        set_name(node, name)
        mended.append("its meta, which was none, is new")
    if type(fields.get("appearance")) is not Pairs:
        put(entry(node, "appearance"), "base_color", Appearance().base_color)
        mended.append("its appearance, which was none, is new")
    mended += _repair_appearance(entry(node, "appearance"))
    mended += _repair_vectors(state, count)
    mended += _repair_fit(node, spelling)
    mended += _repair_frames(state, frames)
    if node.cls.name == "SegmentationGeometry":
        rate = array_of(fields.get("sampling_rate"))
        if rate is not None and not _has_grid(rate):
            sound = numbers_of(node)[0]
            set_sampling_rate(node, sound)
            mended.append(f"its sampling rate was not positive, so {told_rate(sound)} written")
        return mended
    if node.cls.name == "VolumeGeometry" and spacing is not None:
        mended += _repair_volume(state, spacing)
    if spelling.representations:
        mended += _repair_representation(state, count, spacing is not None, quaternions)
    return mended


def _repair_vectors(state: Pairs, count: int) -> list[str]:
    """Leave out normals and quaternions of which Mosaic can make nothing. count: of the points."""
    mended = []
    for key, width in ((NORMALS, 3), (QUATERNIONS, 4)):
        value = state.as_dict().get(key)
        if value is None or type(value) is Stored:
            continue
        values = array_of(value)
        is_read = values is not None and values.dtype.kind in "biuf"
        if not is_read or (key == QUATERNIONS and values is not None and values.shape != (count, width)):
            put(state, key, None)
            mended.append(f"its {key}, which are none, are left out")
    return mended


def _repair_appearance(appearance: Pairs) -> list[str]:
    """Leave out numbers and colours that are none, for which Mosaic has defaults."""
    mended = _repair_color(appearance)
    for key, value in appearance.as_dict().items():
        if (key in LOOKS and not _is_number(value)) or (key in COLORS and value is not None and not _is_color(value)):
            drop(appearance, key)
            mended.append(f"its {key}, which is no {'number' if key in LOOKS else 'colour'}, is left out")
    return mended


def _is_number(value: Node) -> bool:
    return type(value) in PLAIN or isinstance(value, np.number | np.bool_) or number_of(value) is not None


def _is_color(value: Node) -> bool:
    values = array_of(value)
    if values is not None:
        return values.dtype.kind in "biuf" and values.shape == (3,)
    return (
        type(value) in (list, tuple)
        and len(value) == 3
        and all(part is not None and _is_number(part) for part in value)
    )


def _repair_color(appearance: Pairs) -> list[str]:
    color = appearance.as_dict().get("base_color")
    if not isinstance(color, (list, tuple)) or len(color) <= 3:
        return []
    put(appearance, "base_color", tuple(color[:3]))
    return ["its colour had more than three numbers"]


def _repair_fit(node: ObjectNode, spelling: Spelling) -> list[str]:
    """Leave out a mesh whose faces name vertices that are not there, on which Mosaic crashes."""
    fit = fit_of(node)
    if fit is not None and _is_odd_rbf(fit):
        set_fit(node, None, spelling)
        return ["its fit, whose numbers are none, is left out"]
    if fit is None or fit.cls.name not in MESH_CLASSES or not _is_broken(fit):
        return []
    set_fit(node, None, spelling)
    if state_of(node).as_dict().get("representation") in MESH_REPRESENTATIONS:
        put(state_of(node), "representation", "pointcloud")
    return ["its mesh, whose faces name vertices that it does not have, is left out"]


def _repair_frames(state: Pairs, checked: int) -> list[str]:
    """Leave out the frames of a trajectory on which Mosaic crashes, unless all are such. checked: the sound ones."""
    steps = state.as_dict().get("trajectory")
    if type(steps) is not list or len(steps) <= checked:
        return []
    kept = [step for step in steps if type(step) is Pairs and not _is_broken(step.as_dict().get("fit"))]
    if not kept or len(kept) == len(steps):
        return []
    put(state, "trajectory", kept)
    return [f"{len(steps) - len(kept)} of its frames, which are damaged, are left out"]


def _is_odd_rbf(fit: ObjectNode) -> bool:
    """Tell whether Mosaic crashes on a sheet, whose sites and weights are no numbers."""
    inner = fit.fields().get("rbf")
    fields = inner.fields() if type(inner) is ObjectNode else {}
    arrays = [array_of(fields.get(key)) for key in ("xi", "nodes")]
    return fit.cls.name == "RBF" and any(values is None or values.dtype.kind not in "biuf" for values in arrays)


def _is_broken(fit: Node) -> bool:
    """Tell whether Mosaic crashes on a mesh. One whose faces are in Blender's data was checked when it was read."""
    if type(fit) is ObjectNode:
        values = [fit.fields().get(key) for key in (VERTICES, TRIANGLES)]
        if any(type(value) is not Stored and array_of(value) is None for value in values):
            return True
    return type(fit) is not ObjectNode or (type(fit.fields().get("triangles")) is not Stored and crashes_mosaic(fit))


def _repair_volume(state: Pairs, spacing: Sequence[float]) -> list[str]:
    mended = []
    value: Any = state.as_dict().get("volume_sampling_rate")
    rate = array_of(value)
    is_odd = len(value) != 3 if type(value) in (list, tuple) else value is not None and (rate is None or rate.size != 3)
    if is_odd or (rate is not None and not _has_kernel(rate)):
        put(state, "volume_sampling_rate", np.array(spacing, np.float32))
        mended.append(f"the sampling rate of its volume was not positive, so {told_rate(spacing)} written")
    resolution = state.as_dict().get("target_resolution")
    if isinstance(resolution, (float, np.floating)) and np.isinf(resolution):
        put(state, "target_resolution", DEFAULT_RESOLUTION)
        mended.append("its target resolution was not finite")
    return mended


def _has_grid(rate: NDArray[Any]) -> bool:
    """Tell whether Mosaic can lay a segmentation on a grid of this rate, of which it takes the largest number."""
    largest = abs(_largest(rate))
    return MIN_SAMPLING < largest < np.inf


def _has_kernel(rate: NDArray[Any]) -> bool:
    """Tell whether Mosaic can smooth a volume of this rate. It does not where the largest number is none."""
    largest = _largest(rate)
    return bool(np.isnan(largest)) or largest > MIN_SAMPLING


def _largest(rate: NDArray[Any]) -> float:
    """Return the largest number of a rate, NaN where one is NaN, 0 where there is none."""
    return float(rate.max()) if rate.dtype.kind in "biuf" and rate.size else 0.0


def _repair_representation(state: Pairs, count: int, has_volume: bool, quaternions: Node) -> list[str]:
    fields = state.as_dict()
    said = fields.get("representation")
    shown = said.lower() if type(said) is str else None
    if shown not in DRAWN and not (shown == "volume" and has_volume):
        put(state, "representation", "volume" if has_volume else "pointcloud")
        what = f"the representation {said!r}" if type(said) is str else "no representation"
        return [f"it had {what}, over which Mosaic refuses a file"]
    if shown == "basis" and not count:
        put(state, "representation", "pointcloud")
        return ["it is shown as axes but has no points, over which Mosaic refuses a file, so it is shown as points"]
    if shown == "basis" and fields.get("normals") is None and fields.get("quaternions") is None:
        put(state, "quaternions", quaternions)
        return ["it is shown as axes but had no orientations, so all of them stand along x, y and z"]
    return []


def trouble(node: ObjectNode, points: Callable[[], NDArray[np.float32]], voxels: Sequence[int] | None) -> str | None:
    """Say why Mosaic cannot load a geometry, whatever is mended: the end of a sentence, None if it can.

    points: returns (n, 3) angstrom; called for segmentations alone. voxels: of its volume along x, y and z, None
    without one.
    """
    if node.cls.name == "SegmentationGeometry":
        return _trouble_of_voxels(points(), numbers_of(node)[0])
    return "Mosaic crashes on an empty volume" if voxels is not None and 0 in list(voxels) else None


def _trouble_of_voxels(points: NDArray[np.float32], rate: Sequence[float]) -> str | None:
    """Say why Mosaic cannot load a segmentation with these points, (n, 3) angstrom, and this sampling rate."""
    if not len(points):
        return "Mosaic crashes on a segmentation without voxels"
    lower, upper = points.min(axis=0).astype(np.float64), points.max(axis=0).astype(np.float64)
    if not np.isfinite([lower, upper]).all():
        return "Mosaic crashes on a segmentation with voxels that are not finite"
    step = int(np.cbrt(len(points) / POINTS_A_STEP)) if len(points) > POINTS_ON_A_FINE_GRID else 1
    if np.abs([lower, upper]).max() / min(rate) > MAX_VOXEL:
        return "its voxels lie further from the origin than Mosaic can number them"
    voxels = (upper - lower) / (max(rate) * step) + 1
    return "it spans more voxels than Mosaic has memory for" if voxels.prod() > MAX_VOXELS else None


def crashes_mosaic(root: Node) -> bool:
    """Tell whether Mosaic would crash on a node: on arrays that do not fit their bytes, or faces without vertices."""
    todo, seen = [root], set()
    while todo:
        node = todo.pop()
        if isinstance(node, (list, tuple)) or type(node) in (ObjectNode, ArrayNode):
            if id(node) in seen:
                continue
            seen.add(id(node))
        if type(node) is ObjectNode:
            todo += (node.args, node.state)
            fields = node.fields()
            vertices, triangles = array_of(fields.get("vertices")), array_of(fields.get("triangles"))
            if (
                vertices is not None
                and triangles is not None
                and triangles.size
                and (triangles.dtype.kind not in "iu" or triangles.min() < 0 or triangles.max() >= len(vertices))
            ):
                return True
        elif type(node) is ArrayNode:
            if node.values is None and not node.kept:
                return True
        elif isinstance(node, (list, tuple)):
            todo += node
    return False
