"""What the menus do, for scripts: open, colour, render and save sessions.

from mosaic_addon import api
imported = api.load("virion.pickle")
api.render(imported, "virion.png", api.RenderOptions((1280, 720)))
api.save(imported, "restyled.pickle")
"""

import math
import os
from collections.abc import Sequence

import bpy

from .scene.describing.scene import write_recipe_of
from .scene.drawing.appearance import set_number
from .scene.drawing.coloring import Coloring, color_by, color_by_vertex_colors, coloring_of, uncolor
from .scene.drawing.filters import Filter, clear_filter, filter_of, set_filter
from .scene.drawing.membranes import draw_as
from .scene.drawing.own_shapes import OwnShape, clear_own_shape, own_shape_of, set_own_shape
from .scene.drawing.representations import LABELS, set_inputs
from .scene.exporting.save import Saved, check_target, save_objects, save_session, unsaved_changes
from .scene.exporting.scope import ExportOptions
from .scene.figures.axes import Axes, BoundingBox, add_axes, add_bounding_box
from .scene.figures.color_key import ColorKey, add_color_key, add_legend
from .scene.figures.cuts import (
    Cut,
    add_cut,
    add_cut_at,
    cut_of,
    facing,
    fitting_cut,
    remove_cut,
    set_cut,
    show_cut,
    spare,
    spared_by,
)
from .scene.figures.labels import Label, PictureText, add_label, add_text
from .scene.figures.overlay import follow_camera, items_of, remove_item, set_print_width
from .scene.figures.panels import check_figure, render_figure
from .scene.figures.scale_bar import ScaleBar, add_scale_bar
from .scene.figures.svg import render_svg
from .scene.films.frames import pictures_of, render_pictures
from .scene.films.movie import assemble_film, check_film
from .scene.films.shots import Shot, add_trajectory, add_turntable, remove_shot, shots_in
from .scene.importing.build import Imported, Progress, build_session
from .scene.importing.options import ImportOptions
from .scene.outline.naming import rename
from .scene.outline.outside import root_of
from .scene.outline.tree import objects_of, sessions_in
from .scene.pictures.camera import View, frame_camera, frame_turn, place_camera, read_view
from .scene.pictures.devices import choose_device
from .scene.pictures.looks import apply_look, remove_look
from .scene.pictures.options import ImageFile, RenderOptions
from .scene.pictures.render import (
    check_pictures,
    mute_file_outputs,
    override_render,
    render_to,
    set_up_render,
    show_frame,
)
from .scene.reloading.reload import Reloaded, reload_file
from .scene.tomograms.reading import TomogramOptions, open_tomogram, read_again, said_of, show_full
from .scene.tomograms.slices import PLANES, add_slice, set_position, slices_of
from .scene.tomograms.surfaces import keep_density, wear_tomogram
from .scene.tomograms.tomogram import Look as TomogramLook
from .scene.tomograms.tomogram import look_of as tomogram_look_of
from .scene.tomograms.tomogram import remove_tomogram, tomograms_in
from .scene.tomograms.tomogram import set_look as set_tomogram_look
from .session import MosaicError, Session, open_session

__all__ = [
    "PLANES",
    "Axes",
    "BoundingBox",
    "ColorKey",
    "Coloring",
    "Cut",
    "ExportOptions",
    "Filter",
    "ImageFile",
    "ImportOptions",
    "Imported",
    "Label",
    "MosaicError",
    "OwnShape",
    "PictureText",
    "Reloaded",
    "RenderOptions",
    "Saved",
    "ScaleBar",
    "Session",
    "Shot",
    "TomogramLook",
    "TomogramOptions",
    "View",
    "add_axes",
    "add_bounding_box",
    "add_color_key",
    "add_cut",
    "add_cut_at",
    "add_label",
    "add_legend",
    "add_scale_bar",
    "add_slice",
    "add_text",
    "add_trajectory",
    "add_turntable",
    "adjust_picture",
    "apply_look",
    "assemble_film",
    "check_figure",
    "check_film",
    "check_pictures",
    "check_target",
    "choose_device",
    "clear_filter",
    "clear_own_shape",
    "color_by",
    "color_by_vertex_colors",
    "coloring_of",
    "cut_of",
    "facing",
    "filter_of",
    "fitting_cut",
    "items_of",
    "keep_density",
    "load",
    "mute_file_outputs",
    "objects_of",
    "open_session",
    "open_tomogram",
    "own_shape_of",
    "pictures_of",
    "read_again",
    "read_view",
    "reload",
    "remove_cut",
    "remove_item",
    "remove_look",
    "remove_shot",
    "remove_tomogram",
    "rename",
    "render",
    "render_figure",
    "render_pictures",
    "render_svg",
    "render_to",
    "said_of",
    "save",
    "save_objects",
    "sessions_in",
    "set_cut",
    "set_filter",
    "set_on_screen",
    "set_own_shape",
    "set_position",
    "set_print_width",
    "set_tomogram_look",
    "set_up_picture",
    "shots_in",
    "show_as",
    "show_as_in",
    "show_cut",
    "show_frame",
    "show_full",
    "slices_of",
    "spare",
    "spared_by",
    "tomogram_look_of",
    "tomograms_in",
    "uncolor",
    "unsaved_changes",
    "wear_tomogram",
    "write_recipe",
]


def load(
    path: str | os.PathLike[str],
    scene: bpy.types.Scene | None = None,
    options: ImportOptions | None = None,
    *,
    unlimited: bool = False,
    progress: Progress = lambda fraction: None,
) -> Imported:
    """Open a session and build it in a scene, by default the current one.

    options: where it is placed, and how large. unlimited: open sessions of any size. progress: is called with the
    fraction that is done. Raises MosaicError, with nothing made, if the file is no session or is too large.
    """
    session = open_session(path, wait=True)
    target = scene or bpy.context.scene
    imported = build_session(session, target, options, unlimited=unlimited, keep=False, progress=progress)
    for layer in target.view_layers:
        layer.update()
    return imported


def save(
    session: Imported | bpy.types.Collection,
    path: str | os.PathLike[str],
    options: ExportOptions | None = None,
    *,
    backup: bool = True,
    overwrite: bool = False,
    scene: bpy.types.Scene | None = None,
) -> Saved:
    """Save a session for Mosaic, as it is now in a scene, by default the current one.

    session: what `load` returned, or the session's collection. path: a bare pickle is written if it ends in .pickle, an
    indexed file if in .mosaic; to any other name .pickle is appended, as a warning says. backup: keep a file that is
    overwritten for the first time as `<name>.bak`. overwrite: also the session's own file if somebody else has changed
    it. What was not edited is written as it was read. Raises MosaicError, with no file changed, if Mosaic could not open
    the result, it cannot be written, or something that is no session is there.
    """
    collection = session.collection if isinstance(session, Imported) else session
    target = scene or bpy.context.scene
    layer = bpy.context.view_layer if target == bpy.context.scene else target.view_layers[0]
    layer.update()
    return save_session(collection, path, target, layer, options, backup=backup, overwrite=overwrite)


def reload(
    session: Imported | bpy.types.Collection, *, prefer_file: bool = False, scene: bpy.types.Scene | None = None
) -> Reloaded:
    """Read the file of an open session again: what was changed there comes in, and all else stays.

    session: what `load` returned, or the session's collection. prefer_file: where both the file and Blender changed a
    value, the file's counts, and not Blender's. Raises MosaicError, with nothing changed, if the file cannot be read or
    the session has none.
    """
    collection = session.collection if isinstance(session, Imported) else session
    target = scene or bpy.context.scene
    layer = bpy.context.view_layer if target == bpy.context.scene else target.view_layers[0]
    layer.update()
    return reload_file(collection, target, layer, prefer_file=prefer_file)


def write_recipe(
    path: str | os.PathLike[str], scene: bpy.types.Scene | None = None, *, overwrite: bool = False
) -> list[str]:
    """Write a recipe, .toml, from which `mosaic figure` makes the picture that a scene, by default the current one, shows.

    Returns a sentence for each part of the picture that a recipe cannot hold; the file says them, too. overwrite: a file
    that is there. Raises MosaicError, with no file changed, for a scene without a session or with one that was never
    saved, and where a file cannot be read or written.
    """
    return write_recipe_of(scene or bpy.context.scene, path, overwrite=overwrite)


def set_up_picture(
    imported: Imported | Sequence[Imported],
    options: RenderOptions | None = None,
    *,
    view: View | None = None,
    direction: tuple[float, float, float] = (0.0, 0.0, -1.0),
    zoom: float = 1.0,
    orthographic: bool = False,
    turning: bool = False,
    scene: bpy.types.Scene | None = None,
) -> None:
    """Give a scene the engine, size and look of a picture, and a camera.

    imported: what `load` returned. view: where the camera stands; by default it sees all that is visible. direction:
    where it looks then, in the world's axes. zoom: how much larger than to fit. orthographic: without perspective.
    turning: so far away that all stays in the picture on a turntable.
    """
    all_imported = [imported] if isinstance(imported, Imported) else list(imported)
    target = scene or bpy.context.scene
    options = options or RenderOptions()
    set_up_render(target, options)
    if view is not None:
        camera = place_camera(target, all_imported[0].root, view, orthographic=orthographic)
    else:
        objects = [obj for made in all_imported for obj in made.objects]
        camera = frame_camera(target, objects, direction, zoom, orthographic=orthographic)
        if turning:
            frame_turn(target, objects, zoom)
    apply_look(target, options.look, options.background, camera)
    follow_camera(target)


def adjust_picture(
    scene: bpy.types.Scene | None = None,
    *,
    size: tuple[int, int] | None = None,
    engine: str | None = None,
    samples: int | None = None,
    dpi: float | None = None,
    look: str | None = None,
    background: str | None = None,
    view: View | None = None,
    direction: tuple[float, float, float] | None = None,
    zoom: float | None = None,
    orthographic: bool = False,
    frame: int | None = None,
) -> None:
    """Change what is given of how a scene, by default the current one, is rendered, and leave the rest as it is.

    The arguments are those of `render` and RenderOptions; view is in the coordinates of the scene's first session. A
    scene without a camera gets one that sees all. Raises MosaicError for a view in a scene without a session, and for a
    frame that is not there.
    """
    target = scene or bpy.context.scene
    sessions = sessions_in(target)
    objects = [obj for session in sessions for obj in objects_of(session)]
    if frame is not None:
        show_frame(target, frame, objects)
    override_render(target, size, engine, samples, dpi)
    root = root_of(sessions[0]) if sessions else None
    if view is not None and root is None:
        raise MosaicError(f"The scene {target.name!r} holds no session in whose coordinates a camera could stand.")
    if view is not None:
        place_camera(target, root, view, orthographic=orthographic)
    elif direction or zoom or orthographic or target.camera is None:
        seen = objects or target.objects
        frame_camera(target, seen, direction or (0.0, 0.0, -1.0), zoom or 1.0, orthographic=orthographic)
    if look or background:
        apply_look(target, look or "full", background or "white")
    follow_camera(target)


def render(
    imported: Imported | Sequence[Imported],
    path: str | os.PathLike[str] | ImageFile | Sequence[str | os.PathLike[str] | ImageFile],
    options: RenderOptions | None = None,
    *,
    view: View | None = None,
    direction: tuple[float, float, float] = (0.0, 0.0, -1.0),
    zoom: float = 1.0,
    orthographic: bool = False,
    frame: int | None = None,
    scene: bpy.types.Scene | None = None,
) -> None:
    """Render a picture of what `load` returned, after `set_up_picture`, which takes the same arguments.

    path: of the picture, or several; the suffix says the format. frame: of the trajectories, from 0. Raises MosaicError
    if a picture cannot be written, with none of them there, or there is no such frame.
    """
    files = [path] if isinstance(path, str | os.PathLike | ImageFile) else list(path)
    check_pictures(files)  # fail before the work, not after
    target = scene or bpy.context.scene
    if frame is not None:
        all_imported = [imported] if isinstance(imported, Imported) else imported
        show_frame(target, frame, [obj for made in all_imported for obj in made.objects])
    set_up_picture(
        imported, options, view=view, direction=direction, zoom=zoom, orthographic=orthographic, scene=target
    )
    render_to(target, *files)


def show_as(
    objects: Sequence[bpy.types.Object],
    representation: str,
    *,
    thickness: float | None = None,
    smoothing: int | None = None,
) -> None:
    """Draw objects another way, such as "pointcloud", "surface" or "membrane_surface".

    thickness, smoothing: of a membrane surface, in angstrom and passes; None leaves what they are, at first the points'
    own thickness and 20. Raises MosaicError, when the others have changed, for objects that cannot be drawn so.
    """
    if representation not in LABELS:
        raise MosaicError(f"There is no representation {representation!r}; there are {', '.join(LABELS)}.")
    passed, troubles = draw_as(objects, representation)
    chosen = {"Thickness": thickness, "Smoothing": smoothing}
    set_inputs(objects, {name: value for name, value in chosen.items() if value is not None})
    refused = [*troubles.values(), *(f"{obj.name} cannot be drawn as {LABELS[representation]}." for obj in passed)]
    if refused:
        raise MosaicError(" ".join(refused))


def set_on_screen(objects: Sequence[bpy.types.Object], on_screen: bool = True) -> None:
    """Let the points and wireframes of objects keep their width in the picture of the scene's camera, or in space.

    On screen a point is its size in pixels of a picture that is 900 pixels high, as in Mosaic's window, however near
    the camera is and whatever number of pixels the picture has.
    """
    set_number(objects, "on_screen", on_screen)


def show_as_in(view: View, imported: Imported, height: int) -> None:
    """Draw points and lines as wide as Mosaic does in a picture, where their size counts in pixels of that picture.

    view: where the camera of that picture stands. height: of the picture, in pixels.
    """
    distance = math.dist(view.position, view.focal_point)
    pixel_size = 2 * distance * math.tan(math.radians(view.view_angle) / 2) / height
    set_inputs(imported.objects, {"Pixel Size": pixel_size, "On Screen": True, "Picture Height": float(height)})
