"""Readers of custom properties, and bytes as whole numbers, which properties hold instead of raw bytes.

A .blend comes by mail, too, so what its properties hold is as foreign as a file. A reader takes the value that Blender
gives and returns one that the code may rely on, None for what no save of ours writes. It looks at types, lengths and
ranges alone, so that the properties of thousands of objects are read quickly; what a long text or bytes mean is checked
by those who parse them.
"""

import struct
from collections.abc import Callable
from functools import lru_cache
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEAD = struct.Struct("=ii")  # before bytes that are held as numbers
MAX_CODE = 16  # characters of a numpy dtype
NUMBERS = frozenset({int, float})


def numbers_of(data: bytes, first: int) -> NDArray[np.int32]:
    """Return bytes as numbers that a custom property holds: `first`, how many bytes at the end are spare, the bytes.

    A property of raw bytes crashes Blender's Alembic export, and is cut at the first NUL when it is replaced.
    """
    spare = -len(data) % 4
    return np.frombuffer(b"".join((HEAD.pack(first, spare), data, bytes(spare))), np.int32)


def packed(value: Any) -> tuple[int, bytes] | None:
    """Return the first number and the bytes that `numbers_of` made a property of."""
    if getattr(value, "typecode", None) != "i":
        return None
    data = bytes(value)
    if len(data) < HEAD.size:
        return None
    first, spare = HEAD.unpack_from(data)
    if not 0 <= spare < 4 or len(data) < HEAD.size + spare:
        return None
    return first, data[HEAD.size : len(data) - spare]


def raw_numbers(value: Any) -> Any:
    """Return an array of 32-bit numbers as Blender has it, which takes no memory of its own."""
    return value if getattr(value, "typecode", None) == "i" else None


@lru_cache(100)
def number_dtype(code: str) -> np.dtype[Any] | None:
    """Return the numpy dtype of numbers with this code, such as "<f4"; None for any other code."""
    if len(code) > MAX_CODE:
        return None
    try:
        dtype = np.dtype(code)
    except (TypeError, ValueError):
        return None
    return dtype if dtype.kind in "biufc" else None


def text(value: Any) -> str | None:
    """Return a text."""
    return value if type(value) is str else None


def one_of(*choices: str) -> Callable[[Any], str | None]:
    """Make a reader of a text that is one of some."""
    known = frozenset(choices)
    return lambda value: value if type(value) is str and value in known else None


def texts(*names: str) -> Callable[[Any], dict[str, str] | None]:
    """Make a reader of those entries of a group that have these names and are texts; the others are passed over."""

    def read(value: Any) -> dict[str, str] | None:
        if not hasattr(value, "to_dict"):
            return None
        entries = ((name, value.get(name)) for name in names)
        return {name: entry for name, entry in entries if type(entry) is str}

    return read


def flag_or_texts(value: Any) -> list[str] | bool | None:
    """Return true, or a list of texts."""
    if value is True or (type(value) is int and value == 1):  # as Blender keeps true
        return True
    items = value.to_list() if hasattr(value, "to_list") else value
    return items if type(items) is list and {str}.issuperset(map(type, items)) else None


def list_of_texts(value: Any) -> list[str] | None:
    """Return a list of texts."""
    items = flag_or_texts(value)
    return items if type(items) is list else None


def plain_values(value: Any) -> dict[str, str | float | bool] | None:
    """Return those entries of a group that are texts, numbers or flags; the others are passed over."""
    if not hasattr(value, "to_dict"):
        return None
    return {name: entry for name, entry in value.items() if type(entry) in (str, int, float, bool)}


def flag(value: Any) -> bool | None:
    """Return true or false."""
    return bool(value) if type(value) in (bool, int) else None


def natural(value: Any) -> int | None:
    """Return a whole number from 0 on."""
    return value if type(value) is int and value >= 0 else None


def number(value: Any) -> float | None:
    """Return a number that is finite."""
    return float(value) if type(value) in NUMBERS and isfinite(value) else None


def positive(value: Any) -> float | None:
    """Return a number above 0 that is finite."""
    return float(value) if type(value) in NUMBERS and 0 < value and isfinite(value) else None


def rates(value: Any) -> tuple[float, ...] | None:
    """Return three numbers; a single one stands for all three."""
    if type(value) in NUMBERS:
        return (float(value),) * 3
    if getattr(value, "typecode", "") not in ("i", "f", "d") or len(value) != 3:
        return None
    return tuple(map(float, value))


def three_positive(value: Any) -> tuple[float, float, float] | None:
    """Return three numbers above 0 that are finite."""
    if getattr(value, "typecode", "") not in ("i", "f", "d") or len(value) != 3:
        return None
    x, y, z = map(float, value)
    return (x, y, z) if min(x, y, z) > 0 and isfinite(x + y + z) else None


def three_whole(value: Any) -> tuple[int, int, int] | None:
    """Return three whole numbers above 0."""
    if getattr(value, "typecode", "") != "i" or len(value) != 3:
        return None
    x, y, z = value
    return (x, y, z) if min(x, y, z) > 0 else None


def number_of_datablock(value: Any) -> int | None:
    """Return the session_uid of the datablock that a property refers to."""
    uid = getattr(value, "session_uid", None)
    return uid if type(uid) is int else None


def datablock(kind: str) -> Callable[[Any], Any]:
    """Make a reader of a datablock that a property refers to. kind: as Blender's `id_type` names it."""
    return lambda value: value if getattr(value, "id_type", "") == kind else None
