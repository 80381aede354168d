"""Where a session is in Blender: its collection, root, containers, groups and objects, and the order they are shown in.

All of it is told by custom properties, so that whatever is renamed, moved or copied in the Outliner stays what it is.
"""

from collections.abc import Iterator
from typing import TypeAlias

import bpy

# Custom properties that say what a collection or object is. Those of an object that come from the session's meta have the
# names they have there.
SESSION, CONTAINER, GROUP = "mosaic_session", "mosaic_container", "mosaic_group"
CLASS, NAME, UUID, MODEL = "mosaic_class", "mosaic_name", "mosaic_uuid", "mosaic_model"
SHOWN = "mosaic_shown_as"  # the name that Blender gave an object, where it could not have its own
SAMPLING_RATE, PIXEL_SIZE = "mosaic_sampling_rate", "mosaic_pixel_size"
# Of a container's collection: its items in order, "g" for a group and "o" for an object. Blender keeps an order for each of
# the two kinds, and this tells how they follow one another.
ITEMS = "mosaic_items"

CONTAINERS = ("clusters", "models")

Item: TypeAlias = bpy.types.Object | bpy.types.Collection


def sessions_in(scene: bpy.types.Scene) -> list[bpy.types.Collection]:
    """The collections of the sessions that are linked into a scene, wherever in it, in the order of the Outliner."""
    return [collection for collection in scene.collection.children_recursive if SESSION in collection]


def session_of(thing: bpy.types.Object, scene: bpy.types.Scene) -> bpy.types.Collection | None:
    """The session that an object belongs to, None for one of none."""
    own = set(thing.users_collection)
    for session in sessions_in(scene):
        if session in own or not own.isdisjoint(session.children_recursive):
            return session
    return None


def active_session(context: bpy.types.Context) -> bpy.types.Collection | None:
    """The session that is worked on: the active object's, else that of the active collection, else the only one."""
    sessions = sessions_in(context.scene)
    if len(sessions) < 2:
        return sessions[0] if sessions else None
    active = context.view_layer.objects.active
    session = session_of(active, context.scene) if active is not None else None
    collection = context.view_layer.active_layer_collection.collection
    return session or next((s for s in sessions if collection == s or collection in s.children_recursive), None)


def root_of(session: bpy.types.Collection) -> bpy.types.Object | None:
    """The empty that a session's objects hang on; None when it was deleted."""
    return next((thing for thing in session.all_objects if thing.type == "EMPTY" and PIXEL_SIZE in thing), None)


def container_of(session: bpy.types.Collection, name: str) -> bpy.types.Collection | None:
    """The collection of the "clusters" or "models"; None when it was deleted."""
    return next((child for child in session.children_recursive if child.get(CONTAINER) == name), None)


def items_of(container: bpy.types.Collection) -> list[Item]:
    """The objects of a container that are in no group, and its groups, in the order of Mosaic's browser."""
    groups, objects = iter(container.children), iter(container.objects)
    items: list[Item] = []
    for kind in str(container.get(ITEMS, "")):
        item = next(groups if kind == "g" else objects, None)
        if item is not None:
            items.append(item)
    return [*items, *groups, *objects]


def members_of(group: bpy.types.Collection) -> list[bpy.types.Object]:
    """The objects of a group, those of collections within it included, as Mosaic's groups have one level."""
    return list(dict.fromkeys(group.all_objects))


def objects_of(session: bpy.types.Collection) -> Iterator[bpy.types.Object]:
    """The objects of a session that stand for geometries, each once, in the order of Mosaic's browser."""
    seen: set[int] = set()
    for name in CONTAINERS:
        container = container_of(session, name)
        for item in items_of(container) if container is not None else ():
            for thing in [item] if isinstance(item, bpy.types.Object) else members_of(item):
                if CLASS in thing and thing.session_uid not in seen:
                    seen.add(thing.session_uid)
                    yield thing


def name_of(item: Item) -> str:
    """The name that Mosaic shows: the session's own, which may be longer or not unique, until the user renames the item."""
    if isinstance(item, bpy.types.Object):
        name = item.get(NAME)
        return name if name is not None and item.name == item.get(SHOWN, name) else item.name
    group = item.get(GROUP)
    return group["name"] if group is not None and item.name == group.get("shown", group["name"]) else item.name
