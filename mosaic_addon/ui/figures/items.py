"""What is drawn for a figure beside the session: the operators that add and remove it, and its list with settings."""

from collections.abc import Callable
from typing import Any, Final

import bpy
from bpy.props import EnumProperty, StringProperty

from ...scene.drawing.ink import INK
from ...scene.drawing.materials import material_of
from ...scene.figures import axes, color_key, cuts, labels, overlay, scale_bar
from ...scene.keys import FIGURE
from ...scene.outline.tree import objects_of
from ...session import MosaicError
from ..reports import MosaicOperator, OperatorReturn
from ..selection import chosen_geometries
from .cuts import draw_add_cut, draw_cut, session_of_figure

Color = tuple[float, float, float]
ICONS: Final = {
    scale_bar.KIND: "ARROW_LEFTRIGHT",
    color_key.KIND: "COLOR",
    color_key.LEGEND: "LINENUMBERS_ON",
    labels.KIND: "BOOKMARKS",
    labels.TEXT: "FILE_FONT",
    axes.KIND: "EMPTY_AXIS",
    axes.BOX: "CUBE",
    cuts.KIND: "MOD_BOOLEAN",
}
CORNERS: Final = {
    "Upper Left": (-1.0, 1.0), "Upper Right": (1.0, 1.0), "Lower Left": (-1.0, -1.0), "Lower Right": (1.0, -1.0),
}  # fmt: skip
# Inputs that the scene, the camera or Python sets.
HIDDEN: Final = (
    "Picture Width", "Picture Height", "View Width", "Shift X", "Shift Y", "Low", "High", "Middle", "Session", "Halo",
    "Place", "Swatch ", "Material",
)  # fmt: skip


def _scale_bar(context: bpy.types.Context, color: Color) -> bpy.types.Object:
    return scale_bar.add_scale_bar(context.scene, session_of_figure(context), scale_bar.ScaleBar(color=color))


def _color_key(context: bpy.types.Context, color: Color) -> bpy.types.Object:
    objects = chosen_geometries(context) or list(objects_of(session_of_figure(context)))
    return color_key.add_color_key(context.scene, objects, color_key.ColorKey(color=color))


def _legend(context: bpy.types.Context, color: Color) -> bpy.types.Object:
    visible = [obj for obj in objects_of(session_of_figure(context)) if not obj.hide_render]
    objects = chosen_geometries(context) or visible
    return color_key.add_legend(context.scene, objects, color_key.ColorKey(across=-1.0, color=color))


def _label(context: bpy.types.Context, color: Color) -> bpy.types.Object:
    return labels.add_label(context.scene, chosen_geometries(context), labels.Label(color=color))


def _axes(context: bpy.types.Context, color: Color) -> bpy.types.Object:
    return axes.add_axes(context.scene, session_of_figure(context), axes.Axes(color=color))


def _bounding_box(context: bpy.types.Context, color: Color) -> bpy.types.Object:
    return axes.add_bounding_box(context.scene, session_of_figure(context))


ADD: Final[dict[str, tuple[str, str, Callable[[bpy.types.Context, Color], bpy.types.Object]]]] = {
    scale_bar.KIND: ("Scale Bar", "A length that is right at the distance of the session's middle", _scale_bar),
    color_key.KIND: ("Colour Key", "What the colours of the selected objects mean", _color_key),
    color_key.LEGEND: ("Legend", "The colours and names of the selected objects, or of all that are shown", _legend),
    labels.KIND: ("Label", "The name of the selected objects, with a line to their middle", _label),
    axes.KIND: ("Axes", "The session's x, y and z", _axes),
    axes.BOX: ("Bounding Box", "The tomogram's box, with ticks", _bounding_box),
}


class MOSAIC_OT_add_to_figure(MosaicOperator):
    """Draw something beside the session"""

    bl_idname = "mosaic.add_to_figure"
    bl_label = "Add to Figure"
    bl_options = {"REGISTER", "UNDO"}

    kind: EnumProperty(
        name="Add", items=[(kind, label, tip) for kind, (label, tip, _) in ADD.items()], default=scale_bar.KIND
    )

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return ADD[properties.kind][1]

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        item = ADD[self.kind][2](context, _readable_ink(context.scene))
        _show_settings(context.scene, item)
        return {"FINISHED"}


class MOSAIC_OT_add_text(MosaicOperator):
    """Write a text into the picture, such as a title or the letter of a panel"""

    bl_idname = "mosaic.add_text"
    bl_label = "Text"
    bl_options = {"REGISTER", "UNDO"}

    text: StringProperty(name="Text", default="A")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorReturn:
        return context.window_manager.invoke_props_dialog(self)

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        text = labels.PictureText(self.text, color=_readable_ink(context.scene))
        _show_settings(context.scene, labels.add_text(context.scene, text))
        return {"FINISHED"}


class _OfItem(MosaicOperator):
    """Base class of the operators of an item of the figure."""

    bl_options = {"REGISTER", "UNDO"}

    item: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def found(self, context: bpy.types.Context) -> bpy.types.Object:
        """Return the item. Raises MosaicError where it is gone."""
        item = next((obj for obj in overlay.items_of(context.scene) if obj.name == self.item), None)
        if item is None:
            raise MosaicError(f"There is no {self.item!r} in the figure any more.")
        return item


class MOSAIC_OT_remove_from_figure(_OfItem):
    """Remove it from the figure; nothing of the session changes"""

    bl_idname = "mosaic.remove_from_figure"
    bl_label = "Remove from Figure"

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        item = self.found(context)
        (cuts.remove_cut if FIGURE.read(item) == cuts.KIND else overlay.remove_item)(item)
        return {"FINISHED"}


class MOSAIC_OT_show_in_figure(_OfItem):
    """Show or hide it, in the view and in the picture"""

    bl_idname = "mosaic.show_in_figure"
    bl_label = "Show or Hide"

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        item = self.found(context)
        if FIGURE.read(item) == cuts.KIND:
            cuts.refresh(context.scene)
            cuts.show_cut(item, item.hide_render)
            return {"FINISHED"}
        item.hide_render = not item.hide_render
        item.hide_viewport = item.hide_render
        return {"FINISHED"}


class MOSAIC_OT_place_in_figure(_OfItem):
    """Put it into this corner of the picture"""

    bl_idname = "mosaic.place_in_figure"
    bl_label = "Corner"

    corner: EnumProperty(name="Corner", items=[(name, name, "") for name in CORNERS])

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        across, up = CORNERS[self.corner]
        overlay.set_item(self.found(context), {"Across": across, "Up": up})
        return {"FINISHED"}


class MOSAIC_OT_follow_camera(MosaicOperator):
    """Bring what lies before another camera before that of the scene. Render and Save does so by itself; an animation whose markers switch cameras does not"""  # fmt: skip

    bl_idname = "mosaic.follow_camera"
    bl_label = "Bring Here"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        overlay.follow_camera(context.scene)
        return {"FINISHED"}


class MOSAIC_UL_figure(bpy.types.UIList):
    """What is drawn beside the session"""

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: Any,
        item: Any,
        icon: int,
        active_data: Any,
        active_property: str,
        index: int = 0,
        flt_flag: int = 0,
    ) -> None:
        row = layout.row(align=True)
        row.active = not item.hide_render
        row.prop(item, "name", text="", emboss=False, icon=ICONS.get(FIGURE.read(item) or "", "MOD_BOOLEAN"))
        eye: Any = "HIDE_ON" if item.hide_render else "HIDE_OFF"
        row.operator(MOSAIC_OT_show_in_figure.bl_idname, text="", icon=eye, emboss=False).item = item.name
        row.operator(MOSAIC_OT_remove_from_figure.bl_idname, text="", icon="X", emboss=False).item = item.name

    def filter_items(self, context: bpy.types.Context, data: Any, property: str) -> tuple[list[int], list[int]]:
        """Leave out the plane on which items lie."""
        shown = self.bitflag_filter_item
        flags = [0 if FIGURE.read(obj) in (None, overlay.OVERLAY) else shown for obj in getattr(data, property)]
        return flags, []


def draw_items(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the buttons that add to the figure, its list, and the settings of the active item."""
    grid = layout.grid_flow(columns=2, align=True, even_columns=True)
    for kind, (label, _, _) in ADD.items():
        icon: Any = ICONS[kind]
        grid.operator(MOSAIC_OT_add_to_figure.bl_idname, text=label, icon=icon).kind = kind
    grid.operator(MOSAIC_OT_add_text.bl_idname, icon="FILE_FONT")
    draw_add_cut(layout)
    if not overlay.items_of(context.scene):
        return
    if overlay.lies_elsewhere(context.scene):
        row = layout.row(align=True)
        row.label(text="Before another camera", icon="INFO")
        row.operator(MOSAIC_OT_follow_camera.bl_idname)
    collection, picture = overlay.figure_collection(context.scene), context.scene.mosaic_picture
    layout.template_list("MOSAIC_UL_figure", "", collection, "objects", picture, "active_item", rows=3, maxrows=8)
    objects = collection.objects
    if picture.active_item < len(objects):
        _draw_settings(layout, objects[picture.active_item])


def _draw_settings(layout: bpy.types.UILayout, item: bpy.types.Object) -> None:
    """Draw what an item is set to: the inputs of its modifier, and its ink; or what a cut does."""
    if FIGURE.read(item) == cuts.KIND:
        draw_cut(layout, item)
    if not item.modifiers:
        return
    modifier, sockets = overlay.drawing_of(item)
    if "Across" in sockets:
        now = tuple(sockets.several(modifier, ("Across", "Up")))
        grid = layout.grid_flow(row_major=True, columns=2, align=True, even_columns=True)
        for corner, place in CORNERS.items():
            button = grid.operator(MOSAIC_OT_place_in_figure.bl_idname, text=corner, depress=now == place)
            button.item, button.corner = item.name, corner
    column = layout.column()
    column.use_property_split = True
    column.use_property_decorate = False
    for name in sockets:
        if not name.startswith(HIDDEN):
            sockets.draw(column, modifier, name)
    material = material_of(item)
    node = material.node_tree.nodes.get(INK) if material is not None and material.node_tree is not None else None
    if node is not None:
        column.prop(node.inputs["Color"], "default_value", text="Colour")


def picture_name(context: bpy.types.Context) -> str:
    """Return where a picture is saved unless the user says otherwise: beside the .blend, named as the session."""
    return (
        f"//{bpy.path.clean_name(session_of_figure(context).name)}.png"
        if bpy.data.filepath
        else session_of_figure(context).name + ".png"
    )


def _readable_ink(scene: bpy.types.Scene) -> Color:
    """Black, or white on a dark background."""
    color = scene.world.color if scene.world is not None else (1.0, 1.0, 1.0)
    is_dark = sum(color) < 0.6 and not scene.render.film_transparent
    return (1.0, 1.0, 1.0) if is_dark else (0.0, 0.0, 0.0)


def _show_settings(scene: bpy.types.Scene, item: bpy.types.Object) -> None:
    """Make an item the active one of the list."""
    objects = overlay.figure_collection(scene).objects[:]
    scene.mosaic_picture.active_item = objects.index(item)
