"""Clicks in the browser's list: select, fold, and rename by a double-click."""

import bpy
from bpy.props import EnumProperty

from ...scene.outline.tree import Item
from ..reports import MosaicOperator, OperatorReturn
from ..selection import choose, chosen_ids, unchoose
from .rename import ask_for_name
from .rows import fold, is_folded, kind_of, objects_below, shown_rows
from .targets import target_of, warn_of_outside

DOUBLE_CLICK_REACH = 6  # pixels that the mouse may move between the clicks


class MOSAIC_OT_select_item(MosaicOperator):
    """Select. Ctrl-click adds or takes away, Shift-click takes all from the active one; double-click renames"""

    bl_idname = "mosaic.select_item"
    bl_label = "Select"
    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return target_of(context) is not None

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorReturn:
        item = target_of(context)
        if event.shift:
            return self._choose_range(context, item, event.ctrl)
        if event.ctrl or event.oskey:
            return self._toggle(context, item)
        self._choose(context, objects_below(item), item)
        # Blender does not report double-clicks on buttons, so this waits for a second click. Nothing else waits.
        self._item = item.session_uid
        self._place = event.mouse_x, event.mouse_y
        self._ticks = 0
        wait = context.preferences.inputs.mouse_double_click_time / 1000
        self._timer = context.window_manager.event_timer_add(wait / 2, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorReturn:
        if event.type == "TIMER":
            self._ticks += 1
        elif event.value not in ("PRESS", "DOUBLE_CLICK"):
            return {"PASS_THROUGH"}
        if event.type == "TIMER" and self._ticks < 3:
            return {"PASS_THROUGH"}
        context.window_manager.event_timer_remove(self._timer)
        moved = abs(event.mouse_x - self._place[0]) + abs(event.mouse_y - self._place[1])
        if event.type == "LEFTMOUSE" and moved <= DOUBLE_CLICK_REACH:
            ask_for_name(self._item)
            return {"FINISHED"}
        return {"FINISHED", "PASS_THROUGH"}

    def cancel(self, context: bpy.types.Context) -> None:
        context.window_manager.event_timer_remove(self._timer)

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        item = target_of(context)
        return self._choose(context, objects_below(item), item)

    def _choose_range(self, context: bpy.types.Context, item: Item, extend: bool) -> OperatorReturn:
        rows = shown_rows(context)
        active = context.view_layer.objects.active
        ends = sorted([max(rows.index_of(active), 0), rows.index_of(item)])
        between = rows.items[ends[0] : ends[1] + 1]
        objects = [obj for obj in between if isinstance(obj, bpy.types.Object)]
        if not isinstance(item, bpy.types.Object) and rows.index_of(item) == ends[1]:
            objects += objects_below(item)
        return self._choose(context, objects, active, extend)

    def _toggle(self, context: bpy.types.Context, item: Item) -> OperatorReturn:
        objects = objects_below(item)
        if {obj.session_uid for obj in objects} <= chosen_ids(context):
            unchoose(context, objects)
            return {"FINISHED"}
        return self._choose(context, objects, item, extend=True)

    def _choose(
        self, context: bpy.types.Context, objects: list[bpy.types.Object], active: Item | None, extend: bool = False
    ) -> OperatorReturn:
        outside = choose(context, objects, active if isinstance(active, bpy.types.Object) else None, extend)
        warn_of_outside(self, outside)
        return {"FINISHED"}


class MOSAIC_OT_select_all(MosaicOperator):
    """Select the objects that the list shows, those of folded headings included"""

    bl_idname = "mosaic.select_all"
    bl_label = "Select All"
    bl_options = {"REGISTER", "UNDO"}

    action: EnumProperty(
        name="Action",
        description="Which objects to select",
        items=(
            ("SELECT", "All", "Every object that the list shows"),
            ("DESELECT", "None", "No object"),
            ("INVERT", "Invert", "Those that are not selected"),
        ),
    )

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return {
            "SELECT": "Select all objects that the list shows, those of folded headings included",
            "DESELECT": "Select nothing",
            "INVERT": "Select those objects of the list that are not selected, and only those",
        }[properties.action]

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        rows = shown_rows(context)
        objects = [obj for row, below in rows.below.items() if kind_of(rows.items[row]) == "container" for obj in below]
        ids = chosen_ids(context)
        if self.action == "DESELECT":
            unchoose(context, context.view_layer.objects.selected[:])
            choose(context, [])
            return {"FINISHED"}
        if self.action == "INVERT":
            objects = [obj for obj in objects if obj.session_uid not in ids]
        warn_of_outside(self, choose(context, objects))
        return {"FINISHED"}


class MOSAIC_OT_fold(MosaicOperator):
    """Show or hide the rows below. Ctrl-click does so with all headings of this kind"""

    bl_idname = "mosaic.fold"
    bl_label = "Fold"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return target_of(context) is not None

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorReturn:
        heading = target_of(context)
        folded = not is_folded(heading)
        alike = [heading]
        if event.ctrl:
            shown = shown_rows(context).items
            alike = [item for item in shown if kind_of(item) == kind_of(heading)]
        for item in alike:
            fold(item, folded)
        return {"FINISHED"}
