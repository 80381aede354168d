"""Showing and hiding many objects at once, which is Blender's own operator's work, ends as doing it one by one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.built import set_input
from tests.support.make_sessions import cloud, write_session

NAMES = [f"cloud {number}" for number in range(6)]
OTHERS = ["lamp", "hidden lamp", "not selectable"]


@pytest.fixture(params=[0, 1000], ids=["at once", "one by one"])
def opened(bpy: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: Any) -> Iterator[ModuleType]:
    """A session beside lamps, in a window, with one cloud in a collection that the view layer excludes."""
    import mosaic_addon
    from mosaic_addon.scene.outline import visibility

    monkeypatch.setattr(visibility, "FEW", request.param)
    mosaic_addon.register()
    bpy.ops.mosaic.load_session(filepath=str(write_session(tmp_path / "s.pickle", [cloud(name, 4) for name in NAMES])))
    for name in OTHERS:
        bpy.context.scene.collection.objects.link(bpy.data.objects.new(name, None))
    bpy.data.objects["hidden lamp"].hide_set(True)
    bpy.data.objects["cloud 4"].hide_select = True
    yield bpy
    mosaic_addon.unregister()


def hidden(bpy: ModuleType) -> list[str]:
    """The names of what is hidden in the view; the session's objects are so in renders as well."""
    for name in NAMES:
        assert bpy.data.objects[name].hide_render == bpy.data.objects[name].hide_get()
    return [name for name in (*NAMES, *OTHERS) if bpy.data.objects[name].hide_get()]


def select(bpy: ModuleType, *names: str) -> None:
    for obj in bpy.context.view_layer.objects:
        obj.select_set(obj.name in names)


def selected(bpy: ModuleType) -> list[str]:
    return sorted(obj.name for obj in bpy.context.view_layer.objects.selected)


def test_hide_isolate_and_show_all_leave_what_is_no_object_of_theirs(opened: ModuleType) -> None:
    ops = opened.ops.mosaic
    select(opened, "cloud 0", "cloud 1")
    assert ops.isolate() == {"FINISHED"}
    assert hidden(opened) == ["cloud 2", "cloud 3", "cloud 4", "cloud 5", "hidden lamp"]
    assert selected(opened) == ["cloud 0", "cloud 1"]
    select(opened, "cloud 0", "lamp")
    assert ops.show_all() == {"FINISHED"}
    assert hidden(opened) == ["hidden lamp"]
    assert selected(opened) == ["cloud 0", "lamp"]
    assert ops.isolate() == {"FINISHED"}
    assert hidden(opened) == [*NAMES[1:], "hidden lamp"]
    assert not opened.data.objects["lamp"].hide_render


def test_objects_that_the_view_layer_lacks_stay_as_they_are(opened: ModuleType) -> None:
    from mosaic_addon.scene.outline.visibility import set_visible

    away = opened.data.objects["cloud 5"]
    for collection in away.users_collection:
        collection.objects.unlink(away)
    layer = opened.context.view_layer
    assert set_visible([opened.data.objects[name] for name in NAMES], False, layer) == [away]
    assert hidden(opened) == [*NAMES[:5], "hidden lamp"]


def test_a_closed_monitor_icon_is_opened(opened: ModuleType) -> None:
    for name in NAMES[:3]:
        opened.data.objects[name].hide_viewport = True
    opened.data.objects["cloud 3"].hide_set(True)
    assert opened.ops.mosaic.show_all() == {"FINISHED"}
    assert hidden(opened) == ["hidden lamp"]
    assert not any(opened.data.objects[name].hide_viewport for name in NAMES)


def test_a_render_that_keeps_its_data_is_told(opened: ModuleType) -> None:
    opened.context.scene.render.use_persistent_data = True
    select(opened, "cloud 0")
    opened.ops.mosaic.set_visibility(visible=False)
    assert hidden(opened) == ["cloud 0", "hidden lamp"]
    assert opened.data.objects["cloud 0"].evaluated_get(opened.context.evaluated_depsgraph_get()).hide_render


def test_a_render_leaves_out_what_was_just_hidden(opened: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.outline.visibility import set_visible

    scene = opened.context.scene
    scene.render.engine, scene.cycles.samples = "CYCLES", 4
    scene.render.resolution_x = scene.render.resolution_y = 32
    scene.render.film_transparent = True
    for name in NAMES:
        set_input(opened.data.objects[name], "Size", 100.0)
    opened.ops.mosaic.frame_camera()

    def covered() -> int:
        scene.render.filepath = str(tmp_path / "seen.png")
        opened.ops.render.render(write_still=True)
        return int((np.asarray(Image.open(scene.render.filepath))[..., 3] > 0).sum())

    assert covered() > 0
    set_visible([opened.data.objects[name] for name in NAMES], False, opened.context.view_layer)
    assert covered() == 0
    opened.ops.mosaic.show_all()
    assert covered() > 0


@pytest.mark.parametrize("count", [1, 40], ids=["one", "many"])
def test_a_render_shows_what_was_imported_hidden(bpy: ModuleType, tmp_path: Path, count: int) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.outline.visibility import set_visible

    clouds = [cloud(f"c {number}", 4, visible=False, appearance={"size": 100}) for number in range(count)]
    imported = api.load(write_session(tmp_path / "s.pickle", clouds))
    scene = bpy.context.scene
    api.set_up_picture(imported, api.RenderOptions((32, 24), "cycles", 1, background="transparent"), zoom=0.1)
    set_visible(imported.objects, True, bpy.context.view_layer)
    api.render_to(scene, tmp_path / "seen.png")
    assert np.asarray(Image.open(tmp_path / "seen.png"))[..., 3].max() > 0
