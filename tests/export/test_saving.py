"""A session that was not edited is saved as it was read, whatever is in it: judged by our own comparison and by Mosaic."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import build as build_tool
from mosaic_addon.session import open_session
from tests.support.make_sessions import MISSING, cloud, mesh, tree, volume, write_session
from tests.support.real_mosaic import RealMosaic
from tests.support.saved_sessions import BIG_ENDIAN, FILES, FOLDER, ROOT, Opened, differences, odd_sessions
from tests.support.user_edits import relink

ODD = odd_sessions()


def save_untouched(bpy: ModuleType, path: Path, target: Path) -> Any:
    """Open and save; nothing may have been said to have changed."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    opened = Opened(bpy, path)
    assert opened.unsaved() == []
    saved = opened.save(target)
    assert (saved.changes, saved.left_out) == ([], []), path
    assert opened.unsaved() == []
    return saved


def lost_with_the_layout(path: Path, target: Path) -> int:
    """A bare pickle has no place for the sections of an indexed file: one difference, and one warning."""
    return int(path.suffix == ".mosaic" and target.suffix == ".pickle")


# --- real files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".pickle", ".mosaic"])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_real_session_is_saved_as_it_was_read(bpy: ModuleType, tmp_path: Path, path: Path, suffix: str) -> None:
    target = tmp_path / f"saved{suffix}"
    saved = save_untouched(bpy, path, target)
    lost = lost_with_the_layout(path, target)
    found = differences(path, target)
    is_older = open_session(path).release.startswith(("colabseg", "1.0", "1.1"))
    assert ["before 1.2.4" in text for text in saved.warnings if "no place" not in text] == [True] * (
        suffix == ".mosaic" and is_older
    )
    assert len(found) == len([text for text in saved.warnings if "no place" in text]) == lost, found
    assert not lost or found[0].startswith("session: sections")


@pytest.mark.parametrize("name", ["S.PICKLE", "s.pickle.bak", "s.mosaic"])
def test_a_file_keeps_its_layout_whatever_it_is_called(bpy: ModuleType, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes((FOLDER / "mosaic-1.0.11.pickle").read_bytes())
    opened = Opened(bpy, path)
    assert opened.save(path).warnings == []
    assert path.read_bytes()[:1] == b"\x80"  # of a bare pickle
    assert open_session(path).layout == "pickle"


def test_mosaic_finds_no_difference(bpy: ModuleType, tmp_path: Path, mosaic: RealMosaic) -> None:
    for path in FILES:
        for suffix in (".pickle", ".mosaic"):
            target = tmp_path / f"{path.name}{suffix}"
            save_untouched(bpy, path, target)
            # Where Mosaic refuses the release, what is compared is the files: one has sections, the other none.
            found = [text for text in mosaic.differences(path, target) if not text.startswith("session: lost [], got")]
            lost = lost_with_the_layout(path, target)
            assert len(found) == lost, (target.name, found)
            assert not lost or "_file_sections" in found[0]


# --- through a .blend ------------------------------------------------------------------------------------------------

SAVE_ALL = """
import json, os, sys
sys.path.insert(0, {root!r})
import bpy
bpy.ops.wm.open_mainfile(filepath={blend!r})
from mosaic_addon import api
layer = bpy.context.view_layer
for session in api.sessions_in(bpy.context.scene):
    path = os.path.join({folder!r}, os.path.basename(session["mosaic_session"]["file"]))
    unsaved = api.unsaved_changes(session, bpy.context.scene, layer)
    saved = api.save(session, path)
    print("SAVED" + json.dumps([path, unsaved, saved.changes, saved.left_out]))
sys.stdout.flush()
os._exit(0)
"""


def other_blenders(bpy: ModuleType) -> dict[str, str]:
    """The bpy modules of this and of newer versions that are installed here: their Pythons by version."""
    own = bpy.app.version[:2]
    found = {"{}.{}".format(*own): sys.executable}
    for folder in sorted(build_tool.VENVS.glob("[0-9]*.*[0-9]")):
        python = build_tool.Environment(folder, ()).python
        if tuple(map(int, folder.name.split("."))) > own and python.exists():
            found[folder.name] = str(python)
    return found


def write_blend(bpy: ModuleType, path: Path) -> None:
    """All real sessions in one file."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    for session in FILES:
        Opened(bpy, session)
    bpy.ops.wm.save_as_mainfile(filepath=str(path))


def save_elsewhere(command: list[str], blend: Path, folder: Path) -> dict[str, Path]:
    """Save all sessions of a .blend in another Blender. Returns the files by name."""
    folder.mkdir()
    script = blend.with_suffix(".py")
    script.write_text(SAVE_ALL.format(root=str(ROOT), blend=str(blend), folder=str(folder)))
    done = subprocess.run([*command, str(script)], capture_output=True, text=True, timeout=180, check=False)
    said = [json.loads(line[5:]) for line in done.stdout.splitlines() if line.startswith("SAVED")]
    assert len(said) == len(FILES), done.stdout + done.stderr
    assert [entry[1:] for entry in said] == [[[], [], []]] * len(FILES)
    return {Path(entry[0]).name: Path(entry[0]) for entry in said}


def test_the_blend_that_another_blender_opens_has_all_of_it(bpy: ModuleType, tmp_path: Path) -> None:
    blend = tmp_path / "s.blend"
    write_blend(bpy, blend)
    for version, python in other_blenders(bpy).items():
        saved = save_elsewhere([python], blend, tmp_path / version)
        assert {path.name: differences(path, saved[path.name]) for path in FILES} == {
            path.name: [] for path in FILES
        }, version


def test_the_blend_that_the_real_blender_opens_has_all_of_it(
    bpy: ModuleType, tmp_path: Path, real_blender: str, mosaic: RealMosaic
) -> None:
    blend = tmp_path / "s.blend"
    write_blend(bpy, blend)
    saved = save_elsewhere([real_blender, "-b", "--factory-startup", "--python"], blend, tmp_path / "real")
    for path in FILES:
        assert differences(path, saved[path.name]) == []
        assert mosaic.differences(path, saved[path.name]) == [], path.name


# --- odd sessions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [4, 5])
@pytest.mark.parametrize("name", ODD)
def test_an_odd_session_is_saved_as_it_was_read(bpy: ModuleType, tmp_path: Path, name: str, protocol: int) -> None:
    path = write_session(tmp_path / "odd.pickle", protocol=protocol, **ODD[name])
    target = tmp_path / "saved.pickle"
    assert save_untouched(bpy, path, target).warnings == []
    assert differences(path, target) == []


def test_an_odd_session_survives_a_blend(bpy: ModuleType, tmp_path: Path) -> None:
    paths = [write_session(tmp_path / f"{number}.pickle", **ODD[name]) for number, name in enumerate(ODD)]
    opened = [Opened(bpy, path) for path in paths]
    names = [one.collection.name for one in opened]
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "s.blend"))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "s.blend"))
    from mosaic_addon import api

    for path, name in zip(paths, names, strict=True):
        target = path.with_suffix(".saved.pickle")
        assert api.save(bpy.data.collections[name], target).changes == []
        assert differences(path, target) == [], path.name


def test_mosaic_finds_no_difference_in_odd_sessions(bpy: ModuleType, tmp_path: Path, mosaic: RealMosaic) -> None:
    for number, arguments in enumerate([*ODD.values(), BIG_ENDIAN]):
        path = write_session(tmp_path / f"{number}.pickle", protocol=4, **arguments)
        target = tmp_path / f"{number}.saved.pickle"
        save_untouched(bpy, path, target)
        assert mosaic.differences(path, target) == [], number


@pytest.mark.parametrize("protocol", [4, 5])
def test_numbers_of_another_byte_order_are_the_same(bpy: ModuleType, tmp_path: Path, protocol: int) -> None:
    path, target = write_session(tmp_path / "s.pickle", protocol=protocol, **BIG_ENDIAN), tmp_path / "saved.pickle"
    save_untouched(bpy, path, target)
    assert differences(path, target) == []


def test_a_volume_that_two_show_is_in_the_file_once(bpy: ModuleType, tmp_path: Path) -> None:
    values = np.random.default_rng(0).random((32, 32, 32), np.float32)
    path = write_session(tmp_path / "s.pickle", [volume("a", volume=values), volume("b", volume=values)])
    target = tmp_path / "saved.pickle"
    save_untouched(bpy, path, target)
    assert target.stat().st_size < 1.2 * path.stat().st_size < 1.5 * values.nbytes
    nodes = [geometry.node.fields()["volume"] for geometry in open_session(target).geometries]
    assert nodes[0] is nodes[1]


def test_a_tree_that_names_what_is_not_there_is_mended(bpy: ModuleType, tmp_path: Path, request: Any) -> None:
    """Mosaic's window refuses it."""
    a, b, c = (cloud(name, 4) for name in "abc")
    uuids = [vars(obj)["uuid"] for obj in (a, b, c)]
    broken = tree(["g", "nobody", uuids[2]], {"g": [uuids[0], "no one", uuids[1]]}, {"g": "G"})
    path, target = write_session(tmp_path / "s.pickle", [a, b, c], _data_tree=broken), tmp_path / "saved.pickle"
    save_untouched(bpy, path, target)
    session = open_session(target)
    assert session.warnings == []
    assert [(group.name, [g.name for g in group.geometries]) for group in session.clusters.groups] == [
        ("G", ["a", "b"])
    ]
    assert {text.split(":")[0] + text.split(":")[1][:5] for text in differences(path, target)} == {"clusters tree"}
    if os.environ.get("MOSAIC_PYTHON"):
        mosaic = request.getfixturevalue("mosaic")
        assert "nobody" in mosaic.refusal(path)
        assert mosaic.load(target)["browser"]["clusters"] == [["G", ["a", "b"]], "c"]


@pytest.mark.parametrize("missing", [("_data_tree", "_models_tree"), ("_models_tree",), ("_models", "_models_tree")])
def test_what_a_session_lacks_is_not_added(bpy: ModuleType, tmp_path: Path, missing: tuple[str, ...]) -> None:
    models = [] if "_models" in missing else [mesh("m")]
    lacking = dict.fromkeys(missing, MISSING)
    opened = Opened(bpy, write_session(tmp_path / "s.pickle", [cloud("a", 4), cloud("b", 4)], models, **lacking))
    keys = open_session(opened.path).state.as_dict().keys()
    assert keys.isdisjoint(missing)
    assert opened.save(tmp_path / "saved.pickle").changes == []
    assert open_session(tmp_path / "saved.pickle").state.as_dict().keys() == keys
    relink("a", lambda opened: opened.container("models"))(opened)
    opened.save(tmp_path / "moved.pickle")
    assert [g.name for g in open_session(tmp_path / "moved.pickle").models][-1] == "a"
    assert "_models" in open_session(tmp_path / "moved.pickle").state.as_dict()


def test_arrays_keep_their_order_in_memory(bpy: ModuleType, tmp_path: Path) -> None:
    path, target = write_session(tmp_path / "s.pickle", **ODD["fortran order"]), tmp_path / "saved.pickle"
    save_untouched(bpy, path, target)
    session = open_session(target)
    fields = [geometry.node.fields() for geometry in session.geometries]
    nodes = [fields[0]["points"], fields[0]["normals"], fields[1]["volume"], fields[2]["model"].fields()["triangles"]]
    for values in (node.values for node in nodes):
        assert values.flags.f_contiguous
        assert not values.flags.c_contiguous
