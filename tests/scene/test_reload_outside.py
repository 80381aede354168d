"""Objects of a session that stand outside its collections are kept up to date there when its file is read again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from mosaic_addon.session import open_session
from tests.support.edited_sessions import dumps, geometries, load_editable
from tests.support.saved_sessions import NEWEST, Opened


def opened_copy(bpy: ModuleType, tmp_path: Path) -> tuple[Opened, Any]:
    """The session of the newest release, in a file that may be changed, and a collection beside it with one object."""
    path = tmp_path / "session.pickle"
    path.write_bytes(NEWEST.read_bytes())
    opened, mine = Opened(bpy, path), bpy.data.collections.new("mine")
    bpy.context.scene.collection.children.link(mine)
    obj = opened["plain cloud"]
    for collection in obj.users_collection:
        collection.objects.unlink(obj)
    mine.objects.link(obj)
    return opened, mine


def reload(opened: Opened, edit: Callable[[dict[str, Any]], None]) -> Any:
    """Let Mosaic save the file with an edit, and read it again."""
    from mosaic_addon.scene.reloading.reload import reload_session

    state = load_editable(opened.path)
    edit(state)
    opened.path.write_bytes(dumps(state))
    context = opened.bpy.context
    context.view_layer.update()
    return reload_session(opened.collection, open_session(opened.path), context.scene, context.view_layer)


def test_it_gets_what_the_file_changed_and_stays_where_it_is(bpy: ModuleType, tmp_path: Path) -> None:
    opened, mine = opened_copy(bpy, tmp_path)
    (obj,) = mine.objects
    result = reload(
        opened, lambda state: geometries(state)["plain cloud"]["appearance"].update(base_color=(0.1, 0.9, 0.2))
    )
    assert (result.added, result.kept) == ([], [])
    assert obj.users_collection == (mine,)
    color = obj.material_slots[0].material.node_tree.nodes["Mosaic Surface"].inputs["Color"].default_value
    assert color[1] > 5 * max(color[0], color[2])
    assert not [change for change in opened.unsaved() if "plain cloud" in change]


def test_it_goes_when_the_file_has_it_no_more(bpy: ModuleType, tmp_path: Path) -> None:
    opened, mine = opened_copy(bpy, tmp_path)
    mine.objects.link(opened["one point"])

    def drop(state: dict[str, Any]) -> None:
        data = state["_data"].state["data"]
        data[:] = [item for item in data if item.state["meta"].get("name") not in ("plain cloud", "one point")]

    assert len(reload(opened, drop).removed) == 2
    assert list(mine.objects) == []
    opened.save(tmp_path / "saved.pickle")
    names = {geometry.name for geometry in open_session(tmp_path / "saved.pickle").geometries}
    assert names.isdisjoint({"plain cloud", "one point"})
