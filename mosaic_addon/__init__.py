"""Mosaic for Blender: opens the sessions of Mosaic, the cryo-ET program, as Blender scenes.

Importing this package imports no bpy, so that reading a session needs no Blender.
"""


def register() -> None:
    """Add everything to Blender, which calls this when the extension is enabled."""
    from .ui import registration

    registration.register()


def unregister() -> None:
    """Take everything back; Blender calls this when the extension is disabled."""
    from .ui import registration

    registration.unregister()
