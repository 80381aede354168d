"""Closing a session: its collections and all that was made for it leave the .blend."""

import re

import bpy

from ...session.errors import MosaicError
from ..importing.build import Imported
from ..importing.plan import ImportOptions
from ..keys import CLASS, GROUP, NAME, PIXEL_SIZE, SHOWN
from .duplicate import remove
from .tree import objects_of, root_of

NUMBERED = re.compile(r"\.\d{3,}$")  # what Blender adds to a name that is taken

RENAMED = 2000  # objects; Blender's rename walks all of them, so beyond that many it would take longer than the import


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


def take_names(imported: Imported) -> None:
    """Give what was imported beside a session, which is closed now, the names that it could not have then."""
    objects = imported.objects if len(imported.objects) <= RENAMED else []
    for obj in objects:
        name = obj[NAME]
        if obj.name != name and name not in bpy.data.objects:
            obj.name = name
            if obj.name == name:
                obj.pop(SHOWN, None)
            else:
                obj[SHOWN] = obj.name
    for item in (imported.root, imported.collection, *imported.collection.children_recursive):
        stem = NUMBERED.sub("", item.name)
        names = bpy.data.objects if isinstance(item, bpy.types.Object) else bpy.data.collections
        if stem != item.name and stem not in names and GROUP not in item:
            item.name = stem


def options_of(session: bpy.types.Collection) -> ImportOptions:
    """How an open session is placed, to open its file again in the same way."""
    root = root_of(session)
    if root is None:
        return ImportOptions()
    scale = root.scale.x
    return ImportOptions(1 / scale if scale > 0 else 1000.0, any(root.location), float(root[PIXEL_SIZE]))
