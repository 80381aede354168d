"""Groups and order as the browser shows them -> the containers of a file and their trees."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import bpy
from bpy.types import Object  # looking it up in bpy.types takes longer than most of what is done here

from ...session.containers import has_root_items, set_geometries, set_tree, tree_of
from ...session.decode_tree import tree_items
from ...session.edit import set_uuid
from ...session.new_nodes import new_tree, new_uuid
from ...session.nodes import Node, Pairs
from ...session.releases import Spelling
from ...session.repair import crashes_mosaic
from ...session.values import uuid_of
from ..data.custom_properties import clean_text, has
from ..keys import GROUP, UUID
from ..outline.outside import outside_of
from ..outline.tree import CONTAINERS, container_of, items_of, members_of, name_of
from ..record import SessionRecord
from .changes import Change, Kind, Subject
from .piece import Piece
from .scope import Notes, Scope

TOLD = 3  # names in a sentence on several objects


@dataclass(slots=True)
class Place:
    """A group of a container with its objects, or a single object that is in no group."""

    group: bpy.types.Collection | None
    pieces: list[Piece] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Walked:
    """The objects of a session in the browser's order.

    items: groups, None for a single object, each with its container, None for one in neither, and the session_uids of
    its objects. objects: each once, by session_uid, with the first container that it was found in. outside: the
    session_uids of those that stand outside the session's collections, in groups of theirs or in none.
    """

    items: list[tuple[bpy.types.Collection | None, str | None, list[int]]]
    objects: dict[int, tuple[bpy.types.Object, str | None]]
    outside: frozenset[int]


@dataclass(frozen=True, slots=True)
class Identified:
    """The uuids of geometries. taken: all of them. renewed: those that objects get when the session is saved."""

    taken: set[str] = field(default_factory=set)
    renewed: list[tuple[bpy.types.Object, str]] = field(default_factory=list)


def walk(scope: Scope) -> Walked:
    """Walk through a session, or through single objects, in the browser's order."""
    walked: list[tuple[bpy.types.Collection | None, str | None, list[int]]] = []
    objects: dict[int, tuple[bpy.types.Object, str | None]] = {}
    for item, container in _items(scope):
        is_group = not isinstance(item, Object)
        numbers = []
        for obj in members_of(item) if is_group else (item,):
            number = obj.session_uid
            objects.setdefault(number, (obj, container))
            numbers.append(number)
        walked.append((item if is_group else None, container, numbers))
    outside = []
    if scope.session is not None:
        for place in outside_of(scope.session, scope.root):
            number = place.obj.session_uid
            outside.append(number)
            objects[number] = place.obj, place.container
            if place.group is not None and walked and walked[-1][0] == place.group:
                walked[-1][2].append(number)
            else:
                walked.append((place.group, place.container, [number]))
    if scope.root is not None:
        objects.pop(scope.root.session_uid, None)
    return Walked(walked, objects, frozenset(outside))


def arrange(walked: Walked, pieces: dict[int, Piece]) -> dict[str, list[Place]]:
    """Arrange pieces, by session_uid, as groups and single objects of both containers. Empties `pieces`."""
    places: dict[str, list[Place]] = {name: [] for name in CONTAINERS}
    for group, container, numbers in walked.items:
        own: dict[str, Place] = {}  # of this group, by their containers
        if (
            group is not None and container is not None and has(group, GROUP)
        ):  # a group of the file stays, even if empty
            own[container] = Place(group)
        for number in numbers:
            piece = pieces.pop(number, None)
            if piece is None:
                continue
            if group is None:
                places[piece.container].append(Place(None, [piece]))
                continue
            if piece.container not in own:
                own[piece.container] = Place(group)
            own[piece.container].pieces.append(piece)
        for name, place in own.items():
            places[name].append(place)
    return places


def tell_outside(walked: Walked, places: dict[str, list[Place]], notes: Notes) -> None:
    """Say which geometries stand outside the session's collections, and where they are in the file."""
    found: dict[str | None, list[str]] = {}
    for place in (place for several in places.values() for place in several) if walked.outside else ():
        group = None if place.group is None else name_of(place.group)
        names = [name_of(piece.obj) for piece in place.pieces if piece.obj.session_uid in walked.outside]
        if names:
            found.setdefault(group, []).extend(names)
    for group, names in found.items():
        told = ", ".join(map(repr, names[:TOLD]))
        more = f" and {len(names) - TOLD} more" if len(names) > TOLD else ""
        stand, stay = ("stands", "stays") if len(names) == 1 else ("stand", "stay")
        where = "no group" if group is None else f"the group {group!r}"
        notes.warnings.append(
            f"{told}{more} {stand} outside the session's collections and {stay} in the file, in {where}."
        )


def _items(scope: Scope) -> Iterator[tuple[Any, str | None]]:
    """Yield groups and single objects, each with its container, None for one in neither."""
    if scope.session is None:
        for obj in scope.objects:
            yield obj, None
        return
    containers = {name: container_of(scope.session, name) for name in CONTAINERS}
    for name, container in containers.items():
        for item in items_of(container) if container is not None else ():
            yield item, name
    for child in scope.session.children:
        if child not in containers.values():
            yield child, None
    for obj in scope.session.objects:
        yield obj, None


def pieces_in(places: dict[str, list[Place]]) -> list[Piece]:
    """List all geometries, in the browser's order."""
    return [piece for several in places.values() for place in several for piece in place.pieces]


def tell_copies(pieces: Iterable[Piece]) -> None:
    """Make copies of a geometry new ones. The one with the uuid and the name of the file is the original."""

    def is_less_like_it(piece: Piece) -> tuple[bool, bool]:
        return UUID.read(piece.obj) != piece.read_uuid, Kind.NAME in piece.edits

    first: dict[tuple[str, int], Piece] = {}
    for piece in pieces:
        if piece.origin is None:
            continue
        other = first.setdefault(piece.origin, piece)
        if other is piece:
            continue
        if is_less_like_it(piece) < is_less_like_it(other):
            first[piece.origin], piece = piece, other
        piece.edits[Kind.COPY] = ()
        piece.index = piece.origin = None


def identify(places: dict[str, list[Place]], spelling: Spelling) -> Identified:
    """Give each geometry a uuid of its own; those of the file come first and keep theirs."""
    found = Identified()
    if not spelling.uuids:
        return found
    pieces = [(piece, place) for several in places.values() for place in several for piece in place.pieces]
    pieces.sort(key=lambda entry: entry[0].index is None)
    for piece, place in pieces:
        own, read = UUID.read(piece.obj), piece.read_uuid
        uuid = read if type(read) is str else None
        if own != uuid and own and (uuid is None or own != clean_text(uuid)):
            uuid = own
        if uuid in found.taken or (uuid is None and (piece.index is None or place.group is not None)):
            uuid = new_uuid()
        if uuid is None:
            continue
        found.taken.add(uuid)
        piece.uuid = uuid
        if uuid != read:
            set_uuid(piece.node, uuid)
        if uuid != own and clean_text(uuid) != own:
            found.renewed.append((piece.obj, uuid))
    return found


def find_damaged(
    record: SessionRecord | None, pieces: Iterable[Piece], notes: Notes
) -> dict[str, list[tuple[int, Node]]]:
    """Find the geometries that could not be read, by container, each with its number in the file.

    A geometry that stood in the file twice was read once; its other place gets the node that was read.
    """
    found: dict[str, list[tuple[int, Node]]] = {name: [] for name in CONTAINERS}
    if record is None or not any(record.damaged.values()):
        return found
    by_origin = {piece.origin: piece for piece in pieces}
    for name in CONTAINERS:
        for index, node in record.damaged.get(name, ()):
            if type(node) is tuple:
                node = by_origin[node].node if node in by_origin else None
            if node is None:
                continue
            if crashes_mosaic(node):
                sentence = f"{name} {index} is left out of the file, as Mosaic crashes on it; it stays in the .blend."
                notes.left_out.append(sentence)
            else:
                found[name].append((index, node))
    return found


class Groups:
    """The uuids and names of groups in the file.

    taken: uuids that belong to something else. called: the uuid and name that each group gets when it is saved.
    """

    def __init__(self, taken: set[str]) -> None:
        self.taken = taken
        self.titles: dict[str, tuple[str, str]] = {}  # uuid and name in the file, by the uuid in Blender
        self.called: list[tuple[bpy.types.Collection, dict[str, str]]] = []
        self._uuids: dict[int, tuple[str, str]] = {}  # the first container and the uuid, by session_uid

    def described(self, place: Place) -> tuple[str | None, str | None, list[Piece]]:
        """Return the uuid and name of a group and its pieces; None and None for a single object.

        Blender cannot hold every text, so the file's own spelling is kept where the user changed nothing.
        """
        group = place.group
        if group is None:
            return None, None, place.pieces
        uuid, title = (GROUP.read(group) or {}).get("uuid"), name_of(group)
        known = None if uuid is None else self.titles.get(uuid)
        if known is not None:
            uuid, title = known[0], known[1] if clean_text(known[1]) == title else title
        return uuid, title, place.pieces

    def tree_items(self, name: str, places: list[Place]) -> list[tuple[str, str | None, list[str]]]:
        """Return the items of a container's tree, as `new_tree` takes them. name: of the container."""
        items: list[tuple[str, str | None, list[str]]] = []
        for place in places:
            uuids = [piece.uuid for piece in place.pieces if piece.uuid is not None]
            if place.group is None:
                items += [(uuid, None, []) for uuid in uuids]
                continue
            uuid, title, _ = self.described(place)
            first, uuid = self._uuids.setdefault(place.group.session_uid, (name, uuid or new_uuid()))
            if first != name:  # a group of clusters and models, which is two for Mosaic
                uuid = str(uuid5(NAMESPACE_OID, f"{uuid} {name}"))
            if uuid in self.taken:
                uuid = new_uuid()
            self.taken.add(uuid)
            if first == name:
                self.called.append((place.group, {"name": clean_text(str(title)), "uuid": clean_text(uuid)}))
            items.append((uuid, title, uuids))
        return items


def fill(
    state: Pairs,
    name: str,
    places: list[Place],
    damaged: list[tuple[int, Node]],
    groups: Groups,
    scope: Scope,
    notes: Notes,
) -> list[Change]:
    """Put the geometries of a container into a file's state, in the file's order, and the browser's order beside them.

    name: of the container. damaged: see `find_damaged`. Returns the changes of the container itself.
    """
    changes: list[Change] = []
    pieces = [piece for place in places for piece in place.pieces]
    known = [piece for piece in pieces if piece.index is not None]
    in_order = known == sorted(known, key=lambda piece: piece.index or 0)
    if scope.spelling.tree is None and not in_order:
        nodes = [piece.part for piece in pieces]
        changes.append(Change(Kind.ORDER, Subject(name), _order_of(places)))
    else:
        placed = [(piece.index or 0, piece.part) for piece in known]
        placed += damaged
        nodes = [node for _, node in sorted(placed, key=lambda entry: entry[0])]
        nodes += [piece.part for piece in pieces if piece.index is None]
    set_geometries(state, name, nodes, scope.spelling)
    if scope.spelling.tree is None:
        notes.warnings += [
            f"The group {name_of(place.group)!r} is left out, as Mosaic {scope.release} has no groups; "
            "its objects are not."
            for place in places
            if place.group is not None
        ]
    else:
        loads, agrees = _compare(tree_of(state, name), places, damaged, groups)
        if not agrees:
            changes.append(Change(Kind.TREE, Subject(name), _order_of(places)))
        if not (loads and agrees):
            set_tree(state, name, new_tree(groups.tree_items(name, places), scope.spelling))
    return changes


def _compare(tree: Node, places: list[Place], damaged: list[tuple[int, Node]], groups: Groups) -> tuple[bool, bool]:
    """Tell whether Mosaic loads a tree, and whether the tree, as an import reads it, says what Blender shows.

    New geometries at the end that are in no group may be missing from the tree. Fills `groups.titles`.
    """
    pieces = [piece for place in places for piece in place.pieces if piece.index is not None]
    left = {piece.uuid or id(piece): piece for piece in sorted(pieces, key=lambda piece: piece.index or 0)}
    uuids = {uuid for uuid in left if type(uuid) is str}
    uuids |= {uuid for _, node in damaged for uuid in [uuid_of(node)] if type(uuid) is str}
    seen: set[str] = set()
    loads = tree is None or has_root_items(tree)  # a session without a tree is one that Mosaic loads as well
    said: list[tuple[str | None, str | None, list[Piece]]] = []
    for uuid, title, members in tree_items(tree):
        if members is None:
            loads = loads and uuid in uuids
            if uuid in left:
                said.append((None, None, [left.pop(uuid)]))
        elif uuid not in uuids and uuid not in seen:
            seen.add(uuid)
            there = [left.pop(member) for member in members if type(member) is str and member in left]
            said.append((uuid, title or uuid, there))
            groups.titles[clean_text(uuid)] = uuid, title or uuid
    said += [(None, None, [piece]) for piece in left.values()]
    shown = [groups.described(place) for place in places]
    while len(shown) > len(said) and shown[-1][1] is None and shown[-1][2][0].index is None:
        shown.pop()
    return loads, said == shown


def _order_of(places: list[Place]) -> tuple[Any, ...]:
    """Return the groups and objects of a container by their names, for a `Change`."""
    return tuple((place.group and name_of(place.group), [piece.label for piece in place.pieces]) for place in places)
