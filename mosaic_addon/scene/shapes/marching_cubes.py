"""Marching cubes over a list of cells, with faces as large as they can be and with their edges.

Cells, corners and edges of cells are numbered in C order: corner 4 dx + 2 dy + dz of a cell, and edge 3 corner + axis
runs from that corner one voxel along the axis. Each cell owns the three edges of cells that start at its first corner,
and so the vertices on them; and the three squares that meet there, and so the edges of the surface in them.
"""

from functools import cache
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_CHUNK = 1 << 17  # cells at a time, whose tables stay in the processor's cache
_EDGE_SLOTS = 7  # the edges in the squares z, y, x and inside that a cell owns, and in those opposite, z, y, x


class Faces(NamedTuple):
    """Triangles and quads, and the edges that they share.

    corners: (c,) int32 indices of vertices, face by face. starts: (f,) int32, the first corner of each face.
    edges: (e, 2) int32 indices of vertices. corner_edges: (c,) int32, the edge from each corner to the next of its
    face. The last two are None where they were not asked for.
    """

    corners: NDArray[np.int32]
    starts: NDArray[np.int32]
    edges: NDArray[np.int32] | None = None
    corner_edges: NDArray[np.int32] | None = None

    def triangles(self) -> NDArray[np.int32]:
        """Return the faces as triangles, (m, 3); a quad is cut from its first corner, as Blender does."""
        sizes = np.diff(self.starts, append=len(self.corners))
        first = np.repeat(self.starts, sizes - 2)
        second = np.arange(len(first)) + 1 + np.repeat(2 * np.arange(len(sizes)), sizes - 2)
        return np.stack([self.corners[first], self.corners[second], self.corners[second + 1]], axis=1)


def contour_cells(
    codes: NDArray[np.uint8],
    beside_x: NDArray[np.integer],
    beside_y: NDArray[np.integer],
    whole: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.intp], Faces]:
    """Make the surface in a list of cells, each with corners inside and outside, in ascending order of their numbers.

    codes: (n,) which corners are inside, bit 4 dx + 2 dy + dz. beside_x, beside_y: (n,) the position in the list of the
    next cell along x and y, any where that is not listed; along z it is the next in the list. whole: (n,) which cells
    give faces; None: all, and the surface is closed.
    Returns for each vertex 3 x the position of the cell that owns it + the axis of the edge it lies on, ascending, and
    the faces; with edges where the surface is closed.
    """
    cases = _cases()
    crossing = cases.crossing[codes]
    vertex = (np.cumsum(crossing.ravel(), dtype=np.int32) - 1).reshape(-1, 3)
    giving = codes if whole is None else np.where(whole, codes, np.uint8(0))
    corners = np.empty(cases.corner_counts[giving].sum(), np.int32)
    starts = np.empty(cases.face_counts[giving].sum(), np.int32)
    edges = corner_edges = edge = None
    if whole is None:
        ends = np.cumsum(cases.edge_counts[codes].ravel(), dtype=np.int32)
        edges, corner_edges = np.empty(ends[-1], np.int64), np.empty_like(corners)  # both ends of an edge in a number
        edge = (ends - cases.edge_counts[codes].ravel()).reshape(-1, 4)
    corner = face = 0
    for begin in range(0, len(codes), _CHUNK):
        # Cells of one code lie beside each other here, so that their faces are columns of the tables.
        order = np.argsort(giving[begin : begin + _CHUNK], kind="stable")
        bounds = np.cumsum(np.bincount(giving[begin : begin + _CHUNK], minlength=256))
        own = order + begin
        x, y = beside_x[own], beside_y[own]
        near = (own, own + 1, y, y + 1, x, x + 1, beside_y.take(x, mode="clip"))
        vertex_table = _side_by_side(vertex, near)
        edge_table = None if edge is None else _edges_side_by_side(edge, own, x, y)
        for code in np.unique(giving[own[bounds[0] :]]).tolist():
            case = cases.of_codes[code]
            cells = slice(int(bounds[code - 1]), int(bounds[code]))
            count = cells.stop - cells.start
            part = slice(corner, corner + count * len(case.corners))
            vertices = vertex_table[cells]
            vertices.take(case.corners, axis=1, out=corners[part].reshape(count, -1), mode="clip")
            firsts = np.arange(corner, part.stop, len(case.corners), dtype=np.int32)[:, None]
            np.add(firsts, case.starts, out=starts[face : face + count * len(case.starts)].reshape(count, -1))
            if edge_table is not None and edges is not None and corner_edges is not None:
                here = corner_edges[part].reshape(count, -1)
                edge_table[cells].take(case.corner_edges, axis=1, out=here, mode="clip")
                here += case.ranks
                if len(case.edges):
                    pairs = vertices.take(case.edges, axis=1).view(np.int64)
                    edges[edge_table[cells, :1] + np.arange(pairs.shape[1])] = pairs
            corner, face = part.stop, face + count * len(case.starts)
    pairs = None if edges is None else edges.view(np.int32).reshape(-1, 2)
    return np.flatnonzero(crossing), Faces(corners, starts, pairs, corner_edges)


def _side_by_side(vertex: NDArray[np.int32], near: tuple[NDArray[np.integer], ...]) -> NDArray[np.int32]:
    """The rows of (n, 3) at each of several positions, beside each other."""
    table = np.empty((len(near[0]), len(near), 3), np.int32)
    for column, positions in enumerate(near):
        table[:, column] = vertex.take(positions, axis=0, mode="clip")
    return table.reshape(len(table), -1)


def _edges_side_by_side(
    edge: NDArray[np.int32], own: NDArray[np.intp], x: NDArray[np.integer], y: NDArray[np.integer]
) -> NDArray[np.int32]:
    """The first edge in each square of cells, (n, 7) in the order of slots.

    edge: (all cells, 4). own, x, y: the positions of the cells, and of those beside them.
    """
    table = np.empty((len(own), _EDGE_SLOTS), np.int32)
    table[:, :4] = edge.take(own, axis=0)
    for column, (axis, positions) in enumerate(((0, own + 1), (1, y), (2, x)), start=4):
        table[:, column] = edge.reshape(-1).take(4 * positions + axis, mode="clip")
    return table


class _Case(NamedTuple):
    """What a cell of one code gives.

    corners: slots of vertices, face by face. starts: the first corner of each face. corner_edges, ranks: the slot of
    the edge from each corner to the next, and which it is there. edges: slots of both vertices of each edge it owns.
    """

    corners: NDArray[np.intp]
    starts: NDArray[np.int32]
    corner_edges: NDArray[np.intp]
    ranks: NDArray[np.int32]
    edges: NDArray[np.intp]


class _Cases(NamedTuple):
    """What cells give by their 256 codes.

    crossing: (256, 3) whether the three edges from corner 0 cross the surface. edge_counts: (256, 4), how many edges
    lie in the squares z, y and x of corner 0, and inside.
    """

    of_codes: list[_Case]
    crossing: NDArray[np.bool_]
    corner_counts: NDArray[np.intp]
    face_counts: NDArray[np.intp]
    edge_counts: NDArray[np.uint8]


@cache
def _cases() -> _Cases:
    """The marching cubes cases, derived rather than listed.

    On each square of the cube the surface cuts off every run of inside corners on its own, whatever lies behind the
    square, so neighbouring cells always agree. Those cuts close to loops, and each loop becomes a fan of quads, the
    last of which may be a triangle.
    """
    counts = np.zeros((256, 4), np.uint8)
    made = []
    for code in range(256):
        cuts = _cuts(code)
        slots = {}  # by the ends of an edge: its slot, and which of several there
        owned: list[tuple[int, int]] = []
        for slot, square in enumerate((4, 2, 0, 5, 3, 1)):  # z, y, x of corner 0, then those opposite
            for rank, (a, b) in enumerate(cuts[square]):
                slots[min(a, b), max(a, b)] = (slot if slot < 3 else slot + 1, rank)
                if slot < 3:
                    owned.append((a, b))
                    counts[code, slot] += 1
        faces = [face for loop in _loops(cuts) for face in _fan(loop)]
        for a, b in [side for face in faces for side in pairwise((*face, face[0]))]:
            if (min(a, b), max(a, b)) not in slots:
                slots[min(a, b), max(a, b)] = (3, int(counts[code, 3]))
                owned.append((a, b))
                counts[code, 3] += 1
        sides = [slots[min(a, b), max(a, b)] for face in faces for a, b in pairwise((*face, face[0]))]
        corners = [vertex for face in faces for vertex in face]
        starts = np.cumsum([0, *map(len, faces)])[:-1]
        made.append(
            _Case(
                np.array(corners, np.intp),
                starts.astype(np.int32),
                np.array([slot for slot, _ in sides], np.intp),
                np.array([rank for _, rank in sides], np.int32),
                np.array(owned, np.intp).ravel(),
            )
        )
    codes = np.arange(256)
    crossing = np.stack([(codes ^ codes >> bit) & 1 for bit in (4, 2, 1)], axis=1).astype(bool)
    corner_counts = np.array([len(case.corners) for case in made])
    return _Cases(made, crossing, corner_counts, np.array([len(case.starts) for case in made]), counts)


def _squares() -> list[list[int]]:
    """The corners of the six squares of a cell, 2 x axis + side, counter-clockwise seen from outside the cell."""
    squares = []
    for axis, side in product(range(3), (0, 1)):
        u, v = (1 << (2 - (axis + step) % 3) for step in (1, 2))
        corners = [0, u, u + v, v] if side else [0, v, u + v, u]
        squares.append([corner + side * (1 << (2 - axis)) for corner in corners])
    return squares


def _edge(a: int, b: int) -> int:
    """The edge of a cell between two of its corners."""
    return 3 * min(a, b) + 2 - (a ^ b).bit_length() + 1


def _cuts(code: int) -> list[list[tuple[int, int]]]:
    """Where the surface cuts each square of a cell: the edges of the cell that each cut leads from and to.

    Two cuts of a square are in the order of their inside corners, the same seen from both cells that it belongs to.
    """
    cuts = []
    for square in _squares():
        here = []
        for i in range(4):
            if code >> square[i] & 1 and not code >> square[i - 1] & 1:  # a run of inside corners starts here
                end = next(j for j in range(i, i + 4) if not code >> square[(j + 1) % 4] & 1)
                cut = _edge(square[end % 4], square[(end + 1) % 4]), _edge(square[i - 1], square[i])
                here.append((square[i], cut))
        cuts.append([cut for _, cut in sorted(here)])
    return cuts


def _loops(cuts: list[list[tuple[int, int]]]) -> list[list[int]]:
    """The closed loops that the cuts of a cell make, as edges of the cell."""
    follows = dict(cut for here in cuts for cut in here)
    loops = []
    while follows:
        loop = [next(iter(follows))]
        while (following := follows.pop(loop[-1])) != loop[0]:
            loop.append(following)
        loops.append(loop)
    return loops


def _fan(loop: list[int]) -> list[tuple[int, ...]]:
    """A loop as quads, and a triangle where it is left over, which face outwards and all begin at one vertex."""

    def on_one_square(a: int, b: int) -> bool:
        ends = [(e // 3, e // 3 + (1 << (2 - e % 3))) for e in (a, b)]
        return any(all(corner in square for pair in ends for corner in pair) for square in _squares())

    # A diagonal within a square of the cube could meet the neighbour's, and the edge have four triangles.
    fans = (loop[i:] + loop[:i] for i in range(len(loop)))
    fan = next(fan for fan in fans if not any(on_one_square(fan[0], other) for other in fan[2:-1]))
    return [(fan[0], *reversed(fan[i : i + 3])) for i in range(1, len(fan) - 1, 2)]
