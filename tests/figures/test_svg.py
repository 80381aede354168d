"""An SVG shows what the picture does, and its texts are texts."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from tests.support.letters import corners_of
from tests.support.make_sessions import cloud, properties, write_session

SVG = "{http://www.w3.org/2000/svg}"
SIZE = (500, 375)


@pytest.fixture
def scene(bpy: ModuleType, tmp_path: Path) -> Any:
    """A figure with all that stands over a picture."""
    from mosaic_addon import api
    from mosaic_addon.scene.pictures.camera import frame_camera

    rng = np.random.default_rng(1)
    columns = {"curvature": np.linspace(-0.02, 0.02, 60, dtype=np.float32), "kind": np.array(["open", "shut"] * 30)}
    clouds = [
        cloud(
            name, 60, points=rng.uniform(0, 900, (60, 3)).astype(np.float32), vertex_properties=properties(60, columns)
        )
        for name in ("Envelope \u03b1 & <b>", "Spikes")
    ]
    imported = api.load(write_session(tmp_path / "s.pickle", clouds))
    api.set_up_picture(imported, api.RenderOptions(SIZE, samples=8))
    scene = bpy.context.scene
    frame_camera(scene, imported.objects, (0.3, 0.8, -0.5), orthographic=True, camera=scene.camera)
    api.color_by(imported.objects[:1], "curvature")
    api.color_by(imported.objects[1:], "kind")
    api.add_scale_bar(scene, imported.collection)
    api.add_color_key(scene, imported.objects[:1], api.ColorKey("Curvature (1/nm)", length=60.0))
    api.add_color_key(scene, imported.objects[1:], api.ColorKey(across=1.0, up=-0.2))
    api.add_color_key(scene, imported.objects[:1], api.ColorKey(horizontal=True, across=0.0, length=60.0))
    api.add_legend(scene, imported.objects, api.ColorKey(across=-1.0, up=0.0))
    api.add_label(scene, imported.objects[:1])
    api.add_text(scene, api.PictureText("B"))
    api.add_axes(scene, imported.collection)
    return scene


def test_an_svg_looks_as_the_picture(bpy: ModuleType, scene: Any, tmp_path: Path) -> None:
    convert = shutil.which("rsvg-convert")
    if convert is None:
        pytest.skip("install rsvg-convert (Debian: librsvg2-bin) to run this test")
    from mosaic_addon.scene.figures.svg import render_svg
    from mosaic_addon.scene.pictures.render import render_to

    render_to(scene, tmp_path / "picture.png")
    render_svg(scene, tmp_path / "picture.svg")
    size = ["--width", str(SIZE[0]), "--height", str(SIZE[1])]
    drawn = subprocess.run([convert, *size, tmp_path / "picture.svg"], check=True, capture_output=True).stdout
    picture, vectors = (
        np.asarray(Image.open(source).convert("RGB"), np.float64)
        for source in (tmp_path / "picture.png", io.BytesIO(drawn))
    )
    assert vectors.shape == picture.shape
    fonts = shutil.which("fc-match")
    has_font = fonts is not None and "Inter" in subprocess.check_output([fonts, "Inter"], text=True)
    assert np.abs(picture - vectors).mean() < (3.5 if has_font else 5)
    # Beside the letters, whose fonts differ, it is the same.
    far = np.abs(picture - vectors).max(axis=2) > 40
    assert far.mean() < 0.05


def test_texts_are_texts_where_they_stand(scene: Any, tmp_path: Path) -> None:
    from mosaic_addon.scene.figures.svg import render_svg

    render_svg(scene, tmp_path / "picture.svg")
    root = ElementTree.parse(tmp_path / "picture.svg").getroot()
    assert root.get("width") == "85mm"
    texts = {element.text: element for element in root.iter(f"{SVG}text")}
    ticks = ["-0.02", "-0.01", "0.00", "0.01", "0.02"]
    named = ["50 nm", "B", "X", "Y", "Z", "Curvature (1/nm)", "kind", "open", "shut", "Envelope \u03b1 & <b>", "Spikes"]
    assert set(texts) == {*ticks, *named, "curvature"}
    # Ticks go upwards, in even steps; the title stands above.
    heights = [float(texts[tick].get("y", "")) for tick in ticks]
    assert float(texts["Curvature (1/nm)"].get("y", "")) < min(heights)
    assert np.allclose(np.diff(heights), np.diff(heights)[0], atol=0.01)
    assert len(list(root.iter(f"{SVG}linearGradient"))) == 2


@pytest.mark.parametrize("text", ["\u6f22\u5b57 A", "\u65e5", "a b", " "])
def test_no_letter_is_lost(bpy: ModuleType, scene: Any, text: str) -> None:
    from mosaic_addon import api

    def corners(shown: str) -> int:
        item = api.add_text(scene, api.PictureText(shown))
        count = corners_of(bpy, item)
        api.remove_item(item)
        return count

    known = corners("A")
    assert known > 0
    letters = text.split()
    assert (corners(text) > 0) == bool(letters)
    assert corners(text) == sum(corners(letter) for word in letters for letter in word) or "A" in text
    assert corners(text + "A") > corners(text)


def test_what_stands_over_the_picture_is_shown_again(scene: Any, tmp_path: Path) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.figures.overlay import items_of
    from mosaic_addon.scene.figures.svg import render_svg

    items = items_of(scene)
    items[0].hide_render = True
    (tmp_path / "folder.svg").mkdir()
    with pytest.raises(api.MosaicError, match=r"folder\.svg"):
        render_svg(scene, tmp_path / "folder.svg")
    assert [obj.hide_render for obj in items] == [True] + [False] * (len(items) - 1)


def test_ticks_are_those_of_the_nodes(scene: Any) -> None:
    from mosaic_addon.scene.figures.svg import tick_texts

    assert tick_texts(-2e-5, 3e-5) == ["-0.00002", "-0.00001", "0.00000", "0.00001", "0.00002", "0.00003"]
    assert tick_texts(-0.3, 1200.0) == ["0", "200", "400", "600", "800", "1000", "1200"]
    assert tick_texts(7.3, 9.1) == ["7.5", "8.0", "8.5", "9.0"]
