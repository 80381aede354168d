"""Cameras: one that frames all that is visible, or one in the place of Mosaic's camera."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import bpy
import numpy as np
from mathutils import Matrix, Vector
from numpy.typing import NDArray

from ...session.errors import MosaicError
from ..data.attributes import points_of, read_attribute
from ..data.extent import VIEW_ANGLE
from ..drawing.representations import input_of, representation_of
from ..keys import FIGURE

Triple: TypeAlias = tuple[float, float, float]

MARGIN = 1.06  # how much larger the picture is than what it frames
IN_FRONT = 10.0  # how much farther than where a camera's view begins lies what is drawn before all else
MAX_PIXELS = 65536  # that Blender allows for a side of a picture
# Mosaic's views (`set_camera_view` in its gui.py): the direction that each looks along, and what is up in it.
VIEWS: dict[str, tuple[Triple, Triple]] = {
    "top": ((0.0, 0.0, -1.0), (1.0, 0.0, 0.0)),
    "front": ((0.0, -1.0, 0.0), (1.0, 0.0, 0.0)),
    "side": ((-1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
}
VECTORS = ("position", "focal_point", "up")  # of Mosaic's camera


@dataclass(frozen=True, slots=True)
class View:
    """A camera in a session's own coordinates.

    position, focal_point, up: in angstrom. view_angle: from bottom to top, in degrees. size: of the picture, in pixels.
    """

    position: tuple[float, float, float]
    focal_point: tuple[float, float, float]
    up: tuple[float, float, float]
    view_angle: float
    size: tuple[int, int] | None = None


def read_view(path: str | os.PathLike[str]) -> View:
    """Read a camera from JSON: position, focal_point and up in angstrom, view_angle in degrees, size in pixels.

    Raises MosaicError when the file cannot be read or holds no camera.
    """
    try:
        with open(path, encoding="utf-8") as file:
            values = json.load(file)
    except (OSError, ValueError) as error:
        raise MosaicError(f"The camera {os.fspath(path)} cannot be read: {error}") from error
    try:
        vectors = [tuple(float(number) for number in values[key]) for key in VECTORS]
        angle = float(values.get("view_angle", 30.0))
        size = values.get("size")
        pixels = None if size is None else (int(size[0]), int(size[1]))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError):
        vectors, angle, pixels = [], 0.0, None
    if [len(vector) for vector in vectors] != [3, 3, 3] or not 0 < angle < 180:
        raise MosaicError(f"The camera {os.fspath(path)} lacks a position, focal_point, up or view_angle.")
    position, focal_point, up = (Vector(vector) for vector in vectors)
    sideways = (focal_point - position).normalized().cross(up.normalized()).length
    if not (np.isfinite(vectors).all() and sideways > 1e-6):
        raise MosaicError(f"The camera {os.fspath(path)} looks nowhere, or up along its own view.")
    if pixels is not None and not all(0 < length <= MAX_PIXELS for length in pixels):
        raise MosaicError(f"The camera {os.fspath(path)} has a picture of {pixels[0]} x {pixels[1]} pixels.")
    return View(vectors[0], vectors[1], vectors[2], angle, pixels)  # type: ignore[arg-type]


def place_camera(
    scene: bpy.types.Scene,
    root: bpy.types.Object,
    view: View,
    *,
    orthographic: bool = False,
    height: float | None = None,
    shift: tuple[float, float] = (0.0, 0.0),
) -> bpy.types.Object:
    """Make the scene's camera one that shows a view of the session under a root.

    orthographic: without perspective. height: of what it shows then, in angstrom; None for as much as with perspective
    at the focal point. shift: of the picture, to the right and up, in heights of it.
    """
    position, focal_point = (root.matrix_world @ Vector(point) for point in (view.position, view.focal_point))
    up = root.matrix_world.to_3x3() @ Vector(view.up)
    camera = _new_camera(scene, np.radians(view.view_angle))
    camera.matrix_world = looking(focal_point - position, up, position)
    distance = (focal_point - position).length
    camera.data.clip_start, camera.data.clip_end = distance / 1000, distance * 100
    camera.data.type = "ORTHO" if orthographic else "PERSP"
    scale = root.matrix_world.to_scale().x
    shown = 2 * distance * np.tan(np.radians(view.view_angle) / 2) if height is None else height * scale
    camera.data.ortho_scale = shown
    camera.data.shift_x, camera.data.shift_y = shift
    return camera


def frame_camera(
    scene: bpy.types.Scene,
    objects: Iterable[bpy.types.Object],
    direction: tuple[float, float, float] = (0.0, 0.0, -1.0),
    zoom: float = 1.0,
    *,
    up: tuple[float, float, float] | None = None,
    orthographic: bool = False,
    camera: bpy.types.Object | None = None,
) -> bpy.types.Object:
    """Make the scene's camera one that frames all visible objects.

    direction: that it looks along, in the world. zoom: how much larger the objects are than in a picture that just
    holds them. up: what is up in it; by default +y, or +z where that is ahead. orthographic: without perspective. camera: the one to use; without it, a new one. Raises MosaicError for
    a direction of length zero, and a zoom that is not positive.
    """
    forward = Vector(direction)
    if not forward.length or not zoom > 0:
        raise MosaicError("The camera's direction must not be zero, and its zoom must be positive.")
    camera = camera or _new_camera(scene, VIEW_ANGLE)
    rotation = looking(forward, up_for(forward) if up is None else Vector(up), Vector())
    axes = np.array(rotation.to_3x3().transposed())  # rows: right, up, backward
    spheres = _visible_spheres(objects)
    if not len(spheres):
        spheres = np.zeros((1, 4))
    points, radii = spheres[:, :3] @ axes.T, spheres[:, 3]
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    points = points - middle
    render = scene.render
    tangent = np.tan(VIEW_ANGLE / 2)
    wide = max(render.resolution_x / render.resolution_y, 1e-3)
    # A point is in the picture when |x| <= wide * tangent * depth and |y| <= tangent * depth, depth = distance - z; a
    # sphere is, when it lies on the inner side of the planes where these are equal.
    sides = [
        (np.abs(points[:, axis]) + radii * np.hypot(1, slope)) / slope
        for axis, slope in ((0, wide * tangent), (1, tangent))
    ]
    distance = float((MARGIN * np.maximum(*sides) + points[:, 2]).max()) or 1.0
    data: Any = camera.data
    data.type = "ORTHO" if orthographic else "PERSP"
    data.sensor_fit, data.shift_x, data.shift_y = "VERTICAL", 0.0, 0.0
    # Without perspective the picture is as high as what it holds, wherever the camera stands.
    heights = np.maximum(np.abs(points[:, 1]) + radii, (np.abs(points[:, 0]) + radii) / wide)
    data.ortho_scale = (2 * MARGIN * float(heights.max()) or 1.0) / zoom
    position = axes.T @ (middle + np.array((0.0, 0.0, distance)))
    camera.matrix_world = Matrix.Translation(position.tolist()) @ rotation
    data.angle_y = 2 * np.arctan(tangent / zoom)
    data.clip_start = distance / 1000
    data.clip_end = distance * 100
    data.display_size = distance / 20  # so that it does not hide in the view what it frames
    return camera


def frame_turn(scene: bpy.types.Scene, objects: Iterable[bpy.types.Object], zoom: float = 1.0) -> None:
    """Let the scene's camera look at the middle of all visible objects, so far away that it holds them while it turns.

    It turns around the direction that is up in its picture. zoom: how much larger the objects are than that.
    """
    camera = scene.camera
    spheres = _visible_spheres(objects)
    if camera is None or not len(spheres):
        return
    points, radii = spheres[:, :3], spheres[:, 3]
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    rotation = camera.matrix_world.to_3x3()
    axes = np.array(rotation.transposed())  # rows: right, up, backward
    right, above, backward = axes @ (points - middle).T
    around = np.hypot(right, backward)  # the radius of the circle on which a point goes
    tangent = np.tan(VIEW_ANGLE / 2)
    wide = max(scene.render.resolution_x / scene.render.resolution_y, 1e-3)
    # A circle is in the picture, as in `frame_camera`: in its width, where a plane through the camera touches it; in
    # its height, where it is nearest to the camera.
    slope = wide * tangent
    across = (around + radii) * np.hypot(1, slope) / slope
    along = (np.abs(above) + radii * np.hypot(1, tangent)) / tangent + around
    distance = float(MARGIN * np.maximum(across, along).max()) or 1.0
    position = middle + axes[2] * distance
    camera.matrix_world = Matrix.Translation(position.tolist()) @ rotation.to_4x4()
    data: Any = camera.data
    heights = np.maximum(np.abs(above) + radii, (around + radii) / wide)
    data.ortho_scale = (2 * MARGIN * float(heights.max()) or 1.0) / zoom
    data.clip_start, data.clip_end = distance / 1000, distance * 100


def visible_points(objects: Iterable[bpy.types.Object]) -> NDArray[np.float64]:
    """Return world positions, (n, 3), that span what is rendered: all points of small objects, some of large ones."""
    return _visible_spheres(objects)[:, :3]


def _visible_spheres(objects: Iterable[bpy.types.Object]) -> NDArray[np.float64]:
    """World positions and radii, (n, 4), of spheres that hold what is rendered of the objects."""
    clouds = []
    for obj in objects:
        data = None if obj.hide_render or FIGURE.read(obj) else points_of(obj)
        points = None if data is None else read_attribute(data, "position")
        if points is None or not len(points):
            continue
        points = points[:: max(1, len(points) // 20_000)]
        points = points[np.isfinite(points).all(axis=1)].astype(np.float64)
        matrix = np.array(obj.matrix_world)
        radii = np.full((len(points), 1), _reach_beyond(obj, points) * np.linalg.norm(matrix[:3, :3], 2))
        clouds.append(np.hstack((points @ matrix[:3, :3].T + matrix[:3, 3], radii)))
    return np.concatenate(clouds) if clouds else np.empty((0, 4))


def _reach_beyond(obj: bpy.types.Object, points: NDArray[np.float64]) -> float:
    """How far what is drawn reaches beyond the points, (n, 3): half the width of a point or line, in object units."""
    corners = np.array(obj.bound_box)
    if not len(points) or not np.isfinite(corners).all():
        return 0.0
    beyond = np.concatenate((points.min(axis=0) - corners.min(axis=0), corners.max(axis=0) - points.max(axis=0)))
    # Bounds that do not hold the points are out of date: the object was not evaluated yet.
    reach = float(beyond.max()) if beyond.min() > -1e-3 * np.abs(corners).max() else 0.0
    # Bounds do not know of copies, such as those of a volume's surface.
    surface = input_of(obj, "Surface") if representation_of(obj) == "volume" else None
    copies = 0.0 if surface is None else float(np.linalg.norm(np.array(surface.bound_box), axis=1).max())
    return max(reach, copies)


def _new_camera(scene: bpy.types.Scene, angle: float) -> bpy.types.Object:
    """Make the scene's camera a new one. angle: from bottom to top of the picture, in radians."""
    data = bpy.data.cameras.new("Mosaic Camera")
    data.sensor_fit = "VERTICAL"
    data.angle_y = angle
    camera = bpy.data.objects.new("Mosaic Camera", data)
    scene.collection.objects.link(camera)
    scene.camera = camera
    return camera


def up_for(forward: Vector) -> Vector:
    """Return the direction that is up in the picture: +y, as in Mosaic, or +z where the camera looks along y."""
    return Vector((0, 0, 1)) if abs(forward.normalized().y) > 0.999 else Vector((0, 1, 0))


def looking(forward: Vector, up: Vector, position: Vector) -> Matrix:
    """Return the world matrix of a camera. A camera looks along its own -z, with its y up."""
    backward = -forward.normalized()
    right = up.cross(backward).normalized()
    above: Any = backward.cross(right)  # a number for the type stubs, as of vectors in a plane
    rotation = Matrix((right[:], above[:], backward[:])).transposed()
    return Matrix.Translation(position[:]) @ rotation.to_4x4()
