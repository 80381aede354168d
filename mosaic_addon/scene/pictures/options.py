"""What a picture can be told: its look, background, size and quality. Needs no Blender."""

import os
from dataclasses import dataclass

# Mosaic's lighting modes and three of our own, and what they do.
LOOKS = {
    "simple": "Mosaic's own shading, as if a lamp were at the viewer",
    "full": "A soft three-point light",
    "flat": "Plain colours without light, blended as Mosaic blends them",
    "poster": "Plain colours, darker in creases",
    "silhouettes": "Dark lines where the depth jumps",
    "glass": "Surfaces of glass, clear where one looks through them and bright at their rims, around solid points",
    "ink": "Drawn in ink on white paper, paler with the distance",
    "clay": "All of one matt clay: shape alone counts",
}
LAMPLIT = ("full", "glass", "clay")  # by three lamps
OUTLINED = ("silhouettes", "ink")  # with lines that the compositor draws
# Display values. The dark one is that of Mosaic's window.
BACKGROUNDS = {"white": (1.0, 1.0, 1.0), "dark": (0.094, 0.094, 0.106), "transparent": (1.0, 1.0, 1.0)}
ENGINES = ("cycles", "eevee", "workbench")
# What Cycles computes with: the best that works, or one of Blender's own kinds.
DEVICES = ("auto", "cpu", "optix", "cuda", "hip", "oneapi", "metal")


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """How a picture is rendered.

    size: width and height in pixels. engine: one of ENGINES. samples: per pixel. look: one of LOOKS. background: one of
    BACKGROUNDS. dpi: pixels an inch of the print; None leaves it as it is.
    """

    size: tuple[int, int] = (1920, 1080)
    engine: str = "cycles"
    samples: int = 64
    look: str = "full"
    background: str = "white"
    dpi: float | None = None


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A file that a picture is written to. bits: of each colour, 8 or 16, in .png and .tif. quality: of a .jpg, 1 to 100."""

    path: str | os.PathLike[str]
    bits: int = 8
    quality: int = 95
