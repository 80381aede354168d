"""Which cuts leave the selected objects alone."""

import bpy
from bpy.props import BoolProperty, StringProperty

from ...scene.figures.cuts import KIND, refresh, spare, spared_by
from ...scene.figures.overlay import items_of
from ...session import MosaicError
from ..reports import OperatorReturn
from ..selection import first_chosen
from .targets import OnChosen, target_of

ALL = "Every cut of the scene"


class MOSAIC_OT_spare_from_cut(OnChosen):
    """Let a cut leave the selected objects whole, or cut them again"""

    bl_idname = "mosaic.spare_from_cut"
    bl_label = "Spare from Cut"
    bl_options = {"REGISTER", "UNDO"}

    cut: StringProperty(name="Cut", description=f"Name of the cut. {ALL} where it is empty")
    spared: BoolProperty(name="Spare", description="Leave them whole, or else cut them", default=True)

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        what = f"{properties.cut!r}" if properties.cut else ALL
        return f"{what} leaves the selected objects whole" if properties.spared else f"{what} cuts the selected objects"

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        objects = self.targets(context)
        refresh(context.scene)
        cuts = [cut for cut in items_of(context.scene, KIND) if self.cut in ("", cut.name)]
        if not cuts:
            raise MosaicError(f"There is no cut {self.cut!r}." if self.cut else "The scene has no cut.")
        for cut in cuts:
            spare(objects, cut, self.spared)
        return {"FINISHED"}


class MOSAIC_MT_cuts(bpy.types.Menu):
    """The cuts, ticked where they cut the object"""

    bl_label = "Cuts"

    def draw(self, context: bpy.types.Context) -> None:
        first = target_of(context)
        obj = first if isinstance(first, bpy.types.Object) else first_chosen(context)
        for cut in items_of(context.scene, KIND):
            try:
                is_spared = obj is not None and bool(spared_by(cut, [obj]))
            except MosaicError:  # a copy, which cuts after the next change of cuts
                is_spared = False
            icon = "CHECKBOX_DEHLT" if is_spared else "CHECKBOX_HLT"
            entry = self.layout.operator(MOSAIC_OT_spare_from_cut.bl_idname, text=cut.name, icon=icon)
            entry.cut, entry.spared = cut.name, not is_spared
