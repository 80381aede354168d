"""The extension in Blender: registering adds everything or nothing, and unregistering leaves nothing behind."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest

KEPT = (bool, int, float, str, tuple, list, set, dict, type(None))


class Broken(Exception):
    """Nothing of ours or of Blender's."""


class Foreground:
    """bpy as it is with a window."""

    background = False

    def __init__(self, module: Any) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return Foreground(self._module.app) if name == "app" else getattr(self._module, name)


@pytest.fixture
def commands(bpy: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The commands of `blender -c` that were added and not taken back; the extension believes it has a window."""
    from mosaic_addon.ui.session import unsaved

    found: list[object] = []
    register, unregister = bpy.utils.register_cli_command, bpy.utils.unregister_cli_command

    def add(*arguments: Any) -> object:
        found.append(register(*arguments))
        return found[-1]

    def remove(command: object) -> None:
        unregister(command)
        found.remove(command)

    monkeypatch.setattr(bpy.utils, "register_cli_command", add)
    monkeypatch.setattr(bpy.utils, "unregister_cli_command", remove)
    monkeypatch.setattr(unsaved, "bpy", Foreground(bpy))
    return found


def state(bpy: ModuleType, commands: list[object]) -> dict[str, Any]:
    """All that an extension can leave in Blender, and what its modules remember."""
    import bpy.utils.previews

    from mosaic_addon.ui.session import unsaved

    menus = {
        name: len(added) - 1  # the first is the menu's own
        for name in dir(bpy.types)
        if (added := getattr(getattr(getattr(bpy.types, name), "draw", None), "_draw_funcs", None)) and len(added) > 1
    }
    events = [name for name in dir(bpy.app.handlers) if isinstance(getattr(bpy.app.handlers, name), list)]
    keymaps = bpy.context.window_manager.keyconfigs.addon.keymaps
    owners = [bpy.types.WindowManager, *bpy.types.ID.__subclasses__()]
    return {
        "types": sorted(name for name in dir(bpy.types) if "mosaic" in name.lower()),
        "operators": sorted(dir(bpy.ops.mosaic)),
        "properties": [(owner.__name__, name) for owner in owners for name in dir(owner) if "mosaic" in name],
        "menus": menus,
        "handlers": {name: list(getattr(bpy.app.handlers, name)) for name in events},
        "timer": bpy.app.timers.is_registered(unsaved._find_out),
        # An empty keymap stays, as others may use it.
        "keys": [(keymap.name, len(keymap.keymap_items)) for keymap in keymaps if len(keymap.keymap_items)],
        "previews": len(bpy.utils.previews._uuid_open),
        "commands": len(commands),
        "add-ons": sorted(bpy.context.preferences.addons.keys()),
        "variables": remembered(),
    }


@pytest.fixture
def before(bpy: ModuleType, commands: list[object]) -> dict[str, Any]:
    found = state(bpy, commands)
    assert (found["types"], found["properties"], found["commands"], found["timer"]) == ([], [], 0, False)
    return found


def variables() -> Iterator[tuple[ModuleType, str]]:
    """The variables of the interface's modules; what is written in capitals stays as it is."""
    import mosaic_addon.ui
    from mosaic_addon.scene.drawing import facts

    for found in pkgutil.walk_packages(mosaic_addon.ui.__path__, f"{mosaic_addon.ui.__name__}."):
        module = import_module(found.name)
        for name, value in vars(module).items():
            if not name.startswith("__") and name.islower() and isinstance(value, KEPT):
                yield module, name
    yield facts, "_known"


def remembered() -> dict[str, str]:
    return {f"{module.__name__}.{name}": repr(vars(module)[name]) for module, name in variables()}


def fill_variables(before: dict[str, str]) -> None:
    """Put something into each variable that registering has not changed."""
    for module, name in variables():
        value = vars(module)[name]
        if repr(value) != before[f"{module.__name__}.{name}"]:
            continue
        if isinstance(value, dict):
            value[1] = None
        elif isinstance(value, list):
            value.append(None)
        elif isinstance(value, set):
            value.add(1)
        else:
            setattr(module, name, "something")


def stack_that(enter: Callable[[int], None]) -> type[ExitStack]:
    """A stack that calls a function with the number of each step before it does the step."""

    class Stack(ExitStack):
        def enter_context(self, manager: AbstractContextManager[Any]) -> Any:
            self.number = getattr(self, "number", -1) + 1
            enter(self.number)
            return super().enter_context(manager)

    return Stack


def test_registering_and_back_leaves_nothing(
    bpy: ModuleType, commands: list[object], before: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    import mosaic_addon

    for _ in range(2):
        mosaic_addon.register()
        during = state(bpy, commands)
        assert "load_session" in during["operators"]
        assert "MOSAIC_OT_load_session" in during["types"]
        count = before["menus"].get("TOPBAR_MT_file_import", 0)
        assert during["menus"]["TOPBAR_MT_file_import"] == count + 2  # sessions and tomograms
        assert [name for name in before if name != "add-ons" and during[name] == before[name]] == []
        fill_variables(before["variables"])
        assert [name for name, value in remembered().items() if value == before["variables"][name]] == []
        mosaic_addon.unregister()
        assert state(bpy, commands) == before
    out, err = capfd.readouterr()
    assert "rror" not in out + err


def test_registering_that_fails_at_any_step_leaves_nothing(
    bpy: ModuleType, commands: list[object], before: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import mosaic_addon
    from mosaic_addon.ui import registration

    steps: list[int] = []
    monkeypatch.setattr(registration, "ExitStack", stack_that(steps.append))
    mosaic_addon.register()
    mosaic_addon.unregister()
    assert len(steps) > 80

    for failing in steps:

        def fail(number: int, failing: int = failing) -> None:
            if number == failing:
                raise Broken

        monkeypatch.setattr(registration, "ExitStack", stack_that(fail))
        with pytest.raises(Broken):
            mosaic_addon.register()
        assert state(bpy, commands) == before, f"step {failing}"
        mosaic_addon.unregister()  # of nothing
    monkeypatch.setattr(registration, "ExitStack", ExitStack)
    mosaic_addon.register()
    assert "load_session" in state(bpy, commands)["operators"]
    mosaic_addon.unregister()
    assert state(bpy, commands) == before


BREAK = {
    "a class": ("registration", "CLASSES", (type("NoOperator", (), {}),)),
    "a hotkey": ("keymap", "HOTKEYS", {"mosaic.isolate": ("NO_KEY", True, False, False)}),
    "an icon": ("properties.swatches", "COLORS", {"Grey": (0.7, 0.7, 0.7), "None": "no colour"}),
    "a handler": ("session.unsaved", "HANDLERS", (("undo_post", print), ("no_such_event", print))),
}


@pytest.mark.parametrize("what", BREAK)
def test_what_blender_refuses_leaves_nothing(
    bpy: ModuleType, commands: list[object], before: dict[str, Any], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    import mosaic_addon

    name, variable, value = BREAK[what]
    module = import_module(f"mosaic_addon.ui.{name}")
    if what == "a class":
        value = (*getattr(module, variable), *value)
    with monkeypatch.context() as patch:
        patch.setattr(module, variable, value)
        with pytest.raises((RuntimeError, ValueError, TypeError, AttributeError)):
            mosaic_addon.register()
    assert state(bpy, commands) == before
    mosaic_addon.register()
    mosaic_addon.unregister()
    assert state(bpy, commands) == before
