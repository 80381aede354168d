"""A scale bar: a length that is right in the plane of the session's middle, across the line of sight.

Without perspective it is right everywhere.
"""

from dataclasses import dataclass
from typing import Any, Final

import bpy
from mathutils import Vector

from ...session.errors import MosaicError
from ..drawing.node_tree import NodeProgram, shared_group
from ..outline.tree import objects_of
from . import overlay_nodes as parts
from .numbers import UNITS, round_number
from .overlay import add_item, color_of, inputs_of, middle_of, session_root, set_item

KIND: Final = "scale bar"
GROUP: Final = "Mosaic Scale Bar"
PART_OF_WIDTH: Final = 0.2  # of the picture, near which a length is chosen
INPUTS: Final = {
    "length": "Length",
    "unit": "Unit",
    "label": "Label",
    "across": "Across",
    "up": "Up",
    "thickness": "Thickness",
    "size": "Font Size",
    "margin": "Margin",
}
UNIT_LABELS: Final = {
    "": "Automatic",
    **{name: written for name, (_, written) in UNITS.items()},
}  # as the menu has them
GAP: Final = 0.35  # between bar and label, in sizes of the font


@dataclass(frozen=True, slots=True)
class ScaleBar:
    """A scale bar.

    length: in angstrom; 0 chooses 1, 2 or 5 x 10^n near a fifth of the picture's width. unit: "angstrom", "nm" or "um"
    of the label; "" chooses. across, up: where it stands in the picture, from -1 (left, below) to 1. thickness, size,
    margin: of the bar, of the label's font, and to the border, in points of the print. color: display values.
    """

    length: float = 0.0
    unit: str = ""
    label: bool = True
    across: float = 1.0
    up: float = -1.0
    thickness: float = 2.0
    size: float = 7.0
    margin: float = 6.0
    color: tuple[float, float, float] = (0.0, 0.0, 0.0)


def add_scale_bar(
    scene: bpy.types.Scene, session: bpy.types.Collection, options: ScaleBar | None = None
) -> bpy.types.Object:
    """Add a scale bar to what a scene's camera sees, right at the middle of what is visible of a session.

    session: its collection. Raises MosaicError without a camera, for a negative length and an unknown unit.
    """
    options = options or ScaleBar()
    root = session_root(session)
    inputs = {"Session": root, "Middle": middle_of(root, objects_of(session)), **_inputs(options)}
    return add_item(scene, KIND, shared_group(GROUP, "GeometryNodeTree", 1, _build), inputs, options.color)


def scale_bar_of(obj: bpy.types.Object) -> ScaleBar:
    """Return what a scale bar is set to."""
    values = inputs_of(obj, INPUTS.values())
    settings = dict(zip(INPUTS, values, strict=True))
    settings["unit"] = next(unit for unit, label in UNIT_LABELS.items() if label == settings["unit"])
    return ScaleBar(**settings, color=color_of(obj))


def set_scale_bar(obj: bpy.types.Object, options: ScaleBar) -> None:
    """Change a scale bar. Raises MosaicError for a negative length and an unknown unit."""
    set_item(obj, _inputs(options), options.color)


def automatic_length(scene: bpy.types.Scene, obj: bpy.types.Object, evaluated: bpy.types.Object) -> float:
    """Return the length, in angstrom, that is chosen for a scale bar without one.

    evaluated: the same object with what the scene and its camera drive.
    """
    session, middle = inputs_of(obj, ("Session", "Middle"))
    view, width = inputs_of(evaluated, ("View Width", "Picture Width"))
    camera = scene.camera
    if session is None or camera is None:
        return 1.0
    place = camera.matrix_world.normalized().inverted_safe() @ (session.matrix_world @ Vector(middle))
    depth = 1.0 if camera.data.type == "ORTHO" else max(-place.z, 1e-6)
    per_angstrom = session.matrix_world.to_scale().x * width / (view * depth)
    return round_number(PART_OF_WIDTH * width / per_angstrom)


def _inputs(options: ScaleBar) -> dict[str, Any]:
    """What the inputs of the group are set to."""
    if options.unit not in ("", *UNITS):
        raise MosaicError(f"There is no unit {options.unit!r}; there are {', '.join(UNITS)}.")
    if not 0 <= options.length < float("inf"):
        raise MosaicError(f"A scale bar cannot be {options.length:g} angstrom long.")
    inputs = {name: getattr(options, field) for field, name in INPUTS.items()}
    return {**inputs, "Unit": UNIT_LABELS[options.unit]}


def _build(program: NodeProgram) -> None:
    program.input("Session", "Object", "Whose lengths it shows: the session's root")
    program.input("Middle", "Vector", "Of the session, in angstrom: the length is right at its distance")
    program.input("Length", "Float", "Angstrom; 0 chooses a round length", min_value=0)
    program.input("Unit", "Menu", "Of the label")
    program.input("Label", "Bool", "Write the length above the bar", default_value=True)
    program.input("Thickness", "Float", "Points of the print", default_value=2, min_value=0)
    program.input("Font Size", "Float", "Points of the print", default_value=7, min_value=0)
    parts.declare_view(program)
    parts.declare_place(program, 1, -1)
    program.output("Geometry", "Geometry")
    start = program.node("NodeGroupInput").outputs
    per_angstrom = points_per_angstrom(program, start)
    fitting = program.math("MULTIPLY", start["Picture Width"], PART_OF_WIDTH)
    automatic = parts.round_number(program, program.math("DIVIDE", fitting, per_angstrom))
    chosen = program.math("GREATER_THAN", start["Length"], 0.0)
    length = program.switch(chosen, automatic, start["Length"], "Length", "FLOAT")
    bar = parts.box(program, "Bar", program.math("MULTIPLY", length, per_angstrom), start["Thickness"])
    label = parts.text(program, _label(program, start, length), start["Font Size"])
    above = program.math("MULTIPLY_ADD", start["Font Size"], GAP, program.math("MULTIPLY", start["Thickness"], 0.5))
    label = program.switch(start["Label"], parts.joined(program), parts.moved(program, label, 0.0, above), "Label?")
    # By the bar alone, so that bars with and without label, and of long and short ones, end at one place.
    item = parts.joined(program, bar, label)
    program.node("NodeGroupOutput", inputs={"Geometry": parts.inked(program, parts.placed(program, start, item))})
    next(item for item in program.tree.interface.items_tree if item.name == "Unit").default_value = UNIT_LABELS[""]


def points_per_angstrom(program: NodeProgram, start: bpy.types.bpy_prop_collection) -> bpy.types.NodeSocket:
    """Add how many points of the print an angstrom is long, at the distance of the session's middle."""
    root = program.node("GeometryNodeObjectInfo", "Root", {"Object": start["Session"]}).outputs
    scale = program.node("ShaderNodeSeparateXYZ", inputs={"Vector": root["Scale"]}).outputs["X"]
    middle = program.node(
        "FunctionNodeTransformPoint", "Middle", {"Vector": start["Middle"], "Transform": root["Transform"]}
    ).outputs[0]
    return program.math("MULTIPLY", scale, parts.seen(program, start, middle).scale)


def _label(
    program: NodeProgram, start: bpy.types.bpy_prop_collection, length: bpy.types.NodeSocket
) -> bpy.types.NodeSocket:
    """Add the text of a length, in a fitting unit or the chosen one; see `length_text` in numbers."""
    long, longer = (program.math("GREATER_THAN", length, border) for border in (9.99, 9_990.0))
    fitting = program.math("ADD", program.math("ADD", long, longer), 1.0)
    menu = program.node("GeometryNodeMenuSwitch", "Unit", data_type="FLOAT")
    menu.enum_items.clear()
    for label in UNIT_LABELS.values():
        menu.enum_items.new(label)
    program.connect(start["Unit"], menu.inputs["Menu"])
    program.connect(fitting, menu.inputs[UNIT_LABELS[""]])
    for number, name in enumerate(UNITS, start=1):
        menu.inputs[UNIT_LABELS[name]].default_value = number
    unit = menu.outputs["Output"]
    size: object = 1.0
    symbol: object = None
    for number, (angstrom, written) in enumerate(UNITS.values(), start=1):
        here = program.math("COMPARE", unit, float(number), 0.5)
        size = program.switch(here, size, angstrom, "Size of the unit", "FLOAT")
        text = parts.constant(program, f" {written}")
        symbol = text if symbol is None else program.switch(here, symbol, text, "Unit", "STRING")
    value = program.math("DIVIDE", length, size)
    return parts.joined_text(program, parts.number_text(program, value, parts.decimals(program, value)), symbol)
