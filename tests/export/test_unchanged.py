"""Of many objects that are alike, the one that was edited is noticed, and only it is looked into."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mosaic_addon.session import MosaicError, open_session
from mosaic_addon.session.nodes import Formed
from tests.support.make_sessions import cloud, mesh, properties, triangular_mesh, write_session
from tests.support.saved_sessions import FILES, Opened, differences, what_differs

COUNT, POINTS = 6, 5


def points(number: int) -> np.ndarray:
    return np.random.default_rng(number).random((POINTS, 3)).astype(np.float32)


def one(number: int, **more: Any) -> Any:
    columns = properties(POINTS, {"weight": np.arange(POINTS, dtype=np.float32) + number})
    return cloud(f"{number} cloud", points=points(number), vertex_properties=columns, meta={"note": [1, 2]}, **more)


def one_mesh(number: int) -> Any:
    vertices = points(number)
    return mesh(
        f"{number} mesh", POINTS, points=vertices, model=triangular_mesh(POINTS, vertices=vertices.astype("f8"))
    )


@pytest.fixture
def opened(bpy: ModuleType, tmp_path: Path) -> Opened:
    """Clouds and meshes that are alike, and a cloud that shares their name, and one without points."""
    clouds = [*map(one, range(COUNT)), cloud("empty", 0), one(3, normals=np.ones((POINTS, 3), np.float32))]
    return Opened(bpy, write_session(tmp_path / "alike.pickle", clouds, list(map(one_mesh, range(COUNT)))))


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Formed]:
    """The nodes that were made of what objects keep."""
    found: list[Formed] = []
    make = Formed.make

    def counted(formed: Formed) -> Any:
        found.append(formed)
        return make(formed)

    monkeypatch.setattr(Formed, "make", counted)
    return found


def test_nodes_are_made_of_few(opened: Opened, made: list[Formed]) -> None:
    assert opened.unsaved() == []
    kinds = len({formed.alike for formed in made})
    assert len(made) == kinds == 4
    opened.save(opened.path.with_name("saved.pickle"))
    assert differences(opened.path, opened.path.with_name("saved.pickle")) == []


def first_value(data: Any, name: str, key: str) -> None:
    """Add 1 to the first number of an attribute."""
    values = np.empty(len(data.attributes[name].data) * (3 if key == "vector" else 1), np.float32)
    data.attributes[name].data.foreach_get(key, values)
    values[0] += 1
    data.attributes[name].data.foreach_set(key, values)


def set_inputs(name: str, value: Any) -> Callable[[Any], None]:
    def edit(obj: Any) -> None:
        from mosaic_addon.scene.compat import ModifierInputs

        modifier = obj.modifiers["Mosaic"]
        ModifierInputs(modifier.node_group).set(modifier, name, value)

    return edit


def surface_input(name: str, value: Any) -> Callable[[Any], None]:
    def edit(obj: Any) -> None:
        obj.material_slots[0].material.node_tree.nodes["Mosaic Surface"].inputs[name].default_value = value

    return edit


def turn_round(obj: Any) -> None:
    obj.data.flip_normals()


def new_attribute(obj: Any) -> None:
    obj.data.attributes.new("mine", "FLOAT", "POINT")


def other_kind(obj: Any) -> None:
    attribute = obj.data.attributes["weight"]
    obj.data.attributes.remove(attribute)
    obj.data.attributes.new("weight", "INT", "POINT")


def convert(attribute: str, kind: str, domain: str = "POINT") -> Callable[[Any], None]:
    def edit(obj: Any) -> None:
        import bpy

        bpy.context.view_layer.objects.active = obj
        obj.data.attributes.active = obj.data.attributes[attribute]
        bpy.ops.geometry.attribute_convert(domain=domain, data_type=kind)

    return edit


EDITS: dict[str, tuple[Callable[[Any], None], str]] = {
    "name": (lambda obj: setattr(obj, "name", "other"), "clusters"),
    "hidden": (lambda obj: obj.hide_set(True), "clusters"),
    "off in the viewport": (lambda obj: setattr(obj, "hide_viewport", True), "models"),
    "color": (surface_input("Color", (0.3, 0.2, 0.1, 1)), "clusters"),
    "opacity": (surface_input("Opacity", 0.5), "models"),
    "specular": (surface_input("Specular", 0.015625), "clusters"),
    "size": (set_inputs("Size", 33.0), "clusters"),
    "representation": (set_inputs("Representation", "Normals"), "clusters"),
    "moved": (lambda obj: setattr(obj, "location", (1, 0, 0)), "clusters"),
    "a point moved": (lambda obj: first_value(obj.data, "position", "vector"), "clusters"),
    "a vertex moved": (lambda obj: first_value(obj.data, "position", "vector"), "models"),
    "a vertex property": (lambda obj: first_value(obj.data, "weight", "value"), "clusters"),
    "a vertex property of another kind": (other_kind, "clusters"),
    "a vertex property converted": (convert("weight", "FLOAT_VECTOR"), "clusters"),
    "a vertex property renamed": (lambda obj: setattr(obj.data.attributes["weight"], "name", "heavy"), "clusters"),
    "a new vertex property": (new_attribute, "clusters"),
    "no vertex property": (lambda obj: obj.data.attributes.remove(obj.data.attributes["weight"]), "clusters"),
    "faces turned round": (turn_round, "models"),
    "a custom property": (lambda obj: obj.__setitem__("note", [1, 3]), "clusters"),
    "a new custom property": (lambda obj: obj.__setitem__("mine", 1), "models"),
    "sampling rate": (lambda obj: obj.__setitem__("mosaic_sampling_rate", (1.0, 2.0, 3.0)), "clusters"),
    "normals": (lambda obj: obj.data.attributes.new("normals", "FLOAT_VECTOR", "POINT"), "clusters"),
    "quaternions": (lambda obj: obj.data.attributes.new("quaternions", "QUATERNION", "POINT"), "clusters"),
}


@pytest.mark.parametrize("title", EDITS)
def test_an_edit_of_one_of_many_is_saved_alone(opened: Opened, made: list[Formed], title: str) -> None:
    edit, container = EDITS[title]
    name = f"3 {'cloud' if container == 'clusters' else 'mesh'}"
    edit(opened[name])
    opened.bpy.context.view_layer.update()
    (change,) = opened.unsaved()
    assert change.startswith(f"{container} '{name}': ")
    target = opened.path.with_name("edited.pickle")
    opened.save(target)
    renamed = "other" if title == "name" else name
    changed = {where for where, _ in what_differs(opened.path, target)}
    assert changed
    assert all(f"'{name}'" in where or f"'{renamed}'" in where for where in changed), changed
    read = [g.name for g in getattr(open_session(target), container).geometries]
    assert read.count(renamed) == (1 if title == "name" or container == "models" else 2)
    assert len(made) <= 3 * 5  # those of each kind that were looked into, and the edited one; asked, saved, compared


def test_faces_that_became_points_are_noticed(bpy: ModuleType, tmp_path: Path) -> None:
    """Also where an alike object never had any."""
    models = [triangular_mesh(POINTS, vertices=points(number).astype("f8")) for number in range(2)]
    vars(models[0])["triangles"] = np.empty((0, 3), np.int32)
    meshes = [mesh(str(n), POINTS, points=points(n), model=model) for n, model in enumerate(models)]
    opened = Opened(bpy, write_session(tmp_path / "faces.pickle", [], meshes))
    for name in "01":
        bpy.context.view_layer.objects.active = opened[name]
        opened[name].select_set(True)
    bpy.ops.object.convert(target="POINTCLOUD")
    assert opened["1"].type == "POINTCLOUD"
    assert any("no faces any more" in change for change in opened.unsaved())


@pytest.mark.parametrize("attribute", ["normals", "quaternions"])
def test_directions_of_one_of_many(bpy: ModuleType, tmp_path: Path, attribute: str) -> None:
    """Are noticed when they are taken away or converted."""
    n = POINTS
    directions = {"normals": np.ones((n, 3), np.float32), "quaternions": np.ones((n, 4), np.float32)}
    made = [cloud(str(number), points=points(number), **directions) for number in range(3)]
    opened = Opened(bpy, write_session(tmp_path / "alike.pickle", made))
    opened["1"].data.attributes.remove(opened["1"].data.attributes[attribute])
    assert opened.unsaved() == [f"clusters '1': without {attribute}"]
    convert(attribute, "FLOAT")(opened["2"])
    with pytest.raises(MosaicError, match="'2': its attribute"):
        opened.unsaved()


def test_an_input_that_is_gone_is_told(opened: Opened) -> None:
    group = opened["3 cloud"].material_slots[0].material.node_tree.nodes["Mosaic Surface"].node_tree
    group.interface.remove(next(item for item in group.interface.items_tree if item.name == "Ambient"))
    with pytest.raises(MosaicError, match="has no input 'Ambient' any more"):
        opened.unsaved()


def test_what_depends_on_points_is_found_where_there_are_some(bpy: ModuleType, tmp_path: Path) -> None:
    """Mosaic refuses axes without orientations, and of no points, which are mended in other ways."""
    clouds = [cloud(str(number), points=points(0)[:number], representation="basis") for number in range(3)]
    opened = Opened(bpy, write_session(tmp_path / "basis.pickle", clouds))
    saved = opened.save(tmp_path / "saved.pickle")
    assert [text.split("but ")[1][:13] for text in saved.warnings] == ["has no points", *["had no orient"] * 2]
    after = open_session(tmp_path / "saved.pickle").clusters.geometries
    assert [g.representation for g in after] == ["pointcloud", "basis", "basis"]
    quaternions = [g.quaternions for g in after]
    assert [None if values is None else len(values) for values in quaternions] == [None, 1, 2]


# --- the fast way and the slow one -----------------------------------------------------------------------------------


def edits_of_a_few(objects: list[Any]) -> None:
    """Every fifth object is edited, in one way after the other."""
    edits: list[Callable[[Any], None]] = [
        lambda obj: setattr(obj, "name", "other"),
        lambda obj: setattr(obj, "location", (1, 0, 0)),
        lambda obj: setattr(obj, "hide_viewport", True),
        lambda obj: obj.__setitem__("mine", 3),
        surface_input("Opacity", 0.25),
    ]
    for number, obj in enumerate(objects[::5]):
        edits[number % len(edits)](obj)


@pytest.mark.parametrize("edited", [False, True])
@pytest.mark.parametrize("path", [*FILES, None], ids=lambda path: path.name if path else "alike")
def test_what_is_known_at_a_glance_is_saved_as_if_it_had_been_looked_into(
    bpy: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: Path | None, edited: bool
) -> None:
    from mosaic_addon.scene.exporting import objects

    if path is None:
        path = write_session(tmp_path / "alike.pickle", list(map(one, range(150))), list(map(one_mesh, range(40))))
    opened = Opened(bpy, path)
    if edited:
        edits_of_a_few([obj for obj in opened.collection.all_objects if "mosaic_class" in obj])
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    asked: list[Any] = []
    key_of = objects.key_of

    def noted(*about: Any) -> Any:
        asked.append(key_of(*about))
        return asked[-1]

    monkeypatch.setattr(objects, "key_of", noted)
    fast = opened.save(tmp_path / "fast.pickle")
    assert len(asked) > len(set(asked) - {None}), "no two objects were alike"
    opened = Opened.from_blend(bpy, tmp_path / "scene.blend")
    monkeypatch.setattr(objects, "key_of", lambda *about: None)
    slow = opened.save(tmp_path / "slow.pickle")
    assert (fast.changes, fast.warnings, fast.left_out) == (slow.changes, slow.warnings, slow.left_out)
    assert differences(tmp_path / "fast.pickle", tmp_path / "slow.pickle") == []
