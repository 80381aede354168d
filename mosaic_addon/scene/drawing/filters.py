"""Filters: only points or faces whose vertex property lies in a range, or is one of some categories, are drawn.

A filter is a Geometry Nodes modifier beside the one that draws an object. It can be animated, changes nothing of the
data, and is no edit of the session.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import bpy
import numpy as np

from ...session.errors import MosaicError
from ..compat import ModifierInputs
from ..data.attributes import PointData, read_attribute
from ..data.vertex_properties import column_attributes, column_texts
from .coloring import carry_to_surfaces, drawn_data
from .node_tree import NodeProgram, shared_group, stamp_of
from .representations import (
    FIT,
    MEMBRANE_SURFACE,
    SEGMENTATION,
    TRAJECTORY,
    group_of,
    modifier_of,
    representation_of,
)

FILTER: Final = "Mosaic Filter"
SHAPE: Final = "Mosaic Own Shape"
FOR_VIEW: Final = (FILTER, SHAPE)  # groups that change what is seen of an object
# The categories that are drawn are bits of numbers, each as many as a 32-bit float holds.
BITS: Final = 24
MASKS: Final = ("Categories 0 to 23", "Categories 24 to 47")
LENGTH: Final = 4  # of a vector, where 1 to 3 are its components and 0 stands for a number


@dataclass(frozen=True, slots=True)
class Filter:
    """What of an object is drawn.

    property: the vertex property. value_range: the least and greatest value that is drawn. categories: in its place,
    whole numbers from 0 to 47 or texts. component: of a property with several, from 0; by default the vector's length.
    invert: draw what would not be.
    """

    property: str
    value_range: tuple[float, float] | None = None
    categories: tuple[int | str, ...] = ()
    component: int | None = None
    invert: bool = False


def set_filter(objects: Iterable[bpy.types.Object], options: Filter) -> list[bpy.types.Object]:
    """Filter all objects that have a vertex property, instead of an older filter. Returns these objects.

    Raises MosaicError, with nothing changed, when no object has the property, or the choices make no sense.
    """
    having = [(obj, data) for obj in objects if (data := _data_with(obj, options.property)) is not None]
    if not having:
        raise MosaicError(f"None of the objects has the vertex property {options.property!r}.")
    settings = [_settings(data, options) for _, data in having]
    group = shared_group(FILTER, "GeometryNodeTree", 1, _build)
    sockets = ModifierInputs(group)
    for (obj, data), values in zip(having, settings, strict=True):
        carry_to_surfaces(obj, column_attributes(data)[options.property])
        modifier = modifier_that_filters(obj) or obj.modifiers.new(FILTER, "NODES")
        assert isinstance(modifier, bpy.types.NodesModifier)
        modifier.node_group = group
        order_filter(obj)
        for name, value in values.items():
            sockets.set(modifier, name, value)
        obj.update_tag()
    return [obj for obj, _ in having]


def order_filter(obj: bpy.types.Object) -> None:
    """Let an object's filter, if it has one, come before or after the modifier that draws it, as this draws it now."""
    modifier, drawing = modifier_that_filters(obj), modifier_of(obj)
    if modifier is None:
        return
    places = obj.modifiers
    here, there = places.find(modifier.name), places.find(drawing.name) if drawing is not None else -1
    # What shows another object's surface is filtered when that is there, all else before anything is made of it.
    borrowed = group_of(obj) in (SEGMENTATION, FIT, TRAJECTORY) or representation_of(obj) == MEMBRANE_SURFACE
    if borrowed and modifier_for(obj, SHAPE) is None:
        places.move(here, max(here, there))
    elif here > there:
        places.move(here, 0)


def whole_filter(objects: Iterable[bpy.types.Object], property: str) -> Filter:
    """Return a filter that draws all values of a vertex property: categories where it is text, else a range.

    Raises MosaicError when no object has the property.
    """
    having = [data for obj in objects if (data := _data_with(obj, property)) is not None]
    if not having:
        raise MosaicError(f"None of the objects has the vertex property {property!r}.")
    texts = [column_texts(data, property) for data in having]
    known = list(dict.fromkeys(text for several in texts for text in several or ()))
    if known and len(known) <= BITS * len(MASKS):
        return Filter(property, categories=tuple(known))
    names = column_attributes(having[0])[property]
    component = 0 if len(names) > 1 else None
    values = [read_attribute(data, column_attributes(data)[property][0]) for data in having]
    numbers = [np.linalg.norm(each, axis=1) if each.ndim == 2 else each for each in values if each is not None]
    finite = [each[np.isfinite(each)] for each in numbers]
    low = min((float(each.min()) for each in finite if len(each)), default=0.0)
    high = max((float(each.max()) for each in finite if len(each)), default=1.0)
    return Filter(property, (low, high), component=component)


def clear_filter(objects: Iterable[bpy.types.Object]) -> None:
    """Draw all of objects again."""
    for obj in objects:
        while (modifier := modifier_that_filters(obj)) is not None:
            obj.modifiers.remove(modifier)


def filter_of(obj: bpy.types.Object) -> Filter | None:
    """Return what of an object is drawn; None for all of it."""
    modifier = modifier_that_filters(obj)
    if modifier is None or modifier.node_group is None:
        return None
    names = ("Attribute", "Component", "Is Category", "From", "To", "Invert", *MASKS)
    attribute, component, is_category, low, high, invert, *masks = ModifierInputs(modifier.node_group).several(
        modifier, names
    )
    property, part, texts = attribute, component - 1 if 0 < component < LENGTH else None, None
    for data in drawn_data(obj):
        for name, attributes in column_attributes(data).items():
            if attribute in attributes:
                property, texts = name, column_texts(data, name)
                part = attributes.index(attribute) if len(attributes) > 1 else part
    if not is_category:
        return Filter(property, (low, high), component=part, invert=invert)
    codes = [BITS * number + bit for number, mask in enumerate(masks) for bit in range(BITS) if int(mask) >> bit & 1]
    known = codes if texts is None else [texts[code] for code in codes if code < len(texts)]
    return Filter(property, categories=tuple(known), component=part, invert=invert)


def modifier_that_filters(obj: bpy.types.Object) -> bpy.types.NodesModifier | None:
    """Return an object's filter; None where it has none."""
    return modifier_for(obj, FILTER)


def modifier_for(obj: bpy.types.Object, group: str) -> bpy.types.NodesModifier | None:
    """Return the first of an object's modifiers of a group of FOR_VIEW; None where it has none."""
    for modifier in obj.modifiers:
        if stamp_of(getattr(modifier, "node_group", None)).startswith(f"{group}/"):
            assert isinstance(modifier, bpy.types.NodesModifier)
            return modifier
    return None


def is_for_view(modifier: bpy.types.Modifier) -> bool:
    """Return whether a modifier of ours changes what is seen of an object, and nothing of the session."""
    return stamp_of(getattr(modifier, "node_group", None)).partition("/")[0] in FOR_VIEW


def _data_with(obj: bpy.types.Object, property: str) -> PointData | None:
    """The first of the data that an object is drawn from that has a vertex property."""
    return next((data for data in drawn_data(obj) if property in column_attributes(data)), None)


def _settings(data: PointData, options: Filter) -> dict[str, Any]:
    """What the inputs of a filter are set to. Raises MosaicError for choices that make no sense."""
    names = column_attributes(data)[options.property]
    attribute, component = names[0], 0
    if len(names) > 1:
        if options.component is None or not 0 <= options.component < len(names):
            raise MosaicError(
                f"The vertex property {options.property!r} has {len(names)} columns; choose a component from 0 on."
            )
        attribute = names[options.component]
    elif data.attributes[attribute].data_type in ("FLOAT2", "FLOAT_VECTOR", "FLOAT_COLOR"):
        if options.component is not None and not 0 <= options.component < LENGTH - 1:
            raise MosaicError(f"The vertex property {options.property!r} has no component {options.component}.")
        component = LENGTH if options.component is None else options.component + 1
    settings = {"Attribute": attribute, "Component": component, "Invert": options.invert, "Is Category": False}
    if options.value_range is None:
        return settings | {"Is Category": True} | _masks(options, column_texts(data, options.property))
    low, high = options.value_range
    if not (np.isfinite((low, high)).all() and low <= high):
        raise MosaicError(f"A filter goes from a number to one that is not smaller, not {low:g} to {high:g}.")
    return settings | {"From": low, "To": high}


def _masks(options: Filter, texts: Sequence[str] | None) -> dict[str, int]:
    """The bits of the categories that are drawn. texts: of the codes, where the property is text."""
    codes = []
    for category in options.categories:
        if isinstance(category, str):
            if texts is None or category not in texts:
                raise MosaicError(f"No point has the value {category!r} of the vertex property {options.property!r}.")
            codes.append(list(texts).index(category))
        else:
            codes.append(category)
    most = BITS * len(MASKS)
    if not all(0 <= code < most for code in codes):
        raise MosaicError(f"A filter by categories knows the numbers 0 to {most - 1}; filter by a range.")
    masks = [0] * len(MASKS)
    for code in codes:
        masks[code // BITS] |= 1 << code % BITS
    return dict(zip(MASKS, masks, strict=True))


def _build(program: NodeProgram) -> None:
    program.input("Geometry", "Geometry")
    program.input("Attribute", "String", "Which attribute counts")
    tip = "0: a number. 1, 2, 3: a component of a vector. 4: its length"
    program.input("Component", "Int", tip, default_value=0, min_value=0, max_value=LENGTH)
    program.input("From", "Float", "The least value that is drawn")
    program.input("To", "Float", "The greatest value that is drawn", default_value=1)
    program.input("Is Category", "Bool", "Draw some categories instead of a range")
    for name in MASKS:
        program.input(name, "Int", "A bit for each category that is drawn", min_value=0, max_value=2**BITS - 1)
    program.input("Invert", "Bool", "Draw what would not be")
    program.output("Geometry", "Geometry")
    start = program.node("NodeGroupInput").outputs
    value = _value(program, start)
    # A value that is stored as a 32-bit float lies beside the range's end as it was typed.
    slack = program.math(
        "MULTIPLY", program.math("MAXIMUM", *(program.math("ABSOLUTE", start[end]) for end in ("From", "To"))), 1e-6
    )
    above = program.math("GREATER_THAN", value, program.math("SUBTRACT", start["From"], slack))
    below = program.math("LESS_THAN", value, program.math("ADD", start["To"], slack))
    in_range = program.math("MULTIPLY", above, below)
    code = program.math("ROUND", value)
    among = program.math("ADD", *(_bit(program, start[name], code, BITS * number) for number, name in enumerate(MASKS)))
    drawn = program.switch(start["Is Category"], in_range, among, "Range or categories", "FLOAT")
    drawn = program.math("ABSOLUTE", program.math("SUBTRACT", start["Invert"], drawn))
    inputs = {"Geometry": start["Geometry"], "Selection": program.math("LESS_THAN", drawn, 0.5)}
    kept = program.node("GeometryNodeDeleteGeometry", "Leave out", inputs, domain="POINT")
    program.node("NodeGroupOutput", inputs={"Geometry": kept.outputs[0]})


def _value(program: NodeProgram, start: Any) -> bpy.types.NodeSocket:
    """Add the number of each point that counts."""
    number, vector = (
        program.node("GeometryNodeInputNamedAttribute", "", {"Name": start["Attribute"]}, data_type=kind)
        for kind in ("FLOAT", "FLOAT_VECTOR")
    )
    value = number.outputs["Attribute"]
    parts = program.node("ShaderNodeSeparateXYZ", inputs={"Vector": vector.outputs["Attribute"]}).outputs
    length = program.vector("LENGTH", vector.outputs["Attribute"])
    for component, part in enumerate((*parts, length), start=1):
        chosen = program.math("COMPARE", start["Component"], float(component), 0.5)
        value = program.switch(chosen, value, part, "Which number", "FLOAT")
    return value


def _bit(program: NodeProgram, mask: Any, code: bpy.types.NodeSocket, first: int) -> bpy.types.NodeSocket:
    """Add whether a code is among the bits of a mask, whose first bit stands for `first`: 0 or 1."""
    place = program.math("SUBTRACT", code, float(first))
    inside = program.math(
        "MULTIPLY", program.math("GREATER_THAN", place, -0.5), program.math("LESS_THAN", place, BITS - 0.5)
    )
    shifted = program.math("FLOOR", program.math("DIVIDE", mask, program.math("POWER", 2.0, place)))
    return program.math("MULTIPLY", inside, program.math("FLOORED_MODULO", shifted, 2.0))
