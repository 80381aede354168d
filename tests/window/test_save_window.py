"""Save in a real window, where the session's file is missing: the file browser opens, and names what will be written."""

from __future__ import annotations

import time
from pathlib import Path

from mosaic_addon.session import open_session
from tests.support.window import OPEN, Window, assert_quiet

PREPARE = """
def save():
    window, area, region = view()
    with bpy.context.temp_override(window=window, area=area, region=region):
        return list(bpy.ops.mosaic.save_session("INVOKE_DEFAULT"))

def chosen():
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            space = area.spaces.active
            if area.type == "FILE_BROWSER" and space.active_operator and space.params:
                return [space.active_operator.bl_idname, os.fsdecode(space.params.directory), space.params.filename]

def name_it(name):
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "FILE_BROWSER" and area.spaces.active.active_operator:
                area.spaces.active.params.filename = name
                region = next(region for region in area.regions if region.type == "WINDOW")
                with bpy.context.temp_override(window=window, area=area, region=region):
                    bpy.ops.file.execute("INVOKE_DEFAULT")
                return True
"""


def test_save_asks_where_the_file_is_missing(window: Window, tmp_path: Path) -> None:
    window.wait_for("ready.done")
    window.do(OPEN)
    window.do(f"exec({PREPARE!r}, globals())")
    (tmp_path / "project").mkdir()
    assert window.do(f"bpy.ops.wm.save_as_mainfile(filepath={str(tmp_path / 'project' / 'a.blend')!r}) and True")
    (tmp_path / "seen.pickle").rename(tmp_path / "project" / "seen.pickle")
    before = (tmp_path / "project" / "seen.pickle").read_bytes()
    window.do("save()")
    window.until("chosen()", ["MOSAIC_OT_save_session_as", f"{tmp_path}/project/", "seen.pickle"])
    assert (tmp_path / "project" / "seen.pickle").read_bytes() == before
    assert not (tmp_path / "seen.pickle").exists()

    assert window.do("name_it('virus.v2')") is True
    end = time.monotonic() + 30
    while not (tmp_path / "project" / "virus.v2.pickle").exists() and time.monotonic() < end:
        time.sleep(0.1)
    window.until("chosen()", None)
    assert len(open_session(tmp_path / "project" / "virus.v2.pickle").geometries) == 2
    assert window.do("save()") == ["FINISHED"]
    assert not (tmp_path / "project" / "virus.v2").exists()
    assert_quiet(window)
