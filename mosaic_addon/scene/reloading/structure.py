"""Groups and order of a session as its file has them now -> the collections of the open session."""

from collections.abc import Mapping

import bpy

from ...session.session import Container, Group
from ..data.custom_properties import clean_text, has
from ..importing.build import new_group
from ..keys import GROUP
from ..outline.arrange import Tree
from ..outline.naming import rename
from ..outline.tree import Item, name_of


def follow(tree: Tree, container: Container, objects: Mapping[int, bpy.types.Object]) -> None:
    """Give a container the groups and the order of the file.

    objects: of the geometries that are shown, by their id(). Groups are known by their uuid. Objects that the file does
    not know stay in their group, or come last.
    """
    known = set(objects.values())
    groups = {uuid_of(group): group for group in tree.members}
    others = {group: [obj for obj in members if obj not in known] for group, members in tree.members.items()}
    loose = [item for item in tree.items if isinstance(item, bpy.types.Object) and item not in known]
    items: list[Item] = []
    members: dict[bpy.types.Collection, list[bpy.types.Object]] = {}
    for item in container.items:
        if not isinstance(item, Group):
            if id(item) in objects:
                items.append(objects[id(item)])
            continue
        group = groups.get(clean_text(item.uuid))
        if group is None or group in members:
            group = new_group(item)
        elif name_of(group) != clean_text(item.name) and item.name:
            rename(group, item.name)
        items.append(group)
        members[group] = [objects[id(each)] for each in item.geometries if id(each) in objects] + others.get(group, [])
    for group, rest in others.items():
        if group not in members and (rest or not has(group, GROUP)):
            items.append(group)
            members[group] = rest
    for group in tree.members:
        members.setdefault(group, [])
    tree.items = [*items, *loose]
    tree.members = members
    tree.write()


def add(tree: Tree, container: Container, objects: Mapping[int, bpy.types.Object]) -> None:
    """Put new objects where the file has them, and leave all others where they are in Blender.

    objects: the new ones, by the id() of their geometries. A group that is not open any more is made again.
    """
    groups = {uuid_of(group): group for group in tree.members}
    for item in container.items:
        if not isinstance(item, Group):
            if id(item) in objects:
                tree.items.append(objects[id(item)])
            continue
        new = [objects[id(each)] for each in item.geometries if id(each) in objects]
        if not new:
            continue
        group = groups.get(clean_text(item.uuid))
        if group is None:
            group = new_group(item)
            tree.items.append(group)
            tree.members[group] = []
        tree.members[group] += new
    tree.write()


def uuid_of(group: bpy.types.Collection) -> str:
    """Return the uuid of a group in its session; its name in Blender for one that was made there."""
    return (GROUP.read(group) or {}).get("uuid") or group.name
