"""Membrane Surface in Blender: made when it is asked for, kept in the .blend, coloured, and no part of a session."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mosaic_addon.session import MosaicError, open_session
from tests.support.built import build, datablocks, set_input
from tests.support.drawn import Part, parts_of
from tests.support.make_sessions import cloud, mesh, properties, write_session

RATE = 5.0  # angstrom
RADIUS = 80.0


def shell(radius: float = RADIUS) -> np.ndarray:
    """The voxels of a sphere, (n, 3) angstrom."""
    away = np.random.default_rng(2).normal(size=(60_000, 3))
    points = radius * away / np.linalg.norm(away, axis=1)[:, None]
    return (np.unique(np.rint(points / RATE), axis=0) * RATE).astype(np.float32)


def membrane(name: str = "membrane", points: np.ndarray | None = None, **state: Any) -> Any:
    points = shell() if points is None else points
    return cloud(name, len(points), points=points, sampling_rate=np.full(3, RATE, np.float32), **state)


def objects_of(bpy: ModuleType, tmp_path: Path, *geometries: Any) -> list[Any]:
    path = write_session(tmp_path / "s.pickle", list(geometries))
    return build(bpy, path, angstrom_per_unit=1.0, recentre=False, pixel_size=2.0).objects


def show_as_membrane(*objects: Any, **choices: Any) -> None:
    from mosaic_addon import api

    api.show_as(objects, "membrane_surface", **choices)


def drawn(bpy: ModuleType, obj: Any) -> Part:
    (part,) = parts_of(bpy, obj)
    return part


def input_of(obj: Any, name: str) -> Any:
    from mosaic_addon.scene.drawing.representations import input_of

    return input_of(obj, name)


def steps(part: Part) -> float:
    """How far the normals of neighbouring triangles of the outer side turn, in degrees: the worst of a hundred."""
    corners = np.array(part.corners)
    a, b, c = part.points[corners].transpose(1, 0, 2)
    normals = np.cross(b - a, c - a)
    outer = np.einsum("ij,ij->i", normals, a) > 0
    cosines = np.einsum("ij,ij->i", normals, a) / (np.linalg.norm(normals, axis=1) * np.linalg.norm(a, axis=1))
    return float(np.degrees(np.arccos(np.percentile(cosines[outer], 1))))


def test_the_surface_is_smooth_and_as_thick_as_the_points(bpy: ModuleType, tmp_path: Path) -> None:
    (obj,) = objects_of(bpy, tmp_path, membrane())
    show_as_membrane(obj)
    part = drawn(bpy, obj)
    assert not part.is_cloud
    assert set(part.materials) == {obj.material_slots[0].material.name}
    distance = np.linalg.norm(part.points, axis=1) - RADIUS
    assert RATE <= input_of(obj, "Thickness") < 1.5 * RATE
    assert np.abs(distance).max() < 1.5 * RATE
    assert steps(part) < 8
    show_as_membrane(obj, smoothing=0)
    assert steps(drawn(bpy, obj)) > 15


def test_thickness_is_the_distance_between_its_sides(bpy: ModuleType, tmp_path: Path) -> None:
    (obj,) = objects_of(bpy, tmp_path, membrane())
    for thickness in (8, 20, 40):
        show_as_membrane(obj, thickness=thickness)
        distance = np.linalg.norm(drawn(bpy, obj).points, axis=1) - RADIUS
        assert np.median(distance[distance > 0]) - np.median(distance[distance < 0]) == pytest.approx(thickness, abs=3)


def test_small_pieces_do_not_shrink_to_nothing(bpy: ModuleType, tmp_path: Path) -> None:
    (obj,) = objects_of(bpy, tmp_path, membrane(points=np.zeros((1, 3), np.float32)))
    show_as_membrane(obj, smoothing=200)
    assert np.linalg.norm(drawn(bpy, obj).points, axis=1).min() > 0.4 * RATE


def test_until_it_is_made_the_points_are_drawn(bpy: ModuleType, tmp_path: Path) -> None:
    (obj,) = objects_of(bpy, tmp_path, membrane())
    set_input(obj, "Representation", "Membrane Surface")
    assert drawn(bpy, obj).is_cloud


def test_what_has_no_surface_stays_as_it_is_and_says_why(bpy: ModuleType, tmp_path: Path) -> None:
    far = np.random.default_rng(0).random((30_000, 3)).astype(np.float32) * 1e5
    lone, good, sheet = objects_of(bpy, tmp_path, membrane("lone", far), membrane("good"), mesh("sheet", 3))
    with pytest.raises(MosaicError) as caught:
        show_as_membrane(lone, good, sheet)
    assert "lone: The points are too far apart for a surface" in str(caught.value)
    assert "sheet cannot be drawn as Membrane Surface." in str(caught.value)
    assert [input_of(obj, "Representation") for obj in (lone, good)] == ["Point Cloud", "Membrane Surface"]


def test_values_of_the_nearest_point_colour_it(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon import api

    points = shell()
    columns = properties(len(points), {"height": points[:, 2].copy()})
    before, after = objects_of(
        bpy, tmp_path, membrane("before", vertex_properties=columns), membrane("after", vertex_properties=columns)
    )
    api.color_by([before], "height")
    show_as_membrane(before, after)
    api.color_by([after], "height")
    for obj in (before, after):
        mesh = input_of(obj, "Membrane").data
        heights = np.empty(len(mesh.vertices), np.float32)
        mesh.attributes["height"].data.foreach_get("value", heights)
        places = np.empty(3 * len(heights), np.float32)
        mesh.vertices.foreach_get("co", places)
        np.testing.assert_allclose(heights, places[2::3], atol=3 * RATE)


def test_a_filter_leaves_out_what_lies_beside_the_other_points(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon import api

    points = shell()
    columns = properties(len(points), {"height": points[:, 2].copy()})
    before, after = objects_of(
        bpy, tmp_path, membrane("before", vertex_properties=columns), membrane("after", vertex_properties=columns)
    )
    upper = api.Filter("height", (0.0, RADIUS))
    api.set_filter([before], upper)
    show_as_membrane(before, after)
    api.set_filter([after], upper)
    for obj in (before, after):
        part = drawn(bpy, obj)
        assert len(part.corners)
        assert -3 * RATE < part.points[:, 2].min() < RATE
        api.show_as([obj], "normals")  # arrows are filtered before they are made
        assert min(each.points[:, 2].min() for each in parts_of(bpy, obj)) > -3 * RATE
        show_as_membrane(obj)
        api.clear_filter([obj])
        assert drawn(bpy, obj).points[:, 2].min() < -RADIUS


def test_an_own_shape_stands_in_its_place(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon import api

    points = shell()
    columns = properties(len(points), {"height": points[:, 2].copy()})
    (obj,) = objects_of(bpy, tmp_path, membrane(vertex_properties=columns))
    show_as_membrane(obj)
    whole = drawn(bpy, obj).points
    api.set_filter([obj], api.Filter("height", (0.0, RADIUS)))
    half = drawn(bpy, obj).points
    data = bpy.data.meshes.new("Speck")
    data.from_pydata([(0, 0, 0)], [], [])
    api.set_own_shape([obj], api.OwnShape(bpy.data.objects.new("Speck", data)))
    upper = points[points[:, 2] >= 0]
    specks = np.concatenate([part.points for part in parts_of(bpy, obj)])
    assert len(specks) == len(upper)
    np.testing.assert_allclose(specks.min(axis=0), upper.min(axis=0), atol=1e-3)
    api.clear_own_shape([obj])
    np.testing.assert_array_equal(drawn(bpy, obj).points, half)
    api.clear_filter([obj])
    np.testing.assert_array_equal(drawn(bpy, obj).points, whole)


def test_a_cut_opens_it(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.figures.cuts import Cut, add_cut, facing, remove_cut

    path = write_session(tmp_path / "s.pickle", [membrane()])
    imported = build(bpy, path, angstrom_per_unit=1.0, recentre=False, pixel_size=2.0)
    (obj,) = imported.objects
    show_as_membrane(obj)
    whole = drawn(bpy, obj)
    cut = add_cut(bpy.context.scene, imported.collection, Cut(rotation=facing((1, 0, 0)), cap=(0.0, 0.8, 0.0)))
    part = drawn(bpy, obj)
    assert len(part.corners) == pytest.approx(len(whole.corners) / 2, rel=0.1)
    assert part.points[:, 0].max() < 2 * RATE  # faces go whole, but in the shader
    assert set(part.materials) == {obj.material_slots[0].material.name}
    remove_cut(cut)
    np.testing.assert_array_equal(drawn(bpy, obj).points, whole.points)


def test_a_save_writes_what_the_geometry_had_in_the_file(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon import api

    source = write_session(tmp_path / "s.pickle", [membrane(representation="normals"), membrane("other")])
    imported = build(bpy, source)
    api.save(imported, tmp_path / "before.pickle")
    show_as_membrane(*imported.objects, thickness=33)
    saved = api.save(imported, tmp_path / "saved.pickle")
    assert (tmp_path / "saved.pickle").read_bytes() == (tmp_path / "before.pickle").read_bytes()
    assert any("is shown as Membrane Surface in Blender only" in warning for warning in saved.warnings)
    assert [each.representation for each in open_session(tmp_path / "saved.pickle").clusters] == [
        "normals",
        "pointcloud",
    ]


def test_it_is_kept_in_the_blend_and_leaves_with_the_object(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.outline.duplicate import remove

    (obj,) = objects_of(bpy, tmp_path, membrane())
    before = datablocks(bpy)
    show_as_membrane(obj)
    shown = drawn(bpy, obj).points
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "kept.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "kept.blend"))
    (again,) = (each for each in bpy.data.objects if each.name == "membrane")
    np.testing.assert_array_equal(drawn(bpy, again).points, shown)
    remove([again])
    assert not [each for each in bpy.data.objects if "membrane" in each.name]
    assert len([name for kind, name, _ in before if kind == "meshes"]) == len(bpy.data.meshes)


def test_remaking_takes_the_points_as_they_are_now(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing.membranes import make_membrane
    from mosaic_addon.scene.outline.merge import merge

    small, large = objects_of(bpy, tmp_path, membrane("small"), membrane("large", shell(3 * RADIUS)))
    show_as_membrane(small, thickness=12)
    merge([small, large], None)
    assert np.linalg.norm(drawn(bpy, small).points, axis=1).max() > 2.9 * RADIUS
    assert input_of(small, "Thickness") == 12
    assert make_membrane(small) == ""
    assert RATE <= input_of(small, "Thickness") < 1.5 * RATE
    assert len([each for each in bpy.data.meshes if "Membrane" in each.name]) == 1


def test_surface_to_mesh_makes_a_model_of_it(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.outline.surface_mesh import surface_to_mesh

    (obj,) = objects_of(bpy, tmp_path, membrane())
    with pytest.raises(MosaicError, match="clusters that are shown as Membrane Surface"):
        surface_to_mesh(obj, bpy.context.scene, bpy.context.view_layer)
    show_as_membrane(obj, thickness=10)
    shown = drawn(bpy, obj)
    made = surface_to_mesh(obj, bpy.context.scene, bpy.context.view_layer)
    assert len(made.data.polygons) == len(shown.corners)
    np.testing.assert_allclose(
        np.array([vertex.co for vertex in made.data.vertices]).max(axis=0), shown.points.max(axis=0), rtol=1e-5
    )
