"""The operator behind File > Import, drag and drop, and scripts; and the extension as it is installed."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import build as build_tool
from tests.support.make_sessions import cloud, mesh, write_session

FOLDER = Path(__file__).parents[1] / "sessions"


@pytest.fixture
def addon(bpy: ModuleType) -> Iterator[ModuleType]:
    """Blender with the extension registered."""
    import mosaic_addon

    mosaic_addon.register()
    yield bpy
    mosaic_addon.unregister()


def objects(bpy: ModuleType) -> list[str]:
    return sorted(bpy.data.objects.keys())


def test_the_file_handler_takes_sessions(addon: ModuleType) -> None:
    handler = addon.types.MOSAIC_FH_session
    assert handler.bl_import_operator == "mosaic.load_session"
    assert set(handler.bl_file_extensions.split(";")) == {".pickle", ".mosaic"}


def test_a_good_file_opens_with_its_root_selected(addon: ModuleType) -> None:
    assert addon.ops.mosaic.load_session(filepath=str(FOLDER / "mosaic-1.3.2.pickle")) == {"FINISHED"}
    objects = [obj for obj in addon.data.objects if "mosaic_class" in obj]
    shown = [obj for obj in objects if obj.visible_get()]
    assert len(objects) == 40
    assert len(shown) == 38
    root = addon.context.view_layer.objects.active
    assert addon.context.selected_objects == [root]
    assert {obj.parent for obj in objects} == {root}


def test_small_clouds_become_mesh_spheres_unless_told_otherwise(addon: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.compat import ModifierInputs

    path = write_session(tmp_path / "s.pickle", [cloud("few", 10), cloud("many", 6000)])
    for spheres in (True, False):
        addon.ops.mosaic.load_session(filepath=str(path), mesh_spheres=spheres)
        drawn = {}
        for obj in [obj for obj in addon.data.objects if obj.get("mosaic_class")]:
            modifier = obj.modifiers["Mosaic"]
            drawn[obj["mosaic_name"]] = ModifierInputs(modifier.node_group).get(modifier, "Instances")
        assert drawn["few"] == spheres
        assert not drawn["many"]
        addon.data.batch_remove([obj for obj in addon.data.objects if obj.get("mosaic_class")])


def test_it_can_be_undone_as_one_step(addon: ModuleType) -> None:
    assert {"REGISTER", "UNDO"} <= addon.types.MOSAIC_OT_load_session.bl_options


def test_options_reach_the_scene(addon: ModuleType, tmp_path: Path) -> None:
    path = write_session(tmp_path / "s.pickle", [cloud("c")])
    for options, scale in (
        ({"scale": "100NM"}, 1e-3),
        ({"scale": "1NM"}, 0.1),
        ({"scale": "CUSTOM", "angstrom_per_unit": 50.0}, 0.02),
    ):
        addon.ops.mosaic.load_session(filepath=str(path), recentre=False, **options)
        root = addon.context.view_layer.objects.active
        assert list(root.scale) == pytest.approx([scale] * 3)
        assert list(root.location) == [0, 0, 0]
    addon.ops.mosaic.load_session(filepath=str(path), automatic_pixel_size=False, pixel_size=2.5)
    assert addon.context.view_layer.objects.active["mosaic_pixel_size"] == 2.5


def test_several_files_as_dropped(addon: ModuleType, tmp_path: Path) -> None:
    for name in ("a.pickle", "b.mosaic"):
        write_session(tmp_path / name, [cloud(f"in {name}")], layout="indexed" if name == "b.mosaic" else "pickle")
    files = [{"name": "a.pickle"}, {"name": "b.mosaic"}]
    assert addon.ops.mosaic.load_session(directory=str(tmp_path), files=files) == {"FINISHED"}
    assert objects(addon) == ["a", "b", "in a.pickle", "in b.mosaic"]


BAD = {
    "a.pickle that is no session": pickle.dumps([1, 2, 3]),
    "another program's": pickle.dumps({"data": {"x": [1.5]}, "version": 3}),
    "text": b"hello, this is text\n",
    "empty": b"",
    "cut": (FOLDER / "mosaic-1.0.0.pickle").read_bytes()[:100_000],
}


@pytest.mark.parametrize("kind", [*BAD])
def test_what_is_no_session_is_refused_in_a_sentence_and_changes_nothing(
    addon: ModuleType, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "x.pickle"
    path.write_bytes(BAD[kind])
    addon.ops.mosaic.load_session(filepath=str(write_session(tmp_path / "s.pickle", [cloud("c")])))
    before = objects(addon), len(addon.data.collections), addon.context.selected_objects
    with pytest.raises(RuntimeError) as caught:
        addon.ops.mosaic.load_session(filepath=str(path))
    assert str(path) in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert (objects(addon), len(addon.data.collections), addon.context.selected_objects) == before


def test_a_missing_file_and_a_folder_are_refused(addon: ModuleType, tmp_path: Path) -> None:
    for path, word in ((tmp_path / "none.pickle", "does not exist"), (tmp_path, "folder")):
        with pytest.raises(RuntimeError, match=word):
            addon.ops.mosaic.load_session(filepath=str(path))


def test_no_path_at_all_is_refused(addon: ModuleType) -> None:
    with pytest.raises(RuntimeError, match="No file is chosen"):
        addon.ops.mosaic.load_session()


def test_bad_files_among_good_ones_are_named_and_the_good_ones_open(addon: ModuleType, tmp_path: Path) -> None:
    write_session(tmp_path / "good.pickle", [cloud("c")])
    (tmp_path / "bad.pickle").write_bytes(b"no")
    with pytest.raises(RuntimeError, match=r"bad\.pickle"):
        addon.ops.mosaic.load_session(
            directory=str(tmp_path), files=[{"name": "bad.pickle"}, {"name": "good.pickle"}, {"name": "none.pickle"}]
        )
    assert objects(addon) == ["c", "good"]


def test_a_session_beyond_the_budget_is_opened_when_asked_to(
    addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mosaic_addon.scene.importing import plan

    monkeypatch.setitem(plan.LIMITS, "points", plan.Limit(4, 4, 1))
    path = str(write_session(tmp_path / "s.pickle", [cloud("c", 5)]))
    with pytest.raises(RuntimeError, match="Very Large"):
        addon.ops.mosaic.load_session(filepath=path)
    assert objects(addon) == []
    assert addon.ops.mosaic.load_session(filepath=path, unlimited=True) == {"FINISHED"}


def test_a_bug_shows_itself_and_leaves_nothing(
    addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mosaic_addon.scene.importing import build

    def fail(*args: Any) -> Any:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(build, "_fill_container", fail)
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        addon.ops.mosaic.load_session(filepath=str(write_session(tmp_path / "s.pickle", [cloud("c")])))
    assert objects(addon) == []


@pytest.mark.filterwarnings("ignore:.*blend relative")
def test_a_path_relative_to_the_blend(addon: ModuleType, tmp_path: Path) -> None:
    write_session(tmp_path / "s.pickle", [cloud("c")])
    addon.ops.wm.save_as_mainfile(filepath=str(tmp_path / "x.blend"))
    assert addon.ops.mosaic.load_session(filepath="//s.pickle") == {"FINISHED"}
    assert "c" in addon.data.objects


def test_sessions_and_nothing_else_open_in_edit_mode(addon: ModuleType, tmp_path: Path) -> None:
    """Another object is being edited meanwhile: the import neither fails nor ends the editing."""
    data = addon.data.meshes.new("edited")
    data.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    edited = addon.data.objects.new("edited", data)
    addon.context.scene.collection.objects.link(edited)
    addon.context.view_layer.objects.active = edited
    edited.select_set(True)
    addon.ops.object.mode_set(mode="EDIT")
    path = write_session(tmp_path / "s.pickle", [cloud("c")], [mesh("m")])
    assert addon.ops.mosaic.load_session(filepath=str(path)) == {"FINISHED"}
    assert {"c", "m"} <= set(addon.data.objects.keys())


INSTALLED = """
import json, os, sys
import bpy
package, session = sys.argv[1:]
def told():
    return {
        "operator": "load_session" in dir(bpy.ops.mosaic),
        "types": [name for name in dir(bpy.types) if "mosaic" in name.lower()],
        "modules": [name for name in sys.modules if name.endswith("user_default.mosaic") or ".mosaic." in name],
    }
before = told()
bpy.ops.extensions.package_install_files(filepath=package, repo="user_default", enable_on_install=True)
during = told()
bpy.ops.mosaic.load_session(filepath=session)
made = len([obj for obj in bpy.data.objects if "mosaic_class" in obj])
bpy.ops.preferences.addon_disable(module="bl_ext.user_default.mosaic")
after = told()
bpy.ops.preferences.addon_enable(module="bl_ext.user_default.mosaic")
again = told()
print("RESULT" + json.dumps([before, during, made, after, again]), flush=True)
os._exit(0)
"""


def test_the_zip_installs_opens_a_session_and_goes_again(tmp_path: Path) -> None:
    package = build_tool.write_zip(tmp_path / "mosaic.zip")
    (tmp_path / "user").mkdir()
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(tmp_path / "user")}
    command = [sys.executable, "-c", INSTALLED, package, FOLDER / "mosaic-1.3.2.pickle"]
    done = subprocess.run(
        list(map(str, command)), env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    result = next(line for line in done.stdout.splitlines() if line.startswith("RESULT"))
    before, during, made, after, again = json.loads(result.removeprefix("RESULT"))
    assert (before["operator"], before["types"]) == (False, [])
    assert during["operator"]
    assert made == 40
    assert (after["operator"], after["types"]) == (False, [])
    assert again["operator"]
    installed = list((tmp_path / "user").rglob("blender_manifest.toml"))
    assert len(installed) == 1
