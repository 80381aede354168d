"""`export` and `convert` on the command line: a .blend, or another session, becomes a session."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mosaic_addon.session import open_session
from mosaic_addon.session.compare import compare
from tests.support.make_sessions import cloud, write_session
from tests.ui.test_command_line import FOLDER, assert_refused, run


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A .blend with a session of Mosaic 1.3.2 and one of 1.0.0."""
    path = tmp_path_factory.mktemp("scene") / "two.blend"
    done = run(["import", FOLDER / "mosaic-1.3.2.mosaic", FOLDER / "mosaic-1.0.0.pickle", "-o", path])
    assert done.returncode == 0, done.stderr
    return path


@pytest.mark.parametrize("name", ["mosaic-1.3.2.mosaic", "mosaic-1.0.0.pickle"])
def test_export_gives_back_what_was_imported(scene: Path, tmp_path: Path, name: str) -> None:
    target = tmp_path / name
    done = run(["export", scene, target, "--session", Path(name).stem])
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str(target)
    assert "changed:" not in done.stderr
    assert compare(open_session(FOLDER / name), open_session(target)) == []


def test_export_asks_which_session(scene: Path, tmp_path: Path) -> None:
    done = run(["export", scene, tmp_path / "x.pickle"])
    assert done.returncode == 1
    assert "holds several sessions; choose one by --session: 'mosaic-1.3.2', 'mosaic-1.0.0'" in done.stderr
    done = run(["export", scene, tmp_path / "x.pickle", "--session", "none"])
    assert "holds no session 'none'" in done.stderr
    assert not list(tmp_path.iterdir())


def test_export_says_what_it_cannot_read(tmp_path: Path) -> None:
    done = run(["export", tmp_path / "none.blend", tmp_path / "x.pickle"])
    assert done.returncode == 1
    assert done.stderr.count("mosaic: error:") == 1
    assert "none.blend cannot be opened" in done.stderr
    code = f"import bpy; bpy.ops.wm.save_as_mainfile(filepath={str(tmp_path / 'empty.blend')!r})"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    done = run(["export", tmp_path / "empty.blend", tmp_path / "x.pickle"])
    assert "empty.blend holds no session" in done.stderr
    assert not (tmp_path / "x.pickle").exists()


def test_export_says_in_which_scene_the_session_is(scene: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.blend"
    code = f"""
import bpy
bpy.ops.wm.open_mainfile(filepath={str(scene)!r}, load_ui=False)
scene = bpy.context.scene
scene.name = "Sessions"
other = bpy.data.scenes.new("Empty")
for window in bpy.context.window_manager.windows:
    window.scene = other
bpy.ops.wm.save_as_mainfile(filepath={str(other)!r})
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    done = run(["export", other, tmp_path / "x.pickle"])
    assert "holds no session in its active scene 'Empty', but in 'Sessions'" in done.stderr


def test_export_does_not_replace_the_blend(scene: Path) -> None:
    before = scene.read_bytes()
    done = run(["export", scene, scene, "--session", "mosaic-1.0.0"])
    assert done.returncode == 1
    assert f"{scene} is the name of a Blender file" in done.stderr
    assert scene.read_bytes() == before


def test_convert_changes_the_layout_and_nothing_else(tmp_path: Path) -> None:
    done = run(["convert", FOLDER / "mosaic-1.3.2.pickle", tmp_path / "a.mosaic"])
    assert done.returncode == 0, done.stderr
    made = open_session(tmp_path / "a.mosaic")
    assert (made.layout, made.release) == ("indexed", "1.3.2")
    done = run(["convert", tmp_path / "a.mosaic", tmp_path / "b.pickle"])
    assert done.returncode == 0, done.stderr
    assert compare(open_session(FOLDER / "mosaic-1.3.2.pickle"), open_session(tmp_path / "b.pickle")) == []


def test_convert_for_another_release_says_what_is_lost(tmp_path: Path) -> None:
    done = run(["convert", FOLDER / "mosaic-1.3.2.pickle", tmp_path / "old.pickle", "--target", "1.0.12"])
    assert done.returncode == 0, done.stderr
    assert "clusters 'segmentation': Mosaic 1.0.12 has no segmentations; it is written as points." in done.stderr
    assert open_session(tmp_path / "old.pickle").release == "1.0.11-1.0.16"
    done = run(["convert", FOLDER / "mosaic-1.3.2.pickle", tmp_path / "x.pickle", "--target", "2.0"])
    assert done.returncode == 2


def test_what_is_overwritten_is_kept_once(tmp_path: Path) -> None:
    path = write_session(tmp_path / "s.pickle", [cloud("one", 5)])
    first = path.read_bytes()
    shutil.copy(FOLDER / "mosaic-1.0.0.pickle", tmp_path / "in.pickle")
    assert run(["convert", tmp_path / "in.pickle", path, "--no-backup"]).returncode == 0
    assert not (tmp_path / "s.pickle.bak").exists()
    path.write_bytes(first)
    assert run(["convert", tmp_path / "in.pickle", path]).returncode == 0
    assert (tmp_path / "s.pickle.bak").read_bytes() == first


def test_a_changed_file_is_overwritten_only_when_asked_to(tmp_path: Path) -> None:
    path = write_session(tmp_path / "s.pickle", [cloud("one", 5)])
    blend = tmp_path / "s.blend"
    assert run(["import", path, "-o", blend]).returncode == 0
    write_session(path, [cloud("theirs", 5)])
    theirs = path.read_bytes()
    done = run(["export", blend, path])
    assert done.returncode == 1
    assert "was changed on disk since it was read" in done.stderr
    assert "--overwrite" in done.stderr
    assert path.read_bytes() == theirs
    done = run(["export", blend, path, "--overwrite"])
    assert done.returncode == 0, done.stderr
    assert [geometry.name for geometry in open_session(path).geometries] == ["one"]


def test_a_name_with_a_dot_gets_a_suffix_and_that_is_said(tmp_path: Path) -> None:
    path = write_session(tmp_path / "s.pickle", [cloud("one", 5)])
    done = run(["convert", path, tmp_path / "virus.v2"])
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str(tmp_path / "virus.v2.pickle")
    assert "mosaic: warning: virus.v2 is saved as virus.v2.pickle" in done.stderr
    assert open_session(tmp_path / "virus.v2.pickle").layout == "pickle"


def test_a_target_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    done = run(["convert", FOLDER / "mosaic-1.0.0.pickle", tmp_path / "none" / "x.pickle"])
    assert done.returncode == 1
    assert "its folder does not exist" in done.stderr
    assert_refused(run(["convert", tmp_path / "none.pickle", tmp_path / "x.pickle"]), "does not exist")
    assert not list(tmp_path.iterdir())
