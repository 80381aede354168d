"""Session -> Blender: collections, a root, and an object for each geometry; all of it or, if it fails, nothing."""

import os
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from uuid import uuid4

import bpy
import numpy as np
from numpy.typing import NDArray

from ...session.errors import MosaicError
from ...session.file import FileReadError
from ...session.releases import recognise
from ...session.session import Container, Geometry, Group, Mesh, Session
from ..compat import MAX_NAME_BYTES, PointCloudFactory
from ..data.attributes import NORMALS, QUATERNIONS, fill, write_attribute
from ..data.custom_properties import clean_text, meta_properties
from ..data.exact_bits import write_bits
from ..data.meshes import new_mesh, write_original
from ..data.vertex_properties import note_columns, share_all_texts, write_columns
from ..drawing.coloring import write_vertex_colors
from ..drawing.materials import MaterialFactory
from ..drawing.representations import (
    FIT,
    MESH,
    POINTS,
    SEGMENTATION,
    TRAJECTORY,
    VIEW_SURFACE,
    VOLUME,
    RepresentationFactory,
)
from ..drawing.surfaces import SurfaceFactory
from ..drawing.trajectories import new_frames, saved_frame
from ..keys import (
    ANGSTROM_PER_UNIT,
    CLASS,
    CONTAINER,
    GROUP,
    MODEL,
    NAME,
    OVERRIDE_PLACE,
    PIXEL_SIZE,
    PLAYS,
    RECORD,
    SAMPLING_RATE,
    SESSION,
    SHOWN,
    SHOWS,
    TOMOGRAM_SIZE,
    UUID,
)
from ..outline.tree import Item as TreeItem
from ..outline.tree import write_order
from ..record import Keeper, Record, held_arrays, points_are_vertices, record_of
from .options import ImportOptions
from .plan import Item, Plan, plan_import

COARSE_AMOUNT = 0.5  # Viewport Amount of a coarse surface whose points would all be drawn
MANY = 200_000  # points of an object after which progress is reported at once

Progress = Callable[[float], None]


@dataclass(slots=True)
class Imported:
    """The outcome of an import: the session's collection, root, objects in Mosaic's order, and warnings."""

    collection: bpy.types.Collection
    root: bpy.types.Object
    objects: list[bpy.types.Object]
    warnings: list[str]


def build_session(
    session: Session,
    scene: bpy.types.Scene,
    options: ImportOptions | None = None,
    *,
    unlimited: bool = False,
    keep: bool = True,
    progress: Progress = lambda fraction: None,
) -> Imported:
    """Make a session's collections and objects and link them into a scene.

    unlimited: import a session of any size. keep: False drops each array of the session as soon as Blender has it, so
    that none is held twice; the session is of no use afterwards. progress: called with fractions from 0 to 1. Raises
    MosaicError, before anything is made, for a session that is too large and for options that make no sense. If
    anything else fails half-way, what was made is removed again.
    """
    steps = build_steps(session, scene, options, unlimited=unlimited, keep=keep)
    while True:
        try:
            progress(next(steps))
        except StopIteration as end:
            return end.value


def build_steps(
    session: Session,
    scene: bpy.types.Scene,
    options: ImportOptions | None = None,
    *,
    unlimited: bool = False,
    keep: bool = True,
) -> Generator[float, None, Imported]:
    """Make a session's collections and objects in steps, to do other work in between. Yields fractions from 0 to 1.

    unlimited: import a session of any size. keep: False drops each array of the session as soon as Blender has it.
    Raises MosaicError, before anything is made, for a session that is too large and for options that make no sense. If
    anything else fails, or the generator is closed before its end, what was made is removed again.
    """
    try:
        plan = plan_import(session, options or ImportOptions(), bpy.data.objects.keys(), MAX_NAME_BYTES, unlimited)
        kept = pack_records(plan, scene)
        yield 0.0
        if not keep:
            _let_go_of_nodes(session)
        with all_or_nothing():
            return (yield from _build(plan, kept, scene, keep))
    except FileReadError as error:
        raise MosaicError(f"{session.path} {error}") from error


@contextmanager
def all_or_nothing() -> Iterator[None]:
    """Remove all datablocks that were made inside if the block fails."""
    kinds: list[Any] = [
        bpy.data.objects, bpy.data.meshes, bpy.data.pointclouds, bpy.data.materials, bpy.data.collections,
        bpy.data.node_groups, bpy.data.scenes, bpy.data.curves,
    ]  # fmt: skip
    before = {datablock.session_uid for kind in kinds for datablock in kind}
    try:
        yield
    except BaseException:
        bpy.data.batch_remove(
            [datablock for kind in kinds for datablock in kind if datablock.session_uid not in before]
        )
        raise


def _let_go_of_nodes(session: Session) -> None:
    """Drop the nodes that a session was read from, which hold all of its arrays."""
    session.state = None
    for container in (session.clusters, session.models):
        container.node = None
        container.damaged = []
        for geometry in container.geometries:
            geometry.node = None


def pack_records(
    plan: Plan,
    scene: bpy.types.Scene,
    given: Mapping[int, Record] = MappingProxyType({}),
    left_out: Collection[int] = (),
    steps: Mapping[int, int] = MappingProxyType({}),
) -> dict[int, NDArray[np.int32]]:
    """Return the records of the session and of each geometry, as numbers, by the id() of these.

    given: records by the id() of geometries, or of whatever else is to have one. left_out: the id() of geometries that
    get none, of which the session's own says nothing. steps: the frames that trajectories show, by their id(), where
    that is known. Raises MosaicError when all of them together are out of proportion to the file.
    """
    session = plan.session
    if session.state is None:
        return {}
    fractions = recognise(session.state).fractions
    first = next((item.geometry for item in plan.items if item.group == TRAJECTORY), None)
    keeper = Keeper(session)
    try:
        kept = {id(session): keeper.pack_session(left_out)}
        kept |= {number: keeper.pack(record, {}) for number, record in given.items()}
        with np.errstate(all="ignore"):
            for item in plan.items:
                geometry = item.geometry
                if id(geometry) in kept or id(geometry) in left_out:
                    continue
                shown = _frame_shown(geometry, first, scene) if item.group == TRAJECTORY else 0
                shown = steps.get(id(geometry), shown)
                record = record_of(geometry, session.release, fractions, item.representation, shown)
                kept[id(geometry)] = keeper.pack(record, held_arrays(geometry))
    except MosaicError as error:
        raise MosaicError(f"{session.path} {error}") from error
    return kept


def _build(
    plan: Plan, kept: dict[int, NDArray[np.int32]], scene: bpy.types.Scene, keep: bool
) -> Generator[float, None, Imported]:
    """Make all that is planned. kept: the records of the session and its geometries, by their id()."""
    root = _new_root(plan)
    objects = yield from new_objects(plan, plan.items, kept, root, keep)
    collection = bpy.data.collections.new(plan.name)
    collection[SESSION] = session_properties(plan.session)
    note_size(collection, plan.session)
    collection[OVERRIDE_PLACE] = ""
    collection.property_overridable_library_set(f'["{OVERRIDE_PLACE}"]', True)
    if kept:
        RECORD.write(collection, kept.pop(id(plan.session)))
    collection.objects.link(root)
    shown: list[bpy.types.Object] = []
    for container in (plan.session.clusters, plan.session.models):
        collection.children.link(_fill_container(container, objects, shown))
    scene.collection.children.link(collection)
    _set_frames(scene, [item.geometry for item in plan.items if item.group == TRAJECTORY])
    hide(scene, [objects[id(item.geometry)] for item in plan.items if not item.geometry.visible])
    return Imported(collection, root, shown, plan.warnings)


def new_objects(
    plan: Plan, items: Sequence[Item], kept: dict[int, NDArray[np.int32]], root: bpy.types.Object, keep: bool
) -> Generator[float, None, dict[int, bpy.types.Object]]:
    """Make the objects of some of the items of a plan, in no collection. Yields fractions from 0 to 1.

    kept: the records of the geometries, by their id(). root: the parent of the objects. keep: False drops each array of
    a geometry once it is stored. Returns the objects by the id() of their geometries.
    """
    # Blender walks its lists of datablocks, which are sorted by name. If all materials are made first, then all data,
    # then all objects, in the order of their names, the twenty-thousandth costs hardly more than the first.
    ordered = sorted(items, key=lambda item: item.name.lower())
    with SurfaceFactory(item.geometry for item in ordered) as shapes:
        return (yield from _new_objects(plan, ordered, kept, root, keep, shapes))


def _new_objects(
    plan: Plan,
    ordered: Sequence[Item],
    kept: dict[int, NDArray[np.int32]],
    root: bpy.types.Object,
    keep: bool,
    shapes: SurfaceFactory,
) -> Generator[float, None, dict[int, bpy.types.Object]]:
    factory = MaterialFactory(len(ordered))
    materials = [factory.new(item.name, item.geometry.appearance) for item in ordered]
    made = {}
    with PointCloudFactory() as clouds:
        for number, item in enumerate(ordered):
            data, warnings = _new_data(item, clouds, keep or item.group != POINTS)
            plan.warnings += warnings
            made[id(item)] = (data, materials[number])
            if number % 64 == 0 or len(item.geometry.points) > MANY:
                yield 0.8 * number / len(ordered)
    share_all_texts(data for data, _ in made.values())
    draw = RepresentationFactory()
    objects = {}
    for number, item in enumerate(ordered):
        obj = objects[id(item.geometry)] = _new_object(item, *made[id(item)], root)
        if kept:
            RECORD.write(obj, kept.pop(id(item.geometry)))
        for _ in shapes.wait_for(item.geometry):
            yield 0.8 + 0.2 * number / len(ordered)
        parts = _new_parts(item, shapes, plan.warnings)
        if item.group in (VOLUME, TRAJECTORY):
            for part in parts.values():
                _mark_as_its_own(obj, part)
        draw.add(obj, item.group, item.representation, item.inputs | parts)
        if number % 256 == 0 or item.group in (VOLUME, SEGMENTATION):
            yield 0.8 + 0.2 * number / len(ordered)
    note_columns(objects.values())
    return objects


def hide(scene: bpy.types.Scene, objects: Iterable[bpy.types.Object]) -> None:
    """Close the eyes of objects in all view layers of a scene."""
    for layer in scene.view_layers:
        for obj in objects:
            obj.hide_set(True, view_layer=layer)


def _set_frames(scene: bpy.types.Scene, trajectories: list[Geometry]) -> None:
    """Let the scene play the longest trajectory, and go to the frame at which the first one was saved.

    In a .blend that has an animation, or another trajectory, the scene is only made longer.
    """
    if not trajectories:
        return
    longest = max(len(geometry.frames or ()) for geometry in trajectories)
    if _has_frames_of_its_own(scene):
        scene.frame_end = max(scene.frame_end, longest)
        return
    scene[PLAYS] = True
    scene.frame_start, scene.frame_end = 1, longest
    scene.frame_current = 1 + saved_frame(trajectories[0])  # frame_set would evaluate the scene at once


def _has_frames_of_its_own(scene: bpy.types.Scene) -> bool:
    """Whether the frames of a scene were set by an animation of the .blend, or an earlier trajectory."""
    return bool(bpy.data.actions or PLAYS.read(scene))


def _frame_shown(geometry: Geometry, first: Geometry | None, scene: bpy.types.Scene) -> int:
    """The number of the frame that a trajectory will show after the import. first: of all trajectories."""
    number = scene.frame_current - 1
    if first is not None and not _has_frames_of_its_own(scene):
        number = saved_frame(first)
    return min(max(number, 0), len(geometry.frames or ()) - 1)


def _new_root(plan: Plan) -> bpy.types.Object:
    """Make the parent of all objects, an empty. It carries scale and recentring, they carry the session's numbers."""
    root = bpy.data.objects.new(plan.name, None)
    scale = 1 / plan.options.angstrom_per_unit
    root.scale = (scale, scale, scale)
    if plan.options.recentre:
        root.location = (-plan.centre * scale).tolist()
    root.empty_display_size = float(np.max(plan.upper - plan.lower)) / 20 or 1.0
    root[PIXEL_SIZE] = plan.pixel_size
    root[ANGSTROM_PER_UNIT] = plan.options.angstrom_per_unit
    return root


def _new_data(
    item: Item, clouds: PointCloudFactory, keep: bool
) -> tuple[bpy.types.Mesh | bpy.types.PointCloud, list[str]]:
    """Make the mesh or point cloud of a geometry. Returns it and warnings for the user.

    keep: False drops each array of the geometry once it is stored.
    """
    geometry = item.geometry
    count = len(geometry.points)
    data: Any
    if item.group in (MESH, TRAJECTORY) and points_are_vertices(geometry):
        assert isinstance(geometry.model, Mesh)
        normals = geometry.normals if geometry.normals is not None else geometry.model.vertex_normals
        data = new_mesh(item.name, geometry.points, geometry.model.triangles, normals)
        if geometry.model.vertex_colors is not None and count:
            write_vertex_colors(data, geometry.model.vertex_colors)
        if count:
            write_original(data, geometry.model, geometry.points, geometry.normals)
    else:
        data = clouds.new(item.name, count, lambda items: fill(items, "FLOAT_VECTOR", geometry.points))
    if geometry.points.dtype != np.float32:
        write_bits(data, "points", geometry.points)
    if not keep:
        geometry.points = np.empty((0, 3), np.float32)
    if geometry.normals is not None and count:
        write_attribute(data, NORMALS, "FLOAT_VECTOR", geometry.normals)
        if geometry.normals.dtype != np.float32:
            write_bits(data, NORMALS, geometry.normals)
    if not keep:
        geometry.normals = None
    if geometry.quaternions is not None and count:
        write_attribute(data, QUATERNIONS, "QUATERNION", geometry.quaternions)
        if geometry.quaternions.dtype != np.float32:
            write_bits(data, QUATERNIONS, geometry.quaternions)
    if not keep:
        geometry.quaternions = None
    refused = write_columns(data, geometry.vertex_properties)
    if not keep:
        geometry.vertex_properties = {}
    data.materials.append(None)  # the slot that the object fills
    return data, [
        f"{geometry.container} {geometry.name!r}: Blender has no attribute for its vertex property {name!r}."
        for name in refused
    ]


def _new_parts(item: Item, shapes: SurfaceFactory, warnings: list[str]) -> dict[str, Any]:
    """Make the surface or the frames that a geometry is drawn by. Returns them as inputs of its modifier."""
    geometry = item.geometry
    if item.group == TRAJECTORY:
        return {"Frames": new_frames(item.name, geometry.frames or [])}
    if item.group in (VOLUME, SEGMENTATION, FIT):
        surfaces, reason = shapes.new(f"{item.name[:50]} Surface", geometry)
        if reason:
            warnings.append(f"{geometry.container} {geometry.name!r}: has no surface to show. {reason}")
        if VIEW_SURFACE in surfaces:
            item.inputs.setdefault("Viewport Amount", COARSE_AMOUNT)
        return surfaces
    return {}


def _mark_as_its_own(obj: bpy.types.Object, part: bpy.types.Object | bpy.types.Collection) -> None:
    """Give an object and its volume or frames the same text, so that saving sees when others are shown instead."""
    holder = part if isinstance(part, bpy.types.Collection) else part.data
    assert holder is not None
    text = SHOWS.read(holder)  # several objects may show one volume
    if text is None:
        text = holder[SHOWS] = uuid4().hex
    obj[SHOWS] = text


def _new_object(
    item: Item,
    data: bpy.types.Mesh | bpy.types.PointCloud,
    material: bpy.types.Material,
    root: bpy.types.Object,
) -> bpy.types.Object:
    """Make the object of a geometry, with its custom properties."""
    geometry = item.geometry
    obj = bpy.data.objects.new(item.name, data)
    slot = obj.material_slots[0]
    slot.link = "OBJECT"
    slot.material = material
    obj.color = material.diffuse_color
    obj.parent = root
    obj.hide_render = not geometry.visible
    obj[NAME] = name = clean_text(geometry.name)
    if obj.name != name:
        obj[SHOWN] = obj.name
    obj[CLASS] = geometry.class_name
    if geometry.uuid is not None:
        obj[UUID] = clean_text(geometry.uuid)
    if geometry.model is not None:
        obj[MODEL] = geometry.model.class_name
    obj[SAMPLING_RATE] = geometry.sampling_rate.tolist()
    if len(geometry.meta) > 1 or "name" not in geometry.meta:
        for key, (_, value) in meta_properties(geometry.meta).items():
            obj[key] = value
    return obj


def session_properties(session: Session) -> dict[str, Any]:
    """Return what the session's collection says of its file."""
    properties: dict[str, Any] = {
        "file": clean_text(os.path.abspath(session.path)) if session.path else "",
        "layout": session.layout,
        "release": clean_text(session.release),
        "stamp": session.stamp,
    }
    if session.shape is not None:
        properties["shape"] = [float(length) for length in session.shape]
    return properties


def note_size(collection: bpy.types.Collection, session: Session) -> None:
    """Let a session's collection say how large the tomogram is, where the file knows."""
    collection.pop(TOMOGRAM_SIZE, None)
    if session.physical_shape is not None:
        TOMOGRAM_SIZE.write(collection, [float(length) for length in session.physical_shape])


def _fill_container(
    container: Container, objects: dict[int, bpy.types.Object], shown: list[bpy.types.Object]
) -> bpy.types.Collection:
    """Make the collection of the clusters or models, with its groups as collections, in Mosaic's order.

    objects: by the id() of their geometries. shown: to which the objects are appended in this order.
    """
    collection = new_container(container.name)
    items: list[TreeItem] = []
    for item in container.items:
        if isinstance(item, Group):
            group = new_group(item)
            collection.children.link(group)
            members, target = item.geometries, group
            items.append(group)
        else:
            members, target = [item], collection
            items.append(objects[id(item)])
        for geometry in members:
            obj = objects[id(geometry)]
            target.objects.link(obj)
            shown.append(obj)
    write_order(collection, items)
    return collection


def new_group(item: Group) -> bpy.types.Collection:
    """Make the collection of a group, without its objects."""
    group = bpy.data.collections.new(clean_text(item.name) or "Group")
    called = {"name": clean_text(item.name), "uuid": clean_text(item.uuid)}
    group[GROUP] = called | ({"shown": group.name} if group.name != called["name"] else {})
    return group


def new_container(name: str) -> bpy.types.Collection:
    """Make the empty collection of the "clusters" or "models"."""
    collection = bpy.data.collections.new(name.capitalize())
    collection[CONTAINER] = name
    return collection
