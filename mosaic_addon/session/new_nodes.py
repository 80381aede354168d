"""New geometries, models, containers and whole states, as nodes in the spelling of each release of Mosaic."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from .nodes import Global, ObjectNode, Pairs, SetNode
from .releases import (
    CONTAINER_KEYS,
    CONTAINER_MODULE,
    GEOMETRY_MODULE,
    MODEL_MODULE,
    PACKAGE,
    TREE_KEYS,
    Spelling,
)
from .session import HIGHLIGHT_COLORS, Appearance
from .values import FIT, MODEL

TreeItem: TypeAlias = tuple[str, str | None, Sequence[str]]


def named(module: str, name: str, spelling: Spelling) -> Global:
    """Make the name of one of Mosaic's classes as a release writes it. module: the module's name of today."""
    return Global(module, name, "mosaic", spelling.package + module[len(PACKAGE) :])


def new_columns(columns: Mapping[str, Any], count: int | None, spelling: Spelling) -> ObjectNode:
    """Make a VertexPropertyContainer. columns: arrays by name. count: their rows, None where nobody counts them."""
    node = ObjectNode(named(spelling.properties, "VertexPropertyContainer", spelling), ())
    entries = Pairs([part for item in columns.items() for part in item])
    node.state = Pairs(["_n_vertices", count, "_properties", entries])
    return node


def new_mesh_model(vertices: Any, triangles: Any, normals: Any, spelling: Spelling) -> ObjectNode:
    """Make a TriangularMesh of arrays, or of `Stored` nodes in their place."""
    node = ObjectNode(named(MODEL_MODULE, "TriangularMesh", spelling), ())
    node.state = Pairs(["vertices", vertices, "triangles", triangles])
    if normals is not None:
        node.state += ("vertex_normals", normals)
    return node


def new_geometry(
    spelling: Spelling,
    *,
    name: str,
    container: str,
    points: Any,
    sampling_rate: Sequence[float],
    appearance: Appearance,
    representation: str,
    visible: bool,
    normals: Any = None,
    quaternions: Any = None,
    columns: Mapping[str, Any] | None = None,
    count: int = 0,
    model: ObjectNode | None = None,
    meta: Mapping[str, Any] | None = None,
) -> ObjectNode:
    """Make a Geometry with all that its release expects.

    container: "clusters" or "models". points, normals, quaternions and columns are arrays, or `Stored` nodes in their
    place. count: the number of points. meta: without the name.
    """
    node = ObjectNode(named(GEOMETRY_MODULE, "Geometry", spelling), ())
    looks = Pairs(
        [
            "size", appearance.size, "opacity", appearance.opacity, "ambient", appearance.ambient,
            "diffuse", appearance.diffuse, "specular", appearance.specular,
            "render_spheres", appearance.render_spheres, "base_color", appearance.base_color,
            "highlight_color", HIGHLIGHT_COLORS[container],
        ]
    )  # fmt: skip
    entries = Pairs(["name", name, *[part for item in (meta or {}).items() for part in item]])
    node.state = Pairs(["points", points, "normals", normals, "quaternions", quaternions])
    node.state += ("sampling_rate", np.array(sampling_rate, np.float32))
    if spelling.models:
        node.state += (MODEL, model)
    elif model is not None:
        entries += (FIT, model)
    node.state += ("meta", entries, "vertex_properties", new_columns(columns or {}, count, spelling))
    node.state += ("visible", visible if spelling.flags else int(visible), "appearance", looks)
    if spelling.representations:
        node.state += ("representation", representation)
    if spelling.uuids:
        node.state += ("uuid", new_uuid())
    return node


def new_uuid() -> str:
    """Make a random uuid, as Mosaic does."""
    return str(uuid.uuid4())


def new_container(name: str, spelling: Spelling) -> ObjectNode:
    """Make a container without geometries. name: "clusters" or "models"."""
    node = ObjectNode(named(CONTAINER_MODULE, "DataContainer", spelling), ())
    node.state = Pairs(["data", [], "base_color", (0.7, 0.7, 0.7), "highlight_color", HIGHLIGHT_COLORS[name]])
    if not spelling.shape_in_metadata:
        node.state += ("metadata", Pairs())
    node.state += ("_highlighted_uuids" if spelling.uuids else "_highlighted_indices", SetNode())
    return node


def new_state(spelling: Spelling) -> Pairs:
    """Make the state of a session without geometries."""
    state = Pairs(["metadata", Pairs()] if spelling.shape_in_metadata else ["shape", None])
    for name, (key, _) in CONTAINER_KEYS.items():
        state += (key, new_container(name, spelling))
    if spelling.tree is not None:
        for key in TREE_KEYS.values():
            state += (key, new_tree([], spelling))
    return state


def new_tree(items: Iterable[TreeItem], spelling: Spelling) -> ObjectNode | None:
    """Make the order of a container's browser; None for a release that has none.

    items: (uuid, group's name or None for a geometry, uuids of the group's members), in order.
    """
    if spelling.tree is None:
        return None
    node = ObjectNode(named(*spelling.tree, spelling), ())
    items = list(items)
    if node.cls.name == "TreeState":
        by_title: dict[str, list[str]] = {}  # groups of one name are one
        order = Pairs()
        for place, (key, title, members) in enumerate(items):
            order += (key, (place, title))
            if title is not None:
                by_title.setdefault(title, []).extend(members)
        groups = Pairs([part for group in by_title.items() for part in group])
        roots = [key for key, title, _ in items if title is None]
        node.state = Pairs(["groups", groups, "root_order", order, "root_items", roots])
        return node
    groups = Pairs([part for key, title, members in items if title is not None for part in (key, list(members))])
    names = Pairs([part for key, title, _ in items if title is not None for part in (key, title)])
    roots = [key for key, _, _ in items]
    node.state = Pairs(["groups", groups, "group_names", names, "root_items", roots])
    return node
