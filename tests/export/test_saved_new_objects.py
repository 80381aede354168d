"""What was made in Blender becomes a part of the session, or a session of its own, that Mosaic loads and draws."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mosaic_addon.session import MosaicError, Session, open_session
from mosaic_addon.session.session import Mesh
from tests.support.make_sessions import cloud, mesh, tree, write_session
from tests.support.real_mosaic import RealMosaic, of_name
from tests.support.saved_sessions import FOLDER, Opened, differences

UNIT = 1000.0  # angstrom
DRAW = Path(__file__).parents[1] / "support" / "draw_with_mosaic.py"


@pytest.fixture
def opened(bpy: ModuleType, tmp_path: Path) -> Opened:
    """A session with a group in each container, and a cloud and a mesh in none."""
    grouped, single = cloud("grouped", 5), cloud("single", 5, sampling_rate=np.array([4.0, 5.0, 6.0]))
    shape, other = mesh("shape"), mesh("other")
    uuids = [vars(obj)["uuid"] for obj in (grouped, single, shape, other)]
    path = write_session(
        tmp_path / "s.pickle",
        [grouped, single],
        [shape, other],
        _data_tree=tree(["g", uuids[1]], {"g": uuids[:1]}, {"g": "Group"}),
        _models_tree=tree([uuids[2], "h"], {"h": uuids[3:]}, {"h": "Meshes"}),
    )
    return Opened(bpy, path)


# --- what a user makes -----------------------------------------------------------------------------------------------


def new(bpy: ModuleType, name: str, data: Any, collection: Any = None, **more: Any) -> Any:
    obj = bpy.data.objects.new(name, data)
    (collection or bpy.context.scene.collection).objects.link(obj)
    for key, value in more.items():
        setattr(obj, key, value)
    return obj


def polygons(bpy: ModuleType, vertices: Any, edges: Any = (), faces: Any = ()) -> Any:
    made = bpy.data.meshes.new("Mesh")
    made.from_pydata([tuple(map(float, vertex)) for vertex in vertices], list(edges), list(faces))
    return made


def cube(bpy: ModuleType) -> Any:
    """Six quads around the origin, two units wide."""
    corners = [(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    return polygons(bpy, corners, faces=faces)


def hexagon(bpy: ModuleType) -> Any:
    around = np.arange(6) * np.pi / 3
    return polygons(bpy, np.stack([np.cos(around), np.sin(around), 0 * around], axis=1), faces=[range(6)])


def curve(bpy: ModuleType, bevel: float = 0.0) -> Any:
    made = bpy.data.curves.new("Curve", "CURVE")
    made.dimensions = "3D"
    made.bevel_depth = bevel
    line = made.splines.new("POLY")
    line.points.add(2)
    line.points.foreach_set("co", [0, 0, 0, 1, 1, 0, 0, 1, 2, 0, 1, 1])
    return made


def points(bpy: ModuleType, positions: Any) -> Any:
    from mosaic_addon.scene.compat import PointCloudFactory

    places = np.array(positions, np.float32).ravel()
    with PointCloudFactory() as clouds:
        return clouds.new("Points", len(positions), lambda items: items.foreach_set("vector", places))


def edges(bpy: ModuleType) -> Any:
    return polygons(bpy, [(0, 0, 0), (1, 0, 0), (1, 1, 0)], [(0, 1), (1, 2)])


def no_geometries(bpy: ModuleType, collection: Any) -> list[str]:
    """What Mosaic has nothing like. Returns the names."""
    made = bpy.data.collections.new("Instanced")
    new(bpy, "instance", None, collection, instance_type="COLLECTION", instance_collection=made)
    new(bpy, "empty", None, collection)
    new(bpy, "light", bpy.data.lights.new("Light", "POINT"), collection)
    new(bpy, "camera", bpy.data.cameras.new("Camera"), collection)
    new(bpy, "text", bpy.data.curves.new("Text", "FONT"), collection)
    new(bpy, "armature", bpy.data.armatures.new("Armature"), collection)
    new(bpy, "nothing", bpy.data.meshes.new("Nothing"), collection)
    return ["instance", "empty", "light", "camera", "text", "armature", "nothing"]


def saved(opened: Opened, tmp_path: Path, **options: Any) -> tuple[Session, Any]:
    opened.bpy.context.view_layer.update()
    result = opened.save(tmp_path / "saved.pickle", **options)
    return open_session(tmp_path / "saved.pickle"), result


def named(session: Session, name: str) -> Any:
    return next(geometry for geometry in session.geometries if geometry.name == name)


def to_session(opened: Opened, positions: Any) -> np.ndarray:
    """Where in the session's angstrom something in the world is."""
    inverse = np.linalg.inv(np.array(opened.root.matrix_world, np.float64))
    return np.asarray(positions) @ inverse[:3, :3].T + inverse[:3, 3]


# --- in a session ----------------------------------------------------------------------------------------------------


def test_each_comes_to_the_place_where_it_is(opened: Opened, tmp_path: Path) -> None:
    bpy = opened.bpy
    new(bpy, "in the clusters", points(bpy, np.eye(3)), opened.container("clusters"))
    new(bpy, "in the models", cube(bpy), opened.container("models"))
    new(bpy, "mesh in the clusters", cube(bpy), opened.container("clusters"))
    new(bpy, "in a group", cube(bpy), opened.group("Meshes"))
    inner = bpy.data.collections.new("Inner")
    opened.group("Group").children.link(inner)
    new(bpy, "deep in a group", edges(bpy), inner)
    new(bpy, "points in the session", points(bpy, np.eye(3)), opened.collection)
    new(bpy, "faces in the session", hexagon(bpy), opened.collection)
    stray = bpy.data.collections.new("Stray")
    opened.collection.children.link(stray)
    new(bpy, "mesh of a collection", cube(bpy), stray)
    new(bpy, "line of a collection", curve(bpy), stray)
    new(bpy, "outside", cube(bpy))
    session, result = saved(opened, tmp_path)
    assert (result.left_out, result.warnings) == ([], [])
    clusters = [
        "in the clusters",
        "mesh in the clusters",
        "deep in a group",
        "points in the session",
        "line of a collection",
    ]
    models = ["in the models", "in a group", "faces in the session", "mesh of a collection"]
    assert {g.name for g in session.clusters} == {"grouped", "single", *clusters}
    assert {g.name for g in session.models} == {"shape", "other", *models}
    groups = {
        group.name: [g.name for g in group.geometries]
        for part in (session.clusters, session.models)
        for group in part.groups
    }
    assert groups.pop("Stray") in (["mesh of a collection"], ["line of a collection"])  # of models, and of clusters
    assert groups == {"Group": ["grouped", "deep in a group"], "Meshes": ["other", "in a group"]}
    assert sorted(len(change.split(": new, ")) for change in result.changes if ": new, " in change) == [2] * 9
    old = [
        text
        for text in differences(opened.path, tmp_path / "saved.pickle")
        if any(f"'{n}'" in text for n in ("single", "shape"))
    ]
    assert [text for text in old if "order" not in text and "members" not in text] == []
    assert opened.unsaved() == []


def test_a_mesh_has_its_shape_in_angstrom(opened: Opened, tmp_path: Path) -> None:
    bpy = opened.bpy
    obj = new(
        bpy,
        "cube",
        cube(bpy),
        opened.container("models"),
        location=(1, 2, 3),
        rotation_euler=(0, 0, 1),
        scale=(1, 2, 1),
    )
    new(bpy, "plate", hexagon(bpy), opened.container("models"))
    session, _ = saved(opened, tmp_path)
    after, plate = named(session, "cube"), named(session, "plate")
    world = np.array([obj.matrix_world @ vertex.co for vertex in obj.data.vertices])
    np.testing.assert_allclose(after.points, to_session(opened, world), rtol=1e-5, atol=0.01)
    assert isinstance(after.model, Mesh)
    assert (after.class_name, after.model.class_name, after.representation) == ("Geometry", "TriangularMesh", "surface")
    assert (len(after.model.triangles), len(plate.model.triangles)) == (12, 4)
    assert (after.points.dtype, after.model.vertices.dtype, after.model.triangles.dtype) == (
        np.float32,
        np.float64,
        np.int32,
    )
    corners = after.model.vertices[after.model.triangles]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    outwards = corners.mean(axis=1) - after.points.mean(axis=0)
    assert (np.einsum("ij,ij->i", across, outwards) > 0).all()
    assert (np.einsum("ij,ij->i", after.normals, after.points - after.points.mean(axis=0)) > 0).all()
    np.testing.assert_allclose(np.linalg.norm(after.normals, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(plate.normals, np.tile([0, 0, 1], (6, 1)), atol=1e-6)
    assert list(after.sampling_rate) in [list(named(session, name).sampling_rate) for name in ("grouped", "single")]
    assert after.uuid == obj["mosaic_uuid"]


def test_modifiers_are_applied_when_asked(opened: Opened, tmp_path: Path) -> None:
    from mosaic_addon.scene.compat import ModifierInputs

    bpy = opened.bpy
    obj = new(bpy, "smooth", cube(bpy), opened.container("models"))
    obj.modifiers.new("Subdivision", "SUBSURF").levels = 2
    shape = opened["shape"]
    shape.modifiers.new("Subdivision", "SUBSURF").levels = 1
    drawing = shape.modifiers["Mosaic"]  # which draws tubes along the edges, and is none of those that are applied
    ModifierInputs(drawing.node_group).set(drawing, "Representation", "Wireframe")
    plain, _ = saved(opened, tmp_path)
    applied, _ = saved(opened, tmp_path, apply_modifiers=True)
    assert [len(named(session, "smooth").points) for session in (plain, applied)] == [8, 98]
    assert [len(named(session, "shape").points) for session in (plain, applied)] == [4, 11]
    assert len(named(applied, "shape").model.vertices) == len(named(applied, "shape").points)
    assert differences(opened.path, tmp_path / "saved.pickle")
    assert len([m for m in bpy.data.meshes if m.name.startswith("Mesh")]) == 1
    assert opened["shape"].data.attributes.domain_size("POINT") == 4


def test_modifiers_of_hidden_objects_are_applied(opened: Opened, tmp_path: Path) -> None:
    bpy = opened.bpy
    hidden, monitor, excluded = (new(bpy, name, cube(bpy), opened.container("models")) for name in "hme")
    away = bpy.data.collections.new("Away")
    opened.container("models").children.link(away)
    opened.container("models").objects.unlink(excluded)
    away.objects.link(excluded)
    bpy.context.view_layer.update()
    for obj in (hidden, monitor, excluded):
        obj.modifiers.new("Subdivision", "SUBSURF").levels = 1
    hidden.hide_set(True)
    monitor.hide_viewport = True
    layer = bpy.context.view_layer.layer_collection.children[opened.collection.name]
    layer.children[opened.container("models").name].children["Away"].exclude = True
    session, result = saved(opened, tmp_path, apply_modifiers=True)
    assert [(len(named(session, name).points), named(session, name).visible) for name in "hme"] == [(26, False)] * 3
    assert (result.left_out, monitor.hide_viewport) == ([], True)


def test_a_family_of_metaballs_is_a_mesh(opened: Opened, tmp_path: Path) -> None:
    bpy = opened.bpy
    balls = []
    for number in range(2):
        data = bpy.data.metaballs.new("Ball")
        data.elements.new().co = (number, 0, 0)
        balls.append(new(bpy, "ball" if not number else "ball.001", data, opened.collection))
    bpy.context.view_layer.update()
    session, result = saved(opened, tmp_path)
    assert result.left_out == [
        "'ball.001' is left out: it is hidden, or its surface is that of another metaball of its family."
    ]
    ball = named(session, "ball")
    assert (ball.container, ball.kind, len(ball.points) > 50) == ("models", "mesh", True)
    lower, upper = to_session(opened, [(-1.5, -1.5, -1.5), (2.5, 1.5, 1.5)])
    assert (ball.points.min(axis=0) > lower).all()
    assert (ball.points.max(axis=0) < upper).all()
    assert [obj.name for obj in bpy.data.metaballs] == ["Ball", "Ball.001"]


def test_a_curve_is_points_and_a_tube_a_mesh(opened: Opened, tmp_path: Path) -> None:
    bpy = opened.bpy
    new(bpy, "line", curve(bpy), opened.collection)
    new(bpy, "tube", curve(bpy, 0.1), opened.collection)
    meshes = len(bpy.data.meshes)
    session, result = saved(opened, tmp_path)
    assert result.warnings == []
    line, tube = named(session, "line"), named(session, "tube")
    assert (line.container, line.kind, line.representation) == ("clusters", "cluster", "pointcloud")
    np.testing.assert_allclose(line.points, to_session(opened, [(0, 0, 0), (1, 0, 0), (2, 0, 1)]), atol=0.01)
    assert (tube.container, tube.kind, tube.representation) == ("models", "mesh", "surface")
    assert len(bpy.data.meshes) == meshes


def test_columns_and_meta_come_along(opened: Opened, tmp_path: Path) -> None:
    bpy = opened.bpy
    data = points(bpy, np.eye(3))
    for name, kind, key, values in (
        ("height", "FLOAT", "value", [0.5, 1.5, 2.5]), ("count", "INT", "value", [1, 2, 3]),
        ("inside", "BOOLEAN", "value", [True, False, True]), ("normals", "FLOAT_VECTOR", "vector", np.eye(3).ravel()),
        ("quaternions", "QUATERNION", "value", [1, 0, 0, 0] * 3),
    ):  # fmt: skip
        data.attributes.new(name, kind, "POINT").data.foreach_set(key, values)
    obj = new(bpy, "rich", data, opened.container("clusters"))
    obj["author"], obj["run"], obj["mosaic_sampling_rate"] = "me", {"number": 3}, [1.0, 2.0, 3.0]
    session, result = saved(opened, tmp_path)
    after = named(session, "rich")
    assert result.warnings == []
    assert {name: values.tolist() for name, values in after.vertex_properties.items()} == {
        "height": [0.5, 1.5, 2.5], "count": [1, 2, 3], "inside": [True, False, True]
    }  # fmt: skip
    np.testing.assert_array_equal(after.normals, np.eye(3))
    np.testing.assert_array_equal(after.quaternions, np.tile([1, 0, 0, 0], (3, 1)))
    assert after.meta == {"name": "rich", "author": "me", "run": {"number": 3}}
    assert after.sampling_rate.tolist() == [1, 2, 3]


@pytest.mark.parametrize(("given", "expected"), [(5.0, [5, 5, 5]), ([1, 2, 3], [1, 2, 3])])
def test_a_sampling_rate_is_one_number_or_three(opened: Opened, tmp_path: Path, given: Any, expected: Any) -> None:
    obj = new(opened.bpy, "new", points(opened.bpy, np.eye(3)), opened.collection)
    obj["mosaic_sampling_rate"] = given
    session, _ = saved(opened, tmp_path)
    assert named(session, "new").sampling_rate.tolist() == expected


@pytest.mark.parametrize("given", ["x", [0.0, 0.0, 0.0], [1.0, 2.0], -1])
def test_a_sampling_rate_that_is_none_is_told(opened: Opened, tmp_path: Path, given: Any) -> None:
    obj = new(opened.bpy, "new", points(opened.bpy, np.eye(3)), opened.collection)
    obj["mosaic_sampling_rate"] = given
    session, result = saved(opened, tmp_path)
    assert any("'new': its sampling rate is not three positive numbers" in text for text in result.warnings)
    assert named(session, "new").sampling_rate.min() > 0


def test_another_sampling_rate_is_not_saved_yet(opened: Opened, tmp_path: Path) -> None:
    obj = new(opened.bpy, "new", cube(opened.bpy), opened.container("models"))
    for rate in (2.0, 3.0):
        obj["mosaic_sampling_rate"] = rate
        assert opened.unsaved() != []
        saved(opened, tmp_path)
        assert opened.unsaved() == []


def test_a_property_called_name_or_fit_is_no_meta(opened: Opened, tmp_path: Path) -> None:
    obj = new(opened.bpy, "new", points(opened.bpy, np.eye(3)), opened.container("clusters"))
    obj["name"], obj["fit"], obj["author"] = 5, 7, "me"
    session, result = saved(opened, tmp_path)
    assert named(session, "new").meta == {"name": "new", "author": "me"}
    assert [text.split(" is left out")[0] for text in result.warnings] == [
        f"clusters 'new': the custom property {key!r}" for key in ("name", "fit")
    ]


def test_a_root_scaled_to_nothing_is_refused_by_name(opened: Opened, tmp_path: Path) -> None:
    new(opened.bpy, "new", points(opened.bpy, np.eye(3)), opened.container("clusters"))
    opened.root.scale = (0, 0, 0)
    opened.bpy.context.view_layer.update()
    with pytest.raises(MosaicError, match=f"'{opened.root.name}' is scaled to nothing"):
        saved(opened, tmp_path)


def test_a_colour_and_being_hidden_come_along(opened: Opened, tmp_path: Path) -> None:
    bpy = opened.bpy
    material = bpy.data.materials.new("Red")
    if material.node_tree is None:
        material.use_nodes = True
    principled = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    principled.inputs["Base Color"].default_value = (1, 0.21404114, 0, 1)
    principled.inputs["Alpha"].default_value = 0.5
    obj = new(bpy, "red", cube(bpy), opened.container("models"))
    obj.data.materials.append(material)
    hidden = new(bpy, "hidden", cube(bpy), opened.container("models"))
    bpy.context.view_layer.update()
    hidden.hide_set(True)
    session, _ = saved(opened, tmp_path)
    red = named(session, "red")
    assert red.appearance.base_color == pytest.approx((1, 0.5, 0), abs=1e-5)
    assert (red.appearance.opacity, red.visible, named(session, "hidden").visible) == (0.5, True, False)


def test_what_mosaic_has_not_is_left_out_by_name(opened: Opened, tmp_path: Path) -> None:
    names = no_geometries(opened.bpy, opened.container("models"))
    session, result = saved(opened, tmp_path)
    assert len(session.geometries) == 4
    assert [sum(f"'{name}'" in text for text in result.left_out) for name in names] == [1] * len(names), result.left_out
    said = " ".join(result.left_out)
    for kind in ("an empty", "a light", "a camera", "a text", "an armature"):
        assert f"no objects like {kind}." in said
    assert result.changes == []
    assert differences(opened.path, tmp_path / "saved.pickle") == []


def test_hundreds_of_objects_keep_their_order(opened: Opened, tmp_path: Path) -> None:
    bpy, clusters = opened.bpy, opened.container("clusters")
    expected, left_out = [], []
    for number in range(200):
        name = f"object {number * 37 % 200}"
        if number % 9 == 4:
            new(bpy, name, bpy.data.lights.new("Light", "POINT"), clusters)
            left_out.append(f"{name!r} is left out: Mosaic has no objects like a light.")
        else:
            new(bpy, name, polygons(bpy, np.full((number % 3 + 1, 3), number)), clusters)
            expected.append((name, number % 3 + 1))
    session, result = saved(opened, tmp_path)
    new_ones = [geometry for geometry in session.clusters if geometry.name.startswith("object ")]
    assert [(geometry.name, len(geometry.points)) for geometry in new_ones] == expected
    assert result.left_out == left_out


def test_new_objects_of_an_older_session_are_in_its_spelling(bpy: ModuleType, tmp_path: Path) -> None:
    for release in ("1.0.0", "1.0.11", "1.1.1", "1.2.4", "colabseg"):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        opened = Opened(bpy, FOLDER / f"mosaic-{release}.pickle")
        new(bpy, "new mesh", cube(bpy), opened.container("models"))
        new(bpy, "new points", points(bpy, np.eye(3)), opened.container("clusters"))
        session, result = saved(opened, tmp_path)
        before = open_session(opened.path)
        assert session.release == before.release
        assert (session.warnings, result.warnings) == (before.warnings, [])
        for name, old in (("new mesh", before.models), ("new points", before.clusters)):
            fields = set(named(session, name).node.fields())
            usual = set.union(*(set(g.node.fields()) for g in old if g.class_name in ("Geometry", "PointCloud")))
            later = {"vertex_properties", "quaternions"}  # which the first releases did not know yet
            assert fields <= usual | later, (release, fields - usual)
            assert set.intersection(*(set(g.node.fields()) for g in old)) <= fields, release


# --- a session of its own --------------------------------------------------------------------------------------------


def test_objects_without_a_session_become_one(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.exporting.save import save_objects

    new(bpy, "cube", cube(bpy), location=(1, 0, 0))
    new(bpy, "points", points(bpy, np.eye(3)))
    no_geometries(bpy, None)
    bpy.context.view_layer.update()
    scene, layer = bpy.context.scene, bpy.context.view_layer
    options = api.ExportOptions(angstrom_per_unit=10.0)
    result = save_objects(scene.objects, tmp_path / "new.pickle", scene, layer, options)
    session = open_session(tmp_path / "new.pickle")
    assert (session.warnings, len(result.left_out)) == ([], 7)
    assert [g.name for g in session.clusters] == ["points"]
    assert [g.name for g in session.models] == ["cube"]
    assert session.models[0].points.min(axis=0).tolist() == [0, -10, -10]
    np.testing.assert_array_equal(session.clusters[0].points, 10 * np.eye(3))
    assert session.release.startswith("1.3")
    with pytest.raises(MosaicError):
        save_objects([bpy.data.objects["light"]], tmp_path / "none.pickle", scene, layer)
    assert not (tmp_path / "none.pickle").exists()


# --- the real Mosaic -------------------------------------------------------------------------------------------------


def test_mosaic_loads_and_draws_what_was_made(
    opened: Opened, tmp_path: Path, mosaic: RealMosaic, mosaic_python: str
) -> None:
    bpy = opened.bpy
    made = {
        "cube": new(bpy, "cube", cube(bpy), opened.container("models")),
        "plate": new(bpy, "plate", hexagon(bpy), opened.group("Meshes")),
        "edges": new(bpy, "edges", edges(bpy), opened.collection),
        "points": new(bpy, "points", points(bpy, np.random.default_rng(0).random((50, 3))), opened.group("Group")),
        "line": new(bpy, "line", curve(bpy), opened.collection),
        "tube": new(bpy, "tube", curve(bpy, 0.1), opened.collection),
    }
    no_geometries(bpy, opened.collection)
    material = bpy.data.materials.new("Red")
    if material.node_tree is None:
        material.use_nodes = True
    material.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (1, 0, 0, 1)
    made["cube"].data.materials.append(material)
    session, _ = saved(opened, tmp_path)
    told = mosaic.load(tmp_path / "saved.pickle")
    assert sorted(item["name"] for item in told["geometries"]) == sorted([*made, "grouped", "single", "shape", "other"])
    for name in made:
        item = of_name(told, name)
        assert item["drawn"], name
        np.testing.assert_allclose(item["lower"], named(session, name).points.min(axis=0), rtol=1e-5)
    assert of_name(told, "cube")["faces"] == 12
    listed = told["browser"]
    assert ["Group", ["grouped", "points"]] in listed["clusters"]
    assert ["Meshes", ["other", "plate"]] in listed["models"]
    names = ["cube", "tube", "plate"]
    pictures = json.dumps([(name, 1.3, None) for name in names])
    command = [mosaic_python, str(DRAW), str(tmp_path / "saved.pickle"), str(tmp_path), pictures]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    colors = np.asarray(Image.open(tmp_path / "0.png").convert("RGB")).reshape(-1, 3).astype(int)
    painted = colors[(colors != 255).any(axis=1)]
    assert len(painted) > 20_000
    assert (painted[:, 0] > 4 * painted[:, 1:].max(axis=1)).all()  # red all over
    for number in range(1, len(names)):
        drawn = np.asarray(Image.open(tmp_path / f"{number}.png").convert("L"))
        assert (drawn < 250).sum() > 2000, names[number]


def test_mosaic_loads_a_session_made_of_objects(bpy: ModuleType, tmp_path: Path, mosaic: RealMosaic) -> None:
    from mosaic_addon.scene.exporting.save import save_objects
    from mosaic_addon.scene.exporting.scope import ExportOptions

    new(bpy, "cube", cube(bpy))
    new(bpy, "points", points(bpy, np.eye(3)))
    bpy.context.view_layer.update()
    for target in (None, "1.0.12", "1.1.1", "1.2.4", "1.3.2"):
        for suffix in (".pickle", ".mosaic"):
            path = tmp_path / f"{target}{suffix}"
            save_objects(
                bpy.context.scene.objects, path, bpy.context.scene, bpy.context.view_layer, ExportOptions(target)
            )
            told = mosaic.load(path)
            assert [(item["name"], item["points"], bool(item["drawn"])) for item in told["geometries"]] == [
                ("points", 3, True), ("cube", 8, True)
            ]  # fmt: skip
            assert told["browser"] == {"clusters": ["points"], "models": ["cube"]}
