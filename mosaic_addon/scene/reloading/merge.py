"""What the file changed in one geometry since it was read, what Blender did, and which of both counts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ...session.decode import appearance_of, meta_of, name_in
from ...session.geometry_diff import differ, shapes_differ
from ...session.node_diff import array_difference
from ...session.nodes import Stored
from ...session.session import DEFAULT_RESOLUTION, Geometry
from ...session.values import numbers_of
from ..data.checksums import checksum
from ..data.custom_properties import clean_text, meta_properties, same_property, to_property
from ..data.vertex_properties import column_checksums
from ..drawing.trajectories import frame_note
from ..exporting.changes import Kind
from ..exporting.piece import Piece
from ..exporting.saved_values import OF_PLACE, OF_SHAPE, AsSaved
from ..record import Record

NUMBERS: Final = {
    "opacity": Kind.OPACITY, "ambient": Kind.AMBIENT, "diffuse": Kind.DIFFUSE, "specular": Kind.SPECULAR,
    "size": Kind.SIZE, "render_spheres": Kind.SPHERES,
}  # fmt: skip


@dataclass(slots=True)
class Merged:
    """What becomes of one geometry.

    take: new values from the file by kind of change; of Kind.META, a dict of custom properties, None for one that is
    gone. settle: the same for what Blender was edited to before, and which differs by a rounding at most. take_shape:
    the shape is the file's. take_place: the file's shape stands where the object was moved to, so that it is not to be
    moved again. keep_shape: Blender's shape counts, and what it was read as is remembered further. edited_again: the
    file has the shape that was saved, and Blender has another one by now. refused: what Blender edited while the file
    has something else. overruled: the same where the file counts.
    """

    take: dict[Kind, Any] = field(default_factory=dict)
    settle: dict[Kind, Any] = field(default_factory=dict)
    take_shape: bool = False
    take_place: bool = False
    keep_shape: bool = False
    edited_again: bool = False
    refused: dict[Kind, tuple[Any, ...]] = field(default_factory=dict)
    overruled: dict[Kind, tuple[Any, ...]] = field(default_factory=dict)


def merge(
    piece: Piece,
    base: Record,
    geometry: Geometry,
    representation: str,
    *,
    is_saved: bool,
    as_saved: AsSaved,
    prefer_file: bool,
) -> Merged:
    """Decide what becomes of a geometry.

    piece: it as it would be saved now. base: it as it was read. geometry: it as the file has it now. representation:
    how an import would show it. is_saved: the file had all edits of it, so whatever differs was changed there.
    as_saved: tells what the file got from Blender, and was not changed there since. prefer_file: where both sides
    changed a value, the file's counts.
    """
    merged = Merged()
    if not piece.edits and not is_changed(piece, geometry):
        return merged
    looks = not (is_saved or prefer_file)
    for kind, new, is_same in _new_values(piece, base, geometry, representation, is_saved):
        if is_same:
            merged.settle[kind] = new
            continue
        if looks and as_saved.has(geometry, kind):  # Blender changed it again, or took its edit back
            continue
        if kind in piece.edits:
            if not (is_saved or prefer_file):
                merged.refused[kind] = piece.edits[kind]
                continue
            if not is_saved:
                merged.overruled[kind] = piece.edits[kind]
        merged.take[kind] = new
    _merge_meta(merged, piece, base, geometry, is_saved, prefer_file, as_saved)
    _merge_shape(merged, piece, base, geometry, is_saved, prefer_file, as_saved)
    return merged


def is_changed(piece: Piece, geometry: Geometry) -> bool:
    """Tell whether the file has anything else of a geometry than what would be saved now."""
    return differ(piece.node, geometry.node, is_exactly)


def _new_values(
    piece: Piece, base: Record, geometry: Geometry, representation: str, is_saved: bool
) -> Iterator[tuple[Kind, Any, bool]]:
    """Yield what the file changed: the kind of change, the new value, and whether an edit in Blender is the same one.

    is_saved: the file had all edits, so that a value as it was read is a change, too.
    """

    def changed(kind: Kind, old: Any, new: Any, is_equal: Callable[[tuple[Any, ...]], bool]) -> Iterator[Any]:
        if new != old or (is_saved and kind in piece.edits):
            yield kind, new, kind in piece.edits and is_equal(piece.edits[kind])

    name = clean_text(geometry.name)
    rate, visible, resolution = numbers_of(base.node)
    new_rate = tuple(geometry.sampling_rate.tolist())
    old_name = clean_text(name_in(base.node, base.container, base.index))
    old, new = appearance_of(base.node, base.container, base.fractions), geometry.appearance
    yield from changed(Kind.NAME, old_name, name, lambda edit: edit == (name,))
    yield from changed(Kind.VISIBLE, visible, geometry.visible, lambda edit: edit == (geometry.visible,))
    yield from changed(Kind.SAMPLING_RATE, rate, new_rate, lambda edit: np.allclose(edit, new_rate))
    yield from changed(Kind.REPRESENTATION, base.representation, representation, lambda edit: edit == (representation,))
    yield from changed(
        Kind.COLOR, old.base_color, new.base_color, lambda edit: np.allclose(edit, new.base_color, atol=1e-5)
    )
    for key, kind in NUMBERS.items():
        value = getattr(new, key)
        yield from changed(kind, getattr(old, key), value, partial(_is_number, value))
    if geometry.volume is not None:
        percent, smooth = new.isovalue_percentile, geometry.volume.target_resolution
        smooth, was = (DEFAULT_RESOLUTION if value is None else value for value in (smooth, resolution))
        yield from changed(Kind.ISOVALUE, old.isovalue_percentile, percent, lambda edit: edit == (percent,))
        yield from changed(Kind.RESOLUTION, was, smooth, lambda edit: edit == (smooth,))


def _is_number(value: float, edit: tuple[Any, ...]) -> bool:
    """Tell whether an edit has a value in Blender's precision."""
    return bool(np.float32(edit[0]) == np.float32(value))


def _merge_meta(
    merged: Merged,
    piece: Piece,
    base: Record,
    geometry: Geometry,
    is_saved: bool,
    prefer_file: bool,
    as_saved: AsSaved,
) -> None:
    """Merge the custom properties that stand for meta, one by one."""
    old, new = (
        {key: value for key, (_, value) in meta_properties(meta).items()}
        for meta in (meta_of(base.node), geometry.meta)
    )
    edited = {entry[0]: entry for entry in piece.edits.get(Kind.META, ())}
    taken: dict[str, Any] = {}
    settled: dict[str, Any] = {}
    for key in old | new | (edited if is_saved else {}):
        value, is_edited = new.get(key), key in edited
        if not (is_saved and is_edited) and key in old and key in new and same_property(old[key], value):
            continue
        if is_edited and same_property(to_property(edited[key][1]) if len(edited[key]) > 1 else None, value):
            settled[key] = value
            continue
        if not (is_saved or prefer_file) and as_saved.has_meta(geometry, key, value):
            continue
        if is_edited and not is_saved:
            side = merged.overruled if prefer_file else merged.refused
            side[Kind.META] = (*side.get(Kind.META, ()), edited[key])
            if not prefer_file:
                continue
        taken[key] = value
    if taken:
        merged.take[Kind.META] = taken
    if settled:
        merged.settle[Kind.META] = settled


def _merge_shape(
    merged: Merged,
    piece: Piece,
    base: Record,
    geometry: Geometry,
    is_saved: bool,
    prefer_file: bool,
    as_saved: AsSaved,
) -> None:
    """Decide whose points, faces, vertex properties, model, volume and frames count. These are one value."""
    edited = {kind: details for kind, details in piece.edits.items() if kind in OF_SHAPE}
    if not (is_saved or prefer_file) and as_saved.has_shape(geometry):
        # Blender changed it again, or took its edit back.
        merged.keep_shape = merged.edited_again = True
    elif not edited or is_saved:
        merged.take_shape = shapes_differ(piece.node, geometry.node, is_exactly)
        merged.take_place = merged.take_shape and piece.source.matrix is not None
        merged.keep_shape = bool(edited) and not merged.take_shape
    elif shapes_differ(base.node, geometry.node, _was_read(piece, base)):
        if not shapes_differ(piece.node, geometry.node, is_exactly):
            merged.keep_shape = True
        elif edited.keys() <= OF_PLACE and not as_saved.has_place(geometry):
            merged.take_shape = True  # which stands where the object was moved to
        elif prefer_file:
            merged.take_shape = merged.take_place = True
            merged.overruled |= edited
        else:
            merged.keep_shape = True
            merged.refused |= edited


def is_exactly(stored: Stored, values: NDArray[Any]) -> bool:
    """Tell whether an array that an object would write now is an array of the file."""
    try:
        return array_difference(np.asarray(stored.owner.array(stored)), values) is None
    except KeyError:
        return False


def _was_read(piece: Piece, base: Record) -> Callable[[Stored, NDArray[Any]], bool]:
    """Return what tells whether an array that was read is an array of the file, though it may be edited by now."""

    def is_equal(stored: Stored, values: NDArray[Any]) -> bool:
        if np.dtype(stored.dtype) != values.dtype:
            return False
        with np.errstate(all="ignore"):
            if stored.name in ("points", "vertices"):
                points = np.asarray(values, np.float32)
                return (len(points), checksum(points)) == (base.count, base.points_checksum)
            if stored.name == "triangles":
                faces = np.asarray(values, np.int32)
                return (len(faces), checksum(faces)) == (base.faces, base.faces_checksum)
        if stored.name.startswith("columns/"):
            name = stored.name.partition("/")[2]
            return column_checksums({name: values}).get(name) == base.column_checksums.get(name)
        if stored.name == "volume":
            return is_exactly(stored, values)
        if stored.name.startswith("frames/"):
            _, number, part = stored.name.split("/", 2)
            return _was_frame(frame_note(piece.source.own_frames().get(int(number))), part, values)
        return len(values) == base.count  # directions follow a shape that was edited; how they were is not known

    return is_equal


def _was_frame(note: dict[str, Any], part: str, values: NDArray[Any]) -> bool:
    """Tell whether an array of a frame is the one that was read. note: counts and check sums of the frame."""
    if part == "vertices":
        return note.get(part) == [len(values), checksum(np.asarray(values, np.float32))]
    if part == "triangles":
        return note.get(part) == [len(values), checksum(np.asarray(values, np.int32))]
    if part.startswith("columns/"):
        name = part.partition("/")[2]
        return column_checksums({name: values}).get(name) == note.get("columns", {}).get(name)
    return True  # directions follow the shape
