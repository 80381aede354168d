"""Nodes -> the order and groups of the geometries, as Mosaic's browser shows them."""

from .budget import ENTRY
from .nodes import Node, ObjectNode, Pairs
from .reading import Item, Reading
from .session import Container, Geometry, Group


def arrange(container: Container, tree: Node, reading: Reading) -> None:
    """Put the geometries into the order and groups of Mosaic's browser. Those that the tree does not name come last."""
    if type(tree) is ObjectNode:
        Item(reading, "tree of", container.name).warn_of_names(tree.cls.name, tree.fields())
    left: dict[str | int, Geometry] = {}
    for geometry in container.geometries:
        key = geometry.uuid if geometry.uuid is not None and geometry.uuid not in left else geometry.index
        left[key] = geometry
    damaged = [item.node.fields().get("uuid") for item in container.damaged if type(item.node) is ObjectNode]
    known = {uuid for uuid in (*left, *damaged) if type(uuid) is str}
    unknown = 0

    def take(uuid: Node) -> list[Geometry]:
        nonlocal unknown
        if type(uuid) is str and uuid in left:
            return [left.pop(uuid)]
        unknown += type(uuid) is not str or uuid not in known
        return []

    for uuid, name, members in tree_items(tree):
        if members is None:
            container.items += take(uuid)
        elif uuid not in known:  # a group named twice stands where it is named first
            known.add(uuid)
            reading.budget.spend(ENTRY * len(members))
            container.items.append(
                Group(uuid, name or uuid, [geometry for member in members for geometry in take(member)])
            )
    container.items += left.values()
    if unknown:
        reading.warn(f"The tree of the {container.name} names {unknown} objects that the session does not hold.")


def tree_items(tree: Node) -> list[tuple[str, str | None, list[Node] | None]]:
    """List the top level of a tree in order, as (uuid, group's name, members); members are None for a geometry."""
    if type(tree) is not ObjectNode:
        return []
    fields = tree.fields()
    groups = fields["groups"].as_dict() if type(fields.get("groups")) is Pairs else {}
    members = {key: value for key, value in groups.items() if type(value) is list}
    if tree.cls.name == "TreeState":  # groups by name; root_order: {uuid: (index, group's name or None)}
        order = fields["root_order"].as_dict() if type(fields.get("root_order")) is Pairs else {}
        ranked = [
            (place[0], uuid, place[1])
            for uuid, place in order.items()
            if type(place) is tuple and len(place) == 2 and type(place[0]) is int
        ]
        ranked.sort(key=lambda entry: entry[0])
        return [(uuid, name, members.get(name) if type(name) is str else None) for _, uuid, name in ranked]
    names = fields["group_names"].as_dict() if type(fields.get("group_names")) is Pairs else {}
    roots = fields.get("root_items")
    return [
        (uuid, names[uuid] if type(names.get(uuid)) is str else None, members.get(uuid))
        for uuid in (roots if type(roots) is list else [])
        if type(uuid) is str
    ]
