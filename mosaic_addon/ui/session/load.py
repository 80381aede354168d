"""File > Import > Mosaic Session: one operator for the menu, for dropped files and for scripts."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import bpy
from bpy.props import BoolProperty, CollectionProperty, StringProperty
from bpy_extras.io_utils import ImportHelper, poll_file_object_drop

from ...scene.importing.build import Progress
from ...scene.importing.options import ImportOptions
from ...scene.outline.close import close_session
from ...scene.outline.tree import sessions_in
from ...scene.reloading.reload import AnotherSessionError
from ...session import MosaicError
from ..additions import Addition, menu_entry_added
from ..placement import Placement
from ..preferences import preferences
from ..reports import MosaicOperator, OperatorReturn
from .opening import Opening, closable, refuse_unsaved, start_in_steps, unsaved_in
from .reload import open_as, reload_in_place, say_reloaded


class MOSAIC_OT_load_session(MosaicOperator, Placement, ImportHelper):
    """Open sessions of Mosaic, the cryo-ET program"""

    bl_idname = "mosaic.load_session"
    bl_label = "Import Mosaic Session"
    bl_options = {"REGISTER", "UNDO", "PRESET"}

    filename_ext = ".pickle"
    filter_glob: StringProperty(default="*.pickle;*.mosaic", options={"HIDDEN"})
    # SKIP_SAVE: forgotten after a call, so that the menu asks for a file each time.
    filepath: StringProperty(subtype="FILE_PATH", options={"HIDDEN", "SKIP_SAVE"})
    directory: StringProperty(subtype="DIR_PATH", options={"HIDDEN", "SKIP_SAVE"})
    files: CollectionProperty(type=bpy.types.OperatorFileListElement, options={"HIDDEN", "SKIP_SAVE"})
    recentre: BoolProperty(
        name="Move to Origin",
        description="Put the middle of the session at the world's origin; no coordinate changes",
        default=True,
    )
    mesh_spheres: BoolProperty(
        name="Round Points",
        description="Draw the points of clouds of up to 5000 as spheres that are round in every view; points of larger "
        "clouds are round in Cycles",
        default=True,
    )
    unlimited: BoolProperty(
        name="Very Large Sessions", description="Open sessions that will take minutes or gigabytes", default=False
    )

    set_up_scene: BoolProperty(
        name="Set Up the Scene",
        description="In Blender's untouched start-up scene: remove cube and lamp, frame the session as Mosaic's first "
        "view does, give it a look and a camera, and open the sidebar. Nothing of your own is touched",
        default=True,
    )
    replace: BoolProperty(
        name="Close Open Sessions",
        description="Close the sessions that are open in the scene; otherwise the file is opened beside them",
        default=False,
        options={"SKIP_SAVE"},
    )
    discard: BoolProperty(
        name="Discard Changes",
        description="Close sessions whose changes are not saved, too",
        options={"HIDDEN", "SKIP_SAVE"},
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorReturn:
        preferred = preferences(context)
        for name in Placement.__annotations__ if preferred is not None else ():
            if not self.properties.is_property_set(name):
                setattr(self, name, getattr(preferred, name))
        if preferred is not None and not self.properties.is_property_set("set_up_scene"):
            self.set_up_scene = preferred.set_up_scene
        if self.replace and not self.discard and unsaved_in(context, self._to_close(context)):
            return bpy.ops.mosaic.discard_and_load("INVOKE_DEFAULT", filepath=self.filepath)
        if self.filepath or self.files:
            return self.execute(context)
        return super().invoke(context, event)

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(self, "scale")
        if self.scale == "CUSTOM":
            layout.prop(self, "angstrom_per_unit")
        layout.prop(self, "recentre")
        layout.prop(self, "automatic_pixel_size")
        if not self.automatic_pixel_size:
            layout.prop(self, "pixel_size")
        layout.prop(self, "mesh_spheres")
        layout.prop(self, "unlimited")
        layout.prop(self, "set_up_scene")
        row = layout.row()
        row.enabled = bool(sessions_in(context.scene))
        row.prop(self, "replace")

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        options = ImportOptions(self.chosen_scale(), self.recentre, self.chosen_pixel_size())
        paths = self._paths()
        closing = self._to_close(context) if self.replace else []
        if closing and not self.discard:
            refuse_unsaved(context, closing)
        if self.replace:
            paths = self._reload_open_ones(context, paths, closing)
            if not paths:
                for session in closing:
                    close_session(session, context.scene)
                return {"FINISHED"}
        task = Opening(context, paths, options, self.mesh_spheres, self.unlimited, closing, self.set_up_scene)
        if self.options.is_invoke and task.is_long():
            return start_in_steps(task)
        with _progress(context) as progress:
            for fraction in task.steps():
                progress(fraction)
        return task.say(self)

    def _to_close(self, context: bpy.types.Context) -> list[bpy.types.Collection]:
        """Return the sessions that go: all but those whose file is opened again, which are reloaded."""
        sessions = closable(context)
        if not (self.filepath or self.files):
            return sessions
        again = [open_as(path, sessions) for path in self._paths()]
        return [session for session in sessions if session not in again]

    def _reload_open_ones(
        self, context: bpy.types.Context, paths: list[str], closing: list[bpy.types.Collection]
    ) -> list[str]:
        """Reload the files that are open already. Returns the other ones.

        closing: gets the sessions whose files hold other sessions by now.
        """
        others = []
        for path in paths:
            session = open_as(path, closable(context))
            if session is None:
                others.append(path)
                continue
            try:
                say_reloaded(self, session, reload_in_place(context, session))
            except AnotherSessionError:
                if not self.discard:
                    refuse_unsaved(context, [session])
                closing.append(session)
                others.append(path)
        return others

    def _paths(self) -> list[str]:
        if self.files and self.files[0].name:
            return [os.path.join(self.directory, file.name) for file in self.files]
        if not self.filepath:
            raise MosaicError("No file is chosen; choose a session to open.")
        return [bpy.path.abspath(self.filepath)]


class MOSAIC_FH_session(bpy.types.FileHandler):
    """Opens sessions that are dropped into the 3D view or the Outliner"""

    bl_idname = "MOSAIC_FH_session"
    bl_label = "Mosaic Session"
    bl_import_operator = MOSAIC_OT_load_session.bl_idname
    bl_file_extensions = ".pickle;.mosaic"

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        return poll_file_object_drop(context)


def _draw_menu(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    menu.layout.operator(MOSAIC_OT_load_session.bl_idname, text="Mosaic Session (.pickle, .mosaic)")


def additions() -> Iterator[Addition]:
    """The entry in File > Import."""
    yield menu_entry_added(bpy.types.TOPBAR_MT_file_import, _draw_menu)


@contextmanager
def _progress(context: bpy.types.Context) -> Iterator[Progress]:
    """Show the progress at the mouse pointer until the end or an error."""
    manager = context.window_manager
    manager.progress_begin(0, 100)
    try:
        yield lambda fraction: manager.progress_update(fraction * 100)
    finally:
        manager.progress_end()
