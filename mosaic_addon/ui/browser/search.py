"""Searching by hotkey: the sidebar opens at our tab, and a popup takes what to search for while the list follows."""

import bpy

from ...scene.outline.tree import sessions_in
from ..reports import MosaicOperator, OperatorReturn

CATEGORY = "Mosaic"


class MOSAIC_OT_search_objects(MosaicOperator):
    """Search the objects of the list by name"""

    bl_idname = "mosaic.search_objects"
    bl_label = "Search Objects"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if context.area is None or context.area.type != "VIEW_3D":
            cls.poll_message_set("Only in a 3D view")
            return False
        if not sessions_in(context.scene):
            cls.poll_message_set("There is no session in the scene")
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorReturn:
        if not context.space_data.show_region_ui:  # set while it is open, it would hide the sidebar behind the popup
            context.space_data.show_region_ui = True
        for region in context.area.regions:
            if region.type == "UI" and getattr(region, "active_panel_category", "UNSUPPORTED") != "UNSUPPORTED":
                region.active_panel_category = CATEGORY
        return bpy.ops.wm.call_panel("INVOKE_DEFAULT", name=MOSAIC_PT_search.__name__, keep_open=False)


class MOSAIC_PT_search(bpy.types.Panel):
    """The popup with the search field of the browser"""

    bl_label = "Search Objects"
    bl_space_type = "TOPBAR"
    bl_region_type = "HEADER"
    bl_options = {"INSTANCED"}
    bl_ui_units_x = 14

    def draw(self, context: bpy.types.Context) -> None:
        self.layout.label(text="Search Objects")
        row = self.layout.row()
        row.activate_init = True
        row.prop(context.window_manager.mosaic_browser, "search", text="", icon="VIEWZOOM")
