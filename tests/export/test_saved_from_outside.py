"""Objects that leave the session's collections, as after M or a drag in the Outliner, stay in the session."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mosaic_addon.session import open_session
from tests.support.make_sessions import cloud, mesh, tree, write_session
from tests.support.saved_sessions import Opened, what_differs
from tests.support.user_edits import delete, found, relink, saved


def first(folder: Path) -> Path:
    clouds = [cloud(name, 4) for name in ("A", "B", "C", "D")]
    uuids = [vars(obj)["uuid"] for obj in clouds]
    order = tree([uuids[3], "group", uuids[2]], {"group": uuids[:2]}, {"group": "Pair"})
    return write_session(folder / "first.pickle", clouds, [mesh("M")], _data_tree=order)


def move(obj: Any, target: Any) -> None:
    for collection in obj.users_collection:
        collection.objects.unlink(obj)
    target.objects.link(obj)


def new_collection(opened: Opened, name: str = "Mine") -> Any:
    collection = opened.bpy.data.collections.new(name)
    opened.bpy.context.scene.collection.children.link(collection)
    return collection


def drag_out(opened: Opened, collection: Any) -> None:
    """Move a collection to the Scene Collection, as a drag in the Outliner does."""
    for parent in (opened.collection, *opened.collection.children_recursive):
        if collection.name in parent.children:
            parent.children.unlink(collection)
    opened.bpy.context.scene.collection.children.link(collection)


def groups(path: Path) -> list[tuple[str, list[str]]]:
    return [
        (group.name, [geometry.name for geometry in group.geometries]) for group in open_session(path).clusters.groups
    ]


def test_an_object_in_another_collection_is_kept_and_told(bpy: ModuleType, tmp_path: Path) -> None:
    opened = Opened(bpy, first(tmp_path))
    move(opened["C"], new_collection(opened))
    assert not any("deleted" in change for change in opened.unsaved())
    result = opened.save(tmp_path / "edited.pickle")
    assert result.warnings == ["'C' stands outside the session's collections and stays in the file, in no group."]
    assert what_differs(tmp_path / "first.pickle", tmp_path / "edited.pickle") == []


def test_one_that_leaves_its_group_is_in_no_group(bpy: ModuleType, tmp_path: Path) -> None:
    opened = Opened(bpy, first(tmp_path))
    obj = opened["A"]
    move(obj, bpy.context.scene.collection)
    obj.location.x = 5
    (warning,) = opened.save(tmp_path / "edited.pickle").warnings
    assert "'A' stands outside" in warning
    session = open_session(tmp_path / "edited.pickle")
    assert [geometry.name for geometry in session.clusters] == ["A", "B", "C", "D"]
    assert groups(tmp_path / "edited.pickle") == [("Pair", ["B"])]
    before = open_session(tmp_path / "first.pickle")
    assert session.clusters[0].uuid == before.clusters[0].uuid
    assert (session.clusters[0].points - before.clusters[0].points)[:, 0].round(3).tolist() == [5] * 4


def test_a_group_that_was_dragged_out_stays_a_group(bpy: ModuleType, tmp_path: Path) -> None:
    opened = Opened(bpy, first(tmp_path))
    drag_out(opened, opened.group("Pair"))
    result = opened.save(tmp_path / "edited.pickle")
    assert result.warnings == [
        "'A', 'B' stand outside the session's collections and stay in the file, in the group 'Pair'."
    ]
    assert groups(tmp_path / "edited.pickle") == [("Pair", ["A", "B"])]
    uuids = [open_session(tmp_path / name).clusters.groups[0].uuid for name in ("first.pickle", "edited.pickle")]
    assert uuids[0] == uuids[1]


def test_clusters_that_were_dragged_out_keep_order_and_groups(bpy: ModuleType, tmp_path: Path) -> None:
    opened = Opened(bpy, first(tmp_path))
    drag_out(opened, opened.container("clusters"))
    assert opened.unsaved() == []
    assert len(opened.save(tmp_path / "edited.pickle").warnings) == 2
    assert what_differs(tmp_path / "first.pickle", tmp_path / "edited.pickle") == []


def test_all_of_it_moves_with_its_root(bpy: ModuleType, tmp_path: Path) -> None:
    """Select all, M, New Collection."""
    opened = Opened(bpy, first(tmp_path))
    mine = new_collection(opened)
    for obj in list(opened.collection.all_objects):
        move(obj, mine)
    result = opened.save(tmp_path / "edited.pickle")
    (warning,) = result.warnings
    assert warning.endswith("and 2 more stand outside the session's collections and stay in the file, in no group.")
    differing = found(tmp_path / "first.pickle", tmp_path / "edited.pickle")
    assert differing.keys() == {"clusters", "clusters group 'Pair'"}
    assert len(open_session(tmp_path / "edited.pickle").geometries) == 5


def test_a_root_that_moved_alone_is_found(bpy: ModuleType, tmp_path: Path) -> None:
    opened = Opened(bpy, first(tmp_path))
    move(opened.root, new_collection(opened))
    assert opened.unsaved() == []
    assert opened.save(tmp_path / "edited.pickle").warnings == []
    assert what_differs(tmp_path / "first.pickle", tmp_path / "edited.pickle") == []


def test_one_that_hangs_on_nothing_is_kept_where_it_stands(bpy: ModuleType, tmp_path: Path) -> None:
    opened = Opened(bpy, first(tmp_path))
    obj = opened["C"]
    bpy.context.view_layer.update()
    place = obj.matrix_world.copy()
    move(obj, bpy.context.scene.collection)
    obj.parent = None
    obj.matrix_world = place
    session = saved(opened, tmp_path)
    assert [geometry.name for geometry in session.clusters] == ["A", "B", "C", "D"]


def test_what_is_in_no_scene_is_deleted(bpy: ModuleType, tmp_path: Path) -> None:
    opened = Opened(bpy, first(tmp_path))
    obj = opened["C"]
    obj.use_fake_user = True
    for collection in obj.users_collection:
        collection.objects.unlink(obj)
    delete("D")(opened)
    assert sorted(opened.unsaved()) == ["clusters 'C': deleted", "clusters 'D': deleted"]


def test_a_copy_outside_is_new_and_the_original_stays_itself(bpy: ModuleType, tmp_path: Path) -> None:
    opened = Opened(bpy, first(tmp_path))
    original = opened["C"]
    copy = original.copy()
    opened.container("clusters").objects.link(copy)
    move(original, new_collection(opened))
    opened.save(tmp_path / "edited.pickle")
    session = open_session(tmp_path / "edited.pickle")
    before = open_session(tmp_path / "first.pickle")
    assert [geometry.name for geometry in session.clusters] == ["A", "B", "C", "D", "C.001"]
    assert session.clusters[2].uuid == before.clusters[2].uuid != session.clusters[4].uuid


def test_hidden_collections_outside_hide_what_is_in_them(bpy: ModuleType, tmp_path: Path) -> None:
    opened = Opened(bpy, first(tmp_path))
    mine = new_collection(opened)
    move(opened["C"], mine)
    move(opened["D"], other := new_collection(opened, "Excluded"))
    mine.hide_viewport = True
    bpy.context.view_layer.layer_collection.children[other.name].exclude = True
    session = saved(opened, tmp_path)
    assert [geometry.visible for geometry in session.clusters] == [True, True, False, True]


def test_sessions_keep_to_their_own(bpy: ModuleType, tmp_path: Path) -> None:
    path = first(tmp_path)
    one, other = Opened(bpy, path), Opened(bpy, path)
    move(one["C"], bpy.context.scene.collection)
    relink("D", lambda opened: one.collection)(other)
    assert other.unsaved() == ["clusters 'D': deleted"]
    assert not [change for change in one.unsaved() if "deleted" in change]
    assert len(one.save(tmp_path / "one.pickle").warnings) == 1
    assert [g.name for g in open_session(tmp_path / "one.pickle").clusters] == ["A", "B", "C", "D", "D"]
    assert other.save(tmp_path / "other.pickle").warnings == []


def test_a_full_copy_of_a_scene_has_its_own(bpy: ModuleType, tmp_path: Path) -> None:
    opened = Opened(bpy, first(tmp_path))
    bpy.ops.scene.new(type="FULL_COPY")
    (copy,) = [c for c in bpy.context.scene.collection.children_recursive if "mosaic_session" in c]
    move(next(obj for obj in copy.all_objects if obj.get("mosaic_name") == "C"), bpy.context.scene.collection)
    assert opened.unsaved() == []
    bpy.data.objects.remove(opened["C"])
    assert opened.unsaved() == ["clusters 'C': deleted"]


@pytest.mark.parametrize("where", ["collection", "group", "clusters", "all"])
def test_close_takes_them_along(bpy: ModuleType, tmp_path: Path, where: str) -> None:
    from mosaic_addon.scene.outline.close import close_session

    kinds = ("objects", "pointclouds", "meshes")
    before = {kind: len(getattr(bpy.data, kind)) for kind in kinds}
    opened = Opened(bpy, first(tmp_path))
    if where == "group":
        drag_out(opened, opened.group("Pair"))
    elif where == "clusters":
        drag_out(opened, opened.container("clusters"))
    else:
        objects = list(opened.collection.all_objects)
        mine = new_collection(opened)
        for obj in objects if where == "all" else [opened["C"]]:
            move(obj, mine)
        mine.objects.link(opened["D"]) if where == "collection" else None
    close_session(opened.collection, bpy.context.scene)
    assert {kind: len(getattr(bpy.data, kind)) for kind in kinds} == before
