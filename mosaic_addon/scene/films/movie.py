"""A film's pictures become one file, by Blender's own encoder."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

import bpy

from ...session.atomic_write import find_target, replace_file
from ...session.errors import MosaicError, one_line
from .frames import NAMES

# By the file's suffix: container and codec as Blender names them. H.264 in MPEG-4 plays in PowerPoint and in browsers;
# the codec of WebM is VP9.
MOVIES: Final = {".mp4": ("MPEG4", "H264"), ".webm": ("WEBM", "WEBM")}
LEAST: Final = 16  # pixels of a side that Blender's encoder takes


def check_film(target: Path, size: tuple[int, int], background: str | None) -> None:
    """Raise MosaicError where a film cannot be written, or cannot have such pictures. size: of them, in pixels."""
    if NAMES.fullmatch(target.name):
        if not target.parent.parent.is_dir():
            raise MosaicError(f"{target.parent} cannot be made: the folder around it does not exist.")
        return
    if target.suffix.lower() not in MOVIES:
        raise MosaicError(f"{target} must end in .mp4 or .webm, or be numbered pictures, such as film/####.png.")
    try:
        find_target(target)
    except MosaicError as error:
        raise MosaicError(f"{target} {error}") from error
    ffmpeg: Any = bpy.app.ffmpeg
    if not ffmpeg.supported:
        raise MosaicError("This Blender has no encoder for films: make numbered pictures, such as film/####.png.")
    if size[0] % 2 or size[1] % 2 or min(size) < LEAST:
        raise MosaicError(f"A film cannot have {size[0]}x{size[1]} pixels: both must be even, and {LEAST} or more.")
    if background == "transparent":
        raise MosaicError("A film cannot be transparent, but numbered pictures can, such as film/####.png.")


def assemble_film(paths: Sequence[Path], target: Path, fps: float) -> None:
    """Put pictures, (n,) files of one size, together to a film. fps: pictures a second.

    Raises MosaicError, with an older film there as it was, where that fails.
    """
    # Blender writes elsewhere, since it puts other text for {} and # in a path.
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, f"film{target.suffix.lower()}")
        _encode(paths, made, fps)
        if not made.exists() or not made.stat().st_size:
            raise MosaicError(f"{target} is not written, as Blender made nothing; the disk with {folder} may be full.")

        def write(file: BinaryIO) -> None:
            with made.open("rb") as source:
                shutil.copyfileobj(source, file, 2**20)

        try:
            replace_file(target, write, backup=False)
        except MosaicError as error:
            raise MosaicError(f"{target} {error}") from error


def _encode(paths: Sequence[Path], made: Path, fps: float) -> None:
    scene = bpy.data.scenes.new("Mosaic Film")
    try:
        _set_up_encoder(scene, paths[0], made, fps)
        scene.frame_start, scene.frame_end = 1, len(paths)
        editor: Any = scene.sequence_editor_create()
        strip = editor.strips.new_image("Film", str(paths[0]), channel=1, frame_start=1)
        for path in paths[1:]:
            strip.elements.append(path.name)
        bpy.ops.render.render(animation=True, scene=scene.name)
    except RuntimeError as error:
        raise MosaicError(f"The film cannot be put together: {one_line(error)}") from error
    finally:
        bpy.data.scenes.remove(scene)


def _set_up_encoder(scene: bpy.types.Scene, first: Path, made: Path, fps: float) -> None:
    """Let a scene write what its sequencer shows as a film, in the pictures' own size and colours."""
    image: Any = bpy.data.images.load(str(first))
    scene.render.resolution_x, scene.render.resolution_y = image.size
    bpy.data.images.remove(image)
    scene.render.resolution_percentage = 100
    scene.render.fps = max(1, round(fps))
    scene.render.fps_base = scene.render.fps / fps
    scene.render.use_sequencer, scene.render.use_compositing = True, False
    scene.render.filepath = str(made)
    view: Any = scene.view_settings
    view.view_transform = "Standard"  # as sRGB, and back again
    settings: Any = scene.render.image_settings
    if hasattr(settings, "media_type"):  # since Blender 5.0
        settings.media_type = "VIDEO"
    settings.file_format = "FFMPEG"
    settings.color_mode = "RGB"
    encoder: Any = scene.render.ffmpeg
    encoder.format, encoder.codec = MOVIES[made.suffix]
    encoder.audio_codec = "NONE"
    encoder.constant_rate_factor = "HIGH"
    encoder.ffmpeg_preset = "GOOD"
    encoder.gopsize = 12  # so that a talk can jump about in it
