"""Cuts: the operators that add and change them, and how the panel shows one."""

from dataclasses import replace
from typing import Final, cast

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatVectorProperty, StringProperty
from mathutils import Vector

from ...scene.figures import cuts
from ...scene.figures.overlay import figure_collection, items_of
from ...scene.outline.tree import active_session, sessions_in
from ...session import MosaicError
from ..reports import MosaicOperator, OperatorReturn
from ..selection import choose

SHAPES: Final = (
    ("plane", "Plane", "Take away all on the side that its arrow points to", "MESH_PLANE", 0),
    ("box", "Box", "Take away what is in a box", "MESH_CUBE", 1),
    ("sphere", "Sphere", "Take away what is in a sphere", "MESH_UVSPHERE", 2),
)


class _CutSettings(MosaicOperator):
    """Base class of operators that set what a cut does."""

    shape: EnumProperty(name="Shape", items=SHAPES)
    invert: BoolProperty(name="Invert", description="Keep what it takes away, and take away the rest")
    whole: BoolProperty(
        name="Whole Points",
        description="Take away points and copies whose middle is taken away, and leave the others whole; otherwise "
        "they are sliced, which takes longer to render",
        default=True,
    )
    cap: BoolProperty(
        name="Cap", description="Show the inside of closed, opaque meshes in a colour, as if they were solid"
    )
    cap_color: FloatVectorProperty(
        name="Colour", description="Of the cap", subtype="COLOR_GAMMA", default=cuts.CAP_COLOR, min=0, max=1
    )

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.row().prop(self, "shape", expand=True)
        column = layout.column()
        column.use_property_split = True
        for name in ("invert", "whole", "cap"):
            column.prop(self, name)
        row = column.row()
        row.active = self.cap
        row.prop(self, "cap_color")

    def _change(self, cut: cuts.Cut) -> cuts.Cut:
        """Return a cut of the same place with these settings."""
        cap = cast(tuple[float, float, float], tuple(self.cap_color)) if self.cap else None
        return replace(cut, shape=self.shape, invert=self.invert, whole=self.whole, cap=cap)


class MOSAIC_OT_add_cut(_CutSettings):
    """Open what is visible of the session from the side that is looked at, by an empty that can be moved, turned, scaled and animated"""  # fmt: skip

    bl_idname = "mosaic.add_cut"
    bl_label = "Add Cut"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return next(tip for name, _, tip, _, _ in SHAPES if name == properties.shape) + ". It can be moved and animated"

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        session = session_of_figure(context)
        fitting = cuts.fitting_cut(session, self.shape, toward_viewer(context))
        obj = cuts.add_cut(context.scene, session, self._change(fitting))
        choose(context, [obj], obj)
        context.scene.mosaic_picture.active_item = figure_collection(context.scene).objects[:].index(obj)
        return {"FINISHED"}


class MOSAIC_OT_set_cut(_CutSettings):
    """Change what a cut does"""

    bl_idname = "mosaic.set_cut"
    bl_label = "Cut Settings"
    bl_options = {"REGISTER", "UNDO"}

    item: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorReturn:
        now = cuts.cut_of(self._cut(context))
        self.shape, self.invert, self.whole = now.shape, now.invert, now.whole
        self.cap = now.cap is not None
        self.cap_color = now.cap or cuts.CAP_COLOR
        return context.window_manager.invoke_props_dialog(self)

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        obj = self._cut(context)
        cuts.set_cut(obj, self._change(cuts.cut_of(obj)))
        return {"FINISHED"}

    def _cut(self, context: bpy.types.Context) -> bpy.types.Object:
        cuts.refresh(context.scene)
        found = next((obj for obj in items_of(context.scene, cuts.KIND) if obj.name == self.item), None)
        if found is None:
            raise MosaicError(f"There is no cut {self.item!r} any more.")
        return found


def session_of_figure(context: bpy.types.Context) -> bpy.types.Collection:
    """Return the active session, or the first of the scene. Raises MosaicError without one."""
    session = active_session(context) or next(iter(sessions_in(context.scene)), None)
    if session is None:
        raise MosaicError("There is no session in the scene.")
    return session


def draw_add_cut(layout: bpy.types.UILayout) -> None:
    """Draw the buttons that add a cut."""
    layout.label(text="Cut", icon="MOD_BOOLEAN")
    row = layout.row(align=True)
    for shape, label, _, icon, _ in SHAPES:
        row.operator(MOSAIC_OT_add_cut.bl_idname, text=label, icon=icon).shape = shape  # type: ignore[arg-type]


def draw_cut(layout: bpy.types.UILayout, obj: bpy.types.Object) -> None:
    """Draw what can be done with a cut."""
    layout.operator(MOSAIC_OT_set_cut.bl_idname, text="Cut Settings...", icon="PREFERENCES").item = obj.name
    row = layout.row(align=True)
    for spared, text in ((True, "Spare Selected"), (False, "Cut Selected")):
        button = row.operator("mosaic.spare_from_cut", text=text)
        button.cut, button.spared = obj.name, spared


def toward_viewer(context: bpy.types.Context) -> tuple[float, float, float]:
    """Return the direction to who looks at the 3D view, or else to the camera."""
    region = getattr(context.space_data, "region_3d", None)
    camera = context.scene.camera
    if region is not None:
        backward = region.view_rotation @ Vector((0, 0, 1))
    elif camera is not None:
        backward = camera.matrix_world.to_3x3() @ Vector((0, 0, 1))
    else:
        backward = Vector((0, 0, 1))
    return backward.x, backward.y, backward.z
