"""Recipes: a figure as one TOML file, from which it can be made again.

What these classes say is what such a file may hold. Sizes on paper are mm.
"""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

from ..session.errors import printable
from .recipe_parts import (
    CORNERS,
    Axes,
    BoundingBox,
    Corner,
    Cut,
    Key,
    Label,
    Legend,
    Pair,
    Patterns,
    Placed,
    Rule,
    ScaleBar,
    Text,
    Tomogram,
    Triple,
)
from .toml_tables import Positive, Size, Table, read_toml, several, write_toml

VERSION: Final = 1
SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".exr", ".svg")
DEFAULT_WIDTH, DEFAULT_DPI = 85.0, 300.0  # mm: one column of most journals
MOST_SAMPLES: Final = 2**20
MOST_PIXELS: Final = 65536  # that Blender allows for a side of a picture
COMMENT_WIDTH: Final = 110
MM: Final = 25.4  # in an inch


# --- the picture -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture(Table):
    """How large and of what kind the picture is. Of the whole figure, where it has panels.

    height_mm: by default three quarters of the width. pixels: instead of dpi, or of width and height in mm. samples: by
    default enough for the engine. frame: of the trajectories, from 0.
    """

    width_mm: Positive | None = None
    height_mm: Positive | None = None
    dpi: Positive | None = None
    pixels: tuple[int, int] | None = None
    look: str = "full"
    background: str = "white"
    engine: str = "cycles"
    samples: int | None = None
    frame: int | None = None

    def check(self) -> None:
        """Refuse sizes that are none, and more of them than go together."""
        if self.samples is not None and not 0 < self.samples <= MOST_SAMPLES:
            raise self.wrong("samples", f"samples is {self.samples}, but must be between 1 and {MOST_SAMPLES}.")
        if self.pixels is not None and not min(self.pixels) > 0:
            raise self.wrong("pixels", "pixels must be two numbers above 0.")
        if self.pixels is not None and self.height_mm is not None:
            raise self.wrong("height_mm", "pixels already say how high the picture is: leave height_mm out.")
        if self.pixels is not None and self.width_mm is not None and self.dpi is not None:
            raise self.wrong("dpi", "pixels and width_mm already say how fine the picture is: leave dpi out.")
        if self.frame is not None and self.frame < 0:
            raise self.wrong("frame", f"frame is {self.frame}, but frames are counted from 0.")
        if max(self.size) > MOST_PIXELS:
            key = next(key for key in ("pixels", "dpi", "height_mm", "width_mm") if getattr(self, key) is not None)
            raise self.wrong(key, f"A picture of {self.size[0]} x {self.size[1]} pixels is larger than Blender makes.")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        if self.pixels is not None:
            return self.pixels
        width = self.width_mm or DEFAULT_WIDTH
        sides = [min(side / MM * self.resolution, 1e9) for side in (width, self.height_mm or width * 0.75)]
        return max(1, round(sides[0])), max(1, round(sides[1]))

    @property
    def width(self) -> float:
        """Width of the print, in mm."""
        if self.width_mm is None and self.pixels is not None:
            return self.pixels[0] / self.resolution * MM
        return self.width_mm or DEFAULT_WIDTH

    @property
    def resolution(self) -> float:
        """Pixels an inch of the print."""
        if self.pixels is not None and self.width_mm is not None:
            return self.pixels[0] / self.width_mm * MM
        return self.dpi or DEFAULT_DPI


@dataclass(frozen=True, slots=True, kw_only=True)
class Waypoint(Table):
    """Where a camera stands, as Mosaic's does: in angstrom, and its angle from bottom to top in degrees.

    height: of what an orthographic camera shows, in angstrom; by default as much as it would see with perspective at the
    focal point. shift: how far the picture is moved to the right and up from where the camera looks, in heights of it.
    """

    position: Triple
    focal_point: Triple
    up: Triple = (0.0, 1.0, 0.0)
    view_angle: float = 30.0
    height: Positive | None = None
    shift: Pair = (0.0, 0.0)

    def check(self) -> None:
        """Refuse cameras that look nowhere."""
        ahead = [to - at for to, at in zip(self.focal_point, self.position, strict=True)]
        if not 0 < self.view_angle < 180:
            raise self.wrong("view_angle", f"view_angle is {self.view_angle:g}, but must be between 0 and 180 degrees.")
        if not _turn(ahead, self.up):
            raise self.wrong("up", "The camera looks nowhere, or up along its own view.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera(Table):
    """How the session is looked at: by a view of Mosaic, along a direction, or from a waypoint.

    up: what is up in the picture, with a direction. zoom: larger than 1 comes closer than what just holds all. objects:
    which ones are to be in the picture; by default all that are visible. orthographic: without perspective.
    """

    view: Literal["top", "front", "side"] | None = None
    direction: Triple | None = None
    up: Triple | None = None
    zoom: Positive = 1.0
    objects: Patterns = ()
    orthographic: bool = False
    waypoint: Waypoint | None = None

    def check(self) -> None:
        """Refuse more than one way to say where the camera stands."""
        ways = [key for key in ("view", "direction", "waypoint") if getattr(self, key) is not None]
        if len(ways) > 1:
            raise self.wrong(ways[1], f"{ways[0]} already says how the camera looks: leave {ways[1]} out.")
        if self.waypoint is not None and self.waypoint.height is not None and not self.orthographic:
            raise self.waypoint.wrong(
                "height", "height goes with orthographic = true; view_angle says how much is seen."
            )
        for key in ("zoom", "objects", "up"):
            if self.waypoint is not None and getattr(self, key) not in (1.0, (), None):
                raise self.wrong(key, f"waypoint already says where the camera stands: leave {key} out.")
        if self.direction is not None and not any(self.direction):
            raise self.wrong("direction", "direction must not be zero.")
        if self.up is not None and self.direction is None:
            raise self.wrong("up", "up goes with a direction, which is missing.")
        if self.up is not None and self.direction is not None and not _turn(self.direction, self.up):
            raise self.wrong("up", "up lies along the direction.")


def _turn(ahead: Any, up: Any) -> bool:
    """Whether two directions are not along each other, nor zero."""
    x, y, z = ahead
    a, b, c = up
    across = math.hypot(y * c - z * b, z * a - x * c, x * b - y * a)
    return across > 1e-6 * math.hypot(x, y, z) * math.hypot(a, b, c)


# --- the file --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Content(Table):
    """What a picture shows: that of a whole figure, or of a panel."""

    camera: Camera | None = None
    rules: tuple[Rule, ...] = several("rule")
    cuts: tuple[Cut, ...] = several("cut")
    tomograms: tuple[Tomogram, ...] = several("tomogram")
    keys: tuple[Key, ...] = several("key")
    legends: tuple[Legend, ...] = several("legend")
    labels: tuple[Label, ...] = several("label")
    texts: tuple[Text, ...] = several("text")
    scale_bar: ScaleBar | None = None
    axes: Axes | None = None
    bounding_box: BoundingBox | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel(Content):
    """A view of the grid. Its camera, look, scale bar, axes and box count instead of the figure's, its rules after them;
    its cuts, tomograms, keys, legends, labels and texts are added to those.

    letter: by default A, B, C and so on.
    """

    letter: str | None = None
    look: str | None = None
    background: str | None = None
    frame: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid(Placed):
    """How panels stand: from left to right, in rows of as many columns. letters: whether they are written."""

    columns: int = 2
    gap_mm: Size = 2.0
    letters: bool = True
    corner: Corner = CORNERS["upper left"]
    font_size: Size = 9.0

    def check(self) -> None:
        """Refuse a grid without columns."""
        if self.columns < 1:
            raise self.wrong("columns", f"columns is {self.columns}, but must be at least 1.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Output(Table):
    """A file of the picture. bits: of each colour, 8 or 16 (.exr has its own). quality: of a .jpg, from 1 to 100."""

    inline: ClassVar[bool] = True
    short: ClassVar[str] = "file"

    file: str
    bits: Literal[8, 16] = 8
    quality: int = 95

    def check(self) -> None:
        """Refuse files of another kind."""
        if Path(self.file).suffix.lower() not in SUFFIXES:
            raise self.wrong("file", f"{self.file!r} must end in one of {', '.join(SUFFIXES)}.")
        if not 1 <= self.quality <= 100:
            raise self.wrong("quality", f"quality is {self.quality}, but must be between 1 and 100.")
        if self.bits == 16 and Path(self.file).suffix.lower() not in (".png", ".tif", ".tiff"):
            raise self.wrong("bits", "Only .png and .tif have 16 bits.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe(Content):
    """A figure. Paths count from its file's folder. outputs: by default a .png beside the recipe.

    pixel_size: angstrom that a pixel of Mosaic's point sizes stands for; by default as Mosaic would show the session.
    """

    last: ClassVar[tuple[str, ...]] = ("grid", "panels")

    version: int
    sessions: tuple[str, ...]
    pixel_size: Positive | None = None
    outputs: tuple[Output, ...] = ()
    picture: Picture = Picture()
    camera: Camera = Camera()
    grid: Grid = Grid()
    panels: tuple[Panel, ...] = several("panel")

    def check(self) -> None:
        """Refuse recipes of later versions, and those without a session."""
        if self.version != VERSION:
            raise self.wrong("version", f"version is {self.version}, but this extension reads version {VERSION} only.")
        if not self.sessions:
            raise self.wrong("sessions", "A recipe needs a session.")
        letters = [panel.letter for panel in self.lettered]
        for at, panel in enumerate(self.panels):
            if letters[at] in letters[:at]:
                raise panel.wrong("letter", f"A panel before this one has the letter {letters[at]!r}, too.")

    @property
    def lettered(self) -> list[Panel]:
        """The panels, each with its letter."""
        return [
            panel if panel.letter is not None else replace(panel, letter=letter_of(at))
            for at, panel in enumerate(self.panels)
        ]


def letter_of(index: int) -> str:
    """Return A to Z, then AA, AB and so on. index: from 0."""
    rest, last = divmod(index, 26)
    return (letter_of(rest - 1) if rest else "") + chr(ord("A") + last)


def read_recipe(path: Path) -> Recipe:
    """Read a recipe. Raises MosaicError, with the line, for whatever is not right in it."""
    return read_toml(path, Recipe)


def write_recipe(recipe: Recipe, sentences: Sequence[str] = ()) -> str:
    """Return the TOML text of a recipe: `read_recipe` of it is the same.

    sentences: what is not in it of the scene that it was made of, as comments at its top.
    """
    lines = [f"# {line}" for sentence in sentences for line in _wrapped(sentence)]
    head = ["# Not in this recipe:", *lines, ""] if lines else []
    return "\n".join([*head, write_toml(recipe)])


def _wrapped(sentence: str) -> list[str]:
    """A sentence as lines of a list."""
    return textwrap.wrap(
        printable(sentence), COMMENT_WIDTH, initial_indent="- ", subsequent_indent="  ", break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip
