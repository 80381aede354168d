"""Nodes -> numbers, colours, truth values and arrays, and what a geometry's node holds of these."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .nodes import ArrayNode, Node, ObjectNode, Pairs
from .session import Color

MAX_NUMBER = 1e38  # what Blender's numbers hold
MAX_INT = 2**31 - 1
MIN_SAMPLING, MAX_SAMPLING = 1e-20, 1e20  # angstrom; beyond, a product of two leaves Blender's numbers
DEFAULT_SAMPLING_RATE = (1.0, 1.0, 1.0)
# Where a geometry has its model: an attribute since 1.0.12, an entry of its meta before.
MODEL, FIT = "model", "fit"


def number_of(node: Node) -> float | None:
    """Return a finite number as int or float, whatever kind of number the file has; None for anything else.

    A whole number beyond 32 bits becomes a float, as Blender has no place for others.
    """
    kind = type(node)
    if kind is not float and kind is not int:
        if kind is ArrayNode and node.values is not None and node.values.size == 1:
            node = node.values
        elif kind is not bool and not isinstance(node, np.generic):
            return None
        if kind is bool or node.dtype.kind == "b":
            return int(node)
        if node.dtype.kind not in "iuf":
            return None
        node = node.item()
        kind = type(node)
    if not abs(node) < MAX_NUMBER:  # NaN, too
        return None
    return float(node) if kind is int and abs(node) > MAX_INT else node


def flag_of(node: Node, default: bool) -> bool:
    """Return a truth value, which some releases write as a number; `default` for anything else."""
    number = number_of(node)
    return default if number is None else bool(number)


def three_of(node: Node) -> tuple[float, float, float] | None:
    """Return the three finite numbers of an array, list or tuple; None for anything else."""
    if type(node) is ArrayNode:
        values = node.values
        if values is None or values.size != 3 or values.dtype.kind not in "biuf":
            return None
        node = values.reshape(-1).tolist()
    if type(node) not in (list, tuple) or len(node) != 3:
        return None
    a, b, c = map(number_of, node)
    return None if a is None or b is None or c is None else (a, b, c)


def color_of(node: Node) -> Color | None:
    """Return a colour, its numbers clipped to 0-1 and a fourth one, an alpha, left out; None for anything else."""
    if type(node) in (list, tuple) and len(node) == 4:
        node = node[:3]
    color = three_of(node)
    if color is None or 0 <= min(color) <= max(color) <= 1:
        return color
    return min(max(color[0], 0), 1), min(max(color[1], 0), 1), min(max(color[2], 0), 1)


def rates_in(node: Node) -> list[float | None] | None:
    """Return the three numbers of a sampling rate, None for one that is not finite. One number stands for all three.

    None for what is neither one number nor three.
    """
    if type(node) is ArrayNode and node.values is not None and node.values.dtype.kind in "biuf":
        node = node.values.reshape(-1)[:4].tolist()
    if type(node) not in (list, tuple):
        node = [node]
    numbers = [number_of(part) for part in node]
    return numbers * 3 if len(numbers) == 1 else numbers if len(numbers) == 3 else None


def sampling_rate_of(node: Node) -> tuple[float, float, float] | None:
    """Return three positive numbers, angstrom a voxel, as near to those of the file as can be; None where it has none.

    A negative number counts by its magnitude, and in place of one that is zero or not finite stands the mean of the
    others.
    """
    sizes = [None if n is None or not MIN_SAMPLING < abs(n) < MAX_SAMPLING else abs(n) for n in rates_in(node) or ()]
    good = [size for size in sizes if size is not None]
    if not good:
        return None
    mean = sum(good) / len(good)
    a, b, c = (mean if size is None else size for size in sizes)
    return a, b, c


def told_rate(rate: Sequence[float]) -> str:
    """Say a sampling rate, as the subject of a sentence with its verb."""
    a, b, c = (f"{number:g}" for number in rate)
    return f"{a} angstrom is" if a == b == c else f"{a}, {b} and {c} angstrom are"


def numbers_of(node: ObjectNode) -> tuple[tuple[float, float, float], bool, float | None]:
    """Return sampling rate (angstrom a voxel), visibility and target resolution (angstrom) of a geometry's node."""
    fields = node.fields()
    a, b, c = sampling_rate_of(fields.get("sampling_rate")) or DEFAULT_SAMPLING_RATE
    return (
        (float(a), float(b), float(c)),
        flag_of(fields.get("visible"), True),
        number_of(fields.get("target_resolution")),
    )


def representation_of(node: ObjectNode) -> str | None:
    """Return the representation as a geometry's node has it; None for what is no text."""
    representation = node.fields().get("representation")
    return representation if type(representation) is str else None


def array_of(node: Node) -> NDArray[Any] | None:
    """Return the values of an array; None for anything else, also for an array in Blender's data."""
    if type(node) is ArrayNode:
        return node.values
    return node if isinstance(node, np.ndarray) else None


def fit_in(fields: Mapping[str, Node], meta: Mapping[str, Node]) -> Node:
    """Return the model of a geometry of these attributes and meta, wherever its release has it; None without one."""
    fit = fields.get(MODEL)
    return meta.get(FIT) if fit is None else fit


def fit_of(node: ObjectNode) -> ObjectNode | None:
    """Return the model of a geometry; None without one."""
    fields = node.fields()
    meta = fields.get("meta")
    fit = fit_in(fields, meta.as_dict() if type(meta) is Pairs else {})
    return fit if type(fit) is ObjectNode else None


def uuid_of(node: Node) -> Node:
    """Return the uuid of a geometry, whatever stands for it; None without one."""
    return node.fields().get("uuid") if type(node) is ObjectNode else None


def is_volume(node: ObjectNode) -> bool:
    """Tell whether a geometry is a volume."""
    return bool(node.cls.name == "VolumeGeometry")


def is_segmentation(node: ObjectNode) -> bool:
    """Tell whether a geometry is a segmentation."""
    return bool(node.cls.name == "SegmentationGeometry")


def columns_of(node: ObjectNode) -> dict[str, Node] | None:
    """Return the vertex properties of a geometry by name; None for a geometry that has no place for any."""
    container = node.fields().get("vertex_properties")
    return None if container is None else columns_in(container)


def columns_in(container: Node) -> dict[str, Node]:
    """Return the vertex properties of a VertexPropertyContainer by name; none for anything else."""
    entries = container.fields().get("_properties") if type(container) is ObjectNode else None
    return entries.as_dict() if type(entries) is Pairs else {}
