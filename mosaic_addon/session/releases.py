"""Differences between the releases of Mosaic: the one place that a new release touches.

A session does not say which release wrote it. `recognise` tells that by the state, and a `Spelling` says how the
release writes, so that it can still read a session that was edited here. The differences were found in sessions that
the real releases wrote.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from .nodes import Node, ObjectNode, Pairs

OLD_PACKAGE, PACKAGE = "colabseg", "mosaic"
GEOMETRY_MODULE, CONTAINER_MODULE, MODEL_MODULE = "mosaic.geometry", "mosaic.container", "mosaic.parametrization"
# Modules that classes moved between.
PARSER, RECORDS = "mosaic.formats.parser", "mosaic.formats.records"
WIDGET, STATE = "mosaic.widgets.container_list", "mosaic.tree_state"

GEOMETRY_CLASSES = ("Geometry", "PointCloud", "VolumeGeometry", "SegmentationGeometry", "GeometryTrajectory")
OLD_GEOMETRY_CLASSES = {"PointCloud": "Geometry"}  # by their name of today
MESH_CLASSES = frozenset(
    "TriangularMesh ConvexHull FairHull ClusteredBallPivotingMesh MarchingCubes BallPivoting AlphaShape ShrinkWrap "
    "FlyingEdges PoissonMesh".split()
)
# Of all of Mosaic's classes that stand in sessions, of every release.
ATTRIBUTES = frozenset(
    "points normals quaternions sampling_rate model meta vertex_properties visible appearance representation uuid "
    "volume volume_sampling_rate lower_quantile upper_quantile target_resolution trajectory "
    "data base_color highlight_color metadata _highlighted_uuids _highlighted_indices _n_vertices _properties "
    "groups group_names root_items root_order vertices triangles vertex_normals triangle_normals vertex_colors "
    "center centers radius radii height orientations _mesh positions _splines rbf grid direction".split()
)
STATE_KEYS = frozenset("_data data _models models _data_tree _models_tree shape metadata".split())
OLD_REPRESENTATIONS = {"pointcloud_normals": "normals"}  # by their name of today; to 1.0.7

# The keys of the containers in the state, of which every loader takes either, and of the order of their browsers.
CONTAINER_KEYS = {"clusters": ("_data", "data"), "models": ("_models", "models")}
TREE_KEYS = {"clusters": "_data_tree", "models": "_models_tree"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """How a release of Mosaic writes a session. The defaults are those of the newest.

    release: the name of the release or of several alike, as `Session.release` has it.
    version: what an indexed file of it says of the Mosaic that wrote it, if `release` is no version.
    package: the first part of the names of its modules.
    tree: module and class of the order of a browser, None before there was one.
    properties: the module of VertexPropertyContainer.
    meshes: the classes of meshes that it and all later releases know.
    opens_indexed: it opens files of the indexed layout too, not bare pickles alone.
    uuids: geometries have one.
    models: a geometry has an attribute for its model, which was in its meta before.
    representations: a geometry says how it is drawn.
    volume_representations: a volume is said to be drawn as a volume, and not as points.
    fractions: an isovalue percentile may be a fraction of 1.
    filled: normals are never None.
    segmentations: it knows SegmentationGeometry.
    segmentation_columns: a SegmentationGeometry has vertex properties and a model.
    resolutions: a volume has a target resolution.
    follows_normals: a volume without quaternions is turned along its normals.
    shape_in_metadata: the tomogram's shapes are in the state's `metadata`; before, each container had a `metadata`.
    flags: visibility is a truth value, and not 0 or 1.
    """

    release: str
    version: str
    package: str = PACKAGE
    tree: tuple[str, str] | None = (STATE, "TreeStateData")
    properties: str = RECORDS
    meshes: frozenset[str] = MESH_CLASSES - {"MarchingCubes"}
    opens_indexed: bool = True
    uuids: bool = True
    models: bool = True
    representations: bool = True
    volume_representations: bool = True
    fractions: bool = False
    filled: bool = False
    segmentations: bool = True
    segmentation_columns: bool = True
    resolutions: bool = True
    follows_normals: bool = False
    shape_in_metadata: bool = True
    flags: bool = True


# The newest first. Each row says how a release differs from the next one.
NEWEST = Spelling(release="1.3", version="1.3.2")
FROM_1_2_4 = replace(
    NEWEST, release="1.2.4", version="1.2.4", properties=PARSER, segmentation_columns=False, follows_normals=True,
    shape_in_metadata=False, flags=False,
)  # fmt: skip
FROM_1_1_0 = replace(FROM_1_2_4, release="1.1.0-1.2.3", tree=(WIDGET, "TreeStateData"), opens_indexed=False)
FROM_1_0_11 = replace(
    FROM_1_1_0, release="1.0.11-1.0.16", tree=(WIDGET, "TreeState"), models=False, segmentations=False,
    resolutions=False, filled=True,
)  # fmt: skip
FROM_1_0_0 = replace(
    FROM_1_0_11, release="1.0.0-1.0.10", tree=None, uuids=False, fractions=True, volume_representations=False
)
COLABSEG = replace(FROM_1_0_0, release="colabseg", package=OLD_PACKAGE, representations=False)
SPELLINGS = (NEWEST, FROM_1_2_4, FROM_1_1_0, FROM_1_0_11, FROM_1_0_0, COLABSEG)

# The spellings that a session can be saved in, the newest first. Each is read by its release and by all later ones.
TARGETS = {
    "1.3.2": NEWEST,
    "1.2.4": replace(FROM_1_2_4, tree=(WIDGET, "TreeStateData")),
    "1.1.1": replace(
        FROM_1_1_0,
        release="1.1.1",
        segmentations=False,
        meshes=NEWEST.meshes - {"BallPivoting", "AlphaShape", "ShrinkWrap"},
    ),
    "1.0.12": replace(FROM_1_0_11, release="1.0.12", models=True, meshes=frozenset({"TriangularMesh"})),
}


def recognise(state: Pairs) -> Spelling:
    """Tell which release writes states like this one."""
    keys = state.as_dict()
    if "metadata" in keys:
        return NEWEST
    if TREE_KEYS["clusters"] in keys:
        tree = keys[TREE_KEYS["clusters"]]
        place = (tree.cls.module, tree.cls.name) if type(tree) is ObjectNode else None
        if place is not None and place[1] == "TreeState":
            return FROM_1_0_11
        return FROM_1_2_4 if place is not None and place[0] == STATE else FROM_1_1_0
    for name in CONTAINER_KEYS:
        container = container_in(keys, name)
        geometries = container.fields().get("data") if type(container) is ObjectNode else None
        for geometry in geometries if type(geometries) is list else ():
            if type(geometry) is ObjectNode and type(geometry.state) is Pairs:
                return FROM_1_0_0 if "representation" in geometry.state.as_dict() else COLABSEG
    return FROM_1_0_0


def spelling_of(release: str) -> Spelling:
    """Return the spelling of the release that `Session.release` names; the newest one for an unknown release."""
    for spelling in (*SPELLINGS, *TARGETS.values()):
        if spelling.release == release:
            return spelling
    return FROM_1_2_4 if release.startswith("1.2") else NEWEST


def version_of(release: str) -> str:
    """Return what an indexed file of a session of this release says of the Mosaic that wrote it, such as "1.3.2"."""
    is_version = release.count(".") == 2 and release.replace(".", "").isdecimal()
    return release if is_version else spelling_of(release).version


# --- where things stand ----------------------------------------------------------------------------------------------


def container_in(keys: Mapping[str, Node], name: str) -> Node:
    """Return a container of a state. keys: of the state. name: "clusters" or "models"."""
    first, second = CONTAINER_KEYS[name]
    return keys.get(first, keys.get(second))


def shapes_in(keys: Mapping[str, Node]) -> Iterator[tuple[Node, Node]]:
    """Yield the shapes of the tomogram in voxels and in angstrom, from each place where a release may have them.

    keys: of the state. Since 1.3 they are in its `metadata`, before they were in its `shape`, and up to 1.2.4 also in
    the `metadata` of the containers.
    """
    containers = (container_in(keys, name) for name in CONTAINER_KEYS)
    parts = [container.fields().get("metadata") for container in containers if type(container) is ObjectNode]
    for part in (keys.get("metadata"), Pairs(["shape", keys.get("shape")]), *parts):
        if type(part) is Pairs:
            entries = part.as_dict()
            yield entries.get("shape"), entries.get("physical_shape")
