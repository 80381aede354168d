"""The panel Figure: what its buttons add and remove, and the size in print that it shows."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.support.make_sessions import cloud, properties, write_session


@pytest.fixture
def figure(bpy: ModuleType, tmp_path: Path) -> Any:
    """Blender with the extension, a session of two clouds, and a camera."""
    import mosaic_addon

    mosaic_addon.register()
    columns = {"curvature": np.linspace(-0.02, 0.02, 30, dtype=np.float32)}
    clouds = [cloud(name, 30, vertex_properties=properties(30, columns)) for name in ("a", "b")]
    bpy.ops.mosaic.load_session(filepath=str(write_session(tmp_path / "s.pickle", clouds)))
    bpy.ops.mosaic.frame_camera(selected_only=False)
    yield bpy
    mosaic_addon.unregister()


def kinds(bpy: ModuleType) -> list[str]:
    from mosaic_addon.scene.figures.overlay import items_of

    return [obj["mosaic_figure"] for obj in items_of(bpy.context.scene)]


def select(bpy: ModuleType, *names: str) -> None:
    for obj in bpy.context.scene.objects:
        obj.select_set(obj.name in names)
        if obj.name in names:
            bpy.context.view_layer.objects.active = obj


def test_each_button_adds_and_the_list_removes(figure: Any) -> None:
    from mosaic_addon import api

    bpy = figure
    select(bpy, "a")
    api.color_by([bpy.data.objects["a"]], "curvature")
    added = ["scale bar", "color key", "legend", "label", "axes", "bounding box"]
    for kind in added:
        assert bpy.ops.mosaic.add_to_figure(kind=kind) == {"FINISHED"}
    assert bpy.ops.mosaic.add_text(text="B") == {"FINISHED"}
    assert sorted(kinds(bpy)) == sorted([*added, "text"])
    objects = bpy.data.collections["Mosaic Figure"].objects
    assert objects[bpy.context.scene.mosaic_picture.active_item].name == "Text"
    assert bpy.ops.mosaic.show_in_figure(item="Text") == {"FINISHED"}
    assert (bpy.data.objects["Text"].hide_render, bpy.data.objects["Text"].hide_viewport) == (True, True)
    for obj in list(objects):
        if obj.get("mosaic_figure") != "overlay":
            assert bpy.ops.mosaic.remove_from_figure(item=obj.name) == {"FINISHED"}
    assert kinds(bpy) == []
    assert "Mosaic Figure" not in bpy.data.collections
    with pytest.raises(RuntimeError, match="no 'Text' in the figure"):
        bpy.ops.mosaic.remove_from_figure(item="Text")


def test_the_figure_comes_before_the_camera_to_which_a_marker_switches(figure: Any, tmp_path: Path) -> None:
    from mosaic_addon.scene.figures.overlay import lies_elsewhere

    bpy = figure
    scene = bpy.context.scene
    bpy.ops.mosaic.add_to_figure(kind="scale bar")
    first = scene.camera
    other = bpy.data.objects.new("Other", first.data.copy())
    scene.collection.objects.link(other)
    for frame, camera in ((1, first), (5, other)):
        scene.timeline_markers.new(camera.name, frame=frame).camera = camera
    assert not lies_elsewhere(scene)
    scene.frame_set(5)
    assert scene.camera == other
    assert lies_elsewhere(scene)
    assert bpy.ops.mosaic.follow_camera() == {"FINISHED"}
    assert not lies_elsewhere(scene)
    scene.frame_set(1)
    scene.render.resolution_x = scene.render.resolution_y = 8
    scene.render.engine, scene.cycles.samples = "CYCLES", 1
    assert bpy.ops.mosaic.render_figure(filepath=str(tmp_path / "p.png")) == {"FINISHED"}
    assert bpy.data.objects["Mosaic Overlay"].parent == first


def test_an_item_goes_to_a_corner(figure: Any) -> None:
    from mosaic_addon.scene.figures.overlay import inputs_of

    bpy = figure
    bpy.ops.mosaic.add_to_figure(kind="scale bar")
    bar = bpy.data.objects["Scale bar"]
    assert inputs_of(bar, ("Across", "Up", "Unit")) == [1, -1, "Automatic"]
    assert bpy.ops.mosaic.place_in_figure(item="Scale bar", corner="Upper Left") == {"FINISHED"}
    assert inputs_of(bar, ("Across", "Up")) == [-1, 1]
    with pytest.raises(RuntimeError, match="no 'Legend' in the figure"):
        bpy.ops.mosaic.place_in_figure(item="Legend", corner="Upper Left")


def test_ink_can_be_read_on_a_dark_background(figure: Any) -> None:
    from mosaic_addon.scene.figures.overlay import color_of

    bpy = figure
    bpy.context.scene.mosaic_picture.look = "full"
    bpy.context.scene.mosaic_picture.background = "dark"
    bpy.ops.mosaic.add_to_figure(kind="scale bar")
    assert color_of(bpy.data.objects["Scale bar"]) == pytest.approx((1, 1, 1))


def test_a_label_needs_something_to_name(figure: Any) -> None:
    bpy = figure
    select(bpy)
    with pytest.raises(RuntimeError, match="Select what the label is to name"):
        bpy.ops.mosaic.add_to_figure(kind="label")


def test_the_size_in_print_is_that_of_the_scene(figure: Any) -> None:
    scene = figure.context.scene
    picture, render = scene.mosaic_picture, scene.render
    picture.width, picture.height, picture.dpi = 85, 64, 300
    assert (render.resolution_x, render.resolution_y) == (1004, 756)
    assert (round(picture.width, 2), round(picture.height, 1), round(picture.dpi)) == (85, 64, 300)
    figure.ops.mosaic.set_print_width(width="PAGE")
    assert (render.resolution_x, render.resolution_y) == (2126, 1601)
    assert round(picture.dpi) == 300
    render.resolution_y = 2126  # whoever changes it
    assert round(picture.height) == 180


@pytest.mark.parametrize("name", ["figure.png", "figure.svg", "figure"])
def test_render_and_save(figure: Any, tmp_path: Path, name: str) -> None:
    bpy = figure
    scene = bpy.context.scene
    scene.render.engine, scene.cycles.samples = "CYCLES", 1
    scene.mosaic_picture.width, scene.mosaic_picture.height, scene.mosaic_picture.dpi = 20, 10, 100
    bpy.ops.mosaic.add_to_figure(kind="scale bar")
    assert bpy.ops.mosaic.render_figure(filepath=str(tmp_path / name)) == {"FINISHED"}
    written = tmp_path / (name if "." in name else "figure.png")
    data = written.read_bytes()
    assert (b"<text" in data) == (written.suffix == ".svg")
    assert not bpy.data.objects["Scale bar"].hide_render


def test_a_filter_is_set_and_removed(figure: Any) -> None:
    from mosaic_addon import api

    bpy = figure
    select(bpy, "a", "b")
    assert bpy.ops.mosaic.filter(vertex_property="curvature") == {"FINISHED"}
    for name in ("a", "b"):
        assert api.filter_of(bpy.data.objects[name]) == api.Filter(
            "curvature", (pytest.approx(-0.02), pytest.approx(0.02))
        )
    assert bpy.ops.mosaic.unfilter() == {"FINISHED"}
    assert api.filter_of(bpy.data.objects["a"]) is None


def test_a_category_is_taken_out_and_put_back(bpy: ModuleType, tmp_path: Path) -> None:
    import mosaic_addon
    from mosaic_addon import api

    mosaic_addon.register()
    columns = {"state": np.array(["open", "shut", "odd"] * 10)}
    path = write_session(tmp_path / "s.pickle", [cloud("a", 30, vertex_properties=properties(30, columns))])
    bpy.ops.mosaic.load_session(filepath=str(path))
    select(bpy, "a")
    bpy.ops.mosaic.filter(vertex_property="state")
    bpy.ops.mosaic.filter_category(category="odd")
    assert set(api.filter_of(bpy.data.objects["a"]).categories) == {"open", "shut"}
    bpy.ops.mosaic.filter_category(category="odd")
    assert set(api.filter_of(bpy.data.objects["a"]).categories) == {"open", "shut", "odd"}
    mosaic_addon.unregister()


def test_an_own_shape_is_put_and_removed(figure: Any) -> None:
    from mosaic_addon import api

    bpy = figure
    shape = bpy.data.objects.new("Protein", bpy.data.meshes.new("Protein"))
    select(bpy, "a")
    with pytest.raises(RuntimeError, match="There is no object 'Protien'"):
        bpy.ops.mosaic.set_own_shape(shape="Protien")
    assert bpy.ops.mosaic.set_own_shape(shape="Protein", scale=10) == {"FINISHED"}
    assert api.own_shape_of(bpy.data.objects["a"]) == api.OwnShape(shape, 10.0)
    assert bpy.ops.mosaic.clear_own_shape() == {"FINISHED"}
    assert api.own_shape_of(bpy.data.objects["a"]) is None
