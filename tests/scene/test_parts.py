"""Surfaces and frames that Append, Paste and the like put into a scene are not in the way there, and go with their session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.support.saved_sessions import NEWEST, Opened

ONE = ("volume quat", "Sphere", "trajectory", "segmentation")


def open_as_library(bpy: ModuleType, tmp_path: Path) -> Path:
    """A .blend with a session; the scene is empty again."""
    Opened(bpy, NEWEST)
    path = tmp_path / "library.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    return path


def append_session(bpy: ModuleType, path: Path) -> None:
    bpy.ops.wm.append(directory=f"{path}/Collection/", filename=NEWEST.stem)


def append_container(bpy: ModuleType, path: Path) -> None:
    bpy.ops.wm.append(directory=f"{path}/Collection/", filename="Models")


def append_objects(bpy: ModuleType, path: Path) -> None:
    for name in ONE:
        bpy.ops.wm.append(directory=f"{path}/Object/", filename=name)


def paste(bpy: ModuleType, path: Path) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(path))
    for obj in bpy.context.scene.objects:
        obj.select_set(obj.name in ONE)
    bpy.ops.view3d.copybuffer()
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.view3d.pastebuffer()


def link_and_make_local(bpy: ModuleType, path: Path) -> None:
    bpy.ops.wm.link(directory=f"{path}/Collection/", filename=NEWEST.stem, instance_collections=False)
    for obj in bpy.context.scene.objects:
        obj.select_set(True)
    bpy.ops.object.make_local(type="ALL")


def override(bpy: ModuleType, path: Path) -> None:
    bpy.ops.wm.link(directory=f"{path}/Collection/", filename=NEWEST.stem, instance_collections=True)
    (empty,) = bpy.context.scene.objects
    empty.select_set(True)
    bpy.context.view_layer.objects.active = empty
    bpy.ops.object.make_override_library()


def copy_scene(bpy: ModuleType, path: Path) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(path))
    bpy.ops.scene.new(type="FULL_COPY")


WAYS = [append_session, append_container, append_objects, paste, link_and_make_local, override, copy_scene]


def extent_of(obj: Any) -> float:
    corners = np.array([obj.matrix_world @ type(obj.location)(corner) for corner in obj.bound_box])
    return float(np.ptp(corners, axis=0).max())


@pytest.mark.parametrize("bring", WAYS)
def test_they_neither_render_nor_fill_the_view(bpy: ModuleType, tmp_path: Path, bring: Callable[..., None]) -> None:
    bring(bpy, open_as_library(bpy, tmp_path))
    bpy.context.view_layer.update()
    parts = [obj for obj in bpy.context.scene.objects if "mosaic_part" in obj]
    assert all(obj.hide_render for obj in parts)
    assert [obj.name for obj in parts if obj.visible_get() and extent_of(obj) > 1e-6] == []
    drawn = {instance.object.original for instance in bpy.context.evaluated_depsgraph_get().object_instances}
    assert [obj.name for obj in drawn if "mosaic_part" in obj and obj.scale.x] == []


@pytest.mark.parametrize("bring", [append_session, append_objects, paste])
def test_their_objects_show_them_all_the_same(bpy: ModuleType, tmp_path: Path, bring: Callable[..., None]) -> None:
    from mosaic_addon.scene.drawing.representations import set_representation

    bring(bpy, open_as_library(bpy, tmp_path))
    found = {obj["mosaic_name"]: obj for obj in bpy.context.scene.objects if obj.get("mosaic_name") in ONE}
    set_representation([found["Sphere"]], "fitted_surface")
    bpy.context.view_layer.update()
    shown = dict.fromkeys(ONE, 0)
    for instance in bpy.context.evaluated_depsgraph_get().object_instances:
        obj = (instance.parent or instance.object).original
        if obj.get("mosaic_name") in shown and instance.object.type == "MESH":
            shown[obj["mosaic_name"]] += len(instance.object.data.polygons)
    assert min(shown.values()) > 0, shown


@pytest.mark.parametrize("also_pasted", [False, True])
def test_close_takes_them_along(bpy: ModuleType, tmp_path: Path, also_pasted: bool) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.outline.close import close_session

    append_session(bpy, open_as_library(bpy, tmp_path))
    (session,) = api.sessions_in(bpy.context.scene)
    if also_pasted:  # into the session's own collections, with copies of surfaces and frames
        for obj in session.all_objects:
            obj.select_set(obj.get("mosaic_name") in ONE)
        bpy.ops.view3d.copybuffer()
        layer = bpy.context.view_layer.layer_collection.children[session.name].children["Clusters"]
        bpy.context.view_layer.active_layer_collection = layer
        bpy.ops.view3d.pastebuffer()
    close_session(session, bpy.context.scene)
    for kind in ("objects", "collections", "meshes", "pointclouds", "curves"):
        assert list(getattr(bpy.data, kind)) == [], kind


def test_close_leaves_what_another_session_shows(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.drawing.representations import input_of
    from mosaic_addon.scene.outline.close import close_session

    append_session(bpy, open_as_library(bpy, tmp_path))
    (session,) = api.sessions_in(bpy.context.scene)
    volume = next(obj for obj in session.all_objects if obj.get("mosaic_name") == "volume quat")
    mine = volume.copy()
    del mine["mosaic_class"]
    bpy.context.scene.collection.objects.link(mine)
    mine.parent = None
    close_session(session, bpy.context.scene)
    surface = input_of(mine, "Surface")
    assert set(bpy.data.objects) == {mine, surface}
    assert len(surface.data.vertices)
