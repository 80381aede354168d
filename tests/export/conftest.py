"""The session in which there is something of everything, in Blender."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.saved_sessions import NEWEST, Opened


@pytest.fixture(scope="session")
def blend(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A .blend with the session in which there is something of everything."""
    import bpy

    path = tmp_path_factory.mktemp("blend") / "newest.blend"
    bpy.ops.wm.read_factory_settings(use_empty=True)
    Opened(bpy, NEWEST)
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path


@pytest.fixture
def opened(blend: Path) -> Opened:
    import bpy

    return Opened.from_blend(bpy, blend)
