"""What differs between Blender 4.5, 5.0 and 5.2, and what the type stubs do not know of Blender.

No other module asks for the version.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal

import bpy

EEVEE = "BLENDER_EEVEE_NEXT" if bpy.app.version < (5, 0) else "BLENDER_EEVEE"
INPUTS_ARE_PROPERTIES = bpy.app.version >= (5, 2)  # those of modifiers
MAX_NAME_BYTES = 63 if bpy.app.version < (5, 0) else 255


# --- Geometry Nodes modifiers: where their inputs are kept moved in 5.2 ----------------------------------------------


def _menu_items(group: bpy.types.NodeTree, name: str) -> dict[str, int]:
    """Map the items of a menu input to the numbers that modifiers before 5.2 keep for them."""
    source = next(node.outputs[name] for node in group.nodes if node.type == "GROUP_INPUT" and name in node.outputs)
    switch = next(link.to_node for link in source.links if link.to_node.bl_idname == "GeometryNodeMenuSwitch")
    identifiers = {socket.name: socket.identifier for socket in switch.inputs}
    return {item.name: int(identifiers[item.name].removeprefix("Item_")) for item in switch.enum_items}


class ModifierInputs:
    """The inputs of modifiers that share one node group, read and written by name.

    The group's interface is looked up once, so that setting an input of thousands of modifiers costs a microsecond
    each.
    """

    def __init__(self, group: bpy.types.NodeTree) -> None:
        sockets = {
            item.name: item
            for item in group.interface.items_tree
            if item.item_type == "SOCKET" and item.in_out == "INPUT"
        }
        self._identifiers = {name: socket.identifier for name, socket in sockets.items()}
        self._menus: dict[str, dict[str, int]] = {}
        if not INPUTS_ARE_PROPERTIES:
            self._menus = {
                name: _menu_items(group, name)
                for name, socket in sockets.items()
                if socket.socket_type == "NodeSocketMenu"
            }

    def __contains__(self, name: str) -> bool:
        return name in self._identifiers

    def __iter__(self) -> Iterator[str]:
        return iter(self._identifiers)

    def set(self, modifier: bpy.types.NodesModifier, name: str, value: Any) -> None:
        """Set an input. value: of a menu, the name of an item."""
        identifier = self._identifiers[name]
        if INPUTS_ARE_PROPERTIES:
            getattr(modifier.properties.inputs, identifier).value = value
        else:
            modifier[identifier] = self._menus[name][value] if name in self._menus else value

    def get(self, modifier: bpy.types.NodesModifier, name: str) -> Any:
        """Return the value of an input; that of a menu is the name of its item."""
        return self.several(modifier, (name,))[0]

    def several(self, modifier: bpy.types.NodesModifier, names: Iterable[str]) -> list[Any]:
        """Return the values of some inputs; that of a menu is the name of its item."""
        identifiers = self._identifiers
        if INPUTS_ARE_PROPERTIES:
            inputs = modifier.properties.inputs
            return [getattr(inputs, identifiers[name]).value for name in names]
        values = []
        for name in names:
            value = modifier[identifiers[name]]
            if name in self._menus:
                value = next(item for item, number in self._menus[name].items() if number == value)
            values.append(value)
        return values

    def data_path(self, modifier: bpy.types.NodesModifier, name: str) -> str:
        """Return the path of an input from its object, for keyframes and drivers."""
        identifier = self._identifiers[name]
        if INPUTS_ARE_PROPERTIES:
            return f'modifiers["{bpy.utils.escape_identifier(modifier.name)}"].properties.inputs.{identifier}.value'
        return f'modifiers["{bpy.utils.escape_identifier(modifier.name)}"]["{identifier}"]'

    def draw(self, layout: bpy.types.UILayout, modifier: bpy.types.NodesModifier, name: str) -> None:
        """Let a panel show an input."""
        identifier = self._identifiers[name]
        if INPUTS_ARE_PROPERTIES:
            layout.prop(getattr(modifier.properties.inputs, identifier), "value", text=name)
        else:
            layout.prop(modifier, f'["{identifier}"]', text=name)


# --- shading ---------------------------------------------------------------------------------------------------------


FACTOR = "Fac" if bpy.app.version < (5, 0) else "Factor"  # the socket of attribute and colour ramp nodes


def has_nodes(material: bpy.types.Material) -> bool:
    """Return whether a material is drawn by its nodes, which could be switched off before 5.0."""
    return material.node_tree is not None and (bpy.app.version >= (5, 0) or material.use_nodes)


def shader_tree(owner: bpy.types.Material | bpy.types.World) -> bpy.types.NodeTree:
    """Return the node tree of a material or world, emptied. Before 5.0 a new one has no tree yet."""
    if owner.node_tree is None:
        owner.use_nodes = True
    tree = owner.node_tree
    assert tree is not None
    tree.nodes.clear()
    return tree


# --- compositing: the scene's own tree before 5.0, a node group from then on ------------------------------------------


def compositing_tree(scene: bpy.types.Scene) -> bpy.types.NodeTree | None:
    """Return the nodes that the scene's picture goes through; None where there are none."""
    if bpy.app.version >= (5, 0):
        return scene.compositing_node_group
    older: Any = scene
    return older.node_tree if older.use_nodes else None


def new_compositing_tree(scene: bpy.types.Scene, name: str) -> tuple[bpy.types.NodeTree, bpy.types.NodeSocket]:
    """Give the scene an empty tree for its picture to go through. Returns it and the socket where the picture ends."""
    if bpy.app.version >= (5, 0):
        tree = scene.compositing_node_group = bpy.data.node_groups.new(name, "CompositorNodeTree")
        new_socket(tree, "Image", "OUTPUT", "Color")
        return tree, tree.nodes.new("NodeGroupOutput").inputs["Image"]
    older: Any = scene
    older.use_nodes = True
    older.node_tree.nodes.clear()
    return older.node_tree, older.node_tree.nodes.new("CompositorNodeComposite").inputs["Image"]


def remove_compositing_tree(scene: bpy.types.Scene) -> None:
    """Remove the nodes that the scene's picture goes through."""
    if bpy.app.version >= (5, 0):
        bpy.data.node_groups.remove(scene.compositing_node_group)
    else:
        older: Any = scene
        older.node_tree.nodes.clear()
        older.use_nodes = False


# --- point clouds: PointCloud.resize came in 5.2 ---------------------------------------------------------------------


class PointCloudFactory:
    """Makes point clouds of given positions. A context manager, which removes at its end what it needed meanwhile.

    Before 5.2 a point cloud cannot be given its size, so the evaluated result of the node "Mesh to Points" is copied.
    That happens in a scene that holds one object alone, so that the cost of a cloud does not grow with their number.
    """

    def __enter__(self) -> "PointCloudFactory":
        self._scene: bpy.types.Scene | None = None
        if bpy.app.version < (5, 2):
            self._scene = bpy.data.scenes.new("Mosaic Conversion")
            self._group = bpy.data.node_groups.new("Mosaic Conversion", "GeometryNodeTree")
            nodes, links = self._group.nodes, self._group.links
            new_socket(self._group, "Geometry", "INPUT", "Geometry")
            new_socket(self._group, "Geometry", "OUTPUT", "Geometry")
            start, convert, end = (
                nodes.new(kind) for kind in ("NodeGroupInput", "GeometryNodeMeshToPoints", "NodeGroupOutput")
            )
            links.new(start.outputs[0], convert.inputs[0])
            links.new(convert.outputs[0], end.inputs[0])
            self._mesh = bpy.data.meshes.new("Mosaic Conversion")
            self._object = bpy.data.objects.new("Mosaic Conversion", self._mesh)
            modifier = self._object.modifiers.new("Mosaic Conversion", "NODES")
            assert isinstance(modifier, bpy.types.NodesModifier)
            modifier.node_group = self._group
            self._scene.collection.objects.link(self._object)
        return self

    def __exit__(self, *_: object) -> None:
        if self._scene is not None:
            bpy.data.objects.remove(self._object)
            bpy.data.meshes.remove(self._mesh)
            bpy.data.node_groups.remove(self._group)
            bpy.data.scenes.remove(self._scene)

    def new(self, name: str, count: int, fill: Callable[[Any], None]) -> bpy.types.PointCloud:
        """Make a point cloud. fill: stores the positions in the collection of an attribute's values."""
        if self._scene is None:
            cloud = bpy.data.pointclouds.new(name)
            cloud.resize(count)
            if count:
                fill(values_of(cloud.attributes["position"]))
            return cloud
        mesh = self._mesh
        mesh.clear_geometry()
        mesh.vertices.add(count)
        if count:
            fill(values_of(mesh.attributes["position"]))
        mesh.update_tag()
        layer = self._scene.view_layers[0]
        layer.update()
        geometry = self._object.evaluated_get(layer.depsgraph).evaluated_geometry()  # which owns the point cloud
        if geometry.pointcloud is None:  # there are no points
            cloud = bpy.data.pointclouds.new(name)
            if "position" not in cloud.attributes:  # without it Cycles in 5.0 takes Blender down
                cloud.attributes.new("position", "FLOAT_VECTOR", "POINT")
            return cloud
        cloud = geometry.pointcloud.copy()
        cloud.name = name
        return cloud


def hide_from_light_sampling(material: bpy.types.Material) -> None:
    """Keep Cycles from sampling a glowing surface as a lamp, which is slow for thousands of points."""
    cycles = cycles_of(material)
    if cycles is not None:
        cycles.emission_sampling = "NONE"


def text_node(
    tree: bpy.types.NodeTree, align: Literal["LEFT", "CENTER", "RIGHT"], font: bpy.types.VectorFont | None = None
) -> Any:
    """Add a node that makes curves of a text, on a baseline through the origin.

    font: None for Blender's own. Alignment and font became inputs in 5.2.
    """
    node: Any = tree.nodes.new("GeometryNodeStringToCurves")
    if "Align X" in node.inputs:
        node.inputs["Align X"].default_value = align.capitalize()
    else:
        node.align_x = align
    if font is not None and "Font" in node.inputs:
        node.inputs["Font"].default_value = font
    elif font is not None:
        node.font = font
    return node


def shipped_font(name: str) -> str | None:
    """Return the path of a font that comes with Blender; None where this Blender has none of that name."""
    data: str = bpy.utils.system_resource("DATAFILES")  # type: ignore[attr-defined]  # the stubs lack it
    path = os.path.join(data, "fonts", name)
    return path if os.path.isfile(path) else None


def never_seen_by_light(obj: bpy.types.Object) -> None:
    """Let only the camera see an object: it throws no shadow, and no light from it or to it."""
    for kind in ("diffuse", "glossy", "transmission", "volume_scatter", "shadow"):
        setattr(obj, f"visible_{kind}", False)


# --- what the type stubs, fake-bpy-module, do not know ---------------------------------------------------------------


def cycles_of(owner: bpy.types.Scene | bpy.types.Material) -> Any:
    """Return Cycles' settings of a scene or material; None where Cycles is not enabled."""
    return getattr(owner, "cycles", None)


def values_of(attribute: bpy.types.Attribute) -> Any:
    """Return the collection of an attribute's values, which the stubs know of its subclasses alone."""
    return attribute.data  # type: ignore[attr-defined]


def socket_value(socket: bpy.types.NodeSocket) -> Any:
    """Return the value of a node's input, which the stubs know of its subclasses alone."""
    return socket.default_value  # type: ignore[attr-defined]


def set_socket_value(socket: bpy.types.NodeSocket, value: Any) -> None:
    """Set the value of a node's input."""
    socket.default_value = value  # type: ignore[attr-defined]


def new_socket(
    tree: bpy.types.NodeTree, name: str, in_out: Literal["INPUT", "OUTPUT"], kind: str, tip: str = ""
) -> bpy.types.NodeTreeInterfaceSocket:
    """Declare an input or output of a node group. kind: of the socket, such as "Float"."""
    socket_type: Any = f"NodeSocket{kind}"  # the stubs know no kind but "DEFAULT"
    return tree.interface.new_socket(name, in_out=in_out, socket_type=socket_type, description=tip)
