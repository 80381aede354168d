"""Saving a session or single objects into a file, and what is not saved yet."""

import json
import os
import re
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict, dataclass, fields
from typing import BinaryIO, Literal

import bpy

from ...session.errors import MosaicError
from ...session.file import Section, file_stamp, write_file
from ...session.gc_pause import without_collection
from ...session.pickle_writer import write_pickle
from ...session.releases import spelling_of, version_of
from ..data.custom_properties import bytes_in, clean_text, has, numbers_of
from ..keys import GROUP, OVERRIDE_PLACE, SESSION, THUMBNAIL, UUID
from .changes import by_subject, digest, sentences
from .collect import Collected, collect_objects, collect_session
from .object_arrays import fetch
from .scope import ExportOptions

BLEND = re.compile(r"\.blend\d*$", re.IGNORECASE)  # with Blender's own backups

THUMBNAIL_VERSION = 1


@dataclass(frozen=True, slots=True)
class LastFile:
    """The file that a session was last read from or saved to, as the session's collection keeps it.

    stamp: tells whether the file was changed since; "" for a session that is in no file. saved: a digest for each
    geometry or container that differs in the file from what was first read, separated by spaces.
    """

    file: str
    stamp: str
    saved: str


# Files that were saved while Blender runs, by the collection's session_uid: undo takes back what the collection keeps
# of a save, but not the file.
_last_files: dict[int, LastFile] = {}


@dataclass(frozen=True, slots=True)
class Saved:
    """What a save did: the file's path, and sentences on what was changed since it was read, left out, or is odd."""

    path: str
    changes: list[str]
    left_out: list[str]
    warnings: list[str]


@without_collection()
def save_session(
    session: bpy.types.Collection,
    path: str | os.PathLike[str],
    scene: bpy.types.Scene,
    layer: bpy.types.ViewLayer,
    options: ExportOptions | None = None,
    *,
    backup: bool = True,
    overwrite: bool = True,
    thumbnail: bytes | None = None,
    adopt: bool = True,
) -> Saved:
    """Save a session's collection.

    path: a bare pickle if it ends in .pickle, which is what Mosaic's window opens, else an indexed file. backup: keep
    a file that is overwritten for the first time as `<name>.bak`. overwrite: also a file that was changed on disk since
    it was read. thumbnail: a new PNG for an indexed file, which keeps its old one otherwise. adopt: the file is the
    session's from now on, unless it is written for another release.
    Raises MosaicError, with no file changed, when the session cannot be saved.
    """
    target = os.path.abspath(path)
    if not overwrite and changed_on_disk(session, target):
        raise MosaicError(f"{target} was changed on disk since it was read; save under another name, or overwrite it.")
    finish_sculpting(layer)
    with closing(collect_session(session, scene, layer, options)) as collected:
        saved_digests = " ".join(_digests(collected))
        is_its_own = target == _last_file_of(session).file
        layout = collected.layout if is_its_own else layout_of(target)
        saved = _write(collected, target, backup, thumbnail or thumbnail_of(session), layout)
        for obj, uuid in collected.uuids:
            if obj.is_editable:
                obj[UUID] = uuid
        for group, entry in collected.groups:
            if group.is_editable and group.get(GROUP, {}).get("uuid") != entry["uuid"]:
                group[GROUP] = entry | ({"shown": group.name} if group.name != entry["name"] else {})
    if adopt and (options is None or options.target is None):
        saved_as = LastFile(clean_text(target), file_stamp(target) or "", saved_digests)
        _last_files[session.session_uid] = saved_as
        if thumbnail is not None:
            session[THUMBNAIL] = numbers_of(thumbnail, THUMBNAIL_VERSION)
        session[SESSION]["layout"] = layout
        for key, value in asdict(saved_as).items():
            session[SESSION][key] = value
        if session.override_library is not None:  # Blender keeps no other change of an override
            session[OVERRIDE_PLACE] = json.dumps(asdict(saved_as))
    return saved


def thumbnail_of(session: bpy.types.Collection) -> bytes | None:
    """Return the PNG that replaces the file's thumbnail; None without one, or where it was tampered with."""
    if not has(session, THUMBNAIL):
        return None
    try:
        return bytes_in(session[THUMBNAIL])[1]
    except (TypeError, ValueError):
        return None


@without_collection()
def save_objects(
    objects: Iterable[bpy.types.Object],
    path: str | os.PathLike[str],
    scene: bpy.types.Scene,
    layer: bpy.types.ViewLayer,
    options: ExportOptions | None = None,
    *,
    backup: bool = True,
) -> Saved:
    """Save objects as a new session; nothing in Blender is changed. Raises MosaicError when none of them has points."""
    finish_sculpting(layer)
    with closing(collect_objects(objects, scene, layer, options)) as collected:
        return _write(collected, os.path.abspath(path), backup, None, layout_of(os.fspath(path)))


def finish_sculpting(layer: bpy.types.ViewLayer) -> None:
    """Bring the mesh of Sculpt Mode with dynamic topology into the object, as saving a .blend does."""
    active = layer.objects.active
    if active is not None and active.mode == "SCULPT":
        bpy.ops.ed.flush_edits()


@without_collection()
def unsaved_changes(session: bpy.types.Collection, scene: bpy.types.Scene, layer: bpy.types.ViewLayer) -> list[str]:
    """Say what was changed since the session was read or saved, one sentence each; nothing if the file has all of it.

    Raises MosaicError when the session could not be saved as it is.
    """
    with closing(collect_session(session, scene, layer)) as collected:
        digests, saved = _digests(collected), _last_file_of(session).saved.split()
        if digests == saved:
            return []
        told = zip(sentences(collected.changes), digests, strict=True)
        new = [sentence for sentence, digest in told if digest not in set(saved)]
        return new or ["Changes that the file has were changed again or taken back."]


def _digests(collected: Collected) -> list[str]:
    """Return the digest of each geometry or container that differs from what was read."""
    return list(map(digest, by_subject(collected.changes)))


def changed_on_disk(session: bpy.types.Collection, path: str) -> bool:
    """Tell whether someone else changed the file that the session was read from or saved to."""
    last = _last_file_of(session)
    if os.path.abspath(last.file) != os.path.abspath(path) or not last.stamp:
        return False
    return file_stamp(path) not in (None, last.stamp)


def file_of(session: bpy.types.Collection) -> str:
    """Return the file that a session was read from or last saved to; "" for none."""
    return _last_file_of(session).file


def _last_file_of(session: bpy.types.Collection) -> LastFile:
    """Return the file that a session was last read from or saved to."""
    last = _last_files.get(session.session_uid) or _said_at_override(session)
    if last is None:
        said = session[SESSION]
        last = LastFile(*(str(said.get(entry.name, "")) for entry in fields(LastFile)))
    return last


def _said_at_override(session: bpy.types.Collection) -> LastFile | None:
    """Return the last file of a library override; None without one, or where it was tampered with."""
    if session.override_library is None:
        return None
    try:
        said = LastFile(**json.loads(session.get(OVERRIDE_PLACE) or "{}"))
    except (TypeError, ValueError):
        return None
    return said if {str} == set(map(type, asdict(said).values())) else None


def layout_of(path: str) -> Literal["pickle", "indexed"]:
    """Return the layout that a new file of this name gets."""
    return "pickle" if path.lower().endswith(".pickle") else "indexed"


def _write(
    collected: Collected, path: str, backup: bool, thumbnail: bytes | None, layout: Literal["pickle", "indexed"]
) -> Saved:
    """Write a file. Raises MosaicError, with no file changed, when that fails."""
    if BLEND.search(path) or BLEND.search(os.path.realpath(path)):
        raise MosaicError(f"{path} is the name of a Blender file, which would be lost; save as .pickle or .mosaic.")
    sections = collected.sections
    if thumbnail is not None:
        sections["thumbnail"] = Section("png", memoryview(thumbnail))
    warnings = list(collected.warnings)
    if layout == "pickle" and sections:
        names = ", ".join(sections)
        warnings.append(f"A .pickle has no place for {names}; save as .mosaic to have them in the file.")
    if layout == "indexed" and not spelling_of(collected.release).opens_indexed:
        warnings.append(
            f"Mosaic before 1.2.4, like that of this session ({collected.release}), opens no file of this layout; "
            "save as .pickle for it."
        )

    def write_state(file: BinaryIO) -> None:
        write_pickle(collected.state, file.write, fetch=fetch, renames=collected.renames)

    try:
        write_file(path, write_state, layout, sections, version_of(collected.release), backup=backup)
    except MosaicError as error:
        raise MosaicError(f"{path} {error}") from error
    return Saved(path, sentences(collected.changes), collected.left_out, warnings)
