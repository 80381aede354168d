"""The thumbnail of an indexed session, drawn from the 3D view."""

import os
import tempfile

import bpy
import gpu
import numpy as np

from ...scene.pictures.image_files import is_whole
from ...session.errors import MosaicError

WIDTH, HEIGHT = 320, 240  # as Mosaic draws it


def view_thumbnail(context: bpy.types.Context) -> bytes:
    """Return a PNG of what the 3D view shows. Raises MosaicError if there is no view."""
    if bpy.app.background:
        raise MosaicError("A new thumbnail needs a 3D view, which Blender has not in background.")
    areas = [area for area in context.screen.areas if area.type == "VIEW_3D"]
    if not areas:
        raise MosaicError("A new thumbnail needs a 3D view; open one, or keep the old thumbnail.")
    area = areas[0]
    space = area.spaces.active
    region = next(region for region in area.regions if region.type == "WINDOW")
    view = space.region_3d
    screen = gpu.types.GPUOffScreen(WIDTH, HEIGHT)
    overlays = space.overlay.show_overlays
    try:
        space.overlay.show_overlays = False  # no grid, no cursor
        window = view.window_matrix.copy()
        wide, wanted = region.width / region.height, WIDTH / HEIGHT
        window[0][0] *= wide / wanted  # of the same height, cut or widened at the sides
        screen.draw_view3d(
            context.scene, context.view_layer, space, region, view.view_matrix, window, do_color_management=True
        )
        with screen.bind():
            buffer = gpu.state.active_framebuffer_get().read_color(0, 0, WIDTH, HEIGHT, 4, 0, "UBYTE")
    finally:
        space.overlay.show_overlays = overlays
        screen.free()
    buffer.dimensions = [WIDTH * HEIGHT * 4]
    return _as_png(np.array(buffer, np.float32) / 255)


def _as_png(pixels: np.ndarray) -> bytes:
    """Return a PNG. pixels: display values (n * 4,) from 0 to 1, the lowest row first. Raises MosaicError."""
    pixels[3::4] = 1.0
    image = bpy.data.images.new("Mosaic Thumbnail", WIDTH, HEIGHT, alpha=False)
    try:
        image.pixels.foreach_set(pixels)
        with tempfile.TemporaryDirectory() as folder:
            image.filepath_raw = os.path.join(folder, "thumbnail.png")
            image.file_format = "PNG"
            image.save()
            with open(image.filepath_raw, "rb") as file:
                picture = file.read()
    finally:
        bpy.data.images.remove(image)
    if not is_whole(picture):
        raise MosaicError("Blender made only a part of the new thumbnail; the disk for temporary files may be full.")
    return picture
