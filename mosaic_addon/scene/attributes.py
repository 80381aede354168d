"""Per-point arrays <-> Blender attributes; vertex properties exactly, in both directions.

Blender has no 64-bit attributes. A column that 32 bits cannot hold gets its nearest float for drawing, and beside it a
hidden attribute with the bits of the true values, which follows every edit of the points. Text is integer codes and a table
of its values. What each attribute stands for is kept as JSON on the mesh or point cloud, since the names and kinds that a
session allows are more than Blender's.
"""

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import prod
from typing import Any, TypeAlias

import bpy
import numpy as np
from bpy.types import Mesh, PointCloud  # looking them up in bpy.types takes longer than reading an attribute
from numpy.typing import NDArray

from ..session.errors import MosaicError

PointData: TypeAlias = Mesh | PointCloud

COLUMNS = "mosaic_vertex_properties"  # custom property of data, and of objects again: what the attributes stand for
BITS_OF_OTHERS = ("points", "vertices", "normals", "quaternions", "vertex_normals")  # that `write_bits` stores
NORMALS, QUATERNIONS, VERTEX_COLORS = "normals", "quaternions", "vertex_colors"
# Names that mean something to Blender or to us; some of them `attributes.new` refuses, others it renames.
RESERVED = {
    NORMALS, QUATERNIONS, VERTEX_COLORS, "position", "radius", "id", "material_index", "custom_normal", "sharp_face",
    "sharp_edge", "velocity",
    "rotation", "scale", "crease_vert", "crease_edge", "bevel_weight_vert", "face_maps", "shade_smooth", "resolution", "cyclic",
}  # fmt: skip
# A material that looks for an attribute of instances finds the object's own property of that name where there is none.
RESERVED.update(*(owner.bl_rna.properties.keys() for owner in (bpy.types.Object, Mesh, PointCloud)))

# Blender's kind of attribute: the name of its values, numbers per point, their dtype.
KINDS: dict[str, tuple[str, int, Any]] = {
    "FLOAT": ("value", 1, np.float32),
    "FLOAT2": ("vector", 2, np.float32),
    "FLOAT_VECTOR": ("vector", 3, np.float32),
    "FLOAT_COLOR": ("color", 4, np.float32),
    "QUATERNION": ("value", 4, np.float32),
    "INT": ("value", 1, np.int32),
    "INT32_2D": ("value", 2, np.int32),
    "BOOLEAN": ("value", 1, np.bool_),
    # What no import makes, but a user can.
    "INT8": ("value", 1, np.int8),
    "INT16_2D": ("value", 2, np.int16),
    "BYTE_COLOR": ("color", 4, np.float32),
    "FLOAT4": ("vector", 4, np.float32),
}


def buffer_of(values: NDArray[Any], dtype: Any) -> memoryview:
    """The values as a flat buffer that `foreach_set` takes without a copy of its own.

    An array that is not aligned, as views of a file are, would be taken number by number: numpy describes it as "=f".
    """
    flat = np.ascontiguousarray(values, dtype).reshape(-1)
    if not flat.size:
        return memoryview(b"").cast("B")
    return memoryview(flat.view(np.uint8)).cast(np.dtype(dtype).char)


def write_attribute(data: PointData, name: str, kind: str, values: NDArray[Any]) -> str:
    """Store `values`, one row per point, as a new attribute. Returns the name that it got."""
    attribute = data.attributes.new(name, kind, "POINT")
    if attribute is None:
        raise ValueError(f"Blender refuses the attribute name {name!r}")
    key, _, dtype = KINDS[kind]
    if values.size:
        attribute.data.foreach_set(key, buffer_of(values, dtype))
    return attribute.name


def read_attribute(data: PointData, name: str) -> NDArray[Any] | None:
    """The values of a point attribute, (n,) or (n, width); None where there is none of that name."""
    return PointAttributes(data).read(name)


class PointAttributes:
    """Reads point attributes as `read_attribute` does, quicker where many data have the same ones; until one is added or removed.

    signature: equal for data that have attributes of the same names, kinds and domains.
    """

    __slots__ = ("_attributes", "_places", "data", "signature")

    def __init__(self, data: PointData) -> None:
        attributes = data.attributes
        names = attributes.keys()
        numbers = np.empty(len(names), np.int32)
        attributes.foreach_get("data_type", numbers)
        kinds, domains = numbers.tobytes(), b""
        if isinstance(data, Mesh):  # points have no other domain
            attributes.foreach_get("domain", numbers)
            domains = numbers.tobytes()
        self.data = data
        self._attributes = attributes
        self.signature = (kinds, domains, *names)
        places = _known_places.get(self.signature)
        if places is None:
            if len(_known_places) > MAX_KNOWN:
                _known_places.clear()
            places = _known_places[self.signature] = {
                a.name: KINDS[a.data_type] for a in attributes if a.domain == "POINT" and a.data_type in KINDS
            }
        self._places = places

    def __contains__(self, name: str) -> bool:
        return name in self._places

    def kind(self, name: str) -> tuple[int, Any] | None:
        """How many numbers one has for each point, and their dtype; None where there is none of that name."""
        found = self._places.get(name)
        return None if found is None else found[1:]

    def read(self, name: str, scratch: "Scratch | None" = None) -> NDArray[Any] | None:
        """The values of one, (n,) or (n, width); None where there is none of that name.

        scratch: where to put them, if they are only needed until it is used again.
        """
        found = self._places.get(name)
        if found is None:
            return None
        key, width, dtype = found
        items = self._attributes[name].data
        size = len(items) * width
        if scratch is None:
            values, is_there = np.empty(size, dtype), False
        else:
            values, is_there = scratch.room_for(self, name, size, dtype)
        if size and not is_there:
            items.foreach_get(key, values)
        return values if width == 1 else values.reshape(-1, width)


class Scratch:
    """Memory for one array after the other: for large ones, fresh memory takes longer than what is done with it."""

    __slots__ = ("_holds", "_memory")

    def __init__(self) -> None:
        self._memory = np.empty(0, np.uint8)
        self._holds: tuple[PointAttributes | None, str] = None, ""

    def room_for(self, attributes: PointAttributes, name: str, size: int, dtype: Any) -> tuple[NDArray[Any], bool]:
        """An array, (size,), for an attribute where the last one was, and whether it was this one, so that it need not be read."""
        need = size * np.dtype(dtype).itemsize
        if len(self._memory) < need:
            self._memory = np.empty(0, np.uint8)  # let go of the old before there is the new
            # With room for an attribute of four numbers after one of three; what is not used is not made.
            self._memory = np.empty(need // 3 * 4 + 4, np.uint8)
            self._holds = None, ""
        is_there = self._holds == (attributes, name)
        self._holds = attributes, name
        return self._memory[:need].view(dtype), is_there


MAX_KNOWN = 1000
_known_places: dict[tuple[Any, ...], dict[str, tuple[str, int, Any]]] = {}


# --- exactly ---------------------------------------------------------------------------------------------------------


def is_nearest(values: NDArray[Any], shown: NDArray[Any]) -> bool:
    """Whether float32 `shown` is what float32 can hold of `values`."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.array_equal(values.astype(np.float32, copy=False), shown, equal_nan=True)


def write_bits(data: PointData, name: str, values: NDArray[Any]) -> None:
    """Store what float32 cannot hold of `values`, (n, k), beside the attribute that has the nearest: hidden, and only if needed."""
    with np.errstate(over="ignore", invalid="ignore"):
        nearest = values.astype(np.float32).astype(values.dtype)
    if values.size and not np.array_equal(nearest, values, equal_nan=values.dtype.kind == "f"):
        for number, bits in enumerate(_bits(values)):
            write_attribute(data, f".{name}.bits{number}", "INT32_2D", bits)


def read_exactly(attributes: PointAttributes, name: str, shown: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """What `write_bits` got, of `dtype`; where `shown` is no longer the nearest of it, `shown`."""
    hidden = [attributes.read(f".{name}.bits{number}") for number in range(shown.shape[1])]
    return _with_bits(shown, hidden, np.dtype(dtype))


def _bits(values: NDArray[Any]) -> list[NDArray[np.int32]]:
    """Each column as pairs of 32 bits."""
    wide = values.astype(values.dtype.newbyteorder("=") if values.dtype.itemsize == 8 else np.int64)
    columns = wide.reshape(len(wide), -1).T
    return [np.ascontiguousarray(column).view(np.int32).reshape(-1, 2) for column in columns]


def _with_bits(shown: NDArray[Any], hidden: Sequence[NDArray[Any] | None], dtype: np.dtype[Any]) -> NDArray[Any]:
    """The true values where `shown` is the nearest to them, else `shown`."""
    if not hidden and shown.dtype == dtype:
        return shown
    with np.errstate(over="ignore", invalid="ignore"):
        if not hidden or any(bits is None for bits in hidden):
            return shown.astype(dtype, copy=False)
        wide = _wide(dtype)
        true, untouched = _true_values(shown, hidden, wide)
        return np.where(untouched, true, shown.astype(wide)).astype(dtype)


def _wide(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of the bits of a value of `dtype`."""
    return np.dtype(np.int64) if dtype.itemsize < 8 else dtype.newbyteorder("=")


def _true_values(
    shown: NDArray[Any], hidden: Sequence[NDArray[Any] | None], wide: np.dtype[Any]
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """What the bits say when they are read as `wide`, and where `shown` is the nearest to it."""
    columns = [np.ascontiguousarray(bits).view(wide).reshape(-1) for bits in hidden]
    true = np.stack(columns, axis=1).reshape(shown.shape)
    nearest = true.astype(shown.dtype)
    same = nearest == shown if shown.dtype.kind == "f" else true == shown  # a whole number is itself or another
    return true, same if same.all() else same | ((nearest != nearest) & (shown != shown))


def _exact_or_wider(shown: NDArray[Any], hidden: Sequence[NDArray[Any] | None], dtype: np.dtype[Any]) -> NDArray[Any]:
    """The true values where `shown` is the nearest to them, else `shown`; of `dtype`, or of one that holds all of them.

    Points that were joined from another object have bits of that object's kind, or 0 where it had none.
    """
    if not hidden or any(bits is None for bits in hidden):
        fitting = _first_that_holds([shown], _candidates(dtype, shown.dtype)) or shown.dtype
        with np.errstate(over="ignore", invalid="ignore"):
            return shown.astype(fitting, copy=False)
    wide = np.dtype(np.float64) if dtype.kind == "f" and dtype.itemsize < 8 else _wide(dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        true, known = _true_values(shown, hidden, wide)
        if known.all() and holds_all(true, dtype):
            return true.astype(dtype, copy=False)
        parts, left = [(known, true[known])], ~known
        for other in WIDE:
            if other != wide:
                true, known = _true_values(shown, hidden, other)
                known &= left & ((shown != 0) | (true == 0))  # of large whole numbers, the bits are tiny floats
                parts.append((known, true[known]))
                left &= ~known
        parts.append((left, shown[left]))
        whole, real = [np.dtype(np.int64), np.dtype(np.uint64)], np.dtype(np.float64)
        candidates = [dtype, real, *whole] if dtype.kind == "f" else [dtype, *whole]
        values = np.empty(shown.shape, _first_that_holds([part for _, part in parts], candidates) or real)
        for place, part in parts:
            values[place] = part
    return values


WIDE = (np.dtype(np.float64), np.dtype(np.int64), np.dtype(np.uint64))  # what bits can stand for


@lru_cache(1000)
def _candidates(dtype: np.dtype[Any], shown: np.dtype[Any]) -> list[np.dtype[Any]]:
    """What a vertex property of `dtype` that is shown without bits may be, the best first; none if it is another thing now."""
    if shown.kind == dtype.kind == "f" or shown == dtype:
        return [dtype, np.promote_types(shown, dtype)]
    if shown.kind in "iu" and dtype.kind in "iu":
        return [dtype, np.promote_types(shown, f"i{dtype.itemsize}")]
    # Whole numbers beyond 32 bits are shown as floats.
    if shown.kind == "f" and (dtype.kind, dtype.itemsize) in (("i", 8), ("u", 8), ("u", 4)):
        return [dtype, np.dtype(np.int64)]
    return []


def _first_that_holds(parts: Sequence[NDArray[Any]], dtypes: Sequence[np.dtype[Any]]) -> np.dtype[Any] | None:
    return next((dtype for dtype in dtypes if all(holds_all(part, dtype) for part in parts)), None)


def holds_all(values: NDArray[Any], dtype: np.dtype[Any]) -> bool:
    """Whether numbers of `dtype` can be all the values."""
    rounds = dtype.kind == "f" and values.dtype.kind in "iu" and values.dtype.itemsize == 8  # which numpy calls safe
    if not rounds and np.can_cast(values.dtype, dtype):
        return True
    if dtype.kind in "iu" and values.dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return not values.size or (int(values.min()) >= limits.min and int(values.max()) <= limits.max)
    with np.errstate(over="ignore", invalid="ignore"):
        cast = values.astype(dtype)
        back = cast.astype(values.dtype)
    same = np.array_equal(back, values, equal_nan=values.dtype.kind == "f")
    return same and np.array_equal(cast < 0, values < 0)


# --- vertex properties -----------------------------------------------------------------------------------------------


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


@lru_cache(1000)
def _records(text: str) -> tuple[dict[str, Any], ...]:
    """What is kept of vertex properties; nobody changes it."""
    records = json.loads(text)
    claimed = {name for record in records for name in record.get("bits", ())}
    return tuple(_complete(record, claimed) for record in records)


def _complete(record: dict[str, Any], claimed: set[str]) -> dict[str, Any]:
    """A record as it is needed: where its bits are, or are after a join with what has some, and its texts as an array.

    claimed: the names of the bits that are listed.
    """
    dtype, shape = np.dtype(record["dtype"]), tuple(record["shape"])
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


def _table_of(texts: list[str], dtype: np.dtype[Any]) -> tuple[NDArray[Any], NDArray[np.int32] | None]:
    """Texts by code, and their lengths if `dtype` cuts some off."""
    table = np.array([text.encode("latin-1", "replace") for text in texts] if dtype.kind == "S" else texts)
    if not len(table):
        table = np.array([""])  # of no points
    cut = table.astype(dtype)
    if table.dtype.itemsize <= dtype.itemsize or np.array_equal(cut, table):
        return cut, None
    return table, np.char.str_len(table).astype(np.int32)


def note_columns(things: Iterable[bpy.types.Object]) -> None:
    """Let objects keep what their data keep of vertex properties: where Blender makes new data of them, these keep nothing."""
    for thing in things:
        text = thing.data.get(COLUMNS)
        if text is not None:
            thing[COLUMNS] = text
        else:
            thing.pop(COLUMNS, None)


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
    for record in _records(data.get(COLUMNS, "[]") if text is None else text):
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
            for number, bits in enumerate(_bits(values)):
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
    return _exact_or_wider(shown, [attributes.read(name) for name in hidden] if has_bits else (), dtype)


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
