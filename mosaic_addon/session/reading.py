"""The state of reading: what is left of the budget, the warnings so far, and arrays that are checked."""

from collections.abc import Iterable
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from .budget import ENTRY, Budget
from .errors import MAX_SHOWN, printable
from .nodes import ArrayNode, Node, ObjectNode, Pairs
from .releases import ATTRIBUTES

MAX_WARNINGS = 1000  # of a session
MAX_WARNINGS_EACH = 10  # of one object


class DamageError(Exception):
    """The reason why one geometry cannot be read. It becomes a warning that names the geometry."""


class Reading:
    """One session that is being read: its budget, its warnings, and the unknown names that these have told."""

    __slots__ = ("budget", "told", "warnings")

    def __init__(self, budget: Budget, warnings: list[str]) -> None:
        self.budget = budget
        self.warnings = warnings
        self.told: set[tuple[str, str]] = set()

    def warn(self, sentence: str) -> None:
        """Add a warning, unless there are too many."""
        if len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(sentence)
        elif len(self.warnings) == MAX_WARNINGS:
            self.warnings.append("Further warnings are left out.")


class Item:
    """One geometry that is being read. Its warnings carry its name; its work counts against the session's budget."""

    __slots__ = ("budget", "label", "reading", "said")

    def __init__(self, reading: Reading, container: str, name: str) -> None:
        self.reading = reading
        self.budget = reading.budget
        self.label = container, name
        self.said = 0

    def warn(self, sentence: str) -> None:
        """Add a warning about this geometry, unless there are too many. sentence: without subject and full stop."""
        self.said += 1
        if self.said <= MAX_WARNINGS_EACH:
            more = "; more is odd about it" if self.said == MAX_WARNINGS_EACH else ""
            self.reading.warn(f"{label_of(*self.label)}: {sentence}{more}.")

    def warn_of_names(self, of: str, names: Iterable[str], known: frozenset[str] = ATTRIBUTES) -> None:
        """Warn of names of attributes that Mosaic is not known to have, of each once. of: the class that has them."""
        if known.issuperset(names):
            return
        for name in names:
            if name.startswith("__"):
                self.warn(f"its attribute {shown(name)} has a name that Python keeps for itself; it is kept for saving")
            elif name not in known and (of, name) not in self.reading.told and len(self.reading.told) < MAX_WARNINGS:
                self.reading.told.add((of, name))
                self.warn(f"Mosaic is not known to have its attribute {shown(name)}, which is kept for saving")

    def entries(self, node: Node) -> dict[str, Node]:
        """Return the entries of a dict or the attributes of an object by name; nothing for anything else."""
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
    """Return what a sentence calls a geometry."""
    return f"{container} {shown(name)}"


def shown(text: str) -> str:
    """Make a text from the file fit to stand in a sentence: short, printable, in quotes."""
    return repr(printable(text[:MAX_SHOWN]))


def values_in(node: ArrayNode, wait: bool) -> NDArray[Any] | None:
    """Return the values of an array, None where it has none. wait: leave them unread if they are.

    Such behave like an array; whoever wants no memory for all of them takes slices, or `slabs_of`.
    """
    return cast("NDArray[Any]", node.rows) if wait and node.rows is not None else node.values


def array(node: Node, what: str, width: int | None = None, wait: bool = False) -> NDArray[Any] | None:
    """Return the values of an array of numbers, None where there is none.

    what: its name in a sentence. width: the number of columns that it must have. wait: as for `values_in`. Raises
    DamageError for a bad array.
    """
    if node is None:
        return None
    values = values_in(node, wait) if type(node) is ArrayNode else None
    if values is None:
        reason = (node.trouble if type(node) is ArrayNode else None) or "they are no array"
        raise DamageError(f"its {what} cannot be read: {reason}")
    if values.dtype.kind not in "biuf":
        raise DamageError(f"its {what} are not numbers")
    if width is not None and (values.ndim != 2 or values.shape[1] != width):
        if values.size == 0:
            return np.empty((0, width), values.dtype)
        raise DamageError(f"its {what} have the shape {values.shape} instead of (n, {width})")
    return values


def need(values: NDArray[Any] | None, what: str) -> NDArray[Any]:
    """Return an array that must be there. Raises DamageError if it is not."""
    if values is None:
        raise DamageError(f"it has no {what}")
    return values


def floats(node: Node, what: str, item: Item) -> NDArray[np.float64]:
    """Copy an array of finite numbers as float64. Raises DamageError for a bad one."""
    values = need(array(node, what), what)
    item.budget.spend(8 * values.size)
    if not np.isfinite(values).all():
        raise DamageError(f"its {what} are not finite")
    return values.astype(np.float64)


def rows(node: Node, what: str, n: int, width: int, item: Item, wait: bool = False) -> NDArray[Any] | None:
    """Return an array with one row for each of `n` points; None, with a warning, for one that does not fit.

    wait: as for `values_in`.
    """
    if node is None:
        return None
    try:
        values = need(array(node, what, width, wait), what)
    except DamageError as damage:
        item.warn(f"{damage}; they are not shown")
        return None
    if len(values) == n:
        return values
    if len(values):
        item.warn(f"it has {len(values)} {what} for {n} points; they are not shown")
    return None
