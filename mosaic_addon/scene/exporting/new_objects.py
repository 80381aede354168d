"""What was made in Blender -> new geometries: meshes, point clouds and curves without a session behind them."""

from collections.abc import Sequence
from dataclasses import asdict

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
from .edited_columns import new_columns_of
from .edited_look import Look, display_color, shortest
from .edited_shape import plain_matrix, refuse_other_widths
from .object_arrays import Source
from .piece import Piece


def newcomer(
    obj: bpy.types.Object,
    source: Source,
    container: str | None,
    look: Look,
    visible: bool,
    sampling_rate: Sequence[float],
    spelling: Spelling,
) -> Piece | None:
    """An object as a geometry: a mesh with faces is a model, anything else a cluster, unless its collection says so.

    sampling_rate: angstrom a voxel, unless the object has one. None for an object without points.
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
    own_rate = sampling_rate_of(obj, label)
    rate = sampling_rate if own_rate is None else own_rate
    properties = {key: plain_property(value) for key, value in own_properties(obj).items()}
    meta = {key: value for key, value in properties.items() if value is not None and key not in MEANT_OTHERWISE}
    warnings += [
        f"{label}: the custom property {key!r} is left out, as {why}."
        for key, why in MEANT_OTHERWISE.items()
        if key in properties
    ]
    appearance, representation = _appearance(look, faces > 0), _representation(look, faces > 0)
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
    looks = [asdict(appearance), representation, visible]
    piece.edits[Kind.NEW] = source.count, faces, matrix, sums, list(columns), added_sums, meta, list(rate), looks
    return piece


def _appearance(look: Look, mesh: bool) -> Appearance:
    appearance = Appearance(size=2 if mesh else 8)
    if look.size is not None:
        appearance.size = shortest(look.size)
    if look.spheres is not None:
        appearance.render_spheres = look.spheres
    if look.numbers is not None:
        appearance.base_color = display_color(look.numbers)
        for key, value in zip(("opacity", "ambient", "diffuse", "specular"), look.numbers[3:], strict=False):
            setattr(appearance, key, shortest(value))
    return appearance


def _representation(look: Look, mesh: bool) -> str:
    if look.representation in ("pointcloud", "gaussian_density", "normals", "basis"):
        return look.representation
    if mesh:
        return look.representation if look.representation in ("mesh", "wireframe") else "surface"
    return "pointcloud"
