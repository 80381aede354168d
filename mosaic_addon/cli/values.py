"""What the values of options may be: functions for argparse, which raise its error for all else."""

import argparse
import math
import re
from pathlib import Path

from ..scene.importing.options import SCALES
from ..session import MosaicError


def size(text: str) -> tuple[int, int]:
    """WIDTHxHEIGHT in pixels."""
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if not match or "0" in (match[1], match[2]):
        raise argparse.ArgumentTypeError(f"{text!r} is not WIDTHxHEIGHT")
    return int(match[1]), int(match[2])


def print_size(text: str) -> tuple[float, float]:
    """WIDTH or WIDTHxHEIGHT in mm; without a height it is three quarters of the width."""
    try:
        sides = [float(part) for part in text.split("x")]
    except ValueError:
        sides = []
    if len(sides) not in (1, 2) or not all(0 < side < math.inf for side in sides):
        raise argparse.ArgumentTypeError(f"{text!r} is not WIDTH or WIDTHxHEIGHT in mm")
    return sides[0], sides[-1] if len(sides) == 2 else sides[0] * 0.75


def vector(text: str) -> tuple[float, float, float]:
    """Three numbers, not all of them zero."""
    try:
        x, y, z = (float(part) for part in text.split(","))
    except ValueError:
        x = y = z = math.nan
    if not (math.isfinite(x + y + z) and (x, y, z) != (0, 0, 0)):
        raise argparse.ArgumentTypeError(f"{text!r} is not X,Y,Z")
    return x, y, z


def value_range(text: str) -> tuple[float, float]:
    """Two numbers."""
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not LO,HI") from None
    return low, high


def plane(text: str) -> tuple[str, float | None]:
    """PLANE or PLANE=NM."""
    match = re.fullmatch(r"(XY|XZ|YZ)(?:=(-?\d+(?:\.\d+)?))?", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is not XY, XZ or YZ, or one of them with a place, such as XY=95")
    return match[1], None if match[2] is None else float(match[2])


def color_map(text: str) -> str:
    """A colour map's name."""
    from ..scene.drawing.color_maps import find_map

    try:
        find_map(text)
    except MosaicError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def positive(text: str) -> float:
    """A number above zero."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return value


def number(text: str) -> int:
    """A whole number from zero."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def count(text: str) -> int:
    """A whole number from one."""
    if not number(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive whole number")
    return int(text)


def degrees(text: str) -> float:
    """An angle other than zero, which may be negative."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not value or not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not an angle in degrees")
    return value


def span(text: str) -> tuple[int, int]:
    """FIRST-LAST or a single number, from one."""
    match = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", text)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= first <= last:
        raise argparse.ArgumentTypeError(f"{text!r} is not FIRST-LAST")
    return first, last


def part(text: str) -> tuple[int, int]:
    """K/N, the K-th of N parts."""
    match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
    which, count = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= which <= count:
        raise argparse.ArgumentTypeError(f"{text!r} is not K/N, with K from 1 to N")
    return which, count


def scale(text: str) -> float:
    """Angstrom a Blender unit, or the name of a scale."""
    return SCALES[text].angstrom_per_unit if text in SCALES else positive(text)


def blend_path(text: str) -> Path:
    """A path that ends in .blend."""
    if not text.endswith(".blend"):
        raise argparse.ArgumentTypeError(f"{text!r} does not end in .blend")
    return Path(text)
