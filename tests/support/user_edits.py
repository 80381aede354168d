"""Edits as a user makes them, and what is saved after one."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mosaic_addon.session import Session, open_session
from tests.support.saved_sessions import Opened, what_differs

PROPS = "oriented, coloured, props"
COLORED = "mesh with colours + props"
SURFACE = "TriangularMesh surface"
TURN = (0.3, 0.2, 1.0)
PLACE = (10.0, 20.0, 30.0)
Edit = Callable[[Opened], Any]


def surface(obj: Any) -> Any:
    return obj.material_slots[0].material.node_tree.nodes["Mosaic Surface"].inputs


def paint(name: str, /, **numbers: Any) -> Edit:
    def edit(opened: Opened) -> None:
        for key, value in numbers.items():
            surface(opened[name])[key].default_value = value

    return edit


def show(name: str, key: str, value: Any) -> Edit:
    """Set an input of the object's modifier."""

    def edit(opened: Opened) -> None:
        from mosaic_addon.scene.compat import ModifierInputs

        modifier = opened[name].modifiers["Mosaic"]
        ModifierInputs(modifier.node_group).set(modifier, key, value)

    return edit


def put(name: str, /, **values: Any) -> Edit:
    """Set attributes of the object."""

    def edit(opened: Opened) -> None:
        for key, value in values.items():
            setattr(opened[name], key, value)

    return edit


def note(name: str, /, **values: Any) -> Edit:
    """Set custom properties; None takes one away."""

    def edit(opened: Opened) -> None:
        for key, value in values.items():
            if value is None:
                del opened[name][key]
            else:
                opened[name][key] = value

    return edit


def layer_of(opened: Opened, collection: Any) -> Any:
    todo = [opened.bpy.context.view_layer.layer_collection]
    while todo:
        layer = todo.pop()
        if layer.collection == collection:
            return layer
        todo += layer.children
    raise AssertionError(collection)


def select(opened: Opened, *names: str) -> Any:
    """Select objects, the first of them active, and return that."""
    layer = opened.bpy.context.view_layer
    for obj in layer.objects:
        obj.select_set(False)
    objects = [opened[name] for name in names]
    for obj in objects:
        obj.select_set(True)
    layer.objects.active = objects[0]
    return objects[0]


def in_edit_mode(name: str, *steps: Callable[[Any], Any], leave: bool = True) -> Edit:
    """Select nothing, then do the steps, each a call of `bpy.ops`, in Edit Mode."""

    def edit(opened: Opened) -> None:
        ops = opened.bpy.ops
        select(opened, name)
        ops.object.mode_set(mode="EDIT")
        ops.mesh.select_all(action="DESELECT")
        for step in steps:
            step(ops)
        if leave:
            ops.object.mode_set(mode="OBJECT")

    return edit


def pick(ops: Any) -> None:
    """Select some vertices."""
    import bpy

    ops.object.mode_set(mode="OBJECT")
    for vertex in bpy.context.object.data.vertices[:20]:
        vertex.select = True
    ops.object.mode_set(mode="EDIT")


def pick_all(ops: Any) -> None:
    ops.mesh.select_all(action="SELECT")


def keep_points(name: str, kept: slice) -> Edit:
    """Delete points of a cloud: by Geometry Nodes that are applied, which all versions of Blender have."""

    def edit(opened: Opened) -> None:
        bpy = opened.bpy
        obj = select(opened, name)
        gone = np.ones(len(obj.data.points), np.bool_)
        gone[kept] = False
        obj.data.attributes.new("gone", "BOOLEAN", "POINT").data.foreach_set("value", gone)
        tree = bpy.data.node_groups.new("Delete", "GeometryNodeTree")
        for way in ("INPUT", "OUTPUT"):
            tree.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
        kinds = ("NodeGroupInput", "GeometryNodeDeleteGeometry", "NodeGroupOutput", "GeometryNodeInputNamedAttribute")
        start, delete, end, named = (tree.nodes.new(kind) for kind in kinds)
        named.data_type = "BOOLEAN"
        named.inputs["Name"].default_value = "gone"
        links = [(start.outputs[0], delete.inputs["Geometry"]), (delete.outputs[0], end.inputs[0])]
        links.append((next(output for output in named.outputs if output.enabled), delete.inputs["Selection"]))
        for link in links:
            tree.links.new(*link)
        modifier = obj.modifiers.new("Delete", "NODES")
        modifier.node_group = tree
        bpy.ops.object.modifier_move_to_index(modifier="Delete", index=0)
        bpy.ops.object.modifier_apply(modifier="Delete")
        obj.data.attributes.remove(obj.data.attributes["gone"])

    return edit


def move_vertices(opened: Opened) -> None:
    for vertex in opened[SURFACE].data.vertices[:5]:
        vertex.co.x += 30
    opened[SURFACE].data.update()


def delete(*names: str) -> Edit:
    def edit(opened: Opened) -> None:
        for name in names:
            opened.bpy.data.objects.remove(opened[name])

    return edit


def copy(name: str, own_data: bool, group: str | None = None) -> Edit:
    def edit(opened: Opened) -> None:
        obj = opened[name].copy()
        if own_data:
            obj.data = obj.data.copy()
        (opened.group(group) if group else opened[name].users_collection[0]).objects.link(obj)

    return edit


def duplicate(name: str, linked: bool = False) -> Edit:
    def edit(opened: Opened) -> None:
        select(opened, name)
        opened.bpy.ops.object.duplicate(linked=linked)

    return edit


def relink(name: str, find: Callable[[Opened], Any]) -> Edit:
    """Move an object to another collection."""

    def edit(opened: Opened) -> None:
        obj = opened[name]
        for collection in obj.users_collection:
            collection.objects.unlink(obj)
        find(opened).objects.link(obj)

    return edit


def new_group(opened: Opened) -> None:
    group = opened.bpy.data.collections.new("Mine")
    opened.container("models").children.link(group)
    for name in ("PoissonMesh", "trajectory"):
        relink(name, lambda _: group)(opened)


def rename_group(opened: Opened) -> None:
    opened.group("Virus").name = "Viren"


def dissolve_group(opened: Opened) -> None:
    group = opened.group("Meshes")
    for obj in list(group.objects):
        relink(obj["mosaic_name"], lambda opened: opened.container("models"))(opened)
    opened.bpy.data.collections.remove(group)


def parent_to_empty(opened: Opened) -> None:
    empty = opened.bpy.data.objects.new("Empty", None)
    opened.bpy.context.scene.collection.objects.link(empty)
    empty.parent = opened.root
    empty.location = PLACE
    opened["plain cloud"].parent = empty


def parent_keeping_its_place(opened: Opened) -> None:
    bpy = opened.bpy
    empty = bpy.data.objects.new("Empty", None)
    bpy.context.scene.collection.objects.link(empty)
    empty.location = (1, 2, 3)
    bpy.context.view_layer.update()
    select(opened, "plain cloud")
    empty.select_set(True)
    bpy.context.view_layer.objects.active = empty
    bpy.ops.object.parent_set(type="OBJECT", keep_transform=True)


def unparent_keeping_its_place(opened: Opened) -> None:
    select(opened, "plain cloud")
    opened.bpy.ops.object.parent_clear(type="CLEAR_KEEP_TRANSFORM")


def move_root(opened: Opened) -> None:
    opened.root.location, opened.root.rotation_euler, opened.root.scale = (1, 2, 3), TURN, (0.5, 0.5, 0.5)


def rename_modifiers(opened: Opened) -> None:
    for name in ("plain cloud", "volume quat", "BallPivoting", "trajectory"):
        opened[name].modifiers["Mosaic"].name = "Drawing"


def show_by_a_renamed_modifier(opened: Opened) -> None:
    from mosaic_addon.scene.compat import ModifierInputs

    rename_modifiers(opened)
    other = opened.bpy.data.node_groups.new("Not ours", "GeometryNodeTree")
    opened["BallPivoting"].modifiers.new("Mosaic", "NODES").node_group = other
    modifier = opened["BallPivoting"].modifiers["Drawing"]
    ModifierInputs(modifier.node_group).set(modifier, "Representation", "Wireframe")


def push_all(ops: Any) -> None:
    ops.transform.translate(value=(1, 0, 0))


def delete_vertices(ops: Any) -> None:
    ops.mesh.delete(type="VERT")


def apply_root(opened: Opened) -> None:
    move_root(opened)
    opened.root.scale = (0.001, 0.001, 0.001)
    opened.bpy.context.view_layer.objects.active = opened.root
    for obj in opened.bpy.context.view_layer.objects:
        obj.select_set(obj == opened.root)
    opened.bpy.ops.object.transform_apply(location=True, rotation=True, scale=True)
    assert tuple(opened.root.scale) == (1, 1, 1)


def apply_root_and_move(opened: Opened) -> None:
    from mathutils import Matrix

    apply_root(opened)
    opened.root.location = (5, 5, 5)
    obj = opened["plain cloud"]
    obj.matrix_basis = obj.matrix_basis @ Matrix.Translation(PLACE)


def hang_on_root_again(opened: Opened) -> None:
    select(opened, "RBF xy")
    opened.bpy.ops.object.parent_clear(type="CLEAR_KEEP_TRANSFORM")
    opened.bpy.context.view_layer.objects.active = opened.root
    opened.bpy.ops.object.parent_set(type="OBJECT")


def hide_one_of_two_collections(opened: Opened) -> None:
    opened.group("Env").objects.link(opened["plain cloud"])
    layer_of(opened, opened.group("Env")).hide_viewport = True


def exclude_and_hide(opened: Opened) -> None:
    layer_of(opened, opened.collection).exclude = True
    opened["plain cloud"].hide_viewport = True


def volume_of(opened: Opened) -> Any:
    from mosaic_addon.scene.drawing.surfaces import volume_mesh

    return volume_mesh(opened["volume quat"])


def set_isovalue(opened: Opened) -> None:
    volume_of(opened)["mosaic_isovalue_percentile"] = 90.0


def set_resolution(opened: Opened) -> None:
    volume_of(opened)["mosaic_target_resolution"] = 12.0


def paint_values(opened: Opened) -> None:
    attributes = opened[PROPS].data.attributes
    attributes["label"].data[0].value = 77
    attributes["curvature"].data[3].value = 0.25
    attributes["flag"].data[0].value = not attributes["flag"].data[0].value


def paint_colors(opened: Opened) -> None:
    opened[COLORED].data.attributes["vertex_colors"].data[0].color = (1, 0, 0, 1)


def add_attributes(opened: Opened) -> None:
    attributes = opened["plain cloud"].data.attributes
    attributes.new("height", "FLOAT", "POINT").data.foreach_set("value", np.arange(300, dtype=np.float32))
    for name, kind in (("v", "FLOAT_VECTOR"), ("c", "FLOAT_COLOR"), ("b", "BOOLEAN"), ("i", "INT")):
        attributes.new(name, kind, "POINT")


def add_directions(opened: Opened) -> None:
    attributes = opened["one point"].data.attributes
    attributes.new("normals", "FLOAT_VECTOR", "POINT").data[0].vector = (1, 0, 0)
    attributes.new("quaternions", "QUATERNION", "POINT").data[0].value = (0, 1, 0, 0)


def remove_attribute(opened: Opened) -> None:
    opened[PROPS].data.attributes.remove(opened[PROPS].data.attributes["label"])


def join(into: str, other: str) -> Edit:
    def edit(opened: Opened) -> None:
        select(opened, into, other)
        opened.bpy.ops.object.join()

    return edit


def apply_transform(opened: Opened) -> None:
    opened[SURFACE].location, opened[SURFACE].rotation_euler = PLACE, TURN
    select(opened, SURFACE)
    opened.bpy.ops.object.transform_apply(location=True, rotation=True, scale=True)


def take_back(opened: Opened) -> None:
    obj = opened["plain cloud"]
    name, opacity = obj.name, surface(obj)["Opacity"]
    for value, place, number in (("x", (1, 1, 1), 0.1), (name, (0, 0, 0), 1.0)):
        obj.name, obj.location, opacity.default_value = value, place, number


def saved(opened: Opened, tmp_path: Path) -> Session:
    opened.bpy.context.view_layer.update()
    opened.save(tmp_path / "edited.pickle")
    return open_session(tmp_path / "edited.pickle")


def named(session: Session, name: str) -> Any:
    return next(geometry for geometry in session.geometries if geometry.name == name)


def found(path: Path, target: Path) -> dict[str, set[str]]:
    """What differs, by where. An object's tree says once more what its place says."""
    differing: dict[str, set[str]] = {}
    for where, what in what_differs(path, target):
        what = re.sub(r"\[\d+\]|\(\d+\)", "", what)
        if not what.startswith("tree"):
            differing.setdefault(re.sub(r" \(number \d+\)", "", where), set()).add(re.sub(" +", " ", what))
    return differing
