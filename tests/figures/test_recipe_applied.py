"""Recipes applied: what objects look like, from where they are seen, what is checked before, panels, and the command."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from mosaic_addon.files.recipe import Grid, Picture, read_recipe
from tests.support.make_sessions import cloud, mesh, properties, trajectory, write_session

START = """version = 1
sessions = "s.pickle"
[picture]
width_mm = 20
height_mm = 15
dpi = 127
engine = "workbench"
samples = 1
look = "flat"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    clusters = [
        cloud("Spike 1", 40, vertex_properties=properties(40, {"score": np.linspace(0, 1, 40)})), cloud("Spike 2", 40), cloud("Other", 30),
    ]  # fmt: skip
    write_session(tmp_path / "s.pickle", clusters, [mesh("Envelope"), trajectory("t", frames=3)])
    return tmp_path


def figure(folder: Path, text: str, *arguments: str) -> int:
    from mosaic_addon.cli import main

    (folder / "f.toml").write_text(START + text)
    return main(["figure", str(folder / "f.toml"), *arguments])


def pixels(path: Path) -> Any:
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


# --- objects ---------------------------------------------------------------------------------------------------------


def test_rules_set_what_objects_look_like(bpy: ModuleType, folder: Path) -> None:
    from mosaic_addon.scene.drawing.appearance import base_color_of, number_of
    from mosaic_addon.scene.drawing.coloring import coloring_of
    from mosaic_addon.scene.drawing.representations import representation_of

    text = """
[[rule]]
select = "Spike*"
size = 3
opacity = 0.25
representation = "normals"
[[rule]]
property = "score"
color_by = { property = "score", map = "plasma", range = [0, 2] }
[[rule]]
container = "models"
color = [0, 0, 1]
[[rule]]
select = ["Other", "t"]
visible = false
[[rule]]
select = "Spike 2"
opacity = 0.5
"""
    assert figure(folder, text) == 0
    objects = bpy.data.objects
    first, second, other = (objects[name] for name in ("Spike 1", "Spike 2", "Other"))
    assert [number_of(obj, "size") for obj in (first, second)] == [3, 3]
    assert [round(number_of(obj, "opacity"), 3) for obj in (first, second, other)] == [0.25, 0.5, 1]
    assert [representation_of(obj) for obj in (first, second, other)] == ["normals", "normals", "pointcloud"]
    coloring = coloring_of(first)
    assert (coloring.property, coloring.color_map, coloring.value_range) == ("score", "plasma", (0, 2))
    assert coloring_of(second) is None
    assert base_color_of(objects["Envelope"]) == pytest.approx((0, 0, 1))
    assert [objects[name].hide_render for name in ("Other", "t", "Spike 1")] == [True, True, False]
    with Image.open(folder / "f.png") as picture:
        assert picture.size == (100, 75)
        assert picture.info["dpi"] == pytest.approx((127, 127), abs=0.01)


def test_cameras(bpy: ModuleType, folder: Path) -> None:
    from mathutils import Vector

    for text, direction, kind in (
        ('[camera]\nview = "side"\northographic = true', (-1, 0, 0), "ORTHO"),
        ("[camera]\ndirection = [0, 2, 0]\nup = [0, 0, 1]", (0, 1, 0), "PERSP"),
        ("[camera]\nwaypoint = { position = [0, 0, 900], focal_point = [0, 0, 0] }", (0, 0, -1), "PERSP"),
        ("[camera.waypoint]\nposition = [0, 0, 900]\nfocal_point = [0, 0, 0]\nup = [1, 0, 0]", (0, 0, -1), "PERSP"),
    ):
        assert figure(folder, text) == 0
        camera = bpy.context.scene.camera
        assert list(camera.matrix_world.to_3x3() @ Vector((0, 0, -1))) == pytest.approx(direction, abs=1e-6)
        assert camera.data.type == kind
    assert list(camera.matrix_world.to_3x3() @ Vector((0, 1, 0))) == pytest.approx((1, 0, 0), abs=1e-6)


def test_what_is_drawn_beside_the_objects(bpy: ModuleType, folder: Path) -> None:
    from mosaic_addon.scene.figures import color_key, labels, overlay, scale_bar

    text = """
background = "dark"
[[rule]]
select = "Spike 1"
color_by = "score"
[[key]]
of = "score"
title = "Score"
corner = "upper left"
[[legend]]
select = ["Spike 2", "Envelope"]
names = ["A", "B"]
[[label]]
of = "Envelope"
text = "Here"
point = [1, 2, 3]
[[text]]
text = "Title"
color = "#ff0000"
[scale_bar]
length_nm = 5
thickness = 3
[axes]
[bounding_box]
"""
    assert figure(folder, text) == 0
    scene = bpy.context.scene
    items = {
        kind: overlay.items_of(scene, kind)
        for kind in ("scale bar", "color key", "legend", "label", "text", "axes", "bounding box")
    }
    assert {kind: len(found) for kind, found in items.items()} == dict.fromkeys(items, 1)
    bar = scale_bar.scale_bar_of(items["scale bar"][0])
    assert (bar.length, bar.thickness, bar.across, bar.up, bar.color) == (50, 3, 1, -1, pytest.approx((1, 1, 1)))
    key = color_key.color_key_of(items["color key"][0])
    assert (key.title, key.across, key.up) == ("Score", -1, 1)
    assert labels.label_of(items["label"][0]).text == "Here"
    assert labels.text_of(items["text"][0]).color == pytest.approx((1, 0, 0), abs=1e-6)
    assert overlay.print_width(scene) == 20


# --- what is checked before ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('[[rule]]\nselect = "Spke 1"', 11, ["Nothing fits 'Spke 1'", "do you mean 'Spike 1'?"]),
        ('[[rule]]\nselect = ["Spike*", "Nil*"]', 11, ["Nothing fits 'Nil*'", "'Spike 1', 'Spike 2'"]),
        ('[[rule]]\ngroup = "G"', 11, ["Nothing fits 'G'; there are none."]),
        ('[[rule]]\nclass = "SegmentationGeometry"', 11, ["Nothing fits 'SegmentationGeometry'"]),
        ('[[rule]]\nproperty = "scor"', 11, ["vertex property 'scor'", "do you mean 'score'?"]),
        ('[[rule]]\ncolor_by = "scor"', 11, ["vertex property 'scor'", "do you mean 'score'?"]),
        ('[[rule]]\ncolor_by = { property = "score", map = "virids" }', 11, ["virids"]),
        ('[[rule]]\nselect = "Other"\nrepresentation = "mesh"', 12, ["None of these objects", "'pointcloud'"]),
        ('[[panel]]\n[[panel]]\n[[panel.rule]]\nselect = "x"', 13, ["Nothing fits 'x'"]),
        ('[[panel]]\nlook = "flt"', 11, ["no look 'flt'", "do you mean 'flat'?"]),
        ('background = "whte"', 10, ["no background 'whte'", "do you mean 'white'?"]),
        ('[[key]]\nof = "score"', 11, ["Nothing is coloured by 'score'"]),
        ('[[label]]\nof = "Spke*"', 11, ["Nothing fits 'Spke*'"]),
        ('[[legend]]\nselect = "Spike*"\nnames = ["a"]', 12, ["1 names, but 2 entries"]),
        ('[camera]\nobjects = "x"', 11, ["Nothing fits 'x'"]),
        ("frame = 3", 10, ["There is no frame 3", "0 to 2"]),
        ("[[panel]]\nframe = 7", 11, ["There is no frame 7"]),
        ("[grid]\ncolumns = 9\ngap_mm = 30\n[[panel]]\n[[panel]]", 12, ["do not fit"]),
    ],
)  # fmt: skip
def test_what_the_sessions_do_not_have_is_told_before_anything_is_rendered(
    bpy: ModuleType, folder: Path, capfd: pytest.CaptureFixture[str], text: str, line: int, words: list[str]
) -> None:
    assert figure(folder, text) == 1
    (error,) = (each for each in capfd.readouterr().err.splitlines() if each.startswith("mosaic: error: "))
    assert f"f.toml, line {line}: " in error
    for word in words:
        assert word in error
    assert not (folder / "f.png").exists()


def test_a_session_that_is_not_there_is_told_with_the_recipe(
    bpy: ModuleType, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "s.pickle").rename(folder / "t.pickle")
    assert figure(folder, "") == 1
    (error,) = (each for each in capfd.readouterr().err.splitlines() if each.startswith("mosaic: error: "))
    assert "f.toml, line 2: " in error
    assert f"{folder / 's.pickle'} does not exist" in error


# --- panels ----------------------------------------------------------------------------------------------------------


def test_each_panel_has_its_rules_over_the_common_ones(bpy: ModuleType, folder: Path) -> None:
    text = """
[[rule]]
select = ["Spike*", "Other", "t"]
visible = false
[[rule]]
select = "Envelope"
color = "#00ff00"
[grid]
gap_mm = 4
letters = false
[[panel]]
[[panel]]
background = "dark"
[[panel.rule]]
color = "#0000ff"
[[panel]]
"""
    assert figure(folder, text) == 0
    found = pixels(folder / "f.png")
    assert found.shape == (75, 100, 3)
    panels = [found[:27, :40], found[:27, 60:], found[48:, :40]]
    for panel, color, background in zip(panels, ((0, 255, 0), (0, 0, 255), (0, 255, 0)), (255, 24, 255), strict=True):
        assert (np.abs(panel - color).max(axis=2) <= 2).sum() > 20
        assert np.abs(panel[0, 0, :2] - background).max() <= 1
    assert (found[:, 40:60] == 255).all()  # the gap
    assert (found[28:48] == 255).all()
    assert (found[48:, 60:] == 255).all()  # no fourth panel


def test_panels_are_put_together_over_what_is_behind(bpy: ModuleType) -> None:
    from mosaic_addon.scene.figures.panels import put_together

    half = np.full((4, 4, 4), 0.5, np.float32)
    half[..., :3] = (0.5, 0, 0)
    grid, picture = Grid(columns=2, gap_mm=25.4), Picture(pixels=(10, 4), dpi=2)
    whole = put_together([half, half], grid, picture)
    assert whole.shape == (4, 10, 4)
    assert whole[0, 0].tolist() == whole[3, 9].tolist() == [1, 0.5, 0.5, 1]
    assert (whole[:, 4:6] == 1).all()
    clear = put_together([half, half], grid, Picture(pixels=(10, 4), dpi=2, background="transparent"))
    assert clear[0, 0].tolist() == [0.5, 0, 0, 0.5]
    assert (clear[:, 4:6] == 0).all()


def test_letters_stand_in_their_panels(bpy: ModuleType, folder: Path) -> None:
    text = "[[rule]]\nvisible = false\n[[panel]]\n[[panel]]\nletter = ''\n[[panel]]\n"
    assert figure(folder, text) == 0
    found = pixels(folder / "f.png")
    dark = [(part < 128).any(axis=2).sum() for part in (found[:33, :45], found[:33, 55:], found[42:, :45])]
    assert dark[0] > 8
    assert dark[1] == 0
    assert dark[2] > 8


# --- the command -----------------------------------------------------------------------------------------------------


def test_files_of_a_figure(bpy: ModuleType, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "out").mkdir()
    outputs = 'outputs = ["out/a.png", { file = "b.tif", bits = 16 }]\n'
    (folder / "g.toml").write_text(START.replace("[picture]", outputs + "[picture]") + "[[panel]]\n[[panel]]\n")
    from mosaic_addon.cli import main

    recipe = str(folder / "g.toml")
    assert main(["figure", recipe, "--check"]) == 0
    assert "g.toml is right." in capfd.readouterr().out
    assert not (folder / "b.tif").exists()
    assert main(["figure", recipe]) == 0
    assert Image.open(folder / "out" / "a.png").size == Image.open(folder / "b.tif").size == (100, 75)
    assert main(["figure", recipe, "--only", "B"]) == 0
    assert Image.open(folder / "out" / "a-B.png").size == (45, 75)
    assert main(["figure", recipe, "--preview"]) == 0
    with Image.open(folder / "out" / "a-preview.png") as picture:
        assert picture.size == (33, 25)
        assert picture.info["dpi"] == pytest.approx((42, 42), abs=0.6)
    assert main(["figure", recipe, "-o", str(folder / "c.exr"), "-o", str(folder / "c.jpg")]) == 0
    assert {path.name for path in folder.iterdir()} == {
        "out", "s.pickle", "g.toml", "b.tif", "b-B.tif", "b-preview.tif", "c.exr", "c.jpg",
    }  # fmt: skip
    for arguments, word in (
        (["--only", "C"], "no panel 'C'"), (["-o", str(folder / "x.gif")], "'.gif'"), (["-o", "/no/x.png"], "folder"),
    ):  # fmt: skip
        assert main(["figure", recipe, *arguments]) == 1
        assert word.strip("'") in capfd.readouterr().err


def test_one_picture_as_vectors_too(bpy: ModuleType, folder: Path) -> None:
    assert figure(folder, "[scale_bar]\n", "-o", str(folder / "a.svg"), "-o", str(folder / "a.png")) == 0
    assert "<text" in (folder / "a.svg").read_text()
    assert Image.open(folder / "a.png").size == (100, 75)
    assert read_recipe(folder / "f.toml").scale_bar is not None


def test_panels_as_vectors_too(bpy: ModuleType, folder: Path) -> None:
    text = "[scale_bar]\n[[panel]]\n[[panel]]\n[panel.scale_bar]\nlength_nm = 7\n"
    assert figure(folder, text, "-o", str(folder / "a.svg"), "-o", str(folder / "a.png")) == 0
    root = ElementTree.parse(folder / "a.svg").getroot()
    assert root.get("width") == "20mm"
    groups = [child for child in root if str(child.get("id")).endswith("-items")]
    assert [group.get("id") for group in groups] == ["panel-A-items", "panel-B-items"]
    words = [{each.text for each in group.iter() if each.tag.endswith("text")} for group in groups]
    assert "A" in words[0]
    assert {"B", "7 nm"} <= words[1]
    names = [each.get("id") for each in root.iter() if each.get("id")]
    assert len(names) == len(set(names))
    # Each stands in the middle of its panel, and the embedded picture has no letters.
    width, height = (float(each) for each in root.get("viewBox", "").split()[2:])
    middles = [re.findall(r"[\d.]+", str(group.get("transform"))) for group in groups]
    assert [float(x) / width for x, _ in middles] == pytest.approx([45 / 200, 155 / 200], abs=0.01)
    assert [float(y) / height for _, y in middles] == pytest.approx([0.5, 0.5], abs=0.01)
    image = next(child for child in root if child.get("id") == "picture")
    data = next(value for name, value in image.attrib.items() if name.endswith("href"))
    bare = np.asarray(Image.open(io.BytesIO(base64.b64decode(data.split(",")[1]))).convert("L"))
    whole = np.asarray(Image.open(folder / "a.png").convert("L"))
    assert bare.shape == whole.shape == (75, 100)
    assert (whole[:20, :20] < 100).any()
    assert not (bare[:20, :20] < 100).any()


# --- cuts, filters, shapes -------------------------------------------------------------------------------------------


def test_cuts_filters_and_shapes_are_those_of_the_recipe(bpy: ModuleType, folder: Path) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.figures.cuts import KIND, cut_of, spared_by
    from mosaic_addon.scene.figures.overlay import items_of

    shape = bpy.data.objects.new("Protein", bpy.data.meshes.new("Protein"))
    bpy.data.libraries.write(str(folder / "library.blend"), {shape})
    bpy.data.objects.remove(shape)
    text = """
[[rule]]
select = "Spike 1"
filter = { property = "score", range = [0.25, 0.5] }
[[rule]]
select = "Spike 2"
representation = "object"
shape = { blend = "library.blend", object = "Protein", scale = 10 }
[[cut]]
plane = { point = [10, 20, 30], normal = [1, 0, 0] }
spare = "Envelope"
cap = "#ff0000"
[[cut]]
sphere = { center = [0, 0, 0], radius = 40 }
invert = true
"""
    assert figure(folder, text) == 0
    by_name = {obj.name: obj for obj in bpy.context.scene.objects}
    assert api.filter_of(by_name["Spike 1"]) == api.Filter("score", (0.25, 0.5))
    placed = api.own_shape_of(by_name["Spike 2"])
    assert placed is not None
    assert (placed.shape.name, placed.scale) == ("Protein", 10)
    plane, sphere = sorted(items_of(bpy.context.scene, KIND), key=lambda item: item.name)
    cut = cut_of(plane)
    assert (cut.shape, cut.point, cut.cap) == ("plane", pytest.approx((10, 20, 30), abs=1e-3), (1, 0, 0))
    assert [obj.name for obj in spared_by(plane, by_name.values())] == ["Envelope"]
    assert (cut_of(sphere).invert, cut_of(sphere).size) == (True, pytest.approx((40, 40, 40), abs=1e-3))


def test_a_shape_that_is_missing_is_told_with_its_line(
    bpy: ModuleType, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = '[[rule]]\nselect = "Spike 2"\nrepresentation = "object"\nshape = { blend = "none.blend", object = "Protein" }\n'
    assert figure(folder, text) == 1
    error = capsys.readouterr().err
    assert "f.toml" in error
    assert "none.blend cannot be opened" in error
    assert not (folder / "f.png").exists()
