"""A smooth closed surface around points of a membrane: where the distance to the nearest of them is 1.5 voxels.

The grid is kept in bricks of 8 x 8 x 8 voxels, of which there are only those near points, so the cost follows the
membrane and not its box.
"""

from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .isosurface import Surface, empty_surface
from .marching_cubes import contour_cells

Whole = NDArray[np.int64]
Floats = NDArray[np.float64]

SIDE = 8  # of a brick, in voxels
REACH = 1.5  # voxels from the points to the surface, which closes holes of two voxels
FAR = 7  # the squares of distances are known up to 6, which those on both sides of the surface have
MOST = 300_000  # voxels at the outside, beyond which the grid is made coarser, so that the surface is drawn fluently
DENSE = 1 << 28  # voxels of a box, up to which a table of all is quicker than sorting
SCALES = (1, 1.5, 2, 3, 4, 6, 8, 12, 16)  # sizes of voxels that are tried for points that stand apart, in voxel sizes
SHEET, LINE = 4, 2  # neighbours, of 26, that a voxel of a sheet or line has at least
ALONE = 20_000  # points without neighbours that become balls; more are no membrane
SAMPLED = 4096  # voxels whose neighbours are counted


class Membrane(NamedTuple):
    """A closed surface, vertices in angstrom.

    size: of its voxels, in angstrom. thickness: how far its two sides are apart on average. own: how thick the points
    themselves are, which is less; at least one voxel.
    """

    surface: Surface
    size: float = 0.0
    thickness: float = 0.0
    own: float = 0.0


def membrane_surface(points: ArrayLike, sampling_rate: ArrayLike) -> Membrane:
    """The surface around points.

    points: (n, 3) angstrom, any order, repeats allowed; rows that are not finite are left out. sampling_rate: angstrom,
    a number or [3], of which the largest counts. Voxels have this size, or a larger one where the points stand further
    apart or are very many. The surface is empty, with a reason, where no point is finite, the sampling rate is no
    positive number, or the points are too many and too far apart.
    """
    places = np.ascontiguousarray(np.asarray(points, np.float64).reshape(-1, 3).T)
    finite = np.isfinite(places).all(axis=0)
    if not finite.all():
        places = places[:, finite]
    rate = float(np.max(np.asarray(sampling_rate, np.float64)))
    if not (np.isfinite(rate) and rate > 0):
        return Membrane(empty_surface(f"The voxel size is {rate:g}, not a positive number."))
    if not places.size:
        return Membrane(empty_surface("There are no points to make a surface of."))
    if np.ptp(places, axis=1).max() / rate > 2**20:
        return Membrane(empty_surface("The points are too far apart for their voxel size."))
    grid, count, reason = _grid_of(places, rate)
    if reason:
        return Membrane(empty_surface(reason))
    surface = _around(grid)
    held, area = _measures(surface)
    thickness = 2 * held / area
    return Membrane(surface, grid.size, thickness, min(max(2 * count * rate**3 / area, grid.size), thickness))


class _Grid(NamedTuple):
    """Voxels that hold points: their size in angstrom, the centre of voxel (0, 0, 0), and the voxels, (n, 3)."""

    size: float
    centre: float
    voxels: Whole


def _grid_of(points: Floats, rate: float) -> tuple[_Grid, int, str]:
    """Find voxels in which the points, (3, n), are a sheet, or at least a line.

    Returns as well how many voxels of the sampling rate hold points, and why there is no grid, "" where there is one.
    """
    fine = grid = _occupied(points, rate, rate)
    chosen = None
    for scale in SCALES:
        grid = fine if scale == 1 else _occupied(points, rate * scale, rate)
        neighbours, surface = _neighbours(grid.voxels)
        if neighbours >= SHEET:
            chosen = grid
            break
        if chosen is None and (neighbours >= LINE or len(grid.voxels) < 3):
            chosen = grid
    if chosen is None:
        if len(fine.voxels) > ALONE:
            reason = f"The points are too far apart for a surface: most have no other within {grid.size:g} angstrom."
            return fine, 0, reason
        chosen = fine
    _, surface = _neighbours(chosen.voxels)
    while surface > MOST:
        chosen = _occupied(points, chosen.size + rate, rate)
        _, surface = _neighbours(chosen.voxels)
    return chosen, len(fine.voxels), ""


def _occupied(points: Floats, size: float, rate: float) -> _Grid:
    """The voxels that hold points, (3, n), each once. Larger voxels are made of as many whole ones of the sampling rate."""
    scaled = points * (1 / size)
    scaled += 0.5 * rate / size
    voxels = np.floor(scaled, out=scaled).astype(np.int64)
    lowest = voxels.min(axis=1)
    extent = voxels.max(axis=1) - lowest + 1
    voxels -= lowest[:, None]
    numbers = (voxels[0] * extent[1] + voxels[1]) * extent[2] + voxels[2]
    if extent.prod() < DENSE:
        held = np.zeros(int(extent.prod()), bool)
        held[numbers] = True
        numbers = np.flatnonzero(held)
    else:
        numbers = np.unique(numbers)
    rest, z = np.divmod(numbers, extent[2])
    x, y = np.divmod(rest, extent[1])
    return _Grid(size, (size - rate) / 2, np.stack((x, y, z), axis=1) + lowest)


def _keys(places: Whole) -> Whole:
    """One number for each of some places, (n, 3) of 0 to 2^21, in their order."""
    return (places[:, 0] << 42) + (places[:, 1] << 21) + places[:, 2]


def _neighbours(voxels: Whole) -> tuple[float, float]:
    """How many of the 26 voxels around the median voxel are occupied; how many voxels have less than 26."""
    keys = _keys(voxels - (voxels.min(axis=0) - 1))
    some = keys[:: max(1, len(keys) // SAMPLED)]
    count = np.full(len(some), -1)
    for offset in product((-1, 0, 1), repeat=3):
        others = some + ((offset[0] << 42) + (offset[1] << 21) + offset[2])
        count += keys.take(np.searchsorted(keys, others), mode="clip") == others
    return float(np.median(count)), float(np.mean(count < 26) * len(keys))


class _Bricks:
    """Those bricks of a grid that lie near occupied voxels.

    origin: the voxel that the grid begins with. keys: (n,) of the bricks, ascending. voxels: (m, 3), where the
    occupied ones lie in the grid.
    """

    def __init__(self, voxels: Whole) -> None:
        self.origin = voxels.min(axis=0) - SIDE
        self.voxels = voxels - self.origin
        own = self.voxels // SIDE
        self.keys = np.unique(_keys(own))
        below, above = (self.voxels - 2) // SIDE - own, (self.voxels + 2) // SIDE - own
        near = [_keys(own)]
        for corner in product((0, 1), repeat=3):
            reached = np.where(corner, above, below)
            near.append(_keys((own + reached)[reached.any(axis=1)]))
        self.keys = np.unique(np.concatenate([np.unique(each) for each in near]))

    def position(self, keys: Whole) -> Whole:
        """Where bricks stand among these; len(self.keys), which is a brick of what is far, for others."""
        found = np.searchsorted(self.keys, keys)
        found[self.keys.take(found, mode="clip") != keys] = len(self.keys)
        return found

    def beside(self, axis: int, step: int) -> Whole:
        """Where the next brick along an axis stands, for each of these. step: 1 or -1."""
        return self.position(self.keys + (step << (42, 21, 0)[axis]))

    def squares(self) -> NDArray[np.uint8]:
        """The square of each voxel's distance to the nearest occupied one, up to FAR; (n + 1, 8, 8, 8)."""
        squares = np.full((len(self.keys) + 1, SIDE, SIDE, SIDE), FAR, np.uint8)
        inside = self.voxels % SIDE
        squares[self.position(_keys(self.voxels // SIDE)), inside[:, 0], inside[:, 1], inside[:, 2]] = 0
        for axis in range(3):
            before = np.take(squares[self.beside(axis, -1)], range(SIDE - 2, SIDE), axis + 1)
            after = np.take(squares[self.beside(axis, 1)], range(2), axis + 1)
            wide = np.moveaxis(np.concatenate((before, squares[:-1], after), axis + 1), axis + 1, 0)
            best = np.moveaxis(squares[:-1], axis + 1, 0)
            for shift, square in ((0, 4), (1, 1), (3, 1), (4, 4)):
                np.minimum(best, wide[shift : shift + SIDE] + np.uint8(square), out=best)
        return squares

    def widened(self, values: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Bricks with one more layer along each axis, the first of the next brick; (n, 9, 9, 9)."""
        for axis in (2, 1, 0):
            layer = np.take(values[self.beside(axis, 1)], range(1), axis + 1)
            wide = np.concatenate((values[:-1], layer), axis + 1)
            values = np.concatenate((wide, np.full((1, *wide.shape[1:]), FAR, np.uint8)))
        return values[:-1]


def _around(grid: _Grid) -> Surface:
    """The surface at REACH from the occupied voxels."""
    bricks = _Bricks(grid.voxels)
    squares = bricks.widened(bricks.squares())
    inside = (squares < REACH**2).view(np.uint8)
    codes = np.zeros((len(inside), SIDE, SIDE, SIDE), np.uint8)
    for bit, (x, y, z) in enumerate(product((0, 1), repeat=3)):
        codes |= inside[:, x : x + SIDE, y : y + SIDE, z : z + SIDE] << np.uint8(bit)
    brick, *local = np.nonzero((codes != 0) & (codes != 255))
    keys = bricks.keys[brick]
    cells = np.stack((keys >> 42, keys >> 21 & 0x1FFFFF, keys & 0x1FFFFF), axis=1) * SIDE + np.stack(local, axis=1)
    lengths = cells.max(axis=0) + 2
    stride_x, stride_y = int(lengths[1] * lengths[2]), int(lengths[2])
    numbers = cells @ np.array((stride_x, stride_y, 1))
    order = np.argsort(numbers)
    places = (brick[order], *(each[order] for each in local))
    numbers = numbers[order]
    beside = (np.searchsorted(numbers, numbers + stride) for stride in (stride_x, stride_y))
    crossed, faces = contour_cells(codes[places], *beside)
    owner, axis = np.divmod(crossed, 3)

    start = tuple(each[owner] for each in places)
    end = (start[0], *(start[1 + column] + (axis == column) for column in range(3)))
    table = np.sqrt(np.minimum(np.arange(FAR + 5), 6.25))
    first, second = table[squares[start]], table[squares[end]]
    vertices = (cells[order][owner] + bricks.origin).astype(np.float64)
    vertices[np.arange(len(axis)), axis] += (REACH - first) / (second - first)
    return Surface((vertices * grid.size + grid.centre).astype(np.float32), faces.triangles())


def _measures(surface: Surface) -> tuple[float, float]:
    """The volume that a closed surface holds, and its area."""
    vertices = surface.vertices - surface.vertices.mean(axis=0, dtype=np.float64).astype(np.float32)
    a, b, c = (vertices[surface.triangles[:, corner]] for corner in range(3))
    normals = np.cross(b - a, c - a)
    volume = np.einsum("ij,ij->", a, normals, dtype=np.float64) / 6
    return abs(float(volume)), float(np.sqrt(np.einsum("ij,ij->i", normals, normals)).sum(dtype=np.float64)) / 2
