"""Objects that were made in Blender, as meshes, point clouds and curves -> new geometries."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import bpy

from ...session.new_nodes import new_geometry, new_mesh_model
from ...session.releases import Spelling
from ...session.session import Appearance
from ..data.attributes import NORMALS, QUATERNIONS
from ..data.checksums import checksum
from ..data.custom_properties import own_properties, plain_property
from ..outline.tree import name_of
from .changes import Kind
from .edited import MEANT_OTHERWISE, sampling_rate_of
from .edited_appearance import Drawn, display_color, shortest
from .edited_columns import new_columns_of
from .edited_shape import plain_matrix, refuse_other_widths
from .object_arrays import Source
from .piece import Piece


def newcomer(
    obj: bpy.types.Object,
    source: Source,
    container: str | None,
    drawn: Drawn,
    visible: bool,
    sampling_rate: Sequence[float],
    spelling: Spelling,
) -> Piece | None:
    """Make a new geometry of an object; None for an object without points.

    container: where to put it; None puts a mesh with faces among the models and anything else among the clusters.
    sampling_rate: angstrom a voxel, for an object without one of its own.
    """
    if not source.count:
        return None
    faces = source.face_count()
    container = container or ("models" if faces else "clusters")
    label, warnings = f"{container} {name_of(obj)!r}", list[str]()
    refuse_other_widths(source, label)
    columns = {name: source.stored(f"columns/{name}", values.dtype.str) for name, values in source.columns().items()}
    added = new_columns_of(source, warnings, label)
    columns |= added
    has_normals, has_quaternions = NORMALS in source.attributes(), QUATERNIONS in source.attributes()
    normals = source.stored("normals" if has_normals else "vertex_normals") if faces or has_normals else None
    model = None
    if faces:
        vertices, triangles = source.stored("vertices", "<f8"), source.stored("triangles", "<i4")
        model = new_mesh_model(vertices, triangles, source.stored("vertex_normals", "<f8"), spelling)
    own_rate = sampling_rate_of(obj, label, warnings)
    rate = sampling_rate if own_rate is None else own_rate
    meta = _meta(obj, label, warnings)
    appearance, representation = _appearance(drawn, faces > 0), _representation(drawn, faces > 0)
    node = new_geometry(
        spelling,
        name=name_of(obj),
        container=container,
        points=source.stored("points"),
        sampling_rate=rate,
        appearance=appearance,
        representation=representation,
        visible=visible,
        normals=normals,
        quaternions=source.stored("quaternions") if has_quaternions else None,
        columns=columns,
        count=source.count,
        model=model,
        meta=meta,
    )
    piece = Piece(obj, node, source, container, None, None, warnings=warnings)
    sums = [source.points_checksum(), source.faces_checksum(), source.column_checksums()]
    added_sums = {name: checksum(values) for name, values in added.items()}
    matrix = None if source.matrix is None else plain_matrix(source.matrix)
    shown = [asdict(appearance), representation, visible]
    piece.edits[Kind.NEW] = source.count, faces, matrix, sums, list(columns), added_sums, meta, list(rate), shown
    return piece


def _meta(obj: bpy.types.Object, label: str, warnings: list[str]) -> dict[str, Any]:
    """Return the custom properties that become meta, and warn of those that cannot."""
    properties = {key: plain_property(value) for key, value in own_properties(obj).items()}
    warnings += [
        f"{label}: the custom property {key!r} is left out, as {why}."
        for key, why in MEANT_OTHERWISE.items()
        if key in properties
    ]
    return {key: value for key, value in properties.items() if value is not None and key not in MEANT_OTHERWISE}


def _appearance(drawn: Drawn, mesh: bool) -> Appearance:
    """Return the appearance that is drawn, with Mosaic's defaults for the rest. mesh: the geometry has faces."""
    appearance = Appearance(size=2 if mesh else 8)
    if drawn.size is not None:
        appearance.size = shortest(drawn.size)
    if drawn.spheres is not None:
        appearance.render_spheres = drawn.spheres
    if drawn.numbers is not None:
        if None not in drawn.numbers[:3]:
            appearance.base_color = display_color(drawn.numbers)
        for key, value in zip(("opacity", "ambient", "diffuse", "specular"), drawn.numbers[3:], strict=False):
            if value is not None:
                setattr(appearance, key, shortest(value))
    return appearance


def _representation(drawn: Drawn, mesh: bool) -> str:
    """Return the representation that is drawn, or the usual one. mesh: the geometry has faces."""
    if drawn.representation in ("pointcloud", "gaussian_density", "normals", "basis"):
        return drawn.representation
    if mesh:
        return drawn.representation if drawn.representation in ("mesh", "wireframe") else "surface"
    return "pointcloud"
