"""A cut leaves nothing beyond its plane, what it spares is whole, and without it the picture is the one before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mosaic_addon.scene.shapes.parametric import sphere
from tests.support.drawn import parts_of
from tests.support.make_sessions import an_object, cloud, mesh, trajectory, triangular_mesh, volume, write_session
from tests.support.saved_sessions import differences

SIZE = 100
LEFT, RIGHT = slice(0, SIZE // 2 - 1), slice(SIZE // 2 + 1, SIZE)  # columns on both sides of the plane


def ball(name: str, center: tuple[float, float, float], faces: slice = slice(None), flip: bool = False) -> Any:
    """A mesh of a sphere with a radius of 150 angstrom."""
    surface = sphere(150.0, np.array(center))
    triangles = surface.triangles[faces, ::-1] if flip else surface.triangles[faces]
    model = triangular_mesh(vertices=surface.vertices.astype(np.float64), triangles=triangles.astype(np.int32))
    points = surface.vertices.astype(np.float32)
    return mesh(name, model=model, points=points, appearance={"base_color": (0.9, 0.1, 0.1)})


def everything(tmp_path: Path) -> Path:
    """One of each kind, around the origin: 500 angstrom wide."""
    random = np.random.default_rng(2)
    places = random.uniform(-250, 250, (40, 3)).astype(np.float32)
    places[:8, 0] = np.linspace(-15, 15, 8)  # near the plane
    fit = an_object("mosaic.parametrization.Sphere", radius=100.0, center=np.zeros(3))
    moving = random.uniform(-250, 250, (30, 3))
    frame = triangular_mesh(30, vertices=moving)
    clusters = [
        cloud("points", points=places, appearance={"size": 30}),
        cloud("voxels", cls="SegmentationGeometry", points=places[:20], representation="segmentation"),
        volume("copies", n=40, points=places, quaternions=np.tile(np.float32([1, 0, 0, 0]), (40, 1))),
        cloud("arrows", points=places, representation="normals", normals=places / 300),
        cloud("fit", points=places, model=fit),
    ]
    models = [
        ball("ball", (0, 0, 0)),
        mesh("edges", model=frame, points=moving.astype(np.float32), representation="mesh"),
        trajectory("moving", points=moving.astype(np.float32), model=frame,
                   trajectory=[{"fit": frame, "filename": "0.vtu"}] * 2),
    ]  # fmt: skip
    return write_session(tmp_path / "s.pickle", clusters, models)


def load(bpy: ModuleType, path: Path) -> Any:
    """Open a session whose middle the camera, which looks along -z without perspective, has in the picture's middle."""
    from mosaic_addon import api
    from mosaic_addon.scene.pictures.looks import apply_look
    from mosaic_addon.scene.pictures.render import set_up_render

    imported = api.load(path, options=api.ImportOptions(angstrom_per_unit=100.0))
    scene = bpy.context.scene
    set_up_render(scene, api.RenderOptions((SIZE, SIZE), samples=1))
    data = bpy.data.cameras.new("Camera")
    data.type, data.ortho_scale = "ORTHO", 8.0
    scene.camera = bpy.data.objects.new("Camera", data)
    scene.collection.objects.link(scene.camera)
    scene.camera.location = imported.root.matrix_world @ scene.camera.location
    scene.camera.location.z += 20
    apply_look(scene, "flat")
    return imported


def picture(bpy: ModuleType, tmp_path: Path) -> np.ndarray:
    """RGB as floats 0-1, (SIZE, SIZE, 3)."""
    from PIL import Image

    from mosaic_addon.scene.pictures.render import render_to

    render_to(bpy.context.scene, tmp_path / "p.png")
    with Image.open(tmp_path / "p.png") as image:
        return np.asarray(image.convert("RGB"), np.float64) / 255


def drawn(pixels: np.ndarray, columns: slice) -> int:
    """How many pixels of these columns are not the white background."""
    return int((pixels[:, columns].min(axis=-1) < 0.98).sum())


def half(**more: Any) -> Any:
    """A plane through the origin that takes away +x."""
    from mosaic_addon.scene.figures.cuts import Cut, facing

    return Cut(rotation=facing((1, 0, 0)), **more)


def named(imported: Any, name: str) -> Any:
    return next(obj for obj in imported.objects if obj.name == name)


# --- pictures --------------------------------------------------------------------------------------------------------


def test_no_pixel_is_left_beyond_the_plane(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.figures.cuts import add_cut, remove_cut, spare, spared_by
    from mosaic_addon.scene.pictures.looks import apply_look

    imported = load(bpy, everything(tmp_path))
    before = picture(bpy, tmp_path)
    assert drawn(before, LEFT) > 800
    assert drawn(before, RIGHT) > 800
    cut = add_cut(bpy.context.scene, imported.collection, half(whole=False))
    pixels = picture(bpy, tmp_path)
    assert drawn(pixels, RIGHT) == 0
    assert drawn(pixels, LEFT) > 800
    apply_look(bpy.context.scene, "full")
    apply_look(bpy.context.scene, "flat")
    assert np.array_equal(picture(bpy, tmp_path), pixels)
    spare(imported.objects, cut)
    assert np.array_equal(picture(bpy, tmp_path), before)
    assert spared_by(cut, imported.objects) == imported.objects
    remove_cut(cut)
    assert np.array_equal(picture(bpy, tmp_path), before)


def test_a_spared_object_is_whole_and_the_others_are_not(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.figures.cuts import add_cut, spare

    path = write_session(tmp_path / "s.pickle", [], [ball("upper", (0, 200, 0)), ball("lower", (0, -200, 0))])
    imported = load(bpy, path)
    before = picture(bpy, tmp_path)
    upper = named(imported, "upper")
    cut = add_cut(bpy.context.scene, imported.collection, half(), [upper])
    after = picture(bpy, tmp_path)
    middle = SIZE // 2
    assert np.array_equal(after[:middle], before[:middle])
    assert drawn(after[middle:], RIGHT) == 0
    assert drawn(after[middle:], LEFT) > 100
    spare([upper], cut, False)
    assert drawn(picture(bpy, tmp_path), RIGHT) == 0


def test_a_deleted_empty_cuts_no_more(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.figures.cuts import add_cut, refresh
    from mosaic_addon.scene.keys import SPARED

    imported = load(bpy, write_session(tmp_path / "s.pickle", [], [ball("a", (0, 0, 0)), ball("b", (200, 0, 0))]))
    before = picture(bpy, tmp_path)
    for options in (half(), half(invert=True), half(shape="box", size=(100.0,) * 3, invert=True)):
        cut = add_cut(bpy.context.scene, imported.collection, options, [named(imported, "b")])
        assert drawn(picture(bpy, tmp_path), slice(None)) < drawn(before, slice(None)) - 100
        with bpy.context.temp_override(selected_objects=[cut]):
            bpy.ops.object.delete()
        assert np.array_equal(picture(bpy, tmp_path), before)
        assert SPARED.read(named(imported, "b"))
        refresh(bpy.context.scene)
        assert SPARED.read(named(imported, "b")) is None
        assert not [obj for obj in bpy.data.objects if obj.name.startswith(("Cut", "Mosaic Cut"))]


def test_caps_fill_closed_meshes_alone(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.figures.cuts import add_cut, cut_of, facing, set_cut

    green = (0.0, 0.8, 0.0)
    balls = [
        ball("closed", (-200, 200, 0)),
        ball("inside out", (200, 200, 0), flip=True),
        ball("open", (-200, -200, 0), slice(0, -10)),
        ball("clear", (200, -200, 0)),
    ]
    vars(balls[3])["appearance"]["opacity"] = 0.5
    imported = load(bpy, write_session(tmp_path / "s.pickle", [], balls))
    cut = add_cut(bpy.context.scene, imported.collection, replace(half(cap=green), rotation=facing((0, 0, 1))))
    pixels = picture(bpy, tmp_path)
    quarter, beyond = SIZE // 4, SIZE - SIZE // 4
    for row, column, is_cap in (
        (quarter, quarter, True),
        (quarter, beyond, True),
        (beyond, quarter, False),
        (beyond, beyond, False),
    ):
        assert np.allclose(pixels[row, column], green, atol=0.01) == is_cap
    set_cut(cut, replace(cut_of(cut), cap=None))
    assert picture(bpy, tmp_path)[quarter, quarter, 0] > 0.5


# --- geometry, as Solid and Workbench show it ------------------------------------------------------------------------


def test_what_is_wholly_cut_away_is_not_there(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.figures.cuts import add_cut, remove_cut

    imported = load(bpy, everything(tmp_path))
    for shape, invert, beyond in (
        ("plane", False, lambda at: at[:, 0]),
        ("plane", True, lambda at: -at[:, 0]),
        ("box", False, lambda at: 120 - np.abs(at).max(axis=1)),
        ("box", True, lambda at: np.abs(at).max(axis=1) - 120),
        ("sphere", False, lambda at: 120 - np.linalg.norm(at, axis=1)),
        ("sphere", True, lambda at: np.linalg.norm(at, axis=1) - 120),
    ):
        size = (120.0,) * 3
        cut = add_cut(bpy.context.scene, imported.collection, half(shape=shape, invert=invert, size=size))
        (part,) = parts_of(bpy, named(imported, "ball"))
        depth = np.array([beyond(part.points[face]).min() for face in part.corners])
        assert depth.max() < (40 if invert and shape != "plane" else 20), (shape, invert)  # the longest edge: 19
        places = np.array([part.matrix[:3, 3] for part in parts_of(bpy, named(imported, "copies"))])
        assert (beyond(places) <= 0).all()
        assert 0 < len(places) < 40
        (points,) = parts_of(bpy, named(imported, "points"))
        assert (beyond(points.points) <= 1e-3).all()
        assert points.materials == ["points"]
        remove_cut(cut)
    assert len(parts_of(bpy, named(imported, "copies"))) == 40


def test_sliced_points_and_copies_stay_as_long_as_a_part_of_them_is_left(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.figures.cuts import add_cut

    imported = load(bpy, everything(tmp_path))
    (points,) = parts_of(bpy, named(imported, "points"))
    reach = points.points[:, 0] - points.radii
    copies = [part.points[:, 0].min() for part in parts_of(bpy, named(imported, "copies"))]
    add_cut(bpy.context.scene, imported.collection, half(whole=False))
    left = parts_of(bpy, named(imported, "points"))
    spheres = sum(not part.is_cloud for part in left)
    assert spheres == (np.abs(points.points[:, 0]) < points.radii).sum() > 0
    assert spheres + sum(len(part.points) for part in left if part.is_cloud) == (reach < 0).sum() < 40
    assert {name for part in left for name in part.materials} == {"points"}
    for part in (part for part in left if not part.is_cloud):
        at, radius = part.matrix[0, 3], points.radii.max()
        assert part.points[:, 0].min() == pytest.approx(at - radius, abs=0.02 * radius)  # what is kept is there
        deepest = max(part.points[face, 0].min() for face in part.corners)
        assert deepest < 2 * radius / 8 + 0.01 * radius  # of what is taken away, little is
    nearest = [part.points[:, 0].min() for part in parts_of(bpy, named(imported, "copies"))]
    assert sorted(each for each in nearest if each < 0) == sorted(each for each in copies if each < 0)
    assert len(nearest) < 40


# --- the session -----------------------------------------------------------------------------------------------------


def test_a_save_does_not_notice_cuts(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.figures.cuts import add_cut, refresh

    path = everything(tmp_path)
    imported = api.load(path)
    scene, layer = bpy.context.scene, bpy.context.view_layer
    api.save(imported, tmp_path / "before.pickle")
    cut = add_cut(scene, imported.collection, half(whole=False, cap=(1.0, 0.0, 0.0)), imported.objects[:3])
    imported.collection.children[0].objects.link(cut)
    layer.update()
    assert not api.unsaved_changes(imported.collection, scene, layer)
    saved = api.save(imported, tmp_path / "after.pickle")
    assert not saved.warnings
    assert not saved.changes
    assert differences(path, tmp_path / "after.pickle") == []
    assert (tmp_path / "before.pickle").read_bytes() == (tmp_path / "after.pickle").read_bytes()
    bpy.data.objects.remove(cut)
    refresh(scene)
    assert not api.unsaved_changes(imported.collection, scene, layer)


def test_removed_cuts_leave_nothing(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.figures.cuts import add_cut, remove_cut

    imported = load(bpy, everything(tmp_path))
    kinds = ("objects", "collections", "materials", "meshes", "node_groups")

    def state() -> list[Any]:
        return [
            [each.name for kind in kinds for each in getattr(bpy.data, kind)],
            [sorted(obj.keys()) for obj in bpy.data.objects],
            bpy.context.scene.cycles.transparent_max_bounces,
        ]

    before = state()
    cuts = [add_cut(bpy.context.scene, imported.collection, half(whole=bool(n)), imported.objects) for n in range(2)]
    assert state() != before
    for cut in cuts:
        remove_cut(cut)
    assert state() == before


def test_a_saved_blend_keeps_its_cuts(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.figures.cuts import add_cut, remove_cut, spared_by
    from mosaic_addon.scene.figures.overlay import items_of

    imported = load(bpy, write_session(tmp_path / "s.pickle", [], [ball("a", (0, 0, 0)), ball("b", (0, 0, 0))]))
    add_cut(bpy.context.scene, imported.collection, half(), [named(imported, "b")])
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "s.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "s.blend"))
    whole, opened = bpy.data.objects["b"], bpy.data.objects["a"]
    counts = [sum(len(part.corners) for part in parts_of(bpy, obj)) for obj in (opened, whole)]
    assert counts[0] < 0.6 * counts[1]
    (cut,) = items_of(bpy.context.scene, "cut")
    assert spared_by(cut, [opened, whole]) == [whole]
    remove_cut(cut)
    assert sum(len(part.corners) for part in parts_of(bpy, opened)) == counts[1]


def test_what_lies_on_the_plane_before_the_camera_is_never_cut(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.figures.cuts import Cut, add_cut

    imported = load(bpy, write_session(tmp_path / "s.pickle", [cloud("c", 30)]))
    imported.objects[0].hide_render = True
    api.add_legend(bpy.context.scene, imported.objects)
    before = picture(bpy, tmp_path)
    assert drawn(before, slice(None)) > 8
    add_cut(bpy.context.scene, imported.collection, Cut("sphere", size=(1e5,) * 3))
    assert np.array_equal(picture(bpy, tmp_path), before)


# --- options ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def imported(bpy: ModuleType, tmp_path: Path) -> Any:
    return load(bpy, write_session(tmp_path / "s.pickle", [cloud("c", 30)], [ball("b", (0, 0, 0))]))


def test_what_a_cut_is_set_to_is_read_back(bpy: ModuleType, imported: Any) -> None:
    from mosaic_addon.scene.figures.cuts import Cut, add_cut, cut_of, set_cut

    turn = (0.5, 0.5, 0.5, 0.5)
    options = Cut("box", (10.0, 20.0, 30.0), turn, (5.0, 6.0, 7.0), True, False, (1.0, 0.5, 0.25))
    cut = add_cut(bpy.context.scene, imported.collection, options)
    for wanted in (options, Cut("sphere", (1.0, 2.0, 3.0), size=(4.0,) * 3), half()):
        set_cut(cut, wanted)
        bpy.context.view_layer.update()
        read = cut_of(cut)
        for name in ("point", "rotation", "size"):
            assert getattr(read, name) == pytest.approx(getattr(wanted, name), abs=1e-3)
        kept = {name: getattr(wanted, name) for name in ("point", "rotation", "size")}
        assert replace(read, **kept) == wanted


def test_a_cut_rests_and_goes_on(bpy: ModuleType, imported: Any, tmp_path: Path) -> None:
    from mosaic_addon.scene.figures.cuts import add_cut, show_cut

    cut = add_cut(bpy.context.scene, imported.collection, half())
    faces = [len(part.corners) for part in parts_of(bpy, named(imported, "b"))]
    cut.hide_set(True)
    assert [len(part.corners) for part in parts_of(bpy, named(imported, "b"))] == faces
    cut.hide_viewport = True
    assert [len(part.corners) for part in parts_of(bpy, named(imported, "b"))] == faces
    show_cut(cut, False)
    assert cut.hide_render
    assert sum(len(part.corners) for part in parts_of(bpy, named(imported, "b"))) > 1.5 * sum(faces)
    show_cut(cut, True)
    assert [len(part.corners) for part in parts_of(bpy, named(imported, "b"))] == faces
    before = picture(bpy, tmp_path)
    cut.hide_render = True  # as by hand in the Outliner
    assert drawn(picture(bpy, tmp_path), RIGHT) > drawn(before, RIGHT)


def test_a_copy_of_a_cut_cuts_once_cuts_are_refreshed(bpy: ModuleType, imported: Any) -> None:
    from mosaic_addon.scene.figures.cuts import add_cut, refresh, remove_cut

    cut = add_cut(bpy.context.scene, imported.collection, half())
    copy = cut.copy()
    bpy.context.scene.collection.objects.link(copy)
    refresh(bpy.context.scene)
    remove_cut(cut)
    (part,) = parts_of(bpy, named(imported, "b"))
    assert len(part.corners) < 0.6 * len(sphere(150.0, np.zeros(3)).triangles)
    remove_cut(copy)
    assert "Mosaic Figure" not in bpy.data.collections


def test_a_fitting_cut_opens_the_side_that_is_seen(bpy: ModuleType, imported: Any) -> None:
    from mosaic_addon.scene.figures.cuts import add_cut, fitting_cut, remove_cut

    bpy.context.view_layer.update()
    whole = len(sphere(150.0, np.zeros(3)).triangles)
    for shape in ("plane", "box", "sphere"):
        cut = add_cut(bpy.context.scene, imported.collection, fitting_cut(imported.collection, shape, (1, 2, 4)))
        clouds = parts_of(bpy, named(imported, "c"))
        assert 0 < sum(len(part.points) for part in clouds) < 30
        assert sum(len(part.corners) for part in parts_of(bpy, named(imported, "b"))) <= whole
        remove_cut(cut)


def test_senseless_cuts_are_refused(bpy: ModuleType, imported: Any) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.figures.cuts import add_cut, cut_of, facing, spare

    scene = bpy.context.scene
    for options, words in (
        (half(shape="cone"), "'cone'"),
        (half(size=(1.0, 0.0, 1.0)), "size"),
        (half(point=(float("nan"), 0.0, 0.0)), "finite"),
    ):
        with pytest.raises(api.MosaicError, match=words):
            add_cut(scene, imported.collection, options)
    assert "Mosaic Figure" not in bpy.data.collections
    with pytest.raises(api.MosaicError, match="normal"):
        facing((0, 0, 0))
    for call in (lambda: cut_of(imported.root), lambda: spare(imported.objects, imported.root)):
        with pytest.raises(api.MosaicError, match="no cut"):
            call()


def test_there_are_only_so_many_cuts(bpy: ModuleType, imported: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.figures import cuts

    monkeypatch.setattr(cuts, "MOST", 3)
    made = [cuts.add_cut(bpy.context.scene, imported.collection, half()) for _ in range(3)]
    with pytest.raises(api.MosaicError, match="more than 3"):
        cuts.add_cut(bpy.context.scene, imported.collection, half())
    cuts.spare(imported.objects, made[2])
    assert [len(cuts.spared_by(cut, imported.objects)) for cut in made] == [0, 0, 2]
    cuts.remove_cut(made[0])
    assert cuts.spared_by(made[2], imported.objects) == imported.objects
    cuts.add_cut(bpy.context.scene, imported.collection, half())


@pytest.mark.parametrize(
    "text", ["", "no JSON", "[1]", '{"shape": 5, "cap": [1, "a", 2]}', '{"cap": [NaN, 1e999, 0]}', 7]
)
def test_a_cut_of_a_strangers_blend_is_read_all_the_same(bpy: ModuleType, imported: Any, text: object) -> None:
    from mosaic_addon.scene.figures.cuts import add_cut, cut_of, set_cut

    cut = add_cut(bpy.context.scene, imported.collection, half())
    cut["mosaic_cut"] = text
    assert cut_of(cut).shape == "plane"
    set_cut(cut, cut_of(cut))
