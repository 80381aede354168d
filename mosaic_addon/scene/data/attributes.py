"""Attributes of points and meshes in Blender, read quickly where thousands of objects have the same ones."""

from collections.abc import Iterable
from copy import copy
from typing import Any, Literal, TypeAlias

import bpy
import numpy as np
from bpy.types import Mesh, PointCloud  # looking them up in bpy.types takes longer than reading an attribute
from numpy.typing import NDArray

from ...session.file import FileRows
from ..compat import values_of
from ..keys import EDGES, GLYPH, MEMBRANE_GRID, SHELL, SPRITE, WHOLE

PointData: TypeAlias = Mesh | PointCloud
Kind = Literal[  # Blender's kinds of attributes
    "FLOAT", "FLOAT2", "FLOAT_VECTOR", "FLOAT_COLOR", "FLOAT4", "FLOAT4X4", "QUATERNION", "INT", "INT8", "INT16_2D",
    "INT32_2D", "BOOLEAN", "BYTE_COLOR", "STRING",
]  # fmt: skip

NORMALS, QUATERNIONS, VERTEX_COLORS = "normals", "quaternions", "vertex_colors"

# Names that mean something to Blender or to us; some of them `attributes.new` refuses, others it renames.
RESERVED = {
    NORMALS, QUATERNIONS, VERTEX_COLORS, SPRITE, GLYPH, MEMBRANE_GRID, WHOLE, SHELL, EDGES, "position", "radius", "id",
    "material_index", "custom_normal",
    "sharp_face", "sharp_edge", "velocity", "rotation", "scale", "crease_vert", "crease_edge", "bevel_weight_vert",
    "face_maps", "shade_smooth", "resolution", "cyclic",
}  # fmt: skip
# A material that looks for an attribute of instances finds the object's own property of that name where there is none.
RESERVED.update(*(owner.bl_rna.properties.keys() for owner in (bpy.types.Object, Mesh, PointCloud)))

# What we read and write. Kind: the name of its values, numbers per point, their dtype.
KINDS: dict[Kind, tuple[str, int, Any]] = {
    "FLOAT": ("value", 1, np.float32),
    "FLOAT2": ("vector", 2, np.float32),
    "FLOAT_VECTOR": ("vector", 3, np.float32),
    "FLOAT_COLOR": ("color", 4, np.float32),
    "QUATERNION": ("value", 4, np.float32),
    "INT": ("value", 1, np.int32),
    "INT32_2D": ("value", 2, np.int32),
    "BOOLEAN": ("value", 1, np.bool_),
    # What no import makes, but a user can.
    "INT8": ("value", 1, np.int8),
    "INT16_2D": ("value", 2, np.int16),
    "BYTE_COLOR": ("color", 4, np.float32),
    "FLOAT4": ("vector", 4, np.float32),
}


def buffer_of(values: NDArray[Any], dtype: Any) -> memoryview:
    """Return the values as a flat buffer that `foreach_set` takes without a copy of its own.

    An array that is not aligned, as views of a file are, would be taken number by number: numpy describes it as "=f".
    """
    flat = np.ascontiguousarray(values, dtype).reshape(-1)
    if not flat.size:
        return memoryview(b"").cast("B")
    return flat.view(np.uint8).data.cast(np.dtype(dtype).char)


def points_of(obj: bpy.types.Object) -> PointData | None:
    """Return the mesh or point cloud of an object; None for an object of another kind."""
    return obj.data if isinstance(obj.data, PointData) else None


def write_attribute(data: PointData, name: str, kind: Kind, values: NDArray[Any]) -> str:
    """Store values, one row per point, as a new attribute; returns its name. Raises ValueError if Blender refuses."""
    attribute = data.attributes.new(name, kind, "POINT")
    if attribute is None:
        raise ValueError(f"Blender refuses the attribute name {name!r}")
    fill(values_of(attribute), kind, values)
    return attribute.name


def fill(items: Any, kind: Kind, values: NDArray[Any]) -> None:
    """Store values, one row per point, in the collection of an attribute's values.

    Those of a file that were not read yet go from there into Blender's memory: they are nowhere else, and read once.
    """
    key, width, dtype = KINDS[kind]
    if not values.size:
        return
    memory = memory_of(items, width, dtype, writable=True) if isinstance(values, FileRows) else None
    if memory is not None and memory.shape == values.shape:
        values.read_into(memory)
    else:
        items.foreach_set(key, buffer_of(values, dtype))


def read_attribute(data: PointData, name: str) -> NDArray[Any] | None:
    """Return the values of a point attribute, (n,) or (n, width); None where there is none of that name."""
    return PointAttributes(data).read(name)


class PointAttributes:
    """The point attributes of a mesh or point cloud, good until one of them is added or removed.

    What is known of attributes is shared by all data that have the same ones, so thousands of them are read quickly.
    signature: equal for data that have attributes of the same names, kinds and domains.
    """

    __slots__ = ("_attributes", "_copied", "_places", "_rows", "data", "signature")

    def __init__(self, data: PointData) -> None:
        attributes = data.attributes
        names = attributes.keys()
        numbers = np.empty(len(names), np.int32)
        attributes.foreach_get("data_type", numbers)
        kinds, domains = numbers.tobytes(), b""
        if isinstance(data, Mesh):  # points have no other domain
            attributes.foreach_get("domain", numbers)
            domains = numbers.tobytes()
        self.data = data
        self._attributes: Any = attributes
        self._rows: slice | None = None
        self._copied: dict[str, NDArray[Any]] = {}  # the last one that could only be copied
        self.signature = (kinds, domains, *names)
        places = _known_places.get(self.signature)
        if places is None:
            if len(_known_places) > MAX_KNOWN:
                _known_places.clear()
            places = _known_places[self.signature] = {
                a.name: KINDS[a.data_type] for a in attributes if a.domain == "POINT" and a.data_type in KINDS
            }
        self._places = places

    def __contains__(self, name: str) -> bool:
        return name in self._places

    @property
    def count(self) -> int:
        """The number of all points."""
        return self.data.attributes.domain_size("POINT")

    @property
    def rows(self) -> int:
        """The number of points that it reads."""
        return self.count if self._rows is None else len(range(self.count)[self._rows])

    def between(self, start: int, stop: int) -> "PointAttributes":
        """Return the reader of the rows from one number to another. What it reads is as `borrow` says."""
        part = copy(self)
        part._rows = slice(start, stop)
        return part

    def kind(self, name: str) -> tuple[int, Any] | None:
        """Return how many numbers an attribute has per point, and their dtype; None where it does not exist."""
        found = self._places.get(name)
        return None if found is None else found[1:]

    def read(self, name: str) -> NDArray[Any] | None:
        """Return the values of an attribute, (n,) or (n, width); None where there is none of that name."""
        if self._rows is not None:
            return self.borrow(name)
        found = self._places.get(name)
        if found is None:
            return None
        key, width, dtype = found
        items = self._attributes[name].data
        values = np.empty(len(items) * width, dtype)
        if len(values):
            items.foreach_get(key, values)
        return values if width == 1 else values.reshape(-1, width)

    def borrow(self, name: str) -> NDArray[Any] | None:
        """Return the values of an attribute like `read`, but large ones without a copy, as they lie in Blender's memory.

        They are to be used up before anything in Blender is changed.
        """
        found = self._places.get(name)
        if found is None:
            return None
        _, width, dtype = found
        items = self._attributes[name].data
        values = memory_of(items, width, dtype) if len(items) > BORROWED else None
        if values is None:
            if self._rows is None:
                return self.read(name)
            if name not in self._copied:
                self._copied.clear()
                whole = copy(self)
                whole._rows = None
                self._copied[name] = whole.read(name)  # type: ignore[assignment]  # it is there
            values = self._copied[name]
        return values if self._rows is None else values[self._rows]

    def read_all(self, names: Iterable[str]) -> list[NDArray[Any]] | None:
        """Return the values of several attributes, (n,) or (n, width) each; None where one of them does not exist."""
        read = [self.read(name) for name in names]
        found = [values for values in read if values is not None]
        return found if len(found) == len(read) else None


class _Memory:
    """Tells numpy where values lie."""

    __slots__ = ("__array_interface__",)

    def __init__(self, address: int, shape: tuple[int, ...], dtype: np.dtype[Any], writable: bool) -> None:
        self.__array_interface__ = {
            "version": 3, "data": (address, not writable), "shape": shape, "typestr": dtype.str,
        }  # fmt: skip


def memory_of(items: Any, width: int, dtype: Any, writable: bool = False) -> NDArray[Any] | None:
    """Return an attribute's values, (n,) or (n, width), as they lie in Blender's memory; None where they do not lie so.

    items: the collection of its values, not empty. It has no slices that are quick, and `foreach_get` only copies all
    of it, which for a large attribute costs its size in memory. The array must not outlive the next change of the
    attributes, which may free what it shows.
    """
    dtype, count = np.dtype(dtype), len(items)
    first, last = items[0].as_pointer(), items[count - 1].as_pointer()
    if (
        last - first != (count - 1) * width * dtype.itemsize or count < 2
    ):  # bytes that are read as floats, or one for all
        return None
    shape = (count,) if width == 1 else (count, width)
    return np.asarray(_Memory(first, shape, dtype, writable))


BORROWED = 100_000  # points from which on attributes are not copied
MAX_KNOWN = 1000
_known_places: dict[tuple[Any, ...], dict[str, tuple[str, int, Any]]] = {}
