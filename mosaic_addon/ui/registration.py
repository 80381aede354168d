"""All that the extension adds to Blender, in order. It is taken back in reverse, also if adding fails half-way."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

import bpy

from ..cli import main
from . import keymap, preferences, selection, shading, sidebar, steps
from .additions import Addition, class_added
from .browser import click as browser_click
from .browser import cuts as browser_cuts
from .browser import menu as browser_menu
from .browser import panel as browser_panel
from .browser import rename as browser_rename
from .browser import rows as browser_rows
from .browser import search as browser_search
from .browser import structure as browser_structure
from .browser import visibility as browser_visibility
from .editors import coloring, volume
from .figures import camera, cuts, items, look, picture
from .figures import panel as figure_panel
from .figures import recipe as figure_recipe
from .figures import render as figure_render
from .films import panel as film_panel
from .films import shots as film_shots
from .properties import filters, information, own_shapes, properties, swatches
from .properties import panel as properties_panel
from .session import follow, load, opening, reload, save, unsaved, view
from .session import panel as session_panel
from .tomograms import look as tomogram_look
from .tomograms import panel as tomogram_panel
from .tomograms import reading as tomogram_reading
from .tomograms import slices as tomogram_slices

CLASSES: Final[tuple[type, ...]] = (
    load.MOSAIC_OT_load_session,
    load.MOSAIC_FH_session,
    opening.MOSAIC_OT_open_in_steps,
    opening.MOSAIC_OT_discard_and_load,
    reload.MOSAIC_OT_reload_session,
    opening.MOSAIC_OT_close_session,
    save.MOSAIC_OT_save_session,
    save.MOSAIC_OT_save_session_as,
    save.MOSAIC_OT_export_session,
    session_panel.MOSAIC_OT_activate_session,
    view.MOSAIC_OT_frame_session,
    session_panel.MOSAIC_PT_session,
    volume.MOSAIC_OT_contour_volume,
    volume.MOSAIC_PT_volume,
    coloring.MOSAIC_OT_color_by,
    coloring.MOSAIC_OT_uncolor,
    coloring.MOSAIC_PT_coloring,
    shading.MOSAIC_OT_show_materials,
    camera.MOSAIC_OT_frame_camera,
    cuts.MOSAIC_OT_add_cut,
    cuts.MOSAIC_OT_set_cut,
    browser_cuts.MOSAIC_OT_spare_from_cut,
    browser_cuts.MOSAIC_MT_cuts,
    items.MOSAIC_OT_add_to_figure,
    items.MOSAIC_OT_add_text,
    items.MOSAIC_OT_remove_from_figure,
    items.MOSAIC_OT_show_in_figure,
    items.MOSAIC_OT_follow_camera,
    items.MOSAIC_OT_place_in_figure,
    items.MOSAIC_UL_figure,
    picture.MosaicPicture,
    picture.MOSAIC_OT_set_print_width,
    figure_panel.MOSAIC_PT_figure,
    figure_panel.MOSAIC_PT_figure_items,
    figure_panel.MOSAIC_PT_figure_size,
    figure_render.MOSAIC_OT_render_figure,
    figure_recipe.MOSAIC_OT_write_recipe,
    figure_panel.MOSAIC_PT_figure_render,
    film_shots.MOSAIC_OT_add_turntable,
    film_shots.MOSAIC_OT_add_trajectory_shot,
    film_shots.MOSAIC_OT_remove_shot,
    film_panel.MOSAIC_PT_film,
    tomogram_reading.MOSAIC_OT_open_tomogram,
    tomogram_reading.MOSAIC_OT_read_tomogram_again,
    tomogram_reading.MOSAIC_OT_read_tomogram_in_steps,
    tomogram_reading.MOSAIC_FH_tomogram,
    tomogram_slices.MosaicSlice,
    tomogram_slices.MOSAIC_OT_add_slice,
    tomogram_slices.MOSAIC_OT_choose_slice,
    tomogram_slices.MOSAIC_OT_show_slice,
    tomogram_slices.MOSAIC_OT_remove_slice,
    tomogram_slices.MOSAIC_OT_show_full_slice,
    tomogram_slices.MOSAIC_OT_cut_at_slice,
    tomogram_look.MosaicTomogram,
    tomogram_look.MOSAIC_OT_choose_tomogram,
    tomogram_look.MOSAIC_OT_fit_contrast,
    tomogram_look.MOSAIC_OT_remove_tomogram,
    tomogram_look.MOSAIC_OT_wear_tomogram,
    tomogram_look.MOSAIC_OT_keep_density,
    tomogram_panel.MOSAIC_PT_tomogram,
    tomogram_panel.MOSAIC_PT_tomogram_slices,
    tomogram_panel.MOSAIC_PT_tomogram_look,
    tomogram_panel.MOSAIC_PT_tomogram_surfaces,
    browser_click.MOSAIC_OT_select_item,
    browser_click.MOSAIC_OT_select_all,
    browser_click.MOSAIC_OT_fold,
    browser_visibility.MOSAIC_OT_set_visibility,
    browser_visibility.MOSAIC_OT_toggle_visibility,
    browser_visibility.MOSAIC_OT_toggle_heading,
    browser_visibility.MOSAIC_OT_isolate,
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
    browser_structure.MOSAIC_OT_surface_to_mesh,
    browser_structure.MOSAIC_MT_move_to_group,
    browser_menu.MOSAIC_OT_set_representation,
    browser_menu.MOSAIC_OT_export_selection,
    browser_menu.MOSAIC_OT_show_properties,
    browser_menu.MOSAIC_MT_representation,
    browser_menu.MOSAIC_MT_objects,
    browser_search.MOSAIC_OT_search_objects,
    browser_search.MOSAIC_PT_search,
    browser_panel.MosaicBrowserRow,
    browser_panel.MosaicBrowser,
    browser_panel.MOSAIC_UL_objects,
    browser_panel.MOSAIC_PT_objects,
    preferences.MosaicPreferences,
    swatches.MOSAIC_OT_set_base_color,
    properties.MosaicProperties,
    properties_panel.MOSAIC_OT_reset_appearance,
    properties_panel.MOSAIC_OT_remake_membrane,
    properties_panel.MOSAIC_MT_color_property,
    properties_panel.MOSAIC_PT_properties,
    properties_panel.MOSAIC_PT_color_by,
    filters.MOSAIC_OT_filter,
    filters.MOSAIC_OT_filter_category,
    filters.MOSAIC_OT_unfilter,
    filters.MOSAIC_PT_filter,
    own_shapes.MOSAIC_OT_set_own_shape,
    own_shapes.MOSAIC_OT_clear_own_shape,
    own_shapes.MOSAIC_PT_own_shape,
    properties_panel.MOSAIC_PT_volume_properties,
    properties_panel.MOSAIC_PT_membrane,
    properties_panel.MOSAIC_PT_trajectory,
    properties_panel.MOSAIC_PT_lighting,
    properties_panel.MOSAIC_PT_sampling,
    information.MOSAIC_PT_information,
    information.MOSAIC_PT_vertex_properties,
    information.MOSAIC_PT_meta,
)
# Modules that add more than classes, or remember something. Their function `additions` yields it piece by piece.
FEATURES: Final = (
    browser_panel,
    browser_rename,
    browser_rows,
    browser_menu,
    coloring,
    filters,
    figure_render,
    follow,
    information,
    keymap,
    load,
    look,
    opening,
    picture,
    properties,
    save,
    selection,
    session_panel,
    sidebar,
    steps,
    swatches,
    tomogram_look,
    tomogram_panel,
    tomogram_reading,
    tomogram_slices,
    unsaved,
)

_registered = ExitStack()


def register() -> None:
    """Add everything. If something fails, nothing is left of what was added, and the error surfaces."""
    global _registered
    with ExitStack() as stack:
        for addition in _additions():
            stack.enter_context(addition)
        _registered = stack.pop_all()


def unregister() -> None:
    """Take everything back."""
    _registered.close()


def _additions() -> Iterator[Addition]:
    yield from map(class_added, CLASSES)
    for feature in FEATURES:
        yield from feature.additions()
    yield _command_added()


@contextmanager
def _command_added() -> Iterator[None]:
    """`blender -c mosaic`."""
    command = bpy.utils.register_cli_command("mosaic", main)
    try:
        yield
    finally:
        bpy.utils.unregister_cli_command(command)
