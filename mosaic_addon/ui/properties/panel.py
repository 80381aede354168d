"""The Properties panel in the sidebar, with its parts, and the button that resets to the file."""

import bpy

from ...scene.data.attributes import VERTEX_COLORS
from ...scene.data.custom_properties import has
from ...scene.drawing import appearance
from ...scene.drawing.coloring import colorable, coloring_of
from ...scene.drawing.facts import frame_at, frames_of
from ...scene.drawing.membranes import has_membrane, make_membrane
from ...scene.drawing.own_shapes import modifier_that_places
from ...scene.drawing.representations import (
    MEMBRANE_SURFACE,
    POINT_REPRESENTATIONS,
    VIEW_SURFACE,
    input_of,
    representation_of,
)
from ...scene.drawing.surfaces import volume_mesh
from ...scene.keys import PERCENTILE, RECORD
from ...scene.outline.tree import name_of
from ..editors.coloring import MOSAIC_OT_color_by, MOSAIC_OT_uncolor
from ..preferences import preferred_map
from ..reports import MosaicOperator, OperatorReturn
from ..selection import edited_geometries, shown_geometry
from ..shading import draw_what_is_not_shown
from .properties import MosaicProperties, trouble_of
from .swatches import draw_swatches


class MOSAIC_OT_reset_appearance(MosaicOperator):
    """Give the selected objects the representation, colours and numbers of their file again"""

    bl_idname = "mosaic.reset_appearance"
    bl_label = "Reset to File"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if any(has(obj, RECORD) for obj in appearance.editable(edited_geometries(context))):
            return True
        cls.poll_message_set("Select objects that were opened from a session and are not linked from another file")
        return False

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        for trouble in appearance.reset_appearance(edited_geometries(context)):
            self.report({"WARNING"}, trouble)
        return {"FINISHED"}


class Section:
    """Base class of the panels: a place in the sidebar, and a layout that is disabled for linked objects."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Mosaic"

    def begin(self, context: bpy.types.Context) -> tuple[bpy.types.UILayout, MosaicProperties, bpy.types.Object]:
        column = self.layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        shown = shown_geometry(context)
        assert shown is not None  # poll has seen to it
        column.enabled = shown.is_editable
        return column, context.scene.mosaic_properties, shown


class MOSAIC_PT_properties(Section, bpy.types.Panel):
    """Representation, colour and size of the active object, for all selected ones"""

    bl_label = "Properties"
    bl_order = 20

    def draw(self, context: bpy.types.Context) -> None:
        chosen = edited_geometries(context)
        if not chosen:
            self.layout.label(text="No object selected", icon="INFO")
            return
        more = f" and {len(chosen) - 1} more" if len(chosen) > 1 else ""
        row = self.layout.row()
        row.label(text=f"{name_of(chosen[0])}{more}")
        overlay = getattr(context.space_data, "overlay", None)
        if overlay is not None:  # the orange outline hides the colours of points
            row.prop(overlay, "show_outline_selected", text="", icon="MESH_CIRCLE")
        column, properties, shown = self.begin(context)
        if not column.enabled:
            self.layout.label(text="Linked from another file", icon="LIBRARY_DATA_DIRECT")
        representation = representation_of(shown)
        if representation is None:
            column.label(text="Its Mosaic modifier is missing", icon="ERROR")
        else:
            row = column.row()
            row.active = modifier_that_places(shown) is None  # else an own shape is shown
            row.prop(properties, "representation", text="Show As")
            trouble = trouble_of(shown)
            if trouble is not None:
                column.label(text=trouble, icon="ERROR")
            row = column.row()
            row.active = representation == "pointcloud"
            row.prop(properties, "size")
        if appearance.base_color_of(shown) is None:
            column.label(text="Its Mosaic material is missing", icon="ERROR")
        else:
            column.prop(properties, "opacity", slider=True)
            plain = column.column()
            plain.active = coloring_of(shown) is None
            plain.prop(properties, "base_color", text="Colour")
            draw_swatches(plain)
        if representation is not None:
            points = column.column(heading="Points")
            spheres, on_screen = points.row(), points.row()
            spheres.active = representation == "pointcloud"
            spheres.prop(properties, "render_spheres", text="Spheres")
            on_screen.active = representation in ("pointcloud", "wireframe")
            on_screen.prop(properties, "on_screen")
            row = column.row()
            row.active = representation in POINT_REPRESENTATIONS or input_of(shown, VIEW_SURFACE) is not None
            row.prop(properties, "viewport_amount", slider=True)
        column.operator(MOSAIC_OT_reset_appearance.bl_idname, icon="LOOP_BACK")


class Part(Section):
    """Base class of the panels within Properties, for the objects to which they belong."""

    bl_parent_id = "MOSAIC_PT_properties"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        shown = shown_geometry(context)
        return shown is not None and cls.belongs_to(shown)

    @classmethod
    def belongs_to(cls, obj: bpy.types.Object) -> bool:
        raise NotImplementedError


class MOSAIC_PT_lighting(Part, bpy.types.Panel):
    """How the surface answers to light"""

    bl_label = "Lighting"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def belongs_to(cls, obj: bpy.types.Object) -> bool:
        return appearance.base_color_of(obj) is not None

    def draw(self, context: bpy.types.Context) -> None:
        column, properties, _ = self.begin(context)
        for name in ("ambient", "diffuse", "specular"):
            column.prop(properties, name, slider=True)


class MOSAIC_MT_color_property(bpy.types.Menu):
    """What the selected objects can be coloured by"""

    bl_label = "Colour By"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.operator_context = "EXEC_DEFAULT"
        layout.operator(MOSAIC_OT_uncolor.bl_idname)
        layout.separator()
        current = coloring_of(shown_geometry(context))
        for name in colorable(edited_geometries(context)):
            button = layout.operator(MOSAIC_OT_color_by.bl_idname, text=name)
            button.vertex_property = name
            button.range = "ALL"
            if current is not None and current.color_map is not None:
                button.color_map, button.reverse, button.gamma = current.color_map, current.reverse, current.gamma
            else:
                button.color_map = preferred_map(context)


class MOSAIC_PT_color_by(Part, bpy.types.Panel):
    """What the active object is coloured by"""

    bl_label = "Colour by Property"

    @classmethod
    def belongs_to(cls, obj: bpy.types.Object) -> bool:
        return bool(colorable([obj])) and appearance.base_color_of(obj) is not None

    def draw(self, context: bpy.types.Context) -> None:
        column, properties, shown = self.begin(context)
        coloring = coloring_of(shown)
        text = "Base Colour" if coloring is None else coloring.property
        split = column.split(factor=0.4)
        label = split.row()
        label.alignment = "RIGHT"
        label.label(text="Property")
        split.menu(MOSAIC_MT_color_property.__name__, text=text)
        if coloring is not None:
            draw_what_is_not_shown(column, context)
        if coloring is None or coloring.property == VERTEX_COLORS:
            return
        column.prop(properties, "color_map")
        range_column = column.column(align=True)
        range_column.prop(properties, "low")
        range_column.prop(properties, "high")
        column.prop(properties, "gamma")
        column.prop(properties, "reverse")
        if appearance.number_of(shown, "categories") is not None:
            column.prop(properties, "categories")
        button = column.operator(MOSAIC_OT_color_by.bl_idname, text="Range from Values\u2026")
        button.vertex_property = coloring.property
        button.color_map, button.reverse, button.gamma = coloring.color_map, coloring.reverse, coloring.gamma


class MOSAIC_OT_remake_membrane(MosaicOperator):
    """Make the membrane surfaces of the selected objects anew from their points, and give them the points' thickness"""

    bl_idname = "mosaic.remake_membrane"
    bl_label = "Remake from Points"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if any(map(has_membrane, appearance.editable(edited_geometries(context)))):
            return True
        cls.poll_message_set("Select objects that have a membrane surface and are not linked from another file")
        return False

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        for obj in appearance.editable(edited_geometries(context)):
            trouble = make_membrane(obj) if has_membrane(obj) else ""
            if trouble:
                self.report({"WARNING"}, trouble)
        return {"FINISHED"}


class MOSAIC_PT_membrane(Part, bpy.types.Panel):
    """How the surface around the points is drawn"""

    bl_label = "Membrane Surface"

    @classmethod
    def belongs_to(cls, obj: bpy.types.Object) -> bool:
        return representation_of(obj) == MEMBRANE_SURFACE

    def draw(self, context: bpy.types.Context) -> None:
        column, properties, _ = self.begin(context)
        column.prop(properties, "smoothing")
        column.prop(properties, "thickness")
        column.operator(MOSAIC_OT_remake_membrane.bl_idname, icon="FILE_REFRESH")


class MOSAIC_PT_volume_properties(Part, bpy.types.Panel):
    """What the volume is contoured by"""

    bl_label = "Volume"

    @classmethod
    def belongs_to(cls, obj: bpy.types.Object) -> bool:
        return volume_mesh(obj) is not None

    def draw(self, context: bpy.types.Context) -> None:
        column, properties, shown = self.begin(context)
        mesh = volume_mesh(shown)
        assert mesh is not None  # poll has seen to it
        row = column.row()
        row.active = PERCENTILE.read(mesh) is not None
        row.prop(properties, "isovalue_percentile", slider=True)
        column.prop(properties, "automatic_isovalue", text="Automatic")
        column.prop(properties, "target_resolution")
        trouble = trouble_of(mesh)
        if trouble is not None:
            column.label(text=trouble, icon="ERROR")


class MOSAIC_PT_trajectory(Part, bpy.types.Panel):
    """When the frames of the trajectory are shown"""

    bl_label = "Trajectory"

    @classmethod
    def belongs_to(cls, obj: bpy.types.Object) -> bool:
        return appearance.number_of(obj, "start") is not None

    def draw(self, context: bpy.types.Context) -> None:
        column, properties, shown = self.begin(context)
        count = len(frames_of(shown))
        if count:
            is_playing = context.screen is not None and context.screen.is_animation_playing
            number = frame_at(shown, count, context.scene.frame_current)
            row = column.row(align=True)
            row.label(text=f"Frame {number + 1} of {count}")
            row.operator("screen.frame_jump", text="", icon="REW").end = False
            row.operator("screen.animation_play", text="", icon="PAUSE" if is_playing else "PLAY")
        for name in ("start", "step", "loop"):
            column.prop(properties, name)


class MOSAIC_PT_sampling(Part, bpy.types.Panel):
    """The voxel size that the geometry was made with"""

    bl_label = "Sampling"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def belongs_to(cls, obj: bpy.types.Object) -> bool:
        return appearance.sampling_rate_of(obj) is not None

    def draw(self, context: bpy.types.Context) -> None:
        column, properties, _ = self.begin(context)
        column.prop(properties, "sampling_rate")
