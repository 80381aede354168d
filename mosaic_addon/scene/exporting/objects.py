"""Which objects are geometries, and what each is asked: its data, its place, whether it is seen, what was edited."""

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice

import bpy
import numpy as np
from bpy.types import Mesh, PointCloud
from mathutils import Matrix
from numpy.typing import NDArray

from ...session.arrays import VOLUME, has_array, put_array, stored_in
from ...session.errors import MosaicError
from ...session.frames import has_frames
from ...session.nodes import Stored
from ...session.releases import spelling_of
from ...session.repair import repair, trouble
from ...session.respell import respell_geometry
from ..data.attributes import PointData
from ..data.custom_properties import has
from ..data.placement import applied_of, has_lost_its_scale, to_session
from ..data.vertex_properties import note_in
from ..drawing.facts import frames_of
from ..drawing.filters import is_for_view
from ..drawing.representations import MODIFIER, VIEW_SURFACE, input_of, kind_drawn
from ..drawing.surfaces import volume_mesh
from ..keys import ANGSTROM_PER_UNIT, CLASS, FIGURE, PIXEL_SIZE, RECORD, SAMPLING_RATE, SHAPE, SHOWS, SPACING
from ..outline.tree import name_of, root_above
from ..record import Record, unpack
from .changes import Kind
from .edited import apply_edits, is_rate
from .edited_appearance import Drawn, DrawnReader
from .evaluated import Temporaries
from .new_objects import newcomer
from .object_arrays import FLOAT32, Source
from .piece import Piece
from .scope import Notes, Scope
from .soundness import has_all_arrays, meshes_of_frames, what_is_damaged
from .unchanged import key_of, speaks_for_others

DATA_TYPES = frozenset({"MESH", "POINTCLOUD", "CURVE", "CURVES", "SURFACE", "META"})  # of objects that may have points
OTHER_KINDS = {"FONT": "text", "GREASEPENCIL": "grease pencil drawing", "VOLUME": "OpenVDB volume"}
BLOCK = 64  # objects that are asked one question before the next
AS_NEW = "it is saved as a new object, of its points and faces as they are"


@dataclass(frozen=True, slots=True)
class Found:
    """The geometries among some objects.

    pieces: by the session_uid of their objects. lost: the origins of geometries that are left out of the file.
    """

    pieces: dict[int, Piece]
    lost: set[tuple[str, int] | None]


def find_pieces(
    scope: Scope,
    objects: Mapping[int, tuple[bpy.types.Object, str | None]],
    outside: Collection[int],
    notes: Notes,
    made: Temporaries,
) -> Found:
    """Find the objects that are geometries, and note why the others are none.

    objects: by session_uid, each with the container that it is in, None for an object in neither. outside: the
    session_uids of those outside the session's collections. made: takes the datablocks that are made to be written.

    A whole block of objects is asked one question before the next, which keeps that code in the processor's cache: for
    thousands of objects it saves a quarter of the time.
    """
    placements, eyes, reader = Placements(scope), Eyes(scope, outside), DrawnReader()
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
        sources = [Source(obj.name, data, placements.matrix(obj)) for _, obj, _, data in asked]
        drawn = [reader.of(obj) for _, obj, _, _ in asked]
        visible = [eyes.see(obj) for _, obj, _, _ in asked]
        records = [_record_of(obj, source, notes) for (_, obj, _, _), source in zip(asked, sources, strict=True)]
        known = []
        for (_, obj, _, data), source, record in zip(asked, sources, records, strict=True):
            if record is None:
                continue
            source.columns_note = note_in(data, obj)
            if not record.frames:
                known.append(source)
        for source in known:
            source.attributes()
        for source in known:
            source.points_checksum()
        for source in known:
            source.column_checksums()
        for entry, source, appearance, shown, record in zip(asked, sources, drawn, visible, records, strict=True):
            number, obj, container, _ = entry
            piece = maker.make(obj, container, source, appearance, shown, record)
            if piece is not None:
                pieces[number] = piece
    _refuse_applied_points(scope, placements, pieces.values())
    return Found(pieces, maker.lost)


def _record_of(obj: bpy.types.Object, source: Source, notes: Notes) -> Record | None:
    """Return what an object remembers of its file; None, with a warning, where that is damaged."""
    if CLASS not in obj:  # type: ignore[operator]  # quicker than `has`
        return None
    try:
        return unpack(obj, source)
    except MosaicError as error:
        notes.warnings.append(f"{error}; {AS_NEW}.")
        return None


def _leave_out(obj: bpy.types.Object, notes: Notes) -> None:
    """Note why an object without points is left out. Raises MosaicError for one that was a geometry of a file."""
    if has(obj, RECORD):
        raise MosaicError(
            f"{name_of(obj)!r} has no points any more, as Object > Convert has made something else of it; undo that, or "
            "delete the object to save without it."
        )
    if has(obj, FIGURE):
        return
    if obj.type in DATA_TYPES:
        notes.left_out.append(_without_points(obj))
    elif obj.type != "EMPTY" or not has(obj, PIXEL_SIZE):
        kind = OTHER_KINDS.get(obj.type, obj.type.lower().replace("_", " "))
        article = "an" if kind[0] in "aeiou" else "a"
        notes.left_out.append(f"{obj.name!r} is left out: Mosaic has no objects like {article} {kind}.")


def _without_points(obj: bpy.types.Object) -> str:
    """Say that an object is left out, and why."""
    why = "it has no points"
    if obj.type == "META":
        why = "it is hidden, or its surface is that of another metaball of its family"
    return f"{obj.name!r} is left out: {why}."


def _data_of(obj: bpy.types.Object, scope: Scope, notes: Notes, made: Temporaries) -> PointData | None:
    """Return the points or mesh of an object, made of its curve or its modifiers where need be; None without any."""
    data = obj.data
    if FIGURE in obj:  # type: ignore[operator]  # quicker than `has`
        return None
    if isinstance(data, (Mesh, PointCloud)):
        edited = data if isinstance(data, Mesh) and data.is_editmode else None
        if edited is not None:
            obj.update_from_editmode()
        if not _is_evaluated(obj, scope, notes):
            return data if edited is None else made.copy_of(edited)
    elif obj.type not in DATA_TYPES:
        return None
    return made.of(obj, scope.scene, scope.layer)


def _is_evaluated(obj: bpy.types.Object, scope: Scope, notes: Notes) -> bool:
    """Tell whether to write what an object's modifiers and shape keys make of it; False if it has none."""
    is_shaped = obj.type == "MESH" and obj.data.shape_keys is not None and _is_shaped(obj)
    if not scope.options.apply_modifiers:
        if is_shaped:
            notes.warnings.append(
                f"{obj.name!r}: its shape keys do not count; save with Apply Modifiers to have what they make."
            )
        return False
    return is_shaped or any(m.show_viewport and kind_drawn(m) is None and not is_for_view(m) for m in obj.modifiers)


def _is_shaped(obj: bpy.types.Object) -> bool:
    """Tell whether an object's shape keys can make another shape than the first of them."""
    keys = obj.data.shape_keys
    is_pinned = obj.show_only_shape_key and (obj.active_shape_key_index or 0) > 0
    return is_pinned or not keys.use_relative or any(key.value and not key.mute for key in keys.key_blocks[1:])


class Placements:
    """Tells where objects stand in angstrom; the scale that was applied to a root is found once."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._known: dict[int, Matrix | None] = {}  # by the root's session_uid

    def matrix(self, obj: bpy.types.Object) -> NDArray[np.float64] | None:
        """Return the matrix from an object's data to angstrom, (4, 4); None where they are the same.

        A Blender unit of an object without a session is as long as `angstrom_per_unit` says.
        """
        root = self.scope.root
        if self.scope.session is None:
            root = root_above(obj)
        matrix = to_session(obj, root, self.applied(root) if root is not None else None)
        if root is None and self.scope.session is None:
            scale = np.diag([*[self.scope.options.angstrom_per_unit] * 3, 1.0])
            matrix = scale if matrix is None else scale @ matrix
        return matrix

    def applied(self, root: bpy.types.Object) -> Matrix | None:
        """Return the part of a root's matrix that was applied to its objects; None if nothing was."""
        number = root.session_uid
        if number not in self._known:
            self._known[number] = applied_of(root)
        return self._known[number]


class Eyes:
    """Tells which objects are hidden."""

    def __init__(self, scope: Scope, outside: Collection[int]) -> None:
        self.layer = scope.layer
        self.outside = outside
        self.hidden, self.shown, self.is_excluded = _hidden_collections(scope.session, scope.layer)

    def see(self, obj: bpy.types.Object) -> bool | None:
        """Tell whether neither the object nor a group or container around it is hidden by its eye or monitor.

        None where nobody can tell: an object that is not in the view layer, as in an excluded session, has no eye. Of
        an object outside the session's collections all collections around it count.
        """
        if obj.hide_viewport or obj.hide_get(view_layer=self.layer):
            return False
        if self.outside and obj.session_uid in self.outside:
            return obj.visible_get(view_layer=self.layer) if obj.session_uid in self._in_layer else None
        if self.hidden:
            places = {collection.session_uid for collection in obj.users_collection}
            if places & self.hidden and not places & self.shown:
                return False
        return None if self.is_excluded and obj.session_uid not in self._in_layer else True

    @cached_property
    def _in_layer(self) -> frozenset[int]:
        """Collect the session_uids of the objects in the view layer."""
        objects = self.layer.objects
        numbers = np.empty(len(objects), np.int32)
        objects.foreach_get("session_uid", numbers)
        return frozenset(numbers.tolist())


def _hidden_collections(
    session: bpy.types.Collection | None, layer: bpy.types.ViewLayer
) -> tuple[set[int], set[int], bool]:
    """Sort the collections of a view layer, by session_uid, into hidden ones and others.

    Only the eyes and monitors of a session's containers and groups count, not those of the session itself. An object
    that is also in one of the others is seen. The third value tells whether the session, and so all that is in it, is
    excluded from the layer or not in it.
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


class _UnsoundError(Exception):
    """A record speaks of what is not there."""


class PieceMaker:
    """Makes pieces of objects; what many of these share is found once.

    lost: the origins of geometries that are left out of the file.
    """

    def __init__(self, scope: Scope, notes: Notes) -> None:
        self.scope = scope
        self.notes = notes
        self.lost: set[tuple[str, int] | None] = set()
        self._volumes: dict[int, Stored] = {}  # by the session_uid of the mesh that holds the values
        self._unchanged: set[Hashable] = set()
        self._unread: set[str] = set()  # the names of materials whose colour is no number

    def make(
        self,
        obj: bpy.types.Object,
        container: str | None,
        source: Source,
        drawn: Drawn,
        visible: bool | None,
        record: Record | None,
    ) -> Piece | None:
        """Make a piece of one object; None, with a note, for an object that is no geometry."""
        if drawn.unread is not None and drawn.unread not in self._unread:
            self._unread.add(drawn.unread)
            self.notes.warnings.append(
                f"The material {drawn.unread!r} shows no plain number as its colour or opacity, so what has it keeps "
                "that of the file; a new object gets Mosaic's usual one."
            )
        if record is None:
            shower = self._shown_by.get(obj.session_uid)
            if shower is not None:
                sentence = f"What {shower!r} shows is no object of its own in the file, as it is saved with {shower!r}."
                if sentence not in self.notes.left_out:
                    self.notes.left_out.append(sentence)
                return None
            piece = newcomer(obj, source, container, drawn, visible is not False, self._usual_rate, self.scope.spelling)
            if piece is None:
                self.notes.left_out.append(_without_points(obj))
            else:
                self.notes.warnings += piece.warnings
            return piece
        piece = Piece(obj, record.part, source, container or record.container, record.index, None)
        if self.scope.record is not None and record.session == self.scope.record.session:
            piece.origin = (record.container, record.index)
        key = self._key(piece, record, drawn, visible)
        if key is not None and key in self._unchanged:
            piece.read_name = record.part.own[0]
            return piece
        try:
            why = self._examine(piece, record, drawn, visible)
        except _UnsoundError:
            self.notes.warnings.append(f"{obj.name!r} keeps a damaged record of its session; {AS_NEW}.")
            return self.make(obj, container, source, drawn, visible, None)
        if why is not None:
            self.notes.left_out.append(f"{piece.label} is left out of the file: {why}.")
            self.lost.add(piece.origin)
            return None
        if key is not None and not piece.edits and not piece.warnings and speaks_for_others(piece.node):
            self._unchanged.add(key)
        self.notes.warnings += piece.warnings
        return piece

    def _examine(self, piece: Piece, record: Record, drawn: Drawn, visible: bool | None) -> str | None:
        """Bring a piece's edits into its node, and mend it.

        Returns why it is left out of the file, the end of a sentence; None where it is not. Raises _UnsoundError for a
        record that speaks of what is not there.
        """
        source = piece.source
        if not has_frames(piece.node, record.frames):
            raise _UnsoundError
        damage = what_is_damaged(piece, record)
        if damage is not None:
            return damage
        self._compare(piece, record, drawn, visible)
        if not has_all_arrays(source, piece.node):
            raise _UnsoundError
        volume = source.volume
        mended = repair(
            piece.node,
            self.scope.spelling,
            name=name_of(piece.obj),
            count=source.count,
            frames=len(record.frames),
            spacing=None if volume is None else SPACING.read(volume),
            quaternions=source.stored("quaternions"),
        )
        piece.warnings += [f"{piece.label}: {what}." for what in mended]
        return trouble(piece.node, partial(source.points, FLOAT32), None if volume is None else SHAPE.read(volume))

    def _key(self, piece: Piece, record: Record, drawn: Drawn, visible: bool | None) -> Hashable | None:
        """Return the key by which a geometry is known to be unchanged; None for one that must be examined."""
        if piece.origin is None or piece.container != record.container or self.scope.options.target is not None:
            return None
        return key_of(piece.obj, piece.source, record, drawn, visible)

    def _compare(self, piece: Piece, record: Record, drawn: Drawn, visible: bool | None) -> None:
        """Bring into a geometry's node what was edited since the record was made."""
        obj = piece.obj
        # A modifier that was copied from another object may draw frames or a volume that this geometry cannot have.
        piece.source.frames = meshes_of_frames(obj) if record.frames else []
        if has_array(piece.node, VOLUME):
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
        apply_edits(piece, record, drawn, visible, self.scope.scene.frame_current, self.scope.spelling)
        if piece.container != record.container:
            piece.edits[Kind.CONTAINER] = (piece.container,)
            piece.index = None
        self._share_volume(piece)

    def _share_volume(self, piece: Piece) -> None:
        """Let geometries that show one volume share its values in the file, as they do in Blender."""
        mesh = piece.source.volume
        if mesh is not None:
            stored = stored_in(piece.node, VOLUME)
            if stored is not None:
                put_array(piece.node, VOLUME, self._volumes.setdefault(mesh.session_uid, stored))

    @cached_property
    def _usual_rate(self) -> tuple[float, float, float]:
        """Return the sampling rate of the session's first object, which new ones get."""
        for obj in self.scope.session.all_objects if self.scope.session is not None else ():
            rate = SAMPLING_RATE.read(obj)
            if has(obj, CLASS) and rate is not None and is_rate(rate):
                return rate[0], rate[1], rate[2]
        return (1.0, 1.0, 1.0)

    @cached_property
    def _shown_by(self) -> dict[int, str]:
        """Name the object that shows each surface or frame, by the session_uid of the latter.

        Pasting an object puts the surface or the frames that it shows into the scene, too.
        """
        objects = self.scope.objects if self.scope.session is None else self.scope.session.all_objects
        return {
            part.session_uid: name_of(obj)
            for obj in objects
            for part in [input_of(obj, "Surface"), input_of(obj, VIEW_SURFACE), *frames_of(obj)]
            if part is not None
        }


def _refuse_what_is_of_others(piece: Piece, record: Record) -> None:
    """Raise MosaicError where an object shows another one's volume or frames, as its modifier was copied from there."""
    own, holder = SHOWS.read(piece.obj), piece.source.volume
    if record.frames:
        holder = input_of(piece.obj, "Frames")
    if own is not None and holder is not None and SHOWS.read(holder) != own:
        what = "frames" if record.frames else "volume"
        raise MosaicError(
            f"{piece.label}: its modifier {MODIFIER!r} was copied from another object and shows the {what} of that "
            "one; undo that, or delete the object to save without it."
        )


def _look_at_frame(piece: Piece, record: Record) -> None:
    """Take the arrays of a trajectory from one of its frames where its own mesh, which is not shown, was edited."""
    source = piece.source
    own = source.count, source.points_checksum(), source.face_count(), source.faces_checksum()
    if own == (record.count, record.points_checksum, record.faces, record.faces_checksum):
        return
    mesh = source.own_frames().get(record.step)
    if mesh is not None:
        source.show(mesh)
        piece.warnings.append(
            f"{piece.label}: its own mesh was changed, which is not shown and not saved; edit those of its frames "
            "instead."
        )


def _refuse_applied_points(scope: Scope, placements: Placements, pieces: Collection[Piece]) -> None:
    """Raise MosaicError where a root's scale was applied to its objects: nobody knows what an angstrom is then."""
    if scope.session is not None and scope.root is None and 2 * sum(map(_is_scaled, pieces)) > len(pieces) > 0:
        raise MosaicError(
            f"The root of {name_of(scope.session)!r}, the empty that its objects hung on, was deleted and its scale "
            "given to them, so nobody knows what an angstrom is; undo that to save."
        )
    if scope.root is None or not has_lost_its_scale(scope.root) or placements.applied(scope.root) is not None:
        return
    if pieces and 2 * sum(Kind.POINTS in piece.edits for piece in pieces) > len(pieces):
        scale = 1 / (ANGSTROM_PER_UNIT.read(scope.root) or 1.0)
        raise MosaicError(
            f"{scope.root.name!r} and its objects had their scale applied (Object > Apply), so their points are not in "
            f"angstrom any more; undo that, or, if it was not so, give {scope.root.name!r} its scale {scale:g} again."
        )


def _is_scaled(piece: Piece) -> bool:
    """Tell whether a geometry of the session has another size than in the file."""
    matrix = piece.source.matrix
    if piece.origin is None or matrix is None:
        return False
    return not np.isclose(abs(np.linalg.det(matrix[:3, :3])), 1.0, rtol=1e-3)
