"""Parts of what lies on the plane before the camera, as Geometry Nodes: text, boxes, corners, round numbers.

Lengths are in points of the print.
"""

from typing import Any, Final, Literal

import bpy

from ..compat import text_node
from ..drawing.node_tree import NodeProgram

EM: Final = 0.935  # of Blender's own font: how high its em is at size 1, by the height of its capitals
CAPITALS: Final = 0.73  # height of the font's capitals and digits, in sizes of the font
MARGIN: Final = 6.0  # points from the picture's border

Align = Literal["LEFT", "CENTER", "RIGHT"]


def text(program: NodeProgram, string: Any, size: Any, align: Align = "CENTER") -> bpy.types.NodeSocket:
    """Add a line of text on a baseline through the origin. size: of the font, as a text program counts it."""
    height = program.math("DIVIDE", size, EM)
    letters = text_node(program.tree, align)
    program.connect(string, letters.inputs["String"])
    program.connect(height, letters.inputs["Size"])
    filled = program.node("GeometryNodeFillCurve", "Letters", {"Curve": letters.outputs[0]})
    return program.node("GeometryNodeRealizeInstances", inputs={"Geometry": filled.outputs[0]}).outputs[0]


def box(program: NodeProgram, label: str, width: Any, height: Any, x: Any = 0.0, y: Any = 0.0) -> bpy.types.NodeSocket:
    """Add a filled rectangle. x, y: of its middle."""
    grid = program.node(
        "GeometryNodeMeshGrid", label, {"Size X": width, "Size Y": height, "Vertices X": 2, "Vertices Y": 2}
    )
    return moved(program, grid.outputs[0], x, y)


def moved(
    program: NodeProgram, geometry: bpy.types.NodeSocket, x: Any = 0.0, y: Any = 0.0, z: Any = 0.0
) -> bpy.types.NodeSocket:
    """Add a shift of a geometry. z: towards the camera."""
    place = program.node("ShaderNodeCombineXYZ", inputs={"X": x, "Y": y, "Z": z}).outputs[0]
    return program.node("GeometryNodeTransform", inputs={"Geometry": geometry, "Translation": place}).outputs[0]


def joined(program: NodeProgram, *geometries: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
    """Add a union of geometries; nothing where there are none."""
    # Several links of one input end in the reverse of the order in which they were made.
    inputs = {"Geometry": list(geometries[::-1])} if geometries else {}
    return program.node("GeometryNodeJoinGeometry", inputs=inputs).outputs[0]


def declare_place(program: NodeProgram, across: float, up: float) -> None:
    """Declare the inputs that say where in the picture an item stands. across, up: their defaults, -1 to 1."""
    for name, tip, default in (
        ("Across", "-1 is the left border of the picture, 1 the right one", across),
        ("Up", "-1 is the lower border of the picture, 1 the upper one", up),
    ):
        program.input(name, "Float", tip, default_value=default, min_value=-1, max_value=1)
    program.input("Margin", "Float", "From the border, in points of the print", default_value=MARGIN)
    for name in ("Picture Width", "Picture Height"):
        program.input(name, "Float", "In points of the print; driven by the scene", default_value=241)


def placed(program: NodeProgram, start: Any, geometry: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
    """Add the shift that brings a geometry to its place in the picture. start: the outputs of the group's inputs."""
    bounds = program.node("GeometryNodeBoundBox", inputs={"Geometry": geometry}).outputs
    low, high = (
        program.node("ShaderNodeSeparateXYZ", inputs={"Vector": bounds[name]}).outputs for name in ("Min", "Max")
    )
    shifts = []
    for where, side, axis in (("Across", "Picture Width", "X"), ("Up", "Picture Height", "Y")):
        half = program.math("SUBTRACT", program.math("MULTIPLY", start[side], 0.5), start["Margin"])
        # At -1 the lower end lies on the border, at 1 the upper one.
        part = program.math("MULTIPLY_ADD", start[where], 0.5, 0.5)
        extent = program.math("SUBTRACT", high[axis], low[axis])
        point = program.math("ADD", low[axis], program.math("MULTIPLY", extent, part))
        shifts.append(program.math("SUBTRACT", program.math("MULTIPLY", half, start[where]), point))
    return moved(program, geometry, *shifts)


def inked(program: NodeProgram, geometry: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
    """Give a geometry the slot of the item's material."""
    return program.node("GeometryNodeSetMaterial", "The item's ink", {"Geometry": geometry}).outputs[0]


def power_of_ten(program: NodeProgram, exponent: Any) -> bpy.types.NodeSocket:
    """Add 10 to the power of a number."""
    return program.math("POWER", 10.0, exponent)


def round_number(program: NodeProgram, value: Any) -> bpy.types.NodeSocket:
    """Add the number 1, 2 or 5 x 10^n that is nearest to a positive number, in ratio; see `round_number` in numbers."""
    exponent = program.math("FLOOR", program.math("LOGARITHM", value, 10.0))
    decade = power_of_ten(program, exponent)
    lead = program.math("DIVIDE", value, decade)
    first, second, third = (program.math("GREATER_THAN", lead, border) for border in (2**0.5, 10**0.5, 50**0.5))
    # 1, and 1 more from the first border on, 3 more from the second, 5 more from the third.
    step = program.math("MULTIPLY_ADD", second, 3.0, program.math("ADD", first, 1.0))
    step = program.math("MULTIPLY_ADD", third, 5.0, step)
    return program.math("MULTIPLY", step, decade)


def decimals(program: NodeProgram, value: Any) -> bpy.types.NodeSocket:
    """Add how many decimals, up to 3, a number is written with; see `decimals` in numbers."""
    count: Any = 3.0
    for places in (2.0, 1.0, 0.0):
        scaled = program.math("MULTIPLY", value, 10.0**places)
        off = program.math("ABSOLUTE", program.math("SUBTRACT", scaled, program.math("ROUND", scaled)))
        whole = program.math(
            "LESS_THAN", off, program.math("MULTIPLY_ADD", program.math("ABSOLUTE", scaled), 1e-4, 1e-6)
        )
        count = program.switch(whole, count, places, "Decimals", "FLOAT")
    return count


def number_text(program: NodeProgram, value: Any, places: Any) -> bpy.types.NodeSocket:
    """Add a number as text. places: of decimals."""
    return program.node("FunctionNodeValueToString", inputs={"Value": value, "Decimals": places}).outputs[0]


def joined_text(program: NodeProgram, *parts: Any) -> bpy.types.NodeSocket:
    """Add the parts of a text, one after the other: sockets or texts."""
    sockets = [part if isinstance(part, bpy.types.NodeSocket) else constant(program, part) for part in parts]
    return program.node("GeometryNodeStringJoin", inputs={"Strings": sockets[::-1]}).outputs[0]


def constant(program: NodeProgram, value: str) -> bpy.types.NodeSocket:
    """Add a text."""
    return program.node("FunctionNodeInputString", string=value).outputs[0]
