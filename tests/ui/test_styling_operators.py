"""The operators that style a scene: looks, and colours by vertex property."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests.support.make_sessions import cloud, properties, write_session


@pytest.fixture
def opened(bpy: ModuleType, tmp_path: Path) -> Iterator[ModuleType]:
    """A scene with one cloud that has a vertex property, and one without; the add-on is registered."""
    import mosaic_addon

    mosaic_addon.register()
    with_height = cloud("high", 4, vertex_properties=properties(4, {"height": np.arange(4.0)}))
    path = write_session(tmp_path / "s.pickle", [with_height, cloud("plain", 4)])
    bpy.ops.mosaic.load_session(filepath=str(path))
    yield bpy
    mosaic_addon.unregister()


def select(bpy: ModuleType, name: str) -> object:
    for obj in bpy.context.selected_objects:
        obj.select_set(False)
    obj = bpy.data.objects[name]
    obj.select_set(True)
    bpy.context.view_layer.objects.active = obj
    return obj


def test_a_look_is_one_click_and_takes_the_place_of_the_last(opened: ModuleType) -> None:
    scene = opened.context.scene
    lamps = {}
    assert scene.mosaic_picture.look == "none"
    scene.mosaic_picture.look = "full"
    scene.mosaic_picture.background = "dark"
    for look in ("full", "simple", "flat", "poster", "silhouettes", "full"):
        scene.mosaic_picture.look = look
        assert (scene.mosaic_picture.look, scene.mosaic_picture.background) == (look, "dark")
        lamps[look] = sum(obj.type == "LIGHT" for obj in scene.objects)
    assert lamps == {"full": 3, "simple": 0, "flat": 0, "poster": 0, "silhouettes": 0}
    scene.mosaic_picture.look = "none"
    assert scene.mosaic_picture.look == "none"
    assert not any(obj.type == "LIGHT" for obj in scene.objects)


def test_what_a_look_changes_beside_it_is_said(opened: ModuleType) -> None:
    from mosaic_addon.ui.figures import look

    scene = opened.context.scene
    scene.render.engine = "BLENDER_WORKBENCH"
    scene.mosaic_picture.look = "poster"
    chosen, (said,) = look._said[scene.session_uid]
    assert chosen == "poster"
    assert "Cycles" in said or "cycles" in said
    scene.mosaic_picture.look = "none"
    assert not look._said


def test_each_look_has_a_picture_of_its_own(opened: ModuleType) -> None:
    import mosaic_addon
    from mosaic_addon.scene.pictures.options import LOOKS
    from mosaic_addon.ui.figures import look

    assert {path.stem for path in look.PICTURES.iterdir()} == set(LOOKS)
    assert sum(path.stat().st_size for path in look.PICTURES.iterdir()) < 120_000
    assert look._previews is None  # nothing is read before the panel shows it
    assert [name for name, *_ in look.look_items(None, opened.context)] == ["none", *LOOKS]
    assert [tuple(picture.image_size) for picture in look._previews.values()] == [(160, 160)] * len(LOOKS)
    mosaic_addon.unregister()
    assert look._previews is None
    mosaic_addon.register()


def test_the_selection_is_coloured_by_its_property_and_back(opened: ModuleType) -> None:
    from mosaic_addon.scene.drawing.coloring import coloring_of

    obj = select(opened, "high")
    assert opened.ops.mosaic.color_by(vertex_property="height", color_map="magma", reverse=True) == {"FINISHED"}
    coloring = coloring_of(obj)
    assert coloring is not None
    assert (coloring.property, coloring.color_map, coloring.reverse) == ("height", "magma", True)
    assert coloring.value_range == pytest.approx((0, 3))
    opened.ops.mosaic.color_by(vertex_property="height", range="ABSOLUTE", low=-1.0, high=5.0, reverse=False)
    assert coloring_of(obj).value_range == pytest.approx((-1, 5))  # type: ignore[union-attr]
    assert opened.ops.mosaic.uncolor() == {"FINISHED"}
    assert coloring_of(obj) is None


def test_what_has_no_property_cannot_be_coloured(opened: ModuleType) -> None:
    select(opened, "plain")
    assert not opened.ops.mosaic.color_by.poll()
    assert not opened.ops.mosaic.uncolor.poll()


def test_unregistering_takes_the_panels_away(bpy: ModuleType) -> None:
    import mosaic_addon

    mosaic_addon.register()
    assert hasattr(bpy.types, "MOSAIC_PT_figure")
    mosaic_addon.unregister()
    assert not [name for name in dir(bpy.types) if name.startswith("MOSAIC_")]
