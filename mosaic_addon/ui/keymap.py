"""Hotkeys while the mouse is over a 3D View or its sidebar. None of them is used by Blender itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import bpy

from .additions import Addition

# Blender looks into the keymap of this name in both the view and its sidebar, in every mode.
KEYMAP: Final = "3D View Generic"
# Operator: key, Ctrl, Alt, Shift. Ctrl+S is left to Blender, which saves the .blend.
HOTKEYS: Final = {
    "mosaic.load_session": ("O", True, True, False),
    "mosaic.save_session": ("E", True, True, False),
    "mosaic.save_session_as": ("E", True, True, True),
    "mosaic.search_objects": ("F", True, False, True),
    "mosaic.toggle_visibility": ("H", True, False, True),
    "mosaic.isolate": ("I", True, False, True),
}
_added: list[tuple[bpy.types.KeyMap, bpy.types.KeyMapItem]] = []  # by this extension


def items() -> tuple[tuple[bpy.types.KeyMap, bpy.types.KeyMapItem], ...]:
    """Return the hotkeys with their keymaps as they were added, without the user's changes."""
    return tuple(_added)


def additions() -> Iterator[Addition]:
    """The hotkeys; none in background, where there is no key to press."""
    configuration = bpy.context.window_manager.keyconfigs.addon
    if configuration is None:
        return
    keymap = configuration.keymaps.new(KEYMAP, space_type="VIEW_3D", region_type="WINDOW")
    for operator in HOTKEYS:
        yield _hotkey_added(keymap, operator)


@contextmanager
def _hotkey_added(keymap: bpy.types.KeyMap, operator: str) -> Iterator[None]:
    """One hotkey. It is removed by itself, as other add-ons may use the same keymap."""
    key, ctrl, alt, shift = HOTKEYS[operator]
    item = keymap.keymap_items.new(operator, key, "PRESS", ctrl=ctrl, alt=alt, shift=shift)
    _added.append((keymap, item))
    try:
        if operator == "mosaic.load_session":
            item.properties.replace = True  # as in Mosaic; File > Import opens beside the open sessions
        yield
    finally:
        _added.remove((keymap, item))
        keymap.keymap_items.remove(item)
