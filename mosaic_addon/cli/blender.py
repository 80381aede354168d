"""What the commands that need Blender share: starting it, opening sessions, progress on the terminal."""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..scene.importing.options import DEFAULT_SCALE, SCALES
from ..session import MosaicError
from ..session.errors import one_line, printable
from . import values

NANOMETRE = 10.0  # angstrom


def start_blender() -> tuple[Any, Any]:
    """Return bpy with an empty file, and our `api`. Raises MosaicError where there is no bpy."""
    try:
        import bpy
    except ImportError as error:
        raise MosaicError(
            "This command needs Blender: run it with `blender -c mosaic`, or install the bpy module."
        ) from error
    from .. import api

    bpy.ops.wm.read_factory_settings(use_empty=True)
    return bpy, api


def open_blend(bpy: Any, path: Path) -> None:
    """Open a .blend, and run none of its scripts. Raises MosaicError where that fails."""
    try:
        bpy.ops.wm.open_mainfile(filepath=str(path.absolute()), load_ui=False, use_scripts=False)
    except RuntimeError as error:
        raise MosaicError(f"{path.absolute()} cannot be opened: {one_line(error)}") from error


def load(api: Any, file: str, unlimited: bool, settings: Any = None) -> Any:
    """Open a session, and print what is to be said of it."""
    imported = api.load(file, options=settings, unlimited=unlimited, progress=say_progress(f"Opening {file}"))
    say(f"Opened {file}: {len(imported.objects)} objects", end="\n")
    for warning in imported.warnings:
        print(f"mosaic: warning: {printable(warning)}", file=sys.stderr)
    return imported


def add_import_options(command: argparse.ArgumentParser) -> None:
    """Tell a command of the options of opening sessions."""
    command.add_argument(
        "--scale",
        type=values.scale,
        default=DEFAULT_SCALE,
        metavar="|".join((*SCALES, "N")),
        help=f"what a Blender unit is: {', '.join(scale.length for scale in SCALES.values())} or N angstrom "
        "(default: 100 nm)",
    )
    command.add_argument("--no-recentre", action="store_true", help="keep the session where its coordinates say")
    command.add_argument(
        "--pixel-size",
        type=values.positive,
        metavar="N",
        help="angstrom that a pixel of Mosaic's point sizes stands for",
    )
    command.add_argument("--unlimited", action="store_true", help="open sessions of any size without asking")
    command.add_argument(
        "--color-by", metavar="PROPERTY", help="colour what is visible by this vertex property, in one range for all"
    )
    command.add_argument(
        "--map",
        type=values.color_map,
        metavar="NAME",
        help="a colour map of Mosaic (default: viridis); NAME_r turns it round",
    )
    command.add_argument(
        "--range",
        type=values.value_range,
        metavar="LO,HI",
        help="the values of the first and last colour (default: all values)",
    )

    command.add_argument(
        "--tomogram",
        metavar="FILE",
        action="append",
        default=[],
        help="show slices of this tomogram (.mrc, .rec, .em, .nrrd) in the first session's coordinates; may be given "
        "several times",
    )
    command.add_argument(
        "--slice",
        metavar="PLANE[=NM]",
        type=values.plane,
        action="append",
        help="XY, XZ or YZ, and where, in nm from the tomogram's first voxel (default: all three in its middle)",
    )
    command.add_argument(
        "--full-slices", action="store_true", help="show the tomogram's slices as its file has them, without binning"
    )


def show_tomograms(bpy: Any, api: Any, session: Any, options: argparse.Namespace) -> None:
    """Show the tomograms that the options of a command name in a scene. session: in whose coordinates; None for none."""
    for path in options.tomogram:
        settings = api.TomogramOptions(planes=() if options.slice else tuple(api.PLANES))
        box = api.open_tomogram(bpy.context.scene, path, session, settings, say_progress(f"Opening {path}"))
        for plane, place in options.slice or ():
            api.add_slice(box, plane, None if place is None else place * NANOMETRE)
        say(f"Opened {path}: {api.said_of(box)}", end="\n")
        for obj in api.slices_of(box) if options.full_slices else ():
            api.show_full(obj, say_progress(f"Reading {obj.name}"))


def import_settings(api: Any, options: argparse.Namespace) -> Any:
    """Return the ImportOptions that the options of a command mean."""
    return api.ImportOptions(options.scale, not options.no_recentre, options.pixel_size)


def color(api: Any, objects: Sequence[Any], options: argparse.Namespace) -> None:
    """Colour what is visible of objects as the options of a command say."""
    if options.color_by is not None:
        visible = [obj for obj in objects if not obj.hide_render]
        api.color_by(visible, options.color_by, options.map, value_range=options.range)


def say(text: str, end: str = "") -> None:
    """Show a line of progress on a terminal. end: makes it stay, there and elsewhere."""
    if sys.stderr.isatty():
        print(f"\r{text:<78}", end=end, file=sys.stderr, flush=True)
    elif end:
        print(text, file=sys.stderr)


def say_progress(what: str) -> Any:
    """Return a function that shows how much is done."""
    return lambda fraction: say(f"{what}: {fraction:.0%}")


class RenderProgress:
    """Prints how many samples are done while Blender renders."""

    def __init__(self, bpy: Any) -> None:
        self._handlers = bpy.app.handlers.render_stats

    def __enter__(self) -> None:
        self._handlers.append(self._report)

    def __exit__(self, *_: object) -> None:
        self._handlers.remove(self._report)
        say("", end="\n" if sys.stderr.isatty() else "")

    def _report(self, stats: Any, *_: object) -> None:
        if samples := re.search(r"Sample (\d+)/(\d+)", str(stats)):
            say(f"Rendering: sample {samples[1]} of {samples[2]}")
