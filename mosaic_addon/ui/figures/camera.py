"""The camera of a picture, framed by one click."""

import math
from typing import Final

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty
from bpy_extras.view3d_utils import location_3d_to_region_2d
from mathutils import Vector

from ...scene.exporting.objects import DATA_TYPES
from ...scene.figures.overlay import follow_camera
from ...scene.keys import FIGURE
from ...scene.pictures.camera import VIEWS, Triple, frame_camera
from ...session import MosaicError
from ..reports import MosaicOperator, OperatorReturn
from ..selection import chosen_objects

SHOWN: Final = 0.9  # of the 3D view beside its sidebar, by the camera's picture


class MOSAIC_OT_frame_camera(MosaicOperator):
    """Let the scene's camera hold the selected objects, or all that is visible, and look through it"""

    bl_idname = "mosaic.frame_camera"
    bl_label = "Camera to Objects"
    bl_options = {"REGISTER", "UNDO"}

    view: EnumProperty(
        name="View",
        items=(
            ("TOP", "Top", "Look along -z, as Mosaic's first view does"),
            ("FRONT", "Front", "Look along -y"),
            ("SIDE", "Side", "Look along -x"),
            ("VIEW", "View", "Look as the 3D view does"),
        ),
        default="TOP",
    )
    orthographic: BoolProperty(name="Orthographic", description="Without perspective", default=False)
    zoom: FloatProperty(name="Zoom", description="1 just holds the objects", default=1.0, min=0.01, soft_max=10.0)
    selected_only: BoolProperty(
        name="Selected Only", description="Hold the selected objects, if there are any, and not all", default=True
    )

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        visible = [obj for obj in context.view_layer.objects if _can_be_framed(obj)]
        chosen = chosen_objects(context) if self.selected_only else []
        objects = [obj for obj in chosen if obj in visible] or visible
        if not objects:
            raise MosaicError("Nothing is visible that the camera could hold.")
        direction, up = self._direction(context)
        frame_camera(
            context.scene, objects, direction, self.zoom,
            up=up, orthographic=self.orthographic, camera=context.scene.camera,
        )  # fmt: skip
        follow_camera(context.scene)
        _look_through_camera(context)
        return {"FINISHED"}

    def _direction(self, context: bpy.types.Context) -> tuple[Triple, Triple]:
        """Return where the camera looks, and what is up in it."""
        if self.view != "VIEW":
            return VIEWS[self.view.lower()]
        region = getattr(context.space_data, "region_3d", None)
        if region is None:
            raise MosaicError("There is no 3D view here to look as; choose another view.")
        turn = region.view_matrix.inverted().to_3x3()  # of the camera, too, where the view looks through it
        ahead, up = (turn @ Vector(axis) for axis in ((0.0, 0.0, -1.0), (0.0, 1.0, 0.0)))
        return (ahead.x, ahead.y, ahead.z), (up.x, up.y, up.z)


def _can_be_framed(obj: bpy.types.Object) -> bool:
    """Whether an object is rendered, and no part of a figure such as a scale bar."""
    return obj.type in DATA_TYPES and not obj.hide_render and FIGURE.read(obj) is None


def _look_through_camera(context: bpy.types.Context) -> None:
    """Show all that the camera sees in the 3D view, where scale bar and legend are seen, left of the sidebar."""
    area, view = context.area, getattr(context.space_data, "region_3d", None)
    if view is None or area is None:
        return
    regions = {region.type: region for region in area.regions}
    window, left, right = regions["WINDOW"], regions["TOOLS"].width, regions["UI"].width
    if not context.preferences.system.use_region_overlap:
        left = right = 0
    view.view_perspective = "CAMERA"
    view.view_camera_zoom, view.view_camera_offset = 0.0, (0.0, 0.0)
    middle, width, height = _frame(context, window, view)
    part = 0.5 * SHOWN * min((window.width - left - right) / max(width, 1), window.height / max(height, 1))
    view.view_camera_zoom = 50 * (2 * math.sqrt(part) - math.sqrt(2))  # as Blender defines it: 0 is a half
    view.view_camera_offset = (1.0, 0.0)
    shift = _frame(context, window, view)[0] - middle
    view.view_camera_offset = ((left - right) / 2 / shift if shift else 0.0, 0.0)
    view.update()


def _frame(
    context: bpy.types.Context, region: bpy.types.Region, view: bpy.types.RegionView3D
) -> tuple[float, float, float]:
    """Return the middle across, width and height of the camera's picture in a 3D view, in pixels."""
    view.update()
    camera = context.scene.camera
    assert camera is not None
    corners = [camera.matrix_world.normalized() @ corner for corner in camera.data.view_frame(scene=context.scene)]
    places = [location_3d_to_region_2d(region, view, corner, default=Vector((0, 0))) for corner in corners]
    across, up = ([place[axis] for place in places] for axis in (0, 1))
    return (min(across) + max(across)) / 2, max(across) - min(across), max(up) - min(up)


def draw_camera(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the buttons that frame what is visible, and whether the camera shows it in perspective."""
    camera = context.scene.camera
    is_orthographic = camera is not None and camera.data.type == "ORTHO"
    row = layout.row(align=True)
    for view, text in (("TOP", "Top"), ("FRONT", "Front"), ("SIDE", "Side"), ("VIEW", "View")):
        button = row.operator(MOSAIC_OT_frame_camera.bl_idname, text=text)
        button.view, button.orthographic = view, is_orthographic
    if camera is not None and camera.type == "CAMERA":
        row = layout.row(align=True)
        for kind in ("PERSP", "ORTHO"):
            row.prop_enum(camera.data, "type", kind)
