"""Which geometry of a file is which object of the open session, and what becomes of each."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import bpy

from ...session.session import Session
from ..exporting.changes import Change, Kind, Subject, digest
from ..exporting.piece import Piece
from ..importing.plan import Item
from ..keys import UUID
from ..record import Record, SessionRecord, unpack
from .merge import Merged, is_changed, merge

Place: TypeAlias = tuple[str, int]  # the container, "clusters" or "models", and the number in the file's list
Identity: TypeAlias = tuple[str, str, int]  # the container or, of a uuid, "", the name or uuid, how many had it before


def identities_read(record: SessionRecord) -> dict[Place, Identity]:
    """Return who the geometries of a session were when it was read, by their places."""
    return _identities(
        (container, index, name, uuid) for container, entries in record.names.items() for index, name, uuid in entries
    )


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
    it alone has. kept: a sentence for each object of which Blender and the file have something else.
    """

    def __init__(
        self,
        base: SessionRecord,
        file: Session,
        items: Iterable[Item],
        pieces: Iterable[Piece],
        saved: frozenset[str],
        prefer_file: bool,
    ) -> None:
        """Find it out.

        base: the session as it was read. items: what an import would make of the file. pieces: what a save would write.
        saved: the digests of edits that the file has. prefer_file: where both sides changed a value, the file's counts.
        """
        self.base, self.saved, self.prefer_file = base, saved, prefer_file
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
        read = identities_read(self.base)
        by_place: dict[Place, Item] = {(item.geometry.container, item.geometry.index): item for item in items}
        now = {identity: by_place[place] for place, identity in identities_in(file).items()}
        added = now.keys() - set(read.values())
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
            if item is None:
                self.gone.append(piece)
            elif record is None:
                self._match_own(piece, item)
            else:
                merged = merge(
                    piece, record, item.geometry, item.representation,
                    is_saved=self.is_saved(piece.changes), prefer_file=self.prefer_file,
                )  # fmt: skip
                self.known.append(Known(piece, record, item, merged))
        deleted = {
            read[name, index]: Change(Kind.DELETED, Subject(name, title))
            for name, several in self.base.names.items()
            for index, title, _ in several
        }
        for identity, item in now.items():
            if identity in found:
                continue
            if identity not in deleted or self.prefer_file or self.is_saved([deleted[identity]]):
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
        elif self.is_saved(piece.changes) or self.prefer_file:
            self.replaced.append((piece, item))
        else:
            self.own[id(item.geometry)] = piece.obj
            self.kept.append(f"{piece.label}: yours counts, though the file was changed there, too.")

    def is_saved(self, changes: Sequence[Change]) -> bool:
        """Tell whether the file has the edits of a geometry."""
        return bool(changes) and digest(changes) in self.saved
