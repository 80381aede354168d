"""Points, directions, faces and fits that were edited in Blender -> a geometry's node."""

import numpy as np
from numpy.typing import NDArray

from ...session.arrays import (
    POINTS,
    TRIANGLE_NORMALS,
    TRIANGLES,
    VERTEX_COLORS,
    VERTEX_NORMALS,
    VERTICES,
    array_in,
    drop_array,
    has_array,
    put_array,
    stored_in,
    values_in,
)
from ...session.edit import set_fit, show_points_instead_of_mesh
from ...session.errors import MosaicError
from ...session.move_models import move_fit
from ...session.new_nodes import new_mesh_model
from ...session.nodes import ObjectNode
from ...session.releases import Spelling
from ...session.values import fit_of
from ..data.attributes import KINDS, NORMALS, QUATERNIONS, PointAttributes, read_attribute
from ..data.checksums import checksum
from ..drawing.coloring import read_vertex_colors
from ..record import Record
from .canonical import digest_of
from .changes import RESHAPED, Kind
from .edited_frames import turn_frames
from .object_arrays import Source, triangles_of
from .piece import Piece


def refuse_other_widths(source: Source, label: str) -> None:
    """Raise MosaicError, naming the object by `label`, for normals or quaternions converted to another width."""
    for attributes in (source.attributes(), *map(PointAttributes, source.frames)):
        for key, width, words in ((NORMALS, 3, "three"), (QUATERNIONS, 4, "four")):
            if key not in attributes.data.attributes or attributes.kind(key) == (width, np.float32):
                continue
            raise MosaicError(
                f"{label}: its attribute {key!r} is no longer {words} numbers per point; undo that, or remove the "
                "attribute, to save."
            )


def edit_shape(piece: Piece, record: Record, spelling: Spelling) -> None:
    """Bring moved, new and deleted points, and the directions, faces and fit that depend on them, into the node."""
    source, node = piece.source, piece.node
    fit = fit_of(node)
    if source.count != record.count:
        piece.edits[Kind.COUNT] = source.count, record.count, source.points_checksum()
    elif source.points_checksum() != record.points_checksum:
        piece.edits[Kind.POINTS] = (source.points_checksum(),)
    if source.matrix is not None:
        is_only_moved = np.allclose(source.matrix[:3, :3], np.eye(3))
        piece.edits[Kind.MOVED if is_only_moved else Kind.TURNED] = (plain_matrix(source.matrix),)
    reshaped = bool(piece.edits.keys() & RESHAPED) or source.matrix is not None
    for name in (POINTS, NORMALS, QUATERNIONS):
        _renew(node, name, source, reshaped)
    _take_away(piece, spelling)
    _add_missing(piece)
    if Kind.POINTS in piece.edits and not source.is_mesh:
        _tell_what_stays(piece, fit)
    if fit is None:
        if len(triangles_of(source.data)):
            _add_faces(piece, spelling)
        return
    if source.frames:
        turn_frames(piece, record, fit)
    elif stored_in(fit, TRIANGLES) is not None:
        _edit_faces(piece, record, fit, reshaped, spelling)
    elif source.matrix is not None and not move_fit(fit, source.matrix):
        set_fit(node, None, spelling)
        piece.warnings.append(
            f"{piece.label}: its fit ({fit.cls.name}) cannot be moved along with its points and is left out."
        )


def plain_matrix(matrix: NDArray[np.float64]) -> tuple[float, ...]:
    """Return a matrix as numbers for a `Change`, without the last bits, which vary though nobody moved the object."""
    return tuple((matrix.round(9) + 0.0).ravel().tolist())


def _tell_what_stays(piece: Piece, fit: ObjectNode | None) -> None:
    """Warn of directions and a fit that stayed while the points were moved, as by Object > Apply and in Edit Mode."""
    attributes = piece.source.attributes()
    staying = [key for key in (NORMALS, QUATERNIONS) if key in attributes]
    staying += [f"fit ({fit.cls.name})"] if fit is not None else []
    if staying:
        piece.warnings.append(
            f"{piece.label}: its points were moved, but not its {' and '.join(staying)}, which Blender's Apply and its "
            "Edit Mode leave as they are; undo that and move or turn the object, if these should follow."
        )


def _renew(node: ObjectNode, name: str, source: Source, reshaped: bool) -> None:
    """Let an array that the node of a geometry or mesh holds itself come from Blender where the shape changed."""
    values = values_in(node, name) if reshaped else None
    if values is not None and values.ndim == 2:
        put_array(node, name, source.stored(name, values.dtype.str))


def _take_away(piece: Piece, spelling: Spelling) -> None:
    """Take normals and quaternions whose attributes were removed out of the node.

    A mesh gets the normals of its shape instead.
    """
    source = piece.source
    for key in (NORMALS, QUATERNIONS):
        stored = stored_in(piece.node, key)
        if stored is not None and stored.name == key and source.count and key not in source.attributes():
            is_of_shape = key == NORMALS and source.face_count() > 0
            piece.add_edit(Kind.DIRECTIONS_REMOVED, key, is_of_shape)
            if not is_of_shape and (key == QUATERNIONS or not spelling.filled):
                put_array(piece.node, key, None)


def _add_missing(piece: Piece) -> None:
    """Add normals and quaternions that the user gave to a geometry without any."""
    for key, width in ((NORMALS, 3), (QUATERNIONS, 4)):
        if has_array(piece.node, key) and array_in(piece.node, key) is None:
            attribute = piece.source.data.attributes.get(key)
            if (
                attribute is not None
                and attribute.domain == "POINT"
                and KINDS.get(attribute.data_type, ("", 0))[1] == width
            ):
                put_array(piece.node, key, piece.source.stored(key))
                piece.add_edit(Kind.DIRECTIONS_ADDED, key, checksum(read_attribute(piece.source.data, key)))


def _edit_faces(piece: Piece, record: Record, mesh: ObjectNode, reshaped: bool, spelling: Spelling) -> None:
    """Bring edited faces and vertex colours into the mesh that is the model, and what depends on the shape."""
    source = piece.source
    count, total = source.face_count(), source.faces_checksum()
    if not count and record.faces:
        set_fit(piece.node, None, spelling)
        show_points_instead_of_mesh(piece.node)
        piece.edits[Kind.FACES_REMOVED] = ()
        return
    if count != record.faces:
        piece.edits[Kind.FACE_COUNT] = count, record.faces, total
    elif total != record.faces_checksum:
        source.flipped = _all_turned_round(source, record.faces_checksum)
        piece.edits[Kind.FACES_FLIPPED if source.flipped else Kind.FACES] = (total,)
        _renew(piece.node, NORMALS, source, source.flipped)
    reshaped = reshaped or bool(piece.edits.keys() & RESHAPED)
    _renew(mesh, VERTICES, source, reshaped)
    _renew(mesh, VERTEX_NORMALS, source, reshaped)
    _edit_vertex_colors(piece, record, mesh)
    if reshaped and array_in(mesh, TRIANGLE_NORMALS) is not None:
        put_array(mesh, TRIANGLE_NORMALS, source.face_normals())


def _edit_vertex_colors(piece: Piece, record: Record, mesh: ObjectNode) -> None:
    """Bring edited or removed vertex colours into the mesh that is the model.

    Those that Blender cannot hold, as they are not three numbers for each vertex, stay until points are made or
    deleted.
    """
    colors = values_in(mesh, VERTEX_COLORS)
    if colors is None or colors.ndim != 2:
        return
    current = read_vertex_colors(piece.source.data, colors)
    if current is None:
        were_shown = record.count > 0 and colors.shape == (record.count, 3) and colors.dtype.kind in "biuf"
        if were_shown:
            piece.edits[Kind.VERTEX_COLORS_REMOVED] = ()
        if were_shown or Kind.COUNT in piece.edits:
            drop_array(mesh, VERTEX_COLORS)
    elif current.shape != colors.shape or not np.array_equal(current, colors, equal_nan=True):
        put_array(mesh, VERTEX_COLORS, current.astype(colors.dtype))
        piece.edits[Kind.VERTEX_COLORS] = (digest_of(current),)


def _all_turned_round(source: Source, total: int) -> bool:
    """Tell whether the faces are those of the check sum `total`, each in the other direction.

    Blender may begin a face that it turned round at any of its corners.
    """
    faces = source.triangles(np.dtype(np.int32))
    if not any(checksum(faces[:, order]) == total for order in ([0, 2, 1], [2, 1, 0], [1, 0, 2])):
        return False
    # Other triangles may have that sum. Those that were turned round face against the normals, which were not turned.
    normals = source.attributes().read(NORMALS)
    return normals is None or float(np.nansum(source.shape_normals() * normals)) < 0


def _add_faces(piece: Piece, spelling: Spelling) -> None:
    """Make a mesh of points that were given faces."""
    source = piece.source
    model = new_mesh_model(
        source.stored(VERTICES, "<f8"),
        source.stored(TRIANGLES, "<i4"),
        source.stored(VERTEX_NORMALS, "<f8"),
        spelling,
    )
    set_fit(piece.node, model, spelling)
    piece.edits[Kind.FACES_ADDED] = source.face_count(), source.faces_checksum()


def refuse_bad_faces(piece: Piece) -> None:
    """Raise MosaicError for a face with a corner that is not finite: Mosaic crashes on it."""
    positions = piece.source.positions()
    if np.isfinite(positions.sum(dtype=np.float64)):
        return
    bad = np.logical_not(np.isfinite(positions).all(axis=1))
    if bad[piece.source.triangles(np.dtype(np.int32))].any():
        raise MosaicError(
            f"{piece.label}: some of its faces have corners that are not finite, on which Mosaic crashes; "
            "delete those vertices."
        )
