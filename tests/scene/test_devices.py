"""What Cycles computes with: the best kind of graphics card that was seen to draw, or the processor."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from mosaic_addon.session import MosaicError


@pytest.fixture
def cards(bpy: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Pretends that there are cards of some kinds, and that some kinds draw a test right."""
    from mosaic_addon.scene.pictures import devices

    def pretend(there: list[str], working: list[str]) -> SimpleNamespace:
        preferences = SimpleNamespace(
            compute_device_type="NONE",
            get_device_types=lambda context: [("NONE",), *((kind,) for kind in there)],
            get_devices_for_type=lambda kind: [
                SimpleNamespace(type=kind, name=f"Card of {kind}", use=False), SimpleNamespace(type="CPU", name="x"),
            ],
        )  # fmt: skip
        monkeypatch.setattr(devices, "_preferences", lambda: preferences)
        monkeypatch.setattr(devices, "draws", lambda device: preferences.compute_device_type in working)
        return preferences

    return pretend


def test_a_probe_draws_a_picture_and_leaves_nothing(bpy: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    from mosaic_addon.scene.pictures import devices

    before = [len(each) for each in (bpy.data.scenes, bpy.data.objects, bpy.data.cameras, bpy.data.worlds)]
    assert devices.draws("CPU")
    render = bpy.data.images["Render Result"]
    assert [image for image in bpy.data.images if image != render] == []
    assert [len(each) for each in (bpy.data.scenes, bpy.data.objects, bpy.data.cameras, bpy.data.worlds)] == before
    monkeypatch.setattr(devices, "set_world", lambda scene, color: None)  # a card that draws black
    assert not devices.draws("CPU")


def test_the_best_that_works_is_chosen(bpy: ModuleType, cards: Any) -> None:
    from mosaic_addon.scene.pictures.devices import choose_device

    scene = bpy.context.scene
    preferences = cards(["CUDA", "OPTIX", "HIP"], ["CUDA", "HIP"])
    assert choose_device(scene) == "Cycles computes with CUDA: Card of CUDA."
    assert (scene.cycles.device, preferences.compute_device_type) == ("GPU", "CUDA")
    assert choose_device(scene, "hip") == "Cycles computes with HIP: Card of HIP."
    assert choose_device(scene, "cpu") == "Cycles computes with the processor."
    assert scene.cycles.device == "CPU"
    cards(["OPTIX", "CUDA"], [])
    sentence = choose_device(scene)
    assert sentence == "Cycles computes with the processor, as OptiX and CUDA did not draw a test right."
    cards([], [])
    assert "no graphics card was found" in choose_device(scene)
    assert scene.cycles.device == "CPU"


def test_a_device_that_is_not_there_is_refused(bpy: ModuleType, cards: Any) -> None:
    from mosaic_addon.scene.pictures.devices import choose_device

    preferences = cards(["OPTIX"], [])
    for device, word in (("optix", "OptiX did not draw"), ("metal", "no graphics card"), ("vulkan", "none of auto")):
        with pytest.raises(MosaicError, match=word):
            choose_device(bpy.context.scene, device)
    assert preferences.compute_device_type == "NONE"
