"""The node groups that representations are put together from: spheres, arrows, lines, a membrane, a frame and others."""

from collections.abc import Callable
from math import pi
from typing import Any

import bpy

from ..keys import GLYPH, MEMBRANE_GRID, SPRITE
from .materials import axis_material
from .node_tree import NodeProgram, shared_group, socket_named

ROUNDING = 1e-3  # of the number of a trajectory's frame
VERSION = 1  # of all node groups of representations; a .blend keeps those that it was made with
SPHERES, ARROWS, AXES, LINES, FRAME, FEWER, MEMBRANE, ON_SCREEN = (
    f"Mosaic {name}"
    for name in ("Spheres", "Arrows", "Axes", "Lines", "Frame", "Fewer Points", "Membrane", "On Screen")
)

# The arrow of VTK (vtkArrowSource), with the proportions that Mosaic gives it, per unit of its length.
SHAFT_RADIUS, TIP_RADIUS, TIP_LENGTH, ARROW_SIDES = 0.02, 0.08, 0.35, 6
WIDEST_LINE = 0.2  # in lengths of the edges
MEMBRANE_SMOOTHING = 20  # passes, after which the steps between voxels are not seen any more
MEMBRANE_GIVE = 0.75
DISC_RADIUS = 1.10  # of a disc that covers most of the square that Mosaic draws, and little else


def part_group(name: str) -> bpy.types.NodeTree:
    """Return the node group of a part. name: SPHERES, ARROWS, AXES, LINES, FRAME, FEWER, MEMBRANE or ON_SCREEN."""
    return shared_group(name, "GeometryNodeTree", VERSION, BUILDERS[name])


def _build_spheres(program: NodeProgram) -> None:
    """Build SPHERES: points as spheres, or as flat discs."""
    program.input("Points", "Geometry")
    program.input("Radius", "Float", "Angstrom", min_value=0)
    program.input("Facing", "Rotation", "Of the discs")
    program.input("Soft", "Float")
    program.input("Spheres", "Bool", default_value=True)
    program.input("Instances", "Bool")
    program.input("Sphere Detail", "Int", default_value=2)
    program.output("Geometry", "Geometry")
    start = program.node("NodeGroupInput").outputs
    radius = start["Radius"]
    layers = program.math("ADD", start["Soft"], 1.0)

    def sprite(geometry: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
        return marked(program, geometry, SPRITE, layers)

    native = program.node("GeometryNodeSetPointRadius", "Native points", {"Points": start["Points"], "Radius": radius})
    sphere = program.node(
        "GeometryNodeMeshIcoSphere", "Sphere", {"Radius": 1.0, "Subdivisions": start["Sphere Detail"]}
    )
    smooth = program.node("GeometryNodeSetShadeSmooth")
    program.connect(sphere.outputs["Mesh"], smooth.inputs[0])
    spheres = program.node(
        "GeometryNodeInstanceOnPoints",
        "Spheres",
        {"Points": start["Points"], "Instance": sprite(smooth.outputs[0]), "Scale": radius},
    )
    circle = program.node("GeometryNodeMeshCircle", "Disc", {"Vertices": 24, "Radius": DISC_RADIUS}, fill_type="NGON")
    discs = program.node(
        "GeometryNodeInstanceOnPoints",
        "Discs",
        {
            "Points": start["Points"],
            "Instance": circle.outputs["Mesh"],
            "Rotation": start["Facing"],
            "Scale": radius,
        },
    )
    solid = program.switch(start["Instances"], sprite(native.outputs[0]), spheres.outputs[0], "Instances?")
    program.node(
        "NodeGroupOutput", inputs={"Geometry": program.switch(start["Spheres"], discs.outputs[0], solid, "Spheres?")}
    )


def marked(program: NodeProgram, geometry: bpy.types.NodeSocket, name: str, value: Any) -> bpy.types.NodeSocket:
    """Store a number, by which the materials know how to draw it, as an attribute of a geometry."""
    inputs = {"Geometry": geometry, "Name": name, "Value": value}
    return program.node("GeometryNodeStoreNamedAttribute", name, inputs, data_type="FLOAT").outputs[0]


def _build_on_screen(program: NodeProgram) -> None:
    """Build ON_SCREEN: how the scene's camera sees a point.

    Grow is the factor by which what is sized in pixels of Pixel Size must grow to be as many pixels in the picture.
    Facing is the rotation by which a disc faces the camera. The camera's projection matrix gives the height of what it
    sees: 2 / P22 at the distance 1, or everywhere without perspective (https://docs.gl/gl2/glFrustum, glOrtho).
    """
    program.input("On Screen", "Bool")
    program.input("Pixel Size", "Float", "Angstrom", min_value=0)
    program.input("Picture Height", "Float", "Pixels")
    program.output("Grow", "Float")
    program.output("Facing", "Rotation")
    start = program.node("NodeGroupInput").outputs
    active = program.node("GeometryNodeInputActiveCamera").outputs[0]
    camera = program.node("GeometryNodeObjectInfo", "Camera", {"Object": active}, transform_space="RELATIVE").outputs
    lens = program.node("GeometryNodeCameraInfo", "Lens", {"Camera": active}).outputs
    position = program.node("GeometryNodeInputPosition").outputs[0]
    turn = {"Vector": (0, 0, -1), "Rotation": camera["Rotation"]}
    forward = program.node("FunctionNodeRotateVector", "", turn).outputs[0]
    depth = program.vector("DOT_PRODUCT", program.vector("SUBTRACT", position, camera["Location"]), forward)
    # Without perspective the height is one of the world, where an angstrom is as long as the object's scale says.
    this = program.node(
        "GeometryNodeObjectInfo", "This object", {"Object": program.node("GeometryNodeSelfObject").outputs[0]}
    )
    scale = program.node("ShaderNodeSeparateXYZ", inputs={"Vector": this.outputs["Scale"]}).outputs["X"]
    parallel = program.math("DIVIDE", 1.0, program.math("ABSOLUTE", scale))
    away = program.switch(
        lens["Is Orthographic"], program.math("MAXIMUM", depth, 0.0), parallel, "Orthographic?", "FLOAT"
    )
    projection = program.node("FunctionNodeSeparateMatrix", "Projection", {"Matrix": lens["Projection Matrix"]}).outputs
    height = program.math("DIVIDE", program.math("MULTIPLY", away, 2.0), projection["Column 2 Row 2"])
    pixel = program.math("DIVIDE", height, start["Picture Height"])
    # Without a camera, which has no focal length either, nothing would be drawn.
    is_seen = program.math("MULTIPLY", start["On Screen"], program.math("GREATER_THAN", lens["Focal Length"], 0.0))
    grow = program.switch(is_seen, 1.0, program.math("DIVIDE", pixel, start["Pixel Size"]), "On screen?", "FLOAT")
    program.node("NodeGroupOutput", inputs={"Grow": grow, "Facing": camera["Rotation"]})


def _arrow(program: NodeProgram) -> bpy.types.NodeSocket:
    """Add an arrow of length 1 from the origin along +z."""
    shaft = program.node(
        "GeometryNodeMeshCylinder",
        "Shaft",
        {"Vertices": ARROW_SIDES, "Radius": SHAFT_RADIUS, "Depth": 1 - TIP_LENGTH},
    )
    raised = program.node(
        "GeometryNodeTransform", "", {"Geometry": shaft.outputs["Mesh"], "Translation": (0, 0, (1 - TIP_LENGTH) / 2)}
    )
    tip = program.node(
        "GeometryNodeMeshCone",
        "Tip",
        {"Vertices": ARROW_SIDES, "Radius Top": 0.0, "Radius Bottom": TIP_RADIUS, "Depth": TIP_LENGTH},
    )
    on_top = program.node(
        "GeometryNodeTransform", "", {"Geometry": tip.outputs["Mesh"], "Translation": (0, 0, 1 - TIP_LENGTH)}
    )
    arrow = program.node("GeometryNodeJoinGeometry", "Arrow")
    program.connect([raised.outputs[0], on_top.outputs[0]], arrow.inputs[0])
    return marked(program, arrow.outputs[0], GLYPH, 1.0)


def _build_arrows(program: NodeProgram) -> None:
    """Build ARROWS: an arrow at each point along its normal, or along +z where there are no normals."""
    program.input("Points", "Geometry")
    program.input("Length", "Float", "Angstrom")
    program.output("Geometry", "Geometry")
    start = program.node("NodeGroupInput").outputs
    arrows = program.node(
        "GeometryNodeInstanceOnPoints",
        "Arrows",
        {
            "Points": start["Points"],
            "Instance": _arrow(program),
            "Rotation": along_normals(program),
            "Scale": start["Length"],
        },
    )
    program.node("NodeGroupOutput", inputs={"Geometry": arrows.outputs[0]})


def along_normals(program: NodeProgram) -> bpy.types.NodeSocket:
    """The shortest rotation from +z to the normal of a point; none where there are no normals."""
    normal = program.node("GeometryNodeInputNamedAttribute", "Normals", {"Name": "normals"}, data_type="FLOAT_VECTOR")
    direction = program.node(
        "GeometryNodeSwitch",
        "Normals?",
        {"Switch": normal.outputs["Exists"], "False": (0, 0, 1), "True": normal.outputs["Attribute"]},
        input_type="VECTOR",
    )
    turn = program.node("FunctionNodeAlignRotationToVector", "", {"Vector": direction.outputs[0]}, axis="Z")
    return turn.outputs[0]


def orientation(program: NodeProgram, without: Any = None) -> bpy.types.NodeSocket:
    """The rotation by a point's quaternion, whatever its length.

    without: the rotation of points that have no quaternions; None leaves them as they are.
    """
    stored = program.node(
        "GeometryNodeInputNamedAttribute", "Quaternions", {"Name": "quaternions"}, data_type="QUATERNION"
    )
    parts = program.node("FunctionNodeRotationToQuaternion", "", {"Rotation": stored.outputs["Attribute"]})
    unit = program.node("FunctionNodeQuaternionToRotation", "Unit length")
    for name in "WXYZ":
        program.connect(parts.outputs[name], unit.inputs[name])
    inputs = {"Switch": stored.outputs["Exists"], "True": unit.outputs[0]}
    if without is not None:
        inputs["False"] = without
    return program.node("GeometryNodeSwitch", "Quaternions?", inputs, input_type="ROTATION").outputs[0]


def _build_axes(program: NodeProgram) -> None:
    """Build AXES: three arrows at each point, its rotated x, y and z, in Mosaic's colours."""
    program.input("Points", "Geometry")
    program.input("Length", "Float", "Angstrom")
    program.output("Geometry", "Geometry")
    start = program.node("NodeGroupInput").outputs
    arrow = _arrow(program)
    axes = program.node("GeometryNodeJoinGeometry", "Axes")
    for axis, turn in (("X", (0, pi / 2, 0)), ("Y", (-pi / 2, 0, 0)), ("Z", (0, 0, 0))):
        turned = program.node("GeometryNodeTransform", axis, {"Geometry": arrow, "Rotation": turn})
        colored = program.node(
            "GeometryNodeSetMaterial", axis, {"Geometry": turned.outputs[0], "Material": axis_material(axis)}
        )
        program.connect(colored.outputs[0], axes.inputs[0])
    bases = program.node(
        "GeometryNodeInstanceOnPoints",
        "Bases",
        {
            "Points": start["Points"],
            "Instance": axes.outputs[0],
            "Rotation": orientation(program, along_normals(program)),
            "Scale": start["Length"],
        },
    )
    program.node("NodeGroupOutput", inputs={"Geometry": bases.outputs[0]})


def _build_lines(program: NodeProgram) -> None:
    """Build LINES: the edges of a mesh as tubes, never so wide that they hide the triangles between them.

    They are made without the surface's normals, which would shade them wrongly.
    """
    program.input("Mesh", "Geometry")
    program.input("Width", "Float", "Angstrom", min_value=0)
    program.input("Sides", "Int", default_value=5)
    program.output("Geometry", "Geometry")
    start = program.node("NodeGroupInput").outputs
    inputs = {"Geometry": start["Mesh"], "Name": "custom_normal"}
    bare = program.node("GeometryNodeRemoveAttribute", "No normals", inputs).outputs[0]
    radius = program.math("MULTIPLY", program.math("MINIMUM", start["Width"], widest_line(program, bare)), 0.5)
    edges = program.node("GeometryNodeMeshToCurve", "Edges", {"Mesh": bare})
    thick = program.node("GeometryNodeSetCurveRadius", "Radius", {"Curve": edges.outputs[0], "Radius": radius})
    profile = program.node("GeometryNodeCurvePrimitiveCircle", "Profile", {"Resolution": start["Sides"], "Radius": 1.0})
    tubes = program.node(
        "GeometryNodeCurveToMesh", "Tubes", {"Curve": thick.outputs[0], "Profile Curve": profile.outputs[0]}
    )
    if "Scale" in tubes.inputs:  # newer Blenders ask for the radius, older ones take that of the curve
        program.connect(radius, tubes.inputs["Scale"])
    lines = marked(program, with_slot(program, tubes.outputs[0]), SPRITE, 1.0)
    program.node("NodeGroupOutput", inputs={"Geometry": lines})


def widest_line(program: NodeProgram, mesh: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
    """Add the width, in angstrom, up to which lines along a mesh's edges leave its faces to be seen."""
    ends = program.node("GeometryNodeInputMeshEdgeVertices").outputs
    length = program.vector("DISTANCE", ends["Position 1"], ends["Position 2"])
    inputs = {"Geometry": mesh, "Attribute": length}
    lengths = program.node("GeometryNodeAttributeStatistic", "Edges", inputs, data_type="FLOAT", domain="EDGE")
    return program.math("MULTIPLY", socket_named(lengths.outputs, "Mean"), WIDEST_LINE)


def with_slot(program: NodeProgram, geometry: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
    """Give a geometry the slot that the object's material fills; curves, tubes and points made of a mesh have none."""
    return program.node("GeometryNodeSetMaterial", "The object's material", {"Geometry": geometry}).outputs[0]


def _build_frame(program: NodeProgram) -> None:
    """Build FRAME: the mesh of a trajectory at the scene frame, one of a collection's objects in order of name."""
    program.input("Frames", "Collection")
    program.input("Start", "Int", default_value=1)
    program.input("Step", "Int", default_value=1, min_value=1)
    program.input("Loop", "Bool")
    program.input("Shown", "Float", default_value=-1)
    program.output("Mesh", "Geometry")
    start = program.node("NodeGroupInput").outputs
    frames = program.node(
        "GeometryNodeCollectionInfo",
        "Frames",
        {"Collection": start["Frames"], "Separate Children": True, "Reset Children": True},
    )
    size = program.node(
        "GeometryNodeAttributeDomainSize", "How many", {"Geometry": frames.outputs[0]}, component="INSTANCES"
    )
    count = size.outputs["Instance Count"]
    now = program.node("GeometryNodeInputSceneTime").outputs["Frame"]
    passed = program.math("SUBTRACT", now, start["Start"])
    by_scene = program.math("DIVIDE", passed, start["Step"])
    # Between two keyframes whole numbers are a little too small now and then.
    by_keys = program.math("ADD", start["Shown"], ROUNDING)
    is_keyed = program.math("GREATER_THAN", by_keys, 0.0)
    number = program.math("FLOOR", program.switch(is_keyed, by_scene, by_keys, "Keyed?", "FLOAT"))
    last = program.math("SUBTRACT", count, 1.0)
    held = program.math("MINIMUM", program.math("MAXIMUM", number, 0.0), last)
    looped = program.math("FLOORED_MODULO", number, count)
    index = program.switch(start["Loop"], held, looped, "Loop?", "FLOAT")
    point = program.node("GeometryNodePoints", "A place", {"Count": 1})
    picked = program.node(
        "GeometryNodeInstanceOnPoints",
        "Frame",
        {"Points": point.outputs[0], "Instance": frames.outputs[0], "Pick Instance": True, "Instance Index": index},
    )
    mesh = program.node("GeometryNodeRealizeInstances", "", {"Geometry": picked.outputs[0]})
    program.node("NodeGroupOutput", inputs={"Mesh": mesh.outputs[0]})


def _build_fewer(program: NodeProgram) -> None:
    """Build FEWER: in views a part of the points, in renders all of them. Those of a small part are in a larger one."""
    program.input("Points", "Geometry")
    program.input("Amount", "Float", default_value=1, min_value=0, max_value=1)
    program.output("Points", "Geometry")
    start = program.node("NodeGroupInput").outputs
    number = program.node("GeometryNodeInputIndex").outputs[0]
    chance = program.node("FunctionNodeRandomValue", "", {"ID": number, "Seed": 0}, data_type="FLOAT")
    drawn = next(socket for socket in chance.outputs if socket.enabled)
    left_out = program.math("GREATER_THAN", drawn, start["Amount"])
    fewer = program.node(
        "GeometryNodeDeleteGeometry", "Fewer", {"Geometry": start["Points"], "Selection": left_out}, domain="POINT"
    )
    in_view = program.node("GeometryNodeIsViewport").outputs[0]
    some = program.math("LESS_THAN", start["Amount"], 1.0)
    switch = program.math("MULTIPLY", in_view, some)
    points = program.switch(switch, start["Points"], fewer.outputs[0], "In a view?")
    program.node("NodeGroupOutput", inputs={"Points": points})


def _build_membrane(program: NodeProgram) -> None:
    """Build MEMBRANE: a surface on a grid of voxels is smoothed, then moved in or out until it has a thickness.

    Blurring alone would shrink the surface, so what it takes away is blurred and added again. No vertex moves further
    than a voxel's size times MEMBRANE_GIVE, which keeps small parts from shrinking to nothing.
    """
    program.input("Surface", "Geometry")
    program.input("Smoothing", "Int", "Passes", default_value=MEMBRANE_SMOOTHING, min_value=0)
    program.input("Thickness", "Float", "Angstrom", min_value=0)
    program.output("Geometry", "Geometry")
    start = program.node("NodeGroupInput").outputs

    def blurred(value: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
        inputs = {"Value": value, "Iterations": start["Smoothing"]}
        node = program.node("GeometryNodeBlurAttribute", "Blur", data_type="FLOAT_VECTOR")
        for name, given in inputs.items():
            program.connect(given, socket_named(node.inputs, name))
        return socket_named(node.outputs, "Value")

    grid = program.node("GeometryNodeInputNamedAttribute", "Grid", {"Name": MEMBRANE_GRID}, data_type="FLOAT_VECTOR")
    made = program.node("ShaderNodeSeparateXYZ", "Voxel, thickness", {"Vector": grid.outputs["Attribute"]}).outputs
    place = program.node("GeometryNodeInputPosition").outputs[0]
    smooth = blurred(place)
    lost = blurred(program.vector("SUBTRACT", place, smooth))
    move = program.vector("SUBTRACT", program.vector("ADD", smooth, lost), place)
    most = program.math("MULTIPLY", made["X"], MEMBRANE_GIVE)
    share = program.math("MINIMUM", program.math("DIVIDE", most, program.vector("LENGTH", move)), 1.0)
    offset = program.vector("SCALE", move, scale=share)
    even = program.node("GeometryNodeSetPosition", "Smooth", {"Geometry": start["Surface"], "Offset": offset})
    half = program.math("MULTIPLY", program.math("SUBTRACT", start["Thickness"], made["Y"]), 0.5)
    outwards = program.vector("SCALE", program.node("GeometryNodeInputNormal").outputs["Normal"], scale=half)
    thick = program.node("GeometryNodeSetPosition", "Thick", {"Geometry": even.outputs[0], "Offset": outwards})
    program.node("NodeGroupOutput", inputs={"Geometry": thick.outputs[0]})


BUILDERS: dict[str, Callable[[NodeProgram], None]] = {
    SPHERES: _build_spheres,
    ARROWS: _build_arrows,
    AXES: _build_axes,
    LINES: _build_lines,
    FRAME: _build_frame,
    FEWER: _build_fewer,
    MEMBRANE: _build_membrane,
    ON_SCREEN: _build_on_screen,
}
