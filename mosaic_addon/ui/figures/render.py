"""Render and Save: the picture is rendered in Blender's own window, which shows how far it is, and then written."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import bpy
from bpy.props import EnumProperty, StringProperty

from ...scene.figures.overlay import follow_camera
from ...scene.figures.svg import named, vectors_aside, write_svg
from ...scene.pictures.options import ImageFile
from ...scene.pictures.render import FORMATS, check_pictures, dpi_of, render_image, write_image
from ...session import MosaicError
from ...session.errors import one_line
from ..additions import Addition, state_forgotten
from ..reports import MosaicOperator, OperatorReturn
from .items import picture_name

SVG: Final = ".svg"
SUFFIXES: Final = (*FORMATS, SVG)
INTERVAL: Final = 0.2  # seconds between two looks whether the render has ended
_job: "_Job | None" = None


class _Job:
    """A render in Blender's window, and where its picture goes."""

    def __init__(self, scene: bpy.types.Scene, file: ImageFile) -> None:
        self.scene, self.file, self.ended = scene.name, file, ""
        self.held = ExitStack()
        self.vectors = self.held.enter_context(vectors_aside(scene)) if _is_svg(file) else []
        for event, outcome in (("render_complete", "done"), ("render_cancel", "stopped")):
            self._listen(event, outcome)

    def _listen(self, event: str, outcome: str) -> None:
        handlers = getattr(bpy.app.handlers, event)

        def note(*_: object) -> None:
            self.ended = outcome

        handlers.append(note)
        self.held.callback(lambda: note in handlers and handlers.remove(note))

    def write(self) -> None:
        """Write the picture. Raises MosaicError when it cannot be written."""
        scene = bpy.data.scenes.get(self.scene)
        if scene is None:
            raise MosaicError(f"{self.file.path} is not written, as its scene was closed meanwhile.")
        if _is_svg(self.file):
            write_svg(scene, named(self.vectors), self.file.path)
        else:
            write_image(scene, bpy.data.images["Render Result"], dpi_of(scene), self.file)


class MOSAIC_OT_render_figure(MosaicOperator):
    """Render the picture and save it: .png, .tif, .jpg, .exr, or .svg with scale bar, key and labels as vectors"""

    bl_idname = "mosaic.render_figure"
    bl_label = "Render and Save"

    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: StringProperty(default=";".join(f"*{suffix}" for suffix in SUFFIXES), options={"HIDDEN"})
    bits: EnumProperty(
        name="Bits",
        items=(("8", "8 bits", "As journals and slides want it"), ("16", "16 bits", "For further work on it")),
        description="For each colour, in .png and .tif",
        default="8",
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorReturn:
        if context.scene.camera is None:
            raise MosaicError("The scene has no camera; choose Camera to Objects first.")
        self.filepath = self.filepath or picture_name(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def draw(self, context: bpy.types.Context) -> None:
        """Say what the name of the file may end in, and draw the bits."""
        column = self.layout.column()
        column.label(text="The name's ending is its type:")
        column.label(text=" ".join(SUFFIXES))
        column.label(text="Text stays text in .svg")
        column.separator()
        column.prop(self, "bits")

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        global _job
        path = Path(bpy.path.abspath(self.filepath))
        if path.suffix.lower() not in SUFFIXES:
            path = path.with_name(f"{path.name}.png")
        file = ImageFile(str(path), bits=int(self.bits))
        if not _is_svg(file):
            check_pictures([file])
        if bpy.app.is_job_running("RENDER"):
            raise MosaicError("Blender is rendering already; wait for it, or stop it with Esc.")
        _forget()  # a render whose .blend was closed
        follow_camera(context.scene)
        job = _Job(context.scene, file)
        if bpy.app.background:
            with job.held:
                render_image(context.scene)
                job.write()
            return {"FINISHED"}
        _job = job
        try:
            bpy.ops.render.render("INVOKE_DEFAULT", scene=context.scene.name)
        except RuntimeError as error:
            _forget()
            raise MosaicError(f"The picture cannot be rendered: {one_line(error)}") from error
        context.window_manager.modal_handler_add(self)
        self._timer = context.window_manager.event_timer_add(INTERVAL, window=context.window)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorReturn:
        global _job
        job = _job
        if event.type != "TIMER" or (job is not None and not job.ended):
            return {"PASS_THROUGH"}
        context.window_manager.event_timer_remove(self._timer)
        _job = None
        if job is None:
            return {"CANCELLED"}
        with job.held:
            if job.ended == "stopped":
                self.report({"WARNING"}, f"{job.file.path} is not written, as the render was stopped.")
                return {"CANCELLED"}
            job.write()
        self.report({"INFO"}, f"Saved {job.file.path}")
        return {"FINISHED"}


def _is_svg(file: ImageFile) -> bool:
    return str(file.path).lower().endswith(SVG)


def draw_render(layout: bpy.types.UILayout, scene: bpy.types.Scene) -> None:
    """Draw how the picture is rendered, and the button that does it."""
    column = layout.column()
    column.use_property_split = True
    column.use_property_decorate = False
    column.prop(scene.render, "engine")
    if scene.render.engine == "CYCLES":
        cycles: Any = scene.cycles  # type: ignore[attr-defined]  # an add-on's
        column.prop(cycles, "samples")
        column.prop(cycles, "device")
    elif scene.render.engine != "BLENDER_WORKBENCH":
        column.prop(scene.eevee, "taa_render_samples", text="Samples")
    layout.operator(MOSAIC_OT_render_figure.bl_idname, icon="RENDER_STILL")


def additions() -> Iterator[Addition]:
    """The render that is going on."""
    yield state_forgotten(_forget)


def _forget() -> None:
    global _job
    if isinstance(_job, _Job):
        _job.held.close()
    _job = None
