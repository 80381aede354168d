"""What differs between releases of Mosaic: the one place that a new release touches.

A session does not say which release wrote it. `recognise` tells it from what the state holds, and a `Spelling` says how that
release writes, so that an edited session stays one that the release reads. The differences were measured on sessions that
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
    "TriangularMesh ConvexHull FairHull ClusteredBallPivotingMesh MarchingCubes BallPivoting AlphaShape ShrinkWrap FlyingEdges "
    "PoissonMesh".split()
)
OLD_REPRESENTATIONS = {"pointcloud_normals": "normals"}  # by their name of today; to 1.0.7

# Where the state has its containers and the order of their browsers. Every loader takes either key of a container.
CONTAINER_KEYS = {"clusters": ("_data", "data"), "models": ("_models", "models")}
TREE_KEYS = {"clusters": "_data_tree", "models": "_models_tree"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """How a release of Mosaic writes a session. The defaults are those of the newest.

    release: what a session of it is said to be. version: what an indexed file of it says, where it is not a release itself.
    package: the first part of its modules' names. tree: module and class of the browser's order, None before there was one.
    properties: module of VertexPropertyContainer. meshes: the classes of meshes that it and all later releases know.
    opens_indexed: it opens files of the indexed layout, not bare pickles alone.
    uuids: geometries have one. models: a geometry has an attribute for its model, which stood in its meta before.
    representations: a geometry says how it is shown. volume_representations: a volume says that it is shown as one.
    fractions: an isovalue percentile may be a fraction, up to 1. filled: normals are never None.
    segmentations: it knows SegmentationGeometry. segmentation_columns: which has vertex properties and a model.
    resolutions: it knows a volume's target resolution. follows_normals: a volume without quaternions stands along its normals.
    shape_in_metadata: the tomogram's shape stands in the state's `metadata`, with its physical one; before, the state had
    `shape`, and each container a `metadata`. flags: visibility is a truth value, 0 or 1 before.
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


# The newest first; each says what differs from the one after it.
NEWEST = Spelling(release="1.3", version="1.3.2")
FROM_1_2_4 = replace(
    NEWEST, release="1.2.4", version="1.2.4", properties=PARSER, segmentation_columns=False, follows_normals=True,
    shape_in_metadata=False, flags=False,
)  # fmt: skip
FROM_1_1_0 = replace(FROM_1_2_4, release="1.1.0-1.2.3", tree=(WIDGET, "TreeStateData"), opens_indexed=False)
FROM_1_0_11 = replace(
    FROM_1_1_0, release="1.0.11-1.0.16", tree=(WIDGET, "TreeState"), models=False, segmentations=False, resolutions=False,
    filled=True,
)  # fmt: skip
FROM_1_0_0 = replace(
    FROM_1_0_11, release="1.0.0-1.0.10", tree=None, uuids=False, fractions=True, volume_representations=False
)
COLABSEG = replace(FROM_1_0_0, release="colabseg", package=OLD_PACKAGE, representations=False)
SPELLINGS = (NEWEST, FROM_1_2_4, FROM_1_1_0, FROM_1_0_11, FROM_1_0_0, COLABSEG)

# What other releases can be asked for, the newest first: each is read by itself and by all later ones.
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
    """The release that writes a state like this one."""
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
    """How the release of a session, as `Session.release` says it, writes one; the newest way for an unknown one."""
    for spelling in (*SPELLINGS, *TARGETS.values()):
        if spelling.release == release:
            return spelling
    return FROM_1_2_4 if release.startswith("1.2") else NEWEST


def version_of(release: str) -> str:
    """What an indexed file of a session of this release says of the Mosaic that wrote it: three numbers."""
    is_version = release.count(".") == 2 and release.replace(".", "").isdecimal()
    return release if is_version else spelling_of(release).version


# --- where things stand ----------------------------------------------------------------------------------------------


def container_in(keys: Mapping[str, Node], name: str) -> Node:
    """The container "clusters" or "models" of a state with these keys."""
    first, second = CONTAINER_KEYS[name]
    return keys.get(first, keys.get(second))


def shapes_in(keys: Mapping[str, Node]) -> Iterator[tuple[Node, Node]]:
    """The tomogram's shapes in a state with these keys, in voxels and in angstrom, from where any release has them.

    They stand in `metadata` since 1.3, at the top before; to 1.2.4 also in the metadata of the containers.
    """
    containers = (container_in(keys, name) for name in CONTAINER_KEYS)
    parts = [container.fields().get("metadata") for container in containers if type(container) is ObjectNode]
    for part in (keys.get("metadata"), Pairs(["shape", keys.get("shape")]), *parts):
        if type(part) is Pairs:
            entries = part.as_dict()
            yield entries.get("shape"), entries.get("physical_shape")
