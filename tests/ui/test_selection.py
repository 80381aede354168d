"""Which objects operators and panels act on: the same for all of them, hidden ones that were picked included."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from mosaic_addon.session import open_session
from tests.support.make_sessions import cloud, properties, write_session


@pytest.fixture
def opened(bpy: ModuleType, tmp_path: Path) -> Iterator[ModuleType]:
    """A session with two visible clouds and two hidden ones, and a mesh of the user's own; nothing is selected."""
    import mosaic_addon
    from mosaic_addon.ui.selection import choose

    mosaic_addon.register()
    clouds = [
        cloud(name, 4, visible=visible, vertex_properties=properties(4, {"height": np.arange(4.0)}))
        for name, visible in (("one", True), ("two", True), ("hidden", False), ("dark", False))
    ]
    bpy.ops.mosaic.load_session(filepath=str(write_session(tmp_path / "s.pickle", clouds)))
    data = bpy.data.meshes.new("own")
    data.from_pydata([(0, 0, 0)], [], [])
    own = bpy.data.objects.new("own", data)
    bpy.context.scene.collection.objects.link(own)
    choose(bpy.context, [])
    bpy.context.view_layer.objects.active = None
    yield bpy
    mosaic_addon.unregister()


def pick(bpy: ModuleType, *names: str) -> None:
    """As clicks in the browser do: the first becomes the active one."""
    from mosaic_addon.ui.selection import choose

    objects = [bpy.data.objects[name] for name in names]
    choose(bpy.context, objects, objects[0])


def sizes(bpy: ModuleType) -> dict[str, float]:
    from mosaic_addon.scene.drawing.appearance import number_of

    return {obj.name: number_of(obj, "size") for obj in bpy.data.objects if "mosaic_class" in obj}


def test_a_panel_changes_hidden_objects_that_were_picked(opened: ModuleType) -> None:
    pick(opened, "one", "hidden")
    opened.context.scene.mosaic_properties.size = 3
    assert [name for name, size in sizes(opened).items() if size == 3] == ["hidden", "one"]
    opened.data.objects["two"].select_set(True)  # elsewhere, so that what was picked is forgotten
    opened.context.scene.mosaic_properties.size = 5
    assert [name for name, size in sizes(opened).items() if size == 5] == ["one", "two"]


def test_the_active_object_comes_first_in_the_panel_and_need_not_be_selected(opened: ModuleType) -> None:
    from mosaic_addon.ui.selection import edited_geometries, shown_geometry

    pick(opened, "two", "hidden")
    opened.context.view_layer.objects.active = active = opened.data.objects["one"]
    assert shown_geometry(opened.context) == active
    assert [obj.name for obj in edited_geometries(opened.context)] == ["one", "two"]
    opened.context.view_layer.objects.active = opened.data.objects["own"]
    assert [obj.name for obj in edited_geometries(opened.context)] == ["two"]


def test_operators_of_the_browser_leave_an_active_object_that_is_not_selected(opened: ModuleType) -> None:
    opened.context.view_layer.objects.active = opened.data.objects["one"]
    assert not opened.ops.mosaic.remove.poll()
    opened.data.objects["two"].select_set(True)
    opened.ops.mosaic.remove()
    assert sorted(sizes(opened)) == ["dark", "hidden", "one"]


def test_colouring_goes_to_all_chosen_geometries_and_to_nothing_else(opened: ModuleType) -> None:
    from mosaic_addon.scene.drawing.coloring import colorable, coloring_of
    from mosaic_addon.ui.selection import edited_geometries

    opened.data.meshes["own"].attributes.new("vertex_colors", "FLOAT_COLOR", "POINT")
    pick(opened, "one", "hidden", "own")
    assert opened.ops.mosaic.color_by(vertex_property="height") == {"FINISHED"}
    assert [name for name in sizes(opened) if coloring_of(opened.data.objects[name])] == ["hidden", "one"]
    assert opened.ops.mosaic.uncolor() == {"FINISHED"}
    assert colorable(edited_geometries(opened.context)) == ["height"]
    pick(opened, "own")
    assert not opened.ops.mosaic.color_by.poll()


def test_a_selection_is_exported_with_the_hidden_objects_that_were_picked(opened: ModuleType, tmp_path: Path) -> None:
    pick(opened, "two", "dark")
    opened.ops.mosaic.export_session(filepath=str(tmp_path / "part.pickle"), selection_only=True)
    geometries = open_session(tmp_path / "part.pickle").geometries
    assert [(geometry.name, geometry.visible) for geometry in geometries] == [("two", True), ("dark", False)]
