"""A tomogram is drawn as numpy interpolates it, wherever its slices stand, and nothing of it gets into a session."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mosaic_addon.scene.tomograms import atlas
from mosaic_addon.session import MosaicError
from tests.support.built import build, datablocks
from tests.support.make_sessions import cloud, mesh, write_session
from tests.support.saved_sessions import differences
from tests.support.tomograms import write_mrc

SIZE = 64
VOXEL, START = (10.0, 12.0, 14.0), (5.0, -6.0, 7.0)


def noise(shape: tuple[int, int, int] = (23, 31, 27)) -> np.ndarray:
    return np.random.default_rng(1).normal(size=shape).astype(np.float32)


def add(bpy: ModuleType, values: np.ndarray | None = None, bits: int = 8, **options: Any) -> Any:
    from mosaic_addon.scene.tomograms.tomogram import add_tomogram
    from mosaic_addon.scene.tomograms.volume import Shown

    shown = Shown(noise() if values is None else values, VOXEL, START, bits=bits, path="/t.mrc")
    return add_tomogram(bpy.context.scene, shown, **options)


# --- the image -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("shape", [(23, 31, 27), (1, 1, 1), (2, 5, 1), (4, 1, 7), (3, 2, 2), (7, 3, 3)])
def test_an_image_gives_the_volume_back(shape: tuple[int, int, int], bits: int) -> None:
    values = noise(shape)
    grid = atlas.grid_for((shape[2], shape[1], shape[0]))
    low, high = atlas.range_of(values, 16)
    png = atlas.encode(values, grid, (low, high), bits)
    back = atlas.decode(png, grid, (low, high))
    assert np.abs(back - values).max() <= 0.51 * (high - low) / (2**bits - 1)


def test_the_largest_image_fits_into_graphics_cards() -> None:
    grid = atlas.grid_for((4000, 4000, 48))
    assert max(grid.size) <= atlas.LARGEST
    assert grid.columns * grid.rows >= grid.tiles
    with pytest.raises(MosaicError, match="too large"):
        atlas.grid_for((4000, 4000, 200))
    with pytest.raises(MosaicError, match="too large"):
        atlas.grid_for((20000, 10, 10))


def test_what_another_program_made_of_the_image_is_refused() -> None:
    values = noise((4, 5, 6))
    grid = atlas.grid_for((6, 5, 4))
    png = atlas.encode(values, grid, (0.0, 1.0), 8)
    for bad in (b"", png[:60], png[:20] + b"x" + png[21:], b"\x89PNG" * 40):
        with pytest.raises(MosaicError, match="changed by another program"):
            atlas.decode(bad, grid, (0.0, 1.0))


def test_odd_values_are_shown(bpy: ModuleType) -> None:
    from mosaic_addon.scene.tomograms.tomogram import look_of, values_of_tomogram

    values = noise()
    values[3, 4, 5] = np.nan
    values[3, 4, 6] = np.inf
    box = add(bpy, values)
    assert np.isfinite(values_of_tomogram(box)).all()
    assert look_of(box).black < look_of(box).white
    flat = add(bpy, np.full((3, 4, 5), 7, np.int16))
    assert look_of(flat).black < look_of(flat).white
    with pytest.raises(MosaicError, match="three axes"):
        add(bpy, np.zeros((3, 4)))


# --- pictures --------------------------------------------------------------------------------------------------------


def shown_values(bpy: ModuleType, tmp_path: Path, box: Any, obj: Any) -> tuple[np.ndarray, np.ndarray]:
    """What the nodes give at each pixel of a picture that looks straight at a slice, and the places in the box."""
    from mathutils import Matrix, Vector

    from mosaic_addon.scene.tomograms.slices import own_normal
    from mosaic_addon.scene.tomograms.tomogram import material_for

    scene = bpy.context.scene
    tree = material_for(box).node_tree
    looked = next(node for node in tree.nodes if "Value" in node.outputs)
    glow, both = (tree.nodes.new(kind) for kind in ("ShaderNodeEmission", "ShaderNodeCombineXYZ"))
    for name, target in (("Value", "X"), ("Seen", "Y")):
        tree.links.new(looked.outputs[name], both.inputs[target])
    tree.links.new(both.outputs[0], glow.inputs["Color"])
    end = next(node for node in tree.nodes if node.bl_idname == "ShaderNodeOutputMaterial")
    tree.links.new(glow.outputs[0], end.inputs["Surface"])
    data = bpy.data.cameras.new("Camera")
    data.type, data.ortho_scale = "ORTHO", 0.4
    scene.camera = bpy.data.objects.new("Camera", data)
    scene.collection.objects.link(scene.camera)
    bpy.context.view_layer.update()
    place = obj.matrix_world.normalized()
    facing = Vector(own_normal(obj)).to_track_quat("Z", "Y").to_matrix().to_4x4()
    scene.camera.matrix_world = place @ facing @ Matrix.Translation((0, 0, 1))
    render = scene.render
    render.engine, render.resolution_x, render.resolution_y = "CYCLES", SIZE, SIZE
    scene.cycles.samples, scene.cycles.use_denoising = 1, False
    scene.cycles.pixel_filter_type, scene.cycles.filter_width = "BOX", 0.01
    scene.view_settings.view_transform = "Raw"
    render.image_settings.file_format, render.image_settings.color_depth = "OPEN_EXR", "32"
    render.filepath = str(tmp_path / "p.exr")
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(render.filepath)
    image.colorspace_settings.name = "Non-Color"
    pixels = np.empty(SIZE * SIZE * 4, np.float32)
    image.pixels.foreach_get(pixels)
    along = ((np.arange(SIZE) + 0.5) / SIZE - 0.5) * 0.4
    x, y = np.meshgrid(along, along)
    seen = np.stack([x, y, np.full_like(x, -1), np.ones_like(x)], axis=-1).reshape(-1, 4)
    to_box = np.linalg.inv(np.array(box.matrix_world)) @ np.array(scene.camera.matrix_world)
    return pixels.reshape(-1, 4), (seen @ to_box.T)[:, :3]


@pytest.mark.parametrize(("bits", "average"), [(8, 1), (16, 1), (8, 4)])
def test_a_turned_slice_shows_what_numpy_interpolates(bpy: ModuleType, tmp_path: Path, bits: int, average: int) -> None:
    from dataclasses import replace

    from mosaic_addon.scene.tomograms.slices import add_slice
    from mosaic_addon.scene.tomograms.tomogram import look_of, set_look, volume_of

    values = noise()
    box = add(bpy, values, bits)
    box.rotation_euler = (0.3, -0.2, 0.7)  # and whatever it hangs on
    obj = add_slice(box, "XY")
    obj.rotation_euler = (0.5, 0.3, 0.2)
    set_look(box, replace(look_of(box), average=average))
    pixels, places = shown_values(bpy, tmp_path, box, obj)
    volume = volume_of(box)
    low, high = volume.value_range
    normal = np.array(obj.rotation_euler.to_matrix())[:, 2]
    wanted = np.zeros(len(places), np.float32)
    kept = np.clip(values, low, high)
    for number in range(average):
        moved = places + normal * (number - (average - 1) / 2) * volume.distance
        wanted += atlas.interpolate(kept, (moved - START) / VOXEL) / average
    inside = (pixels[:, 1] > 0.5) & np.isfinite(wanted)
    assert inside.mean() > 0.4
    assert np.abs(pixels[:, 0] - wanted)[inside].max() < 0.004 * (high - low)
    # Beyond the box it is clear: the few that differ lie on its faces.
    middle = atlas.interpolate(kept, (places - START) / VOXEL)
    assert (np.isfinite(middle) < (pixels[:, 1] > 0.5)).sum() < 5


def test_black_and_white_are_black_and_white(bpy: ModuleType, tmp_path: Path) -> None:
    from PIL import Image

    from mosaic_addon.scene.pictures.looks import apply_look
    from mosaic_addon.scene.pictures.render import render_to
    from mosaic_addon.scene.tomograms.slices import add_slice
    from mosaic_addon.scene.tomograms.tomogram import Look, set_look

    values = np.zeros((3, 4, 4), np.float32)
    values[:, :, 2:] = 1.0
    values[:, 2:, :] += 2.0
    box = add(bpy, values)
    add_slice(box, "XY")
    scene = bpy.context.scene
    data = bpy.data.cameras.new("Camera")
    data.type, data.ortho_scale = "ORTHO", 0.03
    scene.camera = bpy.data.objects.new("Camera", data)
    scene.collection.objects.link(scene.camera)
    scene.camera.location = (0.02, 0.012, 1)
    scene.render.engine, scene.cycles.samples, scene.cycles.use_denoising = "CYCLES", 1, False
    scene.render.resolution_x = scene.render.resolution_y = 20

    def corners() -> list[int]:
        render_to(scene, tmp_path / "p.png")
        with Image.open(tmp_path / "p.png") as image:
            pixels = np.asarray(image.convert("RGB"))
        return [int(pixels[row, column, 0]) for row in (18, 1) for column in (1, 18)]

    for look in ("flat", "full"):
        apply_look(scene, look)
        set_look(box, Look(0.0, 3.0))
        assert np.allclose(corners(), [0, 85, 170, 255], atol=4), look
        set_look(box, Look(0.0, 3.0, invert=True))
        assert np.allclose(corners(), [255, 170, 85, 0], atol=4), look
    set_look(box, Look(1.0, 2.0))
    assert np.allclose(corners(), [0, 0, 255, 255], atol=4)
    apply_look(scene, "flat")
    set_look(box, Look(-1.0, 0.0, threshold=1.5, color_map="grey_r"))
    assert corners()[2:] == [0, 0]
    assert corners()[:2] == corners()[:1] * 2 != [0, 0]


# --- slices ----------------------------------------------------------------------------------------------------------


def test_slices_are_numbered_as_in_the_file(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.tomograms import slices
    from mosaic_addon.scene.tomograms.reading import TomogramOptions, open_tomogram, said_of
    from mosaic_addon.scene.tomograms.tomogram import volume_of

    path = write_mrc(tmp_path / "t.mrc", noise((24, 30, 36)), (10.0, 10.0, 20.0))
    box = open_tomogram(bpy.context.scene, path, options=TomogramOptions(megabytes=0.004))
    assert volume_of(box).binning == 2
    assert said_of(box) == "18 x 15 x 12 voxels, binned 2 x: 2 x 2 x 4 nm a voxel"
    assert np.allclose(box.bound_box[0], (-5, -5, -10))
    assert np.allclose(box.bound_box[6], (355, 295, 470))
    xy, xz, yz = slices.slices_of(box)
    assert [slices.axis_of(obj) for obj in (xy, xz, yz)] == [2, 1, 0]
    assert [slices.number_of(obj) for obj in (xy, xz, yz)] == pytest.approx([11.5, 14.5, 17.5])
    slices.set_number(xy, 3)
    assert xy.location[:] == pytest.approx((175, 145, 60))
    assert slices.position_of(xy) == pytest.approx(60)
    turned = slices.add_slice(box, normal=(1, 1, 0))
    assert slices.axis_of(turned) is None
    before = slices.position_of(turned)
    slices.set_position(turned, before + 10)
    assert turned.location[:] == pytest.approx((175 + 10 / math.sqrt(2), 145 + 10 / math.sqrt(2), 230))
    with pytest.raises(MosaicError, match="no plane"):
        slices.add_slice(box, "ZZ")


@pytest.mark.parametrize("plane", ["XY", "XZ", "YZ"])
def test_a_slice_shows_what_the_file_has(bpy: ModuleType, tmp_path: Path, plane: str) -> None:
    from mosaic_addon.scene.tomograms.nodes import drop_full_slices
    from mosaic_addon.scene.tomograms.reading import TomogramOptions, open_tomogram, show_full, shown_in_full
    from mosaic_addon.scene.tomograms.slices import PLANES, number_of, set_number, slices_of
    from mosaic_addon.scene.tomograms.tomogram import density_of, volume_of

    values = noise((40, 44, 48))
    path = write_mrc(tmp_path / "t.mrc", values, (5.0, 6.0, 7.0))
    box = open_tomogram(bpy.context.scene, path, options=TomogramOptions(megabytes=0.004, planes=(plane,)))
    assert volume_of(box).binning == 3
    (obj,) = slices_of(box)
    set_number(obj, 7.3)
    show_full(obj)
    assert number_of(obj) == pytest.approx(7)
    assert shown_in_full(box) == [(PLANES[plane], 7)]
    nodes, images = len(density_of(box).nodes), len(bpy.data.images)
    show_full(obj)
    assert (len(density_of(box).nodes), len(bpy.data.images)) == (nodes, images)
    pixels, places = shown_values(bpy, tmp_path, box, obj)
    low, high = volume_of(box).value_range
    wanted = atlas.interpolate(np.clip(values, low, high), places / (5.0, 6.0, 7.0))
    inside = (pixels[:, 1] > 0.5) & np.isfinite(wanted)
    assert inside.mean() > 0.2
    assert np.abs(pixels[:, 0] - wanted)[inside].max() < 0.006 * (high - low)
    drop_full_slices(density_of(box))
    assert shown_in_full(box) == []
    obj.rotation_euler = (0.1, 0.1, 0.1)
    with pytest.raises(MosaicError, match="is turned"):
        show_full(obj)


def test_settings_are_read_back(bpy: ModuleType) -> None:
    from mosaic_addon.scene.tomograms.tomogram import Look, fitting_contrast, look_of, set_look

    box = add(bpy)
    look = Look(-1.0, 2.0, 0.5, True, "viridis", 0.25, 0.75, 5)
    set_look(box, look)
    assert look_of(box) == look
    set_look(box, Look(0.0, 1.0, color_map="viridis_r"))
    assert look_of(box).invert
    for wrong in (
        Look(0.0, 1.0, average=0),
        Look(0.0, 1.0, gamma=0.0),
        Look(math.nan, 1.0),
        Look(0.0, 1.0, color_map="x"),
    ):
        with pytest.raises(MosaicError):
            set_look(box, wrong)
    assert fitting_contrast(box, (0.0, 1.0)) == pytest.approx((noise().min(), noise().max()), abs=0.05)


# --- beside sessions -------------------------------------------------------------------------------------------------


def a_session(bpy: ModuleType, tmp_path: Path) -> tuple[Path, Any]:
    path = write_session(tmp_path / "s.pickle", [cloud("points")], [mesh("mesh")])
    return path, build(bpy, path)


def test_a_session_does_not_notice_tomograms(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.tomograms.slices import add_slice

    path, imported = a_session(bpy, tmp_path)
    api.save(imported, tmp_path / "before.pickle")
    box = add(bpy, session=imported.collection)
    assert box.parent == imported.root
    obj = add_slice(box, "XZ")
    group = imported.collection.children[0]
    group.objects.link(obj)  # as after a drag in the Outliner
    group.objects.link(box)
    scene, layer = bpy.context.scene, bpy.context.view_layer
    layer.update()
    assert not api.unsaved_changes(imported.collection, scene, layer)
    saved = api.save(imported, tmp_path / "after.pickle")
    assert not saved.warnings
    assert differences(path, tmp_path / "after.pickle") == []
    assert (tmp_path / "before.pickle").read_bytes() == (tmp_path / "after.pickle").read_bytes()


def test_a_removed_tomogram_leaves_nothing(bpy: ModuleType, tmp_path: Path) -> None:
    from dataclasses import replace

    from mosaic_addon.scene.tomograms.slices import add_slice, remove_slice
    from mosaic_addon.scene.tomograms.surfaces import wear_tomogram
    from mosaic_addon.scene.tomograms.tomogram import look_of, remove_tomogram, set_look

    _, imported = a_session(bpy, tmp_path)
    first = add(bpy, session=imported.collection)
    add_slice(first, "XY")
    remove_tomogram(first)  # what all tomograms share stays
    before = datablocks(bpy)
    nodes = len(imported.objects[1].material_slots[0].material.node_tree.nodes)
    box = add(bpy, session=imported.collection)
    other = add(bpy, session=imported.collection)
    for each in (box, other):
        add_slice(each, "XY")
        remove_slice(add_slice(each, normal=(1, 2, 3)))
        set_look(each, replace(look_of(each), average=3))
    wear_tomogram(imported.objects, box)
    remove_tomogram(box)
    remove_tomogram(other)
    assert datablocks(bpy) == before
    assert len(imported.objects[1].material_slots[0].material.node_tree.nodes) == nodes


def test_a_copy_that_was_made_by_hand_gets_nodes_of_its_own(bpy: ModuleType) -> None:
    from mosaic_addon.scene.tomograms.slices import add_slice
    from mosaic_addon.scene.tomograms.tomogram import (
        density_of,
        group_of,
        image_of,
        refresh,
        remove_tomogram,
        tomograms_in,
    )

    before = datablocks(bpy)
    box = add(bpy)
    obj = add_slice(box, "XY")
    copy, slice_copy = box.copy(), obj.copy()
    slice_copy.parent = copy
    for each in (copy, slice_copy):
        bpy.context.scene.collection.objects.link(each)
    refresh(bpy.context.scene)
    assert group_of(copy) != group_of(box)
    assert image_of(copy) == image_of(box)
    assert {node.object for node in density_of(copy).nodes if node.bl_idname == "ShaderNodeTexCoord"} == {copy}
    assert {node.object for node in density_of(box).nodes if node.bl_idname == "ShaderNodeTexCoord"} == {box}
    assert slice_copy.material_slots[0].material != obj.material_slots[0].material
    bpy.data.objects.remove(box)
    refresh(bpy.context.scene)
    assert tomograms_in(bpy.context.scene) == [copy]
    assert [each for each in bpy.context.scene.objects if each.type == "MESH"] == [copy, slice_copy]
    remove_tomogram(copy)
    left = {name for kind, name, _ in datablocks(bpy) - before if kind not in ("meshes", "collections")}
    assert not {name for name in left if "Tomogram" in name or "Density" in name}


def test_a_saved_blend_keeps_its_tomogram(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.tomograms.reading import file_of, open_tomogram
    from mosaic_addon.scene.tomograms.tomogram import image_of, tomograms_in, values_of_tomogram

    path = write_mrc(tmp_path / "t.mrc", noise())
    blend = str(tmp_path / "s.blend")
    bpy.ops.wm.save_as_mainfile(filepath=blend)
    box = open_tomogram(bpy.context.scene, path)
    values = values_of_tomogram(box)
    bpy.ops.wm.save_as_mainfile(filepath=blend)
    path.rename(tmp_path / "gone.mrc")
    bpy.ops.wm.open_mainfile(filepath=blend)
    (box,) = tomograms_in(bpy.context.scene)
    np.testing.assert_array_equal(values_of_tomogram(box), values)
    assert image_of(box).size[0] > 1
    assert file_of(box) == path
    assert "//t.mrc" in box["mosaic_tomogram"]


@pytest.mark.parametrize("change", [{"shape": [0, 1, 2]}, {"columns": 10**9}, {"voxel_size": [1, 1]}, {"start": None}])
def test_a_tampered_tomogram_is_told(bpy: ModuleType, change: dict[str, Any]) -> None:
    from mosaic_addon.scene.tomograms.slices import add_slice
    from mosaic_addon.scene.tomograms.tomogram import remove_tomogram, values_of_tomogram

    box = add(bpy)
    box["mosaic_tomogram"] = json.dumps(json.loads(box["mosaic_tomogram"]) | change)
    for use in (values_of_tomogram, add_slice):
        with pytest.raises(MosaicError, match="is no tomogram"):
            use(box)
    remove_tomogram(box)


# --- on surfaces -----------------------------------------------------------------------------------------------------


def test_density_on_points_is_kept_and_saved(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.tomograms.surfaces import keep_density, unused_name, wear_tomogram, worn_by

    points = np.float32([[0, 0, 0], [10, 20, 30], [15, 25, 35], [5000, 0, 0]])
    imported = build(bpy, write_session(tmp_path / "s.pickle", [cloud("points", points=points)]))
    values = noise()
    box = add(bpy, values, session=imported.collection)
    (obj,) = imported.objects
    assert keep_density([obj], box) == 1
    api.save(imported, tmp_path / "again.pickle")
    kept = api.open_session(tmp_path / "again.pickle").geometries[0].vertex_properties["density"]
    wanted = atlas.interpolate(values, (points - START) / VOXEL)
    np.testing.assert_allclose(kept, wanted, atol=0.05)
    assert np.isnan(kept[-1])
    with pytest.raises(api.MosaicError, match="'density' already"):  # it may be the file's own
        keep_density([obj], box)
    assert keep_density([obj], box, unused_name([obj], "density"), 3.0) == 1
    api.save(imported, tmp_path / "both.pickle")
    both = api.open_session(tmp_path / "both.pickle").geometries[0].vertex_properties
    assert set(both) == {"density", "density 2"}
    np.testing.assert_array_equal(both["density"], kept)
    api.color_by([obj], "density")
    assert wear_tomogram([obj], box, 25.0) == 1
    assert worn_by(obj) == (box, 25.0)
    api.uncolor([obj])
    assert worn_by(obj) is None
