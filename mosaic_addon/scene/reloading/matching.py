"""Which geometry of a file is which object of the open session, and what becomes of each."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import bpy

from ...session.geometry_diff import shapes_differ
from ...session.session import Session
from ..exporting.changes import Change, Kind, Subject, digest
from ..exporting.piece import Piece
from ..exporting.saved_values import AsSaved
from ..importing.plan import Item
from ..keys import UUID
from ..record import Record, SessionRecord, unpack
from .merge import Merged, is_changed, is_exactly, merge

Place: TypeAlias = tuple[str, int]  # the container, "clusters" or "models", and the number in the file's list
Identity: TypeAlias = tuple[str, str, int]  # the container or, of a uuid, "", the name or uuid, how many had it before


def identities_in(session: Session) -> dict[Place, Identity]:
    """Return who the geometries in a file are, by their places."""
    return _identities((item.container, item.index, item.name, item.uuid) for item in session.geometries)


def _identities(entries: Iterable[tuple[str, int, str, str | None]]) -> dict[Place, Identity]:
    """Identify geometries by their uuid. Those of a release without uuids are told apart by name and order."""
    counts: Counter[tuple[str, str]] = Counter()
    found: dict[Place, Identity] = {}
    for container, index, name, uuid in entries:
        key = ("", uuid) if uuid else (container, name)
        found[container, index] = (*key, counts[key])
        counts[key] += 1
    return found


def _found_again(
    names: Mapping[Place, tuple[str, str | None]],
    read: Mapping[Place, Identity],
    pieces: Iterable[Piece],
    now: Mapping[Identity, Item],
) -> dict[Place, Identity]:
    """Find geometries without a uuid, as they were read or in the file now, that are somebody else in the file.

    A later release gives uuids to the geometries of an older one, which are known by their names then. One that an old
    release renamed stays in its place. names: name and uuid, read: identities, by the places as read. pieces: of
    geometries that were read. now: the file's. Returns the identities in the file, by the places as read.
    """
    old = set(read.values())
    free = {identity: item for identity, item in now.items() if identity not in old}
    if not free:
        return {}
    named: dict[tuple[str, str], list[Identity]] = {}
    for identity, item in free.items():
        named.setdefault((item.geometry.container, item.geometry.name), []).append(identity)
    lost: dict[Place, Piece] = {
        piece.origin: piece for piece in pieces if piece.origin is not None and read[piece.origin] not in now
    }
    found: dict[Place, Identity] = {}
    for place in sorted(lost):
        name, uuid = names[place]
        candidates = named.get((place[0], name), [])
        if candidates and not (uuid and candidates[0][0] == ""):
            found[place] = candidates.pop(0)
    taken = set(found.values())
    at_place: dict[Place, Identity] = {
        (item.geometry.container, item.geometry.index): identity
        for identity, item in free.items()
        if identity not in taken
    }
    for place in lost.keys() - found.keys():
        identity = at_place.get(place)
        if identity is None or names[place][1] or identity[0] == "":
            continue
        if not shapes_differ(lost[place].node, free[identity].geometry.node, is_exactly):
            found[place] = identity
    return found


@dataclass(slots=True)
class Known:
    """A geometry that is open and in the file. record: it as it was read."""

    piece: Piece
    record: Record
    item: Item
    merged: Merged


class Match:
    """Who is who in an open session and its file.

    known: geometries that are in both. own: objects that were made in Blender and that the file has like that, by the
    id() of its geometries. replaced: such objects that the file has otherwise by now. copies: objects that were copied
    in Blender, by the id() of their pieces, with the record that they get. gone: what the file has no more. new: what
    it alone has. kept: a sentence for each object of which Blender and the file have something else. is_another: no
    geometry of several is in the file any more, which holds other ones.
    """

    def __init__(
        self,
        base: SessionRecord,
        file: Session,
        items: Iterable[Item],
        pieces: Iterable[Piece],
        saved: frozenset[str],
        as_saved: AsSaved,
        prefer_file: bool,
    ) -> None:
        """Find it out.

        base: the session as it was read. items: what an import would make of the file. pieces: what a save would write.
        saved: the digests of edits that the file has. as_saved: tells what of the file came from Blender. prefer_file:
        where both sides changed a value, the file's counts.
        """
        self.base, self.saved, self.as_saved, self.prefer_file = base, saved, as_saved, prefer_file
        self.known: list[Known] = []
        self.own: dict[int, bpy.types.Object] = {}
        self.replaced: list[tuple[Piece, Item]] = []
        self.copies: dict[int, tuple[Piece, Record]] = {}
        self.gone: list[Piece] = []
        self.new: list[Item] = []
        self.kept: list[str] = []
        self._match(file, items, pieces)

    def _match(self, file: Session, items: Iterable[Item], pieces: Iterable[Piece]) -> None:
        """Find who is who, and decide what becomes of each geometry."""
        pieces = list(pieces)
        by_place: dict[Place, Item] = {(item.geometry.container, item.geometry.index): item for item in items}
        now = {identity: by_place[place] for place, identity in identities_in(file).items()}
        names = {
            (container, index): (name, uuid)
            for container, entries in self.base.names.items()
            for index, name, uuid in entries
        }
        ours = [piece for piece in pieces if piece.origin in names]
        read = _identities((*place, *entry) for place, entry in (names | self._given(ours, names, now)).items())
        read |= _found_again(names, read, ours, now)
        self.is_another = len(read) > 1 and bool(now) and now.keys().isdisjoint(read.values())
        added = now.keys() - set(read.values())
        deleted = {
            read[name, index]: Change(Kind.DELETED, Subject(name, title))
            for name, several in self.base.names.items()
            for index, title, _ in several
        }
        found: set[Identity] = set()
        for piece in pieces:
            identity = read[piece.origin] if piece.origin in read else ("", UUID.read(piece.obj) or "", 0)
            if piece.origin not in read and identity not in added:
                self._match_copy(piece, read, now)
                continue
            if identity in found:
                continue
            found.add(identity)
            item, record = now.get(identity), unpack(piece.obj, piece.source)
            if item is None and not self.prefer_file and identity in deleted and self.is_saved([deleted[identity]]):
                self.kept.append(f"{piece.label}: stays, as it is there again after it was saved without it.")
            elif item is None:
                self.gone.append(piece)
            elif record is None:
                self._match_own(piece, item)
            else:
                merged = merge(
                    piece, record, item.geometry, item.representation,
                    is_saved=self.is_saved(piece.changes), as_saved=self.as_saved, prefer_file=self.prefer_file,
                )  # fmt: skip
                self.known.append(Known(piece, record, item, merged))
        for identity, item in now.items():
            if identity in found:
                continue
            if identity in deleted:
                is_ours = not self.is_saved([deleted[identity]])
            else:
                is_ours = self.as_saved.has_new(item.geometry)
            if self.prefer_file or not is_ours:
                self.new.append(item)

    def _given(
        self, pieces: Iterable[Piece], names: Mapping[Place, tuple[str, str | None]], now: Container[Identity]
    ) -> dict[Place, tuple[str, str | None]]:
        """Return the names and uuids that geometries got by a save, by their places as read.

        A save gives a uuid to all but the first that share one, and a geometry without a uuid is known by its name.
        pieces: of geometries that were read. names: name and uuid as read. now: who is in the file.
        """
        given: dict[Place, tuple[str, str | None]] = {}
        for piece in pieces:
            assert piece.origin is not None
            name, uuid = names[piece.origin]
            own = UUID.read(piece.obj)
            if uuid and own and own != uuid and ("", own, 0) in now:
                given[piece.origin] = name, own
            elif not uuid and Kind.NAME in piece.edits and self.is_saved(piece.changes):
                given[piece.origin] = piece.edits[Kind.NAME][0], None
        return given

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
        elif self.is_saved(piece.changes) or self.prefer_file:
            self.replaced.append((piece, item))
        else:
            self.own[id(item.geometry)] = piece.obj
            self.kept.append(f"{piece.label}: yours counts, though the file was changed there, too.")

    def is_saved(self, changes: Sequence[Change]) -> bool:
        """Tell whether the file has the edits of a geometry."""
        return bool(changes) and digest(changes) in self.saved
