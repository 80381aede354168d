"""Ink: materials without light for what is drawn beside a session, such as scale bars and labels; and the paper for it.

All inks share one shader group, in which a look sets whether colours are given as display values. The paper is a plain
image behind what a camera sees, so that ink can be read in views that do not show the background; renders have none.
"""

from collections.abc import Iterable
from typing import Any, Final

import bpy
import numpy as np

from ..compat import hide_from_light_sampling, shader_tree
from ..keys import FIGURE, NODE_GROUP
from .color_maps import to_display, to_scene
from .materials import to_display_nodes
from .node_tree import NodeProgram, arrange, shared_group

INK = "Mosaic Ink"
PAPER: Final = "paper"  # the kind of the image


def ink_material(name: str, color: Iterable[float]) -> bpy.types.Material:
    """Make a material of a plain colour. color: three display values."""
    material = bpy.data.materials.new(name)
    FIGURE.write(material, "ink")
    hide_from_light_sampling(material)
    tree = shader_tree(material)
    program = NodeProgram(tree)
    ink = program.node("ShaderNodeGroup", node_tree=ink_group(), name=INK, width=200)
    program.node("ShaderNodeOutputMaterial", inputs={"Surface": ink.outputs[0]})
    arrange(tree)
    set_ink(material, color)
    return material


def ink_group() -> bpy.types.NodeTree:
    """Return the shader group of all inks: a colour becomes a surface that shows it without light."""
    return shared_group(INK, "ShaderNodeTree", 1, _build_ink)


def set_ink(material: bpy.types.Material, color: Iterable[float]) -> None:
    """Change the colour of an ink. color: three display values."""
    scene_color = (*to_scene(np.array(tuple(color))).tolist(), 1.0)
    material.node_tree.nodes[INK].inputs["Color"].default_value = scene_color
    material.diffuse_color = scene_color  # type: ignore[assignment]  # any sequence will do


def ink_of(material: bpy.types.Material) -> tuple[float, float, float]:
    """Return the colour of an ink, three display values; black for a material that is none."""
    node = material.node_tree.nodes.get(INK) if material.node_tree is not None else None
    if node is None:
        return 0.0, 0.0, 0.0
    red, green, blue = to_display(np.array(node.inputs["Color"].default_value)[:3]).tolist()
    return red, green, blue


def set_ink_display(display: bool) -> None:
    """Let all inks give display values, for the view transform Raw, or scene values. Without inks do nothing."""
    for group in bpy.data.node_groups:
        if NODE_GROUP.read(group) == f"{INK}/1" and group.library is None:
            group.nodes.clear()
            _fill(NodeProgram(group), display)
            arrange(group)


def lay_paper(camera: bpy.types.Camera, color: Iterable[float]) -> None:
    """Lay paper behind what a camera sees. color: three display values."""
    image: Any = _paper() or bpy.data.images.new("Mosaic Paper", 1, 1)
    FIGURE.write(image, PAPER)
    set_paper(color)
    if all(each.image != image for each in camera.background_images):
        behind = camera.background_images.new()
        behind.image, behind.alpha, behind.frame_method = image, 1.0, "STRETCH"
        camera.show_background_images = True


def set_paper(color: Iterable[float]) -> None:
    """Change the colour of the paper. color: three display values. Without paper do nothing."""
    image: Any = _paper()
    if image is not None:
        image.generated_color = (*color, 1.0)


def take_paper(camera: bpy.types.Camera) -> None:
    """Take the paper from behind what a camera sees."""
    image = _paper()
    for behind in list(camera.background_images):
        if image is not None and behind.image == image:
            behind.image = None  # which removing it does not do
            camera.background_images.remove(behind)
            camera.show_background_images = bool(camera.background_images)
    if image is not None and not image.users:
        bpy.data.images.remove(image)


def _paper() -> bpy.types.Image | None:
    return next((image for image in bpy.data.images if FIGURE.read(image) == PAPER and image.library is None), None)


def _build_ink(program: NodeProgram) -> None:
    program.input("Color", "Color", "Colour of what is drawn", default_value=(0, 0, 0, 1))
    program.output("Surface", "Shader")
    _fill(program, False)


def _fill(program: NodeProgram, display: bool) -> None:
    color = program.node("NodeGroupInput").outputs["Color"]
    ink = program.node("ShaderNodeEmission", "Ink", {"Color": to_display_nodes(program, color) if display else color})
    program.node("NodeGroupOutput", inputs={"Surface": ink.outputs[0]})
