"""The panel "Film": its shots, and the buttons that add them."""

import bpy

from ...scene.films.shots import TURNTABLE, shots_in
from ...scene.outline.tree import sessions_in
from .shots import MOSAIC_OT_add_trajectory_shot, MOSAIC_OT_add_turntable, MOSAIC_OT_remove_shot


class MOSAIC_PT_film(bpy.types.Panel):
    """Shots on the timeline: the camera turns, trajectories play"""

    bl_label = "Film"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Mosaic"
    bl_order = 30
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(sessions_in(context.scene))

    def draw(self, context: bpy.types.Context) -> None:
        layout, scene = self.layout, context.scene
        rate = scene.render.fps / scene.render.fps_base
        shots = shots_in(scene)
        if shots:
            column = layout.box().column(align=True)
        for shot in shots:
            row = column.row()
            row.label(text=shot.name, icon="CON_ROTLIKE" if shot.kind == TURNTABLE else "PLAY")
            seconds = (shot.end + 1 - shot.start) / rate
            row.label(text=f"{shot.start}\u2013{shot.end}, {seconds:.3g} s")
            row.operator(MOSAIC_OT_remove_shot.bl_idname, text="", icon="X", emboss=False).name = shot.name
        row = layout.row(align=True)
        row.operator(MOSAIC_OT_add_turntable.bl_idname, text="Turntable", icon="ADD")
        row.operator(MOSAIC_OT_add_trajectory_shot.bl_idname, text="Trajectory", icon="ADD")
        row = layout.row()
        row.enabled = bool(shots)
        is_playing = context.screen is not None and context.screen.is_animation_playing
        row.operator(
            "screen.animation_play", text="Pause" if is_playing else "Play", icon="PAUSE" if is_playing else "PLAY"
        )
