"""The arrays of a geometry by name, and the numbers of a model for people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mosaic_addon.session import Geometry, open_session
from mosaic_addon.session.arrays import arrays_of
from mosaic_addon.session.decode_models import parameters_of
from mosaic_addon.session.pickle_reader import read_pickle
from mosaic_addon.session.session import Mesh
from tests.support.make_sessions import (
    MISSING,
    an_object,
    cloud,
    dumps,
    mesh,
    properties,
    trajectory,
    triangular_mesh,
    volume,
    write_session,
)

FILES = sorted((Path(__file__).parents[1] / "sessions").glob("*.pickle"))


def expected(geometry: Geometry) -> dict[str, Any]:
    """The arrays that a geometry has, by their names."""
    found: dict[str, Any] = {}
    for number, frame in enumerate(geometry.frames or ()):
        start = f"frames/{number}/"
        found |= of_mesh(frame.mesh, start)
        found |= {f"{start}columns/{name}": values for name, values in frame.vertex_properties.items()}
    for name in ("points", "normals", "quaternions"):
        found[name] = getattr(geometry, name)
    found |= {f"columns/{name}": values for name, values in geometry.vertex_properties.items()}
    found["volume"] = None if geometry.volume is None else geometry.volume.values
    if isinstance(geometry.model, Mesh):
        found |= of_mesh(geometry.model, "")
    return {name: values for name, values in found.items() if values is not None}


def of_mesh(mesh: Mesh, start: str) -> dict[str, Any]:
    return {f"{start}{name}": getattr(mesh, name) for name in ("vertices", "triangles", "vertex_normals")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_array_of_a_real_session_has_its_name(path: Path) -> None:
    for geometry in open_session(path).geometries:
        found = {name: node.values for name, node in arrays_of(geometry)}
        assert list(found) == list(expected(geometry))
        for name, values in expected(geometry).items():
            np.testing.assert_array_equal(found[name], values)


def test_arrays_that_were_not_understood_have_none(tmp_path: Path) -> None:
    odd = [
        cloud("short", 3, normals=np.zeros((2, 3)), quaternions=np.zeros((3, 3)), vertex_properties=None),
        cloud("columns", 3, vertex_properties=properties(3, {"a": np.zeros(3), "b": np.zeros(2), "c/d": np.ones(3)})),
        volume("volume", 3, volume=None),
        mesh("mesh", 4, model=MISSING, meta={"fit": triangular_mesh(4, vertex_normals=np.zeros((3, 3)))}),
        mesh("bad mesh", 4, model=triangular_mesh(4, triangles=np.array([[0, 1, 9]]))),
        trajectory("film", 4, trajectory=[{"fit": None}, {"fit": triangular_mesh(4)}]),
    ]
    session = open_session(write_session(tmp_path / "s.pickle", odd))
    names = {geometry.name: [name for name, _ in arrays_of(geometry)] for geometry in session.geometries}
    assert names == {
        "short": ["points"],
        "columns": ["points", "columns/a", "columns/c/d"],
        "volume": ["points", "quaternions"],
        "mesh": ["points", "vertices", "triangles"],
        "bad mesh": ["points"],
        "film": ["frames/0/vertices", "frames/0/triangles", "points", "vertices", "triangles"],
    }


# --- models ----------------------------------------------------------------------------------------------------------

AXES = np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]])
CENTER = np.array([1.0, 2, 3])
RBF = {
    "rbf": an_object("scipy.interpolate._rbf.Rbf", xi=np.zeros((2, 40)), nodes=np.zeros(40), epsilon=2, function="linear", norm="euclidean"),
    "grid": ((0, 10), (5, 20)), "direction": "xz",
}  # fmt: skip
SPLINE = an_object("scipy.interpolate._cubic.CubicSpline", c=np.zeros((4, 1)), x=np.array([0.0, 1]))


@pytest.mark.parametrize(
    ("name", "state", "parameters"),
    [
        ("Sphere", {"radius": 250, "center": CENTER}, {"Radius": 250.0, "Centre": [1, 2, 3]}),
        (
            "Ellipsoid",
            {"radii": np.array([3.0, 4, 5]), "center": CENTER, "orientations": AXES},
            {"Radii": [3, 4, 5], "Centre": [1, 2, 3], "Axis 1": [0, 0, 1], "Axis 2": [1, 0, 0], "Axis 3": [0, 1, 0]},
        ),
        (
            "Cylinder",
            {"radius": 5.0, "height": np.float32(40), "centers": CENTER, "orientations": AXES},
            {"Radius": 5.0, "Height": 40.0, "Centre": [1, 2, 3], "Axis": [0, 1, 0]},
        ),
        (
            "RBF",
            RBF,
            {"Function": "linear", "Epsilon": 2.0, "Grid": [[0, 10], [5, 20]], "Plane": "xz", "Fitted to": 40},
        ),
        ("SplineCurve", {"positions": np.zeros((7, 3)), "_splines": [SPLINE] * 3}, {"Fitted to": 7}),
        ("Sphere", {"radius": "large", "center": CENTER}, {}),
        ("Teapot", {"radius": 250, "center": CENTER}, {}),
        ("TriangularMesh", vars(triangular_mesh()), {}),
    ],
)
@pytest.mark.parametrize("is_old", [False, True], ids=["model", "fit in the meta"])
def test_the_numbers_of_a_model(name: str, state: dict[str, Any], parameters: dict[str, Any], is_old: bool) -> None:
    fit = an_object(f"mosaic.parametrization.{name}", state)
    geometry = cloud(model=MISSING, meta={"fit": fit}) if is_old else cloud(model=fit)
    found = parameters_of(read_pickle(dumps(geometry)))
    plain = {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in found.items()}
    assert plain == parameters
    assert [(key, type(value)) for key, value in plain.items()] == [(k, type(v)) for k, v in parameters.items()]


def test_nothing_is_said_of_what_was_not_fitted() -> None:
    assert parameters_of(read_pickle(dumps(cloud()))) == {}
