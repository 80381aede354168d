"""Closing a session: its collections and all data that were made for it are removed from the .blend."""

import bpy

from ...session.errors import MosaicError
from ..data.custom_properties import has
from ..drawing.parts import is_part
from ..keys import CLASS
from .arrange import trees_of
from .duplicate import remove_with_parts
from .outside import outside_of, root_of
from .tree import root_above


def close_session(session: bpy.types.Collection, scene: bpy.types.Scene) -> None:
    """Remove a session from the .blend, wherever its objects stand. Those that are no geometries move into the scene.

    Raises MosaicError, with nothing changed, for a session that is linked from another .blend or is a library override.
    """
    if session.library is not None:
        raise MosaicError(f"{session.name!r} is linked from another .blend, so it cannot be closed; unlink it instead.")
    geometries = [obj for obj in session.all_objects if has(obj, CLASS)]
    trees_of(geometries)  # raises an error where they cannot be removed
    root = root_of(session)
    roots = {obj for obj in (root, *session.all_objects) if obj is not None and root_above(obj) == obj}  # and copies
    geometries += [place.obj for place in outside_of(session, root)]
    gone = roots.union(geometries)
    for obj in bpy.data.objects:  # what hangs on them would be a thousand times as large without
        if obj.parent in gone and obj not in gone:
            place = obj.matrix_world.copy()
            obj.parent = None
            obj.matrix_world = place
    for obj in list(session.all_objects):
        if obj not in gone and not is_part(obj) and scene.collection.objects.get(obj.name) is None:
            scene.collection.objects.link(obj)
    # First the collections: objects that are in none are removed far more quickly.
    bpy.data.batch_remove([session, *session.children_recursive])
    remove_with_parts(geometries, list(filter(is_part, (*bpy.data.objects, *bpy.data.collections))))
    bpy.data.batch_remove(list(roots))
