"""Closing a session leaves what is not of it: other sessions, and collections of the user."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.support.make_sessions import cloud, mesh, write_session
from tests.support.saved_sessions import Opened, what_differs


def opened(bpy: ModuleType, folder: Path, name: str) -> Opened:
    return Opened(bpy, write_session(folder / f"{name}.pickle", [cloud("A", 4)], [mesh("M")]))


def close(session: Opened) -> None:
    from mosaic_addon.scene.outline.close import close_session

    close_session(session.collection, session.bpy.context.scene)


def put_into(collection: Any, target: Any, scene: Any) -> None:
    scene.collection.children.unlink(collection)
    target.children.link(collection)


@pytest.mark.parametrize("has_root", [True, False])
def test_a_session_that_was_put_into_another_one_stays_open(bpy: ModuleType, tmp_path: Path, has_root: bool) -> None:
    outer, inner = opened(bpy, tmp_path, "outer"), opened(bpy, tmp_path, "inner")
    put_into(inner.collection, outer.collection, bpy.context.scene)
    objects = list(inner.collection.all_objects)
    if not has_root:
        bpy.data.objects.remove(outer.root)
    close(outer)
    assert list(inner.collection.all_objects) == objects
    assert list(bpy.context.scene.collection.children) == [inner.collection]
    assert inner.unsaved() == []
    inner.save(tmp_path / "saved.pickle")
    assert what_differs(inner.path, tmp_path / "saved.pickle") == []


def test_collections_of_the_user_stay_where_else_they_are(bpy: ModuleType, tmp_path: Path) -> None:
    session, scene = opened(bpy, tmp_path, "session"), bpy.context.scene
    lights, alone, empty = (bpy.data.collections.new(name) for name in ("lights", "alone", "empty"))
    for collection in (lights, alone, empty):
        session.collection.children.link(collection)
    other = bpy.data.scenes.new("other")
    other.collection.children.link(lights)
    for collection in (lights, alone):
        collection.objects.link(bpy.data.objects.new("lamp", bpy.data.lights.new("lamp", "SUN")))
    session.container("clusters").children.link(bpy.data.collections.new("new group"))
    bpy.data.collections["new group"].objects.link(session["A"])
    close(session)
    assert [len(collection.objects) for collection in (lights, alone)] == [1, 1]
    assert list(other.collection.children) == [lights]
    assert list(scene.collection.children) == [alone]
    assert set(bpy.data.collections) == {lights, alone}
