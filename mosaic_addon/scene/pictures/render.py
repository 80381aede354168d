"""Rendering a scene to a file."""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO, Literal

import bpy

from ...session.atomic_write import find_target, replace_file
from ...session.errors import MosaicError
from ..compat import EEVEE, cycles_of
from ..drawing.facts import frames_of
from .image_files import is_whole
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


def show_frame(scene: bpy.types.Scene, number: int, objects: Iterable[bpy.types.Object]) -> None:
    """Go to the scene frame at which trajectories that start with the scene show a frame.

    number: of it, from 0. objects: those in the picture. Raises MosaicError if none of them has such a frame.
    """
    count = max((len(frames_of(obj)) for obj in objects), default=0)
    if not count:
        raise MosaicError(f"There is no frame {number}, as the session has no trajectory.")
    if not 0 <= number < count:
        raise MosaicError(f"There is no frame {number}: frames go from 0 to {count - 1}.")
    scene.frame_set(scene.frame_start + number)


def check_picture(path: str | os.PathLike[str]) -> None:
    """Raise MosaicError if no picture can be written to a path: for its suffix, its folder or what is there."""
    _format_of(path)
    try:
        find_target(path)
    except MosaicError as error:
        raise MosaicError(f"{os.fspath(path)} {error}") from error


def render_to(scene: bpy.types.Scene, path: str | os.PathLike[str]) -> None:
    """Render the current scene frame into a file, whose suffix gives the format.

    Raises MosaicError when the picture cannot be written, with an old one there as it was, and for an unknown suffix.
    """
    check_picture(path)
    settings = scene.render.image_settings
    settings.file_format = _format_of(path)
    alpha = scene.render.film_transparent and settings.file_format != "JPEG"
    settings.color_mode = "RGBA" if alpha else "RGB"
    scene.render.use_file_extension = False
    before = scene.render.filepath
    try:
        # In a folder of its own, since Blender puts other text for {} and # in a path and cuts it at 1023 bytes.
        with tempfile.TemporaryDirectory() as folder:
            made = os.path.join(folder, "picture")
            scene.render.filepath = made
            bpy.ops.render.render(write_still=True, scene=scene.name)
            picture = Path(made).read_bytes() if os.path.exists(made) else b""
    except (OSError, RuntimeError) as error:
        reason = " ".join(str(error).split()).removeprefix("Error: ")
        raise MosaicError(f"{os.fspath(path)} cannot be rendered: {reason}") from error
    finally:
        scene.render.filepath = before
    if not is_whole(picture):
        raise MosaicError(
            f"{os.fspath(path)} is not written, as Blender made only a part of it; the disk with the folder for "
            f"temporary files, {tempfile.gettempdir()}, may be full."
        )

    def write(file: BinaryIO) -> None:
        file.write(picture)

    try:
        replace_file(path, write, backup=False)
    except MosaicError as error:
        raise MosaicError(f"{os.fspath(path)} {error}") from error


def _format_of(path: str | os.PathLike[str]) -> Format:
    """Return Blender's format for the suffix of a picture. Raises MosaicError for another suffix."""
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise MosaicError(f"{os.fspath(path)} must end in one of {', '.join(FORMATS)}.")
    return FORMATS[suffix]
