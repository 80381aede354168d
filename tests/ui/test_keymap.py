"""The hotkeys: none of them Blender's own, there while the add-on is enabled, gone afterwards."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

MODIFIERS = ("ctrl", "alt", "shift", "oskey", "hyper")


def chord(key: str, **modifiers: bool) -> tuple[str, frozenset[str]]:
    return key, frozenset(name for name in MODIFIERS if modifiers.get(name))


@pytest.fixture
def blenders_keymap(bpy: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module that makes the default keymap of the running Blender, whose background mode loads none."""
    folders = [Path(path, "presets", "keyconfig") for path in bpy.utils.script_paths()]
    monkeypatch.setattr(sys, "path", [*(str(folder) for folder in folders if folder.is_dir()), *sys.path])
    from keymap_data import blender_default  # type: ignore[import-not-found]

    return blender_default


def variants(blenders_keymap: ModuleType) -> Iterator[object]:
    """The default keymap under each of the choices that Blender's preferences offer for it."""
    make = blenders_keymap.Params
    yield make()
    for choices in (
        {"select_mouse": "RIGHT"},
        {"spacebar_action": "TOOL"},
        {"spacebar_action": "SEARCH"},
        {"use_select_all_toggle": True},
        {"use_v3d_tab_menu": True},
        {"use_v3d_shade_ex_pie": True},
        {"use_pie_click_drag": True},
    ):
        yield make(**choices)


def test_no_hotkey_is_one_of_blenders_own(blenders_keymap: ModuleType) -> None:
    from mosaic_addon.ui.keymap import HOTKEYS

    ours = {chord(key, ctrl=ctrl, alt=alt, shift=shift): name for name, (key, ctrl, alt, shift) in HOTKEYS.items()}
    assert len(ours) == len(HOTKEYS), "two hotkeys are the same"
    taken = []
    seen = set()
    for params in variants(blenders_keymap):
        for keymap, place, content in blenders_keymap.generate_keymaps(params):
            if place.get("modal"):  # keys of a tool while it runs, when no hotkey is asked
                continue
            for operator, event, _ in content.get("items", ()):
                press = chord(event["type"], **event)
                seen.add(press)
                if press in ours or (event.get("any") and event["type"] in {key for key, _ in ours}):
                    taken.append(f"{ours.get(press, event['type'])}: {keymap} has {operator} at {event}")
    assert chord("S", ctrl=True) in seen
    assert chord("N") in seen
    assert not taken, "\n".join(taken)


def added(bpy: ModuleType) -> dict[str, tuple[str, frozenset[str]]]:
    return {
        item.idname: chord(item.type, **{name: bool(getattr(item, name, 0)) for name in MODIFIERS})
        for keymap in bpy.context.window_manager.keyconfigs.addon.keymaps
        for item in keymap.keymap_items
        if item.idname.startswith("mosaic.")
    }


def test_hotkeys_come_and_go_with_the_add_on(bpy: ModuleType) -> None:
    import mosaic_addon

    for _ in range(2):
        mosaic_addon.register()
        assert added(bpy) == {
            "mosaic.load_session": chord("O", ctrl=True, alt=True),
            "mosaic.save_session": chord("E", ctrl=True, alt=True),
            "mosaic.save_session_as": chord("E", ctrl=True, alt=True, shift=True),
            "mosaic.search_objects": chord("F", ctrl=True, shift=True),
            "mosaic.toggle_visibility": chord("H", ctrl=True, shift=True),
            "mosaic.isolate": chord("I", ctrl=True, shift=True),
        }
        mosaic_addon.unregister()
        assert added(bpy) == {}


def test_hotkeys_work_in_the_view_and_its_sidebar_only(bpy: ModuleType) -> None:
    import mosaic_addon
    from mosaic_addon.ui import keymap

    mosaic_addon.register()
    places = {(found.name, found.space_type) for found, _ in keymap.items()}
    mosaic_addon.unregister()
    assert places == {("3D View Generic", "VIEW_3D")}
    assert keymap.items() == ()


def test_other_add_ons_hotkeys_in_the_same_keymap_stay(bpy: ModuleType) -> None:
    import mosaic_addon

    mosaic_addon.register()
    keymaps = bpy.context.window_manager.keyconfigs.addon.keymaps
    keymap = keymaps.new("3D View Generic", space_type="VIEW_3D", region_type="WINDOW")
    other = keymap.keymap_items.new("view3d.view_all", "F19", "PRESS")
    mosaic_addon.unregister()
    assert [item.type for item in keymap.keymap_items] == ["F19"]
    keymap.keymap_items.remove(other)


def test_without_a_key_configuration_there_are_none(bpy: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    from mosaic_addon.ui import keymap

    nothing = SimpleNamespace(keyconfigs=SimpleNamespace(addon=None))
    monkeypatch.setattr(keymap, "bpy", SimpleNamespace(context=SimpleNamespace(window_manager=nothing)))
    assert list(keymap.additions()) == []
