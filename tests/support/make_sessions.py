"""Sessions made to measure: Mosaic's layout, written by Python's own pickle from stand-ins for Mosaic's classes.

    write_session(path, clusters=[cloud("odd", points=np.full((3, 3), np.nan))])

Every state is that of Mosaic 1.3.2 unless a keyword says otherwise; `state_key=MISSING` leaves a key out.
"""

from __future__ import annotations

import contextlib
import json
import pickle
import struct
import sys
import types
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

MISSING = object()
APPEARANCE = {
    "size": 8,
    "opacity": 1.0,
    "ambient": 0.3,
    "diffuse": 0.7,
    "specular": 0.2,
    "render_spheres": True,
    "base_color": (0.7, 0.7, 0.7),
    "highlight_color": (0.8, 0.2, 0.2),
}

_classes: dict[str, type] = {}
_uuids = count(1)


def stand_in(path: str) -> type:
    """The class that pickles under `path`, such as "mosaic.geometry.Geometry"."""
    if path not in _classes:
        module, _, name = path.rpartition(".")
        _classes[path] = type(name, (), {"__module__": module, "__qualname__": name})
    return _classes[path]


def an_object(path: str, state: Mapping[str, Any] | None = None, **more: Any) -> Any:
    """An object of the class `path` with these attributes."""
    made = stand_in(path)()
    made.__dict__.update({key: value for key, value in {**(state or {}), **more}.items() if value is not MISSING})
    return made


@contextlib.contextmanager
def classes_importable() -> Iterator[None]:
    """The stand-ins in `sys.modules`, where pickle looks for them, and nothing left of them afterwards."""
    hidden = {}
    made = {}
    for path, cls in _classes.items():
        parts = path.split(".")[:-1]
        for depth in range(1, len(parts) + 1):
            name = ".".join(parts[:depth])
            if name not in made:
                made[name] = types.ModuleType(name)
                if name in sys.modules:
                    hidden[name] = sys.modules[name]
        setattr(made[".".join(parts)], cls.__name__, cls)
    try:
        sys.modules.update(made)
        yield
    finally:
        for name in made:
            del sys.modules[name]
        sys.modules.update(hidden)


def dumps(value: Any, protocol: int = 5) -> bytes:
    with classes_importable():
        return pickle.dumps(value, protocol)


# --- parts -----------------------------------------------------------------------------------------------------------


def new_uuid() -> str:
    return f"00000000-0000-4000-8000-{next(_uuids):012x}"


def some_points(n: int) -> np.ndarray:
    return np.random.default_rng(n).uniform(0, 1000, (n, 3)).astype(np.float32)


def properties(n: int, columns: Mapping[str, Any]) -> Any:
    return an_object("mosaic.formats.records.VertexPropertyContainer", _n_vertices=n, _properties=dict(columns))


def cloud(name: str | object = "cloud", n: int = 5, cls: str = "Geometry", **state: Any) -> Any:
    """A geometry; `meta` and `appearance` add to the usual keys, everything else replaces."""
    points = state.pop("points", some_points(n))
    meta = state.pop("meta", {})
    if name is not MISSING and type(meta) is dict:
        meta = {"name": name, **meta}
    usual = {
        "points": points,
        "normals": None,
        "quaternions": None,
        "sampling_rate": np.array([6.8, 6.8, 6.8], np.float32),
        "model": None,
        "meta": meta,
        "vertex_properties": properties(n, {}),
        "visible": True,
        "appearance": dict(APPEARANCE),
        "representation": "pointcloud",
        "uuid": new_uuid(),
    }
    return an_object(f"mosaic.geometry.{cls}", {**usual, **state})


def triangular_mesh(n: int = 4, cls: str = "TriangularMesh", **state: Any) -> Any:
    """A fan of n - 2 triangles over n vertices."""
    around = np.arange(1, n - 1)
    triangles = np.stack([np.zeros_like(around), around, around + 1], axis=1).astype(np.int32)
    usual = {"vertices": some_points(n).astype(np.float64), "triangles": triangles}
    return an_object(f"mosaic.parametrization.{cls}", {**usual, **state})


def mesh(name: str = "mesh", n: int = 4, **state: Any) -> Any:
    model = state.pop("model", triangular_mesh(n))
    return cloud(name, n, **{"model": model, "representation": "surface", **state})


def volume(name: str = "volume", n: int = 3, **state: Any) -> Any:
    usual = {
        "representation": "volume",
        "quaternions": np.tile(np.float32([1, 0, 0, 0]), (n, 1)),
        "volume": np.random.default_rng(1).random((4, 5, 6), np.float32),
        "volume_sampling_rate": np.array([10, 10, 10], np.float32),
        "lower_quantile": 0.0,
        "upper_quantile": 0.99,
        "target_resolution": 20.0,
    }
    return cloud(name, n, "VolumeGeometry", **{**usual, **state})


def trajectory(name: str = "trajectory", n: int = 4, frames: int = 3, **state: Any) -> Any:
    steps = [
        {"fit": triangular_mesh(n), "filename": f"{i}.vtu", "vertex_properties": properties(n, {"step": np.full(n, i)})}
        for i in range(frames)
    ]
    return mesh(name, n, **{"cls": "GeometryTrajectory", "trajectory": steps, **state})


# --- whole sessions --------------------------------------------------------------------------------------------------


def container(geometries: Sequence[Any], highlight_color: tuple[float, ...] = (0.8, 0.2, 0.2), **state: Any) -> Any:
    usual = {"data": list(geometries), "base_color": (0.7, 0.7, 0.7), "highlight_color": highlight_color}
    return an_object("mosaic.container.DataContainer", {**usual, **state})


def tree(root_items: Sequence[Any], groups: Any = None, group_names: Any = None) -> Any:
    return an_object(
        "mosaic.tree_state.TreeStateData",
        groups=groups or {},
        group_names=group_names or {},
        root_items=list(root_items),
    )


def session_state(clusters: Sequence[Any] = (), models: Sequence[Any] = (), **keys: Any) -> dict[str, Any]:
    """The dict that a session is; `keys` replace its entries (`_data`, `_models_tree`, `metadata`, …)."""
    usual = {
        "metadata": {"shape": np.array([100, 100, 50]), "physical_shape": np.array([680.0, 680.0, 340.0])},
        "_data": container(clusters),
        "_models": container(models, (0.2, 0.4, 0.8)),
        "_data_tree": tree([vars(item)["uuid"] for item in clusters if "uuid" in vars(item)]),
        "_models_tree": tree([vars(item)["uuid"] for item in models if "uuid" in vars(item)]),
    }
    return {key: value for key, value in {**usual, **keys}.items() if value is not MISSING}


def session_bytes(clusters: Sequence[Any] = (), models: Sequence[Any] = (), protocol: int = 5, **keys: Any) -> bytes:
    return dumps(session_state(clusters, models, **keys), protocol)


def indexed_bytes(state: bytes, index: Mapping[str, Any] | None = None, **sections: tuple[str, bytes]) -> bytes:
    """The indexed layout around a pickle; sections are name=(encoding, bytes), `index` replaces entries of the index."""
    blobs = {"state": ("pickle", state), **sections}
    entries = {name: {"offset": 0, "size": len(blob), "encoding": kind} for name, (kind, blob) in blobs.items()}
    whole = {"format_version": 1, "version": "1.3.2", "sections": entries, **(index or {})}
    length = len(json.dumps(whole)) + 20 * len(blobs)  # room for the offsets
    offset = 4 + length
    for name, (_, blob) in blobs.items():
        entries[name]["offset"] = offset
        offset += len(blob)
    text = json.dumps(whole).encode().ljust(length)
    return struct.pack(">I", length) + text + b"".join(blob for _, blob in blobs.values())


def write_session(
    path: str | Path,
    clusters: Sequence[Any] = (),
    models: Sequence[Any] = (),
    layout: str = "pickle",
    protocol: int = 5,
    **keys: Any,
) -> Path:
    data = session_bytes(clusters, models, protocol, **keys)
    Path(path).write_bytes(indexed_bytes(data) if layout == "indexed" else data)
    return Path(path)
