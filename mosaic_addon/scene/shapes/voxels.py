"""The surface of a segmentation's voxels as Mosaic draws it, at a cost that follows the voxels and not their box."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .isosurface import Surface, contour_cells, empty_surface

COARSE_FROM = 500_000
"""Points per voxel-size step: the grid is int(cbrt(n / this)) times coarser, so twice from 4 million points on."""


def voxel_surface(points: ArrayLike, sampling_rate: ArrayLike) -> Surface:
    """The surface that Mosaic 1.3.2 shows for a SegmentationGeometry: marching cubes at 0.5 of the binary volume.

    points: (n, 3) angstrom, any order, repeats allowed; rows that are not finite are left out.
    sampling_rate: angstrom, a number or [3], of which the largest counts.
    Returns vertices in angstrom, half a voxel outside the centres of the outer voxels, rint(point / size) x size. It
    is closed. Normals are left to the triangles. Empty, with a reason, where there are no points, or they are more
    than 2^62 voxels apart.
    """
    points = np.asarray(points, dtype=np.float32)
    rate = np.max(np.asarray(sampling_rate, dtype=np.float32))
    if not (np.isfinite(rate) and rate > 0):
        return empty_surface(f"The segmentation's voxel size is {rate}, not a positive number.")
    size = np.float32(rate * max(1, int(np.cbrt(len(points) / COARSE_FROM))))
    voxels = np.rint(points / size)  # in float32 as Mosaic does, so that the same points round to the same voxels
    if not np.isfinite(voxels).all():
        voxels = voxels[np.isfinite(voxels).all(axis=1)]
    if not len(voxels):
        return empty_surface("The segmentation has no points.")
    origin = voxels.min(axis=0).astype(np.float64) - 1
    extent = voxels.max(axis=0).astype(np.float64) - origin + 2
    if extent.prod() >= 2.0**62:
        return empty_surface("The segmentation's points are too far apart for its voxel size.")
    stride_y = int(extent[2])
    stride_x = int(extent[1]) * stride_y
    strides = (stride_x, stride_y, 1)

    number = np.int32 if extent.prod() < 2.0**30 else np.int64
    cells: NDArray[np.signedinteger] = np.zeros(len(voxels), number)
    for axis, stride in enumerate(strides):
        cells += (voxels[:, axis] - origin[axis]).astype(number) * number(stride)
    cells = np.sort(cells)
    cells = cells[np.diff(cells, prepend=-1) > 0]
    codes = np.ones(len(cells), np.uint8)
    for bits, stride in zip((1, 2, 4), reversed(strides)):
        cells, codes = _add_corners(cells, codes, stride, bits)
    mixed = codes != 255
    cells, codes = cells[mixed], codes[mixed]

    owner, axis, triangles = contour_cells(cells, codes, stride_x, stride_y)
    first = cells[owner]
    vertices = np.empty((len(first), 3), np.float32)
    for column, stride in enumerate(strides):
        coordinate, first = np.divmod(first, stride)
        vertices[:, column] = (coordinate + origin[column] + 0.5 * (axis == column)) * size
    return Surface(vertices, triangles)


def _add_corners(
    cells: NDArray[np.signedinteger], codes: NDArray[np.uint8], stride: int, bits: int
) -> tuple[NDArray[np.signedinteger], NDArray[np.uint8]]:
    """Give each cell, beside its own corners, those of the cell one stride ahead.

    cells: (n,) ascending numbers. codes: (n,) which corners of each are inside; those of the cell ahead are shifted
    left by `bits`. Returns both anew, with the cells that had no corners before. The cells and those a stride back
    both ascend, so the stable sort of the two together is a merge.
    """
    cells = np.concatenate((cells, cells - stride))
    order = np.argsort(cells, kind="stable")
    cells = cells[order]
    codes = np.concatenate((codes, codes << np.uint8(bits)))[order]
    repeated = np.flatnonzero(cells[1:] == cells[:-1])
    codes[repeated] |= codes[repeated + 1]
    kept = np.ones(len(cells), bool)
    kept[repeated + 1] = False
    return cells[kept], codes[kept]
