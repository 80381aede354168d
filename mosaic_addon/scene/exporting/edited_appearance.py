"""How Blender draws an object -> the appearance and representation of its geometry."""

from functools import lru_cache
from typing import Any, NamedTuple

import bpy
import numpy as np

from ...session.decode import appearance_of
from ...session.edit import set_appearance, set_isovalue, set_representation, set_resolution
from ...session.errors import MosaicError
from ...session.releases import Spelling
from ...session.session import DEFAULT_RESOLUTION, MESH_REPRESENTATIONS
from ...session.values import is_segmentation
from ..compat import ModifierInputs, values_of
from ..data.custom_properties import has
from ..drawing.color_maps import to_display, to_scene
from ..drawing.materials import SURFACE
from ..drawing.representations import LABELS, MODIFIER, ONLY_IN_BLENDER, modifier_of
from ..drawing.shown_materials import plain_look, shown_surface
from ..keys import PERCENTILE, RESOLUTION
from ..record import Record
from .changes import Kind
from .piece import Piece

REPRESENTATION_OF = {label: name for name, label in LABELS.items()}
DRAWN_INPUTS = ("Representation", "Size", "Spheres")
SURFACE_INPUTS = ("Color", "Opacity", "Ambient", "Diffuse", "Specular")
DECIMALS = 6  # of an edited colour; Blender's 32-bit numbers have no more


class Drawn(NamedTuple):
    """How Blender draws an object: the inputs of its modifier, None without one, and the numbers of its material.

    numbers: red, green, blue as scene values, opacity, ambient, diffuse, specular; of a material of the user's own, the
    first four, with None for what it does not show as a number. unread: the name of such a material. elsewhere: the
    modifier can draw other datablocks, a volume's surface or the frames of a trajectory.
    """

    representation: str | None
    size: float | None
    spheres: bool | None
    numbers: tuple[float | None, ...] | None
    elsewhere: bool
    unread: str | None


class DrawnReader:
    """Reads how objects are drawn; modifiers' node groups and materials that many objects share are read once."""

    def __init__(self) -> None:
        # By the session_uid of the node group: its inputs, whether it draws other datablocks, whether it has a switch.
        self._inputs: dict[int, tuple[ModifierInputs, bool, bool]] = {}
        self._materials: dict[int, tuple[float | None, ...] | None] = {}
        self._sockets: dict[int, list[int]] = {}  # the numbers of SURFACE_INPUTS, by the group of the node

    def of(self, obj: bpy.types.Object) -> Drawn:
        """Tell how an object is drawn. Raises MosaicError for a material whose node lacks an input."""
        representation = size = spheres = None
        elsewhere = False
        modifier: Any = obj.modifiers.get(MODIFIER)
        group = getattr(modifier, "node_group", None)
        known = self._inputs.get(group.session_uid) if group is not None else None
        if known is None:
            modifier = modifier_of(obj)
            if modifier is not None:
                known = self._know(modifier.node_group)
        if known is not None:
            inputs, elsewhere, has_switch = known
            if has_switch:
                label, size, spheres = inputs.several(modifier, DRAWN_INPUTS)
                representation, spheres = REPRESENTATION_OF.get(label), bool(spheres)
        slots = obj.material_slots
        material = slots[0].material if len(slots) else None
        if len(slots) > 1:
            material = slots[min(_first_slot(obj.data), len(slots) - 1)].material
        numbers = unread = None
        if material is not None:
            number = material.session_uid
            if number not in self._materials:
                self._materials[number] = self._numbers_of(material)
            numbers = self._materials[number]
            unread = material.name if numbers is not None and None in numbers else None
        return Drawn(representation, size, spheres, numbers, elsewhere, unread)

    def _know(self, group: bpy.types.NodeTree) -> tuple[ModifierInputs, bool, bool]:
        inputs = ModifierInputs(group)
        known = inputs, "Surface" in inputs or "Frames" in inputs, "Representation" in inputs
        self._inputs[group.session_uid] = known
        return known

    def _numbers_of(self, material: bpy.types.Material) -> tuple[float | None, ...] | None:
        surface: Any = shown_surface(material)
        if surface is None:
            return plain_look(material)
        group = getattr(surface, "node_tree", None)
        if group is None:  # a node without a group draws nothing
            return None
        inputs = surface.inputs
        places = self._sockets.get(group.session_uid)
        if places is None:
            places = list(map(inputs.find, SURFACE_INPUTS))
            if min(places) < 0:
                missing = SURFACE_INPUTS[places.index(-1)]
                raise MosaicError(
                    f"The node {SURFACE!r} of the material {material.name!r} has no input {missing!r} any more; "
                    "undo that to save."
                )
            self._sockets[group.session_uid] = places
        sockets = inputs.values()  # quicker than one after the other
        color, *rest = [sockets[place].default_value for place in places]
        return *color[:3], *rest


def _first_slot(data: bpy.types.ID | None) -> int:
    """Return the first of several slots that any face of a mesh has; 0 for other data."""
    indices = data.attributes.get("material_index") if isinstance(data, bpy.types.Mesh) else None
    if indices is None or indices.data_type != "INT" or indices.domain != "FACE" or not len(values_of(indices)):
        return 0
    slots = np.empty(len(values_of(indices)), np.int32)
    values_of(indices).foreach_get("value", slots)
    return max(int(slots.min()), 0)


@lru_cache(65536)
def _scene_color(color: tuple[float, float, float]) -> tuple[float, ...]:
    """Convert a base colour to what its material holds."""
    return tuple(to_scene(np.array(color)).astype(np.float32).tolist())


@lru_cache(65536)
def _single(value: float) -> float:
    """Round a number to what Blender holds."""
    return float(np.float32(value))


def display_color(scene: tuple[Any, ...]) -> tuple[float, float, float]:
    """Convert the colour of a material to what Mosaic writes."""
    red, green, blue = np.clip(to_display(np.array(scene[:3])), 0, 1).round(DECIMALS).tolist()
    return red, green, blue


def edit_appearance(piece: Piece, record: Record, drawn: Drawn) -> None:
    """Bring an edited colour, number, representation or size into the node."""
    node = piece.node
    original = appearance_of(node, piece.container, record.fractions)
    if drawn.numbers is not None:
        color, rest = drawn.numbers[:3], drawn.numbers[3:]
        if None not in color and color != _scene_color(original.base_color):
            shown = display_color(color)
            set_appearance(node, "base_color", shown)
            piece.edits[Kind.COLOR] = shown
        for kind, value in zip((Kind.OPACITY, Kind.AMBIENT, Kind.DIFFUSE, Kind.SPECULAR), rest, strict=False):
            if value is not None and value != _single(getattr(original, kind.value)):
                set_appearance(node, kind.value, shortest(value))
                piece.edits[kind] = (value,)
    representation = record.representation
    if drawn.representation is not None and drawn.representation != representation:
        if drawn.representation in ONLY_IN_BLENDER or is_segmentation(node):
            piece.warnings.append(
                f"{piece.label}: is shown as {LABELS[drawn.representation]} in Blender only, "
                "which Mosaic does not offer for it."
            )
        else:
            representation = drawn.representation
            set_representation(node, representation)
            piece.edits[Kind.REPRESENTATION] = (representation,)
    if drawn.size is not None:
        # A surface has no points to be seen, so an import leaves the modifier's own size.
        shown = 8.0 if record.representation in MESH_REPRESENTATIONS else _single(original.size)
        if drawn.size != shown:
            set_appearance(node, "size", _size_like(original.size, drawn.size))
            piece.edits[Kind.SIZE] = (drawn.size,)
        elif (
            record.representation in MESH_REPRESENTATIONS
            and representation not in MESH_REPRESENTATIONS
            and drawn.size != _single(original.size)
        ):
            set_appearance(node, "size", _size_like(original.size, drawn.size))
    if drawn.spheres is not None and drawn.spheres != original.render_spheres:
        set_appearance(node, "render_spheres", drawn.spheres)
        piece.edits[Kind.SPHERES] = (drawn.spheres,)


def _size_like(original: float, value: float) -> float:
    """Return a size as the kind of number that it was."""
    size = shortest(value)
    return int(size) if size.is_integer() and type(original) is int else size


def shortest(value: float) -> float:
    """Return the shortest decimal number that Blender would hold as `value`."""
    return float(str(np.float32(value)))


def edit_volume(piece: Piece, record: Record, original: float | None, spelling: Spelling) -> None:
    """Bring an edited isovalue or target resolution of a volume's surface into the node.

    original: the resolution that it was read with. What Mosaic has no use for is not saved, with a warning.
    """
    mesh = piece.source.volume
    assert mesh is not None
    percentile, resolution = PERCENTILE.read(mesh), RESOLUTION.read(mesh)
    is_mosaics_choice = not has(mesh, PERCENTILE)
    if percentile != appearance_of(piece.node, piece.container, record.fractions).isovalue_percentile:
        if is_mosaics_choice or (percentile is not None and 0 < percentile <= 100):
            set_isovalue(piece.node, percentile, record.fractions)
            piece.edits[Kind.ISOVALUE] = (percentile,)
        else:
            _tell_what_stays(piece, "isovalue", "a number of percent above 0 and up to 100")
    if spelling.resolutions and resolution != (DEFAULT_RESOLUTION if original is None else original):
        if resolution is not None and resolution > 0:
            set_resolution(piece.node, resolution)
            piece.edits[Kind.RESOLUTION] = (resolution,)
        else:
            _tell_what_stays(piece, "target resolution", "a positive number of angstrom")


def _tell_what_stays(piece: Piece, name: str, wanted: str) -> None:
    piece.warnings.append(
        f"{piece.label}: its {name} is not {wanted}; set it anew, the file keeps the one that it has."
    )
