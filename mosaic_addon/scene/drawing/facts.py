"""Facts about an object, for panels: counts, extent, ranges of its vertex properties, model and meta.

Numbers over all points are computed once, and again only after Blender has reported that the data changed.
"""

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from bpy.app.handlers import persistent
from numpy.typing import NDArray

from ...session import remembering
from ...session.decode_models import parameters_of
from ...session.errors import MosaicError
from ...session.nodes import NOBODY
from ..data.attributes import PointAttributes, PointData, points_of, read_attribute
from ..data.custom_properties import own_properties
from ..data.extent import extent
from ..data.vertex_properties import column_attributes, column_texts
from ..keys import MODEL, SHAPE, SPACING
from ..record import unpack
from .appearance import number_of
from .representation_parts import ROUNDING
from .representations import input_of
from .surfaces import volume_mesh

MAX_REMEMBERED = 512  # results; each is a few hundred bytes
MAX_TEXTS = 3  # of a vertex property that are listed
MAX_LINE = 80  # characters of a value of meta
ANGSTROM = "\u00c5"
LENGTHS = frozenset({"Radius", "Radii", "Height", "Centre"})  # of a model


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts and extent of points or a mesh.

    faces: None for what is no mesh. lower, upper: corners in angstrom, None without finite points.
    """

    points: int
    faces: int | None
    lower: tuple[float, float, float] | None
    upper: tuple[float, float, float] | None


# --- what is shown ---------------------------------------------------------------------------------------------------


def frames_of(obj: bpy.types.Object) -> list[bpy.types.Object]:
    """Return the objects that hold a trajectory's frames, in order; none where an object is no trajectory."""
    frames = input_of(obj, "Frames")
    return [] if frames is None else sorted(frames.objects, key=lambda frame: frame.name)


def frame_at(obj: bpy.types.Object, count: int, scene_frame: int) -> int:
    """Return which of its `count` frames, from 0, a trajectory shows at a scene frame."""
    shown = number_of(obj, "shown")
    if shown is not None and shown + ROUNDING > 0:
        passed = math.floor(shown + ROUNDING)
    else:
        passed = (scene_frame - number_of(obj, "start")) // max(number_of(obj, "step"), 1)
    return passed % count if number_of(obj, "loop") else min(max(passed, 0), count - 1)


def shown_data(obj: bpy.types.Object, scene_frame: int) -> PointData | None:
    """Return the points or mesh that an object shows at a scene frame: its own, or those of a trajectory's frame."""
    frames = frames_of(obj)
    return points_of(frames[frame_at(obj, len(frames), scene_frame)] if frames else obj)


# --- numbers over points ---------------------------------------------------------------------------------------------


def counts_of(data: PointData) -> Counts | None:
    """Return counts and extent of points or a mesh; None in edit mode, when Blender has its points elsewhere."""
    return _remembered(data, "", lambda: _count(data))


def range_of(data: PointData, property: str) -> str | None:
    """Return the values of a vertex property as a text, such as "0.1 to 3.5"; None in edit mode."""
    return _remembered(data, property, lambda: _describe(data, property))


def _count(data: PointData) -> Counts:
    positions = read_attribute(data, "position")
    if positions is None:
        positions = np.empty((0, 3), np.float32)
    lower = upper = None
    if np.isfinite(positions).all(axis=1).any():
        lower, upper = (tuple(corner.tolist()) for corner in extent([positions]))
    return Counts(len(positions), len(data.polygons) if isinstance(data, bpy.types.Mesh) else None, lower, upper)


def _describe(data: PointData, property: str) -> str:
    """The values of a vertex property as a text."""
    texts = column_texts(data, property)
    if texts is not None:
        codes = read_attribute(data, column_attributes(data)[property][0])
        if codes is not None and codes.dtype == np.int32 and codes.ndim == 1:
            # Of the texts that all objects share, those that it has.
            texts = [texts[code] for code in np.unique(codes).tolist() if 0 <= code < len(texts)]
        more = len(texts) - MAX_TEXTS
        return ", ".join(texts[:MAX_TEXTS]) + (f" and {more} more" if more > 0 else "")
    parts = PointAttributes(data).read_all(column_attributes(data).get(property, ()))
    if not parts:
        return "its attribute is missing"
    values = parts[0] if len(parts) == 1 else np.stack(parts, axis=1)
    if not values.size:
        return "no values"
    if values.dtype == np.bool_:
        return f"{int(values.sum()):,} of {values.size:,} true"
    width = f"{values.shape[1]} columns, " if values.ndim == 2 else ""
    return width + _range_text(values)


def _range_text(values: NDArray[Any]) -> str:
    """The least and greatest finite value as a text."""
    low, high = values.min(), values.max()
    if not np.isfinite([low, high]).all():
        finite = values[np.isfinite(values)]
        if not finite.size:
            return "no numbers"
        low, high = finite.min(), finite.max()
    return number_text(low) if low == high else f"{number_text(low)} to {number_text(high)}"


def number_text(value: float) -> str:
    """Return a number as text for people: whole ones in full, others to four digits."""
    return f"{int(value):,}" if float(value).is_integer() and abs(value) < 1e15 else f"{float(value):.4g}"


_known: OrderedDict[tuple[int, str], Any] = OrderedDict()


def _remembered(owner: bpy.types.ID, what: str, work_out: Callable[[], Any]) -> Any:
    """Return a fact about a datablock, worked out at the first call; None in edit mode where it is not known yet."""
    key = (owner.session_uid, what)
    if key not in _known:
        if isinstance(owner, bpy.types.Mesh) and owner.is_editmode:
            return None
        _known[key] = work_out()
        if len(_known) > MAX_REMEMBERED:
            _known.popitem(last=False)
    _known.move_to_end(key)
    return _known[key]


@persistent
def _forget_changed(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
    """Forget the numbers of datablocks that Blender reports as changed."""
    if _known and (depsgraph.id_type_updated("MESH") or depsgraph.id_type_updated("POINTCLOUD")):
        changed = {update.id.original.session_uid for update in depsgraph.updates}
        for key in [key for key in _known if key[0] in changed]:
            del _known[key]


@persistent
def forget_all(*_: object) -> None:
    """Forget all numbers: after another .blend was opened, and after undo, which does not say what it changes."""
    _known.clear()


@persistent
def _forget_blend(*_: object) -> None:
    """Forget what is known of a .blend that is no longer open, its notes and records as well."""
    forget_all()
    remembering.forget_all()


# Lists of bpy.app.handlers, and what to add to them for the numbers to stay true. The functions change nothing else.
HANDLERS = (
    ("depsgraph_update_post", _forget_changed),
    ("load_post", _forget_blend),
    ("undo_post", forget_all),
    ("redo_post", forget_all),
)


# --- model and meta --------------------------------------------------------------------------------------------------


def model_parameters(obj: bpy.types.Object) -> dict[str, str]:
    """Return the class and the numbers of the model that was fitted to an object; empty where there is none.

    Returns {name: text}. The numbers are those of the session, whatever was done to the object since.
    """
    return _remembered(obj, "model", lambda: _describe_model(obj))


def _describe_model(obj: bpy.types.Object) -> dict[str, str]:
    model = MODEL.read(obj)
    texts = {} if model is None else {"Model": model}
    try:
        record = unpack(obj, NOBODY)
    except MosaicError:
        return texts
    for name, value in parameters_of(record.node).items() if record is not None else ():
        if isinstance(value, str):
            texts[name] = value
        elif isinstance(value, int):
            texts[name] = f"{value:,} points"
        else:
            unit = f" {ANGSTROM}" if name in LENGTHS else ""
            texts[name] = _numbers_text(value, 2 if name.startswith("Axis") else None) + unit
    return texts


def _numbers_text(value: Any, decimals: int | None = None) -> str:
    """Numbers as a text, to five digits or to a number of decimals; "unknown" for what is no number."""
    try:
        numbers = np.ravel(np.asarray(value, np.float64)).tolist()
        if decimals is None:
            return ", ".join(f"{number:.5g}" for number in numbers)
        return ", ".join(f"{round(number, decimals) + 0.0:.{decimals}f}" for number in numbers)  # -0.0 + 0.0 is 0.0
    except (TypeError, ValueError):
        return "unknown"


def volume_parameters(obj: bpy.types.Object) -> dict[str, str]:
    """Return the size of the volume that an object shows as {name: text}; empty where it shows none."""
    mesh = volume_mesh(obj)
    if mesh is None:
        return {}
    shape, spacing = SHAPE.read(mesh) or (), SPACING.read(mesh) or ()
    return {
        "Voxels": " x ".join(map(str, shape)),
        "Voxel size": " x ".join(map(number_text, spacing)) + f" {ANGSTROM}",
    }


def meta_of(obj: bpy.types.Object) -> dict[str, Any]:
    """Return the entries of an object's meta: its custom properties but for the add-on's own."""
    return own_properties(obj)


def children_of(value: Any) -> list[tuple[str, Any]] | None:
    """Return the entries of a nested value of meta; None for a plain one."""
    return list(value.items()) if hasattr(value, "items") else None


def value_text(value: Any) -> str:
    """Return a plain value of meta as one line of text."""
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    if isinstance(value, float):
        return f"{value:.6g}"
    if hasattr(value, "to_list"):
        shown = value[: MAX_LINE // 2]
        text = ", ".join(map(value_text, shown)) + (", \u2026" if len(value) > len(shown) else "")
    else:
        text = ", ".join(map(value_text, value)) if isinstance(value, (list, tuple)) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= MAX_LINE else f"{text[: MAX_LINE - 1]}\u2026"
