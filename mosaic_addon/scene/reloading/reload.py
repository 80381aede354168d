"""Reading the file of an open session again: what the file changed comes in, and all else stays as it is.

Each geometry is compared three ways: as it was read, as Blender shows it, and as the file has it now. Objects stay the
same objects, so animation, constraints, modifiers, materials, parents and collections around them stay, too.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

import bpy

from ...session.decode import open_session
from ...session.errors import MosaicError
from ...session.geometry_diff import with_shape_of
from ...session.releases import NEWEST, recognise, spelling_of
from ...session.respell import respell_geometry
from ...session.session import Session
from ..compat import MAX_NAME_BYTES
from ..data.custom_properties import clean_text
from ..data.placement import applied_of
from ..drawing.filters import is_for_view
from ..drawing.representations import kind_drawn
from ..exporting.changes import Change, Kind, Subject, digest, sentence
from ..exporting.collect import Collected, collect_session
from ..exporting.save import file_of, finish_sculpting, note_read, saved_digests, values_saved
from ..exporting.saved_values import AsSaved, tree_texts
from ..importing.again import options_of
from ..importing.build import (
    all_or_nothing,
    hide,
    new_container,
    new_objects,
    note_size,
    pack_records,
    session_properties,
)
from ..importing.plan import plan_import
from ..keys import PLAYS, RECORD, THUMBNAIL, UUID
from ..outline.arrange import Tree, trees_of
from ..outline.duplicate import remove
from ..outline.outside import outside_of, root_of
from ..outline.tree import CONTAINERS, container_of, objects_of
from ..record import SessionRecord, unpack_session
from . import structure
from .matching import Known, Match
from .update import size_shown, stand_in_for, take_motion, take_place, take_shape, take_values


class AnotherSessionError(MosaicError):
    """A session's file holds another session by now."""


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


def reload_file(
    session: bpy.types.Collection, scene: bpy.types.Scene, layer: bpy.types.ViewLayer, *, prefer_file: bool = False
) -> Reloaded:
    """Read the file of an open session again, and bring in what it changed; see `reload_session`.

    Raises MosaicError, with nothing changed, if the session has no file or it cannot be read.
    """
    path = file_of(session)
    if not path:
        raise MosaicError(f"{session.name!r} has no file to read again; save it first.")
    return reload_session(session, open_session(path), scene, layer, prefer_file=prefer_file)


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
    outside = (place.obj for place in outside_of(session, root_of(session)))
    for obj in (*objects_of(session), *outside):
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
        self.plan = plan_import(file, options_of(session), bpy.data.objects.keys(), MAX_NAME_BYTES, unlimited=True)
        self.as_saved = as_saved = AsSaved(values_saved(session), spelling_of(file.release).fractions)
        self.found = Match(base, file, self.plan.items, ours.pieces, saved_digests(session), as_saved, prefer_file)
        if self.found.is_another:
            raise AnotherSessionError(
                f"{file.path} holds another session by now, as it has none of the objects of {session.name!r}; "
                "load it to open it instead."
            )
        kept = [known for known in self.found.known if known.merged.keep_shape]
        self.values = [digest for known in kept for digest in as_saved.of_shape(known.item.geometry)]
        self.result = Reloaded(kept=self.found.kept, warnings=self.plan.warnings)

    def build(self) -> None:
        """Make the objects of what is new, and of what has another shape."""
        spelling = recognise(self.file.state) if self.file.state is not None else NEWEST
        given = {number: record for number, (_, record) in self.found.copies.items()}
        steps = {}
        for known in self.found.known:
            geometry = known.item.geometry
            if known.merged.keep_shape:
                before = spelling_of(known.record.release)
                if before != spelling:
                    respell_geometry(known.record.node, before, spelling, known.piece.label, geometry.name)
                given[id(geometry)] = replace(
                    known.record,
                    part=with_shape_of(geometry.node, known.record.node), index=geometry.index,
                    container=geometry.container, release=self.file.release, fractions=spelling.fractions,
                    representation=known.item.representation,
                )  # fmt: skip
            elif not known.merged.take_shape:
                steps[id(geometry)] = known.record.step
        applied = applied_of(self.root)
        self.records = pack_records(self.plan, self.scene, given, self.found.own.keys(), steps)
        items = [*self.found.new, *(item for _, item in self.found.replaced)]
        items += [known.item for known in self.found.known if known.merged.take_shape]
        making = new_objects(self.plan, items, self.records, self.root, True)
        while True:
            try:
                next(making)
            except StopIteration as end:
                self.made: dict[int, bpy.types.Object] = end.value
                break
        for obj in self.made.values() if applied is not None else ():
            obj.matrix_basis = applied  # as all others have what Object > Apply took from the root

    def change(self) -> None:
        """Bring all of it into the scene."""
        shown: dict[int, bpy.types.Object] = {}
        shells = []
        for known in self.found.known:
            geometry = known.item.geometry
            obj, shell = self._update(known)
            shown[id(geometry)] = obj
            if shell is not None:
                shells.append(shell)
            if not known.merged.take_shape:
                RECORD.write(obj, self.records[id(geometry)])
            if geometry.uuid is not None:
                obj[UUID] = clean_text(geometry.uuid)
            else:
                obj.pop(UUID, None)
        for piece, item in self.found.replaced:
            shown[id(item.geometry)] = self.made[id(item.geometry)]
            stand_in_for(piece.obj, shown[id(item.geometry)])
            shells.append(piece.obj)
            self.result.changed.append(f"{piece.label}: changed since it was saved")
        for number, (piece, _) in self.found.copies.items():
            RECORD.write(piece.obj, self.records[number])
        remove(shells)
        self._remove_what_is_gone()
        added = {id(item.geometry): self.made[id(item.geometry)] for item in self.found.new}
        self.result.added = list(added.values())
        self._arrange(shown | self.found.own, added)
        hide(self.scene, [added[id(item.geometry)] for item in self.found.new if not item.geometry.visible])
        if PLAYS.read(self.scene):
            longest = max((len(geometry.frames or ()) for geometry in self.file.geometries), default=0)
            self.scene.frame_end = max(self.scene.frame_end, longest)

    def _update(self, known: Known) -> tuple[bpy.types.Object, bpy.types.Object | None]:
        """Bring one geometry up to date. Returns its object, and one that is of no use any more."""
        piece, merged, geometry = known.piece, known.merged, known.item.geometry
        obj, shell = piece.obj, None
        self._tell(known)
        if merged.take_shape:
            fresh = self.made[id(geometry)]
            if fresh.type != obj.type:
                take_motion(obj, fresh)
                own = [
                    modifier.name
                    for modifier in obj.modifiers
                    if kind_drawn(modifier) is None and not is_for_view(modifier)
                ]
                if own:
                    self.result.warnings.append(
                        f"{piece.label}: is of another kind of data now, so its modifiers {', '.join(own)} are gone."
                    )
                stand_in_for(obj, fresh)
                return fresh, obj
            lost = take_shape(obj, fresh)
            if lost:
                words = " and ".join(lost)
                self.result.warnings.append(
                    f"{piece.label}: its points or faces are others now, so its {words} are gone."
                )
            if merged.take_place and piece.source.matrix is not None:
                take_place(obj, piece.source.matrix)
            RECORD.copy(fresh, obj)
            shell = fresh
        values = merged.take
        if Kind.REPRESENTATION in values and Kind.SIZE not in piece.edits:
            values = values | {Kind.SIZE: geometry.appearance.size}
        if Kind.SIZE in values:
            values = values | {Kind.SIZE: size_shown(known.item.representation, values[Kind.SIZE])}
        self.result.warnings += take_values(obj, merged.settle | values, self.scene.view_layers)
        return obj, shell

    def _tell(self, known: Known) -> None:
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
        for piece in self.found.gone:
            if piece.edits and not self.prefer_file and not self.found.is_saved(piece.changes):
                self.result.kept.append(f"{piece.label}: stays, as it was edited, though the file has it no more.")
            else:
                self.result.removed.append(f"{piece.label}: the file has it no more.")
                gone.append(piece.obj)
        remove(gone)

    def _arrange(self, shown: dict[int, bpy.types.Object], added: dict[int, bpy.types.Object]) -> None:
        """Bring groups and order up to date where Blender did not change them; elsewhere new objects alone."""
        outside = {place.obj for place in outside_of(self.session, self.root)}  # they stay where they are
        edited = {
            change.subject.container
            for change in self.ours.changes
            if change.kind in (Kind.TREE, Kind.ORDER) and not self.found.is_saved([change])
        }
        shown = {number: obj for number, obj in self._moved(shown).items() if obj not in outside}
        for name in CONTAINERS:
            container = self.file.clusters if name == "clusters" else self.file.models
            collection = container_of(self.session, name)
            if collection is None:
                if not any(id(geometry) in added for geometry in container.geometries):
                    continue
                collection = new_container(name)
                self.session.children.link(collection)
            tree = Tree(collection)
            is_as_saved = self._is_tree_as_saved(name)
            if (name in edited or is_as_saved) and not self.prefer_file:
                structure.add(tree, container, added)
                if not is_as_saved and self._is_tree_changed(name):
                    told = f"The {name}: your groups and order count, though the file's were changed, too."
                    self.result.kept.append(told)
            else:
                structure.follow(tree, container, shown | added)

    def _is_tree_as_saved(self, name: str) -> bool:
        """Tell whether the file has groups and order of a container as they were edited and saved."""
        return self.as_saved.has_tree(name, self._tree_in_file(name))

    def _is_tree_changed(self, name: str) -> bool:
        """Tell whether the file has other groups, or another order, of the geometries that it had before."""
        gone = {piece.read_uuid for piece in self.found.gone}
        return tree_texts(self.base.state, name, gone) != self._tree_in_file(name)

    def _tree_in_file(self, name: str) -> list[Any]:
        return tree_texts(self.file.state, name, {item.geometry.uuid for item in self.found.new})

    def _moved(self, shown: dict[int, bpy.types.Object]) -> dict[int, bpy.types.Object]:
        """Take objects that the file has among the others, clusters or models, from where they are.

        Those that Blender has moved there stay. Returns the objects whose place the file tells.
        """
        placed = dict(shown)
        for known in self.found.known:
            piece, geometry = known.piece, known.item.geometry
            if piece.container == geometry.container:
                continue
            obj = placed[id(geometry)]
            if Kind.CONTAINER in piece.edits and not self.found.is_saved(piece.changes) and not self.prefer_file:
                del placed[id(geometry)]
                continue
            for tree in trees_of([obj]):
                tree.take([obj])
                tree.write()
        return placed

    def note(self, layer: bpy.types.ViewLayer) -> None:
        """Remember the file as it is now, and what of Blender's edits it has."""
        RECORD.write(self.session, self.records[id(self.file)])
        note_size(self.session, self.file)
        self.session.pop(THUMBNAIL, None)  # the file has it
        properties: dict[str, Any] = session_properties(self.file) | {"values": " ".join(self.values)}
        note_read(self.session, properties, ())
        kept = [known for known in self.found.known if known.merged.keep_shape and not known.merged.refused]
        saved = {known.piece.obj for known in kept if not known.merged.edited_again}
        saved.update(self.found.own.values())
        # What the file has of shapes that were edited again is a change that Blender has not any more.
        others = self.values if any(known.merged.edited_again for known in kept) else []
        if saved or others:
            layer.update()
            note_read(self.session, properties, [*self._digests_of(saved, layer), *others])

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
