"""Looks of a whole scene, after Mosaic's lighting modes: how surfaces are shaded, the lamps, the world, lines at edges.

A look marks what it adds to a scene, and the next look removes it; what it takes over of the scene is kept, and given
back with the last look. No material is changed: all share one shader group, in which the look is set, so there is one
look per .blend and not per scene.
"""

import bpy
import numpy as np
from numpy.typing import NDArray

from ...session.errors import MosaicError
from ..compat import cycles_of
from ..drawing.color_maps import to_scene
from ..drawing.ink import set_ink_display, set_paper
from ..drawing.materials import Shading, set_shading
from ..keys import LOOK_NAME
from .camera import IN_FRONT, visible_points
from .former import give_back, has_look, show_in_preview, take_over
from .lighting import add_lamps, remove_lamps, remove_world, set_world
from .options import BACKGROUNDS, LAMPLIT, LOOKS, OUTLINED
from .silhouettes import draw_edges, remove_edges

# In parts of the longest side of all that is rendered:
REACH = 0.08  # distance within which surfaces darken each other in Poster
PAPER, CLAY = (0.94, 0.94, 0.94), (0.62, 0.50, 0.42)  # scene values
TRANSPARENT_BOUNCES = 64  # transparent surfaces that a ray goes through
EDGE_STEP = 0.02  # difference of depth at which a line is drawn in Silhouettes


def apply_look(
    scene: bpy.types.Scene, look: str = "full", background: str = "white", camera: bpy.types.Object | None = None
) -> list[str]:
    """Give the scene a look instead of the one that it has.

    look: one of LOOKS. background: one of BACKGROUNDS. camera: the lamps turn with it; the scene's by default. Returns
    sentences that say which lamps were hidden for it. Raises MosaicError for an unknown look or background.
    """
    for what, name, known in (("look", look, LOOKS), ("background", background, BACKGROUNDS)):
        if name not in known:
            raise MosaicError(f"The {what} {name!r} is none of {', '.join(known)}.")
    # Display values are made by nodes, which Workbench does not ask.
    display = look == "flat" and scene.render.engine != "BLENDER_WORKBENCH"
    camera = camera or scene.camera
    scene.view_layers[0].update()  # so that world matrices are those of what was just moved
    points = visible_points(scene.objects)
    extent = float(np.ptp(points, axis=0).max()) if len(points) else 1.0
    if look in OUTLINED:
        near = 2 * IN_FRONT * camera.data.clip_start if camera is not None else 0.0
        depths = _depths(points, camera)
        draw_edges(scene, near, depths[1] + extent, EDGE_STEP * extent, depths if look == "ink" else None)
    else:
        remove_edges(scene)
    said = take_over(scene)
    remove_lamps(scene)
    if look in LAMPLIT:
        add_lamps(scene, camera)
    set_shading(_shading(look, extent, _depths(points, camera), display))
    set_ink_display(display)
    _set_background(scene, background, display)
    scene.display.shading.light = "FLAT" if look == "flat" else "STUDIO"  # of Workbench
    cycles = cycles_of(scene)
    if cycles is not None:
        # A ray that ends at random on a transparent surface leaves noise, and its depth is drawn by Silhouettes.
        cycles.min_transparent_bounces = TRANSPARENT_BOUNCES
        cycles.transparent_max_bounces = max(cycles.transparent_max_bounces, TRANSPARENT_BOUNCES)
        # In pixels: the edges of Mosaic's flat pictures are hard.
        cycles.filter_width = 1.0 if look == "flat" else 1.5
    # So that display colours come out exactly as they were put in.
    scene.view_settings.view_transform = "Raw" if display else "Standard"
    scene.view_settings.look = "None"
    scene.view_settings.exposure, scene.view_settings.gamma = 0, 1
    scene.render.dither_intensity = 0
    LOOK_NAME.write(scene, look)
    show_in_preview(look)
    return said


def look_of(scene: bpy.types.Scene) -> str | None:
    """Return which of LOOKS a scene has; None for none."""
    name = LOOK_NAME.read(scene)
    return name if has_look(scene) and name in LOOKS else None


def background_of(scene: bpy.types.Scene) -> str:
    """Return which of BACKGROUNDS a scene has, or that is nearest to what it has."""
    if scene.render.film_transparent:
        return "transparent"
    return "dark" if scene.world is not None and np.array(scene.world.color).mean() < 0.5 else "white"


def set_background(scene: bpy.types.Scene, background: str) -> None:
    """Change the background of a scene with a look; without one, only whether it is transparent.

    background: one of BACKGROUNDS.
    """
    if has_look(scene):
        _set_background(scene, background, scene.view_settings.view_transform == "Raw")
    else:
        scene.render.film_transparent = background == "transparent"
        set_paper(BACKGROUNDS[background_of(scene)])


def _set_background(scene: bpy.types.Scene, background: str, display: bool) -> None:
    """Give a scene's world a background. display: in display values, for the view transform Raw."""
    color = BACKGROUNDS[background]
    values = color if display else tuple(to_scene(np.array(color)).tolist())
    set_world(scene, values)
    set_paper(color)
    scene.display.shading.background_color = values  # of Workbench
    scene.render.film_transparent = background == "transparent"


def remove_look(scene: bpy.types.Scene) -> None:
    """Give a scene back the lamps, world, colours and engine that it had before its first look."""
    if not has_look(scene):
        return
    remove_edges(scene)
    remove_lamps(scene)
    remove_world(scene)
    set_shading(Shading())
    set_ink_display(False)
    scene.pop(LOOK_NAME, None)
    give_back(scene)
    set_paper(BACKGROUNDS[background_of(scene)])


def _shading(look: str, extent: float, depths: tuple[float, float], display: bool) -> Shading:
    """How a look shades surfaces.

    extent: the longest side of all that is rendered. depths: of the nearest and farthest part of it, from the camera.
    Both in Blender units. display: give display values.
    """
    if look == "poster":
        return Shading(lit=False, occlusion=1.0, reach=REACH * extent)
    if look == "glass":
        return Shading(glass=True, roughness=0.2)
    if look == "ink":
        return Shading(lit=False, headlight=True, one_color=PAPER, fade=depths)
    if look == "clay":
        return Shading(one_color=CLAY, roughness=0.9)
    return Shading(lit=look == "full", headlight=look in ("simple", "silhouettes"), display=display)


def _depths(points: NDArray[np.float64], camera: bpy.types.Object | None) -> tuple[float, float]:
    """The distances from the camera to the nearest and farthest of the points, (n, 3); 0 without points or camera."""
    if camera is None or not len(points):
        return 0.0, 0.0
    distances = np.linalg.norm(points - np.array(camera.matrix_world.translation), axis=1)
    return float(distances.min()), float(distances.max())
