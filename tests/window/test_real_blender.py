"""The built zip in a real Blender: installed, on the command line, and in the window with keys and mouse."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import build as build_tool
from mosaic_addon.session import open_session
from tests.support.make_sessions import cloud, mesh, triangular_mesh, write_session

FOLDER = Path(__file__).parents[1] / "sessions"
TROUBLE = ("Traceback", "Error:", "error:", "Exception")
Blender = Callable[..., Any]


@pytest.fixture(scope="module")
def user(real_blender: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a Blender whose user has installed and enabled the extension from its zip, and nothing else."""
    folder = tmp_path_factory.mktemp("user")
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(folder)}
    package = build_tool.write_zip(folder / "mosaic.zip")
    command = [real_blender, "--command", "extension", "install-file", "-r", "user_default", "-e", str(package)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'Installed "mosaic"' in done.stdout
    assert_no_trouble(done)
    return environment


@pytest.fixture
def blender(real_blender: str, user: dict[str, str], tmp_path: Path) -> Blender:
    """Runs it without a window."""

    def run(*arguments: Any) -> Any:
        command = [real_blender, *map(str, arguments)]
        return subprocess.run(command, env=user, cwd=tmp_path, capture_output=True, text=True, timeout=180, check=False)

    return run


def assert_no_trouble(done: Any) -> None:
    said = done.stdout + done.stderr
    assert not [word for word in TROUBLE if word in said], said


def script(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


# --- without a window ------------------------------------------------------------------------------------------------


def test_the_commands_work(blender: Blender, tmp_path: Path) -> None:
    session = FOLDER / "mosaic-1.3.2.pickle"
    done = blender("-c", "mosaic", "info", "--json", session)
    assert done.returncode == 0
    assert_no_trouble(done)
    told = json.loads(done.stdout[done.stdout.index("{") :])
    assert len(told["geometries"]) == 40

    done = blender("-c", "mosaic", "import", session, "-o", tmp_path / "s.blend")
    assert done.returncode == 0, done.stderr
    assert_no_trouble(done)
    assert (tmp_path / "s.blend").stat().st_size > 100_000

    small = ["--size", "96x64", "--samples", "2", "--direction", "-1,-1,-1"]
    done = blender("-c", "mosaic", "render", session, "-o", tmp_path / "p.png", *small)
    assert done.returncode == 0, done.stderr
    assert_no_trouble(done)
    assert Image.open(tmp_path / "p.png").size == (96, 64)

    done = blender("-c", "mosaic", "info", tmp_path / "none.pickle")
    assert done.returncode == 1
    assert "mosaic: error: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_saved_session_draws_the_same_without_the_extension(blender: Blender, tmp_path: Path) -> None:
    assert blender("-c", "mosaic", "import", FOLDER / "mosaic-1.3.2.pickle", "-o", tmp_path / "s.blend").returncode == 0
    text = """
import bpy
graph = bpy.context.evaluated_depsgraph_get()
print("DRAWN", sorted((i.object.name, len(i.object.data.attributes)) for i in graph.object_instances
    if hasattr(i.object.data, "attributes")))
"""
    count = script(tmp_path / "count.py", text)
    lines = []
    for options in ([], ["--factory-startup"]):
        done = blender("-b", *options, tmp_path / "s.blend", "--python", count)
        assert_no_trouble(done)
        lines.append(next(line for line in done.stdout.splitlines() if line.startswith("DRAWN")))
    assert lines[0] == lines[1]


LIFE = """
import bpy, json, sys
def left():
    menu = getattr(bpy.types.TOPBAR_MT_file_import.draw, "_draw_funcs", ())
    return {
        "types": [name for name in dir(bpy.types) if "mosaic" in name.lower()],
        "operators": list(dir(bpy.ops.mosaic)),
        "menu": [draw.__module__ for draw in menu if "mosaic" in draw.__module__],
        "properties": [name for name in bpy.types.Scene.bl_rna.properties.keys() if "mosaic" in name],
    }
bpy.ops.mosaic.load_session(filepath=sys.argv[-1])
made = len([thing for thing in bpy.data.objects if "mosaic_class" in thing])
before = left()
bpy.ops.preferences.addon_disable(module="bl_ext.user_default.mosaic")
print("RESULT" + json.dumps([made, before, left()]))
"""


def test_opening_a_session_and_disabling_leaves_nothing(blender: Blender, tmp_path: Path) -> None:
    session = FOLDER / "mosaic-1.1.1.pickle"
    done = blender("-b", "--python", script(tmp_path / "life.py", LIFE), "--", session)
    assert done.returncode == 0
    assert_no_trouble(done)
    result = next(line for line in done.stdout.splitlines() if line.startswith("RESULT"))
    made, before, after = json.loads(result.removeprefix("RESULT"))
    assert made > 30
    assert before["operators"]
    assert len(before["menu"]) == 1
    assert after == {"types": [], "operators": [], "menu": [], "properties": []}


# --- in the window ---------------------------------------------------------------------------------------------------

WINDOW = """
import bpy, json, os, sys, traceback
from pathlib import Path
folder, session = Path(sys.argv[-2]), sys.argv[-1]
bpy.context.preferences.view.show_splash = False
for thing in list(bpy.data.objects):
    bpy.data.objects.remove(thing)

def view():
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    region = next(region for region in area.regions if region.type == "WINDOW")
    return window, area, region

def state():
    return sorted(thing.name for thing in bpy.data.objects) + sorted(c.name for c in bpy.data.collections)

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
    for thing in bpy.context.selected_objects:
        thing.select_set(False)

def sculpt():
    # Split a mesh's faces by dynamic topology and save the session, all in Sculpt Mode.
    window, area, region = view()
    thing = bpy.data.objects["blue mesh"]
    with bpy.context.temp_override(window=window, area=area, region=region):
        clear_selection()
        thing.select_set(True)
        bpy.context.view_layer.objects.active = thing
        bpy.ops.object.mode_set(mode="SCULPT")
        bpy.ops.sculpt.dynamic_topology_toggle()
        settings = bpy.context.scene.tool_settings.sculpt
        settings.detail_type_method, settings.constant_detail_resolution = "CONSTANT", 50.0
        bpy.ops.sculpt.detail_flood_fill()
        bpy.ops.mosaic.save_session()
        saved_in = thing.mode
        bpy.ops.object.mode_set(mode="OBJECT")
    return [saved_in, len(thing.data.vertices)]

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


@pytest.fixture
def screen() -> Iterator[str]:
    """The name of a virtual screen that nobody else has."""
    for tool in ("Xvfb", "xdotool", "import"):
        if shutil.which(tool) is None:
            pytest.skip(f"install {tool} to run this test")
    told, tell = os.pipe()
    command = ["Xvfb", "-displayfd", str(tell), "-screen", "0", "1200x800x24"]
    server = subprocess.Popen(command, pass_fds=[tell], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(tell)
    try:
        with os.fdopen(told) as number:
            yield f":{int(number.readline())}"
    finally:
        server.terminate()  # asked to end, it removes its socket; killed, it would not
        server.wait(timeout=30)


@pytest.fixture
def window(real_blender: str, user: dict[str, str], screen: str, tmp_path: Path) -> Iterator[Window]:
    session = write_session(tmp_path / "seen.pickle", [red_cloud()], [blue_mesh()])
    # A shader cache of its own: Mesa's common one does not survive several programs that end hard.
    environment = {**user, "DISPLAY": screen, "MESA_SHADER_CACHE_DIR": str(tmp_path / "mesa")}
    command = [real_blender, "--window-geometry", "0", "0", "1200", "800"]
    command += ["--python", str(script(tmp_path / "window.py", WINDOW)), "--", str(tmp_path), str(session)]
    with open(tmp_path / "log", "w") as log:
        blender = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield Window(tmp_path, screen)
    finally:
        blender.kill()
        blender.wait()


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


OPEN = "bpy.ops.mosaic.load_session('INVOKE_DEFAULT', True, filepath=session) and state()"
MADE = ["Clusters", "Collection", "Models", "blue mesh", "red cloud", "seen", "seen"]


def colours(pixels: np.ndarray) -> tuple[int, int]:
    """How many pixels are clearly red and clearly blue."""
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    return (
        int(((red > 0.3) & (red > 2 * green) & (red > 2 * blue)).sum()),
        int(((blue > 0.3) & (blue > 2 * green) & (blue > 2 * red)).sum()),
    )


def test_an_import_is_seen_and_is_one_step_to_undo(window: Window) -> None:
    middle = window.wait_for("ready.done")
    before = window.do("state()")
    assert sorted(window.do(OPEN)) == MADE
    window.do("clear_selection()")
    time.sleep(2)
    red, blue = colours(window.picture("solid"))
    assert red > 500, "the cloud is not in the view"
    assert blue > 500, "the mesh is not in the view"

    window.do("undo('undo_push', message='deselect')")
    window.press("mousemove", middle[0], 800 - middle[1])
    for key, expected in (("ctrl+z", MADE), ("ctrl+z", before), ("ctrl+shift+z", MADE)):
        window.press("key", key)
        window.until("sorted(state())", sorted(expected))
    assert_quiet(window)


def assert_quiet(window: Window) -> None:
    assert not [word for word in TROUBLE if word in window.log()], window.log()


def test_without_a_path_the_file_browser_opens(window: Window) -> None:
    window.wait_for("ready.done")
    window.do("ask_for_file()")
    window.until("browsing()", "MOSAIC_OT_load_session")
    assert_quiet(window)


def test_what_dynamic_topology_makes_is_saved_in_sculpt_mode(window: Window, tmp_path: Path) -> None:
    window.wait_for("ready.done")
    window.do(OPEN)
    mode, count = window.do("sculpt()")
    assert (mode, count > 4) == ("SCULPT", True)
    assert len(open_session(tmp_path / "seen.pickle").models[0].points) == count
    assert_quiet(window)
