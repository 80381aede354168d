"""Dark lines where one object stands before another, which the compositor draws by the picture's depth."""

import bpy

from ...session.errors import MosaicError
from ..compat import compositing_tree, new_compositing_tree, remove_compositing_tree
from ..drawing.materials import faded
from ..drawing.node_tree import NodeProgram, arrange
from ..keys import LOOK

EDGES = "Mosaic Silhouettes"
LINE_HEIGHT = 700  # pixels of the picture's height for each pixel of a line's half width


def draw_edges(
    scene: bpy.types.Scene,
    near: float,
    farthest: float,
    step: float,
    fade: tuple[float, float] | None = None,
) -> None:
    """Draw lines where the depth of neighbouring pixels differs.

    near: what is not as far away gets no lines, such as a label. farthest: the depth to give to the background, beyond all that is shown. step: the difference of depth from which
    on a line is drawn. fade: the depths where lines are black, and where they are at their palest; None for black lines
    everywhere. All in Blender units. Raises MosaicError when the scene has compositing nodes of its own.
    """
    remove_edges(scene)
    if compositing_tree(scene) is not None:
        raise MosaicError(f"The scene {scene.name!r} has compositing nodes of its own; silhouettes are drawn by such.")
    tree, end = new_compositing_tree(scene, EDGES)
    tree[LOOK] = [layer.name for layer in scene.view_layers if not layer.use_pass_z]
    for layer in scene.view_layers:
        layer.use_pass_z = True
    program = NodeProgram(tree)
    picture = program.node("CompositorNodeRLayers", scene=scene).outputs
    depth = program.math("MINIMUM", picture["Depth"], farthest)
    reach = max(1, round(scene.render.resolution_y / LINE_HEIGHT))
    nearest, deepest = (
        program.node("CompositorNodeDilateErode", label, {"Mask": depth, "Size": size}).outputs[0]
        for label, size in (("Nearest around", -reach), ("Deepest around", reach))
    )
    # Zero on a slope, where the nearer and the deeper side cancel out.
    bend = program.math("MULTIPLY_ADD", depth, -2.0, program.math("ADD", nearest, deepest))
    line = program.node(
        "ShaderNodeMapRange",
        "Line",
        {"Value": program.math("ABSOLUTE", bend), "From Min": step / 2, "From Max": step},
        interpolation_type="SMOOTHSTEP",
    )
    far = program.math("MULTIPLY", line.outputs[0], program.math("GREATER_THAN", nearest, near))
    if fade is not None:
        far = program.math("MULTIPLY", far, faded(program, nearest, fade))
    smooth = program.node("CompositorNodeAntiAliasing", "Smooth line", {"Image": far})
    drawn = program.node(
        "ShaderNodeMix",
        "Lines over the picture",
        {"Factor": smooth.outputs[0], "A": picture["Image"], "B": (0, 0, 0, 1)},
        data_type="RGBA",
    )
    program.connect(drawn.outputs["Result"], end)
    arrange(tree)


def remove_edges(scene: bpy.types.Scene) -> None:
    """Remove the lines. Compositing nodes that are not ours stay as they are."""
    tree = compositing_tree(scene)
    names = LOOK.read(tree) if tree is not None else None
    if tree is None or not isinstance(names, list):
        return
    for name in names:
        if name in scene.view_layers:
            scene.view_layers[name].use_pass_z = False
    del tree[LOOK]
    remove_compositing_tree(scene)
