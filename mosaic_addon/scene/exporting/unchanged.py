"""A quick way to tell that an object still shows what it was read from.

Thousands of objects differ in little but their points. What is an object's own is compared with its record here; all
else that decides whether it was edited makes a key. Where one object of a key was examined and nothing was found,
nothing would be found in the others.
"""

import marshal
from collections.abc import Hashable
from typing import Any

import bpy

from ...session.arrays import VERTEX_COLORS, array_in
from ...session.nodes import Formed, ObjectNode
from ...session.values import fit_of, is_segmentation, is_volume
from ..data.custom_properties import clean_text, own_properties, plain_property
from ..keys import SAMPLING_RATE
from ..outline.tree import name_of
from ..record import Record
from .edited_appearance import Drawn
from .object_arrays import Source


def key_of(
    obj: bpy.types.Object, source: Source, record: Record, drawn: Drawn, visible: bool | None
) -> Hashable | None:
    """Return a key that an object shares with others of which the same is found; None for one that must be examined.

    Whatever `apply_edits` and `repair` look at must be compared here or be part of the key.
    """
    part = record.part
    if type(part) is not Formed or drawn.elsewhere or record.frames or source.matrix is not None:
        return None
    name = part.own[0]
    shown = name_of(obj)
    if type(name) is not str or not name or (name != shown and clean_text(name) != shown):
        return None
    if source.count != record.count or source.points_checksum() != record.points_checksum:
        return None
    if source.is_mesh and (source.face_count() != record.faces or source.faces_checksum() != record.faces_checksum):
        return None
    if not source.is_mesh and record.faces:
        return None
    if source.column_checksums() != record.column_checksums:
        return None
    own = own_properties(obj)
    return (
        part.alike,
        visible,
        drawn,
        SAMPLING_RATE.read(obj),
        _bytes_of([(key, plain_property(value)) for key, value in own.items()]) if own else b"",
        source.is_mesh,
        source.count > 0,
        source.columns_note,
        source.attributes().signature,
    )


def _bytes_of(value: Any) -> bytes:
    """Encode plain values as bytes that are equal for equal ones: quicker than `canonical`, but not to be kept."""
    return marshal.dumps(value, 2)  # in later versions of the format, the bytes depend on references to the value


def speaks_for_others(node: ObjectNode) -> bool:
    """Tell whether what was found of a geometry holds for all with its key.

    It does not where an array was compared that is not part of the key, as vertex colours are.
    """
    fit = fit_of(node)
    # Whether Mosaic can load a volume or a segmentation depends on its values.
    return not (is_volume(node) or is_segmentation(node)) and (fit is None or array_in(fit, VERTEX_COLORS) is None)
