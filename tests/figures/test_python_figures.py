"""Figures by Python, as docs/figures.md shows it."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def test_the_documented_script_runs(bpy: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    from mosaic_addon import api

    code = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "figures.md").read_text(encoding="utf-8"), re.DOTALL)
    written = []
    monkeypatch.setattr(api, "render_to", lambda scene, *files: written.append((api.items_of(scene), files)))
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    exec(code[0], names)
    ((items, files),) = written
    assert files == ("figure.png",)
    assert sorted(item.name for item in items) == ["Cut Plane", "Legend", "Scale bar"]
    cut = bpy.data.objects["Cut Plane"]
    spike = bpy.data.objects["Spike"]
    assert api.spared_by(cut, (obj for obj in bpy.data.objects if obj.type != "EMPTY")) == [spike]
    assert api.cut_of(cut).cap == pytest.approx((0.8, 0.7, 0.6))
    assert cut.hide_render  # it rests
    for item in items:
        (api.remove_cut if item == cut else api.remove_item)(item)
    assert not api.items_of(bpy.context.scene)
    api.remove_look(bpy.context.scene)
