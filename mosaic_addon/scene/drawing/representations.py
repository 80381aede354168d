"""Representations as Geometry Nodes: one group per kind of data, with a menu input to switch, live and animatable.

A point of Mosaic is `size` screen pixels wide. An import fixes how many angstrom a pixel is, so that a point has a size
in space: radius = size x pixel size / 2, in angstrom. Arrows and shapes have Mosaic's own proportions.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeGuard

import bpy
from bpy.types import Modifier, NodesModifier

from ..compat import ModifierInputs
from ..data.extent import VIEW_HEIGHT
from ..keys import EDGES, GLYPH, NODE_GROUP
from .cut_nodes import shaping_group
from .materials import SPLAT_SIGMAS, edge_material
from .node_tree import NodeProgram, shared_group
from .representation_parts import (
    ARROWS,
    AXES,
    FEWER,
    FRAME,
    LINES,
    MEMBRANE,
    MEMBRANE_SMOOTHING,
    ON_SCREEN,
    SPHERES,
    VERSION,
    marked,
    orientation,
    part_group,
    widest_line,
    with_slot,
)

MODIFIER = "Mosaic"

VIEW_SURFACE = "View Surface"  # the input of what views draw instead of a large surface
PART_INPUTS = ("Surface", VIEW_SURFACE, "Membrane", "Frames")  # inputs of what an object shows beside its own data

# The kinds of data, by the node group that draws them.
POINTS = "Mosaic Points"
MESH = "Mosaic Mesh"
VOLUME = "Mosaic Volume"
SEGMENTATION = "Mosaic Segmentation"
FIT = "Mosaic Fit"
TRAJECTORY = "Mosaic Trajectory"
# The group of a kind of data that looks at the scene's camera has more to its name. Only what needs the camera has it,
# because it is drawn anew each time the camera moves.
WITH_CAMERA = " with Camera"

FITTED_SURFACE = "fitted_surface"  # the true surface of a parametric model, which Mosaic cannot show
MEMBRANE_SURFACE = "membrane_surface"  # a smooth surface around points, which Mosaic does not have either
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
    MEMBRANE_SURFACE: "Membrane Surface",
}
ONLY_IN_BLENDER = (FITTED_SURFACE, MEMBRANE_SURFACE)
POINT_REPRESENTATIONS = ("pointcloud", "gaussian_density", "normals", "basis")
OFFERED = {
    POINTS: (*POINT_REPRESENTATIONS, MEMBRANE_SURFACE),
    MESH: ("surface", "mesh", "wireframe", *POINT_REPRESENTATIONS),
    VOLUME: ("volume", *POINT_REPRESENTATIONS),
    SEGMENTATION: ("segmentation", "pointcloud", MEMBRANE_SURFACE),
    FIT: (*POINT_REPRESENTATIONS, FITTED_SURFACE),
    TRAJECTORY: ("surface", "mesh", "wireframe", *POINT_REPRESENTATIONS),
}

ARROW_LENGTH = 15.0  # of Mosaic's arrows, in voxels of the coarsest axis
WIDER_IN_VIEWS = 2.0  # at most, where views draw a part of the points
EDGE_WIDTH = 1.45  # of the edges on a surface, which VTK draws a little wider than the lines of a wireframe
SPLAT_WIDTH = 2.0  # angstrom: of the Gaussian of a soft point, whatever its size


class RepresentationFactory:
    """Gives objects their "Mosaic" modifier. Each node group is looked up once."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, bool], tuple[bpy.types.NodeTree, ModifierInputs]] = {}

    def add(self, obj: bpy.types.Object, group: str, representation: str, values: dict[str, Any]) -> None:
        """Draw an object.

        group: its kind of data, such as POINTS. representation: one that OFFERED has for it. values: other inputs of
        the modifier, by name; those that are left out keep their defaults.
        """
        key = group, _needs_camera(values.get("Spheres", True), values.get("On Screen", False))
        if key not in self._groups:
            tree = representation_group(*key)
            self._groups[key] = (tree, ModifierInputs(tree))
        tree, inputs = self._groups[key]
        modifier = obj.modifiers.new(MODIFIER, "NODES")
        assert isinstance(modifier, NodesModifier)
        modifier.node_group = tree
        if representation != OFFERED[group][0]:
            inputs.set(modifier, "Representation", LABELS[representation])
        for name, value in values.items():
            inputs.set(modifier, name, value)


def modifier_of(obj: bpy.types.Object) -> NodesModifier | None:
    """The modifier that draws an object, even if it was renamed; None where there is none."""
    named = obj.modifiers.get(MODIFIER)
    if _draws(named):
        return named
    return next((modifier for modifier in obj.modifiers if _draws(modifier)), None)


def _draws(modifier: Modifier | None) -> TypeGuard[NodesModifier]:
    return kind_drawn(modifier) is not None


def kind_drawn(modifier: Modifier | None) -> str | None:
    """The kind of data that a modifier draws, such as POINTS; None for one that is not ours."""
    tree = getattr(modifier, "node_group", None)
    name = (NODE_GROUP.read(tree) or "").partition("/")[0] if tree is not None else ""
    name = name.removesuffix(WITH_CAMERA)
    return name if name in OFFERED else None


def inputs_of(modifier: NodesModifier) -> ModifierInputs:
    """The inputs of a modifier that has a node group."""
    assert modifier.node_group is not None
    return ModifierInputs(modifier.node_group)


def input_of(obj: bpy.types.Object, name: str) -> Any:
    """An input of an object's "Mosaic" modifier; None where it has none of that name."""
    modifier = modifier_of(obj)
    if modifier is None:
        return None
    inputs = inputs_of(modifier)
    return inputs.get(modifier, name) if name in inputs else None


def set_inputs(objects: Iterable[bpy.types.Object], values: dict[str, Any]) -> None:
    """Set inputs of objects' "Mosaic" modifiers by name, but for those that an object's kind of data lacks."""
    known: dict[bpy.types.NodeTree | None, ModifierInputs] = {}
    for obj in objects:
        modifier = modifier_of(obj)
        if modifier is None:
            continue
        inputs = known.get(modifier.node_group)
        if inputs is None:
            inputs = known[modifier.node_group] = inputs_of(modifier)
        for name, value in values.items():
            if name in inputs:
                inputs.set(modifier, name, value)
        if not values.keys().isdisjoint(("Spheres", "On Screen")):
            _let_see_camera(modifier, inputs)
        obj.update_tag()


def _needs_camera(spheres: bool, on_screen: bool) -> bool:
    """Tell whether points are drawn as the camera sees them: discs face it, and it counts the pixels of the screen."""
    return on_screen or not spheres


def _let_see_camera(modifier: NodesModifier, inputs: ModifierInputs) -> None:
    """Draw an object by the group that looks at the camera, if it needs that one. Both groups have the same inputs."""
    kind = kind_drawn(modifier)
    if kind is None or "On Screen" not in inputs:
        return
    group = representation_group(kind, _needs_camera(*inputs.several(modifier, ("Spheres", "On Screen"))))
    if modifier.node_group != group:
        modifier.node_group = group


def group_of(obj: bpy.types.Object) -> str | None:
    """The kind of data that an object's "Mosaic" modifier draws, such as POINTS; None where it has no such modifier."""
    return kind_drawn(modifier_of(obj))


def representation_of(obj: bpy.types.Object) -> str | None:
    """How an object is drawn, such as "pointcloud"; None where it has no "Mosaic" modifier."""
    label = input_of(obj, "Representation")
    return next((name for name, text in LABELS.items() if text == label), None)


def faces_in_views(obj: bpy.types.Object) -> int | None:
    """The faces of the coarser surface that views draw instead of an object's own; None where they draw that one."""
    part = input_of(obj, VIEW_SURFACE) if representation_of(obj) == "segmentation" else None
    mesh = None if part is None else part.data
    if not isinstance(mesh, bpy.types.Mesh) or not mesh.polygons or input_of(obj, "Viewport Amount") >= 1:
        return None
    return len(mesh.polygons)


def set_representation(objects: Iterable[bpy.types.Object], representation: str) -> list[bpy.types.Object]:
    """Switch objects to a representation. Returns those whose kind of data lacks it, which stay as they are."""
    grouped = [(obj, group_of(obj)) for obj in objects]
    able = [obj for obj, group in grouped if representation in OFFERED.get(group or "", ())]
    set_inputs(able, {"Representation": LABELS[representation]})
    return [obj for obj, group in grouped if representation not in OFFERED.get(group or "", ())]


def representation_group(group: str, with_camera: bool = False) -> bpy.types.NodeTree:
    """Return the node group that draws a kind of data, such as POINTS. with_camera: the one that looks at the camera."""
    name = group + WITH_CAMERA if with_camera else group
    return shared_group(name, "GeometryNodeTree", VERSION, lambda program: BUILDERS[group](program, with_camera))


# --- the groups ------------------------------------------------------------------------------------------------------


def _declare(program: NodeProgram, group: str) -> bpy.types.bpy_prop_collection:
    """Declare the inputs of a group, those of its kind of data in an order for people. Returns their sockets."""
    program.input("Geometry", "Geometry")
    program.input("Representation", "Menu", "How the geometry is drawn")
    program.input("Size", "Float", "Width of a point in Mosaic's screen pixels", default_value=8, min_value=0)
    program.input(
        "Pixel Size", "Float", "Angstrom that one of Mosaic's screen pixels stands for", default_value=1, min_value=0
    )
    tip = "Points and lines keep their width in the picture of the scene's camera, as in Mosaic; else they have a size "
    tip += "in space. Choose it in the sidebar, so that the camera is asked"
    program.input("On Screen", "Bool", tip, default_value=False)
    tip = "Pixels of Mosaic's screen that the height of the picture stands for, where On Screen counts them"
    program.input("Picture Height", "Float", tip, default_value=VIEW_HEIGHT, min_value=1)
    tip = "Part of the points that views draw, at random and up to twice as wide; a render draws all as they are"
    if group == SEGMENTATION:
        tip += ". Below 1, views draw a coarser surface of a large segmentation"
    program.input("Viewport Amount", "Float", tip, default_value=1, min_value=0, max_value=1, subtype="FACTOR")
    if group != SEGMENTATION:
        tip = "Radius of the soft dots of Gaussian Density, in angstrom"
        program.input("Splat Radius", "Float", tip, default_value=SPLAT_SIGMAS * SPLAT_WIDTH, min_value=0)
        program.input("Arrow Length", "Float", "Angstrom", default_value=15, min_value=0)
    if group in (MESH, TRAJECTORY):
        tip = "Width of an edge in pixels: of the picture for Mesh, of Pixel Size for Wireframe"
        program.input("Line Width", "Float", tip, default_value=1, min_value=0)
    if group == FIT:
        program.input("Tube Width", "Float", "Width of a fitted curve in pixels", default_value=8, min_value=0)
    tip = "Draw points as spheres, else as flat discs. Choose it in the sidebar, so that these face the camera"
    program.input("Spheres", "Bool", tip, default_value=True)
    tip = "Draw each point as a mesh sphere: slower, but round in EEVEE, which draws native points crudely"
    program.input("Instances", "Bool", tip, default_value=False)
    program.input("Sphere Detail", "Int", "Subdivisions of the mesh spheres", default_value=2, min_value=1, max_value=5)
    if group in (VOLUME, SEGMENTATION, FIT):
        program.input("Surface", "Object", "The object that holds the surface")
    if group == SEGMENTATION:
        tip = "The object that holds the coarser surface that views draw where Viewport Amount is below 1"
        program.input(VIEW_SURFACE, "Object", tip)
    if group in (POINTS, SEGMENTATION):
        program.input("Membrane", "Object", "The object that holds the surface of Membrane Surface")
        tip = "Passes of smoothing of Membrane Surface"
        program.input("Smoothing", "Int", tip, default_value=MEMBRANE_SMOOTHING, min_value=0, max_value=500)
        program.input("Thickness", "Float", "Thickness of Membrane Surface in angstrom", default_value=0, min_value=0)
    if group == TRAJECTORY:
        program.input("Frames", "Collection", "The collection that holds the trajectory's frames, in order of name")
        program.input("Start", "Int", "Scene frame at which the first frame is shown", default_value=1)
        program.input("Step", "Int", "Scene frames that each frame is shown", default_value=1, min_value=1)
        program.input("Loop", "Bool", "Begin again after the last frame, else hold it", default_value=False)
        tip = (
            "The frame that is shown, from 0, for keyframes; below 0 it follows from Start, Step and the scene's frame"
        )
        program.input("Shown", "Float", tip, default_value=-1)
    program.input("Spared", "Int", "The cuts that leave it alone", default_value=0, min_value=0, hide_in_modifier=True)
    program.output("Geometry", "Geometry")
    return program.node("NodeGroupInput").outputs


def _finish(program: NodeProgram, group: str, start: Any, drawn: dict[str, bpy.types.NodeSocket]) -> None:
    """Add the switch over the representations, and the end of the group. drawn: the geometry of each representation."""
    switch = program.node("GeometryNodeMenuSwitch", "Representation", data_type="GEOMETRY")
    switch.enum_items.clear()
    for representation in OFFERED[group]:
        switch.enum_items.new(LABELS[representation])
    program.connect(start["Representation"], switch.inputs["Menu"])
    for representation in OFFERED[group]:
        program.connect(drawn[representation], switch.inputs[LABELS[representation]])
    cut = program.group(shaping_group(), {"Geometry": switch.outputs["Output"], "Spared": start["Spared"]})
    program.node("NodeGroupOutput", inputs={"Geometry": cut})
    menu = next(item for item in program.tree.interface.items_tree if item.name == "Representation")
    menu.default_value = LABELS[OFFERED[group][0]]


def _pixel_size(program: NodeProgram, start: Any, with_camera: bool) -> tuple[Any, dict[str, Any]]:
    """Add the size of a pixel in angstrom, and what discs are turned by. with_camera: as the scene's camera sees it."""
    if not with_camera:
        return start["Pixel Size"], {}
    names = ("On Screen", "Pixel Size", "Picture Height")
    seen = program.node("GeometryNodeGroup", ON_SCREEN, node_tree=part_group(ON_SCREEN))
    for name in names:
        program.connect(start[name], seen.inputs[name])
    pixel = program.math("MULTIPLY", start["Pixel Size"], seen.outputs["Grow"])
    return pixel, {"Facing": seen.outputs["Facing"]}


def _wider_in_views(program: NodeProgram, amount: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
    """The factor by which views draw points wider, so that a membrane looks closed although they draw a part of it."""
    lost = program.math("POWER", program.math("MAXIMUM", amount, 0.01), -0.5)
    in_view = program.node("GeometryNodeIsViewport").outputs[0]
    return program.switch(in_view, 1.0, program.math("MINIMUM", lost, WIDER_IN_VIEWS), "In a view?", "FLOAT")


def _drawn_points(
    program: NodeProgram, start: Any, points: bpy.types.NodeSocket, with_camera: bool, arrows: bool = True
) -> dict[str, Any]:
    """The geometry of each representation of points. arrows: those with arrows and soft points, too."""
    points = program.group(part_group(FEWER), {"Points": points, "Amount": start["Viewport Amount"]})
    pixel, facing = _pixel_size(program, start, with_camera)
    radius = program.math("MULTIPLY", program.math("MULTIPLY", start["Size"], 0.5), pixel)
    radius = program.math("MULTIPLY", radius, _wider_in_views(program, start["Viewport Amount"]))
    choices = {name: start[name] for name in ("Spheres", "Instances", "Sphere Detail")}
    spheres = part_group(SPHERES)
    drawn = {"pointcloud": program.group(spheres, {"Points": points, "Radius": radius, **choices, **facing})}
    if arrows:
        drawn["gaussian_density"] = program.group(
            spheres,
            {
                **choices,
                "Points": points,
                "Radius": start["Splat Radius"],
                "Soft": 1.0,
                "Spheres": True,
            },
        )
        length = {"Points": points, "Length": start["Arrow Length"]}
        drawn["normals"] = program.group(part_group(ARROWS), length)
        drawn["basis"] = program.group(part_group(AXES), length)
    return drawn


def _drawn_mesh(
    program: NodeProgram, start: Any, mesh: bpy.types.NodeSocket, with_camera: bool, own_normals: bool = False
) -> dict[str, Any]:
    """The geometry of each representation of a mesh. own_normals: let its vertices have the normals of its surface.

    The material draws the edges on a surface. The view's Solid shading does not ask it, so that the view has lines as
    well, which are left out of a render.
    """
    width = program.math("MULTIPLY", start["Line Width"], _pixel_size(program, start, with_camera)[0])
    inputs = {"Mesh": mesh, "Width": width}
    lines = program.group(part_group(LINES), inputs)
    quick_lines = program.group(part_group(LINES), inputs | {"Sides": 3})
    edges = program.node("ShaderNodeCombineXYZ", "Pixels, and at most angstrom").inputs
    program.connect(program.math("MULTIPLY", start["Line Width"], EDGE_WIDTH), edges["X"])
    program.connect(widest_line(program, mesh), edges["Y"])
    inputs = {"Geometry": mesh, "Name": EDGES, "Value": edges["X"].node.outputs[0]}
    edged = program.node("GeometryNodeStoreNamedAttribute", EDGES, inputs, data_type="FLOAT_VECTOR").outputs[0]
    black = program.node("GeometryNodeSetMaterial", "Black", {"Geometry": quick_lines, "Material": edge_material()})
    both = program.node("GeometryNodeJoinGeometry", "Surface and lines")
    program.connect([black.outputs[0], edged], both.inputs[0])
    in_view = program.node("GeometryNodeIsViewport").outputs[0]
    bearing = _with_own_normals(program, mesh) if own_normals else mesh
    vertices = program.node("GeometryNodeMeshToPoints", "Vertices", {"Mesh": bearing}).outputs[0]
    points = with_slot(program, vertices)
    return {
        "surface": mesh,
        "mesh": program.switch(in_view, edged, both.outputs[0], "In the view?"),
        "wireframe": lines,
        **_drawn_points(program, start, points, with_camera),
    }


def _with_own_normals(program: NodeProgram, mesh: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
    normal = program.node("GeometryNodeInputNormal").outputs["Normal"]
    inputs = {"Geometry": mesh, "Name": "normals", "Value": normal}
    return program.node("GeometryNodeStoreNamedAttribute", "Normals", inputs, data_type="FLOAT_VECTOR").outputs[0]


def _surface_object(program: NodeProgram, start: Any, name: str = "Surface") -> bpy.types.NodeSocket:
    return program.node("GeometryNodeObjectInfo", name, {"Object": start[name]}, transform_space="ORIGINAL").outputs[
        "Geometry"
    ]


def _drawn_membrane(program: NodeProgram, start: Any, points: bpy.types.NodeSocket) -> dict[str, Any]:
    """The geometry of Membrane Surface. points: what is drawn where the menu was set before the surface was made."""
    surface = _surface_object(program, start, "Membrane")
    choices = {name: start[name] for name in ("Smoothing", "Thickness")}
    membrane = program.group(part_group(MEMBRANE), {"Surface": surface, **choices})
    size = program.node("GeometryNodeAttributeDomainSize", "Made?", {"Geometry": surface}, component="MESH")
    return {MEMBRANE_SURFACE: program.switch(size.outputs["Face Count"], points, membrane, "Made?")}


def _build_points(program: NodeProgram, with_camera: bool) -> None:
    start = _declare(program, POINTS)
    drawn = _drawn_points(program, start, start["Geometry"], with_camera)
    _finish(program, POINTS, start, drawn | _drawn_membrane(program, start, drawn["pointcloud"]))


def _build_mesh(program: NodeProgram, with_camera: bool) -> None:
    start = _declare(program, MESH)
    _finish(program, MESH, start, _drawn_mesh(program, start, start["Geometry"], with_camera))


def _build_trajectory(program: NodeProgram, with_camera: bool) -> None:
    start = _declare(program, TRAJECTORY)
    timing = {name: start[name] for name in ("Frames", "Start", "Step", "Loop", "Shown")}
    mesh = program.group(part_group(FRAME), timing)
    _finish(program, TRAJECTORY, start, _drawn_mesh(program, start, mesh, with_camera, own_normals=True))


def _build_volume(program: NodeProgram, with_camera: bool) -> None:
    start = _declare(program, VOLUME)
    copies = program.node(
        "GeometryNodeInstanceOnPoints",
        "A copy at each point",
        {
            "Points": start["Geometry"],
            "Instance": marked(program, _surface_object(program, start), GLYPH, 1.0),
            "Rotation": orientation(program),
        },
    )
    drawn = {"volume": copies.outputs[0], **_drawn_points(program, start, start["Geometry"], with_camera)}
    _finish(program, VOLUME, start, drawn)


def _build_segmentation(program: NodeProgram, with_camera: bool) -> None:
    start = _declare(program, SEGMENTATION)
    drawn = _drawn_points(program, start, start["Geometry"], with_camera, arrows=False)
    whole, coarse = _surface_object(program, start), _surface_object(program, start, VIEW_SURFACE)
    faces = program.node("GeometryNodeAttributeDomainSize", "Made?", {"Geometry": coarse}, component="MESH")
    in_view = program.node("GeometryNodeIsViewport").outputs[0]
    some = program.math("LESS_THAN", start["Viewport Amount"], 1.0)
    is_coarse = program.math("MULTIPLY", program.math("MULTIPLY", in_view, some), faces.outputs["Face Count"])
    drawn["segmentation"] = program.switch(is_coarse, whole, coarse, "Coarse?")
    _finish(program, SEGMENTATION, start, drawn | _drawn_membrane(program, start, drawn["pointcloud"]))


def _build_fit(program: NodeProgram, with_camera: bool) -> None:
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
    program.connect([parts.outputs["Mesh"], with_slot(program, tube.outputs[0])], surface.inputs[0])
    drawn = {FITTED_SURFACE: surface.outputs[0], **_drawn_points(program, start, start["Geometry"], with_camera)}
    _finish(program, FIT, start, drawn)


BUILDERS: dict[str, Callable[[NodeProgram, bool], None]] = {
    POINTS: _build_points,
    MESH: _build_mesh,
    VOLUME: _build_volume,
    SEGMENTATION: _build_segmentation,
    FIT: _build_fit,
    TRAJECTORY: _build_trajectory,
}
