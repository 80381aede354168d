"""The mark of sessions with unsaved changes. They are looked for a moment after a change, never while drawing."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import bpy
from bpy.app.handlers import persistent

from ...scene.exporting.save import unsaved_changes
from ...scene.outline.tree import objects_of, sessions_in
from ...session import MosaicError
from ..additions import Addition, handler_added, state_forgotten

DELAY = 0.7  # seconds without a change before they are looked for
MANY = 1000  # objects; a larger session is compared only after one of them was updated, and not once it is unsaved
QUIET = 1.0  # seconds in which updates do not count, after looking has caused some

_updates = 0  # of the dependency graph, so far
_quiet_until = 0.0
_unsaved: set[int] = set()  # session_uid of the collections of sessions with unsaved changes
_touched: set[int] = set()  # session_uid of the collections of large sessions with updates that were not looked into
_owner = object()  # of our subscriptions to Blender's message bus


def is_unsaved(session: bpy.types.Collection) -> bool:
    """Return whether a session has unsaved changes, as far as is known now."""
    return session.session_uid in _unsaved


def look_again() -> None:
    """Look for unsaved changes in a moment."""
    if bpy.app.background:
        return
    if bpy.app.timers.is_registered(_find_out):
        bpy.app.timers.unregister(_find_out)
    bpy.app.timers.register(_find_out, first_interval=DELAY)


def mark_saved(session: bpy.types.Collection) -> None:
    """Note that a session has just been saved."""
    _unsaved.discard(session.session_uid)


def _find_out() -> float | None:
    global _quiet_until
    context = bpy.context
    if any(window.modal_operators for window in context.window_manager.windows):
        return DELAY
    before = _updates
    for window in context.window_manager.windows:
        _compare(window.scene, window.view_layer)
    # Looking at a curve makes a mesh of it for a moment, which is an update, but no change.
    _quiet_until = time.monotonic() + (QUIET if _updates != before else 0)
    return None


def _compare(scene: bpy.types.Scene, layer: bpy.types.ViewLayer) -> None:
    bugs = []
    for session in sessions_in(scene):
        if session.library is not None:
            continue
        if len(list(objects_of(session))) > MANY:
            if session.session_uid not in _touched:
                continue
            _touched.discard(session.session_uid)
            if is_unsaved(session):
                continue
        try:
            changed = bool(unsaved_changes(session, scene, layer))
        except MosaicError:
            changed = True
        except Exception as bug:  # what happens with one session keeps no other from its mark
            bugs.append(bug)
            continue
        _set(session, changed)
    if bugs:
        raise bugs[0]


def _set(session: bpy.types.Collection, changed: bool) -> None:
    if changed == is_unsaved(session):
        return
    if changed:
        _unsaved.add(session.session_uid)
    else:
        _unsaved.discard(session.session_uid)
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()


@persistent
def _on_change(scene: bpy.types.Scene, graph: bpy.types.Depsgraph) -> None:
    global _updates
    _updates += 1
    if time.monotonic() < _quiet_until:
        return
    look_again()
    changed = {
        update.id.original
        for update in graph.updates
        if isinstance(update.id, bpy.types.Object)
        and (update.is_updated_geometry or update.is_updated_transform or update.is_updated_shading)
    }
    if changed and scene.frame_current == _frame.get(scene.session_uid, scene.frame_current):
        for session in sessions_in(scene):
            objects = set(session.all_objects)
            if len(objects) <= MANY or objects.isdisjoint(changed):
                continue
            _touched.add(session.session_uid)
    _frame[scene.session_uid] = scene.frame_current


_frame: dict[int, int] = {}  # of each scene, at its last update; trajectories follow it, which is no change


@persistent
def _on_step(*_: object) -> None:
    look_again()


@persistent
def _on_load(*_: object) -> None:
    _unsaved.clear()
    _touched.clear()
    _frame.clear()
    _watch_names()
    look_again()


def _watch_names() -> None:
    """Notice new names, which are no updates of the dependency graph."""
    for kind in (bpy.types.Object, bpy.types.Collection):
        bpy.msgbus.subscribe_rna(key=(kind, "name"), owner=_owner, args=(), notify=look_again)


HANDLERS = (
    ("depsgraph_update_post", _on_change),
    ("undo_post", _on_step),
    ("redo_post", _on_step),
    ("load_post", _on_load),
)


def additions() -> Iterator[Addition]:
    """What notices changes; nothing in background, where nobody sees the mark."""
    yield state_forgotten(_forget)
    if bpy.app.background:
        return
    for event, function in HANDLERS:
        yield handler_added(event, function)
    yield _names_watched()
    look_again()


@contextmanager
def _names_watched() -> Iterator[None]:
    try:
        _watch_names()
        yield
    finally:
        bpy.msgbus.clear_by_owner(_owner)


def _forget() -> None:
    global _updates, _quiet_until
    if bpy.app.timers.is_registered(_find_out):
        bpy.app.timers.unregister(_find_out)
    _updates, _quiet_until = 0, 0.0
    for known in (_unsaved, _touched, _frame):
        known.clear()
