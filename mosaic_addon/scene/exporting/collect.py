"""Blender -> a session's nodes: the mirror of `build`.

A session is what is in its collection: the geometries that it was read from, as they were edited since, and what was made
in Blender and put there. All of it is told apart and checked before a file is touched.
"""

import hashlib
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any, Literal
from uuid import NAMESPACE_OID, uuid5

import bpy
import numpy as np
from bpy.types import Object  # looking it up in bpy.types takes longer than most of what is done here
from mathutils import Matrix
from numpy.typing import NDArray

from ...session.decode import tree_items
from ...session.edit import (
    NEWEST,
    TARGETS,
    crashes_mosaic,
    new_container,
    new_state,
    new_tree,
    new_uuid,
    put,
    renames,
    respell_geometry,
    respell_state,
    spelling_of,
    state_of,
)
from ...session.errors import MosaicError
from ...session.file import Section
from ...session.nodes import Node, ObjectNode, Pairs, Stored
from ..data.attributes import PointData, Scratch
from ..data.custom_properties import clean_text, plain_property
from ..data.placement import applied_of, has_lost_its_scale, to_session
from ..data.vertex_properties import COLUMNS
from ..drawing.appearance import input_of
from ..drawing.facts import steps_of
from ..drawing.representations import MODIFIER, kind_drawn
from ..drawing.surfaces import volume_mesh
from ..outline.tree import (
    ANGSTROM_PER_UNIT,
    CLASS,
    CONTAINER,
    CONTAINERS,
    GROUP,
    MODEL,
    PIXEL_SIZE,
    SAMPLING_RATE,
    SESSION,
    SHOWS,
    UUID,
    container_of,
    items_of,
    members_of,
    name_of,
    root_of,
)
from ..record import Record, unpack, unpack_session
from .edited import apply_edits
from .edited_look import Look, Looks
from .evaluated import Temporaries
from .new_objects import newcomer
from .object_arrays import Source
from .piece import Piece
from .repairs import repair, trouble, turn_by_quaternions
from .unchanged import key_of, speaks_for_others

DATA_TYPES = frozenset({"MESH", "POINTCLOUD", "CURVE", "CURVES", "SURFACE", "META"})  # of objects that may have points
OTHER_KINDS = {"FONT": "text", "GREASEPENCIL": "grease pencil drawing", "VOLUME": "OpenVDB volume"}  # in words
TREES = {"clusters": "_data_tree", "models": "_models_tree"}
KEYS = {"clusters": "_data", "models": "_models"}
BLOCK = 64  # objects that are asked the same one after the other


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """How a scene becomes a session.

    target: one of `encode.TARGETS`, to write as that release of Mosaic does; None for the one that the session came from.
    apply_modifiers: write what the objects' modifiers make of their points and faces, but for the one that draws them.
    angstrom_per_unit: of objects without a session, what a Blender unit stands for.
    """

    target: str | None = None
    apply_modifiers: bool = False
    angstrom_per_unit: float = 1000.0


@dataclass(slots=True)
class Collected:
    """A session that is ready to be written.

    changes: what differs from what was read, one sentence each; left_out and warnings as well. digest: a text that is equal
    for equal changes, "" for none. renames: see `write_pickle`. uuids, groups: what objects and groups are to be called from
    now on. made: datablocks that hold arrays of the session until it is written, to be closed then.
    """

    state: Pairs
    release: str
    sections: dict[str, Section]
    layout: Literal["pickle", "indexed"]
    changes: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    digest: str = ""
    renames: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    uuids: list[tuple[bpy.types.Object, str]] = field(default_factory=list)
    groups: list[tuple[bpy.types.Collection, dict[str, str]]] = field(default_factory=list)
    made: Temporaries = field(default_factory=Temporaries)

    def close(self) -> None:
        """Remove what was made to be written."""
        self.made.close()


@dataclass(slots=True)
class _Place:
    """A group of a container, or the place of an object that is in none."""

    group: bpy.types.Collection | None
    pieces: list[Piece] = field(default_factory=list)


def collect_session(
    session: bpy.types.Collection,
    scene: bpy.types.Scene,
    layer: bpy.types.ViewLayer,
    options: ExportOptions | None = None,
) -> Collected:
    """All that a session's collection holds, as the state of a file.

    scene, layer: where it is linked and whose eyes are asked. Nothing in Blender is changed. Raises MosaicError, naming the
    object, for what Mosaic would crash on or what was tampered with.
    """
    return _Collector(session, scene, layer, options or ExportOptions()).finished()


def collect_objects(
    objects: Iterable[bpy.types.Object],
    scene: bpy.types.Scene,
    layer: bpy.types.ViewLayer,
    options: ExportOptions | None = None,
) -> Collected:
    """Objects as a new session, in the spelling of the newest release: those of other sessions as these would write them.

    Raises MosaicError when none of them has points.
    """
    return _Collector(None, scene, layer, options or ExportOptions(), list(objects)).finished()


class _Collector:
    def __init__(
        self,
        session: bpy.types.Collection | None,
        scene: bpy.types.Scene,
        layer: bpy.types.ViewLayer,
        options: ExportOptions,
        objects: Sequence[bpy.types.Object] = (),
    ) -> None:
        self.session = session
        self.scene = scene
        self.layer = layer
        self.options = options
        self.objects = objects
        self.root = root_of(session) if session is not None else None
        self.record = unpack_session(session) if session is not None else None
        said = session[SESSION] if session is not None else {}
        self.release = said.get("release", NEWEST.release)
        self.spelling = spelling_of(self.release)
        self.looks = Looks()
        self.hidden, self.shown, self.is_excluded = _hidden_collections(session, layer)
        self.applied: dict[int, Matrix | None] = {}  # by the root's session_uid
        self.volumes: dict[int, Stored] = {}
        self.left_out: set[tuple[str, int] | None] = set()
        self.damaged: dict[str, list[tuple[int, Node]]] = {name: [] for name in CONTAINERS}
        self.titles: dict[str, tuple[str, str]] = {}  # of the file's groups: uuid and name, by the uuid in Blender
        self.taken: set[str] = set()
        self.uuids_of_groups: dict[int, tuple[str, str]] = {}  # by session_uid, with the container that had it first
        self.edits: list[str] = []
        self.scratch = Scratch()
        self.untouched: set[Hashable] = set()
        layout = "indexed" if said.get("layout") == "indexed" else "pickle"
        sections = self.record.sections if self.record is not None else {}
        self.result = Collected(Pairs(), self.release, dict(sections), layout)

    def finished(self) -> Collected:
        try:
            self._run()
        except BaseException:
            self.result.close()
            raise
        return self.result

    def _run(self) -> None:
        result = self.result
        places = self._places()
        if self.session is None and not _pieces_in(places):
            raise MosaicError("None of the objects has points, so there is nothing to save.")
        self._refuse_applied_points(places)
        self._tell_copies(places)
        self._identify(places)
        self._find_damaged(places)
        state = self.record.state if self.record is not None else new_state(self.spelling)
        result.state = state
        for name in CONTAINERS:
            self._fill(state, name, places[name])
        self._note_edits(places)
        self._respell(places)

    @cached_property
    def _usual_rate(self) -> tuple[float, float, float]:
        """The sampling rate of the session's first object, for new ones."""
        for obj in self.session.all_objects if self.session is not None else ():
            rate = plain_property(obj.get(SAMPLING_RATE))
            if CLASS in obj and isinstance(rate, list) and len(rate) == 3:
                return tuple(rate)
        return (1.0, 1.0, 1.0)

    @cached_property
    def _shown_by(self) -> dict[int, str]:
        """By the session_uid of what others show, a surface or a frame, who does: what is pasted brings its own into the scene."""
        objects = self.objects if self.session is None else self.session.all_objects
        return {
            part.session_uid: name_of(obj)
            for obj in objects
            for part in [input_of(obj, "Surface"), *steps_of(obj)]
            if part is not None
        }

    # --- what there is -----------------------------------------------------------------------------------------------

    def _places(self) -> dict[str, list[_Place]]:
        """The groups and single objects of both containers, in the browser's order."""
        walked: list[tuple[bpy.types.Collection | None, str | None, list[int]]] = []
        objects: dict[
            int, tuple[bpy.types.Object, str | None]
        ] = {}  # each once, by its session_uid, with its container
        for item, container in self._items():
            is_group = not isinstance(item, Object)
            numbers = []
            for obj in members_of(item) if is_group else (item,):
                number = obj.session_uid
                objects.setdefault(number, (obj, container))
                numbers.append(number)
            walked.append((item if is_group else None, container, numbers))
        if self.root is not None:
            objects.pop(self.root.session_uid, None)
        pieces = self._pieces(objects)
        places: dict[str, list[_Place]] = {name: [] for name in CONTAINERS}
        for group, container, numbers in walked:
            own: dict[str, _Place] = {}  # of this group, by their containers
            if group is not None and container is not None and GROUP in group:  # which may be empty
                own[container] = _Place(group)
            for number in numbers:
                piece = pieces.pop(number, None)
                if piece is None:
                    continue
                if group is None:
                    places[piece.container].append(_Place(None, [piece]))
                    continue
                if piece.container not in own:
                    own[piece.container] = _Place(group)
                own[piece.container].pieces.append(piece)
            for name, place in own.items():
                places[name].append(place)
        return places

    def _items(self) -> Iterator[tuple[Any, str | None]]:
        """The groups and single objects, each with the container that it is in, None for what is in neither."""
        if self.session is None:
            for obj in self.objects:
                yield obj, None
            return
        for name in CONTAINERS:
            container = container_of(self.session, name)
            for item in items_of(container) if container is not None else ():
                yield item, name
        for child in self.session.children:
            if CONTAINER not in child:
                yield child, None
        for obj in self.session.objects:
            yield obj, None

    def _pieces(self, objects: dict[int, tuple[bpy.types.Object, str | None]]) -> dict[int, Piece]:
        """The objects that are geometries, by session_uid; a note for each of the others.

        One question is put to a whole block of objects before the next is, so that the processor has its code at hand: for
        thousands of objects that saves a quarter of the time.
        """
        pieces: dict[int, Piece] = {}
        rest = iter(objects.items())
        while block := list(islice(rest, BLOCK)):
            asked = []
            for number, (obj, container) in block:
                data = self._data(obj)
                if data is None:
                    self._leave_out(obj)
                else:
                    asked.append((number, obj, container, data))
            sources = [Source(obj.name, data, self._matrix(obj), scratch=self.scratch) for _, obj, _, data in asked]
            looks = [self.looks.of(obj) for _, obj, _, _ in asked]
            seen = [self._is_visible(obj) for _, obj, _, _ in asked]
            records = [
                unpack(obj, source) if CLASS in obj else None
                for (_, obj, _, _), source in zip(asked, sources, strict=True)
            ]
            known = []
            for (_, obj, _, data), source, record in zip(asked, sources, records, strict=True):
                if record is None:
                    continue
                source.ordered = record.ordered
                source.column_records = data[COLUMNS] if COLUMNS in data else obj.get(COLUMNS, "[]")
                if not record.frames:
                    known.append(source)
            for source in known:
                source.attributes()
            for source in known:
                source.points_sum()
            for source in known:
                source.columns_sum()
            for (number, obj, container, _), *answers in zip(asked, sources, looks, seen, records, strict=True):
                piece = self._piece(obj, container, *answers)
                if piece is not None:
                    pieces[number] = piece
        return pieces

    def _leave_out(self, obj: bpy.types.Object) -> None:
        """Note that an object has no points."""
        if obj.type in DATA_TYPES:
            self.result.left_out.append(_without_points(obj))
        elif obj.type != "EMPTY" or PIXEL_SIZE not in obj:
            kind = OTHER_KINDS.get(obj.type, obj.type.lower().replace("_", " "))
            article = "an" if kind[0] in "aeiou" else "a"
            self.result.left_out.append(f"{obj.name!r} is left out: Mosaic has no objects like {article} {kind}.")

    def _piece(
        self,
        obj: bpy.types.Object,
        container: str | None,
        source: Source,
        look: Look,
        visible: bool | None,
        record: Record | None,
    ) -> Piece | None:
        """One object as a geometry; None, with a note, for what is none."""
        if record is None:
            shower = self._shown_by.get(obj.session_uid)
            if shower is not None:
                sentence = f"What {shower!r} shows is no object of its own in the file, as it is saved with {shower!r}."
                if sentence not in self.result.left_out:
                    self.result.left_out.append(sentence)
                return None
            piece = newcomer(obj, source, container, look, visible is not False, self._usual_rate, self.spelling)
            if piece is None:
                self.result.left_out.append(_without_points(obj))
            else:
                self.result.warnings += piece.warnings
            return piece
        piece = Piece(obj, record.part, source, container or record.container, record.index, None)
        if self.record is not None and record.session == self.record.session:
            piece.origin = (record.container, record.index)
        key = self._key(piece, record, look, visible)
        if key is not None and key in self.untouched:
            piece.read_name = record.part.own[0]
            return piece
        self._compare_with(piece, record, look, visible)
        mended = repair(piece.node, source, record, name_of(obj), self.spelling)
        piece.warnings += [f"{piece.label}: {what}." for what in mended]
        why = trouble(piece.node, source)
        if why is not None:
            self.result.left_out.append(f"{piece.label} is left out of the file: {why}.")
            self.left_out.add(piece.origin)
            return None
        if key is not None and not piece.edits and not piece.warnings and speaks_for_others(piece.node):
            self.untouched.add(key)
        self.result.warnings += piece.warnings
        return piece

    def _key(self, piece: Piece, record: Record, look: Look, visible: bool | None) -> Hashable | None:
        """By which a geometry of this session is known to be untouched; None for one that has to be looked into."""
        if piece.origin is None or piece.container != record.container or self.options.target is not None:
            return None
        return key_of(piece.obj, piece.source, record, look, visible)

    def _compare_with(self, piece: Piece, record: Record, look: Look, visible: bool | None) -> None:
        """Bring into a geometry's node what was edited since the record was made."""
        obj = piece.obj
        # A modifier that was copied from another object may show what this one has no place for.
        piece.source.steps = _steps(obj) if record.frames else []
        if "volume" in state_of(piece.node).as_dict():
            piece.source.volume = volume_mesh(obj)
        self._refuse_what_is_of_others(piece, record)
        if record.frames:
            self._look_at_frame(piece, record)
        if piece.origin is None:
            piece.index = None
            if self.session is not None:
                piece.edits["session"] = "from another session"
        if spelling_of(record.release) != self.spelling:
            piece.warnings += respell_geometry(
                piece.node, spelling_of(record.release), self.spelling, piece.label, name_of(obj)
            )
            if self.session is not None:
                piece.edits["release"] = f"from a session of {record.release}"
        apply_edits(piece, record, look, visible, self.scene.frame_current, self.spelling)
        if piece.container != record.container:
            piece.edits["container"] = f"now among the {piece.container}"
            piece.index = None
        self._share_volume(piece)

    def _refuse_what_is_of_others(self, piece: Piece, record: Record) -> None:
        """The values of a volume, and the frames of a trajectory, are behind a modifier, which may have been copied."""
        own, holder = piece.obj.get(SHOWS), piece.source.volume
        if record.frames:
            holder = input_of(piece.obj, "Frames")
        if own is not None and holder is not None and holder.get(SHOWS) != own:
            what = "frames" if record.frames else "volume"
            raise MosaicError(
                f"{piece.label}: its modifier {MODIFIER!r} was copied from another object and shows the {what} of that one; undo "
                "that, or delete the object to save without it."
            )

    def _look_at_frame(self, piece: Piece, record: Record) -> None:
        """Let a trajectory, which shows its frames and not its own mesh, be that of a frame where its own was edited."""
        source = piece.source
        own = source.count, source.points_sum(), source.face_count(), source.faces_sum()
        if own == (record.count, record.points_sum, record.faces, record.faces_sum):
            return
        mesh = source.own_steps().get(record.step)
        if mesh is not None:
            source.show(mesh)
            piece.warnings.append(
                f"{piece.label}: its own mesh was changed, which is not shown and not saved; edit those of its frames instead."
            )

    def _data(self, obj: bpy.types.Object) -> PointData | None:
        """The points or mesh of an object, made of its curve or its modifiers where need be."""
        if obj.type in ("MESH", "POINTCLOUD"):
            edited = obj.type == "MESH" and obj.data.is_editmode
            if edited:
                obj.update_from_editmode()
            if not self._is_evaluated(obj):
                return self.result.made.copy_of(obj.data) if edited else obj.data
        elif obj.type not in DATA_TYPES:
            return None
        return self.result.made.of(obj, self.scene, self.layer)

    def _is_evaluated(self, obj: bpy.types.Object) -> bool:
        """Whether what modifiers and shape keys make of an object is to be written, and there are such."""
        is_shaped = obj.type == "MESH" and obj.data.shape_keys is not None and _is_shaped(obj)
        if not self.options.apply_modifiers:
            if is_shaped:
                self.result.warnings.append(
                    f"{obj.name!r}: its shape keys do not count; save with Apply Modifiers to have what they make."
                )
            return False
        return is_shaped or any(m.show_viewport and kind_drawn(m) is None for m in obj.modifiers)

    def _matrix(self, obj: bpy.types.Object) -> NDArray[np.float64] | None:
        """From an object's data to angstrom. What has no session is as large as `angstrom_per_unit` says."""
        root = self.root
        if self.session is None:
            root = obj
            while root is not None and PIXEL_SIZE not in root:
                root = root.parent
        matrix = to_session(obj, root, self._applied(root) if root is not None else None)
        if root is None and self.session is None:
            scale = np.diag([*[self.options.angstrom_per_unit] * 3, 1.0])
            matrix = scale if matrix is None else scale @ matrix
        return matrix

    def _applied(self, root: bpy.types.Object) -> Matrix | None:
        """What was applied of a root, looked up once."""
        number = root.session_uid
        if number not in self.applied:
            self.applied[number] = applied_of(root)
        return self.applied[number]

    def _is_visible(self, obj: bpy.types.Object) -> bool | None:
        """Whether neither the object nor a group or container around it is hidden by its eye or monitor.

        None where nobody can tell: what is not in the view layer, as when the session is excluded from it, has no eye.
        """
        if obj.hide_viewport or obj.hide_get(view_layer=self.layer):
            return False
        if self.hidden:
            places = {collection.session_uid for collection in obj.users_collection}
            if places & self.hidden and not places & self.shown:
                return False
        return None if self.is_excluded and obj.session_uid not in self._in_layer else True

    @cached_property
    def _in_layer(self) -> frozenset[int]:
        """The objects of the view layer, by session_uid."""
        objects = self.layer.objects
        numbers = np.empty(len(objects), np.int32)
        objects.foreach_get("session_uid", numbers)
        return frozenset(numbers.tolist())

    def _share_volume(self, piece: Piece) -> None:
        """Let geometries that show one volume share its values in the file, as they do in Blender."""
        mesh = piece.source.volume
        if mesh is not None:
            state = state_of(piece.node)
            stored = state.as_dict().get("volume")
            if type(stored) is Stored:
                put(state, "volume", self.volumes.setdefault(mesh.session_uid, stored))

    def _refuse_applied_points(self, places: dict[str, list[_Place]]) -> None:
        """Object > Apply on a root with all its objects leaves points in units of which nobody knows the angstrom."""
        pieces = _pieces_in(places)
        if self.session is not None and self.root is None and 2 * sum(map(_is_scaled, pieces)) > len(pieces) > 0:
            raise MosaicError(
                f"The root of {name_of(self.session)!r}, the empty that its objects hung on, was deleted and its scale given to "
                "them, so nobody knows what an angstrom is; undo that to save."
            )
        if self.root is None or not has_lost_its_scale(self.root) or self._applied(self.root) is not None:
            return
        if pieces and 2 * sum("points" in piece.edits for piece in pieces) > len(pieces):
            scale = 1 / self.root[ANGSTROM_PER_UNIT]
            raise MosaicError(
                f"{self.root.name!r} and its objects had their scale applied (Object > Apply), so their points are not in "
                f"angstrom any more; undo that, or, if it was not so, give {self.root.name!r} its scale {scale:g} again."
            )

    # --- uuids -------------------------------------------------------------------------------------------------------

    def _tell_copies(self, places: dict[str, list[_Place]]) -> None:
        """Of an object and its copies, the one with the session's uuid and name is what the session has; the others are new."""

        def is_less_like_it(piece: Piece) -> tuple[bool, bool]:
            return piece.obj.get(UUID) != piece.read_uuid, "name" in piece.edits

        first: dict[tuple[str, int], Piece] = {}
        for piece in _pieces_in(places):
            if piece.origin is None:
                continue
            other = first.setdefault(piece.origin, piece)
            if other is piece:
                continue
            if is_less_like_it(piece) < is_less_like_it(other):
                first[piece.origin], piece = piece, other
            piece.edits["copy"] = "a copy"
            piece.index = piece.origin = None

    def _identify(self, places: dict[str, list[_Place]]) -> None:
        """Give each geometry a uuid of its own, what the session has before what is new."""
        if not self.spelling.uuids:
            return
        pieces = [(piece, place) for several in places.values() for place in several for piece in place.pieces]
        pieces.sort(key=lambda entry: entry[0].index is None)
        for piece, place in pieces:
            own, read = piece.obj.get(UUID), piece.read_uuid
            uuid = read if type(read) is str else None
            if own != uuid and isinstance(own, str) and own and (uuid is None or own != clean_text(uuid)):
                uuid = own
            if uuid in self.taken or (uuid is None and (piece.index is None or place.group is not None)):
                uuid = new_uuid()
            if uuid is None:
                continue
            self.taken.add(uuid)
            piece.uuid = uuid
            if uuid != read:
                put(state_of(piece.node), "uuid", uuid)
            if uuid != own and clean_text(uuid) != own:
                self.result.uuids.append((piece.obj, uuid))

    def _find_damaged(self, places: dict[str, list[_Place]]) -> None:
        """The geometries that could not be read; of what stood in the file twice, the one that could."""
        if self.record is None or not any(self.record.damaged.values()):
            return
        pieces = {piece.origin: piece for piece in _pieces_in(places)}
        for name in CONTAINERS:
            for index, node in self.record.damaged.get(name, ()):
                if type(node) is tuple:
                    node = pieces[node].node if node in pieces else None
                if node is None:
                    continue
                if crashes_mosaic(node):
                    sentence = (
                        f"{name} {index} is left out of the file, as Mosaic crashes on it; it stays in the .blend."
                    )
                    self.result.left_out.append(sentence)
                else:
                    self.damaged[name].append((index, node))

    # --- containers and trees ----------------------------------------------------------------------------------------

    def _fill(self, state: Pairs, name: str, places: list[_Place]) -> None:
        """Put the geometries of a container into the state, in the file's order, and the browser's order beside them."""
        container = state.as_dict().get(KEYS[name], state.as_dict().get(name_in_state(name)))
        if type(container) is not ObjectNode:
            container = new_container(name, self.spelling)
            put(state, KEYS[name], container)
        pieces = [piece for place in places for piece in place.pieces]
        known = [piece for piece in pieces if piece.index is not None]
        tree_key = TREES[name]
        in_order = known == sorted(known, key=lambda piece: piece.index or 0)
        if self.spelling.tree is None and not in_order:
            nodes = [piece.part for piece in pieces]
            self.edits.append(f"The {name} are in another order.")
        else:
            placed = [(piece.index or 0, piece.part) for piece in known]
            placed += self.damaged[name]
            nodes = [node for _, node in sorted(placed, key=lambda entry: entry[0])]
            nodes += [piece.part for piece in pieces if piece.index is None]
        put(state_of(container), "data", nodes)
        if self.spelling.tree is None:
            self.result.warnings += [
                f"The group {name_of(place.group)!r} is left out, as Mosaic {self.release} has no groups; its objects are not."
                for place in places
                if place.group is not None
            ]
        else:
            tree = state.as_dict().get(tree_key)
            loads, agrees = self._compare(tree, places, self.damaged[name])
            if not agrees:
                self.edits.append(f"The {name} are in another order or other groups.")
            if not (loads and agrees):
                put(state, tree_key, new_tree(self._tree_items(name, places), self.spelling))

    def _compare(self, tree: Node, places: list[_Place], damaged: list[tuple[int, Node]]) -> tuple[bool, bool]:
        """Whether Mosaic loads a tree, and whether it says, as an import reads it, what Blender shows.

        What is new and in no group may be missing at its end.
        """
        pieces = [piece for place in places for piece in place.pieces if piece.index is not None]
        left = {piece.uuid or id(piece): piece for piece in sorted(pieces, key=lambda piece: piece.index or 0)}
        uuids = {uuid for uuid in left if type(uuid) is str}
        uuids |= {uuid for _, node in damaged for uuid in [_uuid_of(node)] if type(uuid) is str}
        groups: set[str] = set()
        roots = tree.fields().get("root_items") if type(tree) is ObjectNode else None
        loads = type(roots) is list and {str}.issuperset(map(type, roots))
        said: list[tuple[str | None, str | None, list[Piece]]] = []
        for uuid, title, members in tree_items(tree):
            if members is None:
                loads = loads and uuid in uuids
                if uuid in left:
                    said.append((None, None, [left.pop(uuid)]))
            elif uuid not in uuids and uuid not in groups:
                groups.add(uuid)
                there = [left.pop(member) for member in members if type(member) is str and member in left]
                said.append((uuid, title or uuid, there))
                self.titles[clean_text(uuid)] = uuid, title or uuid
        said += [(None, None, [piece]) for piece in left.values()]
        shown = [self._described(place) for place in places]
        while len(shown) > len(said) and shown[-1][1] is None and shown[-1][2][0].index is None:
            shown.pop()
        return loads, said == shown

    def _described(self, place: _Place) -> tuple[str | None, str | None, list[Piece]]:
        """The uuid and name of a place's group, as the file spells them where Blender cannot, and what is in it."""
        group = place.group
        if group is None:
            return None, None, place.pieces
        uuid, title = group.get(GROUP, {}).get("uuid"), name_of(group)
        known = self.titles.get(uuid)
        if known is not None:
            uuid, title = known[0], known[1] if clean_text(known[1]) == title else title
        return uuid, title, place.pieces

    def _tree_items(self, name: str, places: list[_Place]) -> list[tuple[str, str | None, list[str]]]:
        items: list[tuple[str, str | None, list[str]]] = []
        for place in places:
            uuids = [piece.uuid for piece in place.pieces if piece.uuid is not None]
            if place.group is None:
                items += [(uuid, None, []) for uuid in uuids]
                continue
            uuid, title, _ = self._described(place)
            first, uuid = self.uuids_of_groups.setdefault(place.group.session_uid, (name, uuid or new_uuid()))
            if first != name:  # a group of clusters and models, which is two for Mosaic
                uuid = str(uuid5(NAMESPACE_OID, f"{uuid} {name}"))
            if uuid in self.taken:
                uuid = new_uuid()
            self.taken.add(uuid)
            if first == name:
                self.result.groups.append((place.group, {"name": clean_text(str(title)), "uuid": clean_text(uuid)}))
            items.append((uuid, title, uuids))
        return items

    # --- what is said ------------------------------------------------------------------------------------------------

    def _note_edits(self, places: dict[str, list[_Place]]) -> None:
        """The changes in words, and the digest that tells two states of a scene apart."""
        result = self.result
        digest = hashlib.blake2b(digest_size=16)
        pieces = _pieces_in(places)
        there = {piece.origin for piece in pieces} | self.left_out
        if self.record is not None:
            for name, titles in self.record.names.items():
                for index, title in titles:
                    if (name, index) not in there:
                        result.changes.append(f"{name} {title!r}: deleted")
        for piece in pieces:
            if piece.edits:
                result.changes.append(f"{piece.label}: {', '.join(piece.edits.values())}")
                digest.update(repr(_signature(piece)).encode())
        result.changes += self.edits
        for change in result.changes:
            digest.update(change.encode("utf-8", "replace"))
        if self.edits:
            order = [
                [place.group and name_of(place.group), [p.label for p in place.pieces]]
                for s in places.values()
                for place in s
            ]
            digest.update(repr(order).encode("utf-8", "replace"))
        result.digest = digest.hexdigest() if result.changes else ""

    def _respell(self, places: dict[str, list[_Place]]) -> None:
        """Write all of it as another release does."""
        if self.options.target is None:
            return
        target = TARGETS[self.options.target]
        result = self.result
        pieces = _pieces_in(places)
        for piece in pieces:
            result.warnings += respell_geometry(piece.node, self.spelling, target, piece.label, name_of(piece.obj))
            if target.metadata and not self.spelling.metadata:
                turn_by_quaternions(piece.node, piece.source)
            uuid = state_of(piece.node).as_dict().get("uuid")
            piece.uuid = uuid if type(uuid) is str else None
        result.warnings += respell_state(result.state, self.spelling, target)
        self.taken = {piece.uuid for piece in pieces if piece.uuid}
        if target.tree is not None:
            for name in CONTAINERS:
                put(result.state, TREES[name], new_tree(self._tree_items(name, places[name]), target))
        result.renames = renames(target)
        result.release = target.release


def name_in_state(container: str) -> str:
    """The other key under which Mosaic looks for a container."""
    return {"clusters": "data", "models": "models"}[container]


def _pieces_in(places: dict[str, list[_Place]]) -> list[Piece]:
    return [piece for several in places.values() for place in several for piece in place.pieces]


def _is_scaled(piece: Piece) -> bool:
    matrix = piece.source.matrix
    if piece.origin is None or matrix is None:
        return False
    return not np.isclose(abs(np.linalg.det(matrix[:3, :3])), 1.0, rtol=1e-3)


def _uuid_of(node: Node) -> Node:
    return node.fields().get("uuid") if type(node) is ObjectNode else None


def _signature(piece: Piece) -> list[Any]:
    """What tells two edits of one object apart, small."""
    source = piece.source
    matrix = None if source.matrix is None else source.matrix.round(9).tolist()
    state = state_of(piece.node).as_dict()
    small = {key: state.get(key) for key in ("visible", "representation")}
    appearance = state.get("appearance")
    looks = list(appearance) if type(appearance) is Pairs else []
    return [matrix, source.points_sum(), source.faces_sum(), small, looks, piece.details]


def _is_shaped(obj: bpy.types.Object) -> bool:
    """Whether an object's shape keys may make another shape than the first of them."""
    keys = obj.data.shape_keys
    is_pinned = obj.show_only_shape_key and obj.active_shape_key_index > 0
    return is_pinned or not keys.use_relative or any(key.value and not key.mute for key in keys.key_blocks[1:])


def _without_points(obj: bpy.types.Object) -> str:
    """That an object is left out, and why."""
    why = "it has no points"
    if obj.type == "META":
        why = "it is hidden, or its surface is that of another metaball of its family"
    return f"{obj.name!r} is left out: {why}."


def _steps(obj: bpy.types.Object) -> list[bpy.types.Mesh]:
    if MODEL not in obj:
        return []
    return [step.data for step in steps_of(obj)]


def _hidden_collections(
    session: bpy.types.Collection | None, layer: bpy.types.ViewLayer
) -> tuple[set[int], set[int], bool]:
    """The collections, by session_uid, that a session's containers and groups are hidden in, and all others.

    What stands in one of the others, too, is seen. That the session itself is hidden does not count. Last, whether the session
    is excluded from the layer or not in it, which excludes all that is in it.
    """
    hidden: set[int] = set()
    shown: set[int] = set()
    is_excluded = True
    if session is None:
        return hidden, shown, is_excluded
    todo = [(layer.layer_collection, False, False, False)]
    while todo:
        item, inside, is_hidden, is_in_excluded = todo.pop()
        if item.collection == session:
            inside, is_in_excluded = True, item.exclude
            is_excluded = is_excluded and is_in_excluded
        elif inside:
            is_hidden = is_hidden or item.hide_viewport or item.collection.hide_viewport
            is_hidden = is_hidden or (item.exclude and not is_in_excluded)
        (hidden if is_hidden else shown).add(item.collection.session_uid)
        todo += [(child, inside, is_hidden, is_in_excluded) for child in item.children]
    return hidden - shown, shown, is_excluded
