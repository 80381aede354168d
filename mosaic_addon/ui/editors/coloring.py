"""Colouring by a vertex property, in the Material tab: the selected objects in one range."""

from collections.abc import Iterator

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty

from ...scene.drawing.appearance import is_geometry
from ...scene.drawing.coloring import DEFAULT_MAP, color_by, colorable, coloring_of, uncolor
from ..additions import Addition, state_forgotten
from ..preferences import COLOR_MAPS, preferred_map
from ..reports import MosaicOperator, OperatorReturn
from ..selection import edited_geometries

RANGES = (
    ("ALL", "All Values", "From the least to the greatest value of all selected objects"),
    ("QUANTILES", "Quantiles", "Between two quantiles of the values of all selected objects"),
    ("ABSOLUTE", "Absolute", "Between two values"),
)
_shown: list[tuple[str, str, str]] = []  # kept here, as Blender does not keep the texts of a menu


def _properties(operator: bpy.types.Operator, context: bpy.types.Context | None) -> list[tuple[str, str, str]]:
    if context is not None:
        _shown[:] = [(name, name, "") for name in colorable(edited_geometries(context))]
    return _shown or [("", "none", "")]


class MOSAIC_OT_color_by(MosaicOperator):
    """Colour the selected objects by one of their vertex properties"""

    bl_idname = "mosaic.color_by"
    bl_label = "Colour by Property"
    bl_options = {"REGISTER", "UNDO"}

    vertex_property: EnumProperty(name="Property", description="The vertex property", items=_properties)
    color_map: EnumProperty(
        name="Map",
        description="One of Mosaic's colour maps",
        items=COLOR_MAPS,
        default=DEFAULT_MAP,
    )
    reverse: BoolProperty(name="Reverse", description="Turn the map round")
    range: EnumProperty(name="Range", description="What the ends of the map stand for", items=RANGES)
    low: FloatProperty(name="From", description="The value of the first colour", default=0.0)
    high: FloatProperty(name="To", description="The value of the last colour", default=1.0)
    low_quantile: FloatProperty(name="From", description="Fraction of the values below", default=0.02, min=0, max=1)
    high_quantile: FloatProperty(name="To", description="Fraction of the values below", default=0.98, min=0, max=1)
    gamma: FloatProperty(name="Gamma", description="Above 1 brings out the low end", default=1.0, min=0.01, soft_max=5)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if colorable(edited_geometries(context)):
            return True
        cls.poll_message_set("Select objects that have vertex properties")
        return False

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        for name in ("vertex_property", "color_map", "reverse", "range"):
            layout.prop(self, name)
        if self.range == "ABSOLUTE":
            layout.prop(self, "low")
            layout.prop(self, "high")
        elif self.range == "QUANTILES":
            layout.prop(self, "low_quantile")
            layout.prop(self, "high_quantile")
        layout.prop(self, "gamma")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorReturn:
        if not self.properties.is_property_set("color_map"):
            self.color_map = preferred_map(context)
        return context.window_manager.invoke_props_dialog(self)

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        color_by(
            edited_geometries(context),
            self.vertex_property,
            self.color_map,
            value_range=(self.low, self.high) if self.range == "ABSOLUTE" else None,
            quantiles=(self.low_quantile, self.high_quantile) if self.range == "QUANTILES" else None,
            gamma=self.gamma,
            reverse=self.reverse,
        )
        return {"FINISHED"}


class MOSAIC_OT_uncolor(MosaicOperator):
    """Show the base colour of the selected objects again"""

    bl_idname = "mosaic.uncolor"
    bl_label = "Base Colour"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if any(coloring_of(obj) for obj in edited_geometries(context)):
            return True
        cls.poll_message_set("No selected object is coloured by a property")
        return False

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        uncolor(edited_geometries(context))
        return {"FINISHED"}


class MOSAIC_PT_coloring(bpy.types.Panel):
    """What the active object is coloured by"""

    bl_label = "Mosaic Colour"
    bl_space_type = "PROPERTIES"
    bl_region_type = "WINDOW"
    bl_context = "material"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return is_geometry(context.object)

    def draw(self, context: bpy.types.Context) -> None:
        coloring = coloring_of(context.object)
        text = "Base colour" if coloring is None else f"By {coloring.property}"
        if coloring is not None and coloring.color_map:
            text += f", {coloring.color_map}"
        self.layout.label(text=text)
        row = self.layout.row(align=True)
        row.operator(MOSAIC_OT_color_by.bl_idname)
        row.operator(MOSAIC_OT_uncolor.bl_idname)


def additions() -> Iterator[Addition]:
    """The texts of the menu of vertex properties."""
    yield state_forgotten(_shown.clear)
