"""The part of the benchmark for tomograms in the scene: opened and shown, rendered, and moved in a window.

Run by a real Blender with a window as a script, it prints the processor time of its redraws: see `IN_WINDOW`.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.support.bench_density import tomogram  # noqa: E402

SIDES = (300, 1000, 1000)
RENDERED, SAMPLES = (960, 720), 32
REDRAWS = 15
IN_WINDOW = "MOSAIC_BENCH_SLICES"  # the tomogram's path, where this runs in a window


def slices(folder: Path, report: Callable[..., None], in_turn: Callable[..., list[float]]) -> None:
    """A tomogram of 1.2 GB, opened and shown; three slices of it in Cycles; one that is moved in a window."""
    from mosaic_addon import api

    path = tomogram(folder / "slices.mrc", np.dtype("float32"), SIDES)
    ours, plain = in_turn(3, lambda: api.open_tomogram(bpy.context.scene, path), lambda: np.fromfile(path, np.uint8))
    report("open and show a tomogram of 1.2 GB / a plain read", ours, plain, 1.5)
    renders = [_cycles(path, plain) for plain in (False, True)]
    report("Cycles, three slices / the same planes with an image", *renders, 1.2)
    for shading, (moved, empty) in _in_window(path).items():
        report(f"redraw as a slice is moved, {shading} / an empty view", moved, empty, 1.2)
    path.unlink()


def _cycles(path: Path, plain: bool) -> float:
    """Processor time of a picture of three slices, after one that is not counted. plain: they show an image of their own."""
    from mosaic_addon import api

    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    box = api.open_tomogram(scene, path)
    scene.view_layers[0].update()
    objects = api.slices_of(box)
    if plain:
        material = _with_image()
        for obj in objects:
            obj.material_slots[0].material = material
            for corner, place in zip(obj.data.uv_layers.new().data, ((0, 0), (1, 0), (1, 1), (0, 1)), strict=True):
                corner.uv = place
    data = bpy.data.cameras.new("Camera")
    scene.camera = bpy.data.objects.new("Camera", data)
    scene.collection.objects.link(scene.camera)
    middle = objects[0].matrix_world.translation
    scene.camera.location = middle + _vector((1.2, -1.5, 1.1)) * box.dimensions.length
    scene.camera.rotation_euler = (middle - scene.camera.location).to_track_quat("-Z", "Y").to_euler()
    scene.render.engine, scene.cycles.samples, scene.cycles.use_denoising = "CYCLES", SAMPLES, False
    scene.render.resolution_x, scene.render.resolution_y = RENDERED
    times = []
    for _ in range(4):
        start = time.process_time()
        bpy.ops.render.render()
        times.append(time.process_time() - start)
    return statistics.median(times[1:])


def _with_image() -> Any:
    """A material that shines as an image of noise does."""
    from mosaic_addon.scene.compat import hide_from_light_sampling, shader_tree

    image = bpy.data.images.new("plain", 1000, 1000)
    image.pixels.foreach_set(np.random.default_rng(1).random(4 * 1000 * 1000, np.float32))
    material = bpy.data.materials.new("plain")
    hide_from_light_sampling(material)  # as slices are
    tree = shader_tree(material)
    tree.nodes.clear()
    looked, shining, end = (tree.nodes.new(f"ShaderNode{name}") for name in ("TexImage", "Emission", "OutputMaterial"))
    looked.image = image
    tree.links.new(looked.outputs[0], shining.inputs[0])
    tree.links.new(shining.outputs[0], end.inputs[0])
    return material


def _vector(values: tuple[float, float, float]) -> Any:
    from mathutils import Vector

    return Vector(values)


# --- a window --------------------------------------------------------------------------------------------------------


def _in_window(path: Path) -> dict[str, tuple[float, float]]:
    """Processor time of a redraw as a slice is moved, and of one of an empty view, for each shading; none without a Blender."""
    blender = os.environ.get("BLENDER")
    if blender is None or shutil.which("xvfb-run") is None:
        return {}
    command = ["xvfb-run", "-a", "-s", "-screen 0 1280x900x24", blender, "--factory-startup"]
    window = ["--window-geometry", "0", "0", "1280", "900", "--python", __file__]
    done = subprocess.run(
        [*command, *window], env={**os.environ, IN_WINDOW: str(path)}, capture_output=True, text=True, timeout=600
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
    return json.loads(lines[-1])


def _redraws(path: str) -> dict[str, tuple[float, float]]:
    from mosaic_addon import api

    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    region = next(region for region in area.regions if region.type == "WINDOW")
    for obj in list(bpy.data.objects):
        bpy.data.objects.remove(obj)

    def redraw(change: Callable[[int], None]) -> float:
        times = []
        with bpy.context.temp_override(window=window, area=area, region=region):
            for number in range(REDRAWS):
                change(number)
                start = time.process_time()
                bpy.ops.wm.redraw_timer(type="DRAW_WIN_SWAP", iterations=1)
                times.append(time.process_time() - start)
        return statistics.median(times[REDRAWS // 3 :])

    box = api.open_tomogram(bpy.context.scene, path)
    obj, *_ = objects = api.slices_of(box)
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.view3d.view_all()
    found = {}
    for shading in ("SOLID", "MATERIAL"):
        area.spaces.active.shading.type = shading
        times: list[list[float]] = [[], []]
        for turn in range(6):
            for each in (box, *objects):
                each.hide_set(bool(turn % 2))
            times[turn % 2].append(redraw(lambda number: api.set_position(obj, number * 50.0)))
        found[shading.title()] = statistics.median(times[0]), statistics.median(times[1])
    return found


def _measure() -> None:
    try:
        print(json.dumps(_redraws(os.environ[IN_WINDOW])), flush=True)
    finally:
        os._exit(0)


if IN_WINDOW in os.environ:
    bpy.context.preferences.view.show_splash = False
    bpy.app.timers.register(_measure, first_interval=3.0)
