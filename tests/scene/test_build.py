"""A session as Blender data: every value where it belongs, whatever is in the session."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import build as build_tool
from mosaic_addon.session import MosaicError, Session
from mosaic_addon.session.session import Geometry, Group, Mesh
from tests.session.test_session_truth import FILES, FOLDER, Opened
from tests.support.built import (
    SCALE,
    assert_same_bits,
    build,
    datablocks,
    evaluated,
    inputs_of,
    plain,
    positions,
    set_input,
    world,
)
from tests.support.make_sessions import (
    cloud,
    mesh,
    tree,
    triangular_mesh,
    write_session,
)

ROOT = Path(build_tool.__file__).parent


@pytest.fixture(params=FILES)
def opened(request: pytest.FixtureRequest) -> Opened:
    return Opened(request.param)


def in_browser_order(session: Session) -> list[Geometry]:
    return [
        geometry
        for part in (session.clusters, session.models)
        for item in part.items
        for geometry in (item.geometries if isinstance(item, Group) else [item])
    ]


def linear(display: float) -> float:
    return display / 12.92 if display <= 0.04045 else ((display + 0.055) / 1.055) ** 2.4


# --- each object against what Mosaic read ----------------------------------------------------------------------------


def check_points(obj: Any, geometry: Geometry, truth: dict[str, Any], opened: Opened) -> None:
    expected = geometry.points if geometry.name == "cloud as surface" else opened.value(truth["points"])
    assert np.array_equal(positions(obj), expected.astype(np.float32))


def check_normals_and_quaternions(obj: Any, geometry: Geometry, truth: dict[str, Any], opened: Opened) -> None:
    from mosaic_addon.scene.data.attributes import NORMALS, QUATERNIONS, read_attribute

    for name, values in ((NORMALS, geometry.normals), (QUATERNIONS, geometry.quaternions)):
        stored = read_attribute(obj.data, name)
        if values is None or not len(values):
            assert stored is None or not len(stored)
        else:
            assert np.array_equal(stored, values.astype(np.float32)), name
    if obj.type == "MESH" and geometry.normals is not None:
        shaded = np.empty(len(obj.data.vertices) * 3, np.float32)
        obj.data.vertex_normals.foreach_get("vector", shaded)
        corners = np.empty(len(obj.data.loops) * 3, np.float32)
        obj.data.corner_normals.foreach_get("vector", corners)
        lengths = np.linalg.norm(geometry.normals, axis=1, keepdims=True)
        units = (geometry.normals / np.where(lengths > 0, lengths, 1))[geometry.model.triangles.reshape(-1)]
        sensible = np.linalg.norm(units, axis=1) > 0.5
        np.testing.assert_allclose(corners.reshape(-1, 3)[sensible], units[sensible], atol=1e-4)


def check_vertex_properties(obj: Any, geometry: Geometry, truth: dict[str, Any], opened: Opened) -> None:
    from mosaic_addon.scene.data.vertex_properties import read_columns

    expected = opened.value(truth.get("vertex_properties") or {})
    columns = read_columns(obj.data)
    assert list(columns) == list(expected)
    for name, column in expected.items():
        assert_same_bits(columns[name], column, name)


def check_faces(obj: Any, geometry: Geometry, truth: dict[str, Any], opened: Opened) -> None:
    if not isinstance(geometry.model, Mesh):
        assert obj.type == "POINTCLOUD"
        return
    assert obj.type == "MESH"
    expected = opened.value(truth["model"]["triangles"])
    triangles = np.empty(len(expected) * 3, np.int32)
    assert len(obj.data.polygons) == len(expected)
    obj.data.polygons.foreach_get("vertices", triangles)
    assert np.array_equal(triangles.reshape(-1, 3), expected)
    assert not obj.data.validate(), "Blender found the mesh to be invalid"


def check_custom_properties(obj: Any, geometry: Geometry, truth: dict[str, Any], opened: Opened) -> None:
    assert obj["mosaic_name"] == geometry.name
    assert obj["mosaic_class"] == truth["class"].rpartition(".")[2]
    assert obj.get("mosaic_uuid") == truth["uuid"]
    model = truth["model"]
    expected = None if model is None else model["class"].rpartition(".")[2]
    assert obj.get("mosaic_model") == expected
    assert list(obj["mosaic_sampling_rate"]) == geometry.sampling_rate.tolist()


def check_meta(obj: Any, geometry: Geometry, truth: dict[str, Any], opened: Opened) -> None:
    for key, value in truth["meta"].items():
        if key in ("name", "fit", "faces", "vertex_properties"):
            continue
        assert key in obj, key
        if isinstance(value, (str, float, bool)) or (type(value) is int and abs(value) < 2**31):
            assert plain(obj[key]) == value
            assert type(plain(obj[key])) is type(value)


def check_visibility(obj: Any, geometry: Geometry, truth: dict[str, Any], opened: Opened) -> None:
    assert obj.hide_render is not truth["visible"]
    assert obj.hide_get() is not truth["visible"]
    assert obj.visible_get() is truth["visible"]
    assert not obj.hide_viewport


def check_material(obj: Any, geometry: Geometry, truth: dict[str, Any], opened: Opened) -> None:
    look = opened.value(truth["appearance"])
    assert obj.material_slots[0].link == "OBJECT"
    assert obj.data.materials[0] is None
    material = obj.material_slots[0].material
    surface = material.node_tree.nodes["Mosaic Surface"].inputs
    expected = [linear(value) for value in look["base_color"]]
    assert list(surface["Color"].default_value) == pytest.approx([*expected, 1], abs=1e-6)
    for key in ("opacity", "ambient", "diffuse", "specular"):
        assert surface[key.capitalize()].default_value == pytest.approx(look[key], abs=1e-6), key
    for viewport in (material.diffuse_color, obj.color):
        assert list(viewport) == pytest.approx([*expected, look["opacity"]], abs=1e-6)
    assert material.users == 1


def check_modifier(obj: Any, geometry: Geometry, truth: dict[str, Any], opened: Opened) -> None:
    inputs = inputs_of(obj)
    if geometry.representation not in ("surface", "mesh", "wireframe"):  # there it has no meaning
        assert inputs["Size"] == pytest.approx(opened.value(truth["appearance"])["size"])
    assert inputs["Pixel Size"] == pytest.approx(obj.parent["mosaic_pixel_size"])
    assert inputs["Instances"] in (False, 0)


def check_bounds(obj: Any, geometry: Geometry, truth: dict[str, Any], opened: Opened) -> None:
    """Of the data itself; the object's are those of what its modifier draws."""
    if not len(geometry.points):
        return
    modifier = obj.modifiers["Mosaic"]
    modifier.show_viewport = False
    obj.id_data.users_scene[0].view_layers[0].update()
    corners = np.array(obj.bound_box)
    # A cloud's box reaches beyond its points by their radius.
    room = 0.051 if obj.type == "POINTCLOUD" else 1e-3
    np.testing.assert_allclose(corners.min(axis=0), geometry.points.min(axis=0), atol=room, rtol=1e-6)
    np.testing.assert_allclose(corners.max(axis=0), geometry.points.max(axis=0), atol=room, rtol=1e-6)
    modifier.show_viewport = True


CHECKS = [
    check_points, check_normals_and_quaternions, check_vertex_properties, check_faces, check_custom_properties, check_meta,
    check_visibility, check_material, check_modifier, check_bounds,
]  # fmt: skip


def check_all(objects: list[Any], opened: Opened) -> None:
    geometries = in_browser_order(opened.session)
    truths = {id(geometry): truth for geometry, truth in opened.pairs()}
    assert len(objects) == len(geometries)
    for obj, geometry in zip(objects, geometries, strict=True):
        for check in CHECKS:
            try:
                check(obj, geometry, truths[id(geometry)], opened)
            except AssertionError as error:
                raise AssertionError(f"{check.__name__} of {geometry.container} {geometry.name!r}: {error}") from error


def test_every_object_has_what_mosaic_read(bpy: ModuleType, opened: Opened) -> None:
    check_all(build(bpy, opened.session).objects, opened)


def test_representations_are_chosen_or_a_warning_says_why_not(bpy: ModuleType, opened: Opened) -> None:
    from mosaic_addon.scene.drawing.representations import LABELS

    imported = build(bpy, opened.session)
    for obj, geometry in zip(imported.objects, in_browser_order(opened.session), strict=True):
        if inputs_of(obj)["Representation"] != LABELS[geometry.representation]:
            assert [text for text in imported.warnings if repr(geometry.name) in text], geometry.name


def test_collections_are_mosaics_tree(bpy: ModuleType, opened: Opened) -> None:
    imported = build(bpy, opened.session)
    stem = opened.session.path.rpartition("/")[2].rpartition(".")[0]
    assert imported.collection.name == stem
    assert list(bpy.context.scene.collection.children) == [imported.collection]
    assert list(imported.collection.objects) == [imported.root]
    assert [part.name for part in imported.collection.children] == ["Clusters", "Models"]
    by_uuid = dict(zip(map(id, in_browser_order(opened.session)), imported.objects, strict=True))
    for collection, part in zip(imported.collection.children, (opened.session.clusters, opened.session.models)):
        assert collection["mosaic_container"] == part.name
        loose = [by_uuid[id(item)] for item in part.items if isinstance(item, Geometry)]
        assert list(collection.objects) == loose
        assert len(collection.children) == len(part.groups)
        for made, group in zip(collection.children, part.groups, strict=True):
            assert made.name.startswith(group.name)
            said = made["mosaic_group"].to_dict()
            assert (said["name"], said["uuid"]) == (group.name, group.uuid)
            assert made.name == said.get("shown", group.name)
            assert list(made.objects) == [by_uuid[id(geometry)] for geometry in group.geometries]
    assert all(obj.parent == imported.root for obj in imported.objects)


def test_the_session_collection_says_where_it_comes_from(bpy: ModuleType, opened: Opened) -> None:
    said = build(bpy, opened.session).collection["mosaic_session"].to_dict()
    assert said["file"] == opened.session.path
    assert (said["layout"], said["release"]) == (opened.session.layout, opened.session.release)
    assert list(said["shape"]) == list(opened.session.shape)


def test_meta_that_blender_cannot_hold_becomes_the_nearest_that_it_can(bpy: ModuleType) -> None:
    imported = build(bpy, FOLDER / "mosaic-1.3.2.pickle")
    obj = bpy.data.objects["oriented, coloured, props"]
    assert obj in imported.objects
    assert plain(obj["nested"])["a"] == ["1", "2.5", "three", "None"]
    assert plain(obj["nested"])["deep"]["t"] == [1, 2]
    assert sorted(plain(obj["nested"])["deep"]["s"]) in ([3, 4], ["3", "4"])
    assert obj["np_f64"] == 3.25
    assert obj["np_i32"] == -7
    assert obj["np_bool"] is True
    assert obj["np_str"] == "abc"
    assert obj["none"] == "None"
    assert {key: list(row) for key, row in plain(obj["arr"]).items()} == {"0": [0, 1, 2], "1": [3, 4, 5]}
    assert obj["unicode"] == "Å µ 脂質"
    assert obj["bytes"] == "0001"
    assert obj["big"] == "1180591620717411303424"
    assert "name" not in obj


# --- names -----------------------------------------------------------------------------------------------------------


def test_names_are_kept_whatever_they_are(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.compat import MAX_NAME_BYTES

    odd = {
        "dup": "dup", "long " + "x" * 300: "long ", "脂質" * 60: "脂質", "a\0b": "ab", "lone \ud800 half": "lone ? half",
        'we/ird: "näme" [1]*?': 'we/ird: "näme" [1]*?', "new\nline": "new\nline", "  ": "  ", "dup.001": "dup.001",
    }  # fmt: skip
    names = [*odd, "dup", "dup", "long " + "x" * 300]
    imported = build(bpy, write_session(tmp_path / "s.pickle", [cloud(name) for name in names]))
    assert len(imported.objects) == len(names)
    assert len({obj.name for obj in imported.objects}) == len(names)
    for name, obj in zip(names, imported.objects, strict=True):
        assert obj["mosaic_name"] == name.replace("\0", "").replace("\ud800", "?")
        assert len(obj.name.encode()) <= MAX_NAME_BYTES
        if name in odd:
            assert obj.name.startswith(odd[name])
    by_name = [obj.name for name, obj in zip(names, imported.objects) if name == "dup"]
    assert by_name == ["dup", "dup.002", "dup.003"]
    long = [obj.name for name, obj in zip(names, imported.objects) if name.startswith("long")]
    assert [len(name) for name in long] == [MAX_NAME_BYTES] * 2
    assert long[1].endswith(".001")


def test_groups_may_have_any_name(bpy: ModuleType, tmp_path: Path) -> None:
    names = [" ", "x" * 300, "a\0b", "Clusters", "same", "same"]
    clouds = [cloud(str(number)) for number in range(len(names))]
    ids = [vars(item)["uuid"] for item in clouds]
    groups = {f"group {number}": [uuid] for number, uuid in enumerate(ids)}
    groups_tree = tree(groups, groups, dict(zip(groups, names, strict=True)))
    imported = build(bpy, write_session(tmp_path / "s.pickle", clouds, _data_tree=groups_tree))
    made = imported.collection.children[0].children
    assert [group["mosaic_group"]["name"] for group in made] == [" ", "x" * 300, "ab", "Clusters", "same", "same"]
    assert [[obj["mosaic_name"] for obj in group.objects] for group in made] == [[str(i)] for i in range(6)]


def test_a_meta_key_that_is_ours_does_not_hide_ours(bpy: ModuleType, tmp_path: Path) -> None:
    meta = {"mosaic_class": "theirs", "k" * 100: 1, "k" * 63 + "z": 2, "": 3, 7: 4, "cycles": 5, "_RNA_UI": 6}
    (obj,) = build(bpy, write_session(tmp_path / "s.pickle", [cloud("c", meta=meta)])).objects
    assert obj["mosaic_class"] == "Geometry"
    assert obj["mosaic_class.001"] == "theirs"
    assert (obj["k" * 63], obj["k" * 59 + ".001"]) == (1, 2)
    assert obj["7"] == 4


# --- place and scale -------------------------------------------------------------------------------------------------


CORNERS = np.array([[1000, 2000, 3000], [3000, 2400, 3100], [1500, 2100, 3050]], np.float32)


@pytest.mark.parametrize("angstrom", [1000.0, 10.0, 123.5])
@pytest.mark.parametrize("recentre", [True, False])
def test_a_point_stands_where_the_options_put_it(
    bpy: ModuleType, tmp_path: Path, angstrom: float, recentre: bool
) -> None:
    hidden = cloud("hidden", points=CORNERS + np.float32(5000), visible=False)
    path = write_session(tmp_path / "s.pickle", [cloud("c", points=CORNERS), hidden])
    imported = build(bpy, path, angstrom_per_unit=angstrom, recentre=recentre)
    centre = (CORNERS.min(axis=0) + CORNERS.max(axis=0)) / 2 if recentre else np.zeros(3)  # of what is visible
    for obj, points in zip(imported.objects, (CORNERS, CORNERS + 5000), strict=True):
        assert np.array_equal(positions(obj), points)
        np.testing.assert_allclose(world(obj), (points - centre) / angstrom, rtol=1e-5, atol=1e-5)
    assert list(imported.root.scale) == pytest.approx([1 / angstrom] * 3)


def test_the_pixel_size_is_that_of_mosaics_first_view_or_as_asked(bpy: ModuleType, tmp_path: Path) -> None:
    path = write_session(tmp_path / "s.pickle", [cloud("c", points=CORNERS)])
    imported = build(bpy, path)
    radius = np.linalg.norm(CORNERS.max(axis=0) - CORNERS.min(axis=0)) / 2
    # The sphere around the extent touches a view of 30 degrees; the picture is as high as 900 pixels.
    distance = radius / np.sin(np.radians(15))
    assert imported.root["mosaic_pixel_size"] == pytest.approx(2 * distance * np.tan(np.radians(15)) / 900)
    assert build(bpy, path, pixel_size=3.5).root["mosaic_pixel_size"] == 3.5


@pytest.mark.parametrize("shuffled", [False, True])
def test_points_are_never_so_wide_that_they_hide_each_other(bpy: ModuleType, tmp_path: Path, shuffled: bool) -> None:
    from mosaic_addon.scene.data.extent import first_pixel_size

    step = 7.0
    grid = np.stack(np.meshgrid(*(np.arange(15) * step,) * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    if shuffled:
        np.random.default_rng(1).shuffle(grid)
    far = np.float32([[0, 0, 0], [9000, 9000, 9000]])
    given = [cloud("dense", points=grid.astype(np.float32)), cloud("few", points=grid[:99].astype(np.float32))]
    path = write_session(tmp_path / "s.pickle", [*given, cloud("corners", points=far)])
    dense, few, _ = (inputs_of(obj) for obj in build(bpy, path).objects)
    pixel = first_pixel_size(far[0].astype(np.float64), far[1].astype(np.float64))
    assert few["Size"] * few["Pixel Size"] == pytest.approx(few["Size"] * pixel)
    assert dense["Size"] * dense["Pixel Size"] == pytest.approx(4 * step)
    assert dense["Size"] == few["Size"]  # what a saved session has
    dense, *_ = (inputs_of(obj) for obj in build(bpy, path, pixel_size=20.0).objects)
    assert dense["Pixel Size"] == 20  # who asks for a size gets it
    dense, *_ = (inputs_of(obj) for obj in build(bpy, path, pixel_size=20.0, exact=False).objects)  # as Reload does
    assert dense["Size"] * dense["Pixel Size"] == pytest.approx(4 * step)


@pytest.mark.parametrize("points", [np.zeros((2000, 3)), np.full((2000, 3), np.nan), np.zeros((0, 3))])
def test_points_without_a_spacing_are_as_wide_as_in_mosaic(points: np.ndarray) -> None:
    from mosaic_addon.scene.data.extent import spacing

    assert spacing(points, 1.0) == np.inf


@pytest.mark.parametrize("options", [{"angstrom_per_unit": 0}, {"angstrom_per_unit": np.nan}, {"pixel_size": -1.0}])
def test_options_without_sense_are_refused(bpy: ModuleType, tmp_path: Path, options: dict[str, float]) -> None:
    path = write_session(tmp_path / "s.pickle", [cloud()])
    before = datablocks(bpy)
    with pytest.raises(MosaicError):
        build(bpy, path, **options)
    assert datablocks(bpy) == before


# --- odd sessions ----------------------------------------------------------------------------------------------------


def test_a_session_without_geometries(bpy: ModuleType, tmp_path: Path) -> None:
    imported = build(bpy, write_session(tmp_path / "none.pickle"))
    assert imported.objects == []
    assert imported.collection.name == "none"
    assert imported.root.scale.x == pytest.approx(1e-3)


def test_geometries_without_points_and_with_one(bpy: ModuleType, tmp_path: Path) -> None:
    nothing = triangular_mesh(4, vertices=np.zeros((0, 3)), triangles=np.zeros((0, 3), np.int32))
    edgeless = triangular_mesh(3, triangles=np.zeros((0, 3), np.int32))
    clusters = [cloud("empty", 0), cloud("one", 1)]
    models = [mesh("no mesh", 0, model=nothing), mesh("no faces", 3, model=edgeless)]
    imported = build(bpy, write_session(tmp_path / "s.pickle", clusters, models))
    assert [len(positions(obj)) for obj in imported.objects] == [0, 1, 0, 3]
    for obj in imported.objects:
        for label in ("Surface", "Mesh", "Wireframe", "Point Cloud"):
            if obj.type == "MESH":
                set_input(obj, "Representation", label)
            evaluated(bpy, obj)


def test_points_that_are_no_numbers_are_kept_and_do_not_move_the_rest(bpy: ModuleType, tmp_path: Path) -> None:
    odd = CORNERS.copy()
    odd[2] = (np.nan, np.inf, 0)
    path = write_session(tmp_path / "s.pickle", [cloud("c", points=odd), cloud("all", points=np.full((3, 3), np.nan))])
    imported = build(bpy, path)
    assert np.array_equal(positions(imported.objects[0]), odd, equal_nan=True)
    centre = (CORNERS[0] + CORNERS[1]) / 2
    np.testing.assert_allclose(world(imported.objects[0])[:2], (CORNERS[:2] - centre) / SCALE, atol=1e-5)
    for obj in imported.objects:
        evaluated(bpy, obj)


def test_a_session_of_nothing_but_nan(bpy: ModuleType, tmp_path: Path) -> None:
    imported = build(bpy, write_session(tmp_path / "s.pickle", [cloud("all", points=np.full((3, 3), np.nan))]))
    assert np.isfinite(np.array(imported.root.matrix_world)).all()
    assert imported.root["mosaic_pixel_size"] > 0


# --- several in one scene --------------------------------------------------------------------------------------------


def test_two_sessions_share_a_scene_and_their_node_groups(bpy: ModuleType) -> None:
    names = ["mosaic-1.3.2.pickle", "mosaic-1.0.0.pickle"]
    both = [Opened(name) for name in names]
    made = [build(bpy, opened.session) for opened in both]
    assert [child.name for child in bpy.context.scene.collection.children] == ["mosaic-1.3.2", "mosaic-1.0.0"]
    assert made[0].root != made[1].root
    for imported, opened in zip(made, both, strict=True):
        check_all(imported.objects, opened)
    groups = [group.name for group in bpy.data.node_groups]
    assert len({name.partition(".")[0] for name in groups}) == len(groups)


def test_the_same_session_twice(bpy: ModuleType) -> None:
    opened = Opened("mosaic-1.3.2.pickle")
    first, second = build(bpy, opened.session), build(bpy, opened.session)
    assert first.collection != second.collection
    assert not {obj.name for obj in first.objects} & {obj.name for obj in second.objects}
    for imported in (first, second):
        check_all(imported.objects, opened)


# --- kept in the .blend ----------------------------------------------------------------------------------------------


def test_a_saved_file_holds_the_same(bpy: ModuleType, tmp_path: Path, opened: Opened) -> None:
    names = [obj.name for obj in build(bpy, opened.session).objects]
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "saved.blend"))
    bpy.ops.wm.read_homefile(use_empty=True)
    assert not [name for name in names if name in bpy.data.objects]
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "saved.blend"))
    objects = [bpy.data.objects[name] for name in names]
    bpy.context.view_layer.update()
    check_all(objects, opened)


IMPORT = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
import bpy
from mosaic_addon import api
bpy.ops.wm.read_factory_settings(use_empty=True)
imported = api.load(sys.argv[2])
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[3])
print(json.dumps([thing.name for thing in imported.objects]), file=sys.stderr, flush=True)
os._exit(0)
"""


def test_a_file_of_an_older_blender_holds_the_same(bpy: ModuleType, tmp_path: Path) -> None:
    """For each older Blender that this clone has a finished environment of."""
    own = bpy.app.version[:2]
    for version in build_tool.PYTHON_OF_BLENDER:
        environment = build_tool.Environment(build_tool.VENVS / version, (f"bpy=={version}.*", *build_tool.TEST_TOOLS))
        if tuple(map(int, version.split("."))) >= own or not environment.ready():
            continue
        for name in ("mosaic-1.3.2.pickle", "mosaic-1.0.0.pickle"):
            target = tmp_path / f"{version}.blend"
            command = [environment.python, "-c", IMPORT, ROOT, FOLDER / name, target]
            done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120, check=False)
            assert done.returncode == 0, done.stderr
            bpy.ops.wm.open_mainfile(filepath=str(target))
            bpy.context.view_layer.update()
            names = json.loads(done.stderr.strip().splitlines()[-1])
            check_all([bpy.data.objects[name] for name in names], Opened(name))
