"""The command line: `blender -c mosaic COMMAND`, or `python -m mosaic_addon COMMAND` with the bpy module.

What needs no Blender imports none, as that takes seconds.
"""

import argparse
import errno
import os
import sys
from collections.abc import Sequence

from ..session import MosaicError
from ..session.atomic_write import FULL_DISK
from . import figure, film, info, render, sessions

# Options whose values may start with a minus, which argparse takes for an option.
NUMBER_LISTS = ("--direction", "--range")


def main(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code.

    0: done. 1: an error, which is printed in one line, or sessions that differ, from `check`. 2: wrong usage.
    """
    try:
        parser = _parser()
        options = parser.parse_args(_joined(arguments))
        for given, needs in (
            ("map", "color_by"),
            ("range", "color_by"),
            ("slice", "tomogram"),
            ("full_slices", "tomogram"),
        ):
            if getattr(options, given, None) not in (None, False) and not getattr(options, needs):
                parser.error(f"--{given.replace('_', '-')} needs --{needs.replace('_', '-')}")
        if getattr(options, "camera", None) and (options.direction or options.zoom):
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
    for module in (info, sessions, render, figure, film):
        module.add_commands(commands)
    return parser
