"""TOML tables <-> frozen dataclasses, checked: what is wrong is told with the file, its line and the nearest right word.

A class below `Table` is a kind of table, its fields are the keys, and their types say what may stand there.
"""

import difflib
import math
import tomllib
import types
from collections.abc import Callable, Iterable, Iterator
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import (
    Annotated,
    Any,
    ClassVar,
    Final,
    Literal,
    TypeAlias,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from ..session.errors import MosaicError, brief
from . import toml_lines

MAX_BYTES: Final = 2**20
MAX_DEPTH: Final = 100  # of brackets within brackets
MOST_WORDS: Final = 12  # that are listed in an error
WIDTH: Final = 100  # columns of what is written, where it can be helped


@dataclass(frozen=True, slots=True)
class Place:
    """Where a table stands: the file's name, the path of its keys, and the lines of all keys of the file."""

    file: str = ""
    path: toml_lines.Path = ()
    lines: dict[toml_lines.Path, int] = field(default_factory=dict)

    def inside(self, key: str | int) -> "Place":
        """Return the place of a key or element."""
        return Place(self.file, (*self.path, key), self.lines)

    def wrong(self, sentence: str) -> MosaicError:
        """Return the error that says what is wrong here."""
        path = self.path
        while path and path not in self.lines:
            path = path[:-1]
        where = f"{self.file}, line {self.lines[path]}: " if path else f"{self.file}: " if self.file else ""
        return MosaicError(where + sentence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What a table of a TOML file says. place: where it stands there, for errors."""

    inline: ClassVar[bool] = False  # written as { … } after its key
    short: ClassVar[str] = ""  # the field that a text in place of the table means
    last: ClassVar[tuple[str, ...]] = ()  # fields that are written after those that it shares with other tables

    place: Place = field(default_factory=Place, compare=False, repr=False)

    def wrong(self, key: str, sentence: str) -> MosaicError:
        """Return the error that says what is wrong with a field."""
        named = next((each for each in fields(self) if each.name == key), None)
        return self.place.inside(_key_of(named) if named else key).wrong(sentence)

    def check(self) -> None:
        """Raise the error of fields that do not go together."""


@dataclass(frozen=True, slots=True)
class Form:
    """How values of a type stand in a file, where that is not as they are: functions of what is there, and of the value."""

    read: Callable[[Any, Place], Any]
    write: Callable[[Any], Any]


TableType = TypeVar("TableType", bound=Table)


def _read_positive(value: Any, place: Place) -> float:
    number: float = _scalar(float, value, place)
    if not number > 0:
        raise place.wrong(f"{_shown(place, value)}, but must be more than 0.")
    return number


def _read_size(value: Any, place: Place) -> float:
    number: float = _scalar(float, value, place)
    if not number >= 0:
        raise place.wrong(f"{_shown(place, value)}, but must not be less than 0.")
    return number


def _read_fraction(value: Any, place: Place) -> float:
    number: float = _scalar(float, value, place)
    if not 0 <= number <= 1:
        raise place.wrong(f"{_shown(place, value)}, but must be between 0 and 1.")
    return number


Positive: TypeAlias = Annotated[float, Form(_read_positive, float)]
Size: TypeAlias = Annotated[float, Form(_read_size, float)]
Fraction: TypeAlias = Annotated[float, Form(_read_fraction, float)]


def one_word(value: str, known: Iterable[str]) -> str:
    """Return the end of a sentence about an unknown word: the known one that is nearest to it, or all of them."""
    words = list(dict.fromkeys(known))
    near = difflib.get_close_matches(value, words, 1, 0.6)
    if near:
        return f"do you mean {near[0]!r}?"
    shown = ", ".join(map(repr, words[:MOST_WORDS])) + (
        f" and {len(words) - MOST_WORDS} more" if len(words) > MOST_WORDS else ""
    )
    return f"there are {shown}." if words else "there are none."


def several(key: str) -> Any:
    """Return a field for tables that stand in the file one after the other under one key, [[key]]."""
    return field(default=(), metadata={"key": key})


def read_toml(path: Path, kind: type[TableType]) -> TableType:
    """Read a file as a table of a kind. Raises MosaicError, with the line, for whatever is not right in it."""
    try:
        data = path.read_bytes() if path.stat().st_size <= MAX_BYTES and path.is_file() else None
    except OSError as error:
        raise MosaicError(f"{path} cannot be read: {error.strerror}.") from error
    if data is None:
        raise MosaicError(f"{path} is no file of at most {MAX_BYTES} bytes.")
    try:
        text = data.decode("utf-8")
        _check_depth(text)
        values = tomllib.loads(text)
    except ValueError as error:  # tomllib's own says line and column
        raise MosaicError(f"{path} is no TOML file: {error}.") from error
    return _read(kind, values, Place(str(path), (), toml_lines.lines_of(text)))


def write_toml(table: Table) -> str:
    """Return a TOML text that says what a table says, as short as it can be: what is by default is left out."""
    return "\n".join(_sections(table, "")).strip("\n") + "\n"


def _check_depth(text: str) -> None:
    """Raise ValueError for brackets in brackets that no recipe has: tomllib calls itself for each."""
    depth = 0
    for character in text:
        depth += (character in "[{") - (character in "]}")
        if depth > MAX_DEPTH:
            raise ValueError("too many brackets within brackets")


# --- reading ---------------------------------------------------------------------------------------------------------


def _key_of(of: Any) -> str:
    return str(of.metadata.get("key", of.name))


def _fields_of(kind: type[Table]) -> dict[str, Any]:
    """The fields of a kind of table by their keys: first those that it does not share with other kinds."""
    shared = {each.name for base in kind.__bases__ if is_dataclass(base) for each in fields(base)}
    ordered = sorted(fields(kind), key=lambda each: (each.name in kind.last, each.name in shared))
    return {_key_of(each): each for each in ordered if each.name != "place"}


def _hints_of(kind: type[Table]) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _form_of(hint: Any) -> Form | None:
    """The form of a type, or of what it is besides None."""
    hints = [hint, *get_args(hint)] if get_origin(hint) in (Union, types.UnionType) else [hint]
    return next((get_args(each)[1] for each in hints if get_origin(each) is Annotated), None)


def _read(kind: type[TableType], values: dict[str, Any], place: Place) -> TableType:
    known = _fields_of(kind)
    hints = _hints_of(kind)
    given: dict[str, Any] = {}
    for key, value in values.items():
        if key not in known:
            names = [each for each in place.path if isinstance(each, str)]
            where = f"{brief(names[-1])!r}" if names else "a recipe"
            raise place.inside(key).wrong(f"There is no key {brief(key)!r} in {where}; {one_word(key, list(known))}")
        of = known[key]
        given[of.name] = _value(hints[of.name], value, place.inside(key))
    for key, of in known.items():
        if of.name not in given and of.default is MISSING and of.default_factory is MISSING:
            raise place.wrong(f"The key {key!r} is missing.")
    table = kind(**given, place=place)
    table.check()
    return table


def _value(hint: Any, value: Any, place: Place) -> Any:
    """Return a value as a type has it. Raises the error of another type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        kinds = [each for each in arguments if each is not type(None)]
        return _value(next((each for each in kinds if each is type(value)), kinds[0]), value, place)
    if origin is Annotated:
        return arguments[1].read(value, place)
    if origin is Literal:
        if value not in arguments or isinstance(value, bool):
            raise place.wrong(f"{_shown(place, value)}; {one_word(str(value), [str(each) for each in arguments])}")
        return value
    if origin is tuple:
        return _several(arguments, value, place)
    if issubclass(hint, Table):
        if isinstance(value, str) and hint.short:
            value = {hint.short: value}
        if not isinstance(value, dict):
            raise place.wrong(f"{_shown(place, value)}, but must be a table.")
        return _read(hint, value, place)
    return _scalar(hint, value, place)


def _several(arguments: tuple[Any, ...], value: Any, place: Place) -> tuple[Any, ...]:
    """Return a list as a tuple: of one type throughout, or of as many values as there are types."""
    if arguments[-1] is not Ellipsis:
        if not isinstance(value, list) or len(value) != len(arguments):
            raise place.wrong(f"{_shown(place, value)}, but must be a list of {len(arguments)} {_NOUNS[arguments[0]]}.")
        return tuple(_value(hint, each, place) for hint, each in zip(arguments, value, strict=True))
    tables = isinstance(arguments[0], type) and issubclass(arguments[0], Table)
    if not isinstance(value, list) and not (tables and not arguments[0].inline):
        value = [value]  # one is as good as a list of one
    if not isinstance(value, list):
        raise place.wrong(f"There may be several of them: write [[{place.path[-1]}]].")
    return tuple(_value(arguments[0], each, place.inside(at)) for at, each in enumerate(value))


_NOUNS: Final[dict[Any, str]] = {bool: "true or false", int: "whole numbers", float: "numbers", str: "texts"}


def _scalar(hint: Any, value: Any, place: Place) -> Any:
    if hint is float and isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53:
        return float(value)
    if type(value) is not hint or (hint is float and not math.isfinite(value)):
        noun = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}[hint]
        raise place.wrong(f"{_shown(place, value)}, but must be {noun}.")
    return value


def _shown(place: Place, value: Any) -> str:
    key = next((each for each in reversed(place.path) if isinstance(each, str)), "it")
    text = _written(value) if isinstance(value, str | bool | int | float | list) else "a table or date"
    return f"{brief(key)} is {brief(text)}"


# --- writing ---------------------------------------------------------------------------------------------------------


def _given(table: Table) -> Iterator[tuple[str, Any]]:
    """The fields of a table that are not by default: key, and what is written."""
    hints = _hints_of(type(table))
    for key, of in _fields_of(type(table)).items():
        value = getattr(table, of.name)
        if value is not None and value != of.default:
            form = _form_of(hints[of.name])
            yield key, form.write(value) if form else value


def _sections(table: Table, name: str) -> Iterator[str]:
    """The lines of a table: its own keys, then the tables in it. name: of the table, with those around it."""
    later: list[tuple[str, str, Table]] = []
    for key, value in _given(table):
        inner = value if isinstance(value, tuple) else (value,)
        if inner and isinstance(inner[0], Table) and not inner[0].inline:
            brackets = ("[[", "]]") if isinstance(value, tuple) else ("[", "]")
            dotted = f"{name}.{key}" if name else key
            later += [(brackets[0] + dotted + brackets[1], dotted, each) for each in inner]
        else:
            yield _pair(key, value)
    for header, dotted, inner_table in later:
        lines = list(_sections(inner_table, dotted))
        if lines[:1] != [""] or header.startswith("[["):  # tables in a table alone say that it is there
            yield from ("", header)
        yield from lines


def _pair(key: str, value: Any) -> str:
    line = f"{key} = {_written(value)}"
    if len(line) > WIDTH and isinstance(value, tuple) and len(value) > 1:
        return "\n".join((f"{key} = [", *(f"    {_written(each)}," for each in value), "]"))
    return line


def _written(value: Any) -> str:
    if isinstance(value, Table):
        given = list(_given(value))
        if value.short and [key for key, _ in given] == [value.short]:
            return _written(given[0][1])
        return "{ " + ", ".join(f"{key} = {_written(each)}" for key, each in given) + " }" if given else "{}"
    if isinstance(value, tuple) and len(value) == 1 and isinstance(value[0], str | float):
        return _written(value[0])
    if isinstance(value, tuple | list):
        return "[" + ", ".join(map(_written, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return _quoted(value) if isinstance(value, str) else str(value)


def _quoted(text: str) -> str:
    """A basic string of TOML: quotes, backslashes and control characters are escaped."""
    escaped = "".join(
        f"\\{c}" if c in '"\\' else f"\\u{ord(c):04x}" if ord(c) < 32 or ord(c) == 127 else c for c in text
    )
    return f'"{escaped}"'
