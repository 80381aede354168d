"""Parts: the surfaces and frames that objects show by Geometry Nodes, each an object of its own that stands in no scene.

Append and Paste put such objects into a scene all the same, where their coordinates, angstrom, would be a thousand times
as large as the session. So they are hidden, and are still shown by the objects that refer to them.
"""

import bpy

from ..data.custom_properties import has
from ..keys import PART, SHOWS


def new_part(name: str, data: bpy.types.Mesh | bpy.types.Curve) -> bpy.types.Object:
    """Make an object for a geometry's object to show, in no scene."""
    part = bpy.data.objects.new(name, data)
    part[PART] = True
    part.hide_viewport = part.hide_render = True
    return part


def new_surface(name: str, data: bpy.types.Mesh | bpy.types.Curve) -> bpy.types.Object:
    """Make an object that holds a surface. Geometry Nodes take its shape alone, so that its scale can be none.

    Append shows any object again that was hidden and is in no collection.
    """
    surface = new_part(name, data)
    surface.scale = (0, 0, 0)
    return surface


def is_part(owner: bpy.types.ID) -> bool:
    """Return whether a datablock is a surface, a frame, or the collection of a trajectory's frames."""
    return has(owner, SHOWS if isinstance(owner, bpy.types.Collection) else PART)
