"""What a second import of a session takes over from the first: where it is placed, and the names."""

import re

import bpy

from ..keys import GROUP, NAME, PIXEL_SIZE, SHOWN
from ..outline.tree import root_of
from .build import Imported
from .options import DEFAULT_SCALE, ImportOptions

NUMBERED = re.compile(r"\.\d{3,}$")  # what Blender adds to a name that is taken
RENAMED = 2000  # objects; Blender's rename walks all of them, so beyond that many it would take longer than the import


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
    return ImportOptions(1 / scale if scale > 0 else DEFAULT_SCALE, any(root.location), float(root[PIXEL_SIZE]))
