"""Reload: the session's file is read again, and what Mosaic changed there comes into the open session."""

import os
from collections.abc import Sequence

import bpy
from bpy.props import BoolProperty, StringProperty

from ...scene.exporting.save import file_of
from ...scene.outline.tree import active_session, sessions_in
from ...scene.reloading.reload import Reloaded, reload_file
from ...session import MosaicError
from ..reports import MosaicOperator, OperatorReturn, say_all
from .opening import draw_as_mesh_spheres
from .unsaved import look_again


class MOSAIC_OT_reload_session(MosaicOperator):
    """Read the session's file again and take over what was changed there; edits and all that you built around it stay"""

    bl_idname = "mosaic.reload_session"
    bl_label = "Reload Mosaic Session"
    bl_options = {"REGISTER", "UNDO"}

    prefer_file: BoolProperty(
        name="Take the File's",
        description="Where both you and the file changed a value, take the file's instead of yours",
        options={"SKIP_SAVE"},
    )
    session: StringProperty(
        name="Session",
        description="The collection of the session; the active one without",
        options={"HIDDEN", "SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if any(session.library is None and file_of(session) for session in sessions_in(context.scene)):
            return True
        cls.poll_message_set("There is no session that has a file to read again")
        return False

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        session = active_session(context)
        if self.session:
            session = next((s for s in sessions_in(context.scene) if s.name == self.session), None)
        if session is None:
            raise MosaicError("Select an object of the session to reload.")
        say_reloaded(self, session, reload_in_place(context, session, self.prefer_file))
        return {"FINISHED"}


def open_as(path: str, sessions: Sequence[bpy.types.Collection]) -> bpy.types.Collection | None:
    """Return the one of some sessions that a file is open as; None where none is."""
    for session in sessions:
        known = file_of(session)
        if known and os.path.exists(known) and os.path.exists(path) and os.path.samefile(known, path):
            return session
    return None


def reload_in_place(context: bpy.types.Context, session: bpy.types.Collection, prefer_file: bool = False) -> Reloaded:
    """Read a session's file again. Raises MosaicError, with nothing changed, if that cannot be done."""
    reloaded = reload_file(session, context.scene, context.view_layer, prefer_file=prefer_file)
    draw_as_mesh_spheres(reloaded.added)
    look_again()
    return reloaded


def say_reloaded(operator: bpy.types.Operator, session: bpy.types.Collection, reloaded: Reloaded) -> None:
    """Report what came of a reload."""
    new = [f"{obj.name!r}: new in the file" for obj in reloaded.added]
    told = [*new, *reloaded.changed, *reloaded.removed]
    say_all(operator, "INFO", told, "changes")
    say_all(operator, "WARNING", [*reloaded.kept, *reloaded.warnings], "warnings")
    count = len(told)
    operator.report({"INFO"}, f"Reloaded {session.name}: {count or 'no'} change{'s' if count != 1 else ''}")
