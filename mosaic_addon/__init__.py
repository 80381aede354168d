"""Mosaic for Blender: opens the sessions of Mosaic, the cryo-ET program, as Blender scenes.

Importing this package imports no bpy, so that reading a session needs no Blender.
"""


def register() -> None:
    """Called by Blender when the extension is enabled."""
    from . import ui

    ui.register()


def unregister() -> None:
    """Called by Blender when the extension is disabled."""
    from . import ui

    ui.unregister()
