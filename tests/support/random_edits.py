"""Edits of a session in Blender's own data, and beside them the session as it is then to be saved.

A `Track` follows one object: what it was in the file, and what has been done to it. What it is to be in the saved file is
told by `expected`, from the file's own objects alone.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mosaic_addon.scene.compat import ModifierInputs
from mosaic_addon.scene.drawing.color_maps import to_scene
from mosaic_addon.scene.drawing.representations import LABELS
from tests.support import make_sessions as make

MESH_LOOKS = ("surface", "mesh", "wireframe")
POINT_LOOKS = ("pointcloud", "gaussian_density", "normals")
WEIGHTS = ("opacity", "ambient", "diffuse", "specular")
NOTES = ("note", "größe", "n")
Undo = Callable[[], None]


@dataclass
class Track:
    """One object. original: as make_sessions made it, of a copy too; number: its place in the file."""

    obj: Any
    original: Any
    container: str
    number: int
    looks: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    kept: np.ndarray | None = None

    @property
    def state(self) -> dict[str, Any]:
        return vars(self.original)

    @property
    def is_mesh(self) -> bool:
        """Whether its faces can be edited."""
        return self.kind == "Geometry" and faces_of(self.state) is not None

    @property
    def is_renamed(self) -> bool:
        """Whether Blender shows another name than it did after the import."""
        return self.obj.name != self.obj.get("mosaic_shown_as", self.obj["mosaic_name"])

    @property
    def kind(self) -> str:
        return type(self.original).__name__


def faces_of(state: dict[str, Any]) -> dict[str, Any] | None:
    """The attributes of a geometry's mesh."""
    model = state.get("model")
    return vars(model) if model is not None and "triangles" in vars(model) else None


def surface(obj: Any) -> Any:
    return obj.material_slots[0].material.node_tree.nodes["Mosaic Surface"].inputs


def modifier_input(obj: Any, name: str) -> tuple[Any, ModifierInputs]:
    modifier = obj.modifiers["Mosaic"]
    return modifier, ModifierInputs(modifier.node_group)


# --- edits of one object: each returns how to take it back -----------------------------------------------------------


def rename(track: Track, value: str) -> Undo:
    old = track.obj.name
    track.obj.name = value
    return lambda: setattr(track.obj, "name", old)


def recolor(track: Track, value: tuple[float, ...]) -> Undo:
    socket, old = surface(track.obj)["Color"], track.looks.get("base_color")
    before = tuple(socket.default_value)
    socket.default_value = (*to_scene(np.array(value)), 1)
    track.looks["base_color"] = value

    def undo() -> None:
        socket.default_value = before
        restore(track.looks, "base_color", old)

    return undo


def weigh(track: Track, key: str, value: float) -> Undo:
    socket, old = surface(track.obj)[key.capitalize()], track.looks.get(key)
    before = socket.default_value
    socket.default_value = value
    track.looks[key] = value

    def undo() -> None:
        socket.default_value = before
        restore(track.looks, key, old)

    return undo


def hide(track: Track, by_eye: bool) -> Undo:
    obj = track.obj

    def turn() -> None:
        if by_eye:
            obj.hide_set(not obj.hide_get())
        else:
            obj.hide_viewport = not obj.hide_viewport

    turn()
    return turn


def resize(track: Track, value: float) -> Undo:
    modifier, inputs = modifier_input(track.obj, "Size")
    before, old = inputs.get(modifier, "Size"), track.looks.get("size")
    inputs.set(modifier, "Size", value)
    track.looks["size"] = value

    def undo() -> None:
        inputs.set(modifier, "Size", before)
        restore(track.looks, "size", old)

    return undo


def show_as(track: Track, number: int) -> Undo | None:
    if track.kind not in ("Geometry", "GeometryTrajectory"):
        return None
    offered = [*POINT_LOOKS, *MESH_LOOKS] if track.is_mesh or track.kind == "GeometryTrajectory" else POINT_LOOKS
    value = offered[number % len(offered)]
    modifier, inputs = modifier_input(track.obj, "Representation")
    before, old = inputs.get(modifier, "Representation"), track.looks.get("representation")
    inputs.set(modifier, "Representation", LABELS[value])
    track.looks["representation"] = value

    def undo() -> None:
        inputs.set(modifier, "Representation", before)
        restore(track.looks, "representation", old)

    return undo


def move(track: Track, by: tuple[float, ...]) -> Undo:
    before = tuple(track.obj.location)
    track.obj.location = by
    return lambda: setattr(track.obj, "location", before)


def annotate(track: Track, key: str, value: Any) -> Undo | None:
    obj, old = track.obj, track.notes.get(key, make.MISSING)
    if value is None:
        if key not in obj:
            return None
        before = obj[key]
        before = (
            before.to_list()
            if hasattr(before, "to_list")
            else before.to_dict()
            if hasattr(before, "to_dict")
            else before
        )
        order = list(obj.keys())
        if order[-1] != key:
            return None  # put back, it would stand elsewhere
        del obj[key]
    else:
        before = obj.get(key, make.MISSING)
        if hasattr(before, "to_list") or hasattr(before, "to_dict"):
            return None
        obj[key] = value
    track.notes[key] = value

    def undo() -> None:
        if before is make.MISSING:
            del obj[key]
        else:
            obj[key] = before
        restore(track.notes, key, old, make.MISSING)

    return undo


def resample(track: Track, value: float) -> Undo:
    before = list(track.obj["mosaic_sampling_rate"])
    track.obj["mosaic_sampling_rate"] = [value, value, 2 * value]
    return lambda: track.obj.__setitem__("mosaic_sampling_rate", before)


def restore(entries: dict[str, Any], key: str, old: Any, missing: Any = None) -> None:
    if old is missing:
        del entries[key]
    else:
        entries[key] = old


def delete_points(track: Track, numbers: list[int]) -> None:
    """Of a mesh, whose faces that lose a corner go, too; or, where Blender can, the last ones of a cloud. One stays."""
    if track.kind != "Geometry" or not len(track.state["points"]):
        return
    kept = np.arange(len(track.state["points"])) if track.kept is None else track.kept
    if not track.is_mesh and not hasattr(track.obj.data, "resize"):
        return
    if track.obj.data.users > 1:
        track.obj.data = track.obj.data.copy()
    gone = sorted({number % len(kept) for number in numbers} - {0})
    if not track.is_mesh:
        gone = list(range(len(kept) - len(gone), len(kept)))
        track.obj.data.resize(len(kept) - len(gone))
    elif gone:
        _delete_vertices(track.obj.data, gone)
    track.kept = np.delete(kept, gone) if gone else track.kept


def _delete_vertices(data: Any, gone: list[int]) -> None:
    import bmesh

    mesh = bmesh.new()
    mesh.from_mesh(data)
    mesh.verts.ensure_lookup_table()
    bmesh.ops.delete(mesh, geom=[mesh.verts[number] for number in gone], context="VERTS")
    mesh.to_mesh(data)
    mesh.free()


# --- what is to be saved ---------------------------------------------------------------------------------------------


def single(value: Any) -> Any:
    return np.float32(value)


def shortest(value: Any) -> float:
    return float(str(np.float32(value)))


def expected(track: Track) -> Any:
    """The geometry as it is to stand in the file."""
    made = copy.deepcopy(track.original)
    state = vars(made)
    _name(track, state)
    _look(track, state)
    _notes(track, state["meta"])
    visible = not (track.obj.hide_get() or track.obj.hide_viewport)
    if visible != state["visible"]:
        state["visible"] = visible
    rate = tuple(track.obj["mosaic_sampling_rate"])
    if rate != tuple(state["sampling_rate"].astype(np.float64).tolist()):
        state["sampling_rate"] = np.array(rate, state["sampling_rate"].dtype)
    if track.kept is not None:
        _keep(state, track.kept)
    offset = np.array(track.obj.location, np.float64)
    if offset.any():
        _move(track, state, offset)
    state["uuid"] = track.obj["mosaic_uuid"]
    return made


def _name(track: Track, state: dict[str, Any]) -> None:
    if track.is_renamed:
        state["meta"]["name"] = track.obj.name


def _look(track: Track, state: dict[str, Any]) -> None:
    look, wanted = state["appearance"], track.looks
    color = wanted.get("base_color")
    if color is not None and not np.array_equal(
        single(to_scene(np.array(color))), single(to_scene(np.array(look["base_color"])))
    ):
        look["base_color"] = color
    for key in WEIGHTS:
        if key in wanted and single(wanted[key]) != single(look[key]):
            look[key] = wanted[key]
    before = state.get("representation")
    after = wanted.get("representation", before)
    size = wanted.get("size")
    whole = isinstance(look["size"], int)
    if before in MESH_LOOKS:  # whose points Blender shows at its own size
        if size is not None and size != 8:
            look["size"] = int(size) if whole and float(size).is_integer() else shortest(size)
        elif after not in MESH_LOOKS and look["size"] != 8:
            look["size"] = 8 if whole else 8.0
    elif size is not None and single(size) != single(look["size"]):
        look["size"] = int(size) if whole and float(size).is_integer() else shortest(size)
    if after != before:
        state["representation"] = after


def _notes(track: Track, meta: dict[str, Any]) -> None:
    for key, value in track.notes.items():
        if value is None:
            meta.pop(key, None)
        elif key not in meta or meta[key] != value:
            meta[key] = value


def _keep(state: dict[str, Any], kept: np.ndarray) -> None:
    count = len(state["points"])
    numbers = np.full(count, -1)
    numbers[kept] = np.arange(len(kept))
    for key in ("points", "normals", "quaternions"):
        if state.get(key) is not None:
            state[key] = np.ascontiguousarray(state[key][kept])
    columns = vars(state["vertex_properties"])
    columns["_n_vertices"] = len(kept)
    columns["_properties"] = {name: values[kept] for name, values in columns["_properties"].items()}
    model = faces_of(state)
    if model is None:
        return
    triangles = numbers[model["triangles"]]
    model["vertices"] = model["vertices"][kept]
    model["triangles"] = triangles[(triangles >= 0).all(axis=1)].astype(np.int32)
    if not len(model["triangles"]):
        state["model"] = None
        if state["representation"] in MESH_LOOKS:
            state["representation"] = "pointcloud"


def _moved(values: np.ndarray, offset: np.ndarray) -> np.ndarray:
    order = "F" if values.flags.f_contiguous and not values.flags.c_contiguous else "C"
    return np.asarray(values.astype(np.float64) + offset, values.dtype, order=order)


def _move(track: Track, state: dict[str, Any], offset: np.ndarray) -> None:
    state["points"] = _moved(state["points"], offset)
    models = [state.get("model"), *[step["fit"] for step in state.get("trajectory", ())]]
    for model in {id(model): model for model in models if model is not None}.values():
        entries = vars(model)
        for key in ("vertices", "center", "centers"):
            if key in entries:
                entries[key] = _moved(entries[key], offset)
    if state.get("model") is not None and type(state["model"]).__name__ == "FutureModel":
        state["model"] = None
