"""What Cycles computes with: the processor, or a graphics card that was seen to work."""

import tempfile
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ...session.errors import MosaicError
from ..compat import cycles_of
from .lighting import set_world
from .options import DEVICES

# Blender's kinds of devices, the fastest first, and how they are written.
KINDS = {"optix": "OptiX", "cuda": "CUDA", "hip": "HIP", "oneapi": "oneAPI", "metal": "Metal"}
GRAY = 0.5
SIDE = 8  # pixels


def choose_device(scene: bpy.types.Scene, device: str = "auto") -> str:
    """Let Cycles compute with a device. Returns a sentence that names it.

    device: one of DEVICES; "auto" takes the first kind that draws a small picture right, or the processor. Raises
    MosaicError for a kind that is not there or does not work.
    """
    if device not in DEVICES:
        raise MosaicError(f"The device {device!r} is none of {', '.join(DEVICES)}.")
    preferences = _preferences()
    cycles = cycles_of(scene)
    if device == "cpu" or preferences is None:
        if device not in ("cpu", "auto"):
            raise MosaicError("Blender's Cycles is switched off, so there is no device but the processor.")
        cycles.device = "CPU"
        return "Cycles computes with the processor."
    failed = []
    for kind, name in KINDS.items():
        cards = _cards(preferences, kind.upper()) if device in ("auto", kind) else []
        if cards and _works(preferences, kind.upper()):
            cycles.device = "GPU"
            return f"Cycles computes with {name}: {', '.join(dict.fromkeys(card.name for card in cards))}."
        failed += [name] if cards else []
    cycles.device = "CPU"
    why = (
        f"{' and '.join(failed)} did not draw a test right" if failed else "no graphics card was found that it can use"
    )
    if device != "auto":
        raise MosaicError(f"Cycles cannot compute with {KINDS[device]}: {why}.")
    return f"Cycles computes with the processor, as {why}."


def _preferences() -> Any:
    addon = bpy.context.preferences.addons.get("cycles")
    return None if addon is None else addon.preferences


def _cards(preferences: Any, kind: str) -> list[Any]:
    """The graphics cards of a kind that Cycles knows of. kind: as Blender writes it."""
    if kind not in [each[0] for each in preferences.get_device_types(bpy.context)]:
        return []  # Blender was built without it
    return [device for device in preferences.get_devices_for_type(kind) if device.type == kind]


def _works(preferences: Any, kind: str) -> bool:
    """Choose the cards of a kind in the preferences, if a small picture that they draw is right."""
    before = preferences.compute_device_type
    try:
        preferences.compute_device_type = kind
        for card in _cards(preferences, kind):
            card.use = True
        if draws("GPU"):
            return True
    except TypeError:  # as of an unknown kind
        pass
    preferences.compute_device_type = before
    return False


def draws(device: str) -> bool:
    """Return whether Cycles draws a gray picture gray. device: "CPU" or "GPU", with the cards of the preferences."""
    scene = bpy.data.scenes.new("Mosaic Device")
    data = bpy.data.cameras.new("Mosaic Device")
    camera = bpy.data.objects.new("Mosaic Device", data)
    image = None
    try:
        scene.camera = camera
        scene.collection.objects.link(camera)
        set_world(scene, (GRAY, GRAY, GRAY))
        render: Any = scene.render
        render.engine = "CYCLES"
        render.resolution_x = render.resolution_y = SIDE
        scene.view_settings.view_transform = "Raw"
        cycles = cycles_of(scene)
        cycles.device, cycles.samples, cycles.use_denoising = device, 1, False
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "picture.png")
            bpy.ops.render.render(scene=scene.name)
            bpy.data.images["Render Result"].save_render(path, scene=scene)
            image = bpy.data.images.load(path)
            pixels = np.empty(SIDE * SIDE * 4, np.float32)
            image.pixels.foreach_get(pixels)
        return bool(np.abs(pixels.reshape(-1, 4)[:, :3] - GRAY).max() < 0.02)
    except RuntimeError:
        return False
    finally:
        if image is not None:
            bpy.data.images.remove(image)
        bpy.data.batch_remove([each for each in (scene.world, scene, camera, data) if each is not None])
