"""Follow File: a session is reloaded by itself each time that Mosaic has saved its file."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import bpy
from bpy.app.handlers import persistent
from bpy.props import BoolProperty

from ...scene.exporting.save import changed_on_disk, file_of
from ...scene.keys import FOLLOW
from ...scene.outline.tree import sessions_in
from ...session import MosaicError, open_session
from ...session.file import file_stamp
from ..additions import Addition, handler_added, property_added, state_forgotten
from ..steps import working

INTERVAL = 1.0  # seconds between two looks at the files


@dataclass(slots=True)
class Followed:
    """A session whose file is looked at.

    seen: the file's stamp at the last look. done: that of the last state that was read, or, if unreadable, tried.
    unreadable: it could not be read, or the reload was refused.
    """

    seen: str = ""
    done: str = ""
    unreadable: bool = False


_followed: dict[int, Followed] = {}  # by the session_uid of the collection


def is_followed(session: bpy.types.Collection) -> bool:
    """Tell whether a session's file is looked at."""
    return session.session_uid in _followed


def is_unreadable(session: bpy.types.Collection) -> bool:
    """Tell whether the file of a followed session could not be reloaded as it is now."""
    known = _followed.get(session.session_uid)
    return known is not None and known.unreadable


def follow(session: bpy.types.Collection, on: bool) -> None:
    """Begin or end to look at a session's file."""
    if not on:
        _followed.pop(session.session_uid, None)
        return
    _followed.setdefault(session.session_uid, Followed())
    if not bpy.app.timers.is_registered(_look):
        bpy.app.timers.register(_look, first_interval=INTERVAL)


def _look() -> float | None:
    """Look at all followed files once. Returns when to look again, None when none is followed."""
    if _followed and not _is_busy():
        for window in bpy.context.window_manager.windows:
            for session in sessions_in(window.scene):
                known = _followed.get(session.session_uid)
                if known is not None and session.library is None:
                    with suppress(MosaicError):  # the file may vanish at any moment
                        _look_at(window, session, known)
    return INTERVAL if _followed else None


def _look_at(window: bpy.types.Window, session: bpy.types.Collection, known: Followed) -> None:
    """Reload a session if its file was changed and stands still."""
    path = file_of(session)
    stamp = file_stamp(path) or "" if path else ""
    before, known.seen = known.seen, stamp
    if not stamp or stamp != before or stamp == known.done or not changed_on_disk(session, path):
        return
    known.done = stamp
    try:
        open_session(path, wait=True)
        known.unreadable = False
    except MosaicError:  # only half written, it is read when it has changed again
        known.unreadable = True
    if not known.unreadable:
        try:
            with bpy.context.temp_override(window=window):
                bpy.ops.mosaic.reload_session("EXEC_DEFAULT", True, session=session.name)
        except RuntimeError:  # which would end the timer: a refusal, which the Reload button says in words
            known.unreadable = True
    for area in window.screen.areas:
        if area.type == "VIEW_3D":
            area.tag_redraw()


def _is_busy() -> bool:
    """Tell whether Blender does something that must not be disturbed: a render, a modal operator, a mode of editing."""
    windows = bpy.context.window_manager.windows
    if working or bpy.app.is_job_running("RENDER") or any(window.modal_operators for window in windows):
        return True
    active = (window.view_layer.objects.active for window in windows)
    return any(obj is not None and obj.mode not in ("OBJECT", "POSE") for obj in active)


@persistent
def _on_load(*_: object) -> None:
    _forget()


def _forget() -> None:
    if bpy.app.timers.is_registered(_look):
        bpy.app.timers.unregister(_look)
    _followed.clear()


def additions() -> Iterator[Addition]:
    """The switch, which is off again when a .blend is opened."""
    yield state_forgotten(_forget)
    yield property_added(
        bpy.types.Collection,
        FOLLOW,
        BoolProperty(
            name="Follow File",
            description="Reload by itself whenever Mosaic has saved the file; what you built around it stays. Off again "
            "when the .blend is opened anew",
            options=set(),
            get=is_followed,
            set=follow,
        ),
    )
    yield handler_added("load_post", _on_load)
