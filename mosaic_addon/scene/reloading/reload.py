"""Reading the file of an open session again: what the file changed comes in, and all else stays as it is.

Each geometry is compared three ways: as it was read, as Blender shows it, and as the file has it now. Objects stay the
same objects, so animation, constraints, modifiers, materials, parents and collections around them stay, too.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

import bpy

from ...session.errors import MosaicError
from ...session.geometry_diff import with_shape_of
from ...session.releases import recognise
from ...session.session import Session
from ..compat import MAX_NAME_BYTES
from ..data.custom_properties import clean_text, put_numbers
from ..exporting.changes import Change, Kind, Subject, digest, sentence
from ..exporting.collect import Collected, collect_session
from ..exporting.piece import Piece
from ..exporting.save import finish_sculpting, note_read, saved_digests
from ..importing.again import options_of
from ..importing.build import all_or_nothing, hide, new_container, new_objects, pack_records, session_properties
from ..importing.plan import Item, plan_import
from ..keys import PLAYS, RECORD, THUMBNAIL, UUID
from ..outline.arrange import Tree, trees_of
from ..outline.duplicate import remove
from ..outline.tree import CONTAINERS, container_of, objects_of, root_of
from ..record import Record, SessionRecord, unpack, unpack_session
from . import structure
from .matching import Identity, Place, identities_in, identities_read
from .merge import Merged, is_changed, merge
from .update import size_shown, stand_in_for, take_place, take_shape, take_values


@dataclass(slots=True)
class Reloaded:
    """What came of reading a file again.

    added: new objects. changed, removed: what the file did, a sentence each. kept: where both sides changed something,
    and which counts. warnings: sentences for the user.
    """

    added: list[bpy.types.Object] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Known:
    """A geometry that is open and in the file. record: it as it was read."""

    piece: Piece
    record: Record
    item: Item
    merged: Merged


def reload_session(
    session: bpy.types.Collection,
    file: Session,
    scene: bpy.types.Scene,
    layer: bpy.types.ViewLayer,
    *,
    prefer_file: bool = False,
) -> Reloaded:
    """Bring what its file changed into an open session.

    file: what was read, which must hold all its arrays. scene, layer: where the session is linked. prefer_file: where
    both sides changed a value, the file's counts, and not Blender's. Raises MosaicError, before anything is changed,
    for a session that cannot be compared with its file.
    """
    _refuse_what_cannot_change(session)
    base, root = unpack_session(session), root_of(session)
    if base is None or root is None:
        raise MosaicError(f"{session.name!r} lacks what its file is compared with; close it and load the file instead.")
    finish_sculpting(layer)
    with closing(collect_session(session, scene, layer)) as ours:
        work = _Reload(session, base, root, file, ours, scene, prefer_file)
        with all_or_nothing():
            work.build()
        work.change()
    work.note(layer)
    return work.result


def _refuse_what_cannot_change(session: bpy.types.Collection) -> None:
    """Raise MosaicError for a session in which Blender lets nothing be replaced now."""
    if session.library is not None or session.override_library is not None:
        raise MosaicError(f"{session.name!r} comes from another .blend; reload it there.")
    for obj in objects_of(session):
        if obj.mode == "EDIT":
            raise MosaicError(f"{obj.name!r} is in Edit Mode; leave it to reload the session.")


class _Reload:
    """One reading of a file again: what is known, decided in the beginning, and then done."""

    def __init__(
        self,
        session: bpy.types.Collection,
        base: SessionRecord,
        root: bpy.types.Object,
        file: Session,
        ours: Collected,
        scene: bpy.types.Scene,
        prefer_file: bool,
    ) -> None:
        self.session, self.base, self.root, self.file = session, base, root, file
        self.ours, self.scene, self.prefer_file = ours, scene, prefer_file
        self.saved = saved_digests(session)
        self.plan = plan_import(file, options_of(session), bpy.data.objects.keys(), MAX_NAME_BYTES, unlimited=True)
        self.result = Reloaded(warnings=self.plan.warnings)
        self.items: dict[Place, Item] = {
            (item.geometry.container, item.geometry.index): item for item in self.plan.items
        }
        self.known: list[_Known] = []
        self.own: dict[int, bpy.types.Object] = {}  # made in Blender and saved, by the id() of their geometries
        self.replaced: list[tuple[Piece, Item]] = []  # the same, but changed in the file since
        self.copies: dict[int, tuple[Piece, Record]] = {}  # by their id(), with the record that they get
        self.gone: list[Piece] = []
        self.new: list[Item] = []
        self._match()

    def _match(self) -> None:
        """Find who is who, and decide what becomes of each geometry."""
        read = identities_read(self.base)
        now = {identity: self.items[place] for place, identity in identities_in(self.file).items()}
        added = now.keys() - set(read.values())
        found: set[Identity] = set()
        for piece in self.ours.pieces:
            identity = read[piece.origin] if piece.origin in read else ("", str(piece.obj.get(UUID)), 0)
            if piece.origin not in read and identity not in added:
                self._match_copy(piece, read, now)
                continue
            if identity in found:
                continue
            found.add(identity)
            item, record = now.get(identity), unpack(piece.obj, piece.source)
            if item is None:
                self.gone.append(piece)
            elif record is None:
                self._match_own(piece, item)
            else:
                merged = merge(
                    piece, record, item.geometry, item.representation,
                    is_saved=self._is_saved(piece.changes), prefer_file=self.prefer_file,
                )  # fmt: skip
                self.known.append(_Known(piece, record, item, merged))
        deleted = {
            read[name, index]: Change(Kind.DELETED, Subject(name, title))
            for name, several in self.base.names.items()
            for index, title, _ in several
        }
        for identity, item in now.items():
            if identity in found:
                continue
            if identity not in deleted or self.prefer_file or self._is_saved([deleted[identity]]):
                self.new.append(item)

    def _match_copy(self, piece: Piece, read: dict[Place, Identity], now: dict[Identity, Item]) -> None:
        """Let a copy that was made in Blender remember where its original is in the file now."""
        record = unpack(piece.obj, piece.source)
        if record is None or record.session != self.base.session:
            return
        item = now.get(read.get((record.container, record.index), ("", "", 0)))
        if item is not None:
            geometry = item.geometry
            self.copies[id(piece)] = piece, replace(record, container=geometry.container, index=geometry.index)

    def _match_own(self, piece: Piece, item: Item) -> None:
        """Decide what becomes of a geometry that was made in Blender and that the file has by now."""
        if not is_changed(piece, item.geometry):
            self.own[id(item.geometry)] = piece.obj
        elif self._is_saved(piece.changes) or self.prefer_file:
            self.replaced.append((piece, item))
        else:
            self.own[id(item.geometry)] = piece.obj
            self.result.kept.append(f"{piece.label}: yours counts, though the file was changed there, too.")

    def _is_saved(self, changes: list[Change]) -> bool:
        return bool(changes) and digest(changes) in self.saved

    def build(self) -> None:
        """Make the objects of what is new, and of what has another shape."""
        fractions = recognise(self.file.state).fractions if self.file.state is not None else False
        given = {number: record for number, (_, record) in self.copies.items()}
        steps = {}
        for known in self.known:
            geometry = known.item.geometry
            if known.merged.keep_shape:
                given[id(geometry)] = replace(
                    known.record,
                    part=with_shape_of(geometry.node, known.record.node), index=geometry.index,
                    container=geometry.container, release=self.file.release, fractions=fractions,
                    representation=known.item.representation,
                )  # fmt: skip
            elif not known.merged.take_shape:
                steps[id(geometry)] = known.record.step
        self.records = pack_records(self.plan, self.scene, given, self.own.keys(), steps)
        items = [*self.new, *(item for _, item in self.replaced)]
        items += [known.item for known in self.known if known.merged.take_shape]
        making = new_objects(self.plan, items, self.records, self.root, True)
        while True:
            try:
                next(making)
            except StopIteration as end:
                self.made: dict[int, bpy.types.Object] = end.value
                return

    def change(self) -> None:
        """Bring all of it into the scene."""
        shown: dict[int, bpy.types.Object] = {}
        shells = []
        for known in self.known:
            geometry = known.item.geometry
            obj, shell = self._update(known)
            shown[id(geometry)] = obj
            if shell is not None:
                shells.append(shell)
            if not known.merged.take_shape:
                put_numbers(obj, RECORD, self.records[id(geometry)])
            if geometry.uuid is not None:
                obj[UUID] = clean_text(geometry.uuid)
        for piece, item in self.replaced:
            shown[id(item.geometry)] = self.made[id(item.geometry)]
            stand_in_for(piece.obj, shown[id(item.geometry)])
            shells.append(piece.obj)
            self.result.changed.append(f"{piece.label}: changed since it was saved")
        for number, (piece, _) in self.copies.items():
            put_numbers(piece.obj, RECORD, self.records[number])
        remove(shells)
        self._remove_what_is_gone()
        added = {id(item.geometry): self.made[id(item.geometry)] for item in self.new}
        self.result.added = list(added.values())
        self._arrange(shown | self.own, added)
        hide(self.scene, [added[id(item.geometry)] for item in self.new if not item.geometry.visible])
        if self.scene.get(PLAYS):
            longest = max((len(geometry.frames or ()) for geometry in self.file.geometries), default=0)
            self.scene.frame_end = max(self.scene.frame_end, longest)

    def _update(self, known: _Known) -> tuple[bpy.types.Object, bpy.types.Object | None]:
        """Bring one geometry up to date. Returns its object, and one that is of no use any more."""
        piece, merged, geometry = known.piece, known.merged, known.item.geometry
        obj, shell = piece.obj, None
        self._tell(known)
        if merged.take_shape:
            fresh = self.made[id(geometry)]
            if fresh.type != obj.type:
                stand_in_for(obj, fresh)
                return fresh, obj
            take_shape(obj, fresh)
            if merged.take_place and piece.source.matrix is not None:
                take_place(obj, piece.source.matrix)
            put_numbers(obj, RECORD, fresh[RECORD])
            shell = fresh
        values = merged.take
        if Kind.REPRESENTATION in values and Kind.SIZE not in piece.edits:
            values = values | {Kind.SIZE: geometry.appearance.size}
        if Kind.SIZE in values:
            values = values | {Kind.SIZE: size_shown(known.item.representation, values[Kind.SIZE])}
        self.result.warnings += take_values(obj, merged.settle | values, self.scene.view_layers)
        return obj, shell

    def _tell(self, known: _Known) -> None:
        """Say what becomes of a geometry."""
        merged, subject = known.merged, Subject(known.piece.container, known.item.geometry.name)
        changes = [Change(kind, subject, _details(kind, value)) for kind, value in merged.take.items()]
        words = [sentence(changes)] if changes else []
        if merged.take_shape:
            words.append("new shape" if words else f"{known.piece.container} {subject.name!r}: new shape")
        if words:
            self.result.changed.append(", ".join(words))
        for kinds, end in (
            (merged.refused, "yours counts, though the file was changed there, too"),
            (merged.overruled, "the file's counts instead, which was changed there, too"),
        ):
            if kinds:
                edited = sentence(Change(kind, subject, details) for kind, details in kinds.items())
                self.result.kept.append(f"{edited}: {end}.")

    def _remove_what_is_gone(self) -> None:
        """Remove what the file has no more, unless it has unsaved edits."""
        gone = []
        for piece in self.gone:
            if piece.edits and not self.prefer_file and not self._is_saved(piece.changes):
                self.result.kept.append(f"{piece.label}: stays, as it was edited, though the file has it no more.")
            else:
                self.result.removed.append(f"{piece.label}: the file has it no more.")
                gone.append(piece.obj)
        remove(gone)

    def _arrange(self, shown: dict[int, bpy.types.Object], added: dict[int, bpy.types.Object]) -> None:
        """Bring groups and order up to date where Blender did not change them; elsewhere new objects alone."""
        edited = {
            change.subject.container
            for change in self.ours.changes
            if change.kind in (Kind.TREE, Kind.ORDER) and not self._is_saved([change])
        }
        shown = self._moved(shown)
        for name in CONTAINERS:
            container = self.file.clusters if name == "clusters" else self.file.models
            collection = container_of(self.session, name)
            if collection is None:
                if not any(id(geometry) in added for geometry in container.geometries):
                    continue
                collection = new_container(name)
                self.session.children.link(collection)
            tree = Tree(collection)
            if name in edited and not self.prefer_file:
                structure.add(tree, container, added)
            else:
                structure.follow(tree, container, shown | added)

    def _moved(self, shown: dict[int, bpy.types.Object]) -> dict[int, bpy.types.Object]:
        """Take objects that the file has among the others, clusters or models, from where they are.

        Those that Blender has moved there stay. Returns the objects whose place the file tells.
        """
        placed = dict(shown)
        for known in self.known:
            piece, geometry = known.piece, known.item.geometry
            if piece.container == geometry.container:
                continue
            obj = placed[id(geometry)]
            if Kind.CONTAINER in piece.edits and not self._is_saved(piece.changes) and not self.prefer_file:
                del placed[id(geometry)]
                continue
            for tree in trees_of([obj]):
                tree.take([obj])
                tree.write()
        return placed

    def note(self, layer: bpy.types.ViewLayer) -> None:
        """Remember the file as it is now, and what of Blender's edits it has."""
        put_numbers(self.session, RECORD, self.records[id(self.file)])
        self.session.pop(THUMBNAIL, None)  # the file has it
        properties: dict[str, Any] = session_properties(self.file)
        note_read(self.session, properties, ())
        saved = {known.piece.obj for known in self.known if known.merged.keep_shape and not known.merged.refused}
        saved.update(self.own.values())
        if saved:
            layer.update()
            note_read(self.session, properties, self._digests_of(saved, layer))

    def _digests_of(self, objects: set[bpy.types.Object], layer: bpy.types.ViewLayer) -> Iterator[str]:
        """Yield the digests of the edits of objects whose edits the file has."""
        with closing(collect_session(self.session, self.scene, layer)) as now:
            for piece in now.pieces:
                if piece.obj in objects and piece.edits:
                    yield digest(piece.changes)


def _details(kind: Kind, value: Any) -> tuple[Any, ...]:
    """Return a new value as the details of a change."""
    if kind is Kind.META:
        return tuple((key,) for key in value)
    return tuple(value) if kind in (Kind.SAMPLING_RATE, Kind.COLOR) else (value,)
