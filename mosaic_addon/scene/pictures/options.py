"""What a picture can be told: its look, background, size and quality. Needs no Blender."""

from dataclasses import dataclass

# Mosaic's lighting modes, and what they do.
LOOKS = {
    "simple": "Mosaic's own shading, as if a lamp were at the viewer",
    "full": "A soft three-point light",
    "flat": "Plain colours without light, blended as Mosaic blends them",
    "poster": "Plain colours, darker in creases",
    "silhouettes": "Dark lines where the depth jumps",
}
# Display values. The dark one is that of Mosaic's window.
BACKGROUNDS = {"white": (1.0, 1.0, 1.0), "dark": (0.094, 0.094, 0.106), "transparent": (1.0, 1.0, 1.0)}


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """How a picture is rendered.

    size: width and height in pixels. engine: "cycles", "eevee" or "workbench". samples: per pixel. look: one of LOOKS.
    background: one of BACKGROUNDS.
    """

    size: tuple[int, int] = (1920, 1080)
    engine: str = "cycles"
    samples: int = 64
    look: str = "full"
    background: str = "white"
