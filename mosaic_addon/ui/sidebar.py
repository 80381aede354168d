"""The sidebar of the 3D views, opened at our tab."""

from collections.abc import Callable, Iterator
from contextlib import suppress

import bpy

from .additions import Addition, state_forgotten

TAB = "Mosaic"
SOON = 0.05  # seconds after which a region that was opened is drawn
TRIES = 40

_tries = 0
_then: list[Callable[[], None]] = []


def open_sidebar(context: bpy.types.Context, then: Callable[[], None] | None = None) -> None:
    """Open the sidebar of the 3D views, and its tab of Mosaic as soon as it is drawn.

    then: is called when the sidebars have their width.
    """
    global _tries
    _then[:] = [] if then is None else [then]
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            # Set while it is open, it would hide the sidebar behind a popup.
            if area.type == "VIEW_3D" and not area.spaces.active.show_region_ui:
                area.spaces.active.show_region_ui = True
    _tries = TRIES
    if not bpy.app.background and not bpy.app.timers.is_registered(_choose_tab):
        bpy.app.timers.register(_choose_tab, first_interval=SOON)


def _choose_tab() -> float | None:
    """Choose the tab in each sidebar. A region has no tabs before it is drawn for the first time."""
    global _tries
    _tries -= 1
    waiting = False
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            for region in area.regions if area.type == "VIEW_3D" else ():
                if region.type != "UI":
                    continue
                try:
                    region.active_panel_category = TAB
                    region.tag_redraw()
                except (AttributeError, TypeError):
                    waiting = True
    if waiting and _tries > 0:
        return SOON
    with suppress(ReferenceError):  # an object may be gone again
        for function in _then:
            function()
    _then.clear()
    return None


def _forget() -> None:
    global _tries
    _tries = 0
    _then.clear()
    if bpy.app.timers.is_registered(_choose_tab):
        bpy.app.timers.unregister(_choose_tab)


def additions() -> Iterator[Addition]:
    """The wait for the sidebar."""
    yield state_forgotten(_forget)
