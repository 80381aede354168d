"""Surfaces of volumes as Mosaic draws them: Gaussian low-pass, quantile isovalue, marching cubes.

Needs numpy alone.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .marching_cubes import contour_cells

Floats = NDArray[np.floating]

DEFAULT_QUANTILE = 0.995
"""Where Mosaic puts the isovalue when a volume's appearance has no `isovalue_percentile`."""

_OFFSETS = np.array(list(product((0, 1), repeat=3)))


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
    beside_x, beside_y = np.searchsorted(cells, cells + stride_x), np.searchsorted(cells, cells + stride_y)
    whole = np.all(index < (nx - 1, ny - 1, nz - 1), axis=1)
    crossed, faces = contour_cells(codes, beside_x, beside_y, whole)
    owner, axis = np.divmod(crossed, 3)

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
    return Surface(vertices.astype(np.float32), faces.triangles(), normals.astype(np.float32))


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
