"""A real Blender with its window on a virtual screen: scripts, keys, the mouse, and pictures of it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.support.make_sessions import cloud, mesh, triangular_mesh

TROUBLE = ("Traceback", "Error:", "error:", "Exception")
Blender = Callable[..., Any]

WINDOW = """
import bpy, json, os, sys, traceback
from pathlib import Path
folder, session = Path(sys.argv[-2]), sys.argv[-1]
bpy.context.preferences.view.show_splash = False
if sys.argv[-3] == "empty":
    for obj in list(bpy.data.objects):
        bpy.data.objects.remove(obj)

def view():
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    region = next(region for region in area.regions if region.type == "WINDOW")
    return window, area, region

def state():
    return sorted(obj.name for obj in bpy.data.objects) + sorted(c.name for c in bpy.data.collections)

def tell(name, value):
    (folder / (name + ".part")).write_text(json.dumps(value))
    os.replace(folder / (name + ".part"), folder / name)

def undo(name, **arguments):
    window, area, region = view()
    with bpy.context.temp_override(window=window, area=area, region=region):
        getattr(bpy.ops.ed, name)(**arguments)

def ask_for_file():
    window, area, region = view()
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.mosaic.load_session("INVOKE_DEFAULT")

def browsing():
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "FILE_BROWSER" and area.spaces.active.active_operator:
                return area.spaces.active.active_operator.bl_idname

def clear_selection():
    for obj in bpy.context.selected_objects:
        obj.select_set(False)

def sculpt():
    # Split a mesh's faces by dynamic topology and save the session, all in Sculpt Mode.
    window, area, region = view()
    obj = bpy.data.objects["blue mesh"]
    with bpy.context.temp_override(window=window, area=area, region=region):
        clear_selection()
        obj.select_set(True)
        bpy.context.view_layer.objects.active = obj
        bpy.ops.object.mode_set(mode="SCULPT")
        bpy.ops.sculpt.dynamic_topology_toggle()
        settings = bpy.context.scene.tool_settings.sculpt
        settings.detail_type_method, settings.constant_detail_resolution = "CONSTANT", 50.0
        bpy.ops.sculpt.detail_flood_fill()
        bpy.ops.mosaic.save_session()
        saved_in = obj.mode
        bpy.ops.object.mode_set(mode="OBJECT")
    return [saved_in, len(obj.data.vertices)]

def serve():
    try:
        for order in sorted(folder.glob("*.order")):
            text = order.read_text()
            order.unlink()
            tell(order.stem + ".done", eval(text))
    except Exception:
        traceback.print_exc()
        tell(order.stem + ".done", "failed")
    return 0.1

bpy.app.timers.register(serve, first_interval=1.0)
bpy.app.timers.register(lambda: undo("undo_push", message="start"), first_interval=0.5)
bpy.app.timers.register(lambda: tell("ready.done", [view()[2].x + view()[2].width // 2, view()[2].height // 2]), first_interval=1.5)
"""

OPEN = "bpy.ops.mosaic.load_session('INVOKE_DEFAULT', True, filepath=session) and state()"


class Window:
    """A Blender with its window on a screen of its own: scripts, keys, the mouse, and pictures of it."""

    def __init__(self, folder: Path, display: str) -> None:
        self.folder, self.display, self.number = folder, display, 0

    def wait_for(self, name: str, seconds: float = 60) -> Any:
        end = time.monotonic() + seconds
        while not (self.folder / name).exists():
            assert time.monotonic() < end, f"no {name} within {seconds} s:\n{self.log()}"
            time.sleep(0.05)
        return json.loads((self.folder / name).read_text())

    def do(self, expression: str, seconds: float = 60) -> Any:
        """The value of a Python expression in Blender."""
        self.number += 1
        order = self.folder / f"{self.number:03d}.part"
        order.write_text(expression)
        order.rename(order.with_suffix(".order"))
        return self.wait_for(f"{self.number:03d}.done", seconds)

    def until(self, expression: str, expected: Any, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while (value := self.do(expression)) != expected:
            assert time.monotonic() < end, f"{expression} is {value}, not {expected}:\n{self.log()}"
            time.sleep(0.2)

    def press(self, *arguments: Any) -> None:
        self.tool("xdotool", *arguments)

    def picture(self, name: str) -> np.ndarray:
        self.tool("import", "-window", "root", self.folder / f"{name}.png")
        return np.asarray(Image.open(self.folder / f"{name}.png").convert("RGB"), np.float64) / 255

    def tool(self, *command: Any) -> None:
        environment = {**os.environ, "DISPLAY": self.display}
        subprocess.run(list(map(str, command)), env=environment, timeout=30, check=True)

    def log(self) -> str:
        return (self.folder / "log").read_text()


def assert_no_trouble(done: Any) -> None:
    said = done.stdout + done.stderr
    assert not [word for word in TROUBLE if word in said], said


def assert_quiet(window: Window) -> None:
    assert not [word for word in TROUBLE if word in window.log()], window.log()


def script(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def red_cloud() -> Any:
    side = np.linspace(-100, 100, 6)
    points = np.stack(np.meshgrid(side - 300, side, side), axis=-1).reshape(-1, 3).astype(np.float32)
    return cloud("red cloud", points=points, appearance={"size": 40, "base_color": (0.9, 0.05, 0.05)})


def blue_mesh() -> Any:
    corners = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]) * 100.0 + (300, 0, 0)
    model = triangular_mesh(4, vertices=corners)
    return mesh(
        "blue mesh", 4, points=corners.astype(np.float32), model=model, appearance={"base_color": (0.05, 0.1, 0.9)}
    )
