"""Cuts as nodes: what of all geometries is not drawn, in two groups that materials and modifiers share.

The shader nodes cut to the pixel. The Geometry Nodes take away what is wholly cut, so that Solid and Workbench, which
know no shaders, show the cut to within a face. Where a cut stands is the place of an object: in its coordinates a plane
takes away z > 0, a box what lies between -1 and 1 along all axes, a sphere what is nearer than 1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import bpy
import numpy as np

from ...session.session import Color
from ..keys import SHELL, SPARED, SPRITE, WHOLE
from .color_maps import to_scene
from .node_tree import NodeProgram, arrange, attribute_value, shared_group

Socket = bpy.types.NodeSocket

SHADING: Final = "Mosaic Cuts"
SHAPING: Final = "Mosaic Cut Away"
SHAPES: Final = ("plane", "box", "sphere")
MOST: Final = 24  # bits of a whole number that a shader, which computes with 32-bit floats, tells apart
ALMOST: Final = 0.999
LEVELS: Final = 8  # of how deep a plane cuts into a sphere
OPEN, INSIDE_OUT = 1.0, 2.0  # values of SHELL


@dataclass(frozen=True, slots=True)
class CutNodes:
    """One cut. place: the object at whose place it stands. number: the bit of SPARED, from 0, of objects that it spares.

    shape: one of SHAPES. invert: keep what it would take away, and the other way round. whole: leave points and copies
    whole, or out. cap: the colour of the inside of closed meshes, three display values; None for no cap.
    """

    place: bpy.types.Object
    number: int
    shape: str
    invert: bool
    whole: bool
    cap: Color | None


def shading_group() -> bpy.types.NodeTree:
    """Return the shader group that says what is kept, and what is a cap and of which colour."""
    return shared_group(SHADING, "ShaderNodeTree", 1, _build_shading)


def shaping_group() -> bpy.types.NodeTree:
    """Return the Geometry Nodes group that takes away what is wholly cut away."""
    return shared_group(SHAPING, "GeometryNodeTree", 1, _build_shaping)


def set_cuts(cuts: Sequence[CutNodes]) -> None:
    """Cut all geometries of the .blend so, and no more as before."""
    fills: tuple[tuple[bpy.types.NodeTree, Callable[[NodeProgram, Sequence[CutNodes]], None]], ...] = (
        (shading_group(), _shade),
        (shaping_group(), _shape),
    )
    for group, fill in fills:
        group.nodes.clear()
        fill(NodeProgram(group), cuts)
        arrange(group)


def places() -> list[bpy.types.Object]:
    """Return the objects at whose places the cuts of the .blend stand, in the order in which the cuts were set."""
    nodes = (node for node in shading_group().nodes if isinstance(node, bpy.types.ShaderNodeTexCoord))
    return [node.object for node in nodes if node.object is not None]


def _depth(program: NodeProgram, cut: CutNodes, point: Any) -> Socket:
    """Add how deep a point lies in what is taken away, negative outside. It grows no faster than one goes along."""
    if cut.shape == "plane":
        depth = program.node("ShaderNodeSeparateXYZ", inputs={"Vector": point}).outputs["Z"]
    elif cut.shape == "sphere":
        depth = program.math("SUBTRACT", 1.0, program.vector("LENGTH", point))
    else:
        away = program.node("ShaderNodeSeparateXYZ", inputs={"Vector": program.vector("ABSOLUTE", point)}).outputs
        farthest = program.math("MAXIMUM", program.math("MAXIMUM", away["X"], away["Y"]), away["Z"])
        depth = program.math("SUBTRACT", 1.0, farthest)
    return program.math("MULTIPLY", depth, -1.0) if cut.invert else depth


def _cuts(program: NodeProgram, mask: Any, number: int) -> Socket:
    """Add 0 where a bit of the mask of cuts that spare an object is set, else 1."""
    shifted = program.math("FLOOR", program.math("DIVIDE", mask, float(2**number)))
    return program.math("SUBTRACT", 1.0, program.math("FLOORED_MODULO", shifted, 2.0))


# --- shaders ---------------------------------------------------------------------------------------------------------


def _build_shading(program: NodeProgram) -> None:
    for name, kind in (("Kept", "Float"), ("Cap", "Float"), ("Cap Color", "Color")):
        program.output(name, kind)
    _shade(program, ())


def _shade(program: NodeProgram, cuts: Sequence[CutNodes]) -> None:
    """Add what a surface is: kept or cut away, and a cap, which is the back of a closed one that is opened."""
    kept: Any = 1.0
    cap: Any = 0.0
    color: Any = (0.0, 0.0, 0.0, 1.0)
    if cuts:
        mask = attribute_value(program, SPARED, "INSTANCER")
        # Points carry it themselves, copies as instances.
        whole = (attribute_value(program, WHOLE, kind) for kind in ("GEOMETRY", "INSTANCER"))
        sliced = program.math("SUBTRACT", 1.0, program.math("MAXIMUM", *whole))
    for cut in cuts:
        point = program.node("ShaderNodeTexCoord", cut.shape.capitalize(), object=cut.place).outputs["Object"]
        removed = program.math("GREATER_THAN", _depth(program, cut, point), 0.0)
        factors = [_cuts(program, mask, cut.number)]
        if cut.whole:
            factors.append(sliced)
        for factor in factors:
            removed = program.math("MULTIPLY", removed, factor)
        kept = program.math("MULTIPLY", program.math("SUBTRACT", 1.0, removed), kept)
        if cut.cap is not None:
            here = factors[0] if len(factors) == 1 else program.math("MULTIPLY", *factors)
            inputs = {"Factor": here, "A": color, "B": (*to_scene(np.array(cut.cap)).tolist(), 1.0)}
            color = program.node("ShaderNodeMix", "Cap", inputs, data_type="RGBA").outputs["Result"]
            cap = program.math("MAXIMUM", cap, here)
    if isinstance(cap, Socket):
        cap = program.math("MULTIPLY", cap, program.math("MULTIPLY", kept, _inside(program)))
    program.node("NodeGroupOutput", inputs={"Kept": kept, "Cap": cap, "Cap Color": color})


def _inside(program: NodeProgram) -> Socket:
    """Add 1 for the inside of a closed surface, else 0. Soft points and lines have none."""
    back = program.node("ShaderNodeNewGeometry").outputs["Backfacing"]
    shell = attribute_value(program, SHELL, "GEOMETRY")
    closed = program.math("SUBTRACT", 1.0, program.math("COMPARE", shell, OPEN, 0.5))
    turned = program.math("COMPARE", shell, INSIDE_OUT, 0.5)
    inside = program.math("ABSOLUTE", program.math("SUBTRACT", back, turned))
    hard = program.math("LESS_THAN", attribute_value(program, SPRITE, "GEOMETRY"), 1.5)
    return program.math("MULTIPLY", program.math("MULTIPLY", inside, closed), hard)


# --- Geometry Nodes --------------------------------------------------------------------------------------------------


def _build_shaping(program: NodeProgram) -> None:
    program.input("Geometry", "Geometry")
    program.input("Spared", "Int", "The cuts that leave it alone: bit 0 for the first")
    program.output("Geometry", "Geometry")
    _shape(program, ())


def _shape(program: NodeProgram, cuts: Sequence[CutNodes]) -> None:
    start = program.node("NodeGroupInput").outputs
    geometry = start["Geometry"]
    if any(cut.cap is not None for cut in cuts):
        geometry = _by_component(program, geometry, {"Mesh": partial(_with_shell, program)})
    for cut in cuts:
        geometry = _take_away(program, cut, geometry, start["Spared"])
    program.node("NodeGroupOutput", inputs={"Geometry": geometry})


def _by_component(program: NodeProgram, geometry: Socket, changes: dict[str, Callable[[Socket], Socket]]) -> Socket:
    """Add a change of each kind of geometry, by the names of Separate Components; other kinds stay as they are.

    It matters for meshes: most nodes would go on into those that are instances, too, where places are others.
    """
    parts = program.node("GeometryNodeSeparateComponents", inputs={"Geometry": geometry}).outputs
    joined = program.node("GeometryNodeJoinGeometry")
    for part in parts:
        program.connect(changes[part.name](part) if part.name in changes else part, joined.inputs[0])
    return joined.outputs[0]


def _take_away(program: NodeProgram, cut: CutNodes, geometry: Socket, spared: Socket) -> Socket:
    """Add the removal of what a cut takes away wholly."""
    place = program.node("GeometryNodeObjectInfo", "Place", {"Object": cut.place}, transform_space="RELATIVE").outputs
    inverse = program.node("FunctionNodeInvertMatrix", inputs={"Matrix": place["Transform"]}).outputs["Matrix"]
    sizes = program.node("ShaderNodeSeparateXYZ", inputs={"Vector": program.vector("ABSOLUTE", place["Scale"])}).outputs
    smallest = program.math("MINIMUM", program.math("MINIMUM", sizes["X"], sizes["Y"]), sizes["Z"])
    unit = sizes["Z"] if cut.shape == "plane" else smallest  # of what `_depth` counts in

    def depth(point: Any) -> Socket:
        inputs = {"Vector": point, "Transform": inverse}
        inside = program.node("FunctionNodeTransformPoint", inputs=inputs).outputs[0]
        return program.math("MULTIPLY", _depth(program, cut, inside), unit)

    def deeper(point: Any, radius: Any) -> Socket:
        return program.math("GREATER_THAN", depth(point), radius)

    position = program.node("GeometryNodeInputPosition").outputs[0]
    if cut.invert and cut.shape != "plane":
        # Not by the corners: between such as lie outside a face may reach into what is kept.
        edge = program.vector("DISTANCE", *_ends(program))
        faces = deeper(position, program.math("MULTIPLY", _on(program, "EDGE", edge), 2.0))
    else:
        faces = program.math("GREATER_THAN", _on(program, "POINT", deeper(position, 0.0)), ALMOST)
    if cut.whole:
        points = copies = deeper(position, 0.0)
    else:
        points = deeper(position, program.node("GeometryNodeInputRadius").outputs[0])
        copies = deeper(*_ball(program))

    def without(domain: str, selection: Socket, part: Socket) -> Socket:
        left = program.node(
            "GeometryNodeDeleteGeometry", inputs={"Geometry": part, "Selection": selection}, domain=domain
        ).outputs[0]
        if domain == "POINT":
            left = _with_slot(program, left)
        if domain == "POINT" and not cut.whole:
            upward = place["Transform"] if cut.shape == "plane" else None
            return _as_spheres(program, left, depth(position), upward, -1.0 if cut.invert else 1.0)
        if not cut.whole or domain == "FACE":
            return left
        return _stored(program, left, WHOLE, 1.0, domain)

    cut_up = _by_component(
        program,
        geometry,
        {
            "Mesh": partial(without, "FACE", faces),
            "Point Cloud": partial(without, "POINT", points),
            "Instances": partial(without, "INSTANCE", copies),
        },
    )
    return program.switch(_cuts(program, spared, cut.number), geometry, cut_up, "Spared?")


def _ends(program: NodeProgram) -> tuple[Socket, Socket]:
    """Add both ends of an edge."""
    ends = program.node("GeometryNodeInputMeshEdgeVertices").outputs
    return ends["Position 1"], ends["Position 2"]


def _on(program: NodeProgram, domain: str, value: Any) -> Socket:
    """Add a number that is found on a domain, and the mean of it wherever it is asked for."""
    return program.node("GeometryNodeFieldOnDomain", inputs={"Value": value}, data_type="FLOAT", domain=domain).outputs[
        0
    ]


def _ball(program: NodeProgram) -> tuple[Socket, Socket]:
    """Add the middle and the radius of a ball that holds a copy."""
    bounds = program.node("GeometryNodeInputInstanceBounds").outputs
    inputs = {
        "Vector": program.vector("SCALE", program.vector("ADD", bounds["Min"], bounds["Max"]), scale=0.5),
        "Transform": program.node("GeometryNodeInstanceTransform").outputs[0],
    }
    middle = program.node("FunctionNodeTransformPoint", inputs=inputs).outputs[0]
    sizes = program.node(
        "ShaderNodeSeparateXYZ",
        inputs={"Vector": program.vector("ABSOLUTE", program.node("GeometryNodeInputInstanceScale").outputs[0])},
    ).outputs
    largest = program.math("MAXIMUM", program.math("MAXIMUM", sizes["X"], sizes["Y"]), sizes["Z"])
    half = program.math("MULTIPLY", program.vector("DISTANCE", bounds["Min"], bounds["Max"]), 0.5)
    return middle, program.math("MULTIPLY", half, largest)


def _as_spheres(program: NodeProgram, points: Socket, depth: Socket, upward: Socket | None, side: float) -> Socket:
    """Add spheres of mesh instead of those points that are sliced: native points have no inside. Soft ones stay.

    depth: of a point in what is taken away. upward: the transform of a plane. Its spheres lack most of what it takes
    away, sorted by depth, so that in a dense cloud rays need not go through hundreds of them. side: of the plane that
    is taken away, 1 or -1 along its z axis.
    """
    size = program.node("GeometryNodeInputRadius").outputs[0]
    deep = program.math("DIVIDE", depth, size)
    soft = program.node("GeometryNodeInputNamedAttribute", SPRITE, {"Name": SPRITE}, data_type="FLOAT").outputs[0]
    sliced = program.math("MULTIPLY", program.math("GREATER_THAN", deep, -1.0), program.math("LESS_THAN", soft, 1.5))
    inputs = {"Geometry": points, "Selection": sliced}
    parts = program.node("GeometryNodeSeparateGeometry", "Sliced?", inputs, domain="POINT").outputs
    ball = program.node("GeometryNodeMeshIcoSphere", "Sphere", {"Radius": 1.0, "Subdivisions": 4}).outputs[0]
    smooth = program.node("GeometryNodeSetShadeSmooth")
    program.connect(ball, smooth.inputs[0])  # "Geometry" was renamed
    inputs = {"Points": parts["Selection"], "Instance": smooth.outputs[0], "Scale": size}
    if upward is None:
        spheres = [program.node("GeometryNodeInstanceOnPoints", "Sliced points", inputs).outputs[0]]
    else:
        axis = program.node(
            "FunctionNodeTransformDirection", inputs={"Direction": (0, 0, 1), "Transform": upward}
        ).outputs[0]
        inputs["Rotation"] = program.node(
            "FunctionNodeAlignRotationToVector", inputs={"Vector": axis}, axis="Z"
        ).outputs[0]
        spheres = [_slices(program, inputs, deep, side, level) for level in range(LEVELS)]
    joined = [_with_slot(program, parts["Inverted"]), *spheres]
    return program.node("GeometryNodeJoinGeometry", inputs={"Geometry": joined}).outputs[0]


def _slices(program: NodeProgram, inputs: dict[str, Any], deep: Socket, side: float, level: int) -> Socket:
    """Add the spheres of one of LEVELS depths, -1 to 1 of the radius, without what is taken away from all of them."""
    low, high = (2 * edge / LEVELS - 1 for edge in (level, level + 1))
    within = (program.math("GREATER_THAN", deep, edge) for edge in (low, high))
    here = program.math("SUBTRACT", *within)
    height = program.node(
        "ShaderNodeSeparateXYZ", inputs={"Vector": program.node("GeometryNodeInputPosition").outputs[0]}
    ).outputs["Z"]
    above = program.math("GREATER_THAN", program.math("MULTIPLY", height, side), -low)
    gone = program.math("GREATER_THAN", _on(program, "POINT", above), ALMOST)
    rest = program.node(
        "GeometryNodeDeleteGeometry", inputs={"Geometry": inputs["Instance"], "Selection": gone}, domain="FACE"
    ).outputs[0]
    chosen = {**inputs, "Instance": rest, "Selection": here}
    return program.node("GeometryNodeInstanceOnPoints", "Sliced points", chosen).outputs[0]


def _with_slot(program: NodeProgram, points: Socket) -> Socket:
    """Add the slot that the object's material fills, which points lose with a part of them."""
    return program.node("GeometryNodeSetMaterial", "The object's material", {"Geometry": points}).outputs[0]


def _with_shell(program: NodeProgram, mesh: Socket) -> Socket:
    """Add SHELL to a mesh that is open or inside out, but for its lines: such must not be capped, or on the other side."""
    lines = program.node("GeometryNodeInputNamedAttribute", SPRITE, {"Name": SPRITE}, data_type="FLOAT").outputs[0]
    surface = program.math("LESS_THAN", lines, 0.5)

    def statistic(domain: str, name: str, value: Any) -> Socket:
        inputs = {"Geometry": mesh, "Selection": surface, "Attribute": value}
        return program.node("GeometryNodeAttributeStatistic", "", inputs, domain=domain).outputs[name]

    neighbours = program.node("GeometryNodeInputMeshEdgeNeighbors").outputs[0]
    is_open = program.math("LESS_THAN", statistic("EDGE", "Min", neighbours), 1.5)
    outward = program.vector(
        "DOT_PRODUCT",
        program.node("GeometryNodeInputPosition").outputs[0],
        program.node("GeometryNodeInputNormal").outputs["Normal"],
    )
    area = program.node("GeometryNodeInputMeshFaceArea").outputs[0]
    volume = statistic("FACE", "Sum", program.math("MULTIPLY", outward, area))
    is_turned = program.math("LESS_THAN", volume, 0.0)
    shell = program.switch(is_open, program.math("MULTIPLY", is_turned, INSIDE_OUT), OPEN, "Open?", "FLOAT")
    return program.switch(
        program.math("GREATER_THAN", shell, 0.0), mesh, _stored(program, mesh, SHELL, shell, "FACE"), "A shell?"
    )


def _stored(program: NodeProgram, geometry: Socket, name: str, value: Any, domain: str) -> Socket:
    """Add a number as an attribute."""
    inputs = {"Geometry": geometry, "Name": name, "Value": value}
    return program.node("GeometryNodeStoreNamedAttribute", name, inputs, data_type="FLOAT", domain=domain).outputs[0]
