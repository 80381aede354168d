"""Save, Save As, Export, Load in place of, Reload and Close, as scripts and buttons call them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mosaic_addon.session import open_session
from tests.support.make_sessions import cloud, write_session

FOLDER = Path(__file__).parents[1] / "sessions"


@pytest.fixture
def addon(bpy: ModuleType) -> Iterator[ModuleType]:
    import mosaic_addon

    mosaic_addon.register()
    yield bpy
    mosaic_addon.unregister()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return write_session(tmp_path / "small.pickle", [cloud("one", 5), cloud("two", 7)])


def names_in(path: Path) -> list[str]:
    return [geometry.name for geometry in open_session(path).geometries]


def sessions(bpy: ModuleType) -> list[str]:
    return [collection.name for collection in bpy.data.collections if "mosaic_session" in collection]


def test_save_writes_to_where_the_session_came_from_and_keeps_the_first_file(addon: Any, small: Path) -> None:
    before = small.read_bytes()
    addon.ops.mosaic.load_session(filepath=str(small))
    addon.data.objects["one"].name = "first"
    assert addon.ops.mosaic.save_session() == {"FINISHED"}
    assert names_in(small) == ["first", "two"]
    backup = small.with_name("small.pickle.bak")
    assert backup.read_bytes() == before
    addon.data.objects["two"].name = "second"
    assert addon.ops.mosaic.save_session() == {"FINISHED"}
    assert names_in(small) == ["first", "second"]
    assert backup.read_bytes() == before


def test_save_does_not_overwrite_what_someone_else_changed(addon: Any, small: Path) -> None:
    addon.ops.mosaic.load_session(filepath=str(small))
    addon.data.objects["one"].name = "first"
    write_session(small, [cloud("theirs", 3)])
    theirs = small.read_bytes()
    with pytest.raises(RuntimeError, match="changed on disk since it was read"):
        addon.ops.mosaic.save_session()
    assert small.read_bytes() == theirs
    assert addon.ops.mosaic.save_session(overwrite=True) == {"FINISHED"}
    assert names_in(small) == ["first", "two"]
    (kept,) = small.parent.glob("small.pickle.20*.bak")
    assert kept.read_bytes() == theirs
    assert addon.ops.mosaic.save_session() == {"FINISHED"}


def test_save_as_makes_the_file_the_sessions_and_export_does_not(addon: Any, small: Path, tmp_path: Path) -> None:
    from mosaic_addon.scene.exporting.save import file_of

    addon.ops.mosaic.load_session(filepath=str(small))
    collection = addon.data.collections["small"]
    addon.ops.mosaic.export_session(filepath=str(tmp_path / "copy.pickle"))
    assert file_of(collection) == str(small)
    addon.ops.mosaic.save_session_as(filepath=str(tmp_path / "other.mosaic"))
    assert file_of(collection) == str(tmp_path / "other.mosaic")
    assert open_session(tmp_path / "other.mosaic").layout == "indexed"
    assert names_in(tmp_path / "copy.pickle") == names_in(tmp_path / "other.mosaic") == ["one", "two"]


def test_a_name_without_suffix_is_saved_as_pickle(addon: Any, small: Path, tmp_path: Path) -> None:
    addon.ops.mosaic.load_session(filepath=str(small))
    addon.ops.mosaic.save_session_as(filepath=str(tmp_path / "plain"))
    assert names_in(tmp_path / "plain.pickle") == ["one", "two"]


@pytest.mark.parametrize("suffix", [".blend", ".BLEND", ".blend1"])
def test_a_blender_file_is_never_replaced(addon: Any, small: Path, tmp_path: Path, suffix: str) -> None:
    addon.ops.mosaic.load_session(filepath=str(small))
    blend = tmp_path / f"work{suffix}"
    addon.ops.wm.save_as_mainfile(filepath=str(blend))
    before = blend.read_bytes()
    for operator in (addon.ops.mosaic.save_session_as, addon.ops.mosaic.export_session):
        with pytest.raises(RuntimeError, match="is the name of a Blender file"):
            operator(filepath=str(blend))
    (tmp_path / "link.pickle").symlink_to(blend)
    with pytest.raises(RuntimeError, match="is the name of a Blender file"):
        addon.ops.mosaic.export_session(filepath=str(tmp_path / "link.pickle"))
    (tmp_path / "link.pickle").unlink()
    assert blend.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([small.name, blend.name])


def test_a_file_needs_a_name(addon: Any, small: Path, tmp_path: Path) -> None:
    addon.ops.mosaic.load_session(filepath=str(small))
    for path in ("", f"{tmp_path}/"):
        with pytest.raises(RuntimeError, match="has no name yet"):
            addon.ops.mosaic.save_session_as(filepath=path)
    assert [path.name for path in tmp_path.iterdir()] == [small.name]


def test_the_selection_becomes_a_session(addon: Any, small: Path, tmp_path: Path) -> None:
    addon.ops.mosaic.load_session(filepath=str(small))
    for obj in addon.data.objects:
        obj.select_set(obj.name == "two")
    addon.ops.mosaic.export_session(filepath=str(tmp_path / "part.pickle"), selection_only=True)
    assert names_in(tmp_path / "part.pickle") == ["two"]


def test_objects_without_a_session_become_one(addon: Any, tmp_path: Path) -> None:
    addon.ops.mesh.primitive_cube_add(size=2, location=(1, 0, 0))
    addon.ops.mosaic.export_session(filepath=str(tmp_path / "cube.pickle"))
    (cube,) = open_session(tmp_path / "cube.pickle").models
    assert cube.representation == "surface"
    assert np.ptp(cube.points, axis=0).tolist() == [2000, 2000, 2000]  # 100 nm a unit
    assert cube.points.mean(axis=0).tolist() == [1000, 0, 0]
    assert len(cube.model.triangles) == 12


def test_loading_in_place_closes_what_is_open(addon: Any, small: Path, tmp_path: Path) -> None:
    other = write_session(tmp_path / "other.pickle", [cloud("one", 9)])
    addon.ops.mosaic.load_session(filepath=str(small))
    before = {kind: len(getattr(addon.data, kind)) for kind in ("objects", "pointclouds", "materials", "collections")}
    addon.ops.mosaic.load_session(filepath=str(other), replace=True)
    assert sessions(addon) == ["other"]
    assert [obj.name for obj in addon.data.objects if "mosaic_class" in obj] == ["one"]
    addon.ops.mosaic.load_session(filepath=str(small), replace=True)
    assert {kind: len(getattr(addon.data, kind)) for kind in before} == before
    assert sorted(collection.name for collection in addon.data.collections) == ["Clusters", "Models", "small"]


def test_loading_in_place_refuses_to_lose_changes(addon: Any, small: Path, tmp_path: Path) -> None:
    other = write_session(tmp_path / "other.pickle", [cloud("three", 9)])
    addon.ops.mosaic.load_session(filepath=str(small))
    addon.data.objects["one"].name = "first"
    with pytest.raises(RuntimeError, match=r"'small' has unsaved changes \(clusters 'one': renamed to 'first'\)"):
        addon.ops.mosaic.load_session(filepath=str(other), replace=True)
    assert sessions(addon) == ["small"]
    addon.ops.mosaic.load_session(filepath=str(other), replace=True, discard=True)
    assert sessions(addon) == ["other"]


def test_a_file_that_does_not_open_closes_nothing(addon: Any, small: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.pickle"
    bad.write_bytes(small.read_bytes()[:-20])
    addon.ops.mosaic.load_session(filepath=str(small))
    with pytest.raises(RuntimeError, match="cut off or changed"):
        addon.ops.mosaic.load_session(filepath=str(bad), replace=True)
    assert sessions(addon) == ["small"]
    assert "one" in addon.data.objects


def test_reload_takes_over_what_the_file_changed(addon: Any, small: Path) -> None:
    addon.ops.mosaic.load_session(filepath=str(small), scale="1NM", automatic_pixel_size=False, pixel_size=2.5)
    root = addon.data.objects["small"]
    scale, place, pixel = root.scale.copy(), root.location.copy(), root["mosaic_pixel_size"]
    one = addon.data.objects["one"]
    one.name = "first"
    uuids = [geometry.uuid for geometry in open_session(small).geometries]
    write_session(small, [cloud("one", 4, uuid=uuids[0]), cloud("two", 5, uuid=uuids[1])], [cloud("three", 12)])
    assert addon.ops.mosaic.reload_session() == {"FINISHED"}
    assert sessions(addon) == ["small"]
    root = addon.data.objects["small"]
    assert (root.scale, root.location, root["mosaic_pixel_size"]) == (scale, place, pixel)
    assert {obj.name for obj in addon.data.objects} == {"small", "first", "two", "three"}
    assert addon.data.objects["first"] == one


def test_loading_the_file_that_is_open_reloads_it(addon: Any, small: Path, tmp_path: Path) -> None:
    other = write_session(tmp_path / "other.pickle", [cloud("three", 9)])
    addon.ops.mosaic.load_session(filepath=str(small))
    addon.ops.mosaic.load_session(filepath=str(other))
    one = addon.data.objects["one"]
    one.name = "first"
    assert addon.ops.mosaic.load_session(filepath=str(small), replace=True) == {"FINISHED"}
    assert sessions(addon) == ["small"]
    assert addon.data.objects["first"] == one


def test_loading_the_file_of_the_session_opens_what_it_holds_by_now(addon: Any, small: Path) -> None:
    addon.ops.mosaic.load_session(filepath=str(small))
    write_session(small, [cloud("three", 4), cloud("four", 4)])
    with pytest.raises(RuntimeError, match="holds another session by now"):
        addon.ops.mosaic.reload_session()
    assert addon.ops.mosaic.load_session(filepath=str(small), replace=True) == {"FINISHED"}
    assert sessions(addon) == ["small"]
    assert {obj.name for obj in addon.data.objects} == {"small", "three", "four"}


def test_close_leaves_nothing_but_what_is_the_users(addon: Any, bpy: ModuleType) -> None:
    kinds = ("objects", "pointclouds", "meshes", "materials", "collections", "curves")
    before = {kind: len(getattr(addon.data, kind)) for kind in kinds}
    addon.ops.mosaic.load_session(filepath=str(FOLDER / "mosaic-1.3.2.pickle"))
    lamp = addon.data.objects.new("my lamp", addon.data.lights.new("my lamp", "POINT"))
    addon.data.collections["Clusters"].objects.link(lamp)
    lamp.parent = addon.data.objects["mosaic-1.3.2"]
    lamp.location = (1000, 0, 0)
    label = addon.data.objects.new("my label", None)
    label.parent, label.location = addon.data.objects["Sphere"], (500, 0, 0)
    addon.context.scene.collection.objects.link(label)
    addon.context.view_layer.update()
    places = [obj.matrix_world.translation.copy() for obj in (lamp, label)]
    assert addon.ops.mosaic.close_session() == {"FINISHED"}
    addon.context.view_layer.update()
    left = {kind: len(getattr(addon.data, kind)) for kind in kinds}
    shared = sum("mosaic_material" in material for material in addon.data.materials)
    assert left == before | {"objects": before["objects"] + 2, "materials": before["materials"] + shared}
    assert set(addon.context.scene.collection.objects) == {lamp, label}
    for obj, place in zip((lamp, label), places, strict=True):
        assert (obj.matrix_world.translation - place).length < 1e-6


def test_with_several_sessions_the_active_one_is_saved(addon: Any, small: Path, tmp_path: Path) -> None:
    other = write_session(tmp_path / "other.pickle", [cloud("three", 9)])
    addon.ops.mosaic.load_session(filepath=str(small))
    addon.ops.mosaic.load_session(filepath=str(other))
    for name in ("one", "three"):
        addon.data.objects[name].name += " edited"
    stamp = small.stat().st_mtime_ns
    addon.ops.mosaic.activate_session(session="other")
    addon.ops.mosaic.save_session()
    assert names_in(other) == ["three edited"]
    assert small.stat().st_mtime_ns == stamp
    addon.ops.mosaic.activate_session(session="small")
    addon.ops.mosaic.save_session()
    assert names_in(small) == ["one edited", "two"]


def test_saving_says_what_it_did(addon: Any, small: Path, capfd: pytest.CaptureFixture[str]) -> None:
    addon.ops.mosaic.load_session(filepath=str(small))
    addon.data.objects["one"].name = "first"
    addon.data.collections["Clusters"].objects.link(addon.data.objects.new("lamp", addon.data.lights.new("l", "POINT")))
    addon.ops.mosaic.save_session()
    said = capfd.readouterr().out
    assert "clusters 'one': renamed to 'first'" in said
    assert "'lamp' is left out: Mosaic has no objects like a light." in said
    assert f"Saved {small}: 1 change" in said


def test_a_folder_that_cannot_be_written_gives_a_sentence(addon: Any, small: Path, tmp_path: Path) -> None:
    addon.ops.mosaic.load_session(filepath=str(small))
    with pytest.raises(RuntimeError, match="its folder does not exist"):
        addon.ops.mosaic.save_session_as(filepath=str(tmp_path / "none" / "x.pickle"))
    (tmp_path / "folder.pickle").mkdir()
    with pytest.raises(RuntimeError, match="is a folder"):
        addon.ops.mosaic.save_session_as(filepath=str(tmp_path / "folder.pickle"))


def test_the_place_survives_a_saved_blend(addon: Any, small: Path, tmp_path: Path) -> None:
    from mosaic_addon.scene.exporting.save import unsaved_changes

    addon.ops.mosaic.load_session(filepath=str(small))
    addon.data.objects["one"].name = "first"
    other = tmp_path / "other.pickle"
    addon.ops.mosaic.save_session_as(filepath=str(other))
    addon.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    addon.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    context = addon.context
    collection = addon.data.collections["small"]
    assert unsaved_changes(collection, context.scene, context.view_layer) == []
    addon.data.objects["two"].name = "second"
    assert unsaved_changes(collection, context.scene, context.view_layer)
    addon.ops.mosaic.save_session()
    assert names_in(other) == ["first", "second"]
    assert names_in(small) == ["one", "two"]


def test_a_linked_session_is_not_saved_or_closed(addon: Any, small: Path, tmp_path: Path) -> None:
    addon.ops.mosaic.load_session(filepath=str(small))
    addon.ops.wm.save_as_mainfile(filepath=str(tmp_path / "library.blend"))
    addon.ops.wm.read_factory_settings(use_empty=True)
    import mosaic_addon

    with addon.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (_, target):
        target.collections = ["small"]
    addon.context.scene.collection.children.link(target.collections[0])
    assert not addon.ops.mosaic.save_session.poll()
    assert not addon.ops.mosaic.close_session.poll()
    assert mosaic_addon


def test_a_thumbnail_is_read_by_ourselves(tmp_path: Path) -> None:
    from PIL import Image

    from mosaic_addon.session import MosaicError
    from mosaic_addon.ui.session.png import read_png

    section = open_session(FOLDER / "mosaic-1.3.2.mosaic").sections["thumbnail"]
    path = tmp_path / "t.png"
    path.write_bytes(section.data)
    expected = np.array(Image.open(path).convert("RGBA"))
    assert np.array_equal(read_png(section.data), expected)
    random = np.random.default_rng(1)
    for mode, channels in (("RGB", 3), ("RGBA", 4)):
        noise = (random.random((37, 53, channels)) * np.linspace(0, 255, 53)[:, None]).astype(np.uint8)
        Image.fromarray(noise, mode).save(path)
        assert np.array_equal(read_png(path.read_bytes())[..., :channels], noise)
    for damage in (b"", b"GIF", path.read_bytes()[:60], path.read_bytes().replace(b"IDAT", b"IDAX")):
        with pytest.raises(MosaicError, match="thumbnail"):
            read_png(damage)
    Image.new("RGB", (2000, 10)).save(path)
    with pytest.raises(MosaicError, match="unusual"):
        read_png(path.read_bytes())


def test_a_saved_mosaic_keeps_its_thumbnail(addon: Any, tmp_path: Path) -> None:
    path = tmp_path / "s.mosaic"
    shutil.copy(FOLDER / "mosaic-1.3.2.mosaic", path)
    addon.ops.mosaic.load_session(filepath=str(path))
    addon.ops.mosaic.save_session()
    before, after = open_session(FOLDER / "mosaic-1.3.2.mosaic"), open_session(path)
    assert {name: (s.encoding, bytes(s.data)) for name, s in before.sections.items()} == {
        name: (s.encoding, bytes(s.data)) for name, s in after.sections.items()
    }
    assert after.release == "1.3.2"


def test_only_what_came_after_a_save_is_unsaved(addon: Any, small: Path) -> None:
    from mosaic_addon.scene.exporting.save import unsaved_changes

    addon.ops.mosaic.load_session(filepath=str(small))
    collection, context = addon.data.collections["small"], addon.context
    addon.data.objects["one"].name = "first"
    assert unsaved_changes(collection, context.scene, context.view_layer) == ["clusters 'one': renamed to 'first'"]
    addon.ops.mosaic.save_session()
    addon.data.objects["two"].hide_set(True)
    assert unsaved_changes(collection, context.scene, context.view_layer) == ["clusters 'two': hidden"]
    addon.data.objects["two"].hide_set(False)
    assert unsaved_changes(collection, context.scene, context.view_layer) == []
    addon.data.objects["first"].name = "one"
    (sentence,) = unsaved_changes(collection, context.scene, context.view_layer)
    assert "taken back" in sentence


def test_a_new_thumbnail_stays_with_the_session(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.exporting.save import save_session

    old = open_session(FOLDER / "mosaic-1.3.2.mosaic").sections["thumbnail"].data
    new = bytes(old)[:-1] + b"!"
    imported = api.load(FOLDER / "mosaic-1.3.2.mosaic")
    context = bpy.context
    save_session(
        imported.collection, tmp_path / "a.mosaic", context.scene, context.view_layer, thumbnail=new, adopt=False
    )
    api.save(imported, tmp_path / "b.mosaic")
    assert bytes(open_session(tmp_path / "b.mosaic").sections["thumbnail"].data) == bytes(old), "a copy changes nothing"
    save_session(imported.collection, tmp_path / "c.mosaic", context.scene, context.view_layer, thumbnail=new)
    api.save(imported, tmp_path / "d.mosaic")
    for name in ("a", "c", "d"):
        assert bytes(open_session(tmp_path / f"{name}.mosaic").sections["thumbnail"].data) == new


@pytest.fixture
def override(addon: Any, small: Path) -> Any:
    """The collection of a session that is a library override of that in another .blend."""
    ops = addon.ops
    ops.mosaic.load_session(filepath=str(small))
    blend = small.with_name("library.blend")
    ops.wm.save_as_mainfile(filepath=str(blend))
    ops.wm.read_factory_settings(use_empty=True)
    ops.wm.link(directory=f"{blend}/Collection/", filename="small", instance_collections=True)
    instance = addon.context.scene.objects[0]
    instance.select_set(True)
    addon.context.view_layer.objects.active = instance
    ops.object.make_override_library()
    (collection,) = (c for c in addon.data.collections if "mosaic_session" in c and c.override_library is not None)
    return collection


@pytest.mark.parametrize("name", ["duplicate", "group", "remove"])
def test_what_an_override_does_not_bear_is_refused(addon: Any, override: Any, name: str) -> None:
    objects = [obj for obj in override.all_objects if "mosaic_class" in obj]
    for obj in objects:
        obj.select_set(True)
    before = len(addon.data.objects), len(addon.data.collections)
    with pytest.raises(RuntimeError, match="'Clusters' is a library override") as told:
        getattr(addon.ops.mosaic, name)()
    assert "Traceback" not in str(told.value)
    assert (len(addon.data.objects), len(addon.data.collections)) == before


def test_where_an_override_was_saved_is_known_after_it_was_opened_again(
    addon: Any, override: Any, small: Path, tmp_path: Path
) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.exporting.save import file_of

    before = small.read_bytes()
    next(obj for obj in override.all_objects if "mosaic_class" in obj).location.x = 10
    api.save(override, tmp_path / "mine.pickle")
    addon.ops.wm.save_as_mainfile(filepath=str(tmp_path / "own.blend"))
    addon.ops.wm.open_mainfile(filepath=str(tmp_path / "own.blend"))
    (opened,) = api.sessions_in(addon.context.scene)
    assert file_of(opened) == str(tmp_path / "mine.pickle")
    assert api.unsaved_changes(opened, addon.context.scene, addon.context.view_layer) == []
    assert small.read_bytes() == before
    for damaged in ("{", "[1, 2]", "7", '["", "", "", 7]'):
        opened["mosaic_saved_as"] = damaged
        addon.ops.wm.save_mainfile()
        addon.ops.wm.open_mainfile(filepath=str(tmp_path / "own.blend"))
        (opened,) = api.sessions_in(addon.context.scene)
        assert opened["mosaic_saved_as"] == damaged
        assert file_of(opened) == str(small)
