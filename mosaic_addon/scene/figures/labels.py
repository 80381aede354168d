"""Labels of objects, with a line to what they name, and texts of the picture: its title, the letter of a panel."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import bpy

from ...session.errors import MosaicError
from ..drawing.ink import ink_material, set_ink
from ..drawing.node_tree import NodeProgram, shared_group
from ..outline.tree import name_of
from . import overlay_nodes as parts
from .overlay import add_item, color_of, inputs_of, middle_of, set_item

KIND: Final = "label"
TEXT: Final = "text"
GROUP: Final = "Mosaic Label"
TEXT_GROUP: Final = "Mosaic Text"
GAP: Final = 0.35  # between line and text, in sizes of the font


@dataclass(frozen=True, slots=True)
class Label:
    """The label of an object.

    text: "" for the object's name. offset: from the place that it names to where the line ends, right and up, in points
    of the print; (0, 0) writes the text over the place, without a line. size: of the font; line: its width; halo: of
    the rim around text and line; in points. color: display values; the rim is white around dark text, else black.
    """

    text: str = ""
    offset: tuple[float, float] = (14.0, 14.0)
    size: float = 7.0
    line: float = 0.5
    halo: float = 0.7
    color: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class PictureText:
    """A text of the picture, such as its title or the letter of a panel.

    across, up: where it stands in the picture, from -1 (left, below) to 1. size: of the font, and margin: to the
    border, in points of the print. color: display values.
    """

    text: str
    across: float = -1.0
    up: float = 1.0
    size: float = 9.0
    margin: float = 6.0
    color: tuple[float, float, float] = (0.0, 0.0, 0.0)


LABEL_INPUTS: Final = {"text": "Text", "size": "Font Size", "line": "Line Width", "halo": "Halo Width"}
TEXT_INPUTS: Final = {"text": "Text", "across": "Across", "up": "Up", "size": "Font Size", "margin": "Margin"}


def add_label(
    scene: bpy.types.Scene,
    objects: Sequence[bpy.types.Object],
    options: Label | None = None,
    point: tuple[float, float, float] | None = None,
) -> bpy.types.Object:
    """Add a label to what a scene's camera sees, which always faces it and follows what it names.

    objects: what it names; the first gives its name. point: where, in the first one's coordinates; by default the
    middle of all of them. Raises MosaicError without objects or camera.
    """
    if not objects:
        raise MosaicError("Select what the label is to name.")
    options = options or Label()
    first = objects[0]
    place = middle_of(first, objects) if point is None else point
    inputs = {
        "Object": first,
        "Place": place,
        **_label_inputs(options),
        "Text": options.text or name_of(first),
        "Halo": ink_material("Halo", contrast(options.color)),
    }
    return add_item(scene, KIND, shared_group(GROUP, "GeometryNodeTree", 1, _build_label), inputs, options.color)


def label_of(obj: bpy.types.Object) -> Label:
    """Return what a label is set to."""
    settings = dict(zip(LABEL_INPUTS, inputs_of(obj, LABEL_INPUTS.values()), strict=True))
    right, up = inputs_of(obj, ("Offset X", "Offset Y"))
    return Label(**settings, offset=(right, up), color=color_of(obj))


def set_label(obj: bpy.types.Object, options: Label) -> None:
    """Change a label."""
    set_item(obj, _label_inputs(options), options.color)
    (rim,) = inputs_of(obj, ("Halo",))
    if rim is not None:
        set_ink(rim, contrast(options.color))


def add_text(scene: bpy.types.Scene, options: PictureText) -> bpy.types.Object:
    """Add a text to the picture. Raises MosaicError without a camera."""
    return add_item(
        scene, TEXT, shared_group(TEXT_GROUP, "GeometryNodeTree", 1, _build_text), _text_inputs(options), options.color
    )


def text_of(obj: bpy.types.Object) -> PictureText:
    """Return what a text of the picture is set to."""
    return PictureText(**dict(zip(TEXT_INPUTS, inputs_of(obj, TEXT_INPUTS.values()), strict=True)), color=color_of(obj))


def set_text(obj: bpy.types.Object, options: PictureText) -> None:
    """Change a text of the picture."""
    set_item(obj, _text_inputs(options), options.color)


def contrast(color: Iterable[float]) -> tuple[float, float, float]:
    """Return the display values of white for a dark colour, of black for a light one."""
    return (1.0, 1.0, 1.0) if sum(color) < 1.5 else (0.0, 0.0, 0.0)


def _label_inputs(options: Label) -> dict[str, Any]:
    """What the inputs of a label are set to."""
    right, up = options.offset
    inputs = {name: getattr(options, field) for field, name in LABEL_INPUTS.items()}
    return {**inputs, "Offset X": right, "Offset Y": up}


def _text_inputs(options: PictureText) -> dict[str, Any]:
    """What the inputs of a text are set to."""
    return {name: getattr(options, field) for field, name in TEXT_INPUTS.items()}


def _build_text(program: NodeProgram) -> None:
    program.input("Text", "String", "What is written")
    program.input("Font Size", "Float", "Points of the print", default_value=9, min_value=0)
    parts.declare_place(program, -1, 1)
    program.output("Geometry", "Geometry")
    start = program.node("NodeGroupInput").outputs
    text = parts.text(program, start["Text"], start["Font Size"], "LEFT")
    program.node("NodeGroupOutput", inputs={"Geometry": parts.inked(program, parts.placed(program, start, text))})


def _build_label(program: NodeProgram) -> None:
    program.input("Object", "Object", "What it names")
    program.input("Place", "Vector", "What it points at, in the object's coordinates")
    program.input("Text", "String", "What is written")
    program.input("Offset X", "Float", "To the end of the line, to the right, in points of the print")
    program.input("Offset Y", "Float", "To the end of the line, upwards, in points of the print")
    program.input("Font Size", "Float", "Points of the print", default_value=7, min_value=0)
    program.input("Line Width", "Float", "Points of the print", default_value=0.5, min_value=0)
    program.input("Halo Width", "Float", "Points of the print", default_value=0.7, min_value=0)
    program.input("Halo", "Material", "Of the rim around text and line")
    parts.declare_view(program)
    parts.declare_picture(program)
    program.output("Geometry", "Geometry")
    start = program.node("NodeGroupInput").outputs
    named = program.node("GeometryNodeObjectInfo", "What it names", {"Object": start["Object"]}).outputs
    point = program.node(
        "FunctionNodeTransformPoint", "Place", {"Vector": start["Place"], "Transform": named["Transform"]}
    ).outputs[0]
    view = parts.seen(program, start, point)
    at = program.node("ShaderNodeSeparateXYZ", inputs={"Vector": view.place}).outputs
    x, y = (
        program.math("SUBTRACT", program.math("MULTIPLY", at[axis], view.scale), start[f"Shift {axis}"])
        for axis in ("X", "Y")
    )
    right, up = start["Offset X"], start["Offset Y"]
    letters, rim = parts.text_with_halo(program, start["Text"], start["Font Size"], start["Halo Width"], start["Halo"])
    beyond = _beyond(program, start, letters, right, up)
    end = program.node("ShaderNodeCombineXYZ", inputs={"X": right, "Y": up}).outputs[0]
    line = program.node("GeometryNodeCurvePrimitiveLine", "Line", {"Start": (0, 0, 0), "End": end}).outputs[0]
    radius = program.math("MULTIPLY", start["Line Width"], 0.5)
    profile = program.node("GeometryNodeCurvePrimitiveCircle", "Profile", {"Resolution": 6, "Radius": radius})
    tube = program.node(
        "GeometryNodeCurveToMesh", "Line", {"Curve": line, "Profile Curve": profile.outputs["Curve"], "Fill Caps": True}
    ).outputs[0]
    wide = program.math("ADD", radius, start["Halo Width"])
    rims = parts.joined(program, parts.moved(program, rim, *beyond), parts.halo(program, line, wide, start["Halo"]))
    rims = program.switch(program.math("GREATER_THAN", start["Halo Width"], 0.0), parts.joined(program), rims, "Halo?")
    drawn = parts.inked(program, parts.joined(program, parts.moved(program, letters, *beyond), tube))
    label = parts.moved(program, parts.joined(program, drawn, rims), x, y)
    # What lies behind the camera, or was deleted, has no label.
    ahead = program.math("LESS_THAN", at["Z"], 0.0)
    label = program.switch(ahead, parts.joined(program), label, "Before the camera?")
    program.node("NodeGroupOutput", inputs={"Geometry": label})


def _beyond(
    program: NodeProgram, start: Any, text: bpy.types.NodeSocket, right: Any, up: Any
) -> tuple[bpy.types.NodeSocket, bpy.types.NodeSocket]:
    """Add how far a text is moved to the far end of its line: beside a flat line, above or below a steep one."""
    bounds = program.node("GeometryNodeBoundBox", inputs={"Geometry": text}).outputs
    size = program.node(
        "ShaderNodeSeparateXYZ", inputs={"Vector": program.vector("SUBTRACT", bounds["Max"], bounds["Min"])}
    ).outputs
    gap = program.math("MULTIPLY", start["Font Size"], GAP)
    flat = program.math(
        "GREATER_THAN", program.math("ADD", program.math("ABSOLUTE", right), 1e-3), program.math("ABSOLUTE", up)
    )
    height = program.math("MULTIPLY", start["Font Size"], parts.CAPITALS)
    half_width, half_height = (program.math("MULTIPLY_ADD", side, 0.5, gap) for side in (size["X"], height))
    x = program.math("MULTIPLY", program.math("SIGN", right), program.math("MULTIPLY", half_width, flat))
    steep = program.math("SUBTRACT", 1.0, flat)
    y = program.math("MULTIPLY", program.math("SIGN", up), program.math("MULTIPLY", half_height, steep))
    baseline = program.math("MULTIPLY_ADD", height, -0.5, program.math("ADD", y, up))
    return program.math("ADD", x, right), baseline
