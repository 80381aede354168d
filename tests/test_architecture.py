"""The rooms of the extension: who may import whom, as docs/architecture.md draws it, and how much stands in one place."""

from __future__ import annotations

import ast
import graphlib
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import build

ROOT = Path(build.__file__).parent
PACKAGE = ROOT / build.PACKAGE
PAGE = ROOT / "docs" / "architecture.md"

MOST_LINES = {"file": 500, "class": 250, "function": 60}
# One loop over all opcodes, and one walk over all kinds of nodes: cut up they would be slower, and no clearer.
MAY_BE_LARGER = {
    "function mosaic_addon/session/pickle_reader.py: read_pickle",
    "file mosaic_addon/session/pickle_writer.py",
    "class mosaic_addon/session/pickle_writer.py: _Writer",
}


# ---------------------------------------------------------------------------------------------------------- arrows


@cache
def modules() -> dict[str, ast.Module]:
    """The sources of the package by where they are in it, such as "scene/keys" and "scene/__init__"."""
    paths = sorted(PACKAGE.rglob("*.py"))
    assert paths
    return {
        path.relative_to(PACKAGE).with_suffix("").as_posix(): ast.parse(path.read_text(encoding="utf-8"), str(path))
        for path in paths
    }


def imported(module: str, tree: ast.Module) -> Iterator[str]:
    """What a module imports: other modules by their names in `modules`, libraries by their first name.

    Imports inside functions count. Where b is a module, `from a import b` is an import of a/b, not of a.
    """
    folder = module.split("/")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield str(node.module).partition(".")[0]
        elif isinstance(node, ast.ImportFrom):
            base = [*folder[: len(folder) - node.level + 1], *(node.module.split(".") if node.module else [])]
            for alias in node.names:
                names = ["/".join(parts) for parts in ([*base, alias.name], [*base, alias.name, "__init__"], base)]
                yield next((name for name in names if name in modules()), "/".join([*base, "__init__"]))


@cache
def imports() -> set[tuple[str, str]]:
    """Pairs (module, module or library), without the standard library."""
    return {
        (module, found)
        for module, tree in modules().items()
        for found in imported(module, tree)
        if found not in (module, *sys.stdlib_module_names)
    }


def drawn() -> set[tuple[str, str]]:
    """The arrows of the page: pairs (room, room or library)."""
    blocks = re.findall(r"^```arrows\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1, f"{PAGE} has {len(blocks)} blocks of arrows"
    lines = [re.fullmatch(r"(\S+) +-> (\S+(?:, \S+)*)", line) for line in blocks[0].splitlines() if line]
    assert all(lines), "a line of the page is no arrow"
    return {(line[1], target) for line in lines if line for target in line[2].split(", ")}


def within(name: str, room: str) -> bool:
    return name == room or name.startswith(room + "/")


def room_of(module: str, rooms: set[str]) -> str:
    """The smallest room that a module is in; a library is a room of its own."""
    return max((room for room in rooms if within(module, room)), key=len, default=module)


def not_drawn(pairs: set[tuple[str, str]], arrows: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """The imports from one room to another that no arrow allows."""
    rooms = {room for arrow in arrows for room in arrow}
    return {
        (module, found)
        for module, found in pairs
        if room_of(module, rooms) != room_of(found, rooms)
        and not any(within(module, source) and within(found, target) for source, target in arrows)
    }


def test_imports_are_found_wherever_they_stand() -> None:
    text = "import os.path\ndef f():\n    from ..scene import keys, data\n    from .nodes import Node\n    from . import nodes\n    from .. import api\n"
    assert list(imported("session/x", ast.parse(text))) == [
        "os",
        "scene/keys",
        "scene/data/__init__",
        "session/nodes",
        "session/nodes",
        "api",
    ]


def test_an_arrow_allows_its_direction_and_its_rooms_alone() -> None:
    arrows = {("scene", "session"), ("scene/data", "numpy"), ("scene/drawing", "scene/data")}
    allowed = {
        ("scene/drawing/a", "scene/drawing/b"),
        ("scene/drawing/a", "scene/data/b"),
        ("scene/data/a", "session/b"),
        ("scene/data/a", "numpy"),
    }
    forbidden = {
        ("scene/data/a", "scene/drawing/b"),
        ("session/a", "scene/data/b"),
        ("scene/drawing/a", "numpy"),
        ("scene/data/a", "scene/database"),
    }
    assert not_drawn(allowed | forbidden, arrows) == forbidden


def test_every_import_is_an_arrow_of_the_page() -> None:
    found = sorted(f"{module} -> {other}" for module, other in not_drawn(imports(), drawn()))
    assert not found, f"{PAGE.name} does not draw:\n" + "\n".join(found)


def test_the_rooms_of_the_page_exist() -> None:
    names = modules().keys() | {found for _, found in imports()}
    rooms = {room for arrow in drawn() for room in arrow}
    assert not {room for room in rooms if not any(within(name, room) for name in names)}


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for module, other in imports():
        graph.setdefault(module, set()).add(other)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def test_imports_inside_the_package_are_relative() -> None:
    """Blender loads the extension as bl_ext.<repository>.<id>, where no module is called mosaic_addon."""
    assert [module for module, found in imports() if found == build.PACKAGE] == []


# ----------------------------------------------------------------------------------------------------------- sizes


def sizes(path: Path) -> Iterator[tuple[str, str, int]]:
    """What there is in a file: kind, "path" or "path: name", and its lines."""
    text, shown = path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix()
    yield "file", shown, len(text.splitlines())
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            kind = "class" if isinstance(node, ast.ClassDef) else "function"
            yield kind, f"{shown}: {node.name}", node.end_lineno - node.lineno + 1


def test_files_classes_and_functions_stay_small() -> None:
    paths = [ROOT / "build.py", *PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    found = {f"{kind} {name}" for path in paths for kind, name, lines in sizes(path) if lines > MOST_LINES[kind]}
    assert found == MAY_BE_LARGER, f"lines at most: {MOST_LINES}"


def test_only_session_looks_into_nodes() -> None:
    """scene/ asks session/ for values and hands it changes. What it remembers of a file itself, it reads itself."""
    inner = {"put", "drop", "entry", "state_of", "ArrayNode", "CallNode", "DtypeNode"}
    found = {
        f"{module}: {alias.name}"
        for module, tree in modules().items()
        if within(module, "scene")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and "session" in (node.module or "").split(".")
        for alias in node.names
        if alias.name in inner
    }
    found |= {
        f"{module}: {node.func.attr}()"
        for module, tree in modules().items()
        if within(module, "scene") and module != "scene/record"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("fields", "as_dict")
    }
    assert found == set()
