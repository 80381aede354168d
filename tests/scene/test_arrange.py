"""Changing the tree of a session: order, groups, copies, names, merged and removed objects, and nothing left astray."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mosaic_addon.session import MosaicError, open_session
from tests.support.make_sessions import cloud, mesh, properties, tree, triangular_mesh, write_session

FOLDER = Path(__file__).parents[1] / "sessions"


@pytest.fixture
def made(bpy: ModuleType, tmp_path: Path) -> SimpleNamespace:
    """A session of the clusters a, [G: b, c], d, e and the models m, n; and how the tree is now, as text."""
    from mosaic_addon.scene.importing.build import build_session
    from mosaic_addon.scene.outline import arrange, naming
    from mosaic_addon.scene.outline import duplicate as duplicating
    from mosaic_addon.scene.outline import merge as merging
    from mosaic_addon.scene.outline import tree as scene_tree

    count = 4
    clusters = [
        cloud(
            name,
            count,
            points=np.arange(count * 3, dtype=np.float32).reshape(-1, 3) + 100 * number,
            normals=np.tile(np.float32([0, 0, 1]), (count, 1)),
            vertex_properties=properties(count, {"number": np.arange(count) + 10 * number}),
        )
        for number, name in enumerate("abcde")
    ]
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]], np.float64)
    models = [
        mesh(name, 4, points=corners.astype(np.float32), model=triangular_mesh(4, vertices=corners)) for name in "mn"
    ]
    ids = [vars(item)["uuid"] for item in clusters]
    path = write_session(
        tmp_path / "s.pickle", clusters, models,
        _data_tree=tree([ids[0], "G", ids[3], ids[4]], {"G": ids[1:3]}, {"G": "Group"}),
    )  # fmt: skip
    imported = build_session(open_session(path), bpy.context.scene)

    def told(name: str = "clusters") -> str:
        container = scene_tree.container_of(imported.collection, name)
        return " ".join(
            scene_tree.name_of(item)
            if isinstance(item, bpy.types.Object)
            else f"{scene_tree.name_of(item)}[{' '.join(map(scene_tree.name_of, scene_tree.members_of(item)))}]"
            for item in scene_tree.items_of(container)
        )

    def objects(names: str) -> list[Any]:
        by_name = {scene_tree.name_of(obj): obj for obj in scene_tree.objects_of(imported.collection)}
        return [by_name[name] for name in names]

    return SimpleNamespace(
        bpy=bpy, arrange=arrange, copies=duplicating, merging=merging, naming=naming, tree=scene_tree,
        told=told, objects=objects, session=imported.collection, root=imported.root,
        clusters=scene_tree.container_of(imported.collection, "clusters"),
        group=scene_tree.container_of(imported.collection, "clusters").children[0],
    )  # fmt: skip


# --- groups and order ------------------------------------------------------------------------------------------------


def test_a_new_group_stands_where_its_first_object_stood(made: SimpleNamespace) -> None:
    group = made.arrange.new_group(made.objects("de"), "New")
    assert made.told() == "a Group[b c] New[d e]"
    assert set(group["mosaic_group"].keys()) == {"name", "uuid"}
    made.arrange.new_group(made.objects("ac"), "Other")
    assert made.told() == "Other[a c] Group[b] New[d e]"


def test_groups_that_lose_their_last_object_go(made: SimpleNamespace) -> None:
    made.arrange.new_group(made.objects("bc"), "All")
    assert made.told() == "a All[b c] d e"
    assert "Group" not in made.bpy.data.collections


def test_a_group_name_may_be_taken(made: SimpleNamespace) -> None:
    group = made.arrange.new_group(made.objects("de"), "Group")
    assert group.name == "Group.001"
    assert made.told() == "a Group[b c] Group[d e]"


def test_ungrouped_objects_follow_their_group(made: SimpleNamespace) -> None:
    assert made.arrange.ungroup(made.objects("b")) == 1
    assert made.told() == "a Group[c] b d e"
    assert made.arrange.ungroup(made.objects("cd")) == 1
    assert made.told() == "a c b d e"
    assert made.arrange.ungroup(made.objects("abcde")) == 0


def test_objects_move_into_groups_and_out(made: SimpleNamespace) -> None:
    made.arrange.move_to(made.objects("ae"), made.group, before=made.objects("c")[0])
    assert made.told() == "Group[b a e c] d"
    made.arrange.move_to(made.objects("e"), made.clusters, before=made.group)
    assert made.told() == "e Group[b a c] d"
    made.arrange.move_to(made.objects("b"), made.clusters)
    assert made.told() == "e Group[a c] d b"


def test_objects_stay_in_their_container(made: SimpleNamespace) -> None:
    for act in (
        lambda: made.arrange.move_to(made.objects("m"), made.group),
        lambda: made.arrange.new_group(made.objects("am"), "Both"),
        lambda: made.arrange.move_to(made.objects("a"), made.session),
        lambda: made.arrange.new_group([], "Empty"),
    ):
        with pytest.raises(MosaicError):
            act()
    assert made.told() == "a Group[b c] d e"
    assert made.told("models") == "m n"


@pytest.mark.parametrize(
    ("moving", "direction", "expected"),
    [
        ("d", "UP", "a d Group[b c] e"),
        ("a", "UP", "a Group[b c] d e"),
        ("de", "UP", "a d e Group[b c]"),
        ("c", "UP", "a Group[c b] d e"),
        ("bc", "UP", "Group[b c] a d e"),
        ("bc", "DOWN", "a d Group[b c] e"),
        ("ad", "DOWN", "Group[b c] a e d"),
        ("e", "TOP", "e a Group[b c] d"),
        ("ab", "BOTTOM", "Group[c b] d e a"),
    ],
)
def test_objects_move_among_their_neighbours(made: SimpleNamespace, moving: str, direction: str, expected: str) -> None:
    before = made.told()
    assert made.arrange.reorder(made.objects(moving), direction) == (expected != before)
    assert made.told() == expected


def test_what_is_hidden_and_selected_stays_so(made: SimpleNamespace) -> None:
    layer = made.bpy.context.view_layer
    hidden, selected = made.objects("be")
    hidden.hide_set(True)
    selected.select_set(True)
    made.arrange.reorder(made.objects("e"), "TOP")
    made.arrange.move_to(made.objects("b"), made.clusters)
    layer.update()
    assert [obj.hide_get() for obj in made.objects("abcde")] == [False, True, False, False, False]
    assert list(layer.objects.selected) == [selected]


def test_collections_of_the_user_within_a_group_are_left_alone(made: SimpleNamespace) -> None:
    inner = made.bpy.data.collections.new("inner")
    made.group.children.link(inner)
    obj = made.objects("c")[0]
    made.group.objects.unlink(obj)
    inner.objects.link(obj)
    made.arrange.reorder(made.objects("e"), "TOP")
    assert made.told() == "e a Group[b c] d"
    assert list(inner.objects) == [obj]
    made.arrange.ungroup([obj])
    assert made.told() == "e a Group[b] c d"


def test_thousands_are_reordered_quickly(made: SimpleNamespace) -> None:
    import time

    data = made.objects("a")[0].data
    for number in range(3000):
        obj = made.bpy.data.objects.new(f"x{number:04d}", data)
        obj["mosaic_class"] = "Geometry"
        made.clusters.objects.link(obj)
    start = time.process_time()
    made.arrange.reorder([made.clusters.objects[-1]], "TOP")
    assert time.process_time() - start < 2
    assert made.told().startswith("x2999 a ")


# --- names -----------------------------------------------------------------------------------------------------------


def test_names_may_be_long_and_alike(made: SimpleNamespace) -> None:
    long = "n\u00e4me " * 60
    for obj in made.objects("ab"):
        made.naming.rename(obj, long)
    assert made.told() == f"{long} Group[{long} c] d e"
    first = next(made.tree.objects_of(made.session))
    first.name = "by Blender"
    assert made.tree.name_of(first) == "by Blender"
    made.naming.rename(made.group, "d")
    assert made.told() == f"by Blender d[{long} c] d e"


def test_names_that_make_no_sense_are_refused(made: SimpleNamespace) -> None:
    for item, name in ((made.objects("a")[0], "  "), (made.clusters, "x")):
        with pytest.raises(MosaicError):
            made.naming.rename(item, name)


def test_find_and_replace(made: SimpleNamespace) -> None:
    names = ["Virus 1", "virus 2", "a.b"]
    replaced = made.naming.replaced
    assert replaced(names, "Virus", "V") == ["V 1", "virus 2", "a.b"]
    assert replaced(names, "Virus", "V", case_sensitive=False) == ["V 1", "V 2", "a.b"]
    assert replaced(names, ".", r"\1") == ["Virus 1", "virus 2", r"a\1b"]
    assert replaced(names, r"(\w+) (\d)", r"\2 \1", regular_expression=True) == ["1 Virus", "2 virus", "a.b"]
    assert replaced(names, "", "x") == names
    for find, replacement in (("(", ""), ("a", r"\9")):
        with pytest.raises(MosaicError):
            replaced(names, find, replacement, regular_expression=True)


def test_templates_count(made: SimpleNamespace) -> None:
    assert made.naming.numbered(["a", "{i}"], "{name}-{i}-{i:03}") == ["a-1-001", "{i}-2-002"]


# --- copies ----------------------------------------------------------------------------------------------------------


def test_a_duplicate_has_everything_of_its_own_but_what_it_is_drawn_by(made: SimpleNamespace) -> None:
    original = made.objects("b")[0]
    original["noted"] = {"by": "the user"}
    (copy,) = made.copies.duplicate([original])
    assert made.told() == "a Group[b b c] d e"
    assert copy.data != original.data
    assert copy.material_slots[0].material != original.material_slots[0].material
    assert copy.material_slots[0].link == "OBJECT"
    assert copy.parent == original.parent
    assert copy.modifiers["Mosaic"].node_group == original.modifiers["Mosaic"].node_group
    assert copy["mosaic_uuid"] != original["mosaic_uuid"]
    different = {"mosaic_uuid", "mosaic_shown_as"}
    for key in set(original.keys()) - different:
        values = [obj[key] for obj in (copy, original)]
        assert len({str(getattr(v, "to_list", getattr(v, "to_dict", lambda v=v: v))()) for v in values}) == 1, key
    assert set(copy.keys()) - set(original.keys()) <= different


def test_a_duplicate_has_its_own_animation(made: SimpleNamespace) -> None:
    original = made.objects("a")[0]
    original.keyframe_insert("location")
    (copy,) = made.copies.duplicate([original])
    assert copy.animation_data.action != original.animation_data.action


def datablocks(bpy: ModuleType) -> set[tuple[str, str]]:
    kinds = ("objects", "meshes", "pointclouds", "curves", "materials", "collections", "actions", "node_groups")
    return {(kind, datablock.name) for kind in kinds for datablock in getattr(bpy.data, kind)}


def test_duplicates_removed_leave_what_was(bpy: ModuleType) -> None:
    """Of every kind of data in a real session."""
    from mosaic_addon.scene.importing.build import build_session
    from mosaic_addon.scene.outline.duplicate import duplicate, remove

    imported = build_session(open_session(FOLDER / "mosaic-1.3.2.pickle"), bpy.context.scene)
    before = datablocks(bpy)
    copies = duplicate(imported.objects)
    assert len(datablocks(bpy)) >= len(before) + 3 * len(copies)
    remove(copies)
    assert datablocks(bpy) == before


def test_removing_all_leaves_only_the_empty_session(bpy: ModuleType) -> None:
    from mosaic_addon.scene.importing.build import build_session
    from mosaic_addon.scene.outline.duplicate import remove

    imported = build_session(open_session(FOLDER / "mosaic-1.3.2.pickle"), bpy.context.scene)
    remove(imported.objects)
    left = datablocks(bpy)
    assert not [name for kind, name in left if kind in ("meshes", "pointclouds", "curves", "actions")]
    assert {name for kind, name in left if kind == "objects"} == {imported.root.name}
    assert {name for kind, name in left if kind == "collections"} == {imported.collection.name, "Clusters", "Models"}
    assert all("mosaic_material" in bpy.data.materials[name] for kind, name in left if kind == "materials")


def test_what_others_use_is_not_removed(made: SimpleNamespace) -> None:
    linked, shared = made.objects("ab")
    made.bpy.context.scene.collection.objects.link(linked)
    shared_material = shared.material_slots[0].material
    made.objects("d")[0].material_slots[0].material = shared_material
    made.copies.remove([linked, shared])
    assert made.told() == "Group[c] d e"
    assert not made.bpy.context.scene.collection.objects  # where it would still be the session's
    assert made.objects("d")[0].material_slots[0].material == shared_material


# --- merging ---------------------------------------------------------------------------------------------------------


def test_merged_clouds_have_all_points_and_what_they_carry(made: SimpleNamespace) -> None:
    from mosaic_addon.scene.data.attributes import read_attribute
    from mosaic_addon.scene.data.vertex_properties import read_columns

    objects = made.objects("abd")
    expected = np.concatenate([read_attribute(obj.data, "position") for obj in objects])
    material = objects[0].material_slots[0].material
    old = objects[0]["mosaic_uuid"]
    objects[2]["mosaic_sampling_rate"] = [1.0, 20.0, 3.0]
    merged = made.merging.merge(objects, made.root)
    assert made.told() == "a Group[c] e"
    assert merged.left_out == []
    data = merged.object.data
    assert np.array_equal(read_attribute(data, "position"), expected)
    assert np.array_equal(read_columns(data)["number"], [0, 1, 2, 3, 10, 11, 12, 13, 30, 31, 32, 33])
    assert read_attribute(data, "normals").shape == (12, 3)
    assert merged.object.material_slots[0].material == material
    assert merged.object.material_slots[0].link == "OBJECT"
    assert merged.object["mosaic_uuid"] != old
    assert list(merged.object["mosaic_sampling_rate"]) == pytest.approx([6.8, 20.0, 6.8])


def test_what_only_some_have_is_left_out_and_told(made: SimpleNamespace) -> None:
    from mosaic_addon.scene.data.vertex_properties import read_columns, write_columns

    first, second = made.objects("ab")
    second.data.attributes.remove(second.data.attributes["normals"])
    second.data.attributes.new("extra", "FLOAT", "POINT")
    del second.data["mosaic_vertex_properties"]
    write_columns(second.data, {"other": np.zeros(4), "number": np.array(list("abcd"))})
    merged = made.merging.merge([first, second], made.root)
    assert merged.left_out == ["extra", "normals", "number", "other"]
    assert read_columns(merged.object.data) == {}
    assert "normals" not in merged.object.data.attributes


def test_merged_objects_stay_where_they_stand(made: SimpleNamespace) -> None:
    from mosaic_addon.scene.data.attributes import read_attribute

    first, second = made.objects("ab")
    first.location = (5, 0, 0)
    second.location = (0, 7, 0)
    second.rotation_euler = (np.pi / 2, 0, 0)
    x, y, z = read_attribute(second.data, "position").T
    merged = made.merging.merge([first, second], made.root).object
    assert read_attribute(merged.data, "position")[4:] == pytest.approx(np.stack([x - 5, 7 - z, y], axis=1), abs=1e-3)
    assert read_attribute(merged.data, "normals")[4:] == pytest.approx(np.tile([0, -1, 0], (4, 1)), abs=1e-6)
    assert np.array_equal(read_attribute(merged.data, "normals")[:4], np.tile([0, 0, 1], (4, 1)))


def test_turned_quaternions_turn_the_same_way_as_normals() -> None:
    from mosaic_addon.scene.outline.merge import _turned

    angle = np.radians(40)
    turn = np.eye(4)
    turn[:3, :3] = [[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]]
    w, x, y, z = _turned("quaternions", np.float32([1, 0, 0, 0]), turn)
    direction = [2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)]
    assert _turned("normals", np.float32([0, 0, 1]), turn) == pytest.approx(direction, abs=1e-6)


def test_merged_meshes_keep_faces_and_their_attributes(made: SimpleNamespace) -> None:
    first, second = made.objects("mn")
    for mesh_ in (first.data, second.data):
        mesh_.attributes.new("face_number", "INT", "FACE").data.foreach_set(
            "value", np.arange(len(mesh_.polygons), dtype=np.int32)
        )
    faces = [list(polygon.vertices) for polygon in first.data.polygons]
    edges = len(first.data.edges)
    merged = made.merging.merge([first, second], made.root).object
    data = merged.data
    assert [list(polygon.vertices) for polygon in data.polygons] == faces + [[v + 4 for v in face] for face in faces]
    assert len(data.edges) == 2 * edges
    assert [item.value for item in data.attributes["face_number"].data] == [*range(len(faces)), *range(len(faces))]
    assert not data.validate()
    assert made.told("models") == "m"


def test_kinds_that_differ_are_not_merged(made: SimpleNamespace) -> None:
    before = datablocks(made.bpy)
    for names in ("am", "a"):
        with pytest.raises(MosaicError):
            made.merging.merge(made.objects(names), made.root)
    assert datablocks(made.bpy) == before


def test_objects_of_a_linked_file_are_refused(made: SimpleNamespace, tmp_path: Path) -> None:
    bpy = made.bpy
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "library.blend"))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (_, here):
        here.collections = ["s"]
    bpy.context.scene.collection.children.link(here.collections[0])
    objects = list(made.tree.objects_of(here.collections[0]))
    assert len(objects) == 7
    for act in (made.copies.duplicate, made.copies.remove, made.arrange.ungroup):
        with pytest.raises(MosaicError, match="linked file"):
            act(objects)
    assert len(list(made.tree.objects_of(here.collections[0]))) == 7
