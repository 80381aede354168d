"""What is asked before changes are lost, in a real window, and the mark of unsaved changes of a large session."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from mosaic_addon.session import open_session
from tests.support.make_sessions import cloud, write_session
from tests.support.window import OPEN, Window, assert_quiet

PREPARE = """
import importlib

def ask_to_close():
    window, area, region = view()
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.mosaic.close_session("INVOKE_DEFAULT")

def sessions():
    return [c.name for c in bpy.data.collections if "mosaic_session" in c]

def rename(new):
    bpy.data.objects["red cloud"].name = new

def unsaved():
    ui = importlib.import_module("bl_ext.user_default.mosaic.ui.session.unsaved")
    return [c.name for c in bpy.data.collections if "mosaic_session" in c and ui.is_unsaved(c)]

def move_one():
    bpy.data.objects["red cloud"].location.x = 5
"""


def names_in(path: Path) -> list[str]:
    return [geometry.name for geometry in open_session(path).geometries]


def test_enter_saves_and_escape_keeps_the_session(window: Window, tmp_path: Path) -> None:
    middle = window.wait_for("ready.done")
    window.do(OPEN)
    window.do(f"exec({PREPARE!r}, globals())")
    window.do("rename('renamed')")
    window.press("mousemove", *middle)
    window.do("ask_to_close()")
    time.sleep(1)
    window.press("key", "Escape")
    time.sleep(1)
    assert window.do("sessions()") == ["seen"]
    assert names_in(tmp_path / "seen.pickle") == ["red cloud", "blue mesh"]
    window.do("ask_to_close()")
    time.sleep(1)
    window.picture("question")
    window.press("key", "Return")
    window.until("sessions()", [])
    assert names_in(tmp_path / "seen.pickle") == ["renamed", "blue mesh"]
    assert_quiet(window)


def test_a_large_session_is_marked_when_it_was_changed_and_not_before(window: Window, tmp_path: Path) -> None:
    window.wait_for("ready.done")
    clouds = [cloud(f"cloud {number}", points=np.full((3, 3), number, np.float32)) for number in range(1200)]
    write_session(tmp_path / "seen.pickle", [cloud("red cloud"), *clouds])
    window.do(OPEN)
    window.do(f"exec({PREPARE!r}, globals())")
    time.sleep(4)
    assert window.do("unsaved()") == []
    window.do("move_one()")
    window.until("unsaved()", ["seen"])
    assert_quiet(window)
