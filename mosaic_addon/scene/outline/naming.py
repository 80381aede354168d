"""Names of objects and groups as Mosaic shows them: of any length, and not unique as Blender's have to be."""

import re
from collections.abc import Sequence
from typing import Any

import bpy

from ...session.errors import MosaicError
from ..data.custom_properties import clean_text, has
from ..keys import CONTAINER, GROUP, NAME, SESSION, SHOWN
from .tree import Item


def rename(item: Item, name: str) -> None:
    """Give an object, group or session a name. Raises MosaicError for an empty name, and for Clusters and Models."""
    name = clean_text(name)
    if not name.strip():
        raise MosaicError("A name cannot be empty.")
    if isinstance(item, bpy.types.Object):
        item[NAME] = item.name = name
        note_name(item, SHOWN, name, item.name)
        return
    if has(item, CONTAINER):
        raise MosaicError("Clusters and Models are always called so.")
    item.name = name
    if has(item, SESSION):
        return
    group = GROUP.read(item) or {}
    group["name"] = name
    note_name(group, "shown", name, item.name)
    item[GROUP] = group


def note_name(owner: Any, key: str, wanted: str, given: str) -> None:
    """Remember the name that Blender gave instead of the wanted one, so that a later rename in Blender is noticed.

    owner, key: where it is remembered; the key is removed where both names are the same.
    """
    if given != wanted:
        owner[key] = given
    elif key in owner:
        del owner[key]


def replaced(
    names: Sequence[str], find: str, replacement: str, case_sensitive: bool = True, regular_expression: bool = False
) -> list[str]:
    """Return names with each occurrence of a text replaced. Raises MosaicError for an invalid regular expression."""
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
    """Return names made after a template: {name} is the old name, {i} counts from 1, {i:03} with three digits."""
    parts = re.split(r"\{i:(\d{1,2})\}", template)  # text, digits, text, digits, ..., text
    made = []
    for number, name in enumerate(names, 1):
        text = "".join(str(number).zfill(int(part)) if place % 2 else part for place, part in enumerate(parts))
        made.append(text.replace("{i}", str(number)).replace("{name}", name))
    return made
