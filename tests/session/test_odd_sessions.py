"""Odd sessions open: what is odd is named in a warning, what is healthy beside it comes in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mosaic_addon.session import Session, open_session
from mosaic_addon.session.describe import describe_text
from mosaic_addon.session.plain_values import Kept
from mosaic_addon.session.session import UnknownModel
from tests.support.make_sessions import (
    MISSING,
    an_object,
    cloud,
    container,
    mesh,
    new_uuid,
    properties,
    some_points,
    trajectory,
    tree,
    triangular_mesh,
    volume,
    write_session,
)


@pytest.fixture(params=["pickle", "indexed", "protocol 4", "protocol 2"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A function that writes these clusters and opens them, in each layout and protocol."""

    def opened(*clusters: Any, **keys: Any) -> Session:
        layout = "indexed" if request.param == "indexed" else "pickle"
        protocol = int(request.param[-1]) if request.param.startswith("protocol") else 5
        return open_session(write_session(tmp_path / "odd.pickle", clusters, layout=layout, protocol=protocol, **keys))

    return opened


def only_warning(session: Session) -> str:
    assert len(session.warnings) == 1, session.warnings
    return session.warnings[0]


def test_a_healthy_session_has_no_warning(opened: Any) -> None:
    session = opened(cloud(), mesh(), volume(), trajectory())
    assert session.warnings == []
    assert [geometry.kind for geometry in session.geometries] == ["cluster", "mesh", "volume", "trajectory"]
    assert [geometry.name for geometry in session.geometries] == ["cloud", "mesh", "volume", "trajectory"]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_points_that_are_not_finite_are_counted(opened: Any, value: float) -> None:
    points = some_points(5)
    points[1, 2] = points[3, 0] = value
    session = opened(cloud("gone", points=points))
    assert only_warning(session) == "clusters 'gone': 2 of its 5 points are not finite and cannot be seen."
    np.testing.assert_array_equal(session.geometries[0].points, points)


def test_zero_quaternions_are_counted(opened: Any) -> None:
    quaternions = np.tile(np.float32([0, 1, 0, 0]), (4, 1))
    quaternions[2] = 0
    session = opened(cloud("turned", 4, quaternions=quaternions, representation="basis"))
    assert "'turned': 1 of its quaternions are zero" in only_warning(session)


def test_quaternions_that_are_not_numbers_are_counted(opened: Any) -> None:
    session = opened(cloud("turned", 4, quaternions=np.full((4, 4), np.nan)))
    assert "'turned': 4 of its quaternions" in only_warning(session)


@pytest.mark.parametrize("n", [0, 4, 6])
def test_a_property_of_the_wrong_length_is_left_out(opened: Any, n: int) -> None:
    columns = {"short": np.zeros(n), "right": np.arange(5)}
    session = opened(cloud("props", 5, vertex_properties=properties(5, columns)))
    assert "'props': its vertex property 'short'" in only_warning(session)
    assert list(session.geometries[0].vertex_properties) == ["right"]


@pytest.mark.parametrize(("key", "columns"), [("normals", 3), ("quaternions", 4)])
def test_vectors_of_the_wrong_length_are_left_out(opened: Any, key: str, columns: int) -> None:
    session = opened(cloud("vectors", 5, **{key: np.ones((4, columns))}))
    assert f"'vectors': it has 4 {key} for 5 points" in only_warning(session)
    assert getattr(session.geometries[0], key) is None


@pytest.mark.parametrize("value", ["hologram", "Surface", "", 7])
def test_an_unknown_representation_shows_points(opened: Any, value: Any) -> None:
    session = opened(cloud("strange", representation=value))
    assert "'strange': its representation" in only_warning(session)
    assert session.geometries[0].representation == "pointcloud"


@pytest.mark.parametrize("value", ["surface", "mesh", "wireframe", "volume"])
def test_a_representation_without_its_data_shows_points(opened: Any, value: str) -> None:
    session = opened(cloud("bare", representation=value))
    assert "'bare': it has no" in only_warning(session)
    assert session.geometries[0].representation == "pointcloud"


def test_missing_appearance_keys_are_mosaics_defaults(opened: Any) -> None:
    session = opened(
        cloud(appearance={}),
        cloud(appearance=MISSING),
        cloud(appearance={"size": 3}),
        cloud(cls="SegmentationGeometry", appearance={}, representation=MISSING),
        cloud(appearance={}, representation="gaussian_density"),
    )
    assert session.warnings == []
    looks = [geometry.appearance for geometry in session.geometries]
    assert [look.size for look in looks] == [8, 8, 3, 8, 8]
    assert [(look.ambient, look.diffuse, look.specular) for look in looks[:2]] == [(0.3, 0.7, 0.2)] * 2
    assert (looks[3].ambient, looks[3].diffuse, looks[3].specular) == (0.5, 0.7, 0.0)
    assert [look.render_spheres for look in looks] == [True, True, True, True, False]
    assert all(look.base_color == (0.7, 0.7, 0.7) and look.highlight_color == (0.8, 0.2, 0.2) for look in looks)


@pytest.mark.parametrize(
    ("key", "value"), [("size", "big"), ("opacity", float("nan")), ("base_color", (1, 2)), ("base_color", "red")]
)
def test_an_appearance_that_is_none_is_mosaics_default(opened: Any, key: str, value: Any) -> None:
    session = opened(cloud("painted", appearance={key: value}))
    assert f"'painted': its {key} is not" in only_warning(session)


def test_unknown_appearance_keys_are_kept(opened: Any) -> None:
    session = opened(cloud(appearance={"volume_path": "/tmp/x.mrc", "scale": None}))
    assert session.geometries[0].appearance.extra == {"volume_path": "/tmp/x.mrc", "scale": None}
    assert session.warnings == []


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1, True), (0, False), (True, True), (np.bool_(False), False), (np.int64(1), True), (None, True)],
)
def test_visible_may_be_any_number(opened: Any, value: Any, shown: bool) -> None:
    session = opened(cloud(visible=value))
    assert session.warnings == []
    assert session.geometries[0].visible is shown


def test_a_uuid_that_occurs_twice_is_named(opened: Any) -> None:
    twice = new_uuid()
    session = opened(cloud("first", uuid=twice), cloud("second", uuid=twice), _data_tree=tree([twice, twice]))
    assert "'second': another object has the same uuid" in only_warning(session)
    assert [item.name for item in session.clusters.items] == ["first", "second"]


@pytest.mark.parametrize("value", [MISSING, None, 7])
def test_a_missing_uuid_is_named(opened: Any, value: Any) -> None:
    session = opened(cloud("with"), cloud("without", uuid=value), _data_tree=tree([]))
    assert any("'without': it" in warning and "uuid" in warning for warning in session.warnings)
    assert not any("'with'" in warning for warning in session.warnings)
    assert len(session.geometries) == 2


def test_a_tree_that_names_unknown_uuids_keeps_its_order(opened: Any) -> None:
    last, first = cloud("last"), cloud("first")
    session = opened(last, first, _data_tree=tree([new_uuid(), first.uuid, last.uuid, new_uuid()]))
    assert only_warning(session) == "The tree of the clusters names 2 objects that the session does not hold."
    assert [item.name for item in session.clusters.items] == ["first", "last"]


def test_a_geometry_in_two_groups_stands_in_the_first(opened: Any) -> None:
    a, b = cloud("a"), cloud("b")
    groups = {"g": [a.uuid, a.uuid], "h": [a.uuid, b.uuid]}
    session = opened(a, b, _data_tree=tree(["g", "h", "g", a.uuid], groups, {"g": "G", "h": "H"}))
    assert [(group.name, [g.name for g in group.geometries]) for group in session.clusters.groups] == [
        ("G", ["a"]),
        ("H", ["b"]),
    ]
    assert session.warnings == []


def test_an_unknown_class_in_meta_is_named_and_kept(opened: Any) -> None:
    stranger = an_object("somelab.tools.Annotation", text="hello")
    session = opened(cloud("noted", meta={"note": stranger, "n": 1}))
    assert (
        only_warning(session)
        == "clusters 'noted': its meta holds a somelab.tools.Annotation, which is not shown, but kept for saving."
    )
    assert session.geometries[0].meta == {"name": "noted", "note": Kept("a somelab.tools.Annotation"), "n": 1}


def test_meta_that_holds_itself_is_cut_off(opened: Any) -> None:
    meta: dict[str, Any] = {}
    meta["self"] = meta
    session = opened(cloud("loop", meta=meta))
    assert "'loop': its meta holds more nested values" in only_warning(session)


def test_a_geometry_whose_meta_holds_the_geometry(opened: Any) -> None:
    odd = cloud("loop")
    odd.meta["self"] = odd
    session = opened(odd)
    assert session.geometries[0].meta["self"] == Kept("a mosaic.geometry.Geometry")


@pytest.mark.parametrize(
    "state",
    [
        {"points": MISSING},
        {"points": None},
        {"points": np.zeros((5, 2))},
        {"points": np.array([["a", "b", "c"]])},
        {"points": np.array([[None] * 3], object)},
        {"cls": "Hologram"},
        {"cls": "VolumeGeometry", "volume": np.zeros((3, 3))},
    ],
)
def test_one_damaged_object_does_not_keep_the_others_out(opened: Any, state: dict[str, Any]) -> None:
    session = opened(cloud("before"), cloud("broken", **state), mesh("after"))
    assert [geometry.name for geometry in session.geometries] == ["before", "after"]
    assert "clusters 'broken': not shown, but kept for saving, because" in only_warning(session)
    (damaged,) = session.clusters.damaged
    assert (damaged.index, damaged.name) == (1, "broken")
    assert damaged.node is session.clusters.node.fields()["data"][1]


def test_things_that_are_no_geometry_are_left_out(opened: Any) -> None:
    objects = [None, 5, {"points": 1}, an_object("mosaic.parametrization.Sphere", radius=1.0)]
    session = opened(_data=container([cloud("healthy"), *objects]), _data_tree=MISSING)
    assert [geometry.name for geometry in session.geometries] == ["healthy"]
    assert len(session.warnings) == len(session.clusters.damaged) == len(objects)


@pytest.mark.parametrize("rate", [np.zeros(3), np.array([1, -1, 1]), np.array([np.nan] * 3), 0.0, "x", np.ones(2)])
def test_a_sampling_rate_that_is_none_is_one_angstrom(opened: Any, rate: Any) -> None:
    session = opened(cloud("rate", sampling_rate=rate))
    assert "'rate': its sampling rate is not three positive numbers" in only_warning(session)
    assert session.geometries[0].sampling_rate.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("rate", "used", "told"),
    [
        (np.array([10.0, 10, -10]), [10, 10, 10], "10 angstrom is used"),
        (np.array([10.0, 10, 0], "f4"), [10, 10, 10], "10 angstrom is used"),
        ((0, 10, 20), [15, 10, 20], "15, 10 and 20 angstrom are used"),
        ([float("nan"), -3.5, float("inf")], [3.5, 3.5, 3.5], "3.5 angstrom is used"),
        (np.array([1e-30, 2, 2]), [2, 2, 2], "2 angstrom is used"),
        (np.array([1e30, 2, 2]), [2, 2, 2], "2 angstrom is used"),
        (-6.8, [6.8, 6.8, 6.8], "6.8 angstrom is used"),
        ((10, 10**40, 10), [10, 10, 10], "10 angstrom is used"),
    ],
)
@pytest.mark.parametrize("key", ["sampling_rate", "volume_sampling_rate"])
def test_the_good_numbers_of_a_sampling_rate_stay(
    opened: Any, key: str, rate: Any, used: list[float], told: str
) -> None:
    session = opened(volume("rate", **{key: rate}))
    assert only_warning(session) == f"clusters 'rate': its sampling rate is not three positive numbers; {told}."
    geometry = session.geometries[0]
    assert (geometry if key == "sampling_rate" else geometry.volume).sampling_rate.tolist() == used


@pytest.mark.parametrize(
    "rate",
    [6.8, [6.8, 6.8, 6.8], (6.8, 6.8, 6.8), np.float64(6.8), np.array(6.8), np.full(3, 6.8), np.full(3, 6.8, ">f8")],
)
def test_a_sampling_rate_may_be_written_in_many_ways(opened: Any, rate: Any) -> None:
    session = opened(cloud(sampling_rate=rate))
    assert session.warnings == []
    assert session.geometries[0].sampling_rate.tolist() == [6.8, 6.8, 6.8]


@pytest.mark.parametrize(
    "faces", [np.array([[0, 1, 9]]), np.array([[0, 1, -1]]), np.array([[0, 1, 2**32]]), np.zeros((1, 3)), None]
)
def test_a_mesh_with_wrong_faces_is_shown_as_points(opened: Any, faces: Any) -> None:
    session = opened(mesh("torn", model=triangular_mesh(triangles=faces)))
    assert all("'torn'" in warning for warning in session.warnings)
    assert len(session.warnings) == 2
    assert session.geometries[0].model == UnknownModel("TriangularMesh")
    assert session.geometries[0].representation == "pointcloud"


def test_an_unknown_fit_is_shown_as_points(opened: Any) -> None:
    session = opened(cloud("fit", model=an_object("mosaic.parametrization.Torus", radius=1.0)))
    assert only_warning(session) == "clusters 'fit': its model Torus is not known; it is shown as points."


def test_a_mesh_of_other_vertices_than_points_is_named(opened: Any) -> None:
    session = opened(mesh("cut", 6, model=triangular_mesh(4)))
    assert only_warning(session) == "clusters 'cut': its mesh has 4 vertices for 6 points."


def test_one_damaged_frame_does_not_keep_the_others_out(opened: Any) -> None:
    frames = [{"fit": triangular_mesh(), "filename": str(i), "vertex_properties": None} for i in range(3)]
    frames[1]["fit"] = triangular_mesh(triangles=np.array([[0, 1, 99]]))
    session = opened(trajectory("film", trajectory=frames))
    assert "'film': its frame 1 is not shown" in only_warning(session)
    assert [frame.filename for frame in session.geometries[0].frames] == ["0", "2"]


def test_a_trajectory_without_frames_is_a_mesh(opened: Any) -> None:
    session = opened(trajectory("film", trajectory=[]))
    assert "'film': it has no frames" in only_warning(session)
    assert session.geometries[0].frames is None
    assert session.geometries[0].kind == "mesh"


def test_the_same_container_for_clusters_and_models_is_read_once(opened: Any) -> None:
    shared = container([cloud("shared")])
    session = opened(_data=shared, _models=shared, _data_tree=MISSING, _models_tree=MISSING)
    assert [geometry.container for geometry in session.geometries] == ["clusters"]
    assert "models 'shared': not shown" in only_warning(session)


@pytest.mark.parametrize("name", [None, "", 5, MISSING])
def test_an_object_without_a_name_is_called_as_mosaic_calls_it(opened: Any, name: Any) -> None:
    session = opened(cloud(name), mesh(name))
    assert [geometry.name for geometry in session.geometries] == ["Cluster 0", "Cluster 1"]


def test_a_name_of_control_characters_cannot_forge_a_line(opened: Any) -> None:
    session = opened(cloud("a\nwarning: b\x1b[2J" + "x" * 10**5, representation="?"))
    assert len(only_warning(session)) < 300
    assert "\n" not in only_warning(session)
    assert "\x1b" not in only_warning(session)


UNSEEN = "\u202e\u2066\u200b\u200d\u2060\ufeff\u00ad\U000e0041\u2028\x1b\x07\x9b"


def test_what_cannot_be_seen_does_not_reach_the_terminal(opened: Any) -> None:
    odd = cloud(
        f"a{UNSEEN}b", representation=f"x{UNSEEN}", vertex_properties=properties(5, {f"p{UNSEEN}": np.zeros(5)})
    )
    groups = tree(["g"], {"g": [odd.uuid]}, {"g": f"G{UNSEEN}"})
    session = opened(odd, cloud("c", model=an_object(f"mosaic.parametrization.{'T' * 300}")), _data_tree=groups)
    text = describe_text(session)
    assert not set(text) & set(UNSEEN)
    assert "a            b" in text
    assert not any(set(warning) & set(UNSEEN) for warning in session.warnings)


def test_long_names_do_not_make_long_lines(opened: Any) -> None:
    long = "n" * 10_000
    columns = {f"{number}{long}": np.zeros(5) for number in range(50)}
    odd = cloud(long, vertex_properties=properties(5, columns))
    session = opened(odd, _data_tree=tree([long], {long: [odd.uuid]}, {long: long}))
    lines = describe_text(session).splitlines()
    assert max(map(len, lines)) < 2000
    assert [line.strip() for line in lines if line.startswith("  [")] == [f"[{'n' * 80}…]"]


def test_many_warnings_of_one_object_are_cut_short(opened: Any) -> None:
    columns = {f"p{i}": np.zeros(1) for i in range(50)}
    session = opened(cloud("wide", vertex_properties=properties(5, columns)), cloud("other", representation="?"))
    assert len(session.warnings) == 11
    assert session.warnings[9].endswith("; more is odd about it.")
    assert "'other'" in session.warnings[10]


def test_properties_that_are_no_numbers_and_no_text_are_left_out(opened: Any) -> None:
    columns = {
        "objects": np.array([{}] * 5, object),
        "list": [1, 2, 3, 4, 5],
        "text": np.array(["a"] * 5),
        "flag": np.ones(5, bool),
    }
    session = opened(cloud("mixed", vertex_properties=properties(5, columns)))
    assert list(session.geometries[0].vertex_properties) == ["text", "flag"]
    assert all("'mixed'" in warning for warning in session.warnings)
    assert len(session.warnings) == 2


def test_the_order_of_axes_does_not_matter(opened: Any) -> None:
    points = np.asfortranarray(some_points(7))
    assert opened(cloud(points=points)).geometries[0].points.tolist() == points.tolist()
    grid = np.asfortranarray(np.arange(24.0).reshape(2, 3, 4))
    np.testing.assert_array_equal(opened(volume(volume=grid)).geometries[0].volume.values, grid)
    turned = np.arange(24.0).reshape(2, 3, 4).transpose(1, 2, 0)
    np.testing.assert_array_equal(opened(volume(volume=turned)).geometries[0].volume.values, turned)


def test_empty_objects_open(opened: Any) -> None:
    session = opened(cloud("empty", 0), mesh("no faces", model=triangular_mesh(triangles=np.zeros((0, 3), int))))
    assert [len(geometry.points) for geometry in session.geometries] == [0, 4]
    assert session.warnings == []


def test_a_session_without_anything_opens(opened: Any) -> None:
    session = opened()
    assert session.geometries == []
    assert session.warnings == []
    assert opened(_models=MISSING, _models_tree=MISSING, _data_tree=MISSING, metadata=MISSING).shape is None


@pytest.mark.parametrize("name", ["__class__", "__setstate__", "__dict__", "__"])
def test_a_name_that_python_keeps_for_itself_is_told_and_kept(opened: Any, name: str) -> None:
    geometry = cloud(
        "odd",
        **{name: 1},
        model=an_object("mosaic.parametrization.Sphere", **{name: 1}, radius=1.0, center=np.zeros(3)),
    )
    session = opened(geometry, _models=container([], **{name: 2}), **{name: 3}, _data_tree=tree([geometry.uuid]))
    said = f"its attribute {name!r} has a name that Python keeps for itself; it is kept for saving."
    assert session.warnings == [
        f"session 'odd.pickle': {said}", f"clusters 'odd': {said}", f"clusters 'odd': {said}", f"container 'models': {said}",
    ]  # fmt: skip
    assert session.geometries[0].node.fields()[name] == 1


def test_an_attribute_that_mosaic_has_not_is_told_once(opened: Any) -> None:
    stranger = an_object("somelab.tools.Annotation", text="hello")
    clouds = [cloud(name, note=stranger) for name in "abc"]
    session = opened(*clouds, mesh("m", note=1), volume("v", note=1), extra=stranger)
    assert session.warnings == [
        "session 'odd.pickle': Mosaic is not known to have its attribute 'extra', which is kept for saving.",
        "clusters 'a': Mosaic is not known to have its attribute 'note', which is kept for saving.",
        "clusters 'v': Mosaic is not known to have its attribute 'note', which is kept for saving.",
    ]


@pytest.mark.parametrize("key", ["visible", "target_resolution", "lower_quantile"])
def test_a_name_of_something_foreign_where_a_number_stands_is_told(opened: Any, key: str) -> None:
    session = opened(volume("v", **{key: an_object("somelab.tools.Annotation")}))
    assert only_warning(session) == f"clusters 'v': its {key} is not a number; Mosaic's default is used."


def test_what_is_foreign_in_an_appearance_is_told(opened: Any) -> None:
    session = opened(cloud("a", appearance={"theme": an_object("somelab.tools.Theme")}), cloud("b", appearance=[1]))
    assert session.warnings == [
        "clusters 'a': its appearance holds a somelab.tools.Theme, which is not shown, but kept for saving.",
        "clusters 'b': its appearance is no dict; Mosaic's defaults are used.",
    ]
