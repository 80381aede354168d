"""Operators that save sessions: Save, Save As, and File > Export > Mosaic Session."""

import os
from collections.abc import Iterator
from dataclasses import replace

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty
from bpy_extras.io_utils import ExportHelper

from ...scene.exporting.objects import DATA_TYPES
from ...scene.exporting.save import (
    Saved,
    changed_on_disk,
    file_of,
    is_file_of,
    is_known_place,
    layout_of,
    offered_path,
    save_objects,
    save_session,
    why_unknown,
    with_suffix,
)
from ...scene.exporting.scope import ExportOptions
from ...scene.outline.tree import active_session, sessions_in
from ...session import MosaicError, releases
from ..additions import Addition, menu_entry_added
from ..preferences import keeps_backup, preferred_scale
from ..reports import MosaicOperator, OperatorReturn, say_all
from ..selection import chosen_objects
from .thumbnail import view_thumbnail
from .unsaved import look_again, mark_saved

TARGET_ITEMS = (
    (
        "SAME",
        "Same as Before",
        f"As the release writes it that the session came from; a new session as Mosaic {releases.NEWEST.version} does",
    ),
    *(
        (
            name,
            f"Mosaic {spelling.release}",
            f"For Mosaic {spelling.release} and later; what these do not know is left out with a warning",
        )
        for name, spelling in releases.TARGETS.items()
    ),
)


class MOSAIC_OT_save_session(MosaicOperator):
    """Save the session to the file that it came from"""

    bl_idname = "mosaic.save_session"
    bl_label = "Save Mosaic Session"
    bl_options = {"REGISTER"}

    overwrite: BoolProperty(
        name="Overwrite",
        description="Save also if the file was changed by another program since it was read",
        options={"HIDDEN", "SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _has_session(cls, context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorReturn:
        session = active_session(context)
        path = file_of(session)
        if not is_known_place(session):
            if path:
                self.report({"WARNING"}, why_unknown(session))
            return bpy.ops.mosaic.save_session_as("INVOKE_DEFAULT")
        if changed_on_disk(session, path):
            self.overwrite = True  # if the answer to the dialog is yes
            return context.window_manager.invoke_confirm(
                self,
                event,
                title="Overwrite the Changed File?",
                message=f"Another program has changed {os.path.basename(path)}; its version is kept beside it.",
                confirm_text="Overwrite",
            )
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        session = active_session(context)
        _say(self, save_in_place(context, session, self.overwrite))
        return {"FINISHED"}


def save_in_place(context: bpy.types.Context, session: bpy.types.Collection, overwrite: bool = False) -> Saved:
    """Save a session to its file.

    overwrite: also if another program has changed it since it was read. Raises MosaicError where nobody can know that
    this is the place for it.
    """
    if not is_known_place(session):
        raise MosaicError(why_unknown(session))
    saved = save_session(
        session, file_of(session), context.scene, context.view_layer, backup=keeps_backup(context), overwrite=overwrite
    )
    mark_saved(session)
    return saved


class _ToFile(MosaicOperator, ExportHelper):
    """Base class of the operators that ask for a file: the file browser, and the options."""

    filename_ext = ".pickle"

    filter_glob: StringProperty(default="*.pickle;*.mosaic", options={"HIDDEN"})
    target: EnumProperty(name="For", description="The oldest Mosaic that is to open the file", items=TARGET_ITEMS)
    apply_modifiers: BoolProperty(
        name="Apply Modifiers", description="Write what modifiers make of points and faces", default=False
    )
    renew_thumbnail: BoolProperty(
        name="New Thumbnail",
        description="Take the thumbnail of a .mosaic file from the 3D view; else it keeps the one that it has",
        default=False,
    )

    def check(self, context: bpy.types.Context) -> bool:
        """Show the name that the file will have, by which Blender sees whether there is such a file."""
        given = self.properties.filepath
        if os.path.basename(given):
            self.properties.filepath = _named(context, given)
        return self.properties.filepath != given

    def export_options(self) -> ExportOptions:
        return ExportOptions(None if self.target == "SAME" else self.target, self.apply_modifiers)

    def path(self) -> str:
        """Return where to write. Raises MosaicError if the file has no name."""
        path = bpy.path.abspath(self.filepath)
        if not os.path.basename(path):
            raise MosaicError("The file has no name yet; give it one that ends in .pickle or .mosaic.")
        return path

    def picture(self, context: bpy.types.Context) -> bytes | None:
        wanted = self.renew_thumbnail and layout_of(_named(context, self.path())) == "indexed"
        return view_thumbnail(context) if wanted else None

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        for name in ("target", "apply_modifiers", "renew_thumbnail"):
            layout.prop(self, name)


class MOSAIC_OT_save_session_as(_ToFile):
    """Save the session to another file, which becomes its file"""

    bl_idname = "mosaic.save_session_as"
    bl_label = "Save Mosaic Session As"
    bl_options = {"REGISTER", "PRESET"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _has_session(cls, context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorReturn:
        session = active_session(context)
        self.filepath = offered_path(session)
        return super().invoke(context, event)

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        session = active_session(context)
        saved = save_session(
            session, self.path(), context.scene, context.view_layer, self.export_options(),
            backup=keeps_backup(context), overwrite=True, thumbnail=self.picture(context),
        )  # fmt: skip
        look_again()
        _say(self, saved)
        return {"FINISHED"}


class MOSAIC_OT_export_session(_ToFile):
    """Write the scene's session, or the selected objects as a new one, for Mosaic, the cryo-ET program"""

    bl_idname = "mosaic.export_session"
    bl_label = "Export Mosaic Session"
    bl_options = {"REGISTER", "PRESET"}

    selection_only: BoolProperty(
        name="Selection Only",
        description="Write the selected objects as a session of their own, as is done if the scene has no session",
        default=False,
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if sessions_in(context.scene) or any(obj.type in DATA_TYPES for obj in chosen_objects(context)):
            return True
        cls.poll_message_set("There is no session, and nothing is selected that has points")
        return False

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorReturn:
        session = active_session(context)
        if session is None:
            self.selection_only = True
        stem = os.path.splitext(os.path.basename(bpy.data.filepath))[0] or "session"
        is_whole = session is not None and not self.selection_only
        self.filepath = offered_path(session) if is_whole and file_of(session) else f"{stem}.pickle"
        return super().invoke(context, event)

    def draw(self, context: bpy.types.Context) -> None:
        super().draw(context)
        row = self.layout.row()
        row.enabled = bool(sessions_in(context.scene))
        row.prop(self, "selection_only")

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        session = active_session(context)
        options, backup = self.export_options(), keeps_backup(context)
        if session is None or self.selection_only:
            options = replace(options, angstrom_per_unit=preferred_scale(context))
            saved = save_objects(
                chosen_objects(context), self.path(), context.scene, context.view_layer, options, backup=backup
            )
        else:
            saved = save_session(
                session, self.path(), context.scene, context.view_layer, options,
                backup=backup, overwrite=True, thumbnail=self.picture(context), adopt=False,
            )  # fmt: skip
        _say(self, saved)
        return {"FINISHED"}


def _draw_menu(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    menu.layout.operator(MOSAIC_OT_export_session.bl_idname, text="Mosaic Session (.pickle, .mosaic)")


def additions() -> Iterator[Addition]:
    """The entry in File > Export."""
    yield menu_entry_added(bpy.types.TOPBAR_MT_file_export, _draw_menu)


def _has_session(cls: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    session = active_session(context)
    if session is None:
        several = bool(sessions_in(context.scene))
        cls.poll_message_set("Select an object of the session to save" if several else "The scene has no session")
        return False
    if session.library is not None:
        cls.poll_message_set("The session is linked from another .blend; save it there")
        return False
    return True


def _named(context: bpy.types.Context, path: str) -> str:
    """Return the path that is written when one is chosen: the session's own file may have any name."""
    session = active_session(context)
    is_its_own = session is not None and is_file_of(session, bpy.path.abspath(path))
    return path if is_its_own else with_suffix(path)


def _say(operator: bpy.types.Operator, saved: Saved) -> None:
    say_all(operator, "INFO", saved.changes, "changes")
    say_all(operator, "WARNING", [*saved.left_out, *saved.warnings], "warnings")
    count = len(saved.changes)
    operator.report({"INFO"}, f"Saved {saved.path}: {count or 'no'} change{'s' if count != 1 else ''}")
