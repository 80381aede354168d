"""Write Recipe: the picture as a small file, from which it can be made again."""

import os

import bpy
from bpy.props import StringProperty
from bpy_extras.io_utils import ExportHelper

from ...scene.describing.scene import SUFFIX, write_recipe_of
from ...scene.exporting.save import file_of
from ..reports import MosaicOperator, OperatorReturn, say_all
from .cuts import session_of_figure


class MOSAIC_OT_write_recipe(MosaicOperator, ExportHelper):
    """Write what the picture shows as a recipe, a small text file from which the command `mosaic figure` makes it again"""

    bl_idname = "mosaic.write_recipe"
    bl_label = "Write Recipe"

    filename_ext = SUFFIX

    filter_glob: StringProperty(default=f"*{SUFFIX}", options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorReturn:
        if not self.properties.is_property_set("filepath"):
            session = session_of_figure(context)
            beside = bpy.data.filepath or file_of(session)
            name = bpy.path.clean_name(session.name) + SUFFIX
            self.filepath = os.path.join(os.path.dirname(beside), name)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        path = bpy.path.ensure_ext(bpy.path.abspath(self.filepath), SUFFIX)
        said = write_recipe_of(context.scene, path, overwrite=True)
        say_all(self, "WARNING", said, "parts of the picture that are not in the recipe")
        self.report({"INFO"}, f"Saved {path}")
        return {"FINISHED"}


def draw_recipe(layout: bpy.types.UILayout) -> None:
    """Draw the button that writes the recipe."""
    layout.operator(MOSAIC_OT_write_recipe.bl_idname, text="Write Recipe\u2026", icon="TEXT")
