"""The commands that need no Blender: info and check."""

import argparse
import json
from dataclasses import asdict
from typing import Any

from ..session import open_session
from ..session.compare import compare
from ..session.describe import describe, describe_text

SHOWN_DIFFERENCES = 100


def add_commands(commands: Any) -> None:
    """Tell the parser of the commands."""
    _add_info(commands)
    _add_check(commands)


def _add_info(commands: Any) -> None:
    command = commands.add_parser(
        "info", help="say what is in a session", description="Say what is in a session. Needs no Blender."
    )
    command.add_argument("file", metavar="FILE", help="a session: .pickle or .mosaic")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=_info)


def _info(options: argparse.Namespace) -> None:
    session = open_session(options.file, wait=True)
    print(json.dumps(describe(session), indent=2) if options.json else describe_text(session))


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
