"""The containers and trees in the state of a session, to fill them."""

from collections.abc import Sequence

from .edit import put, state_of
from .new_nodes import new_container
from .nodes import Node, ObjectNode, Pairs
from .releases import CONTAINER_KEYS, TREE_KEYS, Spelling, container_in


def set_geometries(state: Pairs, name: str, nodes: Sequence[Node], spelling: Spelling) -> None:
    """Replace the geometries of a container, which is made if it is missing. name: "clusters" or "models"."""
    container = container_in(state.as_dict(), name)
    if type(container) is not ObjectNode:
        if not nodes:
            return
        container = new_container(name, spelling)
        put(state, CONTAINER_KEYS[name][0], container)
    put(state_of(container), "data", list(nodes))


def tree_of(state: Pairs, name: str) -> Node:
    """Return the tree of a container; None without one."""
    return state.as_dict().get(TREE_KEYS[name])


def set_tree(state: Pairs, name: str, tree: Node) -> None:
    """Replace the tree of a container."""
    put(state, TREE_KEYS[name], tree)


def has_root_items(tree: Node) -> bool:
    """Tell whether a tree lists its top level as Mosaic since 1.1 reads it: a list of texts."""
    roots = tree.fields().get("root_items") if type(tree) is ObjectNode else None
    return type(roots) is list and {str}.issuperset(map(type, roots))
