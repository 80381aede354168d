"""Follow File in a real window: Mosaic saves, and the open session follows, in one step to undo."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tests.support.make_sessions import cloud, write_session
from tests.support.window import OPEN, Window, assert_quiet, blue_mesh, red_cloud

PREPARE = """
def objects():
    return sorted(obj.name for obj in bpy.data.objects if "mosaic_class" in obj)

def follow(on):
    bpy.data.collections["seen"].mosaic_follow = on
    return bpy.data.collections["seen"].mosaic_follow

def turn():
    root = bpy.data.objects["seen"]
    root.keyframe_insert("rotation_euler", frame=1)
    return root.animation_data.action.name

def show_sidebar():
    view()[1].spaces.active.show_region_ui = True

def show_tab():
    next(region for region in view()[1].regions if region.type == "UI").active_panel_category = "Mosaic"

def edit(mode):
    window, area, region = view()
    obj = bpy.data.objects["blue mesh"]
    with bpy.context.temp_override(window=window, area=area, region=region):
        clear_selection()
        obj.select_set(True)
        bpy.context.view_layer.objects.active = obj
        bpy.ops.object.mode_set(mode=mode)
"""


def save_as_mosaic(path: Path, *more: Any) -> None:
    """Write the session with the uuids that it has, and more clouds."""
    first, second = red_cloud(), blue_mesh()
    first.uuid, second.uuid = UUIDS
    write_session(path, [first, *more], [second])


UUIDS = ("00000000-0000-4000-8000-0000000000a1", "00000000-0000-4000-8000-0000000000a2")
GREEN = {"size": 40, "base_color": (0.05, 0.8, 0.1)}


def test_a_followed_session_follows_its_file(window: Window, tmp_path: Path) -> None:
    path = tmp_path / "seen.pickle"
    save_as_mosaic(path)
    window.wait_for("ready.done")
    window.do(OPEN)
    window.do(f"exec({PREPARE!r}, globals())")
    assert window.do("follow(True)") is True
    action = window.do("turn()")
    window.do("show_sidebar()")
    time.sleep(0.5)  # until it is drawn, it has no tab to choose
    window.do("show_tab()")
    two = ["blue mesh", "red cloud"]
    assert window.do("objects()") == two
    window.do("undo('undo_push', message='before')")

    save_as_mosaic(path, cloud("green", points=red_cloud().points + 300, appearance=GREEN))
    window.until("objects()", ["blue mesh", "green", "red cloud"])
    assert window.do("bpy.data.objects['seen'].animation_data.action.name") == action
    window.picture("followed")

    window.do("undo('undo')")
    assert window.do("objects()") == two
    time.sleep(3)  # what was undone does not come back by itself
    assert window.do("objects()") == two
    window.do("undo('redo')")
    window.until("objects()", ["blue mesh", "green", "red cloud"])

    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    time.sleep(4)
    assert window.do("objects()") == ["blue mesh", "green", "red cloud"]
    window.picture("half_written")

    window.do("edit('EDIT')")
    save_as_mosaic(path)
    time.sleep(4)
    assert window.do("objects()") == ["blue mesh", "green", "red cloud"]
    window.do("edit('OBJECT')")
    window.until("objects()", two)

    window.do("follow(False)")
    save_as_mosaic(path, cloud("late"))
    time.sleep(3)
    assert window.do("objects()") == two
    assert_quiet(window)
