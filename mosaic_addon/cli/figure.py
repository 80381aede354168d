"""The commands figure and recipe: a recipe becomes a picture, and a scene becomes a recipe."""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ..files.recipe import Output, Picture, Recipe, read_recipe
from ..scene.pictures.options import DEVICES
from ..session import MosaicError
from ..session.errors import printable
from .blender import RenderProgress, load, open_blend, say, start_blender

SAMPLES: Final = 128  # of a new recipe, as a recipe that says none has


def add_commands(commands: Any) -> None:
    """Tell the parser of the commands."""
    _add_figure(commands)
    _add_recipe(commands)


def _add_figure(commands: Any) -> None:
    command = commands.add_parser(
        "figure",
        help="make the figure of a recipe",
        description="Make the figure that a recipe describes: a TOML file that names sessions, says what they look like "
        "and what is drawn beside them. Paths in it count from its folder.",
    )
    command.add_argument("recipe", metavar="RECIPE.toml", type=Path)
    command.add_argument(
        "-o",
        "--output",
        metavar="OUT.png",
        action="append",
        help="the picture, instead of the recipe's outputs (default: as the recipe is called, .png); may be given "
        "several times",
    )
    command.add_argument("--only", metavar="PANEL", help="the letter of one panel, to render that alone")
    command.add_argument("--preview", action="store_true", help="a third of the size and quick; NAME-preview.png")
    command.add_argument("--check", action="store_true", help="say whether the recipe is right, and render nothing")
    command.add_argument(
        "--device", choices=DEVICES, default="auto", help="that Cycles computes with (default: the best that works)"
    )
    command.add_argument("--unlimited", action="store_true", help="open sessions of any size without asking")
    command.set_defaults(run=_figure)


def _add_recipe(commands: Any) -> None:
    command = commands.add_parser(
        "recipe",
        help="write the figure of a .blend or session as a recipe",
        description="Write a recipe, from which `mosaic figure` makes the picture again that a .blend shows; of a session, "
        "one to begin with. What a recipe cannot hold is said, and stands at its top.",
    )
    command.add_argument("file", metavar="FILE", type=Path, help="a .blend, or a session, .pickle or .mosaic")
    command.add_argument(
        "-o", "--output", metavar="OUT.toml", type=Path, help="the recipe (default: as FILE is called, .toml)"
    )
    command.add_argument("--overwrite", action="store_true", help="write it also over a file that is there")
    command.add_argument("--unlimited", action="store_true", help="open sessions of any size without asking")
    command.set_defaults(run=_recipe)


def _recipe(options: argparse.Namespace) -> None:
    bpy, api = start_blender()
    target = (options.output or options.file.with_suffix(".toml")).absolute()
    if options.file.suffix.lower() == ".blend":
        open_blend(bpy, options.file)
    else:
        picture = Picture()
        imported = load(api, str(options.file), options.unlimited)
        api.set_up_picture(imported, api.RenderOptions(picture.size, samples=SAMPLES))
        api.set_print_width(bpy.context.scene, picture.width)
    for sentence in api.write_recipe(target, overwrite=options.overwrite):
        print(f"mosaic: not in the recipe: {printable(sentence)}", file=sys.stderr)
    print(target)


def _figure(options: argparse.Namespace) -> None:
    recipe = read_recipe(options.recipe)
    outputs = _outputs(options, recipe)
    bpy, api = start_blender()
    scene = bpy.context.scene
    folder = options.recipe.absolute().parent
    device = api.choose_device(scene, options.device) if recipe.picture.engine == "cycles" else ""

    def open_sessions(scene: Any) -> list[Any]:
        return [_open(api, recipe, folder / path, scene, options.unlimited) for path in recipe.sessions]

    if options.check:
        api.check_figure(recipe, outputs, open_sessions, scene)
        print(f"{options.recipe} is right.")
        return
    if device:
        say(device, end="\n")
    began = time.monotonic()
    with RenderProgress(bpy):
        api.render_figure(recipe, outputs, open_sessions, scene, only=options.only, preview=options.preview)
    for output in outputs:
        print(f"{output.file} ({time.monotonic() - began:.0f} s)")


def _outputs(options: argparse.Namespace, recipe: Recipe) -> Sequence[Output]:
    """The files that are to be written, by their whole paths."""
    if options.output:
        outputs = [Output(file=str(Path(path).absolute())) for path in options.output]
        for output in outputs:
            output.check()
        return outputs
    source = options.recipe.absolute()
    ending = (f"-{options.only}" if options.only else "") + ("-preview" if options.preview else "")
    outputs = []
    for output in recipe.outputs or [Output(file=f"{source.stem}.png")]:
        path = source.parent / output.file
        outputs.append(replace(output, file=str(path.with_name(f"{path.stem}{ending}{path.suffix}"))))
    return outputs


def _open(api: Any, recipe: Recipe, path: Path, scene: Any, unlimited: bool) -> Any:
    """Open a session of a recipe and return its collection. Errors name the recipe, too."""
    settings = api.ImportOptions(pixel_size=recipe.pixel_size)
    try:
        imported = api.load(path, scene, settings, unlimited=unlimited)
    except MosaicError as error:
        raise recipe.wrong("sessions", str(error)) from error
    for warning in imported.warnings:
        say(f"mosaic: warning: {warning}", end="\n")
    return imported.collection
