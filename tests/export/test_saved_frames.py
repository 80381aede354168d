"""Edits of trajectories and their frames, and of what a modifier holds for volumes."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mosaic_addon.session import MosaicError, open_session
from tests.support.make_sessions import (
    trajectory,
    volume,
    write_session,
)
from tests.support.saved_sessions import NEWEST, Opened
from tests.support.user_edits import (
    found,
    named,
    saved,
    select,
    volume_of,
)


def test_a_copy_of_a_frame_is_a_mesh_of_its_own(opened: Opened, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing.facts import frames_of

    copy = frames_of(opened["trajectory"])[1].copy()
    opened.container("models").objects.link(copy)
    assert saved(opened, tmp_path).models.geometries[-1].name == copy.name


def test_a_trajectory_that_shows_another_frame_is_saved_at_it(opened: Opened, tmp_path: Path) -> None:
    for frame in (1, 2, 4):
        opened.bpy.context.scene.frame_set(frame)
        film = named(saved(opened, tmp_path), "trajectory")
        assert film.frames is not None
        step = film.frames[frame - 1]
        np.testing.assert_array_equal(film.points, step.mesh.vertices.astype(np.float32))
        np.testing.assert_array_equal(film.model.vertices, step.mesh.vertices)
        assert film.meta["filename"] == step.filename


def test_a_trajectory_whose_shown_frame_was_deleted_shows_another(opened: Opened, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing.facts import frames_of

    steps = frames_of(opened["trajectory"])
    assert opened.bpy.context.scene.frame_current == 3
    opened.bpy.data.objects.remove(steps[2])
    session = saved(opened, tmp_path)
    before, after = named(open_session(NEWEST), "trajectory"), named(session, "trajectory")
    kept = [before.frames[number] for number in (0, 1, 3)]
    assert [frame.filename for frame in after.frames] == [frame.filename for frame in kept]
    np.testing.assert_array_equal(after.points, kept[2].mesh.vertices.astype(np.float32))
    np.testing.assert_array_equal(after.vertex_properties["step"], kept[2].vertex_properties["step"])


def test_an_edit_of_a_frame_is_told(opened: Opened, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing.facts import frames_of

    mesh = frames_of(opened["trajectory"])[1].data
    for move in (5.0, 7.0):  # the second after the first was saved
        mesh.vertices[0].co.x += move
        assert len(opened.unsaved()) == 1
        assert opened.save(tmp_path / "edited.pickle").changes == ["models 'trajectory': frame 1 edited"]
        assert opened.unsaved() == []
    before, after = (named(open_session(path), "trajectory") for path in (NEWEST, tmp_path / "edited.pickle"))
    moved = after.frames[1].mesh.vertices - before.frames[1].mesh.vertices
    np.testing.assert_allclose(moved[0], (12, 0, 0), atol=1e-3)
    assert not moved[1:].any()


def films(bpy: ModuleType, tmp_path: Path) -> Opened:
    """Two trajectories and two volumes, of different shapes."""
    sizes = {"v": (6, 6, 6), "w": (8, 7, 6)}
    volumes = [volume(name, volume=np.random.default_rng(1).random(shape, np.float32)) for name, shape in sizes.items()]
    path = write_session(tmp_path / "films.pickle", volumes, [trajectory("t", 5, 3), trajectory("u", 4, 4)])
    return Opened(bpy, path)


@pytest.mark.parametrize(("active", "other", "what"), [("v", "w", "volume"), ("u", "t", "frames")])
def test_a_copied_modifier_brings_no_data_of_others(
    bpy: ModuleType, tmp_path: Path, active: str, other: str, what: str
) -> None:
    opened = films(bpy, tmp_path)
    select(opened, active)
    opened[other].select_set(True)
    bpy.ops.object.make_links_data(type="MODIFIERS")
    with pytest.raises(MosaicError, match=f"'{other}': .* shows the {what} of that one"):
        opened.save(tmp_path / "edited.pickle")
    bpy.data.objects.remove(opened[other])
    opened.save(tmp_path / "edited.pickle")
    assert found(opened.path, tmp_path / "edited.pickle").keys() == {
        f"{'clusters' if what == 'volume' else 'models'} '{other}'"
    }


def test_vertex_properties_of_frames_are_edited(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing.facts import frames_of

    opened = films(bpy, tmp_path)
    same, other, gone, wider = [step.data.attributes for step in frames_of(opened["u"])]
    other["step"].data[0].value = 70
    gone.remove(gone["step"])
    wider.remove(wider["step"])
    wider.new("step", "FLOAT", "POINT").data.foreach_set("value", [0.5, 1.5, 2.5, 3.5])
    same.new("mine", "FLOAT", "POINT").data.foreach_set("value", [1.0, 2.0, 3.0, 4.0])
    assert opened.unsaved() != []
    assert opened.save(tmp_path / "edited.pickle").changes == [
        "models 'u': frame 0 with mine, frame 2 without step, frame 3 step as float32, frames 1, 2, 3 edited"
    ]
    assert opened.unsaved() == []
    frames = named(open_session(tmp_path / "edited.pickle"), "u").frames
    assert frames is not None
    columns = [{name: values.tolist() for name, values in frame.vertex_properties.items()} for frame in frames]
    assert columns == [
        {"step": [0] * 4, "mine": [1.0, 2.0, 3.0, 4.0]},
        {"step": [70, 1, 1, 1]},
        {},
        {"step": [0.5, 1.5, 2.5, 3.5]},
    ]
    assert found(opened.path, tmp_path / "edited.pickle").keys() == {"models 'u'"}


def test_frames_that_were_not_in_the_session_are_told(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.drawing.facts import frames_of

    opened = films(bpy, tmp_path)
    last = frames_of(opened["t"])[-1]
    copy = last.copy()
    copy.data = last.data.copy()
    copy.data.vertices[0].co.x += 5
    own = bpy.data.objects.new("a frame of mine", bpy.data.meshes.new("Mine"))
    for obj in (copy, own):
        last.users_collection[0].objects.link(obj)
    result = opened.save(tmp_path / "edited.pickle")
    assert [text.split("'")[3] for text in result.warnings] == [own.data.name, copy.data.name]
    assert result.changes == []
    assert found(opened.path, tmp_path / "edited.pickle") == {}
    for step in frames_of(opened["t"]):
        if step != own:
            bpy.data.objects.remove(step)
    with pytest.raises(MosaicError, match="'t': none of its frames"):
        opened.save(tmp_path / "edited.pickle")


@pytest.mark.parametrize(
    ("key", "value"),
    [("isovalue_percentile", value) for value in (0.0, -5.0, 101.0, float("nan"), "high")]
    + [("target_resolution", value) for value in (0.0, float("inf"), "fine", None)],
)
def test_numbers_of_a_volume_that_mosaic_refuses_are_told_and_not_saved(
    opened: Opened, tmp_path: Path, key: str, value: Any
) -> None:
    mesh = volume_of(opened)
    if value is None:
        del mesh[f"mosaic_{key}"]
    else:
        mesh[f"mosaic_{key}"] = value
    saved = opened.save(tmp_path / "edited.pickle")
    assert any("clusters 'volume quat': its " in text and "the file keeps the one" in text for text in saved.warnings)
    assert saved.changes == []
