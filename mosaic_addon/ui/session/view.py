"""The 3D views of the window: what is shown in them."""

from collections.abc import Iterable
from typing import Any

import bpy
import numpy as np
from mathutils import Vector
from numpy.typing import NDArray

from ...scene.outline.tree import active_session, objects_of, sessions_in
from ...scene.pictures.camera import VIEWS, looking
from ...session import MosaicError
from ..reports import MosaicOperator, OperatorReturn

SENSOR = 72.0  # millimetres: the width of a 3D view that its focal length counts in
MARGIN = 1.1  # how much larger the view is than what it frames


class MOSAIC_OT_frame_session(MosaicOperator):
    """Show the whole session in the 3D views"""

    bl_idname = "mosaic.frame_session"
    bl_label = "Frame Session"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if sessions_in(context.scene):
            return True
        cls.poll_message_set("The scene has no session")
        return False

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        session = active_session(context)
        sessions = [session] if session is not None else sessions_in(context.scene)
        objects = [obj for each in sessions for obj in objects_of(each)]
        if not any(obj.visible_get() for obj in objects):
            raise MosaicError("Nothing of the session is visible; show an object first.")
        show_in_views(context, objects)
        return {"FINISHED"}


def show_in_views(context: bpy.types.Context, objects: Iterable[bpy.types.Object], *, from_top: bool = False) -> None:
    """Bring what is visible of some objects into the 3D views, beside their sidebars and not clipped.

    from_top: look as Mosaic's first view does.
    """
    context.view_layer.update()
    corners = [obj.matrix_world @ Vector(corner) for obj in objects if obj.visible_get() for corner in obj.bound_box]
    points = np.array(corners, np.float64).reshape(-1, 3)
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return
    direction, up = VIEWS["top"]
    rotation = looking(Vector(direction), Vector(up), Vector()).to_quaternion()
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                if from_top:
                    area.spaces.active.region_3d.view_rotation = rotation
                _frame(area, points)


def _frame(area: bpy.types.Area, points: NDArray[np.float64]) -> None:
    """Let a 3D view hold all points, (n, 3), where its toolbar and sidebar do not cover it."""
    space: Any = area.spaces.active
    view, regions = space.region_3d, {region.type: region for region in area.regions}
    width, height = max(regions["WINDOW"].width, 1), max(regions["WINDOW"].height, 1)
    left = regions["TOOLS"].width if "TOOLS" in regions and space.show_region_toolbar else 0
    right = regions["UI"].width if "UI" in regions and space.show_region_ui else 0
    free = max(width - left - right, width / 4)
    if view.view_perspective == "CAMERA":
        view.view_perspective = "PERSP"
    rotation = view.view_rotation
    axes = np.array([rotation @ Vector(axis) for axis in ((1, 0, 0), (0, 1, 0), (0, 0, 1))])
    seen = points @ axes.T
    low, high = seen.min(axis=0), seen.max(axis=0)
    middle, half = (low + high) / 2, (high - low) / 2
    # What half of the longer side of the view shows at a distance of 1.
    tangent = SENSOR / 2 / space.lens
    pixel = tangent / (max(width, height) / 2)
    distance = MARGIN * max(half[0] / (pixel * free / 2), half[1] / (pixel * height / 2), 1e-6)
    distance += half[2] if view.is_perspective else 0.0
    middle[0] += pixel * distance * (right - left) / 2
    view.view_location = (axes.T @ middle).tolist()
    view.view_distance = distance
    space.clip_end = max(space.clip_end, 20 * float(half.max()) + 2 * distance)
    space.clip_start = min(space.clip_start, distance / 100)
    area.tag_redraw()


def hide_outlines(context: bpy.types.Context) -> None:
    """Leave out the outlines of selected objects in the 3D views: they hide the colours of points."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.spaces.active.overlay.show_outline_selected = False
