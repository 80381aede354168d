"""A session in Blender: its collection, root, containers, groups and objects, and the order in which they are shown.

All are recognised by custom properties, so that whatever is renamed, moved or copied in the Outliner stays what it is.
"""

import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import bpy
from bpy.types import Collection, Object  # looking them up in bpy.types takes longer than most of what is done here

from ..data.custom_properties import has
from ..keys import (
    CLASS,
    CONTAINER,
    GROUP,
    ITEMS,
    NAME,
    NEXT,
    PIXEL_SIZE,
    SESSION,
    SHOWN,
)

OLD_NAME_BYTES = 63  # of a name before Blender 5.0, which cuts between letters of up to four bytes
CONTAINERS = ("clusters", "models")

Item: TypeAlias = Object | Collection


def sessions_in(scene: bpy.types.Scene) -> list[Collection]:
    """Return the collections of the sessions anywhere in a scene, in the order of the Outliner."""
    return [collection for collection in scene.collection.children_recursive if has(collection, SESSION)]


def session_of(obj: Object, scene: bpy.types.Scene) -> Collection | None:
    """Return the session in a scene that an object, or what it hangs on, stands in; None for an object of none."""
    own = set(obj.users_collection)
    for session in sessions_in(scene):
        if session in own or not own.isdisjoint(session.children_recursive):
            return session
    root = root_above(obj)
    return session_of(root, scene) if root is not None and root != obj else None


def active_session(context: bpy.types.Context) -> Collection | None:
    """Return the session that is worked on: the only one, or else that of the active object or collection."""
    scene = context.scene
    sessions = sessions_in(scene) if scene is not None else []
    if scene is None or len(sessions) < 2:
        return sessions[0] if sessions else None
    active = context.view_layer.objects.active
    session = session_of(active, scene) if active is not None else None
    collection = context.view_layer.active_layer_collection.collection
    return session or next((s for s in sessions if collection == s or collection in s.children_recursive), None)


def root_inside(session: Collection) -> Object | None:
    """Return the root of a session, the parent of its objects, if it stands in its collections; None otherwise."""
    # It stands in the first, which is short, unless it was moved.
    for objects in (session.objects, session.all_objects):
        for obj in objects:
            if obj.type == "EMPTY" and has(obj, PIXEL_SIZE):
                return obj
    return None


def root_above(obj: Object) -> Object | None:
    """Return the root that an object hangs on, itself if it is one; None for an object that hangs on none."""
    link: Object | None = obj
    while link is not None and not has(link, PIXEL_SIZE):
        link = link.parent
    return link


def container_of(session: Collection, name: str) -> Collection | None:
    """Return the collection of a session's "clusters" or "models"; None where it was deleted."""
    return next((child for child in session.children_recursive if CONTAINER.read(child) == name), None)


def items_of(container: Collection) -> list[Item]:
    """Return a container's groups and the objects in no group, in the order of Mosaic's browser."""
    items: list[Item] = []
    for group, objects in parts_of(container):
        items += objects if group is None else [group]
    return items


def parts_of(container: Collection) -> Iterator[tuple[Collection | None, list[Object]]]:
    """Yield a container's groups, each with an empty list, and between them None with runs of objects in no group."""
    objects = list(container.objects)
    places = _places_of_groups(container, objects)
    start = 0
    for group, place in sorted(zip(container.children, places, strict=True), key=lambda entry: entry[1]):
        if place > start:
            yield None, objects[start:place]
            start = place
        yield group, []
    if start < len(objects):
        yield None, objects[start:]


def _places_of_groups(container: Collection, objects: list[Object]) -> list[int]:
    """The number of objects before each group. objects: those of the container in no group."""
    if not container.children:
        return []
    numbers = {obj.session_uid: number for number, obj in enumerate(objects)}
    places, before = [], 0
    runs = iter(re.findall("g|o+", ITEMS.read(container) or ""))
    for group in container.children:
        for run in runs:
            if run == "g":
                break
            before += len(run)
        following = NEXT.read(group)
        known = None if following is None else numbers.get(following)
        places.append(min(before, len(objects)) if known is None else known)
    return places


def write_order(container: Collection, items: Sequence[Item]) -> None:
    """Store the order of a container's groups and single objects, which are linked to it in this order."""
    following: Object | None = None
    kinds = []
    for item in reversed(items):
        if isinstance(item, Object):
            following = item
            kinds.append("o")
            continue
        kinds.append("g")
        if following is not None:
            item[NEXT] = following
        else:
            item.pop(NEXT, None)
    container[ITEMS] = "".join(reversed(kinds))


def members_of(group: Collection) -> list[Object]:
    """Return the objects of a group and of all collections within it, since Mosaic's groups have one level."""
    return list(dict.fromkeys(objects_within(group)))


def objects_within(collection: Collection) -> Iterator[Object]:
    """Yield the objects of a collection and then of all within it, some of them more than once.

    Blender's all_objects is looked up anew after each change of the tree, in a time that grows with their square.
    """
    yield from collection.objects
    for inner in collection.children_recursive:
        yield from inner.objects


def objects_of(session: Collection) -> Iterator[Object]:
    """Yield the objects of a session that stand for geometries, each once, in the order of Mosaic's browser."""
    seen: set[int] = set()
    for name in CONTAINERS:
        container = container_of(session, name)
        for item in items_of(container) if container is not None else ():
            for obj in [item] if isinstance(item, Object) else members_of(item):
                if has(obj, CLASS) and obj.session_uid not in seen:
                    seen.add(obj.session_uid)
                    yield obj


def name_of(item: Item) -> str:
    """Return the name that Mosaic shows: the session's own, until the user renames the object or group.

    It may be longer than Blender's, or not unique.
    """
    shown = item.name
    if isinstance(item, Object):
        name = NAME.read(item)
        if name is None or shown == name:
            return shown
        if shown == SHOWN.read(item):
            return name
        return name if _is_cut(shown, name) else shown
    group = GROUP.read(item) or {}
    name = group.get("name", shown)
    return name if shown in (name, group.get("shown", name)) or _is_cut(shown, name) else shown


def _is_cut(shown: str, name: str) -> bool:
    """Whether a name is what Blender before 5.0 leaves of a longer one in a .blend of a later Blender."""
    return len(shown) < len(name) and name.startswith(shown) and len(shown.encode()) > OLD_NAME_BYTES - 4
