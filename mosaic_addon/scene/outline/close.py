"""Closing a session: its collections and all that was made for it leave the .blend."""

import bpy

from ...session.errors import MosaicError
from ..keys import CLASS
from .duplicate import remove
from .tree import objects_of, root_of


def close_session(session: bpy.types.Collection, scene: bpy.types.Scene) -> None:
    """Remove a session from the .blend. What the user put into its collections and is no geometry moves into the scene.

    Raises MosaicError, with nothing changed, for a session of a linked file.
    """
    if session.library is not None:
        raise MosaicError(f"{session.name!r} is linked from another .blend, so it cannot be closed; unlink it instead.")
    root = root_of(session)
    for obj in list(session.all_objects):
        if CLASS not in obj and obj != root:
            if obj.parent == root:
                place = obj.matrix_world.copy()
                obj.parent = None
                obj.matrix_world = place
            if scene.collection.objects.get(obj.name) is None:
                scene.collection.objects.link(obj)
    remove(list(objects_of(session)))
    if root is not None:
        bpy.data.objects.remove(root)
    bpy.data.batch_remove([session, *session.children_recursive])
