"""The extension as it is handed out, and the arguments of build.py."""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

import build

ROOT = Path(build.__file__).parent


# ------------------------------------------------------------------------------------------------------------- zip


def test_the_zip_has_manifest_licence_and_package_at_its_root(tmp_path: Path) -> None:
    with zipfile.ZipFile(build.write_zip(tmp_path / "extension.zip")) as archive:
        names = archive.namelist()
    assert {"blender_manifest.toml", "LICENSE", "__init__.py"} <= set(names)
    assert names == sorted(names)
    assert not [name for name in names if name.endswith(".pyc") or "__pycache__" in name or name.startswith("/")]


def test_the_same_sources_give_the_same_zip(tmp_path: Path) -> None:
    """Dates, modes, order of creation and caches do not show."""
    clone = tmp_path / "clone"
    for path in reversed(build.extension_files().values()):
        copy = clone / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        copy.chmod(0o755)
        os.utime(copy, (1_000_000_000, 1_000_000_000))
    cache = clone / build.PACKAGE / "__pycache__"
    cache.mkdir()
    (cache / "cli.cpython-313.pyc").write_bytes(b"cache")

    ours = build.write_zip(tmp_path / "ours.zip")
    theirs = build.write_zip(tmp_path / "theirs.zip", clone)
    assert ours.read_bytes() == theirs.read_bytes()


def test_blenders_extension_tool_accepts_the_zip(tmp_path: Path) -> None:
    verdict = build.validate_zip(build.write_zip(tmp_path / "extension.zip"), Path(sys.prefix))
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


# -------------------------------------------------------------------------------------------------------- build.py


def test_arguments_after_test_go_to_pytest_in_their_order() -> None:
    options = build.parse(["test", "-k", "colour and not video", "--blender", "5.0", "tests/test_packaging.py", "-x"])
    assert options.blender == "5.0"
    assert options.extra == ["-k", "colour and not video", "tests/test_packaging.py", "-x"]


def test_a_command_without_extra_arguments_refuses_them(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        build.parse(["zip", "--fast"])
    assert "`zip` does not know --fast" in capsys.readouterr().err


def test_an_interrupted_installation_is_not_taken_for_a_finished_one(tmp_path: Path) -> None:
    environment = build.Environment(tmp_path, ("bpy==5.2.*",))
    environment.python.parent.mkdir(parents=True)
    environment.python.touch()
    assert not environment.ready()
    environment.stamp.write_text("unfinished\n")
    assert not environment.ready()
    environment.stamp.write_text(environment.fingerprint + "\n")
    assert environment.ready()
    assert not build.Environment(tmp_path, ("bpy==5.0.*",)).ready()
