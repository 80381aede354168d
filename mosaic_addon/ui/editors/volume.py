"""The isosurface of a volume, in the Data tab. A change computes the surface anew."""

import bpy
from bpy.props import BoolProperty, FloatProperty

from ...scene.drawing.surfaces import contour_again, shown_at, volume_mesh
from ...scene.keys import PERCENTILE, SHAPE
from ..reports import MosaicOperator, OperatorReturn

DEFAULT_PERCENTILE = 99.5
TIPS = {
    "automatic": "The isovalue that Mosaic takes where none was chosen: 99.5 percent of the smoothed volume",
    "isovalue_percentile": "Percent of the volume's values that lie below the surface",
    "target_resolution": "Angstrom that the volume is smoothed to before; nothing is smoothed below the voxel size",
}


class MOSAIC_OT_contour_volume(MosaicOperator):
    """Show the volume at another isovalue or resolution, as Mosaic computes it"""

    bl_idname = "mosaic.contour_volume"
    bl_label = "Contour Volume"
    bl_options = {"REGISTER", "UNDO"}

    automatic: BoolProperty(
        name="Mosaic's Choice",
        description=TIPS["automatic"],
        default=False,
    )
    isovalue_percentile: FloatProperty(
        name="Isovalue Percentile",
        description=TIPS["isovalue_percentile"],
        default=DEFAULT_PERCENTILE,
        min=0,
        max=100,
        precision=2,
    )
    target_resolution: FloatProperty(
        name="Target Resolution",
        description=TIPS["target_resolution"],
        default=10.0,
        min=0,
        soft_max=100,
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if _mesh(context) is not None:
            return True
        cls.poll_message_set("Make an object active that shows a volume")
        return False

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorReturn:
        mesh = _mesh(context)
        assert mesh is not None  # poll has seen to it
        self.automatic = PERCENTILE.read(mesh) is None
        percentile, self.target_resolution = shown_at(mesh)
        self.isovalue_percentile = DEFAULT_PERCENTILE if percentile is None else percentile
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        percentile = None if self.automatic else self.isovalue_percentile
        contour_again(_mesh(context), percentile, self.target_resolution)
        return {"FINISHED"}


class MOSAIC_PT_volume(bpy.types.Panel):
    """What a volume is contoured by"""

    bl_label = "Mosaic Volume"
    bl_space_type = "PROPERTIES"
    bl_region_type = "WINDOW"
    bl_context = "data"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _mesh(context) is not None

    def draw(self, context: bpy.types.Context) -> None:
        mesh = _mesh(context)
        assert mesh is not None  # poll has seen to it
        column = self.layout.column()
        shape = " x ".join(map(str, SHAPE.read(mesh) or ()))
        percentile, resolution = shown_at(mesh)
        column.label(text=f"{shape} voxels")
        column.label(text="Isovalue: Mosaic's choice" if percentile is None else f"Isovalue: {percentile:.2f} percent")
        column.label(text=f"Target resolution: {resolution:.1f} angstrom")
        column.operator(MOSAIC_OT_contour_volume.bl_idname)


def _mesh(context: bpy.types.Context) -> bpy.types.Mesh | None:
    """The mesh with the volume that the active object shows; None if it shows none."""
    return None if context.object is None else volume_mesh(context.object)
