"""Tomograms in a scene: a box at a tomogram's place, whose children are its slices.

The box holds what is known of the tomogram and refers to its shader nodes, which hold the image and the settings. All
of it is Blender's own: it renders without this extension, is never saved into a session, and leaves without a trace.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import bpy
import numpy as np
from numpy.typing import NDArray

from ...session.errors import MosaicError
from ..compat import hide_from_light_sampling, shader_tree
from ..data.custom_properties import clean_text, has
from ..drawing.color_map_nodes import map_of
from ..drawing.color_maps import find_map
from ..drawing.coloring import uncolor_tree
from ..drawing.cut_nodes import shading_group
from ..drawing.ink import ink_group, set_ink_display
from ..drawing.node_tree import NodeProgram, arrange
from ..keys import FIGURE, TOMOGRAM, TOMOGRAM_NODES
from ..outline.outside import root_of
from . import nodes
from .atlas import decode, encode, sample_of
from .volume import Shown, Triple, Volume

KIND: Final = "tomogram"
SLICE: Final = "slice of a tomogram"
ANGSTROM: Final = 1000.0  # a unit of Blender, where there is no session
QUANTILES: Final = (0.005, 0.995)  # between which a tomogram goes from black to white at first
DEFAULT_MAP: Final = "grey"


@dataclass(frozen=True, slots=True)
class Look:
    """How a tomogram is shown.

    black, white: the values that get the first and the last colour. gamma: above 1 spreads the low values over more of
    the map. invert: turn the map round. color_map: its name, with "_r" at its end turned round. threshold: what is not
    above this value is transparent; None for no such value. opacity: from 0 to 1. average: how many slices around each
    one are averaged, from 1 to 25.
    """

    black: float
    white: float
    gamma: float = 1.0
    invert: bool = False
    color_map: str = DEFAULT_MAP
    threshold: float | None = None
    opacity: float = 1.0
    average: int = 1


def tomograms_in(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """Return the boxes of the tomograms in a scene, in order of names."""
    return [obj for obj in scene.objects if is_tomogram(obj)]


def is_tomogram(obj: bpy.types.Object | None) -> bool:
    """Return whether an object is a tomogram's box."""
    return obj is not None and FIGURE.read(obj) == KIND


def add_tomogram(
    scene: bpy.types.Scene,
    shown: Shown,
    name: str = "Tomogram",
    session: bpy.types.Collection | None = None,
    origin: Triple = (0.0, 0.0, 0.0),
) -> bpy.types.Object:
    """Add a tomogram to a scene, without slices. Returns its box, which hangs on the session's root.

    session: in whose coordinates it lies; None for none. origin: where in them the middle of the file's first voxel is,
    in angstrom. Raises MosaicError, with nothing added, for what cannot be shown.
    """
    shown.check()
    volume = shown.laid_out()
    png = encode(shown.values, volume.grid, volume.value_range, shown.bits)
    obj = _new_box(scene, clean_text(name) or "Tomogram", volume, session, origin)
    density = _new_density(obj, volume, png)
    black, white = (float(each) for each in np.quantile(sample_of(shown.values), QUANTILES))
    if not black < white:
        black, white = volume.value_range
    settings = {"Black": black, "White": white, "Threshold": volume.no_threshold}
    group = nodes.tomogram_group(obj.name, density, obj, DEFAULT_MAP, settings)
    FIGURE.write(group, KIND)
    TOMOGRAM_NODES.write(obj, group)
    set_ink_display(scene.view_settings.view_transform == "Raw")
    return obj


def show_instead(obj: bpy.types.Object, shown: Shown) -> None:
    """Show other values in a tomogram, such as those of a region; slices and settings stay.

    Raises MosaicError, with nothing changed, for what is no tomogram or cannot be shown.
    """
    group, old, look = group_of(obj), density_of(obj), look_of(obj)
    before = volume_of(obj)
    shown.check()
    volume = shown.laid_out()
    density = _new_density(obj, volume, encode(shown.values, volume.grid, volume.value_range, shown.bits))
    nodes.set_average(group, density, obj, look.average, volume.distance)
    TOMOGRAM.write(obj, volume.dump())
    mesh: Any = obj.data
    mesh.clear_geometry()
    mesh.from_pydata(*_wires(volume))
    if (look.threshold or 0.0) <= before.no_threshold:
        set_look(obj, replace(look, threshold=None))
    _remove_unused([old])


def volume_of(obj: bpy.types.Object) -> Volume:
    """Return what of a tomogram is shown. Raises MosaicError for what is no tomogram, or was tampered with."""
    try:
        return Volume.parse((TOMOGRAM.read(obj) if is_tomogram(obj) else None) or "")
    except (ValueError, TypeError, KeyError, IndexError, RecursionError, OverflowError):
        raise MosaicError(f"{obj.name!r} is no tomogram.") from None


def density_of(obj: bpy.types.Object) -> bpy.types.NodeTree:
    """Return the group that gives a tomogram's density. Raises MosaicError where it is gone."""
    for node in group_of(obj).nodes:
        if node.name.startswith("Slice ") and getattr(node, "node_tree", None) is not None:
            tree: bpy.types.NodeTree = node.node_tree  # type: ignore[attr-defined]  # of group nodes
            return tree
    raise MosaicError(f"{obj.name!r} has lost its nodes; remove it and add it anew.")


def group_of(obj: bpy.types.Object) -> bpy.types.NodeTree:
    """Return the group that gives a tomogram's colour. Raises MosaicError for what is no tomogram, or has lost it."""
    group = TOMOGRAM_NODES.read(obj) if is_tomogram(obj) else None
    if group is None or not nodes.is_whole(group):
        raise MosaicError(f"{obj.name!r} has lost its nodes; remove it and add it anew.")
    return group  # type: ignore[no-any-return]


def image_of(obj: bpy.types.Object) -> bpy.types.Image:
    """Return the image that holds a tomogram. Raises MosaicError where it is gone."""
    for node in density_of(obj).nodes:
        if isinstance(node, bpy.types.ShaderNodeTexImage) and node.label == nodes.IMAGE and node.image is not None:
            return node.image
    raise MosaicError(f"{obj.name!r} has lost its image; remove it and add it anew.")


def bits_of(obj: bpy.types.Object) -> Literal[8, 16]:
    """Return of how many bits each value is that is shown of a tomogram. Raises MosaicError where its image is gone."""
    return 16 if image_of(obj).is_float else 8


def values_of_tomogram(obj: bpy.types.Object) -> NDArray[np.float32]:
    """Return the values, (z, y, x), that are shown of a tomogram. Raises MosaicError where they are gone."""
    volume, image = volume_of(obj), image_of(obj)
    if image.packed_file is None:
        raise MosaicError(f"The image {image.name!r} of {obj.name!r} is gone; read the tomogram again.")
    return decode(image.packed_file.data, volume.grid, volume.value_range)


# --- how it is shown -------------------------------------------------------------------------------------------------


def look_of(obj: bpy.types.Object) -> Look:
    """Return how a tomogram is shown. Raises MosaicError for what is none."""
    group = group_of(obj)
    value = {name: float(group.nodes[name].outputs[0].default_value) for name in nodes.SETTINGS}  # type: ignore[attr-defined]
    tree = group.nodes[nodes.MAP].node_tree  # type: ignore[attr-defined]  # of group nodes
    return Look(
        value["Black"],
        value["White"],
        value["Gamma"],
        value["Invert"] > 0.5,
        map_of(tree) if tree is not None else "",
        value["Threshold"],
        value["Opacity"],
        nodes.averaged(group),
    )


def set_look(obj: bpy.types.Object, look: Look) -> None:
    """Change how a tomogram is shown. Raises MosaicError for what is none, and choices that make no sense."""
    group = group_of(obj)
    key, turned = find_map(look.color_map)
    if not np.isfinite([look.black, look.white, look.gamma, look.opacity]).all() or look.gamma <= 0:
        raise MosaicError("Black, white, gamma and opacity must be numbers, and gamma positive.")
    if not 1 <= look.average <= nodes.MOST_SLICES:
        raise MosaicError(f"From 1 to {nodes.MOST_SLICES} slices can be averaged, not {look.average}.")
    if look.average != nodes.averaged(group):
        nodes.set_average(group, density_of(obj), obj, look.average, volume_of(obj).distance)
    if key != map_of(group.nodes[nodes.MAP].node_tree):  # type: ignore[attr-defined]  # of group nodes
        nodes.set_color_map(group, key)
    threshold = volume_of(obj).no_threshold if look.threshold is None else look.threshold
    numbers = (look.black, look.white, look.gamma, float(look.invert != turned), threshold, look.opacity)
    for name, number in zip(nodes.SETTINGS, numbers, strict=True):
        group.nodes[name].outputs[0].default_value = number  # type: ignore[attr-defined]


def fitting_contrast(obj: bpy.types.Object, quantiles: tuple[float, float] = QUANTILES) -> tuple[float, float]:
    """Return the values between which the given parts, from 0 to 1, of a tomogram's values lie."""
    black, white = np.quantile(sample_of(values_of_tomogram(obj)), quantiles)
    return float(black), float(white)


# --- what is made, and removed ---------------------------------------------------------------------------------------


def material_for(obj: bpy.types.Object) -> bpy.types.Material:
    """Return the material that a tomogram's slices share, made if it is missing."""
    group = group_of(obj)
    for material in _materials_of(group):
        if FIGURE.read(material) == KIND:
            return material
    material = bpy.data.materials.new(obj.name)
    FIGURE.write(material, KIND)
    hide_from_light_sampling(material)
    tree = shader_tree(material)
    program = NodeProgram(tree)
    looked = program.node("ShaderNodeGroup", node_tree=group, name=nodes.TOMOGRAM, width=200).outputs
    ink = program.node("ShaderNodeGroup", node_tree=ink_group(), inputs={"Color": looked["Color"]}).outputs[0]
    cuts = program.node("ShaderNodeGroup", "Cuts", node_tree=shading_group()).outputs
    own = program.node("ShaderNodeObjectInfo", "Alpha in Viewport Display").outputs["Alpha"]
    seen = program.math("MULTIPLY", program.math("MULTIPLY", looked["Seen"], own), cuts["Kept"])
    clear = program.node("ShaderNodeBsdfTransparent").outputs[0]
    surface = program.mix_shaders("Seen", seen, clear, ink)
    program.node("ShaderNodeOutputMaterial", inputs={"Surface": surface})
    arrange(tree)
    return material


def remove_tomogram(obj: bpy.types.Object) -> None:
    """Remove a tomogram with its slices and all that was made for it; surfaces that wear it get their colour back.

    What else hangs on it stays where it is. Raises MosaicError for what is no tomogram.
    """
    if not is_tomogram(obj):
        raise MosaicError(f"{obj.name!r} is no tomogram.")
    collections = obj.users_collection
    slices = [child for child in obj.children_recursive if has(child, TOMOGRAM)]
    gone = [obj, *slices]
    for child in [each for parent in gone for each in parent.children if each not in gone]:
        place = child.matrix_world.copy()
        child.parent = None
        child.matrix_world = place
    data = [each.data for each in gone if each.data is not None]
    group = TOMOGRAM_NODES.read(obj)
    shared = any(TOMOGRAM_NODES.read(other) == group for other in bpy.data.objects if other != obj)  # with a copy
    bpy.data.batch_remove(gone)
    bpy.data.batch_remove([each for each in dict.fromkeys(data) if not each.users])
    if group is not None and not shared:
        _remove_nodes(group)
    for collection in collections:
        if has(collection, TOMOGRAM) and not collection.all_objects:
            bpy.data.collections.remove(collection)


def refresh(scene: bpy.types.Scene) -> None:
    """Give copies of tomograms that were made by hand nodes of their own, and remove what boxes deleted by hand left."""
    for obj in tomograms_in(scene):
        group = TOMOGRAM_NODES.read(obj)
        if group is not None and any(place not in (None, obj) for place in _places_in(group)):
            _separate(obj, group)
    used = {group for obj in bpy.data.objects if (group := TOMOGRAM_NODES.read(obj)) is not None and obj.users_scene}
    for group in list(bpy.data.node_groups):
        if FIGURE.read(group) == KIND and group.name.startswith(nodes.TOMOGRAM) and group not in used:
            _remove_nodes(group)
    lost = [obj for obj in scene.objects if FIGURE.read(obj) == SLICE and not is_tomogram(obj.parent)]
    bpy.data.batch_remove(lost)


def _separate(obj: bpy.types.Object, group: bpy.types.NodeTree) -> None:
    """Give the copy of a tomogram nodes and a material of its own; it shares the image."""
    old = material_for(obj)
    own = group.copy()
    for node in own.nodes:
        tree = getattr(node, "node_tree", None)
        if tree is not None and FIGURE.read(tree) == KIND:
            density = tree.copy()
            for each in density.nodes:
                if isinstance(each, bpy.types.ShaderNodeTexCoord):
                    each.object = obj
            average = nodes.averaged(own)
            nodes.set_average(own, density, obj, average, volume_of(obj).distance)
            break
    TOMOGRAM_NODES.write(obj, own)
    new = material_for(obj)
    for child in obj.children_recursive:
        if child.material_slots and child.material_slots[0].material == old:
            child.material_slots[0].link = "OBJECT"
            child.material_slots[0].material = new


def _remove_nodes(group: bpy.types.NodeTree) -> None:
    """Remove a tomogram's groups, materials and image, as far as no other tomogram uses them."""
    materials = list(_materials_of(group))
    for material in materials:
        if FIGURE.read(material) is None and material.node_tree is not None:
            uncolor_tree(material.node_tree)
    trees = dict.fromkeys(tree for node in group.nodes if (tree := getattr(node, "node_tree", None)) is not None)
    bpy.data.batch_remove([*(each for each in materials if FIGURE.read(each) is not None), group])
    _remove_unused([tree for tree in trees if FIGURE.read(tree) == KIND])


def _remove_unused(own: list[bpy.types.NodeTree]) -> None:
    """Remove groups that give a density, with their images, as far as nothing else uses them."""
    images = {image for tree in own for node in tree.nodes if (image := getattr(node, "image", None)) is not None}
    bpy.data.batch_remove([tree for tree in own if not tree.users])
    bpy.data.batch_remove([image for image in images if not image.users])


def _places_in(group: bpy.types.NodeTree) -> Iterator[bpy.types.Object | None]:
    """The objects in whose coordinates the nodes of a tomogram look its density up."""
    for node in group.nodes:
        tree = getattr(node, "node_tree", None)
        if tree is not None and FIGURE.read(tree) == KIND:
            yield from (each.object for each in tree.nodes if isinstance(each, bpy.types.ShaderNodeTexCoord))


def _materials_of(group: bpy.types.NodeTree) -> Iterator[bpy.types.Material]:
    """The materials that show a tomogram: that of its slices, and those of surfaces that wear it."""
    for material in bpy.data.materials:
        node = material.node_tree.nodes.get(nodes.TOMOGRAM) if material.node_tree is not None else None
        if node is not None and getattr(node, "node_tree", None) == group:
            yield material


def _new_density(obj: bpy.types.Object, volume: Volume, png: bytes) -> bpy.types.NodeTree:
    """Make the group that gives the density of a tomogram, and its image."""
    image = new_image(obj.name, png)
    assert (image.size[0], image.size[1]) == volume.grid.size  # type: ignore[index]
    density = nodes.density_group(
        obj.name, image, obj, volume.grid, volume.voxel_size, volume.start, volume.value_range
    )
    FIGURE.write(density, KIND)
    return density


def new_image(name: str, png: bytes) -> bpy.types.Image:
    """Make an image of a tomogram, which is packed in the .blend and whose values are taken as they are."""
    image = bpy.data.images.new(f"Mosaic Tomogram {name}", 1, 1)
    image.pack(data=png, data_len=len(png))
    image.source = "FILE"
    image.colorspace_settings.name = "Non-Color"
    image.alpha_mode = "CHANNEL_PACKED"
    image.use_half_precision = False
    FIGURE.write(image, KIND)
    return image


def _new_box(
    scene: bpy.types.Scene, name: str, volume: Volume, session: bpy.types.Collection | None, origin: Triple
) -> bpy.types.Object:
    """Make the box of a tomogram, in a collection of its own."""
    root = root_of(session) if session is not None else None
    if session is not None and root is None:
        raise MosaicError(f"{session.name!r} is no session any more, as its root was deleted.")
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(*_wires(volume))
    obj = bpy.data.objects.new(name, mesh)
    FIGURE.write(obj, KIND)
    TOMOGRAM.write(obj, volume.dump())
    obj.display_type = "WIRE"
    obj.location = origin
    obj.parent = root
    if root is None:
        obj.scale = (1 / ANGSTROM,) * 3
        obj.location = tuple(each / ANGSTROM for each in origin)
    collection = bpy.data.collections.new(name)
    TOMOGRAM.write(collection, KIND)
    scene.collection.children.link(collection)
    collection.objects.link(obj)
    return obj


def _wires(volume: Volume) -> tuple[list[Triple], list[tuple[int, int]], list[Any]]:
    """The corners and edges of a tomogram's box."""
    ends = volume.bounds
    corners = [(ends[number & 1][0], ends[number >> 1 & 1][1], ends[number >> 2][2]) for number in range(8)]
    edges = [(a, a | 1 << axis) for a in range(8) for axis in range(3) if not a >> axis & 1]
    return corners, edges, []
