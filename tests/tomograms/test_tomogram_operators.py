"""Tomograms by the sidebar's operators and the command line, without a window."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mosaic_addon.session import open_session
from tests.support.make_sessions import cloud, mesh, write_session
from tests.support.tomograms import write_mrc


@pytest.fixture
def tomogram(tmp_path: Path) -> Path:
    values = np.random.default_rng(1).normal(size=(20, 24, 28)).astype(np.float32)
    return write_mrc(tmp_path / "tomo.mrc", values, 10.0)


@pytest.fixture
def scene(bpy: ModuleType, tmp_path: Path) -> Iterator[Any]:
    """The add-on with a session open, nothing selected."""
    import mosaic_addon
    from mosaic_addon.ui import selection

    mosaic_addon.register()
    path = write_session(tmp_path / "s.pickle", [cloud("points")], [mesh("mesh")])
    bpy.ops.mosaic.load_session(filepath=str(path))
    selection.choose(bpy.context, [])
    yield bpy.context.scene
    mosaic_addon.unregister()


def test_a_tomogram_is_opened_looked_at_and_removed(bpy: ModuleType, scene: Any, tomogram: Path) -> None:
    from mosaic_addon.scene.tomograms.slices import slices_of
    from mosaic_addon.scene.tomograms.tomogram import look_of, tomograms_in
    from mosaic_addon.ui.tomograms.slices import shown_tomogram

    assert bpy.ops.mosaic.open_tomogram(filepath=str(tomogram)) == {"FINISHED"}
    (box,) = tomograms_in(scene)
    assert box.name == "tomo"
    assert box.parent is not None
    assert bpy.context.object == box
    xy = slices_of(box)[0]
    xy.mosaic_slice_view.number = 3
    assert xy.location[2] == pytest.approx(30)
    assert xy.mosaic_slice_view.position == pytest.approx(3)
    xy.mosaic_slice_view.opacity = 0.5
    assert xy.color[3] == 0.5
    view = box.mosaic_tomogram_view
    view.color_map, view.invert, view.average = "viridis", True, 3
    assert (look_of(box).color_map, look_of(box).invert, look_of(box).average) == ("viridis", True, 3)
    assert (view.color_map, view.invert, view.average) == ("viridis", True, 3)
    bpy.ops.mosaic.fit_contrast(tomogram=box.name, low=10, high=10)
    assert look_of(box).white == pytest.approx(1.28, abs=0.1)
    bpy.ops.mosaic.add_slice(tomogram=box.name, plane="VIEW")
    turned = bpy.context.object
    assert turned in slices_of(box)
    assert shown_tomogram(bpy.context) == box
    bpy.ops.mosaic.show_slice(item=xy.name)
    assert xy.hide_render
    bpy.ops.mosaic.choose_slice(item=turned.name)
    bpy.ops.mosaic.remove_slice(item=xy.name)
    assert len(slices_of(box)) == 3
    with pytest.raises(RuntimeError, match="There is no slice"):
        bpy.ops.mosaic.remove_slice(item="gone")
    bpy.ops.mosaic.remove_tomogram(tomogram=box.name)
    assert not tomograms_in(scene)
    assert not [obj for obj in bpy.data.objects if "Slice" in obj.name]
    with pytest.raises(RuntimeError, match="does not exist"):
        bpy.ops.mosaic.open_tomogram(filepath=str(tomogram.parent / "none.mrc"))


def test_a_part_is_read_again(bpy: ModuleType, scene: Any, tomogram: Path) -> None:
    from mosaic_addon.scene.tomograms.slices import slices_of
    from mosaic_addon.scene.tomograms.tomogram import look_of, tomograms_in, values_of_tomogram, volume_of
    from mosaic_addon.ui import selection

    bpy.ops.mosaic.open_tomogram(filepath=str(tomogram))
    (box,) = tomograms_in(scene)
    before, look = [obj.name for obj in slices_of(box)], look_of(box)
    with pytest.raises(RuntimeError, match="Select visible objects"):
        bpy.ops.mosaic.read_tomogram_again(tomogram=box.name, part="CHOSEN")
    selection.choose(bpy.context, [bpy.data.objects["points"]])
    bpy.context.view_layer.update()
    bpy.ops.mosaic.read_tomogram_again(tomogram=box.name, part="CHOSEN", margin=2, bits="16")
    volume = volume_of(box)
    assert volume.shape < (28, 24, 20)
    assert values_of_tomogram(box).shape == volume.shape[::-1]
    assert [obj.name for obj in slices_of(box)] == before
    assert look_of(box).black == look.black
    bpy.ops.mosaic.read_tomogram_again(tomogram=box.name)
    assert volume_of(box).shape == (28, 24, 20)
    assert len([image for image in bpy.data.images if "tomo" in image.name]) == 1


def test_a_slice_carries_a_cut(bpy: ModuleType, scene: Any, tomogram: Path) -> None:
    from mosaic_addon.scene.figures.cuts import cut_of, spared_by
    from mosaic_addon.scene.figures.overlay import items_of
    from mosaic_addon.scene.tomograms.slices import slices_of
    from mosaic_addon.scene.tomograms.tomogram import tomograms_in

    bpy.ops.mosaic.open_tomogram(filepath=str(tomogram))
    (box,) = tomograms_in(scene)
    xz = slices_of(box)[1]
    bpy.ops.mosaic.cut_at_slice(item=xz.name)
    (cut,) = items_of(scene)  # and no slice
    assert cut.parent == xz
    assert spared_by(cut, slices_of(box)) == [xz]
    xz.location[1] = 50
    bpy.context.view_layer.update()
    place = box.matrix_world.inverted() @ cut.matrix_world
    assert place.translation[1] == pytest.approx(50, abs=1e-3)
    assert abs((place.to_3x3().normalized())[1][2]) == pytest.approx(1)
    assert cut_of(cut).shape == "plane"
    bpy.ops.mosaic.remove_slice(item=xz.name)
    assert cut.parent == box


def test_a_tampered_tomogram_breaks_no_panel(bpy: ModuleType, scene: Any, tomogram: Path) -> None:
    from mosaic_addon.scene.tomograms.slices import slices_of
    from mosaic_addon.scene.tomograms.tomogram import tomograms_in

    bpy.ops.mosaic.open_tomogram(filepath=str(tomogram))
    (box,) = tomograms_in(scene)
    (xy, *_) = slices_of(box)
    group = box["mosaic_tomogram_nodes"]
    group.nodes.remove(group.nodes["Gamma"])
    group.nodes.new("ShaderNodeNewGeometry").name = "Gamma"
    assert box.mosaic_tomogram_view.average == 1
    box["mosaic_tomogram"] = "{}"
    assert xy.mosaic_slice_view.number == 0
    with pytest.raises(RuntimeError, match="is no tomogram"):
        bpy.ops.mosaic.add_slice(tomogram=box.name)
    with pytest.raises(RuntimeError, match="is no tomogram"):
        bpy.ops.mosaic.fit_contrast(tomogram=box.name)
    bpy.ops.mosaic.remove_tomogram(tomogram=box.name)
    assert not tomograms_in(scene)


def test_density_on_selected_objects(bpy: ModuleType, scene: Any, tomogram: Path) -> None:
    from mosaic_addon.scene.tomograms.surfaces import worn_by
    from mosaic_addon.scene.tomograms.tomogram import tomograms_in
    from mosaic_addon.ui import selection

    bpy.ops.mosaic.open_tomogram(filepath=str(tomogram))
    (box,) = tomograms_in(scene)
    obj = bpy.data.objects["mesh"]
    selection.choose(bpy.context, [obj], obj)
    bpy.ops.mosaic.wear_tomogram(tomogram=box.name, offset=2.5)
    assert worn_by(obj) == (box, 25.0)
    bpy.ops.mosaic.keep_density(tomogram=box.name, vertex_property="grey")
    assert "grey" in obj.data.attributes


def test_what_a_session_names_is_offered_and_not_opened(
    bpy: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.tomograms.reading import paths_named_by

    path = tmp_path / "s.mosaic"
    state = write_session(tmp_path / "s.pickle", [cloud("points")]).read_bytes()

    def named(meta: bytes) -> tuple[str, ...]:
        index = {"format_version": 1, "version": "1.3.2", "sections": {}}
        size = len(json.dumps(index)) + 200
        sections = {
            "state": {"offset": 4 + size, "size": len(state), "encoding": "pickle"},
            "meta": {"offset": 4 + size + len(state), "size": len(meta), "encoding": "json"},
        }
        head = json.dumps(index | {"sections": sections}).encode().ljust(size)
        path.write_bytes(size.to_bytes(4, "big") + head + state + meta)
        return paths_named_by(api.load(path).collection)

    assert named(json.dumps({"volume_paths": ["/a/t.mrc", "b.mrc", 3, "s3://x", "", "x" * 2000]}).encode()) == (
        "/a/t.mrc",
        str(tmp_path / "b.mrc"),
    )
    for odd in (b"", b"[]", b"\xff", b'{"volume_paths": 3}', b'{"volume_paths": {"a": 1}}', b"[" * 9999):
        assert named(odd) == ()
    assert paths_named_by(api.load(tmp_path / "s.pickle").collection) == ()


def test_the_command_line_shows_a_tomogram(tmp_path: Path, tomogram: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import bpy

    from mosaic_addon.cli import main
    from mosaic_addon.scene.tomograms.reading import shown_in_full
    from mosaic_addon.scene.tomograms.slices import position_of, slices_of
    from mosaic_addon.scene.tomograms.tomogram import tomograms_in

    session = write_session(tmp_path / "s.pickle", [cloud("points")])
    blend = str(tmp_path / "s.blend")
    command = ["import", str(session), "-o", blend, "--tomogram", str(tomogram)]
    assert main([*command, "--slice", "XY=5", "--slice", "YZ"]) == 0
    assert "28 x 24 x 20 voxels, 1 nm a voxel" in capsys.readouterr().err
    bpy.ops.wm.open_mainfile(filepath=blend)
    (box,) = tomograms_in(bpy.context.scene)
    assert [round(position_of(obj)) for obj in slices_of(box)] == [50, 135]
    assert main([*command, "--full-slices"]) == 0
    bpy.ops.wm.open_mainfile(filepath=blend)
    (box,) = tomograms_in(bpy.context.scene)
    assert shown_in_full(box) == [(0, 14), (1, 12), (2, 10)]
    assert main([*command, "--slice", "ZZ"]) == 2
    assert main(["import", str(session), "-o", blend, "--full-slices"]) == 2
    assert main(["import", str(session), "-o", blend, "--slice", "XY"]) == 2
    assert main([*command[:-1], str(tmp_path / "none.mrc")]) == 1
    assert "none.mrc does not exist" in capsys.readouterr().err
    assert open_session(session).geometries
