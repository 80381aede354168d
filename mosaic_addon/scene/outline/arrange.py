"""Changes of a session's tree: its groups, and the order of Mosaic's browser.

Blender keeps objects and collections in the order in which they were linked, so they are linked anew for another order.
Blender looks at the outcome only, so what is hidden or selected stays so.
"""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import bpy

from ...session.errors import MosaicError
from ..data.custom_properties import clean_text, has
from ..keys import CONTAINER, GROUP
from .naming import note_name
from .tree import Item, items_of, members_of, objects_within, write_order

Direction = Literal["UP", "DOWN", "TOP", "BOTTOM"]


class Tree:
    """The items of a container as lists, to be changed and then written.

    items: groups, and objects in no group. members: the objects of each group.
    """

    def __init__(self, container: bpy.types.Collection) -> None:
        self.container = container
        self.items: list[Item] = items_of(container)
        self.members: dict[bpy.types.Collection, list[bpy.types.Object]] = {
            item: members_of(item) for item in self.items if isinstance(item, bpy.types.Collection)
        }
        self._had_members = {group for group, members in self.members.items() if members}

    def objects(self) -> set[bpy.types.Object]:
        """Return all objects, in groups or not."""
        own = {item for item in self.items if isinstance(item, bpy.types.Object)}
        return own.union(*self.members.values())

    def group_of(self, obj: bpy.types.Object) -> bpy.types.Collection | None:
        """Return the group that holds an object; None where none does."""
        return next((group for group, members in self.members.items() if obj in members), None)

    def take(self, objects: Iterable[bpy.types.Object]) -> None:
        """Take objects out of the tree, in groups or not."""
        taken = set(objects)
        self.items = [item for item in self.items if item not in taken]
        for group, members in self.members.items():
            self.members[group] = [obj for obj in members if obj not in taken]

    def write(self) -> None:
        """Make Blender's collections follow the lists. Groups that lost their last object are removed, as in Mosaic."""
        lost = [group for group in self._had_members if not self.members.get(group)]
        emptied = {group for group in lost if has(group, GROUP)}
        self.items = [item for item in self.items if item not in emptied]
        for group, members in self.members.items():
            below = set(members_of(group)) - set(group.objects)  # these are in collections that the user made
            for inner in group.children_recursive:
                for obj in set(inner.objects) - set(members):
                    inner.objects.unlink(obj)
            _relink(group.objects, [obj for obj in members if obj not in below])
        _relink(self.container.objects, [item for item in self.items if isinstance(item, bpy.types.Object)])
        _relink(self.container.children, [item for item in self.items if isinstance(item, bpy.types.Collection)])
        write_order(self.container, self.items)
        bpy.data.batch_remove([group for group in emptied if not group.children and not group.users])


def trees_of(objects: Iterable[bpy.types.Object]) -> list[Tree]:
    """Return the trees of all containers that hold any of the objects.

    Raises MosaicError for a container that is linked from another .blend, or has a library override in it.
    """
    wanted = set(objects)
    found = []
    for collection in bpy.data.collections:
        if has(collection, CONTAINER) and not wanted.isdisjoint(objects_within(collection)):
            if not collection.is_editable:
                raise MosaicError(f"{collection.name!r} comes from a linked file, where it would have to be changed.")
            parts = (collection, *collection.children_recursive)
            override = next((part for part in parts if part.override_library is not None), None)
            if override is not None:
                raise MosaicError(
                    f"{override.name!r} is a library override, in which Blender lets no object come, go or change its "
                    "place; make it local first (in the Outliner: ID Data > Make Local)."
                )
            found.append(Tree(collection))
    return found


def new_group(objects: Sequence[bpy.types.Object], name: str) -> bpy.types.Collection:
    """Put objects of one container into a new group, where the first of them stood. Returns its collection.

    Raises MosaicError when the objects are of several containers, or none.
    """
    tree = _one_tree(objects)
    first = objects[0]
    place = tree.items.index(tree.group_of(first) or first)
    before = len([item for item in tree.items[:place] if item not in set(objects)])
    group = bpy.data.collections.new(clean_text(name) or "Group")
    called = {"name": clean_text(name), "uuid": str(uuid.uuid4())}
    note_name(called, "shown", called["name"], group.name)
    group[GROUP] = called
    tree.take(objects)
    tree.items.insert(before, group)
    tree.members[group] = list(objects)
    tree.write()
    return group


def ungroup(objects: Iterable[bpy.types.Object]) -> int:
    """Take objects out of their groups and put them behind these. Returns how many were in a group."""
    wanted = set(objects)
    count = 0
    for tree in trees_of(wanted):
        items: list[Item] = []
        for item in tree.items:
            items.append(item)
            if not isinstance(item, bpy.types.Collection):
                continue
            freed = [obj for obj in tree.members[item] if obj in wanted]
            if freed:
                tree.members[item] = [obj for obj in tree.members[item] if obj not in wanted]
                items += freed
                count += len(freed)
        tree.items = items
        tree.write()
    return count


def move_to(objects: Sequence[bpy.types.Object], target: bpy.types.Collection, before: Item | None = None) -> None:
    """Move objects into a group of their container, or out of their groups into the container itself.

    target: the group or the container. before: the object of the group, or the item of the container, before which they
    are put; None puts them at the end. Raises MosaicError for a target outside the container.
    """
    tree = _one_tree(objects)
    if target != tree.container and target not in tree.members:
        raise MosaicError("Objects can be moved within the clusters or the models of a session only.")
    tree.take(objects)
    siblings: list[Any] = tree.items if target == tree.container else tree.members[target]
    place = siblings.index(before) if before in siblings else len(siblings)
    siblings[place:place] = objects
    tree.write()


def reorder(objects: Iterable[bpy.types.Object], direction: Direction) -> bool:
    """Move objects up or down among their neighbours, or to the top or bottom of these. Returns whether any moved.

    A group whose objects are all among `objects` moves as a whole.
    """
    wanted = set(objects)
    moved = False
    for tree in trees_of(wanted):
        whole = {group for group, members in tree.members.items() if members and wanted.issuperset(members)}
        lists: list[list[Any]] = [
            tree.items,
            *(members for group, members in tree.members.items() if group not in whole),
        ]
        for siblings in lists:
            order = _moved(siblings, wanted | whole, direction)
            moved |= order != siblings
            siblings[:] = order
        tree.write()
    return moved


def _moved(siblings: list[Any], moving: set[Any], direction: Direction) -> list[Any]:
    """Siblings in their new order. Those that move up or down stop at the end and keep their order."""
    if direction in ("TOP", "BOTTOM"):
        rest = [item for item in siblings if item not in moving]
        front = [item for item in siblings if item in moving]
        return front + rest if direction == "TOP" else rest + front
    order = siblings[:] if direction == "UP" else siblings[::-1]
    for number in range(1, len(order)):
        if order[number] in moving and order[number - 1] not in moving:
            order[number - 1], order[number] = order[number], order[number - 1]
    return order if direction == "UP" else order[::-1]


def _one_tree(objects: Sequence[bpy.types.Object]) -> Tree:
    """The tree of the container that holds the objects. Raises MosaicError where several do, or none."""
    trees = trees_of(objects)
    if len(trees) != 1:
        raise MosaicError(
            "Choose objects that are all clusters, or all models, of one session." if trees else "Choose objects first."
        )
    return trees[0]


def _relink(links: Any, wanted: list[Any]) -> None:
    """Make what is linked equal to `wanted`, in its order; what stands right at the beginning stays linked."""
    current = list(links)
    same = next(
        (number for number, pair in enumerate(zip(current, wanted)) if pair[0] != pair[1]),
        min(len(current), len(wanted)),
    )
    for item in current[same:]:
        links.unlink(item)
    for item in wanted[same:]:
        links.link(item)
