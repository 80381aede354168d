"""Differences of two values, be they nodes of a file or plain Python: where they are, and how large.

Differences that only the pickle's protocol or the numpy that saved makes do not count: how an array was put into the
stream, bytes as a view or a copy, which parts are one object, the order of a set. All else counts: the kind of every
number, the order of keys, the sign of a zero. A NaN is equal to any other NaN.

A file can hold structures on which `==`, `hash` and `repr` never return, so these are used on scalars alone, the walk
has a stack of its own, and every pair of parts is looked at once.
"""

import dataclasses
import math
import struct
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .library_values import is_understood, text_of
from .nodes import (
    ArrayNode,
    ByteArray,
    CallNode,
    DtypeNode,
    FrozenSetNode,
    Global,
    Node,
    ObjectNode,
    Pairs,
    SetNode,
    Stored,
)

MAX_PARTS = 25_000_000  # that are looked at; two sessions of 50 000 objects have 13 million
MAX_DIFFERENCES = 10_000
MAX_BYTES = 12  # that are shown
MAX_PATH = 32  # steps; a difference that lies deeper is told of the last of them
BYTES_OF_A_PART = 64
MAX_TEXT = 60  # characters of one value that are shown

Path: TypeAlias = tuple[str | int, ...]
Found: TypeAlias = tuple[Path, str, str]  # where, and what is there on the left and on the right

SETS = (SetNode, FrozenSetNode, set, frozenset)
PLAIN = (type(None), bool, int, str)


class SideBySide:
    """Finds the differences of many pairs of values. Parts that these share are compared once."""

    def __init__(
        self, left_out: frozenset[int] = frozenset(), is_stored: Callable[[Stored, NDArray[Any]], bool] | None = None
    ) -> None:
        """Begin without anything compared. All compared values must outlive this object.

        left_out: the ids of lists whose items are not compared. is_stored: tells whether the array that a `Stored` on
        the left stands for is the one on the right; without it, they differ.
        """
        self.left_out = left_out
        self.is_stored = is_stored
        self.parts = 0
        self._same: set[tuple[int, int]] = set()
        self._arrays: dict[tuple[int, int], tuple[str, str] | None] = {}

    def differences(self, left: Node, right: Node, path: Path = ()) -> Iterator[Found]:
        """Yield where two values differ, from the top down. More than can be looked at counts as a difference."""
        seen: set[tuple[int, int]] = set()
        stack = [(path, left, right)]
        found = 0
        while stack:
            path, left, right = stack.pop()
            self.parts += 1
            if self.parts > MAX_PARTS or found > MAX_DIFFERENCES:
                yield path, "more than is compared", "more than is compared"
                return
            left, right = _array_of(left), _array_of(right)
            if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
                texts = self._compare_arrays(left, right)
                if texts is not None:
                    found += 1
                    yield path, *texts
                continue
            if self.is_stored and type(left) is Stored and isinstance(right, np.ndarray):
                if not self.is_stored(left, right):
                    found += 1
                    yield path, *_texts(left, right)
                continue
            if _is_scalar(left) or _is_scalar(right) or _kind(left) is not _kind(right):
                if not same_scalars(left, right):
                    found += 1
                    yield path, *_texts(left, right)
                continue
            pair = id(left), id(right)
            if left is right or pair in seen or pair in self._same or self.left_out >= {id(left), id(right)}:
                continue
            seen.add(pair)
            self.parts += _cost(left) + _cost(right)
            if type(left) is CallNode and is_understood(left) and is_understood(right):
                text, other = text_of(left), text_of(right)
                self.parts += (len(text) + len(other)) // BYTES_OF_A_PART
                if text != other:
                    found += 1
                    yield path, _text(text), _text(other)
                    continue
            for text, other in _own(left, right):
                found += 1
                yield path, text, other
            deeper = [
                (path + step if len(path) < MAX_PATH else path, one, other) for step, one, other in _parts(left, right)
            ]
            stack += reversed(deeper)
        if not found:
            self._same |= seen

    def _compare_arrays(self, left: NDArray[Any], right: NDArray[Any]) -> tuple[str, str] | None:
        key = id(left), id(right)
        if key not in self._arrays:
            self._arrays[key] = array_difference(left, right)
        return self._arrays[key]


def _cost(value: Node) -> int:
    """Count the parts that are looked at to compare a value itself, without what its parts hold."""
    kind = _kind(value)
    if kind in (bytes, bytearray, ByteArray):
        return len(value.data if kind is ByteArray else value) // BYTES_OF_A_PART
    return len(value) if isinstance(value, (list, tuple, dict, set, frozenset)) else 1


def _array_of(value: Node) -> Node:
    """Return the array of a node that is no more than that, and any other value as it is."""
    if type(value) is not ArrayNode or value.cls is not None or value.mask is not None:
        return value
    return _items_of(value)


def _items_of(node: ArrayNode) -> Node:
    """Return the items of an array, also of one that is only kept unless it holds Python's objects; else the node."""
    if node.values is not None or not node.kept:
        return node if node.values is None else node.values
    _, shape, dtype, fortran, data = node.state
    known = dtype.kept.dtype
    if known.hasobject or not known.itemsize:
        return node
    return (
        np.frombuffer(data, known).reshape(shape, order="F" if fortran else "C")
        if len(data)
        else np.empty(shape, known)
    )


def _kind(value: Node) -> type:
    """Return the type of a value; views of bytes are bytes, and Pairs are a dict."""
    kind = type(value)
    return bytes if kind is memoryview else dict if kind is Pairs else kind


def _is_scalar(value: Node) -> bool:
    kind = type(value)
    return kind in PLAIN or kind in (float, complex, slice, range) or isinstance(value, np.generic)


def same_scalars(left: Node, right: Node) -> bool:
    """Tell whether two values are scalars of one type with the same bits. NaNs are equal, -0.0 and 0.0 are not."""
    kind = type(left)
    if kind is not type(right):
        return False
    if kind is float:
        return struct.pack("d", left) == struct.pack("d", right) or (math.isnan(left) and math.isnan(right))
    if kind is complex:
        return same_scalars(left.real, right.real) and same_scalars(left.imag, right.imag)
    if kind is slice or kind is range:
        pairs = ((left.start, right.start), (left.stop, right.stop), (left.step, right.step))
        return all(same_scalars(one, other) for one, other in pairs)
    if isinstance(left, np.generic):
        return array_difference(np.asarray(left), np.asarray(right)) is None
    return kind in PLAIN and left == right


# --- arrays ----------------------------------------------------------------------------------------------------------


def array_difference(left: NDArray[Any], right: NDArray[Any]) -> tuple[str, str] | None:
    """Compare dtype, shape and all bits of two arrays. Returns a text for each, None if they are equal."""
    text, other = (f"{_dtype_text(values.dtype)} {values.shape}" for values in (left, right))
    if left.dtype != right.dtype or left.shape != right.shape:
        return text, other
    if left is right or not left.size:
        return None
    bits, other_bits = _bits(left), _bits(right)
    if np.array_equal(bits, other_bits):
        return None
    differs = (bits != other_bits).any(axis=1)
    flat, other_flat = np.ravel(left), np.ravel(right)
    if left.dtype.kind in "fc":
        differs &= ~(np.isnan(flat) & np.isnan(other_flat))
        if not differs.any():
            return None
    count = int(differs.sum())
    if left.ndim == 0 and left.dtype.kind in "biufcUS":
        return _text(left[()]), _text(right[()])
    if left.ndim == 0:
        return text, f"{count} of 1 values differ"
    rows = int(differs.reshape(len(left), -1).any(axis=1).sum())
    said = f"{rows} of {len(left)} rows differ" if left.ndim > 1 else f"{count} of {len(left)} values differ"
    return text, said + _largest(flat[differs], other_flat[differs])


def _dtype_text(dtype: np.dtype[Any]) -> str:
    return dtype.name if dtype.isnative and dtype.kind not in "US" else dtype.str


def _bits(values: NDArray[Any]) -> NDArray[np.uint8]:
    """View an array as (size, itemsize) bytes, which can be compared even where the items are damaged."""
    return np.ascontiguousarray(values).reshape(-1).view(np.uint8).reshape(values.size, -1)


def _largest(left: NDArray[Any], right: NDArray[Any]) -> str:
    """Describe the largest difference of two arrays of numbers; "" for other kinds."""
    if left.dtype.kind not in "iuf":
        return ""
    with np.errstate(all="ignore"):
        distances = np.abs(left.astype(np.float64) - right.astype(np.float64))
    if not np.isfinite(distances).all():
        return ", some of them not finite in one"
    return f", by up to {float(distances.max()):.6g}"


# --- composite values ------------------------------------------------------------------------------------------------


def _own(left: Node, right: Node) -> Iterator[tuple[str, str]]:
    """Yield how two composite values of one kind differ apart from their parts, as texts."""
    kind = _kind(left)
    if kind is dict:
        keys, others = _keys(left), _keys(right)
        if keys != others:
            gone, new = (_names(set(one) - set(two), one) for one, two in ((keys, others), (others, keys)))
            if gone or new:
                yield f"with {gone}" if gone else "without", f"with {new}" if new else "without"
            else:
                yield f"in the order {_names(set(keys), keys)}", f"in the order {_names(set(others), others)}"
    elif kind in SETS:
        items, others = (sorted(_token(item) for item in one if _is_scalar(item)) for one in (left, right))
        if items != others or len(left) != len(right):
            yield (
                f"{len(left)} items {', '.join(items)}"[:MAX_TEXT],
                f"{len(right)} items {', '.join(others)}"[:MAX_TEXT],
            )
    elif kind in (list, tuple):
        if len(left) != len(right):
            yield f"{len(left)} items", f"{len(right)} items"
    elif kind is bytes or kind is bytearray:
        if len(left) != len(right) or memoryview(left) != memoryview(right):
            yield _text(left), _text(right)
    elif kind is Global:
        if (left.module, left.name) != (right.module, right.name):
            yield repr(left), repr(right)
    elif kind is Stored:
        if (left.name, left.dtype, left.order, left.cls) != (right.name, right.dtype, right.order, right.cls):
            yield _text(left), _text(right)
    elif kind is DtypeNode:
        codes = [repr(node.code) for node in (left, right)]
        if (left.dtype is None) != (right.dtype is None) or left.dtype != right.dtype or codes[0] != codes[1]:
            yield _text(left), _text(right)
    elif not (kind in (ObjectNode, CallNode, ArrayNode, ByteArray) or dataclasses.is_dataclass(kind)):
        yield f"a {kind.__name__}, which cannot be compared", f"a {kind.__name__}, which cannot be compared"


def _parts(left: Node, right: Node) -> Iterator[tuple[Path, Node, Node]]:
    """Yield the parts of two composite values of one kind that belong together, each after the step to it."""
    kind = _kind(left)
    if kind is dict:
        values, others = (dict(zip(_keys(one), _values(one), strict=True)) for one in (left, right))
        for (key, number), value in values.items():
            if (key, number) in others:
                yield (key,), value, others[key, number]
        yield from _odd_keys(left, right)
    elif kind in (list, tuple):
        for i, (item, other) in enumerate(zip(left, right)):
            yield (i,), item, other
    elif kind in SETS:
        items, others = ([item for item in one if not _is_scalar(item)] for one in (left, right))
        for i, (item, other) in enumerate(zip(items, others)):
            yield (i,), item, other
    elif kind is ObjectNode:
        yield ("class",), left.cls, right.cls
        yield ("arguments",), left.args, right.args
        yield ("keywords",), left.kwargs, right.kwargs
        yield (), left.state, right.state
    elif kind is CallNode:
        yield ("function",), left.function, right.function
        yield ("arguments",), left.args, right.args
        yield ("items",), left.items, right.items
        yield ("state",), left.state, right.state
    elif kind is ArrayNode:
        yield ("class",), left.cls, right.cls
        yield ("mask",), left.mask, right.mask
        if left.cls is not None or left.mask is not None:
            items, others = _items_of(left), _items_of(right)
            if items is not left and others is not right:
                yield (), items, others
                return
        yield ("state",), left.state, right.state
    elif kind is DtypeNode and left.dtype is None:
        yield ("state",), left.state, right.state
    elif kind is ByteArray:
        yield (), left.data, right.data
    elif dataclasses.is_dataclass(kind):
        values, others = fields_of(left), fields_of(right)
        for name, value in values.items():
            yield (name,), value, others[name]


def fields_of(value: Any) -> dict[str, Any]:
    """Return the fields of an object of a dataclass with slots, by name."""
    state = value.__getstate__()  # (None, fields), or a list of them where the class is frozen
    if type(state) is tuple:
        return state[1]
    return dict(zip((entry.name for entry in dataclasses.fields(value)), state, strict=True))


def _keys(entries: Node) -> list[tuple[str, int]]:
    """Return the keys of a dict as texts, each with the number of equal ones before it."""
    keys = entries[::2] if type(entries) is Pairs else list(entries)
    counts: dict[str, int] = {}
    result = []
    for key in keys:
        token = _token(key)
        counts[token] = counts.get(token, -1) + 1
        result.append((token, counts[token]))
    return result


def _values(entries: Node) -> list[Node]:
    return entries[1::2] if type(entries) is Pairs else list(entries.values())


def _odd_keys(left: Node, right: Node) -> Iterator[tuple[Path, Node, Node]]:
    """Yield the keys of two dicts that are no scalars, in pairs by their order."""
    both = [[key for key in (one[::2] if type(one) is Pairs else one) if not _is_scalar(key)] for one in (left, right)]
    for i, (key, other) in enumerate(zip(*both)):
        yield (f"key {i}",), key, other


def _token(key: Node) -> str:
    """Make a text of a scalar that no other scalar has; one text stands for all composite values."""
    if type(key) is str:
        return key if key.isidentifier() else repr(key)
    return f"{key!r} ({_kind_text(key)})" if _is_scalar(key) else "a composite key"


def _names(chosen: set[tuple[str, int]], keys: list[tuple[str, int]]) -> str:
    """List the chosen ones of some keys, in the order of the keys."""
    names = (name for name, number in keys if (name, number) in chosen)
    text = ", ".join(repr(name) if name.isidentifier() else name for name in names)
    return text if len(text) <= 2 * MAX_TEXT else text[: 2 * MAX_TEXT] + "…"


# --- texts -----------------------------------------------------------------------------------------------------------


def _texts(left: Node, right: Node) -> tuple[str, str]:
    """Make short texts of two values that differ, with their kinds where these differ."""
    text, other = _text(left), _text(right)
    if type(left) is not type(right):
        text, other = (
            f"{said} ({_kind_text(value)})" if _is_scalar(value) and value is not None else said
            for said, value in ((text, left), (other, right))
        )
    return text, other


def _kind_text(value: Node) -> str:
    return f"numpy.{value.dtype.name}" if isinstance(value, np.generic) else type(value).__name__


def _text(value: Node) -> str:
    """Make a short text of a value; of a composite value, its kind and the number of its parts."""
    kind = _kind(value)
    if _is_scalar(value):
        text = str(value) if isinstance(value, np.generic) and value.dtype.kind != "U" else repr(value)
        return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…"
    if isinstance(value, np.ndarray):
        return f"an array, {_dtype_text(value.dtype)} {value.shape}"
    if kind in (bytes, bytearray, ByteArray):
        data = value.data if kind is ByteArray else value
        name = "bytes" if kind is bytes else "bytearray"
        return f"{name} of {len(data)}: {bytes(data[:MAX_BYTES]).hex()}{'…' if len(data) > MAX_BYTES else ''}"
    if kind is dict:
        return f"a dict of {len(_keys(value))}"
    if kind in (list, tuple):
        return f"a {kind.__name__} of {len(value)}"
    if kind in SETS:
        return f"a set of {len(value)}"
    if kind is ObjectNode:
        return f"a {value.cls!r}"
    if kind is Global:
        return repr(value)
    if kind is DtypeNode:
        return f"the dtype {str(value.code)[:20] if value.dtype is None else _dtype_text(value.dtype)}"
    if kind is Stored:
        return f"the array {value.name[:MAX_TEXT]!r}, {value.dtype[:20]}"
    if kind is ArrayNode:
        return f"an array that is only kept: {(value.trouble or 'it is not complete')[:MAX_TEXT]}"
    return f"a {kind.__name__}"
