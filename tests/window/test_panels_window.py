"""The panels in a real window: drawn for every kind of object, used with the mouse, undone with Ctrl+Z; hotkeys."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.window import OPEN, Window, assert_quiet

FOLDER = Path(__file__).parents[1] / "sessions"
HEIGHT = 800
ADDON = "bl_ext.user_default.mosaic"
ROW = 22  # pixels from one row of a panel to the next

# The browser's panel and the other closed ones would be in the way of a test that finds buttons by their colours.
PREPARE = f"""
import importlib, time
import bpy
ui = importlib.import_module("{ADDON}.ui.registration")
panels = [c for c in ui.CLASSES if issubclass(c, bpy.types.Panel) and getattr(c, "bl_category", "") == "Mosaic"]
ours = [c for c in panels if c.__module__.endswith((".properties.panel", ".properties.information"))]
for c in reversed(panels):
    bpy.utils.unregister_class(c)
for c in ours:
    c.bl_options = set()
    bpy.utils.register_class(c)

def pick(*names):
    layer = bpy.context.window_manager.windows[0].view_layer
    for obj in layer.objects:
        obj.select_set(obj.name in names)
    layer.objects.active = layer.objects[names[0]] if names else None

def sidebar():
    return next(region for region in view()[1].regions if region.type == "UI")

def show_sidebar():
    view()[1].spaces.active.show_region_ui = True

def numbers(name):
    obj = bpy.data.objects[name]
    inputs = obj.material_slots[0].material.node_tree.nodes["Mosaic Surface"].inputs
    color = [round(value, 3) for value in inputs["Color"].default_value[:3]]
    return [round(inputs["Opacity"].default_value, 2), color, bpy.context.scene.mosaic_properties.representation]

def roots():
    return sum("mosaic_pixel_size" in obj for obj in bpy.data.objects)

def root_scale():
    return round(max(obj.scale.x for obj in bpy.data.objects if "mosaic_pixel_size" in obj), 6)

def redraw():
    window, area, region = view()
    with bpy.context.temp_override(window=window, area=area, region=region):
        for other in area.regions:
            other.tag_redraw()
        bpy.ops.wm.redraw_timer(type="DRAW_WIN_SWAP", iterations=1)
"""


def prepared(window: Window) -> list[int]:
    """The session is open, and only the tested panels are in the sidebar, all unfolded. Returns the view's middle."""
    middle: list[int] = window.wait_for("ready.done")
    assert window.do(OPEN)
    window.until("{'red cloud', 'blue mesh'} <= set(bpy.data.objects.keys())", True)
    run(window, PREPARE)
    window.do("show_sidebar()")
    time.sleep(1)
    window.do("setattr(sidebar(), 'active_panel_category', 'Mosaic')")
    return [middle[0], HEIGHT - middle[1]]


def run(window: Window, text: str) -> None:
    """Statements in Blender, whose names stay."""
    assert window.do(f"exec({text!r}, globals())") is None, window.log()


def pixels_of(window: Window, color: tuple[int, int, int]) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom of all pixels of a colour in the sidebar."""
    x, y, width, height = window.do("[sidebar().x, sidebar().y, sidebar().width, sidebar().height]")
    above = HEIGHT - y - height
    picture = (window.picture("found")[above : HEIGHT - y, x : x + width] * 255).round()
    found = np.argwhere(np.abs(picture - color).max(axis=-1) <= 2)
    if not len(found):
        return None
    (top, left), (bottom, right) = found.min(axis=0), found.max(axis=0)
    return int(left + x), int(top + above), int(right + x), int(bottom + above)


SLIDER = (71, 114, 179)  # of Blender's dark theme
RED = (204, 51, 51)


def wait_for_pixels(window: Window, color: tuple[int, int, int]) -> tuple[int, int, int, int]:
    end = time.monotonic() + 20
    while (found := pixels_of(window, color)) is None:
        assert time.monotonic() < end, f"nothing of the colour {color} in the sidebar:\n{window.log()}"
        time.sleep(0.3)
    return found


def click(window: Window, x: int, y: int) -> None:
    move(window, x, y)
    window.press("click", "1")
    time.sleep(0.5)


def repeat(window: Window, action: Callable[[], None], expression: str, expected: Any) -> None:
    """Do something with the mouse until it has its effect: a busy machine may draw a button later than it is clicked."""
    for _ in range(5):
        action()
        end = time.monotonic() + 4
        while time.monotonic() < end:
            if window.do(expression) == expected:
                return
            time.sleep(0.2)
    window.until(expression, expected)


def move(window: Window, x: int, y: int) -> None:
    window.press("mousemove", x, y)
    time.sleep(0.3)
    window.press("mousemove", x + 1, y)
    time.sleep(0.3)


def undo(window: Window, middle: list[int], key: str = "ctrl+z") -> None:
    move(window, *middle)
    window.press("key", key)
    time.sleep(0.5)


def test_edits_go_to_all_selected_ones_and_each_is_one_step_to_undo(window: Window) -> None:
    middle = prepared(window)
    window.do("pick('red cloud', 'blue mesh')")
    window.do("undo('undo_push', message='selected')")
    before = window.do("[numbers('red cloud'), numbers('blue mesh')]")
    assert before[0][0] == before[1][0] == 1

    window.do(
        "setattr(view()[1].spaces.active.overlay, 'show_outline_selected', False) or redraw()"
    )  # as blue as sliders
    time.sleep(1)
    _, top, right, _ = wait_for_pixels(window, SLIDER)  # the opacity, full
    row = top + ROW // 2  # the other sliders are below it

    def drag_opacity() -> None:
        move(window, right - 5, row)
        window.press("mousedown", "1")
        time.sleep(0.3)
        for _ in range(6):
            window.press("mousemove_relative", "--", "-8", "0")
            time.sleep(0.2)
        window.press("mouseup", "1")

    def turn_representation() -> None:
        move(window, right - 40, row - 2 * ROW)
        window.press("keydown", "ctrl")
        window.press("click", "5")
        window.press("keyup", "ctrl")

    repeat(window, drag_opacity, "numbers('red cloud')[0] < 1", True)
    time.sleep(1)  # until Blender has taken all of the mouse's way
    dragged = window.do("[numbers('red cloud'), numbers('blue mesh')]")
    assert dragged[0][0] == dragged[1][0]
    left, top, right_of_red, bottom = wait_for_pixels(window, RED)  # Mosaic's red among the swatches
    red = (left + right_of_red) // 2, (top + bottom) // 2
    repeat(window, lambda: click(window, *red), "numbers('red cloud')[1]", [0.604, 0.033, 0.033])
    assert window.do("numbers('blue mesh')[1]") == [0.604, 0.033, 0.033]
    repeat(window, turn_representation, "numbers('red cloud')[2]", "gaussian_density")
    changed = window.do("[numbers('red cloud'), numbers('blue mesh')]")

    undo(window, middle)
    window.until("numbers('red cloud')[1:]", [[0.604, 0.033, 0.033], "pointcloud"])
    undo(window, middle)
    window.until("[numbers('red cloud'), numbers('blue mesh')]", dragged)
    undo(window, middle)
    window.until("[numbers('red cloud'), numbers('blue mesh')]", before)
    for _ in range(3):
        undo(window, middle, "ctrl+shift+z")
    window.until("[numbers('red cloud'), numbers('blue mesh')]", changed)

    both = "[numbers('red cloud'), numbers('blue mesh')]"
    repeat(window, lambda: click(window, red[0], red[1] + 4 * ROW + 4), both, before)  # Reset to File
    undo(window, middle)
    window.until("[numbers('red cloud'), numbers('blue mesh')]", changed)
    assert_quiet(window)


def test_every_panel_is_drawn_for_every_kind_of_object(window: Window) -> None:
    prepared(window)
    window.do(f"bpy.ops.mosaic.load_session(filepath={str(FOLDER / 'mosaic-1.3.2.pickle')!r}) and None")
    run(window, TIMED)
    names = window.do("[obj.name for obj in bpy.data.objects if 'mosaic_class' in obj]")
    assert len(names) == 42
    for name in names:
        window.do(f"pick({name!r}) or redraw()")
    membrane = "setattr(bpy.context.scene.mosaic_properties, 'representation', 'membrane_surface')"
    window.do(f"pick('gaussian') or {membrane} or redraw()")
    milliseconds = window.do("{name: 1000 * sorted(times)[len(times) // 2] for name, times in took.items()}")
    assert set(milliseconds) == set(window.do("[c.__name__ for c in ours]")), "a panel was never drawn"
    print(milliseconds)
    window.do("pick() or redraw()")
    assert_quiet(window)


TIMED = """
took = {}
def timed(draw, name):
    def timed_draw(self, context):
        start = time.perf_counter()
        draw(self, context)
        took.setdefault(name, []).append(time.perf_counter() - start)
    return timed_draw
for c in reversed(ours):
    bpy.utils.unregister_class(c)
for c in ours:
    c.draw = timed(c.draw, c.__name__)
    bpy.utils.register_class(c)
redraw()
"""


@pytest.mark.parametrize("place", ["view", "sidebar"])
def test_a_hotkey_works_over_the_view_and_its_sidebar(window: Window, place: str) -> None:
    middle = prepared(window)
    if place == "sidebar":
        x, width = window.do("[sidebar().x, sidebar().width]")
        middle = [x + width // 2, middle[1]]
    move(window, *middle)
    window.press("key", "ctrl+alt+o")
    window.until("browsing()", "MOSAIC_OT_load_session")
    assert_quiet(window)


def test_no_keymap_of_the_window_has_one_of_the_hotkeys(window: Window) -> None:
    prepared(window)
    run(window, TAKEN)
    assert window.do("taken('default')") == []
    assert window.do("len(bpy.context.window_manager.keyconfigs.default.keymaps['3D View'].keymap_items)") > 50
    assert len(window.do("taken('user', ours=True)")) == 6


TAKEN = f"""
def chord(item):
    return item.type, bool(item.ctrl), bool(item.alt), bool(item.shift), bool(item.oskey)

def taken(configuration, ours=False):
    hotkeys = {{chord(item) for _, item in importlib.import_module("{ADDON}.ui.keymap").items()}}
    keymaps = getattr(bpy.context.window_manager.keyconfigs, configuration).keymaps
    return [
        f"{{keymap.name}}: {{item.idname}} {{chord(item)}}"
        for keymap in keymaps
        if not keymap.is_modal
        for item in keymap.keymap_items
        if chord(item) in hotkeys and item.idname.startswith("mosaic.") == ours
    ]
"""


def test_what_a_user_starts_goes_by_the_preferences(window: Window) -> None:
    prepared(window)
    run(window, f"preferred = bpy.context.preferences.addons[{ADDON!r}].preferences")
    assert window.do("root_scale()") == 0.001
    window.do("setattr(preferred, 'scale', '1NM')")
    window.do("bpy.ops.mosaic.load_session('INVOKE_DEFAULT', True, filepath=session) and None")
    window.until("root_scale()", 0.1)
    window.do("setattr(preferred, 'scale', 'CUSTOM') or setattr(preferred, 'angstrom_per_unit', 1.0)")
    arguments = "filepath=session, scale='1NM'"
    window.do(f"bpy.ops.mosaic.load_session('INVOKE_DEFAULT', True, {arguments}) and None")
    window.until("[root_scale(), roots()]", [0.1, 3])  # what the call says goes before the preferences
    window.do("bpy.ops.mosaic.load_session('INVOKE_DEFAULT', True, filepath=session) and None")
    window.until("[root_scale(), roots()]", [1, 4])
    assert_quiet(window)


def test_the_preferences_draw_their_hotkeys(window: Window) -> None:
    prepared(window)
    run(window, SHOW_PREFERENCES)
    window.do("show_preferences()")
    window.until("drawn", ["mosaic.load_session", "mosaic.save_session", "mosaic.save_session_as",
                           "mosaic.search_objects", "mosaic.toggle_visibility", "mosaic.isolate"])  # fmt: skip
    assert_quiet(window)


SHOW_PREFERENCES = f"""
import rna_keymap_ui
drawn = []
draw_kmi = rna_keymap_ui.draw_kmi
def noted(names, configuration, keymap, item, *rest):
    draw_kmi(names, configuration, keymap, item, *rest)
    if item.idname not in drawn:
        drawn.append(item.idname)
rna_keymap_ui.draw_kmi = noted

def show_preferences():
    window, area, region = view()
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.preferences.addon_show(module={ADDON!r})
"""
