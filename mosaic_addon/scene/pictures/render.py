"""Rendering a scene to a file."""

import os
from pathlib import Path
from typing import Any, Literal

import bpy

from ...session.errors import MosaicError
from ..compat import EEVEE, cycles_of
from .options import RenderOptions

# The engines' names in Blender: Any, as the type stubs know only those that are built in.
ENGINES: dict[str, Any] = {"cycles": "CYCLES", "eevee": EEVEE, "workbench": "BLENDER_WORKBENCH"}
Format = Literal["PNG", "JPEG", "OPEN_EXR"]
FORMATS: dict[str, Format] = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".exr": "OPEN_EXR"}


def set_up_render(scene: bpy.types.Scene, options: RenderOptions) -> None:
    """Set the engine, size and quality of a scene's picture."""
    render = scene.render
    render.engine = ENGINES[options.engine]
    render.resolution_x, render.resolution_y = options.size
    render.resolution_percentage = 100
    cycles = cycles_of(scene)
    cycles.samples = options.samples
    cycles.use_denoising = False  # it stains a plain background, and not every Blender has it
    cycles.adaptive_threshold = 0.02
    cycles.adaptive_min_samples = min(options.samples, 8)
    cycles.use_light_tree = False  # there are three lamps
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 3, 3, 1
    cycles.sample_clamp_indirect = 3
    scene.eevee.taa_render_samples = options.samples
    shading = scene.display.shading
    shading.light = "STUDIO"
    shading.color_type = "MATERIAL"
    shading.background_type = "VIEWPORT"
    shading.background_color = (1, 1, 1)


def show_frame(scene: bpy.types.Scene, number: int) -> None:
    """Go to the scene frame at which trajectories that start with the scene show a frame. number: of it, from 0."""
    scene.frame_set(scene.frame_start + number)


def image_format(path: str | os.PathLike[str]) -> Format:
    """Return Blender's format for the suffix of a picture. Raises MosaicError for another suffix."""
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise MosaicError(f"{os.fspath(path)} must end in one of {', '.join(FORMATS)}.")
    return FORMATS[suffix]


def render_to(scene: bpy.types.Scene, path: str | os.PathLike[str]) -> None:
    """Render the current scene frame into a file, whose suffix gives the format.

    Raises MosaicError when the picture cannot be written, and for an unknown suffix.
    """
    target = Path(path).absolute()
    settings = scene.render.image_settings
    settings.file_format = image_format(target)
    if not target.parent.is_dir():
        raise MosaicError(f"{target} cannot be written: its folder does not exist.")
    alpha = scene.render.film_transparent and settings.file_format != "JPEG"
    settings.color_mode = "RGBA" if alpha else "RGB"
    scene.render.use_file_extension = False
    scene.render.filepath = str(target)
    try:
        bpy.ops.render.render(write_still=True, scene=scene.name)
    except RuntimeError as error:
        raise MosaicError(f"{target} cannot be rendered: {error}") from error
