"""Opening the file of an open session again: the second import takes over the place and the names of the first."""

import re

import bpy

from ..data.custom_properties import has
from ..keys import GROUP, NAME, PIXEL_SIZE, SHOWN
from ..outline.outside import root_of
from .build import Imported
from .options import DEFAULT_SCALE, ImportOptions

NUMBERED = re.compile(r"\.\d{3,}$")  # the number that Blender adds to a name that is taken
RENAMED = 2000  # objects; Blender's rename walks all of them, so to rename more would take longer than the import


def take_names(imported: Imported) -> None:
    """Give what was imported beside a session that has been closed since the names that were taken then."""
    objects = imported.objects if len(imported.objects) <= RENAMED else []
    for obj in objects:
        name = NAME.read(obj)
        if name is not None and obj.name != name and name not in bpy.data.objects:
            obj.name = name
            if obj.name == name:
                obj.pop(SHOWN, None)
            else:
                obj[SHOWN] = obj.name
    for item in (imported.root, imported.collection, *imported.collection.children_recursive):
        stem = NUMBERED.sub("", item.name)
        names = bpy.data.objects if isinstance(item, bpy.types.Object) else bpy.data.collections
        if stem != item.name and stem not in names and not has(item, GROUP):
            item.name = stem


def options_of(session: bpy.types.Collection) -> ImportOptions:
    """Return the options that place a session as an open one is placed. session: its collection."""
    root = root_of(session)
    if root is None:
        return ImportOptions()
    scale = 1 / root.scale.x if root.scale.x > 0 else DEFAULT_SCALE
    return ImportOptions(scale, any(root.location[:]), PIXEL_SIZE.read(root), exact=False)
