"""Whether an object still has what its record speaks of. A .blend comes by mail, too, so the two need not fit."""

import bpy
from bpy.types import Mesh

from ...session.arrays import VOLUME, has_array
from ...session.nodes import ObjectNode, Stored, stored_nodes
from ..data.custom_properties import has
from ..data.vertex_properties import column_dtype, is_small
from ..drawing.facts import frames_of
from ..drawing.surfaces import is_damaged
from ..keys import MODEL, STEP
from ..readers import number_dtype
from ..record import Record
from .object_arrays import READERS, Source, frame_named
from .piece import Piece


def meshes_of_frames(obj: bpy.types.Object) -> list[Mesh]:
    """Return the meshes of a trajectory's frames."""
    if not has(obj, MODEL):
        return []
    return [mesh for frame in frames_of(obj) if isinstance(mesh := frame.data, Mesh)]


def what_is_damaged(piece: Piece, record: Record) -> str | None:
    """Say what of a volume or trajectory is damaged, without which there is nothing to save; None where nothing is."""
    if has_array(piece.node, VOLUME) and is_damaged(piece.obj):
        return "the values of its volume are damaged"
    if record.frames and any(has(mesh, STEP) and STEP.read(mesh) is None for mesh in meshes_of_frames(piece.obj)):
        return "the numbers of its frames are damaged"
    return None


def has_all_arrays(source: Source, node: ObjectNode) -> bool:
    """Tell whether an object holds all arrays that its node names, as the node says."""
    return all(_holds(source, stored) for stored in stored_nodes(node))


def _holds(source: Source, stored: Stored) -> bool:
    what, _, rest = stored.name.partition("/")
    try:
        if what == "frames":
            frame, rest = frame_named(source, rest)
            return _holds(frame, Stored(rest, stored.dtype, stored.order))
        dtype = column_dtype(stored.dtype) if what == "columns" else number_dtype(stored.dtype)
    except (KeyError, TypeError, ValueError):
        return False
    if dtype is None:
        return False
    if what != "columns":
        return stored.name in READERS and (stored.name != VOLUME or source.volume is not None)
    column = next((column for column in source.known_columns() if column.name == rest), None)
    if column is None or dtype.kind not in "US":
        return column is not None
    return column.texts is not None and is_small(source.count, dtype.itemsize)
