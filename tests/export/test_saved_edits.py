"""What was edited in Blender comes through, and nothing else: each edit, its file, and what differs from the original."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from mosaic_addon.session import open_session
from tests.support.real_mosaic import RealMosaic
from tests.support.saved_sessions import FOLDER, NEWEST, Opened
from tests.support.user_edits import (
    COLORED,
    PLACE,
    PROPS,
    SURFACE,
    TURN,
    Edit,
    add_attributes,
    add_directions,
    apply_root,
    apply_root_and_move,
    apply_transform,
    copy,
    delete,
    delete_vertices,
    dissolve_group,
    duplicate,
    exclude_and_hide,
    found,
    hang_on_root_again,
    hide_one_of_two_collections,
    in_edit_mode,
    join,
    keep_points,
    layer_of,
    move_root,
    move_vertices,
    named,
    new_group,
    note,
    paint,
    paint_colors,
    paint_values,
    parent_keeping_its_place,
    parent_to_empty,
    pick,
    pick_all,
    push_all,
    put,
    relink,
    remove_attribute,
    rename_group,
    rename_modifiers,
    saved,
    set_isovalue,
    set_resolution,
    show,
    show_by_a_renamed_modifier,
    surface,
    take_back,
    unparent_keeping_its_place,
)

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


def test_the_colour_and_numbers_are_the_shortest_that_blender_shows(opened: Opened, tmp_path: Path) -> None:
    paint("plain cloud", Color=(0.21404114, 0.04518620, 1.0, 1), Opacity=0.3)(opened)
    appearance = named(saved(opened, tmp_path), "plain cloud").appearance
    assert appearance.opacity == 0.3
    assert appearance.base_color == pytest.approx((0.5, 0.235294, 1.0), abs=1e-5)


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
