"""Blender's own start-up scene, which makes room for the first session: its cube would swallow a virus."""

from typing import Any, Final

import bpy
import numpy as np

# What Blender's factory settings hold, the same in 4.5 and 5.2: kind of object: where it stands.
STARTUP: Final = {
    "MESH": (0.0, 0.0, 0.0),
    "LIGHT": (4.0762, 1.0055, 5.9039),
    "CAMERA": (7.3589, -6.9258, 4.9583),
}


def is_startup_scene(scene: bpy.types.Scene) -> bool:
    """Tell whether a scene holds nothing but the cube, lamp and camera that Blender starts with, as it made them."""
    objects = list(bpy.data.objects)
    if len(bpy.data.scenes) != 1 or set(objects) != set(scene.objects) or bpy.data.actions:
        return False
    if sorted(obj.type for obj in objects) != sorted(STARTUP):
        return False
    for obj in objects:
        if not np.allclose(np.array(obj.location), STARTUP[obj.type], atol=1e-3) or obj.animation_data is not None:
            return False
        if (
            not np.allclose(np.array(obj.scale), 1)
            or obj.parent is not None
            or obj.modifiers
            or obj.constraints
            or obj.keys()
        ):
            return False
    data: dict[str, Any] = {obj.type: obj.data for obj in objects}
    cube, lamp, camera = (data[kind] for kind in STARTUP)
    corners = np.empty(3 * len(cube.vertices), np.float32)
    cube.vertices.foreach_get("co", corners)
    is_cube = len(cube.vertices) == 8 and len(cube.polygons) == 6 and bool((np.abs(corners) == 1).all())
    return is_cube and lamp.type == "POINT" and (round(lamp.energy), round(camera.lens)) == (1000, 50)


def clear_startup(scene: bpy.types.Scene) -> None:
    """Remove what Blender's start-up scene holds. scene: one of which `is_startup_scene` is true."""
    objects = [obj for obj in scene.objects if obj.type in STARTUP and not obj.keys()]
    data = {obj.data for obj in objects}
    materials = {slot.material for obj in objects for slot in obj.material_slots if slot.material is not None}
    bpy.data.batch_remove(objects)
    bpy.data.batch_remove([each for each in (*data, *materials) if each is not None and not each.users])
