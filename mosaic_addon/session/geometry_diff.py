"""What differs between two nodes of one geometry: as it was read, or edited since, and as its file has it now."""

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .edit import drop, put, state_of
from .node_diff import SideBySide
from .nodes import Node, ObjectNode, Pairs, Stored
from .rows import slabs_of
from .values import FIT, array_of

# The attributes of a geometry that are no part of its shape: what it is called, where it belongs, how it is drawn.
NO_SHAPE = frozenset({"uuid", "visible", "representation", "appearance", "sampling_rate", "target_resolution"})
META = "meta"  # in which older releases keep the model, which is part of the shape


def differ(left: ObjectNode, right: ObjectNode, is_stored: Callable[[Stored, NDArray[Any]], bool]) -> bool:
    """Tell whether two nodes of a geometry differ in anything.

    is_stored: tells whether the array that a `Stored` on the left stands for is the one on the right.
    """
    return next(SideBySide(is_stored=is_stored).differences(left, right), None) is not None


def shapes_differ(left: ObjectNode, right: ObjectNode, is_stored: Callable[[Stored, NDArray[Any]], bool]) -> bool:
    """Tell whether two nodes of a geometry differ in points, vertex properties, model, volume or frames.

    So does what is not understood. is_stored: as for `differ`.
    """
    one, other = _shape_of(left), _shape_of(right)
    return next(SideBySide(is_stored=is_stored).differences(one, other), None) is not None


def shape_digest(node: ObjectNode) -> str:
    """Return a text that is equal for equal shapes, see `shapes_differ`; what is not understood may count as equal."""
    digest = hashlib.blake2b(digest_size=8)
    seen: set[int] = set()
    stack: list[Node] = [_shape_of(node)]
    while stack:
        value = stack.pop()
        array = value.owner.array(value) if type(value) is Stored else array_of(value)
        if array is not None:
            digest.update(f"{array.dtype.str} {array.shape}".encode())
            for slab in () if array.dtype.hasobject else slabs_of(array):
                digest.update(np.ascontiguousarray(slab).data)
        elif isinstance(value, (list, tuple)) and id(value) not in seen:
            seen.add(id(value))
            digest.update(b"%d items" % len(value))
            stack += reversed(value)
        elif type(value) is ObjectNode and id(value) not in seen:
            seen.add(id(value))
            stack += [value.state, value.cls.name]
        elif isinstance(value, (bool, float, str, np.generic, type(None))):
            digest.update(repr(value).encode())
    return digest.hexdigest()


def with_shape_of(node: ObjectNode, other: ObjectNode) -> ObjectNode:
    """Copy a node of a geometry, but with the shape of another one: the look of `node` and the points of `other`."""
    copy = ObjectNode(node.cls, node.args, node.kwargs)
    copy.state = Pairs(state_of(node))
    old, new = _shape_of(node).as_dict(), _shape_of(other).as_dict()
    meta = copy.state.as_dict().get(META)
    if type(meta) is Pairs:
        meta = Pairs(meta)
        put(copy.state, META, meta)
    for key in old | new:
        entries = copy.state if key != FIT else meta
        if type(entries) is not Pairs:
            continue
        if key in new:
            put(entries, key, new[key])
        else:
            drop(entries, key)
    return copy


def _shape_of(node: ObjectNode) -> Pairs:
    """Return the attributes of a geometry that are its shape. Those of a model in meta stand under its key there."""
    shape = Pairs()
    for key, value in node.fields().items():
        if key == META:
            fit: Node = value.as_dict().get(FIT) if type(value) is Pairs else None
            if fit is not None:
                shape += (FIT, fit)
        elif key not in NO_SHAPE:
            shape += (key, value)
    return shape
