"""Recipes of figures: what is read, what is written, and what is said of mistakes. Needs no Blender."""

from __future__ import annotations

import random
import types
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest

from mosaic_addon.files.recipe import Camera, Output, Picture, Recipe, read_recipe, write_recipe
from mosaic_addon.files.recipe_parts import CORNERS, ColorBy, Cut, Key, Label, Legend, Plane, Rule, ScaleBar, Text
from mosaic_addon.files.toml_lines import lines_of
from mosaic_addon.files.toml_tables import Table
from mosaic_addon.session import MosaicError

ISSUE = """
version = 1
sessions = ["virion.pickle"]
[picture]
width_mm = 85
height_mm = 64
dpi = 300
look = "full"
background = "white"
[camera]
direction = [-0.5, -1.0, -0.6]
orthographic = true
[[rule]]
select = "Envelope*"
representation = "mesh"
opacity = 0.4
color_by = { property = "curvature", map = "viridis", range = [-0.02, 0.02] }
[[cut]]
plane = { point = [920, 820, 780], normal = [1, 0, 0] }
spare = ["Genome/*"]
[[key]]
of = "curvature"
title = "Mean curvature (1/nm)"
[scale_bar]
length_nm = 50
"""


def read(folder: Path, text: str) -> Recipe:
    path = folder / "figure.toml"
    path.write_text(text, encoding="utf-8")
    return read_recipe(path)


def test_a_recipe_is_what_it_says(tmp_path: Path) -> None:
    expected = Recipe(
        version=1,
        sessions=("virion.pickle",),
        picture=Picture(width_mm=85.0, height_mm=64.0, dpi=300.0),
        camera=Camera(direction=(-0.5, -1.0, -0.6), orthographic=True),
        rules=(
            Rule(
                select=("Envelope*",),
                representation="mesh",
                opacity=0.4,
                color_by=ColorBy(property="curvature", map="viridis", range=(-0.02, 0.02)),
            ),
        ),
        cuts=(Cut(plane=Plane(point=(920.0, 820.0, 780.0), normal=(1.0, 0.0, 0.0)), spare=("Genome/*",)),),
        keys=(Key(of="curvature", title="Mean curvature (1/nm)"),),
        scale_bar=ScaleBar(length_nm=50.0),
    )
    found = read(tmp_path, ISSUE)
    assert found == expected
    assert found.picture.size == (1004, 756)


def test_what_is_written_is_neat(tmp_path: Path) -> None:
    recipe = read(tmp_path, ISSUE.replace("[scale_bar]\nlength_nm = 50", "[scale_bar]").replace("look", "#look"))
    assert write_recipe(recipe) == (
        'version = 1\nsessions = "virion.pickle"\n\n[picture]\nwidth_mm = 85\nheight_mm = 64\ndpi = 300\n\n'
        "[camera]\ndirection = [-0.5, -1, -0.6]\northographic = true\n\n"
        '[[rule]]\nselect = "Envelope*"\nrepresentation = "mesh"\nopacity = 0.4\n'
        'color_by = { property = "curvature", map = "viridis", range = [-0.02, 0.02] }\n\n'
        '[[cut]]\nplane = { point = [920, 820, 780], normal = [1, 0, 0] }\nspare = "Genome/*"\n\n'
        '[[key]]\nof = "curvature"\ntitle = "Mean curvature (1/nm)"\n\n[scale_bar]\n'
    )


def test_short_ways_to_say_it(tmp_path: Path) -> None:
    text = """
version = 1
sessions = "a.pickle"
outputs = ["a.png", { file = "b.tif", bits = 16 }]
[[rule]]
select = "*"
color_by = "curvature"
[[rule]]
color = "#ff0080"
[[legend]]
select = ["A", "B"]
corner = "upper left"
[[text]]
text = "T"
corner = [0.5, -0.25]
"""
    recipe = read(tmp_path, text)
    assert recipe.outputs == (Output(file="a.png"), Output(file="b.tif", bits=16))
    assert recipe.rules[0].color_by == ColorBy(property="curvature")
    assert recipe.rules[1].color == (1.0, 0.0, 128 / 255)
    assert recipe.legends == (Legend(select=("A", "B"), corner=(-1.0, 1.0)),)
    assert recipe.texts == (Text(text="T", corner=(0.5, -0.25)),)


# --- there and back --------------------------------------------------------------------------------------------------


TEXTS = ["plain", "Genome/*", 'quotes " and \\', "tab\t and \x7f", "Hülle µ ø 漢字", "", "# no comment", "a\nb", "'''"]


def any_value(kind: Any, key: str, chance: random.Random) -> Any:
    """Some value of a field's type, which its check lets through."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return any_value(chance.choice([each for each in arguments if each is not type(None)]), key, chance)
    if origin is Annotated:
        if "corner" in key:
            return chance.choice([*CORNERS.values(), (0.25, -0.1)])
        if arguments[0] is not float:
            return tuple(chance.choice([chance.random(), chance.randrange(256) / 255]) for _ in range(3))
        return chance.choice([0.5, 1.0, chance.uniform(1e-6, 1)])
    if origin is Literal:
        return chance.choice(arguments)
    if origin is tuple:
        if arguments[-1] is not Ellipsis:
            return tuple(any_value(each, key, chance) for each in arguments)
        return tuple(any_value(arguments[0], key, chance) for _ in range(chance.choice([1, 2, 3])))
    if issubclass(kind, Table):
        return any_table(kind, chance)
    choices: dict[type, Sequence[Any]] = {
        bool: [True, False], int: [1, 3, 70], str: TEXTS,
        float: [0.1, -3.0, 1e-7, 123456.789, 2.0**60, chance.gauss(0, 1)],
    }  # fmt: skip
    return chance.choice(choices[kind])


def any_table(kind: type[Table], chance: random.Random) -> Any:
    """A table with some of its fields set, that its check lets through."""
    hints = get_type_hints(kind, include_extras=True)
    for _ in range(500):
        given = {
            of.name: any_value(hints[of.name], of.name, chance)
            for of in fields(kind)
            if of.name != "place" and (chance.random() < 0.4 or of.name in NEEDED.get(kind.__name__, ()))
        }
        if kind is Recipe:
            given |= {"version": 1}
        if "representation" in given:
            given["representation"] = chance.choice(["mesh", "object"])
        if "file" in given:
            given["file"] = chance.choice(["a.png", "b c.tif", "d/e.svg"])
        try:
            table = kind(**given)
            table.check()
        except (TypeError, MosaicError):
            continue
        return table
    raise AssertionError(kind)


NEEDED = {
    "Recipe": ("sessions",), "Output": ("file",), "Waypoint": ("position", "focal_point"), "ColorBy": ("property",),
    "Filter": ("property",), "Shape": ("blend",), "Plane": ("point", "normal"), "Box": ("center", "size"),
    "Sphere": ("center", "radius"), "Key": ("of",), "Legend": ("select",), "Label": ("of",), "Text": ("text",),
}  # fmt: skip


def test_what_is_written_is_read_as_the_same(tmp_path: Path) -> None:
    chance = random.Random(16)
    seen: set[str] = set()
    for _ in range(90):
        recipe = any_table(Recipe, chance)
        text = write_recipe(recipe)
        assert read(tmp_path, text) == recipe, text
        assert write_recipe(read(tmp_path, text)) == text
        assert max(map(len, text.splitlines())) < 400
        seen |= {line.strip("[]").split(" =")[0] for line in text.splitlines()}
    assert {
        "panel.camera.waypoint",
        "panel.rule",
        "color_by",
        "filter",
        "shape",
        "grid",
        "bounding_box",
        "class",
    } <= seen


# --- mistakes --------------------------------------------------------------------------------------------------------

START = 'version = 1\nsessions = "a.pickle"\n'


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('[[rule]]\nreprsentation = "mesh"', 4, ["'reprsentation' in 'rule'", "do you mean 'representation'?"]),
        ("[pictur]", 3, ["'pictur' in a recipe", "do you mean 'picture'?"]),
        ('[[rule]]\nrepresentation = "msh"', 4, ["no representation 'msh'", "do you mean 'mesh'?"]),
        ('[[rule]]\ncolor_by = { property = "c", rang = [1, 2] }', 4, ["'rang'", "do you mean 'range'?"]),
        ('[[rule]]\ncolor_by = { property = "c", range = [1, true] }', 4, ["range is true", "a number"]),
        ("[[rule]]\nopacity = 1.5", 4, ["opacity is 1.5, but must be between 0 and 1."]),
        ('[[rule]]\nopacity = "high"', 4, ['opacity is "high", but must be a number.']),
        ("[[rule]]\nvisible = 1", 4, ["visible is 1, but must be true or false."]),
        ("[[rule]]\nselect = 3", 4, ["select is 3, but must be a text."]),
        ("[[rule]]\nselect = ['a', 3]", 4, ["select is 3, but must be a text."]),
        ("[[rule]]\n[rule.color_by]\nmap = 'x'", 4, ["'property' is missing"]),
        ("[rule]", 3, ["There may be several of them: write [[rule]]"]),
        ("rule = 3", 3, ["write [[rule]]"]),
        ("[[picture]]", 3, ["must be a table"]),
        ("camera = 3", 3, ["camera is 3, but must be a table."]),
        ("[camera]\nview = 'bottom'", 4, ['view is "bottom"', "'top', 'front', 'side'"]),
        ("[camera]\nview = 'frnt'", 4, ["do you mean 'front'?"]),
        ("[camera]\nview = 'top'\ndirection = [1, 0, 0]", 5, ["leave direction out"]),
        ("[camera]\ndirection = [0, 0, 0]", 4, ["must not be zero"]),
        ("[camera]\ndirection = [1e300, 0, 1e300]\nup = [1e300, 0, 1e300]", 5, ["along"]),
        ("[camera]\ndirection = [1, 0]", 4, ["direction is [1, 0], but must be a list of 3 numbers."]),
        ("[camera]\ndirection = [1, 0, nan]", 4, ["must be a number"]),
        ("[picture]\nwidth_mm = 0", 4, ["width_mm is 0, but must be more than 0."]),
        ("[picture]\ndpi = 1e300", 4, ["larger than Blender makes"]),
        ("[picture]\npixels = [10, 0]", 4, ["above 0"]),
        ("[picture]\npixels = [10, 10]\nheight_mm = 3", 5, ["leave height_mm out"]),
        ("[picture]\nsamples = 0", 4, ["samples is 0"]),
        ("[[cut]]", 3, ["one of plane, box and sphere"]),
        ("[[cut]]\nplane = { point = [0, 0, 0], normal = [0, 0, 0] }", 4, ["normal must not be zero"]),
        ("[[cut]]\nplane = { point = [0, 0, 0], normal = [0, 0, 1] }\ncap = 'red'", 5, ["colour", "#rrggbb"]),
        ("[[key]]\nof = 'c'\ncorner = 'lower rigt'", 5, ["no corner 'lower rigt'", "do you mean 'lower right'?"]),
        ("[[key]]\ntitle = 'c'", 3, ["'of' is missing"]),
        ("[scale_bar]\nlength_nm = -1", 4, ["length_nm is -1, but must not be less than 0."]),
        ("outputs = 'a.gif'", 3, ["'a.gif' must end in one of .png"]),
        ("outputs = ['a.png', 'b.gif']", 3, ["'b.gif'"]),
        ("outputs = [{ file = 'b.jpg', bits = 16 }]", 3, ["Only .png and .tif"]),
        ("[[panel]]\n[[panel.rule]]\nopacty = 1", 5, ["'opacty' in 'rule'"]),
        ("[[panel]]\nletter = 'B'\n[[panel]]\n[[panel]]\n", 5, ["the letter 'B'"]),
        ("[[label]]\nof = 'x'\npoint = 1979-05-27", 5, ["a table or date"]),
        ("[grid]\ncolumns = 0", 4, ["columns is 0"]),
        ("[[rule]]\nfilter = { property = 'c' }", 4, ["range or categories"]),
        ("[[rule]]\nrepresentation = 'object'", 4, ["needs a shape"]),
        ("[a\nb = 1", 3, ["no TOML file"]),
        ("x = " + "[" * 5000, None, ["too many brackets"]),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_file_line_and_the_right_word(
    tmp_path: Path, text: str, line: int | None, words: list[str]
) -> None:
    with pytest.raises(MosaicError) as raised:
        read(tmp_path, START + text)
    sentence = str(raised.value)
    assert str(tmp_path / "figure.toml") in sentence
    assert line is None or f"line {line}" in sentence, sentence
    for word in words:
        assert word in sentence


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "'version' is missing"), ("version = 1", "'sessions' is missing"), ("version = 2\nsessions = 'a'", "line 1: version is 2"),
        ("version = 1\nsessions = []", "line 2: A recipe needs a session"), ("version = true\nsessions = 'a'", "a whole number"),
    ],
)  # fmt: skip
def test_version_and_sessions_are_needed(tmp_path: Path, text: str, word: str) -> None:
    with pytest.raises(MosaicError, match=word):
        read(tmp_path, text)


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(MosaicError, match=r"none\.toml cannot be read"):
        read_recipe(tmp_path / "none.toml")
    with pytest.raises(MosaicError, match="is no file"):
        read_recipe(tmp_path)
    (tmp_path / "bytes.toml").write_bytes(b"version = '\xff'")
    with pytest.raises(MosaicError, match="is no TOML file"):
        read_recipe(tmp_path / "bytes.toml")


def test_the_line_of_each_key_is_known() -> None:
    text = (
        'a = [\n  "]#", # ]\n  \'"\',\n]\n[b]\n"odd key".c.\'d e\' = 1979-05-27T07:32:00Z # x\n[[f]]\n'
        'g = """\n"" ]"""\nh = { i = [1,\n 2], j.k = true }\n[f.l]\nm = [[1], [2]]\n[[f]]\n[[f.n]]\n[[f.n]]\no = 1\r\np = 2\n'
    )
    assert lines_of(text) == {
        ("a",): 1, ("a", 0): 2, ("a", 1): 3, ("b",): 5, ("b", "odd key"): 6, ("b", "odd key", "c"): 6,
        ("b", "odd key", "c", "d e"): 6, ("f",): 7, ("f", 0): 7, ("f", 0, "g"): 8, ("f", 0, "h"): 10,
        ("f", 0, "h", "i"): 10, ("f", 0, "h", "i", 0): 10, ("f", 0, "h", "i", 1): 11, ("f", 0, "h", "j"): 11,
        ("f", 0, "h", "j", "k"): 11, ("f", 0, "l"): 12, ("f", 0, "l", "m"): 13, ("f", 0, "l", "m", 0): 13,
        ("f", 0, "l", "m", 0, 0): 13, ("f", 0, "l", "m", 1): 13, ("f", 0, "l", "m", 1, 0): 13, ("f", 1): 14,
        ("f", 1, "n"): 15, ("f", 1, "n", 0): 15, ("f", 1, "n", 1): 16, ("f", 1, "n", 1, "o"): 17,
        ("f", 1, "n", 1, "p"): 18,
    }  # fmt: skip


def test_sizes_of_pictures() -> None:
    assert Picture().size == (1004, 753)
    assert Picture(width_mm=180.0, dpi=600.0).size == (4252, 3189)
    pixels = Picture(pixels=(1000, 500))
    assert (pixels.size, pixels.resolution) == ((1000, 500), 300.0)
    assert pixels.width == pytest.approx(84.667, abs=1e-3)
    assert Picture(pixels=(1000, 500), width_mm=25.4).resolution == pytest.approx(1000)


def test_a_label_keeps_its_defaults() -> None:
    assert write_recipe(Recipe(version=1, sessions=("a",), labels=(Label(of=("x",)),))).endswith(
        '[[label]]\nof = "x"\n'
    )
