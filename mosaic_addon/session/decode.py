"""Nodes -> Session: what the numbers mean, and what becomes of odd ones.

A geometry that cannot be drawn is set aside as `Damaged` and named in a warning; odd values are replaced with a
warning. Only a stream that is no session at all is refused.
"""

import contextlib
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .budget import GEOMETRY, VALUE, Budget
from .decode_models import decode_mesh, decode_model
from .decode_tree import arrange
from .errors import MosaicError
from .file import SessionFile, note_session, read_file
from .gc_pause import without_collection
from .nodes import ArrayNode, Node, ObjectNode, Pairs
from .pickle_calls import trouble_of_items
from .pickle_reader import read_pickle
from .plain_values import plain, unknown_parts
from .reading import DamageError, Item, Reading, array, label_of, need, rows, shown, values_in
from .releases import (
    CONTAINER_KEYS,
    GEOMETRY_CLASSES,
    GEOMETRY_MODULE,
    OLD_REPRESENTATIONS,
    STATE_KEYS,
    TREE_KEYS,
    container_in,
    recognise,
    shapes_in,
    spelling_of,
)
from .rows import slabs_of
from .session import (
    HIGHLIGHT_COLORS,
    MESH_REPRESENTATIONS,
    REPRESENTATIONS,
    Appearance,
    Color,
    Container,
    Damaged,
    Frame,
    Geometry,
    Mesh,
    Session,
    Volume,
)
from .values import (
    DEFAULT_SAMPLING_RATE,
    color_of,
    fit_in,
    flag_of,
    number_of,
    rates_in,
    sampling_rate_of,
    three_of,
    told_rate,
)

NUMBERS = ("visible", "lower_quantile", "upper_quantile", "target_resolution")  # of a geometry
# The appearance of a segmentation where the file says nothing.
SEGMENTATION_DEFAULTS = {"ambient": 0.5, "diffuse": 0.7, "specular": 0.0}


def open_session(path: str | os.PathLike[str], *, wait: bool = False) -> Session:
    """Read a Mosaic session of any release, either layout.

    Nothing in the file is run and no other file is opened. Arrays are views of the file's bytes, which stay in memory
    as long as a view of them does. wait: the arrays of very large clouds are read when they are asked for; if the file
    has changed by then, FileReadError is raised. Raises MosaicError when the file is no session, is damaged or may be
    harmful.
    """
    name = os.fsdecode(path)
    try:
        with without_collection(), contextlib.closing(read_file(path)) as file:
            session = decode_session(file, name, wait=wait)
    except MosaicError as error:
        raise MosaicError(f"{name} {error}") from error
    note_session(name, session.stamp)
    return session


def decode_session(file: SessionFile, path: str, *, wait: bool = False) -> Session:
    """Read the session in a file's state. wait: as for `open_session`.

    Raises MosaicError, in a sentence without the file's name, for none.
    """
    budget = Budget(len(file.state))
    state = read_pickle(file.state, budget, wait=wait)
    if type(state) is not Pairs:
        raise MosaicError("is a pickle, but not of a Mosaic session")
    reading = Reading(budget, file.warnings)
    keys = state.as_dict()
    nodes = {name: container_in(keys, name) for name in CONTAINER_KEYS}
    if not any(map(_is_container, nodes.values())):
        raise MosaicError("is a pickle, but not of a Mosaic session: it has no clusters and no models")
    spelling = recognise(state)
    Item(reading, "session", os.path.basename(path)).warn_of_names("session", keys, STATE_KEYS)
    session = Session(
        path=path,
        layout=file.layout,
        release=file.release or spelling.release,
        state=state,
        clusters=Container("clusters"),
        models=Container("models"),
        sections=file.sections,
        stamp=file.stamp,
        warnings=file.warnings,
    )
    containers = (session.clusters, session.models)
    seen: set[int] = set()
    with np.errstate(all="ignore"):
        for container in containers:
            node = nodes[container.name]
            if node is None:
                continue
            if not _is_container(node):
                raise MosaicError(f"is damaged: its {container.name} are in no known form")
            _decode_container(container, node, spelling.fractions, seen, reading)
        _warn_of_uuids(session, reading)
        for container in containers:
            arrange(container, keys.get(TREE_KEYS[container.name]), reading)
        session.shape, session.physical_shape = _shapes(keys)
    return session


def _is_container(node: Node) -> bool:
    """Tell whether a node is a container of geometries."""
    return type(node) is ObjectNode and node.cls.kind == "mosaic" and node.cls.name == "DataContainer"


def _shapes(keys: dict[str, Node]) -> tuple[tuple[int, int, int] | None, tuple[float, float, float] | None]:
    """Return the tomogram's shape in voxels and in angstrom: the first of each that is three positive numbers."""
    shape = physical = None
    for voxels, angstrom in shapes_in(keys):
        shape = shape or _extent(voxels)
        physical = physical or _extent(angstrom)
    return shape and (int(shape[0]), int(shape[1]), int(shape[2])), physical


def _extent(node: Node) -> tuple[float, float, float] | None:
    """Return three positive numbers; None for anything else."""
    values = three_of(node)
    return values if values is not None and min(values) > 0 else None


# --- containers and trees --------------------------------------------------------------------------------------------


def _decode_container(
    container: Container, node: ObjectNode, fractions: bool, seen: set[int], reading: Reading
) -> None:
    """Read the geometries of a container. seen: the ids of the geometries read so far, of both containers.

    Raises MosaicError for a container without a list.
    """
    fields = node.fields()
    container.node = node
    Item(reading, "container", container.name).warn_of_names(node.cls.name, fields)
    container.base_color = color_of(fields.get("base_color")) or container.base_color
    container.highlight_color = color_of(fields.get("highlight_color")) or HIGHLIGHT_COLORS[container.name]
    data = fields.get("data")
    if type(data) is not list:
        raise MosaicError(f"is damaged: its {container.name} hold no list of geometries")
    for index, geometry in enumerate(data):
        reading.budget.spend(GEOMETRY)
        item = Item(reading, container.name, _nameless(container.name, index))
        try:
            if type(geometry) is not ObjectNode:
                raise DamageError("it is no object")
            fields = item.entries(geometry)
            meta = item.entries(fields.get("meta"))
            name = meta.get("name")
            if isinstance(name, str) and name:  # else what Mosaic's browser shows instead
                item.label = container.name, str(name)
            if id(geometry) in seen:
                raise DamageError("it stands in the session twice")
            seen.add(id(geometry))
            container.geometries.append(_decode_geometry(container, geometry, fields, meta, index, fractions, item))
        except DamageError as damage:
            item.said = 0
            item.warn(f"not shown, but kept for saving, because {damage}")
            container.damaged.append(Damaged(geometry, index, item.label[1], str(damage)))


def _warn_of_uuids(session: Session, reading: Reading) -> None:
    """Warn of geometries that share a uuid, and of those without one in a release that gives them one."""
    has_uuids = spelling_of(session.release).uuids
    seen: set[str] = set()
    for geometry in session.geometries:
        if geometry.uuid in seen:
            reading.warn(f"{label_of(geometry.container, geometry.name)}: another object has the same uuid.")
        elif geometry.uuid is not None:
            seen.add(geometry.uuid)
        elif has_uuids:
            reading.warn(f"{label_of(geometry.container, geometry.name)}: it has no uuid, so no group can name it.")


# --- one geometry ----------------------------------------------------------------------------------------------------


def _decode_geometry(
    container: Container,
    node: ObjectNode,
    fields: dict[str, Node],
    meta_entries: dict[str, Node],
    index: int,
    fractions: bool,
    item: Item,
) -> Geometry:
    """Read a geometry. fractions: its isovalue percentile may be one. Raises DamageError if it cannot be drawn."""
    if node.cls.module != GEOMETRY_MODULE or node.cls.name not in GEOMETRY_CLASSES:
        raise DamageError("it is of a class that this add-on does not know")
    fit = fit_in(fields, meta_entries)
    # The points themselves are read now: they are looked at several times, and Blender has them before all else.
    points = need(array(fields.get("points"), "points", width=3), "points")
    wait = fit is None and node.cls.name == "Geometry"  # for what nothing is computed of
    n = len(points)
    item.warn_of_names(node.cls.name, fields)
    for key in NUMBERS:
        if fields.get(key) is not None and number_of(fields[key]) is None:
            item.warn(f"its {key} is not a number; Mosaic's default is used")
    meta_node = fields.get("meta")
    if meta_node is not None and type(meta_node) is not Pairs:
        item.warn("its meta is no dict; it is not shown")
    meta = plain(meta_node, item.budget) if type(meta_node) is Pairs else {}
    for part in unknown_parts(meta):
        item.warn(f"its meta holds {part}, which is not shown, but kept for saving")
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
        normals=rows(fields.get("normals"), "normals", n, 3, item, wait),
        quaternions=rows(fields.get("quaternions"), "quaternions", n, 4, item, wait),
        sampling_rate=_sampling_rate(fields.get("sampling_rate"), item),
        visible=flag_of(fields.get("visible"), True),
        representation="pointcloud",
        appearance=_appearance(node.cls.name, fields, container.highlight_color, fractions, item),
        vertex_properties=_vertex_properties(fields.get("vertex_properties"), n, item, wait),
        meta=meta,
        model=None if fit is None else decode_model(fit, item),
    )
    if node.cls.name == "VolumeGeometry" and fields.get("volume") is not None:
        geometry.volume = _volume(fields, item)
    if node.cls.name == "GeometryTrajectory":
        geometry.frames = _frames(fields.get("trajectory"), item)
    geometry.representation = _representation(fields.get("representation"), geometry, item)
    _warn_of_numbers(geometry, item)
    return geometry


def _representation(value: Node, geometry: Geometry, item: Item) -> str:
    """Return how a geometry is drawn: as the file says, where that is possible."""
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
        item.warn(f"its representation {shown(value)} is not known; points are shown")
        return "pointcloud"
    if representation in MESH_REPRESENTATIONS and not isinstance(geometry.model, Mesh):
        item.warn(f"it has no mesh to show as {representation}; points are shown")
        return "pointcloud"
    if representation == "volume" and geometry.volume is None:
        item.warn("it has no volume to show; points are shown")
        return "pointcloud"
    return representation


def _warn_of_numbers(geometry: Geometry, item: Item) -> None:
    """Warn of numbers that cannot be drawn: points and rotations that are not finite, rotations that are zero."""
    points = geometry.points
    item.budget.spend(points.nbytes)
    if not _all_finite(points):
        bad = len(points) - np.count_nonzero(np.isfinite(points).all(axis=1))
        item.warn(f"{bad} of its {len(points)} points are not finite and cannot be seen")
    quaternions = geometry.quaternions
    if quaternions is not None:
        item.budget.spend(quaternions.nbytes)
        bad = sum(map(_bad_turns, slabs_of(quaternions)))
        if bad:
            item.warn(f"{bad} of its quaternions are zero or not finite and are taken as no rotation")
    if isinstance(geometry.model, Mesh) and len(geometry.model.vertices) != len(points):
        item.warn(f"its mesh has {len(geometry.model.vertices)} vertices for {len(points)} points")


def _bad_turns(quaternions: NDArray[Any]) -> int:
    """Count the quaternions, (n, 4), that are zero or not finite."""
    if not _all_finite(quaternions):
        return int(np.count_nonzero(~(np.isfinite(quaternions).all(axis=1) & quaternions.any(axis=1))))
    if np.count_nonzero(quaternions[:, 0]) == len(quaternions):
        return 0
    turns = quaternions[quaternions[:, 0] == 0]  # by half a turn, or by none
    return len(turns) - int(np.count_nonzero(turns.any(axis=1)))


def _all_finite(values: NDArray[Any]) -> bool:
    """Tell whether no number is infinite or NaN."""
    if values.dtype.kind != "f":
        return True
    for slab in slabs_of(values):
        # The sum of the squares tells it soonest, unless it overflows.
        flat = slab.ravel(order="K")
        if not np.isfinite(np.dot(flat, flat)) and np.count_nonzero(np.isfinite(flat)) < flat.size:
            return False
    return True


def _vertex_properties(node: Node, n: int, item: Item, wait: bool = False) -> dict[str, NDArray[Any]]:
    """Return the arrays of a VertexPropertyContainer that have one row for each of `n` points, by name.

    wait: leave those unread that are.
    """
    if node is None:
        return {}
    fields = item.entries(node)
    item.warn_of_names("vertex properties", fields)
    entries = fields.get("_properties")
    if type(entries) is not Pairs:
        item.warn("its vertex properties are in no known form; they are not shown")
        return {}
    columns = {}
    for name, column in item.entries(entries).items():
        item.budget.spend(VALUE)
        values = values_in(column, wait) if type(column) is ArrayNode else None
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
            item.warn(f"its vertex property {shown(name)} is not shown, but kept for saving: {reason}")
    return columns


def _appearance(
    class_name: str, fields: dict[str, Node], highlight_color: Color, fractions: bool, item: Item
) -> Appearance:
    """Read an appearance, with Mosaic's defaults. fields: of its geometry. highlight_color: of its container."""
    chosen: dict[str, Any] = {"highlight_color": highlight_color}
    extra: dict[str, Any] = {}
    if class_name == "SegmentationGeometry":
        chosen |= SEGMENTATION_DEFAULTS
    if fields.get("representation") == "gaussian_density":
        chosen["render_spheres"] = False
    if fields.get("appearance") is not None and type(fields["appearance"]) is not Pairs:
        item.warn("its appearance is no dict; Mosaic's defaults are used")
    for key, value in item.entries(fields.get("appearance")).items():
        if key in ("size", "opacity", "ambient", "diffuse", "specular", "isovalue_percentile"):
            number = number_of(value)
            if number is not None:
                chosen[key] = number
            elif value is not None:
                item.warn(f"its {key} is not a number; Mosaic's default is used")
        elif key in ("base_color", "highlight_color"):
            color = color_of(value)
            if color is not None:
                chosen[key] = color
            elif value is not None:
                item.warn(f"its {key} is not three numbers; Mosaic's default is used")
        elif key == "render_spheres":
            chosen[key] = flag_of(value, True)
        else:
            extra[key] = plain(value, item.budget)
            for part in unknown_parts(extra[key]):
                item.warn(f"its appearance holds {part}, which is not shown, but kept for saving")
    percentile = chosen.get("isovalue_percentile")
    if percentile is not None and fractions and percentile <= 1:
        chosen["isovalue_percentile"] = percentile * 100
    return Appearance(**chosen, extra=extra)


def _volume(fields: dict[str, Node], item: Item) -> Volume:
    """Read the volume of a geometry with these attributes. Raises DamageError if it cannot be drawn."""
    values = array(fields.get("volume"), "volume")
    if values is None or values.ndim != 3 or not values.size:
        raise DamageError("its volume is not a grid of numbers")
    return Volume(
        values,
        _sampling_rate(fields.get("volume_sampling_rate"), item),
        number_of(fields.get("lower_quantile")),
        number_of(fields.get("upper_quantile")),
        number_of(fields.get("target_resolution")),
    )


def _frames(nodes: Node, item: Item) -> list[Frame] | None:
    """Read the frames of a trajectory that can be drawn; None if there are none."""
    frames = []
    for number, node in enumerate(nodes if type(nodes) is list else ()):
        item.budget.spend(VALUE)
        entries = item.entries(node) if type(node) is Pairs else {}
        try:
            fit = entries.get("fit")
            if type(fit) is not ObjectNode:
                raise DamageError("it has no mesh")
            mesh = decode_mesh(fit.cls.name, item.entries(fit), item)
        except DamageError as damage:
            item.warn(f"its frame {number} is not shown, but kept for saving: {damage}")
            continue
        filename = entries.get("filename")
        columns = _vertex_properties(entries.get("vertex_properties"), len(mesh.vertices), item)
        frames.append(Frame(number, mesh, filename if type(filename) is str else "", columns))
    if not frames:
        item.warn("it has no frames that can be shown")
    return frames or None


def appearance_of(node: ObjectNode, container: str, fractions: bool) -> Appearance:
    """Read the appearance of a geometry's node, with Mosaic's defaults.

    container: "clusters" or "models". fractions: its isovalue percentile may be one.
    """
    fields = node.fields()
    item = Item(Reading(Budget(0), []), container, "")
    return _appearance(node.cls.name, fields, HIGHLIGHT_COLORS[container], fractions, item)


def name_in(node: ObjectNode, container: str, index: int) -> str:
    """Return the name of a geometry's node; for a nameless one, the name that Mosaic's browser shows instead."""
    meta = node.fields().get("meta")
    name = meta.as_dict().get("name") if type(meta) is Pairs else None
    return str(name) if isinstance(name, str) and name else _nameless(container, index)


def _nameless(container: str, index: int) -> str:
    """Return what Mosaic's browser calls a geometry without a name."""
    return f"{'Cluster' if container == 'clusters' else 'Model'} {index}"


def meta_of(node: ObjectNode) -> dict[Any, Any]:
    """Return the meta of a geometry's node as plain values; `Kept` stands for a value that is not understood."""
    meta = node.fields().get("meta")
    return plain(meta, Budget(0)) if type(meta) is Pairs else {}


def _sampling_rate(node: Node, item: Item) -> NDArray[np.float64]:
    """Return the sampling rate, (3,) angstrom a voxel; the default where the file has none, mended with a warning."""
    values = sampling_rate_of(node) or DEFAULT_SAMPLING_RATE
    if node is not None and list(values) != rates_in(node):
        item.warn(f"its sampling rate is not three positive numbers; {told_rate(values)} used")
    return np.array(values, np.float64)
