"""The size of the picture in print, as the panel shows it. The scene's own resolution and print width hold it."""

from collections.abc import Iterator
from typing import Any, Final

import bpy
from bpy.props import EnumProperty, FloatProperty, IntProperty, PointerProperty

from ...scene.figures.overlay import print_width, set_print_width
from ...scene.keys import PICTURE
from ...scene.pictures.camera import MAX_PIXELS
from ...scene.pictures.looks import background_of, set_background
from ...scene.pictures.options import BACKGROUNDS
from ..additions import Addition, property_added
from ..reports import MosaicOperator, OperatorReturn
from .look import choose_look, look_items, look_number

INCH: Final = 25.4  # mm
WIDTHS: Final = (("COLUMN", "1 Column", "85 mm wide", 85.0), ("PAGE", "2 Columns", "180 mm wide", 180.0))
NOT_ANIMATABLE: set[Any] = set()


def _dpi(scene: bpy.types.Scene) -> float:
    return scene.render.resolution_x * INCH / print_width(scene)


def _set_size(scene: bpy.types.Scene, width: float, height: float, dpi: float) -> None:
    """Set the size of a scene's picture: width and height in mm, and pixels an inch."""
    set_print_width(scene, width)
    for side, length in (("x", width), ("y", height)):
        setattr(scene.render, f"resolution_{side}", min(max(round(length * dpi / INCH), 4), MAX_PIXELS))
    scene.render.resolution_percentage = 100


def _background(scene: bpy.types.Scene) -> int:
    """The number of a scene's background among BACKGROUNDS."""
    return tuple(BACKGROUNDS).index(background_of(scene))


def _height(scene: bpy.types.Scene) -> float:
    return print_width(scene) * scene.render.resolution_y / scene.render.resolution_x


class MosaicPicture(bpy.types.PropertyGroup):
    """The picture of a scene. All but the active item is a view of the scene's own settings."""

    width: FloatProperty(
        name="Width", description="Of the picture in print, in mm", min=1, max=5000, precision=1,
        get=lambda self: print_width(self.id_data),
        set=lambda self, value: _set_size(self.id_data, value, _height(self.id_data), _dpi(self.id_data)),
        options=NOT_ANIMATABLE,
    )  # fmt: skip
    height: FloatProperty(
        name="Height", description="Of the picture in print, in mm", min=1, max=5000, precision=1,
        get=lambda self: _height(self.id_data),
        set=lambda self, value: _set_size(self.id_data, print_width(self.id_data), value, _dpi(self.id_data)),
        options=NOT_ANIMATABLE,
    )  # fmt: skip
    dpi: FloatProperty(
        name="Dots per Inch", description="Pixels an inch: journals ask for 300 and more", min=1, max=4800, precision=0,
        get=lambda self: _dpi(self.id_data),
        set=lambda self, value: _set_size(self.id_data, print_width(self.id_data), _height(self.id_data), value),
        options=NOT_ANIMATABLE,
    )  # fmt: skip
    background: EnumProperty(
        name="Background", description="Behind the session, from the next look on; at once where the scene has a look",
        items=[(name, name.capitalize(), "") for name in BACKGROUNDS],
        get=lambda self: _background(self.id_data),
        set=lambda self, number: set_background(self.id_data, tuple(BACKGROUNDS)[number]),
        options=NOT_ANIMATABLE,
    )  # fmt: skip
    look: EnumProperty(
        name="Look", description="How the session is lit and drawn, in Cycles and EEVEE", items=look_items,
        get=lambda self: look_number(self.id_data), set=lambda self, number: choose_look(self.id_data, number),
        options=NOT_ANIMATABLE,
    )  # fmt: skip
    active_item: IntProperty(name="Item", description="Of the figure, whose settings are shown", options=NOT_ANIMATABLE)


class MOSAIC_OT_set_print_width(MosaicOperator):
    """Make the picture as wide as a column or page of a journal, with its dots per inch and its shape kept"""

    bl_idname = "mosaic.set_print_width"
    bl_label = "Width in Print"
    bl_options = {"REGISTER", "UNDO"}

    width: EnumProperty(name="Width", items=[entry[:3] for entry in WIDTHS], default="COLUMN")

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        scene = context.scene
        width = next(entry[3] for entry in WIDTHS if entry[0] == self.width)
        shape = _height(scene) / print_width(scene)
        _set_size(scene, width, width * shape, _dpi(scene))
        return {"FINISHED"}


def draw_size(layout: bpy.types.UILayout, scene: bpy.types.Scene) -> None:
    """Draw the size of a scene's picture."""
    picture = scene.mosaic_picture
    row = layout.row(align=True)
    for key, label, _, _ in WIDTHS:
        row.operator(MOSAIC_OT_set_print_width.bl_idname, text=label).width = key
    column = layout.column(align=True)
    column.use_property_split = True
    column.use_property_decorate = False
    for name in ("width", "height"):
        column.prop(picture, name, text=f"{name.capitalize()} (mm)")
    column.prop(picture, "dpi")
    render = scene.render
    layout.label(text=f"{render.resolution_x} x {render.resolution_y} pixels", icon="IMAGE_DATA")


def additions() -> Iterator[Addition]:
    """The picture of each scene."""
    yield property_added(bpy.types.Scene, PICTURE, PointerProperty(type=MosaicPicture, options=NOT_ANIMATABLE))
