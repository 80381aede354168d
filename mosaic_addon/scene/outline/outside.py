"""What belongs to a session and stands outside its collections, as after M or a drag in the Outliner."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import bpy
from bpy.types import Collection, Object

from ...session.errors import MosaicError
from ...session.nodes import NOBODY
from ..data.custom_properties import has
from ..keys import CLASS, CONTAINER, GROUP, SESSION
from ..record import Record, unpack, unpack_session
from .tree import Item, items_of, root_above, root_inside


@dataclass(frozen=True, slots=True)
class Outside:
    """A geometry outside all sessions. group, container: the collections of a session that it is still in, if any."""

    obj: Object
    group: Collection | None
    container: str | None


def root_of(session: Collection) -> Object | None:
    """Return the empty that is the parent of a session's objects, wherever it stands; None where it was deleted."""
    root = root_inside(session)
    if root is not None:
        return root
    others = _inside_sessions(session)
    for obj in session.all_objects:
        root = root_above(obj)
        if root is not None and root.session_uid not in others:
            return root
    name = None
    for place in _geometries_outside():
        root = root_above(place.obj)
        if root is not None and root.session_uid not in others:
            name = name or _name_of(session)
            if _is_read_from(place.obj, name):
                return root
    return None


def outside_of(session: Collection, root: Object | None) -> list[Outside]:
    """List the geometries of a session that stand in a scene, but in no session's collections.

    These hang on the session's root; or they hang on no root, and none in the session is what they were read from.
    """
    found, free = [], []
    for place in _geometries_outside():
        above = root_above(place.obj)
        if above is None:
            free.append(place)
        elif above == root:
            found.append(place)
    name = _name_of(session) if free else None
    free = [place for place in free if _is_read_from(place.obj, name)]
    if free:
        there = {_origin_of(obj) for obj in (*session.all_objects, *(place.obj for place in found))}
        found += [place for place in free if _origin_of(place.obj) not in there]
    return found


def _geometries_outside() -> list[Outside]:
    """List the geometries that stand in scenes and in no session's collections, each once."""
    found: dict[int, Outside] = {}
    for scene in bpy.data.scenes:
        for place in _walk(scene.collection):
            found.setdefault(place.obj.session_uid, place)
    inside = _inside_sessions() if found else set()
    return [place for number, place in found.items() if number not in inside]


def _walk(scene: Collection) -> Iterator[Outside]:
    """Yield the geometries in a scene's collections, but for those of sessions, in the browser's order."""
    todo: list[tuple[Item, Collection | None, str | None]] = [(scene, None, None)]
    while todo:
        item, group, container = todo.pop()
        if isinstance(item, Object):
            yield Outside(item, group, container)
            continue
        below: list[Item]
        if has(item, CONTAINER):
            container = CONTAINER.read(item)
            below = [each for each in items_of(item) if isinstance(each, Collection) or has(each, CLASS)]
        else:
            group = item if has(item, GROUP) else group
            below = [obj for obj in item.objects if CLASS in obj]  # type: ignore[operator]  # quicker than `has`
            below += [child for child in item.children if not has(child, SESSION)]
        todo += [(each, group, container) for each in reversed(below)]


def _inside_sessions(but: Collection | None = None) -> set[int]:
    """Return the session_uid of all objects that stand in sessions. but: leave out this session."""
    sessions = [collection for collection in bpy.data.collections if has(collection, SESSION) and collection != but]
    return {obj.session_uid for session in sessions for obj in session.all_objects}


def _name_of(session: Collection) -> str | None:
    """Return the text that all records of a session share; None for one without, or where it was tampered with."""
    with suppress(MosaicError):
        record = unpack_session(session)
        return None if record is None else record.session
    return None


def _record_of(obj: Object) -> Record | None:
    with suppress(MosaicError):
        return unpack(obj, NOBODY)
    return None


def _is_read_from(obj: Object, name: str | None) -> bool:
    """Tell whether an object was read in the import whose records share the text `name`."""
    record = _record_of(obj) if name is not None else None
    return record is not None and record.session == name


def _origin_of(obj: Object) -> tuple[str, str, int] | None:
    """Return what tells the geometry that an object was read from; None for one that was not read."""
    record = _record_of(obj)
    return None if record is None else (record.session, record.container, record.index)
