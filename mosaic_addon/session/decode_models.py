"""Nodes -> models, the shapes that were fitted to geometries.

The decoders of single models raise DamageError for numbers that make no such shape.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .budget import VALUE, Budget
from .errors import MosaicError
from .nodes import Node, ObjectNode
from .reading import DamageError, Item, Reading, array, floats, need, rows
from .releases import MODEL_MODULE
from .session import RBF, Cylinder, Ellipsoid, Mesh, Model, Sphere, Spline, SplineCurve, UnknownModel
from .values import fit_of, number_of, three_of


def decode_model(node: Node, item: Item) -> Model | None:
    """Read a model. A damaged or unknown one becomes an UnknownModel, with a warning; what is no object, None."""
    if type(node) is not ObjectNode:
        item.warn("its model is in no known form; it is not shown")
        return None
    name, fields = node.cls.name, item.entries(node)
    try:
        if node.cls.module == MODEL_MODULE:
            item.warn_of_names(name, fields)
            if "vertices" in fields and "triangles" in fields:
                return decode_mesh(name, fields, item)
            if name in MODELS:
                return MODELS[name](name, fields, item)
        item.warn(f"its model {name} is not known; it is shown as points")
    except DamageError as damage:
        item.warn(f"its model {name} is damaged, {damage}; it is shown as points")
    return UnknownModel(name)


def decode_mesh(name: str, fields: dict[str, Node], item: Item) -> Mesh:
    """Read a triangle mesh from its attributes. Raises DamageError unless its triangles are among its vertices."""
    vertices = need(array(fields.get("vertices"), "vertices", width=3), "vertices")
    faces = need(array(fields.get("triangles"), "triangles", width=3), "triangles")
    n = len(vertices)
    item.budget.spend(VALUE + faces.nbytes)
    if faces.dtype.kind not in "iu":
        raise DamageError("its triangles are not whole numbers")
    if faces.size and not (0 <= int(faces.min()) and int(faces.max()) < n):
        raise DamageError("its triangles name vertices that it does not have")
    triangles = np.ascontiguousarray(faces, np.int32)
    normals = rows(fields.get("vertex_normals"), "vertex normals", n, 3, item)
    colors = rows(fields.get("vertex_colors"), "vertex colours", n, 3, item)
    return Mesh(name, vertices, triangles, normals, colors)


def _sphere(name: str, fields: dict[str, Node], item: Item) -> Model:
    return Sphere(name, _size(fields, "radius"), _vector(fields, "center"))


def _ellipsoid(name: str, fields: dict[str, Node], item: Item) -> Model:
    return Ellipsoid(name, _vector(fields, "radii"), _vector(fields, "center"), _matrix(fields, "orientations"))


def _cylinder(name: str, fields: dict[str, Node], item: Item) -> Model:
    axes = _matrix(fields, "orientations")
    return Cylinder(name, _vector(fields, "centers"), axes, _size(fields, "radius"), _size(fields, "height"))


def _rbf(name: str, fields: dict[str, Node], item: Item) -> Model:
    inner = item.entries(fields.get("rbf"))
    xi = floats(inner.get("xi"), "sites", item)
    weights = floats(inner.get("nodes"), "weights", item)
    if xi.ndim != 2 or weights.ndim != 1 or xi.shape[1] != len(weights):
        raise DamageError("its sites and weights do not fit")
    if inner.get("norm") != "euclidean":
        raise DamageError("its norm is not the euclidean one")
    function, direction = inner.get("function"), fields.get("direction")
    if type(function) is not str or type(direction) is not str or direction not in ("xy", "xz", "yz"):
        raise DamageError("its function or direction is not known")
    return RBF(name, xi, weights, _size(inner, "epsilon"), function, _grid(fields.get("grid")), direction)


def _grid(node: Node) -> NDArray[np.float64]:
    """Read ((lowest, highest), (lowest, highest)) as (2, 2)."""
    ranges = node if type(node) in (tuple, list) and len(node) == 2 else ()
    numbers = [number_of(limit) for pair in ranges if type(pair) in (tuple, list) and len(pair) == 2 for limit in pair]
    if len(numbers) != 4 or None in numbers:
        raise DamageError("its grid is not two ranges")
    return np.array(numbers, np.float64).reshape(2, 2)


def _spline_curve(name: str, fields: dict[str, Node], item: Item) -> Model:
    positions = need(array(fields.get("positions"), "positions", width=3), "positions")
    nodes = fields.get("_splines")
    if type(nodes) is not list or len(nodes) != 3:
        raise DamageError("it has not three splines")
    x, y, z = (_spline(node, item) for node in nodes)
    return SplineCurve(name, positions, (x, y, z))


def _spline(node: Node, item: Item) -> Spline:
    """Read a spline of scipy: B-splines have (t, c, k) in `_eval_args`, cubic ones `c` and `x`, or `_c` and `_x`."""
    fields = item.entries(node)
    evaluation = fields.get("_eval_args")
    if type(evaluation) is tuple and len(evaluation) == 3:
        knots, coefficients = floats(evaluation[0], "knots", item), floats(evaluation[1], "coefficients", item)
        degree = number_of(evaluation[2])
        if knots.ndim == coefficients.ndim == 1 and degree in (1, 2, 3, 4, 5) and (np.diff(knots) >= 0).all():
            k = int(degree)
            if len(knots) >= 2 * k + 2 and len(coefficients) >= len(knots) - k - 1 and knots[k] < knots[-k - 1]:
                return Spline("bspline", knots, coefficients, k)
    else:
        knots = floats(fields.get("_x", fields.get("x")), "knots", item)
        coefficients = floats(fields.get("_c", fields.get("c")), "coefficients", item)
        if knots.ndim == 1 and coefficients.shape == (4, len(knots) - 1) and (np.diff(knots) > 0).all():
            return Spline("cubic", knots, coefficients, 3)
    raise DamageError("a spline is in no known form")


def _size(fields: dict[str, Node], key: str) -> float:
    value = number_of(fields.get(key))
    if value is None:
        raise DamageError(f"its {key} is not a number")
    return value


def _vector(fields: dict[str, Node], key: str) -> NDArray[np.float64]:
    values = three_of(fields.get(key))
    if values is None:
        raise DamageError(f"its {key} is not three numbers")
    return np.array(values, np.float64)


def _matrix(fields: dict[str, Node], key: str) -> NDArray[np.float64]:
    values = need(array(fields.get(key), key, width=3), key)
    if values.shape != (3, 3) or not np.isfinite(values).all():
        raise DamageError(f"its {key} are not three axes")
    return values.astype(np.float64)


MODELS: dict[str, Callable[[str, dict[str, Node], Item], Model]] = {
    "Sphere": _sphere,
    "Ellipsoid": _ellipsoid,
    "Cylinder": _cylinder,
    "RBF": _rbf,
    "SplineCurve": _spline_curve,
}


def parameters_of(geometry: ObjectNode) -> dict[str, float | int | str | NDArray[np.float64]]:
    """Return the numbers of a geometry's parametric model by names for people; empty without one that can be read.

    Lengths and positions are angstrom, axes unit vectors. A whole number counts the points that it was fitted to.
    """
    fit = fit_of(geometry)
    if fit is None or fit.cls.module != MODEL_MODULE or fit.cls.name not in MODELS:
        return {}
    item = Item(Reading(Budget(0), []), "", "")
    try:
        model = MODELS[fit.cls.name](fit.cls.name, item.entries(fit), item)
    except (DamageError, MosaicError):
        return {}
    match model:
        case Sphere():
            return {"Radius": float(model.radius), "Centre": model.center}
        case Ellipsoid():
            axes = {f"Axis {number}": axis for number, axis in enumerate(model.orientations.T, 1)}
            return {"Radii": model.radii, "Centre": model.center, **axes}
        case Cylinder():
            lengths = {"Radius": float(model.radius), "Height": float(model.height)}
            return {**lengths, "Centre": model.centers, "Axis": model.orientations[:, 2]}
        case RBF():
            return {
                "Function": model.function,
                "Epsilon": float(model.epsilon),
                "Grid": model.grid,
                "Plane": model.direction,
                "Fitted to": len(model.nodes),
            }
        case SplineCurve():
            return {"Fitted to": len(model.positions)}
    return {}
