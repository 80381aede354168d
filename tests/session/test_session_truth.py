"""Sessions of every release, compared with what Mosaic itself read from them, value by value."""

from __future__ import annotations

import io
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mosaic_addon.session import Container, Group, Session, open_session, pickle_reader
from mosaic_addon.session.describe import describe
from mosaic_addon.session.session import RBF, Cylinder, Ellipsoid, Geometry, Mesh, Sphere, SplineCurve

FOLDER = Path(__file__).parents[1] / "sessions"
FILES = sorted(path.name for path in FOLDER.iterdir() if path.suffix in (".pickle", ".mosaic"))
WITHOUT_VOLUMES = ("mosaic-1.0.0", "mosaic-1.0.11")  # Mosaic 1.0 says pointcloud of volumes
DESCRIBED = ["file", "layout", "release", "sections", "shape", "warnings", "geometries"]
DESCRIBED_GEOMETRY = (
    "container index name uuid class representation model points faces frames visible group appearance vertex_properties meta"
).split()


class AsInFile(pickle.Unpickler):
    """Python's own unpickler, with `StandIn` for every class but numpy's: what a file of ours, which we trust, holds.

    The truth is what Mosaic had after reading. It fills in some values, which this reads as they are.
    """

    def find_class(self, module: str, name: str) -> Any:
        if name in ("_reconstruct", "scalar"):
            return super().find_class(
                "numpy.core.multiarray" if np.__version__ < "2" else "numpy._core.multiarray", name
            )
        if name == "_frombuffer":
            return lambda data, dtype, shape, order, *axes: np.frombuffer(data, dtype).reshape(shape, order=order)
        if module == "numpy" or module == "_codecs":
            return super().find_class(module, name)
        return (lambda *args: None) if name == "getattr" else StandIn


class StandIn:
    def __new__(cls, *args: Any, **kwargs: Any) -> StandIn:
        return super().__new__(cls)

    def __setstate__(self, state: Any) -> None:
        for part in state if isinstance(state, tuple) else (state,):
            self.__dict__.update(part or {})


class Opened:
    """A session and its truth."""

    def __init__(self, name: str) -> None:
        self.stem = name.rpartition(".")[0]
        self.session = open_session(FOLDER / name)
        self.truth = json.loads((FOLDER / f"{self.stem}.truth.json").read_text())
        with np.load(FOLDER / f"{self.stem}.truth.npz") as arrays:
            self.arrays = dict(arrays)
        state = AsInFile(io.BytesIO((FOLDER / f"{self.stem}.pickle").read_bytes())).load()
        self.in_file = [vars(item) for key in ("_data", "_models") for item in state[key].data]

    def pairs(self) -> list[tuple[Geometry, dict[str, Any]]]:
        """Each geometry with its truth; every geometry of the truth has one."""
        pairs = []
        for key in ("_data", "_models"):
            truths = self.truth[key]["geometries"]
            assert len(self.session[key]) == len(truths)
            pairs += list(zip(self.session[key], truths, strict=True))
        return pairs

    def value(self, truth: Any) -> Any:
        """What the JSON of the truth stands for."""
        if isinstance(truth, list):
            return [self.value(item) for item in truth]
        if not isinstance(truth, dict):
            return truth
        if "npz" in truth:
            return self.arrays[truth["npz"]]
        if "__ndarray__" in truth:
            return np.array(truth["__ndarray__"], truth["dtype"])
        if "__npscalar__" in truth:
            return np.dtype(truth["dtype"]).type(truth["__npscalar__"])
        if "__tuple__" in truth:
            return tuple(self.value(truth["__tuple__"]))
        return {key: self.value(item) for key, item in truth.items()}


@pytest.fixture(scope="module", params=FILES)
def opened(request: pytest.FixtureRequest) -> Opened:
    return Opened(request.param)


def assert_same_array(actual: Any, expected: Any, what: str) -> None:
    if expected is None:
        assert actual is None, what
        return
    assert actual is not None, what
    assert actual.dtype == expected.dtype, what
    np.testing.assert_array_equal(actual, expected, err_msg=what)  # exact; NaN where NaN is


def test_there_is_a_file_of_every_release_and_both_layouts() -> None:
    releases = {"colabseg", "1.0.0", "1.0.11", "1.1.1", "1.2.4", "1.3.2"}
    assert {f"mosaic-{release}.pickle" for release in releases} <= set(FILES)
    assert {"mosaic-1.2.4.mosaic", "mosaic-1.3.2.mosaic"} <= set(FILES)


def test_names_classes_uuids_and_visibility(opened: Opened) -> None:
    for geometry, truth in opened.pairs():
        assert geometry.index == truth["index"]
        assert geometry.class_name == truth["class"].rpartition(".")[2]
        assert geometry.uuid == truth["uuid"]
        assert geometry.visible is truth["visible"]
        if truth["name"] is not None:
            assert geometry.name == truth["name"]
        else:
            assert geometry.name == f"{'Cluster' if geometry.container == 'clusters' else 'Model'} {geometry.index}"


def test_representations(opened: Opened) -> None:
    for geometry, truth in opened.pairs():
        expected = truth["representation"]
        if geometry.volume is not None and opened.stem in WITHOUT_VOLUMES:
            expected = "volume"
        if expected == "pointcloud_normals":
            expected = "normals"
        if geometry.name == "cloud as surface":  # there is no mesh in it
            expected = "pointcloud"
        assert geometry.representation == expected, geometry.name


def test_appearances(opened: Opened) -> None:
    for (geometry, truth), state in zip(opened.pairs(), opened.in_file, strict=True):
        look = geometry.appearance
        for key, expected in opened.value(truth["appearance"]).items():
            actual = getattr(look, key) if hasattr(look, key) else look.extra[key]
            if key == "isovalue_percentile" and key not in state["appearance"]:
                assert actual is None  # Mosaic chooses when it draws
                continue
            if key == "isovalue_percentile" and opened.stem in ("mosaic-colabseg", "mosaic-1.0.0") and expected <= 1:
                expected *= 100  # a fraction until 1.0.9
            if isinstance(expected, tuple):
                assert actual == pytest.approx(expected), (geometry.name, key)
            elif isinstance(expected, float):
                assert actual == pytest.approx(expected, rel=1e-12), (geometry.name, key)
            else:
                assert actual == expected, (geometry.name, key)


def test_arrays_are_exact(opened: Opened) -> None:
    for (geometry, truth), state in zip(opened.pairs(), opened.in_file, strict=True):
        for key in ("points", "normals", "quaternions"):
            assert_same_array(getattr(geometry, key), state.get(key), f"{key} of {geometry.name}")
        np.testing.assert_array_equal(geometry.sampling_rate, state["sampling_rate"].astype(np.float64))
        # And as Mosaic has them, but for what it makes up while it reads: meshes and normals that the file lacks.
        np.testing.assert_allclose(geometry.sampling_rate, opened.value(truth["sampling_rate"]), rtol=1e-6)
        if geometry.name != "cloud as surface":
            assert_same_array(geometry.points, opened.value(truth["points"]), f"points of {geometry.name}")
            if geometry.normals is not None:
                np.testing.assert_allclose(geometry.normals, opened.value(truth["normals"]), atol=1e-6)
            if geometry.quaternions is not None:
                np.testing.assert_allclose(geometry.quaternions, opened.value(truth["quaternions"]), atol=1e-6)


def test_vertex_properties_are_exact(opened: Opened) -> None:
    for geometry, truth in opened.pairs():
        expected = opened.value(truth.get("vertex_properties") or {})
        assert list(geometry.vertex_properties) == list(expected), geometry.name
        for name, column in expected.items():
            assert_same_array(geometry.vertex_properties[name], column, f"{name} of {geometry.name}")


def test_volumes_are_exact(opened: Opened) -> None:
    for geometry, truth in opened.pairs():
        expected = truth.get("volume")
        if expected is None:
            assert geometry.volume is None, geometry.name
            continue
        volume = geometry.volume
        assert volume is not None, geometry.name
        assert_same_array(volume.values, opened.value(expected["data"]), geometry.name)
        np.testing.assert_array_equal(volume.sampling_rate, opened.value(expected["sampling_rate"]).astype(np.float64))
        for key in ("lower_quantile", "upper_quantile", "target_resolution"):
            if expected[key] is not None and key in truth["state_keys"]:
                assert getattr(volume, key) == pytest.approx(expected[key], rel=1e-12), (geometry.name, key)


def test_models_are_exact(opened: Opened) -> None:
    for geometry, truth in opened.pairs():
        assert_same_model(opened, geometry.model, truth["model"])


def assert_same_model(opened: Opened, model: Any, truth: dict[str, Any] | None) -> None:
    if truth is None:
        assert model is None
        return
    expected = opened.value({key: value for key, value in truth.items() if key not in ("_splines", "sample40")})
    assert model.class_name == expected["class"].rpartition(".")[2]
    if "vertices" in expected:
        assert isinstance(model, Mesh)
        assert model.triangles.dtype == np.int32
        for key in ("vertices", "triangles", "vertex_normals", "vertex_colors"):
            actual = getattr(model, key)
            if key in expected or key in ("vertices", "triangles"):
                np.testing.assert_array_equal(actual, expected[key], err_msg=key)
            if key in expected and key != "triangles":
                assert actual.dtype == expected[key].dtype
    elif isinstance(model, Sphere):
        assert (model.radius, *model.center) == (expected["radius"], *expected["center"])
    elif isinstance(model, Ellipsoid):
        for key in ("radii", "center", "orientations"):
            np.testing.assert_array_equal(getattr(model, key), expected[key], err_msg=key)
    elif isinstance(model, Cylinder):
        for key in ("centers", "orientations", "radius", "height"):
            np.testing.assert_array_equal(getattr(model, key), expected[key], err_msg=key)
    elif isinstance(model, RBF):
        for key in ("xi", "nodes", "epsilon", "function"):
            np.testing.assert_array_equal(getattr(model, key), expected["rbf"][key], err_msg=key)
        np.testing.assert_array_equal(model.grid, np.array(expected["grid"]))
        assert model.direction == expected["direction"]
    else:
        assert isinstance(model, SplineCurve)
        assert_same_array(model.positions, expected["positions"], "positions")
        assert len(truth["_splines"]) == len(model.splines) == 3
        kind = "cubic" if truth["_splines"][0].endswith("CubicSpline") else "bspline"
        assert {spline.kind for spline in model.splines} == {kind}


def test_splines_are_exact(opened: Opened) -> None:
    for (geometry, _), state in zip(opened.pairs(), opened.in_file, strict=True):
        if not isinstance(geometry.model, SplineCurve):
            continue
        fit = state.get("model") or state["meta"]["fit"]
        for spline, expected in zip(geometry.model.splines, map(vars, fit._splines), strict=True):
            if spline.kind == "bspline":
                knots, coefficients, degree = expected["_eval_args"]
            else:
                knots, coefficients, degree = (
                    expected.get("_x", expected.get("x")),
                    expected.get("_c", expected.get("c")),
                    3,
                )
            np.testing.assert_array_equal(spline.knots, knots)
            np.testing.assert_array_equal(spline.coefficients, coefficients)
            assert spline.degree == degree


def test_trajectories_have_every_frame(opened: Opened) -> None:
    for (geometry, truth), state in zip(opened.pairs(), opened.in_file, strict=True):
        expected = truth.get("trajectory")
        if expected is None:
            assert geometry.frames is None
            continue
        assert geometry.frames is not None
        assert len(geometry.frames) == len(expected["items"]) == expected["frames"]
        for frame, step, in_file in zip(geometry.frames, expected["items"], state["trajectory"], strict=True):
            assert frame.filename == step["filename"]
            assert_same_model(opened, frame.mesh, step["fit"])
            columns = in_file["vertex_properties"]._properties if "vertex_properties" in in_file else {}
            assert list(frame.vertex_properties) == list(columns)
            for name, column in columns.items():
                assert_same_array(frame.vertex_properties[name], column, f"{name} of {frame.filename}")


def test_meta_is_kept_whole(opened: Opened) -> None:
    for geometry, truth in opened.pairs():
        expected = {key: value for key, value in truth["meta"].items() if key != "cplx"}
        missing = set(expected) - set(geometry.meta) - {"fit", "faces"}
        assert not missing, geometry.name
        for key, value in expected.items():
            assert_same_meta(opened, geometry.meta.get(key), value, f"{geometry.name}: {key}")


def assert_same_meta(opened: Opened, actual: Any, truth: Any, where: str) -> None:
    if not isinstance(truth, dict):
        if isinstance(truth, list):
            assert type(actual) is list, where
            assert len(actual) == len(truth), where
            for one, other in zip(actual, truth, strict=True):
                assert_same_meta(opened, one, other, where)
        else:
            assert actual == truth, where
            assert type(actual) is type(truth), where
    elif "__object__" in truth:
        return  # kept, not interpreted
    elif "__bytes__" in truth:
        assert actual == bytes.fromhex(truth["__bytes__"]), where
    elif "__set__" in truth:
        assert type(actual) in (set, frozenset), where
        assert sorted(map(repr, actual)) == sorted(truth["__set__"]), where
    elif "__npscalar__" in truth:
        assert isinstance(actual, np.generic), where
        assert actual.dtype == np.dtype(truth["dtype"]), where
        assert actual == truth["__npscalar__"], where
    elif "__ndarray__" in truth:
        if isinstance(truth["__ndarray__"], str):
            assert f"shape {actual.shape}" == truth["__ndarray__"], where
        else:
            np.testing.assert_array_equal(actual, truth["__ndarray__"], err_msg=where)
        assert actual.dtype == np.dtype(truth["dtype"]), where
    elif "__tuple__" in truth:
        assert type(actual) is tuple, where
        for one, other in zip(actual, truth["__tuple__"], strict=True):
            assert_same_meta(opened, one, other, where)
    else:
        assert type(actual) is dict, where
        assert list(map(str, actual)) == list(truth), where
        for one, other in zip(actual.values(), truth.values(), strict=True):
            assert_same_meta(opened, one, other, where)


def test_groups_and_order_are_those_of_the_tree(opened: Opened) -> None:
    for key in ("_data", "_models"):
        container: Container = opened.session[key]
        tree = opened.truth["state_keys"].get(f"{key}_tree")
        placed = [geometry for item in container.items for geometry in members(item)]
        assert sorted(map(id, placed)) == sorted(map(id, container.geometries))
        if tree is None:
            assert container.items == container.geometries
        elif tree["class"].endswith("TreeStateData"):
            assert [item.uuid for item in container.items] == tree["root_items"]
            assert {group.uuid: group.name for group in container.groups} == tree["group_names"]
            assert {group.uuid: uuids(group) for group in container.groups} == tree["groups"]
        else:
            order = sorted((opened.value(place)[0], uuid) for uuid, place in tree["root_order"].items())
            assert [item.uuid for item in container.items] == [uuid for _, uuid in order]
            assert {group.name: uuids(group) for group in container.groups} == tree["groups"]


def members(item: Geometry | Group) -> list[Geometry]:
    return item.geometries if isinstance(item, Group) else [item]


def uuids(group: Group) -> list[str | None]:
    return [geometry.uuid for geometry in group.geometries]


def test_shape_and_colours_of_the_session(opened: Opened) -> None:
    state = opened.value(opened.truth["state_keys"])
    if "metadata" in state:
        assert opened.session.physical_shape == tuple(state["metadata"]["physical_shape"])
        state = state["metadata"]
    expected = tuple(state["shape"])
    assert opened.session["shape"] == opened.session.shape == expected
    assert opened.session["metadata"]["shape"] == expected
    for key in ("_data", "_models"):
        colours = opened.value(opened.truth[key]["attributes"])
        assert opened.session[key].base_color == colours["base_color"]
        assert opened.session[key].highlight_color == colours["highlight_color"]


def test_parts_by_mosaics_own_keys(opened: Opened) -> None:
    session = opened.session
    assert session["_data"] is session["data"] is session.clusters
    assert session["_models"] is session["models"] is session.models
    assert session["_data"].data == session.clusters.geometries
    with pytest.raises(KeyError):
        session["no such part"]


@pytest.mark.parametrize("release", ["1.2.4", "1.3.2"])
def test_both_layouts_hold_the_same(release: str) -> None:
    def text(session: Session) -> str:
        described = describe(session)
        for key in ("file", "layout", "sections", "release"):
            del described[key]
        return json.dumps(described)

    bare, indexed = open_session(FOLDER / f"mosaic-{release}.pickle"), open_session(FOLDER / f"mosaic-{release}.mosaic")
    assert (bare.layout, indexed.layout) == ("pickle", "indexed")
    assert indexed.release == release
    assert set(indexed.sections) >= {"thumbnail"}
    assert bytes(indexed.sections["thumbnail"].data[1:4]) == b"PNG"
    assert text(bare) == text(indexed)
    for one, other in zip(bare.geometries, indexed.geometries, strict=True):
        assert_same_array(one.points, other.points, one.name)


@pytest.mark.parametrize("window", [4096, 5000, 70_000])
def test_a_file_read_in_small_pieces_is_the_same(opened: Opened, window: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickle_reader, "WINDOW", window)
    pieces = open_session(opened.session.path)
    assert describe(pieces) == describe(opened.session)
    for one, other in zip(pieces.geometries, opened.session.geometries, strict=True):
        assert_same_array(one.points, other.points, one.name)
        for name, column in other.vertex_properties.items():
            assert_same_array(one.vertex_properties[name], column, name)


def test_the_releases_are_told_apart() -> None:
    told = {name: open_session(FOLDER / name).release for name in FILES}
    assert told == {
        "mosaic-colabseg.pickle": "colabseg",
        "mosaic-1.0.0.pickle": "1.0.0-1.0.10",
        "mosaic-1.0.11.pickle": "1.0.11-1.0.16",
        "mosaic-1.1.1.pickle": "1.1.0-1.2.3",
        "mosaic-1.2.4.pickle": "1.2.4",
        "mosaic-1.2.4.mosaic": "1.2.4",
        "mosaic-1.3.2.pickle": "1.3",
        "mosaic-1.3.2.mosaic": "1.3.2",
    }


def test_sessions_that_mosaic_wrote_open_without_warnings(opened: Opened) -> None:
    assert [warning for warning in opened.session.warnings if "'cloud as surface'" not in warning] == []


def test_description_has_these_keys_and_is_json(opened: Opened) -> None:
    described = describe(opened.session)
    assert list(described) == DESCRIBED
    assert json.loads(json.dumps(described, allow_nan=False)) == described
    assert described["layout"] == opened.session.layout
    assert (described["sections"][:1] == ["state"]) is (opened.session.layout == "indexed")
    groups = {
        id(geometry): group.name
        for part in ("_data", "_models")
        for group in opened.session[part].groups
        for geometry in group.geometries
    }
    for entry, (geometry, truth) in zip(described["geometries"], opened.pairs(), strict=True):
        assert list(entry) == DESCRIBED_GEOMETRY
        assert entry["points"] == len(geometry.points)
        assert entry["class"] == truth["class"].rpartition(".")[2]
        assert entry["group"] == groups.get(id(geometry))
        assert entry["frames"] == (truth["trajectory"]["frames"] if "trajectory" in truth else None)
        assert entry["faces"] == (
            len(opened.value(truth["model"]["triangles"])) if "triangles" in (truth["model"] or {}) else None
        )
        for name, column in opened.value(truth.get("vertex_properties") or {}).items():
            assert entry["vertex_properties"][name] == {
                "dtype": column.dtype.str if column.dtype.kind == "U" else column.dtype.name,
                "shape": list(column.shape),
            }
