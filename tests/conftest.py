"""What all tests share: a Blender of their own, the real programs, and the way the test process ends.

This file is read before any test imports bpy, so Blender finds a folder of its own instead of the user's settings. Where
several processes share the tests, each reads it, and has folders of its own inside those of the process that started it.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

NO_SKIP = os.environ.get("MOSAIC_ADDON_NO_SKIP") == "1"
REAL_FIXTURES = {"real_blender", "mosaic_python"}

for name in [name for name in os.environ if name.startswith("BLENDER_USER_")]:
    del os.environ[name]
USER_RESOURCES = tempfile.mkdtemp(prefix="mosaic-blender-user-")
os.environ["BLENDER_USER_RESOURCES"] = USER_RESOURCES
# Blenders that draw in software at the same time damage a shared cache of shaders, and a damaged one ends them.
os.environ["MESA_SHADER_CACHE_DIR"] = os.path.join(USER_RESOURCES, "shaders")
# Blender leaves its folder for temporary files behind when it ends hard, as the tests do.
os.environ["TMPDIR"] = os.path.join(USER_RESOURCES, "temporary")
os.mkdir(os.environ["TMPDIR"])
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@atexit.register
def remove_user_resources() -> None:
    shutil.rmtree(USER_RESOURCES, ignore_errors=True)


# -------------------------------------------------------------------------------------------------------- fixtures


@pytest.fixture(scope="session")
def sessions() -> Path:
    """The folder of session files."""
    return ROOT / "tests" / "sessions"


@pytest.fixture(scope="session")
def factory_settings() -> ModuleType:
    """Blender's module with factory settings."""
    import bpy

    bpy.ops.wm.read_factory_settings(use_empty=True)
    return bpy


@pytest.fixture
def bpy(factory_settings: ModuleType) -> ModuleType:
    """Blender's module, with factory settings and an empty scene.

    Preferences and add-ons are set once: that takes five times as long as the scene, and no test changes them for others.
    """
    factory_settings.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    return factory_settings


@pytest.fixture(scope="session")
def real_blender() -> str:
    """The command of a real Blender, with its window; skips without the variable BLENDER."""
    return program_from("BLENDER", "the real Blender")


@pytest.fixture(scope="session")
def mosaic_python() -> str:
    """The Python in which the real Mosaic is installed; skips without the variable MOSAIC_PYTHON."""
    return program_from("MOSAIC_PYTHON", "a Python with the real Mosaic")


@pytest.fixture(scope="session")
def mosaic(mosaic_python: str) -> Iterator[Any]:
    """The real Mosaic, running, as `tests/support/real_mosaic.py` has it."""
    from tests.support.real_mosaic import RealMosaic

    with RealMosaic(mosaic_python) as running:
        yield running


def program_from(variable: str, what: str) -> str:
    path = os.environ.get(variable)
    if not path:
        pytest.skip(f"set {variable} to {what} to run this test")
    found = shutil.which(path)
    if found is None:
        pytest.fail(f"{variable} is {path}, which is no program that can be run")
    return found


# ----------------------------------------------------------------------------------------------------------- hooks


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need a real program, so that `-m real` and `-m "not real"` select.

    Those of the real Blender come first: so one process has them while others do the rest, as windows that share a core
    are too slow for what waits for them.
    """
    fixtures_of = {item: set(getattr(item, "fixturenames", ())) for item in items}
    for item, fixtures in fixtures_of.items():
        if REAL_FIXTURES & fixtures:
            item.add_marker("real")
    items.sort(key=lambda item: "real_blender" not in fixtures_of[item])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return fail_if_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return fail_if_skipped((yield))


def fail_if_skipped(report: Any) -> Any:
    """Under MOSAIC_ADDON_NO_SKIP=1 a skipped test has failed; an expected failure has not."""
    if NO_SKIP and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason}\n(a skip is a failure here: MOSAIC_ADDON_NO_SKIP=1)"
    return report


_session: pytest.Session | None = None


def pytest_sessionstart(session: pytest.Session) -> None:
    global _session
    _session = session


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """End at once after the summary: the bpy module can hang at exit after a render on the graphics card."""
    if _session is None or "bpy" not in sys.modules:
        return
    remove_user_resources()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(_session.exitstatus))
