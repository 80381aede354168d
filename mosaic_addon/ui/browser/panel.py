"""The object browser: the panel "Objects" in the sidebar of the 3D view, after the browser of Mosaic."""

from collections.abc import Iterator

import blf
import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    FloatVectorProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ...scene.drawing.appearance import base_color_of, set_base_color
from ...scene.drawing.representations import FIT, MESH, POINTS, SEGMENTATION, TRAJECTORY, VOLUME, group_of
from ...scene.keys import BROWSER, COLOR, HIDDEN, ITEM
from ...scene.outline.tree import name_of, sessions_in
from ...scene.outline.visibility import is_visible, set_visible
from ..additions import Addition, property_added, state_forgotten
from ..selection import choose, chosen_ids
from .click import MOSAIC_OT_fold, MOSAIC_OT_select_item
from .rows import Rows, is_folded, objects_below, shown_rows, title_of
from .visibility import MOSAIC_OT_isolate, MOSAIC_OT_show_all, MOSAIC_OT_toggle_heading

ICONS = {
    POINTS: "OUTLINER_DATA_POINTCLOUD",
    MESH: "OUTLINER_DATA_MESH",
    FIT: "MESH_UVSPHERE",
    TRAJECTORY: "CURVE_PATH",
    VOLUME: "OUTLINER_DATA_VOLUME",
    SEGMENTATION: "MOD_REMESH",
}
NARROW = 140  # the width of a list below which swatches are left out and rows indented by half
MOST_SPACES = 60  # behind a name
FEWEST_LINES, LINES = 3, 12  # the height of the list, which is that of its rows, until its handle is dragged
# In pixels at interface scale 1: what lies around a row, an icon, and the indentation below a heading.
MARGINS, ICON_WIDTH, INDENT_WIDTH = 92, 20, 14

# Set while the list is drawn, for its rows.
_drawn = Rows()
_drawn_ids: set[int] = set()  # session_uid of the chosen objects
_active = -1  # the row of the active object
_width, _scale = 0.0, 1.0


class MosaicBrowserRow(bpy.types.PropertyGroup):
    """A row of Blender's list. It is empty: its number tells what it shows."""


def _get_active(_: "MosaicBrowser") -> int:
    return _active


def _choose_row(browser: "MosaicBrowser", index: int) -> None:
    """Select what a row stands for, after a click beside its name."""
    items = shown_rows(bpy.context).items
    if index < len(items):
        choose(bpy.context, objects_below(items[index]))


class MosaicBrowser(bpy.types.PropertyGroup):
    """The state of the browser. It holds nothing of the scene."""

    search: StringProperty(
        name="Search",
        description="Show objects and groups whose name contains this",
        options={"TEXTEDIT_UPDATE", "SKIP_SAVE"},
    )
    rows: CollectionProperty(type=MosaicBrowserRow, options={"SKIP_SAVE"})
    active: IntProperty(
        name="Object", description="The active object", get=_get_active, set=_choose_row, options={"SKIP_SAVE"}
    )


class MOSAIC_UL_objects(bpy.types.UIList):
    """The list. Blender draws only the rows that are in sight."""

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: object,
        item: object,
        icon: int,
        active_data: object,
        active_property: str,
        index: int = 0,
        flag: int = 0,
    ) -> None:
        if index >= len(_drawn.items):
            return
        shown, depth = _drawn.items[index], _drawn.depths[index]
        row = layout.row(align=True)
        row.context_pointer_set(ITEM, shown)
        step = INDENT_WIDTH / 2 if _width < NARROW else INDENT_WIDTH
        width = _width - step * depth
        if depth:
            indent = row.row()
            indent.ui_units_x = depth * step / ICON_WIDTH
            indent.label()
        if isinstance(shown, bpy.types.Object):
            _draw_object(row, shown, width, context)
        else:
            _draw_heading(row, shown, index, width, context)

    def draw_filter(self, context: bpy.types.Context, layout: bpy.types.UILayout) -> None:
        layout.prop(context.window_manager.mosaic_browser, "search", text="", icon="VIEWZOOM")

    def filter_items(self, context: bpy.types.Context, data: object, name: str) -> tuple[list[int], list[int]]:
        return [], []  # the rows are filtered and in order


def _draw_name(row: bpy.types.UILayout, text: str, icon: str, selected: bool, width: float) -> None:
    """Draw a name as a button that fills the line. Blender centres the text of buttons; spaces move it to the left."""
    button = row.row(align=True)
    # PULLDOWN_MENU draws a background for what is selected alone, but none in a row that is greyed out.
    button.emboss = "NORMAL" if selected and not row.active else "PULLDOWN_MENU"
    width -= ICON_WIDTH if icon == "NONE" else 1.6 * ICON_WIDTH
    room = width * _scale - blf.dimensions(0, text)[0]
    spaces = int(room / blf.dimensions(0, " ")[0])
    if spaces <= MOST_SPACES:
        text += " " * spaces
        button.operator(MOSAIC_OT_select_item.bl_idname, text=text, icon=icon, depress=selected)
        return
    left = button.row(align=True)  # the sidebar is so wide that the text would get too long for a button
    left.alignment = "LEFT"
    text += " " * (MOST_SPACES * 3 // 4)
    left.operator(MOSAIC_OT_select_item.bl_idname, text=text, icon=icon, depress=selected)
    button.operator(MOSAIC_OT_select_item.bl_idname, text=" ", depress=selected)


def _draw_object(row: bpy.types.UILayout, obj: bpy.types.Object, width: float, context: bpy.types.Context) -> None:
    visible = is_visible(obj, context.view_layer)
    row.active = visible
    icon = ICONS.get(group_of(obj) or "", "OBJECT_DATA")
    icons = 1 if _width < NARROW else 2
    _draw_name(row, name_of(obj), icon, obj.session_uid in _drawn_ids, width - icons * ICON_WIDTH)
    tail = row.row(align=True)
    if icons == 2 and base_color_of(obj) is not None:
        swatch = tail.row()
        swatch.ui_units_x = 0.9
        swatch.prop(obj, COLOR, text="")
    elif icons == 2:
        tail.label(icon="BLANK1")
    tail.prop(obj, HIDDEN, text="", icon="HIDE_OFF" if visible else "HIDE_ON", emboss=False)


def _draw_heading(
    row: bpy.types.UILayout, heading: bpy.types.Collection, index: int, width: float, context: bpy.types.Context
) -> None:
    folded = is_folded(heading)
    row.operator(MOSAIC_OT_fold.bl_idname, text="", icon="RIGHTARROW" if folded else "DOWNARROW_HLT", emboss=False)
    count = _drawn.counts.get(index)
    text = f"{title_of(heading)} ({count})" if count else title_of(heading)
    objects = _drawn.below[index]
    selected = bool(objects) and all(obj.session_uid in _drawn_ids for obj in objects)
    _draw_name(row, text, "NONE", selected, width - 2 * ICON_WIDTH)
    tail = row.row(align=True)
    if objects:
        visible = any(is_visible(obj, context.view_layer) for obj in objects)
        icon = "HIDE_OFF" if visible else "HIDE_ON"
        tail.operator(MOSAIC_OT_toggle_heading.bl_idname, text="", icon=icon, emboss=False)
    else:
        tail.label(icon="BLANK1")


class MOSAIC_PT_objects(bpy.types.Panel):
    """The objects of all sessions in the scene"""

    bl_label = "Objects"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Mosaic"
    bl_order = 1

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(sessions_in(context.scene))

    def draw(self, context: bpy.types.Context) -> None:
        global _drawn, _drawn_ids, _active, _width, _scale
        browser = context.window_manager.mosaic_browser
        layout = self.layout
        row = layout.row(align=True)
        row.prop(browser, "search", text="", icon="VIEWZOOM")
        row.menu("MOSAIC_MT_objects", text="", icon="DOWNARROW_HLT")
        _drawn, _drawn_ids = shown_rows(context), chosen_ids(context)
        active = context.view_layer.objects.active
        _active = _drawn.index_of(active) if active is not None and active.session_uid in _drawn_ids else -1
        _scale = context.preferences.system.ui_scale
        _width = _list_width(context) + (ICON_WIDTH if len(_drawn.items) <= LINES else 0)  # no scroll bar
        _fit(browser.rows, len(_drawn.items))
        lines = min(max(len(_drawn.items), FEWEST_LINES), LINES)
        try:
            layout.template_list(
                MOSAIC_UL_objects.__name__, "", browser, "rows", browser, "active", rows=lines, sort_lock=True
            )
        finally:
            _drawn, _drawn_ids = Rows(), set()
        _draw_foot(layout)


def _list_width(context: bpy.types.Context) -> float:
    """Return how wide a row's name and icons may be, in pixels at interface scale 1."""
    blf.size(0, context.preferences.ui_styles[0].widget.points * _scale)
    view = context.region.view2d
    (left, _), (right, _) = view.region_to_view(0, 0), view.region_to_view(context.region.width, 0)
    return (right - left) / _scale - MARGINS


def _draw_foot(layout: bpy.types.UILayout) -> None:
    row = layout.row(align=True)
    row.operator(MOSAIC_OT_isolate.bl_idname, text="Isolate")
    row.operator(MOSAIC_OT_show_all.bl_idname, text="Show All")
    row = layout.row()
    group = row.row(align=True)
    group.operator("mosaic.group", icon="NEWFOLDER")
    group.operator("mosaic.ungroup", text="Ungroup")
    move = row.row(align=True)
    move.operator("mosaic.move", text="", icon="TRIA_UP").direction = "UP"
    move.operator("mosaic.move", text="", icon="TRIA_DOWN").direction = "DOWN"
    row.operator("mosaic.remove", text="", icon="TRASH")


def _fit(rows: bpy.types.bpy_prop_collection, count: int) -> None:
    """Give Blender's list as many rows as there are. Adding a row takes less than a microsecond."""
    if len(rows) > count:
        rows.clear()
    for _ in range(count - len(rows)):
        rows.add()


# --- properties of objects, so that Blender's own buttons in a row edit them, and undo works -------------------------


def _get_color(obj: bpy.types.Object) -> tuple[float, ...]:
    return base_color_of(obj) or (0.0, 0.0, 0.0)


def _set_color(obj: bpy.types.Object, color: tuple[float, ...]) -> None:
    set_base_color([obj], color)


def _get_hidden(obj: bpy.types.Object) -> bool:
    return not is_visible(obj, bpy.context.view_layer)


def _set_hidden(obj: bpy.types.Object, hidden: bool) -> None:
    set_visible([obj], not hidden, bpy.context.view_layer)


def _forget() -> None:
    global _drawn, _drawn_ids, _active, _width, _scale
    _drawn, _drawn_ids, _active, _width, _scale = Rows(), set(), -1, 0.0, 1.0


def additions() -> Iterator[Addition]:
    """The state of the browser, and properties of objects that only show Blender's own data. None of them is saved."""
    yield state_forgotten(_forget)
    yield property_added(bpy.types.WindowManager, BROWSER, PointerProperty(type=MosaicBrowser))
    color = FloatVectorProperty(
        name="Colour", description="Base colour of the object", subtype="COLOR", min=0, max=1,
        get=_get_color, set=_set_color,
    )  # fmt: skip
    yield property_added(bpy.types.Object, COLOR, color)
    hidden = BoolProperty(
        name="Hidden", description="Hide the object, also in pictures. Drag over several eyes to change them all",
        get=_get_hidden, set=_set_hidden,
    )  # fmt: skip
    yield property_added(bpy.types.Object, HIDDEN, hidden)
