"""Looks of the scene, each by one click on its picture."""

from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap
from typing import Any, Final

import bpy.utils.previews

from ...scene.pictures.former import choose_engine, has_look
from ...scene.pictures.looks import apply_look, background_of, look_of, remove_look
from ...scene.pictures.options import LOOKS
from ..additions import Addition, state_forgotten

PICTURES: Final = Path(__file__).parent / "looks"  # `build.py looks` renders them
NONE: Final = ("none", "No Look", "The lamps, world, colours and engine that the scene had before its first look")
PICTURE_SIZE, POPUP_SIZE = 5.0, 6.0  # in icons
LINE: Final = 36  # letters that the sidebar is wide

_previews: Any = None
_items: list[tuple[str, str, str, int | str, int]] = []  # kept, as Blender does not keep the texts of a menu
# The look that was chosen last, and what it changed beside it, by the scene's session_uid.
_said: dict[int, tuple[str, list[str]]] = {}


def look_items(_: object, context: bpy.types.Context | None) -> list[tuple[str, str, str, int | str, int]]:
    """Return the looks as a menu has them, with their pictures, which are read when they are first asked for."""
    global _previews
    if _previews is None:
        _previews = bpy.utils.previews.new()
        _items[:] = [(*NONE, "CANCEL", 0)]
        for number, (look, tip) in enumerate(LOOKS.items(), start=1):
            picture = _previews.load(look, str(PICTURES / f"{look}.jpg"), "IMAGE")
            _items.append((look, look.capitalize(), tip, picture.icon_id, number))
    return _items


def look_number(scene: bpy.types.Scene) -> int:
    """Return the number of a scene's look in `look_items`."""
    return (NONE[0], *LOOKS).index(look_of(scene) or NONE[0])


def choose_look(scene: bpy.types.Scene, number: int) -> None:
    """Give a scene the look of a number in `look_items`, or take its look away."""
    if number:
        look = tuple(LOOKS)[number - 1]
        changes = apply_look(scene, look, background_of(scene)) + choose_engine(scene, look)
        _said[scene.session_uid] = look, changes
    elif has_look(scene):
        remove_look(scene)
        _said.pop(scene.session_uid, None)


def draw_looks(layout: bpy.types.UILayout, scene: bpy.types.Scene) -> None:
    """Draw the picture of the scene's look, behind which all of them are, and the backgrounds."""
    picture = scene.mosaic_picture
    layout.template_icon_view(picture, "look", show_labels=True, scale=PICTURE_SIZE, scale_popup=POPUP_SIZE)
    look = look_of(scene)
    layout.label(text=look.capitalize() if look else NONE[1])
    chosen, changes = _said.get(scene.session_uid, (None, []))
    column = layout.column(align=True)
    for change in changes if chosen == look else ():  # an undo brings another look back
        for line in wrap(change, LINE):
            column.label(text=line)
    layout.row(align=True).prop(picture, "background", expand=True)


def additions() -> Iterator[Addition]:
    """The pictures of the looks."""
    yield state_forgotten(_forget)


def _forget() -> None:
    global _previews
    _items.clear()
    _said.clear()
    if isinstance(_previews, bpy.utils.previews.ImagePreviewCollection):
        bpy.utils.previews.remove(_previews)
    _previews = None
