"""What was saved from Blender and then edited again, or taken back, is no change of the file to a reload."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mosaic_addon.session import open_session
from tests.support.edited_sessions import dumps, geometries, load_editable
from tests.support.saved_sessions import NEWEST, Opened, differences
from tests.support.user_edits import apply_root, copy, paint

State = dict[str, Any]


def opened_copy(bpy: ModuleType, tmp_path: Path, source: Path = NEWEST) -> Opened:
    path = tmp_path / "session.pickle"
    path.write_bytes(source.read_bytes())
    return Opened(bpy, path)


def reload(opened: Opened, edit: Callable[[State], None] | None = None, prefer_file: bool = False) -> Any:
    """Let Mosaic save the file, after an edit, and read it again."""
    from mosaic_addon.scene.reloading.reload import reload_session

    if edit is not None:
        state = load_editable(opened.path)
        edit(state)
        opened.path.write_bytes(dumps(state))
    context = opened.bpy.context
    context.view_layer.update()
    file = open_session(opened.path)
    result = reload_session(opened.collection, file, context.scene, context.view_layer, prefer_file=prefer_file)
    context.view_layer.update()
    return result


def recolor(state: State) -> None:
    """Change another geometry, and something else of the one that was edited."""
    geometries(state)["basis"]["appearance"]["base_color"] = (0.1, 0.9, 0.2)
    geometries(state)["plain cloud"]["appearance"]["base_color"] = (0.1, 0.9, 0.2)


def opacity_of(opened: Opened) -> Any:
    return opened["plain cloud"].material_slots[0].material.node_tree.nodes["Mosaic Surface"].inputs["Opacity"]


def see(opened: Opened, visible: bool) -> None:
    opened["plain cloud"].hide_set(not visible)


def note(opened: Opened, value: str | None) -> None:
    if value is None:
        del opened["plain cloud"]["note"]
    else:
        opened["plain cloud"]["note"] = value


# An edit that is saved, the same taken back, and the value in the file after another save.
VALUES: dict[str, tuple[Callable[[Opened, Any], None], Any, Any, Callable[[Any], Any]]] = {
    "opacity": (lambda o, v: setattr(opacity_of(o), "default_value", v), 0.25, 1.0, lambda g: g.appearance.opacity),
    "visible": (see, False, True, lambda g: g.visible),
    "meta": (note, "seen", None, lambda g: g.meta.get("note")),
    "place": (
        lambda o, v: setattr(o["plain cloud"], "location", v), (500, 0, 0), (0, 0, 0), lambda g: float(g.points[0, 0]),
    ),
    "name": (lambda o, v: setattr(o["plain cloud"], "name", v), "cloud", "plain cloud", lambda g: g.name),
}  # fmt: skip


def plain_cloud(path: Path) -> Any:
    """The geometry that is called so in the session of the newest release."""
    uuid = geometries(load_editable(NEWEST))["plain cloud"]["uuid"]
    return next(geometry for geometry in open_session(path).geometries if geometry.uuid == uuid)


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("prefer_file", [False, True])
def test_an_edit_that_was_taken_back_stays_taken_back(
    bpy: ModuleType, tmp_path: Path, name: str, prefer_file: bool
) -> None:
    put, edited, before, value = VALUES[name]
    opened = opened_copy(bpy, tmp_path)
    put(opened, edited)
    opened.save(opened.path)
    put(opened, before)

    def change(state: State) -> None:
        geometries(state)["basis"]["appearance"]["base_color"] = (0.1, 0.9, 0.2)

    for _ in range(2):
        result = reload(opened, change, prefer_file)
        assert result.kept == []
        assert (opened.unsaved() == []) == prefer_file
    opened.save(tmp_path / "saved.pickle")
    expected = opened.path if prefer_file else NEWEST
    assert value(plain_cloud(tmp_path / "saved.pickle")) == pytest.approx(value(plain_cloud(expected)))


def test_an_object_that_was_moved_on_after_a_save_is_moved_once(bpy: ModuleType, tmp_path: Path) -> None:
    opened = opened_copy(bpy, tmp_path)
    was = plain_cloud(NEWEST).points[0, 0]
    opened["plain cloud"].location = (500, 0, 0)
    opened.save(opened.path)
    for number in range(3):
        opened["plain cloud"].location = (600 + number, 0, 0)
        assert reload(opened, recolor).kept == []
        assert opened.unsaved() == ["clusters 'plain cloud': moved"]
        opened.save(tmp_path / f"saved {number}.pickle")
        assert plain_cloud(tmp_path / f"saved {number}.pickle").points[0, 0] == pytest.approx(was + 600 + number)
        opened.path = tmp_path / f"saved {number}.pickle"


def test_points_that_mosaic_changed_after_a_move_was_saved_are_not_moved_again(bpy: ModuleType, tmp_path: Path) -> None:
    opened = opened_copy(bpy, tmp_path)
    was = plain_cloud(NEWEST).points[0, 0]
    opened["plain cloud"].location = (500, 0, 0)
    opened.save(opened.path)
    opened["plain cloud"].location = (600, 0, 0)

    def drop_points(state: State) -> None:
        geometries(state)["plain cloud"]["points"] = geometries(state)["plain cloud"]["points"][:20]

    result = reload(opened, drop_points)
    assert ["yours counts" in sentence for sentence in result.kept] == [True]
    opened.save(tmp_path / "saved.pickle")
    assert plain_cloud(tmp_path / "saved.pickle").points[0, 0] == pytest.approx(was + 600)


def test_a_value_that_was_changed_again_is_no_conflict(bpy: ModuleType, tmp_path: Path) -> None:
    opened = opened_copy(bpy, tmp_path)
    paint("plain cloud", Opacity=0.25)(opened)
    opened.save(opened.path)
    paint("plain cloud", Opacity=0.5)(opened)
    assert reload(opened, recolor).kept == []
    assert opened.unsaved() == ["clusters 'plain cloud': opacity 0.5"]


def test_what_was_deleted_and_saved_and_is_there_again_stays(bpy: ModuleType, tmp_path: Path) -> None:
    opened = opened_copy(bpy, tmp_path)
    obj, group = opened["plain cloud"], opened["plain cloud"].users_collection[0]
    group.objects.unlink(obj)
    obj.parent = None
    opened.save(opened.path)
    group.objects.link(obj)
    result = reload(opened, lambda state: None)
    assert (len(result.kept), result.removed) == (1, [])
    assert obj.name in bpy.data.objects
    opened.save(tmp_path / "saved.pickle")
    names = [geometry.name for geometry in open_session(tmp_path / "saved.pickle").geometries]
    assert "plain cloud" in names


def test_what_was_made_and_saved_and_then_deleted_does_not_come_back(bpy: ModuleType, tmp_path: Path) -> None:
    opened = opened_copy(bpy, tmp_path)
    before = set(opened.collection.all_objects)
    copy("plain cloud", True)(opened)
    opened.save(opened.path)
    (made,) = set(opened.collection.all_objects) - before
    bpy.data.objects.remove(made)
    assert reload(opened, lambda state: None).added == []
    assert [sentence.endswith("deleted") for sentence in opened.unsaved()] == [True]
    assert len(reload(opened, lambda state: None, prefer_file=True).added) == 1


def test_points_that_mosaic_changed_stand_where_the_file_has_them_though_the_object_is_animated(
    bpy: ModuleType, tmp_path: Path
) -> None:
    opened, scene = opened_copy(bpy, tmp_path), bpy.context.scene
    opened["plain cloud"].location = (500, 0, 0)
    opened["plain cloud"].keyframe_insert("location", frame=scene.frame_current)
    opened.save(opened.path)

    def drop_points(state: State) -> None:
        geometries(state)["plain cloud"]["points"] = geometries(state)["plain cloud"]["points"][:20]

    assert reload(opened, drop_points).kept == []
    scene.frame_set(scene.frame_current + 1)
    scene.frame_set(scene.frame_current - 1)
    assert opened.unsaved() == []
    opened.save(tmp_path / "saved.pickle")
    assert differences(opened.path, tmp_path / "saved.pickle") == []


def test_new_objects_stand_right_after_the_root_was_applied(bpy: ModuleType, tmp_path: Path) -> None:
    opened = opened_copy(bpy, tmp_path)
    state = load_editable(opened.path)
    state["_models"].state["data"].pop()
    opened.path.write_bytes(dumps(state))
    opened = Opened(bpy, opened.path)
    apply_root(opened)
    opened.path.write_bytes(NEWEST.read_bytes())
    assert len(reload(opened).added) == 1
    assert opened.unsaved() == []
    opened.save(tmp_path / "saved.pickle")
    assert differences(NEWEST, tmp_path / "saved.pickle") == []


def test_what_other_faces_cannot_keep_is_told(bpy: ModuleType, tmp_path: Path) -> None:
    opened = opened_copy(bpy, tmp_path)
    surface = opened["TriangularMesh surface"]
    surface.shape_key_add(name="Basis")
    surface.vertex_groups.new(name="mine")

    def drop_faces(state: State) -> None:
        model = geometries(state)["TriangularMesh surface"]["model"].state
        model["triangles"] = model["triangles"][:-2]

    warnings = reload(opened, drop_faces).warnings
    assert ["shape keys and vertex groups are gone" in text for text in warnings] == [True]


def rename_group(state: State) -> None:
    names = state["_data_tree"].state["group_names"]
    names[next(iter(names))] = "of Mosaic"


def test_groups_that_both_sides_changed_are_told(bpy: ModuleType, tmp_path: Path) -> None:
    opened = opened_copy(bpy, tmp_path)
    opened.group("Env").name = "mine"
    assert reload(opened, recolor).kept == []
    assert ["your groups and order count" in text for text in reload(opened, rename_group).kept] == [True]
    assert opened.group("Env").name == "mine"


@pytest.mark.parametrize("name", ["mine again", "Env"])
def test_groups_that_were_saved_and_changed_again_are_no_conflict(bpy: ModuleType, tmp_path: Path, name: str) -> None:
    opened = opened_copy(bpy, tmp_path)
    group = opened.group("Env")
    group.name = "mine"
    opened.save(opened.path)
    group.name = name
    assert reload(opened, recolor).kept == []
    assert group.name == name
    assert opened.unsaved() == ["The clusters are in another order or other groups."]


# --- who is who without uuids ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mosaic-1.0.0", "mosaic-colabseg"])
def test_objects_that_were_renamed_are_the_same_in_a_session_without_uuids(
    bpy: ModuleType, tmp_path: Path, name: str
) -> None:
    opened = opened_copy(bpy, tmp_path, NEWEST.with_name(f"{name}.pickle"))
    objects = list(opened.collection.all_objects)
    for number, obj in enumerate(objects):
        if "mosaic_name" in obj and (number % 3 or obj["mosaic_name"] == "dup"):
            obj.name = f"renamed {number}"
    opened.save(opened.path)
    result = reload(opened, lambda state: None)
    assert (result.added, result.changed, result.removed, result.kept) == ([], [], [], [])
    assert list(opened.collection.all_objects) == objects
    assert opened.unsaved() == []

    def rename(state: State) -> None:
        state["_data" if "_data" in state else "data"].state["data"][0].state["meta"]["name"] = "of Mosaic"

    result = reload(opened, rename)
    assert (result.added, result.removed, len(result.changed)) == ([], [], 1)
    assert list(opened.collection.all_objects) == objects


def test_a_uuid_that_a_save_gave_is_known_in_the_file(bpy: ModuleType, tmp_path: Path) -> None:
    opened = opened_copy(bpy, tmp_path)
    state = load_editable(opened.path)
    geometries(state)["basis"]["uuid"] = geometries(state)["plain cloud"]["uuid"]
    opened.path.write_bytes(dumps(state))
    opened = Opened(bpy, opened.path)
    objects = list(opened.collection.all_objects)
    opened.save(opened.path)
    result = reload(opened, recolor)
    assert (result.added, result.removed, result.kept) == ([], [], [])
    assert list(opened.collection.all_objects) == objects


def test_a_session_that_a_later_release_saved_stays_the_same_objects(bpy: ModuleType, tmp_path: Path) -> None:
    opened = opened_copy(bpy, tmp_path, NEWEST.with_name("mosaic-1.0.0.pickle"))
    cloud, surface = opened["plain cloud"], opened["TriangularMesh surface"]
    paint("plain cloud", Opacity=0.25)(opened)
    surface.data.vertices[0].co.x += 30
    opened.path.write_bytes(NEWEST.read_bytes())
    result = reload(opened)
    assert len(result.kept) == 1
    assert (opened["plain cloud"], opened["TriangularMesh surface"]) == (cloud, surface)
    assert cloud["mosaic_uuid"] == plain_cloud(NEWEST).uuid
    opened.save(tmp_path / "saved.pickle")
    told = differences(NEWEST, tmp_path / "saved.pickle")
    assert {text.split(":")[0] for text in told} == {"clusters 'plain cloud'", "models 'TriangularMesh surface'"}
    assert not [text for text in told if "'fit'" in text or "attributes" in text]
