"""What the user sees: operators, menus, drag and drop. Registered in order, unregistered in reverse."""

from typing import Final

import bpy

from ..cli import main
from ..scene.drawing.facts import start_watching, stop_watching
from . import keymap, preferences
from .browser import click as browser_click
from .browser import menu as browser_menu
from .browser import panel as browser
from .browser import rename as browser_rename
from .browser import search as browser_search
from .browser import structure as browser_structure
from .browser import visibility as browser_visibility
from .editors import coloring, look, volume
from .properties import information, properties, swatches
from .properties import panel as properties_panel
from .session import load, opening, save, unsaved
from .session import panel as session_panel

CLASSES: Final[tuple[type, ...]] = (
    load.MOSAIC_OT_load_session,
    load.MOSAIC_FH_session,
    opening.MOSAIC_OT_open_in_steps,
    opening.MOSAIC_OT_discard_and_load,
    opening.MOSAIC_OT_reload_session,
    opening.MOSAIC_OT_close_session,
    save.MOSAIC_OT_save_session,
    save.MOSAIC_OT_save_session_as,
    save.MOSAIC_OT_export_session,
    session_panel.MOSAIC_OT_activate_session,
    session_panel.MOSAIC_PT_session,
    volume.MOSAIC_OT_contour_volume,
    volume.MOSAIC_PT_volume,
    coloring.MOSAIC_OT_color_by,
    coloring.MOSAIC_OT_uncolor,
    coloring.MOSAIC_PT_coloring,
    look.MOSAIC_OT_apply_look,
    look.MOSAIC_PT_look,
    browser_click.MOSAIC_OT_select_item,
    browser_click.MOSAIC_OT_select_all,
    browser_click.MOSAIC_OT_fold,
    browser_visibility.MOSAIC_OT_set_visibility,
    browser_visibility.MOSAIC_OT_toggle_visibility,
    browser_visibility.MOSAIC_OT_toggle_heading,
    browser_visibility.MOSAIC_OT_isolate,
    browser_visibility.MOSAIC_OT_hide_unselected,
    browser_visibility.MOSAIC_OT_show_all,
    browser_rename.MOSAIC_OT_rename_item,
    browser_rename.MOSAIC_PT_rename,
    browser_rename.MOSAIC_OT_rename,
    browser_structure.MOSAIC_OT_duplicate,
    browser_structure.MOSAIC_OT_remove,
    browser_structure.MOSAIC_OT_group,
    browser_structure.MOSAIC_OT_ungroup,
    browser_structure.MOSAIC_OT_move_to_group,
    browser_structure.MOSAIC_OT_move,
    browser_structure.MOSAIC_OT_merge,
    browser_structure.MOSAIC_MT_move_to_group,
    browser_menu.MOSAIC_OT_set_representation,
    browser_menu.MOSAIC_OT_export_selection,
    browser_menu.MOSAIC_OT_show_properties,
    browser_menu.MOSAIC_MT_representation,
    browser_menu.MOSAIC_MT_objects,
    browser_search.MOSAIC_OT_search_objects,
    browser_search.MOSAIC_PT_search,
    browser.MosaicBrowserRow,
    browser.MosaicBrowser,
    browser.MOSAIC_UL_objects,
    browser.MOSAIC_PT_objects,
    preferences.MosaicPreferences,
    swatches.MOSAIC_OT_set_base_color,
    properties.MosaicProperties,
    properties_panel.MOSAIC_OT_reset_appearance,
    properties_panel.MOSAIC_MT_color_property,
    properties_panel.MOSAIC_PT_properties,
    properties_panel.MOSAIC_PT_color_by,
    properties_panel.MOSAIC_PT_volume_properties,
    properties_panel.MOSAIC_PT_trajectory,
    properties_panel.MOSAIC_PT_lighting,
    properties_panel.MOSAIC_PT_sampling,
    information.MOSAIC_PT_information,
    information.MOSAIC_PT_vertex_properties,
    information.MOSAIC_PT_meta,
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
    browser.add_properties()
    browser_rename.add_properties()
    browser_menu.add_menu()
    properties.add_properties()
    swatches.load_icons()
    keymap.add_hotkeys()
    start_watching()
    unsaved.start_looking()
    session_panel.add_pictures()
    bpy.types.TOPBAR_MT_file_import.append(load.draw_menu)
    bpy.types.TOPBAR_MT_file_export.append(save.draw_menu)
    _command = bpy.utils.register_cli_command("mosaic", main)


def unregister() -> None:
    """Leave nothing behind."""
    global _command
    if _command is not None:
        bpy.utils.unregister_cli_command(_command)
        _command = None
    bpy.types.TOPBAR_MT_file_export.remove(save.draw_menu)
    bpy.types.TOPBAR_MT_file_import.remove(load.draw_menu)
    session_panel.free_pictures()
    unsaved.stop_looking()
    stop_watching()
    keymap.remove_hotkeys()
    swatches.free_icons()
    properties.remove_properties()
    browser_menu.remove_menu()
    browser_rename.remove_properties()
    browser.remove_properties()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
