"""Looks of a whole scene, after Mosaic's lighting modes: how surfaces are shaded, the lamps, the world, lines at edges.

A look owns what it puts into a scene, all of it marked, and the next look takes it away. No material is touched: all of
them share one shader group, and the look is set in there. So it is one look per .blend, not per scene.
"""

import bpy
import numpy as np

from ..session.errors import MosaicError
from .camera import visible_points
from .lighting import add_lamps, remove_lamps, set_world
from .materials import Shading, set_shading, srgb_to_linear

LOOKS = ("simple", "full", "flat", "poster", "silhouettes")
# Display values; the dark one is Mosaic's own.
BACKGROUNDS = {"white": (1.0, 1.0, 1.0), "dark": (0.094, 0.094, 0.106), "transparent": (1.0, 1.0, 1.0)}


def apply_look(
    scene: bpy.types.Scene, look: str = "full", background: str = "white", camera: bpy.types.Object | None = None
) -> None:
    """Show the scene as one of LOOKS in front of one of BACKGROUNDS, in the place of the look it has.

    camera: what the lamps turn with, the scene's by default. Raises MosaicError for an unknown look or background.
    """
    for what, name, known in (("look", look, LOOKS), ("background", background, tuple(BACKGROUNDS))):
        if name not in known:
            raise MosaicError(f"The {what} {name!r} is none of {', '.join(known)}.")
    camera = camera or scene.camera
    remove_lamps(scene)
    if look == "full":
        add_lamps(scene, camera)
    set_shading(_shading(scene, look))
    set_world(scene, BACKGROUNDS[background] if look == "flat" else srgb_to_linear(BACKGROUNDS[background]))
    scene.render.film_transparent = background == "transparent"
    # Display colours come out as they were put in, to the last digit.
    scene.view_settings.view_transform = "Raw" if look == "flat" else "Standard"
    scene.view_settings.look = "None"
    scene.view_settings.exposure, scene.view_settings.gamma = 0, 1
    scene.render.dither_intensity = 0


def _shading(scene: bpy.types.Scene, look: str) -> Shading:
    if look == "poster":
        return Shading(lit=False, occlusion=0.8, reach=0.05 * _extent(scene))
    return Shading(lit=look == "full", headlight=look in ("simple", "silhouettes"), display=look == "flat")


def _extent(scene: bpy.types.Scene) -> float:
    """The longest side of all that is rendered, in Blender units."""
    points = visible_points(scene.objects)
    return float(np.ptp(points, axis=0).max()) if len(points) else 1.0
