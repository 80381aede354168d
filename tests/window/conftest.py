"""Blenders whose user has the extension, without a window and with one."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import build as build_tool
from tests.support.make_sessions import write_session
from tests.support.window import WINDOW, Blender, Window, assert_no_trouble, blue_mesh, red_cloud, script


@pytest.fixture(scope="session")
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


@contextmanager
def opened(blender: str, user: dict[str, str], screen: str, folder: Path, scene: str) -> Iterator[Window]:
    """Run a Blender with a window. scene: "empty", or "start-up" for cube, lamp and camera."""
    session = write_session(folder / "seen.pickle", [red_cloud()], [blue_mesh()])
    # A shader cache of its own: Mesa's common one does not survive several programs that end hard.
    environment = {**user, "DISPLAY": screen, "MESA_SHADER_CACHE_DIR": str(folder / "mesa")}
    command = [blender, "--window-geometry", "0", "0", "1200", "800"]
    command += ["--python", str(script(folder / "window.py", WINDOW)), "--", scene, str(folder), str(session)]
    with open(folder / "log", "w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield Window(folder, screen)
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def window(real_blender: str, user: dict[str, str], screen: str, tmp_path: Path) -> Iterator[Window]:
    """A Blender with a window and an empty scene."""
    with opened(real_blender, user, screen, tmp_path, "empty") as found:
        yield found


@pytest.fixture
def startup(real_blender: str, user: dict[str, str], screen: str, tmp_path: Path) -> Iterator[Window]:
    """A Blender as it starts, with cube, lamp and camera."""
    with opened(real_blender, user, screen, tmp_path, "start-up") as found:
        yield found
