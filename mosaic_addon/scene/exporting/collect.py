"""A session in Blender -> the state of a file: finds the geometries, arranges them, and lists what was changed.

A session is what is in its collection: geometries that were read from its file, with their edits, and objects that were
made in Blender and put there. All of it is examined and checked before a file is touched.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import bpy

from ...session.containers import set_tree
from ...session.errors import MosaicError
from ...session.file import Section
from ...session.new_nodes import new_state, new_tree
from ...session.nodes import Pairs
from ...session.releases import TARGETS
from ...session.respell import renames, respell_geometry, respell_state, turn_by_quaternions
from ...session.values import uuid_of
from ..outline.tree import CONTAINERS, name_of
from ..record import SessionRecord
from .browser_tree import (
    Groups,
    Place,
    arrange,
    fill,
    find_damaged,
    identify,
    pieces_in,
    tell_copies,
    tell_outside,
    walk,
)
from .changes import Change, Kind, Subject
from .evaluated import Temporaries
from .objects import find_pieces
from .piece import Piece
from .scope import ExportOptions, Notes, Scope, scope_of_objects, scope_of_session


@dataclass(slots=True)
class Collected:
    """A session that is ready to be written.

    changes: what differs from what was read. left_out, warnings: one sentence each. renames: the modules and names of
    classes that another release has elsewhere, as `write_pickle` takes them. pieces: the geometries, in the browser's
    order. uuids, groups: what objects and groups get
    when the file was written. made: datablocks that hold arrays of the session until it is written.
    """

    state: Pairs
    release: str
    sections: dict[str, Section]
    layout: Literal["pickle", "indexed"]
    changes: list[Change] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    renames: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    pieces: list[Piece] = field(default_factory=list)
    uuids: list[tuple[bpy.types.Object, str]] = field(default_factory=list)
    groups: list[tuple[bpy.types.Collection, dict[str, str]]] = field(default_factory=list)
    made: Temporaries = field(default_factory=Temporaries)

    def close(self) -> None:
        """Remove what was made to be written."""
        self.made.close()


def collect_session(
    session: bpy.types.Collection,
    scene: bpy.types.Scene,
    layer: bpy.types.ViewLayer,
    options: ExportOptions | None = None,
) -> Collected:
    """Collect all that a session's collection holds, as the state of a file. Nothing in Blender is changed.

    scene, layer: where the session is linked; their eyes tell what is visible. Raises MosaicError, naming the object,
    for what Mosaic would crash on or what was tampered with.
    """
    return _collect(scope_of_session(session, scene, layer, options or ExportOptions()))


def collect_objects(
    objects: Iterable[bpy.types.Object],
    scene: bpy.types.Scene,
    layer: bpy.types.ViewLayer,
    options: ExportOptions | None = None,
) -> Collected:
    """Collect objects as a new session of the newest release; objects of a session as that session would write them.

    Raises MosaicError when none of them has points.
    """
    return _collect(scope_of_objects(list(objects), scene, layer, options or ExportOptions()))


def _collect(scope: Scope) -> Collected:
    """Collect what is to be saved, and leave nothing behind on failure."""
    made = Temporaries()
    try:
        return _collected(scope, made)
    except BaseException:
        made.close()
        raise


def _collected(scope: Scope, made: Temporaries) -> Collected:
    """Collect what is to be saved. made: takes the datablocks that are made to be written."""
    notes = Notes()
    walked = walk(scope)
    found = find_pieces(scope, walked.objects, walked.outside, notes, made)
    if scope.session is None and not found.pieces:
        raise MosaicError("None of the objects has points, so there is nothing to save.")
    places = arrange(walked, found.pieces)
    pieces = pieces_in(places)
    tell_outside(walked, places, notes)
    tell_copies(pieces)
    identified = identify(places, scope.spelling)
    damaged = find_damaged(scope.record, pieces, notes)
    state = scope.record.state if scope.record is not None else new_state(scope.spelling)
    groups, changes = Groups(identified.taken), _changes_of(scope.record, pieces, found.lost)
    for name in CONTAINERS:
        changes += fill(state, name, places[name], damaged[name], groups, scope, notes)
    result = Collected(
        state,
        scope.release,
        dict(scope.record.sections) if scope.record is not None else {},
        scope.layout,
        changes=changes,
        left_out=notes.left_out,
        warnings=notes.warnings,
        pieces=pieces,
        uuids=identified.renewed,
        groups=groups.called,
        made=made,
    )
    _respell(result, places, groups, scope)
    return result


def _changes_of(
    record: SessionRecord | None, pieces: Iterable[Piece], lost: set[tuple[str, int] | None]
) -> list[Change]:
    """List what was deleted and edited. lost: the origins of geometries that are left out, which were not deleted."""
    changes = []
    there = {piece.origin for piece in pieces} | lost
    for name, titles in record.names.items() if record is not None else ():
        changes += [
            Change(Kind.DELETED, Subject(name, title)) for index, title, _ in titles if (name, index) not in there
        ]
    for piece in pieces:
        if piece.edits:
            changes += piece.changes
    return changes


def _respell(result: Collected, places: dict[str, list[Place]], groups: Groups, scope: Scope) -> None:
    """Turn what was collected into what another release writes, if one was asked for."""
    if scope.options.target is None:
        return
    target = TARGETS[scope.options.target]
    pieces = pieces_in(places)
    for piece in pieces:
        result.warnings += respell_geometry(piece.node, scope.spelling, target, piece.label, name_of(piece.obj))
        turn_by_quaternions(piece.node, scope.spelling, target, piece.source.stored("quaternions"))
        uuid = uuid_of(piece.node)
        piece.uuid = uuid if type(uuid) is str else None
    result.warnings += respell_state(result.state, target)
    groups.taken = {piece.uuid for piece in pieces if piece.uuid}
    if target.tree is not None:
        for name in CONTAINERS:
            set_tree(result.state, name, new_tree(groups.tree_items(name, places[name]), target))
    result.renames = renames(target)
    result.release = target.release
