"""What a .blend remembers of a save is what was saved: nothing is unsaved right after it, nor when the .blend is opened again."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests.support.make_sessions import an_object, cloud, write_session
from tests.support.saved_sessions import Opened

ODD_APPEARANCES = {
    "an array": {"base_color": np.array([0.1, 0.2, 0.3])},
    "a long array": {"ramp": np.linspace(0, 1, 5000)},
    "an array of objects": {"odd": np.array([1, "a"], object)},
    "an object": {"odd": an_object("other.thing.Lid", {"a": 1})},
    "bytes": {"odd": b"a" * 500},
    "a set": {"odd": {"b", "a"}},
    "not a number": {"odd": float("nan")},
}


def reopened(opened: Opened, blend: Path) -> Opened:
    opened.bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    return Opened.from_blend(opened.bpy, blend)


@pytest.mark.parametrize("name", ODD_APPEARANCES)
def test_nothing_is_unsaved_whatever_an_appearance_holds(bpy: ModuleType, tmp_path: Path, name: str) -> None:
    clouds = [cloud("a", 4, appearance=dict(cloud().appearance, **ODD_APPEARANCES[name])), cloud("b", 4)]
    opened = Opened(bpy, write_session(tmp_path / "odd.pickle", clouds))
    opened["a"].name = "renamed"
    assert opened.unsaved() == ["clusters 'a': renamed to 'renamed'"]
    opened.save(tmp_path / "saved.pickle")
    assert opened.unsaved() == []
    assert reopened(opened, tmp_path / "s.blend").unsaved() == []
