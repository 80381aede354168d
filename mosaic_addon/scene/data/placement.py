"""Where an object stands in its session: from the coordinates of its data to angstrom, and fits that move along."""

from collections import Counter
from collections.abc import Sequence

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from ...session.edit import put, state_of
from ...session.errors import MosaicError
from ...session.nodes import Node, ObjectNode, Pairs
from ...session.releases import MODEL_MODULE
from ...session.values import array_of
from ..keys import ANGSTROM_PER_UNIT, CLASS

Float64Array = NDArray[np.float64]

NOISE = 1e-6  # what a product of a few 32-bit numbers may be off, relatively


def to_session(
    obj: bpy.types.Object, root: bpy.types.Object | None, applied: Matrix | None = None
) -> Float64Array | None:
    """The (4, 4) matrix from an object's data to its session's angstrom, None for the identity.

    What hangs on the root is read from the object's own numbers, which are exact where its place in the world is not.
    For anything else the place in the world counts, as the root would see it; without a root, as it is. applied: as
    `applied_of` says of the root. Raises MosaicError for a root without an extent.
    """
    matrix = None
    is_rounded = False
    link = obj
    while link is not None and link != root:
        if link.constraints or (link.parent is not None and link.parent_type != "OBJECT"):
            break
        parts = [link.matrix_basis, link.matrix_parent_inverse]
        if not parts[1].is_identity:
            is_rounded = True
        if applied is not None and link.parent == root:
            parts = [] if parts[0] == applied and parts[1].is_identity else [*parts, applied.inverted()]
        for part in parts:
            if not part.is_identity:
                own = np.array(part, np.float64)
                matrix = own if matrix is None else own @ matrix
        link = link.parent
    if root is None or link != root:
        matrix = np.array(obj.matrix_world, np.float64)
        is_rounded = True
        if root is not None:
            there = root.matrix_world if applied is None else root.matrix_world @ applied
            try:
                matrix = np.linalg.inv(np.array(there, np.float64)) @ matrix
            except np.linalg.LinAlgError:
                raise MosaicError(f"{root.name!r} is scaled to nothing; undo that, or scale it up again.") from None
    return None if matrix is not None and is_rounded and _is_noise(matrix, obj) else matrix


def _is_noise(matrix: Float64Array, obj: bpy.types.Object) -> bool:
    """Whether a product of 32-bit matrices is the identity, as far as these can tell."""
    linear, shift = matrix[:3, :3] - np.eye(3), np.abs(matrix[:3, 3]).max()
    if np.abs(linear).max() > NOISE:
        return False
    far = np.abs(np.array(obj.bound_box)).max()
    if obj.parent is not None:
        far = max(far, np.abs(np.array(obj.matrix_parent_inverse)[:3, 3]).max())
    return bool(shift <= NOISE * far or shift < 1e-12)


def applied_of(root: bpy.types.Object) -> Matrix | None:
    """What Object > Apply took from a root and gave to the objects that hang on it, so that nothing moved; None if nothing.

    It is told by the scale that an import gave the root: the root has none any more, but most of its objects have it.
    """
    if not has_lost_its_scale(root):
        return None
    places = Counter(child.matrix_basis.copy().freeze() for child in root.children if CLASS in child)
    for matrix, count in places.most_common(1):
        scale = 1 / root[ANGSTROM_PER_UNIT]
        if 2 * count > places.total() and np.allclose(matrix.to_scale(), scale, rtol=1e-5, atol=0):
            return matrix
    return None


def has_lost_its_scale(root: bpy.types.Object) -> bool:
    """Whether a root has no scale, as after Object > Apply, though an import gave it one."""
    return root.get(ANGSTROM_PER_UNIT, 1.0) != 1.0 and np.allclose(root.scale, 1.0, rtol=0, atol=1e-6)


def only_moves(matrix: Float64Array) -> bool:
    """Whether a matrix leaves directions as they are: it moves and scales alike along all axes, no more."""
    linear = matrix[:3, :3]
    return bool(linear[0, 0] > 0 and np.array_equal(linear, linear[0, 0] * np.eye(3)))


def turned_normals(normals: Float64Array, matrix: Float64Array) -> Float64Array:
    """Normals, (n, 3), along which those of surfaces stand once these were moved; of any length, zero where there is none.

    By the cofactors of the matrix: what its inverse transpose does, and defined where it flattens all.
    """
    a, b, c = matrix[:3, :3]
    cofactors = np.array([np.cross(b, c), np.cross(c, a), np.cross(a, b)])
    return normals @ cofactors.T * (-1.0 if np.linalg.det(matrix[:3, :3]) < 0 else 1.0)


def turn_of(matrix: Float64Array) -> Sequence[float]:
    """The rotation in a matrix, as a quaternion (w, x, y, z): the nearest, by its polar decomposition."""
    u, _, vt = np.linalg.svd(matrix[:3, :3])
    turn = u @ vt
    if np.linalg.det(turn) < 0:  # a mirrored object has none
        turn = u @ np.diag([1, 1, -1]) @ vt
    return tuple(Matrix(turn.tolist()).to_quaternion())


def turns_from_z(normals: NDArray[np.float32]) -> NDArray[np.float32]:
    """The shortest turns from (0, 0, 1) to `normals`, (n, 3) of any length, as quaternions (n, 4), scalar first."""
    lengths = np.linalg.norm(normals.astype(np.float64), axis=1)
    x, y, z = (normals.T / np.where(lengths > 0, lengths, 1)).astype(np.float64)
    turns = np.stack([1 + z, -y, x, np.zeros_like(x)], axis=1)
    turns[z < -1 + 1e-7] = (0, 1, 0, 0)  # half a turn, about whatever axis
    return (turns / np.linalg.norm(turns, axis=1, keepdims=True)).astype(np.float32)


def move_fit(fit: ObjectNode, matrix: Float64Array) -> bool:
    """Move a parametric model along with its points. Returns False, with nothing changed, for one that cannot be moved so."""
    mover = MOVERS.get(fit.cls.name) if fit.cls.module == MODEL_MODULE else None
    return mover is not None and mover(state_of(fit), matrix)


def _scale_of(matrix: Float64Array) -> float | None:
    """The scale of a matrix that neither stretches nor shears; None for one that does."""
    gram = matrix[:3, :3].T @ matrix[:3, :3]
    square = np.trace(gram) / 3
    if not np.allclose(gram, square * np.eye(3), rtol=0, atol=1e-5 * square):
        return None
    scale = float(np.sqrt(square))
    return 1.0 if abs(scale - 1) < 1e-6 else scale  # a turn's 32-bit numbers are no scale


def _at(matrix: Float64Array, points: Float64Array) -> Float64Array:
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def _numbers(node: Node, shape: tuple[int, ...]) -> Float64Array | None:
    values = array_of(node)
    if values is None and type(node) in (list, tuple):
        values = np.array(node, np.float64)
    return values.astype(np.float64) if values is not None and values.shape == shape else None


def _move_sphere(state: Pairs, matrix: Float64Array) -> bool:
    entries, scale = state.as_dict(), _scale_of(matrix)
    center = _numbers(entries.get("center"), (3,))
    if scale is None or center is None:
        return False
    put(state, "center", _at(matrix, center))
    put(state, "radius", float(entries["radius"]) * scale)
    return True


def _move_ellipsoid(state: Pairs, matrix: Float64Array) -> bool:
    """Any affine map of an ellipsoid is one: the singular values of the mapped axes are its radii."""
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
    if scale is None or centers is None or axes is None or np.linalg.det(matrix[:3, :3]) < 0:
        return False
    if type(entries.get("_mesh")) is ObjectNode:  # from 1.3.2 on a cylinder carries a mesh of itself
        move_mesh(state_of(entries["_mesh"]), matrix)
    put(state, "centers", _at(matrix, centers))
    put(state, "orientations", matrix[:3, :3] / scale @ axes)
    put(state, "radius", float(entries["radius"]) * scale)
    put(state, "height", float(entries["height"]) * scale)
    return True


def move_mesh(state: Pairs, matrix: Float64Array) -> None:
    """Move a mesh whose arrays are in its node."""
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
    """Splines of degree 1, (knots, values, 1): all three on the knots of all, where any affine map of them is exact."""
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
    """Piecewise cubics, coefficients (4, n) from the highest power down, on the same breakpoints."""
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


MOVERS = {
    "Sphere": _move_sphere,
    "Ellipsoid": _move_ellipsoid,
    "Cylinder": _move_cylinder,
    "SplineCurve": _move_curve,
}
