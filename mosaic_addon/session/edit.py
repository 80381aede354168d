"""Edits and new objects -> nodes, as each release of Mosaic spells them: the mirror of `decode`.

An edit changes only the entry that it is about; all else of a node stays as it was read.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import MosaicError
from .nodes import ArrayNode, Global, Node, ObjectNode, Pairs, SetNode, Stored
from .session import MESH_REPRESENTATIONS, REPRESENTATIONS, Appearance, Color

COLORS: dict[str, Color] = {"clusters": (0.8, 0.2, 0.2), "models": (0.2, 0.4, 0.8)}
MESH_CLASSES = frozenset(
    "TriangularMesh ConvexHull FairHull ClusteredBallPivotingMesh MarchingCubes BallPivoting AlphaShape ShrinkWrap FlyingEdges "
    "PoissonMesh".split()
)
PARAMETRIZATION = "mosaic.parametrization"


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a release writes a session.

    tree: module and class of the browser's order, None before there was one. properties: module of VertexPropertyContainer.
    meshes: the models that it knows as meshes. models: a geometry has `model`, before in `meta["fit"]`. segmentations, resolutions: it knows SegmentationGeometry, and a
    volume's target resolution. filled: normals are never None. metadata: the shape stands there.
    """

    release: str
    tree: tuple[str, str] | None
    properties: str
    uuids: bool = True
    models: bool = True
    segmentations: bool = True
    resolutions: bool = True
    filled: bool = False
    metadata: bool = False
    package: str = "mosaic"
    representations: bool = True
    percent: bool = True
    meshes: frozenset[str] = MESH_CLASSES


WIDGET, STATE = "mosaic.widgets.container_list", "mosaic.tree_state"
PARSER, RECORDS = "mosaic.formats.parser", "mosaic.formats.records"
# The oldest first, before the newest. `release` is what a session of it is said to be.
SPELLINGS = (
    Spelling(
        "colabseg", None, PARSER, False, False, False, False, True,
        package="colabseg", representations=False, percent=False,
    ),
    Spelling("1.0.0-1.0.10", None, PARSER, False, False, False, False, True, percent=False),
    Spelling("1.0.11-1.0.16", (WIDGET, "TreeState"), PARSER, True, False, False, False, True),
    Spelling("1.1.0-1.2.3", (WIDGET, "TreeStateData"), PARSER),
    Spelling("1.2.4", (STATE, "TreeStateData"), PARSER),
)  # fmt: skip
# What other releases can be asked for: each can be read by itself and by all later ones.
TARGETS = {
    "1.0.12": Spelling(
        "1.0.12",
        (WIDGET, "TreeState"),
        PARSER,
        segmentations=False,
        resolutions=False,
        filled=True,
        meshes=frozenset({"TriangularMesh"}),
    ),
    "1.1.1": Spelling(
        "1.1.1",
        (WIDGET, "TreeStateData"),
        PARSER,
        segmentations=False,
        meshes=MESH_CLASSES - {"BallPivoting", "AlphaShape", "ShrinkWrap"},
    ),
    "1.2.4": Spelling("1.2.4", (WIDGET, "TreeStateData"), PARSER),
    "1.3.2": Spelling("1.3.2", (STATE, "TreeStateData"), RECORDS, metadata=True),
}
NEWEST = TARGETS["1.3.2"]


def spelling_of(release: str) -> Spelling:
    """How the release of a session, as `Session.release` says it, writes one; the newest way for an unknown one."""
    for spelling in SPELLINGS:
        if spelling.release == release:
            return spelling
    return SPELLINGS[-1] if release.startswith("1.2") else NEWEST


# --- entries ---------------------------------------------------------------------------------------------------------


def put(entries: Pairs, key: str, value: Node) -> None:
    """Give a key of a dict another value, in its place, or at the end if it is new."""
    for place in range(len(entries) - 2, -1, -2):
        if entries[place] == key and type(entries[place]) is str:
            entries[place + 1] = value
            return
    entries += (key, value)


def drop(entries: Pairs, key: str) -> None:
    """Take a key out of a dict."""
    kept = [part for k, v in zip(entries[::2], entries[1::2], strict=True) if k != key for part in (k, v)]
    entries[:] = kept


def state_of(node: ObjectNode) -> Pairs:
    """The attributes of an object, to change them. Raises MosaicError for an object that has none."""
    if type(node.state) is Pairs:
        return node.state
    if type(node.state) is tuple:
        for part in node.state:
            if type(part) is Pairs:
                return part
    if node.state is None:
        node.state = Pairs()
        return node.state
    raise MosaicError(f"A {node.cls.name} is in no known form.")


def entry(node: ObjectNode, key: str) -> Pairs:
    """The dict under a key of an object, made if there is none."""
    state = state_of(node)
    value = state.as_dict().get(key)
    if type(value) is not Pairs:
        value = Pairs()
        put(state, key, value)
    return value


def named(cls: str, module: str, package: str = "mosaic") -> Global:
    """The name of one of Mosaic's classes, in a release whose package is called so."""
    return Global(module, cls, "mosaic", package + module[len("mosaic") :])


# --- a geometry's fields ---------------------------------------------------------------------------------------------


def set_name(node: ObjectNode, name: str) -> None:
    """What a geometry is called."""
    put(entry(node, "meta"), "name", name)


def set_visible(node: ObjectNode, visible: bool, spelling: Spelling) -> None:
    """As the release spells it: a truth value, 0 or 1 before."""
    put(state_of(node), "visible", visible if spelling.metadata else int(visible))


def set_sampling_rate(node: ObjectNode, rate: Sequence[float]) -> None:
    """Three numbers, in the precision that the old ones had."""
    old = state_of(node).as_dict().get("sampling_rate")
    dtype = old.values.dtype if type(old) is ArrayNode and old.values is not None else np.dtype(np.float32)
    if dtype.kind != "f":
        dtype = np.dtype(np.float64)
    put(state_of(node), "sampling_rate", np.array(rate, dtype))


def set_appearance(node: ObjectNode, key: str, value: Any) -> None:
    """One number or colour of the appearance."""
    put(entry(node, "appearance"), key, value)


def fit_of(node: ObjectNode) -> ObjectNode | None:
    """The model of a geometry, wherever its release keeps it."""
    state = state_of(node).as_dict()
    fit = state.get("model")
    if fit is None and type(state.get("meta")) is Pairs:
        fit = state["meta"].as_dict().get("fit")
    return fit if type(fit) is ObjectNode else None


def set_fit(node: ObjectNode, fit: ObjectNode | None, spelling: Spelling) -> None:
    """The model, where the release keeps it; None takes it away."""
    state = state_of(node)
    meta = entry(node, "meta")
    if "model" in state.as_dict() or spelling.models:
        put(state, "model", fit)
        drop(meta, "fit")
    elif fit is None:
        drop(meta, "fit")
    else:
        put(meta, "fit", fit)


def set_columns(node: ObjectNode, columns: Mapping[str, Any], count: int, spelling: Spelling) -> None:
    """The vertex properties: arrays by name, in order."""
    container = state_of(node).as_dict().get("vertex_properties")
    if type(container) is not ObjectNode:
        container = new_columns({}, count, spelling)
        put(state_of(node), "vertex_properties", container)
    put(state_of(container), "_n_vertices", count)
    put(state_of(container), "_properties", Pairs([part for item in columns.items() for part in item]))


# --- new objects -----------------------------------------------------------------------------------------------------


def new_columns(columns: Mapping[str, Any], count: int | None, spelling: Spelling) -> ObjectNode:
    """A VertexPropertyContainer."""
    node = ObjectNode(named("VertexPropertyContainer", spelling.properties, spelling.package), ())
    entries = Pairs([part for item in columns.items() for part in item])
    node.state = Pairs(["_n_vertices", count, "_properties", entries])
    return node


def new_mesh_model(vertices: Any, triangles: Any, normals: Any, spelling: Spelling) -> ObjectNode:
    """A TriangularMesh."""
    node = ObjectNode(named("TriangularMesh", PARAMETRIZATION, spelling.package), ())
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
    """A Geometry with all that its release expects. points, normals, quaternions, columns: arrays or what stands for them."""
    node = ObjectNode(named("Geometry", "mosaic.geometry", spelling.package), ())
    looks = Pairs(
        [
            "size", appearance.size, "opacity", appearance.opacity, "ambient", appearance.ambient,
            "diffuse", appearance.diffuse, "specular", appearance.specular,
            "render_spheres", appearance.render_spheres, "base_color", appearance.base_color,
            "highlight_color", COLORS[container],
        ]
    )  # fmt: skip
    entries = Pairs(["name", name, *[part for item in (meta or {}).items() for part in item]])
    node.state = Pairs(["points", points, "normals", normals, "quaternions", quaternions])
    node.state += ("sampling_rate", np.array(sampling_rate, np.float32))
    if spelling.models:
        node.state += ("model", model)
    elif model is not None:
        entries += ("fit", model)
    node.state += ("meta", entries, "vertex_properties", new_columns(columns or {}, count, spelling))
    node.state += ("visible", visible if spelling.metadata else int(visible), "appearance", looks)
    if spelling.representations:
        node.state += ("representation", representation)
    if spelling.uuids:
        node.state += ("uuid", new_uuid())
    return node


def new_uuid() -> str:
    """A uuid as Mosaic draws them."""
    return str(uuid.uuid4())


def new_container(name: str, spelling: Spelling) -> ObjectNode:
    """A container without geometries."""
    node = ObjectNode(named("DataContainer", "mosaic.container", spelling.package), ())
    node.state = Pairs(["data", [], "base_color", (0.7, 0.7, 0.7), "highlight_color", COLORS[name]])
    if not spelling.metadata:
        node.state += ("metadata", Pairs())
    if spelling.uuids:
        node.state += ("_highlighted_uuids", SetNode())
    else:
        node.state += ("_highlighted_indices", SetNode())
    return node


def new_state(spelling: Spelling) -> Pairs:
    """The state of a session without geometries."""
    state = Pairs(["metadata", Pairs()] if spelling.metadata else ["shape", None])
    state += ("_data", new_container("clusters", spelling), "_models", new_container("models", spelling))
    if spelling.tree:
        state += ("_data_tree", new_tree([], spelling), "_models_tree", new_tree([], spelling))
    return state


TreeItem = tuple[str, str | None, Sequence[str]]


def new_tree(items: Iterable[TreeItem], spelling: Spelling) -> ObjectNode | None:
    """The order of a container's browser. items: (uuid, group's name or None for a geometry, uuids of the group's members)."""
    if spelling.tree is None:
        return None
    module, name = spelling.tree
    node = ObjectNode(named(name, module), ())
    items = list(items)
    if name == "TreeState":
        groups, order, roots = Pairs(), Pairs(), []
        for place, (key, title, members) in enumerate(items):
            order += (key, (place, title))
            if title is None:
                roots.append(key)
            else:
                put(groups, title, [*(groups.as_dict().get(title) or ()), *members])
        node.state = Pairs(["groups", groups, "root_order", order, "root_items", roots])
        return node
    groups = Pairs([part for key, title, members in items if title is not None for part in (key, list(members))])
    names = Pairs([part for key, title, _ in items if title is not None for part in (key, title)])
    roots = [key for key, _, _ in items]
    node.state = Pairs(["groups", groups, "group_names", names, "root_items", roots])
    return node


# --- other releases --------------------------------------------------------------------------------------------------


def set_shape(state: Pairs, shape: Node, physical: Node, spelling: Spelling) -> None:
    """The tomogram's size, where the release keeps it."""
    for key in ("shape", "metadata"):
        drop(state, key)
    if not spelling.metadata:
        state[:0] = ["shape", shape]
        return
    entries = Pairs()
    if shape is not None:
        entries += ("shape", shape)
    if physical is not None:
        entries += ("physical_shape", physical)
    state[:0] = ["metadata", entries]


def respell_geometry(node: ObjectNode, source: Spelling, target: Spelling, label: str, name: str) -> list[str]:
    """Write a geometry as another release does; a nameless one gets the name that it was shown by.

    Returns a sentence for each thing that the target cannot hold.
    """
    lost: list[str] = []
    state = state_of(node)
    fields = state.as_dict()
    node.cls = named("Geometry" if node.cls.name == "PointCloud" else node.cls.name, "mosaic.geometry", target.package)
    points, count = fields.get("points"), _length(fields.get("points"))
    if node.cls.name == "SegmentationGeometry":
        if not target.segmentations:
            lost.append(f"{label}: Mosaic {target.release} has no segmentations; it is written as points.")
            node.cls = named("Geometry", "mosaic.geometry")
            put(state, "representation", "pointcloud")
        elif not target.metadata:
            if _names(fields.get("vertex_properties")):
                lost.append(
                    f"{label}: Mosaic {target.release} has no vertex properties of segmentations; they are left out."
                )
            for key in ("vertex_properties", "model"):
                drop(state, key)
            set_visible(node, bool(_flag(fields.get("visible"))), target)
            return lost
    set_visible(node, bool(_flag(fields.get("visible"))), target)
    appearance = entry(node, "appearance")
    percentile = appearance.as_dict().get("isovalue_percentile")
    if percentile is not None and not source.percent and target.percent and _flag(percentile) <= 1:
        put(appearance, "isovalue_percentile", 100.0 * _flag(percentile))
    if target.uuids and type(fields.get("uuid")) is not str:
        put(state, "uuid", new_uuid())
    meta = entry(node, "meta")
    if type(meta.as_dict().get("name")) is not str:
        put(meta, "name", name)
    if node.cls.name == "SegmentationGeometry":
        _default(state, "vertex_properties", new_columns({}, None, target))
        _default(state, "model", None)
        return lost
    fit = fit_of(node)
    set_fit(node, fit, target)
    for mesh in (fit, *_fits_of_steps(fields.get("trajectory"))):
        if (
            mesh is not None
            and mesh.cls.name in MESH_CLASSES
            and mesh.cls.name not in target.meshes - {"MarchingCubes"}
        ):
            mesh.cls = named("TriangularMesh", PARAMETRIZATION)
    if not target.resolutions and "target_resolution" in fields:
        lost.append(f"{label}: Mosaic {target.release} has no target resolution of volumes; it is left out.")
        drop(state, "target_resolution")
    representation = fields.get("representation")
    has_volume = node.cls.name == "VolumeGeometry" and fields.get("volume") is not None
    if has_volume and not source.percent and representation in (None, "pointcloud"):
        representation = "volume"
    if representation == "pointcloud_normals":
        representation = "normals"
    if representation not in REPRESENTATIONS or (representation in MESH_REPRESENTATIONS and fit is None):
        representation = "pointcloud"
    if representation == "volume" and not has_volume:
        representation = "pointcloud"
    put(state, "representation", representation)
    if node.cls.name == "VolumeGeometry" and target.resolutions:
        _default(state, "target_resolution", 10.0)
    _default(state, "quaternions", None)
    _default(state, "normals", None)
    _default(state, "vertex_properties", new_columns({}, None, target))
    fields = state.as_dict()
    if target.filled and fields.get("normals") is None and points is not None:
        put(state, "normals", np.tile(np.array([0, 0, 1], np.float32), (count, 1)))
    return lost


def respell_state(state: Pairs, source: Spelling, target: Spelling) -> list[str]:
    """Write all of a state but its geometries and trees as another release does. Returns what the target cannot hold."""
    entries = state.as_dict()
    shape, physical = entries.get("shape"), None
    containers = [entries.get(key) for key in ("_data", "_models")]
    metadata = [entries.get("metadata"), *[c.fields().get("metadata") for c in containers if type(c) is ObjectNode]]
    for part in metadata:
        if type(part) is Pairs:
            found = part.as_dict()
            shape = found.get("shape") if shape is None else shape
            physical = found.get("physical_shape") if physical is None else physical
    set_shape(state, shape, physical, target)
    for container in containers:
        if type(container) is ObjectNode:
            _respell_container(container, target)
    if target.tree is None:
        for key in ("_data_tree", "_models_tree"):
            drop(state, key)
    if physical is not None and not target.metadata:
        return [f"Mosaic {target.release} has no physical shape of the tomogram; it is left out."]
    return []


def _respell_container(container: ObjectNode, target: Spelling) -> None:
    container.cls = named("DataContainer", "mosaic.container", target.package)
    state = state_of(container)
    if target.metadata:
        drop(state, "metadata")
    else:
        put(state, "metadata", Pairs())
    if target.uuids:
        drop(state, "_highlighted_indices")
        _default(state, "_highlighted_uuids", SetNode())


def crashes_mosaic(root: Node) -> bool:
    """Whether reading a node would fail in numpy or end Mosaic: arrays that do not fit their bytes, faces without vertices."""
    todo, seen = [root], set()
    while todo:
        node = todo.pop()
        if isinstance(node, (list, tuple)) or type(node) in (ObjectNode, ArrayNode):
            if id(node) in seen:
                continue
            seen.add(id(node))
        if type(node) is ObjectNode:
            todo += (node.args, node.state)
            fields = node.fields()
            vertices, triangles = array_of(fields.get("vertices")), array_of(fields.get("triangles"))
            if (
                vertices is not None
                and triangles is not None
                and triangles.size
                and (triangles.dtype.kind not in "iu" or triangles.min() < 0 or triangles.max() >= len(vertices))
            ):
                return True
        elif type(node) is ArrayNode:
            if node.values is None and not (node.trouble or "").startswith("its dtype"):
                return True
        elif isinstance(node, (list, tuple)):
            todo += node
    return False


def renames(target: Spelling) -> dict[tuple[str, str], tuple[str, str]]:
    """Where a release looks for classes that moved."""
    moved = {
        (module, "VertexPropertyContainer"): (target.properties, "VertexPropertyContainer")
        for module in (PARSER, RECORDS)
    }
    if target.tree and target.tree[1] == "TreeStateData":
        moved |= {(module, "TreeStateData"): target.tree for module in (WIDGET, STATE)}
    return moved


def _default(state: Pairs, key: str, value: Node) -> None:
    if key not in state.as_dict():
        state += (key, value)


def _fits_of_steps(steps: Node) -> list[ObjectNode]:
    entries = [step.as_dict() for step in steps if type(step) is Pairs] if type(steps) is list else []
    return [entry["fit"] for entry in entries if type(entry.get("fit")) is ObjectNode]


def _names(container: Node) -> bool:
    entries = container.fields().get("_properties") if type(container) is ObjectNode else None
    return bool(entries)


def _length(node: Node) -> int:
    if type(node) is ArrayNode and node.values is not None:
        return len(node.values)
    if isinstance(node, np.ndarray):
        return len(node)
    if type(node) is Stored:
        return int(node.owner.count)
    return 0


def _flag(node: Node) -> float:
    if type(node) is ArrayNode and node.values is not None and node.values.size == 1:
        return float(node.values.reshape(-1)[0])
    return float(node) if isinstance(node, (bool, int, float, np.generic)) else 1.0


def array_of(node: Node) -> NDArray[Any] | None:
    """The values of a small array of a node, None for anything else."""
    if type(node) is ArrayNode:
        return node.values
    return node if isinstance(node, np.ndarray) else None
