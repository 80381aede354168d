"""Colours by vertex property: the choices, and the colours in rendered pictures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mosaic_addon.scene.drawing.color_maps import sample, stops, to_display
from mosaic_addon.session import MosaicError


@pytest.fixture
def draw(bpy: ModuleType) -> SimpleNamespace:
    """What makes objects and pictures of them: flat colours, seen from above, a Blender unit a cell of 8 x 8 pixels."""
    from mosaic_addon.scene.compat import ModifierInputs, PointCloudFactory
    from mosaic_addon.scene.data.attributes import buffer_of
    from mosaic_addon.scene.data.meshes import new_mesh
    from mosaic_addon.scene.data.vertex_properties import write_columns
    from mosaic_addon.scene.drawing import coloring
    from mosaic_addon.scene.drawing.materials import MaterialFactory, Shading, set_shading
    from mosaic_addon.scene.drawing.representations import MESH, POINTS, RepresentationFactory
    from mosaic_addon.session.session import Appearance

    def finish(data: Any, columns: dict[str, Any], group: str, representation: str, size: float) -> Any:
        write_columns(data, {name: np.asarray(values) for name, values in columns.items()})
        data.materials.append(None)
        obj = bpy.data.objects.new("thing", data)
        obj.material_slots[0].link = "OBJECT"
        appearance = Appearance(base_color=(0.2, 0.4, 0.8))
        obj.material_slots[0].material = MaterialFactory(1).new("thing", appearance)
        RepresentationFactory().add(obj, group, representation, {"Size": size, "Pixel Size": 1.0})
        bpy.context.scene.collection.objects.link(obj)
        return obj

    def cloud(
        columns: dict[str, Any], row: float = 0, instances: bool = False, representation: str = "pointcloud"
    ) -> Any:
        """A row of points 0.8 wide, at x = 0, 1, 2, …"""
        count = len(next(iter(columns.values())))
        points = np.zeros((count, 3), np.float32)
        points[:, 0], points[:, 1] = np.arange(count), row
        with PointCloudFactory() as clouds:
            data = clouds.new("cloud", count, lambda items: items.foreach_set("vector", buffer_of(points, np.float32)))
        obj = finish(data, columns, POINTS, representation, 0.8)
        if instances:
            modifier = obj.modifiers[0]
            ModifierInputs(modifier.node_group).set(modifier, "Instances", True)
        return obj

    def mesh(columns: dict[str, Any], row: float = 0, representation: str = "surface") -> Any:
        """A ribbon with a pair of vertices at x = 0, 1, 2, …: each value is given to both of its pair."""
        count = len(next(iter(columns.values())))
        points = np.zeros((2 * count, 3), np.float32)
        points[:, 0] = np.repeat(np.arange(count), 2)
        points[0::2, 1], points[1::2, 1] = row - 0.4, row + 0.4
        first = 2 * np.arange(count - 1)[:, None]
        triangles = np.concatenate([first + np.array(three) for three in ((0, 2, 1), (1, 2, 3))]).astype(np.int32)
        both = {name: np.repeat(values, 2, axis=0) for name, values in columns.items()}
        return finish(new_mesh("ribbon", points, triangles), both, MESH, representation, 0.8)

    def picture(path: Path) -> Any:
        """Render the first 8 x 4 cells; returns a function that gives the display colour in the middle of a cell."""
        set_shading(Shading(lit=False))
        look_down(bpy)
        return render(bpy, path)

    return SimpleNamespace(cloud=cloud, mesh=mesh, picture=picture, finish=finish, c=coloring)


def look_down(bpy: ModuleType) -> None:
    scene = bpy.context.scene
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.data.type = "ORTHO"
    camera.data.ortho_scale = 8
    camera.location = (3.5, 1.5, 10)
    scene.collection.objects.link(camera)
    scene.camera = camera
    scene.render.engine = "CYCLES"
    scene.render.resolution_x, scene.render.resolution_y = 64, 32
    scene.cycles.samples = 4
    scene.cycles.use_denoising = False
    scene.render.film_transparent = True
    scene.render.image_settings.file_format = "OPEN_EXR"
    scene.render.image_settings.color_depth = "32"


def render(bpy: ModuleType, path: Path) -> Any:
    bpy.context.scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    return read_picture(bpy, path)


def read_picture(bpy: ModuleType, path: Path) -> Any:
    image = bpy.data.images.load(str(path))
    pixels = np.array(image.pixels[:]).reshape(32, 64, 4)

    def color(x: float, y: float = 0) -> Any:
        right, up = int(x * 8) + 3, int(y * 8) + 3
        seen = pixels[up : up + 2, right : right + 2].mean((0, 1))
        return to_display(seen[:3] / max(seen[3], 1e-6))  # a thin line fills a part of its pixels

    return color


def near(color: Any, wanted: Any, tolerance: float = 4 / 255) -> bool:
    return bool(np.abs(np.asarray(color) - np.asarray(wanted)).max() <= tolerance)


def map_at(name: str, *where: float) -> Any:
    return sample(name, np.array(where))


# --- rendered colours ------------------------------------------------------------------------------------------------

VALUES = np.array([0, 1, 2, 3, 4], np.float32)


@pytest.mark.parametrize(
    "kind", ["points", "spheres", "normals", "surface", "wireframe", "mesh as points", "mesh as spheres"]
)
def test_colors_are_in_their_places(draw: SimpleNamespace, tmp_path: Path, kind: str) -> None:
    """In every representation, whether the attribute is the geometry's or the instances'."""
    columns = {"height": VALUES}
    if kind in ("surface", "wireframe"):
        obj = draw.mesh(columns, representation=kind)
        if kind == "wireframe":
            set_input(obj, "Line Width", 0.6)
    elif kind.startswith("mesh"):
        obj = draw.mesh(columns, representation="pointcloud")
        set_input(obj, "Size", 1.0)
        set_input(obj, "Instances", kind == "mesh as spheres")
    else:
        obj = draw.cloud(
            columns, instances=kind == "spheres", representation="normals" if kind == "normals" else "pointcloud"
        )
        if kind == "normals":
            set_input(obj, "Arrow Length", 6.0)
    assert draw.c.color_by([obj], "height") == draw.c.Coloring("height", "viridis", (0, 4))
    color = draw.picture(tmp_path / "a.exr")
    wanted = map_at("viridis", 0, 0.25, 0.5, 0.75, 1)
    inside = range(1, 4) if kind in ("surface",) else range(5)
    for x in inside:
        # a surface is interpolated across the pixels that are averaged
        assert near(color(x), wanted[x], 8 / 255), (x, color(x) * 255, wanted[x] * 255)
    draw.c.uncolor([obj])
    assert near(draw.picture(tmp_path / "b.exr")(2), (0.2, 0.4, 0.8))


def set_input(obj: Any, name: str, value: Any) -> None:
    from mosaic_addon.scene.compat import ModifierInputs

    ModifierInputs(obj.modifiers[0].node_group).set(obj.modifiers[0], name, value)


def test_the_range_is_shared(draw: SimpleNamespace, tmp_path: Path) -> None:
    low, high = draw.cloud({"p": [0.0, 1.0]}), draw.cloud({"p": [3, 4]}, row=1)
    other = draw.cloud({"q": [1.0]}, row=2)
    assert draw.c.color_by([low, high, other], "p").value_range == (0, 4)
    color = draw.picture(tmp_path / "a.exr")
    wanted = map_at("viridis", 0, 0.25, 0.75, 1)
    for cell, value in zip([(0, 0), (1, 0), (0, 1), (1, 1)], wanted):
        assert near(color(*cell), value)
    assert near(color(0, 2), (0.2, 0.4, 0.8)), "who lacks the property keeps its colour"
    assert draw.c.coloring_of(other) is None


def test_ranges_by_quantile_and_in_numbers(draw: SimpleNamespace, tmp_path: Path) -> None:
    obj = draw.cloud({"p": np.array([-100, 1, 2, 3, 100], np.float32)})
    assert draw.c.color_by([obj], "p", quantiles=(0.25, 0.75)).value_range == (1, 3)
    color = draw.picture(tmp_path / "a.exr")
    for x, place in enumerate((0, 0, 0.5, 1, 1)):
        assert near(color(x), map_at("viridis", place)[0])
    assert draw.c.color_by([obj], "p", value_range=(-3, 5)).value_range == (-3, 5)
    assert near(draw.picture(tmp_path / "b.exr")(1), map_at("viridis", 0.5)[0])


def test_gamma_is_mosaics(draw: SimpleNamespace, tmp_path: Path) -> None:
    obj = draw.cloud({"p": VALUES})
    draw.c.color_by([obj], "p", "magma", gamma=2.0)
    color = draw.picture(tmp_path / "a.exr")
    for x, value in enumerate(VALUES):
        assert near(color(x), map_at("magma", (value / 4) ** (1 / 2))[0])


@pytest.mark.parametrize(("name", "reverse"), [("magma", True), ("magma_r", False)])
def test_maps_are_turned_round(draw: SimpleNamespace, tmp_path: Path, name: str, reverse: bool) -> None:
    obj = draw.cloud({"p": VALUES})
    coloring = draw.c.color_by([obj], "p", name, reverse=reverse)
    assert (coloring.color_map, coloring.reverse) == ("magma", True)
    color = draw.picture(tmp_path / "a.exr")
    assert near(color(0), map_at("magma", 1)[0])
    assert near(color(1), map_at("magma", 0.75)[0])


def test_what_is_not_a_number_is_grey(draw: SimpleNamespace, tmp_path: Path) -> None:
    obj = draw.cloud({"p": np.array([np.nan, 1, np.inf, 3, -np.inf])})
    assert draw.c.color_by([obj], "p").value_range == (1, 3)
    color = draw.picture(tmp_path / "a.exr")
    for x in (0, 2, 4):
        assert near(color(x), (0.5, 0.5, 0.5))
    assert near(color(3), map_at("viridis", 1)[0])


def test_equal_values_have_the_middle_color(draw: SimpleNamespace, tmp_path: Path) -> None:
    obj = draw.cloud({"p": [7.0, 7.0]})
    draw.c.color_by([obj], "p")
    assert near(draw.picture(tmp_path / "a.exr")(0), map_at("viridis", 0.5)[0])


def test_vectors_by_length_or_component(draw: SimpleNamespace, tmp_path: Path) -> None:
    vectors = np.array([[0, 0, 0], [3, 4, 0], [0, 6, -8]], np.float32)
    obj = draw.cloud({"v": vectors, "wide": np.eye(3, 5), "whole": np.array([[0, 1], [0, 3], [0, 2]])})
    assert draw.c.color_by([obj], "v").value_range == (0, 10)
    assert draw.c.coloring_of(obj).component is None
    assert near(draw.picture(tmp_path / "a.exr")(1), map_at("viridis", 0.5)[0])
    assert draw.c.color_by([obj], "v", component=2).value_range == (-8, 0)
    assert draw.c.coloring_of(obj).component == 2
    assert near(draw.picture(tmp_path / "b.exr")(2), map_at("viridis", 0)[0])
    draw.c.color_by([obj], "whole", component=1)
    assert draw.c.coloring_of(obj) == draw.c.Coloring("whole", "viridis", (1, 3), component=1)
    assert near(draw.picture(tmp_path / "c.exr")(2), map_at("viridis", 0.5)[0])
    with pytest.raises(MosaicError, match="'wide' has 5 columns; choose a component"):
        draw.c.color_by([obj], "wide")
    with pytest.raises(MosaicError, match="no component 3"):
        draw.c.color_by([obj], "v", component=3)


# --- categories ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("instances", [False, True])
def test_labels_have_colors_by_value(draw: SimpleNamespace, tmp_path: Path, instances: bool) -> None:
    """The colour of a label depends on nothing else, and after the palette's last colour comes its first."""
    palette = stops("Set1")[1]
    first = draw.cloud({"label": np.array([0, 1, 8, 9, -1])}, instances=instances)
    second = draw.cloud({"label": np.array([1, 20], np.uint8)}, row=1, instances=instances)
    for obj in (first, second):
        assert draw.c.color_by([obj], "label", "Set1").categories
    color = draw.picture(tmp_path / "a.exr")
    for x, entry in enumerate((0, 1, 8, 0, 8)):
        assert near(color(x), palette[entry], 1 / 255)
    assert near(color(0, 1), palette[1], 1 / 255)
    assert near(color(1, 1), palette[2], 1 / 255)


@pytest.mark.parametrize(("values", "categories"), [([0.0, 0.3, 0.6, 1.0], None), ([0, 3, 6, 10], False)])
def test_a_palette_cuts_the_range_of_numbers(
    draw: SimpleNamespace, tmp_path: Path, values: list[float], categories: bool | None
) -> None:
    obj = draw.cloud({"p": values})
    assert not draw.c.color_by([obj], "p", "Dark2", categories=categories).categories
    color = draw.picture(tmp_path / "a.exr")
    for x, entry in enumerate((0, 2, 4, 7)):
        assert near(color(x), stops("Dark2")[1][entry], 1 / 255)


def test_texts_have_one_color_in_all_objects(draw: SimpleNamespace, tmp_path: Path) -> None:
    from mosaic_addon.scene.data.vertex_properties import read_columns

    texts = [np.array(["spike", "rna", "spike"]), np.array(["membrane", "rna"])]
    first, second = draw.cloud({"class": texts[0]}), draw.cloud({"class": texts[1]}, row=1)
    coloring = draw.c.color_by([first, second], "class")
    assert (coloring.color_map, coloring.categories, coloring.value_range) == ("Dark2", True, (0, 2))
    color = draw.picture(tmp_path / "a.exr")
    membrane, rna, spike = stops("Dark2")[1][:3]
    for cell, wanted in (((0, 0), spike), ((1, 0), rna), ((2, 0), spike), ((0, 1), membrane), ((1, 1), rna)):
        assert near(color(*cell), wanted, 1 / 255)
    for obj, column in zip((first, second), texts):
        kept = read_columns(obj.data)["class"]
        assert kept.tolist() == column.tolist()
        assert kept.dtype == column.dtype
    draw.c.color_by([first, second], "class", "viridis")
    assert near(draw.picture(tmp_path / "b.exr")(1), map_at("viridis", 0.5)[0])


def test_booleans_are_two_categories(draw: SimpleNamespace, tmp_path: Path) -> None:
    obj = draw.cloud({"hit": np.array([True, False])})
    draw.c.color_by([obj], "hit")
    color = draw.picture(tmp_path / "a.exr")
    assert near(color(0), stops("Dark2")[1][1], 1 / 255)
    assert near(color(1), stops("Dark2")[1][0], 1 / 255)


# --- vertex colours --------------------------------------------------------------------------------------------------

COLORS = np.array([[1, 0, 0], [0, 0.5, 0.25]])


@pytest.mark.parametrize("representation", ["surface", "pointcloud"])
def test_vertex_colors_are_one_choice_away(draw: SimpleNamespace, tmp_path: Path, representation: str) -> None:
    obj = draw.mesh({"vertex_colors": VALUES[:4]}, representation=representation)
    other = draw.cloud({"p": [1.0]}, row=1)
    set_input(obj, "Size", 1.0)
    set_input(obj, "Instances", True)
    draw.c.write_vertex_colors(obj.data, np.repeat(COLORS, 4, axis=0))
    assert draw.c.coloring_of(obj) is None, "Mosaic shows the base colour"
    draw.c.color_by_vertex_colors([obj, other])
    assert draw.c.coloring_of(obj) == draw.c.Coloring("vertex_colors")
    color = draw.picture(tmp_path / "a.exr")
    between = 0.5 if representation == "surface" else 0  # where a surface has one colour
    assert near(color(between), COLORS[0])
    assert near(color(2 + between), COLORS[1])
    draw.c.color_by([obj], "vertex_colors")
    assert draw.c.coloring_of(obj).value_range == (0, 3), "a property of that name comes first"


def test_vertex_colors_come_back(draw: SimpleNamespace) -> None:
    colors = np.random.default_rng(1).random((4, 3))
    obj = draw.mesh({"p": [0.0, 1.0]})
    assert draw.c.read_vertex_colors(obj.data) is None
    draw.c.write_vertex_colors(obj.data, colors)
    assert np.abs(draw.c.read_vertex_colors(obj.data) - colors).max() < 2e-7
    assert np.array_equal(draw.c.read_vertex_colors(obj.data, colors), colors)
    obj.data.attributes["vertex_colors"].data[2].color = (1, 0, 0, 1)
    edited = draw.c.read_vertex_colors(obj.data, colors)
    assert edited[2].tolist() == pytest.approx([1, 0, 0])
    assert np.array_equal(edited[[0, 1, 3]], colors[[0, 1, 3]])


# --- names, errors, the material as the only truth -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["color", "pass_index", "position", "curvature"])
def test_names_of_other_things_do_not_disturb(draw: SimpleNamespace, tmp_path: Path, name: str) -> None:
    """A property may be called as something of the object is, which attributes of instances fall back to."""
    obj = draw.cloud({name: VALUES})
    if name == "curvature":
        obj["curvature"] = 3.0
    obj.pass_index = 3
    draw.c.color_by([obj], name)
    color = draw.picture(tmp_path / "a.exr")
    for x, value in enumerate(VALUES):
        assert near(color(x), map_at("viridis", value / 4)[0])
    assert draw.c.coloring_of(obj).property == name


def test_choices_are_read_from_the_material(draw: SimpleNamespace) -> None:
    obj = draw.cloud({"p": VALUES, "label": np.arange(5)})
    coloring = draw.c.color_by([obj], "p", "RdBu_r", value_range=(-1, 2.5), gamma=0.5)
    assert draw.c.coloring_of(obj) == coloring == draw.c.Coloring("p", "RdBu", (-1, 2.5), 0.5, True)
    node = obj.material_slots[0].material.node_tree.nodes["Mosaic Color Map"]
    node.inputs["From Max"].default_value = 8
    assert draw.c.coloring_of(obj).value_range == (-1, 8)
    count = len(obj.material_slots[0].material.node_tree.nodes)
    assert draw.c.color_by([obj], "label", "tab10", categories=True) == draw.c.coloring_of(obj)
    assert len(obj.material_slots[0].material.node_tree.nodes) == count, "the old nodes went"
    draw.c.uncolor([obj])
    assert draw.c.coloring_of(obj) is None
    assert len(obj.material_slots[0].material.node_tree.nodes) == 2


def test_wrong_choices_change_nothing(draw: SimpleNamespace) -> None:
    obj = draw.cloud({"p": VALUES, "label": np.arange(5)})
    empty = draw.cloud({"name": np.array(["a"])})
    wrong: dict[str, dict[str, Any]] = {
        "vertex property 'q'; there are: p, label, name": {"property": "q"},
        "viridis is no palette of categories; choose one of Dark2": {"color_map": "viridis", "categories": True},
        "a range or quantiles": {"value_range": (0, 1), "quantiles": (0, 1)},
        "from a number to a greater one, not 2 to 1": {"value_range": (2, 1)},
        "Quantiles go from 0 to 1": {"quantiles": (0.5, 0.2)},
        "Gamma must be": {"gamma": 0},
    }
    for message, choices in wrong.items():
        with pytest.raises(MosaicError, match=message):
            draw.c.color_by([obj, empty], **{"property": "p", **choices})
        assert draw.c.coloring_of(obj) is None
    with pytest.raises(MosaicError, match="None of the objects has vertex colours"):
        draw.c.color_by([obj], "vertex_colors")


def test_a_saved_file_renders_the_same_without_the_extension(
    bpy: ModuleType, draw: SimpleNamespace, tmp_path: Path
) -> None:
    draw.c.color_by([draw.cloud({"p": VALUES}), draw.cloud({"p": VALUES}, row=1, instances=True)], "p", "plasma")
    draw.c.color_by([draw.mesh({"label": np.array([0, 0, 3, 3])}, row=2)], "label", "Set2", categories=True)
    before = draw.picture(tmp_path / "before.exr")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    script = (
        f"import bpy, os\nbpy.ops.wm.open_mainfile(filepath={str(tmp_path / 'a.blend')!r})\n"
        f"bpy.context.scene.render.filepath = {str(tmp_path / 'after.exr')!r}\n"
        "bpy.ops.render.render(write_still=True)\nos._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, timeout=120, cwd=tmp_path)
    after = read_picture(bpy, tmp_path / "after.exr")
    for x in range(4):
        for y in range(3):
            assert near(after(x, y), before(x, y), 1 / 255)
    assert near(after(1), map_at("plasma", 0.25)[0])


@pytest.mark.parametrize("representation", ["segmentation", "pointcloud"])
def test_a_segmentation_has_the_colors_of_its_voxels(
    bpy: ModuleType, draw: SimpleNamespace, tmp_path: Path, representation: str
) -> None:
    from mosaic_addon.scene.compat import PointCloudFactory
    from mosaic_addon.scene.data.attributes import buffer_of
    from mosaic_addon.scene.data.meshes import new_mesh
    from mosaic_addon.scene.drawing.representations import SEGMENTATION
    from mosaic_addon.scene.shapes.voxels import voxel_surface

    points = np.zeros((6, 3), np.float32)
    points[:, 0] = np.arange(6)
    with PointCloudFactory() as clouds:
        data = clouds.new("voxels", 6, lambda items: items.foreach_set("vector", buffer_of(points, np.float32)))
    obj = draw.finish(data, {"label": np.array([0, 0, 0, 2, 2, 2])}, SEGMENTATION, representation, 0.8)
    surface = voxel_surface(points, np.ones(3))
    mesh = new_mesh("surface", surface.vertices, surface.triangles)
    mesh.materials.append(None)
    set_input(obj, "Surface", bpy.data.objects.new("surface", mesh))
    for _ in range(2):
        draw.c.color_by([obj], "label", "Set1")
    assert [attribute.name for attribute in mesh.attributes if "label" in attribute.name] == ["label"]
    color = draw.picture(tmp_path / "a.exr")
    assert near(color(1), stops("Set1")[1][0], 1 / 255)
    assert near(color(4), stops("Set1")[1][2], 1 / 255)


# --- whole sessions --------------------------------------------------------------------------------------------------


def test_the_command_line_colors(
    sessions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], bpy: ModuleType
) -> None:
    from mosaic_addon.cli import main
    from mosaic_addon.scene.drawing.coloring import coloring_of

    file = str(sessions / "mosaic-1.3.2.pickle")
    arguments = ["-o", str(tmp_path / "a.blend"), "--color-by", "curvature", "--map", "coolwarm", "--range", "-1,2.5"]
    assert main(["import", file, *arguments]) == 0
    found = coloring_of(bpy.data.objects["oriented, coloured, props"])
    assert (found.property, found.color_map, found.value_range) == ("curvature", "coolwarm", (-1, 2.5))
    assert main(["import", file, *arguments[:2], "--color-by", "step"]) == 0
    assert coloring_of(bpy.data.objects["trajectory"]).value_range == (0, 3), "over all its steps"
    capsys.readouterr()
    assert main(["render", file, "-o", str(tmp_path / "a.png"), "--color-by", "nothing"]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(
        "mosaic: error: None of the objects has the vertex property 'nothing'; there are: curvature, "
    )
    assert main(["render", file, "-o", "a.png", "--color-by", "label", "--map", "virdis"]) == 2
    assert "there are viridis, " in capsys.readouterr().err
    assert main(["render", file, "-o", "a.png", "--color-by", "label", "--range", "2"]) == 2
