"""The panel "Figure": from the camera to the saved picture."""

import bpy

from ...scene.outline.tree import sessions_in
from ..shading import draw_what_is_not_shown
from .camera import draw_camera
from .items import draw_items
from .look import draw_looks
from .picture import draw_size
from .recipe import draw_recipe
from .render import draw_render


class MOSAIC_PT_figure(bpy.types.Panel):
    """What a paper prints: camera, look, what is drawn beside the session, size"""

    bl_label = "Figure"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Mosaic"
    bl_order = 30
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(sessions_in(context.scene))

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.label(text="Camera to Objects", icon="CAMERA_DATA")
        draw_camera(layout, context)
        layout.label(text="Look", icon="LIGHT")
        draw_what_is_not_shown(layout, context)
        draw_looks(layout, context.scene)


class _Part:
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Mosaic"
    bl_parent_id = "MOSAIC_PT_figure"


class MOSAIC_PT_figure_items(_Part, bpy.types.Panel):
    """What is drawn beside the session"""

    bl_label = "Beside the Session"

    def draw(self, context: bpy.types.Context) -> None:
        draw_items(self.layout, context)


class MOSAIC_PT_figure_size(_Part, bpy.types.Panel):
    """How large the picture is in print"""

    bl_label = "Size in Print"

    def draw(self, context: bpy.types.Context) -> None:
        draw_size(self.layout, context.scene)


class MOSAIC_PT_figure_render(_Part, bpy.types.Panel):
    """How the picture is rendered"""

    bl_label = "Render"

    def draw(self, context: bpy.types.Context) -> None:
        draw_render(self.layout, context.scene)
        draw_recipe(self.layout)
