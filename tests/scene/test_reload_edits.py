"""Every edit in Blender, and then a reload: it is the same edit afterwards, and no change of the file once it is saved."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from mosaic_addon.session import open_session
from tests.export.test_saved_edits import EDITS as USER_EDITS
from tests.scene.test_reload import EVERY, State, change_file, opened_copy, reload
from tests.support.saved_sessions import differences


def note_all(state: State) -> None:
    """Change something of every geometry in the file that no edit in Blender touches."""
    for key in ("_data", "_models"):
        for item in state[key].state["data"]:
            item.state["meta"]["checked"] = "yes"
            item.state["appearance"]["scale"] = 2.0


NOT_IN_EDIT_MODE = [name for name in USER_EDITS if "Edit Mode" not in name][::EVERY]


@pytest.mark.parametrize("name", NOT_IN_EDIT_MODE)
def test_an_edit_is_the_same_edit_after_a_reload(bpy: ModuleType, tmp_path: Path, name: str) -> None:
    opened = opened_copy(bpy, tmp_path)
    USER_EDITS[name][0](opened)
    before = opened.unsaved()
    change_file(opened, note_all)
    result = reload(opened)
    assert result.kept == []
    assert opened.unsaved() == before
    opened.save(tmp_path / "saved.pickle")
    noted = [geometry.meta.get("checked") for geometry in open_session(tmp_path / "saved.pickle").geometries]
    assert noted.count("yes") >= len(noted) - len(before)


# What a save writes beside an edit, which comes back with the file.
FOLLOWS = {
    "mesh as points": ["models 'TriangularMesh surface': size 8"],
    "all faces deleted": ["models 'mesh with colours + props': shown as Point Cloud"],
    "frame": ["models 'trajectory': meta filename"],
}


@pytest.mark.parametrize("name", NOT_IN_EDIT_MODE)
def test_an_edit_that_was_saved_is_no_change_of_the_file(bpy: ModuleType, tmp_path: Path, name: str) -> None:
    opened = opened_copy(bpy, tmp_path)
    USER_EDITS[name][0](opened)
    opened.save(opened.path)
    result = reload(opened)
    assert (result.changed, result.removed, result.kept) == (FOLLOWS.get(name, []), [], [])
    assert opened.unsaved() == []
    opened.save(tmp_path / "again.pickle")
    assert differences(opened.path, tmp_path / "again.pickle") == []
