"""What Mosaic refuses a file over, or dies of, is mended when it is saved, left out by name, or refused: tried with Mosaic."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mosaic_addon.session import MosaicError, open_session
from tests.support.make_sessions import (
    APPEARANCE,
    MISSING,
    cloud,
    mesh,
    properties,
    trajectory,
    triangular_mesh,
    volume,
    write_session,
)
from tests.support.real_mosaic import MosaicDied, RealMosaic
from tests.support.saved_sessions import Opened, differences

NAN, INF = float("nan"), float("inf")
FEW = np.array([[0, 0, 0], [10, 10, 10], [20, 20, 20]], np.float32)


def segmentation(points: Any = FEW, **state: Any) -> Any:
    none = {"representation": MISSING, "normals": MISSING, "quaternions": MISSING}
    return cloud("bad", len(points), "SegmentationGeometry", points=np.asarray(points, np.float32), **none, **state)


def steps(*fits: Any) -> list[dict[str, Any]]:
    return [{"fit": fit, "filename": f"{i}.vtu", "vertex_properties": properties(4, {})} for i, fit in enumerate(fits)]


def faces(*corners: Any) -> Any:
    return triangular_mesh(triangles=np.array(corners, np.int32))


# What is wrong: the object, what is said of it, and whether it is left out.
BAD: dict[str, tuple[Any, str, bool]] = {
    "meta": (cloud("bad", 3, meta=None), "its meta", False),
    "appearance": (cloud("bad", 3, appearance=None), "its appearance", False),
    "colour": (cloud("bad", 3, appearance={**APPEARANCE, "base_color": (1, 0.5, 0, 1)}), "its colour", False),
    "unknown representation": (cloud("bad", 3, representation="nonsense"), "'nonsense'", False),
    "representation": (cloud("bad", 3, representation=None), "no representation", False),
    "points as a volume": (cloud("bad", 3, representation="volume"), "'volume'", False),
    "axes": (cloud("bad", 3, representation="basis"), "shown as axes", False),
    "axes without points": (cloud("bad", 0, representation="basis"), "has no points", False),
    "voxels of no size": (volume("bad", volume_sampling_rate=np.zeros(3)), "its volume", False),
    "voxels of negative size": (volume("bad", volume_sampling_rate=np.full(3, -1.0)), "its volume", False),
    "resolution": (volume("bad", target_resolution=INF), "target resolution", False),
    "faces": (mesh("bad", model=faces([0, 1, 2], [0, 1, 10**6])), "its mesh", False),
    "negative faces": (mesh("bad", model=faces([0, 1, 2], [0, 1, -(10**6)])), "its mesh", False),
    "no vertices": (
        mesh("bad", 0, model=triangular_mesh(vertices=np.zeros((0, 3)), triangles=np.array([[0, 1, 2]]))), "its mesh", False
    ),
    "frames": (trajectory("bad", trajectory=steps(faces([0, 1, 2]), faces([0, 1, 10**6]))), "1 of its frames", False),
    "voxel size": (segmentation(sampling_rate=np.zeros(3)), "its sampling rate", False),
    "no voxels": (segmentation(np.zeros((0, 3))), "without voxels", True),
    "voxels that are not finite": (segmentation([[0, 0, 0], [NAN, 1, 1], [5, 5, 5]]), "not finite", True),
    "voxels far away": (segmentation(FEW + np.float32(1e30)), "further from the origin", True),
    "voxels far apart": (segmentation([[0, 0, 0], [1e6, 1e6, 1e6]]), "more voxels", True),
}  # fmt: skip


def save(bpy: ModuleType, folder: Path, obj: Any) -> tuple[Path, Path, Any]:
    """A session of a bad object and a good one, the same after it was opened and saved, and what was said."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    path = write_session(folder / "bad.pickle", [obj, cloud("good", 3)])
    opened = Opened(bpy, path)
    assert opened.unsaved() == []
    return path, folder / "saved.pickle", opened.save(folder / "saved.pickle")


@pytest.mark.parametrize("name", BAD)
def test_it_is_mended_or_left_out_by_name(bpy: ModuleType, tmp_path: Path, name: str) -> None:
    obj, text, left_out = BAD[name]
    path, target, saved = save(bpy, tmp_path, obj)
    said, quiet = (saved.left_out, saved.warnings) if left_out else (saved.warnings, saved.left_out)
    assert (len(said), quiet, saved.changes) == (1, [], [])
    assert text in said[0]
    assert name == "meta" or "'bad'" in said[0]
    session = open_session(target)
    assert len(session.geometries) == 2 - left_out
    assert [where for where in differences(path, target) if "'good'" in where] == []


def test_mosaic_loads_what_was_mended(bpy: ModuleType, tmp_path: Path, mosaic: RealMosaic) -> None:
    for name, (obj, _, left_out) in BAD.items():
        path, target, _ = save(bpy, tmp_path, obj)
        try:
            refused = mosaic.refusal(path) is not None
        except MosaicDied:
            refused = True
        assert refused or name == "negative faces", name  # beyond the end of memory or not, as chance will have it
        told = mosaic.load(target)
        assert [item["name"] for item in told["geometries"]][-1] == "good", name
        assert len(told["geometries"]) == 2 - left_out
        first = told["geometries"][0]
        may_be_empty = first["class"] == "VolumeGeometry" or not first["points"]
        assert first["drawn"] or may_be_empty, name


def test_what_mosaic_bears_is_left_as_it_is(bpy: ModuleType, tmp_path: Path, mosaic: RealMosaic) -> None:
    bearable = [
        cloud("no mesh", 3, representation="surface"),
        cloud("spelling", 3, representation="PointCloud"),
        cloud("rate", 3, sampling_rate=np.zeros(3)),
        cloud("short", 3, normals=np.zeros((2, 3), np.float32)),
        volume("resolution", target_resolution=-5.0),
        mesh("no faces", model=triangular_mesh(triangles=np.zeros((0, 3), np.int32))),
        mesh(
            "no numbers", points=np.full((4, 3), NAN, np.float32), model=triangular_mesh(vertices=np.full((4, 3), NAN))
        ),
    ]
    path = write_session(tmp_path / "s.pickle", bearable)
    saved = Opened(bpy, path).save(tmp_path / "saved.pickle")
    assert (saved.changes, saved.left_out, saved.warnings) == ([], [], [])
    assert differences(path, tmp_path / "saved.pickle") == []
    assert mosaic.differences(path, tmp_path / "saved.pickle") == []
    mosaic.load(tmp_path / "saved.pickle")


# --- what a user can do to an object ---------------------------------------------------------------------------------


def set_not_finite(obj: Any) -> None:
    obj.data.vertices[0].co = (NAN, 0, 0)


def set_rate(*rate: float) -> Callable[[Any], None]:
    def edit(obj: Any) -> None:
        obj["mosaic_sampling_rate"] = list(rate)

    return edit


def set_text_as_rate(obj: Any) -> None:
    obj["mosaic_sampling_rate"] = "x"


def remove_what_is_shown(obj: Any, key: str) -> None:
    import bpy

    from mosaic_addon.scene.drawing.representations import input_of

    shown = input_of(obj, key)
    bpy.data.batch_remove(shown.objects[:] if key == "Frames" else [shown])


def set_resolution(obj: Any) -> None:
    from mosaic_addon.scene.drawing.surfaces import volume_mesh

    volume_mesh(obj)["mosaic_target_resolution"] = 0.0


REFUSED: dict[str, tuple[Any, Callable[[Any], None], str]] = {
    "a corner that is not finite": (mesh("bad"), set_not_finite, "not finite"),
    "a volume without its modifier": (volume("bad"), lambda obj: obj.modifiers.clear(), "its volume went with its modifier"),
    "no volume": (volume("bad"), lambda obj: remove_what_is_shown(obj, "Surface"), "its volume was deleted; undo"),
    "no frames": (trajectory("bad"), lambda obj: remove_what_is_shown(obj, "Frames"), "its frames were deleted; undo"),
    "frames without their modifier": (trajectory("bad"), lambda obj: obj.modifiers.clear(), "its frames went with its modifier"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_by_name_and_no_file_is_changed(bpy: ModuleType, tmp_path: Path, name: str) -> None:
    obj, edit, text = REFUSED[name]
    opened = Opened(bpy, write_session(tmp_path / "s.pickle", [obj, cloud("good", 3)]))
    edit(opened["bad"])
    old = (tmp_path / "s.pickle").read_bytes()
    (tmp_path / "saved.pickle").write_bytes(old)
    with pytest.raises(MosaicError, match=text) as caught:
        opened.save(tmp_path / "saved.pickle")
    assert "'bad'" in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.pickle", "saved.pickle"]
    assert (tmp_path / "saved.pickle").read_bytes() == old


TOLD: dict[str, tuple[Any, Callable[[Any], None], str]] = {
    "no sampling rate": (cloud("bad", 3), set_rate(0, 0, 0), "its sampling rate is not three positive numbers"),
    "two sampling rates": (cloud("bad", 3), set_rate(1, 2), "its sampling rate is not three positive numbers"),
    "a text as rate": (cloud("bad", 3), set_text_as_rate, "its sampling rate is not three positive numbers"),
    "no resolution": (volume("bad"), set_resolution, "its target resolution is not a positive number"),
}


@pytest.mark.parametrize("name", TOLD)
def test_it_is_told_by_name_and_the_file_keeps_what_it_has(bpy: ModuleType, tmp_path: Path, name: str) -> None:
    obj, edit, text = TOLD[name]
    opened = Opened(bpy, write_session(tmp_path / "s.pickle", [obj, cloud("good", 3)]))
    edit(opened["bad"])
    saved = opened.save(tmp_path / "saved.pickle")
    assert [warning for warning in saved.warnings if "'bad'" in warning and text in warning]
    assert not differences(tmp_path / "s.pickle", tmp_path / "saved.pickle")


def test_a_step_that_was_deleted_is_missing_and_the_others_are_right(bpy: ModuleType, tmp_path: Path) -> None:
    path = write_session(tmp_path / "s.pickle", [], [trajectory("film", 4, 4)])
    opened = Opened(bpy, path)
    from mosaic_addon.scene.drawing.facts import frames_of

    bpy.data.objects.remove(frames_of(opened["film"])[1])
    bpy.context.scene.frame_set(3)
    saved = opened.save(tmp_path / "saved.pickle")
    assert "3 frames instead of 4" in saved.changes[0]
    before, after = (open_session(file).models[0] for file in (path, tmp_path / "saved.pickle"))
    kept = [before.frames[number] for number in (0, 2, 3)]
    assert [frame.filename for frame in after.frames] == [frame.filename for frame in kept]
    for frame, expected in zip(after.frames, kept, strict=True):
        np.testing.assert_array_equal(frame.mesh.vertices, expected.mesh.vertices)
    np.testing.assert_array_equal(after.points, kept[2].mesh.vertices.astype(np.float32))


def test_axes_without_orientations_have_those_of_the_session(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.scene.compat import ModifierInputs

    opened = Opened(bpy, write_session(tmp_path / "s.pickle", [cloud("bare", 3)]))
    modifier = opened["bare"].modifiers["Mosaic"]
    ModifierInputs(modifier.node_group).set(modifier, "Representation", "Basis")
    saved = opened.save(tmp_path / "saved.pickle")
    assert "shown as axes" in saved.warnings[0]
    after = open_session(tmp_path / "saved.pickle").clusters[0]
    assert after.representation == "basis"
    np.testing.assert_array_equal(after.quaternions, np.tile([1, 0, 0, 0], (3, 1)))
