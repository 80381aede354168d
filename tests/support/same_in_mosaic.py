"""Two session files as the real Mosaic has them after loading: compared deep, object by object.

    python same_in_mosaic.py A B        run by a Python in which Mosaic is installed, of any release from 1.0.0 to 1.3.2

Prints {"release", "differences": [...], "loads": [A, B], "errors": [A, B], "compared"}; the exit code is 0 without
differences, 1 with. What a release refuses must be refused in both files with the same exception; the pickles' content is
compared then ("compared": "pickles"), with stand-ins for the classes. Both files are trusted: this runs Mosaic's unpickler.

Left out is what Mosaic makes anew at each load and no file decides:
- VTK's and Open3D's objects by identity; what they hold is compared, of pipeline parts their class alone;
- uuids of geometries whose file has none. They are numbered here instead of drawn, so that a uuid which a file lost or
  got is seen, and the order in which they are drawn as well.
The order in memory of arrays (C, Fortran) and which parts are one object are not compared.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import pickle
import random
import struct
import sys
import types
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

MAX_DIFFERENCES = 200
PLAIN = (bool, int, str, bytes, bytearray, type(None), range, slice, type(Ellipsis))
FUNCTIONS = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType, np.ufunc, type)
# What a user sees of an actor, and the parts of the other VTK objects that hold data.
ACTOR_PROPERTIES = (
    "Color Opacity PointSize LineWidth Ambient Diffuse Specular SpecularPower Representation EdgeVisibility EdgeColor "
    "RenderPointsAsSpheres RenderLinesAsTubes Interpolation"
).split()
VTK_GETTERS = {
    "vtkPolyData": ["Points", "PointData", "CellData", "Verts", "Lines", "Polys", "Strips"],
    "vtkImageData": ["Dimensions", "Spacing", "Origin", "PointData"],
    "vtkPoints": ["Data"],
    "vtkCellArray": ["NumberOfCells", "ConnectivityArray", "OffsetsArray"],
    "vtkActor": ["Visibility", "Property", "Mapper"],
    "vtkProperty": ACTOR_PROPERTIES,
    "vtkPolyDataMapper": ["ScalarVisibility", "ScalarRange", "Input"],
    "vtkPointGaussianMapper": ["ScalarVisibility", "ScaleFactor", "Input"],
    "vtkGlyph3DMapper": [
        "ScalarVisibility",
        "ScaleFactor",
        "Orient",
        "OrientationMode",
        "ScaleMode",
        "Input",
        "Source",
    ],
    "vtkImageGaussianSmooth": ["StandardDeviations", "RadiusFactors"],
    "vtkFlyingEdges3D": ["Values"],
}
OPEN3D_PARTS = "vertices triangles vertex_normals vertex_colors triangle_normals triangle_uvs textures".split()


# --- loading ---------------------------------------------------------------------------------------------------------


def mosaics_loader() -> Callable[[str], dict[str, Any]]:
    """What gives the session to Mosaic's window. An ImportError means that Mosaic itself does not work."""
    import mosaic.container
    import mosaic.geometry
    import mosaic.parametrization  # noqa: F401

    try:
        from mosaic.commands.session import Session  # from 1.2.4 on
    except ModuleNotFoundError:
        from mosaic.formats import open_session

        def load_state(path: str) -> dict[str, Any]:
            state = open_session(path)
            window_needs = {key: state[key] for key in ("shape", "_data", "_models")}
            return window_needs | {key: state.get(key) for key in ("_data_tree", "_models_tree")}

        return load_state

    def load_session(path: str) -> dict[str, Any]:
        session = Session(quiet=True)
        session.load_session(path)
        return vars(session)

    return load_session


def load(loader: Callable[[str], dict[str, Any]], path: str) -> tuple[Any, BaseException | None]:
    """What Mosaic makes of a file, or why it does not; what is drawn at random is the same in each call."""
    numbers = itertools.count(1)
    for name, module in list(sys.modules.items()):
        if name.startswith("mosaic.") and hasattr(module, "uuid4"):
            module.uuid4 = lambda: f"drawn by Mosaic: {next(numbers)}"
    random.seed(0)
    np.random.seed(0)
    try:
        return loader(path), None
    except Exception as error:
        return None, error


class StandIn:
    """An object of any class: what it was made of."""

    def __new__(cls, *args: Any, **kwargs: Any) -> StandIn:
        made = super().__new__(cls)
        made.args, made.kwargs = args, kwargs
        return made

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        self.state = state


class PickleContent(pickle.Unpickler):
    """A pickle's content with stand-ins for all classes but numpy's and Python's own containers."""

    stand_ins: dict[tuple[str, str], type] = {}

    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] == "numpy":
            for there in (
                module,
                module.replace("numpy._core", "numpy.core"),
                module.replace("numpy.core", "numpy._core"),
            ):
                with contextlib.suppress(ImportError, AttributeError):
                    return super().find_class(there, name)
            if name == "_frombuffer":
                return lambda data, dtype, shape, order, *axes: np.frombuffer(data, dtype).reshape(shape, order=order)
        if (module, name) in (("_codecs", "encode"), ("collections", "OrderedDict")) or (
            module in ("builtins", "__builtin__")
            and name in "set frozenset bytes bytearray complex slice range object".split()
        ):
            return super().find_class(module, name)
        for old, new in (("colabseg", "mosaic"), ("__builtin__", "builtins")):
            module = new + module[len(old) :] if module.split(".")[0] == old else module
        return self.stand_ins.setdefault((module, name), type(name, (StandIn,), {"__module__": module}))


def pickle_content(path: str) -> dict[str, Any]:
    """The state as Python's pickle has it, and the sections beside it."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:1] == b"\x80":
        return {"state": PickleContent(io.BytesIO(data)).load()}
    (length,) = struct.unpack(">I", data[:4])
    index = json.loads(data[4 : 4 + length])
    blobs = {name: data[part["offset"] :][: part["size"]] for name, part in index["sections"].items()}
    encodings = {name: part["encoding"] for name, part in index["sections"].items()}
    return {"state": PickleContent(io.BytesIO(blobs.pop("state"))).load(), "sections": blobs, "encodings": encodings}


# --- comparing -------------------------------------------------------------------------------------------------------


LIBRARY = ("array", "collections", "datetime", "decimal", "fractions")  # whose values say by `repr` all that they are


class Comparison:
    """Walks two object graphs side by side. `differences`: "where: what", in the order of the walk."""

    def __init__(self, left: Any, right: Any) -> None:
        self.differences: list[str] = []
        self.seen: set[tuple[int, int]] = set()
        self.keep: list[Any] = []  # an id is only that of one object while this holds it
        self.left_over = [("session", left, right)]
        while self.left_over:
            self.compare(*self.left_over.pop())

    def say(self, where: str, what: str) -> None:
        if len(self.differences) < MAX_DIFFERENCES:
            self.differences.append(f"{where}: {what}")

    def later(self, parts: list[tuple[str, Any, Any]]) -> None:
        self.left_over += reversed(parts)

    def compare(self, where: str, left: Any, right: Any) -> None:
        if type(left) is not type(right):
            self.say(where, f"{shown(left)} is {shown(right)}")
        elif isinstance(left, (float, complex, np.generic)) and not isinstance(left, np.void):
            if not same_values(np.asarray(left), np.asarray(right)):
                self.say(where, f"{left!r} is {right!r}")
        elif isinstance(left, PLAIN):
            if left != right:
                self.say(where, f"{shown(left)} is {shown(right)}")
        elif left is not right and (id(left), id(right)) not in self.seen:
            self.seen.add((id(left), id(right)))
            self.keep += (left, right)
            self.compare_composite(where, left, right)

    def compare_composite(self, where: str, left: Any, right: Any) -> None:
        if isinstance(left, np.ndarray):
            self.compare_arrays(where, left, right)
        elif type(left).__module__ in LIBRARY or isinstance(left, np.void):
            if repr(left) != repr(right):
                self.say(where, f"{left!r} is {right!r}")
        elif isinstance(left, dict):
            self.compare_dicts(where, left, right)
            if type(left) is not dict:
                self.compare_attributes(where, left, right)
        elif isinstance(left, (list, tuple)):
            if len(left) != len(right):
                self.say(where, f"{len(left)} items are {len(right)}")
            self.later([(f"{where}[{i}]", one, other) for i, (one, other) in enumerate(zip(left, right))])
        elif isinstance(left, (set, frozenset)):
            if sorted(map(repr, left)) != sorted(map(repr, right)):
                self.say(where, f"{shown(left)} is {shown(right)}")
        elif isinstance(left, np.dtype):
            if left != right:
                self.say(where, f"{left} is {right}")
        elif isinstance(left, FUNCTIONS):
            if name_of(left) != name_of(right):
                self.say(where, f"{name_of(left)} is {name_of(right)}")
            self.later([(f"{where}.__self__", getattr(left, "__self__", None), getattr(right, "__self__", None))])
        elif hasattr(left, "GetClassName"):
            self.compare_vtk(where, left, right)
        elif type(left).__module__.startswith("open3d"):
            self.compare_open3d(where, left, right)
        else:
            self.compare_attributes(where, left, right)

    def compare_arrays(self, where: str, left: Any, right: Any) -> None:
        if isinstance(left, np.ma.MaskedArray):
            masks = [np.ma.getmaskarray(one) for one in (left, right)]
            parts = [("mask", masks), ("fill_value", (left.fill_value, right.fill_value))]
            self.later([(f"{where}.{part}", *pair) for part, pair in parts])
            left, right = np.ma.getdata(left), np.ma.getdata(right)
        if left.dtype != right.dtype:
            self.say(where, f"{left.dtype} is {right.dtype}")
        elif left.shape != right.shape:
            self.say(where, f"shape {left.shape} is {right.shape}")
        elif left.dtype.hasobject:
            pairs = enumerate(zip(left.ravel(), right.ravel()))
            self.later([(f"{where}.flat[{i}]", one, other) for i, (one, other) in pairs])
        elif not same_values(left, right):
            bad = int(np.count_nonzero(np.atleast_1d(differs(left, right))))
            self.say(where, f"{bad} of {left.size} values differ")

    def compare_dicts(self, where: str, left: dict[Any, Any], right: dict[Any, Any]) -> None:
        keys, others = ([(type(key).__name__, repr(key)) for key in one] for one in (left, right))
        if set(keys) != set(others):
            gone = [name for _, name in keys if (_, name) not in others]
            new = [name for _, name in others if (_, name) not in keys]
            self.say(where, f"lost {gone}, got {new}")
        elif keys != others:
            self.say(where, f"order {[name for _, name in keys]} is {[name for _, name in others]}"[:300])
        by_name = dict(zip(others, right.values()))
        self.later(
            [(f"{where}[{key[1]}]", value, by_name[key]) for key, value in zip(keys, left.values()) if key in by_name]
        )

    def compare_attributes(self, where: str, left: Any, right: Any) -> None:
        parts = [("", attributes(left), attributes(right))]
        own_state = any("__getstate__" in vars(cls) for cls in type(left).__mro__ if cls is not object)
        if own_state:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                parts.append((".__getstate__()", left.__getstate__(), right.__getstate__()))
        if not parts[0][1] and not own_state and not hasattr(left, "__dict__"):
            self.say(where, f"{shown(left)} is in no form that can be compared")
        name = (
            (getattr(left, "_meta", None) or {}).get("name") if isinstance(getattr(left, "_meta", None), dict) else None
        )
        label = f"{where}({name})" if name else where
        self.later([(label + suffix, one, other) for suffix, one, other in parts])

    def compare_vtk(self, where: str, left: Any, right: Any) -> None:
        kinds = [one.GetClassName() for one in (left, right)]
        if kinds[0] != kinds[1]:
            self.say(where, f"{kinds[0]} is {kinds[1]}")
        elif hasattr(left, "GetNumberOfTuples") and not hasattr(left, "GetAbstractArray"):  # a data array
            if left.GetName() != right.GetName():
                self.say(where, f"array {left.GetName()!r} is {right.GetName()!r}")
            self.later([(where, vtk_values(left), vtk_values(right))])
        elif hasattr(left, "GetAbstractArray"):  # point and cell data
            names = [[one.GetArrayName(i) for i in range(one.GetNumberOfArrays())] for one in (left, right)]
            if names[0] != names[1]:
                self.say(where, f"arrays {names[0]} are {names[1]}")
            else:
                arrays = [
                    (one.GetAbstractArray(i), other.GetAbstractArray(i))
                    for one, other in [(left, right)]
                    for i in range(len(names[0]))
                ]
                self.later([(f"{where}[{name!r}]", *pair) for name, pair in zip(names[0], arrays)])
        else:
            ours = next((getters for kind, getters in VTK_GETTERS.items() if left.IsA(kind)), [])
            parts = [part for part in ours if hasattr(left, f"Get{part}")]
            self.later([(f"{where}.{part}", *(vtk_part(one, part) for one in (left, right))) for part in parts])

    def compare_open3d(self, where: str, left: Any, right: Any) -> None:
        parts = [part for part in OPEN3D_PARTS if hasattr(left, part)]
        if not parts:
            self.say(where, f"{shown(left)} is in no form that can be compared")
        pairs = [(part, np.asarray(getattr(left, part)), np.asarray(getattr(right, part))) for part in parts]
        self.later([(f"{where}.{part}", one, other) for part, one, other in pairs])


def shown(value: Any) -> str:
    if isinstance(value, (*PLAIN, float, set, frozenset)):
        return repr(value)[:100]
    return f"a {type(value).__module__}.{type(value).__qualname__}"


def name_of(function: Any) -> str:
    return (
        f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', getattr(function, '__name__', ''))}"
    )


def attributes(value: Any) -> dict[str, Any]:
    """The attributes of an object, those in slots included."""
    found = {}
    for cls in type(value).__mro__:
        slots = vars(cls).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                found[name] = getattr(value, name)
    return found | getattr(value, "__dict__", {})


def vtk_part(value: Any, part: str) -> Any:
    if part == "Values":
        return [value.GetValue(i) for i in range(value.GetNumberOfContours())]
    return getattr(value, f"Get{part}")()


def vtk_values(array: Any) -> Any:
    from vtkmodules.util.numpy_support import vtk_to_numpy  # type: ignore[import-not-found]

    if hasattr(array, "GetVoidPointer") and array.GetNumberOfTuples():
        return vtk_to_numpy(array)
    return [array.GetDataTypeAsString(), array.GetNumberOfTuples(), array.GetNumberOfComponents()]


def differs(left: Any, right: Any) -> Any:
    """Where the bits of two arrays of one dtype and shape are not the same; a NaN is the same as any other."""
    if left.dtype.kind in "Mm":
        return left.view("i8") != right.view("i8")
    if left.dtype.kind not in "fc":
        return left != right
    if left.dtype.kind == "c":
        return differs(left.real, right.real) | differs(left.imag, right.imag)
    return ~((left == right) & (np.signbit(left) == np.signbit(right)) | np.isnan(left) & np.isnan(right))


def same_values(left: Any, right: Any) -> bool:
    return left.dtype == right.dtype and left.shape == right.shape and not np.any(differs(left, right))


# --- command ---------------------------------------------------------------------------------------------------------


def compare_files(paths: list[str]) -> dict[str, Any]:
    from mosaic.__version__ import __version__

    warnings.simplefilter("ignore")
    loader = mosaics_loader()
    (left, trouble), (right, other_trouble) = (load(loader, path) for path in paths)
    errors = [
        error and {"type": type(error).__name__, "message": str(error)[:300]} for error in (trouble, other_trouble)
    ]
    report = {"release": __version__, "loads": [trouble is None, other_trouble is None], "errors": errors}
    if (trouble is None) != (other_trouble is None) or type(trouble) is not type(other_trouble):
        return report | {"compared": "nothing", "differences": [f"session: loading gives {errors[0]} and {errors[1]}"]}
    if trouble is None:
        return report | {"compared": "loaded", "differences": Comparison(left, right).differences}
    contents = [pickle_content(path) for path in paths]
    return report | {"compared": "pickles", "differences": Comparison(*contents).differences}


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):  # Mosaic's own words
        answer = compare_files(sys.argv[1:3])
    print(json.dumps(answer, indent=1))
    sys.exit(1 if answer["differences"] else 0)
