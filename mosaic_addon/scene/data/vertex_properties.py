"""Vertex properties <-> Blender attributes, exactly in both directions.

A column that 32 bits cannot hold has its bits beside it; text is integer codes and a table of its values. What each attribute
stands for is kept as JSON on the mesh or point cloud, since the names and kinds that a session allows are more than Blender's.
"""

import json
from collections.abc import Iterable
from functools import lru_cache
from math import prod
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ...session.errors import MosaicError
from ..keys import COLUMNS
from .attributes import RESERVED, PointAttributes, PointData, buffer_of, read_attribute, write_attribute
from .exact_bits import BITS_OF_OTHERS, bits_of, exact_or_wider, read_bits

MAX_TABLE_BYTES = 2**30  # of all texts of a vertex property, each as long as the longest may be


def write_columns(data: PointData, columns: dict[str, NDArray[Any]]) -> list[str]:
    """Store vertex properties, {name: (n,) or (n, k)}, as attributes. Returns the names of those that Blender cannot hold."""
    records, refused = [], []
    for name, values in columns.items():
        record = _write_column(data, name, values)
        if record is None:
            refused.append(name)
        else:
            records.append(record)
    if records:
        data[COLUMNS] = json.dumps(records)
    return refused


def _records(text: str, label: str = "An object") -> tuple[dict[str, Any], ...]:
    """What is kept of vertex properties; nobody changes it. Raises MosaicError, with the label, for what was tampered with."""
    try:
        return _parsed(text)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise MosaicError(f"{label} keeps a damaged note of its vertex properties: {str(text)[:60]!r}.") from error


@lru_cache(1000)
def _parsed(text: str) -> tuple[dict[str, Any], ...]:
    records = json.loads(text)
    claimed = {name for record in records for name in record.get("bits", ())}
    return tuple(_complete(record, claimed) for record in records)


def _complete(record: dict[str, Any], claimed: set[str]) -> dict[str, Any]:
    """A record as it is needed: where its bits are, or are after a join with what has some, and its texts as an array.

    claimed: the names of the bits that are listed. Raises ValueError for what no import keeps.
    """
    dtype, shape = np.dtype(record["dtype"]), tuple(record["shape"])
    lists = [record["attributes"], record.get("bits", []), record.get("values", [])]
    if "values" in record and len(lists[0]) != 1:
        raise ValueError("no codes")
    if type(record["name"]) is not str or not all(_are_texts(texts) for texts in lists):
        raise ValueError("no texts")
    if (
        dtype.kind not in "biufUS"
        or not 0 <= dtype.itemsize * max(len(lists[2]), 1) <= MAX_TABLE_BYTES
        or {int}.union(map(type, shape)) != {int}
    ):
        raise ValueError("no such values")
    if len(shape) > 1 or (shape and not 0 <= shape[0] <= 4 * max(len(lists[0]), 1)):  # an attribute holds up to four
        raise ValueError("no such shape")
    more: dict[str, Any] = {"dtype": dtype, "shape": shape, "hidden": ()}
    if "values" in record:
        more["table"], more["lengths"] = _table_of(record["values"], dtype)
    elif "bits" in record:
        more["hidden"] = tuple(record["bits"])
    elif dtype.kind in "iuf" and record["name"] not in BITS_OF_OTHERS:
        stem, width = _stem_of(f".{record['name']}"), shape[0] if shape else 1
        names = [next(iter(_names(stem, f".bits{number}"))) for number in range(width)]
        more["hidden"] = () if claimed.intersection(names) else tuple(names)
    return record | more


def _are_texts(values: Any) -> bool:
    return type(values) is list and {str}.issuperset(map(type, values))


def _table_of(texts: list[str], dtype: np.dtype[Any]) -> tuple[NDArray[Any], NDArray[np.int32] | None]:
    """Texts by code, and their lengths if `dtype` cuts some off."""
    table = np.array([text.encode("latin-1", "replace") for text in texts] if dtype.kind == "S" else texts)
    if not len(table):
        table = np.array([""])  # of no points
    cut = table.astype(dtype)
    if table.dtype.itemsize <= dtype.itemsize or np.array_equal(cut, table):
        return cut, None
    return table, np.char.str_len(table).astype(np.int32)


def note_columns(objects: Iterable[bpy.types.Object]) -> None:
    """Let objects keep what their data keep of vertex properties: where Blender makes new data of them, these keep nothing."""
    for obj in objects:
        text = obj.data.get(COLUMNS)
        if text is not None:
            obj[COLUMNS] = text
        else:
            obj.pop(COLUMNS, None)


def read_columns(
    data: PointData,
    attributes: PointAttributes | None = None,
    only: str | None = None,
    text: str | None = None,
    label: str | None = None,
) -> dict[str, NDArray[Any]]:
    """The vertex properties of a mesh or point cloud, or one, as `write_columns` got them or as they were edited since.

    attributes: those of `data`, where they are known. text: what is kept of them, where `data` do not have it. label: how to
    call `data` in an error. Raises MosaicError for a code that stands for no text.
    """
    columns = {}
    for record in _records(data.get(COLUMNS, "[]") if text is None else text, repr(label or data.name)):
        if only is not None and record["name"] != only:
            continue
        if attributes is None:
            attributes = PointAttributes(data)
        values = _read_column(attributes, record, label)
        if values is not None:
            columns[record["name"]] = values
    return columns


def column_attributes(data: PointData, text: str | None = None) -> dict[str, list[str]]:
    """Which attributes hold each vertex property: one, or one for each of its columns."""
    records = _records(data.get(COLUMNS, "[]") if text is None else text)
    return {record["name"]: record["attributes"] for record in records}


def renamed_column(text: str, old: str, new: str) -> str:
    """`text`, which is kept of vertex properties, for one whose attribute was renamed."""
    records = json.loads(text)
    for record in records:
        if record["name"] == old:
            record |= {"name": new, "attributes": [new]}
    return json.dumps(records)


def column_kinds(text: str) -> dict[str, tuple[np.dtype[Any], tuple[int, ...], bool]]:
    """Of each vertex property as it was read: dtype, shape of a point's, and whether it is text. text: what is kept of them."""
    return {record["name"]: (record["dtype"], record["shape"], "values" in record) for record in _records(text)}


def column_texts(data: PointData, name: str, text: str | None = None) -> list[str] | None:
    """The texts that the codes of a vertex property stand for; None for one that is no text. text: as of `read_columns`."""
    records = _records(data.get(COLUMNS, "[]") if text is None else text)
    return next((record.get("values") for record in records if record["name"] == name), None)


def share_texts(all_data: Iterable[PointData], name: str) -> list[str]:
    """Make one code mean one text in all of `all_data`, whose vertex property `name` is text. Returns the texts by code."""
    tables = [(data, column_texts(data, name) or []) for data in all_data]
    shared = sorted({text for _, table in tables for text in table})
    places = {text: code for code, text in enumerate(shared)}
    # By what was kept: what is to be, the attribute, the new codes.
    known: dict[str, tuple[str, str, NDArray[np.int32]]] = {}
    for data, table in tables:
        if table == shared:
            continue
        before = data[COLUMNS]
        if before not in known:
            records = json.loads(before)
            record = next(record for record in records if record["name"] == name)
            record["values"] = shared
            # One more, the last and so -1 as well, for codes that stand for no text.
            known[before] = (
                json.dumps(records),
                record["attributes"][0],
                np.array([*[places[text] for text in table], -1], np.int32),
            )
        data[COLUMNS], attribute, moved = known[before]
        codes = read_attribute(data, attribute)
        if codes is not None and codes.ndim == 1 and codes.dtype == np.int32 and len(codes):
            values = moved[np.clip(codes, -1, len(table))]
            data.attributes[attribute].data.foreach_set("value", buffer_of(values, np.int32))
    return shared


MAX_SHARED = 500_000  # texts that the tables of all objects may have together


def share_all_texts(all_data: Iterable[PointData]) -> None:
    """Let one code mean one text in all objects of an import, so that they can be joined."""
    having: dict[tuple[str, str], list[PointData]] = {}
    for data in all_data:
        text = data.get(COLUMNS, "")
        if '"values"' in text:
            for record in _records(text):
                if "values" in record:
                    having.setdefault((record["name"], record["dtype"].kind), []).append(data)
    for (name, _), several in having.items():
        tables = {tuple(column_texts(data, name) or ()) for data in several}
        if len(tables) > 1 and len({text for table in tables for text in table}) * len(several) <= MAX_SHARED:
            share_texts(several, name)


def _write_column(data: PointData, name: str, values: NDArray[Any]) -> dict[str, Any] | None:
    record: dict[str, Any] = {
        "name": name,
        "dtype": values.dtype.str,
        "shape": list(values.shape[1:]),
        "attributes": [],
    }
    table, parts = _drawable(values)
    if parts is None:
        return None
    if table is not None:
        record["values"] = table
    for suffix, kind, part in parts:
        record["attributes"].append(write_attribute(data, _free_name(data, name, suffix), kind, part))
    if (values.dtype.itemsize == 8 and values.dtype.kind in "iuf") or values.dtype == np.uint32:
        stored = [part for _, _, part in parts]
        if stored and not _holds(values, stored):
            for number, bits in enumerate(bits_of(values)):
                hidden = write_attribute(data, _free_name(data, f".{name}", f".bits{number}"), "INT32_2D", bits)
                record.setdefault("bits", []).append(hidden)
    return record


def _drawable(values: NDArray[Any]) -> tuple[list[str] | None, list[tuple[str, str, NDArray[Any]]] | None]:
    """How to show a column: a table of texts where it is text, and (suffix of the name, kind, values) of each attribute."""
    kind = values.dtype.kind
    if kind in "US" and values.ndim == 1:
        texts, codes = np.unique(values, return_inverse=True)
        table = [text.decode("latin-1") if isinstance(text, bytes) else str(text) for text in texts.tolist()]
        return table, [("", "INT", codes.reshape(-1).astype(np.int32))]
    if not holds_column(values):
        return None, None
    if kind == "b":
        values = values.view(np.uint8) != 0  # a file's bytes need not be 0 and 1
        single, wide = "BOOLEAN", {}
    elif kind == "f" or (len(values) and (values.min() < -(2**31) or values.max() >= 2**31)):
        with np.errstate(over="ignore", invalid="ignore"):
            values = values.astype(np.float32, copy=False)
        single, wide = "FLOAT", {2: "FLOAT2", 3: "FLOAT_VECTOR", 4: "FLOAT_COLOR"}
    else:
        values = values.astype(np.int32, copy=False)
        single, wide = "INT", {}  # materials cannot read INT32_2D
    if values.ndim == 1:
        return None, [("", single, values)]
    width = values.shape[1]
    if width in wide:
        return None, [("", wide[width], values)]
    return None, [(f".{i}" if width > 1 else "", single, values[:, i]) for i in range(width)]


def holds_column(values: NDArray[Any]) -> bool:
    """Whether `write_columns` can store a column."""
    kind = values.dtype.kind
    return (kind in "US" and values.ndim == 1) or (kind in "biuf" and values.ndim <= 2)


def _holds(values: NDArray[Any], stored: list[NDArray[Any]]) -> bool:
    """Whether what Blender stores gives the values back."""
    if stored[0].dtype == np.int32:
        return True
    back = stored[0] if len(stored) == 1 else np.stack(stored, axis=1)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.array_equal(
            back.reshape(values.shape).astype(values.dtype), values, equal_nan=values.dtype.kind == "f"
        )


def _read_column(attributes: PointAttributes, record: dict[str, Any], label: str | None) -> NDArray[Any] | None:
    parts = [attributes.read(attribute) for attribute in record["attributes"]]
    for part in parts:
        if part is None:
            return None
    dtype, shape, hidden = record["dtype"], record["shape"], record["hidden"]
    has_bits = len(hidden) > 0 and hidden[0] in attributes
    if len(parts) == 1 and parts[0].dtype == dtype and parts[0].shape[1:] == shape and not has_bits:
        return parts[0]
    if "values" in record:
        return _texts(parts[0], record, label or attributes.data.name)
    shown = parts[0] if len(parts) == 1 else np.column_stack(parts) if parts else None
    if shown is None:  # columns without a width
        return np.empty((attributes.data.attributes.domain_size("POINT"), *shape), dtype)
    if shown.shape[1:] != shape:
        if shown.size != len(shown) * prod(shape):  # it was converted to another width
            return shown
        shown = shown.reshape(-1, *shape)
    return exact_or_wider(shown, read_bits(attributes, hidden) if has_bits else (), dtype)


def _texts(codes: NDArray[Any], record: dict[str, Any], label: str) -> NDArray[Any]:
    """What codes stand for; the codes where they were converted to other numbers."""
    if codes.ndim != 1 or codes.dtype.kind != "i":
        return codes
    table, lengths, dtype = record["table"], record["lengths"], record["dtype"]
    if len(codes) and codes.view(f"u{codes.itemsize}").max() >= len(table):  # unsigned, so that those below 0 are, too
        wrong = codes[(codes < 0) | (codes >= len(table))][0]
        raise MosaicError(
            f"{label!r}: its vertex property {record['name']!r} has the code {wrong}, which stands for none of its {len(table)} "
            f"texts; set the attribute to codes from 0 to {len(table) - 1}, or remove it, to save."
        )
    if lengths is None:
        return table[codes]
    longest = int(lengths[codes].max(initial=1))  # as long as another object's, from which points were joined
    size = dtype.itemsize // np.dtype(f"{dtype.kind}1").itemsize
    return table.astype(dtype if longest <= size else f"{dtype.kind}{longest}")[codes]


def _stem_of(name: str) -> str:
    """An attribute name as close to a property's as Blender takes."""
    clean = "".join(c if c.isprintable() else "_" for c in name) or "property"
    return f"{clean}_" if clean in RESERVED else clean


def _free_name(data: PointData, name: str, suffix: str) -> str:
    """An attribute name that Blender takes as it is, as close to the property's as can be."""
    stem = _stem_of(name)
    taken = set(data.attributes.keys())
    for candidate in _names(stem, suffix):
        if candidate not in taken and candidate not in RESERVED:
            return candidate
    raise AssertionError("unreachable: the candidates never end")


def _names(stem: str, suffix: str) -> Iterable[str]:
    number = 0
    while True:
        tail = suffix if number == 0 else f"{suffix}_{number}"
        room = 63 - len(tail.encode())
        yield stem.encode("utf-8", "replace")[:room].decode("utf-8", "ignore") + tail
        number += 1
