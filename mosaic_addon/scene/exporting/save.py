"""Saving a session or single objects into a file, and what is not saved yet."""

import json
import ntpath
import os
import re
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict, dataclass, fields
from typing import Any, BinaryIO, Literal

import bpy

from ...session.atomic_write import find_target
from ...session.decode import open_session
from ...session.errors import MosaicError
from ...session.file import Section, file_stamp, is_as_met, real_path, was_met, write_file
from ...session.gc_pause import without_collection
from ...session.pickle_writer import write_pickle
from ...session.releases import spelling_of, version_of
from ..data.custom_properties import clean_text
from ..keys import GROUP, OVERRIDE_PLACE, SESSION, THUMBNAIL, UUID
from ..readers import numbers_of
from .changes import by_subject, digest, sentences
from .collect import Collected, collect_objects, collect_session
from .object_arrays import fetch
from .saved_values import saved_trees, saved_values
from .scope import ExportOptions

BLEND = re.compile(r"\.blend\d*$", re.IGNORECASE)  # with Blender's own backups
SUFFIXES = (".pickle", ".mosaic")

THUMBNAIL_VERSION = 1


@dataclass(frozen=True, slots=True)
class LastFile:
    """The file that a session was last read from or saved to, as the session's collection keeps it.

    stamp: tells whether the file was changed since; "" for a session that is in no file. saved: a digest for each
    geometry or container that differs in the file from what was first read, separated by spaces. values: the same of
    single values, see `saved_values`.
    """

    file: str
    stamp: str
    saved: str
    values: str


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
    overwrite: bool = False,
    thumbnail: bytes | None = None,
    adopt: bool = True,
) -> Saved:
    """Save a session's collection.

    path: a bare pickle if it ends in .pickle, which is what Mosaic's window opens, an indexed file if in .mosaic; to any
    other name .pickle is appended, but for the session's own file. backup: keep a file that is overwritten for the first
    time as `<name>.bak`. overwrite: also the session's file if it was changed on disk since it was read. thumbnail: a new
    PNG for an indexed file, which keeps its old one otherwise. adopt: the file is the session's from now on, unless it
    is written for another release. Raises MosaicError, with no file changed, when the session cannot be saved.
    """
    is_its_own = is_file_of(session, path)
    target = check_target(path, is_its_own)
    is_changed = changed_on_disk(session, target)
    if is_changed and not overwrite:
        raise MosaicError(
            f"{target} was changed on disk since it was read; save under another name, or overwrite it (--overwrite, overwrite=True)."
        )
    finish_sculpting(layer)
    with closing(collect_session(session, scene, layer, options)) as collected:
        digests = " ".join(_digests(collected))
        values = [*saved_values(collected.pieces, spelling_of(collected.release).fractions)]
        values += saved_trees(collected.state, collected.changes)
        layout = collected.layout if is_its_own else layout_of(target)
        saved = _write(collected, path, target, backup, thumbnail or thumbnail_of(session), layout, keep=is_changed)
        for obj, uuid in collected.uuids:
            if obj.is_editable:
                obj[UUID] = uuid
        for group, entry in collected.groups:
            if group.is_editable and (GROUP.read(group) or {}).get("uuid") != entry["uuid"]:
                group[GROUP] = entry | ({"shown": group.name} if group.name != entry["name"] else {})
    if (adopt or is_its_own) and (options is None or options.target is None):
        saved_as = LastFile(clean_text(target), file_stamp(target) or "", digests, " ".join(values))
        _last_files[session.session_uid] = saved_as
        if thumbnail is not None:
            THUMBNAIL.write(session, numbers_of(thumbnail, THUMBNAIL_VERSION))
        _note(session, {"layout": layout} | asdict(saved_as))
        if session.override_library is not None:  # Blender keeps no other change of an override
            session[OVERRIDE_PLACE] = json.dumps(asdict(saved_as))
    return saved


def thumbnail_of(session: bpy.types.Collection) -> bytes | None:
    """Return the PNG that replaces the file's thumbnail; None without one, or where it was tampered with."""
    found = THUMBNAIL.read(session)
    return None if found is None else found[1]


def _note(session: bpy.types.Collection, entries: dict[str, str]) -> None:
    """Note in the session's collection where it was saved."""
    if SESSION.read(session) is None:  # it was tampered with
        session[SESSION] = entries
    for key, value in entries.items():
        session[SESSION][key] = value


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
    """Save objects as a new session; nothing in Blender is changed.

    path, backup: as for `save_session`. Raises MosaicError when none of them has points.
    """
    target = check_target(path)
    finish_sculpting(layer)
    with closing(collect_objects(objects, scene, layer, options)) as collected:
        return _write(collected, path, target, backup, None, layout_of(target))


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
    return is_file_of(session, path) and file_stamp(path) not in (None, _last_file_of(session).stamp)


def file_of(session: bpy.types.Collection) -> str:
    """Return the file that a session was read from or last saved to; "" for none."""
    return _last_file_of(session).file


def is_file_of(session: bpy.types.Collection, path: str | os.PathLike[str]) -> bool:
    """Return whether a path leads to the file that a session was read from or last saved to, by whatever links."""
    own = file_of(session)
    return bool(own) and real_path(own) == real_path(os.fspath(path))


def is_known_place(session: bpy.types.Collection) -> bool:
    """Return whether a session may be saved to its file without asking where.

    The path comes from the .blend, and that may come from a stranger. So the file has to be there, and either this
    program has read or written it, or it is the very file that the .blend knows.
    """
    last = _last_file_of(session)
    try:
        stamp = file_stamp(last.file) if last.file else None
    except MosaicError:
        return False
    return stamp is not None and (stamp == last.stamp or was_met(last.file))


def why_unknown(session: bpy.types.Collection) -> str:
    """Say why a session's file is no known place."""
    path = file_of(session)
    if not path:
        return "The session has no file yet; save it under a name."
    if not os.path.exists(path):
        return f"{path} is not there any more; choose where to save the session."
    return (
        f"{path}, which this .blend names, is not the file that it was, and was not opened since Blender was started; "
        "choose where to save the session."
    )


def offered_path(session: bpy.types.Collection) -> str:
    """Return the path that a dialog for saving a session begins with.

    That is its file, or where this is missing or may be a stranger's wish, one of that name beside the .blend.
    """
    path = file_of(session)
    name = ntpath.basename(path) or f"{session.name}.pickle"  # the .blend may have been saved on Windows
    beside = os.path.join(os.path.dirname(bpy.data.filepath), name) if bpy.data.filepath else name
    if not path or (os.path.isfile(beside) and not os.path.exists(path)):
        return beside
    is_named_so = os.path.isfile(path) and path.lower().endswith(SUFFIXES)
    return path if is_named_so or is_known_place(session) or was_met(path) else beside


def saved_digests(session: bpy.types.Collection) -> frozenset[str]:
    """Return the digests of the changes that the session's file has."""
    return frozenset(_last_file_of(session).saved.split())


def values_saved(session: bpy.types.Collection) -> frozenset[str]:
    """Return the digests of single values as they were written into the session's file."""
    return frozenset(_last_file_of(session).values.split())


def note_read(session: bpy.types.Collection, properties: dict[str, Any], saved: Iterable[str]) -> None:
    """Note that a session's file was read again.

    properties: what the session's collection says of the file. saved: the digests of changes that the file has.
    """
    _last_files.pop(session.session_uid, None)
    session[SESSION] = properties | {"saved": " ".join(saved)}


def _last_file_of(session: bpy.types.Collection) -> LastFile:
    """Return the file that a session was last read from or saved to."""
    last = _last_files.get(session.session_uid) or _said_at_override(session)
    if last is None:
        said = SESSION.read(session) or {}
        last = LastFile(*(said.get(entry.name, "") for entry in fields(LastFile)))
    return last


def _said_at_override(session: bpy.types.Collection) -> LastFile | None:
    """Return the last file of a library override; None without one, or where it was tampered with."""
    if session.override_library is None:
        return None
    try:
        said = LastFile(**json.loads(OVERRIDE_PLACE.read(session) or "{}"))
    except (TypeError, ValueError, RecursionError):
        return None
    return said if {str} == set(map(type, asdict(said).values())) else None


def layout_of(path: str) -> Literal["pickle", "indexed"]:
    """Return the layout that a new file of this name gets."""
    return "pickle" if path.lower().endswith(".pickle") else "indexed"


def with_suffix(path: str) -> str:
    """Append .pickle to a path that does not end in a suffix of sessions, as any other is a part of the name."""
    return path if path.lower().endswith(SUFFIXES) or os.path.isdir(path) else f"{path}.pickle"


def check_target(path: str | os.PathLike[str], is_its_own: bool = False) -> str:
    """Return the file that a session saved to a path is written to, by its absolute path.

    is_its_own: it is the file that the session has, which may have any name. Raises MosaicError if nothing can be
    written there, or what is there is no session.
    """
    given = os.path.abspath(path)
    if BLEND.search(given) or BLEND.search(real_path(given)):
        raise MosaicError(f"{given} is the name of a Blender file, which would be lost; save as .pickle or .mosaic.")
    target = given if is_its_own else with_suffix(given)
    try:
        _, status = find_target(target)
        is_session = status is None or not status.st_size or is_as_met(target)
    except MosaicError as error:
        raise MosaicError(f"{target} {error}") from error
    if not is_session:
        try:
            open_session(target, wait=True)
        except MosaicError as error:
            raise MosaicError(
                f"{target} is not overwritten, as it is no session that can be read; save under another name, or delete "
                "it first."
            ) from error
    return target


def _write(
    collected: Collected,
    asked: str | os.PathLike[str],
    path: str,
    backup: bool,
    thumbnail: bytes | None,
    layout: Literal["pickle", "indexed"],
    keep: bool = False,
) -> Saved:
    """Write a file.

    asked: the path that was asked for. keep: the file that is there, under another name beside the new one. Raises MosaicError, with no file changed, when that fails."""
    sections = collected.sections
    if thumbnail is not None:
        sections["thumbnail"] = Section("png", memoryview(thumbnail))
    warnings = list(collected.warnings)
    name, asked_name = os.path.basename(path), os.path.basename(asked)
    if name != asked_name:
        warnings.append(f"{asked_name} is saved as {name}: names of sessions end in .pickle or .mosaic.")
    if os.path.isfile(path) and os.stat(path).st_nlink > 1:
        warnings.append(f"{name} was also known by other names (hard links); these keep what was there before.")
    if layout == "pickle" and sections:
        names = ", ".join(sections)
        warnings.append(f"A .pickle has no place for {names}; save as .mosaic to have them in the file.")
    if layout == "indexed" and not spelling_of(collected.release).opens_indexed:
        warnings.append(
            f"Mosaic before 1.2.4, like that of this session ({collected.release}), opens no file of this layout; "
            "save as .pickle for it."
        )

    also_as = ""
    if keep and os.path.isfile(path):
        also_as = time.strftime(".%Y-%m-%d_%H-%M-%S.bak", time.localtime(os.stat(path).st_mtime))
        warnings.append(f"What another program saved there since it was read is kept as {name}{also_as}.")

    def write_state(file: BinaryIO) -> None:
        write_pickle(collected.state, file.write, fetch=fetch, renames=collected.renames)

    try:
        write_file(path, write_state, layout, sections, version_of(collected.release), backup=backup, also_as=also_as)
    except MosaicError as error:
        raise MosaicError(f"{path} {error}") from error
    return Saved(path, sentences(collected.changes), collected.left_out, warnings)
