"""Surface to Mesh makes meshes of what is shown; Convert, which leaves nothing of it, is refused when it is saved."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mosaic_addon.session import MosaicError, open_session
from tests.support.saved_sessions import NEWEST, Opened
from tests.support.user_edits import select

SURFACES = ["volume quat", "segmentation", "Sphere", "SplineCurve order3", "RBF xy", "trajectory"]
CONVERTED = ["segmentation", "Sphere", "SplineCurve order3"]


def to_mesh(opened: Opened, name: str) -> Any:
    from mosaic_addon.scene.outline.surface_mesh import surface_to_mesh

    context = opened.bpy.context
    return surface_to_mesh(opened[name], context.scene, context.view_layer)


def drawn(opened: Opened, obj: Any) -> np.ndarray:
    """The corners, (n, 3), of all faces that an object shows in the scene."""
    from mosaic_addon.scene.drawing.representations import set_representation

    for representation in ("surface", "fitted_surface"):
        set_representation([obj], representation)
    opened.bpy.context.view_layer.update()
    points = [
        np.array([instance.matrix_world @ vertex.co for vertex in instance.object.data.vertices])
        for instance in opened.bpy.context.evaluated_depsgraph_get().object_instances
        if (instance.parent or instance.object).original == obj and instance.object.type == "MESH"
    ]
    return np.concatenate([part for part in points if len(part)])


@pytest.mark.parametrize("name", SURFACES)
def test_the_mesh_is_where_and_what_is_shown(opened: Opened, tmp_path: Path, name: str) -> None:
    opened[name].location = (100, 200, 300)
    opened[name].hide_set(True)
    kinds = ("node_groups", "objects", "meshes", "materials")
    before = {kind: len(getattr(opened.bpy.data, kind)) for kind in kinds}
    made = to_mesh(opened, name)
    assert {kind: len(getattr(opened.bpy.data, kind)) - before[kind] for kind in kinds} == {
        "node_groups": 0, "objects": 1, "meshes": 1, "materials": 1,
    }  # fmt: skip
    opened[name].hide_set(False)
    shown, mesh = drawn(opened, opened[name]), drawn(opened, made)
    np.testing.assert_allclose([mesh.min(0), mesh.max(0)], [shown.min(0), shown.max(0)], atol=1e-4)
    result = opened.save(tmp_path / "edited.pickle")
    session = open_session(tmp_path / "edited.pickle")
    found = session.models[-1]
    assert (found.name, found.representation) == (f"{name} Mesh", "surface")
    assert len(found.model.triangles) == len(made.data.polygons) > 0
    assert found.appearance.base_color == pytest.approx(
        next(g for g in open_session(NEWEST).geometries if g.name == name).appearance.base_color, abs=1e-5
    )
    assert not [change for change in result.changes if "deleted" in change]


def test_what_has_no_surface_is_refused_by_name(opened: Opened) -> None:
    for name in ("plain cloud", "TriangularMesh surface"):
        with pytest.raises(MosaicError, match=f"'{name}' has no surface beside its own data"):
            to_mesh(opened, name)


def left_by_convert(opened: Opened, name: str) -> Any:
    """Make of an object what Object > Convert > Mesh leaves of it, which itself ends Blender now and then."""
    data, obj = opened.bpy.data, opened[name]
    left = data.objects.new(name, data.meshes.new(name))
    for key in list(obj.keys()):
        left[key] = obj[key]
    left.parent = obj.parent
    for collection in list(obj.users_collection):
        collection.objects.link(left)
    data.objects.remove(obj)
    left.name = name
    return left


@pytest.mark.parametrize("name", CONVERTED)
def test_what_convert_left_nothing_of_is_refused(opened: Opened, tmp_path: Path, name: str) -> None:
    left_by_convert(opened, name)
    with pytest.raises(MosaicError, match=f"'{name}': Object > Convert has left no point of it"):
        opened.save(tmp_path / "edited.pickle")
    assert not (tmp_path / "edited.pickle").exists()


def test_a_mesh_that_became_a_drawing_is_refused(opened: Opened, tmp_path: Path) -> None:
    obj = select(opened, "TriangularMesh surface")
    opened.bpy.ops.object.convert(target="GREASEPENCIL")
    if obj.type == "GREASEPENCIL":
        with pytest.raises(MosaicError, match="'TriangularMesh surface' has no points any more"):
            opened.save(tmp_path / "edited.pickle")


def test_points_shown_as_arrows_are_refused_as_well(opened: Opened, tmp_path: Path) -> None:
    left_by_convert(opened, "plain cloud")
    with pytest.raises(MosaicError, match="Convert has left no point"):
        opened.save(tmp_path / "edited.pickle")


def test_the_operator_takes_those_that_have_one(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.ui.registration import register, unregister

    register()
    try:
        opened = Opened(bpy, NEWEST)
        select(opened, "volume quat", "plain cloud", "segmentation")
        assert bpy.ops.mosaic.surface_to_mesh() == {"FINISHED"}
        names = {obj["mosaic_name"] for obj in bpy.context.selected_objects}
        assert names == {"volume quat Mesh", "segmentation Mesh"}
        select(opened, "plain cloud")
        with pytest.raises(RuntimeError, match="has no surface beside its own data"):
            bpy.ops.mosaic.surface_to_mesh()
    finally:
        unregister()
