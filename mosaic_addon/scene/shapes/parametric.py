"""True surfaces and curves of Mosaic's parametric fits, which Mosaic itself draws as points sampled on them.

All lengths are angstrom. Functions take a fit's numbers as plain arrays, compute in float64 and return float32.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .isosurface import Surface

Doubles = NDArray[np.float64]

RBF_KERNELS = {
    "multiquadric": lambda r, epsilon: np.sqrt((r / epsilon) ** 2 + 1),
    "inverse_multiquadric": lambda r, epsilon: 1 / np.sqrt((r / epsilon) ** 2 + 1),
    "gaussian": lambda r, epsilon: np.exp(-((r / epsilon) ** 2)),
    "linear": lambda r, epsilon: r,
    "cubic": lambda r, epsilon: r**3,
    "quintic": lambda r, epsilon: r**5,
    "thin_plate": lambda r, epsilon: r**2 * np.log(np.where(r > 0, r, 1)),
}
"""Radial functions of scipy.interpolate.Rbf by their names there."""

RBF_ALIASES = {
    "inverse": "inverse_multiquadric",
    "inverse multiquadric": "inverse_multiquadric",
    "thin-plate": "thin_plate",
}

RBF_NORMS = {
    "euclidean": lambda difference: np.sqrt(np.einsum("ijk,ijk->jk", difference, difference)),
    "sqeuclidean": lambda difference: np.einsum("ijk,ijk->jk", difference, difference),
    "cityblock": lambda difference: np.abs(difference).sum(axis=0),
    "chebyshev": lambda difference: np.abs(difference).max(axis=0),
}
"""Distances that scipy.interpolate.Rbf takes from scipy.spatial.distance.cdist, of differences (2, n, m)."""

SPLINE_SAMPLES = 512


def sphere(radius: float, center: ArrayLike, resolution: int = 64) -> Surface:
    """The sphere of a Sphere fit, closed, with exact normals.

    center: [3]. resolution: vertices around the equator, at least 3; half as many from pole to pole, so triangles
    leave the sphere by at most radius x (pi / resolution)^2.
    """
    return ellipsoid(np.full(3, radius), center, np.eye(3), resolution)


def ellipsoid(radii: ArrayLike, center: ArrayLike, orientations: ArrayLike, resolution: int = 64) -> Surface:
    """The surface of an Ellipsoid fit, closed, with exact normals: (unit vector x radii) · orientationsᵀ + center.

    radii: [3], whose signs mean nothing. center: [3]. orientations: (3, 3), the axes as columns, either handedness.
    resolution: vertices around the equator, at least 3; half as many from pole to pole. Raises ValueError where it has
    no volume.
    """
    points, triangles = _unit_sphere(resolution)
    mesh, inverse = _place(points, triangles, radii, center, orientations)
    normals = points @ inverse
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return mesh._replace(normals=normals.astype(np.float32))


def _place(
    points: Doubles, triangles: NDArray[np.integer], scale: ArrayLike, center: ArrayLike, orientations: ArrayLike
) -> tuple[Surface, NDArray[np.floating]]:
    """The mesh (points x scale) · orientationsᵀ + center, facing outwards, and the inverse of that matrix.

    Raises ValueError where the matrix is singular or not finite.
    """
    matrix = np.asarray(orientations, dtype=np.float64) * np.asarray(scale, dtype=np.float64)
    determinant = np.linalg.det(matrix) if np.isfinite(matrix).all() else 0
    if determinant == 0:
        raise ValueError("The fit has no volume: a size is zero or not a number, or its axes lie in one plane.")
    if determinant < 0:
        triangles = triangles[:, ::-1]
    vertices = points @ matrix.T + np.asarray(center, dtype=np.float64)
    return Surface(vertices.astype(np.float32), np.ascontiguousarray(triangles, np.int32)), np.linalg.inv(matrix)


def _unit_sphere(resolution: int) -> tuple[Doubles, NDArray[np.intp]]:
    """Points on the unit sphere, poles first and last, and triangles that face outwards."""
    around, rings = max(3, resolution), max(2, resolution // 2)
    polar = np.pi * np.arange(1, rings)[:, None] / rings
    azimuth = 2 * np.pi * np.arange(around) / around
    ring = np.stack(
        np.broadcast_arrays(np.sin(polar) * np.cos(azimuth), np.sin(polar) * np.sin(azimuth), np.cos(polar)), axis=-1
    ).reshape(-1, 3)
    points = np.concatenate(([[0, 0, 1]], ring, [[0, 0, -1]]))
    row = 1 + np.arange(around)
    beside = np.roll(row, -1)
    last = (rings - 2) * around
    sides = _strips(rings - 1, around) + 1
    north = np.stack((np.zeros_like(row), row, beside), axis=1)
    south = np.stack((np.full_like(row, len(points) - 1), beside + last, row + last), axis=1)
    return points, np.concatenate((north, sides, south))


def _strips(rows: int, around: int) -> NDArray[np.intp]:
    """Triangles of a tube, facing outwards.

    Its vertices are numbered row by row from the top down, `around` in each row, counter-clockwise seen from above.
    """
    a = (np.arange(rows - 1)[:, None] * around + np.arange(around)).ravel()
    b = (np.arange(rows - 1)[:, None] * around + np.roll(np.arange(around), -1)).ravel()
    return np.concatenate((np.stack((a, a + around, b), axis=1), np.stack((b, a + around, b + around), axis=1)))


def cylinder(radius: float, height: float, center: ArrayLike, orientations: ArrayLike, resolution: int = 64) -> Surface:
    """The surface of a Cylinder fit with its two flat caps, closed.

    center: [3] the middle. orientations: (3, 3), whose column 2 is the axis; the caps are at ±height / 2.
    resolution: vertices around, at least 3. No normals: the first 2 x resolution triangles are the side (smooth), the
    last 2 x resolution the caps (flat). Raises ValueError where it has no volume.
    """
    around = max(3, resolution)
    azimuth = 2 * np.pi * np.arange(around) / around
    ring = np.stack((np.cos(azimuth), np.sin(azimuth), np.ones(around)), axis=1)
    points = np.concatenate((ring, ring * (1, 1, -1), [[0, 0, 1], [0, 0, -1]]))
    row = np.arange(around)
    beside = np.roll(row, -1)
    top = np.stack((np.full(around, 2 * around), row, beside), axis=1)
    bottom = np.stack((np.full(around, 2 * around + 1), beside + around, row + around), axis=1)
    triangles = np.concatenate((_strips(2, around), top, bottom))
    mesh, _ = _place(points, triangles, (radius, radius, height / 2), center, orientations)
    return mesh


def rbf_values(
    positions: ArrayLike, xi: ArrayLike, nodes: ArrayLike, epsilon: float, function: str, norm: str = "euclidean"
) -> Doubles:
    """Values of a scipy.interpolate.Rbf: the sum over its centres of nodes x function(distance to the centre).

    positions: (2, n). xi: (2, m) centres. nodes: (m,) weights. epsilon: the scale of the functions that have one.
    function, norm: names as the Rbf keeps them. Returns (n,). Raises ValueError for an unknown name.
    """
    kernel = RBF_KERNELS.get(RBF_ALIASES.get(function.lower(), function.lower()))
    distance = RBF_NORMS.get(norm)
    if kernel is None or distance is None:
        raise ValueError(f"The RBF uses the function {function!r} with the norm {norm!r}, which cannot be evaluated.")
    positions = np.asarray(positions, dtype=np.float64)
    xi = np.asarray(xi, dtype=np.float64)
    nodes = np.asarray(nodes, dtype=np.float64)
    values = np.empty(positions.shape[1])
    step = max(1, (1 << 20) // max(1, xi.shape[1]))
    for begin in range(0, len(values), step):
        part = slice(begin, begin + step)
        values[part] = kernel(distance(positions[:, part, None] - xi[:, None, :]), epsilon) @ nodes
    return values


def rbf_sheet(
    xi: ArrayLike,
    nodes: ArrayLike,
    epsilon: float,
    function: str,
    grid: ArrayLike,
    direction: str,
    norm: str = "euclidean",
    resolution: int = 64,
) -> Surface:
    """The sheet of an RBF fit over its grid: (x, y, f(x, y)) with two axes exchanged, open at the grid's border.

    xi: (2, m) centres. nodes: (m,) weights. epsilon: the scale of the functions that have one. function, norm: names
    as scipy.interpolate.Rbf keeps them. grid: ((x lowest, x highest), (y lowest, y highest)). direction: "xz"
    exchanges x and z, "yz" y and z, "xy" none. resolution: vertices along each side, at least 2. Normals are left to
    the triangles. Raises ValueError for an unknown function or norm.
    """
    side = max(2, resolution)
    (x_low, x_high), (y_low, y_high) = np.asarray(grid, dtype=np.float64)
    x = np.tile(np.linspace(x_low, x_high, side), side)
    y = np.repeat(np.linspace(y_low, y_high, side), side)
    z = rbf_values((x, y), xi, nodes, epsilon, function, norm)
    columns = {"xz": (z, y, x), "yz": (x, z, y)}.get(direction, (x, y, z))
    corner = (np.arange(side - 1)[:, None] * side + np.arange(side - 1)).ravel()
    lower = np.stack((corner, corner + 1, corner + side), axis=1)
    upper = np.stack((corner + 1, corner + side + 1, corner + side), axis=1)
    triangles = np.concatenate((lower, upper)).astype(np.int32)
    return Surface(np.stack(columns, axis=1).astype(np.float32), triangles)


def b_spline(parameters: ArrayLike, t: ArrayLike, c: ArrayLike, k: int) -> Doubles:
    """A B-spline by de Boor's recursion, extrapolated beyond its ends as scipy's `splev` does.

    parameters: (n,). t: knots. c: coefficients, at least len(t) - k - 1. k: degree. Returns (n,).
    """
    x = np.asarray(parameters, dtype=np.float64)
    t = np.asarray(t, dtype=np.float64)
    c = np.asarray(c, dtype=np.float64)
    span = np.clip(np.searchsorted(t, x, side="right") - 1, k, len(t) - k - 2)
    d = c[span - k + np.arange(k + 1)[:, None]]
    for degree in range(1, k + 1):
        for j in range(k, degree - 1, -1):
            left, right = t[span - k + j], t[span + 1 + j - degree]
            alpha = (x - left) / (right - left)
            d[j] = (1 - alpha) * d[j - 1] + alpha * d[j]
    return d[k]


def piecewise_polynomial(parameters: ArrayLike, c: ArrayLike, x: ArrayLike) -> Doubles:
    """A scipy CubicSpline or PPoly: sum of c[j, i] (p - x[i])^(k - j) on each interval, extrapolated at the ends.

    parameters: (n,). c: (k + 1, m), highest power first. x: (m + 1,) ascending breakpoints. Returns (n,).
    """
    p = np.asarray(parameters, dtype=np.float64)
    c = np.asarray(c, dtype=np.float64)
    x = np.asarray(x, dtype=np.float64)
    interval = np.clip(np.searchsorted(x, p, side="right") - 1, 0, len(x) - 2)
    step = p - x[interval]
    value = np.zeros(len(p))
    for coefficients in c:
        value = value * step + coefficients[interval]
    return value


def spline_curve(splines: Sequence[tuple], samples: int = SPLINE_SAMPLES) -> NDArray[np.float32]:
    """The polyline of a SplineCurve fit for parameters 0 to 1.

    splines: one for each of x, y, z: (t, c, k) of a B-spline or (c, x) of a piecewise polynomial.
    samples: points at even parameters; the splines' own knots between 0 and 1 are added, so corners stay sharp.
    Returns (n, 3), n >= samples.
    """
    knots = np.concatenate([spline[0] if len(spline) == 3 else spline[1] for spline in splines])
    parameters = np.union1d(np.linspace(0, 1, max(2, samples)), knots[(knots > 0) & (knots < 1)])
    columns = [(b_spline if len(spline) == 3 else piecewise_polynomial)(parameters, *spline) for spline in splines]
    return np.stack(columns, axis=1).astype(np.float32)
