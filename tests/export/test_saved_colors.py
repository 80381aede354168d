"""Vertex colours of meshes are saved as Blender has them, and those that it cannot hold as they were read."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from mosaic_addon.session import open_session
from tests.support.make_sessions import mesh, triangular_mesh, write_session
from tests.support.saved_sessions import Opened, differences, what_differs


def test_removed_vertex_colors_are_told(bpy: ModuleType, tmp_path: Path) -> None:
    colored = mesh("m", model=triangular_mesh(vertex_colors=np.full((4, 3), 0.5)))
    opened = Opened(bpy, write_session(tmp_path / "colored.pickle", [], [colored]))
    attributes = opened["m"].data.attributes
    for name in [a.name for a in attributes if "COLOR" in a.data_type]:
        attributes.remove(attributes[name])
    assert opened.unsaved() == ["models 'm': without vertex colours"]
    opened.save(tmp_path / "saved.pickle")
    assert opened.unsaved() == []
    (model,) = (geometry.model for geometry in open_session(tmp_path / "saved.pickle").geometries)
    assert model.vertex_colors is None


@pytest.mark.parametrize("shape", [(4, 4), (4, 2), (3, 3), (0, 3), (12,)])
def test_vertex_colors_that_blender_cannot_hold_stay(bpy: ModuleType, tmp_path: Path, shape: tuple[int, ...]) -> None:
    colored = mesh("m", model=triangular_mesh(vertex_colors=np.full(shape, 0.5)))
    opened = Opened(bpy, write_session(tmp_path / "colored.pickle", [], [colored]))
    assert opened.unsaved() == []
    opened.save(tmp_path / "saved.pickle")
    assert differences(opened.path, tmp_path / "saved.pickle") == []
    opened["m"].name = "renamed"
    opened.save(tmp_path / "edited.pickle")
    assert [what for _, what in what_differs(opened.path, tmp_path / "edited.pickle") if "color" in what] == []
