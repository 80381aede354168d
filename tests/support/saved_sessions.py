"""Sessions that are opened in Blender, edited and saved there, for the tests of saving."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from mosaic_addon.session import open_session
from mosaic_addon.session.compare import compare
from tests.support.make_sessions import (
    MISSING,
    an_object,
    cloud,
    mesh,
    properties,
    some_points,
    trajectory,
    tree,
    triangular_mesh,
    volume,
)

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "sessions"
NEWEST = FOLDER / "mosaic-1.3.2.pickle"
FILES = sorted(path for path in FOLDER.iterdir() if path.suffix in (".pickle", ".mosaic"))
FILES.append(ROOT / "docs" / "examples" / "virion.pickle")


class Opened:
    """A session in Blender's current scene, and the file that it came from."""

    def __init__(self, bpy: ModuleType, path: Path) -> None:
        from mosaic_addon import api

        self.bpy = bpy
        self.path = path
        self.collection = api.load(path).collection

    @classmethod
    def from_blend(cls, bpy: ModuleType, blend: Path) -> Opened:
        """The only session of a .blend, which takes the place of the current one: quicker than to open the session."""
        from mosaic_addon import api

        bpy.ops.wm.open_mainfile(filepath=str(blend))
        opened = cls.__new__(cls)
        opened.bpy = bpy
        (opened.collection,) = api.sessions_in(bpy.context.scene)
        opened.path = Path(opened.collection["mosaic_session"]["file"])
        return opened

    @property
    def root(self) -> Any:
        """The empty that all hangs on."""
        return next(obj for obj in self.collection.all_objects if "mosaic_pixel_size" in obj)

    def __getitem__(self, name: str) -> Any:
        """The first object of that name in the session."""
        return next(obj for obj in self.collection.all_objects if obj.get("mosaic_name") == name)

    def container(self, name: str) -> Any:
        """The collection of the "clusters" or "models"."""
        return next(child for child in self.collection.children if child.get("mosaic_container") == name)

    def group(self, name: str) -> Any:
        """The collection of a group."""
        return next(c for c in self.collection.children_recursive if c.get("mosaic_group", {}).get("name") == name)

    def save(self, path: Path, **options: Any) -> Any:
        """Save as the user does; `options` are those of `ExportOptions`."""
        from mosaic_addon import api

        return api.save(self.collection, path, api.ExportOptions(**options))

    def unsaved(self) -> list[str]:
        """What is said to be not saved yet."""
        from mosaic_addon import api

        return api.unsaved_changes(self.collection, self.bpy.context.scene, self.bpy.context.view_layer)


def differences(left: Path, right: Path) -> list[str]:
    """What our own comparison finds, one text each."""
    return [str(difference) for difference in compare(open_session(left), open_session(right))]


def what_differs(left: Path, right: Path) -> list[tuple[str, str]]:
    """Where our own comparison finds differences, and of what, without the values."""
    return [(difference.where, difference.what) for difference in compare(open_session(left), open_session(right))]


# --- odd sessions ----------------------------------------------------------------------------------------------------


def units(n: int, width: int, dtype: str) -> np.ndarray:
    """(n, width) rows of length 1."""
    values = np.random.default_rng(width).normal(size=(n, width))
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(dtype)


def odd_meta() -> dict[Any, Any]:
    """All kinds of values that a meta may hold."""
    endless: list[Any] = [1]
    endless.append(endless)
    ring: dict[str, Any] = {}
    ring["self"] = ring
    shared = {"x": [1, 2]}
    return {
        "tuple": (1, "a", (2.5,)), "set": {1, "b", (1, 2)}, "frozenset": frozenset([3]), "bytes": b"\0\xff",
        "bytearray": bytearray(b"ab"), "f4": np.float32(1.5), "i8": np.int64(-3), "bool": np.bool_(True), "huge": 10**30,
        "negative": -(2**100), "complex": 1 + 2j, "none": None, "no keys": {}, "no items": [], "no tuple": (),
        "range": range(3), "slice": slice(1, None), "mixed": [1, "a", 2.5, None], "nested": {"a": {"b": [{"c": 1}]}},
        "array": np.arange(5), "long": np.arange(10000.0), "nan": float("nan"), "inf": float("inf"), "minus zero": -0.0,
        3: "a number", (1, 2): "a tuple", None: "nothing", "k" * 80: "long key", "lone \ud800": "surrogate \udfff",
        "endless": endless, "ring": ring, "shared": shared, "again": shared, "text": np.str_("abc"),
        "dtype": np.dtype("f4"), "date": np.datetime64("2020-01-01"), "mosaic_uuid": "not the uuid", "cycles": 3,
        "location": (1, 2, 3), "2d": np.eye(3), "objects": np.array([1, "a", None], object),
    }  # fmt: skip


def odd_columns() -> dict[str, np.ndarray]:
    """All kinds of vertex properties of four points."""
    return {
        "text": np.array(["a", "b€", "", "c d"]), "bytes": np.array([b"a", b"bb", b"", b"\xff"]),
        "two": np.arange(8.0).reshape(4, 2) / 3, "text of two": np.array([["a", "b"]] * 4), "cube": np.zeros((4, 2, 2)),
        "complex": np.zeros(4, complex), "bool": np.array([1, 0, 1, 1], bool), "u8": np.full(4, 2**64 - 1, "u8"),
        "i8": np.arange(4) - 2**62, "u1": np.arange(4, dtype="u1"), "f2": np.arange(4, dtype="f2"),
        "third": np.arange(4.0) / 3, "position": np.arange(4.0), "id": np.arange(4), "normals": np.arange(4),
        "radius": np.arange(4.0), ".hidden": np.arange(4), "n" * 100: np.arange(4), "nan": np.array([np.nan, -0.0, 1, np.inf]),
        "fortran": np.asfortranarray(np.arange(12.0).reshape(4, 3)), "": np.arange(4), "one": np.zeros((4, 1)), "nine": np.ones((4, 9)),
    }  # fmt: skip


def odd_sessions() -> dict[str, dict[str, Any]]:
    """Sessions that Mosaic loads but no release writes, as arguments of `write_session`."""
    return {**odd_arrays(), **odd_values(), **odd_trees()}


def odd_arrays() -> dict[str, dict[str, Any]]:
    values = np.random.default_rng(0).random((6, 6, 6), np.float32)
    points = some_points(5)
    f8 = {"points": np.random.default_rng(1).uniform(0, 1000, (7, 3))}
    return {
        "float64": {
            "clusters": [
                cloud(
                    "a", 7, **f8, normals=units(7, 3, "f8"), quaternions=units(7, 4, "f8"), sampling_rate=np.array([1.1, 2.2, 3.3])
                ),
                cloud("half", 7, points=some_points(7).astype("f2"), normals=units(7, 3, "f2")),
                *[cloud(dtype, 7, points=some_points(7).astype(dtype)) for dtype in ("i4", "i8", "u2")],
            ],
        },
        "fortran order": {
            "clusters": [
                cloud("a", 7, points=np.asfortranarray(some_points(7)), normals=np.asfortranarray(units(7, 3, "f8"))),
                volume("v", volume=np.asfortranarray(values)),
            ],
            "models": [mesh("m", model=triangular_mesh(triangles=np.asfortranarray([[0, 1, 2], [0, 2, 3]], "i4")))],
        },
        "volumes": {
            "clusters": [
                volume("a", volume=values),
                volume("b", volume=values),
                volume("u1", volume=(values * 200).astype("u1")),
                volume("f8", volume=values.astype("f8") / 3, volume_sampling_rate=np.array([3.0, 4.0, 5.0])),
                volume("bool", volume=values > 0.5),
            ],
        },
        "trajectories": {
            "models": [trajectory("t", 5, 3), trajectory("moved", 5, 2, points=some_points(5) + 1), trajectory("one", 4, 1)],
        },
        "without points": {
            "clusters": [cloud("e", 0), cloud("f", 0, normals=np.zeros((0, 3)), quaternions=np.zeros((0, 4)))],
            "models": [
                mesh(
                    "m", 0, model=triangular_mesh(vertices=np.zeros((0, 3)), triangles=np.zeros((0, 3), "i4"))
                ),
            ],
        },
        "meshes": {
            "models": [
                mesh("f4", 5, model=triangular_mesh(5, vertices=some_points(5))),
                mesh(
                    "all",
                    normals=units(4, 3, "f4"),
                    model=triangular_mesh(
                        vertex_colors=values[0, :4, :3], vertex_normals=units(4, 3, "f8"), triangle_normals=units(2, 3, "f8")
                    ),
                ),
                mesh("i8", model=triangular_mesh(triangles=np.array([[0, 1, 2], [0, 2, 3]], "i8"))),
                mesh("other points", points=some_points(4) + 1),
                mesh("more points", 6, model=triangular_mesh(4)),
                mesh("no area", model=triangular_mesh(triangles=np.array([[0, 0, 0], [0, 1, 2], [0, 1, 2]], "i4"))),
            ],
        },
        "one array in two": {"clusters": [cloud("a", 5, points=points), cloud("b", 5, points=points)]},
    }  # fmt: skip


def odd_values() -> dict[str, dict[str, Any]]:
    appearance = dict(vars(cloud("a", 4))["appearance"])
    return {
        "vertex properties": {"clusters": [cloud("a", 4, vertex_properties=properties(4, odd_columns()))]},
        "meta": {"clusters": [cloud("a", 4, meta=odd_meta())], "models": [mesh("b", meta=odd_meta())]},
        "an unknown class": {
            "clusters": [
                cloud("a", 4, meta={"box": an_object("other.thing.Box", {"a": 1})}, more=an_object("other.thing.Lid")),
                cloud("b", 4),
            ],
        },
        "not finite": {
            "clusters": [cloud("a", 4, points=np.array([[np.nan] * 3, [1, 2, 3], [np.inf, 0, 0], [1, 1, 1]], "f4"))],
            "models": [mesh("b", model=triangular_mesh(vertex_normals=np.full((4, 3), np.nan)))],
        },
        "appearances": {
            "clusters": [
                cloud("none", 3, appearance={}),
                cloud("odd", 3, appearance={"size": np.float32(3.3), "opacity": 1, "base_color": [0.1, 0.2, 0.3], "scale": (2,)}),
                cloud("array", 3, appearance={"size": 0.1, "opacity": True, "base_color": np.array([0.3, 0.2, 0.1])}),
                cloud("one dict", 3, appearance=appearance),
                cloud("for two", 3, appearance=appearance),
            ],
        },
        "names": {
            "clusters": [cloud(name, 3) for name in ("a/b\0c", "x" * 300, "ü" * 200, "same", "same", " ", "sur\ud800", "")],
        },
        "numbers": {
            "clusters": [
                cloud("a", 3, visible=2), cloud("b", 3, visible=np.bool_(False)), cloud("c", 3, sampling_rate=[1, 2, 3]),
                cloud("d", 3, sampling_rate=5.0), cloud("e", 3, sampling_rate=np.array([1, 1, 1])), cloud("f", 3, sampling_rate=None),
                cloud("g", 3, sampling_rate=np.zeros(3)), cloud("h", 3, vertex_properties=None),
            ],
        },
        "unknown entries": {"clusters": [cloud("a", 3, later=[1, {2: 3}])], "more": {"a": 1}},
    }  # fmt: skip


def odd_trees() -> dict[str, dict[str, Any]]:
    a, b, c, d, e, f = (cloud(name, 4) for name in "abcdef")
    return {
        "damaged objects": {
            "clusters": [cloud("a", 4), cloud("bad", 3, points="no"), cloud("c", 4)],
            "models": [
                mesh("m"),
                cloud("bad class", 3, "Nothing"),
                mesh("n"),
            ],
        },
        "no uuids": {"clusters": [cloud("a", 4, uuid=None), b, cloud("c", 4, uuid=None)], "_data_tree": tree([])},
        "an empty group": {
            "clusters": [a, b, c],
            "_data_tree": tree(
                ["g", vars(c)["uuid"], "h"], {"g": [vars(a)["uuid"], vars(b)["uuid"]], "h": []}, {"g": "G", "h": "Empty"}
            ),
        },
        "a tree that names one": {"clusters": [d, e, f], "_data_tree": tree([vars(f)["uuid"]])},
        "no trees": {"clusters": [cloud("a", 4), cloud("b", 4)], "models": [mesh("m")], "_data_tree": MISSING, "_models_tree": MISSING},
        "no models": {"clusters": [cloud("a", 4)], "_models": MISSING, "_models_tree": MISSING},
    }  # fmt: skip


BIG_ENDIAN: Mapping[str, Any] = {
    "clusters": [
        cloud(
            "a", 7, points=some_points(7).astype(">f4"), normals=units(7, 3, ">f8"), quaternions=units(7, 4, ">f4"),
            vertex_properties=properties(
                7, {"i8": np.arange(7, dtype=">i8") << 40, "f8": np.arange(7, dtype=">f8") / 3, "u4": np.arange(7, dtype=">u4"),
                    "text": np.array(["x"] * 7, ">U3")}
            ),
        ),
        volume("v", volume=np.random.default_rng(1).random((4, 5, 6)).astype(">f4")),
    ],
}  # fmt: skip
