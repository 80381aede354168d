"""The key of what objects are coloured by: a bar with ticks, or a swatch for each category; and a legend of objects.

Bar and swatches are drawn with the material of what they explain, so that they show its colours whoever changes them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import bpy

from ...session.errors import MosaicError
from ..compat import ModifierInputs
from ..data.attributes import points_of
from ..data.vertex_properties import column_texts
from ..drawing.color_map_nodes import MAP
from ..drawing.coloring import Coloring, coloring_of
from ..drawing.materials import material_of
from ..drawing.node_tree import NodeProgram, shared_group, socket_named
from ..keys import SWATCH
from ..outline.tree import name_of
from . import overlay_nodes as parts
from .overlay import add_item, color_of, drawing_of, drive, inputs_of, set_item

KIND: Final = "color key"
LEGEND: Final = "legend"
BAR_GROUP: Final = "Mosaic Color Key"
TICK_GROUP: Final = "Mosaic Color Key Tick"
SCALED: Final = 1e6  # what drivers give is as many times too large, since Blender takes small results for zero
STEPS: Final = 4.5  # near how many from the low end to the high one
MOST_TICKS: Final = 8
END: Final = 1.001  # of the bar, beyond which there are no ticks
MOST_ENTRIES: Final = 40
TICK: Final = 2.0  # points: length
FRAME: Final = 0.35  # points: width of the line around a bar
GAP: Final = 0.4  # in sizes of the font


@dataclass(frozen=True, slots=True)
class ColorKey:
    """A key.

    title: above it. horizontal: of a bar. length, breadth: of a bar, in points of the print; the breadth is that of
    swatches, too. across, up: where it stands in the picture, from -1 (left, below) to 1. size: of the font, and
    margin: to the border, in points. color: of text and ticks, display values.
    """

    title: str = ""
    horizontal: bool = False
    length: float = 80.0
    breadth: float = 7.0
    across: float = 1.0
    up: float = 1.0
    size: float = 7.0
    margin: float = 6.0
    color: tuple[float, float, float] = (0.0, 0.0, 0.0)


INPUTS: Final = {
    "title": "Title",
    "horizontal": "Horizontal",
    "length": "Length",
    "breadth": "Breadth",
    "across": "Across",
    "up": "Up",
    "size": "Font Size",
    "margin": "Margin",
}


def add_color_key(
    scene: bpy.types.Scene, objects: Iterable[bpy.types.Object], options: ColorKey | None = None
) -> bpy.types.Object:
    """Add the key of what objects are coloured by, to what a scene's camera sees.

    objects: the first of them that is coloured by a vertex property counts. Without a title the key has the name of the
    property. Raises MosaicError where none is coloured so, for too many categories, and without a camera.
    """
    found = next(((obj, each) for obj in objects if (each := coloring_of(obj)) and each.color_map), None)
    if found is None:
        raise MosaicError("None of the objects is coloured by a vertex property; choose Color by Property first.")
    obj, coloring = found
    options = options or ColorKey()
    inputs = _inputs(options) | {"Title": options.title or coloring.property}
    if coloring.categories:
        texts = categories_of(obj, coloring)
        low, high = coloring.value_range
        entries = [(material_of(obj), 1 + (code - low) / (high - low), text) for code, text in texts]
        return _add_legend(scene, KIND, entries, inputs, options)
    inputs["Material"] = material_of(obj)
    item = add_item(scene, KIND, shared_group(BAR_GROUP, "GeometryNodeTree", 1, _build_bar), inputs, options.color)
    _follow_range(item, material_of(obj))
    return item


def add_legend(
    scene: bpy.types.Scene,
    objects: Sequence[bpy.types.Object],
    options: ColorKey | None = None,
    names: Sequence[str] | None = None,
) -> bpy.types.Object:
    """Add a legend of objects, a swatch in each one's colour, to what a scene's camera sees.

    names: what is written beside each; by default its name. Raises MosaicError for too many objects or none, for one
    without a material, and without a camera.
    """
    options = options or ColorKey()
    entries = []
    for obj, name in zip(objects, names or [name_of(obj) for obj in objects], strict=True):
        if material_of(obj) is None:
            raise MosaicError(f"{obj.name!r} has no material whose colour a legend could show.")
        entries.append((material_of(obj), 1.0, name))
    return _add_legend(scene, LEGEND, entries, _inputs(options), options)


def color_key_of(obj: bpy.types.Object) -> ColorKey:
    """Return what a key or legend is set to."""
    sockets = drawing_of(obj)[1]
    known = {field: name for field, name in INPUTS.items() if name in sockets}
    values = inputs_of(obj, known.values())
    return ColorKey(**dict(zip(known, values, strict=True)), color=color_of(obj))


def set_color_key(obj: bpy.types.Object, options: ColorKey) -> None:
    """Change a key or legend."""
    sockets = drawing_of(obj)[1]
    set_item(obj, {name: value for name, value in _inputs(options).items() if name in sockets}, options.color)


def _inputs(options: ColorKey) -> dict[str, Any]:
    """What the inputs of the group are set to."""
    return {name: getattr(options, field) for field, name in INPUTS.items()}


def categories_of(obj: bpy.types.Object, coloring: Coloring) -> list[tuple[int, str]]:
    """The categories that a key shows: their codes and names. Raises MosaicError for too many."""
    data = points_of(obj)
    texts = None if data is None else column_texts(data, coloring.property)
    first, last = (round(end) for end in coloring.value_range)
    codes = range(first, last + 1)
    if len(codes) > MOST_ENTRIES:
        raise MosaicError(f"{coloring.property!r} has {len(codes)} categories; a key shows {MOST_ENTRIES} at most.")
    return [(code, texts[code] if texts is not None and code < len(texts) else str(code)) for code in codes]


def _follow_range(item: bpy.types.Object, material: bpy.types.Material | None) -> None:
    """Let a bar's ends be those of the colour map in a material."""
    assert material is not None
    modifier, sockets = drawing_of(item)
    node = material.node_tree.nodes[MAP]
    for name, end in (("Low", "From Min"), ("High", "From Max")):
        path = f"node_tree.{socket_named(node.inputs, end).path_from_id()}.default_value"
        drive(item, sockets.data_path(modifier, name), f"v * {SCALED:.0f}", {"v": ("MATERIAL", material, path)})


# --- a bar -----------------------------------------------------------------------------------------------------------


def _build_bar(program: NodeProgram) -> None:
    program.input("Material", "Material", "Of what is coloured")
    for name in ("Low", "High"):
        program.input(name, "Float", f"End of the range, {SCALED:.0f} times; driven by the material")
    program.input("Title", "String", "Written above the bar")
    program.input("Horizontal", "Bool", "Lay the bar down")
    program.input("Length", "Float", "Points of the print", default_value=80, min_value=1)
    program.input("Breadth", "Float", "Points of the print", default_value=7, min_value=0.1)
    program.input("Font Size", "Float", "Points of the print", default_value=7, min_value=0)
    parts.declare_place(program, 1, 1)
    program.output("Geometry", "Geometry")
    start = program.node("NodeGroupInput").outputs
    low, high = (program.math("DIVIDE", start[name], SCALED) for name in ("Low", "High"))
    span = program.math("SUBTRACT", high, low)
    step = parts.round_number(program, program.math("DIVIDE", program.math("MAXIMUM", span, 1e-12), STEPS))
    # As many decimals as tell one tick from the next.
    places = program.math(
        "CEIL", program.math("SUBTRACT", program.math("MULTIPLY", program.math("LOGARITHM", step, 10.0), -1.0), 1e-3)
    )
    places = program.math("MAXIMUM", places, 0.0)
    first = program.math("CEIL", program.math("SUBTRACT", program.math("DIVIDE", low, step), 1e-3))
    tick = shared_group(TICK_GROUP, "GeometryNodeTree", 1, _build_tick)
    ticks = []
    for number in range(MOST_TICKS):
        value = program.math("MULTIPLY", program.math("ADD", first, float(number)), step)
        place = program.math("DIVIDE", program.math("SUBTRACT", value, low), span)
        inputs = {name: start[name] for name in ("Horizontal", "Length", "Breadth", "Font Size")}
        ticks.append(program.group(tick, {**inputs, "Value": value, "Decimals": places, "Place": place}))
    lying = start["Horizontal"]
    width = program.switch(lying, start["Breadth"], start["Length"], "Width", "FLOAT")
    height = program.switch(lying, start["Length"], start["Breadth"], "Height", "FLOAT")
    bar = _swatch(program, start["Material"], width, height, _place_on_bar(program, lying, width, height))
    frame = [program.math("ADD", side, 2 * FRAME) for side in (width, height)]
    behind = parts.moved(program, parts.box(program, "Frame", *frame), z=parts.BEHIND)
    title = parts.text(program, start["Title"], start["Font Size"], "LEFT")
    up = program.math("MULTIPLY_ADD", height, 0.5, program.math("MULTIPLY", start["Font Size"], GAP + 0.2))
    title = parts.moved(program, title, program.math("MULTIPLY", width, -0.5), up)
    ink = parts.inked(program, parts.joined(program, behind, title, *ticks))
    item = parts.placed(program, start, parts.joined(program, bar, ink))
    program.node("NodeGroupOutput", inputs={"Geometry": item})


def _place_on_bar(program: NodeProgram, lying: Any, width: Any, height: Any) -> bpy.types.NodeSocket:
    """Add what SWATCH holds on a bar: 1 at its low end, 2 at its high end."""
    position = program.node("GeometryNodeInputPosition").outputs[0]
    at = program.node("ShaderNodeSeparateXYZ", inputs={"Vector": position}).outputs
    across, along = (program.math("DIVIDE", at[axis], side) for axis, side in (("X", width), ("Y", height)))
    return program.math("ADD", program.switch(lying, along, across, "Along the bar", "FLOAT"), 1.5)


def _swatch(program: NodeProgram, material: Any, width: Any, height: Any, value: Any) -> bpy.types.NodeSocket:
    """Add a rectangle that shows a material's colour. value: of SWATCH."""
    inputs = {"Geometry": parts.box(program, "Swatch", width, height), "Name": SWATCH, "Value": value}
    marked = program.node("GeometryNodeStoreNamedAttribute", "Swatch", inputs, data_type="FLOAT", domain="POINT")
    inputs = {"Geometry": marked.outputs[0], "Material": material}
    return program.node("GeometryNodeSetMaterial", "What it explains", inputs).outputs[0]


def _build_tick(program: NodeProgram) -> None:
    program.input("Value", "Float")
    program.input("Decimals", "Float")
    program.input("Place", "Float", "On the bar, 0 to 1")
    program.input("Horizontal", "Bool")
    for name in ("Length", "Breadth", "Font Size"):
        program.input(name, "Float")
    program.output("Geometry", "Geometry")
    start = program.node("NodeGroupInput").outputs
    along = program.math("MULTIPLY", program.math("SUBTRACT", start["Place"], 0.5), start["Length"])
    outside = program.math("MULTIPLY_ADD", start["Breadth"], 0.5, FRAME)
    middle = program.math("ADD", outside, TICK / 2)
    number = parts.number_text(program, start["Value"], start["Decimals"])
    gap = program.math("MULTIPLY_ADD", start["Font Size"], GAP, program.math("ADD", outside, TICK))
    standing = parts.joined(
        program,
        parts.box(program, "Tick", TICK, 2 * FRAME, middle, along),
        parts.moved(
            program,
            parts.text(program, number, start["Font Size"], "LEFT"),
            program.math("SUBTRACT", gap, program.math("MULTIPLY", start["Font Size"], 0.15)),
            program.math("SUBTRACT", along, program.math("MULTIPLY", start["Font Size"], parts.CAPITALS / 2)),
        ),
    )
    below = program.math("MULTIPLY", program.math("MULTIPLY_ADD", start["Font Size"], parts.CAPITALS, gap), -1.0)
    lying = parts.joined(
        program,
        parts.box(program, "Tick", 2 * FRAME, TICK, along, program.math("MULTIPLY", middle, -1.0)),
        parts.moved(program, parts.text(program, number, start["Font Size"]), along, below),
    )
    # Beyond the end of the bar there are no ticks.
    there = program.math("LESS_THAN", start["Place"], END)
    tick = program.switch(start["Horizontal"], standing, lying, "Horizontal?")
    tick = program.switch(there, parts.joined(program), tick, "On the bar?")
    program.node("NodeGroupOutput", inputs={"Geometry": tick})


# --- swatches --------------------------------------------------------------------------------------------------------


def _add_legend(
    scene: bpy.types.Scene,
    kind: str,
    entries: Sequence[tuple[bpy.types.Material | None, float, str]],
    inputs: dict[str, Any],
    options: ColorKey,
) -> bpy.types.Object:
    """Add a line for each entry: its material, the value of SWATCH, and its text. Raises MosaicError for too many."""
    if not 0 < len(entries) <= MOST_ENTRIES:
        raise MosaicError(f"A legend shows 1 to {MOST_ENTRIES} entries, not {len(entries)}.")
    name = f"Mosaic Legend of {len(entries)}"
    group = shared_group(name, "GeometryNodeTree", 1, lambda program: _build_legend(program, len(entries)))
    sockets = ModifierInputs(group)
    values = {name: value for name, value in inputs.items() if name in sockets}
    for number, (material, swatch, text) in enumerate(entries, start=1):
        values |= {f"Material {number}": material, f"Swatch {number}": swatch, f"Text {number}": text}
    return add_item(scene, kind, group, values, options.color)


def _build_legend(program: NodeProgram, count: int) -> None:
    program.input("Title", "String", "Written above the swatches")
    program.input("Breadth", "Float", "Of a swatch, in points of the print", default_value=7, min_value=0.1)
    program.input("Font Size", "Float", "Points of the print", default_value=7, min_value=0)
    for number in range(1, count + 1):
        program.input(f"Material {number}", "Material", "Whose colour the swatch shows")
        program.input(f"Swatch {number}", "Float", "1, and more by the place in the material's range", default_value=1)
        program.input(f"Text {number}", "String", "Written beside the swatch")
    parts.declare_place(program, 1, 1)
    program.output("Geometry", "Geometry")
    start = program.node("NodeGroupInput").outputs
    size, side = start["Font Size"], start["Breadth"]
    line = program.math("MAXIMUM", program.math("MULTIPLY", size, 1.35), program.math("MULTIPLY", side, 1.2))
    beside = program.math("MULTIPLY_ADD", size, GAP, program.math("MULTIPLY", side, 0.5))
    swatches, texts = [], []
    for number in range(1, count + 1):
        down = program.math("MULTIPLY", line, -float(number))
        swatch = _swatch(program, start[f"Material {number}"], side, side, start[f"Swatch {number}"])
        swatches.append(parts.moved(program, swatch, 0.0, down))
        frame = program.math("ADD", side, 2 * FRAME)
        texts.append(parts.moved(program, parts.box(program, "Frame", frame, frame, 0.0, down), z=parts.BEHIND))
        baseline = program.math("SUBTRACT", down, program.math("MULTIPLY", size, parts.CAPITALS / 2))
        text = parts.text(program, start[f"Text {number}"], size, "LEFT")
        texts.append(parts.moved(program, text, beside, baseline))
    title = parts.text(program, start["Title"], size, "LEFT")
    texts.append(
        parts.moved(program, title, program.math("MULTIPLY", side, -0.5), program.math("MULTIPLY", size, -0.4))
    )
    ink = parts.inked(program, parts.joined(program, *texts))
    item = parts.placed(program, start, parts.joined(program, *swatches, ink))
    program.node("NodeGroupOutput", inputs={"Geometry": item})
