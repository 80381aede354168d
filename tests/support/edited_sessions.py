"""Session files unpickled, changed in one place and pickled again, to hold comparisons to what they must find.

state = load_editable(path)
geometries(state)["plain cloud"]["points"][0, 0] += 1
path.write_bytes(dumps(state, protocol=4))
"""

from __future__ import annotations

import copyreg
import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.support import make_sessions


class Kept:
    """An object of any class, with its state in the form that the file gave it."""

    args: tuple[Any, ...] = ()
    state: Any = None

    def __new__(cls, *args: Any) -> Kept:
        made = super().__new__(cls)
        made.args = args
        return made

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __reduce_ex__(self, protocol: Any) -> Any:
        return copyreg.__newobj__, (type(self), *self.args), self.state


class BoundMethod:
    """`getattr(object, name)` as scipy's Rbf is pickled with it."""

    def __init__(self, *args: Any) -> None:
        self.args = args

    def __reduce__(self) -> Any:
        return getattr, self.args


class Editable(pickle.Unpickler):
    """A trusted file's content, with `Kept` for all classes but numpy's."""

    def find_class(self, module: str, name: str) -> Any:
        if name in ("_reconstruct", "scalar"):
            return super().find_class(
                "numpy.core.multiarray" if np.__version__ < "2" else "numpy._core.multiarray", name
            )
        if name == "_frombuffer":
            return lambda data, dtype, shape, order, *axes: (
                np.frombuffer(data, dtype).reshape(shape, order=order).copy(order)
            )
        if module in ("numpy", "_codecs"):
            return super().find_class(module, name)
        if name == "getattr":
            return BoundMethod
        if module in ("builtins", "__builtin__"):
            return super().find_class("builtins", name)
        path = f"{module}.{name}"
        if path not in make_sessions._classes:
            make_sessions._classes[path] = type(name, (Kept,), {"__module__": module, "__qualname__": name})
        return make_sessions._classes[path]


def load_editable(path: Path) -> dict[str, Any]:
    """The state of a bare pickle. Objects are `Kept`: their attributes are `.state`."""
    known, make_sessions._classes = make_sessions._classes, {}
    try:
        return Editable(io.BytesIO(path.read_bytes())).load()
    finally:
        make_sessions._classes = known


def dumps(state: Any, protocol: int = 5) -> bytes:
    """Pickle what `load_editable` gave."""
    classes: dict[str, type] = {}
    seen: set[int] = set()
    todo = [state]
    while todo:
        value = todo.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Kept):
            classes[f"{type(value).__module__}.{type(value).__qualname__}"] = type(value)
            todo += (value.args, value.state)
        elif isinstance(value, BoundMethod):
            todo.append(value.args)
        elif isinstance(value, type) and issubclass(value, Kept):
            classes[f"{value.__module__}.{value.__qualname__}"] = value
        elif isinstance(value, dict):
            todo += value.values()
        elif isinstance(value, (list, tuple)):
            todo += value
    known, make_sessions._classes = make_sessions._classes, classes
    try:
        return make_sessions.dumps(state, protocol)
    finally:
        make_sessions._classes = known


def geometries(state: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The states of the geometries by name; of equal names the last."""
    found = [item.state for key in ("_data", "_models") for item in state[key].state["data"]]
    return {item["meta"].get("name", ""): item for item in found}


def reordered(entries: dict[str, Any]) -> None:
    """Move the first key of a dict to its end."""
    key = next(iter(entries))
    entries[key] = entries.pop(key)


def set_item(part: Callable[[dict[str, Any]], Any], key: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    """An edit: `part(state)[key]` becomes `value`, or `value(old)`."""

    def edit(state: dict[str, Any]) -> None:
        target = part(state)
        target[key] = value(target[key]) if callable(value) else value

    return edit


def of(name: str, *keys: Any) -> Callable[[dict[str, Any]], Any]:
    """What lies at `keys` in the geometry of that name."""

    def part(state: dict[str, Any]) -> Any:
        value: Any = geometries(state)[name]
        for key in keys:
            value = value.state if isinstance(value, Kept) else value
            value = value[key]
        return value.state if isinstance(value, Kept) else value

    return part


def one_ulp(value: Any) -> Any:
    return np.nextafter(value, value.dtype.type(np.inf))


PROPS = "oriented, coloured, props"
# One change each of the session that Mosaic 1.3.2 wrote: what a user of Mosaic has after loading is another thing.
EDITS: dict[str, Callable[[dict[str, Any]], None]] = {
    "a point, by the last bit": set_item(of("plain cloud", "points"), (7, 1), one_ulp),
    "a normal": set_item(of("normals", "normals"), (0, 2), 0.5),
    "a quaternion": set_item(of("basis", "quaternions"), (3, 0), 0.25),
    "sampling rate": set_item(of("plain cloud", "sampling_rate"), 2, lambda value: value * 2),
    "visible": set_item(of("hidden"), "visible", True),
    "representation": set_item(of("gaussian"), "representation", "pointcloud"),
    "opacity": set_item(of("plain cloud", "appearance"), "opacity", 0.5),
    "kind of opacity": set_item(of("plain cloud", "appearance"), "opacity", 1),
    "kind of size": set_item(of("plain cloud", "appearance"), "size", np.int64(8)),
    "base colour": set_item(of("plain cloud", "appearance"), "base_color", (0.7, 0.7, 0.6)),
    "an unknown key of the appearance": set_item(of("plain cloud", "appearance"), "scale", 1.0),
    "name": set_item(of("plain cloud", "meta"), "name", "Plain cloud"),
    "a key of the meta dropped": lambda state: of(PROPS, "meta")(state).pop("none"),
    "order of the meta": lambda state: reordered(of(PROPS, "meta")(state)),
    "deep in the meta": lambda state: of(PROPS, "meta", "nested", "a")(state).append(1),
    "kind of a number in the meta": set_item(of(PROPS, "meta"), "np_f64", float),
    "minus zero in the meta": set_item(of(PROPS, "meta"), "np_f64", np.float64(-0.0)),
    "a vertex property's value": set_item(of(PROPS, "vertex_properties", "_properties", "label"), 0, 99),
    "a vertex property's type": set_item(
        of(PROPS, "vertex_properties", "_properties"), "label_i32", lambda column: column.astype(np.int64)
    ),
    "a vertex property dropped": lambda state: of(PROPS, "vertex_properties", "_properties")(state).pop("vec"),
    "order of the vertex properties": lambda state: reordered(of(PROPS, "vertex_properties", "_properties")(state)),
    "a NaN that is none": set_item(
        of(PROPS, "vertex_properties", "_properties"), "with_nan", lambda column: np.nan_to_num(column)
    ),
    "a uuid": set_item(of("plain cloud"), "uuid", "00000000-0000-4000-8000-000000000000"),
    "a uuid lost": lambda state: of("plain cloud")(state).pop("uuid"),
    "order of the geometries": lambda state: state["_data"].state["data"].reverse(),
    "a geometry lost": lambda state: state["_models"].state["data"].pop(),
    "a vertex of a mesh": set_item(of("TriangularMesh surface", "model", "vertices"), (0, 0), one_ulp),
    "a triangle": set_item(of("TriangularMesh surface", "model", "triangles"), (0, slice(None)), [1, 2, 3]),
    "radius of a sphere": set_item(of("Sphere", "model"), "radius", one_ulp),
    "a weight of an RBF": set_item(of("RBF xy", "model", "rbf", "nodes"), 3, one_ulp),
    "direction of an RBF": set_item(of("RBF xz", "model"), "direction", "yz"),
    "a position of a spline": set_item(of("SplineCurve order3", "model", "positions"), (0, 0), one_ulp),
    "a voxel": set_item(of("volume quat", "volume"), (0, 0, 0), 77.0),
    "sampling rate of a volume": set_item(of("volume res20", "volume_sampling_rate"), 0, lambda value: value + 1),
    "target resolution": set_item(of("volume res20"), "target_resolution", 21.0),
    "a vertex of a frame": set_item(of("trajectory", "trajectory", 2, "fit", "vertices"), (0, 0), one_ulp),
    "a filename of a frame": set_item(of("trajectory", "trajectory", 2), "filename", "other.vtu"),
    "order of the frames": lambda state: of("trajectory", "trajectory")(state).reverse(),
    "a point of a segmentation": set_item(of("segmentation", "points"), (0, 0), lambda value: value + 1),
    "shape": set_item(lambda state: state["metadata"]["shape"], 0, 925),
    "physical shape": set_item(lambda state: state["metadata"]["physical_shape"], 0, one_ulp),
    "colour of a container": set_item(lambda state: state["_data"].state, "highlight_color", (0.8, 0.2, 0.3)),
    "order of the tree": lambda state: state["_data_tree"].state["root_items"].reverse(),
    "a group's name": lambda state: (
        state["_data_tree"]
        .state["group_names"]
        .update(dict.fromkeys(state["_data_tree"].state["group_names"], "other"))
    ),
    "a member of a group": lambda state: next(iter(state["_models_tree"].state["groups"].values())).pop(),
    "something kept in a container": set_item(lambda state: state["_data"].state, "more", {"kept": 1}),
}
# Those that Mosaic 1.3.2 does not let through, but other releases or a later one may.
FILE_EDITS: dict[str, Callable[[dict[str, Any]], None]] = {
    "kind of visible": set_item(of("hidden"), "visible", 0),
    "an unknown attribute of a geometry": set_item(of("hidden"), "later", [1, 2]),
    "order of the attributes of a geometry": lambda state: reordered(of("hidden")(state)),
    "an unknown key of the state": set_item(lambda state: state, "later", None),
    "type of the points": set_item(of("plain cloud"), "points", lambda points: points.astype(np.float64)),
}
