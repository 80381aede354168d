"""What is written in a figure, told by the corners of its letters."""

from __future__ import annotations

from types import ModuleType
from typing import Any


def corners_of(bpy: ModuleType, item: Any) -> int:
    """How many vertices an item of the figure is drawn with."""
    bpy.context.view_layer.update()
    return len(item.evaluated_get(bpy.context.view_layer.depsgraph).data.vertices)


def letters_in(bpy: ModuleType, text: str) -> int:
    """How many vertices the letters of a text have: those of another text differ, but by chance."""
    from mosaic_addon.scene.figures import labels, overlay

    item = labels.add_text(bpy.context.scene, labels.PictureText(text))
    count = corners_of(bpy, item)
    overlay.remove_item(item)
    return count
