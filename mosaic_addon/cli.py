"""The command line: `blender -c mosaic COMMAND`, or `python -m mosaic_addon COMMAND` with the bpy module.

What needs no Blender imports none, as that takes seconds.
"""

import argparse
import errno
import json
import math
import os
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .scene.importing.options import DEFAULT_SCALE, SCALES
from .scene.pictures.options import BACKGROUNDS, LOOKS
from .session import MosaicError, open_session
from .session.atomic_write import FULL_DISK, find_target
from .session.compare import compare
from .session.describe import describe, describe_text
from .session.errors import printable
from .session.releases import TARGETS

OUTPUT_HELP = (
    "the session to write: .pickle, which Mosaic's window opens and is appended to other names, or .mosaic, which keeps "
    "the thumbnail, too"
)
SHOWN_DIFFERENCES = 100
MAX_BLEND_PATH = 1023  # bytes; Blender cuts a longer one and writes another file
# Options whose values may start with a minus, which argparse takes for an option.
NUMBER_LISTS = ("--direction", "--range")


def main(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code.

    0: done. 1: an error, which is printed in one line, or sessions that differ, from `check`. 2: wrong usage.
    """
    try:
        parser = _parser()
        options = parser.parse_args(_joined(arguments))
        for given, needs in (("map", "color_by"), ("range", "color_by")):
            if getattr(options, given, None) is not None and getattr(options, needs) is None:
                parser.error(f"--{given} needs --{needs.replace('_', '-')}")
        if getattr(options, "camera", None) and (options.direction or options.zoom != 1.0):
            parser.error("--camera says where the camera stands: leave --direction and --zoom out")
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        code = options.run(options) or 0
        sys.stdout.flush()
    except MosaicError as error:
        print(f"mosaic: error: {error}", file=sys.stderr)
        return 1
    except OSError as error:  # of standard output: those of files are MosaicErrors
        if error.errno not in (*FULL_DISK, errno.EPIPE):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is still to be flushed at the end
        if error.errno in FULL_DISK:
            print("mosaic: error: The output cannot be written: the disk is full.", file=sys.stderr)
        return 1  # without a word in `mosaic info FILE | head`
    except KeyboardInterrupt:
        print("mosaic: error: stopped", file=sys.stderr)
        return 1
    return code


def _joined(arguments: Sequence[str]) -> list[str]:
    """Arguments with `--range -1,2` as `--range=-1,2`."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1] in NUMBER_LISTS:
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mosaic", description="Open sessions of Mosaic, the cryo-ET program, in Blender, and save them."
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in (_add_info, _add_check, _add_import, _add_render, _add_export, _add_convert):
        add(commands)
    return parser


def _add_info(commands: Any) -> None:
    command = commands.add_parser(
        "info", help="say what is in a session", description="Say what is in a session. Needs no Blender."
    )
    command.add_argument("file", metavar="FILE", help="a session: .pickle or .mosaic")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=_info)


def _add_check(commands: Any) -> None:
    command = commands.add_parser(
        "check",
        help="say what differs between two sessions",
        description="Say what differs between two sessions: every object, number and attribute that either holds. "
        f"Needs no Blender. A line each on standard output, the first {SHOWN_DIFFERENCES} of them. The exit code is 0 "
        "if nothing differs, 1 if something does or a file cannot be read (then with an error on standard error), 2 "
        "for wrong usage.",
    )
    command.add_argument("left", metavar="A", help="a session: .pickle or .mosaic")
    command.add_argument("right", metavar="B", help="the session to compare it with")
    command.add_argument("--json", action="store_true", help="print JSON, with all that differs")
    command.set_defaults(run=_check)


def _add_import(commands: Any) -> None:
    command = commands.add_parser(
        "import", help="make a .blend of sessions", description="Make a .blend of one or more sessions."
    )
    command.add_argument("files", metavar="FILE", nargs="+", help="sessions: .pickle or .mosaic")
    command.add_argument(
        "-o", "--output", metavar="OUT.blend", required=True, type=_blend_path, help="the .blend to write"
    )
    _add_import_options(command)
    command.set_defaults(run=_import)


def _add_render(commands: Any) -> None:
    command = commands.add_parser(
        "render", help="render a session", description="Render a session: all that is visible in it."
    )
    command.add_argument("file", metavar="FILE", help="a session: .pickle or .mosaic")
    command.add_argument("-o", "--output", metavar="OUT.png", required=True, help="the picture: .png, .jpg or .exr")
    command.add_argument(
        "--size", type=_size, metavar="WIDTHxHEIGHT", help="in pixels (default: 1920x1080, or the camera's)"
    )
    command.add_argument(
        "--engine", choices=("cycles", "eevee", "workbench"), default="cycles", help="default: %(default)s"
    )
    command.add_argument("--samples", type=_count, default=32, help="per pixel (default: %(default)s)")
    command.add_argument(
        "--look", choices=LOOKS, default="full", help="as Mosaic's lighting modes (default: %(default)s)"
    )
    command.add_argument("--background", choices=BACKGROUNDS, default="white", help="default: %(default)s")
    command.add_argument(
        "--transparent", dest="background", action="store_const", const="transparent", help="no background"
    )
    command.add_argument("--frame", type=_number, metavar="K", help="the frame of trajectories, from 0")
    command.add_argument(
        "--direction", type=_vector, metavar="X,Y,Z", help="the way the camera looks (default: 0,0,-1)"
    )
    command.add_argument("--zoom", type=_positive, default=1.0, help="larger than 1 comes closer")
    command.add_argument(
        "--camera", metavar="FILE.json", help="position, focal_point, up (angstrom), view_angle (degrees), size"
    )
    _add_import_options(command)
    command.set_defaults(run=_render)


def _add_export(commands: Any) -> None:
    command = commands.add_parser(
        "export", help="save the session of a .blend", description="Save the session of a .blend for Mosaic."
    )
    command.add_argument("scene", metavar="SCENE.blend", type=_blend_path)
    command.add_argument("output", metavar="OUT", help=OUTPUT_HELP)
    command.add_argument("--session", metavar="NAME", help="which of several: the name of its collection")
    _add_export_options(command)
    command.set_defaults(run=_export)


def _add_convert(commands: Any) -> None:
    command = commands.add_parser(
        "convert",
        help="write a session in the other layout, or for another Mosaic",
        description="Open a session in Blender and save it: in the layout of the new name, or as another release "
        "writes it.",
    )
    command.add_argument("input", metavar="IN", help="a session: .pickle or .mosaic")
    command.add_argument("output", metavar="OUT", help=OUTPUT_HELP)
    command.add_argument("--unlimited", action="store_true", help="open sessions of any size without asking")
    _add_export_options(command)
    command.set_defaults(run=_convert)


def _add_export_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--target", choices=TARGETS, help="write as this release does (default: as the one that the session is of)"
    )
    command.add_argument("--apply-modifiers", action="store_true", help="write what modifiers make of points and faces")
    command.add_argument(
        "--no-backup",
        action="store_true",
        help="keep no copy (OUT.bak) of a file that is overwritten for the first time",
    )
    command.add_argument(
        "--overwrite",
        action="store_true",
        help="write the session's own file even if somebody has changed it meanwhile",
    )


def _add_import_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--scale",
        type=_scale,
        default=DEFAULT_SCALE,
        metavar="|".join((*SCALES, "N")),
        help=f"what a Blender unit is: {', '.join(scale.length for scale in SCALES.values())} or N angstrom "
        "(default: 100 nm)",
    )
    command.add_argument("--no-recentre", action="store_true", help="keep the session where its coordinates say")
    command.add_argument(
        "--pixel-size", type=_positive, metavar="N", help="angstrom that a pixel of Mosaic's point sizes stands for"
    )
    command.add_argument("--unlimited", action="store_true", help="open sessions of any size without asking")
    command.add_argument(
        "--color-by", metavar="PROPERTY", help="colour what is visible by this vertex property, in one range for all"
    )
    command.add_argument(
        "--map",
        type=_color_map,
        metavar="NAME",
        help="a colour map of Mosaic (default: viridis); NAME_r turns it round",
    )
    command.add_argument(
        "--range", type=_range, metavar="LO,HI", help="the values of the first and last colour (default: all values)"
    )


# --- commands --------------------------------------------------------------------------------------------------------


def _info(options: argparse.Namespace) -> None:
    session = open_session(options.file)
    print(json.dumps(describe(session), indent=2) if options.json else describe_text(session))


def _check(options: argparse.Namespace) -> int:
    differences = compare(open_session(options.left), open_session(options.right))
    if options.json:
        print(json.dumps({"differences": [asdict(difference) for difference in differences]}, indent=2))
        return 1 if differences else 0
    for difference in differences[:SHOWN_DIFFERENCES]:
        print(difference)
    if len(differences) > SHOWN_DIFFERENCES:
        print(f"and {len(differences) - SHOWN_DIFFERENCES} more; --json lists all")
    if not differences:
        print("Nothing differs.")
    return 1 if differences else 0


def _import(options: argparse.Namespace) -> None:
    bpy, api = _blender()
    target = options.output.absolute()
    try:
        find_target(target)
    except MosaicError as error:
        raise MosaicError(f"{target} {error}") from error
    if len(os.fsencode(target)) > MAX_BLEND_PATH:
        raise MosaicError(f"{target} cannot be written: Blender takes no path of more than {MAX_BLEND_PATH} bytes.")
    settings = _import_settings(api, options)
    imported = [_load(api, file, options.unlimited, settings) for file in options.files]
    _color(api, imported, options)
    api.set_up_picture(imported)
    try:
        bpy.ops.wm.save_as_mainfile(filepath=str(target), check_existing=False)
    except RuntimeError as error:
        raise MosaicError(f"{target} cannot be written: {_one_line(error)}") from error
    print(target)


def _render(options: argparse.Namespace) -> None:
    bpy, api = _blender()
    api.check_picture(options.output)
    view = api.read_view(options.camera) if options.camera else None
    size = options.size or (view and view.size) or (1920, 1080)
    imported = _load(api, options.file, options.unlimited, _import_settings(api, options))
    if view and not options.pixel_size:
        api.show_as_in(view, imported, size[1])
    _color(api, [imported], options)
    look = api.RenderOptions(size, options.engine, options.samples, options.look, options.background)
    start = time.monotonic()
    with _RenderProgress(bpy):
        api.render(
            imported,
            options.output,
            look,
            view=view,
            direction=options.direction or (0.0, 0.0, -1.0),
            zoom=options.zoom,
            frame=options.frame,
        )
    print(f"{Path(options.output).absolute()} ({time.monotonic() - start:.0f} s)")


def _export(options: argparse.Namespace) -> None:
    bpy, api = _blender()
    api.check_target(options.output)
    source = options.scene.absolute()
    try:
        bpy.ops.wm.open_mainfile(filepath=str(source), load_ui=False, use_scripts=False)
    except RuntimeError as error:
        raise MosaicError(f"{source} cannot be opened: {_one_line(error)}") from error
    sessions = {collection.name: collection for collection in api.sessions_in(bpy.context.scene)}
    names = ", ".join(map(repr, sessions))
    if not sessions:
        others = [scene.name for scene in bpy.data.scenes if api.sessions_in(scene)]
        if others:
            raise MosaicError(
                f"{source} holds no session in its active scene {bpy.context.scene.name!r}, but in {others[0]!r}; make "
                "that the active one in Blender and save the file."
            )
        raise MosaicError(f"{source} holds no session.")
    if options.session is None and len(sessions) > 1:
        raise MosaicError(f"{source} holds several sessions; choose one by --session: {names}.")
    if options.session is not None and options.session not in sessions:
        raise MosaicError(f"{source} holds no session {options.session!r}; there are {names}.")
    name = options.session or next(iter(sessions))
    _save(api, sessions[name], options)


def _convert(options: argparse.Namespace) -> None:
    _, api = _blender()
    api.check_target(options.output)
    _save(api, _load(api, options.input, options.unlimited), options)


def _save(api: Any, session: Any, options: argparse.Namespace) -> None:
    settings = api.ExportOptions(options.target, options.apply_modifiers)
    saved = api.save(session, options.output, settings, backup=not options.no_backup, overwrite=options.overwrite)
    for change in saved.changes:
        print(f"mosaic: changed: {printable(str(change))}", file=sys.stderr)
    for note in saved.left_out:
        print(f"mosaic: left out: {printable(note)}", file=sys.stderr)
    for warning in saved.warnings:
        print(f"mosaic: warning: {printable(warning)}", file=sys.stderr)
    print(saved.path)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).removeprefix("Error: ")


def _blender() -> tuple[Any, Any]:
    """Return bpy with an empty file, and our `api`. Raises MosaicError where there is no bpy."""
    try:
        import bpy
    except ImportError as error:
        raise MosaicError(
            "This command needs Blender: run it with `blender -c mosaic`, or install the bpy module."
        ) from error
    from . import api

    bpy.ops.wm.read_factory_settings(use_empty=True)
    return bpy, api


def _load(api: Any, file: str, unlimited: bool, settings: Any = None) -> Any:
    imported = api.load(file, options=settings, unlimited=unlimited, progress=_say_progress(f"Opening {file}"))
    _say(f"Opened {file}: {len(imported.objects)} objects", end="\n")
    for warning in imported.warnings:
        print(f"mosaic: warning: {printable(warning)}", file=sys.stderr)
    return imported


def _import_settings(api: Any, options: argparse.Namespace) -> Any:
    return api.ImportOptions(options.scale, not options.no_recentre, options.pixel_size)


def _color(api: Any, all_imported: Sequence[Any], options: argparse.Namespace) -> None:
    if options.color_by is not None:
        visible = [obj for imported in all_imported for obj in imported.objects if not obj.hide_render]
        api.color_by(visible, options.color_by, options.map, value_range=options.range)


# --- progress on the terminal ----------------------------------------------------------------------------------------


def _say(text: str, end: str = "") -> None:
    if sys.stderr.isatty():
        print(f"\r{text:<78}", end=end, file=sys.stderr, flush=True)
    elif end:
        print(text, file=sys.stderr)


def _say_progress(what: str) -> Any:
    return lambda fraction: _say(f"{what}: {fraction:.0%}")


class _RenderProgress:
    """Prints how many samples are done while Blender renders."""

    def __init__(self, bpy: Any) -> None:
        self._handlers = bpy.app.handlers.render_stats

    def __enter__(self) -> None:
        self._handlers.append(self._report)

    def __exit__(self, *_: object) -> None:
        self._handlers.remove(self._report)
        _say("", end="\n" if sys.stderr.isatty() else "")

    def _report(self, stats: Any, *_: object) -> None:
        if samples := re.search(r"Sample (\d+)/(\d+)", str(stats)):
            _say(f"Rendering: sample {samples[1]} of {samples[2]}")


# --- values of options -----------------------------------------------------------------------------------------------


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if not match or "0" in (match[1], match[2]):
        raise argparse.ArgumentTypeError(f"{text!r} is not WIDTHxHEIGHT")
    return int(match[1]), int(match[2])


def _vector(text: str) -> tuple[float, float, float]:
    try:
        x, y, z = (float(part) for part in text.split(","))
    except ValueError:
        x = y = z = math.nan
    if not (math.isfinite(x + y + z) and (x, y, z) != (0, 0, 0)):
        raise argparse.ArgumentTypeError(f"{text!r} is not X,Y,Z")
    return x, y, z


def _range(text: str) -> tuple[float, float]:
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not LO,HI") from None
    return low, high


def _color_map(text: str) -> str:
    from .scene.drawing.color_maps import find_map

    try:
        find_map(text)
    except MosaicError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return value


def _number(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def _count(text: str) -> int:
    if not _number(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive whole number")
    return int(text)


def _scale(text: str) -> float:
    return SCALES[text].angstrom_per_unit if text in SCALES else _positive(text)


def _blend_path(text: str) -> Path:
    if not text.endswith(".blend"):
        raise argparse.ArgumentTypeError(f"{text!r} does not end in .blend")
    return Path(text)
