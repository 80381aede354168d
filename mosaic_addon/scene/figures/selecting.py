"""Which objects of a scene a recipe means: those whose names, groups, classes, containers and properties fit."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import bpy

from ...files.patterns import Named, fits, numbered
from ...files.recipe_parts import Patterns, Rule
from ...files.toml_tables import Table, one_word
from ..drawing.coloring import colorable
from ..keys import CLASS
from ..outline.tree import CONTAINERS, container_of, members_of, name_of, objects_of, parts_of

Object = bpy.types.Object


@dataclass(frozen=True, slots=True)
class Entry:
    """An object of a session, and what a recipe may call it by."""

    obj: Object
    called: Named


def entries_of(sessions: Iterable[bpy.types.Collection]) -> list[Entry]:
    """Return all objects of sessions, in the order of Mosaic's browser."""
    found: list[tuple[Object, Named]] = []
    for session in sessions:
        where: dict[int, tuple[str, str]] = {}
        for name in CONTAINERS:
            container = container_of(session, name)
            for group, loose in parts_of(container) if container is not None else ():
                members = loose if group is None else members_of(group)
                label = "" if group is None else name_of(group)
                where |= {obj.session_uid: (name, label) for obj in members}
        for obj in objects_of(session):
            container_name, group_name = where[obj.session_uid]
            kind = CLASS.read(obj) or ""
            found.append((obj, Named(name_of(obj), group_name, kind, container_name, session.name)))
    called = numbered([each for _, each in found])
    return [Entry(obj, each) for (obj, _), each in zip(found, called, strict=True)]


def select(entries: Sequence[Entry], table: Table, field: str, patterns: Patterns) -> list[Object]:
    """Return the objects whose names, or groups and names, fit one of the patterns.

    table, field: where the patterns stand. Raises MosaicError, with the nearest right name, for one that fits nothing.
    """
    return [entry.obj for entry in _fitting(entries, table, field, patterns, lambda each: each.names)]


def select_by(entries: Sequence[Entry], rule: Rule) -> list[Object]:
    """Return the objects that a rule means. Raises MosaicError for one that means none."""
    found = list(entries)
    for field, patterns, names in (
        ("session", rule.session, lambda each: (each.session,)),
        ("container", (rule.container,) if rule.container else (), lambda each: (each.container,)),
        ("group", rule.group, lambda each: (each.group,) if each.group else ()),
        ("kind", rule.kind, lambda each: (each.kind,)),
        ("select", rule.select, lambda each: each.names),
    ):
        if patterns:
            found = _fitting(found, rule, field, patterns, names)
    if rule.property is not None:
        names = {entry.obj: colorable([entry.obj]) for entry in found}
        having = [entry for entry in found if rule.property in names[entry.obj]]
        if not having:
            known = [name for each in names.values() for name in each]
            sentence = (
                f"None of these objects has the vertex property {rule.property!r}; {one_word(rule.property, known)}"
            )
            raise rule.wrong("property", sentence)
        found = having
    if not found:
        raise rule.place.wrong("This rule selects nothing, as the sessions hold no objects.")
    return [entry.obj for entry in found]


def _fitting(
    entries: Sequence[Entry], table: Table, field: str, patterns: Patterns, names: Callable[[Named], tuple[str, ...]]
) -> list[Entry]:
    """The entries of which a name fits a pattern, in their order. Raises MosaicError for a pattern that fits none."""
    found: set[int] = set()
    for pattern in patterns:
        numbers = {
            number for number, entry in enumerate(entries) if any(fits(name, pattern) for name in names(entry.called))
        }
        if not numbers:
            known = [name for entry in entries for name in names(entry.called)]
            raise table.wrong(field, f"Nothing fits {pattern!r}; {one_word(pattern, known)}")
        found |= numbers
    return [entry for number, entry in enumerate(entries) if number in found]
