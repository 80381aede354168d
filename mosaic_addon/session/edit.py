"""Edits -> nodes. An edit changes only the entry that it is about; the rest of a node stays as it was read."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .errors import MosaicError
from .new_nodes import new_columns
from .nodes import Node, ObjectNode, Pairs
from .releases import Spelling
from .session import MESH_REPRESENTATIONS
from .values import FIT, MODEL, array_of


def put(entries: Pairs, key: str, value: Node) -> None:
    """Give a key of a dict another value, where it stands, or at the end if it is new."""
    for place in range(len(entries) - 2, -1, -2):
        if entries[place] == key and type(entries[place]) is str:
            entries[place + 1] = value
            return
    entries += (key, value)


def drop(entries: Pairs, key: str) -> None:
    """Remove a key from a dict."""
    kept = [part for k, v in zip(entries[::2], entries[1::2], strict=True) if k != key for part in (k, v)]
    entries[:] = kept


def state_of(node: ObjectNode) -> Pairs:
    """Return the attributes of an object, to change them. Raises MosaicError for an object in no known form."""
    if type(node.state) is Pairs:
        return node.state
    if type(node.state) is tuple:
        for part in node.state:
            if type(part) is Pairs:
                return part
    if node.state is None:
        node.state = Pairs()
        return node.state
    raise MosaicError(f"A {node.cls.name} is in no known form.")


def entry(node: ObjectNode, key: str) -> Pairs:
    """Return the dict under a key of an object, to change it; a new one if there is none."""
    state = state_of(node)
    value = state.as_dict().get(key)
    if type(value) is not Pairs:
        value = Pairs()
        put(state, key, value)
    return value


def without_geometries(container: ObjectNode) -> ObjectNode:
    """Copy a container, with an empty list of geometries."""
    bare = ObjectNode(container.cls, container.args, container.kwargs)
    if type(container.state) is Pairs:
        bare.state = Pairs(container.state)
        for place, key in enumerate(container.state[::2]):
            if key == "data":
                bare.state[2 * place + 1] = []
    return bare


def set_name(node: ObjectNode, name: str) -> None:
    """Name a geometry."""
    put(entry(node, "meta"), "name", name)


def set_visible(node: ObjectNode, visible: bool, spelling: Spelling) -> None:
    """Show or hide a geometry."""
    put(state_of(node), "visible", visible if spelling.flags else int(visible))


def set_sampling_rate(node: ObjectNode, rate: Sequence[float]) -> None:
    """Give a geometry a sampling rate, three numbers of angstrom, in the precision of the old one."""
    old = array_of(state_of(node).as_dict().get("sampling_rate"))
    dtype = np.dtype(np.float32) if old is None else old.dtype
    if dtype.kind != "f":
        dtype = np.dtype(np.float64)
    put(state_of(node), "sampling_rate", np.array(rate, dtype))


def set_uuid(node: ObjectNode, uuid: str) -> None:
    """Give a geometry a uuid."""
    put(state_of(node), "uuid", uuid)


def set_meta(node: ObjectNode, key: Any, value: Any) -> None:
    """Replace or add an entry of a geometry's meta."""
    put(entry(node, "meta"), key, value)


def drop_meta(node: ObjectNode, key: Any) -> None:
    """Remove an entry of a geometry's meta."""
    drop(entry(node, "meta"), key)


def set_representation(node: ObjectNode, representation: str) -> None:
    """Show a geometry in another way."""
    put(state_of(node), "representation", representation)


def show_points_instead_of_mesh(node: ObjectNode) -> None:
    """Show the points of a geometry that lost its mesh, on which Mosaic would fail."""
    if state_of(node).as_dict().get("representation") in MESH_REPRESENTATIONS:
        set_representation(node, "pointcloud")


def set_isovalue(node: ObjectNode, percentile: float | None, fractions: bool) -> None:
    """Give a volume an isovalue, 0-100 percent of its values; None leaves it to Mosaic. fractions: how to write it."""
    appearance = entry(node, "appearance")
    if percentile is None:
        drop(appearance, "isovalue_percentile")
    else:
        put(appearance, "isovalue_percentile", percentile / 100 if fractions else percentile)


def set_resolution(node: ObjectNode, resolution: float) -> None:
    """Give a volume a target resolution, in angstrom."""
    put(state_of(node), "target_resolution", resolution)


def set_appearance(node: ObjectNode, key: str, value: Any) -> None:
    """Give a geometry's appearance another number or colour."""
    put(entry(node, "appearance"), key, value)


def set_fit(node: ObjectNode, fit: ObjectNode | None, spelling: Spelling) -> None:
    """Give a geometry a model, or take it away with None."""
    state = state_of(node)
    meta = entry(node, "meta")
    if MODEL in state.as_dict() or spelling.models:
        put(state, MODEL, fit)
        drop(meta, FIT)
    elif fit is None:
        drop(meta, FIT)
    else:
        put(meta, FIT, fit)


def set_columns(node: ObjectNode, columns: Mapping[str, Any], count: int, spelling: Spelling) -> None:
    """Replace the vertex properties of a geometry. columns: arrays by name. count: their rows."""
    container = state_of(node).as_dict().get("vertex_properties")
    if type(container) is not ObjectNode:
        container = new_columns({}, count, spelling)
        put(state_of(node), "vertex_properties", container)
    put(state_of(container), "_n_vertices", count)
    put(state_of(container), "_properties", Pairs([part for item in columns.items() for part in item]))
