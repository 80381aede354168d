"""Hotkeys while the mouse is over a 3D View or its sidebar. None of them is one of Blender's own."""

from typing import Final

import bpy

# Blender asks the keymap of this name in both the view and its sidebar, whatever the mode.
KEYMAP: Final = "3D View Generic"
# Operator: key, Ctrl, Alt, Shift. Ctrl+S stays Blender's, and saves the .blend.
HOTKEYS: Final = {
    "mosaic.load_session": ("O", True, True, False),
    "mosaic.save_session": ("E", True, True, False),
    "mosaic.save_session_as": ("E", True, True, True),
    "mosaic.search_objects": ("F", True, False, True),
    "mosaic.toggle_visibility": ("H", True, False, True),
    "mosaic.isolate": ("I", True, False, True),
}
_added: list[tuple[bpy.types.KeyMap, bpy.types.KeyMapItem]] = []


def items() -> tuple[tuple[bpy.types.KeyMap, bpy.types.KeyMapItem], ...]:
    """The hotkeys as they were added, before what the user made of them."""
    return tuple(_added)


def add_hotkeys() -> None:
    """Add the hotkeys; none in background, where there is no key to press."""
    configuration = bpy.context.window_manager.keyconfigs.addon
    if configuration is None:
        return
    keymap = configuration.keymaps.new(KEYMAP, space_type="VIEW_3D", region_type="WINDOW")
    for operator, (key, ctrl, alt, shift) in HOTKEYS.items():
        item = keymap.keymap_items.new(operator, key, "PRESS", ctrl=ctrl, alt=alt, shift=shift)
        if operator == "mosaic.load_session":
            item.properties.replace = True  # as Mosaic does; File > Import opens beside
        _added.append((keymap, item))


def remove_hotkeys() -> None:
    """Take them away again, each by itself: other add-ons may use the same keymap."""
    for keymap, item in _added:
        keymap.keymap_items.remove(item)
    _added.clear()
