"""Surfaces of volumes as Mosaic draws them: Gaussian low-pass, quantile isovalue, marching cubes.

Needs numpy alone. Cells, corners and edges are numbered in C order: corner 4 dx + 2 dy + dz of a cell, and edge
(corner, axis) runs from that corner one voxel along the axis.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.floating]

DEFAULT_QUANTILE = 0.995
"""Where Mosaic puts the isovalue when a volume's appearance has no `isovalue_percentile`."""

_OFFSETS = np.array(list(product((0, 1), repeat=3)))
_CHUNK = 1 << 16


class Surface(NamedTuple):
    """Triangles that face outwards (counter-clockwise seen from outside).

    vertices: (n, 3) float32. triangles: (m, 3) int32 indices of vertices.
    normals: (n, 3) float32 unit vectors for smooth shading, or None: shade from the triangles.
    reason: why the mesh is empty, a sentence for the user; "" where there is something to draw.
    """

    vertices: NDArray[np.float32]
    triangles: NDArray[np.int32]
    normals: NDArray[np.float32] | None = None
    reason: str = ""


def empty_surface(reason: str) -> Surface:
    """A mesh without vertices, and why."""
    nothing = np.empty((0, 3), np.float32)
    return Surface(nothing, np.empty((0, 3), np.int32), nothing, reason)


def volume_surface(
    volume: ArrayLike,
    spacing: ArrayLike,
    isovalue_percentile: float | None = None,
    target_resolution: float | None = None,
) -> Surface:
    """The isosurface that Mosaic 1.3.2 shows at each point of a VolumeGeometry, before it is turned.

    volume: (nx, ny, nz) of any real dtype. spacing: [3] voxel size in angstrom.
    isovalue_percentile: 0-100 of the raw volume, clipped; None: 99.5 of the smoothed one.
    target_resolution: angstrom. Above the largest spacing the volume is smoothed with a Gaussian of
        target_resolution / (2 x largest spacing) voxels on every axis; None or less: not at all.
    Returns vertices in angstrom with the middle of the box, (shape - 1) x spacing / 2, at the origin, and normals. The
    mesh is empty, with a reason, where there is no surface: no two voxels along an axis, values that are not finite in
    float32, all alike, or none on one side of the isovalue. Never raises for what a file may hold.
    """
    raw = np.asarray(volume)
    rate = np.max(spacing)
    spacing = np.asarray(spacing, dtype=np.float64).ravel()
    if raw.ndim != 3 or raw.dtype.kind not in "buif":
        return empty_surface(f"The volume is not a 3-D array of real numbers ({raw.ndim}-D, {raw.dtype}).")
    if min(raw.shape) < 2:
        return empty_surface("The volume is a single voxel thick.")
    if spacing.shape != (3,) or not (np.isfinite(spacing).all() and (spacing > 0).all()):
        return empty_surface("The volume's voxel size is not three positive numbers.")
    with np.errstate(over="ignore"):
        scalars = np.ascontiguousarray(raw, dtype=np.float32)
    lowest, highest = scalars.min(), scalars.max()
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        return empty_surface("The volume holds values that are not finite.")
    if lowest == highest:
        return empty_surface(f"All values of the volume are {lowest:g}.")
    number = np.result_type(rate, np.float32).type  # float32 spacing, float32 sigma: the kernel's radius depends on it
    if target_resolution is not None and number(target_resolution) > rate:
        scalars = gaussian_smooth(scalars, float(number(target_resolution) / number(2 * rate)))
    if isovalue_percentile is None:
        isovalue = quantile(scalars, DEFAULT_QUANTILE)
    elif np.isfinite(isovalue_percentile):
        isovalue = quantile(raw, isovalue_percentile / 100)
    else:
        return empty_surface("The isovalue percentile is not a number.")
    mesh = isosurface(scalars, isovalue, spacing)
    middle = (np.array(raw.shape) - 1) * spacing / 2
    return mesh._replace(vertices=mesh.vertices - middle.astype(np.float32))


def gaussian_smooth(volume: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Smooth with a Gaussian on every axis, as VTK's vtkImageGaussianSmooth does with a radius factor of 2.

    The kernel exp(-d^2 / (2 sigma^2)) reaches int(2 sigma) voxels; at the borders it is cut and its sum is 1 again.
    volume: (nx, ny, nz) float32, finite. sigma: voxels. Returns a new array of the same shape, C order. Each axis is a
    product with a banded matrix, in blocks, so the work grows with the kernel and never beyond the volume.
    """
    volume = np.ascontiguousarray(volume, dtype=np.float32)
    nx, ny, nz = volume.shape
    first, second = np.empty_like(volume), np.empty_like(volume)
    for rows, columns, band in _bands(nx, sigma):
        np.matmul(band, volume.reshape(nx, -1)[columns], out=first.reshape(nx, -1)[rows])
    for rows, columns, band in _bands(ny, sigma):
        np.matmul(band, first[:, columns], out=second[:, rows])
    bands = list(_bands(nz, sigma))
    lines, smoothed = second.reshape(-1, nz), first.reshape(-1, nz)
    for begin in range(0, len(lines), 2048):  # a part that stays in the processor's cache
        part = slice(begin, begin + 2048)
        for rows, columns, band in bands:
            np.matmul(lines[part, columns], band.T, out=smoothed[part, rows])
    return first


def _bands(size: int, sigma: float) -> Iterator[tuple[slice, slice, NDArray[np.float32]]]:
    """The smoothing matrix of one axis in blocks of rows: (rows, the columns that are not zero, the block)."""
    radius = int(min(2 * sigma, size - 1))
    for start in range(0, size, 32):
        rows = slice(start, min(start + 32, size))
        columns = slice(max(start - radius, 0), min(rows.stop + radius, size))
        distance = np.arange(rows.start, rows.stop)[:, None] - np.arange(columns.start, columns.stop)
        band = np.where(np.abs(distance) <= radius, np.exp(-0.5 * (distance / sigma) ** 2), 0)
        yield rows, columns, (band / band.sum(axis=1, keepdims=True)).astype(np.float32)


def quantile(values: ArrayLike, fraction: float) -> float:
    """`np.quantile(values, fraction)` with linear interpolation, for any real dtype, without sorting everything.

    A sample brackets the two order statistics; only what lies in the bracket is partitioned. fraction is clipped to
    0-1. Values must be finite and at least one.
    """
    flat = np.asarray(values).ravel(order="K")
    position = (flat.size - 1) * min(max(float(fraction), 0.0), 1.0)
    rank = int(position)
    below = 0
    if flat.size > 1 << 18:
        sample = np.sort(flat[np.random.default_rng(0).integers(0, flat.size, 1 << 16)])
        centre = len(sample) * position / flat.size
        margin = 8 + 5 * np.sqrt(centre * (1 - position / flat.size))
        low = sample[int(centre - margin)] if centre > margin else flat.min()
        high = sample[int(centre + margin)] if centre + margin < len(sample) else flat.max()
        bracket = flat[(flat >= low) & (flat <= high)]
        fewer = int(np.count_nonzero(flat < low))
        if fewer <= rank and min(rank + 1, flat.size - 1) < fewer + bracket.size:
            flat, below = bracket, fewer
    first = rank - below
    second = min(first + 1, flat.size - 1)
    a, b = (float(value) for value in np.partition(flat, (first, second))[[first, second]])
    return a + (b - a) * (position - rank)


def isosurface(volume: NDArray[np.float32], isovalue: float, spacing: ArrayLike = (1, 1, 1)) -> Surface:
    """Marching cubes: the surface between voxels >= isovalue (inside) and the others, like VTK's vtkFlyingEdges3D.

    volume: (nx, ny, nz) float32, finite, two voxels or more on each axis. spacing: [3] size of a voxel.
    Returns vertices at index x spacing, on the lines between neighbouring voxels by linear interpolation, and normals
    along the falling gradient (central differences, one-sided at the borders, interpolated likewise). A surface that
    runs out of the volume is open there; elsewhere every edge has two triangles. Empty, with a reason, where no voxel
    lies on one side.
    """
    volume = np.ascontiguousarray(volume, dtype=np.float32)
    spacing = np.asarray(spacing, dtype=np.float64)
    nx, ny, nz = volume.shape
    threshold = np.float32(isovalue)
    if threshold < isovalue:  # the smallest float32 that is not below: compares as the float64 would
        threshold = np.nextafter(threshold, np.float32(np.inf))

    # One more layer, a copy of the last, makes every voxel the first corner of a cell; those cells give no triangles.
    inside = np.empty((nx + 1, ny + 1, nz + 1), dtype=bool)
    np.greater_equal(volume, threshold, out=inside[:nx, :ny, :nz])
    inside[nx] = inside[nx - 1]
    inside[:, ny] = inside[:, ny - 1]
    inside[:, :, nz] = inside[:, :, nz - 1]
    some = every = inside
    for axis in (2, 1, 0):
        head, tail = [slice(None)] * 3, [slice(None)] * 3
        head[axis], tail[axis] = slice(-1), slice(1, None)
        some = some[tuple(head)] | some[tuple(tail)]
        every = every[tuple(head)] & every[tuple(tail)]
    mixed = np.zeros_like(inside)
    np.not_equal(some, every, out=mixed[:nx, :ny, :nz])
    cells = np.flatnonzero(mixed)
    if not cells.size:
        return empty_surface(f"No voxel of the volume lies on one side of the isovalue {isovalue:g}.")
    stride_x, stride_y = (ny + 1) * (nz + 1), nz + 1
    flat = inside.view(np.uint8).ravel()
    codes = np.zeros(len(cells), np.uint8)
    for corner, offset in enumerate(_OFFSETS @ (stride_x, stride_y, 1)):
        codes |= flat[cells + offset] << np.uint8(corner)
    index = np.stack(np.unravel_index(cells, inside.shape), axis=1)
    owner, axis, triangles = contour_cells(
        cells, codes, stride_x, stride_y, np.all(index < (nx - 1, ny - 1, nz - 1), axis=1)
    )

    start = index[owner]
    end = start.copy()
    end[np.arange(len(end)), axis] += 1
    values = volume.ravel()
    strides = np.array((ny * nz, nz, 1))
    from_value, to_value = (values[ends @ strides].astype(np.float64) for ends in (start, end))
    t = ((isovalue - from_value) / (to_value - from_value))[:, None]
    vertices = (start + t * (end - start)) * spacing
    gradient = (1 - t) * _gradient(values, start, volume.shape, spacing)
    gradient += t * _gradient(values, end, volume.shape, spacing)
    flat_spots = np.flatnonzero(~gradient.any(axis=1))
    gradient[flat_spots] = (end - start)[flat_spots] * (to_value - from_value)[flat_spots, None]
    normals = gradient / -np.linalg.norm(gradient, axis=1, keepdims=True)
    return Surface(vertices.astype(np.float32), triangles, normals.astype(np.float32))


def _gradient(values: NDArray[np.float32], index: NDArray[np.intp], shape: Sequence[int], spacing: Floats) -> Floats:
    """Gradient of a C-ordered volume of that shape at voxels (n, 3): central differences, one-sided at the borders."""
    gradient = np.empty(index.shape)
    stride = 1
    position = index @ (shape[1] * shape[2], shape[2], 1)
    for axis in (2, 1, 0):
        ahead = index[:, axis] < shape[axis] - 1
        behind = index[:, axis] > 0
        difference = values[position + stride * ahead] - values[position - stride * behind]
        gradient[:, axis] = difference / ((ahead.astype(np.int8) + behind) * spacing[axis])
        stride *= shape[axis]
    return gradient


def contour_cells(
    cells: NDArray[np.signedinteger],
    codes: NDArray[np.uint8],
    stride_x: int,
    stride_y: int,
    whole: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.int32]]:
    """Marching cubes over a list of cells.

    cells: (n,) ascending numbers x * stride_x + y * stride_y + z of every cell with corners inside and outside.
    codes: (n,) which corners are inside, bit 4 dx + 2 dy + dz. whole: (n,) which cells give triangles; None: all.
    Returns, for each vertex, the position in `cells` of the cell whose first corner its edge starts from, and the axis
    of that edge; and the triangles, (m, 3) int32.
    """
    first_triangle, triangle_edges, crossings = _tables()
    crossing = crossings[codes]
    vertex = (np.cumsum(crossing.ravel(), dtype=np.int32) - 1).reshape(-1, 3)
    counts = np.diff(first_triangle)[codes]
    if whole is not None:
        counts *= whole
    ends = np.cumsum(counts)
    triangles = np.empty((ends[-1], 3), np.int32)
    for begin in range(0, len(cells), _CHUNK):
        chunk = slice(begin, begin + _CHUNK)
        here = cells[chunk]
        # Position of each neighbour that owns an edge of the cell; one that is missing owns none, and any will do.
        own = np.arange(begin, begin + len(here))
        near = [own, own + 1]
        for stride in (stride_y, stride_x):
            beside = np.searchsorted(cells, here + stride)
            near += [beside, beside + 1]
        near.append(np.searchsorted(cells, here + stride_x + stride_y))
        edges = np.stack([vertex.take(position, axis=0, mode="clip") for position in near], axis=1).ravel()
        count = counts[chunk]
        cell = np.repeat(np.arange(len(here)), count)
        last = ends[begin + len(here) - 1]
        output = triangles[last - len(cell) : last]
        rank = np.arange(len(cell)) - np.repeat(np.cumsum(count) - count, count)
        which = triangle_edges[first_triangle[codes[chunk]][cell] + rank]
        np.take(edges, cell[:, None] * (3 * len(near)) + which, out=output, mode="clip")
    owner, axis = np.nonzero(crossing)
    return owner, axis, triangles


@cache
def _tables() -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]:
    """The marching cubes cases, derived rather than listed.

    On each face of the cube the surface cuts off every run of inside corners on its own, whatever lies behind the
    face, so neighbouring cells always agree. Those cuts close to loops, and each loop is a fan of triangles.
    Returns the first triangle of each of the 256 codes (257 entries), the triangles as edges 3 corner + axis, and
    whether the three edges from corner 0 cross the surface.
    """
    faces = []
    for axis, side in product(range(3), (0, 1)):
        u, v = (1 << (2 - (axis + step) % 3) for step in (1, 2))
        corners = [0, u, u + v, v] if side else [0, v, u + v, u]  # counter-clockwise seen from outside the cell
        faces.append([corner + side * (1 << (2 - axis)) for corner in corners])

    def edge(a: int, b: int) -> int:
        return 3 * min(a, b) + 2 - (a ^ b).bit_length() + 1

    def on_one_face(a: int, b: int) -> bool:
        ends = [(e // 3, e // 3 + (1 << (2 - e % 3))) for e in (a, b)]
        return any(all(corner in face for pair in ends for corner in pair) for face in faces)

    first, triangles = [0], []
    for code in range(256):
        follows = {}
        for face in faces:
            for i in range(4):
                if code >> face[i] & 1 and not code >> face[i - 1] & 1:  # a run of inside corners starts here
                    end = next(j for j in range(i, i + 4) if not code >> face[(j + 1) % 4] & 1)
                    follows[edge(face[end % 4], face[(end + 1) % 4])] = edge(face[i - 1], face[i])
        while follows:
            loop = [next(iter(follows))]
            while (following := follows.pop(loop[-1])) != loop[0]:
                loop.append(following)
            # A diagonal within a face of the cube could meet the neighbour's, and the edge have four triangles.
            fans = (loop[i:] + loop[:i] for i in range(len(loop)))
            fan = next(fan for fan in fans if not any(on_one_face(fan[0], other) for other in fan[2:-1]))
            triangles += [(fan[0], fan[i + 1], fan[i]) for i in range(1, len(fan) - 1)]
        first.append(len(triangles))
    codes = np.arange(256)
    crossings = np.stack([(codes ^ codes >> bit) & 1 for bit in (4, 2, 1)], axis=1).astype(bool)
    return np.array(first), np.array(triangles), crossings
