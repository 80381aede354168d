"""The camera of a picture, framed by one click."""

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty
from mathutils import Vector

from ...scene.exporting.objects import DATA_TYPES
from ...scene.figures.overlay import follow_camera
from ...scene.keys import FIGURE
from ...scene.pictures.camera import VIEWS, Triple, frame_camera
from ...session import MosaicError
from ..reports import MosaicOperator, OperatorReturn
from ..selection import chosen_objects


class MOSAIC_OT_frame_camera(MosaicOperator):
    """Let the scene's camera hold the selected objects, or all that is visible, in the picture as it will be rendered"""

    bl_idname = "mosaic.frame_camera"
    bl_label = "Camera to Objects"
    bl_options = {"REGISTER", "UNDO"}

    view: EnumProperty(
        name="View",
        items=(
            ("TOP", "Top", "Look along -z, as Mosaic's first view does"),
            ("FRONT", "Front", "Look along -y"),
            ("SIDE", "Side", "Look along -x"),
            ("VIEW", "From View", "Look as the 3D view does"),
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
        return {"FINISHED"}

    def _direction(self, context: bpy.types.Context) -> tuple[Triple, Triple]:
        """Return where the camera looks, and what is up in it."""
        if self.view != "VIEW":
            return VIEWS[self.view.lower()]
        region = getattr(context.space_data, "region_3d", None)
        if region is None:
            raise MosaicError("There is no 3D view here to look as; choose another view.")
        ahead, up = (region.view_rotation @ Vector(axis) for axis in ((0.0, 0.0, -1.0), (0.0, 1.0, 0.0)))
        return (ahead.x, ahead.y, ahead.z), (up.x, up.y, up.z)


def _can_be_framed(obj: bpy.types.Object) -> bool:
    """Whether an object is rendered, and no part of a figure such as a scale bar."""
    return obj.type in DATA_TYPES and not obj.hide_render and FIGURE.read(obj) is None


def draw_camera(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the buttons that frame what is visible, and whether the camera shows it in perspective."""
    camera = context.scene.camera
    is_orthographic = camera is not None and camera.data.type == "ORTHO"
    row = layout.row(align=True)
    for view, text in (("TOP", "Top"), ("FRONT", "Front"), ("SIDE", "Side"), ("VIEW", "From View")):
        button = row.operator(MOSAIC_OT_frame_camera.bl_idname, text=text)
        button.view, button.orthographic = view, is_orthographic
    if camera is not None and camera.type == "CAMERA":
        row = layout.row(align=True)
        for kind in ("PERSP", "ORTHO"):
            row.prop_enum(camera.data, "type", kind)
