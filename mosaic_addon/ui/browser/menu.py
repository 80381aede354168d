"""The menu of the browser's rows, with Mosaic's entries, for a right click on a row and the button above the list."""

from collections.abc import Iterator

import bpy
from bpy.props import EnumProperty

from ...scene.drawing.membranes import draw_as
from ...scene.drawing.representations import LABELS, OFFERED, group_of, representation_of
from ...scene.figures.cuts import KIND
from ...scene.figures.overlay import items_of
from ...session import MosaicError
from ..additions import Addition, menu_entry_added
from ..reports import OperatorReturn
from ..selection import chosen_geometries
from .cuts import MOSAIC_MT_cuts
from .rows import objects_below
from .structure import MOSAIC_MT_move_to_group, groups_beside
from .targets import OnChosen, target_of

LISTED = 200  # objects that are looked at, at most, for a menu of what they offer


class MOSAIC_OT_set_representation(OnChosen):
    """Draw the selected objects this way"""

    bl_idname = "mosaic.set_representation"
    bl_label = "Representation"
    bl_options = {"REGISTER", "UNDO"}

    representation: EnumProperty(
        name="Representation",
        description="How to draw the objects",
        items=[(name, label, f"Draw the selected objects as {label}") for name, label in LABELS.items()],
    )

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return f"Draw those of the selected objects that offer it as {LABELS[properties.representation]}"

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        objects = self.targets(context)
        passed, troubles = draw_as(objects, self.representation)
        if len(passed) + len(troubles) == len(objects):
            nowhere = f"None of the objects can be drawn as {LABELS[self.representation]}."
            raise MosaicError(" ".join(troubles.values()) or nowhere)
        for trouble in troubles.values():
            self.report({"WARNING"}, trouble)
        if passed:
            self.report({"INFO"}, f"{len(passed)} objects cannot be drawn as {LABELS[self.representation]}")
        return {"FINISHED"}


class MOSAIC_OT_export_selection(OnChosen):
    """Save the selected objects as a session of their own"""

    bl_idname = "mosaic.export_selection"
    bl_label = "Export Selection"
    bl_options = {"INTERNAL"}
    editing = False

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorReturn:
        self.targets(context)
        return bpy.ops.mosaic.export_session("INVOKE_DEFAULT", selection_only=True)


class MOSAIC_OT_show_properties(OnChosen):
    """Show the properties of the selected objects"""

    bl_idname = "mosaic.show_properties"
    bl_label = "Properties"
    bl_options = {"INTERNAL"}
    editing = False

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorReturn:
        self.targets(context)
        return bpy.ops.wm.call_panel("INVOKE_DEFAULT", name="MOSAIC_PT_properties", keep_open=True)


class MOSAIC_MT_representation(bpy.types.Menu):
    """The representations that the selected objects offer"""

    bl_label = "Representation"

    def draw(self, context: bpy.types.Context) -> None:
        objects = _objects(context)[:LISTED]
        shown = {representation_of(obj) for obj in objects}
        offered = {name for obj in objects for name in OFFERED.get(group_of(obj) or "", ())}
        for name, label in LABELS.items():
            if name in offered:
                icon = "RADIOBUT_ON" if shown == {name} else "DOT" if name in shown else "RADIOBUT_OFF"
                entry = self.layout.operator(MOSAIC_OT_set_representation.bl_idname, text=label, icon=icon)
                entry.representation = name


class MOSAIC_MT_objects(bpy.types.Menu):
    """What can be done with the selected objects"""

    bl_label = "Objects"

    def draw(self, context: bpy.types.Context) -> None:
        draw_entries(self.layout, context)
        self.layout.separator()
        for action, text in (("SELECT", "Select All"), ("DESELECT", "Select None"), ("INVERT", "Invert Selection")):
            self.layout.operator("mosaic.select_all", text=text).action = action


def draw_entries(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the entries of Mosaic's own menu, in its order, and some that Mosaic has elsewhere."""
    layout.operator("mosaic.set_visibility", text="Show", icon="HIDE_OFF").visible = True
    layout.operator("mosaic.set_visibility", text="Hide", icon="HIDE_ON").visible = False
    layout.operator("mosaic.isolate")
    layout.separator()
    layout.operator("mosaic.duplicate", icon="DUPLICATE")
    layout.operator("mosaic.remove", icon="X")
    layout.operator("mosaic.rename", text="Rename", icon="GREASEPENCIL")
    layout.operator("mosaic.merge")
    layout.operator("mosaic.surface_to_mesh")
    layout.separator()
    layout.operator("mosaic.group", icon="NEWFOLDER")
    layout.operator("mosaic.ungroup")
    if groups_beside(context):
        layout.menu(MOSAIC_MT_move_to_group.__name__)
    layout.operator("mosaic.move", text="Move to Top").direction = "TOP"
    layout.operator("mosaic.move", text="Move to Bottom").direction = "BOTTOM"
    layout.separator()
    layout.menu(MOSAIC_MT_representation.__name__)
    if items_of(context.scene, KIND):
        layout.menu(MOSAIC_MT_cuts.__name__)
    layout.operator_context = "INVOKE_DEFAULT"
    layout.operator("mosaic.export_selection", icon="EXPORT")
    layout.operator("mosaic.show_properties", icon="PROPERTIES")


def draw_in_button_menu(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    """Add the entries to the menu that Blender opens for a button, if the button is a row of the browser."""
    if target_of(context) is not None:
        menu.layout.separator()
        draw_entries(menu.layout, context)


def _objects(context: bpy.types.Context) -> list[bpy.types.Object]:
    """The objects that the entries act on."""
    item = target_of(context)
    selected = chosen_geometries(context)
    below = objects_below(item) if item is not None else []
    return below if below and not set(below) <= set(selected) else selected


def additions() -> Iterator[Addition]:
    """The entries in the menu that a right click on a row shows."""
    yield menu_entry_added(bpy.types.UI_MT_button_context_menu, draw_in_button_menu, first=True)
