"""A .blend of each version of what is kept in one opens in this version, and is saved as the session that it came from."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from mosaic_addon.scene import record
from tests.support.saved_sessions import NEWEST, Opened, differences

BLENDS = sorted((Path(__file__).parents[1] / "blends").glob("*.blend"))


def test_there_is_one_of_each_version() -> None:
    assert [path.name for path in BLENDS] == [f"record-{n}.blend" for n in range(1, record.RECORD_VERSION + 1)]


@pytest.mark.parametrize("blend", BLENDS, ids=lambda path: path.name)
def test_a_blend_of_an_older_version_is_saved_as_it_was_read(bpy: ModuleType, tmp_path: Path, blend: Path) -> None:
    opened = Opened.from_blend(bpy, blend)
    assert opened.unsaved() == []
    saved = opened.save(tmp_path / "saved.pickle")
    assert (saved.changes, saved.left_out) == ([], [])
    assert differences(NEWEST, tmp_path / "saved.pickle") == []


@pytest.mark.parametrize("blend", BLENDS, ids=lambda path: path.name)
def test_an_edit_in_it_is_noticed(bpy: ModuleType, tmp_path: Path, blend: Path) -> None:
    opened = Opened.from_blend(bpy, blend)
    opened["plain cloud"].data.attributes["position"].data[0].vector.x += 1
    assert opened.unsaved() == ["clusters 'plain cloud': points moved"]
    assert opened.save(tmp_path / "saved.pickle").changes == ["clusters 'plain cloud': points moved"]
