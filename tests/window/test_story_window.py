"""A session from its file and back, by keys and mouse alone in a real window, and then in the real Mosaic."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mosaic_addon.session import open_session
from tests.support.make_sessions import cloud, mesh, triangular_mesh, write_session
from tests.support.real_mosaic import RealMosaic
from tests.support.window import Window, assert_quiet

HEIGHT = 800
RED, GREEN, BLUE, VIOLET = (230, 13, 13), (13, 179, 38), (13, 26, 230), (153, 26, 204)
MOSAICS_RED = (204, 51, 51)  # of its palette
GROUP = 57, 152  # where the button is: from the sidebar's left, and below the first row of the list
ARTEFACTS = os.environ.get("MOSAIC_ADDON_PICTURES")  # a folder for the screenshots

PREPARE = """
import importlib, os
def sidebar():
    return next(region for region in view()[1].regions if region.type == "UI")

def show_sidebar():
    view()[1].spaces.active.show_region_ui = True

def browse(path):
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "FILE_BROWSER" and area.spaces.active.params is not None:
                params = area.spaces.active.params
                params.directory = os.path.dirname(path).encode()
                params.filename = os.path.basename(path)
                area.tag_redraw()
                region = next(region for region in area.regions if region.type == "WINDOW")
                return [window.x + region.x + region.width // 2, window.y + region.y + region.height // 2]

def selected():
    return sorted(obj.name for obj in bpy.context.window_manager.windows[0].view_layer.objects if obj.select_get())

def active():
    obj = bpy.context.window_manager.windows[0].view_layer.objects.active
    return obj and obj.name

def hidden():
    layer = bpy.context.window_manager.windows[0].view_layer
    return sorted(obj.name for obj in layer.objects if obj.hide_get(view_layer=layer))

def sessions():
    return [c.name for c in bpy.data.collections if "mosaic_session" in c]

def groups():
    return sorted([c.name, sorted(c.objects.keys())] for c in bpy.data.collections if "mosaic_group" in c)

def color(name):
    inputs = bpy.data.objects[name].material_slots[0].material.node_tree.nodes["Mosaic Surface"].inputs
    return [round(value, 2) for value in inputs["Color"].default_value[:3]]

def counts():
    kinds = ("objects", "meshes", "pointclouds", "materials", "collections", "node_groups", "images", "scenes")
    return {kind: len(getattr(bpy.data, kind)) for kind in kinds}

def unsaved():
    ui = importlib.import_module("bl_ext.user_default.mosaic.ui.session.unsaved")
    return [c.name for c in bpy.data.collections if "mosaic_session" in c and ui.is_unsaved(c)]
"""


def write_story(path: Path) -> Path:
    def points(place: float) -> np.ndarray:
        return (np.random.default_rng(1).random((60, 3)) * 100 + (place, 0, 0)).astype(np.float32)

    clouds = [
        cloud(name, points=points(place), appearance={"size": 30, "base_color": tuple(c / 255 for c in color)})
        for name, place, color in (("red", -300, RED), ("green", 0, GREEN), ("violet", 300, VIOLET))
    ]
    blue = mesh("blue", 30, model=triangular_mesh(30), appearance={"base_color": tuple(c / 255 for c in BLUE)})
    return write_session(path, clouds, [blue])


def run(window: Window, text: str) -> None:
    """Statements in Blender, whose names stay."""
    assert window.do(f"exec({text!r}, globals())") is None


def settle(window: Window) -> None:
    """Until Blender has seen all that was pressed: it answers after that."""
    window.do("0")


def move(window: Window, x: float, y: float) -> None:
    for across in (int(x), int(x) + 1):
        window.press("mousemove", across, int(y))
        settle(window)


def press(window: Window, key: str) -> None:
    window.press("key", key)
    settle(window)


def click(window: Window, place: tuple[float, float], *keys: str, times: int = 1) -> None:
    move(window, *place)
    for key in keys:
        window.press("keydown", key)
        settle(window)
    window.press("click", "--repeat", times, "--delay", "60", "1")
    settle(window)
    for key in keys:
        window.press("keyup", key)
    settle(window)


def keep_picture(window: Window, name: str) -> None:
    window.picture(name)
    if ARTEFACTS:
        Path(ARTEFACTS).mkdir(parents=True, exist_ok=True)
        shutil.copy(window.folder / f"{name}.png", Path(ARTEFACTS) / f"{name}.png")


def swatch(window: Window, color: tuple[int, int, int]) -> tuple[float, float]:
    """The middle of the browser's swatch of a colour, the highest in the sidebar."""
    x, y, width, height = window.do("[sidebar().x, sidebar().y, sidebar().width, sidebar().height]")
    end = time.monotonic() + 20
    while True:
        above = HEIGHT - y - height
        picture = (window.picture("found")[above : HEIGHT - y, x : x + width] * 255).round()
        found = np.argwhere(np.abs(picture - color).max(axis=-1) <= 3)
        if len(found):
            top = found[:, 0].min()
            first = found[found[:, 0] < top + 18]
            return float(first[:, 1].mean() + x), float(first[:, 0].mean() + above)
        assert time.monotonic() < end, f"nothing of the colour {color} in the sidebar:\n{window.log()}"
        time.sleep(0.3)


def row(window: Window, color: tuple[int, int, int]) -> tuple[float, float]:
    """Where the name of the object with this swatch is."""
    x, y = swatch(window, color)
    return x - 90, y


def eye(window: Window, color: tuple[int, int, int]) -> tuple[float, float]:
    x, y = swatch(window, color)
    return x + 20, y


@dataclass(frozen=True)
class Story:
    """A window, the session in it, and where the mouse is over the view."""

    window: Window
    path: Path
    over_view: tuple[float, float]

    def key(self, keys: str) -> None:
        """Press keys over the view."""
        move(self.window, *self.over_view)
        press(self.window, keys)

    def counts(self) -> dict[str, int]:
        return self.window.do("counts()")

    def color(self) -> list[float]:
        return self.window.do("color('blue')")


def test_a_session_from_its_file_and_back_by_keys_and_mouse(window: Window, mosaic_python: str) -> None:
    middle = window.wait_for("ready.done")
    run(window, PREPARE)
    story = Story(window, write_story(window.folder / "story.pickle"), (middle[0], HEIGHT - middle[1]))
    load_and_undo(story)
    select(story)
    hide_by_hotkey_and_eye(story)
    rename(story)
    name = group(story)
    before = recolour(story)
    search(story)
    counted = save(story)
    undo_the_save(story, before, counted)
    keep_changes_from_a_load(story)
    assert_quiet(window)

    session = open_session(story.path)
    assert [geometry.name for geometry in session.geometries] == ["Envelope", "green", "violet", "blue"]
    assert [(group.name, [member.name for member in group.geometries]) for group in session.clusters.groups] == [
        (name, ["Envelope", "violet"])
    ]
    assert [geometry.visible for geometry in session.geometries] == [True, False, True, True]
    assert np.allclose(session.models[0].appearance.base_color, (0.8, 0.2, 0.2), atol=2e-3)
    with RealMosaic(mosaic_python) as mosaic:
        seen = mosaic.load(story.path)
    assert [geometry["name"] for geometry in seen["geometries"]] == ["Envelope", "green", "violet", "blue"]


def load_and_undo(story: Story) -> None:
    """Undo and redo of the import leave nothing that was not there."""
    window = story.window
    window.do("show_sidebar()")
    time.sleep(1)
    window.do("setattr(sidebar(), 'active_panel_category', 'Mosaic')")
    empty = story.counts()
    keep_picture(window, "empty")
    story.key("ctrl+alt+o")
    window.until("browsing()", "MOSAIC_OT_load_session")
    time.sleep(1)
    place = window.do(f"browse({str(story.path)!r})")
    time.sleep(0.5)
    move(window, place[0], HEIGHT - place[1])
    keep_picture(window, "browsing")
    press(window, "Return")
    window.until("sessions()", ["story"])
    loaded = story.counts()
    keep_picture(window, "loaded")
    story.key("ctrl+z")
    window.until("sessions()", [])
    assert story.counts() == empty
    press(window, "ctrl+shift+z")
    window.until("sessions()", ["story"])
    assert story.counts() == loaded


def select(story: Story) -> None:
    window = story.window
    click(window, row(window, RED))
    window.until("[selected(), active()]", [["red"], "red"])
    click(window, row(window, VIOLET), "ctrl")
    window.until("[selected(), active()]", [["red", "violet"], "violet"])
    click(window, row(window, RED))
    click(window, row(window, VIOLET), "shift")
    window.until("selected()", ["green", "red", "violet"])
    keep_picture(window, "selected")


def hide_by_hotkey_and_eye(story: Story) -> None:
    window = story.window
    click(window, row(window, GREEN))
    window.until("selected()", ["green"])
    story.key("ctrl+shift+h")
    window.until("hidden()", ["green"])
    click(window, eye(window, VIOLET))
    window.until("hidden()", ["green", "violet"])
    story.key("ctrl+z")
    window.until("hidden()", ["green"])


def rename(story: Story) -> None:
    window = story.window
    click(window, row(window, RED), times=2)
    time.sleep(1)
    press(window, "ctrl+a")
    window.press("type", "--delay", "60", "Envelope")
    press(window, "Return")
    window.until("'Envelope' in bpy.data.objects", True)
    keep_picture(window, "renamed")
    move(window, *story.over_view)
    time.sleep(0.5)


def group(story: Story) -> str:
    window = story.window
    click(window, row(window, RED))
    click(window, row(window, VIOLET), "ctrl")
    window.until("selected()", ["Envelope", "violet"])
    click(window, (window.do("sidebar().x") + GROUP[0], swatch(window, RED)[1] + GROUP[1]))
    window.until("len(groups())", 1)
    name: str = window.do("groups()")[0][0]
    window.until("groups()", [[name, ["Envelope", "violet"]]])
    keep_picture(window, "grouped")
    move(window, *story.over_view)
    time.sleep(0.5)
    return name


def recolour(story: Story) -> list[float]:
    """By Mosaic's palette, then undo and redo. Returns the colour before."""
    window = story.window
    click(window, row(window, BLUE))
    window.until("selected()", ["blue"])
    before = story.color()
    move(window, *row(window, BLUE))
    move(window, row(window, BLUE)[0], HEIGHT - 100)  # over the panel below the list
    for _ in range(12):
        window.press("click", "5")
    settle(window)
    click(window, swatch(window, MOSAICS_RED))
    window.until("color('blue') != " + repr(before), True)
    recoloured = story.color()
    story.key("ctrl+z")
    window.until("color('blue')", before)
    press(window, "ctrl+shift+z")
    window.until("color('blue')", recoloured)
    keep_picture(window, "recoloured")
    return before


def search(story: Story) -> None:
    window = story.window
    story.key("ctrl+shift+f")
    time.sleep(1)
    window.press("type", "--delay", "60", "viol")
    time.sleep(1)
    assert window.do("bpy.context.window_manager.mosaic_browser.search") == "viol"
    press(window, "Return")
    window.until("selected()", ["violet"])
    keep_picture(window, "searched")


def save(story: Story) -> dict[str, int]:
    window, path = story.window, story.path
    window.until("unsaved()", ["story"])
    counted = story.counts()
    original = path.read_bytes()
    story.key("ctrl+alt+e")
    end = time.monotonic() + 30
    while path.read_bytes() == original:
        assert time.monotonic() < end, f"nothing was saved:\n{window.log()}"
        time.sleep(0.3)
    window.until("unsaved()", [])
    assert story.counts() == counted
    assert path.with_name("story.pickle.bak").read_bytes() == original
    keep_picture(window, "saved")
    return counted


def undo_the_save(story: Story, before: list[float], counted: dict[str, int]) -> None:
    """An undo after the save is a change that the file has not."""
    press(story.window, "ctrl+z")  # the selection of what the search has found
    story.window.until("selected()", ["blue"])
    press(story.window, "ctrl+z")
    story.window.until("color('blue')", before)
    story.window.until("unsaved()", ["story"])
    assert story.counts() == counted
    press(story.window, "ctrl+shift+z")
    story.window.until("unsaved()", [])
    press(story.window, "ctrl+shift+z")
    story.window.until("unsaved()", [])


def keep_changes_from_a_load(story: Story) -> None:
    """A load asks before it loses changes; Esc keeps them."""
    window = story.window
    click(window, eye(window, VIOLET))
    window.until("hidden()", ["green", "violet"])
    story.key("ctrl+alt+o")
    time.sleep(1.5)
    keep_picture(window, "asks")
    assert window.do("browsing()") is None
    press(window, "Escape")
    time.sleep(0.5)
    assert window.do("sessions()") == ["story"]
