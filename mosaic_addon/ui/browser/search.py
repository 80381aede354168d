"""Searching by hotkey: the sidebar opens at our tab, and a popup takes what to search for while the list follows."""

import bpy

from ...scene.outline.tree import sessions_in
from ..reports import MosaicOperator, OperatorReturn
from ..selection import choose
from ..sidebar import open_sidebar
from .rows import shown_rows

ENTER = ("RET", "NUMPAD_ENTER")
ENDS = (*ENTER, "ESC", "LEFTMOUSE", "RIGHTMOUSE")  # of the popup


class MOSAIC_OT_search_objects(MosaicOperator):
    """Search the objects of the list by name; Enter selects those that are found"""

    bl_idname = "mosaic.search_objects"
    bl_label = "Search Objects"
    bl_options = {"INTERNAL", "UNDO"}

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
        open_sidebar(context)
        bpy.ops.wm.call_panel("INVOKE_DEFAULT", name=MOSAIC_PT_search.__name__, keep_open=False)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorReturn:
        """Look on while the popup takes all events, and select what was found when it ends with Enter."""
        if event.value != "PRESS" or event.type not in ENDS:
            return {"PASS_THROUGH"}
        if event.type in ENTER and context.window_manager.mosaic_browser.search:
            found = shown_rows(context).items
            choose(context, [item for item in found if isinstance(item, bpy.types.Object)])
        return {"FINISHED", "PASS_THROUGH"}


class MOSAIC_PT_search(bpy.types.Panel):
    """The popup with the search field of the browser"""

    bl_label = "Search Objects"
    bl_space_type = "TOPBAR"
    bl_region_type = "HEADER"
    bl_options = {"INSTANCED"}
    bl_ui_units_x = 14

    def draw(self, context: bpy.types.Context) -> None:
        self.layout.label(text="Search Objects (Enter selects them)")
        row = self.layout.row()
        row.activate_init = True
        row.prop(context.window_manager.mosaic_browser, "search", text="", icon="VIEWZOOM")
