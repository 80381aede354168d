"""The panel Filter: draw only the points or faces of the selected objects that a vertex property chooses."""

from collections.abc import Iterator

import bpy
from bpy.props import EnumProperty, StringProperty

from ...scene.compat import ModifierInputs
from ...scene.data.attributes import VERTEX_COLORS
from ...scene.data.vertex_properties import column_attributes, column_texts
from ...scene.drawing.coloring import colorable, drawn_data
from ...scene.drawing.filters import clear_filter, filter_of, modifier_that_filters, set_filter, whole_filter
from ..additions import Addition, state_forgotten
from ..reports import MosaicOperator, OperatorReturn
from ..selection import edited_geometries
from .panel import Part

_items: list[tuple[str, str, str]] = []  # kept, as Blender does not keep the texts of a menu


def _properties(_: object, context: bpy.types.Context | None) -> list[tuple[str, str, str]]:
    objects = edited_geometries(context) if context is not None else []
    names = [name for name in colorable(objects) if name != VERTEX_COLORS]
    _items[:] = [(name, name, "") for name in names] or [("", "No vertex property", "")]
    return _items


class MOSAIC_OT_filter(MosaicOperator):
    """Draw only some points or faces of the selected objects, by a vertex property; nothing is deleted"""

    bl_idname = "mosaic.filter"
    bl_label = "Filter by Property"
    bl_options = {"REGISTER", "UNDO"}
    bl_property = "vertex_property"

    vertex_property: EnumProperty(name="Property", items=_properties)

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        objects = edited_geometries(context)
        set_filter(objects, whole_filter(objects, self.vertex_property))
        return {"FINISHED"}


class MOSAIC_OT_filter_category(MosaicOperator):
    """Draw the points of this category, or draw them not"""

    bl_idname = "mosaic.filter_category"
    bl_label = "Category"
    bl_options = {"REGISTER", "UNDO"}

    category: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        for obj in edited_geometries(context):
            now = filter_of(obj)
            if now is not None:
                others = tuple(each for each in now.categories if each != self.category)
                chosen = others if self.category in now.categories else (*others, self.category)
                set_filter([obj], type(now)(now.property, categories=chosen, invert=now.invert))
        return {"FINISHED"}


class MOSAIC_OT_unfilter(MosaicOperator):
    """Draw all points and faces of the selected objects again"""

    bl_idname = "mosaic.unfilter"
    bl_label = "Remove Filter"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        clear_filter(edited_geometries(context))
        return {"FINISHED"}


class MOSAIC_PT_filter(Part, bpy.types.Panel):
    """Which points or faces are drawn"""

    bl_label = "Filter"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def belongs_to(cls, obj: bpy.types.Object) -> bool:
        return bool(colorable([obj]))

    def draw(self, context: bpy.types.Context) -> None:
        column, _, obj = self.begin(context)
        modifier = modifier_that_filters(obj)
        now = filter_of(obj) if modifier is not None else None
        label = f"By {now.property}" if now is not None else "By Property"
        row = column.row(align=True)
        row.operator_menu_enum(MOSAIC_OT_filter.bl_idname, "vertex_property", text=label)
        if modifier is None or now is None or modifier.node_group is None:
            return
        row.operator(MOSAIC_OT_unfilter.bl_idname, text="", icon="X")
        sockets = ModifierInputs(modifier.node_group)
        texts = _texts(obj, now.property)
        if now.value_range is None and texts:
            grid = column.grid_flow(columns=2, align=True)
            for text in texts:
                chosen = text in now.categories
                grid.operator(MOSAIC_OT_filter_category.bl_idname, text=text, depress=chosen).category = text
        else:
            for name in ("From", "To"):
                sockets.draw(column, modifier, name)
        sockets.draw(column, modifier, "Invert")


def _texts(obj: bpy.types.Object, property: str) -> list[str]:
    """The categories of a vertex property that is text."""
    for data in drawn_data(obj):
        if property in column_attributes(data):
            return list(column_texts(data, property) or ())
    return []


def additions() -> Iterator[Addition]:
    """The items of the menu."""
    yield state_forgotten(_items.clear)
