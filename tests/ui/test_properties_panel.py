"""The properties of the sidebar: views of Blender's own data, set on all selected objects; and Reset to File."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.scene.test_surfaces import a_volume
from tests.support.make_sessions import cloud, mesh, properties, trajectory, volume, write_session


@pytest.fixture
def addon(bpy: ModuleType) -> Iterator[ModuleType]:
    import mosaic_addon

    mosaic_addon.register()
    yield bpy
    mosaic_addon.unregister()


@pytest.fixture
def opened(addon: ModuleType, tmp_path: Path) -> ModuleType:
    """A session with two clouds, a mesh, a trajectory; nothing selected."""
    return open_session(
        addon,
        tmp_path,
        cloud("first", 4, vertex_properties=properties(4, {"height": np.arange(4.0)})),
        cloud("second", 4, appearance={"size": 3, "base_color": (0.1, 0.5, 0.9)}),
        cloud("third", 4),
        mesh("mesh"),
        trajectory("moving"),
    )


def open_session(bpy: ModuleType, tmp_path: Path, *geometries: Any) -> ModuleType:
    bpy.ops.mosaic.load_session(filepath=str(write_session(tmp_path / "s.pickle", geometries)))
    return bpy


def select(bpy: ModuleType, *names: str) -> list[Any]:
    """Select objects, the first of them active."""
    for obj in bpy.context.view_layer.objects:
        obj.select_set(obj.name in names)
    objects = [bpy.data.objects[name] for name in names]
    bpy.context.view_layer.objects.active = objects[0] if objects else None
    return objects


def panel(bpy: ModuleType) -> Any:
    return bpy.context.scene.mosaic_properties


def surface(obj: Any) -> Any:
    return obj.material_slots[0].material.node_tree.nodes["Mosaic Surface"].inputs


def modifier_input(obj: Any, name: str) -> Any:
    from mosaic_addon.scene.drawing.representations import input_of

    return input_of(obj, name)


# --- one edit, all selected ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["opacity", "ambient", "diffuse", "specular"])
def test_a_weight_is_that_of_the_material_of_all_selected_ones(opened: ModuleType, name: str) -> None:
    first, second = select(opened, "first", "second")
    third = opened.data.objects["third"]
    before = surface(third)[name.capitalize()].default_value
    setattr(panel(opened), name, 0.25)
    assert [surface(obj)[name.capitalize()].default_value for obj in (first, second)] == [0.25, 0.25]
    assert surface(third)[name.capitalize()].default_value == before
    assert getattr(panel(opened), name) == 0.25


def test_size_spheres_and_timing_are_inputs_of_the_modifier(opened: ModuleType) -> None:
    first, moving = select(opened, "first", "moving")
    values = panel(opened)
    values.size, values.render_spheres = 5.5, False
    values.start, values.step, values.loop = 7, 3, True
    assert (modifier_input(first, "Size"), modifier_input(first, "Spheres")) == (5.5, False)
    assert [modifier_input(moving, name) for name in ("Size", "Start", "Step", "Loop")] == [5.5, 7, 3, True]
    select(opened, "moving")
    assert (values.size, values.render_spheres, values.start, values.step, values.loop) == (5.5, False, 7, 3, True)


def test_the_base_colour_is_what_all_views_draw(opened: ModuleType) -> None:
    first, second = select(opened, "first", "second")
    panel(opened).base_color = (0.5, 0.25, 0.125)
    for obj in (first, second):
        assert list(surface(obj)["Color"].default_value) == [0.5, 0.25, 0.125, 1]
        assert list(obj.color)[:3] == list(obj.material_slots[0].material.diffuse_color)[:3] == [0.5, 0.25, 0.125]
    panel(opened).opacity = 0.5
    assert first.color[3] == first.material_slots[0].material.diffuse_color[3] == 0.5


def test_a_swatch_is_mosaics_colour_to_the_last_digit(opened: ModuleType) -> None:
    from mosaic_addon.scene.drawing.color_maps import to_scene
    from mosaic_addon.ui.properties.swatches import COLORS

    first, second = select(opened, "first", "second")
    assert opened.ops.mosaic.set_base_color(color=COLORS["Sand"]) == {"FINISHED"}
    expected = to_scene(np.array(COLORS["Sand"])).astype(np.float32)
    for obj in (first, second):
        assert np.allclose(surface(obj)["Color"].default_value[:3], expected, atol=1e-7)
    select(opened)
    assert not opened.ops.mosaic.set_base_color.poll()


def test_a_representation_goes_to_those_that_offer_it(opened: ModuleType) -> None:
    from mosaic_addon.scene.drawing.representations import representation_of

    first, made_of_faces = select(opened, "first", "mesh")
    values = panel(opened)
    assert values.representation == "pointcloud"
    values.representation = "normals"
    assert [representation_of(obj) for obj in (first, made_of_faces)] == ["normals", "normals"]
    select(opened, "mesh", "first")
    values.representation = "wireframe"
    assert [representation_of(obj) for obj in (first, made_of_faces)] == ["normals", "wireframe"]


def test_the_sampling_rate_is_the_objects_and_arrows_go_by_it(opened: ModuleType) -> None:
    first, second = select(opened, "first", "second")
    before = list(first["mosaic_sampling_rate"])
    modifier_inputs(second).set(second.modifiers["Mosaic"], "Arrow Length", 30.0)
    panel(opened).sampling_rate[0] = 20.1
    assert first["mosaic_sampling_rate"][0] == 20.1
    assert list(first["mosaic_sampling_rate"])[1:] == before[1:]
    assert modifier_input(first, "Arrow Length") == pytest.approx(15 * 20.1)
    assert modifier_input(second, "Arrow Length") == 30  # the user's own


def modifier_inputs(obj: Any) -> Any:
    from mosaic_addon.scene.compat import ModifierInputs

    return ModifierInputs(obj.modifiers["Mosaic"].node_group)


# --- what is shown ---------------------------------------------------------------------------------------------------


def test_what_is_changed_elsewhere_shows(opened: ModuleType) -> None:
    (first,) = select(opened, "first")
    surface(first)["Opacity"].default_value = 0.125
    surface(first)["Color"].default_value = (0.75, 0, 0, 1)
    modifier_inputs(first).set(first.modifiers["Mosaic"], "Size", 2.5)
    modifier_inputs(first).set(first.modifiers["Mosaic"], "Representation", "Basis")
    values = panel(opened)
    assert (values.opacity, values.size, values.representation) == (0.125, 2.5, "basis")
    assert list(values.base_color) == [0.75, 0, 0]


def test_of_different_values_that_of_the_active_object_is_shown(opened: ModuleType) -> None:
    select(opened, "second", "first")
    assert panel(opened).size == 3
    select(opened, "first", "second")
    assert panel(opened).size == 8


def test_without_an_active_geometry_the_first_selected_one_is_shown(opened: ModuleType) -> None:
    select(opened, "second")
    opened.context.view_layer.objects.active = opened.data.objects["s"]  # the session's root
    assert panel(opened).size == 3
    panel(opened).size = 4
    assert modifier_input(opened.data.objects["second"], "Size") == 4


def test_nothing_is_kept_in_the_scene_and_nothing_selected_does_no_harm(opened: ModuleType, tmp_path: Path) -> None:
    select(opened, "first")
    values = panel(opened)
    values.size, values.base_color, values.sampling_rate = 5, (1, 0, 0), (1, 2, 3)
    assert not list(values.keys() if hasattr(values, "keys") else [])
    select(opened)
    values.size, values.opacity = 50, 0.5
    assert modifier_input(opened.data.objects["first"], "Size") == 5
    path = str(tmp_path / "kept.blend")
    opened.ops.wm.save_as_mainfile(filepath=path)
    opened.ops.wm.open_mainfile(filepath=path)
    select(opened, "first")
    assert (panel(opened).size, list(panel(opened).sampling_rate)) == (5, [1, 2, 3])


def test_every_property_can_be_read_whatever_is_active(opened: ModuleType) -> None:
    lost = opened.data.objects.new("lost", None)
    lost["mosaic_class"] = "Geometry"
    opened.context.scene.collection.objects.link(lost)
    names = [item.identifier for item in panel(opened).bl_rna.properties if item.identifier not in ("rna_type", "name")]
    assert len(names) > 15
    for obj in ("first", "mesh", "moving", "lost", "s"):
        select(opened, obj)
        for name in names:
            getattr(panel(opened), name)


def test_no_property_can_be_keyframed_since_the_data_behind_are(opened: ModuleType) -> None:
    definitions = panel(opened).bl_rna.properties
    assert not [item.identifier for item in definitions if item.identifier != "name" and item.is_animatable]


def test_what_is_linked_from_another_file_stays_as_it_is(opened: ModuleType, tmp_path: Path) -> None:
    library = str(tmp_path / "library.blend")
    opened.ops.wm.save_as_mainfile(filepath=library)
    opened.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    with opened.data.libraries.load(library, link=True) as (_, here):
        here.objects = ["first", "moving"]
    for obj in here.objects:
        opened.context.scene.collection.objects.link(obj)
    select(opened, "first", "moving")
    values = panel(opened)
    for name, value in (("size", 2.0), ("opacity", 0.5), ("base_color", (1, 0, 0)), ("sampling_rate", (1, 1, 1))):
        before = getattr(values, name)
        before = list(before) if hasattr(before, "__len__") else before
        setattr(values, name, value)
        after = getattr(values, name)
        assert (list(after) if hasattr(after, "__len__") else after) == before
    values.representation = "normals"
    assert values.representation == "pointcloud"
    assert not opened.ops.mosaic.reset_appearance.poll()
    assert not opened.ops.mosaic.set_base_color.poll()


# --- colour by property ----------------------------------------------------------------------------------------------


def test_map_and_range_are_those_of_the_materials_nodes(opened: ModuleType) -> None:
    from mosaic_addon.scene.drawing.coloring import coloring_of

    (first,) = select(opened, "first")
    opened.ops.mosaic.color_by(vertex_property="height", color_map="magma")
    values = panel(opened)
    assert (values.color_map, values.low, values.high, values.reverse) == ("magma", 0, 3, False)
    values.low, values.high, values.gamma, values.reverse = 1, 2, 2.0, True
    values.color_map = "plasma"
    coloring = coloring_of(first)
    assert coloring is not None
    assert (coloring.property, coloring.color_map, coloring.value_range) == ("height", "plasma", (1, 2))
    assert (coloring.gamma, coloring.reverse) == (2, True)
    values.color_map = "tab10"
    values.categories = True
    assert coloring_of(first).categories  # type: ignore[union-attr]


def test_a_map_goes_to_all_selected_ones_each_in_its_own_range(addon: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing.coloring import coloring_of

    made = [
        cloud(name, 2, vertex_properties=properties(2, {"h": np.array([0.0, top])}))
        for name, top in (("a", 1), ("b", 5))
    ]
    open_session(addon, tmp_path, *made, cloud("plain", 2))
    for name in ("a", "b"):
        select(addon, name)
        addon.ops.mosaic.color_by(vertex_property="h")
    select(addon, "a", "b", "plain")
    panel(addon).color_map = "inferno"
    found = [coloring_of(addon.data.objects[name]) for name in ("a", "b")]
    assert [(one.color_map, one.value_range) for one in found if one] == [("inferno", (0, 1)), ("inferno", (0, 5))]
    assert coloring_of(addon.data.objects["plain"]) is None


# --- volumes ---------------------------------------------------------------------------------------------------------


def test_the_isovalue_goes_to_all_selected_volumes_and_to_no_other(addon: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing.surfaces import volume_mesh

    shared = a_volume("one").volume
    made = [a_volume(name, volume=shared) for name in ("one", "two", "three")]
    open_session(addon, tmp_path, *made)
    one, two, three = (addon.data.objects[name] for name in ("one", "two", "three"))
    assert volume_mesh(one) == volume_mesh(two) == volume_mesh(three)
    select(addon, "one", "two")
    before = len(volume_mesh(three).vertices)
    values = panel(addon)
    assert (values.isovalue_percentile, values.automatic_isovalue) == (90, False)
    values.isovalue_percentile = 70.1
    assert volume_mesh(one) == volume_mesh(two) != volume_mesh(three)
    assert volume_mesh(one)["mosaic_isovalue_percentile"] == 70.1
    assert volume_mesh(three)["mosaic_isovalue_percentile"] == 90
    assert len(volume_mesh(three).vertices) == before != len(volume_mesh(one).vertices)
    meshes = len(addon.data.meshes)
    values.target_resolution = 25
    assert volume_mesh(two)["mosaic_target_resolution"] == 25
    values.automatic_isovalue = True
    assert "mosaic_isovalue_percentile" not in volume_mesh(two)
    assert values.automatic_isovalue
    assert len(addon.data.meshes) == meshes  # their own already


def test_an_isovalue_without_surface_is_told_and_the_old_one_stays(addon: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing.surfaces import volume_mesh
    from mosaic_addon.ui.properties.properties import trouble_of

    steps = np.zeros((6, 6, 6), np.float32)
    steps[2:4, 2:4, 2:4] = 1
    open_session(addon, tmp_path, a_volume(volume=steps, percentile=98.0))
    (obj,) = select(addon, "volume")
    panel(addon).isovalue_percentile = 0
    assert panel(addon).isovalue_percentile == 98
    assert "no surface" in trouble_of(volume_mesh(obj))
    panel(addon).isovalue_percentile = 97.5
    assert trouble_of(volume_mesh(obj)) is None
    assert panel(addon).isovalue_percentile == 97.5


# --- back to the file ------------------------------------------------------------------------------------------------


def everything(bpy: ModuleType) -> dict[str, Any]:
    """All that the panel shows of each object, as it is stored."""
    from mosaic_addon.scene.drawing.coloring import coloring_of
    from mosaic_addon.scene.drawing.surfaces import volume_mesh

    found = {}
    for obj in bpy.data.objects:
        if "mosaic_class" in obj:
            contour = volume_mesh(obj)
            found[obj.name] = [
                [tuple(s.default_value) if s.type == "RGBA" else s.default_value for s in surface(obj)],
                tuple(obj.color),
                {name: modifier_input(obj, name) for name in ("Size", "Spheres", "Representation", "Arrow Length")},
                list(obj["mosaic_sampling_rate"]),
                coloring_of(obj),
                contour and (contour.get("mosaic_isovalue_percentile"), contour["mosaic_target_resolution"]),
            ]
    return found


def test_a_reset_gives_back_what_the_file_said(addon: ModuleType, sessions: Path) -> None:
    addon.ops.mosaic.load_session(filepath=str(sessions / "mosaic-1.3.2.pickle"))
    before = everything(addon)
    assert len(before) == 40
    for name in before:
        addon.data.objects[name].hide_set(False)  # what is hidden cannot be selected
    select(addon, *before)
    values = panel(addon)
    values.size, values.opacity, values.ambient, values.base_color = 3.25, 0.5, 0.1, (0, 0, 1)
    values.diffuse, values.specular, values.render_spheres, values.sampling_rate = 0.2, 0.9, False, (3, 4, 5)
    values.target_resolution = 13
    for name in before:
        select(addon, name)
        values.representation = "pointcloud"
    select(addon, "oriented, coloured, props")
    addon.ops.mosaic.color_by(vertex_property="curvature")
    changed = everything(addon)
    assert not [name for name in before if changed[name] == before[name]]
    select(addon, *before)
    assert addon.ops.mosaic.reset_appearance() == {"FINISHED"}
    after = everything(addon)
    for name in before:
        assert after[name] == before[name], name


def test_a_reset_of_many_copies_that_share_a_surface_makes_none(addon: ModuleType, tmp_path: Path) -> None:
    shared = volume().volume
    open_session(addon, tmp_path, *[a_volume(str(number), volume=shared) for number in range(5)])
    meshes = len(addon.data.meshes)
    select(addon, *map(str, range(5)))
    panel(addon).opacity = 0.5
    addon.ops.mosaic.reset_appearance()
    assert len(addon.data.meshes) == meshes
    assert panel(addon).opacity == 1


def test_a_damaged_record_is_reported_and_changes_nothing(opened: ModuleType) -> None:
    first, second = select(opened, "first", "second")
    panel(opened).size = 5
    second["mosaic_record"] = b"\x80\x04N."
    with pytest.raises(RuntimeError, match="damaged"):
        opened.ops.mosaic.reset_appearance()
    assert modifier_input(first, "Size") == 5


def test_only_what_came_from_a_session_can_be_reset(opened: ModuleType) -> None:
    (first,) = select(opened, "first")
    assert opened.ops.mosaic.reset_appearance.poll()
    del first["mosaic_record"]
    assert not opened.ops.mosaic.reset_appearance.poll()


# --- coming and going ------------------------------------------------------------------------------------------------


def test_disabled_and_enabled_again_it_shows_the_same(opened: ModuleType) -> None:
    import mosaic_addon

    select(opened, "second")
    panel(opened).size = 6
    mosaic_addon.unregister()
    assert not hasattr(opened.types.Scene, "mosaic_properties")
    assert not [name for name in dir(opened.types) if name.startswith(("MOSAIC_", "Mosaic"))]
    mosaic_addon.register()
    assert panel(opened).size == 6
