"""What was edited in Blender comes through, and nothing else: each edit, its file, and what differs from the original."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mosaic_addon.session import MosaicError, Session, open_session
from tests.support.make_sessions import (
    cloud,
    mesh,
    properties,
    trajectory,
    tree,
    triangular_mesh,
    volume,
    write_session,
)
from tests.support.real_mosaic import RealMosaic
from tests.support.saved_sessions import FOLDER, NEWEST, Opened, what_differs

PROPS = "oriented, coloured, props"
COLORED = "mesh with colours + props"
SURFACE = "TriangularMesh surface"
TURN = (0.3, 0.2, 1.0)
PLACE = (10.0, 20.0, 30.0)
Edit = Callable[[Opened], Any]


# --- edits, as a user makes them -------------------------------------------------------------------------------------


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


# --- each edit, and what is to differ in the file --------------------------------------------------------------------

PLAIN = "clusters 'plain cloud'"
POINTS = {"points"}
SHAPE = {"points", "model vertices"}
FACES = {*SHAPE, "normals", "model vertex_normals", "model triangle_normals"}
ALL_ROWS = {
    *FACES,
    "model triangles",
    "model vertex_colors",
    "vertex_properties mean_curvature",
    "vertex_properties hit",
}
COUNTED = {*ALL_ROWS, "vertex_properties _n_vertices"}
COLUMNS = {
    f"vertex_properties {n}" for n in "curvature density_f32 label label_i32 label_u8 vec flag class with_nan".split()
}
NOTHING: dict[str, set[str]] = {}

# Where, and what differs there. Counts in brackets and what follows in the tree are left out.
EDITS: dict[str, tuple[Edit, dict[str, set[str]]]] = {
    "colour": (paint("plain cloud", Color=(0.5, 0.25, 0.125, 1)), {PLAIN: {"appearance base_color"}}),
    "opacity": (paint("plain cloud", Opacity=0.3), {PLAIN: {"appearance opacity"}}),
    "weights": (
        paint("Sphere", Ambient=0.1, Diffuse=0.2, Specular=0.9),
        {"models 'Sphere'": {"appearance ambient", "appearance diffuse", "appearance specular"}},
    ),
    "size": (show("plain cloud", "Size", 3.5), {PLAIN: {"appearance size"}}),
    "discs": (show("plain cloud", "Spheres", False), {PLAIN: {"appearance render_spheres"}}),
    "representation": (show("plain cloud", "Representation", "Normals"), {PLAIN: {"representation"}}),
    "representation of a mesh": (show(SURFACE, "Representation", "Wireframe"), {f"models '{SURFACE}'": {"representation"}}),
    "mesh as points": (
        show(SURFACE, "Representation", "Point Cloud"),
        {f"models '{SURFACE}'": {"representation", "appearance size"}},  # that of a surface is 0
    ),
    "eye closed": (lambda opened: opened["plain cloud"].hide_set(True), {PLAIN: {"visible"}}),
    "eye opened": (lambda opened: opened["hidden"].hide_set(False), {"clusters 'hidden'": {"visible"}}),
    "monitor": (put("plain cloud", hide_viewport=True), {PLAIN: {"visible"}}),
    "camera": (put("plain cloud", hide_render=True), NOTHING),
    "group's eye": (
        lambda opened: setattr(layer_of(opened, opened.group("Virus")), "hide_viewport", True),
        {PLAIN: {"visible"}, f"clusters '{PROPS}'": {"visible"}},
    ),
    "group's monitor": (
        lambda opened: setattr(opened.group("Virus"), "hide_viewport", True),
        {PLAIN: {"visible"}, f"clusters '{PROPS}'": {"visible"}},
    ),
    "group excluded": (
        lambda opened: setattr(layer_of(opened, opened.group("Virus")), "exclude", True),
        {PLAIN: {"visible"}, f"clusters '{PROPS}'": {"visible"}},
    ),
    "session excluded": (lambda opened: setattr(layer_of(opened, opened.collection), "exclude", True), NOTHING),
    "session excluded, an object hidden": (exclude_and_hide, {PLAIN: {"visible"}}),
    "group's camera": (lambda opened: setattr(opened.group("Virus"), "hide_render", True), NOTHING),
    "name": (put("plain cloud", name="New name"), {PLAIN: {"meta name"}}),
    "name of a group": (rename_group, {"clusters group 'Virus'": {"name"}}),
    "moved": (put("plain cloud", location=PLACE), {PLAIN: POINTS}),
    "turned": (put("basis", location=PLACE, rotation_euler=TURN), {"clusters 'basis'": {*POINTS, "normals", "quaternions"}}),
    "mesh scaled": (put(COLORED, scale=(2, 2, 2)), {f"models '{COLORED}'": SHAPE}),
    "mesh stretched": (put(SURFACE, scale=(1, 2, 3)), {f"models '{SURFACE}'": FACES}),
    "mesh mirrored": (put(SURFACE, scale=(-1, 1, 1)), {f"models '{SURFACE}'": {*FACES, "model triangles"}}),
    "sphere scaled": (put("Sphere", scale=(2, 2, 2)), {"models 'Sphere'": {*POINTS, "model radius", "model center"}}),
    "sphere stretched": (put("Sphere", scale=(1, 2, 1)), {"models 'Sphere'": {*POINTS, "normals", "model"}}),
    "ellipsoid stretched": (
        put("Ellipsoid", scale=(1, 2, 3), rotation_euler=TURN),
        {"models 'Ellipsoid'": {*POINTS, "normals", "model radii", "model center", "model orientations"}},
    ),
    "cylinder turned": (
        put("Cylinder", location=PLACE, rotation_euler=TURN),
        {"models 'Cylinder'": {*POINTS, "normals", "model centers", "model orientations", "model _mesh vertices"}},
    ),
    "sheet moved": (put("RBF xy", location=PLACE), {"models 'RBF xy'": {*POINTS, "model"}}),
    "curve moved": (
        put("SplineCurve order3", location=PLACE),
        {"models 'SplineCurve order3'": {*POINTS, "model positions", "model splines coefficients", "model _splines _c"}},
    ),
    "volume turned": (
        put("volume quat", location=PLACE, rotation_euler=TURN), {"clusters 'volume quat'": {*POINTS, "normals", "quaternions"}}
    ),
    "segmentation moved": (put("segmentation", location=PLACE), {"clusters 'segmentation'": POINTS}),
    "trajectory moved": (put("trajectory", location=PLACE), {"models 'trajectory'": {*SHAPE, "trajectory fit vertices"}}),
    "trajectory turned": (
        put("trajectory", rotation_euler=TURN),
        {"models 'trajectory'": FACES | {f"trajectory fit {x}" for x in ("vertices", "vertex_normals", "triangle_normals")}},
    ),
    "root moved": (move_root, NOTHING),
    "parented through an empty": (parent_to_empty, {PLAIN: POINTS}),
    "parented in place": (parent_keeping_its_place, NOTHING),
    "unparented in place": (unparent_keeping_its_place, NOTHING),
    "points deleted": (keep_points(PROPS, slice(100)), {f"clusters '{PROPS}'": {*POINTS, "normals", *COLUMNS, "vertex_properties _n_vertices"}}),
    "vertices deleted": (
        in_edit_mode(COLORED, pick, lambda ops: ops.mesh.delete(type="VERT")), {f"models '{COLORED}'": COUNTED}
    ),
    "vertices deleted, still in Edit Mode": (
        in_edit_mode(COLORED, pick, lambda ops: ops.mesh.delete(type="VERT"), leave=False), {f"models '{COLORED}'": COUNTED}
    ),
    "faces deleted": (
        in_edit_mode(COLORED, pick, lambda ops: ops.mesh.delete(type="ONLY_FACE")),
        {f"models '{COLORED}'": {"model triangles", "model triangle_normals"}},
    ),
    "all faces deleted": (
        in_edit_mode(COLORED, pick_all, lambda ops: ops.mesh.delete(type="ONLY_FACE")),
        {f"models '{COLORED}'": {"model", "representation"}},
    ),
    "subdivided": (in_edit_mode(COLORED, pick_all, lambda ops: ops.mesh.subdivide()), {f"models '{COLORED}'": COUNTED}),
    "turned round": (
        in_edit_mode(COLORED, pick_all, lambda ops: ops.mesh.flip_normals()),
        {f"models '{COLORED}'": {"model triangles", "normals", "model vertex_normals", "model triangle_normals"}},
    ),
    "Edit Mode and nothing else": (in_edit_mode(COLORED), NOTHING),
    "vertices moved": (move_vertices, {f"models '{SURFACE}'": FACES}),
    "transform applied": (apply_transform, {f"models '{SURFACE}'": FACES}),
    "deleted in a group": (delete("plain cloud"), {PLAIN: {"object"}}),
    "copied": (copy("plain cloud", True, "Virus"), {"clusters 'plain cloud.001'": {"object"}}),
    "copied with the same data": (copy("empty", False), {"clusters 'empty.001'": {"object"}}),
    "duplicated": (duplicate("trajectory"), {"models 'trajectory.001'": {"object"}}),
    "duplicated with the same data": (duplicate("volume res20", True), {"clusters 'volume res20.001'": {"object"}}),
    "moved to another group": (
        relink(PROPS, lambda opened: opened.group("Env")), {"clusters group 'Virus'": {"members"}, "clusters group 'Env'": {"members"}}
    ),
    "moved out of a group": (
        relink(PROPS, lambda opened: opened.container("clusters")),
        {"clusters group 'Virus'": {"members"}, "clusters": {"order of display"}},
    ),
    "moved to the models": (
        relink("empty", lambda opened: opened.container("models")),
        {"clusters 'empty'": {"object"}, "models 'empty'": {"object"}},
    ),
    "a new group": (new_group, {"models group 'Mine'": {"group"}, "models": {"order of display"}}),
    "a group dissolved": (dissolve_group, {"models group 'Meshes'": {"group"}, "models": {"order of display"}}),
    "another order": (relink("gaussian", lambda opened: opened.container("clusters")), {"clusters": {"order of display"}}),
    "a number of meta": (note(PROPS, np_f64=7.5), {f"clusters '{PROPS}'": {"meta np_f64"}}),
    "all kinds of meta": (
        note(PROPS, np_i32=5, np_bool=False, unicode="y", arr=[9, 8, 7]),
        {f"clusters '{PROPS}'": {"meta np_i32", "meta np_bool", "meta unicode", "meta arr"}},
    ),
    "new meta": (
        note("plain cloud", i=3, f=2.5, s="text", b=True, l=[1, 2], fl=[1.5, 2], d={"a": {"b": 1}}, raw=b"xx"), {PLAIN: {"meta"}}
    ),
    "meta taken away": (note(PROPS, np_f64=None), {f"clusters '{PROPS}'": {"meta"}}),
    "sampling rate": (note("plain cloud", mosaic_sampling_rate=[1.0, 2.0, 3.0]), {PLAIN: {"sampling_rate"}}),
    "isovalue": (set_isovalue, {"clusters 'volume quat'": {"appearance isovalue_percentile"}}),
    "target resolution": (set_resolution, {"clusters 'volume quat'": {"target_resolution"}}),
    "frame": (
        lambda opened: opened.bpy.context.scene.frame_set(1),
        {"models 'trajectory'": {*FACES, "meta filename", "meta vertex_properties step"}},
    ),
    "values painted": (paint_values, {f"clusters '{PROPS}'": {f"vertex_properties {n}" for n in ("label", "curvature", "flag")}}),
    "colours painted": (paint_colors, {f"models '{COLORED}'": {"model vertex_colors"}}),
    "attributes added": (add_attributes, {PLAIN: {"vertex_properties", "vertex_properties _n_vertices"}}),
    "directions added": (add_directions, {"clusters 'one point'": {"normals", "quaternions"}}),
    "attribute removed": (remove_attribute, {f"clusters '{PROPS}'": {"vertex_properties"}}),
    "clouds joined": (
        join(PROPS, "plain cloud"),
        {PLAIN: {"object"}, f"clusters '{PROPS}'": {*POINTS, "normals", *COLUMNS, "vertex_properties _n_vertices"}},
    ),
    "meshes joined": (
        join(COLORED, "BallPivoting"), {"models 'BallPivoting'": {"object"}, f"models '{COLORED}'": COUNTED}
    ),
    "taken back": (take_back, NOTHING),
    "modifiers renamed": (rename_modifiers, NOTHING),
    "shown by a renamed modifier": (show_by_a_renamed_modifier, {"models 'BallPivoting'": {"representation"}}),
    "a trajectory's own mesh moved": (in_edit_mode("trajectory", pick_all, push_all), NOTHING),
    "a trajectory's own mesh cut": (in_edit_mode("trajectory", pick, delete_vertices), NOTHING),
    "root applied": (apply_root, NOTHING),
    "root applied, then an object moved": (apply_root_and_move, {PLAIN: POINTS}),
    "hung on the root again": (hang_on_root_again, NOTHING),
    "one of its collections hidden": (hide_one_of_two_collections, {"clusters 'normals'": {"visible"}}),
    "points flattened": (put("basis", scale=(1, 1, 0)), {"clusters 'basis'": {"points", "normals"}}),
    "mesh flattened": (put(SURFACE, scale=(1, 1, 0)), {f"models '{SURFACE}'": FACES}),
    "a name of meta": (note("plain cloud", name="other"), NOTHING),
}  # fmt: skip
WARNS = {
    "a trajectory's own mesh moved": "edit those of its frames instead",
    "a trajectory's own mesh cut": "edit those of its frames instead",
    "a name of meta": "has the object's name there",
    "clouds joined": "normals of length 0, curvature 0, density_f32 0, label 0, label_i32 0, label_u8 0, vec 0, flag 0, "
    "class 'alpha', with_nan 0, which Blender gives",
    "meshes joined": "have mean_curvature 0, hit 0, which Blender gives",
    "sphere stretched": "cannot be moved along",
    "sheet moved": "cannot be moved along",
}


@pytest.fixture(scope="module")
def blend(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A .blend with the session in which there is something of everything."""
    import bpy

    path = tmp_path_factory.mktemp("blend") / "newest.blend"
    bpy.ops.wm.read_factory_settings(use_empty=True)
    Opened(bpy, NEWEST)
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path


@pytest.fixture
def opened(blend: Path) -> Opened:
    import bpy

    return Opened.from_blend(bpy, blend)


@pytest.fixture(scope="module")
def mosaic(mosaic_python: str) -> Iterator[RealMosaic]:
    with RealMosaic(mosaic_python) as running:
        yield running


def found(path: Path, target: Path) -> dict[str, set[str]]:
    """What differs, by where. An object's tree says once more what its place says."""
    differing: dict[str, set[str]] = {}
    for where, what in what_differs(path, target):
        what = re.sub(r"\[\d+\]|\(\d+\)", "", what)
        if not what.startswith("tree"):
            differing.setdefault(re.sub(r" \(number \d+\)", "", where), set()).add(re.sub(" +", " ", what))
    return differing


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_comes_through_alone(opened: Opened, tmp_path: Path, name: str) -> None:
    edit, expected = EDITS[name]
    edit(opened)
    opened.bpy.context.view_layer.update()
    unsaved = opened.unsaved()
    assert bool(unsaved) == bool(expected)
    saved = opened.save(tmp_path / "edited.pickle")
    assert (saved.changes, saved.left_out) == (unsaved, [])
    assert [warning for warning in saved.warnings if WARNS.get(name, "?") not in warning] == []
    assert len(saved.warnings) == (name in WARNS)
    assert found(NEWEST, tmp_path / "edited.pickle") == expected
    assert opened.unsaved() == []


def test_mosaic_loads_every_edit(bpy: ModuleType, blend: Path, tmp_path: Path, mosaic: RealMosaic) -> None:
    before = {item["name"]: item["drawn"] for item in mosaic.load(NEWEST)["geometries"]}
    for name, (edit, _) in EDITS.items():
        opened = Opened.from_blend(bpy, blend)
        edit(opened)
        bpy.context.view_layer.update()
        opened.save(tmp_path / "edited.pickle")
        told = mosaic.load(tmp_path / "edited.pickle")
        assert not [item for item in told["geometries"] if before.get(item["name"]) and not item["drawn"]], name
        session = open_session(tmp_path / "edited.pickle")
        for part in (session.clusters, session.models):
            listed = [
                [item.name, [g.name for g in item.geometries]] if hasattr(item, "geometries") else item.name
                for item in part.items
            ]
            assert told["browser"][part.name] == listed, name


# --- what the numbers are --------------------------------------------------------------------------------------------


def saved(opened: Opened, tmp_path: Path) -> Session:
    opened.bpy.context.view_layer.update()
    opened.save(tmp_path / "edited.pickle")
    return open_session(tmp_path / "edited.pickle")


def named(session: Session, name: str) -> Any:
    return next(geometry for geometry in session.geometries if geometry.name == name)


def matrix(scale: tuple[float, float, float] = (1, 1, 1)) -> np.ndarray:
    """The linear part of what an object with TURN and `scale` does to its points."""
    from mathutils import Euler

    return np.array(Euler(TURN).to_matrix()) @ np.diag(scale)


def turned_z(quaternions: np.ndarray) -> np.ndarray:
    """Where each quaternion, scalar first, turns (0, 0, 1)."""
    w, x, y, z = quaternions.T
    return np.stack([2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)], axis=1)


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_points_and_directions_follow_an_object(opened: Opened, tmp_path: Path) -> None:
    before = named(open_session(NEWEST), "basis")
    put("basis", location=PLACE, rotation_euler=TURN, scale=(2, 2, 2))(opened)
    after = named(saved(opened, tmp_path), "basis")
    turn = matrix()
    assert after.points.dtype == np.float32
    np.testing.assert_allclose(after.points, before.points @ (2 * turn).T + PLACE, rtol=1e-5)
    np.testing.assert_allclose(after.normals, before.normals @ turn.T, atol=1e-5)
    np.testing.assert_allclose(turned_z(after.quaternions), turned_z(before.quaternions) @ turn.T, atol=1e-5)
    np.testing.assert_allclose(turned_z(after.quaternions), after.normals, atol=1e-5)


def test_a_mesh_that_was_stretched_and_mirrored_still_faces_outwards(opened: Opened, tmp_path: Path) -> None:
    put(SURFACE, location=PLACE, rotation_euler=TURN, scale=(-1, 2, 0.5))(opened)
    after = named(saved(opened, tmp_path), SURFACE)
    corners = after.model.vertices[after.model.triangles]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    outwards = corners.mean(axis=1) - after.model.vertices.mean(axis=0)
    assert (np.einsum("ij,ij->i", across, outwards) > 0).all()
    assert (np.einsum("ij,ij->i", after.normals, after.points - after.points.mean(axis=0)) > 0).all()
    face_normals = after.node.fields()["model"].fields()["triangle_normals"].values
    np.testing.assert_allclose(face_normals, unit(across), atol=1e-6)
    np.testing.assert_allclose(after.model.vertex_normals, after.normals, atol=1e-6)


@pytest.mark.parametrize("scale", [(1, 1, 1), (2, 2, 2), (1, 2, 3)])
def test_points_still_lie_on_their_fit(opened: Opened, tmp_path: Path, scale: tuple[float, float, float]) -> None:
    names = ["Sphere", "Ellipsoid", "Cylinder"]
    for name in names:
        put(name, location=PLACE, rotation_euler=TURN, scale=scale)(opened)
    before, after = open_session(NEWEST), saved(opened, tmp_path)

    def misfit(name: str, session: Session) -> float:
        geometry = named(session, name)
        fit = geometry.model
        if name == "Sphere":
            return np.abs(np.linalg.norm(geometry.points - fit.center, axis=1) / fit.radius - 1).max()
        if name == "Ellipsoid":
            return np.abs(
                np.linalg.norm((geometry.points - fit.center) @ fit.orientations / fit.radii, axis=1) - 1
            ).max()
        local = (geometry.points - fit.centers) @ fit.orientations
        assert abs(local[:, 2]).max() == pytest.approx(fit.height / 2, rel=0.2)
        return np.abs(np.linalg.norm(local[:, :2], axis=1) / fit.radius - 1).max()

    for name in names:
        if scale == (1, 2, 3) and name != "Ellipsoid":
            assert named(after, name).model is None
        else:
            assert misfit(name, after) < misfit(name, before) + 1e-4, name


@pytest.mark.parametrize("name", ["SplineCurve order1", "SplineCurve order3"])
def test_a_curve_moves_with_its_points(opened: Opened, tmp_path: Path, name: str) -> None:
    from mosaic_addon.scene.shapes.parametric import spline_curve

    def line(session: Session) -> np.ndarray:
        splines = named(session, name).model.splines
        return spline_curve(
            [(s.knots, s.coefficients, s.degree) if s.kind == "bspline" else (s.coefficients, s.knots) for s in splines]
        )

    put(name, location=PLACE, rotation_euler=TURN, scale=(1, 2, 3))(opened)
    before, after = open_session(NEWEST), saved(opened, tmp_path)
    affine = matrix((1, 2, 3))
    np.testing.assert_allclose(line(after), line(before) @ affine.T + PLACE, rtol=1e-4, atol=0.05)
    positions = [named(session, name).model.positions for session in (before, after)]
    np.testing.assert_allclose(positions[1], positions[0] @ affine.T + PLACE, rtol=1e-5)


def test_only_where_vertices_were_moved_normals_are_renewed(opened: Opened, tmp_path: Path) -> None:
    before = named(open_session(NEWEST), SURFACE)
    move_vertices(opened)
    after = named(saved(opened, tmp_path), SURFACE)
    faces = before.model.triangles
    near = np.unique(faces[np.isin(faces, np.arange(5)).any(axis=1)])
    far = np.setdiff1d(np.arange(len(before.points)), near)
    np.testing.assert_array_equal(after.normals[far], before.normals[far])
    np.testing.assert_array_equal(after.model.vertex_normals[far], before.model.vertex_normals[far])
    corners = after.model.vertices[faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    shape = np.zeros_like(after.model.vertices)
    np.add.at(shape, faces, across[:, None, :])
    np.testing.assert_allclose(after.normals[near], unit(shape)[near], atol=1e-6)
    assert np.abs(after.normals[near] - before.normals[near]).max() > 0.01


def test_applying_a_transform_turns_a_meshs_normals(opened: Opened, tmp_path: Path) -> None:
    before = named(open_session(NEWEST), SURFACE)
    apply_transform(opened)
    after = named(saved(opened, tmp_path), SURFACE)
    np.testing.assert_allclose(after.points, before.points @ matrix().T + PLACE, rtol=1e-4)
    np.testing.assert_allclose(after.normals, before.normals @ matrix().T, atol=1e-3)


def test_the_colour_and_numbers_are_the_shortest_that_blender_shows(opened: Opened, tmp_path: Path) -> None:
    paint("plain cloud", Color=(0.21404114, 0.04518620, 1.0, 1), Opacity=0.3)(opened)
    appearance = named(saved(opened, tmp_path), "plain cloud").appearance
    assert appearance.opacity == 0.3
    assert appearance.base_color == pytest.approx((0.5, 0.235294, 1.0), abs=1e-5)


def test_all_turned_round_is_as_it_was_after_another_time(opened: Opened, tmp_path: Path) -> None:
    in_edit_mode(COLORED, pick_all, lambda ops: ops.mesh.flip_normals(), lambda ops: ops.mesh.flip_normals())(opened)
    before, after = named(open_session(NEWEST), COLORED), named(saved(opened, tmp_path), COLORED)
    np.testing.assert_array_equal(after.normals, before.normals)


def test_faces_that_are_joined_to_quads_are_not_turned_round(opened: Opened, tmp_path: Path) -> None:
    in_edit_mode(COLORED, pick_all, lambda ops: ops.mesh.tris_convert_to_quads())(opened)
    result = opened.save(tmp_path / "edited.pickle")
    assert result.changes == [f"models '{COLORED}': faces changed"]
    before, after = named(open_session(NEWEST), COLORED), named(open_session(tmp_path / "edited.pickle"), COLORED)
    np.testing.assert_array_equal(after.normals, before.normals)


@pytest.mark.parametrize(
    ("source", "target"),
    [("volume quat", "plain cloud"), ("volume quat", "TriangularMesh mesh"), ("trajectory", "TriangularMesh mesh")],
)
def test_a_modifier_copied_from_another_kind_of_object_spoils_nothing(
    opened: Opened, tmp_path: Path, source: str, target: str
) -> None:
    select(opened, source, target)
    opened.bpy.ops.object.make_links_data(type="MODIFIERS")
    assert opened[target].modifiers["Mosaic"].node_group == opened[source].modifiers["Mosaic"].node_group
    before, after = named(open_session(NEWEST), target), named(saved(opened, tmp_path), target)
    assert after.node.fields()["representation"] != "volume"  # over which Mosaic refuses the file
    assert after.node.fields().keys() == before.node.fields().keys()
    np.testing.assert_array_equal(after.points, before.points)


@pytest.mark.parametrize(
    ("name", "staying"),
    [
        ("basis", "not its normals and quaternions,"),
        ("Cylinder", r"not its normals and fit \(Cylinder\),"),
        ("plain cloud", ""),
    ],
)
def test_an_applied_turn_of_points_is_told_where_directions_stay(
    opened: Opened, tmp_path: Path, name: str, staying: str
) -> None:
    put(name, rotation_euler=TURN)(opened)
    select(opened, name)
    opened.bpy.ops.object.transform_apply(location=False, rotation=True, scale=False)
    warnings = opened.save(tmp_path / "edited.pickle").warnings
    assert len(warnings) == bool(staying)
    assert all(re.search(staying, warning) for warning in warnings)


def test_objects_without_quaternions_are_joined_with_a_warning(opened: Opened, tmp_path: Path) -> None:
    join("volume normals only", "volume quat")(opened)
    (warning,) = opened.save(tmp_path / "edited.pickle").warnings
    assert "have quaternions of no turn" in warning


def test_what_pasted_objects_show_is_saved_with_them_alone(opened: Opened, tmp_path: Path) -> None:
    bpy = opened.bpy
    names = ["volume quat", "Sphere", "trajectory"]
    select(opened, *names)
    bpy.ops.view3d.copybuffer()
    bpy.context.view_layer.active_layer_collection = layer_of(opened, opened.container("clusters"))
    bpy.ops.view3d.pastebuffer()
    bpy.context.view_layer.update()
    result = opened.save(tmp_path / "edited.pickle")
    assert [change.split("'")[1] for change in result.changes] == ["volume quat", "trajectory", "Sphere"]
    assert sorted(text.split("'")[1] for text in result.left_out) == ["Sphere.001", "trajectory.001", "volume quat.001"]
    assert found(NEWEST, tmp_path / "edited.pickle") == {f"clusters '{name}.001'": {"object"} for name in names}


def test_a_copy_of_a_frame_is_a_mesh_of_its_own(opened: Opened, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing.facts import frames_of

    copy = frames_of(opened["trajectory"])[1].copy()
    opened.container("models").objects.link(copy)
    assert saved(opened, tmp_path).models.geometries[-1].name == copy.name


def test_a_trajectory_that_shows_another_frame_is_saved_at_it(opened: Opened, tmp_path: Path) -> None:
    for frame in (1, 2, 4):
        opened.bpy.context.scene.frame_set(frame)
        film = named(saved(opened, tmp_path), "trajectory")
        assert film.frames is not None
        step = film.frames[frame - 1]
        np.testing.assert_array_equal(film.points, step.mesh.vertices.astype(np.float32))
        np.testing.assert_array_equal(film.model.vertices, step.mesh.vertices)
        assert film.meta["filename"] == step.filename


def test_objects_in_edit_mode_leave_nothing_behind(opened: Opened, tmp_path: Path) -> None:
    bpy = opened.bpy
    in_edit_mode(COLORED, pick, lambda ops: ops.mesh.delete(type="VERT"), leave=False)(opened)
    meshes = len(bpy.data.meshes)
    assert len(named(saved(opened, tmp_path), COLORED).points) == 246
    assert (len(bpy.data.meshes), bpy.context.mode) == (meshes, "EDIT_MESH")


def test_an_object_that_is_deleted_leaves_the_others_where_they_are(opened: Opened, tmp_path: Path) -> None:
    delete("gaussian")(opened)
    saved(opened, tmp_path)
    assert found(NEWEST, tmp_path / "edited.pickle") == {"clusters 'gaussian'": {"object"}}


@pytest.mark.parametrize("release", ["1.0.0", "1.0.11", "1.1.1", "1.2.4", "colabseg"])
def test_edits_of_older_sessions_are_in_their_spelling(bpy: ModuleType, tmp_path: Path, release: str) -> None:
    path = FOLDER / f"mosaic-{release}.pickle"
    opened = Opened(bpy, path)
    obj = next(t for t in opened.collection.all_objects if t.type == "MESH" and "mosaic_class" in t)
    name = obj["mosaic_name"]
    surface(obj)["Opacity"].default_value = 0.5
    obj.hide_set(name not in ("hidden mesh",))
    obj.location = PLACE
    before, after = open_session(path), saved(opened, tmp_path)
    assert after.release == before.release
    assert set(found(path, tmp_path / "edited.pickle")) == {f"models {name!r}"}
    fields = named(after, name).node.fields()
    assert type(fields["visible"]) in (int, bool)
    assert set(fields) == set(named(before, name).node.fields())


def test_applied_modifiers_leave_what_draws_and_frames_alone(opened: Opened, tmp_path: Path) -> None:
    rename_modifiers(opened)
    for name in ("trajectory", "BallPivoting"):
        opened[name].modifiers.new("Fewer", "DECIMATE").ratio = 0.3
    opened.bpy.context.view_layer.update()
    result = opened.save(tmp_path / "edited.pickle", apply_modifiers=True)
    assert result.left_out == []
    assert set(found(NEWEST, tmp_path / "edited.pickle")) == {"models 'BallPivoting'"}
    assert [text for text in result.warnings if "edit those of its frames instead" in text] == result.warnings


def test_a_trajectory_whose_shown_frame_was_deleted_shows_another(opened: Opened, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing.facts import frames_of

    steps = frames_of(opened["trajectory"])
    assert opened.bpy.context.scene.frame_current == 3
    opened.bpy.data.objects.remove(steps[2])
    session = saved(opened, tmp_path)
    before, after = named(open_session(NEWEST), "trajectory"), named(session, "trajectory")
    kept = [before.frames[number] for number in (0, 1, 3)]
    assert [frame.filename for frame in after.frames] == [frame.filename for frame in kept]
    np.testing.assert_array_equal(after.points, kept[2].mesh.vertices.astype(np.float32))
    np.testing.assert_array_equal(after.vertex_properties["step"], kept[2].vertex_properties["step"])


def test_an_edit_of_a_frame_is_told(opened: Opened, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing.facts import frames_of

    mesh = frames_of(opened["trajectory"])[1].data
    for move in (5.0, 7.0):  # the second after the first was saved
        mesh.vertices[0].co.x += move
        assert len(opened.unsaved()) == 1
        assert opened.save(tmp_path / "edited.pickle").changes == ["models 'trajectory': frame 1 edited"]
        assert opened.unsaved() == []
    before, after = (named(open_session(path), "trajectory") for path in (NEWEST, tmp_path / "edited.pickle"))
    moved = after.frames[1].mesh.vertices - before.frames[1].mesh.vertices
    np.testing.assert_allclose(moved[0], (12, 0, 0), atol=1e-3)
    assert not moved[1:].any()


def films(bpy: ModuleType, tmp_path: Path) -> Opened:
    """Two trajectories and two volumes, of different shapes."""
    sizes = {"v": (6, 6, 6), "w": (8, 7, 6)}
    volumes = [volume(name, volume=np.random.default_rng(1).random(shape, np.float32)) for name, shape in sizes.items()]
    path = write_session(tmp_path / "films.pickle", volumes, [trajectory("t", 5, 3), trajectory("u", 4, 4)])
    return Opened(bpy, path)


@pytest.mark.parametrize(("active", "other", "what"), [("v", "w", "volume"), ("u", "t", "frames")])
def test_a_copied_modifier_brings_no_data_of_others(
    bpy: ModuleType, tmp_path: Path, active: str, other: str, what: str
) -> None:
    opened = films(bpy, tmp_path)
    select(opened, active)
    opened[other].select_set(True)
    bpy.ops.object.make_links_data(type="MODIFIERS")
    with pytest.raises(MosaicError, match=f"'{other}': .* shows the {what} of that one"):
        opened.save(tmp_path / "edited.pickle")
    bpy.data.objects.remove(opened[other])
    opened.save(tmp_path / "edited.pickle")
    assert found(opened.path, tmp_path / "edited.pickle").keys() == {
        f"{'clusters' if what == 'volume' else 'models'} '{other}'"
    }


def test_vertex_properties_of_frames_are_edited(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing.facts import frames_of

    opened = films(bpy, tmp_path)
    same, other, gone, wider = [step.data.attributes for step in frames_of(opened["u"])]
    other["step"].data[0].value = 70
    gone.remove(gone["step"])
    wider.remove(wider["step"])
    wider.new("step", "FLOAT", "POINT").data.foreach_set("value", [0.5, 1.5, 2.5, 3.5])
    same.new("mine", "FLOAT", "POINT").data.foreach_set("value", [1.0, 2.0, 3.0, 4.0])
    assert opened.unsaved() != []
    assert opened.save(tmp_path / "edited.pickle").changes == [
        "models 'u': frame 0 with mine, frame 2 without step, frame 3 step as float32, frames 1, 2, 3 edited"
    ]
    assert opened.unsaved() == []
    frames = named(open_session(tmp_path / "edited.pickle"), "u").frames
    assert frames is not None
    columns = [{name: values.tolist() for name, values in frame.vertex_properties.items()} for frame in frames]
    assert columns == [
        {"step": [0] * 4, "mine": [1.0, 2.0, 3.0, 4.0]},
        {"step": [70, 1, 1, 1]},
        {},
        {"step": [0.5, 1.5, 2.5, 3.5]},
    ]
    assert found(opened.path, tmp_path / "edited.pickle").keys() == {"models 'u'"}


def test_frames_that_were_not_in_the_session_are_told(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing.facts import frames_of

    opened = films(bpy, tmp_path)
    last = frames_of(opened["t"])[-1]
    copy = last.copy()
    copy.data = last.data.copy()
    copy.data.vertices[0].co.x += 5
    own = bpy.data.objects.new("a frame of mine", bpy.data.meshes.new("Mine"))
    for obj in (copy, own):
        last.users_collection[0].objects.link(obj)
    result = opened.save(tmp_path / "edited.pickle")
    assert [text.split("'")[3] for text in result.warnings] == [own.data.name, copy.data.name]
    assert result.changes == []
    assert found(opened.path, tmp_path / "edited.pickle") == {}
    for step in frames_of(opened["t"]):
        if step != own:
            bpy.data.objects.remove(step)
    with pytest.raises(MosaicError, match="'t': none of its frames"):
        opened.save(tmp_path / "edited.pickle")


@pytest.mark.parametrize(
    ("key", "value"),
    [("isovalue_percentile", value) for value in (0.0, -5.0, 101.0, float("nan"), "high")]
    + [("target_resolution", value) for value in (0.0, float("inf"), "fine", None)],
)
def test_numbers_of_a_volume_that_mosaic_refuses_are_refused(
    opened: Opened, tmp_path: Path, key: str, value: Any
) -> None:
    mesh = volume_of(opened)
    if value is None:
        del mesh[f"mosaic_{key}"]
    else:
        mesh[f"mosaic_{key}"] = value
    with pytest.raises(MosaicError, match=r"^clusters 'volume quat': its (isovalue|target resolution) must be"):
        opened.save(tmp_path / "edited.pickle")


def test_a_group_of_clusters_and_models_keeps_its_uuids(opened: Opened, tmp_path: Path) -> None:
    group = opened.bpy.data.collections.new("Both")
    opened.collection.children.link(group)
    for name in ("plain cloud", "Sphere"):
        obj = opened[name]
        for collection in obj.users_collection:
            collection.objects.unlink(obj)
        group.objects.link(obj)
    saved(opened, tmp_path)
    first = open_session(tmp_path / "edited.pickle")
    uuids = [g.uuid for part in (first.clusters, first.models) for g in part.groups if g.name == "Both"]
    assert len(set(uuids)) == 2
    opened.save(tmp_path / "again.pickle")
    assert what_differs(tmp_path / "edited.pickle", tmp_path / "again.pickle") == []


def change_places(attribute: str, key: str) -> Edit:
    """Give the first and the last two of four points each other's values."""

    def edit(opened: Opened) -> None:
        items = opened["c"].data.attributes[attribute].data
        values = np.empty(12 if key == "vector" else 4, np.float32 if key == "vector" else np.int32)
        items.foreach_get(key, values)
        items.foreach_set(key, np.roll(values.reshape(4, -1), 2, axis=0).reshape(-1))

    return edit


@pytest.mark.parametrize(
    ("edit", "change"),
    [
        (change_places("position", "vector"), "points moved"),
        (change_places("label", "value"), "values of vertex properties"),
    ],
)
def test_what_changes_places_is_noticed(bpy: ModuleType, tmp_path: Path, edit: Edit, change: str) -> None:
    labels = {"label": np.array([1, 1, 2, 2], np.int32)}
    opened = Opened(bpy, write_session(tmp_path / "s.pickle", [cloud("c", 4, vertex_properties=properties(4, labels))]))
    assert opened.unsaved() == []
    edit(opened)
    assert [text.split(": ")[1].split(",")[0] for text in opened.unsaved()] == [change]


def test_a_plain_quad_is_turned_round_with_its_normals(bpy: ModuleType, tmp_path: Path) -> None:
    square = np.float32([[0, 0, 0], [100, 0, 0], [100, 100, 0], [0, 100, 0]])
    normals = np.tile(np.float32([0, 0, 1]), (4, 1))
    model = triangular_mesh(4, vertices=square.astype(np.float64))
    made = mesh("m", 4, points=square, normals=normals, model=model)
    opened = Opened(bpy, write_session(tmp_path / "s.pickle", models=[made]))
    opened["m"].data.flip_normals()
    assert opened.save(tmp_path / "edited.pickle").changes == ["models 'm': faces turned round"]
    after = open_session(tmp_path / "edited.pickle").models.geometries[0]
    np.testing.assert_array_equal(after.normals, -normals)


def test_the_scale_of_a_root_that_was_deleted_is_missed(opened: Opened, tmp_path: Path) -> None:
    for obj in opened.collection.all_objects:
        if obj.parent is not None:
            place = obj.matrix_world.copy()
            obj.parent = None
            obj.matrix_world = place
    opened.bpy.data.objects.remove(opened.root)
    with pytest.raises(MosaicError, match="was deleted and its scale"):
        opened.save(tmp_path / "edited.pickle")


def test_a_modifier_that_was_duplicated_makes_no_points(opened: Opened, tmp_path: Path) -> None:
    for name in ("plain cloud", "volume quat"):
        select(opened, name)
        opened.bpy.ops.object.modifier_copy(modifier="Mosaic")
    assert len(opened["plain cloud"].modifiers) == 2
    result = opened.save(tmp_path / "edited.pickle", apply_modifiers=True)
    assert (result.changes, result.left_out, result.warnings) == ([], [], [])


def test_a_pinned_shape_key_counts(opened: Opened, tmp_path: Path) -> None:
    obj = opened["BallPivoting"]
    obj.shape_key_add(name="Basis")
    key = obj.shape_key_add(name="Longer")
    for vertex in key.data:
        vertex.co.x += 1000
    key.value, obj.active_shape_key_index, obj.show_only_shape_key = 0.0, 1, True
    opened.save(tmp_path / "edited.pickle", apply_modifiers=True)
    before, after = (named(open_session(path), "BallPivoting") for path in (NEWEST, tmp_path / "edited.pickle"))
    np.testing.assert_allclose(after.points, before.points + np.float32([1000, 0, 0]), rtol=1e-5)


def test_shape_keys_count_where_modifiers_are_applied(opened: Opened, tmp_path: Path) -> None:
    obj = opened["BallPivoting"]
    obj.shape_key_add(name="Basis")
    assert opened.save(tmp_path / "edited.pickle").warnings == []
    key = obj.shape_key_add(name="Longer")
    for vertex in key.data:
        vertex.co.x += 1000
    key.value = 0.0
    assert opened.save(tmp_path / "edited.pickle", apply_modifiers=True).changes == []
    key.value = 0.5
    (warning,) = opened.save(tmp_path / "edited.pickle").warnings
    assert "'BallPivoting': its shape keys do not count; save with Apply Modifiers" in warning
    assert found(NEWEST, tmp_path / "edited.pickle") == {}
    assert opened.save(tmp_path / "edited.pickle", apply_modifiers=True).warnings == []
    before, after = (named(open_session(path), "BallPivoting") for path in (NEWEST, tmp_path / "edited.pickle"))
    np.testing.assert_allclose(after.points, before.points + np.float32([500, 0, 0]), rtol=1e-5)


def test_a_root_that_was_applied_with_all_its_objects_is_refused(opened: Opened, tmp_path: Path) -> None:
    names = [obj["mosaic_name"] for obj in opened.collection.all_objects if "mosaic_name" in obj]
    select(opened, *names)
    opened.root.select_set(True)
    opened.bpy.ops.object.transform_apply(location=True, rotation=True, scale=True)
    with pytest.raises(MosaicError, match=r"had their scale applied .* its scale 0\.001 again"):
        opened.save(tmp_path / "edited.pickle")
    assert not list(tmp_path.iterdir())
    opened.root.scale = (0.001, 0.001, 0.001)  # by a user who moved all points on purpose
    opened.save(tmp_path / "edited.pickle")


def test_a_flattened_cloud_keeps_normals_that_have_no_direction_any_more(opened: Opened, tmp_path: Path) -> None:
    before = named(open_session(NEWEST), "basis")
    put("basis", scale=(1, 1, 0))(opened)
    after = named(saved(opened, tmp_path), "basis")
    np.testing.assert_allclose(after.points, before.points * (1, 1, 0), rtol=1e-6)
    expected = np.zeros_like(before.normals)
    expected[:, 2] = np.sign(before.normals[:, 2])
    expected = np.where(before.normals[:, 2:] == 0, before.normals, expected)
    np.testing.assert_allclose(after.normals, expected, atol=1e-5)


def test_a_name_that_an_older_blender_cut_is_not_a_new_one(bpy: ModuleType, tmp_path: Path) -> None:
    names = ["n" * 70, "ü" * 40, "n" * 62 + "ü"]
    clouds = [cloud(name, 3) for name in names]
    uuids = [vars(obj)["uuid"] for obj in clouds]
    groups = tree(["g", *uuids[1:]], {"g": uuids[:1]}, {"g": "g" * 70})
    opened = Opened(bpy, write_session(tmp_path / "s.pickle", clouds, _data_tree=groups))
    for item in [*opened.collection.all_objects, opened.group("g" * 70)]:
        item.name = item.name.encode()[:63].decode("utf-8", "ignore")
    assert opened.unsaved() == []
    opened[names[0]].name = "n" * 20
    assert opened.unsaved() == [f"clusters '{names[0]}': renamed to '{'n' * 20}'"]


def test_a_group_that_a_release_has_not_is_told(bpy: ModuleType, tmp_path: Path) -> None:
    opened = Opened(bpy, FOLDER / "mosaic-1.0.0.pickle")
    obj = next(iter(opened.container("clusters").objects))
    group = bpy.data.collections.new("Mine")
    opened.container("clusters").children.link(group)
    opened.container("clusters").objects.unlink(obj)
    group.objects.link(obj)
    result = opened.save(tmp_path / "saved.pickle")
    assert [text for text in result.warnings if "'Mine' is left out" in text] == result.warnings != []


def test_a_volume_may_come_into_a_session_without_resolutions(bpy: ModuleType, tmp_path: Path) -> None:
    old, new = Opened(bpy, FOLDER / "mosaic-1.0.0.pickle"), Opened(bpy, NEWEST)
    obj = new["volume no filter"]
    for collection in obj.users_collection:
        collection.objects.unlink(obj)
    obj.parent = old.root
    old.container("clusters").objects.link(obj)
    bpy.context.view_layer.update()
    result = old.save(tmp_path / "saved.pickle")
    assert sum("no target resolution" in text for text in result.warnings) == 1
    assert named(open_session(tmp_path / "saved.pickle"), "volume no filter").volume is not None


# --- copies between sessions -----------------------------------------------------------------------------------------


def test_an_object_moves_between_two_sessions(bpy: ModuleType, tmp_path: Path) -> None:
    """A mesh, a volume and a trajectory of an older session among the objects of a newer one."""
    old, new = (
        Opened(bpy, FOLDER / "mosaic-1.1.1.pickle"),
        Opened(bpy, write_session(tmp_path / "s.pickle", [cloud("a", 5)])),
    )
    for name in (SURFACE, "volume quat", "trajectory"):
        obj = old[name]
        for collection in obj.users_collection:
            collection.objects.unlink(obj)
        obj.parent = new.root
        new.container("models" if name != "volume quat" else "clusters").objects.link(obj)
    bpy.context.view_layer.update()
    new.save(tmp_path / "new.pickle")
    old.save(tmp_path / "old.pickle")
    session, rest, source = (
        open_session(path) for path in (tmp_path / "new.pickle", tmp_path / "old.pickle", old.path)
    )
    assert session.release == open_session(new.path).release
    assert [geometry.name for geometry in session.clusters] == ["a", "volume quat"]
    assert {geometry.name for geometry in session.models} == {SURFACE, "trajectory"}
    assert len(rest.geometries) == len(source.geometries) - 3
    for name in (SURFACE, "volume quat", "trajectory"):
        np.testing.assert_array_equal(named(session, name).points, named(source, name).points)
    np.testing.assert_array_equal(
        named(session, "volume quat").volume.values, named(source, "volume quat").volume.values
    )
    assert [f.filename for f in named(session, "trajectory").frames] == [
        f.filename for f in named(source, "trajectory").frames
    ]


# --- what is not saved yet -------------------------------------------------------------------------------------------


def set_value(name: str, attribute: str, value: float) -> Edit:
    def edit(opened: Opened) -> None:
        opened[name].data.attributes[attribute].data[0].value = value

    return edit


TWICE: dict[str, tuple[Edit, Edit]] = {
    "meta": (note(PROPS, np_f64=7.5), note(PROPS, np_f64=8.5)),
    "new meta": (note("plain cloud", mine=[1, 2]), note("plain cloud", mine=[1, 3])),
    "values": (set_value(PROPS, "label", 5), set_value(PROPS, "label", 6)),
    "new values": (add_attributes, set_value("plain cloud", "height", 9.0)),
    "opacity": (paint("plain cloud", Opacity=0.5), paint("plain cloud", Opacity=0.5000001)),
    "place": (put("plain cloud", location=(1, 0, 0)), put("plain cloud", location=(1, 0.001, 0))),
    "directions": (
        add_directions,
        lambda opened: setattr(opened["one point"].data.attributes["normals"].data[0], "vector", (0, 1, 0)),
    ),
    "colours": (
        paint_colors,
        lambda opened: setattr(opened[COLORED].data.attributes["vertex_colors"].data[0], "color", (0, 1, 0, 1)),
    ),
}


@pytest.mark.parametrize("name", TWICE)
def test_an_edit_after_a_save_is_not_saved_yet(opened: Opened, tmp_path: Path, name: str) -> None:
    first, second = TWICE[name]
    first(opened)
    saved(opened, tmp_path)
    assert opened.unsaved() == []
    second(opened)
    opened.bpy.context.view_layer.update()
    assert opened.unsaved() != []
    saved(opened, tmp_path)
    assert opened.unsaved() == []
