"""Closing a session: its collections and all data that were made for it are removed from the .blend."""

import bpy

from ...session.errors import MosaicError
from ..data.custom_properties import has
from ..keys import CLASS
from .duplicate import remove
from .tree import objects_of, root_of


def close_session(session: bpy.types.Collection, scene: bpy.types.Scene) -> None:
    """Remove a session from the .blend. Objects in its collections that are no geometries move into the scene.

    Raises MosaicError, with nothing changed, for a session that is linked from another .blend.
    """
    if session.library is not None:
        raise MosaicError(f"{session.name!r} is linked from another .blend, so it cannot be closed; unlink it instead.")
    root = root_of(session)
    for obj in list(session.all_objects):
        if obj != root and not has(obj, CLASS):
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
