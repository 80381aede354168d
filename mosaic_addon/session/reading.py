"""A session that is being read: what reading may still cost, what was odd, and the arrays that must be in order."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .budget import ENTRY, Budget
from .errors import printable
from .nodes import ArrayNode, Node, ObjectNode, Pairs

MAX_WARNINGS = 1000  # of a session
MAX_WARNINGS_EACH = 10  # of one object
MAX_SHOWN = 80  # characters of a text from the file


class DamageError(Exception):
    """Why one geometry cannot be read; becomes a warning that names it."""


class Reading:
    """One session that is being read: the work left for it, and what was odd."""

    __slots__ = ("budget", "warnings")

    def __init__(self, budget: Budget, warnings: list[str]) -> None:
        self.budget = budget
        self.warnings = warnings

    def warn(self, sentence: str) -> None:
        if len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(sentence)
        elif len(self.warnings) == MAX_WARNINGS:
            self.warnings.append("Further warnings are left out.")


class Item:
    """One geometry that is being read: its warnings carry its name, its work counts against the session's budget."""

    __slots__ = ("budget", "label", "reading", "said")

    def __init__(self, reading: Reading, container: str, name: str) -> None:
        self.reading = reading
        self.budget = reading.budget
        self.label = container, name
        self.said = 0

    def warn(self, sentence: str) -> None:
        self.said += 1
        if self.said <= MAX_WARNINGS_EACH:
            more = "; more is odd about it" if self.said == MAX_WARNINGS_EACH else ""
            self.reading.warn(f"{label_of(*self.label)}: {sentence}{more}.")

    def entries(self, node: Node) -> dict[str, Node]:
        """The entries of a dict or the attributes of an object, by name; none of anything else."""
        if type(node) is ObjectNode:
            state = node.state
            if type(state) is tuple:  # the attributes of a class with slots
                self.budget.spend(ENTRY * sum(len(part) for part in state if type(part) is Pairs))
                return node.fields()
            node = state
        if type(node) is not Pairs:
            return {}
        self.budget.spend(ENTRY * len(node))
        return node.as_dict()


def label_of(container: str, name: str) -> str:
    """What a sentence calls a geometry."""
    return f"{container} {shown(name)}"


def shown(text: str) -> str:
    """A text from the file as it may stand in a sentence."""
    return repr(printable(text[:MAX_SHOWN]))


def array(node: Node, what: str, width: int | None = None) -> NDArray[Any] | None:
    """A numeric array, with `width` one of that many columns. None where there is none; raises DamageError if it is bad."""
    if node is None:
        return None
    if type(node) is not ArrayNode or node.values is None:
        reason = (node.trouble if type(node) is ArrayNode else None) or "they are no array"
        raise DamageError(f"its {what} cannot be read: {reason}")
    values = node.values
    if values.dtype.kind not in "biuf":
        raise DamageError(f"its {what} are not numbers")
    if width is not None and (values.ndim != 2 or values.shape[1] != width):
        if values.size == 0:
            return np.empty((0, width), values.dtype)
        raise DamageError(f"its {what} have the shape {values.shape} instead of (n, {width})")
    return values


def need(values: NDArray[Any] | None, what: str) -> NDArray[Any]:
    """`values`; raises DamageError where there are none."""
    if values is None:
        raise DamageError(f"it has no {what}")
    return values


def floats(node: Node, what: str, item: Item) -> NDArray[np.float64]:
    """A copy of an array as float64. Raises DamageError for one that is bad or not finite."""
    values = need(array(node, what), what)
    item.budget.spend(8 * values.size)
    if not np.isfinite(values).all():
        raise DamageError(f"its {what} are not finite")
    return values.astype(np.float64)


def rows(node: Node, what: str, n: int, width: int, item: Item) -> NDArray[Any] | None:
    """A per-point array, or None with a warning when it does not fit the points."""
    if node is None:
        return None
    try:
        values = need(array(node, what, width), what)
    except DamageError as damage:
        item.warn(f"{damage}; they are not shown")
        return None
    if len(values) == n:
        return values
    if len(values):
        item.warn(f"it has {len(values)} {what} for {n} points; they are not shown")
    return None
