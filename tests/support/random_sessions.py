"""Sessions of all kinds of objects, drawn by hypothesis: small, odd in their names and values, each sound in itself."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.support import make_sessions as make

Draw = Callable[..., Any]
LATIN = st.sampled_from(["Membrane", "cluster", "a", "A", "Membrane.001", "x" * 70, "ä" * 70, "1", "points", "None"])
ODD = st.text(st.characters(exclude_categories=()), max_size=12)
NAMES = LATIN | ODD
HUNDREDTHS = st.integers(0, 100).map(lambda number: number / 100)
SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | ODD
META = st.dictionaries(
    st.sampled_from(["note", "größe", "n", "fit_rate", "cycles", "location", "mosaic_name"]) | ODD.filter(lambda key: key not in ("name", "fit")),
    SCALARS | st.lists(SCALARS, max_size=3) | st.tuples(SCALARS, SCALARS) | st.dictionaries(ODD, SCALARS, max_size=2) | st.binary(max_size=5)
    | st.sets(st.integers(0, 5)) | st.sampled_from([np.float32(0.5), np.int64(-3), np.arange(3), np.eye(2)]),
    max_size=3,
)  # fmt: skip
COLUMNS = st.dictionaries(
    st.sampled_from(["label", "curvature", "position", "id", "normals"]) | ODD,
    st.sampled_from(["<f4", "<f8", ">f8", "<f2", "<i4", "<i8", "u1", "?", "<U4", "S3", "<u4", "3<f4", "2<i8", "4<f8"]),
    max_size=2,
)
KINDS = ("cloud", "mesh", "sphere", "ellipsoid", "cylinder", "unknown", "volume", "segmentation", "trajectory")


def unit_rows(random: np.random.Generator, n: int, width: int, dtype: str) -> np.ndarray:
    """(n, width) directions of length 1, none of whose numbers is zero."""
    rows = random.uniform(0.1, 1, (n, width)) * random.choice([-1.0, 1.0], (n, width))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(dtype)


def column(random: np.random.Generator, n: int, code: str) -> np.ndarray:
    """Values of one vertex property, of all sizes."""
    shape = (n, int(code[0])) if code[0].isdigit() else (n,)
    dtype = np.dtype(code[1:] if code[0].isdigit() else code)
    if dtype.kind in "US":
        return random.choice(["", "a", "ab", "abc"], shape).astype(dtype)
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return random.integers(limits.min, limits.max, shape, dtype.newbyteorder("="), endpoint=True).astype(dtype)
    if dtype.kind == "b":
        return random.random(shape) < 0.5
    return random.normal(0, 1000, shape).astype(dtype)


def model_of(kind: str, random: np.random.Generator, points: np.ndarray) -> Any:
    """The fit of an object of this kind."""
    path = f"mosaic.parametrization.{kind.capitalize()}"
    axes = np.linalg.qr(random.normal(size=(3, 3)))[0]
    if kind in ("mesh", "trajectory"):
        around = np.arange(1, len(points) - 1)
        triangles = np.stack([np.zeros_like(around), around, around + 1], axis=1).astype(np.int32)
        fine = points.astype(np.float64) + random.choice([0, 1e-9], points.shape)
        return make.an_object("mosaic.parametrization.TriangularMesh", vertices=fine, triangles=triangles)
    if kind == "sphere":
        return make.an_object(path, radius=float(random.uniform(1, 9)), center=random.normal(size=3))
    if kind == "ellipsoid":
        return make.an_object(path, radii=random.uniform(1, 9, 3), center=random.normal(size=3), orientations=axes)
    if kind == "cylinder":
        return make.an_object(path, centers=random.normal(size=3), orientations=axes, radius=2.5, height=7.25)
    return (
        make.an_object("mosaic.parametrization.FutureModel", secret=[1, {"a": (2, 3)}]) if kind == "unknown" else None
    )


@st.composite
def geometries(draw: Draw) -> Any:
    """One object of a session."""
    kind = draw(st.sampled_from(KINDS))
    surface = kind in ("mesh", "trajectory")
    n = draw(st.integers(4 if surface else 1 if kind == "segmentation" else 0, 7))
    random = np.random.default_rng(draw(st.integers(0, 9999)))
    points = random.uniform(-500, 500, (n, 3)).astype(draw(st.sampled_from(["<f4", "<f4", "<f8"])))
    if draw(st.booleans()):
        points = np.asfortranarray(points)
    columns = {name: column(random, n, code) for name, code in draw(COLUMNS).items()}
    size = draw(st.sampled_from([8, 2, 0, 12.5]))
    look = {
        "size": size, "opacity": draw(HUNDREDTHS), "ambient": draw(HUNDREDTHS), "render_spheres": draw(st.booleans()),
        "base_color": (draw(HUNDREDTHS), draw(HUNDREDTHS), draw(HUNDREDTHS)),
    }  # fmt: skip
    rate = draw(st.sampled_from(["<f4", "<f8"]))
    state: dict[str, Any] = {
        "points": points,
        "meta": draw(META),
        "appearance": {**make.APPEARANCE, **look, **draw(st.sampled_from([{}, {"volume_path": "x"}, {"scale": None}]))},
        "visible": draw(st.booleans()),
        "sampling_rate": np.array([draw(st.sampled_from([1, 6.8, 13.33]))] * 3, rate),
        "vertex_properties": make.properties(n, columns),
        "representation": draw(
            st.sampled_from(["surface", "mesh", "wireframe"] if surface else ["pointcloud", "gaussian_density"])
        ),
    }
    if kind != "segmentation":
        fine = draw(st.sampled_from(["<f4", "<f8"]))
        state["normals"] = unit_rows(random, n, 3, fine) if draw(st.booleans()) else None
        state["quaternions"] = unit_rows(random, n, 4, fine) if draw(st.booleans()) else None
        state["model"] = model_of(kind, random, points)
    name = draw(NAMES)
    if kind == "volume":
        values = random.random((3, 4, 5)).astype(draw(st.sampled_from(["<f4", "<f8", "<i2"])))
        state |= {"volume": values, "representation": "volume", "quaternions": unit_rows(random, n, 4, "<f4")}
        return make.volume(name, n, **state)
    if kind == "segmentation":
        state |= {"representation": make.MISSING, "normals": make.MISSING, "quaternions": make.MISSING}
        return make.cloud(name, n, "SegmentationGeometry", **state)
    if kind == "trajectory":
        steps = [
            {
                "fit": model_of(kind, random, points + np.float32(number)),
                "filename": f"{number}.vtu",
                "vertex_properties": make.properties(n, {}),
            }
            for number in range(draw(st.integers(1, 3)))
        ]
        return make.trajectory(name, n, **{**state, "trajectory": steps, "model": steps[0]["fit"]})
    return make.cloud(name, n, **state)


def twin(obj: Any, name: str) -> Any:
    """Another object that differs from `thing` in its points, its name and its uuid only, as thousands do in a session."""
    other = copy.deepcopy(obj)
    state = vars(other)
    state["uuid"] = make.new_uuid()
    state["meta"]["name"] = name
    state["points"][...] += 1
    if "vertices" in getattr(state.get("model"), "__dict__", ()):
        vars(state["model"])["vertices"][...] += 1
    return other


@st.composite
def sessions(draw: Draw, most: int = 3) -> dict[str, Any]:
    """The state of a session, with some of its objects in groups."""
    keys: dict[str, Any] = {}
    objects = []
    for container in ("_data", "_models"):
        several = draw(st.lists(geometries(), max_size=most))
        several += [twin(obj, draw(NAMES)) for obj in several for _ in range(draw(st.integers(0, 2)))]
        uuids = [vars(obj)["uuid"] for obj in several]
        groups: dict[str, list[str]] = {}
        roots: list[str] = []
        for uuid in draw(st.permutations(uuids)):
            if draw(st.booleans()):
                roots.append(uuid)
            else:
                group = f"{container} group {draw(st.integers(0, 1))}"
                roots += [group] if group not in groups else []
                groups.setdefault(group, []).append(uuid)
        keys[f"{container}_tree"] = make.tree(roots, groups, {group: draw(NAMES.filter(bool)) for group in groups})
        objects.append(several)
    return make.session_state(*objects, **keys)
