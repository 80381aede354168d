"""Odd parts inside a healthy session, which is refused, or opened with the odd part left out.

Each of INERT is a function of the path of a canary, a file that exists only if something was run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.support import make_sessions as make
from tests.support.opcodes import (
    in_session,
)

INERT: dict[str, Callable[[str], bytes]] = {}


class Forged:
    """Pickles as an array that says of itself what it likes."""

    def __init__(self, shape: Any, array_dtype: Any, data: Any, fortran: Any = False) -> None:
        self.state = (1, shape, array_dtype, fortran, data)

    def __reduce__(self) -> tuple[Any, ...]:
        return np.zeros(0).__reduce__()[0], (np.ndarray, (0,), b"b"), self.state


class ForgedDtype:
    """Pickles as a dtype with a state of its own."""

    def __init__(self, code: str, *state: Any) -> None:
        self.code, self.state = code, state

    def __reduce__(self) -> tuple[Any, ...]:
        return np.dtype, (self.code, False, True), self.state


class ForgedBuffer:
    """Pickles as `_frombuffer` with odd arguments."""

    def __init__(self, *args: Any) -> None:
        self.args = args

    def __reduce__(self) -> tuple[Any, ...]:
        return np.zeros(1).__reduce_ex__(5)[0], self.args


def odd(title: str, geometry: Callable[[], Any], **keys: Any) -> None:
    """A session of this geometry beside a healthy one, `INERT` when it opens, in both protocols."""
    for protocol in (4, 5):
        INERT[f"{title}, protocol {protocol}"] = lambda canary, protocol=protocol: make.session_bytes(
            [geometry(), make.cloud("healthy")], protocol=protocol, **keys
        )


F4, F8 = np.dtype("f4"), np.dtype("f8")
for title, array in {
    "negative shape": Forged((-1, 3), F8, bytes(24)),
    "two negative lengths": Forged((-1, -3), F8, bytes(24)),
    "overflowing shape": Forged((2**62, 4), F8, bytes(24)),
    "shape that overflows to the right size": Forged((2**64 + 3, 3), np.dtype("u1"), bytes(9)),
    "shape of bools": Forged((True, 3), F8, bytes(24)),
    "shape of floats": Forged((1.0, 3.0), F8, bytes(24)),
    "shape of text": Forged(("1", 3), F8, bytes(24)),
    "shape of lists": Forged([1, 3], F8, bytes(24)),
    "shape of nothing": Forged(None, F8, bytes(24)),
    "shape of big ints": Forged((2**400, 3), F8, bytes(24)),
    "33 dimensions": Forged((1,) * 33, F8, bytes(8)),
    "a thousand dimensions": Forged((1,) * 1000, F8, bytes(8)),
    "no rows of 2^60 columns": Forged((0, 2**60), F8, b""),
    "no rows of 2^48 texts": Forged((0, 2**48), np.dtype("U16000"), b""),
    "more rows than bytes": Forged((100, 3), F8, bytes(24)),
    "fewer rows than bytes": Forged((1, 3), F8, bytes(48)),
    "no bytes": Forged((1, 3), F8, None),
    "text for bytes": Forged((1, 3), F8, "x" * 24),
    "a list for bytes": Forged((1, 3), F8, [0.0] * 3),
    "order of text": Forged((2, 3), F8, bytes(48), "F"),
    "objects": Forged((1, 3), np.dtype("O"), [1, 2, 3]),
    "objects from bytes": Forged((1, 3), np.dtype("O"), bytes(24)),
    "records": Forged((3,), np.dtype([("a", "f4")]), bytes(12)),
    "dates": Forged((1, 3), np.dtype("M8[s]"), bytes(24)),
    "void": Forged((1, 3), np.dtype("V8"), bytes(24)),
    "text": Forged((1, 3), np.dtype("U1"), "abc".encode("utf-32-le")),
    "text beyond Unicode": Forged((1, 3), np.dtype("U1"), b"\xff" * 12),
    "complex": Forged((1, 3), np.dtype("c16"), bytes(48)),
    "bools of byte 2": Forged((1, 3), np.dtype("?"), b"\x02\x03\xff"),
    "big-endian": Forged((1, 3), np.dtype(">f8"), bytes(24)),
    "halves": Forged((1, 3), np.dtype("f2"), b"\x00\x7c\x00\x7e\x00\xfc"),
    "a number": 5,
    "a list": [[1.0, 2.0, 3.0]],
    "nothing": None,
    "one axis": np.zeros(3),
    "no axis": np.array(1.0),
    "four columns": np.zeros((3, 4)),
    "no rows": np.zeros((0, 3), np.float32),
    "NaN": np.full((3, 3), np.nan),
    "beyond float32": np.full((3, 3), 1e300),
}.items():
    for key in ("points", "normals", "quaternions", "sampling_rate", "volume", "volume_sampling_rate"):
        geometry = make.volume if key.startswith("volume") else make.cloud
        odd(f"{key}: {title}", lambda geometry=geometry, key=key, array=array: geometry("odd", **{key: array}))
    odd(
        f"vertex property: {title}",
        lambda array=array: make.cloud("odd", 3, vertex_properties=make.properties(3, {"p": array})),
    )
    odd(
        f"appearance and meta: {title}",
        lambda array=array: make.cloud(
            "odd",
            appearance={"base_color": array, "size": array, "x": array, "render_spheres": array},
            meta={"x": array, "y": {"z": [array]}},
        ),
    )
    odd(f"triangles: {title}", lambda array=array: make.mesh("odd", model=make.triangular_mesh(triangles=array)))
    odd(f"vertices: {title}", lambda array=array: make.mesh("odd", model=make.triangular_mesh(vertices=array)))
    for model, attribute in (("Sphere", "center"), ("Ellipsoid", "orientations"), ("Cylinder", "radius")):
        odd(f"{model} {attribute}: {title}", lambda model=model, attribute=attribute, array=array: make.cloud("odd", model=make.an_object(
            f"mosaic.parametrization.{model}", {"center": np.zeros(3), "centers": np.zeros(3), "radii": np.ones(3), "radius": 1.0, "height": 1.0, "orientations": np.eye(3), attribute: array})))  # fmt: skip
    odd(f"grid and shape: {title}", lambda array=array: make.cloud("odd", model=make.an_object(
        "mosaic.parametrization.RBF", grid=array, direction=array, rbf=make.an_object("scipy.interpolate._rbf.Rbf", xi=array, nodes=array, epsilon=array, norm="euclidean", function=array))),
        metadata={"shape": array, "physical_shape": array})  # fmt: skip
for title, column in {
    "bools of byte 2": Forged((3,), np.dtype("?"), b"\x00\x01\x02"),
    "bools of byte 255 in columns": Forged((3, 2), np.dtype("?"), b"\x00\x01\xff\x00\x00\x00", True),
    "text beyond Unicode": Forged((3,), np.dtype("U1"), b"\x00\x00\x11\x00" * 3),
    "big-endian text": Forged((3,), np.dtype(">U1"), b"\x00\x00\x00a" * 3),
    "big-endian text beyond Unicode": Forged((3,), np.dtype(">U1"), b"a\x00\x00\x00" * 3),
    "a lone surrogate": Forged((3,), np.dtype("U1"), b"\x00\xd8\x00\x00" * 3),
}.items():
    odd(
        f"a column of {title}",
        lambda column=column: make.cloud(
            "odd", 3, meta={"x": column}, vertex_properties=make.properties(3, {"p": column})
        ),
    )
for title, state in {
    "version 4": (4, "<", None, None, None, -1, -1, 0),
    "with fields": (3, "<", None, ("a",), {"a": (F8, 0)}, -1, -1, 0),
    "with a subdtype": (3, "<", (F8, (2,)), None, None, -1, -1, 0),
    "with flags": (3, "<", None, None, None, -1, -1, 63),
    "with an item size": (3, "<", None, None, None, 2**40, -1, 0),
    "with an alignment": (3, "<", None, None, None, -1, 2**40, 0),
    "of odd order": (3, "x", None, None, None, -1, -1, 0),
    "of bools": (3, "<", None, None, None, -1, -1, False),
    "too short": (3, "<"),
    "of nothing": (),
}.items():
    odd(
        f"dtype {title}",
        lambda state=state: make.cloud("odd", points=Forged((1, 3), ForgedDtype("f8", *state), bytes(24))),
    )
for code in (
    "f8",
    "O8",
    "V8",
    "U2",
    "S8",
    "x9",
    "",
    "U99999999",
    "U-1",
    "U0",
    "S0",
    "U1x",
    "U 1",
    "m8",
    "f16",
    "g",
    "p8",
):
    size = 4 * int(code[1:]) if code[1:].isdecimal() and code[0] == "U" else 8
    odd(
        f"dtype {code!r}",
        lambda code=code, size=size: make.cloud(
            "odd",
            vertex_properties=make.properties(
                5,
                {"p": Forged((5,), ForgedDtype(code, 3, "<", None, None, None, min(size, 2**31 - 1), 4, 8), bytes(40))},
            ),
        ),
    )
for title, args in {
    "axes": (bytes(24), F8, (1, 3), "K", (1, 0)), "axes twice": (bytes(24), F8, (1, 3), "K", (0, 0)), "too many axes": (bytes(24), F8, (1, 3), "K", tuple(range(60))),
    "axes of text": (bytes(24), F8, (1, 3), "K", ("a", "b")), "axes of floats": (bytes(24), F8, (1, 3), "K", (0.0, 1.0)), "no buffer": (None, F8, (1, 3), "C"),
    "bytearray": (bytearray(24), F8, (1, 3), "C"), "Fortran": (bytes(48), F8, (2, 3), "F"), "a set for a buffer": ({1, 2}, F8, (1, 3), "C"),
}.items():  # fmt: skip
    odd(f"_frombuffer: {title}", lambda args=args: make.cloud("odd", points=ForgedBuffer(*args)))
for title, faces in {
    "out of range": np.array([[0, 1, 4]], np.int32), "negative": np.array([[0, 1, -1]], np.int32), "huge": np.array([[0, 1, 2**63]], np.uint64),
    "huge, in range in 32 bits": np.array([[0, 1, 2**32 + 2]], np.int64), "bools": np.ones((1, 3), bool), "floats": np.ones((1, 3)),
    "two columns": np.zeros((4, 2), np.int32), "none": np.zeros((0, 3), np.int32), "none of one axis": np.zeros(0, np.int32),
}.items():  # fmt: skip
    odd(f"triangles {title}", lambda faces=faces: make.mesh("odd", model=make.triangular_mesh(triangles=faces)))
    odd(
        f"a frame with triangles {title}",
        lambda faces=faces: make.trajectory(
            "odd",
            trajectory=[{"fit": make.triangular_mesh(triangles=faces), "filename": "x", "vertex_properties": None}],
        ),
    )


def nested(depth: int, make_one: Callable[[Any], Any] = lambda inner: [inner]) -> Any:
    value: Any = None
    for _ in range(depth):
        value = make_one(value)
    return value


def containing_itself() -> Any:
    value: list[Any] = []
    value += [value, {"self": value}, (value,)]
    return value


for title, value in {
    "nested": nested(60), "nested dicts": nested(60, lambda inner: {"a": inner}), "nested tuples": nested(60, lambda inner: (inner,)),
    "contains itself": containing_itself(), "huge int": 2**500, "negative": -(2**500), "infinite": float("inf"), "not a number": float("nan"),
    "lone surrogate": "\ud800", "control characters": "a\x1b[31m\n\x00\u2028\u202e", "long text": "x" * 10**6, "empty text": "", "bytes": b"\xff\x00",
    "bytearray": bytearray(1000), "set": {1, "a", None}, "frozenset": frozenset([(1, 2)]), "complex": 1j, "range": range(10**9), "slice": slice(None, 2**70),
    "text scalar": np.str_("x"), "float scalar": np.float64("nan"), "date": np.datetime64("2020-01-01"), "object": make.an_object("evil.module.Evil", a=1),
    "mosaic object": make.an_object("mosaic.geometry.Geometry"), "keys of all kinds": {1: 1, None: 2, (1, 2): 3, 1.5: 4, b"x": 5, False: 6, frozenset([1]): 7},
    "true": True, "empty dict": {}, "empty list": [], "list of colours": [[0.1, 0.2, 0.3]], "array": np.arange(3),
}.items():  # fmt: skip
    for key in (
        "meta",
        "appearance",
        "uuid",
        "visible",
        "representation",
        "model",
        "vertex_properties",
        "sampling_rate",
        "trajectory",
        "volume",
    ):
        cls = {"trajectory": "GeometryTrajectory", "volume": "VolumeGeometry"}.get(key, "Geometry")
        odd(f"{key} is {title}", lambda cls=cls, key=key, value=value: make.cloud("odd", cls=cls, **{key: value}))
    odd(f"uuid of a damaged object is {title}", lambda value=value: make.cloud("odd", points=None, uuid=value))
    odd(f"name is {title}", lambda value=value: make.cloud(value))
    odd(f"meta holds {title}", lambda value=value: make.cloud("odd", meta={"value": value, "list": [value, value]}))
    odd(
        f"colours are {title}",
        lambda value=value: make.cloud(
            "odd",
            appearance={
                "base_color": value,
                "highlight_color": value,
                "opacity": value,
                "isovalue_percentile": value,
                "else": value,
            },
        ),
    )
    odd(
        f"tree is {title}",
        make.cloud,
        _data_tree=value,
        _models_tree=make.tree(value if isinstance(value, list) else [value], {"g": value, "h": [value]}, {"g": value}),
    )
    odd(
        f"tree's parts are {title}",
        make.cloud,
        _data_tree=make.an_object("mosaic.tree_state.TreeStateData", groups=value, group_names=value, root_items=value),
    )
    odd(
        f"old tree is {title}",
        make.cloud,
        _data_tree=make.an_object(
            "mosaic.widgets.container_list.TreeState",
            groups={"g": value},
            root_order={"u": value, "v": (0, value), "w": (value, "g"), "x": (1, "g")},
        ),
    )
    odd(f"metadata is {title}", make.cloud, metadata=value)
    odd(
        f"state of the containers is {title}",
        make.cloud,
        _models=make.container([value, value], base_color=value, highlight_color=value, metadata=value),
    )
odd(
    "frames of all kinds",
    lambda: make.trajectory(
        "odd",
        trajectory=[
            None,
            1,
            {},
            {"fit": None},
            {"fit": make.cloud()},
            {"fit": make.triangular_mesh(), "filename": 5, "vertex_properties": 5},
        ],
    ),
)
INERT["the same container twice"] = lambda c: make.dumps(
    (lambda part: {"metadata": {}, "_data": part, "_models": part})(make.container([make.cloud()]))
)
INERT["the same geometry twice"] = lambda c: make.session_bytes([make.cloud()] * 2)
INERT["a dict that is its own key, in a session"] = lambda c: in_session(b"}\x94h\x00h\x00s")
INERT["overlapping sections"] = lambda c: (lambda data: data.replace(b'"size": 9,', b'"size": 8,'))(
    make.indexed_bytes(make.session_bytes([make.cloud()]), thumbnail=("png", b"123456789"))
)
INERT["thumbnail outside the file"] = lambda c: make.indexed_bytes(
    make.session_bytes([make.cloud()]), thumbnail=("png", b"x" * 10)
)[:-5]
INERT["a section not described"] = lambda c: make.indexed_bytes(
    make.session_bytes([make.cloud()]), thumbnail=(None, b"x")
)  # type: ignore[arg-type]
INERT["more after the end"] = lambda c: make.session_bytes([make.cloud()]) + b"cos\nsystem\n" * 100
