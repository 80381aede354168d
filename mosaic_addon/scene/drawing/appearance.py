"""Mosaic's appearance <-> materials, modifiers and volumes: numbers are read from one object and set on many."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import bpy
import numpy as np

from ...session.decode import appearance_of
from ...session.errors import MosaicError
from ...session.nodes import NOBODY
from ...session.session import DEFAULT_RESOLUTION, MESH_REPRESENTATIONS, Appearance
from ...session.values import numbers_of
from ..compat import set_socket_value, socket_value
from ..data.custom_properties import has
from ..keys import CLASS, SAMPLING_RATE
from ..record import unpack
from .color_map_nodes import MAP
from .color_maps import to_scene
from .coloring import color_by, coloring_of, uncolor
from .materials import SURFACE, material_of
from .membranes import draw_as
from .node_tree import socket_named
from .representations import ARROW_LENGTH, input_of, set_inputs
from .surfaces import contour_again, shown_at, volume_mesh

# Where each number is: in the material, node and input; or an input of the modifier.
SOCKETS = {
    "opacity": (SURFACE, "Opacity"),
    "ambient": (SURFACE, "Ambient"),
    "diffuse": (SURFACE, "Diffuse"),
    "specular": (SURFACE, "Specular"),
    "low": (MAP, "From Min"),
    "high": (MAP, "From Max"),
    "gamma": (MAP, "Gamma"),
    "reverse": (MAP, "Reverse"),
    "categories": (MAP, "Categories"),
}
DEFAULT_SIZE = 8.0  # of the modifier's input
INPUTS = {
    "size": "Size",
    "render_spheres": "Spheres",
    "on_screen": "On Screen",
    "viewport_amount": "Viewport Amount",
    "start": "Start",
    "step": "Step",
    "loop": "Loop",
    "shown": "Shown",
    "smoothing": "Smoothing",
    "thickness": "Thickness",
}


def is_geometry(obj: bpy.types.Object | None) -> bool:
    """Return whether an object stands for a geometry of a session."""
    return obj is not None and has(obj, CLASS)


def editable(objects: Iterable[bpy.types.Object]) -> list[bpy.types.Object]:
    """Return the objects that this .blend may change, without those that are linked from another one."""
    return [obj for obj in objects if obj.is_editable]


# --- single numbers --------------------------------------------------------------------------------------------------


def number_of(obj: bpy.types.Object, key: str) -> Any:
    """Return a number or switch of an object, by its key in SOCKETS or INPUTS; None where the object has none."""
    if key in SOCKETS:
        socket = _socket(obj, key)
        return None if socket is None else socket_value(socket)
    return input_of(obj, INPUTS[key])


def set_number(objects: Iterable[bpy.types.Object], key: str, value: float | bool) -> None:
    """Set a number or switch, by its key in SOCKETS or INPUTS, of all objects that have it."""
    if key in INPUTS:
        set_inputs(editable(objects), {INPUTS[key]: value})
        return
    held = float(np.float32(value))
    for obj in objects:
        socket = _socket(obj, key)
        if socket is None or not socket.id_data.is_editable:
            continue
        # Each assignment makes Blender look through the node trees of the whole file.
        if socket_value(socket) != held:
            set_socket_value(socket, value)
        if key == "opacity":
            _show_in_solid_view(obj, alpha=float(value))


def base_color_of(obj: bpy.types.Object) -> tuple[float, float, float] | None:
    """Return the base colour, scene values, even where a colouring by property hides it; None where there is none."""
    surface = _node(obj, SURFACE)
    return None if surface is None else tuple(socket_value(surface.inputs["Color"])[:3])


def set_base_color(objects: Iterable[bpy.types.Object], color: Sequence[float]) -> None:
    """Give objects a base colour, (r, g, b) scene values."""
    for obj in objects:
        surface = _node(obj, SURFACE)
        if surface is None or not surface.id_data.is_editable:
            continue
        value = socket_value(surface.inputs["Color"])
        value.foreach_set((*color, 1.0))  # an assignment would make Blender look through all node trees
        surface.id_data.update_tag()
        material_of(obj).update_tag()
        _show_in_solid_view(obj, color=color)


def sampling_rate_of(obj: bpy.types.Object) -> tuple[float, float, float] | None:
    """Return the voxel size of an object along x, y and z, in angstrom; None where it has none."""
    rate = SAMPLING_RATE.read(obj)
    return None if rate is None else (rate[0], rate[1], rate[2])


def set_sampling_rate(objects: Iterable[bpy.types.Object], rate: Sequence[float]) -> None:
    """Set the voxel size of objects, (x, y, z) in angstrom.

    Arrows that had Mosaic's length, a multiple of the voxel size, have it again. A number that equals the old one in
    single precision stays exactly the old one.
    """
    for obj in editable(objects):
        old = sampling_rate_of(obj)
        new = [float(value) for value in rate]
        if old is not None:
            new = [was if np.float32(was) == np.float32(is_) else is_ for was, is_ in zip(old, new, strict=True)]
        length = input_of(obj, "Arrow Length")
        if old and length is not None and np.isclose(length, ARROW_LENGTH * max(old), rtol=1e-5):
            set_inputs([obj], {"Arrow Length": ARROW_LENGTH * max(new)})
        obj[SAMPLING_RATE] = new


# --- back to the file ------------------------------------------------------------------------------------------------


def reset_appearance(objects: Iterable[bpy.types.Object]) -> list[str]:
    """Give objects the appearance that their file has, and no colouring by property.

    Objects of no session stay as they are. Returns a sentence for each volume that would have no surface as the file
    wants it, and therefore keeps the one it has. Raises MosaicError, before anything changes, when a record is
    damaged.
    """
    records = [(obj, unpack(obj, NOBODY)) for obj in editable(objects)]
    wanted: dict[tuple[float | None, float], list[bpy.types.Object]] = {}
    for obj, record in records:
        if record is None:
            continue
        appearance = appearance_of(record.node, record.container, record.fractions)
        rate, _, resolution = numbers_of(record.node)
        apply_appearance(obj, appearance, record.representation)
        set_sampling_rate([obj], rate)
        uncolor([obj])
        if resolution is None:
            resolution = DEFAULT_RESOLUTION
        wanted.setdefault((appearance.isovalue_percentile, resolution), []).append(obj)
    troubles = []
    for choice, group in wanted.items():
        try:
            contour(group, partial(_same_for_all, choice))
        except MosaicError as error:
            troubles.append(str(error))
    return troubles


def _same_for_all(choice: tuple[float | None, float], mesh: bpy.types.Mesh) -> tuple[float | None, float]:
    return choice


def apply_appearance(obj: bpy.types.Object, appearance: Appearance, representation: str) -> None:
    """Give an object the colours and numbers of an appearance, and a representation. A volume keeps its surface."""
    for key in ("opacity", "ambient", "diffuse", "specular", "render_spheres"):
        set_number([obj], key, getattr(appearance, key))
    # The size of a surface's points means nothing in Mosaic.
    set_number([obj], "size", DEFAULT_SIZE if representation in MESH_REPRESENTATIONS else appearance.size)
    set_base_color([obj], to_scene(np.array(appearance.base_color)).tolist())
    draw_as(editable([obj]), representation)


# --- volumes ---------------------------------------------------------------------------------------------------------


def contour(
    objects: Iterable[bpy.types.Object], choose: Callable[[bpy.types.Mesh], tuple[float | None, float]]
) -> None:
    """Show the volumes of objects at other isovalues or resolutions.

    choose: takes the mesh that holds a volume and returns its isovalue percentile (None: Mosaic's choice) and its
    target resolution in angstrom. A surface that other objects show as well is copied first, so that only `objects`
    change. Raises MosaicError for a volume that has no surface there: it keeps its old one, and the others have
    changed.
    """
    by_surface: dict[bpy.types.Object, list[bpy.types.Object]] = {}
    for obj in editable(objects):
        if volume_mesh(obj) is not None:
            by_surface.setdefault(input_of(obj, "Surface"), []).append(obj)
    troubles = []
    for surface, sharing in by_surface.items():
        mesh = surface.data
        assert isinstance(mesh, bpy.types.Mesh)
        percentile, resolution = choose(mesh)
        if (percentile, resolution) == shown_at(mesh):
            continue
        if surface.users > len(sharing) or mesh.users > 1 or not mesh.is_editable:
            own = surface.copy()
            own.data = mesh = mesh.copy()
            set_inputs(sharing, {"Surface": own})
        try:
            contour_again(mesh, percentile, resolution)
        except MosaicError as error:
            troubles.append(error)
        for obj in sharing:
            obj.update_tag()
    if troubles:
        raise troubles[0]


# --- colouring by property -------------------------------------------------------------------------------------------


def set_color_map(objects: Iterable[bpy.types.Object], color_map: str) -> None:
    """Show what objects are coloured by through another colour map, in the range that each has."""
    for obj in objects:
        coloring = coloring_of(obj)
        if coloring is None or coloring.color_map is None or not material_of(obj).is_editable:
            continue
        color_by(
            [obj],
            coloring.property,
            color_map,
            value_range=coloring.value_range,
            gamma=coloring.gamma,
            reverse=coloring.reverse,
            component=coloring.component,
        )


# --- where the numbers are -------------------------------------------------------------------------------------------


def _node(obj: bpy.types.Object, name: str) -> bpy.types.Node | None:
    material = material_of(obj)
    return material.node_tree.nodes.get(name) if material is not None and material.node_tree is not None else None


def _socket(obj: bpy.types.Object, key: str) -> bpy.types.NodeSocket | None:
    node_name, name = SOCKETS[key]
    node = _node(obj, node_name)
    if node is None:
        return None
    try:
        return socket_named(node.inputs, name)
    except KeyError:  # only palettes have categories; a group may be missing
        return None


def _show_in_solid_view(
    obj: bpy.types.Object, color: Sequence[float] | None = None, alpha: float | None = None
) -> None:
    """Set what the Solid view, which knows no nodes, draws an object with."""
    for owner, name in ((material_of(obj), "diffuse_color"), (obj, "color")):
        if owner is not None and owner.is_editable:
            old = getattr(owner, name)
            setattr(owner, name, (*(old[:3] if color is None else color), old[3] if alpha is None else alpha))
