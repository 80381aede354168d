"""Renaming: one object or group in a popup, as by F2, or many by find and replace or by a template, as in Mosaic."""

from collections.abc import Iterator

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from ...scene.keys import ITEM, LABEL
from ...scene.outline.naming import numbered, rename, replaced
from ...scene.outline.tree import Item, name_of, sessions_in
from ...session import MosaicError
from ..additions import Addition, property_added, state_forgotten
from ..reports import MosaicOperator, OperatorReturn
from .rows import kind_of
from .targets import LINKED, OnChosen, target_of

_renamed = 0  # session_uid of the item in the popup


class MOSAIC_OT_rename_item(MosaicOperator):
    """Give the object or group another name"""

    bl_idname = "mosaic.rename_item"
    bl_label = "Rename"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        item = target_of(context) or context.object
        if item is None:
            return False
        if kind_of(item) == "container":
            cls.poll_message_set("Clusters and Models are always called so")
            return False
        if not item.is_editable:
            cls.poll_message_set(LINKED)
            return False
        return True

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        ask_for_name((target_of(context) or context.object).session_uid)
        return {"FINISHED"}


def ask_for_name(session_uid: int) -> None:
    """Open the popup in which an object, group or session gets another name."""
    global _renamed
    _renamed = session_uid
    bpy.ops.wm.call_panel("INVOKE_DEFAULT", name=MOSAIC_PT_rename.__name__, keep_open=False)


class MOSAIC_PT_rename(bpy.types.Panel):
    """The popup with the name of one row"""

    bl_label = "Rename"
    bl_space_type = "TOPBAR"
    bl_region_type = "HEADER"
    bl_options = {"INSTANCED"}
    bl_ui_units_x = 14

    def draw(self, context: bpy.types.Context) -> None:
        item = _item(context.scene)
        row = self.layout.row()
        if item is None:
            row.label(text="It is gone")
        elif kind_of(item) == "container":
            row.label(text="Clusters and Models are always called so")
        elif not item.is_editable:
            row.label(text=LINKED)
        else:
            row.label(text=f"{kind_of(item).capitalize()} Name")
            row = self.layout.row()
            row.activate_init = True
            row.prop(item, LABEL, text="")


def _item(scene: bpy.types.Scene) -> Item | None:
    for session in sessions_in(scene):
        for item in (session, *session.children_recursive, *session.all_objects):
            if item.session_uid == _renamed:
                return item
    return None


class MOSAIC_OT_rename(OnChosen):
    """Rename all selected objects: find and replace, or by a template with numbers"""

    bl_idname = "mosaic.rename"
    bl_label = "Rename"
    bl_options = {"REGISTER", "UNDO"}

    mode: EnumProperty(
        name="Mode",
        description="How the new names are made",
        items=(
            ("REPLACE", "Replace", "Find and replace within the names"),
            ("FORMAT", "Format", "Make the names by a template"),
        ),
    )
    find: StringProperty(name="Find", description="Text to find")
    replacement: StringProperty(name="Replace", description="What to put instead; nothing deletes the text")
    case_sensitive: BoolProperty(name="Case Sensitive", description="Tell capitals from small letters", default=True)
    regular_expression: BoolProperty(
        name="Regular Expression", description="The text to find is a regular expression of Python", default=False
    )
    template: StringProperty(
        name="Template",
        description="{name} is the old name, {i} the number in the order of the list, {i:03} that with three digits",
        default="{name}",
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorReturn:
        objects = self.targets(context)
        if len(objects) == 1:
            with context.temp_override(**{ITEM: objects[0]}):
                return bpy.ops.mosaic.rename_item()
        return context.window_manager.invoke_props_dialog(self, width=360, confirm_text="Rename")

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.row().prop(self, "mode", expand=True)
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        if self.mode == "REPLACE":
            row = column.row()
            row.activate_init = True  # typing begins there
            row.prop(self, "find")
            column.prop(self, "replacement")
            column.prop(self, "case_sensitive")
            column.prop(self, "regular_expression")
        else:
            column.prop(self, "template")
            column.label(text="{name} = original, {i} = number, {i:03} = zero-padded")
        self._draw_preview(layout, context)

    def _draw_preview(self, layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
        try:
            old = [name_of(obj) for obj in self.targets(context)]
            new = self._names(old)
        except MosaicError as error:
            layout.label(text=str(error), icon="ERROR")
            return
        changed = [number for number, name in enumerate(new) if name != old[number]]
        if changed:
            layout.label(text=f"Example: {old[changed[0]]}  \u2192  {new[changed[0]]}")
        layout.label(text=f"{len(changed)} of {len(old)} names change")

    def _names(self, names: list[str]) -> list[str]:
        if self.mode == "FORMAT":
            return numbered(names, self.template)
        return replaced(names, self.find, self.replacement, self.case_sensitive, self.regular_expression)

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        objects = self.targets(context)
        names = self._names([name_of(obj) for obj in objects])
        if not all(name.strip() for name in names):
            raise MosaicError("A name cannot be empty.")
        for obj, name in zip(objects, names, strict=True):
            if name != name_of(obj):
                rename(obj, name)
        return {"FINISHED"}


def _get_label(item: Item) -> str:
    return name_of(item)


def _set_label(item: Item, name: str) -> None:
    if name.strip():  # an empty name changes nothing, as in Blender
        rename(item, name)


def _forget() -> None:
    global _renamed
    _renamed = 0


def additions() -> Iterator[Addition]:
    """Mosaic's name as a property of objects and groups, so that a text field edits it and Ctrl+Z takes that back."""
    yield state_forgotten(_forget)
    for owner in (bpy.types.Object, bpy.types.Collection):
        label = StringProperty(name="Name", description="Name as Mosaic shows it", get=_get_label, set=_set_label)
        yield property_added(owner, LABEL, label)
