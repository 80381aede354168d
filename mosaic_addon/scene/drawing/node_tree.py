"""Node groups written as short programs: found or made by name and version, sockets by name, laid out for reading."""

from collections.abc import Callable
from typing import Any, Literal

import bpy

from ..compat import new_socket, set_socket_value
from ..keys import NODE_GROUP


def shared_group(
    name: str, kind: Literal["GeometryNodeTree", "ShaderNodeTree"], version: int, build: Callable[["NodeProgram"], None]
) -> bpy.types.NodeTree:
    """Return the node group of a name and version, built if the .blend lacks it. Older versions stay as they are."""
    stamp = f"{name}/{version}"
    for group in bpy.data.node_groups:
        if NODE_GROUP.read(group) == stamp and group.library is None:
            return group
    group = bpy.data.node_groups.new(name, kind)
    group[NODE_GROUP] = stamp
    program = NodeProgram(group)
    build(program)
    arrange(group)
    return group


def stamp_of(group: bpy.types.NodeTree | None) -> str:
    """Return the name and version of a node group of ours, as "name/version"; "" for any other, and for none."""
    return "" if group is None else NODE_GROUP.read(group) or ""


class NodeProgram:
    """Adds nodes to a tree and links them. What is given to an input is a socket, which is linked, or a value."""

    def __init__(self, tree: bpy.types.NodeTree) -> None:
        self.tree = tree

    def input(self, name: str, kind: str, tip: str = "", **settings: Any) -> bpy.types.NodeTreeInterfaceSocket:
        """Declare an input of the group. tip: its tooltip. settings: its default, range and the like."""
        socket = new_socket(self.tree, name, "INPUT", kind, tip)
        for key, value in settings.items():
            setattr(socket, key, value)
        return socket

    def output(self, name: str, kind: str) -> None:
        """Declare an output of the group."""
        new_socket(self.tree, name, "OUTPUT", kind)

    def node(self, kind: str, label: str = "", inputs: dict[str, Any] | None = None, **settings: Any) -> Any:
        """Add a node.

        inputs: by the names of sockets; "Value 1" is the second of those named "Value". settings: properties of the
        node.
        """
        node = self.tree.nodes.new(kind)
        node.label = label
        for key, value in settings.items():
            setattr(node, key, value)
        for name, value in (inputs or {}).items():
            self.connect(value, socket_named(node.inputs, name))
        return node

    def vector(self, operation: str, *operands: Any, scale: Any = None) -> bpy.types.NodeSocket:
        """Add a Vector Math node; returns its result."""
        inputs = {f"Vector {number}": operand for number, operand in enumerate(operands)}
        if scale is not None:
            inputs["Scale"] = scale
        node = self.node("ShaderNodeVectorMath", inputs=inputs, operation=operation)
        return next(socket for socket in node.outputs if socket.enabled)

    def mix_shaders(self, label: str, factor: Any, first: Any, second: Any) -> bpy.types.NodeSocket:
        """Add a Mix Shader node, which gives the first shader where factor is 0 and the second where it is 1."""
        node = self.node("ShaderNodeMixShader", label)
        for value, socket in zip((factor, first, second), node.inputs, strict=True):  # "Fac" was renamed in 5.0
            self.connect(value, socket)
        return node.outputs[0]

    def connect(self, value: Any, socket: bpy.types.NodeSocket) -> None:
        """Link a socket, or each of several, to an input, or set the input's value."""
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, socket)
        elif isinstance(value, (list, tuple)) and value and isinstance(value[0], bpy.types.NodeSocket):
            for source in value:
                self.tree.links.new(source, socket)
        else:
            set_socket_value(socket, value)

    def math(self, operation: str, *operands: Any) -> bpy.types.NodeSocket:
        """Add a Math node; returns its result."""
        inputs = {f"Value {number}": operand for number, operand in enumerate(operands)}
        return self.node("ShaderNodeMath", inputs=inputs, operation=operation).outputs[0]

    def switch(self, condition: Any, false: Any, true: Any, label: str, kind: str = "GEOMETRY") -> bpy.types.NodeSocket:
        """Add a Switch node; returns its result."""
        inputs = {"Switch": condition, "False": false, "True": true}
        return self.node("GeometryNodeSwitch", label, inputs, input_type=kind).outputs[0]

    def group(self, group: bpy.types.NodeTree, inputs: dict[str, Any]) -> bpy.types.NodeSocket:
        """Add a group, given by its tree; returns its first output."""
        node = self.node("GeometryNodeGroup", node_tree=group)
        for name, value in inputs.items():
            self.connect(value, socket_named(node.inputs, name))
        return node.outputs[0]


def socket_named(sockets: Any, name: str) -> bpy.types.NodeSocket:
    """Return an enabled socket by its name; "Value 1" is the second of those named "Value".

    Identifiers differ between versions of Blender. Raises KeyError where there is no such socket.
    """
    enabled = [socket for socket in sockets if socket.enabled]
    for socket in enabled:
        if socket.name == name:
            return socket
    stem, _, number = name.rpartition(" ")
    same = [socket for socket in enabled if socket.name == stem]
    if number.isdecimal() and int(number) < len(same):
        return same[int(number)]
    raise KeyError(f"no socket {name!r} among {[socket.name for socket in enabled]}")


def attribute_value(program: NodeProgram, name: str, kind: str = "GEOMETRY") -> bpy.types.NodeSocket:
    """Add a number that a geometry carries as an attribute, 0 where it has none, to a shader.

    kind: "INSTANCER" for what a copy carries, or else the object, as a custom property.
    """
    node = program.node("ShaderNodeAttribute", name, attribute_name=name, attribute_type=kind)
    return next(socket for socket in node.outputs if socket.type == "VALUE")  # "Fac" was renamed in 5.0


def arrange(tree: bpy.types.NodeTree) -> None:
    """Lay the nodes out from left to right, each to the right of all nodes that it needs."""
    needs: dict[str, set[str]] = {node.name: set() for node in tree.nodes}
    for link in tree.links:
        needs[link.to_node.name].add(link.from_node.name)
    column: dict[str, int] = {}

    def place(name: str) -> int:
        if name not in column:
            column[name] = 0
            column[name] = max((place(source) + 1 for source in needs[name]), default=0)
        return column[name]

    below: dict[int, float] = {}
    locations: list[float] = []
    for node in tree.nodes:
        x = place(node.name)
        locations += (x * 220.0, below.get(x, 0.0))
        rows = sum(socket.enabled for socket in node.inputs) + len(node.outputs)
        below[x] = below.get(x, 0.0) - 80.0 - 22.0 * rows
    # At once: with each node that is moved Blender looks at all that uses the tree.
    tree.nodes.foreach_set("location", locations)
