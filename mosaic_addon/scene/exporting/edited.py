"""An object of a session -> its geometry's node: the node that it was read from, changed where the object was edited.

What Blender shows is compared with what an import of the same node would show, in Blender's precision. So only edits
come through, and an edit that was taken back counts as none.
"""

from math import isfinite

import bpy

from ...session.arrays import VOLUME, stored_in
from ...session.decode import meta_of, name_in
from ...session.edit import drop_meta, set_meta, set_name, set_sampling_rate, set_visible
from ...session.errors import MosaicError
from ...session.releases import Spelling
from ...session.values import FIT, is_volume, numbers_of
from ..data.custom_properties import (
    clean_text,
    has,
    like,
    meta_properties,
    own_properties,
    plain_property,
    same_property,
)
from ..drawing.representations import MODIFIER, modifier_of
from ..keys import SAMPLING_RATE
from ..outline.tree import name_of
from ..record import Record
from .changes import RESHAPED, Kind
from .edited_appearance import Drawn, edit_appearance, edit_volume
from .edited_columns import edit_columns, tell_what_is_filled_in
from .edited_frames import edit_frames
from .edited_shape import edit_shape, refuse_bad_faces, refuse_other_widths
from .piece import Piece

# Keys of meta that mean something else to Mosaic, so that no custom property can go there.
MEANT_OTHERWISE = {"name": "Mosaic has the object's name there", FIT: "Mosaic has the object's model there"}


def apply_edits(
    piece: Piece, record: Record, drawn: Drawn, visible: bool | None, scene_frame: int, spelling: Spelling
) -> None:
    """Bring all edits of an object into its node.

    record: what the object remembers; its node is the piece's. visible: None if nobody can tell. Raises MosaicError,
    naming the object, when Mosaic would crash on the result or Blender lost what the geometry is made of.
    """
    obj, node = piece.obj, piece.node
    _refuse_what_is_gone(piece, record)
    _refuse_what_was_converted(piece, record)
    refuse_other_widths(piece.source, piece.label)
    name = name_of(obj)
    piece.read_name = name_in(node, record.container, record.index)
    if name != clean_text(piece.read_name):
        set_name(node, name)
        piece.edits[Kind.NAME] = (name,)
    rate, was_visible, resolution = numbers_of(node)
    if visible is not None and visible != was_visible:
        set_visible(node, visible, spelling)
        piece.edits[Kind.VISIBLE] = (visible,)
    _edit_sampling_rate(piece, rate)
    _edit_meta(piece)
    edit_appearance(piece, record, drawn)
    if piece.source.volume is not None:
        edit_volume(piece, record, resolution, spelling)
    if piece.source.frames:
        edit_frames(piece, record, scene_frame)
    edit_shape(piece, record, spelling)
    edit_columns(piece, record, spelling)
    if piece.source.count > record.count > 0:
        tell_what_is_filled_in(piece, record)
    if obj.type == "MESH" and piece.edits.keys() & RESHAPED:
        refuse_bad_faces(piece)


def _refuse_what_is_gone(piece: Piece, record: Record) -> None:
    """Raise MosaicError where a volume or the frames of a trajectory are missing.

    These are not in the object's data but in other datablocks, which the object's modifier refers to.
    """
    lost = None
    modifier = modifier_of(piece.obj)
    if piece.source.volume is None and is_volume(piece.node) and stored_in(piece.node, VOLUME) is not None:
        lost = "volume"
    elif record.frames and not piece.source.frames:
        lost = "frames"
    if lost:
        how = (
            f"went with its modifier {MODIFIER!r}"
            if modifier is None
            else f"{'was' if lost == 'volume' else 'were'} deleted"
        )
        raise MosaicError(f"{piece.label}: its {lost} {how}; undo that, or delete the object to save without it.")


def _refuse_what_was_converted(piece: Piece, record: Record) -> None:
    """Raise MosaicError for points of which Object > Convert left none, as it drops what Geometry Nodes put together."""
    obj = piece.obj
    if obj.type == "MESH" and not piece.source.count and record.count and not record.faces and modifier_of(obj) is None:
        raise MosaicError(
            f"{piece.label}: Object > Convert has left no point of it; undo that, or delete the object to save without "
            "it. For a mesh of the surface that it shows there is Surface to Mesh in the menu of the object browser."
        )


def _edit_sampling_rate(piece: Piece, original: tuple[float, float, float]) -> None:
    """Bring an edited sampling rate into the node."""
    rate = sampling_rate_of(piece.obj, piece.label, piece.warnings, original)
    if rate is None or rate == original:
        return
    set_sampling_rate(piece.node, rate)
    piece.edits[Kind.SAMPLING_RATE] = rate


def sampling_rate_of(
    obj: bpy.types.Object, label: str, warnings: list[str], original: tuple[float, ...] | None = None
) -> tuple[float, ...] | None:
    """Return an object's sampling rate, angstrom a voxel along x, y and z; None without one.

    A single number stands for all three. original: the rate that it was read with, which is accepted whatever it is.
    What is no sampling rate is none, with a warning that names the object by `label`.
    """
    rate = SAMPLING_RATE.read(obj)
    if rate is not None and (rate == original or is_rate(rate)):
        return rate
    if has(obj, SAMPLING_RATE):
        warnings.append(f"{label}: its sampling rate is not three positive numbers and is not saved; set it anew.")
    return None


def is_rate(rate: tuple[float, ...]) -> bool:
    """Tell whether numbers can be a sampling rate: all of them finite and positive."""
    return all(isfinite(number) and number > 0 for number in rate)


def _edit_meta(piece: Piece) -> None:
    """Bring custom properties that were changed, added or removed into meta; an import makes them of meta."""
    obj = piece.obj
    current = own_properties(obj)
    meta = meta_of(piece.node)
    if not current and len(meta) <= 1:
        return
    expected = meta_properties(meta)
    for key, (name, value) in expected.items():
        if key not in current:
            drop_meta(piece.node, name)
            piece.add_edit(Kind.META, str(name))
        elif not same_property(plain_property(current[key]), value):
            set_meta(piece.node, name, like(meta[name], plain_property(current[key])))
            piece.add_edit(Kind.META, str(name), plain_property(current[key]))
    for key in current:
        if key not in expected:
            value = plain_property(current[key])
            if key in MEANT_OTHERWISE:
                piece.warnings.append(
                    f"{piece.label}: the custom property {key!r} is left out, as {MEANT_OTHERWISE[key]}."
                )
                continue
            if value is None:
                piece.warnings.append(
                    f"{piece.label}: the custom property {key!r} is left out, as Mosaic has no such thing."
                )
                continue
            set_meta(piece.node, key, value)
            piece.add_edit(Kind.META, key, value)
