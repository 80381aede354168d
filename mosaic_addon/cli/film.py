"""The command film: pictures, each made once, and the film of them."""

import argparse
import hashlib
import json
import signal
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from ..session import MosaicError
from . import values
from .blender import add_import_options, say, start_blender
from .render import add_picture_options, is_blend, set_up

FPS: Final = 24
SECONDS: Final = 10.0
SIZE: Final = (1920, 1080)
PREVIEW: Final = 4  # how much smaller a preview is
PREVIEW_SAMPLES: Final = 8
QUIET: Final = 30.0  # seconds between two lines of progress where there is no terminal
# Options on which no picture depends; those that name files count by what is in these.
ASIDE: Final = ("run", "output", "frames", "part", "device", "unlimited", "files", "tomogram", "camera")


def add_commands(commands: Any) -> None:
    """Tell the parser of the command."""
    command = commands.add_parser(
        "film",
        help="make a film of sessions or a .blend",
        description="Make a film of sessions, on a turntable or with their trajectories, or of a .blend with its own "
        "animation. Its pictures stay beside it, in a folder that is called like the film; a run that was stopped goes "
        "on there, and what is missing alone is rendered.",
    )
    command.add_argument("files", metavar="FILE", nargs="+", help="sessions, .pickle or .mosaic, or one .blend")
    command.add_argument(
        "-o",
        "--output",
        metavar="OUT.mp4",
        required=True,
        type=Path,
        help="the film: .mp4 or .webm; or numbered pictures, such as film/####.png",
    )
    command.add_argument(
        "--turn", type=values.degrees, metavar="DEGREES", help="turn around what is shown; 360 is once"
    )
    command.add_argument("--trajectory", action="store_true", help="play the trajectories")
    command.add_argument("--seconds", type=values.positive, help=f"how long these take (default: {SECONDS:g})")
    command.add_argument("--fps", type=values.count, help=f"pictures a second (default: {FPS}, or the .blend's)")
    command.add_argument("--preview", action="store_true", help="a quarter of the size and quick; NAME-preview.mp4")
    command.add_argument("--frames", type=values.span, metavar="FIRST-LAST", help="render these pictures alone, from 1")
    command.add_argument(
        "--part",
        type=values.part,
        metavar="K/N",
        help="render the K-th of N parts alone, so that machines share the work",
    )
    add_picture_options(command)
    add_import_options(command)
    command.set_defaults(run=_film, frame=None)


def _film(options: argparse.Namespace) -> None:
    if options.turn is None and not options.trajectory and (options.seconds or not is_blend(options.files)):
        raise MosaicError("Nothing moves in this film: give --turn, --trajectory or both.")
    target = options.output.absolute()
    if options.preview:
        target = _beside(target)
        options.engine, options.samples = options.engine or "workbench", min(options.samples or 8, PREVIEW_SAMPLES)
    bpy, api = start_blender()
    began = time.monotonic()
    stage = _Stage(bpy, api, options)
    api.check_film(target, stage.size, options.background)
    pictures = api.pictures_of(target, stage.count, _digest(options, bpy.app.version))
    numbers = _numbers(options, stage.count)
    pictures.open_folder()
    if lacking := pictures.lacking(numbers):
        if len(lacking) < len(numbers):
            say(f"{len(numbers) - len(lacking)} of {len(numbers)} pictures are there", end="\n")
        stage.open()
        with _Progress(len(lacking)) as progress:
            api.render_pictures(bpy.context.scene, pictures, lacking, progress.report, progress.goes_on)
    if lacking := pictures.lacking(range(1, stage.count + 1)):
        print(f"{target} waits for pictures {_in_words(lacking)} of {stage.count}")
        return
    if "#" not in target.name:
        say("Putting the film together")
        api.assemble_film([pictures.path(number) for number in range(1, stage.count + 1)], target, stage.fps)
    say("")
    print(f"{target} ({stage.count} pictures, {stage.count / stage.fps:g} s; {time.monotonic() - began:.0f} s)")


class _Stage:
    """The scene of a film. Sessions are opened when a picture is to be made, and not where all are there.

    size: of a picture, in pixels. fps: pictures a second. count: of the pictures.
    """

    def __init__(self, bpy: Any, api: Any, options: argparse.Namespace) -> None:
        self._bpy, self._api, self._options = bpy, api, options
        self._view = api.read_view(options.camera) if options.camera else None
        self._is_open = False
        self.size: tuple[int, int] = options.size or (self._view and self._view.size) or SIZE
        self.fps = float(options.fps or FPS)
        self.count = max(1, round((options.seconds or SECONDS) * self.fps))
        if is_blend(options.files):
            self.open()
        elif options.preview:
            self.size = _reduced(self.size)

    def open(self) -> None:
        """Open what the film shows, and let it move."""
        if self._is_open:
            return
        self._is_open = True
        options, api = self._options, self._api
        of_blend = is_blend(options.files)
        size = options.size or (self._view and self._view.size) if of_blend else self.size
        say(set_up(self._bpy, api, options, self._view, size, None), end="\n")
        scene = self._bpy.context.scene
        render = scene.render
        if options.fps or not of_blend:
            render.fps, render.fps_base = round(self.fps), 1.0
        self.fps = render.fps / render.fps_base
        if of_blend:
            percent = render.resolution_percentage / 100
            self.size = int(render.resolution_x * percent), int(render.resolution_y * percent)
            if options.preview:
                self.size = _reduced(self.size)
                api.override_render(scene, self.size)
        if options.turn is None and not options.trajectory:
            self.count = scene.frame_end - scene.frame_start + 1
            return
        seconds = options.seconds or SECONDS
        self.count = max(1, round(seconds * self.fps))
        scene.frame_end = scene.frame_start + self.count - 1
        objects = [obj for session in api.sessions_in(scene) for obj in api.objects_of(session)]
        if options.turn is not None:
            api.add_turntable(scene, objects, start=scene.frame_start, seconds=seconds, degrees=options.turn)
        if options.trajectory:
            api.add_trajectory(scene, objects, start=scene.frame_start, seconds=seconds)


class _Progress:
    """Says how far the pictures are, and lets Ctrl+C end the work after the one that is being made.

    A context manager. Raises KeyboardInterrupt at its end if it was stopped.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._stopped = False
        self._said = time.monotonic()

    def __enter__(self) -> "_Progress":
        self._former = signal.signal(signal.SIGINT, self._stop)
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        signal.signal(signal.SIGINT, self._former or signal.SIG_DFL)
        if self._stopped and kind is None:
            raise KeyboardInterrupt

    def _stop(self, *_: object) -> None:
        self._stopped = True
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        say("Stopping after this picture; Ctrl+C again stops at once", end="\n")

    def goes_on(self) -> bool:
        return not self._stopped

    def report(self, done: int, seconds: float) -> None:
        each = seconds / done
        left = timedelta(seconds=round(each * (self._count - done)))
        last = done == self._count
        quiet = time.monotonic() - self._said < QUIET and not last
        if sys.stderr.isatty() or not quiet:
            self._said = time.monotonic()
            end = "\n" if last or not sys.stderr.isatty() else ""
            say(f"Picture {done} of {self._count}: {each:.2f} s each, {left} left", end=end)


def _beside(target: Path) -> Path:
    """The name of a film's preview."""
    if "#" in target.name:
        return target.parent.with_name(f"{target.parent.name}-preview") / target.name
    return target.with_name(f"{target.stem}-preview{target.suffix}")


def _reduced(size: tuple[int, int]) -> tuple[int, int]:
    """A preview's size: both sides even, as films need it."""
    width, height = (max(16, side // PREVIEW // 2 * 2) for side in size)
    return width, height


def _numbers(options: argparse.Namespace, count: int) -> Sequence[int]:
    """Numbers of the pictures that are to be made. Raises MosaicError where the film has no such pictures."""
    first, last = options.frames or (1, count)
    if last > count:
        raise MosaicError(f"There is no picture {last}: the film has {count}.")
    which, parts = options.part or (1, 1)
    number = last - first + 1
    return range(first + number * (which - 1) // parts, first + number * which // parts)


def _digest(options: argparse.Namespace, version: Sequence[int]) -> str:
    """A digest of all that the film's pictures depend on. Raises MosaicError for a file that cannot be read."""
    camera = [options.camera] if options.camera else []
    files = {key: [_digest_of(path) for path in paths] for key, paths in (
        ("files", options.files), ("tomogram", options.tomogram), ("camera", camera)
    )}  # fmt: skip
    settings = {key: value for key, value in vars(options).items() if key not in ASIDE}
    known = {"settings": settings, "files": files, "blender": version[:2]}
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def _digest_of(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise MosaicError(f"{path} cannot be read: {error.strerror or error}") from error


def _in_words(numbers: Sequence[int]) -> str:
    """Return ascending numbers in words, such as "1-60, 121"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
