"""The command line as a user has it: processes, what they print, and their exit codes."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.support.make_sessions import cloud, mesh, trajectory, write_session

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "sessions"
WITHOUT_BPY = "import sys; sys.modules['bpy'] = None; from mosaic_addon.cli import main; sys.exit(main(sys.argv[1:]))"


def run(arguments: Sequence[Any], *, cwd: Path = ROOT, program: Sequence[str] = ("-m", "mosaic_addon")) -> Any:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *program, *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=180, stdin=subprocess.DEVNULL
    )


def info(*arguments: Any, cwd: Path = ROOT) -> Any:
    """`info` in a Python that cannot import bpy, as `info` must do without."""
    return run(["info", *arguments], cwd=cwd, program=("-c", WITHOUT_BPY))


def assert_refused(done: Any, *words: str) -> None:
    """One line on stderr, nothing on stdout, exit code 1."""
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("mosaic: error: ")
    for word in words:
        assert word in lines[0]


# --- info ------------------------------------------------------------------------------------------------------------


def test_info_says_what_is_in_a_session() -> None:
    done = info(FOLDER / "mosaic-1.3.2.pickle")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Clusters (19)" in done.stdout
    assert "Models (21)" in done.stdout
    assert "[Virus]" in done.stdout
    assert "oriented, coloured, props" in done.stdout


def test_info_as_json() -> None:
    for name in ("mosaic-1.3.2.mosaic", "mosaic-colabseg.pickle"):
        done = info("--json", FOLDER / name)
        assert (done.returncode, done.stderr) == (0, "")
        told = json.loads(done.stdout)
        keys = ["file", "layout", "release", "sections", "shape", "warnings", "geometries"]
        assert list(told) == keys
        assert told["file"] == str(FOLDER / name)
        assert told["layout"] == ("indexed" if name.endswith(".mosaic") else "pickle")
        first = told["geometries"][0]
        assert set(first) == {
            "container", "index", "name", "uuid", "class", "representation", "model", "points", "faces", "frames",
            "visible", "group", "appearance", "vertex_properties", "meta",
        }  # fmt: skip
        assert (first["container"], first["index"]) == ("clusters", 0)


def test_info_of_odd_names_is_safe_for_a_terminal(tmp_path: Path) -> None:
    path = write_session(tmp_path / "s.pickle", [cloud("a\x1b[31mb\nc"), cloud("half \ud800")])
    done = info(path)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "half ?" in done.stdout
    assert json.loads(info("--json", path).stdout)["geometries"][0]["name"] == "a\x1b[31mb\nc"


def test_info_piped_into_head_ends_quietly(tmp_path: Path) -> None:
    path = write_session(tmp_path / "s.pickle", [cloud(f"a rather long name, number {i}") for i in range(3000)])
    command = f"'{sys.executable}' -m mosaic_addon info '{path}' | head -n 1"
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device that is always full, as Linux has it")
@pytest.mark.parametrize("command", [["info"], ["info", "--json"], ["check", FOLDER / "mosaic-1.3.2.pickle"]], ids=len)
def test_what_a_full_disk_does_not_take_is_an_error(command: list[Any]) -> None:
    arguments = [*map(str, command), str(FOLDER / "mosaic-1.3.2.pickle")]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "mosaic_addon", *arguments], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True,
            timeout=60, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "mosaic: error: The output cannot be written: the disk is full.\n")


# --- bad input -------------------------------------------------------------------------------------------------------


class Harmful:
    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.canary),))


def bad_files(folder: Path) -> dict[str, tuple[Path, str]]:
    """What is wrong: the file, and a word of the sentence that says so."""
    good = (FOLDER / "mosaic-1.3.2.pickle").read_bytes()
    contents = {
        "empty": (b"", "empty"),
        "truncated": (good[: len(good) // 2], ""),
        "truncated index": ((FOLDER / "mosaic-1.3.2.mosaic").read_bytes()[:5000], ""),
        "no pickle": (b"ply\nformat ascii 1.0\n", "not a Mosaic session"),
        "another pickle": (pickle.dumps({"a": 1}), ""),
        "harmful": (pickle.dumps(Harmful(folder / "canary")), ""),
    }
    files = {"missing": (folder / "no such file.pickle", "does not exist"), "folder": (folder, "folder")}
    for name, (data, word) in contents.items():
        path = folder / f"{name}.pickle"
        path.write_bytes(data)
        files[name] = (path, word)
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "fifo.pickle")
        files["fifo"] = (folder / "fifo.pickle", "regular file")
    return files


def test_each_bad_file_is_refused_in_one_line(tmp_path: Path) -> None:
    for path, word in bad_files(tmp_path).values():
        assert_refused(info(path), str(path), word)
        assert_refused(info("--json", path), str(path), word)
    assert not (tmp_path / "canary").exists()


def test_import_and_render_refuse_it_as_well_and_write_nothing(
    bpy: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from mosaic_addon.cli import main

    for name, (path, word) in bad_files(tmp_path).items():
        for command, target in (("import", tmp_path / "out.blend"), ("render", tmp_path / "out.png")):
            assert main([command, str(path), "-o", str(target)]) == 1, name
            lines = capfd.readouterr().err.splitlines()
            assert len(lines) == 1, lines
            assert lines[0].startswith("mosaic: error: ")
            assert word in lines[0]
            assert not target.exists()
    assert not (tmp_path / "canary").exists()


WRONG_USAGE = [
    [], ["info"], ["open", "x"], ["info", "x", "--yaml"], ["import", "x"], ["import", "x", "-o", "x.blend1"],
    ["import", "x", "-o", "x.png"], ["import", "-o", "x.blend"], ["render", "x"], ["render", "x", "-o", "p.png", "--size", "0x5"],
    ["render", "x", "-o", "p.png", "--size", "5"], ["render", "x", "-o", "p.png", "--samples", "0"],
    ["render", "x", "-o", "p.png", "--engine", "povray"], ["render", "x", "-o", "p.png", "--direction", "1,2"],
    ["render", "x", "-o", "p.png", "--direction", "nan,0,0"], ["render", "x", "-o", "p.png", "--direction"],
    ["render", "x", "-o", "p.png", "--zoom", "-1"], ["import", "x", "-o", "p.blend", "--scale", "0"],
    ["import", "x", "-o", "p.blend", "--scale", "2nm"], ["import", "x", "-o", "p.blend", "--pixel-size", "inf"],
]  # fmt: skip


@pytest.mark.parametrize("arguments", WRONG_USAGE, ids=" ".join)
def test_wrong_usage_is_code_2_before_any_work(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    from mosaic_addon.cli import main

    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("usage: mosaic")
    assert "Traceback" not in err


def test_help_is_code_0(capsys: pytest.CaptureFixture[str]) -> None:
    from mosaic_addon.cli import main

    for arguments in (["--help"], ["info", "-h"], ["import", "-h"], ["render", "-h"]):
        assert main(arguments) == 0
        assert "usage: mosaic" in capsys.readouterr().out


def test_help_and_wrong_usage_do_without_blender() -> None:
    for arguments, code in ((["--help"], 0), (["render", "-h"], 0), (["render"], 2)):
        assert run(arguments, program=("-c", WITHOUT_BPY)).returncode == code


def test_without_blender_import_says_what_it_needs(tmp_path: Path) -> None:
    session = FOLDER / "mosaic-1.3.2.pickle"
    done = run(["import", session, "-o", tmp_path / "x.blend"], program=("-c", WITHOUT_BPY))
    assert_refused(done, "needs Blender", "blender -c mosaic")


# --- import ----------------------------------------------------------------------------------------------------------


def test_import_makes_one_blend_of_several_sessions(bpy: ModuleType, tmp_path: Path) -> None:
    other = write_session(tmp_path / "other.pickle", [cloud("c")], [mesh("m")])
    done = run(["import", FOLDER / "mosaic-1.3.2.pickle", other, "-o", "both.blend", "--scale", "1nm"], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str(tmp_path / "both.blend")
    assert "Traceback" not in done.stderr
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "both.blend"))
    scene = bpy.context.scene
    assert [child.name for child in scene.collection.children] == ["mosaic-1.3.2", "other"]
    assert {"c", "m", "plain cloud"} <= set(bpy.data.objects.keys())
    assert not {"Cube", "Light", "Camera"} & set(bpy.data.objects.keys())
    assert bpy.data.objects["other"].scale.x == pytest.approx(0.1)
    assert os.listdir(tmp_path / "..")  # the folder above is left as it is
    assert sorted(os.listdir(tmp_path)) == ["both.blend", "other.pickle"]


def test_a_bad_file_among_good_ones_writes_nothing(tmp_path: Path) -> None:
    from mosaic_addon.cli import main

    good = write_session(tmp_path / "good.pickle", [cloud("c")])
    assert main(["import", str(good), str(tmp_path / "none.pickle"), "-o", str(tmp_path / "x.blend")]) == 1
    assert not (tmp_path / "x.blend").exists()


def test_output_that_cannot_be_written(bpy: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from mosaic_addon.cli import main

    good = write_session(tmp_path / "good.pickle", [cloud("c")])
    (tmp_path / "folder.blend").mkdir()
    (tmp_path / "folder.png").mkdir()
    for command, target in [
        ("import", "none/x.blend"), ("render", "none/x.png"), ("render", "x.gif"), ("render", "x"),
        ("import", "folder.blend"), ("render", "folder.png"), ("import", "good.pickle/x.blend"),
    ]:  # fmt: skip
        small = ["--size", "8x8", "--samples", "1"] if command == "render" else []
        assert main([command, str(good), "-o", str(tmp_path / target), *small]) == 1, target
        errors = [line for line in capfd.readouterr().err.splitlines() if line.startswith("mosaic: ")]
        assert len(errors) == 1, errors
        assert target.rpartition("/")[2] in errors[0]
    assert sorted(os.listdir(tmp_path)) == ["folder.blend", "folder.png", "good.pickle"]


def test_an_old_blend_is_replaced_without_a_backup_beside_it(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.cli import main

    good = write_session(tmp_path / "good.pickle", [cloud("c")])
    for _ in range(2):
        assert main(["import", str(good), "-o", str(tmp_path / "x.blend")]) == 0
    assert "c" in bpy.data.objects


def test_warnings_are_lines_on_stderr(bpy: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from mosaic_addon.cli import main

    odd = write_session(tmp_path / "odd.pickle", [cloud("c", representation="no\nsuch")])
    assert main(["import", str(odd), "-o", str(tmp_path / "x.blend")]) == 0
    warnings = [line for line in capfd.readouterr().err.splitlines() if line.startswith("mosaic: warning: ")]
    assert len(warnings) == 1
    assert "'c'" in warnings[0]


def test_a_session_beyond_the_budget_needs_a_word(
    bpy: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from mosaic_addon.cli import main
    from mosaic_addon.scene.importing import plan

    monkeypatch.setitem(plan.LIMITS, "points", plan.Limit(4, 4, 1))
    command = ["import", str(write_session(tmp_path / "s.pickle", [cloud("c", 5)])), "-o", str(tmp_path / "x.blend")]
    assert main(command) == 1
    assert "--unlimited" in capfd.readouterr().err
    assert main([*command, "--unlimited"]) == 0


# --- render ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", [["--direction", "-1,-0.5,-1e-1"], ["--direction=-1,-0.5,-1e-1"]], ids=len)
def test_a_direction_may_begin_with_a_minus(bpy: ModuleType, tmp_path: Path, direction: list[str]) -> None:
    from mosaic_addon.cli import main

    path = write_session(tmp_path / "s.pickle", [cloud("c", 50)])
    arguments = ["render", *direction, str(path), "-o", str(tmp_path / "p.png"), "--size", "16x12", "--samples", "1"]
    assert main(arguments) == 0
    assert (tmp_path / "p.png").read_bytes()[1:4] == b"PNG"
    forward = bpy.context.scene.camera.matrix_world.to_3x3() @ __import__("mathutils").Vector((0, 0, -1))
    length = (1 + 0.25 + 0.01) ** 0.5
    assert list(forward) == pytest.approx([-1 / length, -0.5 / length, -0.1 / length], abs=1e-5)


def test_render_in_a_process_of_its_own(tmp_path: Path) -> None:
    path = write_session(tmp_path / "s.pickle", [cloud("c", 50)])
    done = run(["render", path, "-o", "p.png", "--size", "16x12", "--samples", "2"], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith(str(tmp_path / "p.png"))
    assert "Traceback" not in done.stderr
    assert (tmp_path / "p.png").read_bytes()[1:4] == b"PNG"


CAMERAS = {
    "no file": None, "no json": "{", "a list": "[1]", "a number": "7", "nothing": "{}",
    "two numbers": '{"position": [1, 2], "focal_point": [0, 0, 0], "up": [0, 1, 0]}',
    "words": '{"position": ["a", 2, 3], "focal_point": [0, 0, 0], "up": [0, 1, 0]}',
    "no angle": '{"position": [1, 2, 3], "focal_point": [0, 0, 0], "up": [0, 1, 0], "view_angle": 0}',
    "nan": '{"position": [NaN, 2, 3], "focal_point": [0, 0, 0], "up": [0, 1, 0]}',
    "same place": '{"position": [1, 2, 3], "focal_point": [1, 2, 3], "up": [0, 1, 0]}',
    "up along": '{"position": [0, 2, 0], "focal_point": [0, 0, 0], "up": [0, 1, 0]}',
    "no size": '{"position": [1, 2, 3], "focal_point": [0, 0, 0], "up": [0, 1, 0], "size": [0, 5]}',
    "size of one": '{"position": [1, 2, 3], "focal_point": [0, 0, 0], "up": [0, 1, 0], "size": [5]}',
}  # fmt: skip


@pytest.mark.parametrize("kind", [*CAMERAS])
def test_a_camera_that_is_none_is_refused_in_one_line(
    bpy: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str], kind: str
) -> None:
    from mosaic_addon.cli import main

    path = write_session(tmp_path / "s.pickle", [cloud("c")])
    if CAMERAS[kind] is not None:
        (tmp_path / "camera.json").write_text(CAMERAS[kind])
    arguments = ["render", path, "-o", tmp_path / "p.png", "--camera", tmp_path / "camera.json", "--samples", "1"]
    assert main([str(argument) for argument in [*arguments, "--size", "8x8"]]) == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("mosaic: error: ")
    assert "camera.json" in line
    assert not (tmp_path / "p.png").exists()


def test_a_frame_that_is_not_there_is_an_error(
    bpy: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from mosaic_addon import api
    from mosaic_addon.cli import main

    still = write_session(tmp_path / "s.pickle", [cloud("c")])
    moving = write_session(tmp_path / "m.pickle", [cloud("c")], [trajectory("t", frames=4), trajectory("u", frames=2)])
    small = ["-o", str(tmp_path / "p.png"), "--size", "8x8", "--samples", "1"]
    cases = [(still, 0, "no trajectory"), (still, 3, "no trajectory"), (moving, 4, "0 to 3"), (moving, 999, "0 to 3")]
    for path, number, word in cases:
        assert main(["render", str(path), "--frame", str(number), *small]) == 1
        (line,) = (line for line in capfd.readouterr().err.splitlines() if line.startswith("mosaic: error: "))
        assert f"no frame {number}" in line
        assert word in line
        assert not (tmp_path / "p.png").exists()
    assert main(["render", str(moving), "--frame", "3", *small]) == 0
    with pytest.raises(api.MosaicError, match="no frame -1"):
        api.render(api.load(moving), tmp_path / "p.png", frame=-1)


def test_where_nothing_can_be_written_no_session_is_read(
    bpy: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from mosaic_addon import api
    from mosaic_addon.cli import main

    def load(*_: Any, **__: Any) -> None:
        raise AssertionError("the session was read")

    monkeypatch.setattr(api, "load", load)
    good = write_session(tmp_path / "good.pickle", [cloud("c")])
    for name in ("folder.blend", "folder.png", "folder.pickle"):
        (tmp_path / name).mkdir()
    (tmp_path / "text.pickle").write_text("no session")
    long = "/".join(["x" * 200] * 6)
    (tmp_path / long).mkdir(parents=True)
    for command, target, word in [
        ("import", "none/x.blend", "folder does not exist"), ("import", "folder.blend", "is a folder"),
        ("import", long + "/x.blend", "1023 bytes"),
        ("render", "none/x.png", "folder does not exist"), ("render", "folder.png", "is a folder"),
        ("render", "x.gif", "must end in one of"), ("render", "x", "must end in one of"),
        ("convert", "none/x.pickle", "folder does not exist"), ("convert", "folder.pickle", "is a folder"),
        ("convert", "x.blend", "is the name of a Blender file"), ("convert", "text.pickle", "is no session"),
    ]:  # fmt: skip
        output = [str(tmp_path / target)] if command == "convert" else ["-o", str(tmp_path / target)]
        assert main([command, str(good), *output]) == 1
        errors = [line for line in capfd.readouterr().err.splitlines() if line.startswith("mosaic: ")]
        assert len(errors) == 1
        assert word in errors[0]
        assert target.rpartition("/")[2] in errors[0]
