"""Models that move along with the points that they were fitted to, as arithmetic on their nodes.

Every matrix is (4, 4) float64 and takes positions before the move to those after it, in angstrom.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .edit import put, state_of
from .nodes import Node, ObjectNode, Pairs
from .releases import MESH_CLASSES, MODEL_MODULE
from .values import array_of, number_of

Float64Array = NDArray[np.float64]


def only_moves(matrix: Float64Array) -> bool:
    """Tell whether a matrix leaves directions as they are: it moves, and scales all axes alike, no more."""
    linear = matrix[:3, :3]
    return bool(linear[0, 0] > 0 and np.array_equal(linear, linear[0, 0] * np.eye(3)))


def turned_normals(normals: Float64Array, matrix: Float64Array) -> Float64Array:
    """Turn normals of surfaces along with the surfaces. normals: (n, 3).

    Returns (n, 3) of any length, zero where a surface was flattened to nothing.
    """
    # The cofactors do what the inverse transpose does, and exist where the matrix has no inverse.
    a, b, c = matrix[:3, :3]
    cofactors = np.array([np.cross(b, c), np.cross(c, a), np.cross(a, b)])
    return normals @ cofactors.T * (-1.0 if np.linalg.det(matrix[:3, :3]) < 0 else 1.0)


def move_fit(fit: ObjectNode, matrix: Float64Array) -> bool:
    """Move a model along with its points. Returns False, with nothing changed, if it cannot be moved like that."""
    mover = MOVERS.get(fit.cls.name) if fit.cls.module == MODEL_MODULE else None
    return mover is not None and mover(state_of(fit), matrix)


def _scale_of(matrix: Float64Array) -> float | None:
    """Return the scale of a matrix that scales all directions alike; None for another one."""
    gram = matrix[:3, :3].T @ matrix[:3, :3]
    square = np.trace(gram) / 3
    if not np.allclose(gram, square * np.eye(3), rtol=0, atol=1e-5 * square):
        return None
    scale = float(np.sqrt(square))
    return 1.0 if abs(scale - 1) < 1e-6 else scale  # a turn's 32-bit numbers are no scale


def _at(matrix: Float64Array, points: Float64Array) -> Float64Array:
    """Move points, (n, 3) or (3,)."""
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def _numbers(node: Node, shape: tuple[int, ...]) -> Float64Array | None:
    """Return an array, or a list of numbers, as float64; None for anything else or for another shape."""
    values = array_of(node)
    if type(node) in (list, tuple):
        numbers = [number_of(part) for part in node]
        values = None if None in numbers else np.array(numbers, np.float64)
    if values is None or values.shape != shape or values.dtype.kind not in "biuf":
        return None
    return values.astype(np.float64)


def _move_sphere(state: Pairs, matrix: Float64Array) -> bool:
    entries, scale = state.as_dict(), _scale_of(matrix)
    center, radius = _numbers(entries.get("center"), (3,)), number_of(entries.get("radius"))
    if scale is None or center is None or radius is None:
        return False
    put(state, "center", _at(matrix, center))
    put(state, "radius", radius * scale)
    return True


def _move_ellipsoid(state: Pairs, matrix: Float64Array) -> bool:
    """Move an ellipsoid. Any affine map makes one of it, whose radii are the singular values of the mapped axes."""
    entries = state.as_dict()
    center, radii = _numbers(entries.get("center"), (3,)), _numbers(entries.get("radii"), (3,))
    axes = _numbers(entries.get("orientations"), (3, 3))
    if center is None or radii is None or axes is None:
        return False
    scale = _scale_of(matrix)
    if scale is not None and np.linalg.det(matrix[:3, :3]) > 0:  # keeps the order of the axes
        put(state, "orientations", matrix[:3, :3] / scale @ axes)
        put(state, "radii", radii * scale)
    else:
        u, lengths, _ = np.linalg.svd(matrix[:3, :3] @ axes @ np.diag(radii))
        put(state, "orientations", u * np.sign(np.linalg.det(u)))
        put(state, "radii", lengths)
    put(state, "center", _at(matrix, center))
    return True


def _move_cylinder(state: Pairs, matrix: Float64Array) -> bool:
    entries, scale = state.as_dict(), _scale_of(matrix)
    centers, axes = _numbers(entries.get("centers"), (3,)), _numbers(entries.get("orientations"), (3, 3))
    radius, height = number_of(entries.get("radius")), number_of(entries.get("height"))
    if scale is None or centers is None or axes is None or radius is None or height is None:
        return False
    if np.linalg.det(matrix[:3, :3]) < 0:
        return False
    if type(entries.get("_mesh")) is ObjectNode:  # since 1.3.2 a cylinder carries a mesh of itself
        _move_mesh(state_of(entries["_mesh"]), matrix)
    put(state, "centers", _at(matrix, centers))
    put(state, "orientations", matrix[:3, :3] / scale @ axes)
    put(state, "radius", radius * scale)
    put(state, "height", height * scale)
    return True


def _move_mesh(state: Pairs, matrix: Float64Array) -> bool:
    """Move a mesh whose arrays are in its node. Mirrored faces are turned round, so that they face outwards."""
    linear = matrix[:3, :3]
    for key, value in state.as_dict().items():
        values = array_of(value)
        if values is None or values.ndim != 2 or values.shape[1] != 3:
            continue
        if key == "vertices":
            put(state, key, _at(matrix, values.astype(np.float64)).astype(values.dtype))
        elif key == "triangles" and np.linalg.det(linear) < 0:
            put(state, key, np.ascontiguousarray(values[:, ::-1]))
        elif key in ("vertex_normals", "triangle_normals") and not only_moves(matrix):
            turned = turned_normals(values.astype(np.float64), matrix)
            with np.errstate(divide="ignore", invalid="ignore"):
                units = turned / np.linalg.norm(turned, axis=1, keepdims=True)
            put(state, key, np.nan_to_num(units).astype(values.dtype))
    return True


def _move_curve(state: Pairs, matrix: Float64Array) -> bool:
    entries = state.as_dict()
    positions, splines = array_of(entries.get("positions")), entries.get("_splines")
    if positions is None or type(splines) is not list or len(splines) != 3:
        return False
    parts = [state_of(spline).as_dict() if type(spline) is ObjectNode else {} for spline in splines]
    if not (_move_linear(splines, parts, matrix) or _move_cubic(splines, parts, matrix)):
        return False
    put(state, "positions", _at(matrix, positions.astype(np.float64)).astype(positions.dtype))
    return True


def _move_linear(splines: list[Node], parts: list[dict[str, Node]], matrix: Float64Array) -> bool:
    """Move three splines of degree 1, (knots, values, 1). They get the knots of all three, where the move is exact."""
    knots, values = [], []
    for part in parts:
        evaluation = part.get("_eval_args")
        if type(evaluation) is not tuple or len(evaluation) != 3 or evaluation[2] != 1:
            return False
        t, c = array_of(evaluation[0]), array_of(evaluation[1])
        if t is None or c is None or len(t) < 4 or len(c) < len(t) - 2:
            return False
        knots.append(t[1:-1])
        values.append(c[: len(t) - 2])
    union = np.unique(np.concatenate(knots))
    curve = np.stack([np.interp(union, t, c) for t, c in zip(knots, values, strict=True)], axis=1)
    for spline, column in zip(splines, _at(matrix, curve).T, strict=True):
        t = np.concatenate([union[:1], union, union[-1:]])
        put(state_of(spline), "_eval_args", (t, np.concatenate([column, [0.0, 0.0]]), 1))
    return True


def _move_cubic(splines: list[Node], parts: list[dict[str, Node]], matrix: Float64Array) -> bool:
    """Move three piecewise cubics on the same breakpoints, with coefficients (4, n) from the highest power down."""
    key = "_c" if "_c" in parts[0] else "c"
    breaks = [array_of(part.get("_x", part.get("x"))) for part in parts]
    found = [array_of(part.get(key)) for part in parts]
    coefficients = [values for values in found if values is not None]
    if len(coefficients) < 3 or len({values.shape for values in coefficients}) > 1:
        return False
    if not all(x is not None and breaks[0] is not None and np.array_equal(x, breaks[0]) for x in breaks):
        return False
    moved = np.einsum("ij,jkn->ikn", matrix[:3, :3], np.stack(coefficients))
    moved[:, -1] += matrix[:3, 3, None]
    for spline, values in zip(splines, moved, strict=True):
        put(state_of(spline), key, values)
    return True


MOVERS: dict[str, Callable[[Pairs, Float64Array], bool]] = {
    **dict.fromkeys(MESH_CLASSES, _move_mesh),
    "Sphere": _move_sphere,
    "Ellipsoid": _move_ellipsoid,
    "Cylinder": _move_cylinder,
    "SplineCurve": _move_curve,
}
