"""What a recipe cannot hold of a scene, gathered so that one sentence says it of all objects that share it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

MOST_NAMES: Final = 3  # in one sentence


@dataclass(slots=True)
class Notes:
    """Sentences, and which objects each is about."""

    about: dict[str, list[str]] = field(default_factory=dict)

    def add(self, what: str, name: str = "") -> None:
        """Note something. name: of the object that it is about; "" for none."""
        names = self.about.setdefault(what, [])
        if name:
            names.append(name)

    @property
    def sentences(self) -> list[str]:
        """All that was noted, one sentence each."""
        return [f"{listed(names)}: {what}" if names else what for what, names in self.about.items()]


def listed(names: Iterable[str]) -> str:
    """Return some names as they stand in a sentence."""
    several = list(dict.fromkeys(names))
    more = len(several) - MOST_NAMES
    return ", ".join(map(repr, several[:MOST_NAMES])) + (f" and {more} more" if more > 0 else "")


def short(value: float) -> float:
    """Return the shortest decimal number that Blender, which has 32 bits for each, holds as a value."""
    return float(str(np.float32(value)))


def rounded(values: Iterable[float], step: float) -> tuple[float, ...]:
    """Return numbers with no more decimals than it takes to tell a step apart."""
    places = max(0, -int(np.floor(np.log10(step))))
    return tuple(round(float(value), places) + 0.0 for value in values)  # -0.0 + 0.0 is 0.0


def triple(values: Any, step: float) -> tuple[float, float, float]:
    """Return three numbers, such as a vector, with no more decimals than it takes to tell a step apart."""
    x, y, z = rounded(values, step)
    return x, y, z


def color(display: Iterable[float]) -> tuple[float, float, float]:
    """Return a colour, three display values, in the 256 steps a channel in which it is written short, as #rrggbb."""
    red, green, blue = (min(max(round(float(value) * 255), 0), 255) / 255 for value in display)
    return red, green, blue
