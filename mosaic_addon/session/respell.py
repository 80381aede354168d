"""Sessions in the spelling of another release of Mosaic, and what that release cannot hold."""

import numpy as np

from .edit import drop, entry, put, set_fit, set_visible, state_of
from .new_nodes import named, new_columns, new_uuid
from .nodes import Node, ObjectNode, Pairs, SetNode, Stored
from .releases import (
    CONTAINER_KEYS,
    CONTAINER_MODULE,
    GEOMETRY_MODULE,
    MESH_CLASSES,
    MODEL_MODULE,
    OLD_GEOMETRY_CLASSES,
    OLD_REPRESENTATIONS,
    PARSER,
    RECORDS,
    STATE,
    TREE_KEYS,
    WIDGET,
    Spelling,
    container_in,
    shapes_in,
)
from .session import DEFAULT_RESOLUTION, MESH_REPRESENTATIONS, REPRESENTATIONS
from .values import MODEL, array_of, columns_in, fit_of, flag_of, number_of


def respell_geometry(node: ObjectNode, source: Spelling, target: Spelling, label: str, name: str) -> list[str]:
    """Change a geometry's node from the spelling of one release to that of another.

    label: what sentences call the geometry. name: what it is called from now on if it has no name.
    Returns a sentence for each part that the target cannot hold.
    """
    state = state_of(node)
    fields = state.as_dict()
    cls = OLD_GEOMETRY_CLASSES.get(node.cls.name, node.cls.name)
    lost: list[str] = []
    if cls == "SegmentationGeometry" and not target.segmentations:
        lost.append(f"{label}: Mosaic {target.release} has no segmentations; it is written as points.")
        cls = "Geometry"
    node.cls = named(GEOMETRY_MODULE, cls, target)
    set_visible(node, flag_of(fields.get("visible"), True), target)
    if cls == "SegmentationGeometry" and not target.segmentation_columns:
        if columns_in(fields.get("vertex_properties")):
            lost.append(
                f"{label}: Mosaic {target.release} has no vertex properties of segmentations; they are left out."
            )
        for key in ("vertex_properties", MODEL):
            drop(state, key)
        return lost
    percentile = number_of(entry(node, "appearance").as_dict().get("isovalue_percentile"))
    if percentile is not None and source.fractions and not target.fractions and percentile <= 1:
        put(entry(node, "appearance"), "isovalue_percentile", 100.0 * percentile)
    if target.uuids and type(fields.get("uuid")) is not str:
        put(state, "uuid", new_uuid())
    if type(entry(node, "meta").as_dict().get("name")) is not str:
        put(entry(node, "meta"), "name", name)
    _default(state, "vertex_properties", new_columns({}, None, target))
    if cls == "SegmentationGeometry":
        _default(state, MODEL, None)
        return lost
    if not target.resolutions and "target_resolution" in fields:
        lost.append(f"{label}: Mosaic {target.release} has no target resolution of volumes; it is left out.")
        drop(state, "target_resolution")
    _respell_models(node, target)
    _respell_drawing(node, source, target)
    return lost


def _respell_models(node: ObjectNode, target: Spelling) -> None:
    """Put a geometry's model where the target looks for it. Meshes of a class that it lacks become plain ones."""
    fit = fit_of(node)
    set_fit(node, fit, target)
    steps = state_of(node).as_dict().get("trajectory")
    entries = [step.as_dict() for step in steps if type(step) is Pairs] if type(steps) is list else []
    for mesh in (fit, *(step.get("fit") for step in entries)):
        if type(mesh) is ObjectNode and mesh.cls.name in MESH_CLASSES - target.meshes:
            mesh.cls = named(MODEL_MODULE, "TriangularMesh", target)


def _respell_drawing(node: ObjectNode, source: Spelling, target: Spelling) -> None:
    """Give a geometry a representation that the target knows, and the attributes that it needs to draw it."""
    state = state_of(node)
    fields = state.as_dict()
    representation = fields.get("representation")
    has_volume = node.cls.name == "VolumeGeometry" and fields.get("volume") is not None
    if has_volume and not source.volume_representations and representation in (None, "pointcloud"):
        representation = "volume"
    if type(representation) is str:
        representation = OLD_REPRESENTATIONS.get(representation, representation)
    if representation not in REPRESENTATIONS or (representation in MESH_REPRESENTATIONS and fit_of(node) is None):
        representation = "pointcloud"
    if representation == "volume" and not has_volume:
        representation = "pointcloud"
    put(state, "representation", representation)
    if node.cls.name == "VolumeGeometry" and target.resolutions:
        _default(state, "target_resolution", DEFAULT_RESOLUTION)
    _default(state, "quaternions", None)
    _default(state, "normals", None)
    points = fields.get("points")
    if target.filled and fields.get("normals") is None and points is not None:
        put(state, "normals", np.tile(np.array([0, 0, 1], np.float32), (_length(points), 1)))


def turn_by_quaternions(node: ObjectNode, source: Spelling, target: Spelling, quaternions: Node) -> None:
    """Give a volume that stands along its normals quaternions, where the target looks at these alone.

    quaternions: (n, 4) scalar first, or a `Stored` node in their place.
    """
    fields = node.fields()
    if (
        source.follows_normals
        and not target.follows_normals
        and node.cls.name == "VolumeGeometry"
        and _length(fields.get("points"))
        and fields.get("quaternions") is None
        and fields.get("normals") is not None
    ):
        put(state_of(node), "quaternions", quaternions)


def respell_state(state: Pairs, target: Spelling) -> list[str]:
    """Change all of a state but its geometries and trees to the spelling of a release.

    Returns a sentence for each part that the target cannot hold.
    """
    entries = state.as_dict()
    shapes = list(shapes_in(entries))
    shape = next((found for found, _ in shapes if found is not None), None)
    physical = next((found for _, found in shapes if found is not None), None)
    for name in CONTAINER_KEYS:
        container = container_in(entries, name)
        if type(container) is ObjectNode:
            _respell_container(container, target)
    for key in ("shape", "metadata", *(TREE_KEYS.values() if target.tree is None else ())):
        drop(state, key)
    if target.shape_in_metadata:
        found = {"shape": shape, "physical_shape": physical}
        state[:0] = ["metadata", Pairs([part for item in found.items() if item[1] is not None for part in item])]
        return []
    state[:0] = ["shape", shape]
    return (
        [] if physical is None else [f"Mosaic {target.release} has no physical shape of the tomogram; it is left out."]
    )


def _respell_container(container: ObjectNode, target: Spelling) -> None:
    """Change a container, without its geometries, to the spelling of a release."""
    container.cls = named(CONTAINER_MODULE, "DataContainer", target)
    state = state_of(container)
    if target.shape_in_metadata:
        drop(state, "metadata")
    else:
        put(state, "metadata", Pairs())
    if target.uuids:
        drop(state, "_highlighted_indices")
        _default(state, "_highlighted_uuids", SetNode())


def renames(target: Spelling) -> dict[tuple[str, str], tuple[str, str]]:
    """Return where a release looks for classes that moved: module and name, by the module and name of any release."""
    columns, tree = "VertexPropertyContainer", "TreeStateData"
    moved = {(module, columns): (target.properties, columns) for module in (PARSER, RECORDS)}
    if target.tree is not None and target.tree[1] == tree:
        moved |= {(module, tree): target.tree for module in (WIDGET, STATE)}
    return moved


def _default(state: Pairs, key: str, value: Node) -> None:
    """Add an attribute that is missing."""
    if key not in state.as_dict():
        state += (key, value)


def _length(points: Node) -> int:
    """Return the number of points, which may be in Blender's data."""
    if type(points) is Stored:
        return points.owner.count
    values = array_of(points)
    return 0 if values is None else len(values)
