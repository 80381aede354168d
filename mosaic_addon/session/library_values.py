"""Harmless values of Python's standard library that a session may hold: the calls that Python pickles them by.

Each call is kept as a node and never made. Its arguments have to be those that Python's own picklers write, of a value
that Python can make; tried with Python 3.9 to 3.14. `text_of` says what a value is, for people.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, TypeAlias
from uuid import UUID

import numpy as np

from .nodes import ByteArray, CallNode, DtypeNode, FrozenSetNode, Global, Node, ObjectNode, Pairs, SetNode

Args: TypeAlias = tuple[Node, ...]

MASKED_CONSTANT = ("numpy.ma.core", "MaskedConstant")
MAX_DIGITS = 1000  # of a decimal number or fraction
MAX_TEXT = 1000  # characters that are shown
MAX_PARTS, MAX_DEPTH = 100, 8  # of a container that are shown
MAX_WORD = 80  # characters of the value of a member of an enumeration

FACTORIES = ("list", "dict", "set", "int", "float", "str")  # of defaultdict, and names of types as such
DECIMAL = re.compile(r"-?([0-9]+(\.[0-9]*)?(E[+-]?[0-9]{1,18})?|Infinity|s?NaN[0-9]*)")
FRACTION = re.compile("-?[0-9]+(/[0-9]*[1-9][0-9]*)?")
WORD = re.compile(r"[\w -]*")
# The machine formats in which an array of Python's own is pickled, as numpy's dtypes and by their number.
ARRAY_FORMATS = (
    "u1", "i1", "<u2", ">u2", "<i2", ">i2", "<u4", ">u4", "<i4", ">i4", "<u8", ">u8", "<i8", ">i8", "<f4", ">f4", "<f8",
    ">f8", "<u2", ">u2", "<u4", ">u4",
)  # fmt: skip
UTF = 18  # the first format of text
INTEGERS, FLOATS, TEXTS = "bBhHiIlLqQ", "fd", "uw"  # the type codes of arrays


@dataclass(frozen=True, slots=True)
class Library:
    """A call of the standard library.

    check: tells whether its arguments may stand there. text: of its value, None where that is told by its parts. items: the
    kind of what the stream puts into the result afterwards, if it does. state: whether the result gets attributes.
    """

    check: Callable[[Args], bool]
    text: Callable[[CallNode], str] | None = None
    items: type[list[Node]] | None = None
    state: bool = False


def is_member(function: Global, args: Args) -> bool:
    """Tell whether a call is one by which Python pickles members of enumerations: of a class, with the member's value.

    Of scipy, other calls are known. Nobody can tell an enumeration from another class, so the value is a short one that
    is no path.
    """
    if len(args) != 1 or not function.name[0].isupper() or function.module.partition(".")[0] == "scipy":
        return False
    value = args[0]
    return type(value) in (int, float, bool) or (
        type(value) is str and len(value) <= MAX_WORD and WORD.fullmatch(value) is not None
    )


def is_uuid(state: Node) -> bool:
    """Tell whether the attributes of an object may be those of a UUID."""
    if type(state) is not Pairs or not set(map(type, state[::2])) <= {str}:
        return False
    entries = state.as_dict()
    number, safe = entries.pop("int", None), entries.pop("is_safe", None)
    return type(number) is int and 0 <= number < 2**128 and safe in (None, 0, -1) and not entries


# --- dates -----------------------------------------------------------------------------------------------------------


def _date_in(data: Node) -> date:
    """Return the date of four bytes. Raises ValueError for none."""
    if type(data) is not bytes or len(data) != 4:
        raise ValueError
    return date(data[0] * 256 + data[1], data[2], data[3])


def _time_in(data: Node, zone: Node) -> time:
    """Return the time of six bytes; the first has a mark for the second pass of an hour that occurs twice."""
    if type(data) is not bytes or len(data) != 6:
        raise ValueError
    hour, fold = data[0] & 0x7F, data[0] >> 7
    return time(hour, data[1], data[2], int.from_bytes(data[3:], "big"), _zone_in(zone), fold=fold)


def _datetime_in(data: Node, zone: Node) -> datetime:
    """Return the date and time of ten bytes; the month has the mark."""
    if type(data) is not bytes or len(data) != 10:
        raise ValueError
    day = _date_in(bytes((data[0], data[1], data[2] & 0x7F, data[3])))
    hour = bytes((data[4] | (data[2] & 0x80),)) + data[5:]
    if data[4] > 0x7F:
        raise ValueError
    return datetime.combine(day, _time_in(hour, zone))


def _duration_in(args: Args) -> timedelta:
    """Return the duration of whole days, seconds and microseconds."""
    if tuple(map(type, args)) != (int, int, int):
        raise ValueError
    days, seconds, microseconds = args
    if not (abs(days) < 10**9 and 0 <= seconds < 86400 and 0 <= microseconds < 10**6):
        raise ValueError
    return timedelta(days, seconds, microseconds)


def _zone_in(node: Node) -> timezone | None:
    """Return the time zone of a call of `timezone`; None for none."""
    if node is None:
        return None
    if type(node) is not CallNode or (node.function.module, node.function.name) != ("datetime", "timezone"):
        raise ValueError
    return _timezone(node.args)


def _timezone(args: Args) -> timezone:
    offset = args[0] if 1 <= len(args) <= 2 and (len(args) == 1 or type(args[1]) is str) else None
    if type(offset) is not CallNode or (offset.function.module, offset.function.name) != ("datetime", "timedelta"):
        raise ValueError
    return timezone(_duration_in(offset.args), *args[1:])


def _with_zone(read: Callable[[Node, Node], Any]) -> Callable[[Args], Any]:
    """Read a time of its bytes and, if there is one, its zone."""

    def made(args: Args) -> Any:
        if not 1 <= len(args) <= 2 or (len(args) == 2 and args[1] is None):
            raise ValueError
        return read(args[0], args[1] if len(args) == 2 else None)

    return made


def _made(make: Callable[[Args], Any]) -> Library:
    """Describe a call whose arguments are checked by making the value, which costs nothing and does nothing."""

    def check(args: Args) -> bool:
        try:
            make(args)
        except (ValueError, OverflowError):
            return False
        return True

    return Library(check, lambda node: str(make(node.args)))


def _only(args: Args) -> Node:
    """Return the one argument of a call. Raises ValueError for more and for none."""
    if len(args) != 1:
        raise ValueError
    return args[0]


# --- numbers, paths, containers --------------------------------------------------------------------------------------


def _is_decimal(args: Args) -> bool:
    return (
        len(args) == 1
        and type(args[0]) is str
        and len(args[0]) <= MAX_DIGITS
        and DECIMAL.fullmatch(args[0]) is not None
    )


def _is_fraction(args: Args) -> bool:
    if len(args) == 1:
        return type(args[0]) is str and len(args[0]) <= MAX_DIGITS and FRACTION.fullmatch(args[0]) is not None
    return tuple(map(type, args)) == (int, int) and args[1] > 0


def _path(make: type[PurePosixPath] | type[PureWindowsPath]) -> Library:
    """Describe a path, of its parts. It is never followed."""
    return Library(lambda args: set(map(type, args)) <= {str}, lambda node: str(make(*node.args)))


def _is_counter(args: Args) -> bool:
    return len(args) == 1 and type(args[0]) is Pairs


def _is_factory(args: Args) -> bool:
    if not args or args == (None,):
        return True
    factory = args[0]
    return len(args) == 1 and type(factory) is Global and factory.module == "builtins" and factory.name in FACTORIES


def _is_deque(args: Args) -> bool:
    """Tell whether arguments are those of a deque: none, or an empty tuple and the most items that it takes."""
    return not args or (len(args) == 2 and type(args[0]) is tuple and not args[0] and _is_count(args[1]))


def _is_count(node: Node) -> bool:
    return type(node) is int and 0 <= node < 2**63


def _is_array(args: Args) -> bool:
    """Tell whether arguments are those of an array in protocol 2: its type code, and its numbers or text."""
    if len(args) != 2 or type(args[0]) is not str or len(args[0]) != 1 or type(args[1]) is not list:
        return False
    for codes, kinds in ((INTEGERS, {int}), (FLOATS, {int, float}), (TEXTS, {str})):
        if args[0] in codes:
            return set(map(type, args[1])) <= kinds
    return False


def _is_bytes_of_array(args: Args) -> bool:
    """Tell whether arguments are those of an array since protocol 3: class, type code, format and bytes."""
    if len(args) != 4 or type(args[0]) is not Global or (args[0].module, args[0].name) != ("array", "array"):
        return False
    _, code, number, data = args
    if type(code) is not str or len(code) != 1 or code not in INTEGERS + FLOATS + TEXTS or not _is_count(number):
        return False
    if number >= len(ARRAY_FORMATS) or type(data) not in (bytes, memoryview):
        return False
    dtype = np.dtype(ARRAY_FORMATS[number])
    kind = TEXTS if number >= UTF else FLOATS if dtype.kind == "f" else INTEGERS
    return code in kind and len(data) % dtype.itemsize == 0


def _numbers(node: CallNode) -> str:
    if len(node.args) == 2:
        code, numbers = node.args
        size = len(numbers)
    else:
        _, code, number, data = node.args
        dtype = np.dtype(ARRAY_FORMATS[number])
        size, numbers = len(data) // dtype.itemsize, []
        if number < UTF:
            numbers = np.frombuffer(data, dtype, min(size, MAX_PARTS)).tolist() if size else []
    return f"array {code} of {size}{': ' if numbers else ''}{', '.join(map(_word, numbers[:MAX_PARTS]))}"


# --- texts -----------------------------------------------------------------------------------------------------------


class _Text:
    """A text of nested values that ends when it is long enough."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.left = MAX_TEXT

    def add(self, text: str) -> None:
        if self.left > 0:
            self.parts.append(text if len(text) <= self.left else text[: self.left] + "…")
            self.left -= len(text)

    def add_items(self, items: Sequence[Node], depth: int) -> None:
        for place, item in enumerate(items[:MAX_PARTS]):
            if place:
                self.add(", ")
            self.add_value(item, depth)
        if len(items) > MAX_PARTS:
            self.add(", …")

    def add_entries(self, entries: Sequence[Node], depth: int) -> None:
        for place in range(0, min(len(entries), 2 * MAX_PARTS), 2):
            if place:
                self.add(", ")
            self.add_value(entries[place], depth)
            self.add(": ")
            self.add_value(entries[place + 1], depth)
        if len(entries) > 2 * MAX_PARTS:
            self.add(", …")

    def add_value(self, node: Node, depth: int) -> None:
        kind = type(node)
        if self.left <= 0 or depth > MAX_DEPTH:
            self.add("…")
        elif kind in BRACKETS:
            start, end = BRACKETS[kind]
            self.add(start)
            (self.add_entries if kind is Pairs else self.add_items)(node, depth + 1)
            self.add(end)
        elif kind is CallNode:
            self.add_call(node, depth)
        elif kind is ObjectNode:
            self.add(_object(node))
        else:
            self.add(_word(node))

    def add_call(self, node: CallNode, depth: int) -> None:
        if _is_date(node):
            self.add(_numpys_date(node))
            return
        if (node.function.module, node.function.name) == MASKED_CONSTANT:
            self.add("masked")
            return
        found = LIBRARY.get((node.function.module, node.function.name))
        if found is not None and found.text is not None:
            self.add(found.text(node))
            return
        self.add(node.function.name if found is not None else repr(node.function))
        self.add("(")
        if node.items is not None:
            (self.add_entries if type(node.items) is Pairs else self.add_items)(node.items, depth + 1)
        elif node.state is not None:
            self.add_entries(node.state, depth + 1)
        elif len(node.args) == 1 and type(node.args[0]) is Pairs:
            self.add_entries(node.args[0], depth + 1)
        elif found is None:
            self.add_items(node.args, depth + 1)
        self.add(")")


BRACKETS: dict[Any, tuple[str, str]] = {
    list: ("[", "]"), tuple: ("(", ")"), Pairs: ("{", "}"), SetNode: ("{", "}"), FrozenSetNode: ("{", "}"),
}  # fmt: skip


def _word(node: Node) -> str:
    """Make a text of a value without parts; "…" for any other."""
    kind = type(node)
    if kind is str:
        return repr(node[:MAX_TEXT])
    if kind in (type(None), bool, float, complex, slice, range) or isinstance(node, np.generic):
        return str(node)
    if kind is int:
        return str(node)
    if kind in (bytes, memoryview):
        return bytes(node[:MAX_WORD]).hex()
    if kind is ByteArray:
        return bytes(node.data[:MAX_WORD]).hex()
    return repr(node) if kind is Global else "…"


def _object(node: ObjectNode) -> str:
    if node.cls.kind == "uuid":
        return str(UUID(int=node.state.as_dict()["int"])) if type(node.state) is Pairs else "UUID"
    return repr(node.cls)


def text_of(node: Node) -> str:
    """Make a text of a value that is kept, of at most some thousand characters whatever it holds."""
    text = _Text()
    text.add_value(node, 0)
    return "".join(text.parts)


def is_understood(node: CallNode) -> bool:
    """Tell whether a text can be made of a call: of a value of Python or numpy, or the member of an enumeration."""
    name = node.function.module, node.function.name
    return node.function.kind == "foreign" or name in LIBRARY or name == MASKED_CONSTANT or _is_date(node)


def _is_date(node: CallNode) -> bool:
    """Tell whether a call makes one of numpy's dates or durations."""
    dtype = node.args[0] if node.args else None
    return type(dtype) is DtypeNode and dtype.kept is not None and dtype.kept.dtype.kind in "Mm"


def _numpys_date(node: CallNode) -> str:
    """Make a text of one of numpy's dates or durations, as it stands where numpy knows no such date."""
    dtype, data = node.args
    value = np.frombuffer(data, dtype.kept.dtype)[0]
    try:
        return str(value)
    except (ValueError, OverflowError):
        return f"{np.frombuffer(data, np.int64)[0]} {dtype.kept.title}"


LIBRARY: dict[tuple[str, str], Library] = {
    ("datetime", "date"): _made(lambda args: _date_in(_only(args))),
    ("datetime", "time"): _made(_with_zone(_time_in)),
    ("datetime", "datetime"): _made(_with_zone(_datetime_in)),
    ("datetime", "timedelta"): _made(_duration_in),
    ("datetime", "timezone"): _made(_timezone),
    ("decimal", "Decimal"): Library(_is_decimal, lambda node: str(node.args[0])),
    ("fractions", "Fraction"): Library(_is_fraction, lambda node: "/".join(map(str, node.args))),
    ("pathlib", "PosixPath"): _path(PurePosixPath),
    ("pathlib", "PurePosixPath"): _path(PurePosixPath),
    ("pathlib", "WindowsPath"): _path(PureWindowsPath),
    ("pathlib", "PureWindowsPath"): _path(PureWindowsPath),
    ("collections", "OrderedDict"): Library(lambda args: not args, items=Pairs),
    ("collections", "defaultdict"): Library(_is_factory, items=Pairs),
    ("collections", "deque"): Library(_is_deque, items=list),
    ("collections", "Counter"): Library(_is_counter),
    ("types", "SimpleNamespace"): Library(lambda args: not args, state=True),
    ("array", "array"): Library(_is_array, _numbers),
    ("array", "_array_reconstructor"): Library(_is_bytes_of_array, _numbers),
}
