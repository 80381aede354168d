"""Cuts by the sidebar's operators, without a window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.support.make_sessions import cloud, write_session


@pytest.fixture
def scene(bpy: ModuleType, tmp_path: Path) -> Iterator[Any]:
    """The add-on with a session open, nothing selected."""
    import mosaic_addon
    from mosaic_addon.ui import selection

    mosaic_addon.register()
    path = write_session(tmp_path / "s.pickle", [cloud("one", 30), cloud("two", 30)])
    bpy.ops.mosaic.load_session(filepath=str(path))
    selection.choose(bpy.context, [])
    yield bpy.context.scene
    mosaic_addon.unregister()


def test_a_cut_is_added_changed_and_removed(bpy: ModuleType, scene: Any) -> None:
    from mosaic_addon.scene.figures.cuts import cut_of
    from mosaic_addon.scene.figures.overlay import figure_collection, items_of

    bpy.ops.mosaic.add_cut(shape="sphere", cap=True, cap_color=(1.0, 0.5, 0.0))
    (cut,) = items_of(scene, "cut")
    bpy.context.view_layer.update()
    assert bpy.context.view_layer.objects.active == cut
    assert figure_collection(scene).objects[scene.mosaic_picture.active_item] == cut
    assert cut_of(cut).cap == pytest.approx((1.0, 0.5, 0.0))
    bpy.ops.mosaic.set_cut(item=cut.name, shape="box", invert=True, whole=False)
    assert (cut_of(cut).shape, cut_of(cut).invert, cut_of(cut).whole, cut_of(cut).cap) == ("box", True, False, None)
    bpy.ops.mosaic.show_in_figure(item=cut.name)
    assert cut.hide_render
    bpy.ops.mosaic.show_in_figure(item=cut.name)
    assert not cut.hide_render
    bpy.ops.mosaic.remove_from_figure(item=cut.name)
    assert not [obj for obj in bpy.data.objects if "Cut" in obj.name]


def test_selected_objects_are_spared_and_cut_again(bpy: ModuleType, scene: Any) -> None:
    from mosaic_addon.scene.figures.cuts import spared_by
    from mosaic_addon.scene.figures.overlay import items_of
    from mosaic_addon.ui import selection

    one, two = bpy.data.objects["one"], bpy.data.objects["two"]
    bpy.ops.mosaic.add_cut()
    bpy.ops.mosaic.add_cut(shape="box")
    first, second = items_of(scene, "cut")
    selection.choose(bpy.context, [one])
    bpy.ops.mosaic.spare_from_cut(cut=first.name)
    assert spared_by(first, [one, two]) == [one]
    assert spared_by(second, [one, two]) == []
    bpy.ops.mosaic.spare_from_cut()
    assert spared_by(second, [one, two]) == [one]
    bpy.ops.mosaic.spare_from_cut(spared=False)
    assert spared_by(first, [one, two]) == spared_by(second, [one, two]) == []


def test_what_is_not_there_is_said(bpy: ModuleType, scene: Any) -> None:
    from mosaic_addon.ui import selection

    selection.choose(bpy.context, [bpy.data.objects["one"]])
    with pytest.raises(RuntimeError, match="The scene has no cut"):
        bpy.ops.mosaic.spare_from_cut()
    with pytest.raises(RuntimeError, match="no cut 'X' any more"):
        bpy.ops.mosaic.set_cut(item="X")
    for name in ("one", "two"):
        bpy.data.objects[name].hide_render = True
    with pytest.raises(RuntimeError, match="Nothing of"):
        bpy.ops.mosaic.add_cut()
