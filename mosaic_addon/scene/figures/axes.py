"""The session's directions as small arrows in a corner, as in Mosaic's window, and its bounding box with ticks."""

from dataclasses import dataclass
from math import pi
from typing import Any, Final

import bpy
import numpy as np
from mathutils import Vector

from ...session.errors import MosaicError
from ..drawing.materials import axis_material
from ..drawing.node_tree import NodeProgram, shared_group
from ..keys import SWATCH, TOMOGRAM_SIZE
from ..outline.tree import objects_of
from ..pictures.camera import visible_points
from . import overlay_nodes as parts
from .overlay import add_item, color_of, draw_item, inputs_of, link_item, session_root, set_item
from .scale_bar import points_per_angstrom

KIND: Final = "axes"
BOX: Final = "bounding box"
GROUP: Final = "Mosaic Corner Axes"
BOX_GROUP: Final = "Mosaic Bounding Box"
SHAFT, HEAD, HEAD_LENGTH = 0.04, 0.1, 0.28  # radii and a length, in lengths of an arrow
FLAT: Final = 0.01
TICKS: Final = 8.0  # near how many on the longest side


@dataclass(frozen=True, slots=True)
class Axes:
    """Arrows along a session's x, y and z.

    length: of an arrow, size: of the font, margin: to the border, in points of the print. across, up: where they stand
    in the picture, from -1 (left, below) to 1. color: of the letters, display values.
    """

    length: float = 20.0
    across: float = -1.0
    up: float = -1.0
    size: float = 7.0
    margin: float = 6.0
    color: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class BoundingBox:
    """The box around a session. step: between ticks, in angstrom; 0 chooses. line: width in points of the print."""

    step: float = 0.0
    line: float = 0.5
    color: tuple[float, float, float] = (0.3, 0.3, 0.3)


AXES_INPUTS: Final = {"length": "Length", "across": "Across", "up": "Up", "size": "Font Size", "margin": "Margin"}
BOX_INPUTS: Final = {"step": "Step", "line": "Line Width"}


def add_axes(scene: bpy.types.Scene, session: bpy.types.Collection, options: Axes | None = None) -> bpy.types.Object:
    """Add a session's axes to what a scene's camera sees. session: its collection. Raises MosaicError without a camera."""
    options = options or Axes()
    inputs = {"Session": session_root(session), **{name: getattr(options, key) for key, name in AXES_INPUTS.items()}}
    return add_item(scene, KIND, shared_group(GROUP, "GeometryNodeTree", 1, _build_axes), inputs, options.color)


def axes_of(obj: bpy.types.Object) -> Axes:
    """Return what axes are set to."""
    return Axes(**dict(zip(AXES_INPUTS, inputs_of(obj, AXES_INPUTS.values()), strict=True)), color=color_of(obj))


def set_axes(obj: bpy.types.Object, options: Axes) -> None:
    """Change axes."""
    set_item(obj, {name: getattr(options, key) for key, name in AXES_INPUTS.items()}, options.color)


def add_bounding_box(
    scene: bpy.types.Scene, session: bpy.types.Collection, options: BoundingBox | None = None
) -> bpy.types.Object:
    """Add the box of the tomogram around a session, or of its points where the session does not know its tomogram.

    session: its collection. Raises MosaicError for a session without size or points.
    """
    options = options or BoundingBox()
    root = session_root(session)
    low, high = _bounds(session, root)
    obj = bpy.data.objects.new(BOX.capitalize(), bpy.data.meshes.new(BOX.capitalize()))
    link_item(scene, obj, BOX)
    obj.parent = root
    inputs = {
        "Session": root,
        "Low": low,
        "High": high,
        "Middle": (low + high) / 2,
        **{name: getattr(options, key) for key, name in BOX_INPUTS.items()},
    }
    draw_item(scene, obj, shared_group(BOX_GROUP, "GeometryNodeTree", 1, _build_box), inputs, options.color)
    return obj


def bounding_box_of(obj: bpy.types.Object) -> BoundingBox:
    """Return what a bounding box is set to."""
    return BoundingBox(**dict(zip(BOX_INPUTS, inputs_of(obj, BOX_INPUTS.values()), strict=True)), color=color_of(obj))


def set_bounding_box(obj: bpy.types.Object, options: BoundingBox) -> None:
    """Change a bounding box."""
    set_item(obj, {name: getattr(options, key) for key, name in BOX_INPUTS.items()}, options.color)


def _bounds(session: bpy.types.Collection, root: bpy.types.Object) -> tuple[Vector, Vector]:
    """The lowest and highest corner of a session, in angstrom. Raises MosaicError without any."""
    size = TOMOGRAM_SIZE.read(session)
    if size is not None:
        return Vector(), Vector(size)
    points = visible_points(objects_of(session))
    if not len(points):
        raise MosaicError(f"{session.name!r} has neither a size nor visible points, so it has no bounding box.")
    matrix = np.array(root.matrix_world.inverted_safe())
    inside = points @ matrix[:3, :3].T + matrix[:3, 3]
    return Vector(inside.min(axis=0).tolist()), Vector(inside.max(axis=0).tolist())


def _build_axes(program: NodeProgram) -> None:
    program.input("Session", "Object", "Whose directions they show: the session's root")
    program.input("Length", "Float", "Of an arrow, in points of the print", default_value=20, min_value=0.1)
    program.input("Font Size", "Float", "Points of the print", default_value=7, min_value=0)
    parts.declare_place(program, -1, -1)
    program.output("Geometry", "Geometry")
    start = program.node("NodeGroupInput").outputs
    root = program.node("GeometryNodeObjectInfo", "Root", {"Object": start["Session"]}).outputs
    camera = program.node("GeometryNodeInputActiveCamera").outputs[0]
    eye = program.node("GeometryNodeObjectInfo", "Camera", {"Object": camera}).outputs
    back = program.node("FunctionNodeInvertRotation", inputs={"Rotation": eye["Rotation"]}).outputs[0]
    turn = program.node(
        "FunctionNodeRotateRotation", "As seen", {"Rotation": root["Rotation"], "Rotate By": back}
    ).outputs[0]
    arrow = _arrow(program, start["Length"])
    arrows, letters = [], []
    for axis, rotation, direction in (
        ("X", (0, pi / 2, 0), (1, 0, 0)),
        ("Y", (-pi / 2, 0, 0), (0, 1, 0)),
        ("Z", (0, 0, 0), (0, 0, 1)),
    ):
        turned = program.node("GeometryNodeTransform", axis, {"Geometry": arrow, "Rotation": rotation}).outputs[0]
        inputs = {"Geometry": turned, "Material": axis_material(axis)}
        arrows.append(program.node("GeometryNodeSetMaterial", axis, inputs).outputs[0])
        reach = program.math("MULTIPLY_ADD", start["Font Size"], 0.6, start["Length"])
        tip = program.node("FunctionNodeRotateVector", "Tip", {"Vector": direction, "Rotation": turn}).outputs[0]
        at = program.node("ShaderNodeSeparateXYZ", inputs={"Vector": program.vector("SCALE", tip, scale=reach)}).outputs
        letter = parts.text(program, parts.constant(program, axis), start["Font Size"])
        down = program.math("MULTIPLY_ADD", start["Font Size"], -parts.CAPITALS / 2, at["Y"])
        letters.append(parts.moved(program, letter, at["X"], down, program.math("MULTIPLY", at["Z"], FLAT)))
    inputs = {"Geometry": parts.joined(program, *arrows), "Rotation": turn}
    seen = program.node("GeometryNodeTransform", "As seen", inputs).outputs[0]
    inputs = {"Geometry": seen, "Name": SWATCH, "Value": 1.0}
    plain = program.node("GeometryNodeStoreNamedAttribute", "Plain", inputs, data_type="FLOAT", domain="POINT").outputs[
        0
    ]
    # Nearly flat, since the plane lies close to the camera.
    plain = program.node("GeometryNodeTransform", "Flat", {"Geometry": plain, "Scale": (1, 1, FLAT)}).outputs[0]
    item = parts.joined(program, plain, parts.inked(program, parts.joined(program, *letters)))
    program.node("NodeGroupOutput", inputs={"Geometry": parts.placed(program, start, item)})


def _arrow(program: NodeProgram, length: Any) -> bpy.types.NodeSocket:
    """Add an arrow along z, from the origin."""
    shaft_length = program.math("MULTIPLY", length, 1 - HEAD_LENGTH)
    shaft = program.node(
        "GeometryNodeMeshCylinder",
        "Shaft",
        {"Vertices": 12, "Radius": program.math("MULTIPLY", length, SHAFT), "Depth": shaft_length},
    ).outputs["Mesh"]
    head = program.node(
        "GeometryNodeMeshCone",
        "Head",
        {
            "Vertices": 16,
            "Radius Bottom": program.math("MULTIPLY", length, HEAD),
            "Depth": program.math("MULTIPLY", length, HEAD_LENGTH),
        },
    ).outputs["Mesh"]
    return parts.joined(
        program,
        parts.moved(program, shaft, z=program.math("MULTIPLY", shaft_length, 0.5)),
        parts.moved(program, head, z=shaft_length),
    )


def _build_box(program: NodeProgram) -> None:
    program.input("Session", "Object", "The session's root")
    for name in ("Low", "High", "Middle"):
        program.input(name, "Vector", "Of the box, in angstrom")
    program.input("Step", "Float", "Between ticks, in angstrom; 0 chooses", min_value=0)
    program.input("Line Width", "Float", "Points of the print", default_value=0.5, min_value=0)
    parts.declare_view(program)
    parts.declare_picture(program)
    program.output("Geometry", "Geometry")
    start = program.node("NodeGroupInput").outputs
    size = program.vector("SUBTRACT", start["High"], start["Low"])
    sides = program.node("ShaderNodeSeparateXYZ", inputs={"Vector": size}).outputs
    longest = program.math("MAXIMUM", program.math("MAXIMUM", sides["X"], sides["Y"]), sides["Z"])
    automatic = parts.round_number(program, program.math("DIVIDE", program.math("MAXIMUM", longest, 1e-6), TICKS))
    chosen = program.math("GREATER_THAN", start["Step"], 0.0)
    step = program.switch(chosen, automatic, start["Step"], "Step", "FLOAT")
    cube = program.node("GeometryNodeMeshCube", "Box", {"Size": size}).outputs["Mesh"]
    inputs = {"Geometry": cube, "Translation": start["Middle"]}
    lines = [program.node("GeometryNodeTransform", inputs=inputs).outputs[0]]
    tick = program.math("MULTIPLY", longest, 0.012)
    for axis, outwards in (("X", (0, -1, 0)), ("Y", (-1, 0, 0)), ("Z", (-1, 0, 0))):
        along = program.node("ShaderNodeCombineXYZ", inputs={axis: step}).outputs[0]
        count = program.math(
            "FLOOR", program.math("MULTIPLY_ADD", program.math("DIVIDE", sides[axis], step), 1.00001, 1.0)
        )
        places = program.node(
            "GeometryNodeMeshLine", axis, {"Count": count, "Start Location": start["Low"], "Offset": along}
        ).outputs["Mesh"]
        end = program.vector("SCALE", outwards, scale=tick)
        one = program.node("GeometryNodeMeshLine", "Tick", {"Count": 2, "Offset": end}).outputs["Mesh"]
        inputs = {"Points": places, "Instance": one}
        ticks = program.node("GeometryNodeInstanceOnPoints", f"Ticks along {axis}", inputs).outputs[0]
        lines.append(program.node("GeometryNodeRealizeInstances", inputs={"Geometry": ticks}).outputs[0])
    curves = program.node("GeometryNodeMeshToCurve", "Lines", {"Mesh": parts.joined(program, *lines)}).outputs[0]
    radius = program.math(
        "DIVIDE", program.math("MULTIPLY", start["Line Width"], 0.5), points_per_angstrom(program, start)
    )
    profile = program.node("GeometryNodeCurvePrimitiveCircle", "Profile", {"Resolution": 6, "Radius": radius})
    tubes = program.node(
        "GeometryNodeCurveToMesh", "Tubes", {"Curve": curves, "Profile Curve": profile.outputs["Curve"]}
    ).outputs[0]
    program.node("NodeGroupOutput", inputs={"Geometry": parts.inked(program, tubes)})
