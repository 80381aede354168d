"""What the user sees: operators, menus, drag and drop. Registered in order, unregistered in reverse."""

from typing import Final

import bpy

from ..cli import main
from . import coloring, load, look, volume

CLASSES: Final[tuple[type, ...]] = (
    load.MOSAIC_OT_load_session,
    load.MOSAIC_FH_session,
    volume.MOSAIC_OT_contour_volume,
    volume.MOSAIC_PT_volume,
    coloring.MOSAIC_OT_color_by,
    coloring.MOSAIC_OT_uncolor,
    coloring.MOSAIC_PT_coloring,
    look.MOSAIC_OT_apply_look,
    look.MOSAIC_PT_look,
)

_command = None


def register() -> None:
    """Register everything. When a class fails, those before it are taken back and the error surfaces."""
    global _command
    done: list[type] = []
    try:
        for cls in CLASSES:
            bpy.utils.register_class(cls)
            done.append(cls)
    except Exception:
        for cls in reversed(done):
            bpy.utils.unregister_class(cls)
        raise
    bpy.types.TOPBAR_MT_file_import.append(load.draw_menu)
    _command = bpy.utils.register_cli_command("mosaic", main)


def unregister() -> None:
    """Leave nothing behind."""
    global _command
    if _command is not None:
        bpy.utils.unregister_cli_command(_command)
        _command = None
    bpy.types.TOPBAR_MT_file_import.remove(load.draw_menu)
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
