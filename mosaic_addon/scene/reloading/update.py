"""Bringing what the file changed into an object, which stays the same object with all that points at it."""

import re
from collections.abc import Iterable
from typing import Any, Final

import bpy
import numpy as np
from mathutils import Matrix

from ...session.errors import MosaicError
from ...session.session import MESH_REPRESENTATIONS
from ..compat import values_of
from ..data.attributes import (
    KINDS,
    NORMALS,
    QUATERNIONS,
    VERTEX_COLORS,
    PointAttributes,
    PointData,
    buffer_of,
)
from ..data.custom_properties import has
from ..data.meshes import CUSTOM_NORMAL, ORIGINAL
from ..data.vertex_properties import columns_of
from ..drawing.appearance import DEFAULT_SIZE, contour, set_base_color, set_number, set_sampling_rate
from ..drawing.color_maps import to_scene
from ..drawing.membranes import draw_as, has_membrane, make_membrane
from ..drawing.representations import (
    VIEW_SURFACE,
    group_of,
    input_of,
    inputs_of,
    modifier_of,
    set_inputs,
)
from ..drawing.surfaces import shown_at
from ..exporting.changes import Kind
from ..exporting.object_arrays import triangles_of
from ..keys import CLASS, COLUMNS, MODEL, SHOWS
from ..outline.duplicate import remove_parts
from ..outline.naming import rename

# Inputs of the modifier that the user chose.
KEPT_INPUTS: Final = (
    "Pixel Size", "Size", "Spheres", "On Screen", "Picture Height", "Arrow Length", "Instances", "Viewport Amount",
)  # fmt: skip
PARTS: Final = ("Surface", VIEW_SURFACE, "Frames")  # inputs of the modifier: what a geometry shows beside its own data
# Attributes that an import makes beside vertex properties; those with the exact bits of single numbers.
OF_IMPORT: Final = frozenset({NORMALS, QUATERNIONS, VERTEX_COLORS, CUSTOM_NORMAL, ORIGINAL})
BITS: Final = re.compile(r"\..+\.[fiu]\d\.\d+")


def take_values(obj: bpy.types.Object, values: dict[Kind, Any], layers: Iterable[bpy.types.ViewLayer]) -> list[str]:
    """Give an object what the file says of its name, look and meta. values: by kind of change. Returns warnings."""
    numbers = {Kind.OPACITY: "opacity", Kind.AMBIENT: "ambient", Kind.DIFFUSE: "diffuse", Kind.SPECULAR: "specular"}
    for kind, key in (numbers | {Kind.SPHERES: "render_spheres"}).items():
        if kind in values:
            set_number([obj], key, values[kind])
    if Kind.COLOR in values:
        set_base_color([obj], to_scene(np.array(values[Kind.COLOR])).tolist())
    if Kind.REPRESENTATION in values:
        draw_as([obj], values[Kind.REPRESENTATION])
    if Kind.SIZE in values:
        set_number([obj], "size", values[Kind.SIZE])
    if Kind.NAME in values:
        rename(obj, values[Kind.NAME])
    if Kind.SAMPLING_RATE in values:
        set_sampling_rate([obj], values[Kind.SAMPLING_RATE])
    if Kind.VISIBLE in values:
        obj.hide_render = not values[Kind.VISIBLE]
        for layer in layers:
            if obj.name in layer.objects:
                obj.hide_set(not values[Kind.VISIBLE], view_layer=layer)
    for key, value in values.get(Kind.META, {}).items():
        obj.pop(key, None)  # a new value would be made one of the old kind
        if value is not None:
            obj[key] = value
    if Kind.ISOVALUE in values or Kind.RESOLUTION in values:
        try:
            contour([obj], lambda mesh: _surface_of(mesh, values))
        except MosaicError as error:
            return [f"{obj.name!r}: {error}"]
    return []


def size_shown(representation: str, size: float) -> float:
    """Return the size that the modifier gets for the size in a file: that of a surface's points means nothing."""
    return DEFAULT_SIZE if representation in MESH_REPRESENTATIONS else size


def _surface_of(mesh: bpy.types.Mesh, values: dict[Kind, Any]) -> tuple[float | None, float]:
    percentile, resolution = shown_at(mesh)
    return values.get(Kind.ISOVALUE, percentile), values.get(Kind.RESOLUTION, resolution)


def take_shape(obj: bpy.types.Object, fresh: bpy.types.Object) -> list[str]:
    """Give an object the points, faces, vertex properties, model, volume and frames of a freshly imported one.

    Where the numbers of points and the faces stay the same, the object's data stay too, with shape keys, UV maps and
    vertex groups; otherwise other data take their place for all objects that have them. Returns what is lost by that.
    """
    lost: list[str] = []
    old_data: Any = obj.data
    new_data: Any = fresh.data
    if _fits(old_data, new_data):
        _copy_attributes(new_data, old_data)
        COLUMNS.copy(new_data, old_data)
    else:
        lost = _of_the_user(obj, new_data)
        _replace_data(obj, fresh)
    for key in (COLUMNS, SHOWS, MODEL, CLASS):
        key.copy(fresh, obj)
    if modifier_of(obj) is not None:
        old = {name: part for name in PARTS if (part := input_of(obj, name)) is not None}
        if group_of(obj) != group_of(fresh):
            _draw_like(obj, fresh)
        new = {name: part for name in PARTS if (part := input_of(fresh, name)) is not None}
        set_inputs([obj], dict.fromkeys(old) | new)
        _replace_parts(old, new)
        if has_membrane(obj):
            make_membrane(obj, keeps_thickness=True)
    obj.update_tag()
    obj.data.update_tag()
    return lost


def _of_the_user(obj: bpy.types.Object, new: PointData) -> list[str]:
    """List what a user gave an object's points or faces and other data of it do not have."""
    old: Any = obj.data
    if not isinstance(old, bpy.types.Mesh):
        return []
    lost = ["shape keys"] if old.shape_keys is not None else []
    lost += ["vertex groups"] if len(obj.vertex_groups) else []
    lost += ["UV maps"] if any(layer.name not in new.attributes for layer in old.uv_layers) else []
    return lost


def _replace_parts(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Remove what an object showed and nothing shows any more, and give what it shows now the old names.

    old, new: a surface or the collection of frames, by the name of the modifier's input.
    """
    names = {name: [each.name for each in _named(part)] for name, part in old.items()}
    remove_parts(list(old.values()))
    for name, part in new.items():
        for each, wanted in zip(_named(part), names.get(name, ()), strict=False):
            each.name = wanted


def _named(part: Any) -> list[Any]:
    """Return a surface and its mesh, or the collection of frames with its objects and meshes."""
    inner = (
        [part.data]
        if isinstance(part, bpy.types.Object)
        else [each for obj in part.objects for each in (obj, obj.data)]
    )
    return [part, *inner]


def take_place(obj: bpy.types.Object, matrix: np.ndarray[Any, Any]) -> None:
    """Undo that an object was moved, as its new points stand there. matrix: (4, 4), from its data to angstrom."""
    inverse, basis = Matrix(matrix.tolist()).inverted_safe(), obj.matrix_basis.copy()
    if obj.animation_data is not None and obj.parent is not None:  # keyframes would move the object itself again
        obj.matrix_parent_inverse = obj.matrix_parent_inverse @ basis @ inverse @ basis.inverted_safe()
    else:
        obj.matrix_basis = basis @ inverse


def take_motion(obj: bpy.types.Object, fresh: bpy.types.Object) -> None:
    """Give a freshly imported object the place, parent, keyframes and constraints of another one."""
    fresh.matrix_basis = obj.matrix_basis
    fresh.parent, fresh.matrix_parent_inverse = obj.parent, obj.matrix_parent_inverse
    for constraint in obj.constraints:
        fresh.constraints.copy(constraint)
    old = obj.animation_data
    if old is not None and old.action is not None:
        new = fresh.animation_data_create()
        new.action = old.action
        new.action_slot = old.action_slot


def stand_in_for(obj: bpy.types.Object, fresh: bpy.types.Object) -> None:
    """Let a freshly imported object take the place of one whose kind of data it does not share.

    Whatever points at the old one points at the new one from then on, collections and children, too. The new one stays
    in its own place, and the old one is left without users.
    """
    name = obj.name
    for collection in list(obj.users_collection):
        order = list(collection.objects)
        collection.objects.unlink(obj)
        for each in order[order.index(obj) :]:
            if each != obj:
                collection.objects.unlink(each)
        for each in order[order.index(obj) :]:
            collection.objects.link(fresh if each == obj else each)
    obj.user_remap(fresh)
    obj.name = f"{name} (old)"
    fresh.name = name


def _fits(old: PointData, new: PointData) -> bool:
    """Tell whether two data have the same numbers of points, edges and corners, and the same faces."""
    if isinstance(old, bpy.types.PointCloud) or isinstance(new, bpy.types.PointCloud):
        return len(old.attributes) > 0 and old.attributes.domain_size("POINT") == new.attributes.domain_size("POINT")
    domains: tuple[Any, ...] = ("POINT", "EDGE", "CORNER", "FACE")
    if any(old.attributes.domain_size(domain) != new.attributes.domain_size(domain) for domain in domains):
        return False
    return np.array_equal(triangles_of(old), triangles_of(new))


def _copy_attributes(source: PointData, target: PointData) -> None:
    """Give data the file's point attributes of other data of the same size, and take away those that it has no more."""
    reader = PointAttributes(source)
    shift = _shift_of(source, target)
    columns = {name for column in columns_of(target) for name in column.attributes}
    for name in list(target.attributes.keys()):
        ours = name in OF_IMPORT or name in columns or BITS.fullmatch(name)
        if ours and (name not in reader or _kind(source, name) != _kind(target, name)):
            target.attributes.remove(target.attributes[name])
    for name, attribute in source.attributes.items():
        values = reader.read(name)
        if values is None:
            continue
        if name not in target.attributes:
            target.attributes.new(name, attribute.data_type, "POINT")
        key, _, dtype = KINDS[attribute.data_type]
        values_of(target.attributes[name]).foreach_set(key, buffer_of(values, dtype))
    if isinstance(target, bpy.types.Mesh):
        if shift is not None:
            _shift_shape_keys(target, shift)
        target.update()


def _kind(data: PointData, name: str) -> tuple[str, str]:
    attribute = data.attributes[name]
    return attribute.data_type, attribute.domain


def _shift_of(source: PointData, target: PointData) -> np.ndarray[Any, Any] | None:
    """Return how far each point moves, (n, 3); None for data without shape keys."""
    if not isinstance(target, bpy.types.Mesh) or target.shape_keys is None:
        return None
    new, old = PointAttributes(source).read("position"), PointAttributes(target).read("position")
    return None if new is None or old is None else new - old


def _shift_shape_keys(mesh: bpy.types.Mesh, shift: np.ndarray[Any, Any]) -> None:
    """Move the points of all shape keys along with those of the mesh. shift: (n, 3)."""
    assert mesh.shape_keys is not None
    for block in mesh.shape_keys.key_blocks:
        values = np.empty(shift.size, np.float32)
        block.data.foreach_get("co", values)
        block.data.foreach_set("co", values + shift.reshape(-1))


def _replace_data(obj: bpy.types.Object, fresh: bpy.types.Object) -> None:
    """Put the data of a freshly imported object in the place of an object's, with the materials of the old."""
    old: Any = obj.data
    new: Any = fresh.data
    name = old.name
    for material in list(old.materials)[len(new.materials) :]:
        new.materials.append(material)
    for key in list(old.keys()):
        if key != COLUMNS and not has(new, key):
            new[key] = old[key]
    if old.animation_data is not None and old.animation_data.action is not None:
        new.animation_data_create().action = old.animation_data.action
    old.user_remap(new)
    fresh.data = new
    old.name = f"{name[:50]} (old)"
    new.name = name
    if not old.users:
        bpy.data.batch_remove([old])


def _draw_like(obj: bpy.types.Object, fresh: bpy.types.Object) -> None:
    """Draw an object by the node group of another one, with the inputs that both groups have."""
    modifier, other = modifier_of(obj), modifier_of(fresh)
    assert modifier is not None
    assert other is not None
    old = inputs_of(modifier)
    kept = {name: old.get(modifier, name) for name in KEPT_INPUTS if name in old}
    modifier.node_group = other.node_group
    set_inputs([obj], kept | {"Representation": inputs_of(other).get(other, "Representation")})
