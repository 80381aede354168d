"""The arrays in the nodes of a geometry: which there are, under which names, and how to replace them."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from numpy.typing import NDArray

from .edit import drop, put, state_of
from .nodes import ArrayNode, Node, ObjectNode, Stored
from .session import Frame, Geometry, Mesh
from .values import array_of, columns_in, fit_of

Named: TypeAlias = tuple[str, ArrayNode]

# The names of arrays here and of `Stored` nodes: those of a geometry itself, and those of the mesh that is its model.
POINTS, NORMALS, QUATERNIONS, VOLUME = "points", "normals", "quaternions", "volume"
VERTICES, TRIANGLES, VERTEX_NORMALS = "vertices", "triangles", "vertex_normals"
VERTEX_COLORS, TRIANGLE_NORMALS = "vertex_colors", "triangle_normals"


def arrays_of(geometry: Geometry) -> Iterator[Named]:
    """Yield the arrays that a geometry was read from, each after its name; those that were not understood are left out.

    The names are "points", "normals", "quaternions", "columns/<name>" for a vertex property, "volume", and "vertices",
    "triangles" and "vertex_normals" for a mesh. "frames/<number>/" stands before the names of the arrays of a frame, which
    come first. number: among the frames that were understood. An array comes twice if the geometry has it twice.
    """
    node: ObjectNode = geometry.node
    fields = node.fields()
    for number, frame in enumerate(geometry.frames or ()):
        yield from _arrays_of_frame(fields["trajectory"][frame.index].as_dict(), frame, f"frames/{number}/")
    yield from _those_of(fields, {"points": True, "normals": geometry.normals, "quaternions": geometry.quaternions})
    yield from _columns(fields.get("vertex_properties"), geometry.vertex_properties, "columns/")
    yield from _those_of(fields, {"volume": geometry.volume})
    fit = fit_of(node)
    if fit is not None and isinstance(geometry.model, Mesh):
        yield from _arrays_of_mesh(fit, geometry.model, "")


def _arrays_of_frame(entries: Mapping[str, Node], frame: Frame, start: str) -> Iterator[Named]:
    yield from _arrays_of_mesh(entries["fit"], frame.mesh, start)
    yield from _columns(entries.get("vertex_properties"), frame.vertex_properties, f"{start}columns/")


def _arrays_of_mesh(fit: ObjectNode, mesh: Mesh, start: str) -> Iterator[Named]:
    parts = {"vertices": True, "triangles": True, "vertex_normals": mesh.vertex_normals}
    yield from _those_of(fit.fields(), parts, start)


def _columns(container: Node, columns: Mapping[str, Any], start: str) -> Iterator[Named]:
    if columns:
        yield from _those_of(columns_in(container), columns, start)


def _those_of(fields: Mapping[str, Node], understood: Mapping[str, Any], start: str = "") -> Iterator[Named]:
    """Yield those of some arrays of an object that were understood, which are those with a value there."""
    for name, value in understood.items():
        node = fields.get(name)
        if value is not None and type(node) is ArrayNode:
            yield start + name, node


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
