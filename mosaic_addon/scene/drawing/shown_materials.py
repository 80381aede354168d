"""What a material shows as plain numbers: what its active output leads to, whoever made its nodes."""

from collections.abc import Iterator
from typing import Any, TypeAlias

import bpy

from ..compat import has_nodes, socket_value
from ..keys import NODE_GROUP
from .materials import SURFACE

Node: TypeAlias = bpy.types.Node
Look: TypeAlias = tuple[float | None, ...]  # red, green, blue as scene values, opacity; None for what is no number
UNKNOWN: Look = (None, None, None, None)

# Shaders that show a colour as it is: the name of its input, and that of the opacity where there is one.
COLORED = {
    "BSDF_PRINCIPLED": ("Base Color", "Alpha"),
    "BSDF_DIFFUSE": ("Color", ""),
    "BSDF_TOON": ("Color", ""),
    "BSDF_TRANSLUCENT": ("Color", ""),
    "SUBSURFACE_SCATTERING": ("Color", ""),
    "EMISSION": ("Color", ""),
}
MIXERS = frozenset({"MIX_SHADER", "ADD_SHADER"})
LONGEST = 1000  # links that are followed


def shown_surface(material: bpy.types.Material) -> Node | None:
    """Return the node with Mosaic's colours and weights if the material shows it; None for one of the user's own."""
    tree = material.node_tree
    if tree is not None and len(tree.nodes) == 2 and len(tree.links) == 1 and has_nodes(material):
        link = tree.links[0]  # as an import makes it, which thousands of objects have: no need to look further
        node: Any = link.from_node
        if node.name == SURFACE and link.to_node.type == "OUTPUT_MATERIAL" and link.to_socket.name == "Surface":
            return None if link.is_muted else node
    return next((shader for shader, _ in _shaders(material) if _is_ours(shader)), None)


def plain_look(material: bpy.types.Material) -> Look:
    """Return the colour and opacity that a material of the user's own shows, as far as they are plain numbers."""
    if not has_nodes(material):
        return tuple(material.diffuse_color)  # type: ignore[arg-type]  # it is a sequence
    shaders = [(shader, is_mixed) for shader, is_mixed in _shaders(material) if shader.type != "BSDF_TRANSPARENT"]
    if len(shaders) != 1 or shaders[0][0].type not in COLORED or shaders[0][0].mute:
        return UNKNOWN
    ((shader, is_mixed),) = shaders
    color, opacity = COLORED[shader.type]
    shown = _plain(shader.inputs[color])
    if shown is None or _glows(shader):
        shown = UNKNOWN
    alpha = _plain(shader.inputs[opacity]) if opacity else 1.0
    return *shown[:3], None if is_mixed else alpha


def _is_ours(shader: Node) -> bool:
    if shader.name == SURFACE:
        return True
    group = getattr(shader, "node_tree", None)
    return group is not None and (NODE_GROUP.read(group) or "").startswith(f"{SURFACE}/")


def _shaders(material: bpy.types.Material) -> Iterator[tuple[Node, bool]]:
    """Yield the shaders that the outputs for Cycles and EEVEE show, each with whether it is mixed with others."""
    tree = material.node_tree
    if tree is None or not has_nodes(material):
        return
    outputs = {tree.get_output_node("CYCLES"), tree.get_output_node("EEVEE")} - {None}
    todo = [(output.inputs["Surface"], len(outputs) > 1) for output in outputs]
    for _ in range(LONGEST):
        if not todo:
            return
        socket, is_mixed = todo.pop()
        source = _source(socket)
        if source is None:
            continue
        node: Any = source.node
        if node.type in MIXERS and not node.mute:
            todo += [(each, True) for each in node.inputs if each.type == "SHADER"]
        else:
            yield node, is_mixed


def _source(socket: bpy.types.NodeSocket) -> bpy.types.NodeSocket | None:
    """Return the output that an input is linked to, through reroutes; None where its own value counts."""
    for _ in range(LONGEST):
        link = next((link for link in socket.links or () if not link.is_muted), None)
        if link is None:
            return None
        source, node = link.from_socket, link.from_node
        if node is None or node.type != "REROUTE":
            return source
        socket = node.inputs[0]
    return None


def _plain(socket: bpy.types.NodeSocket) -> Any:
    """Return the value that an input has as a number or colour, its own or of a Value or RGB node; None otherwise."""
    source = _source(socket)
    if source is None:
        found = socket
    elif source.node.type in ("RGB", "VALUE") and not source.node.mute and source.type == socket.type:
        found = source
    else:
        return None
    value = socket_value(found)
    return value if isinstance(value, float) else tuple(value)


def _glows(shader: Node) -> bool:
    """Tell whether a Principled BSDF adds light to its colour."""
    if shader.type != "BSDF_PRINCIPLED":
        return False
    strength, color = (_plain(shader.inputs[name]) for name in ("Emission Strength", "Emission Color"))
    return strength != 0 and (color is None or any(color[:3]))
