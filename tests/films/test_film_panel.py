"""The panel Film: shots by its buttons."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests.scene.test_trajectories import a_film
from tests.support.built import build, datablocks
from tests.support.make_sessions import cloud, write_session


@pytest.fixture
def opened(bpy: ModuleType, tmp_path: Path) -> Iterator[ModuleType]:
    import mosaic_addon

    mosaic_addon.register()
    build(bpy, write_session(tmp_path / "s.pickle", [cloud("c", 50)], [a_film([4] * 3)]))
    yield bpy
    mosaic_addon.unregister()


def test_a_film_by_its_buttons(opened: ModuleType) -> None:
    from mosaic_addon.scene.films.shots import shots_in

    ops, scene = opened.ops.mosaic, opened.context.scene
    scene.frame_end = 3
    ops.add_turntable("INVOKE_DEFAULT")
    assert scene.camera is not None, "a scene without a camera gets one"
    assert (scene.frame_start, scene.frame_end) == (1, 240)
    blocks, before = datablocks(opened), np.array(scene.camera.matrix_world)
    ops.add_turntable("INVOKE_DEFAULT", seconds=2.0, rock=True, axis="X")
    ops.add_trajectory_shot("INVOKE_DEFAULT", loop=True, seconds=1.0)
    found = [(shot.name, shot.start, shot.end) for shot in shots_in(scene)]
    assert found == [("Trajectory", 1, 24), ("Turntable", 1, 240), ("Rock", 241, 288)]
    assert scene.frame_end == 288
    ops.remove_shot(name="Rock")
    ops.remove_shot(name="Trajectory")
    assert (scene.frame_start, scene.frame_end) == (1, 240)
    assert datablocks(opened) == blocks
    assert np.array_equal(np.array(scene.camera.matrix_world), before)


def test_a_shot_that_is_not_there_is_said(opened: ModuleType) -> None:
    with pytest.raises(RuntimeError, match="no shot Pan"):
        opened.ops.mosaic.remove_shot(name="Pan")
    for obj in opened.context.scene.objects:
        obj.hide_render = True
    with pytest.raises(RuntimeError, match="Nothing is visible"):
        opened.ops.mosaic.add_turntable()
    with pytest.raises(RuntimeError, match="None of the objects"):
        opened.ops.mosaic.add_trajectory_shot()
