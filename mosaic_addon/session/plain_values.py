"""Meta and other free values of a session as plain Python values, of bounded size whatever the file holds."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .budget import VALUE, Budget
from .library_values import is_understood, text_of
from .nodes import ArrayNode, ByteArray, CallNode, DtypeNode, FrozenSetNode, Global, Node, ObjectNode, Pairs, SetNode
from .pickle_calls import trouble_of_items

MAX_NESTING = 32
MAX_VALUES = 100_000  # of one geometry's meta
MAX_TITLE = 200  # characters of a dtype
SCALARS = (type(None), bool, int, float, complex, str)
KEYS = (type(None), bool, float, str)


@dataclass(frozen=True, slots=True)
class Kept:
    """A stand-in for a value that is kept for saving but not interpreted. what: its name in a sentence."""

    what: str


def plain(node: Node, budget: Budget | None = None) -> Any:
    """Convert a node to Python's own containers and scalars, numpy scalars and arrays.

    A value of the standard library, such as a date, becomes text, and so does an array of records. A set becomes a list if an item cannot be hashed. A dict loses the keys that are no scalars. A value becomes `Kept`
    if it is not understood, nested deeper than MAX_NESTING, or beyond the first MAX_VALUES. Shared parts are repeated,
    which MAX_VALUES bounds for one call, and `budget` for all calls with it. Raises MosaicError when the budget is
    spent.
    """
    return _Converter(budget or Budget(0)).convert(node, 0)


def _is_key(value: Any) -> bool:
    """Tell whether a value may be hashed: a scalar of which a file cannot hold many with one hash."""
    if type(value) is int:
        return -(2**63) <= value < 2**63
    return type(value) in KEYS or (isinstance(value, np.generic) and not isinstance(value, np.complexfloating))


class _Converter:
    """One call of `plain`, with the number of values that are left for it."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.left = MAX_VALUES

    def convert(self, node: Node, depth: int) -> Any:
        kind = type(node)
        if kind in SCALARS or isinstance(node, np.generic):
            return node
        size = len(node) if isinstance(node, (list, tuple)) else 0
        self.left -= 1 + size
        if self.left < 0 or depth > MAX_NESTING:
            return Kept("more nested values than are shown")
        self.budget.spend(VALUE * (1 + size))
        if kind is Pairs:
            return {k: self.convert(v, depth + 1) for k, v in zip(node[::2], node[1::2], strict=True) if _is_key(k)}
        if kind is list:
            return [self.convert(item, depth + 1) for item in node]
        if kind is tuple:
            return tuple(self.convert(item, depth + 1) for item in node)
        if kind in (SetNode, FrozenSetNode):
            items = [self.convert(item, depth + 1) for item in node]
            return (set if kind is SetNode else frozenset)(items) if all(map(_is_key, items)) else items
        if kind is ArrayNode:
            return self.array(node)
        if kind is memoryview:
            self.budget.spend(len(node))
            return bytes(node)
        if kind is bytes or kind in (slice, range):
            return node
        if kind is ByteArray:
            self.budget.spend(len(node.data))
            return bytearray(node.data)
        if kind is DtypeNode:
            return node.kept.title[:MAX_TITLE] if node.dtype is None and node.kept is not None else str(node.dtype)
        if kind is CallNode:
            return self.text(node)
        if kind is ObjectNode:
            return self.text(node) if node.cls.kind == "uuid" else Kept(f"a {node.cls!r}")
        if kind is Global:
            return repr(node) if node.kind == "name" else Kept(f"the name {node!r}")
        return Kept(f"a {kind.__name__}")

    def text(self, node: CallNode | ObjectNode) -> Any:
        """Tell what a value of the standard library is, or a member of an enumeration."""
        if type(node) is CallNode and not is_understood(node):
            return Kept(f"a {node.function!r}")
        text = text_of(node)
        self.budget.spend(len(text))
        return text

    def array(self, node: ArrayNode) -> Any:
        if node.values is None:
            if not node.kept:
                return Kept(f"a damaged array, {node.trouble}")
            _, shape, dtype, _, _ = node.state
            if dtype.kept.dtype.hasobject:
                return Kept("an array of objects")
            return f"array {str(shape)[:MAX_TITLE]} of {dtype.kept.title[:MAX_TITLE]}"
        if node.values.dtype.kind in "bU":
            self.budget.spend(node.values.nbytes)
            if trouble_of_items(node.values):
                return Kept("an array whose items are damaged")
        return node.values


def unknown_parts(value: Any) -> Iterator[str]:
    """Name the `Kept` values in a converted value, one by one. Mosaic's own classes are no surprise and left out."""
    if isinstance(value, Kept):
        if not value.what.startswith("a mosaic."):
            yield value.what
    elif isinstance(value, dict):
        for item in value.values():
            yield from unknown_parts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from unknown_parts(item)
