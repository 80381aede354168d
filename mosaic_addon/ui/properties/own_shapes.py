"""The panel Own Shape: an object or collection of the .blend stands at each point of the selected objects."""

import bpy
from bpy.props import EnumProperty, FloatProperty, StringProperty

from ...scene.compat import ModifierInputs
from ...scene.drawing.own_shapes import INPUTS, OwnShape, clear_own_shape, modifier_that_places, set_own_shape
from ...scene.drawing.representations import POINTS, VOLUME, group_of
from ...session import MosaicError
from ..reports import MosaicOperator, OperatorReturn
from ..selection import edited_geometries
from .panel import Part


class MOSAIC_OT_set_own_shape(MosaicOperator):
    """Put an object or collection of the .blend, such as a protein, at each point, turned as the point is"""

    bl_idname = "mosaic.set_own_shape"
    bl_label = "Own Shape"
    bl_options = {"REGISTER", "UNDO"}

    kind: EnumProperty(
        name="Kind",
        items=(("OBJECT", "Object", "A single object"), ("COLLECTION", "Collection", "All objects of a collection")),
        default="OBJECT",
    )
    shape: StringProperty(name="Shape", description="Its name")
    scale: FloatProperty(
        name="Angstrom a Unit", description="How long one unit of the shape is", default=1.0, min=1e-6, soft_max=1e4
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorReturn:
        return context.window_manager.invoke_props_dialog(self)

    def draw(self, context: bpy.types.Context) -> None:
        self.layout.use_property_split = True
        self.layout.row().prop(self, "kind", expand=True)
        self.layout.prop_search(self, "shape", bpy.data, "objects" if self.kind == "OBJECT" else "collections")
        self.layout.prop(self, "scale")

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        known = bpy.data.objects if self.kind == "OBJECT" else bpy.data.collections
        shape = known.get(self.shape)
        if shape is None:
            raise MosaicError(f"There is no {self.kind.lower()} {self.shape!r}; choose one of the .blend.")
        set_own_shape(edited_geometries(context), OwnShape(shape, self.scale))
        return {"FINISHED"}


class MOSAIC_OT_clear_own_shape(MosaicOperator):
    """Draw the selected objects by their representation again"""

    bl_idname = "mosaic.clear_own_shape"
    bl_label = "Remove Shape"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        clear_own_shape(edited_geometries(context))
        return {"FINISHED"}


class MOSAIC_PT_own_shape(Part, bpy.types.Panel):
    """What stands at each point in place of the representation"""

    bl_label = "Own Shape"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def belongs_to(cls, obj: bpy.types.Object) -> bool:
        return group_of(obj) in (POINTS, VOLUME)

    def draw(self, context: bpy.types.Context) -> None:
        column, _, obj = self.begin(context)
        modifier = modifier_that_places(obj)
        row = column.row(align=True)
        row.operator(MOSAIC_OT_set_own_shape.bl_idname, text="Put a Shape at Each Point...", icon="OBJECT_DATA")
        if modifier is None or modifier.node_group is None:
            return
        row.operator(MOSAIC_OT_clear_own_shape.bl_idname, text="", icon="X")
        sockets = ModifierInputs(modifier.node_group)
        for name in INPUTS.values():
            sockets.draw(column, modifier, name)
