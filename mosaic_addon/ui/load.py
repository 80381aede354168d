"""File > Import > Mosaic Session: one operator for the menu, drag and drop, and scripts."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import bpy
from bpy.props import BoolProperty, CollectionProperty, EnumProperty, FloatProperty, StringProperty
from bpy_extras.io_utils import ImportHelper, poll_file_object_drop

from ..scene.build import Imported, Progress, build_session
from ..scene.plan import ImportOptions
from ..scene.representations import set_inputs
from ..session import MosaicError, open_session
from .operator import OperatorReturn
from .preferences import SCALES, preferences

ANGSTROM_PER_UNIT = {"100NM": 1000.0, "1NM": 10.0}
PREFERRED = (
    "scale",
    "angstrom_per_unit",
    "automatic_pixel_size",
    "pixel_size",
)  # what the user's preferences begin with
SHOWN_WARNINGS = 10
FEW_POINTS = 5000  # that are drawn as mesh spheres without slowing the view


class MOSAIC_OT_load_session(bpy.types.Operator, ImportHelper):
    """Open sessions of Mosaic, the cryo-ET program"""

    bl_idname = "mosaic.load_session"
    bl_label = "Import Mosaic Session"
    bl_options = {"REGISTER", "UNDO", "PRESET"}

    filename_ext = ".pickle"
    filter_glob: StringProperty(default="*.pickle;*.mosaic", options={"HIDDEN"})
    # Not kept from one call to the next, so that the menu asks for a file each time.
    filepath: StringProperty(subtype="FILE_PATH", options={"HIDDEN", "SKIP_SAVE"})
    directory: StringProperty(subtype="DIR_PATH", options={"HIDDEN", "SKIP_SAVE"})
    files: CollectionProperty(type=bpy.types.OperatorFileListElement, options={"HIDDEN", "SKIP_SAVE"})
    scale: EnumProperty(
        name="Scale",
        description="How large the session becomes in Blender",
        items=SCALES,
    )
    angstrom_per_unit: FloatProperty(
        name="Angstrom per Unit",
        description="Angstrom that one Blender unit stands for",
        default=1000.0,
        min=1e-3,
        soft_max=1e5,
    )
    recentre: BoolProperty(
        name="Recentre",
        description="Put the middle of the session at the world's origin; no coordinate changes",
        default=True,
    )
    automatic_pixel_size: BoolProperty(
        name="Pixel Size from View",
        description="Points look as large, beside the session, as in Mosaic's first view of it",
        default=True,
    )
    pixel_size: FloatProperty(
        name="Pixel Size",
        description="Angstrom that one of the screen pixels stands for in which Mosaic gives the size of points",
        default=4.0,
        min=1e-4,
        soft_max=1e3,
    )
    mesh_spheres: BoolProperty(
        name="Mesh Spheres",
        description="Draw clouds of up to 5000 points as mesh spheres, which are round in every view; Solid and EEVEE draw "
        "native points crudely",
        default=True,
    )
    unlimited: BoolProperty(
        name="Very Large Sessions", description="Open sessions that will take minutes or gigabytes", default=False
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorReturn:
        preferred = preferences(context)
        for name in PREFERRED if preferred is not None else ():
            if not self.properties.is_property_set(name):
                setattr(self, name, getattr(preferred, name))
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

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        options = ImportOptions(
            ANGSTROM_PER_UNIT.get(self.scale, self.angstrom_per_unit),
            self.recentre,
            None if self.automatic_pixel_size else self.pixel_size,
        )
        sessions, errors = [], []
        for path in self._paths():
            try:
                sessions.append(open_session(path))
            except MosaicError as error:
                errors.append(str(error))
        made: list[Imported] = []
        with _progress(context) as progress:
            for session in sessions:
                try:
                    made.append(
                        build_session(
                            session, context.scene, options, unlimited=self.unlimited, keep=False, progress=progress
                        )
                    )
                except MosaicError as error:
                    errors.append(str(error))
        for imported in made:
            if self.mesh_spheres:
                set_inputs(filter(_has_few_points, imported.objects), {"Instances": True})
            self._say(imported)
        if made:
            _show(context, made)
        if errors:
            self.report({"ERROR"}, "\n".join(errors))
        return {"FINISHED"} if made else {"CANCELLED"}

    def _paths(self) -> list[str]:
        if self.files and self.files[0].name:
            return [os.path.join(self.directory, file.name) for file in self.files]
        return [bpy.path.abspath(self.filepath)]

    def _say(self, imported: Imported) -> None:
        name = imported.collection.name
        for warning in imported.warnings[:SHOWN_WARNINGS]:
            self.report({"WARNING"}, warning)
        if len(imported.warnings) > SHOWN_WARNINGS:
            self.report({"WARNING"}, f"{name}: and {len(imported.warnings) - SHOWN_WARNINGS} more warnings.")
        self.report({"INFO"}, f"Opened {name}: {len(imported.objects)} objects")


class MOSAIC_FH_session(bpy.types.FileHandler):
    """Sessions dropped into the 3D view or the Outliner"""

    bl_idname = "MOSAIC_FH_session"
    bl_label = "Mosaic Session"
    bl_import_operator = MOSAIC_OT_load_session.bl_idname
    bl_file_extensions = ".pickle;.mosaic"

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        return poll_file_object_drop(context)


def _has_few_points(thing: bpy.types.Object) -> bool:
    points = thing.data.points if thing.type == "POINTCLOUD" else thing.data.vertices
    return len(points) <= FEW_POINTS


def draw_menu(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    """The entry in File > Import."""
    menu.layout.operator(MOSAIC_OT_load_session.bl_idname, text="Mosaic Session (.pickle, .mosaic)")


@contextmanager
def _progress(context: bpy.types.Context) -> Iterator[Progress]:
    """The cursor that counts, put away whatever happens."""
    manager = context.window_manager
    manager.progress_begin(0, 100)
    try:
        yield lambda fraction: manager.progress_update(fraction * 100)
    finally:
        manager.progress_end()


def _show(context: bpy.types.Context, made: list[Imported]) -> None:
    """Bring what was made into the 3D views, without clipping it, and leave its root selected: outlines hide colours."""
    context.view_layer.update()
    for thing in context.selected_objects:
        thing.select_set(False)
    roots = [imported.root for imported in made]
    shown = [thing for imported in made for thing in imported.objects if not thing.hide_get()]
    for thing in shown:
        thing.select_set(True)
    reach = max(root.empty_display_size * root.scale.x * 20 for root in roots)
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type != "VIEW_3D":
                continue
            space = area.spaces.active
            space.clip_end = max(space.clip_end, 20 * reach)
            region = next(region for region in area.regions if region.type == "WINDOW")
            with context.temp_override(window=window, area=area, region=region):
                bpy.ops.view3d.view_selected()
    for thing in shown:
        thing.select_set(False)
    for root in roots:
        root.select_set(True)
    context.view_layer.objects.active = roots[0]
