"""The arrays of an object as its session has them: exact where nothing was edited, moved as the object was moved.

A `Stored` in a node names one of them. The writer asks for it while it writes the file, and gets the rows of a large
one some at a time, so that the arrays of a session are never in memory all at once.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from functools import lru_cache, partial
from typing import Any, TypeAlias

import numpy as np
from bpy.types import Mesh  # looking it up in bpy.types takes longer than most of what is done here
from numpy.typing import NDArray

from ...session.move_models import only_moves, turned_normals
from ...session.nodes import Stored
from ...session.rows import Rows, slab_of
from ..compat import values_of
from ..data.attributes import BORROWED, NORMALS, QUATERNIONS, PointAttributes, PointData
from ..data.checksums import checksum
from ..data.exact_bits import read_exactly
from ..data.meshes import ORIGINAL, VERTEX_NORMALS
from ..data.placement import turn_of, turns_from_z
from ..data.vertex_properties import (
    Column,
    column_checksums,
    columns_in,
    note_in,
    read_column,
    read_columns,
)
from ..drawing.surfaces import volume_values
from ..keys import STEP

Array: TypeAlias = NDArray[Any]
# An array that may lie in Blender's own memory, so it must be used up, or copied, before anything in Blender is changed.
Borrowed: TypeAlias = NDArray[Any]

LARGE = BORROWED  # points of which arrays are rather read again than kept
KEPT, KEPT_A_POINT = 2**20, 1024  # bytes of the vertex properties of an object that are kept
MAX_DIGITS = 9  # of a frame's number
FLOAT32 = np.dtype(np.float32)
_dtype = lru_cache(1000)(np.dtype)


class Source:
    """The arrays that one object gives to a file.

    data: its points or mesh. matrix: (4, 4) float64 from the data's coordinates to the session's angstrom, None where
    they are the same. frames: the meshes of a trajectory. volume: the mesh that holds a volume's values. flipped: all
    faces of a mesh were turned round, so its normals are to be turned too.
    """

    __slots__ = (
        "_attributes", "_column_checksums", "_columns", "_columns_note", "_faces", "_own_frames", "_points_checksum",
        "_positions", "count", "data", "flipped", "frames", "is_mesh", "matrix", "name", "volume",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        data: PointData,
        matrix: NDArray[np.float64] | None,
        frames: Sequence[Mesh] = (),
        volume: Mesh | None = None,
    ) -> None:
        self.name = name
        self.matrix = matrix
        self.frames = frames
        self._own_frames: dict[int, Mesh] | None = None
        self.volume = volume
        self.flipped = False
        self.show(data)

    def show(self, data: PointData) -> None:
        """Take the arrays from this data from now on."""
        self.data = data
        self.is_mesh = isinstance(data, Mesh)
        self.count = len(data.vertices) if isinstance(data, Mesh) else len(data.points)
        self._attributes: PointAttributes | None = None
        self._positions: Array | None = None
        self._columns: Mapping[str, Array | Rows] | None = None
        self._columns_note: str | None = None
        self._faces: Array | None = None
        self._points_checksum: int | None = None
        self._column_checksums: dict[str, int] | None = None

    def stored(self, name: str, dtype: str = "<f4") -> Stored:
        """Return what stands for an array of this object in a node."""
        return Stored(name, dtype, "C", self)

    def array(self, stored: Stored) -> Borrowed | Rows:
        """Return the array that a `Stored` of this object stands for, of its dtype and order.

        The rows of a large one are made when they are asked for. Raises KeyError for an unknown one.
        """
        dtype = _dtype(stored.dtype)
        if self.count > LARGE and _is_made_by_rows(self, stored.name):
            shape = self.count, *self.between(0, 1).whole(stored.name, dtype).shape[1:]
            made = partial(_made_rows, self, stored.name, dtype)
            return Rows(shape, dtype, made, stored.order == "F")
        what, _, rest = stored.name.partition("/")
        if what == "frames":
            frame, rest = frame_named(self, rest)
            return frame.array(Stored(rest, stored.dtype, stored.order))
        values = self.whole(stored.name, dtype)
        return np.asfortranarray(values) if stored.order == "F" else values

    def whole(self, name: str, dtype: np.dtype[Any]) -> Borrowed:
        """Return an array as `array` does, all at once, in C order."""
        reader = READERS.get(name)
        what, _, rest = name.partition("/")
        if reader is None and what != "columns":
            raise KeyError(name)
        values = self.column(rest) if reader is None else reader(self, dtype)
        with np.errstate(over="ignore", invalid="ignore"):
            return np.ascontiguousarray(values, dtype)

    def between(self, start: int, stop: int) -> "Source":
        """Return what gives the rows of arrays of points from one number to another."""
        part = copy(self)
        part._attributes = self.attributes().between(start, stop)
        part.count = stop - start
        part._positions = None
        part._columns = None
        return part

    def attributes(self) -> PointAttributes:
        """Return the reader of the object's point attributes, made once."""
        if self._attributes is None:
            self._attributes = PointAttributes(self.data)
        return self._attributes

    @property
    def columns_note(self) -> str:
        """Say how Blender holds the vertex properties, in JSON."""
        if self._columns_note is None:
            self._columns_note = note_in(self.data)
        return self._columns_note

    @columns_note.setter
    def columns_note(self, note: str) -> None:
        self._columns_note, self._columns, self._column_checksums = note, None, None

    def known_columns(self) -> tuple[Column, ...]:
        """Say how Blender holds the vertex properties."""
        return columns_in(self.columns_note)

    def columns(self) -> Mapping[str, Array | Rows]:
        """Read the vertex properties as they are in Blender; the rows of large ones when they are asked for."""
        if self._columns is not None:
            return self._columns
        if self.count > LARGE:
            self._columns, self._column_checksums = _large_columns(self)
            return self._columns
        columns = read_columns(self.data, self.attributes(), self.columns_note, self.name)
        size = sum(values.nbytes for values in columns.values())
        if size <= KEPT + self.count * KEPT_A_POINT:
            self._columns = columns
        return columns

    def column(self, name: str) -> Array:
        """Read one of the vertex properties. Raises KeyError where there is none of that name."""
        column = next((column for column in self.known_columns() if column.name == name), None)
        values = None if column is None else read_column(self.attributes(), column, self.name)
        if values is None:
            raise KeyError(name)
        return values

    def column_checksums(self) -> dict[str, int]:
        """Return the check sums of the vertex properties, by name, made once."""
        if self._column_checksums is None:
            columns = self.columns()  # which may make them
            if self._column_checksums is None:
                self._column_checksums = column_checksums(columns)
        return self._column_checksums

    def frame(self, number: int) -> "Source":
        """Return a frame of a trajectory by its number at import. Raises KeyError when it was deleted."""
        return Source(self.name, self.own_frames()[number], self.matrix)

    def own_frames(self) -> dict[int, Mesh]:
        """Return the frames that were imported, in order, by their numbers at import; of copies, the first."""
        if self._own_frames is None:
            self._own_frames = {}
            for mesh in self.frames:
                if (number := STEP.read(mesh)) is not None:
                    self._own_frames.setdefault(number, mesh)
        return self._own_frames

    # --- points ------------------------------------------------------------------------------------------------------

    def borrowed_positions(self) -> Borrowed:
        """Return the points as they lie in Blender, (n, 3) float32."""
        if self._positions is None and self.count > LARGE:
            values = self.attributes().borrow("position")
            if values is not None:
                return values
        return self.positions()

    def positions(self) -> Array:
        """Return the points as they lie in Blender, (n, 3) float32, read once and kept."""
        if self._positions is None:
            values = self.attributes().read("position")
            self._positions = np.empty((0, 3), np.float32) if values is None else values
        return self._positions

    def points_checksum(self) -> int:
        """Return the check sum of the points as they lie in Blender, made once."""
        if self._points_checksum is None:
            self._points_checksum = checksum(self.borrowed_positions())
        return self._points_checksum

    def points(self, dtype: np.dtype[Any]) -> Borrowed:
        """Return the points in angstrom, (n, 3)."""
        return _moved(self._exact("points", self.borrowed_positions(), dtype), self.matrix)

    def vertices(self, dtype: np.dtype[Any]) -> Borrowed:
        """Return the vertices of a mesh in angstrom, (n, 3)."""
        return _moved(self._exact("vertices", self.borrowed_positions(), dtype), self.matrix)

    def normals(self, dtype: np.dtype[Any]) -> Borrowed:
        """Return the session's normals, (n, 3); those of its shape where a mesh was reshaped or has none any more."""
        shown = self.attributes().borrow(NORMALS)
        if shown is None:
            if self.face_count():
                return _turned(self.shape_normals(), self.matrix)
            shown = np.tile(np.array([0, 0, 1], np.float32), (self.count, 1))
        return _turned(self._renewed(self._exact(NORMALS, shown, dtype)), self.matrix)

    def vertex_normals(self, dtype: np.dtype[Any]) -> Borrowed:
        """Return the normals of a fitted mesh, (n, 3), by the same rule."""
        shown = self.attributes().borrow(NORMALS)
        if shown is None:
            return _turned(self.shape_normals(), self.matrix)
        return _turned(self._renewed(self._exact(VERTEX_NORMALS, shown, dtype)), self.matrix)

    def quaternions(self, dtype: np.dtype[Any]) -> Borrowed:
        """Return the session's quaternions, (n, 4), scalar first.

        An object without any has those that turn +z to its normals or, without normals, no turn at all.
        """
        shown = self.attributes().borrow(QUATERNIONS)
        if shown is None:
            normals = self.attributes().read(NORMALS)
            no_turn = np.array([1, 0, 0, 0], np.float32)
            shown = np.tile(no_turn, (self.count, 1)) if normals is None else turns_from_z(normals)
        values = self._exact(QUATERNIONS, shown, dtype)
        return values if self.matrix is None else _times(turn_of(self.matrix), values)

    def _exact(self, name: str, shown: Array, dtype: np.dtype[Any]) -> Array:
        return shown if dtype == FLOAT32 else read_exactly(self.attributes(), name, shown, dtype)

    def _renewed(self, normals: Array) -> Array:
        """Replace the normals of a mesh by those of its shape where that changed."""
        reshaped = _reshaped(self)
        kept = -normals if self.flipped else normals
        return kept if reshaped is None else np.where(reshaped[:, None], self.shape_normals(), kept)

    def shape_normals(self) -> Array:
        """Return the normals that a mesh's faces give its vertices, weighted by area as in Mosaic, (n, 3) float64."""
        return normals_of_vertices(self.positions().astype(np.float64), self.triangles(np.dtype(np.int32)))

    # --- faces -------------------------------------------------------------------------------------------------------

    def face_count(self) -> int:
        return len(self.triangles(np.dtype(np.int32)))

    def faces_checksum(self) -> int:
        return checksum(self.triangles(np.dtype(np.int32)))

    def triangles(self, dtype: np.dtype[Any]) -> Array:
        """Return the faces, (m, 3), those with more corners cut into triangles."""
        if self._faces is None:
            self._faces = triangles_of(self.data)
        return self._faces.astype(dtype, copy=False)

    def written_triangles(self, dtype: np.dtype[Any]) -> Array:
        """Return the faces as they wind in the session, (m, 3).

        Those of a mirrored object wind the other way round, so that they still face outwards.
        """
        faces = self.triangles(dtype)
        return faces[:, ::-1] if self.matrix is not None and np.linalg.det(self.matrix[:3, :3]) < 0 else faces

    def face_normals(self) -> Array:
        """Return the normals of the faces as they are written, (m, 3) float64 of length 1; 0 for one without area."""
        vertices = self.vertices(np.dtype(np.float64)).astype(np.float64)
        return normals_of_faces(vertices, self.written_triangles(np.dtype(np.int32)))

    def volume_values(self, dtype: np.dtype[Any]) -> Borrowed:
        """Return the values of a volume, (x, y, z), as they are. Raises KeyError when its surface was deleted."""
        if self.volume is None:
            raise KeyError("volume")
        return volume_values(self.volume)


READERS: dict[str, Any] = {
    "points": Source.points,
    "vertices": Source.vertices,
    "normals": Source.normals,
    "vertex_normals": Source.vertex_normals,
    "quaternions": Source.quaternions,
    "triangles": Source.written_triangles,
    "volume": Source.volume_values,
}


def _large_columns(source: Source) -> tuple[dict[str, Array | Rows], dict[str, int]]:
    """Return the vertex properties of an object of many points, whose rows are made when they are asked for.

    The second value are their check sums.
    """
    columns: dict[str, Array | Rows] = {}
    sums: dict[str, int] = {}
    attributes = source.attributes()
    for column in source.known_columns():
        if any(name not in attributes for name in column.attributes):
            continue
        dtype, shape, total = column.dtype, column.shape, 0
        step = slab_of(source.count, source.count * max(1, column.width) * max(8, dtype.itemsize))
        for start in range(0, source.count, step):
            part = attributes.between(start, min(start + step, source.count))
            values = read_column(part, column, source.name)
            assert values is not None
            if values.dtype != dtype or values.shape[1:] != shape:  # what they become, all of them together say
                values = read_column(attributes, column, source.name)
                assert values is not None
                dtype, total = values.dtype, checksum(values)
                break
            total = checksum(values, total)
        columns[column.name] = source.array(source.stored(f"columns/{column.name}", dtype.str))
        sums[column.name] = total
    return columns, sums


def _is_made_by_rows(source: Source, name: str) -> bool:
    """Tell whether each row of an array needs the same row of the point attributes alone."""
    if name in ("normals", "vertex_normals"):
        return not source.is_mesh  # whose normals may be those of its shape
    return name in ("points", "vertices", "quaternions") or name.startswith("columns/")


def _made_rows(source: Source, name: str, dtype: np.dtype[Any], start: int, stop: int) -> Borrowed:
    return source.between(start, stop).whole(name, dtype)


def frame_named(source: Source, name: str) -> tuple[Source, str]:
    """Return the frame that the name of an array begins with, and the rest of the name. Raises KeyError without one."""
    number, _, rest = name.partition("/")
    if not number.isdecimal() or len(number) > MAX_DIGITS:
        raise KeyError(name)
    return source.frame(int(number)), rest


def fetch(stored: Stored, owner: Source) -> Borrowed | Rows:
    """Return the array that a `Stored` stands for: how the writer of a file asks for it."""
    return owner.array(stored)


def triangles_of(data: PointData) -> Array:
    """Return the faces of a mesh as triangles, (m, 3) int32; none for points."""
    if not isinstance(data, Mesh) or not len(data.polygons):
        return np.empty((0, 3), np.int32)
    corners = np.empty(len(data.loops), np.int32)
    values_of(data.attributes[".corner_vert"]).foreach_get("value", corners)
    if len(corners) == 3 * len(data.polygons) and _all_triangles(data):
        return corners.reshape(-1, 3)
    data.calc_loop_triangles()
    triangles = np.empty(3 * len(data.loop_triangles), np.int32)
    data.loop_triangles.foreach_get("vertices", triangles)
    return triangles.reshape(-1, 3)


def _all_triangles(mesh: Mesh) -> bool:
    starts = np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("loop_start", starts)
    return bool((np.diff(starts) == 3).all())


def face_vectors(vertices: Array, triangles: Array) -> Array:
    """Return a vector across each face, as long as twice its area, (m, 3)."""
    a, b, c = vertices[triangles].swapaxes(0, 1)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.cross(b - a, c - a)


def normals_of_faces(vertices: Array, triangles: Array) -> Array:
    """Return the normals of faces, (m, 3) of length 1; 0 for one without an area."""
    normals = face_vectors(vertices, triangles)
    with np.errstate(divide="ignore", invalid="ignore"):
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return np.nan_to_num(normals)


def normals_of_vertices(vertices: Array, triangles: Array) -> Array:
    """Return the mean normal of each vertex's faces, weighted by area, (n, 3); (0, 0, 1) for one without faces."""
    across = face_vectors(vertices, triangles)
    weights = [np.repeat(column, 3) for column in across.T]
    around = np.stack([np.bincount(triangles.reshape(-1), column, len(vertices)) for column in weights], axis=1)
    lengths = np.linalg.norm(around, axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        normals = around / lengths
    return np.where(np.isfinite(normals).all(axis=1, keepdims=True), normals, (0.0, 0.0, 1.0))


def _reshaped(source: Source) -> NDArray[np.bool_] | None:
    """Tell which vertices of a mesh were moved or made since the import, or share a face with one that was, (n,).

    None if there are no such vertices.
    """
    original = source.attributes().borrow(ORIGINAL) if source.is_mesh else None
    if original is None:
        return None
    moved = (original != source.borrowed_positions()).any(axis=1)
    return _with_neighbours(moved, source.triangles(np.dtype(np.int32))) if moved.any() else None


def _with_neighbours(chosen: NDArray[np.bool_], triangles: Array) -> NDArray[np.bool_]:
    """Add to the chosen vertices, (n,), those that share a face with one of them."""
    found = chosen.copy()
    found[triangles[chosen[triangles].any(axis=1)]] = True
    return found


def _moved(points: Array, matrix: NDArray[np.float64] | None) -> Array:
    """Move points by a matrix, (n, 3); None moves nothing."""
    if matrix is None or not len(points):
        return points
    return points.astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]


def _turned(normals: Array, matrix: NDArray[np.float64] | None) -> Array:
    """Turn normals with what was turned or scaled, each as long as it was."""
    if matrix is None or not len(normals) or only_moves(matrix):
        return normals
    turned = turned_normals(normals.astype(np.float64), matrix)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.linalg.norm(normals, axis=1) / np.linalg.norm(turned, axis=1)
        return np.where(np.isfinite(ratio)[:, None], turned * ratio[:, None], normals)


def _times(turn: Sequence[float], quaternions: Array) -> Array:
    """Follow each quaternion, (n, 4) scalar first, by `turn`: Hamilton's product turn * q."""
    a, b, c, d = turn
    w, x, y, z = quaternions.astype(np.float64).T
    return np.stack(
        [
            a * w - b * x - c * y - d * z,
            a * x + b * w + c * z - d * y,
            a * y - b * z + c * w + d * x,
            a * z + b * y - c * x + d * w,
        ],
        axis=1,
    )
