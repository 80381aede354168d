"""Frames of a trajectory that were edited, deleted or chosen in Blender -> its node."""

from typing import Any

import bpy
import numpy as np

from ...session import frames
from ...session.arrays import NORMALS, POINTS, TRIANGLE_NORMALS, array_in, put_array
from ...session.errors import MosaicError
from ...session.move_models import only_moves
from ...session.nodes import ObjectNode, Pairs, Stored
from ..data.checksums import checksum
from ..drawing.facts import frame_at
from ..drawing.trajectories import frame_sums
from ..keys import STEP, STEP_SUMS
from ..record import Record
from .changes import ColumnEdit, Kind
from .edited_columns import kind_of, new_columns_of, tell_damaged_note
from .object_arrays import Source
from .piece import Piece


def edit_frames(piece: Piece, record: Record, scene_frame: int) -> None:
    """Bring deleted, reordered and edited frames of a trajectory, and another one that is shown, into the node.

    Raises MosaicError when there is no frame left.
    """
    entries = frames.frames_of(piece.node)
    meshes = piece.source.frames
    shown = {number: entries[place] for number, place in enumerate(record.frames)}
    own = {number: mesh for number, mesh in piece.source.own_frames().items() if number in shown}
    if not own:
        raise MosaicError(
            f"{piece.label}: none of its frames is there any more; undo that, or delete the object to save without it."
        )
    ours = {mesh.session_uid for mesh in own.values()}
    piece.warnings += [
        f"{piece.label}: its frame {mesh.name!r} is left out, as it was not in its session; edit the frames that were."
        for mesh in meshes
        if mesh.session_uid not in ours
    ]
    if list(own) != list(shown):
        frames.set_frames(piece.node, [shown[number] for number in own])
        piece.edits[Kind.FRAMES] = tuple(own), len(entries)
    for number, mesh in own.items():
        _edit_columns_of_frame(piece, number, mesh, shown[number])
    edited = _edited_frames(piece.source)
    if edited:
        piece.edits[Kind.EDITED_FRAMES] = tuple(edited.items())
    number = STEP.read(meshes[frame_at(piece.obj, len(meshes), scene_frame)])
    if number == record.step or number not in own:
        return
    before = shown[record.step] if record.step in shown and record.step not in own else None
    points, normals = (piece.source.stored(f"frames/{number}/{name}") for name in (POINTS, NORMALS))
    frames.show_frame(piece.node, shown[number], before, points, normals)
    piece.edits[Kind.FRAME] = (number,)


def _edited_frames(source: Source) -> dict[int, str]:
    """Return the check sums of the frames that were edited since the import, by their numbers."""
    edited = {}
    for number, mesh in source.own_frames().items():
        frame = Source(source.name, mesh, None)
        sums = frame_sums(frame.positions(), frame.triangles(np.dtype(np.int32)), frame.column_checksums())
        if (STEP_SUMS.read(mesh) or sums) != sums:
            edited[number] = sums
    return edited


def _edit_columns_of_frame(piece: Piece, number: int, mesh: bpy.types.Mesh, frame: Pairs) -> None:
    """Bring vertex properties of a frame that were removed, added or converted into its node.

    Edited values need nothing done, because they are read while the file is written.
    """
    columns = frames.columns_of(frame)
    if columns is None:
        return
    label = f"{piece.label}, frame {number}"
    source = Source(label, mesh, None)
    tell_damaged_note(source, piece.warnings, label)
    known = {column.name: column for column in source.known_columns()}
    current, changed = source.columns(), list[tuple[Any, ...]]()
    for name, value in columns.items():
        if type(value) is not Stored:
            continue
        if name not in current:
            frames.drop_column(frame, name)
            changed.append((ColumnEdit.REMOVED, name))
        elif current[name].dtype != value.dtype or current[name].shape[1:] != known[name].shape:
            stored = piece.source.stored(f"frames/{number}/columns/{name}", current[name].dtype.str)
            frames.put_column(frame, name, stored)
            changed.append((ColumnEdit.CONVERTED, name, *kind_of(current[name])))
    for name, values in new_columns_of(source, piece.warnings, label).items():
        frames.put_column(frame, name, values)
        changed.append((ColumnEdit.ADDED, name, checksum(values)))
    if changed:
        piece.add_edit(Kind.FRAME_COLUMNS, number, changed)


def turn_frames(piece: Piece, record: Record, fit: ObjectNode) -> None:
    """Renew the normals of the faces in all frames of a trajectory that was turned or scaled.

    All else of the frames needs nothing done, because it is read while the file is written.
    """
    source = piece.source
    if source.matrix is None or only_moves(source.matrix):
        return
    entries = frames.frames_of(piece.node)
    known = [number for number in source.own_frames() if number < len(record.frames)]
    if len(entries) == len(known):  # all frames are in Blender
        fits = [frames.mesh_of(frame) for frame in entries]
    else:
        fits = [frames.mesh_of(entries[record.frames[number]]) for number in known]
    sources = [source.frame(number) for number in known]
    if not any(fit is other for other in fits):
        fits.append(fit)
        sources.append(source)
    for each, of_frame in zip(fits, sources, strict=True):
        if array_in(each, TRIANGLE_NORMALS) is not None:
            put_array(each, TRIANGLE_NORMALS, of_frame.face_normals())
