"""Representations as Geometry Nodes: one group per kind of data, with a menu input to switch, live and animatable.

A point of Mosaic is `size` screen pixels wide. An import fixes how many angstrom a pixel is, so that a point has a place in
space: radius = size x pixel size / 2, in angstrom.
"""

from dataclasses import dataclass

import bpy

from .compat import ModifierInputs
from .materials import edge_material
from .node_tree import NodeProgram, shared_group

MODIFIER = "Mosaic"
POINTS, MESH = "Mosaic Points", "Mosaic Mesh"
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
}
OFFERED = {POINTS: ("pointcloud",), MESH: ("surface", "mesh", "wireframe", "pointcloud")}


@dataclass(frozen=True, slots=True)
class Drawing:
    """How an object is drawn: Mosaic's representation, its point size in pixels, and a pixel in angstrom."""

    representation: str
    size: float
    pixel_size: float


class RepresentationFactory:
    """Gives objects their "Mosaic" modifier."""

    def __init__(self) -> None:
        self._inputs: dict[str, ModifierInputs] = {}
        self._groups: dict[str, bpy.types.NodeTree] = {}

    def add(self, thing: bpy.types.Object, group: str, drawing: Drawing) -> None:
        """Draw `thing` by the group of its kind of data (POINTS or MESH)."""
        if group not in self._inputs:
            self._groups[group] = points_group() if group == POINTS else mesh_group()
            self._inputs[group] = ModifierInputs(self._groups[group])
        inputs = self._inputs[group]
        modifier = thing.modifiers.new(MODIFIER, "NODES")
        modifier.node_group = self._groups[group]
        if LABELS[drawing.representation] != LABELS[OFFERED[group][0]]:
            inputs.set(modifier, "Representation", LABELS[drawing.representation])
        inputs.set(modifier, "Size", drawing.size)
        inputs.set(modifier, "Pixel Size", drawing.pixel_size)


def points_group() -> bpy.types.NodeTree:
    """Draws point clouds."""
    return shared_group(POINTS, "GeometryNodeTree", 1, _build_points)


def mesh_group() -> bpy.types.NodeTree:
    """Draws triangle meshes."""
    return shared_group(MESH, "GeometryNodeTree", 1, _build_mesh)


def _declare(program: NodeProgram, group: str) -> None:
    program.input("Geometry", "Geometry")
    program.input("Representation", "Menu", "How the geometry is drawn")
    program.input("Size", "Float", "Width of a point in Mosaic's screen pixels", default_value=8, min_value=0)
    program.input(
        "Pixel Size", "Float", "Angstrom that one of Mosaic's screen pixels stands for", default_value=1, min_value=0
    )
    if group == MESH:
        program.input("Line Width", "Float", "Width of an edge in pixels", default_value=1, min_value=0)
    tip = "Draw each point as a mesh sphere: slower, but round in EEVEE and in the viewport"
    program.input("Instances", "Bool", tip, default_value=False)
    tip = "Subdivisions of the mesh spheres"
    program.input("Sphere Detail", "Int", tip, default_value=2, min_value=1, max_value=5)
    program.output("Geometry", "Geometry")


def _menu(program: NodeProgram, group: str, start: bpy.types.bpy_prop_collection, drawn: dict[str, object]) -> None:
    """The switch over the representations, and the end of the group."""
    switch = program.node("GeometryNodeMenuSwitch", "Representation", data_type="GEOMETRY")
    switch.enum_items.clear()
    for representation in OFFERED[group]:
        switch.enum_items.new(LABELS[representation])
    program.connect(start["Representation"], switch.inputs["Menu"])
    for representation, geometry in drawn.items():
        program.connect(geometry, switch.inputs[LABELS[representation]])
    program.node("NodeGroupOutput", inputs={"Geometry": switch.outputs["Output"]})
    menu = next(item for item in program.tree.interface.items_tree if item.name == "Representation")
    menu.default_value = LABELS[OFFERED[group][0]]


def _spheres(
    program: NodeProgram, start: bpy.types.bpy_prop_collection, points: bpy.types.NodeSocket
) -> bpy.types.NodeSocket:
    """Points of the right radius: native ones, or instances of a sphere."""
    half = program.math("MULTIPLY", start["Size"], 0.5)
    radius = program.math("MULTIPLY", half, start["Pixel Size"])
    native = program.node("GeometryNodeSetPointRadius", "Native points", {"Points": points, "Radius": radius})
    sphere = program.node(
        "GeometryNodeMeshIcoSphere", "Sphere", {"Radius": 1.0, "Subdivisions": start["Sphere Detail"]}
    )
    smooth = program.node("GeometryNodeSetShadeSmooth")
    program.connect(sphere.outputs["Mesh"], smooth.inputs[0])
    instances = program.node(
        "GeometryNodeInstanceOnPoints", "Spheres", {"Points": points, "Instance": smooth.outputs[0], "Scale": radius}
    )
    choice = program.node(
        "GeometryNodeSwitch",
        "Instances?",
        {"Switch": start["Instances"], "False": native.outputs[0], "True": instances.outputs[0]},
        input_type="GEOMETRY",
    )
    return choice.outputs[0]


def _build_points(program: NodeProgram) -> None:
    _declare(program, POINTS)
    start = program.node("NodeGroupInput").outputs
    _menu(program, POINTS, start, {"pointcloud": _spheres(program, start, start["Geometry"])})


def _build_mesh(program: NodeProgram) -> None:
    _declare(program, MESH)
    start = program.node("NodeGroupInput").outputs
    points = program.node("GeometryNodeMeshToPoints", "Vertices", {"Mesh": start["Geometry"]}).outputs[0]
    # Lines are tubes one pixel wide. Normals of the surface would shade them wrongly.
    bare = program.node(
        "GeometryNodeRemoveAttribute", "No normals", {"Geometry": start["Geometry"], "Name": "custom_normal"}
    )
    edges = program.node("GeometryNodeMeshToCurve", "Edges", {"Mesh": bare.outputs[0]})
    width = program.math("MULTIPLY", start["Line Width"], start["Pixel Size"])
    radius = program.math("MULTIPLY", width, 0.5)
    profile = program.node("GeometryNodeCurvePrimitiveCircle", "Profile", {"Resolution": 5, "Radius": radius})
    tubes = program.node(
        "GeometryNodeCurveToMesh", "Lines", {"Curve": edges.outputs[0], "Profile Curve": profile.outputs[0]}
    )
    black = program.node(
        "GeometryNodeSetMaterial", "Black", {"Geometry": tubes.outputs[0], "Material": edge_material()}
    )
    both = program.node("GeometryNodeJoinGeometry", "Surface and edges")
    program.connect(black.outputs[0], both.inputs[0])
    program.connect(start["Geometry"], both.inputs[0])
    _menu(
        program,
        MESH,
        start,
        {
            "surface": start["Geometry"],
            "mesh": both.outputs[0],
            "wireframe": tubes.outputs[0],
            "pointcloud": _spheres(program, start, points),
        },
    )
