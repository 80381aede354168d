"""Frames of a trajectory that were edited, deleted or chosen in Blender -> its node."""

from typing import Any

import bpy
import numpy as np

from ...session.edit import drop, entry, put, state_of
from ...session.errors import MosaicError
from ...session.move_models import only_moves
from ...session.nodes import ObjectNode, Pairs, Stored
from ..data.checksums import checksum
from ..drawing.facts import frame_at
from ..drawing.trajectories import frame_sums
from ..keys import STEP, STEP_SUMS
from ..record import Record
from .changes import ColumnEdit, Kind
from .edited_columns import kind_of, new_columns_of
from .object_arrays import Source
from .piece import Piece


def edit_frames(piece: Piece, record: Record, scene_frame: int) -> None:
    """Bring deleted, reordered and edited frames of a trajectory, and another one that is shown, into the node.

    Raises MosaicError when there is no frame left.
    """
    state = state_of(piece.node)
    entries = state.as_dict()["trajectory"]
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
        put(state, "trajectory", [shown[number] for number in own])
        piece.edits[Kind.FRAMES] = tuple(own), len(entries)
    for number, mesh in own.items():
        _edit_columns_of_frame(piece, number, mesh, shown[number])
    edited = _edited_frames(piece.source)
    if edited:
        piece.edits[Kind.EDITED_FRAMES] = tuple(edited.items())
    number = meshes[frame_at(piece.obj, len(meshes), scene_frame)].get(STEP)
    if number == record.step or number not in own:
        return
    frame = shown[number].as_dict()
    fit = frame["fit"]
    gone = shown[record.step].as_dict() if record.step in shown and record.step not in own else {}
    columns = state.as_dict().get("vertex_properties")
    if columns is not None and columns is gone.get("vertex_properties"):  # they went with the frame that was shown
        put(state, "vertex_properties", frame["vertex_properties"])
    name = f"frames/{number}"
    put(state, "points", piece.source.stored(f"{name}/points"))
    if state.as_dict().get("normals") is not None:
        put(state, "normals", piece.source.stored(f"{name}/normals"))
    if state.as_dict().get("quaternions") is not None:
        put(state, "quaternions", None)
    if "model" in state.as_dict():
        put(state, "model", fit)
    else:
        put(entry(piece.node, "meta"), "fit", fit)
    for key in ("filename", "vertex_properties"):
        if key in frame:
            put(entry(piece.node, "meta"), key, frame[key])
    piece.edits[Kind.FRAME] = (number,)


def _edited_frames(source: Source) -> dict[int, str]:
    """Return the check sums of the frames that were edited since the import, by their numbers."""
    edited = {}
    for number, mesh in source.own_frames().items():
        frame = Source(source.name, mesh, None)
        sums = frame_sums(frame.positions(), frame.triangles(np.dtype(np.int32)), frame.column_checksums())
        if mesh.get(STEP_SUMS, sums) != sums:
            edited[number] = sums
    return edited


def _edit_columns_of_frame(piece: Piece, number: int, mesh: bpy.types.Mesh, frame: Pairs) -> None:
    """Bring vertex properties of a frame that were removed, added or converted into its node.

    Edited values need nothing done, because they are read while the file is written.
    """
    container = frame.as_dict().get("vertex_properties")
    entries = state_of(container).as_dict().get("_properties") if type(container) is ObjectNode else None
    if type(entries) is not Pairs:
        return
    label = f"{piece.label}, frame {number}"
    source = Source(label, mesh, None)
    known = {column.name: column for column in source.known_columns()}
    current, changed = source.columns(), list[tuple[Any, ...]]()
    for name, value in entries.as_dict().items():
        if type(value) is not Stored:
            continue
        if name not in current:
            drop(entries, name)
            changed.append((ColumnEdit.REMOVED, name))
        elif current[name].dtype != value.dtype or current[name].shape[1:] != known[name].shape:
            put(entries, name, piece.source.stored(f"frames/{number}/columns/{name}", current[name].dtype.str))
            changed.append((ColumnEdit.CONVERTED, name, *kind_of(current[name])))
    for name, values in new_columns_of(source, piece.warnings, label).items():
        put(entries, name, values)
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
    entries = state_of(piece.node).as_dict()["trajectory"]
    known = [number for number in source.own_frames() if number < len(record.frames)]
    if len(entries) == len(known):  # all frames are in Blender
        fits = [each.as_dict()["fit"] for each in entries]
    else:
        fits = [entries[record.frames[number]].as_dict()["fit"] for number in known]
    sources = [source.frame(number) for number in known]
    if not any(fit is other for other in fits):
        fits.append(fit)
        sources.append(source)
    for each, of_frame in zip(fits, sources, strict=True):
        parts = state_of(each)
        if parts.as_dict().get("triangle_normals") is not None:
            put(parts, "triangle_normals", of_frame.face_normals())
