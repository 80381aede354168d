"""Draw geometries with the real Mosaic and with Blender from the same camera, flat, and say how well the pictures agree.

    python tests/support/compare_pictures.py SESSION FOLDER [NAME ...] [--whole]

Needs bpy, and MOSAIC_PYTHON: a Python with mosaic-gui. For each geometry (or those named; --whole adds one picture of all)
it prints the intersection over union of the covered pixels and the largest difference of the mean colour in there, of 255,
and writes FOLDER/NAME.png: Mosaic's picture, ours, and where they differ.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SIZE = (960, 720)
COVERED = 8  # of 255: a pixel that differs from white by more is covered
MOSAIC_SCRIPT = Path(__file__).parent / "draw_with_mosaic.py"


@dataclass(frozen=True)
class Agreement:
    """Of two pictures: intersection over union of what is covered, and the difference of mean colours, of 255."""

    name: str
    representation: str
    overlap: float
    color: float


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


def draw_with_mosaic(session: Path, folder: Path, names: list[str | None]) -> list[dict]:
    """Mosaic's pictures folder/0.png, 1.png, …, one for each name (None: all visible), and their cameras."""
    command = [os.environ["MOSAIC_PYTHON"], str(MOSAIC_SCRIPT), str(session), str(folder), json.dumps(names)]
    done = subprocess.run(
        command, env={**os.environ, "QT_QPA_PLATFORM": "offscreen"}, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def main(arguments: list[str]) -> list[Agreement]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("session", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--whole", action="store_true")
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)

    import bpy

    from mosaic_addon import api
    from mosaic_addon.scene.compat import ModifierInputs
    from mosaic_addon.scene.pictures.camera import View, place_camera
    from mosaic_addon.scene.pictures.looks import apply_look
    from mosaic_addon.scene.pictures.options import RenderOptions
    from mosaic_addon.scene.pictures.render import render_to, set_up_render

    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    imported = api.load(options.session)
    hidden = [obj for obj in imported.objects if obj.hide_render]
    shown = {obj["mosaic_name"]: obj for obj in imported.objects if obj not in hidden}
    names: list[str | None] = [name for name in options.names or shown if has_points(shown[name].data)]
    if options.whole:
        names.append(None)
    set_up_render(scene, RenderOptions(SIZE, samples=1))
    scene.cycles.pixel_filter_type = "BOX"
    scene.cycles.filter_width = 0.01  # one ray through the middle of each pixel, as VTK draws without smoothing
    scene.cycles.use_denoising = scene.cycles.use_adaptive_sampling = False
    agreements = []
    with tempfile.TemporaryDirectory() as scratch:
        cameras = draw_with_mosaic(options.session, Path(scratch), names)
        for number, (name, values) in enumerate(zip(names, cameras, strict=True)):
            view = View(
                tuple(values["position"]), tuple(values["focal_point"]), tuple(values["up"]), values["view_angle"]
            )
            for obj in imported.objects:
                obj.hide_render = obj in hidden or (name is not None and obj["mosaic_name"] != name)
            api.show_as_in(view, imported, SIZE[1])
            camera = place_camera(scene, imported.root, view)
            apply_look(scene, "flat", "white", camera)
            path = Path(scratch) / "ours.png"
            render_to(scene, path)
            ours = np.array(Image.open(path).convert("RGB"))
            theirs = np.array(Image.open(Path(scratch) / f"{number}.png").convert("RGB"))
            overlap, color, where = compare(ours, theirs)
            modifier = shown[name].modifiers["Mosaic"] if name is not None else None
            drawn = (
                "all" if modifier is None else str(ModifierInputs(modifier.node_group).get(modifier, "Representation"))
            )
            agreements.append(Agreement(name or "all", drawn, overlap, color))
            print(f"{name or 'all':32} {drawn:18} overlap {overlap:.3f}  colour {color:5.1f}/255", flush=True)
            sheet = Image.fromarray(np.hstack([theirs, ours, where]))
            ImageDraw.Draw(sheet).text(
                (8, 8), f"Mosaic | Blender | differences: {overlap:.3f}, {color:.1f}/255", (0, 0, 0)
            )
            file_name = re.sub(r"[^\w-]+", "_", name or "all")
            sheet.save(options.folder / f"{file_name}.png")
    return agreements


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(0)
