"""Free values of a session -> Blender's custom properties, which hold less than Python does."""

from typing import Any

import numpy as np

from ..session.meta import Kept

MAX_KEY_BYTES = 63
MAX_ITEMS = 4096  # of an array; a custom property is for reading, not for data
INT32 = range(-(2**31), 2**31)


def to_property(value: Any) -> Any:
    """`value` as a custom property can hold it, or None where it cannot.

    Numbers beyond 32 bits, complex numbers and None become text; sets and tuples become lists; a list of different kinds
    becomes a list of text, or of named entries where it is nested; arrays larger than MAX_ITEMS are left out.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, complex):
        return str(value)
    if isinstance(value, (bool, float)):
        return value
    if isinstance(value, int):
        return value if value in INT32 else str(value)
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(value, dict):
        return properties_of(value)
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return _sequence(list(value))
    if isinstance(value, (slice, range)):
        return str(value)
    return None


def properties_of(entries: dict[Any, Any]) -> dict[str, Any]:
    """The entries that custom properties can hold, under keys that Blender takes."""
    properties: dict[str, Any] = {}
    for key, value in entries.items():
        converted = None if isinstance(value, Kept) else to_property(value)
        if converted is not None:
            properties[property_key(str(key), properties)] = converted
    return properties


def property_key(name: str, taken: Any = ()) -> str:
    """A key of at most 63 bytes that is not among `taken`."""
    stem = clean_text(name) or "_"
    key, number = stem.encode()[:MAX_KEY_BYTES].decode("utf-8", "ignore"), 0
    while key in taken:
        number += 1
        tail = f".{number:03d}"
        key = stem.encode()[: MAX_KEY_BYTES - len(tail)].decode("utf-8", "ignore") + tail
    return key


def clean_text(text: str) -> str:
    """Text that Blender keeps whole: no NUL, no lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _array(value: np.ndarray[Any, Any]) -> Any:
    if value.size > MAX_ITEMS:
        return None
    if value.ndim == 0:
        return to_property(value.item())
    return _sequence(value.tolist())


def _sequence(items: list[Any]) -> Any:
    converted = [to_property(item) for item in items if not isinstance(item, Kept)]
    converted = [item for item in converted if item is not None]
    kinds = set(map(type, converted))
    if kinds <= {int} or kinds <= {str} or kinds <= {bool}:
        return converted
    if kinds <= {int, float, bool}:
        return [float(item) for item in converted]
    if kinds & {dict, list, bytes}:
        return {str(number): item for number, item in enumerate(converted)}
    return [str(item) for item in converted]
