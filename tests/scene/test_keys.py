"""scene/keys.py names every custom property of ours, and says truly who writes and who reads it."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from mosaic_addon.scene import keys, readers

PACKAGE = Path(__file__).resolve().parents[2] / "mosaic_addon"
MODULES = {
    path.relative_to(PACKAGE).with_suffix("").as_posix().removeprefix("scene/"): ast.parse(path.read_text("utf-8"))
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.name != "keys.py"
}
# The names of the constants, by the names of the properties that they hold.
NAMES = {value: name for name, value in vars(keys).items() if name.isupper() and isinstance(value, str)}


def literals(tree: ast.AST) -> Iterator[str]:
    """Texts of a module, those between the braces of an f-string included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize("module", MODULES)
def test_no_other_module_spells_a_name_of_ours(module: str) -> None:
    found = [text for text in literals(MODULES[module]) if text.startswith("mosaic_") and text != "mosaic_addon"]
    assert found == []


def uses(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    """Each use of a constant of keys.py in a module: its name, and whether what it names is written there."""
    names = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[-1] == "keys"
        for alias in node.names
    }
    written: set[int] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(slice=ast.Name() as key, ctx=ast.Store() | ast.Del()):
                written.add(id(key))
            case ast.Call(
                func=ast.Attribute(attr="pop" | "property_overridable_library_set"), args=[ast.Name() as key, *_]
            ):
                written.add(id(key))
            case ast.Call(func=ast.Attribute(value=ast.Name() as key, attr="write" | "copy")):
                written.add(id(key))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in names and isinstance(node.ctx, ast.Load):
            yield names[node.id], id(node) in written


@pytest.mark.parametrize("key", keys.KEYS.values(), ids=str)
def test_who_writes_and_who_reads_a_property(key: keys.Key[object]) -> None:
    found: dict[bool, list[str]] = defaultdict(list)
    for module, tree in MODULES.items():
        for is_written in sorted({is_written for name, is_written in uses(tree) if name == NAMES[key]}):
            found[is_written].append(module)
    assert list(key.writers) == found[True]
    assert list(key.readers) == found[False]
    assert found[True], "nobody writes it"


@pytest.mark.parametrize("module", MODULES)
def test_no_module_reads_a_property_past_its_key(module: str) -> None:
    """`obj[NAME]` and `obj.get(NAME)` give whatever a stranger's .blend holds."""
    ours = {name for name, _ in uses(MODULES[module])}
    nodes = list(ast.walk(MODULES[module]))
    # In `session[SESSION]["file"] = path`, what the inner brackets give is written to.
    written = {id(node.value) for node in nodes if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)}
    past = []
    for node in nodes:
        match node:
            case ast.Subscript(slice=ast.Name(id=name), ctx=ast.Load()) if name in ours and id(node) not in written:
                past.append(ast.unparse(node))
            case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Name(id=name), *_]) if name in ours:
                past.append(ast.unparse(node))
    assert past == []


@pytest.mark.parametrize("module", MODULES)
def test_arrays_of_numbers_are_not_assigned_over_older_ones(module: str) -> None:
    """Blender would write beyond the end of the older one, which ends the program at some later time."""
    of_numbers = {NAMES[key] for key in keys.KEYS.values() if key._reader in (readers.packed, readers.raw_numbers)}
    assert of_numbers == {"RECORD", "THUMBNAIL", "VALUES"}
    assigned = [
        ast.unparse(node)
        for node in ast.walk(MODULES[module])
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)
    ]
    assert not [text for text in assigned if text.partition("[")[2].rstrip("]") in of_numbers]


def test_all_of_them_are_kept_out_of_meta(bpy: ModuleType) -> None:
    from mosaic_addon.scene.data.custom_properties import meta_properties, own_properties

    obj = bpy.data.objects.new("o", None)
    for name in keys.KEYS:
        obj[name] = 1
    obj["mine"] = 2
    assert list(own_properties(obj)) == ["mine"]
    assert not keys.KEYS.keys() & meta_properties(dict.fromkeys(keys.KEYS, 1)).keys()
