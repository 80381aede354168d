"""One object of a session -> its geometry's node: what it was read from, changed where the object was edited since.

What Blender shows is compared with what an import of the same node would show, in Blender's precision, so that only edits
come through, and an edit that was taken back is none.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from itertools import permutations
from typing import Any, NamedTuple

import bpy
import numpy as np

from ...session.decode import appearance_of, meta_of, name_in, numbers_of
from ...session.edit import (
    MESH_CLASSES,
    Spelling,
    array_of,
    drop,
    entry,
    fit_of,
    new_mesh_model,
    put,
    set_appearance,
    set_columns,
    set_fit,
    set_name,
    set_sampling_rate,
    set_visible,
    state_of,
)
from ...session.errors import MosaicError
from ...session.nodes import Formed, Node, ObjectNode, Pairs, Stored
from ...session.session import MESH_REPRESENTATIONS
from ..compat import ModifierInputs
from ..data.attributes import KINDS, NORMALS, QUATERNIONS, RESERVED, PointAttributes, read_attribute
from ..data.custom_properties import clean_text, like, meta_properties, own_properties, plain_property, same_property
from ..data.exact_bits import read_with_bits
from ..data.placement import move_fit, move_mesh, only_moves
from ..data.vertex_properties import column_attributes, column_kinds, column_texts, renamed_column
from ..drawing.color_maps import to_display, to_scene
from ..drawing.coloring import read_vertex_colors
from ..drawing.facts import step_at
from ..drawing.materials import SURFACE
from ..drawing.representations import FITTED_SURFACE, LABELS, MODIFIER, modifier_of
from ..drawing.surfaces import DEFAULT_RESOLUTION, PERCENTILE, RESOLUTION
from ..drawing.trajectories import STEP
from ..outline.tree import SAMPLING_RATE, name_of
from ..record import Record, sum_of_bits, sum_of_columns
from .object_arrays import Source, triangles_of

REPRESENTATION_OF = {label: name for name, label in LABELS.items()}
LOOK_INPUTS = ("Representation", "Size", "Spheres")
SURFACE_INPUTS = ("Color", "Opacity", "Ambient", "Diffuse", "Specular")
# Keys of meta at which Mosaic keeps something else, so that no custom property can go there.
MEANT_OTHERWISE = {"name": "Mosaic has the object's name there", "fit": "Mosaic has the object's model there"}
MAX_RENAMED = 4  # attributes that are tried, in each order, as what others were renamed to
DECIMALS = 6  # of colours that were edited: those of a 32-bit number


@dataclass(slots=True)
class Piece:
    """A geometry on its way into a file.

    part: the node, or what makes it. index: its place in the file's container, None for what is new there; origin: where it
    was read from. edits: what was changed since, by what it is about, in words; details: what the words leave out, small, to
    tell two edits of one thing apart. uuid: None where the release has none.
    """

    obj: bpy.types.Object
    part: ObjectNode | Formed
    source: Source
    container: str
    index: int | None
    uuid: str | None
    edits: dict[str, str] = field(default_factory=dict)
    details: list[Any] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    origin: tuple[str, int] | None = None
    read_name: str | None = None  # as it was called in the file

    @property
    def node(self) -> ObjectNode:
        """What is written, to look into it and to change it. Nobody who only writes it asks for it."""
        if type(self.part) is Formed:
            self.part = self.part.make()
        return self.part

    @property
    def read_uuid(self) -> Node:
        """The uuid that its node has."""
        return self.part.own[1] if type(self.part) is Formed else state_of(self.part).as_dict().get("uuid")

    @property
    def label(self) -> str:
        name = name_of(self.obj) if self.read_name is None else self.read_name
        return f"{self.container} {name!r}"


class Look(NamedTuple):
    """What Blender shows of an object: inputs of the modifier, None without one, and the material's numbers.

    elsewhere: the modifier may show what lies in other objects, a volume's surface or the frames of a trajectory.
    """

    representation: str | None
    size: float | None
    spheres: bool | None
    numbers: tuple[float, ...] | None  # red, green, blue (scene values), opacity, ambient, diffuse, specular
    elsewhere: bool


class Looks:
    """Reads looks; what many objects share is looked up once."""

    def __init__(self) -> None:
        # By the session_uid of their group, with whether it draws what is elsewhere and is told how to draw.
        self._inputs: dict[int, tuple[ModifierInputs, bool, bool]] = {}
        self._materials: dict[int, tuple[float, ...] | None] = {}
        self._sockets: dict[int, list[int]] = {}  # where SURFACE_INPUTS are, by the group of the node

    def of(self, obj: bpy.types.Object) -> Look:
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
            inputs, elsewhere, is_told = known
            if is_told:
                label, size, spheres = inputs.several(modifier, LOOK_INPUTS)
                representation, spheres = REPRESENTATION_OF.get(label), bool(spheres)
        slots = obj.material_slots
        material = slots[0].material if len(slots) else None
        numbers = None
        if material is not None:
            number = material.session_uid
            if number not in self._materials:
                self._materials[number] = self._numbers_of(material)
            numbers = self._materials[number]
        return Look(representation, size, spheres, numbers, elsewhere)

    def _know(self, group: bpy.types.NodeTree) -> tuple[ModifierInputs, bool, bool]:
        inputs = ModifierInputs(group)
        known = inputs, "Surface" in inputs or "Frames" in inputs, "Representation" in inputs
        self._inputs[group.session_uid] = known
        return known

    def _numbers_of(self, material: bpy.types.Material) -> tuple[float, ...] | None:
        tree = material.node_tree
        surface = tree.nodes.get(SURFACE) if tree is not None else None
        if surface is None:
            return _numbers_of_users(material)
        group = getattr(surface, "node_tree", None)
        if group is None:  # it shows nothing, which is no colour either
            return None
        inputs = surface.inputs
        places = self._sockets.get(group.session_uid)
        if places is None:
            places = list(map(inputs.find, SURFACE_INPUTS))
            if min(places) < 0:
                missing = SURFACE_INPUTS[places.index(-1)]
                raise MosaicError(
                    f"The node {SURFACE!r} of the material {material.name!r} has no input {missing!r} any more; undo that to save."
                )
            self._sockets[group.session_uid] = places
        sockets = inputs.values()  # quicker than one after the other
        color, *rest = [sockets[place].default_value for place in places]
        return *color[:3], *rest


def _numbers_of_users(material: bpy.types.Material) -> tuple[float, ...]:
    """Of a material of the user's own."""
    tree = material.node_tree
    principled = [node for node in tree.nodes if node.type == "BSDF_PRINCIPLED"] if tree is not None else []
    if principled:
        inputs = principled[0].inputs
        return (*inputs["Base Color"].default_value[:3], inputs["Alpha"].default_value)
    return tuple(material.diffuse_color)


@lru_cache(65536)
def _scene_color(color: tuple[float, float, float]) -> tuple[float, ...]:
    """A base colour as its material holds it."""
    return tuple(to_scene(np.array(color)).astype(np.float32).tolist())


@lru_cache(65536)
def _single(value: float) -> float:
    """A number as Blender holds it."""
    return float(np.float32(value))


def display_color(scene: tuple[float, ...]) -> tuple[float, float, float]:
    """A colour of a material as Mosaic writes it."""
    red, green, blue = np.clip(to_display(np.array(scene[:3])), 0, 1).round(DECIMALS).tolist()
    return red, green, blue


def apply_edits(piece: Piece, record: Record, look: Look, visible: bool | None, frame: int, spelling: Spelling) -> None:
    """Bring all edits of an object into its node.

    record: what the object keeps, whose node is the piece's. visible: None if nobody can tell. frame: of the scene. Raises
    MosaicError, naming the object, when Mosaic would crash on the result or Blender lost what it is made of.
    """
    obj, node = piece.obj, piece.node
    _refuse_what_is_gone(piece, record)
    refuse_other_widths(piece.source, piece.label)
    name = name_of(obj)
    piece.read_name = name_in(node, record.container, record.index)
    if name != clean_text(piece.read_name):
        set_name(node, name)
        piece.edits["name"] = f"renamed to {name!r}"
    rate, was_visible, resolution = numbers_of(node)
    if visible is not None and visible != was_visible:
        set_visible(node, visible, spelling)
        piece.edits["visible"] = "shown" if visible else "hidden"
    _edit_sampling_rate(piece, rate)
    _edit_meta(piece)
    _edit_look(piece, record, look)
    if piece.source.volume is not None:
        _edit_volume(piece, record, resolution, spelling)
    if piece.source.steps:
        _edit_step(piece, record, frame)
    _edit_shape(piece, record, spelling)
    _edit_columns(piece, record, spelling)
    if piece.source.count > record.count > 0:
        _tell_what_is_filled_in(piece, record)
    if obj.type == "MESH" and piece.edits.keys() & {"points", "count", "faces"}:
        _refuse_bad_faces(piece)


def _refuse_what_is_gone(piece: Piece, record: Record) -> None:
    """A volume and the steps of a trajectory are not in the object's data but behind the modifier that draws them."""
    lost = None
    modifier = modifier_of(piece.obj)
    if (
        piece.source.volume is None
        and piece.node.cls.name == "VolumeGeometry"
        and type(state_of(piece.node).as_dict().get("volume")) is Stored
    ):
        lost = "volume"
    elif record.frames and not piece.source.steps:
        lost = "frames"
    if lost:
        how = (
            f"went with its modifier {MODIFIER!r}"
            if modifier is None
            else f"{'was' if lost == 'volume' else 'were'} deleted"
        )
        raise MosaicError(f"{piece.label}: its {lost} {how}; undo that, or delete the object to save without it.")


def refuse_other_widths(source: Source, label: str) -> None:
    """Normals and quaternions that were converted cannot be written. label: how to call the object."""
    for attributes in (source.attributes(), *map(PointAttributes, source.steps)):
        for key, width, words in ((NORMALS, 3, "three"), (QUATERNIONS, 4, "four")):
            if key not in attributes.data.attributes or attributes.kind(key) == (width, np.float32):
                continue
            raise MosaicError(
                f"{label}: its attribute {key!r} is no longer {words} numbers per point; undo that, or remove the attribute, to save."
            )


# --- numbers and looks -----------------------------------------------------------------------------------------------


def _edit_sampling_rate(piece: Piece, original: tuple[float, float, float]) -> None:
    rate = sampling_rate_of(piece.obj, piece.label, original)
    if rate is None or rate == original:
        return
    set_sampling_rate(piece.node, rate)
    piece.edits["sampling rate"] = f"sampling rate {', '.join(f'{number:g}' for number in rate)}"


def sampling_rate_of(
    obj: bpy.types.Object, label: str, original: tuple[float, ...] | None = None
) -> tuple[float, ...] | None:
    """The sampling rate at an object, one number standing for three; None without one.

    original: what it was read with, and may keep whatever it is. Raises MosaicError for what is none.
    """
    value = plain_property(obj.get(SAMPLING_RATE))
    if value is None:
        return None
    rate = tuple(value) if isinstance(value, list) else (value,) * 3
    if rate != original and (
        len(rate) != 3 or not all(isinstance(n, (int, float)) and np.isfinite(n) and n > 0 for n in rate)
    ):
        raise MosaicError(f"{label}: its sampling rate must be three positive numbers, not {value!r}.")
    return rate


def _edit_meta(piece: Piece) -> None:
    """Custom properties that were changed, added or taken away since an import would have made them of meta."""
    obj = piece.obj
    current = own_properties(obj)
    meta = meta_of(piece.node)
    if not current and len(meta) <= 1:
        return
    expected = meta_properties(meta)
    changed = []
    for key, (name, value) in expected.items():
        if key not in current:
            drop(entry(piece.node, "meta"), name)
            changed.append(str(name))
        elif not same_property(plain_property(current[key]), value):
            put(entry(piece.node, "meta"), name, like(meta[name], plain_property(current[key])))
            changed.append(str(name))
            piece.details.append(plain_property(current[key]))
    for key in current:
        if key not in expected:
            value = plain_property(current[key])
            if key in MEANT_OTHERWISE:
                piece.warnings.append(
                    f"{piece.label}: the custom property {key!r} is left out, as {MEANT_OTHERWISE[key]}."
                )
                continue
            if value is None:
                piece.warnings.append(
                    f"{piece.label}: the custom property {key!r} is left out, as Mosaic has no such thing."
                )
                continue
            put(entry(piece.node, "meta"), key, value)
            changed.append(key)
            piece.details.append(value)
    if changed:
        piece.edits["meta"] = f"meta {', '.join(changed)}"


def _edit_look(piece: Piece, record: Record, look: Look) -> None:
    node = piece.node
    original = appearance_of(node, piece.container, record.fractions)
    if look.numbers is not None:
        color, rest = look.numbers[:3], look.numbers[3:]
        if color != _scene_color(original.base_color):
            set_appearance(node, "base_color", display_color(color))
            piece.edits["color"] = "colour"
        for key, value in zip(("opacity", "ambient", "diffuse", "specular"), rest, strict=False):
            if value != _single(getattr(original, key)):
                set_appearance(node, key, shortest(value))
                piece.edits[key] = f"{key} {value:.3g}"
    representation = record.representation
    if look.representation is not None and look.representation != representation:
        if look.representation == FITTED_SURFACE or node.cls.name == "SegmentationGeometry":
            piece.warnings.append(
                f"{piece.label}: is shown as {LABELS[look.representation]} in Blender only, which Mosaic does not offer for it."
            )
        else:
            representation = look.representation
            put(state_of(node), "representation", representation)
            piece.edits["representation"] = f"shown as {LABELS[representation]}"
    if look.size is not None:
        # The size of a surface's points means nothing, so an import leaves the modifier's own.
        shown = 8.0 if record.representation in MESH_REPRESENTATIONS else _single(original.size)
        if look.size != shown:
            set_appearance(node, "size", _size_like(original.size, look.size))
            piece.edits["size"] = f"size {look.size:.4g}"
        elif (
            record.representation in MESH_REPRESENTATIONS
            and representation not in MESH_REPRESENTATIONS
            and look.size != _single(original.size)
        ):
            set_appearance(node, "size", _size_like(original.size, look.size))
    if look.spheres is not None and look.spheres != original.render_spheres:
        set_appearance(node, "render_spheres", look.spheres)
        piece.edits["spheres"] = "points as spheres" if look.spheres else "points as discs"


def _size_like(original: float, value: float) -> float:
    """A size as the kind of number that it was."""
    size = shortest(value)
    return int(size) if size.is_integer() and type(original) is int else size


def shortest(value: float) -> float:
    """The shortest number that Blender would hold as `value`."""
    return float(str(np.float32(value)))


def _edit_volume(piece: Piece, record: Record, original: float | None, spelling: Spelling) -> None:
    mesh = piece.source.volume
    assert mesh is not None
    percentile = mesh.get(PERCENTILE)
    if percentile != appearance_of(piece.node, piece.container, record.fractions).isovalue_percentile:
        appearance = entry(piece.node, "appearance")
        if percentile is None:
            drop(appearance, "isovalue_percentile")
        elif not (isinstance(percentile, (int, float)) and 0 < percentile <= 100):
            raise MosaicError(f"{piece.label}: its isovalue must be a number of percent above 0 and up to 100.")
        else:
            put(appearance, "isovalue_percentile", percentile / 100 if record.fractions else percentile)
        piece.edits["isovalue"] = "isovalue " + (
            "of Mosaic's choice" if percentile is None else f"{percentile:.4g} percent"
        )
    resolution = mesh.get(RESOLUTION)
    if spelling.resolutions and resolution != (DEFAULT_RESOLUTION if original is None else original):
        if not (isinstance(resolution, (int, float)) and np.isfinite(resolution) and resolution > 0):
            raise MosaicError(f"{piece.label}: its target resolution must be a positive number of angstrom.")
        put(state_of(piece.node), "target_resolution", resolution)
        piece.edits["resolution"] = f"target resolution {resolution:g}"


def _edit_step(piece: Piece, record: Record, frame: int) -> None:
    """The steps of a trajectory that are there, and the one that is shown."""
    state = state_of(piece.node)
    entries = state.as_dict()["trajectory"]
    steps = piece.source.steps
    shown = {number: entries[place] for number, place in enumerate(record.frames)}
    own = {number: mesh for number, mesh in piece.source.own_steps().items() if number in shown}
    if not own:
        raise MosaicError(
            f"{piece.label}: none of its frames is there any more; undo that, or delete the object to save without it."
        )
    ours = {mesh.session_uid for mesh in own.values()}
    piece.warnings += [
        f"{piece.label}: its frame {mesh.name!r} is left out, as it was not in its session; edit the frames that were."
        for mesh in steps
        if mesh.session_uid not in ours
    ]
    if list(own) != list(shown):
        put(state, "trajectory", [shown[number] for number in own])
        is_less = len(own) != len(entries)
        piece.edits["steps"] = f"{len(own)} frames instead of {len(entries)}" if is_less else "frames in another order"
    for number, mesh in own.items():
        _edit_columns_of_step(piece, number, mesh, shown[number])
    edited = piece.source.edited_steps()
    if edited:
        several = "frames" if len(edited) > 1 else "frame"
        piece.edits["edited steps"] = f"{several} {', '.join(map(str, edited))} edited"
        piece.details.append(list(edited.items()))
    number = steps[step_at(piece.obj, len(steps), frame)].get(STEP)
    if number == record.step or number not in own:
        return
    step = shown[number].as_dict()
    fit = step["fit"]
    gone = shown[record.step].as_dict() if record.step in shown and record.step not in own else {}
    columns = state.as_dict().get("vertex_properties")
    if columns is not None and columns is gone.get("vertex_properties"):  # which went with the step that was shown
        put(state, "vertex_properties", step["vertex_properties"])
    name = f"frames/{number}"
    put(state, "points", piece.source.stored(f"{name}/points"))
    if state.as_dict().get("normals") is not None:
        put(state, "normals", piece.source.stored(f"{name}/normals"))
    if state.as_dict().get("quaternions") is not None:
        put(state, "quaternions", None)
    if "model" in state.as_dict():
        put(state, "model", fit)
    else:
        put(entry(piece.node, "meta"), "fit", fit)
    for key in ("filename", "vertex_properties"):
        if key in step:
            put(entry(piece.node, "meta"), key, step[key])
    piece.edits["step"] = f"frame {number}"


def _edit_columns_of_step(piece: Piece, number: int, mesh: bpy.types.Mesh, step: Pairs) -> None:
    """Vertex properties of a step whose attributes were removed, added or converted; what they hold is fetched as it is now."""
    container = step.as_dict().get("vertex_properties")
    entries = state_of(container).as_dict().get("_properties") if type(container) is ObjectNode else None
    if type(entries) is not Pairs:
        return
    label = f"{piece.label}, frame {number}"
    source = Source(label, mesh, None)
    kinds, current, changed = column_kinds(source.column_records), source.columns(), []
    for name, value in entries.as_dict().items():
        if type(value) is not Stored:
            continue
        if name not in current:
            drop(entries, name)
            changed.append(f"without {name}")
        elif current[name].dtype != value.dtype or current[name].shape[1:] != kinds[name][1]:
            put(entries, name, piece.source.stored(f"frames/{number}/columns/{name}", current[name].dtype.str))
            changed.append(f"{name} as {_kind_of(current[name])}")
    for name, values in new_columns_of(source, piece.warnings, label).items():
        put(entries, name, values)
        changed.append(f"with {name}")
        piece.details.append(sum_of_bits(values, piece.source.ordered))
    if changed:
        piece.edits[f"vertex properties of {number}"] = f"frame {number} {', '.join(changed)}"


# --- points and faces ------------------------------------------------------------------------------------------------


def _edit_shape(piece: Piece, record: Record, spelling: Spelling) -> None:
    source, node = piece.source, piece.node
    state = state_of(node)
    fit = fit_of(node)
    if source.count != record.count:
        piece.edits["count"] = f"{source.count} points instead of {record.count}"
    elif source.points_sum() != record.points_sum:
        piece.edits["points"] = "points moved"
    if source.matrix is not None:
        piece.edits["matrix"] = "moved" if np.allclose(source.matrix[:3, :3], np.eye(3)) else "turned or scaled"
    reshaped = "count" in piece.edits or "points" in piece.edits or source.matrix is not None
    for key in ("points", "normals", "quaternions"):
        _renew(state, key, source, reshaped)
    _take_away(piece, state, spelling)
    _add_missing(piece, state)
    if "points" in piece.edits and not source.is_mesh:
        _tell_what_stays(piece, fit)
    if fit is None:
        if len(triangles_of(source.data)):
            _add_faces(piece, spelling)
        return
    parts = state_of(fit)
    triangles = parts.as_dict().get("triangles")
    if source.steps:
        _turn_steps(piece, record, fit)
    elif type(triangles) is Stored:
        _edit_faces(piece, record, fit, parts, reshaped, spelling)
    elif source.matrix is not None:
        if fit.cls.name in MESH_CLASSES:
            move_mesh(parts, source.matrix)
        elif not move_fit(fit, source.matrix):
            set_fit(node, None, spelling)
            piece.warnings.append(
                f"{piece.label}: its fit ({fit.cls.name}) cannot be moved along with its points and is left out."
            )


def _tell_what_stays(piece: Piece, fit: ObjectNode | None) -> None:
    """Warn of directions and a fit when points were moved under the object, not with it: Object > Apply turns points alone."""
    attributes = piece.source.attributes()
    staying = [key for key in (NORMALS, QUATERNIONS) if key in attributes]
    staying += [f"fit ({fit.cls.name})"] if fit is not None else []
    if staying:
        piece.warnings.append(
            f"{piece.label}: its points were moved, but not its {' and '.join(staying)}, which Blender's Apply and its Edit Mode "
            "leave as they are; undo that and move or turn the object, if these should follow."
        )


def _turn_steps(piece: Piece, record: Record, fit: ObjectNode) -> None:
    """Renew what the steps of a trajectory that was turned or scaled have of their faces; all else is fetched as it is now."""
    source = piece.source
    if source.matrix is None or only_moves(source.matrix):
        return
    entries = state_of(piece.node).as_dict()["trajectory"]
    known = [number for number in source.own_steps() if number < len(record.frames)]
    if len(entries) == len(known):  # all of them are in Blender
        fits = [each.as_dict()["fit"] for each in entries]
    else:
        fits = [entries[record.frames[number]].as_dict()["fit"] for number in known]
    sources = [source.step(number) for number in known]
    if not any(fit is other for other in fits):
        fits.append(fit)
        sources.append(source)
    for each, of_step in zip(fits, sources, strict=True):
        parts = state_of(each)
        if parts.as_dict().get("triangle_normals") is not None:
            put(parts, "triangle_normals", of_step.face_normals())


def _renew(entries: Pairs, key: str, source: Source, reshaped: bool) -> None:
    """Take from Blender what the node holds as an array, if it no longer is that."""
    values = array_of(entries.as_dict().get(key)) if reshaped else None
    if values is not None and values.ndim == 2:
        put(entries, key, source.stored(key, values.dtype.str))


def _take_away(piece: Piece, state: Pairs, spelling: Spelling) -> None:
    """Normals and quaternions whose attributes were removed. Those of a mesh are then the normals of its shape."""
    source = piece.source
    for key in (NORMALS, QUATERNIONS):
        value = state.as_dict().get(key)
        if type(value) is Stored and value.name == key and source.count and key not in source.attributes():
            piece.edits[key] = f"without {key}"
            if key == NORMALS and source.face_count():
                piece.edits[key] = "normals of its shape"
            elif key == QUATERNIONS or not spelling.filled:
                put(state, key, None)


def _add_missing(piece: Piece, state: Pairs) -> None:
    """Normals and quaternions that a geometry had not and the user gave it."""
    entries = state.as_dict()
    for key, width in ((NORMALS, 3), (QUATERNIONS, 4)):
        if entries.get(key) is None and key in entries:
            attribute = piece.source.data.attributes.get(key)
            if (
                attribute is not None
                and attribute.domain == "POINT"
                and KINDS.get(attribute.data_type, ("", 0))[1] == width
            ):
                put(state, key, piece.source.stored(key))
                piece.edits[key] = key
                piece.details.append(sum_of_bits(read_attribute(piece.source.data, key), piece.source.ordered))


def _edit_faces(
    piece: Piece, record: Record, fit: ObjectNode, parts: Pairs, reshaped: bool, spelling: Spelling
) -> None:
    source = piece.source
    entries = parts.as_dict()
    count, total = source.face_count(), source.faces_sum()
    if not count and record.faces:
        set_fit(piece.node, None, spelling)
        if state_of(piece.node).as_dict().get("representation") in MESH_REPRESENTATIONS:
            put(state_of(piece.node), "representation", "pointcloud")
        piece.edits["faces"] = "no faces any more, so it is written as points"
        return
    if count != record.faces:
        piece.edits["faces"] = f"{count} triangles instead of {record.faces}"
    elif total != record.faces_sum:
        source.flipped = _all_turned_round(source, record.faces_sum)
        piece.edits["faces"] = "faces turned round" if source.flipped else "faces changed"
        _renew(state_of(piece.node), "normals", source, source.flipped)
    reshaped = reshaped or "faces" in piece.edits
    _renew(parts, "vertices", source, reshaped)
    _renew(parts, "vertex_normals", source, reshaped)
    colors = array_of(entries.get("vertex_colors"))
    if colors is not None and colors.ndim == 2:
        current = read_vertex_colors(source.data, colors)
        if current is None:
            drop(parts, "vertex_colors")
        elif current.shape != colors.shape or not np.array_equal(current, colors, equal_nan=True):
            put(parts, "vertex_colors", current.astype(colors.dtype))
            piece.edits["vertex colors"] = "vertex colours"
            piece.details.append(blake2b(current.tobytes(), digest_size=16).hexdigest())
    if reshaped and entries.get("triangle_normals") is not None:
        put(parts, "triangle_normals", source.face_normals())


def _all_turned_round(source: Source, total: int) -> bool:
    """Whether the faces are those whose bits sum to `total`, each in the other direction, wherever it begins."""
    faces = source.triangles(np.dtype(np.int32))
    if not any(sum_of_bits(faces[:, order], source.ordered) == total for order in ([0, 2, 1], [2, 1, 0], [1, 0, 2])):
        return False
    # Other triangles of the same vertices may have that sum; those that were turned oppose the normals, which were not.
    normals = source.attributes().read(NORMALS)
    return normals is None or float(np.nansum(source.shape_normals() * normals)) < 0


def _add_faces(piece: Piece, spelling: Spelling) -> None:
    """Points that were given faces become a mesh."""
    source = piece.source
    model = new_mesh_model(
        source.stored("vertices", "<f8"),
        source.stored("triangles", "<i4"),
        source.stored("vertex_normals", "<f8"),
        spelling,
    )
    set_fit(piece.node, model, spelling)
    piece.edits["faces"] = f"{source.face_count()} triangles"


def _refuse_bad_faces(piece: Piece) -> None:
    """Mosaic crashes on a face with a corner that is nowhere."""
    positions = piece.source.positions()
    if np.isfinite(positions.sum(dtype=np.float64)):
        return
    bad = ~np.isfinite(positions).all(axis=1)
    if bad[piece.source.triangles(np.dtype(np.int32))].any():
        raise MosaicError(
            f"{piece.label}: some of its faces have corners that are not finite, on which Mosaic crashes; delete those vertices."
        )


# --- vertex properties -----------------------------------------------------------------------------------------------


def _edit_columns(piece: Piece, record: Record, spelling: Spelling) -> None:
    source = piece.source
    container = state_of(piece.node).as_dict().get("vertex_properties")
    entries = state_of(container).as_dict().get("_properties") if type(container) is ObjectNode else None
    old = entries.as_dict() if type(entries) is Pairs else {}
    renamed = _find_renamed(piece, record)
    kinds = column_kinds(source.column_records)
    current = source.columns()
    columns: dict[str, Node] = {}
    changed = []
    for name, value in old.items():
        if type(value) is Stored:
            if name in renamed:
                new = renamed[name]
                columns[new] = source.stored(f"columns/{new}", value.dtype)
                changed.append(f"{name} renamed to {new}")
            elif name not in current:
                changed.append(f"without {name}")
            elif current[name].dtype == value.dtype and current[name].shape[1:] == kinds[name][1]:
                columns[name] = value
            else:
                columns[name] = source.stored(f"columns/{name}", current[name].dtype.str)
                longer = current[name].dtype.kind == np.dtype(value.dtype).kind and kinds[name][2]
                changed.append(f"{name} as {'longer text' if longer else _kind_of(current[name])}")
        elif source.count == record.count:
            columns[name] = value
        else:
            changed.append(f"without {name}")
            piece.warnings.append(
                f"{piece.label}: its vertex property {name!r}, which Blender cannot hold, does not fit the edited points and is left out."
            )
    for name, values in current.items():
        if name not in old and name not in renamed.values():
            columns[name] = source.stored(f"columns/{name}", values.dtype.str)
            changed.append(f"with {name}")
    for name, values in new_columns_of(source, piece.warnings, piece.label).items():
        if name not in columns:
            columns[name] = values
            changed.append(f"with {name}")
            piece.details.append(sum_of_bits(values, piece.source.ordered))
    total = sum_of_columns(current, source.ordered)
    if changed:
        piece.edits["vertex properties"] = f"vertex properties {', '.join(changed)}"
    elif total != record.columns_sum and source.count == record.count:
        piece.edits["vertex properties"] = "values of vertex properties"
    if total != record.columns_sum:
        piece.details.append(total)
    if changed or (container is not None and source.count != record.count):
        set_columns(piece.node, columns, source.count, spelling)


def _tell_what_is_filled_in(piece: Piece, record: Record) -> None:
    """Warn of what Blender gives to points when one of the objects that are joined does not have an attribute."""
    source, attributes = piece.source, piece.source.attributes()
    filled = []
    normals, quaternions = attributes.read(NORMALS), attributes.read(QUATERNIONS)
    if normals is not None and not source.is_mesh and _is_in_one_part(normals, (0, 0, 0), record.count):
        filled.append("normals of length 0")
    if quaternions is not None and _is_in_one_part(quaternions, (1, 0, 0, 0), record.count):
        filled.append("quaternions of no turn")
    for name, parts in column_attributes(source.data, source.column_records).items():
        codes = [attributes.read(part) for part in parts]
        if codes and all(values is not None and _is_in_one_part(values, 0, record.count) for values in codes):
            texts = column_texts(source.data, name, source.column_records)
            filled.append(f"{name} {texts[0]!r}" if texts else f"{name} 0")
    for name, values in new_columns_of(source, [], "").items():
        if _is_in_one_part(values, 0, record.count):
            filled.append(f"{name} 0")
        if values.dtype == np.int32 and values.ndim == 1:
            piece.warnings.append(
                f"{piece.label}: {name!r} came with points that were joined; if it was text there, only the codes are left: "
                "undo that and join the other way round, into the object that has it, to keep texts."
            )
    if filled:
        piece.warnings.append(
            f"{piece.label}: points that were joined with others have {', '.join(filled)}, "
            "which Blender gives to what has no such attribute; set what they should have."
        )


def _is_in_one_part(values: Any, value: Any, count: int) -> bool:
    """Whether all rows of `values` before row `count`, or all from there on, are `value`, but not all of both."""
    is_there = (values == value).reshape(len(values), -1).all(axis=1)
    return bool(is_there[:count].all() != is_there[count:].all())


def _kind_of(values: Any) -> str:
    """What a vertex property is made of, in words."""
    kind = values.dtype.name
    return kind if values.ndim == 1 else f"{' x '.join(map(str, values.shape[1:]))} {kind}"


def _find_renamed(piece: Piece, record: Record) -> dict[str, str]:
    """The new names, by the old, of vertex properties whose attributes were renamed, from now on read by these.

    Another attribute cannot be told from a renamed one but by its values: all must be as they were.
    """
    source, before = piece.source, piece.source.column_records
    records = column_attributes(source.data, before)
    attributes = source.attributes()
    names = source.data.attributes.keys()
    gone = [name for name, parts in records.items() if len(parts) == 1 and parts[0] not in names]
    if not gone:
        return {}
    ours = {part for parts in records.values() for part in parts}
    added = [name for name in names if is_users_own(name) and name not in ours and name not in records]
    if len(gone) <= len(added) <= MAX_RENAMED:
        for order in permutations(added, len(gone)):
            renamed = dict(zip(gone, order, strict=True))
            if _are_the_same(source, record, renamed):
                return renamed
            source.column_records = before
    kinds = column_kinds(before)
    numbers = [name for name in added if attributes.kind(name) == (1, np.int32)]
    if numbers:
        piece.warnings += [
            f"{piece.label}: the texts of its vertex property {old!r} are left out with its attribute; "
            f"{' and '.join(map(repr, numbers))} {'is' if len(numbers) == 1 else 'are'} written as numbers."
            for old in gone
            if kinds[old][2]
        ]
    return {}


def _are_the_same(source: Source, record: Record, renamed: dict[str, str]) -> bool:
    """Whether all vertex properties are as they were if they are read by their new names, as they are from now on."""
    kinds = column_kinds(source.column_records)
    for old, new in renamed.items():
        source.column_records = renamed_column(source.column_records, old, new)
    try:
        columns = source.columns()
        for old, new in renamed.items():
            dtype, shape, _ = kinds[old]
            values = columns.get(new)
            if values is None or values.dtype != dtype or values.shape != (record.count, *shape):
                return False
        return source.columns_sum() == record.columns_sum
    except MosaicError:  # one holds no codes of texts
        return False


def is_users_own(name: str) -> bool:
    """Whether an attribute that stands for no vertex property yet is to become one."""
    return not name.startswith(".") and name not in RESERVED


def new_columns_of(source: Source, warnings: list[str], label: str) -> dict[str, Any]:
    """Attributes of points that the user made: they become vertex properties. Those that cannot get a warning each."""
    data, attributes = source.data, source.attributes()
    known = column_attributes(data, source.column_records)
    ours = {attribute for parts in known.values() for attribute in parts}
    added = {}
    names = data.attributes.keys()
    for name in names:
        if name in ours or not is_users_own(name):
            continue
        values = read_with_bits(attributes, name)
        if values is not None:
            added[name] = values
        elif data.attributes[name].domain == "POINT":
            kind = data.attributes[name].data_type
            warnings.append(
                f"{label}: its attribute {name!r} is left out, as Mosaic has no vertex properties of the type {kind}."
            )
    return added
