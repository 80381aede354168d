"""Pickles written by us and read by Python, and whether two structures are the same."""

from __future__ import annotations

import pickle
import struct
from typing import Any

import numpy as np

from mosaic_addon.session import MosaicError
from mosaic_addon.session.nodes import (
    ArrayNode,
    ByteArray,
    CallNode,
    DtypeNode,
    FrozenSetNode,
    Global,
    ObjectNode,
    Pairs,
    SetNode,
    Stored,
)
from mosaic_addon.session.pickle_reader import read_pickle
from mosaic_addon.session.pickle_writer import write_pickle
from tests.support import make_sessions as make
from tests.support.edited_sessions import BoundMethod, Kept


def dumps(value: Any, **options: Any) -> bytes:
    parts: list[bytes] = []
    write_pickle(value, lambda data: parts.append(bytes(data)), **options)
    return b"".join(parts)


def dumps_unless_too_deep(value: Any) -> bytes | None:
    try:
        return dumps(value)
    except MosaicError as error:
        if "nested" not in str(error):
            raise
        return None


def loads(data: bytes) -> Any:
    """By Python itself, with stand-ins for Mosaic's classes."""
    with make.classes_importable():
        return pickle.loads(data)


def rewritten(data: bytes) -> bytes:
    return dumps(read_pickle(data))


# --- whether two structures are the same, sharing included, however deep and even if they contain themselves ---------


def opened(value: Any) -> tuple[Any, list[Any]]:
    """What a value is in itself, and its parts. A node and Python's own value of the same meaning open alike."""
    kind = type(value)
    if isinstance(value, np.generic):
        return ("scalar", value.dtype.str, value.tobytes()), []
    if kind is float:
        return ("float", struct.pack(">d", value)), []
    if kind is complex:
        return ("complex", struct.pack(">dd", value.real, value.imag)), []
    if value is None or kind in (bool, int, str):
        return (kind.__name__, value), []
    if kind in (bytes, memoryview):
        return ("bytes", bytes(value)), []
    if kind in (bytearray, ByteArray):
        return ("bytearray", bytes(value if kind is bytearray else value.data)), []
    if kind in (slice, range):
        return (kind.__name__, value.start, value.stop, value.step), []
    if kind is ArrayNode and value.values is not None:
        value = value.values
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            return ("array", value.dtype.str, value.shape), [value.dtype.descr, *value.reshape(-1).tolist()]
        order = "F" if value.flags.f_contiguous and not value.flags.c_contiguous else "C"
        return ("array", value.dtype.str, str(value.dtype), value.shape, order, value.tobytes(order)), []
    if kind is ArrayNode:
        return ("kept array", value.kept), [value.cls, value.mask, value.state]
    if kind in (dict, Pairs):
        parts = [part for item in value.items() for part in item] if kind is dict else list(value)
        return ("dict", len(parts)), parts
    if kind in (set, SetNode):
        return ("set", len(value)), sorted(value, key=order_of) if len(value) > 1 else list(value)
    if kind in (frozenset, FrozenSetNode):
        return ("frozenset", len(value)), sorted(value, key=order_of) if len(value) > 1 else list(value)
    if kind in (list, tuple):
        return (kind.__name__, len(value)), list(value)
    if kind is Global:
        return ("name", value.module, value.name, value.written, value.kind), []
    if kind is ObjectNode:
        return ("object", value.state is None), [value.cls, value.args, value.kwargs, value.state]
    if kind is CallNode:
        return ("call",), [value.function, value.args, value.items, value.state]
    if kind is DtypeNode:
        return ("dtype", value.dtype.str if value.dtype is not None else value.code), [] if value.dtype else [
            value.state
        ]
    if kind is Stored:
        return ("stored", value.name, value.dtype, value.order), []
    if isinstance(value, np.dtype):
        return ("numpy's dtype", str(value.descr)), []
    if isinstance(value, BoundMethod):
        return ("bound method",), [value.args]
    if isinstance(value, Kept):
        return ("kept", f"{kind.__module__}.{kind.__qualname__}"), [value.args, value.state]
    if isinstance(value, type):
        return ("class", f"{value.__module__}.{value.__qualname__}"), []
    return ("python's object", f"{kind.__module__}.{kind.__qualname__}"), [value.__dict__]


def order_of(value: Any) -> str:
    """By which the items of sets are sorted: they are hashable, so small and no circles."""
    what, parts = opened(value)
    return repr((what, [order_of(part) for part in parts]))


SHARED = (
    list, tuple, dict, set, frozenset, bytearray, np.ndarray, Kept, Pairs, SetNode, FrozenSetNode, ByteArray, ObjectNode,
    CallNode, ArrayNode,
)  # fmt: skip


def assert_same(left: Any, right: Any) -> None:
    todo: list[tuple[Any, Any, str]] = [(left, right, "")]
    twins: dict[int, int] = {}
    back: dict[int, int] = {}
    held: list[Any] = []
    while todo:
        one, other, path = todo.pop()
        if isinstance(one, SHARED) and not (isinstance(one, (tuple, frozenset, FrozenSetNode)) and not len(one)):
            known = twins.get(id(one)), back.get(id(other))
            if known != (None, None):
                assert known == (id(other), id(one)), f"{path}: shared otherwise"
                continue
            twins[id(one)], back[id(other)] = id(other), id(one)
        (what, parts), (other_what, others) = opened(one), opened(other)
        held += (parts, others)  # so that no id is used twice
        assert what == other_what, path
        todo += [(a, b, f"{path}[{i}]"[-200:]) for i, (a, b) in enumerate(zip(parts, others, strict=True))]
