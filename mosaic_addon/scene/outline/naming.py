"""Names of objects and groups, as Mosaic shows them: of any length, alike as the user likes. Blender's own may be neither."""

import re
from collections.abc import Sequence
from typing import Any

import bpy

from ...session.errors import MosaicError
from ..data.custom_properties import clean_text
from ..keys import CONTAINER, GROUP, NAME, SESSION, SHOWN
from .tree import Item


def rename(item: Item, name: str) -> None:
    """Give an object, group or session a name. Raises MosaicError for an empty one, and for what has a fixed name."""
    name = clean_text(name)
    if not name.strip():
        raise MosaicError("A name cannot be empty.")
    if isinstance(item, bpy.types.Object):
        item[NAME] = item.name = name
        note_name(item, SHOWN, name, item.name)
        return
    if CONTAINER in item:
        raise MosaicError("Clusters and Models are always called so.")
    item.name = name
    if SESSION in item:
        return
    if GROUP not in item:
        item[GROUP] = {}
    item[GROUP]["name"] = name
    note_name(item[GROUP], "shown", name, item.name)


def note_name(owner: Any, key: str, wanted: str, given: str) -> None:
    """Remember Blender's name where it could not be the wanted one, so that a later rename in Blender is noticed."""
    if given != wanted:
        owner[key] = given
    elif key in owner:
        del owner[key]


def replaced(
    names: Sequence[str], find: str, replacement: str, case_sensitive: bool = True, regular_expression: bool = False
) -> list[str]:
    """Names with each occurrence of `find` replaced. Raises MosaicError for a regular expression that is none."""
    if not find:
        return list(names)
    try:
        pattern = re.compile(find if regular_expression else re.escape(find), 0 if case_sensitive else re.IGNORECASE)
        if regular_expression:
            return [pattern.sub(replacement, name) for name in names]
    except re.error as error:
        raise MosaicError(f"This is no regular expression: {error}.") from error
    return [pattern.sub(lambda _: replacement, name) for name in names]


def numbered(names: Sequence[str], template: str) -> list[str]:
    """Names after a template: {name} is the old name, {i} counts from 1, {i:03} does so with three digits."""
    made = []
    for number, name in enumerate(names, 1):
        text = re.sub(r"\{i:(\d{1,2})\}", lambda match, n=number: str(n).zfill(int(match.group(1))), template)
        made.append(text.replace("{i}", str(number)).replace("{name}", name))
    return made
