"""The record: what an object remembers of its file beside Blender's own data. What was not edited is saved bit for bit.

Each object remembers the nodes that its geometry was read from, without the arrays that its data hold; the session's
collection remembers the rest of the file. Both are custom properties: whole numbers that are the bytes of pickles of
our own and of JSON. They are read as inertly as a session, since a .blend comes by mail, too.
"""

import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import bpy
import numpy as np
from numpy.typing import NDArray

from ..session.arrays import arrays_of
from ..session.budget import Budget
from ..session.edit import without_geometries
from ..session.errors import MosaicError
from ..session.file import Section
from ..session.node_templates import STR, Forms, loads
from ..session.nodes import NOBODY, ArrayOwner, Formed, ObjectNode, Pairs, Stored
from ..session.pickle_reader import read_pickle
from ..session.pickle_writer import write_pickle
from ..session.releases import CONTAINER_KEYS
from ..session.rows import is_fortran
from ..session.session import Geometry, Mesh, Session
from .data.checksums import checksum
from .data.custom_properties import has
from .data.meshes import holds_vertex_normals, holds_vertices
from .data.vertex_properties import column_checksums, holds_column
from .keys import RECORD
from .readers import numbers_of

RECORD_VERSION: Final = 1  # of what objects and collections remember; `unpack` is the place to read older ones
NODE = "node"


@dataclass(slots=True)
class Record:
    """A geometry as it was read.

    part: what it was read from, with a `Stored` for each array that the object's data hold. container: "clusters" or
    "models"; index: its place there. count: of points; faces: of triangles. points_checksum, faces_checksum,
    column_checksums: of them and, by name, of the vertex properties that Blender holds. release: of the session.
    fractions: whether its isovalue percentile is a fraction. representation: as it was shown. frames: of a trajectory,
    the places in its list of those that Blender could show; step: which of them it showed. session: a text that all
    records of one import share.
    """

    part: ObjectNode | Formed
    index: int
    count: int
    faces: int
    points_checksum: int
    faces_checksum: int
    column_checksums: dict[str, int]
    container: str
    release: str
    fractions: bool
    representation: str
    frames: list[int]
    step: int
    session: str = ""

    @property
    def node(self) -> ObjectNode:
        """What it was read from, made once."""
        part = self.part
        if isinstance(part, Formed):
            part = self.part = part.make()
        return part


# What many geometries have alike is stored by name. The numbers of one alone stand in a list, and what is
# alike names them: thousands of lists are read in half the time of as many dicts.
OWN_FIELDS: Final = ["index", "count", "faces", "points_checksum", "faces_checksum"]
SHARED_FIELDS: Final = {
    "container": str, "release": str, "fractions": bool, "representation": str, "frames": list, "step": int,
    "session": str,
}  # fmt: skip
OWN_NAMES, COLUMN_NAMES = "own", "columns"  # which of the numbers of a geometry alone stand where
INT: Final = frozenset({int})
PLACE: Final = frozenset({str, int})  # a container and a number
DAMAGES: Final = (  # what reading a record raises that was tampered with
    MosaicError, AttributeError, IndexError, KeyError, TypeError, ValueError, OverflowError, RecursionError,
)  # fmt: skip


@dataclass(slots=True)
class SessionRecord:
    """A file without its geometries.

    state: its containers hold empty lists. names: of the geometries that were read, by container, each between its
    place and its uuid, None where it has none. damaged: those that could not be read, by container, each with its
    place; of one that stands in the file twice, the first place of it instead, (container, index). session: as its
    records say it.
    """

    state: Pairs
    names: dict[str, list[tuple[int, str, str | None]]]
    damaged: dict[str, list[tuple[int, Any]]]
    sections: dict[str, Section]
    session: str


class Keeper:
    """Makes properties of what one session's import remembers."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._forms = Forms()
        self._name = uuid4().hex
        try:
            size = os.path.getsize(session.path)
        except OSError:
            size = 0
        self._budget = Budget(
            size
        )  # a file may name one part for each of its geometries, which each of them then keeps

    def pack(self, record: Record, held: Mapping[int, Stored]) -> NDArray[np.int32]:
        """Return a record as numbers for a custom property.

        held: what to write instead of arrays, by the id of their nodes.
        """
        record.session = self._name
        own = [getattr(record, name) for name in OWN_FIELDS] + list(record.column_checksums.values())
        shared = {name: getattr(record, name) for name in SHARED_FIELDS}
        shared |= {OWN_NAMES: OWN_FIELDS, COLUMN_NAMES: list(record.column_checksums)}
        data = self._forms.dumps(record.node, held, shared, own)
        if data is None:
            data = self._bytes_of({NODE: record.node, "own": json.dumps(own), "shared": json.dumps(shared)}, held)
        else:
            self._budget.spend(len(data))
        return numbers_of(data, RECORD_VERSION)

    def pack_session(self, left_out: Collection[int] = ()) -> NDArray[np.int32]:
        """Return the rest of the session as numbers for a custom property.

        left_out: the id() of geometries of which nothing is to be said.
        """
        session = self._session
        containers = (session.clusters, session.models)
        bare = {id(c.node): without_geometries(c.node) for c in containers if c.node is not None}
        first = {id(geometry.node): (c.name, geometry.index) for c in containers for geometry in c.geometries}
        damaged = {
            c.name: [(item.index, first.get(id(item.node), item.node)) for item in c.damaged] for c in containers
        }
        names = {c.name: [(g.index, g.name, g.uuid) for g in c.geometries if id(g) not in left_out] for c in containers}
        entries = {
            "state": Pairs([bare.get(id(part), part) for part in session.state]),
            "names": json.dumps(names),  # which is read far quicker than nodes are
            "damaged": damaged,
            "session": self._name,
            "sections": [(name, section.encoding, section.data) for name, section in session.sections.items()],
        }
        return numbers_of(self._bytes_of(entries, {}), RECORD_VERSION)

    def _bytes_of(self, entries: Any, held: Mapping[int, Stored]) -> bytes:
        parts: list[bytes] = []

        def write(data: Any) -> None:
            self._budget.spend(len(data))
            parts.append(bytes(data))

        write_pickle(entries, write, keep_out=held)
        return b"".join(parts)


def unpack(obj: bpy.types.Object, owner: ArrayOwner) -> Record | None:
    """Read what an object remembers; None for one that came from no session. owner: of the arrays of its `Stored`.

    Raises MosaicError when it was tampered with, or is of a later version.
    """
    kept = RECORD.read(obj)
    if kept is None and RECORD not in obj:  # type: ignore[operator]  # quicker than `has` for thousands of objects
        return None
    try:
        data = _current(kept)
        found = loads(data, owner)
        part: Any
        if found is None:
            entries = _read(data, owner).as_dict()
            part, own, shared = entries[NODE], json.loads(entries["own"]), _shared(json.loads(entries["shared"]))
        else:
            part, own = found
            shared = part.alike.checked
            if shared is None:
                shared = part.alike.checked = _shared(dict(part.alike.kept))
        columns, values = shared
        index, count, faces, points, triangles, *sums = own
        if type(part) not in (ObjectNode, Formed) or not INT.issuperset(map(type, own)) or min(index, count) < 0:
            raise MosaicError("it is no record")
        checksums = dict(zip(columns, sums, strict=True))
        return Record(part, index, count, faces, points, triangles, checksums, *values)
    except DAMAGES as error:
        raise MosaicError(f"{obj.name!r} keeps a damaged record of its session: {error}") from error


def _shared(fields: dict[str, Any]) -> tuple[list[str], tuple[Any, ...]]:
    """Return the names of the columns with check sums, and the values of SHARED_FIELDS. Raises MosaicError for others."""
    columns, own = fields.pop(COLUMN_NAMES), fields.pop(OWN_NAMES)
    types = {name: type(value) for name, value in fields.items()}
    if (
        own != OWN_FIELDS
        or types != SHARED_FIELDS
        or type(columns) is not list
        or not STR.issuperset(map(type, columns))
        or fields["container"] not in CONTAINER_KEYS
        or not INT.issuperset(map(type, fields["frames"]))
        or min(fields["frames"], default=0) < 0
    ):
        raise MosaicError("it is no record")
    return columns, tuple(fields[name] for name in SHARED_FIELDS)


def _current(kept: tuple[int, bytes] | None) -> bytes:
    """Return the bytes of a record. Raises MosaicError for one of a version that this one cannot read."""
    version, data = kept or (0, b"")
    if version > RECORD_VERSION:
        raise MosaicError("it was made by a later version of this extension; update the extension")
    if version != RECORD_VERSION:
        raise MosaicError("it is no record")
    return data


def unpack_session(collection: bpy.types.Collection) -> SessionRecord | None:
    """Read what a session's collection remembers; None for one that came from no file.

    Raises MosaicError when it was tampered with, or is of a later version.
    """
    if not has(collection, RECORD):
        return None
    try:
        entries = _read(_current(RECORD.read(collection)), NOBODY).as_dict()
        sections = {name: Section(encoding, memoryview(blob)) for name, encoding, blob in entries["sections"]}
        names, damaged, state = json.loads(entries["names"]), entries["damaged"].as_dict(), entries["state"]
        _check_session(state, names, damaged, sections, entries["session"])
        return SessionRecord(state, names, damaged, sections, entries["session"])
    except DAMAGES as error:
        raise MosaicError(f"{collection.name!r} keeps a damaged record of its session: {error}") from error


def _check_session(state: Any, names: Any, damaged: Any, sections: dict[str, Section], session: Any) -> None:
    """Raise MosaicError or TypeError for a session's record that no import makes."""
    places = [entry for entries in names.values() for entry in entries]
    others = [index for entries in damaged.values() for index, _ in entries]
    twice = [part for entries in damaged.values() for _, node in entries if type(node) is tuple for part in node]
    if (
        type(state) is not Pairs
        or type(session) is not str
        or not CONTAINER_KEYS.keys() >= names.keys() | damaged.keys()
        or not INT.issuperset([type(index) for index, _, _ in places] + list(map(type, others)))
        or not STR.issuperset([type(text) for _, title, uuid in places for text in (title, uuid or "")])
        or not PLACE.issuperset(map(type, twice))
        or not STR.issuperset([type(text) for name, section in sections.items() for text in (name, section.encoding)])
    ):
        raise MosaicError("it is no record")


def _read(data: bytes, owner: ArrayOwner) -> Pairs:
    root = read_pickle(data, owner=owner)
    if type(root) is not Pairs:
        raise MosaicError("it is no record")
    return root


# --- which arrays Blender's data hold ---------------------------------------------------------------------------------


def record_of(geometry: Geometry, release: str, fractions: bool, representation: str, step: int) -> Record:
    """The record of a geometry that is being imported."""
    mesh = geometry.model if points_are_vertices(geometry) else None
    faces = mesh.triangles if isinstance(mesh, Mesh) else np.empty((0, 3), np.int32)
    points = geometry.points.astype(np.float32, copy=False)
    return Record(
        geometry.node, geometry.index, len(points), len(faces), checksum(points), checksum(faces),
        column_checksums(geometry.vertex_properties), geometry.container, release, fractions, representation,
        [frame.index for frame in geometry.frames or ()], step,
    )  # fmt: skip


def points_are_vertices(geometry: Geometry) -> bool:
    """Whether an object's mesh is the geometry's model."""
    return isinstance(geometry.model, Mesh) and len(geometry.model.vertices) == len(geometry.points)


def held_arrays(geometry: Geometry) -> dict[int, Stored]:
    """The arrays of a geometry that its object's data will hold exactly, by the id of their nodes."""
    mesh = geometry.model
    left_out = {"vertices", "triangles", "vertex_normals"}
    if isinstance(mesh, Mesh) and points_are_vertices(geometry):
        left_out.remove("triangles")
        if holds_vertices(mesh, geometry.points):
            left_out.remove("vertices")
        if holds_vertex_normals(mesh, geometry.normals):
            left_out.remove("vertex_normals")
    held: dict[int, Stored] = {}
    for name, node in arrays_of(geometry):
        values = node.values if node.rows is None else node.rows
        if values is None or name in left_out or id(node) in held or ("columns/" in name and not holds_column(values)):
            continue
        if node.mask is not None:
            continue
        order = "F" if is_fortran(values) else "C"
        cls = "" if node.cls is None else node.cls.name
        held[id(node)] = Stored(name, values.dtype.str, order, cls=cls)
    return held
