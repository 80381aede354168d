"""A newcomer's figure in a real window: from an opened session to an .svg, by mouse, keys and the panel Figure."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

from tests.support.window import Window, assert_quiet

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "minicell.pickle"
ADDON = "bl_ext.user_default.mosaic"
HEIGHT = 800

# Only the panel Figure, unfolded, so that its buttons are where the test clicks.
PREPARE = f"""
import importlib
ui = importlib.import_module("{ADDON}.ui.registration")
panels = [c for c in ui.CLASSES if issubclass(c, bpy.types.Panel) and getattr(c, "bl_category", "") == "Mosaic"]
ours = [c for c in panels if c.__module__.endswith(".figures.panel")]
for c in reversed(panels):
    bpy.utils.unregister_class(c)
for c in ours:
    c.bl_options = set()
    bpy.utils.register_class(c)

def sidebar():
    return next(region for region in view()[1].regions if region.type == "UI")

def press(name, **arguments):
    # What a button of the sidebar does.
    window, area, _ = view()
    with bpy.context.temp_override(window=window, area=area, region=sidebar()):
        return list(getattr(bpy.ops.mosaic, name)("EXEC_DEFAULT", True, **arguments))

def figure():
    found = bpy.data.collections.get("Mosaic Figure")
    return sorted(obj["mosaic_figure"] for obj in found.objects if obj["mosaic_figure"] != "overlay") if found else []

def frame():
    # The borders of the camera's picture in the view, and what the sidebar leaves of it, in pixels.
    from bpy_extras.view3d_utils import location_3d_to_region_2d
    _, area, region = view()
    seen, scene = area.spaces.active.region_3d, bpy.context.scene
    camera = scene.camera
    corners = [camera.matrix_world.normalized() @ corner for corner in camera.data.view_frame(scene=scene)]
    across = [location_3d_to_region_2d(region, seen, corner).x for corner in corners]
    return [seen.view_perspective, min(across), max(across), region.width - sidebar().width]

def cheap():
    scene = bpy.context.scene
    scene.render.engine, scene.cycles.samples, scene.mosaic_picture.dpi = "CYCLES", 1, 60
"""


def run(window: Window, code: str) -> None:
    window.do(f"exec({code!r}, globals())")


def click(window: Window, x: int, y: int) -> None:
    window.press("mousemove", x, y)
    time.sleep(0.2)
    window.press("mousemove", x + 1, y)
    time.sleep(0.2)
    window.press("click", "1")


def click_until(window: Window, x: int, y: int, expression: str, expected: Any) -> None:
    """Click once more where a busy machine drew a button later than it was clicked."""
    for _ in range(2):
        click(window, x, y)
        end = time.monotonic() + 4
        while time.monotonic() < end:
            if window.do(expression) == expected:
                return
            time.sleep(0.2)
    window.picture("missed")
    raise AssertionError(f"{expression} is {window.do(expression)}, not {expected}")


def test_a_newcomers_figure(startup: Window, tmp_path: Path) -> None:
    window = startup
    middle = window.wait_for("ready.done")
    window.do(f"bpy.ops.mosaic.load_session('INVOKE_DEFAULT', True, filepath={str(EXAMPLE)!r}) and None")
    window.until("'Envelope' in bpy.data.objects", True)
    run(window, PREPARE)
    window.do("setattr(view()[1].spaces.active, 'show_region_ui', True)")
    time.sleep(0.5)
    window.do("setattr(sidebar(), 'active_panel_category', 'Mosaic')")
    time.sleep(1)
    left, top = window.do("[sidebar().x, sidebar().y + sidebar().height]")
    header = HEIGHT - top + 16
    click(window, left + 60, header)  # unfolds it
    time.sleep(1)
    window.picture("1 panel")

    click_until(window, left + 221, header + 57, "frame()[0]", "CAMERA")  # View
    _, lowest, highest, end = window.do("frame()")
    assert 0 < lowest < highest < end, "the sidebar is over the camera's picture"
    assert highest - lowest > end / 2
    window.picture("2 camera")
    click_until(window, left + 73, header + 360, "figure()", ["scale bar"])
    click_until(window, left + 73, header + 405, "figure()", ["legend", "scale bar"])
    click_until(window, left + 201, header + 360, "figure()", ["axes", "legend", "scale bar"])
    click_until(window, left + 50, header + 481, "figure()", ["axes", "cut", "legend", "scale bar"])  # Plane
    window.picture("3 items")
    window.press("mousemove", middle[0] - 150, HEIGHT - middle[1])
    window.press("key", "ctrl+z")
    window.until("figure()", ["axes", "legend", "scale bar"])
    window.press("key", "ctrl+shift+z")
    window.until("figure()", ["axes", "cut", "legend", "scale bar"])

    window.do("press('set_print_width', width='COLUMN')")
    window.do("cheap()")
    file = tmp_path / "figure.svg"
    window.do(f"press('render_figure', filepath={str(file)!r})")
    window.until(f"os.path.exists({str(file)!r})", True)
    window.picture("4 rendered")
    text = file.read_text("utf-8")
    said = re.findall(r"<text[^>]*>([^<]+)", text)
    assert sorted(said) == sorted(["100 nm", "X", "Y", "Z", "Ribosome 50S", "Ribosome 30S", "Spike", "Envelope"])
    assert 'width="85' in text
    assert "data:image/png;base64," in text
    assert_quiet(window)
