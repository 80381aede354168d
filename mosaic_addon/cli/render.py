"""The command render: a picture of sessions or of a .blend."""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..scene.pictures.options import BACKGROUNDS, DEVICES, ENGINES, LOOKS
from ..session import MosaicError
from . import values
from .blender import (
    RenderProgress,
    add_import_options,
    color,
    import_settings,
    load,
    open_blend,
    say,
    show_tomograms,
    start_blender,
)

INCH = 25.4  # mm
SAMPLES = 32


def add_commands(commands: Any) -> None:
    """Tell the parser of the commands."""
    command = commands.add_parser(
        "render",
        help="render sessions or a .blend",
        description="Render sessions, all that is visible in them, or a .blend as it is set up: of its own camera, look "
        "and size only what is given here is changed, and none of its scripts run.",
    )
    command.add_argument("files", metavar="FILE", nargs="+", help="sessions, .pickle or .mosaic, or one .blend")
    command.add_argument(
        "-o",
        "--output",
        metavar="OUT.png",
        required=True,
        action="append",
        help="the picture: .png, .jpg, .tif or .exr; may be given several times",
    )
    command.add_argument(
        "--bits", type=int, choices=(8, 16), default=8, help="of a colour in .png and .tif (default: 8)"
    )
    command.add_argument(
        "--mm",
        type=values.print_size,
        metavar="WIDTH[xHEIGHT]",
        help="in print; by default three quarters as high as wide",
    )
    command.add_argument("--dpi", type=values.positive, metavar="N", help="pixels an inch of the print (default: 300)")
    command.add_argument("--frame", type=values.number, metavar="K", help="the frame of trajectories, from 0")
    add_picture_options(command)
    add_import_options(command)
    command.set_defaults(run=_render, turn=None)


def add_picture_options(command: argparse.ArgumentParser) -> None:
    """Tell a command of the options of pictures."""
    command.add_argument(
        "--size", type=values.size, metavar="WIDTHxHEIGHT", help="in pixels (default: 1920x1080, or the camera's)"
    )
    command.add_argument("--engine", choices=ENGINES, help="default: cycles")
    command.add_argument("--samples", type=values.count, help=f"per pixel (default: {SAMPLES})")
    command.add_argument(
        "--device", choices=DEVICES, default="auto", help="that Cycles computes with (default: the best that works)"
    )
    command.add_argument("--look", choices=LOOKS, help="as Mosaic's lighting modes (default: full)")
    command.add_argument("--background", choices=BACKGROUNDS, help="default: white")
    command.add_argument(
        "--transparent", dest="background", action="store_const", const="transparent", help="no background"
    )
    command.add_argument(
        "--direction", type=values.vector, metavar="X,Y,Z", help="the way the camera looks (default: 0,0,-1)"
    )
    command.add_argument("--zoom", type=values.positive, help="larger than 1 comes closer")
    command.add_argument("--orthographic", action="store_true", help="without perspective")
    command.add_argument(
        "--camera", metavar="FILE.json", help="position, focal_point, up (angstrom), view_angle (degrees), size"
    )


def _render(options: argparse.Namespace) -> None:
    bpy, api = start_blender()
    files = [api.ImageFile(path, options.bits) for path in options.output]
    api.check_pictures(files)
    view = api.read_view(options.camera) if options.camera else None
    size, dpi = _size(options)
    size = size or (view and view.size)
    began = time.monotonic()
    say(set_up(bpy, api, options, view, size, dpi), end="\n")
    with RenderProgress(bpy):
        api.render_to(bpy.context.scene, *files)
    for file in files:
        print(f"{Path(file.path).absolute()} ({time.monotonic() - began:.0f} s)")


def _size(options: argparse.Namespace) -> tuple[tuple[int, int] | None, float | None]:
    """The picture's size in pixels and its pixels an inch, as far as they are given."""
    if options.mm is None:
        return options.size, options.dpi
    width, height = options.mm
    if options.size is not None:
        if options.dpi is not None:
            raise MosaicError("--size and --mm already say how fine the picture is: leave --dpi out.")
        return options.size, options.size[0] / width * INCH
    dpi = options.dpi or 300.0
    return (max(1, round(width / INCH * dpi)), max(1, round(height / INCH * dpi))), dpi


def is_blend(files: Sequence[str]) -> bool:
    """Return whether one .blend is to be rendered. Raises MosaicError for one among other files."""
    blends = [path for path in files if path.endswith(".blend")]
    if blends and len(files) > 1:
        raise MosaicError(f"{blends[0]} can only be rendered alone: give either one .blend or sessions.")
    return bool(blends)


def set_up(
    bpy: Any, api: Any, options: argparse.Namespace, view: Any, size: tuple[int, int] | None, dpi: float | None
) -> str:
    """Open sessions or a .blend and set up the picture. Returns a sentence that says with what it is computed."""
    to_open = _set_up_blend if is_blend(options.files) else _set_up_sessions
    return to_open(bpy, api, options, view, size, dpi)


def _set_up_sessions(
    bpy: Any, api: Any, options: argparse.Namespace, view: Any, size: tuple[int, int] | None, dpi: float | None
) -> str:
    """Open sessions and set up their picture. Returns a sentence that says with what it is computed."""
    size = size or (1920, 1080)
    engine = options.engine or "cycles"
    device = _choose_device(bpy, api, options.device, engine == "cycles")  # before the work, not after
    settings = import_settings(api, options)
    all_imported = [load(api, file, options.unlimited, settings) for file in options.files]
    if view and not options.pixel_size:
        for imported in all_imported:
            api.show_as_in(view, imported, size[1])
    objects = [obj for imported in all_imported for obj in imported.objects]
    color(api, objects, options)
    show_tomograms(bpy, api, all_imported[0].collection, options)
    if options.frame is not None:
        api.show_frame(bpy.context.scene, options.frame, objects)
    look, background = options.look or "full", options.background or "white"
    api.set_up_picture(
        all_imported,
        api.RenderOptions(size, engine, options.samples or SAMPLES, look, background, dpi),
        view=view,
        direction=options.direction or (0.0, 0.0, -1.0),
        zoom=options.zoom or 1.0,
        orthographic=options.orthographic,
        turning=options.turn is not None,
    )
    return device


def _set_up_blend(
    bpy: Any, api: Any, options: argparse.Namespace, view: Any, size: tuple[int, int] | None, dpi: float | None
) -> str:
    """Open a .blend and change what is given. Returns a sentence that says with what it is computed."""
    path = Path(options.files[0])
    if options.pixel_size is not None or options.no_recentre:
        raise MosaicError(f"{path} is placed and scaled already: leave --no-recentre and --pixel-size out.")
    open_blend(bpy, path)
    api.mute_file_outputs()
    scene = bpy.context.scene
    color(api, [obj for session in api.sessions_in(scene) for obj in api.objects_of(session)], options)
    show_tomograms(bpy, api, next(iter(api.sessions_in(scene)), None), options)
    api.adjust_picture(
        scene,
        size=size,
        dpi=dpi,
        view=view,
        **{
            key: getattr(options, key)
            for key in ("engine", "samples", "look", "background", "direction", "zoom", "frame")
        },
        orthographic=options.orthographic,
    )
    return _choose_device(bpy, api, options.device, scene.render.engine == "CYCLES")


def _choose_device(bpy: Any, api: Any, device: str, is_cycles: bool) -> str:
    """Let Cycles compute with a device. Returns a sentence. Raises MosaicError where that does not work."""
    if is_cycles:
        return str(api.choose_device(bpy.context.scene, device))
    if device != "auto":
        raise MosaicError(f"--device {device} is for Cycles; other engines take Blender's own choice.")
    return "The engine computes with what Blender draws its windows with."
