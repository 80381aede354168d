"""Which objects are geometries, and what each of them is asked: its data, where it stands, how it looks, what was edited."""

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice

import bpy
import numpy as np
from bpy.types import Mesh
from mathutils import Matrix
from numpy.typing import NDArray

from ...session.edit import put, state_of
from ...session.errors import MosaicError
from ...session.nodes import Stored
from ...session.releases import spelling_of
from ...session.repair import repair, trouble
from ...session.respell import respell_geometry
from ..data.attributes import PointData, Scratch
from ..data.custom_properties import has, plain_property
from ..data.placement import applied_of, has_lost_its_scale, to_session
from ..data.vertex_properties import NO_COLUMNS
from ..drawing.facts import frames_of
from ..drawing.representations import MODIFIER, input_of, kind_drawn
from ..drawing.surfaces import volume_mesh
from ..keys import ANGSTROM_PER_UNIT, CLASS, COLUMNS, MODEL, PIXEL_SIZE, SAMPLING_RATE, SHAPE, SHOWS, SPACING
from ..outline.tree import name_of
from ..record import Record, unpack
from .changes import Kind
from .edited import apply_edits
from .edited_look import Look, Looks
from .evaluated import Temporaries
from .new_objects import newcomer
from .object_arrays import FLOAT32, Source
from .piece import Piece
from .scope import Notes, Scope
from .unchanged import key_of, speaks_for_others

DATA_TYPES = frozenset({"MESH", "POINTCLOUD", "CURVE", "CURVES", "SURFACE", "META"})  # of objects that may have points
OTHER_KINDS = {"FONT": "text", "GREASEPENCIL": "grease pencil drawing", "VOLUME": "OpenVDB volume"}  # in words
BLOCK = 64  # objects that are asked the same one after the other


@dataclass(frozen=True, slots=True)
class Found:
    """The geometries among some objects.

    pieces: by the session_uid of their objects. lost: where those stood in the file that are left out of it.
    """

    pieces: dict[int, Piece]
    lost: set[tuple[str, int] | None]


def find_pieces(
    scope: Scope, objects: Mapping[int, tuple[bpy.types.Object, str | None]], notes: Notes, made: Temporaries
) -> Found:
    """The objects that are geometries; a note for each of the others.

    objects: by session_uid, each with the container that it is in, if it is in one. made: takes what is made to be written.

    One question is put to a whole block of objects before the next is, so that the processor has its code at hand: for
    thousands of objects that saves a quarter of the time.
    """
    placements, eyes, looks, scratch = Placements(scope), Eyes(scope), Looks(), Scratch()
    maker = PieceMaker(scope, notes)
    pieces: dict[int, Piece] = {}
    rest = iter(objects.items())
    while block := list(islice(rest, BLOCK)):
        asked = []
        for number, (obj, container) in block:
            data = _data_of(obj, scope, notes, made)
            if data is None:
                _leave_out(obj, notes)
            else:
                asked.append((number, obj, container, data))
        sources = [Source(obj.name, data, placements.matrix(obj), scratch=scratch) for _, obj, _, data in asked]
        shown = [looks.of(obj) for _, obj, _, _ in asked]
        seen = [eyes.see(obj) for _, obj, _, _ in asked]
        records = [
            unpack(obj, source) if has(obj, CLASS) else None
            for (_, obj, _, _), source in zip(asked, sources, strict=True)
        ]
        known = []
        for (_, obj, _, data), source, record in zip(asked, sources, records, strict=True):
            if record is None:
                continue
            source.columns_note = data[COLUMNS] if has(data, COLUMNS) else obj.get(COLUMNS, NO_COLUMNS)
            if not record.frames:
                known.append(source)
        for source in known:
            source.attributes()
        for source in known:
            source.points_checksum()
        for source in known:
            source.column_checksums()
        for (number, obj, container, _), *answers in zip(asked, sources, shown, seen, records, strict=True):
            piece = maker.make(obj, container, *answers)
            if piece is not None:
                pieces[number] = piece
    _refuse_applied_points(scope, placements, pieces.values())
    return Found(pieces, maker.lost)


def _leave_out(obj: bpy.types.Object, notes: Notes) -> None:
    """Note that an object has no points."""
    if obj.type in DATA_TYPES:
        notes.left_out.append(_without_points(obj))
    elif obj.type != "EMPTY" or not has(obj, PIXEL_SIZE):
        kind = OTHER_KINDS.get(obj.type, obj.type.lower().replace("_", " "))
        article = "an" if kind[0] in "aeiou" else "a"
        notes.left_out.append(f"{obj.name!r} is left out: Mosaic has no objects like {article} {kind}.")


def _without_points(obj: bpy.types.Object) -> str:
    """That an object is left out, and why."""
    why = "it has no points"
    if obj.type == "META":
        why = "it is hidden, or its surface is that of another metaball of its family"
    return f"{obj.name!r} is left out: {why}."


def _data_of(obj: bpy.types.Object, scope: Scope, notes: Notes, made: Temporaries) -> PointData | None:
    """The points or mesh of an object, made of its curve or its modifiers where need be."""
    data = obj.data
    if isinstance(data, PointData):
        edited = isinstance(data, Mesh) and data.is_editmode
        if edited:
            obj.update_from_editmode()
        if not _is_evaluated(obj, scope, notes):
            return made.copy_of(data) if edited else data
    elif obj.type not in DATA_TYPES:
        return None
    return made.of(obj, scope.scene, scope.layer)


def _is_evaluated(obj: bpy.types.Object, scope: Scope, notes: Notes) -> bool:
    """Whether what modifiers and shape keys make of an object is to be written, and there are such."""
    is_shaped = obj.type == "MESH" and obj.data.shape_keys is not None and _is_shaped(obj)
    if not scope.options.apply_modifiers:
        if is_shaped:
            notes.warnings.append(
                f"{obj.name!r}: its shape keys do not count; save with Apply Modifiers to have what they make."
            )
        return False
    return is_shaped or any(m.show_viewport and kind_drawn(m) is None for m in obj.modifiers)


def _is_shaped(obj: bpy.types.Object) -> bool:
    """Whether an object's shape keys may make another shape than the first of them."""
    keys = obj.data.shape_keys
    is_pinned = obj.show_only_shape_key and (obj.active_shape_key_index or 0) > 0
    return is_pinned or not keys.use_relative or any(key.value and not key.mute for key in keys.key_blocks[1:])


class Placements:
    """Where objects stand; what was applied of their roots is looked up once."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._known: dict[int, Matrix | None] = {}  # by the root's session_uid

    def matrix(self, obj: bpy.types.Object) -> NDArray[np.float64] | None:
        """From an object's data to angstrom. What has no session is as large as `angstrom_per_unit` says."""
        root = self.scope.root
        if self.scope.session is None:
            root = obj
            while root is not None and not has(root, PIXEL_SIZE):
                root = root.parent
        matrix = to_session(obj, root, self.applied(root) if root is not None else None)
        if root is None and self.scope.session is None:
            scale = np.diag([*[self.scope.options.angstrom_per_unit] * 3, 1.0])
            matrix = scale if matrix is None else scale @ matrix
        return matrix

    def applied(self, root: bpy.types.Object) -> Matrix | None:
        """What was applied of a root, looked up once."""
        number = root.session_uid
        if number not in self._known:
            self._known[number] = applied_of(root)
        return self._known[number]


class Eyes:
    """Tell what is hidden."""

    def __init__(self, scope: Scope) -> None:
        self.layer = scope.layer
        self.hidden, self.shown, self.is_excluded = _hidden_collections(scope.session, scope.layer)

    def see(self, obj: bpy.types.Object) -> bool | None:
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


class PieceMaker:
    """Makes geometries of objects; what many of these share is looked up once.

    lost: where those stood in the file that are left out of it.
    """

    def __init__(self, scope: Scope, notes: Notes) -> None:
        self.scope = scope
        self.notes = notes
        self.lost: set[tuple[str, int] | None] = set()
        self._volumes: dict[int, Stored] = {}  # by the session_uid of the mesh that holds the values
        self._untouched: set[Hashable] = set()

    def make(
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
                if sentence not in self.notes.left_out:
                    self.notes.left_out.append(sentence)
                return None
            piece = newcomer(obj, source, container, look, visible is not False, self._usual_rate, self.scope.spelling)
            if piece is None:
                self.notes.left_out.append(_without_points(obj))
            else:
                self.notes.warnings += piece.warnings
            return piece
        piece = Piece(obj, record.part, source, container or record.container, record.index, None)
        if self.scope.record is not None and record.session == self.scope.record.session:
            piece.origin = (record.container, record.index)
        key = self._key(piece, record, look, visible)
        if key is not None and key in self._untouched:
            piece.read_name = record.part.own[0]
            return piece
        self._compare(piece, record, look, visible)
        volume = source.volume
        mended = repair(
            piece.node,
            self.scope.spelling,
            name=name_of(obj),
            count=source.count,
            frames=len(record.frames),
            spacing=None if volume is None else volume[SPACING],
            quaternions=source.stored("quaternions"),
        )
        piece.warnings += [f"{piece.label}: {what}." for what in mended]
        why = trouble(piece.node, partial(source.points, FLOAT32), None if volume is None else volume[SHAPE])
        if why is not None:
            self.notes.left_out.append(f"{piece.label} is left out of the file: {why}.")
            self.lost.add(piece.origin)
            return None
        if key is not None and not piece.edits and not piece.warnings and speaks_for_others(piece.node):
            self._untouched.add(key)
        self.notes.warnings += piece.warnings
        return piece

    def _key(self, piece: Piece, record: Record, look: Look, visible: bool | None) -> Hashable | None:
        """By which a geometry of this session is known to be untouched; None for one that has to be looked into."""
        if piece.origin is None or piece.container != record.container or self.scope.options.target is not None:
            return None
        return key_of(piece.obj, piece.source, record, look, visible)

    def _compare(self, piece: Piece, record: Record, look: Look, visible: bool | None) -> None:
        """Bring into a geometry's node what was edited since the record was made."""
        obj = piece.obj
        # A modifier that was copied from another object may show what this one has no place for.
        piece.source.steps = _steps(obj) if record.frames else []
        if "volume" in state_of(piece.node).as_dict():
            piece.source.volume = volume_mesh(obj)
        _refuse_what_is_of_others(piece, record)
        if record.frames:
            _look_at_frame(piece, record)
        if piece.origin is None:
            piece.index = None
            if self.scope.session is not None:
                piece.edits[Kind.SESSION] = record.session, record.container, record.index
        if spelling_of(record.release) != self.scope.spelling:
            piece.warnings += respell_geometry(
                piece.node, spelling_of(record.release), self.scope.spelling, piece.label, name_of(obj)
            )
            if self.scope.session is not None:
                piece.edits[Kind.RELEASE] = (record.release,)
        apply_edits(piece, record, look, visible, self.scope.scene.frame_current, self.scope.spelling)
        if piece.container != record.container:
            piece.edits[Kind.CONTAINER] = (piece.container,)
            piece.index = None
        self._share_volume(piece)

    def _share_volume(self, piece: Piece) -> None:
        """Let geometries that show one volume share its values in the file, as they do in Blender."""
        mesh = piece.source.volume
        if mesh is not None:
            state = state_of(piece.node)
            stored = state.as_dict().get("volume")
            if type(stored) is Stored:
                put(state, "volume", self._volumes.setdefault(mesh.session_uid, stored))

    @cached_property
    def _usual_rate(self) -> tuple[float, float, float]:
        """The sampling rate of the session's first object, for new ones."""
        for obj in self.scope.session.all_objects if self.scope.session is not None else ():
            rate = plain_property(obj.get(SAMPLING_RATE))
            if has(obj, CLASS) and isinstance(rate, list) and len(rate) == 3:
                return tuple(rate)
        return (1.0, 1.0, 1.0)

    @cached_property
    def _shown_by(self) -> dict[int, str]:
        """By the session_uid of what others show, a surface or a frame, who does: what is pasted brings its own into the scene."""
        objects = self.scope.objects if self.scope.session is None else self.scope.session.all_objects
        return {
            part.session_uid: name_of(obj)
            for obj in objects
            for part in [input_of(obj, "Surface"), *frames_of(obj)]
            if part is not None
        }


def _steps(obj: bpy.types.Object) -> list[bpy.types.Mesh]:
    if not has(obj, MODEL):
        return []
    return [step.data for step in frames_of(obj)]


def _refuse_what_is_of_others(piece: Piece, record: Record) -> None:
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


def _look_at_frame(piece: Piece, record: Record) -> None:
    """Let a trajectory, which shows its frames and not its own mesh, be that of a frame where its own was edited."""
    source = piece.source
    own = source.count, source.points_checksum(), source.face_count(), source.faces_checksum()
    if own == (record.count, record.points_checksum, record.faces, record.faces_checksum):
        return
    mesh = source.own_steps().get(record.step)
    if mesh is not None:
        source.show(mesh)
        piece.warnings.append(
            f"{piece.label}: its own mesh was changed, which is not shown and not saved; edit those of its frames instead."
        )


def _refuse_applied_points(scope: Scope, placements: Placements, pieces: Collection[Piece]) -> None:
    """Object > Apply on a root with all its objects leaves points in units of which nobody knows the angstrom."""
    if scope.session is not None and scope.root is None and 2 * sum(map(_is_scaled, pieces)) > len(pieces) > 0:
        raise MosaicError(
            f"The root of {name_of(scope.session)!r}, the empty that its objects hung on, was deleted and its scale given to "
            "them, so nobody knows what an angstrom is; undo that to save."
        )
    if scope.root is None or not has_lost_its_scale(scope.root) or placements.applied(scope.root) is not None:
        return
    if pieces and 2 * sum(Kind.POINTS in piece.edits for piece in pieces) > len(pieces):
        scale = 1 / scope.root[ANGSTROM_PER_UNIT]
        raise MosaicError(
            f"{scope.root.name!r} and its objects had their scale applied (Object > Apply), so their points are not in "
            f"angstrom any more; undo that, or, if it was not so, give {scope.root.name!r} its scale {scale:g} again."
        )


def _is_scaled(piece: Piece) -> bool:
    matrix = piece.source.matrix
    if piece.origin is None or matrix is None:
        return False
    return not np.isclose(abs(np.linalg.det(matrix[:3, :3])), 1.0, rtol=1e-3)
