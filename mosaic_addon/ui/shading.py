"""The shading of a 3D view, and the line that says what it does not show."""

from typing import Any

import bpy

from ..scene.pictures.former import has_look
from .reports import MosaicOperator, OperatorReturn

WITHOUT_MATERIALS = ("SOLID", "WIREFRAME")
TRUE_COLORS = ("Standard", "Raw")


class MOSAIC_OT_show_materials(MosaicOperator):
    """Switch this 3D view to Material Preview, which shows looks and what objects are coloured by"""

    bl_idname = "mosaic.show_materials"
    bl_label = "Material Preview"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _shading_of(context) is not None

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        _shading_of(context).type = "MATERIAL"
        return {"FINISHED"}


def draw_what_is_not_shown(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Say with a button that the view shows no materials, or shows them in other colours."""
    shading, transform = _shading_of(context), context.scene.view_settings.view_transform
    if shading is None:
        return
    if shading.type in WITHOUT_MATERIALS:
        row = layout.row(align=True)
        row.label(text=f"Not in {shading.type.capitalize()}", icon="INFO")
        row.operator(MOSAIC_OT_show_materials.bl_idname, icon="SHADING_TEXTURE")
    elif transform not in TRUE_COLORS and not has_look(context.scene):
        layout.label(text=f"{transform} mutes colours; a look does not", icon="INFO")


def _shading_of(context: bpy.types.Context) -> Any:
    """Return the shading of the 3D view that a panel is drawn in, None elsewhere."""
    return getattr(context.space_data, "shading", None)
