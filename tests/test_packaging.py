"""The extension as it is handed out, and the layers that its sources keep to."""

from __future__ import annotations

import ast
import os
import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import build

ROOT = Path(build.__file__).parent
PACKAGE = ROOT / build.PACKAGE


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


# ---------------------------------------------------------------------------------------------------------- layers


def imported(path: Path, text: str) -> Iterator[str]:
    """The dotted names that a module of the package imports; those of the package begin with `mosaic_addon`.

    `from a import b` gives both a and a.b, as b may be a module. Imports inside functions count.
    """
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(text, str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def imports_of(folder: str) -> list[tuple[str, str]]:
    """Pairs (file, imported name) of all modules under a folder of the package, which must not be empty."""
    paths = sorted((PACKAGE / folder).rglob("*.py"))
    assert paths, f"nothing under {PACKAGE / folder}"
    return [
        (path.relative_to(ROOT).as_posix(), name)
        for path in paths
        for name in imported(path, path.read_text(encoding="utf-8"))
    ]


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def test_imports_are_found_wherever_they_stand() -> None:
    text = "import os.path\ndef f():\n    from ..scene import build\n    from . import nodes\n    from .. import api\n"
    assert list(imported(PACKAGE / "session" / "x.py", text)) == [
        "os.path",
        "mosaic_addon.scene",
        "mosaic_addon.scene.build",
        "mosaic_addon.session",
        "mosaic_addon.session.nodes",
        "mosaic_addon",
        "mosaic_addon.api",
    ]


def test_the_session_package_needs_numpy_and_the_standard_library_alone() -> None:
    def allowed(name: str) -> bool:
        top = name.partition(".")[0]
        return top == "numpy" or top in sys.stdlib_module_names or within(name, "mosaic_addon.session")

    assert [found for found in imports_of("session") if not allowed(found[1])] == []


def test_the_scene_package_knows_no_interface() -> None:
    above = ("mosaic_addon.ui", "mosaic_addon.cli", "mosaic_addon.api")
    assert [found for found in imports_of("scene") if within(found[1], *above)] == []


def test_imports_inside_the_package_are_relative() -> None:
    """Blender loads the extension as bl_ext.<repository>.<id>, where no module is called mosaic_addon."""
    absolute = [
        (path.relative_to(ROOT).as_posix(), node.lineno)
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path)))
        if (isinstance(node, ast.Import) and any(within(alias.name, build.PACKAGE) for alias in node.names))
        or (isinstance(node, ast.ImportFrom) and node.level == 0 and within(node.module or "", build.PACKAGE))
    ]
    assert absolute == []


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
