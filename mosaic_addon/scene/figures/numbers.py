"""Round numbers for scale bars and keys, and how they are written. Needs no Blender; overlay_nodes.py has the same."""

import math

from ...session.errors import MosaicError

# Name of a unit of length: angstrom, and what is written.
UNITS: dict[str, tuple[float, str]] = {
    "angstrom": (1.0, "\u00c5"), "nm": (10.0, "nm"), "um": (10_000.0, "\u00b5m"),
}  # fmt: skip


def round_number(value: float) -> float:
    """Return the number 1, 2 or 5 x 10^n that is nearest to a positive number, in ratio."""
    decade = 10.0 ** math.floor(math.log10(value))
    lead = value / decade
    step = 1 + (lead > math.sqrt(2)) + 3 * (lead > math.sqrt(10)) + 5 * (lead > math.sqrt(50))
    return step * decade


def decimals(value: float) -> int:
    """Return how many decimals, up to 3, a number is written with, so that none is lost and none is needless."""
    for places in range(3):
        scaled = value * 10**places
        if abs(scaled - round(scaled)) < abs(scaled) * 1e-4 + 1e-6:
            return places
    return 3


def unit_for(length: float) -> str:
    """Return the unit in which a length in angstrom is written."""
    return "angstrom" if length < 9.99 else "nm" if length < 9_990 else "um"


def length_text(length: float, unit: str | None = None) -> str:
    """Return a length as it is written beside a scale bar. length: in angstrom. unit: of UNITS; None for a fitting one.

    Raises MosaicError for an unknown unit.
    """
    if unit is not None and unit not in UNITS:
        raise MosaicError(f"There is no unit {unit!r}; there are {', '.join(UNITS)}.")
    size, symbol = UNITS[unit or unit_for(length)]
    return f"{length / size:.{decimals(length / size)}f} {symbol}"
