"""What a save found to differ from what was read."""

import hashlib
from typing import Any

from ...session.edit import state_of
from ...session.nodes import Pairs
from ..outline.tree import name_of
from ..record import SessionRecord
from .browser_tree import Place, pieces_in
from .piece import Piece


def find_changes(
    record: SessionRecord | None,
    places: dict[str, list[Place]],
    lost: set[tuple[str, int] | None],
    edits: list[str],
) -> tuple[list[str], str]:
    """The changes in words, and the digest that tells two states of a scene apart, "" without changes.

    lost: where those geometries stood in the file that are left out. edits: of the containers.
    """
    changes: list[str] = []
    digest = hashlib.blake2b(digest_size=16)
    pieces = pieces_in(places)
    there = {piece.origin for piece in pieces} | lost
    if record is not None:
        for name, titles in record.names.items():
            for index, title in titles:
                if (name, index) not in there:
                    changes.append(f"{name} {title!r}: deleted")
    for piece in pieces:
        if piece.edits:
            changes.append(f"{piece.label}: {', '.join(piece.edits.values())}")
            digest.update(repr(_signature(piece)).encode())
    changes += edits
    for change in changes:
        digest.update(change.encode("utf-8", "replace"))
    if edits:
        order = [
            [place.group and name_of(place.group), [p.label for p in place.pieces]]
            for s in places.values()
            for place in s
        ]
        digest.update(repr(order).encode("utf-8", "replace"))
    return changes, digest.hexdigest() if changes else ""


def _signature(piece: Piece) -> list[Any]:
    """What tells two edits of one object apart, small."""
    source = piece.source
    matrix = None if source.matrix is None else source.matrix.round(9).tolist()
    state = state_of(piece.node).as_dict()
    small = {key: state.get(key) for key in ("visible", "representation")}
    appearance = state.get("appearance")
    looks = list(appearance) if type(appearance) is Pairs else []
    return [matrix, source.points_checksum(), source.faces_checksum(), small, looks, piece.details]
