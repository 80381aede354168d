"""The built zip in a real Blender: installed, on the command line, and in the window with keys and mouse."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
from PIL import Image

from mosaic_addon.session import open_session
from tests.support.window import OPEN, Blender, Window, assert_no_trouble, assert_quiet, script

FOLDER = Path(__file__).parents[1] / "sessions"

# --- without a window ------------------------------------------------------------------------------------------------


def test_the_commands_work(blender: Blender, tmp_path: Path) -> None:
    session = FOLDER / "mosaic-1.3.2.pickle"
    done = blender("-c", "mosaic", "info", "--json", session)
    assert done.returncode == 0
    assert_no_trouble(done)
    told = json.loads(done.stdout[done.stdout.index("{") :])
    assert len(told["geometries"]) == 40

    done = blender("-c", "mosaic", "import", session, "-o", tmp_path / "s.blend")
    assert done.returncode == 0, done.stderr
    assert_no_trouble(done)
    assert (tmp_path / "s.blend").stat().st_size > 100_000

    small = ["--size", "96x64", "--samples", "2", "--direction", "-1,-1,-1"]
    done = blender("-c", "mosaic", "render", session, "-o", tmp_path / "p.png", *small)
    assert done.returncode == 0, done.stderr
    assert_no_trouble(done)
    assert Image.open(tmp_path / "p.png").size == (96, 64)

    done = blender("-c", "mosaic", "info", tmp_path / "none.pickle")
    assert done.returncode == 1
    assert "mosaic: error: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_saved_session_draws_the_same_without_the_extension(blender: Blender, tmp_path: Path) -> None:
    assert blender("-c", "mosaic", "import", FOLDER / "mosaic-1.3.2.pickle", "-o", tmp_path / "s.blend").returncode == 0
    text = """
import bpy
graph = bpy.context.evaluated_depsgraph_get()
print("DRAWN", sorted((i.object.name, len(i.object.data.attributes)) for i in graph.object_instances
    if hasattr(i.object.data, "attributes")))
"""
    count = script(tmp_path / "count.py", text)
    lines = []
    for options in ([], ["--factory-startup"]):
        done = blender("-b", *options, tmp_path / "s.blend", "--python", count)
        assert_no_trouble(done)
        lines.append(next(line for line in done.stdout.splitlines() if line.startswith("DRAWN")))
    assert lines[0] == lines[1]


LIFE = """
import bpy, json, sys
def left():
    menu = getattr(bpy.types.TOPBAR_MT_file_import.draw, "_draw_funcs", ())
    return {
        "types": [name for name in dir(bpy.types) if "mosaic" in name.lower()],
        "operators": list(dir(bpy.ops.mosaic)),
        "menu": [draw.__module__ for draw in menu if "mosaic" in draw.__module__],
        "properties": [name for name in bpy.types.Scene.bl_rna.properties.keys() if "mosaic" in name],
    }
bpy.ops.mosaic.load_session(filepath=sys.argv[-1])
made = len([obj for obj in bpy.data.objects if "mosaic_class" in obj])
before = left()
bpy.ops.preferences.addon_disable(module="bl_ext.user_default.mosaic")
print("RESULT" + json.dumps([made, before, left()]))
"""


def test_opening_a_session_and_disabling_leaves_nothing(blender: Blender, tmp_path: Path) -> None:
    session = FOLDER / "mosaic-1.1.1.pickle"
    done = blender("-b", "--python", script(tmp_path / "life.py", LIFE), "--", session)
    assert done.returncode == 0
    assert_no_trouble(done)
    result = next(line for line in done.stdout.splitlines() if line.startswith("RESULT"))
    made, before, after = json.loads(result.removeprefix("RESULT"))
    assert made > 30
    assert before["operators"]
    assert len(before["menu"]) == 2  # of sessions and of tomograms
    assert after == {"types": [], "operators": [], "menu": [], "properties": []}


# --- in the window ---------------------------------------------------------------------------------------------------

MADE = ["Clusters", "Collection", "Models", "blue mesh", "red cloud", "seen", "seen"]


def colours(pixels: np.ndarray) -> tuple[int, int]:
    """How many pixels are clearly red and clearly blue."""
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    return (
        int(((red > 0.3) & (red > 2 * green) & (red > 2 * blue)).sum()),
        int(((blue > 0.3) & (blue > 2 * green) & (blue > 2 * red)).sum()),
    )


def test_an_import_is_seen_and_is_one_step_to_undo(window: Window) -> None:
    middle = window.wait_for("ready.done")
    before = window.do("state()")
    assert sorted(window.do(OPEN)) == MADE
    window.do("clear_selection()")
    time.sleep(2)
    red, blue = colours(window.picture("solid"))
    assert red > 500, "the cloud is not in the view"
    assert blue > 500, "the mesh is not in the view"

    window.do("undo('undo_push', message='deselect')")
    window.press("mousemove", middle[0], 800 - middle[1])
    for key, expected in (("ctrl+z", MADE), ("ctrl+z", before), ("ctrl+shift+z", MADE)):
        window.press("key", key)
        window.until("sorted(state())", sorted(expected))
    assert_quiet(window)


def test_without_a_path_the_file_browser_opens(window: Window) -> None:
    window.wait_for("ready.done")
    window.do("ask_for_file()")
    window.until("browsing()", "MOSAIC_OT_load_session")
    assert_quiet(window)


def test_what_dynamic_topology_makes_is_saved_in_sculpt_mode(window: Window, tmp_path: Path) -> None:
    window.wait_for("ready.done")
    window.do(OPEN)
    mode, count = window.do("sculpt()")
    assert (mode, count > 4) == ("SCULPT", True)
    assert len(open_session(tmp_path / "seen.pickle").models[0].points) == count
    assert_quiet(window)
