"""Plain values -> bytes that are equal for equal values, in every process and after a .blend was opened again."""

import hashlib
import math
import struct
from enum import Enum
from typing import Any

import numpy as np

DIGEST_BYTES = 8


def digest_of(value: Any) -> str:
    """Return 16 hexadecimal digits that are equal for equal values. Raises TypeError for what is no plain value."""
    return hashlib.blake2b(canonical(value), digest_size=DIGEST_BYTES).hexdigest()


def canonical(value: Any) -> bytes:
    """Encode None, bool, int, float, str, bytes, an Enum's members, numpy's numbers and arrays, and containers of them.

    A dict is encoded in the order of its keys, a tuple like a list, and every NaN like any other. 1, 1.0 and True
    differ, as they do in a session. Raises TypeError for anything else, because its text could hold an address.
    """
    kind = type(value)
    if value is None:
        return b"n"
    if kind is bool:
        return b"t" if value else b"f"
    if kind is int:
        return b"i%d;" % value
    if kind is float:
        return b"d" + struct.pack(">d", math.nan if math.isnan(value) else value)
    if kind is str:
        return _sized(b"s", value.encode("utf-8", "surrogatepass"))
    if kind is bytes:
        return _sized(b"b", value)
    if kind in (tuple, list):
        return b"(" + b"".join(map(canonical, value)) + b")"
    if kind is dict:
        return b"{" + b"".join(sorted(canonical(key) + canonical(item) for key, item in value.items())) + b"}"
    if isinstance(value, Enum):
        return b"e" + canonical(value.value)
    if isinstance(value, (np.generic, np.ndarray)) and value.dtype.kind in "biufcSU":
        return b"a" + canonical([value.dtype.str, list(value.shape)]) + _sized(b"b", value.tobytes())
    raise TypeError(f"a {kind.__name__} has no canonical form")


def _sized(mark: bytes, data: bytes) -> bytes:
    return b"%b%d:%b" % (mark, len(data), data)
