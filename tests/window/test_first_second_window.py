"""The first session in Blender's start-up scene, in a real window: what a newcomer sees in the first second."""

from __future__ import annotations

import numpy as np

from tests.support.window import Window, assert_quiet

OPEN = "bpy.ops.mosaic.load_session('INVOKE_DEFAULT', True, filepath=session) and state()"
TAB = "next(region for region in view()[1].regions if region.type == 'UI').active_panel_category"
SELECTED = "[obj.name for obj in bpy.context.window_manager.windows[0].view_layer.objects if obj.select_get()]"


def share_of(picture: np.ndarray, color: str) -> float:
    """How much of the middle of the window is red or blue."""
    view = picture[100:700, 100:650]
    own, others = (0, [1, 2]) if color == "red" else (2, [0, 1])
    return float((view[..., own] > view[..., others].max(axis=-1) + 0.2).mean())


def test_the_first_session_takes_the_place_of_the_cube(startup: Window) -> None:
    startup.wait_for("ready.done")
    assert {"Cube", "Light", "Camera"} <= set(startup.do("state()"))
    shown = startup.do(OPEN)
    assert not {"Cube", "Light", "Camera"} & set(shown)
    startup.until(TAB, "Mosaic", 10)
    assert startup.do(SELECTED) == []
    assert startup.do("bpy.context.scene.camera.name") == "Mosaic Camera"
    assert startup.do("bpy.context.scene.view_settings.view_transform") == "Standard"
    picture = startup.picture("first_second")
    assert share_of(picture, "red") > 0.02
    assert share_of(picture, "blue") > 0.02
    startup.do("undo('undo')")
    assert {"Cube", "Light", "Camera"} <= set(startup.do("state()"))
    assert "red cloud" not in startup.do("state()")
    assert_quiet(startup)


def test_where_the_user_has_something_nothing_of_it_is_touched(startup: Window) -> None:
    startup.wait_for("ready.done")
    startup.do("setattr(bpy.data.objects['Cube'].location, 'x', 3) or bpy.context.view_layer.update()")
    before = startup.do("[list(row) for row in view()[1].spaces.active.region_3d.view_matrix]")
    shown = startup.do(OPEN)
    assert {"Cube", "Light", "Camera", "red cloud"} <= set(shown)
    assert startup.do("[list(row) for row in view()[1].spaces.active.region_3d.view_matrix]") == before
    assert startup.do("bpy.context.scene.camera.name") == "Camera"
    assert_quiet(startup)
