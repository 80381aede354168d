"""What a save wrote of values that were edited, so that they are known again when the file is read anew.

A value that the file has as it was saved was not changed there, though it differs from what was first read.
"""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from ...session.containers import tree_of
from ...session.decode import appearance_of, meta_of, name_in
from ...session.decode_tree import tree_items
from ...session.geometry_diff import shape_digest
from ...session.nodes import Node, ObjectNode, Pairs
from ...session.session import Geometry
from ...session.values import numbers_of, representation_of
from ..data.custom_properties import meta_properties
from .canonical import digest_of
from .changes import Change, Kind
from .piece import Piece

# Edits of the shape: of points, faces, vertex properties and frames.
OF_SHAPE: Final = frozenset(
    {
        Kind.FRAMES, Kind.FRAME_COLUMNS, Kind.EDITED_FRAMES, Kind.FRAME, Kind.COUNT, Kind.POINTS, Kind.MOVED,
        Kind.TURNED, Kind.DIRECTIONS_REMOVED, Kind.DIRECTIONS_ADDED, Kind.FACES_REMOVED, Kind.FACE_COUNT, Kind.FACES,
        Kind.FACES_FLIPPED, Kind.FACES_ADDED, Kind.VERTEX_COLORS, Kind.VERTEX_COLORS_REMOVED, Kind.COLUMNS,
        Kind.COLUMN_VALUES,
    }
)  # fmt: skip
OF_PLACE: Final = frozenset({Kind.MOVED, Kind.TURNED})  # edits of an object's place
MADE: Final = frozenset({Kind.NEW, Kind.COPY, Kind.SESSION})  # what the file did not have when it was read


def saved_values(pieces: Iterable[Piece], fractions: bool) -> Iterator[str]:
    """Yield a digest of each edited value of geometries, and of each that is new, as they were written.

    fractions: the release may write an isovalue percentile as one.
    """
    for piece in pieces:
        if not piece.edits:
            continue
        index = piece.index or 0
        who = _identity_of(piece.container, name_in(piece.node, piece.container, index), piece.uuid)
        if not MADE.isdisjoint(piece.edits):
            yield digest_of([who, Kind.NEW])
        if not OF_SHAPE.isdisjoint(piece.edits):
            yield digest_of([who, "shape", shape_digest(piece.node)])
        if not OF_PLACE.isdisjoint(piece.edits):
            yield digest_of([who, "place"])
        values = _values_of(piece.node, piece.container, index, fractions)
        yield from (digest_of([who, kind, values[kind]]) for kind in piece.edits if kind in values)
        if Kind.META in piece.edits:
            meta = meta_properties(meta_of(piece.node))
            for key, *_ in piece.edits[Kind.META]:
                yield digest_of([who, Kind.META, key, meta.get(key, (None, None))[1]])


def saved_trees(state: Pairs, changes: Iterable[Change]) -> Iterator[str]:
    """Yield a digest of each tree that was edited, as it was written."""
    for change in changes:
        if change.kind is Kind.TREE:
            yield digest_of([change.subject.container, "tree", tree_texts(state, change.subject.container, set())])


def tree_texts(state: Pairs | None, container: str, but: Container[Node]) -> list[Any]:
    """Return groups and order of a container as texts. but: uuids of geometries that are left out."""
    tree = tree_of(state, container) if state is not None else None
    found: list[Any] = []
    for uuid, title, members in tree_items(tree):
        if members is not None:
            found.append([str(uuid), str(title), [str(member) for member in members if member not in but]])
        elif uuid not in but:
            found.append(str(uuid))
    return found


@dataclass(frozen=True, slots=True)
class AsSaved:
    """Tells what a file has as it was saved from Blender.

    digests: of the last save, see `saved_values`. fractions: the file may have an isovalue percentile as one.
    """

    digests: frozenset[str]
    fractions: bool

    def has(self, geometry: Geometry, kind: Kind) -> bool:
        """Tell whether a geometry of the file has a value that was edited as it was saved."""
        if not self.digests:
            return False
        values = _values_of(geometry.node, geometry.container, geometry.index, self.fractions)
        return kind in values and self._has(geometry, kind, values[kind])

    def has_meta(self, geometry: Geometry, key: str, value: Any) -> bool:
        """Tell the same of an entry of meta. value: as a custom property; None for one that is not there."""
        return self._has(geometry, Kind.META, key, value)

    def has_new(self, geometry: Geometry) -> bool:
        """Tell whether a geometry of the file was made in Blender."""
        return self._has(geometry, Kind.NEW)

    def has_shape(self, geometry: Geometry) -> bool:
        """Tell whether a geometry of the file has a shape that was edited as it was saved."""
        return bool(self.digests) and self._has(geometry, "shape", shape_digest(geometry.node))

    def has_place(self, geometry: Geometry) -> bool:
        """Tell whether a geometry was moved or turned as an object when it was saved, so that its points have that."""
        return self._has(geometry, "place")

    def has_tree(self, container: str, texts: list[Any]) -> bool:
        """Tell whether a container has the groups and the order that were saved. texts: see `tree_texts`."""
        return bool(self.digests) and digest_of([container, "tree", texts]) in self.digests

    def of_shape(self, geometry: Geometry) -> Iterator[str]:
        """Yield what is known of how a geometry's shape was saved."""
        who = _identity_of(geometry.container, geometry.name, geometry.uuid)
        known = digest_of([who, "place"]), digest_of([who, "shape", shape_digest(geometry.node)])
        return (digest for digest in known if digest in self.digests)

    def _has(self, geometry: Geometry, *value: Any) -> bool:
        who = _identity_of(geometry.container, geometry.name, geometry.uuid)
        return bool(self.digests) and digest_of([who, *value]) in self.digests


def _identity_of(container: str, name: str, uuid: str | None) -> list[str]:
    """Return who a geometry in a file is: its uuid, or, for a release without, its container and name."""
    return [uuid] if uuid else [container, name]


def _values_of(node: ObjectNode, container: str, index: int, fractions: bool) -> dict[Kind, Any]:
    """Return the values of a geometry's node that are edited one by one, but for its meta.

    container, index: its place in the file. fractions: its isovalue percentile may be one.
    """
    rate, visible, resolution = numbers_of(node)
    look = appearance_of(node, container, fractions)
    return {
        Kind.NAME: name_in(node, container, index),
        Kind.VISIBLE: visible,
        Kind.SAMPLING_RATE: rate,
        Kind.REPRESENTATION: representation_of(node),
        Kind.COLOR: tuple(map(float, look.base_color)),
        Kind.OPACITY: look.opacity,
        Kind.AMBIENT: look.ambient,
        Kind.DIFFUSE: look.diffuse,
        Kind.SPECULAR: look.specular,
        Kind.SIZE: look.size,
        Kind.SPHERES: look.render_spheres,
        Kind.ISOVALUE: look.isovalue_percentile,
        Kind.RESOLUTION: resolution,
    }
