"""The command render: a picture of a session."""

import argparse
import time
from pathlib import Path
from typing import Any

from ..scene.pictures.options import BACKGROUNDS, LOOKS
from . import values
from .blender import RenderProgress, add_import_options, color, import_settings, load, start_blender


def add_commands(commands: Any) -> None:
    """Tell the parser of the commands."""
    command = commands.add_parser(
        "render", help="render a session", description="Render a session: all that is visible in it."
    )
    command.add_argument("file", metavar="FILE", help="a session: .pickle or .mosaic")
    command.add_argument("-o", "--output", metavar="OUT.png", required=True, help="the picture: .png, .jpg or .exr")
    command.add_argument(
        "--size", type=values.size, metavar="WIDTHxHEIGHT", help="in pixels (default: 1920x1080, or the camera's)"
    )
    command.add_argument(
        "--engine", choices=("cycles", "eevee", "workbench"), default="cycles", help="default: %(default)s"
    )
    command.add_argument("--samples", type=values.count, default=32, help="per pixel (default: %(default)s)")
    command.add_argument(
        "--look", choices=LOOKS, default="full", help="as Mosaic's lighting modes (default: %(default)s)"
    )
    command.add_argument("--background", choices=BACKGROUNDS, default="white", help="default: %(default)s")
    command.add_argument(
        "--transparent", dest="background", action="store_const", const="transparent", help="no background"
    )
    command.add_argument("--frame", type=values.number, metavar="K", help="the frame of trajectories, from 0")
    command.add_argument(
        "--direction", type=values.vector, metavar="X,Y,Z", help="the way the camera looks (default: 0,0,-1)"
    )
    command.add_argument("--zoom", type=values.positive, default=1.0, help="larger than 1 comes closer")
    command.add_argument(
        "--camera", metavar="FILE.json", help="position, focal_point, up (angstrom), view_angle (degrees), size"
    )
    add_import_options(command)
    command.set_defaults(run=_render)


def _render(options: argparse.Namespace) -> None:
    bpy, api = start_blender()
    api.check_picture(options.output)
    view = api.read_view(options.camera) if options.camera else None
    size = options.size or (view and view.size) or (1920, 1080)
    imported = load(api, options.file, options.unlimited, import_settings(api, options))
    if view and not options.pixel_size:
        api.show_as_in(view, imported, size[1])
    color(api, [imported], options)
    look = api.RenderOptions(size, options.engine, options.samples, options.look, options.background)
    began = time.monotonic()
    with RenderProgress(bpy):
        api.render(
            imported,
            options.output,
            look,
            view=view,
            direction=options.direction or (0.0, 0.0, -1.0),
            zoom=options.zoom,
            frame=options.frame,
        )
    print(f"{Path(options.output).absolute()} ({time.monotonic() - began:.0f} s)")
