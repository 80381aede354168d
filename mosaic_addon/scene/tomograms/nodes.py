"""A tomogram as shader nodes: a place in it becomes its density there, and that a colour.

Each tomogram has a group of its own, because its picture and the object at whose place it lies are settings of nodes.
Beside it, in Blender's own nodes, stand the settings that all its slices, and surfaces that wear it, share.
"""

from typing import Any, Final

import bpy

from ..drawing.color_map_nodes import color_map_group
from ..drawing.coloring import DENSITY as TOMOGRAM
from ..drawing.node_tree import NodeProgram, arrange, socket_named
from .atlas import STEP, Grid

Socket = bpy.types.NodeSocket

LOOKED_UP = "Mosaic Density"  # with the name of the tomogram, that of its group
IMAGE, MAP, POINT, VALUE, END = "Image", "Colour Map", "Point", "Value", "End"  # nodes
FULL: Final = "Full Slice"  # with the axis and the number, how names of the nodes of a slice of the file begin
IN_PLANE: Final = 0.25  # voxels of the file from a slice, within which its image is shown
# Nodes that hold the settings, and what each is at first.
SETTINGS: Final[dict[str, float]] = {
    "Black": 0.0, "White": 1.0, "Gamma": 1.0, "Invert": 0.0, "Threshold": 0.0, "Opacity": 1.0,
}  # fmt: skip
MOST_SLICES: Final = 25  # that are averaged


def density_group(
    name: str,
    image: bpy.types.Image,
    place: bpy.types.Object,
    grid: Grid,
    voxel_size: tuple[float, float, float],
    start: tuple[float, float, float],
    value_range: tuple[float, float],
) -> bpy.types.NodeTree:
    """Make the group that gives the density at the shaded point, moved by a vector of angstrom.

    place: the object whose coordinates count, in angstrom. start: the middle of the first voxel in them. value_range:
    what black and white of the image stand for.
    """
    group = bpy.data.node_groups.new(f"{LOOKED_UP} {name}", "ShaderNodeTree")
    program = NodeProgram(group)
    program.input("Offset", "Vector", "From the shaded point, in angstrom along the tomogram's axes")
    program.output("Value", "Float")
    program.output("Inside", "Float")
    offset = program.node("NodeGroupInput").outputs["Offset"]
    point = program.node("ShaderNodeTexCoord", "Place in the tomogram", object=place).outputs["Object"]
    moved = program.vector("ADD", point, offset)
    moved.node.name = POINT
    from_start = program.vector("SUBTRACT", moved, start)
    voxel = program.vector("DIVIDE", from_start, voxel_size)
    inside = _inside(program, voxel, grid)
    top = tuple(float(side - 1) for side in grid.shape)
    clamped = program.vector("MINIMUM", program.vector("MAXIMUM", voxel, (0.0, 0.0, 0.0)), top)
    at = program.node("ShaderNodeSeparateXYZ", inputs={"Vector": clamped}).outputs
    tile = program.math("MINIMUM", program.math("FLOOR", program.math("DIVIDE", at["Z"], STEP)), grid.tiles - 1.0)
    row = program.math("FLOOR", program.math("DIVIDE", program.math("ADD", tile, 0.5), float(grid.columns)))
    column = program.math("MULTIPLY_ADD", row, -float(grid.columns), tile)
    color, alpha = _between_four(program, image, grid, (at["X"], at["Y"]), (column, row))
    depth = program.math("MULTIPLY_ADD", tile, -float(STEP), at["Z"])
    level = _between_slices(program, color, alpha, depth)
    low, high = value_range
    value = program.math("MULTIPLY_ADD", level, high - low, low)
    value.node.name = VALUE
    program.node("NodeGroupOutput", inputs={"Value": value, "Inside": inside}, name=END)
    arrange(group)
    return group


def add_full_slice(
    group: bpy.types.NodeTree,
    image: bpy.types.Image,
    axis: int,
    number: int,
    voxel_size: tuple[float, float, float],
    value_range: tuple[float, float],
) -> None:
    """Let a density be that of an image in the plane of a slice of the file.

    axis, number: across which, 0 to 2, and which it is. voxel_size: of the file, in angstrom. value_range: what black
    and white of the image stand for.
    """
    drop_full_slices(group, axis, number)
    program = NodeProgram(group)
    name = _full_name(axis, number)
    end = socket_named(group.nodes[END].inputs, "Value")
    before = end.links[0].from_socket  # type: ignore[index]
    count = len(group.nodes)
    point = group.nodes[POINT].outputs["Vector"]
    voxel = program.node(
        "ShaderNodeSeparateXYZ", inputs={"Vector": program.vector("DIVIDE", point, voxel_size)}
    ).outputs
    away = program.math("ABSOLUTE", program.math("SUBTRACT", voxel[axis], float(number)))
    here = program.math("LESS_THAN", away, IN_PLANE)
    sides = [side for side in range(3) if side != axis]
    pixels: Any = image.size
    places = [
        program.math("DIVIDE", program.math("ADD", voxel[side], 0.5), float(size))
        for side, size in zip(sides, pixels, strict=True)
    ]
    vector = program.node("ShaderNodeCombineXYZ", inputs={"X": places[0], "Y": places[1]}).outputs[0]
    looked = program.node("ShaderNodeTexImage", name, {"Vector": vector}, image=image, extension="EXTEND")
    level = program.node("ShaderNodeSeparateXYZ", inputs={"Vector": looked.outputs["Color"]}).outputs["X"]
    low, high = value_range
    value = program.math("MULTIPLY_ADD", level, high - low, low)
    mix = program.node("ShaderNodeMix", "In the slice?", {"Factor": here, "A": before, "B": value})
    program.connect(socket_named(mix.outputs, "Result"), end)
    for node in list(group.nodes)[count:]:
        node.name = f"{name} {node.name}"
    arrange(group)


def full_slices(group: bpy.types.NodeTree) -> list[tuple[int, int]]:
    """Return the slices of the file, each as its axis and number, whose images a density has."""
    labels = [node.label for node in group.nodes if isinstance(node, bpy.types.ShaderNodeTexImage)]
    parts = [label.split() for label in labels if label.startswith(FULL)]
    return sorted((int(part[-2]), int(part[-1])) for part in parts)


def drop_full_slices(group: bpy.types.NodeTree, axis: int | None = None, number: int | None = None) -> None:
    """Remove the images of all slices of the file, or of one, from a density."""
    chosen = [each for each in full_slices(group) if axis is None or each == (axis, number)]
    for each in chosen:
        name = _full_name(*each)
        nodes = [node for node in group.nodes if node.name.startswith(f"{name} ")]
        mix = next(node for node in nodes if node.bl_idname == "ShaderNodeMix")
        before = socket_named(mix.inputs, "A").links[0].from_socket  # type: ignore[index]
        after = [link.to_socket for link in socket_named(mix.outputs, "Result").links or ()]
        for socket in after:
            group.links.new(before, socket)
        images = {node.image for node in nodes if isinstance(node, bpy.types.ShaderNodeTexImage) and node.image}
        for node in nodes:
            group.nodes.remove(node)
        bpy.data.batch_remove([image for image in images if not image.users])


def _full_name(axis: int, number: int) -> str:
    return f"{FULL} {axis} {number}"


def _inside(program: NodeProgram, voxel: Socket, grid: Grid) -> Socket:
    """Add 1 within the outermost faces of the voxels, else 0."""
    half = tuple(side / 2 for side in grid.shape)
    middle = tuple((side - 1) / 2 for side in grid.shape)
    away = program.vector("SUBTRACT", program.vector("ABSOLUTE", program.vector("SUBTRACT", voxel, middle)), half)
    out = program.node("ShaderNodeSeparateXYZ", inputs={"Vector": away}).outputs
    farthest = program.math("MAXIMUM", program.math("MAXIMUM", out["X"], out["Y"]), out["Z"])
    # A slice that lies on the outermost face is seen.
    return program.math("LESS_THAN", farthest, 1e-3)


def _between_four(
    program: NodeProgram, image: bpy.types.Image, grid: Grid, at: tuple[Socket, Socket], tile: tuple[Socket, Socket]
) -> tuple[Socket, Socket]:
    """Add the colour and alpha of a place in a tile, between its four pixels.

    The pixels are read one by one: where the graphics card interpolates, it shrinks the image as well, and blends tiles.
    """
    ends: list[tuple[Socket, Socket]] = []
    weights: list[Socket] = []
    for place, number, size, side in zip(at, tile, grid.size, grid.shape[:2], strict=True):
        first = program.math("FLOOR", place)
        weights.append(program.math("SUBTRACT", place, first))
        second = program.math("MINIMUM", program.math("ADD", first, 1.0), side - 1.0)
        start = program.math("MULTIPLY_ADD", number, float(side), 0.5)
        pixels = (program.math("ADD", start, each) for each in (first, second))
        left, right = (program.math("DIVIDE", pixel, float(size)) for pixel in pixels)
        ends.append((left, right))
    looked: list[tuple[Socket, Socket]] = []
    for y in ends[1]:
        for x in ends[0]:
            vector = program.node("ShaderNodeCombineXYZ", inputs={"X": x, "Y": y}).outputs[0]
            node = program.node(
                "ShaderNodeTexImage",
                IMAGE,
                {"Vector": vector},
                image=image,
                interpolation="Closest",
                extension="EXTEND",
            )
            looked.append((node.outputs["Color"], node.outputs["Alpha"]))
    rows = [_mixed(program, weights[0], *looked[:2]), _mixed(program, weights[0], *looked[2:])]
    return _mixed(program, weights[1], *rows)


def _mixed(
    program: NodeProgram, factor: Socket, first: tuple[Socket, Socket], second: tuple[Socket, Socket]
) -> tuple[Socket, Socket]:
    """Add the mix of two pixels, each a colour and an alpha."""
    mixed: list[Socket] = []
    for kind, a, b in zip(("VECTOR", "FLOAT"), first, second, strict=True):
        node = program.node("ShaderNodeMix", inputs={}, data_type=kind, clamp_factor=False)
        for name, source in (("Factor", factor), ("A", a), ("B", b)):
            program.connect(source, socket_named(node.inputs, name))
        mixed.append(socket_named(node.outputs, "Result"))
    return mixed[0], mixed[1]


def _between_slices(program: NodeProgram, color: Socket, alpha: Socket, depth: Socket) -> Socket:
    """Add the value at a depth, from 0 to 3, between the four slices that a pixel holds."""
    parts = program.node("ShaderNodeSeparateXYZ", inputs={"Vector": color}).outputs
    total: Any = 0.0
    for number, level in enumerate((parts["X"], parts["Y"], parts["Z"], alpha)):
        away = program.math("ABSOLUTE", program.math("SUBTRACT", depth, float(number)))
        weight = program.math("MAXIMUM", program.math("SUBTRACT", 1.0, away), 0.0)
        total = program.math("MULTIPLY_ADD", weight, level, total)
    return total


def tomogram_group(
    name: str, density: bpy.types.NodeTree, place: bpy.types.Object, color_map: str, settings: dict[str, float]
) -> bpy.types.NodeTree:
    """Make the group that gives a tomogram's colour at the shaded point, or off it along the surface's normal.

    density: what `density_group` made. color_map: a key of color_maps. settings: values of SETTINGS that differ.
    """
    group = bpy.data.node_groups.new(f"{TOMOGRAM} {name}", "ShaderNodeTree")
    program = NodeProgram(group)
    program.input("Offset", "Float", "Where density is looked up: angstrom along the surface's normal")
    for output, kind in (("Color", "Color"), ("Seen", "Float"), ("Value", "Float"), ("Inside", "Float")):
        program.output(output, kind)
    for setting, default in SETTINGS.items():
        node = program.node("ShaderNodeValue", setting, name=setting)
        node.outputs[0].default_value = settings.get(setting, default)
    program.node("ShaderNodeGroup", "Colour map", name=MAP, node_tree=color_map_group(color_map))
    set_average(group, density, place, 1, 0.0)
    return group


def set_average(
    group: bpy.types.NodeTree, density: bpy.types.NodeTree, place: bpy.types.Object, slices: int, distance: float
) -> None:
    """Let a tomogram's colour be that of the average of some slices around each point, from 1 to MOST_SLICES.

    distance: from one to the next, in angstrom.
    """
    program = NodeProgram(group)
    kept = {*SETTINGS, MAP}
    drivers = group.animation_data.drivers if group.animation_data is not None else ()
    for curve in [each for each in drivers if f'nodes["{ROTATION}"]' in each.data_path]:
        drivers.remove(curve)
    for node in [each for each in group.nodes if each.name not in kept]:
        group.nodes.remove(node)
    start = program.node("NodeGroupInput").outputs
    normal = _normal(program, place)
    value: Any = 0.0
    inside: Any = None
    for number in range(slices):
        along = start["Offset"]
        if slices > 1:
            along = program.math("ADD", along, (number - (slices - 1) / 2) * distance)
        looked = program.node(
            "ShaderNodeGroup",
            f"Slice {number + 1}",
            {"Offset": program.vector("SCALE", normal, scale=along)},
            node_tree=density,
            name=f"Slice {number + 1}",
        ).outputs
        value = program.math("MULTIPLY_ADD", looked["Value"], 1 / slices, value)
        if number == slices // 2:
            inside = looked["Inside"]
    settings = {name: group.nodes[name].outputs[0] for name in SETTINGS}
    colored = group.nodes[MAP]
    for name, source in (
        ("Value", value),
        ("From Min", settings["Black"]),
        ("From Max", settings["White"]),
        ("Gamma", settings["Gamma"]),
        ("Reverse", settings["Invert"]),
    ):
        program.connect(source, socket_named(colored.inputs, name))
    seen = program.math("MULTIPLY", inside, program.math("GREATER_THAN", value, settings["Threshold"]))
    program.node(
        "NodeGroupOutput",
        inputs={
            "Color": colored.outputs[0],
            "Seen": program.math("MULTIPLY", seen, settings["Opacity"]),
            "Value": value,
            "Inside": inside,
        },
    )
    arrange(group)


def is_whole(group: bpy.types.NodeTree) -> bool:
    """Return whether a tomogram's group still has the nodes that hold its settings."""
    colored = group.nodes.get(MAP)
    return (
        isinstance(colored, bpy.types.ShaderNodeGroup)
        and colored.node_tree is not None
        and all(isinstance(group.nodes.get(name), bpy.types.ShaderNodeValue) for name in SETTINGS)
    )


def averaged(group: bpy.types.NodeTree) -> int:
    """Return how many slices a tomogram's colour is the average of."""
    return max(1, sum(node.name.startswith("Slice ") for node in group.nodes))


ROTATION: Final = "The tomogram's rotation"


def _normal(program: NodeProgram, place: bpy.types.Object) -> Socket:
    """Add the surface's outward normal along the tomogram's axes, whose rotation drivers keep."""
    geometry = program.node("ShaderNodeNewGeometry").outputs
    sign = program.math("MULTIPLY_ADD", geometry["Backfacing"], -2.0, 1.0)
    outward = program.vector("SCALE", geometry["Normal"], scale=sign)
    node = program.node("ShaderNodeMapping", ROTATION, {"Vector": outward}, vector_type="TEXTURE", name=ROTATION)
    for axis in range(3):
        path = f'nodes["{ROTATION}"].inputs["Rotation"].default_value'
        driver = program.tree.driver_add(path, axis).driver  # type: ignore[union-attr]  # one value has one curve
        driver.type = "SUM"
        variable = driver.variables.new()
        variable.type = "TRANSFORMS"
        target = variable.targets[0]
        target.id = place
        target.transform_type = ("ROT_X", "ROT_Y", "ROT_Z")[axis]
        target.transform_space = "WORLD_SPACE"
        target.rotation_mode = "XYZ"
    return node.outputs[0]


def set_color_map(group: bpy.types.NodeTree, key: str) -> None:
    """Show a tomogram in another colour map. key: of color_maps."""
    group.nodes[MAP].node_tree = color_map_group(key)  # type: ignore[attr-defined]  # of group nodes
