"""Representations: what each draws, switched by the modifier's input, animated, and in whose colour."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.built import build, datablocks, set_input
from tests.support.drawn import Part, parts_of, rotated
from tests.support.make_sessions import (
    an_object,
    cloud,
    mesh,
    properties,
    trajectory,
    triangular_mesh,
    volume,
    write_session,
)

RATE = np.array([4, 6, 5], np.float32)  # angstrom a voxel
ARROW = 15 * 6  # angstrom: fifteen of the longest
PIXEL = 2.0  # angstrom
LOOK = {"size": 10, "base_color": (0.9, 0.5, 0.1), "ambient": 0.3, "diffuse": 0.7}
PLACES = np.array([[0, 0, 0], [400, 0, 0], [0, 400, 0], [400, 400, 0], [200, 200, 300]], np.float32)
NORMALS = np.array([[0, 0, 1], [1, 0, 0], [0, -3, 0], [0, 0, -0.1], [1, 2, 2]], np.float32)
QUATERNIONS = np.array(
    [[1, 0, 0, 0], [1, 0, 0, 1], [0.5, 0.5, 0.5, 0.5], [0, 0, 0, 0], [-0.2, 0.4, -0.6, 0.1]], np.float32
)
FACES = np.array([[0, 1, 3], [0, 3, 2]], np.int32)


def square(corners: Any = PLACES[:4]) -> Any:
    return triangular_mesh(4, vertices=np.asarray(corners, np.float64), triangles=FACES)


def a_film() -> Any:
    """Three steps; the square of each lies 100 angstrom above the last."""
    steps = [
        {
            "fit": square(PLACES[:4] + np.float32([0, 0, 100 * i])),
            "filename": f"{i}",
            "vertex_properties": properties(4, {}),
        }
        for i in range(3)
    ]
    return trajectory("film", 4, points=PLACES[:4], model=square(), trajectory=steps, **COMMON)


COMMON: dict[str, Any] = {"sampling_rate": RATE, "appearance": LOOK}
VALUES = np.zeros((6, 8, 7), np.float32)
VALUES[1:3, 1:4, 1:3] = 1  # off the middle, so that a turn shows
BALL = {"radius": 150.0, "center": np.array([100.0, 200, 300])}


def make(kind: str, **state: Any) -> Any:
    """A geometry of each kind of data, of 5 points or 4 vertices."""
    state = COMMON | state
    makers: dict[str, Callable[[], Any]] = {
        "points": lambda: cloud("points", points=PLACES, **state),
        "mesh": lambda: mesh("mesh", 4, points=PLACES[:4], model=square(), **state),
        "volume": lambda: volume(
            "volume", 5, **{"points": PLACES, "volume": VALUES, "target_resolution": 1.0, "quaternions": None, **state}
        ),
        "segmentation": lambda: cloud(
            "segmentation", points=PLACES, cls="SegmentationGeometry", representation="segmentation", **state
        ),
        "fit": lambda: cloud("fit", points=PLACES, model=an_object("mosaic.parametrization.Sphere", BALL), **state),
        "film": a_film,
    }
    made = makers[kind]()
    if kind == "volume":
        vars(made)["appearance"] = {**LOOK, "isovalue_percentile": 97.0}
    return made


GROUPS = {
    "points": "Mosaic Points", "mesh": "Mosaic Mesh", "volume": "Mosaic Volume", "segmentation": "Mosaic Segmentation",
    "fit": "Mosaic Fit", "film": "Mosaic Trajectory",
}  # fmt: skip
OFFERED = {
    "points": ["Point Cloud", "Gaussian Density", "Normals", "Basis", "Membrane Surface"],
    "mesh": ["Surface", "Mesh", "Wireframe", "Point Cloud", "Gaussian Density", "Normals", "Basis"],
    "volume": ["Volume", "Point Cloud", "Gaussian Density", "Normals", "Basis"],
    "segmentation": ["Segmentation", "Point Cloud", "Membrane Surface"],
    "fit": ["Point Cloud", "Gaussian Density", "Normals", "Basis", "Fitted Surface"],
    "film": ["Surface", "Mesh", "Wireframe", "Point Cloud", "Gaussian Density", "Normals", "Basis"],
}
EACH = [(kind, label) for kind, labels in OFFERED.items() for label in labels]


def one(bpy: ModuleType, tmp_path: Path, geometry: Any, **options: Any) -> Any:
    """The object of a session of one geometry, placed as in the session unless asked otherwise."""
    options = {"pixel_size": PIXEL, "angstrom_per_unit": 1.0, "recentre": False, **options}
    return build(bpy, write_session(tmp_path / "s.pickle", [geometry]), **options).objects[0]


def drawn_as(bpy: ModuleType, obj: Any, label: str) -> list[Part]:
    from mosaic_addon.scene.drawing.membranes import make_membrane

    if label == "Membrane Surface":
        assert make_membrane(obj) == ""
    set_input(obj, "Representation", label)
    return parts_of(bpy, obj)


# --- every kind of data, every representation ------------------------------------------------------------------------


def test_the_menu_of_each_kind_offers_what_it_can_be_drawn_as() -> None:
    from mosaic_addon.scene.drawing import representations

    offered = {
        kind: [representations.LABELS[name] for name in representations.OFFERED[group]]
        for kind, group in GROUPS.items()
    }
    assert offered == OFFERED
    assert set(GROUPS.values()) == set(representations.OFFERED)


@pytest.mark.parametrize(("kind", "label"), EACH)
def test_switching_draws_that_representation(bpy: ModuleType, tmp_path: Path, kind: str, label: str) -> None:
    obj = one(bpy, tmp_path, make(kind))
    assert obj.modifiers["Mosaic"].node_group.name == GROUPS[kind]
    count = 4 if kind in ("mesh", "film") else 5
    parts = drawn_as(bpy, obj, label)
    sizes = [len(part.points) for part in parts]
    if label in ("Point Cloud", "Gaussian Density"):
        assert sizes == [count]
        np.testing.assert_allclose(parts[0].points, PLACES[:count], atol=1e-3)
        pixels = 8 if kind in ("mesh", "film") else 10  # the size of what is shown as a surface means nothing in Mosaic
        radius = pixels * PIXEL / 2 if label == "Point Cloud" else 3 * 2.0
        np.testing.assert_allclose(parts[0].radii, radius, rtol=1e-6)
    elif label in ("Normals", "Basis"):
        assert len(parts) == count
        assert set(sizes) == {19 if label == "Normals" else 57}  # of an arrow with six sides
        np.testing.assert_allclose([part.matrix[:3, 3] for part in parts], PLACES[:count], atol=1e-3)
    elif label == "Volume":
        assert len(parts) == count
        assert len({len(part.corners) for part in parts}) == 1
        assert len(parts[0].corners) > 10
    else:
        (part,) = parts
        assert not part.is_cloud
        faces = {
            "Surface": 2,
            "Wireframe": 5 * 5,
            "Mesh": 2 + 5 * 3,
            "Segmentation": len(PLACES) * 8,
            "Fitted Surface": None,
            "Membrane Surface": None,
        }[label]
        assert faces is None or len(part.corners) == faces
        if label == "Fitted Surface":
            distance = np.linalg.norm(part.points - BALL["center"], axis=1)
            np.testing.assert_allclose(distance, BALL["radius"], rtol=1e-5)


@pytest.mark.parametrize(("kind", "label"), EACH)
@pytest.mark.parametrize("how", ["plain", "Instances", "flat"])
def test_whatever_is_drawn_has_the_objects_material_or_one_of_mosaics_own(
    bpy: ModuleType, tmp_path: Path, kind: str, label: str, how: str
) -> None:
    if how != "plain" and label != "Point Cloud":
        return
    obj = one(bpy, tmp_path, make(kind))
    set_input(obj, "Instances", how == "Instances")
    set_input(obj, "Spheres", how != "flat")
    used = {name for part in drawn_as(bpy, obj, label) for name in part.materials}
    own = obj.material_slots[0].material.name
    assert used == {
        "Basis": {"Mosaic X", "Mosaic Y", "Mosaic Z"},
        "Mesh": {own, "Mosaic Edges"},
    }.get(label, {own})


def test_a_picture_shows_every_representation_in_the_base_colour(bpy: ModuleType, tmp_path: Path) -> None:
    """Also what the renderer makes of it: instances, native points and tubes take their material in different ways."""
    from mosaic_addon import api
    from mosaic_addon.scene.pictures.camera import frame_camera

    kinds = ("points", "segmentation", "mesh", "film", "volume", "fit")
    coarse = np.full(3, 60, np.float32)
    geometries = [make(kind, sampling_rate=coarse) if kind != "film" else make(kind) for kind in kinds]
    for geometry in geometries:
        if hasattr(geometry, "volume"):
            geometry.volume_sampling_rate = coarse
    imported = api.load(write_session(tmp_path / "s.pickle", geometries), options=api.ImportOptions(pixel_size=8.0))
    scene = bpy.context.scene
    api.render(imported, tmp_path / "all.png", api.RenderOptions((40, 30), samples=1, look="flat", background="white"))
    bad = []
    for obj, kind in zip(imported.objects, kinds, strict=True):
        for other in imported.objects:
            other.hide_render = other is not obj
        frame_camera(scene, [obj], (0.3, 0.4, -1))
        for label in OFFERED[kind]:
            if label in ("Gaussian Density", "Basis"):  # soft, and in colours of its own
                continue
            set_input(obj, "Representation", label)
            scene.render.filepath = str(tmp_path / "one.png")
            bpy.ops.render.render(write_still=True)
            pixels = np.asarray(Image.open(tmp_path / "one.png").convert("RGB"), np.float64) / 255
            like = np.abs(pixels - LOOK["base_color"]).max(axis=2) < 0.02
            if like.sum() < 3:
                bad.append((kind, label))
    assert not bad


# --- spheres and discs -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("detail", "vertices"), [(1, 12), (2, 42), (3, 162)])
def test_mesh_spheres_are_as_large_as_native_ones_and_as_fine_as_asked(
    bpy: ModuleType, tmp_path: Path, detail: int, vertices: int
) -> None:
    obj = one(bpy, tmp_path, make("points"))
    for name, value in (("Instances", True), ("Sphere Detail", detail), ("Size", 7.0)):
        set_input(obj, name, value)
    parts = parts_of(bpy, obj)
    assert [len(part.points) for part in parts] == [vertices] * 5
    for part, place in zip(parts, PLACES, strict=True):
        np.testing.assert_allclose(np.linalg.norm(part.points - place, axis=1), 7 * PIXEL / 2, rtol=1e-4)


# --- arrows ----------------------------------------------------------------------------------------------------------


def tip_of(points: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The way from the start of an arrow to what is farthest from it."""
    arms = points - start
    return arms[np.linalg.norm(arms, axis=1).argmax()]


@pytest.mark.parametrize("kind", ["points", "volume", "fit", "mesh"])
def test_arrows_start_at_the_points_and_reach_along_the_normals(bpy: ModuleType, tmp_path: Path, kind: str) -> None:
    count = 4 if kind == "mesh" else 5
    obj = one(bpy, tmp_path, make(kind, normals=NORMALS[:count]))
    parts = drawn_as(bpy, obj, "Normals")
    for part, place, normal in zip(parts, PLACES, NORMALS, strict=kind != "mesh"):
        way = tip_of(part.points, place)
        np.testing.assert_allclose(way, normal / np.linalg.norm(normal) * ARROW, atol=0.01)
        off = np.linalg.norm(np.cross(part.points - place, way / ARROW), axis=1)
        assert off.max() == pytest.approx(0.08 * ARROW, rel=1e-3)  # of the tip's rim
        along = (part.points - place) @ way / ARROW
        assert along.min() == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("kind", ["points", "mesh"])
def test_arrows_without_normals_reach_upwards(bpy: ModuleType, tmp_path: Path, kind: str) -> None:
    obj = one(bpy, tmp_path, make(kind))
    for part, place in zip(drawn_as(bpy, obj, "Normals"), PLACES):
        np.testing.assert_allclose(tip_of(part.points, place), (0, 0, ARROW), atol=0.01)


def test_a_normal_of_no_length_and_one_of_no_number_draw_an_arrow_all_the_same(bpy: ModuleType, tmp_path: Path) -> None:
    odd = NORMALS.copy()
    odd[0], odd[1] = 0, np.nan
    obj = one(bpy, tmp_path, make("points", normals=odd))
    parts = drawn_as(bpy, obj, "Normals")
    assert len(parts) == 5
    np.testing.assert_allclose(tip_of(parts[0].points, PLACES[0]), (0, 0, ARROW), atol=0.01)
    np.testing.assert_allclose(tip_of(parts[2].points, PLACES[2]), (0, -ARROW, 0), atol=0.01)


def test_the_arrow_length_can_be_changed(bpy: ModuleType, tmp_path: Path) -> None:
    obj = one(bpy, tmp_path, make("points"))
    set_input(obj, "Arrow Length", 33.0)
    assert np.linalg.norm(tip_of(drawn_as(bpy, obj, "Normals")[1].points, PLACES[1])) == pytest.approx(33)


@pytest.mark.parametrize("kind", ["points", "volume", "fit", "mesh"])
def test_axes_are_turned_by_the_quaternions_and_in_mosaics_colours(bpy: ModuleType, tmp_path: Path, kind: str) -> None:
    count = 4 if kind == "mesh" else 5
    obj = one(bpy, tmp_path, make(kind, quaternions=QUATERNIONS[:count]))
    parts = drawn_as(bpy, obj, "Basis")
    assert len(parts) == count
    for part, place, quaternion in zip(parts, PLACES, QUATERNIONS):
        for axis, way in zip("XYZ", np.eye(3)):
            tip = tip_of(part.points_with(f"Mosaic {axis}"), place)
            np.testing.assert_allclose(tip, rotated(quaternion, way) * ARROW, atol=0.02)
    for axis, color in (("X", (0.8, 0.2, 0.2)), ("Y", (0.26, 0.65, 0.44)), ("Z", (0.2, 0.4, 0.8))):
        shown = np.array(bpy.data.materials[f"Mosaic {axis}"].diffuse_color)[:3]
        display = np.where(shown <= 0.0031308, shown * 12.92, 1.055 * shown ** (1 / 2.4) - 0.055)
        np.testing.assert_allclose(display, color, atol=1e-3)


def test_axes_without_quaternions_follow_the_normals(bpy: ModuleType, tmp_path: Path) -> None:
    obj = one(bpy, tmp_path, make("points", normals=NORMALS))
    for part, place, normal in zip(drawn_as(bpy, obj, "Basis"), PLACES, NORMALS, strict=True):
        tip = tip_of(part.points_with("Mosaic Z"), place)
        np.testing.assert_allclose(tip, normal / np.linalg.norm(normal) * ARROW, atol=0.01)


# --- volumes ---------------------------------------------------------------------------------------------------------


def test_a_volume_is_a_copy_at_each_point_turned_about_its_middle(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.shapes.isosurface import volume_surface

    obj = one(bpy, tmp_path, make("volume", quaternions=QUATERNIONS))
    surface = volume_surface(VALUES, np.full(3, 10, np.float32), 97.0, 1.0).vertices
    assert np.abs(surface.mean(axis=0)).max() > 5, "a surface that turns onto itself would prove nothing"
    parts = drawn_as(bpy, obj, "Volume")
    for part, place, quaternion in zip(parts, PLACES, QUATERNIONS, strict=True):
        expected = [rotated(quaternion, vertex) + place for vertex in surface]
        np.testing.assert_allclose(part.points, expected, atol=2e-3)


def test_a_volume_of_normals_alone_is_not_turned_as_in_mosaic(bpy: ModuleType, tmp_path: Path) -> None:
    obj = one(bpy, tmp_path, make("volume", normals=NORMALS))
    for part in drawn_as(bpy, obj, "Volume"):
        np.testing.assert_allclose(part.matrix[:3, :3], np.eye(3), atol=1e-6)


# --- lines -----------------------------------------------------------------------------------------------------------


def distance_to_edges(points: np.ndarray) -> np.ndarray:
    """From each point to the nearest edge of the square and its diagonal."""
    edges = {tuple(sorted(edge)) for a, b, c in FACES.tolist() for edge in ((a, b), (b, c), (c, a))}
    found = []
    for a, b in edges:
        start, way = PLACES[a].astype(float), (PLACES[b] - PLACES[a]).astype(float)
        along = np.clip((points - start) @ way / (way @ way), 0, 1)
        found.append(np.linalg.norm(points - start - along[:, None] * way, axis=1))
    return np.min(found, axis=0)


@pytest.mark.parametrize("pixels", [1.0, 3.0])
def test_lines_of_a_wireframe_are_tubes_as_wide_as_their_pixels(bpy: ModuleType, tmp_path: Path, pixels: float) -> None:
    obj = one(bpy, tmp_path, make("mesh"))
    set_input(obj, "Line Width", pixels)
    (wires,) = drawn_as(bpy, obj, "Wireframe")
    # Where tubes meet, the end of one lies inside another.
    assert distance_to_edges(wires.points).max() == pytest.approx(pixels * PIXEL / 2, rel=1e-3)


# --- animation, and more than one import -----------------------------------------------------------------------------


def test_the_representation_can_be_keyframed(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.compat import ModifierInputs

    obj = one(bpy, tmp_path, make("points"))
    modifier = obj.modifiers["Mosaic"]
    inputs = ModifierInputs(modifier.node_group)
    shown = {1: "Point Cloud", 10: "Basis", 20: "Normals"}
    for frame, label in shown.items():
        inputs.set(modifier, "Representation", label)
        assert obj.keyframe_insert(inputs.data_path(modifier, "Representation"), frame=frame)
    for frame, label in {**shown, 9: "Point Cloud", 15: "Basis"}.items():
        bpy.context.scene.frame_set(frame)
        sizes = [len(part.points) for part in parts_of(bpy, obj)]
        assert sizes == {"Point Cloud": [5], "Basis": [57] * 5, "Normals": [19] * 5}[label], frame


def test_a_number_can_be_keyframed(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.compat import ModifierInputs

    obj = one(bpy, tmp_path, make("points"))
    modifier = obj.modifiers["Mosaic"]
    inputs = ModifierInputs(modifier.node_group)
    for frame, size in ((1, 4.0), (11, 8.0)):
        inputs.set(modifier, "Size", size)
        obj.keyframe_insert(inputs.data_path(modifier, "Size"), frame=frame)
    radii = []
    for frame in (1, 6, 11):
        bpy.context.scene.frame_set(frame)
        radii.append(parts_of(bpy, obj)[0].radii[0])
    assert radii == pytest.approx([4, 6, 8])  # a pixel is 2 angstrom


def test_a_second_import_uses_the_node_groups_and_shared_materials_of_the_first(
    bpy: ModuleType, tmp_path: Path
) -> None:
    path = write_session(tmp_path / "s.pickle", [make(kind) for kind in GROUPS])
    build(bpy, path)
    before = datablocks(bpy)
    build(bpy, path)
    new = [(kind, name) for kind, name, _ in datablocks(bpy) - before]
    assert not [name for kind, name in new if kind == "node_groups"]
    assert sorted(name for kind, name in new if kind == "materials") == [f"{kind}.001" for kind in sorted(GROUPS)]


def test_inputs_are_set_by_name_and_passed_over_where_there_is_none(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.compat import ModifierInputs
    from mosaic_addon.scene.drawing.representations import set_inputs

    path = write_session(tmp_path / "s.pickle", [make("points"), make("mesh")])
    objects = build(bpy, path).objects
    empty = bpy.data.objects.new("no modifier", None)
    set_inputs([*objects, empty], {"Pixel Size": 3.0, "Line Width": 5.0})
    points, surface = (ModifierInputs(obj.modifiers["Mosaic"].node_group) for obj in objects)
    assert points.get(objects[0].modifiers["Mosaic"], "Pixel Size") == 3.0
    assert surface.get(objects[1].modifiers["Mosaic"], "Line Width") == 5.0
    assert "Line Width" not in points
