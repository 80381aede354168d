"""How large points are, and of what surfaces, meshes and wireframes are drawn."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.support.built import (
    SCALE,
    build,
    evaluated,
    set_input,
    world,
)
from tests.support.make_sessions import (
    cloud,
    mesh,
    triangular_mesh,
    write_session,
)


def test_points_have_the_radius_of_their_size_in_pixels(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.data.attributes import read_attribute

    look = {"size": 12, "base_color": (1, 0, 0)}
    (obj,) = build(bpy, write_session(tmp_path / "s.pickle", [cloud("c", 7, appearance=look)]), pixel_size=2.5).objects
    drawn = evaluated(bpy, obj)
    assert drawn.mesh is None
    assert np.array_equal(read_attribute(drawn.pointcloud, "radius"), np.full(7, 15, np.float32))
    set_input(obj, "Size", 4.0)
    assert np.array_equal(read_attribute(evaluated(bpy, obj).pointcloud, "radius"), np.full(7, 5, np.float32))


def test_points_become_spheres_where_asked(bpy: ModuleType, tmp_path: Path) -> None:
    path = write_session(tmp_path / "s.pickle", [cloud("c", 7, appearance={"size": 12})])
    (obj,) = build(bpy, path, pixel_size=2.5).objects
    set_input(obj, "Instances", True)
    evaluated(bpy, obj)
    graph = bpy.context.evaluated_depsgraph_get()
    matrices, heights = [], []
    for instance in graph.object_instances:  # each is valid during its turn alone
        if instance.is_instance:
            matrices.append(np.array(instance.matrix_world))
            heights.append(float(np.ptp(extents(instance.object.data)[:, 2])))
    assert len(matrices) == 7
    widths = [np.linalg.norm(matrix[:3, 2]) * height * SCALE for matrix, height in zip(matrices, heights, strict=True)]
    assert widths == pytest.approx([30] * 7, rel=1e-3)
    places = np.array([matrix[:3, 3] for matrix in matrices])
    np.testing.assert_allclose(places, world(obj), atol=1e-5)


def drawn_as(bpy: ModuleType, tmp_path: Path, representation: str) -> Any:
    flat = np.array([[0, 0, 0], [1000, 0, 0], [1000, 1000, 0], [0, 1000, 0]], np.float32)
    model = triangular_mesh(4, vertices=flat.astype(np.float64))
    square = mesh("m", 4, points=flat, model=model, representation=representation, appearance={"size": 10})
    (obj,) = build(bpy, write_session(tmp_path / "s.pickle", [], [square]), pixel_size=2.0).objects
    return evaluated(bpy, obj)


def materials_used(mesh: Any) -> set[str]:
    """Names of the materials of the faces; "" is the object's own slot."""
    indices = np.zeros(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("material_index", indices)
    names = [material.name if material else "" for material in mesh.materials] or [""]
    return {names[index] for index in indices.tolist()}


def extents(mesh: Any) -> np.ndarray:
    points = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", points)
    return np.stack([points.reshape(-1, 3).min(axis=0), points.reshape(-1, 3).max(axis=0)])


def test_a_surface_is_its_triangles(bpy: ModuleType, tmp_path: Path) -> None:
    drawn = drawn_as(bpy, tmp_path, "surface")
    assert drawn.pointcloud is None
    assert (len(drawn.mesh.vertices), len(drawn.mesh.polygons)) == (4, 2)


def test_a_mesh_is_its_triangles_and_black_edges(bpy: ModuleType, tmp_path: Path) -> None:
    drawn = drawn_as(bpy, tmp_path, "mesh")
    assert len(drawn.mesh.polygons) > 2
    assert any(name.startswith("Mosaic Edges") for name in materials_used(drawn.mesh))
    assert any(not name.startswith("Mosaic Edges") for name in materials_used(drawn.mesh))


def test_a_wireframe_is_tubes_one_pixel_wide_in_the_base_colour(bpy: ModuleType, tmp_path: Path) -> None:
    drawn = drawn_as(bpy, tmp_path, "wireframe")
    assert materials_used(drawn.mesh) == {""}
    lower, upper = extents(drawn.mesh)
    # A pixel is 2 angstrom: tubes around edges in the plane z = 0 reach 1 angstrom up and down.
    assert 0.75 <= upper[2] <= 1.0 + 1e-3
    assert -1.0 - 1e-3 <= lower[2] <= -0.75


def test_a_mesh_shown_as_points_is_its_vertices(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.data.attributes import read_attribute

    drawn = drawn_as(bpy, tmp_path, "pointcloud")
    assert drawn.mesh is None or not len(drawn.mesh.vertices)
    assert np.array_equal(read_attribute(drawn.pointcloud, "radius"), np.full(4, 10, np.float32))


def test_whatever_is_drawn_has_the_objects_material(bpy: ModuleType, tmp_path: Path) -> None:
    imported = build(bpy, write_session(tmp_path / "s.pickle", [cloud()], [mesh()]))
    for obj in imported.objects:
        drawn = obj.evaluated_get(bpy.context.evaluated_depsgraph_get())
        assert drawn.material_slots[0].material.name == obj.name
