"""Objects, groups, modifiers and roots that were copied, joined, moved or removed."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from mosaic_addon.session import MosaicError, open_session
from tests.support.make_sessions import (
    cloud,
    tree,
    write_session,
)
from tests.support.saved_sessions import FOLDER, NEWEST, Opened, what_differs
from tests.support.user_edits import (
    COLORED,
    SURFACE,
    delete,
    found,
    in_edit_mode,
    join,
    layer_of,
    named,
    pick,
    rename_modifiers,
    saved,
    select,
)


def test_objects_without_quaternions_are_joined_with_a_warning(opened: Opened, tmp_path: Path) -> None:
    join("volume normals only", "volume quat")(opened)
    (warning,) = opened.save(tmp_path / "edited.pickle").warnings
    assert "have quaternions of no turn" in warning


def test_what_pasted_objects_show_is_saved_with_them_alone(opened: Opened, tmp_path: Path) -> None:
    bpy = opened.bpy
    names = ["volume quat", "Sphere", "trajectory"]
    select(opened, *names)
    bpy.ops.view3d.copybuffer()
    bpy.context.view_layer.active_layer_collection = layer_of(opened, opened.container("clusters"))
    bpy.ops.view3d.pastebuffer()
    bpy.context.view_layer.update()
    result = opened.save(tmp_path / "edited.pickle")
    assert [change.split("'")[1] for change in result.changes] == ["volume quat", "trajectory", "Sphere"]
    assert sorted(text.split("'")[1] for text in result.left_out) == ["Sphere.001", "trajectory.001", "volume quat.001"]
    assert found(NEWEST, tmp_path / "edited.pickle") == {f"clusters '{name}.001'": {"object"} for name in names}


def test_objects_in_edit_mode_leave_nothing_behind(opened: Opened, tmp_path: Path) -> None:
    bpy = opened.bpy
    in_edit_mode(COLORED, pick, lambda ops: ops.mesh.delete(type="VERT"), leave=False)(opened)
    meshes = len(bpy.data.meshes)
    assert len(named(saved(opened, tmp_path), COLORED).points) == 246
    assert (len(bpy.data.meshes), bpy.context.mode) == (meshes, "EDIT_MESH")


def test_an_object_that_is_deleted_leaves_the_others_where_they_are(opened: Opened, tmp_path: Path) -> None:
    delete("gaussian")(opened)
    saved(opened, tmp_path)
    assert found(NEWEST, tmp_path / "edited.pickle") == {"clusters 'gaussian'": {"object"}}


def test_applied_modifiers_leave_what_draws_and_frames_alone(opened: Opened, tmp_path: Path) -> None:
    rename_modifiers(opened)
    for name in ("trajectory", "BallPivoting"):
        opened[name].modifiers.new("Fewer", "DECIMATE").ratio = 0.3
    opened.bpy.context.view_layer.update()
    result = opened.save(tmp_path / "edited.pickle", apply_modifiers=True)
    assert result.left_out == []
    assert set(found(NEWEST, tmp_path / "edited.pickle")) == {"models 'BallPivoting'"}
    assert [text for text in result.warnings if "edit those of its frames instead" in text] == result.warnings


@pytest.mark.parametrize(
    ("source", "target"),
    [("volume quat", "plain cloud"), ("volume quat", "TriangularMesh mesh"), ("trajectory", "TriangularMesh mesh")],
)
def test_a_modifier_copied_from_another_kind_of_object_spoils_nothing(
    opened: Opened, tmp_path: Path, source: str, target: str
) -> None:
    select(opened, source, target)
    opened.bpy.ops.object.make_links_data(type="MODIFIERS")
    assert opened[target].modifiers["Mosaic"].node_group == opened[source].modifiers["Mosaic"].node_group
    before, after = named(open_session(NEWEST), target), named(saved(opened, tmp_path), target)
    assert after.node.fields()["representation"] != "volume"  # over which Mosaic refuses the file
    assert after.node.fields().keys() == before.node.fields().keys()
    np.testing.assert_array_equal(after.points, before.points)


def test_a_modifier_that_was_duplicated_makes_no_points(opened: Opened, tmp_path: Path) -> None:
    for name in ("plain cloud", "volume quat"):
        select(opened, name)
        opened.bpy.ops.object.modifier_copy(modifier="Mosaic")
    assert len(opened["plain cloud"].modifiers) == 2
    result = opened.save(tmp_path / "edited.pickle", apply_modifiers=True)
    assert (result.changes, result.left_out, result.warnings) == ([], [], [])


def test_a_group_of_clusters_and_models_keeps_its_uuids(opened: Opened, tmp_path: Path) -> None:
    group = opened.bpy.data.collections.new("Both")
    opened.collection.children.link(group)
    for name in ("plain cloud", "Sphere"):
        obj = opened[name]
        for collection in obj.users_collection:
            collection.objects.unlink(obj)
        group.objects.link(obj)
    saved(opened, tmp_path)
    first = open_session(tmp_path / "edited.pickle")
    uuids = [g.uuid for part in (first.clusters, first.models) for g in part.groups if g.name == "Both"]
    assert len(set(uuids)) == 2
    opened.save(tmp_path / "again.pickle")
    assert what_differs(tmp_path / "edited.pickle", tmp_path / "again.pickle") == []


def test_a_group_that_a_release_has_not_is_told(bpy: ModuleType, tmp_path: Path) -> None:
    opened = Opened(bpy, FOLDER / "mosaic-1.0.0.pickle")
    obj = next(iter(opened.container("clusters").objects))
    group = bpy.data.collections.new("Mine")
    opened.container("clusters").children.link(group)
    opened.container("clusters").objects.unlink(obj)
    group.objects.link(obj)
    result = opened.save(tmp_path / "saved.pickle")
    assert [text for text in result.warnings if "'Mine' is left out" in text] == result.warnings != []


def test_the_scale_of_a_root_that_was_deleted_is_missed(opened: Opened, tmp_path: Path) -> None:
    for obj in opened.collection.all_objects:
        if obj.parent is not None:
            place = obj.matrix_world.copy()
            obj.parent = None
            obj.matrix_world = place
    opened.bpy.data.objects.remove(opened.root)
    with pytest.raises(MosaicError, match="was deleted and its scale"):
        opened.save(tmp_path / "edited.pickle")


def test_a_root_that_was_applied_with_all_its_objects_is_refused(opened: Opened, tmp_path: Path) -> None:
    names = [obj["mosaic_name"] for obj in opened.collection.all_objects if "mosaic_name" in obj]
    select(opened, *names)
    opened.root.select_set(True)
    opened.bpy.ops.object.transform_apply(location=True, rotation=True, scale=True)
    with pytest.raises(MosaicError, match=r"had their scale applied .* its scale 0\.001 again"):
        opened.save(tmp_path / "edited.pickle")
    assert not list(tmp_path.iterdir())
    opened.root.scale = (0.001, 0.001, 0.001)  # by a user who moved all points on purpose
    opened.save(tmp_path / "edited.pickle")


def test_a_name_that_an_older_blender_cut_is_not_a_new_one(bpy: ModuleType, tmp_path: Path) -> None:
    names = ["n" * 70, "ü" * 40, "n" * 62 + "ü"]
    clouds = [cloud(name, 3) for name in names]
    uuids = [vars(obj)["uuid"] for obj in clouds]
    groups = tree(["g", *uuids[1:]], {"g": uuids[:1]}, {"g": "g" * 70})
    opened = Opened(bpy, write_session(tmp_path / "s.pickle", clouds, _data_tree=groups))
    for item in [*opened.collection.all_objects, opened.group("g" * 70)]:
        item.name = item.name.encode()[:63].decode("utf-8", "ignore")
    assert opened.unsaved() == []
    opened[names[0]].name = "n" * 20
    assert opened.unsaved() == [f"clusters '{names[0]}': renamed to '{'n' * 20}'"]


def test_a_volume_may_come_into_a_session_without_resolutions(bpy: ModuleType, tmp_path: Path) -> None:
    old, new = Opened(bpy, FOLDER / "mosaic-1.0.0.pickle"), Opened(bpy, NEWEST)
    obj = new["volume no filter"]
    for collection in obj.users_collection:
        collection.objects.unlink(obj)
    obj.parent = old.root
    old.container("clusters").objects.link(obj)
    bpy.context.view_layer.update()
    result = old.save(tmp_path / "saved.pickle")
    assert sum("no target resolution" in text for text in result.warnings) == 1
    assert named(open_session(tmp_path / "saved.pickle"), "volume no filter").volume is not None


def test_an_object_moves_between_two_sessions(bpy: ModuleType, tmp_path: Path) -> None:
    """A mesh, a volume and a trajectory of an older session among the objects of a newer one."""
    old, new = (
        Opened(bpy, FOLDER / "mosaic-1.1.1.pickle"),
        Opened(bpy, write_session(tmp_path / "s.pickle", [cloud("a", 5)])),
    )
    for name in (SURFACE, "volume quat", "trajectory"):
        obj = old[name]
        for collection in obj.users_collection:
            collection.objects.unlink(obj)
        obj.parent = new.root
        new.container("models" if name != "volume quat" else "clusters").objects.link(obj)
    bpy.context.view_layer.update()
    new.save(tmp_path / "new.pickle")
    old.save(tmp_path / "old.pickle")
    session, rest, source = (
        open_session(path) for path in (tmp_path / "new.pickle", tmp_path / "old.pickle", old.path)
    )
    assert session.release == open_session(new.path).release
    assert [geometry.name for geometry in session.clusters] == ["a", "volume quat"]
    assert {geometry.name for geometry in session.models} == {SURFACE, "trajectory"}
    assert len(rest.geometries) == len(source.geometries) - 3
    for name in (SURFACE, "volume quat", "trajectory"):
        np.testing.assert_array_equal(named(session, name).points, named(source, name).points)
    np.testing.assert_array_equal(
        named(session, "volume quat").volume.values, named(source, "volume quat").volume.values
    )
    assert [f.filename for f in named(session, "trajectory").frames] == [
        f.filename for f in named(source, "trajectory").frames
    ]
