"""Two sessions in one scene never mix; what goes from one to the other takes all of its own along."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mosaic_addon.session import open_session
from mosaic_addon.session.compare import compare
from tests.support.make_sessions import cloud, mesh, properties, tree, volume, write_session

SESSIONS = Path(__file__).parents[1] / "sessions"
LOOK = {"base_color": (0.1, 0.2, 0.3), "size": 5}


def first(folder: Path) -> Path:
    clouds = [cloud("A", 4, appearance=LOOK), cloud("B", 5), cloud("C", 6)]
    uuids = [vars(obj)["uuid"] for obj in clouds]
    order = tree([uuids[2], "group"], {"group": uuids[:2]}, {"group": "Pair"})
    return write_session(folder / "first.pickle", clouds, [mesh("M")], _data_tree=order)


def second(folder: Path) -> Path:
    columns = properties(3, {"label": np.array([1, 2, 2**40])})
    clouds = [cloud("A", 3, vertex_properties=columns, meta={"note": (1, {2})}, later=[1, 2]), cloud("D", 2)]
    return write_session(folder / "second.pickle", clouds, [volume("V")])


def both(folder: Path, *paths: Path) -> list[Any]:
    from mosaic_addon import api

    return [api.load(path).collection for path in paths]


def object_of(session: Any, name: str) -> Any:
    return next(obj for obj in session.all_objects if obj.get("mosaic_name") == name)


def container_of(session: Any, name: str) -> Any:
    return next(child for child in session.children if child.get("mosaic_container") == name)


def unsaved(bpy: ModuleType, session: Any) -> list[str]:
    from mosaic_addon import api

    return api.unsaved_changes(session, bpy.context.scene, bpy.context.view_layer)


def save(session: Any, path: Path) -> Any:
    from mosaic_addon import api

    return api.save(session, path, backup=False)


def differences(left: Path, right: Path) -> list[str]:
    return [str(difference) for difference in compare(open_session(left), open_session(right))]


def move(obj: Any, target: Any) -> None:
    for collection in obj.users_collection:
        collection.objects.unlink(obj)
    target.objects.link(obj)


def test_two_sessions_are_each_saved_as_they_were_read(bpy: ModuleType, tmp_path: Path) -> None:
    paths = [first(tmp_path), second(tmp_path), SESSIONS / "mosaic-1.1.1.pickle", SESSIONS / "mosaic-1.3.2.pickle"]
    opened = both(tmp_path, *paths)
    for session, path in zip(opened, paths, strict=True):
        assert unsaved(bpy, session) == []
        save(session, tmp_path / "saved.pickle")
        assert differences(path, tmp_path / "saved.pickle") == []


def test_an_edit_of_one_is_none_of_the_other(bpy: ModuleType, tmp_path: Path) -> None:
    one, other = both(tmp_path, first(tmp_path), second(tmp_path))
    object_of(one, "A").name = "Edited"
    object_of(one, "B")["mosaic_sampling_rate"] = [1, 2, 3]
    container_of(one, "clusters").children[0].name = "Other"
    assert len(unsaved(bpy, one)) == 3
    assert unsaved(bpy, other) == []
    save(one, tmp_path / "one.pickle")
    save(other, tmp_path / "other.pickle")
    assert differences(tmp_path / "second.pickle", tmp_path / "other.pickle") == []
    assert len(differences(tmp_path / "first.pickle", tmp_path / "one.pickle")) > 2
    assert unsaved(bpy, one) == []


def test_the_same_file_twice_is_two_sessions(bpy: ModuleType, tmp_path: Path) -> None:
    path = first(tmp_path)
    one, other = both(tmp_path, path, path)
    object_of(one, "C").hide_set(True)
    bpy.data.objects.remove(object_of(other, "M"))
    assert unsaved(bpy, one) == ["clusters 'C': hidden"]
    assert unsaved(bpy, other) == ["models 'M': deleted"]
    save(one, tmp_path / "one.pickle")
    save(other, tmp_path / "other.pickle")
    assert [d.split(":")[0] for d in differences(path, tmp_path / "one.pickle")] == ["clusters 'C'"]
    assert {d.split(":")[0] for d in differences(path, tmp_path / "other.pickle")} == {"models 'M'", "models"}
    uuids = [[geometry.uuid for geometry in open_session(p).clusters] for p in (path, tmp_path / "one.pickle")]
    assert uuids[0] == uuids[1]


def test_an_object_that_is_moved_to_the_other_session_takes_all_along(bpy: ModuleType, tmp_path: Path) -> None:
    one, other = both(tmp_path, first(tmp_path), second(tmp_path))
    moved = object_of(other, "A")
    move(moved, container_of(one, "clusters"))
    assert unsaved(bpy, other) == ["clusters 'A': deleted"]
    assert any("from another session" in change for change in unsaved(bpy, one))
    save(one, tmp_path / "one.pickle")
    save(other, tmp_path / "other.pickle")
    before, after = open_session(tmp_path / "second.pickle"), open_session(tmp_path / "one.pickle")
    assert [geometry.name for geometry in after.clusters] == ["A", "B", "C", "A"]
    there, here = before.clusters[0], after.clusters[3]
    assert here.uuid == there.uuid
    assert here.vertex_properties["label"].tolist() == [1, 2, 2**40]
    assert (here.meta["note"], here.node.fields()["later"]) == ((1, {2}), [1, 2])
    assert here.points.tobytes() != b""
    assert [geometry.name for geometry in open_session(tmp_path / "other.pickle").clusters] == ["D"]
    assert unsaved(bpy, one) == unsaved(bpy, other) == []


def test_an_object_of_the_same_place_takes_no_ones_place(bpy: ModuleType, tmp_path: Path) -> None:
    """It has the index in its own session that the deleted one had in this."""
    one, other = both(tmp_path, first(tmp_path), second(tmp_path))
    bpy.data.objects.remove(object_of(one, "A"))
    move(object_of(other, "A"), container_of(one, "clusters"))
    changes = unsaved(bpy, one)
    assert "clusters 'A': deleted" in changes
    save(one, tmp_path / "one.pickle")
    assert [(g.name, len(g.points)) for g in open_session(tmp_path / "one.pickle").clusters] == [
        ("B", 5),
        ("C", 6),
        ("A", 3),
    ]


def test_an_object_of_the_same_file_keeps_its_uuid_unless_it_is_taken(bpy: ModuleType, tmp_path: Path) -> None:
    path = first(tmp_path)
    one, other = both(tmp_path, path, path)
    move(object_of(other, "C"), container_of(one, "clusters"))
    save(one, tmp_path / "one.pickle")
    session = open_session(tmp_path / "one.pickle")
    uuids = [geometry.uuid for geometry in session.clusters]
    assert [geometry.name for geometry in session.clusters] == ["A", "B", "C", "C"]
    assert len(set(uuids)) == 4
    assert uuids[:3] == [geometry.uuid for geometry in open_session(path).clusters]
    save(one, tmp_path / "again.pickle")
    assert (tmp_path / "again.pickle").read_bytes() == (tmp_path / "one.pickle").read_bytes()


@pytest.mark.parametrize("old", ["colabseg", "1.0.0", "1.0.11", "1.1.1"])
def test_an_object_of_an_old_release_is_spelled_as_the_session_it_came_to(
    bpy: ModuleType, tmp_path: Path, old: str
) -> None:
    path = SESSIONS / f"mosaic-{old}.pickle"
    one, other = both(tmp_path, first(tmp_path), path)
    names = [obj.get("mosaic_name") for obj in container_of(other, "clusters").all_objects]
    for name in names:
        move(object_of(container_of(other, "clusters"), name), container_of(one, "clusters"))
    save(one, tmp_path / "one.pickle")
    found = open_session(tmp_path / "one.pickle")
    assert found.release.startswith("1.3")
    assert len(found.clusters) == 3 + len(names)
    assert len({geometry.uuid for geometry in found.clusters} - {None}) == len(found.clusters)
    assert {geometry.node.cls.written for geometry in found.clusters} == {"mosaic.geometry"}


def test_an_object_in_both_sessions_is_saved_in_both(bpy: ModuleType, tmp_path: Path) -> None:
    one, other = both(tmp_path, first(tmp_path), second(tmp_path))
    container_of(one, "clusters").objects.link(object_of(other, "D"))
    assert unsaved(bpy, other) == []
    save(one, tmp_path / "one.pickle")
    save(other, tmp_path / "other.pickle")
    assert "D" in [geometry.name for geometry in open_session(tmp_path / "one.pickle").clusters]
    assert differences(tmp_path / "second.pickle", tmp_path / "other.pickle") == []
