"""How a session is placed in Blender. Needs no Blender."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """What a Blender unit can stand for. length: the same for people. reason: when to choose it."""

    angstrom_per_unit: float
    length: str
    reason: str


SCALES = {
    "100nm": Scale(1000.0, "100 nm", "A virus is about a unit wide, as Blender's views and lights expect"),
    "1nm": Scale(10.0, "1 nm", "As Molecular Nodes has it"),
}
DEFAULT_SCALE = SCALES["100nm"].angstrom_per_unit


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a session is placed in Blender.

    angstrom_per_unit: 1000 makes a Blender unit 100 nm. recentre: put the middle of the session at the world's origin.
    pixel_size: angstrom that one of Mosaic's screen pixels stands for; None takes what Mosaic's first view shows, and
    less for points so dense that they would hide each other. exact: no less for these where pixel_size is given.
    """

    angstrom_per_unit: float = DEFAULT_SCALE
    recentre: bool = True
    pixel_size: float | None = None
    exact: bool = True
