"""Nodes -> Session: what the numbers mean, and what to make of those that are odd.

A geometry that cannot be drawn is set aside as `Damaged` and named in a warning; what is merely odd is mended with a
warning. Only a stream that is no session at all is refused.
"""

import contextlib
import os
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .budget import ENTRY, GEOMETRY, VALUE, Budget
from .errors import MosaicError, printable
from .file import SessionFile, read_file
from .gc_pause import without_collection
from .nodes import ArrayNode, Node, ObjectNode, Pairs
from .pickle_reader import read_pickle, trouble_of_items
from .plain_values import plain, unknown_parts
from .session import (
    MESH_REPRESENTATIONS,
    RBF,
    REPRESENTATIONS,
    Appearance,
    Color,
    Container,
    Cylinder,
    Damaged,
    Ellipsoid,
    Frame,
    Geometry,
    Group,
    Mesh,
    Model,
    Session,
    Sphere,
    Spline,
    SplineCurve,
    UnknownModel,
    Volume,
)

GEOMETRY_CLASSES = ("Geometry", "PointCloud", "VolumeGeometry", "SegmentationGeometry", "GeometryTrajectory")
OLD_REPRESENTATIONS = {"pointcloud_normals": "normals"}
HIGHLIGHT_COLORS: dict[str, Color] = {"clusters": (0.8, 0.2, 0.2), "models": (0.2, 0.4, 0.8)}

# What a geometry's appearance is where the file says nothing.
SEGMENTATION_DEFAULTS = {"ambient": 0.5, "diffuse": 0.7, "specular": 0.0}
MAX_WARNINGS = 1000  # of a session
MAX_WARNINGS_EACH = 10  # of one object
MAX_SHOWN = 80  # characters of a text from the file
MAX_NUMBER = 1e38  # what Blender's numbers hold


class _DamageError(Exception):
    """Why one geometry cannot be read; becomes a warning that names it."""


class _Reading:
    """One session that is being read: the work left for it, and what was odd."""

    __slots__ = ("budget", "warnings")

    def __init__(self, budget: Budget, warnings: list[str]) -> None:
        self.budget = budget
        self.warnings = warnings

    def warn(self, sentence: str) -> None:
        if len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(sentence)
        elif len(self.warnings) == MAX_WARNINGS:
            self.warnings.append("Further warnings are left out.")


class _Item:
    """One geometry that is being read: its warnings carry its name, its work counts against the session's budget."""

    __slots__ = ("budget", "label", "reading", "said")

    def __init__(self, reading: _Reading, container: str, name: str) -> None:
        self.reading = reading
        self.budget = reading.budget
        self.label = container, name
        self.said = 0

    def warn(self, sentence: str) -> None:
        self.said += 1
        if self.said <= MAX_WARNINGS_EACH:
            more = "; more is odd about it" if self.said == MAX_WARNINGS_EACH else ""
            self.reading.warn(f"{_label(*self.label)}: {sentence}{more}.")

    def entries(self, node: Node) -> dict[str, Node]:
        """The entries of a dict or the attributes of an object, by name; none of anything else."""
        if type(node) is ObjectNode:
            state = node.state
            if type(state) is tuple:  # the attributes of a class with slots
                self.budget.spend(ENTRY * sum(len(part) for part in state if type(part) is Pairs))
                return node.fields()
            node = state
        if type(node) is not Pairs:
            return {}
        self.budget.spend(ENTRY * len(node))
        return node.as_dict()


def _label(container: str, name: str) -> str:
    return f"{container} {_shown(name)}"


def _shown(text: str) -> str:
    """A text from the file as it may stand in a sentence."""
    return repr(printable(text[:MAX_SHOWN]))


def open_session(path: str | os.PathLike[str]) -> Session:
    """Read a Mosaic session of any release, either layout.

    Nothing in the file is run and no other file is opened. Arrays are views of the bytes that were read, which stay in memory
    while they are held. Raises MosaicError with one sentence when the file is no session, is damaged or may be harmful.
    """
    name = os.fsdecode(path)
    try:
        with without_collection(), contextlib.closing(read_file(path)) as file:
            return decode_session(file, name)
    except MosaicError as error:
        raise MosaicError(f"{name} {error}") from error


def decode_session(file: SessionFile, path: str) -> Session:
    """The session in the file's state. Raises MosaicError (without the file's name) when there is none."""
    budget = Budget(len(file.state))
    state = read_pickle(file.state, budget)
    if type(state) is not Pairs:
        raise MosaicError("is a pickle, but not of a Mosaic session")
    reading = _Reading(budget, file.warnings)
    keys = state.as_dict()
    containers = [keys.get("_data", keys.get("data")), keys.get("_models", keys.get("models"))]
    if not any(map(_is_container, containers)):
        raise MosaicError("is a pickle, but not of a Mosaic session: it has no clusters and no models")
    session = Session(
        path=path,
        layout=file.layout,
        release=file.release or _release_of(keys),
        state=state,
        clusters=Container("clusters"),
        models=Container("models"),
        sections=file.sections,
        warnings=file.warnings,
    )
    fractions = stores_fractions(state)
    seen: set[int] = set()
    with np.errstate(all="ignore"):
        for container, node in zip((session.clusters, session.models), containers, strict=True):
            if node is None:
                continue
            if not _is_container(node):
                raise MosaicError(f"is damaged: its {container.name} are in no known form")
            _decode_container(container, node, fractions, seen, reading)
        _warn_of_uuids(session, reading)
        for container, key in ((session.clusters, "_data_tree"), (session.models, "_models_tree")):
            _arrange(container, keys.get(key), reading)
        session.shape, session.physical_shape = _shapes(keys, containers)
    return session


def stores_fractions(state: Pairs) -> bool:
    """Whether isovalue percentiles are fractions: they were until the release before the first one that stored a tree."""
    keys = state.as_dict()
    return "_data_tree" not in keys and "metadata" not in keys


def _is_container(node: Node) -> bool:
    return type(node) is ObjectNode and node.cls.kind == "mosaic" and node.cls.name == "DataContainer"


def _release_of(keys: dict[str, Node]) -> str:
    """Which releases write a state like this one: the file itself does not say."""
    if "metadata" in keys:
        return "1.3"
    tree = keys.get("_data_tree")
    if type(tree) is ObjectNode:
        if tree.cls.name == "TreeState":
            return "1.0.11-1.0.16"
        return "1.2.4" if tree.cls.module == "mosaic.tree_state" else "1.1.0-1.2.3"
    for container in (keys.get("_data"), keys.get("_models")):
        geometries = container.fields().get("data") if type(container) is ObjectNode else None
        for geometry in geometries if type(geometries) is list else ():
            if type(geometry) is ObjectNode and type(geometry.state) is Pairs:
                return "1.0.0-1.0.10" if "representation" in geometry.state.as_dict() else "colabseg"
    return "1.0.0-1.0.10"


def _shapes(
    keys: dict[str, Node], containers: Iterable[Node]
) -> tuple[tuple[int, int, int] | None, tuple[float, float, float] | None]:
    """Shape in voxels and in angstrom: in `metadata` since 1.3, at the top before, in the containers' metadata to 1.2.4."""
    sources = [keys.get("metadata"), Pairs(["shape", keys.get("shape")])]
    sources += [node.fields().get("metadata") for node in containers if type(node) is ObjectNode]
    shape = physical = None
    for source in sources:
        if type(source) is Pairs:
            entries = source.as_dict()
            shape = shape or _extent(entries.get("shape"))
            physical = physical or _extent(entries.get("physical_shape"))
    return shape and (int(shape[0]), int(shape[1]), int(shape[2])), physical


def _extent(node: Node) -> tuple[float, float, float] | None:
    values = _three(node)
    return values if values is not None and min(values) > 0 else None


# --- containers and trees --------------------------------------------------------------------------------------------


def _decode_container(
    container: Container, node: ObjectNode, fractions: bool, seen: set[int], reading: _Reading
) -> None:
    """Read the geometries of a container. seen: the ids of those that were read, of both containers."""
    fields = node.fields()
    container.node = node
    container.base_color = _color(fields.get("base_color")) or container.base_color
    container.highlight_color = _color(fields.get("highlight_color")) or HIGHLIGHT_COLORS[container.name]
    data = fields.get("data")
    if type(data) is not list:
        raise MosaicError(f"is damaged: its {container.name} hold no list of geometries")
    for index, geometry in enumerate(data):
        reading.budget.spend(GEOMETRY)
        item = _Item(reading, container.name, _nameless(container.name, index))
        try:
            if type(geometry) is not ObjectNode:
                raise _DamageError("it is no object")
            fields = item.entries(geometry)
            meta = item.entries(fields.get("meta"))
            name = meta.get("name")
            if isinstance(name, str) and name:  # else what Mosaic's browser shows instead
                item.label = container.name, str(name)
            if id(geometry) in seen:
                raise _DamageError("it stands in the session twice")
            seen.add(id(geometry))
            container.geometries.append(_decode_geometry(container, geometry, fields, meta, index, fractions, item))
        except _DamageError as damage:
            item.said = 0
            item.warn(f"not shown, but kept for saving, because {damage}")
            container.damaged.append(Damaged(geometry, index, item.label[1], str(damage)))


def _warn_of_uuids(session: Session, reading: _Reading) -> None:
    seen: set[str] = set()
    for geometry in session.geometries:
        if geometry.uuid in seen:
            reading.warn(f"{_label(geometry.container, geometry.name)}: another object has the same uuid.")
        elif geometry.uuid is not None:
            seen.add(geometry.uuid)
        elif session.release not in ("colabseg", "1.0.0-1.0.10"):
            reading.warn(f"{_label(geometry.container, geometry.name)}: it has no uuid, so no group can name it.")


def _arrange(container: Container, tree: Node, reading: _Reading) -> None:
    """Put the geometries into the order and groups of Mosaic's browser; those that no tree names come last."""
    left: dict[str | int, Geometry] = {}
    for geometry in container.geometries:
        key = geometry.uuid if geometry.uuid is not None and geometry.uuid not in left else geometry.index
        left[key] = geometry
    damaged = [item.node.fields().get("uuid") for item in container.damaged if type(item.node) is ObjectNode]
    known = {uuid for uuid in (*left, *damaged) if type(uuid) is str}
    unknown = 0

    def take(uuid: Node) -> list[Geometry]:
        nonlocal unknown
        if type(uuid) is str and uuid in left:
            return [left.pop(uuid)]
        unknown += type(uuid) is not str or uuid not in known
        return []

    for uuid, name, members in tree_items(tree):
        if members is None:
            container.items += take(uuid)
        elif uuid not in known:  # a group named twice stands where it is named first
            known.add(uuid)
            reading.budget.spend(ENTRY * len(members))
            container.items.append(
                Group(uuid, name or uuid, [geometry for member in members for geometry in take(member)])
            )
    container.items += left.values()
    if unknown:
        reading.warn(f"The tree of the {container.name} names {unknown} objects that the session does not hold.")


def tree_items(tree: Node) -> list[tuple[str, str | None, list[Node] | None]]:
    """The top level of a tree, in order: (uuid, group's name, members), members None for a geometry."""
    if type(tree) is not ObjectNode:
        return []
    fields = tree.fields()
    groups = fields["groups"].as_dict() if type(fields.get("groups")) is Pairs else {}
    members = {key: value for key, value in groups.items() if type(value) is list}
    if tree.cls.name == "TreeState":  # groups by name; root_order: {uuid: (index, group's name or None)}
        order = fields["root_order"].as_dict() if type(fields.get("root_order")) is Pairs else {}
        ranked = [
            (place[0], uuid, place[1])
            for uuid, place in order.items()
            if type(place) is tuple and len(place) == 2 and type(place[0]) is int
        ]
        ranked.sort(key=lambda entry: entry[0])
        return [(uuid, name, members.get(name) if type(name) is str else None) for _, uuid, name in ranked]
    names = fields["group_names"].as_dict() if type(fields.get("group_names")) is Pairs else {}
    roots = fields.get("root_items")
    return [
        (uuid, names[uuid] if type(names.get(uuid)) is str else None, members.get(uuid))
        for uuid in (roots if type(roots) is list else [])
        if type(uuid) is str
    ]


# --- one geometry ----------------------------------------------------------------------------------------------------


def _decode_geometry(
    container: Container,
    node: ObjectNode,
    fields: dict[str, Node],
    meta_entries: dict[str, Node],
    index: int,
    fractions: bool,
    item: _Item,
) -> Geometry:
    if node.cls.module != "mosaic.geometry" or node.cls.name not in GEOMETRY_CLASSES:
        raise _DamageError("it is of a class that this add-on does not know")
    points = _need(_array(fields.get("points"), "points", width=3), "points")
    n = len(points)
    meta_node = fields.get("meta")
    if meta_node is not None and type(meta_node) is not Pairs:
        item.warn("its meta is no dict; it is not shown")
    meta = plain(meta_node, item.budget) if type(meta_node) is Pairs else {}
    for part in unknown_parts(meta):
        item.warn(f"its meta holds {part}, which is not shown, but kept for saving")
    fit = fields.get("model")
    if fit is None:
        fit = meta_entries.get("fit")  # its place until 1.0.11
    uuid = fields.get("uuid")
    if uuid is not None and type(uuid) is not str:
        item.warn("its uuid is no text and is not used")
        uuid = None
    geometry = Geometry(
        node=node,
        container=container.name,
        index=index,
        class_name=node.cls.name,
        name=item.label[1],
        uuid=uuid,
        points=points,
        normals=_rows(fields.get("normals"), "normals", n, 3, item),
        quaternions=_rows(fields.get("quaternions"), "quaternions", n, 4, item),
        sampling_rate=_sampling_rate(fields.get("sampling_rate"), item),
        visible=_flag(fields.get("visible"), True),
        representation="pointcloud",
        appearance=_appearance(node.cls.name, fields, container.highlight_color, fractions, item),
        vertex_properties=_vertex_properties(fields.get("vertex_properties"), n, item),
        meta=meta,
        model=None if fit is None else _model(fit, item),
    )
    if node.cls.name == "VolumeGeometry" and fields.get("volume") is not None:
        geometry.volume = _volume(fields, item)
    if node.cls.name == "GeometryTrajectory":
        geometry.frames = _frames(fields.get("trajectory"), item)
    geometry.representation = _representation(fields.get("representation"), geometry, item)
    _warn_of_numbers(geometry, item)
    return geometry


def _representation(value: Node, geometry: Geometry, item: _Item) -> str:
    if geometry.class_name == "SegmentationGeometry":
        return "segmentation"
    if value is None or type(value) is not str:
        if value is not None:
            item.warn("its representation is no text")
        return "pointcloud" if geometry.volume is None else "volume"
    if geometry.volume is not None and value == "pointcloud":
        return "volume"  # files up to 1.0.10 say pointcloud
    representation = OLD_REPRESENTATIONS.get(value, value)
    if representation not in REPRESENTATIONS:
        item.warn(f"its representation {_shown(value)} is not known; points are shown")
        return "pointcloud"
    if representation in MESH_REPRESENTATIONS and not isinstance(geometry.model, Mesh):
        item.warn(f"it has no mesh to show as {representation}; points are shown")
        return "pointcloud"
    if representation == "volume" and geometry.volume is None:
        item.warn("it has no volume to show; points are shown")
        return "pointcloud"
    return representation


def _warn_of_numbers(geometry: Geometry, item: _Item) -> None:
    """Name what Mosaic and Blender would draw without a word: points that are nowhere, rotations that are none."""
    points = geometry.points
    item.budget.spend(points.nbytes)
    if not _all_finite(points):
        bad = len(points) - np.count_nonzero(np.isfinite(points).all(axis=1))
        item.warn(f"{bad} of its {len(points)} points are not finite and cannot be seen")
    quaternions = geometry.quaternions
    if quaternions is not None:
        item.budget.spend(quaternions.nbytes)
        bad = 0
        if not _all_finite(quaternions):
            bad = np.count_nonzero(~(np.isfinite(quaternions).all(axis=1) & quaternions.any(axis=1)))
        elif np.count_nonzero(quaternions[:, 0]) < len(quaternions):
            turns = quaternions[quaternions[:, 0] == 0]  # by half a turn, or by none
            bad = len(turns) - np.count_nonzero(turns.any(axis=1))
        if bad:
            item.warn(f"{bad} of its quaternions are zero or not finite and are taken as no rotation")
    if isinstance(geometry.model, Mesh) and len(geometry.model.vertices) != len(points):
        item.warn(f"its mesh has {len(geometry.model.vertices)} vertices for {len(points)} points")


def _all_finite(values: NDArray[Any]) -> bool:
    """Whether no number is infinite or NaN. The sum of their squares tells it soonest, unless it overflows."""
    if values.dtype.kind != "f":
        return True
    flat = values.ravel(order="K")
    return bool(np.isfinite(np.dot(flat, flat)) or np.count_nonzero(np.isfinite(flat)) == flat.size)


def _vertex_properties(node: Node, n: int, item: _Item) -> dict[str, NDArray[Any]]:
    """The columns of a VertexPropertyContainer that have one row per point."""
    if node is None:
        return {}
    entries = item.entries(node).get("_properties")
    if type(entries) is not Pairs:
        item.warn("its vertex properties are in no known form; they are not shown")
        return {}
    columns = {}
    for name, column in item.entries(entries).items():
        item.budget.spend(VALUE)
        values = column.values if type(column) is ArrayNode else None
        if values is None:
            reason = (column.trouble if type(column) is ArrayNode else None) or "it is no array"
        elif not 1 <= values.ndim <= 2 or len(values) != n:
            reason = f"it has the shape {values.shape} for {n} points"
        else:
            item.budget.spend(values.nbytes)
            reason = trouble_of_items(values)
        if reason is None and values is not None:
            columns[name] = values
        else:
            item.warn(f"its vertex property {_shown(name)} is not shown, but kept for saving: {reason}")
    return columns


def _appearance(
    class_name: str, fields: dict[str, Node], highlight_color: Color, fractions: bool, item: _Item
) -> Appearance:
    chosen: dict[str, Any] = {"highlight_color": highlight_color}
    extra: dict[str, Any] = {}
    if class_name == "SegmentationGeometry":
        chosen |= SEGMENTATION_DEFAULTS
    if fields.get("representation") == "gaussian_density":
        chosen["render_spheres"] = False
    for key, value in item.entries(fields.get("appearance")).items():
        if key in ("size", "opacity", "ambient", "diffuse", "specular", "isovalue_percentile"):
            number = _number(value)
            if number is not None:
                chosen[key] = number
            elif value is not None:
                item.warn(f"its {key} is not a number; Mosaic's default is used")
        elif key in ("base_color", "highlight_color"):
            color = _color(value)
            if color is not None:
                chosen[key] = color
            elif value is not None:
                item.warn(f"its {key} is not three numbers; Mosaic's default is used")
        elif key == "render_spheres":
            chosen[key] = _flag(value, True)
        else:
            extra[key] = plain(value, item.budget)
    percentile = chosen.get("isovalue_percentile")
    if percentile is not None and fractions and percentile <= 1:
        chosen["isovalue_percentile"] = percentile * 100
    return Appearance(**chosen, extra=extra)


def _volume(fields: dict[str, Node], item: _Item) -> Volume:
    values = _array(fields.get("volume"), "volume")
    if values is None or values.ndim != 3 or not values.size:
        raise _DamageError("its volume is not a grid of numbers")
    return Volume(
        values,
        _sampling_rate(fields.get("volume_sampling_rate"), item),
        _number(fields.get("lower_quantile")),
        _number(fields.get("upper_quantile")),
        _number(fields.get("target_resolution")),
    )


def _frames(nodes: Node, item: _Item) -> list[Frame] | None:
    """The steps of a trajectory, None if there is not one."""
    frames = []
    for number, node in enumerate(nodes if type(nodes) is list else ()):
        item.budget.spend(VALUE)
        entries = item.entries(node) if type(node) is Pairs else {}
        try:
            fit = entries.get("fit")
            if type(fit) is not ObjectNode:
                raise _DamageError("it has no mesh")
            mesh = _mesh(fit.cls.name, item.entries(fit), item)
        except _DamageError as damage:
            item.warn(f"its frame {number} is not shown, but kept for saving: {damage}")
            continue
        filename = entries.get("filename")
        columns = _vertex_properties(entries.get("vertex_properties"), len(mesh.vertices), item)
        frames.append(Frame(number, mesh, filename if type(filename) is str else "", columns))
    if not frames:
        item.warn("it has no frames that can be shown")
    return frames or None


def appearance_of(node: ObjectNode, container: str, fractions: bool) -> Appearance:
    """The appearance of one geometry's node, with Mosaic's defaults. fractions: as `stores_fractions` says of its session."""
    fields = node.fields()
    item = _Item(_Reading(Budget(0), []), container, "")
    return _appearance(node.cls.name, fields, HIGHLIGHT_COLORS[container], fractions, item)


def name_in(node: ObjectNode, container: str, index: int) -> str:
    """What one geometry's node is called; for a nameless one, what Mosaic's browser shows instead."""
    meta = node.fields().get("meta")
    name = meta.as_dict().get("name") if type(meta) is Pairs else None
    return str(name) if isinstance(name, str) and name else _nameless(container, index)


def _nameless(container: str, index: int) -> str:
    return f"{'Cluster' if container == 'clusters' else 'Model'} {index}"


def meta_of(node: ObjectNode) -> dict[Any, Any]:
    """The meta of one geometry's node as plain values; what is not understood is `Kept`."""
    meta = node.fields().get("meta")
    return plain(meta, Budget(0)) if type(meta) is Pairs else {}


def numbers_of(node: ObjectNode) -> tuple[tuple[float, float, float], bool, float | None]:
    """Sampling rate, visibility and a volume's target resolution of one geometry's node."""
    fields = node.fields()
    item = _Item(_Reading(Budget(0), []), "", "")
    rate = _sampling_rate(fields.get("sampling_rate"), item)
    return (
        (float(rate[0]), float(rate[1]), float(rate[2])),
        _flag(fields.get("visible"), True),
        _number(fields.get("target_resolution")),
    )


# --- models ----------------------------------------------------------------------------------------------------------


def _model(node: Node, item: _Item) -> Model | None:
    if type(node) is not ObjectNode:
        item.warn("its model is in no known form; it is not shown")
        return None
    name, fields = node.cls.name, item.entries(node)
    try:
        if node.cls.module == "mosaic.parametrization":
            if "vertices" in fields and "triangles" in fields:
                return _mesh(name, fields, item)
            if name in MODELS:
                return MODELS[name](name, fields, item)
        item.warn(f"its model {name} is not known; it is shown as points")
    except _DamageError as damage:
        item.warn(f"its model {name} is damaged, {damage}; it is shown as points")
    return UnknownModel(name)


def _mesh(name: str, fields: dict[str, Node], item: _Item) -> Mesh:
    vertices = _need(_array(fields.get("vertices"), "vertices", width=3), "vertices")
    faces = _need(_array(fields.get("triangles"), "triangles", width=3), "triangles")
    n = len(vertices)
    item.budget.spend(VALUE + faces.nbytes)
    if faces.dtype.kind not in "iu":
        raise _DamageError("its triangles are not whole numbers")
    if faces.size and not (0 <= int(faces.min()) and int(faces.max()) < n):
        raise _DamageError("its triangles name vertices that it does not have")
    triangles = np.ascontiguousarray(faces, np.int32)
    normals = _rows(fields.get("vertex_normals"), "vertex normals", n, 3, item)
    colors = _rows(fields.get("vertex_colors"), "vertex colours", n, 3, item)
    return Mesh(name, vertices, triangles, normals, colors)


def _sphere(name: str, fields: dict[str, Node], item: _Item) -> Model:
    return Sphere(name, _size(fields, "radius"), _vector(fields, "center"))


def _ellipsoid(name: str, fields: dict[str, Node], item: _Item) -> Model:
    return Ellipsoid(name, _vector(fields, "radii"), _vector(fields, "center"), _matrix(fields, "orientations"))


def _cylinder(name: str, fields: dict[str, Node], item: _Item) -> Model:
    axes = _matrix(fields, "orientations")
    return Cylinder(name, _vector(fields, "centers"), axes, _size(fields, "radius"), _size(fields, "height"))


def _rbf(name: str, fields: dict[str, Node], item: _Item) -> Model:
    inner = item.entries(fields.get("rbf"))
    xi = _floats(inner.get("xi"), "sites", item)
    weights = _floats(inner.get("nodes"), "weights", item)
    if xi.ndim != 2 or weights.ndim != 1 or xi.shape[1] != len(weights):
        raise _DamageError("its sites and weights do not fit")
    if inner.get("norm") != "euclidean":
        raise _DamageError("its norm is not the euclidean one")
    function, direction = inner.get("function"), fields.get("direction")
    if type(function) is not str or type(direction) is not str or direction not in ("xy", "xz", "yz"):
        raise _DamageError("its function or direction is not known")
    return RBF(name, xi, weights, _size(inner, "epsilon"), function, _grid(fields.get("grid")), direction)


def _grid(node: Node) -> NDArray[np.float64]:
    """((lo, hi), (lo, hi))."""
    ranges = node if type(node) in (tuple, list) and len(node) == 2 else ()
    numbers = [_number(limit) for pair in ranges if type(pair) in (tuple, list) and len(pair) == 2 for limit in pair]
    if len(numbers) != 4 or None in numbers:
        raise _DamageError("its grid is not two ranges")
    return np.array(numbers, np.float64).reshape(2, 2)


def _spline_curve(name: str, fields: dict[str, Node], item: _Item) -> Model:
    positions = _need(_array(fields.get("positions"), "positions", width=3), "positions")
    nodes = fields.get("_splines")
    if type(nodes) is not list or len(nodes) != 3:
        raise _DamageError("it has not three splines")
    x, y, z = (_spline(node, item) for node in nodes)
    return SplineCurve(name, positions, (x, y, z))


def _spline(node: Node, item: _Item) -> Spline:
    """One of scipy's: B-splines keep (t, c, k) in `_eval_args`, cubic ones `c` and `x`, of late `_c` and `_x`."""
    fields = item.entries(node)
    evaluation = fields.get("_eval_args")
    if type(evaluation) is tuple and len(evaluation) == 3:
        knots, coefficients = _floats(evaluation[0], "knots", item), _floats(evaluation[1], "coefficients", item)
        degree = _number(evaluation[2])
        if knots.ndim == coefficients.ndim == 1 and degree in (1, 2, 3, 4, 5) and (np.diff(knots) >= 0).all():
            k = int(degree)
            if len(knots) >= 2 * k + 2 and len(coefficients) >= len(knots) - k - 1 and knots[k] < knots[-k - 1]:
                return Spline("bspline", knots, coefficients, k)
    else:
        knots = _floats(fields.get("_x", fields.get("x")), "knots", item)
        coefficients = _floats(fields.get("_c", fields.get("c")), "coefficients", item)
        if knots.ndim == 1 and coefficients.shape == (4, len(knots) - 1) and (np.diff(knots) > 0).all():
            return Spline("cubic", knots, coefficients, 3)
    raise _DamageError("a spline is in no known form")


MODELS: dict[str, Callable[[str, dict[str, Node], _Item], Model]] = {
    "Sphere": _sphere,
    "Ellipsoid": _ellipsoid,
    "Cylinder": _cylinder,
    "RBF": _rbf,
    "SplineCurve": _spline_curve,
}


# --- values ----------------------------------------------------------------------------------------------------------


def _array(node: Node, what: str, width: int | None = None) -> NDArray[Any] | None:
    """A numeric array, with `width` one of that many columns. None where there is none; raises _DamageError if it is bad."""
    if node is None:
        return None
    if type(node) is not ArrayNode or node.values is None:
        reason = (node.trouble if type(node) is ArrayNode else None) or "they are no array"
        raise _DamageError(f"its {what} cannot be read: {reason}")
    values = node.values
    if values.dtype.kind not in "biuf":
        raise _DamageError(f"its {what} are not numbers")
    if width is not None and (values.ndim != 2 or values.shape[1] != width):
        if values.size == 0:
            return np.empty((0, width), values.dtype)
        raise _DamageError(f"its {what} have the shape {values.shape} instead of (n, {width})")
    return values


def _need(values: NDArray[Any] | None, what: str) -> NDArray[Any]:
    if values is None:
        raise _DamageError(f"it has no {what}")
    return values


def _floats(node: Node, what: str, item: _Item) -> NDArray[np.float64]:
    """A copy as finite float64."""
    values = _need(_array(node, what), what)
    item.budget.spend(8 * values.size)
    if not np.isfinite(values).all():
        raise _DamageError(f"its {what} are not finite")
    return values.astype(np.float64)


def _rows(node: Node, what: str, n: int, width: int, item: _Item) -> NDArray[Any] | None:
    """A per-point array, or None with a warning when it does not fit the points."""
    if node is None:
        return None
    try:
        values = _need(_array(node, what, width), what)
    except _DamageError as damage:
        item.warn(f"{damage}; they are not shown")
        return None
    if len(values) == n:
        return values
    if len(values):
        item.warn(f"it has {len(values)} {what} for {n} points; they are not shown")
    return None


def _number(node: Node) -> float | None:
    """A finite number as int or float, whatever kind of number the file has; None for anything else."""
    kind = type(node)
    if kind is not float and kind is not int:
        if kind is ArrayNode and node.values is not None and node.values.size == 1:
            node = node.values
        elif kind is not bool and not isinstance(node, np.generic):
            return None
        if kind is bool or node.dtype.kind == "b":
            return int(node)
        if node.dtype.kind not in "iuf":
            return None
        node = node.item()
    return node if abs(node) < MAX_NUMBER else None  # None for NaN


def _flag(node: Node, default: bool) -> bool:
    number = _number(node)
    return default if number is None else bool(number)


def _three(node: Node) -> tuple[float, float, float] | None:
    if type(node) is ArrayNode:
        values = node.values
        if values is None or values.size != 3 or values.dtype.kind not in "biuf":
            return None
        node = values.reshape(-1).tolist()
    if type(node) not in (list, tuple) or len(node) != 3:
        return None
    a, b, c = map(_number, node)
    return None if a is None or b is None or c is None else (a, b, c)


def _color(node: Node) -> Color | None:
    """Three numbers, held to 0-1; a fourth (an alpha) is let go."""
    if type(node) in (list, tuple) and len(node) == 4:
        node = node[:3]
    color = _three(node)
    if color is None or 0 <= min(color) <= max(color) <= 1:
        return color
    return min(max(color[0], 0), 1), min(max(color[1], 0), 1), min(max(color[2], 0), 1)


def _sampling_rate(node: Node, item: _Item) -> NDArray[np.float64]:
    """Three positive numbers; one stands for all three."""
    values = _three(node)
    if values is None:
        single = _number(node)
        values = None if single is None else (single, single, single)
    if values is None or min(values) <= 0:
        if node is not None:
            item.warn("its sampling rate is not three positive numbers; 1 angstrom is used")
        values = (1.0, 1.0, 1.0)
    return np.array(values, np.float64)


def _size(fields: dict[str, Node], key: str) -> float:
    value = _number(fields.get(key))
    if value is None:
        raise _DamageError(f"its {key} is not a number")
    return value


def _vector(fields: dict[str, Node], key: str) -> NDArray[np.float64]:
    values = _three(fields.get(key))
    if values is None:
        raise _DamageError(f"its {key} is not three numbers")
    return np.array(values, np.float64)


def _matrix(fields: dict[str, Node], key: str) -> NDArray[np.float64]:
    values = _need(_array(fields.get(key), key, width=3), key)
    if values.shape != (3, 3) or not np.isfinite(values).all():
        raise _DamageError(f"its {key} are not three axes")
    return values.astype(np.float64)


__all__ = ["decode_session", "open_session"]
