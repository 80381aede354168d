"""Follow File goes on when one reload is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.scene.test_reload import change_file, recolor
from tests.support.saved_sessions import NEWEST, Opened


@pytest.fixture
def addon(bpy: ModuleType) -> Iterator[ModuleType]:
    """Blender with the extension registered."""
    import mosaic_addon

    mosaic_addon.register()
    yield bpy
    mosaic_addon.unregister()


def test_a_refused_reload_does_not_end_it(addon: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.ui.session import follow

    path = tmp_path / "session.pickle"
    path.write_bytes(NEWEST.read_bytes())
    opened = Opened(addon, path)
    follow.follow(opened.collection, True)
    del opened.collection["mosaic_record"]
    change_file(opened, recolor("basis"))
    for _ in range(3):
        assert follow._look() == follow.INTERVAL
    assert follow.is_unreadable(opened.collection)
    follow.follow(opened.collection, False)
