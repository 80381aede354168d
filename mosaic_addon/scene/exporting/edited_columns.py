"""Vertex properties that were edited, renamed, joined or made in Blender -> a geometry's node."""

from typing import Any

import numpy as np

from ...session.edit import set_columns
from ...session.errors import MosaicError
from ...session.nodes import Node, Stored
from ...session.releases import Spelling
from ...session.values import columns_of
from ..data.attributes import NORMALS, QUATERNIONS, RESERVED
from ..data.checksums import checksum
from ..data.exact_bits import read_with_bits
from ..data.vertex_properties import Column, column_checksums, is_damaged, note_of, read_column
from ..record import Record
from .changes import ColumnEdit, Kind
from .object_arrays import Source
from .piece import Piece


def edit_columns(piece: Piece, record: Record, spelling: Spelling) -> None:
    """Bring vertex properties that were changed, renamed, removed or added into the node."""
    source = piece.source
    tell_damaged_note(source, piece.warnings, piece.label)
    old = columns_of(piece.node)
    renamed = _find_renamed(piece, record)
    known = {column.name: column for column in source.known_columns()}
    current = source.columns()
    columns: dict[str, Node] = {}
    changed: list[tuple[Any, ...]] = []
    for name, value in (old or {}).items():
        if type(value) is Stored:
            if name in renamed:
                new = renamed[name]
                columns[new] = source.stored(f"columns/{new}", value.dtype)
                changed.append((ColumnEdit.RENAMED, name, new))
            elif name not in current:
                changed.append((ColumnEdit.REMOVED, name))
            elif current[name].dtype == value.dtype and current[name].shape[1:] == known[name].shape:
                columns[name] = value
            else:
                columns[name] = source.stored(f"columns/{name}", current[name].dtype.str)
                if known[name].texts is not None and current[name].dtype.kind == np.dtype(value.dtype).kind:
                    changed.append((ColumnEdit.LONGER, name))
                else:
                    changed.append((ColumnEdit.CONVERTED, name, *kind_of(current[name])))
        elif source.count == record.count:
            columns[name] = value
        else:
            changed.append((ColumnEdit.REMOVED, name))
            piece.warnings.append(
                f"{piece.label}: its vertex property {name!r}, which Blender cannot hold, does not fit the edited "
                "points and is left out."
            )
    for name, values in current.items():
        if name not in (old or {}) and name not in renamed.values():
            columns[name] = source.stored(f"columns/{name}", values.dtype.str)
            changed.append((ColumnEdit.ADDED, name))
    for name, values in new_columns_of(source, piece.warnings, piece.label).items():
        if name not in columns:
            columns[name] = values
            changed.append((ColumnEdit.ADDED, name, checksum(values)))
    sums = column_checksums(current)
    if changed:
        piece.edits[Kind.COLUMNS] = changed, sums
    elif source.count != record.count:
        piece.edits[Kind.COUNT] += (sums,)
    elif sums != record.column_checksums:
        piece.edits[Kind.COLUMN_VALUES] = (sums,)
    if changed or (old is not None and source.count != record.count):
        set_columns(piece.node, columns, source.count, spelling)


def tell_what_is_filled_in(piece: Piece, record: Record) -> None:
    """Warn of values that Blender made up where one of the objects that were joined lacked an attribute."""
    source, attributes = piece.source, piece.source.attributes()
    filled = []
    normals, quaternions = attributes.read(NORMALS), attributes.read(QUATERNIONS)
    if normals is not None and not source.is_mesh and _is_in_one_part(normals, (0, 0, 0), record.count):
        filled.append("normals of length 0")
    if quaternions is not None and _is_in_one_part(quaternions, (1, 0, 0, 0), record.count):
        filled.append("quaternions of no turn")
    for column in source.known_columns():
        codes = [attributes.read(part) for part in column.attributes]
        if codes and all(values is not None and _is_in_one_part(values, 0, record.count) for values in codes):
            filled.append(f"{column.name} {column.texts[0]!r}" if column.texts else f"{column.name} 0")
    for name, values in new_columns_of(source, [], "").items():
        if _is_in_one_part(values, 0, record.count):
            filled.append(f"{name} 0")
        if values.dtype == np.int32 and values.ndim == 1:
            piece.warnings.append(
                f"{piece.label}: {name!r} came with points that were joined; if it was text there, only the codes are "
                "left: undo that and join the other way round, into the object that has it, to keep texts."
            )
    if filled:
        piece.warnings.append(
            f"{piece.label}: points that were joined with others have {', '.join(filled)}, "
            "which Blender gives to what has no such attribute; set what they should have."
        )


def _is_in_one_part(values: Any, value: Any, count: int) -> bool:
    """Tell whether all rows before row `count`, or all from there on, are `value`, but not all of both."""
    is_there = (values == value).reshape(len(values), -1).all(axis=1)
    return bool(is_there[:count].all() != is_there[count:].all())


def tell_damaged_note(source: Source, warnings: list[str], label: str) -> None:
    """Warn where the note of vertex properties was tampered with, so that attributes count as the user's own."""
    if is_damaged(source.columns_note):
        warnings.append(f"{label}: its note of vertex properties is damaged; its attributes are saved as they are.")


def kind_of(values: Any) -> tuple[str, tuple[int, ...]]:
    """Return what a vertex property is made of: the name of its dtype, and the shape of a row."""
    return values.dtype.name, values.shape[1:]


def _find_renamed(piece: Piece, record: Record) -> dict[str, str]:
    """Return the new names, by the old, of vertex properties whose attributes were renamed; read by them from now on.

    An attribute is a renamed one if its values, read like those of the missing one, have the check sum that those had.
    """
    source, columns = piece.source, piece.source.known_columns()
    names = source.data.attributes.keys()
    gone = [column for column in columns if len(column.attributes) == 1 and column.attributes[0] not in names]
    if not gone:
        return {}
    known = {name for column in columns for name in (column.name, *column.attributes)}
    added = [name for name in names if is_users_own(name) and name not in known]
    renamed: dict[str, str] = {}
    for column in gone:
        wanted = record.column_checksums.get(column.name)
        for name in added:
            if _checksum_as(source, column.renamed(name)) == wanted is not None:
                renamed[column.name] = name
                added.remove(name)
                break
    if renamed:
        source.columns_note = note_of(
            column.renamed(renamed[column.name]) if column.name in renamed else column for column in columns
        )
    numbers = [name for name in added if source.attributes().kind(name) == (1, np.int32)]
    if numbers:
        piece.warnings += [
            f"{piece.label}: the texts of its vertex property {column.name!r} are left out with its attribute; "
            f"{' and '.join(map(repr, numbers))} {'is' if len(numbers) == 1 else 'are'} written as numbers."
            for column in gone
            if column.texts is not None and column.name not in renamed
        ]
    return renamed


def _checksum_as(source: Source, column: Column) -> int | None:
    """Return the check sum of attributes that are read as a column; None where they hold nothing of its kind."""
    try:
        values = read_column(source.attributes(), column)
    except MosaicError:  # no codes of texts
        return None
    if values is None or values.dtype != column.dtype or values.shape[1:] != column.shape:
        return None
    return checksum(values)


def is_users_own(name: str) -> bool:
    """Tell whether an attribute that stands for no vertex property yet is to become one."""
    return not name.startswith(".") and name not in RESERVED


def new_columns_of(source: Source, warnings: list[str], label: str) -> dict[str, Any]:
    """Return the values of attributes that the user made, which become vertex properties; warn of those that cannot."""
    data, attributes = source.data, source.attributes()
    ours = {attribute for column in source.known_columns() for attribute in column.attributes}
    added = {}
    names = data.attributes.keys()
    for name in names:
        if name in ours or not is_users_own(name):
            continue
        values = read_with_bits(attributes, name)
        if values is not None:
            added[name] = values
        elif data.attributes[name].domain == "POINT":
            kind = data.attributes[name].data_type
            warnings.append(
                f"{label}: its attribute {name!r} is left out, as Mosaic has no vertex properties of the type {kind}."
            )
    return added
