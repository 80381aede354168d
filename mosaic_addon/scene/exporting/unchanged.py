"""Telling at a glance that an object shows what it was read from.

Thousands of objects differ in little but their points. Of all that decides whether one was edited, what is its own is compared
with its record here, and the rest makes a key: where one object of a key was looked into and nothing was found, there is
nothing to be found in the others.
"""

import marshal
from collections.abc import Hashable
from typing import Any

import bpy

from ...session.edit import state_of
from ...session.nodes import Formed, ObjectNode
from ...session.values import fit_of
from ..data.custom_properties import clean_text, own_properties, plain_property
from ..keys import SAMPLING_RATE
from ..outline.tree import name_of
from ..record import Record
from .edited_look import Look
from .object_arrays import Source

LOOKED_INTO = ("VolumeGeometry", "SegmentationGeometry")  # always: whether Mosaic bears them depends on their values


def key_of(obj: bpy.types.Object, source: Source, record: Record, look: Look, visible: bool | None) -> Hashable | None:
    """What an object and others have in common that are edited if it is; None for one that is edited or unlike all others.

    For objects with an equal key, `apply_edits` and `repair` find the same.
    """
    part = record.part
    if type(part) is not Formed or look.elsewhere or record.frames or source.matrix is not None:
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
    rate = obj.get(SAMPLING_RATE)
    own = own_properties(obj)
    return (
        part.alike,
        visible,
        look,
        tuple(rate.to_list()) if hasattr(rate, "to_list") else _bytes_of(plain_property(rate)),
        _bytes_of([(key, plain_property(value)) for key, value in own.items()]) if own else b"",
        source.is_mesh,
        source.count > 0,
        source.columns_note,
        source.attributes().signature,
    )


def _bytes_of(value: Any) -> bytes:
    """Plain values as bytes that are equal for equal values: ten times as quick as `canonical`, but not for keeping."""
    return marshal.dumps(value, 2)  # later versions of the format depend on what else refers to the value


def speaks_for_others(node: ObjectNode) -> bool:
    """Whether what was found out about a geometry holds for all with its key: no array was compared that the key is silent on."""
    fit = fit_of(node)
    return node.cls.name not in LOOKED_INTO and (fit is None or state_of(fit).as_dict().get("vertex_colors") is None)
