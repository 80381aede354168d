"""The place of an object in its session: from the coordinates of its data to angstrom."""

from collections import Counter
from collections.abc import Sequence

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from ...session.errors import MosaicError
from ..keys import ANGSTROM_PER_UNIT, CLASS
from .custom_properties import has

Float64Array = NDArray[np.float64]

NOISE = 1e-6  # relative error that a product of a few 32-bit matrices may have


def to_session(
    obj: bpy.types.Object, root: bpy.types.Object | None, applied: Matrix | None = None
) -> Float64Array | None:
    """Return the (4, 4) matrix from an object's own coordinates to its session's angstrom, None for the identity.

    For an object that hangs on the root it is made of the object's own numbers, which are exact where its place in the
    world is not. For any other object its place in the world counts, as seen from the root; without a root, as it is.
    applied: what Object > Apply took from the root, None for nothing. Raises MosaicError for a root that is scaled to
    nothing.
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
    """Whether a product of 32-bit matrices is the identity but for their rounding."""
    linear, shift = matrix[:3, :3] - np.eye(3), np.abs(matrix[:3, 3]).max()
    if np.abs(linear).max() > NOISE:
        return False
    far = np.abs(np.array(obj.bound_box)).max()
    if obj.parent is not None:
        far = max(far, np.abs(np.array(obj.matrix_parent_inverse)[:3, 3]).max())
    return bool(shift <= NOISE * far or shift < 1e-12)


def applied_of(root: bpy.types.Object) -> Matrix | None:
    """Return the matrix that Object > Apply took from a root and gave to its children; None where that was not done.

    It was done where the root has lost the scale that an import gave it, and most of the objects have that scale
    instead.
    """
    if not has_lost_its_scale(root):
        return None
    places = Counter(child.matrix_basis.copy().freeze() for child in root.children if has(child, CLASS))
    for matrix, count in places.most_common(1):
        scale = 1 / (ANGSTROM_PER_UNIT.read(root) or 1.0)
        if 2 * count > places.total() and np.allclose(matrix.to_scale()[:], scale, rtol=1e-5, atol=0):
            return matrix
    return None


def has_lost_its_scale(root: bpy.types.Object) -> bool:
    """Return whether a root has no scale, as after Object > Apply, though an import gave it one."""
    return (ANGSTROM_PER_UNIT.read(root) or 1.0) != 1.0 and np.allclose(root.scale[:], 1.0, rtol=0, atol=1e-6)


def turn_of(matrix: Float64Array) -> Sequence[float]:
    """Return the rotation nearest to a matrix, by its polar decomposition, as a quaternion (w, x, y, z)."""
    u, _, vt = np.linalg.svd(matrix[:3, :3])
    turn = u @ vt
    if np.linalg.det(turn) < 0:  # a mirrored object has none
        turn = u @ np.diag([1, 1, -1]) @ vt
    return Matrix(turn.tolist()).to_quaternion()[:]


def turns_from_z(normals: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the shortest rotations from (0, 0, 1) to normals, as quaternions (n, 4), scalar first.

    normals: (n, 3), of any length.
    """
    lengths = np.linalg.norm(normals.astype(np.float64), axis=1)
    x, y, z = (normals.T / np.where(lengths > 0, lengths, 1)).astype(np.float64)
    turns = np.stack([1 + z, -y, x, np.zeros_like(x)], axis=1)
    turns[z < -1 + 1e-7] = (0, 1, 0, 0)  # half a turn, about any axis across
    return (turns / np.linalg.norm(turns, axis=1, keepdims=True)).astype(np.float32)
