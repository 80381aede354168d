"""Opening sessions, beside the open ones or instead of them: at once, or in steps, with progress and Esc."""

import os
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence

import bpy
from bpy.props import EnumProperty, StringProperty

from ...scene.drawing.representations import set_inputs
from ...scene.exporting.save import finish_sculpting, unsaved_changes
from ...scene.importing.again import take_names
from ...scene.importing.build import Imported, build_steps
from ...scene.importing.options import ImportOptions
from ...scene.outline.close import close_session
from ...scene.outline.tree import active_session, sessions_in
from ...scene.pictures.camera import VIEWS, frame_camera
from ...scene.pictures.looks import apply_look
from ...scene.pictures.startup import clear_startup, is_startup_scene
from ...session import MosaicError, Session, open_session
from ..additions import Addition, state_forgotten
from ..reports import MosaicOperator, OperatorReturn, say_all
from ..sidebar import open_sidebar
from ..steps import StepsOperator
from .save import save_in_place
from .view import hide_outlines, show_in_views

LONG = 50_000_000  # bytes from which on files are opened in steps, so that the window does not freeze
WAIT = 0.02  # seconds between two looks at the thread that reads
SHOWN = 6  # changes in a question
FEW_POINTS = 5000  # so many can be mesh spheres without slowing the view


class Opening:
    """Files that are being opened: which, which sessions are closed for them, and what came of it."""

    def __init__(
        self,
        context: bpy.types.Context,
        paths: Sequence[str],
        options: ImportOptions,
        mesh_spheres: bool,
        unlimited: bool,
        closing: Sequence[bpy.types.Collection],
        set_up_scene: bool,
    ) -> None:
        self.context = context
        self.scene = context.scene
        self.paths = paths
        self.options = options
        self.mesh_spheres = mesh_spheres
        self.unlimited = unlimited
        self.closing = closing
        self.is_startup = set_up_scene and is_startup_scene(context.scene)
        # Where the user has something of their own in view, the view is theirs, too.
        going = {obj for session in closing for obj in session.all_objects}
        self.is_alone = set_up_scene and not any(
            obj not in going and obj.visible_get() for obj in context.scene.objects
        )
        self.made: list[Imported] = []
        self.errors: list[str] = []

    def is_long(self) -> bool:
        """Return whether the files are so large that the window would freeze."""
        return sum(os.path.getsize(path) for path in self.paths if os.path.isfile(path)) > LONG

    def steps(self, threaded: bool = False) -> Generator[float, None, None]:
        """Open the files in steps, and yield the fraction that is done. Closed before its end, it changes nothing.

        threaded: read the files in another thread.
        """
        try:
            for number, path in enumerate(self.paths):
                try:
                    session = yield from (_read_beside(path) if threaded else _read(path))
                    building = build_steps(session, self.scene, self.options, unlimited=self.unlimited, keep=False)
                    self.made.append((yield from _scaled(building, number, len(self.paths))))
                except MosaicError as error:
                    self.errors.append(str(error))
        except GeneratorExit:
            for imported in self.made:
                close_session(imported.collection, self.scene)
            raise
        self._finish()

    def _finish(self) -> None:
        if self.made:
            for session in self.closing:
                close_session(session, self.scene)
        for imported in self.made:
            if self.closing:
                take_names(imported)
            if self.mesh_spheres:
                draw_as_mesh_spheres(imported.objects)
        if not self.made:
            return
        objects = [obj for imported in self.made for obj in imported.objects]
        if self.is_startup:
            clear_startup(self.scene)
            direction, up = VIEWS["top"]
            self.context.view_layer.update()
            apply_look(self.scene, camera=frame_camera(self.scene, objects, direction, up=up))
        _select_roots(self.context, self.made, select=not self.is_startup)
        if self.is_startup or self.is_alone:
            show_in_views(self.context, objects, from_top=self.is_startup)
        if self.is_startup:
            hide_outlines(self.context)
            open_sidebar(self.context, lambda: show_in_views(bpy.context, objects))

    def say(self, operator: bpy.types.Operator) -> OperatorReturn:
        """Report what came of it. Returns what the operator is to return."""
        for imported in self.made:
            say_all(operator, "WARNING", imported.warnings, f"warnings of {imported.collection.name}")
            operator.report({"INFO"}, f"Opened {imported.collection.name}: {len(imported.objects)} objects")
        if self.errors:
            operator.report({"ERROR"}, "\n".join(self.errors))
        return {"FINISHED"} if self.made else {"CANCELLED"}


def _read(path: str) -> Generator[float, None, Session]:
    yield 0.0
    return open_session(path, wait=True)


def _read_beside(path: str) -> Generator[float, None, Session]:
    """Read a file in another thread, which does not touch Blender."""
    result: list[Session] = []
    errors: list[BaseException] = []

    def read() -> None:
        try:
            result.append(open_session(path, wait=True))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(WAIT)
        yield 0.0
    if errors:
        raise errors[0]
    return result[0]


def _scaled(building: Generator[float, None, Imported], number: int, count: int) -> Generator[float, None, Imported]:
    try:
        while True:
            try:
                fraction = next(building)
            except StopIteration as end:
                return end.value
            yield (number + fraction) / count
    finally:
        building.close()


# --- in steps --------------------------------------------------------------------------------------------------------

_waiting: list[Opening] = []  # what the operator that works in steps is to do


def start_in_steps(task: Opening) -> OperatorReturn:
    """Let an operator of its own do a task in steps. Returns what the operator that was called is to return."""
    _waiting[:] = [task]
    bpy.ops.mosaic.open_in_steps("INVOKE_DEFAULT")
    return {"CANCELLED"}  # the other operator finishes, and makes the step to undo


class MOSAIC_OT_open_in_steps(StepsOperator):
    """Open a large session while Blender goes on; Esc stops it"""

    bl_idname = "mosaic.open_in_steps"
    bl_label = "Import Mosaic Session"
    bl_options = {"UNDO", "INTERNAL"}

    doing = "Opening"

    def begin(self, context: bpy.types.Context) -> Generator[float, None, None] | None:
        if not _waiting:
            return None
        self._task = _waiting.pop()
        self.file = os.path.basename(self._task.paths[0])
        return self._task.steps(threaded=True)

    def end(self, context: bpy.types.Context, result: None) -> OperatorReturn:
        return self._task.say(self)


# --- what is open already --------------------------------------------------------------------------------------------


def closable(context: bpy.types.Context) -> list[bpy.types.Collection]:
    """Return the scene's sessions that can be closed: those that are not linked."""
    return [session for session in sessions_in(context.scene) if session.library is None]


def unsaved_in(
    context: bpy.types.Context, sessions: Sequence[bpy.types.Collection] | None = None
) -> dict[str, list[str]]:
    """Return what no file has yet: changes by the session's name. sessions: by default all that can be closed."""
    finish_sculpting(context.view_layer)
    found = {}
    for session in closable(context) if sessions is None else sessions:
        try:
            changes = unsaved_changes(session, context.scene, context.view_layer)
        except MosaicError as error:  # it cannot be saved, so it is not saved
            changes = [str(error)]
        if changes:
            found[session.name] = changes
    return found


def refuse_unsaved(context: bpy.types.Context, sessions: Sequence[bpy.types.Collection]) -> None:
    """Raise MosaicError if one of the sessions, which would be closed, has changes that no file has."""
    for name, changes in unsaved_in(context, sessions).items():
        raise MosaicError(f"{name!r} has unsaved changes ({changes[0]}); save it first, or choose to discard them.")


class _AskFirst(MosaicOperator):
    """Base class of operators that ask before changes are lost. Who presses Enter saves them."""

    answer: EnumProperty(
        name="Changes",
        items=(
            ("SAVE", "Save", "Save the changes to the session's file first"),
            ("DISCARD", "Discard", "Lose the changes"),
        ),
        default="SAVE",
        options={"HIDDEN", "SKIP_SAVE"},
    )

    def ask(self, context: bpy.types.Context, lost: dict[str, list[str]], text: str) -> OperatorReturn:
        """Ask whether to save or to discard. lost: the changes by the names of their sessions."""
        self._lost = lost
        return context.window_manager.invoke_props_dialog(
            self, width=420, title=f"Unsaved Changes of {', '.join(lost)}", confirm_text=text
        )

    def draw(self, context: bpy.types.Context) -> None:
        changes = [change for several in self._lost.values() for change in several]
        for change in changes[:SHOWN]:
            self.layout.label(text=change)
        if len(changes) > SHOWN:
            self.layout.label(text=f"and {len(changes) - SHOWN} more")
        self.layout.row().prop(self, "answer", expand=True)

    def save_first(self, context: bpy.types.Context) -> None:
        """Save what was asked about if that is the answer. Raises MosaicError where that fails."""
        lost = getattr(self, "_lost", {}) if self.answer == "SAVE" else {}
        for session in sessions_in(context.scene):
            if session.name in lost:
                save_in_place(context, session)


class MOSAIC_OT_discard_and_load(_AskFirst):
    """Load another session instead of one whose changes are not saved"""

    bl_idname = "mosaic.discard_and_load"
    bl_label = "Load Another Session"
    bl_options = {"INTERNAL"}

    filepath: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorReturn:
        return self.ask(context, unsaved_in(context), "Load")

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        self.save_first(context)
        bpy.ops.mosaic.load_session("INVOKE_DEFAULT", filepath=self.filepath, replace=True, discard=True)
        return {"FINISHED"}


class MOSAIC_OT_close_session(_AskFirst):
    """Take the session out of Blender; its file stays as it was last saved"""

    bl_idname = "mosaic.close_session"
    bl_label = "Close Mosaic Session"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        session = active_session(context)
        if session is not None and session.library is None:
            return True
        cls.poll_message_set("The session is linked from another .blend" if session else "There is no session")
        return False

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorReturn:
        lost = unsaved_in(context, [_session(context)])
        return self.ask(context, lost, "Close") if lost else self.execute(context)

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        self.save_first(context)
        session = _session(context)
        name = session.name
        close_session(session, context.scene)
        self.report({"INFO"}, f"Closed {name}")
        return {"FINISHED"}


def _session(context: bpy.types.Context) -> bpy.types.Collection:
    session = active_session(context)
    assert session is not None  # poll has seen to it
    return session


def draw_as_mesh_spheres(objects: Iterable[bpy.types.Object]) -> None:
    """Draw the points of those objects that have few as mesh spheres, which are round in every view."""
    set_inputs(filter(_has_few_points, objects), {"Instances": True})


def _has_few_points(obj: bpy.types.Object) -> bool:
    points = obj.data.points if obj.type == "POINTCLOUD" else obj.data.vertices
    return len(points) <= FEW_POINTS


def _select_roots(context: bpy.types.Context, made: list[Imported], select: bool) -> None:
    """Select the roots of what was made, or nothing. The objects stay unselected: outlines would hide their colours."""
    context.view_layer.update()
    for obj in context.selected_objects:
        obj.select_set(False)
    for imported in made if select else ():
        imported.root.select_set(True)
    context.view_layer.objects.active = made[0].root


def additions() -> Iterator[Addition]:
    """What is being opened."""
    yield state_forgotten(_waiting.clear)
