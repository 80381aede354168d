"""A .blend comes from strangers, too: whatever its custom properties hold, nothing falls but what it belongs to."""

from __future__ import annotations

import json
import random
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mosaic_addon.scene import keys
from mosaic_addon.scene.keys import Carrier
from mosaic_addon.session import MosaicError, open_session
from tests.support.make_sessions import cloud, mesh, properties, trajectory, tree, volume, write_session
from tests.support.saved_sessions import differences

BIG = 64 * 2**20  # bytes that nothing small may take


def wrong_values(bpy: ModuleType) -> dict[str, Any]:
    return {
        "whole number": -7,
        "zero": 0,
        "number": float("nan"),
        "huge number": 1e300,
        "truth": True,
        "text": "no such text",
        "empty text": "",
        "long text": "x" * 100_000,
        "whole numbers": [3, -1, 2**31 - 1],
        "numbers": [float("inf"), 0.0, -1.0],
        "one number": [1.5],
        "texts": ["a", "b"],
        "group": {"name": 5, "uuid": [1], "file": {"a": 1}, "release": 1, "shown": 2.5},
        "groups": [{"a": 1}, {"b": 2}],
        "bytes": b"\0\xff\0",
        "datablock": bpy.data.scenes[0],
    }


@pytest.fixture
def addon(bpy: ModuleType) -> Iterator[ModuleType]:
    import mosaic_addon

    mosaic_addon.register()
    yield bpy
    mosaic_addon.unregister()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A session with one of each kind, and a small healthy one."""
    folder = tmp_path_factory.mktemp("foreign")
    columns = {"t": np.array(["a", "bc", "a", ""]), "f": np.arange(4.0) / 3, "i": np.arange(4)}
    clouds = [
        cloud("healthy", 4, vertex_properties=properties(4, columns), uuid="h"),
        cloud("bad", 4, vertex_properties=properties(4, columns), uuid="b"),
        volume("volume", uuid="v"),
        trajectory("moving", uuid="t"),
    ]
    models = [mesh("mesh", uuid="m")]
    order = tree(["g", "h", "v", "t"], {"g": ["b"]}, {"g": "Group"})
    bad = write_session(folder / "left.pickle", clouds, models, _data_tree=order)
    return bad, write_session(folder / "right.pickle", [cloud("good", 3, uuid="x")])


@pytest.fixture(scope="module")
def blend(files: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A .blend with both sessions."""
    import bpy

    from mosaic_addon import api

    path = tmp_path_factory.mktemp("blend") / "both.blend"
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    for file in files:
        api.load(file)
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path


class Stage:
    """The .blend, opened anew."""

    def __init__(self, bpy: ModuleType, blend: Path, files: tuple[Path, Path]) -> None:
        from mosaic_addon import api

        bpy.ops.wm.open_mainfile(filepath=str(blend))
        self.bpy, self.files = bpy, files
        self.bad, self.good = sorted(api.sessions_in(bpy.context.scene), key=lambda session: session.name)

    def datablocks(self) -> list[Any]:
        data = self.bpy.data
        kinds = (data.collections, data.objects, data.meshes, data.pointclouds, data.node_groups, data.materials)
        own = [datablock for kind in kinds for datablock in kind]
        good = {self.good, *self.good.children_recursive, *self.good.all_objects}
        good |= {obj.data for obj in self.good.all_objects} | {self.bpy.data.objects["good"]}
        return [*(datablock for datablock in own if datablock not in good), self.bpy.context.scene]

    def carriers(self, key: keys.Key[Any]) -> list[Any]:
        """What carries a property, or could."""
        found = [datablock for datablock in self.datablocks() if key in datablock]
        if not found and Carrier.SESSION in key.carriers:
            found = [self.bad]
        if not found and Carrier.LOOK in key.carriers:
            found = [self.bpy.data.objects["bad"], self.bpy.context.scene]
        if not found and Carrier.SCENE in key.carriers:
            found = [self.bpy.context.scene]
        if not found and Carrier.SCREEN in key.carriers:
            found = [self.bpy.data.screens[0]]
        if not found and Carrier.GROUP in key.carriers:
            found = [self.bpy.data.collections["Group"]]
        return found or [self.bpy.data.objects["bad"]]


@pytest.fixture
def stage(addon: ModuleType, blend: Path, files: tuple[Path, Path]) -> Callable[[], Stage]:
    return lambda: Stage(addon, blend, files)


class Layout:
    """Takes all that panels draw, and reads the properties that they show."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *args, **kwargs: Layout()

    def prop(self, owner: Any, name: str, **_: Any) -> None:
        getattr(owner, name)

    def panel(self, *_: Any, **__: Any) -> tuple[Layout, Layout]:
        return Layout(), Layout()


def draw_all(bpy: ModuleType) -> None:
    from mosaic_addon.ui.browser.rows import rows_of, title_of
    from mosaic_addon.ui.properties.panel import Section
    from mosaic_addon.ui.registration import CLASSES

    for item in rows_of(bpy.context.scene).items:
        assert type(title_of(item)) is str
    rows_of(bpy.context.scene, "a")
    for obj in bpy.context.view_layer.objects:
        bpy.context.view_layer.objects.active = obj
        for cls in CLASSES:
            if cls.__name__ == "MOSAIC_PT_objects":  # it asks for its region; `rows_of` is all that it draws
                continue
            if issubclass(cls, bpy.types.Panel) and (not hasattr(cls, "poll") or cls.poll(bpy.context)):
                stub = SimpleNamespace(layout=Layout())
                stub.begin = lambda context, stub=stub: Section.begin(stub, context)  # type: ignore[arg-type]
                cls.draw(stub, bpy.context)


def use(stage: Stage, folder: Path, *, saves: bool) -> list[str]:
    """Do all that users do. saves: the bad session must be saved, too. Returns its warnings."""
    from mosaic_addon import api
    from mosaic_addon.scene.outline import close, duplicate, merge, naming
    from mosaic_addon.scene.outline.outside import root_of
    from mosaic_addon.scene.pictures.looks import remove_look
    from mosaic_addon.ui.session import unsaved

    bpy = stage.bpy
    scene, layer = bpy.context.scene, bpy.context.view_layer
    draw_all(bpy)
    unsaved._compare(scene, layer)
    assert not unsaved.is_unsaved(stage.good)
    assert api.unsaved_changes(stage.good, scene, layer) == []
    assert not differences(stage.files[1], api.save(stage.good, folder / "good.pickle").path)
    told: list[str] = []
    try:
        saved = api.save(stage.bad, folder / "bad.pickle")
        told = [*saved.changes, *saved.left_out, *saved.warnings]
        names = [geometry.name for geometry in open_session(folder / "bad.pickle").geometries]
        if saves:
            assert "healthy" in names
    except MosaicError:
        if saves:
            raise
    (folder / "bad.pickle").unlink(missing_ok=True)
    objects = [bpy.data.objects[name] for name in ("bad", "healthy")]
    for attempt in (
        lambda: remove_look(scene),
        lambda: naming.rename(objects[0], "other"),
        lambda: naming.rename(bpy.data.collections["Group"], "other"),
        lambda: duplicate.duplicate(objects[:1]),
        lambda: merge.merge(objects, root_of(stage.bad)),
        lambda: close.close_session(stage.bad, scene),
    ):
        with suppress(MosaicError):
            attempt()
    return told


@pytest.mark.parametrize("key", keys.KEYS.values(), ids=str)
def test_wrong_types_take_nothing_with_them(
    stage: Callable[[], Stage], tmp_path: Path, key: keys.Key[Any], addon: ModuleType
) -> None:
    for title in wrong_values(addon):
        opened = stage()
        value = wrong_values(addon)[title]
        for carrier in opened.carriers(key):
            key.write(carrier, value)
        use(opened, tmp_path, saves=False)


ONE = Carrier.OBJECT | Carrier.DATA | Carrier.SURFACE | Carrier.STEP | Carrier.STEPS


@pytest.mark.parametrize("key", [key for key in keys.KEYS.values() if key.carriers & ONE], ids=str)
def test_one_object_keeps_no_other_from_being_saved(
    stage: Callable[[], Stage], tmp_path: Path, key: keys.Key[Any], addon: ModuleType
) -> None:
    for title in wrong_values(addon):
        opened = stage()
        value = wrong_values(addon)[title]
        for carrier in opened.carriers(key):
            if carrier.name != "healthy" and carrier is not opened.bad and key != keys.SHOWS:
                key.write(carrier, value)
        use(opened, tmp_path, saves=True)


@pytest.mark.parametrize("sizes", [(800, 5000), (5000, 8), (7, 9)])
def test_a_second_thumbnail_is_whole(stage: Callable[[], Stage], tmp_path: Path, sizes: tuple[int, int]) -> None:
    """Over an older array Blender writes a longer one beyond the end of its memory."""
    from mosaic_addon.scene.exporting.save import save_session, thumbnail_of

    opened = stage()
    scene, layer = opened.bpy.context.scene, opened.bpy.context.view_layer
    for size in sizes:
        picture = bytes(range(256)) * size
        save_session(opened.good, tmp_path / "s.mosaic", scene, layer, thumbnail=picture)
        assert thumbnail_of(opened.good) == picture
    save_session(opened.good, tmp_path / "s.mosaic", scene, layer)
    assert picture in (tmp_path / "s.mosaic").read_bytes()


# --- contents -----------------------------------------------------------------------------------------------------------


def column(**entries: Any) -> str:
    usual = {"name": "t", "dtype": "<U2", "shape": [], "attributes": ["t"], "texts": ["a", "b", "c"]}
    return json.dumps({"version": 1, "columns": [usual | entries]})


NOTES = {
    "an array of a GiB": column(dtype="<U268435455"),
    "many wide texts": column(dtype="<U1000000", texts=["a"] * 3),
    "a long text among many": column(texts=["x" * 100_000] + ["a"] * 10_000),
    "a column thousands of times": json.dumps(
        {"version": 1, "columns": [json.loads(column())["columns"][0] for _ in range(5000)]}
    ),
    "an attribute thousands of times": column(dtype="<f4", texts=None, attributes=["f"] * 100_000, shape=[100_000]),
    "a dtype of many fields": column(dtype="f4," * 100_000, texts=None),
    "an endless number": '{"version": 1' + "0" * 10_000 + "}",
    "numbers as texts": column(dtype="<f4"),
    "texts as numbers": column(texts=None),
    "no rows": column(dtype="<f4", texts=None, shape=[0]),
    "negative": column(dtype="<f4", texts=None, shape=[-1]),
    "nested": "[" * 100_000,
}


@pytest.mark.parametrize("title", NOTES)
def test_a_note_takes_no_more_memory_than_the_points(stage: Callable[[], Stage], tmp_path: Path, title: str) -> None:
    opened = stage()
    for obj in ("bad", "mesh"):
        opened.bpy.data.objects[obj].data[keys.COLUMNS] = NOTES[title]
    tracemalloc.start()
    use(opened, tmp_path, saves=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < BIG


def test_what_was_read_of_a_blend_is_forgotten_with_it(stage: Callable[[], Stage], addon: ModuleType) -> None:
    from mosaic_addon.scene.data import vertex_properties

    opened = stage()
    note = column(name="only here")
    opened.bpy.data.objects["bad"].data[keys.COLUMNS] = note
    before = vertex_properties.columns_in(note)
    assert before
    assert vertex_properties.columns_in(note) is before
    addon.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    assert vertex_properties.columns_in(note) is not before


def records(bpy: ModuleType, name: str) -> bytes:
    return bytes(bpy.data.objects[name][keys.RECORD]) if name != "bad session" else b""


def as_numbers(data: bytes) -> np.ndarray:
    return np.frombuffer(data[: len(data) // 4 * 4], np.int32)


@pytest.mark.parametrize("name", ["bad", "mesh", "volume", "moving"])
def test_damaged_records_are_told_and_the_object_is_saved_as_it_is(
    stage: Callable[[], Stage], tmp_path: Path, name: str
) -> None:
    chance = random.Random(name)
    opened = stage()
    whole = bytes(opened.bpy.data.objects[name][keys.RECORD])
    cases = [whole[: len(whole) * part // 5] for part in range(1, 5)]
    for _ in range(12):
        cut = bytearray(whole)
        for _ in range(chance.randrange(1, 6)):
            cut[chance.randrange(8, len(cut))] = chance.randrange(256)
        cases.append(bytes(cut))
    for number, case in enumerate(cases):
        opened = stage()
        keys.RECORD.write(opened.bpy.data.objects[name], as_numbers(case))
        told = use(opened, tmp_path, saves=True)
        if number < 4:
            assert any("damaged record" in sentence for sentence in told)


@pytest.mark.parametrize("dtype", ["<U9999999", "<S99999999", "O", "f4,f4", "V8", "<c16"])
def test_an_array_of_another_dtype_takes_no_memory(stage: Callable[[], Stage], tmp_path: Path, dtype: str) -> None:
    opened = stage()
    obj = opened.bpy.data.objects["bad"]
    data = bytes(obj[keys.RECORD])
    assert b"<f4" in data
    head, rest = data[:8], data[8:]
    # The form is a pickle: a short text of three characters becomes one of another length.
    old, new = b"\x8c\x03<f4", b"\x8c" + bytes([len(dtype)]) + dtype.encode()
    assert old in rest
    keys.RECORD.write(obj, as_numbers(_with_longer_form(head, rest, old, new)))
    tracemalloc.start()
    use(opened, tmp_path, saves=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < BIG


def _with_longer_form(head: bytes, rest: bytes, old: bytes, new: bytes) -> bytes:
    """A record in whose form a text is replaced."""
    from mosaic_addon.scene.readers import HEAD, numbers_of
    from mosaic_addon.session.node_templates import HEAD as FORM

    version, spare = HEAD.unpack(head)
    data = rest[: len(rest) - spare]
    mark, form, shared = FORM.unpack_from(data)
    text = data[FORM.size : FORM.size + form].replace(old, new)
    packed = FORM.pack(mark, len(text), shared) + text + data[FORM.size + form :]
    return bytes(numbers_of(packed, version))
