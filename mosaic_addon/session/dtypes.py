"""Dtypes of numpy in a pickle: the table of those that are interpreted, and the check of those that are only kept.

What numpy would make of a forged dtype reads outside of memory, so one is kept only in exactly the form in which numpy
pickles it, down to its fields. Facts of numpy's format: `arraydescr_reduce` and `arraydescr_setstate` in its
`descriptor.c`, tried with numpy 1.26, 2.4 and 2.5.
"""

import re
from math import prod
from typing import Any, TypeAlias

import numpy as np

from .nodes import DtypeNode, Global, KeptDtype, Node, Pairs

MAX_STRING_ITEM = 65_536  # bytes of one item of a text array
MAX_ITEM = 2**28  # bytes of one item of an array that is only kept
MAX_DEPTH = 32  # dtypes within each other
MAX_DIMENSIONS = 32  # numpy's limit up to 1.26
MAX_FIELDS_SHOWN, MAX_NAME_SHOWN = 8, 40
ALIGNED = 0x80  # numpy's flag for a dtype with gaps as a C compiler leaves them
RECORD = ("numpy", "record")
LONG = ("f16", "c32")  # which numpy has on some machines alone

Kept: TypeAlias = tuple[KeptDtype, tuple[Node, ...]]


def _dtypes() -> dict[tuple[str, str], np.dtype[Any]]:
    """Make the table of dtypes that are interpreted, by the code and byte order that numpy pickles."""
    table = {}
    for code in ("b1", "i1", "u1"):
        table[code, "|"] = np.dtype(code)
    for code in ("i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16"):
        for order in "<>":
            table[code, order] = np.dtype(order + code)
        table[code, "="] = np.dtype(code)
    return table


DTYPES = _dtypes()
STATE_TYPES = (int, str, type(None), type(None), type(None), int, int, int)
PLAIN_STATE = (None, None, None, -1, -1, 0)
CODE = re.compile("[biufcSUVOMm][0-9]{0,10}")
UNITS = frozenset(b"Y M W D h m s ms us ns ps fs as generic".split())
SCALARS = (type(None), bool, int, float, str)


def is_code(code: Node) -> bool:
    """Tell whether numpy pickles dtypes under a name like this one."""
    if type(code) is Global:
        return (code.module, code.name) == RECORD
    return type(code) is str and CODE.fullmatch(code) is not None


def interpreted(code: Node, state: tuple[Node, ...]) -> np.dtype[Any] | None:
    """Return the dtype of numpy's state: version, byte order, subdtype, names, fields, item size, alignment, flags.

    None for one that is not interpreted.
    """
    if type(code) is not str or tuple(map(type, state)) != STATE_TYPES or state[0] != 3:
        return None
    if state[2:] == PLAIN_STATE:
        return DTYPES.get((code, state[1]))
    if code[0] in "US":
        made = _text_dtype(code, state[1])
        if made is not None and made.itemsize <= MAX_STRING_ITEM and _sizes(made) == state[5:]:
            return made
    return None


def _text_dtype(code: str, order: str) -> np.dtype[Any] | None:
    """Return a dtype of text with at least one character; None for none."""
    if not 1 < len(code) < 8 or int(code[1:]) == 0 or order not in (("<", ">", "=") if code[0] == "U" else ("|",)):
        return None
    return np.dtype((order if code[0] == "U" else "") + code)


def _sizes(made: np.dtype[Any]) -> tuple[int, int, int]:
    """Return the item size, alignment and flags that numpy pickles of a dtype."""
    flags = made.flags & 0xFF
    return (made.itemsize, made.alignment, flags) if made.kind in "VUS" else (-1, -1, flags)


# --- dtypes that are only kept ---------------------------------------------------------------------------------------


def kept(code: Node, state: tuple[Node, ...]) -> Kept | None:
    """Return what is known of a dtype that is not interpreted, and a copy of its state that nobody can change any more.

    state: as for `interpreted`, with a ninth part for metadata. None if numpy pickles no dtype like this.
    """
    if len(state) not in (8, 9) or type(state[0]) is not int or state[0] != len(state) - 5:
        return None
    _, order, sub, names, fields, *sizes = state[:8]
    if type(order) is not str or set(map(type, sizes)) != {int}:
        return None
    metadata = _metadata(code, state[8]) if len(state) == 9 else ()
    if metadata is None:
        return None
    try:
        if sub is None and names is None and fields is None:
            found = _plain(code, order, metadata)
        elif order != "|":
            found = None
        elif sub is None:
            found = _structured(names, fields, sizes)
        else:
            found = _subarray(sub) if names is None and fields is None else None
        if found is None:
            return None
        known, sub, fields = found
        if type(code) is Global:
            if names is None:
                return None
            known = known._replace(dtype=np.dtype((np.record, known.dtype)))
        elif (sub is not None or names is not None) and code != f"V{known.dtype.itemsize}":
            return None
    except (ValueError, TypeError, OverflowError):  # in which numpy says that it makes no such dtype
        return None
    size, alignment, flags = sizes
    expected = (-1, -1, 0) if code in LONG else _sizes(known.dtype)
    # Up to numpy 1.26 the flags are a signed byte.
    fits = -ALIGNED <= flags < 2 * ALIGNED and (size, alignment, flags & 0xFF) == expected
    if not fits or known.depth > MAX_DEPTH or known.dtype.itemsize > MAX_ITEM:
        return None
    return known, (state[0], order, sub, names, fields, size, alignment, flags, *metadata)


def _metadata(code: Node, metadata: Node) -> tuple[Node, ...] | None:
    """Return a copy of the ninth part of a state: what its author noted or, of dates, their unit. None for others."""
    if code in ("M8", "m8"):
        if type(metadata) is not tuple or len(metadata) != 2 or type(metadata[0]) not in (type(None), Pairs):
            return None
        if metadata[0]:
            return None
        unit = metadata[1]
        if type(unit) is not tuple or tuple(map(type, unit)) != (bytes, int, int, int) or unit[0] not in UNITS:
            return None
        return (
            ((None if metadata[0] is None else Pairs(), unit),) if 0 < unit[1] < 2**31 and unit[2:] == (1, 1) else None
        )
    if type(metadata) is not Pairs or not set(map(type, metadata[::2])) <= {str}:
        return None
    if not all(type(value) in SCALARS or (type(value) is Global and value.kind == "name") for value in metadata[1::2]):
        return None
    return (Pairs(metadata),)


def _plain(code: Node, order: str, metadata: tuple[Node, ...]) -> tuple[KeptDtype, None, None] | None:
    """Return a dtype without fields."""
    made: np.dtype[Any] | None = None
    title = code
    if type(code) is not str:
        return None
    if code in ("M8", "m8") and metadata and order in "<>=":
        unit, count = metadata[0][1][:2]
        made = np.dtype(f"{order}{code}" if unit == b"generic" else f"{order}{code}[{count}{unit.decode()}]")
        title = made.name
    elif code in LONG and order in "<>=":
        made = np.dtype(f"V{code[1:]}")
    elif code == "O8" and order == "|":
        made, title = np.dtype("O"), "objects"
    elif code[0] == "V" and order == "|":
        made, title = np.dtype(code), "bytes"
    elif code[0] in "US":
        made = _text_dtype(code, order)
    else:
        made = DTYPES.get((code, order))
    return None if made is None else (KeptDtype(made, 1, 1, title), None, None)


def _of(node: Node) -> KeptDtype | None:
    """Return what is known of a dtype within another."""
    if type(node) is not DtypeNode:
        return None
    return node.kept if node.dtype is None else KeptDtype(node.dtype, 1, 1, node.dtype.name)


def _subarray(sub: Node) -> tuple[KeptDtype, Node, None] | None:
    """Return a dtype whose items are arrays. sub: the dtype of theirs, and their shape."""
    if type(sub) is not tuple or len(sub) != 2 or type(sub[1]) is not tuple:
        return None
    base, shape = _of(sub[0]), sub[1]
    if base is None or base.dtype.subdtype is not None or not 0 < len(shape) <= MAX_DIMENSIONS:
        return None
    if set(map(type, shape)) != {int} or min(shape) < 0 or base.dtype.itemsize * prod(shape) > MAX_ITEM:
        return None
    made = np.dtype((base.dtype, shape))
    return KeptDtype(made, base.leaves * prod(shape), base.depth + 1, f"{base.title} {shape}"), sub, None


def _structured(names: Node, fields: Node, sizes: list[int]) -> tuple[KeptDtype, None, Pairs] | None:
    """Return a dtype with fields. fields: by name, each a dtype, an offset and, for a few, a title."""
    if type(names) is not tuple or type(fields) is not Pairs or not set(map(type, (*names, *fields[::2]))) <= {str}:
        return None
    entries = fields.as_dict()
    parts, titles = [], []
    for name in names:
        entry: Any = entries.get(name)
        known = _of(entry[0]) if type(entry) is tuple and 2 <= len(entry) <= 3 else None
        if known is None or type(entry[1]) is not int or entry[1] < 0:
            return None
        title = entry[2] if len(entry) == 3 else None
        if len(entry) == 3:
            again = entries.get(title) if type(title) is str else None
            if type(again) is not tuple or len(again) != 3 or again[0] is not entry[0] or again[1:] != entry[1:]:
                return None
        parts.append((entry[1], known))
        titles.append(title)
    expected = {*names, *(title for title in titles if title is not None)}
    if len(set(names)) < len(names) or entries.keys() != expected or 2 * len(entries) != len(fields):
        return None
    end = 0
    for offset, known in sorted(parts, key=lambda part: (part[0], part[1].dtype.itemsize)):
        if known.dtype.itemsize:
            if offset < end:
                return None
            end = offset + known.dtype.itemsize
    plan: dict[str, Any] = {"names": list(names), "formats": [known.dtype for _, known in parts]}
    plan |= {"offsets": [offset for offset, _ in parts], "itemsize": sizes[0]}
    plan |= {"titles": titles} if any(titles) else {}
    made: np.dtype[Any] = np.dtype(plan, align=bool(sizes[2] & ALIGNED))  # type: ignore[call-overload]
    shown = [
        f"{name[:MAX_NAME_SHOWN]} {known.title[:MAX_NAME_SHOWN]}"
        for name, (_, known) in zip(names[:MAX_FIELDS_SHOWN], parts)
    ]
    title = f"records of {', '.join(shown)}{', …' if len(names) > MAX_FIELDS_SHOWN else ''}"
    leaves, depth = sum(known.leaves for _, known in parts), max((known.depth for _, known in parts), default=0)
    return KeptDtype(made, leaves, depth + 1, title), None, Pairs(fields)
