"""The add-on's preferences: what imports and colourings begin with, backups, hotkeys."""

import bpy
import rna_keymap_ui
from bpy.props import BoolProperty, EnumProperty, FloatProperty

from ..scene.drawing.color_maps import MENU
from ..scene.drawing.coloring import DEFAULT_MAP
from . import keymap

SCALES = (
    ("100NM", "1 unit = 100 nm", "A virus is about a unit wide, as Blender's views and lights expect"),
    ("1NM", "1 unit = 1 nm", "As Molecular Nodes has it"),
    ("CUSTOM", "Custom", "Give the angstrom of one unit"),
)
COLOR_MAPS = tuple((name, name, kind) for kind, names in MENU.items() for name in names)


class MosaicPreferences(bpy.types.AddonPreferences):
    """What the add-on begins with; files and scripts keep their own."""

    bl_idname = __package__.rpartition(".")[0]

    scale: EnumProperty(name="Scale", description="How large an imported session is at first", items=SCALES)
    angstrom_per_unit: FloatProperty(
        name="Angstrom per Unit",
        description="Angstrom that one Blender unit stands for",
        default=1000.0,
        min=1e-3,
        soft_max=1e5,
    )
    automatic_pixel_size: BoolProperty(
        name="Pixel Size from View",
        description="Points look as large, beside the session, as in Mosaic's first view of it",
        default=True,
    )
    pixel_size: FloatProperty(
        name="Pixel Size",
        description="Angstrom that one of the screen pixels stands for in which Mosaic gives the size of points",
        default=4.0,
        min=1e-4,
        soft_max=1e3,
    )
    backup: BoolProperty(
        name="Keep a Backup",
        description="Before a file is saved over for the first time, keep what it was beside it, with .bak at its name's end",
        default=True,
    )
    color_map: EnumProperty(
        name="Colour Map",
        description="What a colouring by a vertex property begins with",
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
        layout.column(heading="Pixel Size").prop(self, "automatic_pixel_size", text="From View")
        if not self.automatic_pixel_size:
            layout.prop(self, "pixel_size", text="Angstrom")
        layout.column(heading="Saving").prop(self, "backup")
        layout.prop(self, "color_map")
        layout.label(text="Hotkeys, while the mouse is over a 3D View or its sidebar")
        box = layout.box()
        box.use_property_split = False
        _draw_hotkeys(box.column(), context)


def preferences(context: bpy.types.Context) -> MosaicPreferences | None:
    """The user's preferences; None where Blender has not enabled the add-on as one, as in tests and scripts."""
    addon = context.preferences.addons.get(MosaicPreferences.bl_idname)
    return None if addon is None else addon.preferences


def preferred_map(context: bpy.types.Context) -> str:
    """The colour map that the user wants a colouring to begin with."""
    chosen = preferences(context)
    return DEFAULT_MAP if chosen is None else chosen.color_map


def _draw_hotkeys(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    configuration = context.window_manager.keyconfigs.user
    for own_map, own_item in keymap.items():
        users_map = configuration.keymaps.get(own_map.name)
        item = users_map.keymap_items.find_match(own_map, own_item) if users_map is not None else None
        if item is not None:
            layout.context_pointer_set("keymap", users_map)
            rna_keymap_ui.draw_kmi([], configuration, users_map, item, layout, 0)
