"""Looks of the scene, each by one click."""

import bpy
from bpy.props import EnumProperty

from ...scene.pictures.former import choose_engine, has_look
from ...scene.pictures.looks import apply_look, remove_look
from ...scene.pictures.options import BACKGROUNDS, LOOKS
from ..reports import MosaicOperator, OperatorReturn, say_all


class MOSAIC_OT_apply_look(MosaicOperator):
    """Light the scene as one of Mosaic's lighting modes does, in Cycles and EEVEE, instead of the last look"""

    bl_idname = "mosaic.apply_look"
    bl_label = "Mosaic Look"
    bl_options = {"REGISTER", "UNDO"}

    look: EnumProperty(
        name="Look", items=[(name, name.capitalize(), tip) for name, tip in LOOKS.items()], default="full"
    )
    background: EnumProperty(
        name="Background", items=[(name, name.capitalize(), "") for name in BACKGROUNDS], default="white"
    )

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return LOOKS[properties.look]

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        said = apply_look(context.scene, self.look, self.background)
        said += choose_engine(context.scene, self.look)
        say_all(self, "INFO", said, "changes")
        return {"FINISHED"}


class MOSAIC_OT_remove_look(MosaicOperator):
    """Give the scene back the lamps, world, colours and engine that it had before its first look"""

    bl_idname = "mosaic.remove_look"
    bl_label = "No Look"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if has_look(context.scene):
            return True
        cls.poll_message_set("The scene has no look")
        return False

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        remove_look(context.scene)
        return {"FINISHED"}


def draw_looks(layout: bpy.types.UILayout, scene: bpy.types.Scene) -> None:
    """Draw the looks, by one click each, and the backgrounds."""
    background = scene.mosaic_picture.background
    grid = layout.grid_flow(columns=2, align=True, even_columns=True)
    for look in LOOKS:
        button = grid.operator(MOSAIC_OT_apply_look.bl_idname, text=look.capitalize())
        button.look, button.background = look, background
    if has_look(scene):
        layout.operator(MOSAIC_OT_remove_look.bl_idname)
    layout.row(align=True).prop(scene.mosaic_picture, "background", expand=True)
