"""Surfaces of volumes, segmentations and parametric models.

Each is an object of its own in no scene, to which the Geometry Nodes of the geometry's object refer. The values of a
volume are kept with its surface, so that it can be contoured anew without the session's file.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from math import prod
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ...session.errors import MosaicError
from ...session.session import (
    DEFAULT_RESOLUTION,
    RBF,
    Cylinder,
    Ellipsoid,
    Geometry,
    Model,
    Sphere,
    SplineCurve,
    Volume,
)
from ..data.custom_properties import has
from ..data.meshes import fill_faces, fill_mesh
from ..keys import DTYPE, PERCENTILE, RESOLUTION, SHAPE, SPACING, VALUES
from ..readers import number_dtype
from ..shapes import isosurface, parametric, voxels
from .parts import new_surface
from .representations import VIEW_SURFACE, VOLUME, group_of, input_of

CYLINDER_SIDES = 64
THREADS = 2  # that compute surfaces; more need more memory at once
MANY_FACES = 200_000  # a surface of more faces has a coarser one for views, of at most so many where that can be
COARSEST = 5  # voxels along an edge of one of a coarser surface's
AHEAD = 3  # surfaces that are computed before they are asked for
PATIENCE = 0.02  # seconds between two looks whether a surface is there


_Computed = tuple[isosurface.Surface | voxels.VoxelSurface, voxels.VoxelSurface | None]  # all of it; for views


class SurfaceFactory:
    """Makes the surfaces of an import. Geometries that show one volume alike share its surface.

    Those of volumes and segmentations are computed in other threads, which do not touch Blender, while it is busy with
    other data. A context manager, which computes none any more after its end.
    """

    def __init__(self, geometries: Iterable[Geometry]) -> None:
        """Begin with the surfaces of geometries in the order in which they will be asked for."""
        self._of_volumes: dict[tuple[object, ...], tuple[bpy.types.Object, str]] = {}
        self._threads = ThreadPoolExecutor(THREADS, "Mosaic surfaces")
        computed = {_key(geometry): geometry for geometry in geometries if _is_computed(geometry)}
        self._to_come = iter(computed.items())
        self._coming: dict[tuple[object, ...], Future[_Computed]] = {}
        for _ in range(AHEAD):
            self._begin_next()

    def __enter__(self) -> "SurfaceFactory":
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _begin_next(self) -> None:
        key, geometry = next(self._to_come, (None, None))
        if key is not None and geometry is not None:
            self._coming[key] = self._threads.submit(_compute, geometry)

    def wait_for(self, geometry: Geometry) -> Iterator[None]:
        """Yield now and then until the surface of a geometry is computed, if it has to be."""
        coming = self._coming.get(_key(geometry))
        while coming is not None and not wait([coming], PATIENCE).done:
            yield

    def _take(self, geometry: Geometry) -> _Computed:
        coming = self._coming.pop(_key(geometry), None)
        self._begin_next()
        return _compute(geometry) if coming is None else coming.result()

    def new(self, name: str, geometry: Geometry) -> tuple[dict[str, bpy.types.Object], str]:
        """Make the objects that hold a geometry's surface, by the inputs of its modifier; none where it has none.

        Returns a sentence as well why there is none or an empty one, "" where there is a surface.
        """
        if geometry.volume is not None:
            surface, reason = self._of_volume(name, geometry, geometry.volume)
            return {"Surface": surface}, reason
        if geometry.kind == "segmentation":
            whole, coarse = self._take(geometry)
            made = {"Surface": _surface_object(name, whole)}
            if coarse is not None:
                made[VIEW_SURFACE] = _surface_object(f"{name} in Views", coarse)
            return made, whole.reason
        try:
            return {"Surface": _model_object(name, geometry.model)}, ""
        except ValueError as error:
            return {}, str(error)

    def _of_volume(self, name: str, geometry: Geometry, volume: Volume) -> tuple[bpy.types.Object, str]:
        key = _key(geometry)
        if key in self._of_volumes:
            return self._of_volumes[key]
        surface, _ = self._take(geometry)
        mesh = _filled_mesh(name, surface)
        VALUES.write(mesh, _as_numbers(volume.values))
        mesh[DTYPE] = volume.values.dtype.str
        mesh[SHAPE] = list(volume.values.shape)
        mesh[SPACING] = [float(length) for length in volume.sampling_rate]
        mesh[RESOLUTION] = _resolution(volume)
        if geometry.appearance.isovalue_percentile is not None:
            mesh[PERCENTILE] = geometry.appearance.isovalue_percentile
        self._of_volumes[key] = (new_surface(name, mesh), surface.reason)
        return self._of_volumes[key]


def _is_computed(geometry: Geometry) -> bool:
    """Whether a geometry's surface takes time: those of models do not."""
    return geometry.volume is not None or geometry.kind == "segmentation"


def _key(geometry: Geometry) -> tuple[object, ...]:
    """What is the same for geometries that share a surface."""
    volume = geometry.volume
    if volume is None:
        return (id(geometry),)
    percentile = geometry.appearance.isovalue_percentile
    return (id(volume.values), *volume.sampling_rate.tolist(), percentile, _resolution(volume))


def _compute(geometry: Geometry) -> _Computed:
    """Compute the surface of a volume or segmentation, without Blender."""
    volume = geometry.volume
    if volume is None:
        points, rate = geometry.points, geometry.sampling_rate
        whole = voxels.voxel_surface(points, rate)
        return whole, _coarser(whole, lambda times: voxels.voxel_surface(points, rate, times))
    percentile = geometry.appearance.isovalue_percentile
    return _contour(volume.values, volume.sampling_rate, percentile, _resolution(volume)), None


def _coarser(
    whole: voxels.VoxelSurface, surface_of: Callable[[int], voxels.VoxelSurface]
) -> voxels.VoxelSurface | None:
    """The surface that views draw instead of a large one; None for one that they can draw.

    surface_of: makes one of voxels that are so many times larger.
    """
    if len(whole.faces.starts) <= MANY_FACES:
        return None
    coarse = whole
    for times in range(2, COARSEST + 1):
        coarse = surface_of(times)
        if len(coarse.faces.starts) <= MANY_FACES:
            break
    return coarse


def _resolution(volume: Volume) -> float:
    return DEFAULT_RESOLUTION if volume.target_resolution is None else volume.target_resolution


def volume_mesh(obj: bpy.types.Object) -> bpy.types.Mesh | None:
    """Return the mesh with the surface and the values of the volume that an object shows; None if it shows none."""
    mesh = _mesh_of(obj)
    return mesh if mesh is not None and _layout_of(mesh) is not None else None


def is_damaged(obj: bpy.types.Object) -> bool:
    """Tell whether the values of the volume that an object shows do not fit together, so that there is none."""
    mesh = _mesh_of(obj)
    return mesh is not None and _layout_of(mesh) is None


def shown_at(mesh: bpy.types.Mesh) -> tuple[float | None, float]:
    """Return the isovalue percentile of a volume's surface, None for Mosaic's choice, and its target resolution."""
    resolution = RESOLUTION.read(mesh)
    return PERCENTILE.read(mesh), DEFAULT_RESOLUTION if resolution is None else resolution


def volume_values(mesh: bpy.types.Mesh) -> NDArray[Any]:
    """Return a copy of the values of a volume, (x, y, z).

    mesh: holds them beside the volume's surface. Raises MosaicError where they do not fit together.
    """
    layout = _layout_of(mesh)
    if layout is None:
        raise MosaicError(f"{mesh.name!r} keeps damaged values of a volume; delete the object that shows it.")
    shape, dtype = layout
    numbers: Any = VALUES.read(mesh)
    return np.frombuffer(memoryview(numbers).cast("B"), dtype, prod(shape)).reshape(shape).copy()


def _mesh_of(obj: bpy.types.Object) -> bpy.types.Mesh | None:
    """The mesh with a volume's values that an object shows, whatever these are."""
    surface = input_of(obj, "Surface") if group_of(obj) == VOLUME else None
    mesh = None if surface is None else surface.data
    return mesh if isinstance(mesh, bpy.types.Mesh) and has(mesh, VALUES) else None


def _layout_of(mesh: bpy.types.Mesh) -> tuple[tuple[int, int, int], np.dtype[Any]] | None:
    """The shape and dtype of a volume's values; None where these, their number and the spacing do not fit together."""
    values, code, shape = VALUES.read(mesh), DTYPE.read(mesh), SHAPE.read(mesh)
    dtype = None if code is None else number_dtype(code)
    if values is None or dtype is None or shape is None or SPACING.read(mesh) is None:
        return None
    spare = 4 * len(values) - prod(shape) * dtype.itemsize
    return (shape, dtype) if 0 <= spare < 4 else None


def _as_numbers(values: NDArray[Any]) -> NDArray[np.int32]:
    """The bytes of an array in C order, filled up to a multiple of 4, as numbers that a custom property holds."""
    data = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
    spare = -len(data) % 4
    return (np.concatenate([data, np.zeros(spare, np.uint8)]) if spare else data).view(np.int32)


def contour_again(mesh: bpy.types.Mesh, percentile: float | None, resolution: float) -> None:
    """Show a volume at another isovalue or resolution.

    mesh: holds the surface and the values of the volume. percentile: of the values, 0 to 100; None for Mosaic's
    choice. resolution: that the volume is smoothed to, in angstrom. Raises MosaicError where there is no surface; the
    old one stays.
    """
    old = shown_at(mesh)
    values, spacing = volume_values(mesh), np.array(SPACING.read(mesh))
    _set(mesh, percentile, resolution)
    surface = _contour(values, spacing, *shown_at(mesh))
    if surface.reason:
        _set(mesh, *old)
        raise MosaicError(f"The volume has no surface there. {surface.reason}")
    fill_mesh(mesh, surface.vertices, surface.triangles, surface.normals)


def _set(mesh: bpy.types.Mesh, percentile: float | None, resolution: float) -> None:
    mesh[RESOLUTION] = float(resolution)
    if percentile is not None:
        mesh[PERCENTILE] = float(percentile)
    elif has(mesh, PERCENTILE):
        del mesh[PERCENTILE]


def _contour(
    values: NDArray[np.generic], spacing: NDArray[Any], percentile: float | None, resolution: float
) -> isosurface.Surface:
    # Mosaic computes with the spacing's own precision, single in every session.
    return isosurface.volume_surface(values, spacing.astype(np.float32), percentile, resolution)


def _surface_object(name: str, surface: isosurface.Surface | voxels.VoxelSurface) -> bpy.types.Object:
    return new_surface(name, _filled_mesh(name, surface))


def _filled_mesh(name: str, surface: isosurface.Surface | voxels.VoxelSurface) -> bpy.types.Mesh:
    mesh = _new_mesh(name)
    if isinstance(surface, voxels.VoxelSurface):
        fill_faces(mesh, surface.vertices, *surface.faces)
    else:
        fill_mesh(mesh, surface.vertices, surface.triangles, surface.normals)
    return mesh


def _new_mesh(name: str) -> bpy.types.Mesh:
    mesh = bpy.data.meshes.new(name)
    mesh.materials.append(None)  # the slot that the material of the geometry's object fills
    return mesh


def _model_object(name: str, model: Model | None) -> bpy.types.Object:
    """Make an object of the true shape of a parametric model. Raises ValueError where its numbers make none."""
    if isinstance(model, Sphere):
        return _surface_object(name, parametric.sphere(model.radius, model.center))
    if isinstance(model, Ellipsoid):
        return _surface_object(name, parametric.ellipsoid(model.radii, model.center, model.orientations))
    if isinstance(model, Cylinder):
        shape = parametric.cylinder(model.radius, model.height, model.centers, model.orientations, CYLINDER_SIDES)
        obj = _surface_object(name, shape)
        caps = np.arange(len(shape.triangles)) >= 2 * CYLINDER_SIDES  # the sides come first
        sharp = obj.data.attributes.new("sharp_face", "BOOLEAN", "FACE")
        sharp.data.foreach_set("value", caps)
        return obj
    if isinstance(model, RBF):
        sheet = parametric.rbf_sheet(model.xi, model.nodes, model.epsilon, model.function, model.grid, model.direction)
        return _surface_object(name, sheet)
    if isinstance(model, SplineCurve):
        return _curve_object(name, model)
    raise ValueError("Its model has no surface.")


def _curve_object(name: str, model: SplineCurve) -> bpy.types.Object:
    splines = [
        (spline.knots, spline.coefficients, spline.degree)
        if spline.kind == "bspline"
        else (spline.coefficients, spline.knots)
        for spline in model.splines
    ]
    points = parametric.spline_curve(splines)
    curve = bpy.data.curves.new(name, "CURVE")
    curve.dimensions = "3D"
    line = curve.splines.new("POLY")
    line.points.add(len(points) - 1)
    line.points.foreach_set("co", np.column_stack([points, np.ones(len(points))]).astype(np.float32).reshape(-1))
    return new_surface(name, curve)
