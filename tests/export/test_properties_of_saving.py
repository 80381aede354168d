"""Whatever a session holds and whatever is edited: the saved file is the session with these edits, and saving changes nothing.

MOSAIC_CASES=20000 tries more than the usual number of cases.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, note, seed, settings
from hypothesis import strategies as st

from mosaic_addon.session import open_session
from mosaic_addon.session.compare import compare
from tests.support import make_sessions as make
from tests.support import random_edits as edits
from tests.support.random_edits import Track, Undo
from tests.support.random_sessions import HUNDREDTHS, NAMES, sessions

CASES = int(os.environ.get("MOSAIC_CASES", "1000"))
CASES_OF_A_PART = 100
KEYS = {"clusters": "_data", "models": "_models"}

NUMBERS = st.integers(0, 50)
NEW_NAMES = NAMES.filter(
    lambda name: not any("\ud800" <= c <= "\udfff" for c in name)
)  # Blender takes no lone surrogates
EDITS = st.one_of(
    st.tuples(st.just("rename"), NUMBERS, NEW_NAMES),
    st.tuples(st.just("recolor"), NUMBERS, st.tuples(HUNDREDTHS, HUNDREDTHS, HUNDREDTHS)),
    st.tuples(st.just("weigh"), NUMBERS, st.sampled_from(edits.WEIGHTS), HUNDREDTHS),
    st.tuples(st.just("hide"), NUMBERS, st.booleans()),
    st.tuples(st.just("resize"), NUMBERS, st.sampled_from([1, 2.5, 8, 12, 0.1])),
    st.tuples(st.just("show_as"), NUMBERS, NUMBERS),
    st.tuples(st.just("move"), NUMBERS, st.tuples(*[st.sampled_from([0, 1, -10.5, 0.1, 1e3])] * 3)),
    st.tuples(
        st.just("annotate"), NUMBERS, st.sampled_from(edits.NOTES),
        st.none() | st.integers(-(2**31), 2**31 - 1) | st.floats(allow_nan=False) | st.booleans() | st.sampled_from(["", "text", "ä"]),
    ),
    st.tuples(st.just("resample"), NUMBERS, st.sampled_from([1, 2.5, 13.33, 6.8])),
    st.tuples(st.just("delete_points"), NUMBERS, st.lists(NUMBERS, min_size=1, max_size=4)),
    st.tuples(st.just("delete"), NUMBERS),
    st.tuples(st.just("duplicate"), NUMBERS, st.booleans()),
    st.tuples(st.just("new_group"), NUMBERS, st.lists(NUMBERS, max_size=3), NEW_NAMES.filter(bool)),
    st.tuples(st.just("rename_group"), NUMBERS, NEW_NAMES),
    st.tuples(st.just("move_to"), NUMBERS, NUMBERS),
    st.tuples(st.just("change_container"), NUMBERS),
    st.tuples(st.just("reorder"), NUMBERS, st.sampled_from(["UP", "DOWN", "TOP", "BOTTOM"])),
)  # fmt: skip
OF_ONE = ("rename", "recolor", "weigh", "hide", "resize", "show_as", "move", "annotate", "resample")


@contextmanager
def silence() -> Iterator[None]:
    """Without what Blender prints of names that it cuts."""
    sys.stdout.flush()
    terminal, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(terminal, 1)
        os.close(terminal)
        os.close(nowhere)


def purge(bpy: ModuleType) -> None:
    """Empty the scene, but for the node groups, which take long to make."""
    bpy.data.batch_remove([*bpy.data.objects, *bpy.data.collections])
    for kind in (bpy.data.meshes, bpy.data.pointclouds, bpy.data.materials):
        bpy.data.batch_remove([datablock for datablock in kind if not datablock.users])


class Case:
    """A session in Blender and, beside it, what is to be saved."""

    def __init__(self, bpy: ModuleType, folder: Path, state: dict[str, Any]) -> None:
        from mosaic_addon import api

        purge(bpy)
        self.bpy, self.folder, self.state = bpy, folder, state
        path = folder / "read.pickle"
        path.write_bytes(make.dumps(state))
        imported = api.load(path)
        self.collection = imported.collection
        by_uuid = {obj["mosaic_uuid"]: obj for obj in imported.objects}
        self.tracks: list[Track] = []
        for container, key in KEYS.items():
            for number, original in enumerate(vars(state[key])["data"]):
                self.tracks.append(Track(by_uuid[vars(original)["uuid"]], original, container, number))
        self.as_read = self.tree()

    def unsaved(self) -> list[str]:
        from mosaic_addon import api

        return api.unsaved_changes(self.collection, self.bpy.context.scene, self.bpy.context.view_layer)

    def container(self, name: str) -> Any:
        return next(child for child in self.collection.children if child.get("mosaic_container") == name)

    # --- edits of the whole ------------------------------------------------------------------------------------------

    def apply(self, edit: tuple[Any, ...], take_back: bool) -> None:
        name, number, *values = edit
        if not self.tracks:
            return
        track = self.tracks[number % len(self.tracks)]
        if name in OF_ONE:
            undo: Undo | None = getattr(edits, name)(track, *values)
            if undo is not None and take_back:
                undo()
        elif not take_back:
            getattr(self, name)(track, *values)

    def delete_points(self, track: Track, numbers: list[int]) -> None:
        edits.delete_points(track, numbers)

    def delete(self, track: Track) -> None:
        self.tracks.remove(track)
        self.bpy.data.objects.remove(track.obj)

    def duplicate(self, track: Track, own_data: bool) -> None:
        obj = track.obj.copy()
        if own_data or track.is_mesh:
            obj.data = obj.data.copy()
        obj.material_slots[0].material = obj.material_slots[0].material.copy()
        track.obj.users_collection[0].objects.link(obj)
        if track.obj.hide_get():
            obj.hide_set(True)
        kept = None if track.kept is None else track.kept.copy()
        self.tracks.append(
            Track(obj, track.original, track.container, track.number, dict(track.looks), dict(track.notes), kept)
        )

    def groups(self, container: str) -> list[Any]:
        return [child for child in self.container(container).children if "mosaic_group" in child]

    def new_group(self, track: Track, numbers: list[int], name: str) -> None:
        from mosaic_addon.scene.outline import arrange

        siblings = [other for other in self.tracks if other.container == track.container]
        chosen = {id(track): track} | {id(other): other for other in (siblings[i % len(siblings)] for i in numbers)}
        arrange.new_group([track.obj for track in chosen.values()], name)

    def rename_group(self, track: Track, name: str) -> None:
        for group in self.groups(track.container)[:1]:
            group.name = name

    def move_to(self, track: Track, number: int) -> None:
        from mosaic_addon.scene.outline import arrange

        targets = [self.container(track.container), *self.groups(track.container)]
        arrange.move_to([track.obj], targets[number % len(targets)])

    def change_container(self, track: Track) -> None:
        other = next(name for name in KEYS if name != track.container)
        for collection in track.obj.users_collection:
            collection.objects.unlink(track.obj)
        self.container(other).objects.link(track.obj)
        track.container = other

    def reorder(self, track: Track, direction: str) -> None:
        from mosaic_addon.scene.outline import arrange

        arrange.reorder([track.obj], direction)

    # --- what is to be -----------------------------------------------------------------------------------------------

    def tree(self) -> dict[str, list[tuple[Any, ...]]]:
        """What Blender shows: for each container (uuid, None) or (group's uuid, name, uuids), copies without one."""
        from mosaic_addon.scene.outline.tree import items_of, members_of, name_of

        holders = self.holders()
        known = {
            track.obj: vars(track.original)["uuid"] if holders[id(track.original)] is track else track.obj.name
            for track in self.tracks
        }
        shown: dict[str, list[tuple[Any, ...]]] = {}
        for name in KEYS:
            shown[name] = []
            for item in items_of(self.container(name)):
                if item in known:
                    shown[name].append((known[item], None))
                elif isinstance(item, self.bpy.types.Collection):
                    shown[name].append(
                        (item["mosaic_group"]["uuid"], name_of(item), [known[obj] for obj in members_of(item)])
                    )
        return shown

    def is_edited(self) -> bool:
        """Whether the session is another than was read."""
        originals = [obj for key in KEYS.values() for obj in vars(self.state[key])["data"]]
        holders = self.holders()
        if len(self.tracks) > len(holders) or len(holders) < len(originals) or self.tree() != self.as_read:
            return True
        if any(track.obj.location.length for track in self.tracks):
            return True
        with_edits = make.dumps([edits.expected(holders[id(original)]) for original in originals])
        return with_edits != make.dumps([edits.copy.deepcopy(original) for original in originals])

    def expected(self) -> dict[str, Any]:
        """The state to be saved, after it was."""
        from mosaic_addon.scene.outline.tree import items_of, members_of, name_of

        state = dict(self.state)
        for name, key in KEYS.items():
            items = items_of(self.container(name))
            shown = [
                obj
                for item in items
                for obj in (members_of(item) if isinstance(item, self.bpy.types.Collection) else [item])
            ]
            tracks = {track.obj: track for track in self.tracks if track.container == name}
            of_file = [track for track in tracks.values() if self.stays(track)]
            order = sorted(of_file, key=lambda track: track.number)
            order += [tracks[obj] for obj in shown if obj in tracks and not self.stays(tracks[obj])]
            container = edits.copy.copy(state[key])
            container.__dict__ = {**vars(container), "data": [edits.expected(track) for track in order]}
            state[key] = container
            roots: list[str] = []
            groups: dict[str, list[str]] = {}
            titles: dict[str, str] = {}
            for item in items:
                if isinstance(item, self.bpy.types.Collection):
                    uuid = item["mosaic_group"]["uuid"]
                    groups[uuid] = [obj["mosaic_uuid"] for obj in members_of(item)]
                    read = {group: title for group, title, *_ in self.as_read[name]}.get(uuid)
                    as_it_was = vars(self.state[f"{key}_tree"])["group_names"].get(uuid)
                    titles[uuid] = as_it_was if read == name_of(item) else name_of(item)
                else:
                    uuid = item["mosaic_uuid"]
                roots.append(uuid)
            state[f"{key}_tree"] = make.tree(roots, groups, titles)
        return state

    def shown(self) -> list[Any]:
        """The objects in the browser's order."""
        from mosaic_addon.scene.outline.tree import objects_of

        return list(objects_of(self.collection))

    def holders(self) -> dict[int, Track]:
        """Who is what the file has, by the original's id: of an object and its copies the first that has its name."""
        order = {obj: number for number, obj in enumerate(self.shown())}
        found: dict[int, Track] = {}
        for track in sorted(self.tracks, key=lambda track: (track.is_renamed, order[track.obj])):
            found.setdefault(id(track.original), track)
        return found

    def stays(self, track: Track) -> bool:
        """Whether an object has the place in the file that it, or what it is a copy of, had."""
        of_file = any(track.original is obj for obj in vars(self.state[KEYS[track.container]])["data"])
        return of_file and self.holders()[id(track.original)] is track


def digest(bpy: ModuleType) -> dict[str, Any]:
    """All of the scene that a save could alter."""
    found: dict[str, Any] = {}
    layer = bpy.context.view_layer
    for obj in bpy.data.objects:
        found[f"object {obj.name}"] = (
            obj.data.name if obj.data else None, obj.parent and obj.parent.name, tuple(map(tuple, obj.matrix_world)),
            tuple(map(tuple, obj.matrix_basis)), obj.hide_viewport, obj.hide_render, obj.hide_get(view_layer=layer),
            [slot.material and slot.material.name for slot in obj.material_slots], [modifier.name for modifier in obj.modifiers],
            [collection.name for collection in obj.users_collection], properties(obj), obj.mode, obj.select_get(),
        )  # fmt: skip
    for kind in (bpy.data.meshes, bpy.data.pointclouds):
        for data in kind:
            attributes = {attribute.name: numbers_of(attribute) for attribute in data.attributes}
            found[f"data {data.name}"] = (attributes, properties(data), data.users)
    for collection in bpy.data.collections:
        found[f"collection {collection.name}"] = (
            [child.name for child in collection.children],
            [obj.name for obj in collection.objects],
            properties(collection),
        )
    for material in bpy.data.materials:
        surfaces = [node for node in material.node_tree.nodes if node.name == "Mosaic Surface"]
        values = [getattr(socket, "default_value", None) for node in surfaces for socket in node.inputs]
        found[f"material {material.name}"] = [tuple(value) if hasattr(value, "__len__") else value for value in values]
    for kind in ("node_groups", "curves", "images", "texts", "scenes", "worlds", "lights", "cameras"):
        found[kind] = [datablock.name for datablock in getattr(bpy.data, kind)]
    return found


def numbers_of(attribute: Any) -> bytes:
    """The numbers of an attribute, bit by bit."""
    items = attribute.data
    for name in ("vector", "value", "color"):
        if len(items) and hasattr(items[0], name):
            first = np.asarray(getattr(items[0], name))
            kinds = {"f": np.float32, "i": np.int32, "b": np.bool_}
            numbers: np.ndarray = np.empty(len(items) * first.size, kinds[first.dtype.kind])
            items.foreach_get(name, numbers)
            return numbers.tobytes()
    return b""


def properties(owner: Any) -> dict[str, Any]:
    """Custom properties that a save must leave alone."""
    ours = {"mosaic_uuid", "mosaic_group", "mosaic_session"}
    return {
        key: str(
            value.to_dict() if hasattr(value, "to_dict") else value.to_list() if hasattr(value, "to_list") else value
        )
        for key, value in owner.items()
        if key not in ours
    }


def check(bpy: ModuleType, folder: Path, state: dict[str, Any], steps: list[tuple[tuple[Any, ...], bool]]) -> None:
    from mosaic_addon import api

    case = Case(bpy, folder, state)
    assert case.unsaved() == []
    for edit, take_back in steps:
        before = case.unsaved()
        case.apply(edit, take_back)
        after = case.unsaved()
        if take_back:
            assert after == before, edit
        assert bool(after) == case.is_edited(), (edit, after)
    bpy.context.view_layer.update()
    shown = digest(bpy)
    saved = api.save(case.collection, folder / "saved.pickle", backup=False)
    assert digest(bpy) == shown
    assert case.unsaved() == []
    assert (saved.left_out, bool(saved.changes)) == ([], case.is_edited())
    (folder / "expected.pickle").write_bytes(make.dumps(case.expected()))
    expected, found = open_session(folder / "expected.pickle"), open_session(folder / "saved.pickle")
    # What stands in no tree comes last, so one tree may name what another leaves out.
    differences = [d for d in compare(expected, found) if not (d.where in KEYS and d.what.startswith("tree"))]
    assert differences == []
    api.save(case.collection, folder / "again.pickle", backup=False)
    assert (folder / "again.pickle").read_bytes() == (folder / "saved.pickle").read_bytes()
    again = api.load(folder / "saved.pickle")
    assert api.unsaved_changes(again.collection, bpy.context.scene, bpy.context.view_layer) == []


def on_all(bpy: ModuleType, folder: Path, part: range, most_edits: int) -> None:
    """One part of the cases of a kind, in one Blender. The same part has the same cases again."""

    @seed(part.start)
    @settings(
        max_examples=len(part),
        deadline=None,
        report_multiple_bugs=False,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(sessions(), st.lists(st.tuples(EDITS, st.booleans()), max_size=most_edits))
    def every(state: dict[str, Any], steps: list[tuple[tuple[Any, ...], bool]]) -> None:
        for key in KEYS.values():
            for obj in vars(state[key])["data"]:
                note(f"{key} {type(obj).__name__} {vars(obj)}")
        check(bpy, folder, state, steps)

    with silence():
        every()


def parts(cases: int) -> list[range]:
    """The numbers of the cases, cut into parts that processes can share."""
    count = max(1, round(cases / CASES_OF_A_PART))
    return [range(cases * number // count, cases * (number + 1) // count) for number in range(count)]


def name_of_part(part: range) -> str:
    return f"{part.start}-{part.stop}"


@pytest.mark.parametrize("part", parts(CASES * 3 // 10), ids=name_of_part)
def test_any_session_is_saved_as_it_was_read(bpy: ModuleType, tmp_path: Path, part: range) -> None:
    on_all(bpy, tmp_path, part, 0)


@pytest.mark.parametrize("part", parts(CASES * 7 // 10), ids=name_of_part)
def test_any_session_with_any_edits_is_saved_with_them(bpy: ModuleType, tmp_path: Path, part: range) -> None:
    on_all(bpy, tmp_path, part, 6)
