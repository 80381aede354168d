"""The add-on's preferences: what imports and colourings begin with, backups, hotkeys."""

import bpy
import rna_keymap_ui
from bpy.props import BoolProperty, EnumProperty

from ..scene.drawing.color_maps import MENU, SAFE
from ..scene.drawing.coloring import DEFAULT_MAP
from ..scene.importing.options import DEFAULT_SCALE
from . import keymap
from .placement import Placement

_KINDS = [(name, kind) for kind, names in MENU.items() for name in names]
# As items of a menu; a tick marks those that are safe.
COLOR_MAPS = tuple(
    (name, name, f"{kind}; colour-blind readers can read it", "CHECKMARK", number)
    if name in SAFE
    else (name, name, kind, "NONE", number)
    for number, (name, kind) in enumerate(_KINDS)
)


class MosaicPreferences(Placement, bpy.types.AddonPreferences):
    """Values that operators begin with in the window. Files and scripts do not depend on them."""

    bl_idname = __package__.rpartition(".")[0]

    backup: BoolProperty(
        name="Keep a Backup",
        description="Before a file is overwritten for the first time, keep a copy beside it, whose name ends in .bak",
        default=True,
    )
    set_up_scene: BoolProperty(
        name="Set Up the Scene",
        description="A session that is opened into Blender's untouched start-up scene takes the place of cube and lamp, "
        "and gets a view, a look and a camera",
        default=True,
    )
    color_map: EnumProperty(
        name="Colour Map",
        description="The map that a colouring by a vertex property begins with",
        items=COLOR_MAPS,
        default=DEFAULT_MAP,
    )

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column()
        column.prop(self, "scale")
        if self.scale == "CUSTOM":
            column.prop(self, "angstrom_per_unit")
        layout.column(heading="Point Size").prop(self, "automatic_pixel_size", text="As in Mosaic")
        if not self.automatic_pixel_size:
            layout.prop(self, "pixel_size")
        layout.column(heading="Saving").prop(self, "backup")
        layout.column(heading="Opening").prop(self, "set_up_scene")
        layout.prop(self, "color_map")
        layout.label(text="Hotkeys, while the mouse is over a 3D View or its sidebar")
        box = layout.box()
        box.use_property_split = False
        _draw_hotkeys(box.column(), context)


def preferences(context: bpy.types.Context) -> MosaicPreferences | None:
    """Return the user's preferences; None where Blender has not enabled the add-on itself, as in tests and scripts."""
    addon = context.preferences.addons.get(MosaicPreferences.bl_idname)
    return None if addon is None else addon.preferences


def preferred_map(context: bpy.types.Context) -> str:
    """Return the colour map that a colouring begins with."""
    chosen = preferences(context)
    return DEFAULT_MAP if chosen is None else chosen.color_map


def preferred_scale(context: bpy.types.Context) -> float:
    """Return the angstrom that a Blender unit stands for where no session tells it."""
    chosen = preferences(context)
    return DEFAULT_SCALE if chosen is None else chosen.chosen_scale()


def keeps_backup(context: bpy.types.Context) -> bool:
    """Return whether a copy of a file is kept when it is overwritten for the first time."""
    chosen = preferences(context)
    return chosen is None or chosen.backup


def _draw_hotkeys(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    configuration = context.window_manager.keyconfigs.user
    for own_map, own_item in keymap.items():
        users_map = configuration.keymaps.get(own_map.name)
        item = users_map.keymap_items.find_match(own_map, own_item) if users_map is not None else None
        if item is not None:
            layout.context_pointer_set("keymap", users_map)
            rna_keymap_ui.draw_kmi([], configuration, users_map, item, layout, 0)
