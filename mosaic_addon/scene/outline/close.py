"""Closing a session: its collections and all data that were made for it are removed from the .blend."""

import bpy

from ...session.errors import MosaicError
from ..data.custom_properties import has
from ..drawing.parts import is_part
from ..keys import CLASS, CONTAINER, GROUP, SESSION
from .arrange import trees_of
from .duplicate import remove_with_parts
from .outside import outside_of, root_of
from .tree import root_above

OF_SESSION = (SESSION, CONTAINER, GROUP)  # what a collection of a session carries, and no collection of the user


def close_session(session: bpy.types.Collection, scene: bpy.types.Scene) -> None:
    """Remove a session from the .blend, wherever its objects stand.

    What is no geometry stays: collections of the user with such objects, and other sessions that were put into this
    one, move into the scene where they are in no other collection. Raises MosaicError, with nothing changed, for a
    session that is linked from another .blend or is a library override.
    """
    if session.library is not None:
        raise MosaicError(f"{session.name!r} is linked from another .blend, so it cannot be closed; unlink it instead.")
    others = {each for inner in session.children_recursive if has(inner, SESSION) for each in _all_of(inner)}
    parts = [each for each in _all_of(session) if each not in others]
    of_others = {obj for other in others for obj in other.objects}
    objects = dict.fromkeys(obj for part in parts for obj in part.objects if obj not in of_others)
    geometries = [obj for obj in objects if has(obj, CLASS)]
    trees_of(geometries)  # raises an error where they cannot be removed
    root = root_of(session)
    if root in of_others:
        root = None
    roots = {obj for obj in (root, *objects) if obj is not None and root_above(obj) == obj}  # and copies
    geometries += [place.obj for place in outside_of(session, root)]
    gone = roots.union(geometries)
    for obj in bpy.data.objects:  # what hangs on them would be a thousand times as large without
        if obj.parent in gone and obj not in gone:
            place = obj.matrix_world.copy()
            obj.parent = None
            obj.matrix_world = place
    kept = [obj for obj in objects if obj not in gone and not is_part(obj)]
    of_user = [each for each in parts if not any(has(each, key) for key in OF_SESSION)]
    staying = {each for each in of_user if not set(kept).isdisjoint(each.all_objects)} | others
    # First the collections: objects that are in none are removed far more quickly.
    bpy.data.batch_remove([part for part in parts if part not in staying])
    for each in staying:
        if not each.users:
            scene.collection.children.link(each)
    for obj in kept:
        if not obj.users_collection:
            scene.collection.objects.link(obj)
    remove_with_parts(geometries, list(filter(is_part, (*bpy.data.objects, *bpy.data.collections))))
    bpy.data.batch_remove(list(roots))


def _all_of(collection: bpy.types.Collection) -> list[bpy.types.Collection]:
    return [collection, *collection.children_recursive]
