"""Free values of a session <-> Blender's custom properties, which hold fewer kinds of values than Python."""

from functools import lru_cache
from typing import Any

import bpy
import numpy as np

from ...session.plain_values import Kept
from ..keys import KEYS

MAX_KEY_BYTES = 63
MAX_ITEMS = 4096  # of an array; a custom property is for reading, not for data
# Custom properties that do not come from meta: ours, and those in which Blender 4.5 and 5.0 keep settings of Cycles.
OURS = frozenset({*KEYS, "cycles", "cycles_visibility"})
INT32 = range(-(2**31), 2**31)


def has(owner: bpy.types.bpy_struct, key: str) -> bool:
    """Return whether a datablock carries a custom property. The type stubs of Blender know no `in` for datablocks."""
    return key in owner  # type: ignore[operator]


def to_property(value: Any) -> Any:
    """Return a value as a custom property can hold it; None where none can.

    Numbers beyond 32 bits, complex numbers and None become text, bytes become hexadecimal text; sets and tuples become
    lists; a list of different kinds becomes a list of text, or of named entries where it is nested; arrays larger than
    MAX_ITEMS are left out.
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
        return bytes(value).hex()
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
    """Return the entries that custom properties can hold, under keys that Blender takes."""
    properties: dict[str, Any] = {}
    for key, value in entries.items():
        converted = None if isinstance(value, Kept) else to_property(value)
        if converted is not None:
            properties[property_key(str(key), properties)] = converted
    return properties


def meta_properties(meta: dict[Any, Any]) -> dict[str, tuple[Any, Any]]:
    """Return what an import makes of meta, {property's key: (meta's key, value)}, but for the name of the object."""
    found: dict[str, tuple[Any, Any]] = {}
    for name, value in meta.items():
        if name == "name":
            continue
        converted = None if isinstance(value, Kept) else to_property(value)
        if converted is not None:
            found[property_key(str(name), found.keys() | OURS)] = (name, converted)
    return found


def own_properties(obj: bpy.types.Object) -> dict[str, Any]:
    """Return the custom properties of an object that are the user's: not ours, Blender's, or those of other add-ons.

    Up to Blender 4.5 the properties that add-ons register are custom properties, too.
    """
    others = _others(tuple(obj.keys()))
    if not others:
        return {}
    known = obj.bl_rna.properties
    return {key: obj[key] for key in others if not (key in known and known[key].is_runtime)}


@lru_cache(1000)
def _others(keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(key for key in keys if key not in OURS and key != "_RNA_UI")


def plain_property(value: Any) -> Any:
    """Return a custom property as Python's own values; None where it refers to a datablock, or holds one that does."""
    if hasattr(value, "to_list"):
        return value.to_list()
    if hasattr(value, "to_dict"):
        value = value.to_dict()
    if isinstance(value, dict):
        entries = {key: plain_property(item) for key, item in value.items()}
        return None if any(item is None for item in entries.values()) else entries
    if isinstance(value, (list, tuple)):
        items = [plain_property(item) for item in value]
        return None if any(item is None for item in items) else items
    return value if isinstance(value, (bool, int, float, str, bytes)) else None


def same_property(a: Any, b: Any) -> bool:
    """Return whether two properties, as Python's own values, are equal; NaN equals NaN."""
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(same_property(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same_property, a, b))
    return bool(a == b or (a != a and b != b))


def like(old: Any, new: Any) -> Any:
    """Return an edited property as the kind of value that it had in meta, where it can be one."""
    if isinstance(old, tuple) and isinstance(new, list):
        return tuple(new)
    if isinstance(old, (bytes, bytearray)) and isinstance(new, str):
        try:
            return type(old)(bytes.fromhex(new))
        except ValueError:
            return new
    if isinstance(old, np.ndarray) and isinstance(new, list) and old.dtype.kind in "biuf":
        return np.array(new).astype(old.dtype)
    if isinstance(old, np.generic) and isinstance(new, (int, float)) and old.dtype.kind in "biuf":
        return old.dtype.type(new)
    return new


def property_key(name: str, taken: Any = ()) -> str:
    """Return a key of at most 63 bytes for a property, numbered if it is among those that are taken."""
    stem = clean_text(name) or "_"
    key, number = stem.encode()[:MAX_KEY_BYTES].decode("utf-8", "ignore"), 0
    while key in taken:
        number += 1
        tail = f".{number:03d}"
        key = stem.encode()[: MAX_KEY_BYTES - len(tail)].decode("utf-8", "ignore") + tail
    return key


def clean_text(text: str) -> str:
    """Return text that Blender keeps whole: without NUL and lone surrogates."""
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
    if kinds & {dict, list}:
        return {str(number): item for number, item in enumerate(converted)}
    return [str(item) for item in converted]
