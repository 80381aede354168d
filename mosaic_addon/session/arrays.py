"""The arrays in the nodes of a geometry: which there are, under which names, and how to replace them."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from numpy.typing import NDArray

from .edit import drop, put, state_of
from .nodes import ArrayNode, Node, ObjectNode, Stored
from .session import Geometry, Mesh
from .values import array_of, columns_in, fit_of

Named: TypeAlias = tuple[str, ArrayNode]

# The names of arrays here and of `Stored` nodes: those of a geometry itself, and those of the mesh that is its model.
POINTS, NORMALS, QUATERNIONS, VOLUME = "points", "normals", "quaternions", "volume"
VERTICES, TRIANGLES, VERTEX_NORMALS = "vertices", "triangles", "vertex_normals"
VERTEX_COLORS, TRIANGLE_NORMALS = "vertex_colors", "triangle_normals"


def arrays_of(geometry: Geometry) -> list[Named]:
    """List the arrays that a geometry was read from, each after its name; those that were not understood are left out.

    The names are "points", "normals", "quaternions", "columns/<name>" for a vertex property, "volume", and "vertices",
    "triangles" and "vertex_normals" for a mesh. The arrays of frames come first, with "frames/<number>/" before their
    names. number: among the frames that were understood. An array is there twice if the geometry has it twice.
    """
    found: list[Named] = []
    fields = geometry.node.fields()
    for number, frame in enumerate(geometry.frames or ()):
        entries, start = fields["trajectory"][frame.index].as_dict(), f"frames/{number}/"
        _add_mesh(found, entries["fit"], frame.mesh, start)
        _add_columns(found, entries.get("vertex_properties"), frame.vertex_properties, f"{start}columns/")
    _add(found, fields, (POINTS,))
    if geometry.normals is not None:
        _add(found, fields, (NORMALS,))
    if geometry.quaternions is not None:
        _add(found, fields, (QUATERNIONS,))
    _add_columns(found, fields.get("vertex_properties"), geometry.vertex_properties, "columns/")
    if geometry.volume is not None:
        _add(found, fields, (VOLUME,))
    if isinstance(geometry.model, Mesh):
        _add_mesh(found, fit_of(geometry.node), geometry.model, "")
    return found


def _add_mesh(found: list[Named], fit: ObjectNode | None, mesh: Mesh, start: str) -> None:
    if fit is not None:
        names = (VERTICES, TRIANGLES) if mesh.vertex_normals is None else (VERTICES, TRIANGLES, VERTEX_NORMALS)
        _add(found, fit.fields(), names, start)


def _add_columns(found: list[Named], container: Node, columns: Mapping[str, Any], start: str) -> None:
    if columns:
        _add(found, columns_in(container), columns, start)


def _add(found: list[Named], fields: Mapping[str, Node], names: Iterable[str], start: str = "") -> None:
    """Add those arrays of an object that have these names, with `start` before the names."""
    for name in names:
        node = fields.get(name)
        if type(node) is ArrayNode:
            found.append((start + name, node))


# --- the arrays of one object, a geometry or the mesh that is its model ---------------------------------------------


def array_in(node: ObjectNode, name: str) -> Node:
    """Return an array of an object, whatever stands for it; None without one."""
    return state_of(node).as_dict().get(name)


def has_array(node: ObjectNode, name: str) -> bool:
    """Tell whether an object has a place for an array, which may be empty."""
    return name in state_of(node).as_dict()


def values_in(node: ObjectNode, name: str) -> NDArray[Any] | None:
    """Return an array that the node holds itself; None without one, also for one in Blender's data."""
    return array_of(array_in(node, name))


def stored_in(node: ObjectNode, name: str) -> Stored | None:
    """Return what stands for an array in Blender's data; None for any other."""
    value = array_in(node, name)
    return value if type(value) is Stored else None


def put_array(node: ObjectNode, name: str, value: Node) -> None:
    """Replace an array of an object. value: an array, a `Stored`, or None for no array."""
    put(state_of(node), name, value)


def drop_array(node: ObjectNode, name: str) -> None:
    """Remove an array of an object, and the place for it."""
    drop(state_of(node), name)
