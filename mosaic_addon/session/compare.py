"""Comparison of two sessions: first of all that is understood, then of all that stands in the files.

The second part is the safety net. An attribute that is not modelled, such as one that a later Mosaic adds, shows up
there if a writer lost it.
"""

import dataclasses
from collections import Counter
from collections.abc import Iterator
from typing import Any

from .errors import printable
from .node_diff import Path, SideBySide, fields_of
from .nodes import Node, ObjectNode
from .releases import CONTAINER_KEYS, TREE_KEYS
from .session import Container, Geometry, Group, Section, Session

MAX_TEXT = 300  # characters of a text of a difference
MAX_NAMES = 8  # of an order that are shown
NOT_THERE = "not there"
# Fields of a geometry that are not compared with the others: its place is compared apart, its node at the end.
NOT_ITS_OWN = ("node", "container", "index")
# Paths in a Session and where the file has the same under another name, so that one difference is told once.
IN_FILE: dict[Path, Path] = {
    ("class_name",): ("class",),
    ("name",): ("meta", "name"),
    ("model", "class_name"): ("model", "class"),
    ("model", "xi"): ("model", "rbf", "xi"),
    ("model", "nodes"): ("model", "rbf", "nodes"),
    ("model", "epsilon"): ("model", "rbf", "epsilon"),
    ("model", "function"): ("model", "rbf", "function"),
    ("volume", "values"): ("volume",),
    ("volume", "sampling_rate"): ("volume_sampling_rate",),
    ("volume", "lower_quantile"): ("lower_quantile",),
    ("volume", "upper_quantile"): ("upper_quantile",),
    ("volume", "target_resolution"): ("target_resolution",),
    ("appearance", "extra"): ("appearance",),
    ("frames",): ("trajectory",),
    ("shape",): ("metadata", "shape"),
    ("physical_shape",): ("metadata", "physical_shape"),
}
LEFT_OUT_STEPS = ("_properties",)  # of paths in the file
# Keys of the state that belong to a container: to which, and how a path goes on there.
OWNERS: dict[str | int, tuple[str, Path]] = {
    **{key: (name, ()) for name, keys in CONTAINER_KEYS.items() for key in keys},
    **{key: (name, ("tree",)) for name, key in TREE_KEYS.items()},
}


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """One difference. where: such as "clusters 'Membrane 1'". what: such as "appearance opacity"."""

    where: str
    what: str
    left: str
    right: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}: {self.left} -> {self.right}"


def compare(a: Session, b: Session) -> list[Difference]:
    """List all differences of two sessions.

    Geometries of a container belong together by their uuid; those without one, or with one that another has too, by
    their place. Numbers are equal if kind and bits are equal; a NaN is equal to any other. Differences that only the
    layout of the file or the pickle's protocol makes do not count.
    """
    return list(_Comparison(a, b).differences())


class _Comparison:
    """The comparison of two sessions, part by part; each method yields the differences of one part."""

    def __init__(self, a: Session, b: Session) -> None:
        self.sessions = a, b
        lists = (
            container.node.fields().get("data")
            for session in self.sessions
            for container in (session.clusters, session.models)
            if type(container.node) is ObjectNode
        )
        self.side_by_side = SideBySide(frozenset(map(id, lists)))

    def differences(self) -> Iterator[Difference]:
        a, b = self.sessions
        said = set()
        for name, left, right in (
            ("shape", a.shape, b.shape),
            ("physical_shape", a.physical_shape, b.physical_shape),
        ):
            for difference, path in self._values("session", (name,), left, right):
                said.add(path)
                yield difference
        if a.layout == b.layout == "indexed" and a.release != b.release:
            yield _difference("session", "release", a.release, b.release)
        yield from self._sections(a.sections, b.sections)
        yield from self._containers(a.clusters, b.clusters)
        yield from self._containers(a.models, b.models)
        if a.state is not None and b.state is not None:
            yield from self._state(a.state, b.state, said)

    def _values(self, where: str, path: Path, left: Any, right: Any) -> Iterator[tuple[Difference, Path]]:
        """Yield the differences of two values at `path` of a Session, each with its path in the file."""
        for found, text, other in self.side_by_side.differences(left, right, path):
            place = _in_file(found)
            yield _difference(where, _what(place), text, other), place

    def _sections(self, left: dict[str, Section], right: dict[str, Section]) -> Iterator[Difference]:
        if list(left) != list(right):
            yield _difference("session", "sections", ", ".join(left) or "none", ", ".join(right) or "none")
        for name, section in left.items():
            if name in right:
                for difference, _ in self._values("session", (f"section {name}",), section, right[name]):
                    yield difference

    def _state(self, left: Node, right: Node, said: set[Path]) -> Iterator[Difference]:
        for path, text, other in self.side_by_side.differences(left, right):
            if path not in said:
                where, start = OWNERS.get(path[0], ("session", path[:1])) if path else ("session", ())
                yield _difference(where, _what((*start, *path[1:])) or "keys", text, other)

    # --- containers --------------------------------------------------------------------------------------------------

    def _containers(self, left: Container, right: Container) -> Iterator[Difference]:
        where = left.name
        pairs = _pairs(left.geometries, right.geometries)
        labels = _labels(left) | _labels(right)
        paired = {id(obj) for pair in pairs for obj in pair}
        for one in left:
            if id(one) not in paired:
                yield _difference(labels[id(one)], "object", _said_of(one), NOT_THERE)
        for other in right:
            if id(other) not in paired:
                yield _difference(labels[id(other)], "object", NOT_THERE, _said_of(other))
        number = {id(obj): i for i, pair in enumerate(pairs) for obj in pair}
        orders = [[g for g in side if id(g) in number] for side in (left, right)]
        if [number[id(g)] for g in orders[0]] != [number[id(g)] for g in orders[1]]:
            yield _difference(where, "order", *_told_apart(*([g.name for g in side] for side in orders)))
        if _order_of_display(left, number) != _order_of_display(right, number):
            names = ([item.name for item in side.items] for side in (left, right))
            yield _difference(where, "order of display", *_told_apart(*names))
        yield from _groups(left, right, number)
        yield from self._damaged(left, right)
        for one, other in pairs:
            yield from self._geometries(labels[id(one)], one, other)

    def _geometries(self, where: str, left: Geometry, right: Geometry) -> Iterator[Difference]:
        said = set()
        values, others = fields_of(left), fields_of(right)
        for name in [name for name in values if name not in NOT_ITS_OWN]:
            for difference, path in self._values(where, (name,), values[name], others[name]):
                if path not in said:
                    yield difference
                said.add(path)
        if left.node is None or right.node is None:
            return  # it was not read from a file
        for path, text, other in self.side_by_side.differences(left.node, right.node):
            path = tuple(step for step in path if step not in LEFT_OUT_STEPS)
            if path not in said:
                yield _difference(where, _what(path) or "attributes", text, other)

    def _damaged(self, left: Container, right: Container) -> Iterator[Difference]:
        for one, other in zip(left.damaged, right.damaged):
            where = f"{left.name} {one.name!r}, damaged"
            if one.trouble != other.trouble:
                yield _difference(where, "trouble", one.trouble, other.trouble)
            for path, text, other_text in self.side_by_side.differences(one.node, other.node):
                yield _difference(where, _what(path) or "attributes", text, other_text)
        if len(left.damaged) != len(right.damaged):
            yield _difference(left.name, "damaged objects", str(len(left.damaged)), str(len(right.damaged)))


def _pairs(left: list[Geometry], right: list[Geometry]) -> list[tuple[Geometry, Geometry]]:
    """Pair geometries of the same uuid, then those at the same place if one has no own uuid or both the same name."""
    own = [_own_uuids(left), _own_uuids(right)]
    pairs = [(one, own[1][uuid]) for uuid, one in own[0].items() if uuid in own[1]]
    done = {id(obj) for pair in pairs for obj in pair}
    places = {other.index: other for other in right if id(other) not in done}
    for one in left:
        other = places.get(one.index)
        if id(one) not in done and other is not None:
            nameless = one.uuid not in own[0] or other.uuid not in own[1]
            if nameless or one.name == other.name:
                pairs.append((one, other))
    return sorted(pairs, key=lambda pair: pair[0].index)


def _own_uuids(geometries: list[Geometry]) -> dict[str, Geometry]:
    """Return the geometries whose uuid no other one has, by that uuid."""
    found: dict[str, Geometry | None] = {}
    for geometry in geometries:
        if geometry.uuid is not None:
            found[geometry.uuid] = None if geometry.uuid in found else geometry
    return {uuid: geometry for uuid, geometry in found.items() if geometry is not None}


def _groups(left: Container, right: Container, number: dict[int, int]) -> Iterator[Difference]:
    """Yield the differences of the groups, paired by their uuid. number: of a geometry's pair, by the geometry's id."""
    others = {group.uuid: group for group in right.groups}
    for group in left.groups:
        where = f"{left.name} group {group.name!r}"
        other = others.pop(group.uuid, None)
        if other is None:
            yield _difference(where, "group", f"{len(group.geometries)} objects", NOT_THERE)
            continue
        if group.name != other.name:
            yield _difference(where, "name", repr(group.name), repr(other.name))
        members = [[number[id(g)] for g in one.geometries if id(g) in number] for one in (group, other)]
        if members[0] != members[1]:
            names = [[g.name for g in one.geometries] for one in (group, other)]
            yield _difference(where, "members", *_told_apart(*names))
    for group in others.values():
        yield _difference(f"{left.name} group {group.name!r}", "group", NOT_THERE, f"{len(group.geometries)} objects")


def _order_of_display(container: Container, number: dict[int, int]) -> list[tuple[str, int | str]]:
    """List groups by their uuid, and geometries by the number of their pair, in the order that the browser shows."""
    items: list[tuple[str, int | str]] = []
    for item in container.items:
        if isinstance(item, Group):
            items.append(("group", item.uuid))
        elif id(item) in number:
            items.append(("object", number[id(item)]))
    return items


def _labels(container: Container) -> dict[int, str]:
    """Return what differences call the geometries, by the geometries' ids."""
    names = Counter(geometry.name for geometry in container)
    labels = {}
    for geometry in container:
        number = f" (number {geometry.index})" if names[geometry.name] > 1 else ""
        labels[id(geometry)] = f"{container.name} {geometry.name!r}{number}"
    return labels


def _said_of(geometry: Geometry) -> str:
    return f"{geometry.kind}, {len(geometry.points)} points"


def _told_apart(left: list[str], right: list[str]) -> tuple[str, str]:
    """Make texts of two lists of names; each begins where the lists differ."""
    start = next((i for i, (one, other) in enumerate(zip(left, right)) if one != other), min(len(left), len(right)))
    texts = []
    for names in (left, right):
        shown = ", ".join(map(repr, names[start : start + MAX_NAMES])) or "nothing"
        before, after = "… " if start else "", " …" if len(names) > start + MAX_NAMES else ""
        texts.append(f"{before}{shown}{after}")
    return texts[0], texts[1]


def _in_file(path: Path) -> Path:
    """Return the path in the file of what a Session has at `path`."""
    for ours, theirs in IN_FILE.items():
        if path[: len(ours)] == ours:
            path = (*theirs, *path[len(ours) :])
            break
    return tuple("fit" if step == "mesh" and path[0] == "trajectory" else step for step in path)


def _what(path: Path) -> str:
    return "".join(f"[{step}]" if type(step) is int else f" {step}" for step in path).strip()


def _difference(where: str, what: str, left: str, right: str) -> Difference:
    texts = (printable(text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…") for text in (where, what, left, right))
    return Difference(*texts)
