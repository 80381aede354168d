"""How large a session becomes in Blender: the properties that importing and the preferences share."""

from typing import Final

from bpy.props import BoolProperty, EnumProperty, FloatProperty

from ..scene.importing.options import DEFAULT_SCALE, SCALES

SCALE_ITEMS: Final = (
    *((name.upper(), f"1 unit = {scale.length}", scale.reason) for name, scale in SCALES.items()),
    ("CUSTOM", "Custom", "Give the angstrom of one unit"),
)


class Placement:
    """Base class of the operator and the preferences that have these properties."""

    scale: EnumProperty(name="Scale", description="How large a session becomes in Blender", items=SCALE_ITEMS)
    angstrom_per_unit: FloatProperty(
        name="Angstrom per Unit",
        description="Angstrom that one Blender unit stands for",
        default=DEFAULT_SCALE,
        min=1e-3,
        soft_max=1e5,
    )
    automatic_pixel_size: BoolProperty(
        name="Point Size as in Mosaic",
        description="Points look as large, beside the session, as in Mosaic's first view of it",
        default=True,
    )
    pixel_size: FloatProperty(
        name="Angstrom per Pixel",
        description="Angstrom that one of the screen pixels stands for in which Mosaic gives the size of points",
        default=4.0,
        min=1e-4,
        soft_max=1e3,
    )

    def chosen_scale(self) -> float:
        """Return the angstrom that one Blender unit stands for."""
        return self.angstrom_per_unit if self.scale == "CUSTOM" else SCALES[self.scale.lower()].angstrom_per_unit

    def chosen_pixel_size(self) -> float | None:
        """Return the angstrom that one of Mosaic's screen pixels stands for; None for that of its first view."""
        return None if self.automatic_pixel_size else self.pixel_size
