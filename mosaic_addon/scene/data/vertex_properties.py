"""Vertex properties <-> Blender attributes, exactly in both directions.

A column is a vertex property in Blender: the attributes that hold it and, where 32 bits do not suffice, the bits
beside them. Text is held as whole numbers, the codes, and a table of texts. The columns of a mesh or point cloud are
noted on it as JSON, since a session allows more names and kinds than Blender.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import prod
from typing import Any, Self

import bpy
import numpy as np
from numpy.typing import NDArray

from ...session.dtypes import MAX_STRING_ITEM
from ...session.errors import MosaicError
from ...session.remembering import remembered
from ...session.rows import Rows
from ..compat import values_of
from ..keys import COLUMNS
from ..readers import MAX_CODE
from .attributes import RESERVED, Kind, PointAttributes, PointData, buffer_of, read_attribute, write_attribute
from .checksums import checksum
from .exact_bits import (
    KINDS_OF_BITS,
    OF_GEOMETRY,
    bits_kind,
    bits_names,
    exact_or_wider,
    known_bits,
    read_bits,
    write_all_bits,
)

COLUMNS_VERSION = 1  # of the note
REMEMBERED = 2**24  # characters of notes
# Bytes that texts may take as an array, each as wide as the longest may be: beyond both, Blender does not hold them.
FREE_BYTES, BYTES_PER_POINT = 2**24, 256
FREE_TABLE, TABLE_PER_CHARACTER = 2**16, 16  # bytes of an array of the texts of a note


@dataclass(frozen=True, slots=True)
class Column:
    """How a mesh or point cloud holds a vertex property.

    dtype: of its values in the session. shape: of the value of a point, () or (k,). attributes: one, or one for each
    component. bits: how the names of the hidden attributes with its exact bits begin, "" where it can have none.
    texts: by code, None for numbers. table: the texts as an array of `dtype`, None where that would be far larger than
    the texts; where `dtype` would cut some off, they are whole, and lengths are their lengths in characters.
    """

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    attributes: tuple[str, ...]
    bits: str = ""
    texts: tuple[str, ...] | None = None
    table: NDArray[Any] | None = field(default=None, repr=False, compare=False)
    lengths: NDArray[np.int32] | None = field(default=None, repr=False, compare=False)

    # The names that the first hidden attributes have, by which it is known at a glance that there is none.
    first_bits: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names = tuple(f"{self.bits}.{kind}.0" for kind in KINDS_OF_BITS) if self.bits else ()
        object.__setattr__(self, "first_bits", names)

    @property
    def width(self) -> int:
        """The number of components of a value."""
        return prod(self.shape)

    @classmethod
    def parse(cls, entry: Any) -> Self:
        """Return the column of a note's entry. Raises ValueError, TypeError or KeyError for what no import writes."""
        name, dtype, shape = entry["name"], column_dtype(entry["dtype"]), tuple(entry["shape"])
        attributes, bits, texts = entry["attributes"], entry.get("bits", ""), entry.get("texts")
        if type(name) is not str or type(bits) is not str or not all(map(_are_texts, (attributes, texts or []))):
            raise ValueError("no texts")
        if (texts is not None) != (dtype.kind in "US") or (texts is not None and (len(attributes) != 1 or shape)):
            raise ValueError("no codes")
        # An attribute holds up to four numbers.
        if {int}.union(map(type, shape)) != {int} or (shape and not 0 <= shape[0] <= 4 * max(len(attributes), 1)):
            raise ValueError("no such shape")
        if texts is None:
            return cls(name, dtype, shape, tuple(attributes), bits)
        return cls(name, dtype, shape, tuple(attributes), bits, tuple(texts), *_table_of(texts, dtype))

    def dump(self) -> dict[str, Any]:
        """Return the column as an entry of a note."""
        entry = {
            "name": self.name,
            "dtype": self.dtype.str,
            "shape": list(self.shape),
            "attributes": list(self.attributes),
        }
        more = {"bits": self.bits} if self.bits else {}
        return entry | more | ({} if self.texts is None else {"texts": list(self.texts)})

    def renamed(self, name: str) -> "Column":
        """Return the column as it is once its attribute, of which it has one alone, was renamed."""
        return replace(self, name=name, attributes=(name,))


def note_of(columns: Iterable[Column]) -> str:
    """Return the note of columns, JSON."""
    return json.dumps({"version": COLUMNS_VERSION, "columns": [column.dump() for column in columns]})


NO_COLUMNS = note_of(())


@lru_cache(1000)
def column_dtype(code: str) -> np.dtype[Any]:
    """Return the dtype of a vertex property that Blender can hold. Raises ValueError or TypeError for any other."""
    if type(code) is not str or len(code) > MAX_CODE:
        raise ValueError("no such values")
    dtype = np.dtype(code)
    if dtype.kind not in "biufUS" or not 0 <= dtype.itemsize <= MAX_STRING_ITEM:  # numpy 1 makes negative ones
        raise ValueError("no such values")
    return dtype


def note_in(*owners: Any) -> str:
    """Return the note that the first of some datablocks with one carries; "", a damaged one, for what is no text."""
    for owner in owners:
        if COLUMNS in owner:
            return COLUMNS.read(owner) or ""
    return NO_COLUMNS


def columns_in(note: str) -> tuple[Column, ...]:
    """Return the columns of a note; none for a damaged one."""
    return _parsed(note) or ()


def is_damaged(note: str) -> bool:
    """Tell whether a note is none that an import writes."""
    return _parsed(note) is None


@remembered(REMEMBERED)
def _parsed(note: str) -> tuple[Column, ...] | None:
    """Parse a note; None for a damaged one. Thousands of objects have equal ones, so each is parsed once."""
    try:
        entries = json.loads(note)
        if entries["version"] != COLUMNS_VERSION:
            return None
        columns = tuple(map(Column.parse, entries["columns"]))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None
    # A name that stands for many columns would be read as often.
    names = [column.name for column in columns]
    attributes = [name for column in columns for name in column.attributes]
    is_unique = len(set(names)) == len(names) and len(set(attributes)) == len(attributes)
    return columns if is_unique else None


def columns_of(data: PointData) -> tuple[Column, ...]:
    """Return the columns of a mesh or point cloud; none where their note is damaged."""
    return columns_in(note_in(data))


def _are_texts(values: Any) -> bool:
    return type(values) is list and {str}.issuperset(map(type, values))


def _table_of(texts: Sequence[str], dtype: np.dtype[Any]) -> tuple[NDArray[Any] | None, NDArray[np.int32] | None]:
    """Return the texts by code as an array and, if `dtype` would cut some off, their lengths in characters.

    There is no array where it would be far larger than the texts.
    """
    counts = list(map(len, texts))
    width = max(counts, default=0) * _width_of_character(dtype)
    lengths = np.array(counts, np.int32) if width > dtype.itemsize else None
    size = max(width, dtype.itemsize) * len(texts)
    if size > max(FREE_TABLE, TABLE_PER_CHARACTER * (sum(counts) + len(texts))):
        return None, lengths
    return _array_of(texts or [""], dtype if lengths is None else _as_wide(dtype, max(counts))), lengths


def _array_of(texts: Sequence[str], dtype: np.dtype[Any]) -> NDArray[Any]:
    return np.array([text.encode("latin-1", "replace") for text in texts] if dtype.kind == "S" else texts, dtype)


def _width_of_character(dtype: np.dtype[Any]) -> int:
    return 4 if dtype.kind == "U" else 1


def _as_wide(dtype: np.dtype[Any], length: int) -> np.dtype[Any]:
    """The dtype of texts of that many characters."""
    return np.dtype(f"{dtype.kind}{length}")


def is_small(count: int, itemsize: int) -> bool:
    """Return whether that many texts of so many bytes each may become an array."""
    return itemsize <= MAX_STRING_ITEM and count * itemsize <= max(FREE_BYTES, BYTES_PER_POINT * count)


def write_columns(data: PointData, columns: dict[str, NDArray[Any]]) -> list[str]:
    """Store vertex properties as attributes. Returns the names of those that Blender cannot hold.

    data: without columns yet. columns: {name: (n,) or (n, k)}.
    """
    taken = set(data.attributes.keys())
    written = {name: _write_column(data, name, values, taken) for name, values in columns.items()}
    if any(written.values()):
        data[COLUMNS] = note_of(_with_bits_to_come([column for column in written.values() if column is not None]))
    return [name for name, column in written.items() if column is None]


def add_column(data: PointData, name: str, values: NDArray[Any]) -> None:
    """Store one more vertex property, (n,) or (n, k), under a name that none has yet."""
    new = _write_column(data, name, values, set(data.attributes.keys()))
    COLUMNS.write(data, note_of(_with_bits_to_come([*columns_of(data), *([] if new is None else [new])])))


def _with_bits_to_come(columns: list[Column]) -> Iterator[Column]:
    """Yield columns, those of numbers without bits with names for the bits that joining an object may bring."""
    claimed = {"", *(column.bits for column in columns)}
    for column in columns:
        may_have = not column.bits and column.width and column.dtype.kind in "iuf" and column.name not in OF_GEOMETRY
        stem = next(_stems(column.name, column.width)) if may_have else ""
        yield column if stem in claimed else replace(column, bits=stem)


def note_columns(objects: Iterable[bpy.types.Object]) -> None:
    """Copy the note of columns from data to their objects, since new data that Blender makes of an object have none."""
    for obj in objects:
        note = COLUMNS.read(obj.data)
        if note is not None:
            obj[COLUMNS] = note
        else:
            obj.pop(COLUMNS, None)


def read_columns(
    data: PointData, attributes: PointAttributes | None = None, note: str | None = None, label: str | None = None
) -> dict[str, NDArray[Any]]:
    """Return the vertex properties of a mesh or point cloud, {name: (n,) or (n, k)}, as they are now.

    Those of which an attribute is missing are left out. attributes: of `data`, if they are known. note: of the
    columns, if `data` lack it. label: the name for `data` in errors. Raises MosaicError for a code that stands for no
    text.
    """
    columns = columns_of(data) if note is None else columns_in(note)
    if not columns:
        return {}
    attributes = attributes or PointAttributes(data)
    read = {column.name: read_column(attributes, column, label) for column in columns}
    return {name: values for name, values in read.items() if values is not None}


def column_checksums(columns: Mapping[str, NDArray[Any] | Rows]) -> dict[str, int]:
    """Return the check sums of those vertex properties, {name: (n,) or (n, k)}, that Blender can hold."""
    return {name: checksum(values) for name, values in columns.items() if holds_column(values)}


def column_attributes(data: PointData) -> dict[str, tuple[str, ...]]:
    """Return which attributes hold each vertex property: one, or one for each component."""
    return {column.name: column.attributes for column in columns_of(data)}


def column_texts(data: PointData, name: str) -> tuple[str, ...] | None:
    """Return the texts that the codes of a vertex property stand for; None for one that is no text."""
    return next((column.texts for column in columns_of(data) if column.name == name), None)


def share_texts(all_data: Iterable[PointData], name: str) -> tuple[str, ...]:
    """Make each code stand for the same text in all meshes and point clouds. Returns the texts by code.

    name: of a vertex property that is text in all of them.
    """
    tables = [(data, column_texts(data, name) or ()) for data in all_data]
    shared = tuple(sorted({text for _, table in tables for text in table}))
    places = {text: code for code, text in enumerate(shared)}
    # For each old note: the new one, the attribute, the new codes by the old ones.
    known: dict[str, tuple[str, str, NDArray[np.int32]]] = {}
    for data, table in tables:
        if table == shared:
            continue
        before = note_in(data)
        if before not in known:
            columns = columns_in(before)
            note = note_of(replace(column, texts=shared) if column.name == name else column for column in columns)
            attribute = next(column.attributes[0] for column in columns if column.name == name)
            # One more at the end, which the index -1 finds as well, for codes that stand for no text.
            known[before] = note, attribute, np.array([*[places[text] for text in table], -1], np.int32)
        data[COLUMNS], attribute, moved = known[before]
        codes = read_attribute(data, attribute)
        if codes is not None and codes.ndim == 1 and codes.dtype == np.int32 and len(codes):
            values = moved[np.clip(codes, -1, len(table))]
            values_of(data.attributes[attribute]).foreach_set("value", buffer_of(values, np.int32))
    return shared


MAX_SHARED = 500_000  # texts that the tables of all objects may have together; beyond that they stay as they are


def share_all_texts(all_data: Iterable[PointData]) -> None:
    """Make codes stand for the same texts in all objects of an import, so that they can be joined."""
    having: dict[tuple[str, str], list[PointData]] = {}
    for data in all_data:
        for column in columns_in(note) if '"texts"' in (note := note_in(data)) else ():
            if column.texts is not None:
                having.setdefault((column.name, column.dtype.kind), []).append(data)
    for (name, _), several in having.items():
        tables = {column_texts(data, name) or () for data in several}
        if len(tables) > 1 and len({text for table in tables for text in table}) * len(several) <= MAX_SHARED:
            share_texts(several, name)


def _write_column(data: PointData, name: str, values: NDArray[Any], taken: set[str]) -> Column | None:
    """Store a vertex property, (n,) or (n, k). Returns None, with nothing stored, where Blender cannot hold it.

    taken: the names of attributes, to which its own are added.
    """
    texts, parts = _drawable(values)
    if parts is None:
        return None
    names = []
    for suffix, kind, part in parts:
        names.append(write_attribute(data, _free_name(taken, name, suffix), kind, part))
        taken.add(names[-1])
    column = Column(name, values.dtype, values.shape[1:], tuple(names), "", texts)
    if (values.dtype.itemsize == 8 and values.dtype.kind in "iuf") or values.dtype == np.uint32:
        stored = [part for _, _, part in parts]
        if stored and not _holds(values, stored):
            column = replace(column, bits=_free_stem(taken, name, bits_kind(values.dtype), column.width))
            taken.update(bits_names(column.bits, bits_kind(values.dtype), column.width))
            write_all_bits(data, column.bits, values)
    return column


def _drawable(values: NDArray[Any]) -> tuple[tuple[str, ...] | None, list[tuple[str, Kind, NDArray[Any]]] | None]:
    """Return how to show a vertex property, (n,) or (n, k), in Blender.

    That is its texts, None where it is no text; and the suffix of the name, the kind and the values of each attribute,
    None where Blender cannot hold it.
    """
    kind = values.dtype.kind
    single: Kind
    wide: dict[int, Kind] = {}
    if not holds_column(values):
        return None, None
    if kind in "US":
        texts, codes = np.unique(values, return_inverse=True)
        table = tuple(text.decode("latin-1") if isinstance(text, bytes) else str(text) for text in texts.tolist())
        return table, [("", "INT", codes.reshape(-1).astype(np.int32))]
    if kind == "b":
        values = values.view(np.uint8) != 0  # a file's bytes need not be 0 and 1
        single = "BOOLEAN"
    elif kind == "f" or (len(values) and (values.min() < -(2**31) or values.max() >= 2**31)):
        with np.errstate(over="ignore", invalid="ignore"):
            values = values.astype(np.float32, copy=False)
        single, wide = "FLOAT", {2: "FLOAT2", 3: "FLOAT_VECTOR", 4: "FLOAT_COLOR"}
    else:
        values = values.astype(np.int32, copy=False)
        single = "INT"  # also of several components, as materials cannot read INT32_2D
    if values.ndim == 1:
        return None, [("", single, values)]
    width = values.shape[1]
    if width in wide:
        return None, [("", wide[width], values)]
    values = np.asarray(values)  # read once, where it was not
    return None, [(f".{i}" if width > 1 else "", single, values[:, i]) for i in range(width)]


def holds_column(values: NDArray[Any] | Rows) -> bool:
    """Return whether Blender can hold a vertex property of these values."""
    kind = values.dtype.kind
    if kind in "US":
        return values.ndim == 1 and is_small(len(values), values.dtype.itemsize)
    return kind in "biuf" and values.ndim <= 2


def _holds(values: NDArray[Any], stored: list[NDArray[Any]]) -> bool:
    """Return whether what Blender stores gives the values back. stored: one array, or one for each component."""
    if stored[0].dtype == np.int32:
        return True
    back = stored[0] if len(stored) == 1 else np.stack(stored, axis=1)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.array_equal(
            back.reshape(values.shape).astype(values.dtype), values, equal_nan=values.dtype.kind == "f"
        )


def read_column(attributes: PointAttributes, column: Column, label: str | None = None) -> NDArray[Any] | None:
    """Return a vertex property, (n,) or (n, k); None where an attribute of it is missing.

    label: the name for the data in errors. Raises MosaicError for a code that stands for no text.
    """
    parts = attributes.read_all(column.attributes)
    if parts is None:
        return None
    has_bits = any(name in attributes for name in column.first_bits)
    hidden = known_bits(attributes, column.bits, column.width) if has_bits else {}
    first = parts[0] if len(parts) == 1 else None
    if first is not None and first.dtype == column.dtype and first.shape[1:] == column.shape and not hidden:
        return first
    if column.texts is not None and first is not None:
        return _texts(first, column, label or attributes.data.name, attributes.count)
    shown = first if first is not None else np.column_stack(parts) if parts else None
    if shown is None:  # a vertex property without components
        return np.empty((attributes.rows, *column.shape), column.dtype)
    if shown.shape[1:] != column.shape:
        if shown.size != len(shown) * column.width:  # it was converted to another width
            return shown
        shown = shown.reshape(-1, *column.shape)
    return exact_or_wider(shown, read_bits(attributes, hidden), column.dtype)


def _texts(codes: NDArray[Any], column: Column, label: str, count: int) -> NDArray[Any]:
    """Return the texts that codes stand for. count: of all points.

    The codes themselves where they were converted to other numbers, or the texts would take far more memory than an
    import gives them.
    """
    texts, table, lengths, dtype = column.texts, column.table, column.lengths, column.dtype
    if texts is None or codes.ndim != 1 or codes.dtype.kind != "i":
        return codes
    # As unsigned numbers those below 0 are too great as well.
    if len(codes) and codes.view(f"u{codes.itemsize}").max() >= max(len(texts), 1):
        wrong = codes[(codes < 0) | (codes >= len(texts))][0]
        raise MosaicError(
            f"{label!r}: its vertex property {column.name!r} has the code {wrong}, which stands for none of its "
            f"{len(texts)} texts; set the attribute to codes from 0 to {len(texts) - 1}, or remove it, to save."
        )
    if lengths is not None:
        longest = int(lengths[codes].max(initial=1))  # as long as another object's, from which points were joined
        if longest * _width_of_character(dtype) > dtype.itemsize:
            dtype = _as_wide(dtype, longest)
    if not is_small(count, dtype.itemsize):
        return codes
    if table is None:
        return _array_of([texts[code] for code in codes.tolist()], dtype)
    return table[codes] if table.dtype == dtype else table[codes].astype(dtype)


def _stem_of(name: str) -> str:
    """Return an attribute name that Blender takes, as close as can be to that of a property."""
    clean = "".join(c if c.isprintable() else "_" for c in name) or "property"
    return f"{clean}_" if clean in RESERVED else clean


def _free_name(taken: set[str], name: str, suffix: str) -> str:
    """Return a free attribute name that Blender keeps as it is, as close as can be to that of a property.

    taken: the names of attributes. suffix: how it ends, for a component.
    """
    stem = _stem_of(name)
    for candidate in _names(stem, suffix):
        if candidate not in taken and candidate not in RESERVED:
            return candidate
    raise AssertionError("unreachable: the candidates never end")


def _free_stem(taken: set[str], name: str, kind: str, width: int) -> str:
    """Return how the names of the hidden attributes with the bits of a property can begin, so that all are free.

    taken: the names of attributes. kind: of the bits, such as "f8". width: the number of components.
    """
    for stem in _stems(name, width):
        names = bits_names(stem, kind, width)
        if stem[1:] not in OF_GEOMETRY and taken.isdisjoint(names) and RESERVED.isdisjoint(names):
            return stem
    raise AssertionError("unreachable: the candidates never end")


def _stems(name: str, width: int) -> Iterator[str]:
    """Yield how the names of the hidden attributes with the bits of a property may begin, the likeliest first."""
    return _names(_stem_of(f".{name}"), "", len(bits_names("", "f8", width)[-1]))


def _names(stem: str, suffix: str, spare: int = 0) -> Iterator[str]:
    """Yield names of a stem and a suffix, numbered from the second on, of at most 63 bytes less `spare`."""
    number = 0
    while True:
        tail = suffix if number == 0 else f"{suffix}_{number}"
        room = 63 - spare - len(tail.encode())
        yield stem.encode("utf-8", "replace")[:room].decode("utf-8", "ignore") + tail
        number += 1
