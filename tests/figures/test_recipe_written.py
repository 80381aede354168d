"""A scene written as a recipe: what is read back makes the same picture, and what cannot be held is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, fields, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mosaic_addon.files.recipe import read_recipe
from tests.support.make_sessions import cloud, mesh, properties, trajectory, volume, write_session

SIZE = (240, 180)
SAME = 0.02  # of 255, in the mean of all pixels
Scenario = Callable[[Any, dict[str, Any]], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    columns = {"score": np.linspace(0, 1, 40), "kind": np.array(["a", "b", "c", "a"] * 10)}
    clusters = [
        cloud("Spike 1", 40, vertex_properties=properties(40, columns), appearance={"size": 30}),
        cloud("Spike 2", 41, appearance={"size": 30}),
        cloud("Other", 30, visible=False, appearance={"size": 30}),
        cloud("twin", 10, appearance={"size": 20}),
        cloud("twin", 12, appearance={"size": 20}),
        volume("Ribosome"),
    ]
    write_session(
        tmp_path / "s.pickle", clusters, [mesh("Envelope", 30), mesh("Inner [1]*", 20), trajectory("t", frames=3)]
    )
    return tmp_path


def opened(folder: Path, engine: str = "cycles", look: str = "flat", **options: Any) -> dict[str, Any]:
    """The session in a scene with camera and look. Returns its objects by name."""
    import bpy

    from mosaic_addon import api

    imported = api.load(folder / "s.pickle")
    options = {"size": SIZE, "engine": engine, "samples": 2, "look": look, "dpi": 100} | options
    api.set_up_picture(imported, api.RenderOptions(**options), direction=(-0.3, 0.4, -0.8))
    return {obj.name: obj for obj in bpy.context.scene.objects}


def written(folder: Path) -> tuple[str, list[str]]:
    """The recipe of the scene, and what is said of it."""
    import bpy

    from mosaic_addon import api

    path = folder / "f.toml"
    said = api.write_recipe(path, overwrite=True)
    assert bpy.context.scene is not None
    return path.read_text(encoding="utf-8"), said


def pixels(path: Path) -> Any:
    return np.asarray(Image.open(path).convert("RGBA")).astype(int)


def there_and_back(folder: Path) -> tuple[float, str, list[str]]:
    """How far a picture of the scene and that of its recipe differ, in the mean; the recipe; and what is said of it."""
    import bpy

    from mosaic_addon import api
    from mosaic_addon.cli import main

    text, said = written(folder)
    before, after = folder / "before.png", folder / "after.png"
    api.render_to(bpy.context.scene, str(before))
    assert main(["figure", str(folder / "f.toml"), "-o", str(after)]) == 0
    first, second = pixels(before), pixels(after)
    assert first.shape == second.shape
    assert np.ptp(first[..., :3]) > 40, "there is something to be seen"
    return float(np.abs(first - second).mean()), text, said


# --- pictures --------------------------------------------------------------------------------------------------------


def colors(api: Any, objects: dict[str, Any]) -> None:
    from mosaic_addon.scene.drawing.appearance import set_base_color, set_number

    set_base_color([objects["Spike 1"], objects["Spike 2"]], (0.2, 0.5, 0.9))
    set_base_color([objects["Inner [1]*"]], (1.0, 0.0, 0.0))
    set_number([objects["Envelope"]], "opacity", 0.4)
    set_number([objects["Spike 2"]], "size", 55)
    set_number([objects["twin"]], "render_spheres", False)
    api.set_on_screen([objects["twin.001"]])
    api.color_by([objects["Spike 1"]], "score", "plasma", value_range=(0.1, 0.8), gamma=1.3, reverse=True)


def drawings(api: Any, objects: dict[str, Any]) -> None:
    import bpy

    from mosaic_addon.scene.outline.visibility import set_visible

    layer = bpy.context.view_layer
    api.show_as([objects["Envelope"], objects["Inner [1]*"]], "wireframe")
    api.show_as([objects["Spike 2"]], "normals")
    set_visible([objects["Spike 1"], objects["t"]], False, layer)
    set_visible([objects["Other"]], True, layer)
    bpy.data.objects.remove(objects["Ribosome"])


def filtered(api: Any, objects: dict[str, Any]) -> None:
    api.color_by([objects["Spike 1"]], "kind")
    api.set_filter([objects["Spike 1"]], api.Filter("kind", categories=("a", "c"), invert=True))
    api.show_frame(__import__("bpy").context.scene, 2, objects.values())


def cut(api: Any, objects: dict[str, Any]) -> None:
    import bpy

    scene, session = bpy.context.scene, api.sessions_in(bpy.context.scene)[0]
    api.add_cut(
        scene,
        session,
        api.Cut("plane", (500, 510, 480), (0.9, 0.1, 0.3, 0.3)),
        [objects["Spike 1"], objects["Spike 2"]],
    )
    api.add_cut(scene, session, api.Cut("sphere", (300, 300, 500), size=(250, 250, 250), whole=False, cap=(1, 0.5, 0)))
    api.add_cut(scene, session, api.Cut("box", (700, 600, 500), (0.9, 0.3, 0.1, 0.2), (250, 220, 190)))


def turned(api: Any, objects: dict[str, Any]) -> None:
    import bpy

    camera = bpy.context.scene.camera
    camera.location.x += 0.05
    camera.rotation_euler.rotate_axis("Z", 0.7)
    camera.data.type = "ORTHO"
    camera.data.sensor_fit = "AUTO"
    camera.data.shift_x = 0.1
    api.set_print_width(bpy.context.scene, 60)


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        (colors, ['select = "Spike *"\ncolor = "#7cbcf3"', 'select = "Inner [1]*"', "opacity = 0.4", "gamma = 1.3", "on_screen = true", "spheres = false"]),
        (drawings, ['representation = "wireframe"', "visible = false"]),
        (filtered, ['categories = ["a", "c"], invert = true', "frame = 2"]),
        (cut, ['spare = "Spike *"', 'cap = "#ff8000"', "whole = false"]),
        (turned, ["orthographic = true", "[camera.waypoint]", "height = ", "shift = ["]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)  # fmt: skip
def test_what_is_read_back_makes_the_same_picture(
    bpy: ModuleType, folder: Path, scenario: Scenario, words: list[str]
) -> None:
    from mosaic_addon import api

    objects = opened(folder)
    scenario(api, objects)
    difference, text, said = there_and_back(folder)
    assert difference < SAME, text
    assert not [sentence for sentence in said if "Not" in sentence]
    for word in words:
        assert word in text, text
    assert 'sessions = "s.pickle"' in text


def test_every_setting_of_what_stands_beside_the_session_is_kept(bpy: ModuleType, folder: Path) -> None:
    """A field that is added to one of these classes has to be written, too."""
    from mosaic_addon import api
    from mosaic_addon.scene.figures import axes, color_key, cuts, labels, scale_bar
    from mosaic_addon.scene.figures.overlay import items_of

    red = (1.0, 0.2, 0.0)
    objects = opened(folder)
    scene, session = bpy.context.scene, api.sessions_in(bpy.context.scene)[0]
    spikes = [objects["Spike 1"], objects["Spike 2"]]
    api.color_by(spikes, "score", "magma", value_range=(0.25, 0.5), gamma=2, reverse=True)
    place = {"across": 0.25, "up": -0.5, "size": 5.0, "margin": 3.0, "color": red}
    bar = scale_bar.ScaleBar(400.0, "angstrom", False, thickness=4.0, **place)
    key = color_key.ColorKey("T", True, 31.0, 4.0, **place)
    legend = replace(key, horizontal=False, length=80.0)
    label = labels.Label("L", (3.0, -8.0), 5.0, 1.5, 1.25, red)
    title = labels.PictureText("P", **place)
    arrows, box = axes.Axes(11.0, **place), axes.BoundingBox(100.0, 1.5, red)
    cut = cuts.Cut("sphere", (1, 2, 3), (0.5, 0.5, 0.5, 0.5), (400, 500, 600), True, False, red)
    made = {
        scale_bar.KIND: (bar, scale_bar.scale_bar_of, api.add_scale_bar(scene, session, bar)),
        color_key.KIND: (key, color_key.color_key_of, api.add_color_key(scene, spikes, key)),
        color_key.LEGEND: (legend, color_key.color_key_of, api.add_legend(scene, spikes, legend)),
        labels.KIND: (label, labels.label_of, api.add_label(scene, spikes[:1], label, (1, 2, 3))),
        labels.TEXT: (title, labels.text_of, api.add_text(scene, title)),
        axes.KIND: (arrows, axes.axes_of, api.add_axes(scene, session, arrows)),
        axes.BOX: (box, axes.bounding_box_of, api.add_bounding_box(scene, session, box)),
        cuts.KIND: (cut, cuts.cut_of, api.add_cut(scene, session, cut)),
    }
    for options, _, _ in made.values():
        unset = [each.name for each in fields(options) if getattr(options, each.name) == each.default]
        assert unset == (["horizontal", "length"] if options is legend else []), options
    bpy.context.view_layer.update()
    before = {kind: asdict(read(item)) for kind, (_, read, item) in made.items()}
    difference, text, said = there_and_back(folder)
    assert not said
    assert difference < SAME, text
    for kind, (_, read, _) in made.items():
        (item,) = items_of(bpy.context.scene, kind)
        for name, value in asdict(read(item)).items():
            wanted = before[kind][name]
            assert value == (wanted if isinstance(wanted, str | bool) else pytest.approx(wanted, rel=1e-3, abs=2e-3)), (
                name
            )
    assert api.coloring_of(bpy.data.objects["Spike 1"]).gamma == 2


def test_own_shapes_and_membranes_and_twins(bpy: ModuleType, folder: Path) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.drawing.appearance import set_base_color

    objects = opened(folder)
    cube = bpy.data.meshes.new("Protein")
    cube.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)], [], [(0, 1, 2), (0, 1, 3), (0, 2, 3), (1, 2, 3)])
    protein = bpy.data.objects.new("Protein", cube)
    api.set_own_shape([objects["Spike 1"]], api.OwnShape(protein, 90, (0.5, 0, 0), (0, 1, 0)))
    set_base_color([objects["twin.001"]], (0.0, 0.0, 1.0))
    api.show_as([objects["Spike 2"]], "membrane_surface", thickness=60, smoothing=5)
    text, said = written(folder)
    assert ["no .blend holds yet" in sentence for sentence in said] == [True]
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "own.blend"))
    difference, text, said = there_and_back(folder)
    assert not said
    assert difference < SAME, text
    assert (
        'representation = "object"\nshape = { blend = "own.blend", object = "Protein", scale = 90, pivot = [0.5, 0, 0], '
        "axis = [0, 1, 0] }"
    ) in text
    assert 'select = "twin#2"\ncolor = "#0000ff"' in text
    assert 'representation = "membrane_surface"\nthickness = 60\nsmoothing = 5' in text


def test_a_recipe_of_its_own_picture_is_the_same_recipe(bpy: ModuleType, folder: Path) -> None:
    """Two sessions, views of Mosaic, a rule for each kind of selector."""
    from mosaic_addon.cli import main

    write_session(folder / "second.pickle", [cloud("Spike 1", 20), cloud("Free", 20)], [mesh("Envelope", 20)])
    text = """version = 1
sessions = ["s.pickle", "second.pickle"]
pixel_size = 5

[picture]
width_mm = 50
height_mm = 30
dpi = 60
look = "clay"
background = "dark"
engine = "workbench"

[camera]
view = "side"
zoom = 1.5
orthographic = true

[[rule]]
container = "models"
representation = "wireframe"

[[rule]]
session = "second"
opacity = 0.5

[[rule]]
select = "Free"
visible = false

[[label]]
of = "Free"
"""
    (folder / "f.toml").write_text(text)
    assert main(["figure", str(folder / "f.toml")]) == 0
    again, said = written(folder)
    assert not said
    assert again == text


# --- what is told ----------------------------------------------------------------------------------------------------


def test_what_a_recipe_cannot_hold_is_told(bpy: ModuleType, folder: Path) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.drawing.representations import set_inputs

    objects = opened(folder)
    scene, session = bpy.context.scene, api.sessions_in(bpy.context.scene)[0]
    material = objects["Spike 1"].material_slots[0].material
    own = material.node_tree.nodes.new("ShaderNodeBsdfDiffuse")
    material.node_tree.links.new(own.outputs[0], material.node_tree.get_output_node("ALL").inputs[0])
    objects["Envelope"].modifiers.new("Bumps", "DISPLACE")
    objects["Spike 2"].location.x += 10
    objects["Inner [1]*"].data.vertices[0].co.x += 50
    objects["twin"].users_collection[0].objects.link(objects["twin"].copy())
    set_inputs([objects["Envelope"], objects["Inner [1]*"]], {"Line Width": 3.0})
    ball = bpy.data.objects.new("Ball", bpy.data.meshes.new("Ball"))
    scene.collection.objects.link(ball)
    scene.camera.data.dof.use_dof = True
    scene.view_settings.exposure = 1
    scene.world.node_tree.nodes["Background"].inputs["Color"].default_value = (1, 0, 0, 1)
    api.add_text(scene, api.PictureText("hidden")).hide_render = True
    api.add_text(scene, api.PictureText("moved")).location.x += 3
    for _ in range(2):
        api.add_scale_bar(scene, session)
    api.add_label(scene, [ball])
    text, said = written(folder)
    for words in (
        "clusters 'Spike 2': moved. Save the session first", "clusters 'twin': a copy. Save the session first",
        "models 'Inner [1]*': points moved. Save the session first", "'Spike 1': drawn with nodes of your own",
        "'Envelope': with the modifier 'Bumps'", "'Envelope', 'Inner [1]*': drawn with another Line Width (3)",
        "exposure and gamma, the background's colour, which you set by hand", "no depth of field",
        "'Text': hidden", "'Text.001': moved by hand", "one scale bar for a picture", "'Ball': named beside",
        "'Ball': in no session's file",
    ):  # fmt: skip
        assert [words in sentence for sentence in said].count(True) == 1, (words, said)
    assert len(said) == 13
    assert text.startswith("# Not in this recipe:\n# - ")
    assert read_recipe(folder / "f.toml").texts[0].text == "moved"


def test_a_saved_session_has_its_edits(bpy: ModuleType, folder: Path) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.drawing.appearance import set_base_color

    objects = opened(folder)
    objects["Inner [1]*"].data.vertices[0].co.x += 50
    objects["Spike 1"].name = "Peplomer"
    bpy.data.objects.remove(objects["Other"])
    api.color_by([objects["Spike 1"]], "score")
    assert len(written(folder)[1]) == 1
    api.save(api.sessions_in(bpy.context.scene)[0], folder / "s.pickle")
    text, said = written(folder)
    assert not said
    assert 'select = "Peplomer"\ncolor_by' in text
    assert "Other" not in text
    set_base_color([objects["Inner [1]*"]], (1, 0, 0))
    assert not written(folder)[1]
    objects["Inner [1]*"].data.vertices[1].co.x += 50
    assert "points moved. Save the session first" in written(folder)[1][0]
    write_session(folder / "s.pickle", [cloud("another")], [])
    (sentence, *_) = written(folder)[1]
    assert "changed by another program" in sentence
    (folder / "s.pickle").unlink()
    with pytest.raises(api.MosaicError, match="is not there any more"):
        written(folder)


def test_a_file_that_only_a_blend_names_is_not_met(
    bpy: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To Save, a path in a .blend is a wish until this Blender has read or written that file."""
    from mosaic_addon.session import decode

    opened(folder)
    monkeypatch.setattr(decode, "note_session", lambda *_: pytest.fail("noted"))
    assert not written(folder)[1]


def test_a_scene_without_look_or_camera(bpy: ModuleType, folder: Path) -> None:
    from mosaic_addon import api

    with pytest.raises(api.MosaicError, match="holds no session"):
        written(folder)
    api.load(folder / "s.pickle")
    text, said = written(folder)
    assert ["no look of ours" in said[0], "no camera" in said[1], len(said)] == [True, True, 2]
    assert text.endswith('sessions = "s.pickle"\n\n[picture]\nwidth_mm = 85\npixels = [1920, 1080]\nengine = "eevee"\n')
    with pytest.raises(api.MosaicError, match="is there already"):
        api.write_recipe(folder / "f.toml")
    with pytest.raises(api.MosaicError, match=r"must end in \.toml"):
        api.write_recipe(folder / "f.txt")


# --- command and button ----------------------------------------------------------------------------------------------


def test_the_command_writes_recipes_of_sessions_and_blends(
    bpy: ModuleType, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from mosaic_addon.cli import main

    assert main(["recipe", str(folder / "s.pickle")]) == 0
    assert capsys.readouterr().out == f"{folder / 's.toml'}\n"
    assert (folder / "s.toml").read_text() == (
        'version = 1\nsessions = "s.pickle"\n\n[picture]\nwidth_mm = 85\nheight_mm = 63.75\ndpi = 300\n\n'
        "[camera]\ndirection = [0, 0, -1]\n"
    )
    assert main(["recipe", str(folder / "s.pickle")]) == 1
    assert "is there already" in capsys.readouterr().err
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    objects = opened(folder)
    objects["Envelope"].modifiers.new("Bumps", "DISPLACE")
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "b.blend"))
    (folder / "below").mkdir()
    assert main(["recipe", str(folder / "b.blend"), "-o", str(folder / "below" / "b.toml")]) == 0
    assert "mosaic: not in the recipe: 'Envelope': with the modifier 'Bumps'" in capsys.readouterr().err
    assert read_recipe(folder / "below" / "b.toml").sessions == ("../s.pickle",)


def test_the_button_writes_a_recipe(bpy: ModuleType, folder: Path) -> None:
    import mosaic_addon

    mosaic_addon.register()
    try:
        opened(folder)
        assert bpy.ops.mosaic.write_recipe(filepath=str(folder / "g")) == {"FINISHED"}
        assert read_recipe(folder / "g.toml").picture.look == "flat"
    finally:
        mosaic_addon.unregister()
