"""Opening tomograms: File > Import, dropped files and the panel; in steps, with progress and Esc."""

import os
from collections.abc import Generator, Iterator
from typing import Any, Final

import bpy
from bpy.props import BoolProperty, CollectionProperty, EnumProperty, FloatProperty, IntProperty, StringProperty
from bpy_extras.io_utils import ImportHelper, poll_file_object_drop
from mathutils import Vector

from ...files.tomogram import Region
from ...scene.outline.tree import active_session, sessions_in
from ...scene.pictures.camera import visible_points
from ...scene.tomograms.reading import (
    MEGABYTES,
    TomogramOptions,
    opening_steps,
    reading_steps,
    region_around,
    said_of,
)
from ...scene.tomograms.tomogram import remove_tomogram, tomograms_in
from ...session import MosaicError
from ..additions import Addition, menu_entry_added, state_forgotten
from ..reports import MosaicOperator, OperatorReturn
from ..selection import choose, chosen_geometries
from ..steps import StepsOperator

LONG: Final = 50_000_000  # bytes from which on files are read in steps, so that the window does not freeze
BITS: Final = (
    ("8", "8 Bits", "256 levels, which is more than a tomogram's noise leaves", 8),
    ("16", "16 Bits", "65536 levels, for twice the memory", 16),
)
Steps = Generator[float, None, bpy.types.Object]

_waiting: list[tuple[str, Steps]] = []  # the name and the work of what the operator that works in steps is to do


class _Quality(MosaicOperator):
    """Base class of operators that read tomograms."""

    megabytes: IntProperty(
        name="Megabytes", description="The tomogram is binned until it fits", default=MEGABYTES, min=1, soft_max=1024
    )
    bits: EnumProperty(name="Levels", items=BITS, default="8")

    def read(self, context: bpy.types.Context, jobs: list[tuple[str, Steps]], is_long: bool) -> OperatorReturn:
        """Do some work, at once or in steps."""
        if is_long and self.options.is_invoke:
            _waiting[:] = jobs
            bpy.ops.mosaic.read_tomogram_in_steps("INVOKE_DEFAULT")
            return {"CANCELLED"}  # the other operator finishes, and makes the step to undo
        for _, steps in jobs:
            self.report({"INFO"}, _done(context, _run(steps)))
        return {"FINISHED"}


class MOSAIC_OT_open_tomogram(_Quality, ImportHelper):
    """Show slices of a tomogram, in the coordinates of the active session"""

    bl_idname = "mosaic.open_tomogram"
    bl_label = "Import Tomogram"
    bl_options = {"REGISTER", "UNDO", "PRESET"}

    filename_ext = ".mrc"
    filter_glob: StringProperty(default="*.mrc;*.map;*.rec;*.st;*.ccp4;*.em;*.nrrd;*.gz;*.bz2", options={"HIDDEN"})
    # SKIP_SAVE: forgotten after a call, so that the menu asks for a file each time.
    filepath: StringProperty(subtype="FILE_PATH", options={"HIDDEN", "SKIP_SAVE"})
    directory: StringProperty(subtype="DIR_PATH", options={"HIDDEN", "SKIP_SAVE"})
    files: CollectionProperty(type=bpy.types.OperatorFileListElement, options={"HIDDEN", "SKIP_SAVE"})
    header_origin: BoolProperty(
        name="Header's Origin",
        description="Put it where its header says, instead of at 0, from where Mosaic's sessions count",
        default=False,
    )

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        named = f"{properties.filepath}: " if properties.filepath else ""
        return f"{named}Show slices of a tomogram, in the coordinates of the active session"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorReturn:
        if self.filepath or self.files:
            return self.execute(context)
        return super().invoke(context, event)

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        for name in ("megabytes", "bits", "header_origin"):
            layout.prop(self, name)

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        session = active_session(context) or next(iter(sessions_in(context.scene)), None)
        options = TomogramOptions(self.megabytes, int(self.bits), header_origin=self.header_origin)
        paths = self._paths()
        jobs = [(os.path.basename(path), opening_steps(context.scene, path, session, options)) for path in paths]
        return self.read(context, jobs, any(_is_long(path) for path in paths))

    def _paths(self) -> list[str]:
        if self.files and self.files[0].name:
            return [os.path.join(self.directory, file.name) for file in self.files]
        if not self.filepath:
            raise MosaicError("No file is chosen; choose a tomogram to open.")
        return [bpy.path.abspath(self.filepath)]


class MOSAIC_OT_read_tomogram_again(_Quality):
    """Read the tomogram's file again: finer, or a part of it. Slices and settings stay"""

    bl_idname = "mosaic.read_tomogram_again"
    bl_label = "Read Tomogram Again"
    bl_options = {"REGISTER", "UNDO"}

    tomogram: StringProperty(options={"HIDDEN", "SKIP_SAVE"})
    part: EnumProperty(
        name="Part",
        items=(
            ("ALL", "All", "The whole tomogram"),
            ("CHOSEN", "Around Selected", "The box around the selected objects of the session, at full resolution"),
        ),
    )
    margin: FloatProperty(name="Margin (nm)", description="Around the selected objects", default=20, min=0)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorReturn:
        return context.window_manager.invoke_props_dialog(self)

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.row().prop(self, "part", expand=True)
        if self.part == "CHOSEN":
            layout.prop(self, "margin")
        layout.prop(self, "megabytes")
        layout.prop(self, "bits")

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        box = tomogram_named(context, self.tomogram)
        region = self._region(context, box) if self.part == "CHOSEN" else None
        steps = reading_steps(box, TomogramOptions(self.megabytes, int(self.bits), region))
        return self.read(context, [(box.name, steps)], True)

    def _region(self, context: bpy.types.Context, box: bpy.types.Object) -> Region:
        points = visible_points(chosen_geometries(context))
        if not len(points):
            raise MosaicError("Select visible objects of the session, around which the tomogram is read.")
        inverse = box.matrix_world.inverted_safe()
        low, high = points.min(axis=0), points.max(axis=0)
        corners = [
            inverse @ Vector([float((low, high)[number >> axis & 1][axis]) for axis in range(3)]) for number in range(8)
        ]
        margin = self.margin * 10
        ends = [
            tuple(extreme(corner[axis] for corner in corners) + sign * margin for axis in range(3))
            for extreme, sign in ((min, -1), (max, 1))
        ]
        return region_around(box, ends[0], ends[1])  # type: ignore[arg-type]  # three numbers each


class MOSAIC_OT_read_tomogram_in_steps(StepsOperator):
    """Read a tomogram while Blender goes on; Esc stops it"""

    bl_idname = "mosaic.read_tomogram_in_steps"
    bl_label = "Import Tomogram"
    bl_options = {"UNDO", "INTERNAL"}

    doing = "Reading"

    def begin(self, context: bpy.types.Context) -> Generator[float, None, Any] | None:
        jobs = list(_waiting)
        _waiting.clear()
        return self._all(jobs) if jobs else None

    def end(self, context: bpy.types.Context, result: tuple[list[bpy.types.Object], list[str]]) -> OperatorReturn:
        boxes, errors = result
        for box in boxes:
            self.report({"INFO"}, _done(context, box))
        if errors:
            self.report({"ERROR"}, "\n".join(errors))
        return {"FINISHED"} if boxes else {"CANCELLED"}

    def _all(self, jobs: list[tuple[str, Steps]]) -> Generator[float, None, tuple[list[bpy.types.Object], list[str]]]:
        """Do all jobs, one after the other. Returns the boxes, and why others could not be read."""
        boxes: list[bpy.types.Object] = []
        errors = []
        try:
            for name, steps in jobs:
                self.file = name
                try:
                    boxes.append((yield from steps))
                except MosaicError as error:
                    errors.append(str(error))
        except GeneratorExit:
            for box in boxes:
                remove_tomogram(box)
            raise
        return boxes, errors


class MOSAIC_FH_tomogram(bpy.types.FileHandler):
    """Opens tomograms that are dropped into the 3D view or the Outliner"""

    bl_idname = "MOSAIC_FH_tomogram"
    bl_label = "Tomogram"
    bl_import_operator = MOSAIC_OT_open_tomogram.bl_idname
    bl_file_extensions = ".mrc;.map;.rec;.st;.ccp4;.em;.nrrd"

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        return poll_file_object_drop(context)


def tomogram_named(context: bpy.types.Context, name: str) -> bpy.types.Object:
    """Return a tomogram of the scene. Raises MosaicError where there is none of that name."""
    found = next((obj for obj in tomograms_in(context.scene) if obj.name == name), None)
    if found is None:
        raise MosaicError(f"There is no tomogram {name!r} any more.")
    return found


def _is_long(path: str) -> bool:
    return os.path.isfile(path) and os.path.getsize(path) > LONG


def _run(steps: Steps) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def _done(context: bpy.types.Context, box: bpy.types.Object) -> str:
    """Make a tomogram that was read the active one. Returns what is to be said of it."""
    context.view_layer.update()
    choose(context, [box], box)
    return f"{box.name}: {said_of(box)}"


def _draw_menu(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    menu.layout.operator(MOSAIC_OT_open_tomogram.bl_idname, text="Tomogram (.mrc, .rec, .em, .nrrd)")


def additions() -> Iterator[Addition]:
    """The entry in File > Import, and what is to be read."""
    yield menu_entry_added(bpy.types.TOPBAR_MT_file_import, _draw_menu)
    yield state_forgotten(_waiting.clear)
