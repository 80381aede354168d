"""The colours that Mosaic's dialog offers, as buttons."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import bpy
import bpy.utils.previews
from bpy.props import FloatVectorProperty

from ...scene.drawing.appearance import set_base_color
from ...scene.drawing.color_maps import to_scene
from ..additions import Addition
from ..reports import MosaicOperator, OperatorReturn
from ..selection import edited_geometries

# Display values of red, green and blue.
COLORS: Final = {
    "Grey": (0.70, 0.70, 0.70),
    "Red": (0.80, 0.20, 0.20),
    "Blue": (0.20, 0.40, 0.80),
    "Green": (0.45, 0.62, 0.45),
    "Sand": (0.80, 0.70, 0.45),
    "Violet": (0.58, 0.45, 0.62),
}
PIXELS = 32  # along a side of an icon
_icons: Any = None


class MOSAIC_OT_set_base_color(MosaicOperator):
    """Give the selected objects a base colour"""

    bl_idname = "mosaic.set_base_color"
    bl_label = "Set Base Colour"
    bl_options = {"REGISTER", "UNDO"}

    color: FloatVectorProperty(
        name="Colour",
        description="Red, green and blue as Mosaic has them",
        subtype="COLOR_GAMMA",
        default=(0.7, 0.7, 0.7),
        min=0,
        max=1,
    )

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        color = tuple(round(value, 2) for value in properties.color)
        name = next((name for name, known in COLORS.items() if known == color), "this colour")
        return f"Give all selected objects Mosaic's {name.lower()}" if name in COLORS else cls.__doc__ or ""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if any(obj.is_editable for obj in edited_geometries(context)):
            return True
        cls.poll_message_set("Select objects of a session that are not linked from another file")
        return False

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        set_base_color(edited_geometries(context), to_scene(self.color).tolist())
        return {"FINISHED"}


def draw_swatches(layout: bpy.types.UILayout) -> None:
    """Draw a row of buttons, one for each colour."""
    row = layout.row(align=True)
    row.alignment = "RIGHT"
    for name, color in COLORS.items():
        row.operator(MOSAIC_OT_set_base_color.bl_idname, text="", icon_value=_icons[name].icon_id).color = color


def additions() -> Iterator[Addition]:
    """The pictures of the buttons."""
    yield _icons_made()


@contextmanager
def _icons_made() -> Iterator[None]:
    global _icons
    _icons = bpy.utils.previews.new()
    try:
        for name, color in COLORS.items():
            icon = _icons.new(name)
            icon.icon_size = (PIXELS, PIXELS)
            icon.icon_pixels_float = [*color, 1.0] * PIXELS**2
        yield
    finally:
        bpy.utils.previews.remove(_icons)
        _icons = None
