"""The commands that make files of files: import, export and convert."""

import argparse
import os
import sys
from typing import Any

from ..session import MosaicError
from ..session.atomic_write import find_target
from ..session.errors import one_line, printable
from ..session.releases import TARGETS
from . import values
from .blender import add_import_options, color, import_settings, load, open_blend, show_tomograms, start_blender

OUTPUT_HELP = (
    "the session to write: .pickle, which Mosaic's window opens and is appended to other names, or .mosaic, which keeps "
    "the thumbnail, too"
)
MAX_BLEND_PATH = 1023  # bytes; Blender cuts a longer one and writes another file


def add_commands(commands: Any) -> None:
    """Tell the parser of the commands."""
    _add_import(commands)
    _add_export(commands)
    _add_convert(commands)


def _add_import(commands: Any) -> None:
    command = commands.add_parser(
        "import", help="make a .blend of sessions", description="Make a .blend of one or more sessions."
    )
    command.add_argument("files", metavar="FILE", nargs="+", help="sessions: .pickle or .mosaic")
    command.add_argument(
        "-o", "--output", metavar="OUT.blend", required=True, type=values.blend_path, help="the .blend to write"
    )
    add_import_options(command)
    command.set_defaults(run=_import)


def _import(options: argparse.Namespace) -> None:
    bpy, api = start_blender()
    target = options.output.absolute()
    try:
        find_target(target)
    except MosaicError as error:
        raise MosaicError(f"{target} {error}") from error
    if len(os.fsencode(target)) > MAX_BLEND_PATH:
        raise MosaicError(f"{target} cannot be written: Blender takes no path of more than {MAX_BLEND_PATH} bytes.")
    settings = import_settings(api, options)
    imported = [load(api, file, options.unlimited, settings) for file in options.files]
    color(api, [obj for each in imported for obj in each.objects], options)
    show_tomograms(bpy, api, imported[0].collection, options)
    api.set_up_picture(imported)
    try:
        bpy.ops.wm.save_as_mainfile(filepath=str(target), check_existing=False)
    except RuntimeError as error:
        raise MosaicError(f"{target} cannot be written: {one_line(error)}") from error
    print(target)


def _add_export(commands: Any) -> None:
    command = commands.add_parser(
        "export", help="save the session of a .blend", description="Save the session of a .blend for Mosaic."
    )
    command.add_argument("scene", metavar="SCENE.blend", type=values.blend_path)
    command.add_argument("output", metavar="OUT", help=OUTPUT_HELP)
    command.add_argument("--session", metavar="NAME", help="which of several: the name of its collection")
    _add_export_options(command)
    command.set_defaults(run=_export)


def _export(options: argparse.Namespace) -> None:
    bpy, api = start_blender()
    api.check_target(options.output)
    source = options.scene.absolute()
    open_blend(bpy, source)
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


def _convert(options: argparse.Namespace) -> None:
    _, api = start_blender()
    api.check_target(options.output)
    _save(api, load(api, options.input, options.unlimited), options)


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
