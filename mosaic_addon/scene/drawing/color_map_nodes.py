"""Colour maps as groups of shader nodes: the value of a vertex property in, its colour out."""

import bpy
import numpy as np

from ..compat import FACTOR
from ..keys import NODE_GROUP, SWATCH
from .color_maps import PALETTES, stops, to_scene
from .node_tree import NodeProgram, attribute_value, shared_group, socket_named

MAP = "Mosaic Color Map"  # with the name of the map, the name of its group
GREY = 0.5  # display value of what is not a number
LARGEST = 3e38  # beyond this, a number of the nodes counts as none, such as infinity


def color_map_group(key: str) -> bpy.types.NodeTree:
    """Return the node group of a colour map. key: its name in RAMPS or PALETTES of color_maps."""
    return shared_group(f"{MAP} {key}", "ShaderNodeTree", 2, lambda program: _build_map(program, key))


def map_of(group: bpy.types.NodeTree) -> str:
    """Return which colour map a group shows, by its name in RAMPS or PALETTES of color_maps."""
    return (NODE_GROUP.read(group) or "").removeprefix(f"{MAP} ").partition("/")[0]


def _build_map(program: NodeProgram, key: str) -> None:
    program.input("Value", "Float", "Value of the vertex property")
    program.input("From Min", "Float", "The value that gets the map's first colour", default_value=0)
    program.input("From Max", "Float", "The value that gets the map's last colour", default_value=1)
    tip = "Above 1 spreads the low values over more of the map, below 1 the high ones"
    program.input("Gamma", "Float", tip, default_value=1, min_value=0.01, max_value=10)
    program.input("Reverse", "Bool", "Turn the map round", default_value=False)
    if key in PALETTES:
        tip = (
            "Each whole number has its colour, over and over, whatever the range; else the range is cut in equal parts"
        )
        program.input("Categories", "Bool", tip, default_value=False)
    grey = (*to_scene(np.full(3, GREY)).tolist(), 1.0)
    program.input("No Value", "Color", "Colour where the property is not a number", default_value=grey)
    program.output("Color", "Color")
    start = program.node("NodeGroupInput").outputs
    length = program.math("SUBTRACT", start["From Max"], start["From Min"])
    value = _value(program, start, length)
    above, below = program.math("GREATER_THAN", value, -LARGEST), program.math("LESS_THAN", value, LARGEST)
    number = program.math("MULTIPLY", above, below)
    clamped = program.node(
        "ShaderNodeClamp", "In the range", {"Value": value, "Min": start["From Min"], "Max": start["From Max"]}
    ).outputs[0]
    place = program.math("DIVIDE", program.math("SUBTRACT", clamped, start["From Min"]), length)
    place = program.math("POWER", place, program.math("DIVIDE", 1.0, start["Gamma"]))
    if key in PALETTES:
        place = _category(program, key, start, value, place)
    place = program.math("ABSOLUTE", program.math("SUBTRACT", start["Reverse"], place))
    ramp = program.node("ShaderNodeValToRGB", key, {FACTOR: place}, width=300)
    _fill(ramp.color_ramp, key)
    mix = program.node("ShaderNodeMix", "Grey for no number", data_type="RGBA")
    for name, source in (("Factor", number), ("A", start["No Value"]), ("B", ramp.outputs["Color"])):
        program.connect(source, socket_named(mix.inputs, name))
    program.node("NodeGroupOutput", inputs={"Color": socket_named(mix.outputs, "Result")})


def _value(
    program: NodeProgram, start: bpy.types.bpy_prop_collection, length: bpy.types.NodeSocket
) -> bpy.types.NodeSocket:
    """The value to be shown: on the swatch of a key the one at its place in the range, from 1 to 2."""
    swatch = attribute_value(program, SWATCH)
    there = program.math("MULTIPLY_ADD", program.math("SUBTRACT", swatch, 1.0), length, start["From Min"])
    is_swatch = program.math("GREATER_THAN", swatch, 0.5)
    mix = program.node("ShaderNodeMix", "Swatch of a key?", {"Factor": is_swatch, "A": start["Value"], "B": there})
    return socket_named(mix.outputs, "Result")


def _category(
    program: NodeProgram,
    key: str,
    start: bpy.types.bpy_prop_collection,
    value: bpy.types.NodeSocket,
    place: bpy.types.NodeSocket,
) -> bpy.types.NodeSocket:
    """The place in the palette, 0 to 1, of a whole number's colour, or `place` where values are no categories."""
    count = float(len(PALETTES[key].split()))
    finite = program.node("ShaderNodeClamp", inputs={"Value": value, "Min": -1e9, "Max": 1e9}).outputs[0]
    whole = program.math("FLOORED_MODULO", program.math("ROUND", finite), count)
    middle = program.math("DIVIDE", program.math("ADD", whole, 0.5), count)
    mix = program.node("ShaderNodeMix", "Categories?", {"Factor": start["Categories"], "A": place, "B": middle})
    return socket_named(mix.outputs, "Result")


def _fill(ramp: bpy.types.ColorRamp, key: str) -> None:
    """Give a colour ramp the stops of a map."""
    positions, colors = stops(key)
    ramp.color_mode = "RGB"
    ramp.interpolation = "CONSTANT" if key in PALETTES else "LINEAR"
    ramp.elements.remove(ramp.elements[-1])
    for number, (position, color) in enumerate(zip(positions, to_scene(colors), strict=True)):
        element = ramp.elements[0] if number == 0 else ramp.elements.new(position)
        element.position = position
        element.color = (*color.tolist(), 1.0)  # type: ignore[assignment]  # any sequence will do
