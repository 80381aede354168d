"""Patterns, as in file names with * and ?: which names they fit, and the shortest ones that fit some names and no others."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence, Set
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase, translate
from functools import cached_property
from typing import Any, Final

MOST_TRIED: Final = 50  # patterns of each kind that are looked through
SHORTEST: Final = 2  # letters before a *
SPECIAL: Final = re.compile(r"[*?[]")


@dataclass(frozen=True, slots=True)
class Named:
    """What a recipe may call an object by.

    group: "" for none. kind: Mosaic's class. session: the name of its own. number: which it is of several that have the
    same name, from 1; 0 for the only one.
    """

    name: str
    group: str
    kind: str
    container: str
    session: str
    number: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The texts of which a pattern has to fit one: the name, "group/name", and "name#2" of the second so called."""
        names = (self.name, f"{self.group}/{self.name}") if self.group else (self.name,)
        return (*names, f"{self.name}#{self.number}") if self.number else names


def numbered(objects: Sequence[Named]) -> list[Named]:
    """Return all objects of a figure, in the browser's order, with their numbers among those of the same name."""
    counts, seen = Counter(each.name for each in objects), Counter[str]()
    found = []
    for each in objects:
        seen[each.name] += 1
        found.append(replace(each, number=seen[each.name] if counts[each.name] > 1 else 0))
    return found


def fits(text: str, pattern: str) -> bool:
    """Return whether a pattern fits a text, or is that text."""
    return text == pattern or fnmatchcase(text, pattern)


def escaped(text: str) -> str:
    """Return the pattern that fits one text alone."""
    return SPECIAL.sub(lambda found: f"[{found[0]}]", text)


class _Texts:
    """The texts that numbered objects go by, and which objects a pattern finds."""

    def __init__(self, texts: Sequence[Iterable[str]]) -> None:
        self.texts = [tuple(several) for several in texts]

    @cached_property
    def holders(self) -> dict[str, set[int]]:
        holders: dict[str, set[int]] = {}
        for number, several in enumerate(self.texts):
            for text in several:
                holders.setdefault(text, set()).add(number)
        return holders

    def found(self, pattern: str) -> set[int]:
        exact = self.holders.get(pattern, set())
        if not SPECIAL.search(pattern):
            return exact
        match = re.compile(translate(pattern)).match
        return exact.union(*(numbers for text, numbers in self.holders.items() if match(text)))

    def exact(self, number: int, allowed: Set[int]) -> str | None:
        """The shortest pattern without a * that finds an object, and others among the allowed ones only."""
        for text in self.texts[number]:
            for pattern in dict.fromkeys((text, escaped(text))):
                if number in self.found(pattern) <= allowed:
                    return pattern
        return None


def patterns_of(texts: Sequence[Iterable[str]], chosen: Set[int], free: Set[int] = frozenset()) -> list[str] | None:
    """Return the fewest patterns that fit all chosen objects, and no others; None where their texts cannot tell them.

    texts: that each object goes by, of which a pattern has to fit one. chosen: numbers of objects. free: others that may
    be found as well.
    """
    known, allowed = _Texts(texts), chosen | free
    left, patterns = set(chosen), []
    if len(chosen) > 1:
        tried = {pattern: known.found(pattern) for pattern in _wide(known, chosen)}
        good = {pattern: found & chosen for pattern, found in tried.items() if found <= allowed}
        while good:
            best = max(good, key=lambda pattern: (len(good[pattern] & left), -len(pattern)))
            if len(good[best] & left) < 2:
                break
            left -= good.pop(best)
            patterns.append(best)
    for number in sorted(left):
        if number in left:
            pattern = known.exact(number, allowed)
            if pattern is None:
                return None
            left -= known.found(pattern)
            patterns.append(pattern)
    return patterns


def _wide(known: _Texts, chosen: Set[int]) -> list[str]:
    """Patterns that may fit several of the chosen objects: all, those of a group, of one beginning, of one but for numbers."""
    texts = [text for number in chosen for text in known.texts[number]]
    groups = Counter(text.rpartition("/")[0] for text in texts if "/" in text)
    stems = Counter(text.rstrip("0123456789") for text in texts)
    beginnings = [start for start, count in stems.most_common(MOST_TRIED) if count > 1 and len(start) >= SHORTEST]
    common = _common_beginning([known.texts[number][0] for number in chosen])
    if len(common) >= SHORTEST:
        beginnings.insert(0, common)
    wide = ["*", *(f"{escaped(group)}/*" for group, _ in groups.most_common(MOST_TRIED))]
    return list(dict.fromkeys([*wide, *(f"{escaped(start)}*" for start in beginnings)]))


def _common_beginning(texts: Sequence[str]) -> str:
    low, high = min(texts), max(texts)
    count = next((at for at, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
    return low[:count]


# --- selectors -------------------------------------------------------------------------------------------------------


def selectors_of(
    objects: Sequence[Named], chosen: Set[int], free: Set[int] = frozenset()
) -> tuple[list[dict[str, Any]], set[int]]:
    """Return what rules select by, as fields of theirs, so that they find all chosen objects and no others.

    free: numbers of objects that may be found as well. Returns a dict for each rule that is needed, and the numbers of
    those chosen objects that nothing tells from others.
    """
    best = _best_selector(objects, chosen, free)
    if best is not None:
        return [best], set()
    parts = _split(objects, chosen)
    if len(parts) == 1:
        return [], set(chosen)
    found: list[dict[str, Any]] = []
    lost: set[int] = set()
    for part in parts:
        several, missing = selectors_of(objects, part, free)
        found += several
        lost |= missing
    return found, lost


def _split(objects: Sequence[Named], chosen: Set[int]) -> list[set[int]]:
    """Divide objects by the first of what they differ in: session, container, group, or at last one by one."""
    kinds: tuple[Callable[[int], Any], ...] = (
        lambda number: objects[number].session,
        lambda number: objects[number].container,
        lambda number: objects[number].group,
        lambda number: number,
    )
    for key in kinds:
        parts: dict[Any, set[int]] = {}
        for number in sorted(chosen):
            parts.setdefault(key(number), set()).add(number)
        if len(parts) > 1:
            break
    return list(parts.values())


def _best_selector(objects: Sequence[Named], chosen: Set[int], free: Set[int]) -> dict[str, Any] | None:
    """The shortest way to select exactly the chosen objects with one rule; None where there is none."""
    everyone = range(len(objects))
    scopes: list[dict[str, Any]] = [{}]
    for field, several in (("container", False), ("session", True)):
        values = {getattr(objects[number], field) for number in chosen}
        known = {getattr(each, field) for each in objects}
        if len(values) == 1 and len(known) > 1:
            value = next(iter(values))
            chosen_value: Any = (escaped(value),) if several else value
            scopes += [scope | {field: chosen_value} for scope in scopes]
    best: tuple[float, dict[str, Any]] | None = None
    for scope in scopes:
        inside = [number for number in everyone if _is_within(objects, number, scope, chosen)]
        for cost, selector in _ways(objects, inside, chosen, free):
            whole = cost + 1.2 * len(scope)
            if best is None or whole < best[0]:
                best = whole, scope | selector
    return None if best is None else best[1]


def _is_within(objects: Sequence[Named], number: int, scope: dict[str, Any], chosen: Set[int]) -> bool:
    """Whether an object is in the container and session that a scope names, which are those of the chosen ones."""
    like = objects[next(iter(chosen))]
    return all(getattr(objects[number], field) == getattr(like, field) for field in scope)


def _ways(
    objects: Sequence[Named], inside: Sequence[int], chosen: Set[int], free: Set[int]
) -> Iterable[tuple[float, dict[str, Any]]]:
    """Yield the ways to select exactly the chosen objects among those inside a scope, each with how long it is."""
    allowed = {*chosen, *free}
    several = len(chosen) > 1
    if several and allowed.issuperset(inside):
        yield 0.0, {}
    for field, weight in (("group", -0.1), ("kind", 0.7)):
        values = {getattr(objects[number], field) for number in chosen}
        if several and all(values) and len(values) < len(chosen):
            patterns = [escaped(value) for value in sorted(values)]
            if allowed.issuperset(_found_by(objects, inside, field, patterns)):
                yield len(patterns) + weight, {field: tuple(patterns)}
    places = {number: place for place, number in enumerate(inside)}
    found = patterns_of(
        [objects[number].names for number in inside],
        {places[number] for number in chosen},
        {places[number] for number in free if number in places},
    )
    if found is not None:
        yield float(len(found)), {"select": tuple(found)}


def _found_by(objects: Sequence[Named], inside: Iterable[int], field: str, patterns: Collection[str]) -> set[int]:
    return {number for number in inside if any(fits(getattr(objects[number], field), pattern) for pattern in patterns)}
