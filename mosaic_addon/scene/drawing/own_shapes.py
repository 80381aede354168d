"""Own shapes: any object or collection of the .blend stands at each point of a cloud, turned by the point's quaternion.

It is a Geometry Nodes modifier in place of the one that draws the points, which rests meanwhile: the session keeps the
representation that it has.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import bpy
import numpy as np

from ...session.errors import MosaicError
from ..compat import ModifierInputs
from .cut_nodes import shaping_group
from .filters import SHAPE, modifier_for, order_filter
from .node_tree import NodeProgram, shared_group
from .representation_parts import along_normals, orientation
from .representations import POINTS, VOLUME, group_of, modifier_of

INPUTS: Final = {"scale": "Scale", "pivot": "Pivot", "axis": "Axis"}


@dataclass(frozen=True, slots=True)
class OwnShape:
    """What stands at each point.

    shape: an object or a collection. scale: angstrom that one unit of it is long. pivot: what of it stands at the
    point, and axis: what of it points where the point does, both in its own coordinates.
    """

    shape: bpy.types.Object | bpy.types.Collection
    scale: float = 1.0
    pivot: tuple[float, float, float] = (0.0, 0.0, 0.0)
    axis: tuple[float, float, float] = (0.0, 0.0, 1.0)


def set_own_shape(objects: Iterable[bpy.types.Object], options: OwnShape) -> list[bpy.types.Object]:
    """Put a shape at each point of all objects that are points or picks, instead of an older one. Returns these.

    Raises MosaicError, with nothing changed, when there are none, or the choices make no sense.
    """
    able = [obj for obj in objects if group_of(obj) in (POINTS, VOLUME)]
    if not able:
        raise MosaicError("None of the objects has points at which a shape could stand.")
    if not 0 < options.scale < float("inf"):
        raise MosaicError(f"A shape cannot be {options.scale:g} angstrom a unit.")
    if not (np.isfinite((*options.pivot, *options.axis)).all() and any(options.axis)):
        raise MosaicError("The pivot and axis of a shape must be finite numbers, and its axis not zero.")
    if isinstance(options.shape, bpy.types.Object) and options.shape in able:
        raise MosaicError(f"{options.shape.name!r} cannot stand at its own points.")
    group = shared_group(SHAPE, "GeometryNodeTree", 1, _build)
    sockets = ModifierInputs(group)
    is_object = isinstance(options.shape, bpy.types.Object)
    values = {name: getattr(options, field) for field, name in INPUTS.items()}
    values |= {"Object": options.shape if is_object else None, "Collection": None if is_object else options.shape}
    for obj in able:
        drawing = modifier_of(obj)
        assert drawing is not None
        modifier = modifier_that_places(obj) or obj.modifiers.new(SHAPE, "NODES")
        assert isinstance(modifier, bpy.types.NodesModifier)
        modifier.node_group = group
        for name, value in values.items():
            sockets.set(modifier, name, value)
        obj.modifiers.move(obj.modifiers.find(modifier.name), obj.modifiers.find(drawing.name))
        order_filter(obj)
        _let_draw(obj, False)
    return able


def clear_own_shape(objects: Iterable[bpy.types.Object]) -> None:
    """Draw objects by their representation again."""
    for obj in objects:
        while (modifier := modifier_that_places(obj)) is not None:
            obj.modifiers.remove(modifier)
            _let_draw(obj, True)
        order_filter(obj)


def own_shape_of(obj: bpy.types.Object) -> OwnShape | None:
    """Return what stands at an object's points; None where it is drawn by its representation, or the shape is gone."""
    modifier = modifier_that_places(obj)
    if modifier is None or modifier.node_group is None:
        return None
    sockets = ModifierInputs(modifier.node_group)
    single, several, scale, pivot, axis = sockets.several(modifier, ("Object", "Collection", *INPUTS.values()))
    shape = single or several
    return None if shape is None else OwnShape(shape, scale, tuple(pivot), tuple(axis))


def modifier_that_places(obj: bpy.types.Object) -> bpy.types.NodesModifier | None:
    """Return the modifier that puts a shape at an object's points; None where it has none."""
    return modifier_for(obj, SHAPE)


def _let_draw(obj: bpy.types.Object, drawn: bool) -> None:
    """Let the modifier that draws an object's points rest, or draw again."""
    drawing = modifier_of(obj)
    if drawing is not None:
        drawing.show_viewport = drawing.show_render = drawn


def _build(program: NodeProgram) -> None:
    program.input("Geometry", "Geometry")
    program.input("Object", "Object", "What stands at each point")
    program.input("Collection", "Collection", "What stands at each point, where there is no object")
    program.input("Scale", "Float", "Angstrom that one unit of it is long", default_value=1, min_value=0)
    program.input("Pivot", "Vector", "What of it stands at the point, in its own coordinates")
    program.input("Axis", "Vector", "What of it points where the point does", default_value=(0, 0, 1))
    program.output("Geometry", "Geometry")
    start = program.node("NodeGroupInput").outputs
    single = program.node("GeometryNodeObjectInfo", "Object", {"Object": start["Object"]}).outputs["Geometry"]
    several = program.node("GeometryNodeCollectionInfo", "Collection", {"Collection": start["Collection"]}).outputs[0]
    shape = program.node("GeometryNodeJoinGeometry", "Shape", {"Geometry": [single, several]}).outputs[0]
    inputs: dict[str, Any] = {"Geometry": shape, "Translation": program.vector("SCALE", start["Pivot"], scale=-1.0)}
    at_pivot = program.node("GeometryNodeTransform", "Pivot", inputs).outputs[0]
    along = program.node("FunctionNodeAlignRotationToVector", "", {"Vector": start["Axis"]}, axis="Z").outputs[0]
    upright = program.node("FunctionNodeInvertRotation", "Axis along z", {"Rotation": along}).outputs[0]
    turned = program.node("GeometryNodeTransform", "Axis", {"Geometry": at_pivot, "Rotation": upright}).outputs[0]
    inputs = {
        "Points": start["Geometry"],
        "Instance": turned,
        "Rotation": orientation(program, along_normals(program)),
        "Scale": start["Scale"],
    }
    placed = program.node("GeometryNodeInstanceOnPoints", "At each point", inputs).outputs[0]
    program.node("NodeGroupOutput", inputs={"Geometry": program.group(shaping_group(), {"Geometry": placed})})
