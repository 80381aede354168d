"""The surface of a segmentation's voxels as Mosaic draws it, at a cost that follows the voxels and not their box."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .marching_cubes import Faces, contour_cells

COARSE_FROM = 500_000
"""Points per voxel-size step: the grid is int(cbrt(n / this)) times coarser, so twice from 4 million points on."""


DENSE = 64
"""Up to so many cells of their box a voxel, all of them are looked at, which takes a fifth of the time."""


class VoxelSurface(NamedTuple):
    """A closed surface that faces outwards.

    vertices: (n, 3) float32 angstrom. faces: triangles and quads, with their edges.
    reason: why there is none, a sentence for the user; "" where there is something to draw.
    """

    vertices: NDArray[np.float32]
    faces: Faces
    reason: str = ""

    @property
    def triangles(self) -> NDArray[np.int32]:
        """The faces cut into triangles, (m, 3)."""
        return self.faces.triangles()


def voxel_surface(points: ArrayLike, sampling_rate: ArrayLike, coarser: int = 1) -> VoxelSurface:
    """The surface that Mosaic 1.3.2 shows for a SegmentationGeometry: marching cubes at 0.5 of the binary volume.

    points: (n, 3) angstrom, any order, repeats allowed; rows that are not finite are left out.
    sampling_rate: angstrom, a number or [3], of which the largest counts. coarser: so many times larger voxels, the
    surface of which is drawn in, so that it lies little outside that of the smaller ones.
    Returns vertices half a voxel outside the centres of the outer voxels, rint(point / size) x size. Empty, with a
    reason, where there are no points, or they are more than 2^62 voxels apart.
    """
    points = np.asarray(points, dtype=np.float32)
    rate = np.max(np.asarray(sampling_rate, dtype=np.float32))
    if not (np.isfinite(rate) and rate > 0):
        return _empty(f"The segmentation's voxel size is {rate}, not a positive number.")
    size = np.float32(rate * max(1, int(np.cbrt(len(points) / COARSE_FROM))) * coarser)
    voxels = np.rint(points / size)  # in float32 as Mosaic does, so that the same points round to the same voxels
    if not np.isfinite(voxels).all():
        voxels = voxels[np.isfinite(voxels).all(axis=1)]
    if not len(voxels):
        return _empty("The segmentation has no points.")
    origin = voxels.min(axis=0).astype(np.float64) - 1
    extent = voxels.max(axis=0).astype(np.float64) - origin + 2
    if extent.prod() >= 2.0**62:
        return _empty("The segmentation's points are too far apart for its voxel size.")
    stride_y = int(extent[2])
    stride_x = int(extent[1]) * stride_y
    strides = (stride_x, stride_y, 1)

    number = np.int32 if extent.prod() < 2.0**30 else np.int64
    filled: NDArray[np.signedinteger] = np.zeros(len(voxels), number)
    for axis, stride in enumerate(strides):
        filled += (voxels[:, axis] - origin[axis]).astype(number) * number(stride)
    if extent.prod() <= DENSE * len(voxels):
        cells, codes, positions = _cells_of_box(filled, int(extent.prod()), strides)
        beside_x, beside_y = (positions.take(cells + stride, mode="clip") for stride in (stride_x, stride_y))
    else:
        cells, codes = _cells_of_voxels(filled, strides)
        beside_x, beside_y = (np.searchsorted(cells, cells + stride) for stride in (stride_x, stride_y))
    crossed, faces = contour_cells(codes, beside_x, beside_y)
    return VoxelSurface(_vertices(cells, codes, crossed, strides, origin, size, 0.5 / coarser), faces)


def _empty(reason: str) -> VoxelSurface:
    nothing = np.empty(0, np.int32)
    return VoxelSurface(np.empty((0, 3), np.float32), Faces(nothing, nothing), reason)


def _vertices(
    cells: NDArray[np.signedinteger],
    codes: NDArray[np.uint8],
    crossed: NDArray[np.intp],
    strides: tuple[int, int, int],
    origin: NDArray[np.float64],
    size: np.float32,
    reach: float,
) -> NDArray[np.float32]:
    """Points on edges of cells, 3 x position of the cell + axis, as angstrom, `reach` edges away from the inside end."""
    near, far = np.empty((len(cells), 3), np.float32), np.empty((len(cells), 3), np.float32)
    along = np.where(codes & 1, reach, 1 - reach)
    rest = cells
    for column, stride in enumerate(strides):
        coordinate = rest // stride
        rest = rest - coordinate * stride
        corner = coordinate + origin[column]
        near[:, column] = corner * size
        far[:, column] = (corner + along) * size
    vertices = near.take(crossed // 3, axis=0)
    own = np.arange(0, 3 * len(crossed), 3) + crossed % 3
    vertices.reshape(-1)[own] = far.reshape(-1)[crossed]
    return vertices


def _cells_of_box(
    filled: NDArray[np.signedinteger], count: int, strides: tuple[int, int, int]
) -> tuple[NDArray[np.intp], NDArray[np.uint8], NDArray[np.int32]]:
    """Find the cells with corners inside and outside by a look at each.

    filled: the numbers of the voxels inside. count: of cells of the box, the outermost of which are empty.
    Returns the numbers of the cells, ascending, their codes, and for each cell of the box its position among them; any
    for the others.
    """
    codes = np.zeros(count, np.uint8)
    codes[filled] = 1
    for bits, stride in zip((1, 2, 4), reversed(strides)):
        codes[:-stride] |= codes[stride:] << np.uint8(bits)
    cells = np.flatnonzero(codes - np.uint8(1) < 254)
    positions = np.empty(count, np.int32)
    positions[cells] = np.arange(len(cells), dtype=np.int32)
    return cells, codes[cells], positions


def _cells_of_voxels(
    filled: NDArray[np.signedinteger], strides: tuple[int, int, int]
) -> tuple[NDArray[np.signedinteger], NDArray[np.uint8]]:
    """Find the cells with corners inside and outside from the numbers of the voxels inside, wherever these are.

    Returns the numbers of the cells, ascending, and their codes.
    """
    cells = np.sort(filled)
    cells = cells[np.diff(cells, prepend=-1) > 0]
    codes = np.ones(len(cells), np.uint8)
    for bits, stride in zip((1, 2, 4), reversed(strides)):
        cells, codes = _add_corners(cells, codes, stride, bits)
    mixed = codes != 255
    return cells[mixed], codes[mixed]


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
