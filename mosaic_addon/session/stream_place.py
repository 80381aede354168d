"""Where in a session a pickle stands that cannot be read on: which object, and the keys that lead there."""

from collections.abc import Sequence
from itertools import pairwise

from .errors import printable
from .nodes import Node, ObjectNode, Pairs
from .releases import CONTAINER_KEYS

MAX_STEPS, MAX_STEP = 6, 40  # that are shown, and characters of each
CONTAINERS = {key: name for name, keys in CONTAINER_KEYS.items() for key in keys}


def place_in(levels: Sequence[list[Node]]) -> str:
    """Name the place that a reader has come to, such as "clusters 'Membrane 1', meta author"; "" for none.

    levels: the reader's stacks, from the outermost: what was put on it between two MARKs, above the dict, list or other
    value that it will go into.
    """
    steps: list[str | int] = []
    name: Node = None
    owner: Node = None
    for level, items in enumerate(levels):
        begin = 0
        if type(owner) is Pairs:
            entries = Pairs(items[: len(items) // 2 * 2]).as_dict()
            meta = entries if steps[-1:] == ["meta"] else entries.get("meta")
            meta = meta.as_dict() if type(meta) is Pairs else meta
            if type(meta) is dict and len(steps) in (3, 4):
                name = meta.get("name", name)
            begin = _key_in(items) + 1
            steps += items[begin - 1 : begin]
        elif type(owner) is list:
            begin = len(items)
            if level < len(levels) - 1:
                begin -= 2 if type(items[-1]) is Pairs and len(items) > 1 and type(items[-2]) is ObjectNode else 1
            steps.append(len(owner) + begin)
        for before, item in pairwise(items[begin:]):
            if type(before) is Pairs and type(item) is str and (not before or level == 0):  # an entry without a MARK
                steps.append(item)
            elif type(before) is list and not before:
                steps.append(0)
        owner = items[-1] if items else None
    return _told(steps, name)


def _key_in(items: list[Node]) -> int:
    """Return the place of the key whose value is not finished among keys and values; -1 for none."""
    place = (len(items) - 1) // 2 * 2
    while place >= 0 and type(items[place]) is not str:
        place -= 2
    while place >= 2 and type(items[place - 1]) is Pairs and not items[place - 1] and type(items[place - 2]) is str:
        place -= 2  # the value is a dict, and the key behind it that of its only entry
    return max(place, -1)


def _told(steps: list[str | int], name: Node) -> str:
    container = CONTAINERS.get(steps[0]) if steps and type(steps[0]) is str else None
    if container is None or len(steps) < 3 or type(steps[2]) is not int:
        return _path(steps)
    label = repr(printable(name)[:MAX_STEP]) if type(name) is str and name else f"number {steps[2]}"
    path = _path(steps[3:])
    return f"{container} {label}{', ' if path else ''}{path}"


def _path(steps: list[str | int]) -> str:
    """Join keys, and numbers in brackets."""
    shown = [f"[{step}]" if type(step) is int else f" {printable(str(step))[:MAX_STEP]}" for step in steps[:MAX_STEPS]]
    return "".join(shown).strip() + ("…" if len(steps) > MAX_STEPS else "")
