"""The rows of the object browser: a scene's sessions as one flat list, made anew from Blender's data at each redraw.

They are not kept: making 5000 rows takes a few milliseconds, and a copy would have to follow every undo, rename and
change in the Outliner. Only which headings are folded is remembered, as long as Blender runs.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import bpy

from ...scene.data.custom_properties import has
from ...scene.keys import CLASS, CONTAINER, SESSION, SHOWN
from ...scene.outline.tree import CONTAINERS, Item, container_of, members_of, name_of, parts_of, sessions_in
from ..additions import Addition, state_forgotten

_folded: set[int] = set()  # session_uid of the collections whose rows are not shown


@dataclass(slots=True)
class Rows:
    """The rows from top to bottom.

    items: what each row stands for. depths: how far it is indented. below: for the number of a heading's row, the
    geometries below it, those of folded headings included and those that a search leaves out excluded. counts: for
    the number of a heading's row, how many these are, as text.
    """

    items: list[Item] = field(default_factory=list)
    depths: list[int] = field(default_factory=list)
    below: dict[int, list[bpy.types.Object]] = field(default_factory=dict)
    counts: dict[int, str] = field(default_factory=dict)

    def add(self, objects: list[bpy.types.Object], depth: int) -> None:
        self.items += objects
        self.depths += [depth] * len(objects)

    def add_heading(self, item: bpy.types.Collection, depth: int) -> int:
        self.items.append(item)
        self.depths.append(depth)
        return len(self.items) - 1

    def index_of(self, item: Item | None) -> int:
        """Return the number of the row of an item, -1 if it has none."""
        try:
            return self.items.index(item)
        except ValueError:
            return -1


def rows_of(scene: bpy.types.Scene, search: str = "") -> Rows:
    """Make the rows of a scene's sessions; with a search, of all whose name contains it, folded or not."""
    rows = Rows()
    wanted = search.strip().lower()
    sessions = sessions_in(scene)
    for session in sessions:
        containers = [container for name in CONTAINERS if (container := container_of(session, name)) is not None]
        if len(sessions) == 1:
            for container in containers:
                _add_container(rows, container, 0, wanted)
            continue
        heading = rows.add_heading(session, 0)
        shown = rows if wanted or not is_folded(session) else Rows()
        rows.below[heading] = [obj for container in containers for obj in _add_container(shown, container, 1, wanted)]
    return rows


def shown_rows(context: bpy.types.Context) -> Rows:
    """Make the rows that the browser shows now."""
    return rows_of(context.scene, context.window_manager.mosaic_browser.search)


def kind_of(item: Item) -> str:
    """Return what an item is: "object", "group", "container" or "session"."""
    if isinstance(item, bpy.types.Object):
        return "object"
    return "container" if has(item, CONTAINER) else "session" if has(item, SESSION) else "group"


def title_of(item: Item) -> str:
    """Return what a row calls its item: as Mosaic does, so "Clusters" where Blender has "Clusters.001"."""
    container = CONTAINER.read(item) if kind_of(item) == "container" else None
    return name_of(item) if container is None else container.capitalize()


def objects_below(item: Item) -> list[bpy.types.Object]:
    """Return the geometries that a row stands for: one, or all below a heading."""
    return _geometries([item] if isinstance(item, bpy.types.Object) else members_of(item))


def is_folded(collection: bpy.types.Collection) -> bool:
    """Return whether the rows below a heading are hidden."""
    return collection.session_uid in _folded


def fold(collection: bpy.types.Collection, folded: bool) -> None:
    """Hide the rows below a heading, or show them again."""
    (_folded.add if folded else _folded.discard)(collection.session_uid)


def _add_container(rows: Rows, container: bpy.types.Collection, depth: int, wanted: str) -> list[bpy.types.Object]:
    """Add the rows of a container. Returns its geometries, or in a search those that are wanted."""
    heading = rows.add_heading(container, depth)
    folded = is_folded(container) and not wanted
    below: list[bpy.types.Object] = []
    total = 0
    for item, run in parts_of(container):
        objects, count = _matching(run if item is None else members_of(item), wanted)
        if item is not None and wanted and wanted in name_of(item).lower():
            objects = objects_below(item)
        below += objects
        total += count
        if folded or (item is not None and wanted and not objects):
            continue
        if item is None:
            rows.add(objects, depth + 1)
            continue
        group = rows.add_heading(item, depth + 1)
        rows.below[group], rows.counts[group] = objects, _count(len(objects), count, wanted)
        if wanted or not is_folded(item):
            rows.add(objects, depth + 2)
    rows.below[heading], rows.counts[heading] = below, _count(len(below), total, wanted)
    return below


def _matching(objects: list[bpy.types.Object], wanted: str) -> tuple[list[bpy.types.Object], int]:
    """Return the geometries among objects whose name is wanted, and how many geometries there are in all."""
    own = _geometries(objects)
    if not wanted:
        return own, len(own)
    # SHOWN tells that Blender's name is not Mosaic's. Asking each object for both names would take longer than drawing.
    found = [
        obj
        for obj in own
        if wanted in (name_of(obj) if SHOWN in obj else obj.name).lower()  # type: ignore[operator]
    ]
    return found, len(own)


def _geometries(objects: Iterable[bpy.types.Object]) -> list[bpy.types.Object]:
    """Those that stand for geometries. `has` for each of 5000 objects would slow drawing down."""
    return [obj for obj in objects if CLASS in obj]  # type: ignore[operator]


def _count(found: int, total: int, wanted: str) -> str:
    return f"{found} of {total}" if wanted else str(total)


def additions() -> Iterator[Addition]:
    """Which headings are folded."""
    yield state_forgotten(_folded.clear)
