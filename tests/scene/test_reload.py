"""Reading the file of an open session again, after Mosaic has saved it: what the file changed comes in, nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mosaic_addon.session import MosaicError, open_session
from tests.support.edited_sessions import EDITS, dumps, geometries, load_editable
from tests.support.saved_sessions import FOLDER, NEWEST, Opened, differences

State = dict[str, Any]
# MOSAIC_CASES=20000 tries all edits, and not each fifth of them.
EVERY = 1 if int(os.environ.get("MOSAIC_CASES", "1000")) > 1000 else 5


def opened_copy(bpy: ModuleType, tmp_path: Path) -> Opened:
    """The session of the newest release, in a file that may be changed."""
    path = tmp_path / "session.pickle"
    path.write_bytes(NEWEST.read_bytes())
    return Opened(bpy, path)


def change_file(opened: Opened, edit: Callable[[State], None]) -> None:
    """Let Mosaic save the file with an edit."""
    state = load_editable(opened.path)
    edit(state)
    opened.path.write_bytes(dumps(state))


def reload(opened: Opened, prefer_file: bool = False) -> Any:
    from mosaic_addon.scene.reloading.reload import reload_session

    context = opened.bpy.context
    context.view_layer.update()
    result = reload_session(
        opened.collection, open_session(opened.path), context.scene, context.view_layer, prefer_file=prefer_file
    )
    context.view_layer.update()
    return result


def objects(opened: Opened) -> dict[str, int]:
    return {obj.name: obj.session_uid for obj in opened.collection.all_objects}


def everything(bpy: ModuleType) -> dict[str, set[str]]:
    """The names of all datablocks, to see that none is left over."""
    kinds = ("objects", "meshes", "pointclouds", "materials", "collections", "node_groups", "curves", "scenes")
    return {kind: set(getattr(bpy.data, kind).keys()) for kind in kinds}


@pytest.mark.parametrize("edit", list(EDITS.values())[::EVERY], ids=list(EDITS)[::EVERY])
def test_whatever_the_file_changed_comes_in(bpy: ModuleType, tmp_path: Path, edit: Callable[[State], None]) -> None:
    opened = opened_copy(bpy, tmp_path)
    before = objects(opened)
    change_file(opened, edit)
    result = reload(opened)
    assert result.kept == []
    assert opened.unsaved() == []
    saved = opened.save(tmp_path / "saved.pickle")
    assert saved.changes == []
    after = objects(opened)
    # A file that Mosaic would not open is mended, as after an import.
    Opened(bpy, opened.path).save(tmp_path / "imported.pickle")
    assert differences(tmp_path / "imported.pickle", tmp_path / "saved.pickle") == []
    assert sum(uid not in before.values() for uid in after.values()) == len(result.added)


def test_a_file_that_is_the_same_changes_nothing(bpy: ModuleType, tmp_path: Path) -> None:
    opened = opened_copy(bpy, tmp_path)
    before, were = everything(bpy), objects(opened)
    result = reload(opened)
    assert (result.added, result.changed, result.removed, result.kept) == ([], [], [], [])
    assert (everything(bpy), objects(opened)) == (before, were)
    assert opened.unsaved() == []


# --- what was built around the session -------------------------------------------------------------------------------


def recolor(name: str, color: tuple[float, float, float] = (0.1, 0.9, 0.2)) -> Callable[[State], None]:
    return lambda state: geometries(state)[name]["appearance"].update(base_color=color)


def set_points(name: str, values: Any) -> Callable[[State], None]:
    """Give a geometry other points; of a mesh, its vertices too."""

    def edit(state: State) -> None:
        geometry = geometries(state)[name]
        geometry["points"] = values(geometry["points"])

    return edit


def moved(points: np.ndarray) -> np.ndarray:
    return points + points.dtype.type(50)


def test_all_that_was_built_around_the_session_stays(bpy: ModuleType, tmp_path: Path) -> None:
    opened = opened_copy(bpy, tmp_path)
    root, cloud, surface = opened.root, opened["plain cloud"], opened["TriangularMesh surface"]
    root.rotation_euler.z = 0.0
    root.keyframe_insert("rotation_euler", frame=1)
    root.rotation_euler.z = 6.28
    root.keyframe_insert("rotation_euler", frame=100)
    extra = bpy.data.collections.new("figure 1")
    bpy.context.scene.collection.children.link(extra)
    extra.objects.link(cloud)
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    bpy.context.scene.collection.objects.link(camera)
    camera.constraints.new("TRACK_TO").target = cloud
    camera.parent = surface
    own = bpy.data.materials.new("own")
    surface.material_slots[0].material = own
    wave = surface.modifiers.new("Wave", "WAVE")
    uv = surface.data.uv_layers.new(name="own UV")
    cloud.select_set(True)
    bpy.context.view_layer.objects.active = cloud
    action, uids = root.animation_data.action, objects(opened)

    def edit(state: State) -> None:
        recolor("plain cloud")(state)
        set_points("plain cloud", lambda points: np.concatenate([points, points + 3]))(state)
        geometries(state)["TriangularMesh surface"]["model"].state["vertices"] += np.float32(5)
        geometries(state)["TriangularMesh surface"]["points"] += np.float32(5)

    change_file(opened, edit)
    result = reload(opened)
    assert len(result.changed) == 2
    assert objects(opened) == uids
    assert root.animation_data.action == action
    assert extra.objects[:] == [cloud]
    assert (camera.constraints[0].target, camera.parent) == (cloud, surface)
    assert surface.material_slots[0].material == own
    assert surface.modifiers[:][-1] == wave
    assert surface.data.uv_layers["own UV"] == uv
    assert cloud.select_get()
    assert bpy.context.view_layer.objects.active == cloud
    assert len(cloud.data.points) == 2 * len(geometries(load_editable(NEWEST))["plain cloud"]["points"])


def test_shape_keys_move_with_their_mesh(bpy: ModuleType, tmp_path: Path) -> None:
    opened = opened_copy(bpy, tmp_path)
    surface = opened["TriangularMesh surface"]
    surface.shape_key_add(name="Basis")
    key = surface.shape_key_add(name="bump")
    key.data[0].co.x += 7
    before = surface.data.vertices[1].co.x

    def edit(state: State) -> None:
        geometries(state)["TriangularMesh surface"]["model"].state["vertices"] += np.float32(5)
        geometries(state)["TriangularMesh surface"]["points"] += np.float32(5)

    change_file(opened, edit)
    reload(opened)
    keys = surface.data.shape_keys.key_blocks
    assert surface.data.vertices[1].co.x == pytest.approx(before + 5, rel=1e-5)
    assert keys["Basis"].data[1].co.x == pytest.approx(before + 5, rel=1e-5)
    assert keys["bump"].data[0].co.x - keys["Basis"].data[0].co.x == pytest.approx(7, rel=1e-3)


# --- both sides ------------------------------------------------------------------------------------------------------


def surface_inputs(obj: Any) -> Any:
    return obj.material_slots[0].material.node_tree.nodes["Mosaic Surface"].inputs


def set_opacity(opened: Opened, value: float) -> None:
    surface_inputs(opened["plain cloud"])["Opacity"].default_value = value


def move_a_point(opened: Opened) -> None:
    opened["plain cloud"].data.attributes["position"].data[0].vector.x += 100


def test_changes_of_different_values_are_both_there(bpy: ModuleType, tmp_path: Path) -> None:
    opened = opened_copy(bpy, tmp_path)
    set_opacity(opened, 0.25)
    move_a_point(opened)
    change_file(opened, recolor("plain cloud"))
    result = reload(opened)
    assert result.kept == []
    assert opened.unsaved() == ["clusters 'plain cloud': opacity 0.25, points moved"]
    opened.save(tmp_path / "saved.pickle")
    saved = geometries(load_editable(tmp_path / "saved.pickle"))["plain cloud"]
    assert saved["appearance"]["base_color"] == (0.1, 0.9, 0.2)
    assert saved["appearance"]["opacity"] == 0.25
    assert saved["points"][0, 0] - geometries(load_editable(NEWEST))["plain cloud"]["points"][0, 0] == pytest.approx(
        100
    )


@pytest.mark.parametrize("prefer_file", [False, True])
def test_where_both_sides_changed_a_value_one_counts_and_it_is_said(
    bpy: ModuleType, tmp_path: Path, prefer_file: bool
) -> None:
    opened = opened_copy(bpy, tmp_path)
    set_opacity(opened, 0.25)
    move_a_point(opened)

    def edit(state: State) -> None:
        geometries(state)["plain cloud"]["appearance"]["opacity"] = 0.75
        set_points("plain cloud", lambda points: points[:50])(state)

    change_file(opened, edit)
    count = len(opened["plain cloud"].data.points)
    result = reload(opened, prefer_file)
    assert len(result.kept) == 1
    assert "opacity 0.25, points moved" in result.kept[0]
    assert ("the file's counts" if prefer_file else "yours counts") in result.kept[0]
    assert surface_inputs(opened["plain cloud"])["Opacity"].default_value == (0.75 if prefer_file else 0.25)
    assert len(opened["plain cloud"].data.points) == (50 if prefer_file else count)
    assert (opened.unsaved() == []) == prefer_file
    saved = opened.save(tmp_path / "saved.pickle")
    if prefer_file:
        assert differences(opened.path, tmp_path / "saved.pickle") == []
    else:
        assert saved.changes == ["clusters 'plain cloud': opacity 0.25, points moved"]


def test_what_was_saved_and_read_again_is_no_conflict(bpy: ModuleType, tmp_path: Path) -> None:
    opened = opened_copy(bpy, tmp_path)
    set_opacity(opened, 0.25)
    move_a_point(opened)
    opened["hidden"].location = (500, 0, 0)
    opened["gaussian"]["note"] = "seen"
    opened.save(opened.path)
    change_file(opened, recolor("basis"))
    result = reload(opened)
    assert result.kept == []
    assert len(result.changed) == 1
    assert opened.unsaved() == []
    assert opened["hidden"].location.x == 500
    opened.save(tmp_path / "saved.pickle")
    assert differences(opened.path, tmp_path / "saved.pickle") == []


def test_what_the_file_changes_after_a_save_comes_in(bpy: ModuleType, tmp_path: Path) -> None:
    opened = opened_copy(bpy, tmp_path)
    set_opacity(opened, 0.25)
    opened["plain cloud"].location = (500, 0, 0)
    opened["gaussian"]["note"] = "seen"
    opened.save(opened.path)

    def edit(state: State) -> None:
        geometries(state)["plain cloud"]["appearance"]["opacity"] = 1.0
        geometries(state)["plain cloud"]["points"] = geometries(state)["plain cloud"]["points"][:10]
        del geometries(state)["gaussian"]["meta"]["note"]

    change_file(opened, edit)
    result = reload(opened)
    assert result.kept == []
    assert opened.unsaved() == []
    assert surface_inputs(opened["plain cloud"])["Opacity"].default_value == 1
    assert "note" not in opened["gaussian"]
    assert opened["plain cloud"].location.length == pytest.approx(0, abs=1e-3)
    opened.save(tmp_path / "saved.pickle")
    assert differences(opened.path, tmp_path / "saved.pickle") == []


def test_a_moved_object_shows_its_new_points_where_it_was_moved_to(bpy: ModuleType, tmp_path: Path) -> None:
    opened = opened_copy(bpy, tmp_path)
    opened["plain cloud"].location = (500, 0, 0)
    change_file(opened, set_points("plain cloud", lambda points: points[:10]))
    result = reload(opened)
    assert result.kept == []
    assert len(opened["plain cloud"].data.points) == 10
    assert opened["plain cloud"].location.x == 500
    assert opened.unsaved() == ["clusters 'plain cloud': moved"]


# --- what comes and goes ---------------------------------------------------------------------------------------------


def forget(name: str) -> Callable[[State], None]:
    """Remove a geometry from a file, as Mosaic does."""

    def edit(state: State) -> None:
        for key in ("_data", "_models"):
            gone = [item for item in state[key].state["data"] if item.state["meta"].get("name") == name]
            for item in gone:
                state[key].state["data"].remove(item)
                tree = state[f"{key}_tree"].state
                for members in (tree["root_items"], *tree["groups"].values()):
                    if item.state["uuid"] in members:
                        members.remove(item.state["uuid"])

    return edit


def test_what_the_file_has_no_more_goes_and_is_said(bpy: ModuleType, tmp_path: Path) -> None:
    opened = opened_copy(bpy, tmp_path)
    change_file(opened, forget("basis"))
    result = reload(opened)
    assert result.removed == ["clusters 'basis': the file has it no more."]
    assert "basis" not in objects(opened)
    assert "basis" not in bpy.data.materials
    assert opened.unsaved() == []


def test_what_was_edited_stays_though_the_file_has_it_no_more(bpy: ModuleType, tmp_path: Path) -> None:
    opened = opened_copy(bpy, tmp_path)
    set_opacity(opened, 0.25)
    change_file(opened, forget("plain cloud"))
    result = reload(opened)
    assert (len(result.kept), result.removed) == (1, [])
    opened.save(tmp_path / "saved.pickle")
    assert geometries(load_editable(tmp_path / "saved.pickle"))["plain cloud"]["appearance"]["opacity"] == 0.25


@pytest.mark.parametrize("prefer_file", [False, True])
def test_what_was_deleted_in_blender_stays_deleted(bpy: ModuleType, tmp_path: Path, prefer_file: bool) -> None:
    opened = opened_copy(bpy, tmp_path)
    bpy.data.objects.remove(opened["plain cloud"])
    change_file(opened, recolor("basis"))
    result = reload(opened, prefer_file)
    assert ("plain cloud" in objects(opened)) == prefer_file
    assert result.kept == []
    assert opened.unsaved() == ([] if prefer_file else ["clusters 'plain cloud': deleted"])


def test_objects_that_were_made_in_blender_stay(bpy: ModuleType, tmp_path: Path) -> None:
    opened = opened_copy(bpy, tmp_path)
    mesh = bpy.data.meshes.new("box")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    box = bpy.data.objects.new("box", mesh)
    opened.container("models").objects.link(box)
    change_file(opened, lambda state: state["_models_tree"].state["root_items"].reverse())
    reload(opened)
    assert box.name in opened.container("models").objects
    assert [sentence.split(":")[0] for sentence in opened.unsaved()] == ["models 'box'"]


def test_another_session_under_the_name_of_the_file_is_refused(bpy: ModuleType, tmp_path: Path) -> None:
    opened = opened_copy(bpy, tmp_path)
    before = everything(bpy)
    opened.path.write_bytes((FOLDER.parents[1] / "docs" / "examples" / "virion.pickle").read_bytes())
    with pytest.raises(MosaicError, match="holds another session by now"):
        reload(opened)
    assert everything(bpy) == before
    assert opened.unsaved() == []


def test_nothing_changes_in_edit_mode(bpy: ModuleType, tmp_path: Path) -> None:
    opened = opened_copy(bpy, tmp_path)
    bpy.context.view_layer.objects.active = opened["TriangularMesh surface"]
    bpy.ops.object.mode_set(mode="EDIT")
    with pytest.raises(MosaicError, match="Edit Mode"):
        reload(opened)
    bpy.ops.object.mode_set(mode="OBJECT")


def test_a_session_is_read_again_and_again(bpy: ModuleType, tmp_path: Path) -> None:
    opened = opened_copy(bpy, tmp_path)
    before = everything(bpy)
    for number in range(3):
        change_file(opened, set_points("plain cloud", lambda points, number=number: points[: 90 - number]))
        reload(opened)
        change_file(opened, set_points("volume quat", moved))
        reload(opened)
        assert everything(bpy) == before
    assert opened.unsaved() == []


def test_a_cloud_that_became_a_mesh_is_drawn_as_one(bpy: ModuleType, tmp_path: Path) -> None:
    opened = opened_copy(bpy, tmp_path)
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.parent = opened["basis"]
    opened["basis"].constraints.new("LIMIT_SCALE").name = "kept"
    opened["basis"].keyframe_insert("rotation_euler", frame=1)
    action = opened["basis"].animation_data.action

    def edit(state: State) -> None:
        surface, cloud = geometries(state)["TriangularMesh surface"], geometries(state)["basis"]
        for key in ("points", "normals", "quaternions", "model", "vertex_properties"):
            cloud[key] = surface[key]
        cloud["representation"] = "surface"

    change_file(opened, edit)
    result = reload(opened)
    assert result.kept == []
    assert (opened["basis"].type, opened["basis"].name) == ("MESH", "basis")
    assert camera.parent == opened["basis"]
    assert opened["basis"].constraints.keys() == ["kept"]
    assert opened["basis"].animation_data.action == action
    assert opened["basis"].animation_data.action_slot is not None
    assert "basis (old)" not in bpy.data.objects
    assert opened.unsaved() == []
    opened.save(tmp_path / "saved.pickle")
    assert differences(opened.path, tmp_path / "saved.pickle") == []


def test_frames_of_both_sides_are_not_mixed(bpy: ModuleType, tmp_path: Path) -> None:
    opened = opened_copy(bpy, tmp_path)
    from mosaic_addon.scene.drawing.facts import frames_of

    frames_of(opened["trajectory"])[1].data.attributes["position"].data[0].vector.x += 9

    def edit(state: State) -> None:
        trajectory = geometries(state)["trajectory"]["trajectory"]
        trajectory[2]["fit"].state["vertices"] = trajectory[2]["fit"].state["vertices"] + np.float32(5)

    change_file(opened, edit)
    result = reload(opened)
    assert len(result.kept) == 1
    opened.save(tmp_path / "saved.pickle")
    saved, read = (
        geometries(load_editable(p))["trajectory"]["trajectory"] for p in (tmp_path / "saved.pickle", NEWEST)
    )
    moves = [
        np.abs(one["fit"].state["vertices"] - other["fit"].state["vertices"]).max() for one, other in zip(saved, read)
    ]
    assert np.flatnonzero(moves).tolist() == [1]


def test_an_api_for_scripts(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon import api

    path = tmp_path / "session.pickle"
    path.write_bytes(NEWEST.read_bytes())
    imported = api.load(path)
    state = load_editable(path)
    recolor("basis")(state)
    path.write_bytes(dumps(state))
    assert len(api.reload(imported).changed) == 1
    imported.collection["mosaic_session"]["file"] = ""
    with pytest.raises(MosaicError, match="no file"):
        api.reload(imported)


def test_an_object_that_was_made_in_blender_and_saved_is_not_there_twice(bpy: ModuleType, tmp_path: Path) -> None:
    opened = opened_copy(bpy, tmp_path)
    mesh = bpy.data.meshes.new("box")
    mesh.from_pydata([(0, 0, 0), (90, 0, 0), (0, 90, 0)], [], [(0, 1, 2)])
    box = bpy.data.objects.new("box", mesh)
    opened.container("models").objects.link(box)
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.parent = box
    opened.save(opened.path)
    before = objects(opened)
    change_file(opened, recolor("basis"))
    assert reload(opened).added == []
    assert objects(opened) == before
    assert opened.unsaved() == []
    opened.save(tmp_path / "saved.pickle")
    assert differences(opened.path, tmp_path / "saved.pickle") == []

    def edit(state: State) -> None:
        box = geometries(state)["box"]
        box["points"], box["model"].state["vertices"] = moved(box["points"]), moved(box["model"].state["vertices"])

    change_file(opened, edit)
    assert len(reload(opened).changed) == 1
    assert len(objects(opened)) == len(before)
    assert camera.parent.name == "box"
    assert opened.unsaved() == []
    opened.save(tmp_path / "saved.pickle")
    assert differences(opened.path, tmp_path / "saved.pickle") == []
