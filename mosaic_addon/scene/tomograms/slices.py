"""Slices: planes in a tomogram's box, wherever they are moved, turned and animated to."""

import math
from typing import Any, Final

import bpy
from mathutils import Quaternion, Vector

from ...session.errors import MosaicError
from ..compat import never_seen_by_light
from ..keys import FIGURE, TOMOGRAM
from .tomogram import SLICE, is_tomogram, material_for, volume_of
from .volume import Triple

PLANES: Final = {"XY": 2, "XZ": 1, "YZ": 0}  # and the axis that each stands across
FREE: Final = "free"  # a plane at any angle
GREY: Final = (0.5, 0.5, 0.5, 1.0)  # in views without materials


def add_slice(
    box: bpy.types.Object, plane: str = "XY", position: float | None = None, normal: Triple | None = None
) -> bpy.types.Object:
    """Add a slice to a tomogram.

    plane: of PLANES. position: where across the plane, in angstrom from the middle of the file's first voxel; by
    default the tomogram's middle. normal: of a plane at any angle instead, through the tomogram's middle. Raises
    MosaicError for what is no tomogram, an unknown plane, and a normal of zero.
    """
    volume = volume_of(box)
    if normal is None and plane not in PLANES:
        raise MosaicError(f"There is no plane {plane!r}; there are {', '.join(PLANES)}.")
    low, high = (Vector(corner) for corner in volume.bounds)
    half, middle = (high - low) / 2, (low + high) / 2
    if normal is None:
        across = PLANES[plane]
        sides = [axis for axis in range(3) if axis != across]
        kind = plane
    else:
        if not 0 < Vector(normal).length < math.inf:
            raise MosaicError("The normal of a slice must not be zero.")
        across, sides, kind = 2, [0, 1], FREE
        half = Vector((half.length,) * 3)
    corners = []
    for signs in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        corner = [0.0, 0.0, 0.0]
        for axis, sign in zip(sides, signs, strict=True):
            corner[axis] = sign * half[axis]
        corners.append(corner)
    name = f"Slice {kind}" if normal is None else "Slice"
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(corners, [], [(0, 1, 2, 3)])
    obj = bpy.data.objects.new(name, mesh)
    FIGURE.write(obj, SLICE)
    TOMOGRAM.write(obj, kind)
    mesh.materials.append(None)
    obj.material_slots[0].link = "OBJECT"
    obj.material_slots[0].material = material_for(box)
    obj.color = GREY  # type: ignore[assignment]  # any sequence will do
    never_seen_by_light(obj)
    obj.parent = box
    obj.location = middle
    if position is not None and normal is None:
        obj.location[across] = position
    if normal is not None:
        obj.rotation_mode = "QUATERNION"
        obj.rotation_quaternion = Vector(normal).to_track_quat("Z", "Y")
    for collection in box.users_collection:
        collection.objects.link(obj)
    return obj


def slices_of(box: bpy.types.Object) -> list[bpy.types.Object]:
    """Return the slices of a tomogram, in order of names."""
    return sorted((obj for obj in box.children if is_slice(obj)), key=lambda obj: obj.name)


def is_slice(obj: bpy.types.Object | None) -> bool:
    """Return whether an object is a slice that stands in a tomogram."""
    return obj is not None and FIGURE.read(obj) == SLICE and is_tomogram(obj.parent)


def axis_of(obj: bpy.types.Object) -> int | None:
    """Return the axis that a slice stands across, 0 to 2; None for one that is turned."""
    axis = PLANES.get(TOMOGRAM.read(obj) or "")
    turned: Quaternion = obj.matrix_basis.to_quaternion()
    return None if axis is None or abs(turned.w) < 1 - 1e-6 else axis


def position_of(obj: bpy.types.Object) -> float:
    """Return where a slice stands, in angstrom from the middle of the file's first voxel.

    It is measured across its plane, from the nearest point of that to the file's first voxel for a slice that is turned.
    """
    normal = _normal(obj)
    return float(obj.location.dot(normal))


def set_position(obj: bpy.types.Object, position: float) -> None:
    """Move a slice across its plane to a position, in angstrom; see `position_of`."""
    normal = _normal(obj)
    obj.location = obj.location + normal * (position - obj.location.dot(normal))


def number_of(obj: bpy.types.Object) -> float:
    """Return the number of a slice in the file, from 0; that of one which is turned counts in mean voxels."""
    return position_of(obj) / _spacing(obj)


def set_number(obj: bpy.types.Object, number: float) -> None:
    """Move a slice to a number in the file; see `number_of`."""
    set_position(obj, number * _spacing(obj))


def opacity_of(obj: bpy.types.Object) -> float:
    """Return the opacity of a slice, which is multiplied by that of its tomogram."""
    return float(obj.color[3])  # type: ignore[index]


def set_opacity(obj: bpy.types.Object, opacity: float) -> None:
    """Set the opacity of a slice: the alpha of the object's colour in views, which can be animated."""
    obj.color[3] = min(max(opacity, 0.0), 1.0)  # type: ignore[index]


def own_normal(obj: bpy.types.Object) -> Triple:
    """Return the direction across a slice in its own coordinates."""
    axis = PLANES.get(TOMOGRAM.read(obj) or "", 2)
    return float(axis == 0), float(axis == 1), float(axis == 2)


def remove_slice(obj: bpy.types.Object) -> None:
    """Remove a slice. What hangs on it stays where it is."""
    for child in list(obj.children):
        place = child.matrix_world.copy()
        child.parent = obj.parent
        child.matrix_world = place
    data: Any = obj.data
    bpy.data.objects.remove(obj)
    if data is not None and not data.users:
        bpy.data.meshes.remove(data)


def _normal(obj: bpy.types.Object) -> Vector:
    """The direction across a slice, along the tomogram's axes."""
    return obj.matrix_basis.to_quaternion() @ Vector(own_normal(obj))


def _spacing(obj: bpy.types.Object) -> float:
    """From one slice of the file to the next, in angstrom."""
    box = obj.parent
    if box is None:
        raise MosaicError(f"{obj.name!r} stands in no tomogram.")
    size, axis = volume_of(box).file_voxel_size, axis_of(obj)
    return sum(size) / 3 if axis is None else size[axis]
