"""The files of a scene's sessions: what a recipe will find in them, and which object shows what of it."""

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import bpy
import numpy as np

from ...files.patterns import Named
from ...session.decode import decode_session
from ...session.errors import MosaicError
from ...session.file import read_file
from ...session.geometry_diff import shape_digest
from ...session.nodes import NOBODY
from ...session.session import Geometry, Group, Session
from ...session.values import numbers_of
from ..compat import MAX_NAME_BYTES
from ..data.custom_properties import clean_text, has
from ..exporting.changes import Kind, sentence
from ..exporting.collect import collect_session
from ..exporting.piece import Piece
from ..exporting.save import changed_on_disk, file_of
from ..exporting.saved_values import OF_SHAPE
from ..importing.options import ImportOptions
from ..importing.plan import Item, Plan, plan_import
from ..keys import PIXEL_SIZE, UUID
from ..outline.outside import outside_of, root_of
from ..outline.tree import name_of, objects_of
from ..record import unpack
from .notes import Notes, short

# Edits that neither the file nor a recipe has.
LOST = (OF_SHAPE - {Kind.FRAME}) | {Kind.NEW, Kind.COPY, Kind.SESSION, Kind.RESOLUTION}


@dataclass(frozen=True, slots=True)
class Origin:
    """A geometry of a session's file. called: what a recipe may call it by. obj: None where it was deleted in Blender."""

    item: Item
    called: Named
    obj: bpy.types.Object | None


@dataclass(frozen=True, slots=True)
class SessionFile:
    """A session and its file.

    plan: what an import would make of it. pixel_size: the angstrom of a pixel, where an import has to be told.
    """

    session: bpy.types.Collection
    root: bpy.types.Object
    path: str
    plan: Plan
    pixel_size: float | None
    origins: list[Origin]


def file_and_origins(session: bpy.types.Collection) -> SessionFile:
    """Read the file of a session, and find whose objects show what of it. session: its collection.

    That a .blend names the file makes it none that this Blender has met. Raises MosaicError where it cannot be read.
    """
    path, root = file_of(session), root_of(session)
    if not path:
        raise MosaicError(f"{session.name!r} is in no file that a recipe could name; save the session first.")
    if root is None:
        raise MosaicError(f"{session.name!r} is no session any more, as its root was deleted.")
    if not os.path.exists(path):
        raise MosaicError(
            f"{path}, the file of {session.name!r}, is not there any more; save the session, so that a recipe can name it."
        )
    try:
        with closing(read_file(path)) as file:
            read = decode_session(file, path, wait=True)
    except MosaicError as error:
        raise MosaicError(f"{path} {error}") from error
    plan = plan_import(read, ImportOptions(), (), MAX_NAME_BYTES, unlimited=True)
    pixel_size = PIXEL_SIZE.read(root)
    if pixel_size is None or np.isclose(pixel_size, plan.pixel_size, rtol=1e-4):
        pixel_size = None
    else:
        pixel_size = short(pixel_size)
        plan = plan_import(read, ImportOptions(pixel_size=pixel_size), (), MAX_NAME_BYTES, unlimited=True)
    outside = (place.obj for place in outside_of(session, root))
    made = (obj for obj in session.all_objects if has(obj, UUID))  # such as a mesh of Blender that was saved
    objects = list(dict.fromkeys([*objects_of(session), *outside, *made]))
    found = _who_is_who(plan.items, objects)
    called = dict(_called(read, plan.name))
    places = {number: place for place, number in enumerate(called)}
    items = sorted(plan.items, key=lambda item: places[id(item.geometry)])
    return SessionFile(
        session,
        root,
        path,
        plan,
        pixel_size,
        [Origin(item, called[id(item.geometry)], found.get(id(item))) for item in items],
    )


def _called(session: Session, name: str) -> Iterator[tuple[int, Named]]:
    """What a recipe may call the geometries of a file by, in the browser's order, by the id() of each."""
    for container in (session.clusters, session.models):
        for item in container.items:
            group = clean_text(item.name) or "Group" if isinstance(item, Group) else ""
            members: Sequence[Geometry] = item.geometries if isinstance(item, Group) else [item]
            for geometry in members:
                called = Named(clean_text(geometry.name), group, geometry.class_name, container.name, name)
                yield id(geometry), called


def _who_is_who(items: Sequence[Item], objects: Sequence[bpy.types.Object]) -> dict[int, bpy.types.Object]:
    """Find the object of each geometry of a file, by the id() of its item: by uuid, else by name, else by place."""
    found: dict[int, bpy.types.Object] = {}
    left = dict.fromkeys(objects)

    def take(item: Item, candidates: Sequence[bpy.types.Object]) -> None:
        free = [obj for obj in candidates if obj in left]
        if free and id(item) not in found:
            name = clean_text(item.geometry.name)
            found[id(item)] = next((obj for obj in free if name_of(obj) == name), free[0])  # a copy has the same uuid
            del left[found[id(item)]]

    by_uuid: dict[str, list[bpy.types.Object]] = {}
    for obj in objects:
        by_uuid.setdefault(UUID.read(obj) or "", []).append(obj)
    for item in items:
        if item.geometry.uuid:
            take(item, by_uuid.get(clean_text(item.geometry.uuid), []))
    by_name: dict[str, list[bpy.types.Object]] = {}
    for obj in left:
        by_name.setdefault(name_of(obj), []).append(obj)
    for item in items:
        if not item.geometry.uuid:
            take(item, by_name.get(clean_text(item.geometry.name), []))
    by_place: dict[tuple[str, int], list[bpy.types.Object]] = {}
    for obj in left:
        try:
            record = unpack(obj, NOBODY)
        except MosaicError:
            continue
        if record is not None:
            by_place.setdefault((record.container, record.index), []).append(obj)
    for item in items:
        if not item.geometry.uuid:
            take(item, by_place.get((item.geometry.container, item.geometry.index), []))
    return found


def note_unsaved(file: SessionFile, scene: bpy.types.Scene, notes: Notes) -> None:
    """Note which edits of a session's points, faces and the like its file does not have, so that a recipe has neither."""
    if changed_on_disk(file.session, file.path):
        notes.add(
            f"{file.path} was changed by another program since it was read; choose Reload, so that the scene shows what the "
            "recipe will."
        )
    there = {origin.obj: origin.item.geometry for origin in file.origins if origin.obj is not None}
    try:
        with closing(collect_session(file.session, scene, scene.view_layers[0])) as collected:
            for piece in collected.pieces:
                lost = [change for change in piece.changes if change.kind in LOST] if piece.edits else []
                if lost and not _has(there.get(piece.obj), piece):
                    notes.add(f"{sentence(lost)}. Save the session first, so that its file has this.")
    except MosaicError as error:
        notes.add(f"What was edited in {file.session.name!r} cannot be told: {error}")


def _has(geometry: Geometry | None, piece: Piece) -> bool:
    """Whether a file has an edited geometry as it is in Blender."""
    return (
        geometry is not None
        and shape_digest(geometry.node) == shape_digest(piece.node)
        and numbers_of(geometry.node)[2] == numbers_of(piece.node)[2]
    )
