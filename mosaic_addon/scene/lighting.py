"""A soft three-point light on white, fixed to the camera, in which points and membranes read well."""

from math import radians

import bpy
from mathutils import Euler

from .compat import shader_tree
from .node_tree import NodeProgram, arrange

# name, direction the light comes from as turns of the camera (degrees around its x and y), strength, angular width
LAMPS = (
    ("Key", -35.0, -40.0, 2.3, 20.0),
    ("Fill", -10.0, 50.0, 0.7, 60.0),
    ("Rim", -60.0, 165.0, 1.2, 30.0),
)
AMBIENT = 0.45  # strength of the white world as a light


def light_scene(scene: bpy.types.Scene, camera: bpy.types.Object) -> None:
    """Add key, fill and rim light as seen from the camera, and a white world that the camera sees as pure white."""
    for name, pitch, yaw, strength, width in LAMPS:
        data = bpy.data.lights.new(f"Mosaic {name}", "SUN")
        data.energy = strength
        data.angle = radians(width)
        lamp = bpy.data.objects.new(f"Mosaic {name}", data)
        turn = Euler((radians(pitch), 0, 0)).to_matrix()
        turn.rotate(Euler((0, radians(yaw), 0)))
        lamp.matrix_world = (camera.matrix_world.to_3x3().normalized() @ turn).to_4x4()
        lamp.location = camera.matrix_world.translation
        scene.collection.objects.link(lamp)
    scene.world = _white_world()


def _white_world() -> bpy.types.World:
    world = bpy.data.worlds.new("Mosaic White")
    world.color = (1, 1, 1)
    tree = shader_tree(world)
    program = NodeProgram(tree)
    path = program.node("ShaderNodeLightPath")
    strength = program.node(
        "ShaderNodeMix",
        "White to the camera, dimmer as a light",
        {"Factor": path.outputs["Is Camera Ray"], "A": AMBIENT, "B": 1.0},
    )
    background = program.node("ShaderNodeBackground", inputs={"Color": (1, 1, 1, 1), "Strength": strength.outputs[0]})
    program.node("ShaderNodeOutputWorld", inputs={"Surface": background.outputs[0]})
    arrange(tree)
    return world
