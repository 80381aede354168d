"""Representations as Geometry Nodes: one group per kind of data, with a menu input to switch, live and animatable.

A point of Mosaic is `size` screen pixels wide. An import fixes how many angstrom a pixel is, so that a point has a place in
space: radius = size x pixel size / 2, in angstrom. Arrows and shapes have Mosaic's own proportions.
"""

from collections.abc import Callable, Iterable
from typing import Any

import bpy

from ..compat import ModifierInputs
from ..keys import GLYPH, NODE_GROUP, SPRITE
from .materials import SPLAT_SIGMAS, axis_material, edge_material
from .node_tree import NodeProgram, shared_group

MODIFIER = "Mosaic"

# The kinds of data, by the node group that draws them.
POINTS = "Mosaic Points"
MESH = "Mosaic Mesh"
VOLUME = "Mosaic Volume"
SEGMENTATION = "Mosaic Segmentation"
FIT = "Mosaic Fit"
TRAJECTORY = "Mosaic Trajectory"

FITTED_SURFACE = "fitted_surface"  # the true surface of a parametric model, which Mosaic cannot show
# Mosaic's representation: what the menus call it.
LABELS = {
    "pointcloud": "Point Cloud",
    "gaussian_density": "Gaussian Density",
    "normals": "Normals",
    "basis": "Basis",
    "surface": "Surface",
    "mesh": "Mesh",
    "wireframe": "Wireframe",
    "volume": "Volume",
    "segmentation": "Segmentation",
    FITTED_SURFACE: "Fitted Surface",
}
_OF_POINTS = ("pointcloud", "gaussian_density", "normals", "basis")
OFFERED = {
    POINTS: _OF_POINTS,
    MESH: ("surface", "mesh", "wireframe", *_OF_POINTS),
    VOLUME: ("volume", *_OF_POINTS),
    SEGMENTATION: ("segmentation", "pointcloud"),
    FIT: (*_OF_POINTS, FITTED_SURFACE),
    TRAJECTORY: ("surface", "mesh", "wireframe", *_OF_POINTS),
}
VERSION = 1  # of all groups: a .blend keeps the version that it was made with

ARROW_LENGTH = 15.0  # of Mosaic's arrows, in voxels of the coarsest axis
# VTK's arrow, per unit of length, as Mosaic sets it.
SHAFT_RADIUS, TIP_RADIUS, TIP_LENGTH, ARROW_SIDES = 0.02, 0.08, 0.35, 6
DISC_RADIUS = 1.10  # of a disc that covers most of the square that Mosaic draws, and little else
EDGE_WIDTH = 1.32  # of the edges on a surface, which VTK draws a little wider than the lines of a wireframe
SPLAT_WIDTH = 2.0  # angstrom: of the Gaussian of a soft point, whatever its size


class RepresentationFactory:
    """Gives objects their "Mosaic" modifier."""

    def __init__(self) -> None:
        self._groups: dict[str, tuple[bpy.types.NodeTree, ModifierInputs]] = {}

    def add(self, obj: bpy.types.Object, group: str, representation: str, values: dict[str, Any]) -> None:
        """Draw `obj` by the group of its kind of data. values: inputs by name, those at their defaults left out."""
        if group not in self._groups:
            tree = representation_group(group)
            self._groups[group] = (tree, ModifierInputs(tree))
        tree, inputs = self._groups[group]
        modifier = obj.modifiers.new(MODIFIER, "NODES")
        modifier.node_group = tree
        if representation != OFFERED[group][0]:
            inputs.set(modifier, "Representation", LABELS[representation])
        for name, value in values.items():
            inputs.set(modifier, name, value)


def modifier_of(obj: bpy.types.Object) -> bpy.types.NodesModifier | None:
    """The modifier that draws an object, whatever its name is by now; None where it has none."""
    modifier: Any = obj.modifiers.get(MODIFIER)
    if kind_drawn(modifier) is not None:
        return modifier
    return next((other for other in obj.modifiers if kind_drawn(other) is not None), None)


def kind_drawn(modifier: Any) -> str | None:
    """The kind of data that a modifier draws, such as POINTS; None for one that is not ours."""
    tree = getattr(modifier, "node_group", None)
    name = str(tree.get(NODE_GROUP, "")).partition("/")[0] if tree is not None else ""
    return name if name in OFFERED else None


def set_inputs(objects: Iterable[bpy.types.Object], values: dict[str, Any]) -> None:
    """Set inputs of the "Mosaic" modifiers of objects, by name; those that a kind of data does not have are passed over."""
    inputs: dict[bpy.types.NodeTree, ModifierInputs] = {}
    for obj in objects:
        modifier = modifier_of(obj)
        if modifier is None:
            continue
        tree = modifier.node_group
        if tree not in inputs:
            inputs[tree] = ModifierInputs(tree)
        for name, value in values.items():
            if name in inputs[tree]:
                inputs[tree].set(modifier, name, value)
        obj.update_tag()


def group_of(obj: bpy.types.Object) -> str | None:
    """The kind of data that an object's "Mosaic" modifier draws, such as POINTS; None where it has no such modifier."""
    return kind_drawn(modifier_of(obj))


def representation_of(obj: bpy.types.Object) -> str | None:
    """How an object is drawn, such as "pointcloud"; None where it has no "Mosaic" modifier."""
    modifier = modifier_of(obj)
    if modifier is None:
        return None
    label = ModifierInputs(modifier.node_group).get(modifier, "Representation")
    return next((name for name, text in LABELS.items() if text == label), None)


def set_representation(objects: Iterable[bpy.types.Object], representation: str) -> list[bpy.types.Object]:
    """Draw objects another way. Returns those whose kind of data cannot be drawn so, which stay as they are."""
    grouped = [(obj, group_of(obj)) for obj in objects]
    able = [obj for obj, group in grouped if representation in OFFERED.get(group or "", ())]
    set_inputs(able, {"Representation": LABELS[representation]})
    return [obj for obj, group in grouped if representation not in OFFERED.get(group or "", ())]


def representation_group(group: str) -> bpy.types.NodeTree:
    """The node group for a kind of data."""
    return shared_group(group, "GeometryNodeTree", VERSION, BUILDERS[group])


# --- the parts that the groups are put together from -----------------------------------------------------------------


def _part(name: str, build: Callable[[NodeProgram], None]) -> bpy.types.NodeTree:
    return shared_group(name, "GeometryNodeTree", VERSION, build)


def _build_spheres(program: NodeProgram) -> None:
    """Points as spheres or, flat, as discs that face the camera."""
    program.input("Points", "Geometry")
    program.input("Radius", "Float", "Angstrom", min_value=0)
    program.input("Focal Distance", "Float", "Angstrom", min_value=0)
    program.input("Soft", "Float")
    program.input("Spheres", "Bool", default_value=True)
    program.input("Instances", "Bool")
    program.input("Sphere Detail", "Int", default_value=2)
    program.output("Geometry", "Geometry")
    start = program.node("NodeGroupInput").outputs
    camera = _camera(program)
    radius = program.math("MULTIPLY", start["Radius"], _depth(program, start["Focal Distance"], camera))
    layers = program.math("ADD", start["Soft"], 1.0)

    def sprite(geometry: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
        return _marked(program, geometry, SPRITE, layers)

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
            "Rotation": camera["Rotation"],
            "Scale": radius,
        },
    )
    solid = program.switch(start["Instances"], sprite(native.outputs[0]), spheres.outputs[0], "Instances?")
    program.node(
        "NodeGroupOutput", inputs={"Geometry": program.switch(start["Spheres"], discs.outputs[0], solid, "Spheres?")}
    )


def _marked(program: NodeProgram, geometry: bpy.types.NodeSocket, name: str, value: Any) -> bpy.types.NodeSocket:
    """Tell the materials something of a geometry."""
    inputs = {"Geometry": geometry, "Name": name, "Value": value}
    return program.node("GeometryNodeStoreNamedAttribute", name, inputs, data_type="FLOAT").outputs[0]


def _camera(program: NodeProgram) -> Any:
    """Where the scene's camera is, as seen from the geometry."""
    camera = program.node("GeometryNodeObjectInfo", "Camera", transform_space="RELATIVE")
    program.connect(program.node("GeometryNodeInputActiveCamera").outputs[0], camera.inputs["Object"])
    return camera.outputs


def _depth(program: NodeProgram, focal_distance: bpy.types.NodeSocket, camera: Any) -> bpy.types.NodeSocket:
    """How much larger things must be to look as wide as at the focal distance; 1 everywhere without a focal distance."""
    position = program.node("GeometryNodeInputPosition").outputs[0]
    from_camera = program.vector("SUBTRACT", position, camera["Location"])
    turn = {"Vector": (0, 0, 1), "Rotation": camera["Rotation"]}
    backward = program.node("FunctionNodeRotateVector", "", turn).outputs[0]
    along = program.vector("DOT_PRODUCT", from_camera, backward)
    depth = program.math("DIVIDE", along, program.math("MULTIPLY", focal_distance, -1.0))
    none = program.math("COMPARE", focal_distance, 0.0, 1e-6)
    return program.math("MAXIMUM", depth, none)  # x / 0 is 0 here


def _arrow(program: NodeProgram) -> bpy.types.NodeSocket:
    """An arrow of length 1 along +z from the origin."""
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
    return _marked(program, arrow.outputs[0], GLYPH, 1.0)


def _build_arrows(program: NodeProgram) -> None:
    """An arrow at each point along its normal, +z where there are no normals."""
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
            "Rotation": _along_normals(program),
            "Scale": start["Length"],
        },
    )
    program.node("NodeGroupOutput", inputs={"Geometry": arrows.outputs[0]})


def _along_normals(program: NodeProgram) -> bpy.types.NodeSocket:
    """The shortest turn from +z to the normal; none where there are no normals."""
    normal = program.node("GeometryNodeInputNamedAttribute", "Normals", {"Name": "normals"}, data_type="FLOAT_VECTOR")
    direction = program.node(
        "GeometryNodeSwitch",
        "Normals?",
        {"Switch": normal.outputs["Exists"], "False": (0, 0, 1), "True": normal.outputs["Attribute"]},
        input_type="VECTOR",
    )
    turn = program.node("FunctionNodeAlignRotationToVector", "", {"Vector": direction.outputs[0]}, axis="Z")
    return turn.outputs[0]


def _orientation(program: NodeProgram, without: Any = None) -> bpy.types.NodeSocket:
    """The quaternions, made unit length; `without` them another rotation, or none."""
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
    """Three arrows at each point: its turned x, y and z, in the colours that Mosaic gives axes."""
    program.input("Points", "Geometry")
    program.input("Length", "Float", "Angstrom")
    program.output("Geometry", "Geometry")
    start = program.node("NodeGroupInput").outputs
    arrow = _arrow(program)
    axes = program.node("GeometryNodeJoinGeometry", "Axes")
    half_pi = 1.5707963267948966
    for axis, turn in (("X", (0, half_pi, 0)), ("Y", (-half_pi, 0, 0)), ("Z", (0, 0, 0))):
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
            "Rotation": _orientation(program, _along_normals(program)),
            "Scale": start["Length"],
        },
    )
    program.node("NodeGroupOutput", inputs={"Geometry": bases.outputs[0]})


def _build_lines(program: NodeProgram) -> None:
    """The edges of a mesh as tubes. The normals of the surface would shade them wrongly, so these go."""
    program.input("Mesh", "Geometry")
    program.input("Width", "Float", "Angstrom", min_value=0)
    program.input("Focal Distance", "Float", "Angstrom", min_value=0)
    program.output("Geometry", "Geometry")
    start = program.node("NodeGroupInput").outputs
    inputs = {"Geometry": start["Mesh"], "Name": "custom_normal"}
    bare = program.node("GeometryNodeRemoveAttribute", "No normals", inputs)
    edges = program.node("GeometryNodeMeshToCurve", "Edges", {"Mesh": bare.outputs[0]})
    radius = program.math("MULTIPLY", start["Width"], 0.5)
    radius = program.math("MULTIPLY", radius, _depth(program, start["Focal Distance"], _camera(program)))
    thick = program.node("GeometryNodeSetCurveRadius", "Radius", {"Curve": edges.outputs[0], "Radius": radius})
    profile = program.node("GeometryNodeCurvePrimitiveCircle", "Profile", {"Resolution": 5, "Radius": 1.0})
    tubes = program.node(
        "GeometryNodeCurveToMesh", "Tubes", {"Curve": thick.outputs[0], "Profile Curve": profile.outputs[0]}
    )
    if "Scale" in tubes.inputs:  # newer Blenders ask for the radius, older ones take that of the curve
        program.connect(radius, tubes.inputs["Scale"])
    lines = _marked(program, _with_slot(program, tubes.outputs[0]), SPRITE, 1.0)
    program.node("NodeGroupOutput", inputs={"Geometry": lines})


def _with_slot(program: NodeProgram, geometry: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
    """An empty material slot, which the object's material fills. Points made of a mesh, curves and tubes have none."""
    return program.node("GeometryNodeSetMaterial", "The object's material", {"Geometry": geometry}).outputs[0]


def _build_frame(program: NodeProgram) -> None:
    """The mesh of a trajectory's step at the scene's frame: one of the objects of a collection, taken in order of name."""
    program.input("Frames", "Collection")
    program.input("Start", "Int", default_value=1)
    program.input("Step", "Int", default_value=1, min_value=1)
    program.input("Loop", "Bool")
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
    steps = program.math("FLOOR", program.math("DIVIDE", passed, start["Step"]))
    last = program.math("SUBTRACT", count, 1.0)
    held = program.math("MINIMUM", program.math("MAXIMUM", steps, 0.0), last)
    looped = program.math("FLOORED_MODULO", steps, count)
    index = program.switch(start["Loop"], held, looped, "Loop?", "FLOAT")
    point = program.node("GeometryNodePoints", "A place", {"Count": 1})
    picked = program.node(
        "GeometryNodeInstanceOnPoints",
        "Frame",
        {"Points": point.outputs[0], "Instance": frames.outputs[0], "Pick Instance": True, "Instance Index": index},
    )
    mesh = program.node("GeometryNodeRealizeInstances", "", {"Geometry": picked.outputs[0]})
    program.node("NodeGroupOutput", inputs={"Mesh": mesh.outputs[0]})


# --- the groups ------------------------------------------------------------------------------------------------------


def _declare(program: NodeProgram, group: str) -> bpy.types.bpy_prop_collection:
    """The inputs of a group: those of its kind of data, in an order for people. Returns the sockets to start from."""
    program.input("Geometry", "Geometry")
    program.input("Representation", "Menu", "How the geometry is drawn")
    program.input("Size", "Float", "Width of a point in Mosaic's screen pixels", default_value=8, min_value=0)
    program.input(
        "Pixel Size", "Float", "Angstrom that one of Mosaic's screen pixels stands for", default_value=1, min_value=0
    )
    tip = "Angstrom from the camera at which a pixel is the Pixel Size; points are as wide on the screen at any other, as in "
    tip += "Mosaic. 0: points have their size in space"
    program.input("Focal Distance", "Float", tip, default_value=0, min_value=0)
    if group != SEGMENTATION:
        tip = "Radius of the soft dots of Gaussian Density, in angstrom"
        program.input("Splat Radius", "Float", tip, default_value=SPLAT_SIGMAS * SPLAT_WIDTH, min_value=0)
        program.input("Arrow Length", "Float", "Angstrom", default_value=15, min_value=0)
    if group in (MESH, TRAJECTORY):
        program.input("Line Width", "Float", "Width of an edge in pixels", default_value=1, min_value=0)
    if group == FIT:
        program.input("Tube Width", "Float", "Width of a fitted curve in pixels", default_value=8, min_value=0)
    program.input(
        "Spheres", "Bool", "Draw points as spheres, else as flat discs that face the camera", default_value=True
    )
    tip = "Draw each point as a mesh sphere: slower, but round in EEVEE, which draws native points crudely"
    program.input("Instances", "Bool", tip, default_value=False)
    program.input("Sphere Detail", "Int", "Subdivisions of the mesh spheres", default_value=2, min_value=1, max_value=5)
    if group in (VOLUME, SEGMENTATION, FIT):
        program.input("Surface", "Object", "The object that holds the surface")
    if group == TRAJECTORY:
        program.input("Frames", "Collection", "The collection that holds the steps, in order of name")
        program.input("Start", "Int", "Frame of the scene at which the first step is shown", default_value=1)
        program.input("Step", "Int", "Frames of the scene that each step is shown", default_value=1, min_value=1)
        program.input("Loop", "Bool", "Begin again after the last step, else hold it", default_value=False)
    program.output("Geometry", "Geometry")
    return program.node("NodeGroupInput").outputs


def _finish(program: NodeProgram, group: str, start: Any, drawn: dict[str, bpy.types.NodeSocket]) -> None:
    """The switch over the representations, and the end of the group."""
    switch = program.node("GeometryNodeMenuSwitch", "Representation", data_type="GEOMETRY")
    switch.enum_items.clear()
    for representation in OFFERED[group]:
        switch.enum_items.new(LABELS[representation])
    program.connect(start["Representation"], switch.inputs["Menu"])
    for representation in OFFERED[group]:
        program.connect(drawn[representation], switch.inputs[LABELS[representation]])
    program.node("NodeGroupOutput", inputs={"Geometry": switch.outputs["Output"]})
    menu = next(item for item in program.tree.interface.items_tree if item.name == "Representation")
    menu.default_value = LABELS[OFFERED[group][0]]


def _drawn_points(
    program: NodeProgram, start: Any, points: bpy.types.NodeSocket, arrows: bool = True
) -> dict[str, Any]:
    """The ways to draw points."""
    half = program.math("MULTIPLY", start["Size"], 0.5)
    radius = program.math("MULTIPLY", half, start["Pixel Size"])
    choices = {name: start[name] for name in ("Focal Distance", "Spheres", "Instances", "Sphere Detail")}
    spheres = _part("Mosaic Spheres", _build_spheres)
    drawn = {"pointcloud": program.group(spheres, {"Points": points, "Radius": radius, **choices})}
    if arrows:
        drawn["gaussian_density"] = program.group(
            spheres,
            {
                **choices,
                "Points": points,
                "Radius": start["Splat Radius"],
                "Focal Distance": 0.0,
                "Soft": 1.0,
                "Spheres": True,
            },
        )
        length = {"Points": points, "Length": start["Arrow Length"]}
        drawn["normals"] = program.group(_part("Mosaic Arrows", _build_arrows), length)
        drawn["basis"] = program.group(_part("Mosaic Axes", _build_axes), length)
    return drawn


def _drawn_mesh(
    program: NodeProgram, start: Any, mesh: bpy.types.NodeSocket, own_normals: bool = False
) -> dict[str, Any]:
    """The ways to draw a mesh, its vertices included. own_normals: that of its surface is the normal of each vertex."""
    width = program.math("MULTIPLY", start["Line Width"], start["Pixel Size"])
    part = _part("Mosaic Lines", _build_lines)
    lines = program.group(part, {"Mesh": mesh, "Width": width, "Focal Distance": start["Focal Distance"]})
    wider = program.math("MULTIPLY", width, EDGE_WIDTH)
    edges = program.group(part, {"Mesh": mesh, "Width": wider, "Focal Distance": start["Focal Distance"]})
    black = program.node("GeometryNodeSetMaterial", "Black", {"Geometry": edges, "Material": edge_material()})
    both = program.node("GeometryNodeJoinGeometry", "Surface and edges")
    program.connect([black.outputs[0], mesh], both.inputs[0])
    bearing = _with_own_normals(program, mesh) if own_normals else mesh
    vertices = program.node("GeometryNodeMeshToPoints", "Vertices", {"Mesh": bearing}).outputs[0]
    points = _with_slot(program, vertices)
    return {"surface": mesh, "mesh": both.outputs[0], "wireframe": lines, **_drawn_points(program, start, points)}


def _with_own_normals(program: NodeProgram, mesh: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
    normal = program.node("GeometryNodeInputNormal").outputs["Normal"]
    inputs = {"Geometry": mesh, "Name": "normals", "Value": normal}
    return program.node("GeometryNodeStoreNamedAttribute", "Normals", inputs, data_type="FLOAT_VECTOR").outputs[0]


def _surface_object(program: NodeProgram, start: Any) -> bpy.types.NodeSocket:
    return program.node(
        "GeometryNodeObjectInfo", "Surface", {"Object": start["Surface"]}, transform_space="ORIGINAL"
    ).outputs["Geometry"]


def _build_points(program: NodeProgram) -> None:
    start = _declare(program, POINTS)
    _finish(program, POINTS, start, _drawn_points(program, start, start["Geometry"]))


def _build_mesh(program: NodeProgram) -> None:
    start = _declare(program, MESH)
    _finish(program, MESH, start, _drawn_mesh(program, start, start["Geometry"]))


def _build_trajectory(program: NodeProgram) -> None:
    start = _declare(program, TRAJECTORY)
    timing = {name: start[name] for name in ("Frames", "Start", "Step", "Loop")}
    mesh = program.group(_part("Mosaic Frame", _build_frame), timing)
    _finish(program, TRAJECTORY, start, _drawn_mesh(program, start, mesh, own_normals=True))


def _build_volume(program: NodeProgram) -> None:
    start = _declare(program, VOLUME)
    copies = program.node(
        "GeometryNodeInstanceOnPoints",
        "A copy at each point",
        {
            "Points": start["Geometry"],
            "Instance": _marked(program, _surface_object(program, start), GLYPH, 1.0),
            "Rotation": _orientation(program),
        },
    )
    drawn = {"volume": copies.outputs[0], **_drawn_points(program, start, start["Geometry"])}
    _finish(program, VOLUME, start, drawn)


def _build_segmentation(program: NodeProgram) -> None:
    start = _declare(program, SEGMENTATION)
    drawn = {
        "segmentation": _surface_object(program, start),
        **_drawn_points(program, start, start["Geometry"], arrows=False),
    }
    _finish(program, SEGMENTATION, start, drawn)


def _build_fit(program: NodeProgram) -> None:
    start = _declare(program, FIT)
    shape = _surface_object(program, start)
    parts = program.node("GeometryNodeSeparateComponents", "", {"Geometry": shape})
    radius = program.math("MULTIPLY", program.math("MULTIPLY", start["Tube Width"], 0.5), start["Pixel Size"])
    profile = program.node("GeometryNodeCurvePrimitiveCircle", "Profile", {"Resolution": 12, "Radius": radius})
    tube = program.node(
        "GeometryNodeCurveToMesh",
        "Bevel",
        {"Curve": parts.outputs["Curve"], "Profile Curve": profile.outputs[0], "Fill Caps": True},
    )
    surface = program.node("GeometryNodeJoinGeometry", "Surface or tube")
    program.connect([parts.outputs["Mesh"], _with_slot(program, tube.outputs[0])], surface.inputs[0])
    drawn = {FITTED_SURFACE: surface.outputs[0], **_drawn_points(program, start, start["Geometry"])}
    _finish(program, FIT, start, drawn)


BUILDERS: dict[str, Callable[[NodeProgram], None]] = {
    POINTS: _build_points,
    MESH: _build_mesh,
    VOLUME: _build_volume,
    SEGMENTATION: _build_segmentation,
    FIT: _build_fit,
    TRAJECTORY: _build_trajectory,
}
