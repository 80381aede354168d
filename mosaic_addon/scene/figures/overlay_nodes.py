"""Parts of what lies on the plane before the camera, as Geometry Nodes: text, boxes, corners, round numbers.

Lengths are in points of the print.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

import bpy

from ..compat import shipped_font, text_node
from ..drawing.node_tree import NodeProgram, socket_named
from ..keys import FIGURE, TEXT_PLACE

EM: Final = 0.935  # of Blender's own font: how high its em is at size 1, by the height of its capitals
INTER: Final = "Inter.woff2"  # the font of Blender's interface, and of figures
INTER_EM: Final = 0.6992
CAPITALS: Final = 0.73  # height of the font's capitals and digits, in sizes of the font
FONT: Final = "font"  # the kind of the font, as FIGURE holds it
BOLDER: Final = 0.055  # points on each side of a letter's strokes: a quarter of a pixel at 300 dpi
BEHIND: Final = -0.1  # points: how much farther from the camera lies what is behind
MARGIN: Final = 6.0  # points from the picture's border

Align = Literal["LEFT", "CENTER", "RIGHT"]


def text(program: NodeProgram, string: Any, size: Any, align: Align = "CENTER") -> bpy.types.NodeSocket:
    """Add a line of text on a baseline through the origin. size: of the font, as a text program counts it."""
    return _filled(program, _letters(program, string, size, align))


def text_with_halo(
    program: NodeProgram, string: Any, size: Any, width: Any, material: Any, align: Align = "CENTER"
) -> tuple[bpy.types.NodeSocket, bpy.types.NodeSocket]:
    """Add a line of text, and a rim around its letters of another material, which lies behind it."""
    curves = _letters(program, string, size, align)
    letters = _filled(program, curves)
    outlines = program.node("GeometryNodeRealizeInstances", inputs={"Geometry": curves}).outputs[0]
    return letters, halo(program, outlines, width, material)


def halo(program: NodeProgram, curves: bpy.types.NodeSocket, width: Any, material: Any) -> bpy.types.NodeSocket:
    """Add flat strokes along curves, behind what is drawn there. width: how far they reach to each side."""
    strokes = moved(program, _strokes(program, curves, width, 12), z=BEHIND)
    return program.node("GeometryNodeSetMaterial", "Halo", {"Geometry": strokes, "Material": material}).outputs[0]


def _strokes(program: NodeProgram, curves: bpy.types.NodeSocket, width: Any, sides: int) -> bpy.types.NodeSocket:
    """Add flat strokes along curves. width: how far they reach to each side. sides: of their round ends."""
    profile = program.node("GeometryNodeCurvePrimitiveCircle", "Profile", {"Resolution": sides, "Radius": width})
    inputs = {"Curve": curves, "Profile Curve": profile.outputs["Curve"], "Fill Caps": True}
    tubes = program.node("GeometryNodeCurveToMesh", "Strokes", inputs).outputs[0]
    return program.node("GeometryNodeTransform", "Flat", {"Geometry": tubes, "Scale": (1, 1, 0.01)}).outputs[0]


def _filled(program: NodeProgram, curves: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
    """The letters of a text, which remember where it begins.

    They are a little bolder than their font, since the edges of dark letters look lighter in a render, which mixes
    light, than where a program for text draws them.
    """
    filled = program.node("GeometryNodeFillCurve", "Letters", {"Curve": curves}).outputs[0]
    outlines = program.node("GeometryNodeRealizeInstances", inputs={"Geometry": curves}).outputs[0]
    bolder = joined(program, filled, _strokes(program, outlines, BOLDER, 4))
    mesh = program.node("GeometryNodeRealizeInstances", inputs={"Geometry": bolder}).outputs[0]
    place = program.vector("ADD", program.node("GeometryNodeInputPosition").outputs[0], (0, 0, 1))
    inputs = {"Geometry": mesh, "Name": TEXT_PLACE, "Value": place}
    return program.node(
        "GeometryNodeStoreNamedAttribute", "From where", inputs, data_type="FLOAT_VECTOR", domain="POINT"
    ).outputs[0]


def _letters(program: NodeProgram, string: Any, size: Any, align: Align) -> bpy.types.NodeSocket:
    """The curves of a line of text, as instances: in Inter, or in Blender's own font where Inter lacks a letter.

    Blender looks into other fonts for a letter only where its own one is asked for (seen in 5.0 and 5.2).
    """

    def written(em: float, font: bpy.types.VectorFont | None = None) -> bpy.types.NodeSocket:
        letters = text_node(program.tree, align, font)
        program.connect(string, letters.inputs["String"])
        program.connect(program.math("DIVIDE", size, em), letters.inputs["Size"])
        return letters.outputs[0]

    def count(letters: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
        bounds = program.node("GeometryNodeInputInstanceBounds").outputs
        is_seen = program.math("GREATER_THAN", program.vector("DISTANCE", bounds["Min"], bounds["Max"]), 0.0)
        inputs = {"Geometry": letters, "Attribute": is_seen}
        found = program.node("GeometryNodeAttributeStatistic", "Letters", inputs, data_type="FLOAT", domain="INSTANCE")
        return socket_named(found.outputs, "Sum")

    own, inter = written(EM), figure_font()
    if inter is None:
        return own
    better = written(INTER_EM, inter)
    lacks = program.math("LESS_THAN", count(better), program.math("SUBTRACT", count(own), 0.5))
    return program.switch(lacks, better, own, "Does Inter lack a letter?")


def figure_font() -> bpy.types.VectorFont | None:
    """Return Inter, packed into the .blend; None where this Blender does not come with it."""
    for font in bpy.data.fonts:
        if FIGURE.read(font) == FONT and font.packed_file is not None:
            return font
    path = shipped_font(INTER)
    if path is None:
        return None
    font = bpy.data.fonts.load(path)
    font.pack()
    FIGURE.write(font, FONT)
    return font


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
    declare_picture(program)


def declare_picture(program: NodeProgram) -> None:
    """Declare the inputs that say how large the picture is, which the scene drives."""
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


def declare_view(program: NodeProgram) -> None:
    """Declare the inputs that say what the camera sees, which the scene and its camera drive."""
    tip = "Of the camera, in scene units at a distance of 1, or anywhere without perspective; driven by the camera"
    program.input("View Width", "Float", tip, default_value=1)
    for name in ("Shift X", "Shift Y"):
        program.input(name, "Float", "Of the camera's lens, in points of the print; driven by the camera")


@dataclass(frozen=True, slots=True)
class View:
    """What the active camera sees of a point.

    place: where it lies from the camera: right, up, and -z ahead, in scene units. scale: points of the print that a
    scene unit is long there.
    """

    place: bpy.types.NodeSocket
    scale: bpy.types.NodeSocket


def seen(program: NodeProgram, start: Any, point: bpy.types.NodeSocket) -> View:
    """Add what the camera sees of a point of the world. start: the outputs of the group's inputs."""
    camera = program.node("GeometryNodeInputActiveCamera").outputs[0]
    eye = program.node("GeometryNodeObjectInfo", "Camera", {"Object": camera}).outputs
    back = program.node("FunctionNodeInvertRotation", inputs={"Rotation": eye["Rotation"]}).outputs[0]
    offset = program.vector("SUBTRACT", point, eye["Location"])
    place = program.node("FunctionNodeRotateVector", "As seen", {"Vector": offset, "Rotation": back}).outputs[0]
    ahead = program.math("MULTIPLY", program.node("ShaderNodeSeparateXYZ", inputs={"Vector": place}).outputs["Z"], -1.0)
    is_orthographic = program.node("GeometryNodeCameraInfo", inputs={"Camera": camera}).outputs["Is Orthographic"]
    depth = program.switch(is_orthographic, program.math("MAXIMUM", ahead, 1e-6), 1.0, "Orthographic?", "FLOAT")
    view = program.math("MULTIPLY", start["View Width"], depth)
    return View(place, program.math("DIVIDE", start["Picture Width"], view))


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
