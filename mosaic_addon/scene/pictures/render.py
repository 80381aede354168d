"""Rendering a scene to a file."""

import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Literal

import bpy

from ...session.atomic_write import find_target, replace_file
from ...session.errors import MosaicError, one_line
from ..compat import EEVEE, compositing_tree, cycles_of
from ..drawing.facts import frames_of
from ..keys import PRINT_WIDTH
from .image_files import INCH, is_whole, with_density
from .options import ImageFile, RenderOptions

# The engines' names in Blender: Any, as the type stubs know only those that are built in.
ENGINE_NAMES: dict[str, Any] = {"cycles": "CYCLES", "eevee": EEVEE, "workbench": "BLENDER_WORKBENCH"}
Format = Literal["PNG", "JPEG", "TIFF", "OPEN_EXR"]
FORMATS: dict[str, Format] = {
    ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".tif": "TIFF", ".tiff": "TIFF", ".exr": "OPEN_EXR",
}  # fmt: skip
KEPT = (
    "media_type",
    "file_format",
    "color_mode",
    "color_depth",
    "quality",
)  # settings that a render leaves as they were


def set_up_render(scene: bpy.types.Scene, options: RenderOptions) -> None:
    """Set the engine, size and quality of a scene's picture."""
    override_render(scene, options.size, options.engine, options.samples, options.dpi)
    cycles = cycles_of(scene)
    cycles.use_denoising = False  # it stains a plain background, and not every Blender has it
    cycles.adaptive_threshold = 0.02
    cycles.adaptive_min_samples = min(options.samples, 8)
    cycles.use_light_tree = False  # there are three lamps
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 3, 3, 1
    cycles.sample_clamp_indirect = 3
    shading = scene.display.shading
    shading.light = "STUDIO"
    shading.color_type = "MATERIAL"
    shading.background_type = "VIEWPORT"
    shading.background_color = (1, 1, 1)


def override_render(
    scene: bpy.types.Scene,
    size: tuple[int, int] | None = None,
    engine: str | None = None,
    samples: int | None = None,
    dpi: float | None = None,
) -> None:
    """Change what is given of a scene's picture, as in RenderOptions, and leave the rest as it is."""
    render = scene.render
    if size is not None:
        render.resolution_x, render.resolution_y = size
        render.resolution_percentage = 100
    if engine is not None:
        render.engine = ENGINE_NAMES[engine]
    if samples is not None:
        cycles_of(scene).samples = scene.eevee.taa_render_samples = samples
    if dpi is not None:
        render.ppm_factor, render.ppm_base = dpi, INCH
        width = render.resolution_x * render.resolution_percentage / 100
        PRINT_WIDTH.write(scene, width / dpi * INCH * 1000)


def mute_file_outputs() -> None:
    """Let no node of a .blend write files of its own when it is rendered: it may come from a stranger."""
    trees = [*bpy.data.node_groups, *(tree for tree in map(compositing_tree, bpy.data.scenes) if tree is not None)]
    for tree in trees:
        for node in tree.nodes:
            if node.bl_idname == "CompositorNodeOutputFile":
                node.mute = True


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


def check_pictures(files: Iterable[str | os.PathLike[str] | ImageFile]) -> None:
    """Raise MosaicError if a picture cannot be written to one of the files: for its suffix, folder or what is there."""
    for file in map(_as_file, files):
        _format_of(file.path)
        try:
            find_target(file.path)
        except MosaicError as error:
            raise MosaicError(f"{os.fspath(file.path)} {error}") from error


def render_to(scene: bpy.types.Scene, *files: str | os.PathLike[str] | ImageFile) -> None:
    """Render the current scene frame into files, whose suffixes give the formats.

    Raises MosaicError when one of them cannot be written, with the old ones there as they were, and for an unknown
    suffix.
    """
    check_pictures(files)
    render_image(scene)
    write_image(scene, bpy.data.images["Render Result"], dpi_of(scene), *files)


def render_image(scene: bpy.types.Scene) -> None:
    """Render the current scene frame into Blender's image "Render Result". Raises MosaicError where it cannot be."""
    try:
        bpy.ops.render.render(scene=scene.name)
    except RuntimeError as error:
        raise MosaicError(f"The picture cannot be rendered: {one_line(error)}") from error


def dpi_of(scene: bpy.types.Scene) -> float:
    """Return how many pixels an inch of a scene's picture has in print: by its width there, or as Blender has it."""
    render = scene.render
    width = PRINT_WIDTH.read(scene)
    if width is None:
        return float(render.ppm_factor * INCH / render.ppm_base)
    return render.resolution_x * render.resolution_percentage / 100 / width * INCH * 1000


def write_image(
    scene: bpy.types.Scene, image: bpy.types.Image, dpi: float, *files: str | os.PathLike[str] | ImageFile
) -> None:
    """Write an image into files as a render of a scene is: with its view transform and transparency.

    Raises MosaicError when one of them cannot be written, with the old ones there as they were.
    """
    encoded = [(os.fspath(file.path), encode_image(scene, image, file)) for file in map(_as_file, files)]
    replace_all([(path, with_density(data, dpi)) for path, data in encoded])


def replace_all(contents: Sequence[tuple[str, bytes]]) -> None:
    """Write files, (path, bytes), each whole; none takes the place of an old one before all are on the disk.

    Raises MosaicError when one of them cannot be written.
    """
    (path, data), others = contents[0], contents[1:]

    def write(file: BinaryIO) -> None:
        file.write(data)
        if others:
            file.flush()
            os.fsync(file.fileno())
            replace_all(others)

    try:
        replace_file(path, write, backup=False)
    except _FileError:
        raise
    except MosaicError as error:
        raise _FileError(f"{path} {error}") from error


class _FileError(MosaicError):
    """An error that names its file."""


def _as_file(file: str | os.PathLike[str] | ImageFile) -> ImageFile:
    return file if isinstance(file, ImageFile) else ImageFile(file)


def encode_image(scene: bpy.types.Scene, image: bpy.types.Image, file: ImageFile) -> bytes:
    """Return the bytes of an image as a file. Raises MosaicError where Blender does not make it whole."""
    settings: Any = scene.render.image_settings
    path = os.fspath(file.path)
    kept = {key: getattr(settings, key) for key in KEPT if hasattr(settings, key)}
    try:
        if "media_type" in kept:  # since Blender 5.0
            settings.media_type = "IMAGE"
        settings.file_format = kind = _format_of(path)
        settings.color_mode = "RGBA" if scene.render.film_transparent and kind != "JPEG" else "RGB"
        settings.color_depth = "16" if kind == "OPEN_EXR" or (file.bits == 16 and kind != "JPEG") else "8"
        settings.quality = file.quality
        # In a folder of its own, since Blender puts other text for {} and # in a path and cuts it at 1023 bytes.
        with tempfile.TemporaryDirectory() as folder:
            made = os.path.join(folder, "picture")
            image.save_render(made, scene=scene)
            data = Path(made).read_bytes() if os.path.exists(made) else b""
    except (OSError, RuntimeError):  # which names the temporary file, and no reason
        data = b""
    finally:
        for key, value in kept.items():
            setattr(settings, key, value)
    if not is_whole(data):
        raise MosaicError(
            f"{path} is not written, as Blender made nothing or only a part of it; the disk with the folder for temporary files, "
            f"{tempfile.gettempdir()}, may be full."
        )
    return data


def _format_of(path: str | os.PathLike[str]) -> Format:
    """Return Blender's format for the suffix of a picture. Raises MosaicError for another suffix."""
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise MosaicError(f"{os.fspath(path)} must end in one of {', '.join(FORMATS)}.")
    return FORMATS[suffix]
