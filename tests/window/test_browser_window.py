"""The browser in a real window: clicks, double-click, typing, eyes, menu and buttons, each undone with Ctrl+Z."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.make_sessions import cloud, tree, write_session
from tests.support.window import Window, assert_quiet

HEIGHT = 800
ADDON = "bl_ext.user_default.mosaic"
# Where things are in the panel, in pixels from the sidebar's left and top; the rows of the list follow each other.
FIRST_ROW, ROW, SEARCH = 77, 20.9, 47
NAME, EYE = 90, -58  # the eye from the right
BUTTONS = {
    "Isolate": (75, 246), "Show All": (190, 246),
    "Group": (64, 272), "Ungroup": (134, 272), "Up": (194, 272), "Down": (215, 272), "Remove": (243, 272),
}  # fmt: skip

# Other panels would move this one about.
PREPARE = f"""
import importlib, sys, time
import bpy
ui = importlib.import_module("{ADDON}.ui.registration")
tree = importlib.import_module("{ADDON}.scene.outline.tree")
for c in reversed(ui.CLASSES):
    if issubclass(c, bpy.types.Panel) and getattr(c, "bl_category", "") == "Mosaic" and c.__name__ != "MOSAIC_PT_objects":
        bpy.utils.unregister_class(c)

def sidebar():
    return next(region for region in view()[1].regions if region.type == "UI")

def show_sidebar():
    view()[1].spaces.active.show_region_ui = True

def redraw():
    for region in view()[1].regions:
        region.tag_redraw()

def selected():
    layer = view()[0].view_layer
    return [sorted(obj.name for obj in layer.objects.selected), layer.objects.active and layer.objects.active.name]

def pick(*names):
    layer = view()[0].view_layer
    for obj in layer.objects:
        obj.select_set(obj.name in names)
    if names:
        layer.objects.active = layer.objects[names[0]]
    undo("undo_push", message="pick")
    redraw()

def shown():
    return sorted(t.name for t in bpy.data.objects if "mosaic_class" in t and not t.hide_get() and not t.hide_render)

def rows():
    container = tree.container_of(tree.sessions_in(view()[0].scene)[0], "clusters")
    return [
        tree.name_of(i) if i.name in bpy.data.objects else [tree.name_of(i), *map(tree.name_of, tree.members_of(i))]
        for i in tree.items_of(container)
    ]

def act(name, **arguments):
    window, area, region = view()
    with bpy.context.temp_override(window=window, area=area, region=region):
        getattr(bpy.ops.mosaic, name)("EXEC_DEFAULT", True, **arguments)

def load(path):
    act("load_session", filepath=path)
    pick()

draws = []
def measure():
    panel = bpy.types.MOSAIC_PT_objects
    draw = panel.draw
    def measured(self, context):
        calls = 0
        def count(frame, event, argument):
            nonlocal calls
            calls += event.endswith("call")
        start = time.thread_time()
        if len(draws) % 2:
            sys.setprofile(count)
        try:
            draw(self, context)
        finally:
            sys.setprofile(None)
        draws.append(calls or time.thread_time() - start)
    panel.draw = measured
"""


class Browser:
    """The panel, with its session open."""

    def __init__(self, window: Window, path: Path) -> None:
        self.window = window
        window.wait_for("ready.done")
        assert window.do(f"exec({PREPARE!r}, globals())") is None
        window.do(f"load({str(path)!r})")
        window.do("show_sidebar()")
        time.sleep(1)
        window.do("setattr(sidebar(), 'active_panel_category', 'Mosaic')")
        window.do("redraw()")
        time.sleep(1)
        self.left, bottom, width, height = window.do("[sidebar().x, sidebar().y, sidebar().width, sidebar().height]")
        self.top, self.right = HEIGHT - bottom - height, self.left + width

    def point(self, x: float, y: float) -> tuple[int, int]:
        return round(self.left + x if x > 0 else self.right + x), round(self.top + y)

    def row(self, number: int, x: float = NAME) -> tuple[int, int]:
        return self.point(x, FIRST_ROW + number * ROW)

    def move(self, place: tuple[int, int]) -> None:
        """Over a few pixels, so that the button below notices."""
        for x in (place[0] - 4, place[0]):
            self.window.press("mousemove", x, place[1])
            time.sleep(0.4)

    def click(self, place: tuple[int, int], *options: str, button: str = "1") -> None:
        self.move(place)
        self.window.press("click", *options, button)
        time.sleep(0.6)

    def key(self, *keys: str) -> None:
        """Press keys over the view."""
        self.move((self.left - 300, self.top + 300))
        self.window.press("key", *keys)
        time.sleep(0.6)

    def undo(self) -> None:
        self.key("ctrl+z")

    def until(self, expression: str, expected: Any) -> None:
        self.window.until(expression, expected, 15)

    def use(self, place: tuple[int, int], expression: str, expected: Any, key: str = "") -> None:
        """Click, with a key held, until it has an effect, which must be the expected one.

        A Blender that is busy drawing loses clicks, and takes the keys for those that are held when it gets to a click.
        """
        before = self.window.do(expression)
        if key:
            self.window.press("keydown", key)
        for _ in range(3):
            self.click(place)
            end = time.monotonic() + 6
            while (value := self.window.do(expression)) == before and time.monotonic() < end:
                time.sleep(0.2)
            if value != before:
                break
        if key:
            self.window.press("keyup", key)
            time.sleep(1)
        self.until(expression, expected)


NAMES = ["four", "one", "three", "two"]
ROWS = ["one", ["Pair", "two", "three"], "four"]  # below the heading of the clusters


@pytest.fixture
def browser(window: Window, tmp_path: Path) -> Browser:
    clusters = [cloud(name, 30) for name in ("one", "two", "three", "four")]
    ids = [vars(item)["uuid"] for item in clusters]
    groups = tree([ids[0], "G", ids[3]], {"G": ids[1:3]}, {"G": "Pair"})
    return Browser(window, write_session(tmp_path / "browser.pickle", clusters, _data_tree=groups))


def is_blue(browser: Browser, row: int) -> bool:
    """Whether a row looks selected."""
    x, y = browser.row(row)
    red, _, blue = browser.window.picture("rows")[y - 6 : y + 6, x + 40 : x + 70].mean(axis=(0, 1))
    return bool(blue > red + 0.2)


def test_clicks_select_and_a_double_click_renames(browser: Browser) -> None:
    browser.use(browser.row(1), "selected()", [["one"], "one"])
    browser.use(browser.row(5), "selected()", [["four", "one"], "four"], key="ctrl")
    browser.use(browser.row(3), "selected()", [["four", "three", "two"], "four"], key="shift")
    browser.use(browser.row(2), "selected()", [["three", "two"], "two"])
    browser.use(browser.row(3), "selected()", [["three"], "two"], key="ctrl")
    browser.undo()
    browser.until("selected()", [["three", "two"], "two"])

    browser.window.do("pick('four', 'one')")
    time.sleep(1)
    assert [is_blue(browser, row) for row in range(1, 6)] == [True, False, False, False, True]

    browser.click(browser.row(4), "--repeat", "2", "--delay", "100")
    time.sleep(1.5)
    browser.window.press("type", "renamed")
    browser.window.press("key", "Return")
    browser.until("rows()", ["one", ["Pair", "two", "renamed"], "four"])
    browser.undo()
    browser.until("rows()", ROWS)
    assert_quiet(browser.window)


def test_eyes_search_and_menu(browser: Browser) -> None:
    browser.use(browser.row(1, EYE), "shown()", ["four", "three", "two"])
    browser.use(browser.row(2, EYE), "shown()", ["four"])
    browser.undo()
    browser.undo()
    browser.until("shown()", NAMES)

    browser.click(browser.point(120, SEARCH))
    browser.window.press("type", "ou")
    browser.window.press("key", "Return")
    browser.until("bpy.context.window_manager.mosaic_browser.search", "ou")
    browser.use(browser.row(1), "selected()", [["four"], "four"])
    browser.key("ctrl+shift+f")
    time.sleep(1)
    browser.window.press("key", "BackSpace")
    browser.window.press("key", "Return")
    browser.until("bpy.context.window_manager.mosaic_browser.search", "")

    browser.window.do("pick()")
    browser.window.do("setattr(view()[1].spaces.active, 'show_region_ui', False)")
    time.sleep(1)
    browser.key("ctrl+shift+f")
    time.sleep(1)
    assert browser.window.do("view()[1].spaces.active.show_region_ui")
    browser.window.press("type", "t")
    browser.window.press("key", "Return")
    browser.until("selected()[0]", ["three", "two"])
    browser.window.do("setattr(bpy.context.window_manager.mosaic_browser, 'search', '') or pick()")
    time.sleep(1)

    # The menu's letters: of a row that is not selected, and is then.
    for letter, expected in (
        ("r", ["one", ["Pair", "two"], "four"]),
        ("d", ["one", ["Pair", "two", "three", "three"], "four"]),
    ):
        browser.click(browser.row(4), button="3")
        time.sleep(0.5)
        browser.window.press("key", letter)
        browser.until("rows()", expected)
        browser.undo()
        browser.until("rows()", ROWS)
    assert_quiet(browser.window)


def test_buttons(browser: Browser) -> None:
    def press(name: str, what: str, expected: Any) -> None:
        browser.use(browser.point(*BUTTONS[name]), what, expected)

    browser.window.do("pick('one', 'two')")
    for name, what, expected, before in (
        ("Isolate", "shown()", ["one", "two"], NAMES),
        ("Group", "rows()", [["New Group", "one", "two"], ["Pair", "three"], "four"], ROWS),
        ("Ungroup", "rows()", ["one", ["Pair", "three"], "two", "four"], ROWS),
        ("Down", "rows()", [["Pair", "three", "two"], "one", "four"], ROWS),
        ("Remove", "rows()", [["Pair", "three"], "four"], ROWS),
    ):
        press(name, what, expected)
        browser.undo()
        browser.until(what, before)
    browser.window.do("pick('four')")
    press("Up", "rows()", ["one", "four", ["Pair", "two", "three"]])
    press("Isolate", "shown()", ["four"])
    press("Show All", "shown()", NAMES)
    assert_quiet(browser.window)


def test_many_objects_are_hidden_at_once_and_come_back(window: Window, tmp_path: Path) -> None:
    """More than are hidden one by one: eyes and renders follow, and Ctrl+Z takes both back."""
    names = [f"c {number:02d}" for number in range(60)]
    browser = Browser(window, write_session(tmp_path / "many.pickle", [cloud(name, 3) for name in names]))
    seen = "[sorted(o.name for o in bpy.data.objects if o.name[:2] == 'c ' and not hidden(o))"
    seen += " for hidden in (lambda o: o.hide_get(), lambda o: o.hide_render)]"
    window.do("pick('c 01', 'c 02')")
    window.do("act('isolate')")
    browser.until(seen, [names[1:3]] * 2)
    browser.undo()
    browser.until(seen, [names] * 2)
    window.do("act('isolate')")
    window.do("act('show_all')")
    browser.until(seen, [names] * 2)
    browser.undo()
    browser.until(seen, [names[1:3]] * 2)
    assert_quiet(window)


def test_the_work_of_a_redraw_does_not_grow_with_the_session(window: Window, tmp_path: Path) -> None:
    """Counted in calls of functions, which are the same on a busy machine; the milliseconds are printed only."""
    browser = Browser(window, write_session(tmp_path / "some.pickle", [cloud(f"c {n}", 3) for n in range(100)]))
    window.do("measure()")
    calls = [work_of_redraws(browser)]
    many = write_session(tmp_path / "many.pickle", [cloud(f"cluster {number}", 3) for number in range(5000)])
    window.do(f"load({str(many)!r})")
    time.sleep(1)
    calls.append(work_of_redraws(browser))
    window.do("setattr(bpy.context.window_manager.mosaic_browser, 'search', '7')")
    calls.append(work_of_redraws(browser))
    assert calls[1] < 1.5 * calls[0], calls
    assert calls[2] < calls[0] + 2 * 5000, calls  # to search, each name is looked at
    browser.use(browser.row(3), "len(selected()[0])", 1)
    assert_quiet(window)


def work_of_redraws(browser: Browser) -> float:
    """The median calls of a redraw of the list while the wheel scrolls it."""
    browser.window.do("draws.clear()")
    browser.move(browser.row(6))
    for number in range(1, 4):
        browser.window.press("click", "5")
        browser.window.do("redraw()")
        browser.until(f"len(draws) >= {number}", True)
    draws = browser.window.do("draws")
    print("milliseconds of CPU:", np.round([1000 * value for value in draws if value < 1], 1))
    calls = [value for value in draws if value > 1]
    return float(np.median(calls))
