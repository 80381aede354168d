"""The arrays in the nodes of a geometry, and the names that `Stored` nodes give them."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from .nodes import ArrayNode, Node, ObjectNode
from .session import Frame, Geometry, Mesh
from .values import columns_in, fit_of

Named: TypeAlias = tuple[str, ArrayNode]


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
