"""Lamps that turn with the camera, and a world: the background, and a soft light from all sides."""

from math import radians

import bpy
from mathutils import Euler, Matrix

from ...session.session import Color
from ..compat import shader_tree
from ..drawing.node_tree import NodeProgram, arrange
from ..keys import LOOK

# Name; direction of the light as rotations of the camera around its x and y; strength; angular width. In degrees.
LAMPS = (
    ("Key", -35.0, -40.0, 1.6, 20.0),
    ("Fill", -8.0, 15.0, 0.8, 60.0),
    ("Rim", -60.0, 165.0, 0.8, 30.0),
)
AMBIENT = 0.55  # strength of the world as a light


def add_lamps(scene: bpy.types.Scene, camera: bpy.types.Object | None) -> None:
    """Add key, fill and rim light, which keep their places as seen from the camera. camera: None for none."""
    for name, pitch, yaw, strength, width in LAMPS:
        data = bpy.data.lights.new(f"Mosaic {name}", "SUN")
        assert isinstance(data, bpy.types.SunLight)
        data.energy = strength
        data.angle = radians(width)
        lamp = bpy.data.objects.new(f"Mosaic {name}", data)
        lamp[LOOK] = True
        turn = Euler((radians(pitch), 0, 0)).to_matrix()
        turn.rotate(Euler((0, radians(yaw), 0)))
        lamp.matrix_basis = turn.to_4x4()
        lamp.parent = camera
        lamp.matrix_parent_inverse = Matrix()
        scene.collection.objects.link(lamp)


def remove_lamps(scene: bpy.types.Scene) -> None:
    """Remove the lamps that a look added to a scene."""
    lamps = [obj for obj in scene.objects if obj.type == "LIGHT" and LOOK.read(obj) is True]
    bpy.data.batch_remove({*lamps, *(lamp.data for lamp in lamps)})


def remove_world(scene: bpy.types.Scene) -> None:
    """Remove the world that a look gave a scene."""
    if scene.world is not None and LOOK.read(scene.world):
        bpy.data.worlds.remove(scene.world)


def set_world(scene: bpy.types.Scene, background: Color) -> None:
    """Give the scene a world that shines white, and that the camera sees in another colour.

    background: that colour, (r, g, b) scene values.
    """
    world = scene.world
    if world is None or not LOOK.read(world):
        world = scene.world = bpy.data.worlds.new("Mosaic World")
        world[LOOK] = True
    world.color = background  # in the viewport's solid shading
    tree = shader_tree(world)
    program = NodeProgram(tree)
    seen = program.node("ShaderNodeBackground", "Background", {"Color": (*background, 1)})
    light = program.node("ShaderNodeBackground", "Light", {"Color": (1, 1, 1, 1), "Strength": AMBIENT})
    to_camera = program.node("ShaderNodeLightPath").outputs["Is Camera Ray"]
    both = program.mix_shaders("Background to the camera only", to_camera, light.outputs[0], seen.outputs[0])
    program.node("ShaderNodeOutputWorld", inputs={"Surface": both})
    arrange(tree)
