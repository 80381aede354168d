"""Nodes -> Session: what the numbers mean, and what to make of those that are odd.

A geometry that cannot be drawn is set aside as `Damaged` and named in a warning; what is merely odd is mended with a
warning. Only a stream that is no session at all is refused.
"""

import math
import os
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import MosaicError, printable
from .file import SessionFile, read_file
from .meta import plain, unknown_parts
from .nodes import ArrayNode, CallNode, Node, ObjectNode, Pairs
from .pickle_reader import read_pickle
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

Warn = Callable[[str], None]


class _DamageError(Exception):
    """Why one geometry cannot be read; becomes a warning that names it."""


def open_session(path: str | os.PathLike[str]) -> Session:
    """Read a Mosaic session of any release, either layout.

    Nothing in the file is run and no other file is opened. Arrays are views of the file, which stays mapped while they are
    held. Raises MosaicError with one sentence when the file is no session, is damaged or may be harmful.
    """
    name = os.fspath(path)
    try:
        file = read_file(name)
        return decode_session(file, name)
    except MosaicError as error:
        raise MosaicError(f"{name} {error}") from error


def decode_session(file: SessionFile, path: str) -> Session:
    """The session in the file's state. Raises MosaicError (without the file's name) when there is none."""
    state = read_pickle(file.state)
    if type(state) is not Pairs:
        raise MosaicError("is a pickle, but not of a Mosaic session")
    keys = state.as_dict()
    containers = [keys.get("_data", keys.get("data")), keys.get("_models", keys.get("models"))]
    if not any(type(node) is ObjectNode and node.cls.name == "DataContainer" for node in containers):
        raise MosaicError("is a pickle, but not of a Mosaic session: it has no clusters and no models")
    session = Session(
        path=path,
        layout=file.layout,
        release=file.release or _release_of(state, keys),
        state=state,
        clusters=Container("clusters"),
        models=Container("models"),
        sections=file.sections,
        warnings=file.warnings,
    )
    # Percentiles were fractions until the release before the first one that stored a tree.
    fractions = "_data_tree" not in keys and "metadata" not in keys
    for container, node in zip((session.clusters, session.models), containers, strict=True):
        if node is None:
            continue
        if type(node) is not ObjectNode or node.cls.name != "DataContainer":
            raise MosaicError(f"is damaged: its {container.name} are in no known form")
        _decode_container(container, node, fractions, session.warnings)
    _warn_of_uuids(session)
    for container, key in ((session.clusters, "_data_tree"), (session.models, "_models_tree")):
        _arrange(container, keys.get(key), session.warnings)
    session.shape, session.physical_shape = _shapes(keys, containers)
    return session


def _release_of(state: Pairs, keys: dict[str, Node]) -> str:
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
            shape = shape or _three(entries.get("shape"))
            physical = physical or _three(entries.get("physical_shape"))
    return shape and (int(shape[0]), int(shape[1]), int(shape[2])), physical


# --- containers and trees --------------------------------------------------------------------------------------------


def _decode_container(container: Container, node: ObjectNode, fractions: bool, warnings: list[str]) -> None:
    fields = node.fields()
    container.node = node
    container.base_color = _color(fields.get("base_color")) or container.base_color
    container.highlight_color = _color(fields.get("highlight_color")) or HIGHLIGHT_COLORS[container.name]
    data = fields.get("data")
    if type(data) is not list:
        raise MosaicError(f"is damaged: its {container.name} hold no list of geometries")
    seen: set[int] = set()
    for index, item in enumerate(data):
        name = _name_of(item, container.name, index)

        def warn(sentence: str, name: str = name) -> None:
            warnings.append(f"{container.name} {printable(name)!r}: {sentence}.")

        try:
            if id(item) in seen:
                raise _DamageError("it stands in the session twice")
            seen.add(id(item))
            container.geometries.append(_decode_geometry(container, item, index, name, fractions, warn))
        except _DamageError as damage:
            warn(f"left out, because {damage}; it is kept for saving")
            container.damaged.append(Damaged(item, index, name, str(damage)))


def _name_of(item: Node, container: str, index: int) -> str:
    """meta["name"], else what Mosaic's browser shows instead."""
    meta = item.fields().get("meta") if type(item) is ObjectNode else None
    name = meta.as_dict().get("name") if type(meta) is Pairs else None
    if isinstance(name, str) and name:
        return str(name)
    return f"{'Cluster' if container == 'clusters' else 'Model'} {index}"


def _warn_of_uuids(session: Session) -> None:
    seen: set[str] = set()
    for geometry in session.geometries:
        if geometry.uuid in seen:
            session.warnings.append(f"{geometry.container} {printable(geometry.name)!r}: another object has the same uuid.")
        elif geometry.uuid is not None:
            seen.add(geometry.uuid)
    if session.geometries and not seen and session.release not in ("colabseg", "1.0.0-1.0.10"):
        session.warnings.append("The objects have no uuids, so Mosaic's groups cannot be told.")


def _arrange(container: Container, tree: Node, warnings: list[str]) -> None:
    """Put the geometries into the order and groups of Mosaic's browser; those that no tree names come last."""
    left: dict[str | int, Geometry] = {}
    for geometry in container.geometries:
        key = geometry.uuid if geometry.uuid is not None and geometry.uuid not in left else geometry.index
        left[key] = geometry
    unknown = 0

    def take(uuid: Node) -> list[Geometry]:
        nonlocal unknown
        if type(uuid) is str and uuid in left:
            return [left.pop(uuid)]
        unknown += uuid not in damaged if type(uuid) is str else 1
        return []

    damaged = {item.node.fields().get("uuid") for item in container.damaged if type(item.node) is ObjectNode}
    for uuid, name, members in _tree_items(tree):
        if members is None:
            container.items += take(uuid)
        else:
            container.items.append(Group(uuid, name or uuid, [geometry for member in members for geometry in take(member)]))
    container.items += left.values()
    if unknown:
        warnings.append(f"The tree of the {container.name} names {unknown} objects that the session does not hold.")


def _tree_items(tree: Node) -> list[tuple[str, str | None, list[Node] | None]]:
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
    container: Container, node: Node, index: int, name: str, fractions: bool, warn: Warn
) -> Geometry:
    if type(node) is not ObjectNode or node.cls.module != "mosaic.geometry" or node.cls.name not in GEOMETRY_CLASSES:
        raise _DamageError("it is of a class that this add-on does not know")
    fields = node.fields()
    points = _array(fields.get("points"), "points", width=3)
    if points is None:
        raise _DamageError("it has no points")
    n = len(points)
    meta_node = fields.get("meta")
    meta = plain(meta_node) if type(meta_node) is Pairs else {}
    fit = fields.get("model")
    if fit is None and type(meta_node) is Pairs:
        fit = meta_node.as_dict().get("fit")  # its place until 1.0.11
    for part in unknown_parts(meta):
        warn(f"its meta holds {part}, which is kept but not shown")
    uuid = fields.get("uuid")
    if uuid is not None and type(uuid) is not str:
        warn("its uuid is no text and is not used")
        uuid = None
    geometry = Geometry(
        node=node,
        container=container.name,
        index=index,
        class_name=node.cls.name,
        name=name,
        uuid=uuid,
        points=points,
        normals=_rows(fields.get("normals"), "normals", n, 3, warn),
        quaternions=_rows(fields.get("quaternions"), "quaternions", n, 4, warn),
        sampling_rate=_sampling_rate(fields.get("sampling_rate"), warn),
        visible=_flag(fields.get("visible"), True),
        representation="pointcloud",
        appearance=_appearance(fields.get("appearance"), container, fractions, warn),
        vertex_properties=_vertex_properties(fields.get("vertex_properties"), n, warn),
        meta=meta,
        model=_model(fit, warn),
    )
    if node.cls.name == "VolumeGeometry" and fields.get("volume") is not None:
        geometry.volume = _volume(fields, warn)
    if node.cls.name == "GeometryTrajectory" and type(fields.get("trajectory")) is list:
        geometry.frames = _frames(fields["trajectory"], warn)
    geometry.representation = _representation(fields.get("representation"), geometry, warn)
    _warn_of_numbers(geometry, warn)
    return geometry


def _representation(value: Node, geometry: Geometry, warn: Warn) -> str:
    if geometry.class_name == "SegmentationGeometry":
        return "segmentation"
    if geometry.volume is not None and value in (None, "pointcloud"):
        return "volume"  # files up to 1.0.10 say pointcloud
    if value is None:
        return "pointcloud"
    representation = OLD_REPRESENTATIONS.get(value, value) if type(value) is str else None
    if representation not in REPRESENTATIONS:
        warn(f"its representation {printable(str(value)[:40]) if type(value) is str else 'is no text and'!r} is not known; points are shown")
        return "pointcloud"
    if representation in MESH_REPRESENTATIONS and not isinstance(geometry.model, Mesh):
        warn(f"it has no mesh to show as {representation}; points are shown")
        return "pointcloud"
    if representation == "volume" and geometry.volume is None:
        warn("it has no volume to show; points are shown")
        return "pointcloud"
    return representation


def _warn_of_numbers(geometry: Geometry, warn: Warn) -> None:
    """Name what Mosaic and Blender would draw without a word: points that are nowhere, rotations that are none."""
    if len(geometry.points) and not math.isfinite(_checksum(geometry.points)):
        bad = len(geometry.points) - np.count_nonzero(np.isfinite(geometry.points).all(axis=1))
        if bad:
            warn(f"{bad} of its {len(geometry.points)} points are not finite and cannot be seen")
    quaternions = geometry.quaternions
    if quaternions is not None and len(quaternions):
        candidates = np.flatnonzero(quaternions[:, 0] == 0)
        zero = np.count_nonzero(~quaternions[candidates].any(axis=1)) if len(candidates) else 0
        if zero:
            warn(f"{zero} of its quaternions are zero and are taken as no rotation")


def _checksum(values: NDArray[Any]) -> float:
    """A sum that is not finite if any of the values is not; it may also overflow."""
    with np.errstate(all="ignore"):
        return float(np.add.reduce(values, axis=None))


def _vertex_properties(node: Node, n: int, warn: Warn) -> dict[str, NDArray[Any]]:
    """The columns of a VertexPropertyContainer that have one row per point."""
    if type(node) is not ObjectNode:
        return {}
    entries = node.fields().get("_properties")
    columns = {}
    for name, column in entries.as_dict().items() if type(entries) is Pairs else ():
        values = column.values if type(column) is ArrayNode else None
        if values is None:
            reason = (column.trouble if type(column) is ArrayNode else None) or "it is no array"
            warn(f"its vertex property {printable(name)!r} is kept but not shown: {reason}")
        elif values.ndim not in (1, 2) or len(values) != n:
            warn(f"its vertex property {printable(name)!r} has {values.shape} values for {n} points; it is kept but not shown")
        else:
            columns[name] = values
    return columns


def _appearance(node: Node, container: Container, fractions: bool, warn: Warn) -> Appearance:
    appearance = Appearance(highlight_color=container.highlight_color)
    for key, value in node.as_dict().items() if type(node) is Pairs else ():
        if key == "render_spheres":
            appearance.render_spheres = _flag(value, True)
        elif key in ("base_color", "highlight_color"):
            color = _color(value)
            if color is None:
                warn(f"its {key} is not three numbers; Mosaic's default is used")
            else:
                setattr(appearance, key, color)
        elif key in ("size", "opacity", "ambient", "diffuse", "specular", "isovalue_percentile"):
            if value is None:
                continue
            number = _number(value)
            if number is None:
                warn(f"its {key} is not a number; Mosaic's default is used")
            else:
                setattr(appearance, key, number)
        else:
            appearance.extra[key] = plain(value)
    percentile = appearance.isovalue_percentile
    if percentile is not None and fractions and percentile <= 1:
        appearance.isovalue_percentile = percentile * 100
    return appearance


def _volume(fields: dict[str, Node], warn: Warn) -> Volume:
    values = _array(fields.get("volume"), "volume")
    if values is None or values.ndim != 3 or not values.size:
        raise _DamageError("its volume is not a grid of numbers")
    return Volume(
        values,
        _sampling_rate(fields.get("volume_sampling_rate"), warn),
        _number(fields.get("lower_quantile")),
        _number(fields.get("upper_quantile")),
        _number(fields.get("target_resolution")),
    )


def _frames(nodes: list[Node], warn: Warn) -> list[Frame]:
    frames = []
    for number, node in enumerate(nodes):
        entries = node.as_dict() if type(node) is Pairs else {}
        try:
            fit = entries.get("fit")
            if type(fit) is not ObjectNode:
                raise _DamageError("it has no mesh")
            mesh = _mesh(fit.cls.name, fit.fields())
        except _DamageError as damage:
            warn(f"its frame {number} is kept but not shown: {damage}")
            continue
        filename = entries.get("filename")
        columns = _vertex_properties(entries.get("vertex_properties"), len(mesh.vertices), warn)
        frames.append(Frame(mesh, filename if type(filename) is str else "", columns))
    return frames


# --- models ----------------------------------------------------------------------------------------------------------


def _model(node: Node, warn: Warn) -> Model | None:
    if type(node) is not ObjectNode:
        if node is not None:
            warn("its model is in no known form; it is kept but not shown")
        return None
    name, fields = node.cls.name, node.fields()
    try:
        if node.cls.module == "mosaic.parametrization":
            if "vertices" in fields and "triangles" in fields:
                return _mesh(name, fields)
            if name in MODELS:
                return MODELS[name](name, fields)
        warn(f"its model {name} is not known; it is shown as points")
    except _DamageError as damage:
        warn(f"its model {name} is damaged, {damage}; it is shown as points")
    return UnknownModel(name)


def _mesh(name: str, fields: dict[str, Node]) -> Mesh:
    vertices = _need(_array(fields.get("vertices"), "vertices", width=3), "vertices")
    faces = _need(_array(fields.get("triangles"), "triangles", width=3), "triangles")
    n = len(vertices)
    if faces.dtype.kind not in "iu":
        raise _DamageError("its triangles are not whole numbers")
    if faces.size and not (0 <= int(faces.min()) and int(faces.max()) < n):
        raise _DamageError("its triangles name vertices that it does not have")
    triangles = np.array(faces, np.int32, order="C")  # a copy: a mapped file can change after this check
    if triangles.size and not (0 <= int(triangles.min()) and int(triangles.max()) < n):
        raise _DamageError("its file changes while it is read")
    normals = _array(fields.get("vertex_normals"), "vertex_normals")
    colors = _array(fields.get("vertex_colors"), "vertex_colors")
    return Mesh(
        name,
        vertices,
        triangles,
        normals if normals is not None and normals.shape == (n, 3) else None,
        colors if colors is not None and colors.shape == (n, 3) else None,
    )


def _sphere(name: str, fields: dict[str, Node]) -> Model:
    return Sphere(name, _size(fields, "radius"), _vector(fields, "center"))


def _ellipsoid(name: str, fields: dict[str, Node]) -> Model:
    return Ellipsoid(name, _vector(fields, "radii"), _vector(fields, "center"), _matrix(fields, "orientations"))


def _cylinder(name: str, fields: dict[str, Node]) -> Model:
    axes = _matrix(fields, "orientations")
    return Cylinder(name, _vector(fields, "centers"), axes, _size(fields, "radius"), _size(fields, "height"))


def _rbf(name: str, fields: dict[str, Node]) -> Model:
    rbf = fields.get("rbf")
    inner = rbf.fields() if type(rbf) is ObjectNode else {}
    xi = _need(_array(inner.get("xi"), "xi"), "xi")
    weights = _need(_array(inner.get("nodes"), "nodes"), "nodes")
    if xi.ndim != 2 or weights.ndim != 1 or xi.shape[1] != len(weights):
        raise _DamageError("its sites and weights do not fit")
    limits = plain(fields.get("grid"))
    try:
        grid = np.array(limits, np.float64)
    except (TypeError, ValueError):
        grid = np.empty(0)
    if grid.shape != (2, 2) or not np.isfinite(grid).all():
        raise _DamageError("its grid is not two ranges")
    if inner.get("norm") != "euclidean":
        raise _DamageError("its norm is not the euclidean one")
    return RBF(
        name,
        xi.astype(np.float64),
        weights.astype(np.float64),
        _size(inner, "epsilon"),
        str(inner.get("function")) if type(inner.get("function")) is str else "",
        grid,
        str(fields.get("direction")) if type(fields.get("direction")) is str else "xy",
    )


def _spline_curve(name: str, fields: dict[str, Node]) -> Model:
    positions = _need(_array(fields.get("positions"), "positions", width=3), "positions")
    nodes = fields.get("_splines")
    if type(nodes) is not list or len(nodes) != 3:
        raise _DamageError("it has not three splines")
    x, y, z = (_spline(node) for node in nodes)
    return SplineCurve(name, positions, (x, y, z))


def _spline(node: Node) -> Spline:
    """One of scipy's: B-splines keep (t, c, k) in `_eval_args`, cubic ones `c` and `x`, of late `_c` and `_x`."""
    fields = node.fields() if type(node) is ObjectNode else {}
    evaluation = fields.get("_eval_args")
    if type(evaluation) is tuple and len(evaluation) == 3 and type(evaluation[2]) is int:
        knots, coefficients, degree = _array(evaluation[0], "t"), _array(evaluation[1], "c"), evaluation[2]
        if knots is not None and coefficients is not None and knots.ndim == coefficients.ndim == 1 and 1 <= degree <= 5:
            return Spline("bspline", knots.astype(np.float64), coefficients.astype(np.float64), degree)
    knots = _array(fields.get("_x", fields.get("x")), "x")
    coefficients = _array(fields.get("_c", fields.get("c")), "c")
    if knots is None or coefficients is None or knots.ndim != 1 or coefficients.shape != (4, len(knots) - 1):
        raise _DamageError("a spline is in no known form")
    return Spline("cubic", knots.astype(np.float64), coefficients.astype(np.float64), 3)


MODELS: dict[str, Callable[[str, dict[str, Node]], Model]] = {
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


def _rows(node: Node, what: str, n: int, width: int, warn: Warn) -> NDArray[Any] | None:
    """A per-point array, or None with a warning when it does not fit the points."""
    try:
        values = _array(node, what, width)
    except _DamageError as damage:
        warn(f"{damage}; they are kept but not used")
        return None
    if values is not None and len(values) != n:
        if len(values) or n:
            warn(f"it has {len(values)} {what} for {n} points; they are kept but not used")
        return None
    return values


def _number(node: Node) -> float | None:
    """A finite number as int or float, whatever kind of number the file has; None for anything else."""
    if isinstance(node, (bool, int, float, np.bool_, np.integer, np.floating)):
        value = node.item() if isinstance(node, np.generic) else node
        if abs(value) < 1e300:  # also False for NaN
            return int(value) if isinstance(value, int) else float(value)
    if type(node) is ArrayNode and node.values is not None and node.values.size == 1:
        return _number(node.values.reshape(-1)[0])
    return None


def _flag(node: Node, default: bool) -> bool:
    number = _number(node)
    return default if number is None else bool(number)


def _three(node: Node) -> tuple[float, float, float] | None:
    if type(node) is ArrayNode:
        node = [] if node.values is None else node.values.reshape(-1)[:4].tolist()
    if type(node) not in (list, tuple) or len(node) != 3:
        return None
    a, b, c = (_number(part) for part in node)
    return None if a is None or b is None or c is None else (a, b, c)


def _color(node: Node) -> Color | None:
    """Three numbers, held to 0-1; a fourth (an alpha) is let go."""
    if type(node) is tuple and len(node) == 4:
        node = node[:3]
    color = _three(node)
    return color and (min(max(color[0], 0), 1), min(max(color[1], 0), 1), min(max(color[2], 0), 1))


def _sampling_rate(node: Node, warn: Warn) -> NDArray[np.float64]:
    """Three positive numbers; one stands for all three."""
    single = _number(node)
    values = (single, single, single) if single is not None else _three(node)
    if values is None or min(values) <= 0:
        if node is not None:
            warn("its sampling rate is not three positive numbers; 1 angstrom is used")
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

