"""Draw geometries with the real Mosaic and with Blender from the same camera, flat, and say how well the pictures agree.

    python tests/support/compare_pictures.py SESSION FOLDER [NAME ...] [--whole] [--zoom Z ...]

Needs bpy, and MOSAIC_PYTHON: a Python with mosaic-gui. For each geometry, or those named, it prints the intersection over
union of the covered pixels and the largest difference of the mean colour in there, of 255, and writes FOLDER/NAME.png:
Mosaic's picture, ours, and where they differ. --whole draws all together, and single ones only if named: as many times
nearer than in Mosaic's first view as --zoom says. It tells of each object how well the pixels agree where it is seen,
hidden by no other.
"""

import argparse
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SIZE = (960, 720)
CLOSER = 1.3  # that single geometries are drawn than in Mosaic's first view
SEEN = 500  # pixels: what is seen of an object in fewer is not told
COVERED = 8  # of 255: a pixel that differs from white by more is covered
MOSAIC_SCRIPT = Path(__file__).parent / "draw_with_mosaic.py"


@dataclass(frozen=True)
class Agreement:
    """Of two pictures: intersection over union of what is covered, and the difference of mean colours, of 255.

    objects: intersection over union of where each is seen, of a picture of all, if it is seen in SEEN pixels at least.
    """

    name: str
    representation: str
    overlap: float
    color: float
    objects: dict[str, float] = field(default_factory=dict)


def compare(ours: np.ndarray, theirs: np.ndarray) -> tuple[float, float, np.ndarray]:
    """Overlap, colour difference, and a picture of where they differ. Pictures: (h, w, 3) uint8 on white."""
    a, b = (np.abs(picture.astype(int) - 255).max(axis=2) > COVERED for picture in (ours, theirs))
    union, both = a | b, a & b
    if not union.any():
        return 1.0, 0.0, np.full_like(ours, 255)
    color = np.abs(ours[both].mean(axis=0) - theirs[both].mean(axis=0)).max() if both.any() else 255.0
    where = np.full_like(ours, 255)
    where[both] = (200, 200, 200)
    where[a & ~b] = (220, 60, 20)
    where[b & ~a] = (20, 60, 220)
    return float(both.sum() / union.sum()), float(color), where


def has_points(data) -> bool:
    return bool(len(data.vertices if hasattr(data, "vertices") else data.points))


@dataclass(frozen=True)
class Picture:
    """One to draw. name: of the geometry; None for all. colors: of the geometries, (r, g, b) from 0 to 1, in place of theirs."""

    name: str | None
    zoom: float = CLOSER
    colors: dict[str, tuple[float, ...]] | None = None


def draw_with_mosaic(session: Path, folder: Path, pictures: list[Picture]) -> list[dict]:
    """Mosaic's pictures folder/0.png, 1.png, …, and their cameras."""
    wanted = json.dumps([(picture.name, picture.zoom, picture.colors) for picture in pictures])
    command = [os.environ["MOSAIC_PYTHON"], str(MOSAIC_SCRIPT), str(session), str(folder), wanted]
    done = subprocess.run(
        command, env={**os.environ, "QT_QPA_PLATFORM": "offscreen"}, capture_output=True, text=True, timeout=1800
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def distinct_colors(names: list[str]) -> dict[str, tuple[float, ...]]:
    """Colours that are told apart, none of them white."""
    steps = 2
    while steps**3 <= len(names):
        steps += 1
    grid = itertools.product(np.linspace(0, 1, steps).tolist(), repeat=3)
    return dict(zip(names, grid))


def compare_objects(ours: np.ndarray, theirs: np.ndarray, colors: dict[str, tuple[float, ...]]) -> dict[str, float]:
    """Overlap of where each object is seen in two pictures that have each in its colour, (h, w, 3) uint8 on white."""
    palette = np.array([*colors.values(), (1, 1, 1)]) * 255
    a, b = (
        np.abs(picture.reshape(-1, 1, 3).astype(np.float32) - palette.astype(np.float32)).sum(axis=2).argmin(axis=1)
        for picture in (ours, theirs)
    )
    found = {}
    for number, name in enumerate(colors):
        here, there = a == number, b == number
        if max(here.sum(), there.sum()) >= SEEN:
            found[name] = float((here & there).sum() / (here | there).sum())
    return found


class Blender:
    """A session built in Blender, drawn flat and without smoothing, one ray for a pixel."""

    def __init__(self, session: Path) -> None:
        import bpy

        from mosaic_addon import api
        from mosaic_addon.scene.pictures.options import RenderOptions
        from mosaic_addon.scene.pictures.render import set_up_render

        bpy.ops.wm.read_factory_settings(use_empty=True)
        self.scene = bpy.context.scene
        self.imported = api.load(session)
        self.hidden = [obj for obj in self.imported.objects if obj.hide_render]
        self.shown = {obj["mosaic_name"]: obj for obj in self.imported.objects if obj not in self.hidden}
        set_up_render(self.scene, RenderOptions(SIZE, samples=1))
        # One ray through the middle of each pixel, as VTK draws without smoothing.
        self.scene.cycles.pixel_filter_type = "BOX"
        self.scene.cycles.filter_width = 0.01
        self.scene.cycles.use_denoising = self.scene.cycles.use_adaptive_sampling = False

    def draw(self, picture: Picture, camera: dict, path: Path) -> np.ndarray:
        """A picture as Mosaic's camera sees it, (h, w, 3) uint8. Colours stay for the pictures that follow."""
        from mosaic_addon import api
        from mosaic_addon.scene.pictures.camera import View, place_camera
        from mosaic_addon.scene.pictures.looks import apply_look
        from mosaic_addon.scene.pictures.render import render_to

        view = View(tuple(camera["position"]), tuple(camera["focal_point"]), tuple(camera["up"]), camera["view_angle"])
        for obj in self.imported.objects:
            other = picture.name is not None and obj["mosaic_name"] != picture.name
            obj.hide_render = obj in self.hidden or other
        if picture.colors is not None:
            self._paint(picture.colors)
        api.show_as_in(view, self.imported, SIZE[1])
        apply_look(self.scene, "flat", "white", place_camera(self.scene, self.imported.root, view))
        render_to(self.scene, path)
        return np.array(Image.open(path).convert("RGB"))

    def _paint(self, colors: dict[str, tuple[float, ...]]) -> None:
        from mosaic_addon.scene.drawing.appearance import set_base_color, set_number
        from mosaic_addon.scene.drawing.color_maps import to_scene
        from mosaic_addon.scene.drawing.coloring import uncolor
        from mosaic_addon.scene.drawing.representations import representation_of, set_inputs

        for name, obj in self.shown.items():
            uncolor([obj])
            set_base_color([obj], to_scene(np.array(colors[name])).tolist())
            for key, value in (("ambient", 1.0), ("diffuse", 0.0), ("opacity", 1.0)):
                set_number([obj], key, value)
            if representation_of(obj) == "mesh":
                set_inputs([obj], {"Line Width": 0.0})

    def representation(self, name: str | None) -> str:
        """How an object is drawn, as the menu calls it."""
        from mosaic_addon.scene.drawing.representations import input_of

        return "all" if name is None else str(input_of(self.shown[name], "Representation"))


def main(arguments: list[str]) -> list[Agreement]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("session", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--zoom", type=float, nargs="*", default=[CLOSER])
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    blender = Blender(options.session)
    names = options.names or ([] if options.whole else list(blender.shown))
    pictures = [Picture(name) for name in names if has_points(blender.shown[name].data)]
    colors = distinct_colors([obj["mosaic_name"] for obj in blender.imported.objects])
    if options.whole:
        pictures += [Picture(None, zoom) for zoom in options.zoom]
        pictures += [Picture(None, zoom, colors) for zoom in options.zoom]  # which no others may follow
    agreements = []
    with tempfile.TemporaryDirectory() as scratch:
        cameras = draw_with_mosaic(options.session, Path(scratch), pictures)
        for number, (picture, camera) in enumerate(zip(pictures, cameras, strict=True)):
            ours = blender.draw(picture, camera, Path(scratch) / "ours.png")
            theirs = np.array(Image.open(Path(scratch) / f"{number}.png").convert("RGB"))
            overlap, color, where = compare(ours, theirs)
            name = picture.name or ("all" if len(options.zoom) == 1 else f"all, zoom {picture.zoom:g}")
            if picture.colors is None:
                agreement = Agreement(name, blender.representation(picture.name), overlap, color)
                agreements.append(agreement)
                print(
                    f"{name:32} {agreement.representation:18} overlap {overlap:.3f}  colour {color:5.1f}/255",
                    flush=True,
                )
            else:
                found = compare_objects(ours, theirs, colors)
                next(agreement for agreement in agreements if agreement.name == name).objects.update(found)
                name += ", each"
                for each, agreed in found.items():
                    print(f"{name:32} {each:32} overlap {agreed:.3f}", flush=True)
            sheet = Image.fromarray(np.hstack([theirs, ours, where]))
            title = f"Mosaic | Blender | differences: {overlap:.3f}, {color:.1f}/255"
            ImageDraw.Draw(sheet).text((8, 8), title, (0, 0, 0))
            file_name = re.sub(r"[^\w-]+", "_", name)
            sheet.save(options.folder / f"{file_name}.png")
    return agreements


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(0)
