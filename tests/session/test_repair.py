"""What Mosaic refuses a whole file over, or dies of, is mended in a geometry's node, or told; what it bears stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mosaic_addon.session.node_diff import SideBySide
from mosaic_addon.session.nodes import ObjectNode, Stored
from mosaic_addon.session.pickle_reader import read_pickle
from mosaic_addon.session.releases import COLABSEG, FROM_1_0_11, NEWEST, Spelling
from mosaic_addon.session.repair import crashes_mosaic, repair, trouble
from tests.support.make_sessions import (
    APPEARANCE,
    MISSING,
    an_object,
    cloud,
    dumps,
    mesh,
    properties,
    trajectory,
    triangular_mesh,
    volume,
)

INF = float("inf")
QUATERNIONS = Stored("quaternions", "<f4")
NONE = {"representation": MISSING, "normals": MISSING, "quaternions": MISSING}


def node_of(geometry: Any) -> ObjectNode:
    return read_pickle(dumps(geometry))


def differences(node: ObjectNode, geometry: Any) -> list[Any]:
    return list(SideBySide().differences(node_of(geometry), node))


def mend(node: ObjectNode, spelling: Spelling = NEWEST, **known: Any) -> list[str]:
    spacing = [10.0, 10.0, 10.0] if node.cls.name == "VolumeGeometry" else None
    usual = {"name": "bad", "count": 3, "frames": 0, "spacing": spacing, "quaternions": QUATERNIONS}
    return repair(node, spelling, **{**usual, **known})


def repaired(geometry: Any, spelling: Spelling = NEWEST, **known: Any) -> tuple[ObjectNode, list[str]]:
    node = node_of(geometry)
    return node, mend(node, spelling, **known)


def segmentation(**state: Any) -> Any:
    return cloud("bad", 3, "SegmentationGeometry", **NONE, **state)


def faces(*corners: Any) -> Any:
    return triangular_mesh(triangles=np.array(corners, np.int32))


def steps(*fits: Any) -> list[dict[str, Any]]:
    return [{"fit": fit, "filename": f"{i}.vtu", "vertex_properties": properties(4, {})} for i, fit in enumerate(fits)]


def entry(*path: str) -> Callable[[ObjectNode], Any]:
    def look(node: ObjectNode) -> Any:
        value: Any = node
        for key in path:
            value = (value.fields() if type(value) is ObjectNode else value.as_dict())[key]
        return value.tolist() if isinstance(value, np.ndarray) else value

    return look


# The geometry, where to look, what must be there, and what is said.
MENDED: dict[str, tuple[Any, Callable[[ObjectNode], Any], Any, str]] = {
    "no meta": (cloud(meta=None), entry("meta", "name"), "bad", "its meta"),
    "no appearance": (cloud(appearance=[]), entry("appearance", "base_color"), (0.7, 0.7, 0.7), "its appearance"),
    "four numbers of a colour": (
        cloud(appearance={**APPEARANCE, "base_color": (1, 0.5, 0, 1)}), entry("appearance", "base_color"), (1, 0.5, 0), "its colour"
    ),
    "size": (cloud(appearance={**APPEARANCE, "size": np.zeros(24, np.uint8)}), lambda node: node.fields()["appearance"].as_dict().get("size"), None, "its size, which is no number"),
    "colour of text": (cloud(appearance={**APPEARANCE, "base_color": "red"}), lambda node: node.fields()["appearance"].as_dict().get("base_color"), None, "is no colour"),
    "quaternions": (cloud(quaternions=np.zeros((2, 4))), entry("quaternions"), None, "its quaternions"),
    "normals of text": (cloud(normals=np.array([["a", "b", "c"]] * 3)), entry("normals"), None, "its normals"),
    "voxels of two sizes": (volume(volume_sampling_rate=np.ones(2)), entry("volume_sampling_rate"), [10, 10, 10], "its volume"),
    "vertices that are none": (mesh(model=triangular_mesh(vertices=np.array([None], object))), entry("model"), None, "its mesh"),
    "a sheet of nothing": (
        cloud(model=an_object("mosaic.parametrization.RBF", rbf=an_object("scipy.interpolate._rbf.Rbf", xi=np.ones((2, 3), complex), nodes=np.ones(3)))),
        entry("model"), None, "its fit",
    ),
    "unknown representation": (cloud(representation="nonsense"), entry("representation"), "pointcloud", "'nonsense'"),
    "no representation": (cloud(representation=None), entry("representation"), "pointcloud", "no representation"),
    "points as a volume": (cloud(representation="volume"), entry("representation"), "pointcloud", "'volume'"),
    "a volume as nothing": (volume(representation="x"), entry("representation"), "volume", "'x'"),
    "axes": (cloud(representation="basis"), entry("quaternions"), QUATERNIONS, "shown as axes"),
    "voxels of no size": (
        volume(volume_sampling_rate=np.zeros(3)), entry("volume_sampling_rate"), [10, 10, 10], "its volume"
    ),
    "resolution": (volume(target_resolution=INF), entry("target_resolution"), 10.0, "target resolution"),
    "faces": (mesh(model=faces([0, 1, 2], [0, 1, 4])), entry("model"), None, "its mesh"),
    "negative faces": (mesh(model=faces([0, 1, -1])), entry("representation"), "pointcloud", "its mesh"),
    "a fit in the meta": (
        cloud(model=MISSING, meta={"fit": faces([0, 1, 4])}), lambda node: "fit" in node.fields()["meta"].as_dict(), False, "its mesh"
    ),
    "frames": (
        trajectory(trajectory=steps(faces([0, 1, 2]), faces([0, 1, 9]))), lambda node: len(node.fields()["trajectory"]), 1,
        "1 of its frames",
    ),
    "voxel size": (
        segmentation(sampling_rate=np.array([-5.0, 0, -5])), entry("sampling_rate"), [5, 5, 5],
        "its sampling rate was not positive, so 5 angstrom is written",
    ),
    "voxel size of nothing": (segmentation(sampling_rate=np.zeros(3)), entry("sampling_rate"), [1, 1, 1], "its sampling rate"),
    "voxel size of what is none": (
        segmentation(sampling_rate=np.array([4.0, np.nan, 6])), entry("sampling_rate"), [4, 5, 6], "4, 5 and 6 angstrom are written"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MENDED)
def test_it_is_mended_and_told_once(name: str) -> None:
    geometry, look, expected, text = MENDED[name]
    node, said = repaired(geometry, FROM_1_0_11 if "meta" in name else NEWEST)
    assert look(node) == expected
    assert len(said) == 1
    assert text in said[0]
    assert mend(node) == []


def test_axes_without_points_are_shown_as_points() -> None:
    node, said = repaired(cloud(n=0, representation="basis"), count=0)
    assert node.fields()["representation"] == "pointcloud"
    assert "no points" in said[0]


@pytest.mark.parametrize(
    "geometry",
    [
        cloud("usual"),
        cloud("old name", representation="pointcloud_normals"),
        cloud("spelling", representation="PointCloud"),
        cloud("no mesh", representation="surface"),
        cloud("rate", sampling_rate=np.zeros(3)),
        cloud("axes", representation="basis", normals=np.zeros((3, 3), np.float32)),
        volume(),
        volume("negative", target_resolution=-5.0),
        volume("mirrored", volume_sampling_rate=np.array([10.0, 10, -10])),
        volume("flat", volume_sampling_rate=np.array([10.0, 10, 0])),
        volume("none", volume_sampling_rate=np.array([10.0, 10, np.nan])),
        segmentation(sampling_rate=np.array([0.0, 5, 5])),
        segmentation(sampling_rate=np.array([-5.0, -5, -5])),
        mesh(),
        mesh("no faces", model=triangular_mesh(triangles=np.zeros((0, 3), np.int32))),
        trajectory(),
        trajectory("all damaged", trajectory=steps(faces([0, 1, 9]), faces([0, 1, 9]))),
        segmentation(),
    ],
    ids=lambda geometry: geometry.meta["name"],
)
def test_what_mosaic_bears_is_left_as_it_is(geometry: Any) -> None:
    node, said = repaired(geometry)
    assert said == []
    assert differences(node, geometry) == []


def test_the_first_releases_have_no_representation_to_mend() -> None:
    geometry = cloud(representation=MISSING)
    node, said = repaired(geometry, COLABSEG)
    assert said == differences(node, geometry) == []


def test_steps_that_were_checked_when_they_were_read_are_not_looked_at() -> None:
    damaged = trajectory(trajectory=steps(faces([0, 1, 2]), faces([0, 1, 9])))
    assert repaired(damaged, frames=2)[1] == []


# --- what cannot be mended -------------------------------------------------------------------------------------------

FEW = np.array([[0, 0, 0], [10, 10, 10], [20, 20, 20]], np.float32)


@pytest.mark.parametrize(
    ("points", "text"),
    [
        (FEW, None),
        (FEW[:0], "without voxels"),
        ([[0, 0, 0], [np.nan, 1, 1]], "not finite"),
        ([[0, 0, 0], [INF, 1, 1]], "not finite"),
        (FEW + np.float32(1e30), "further from the origin"),
        ([[0, 0, 0], [1e6, 1e6, 1e6]], "more voxels"),
        ([[0, 0, 0], [1e6, 10, 10]], None),
    ],
)
def test_the_voxels_that_mosaic_can_number(points: Any, text: str | None) -> None:
    why = trouble(node_of(segmentation()), lambda: np.asarray(points, np.float32), None)
    assert why is None if text is None else text in why


def test_a_large_segmentation_is_drawn_on_a_coarser_grid() -> None:
    corners = np.zeros((4_000_001, 3), np.float32)
    corners[0] = 9500  # (9500 / 6.8)**3 voxels are too many, in steps of two they are not
    node = node_of(segmentation())
    assert trouble(node, lambda: corners, None) is None
    assert "more voxels" in str(trouble(node, lambda: corners[:100], None))


def test_an_empty_volume_and_none_else() -> None:
    def points() -> Any:
        raise AssertionError("are not needed")

    assert "empty volume" in str(trouble(node_of(volume()), points, [4, 0, 6]))
    assert trouble(node_of(volume()), points, [4, 5, 6]) is None
    assert trouble(node_of(cloud()), points, None) is None


def test_what_ends_mosaic_is_found_wherever_it_is() -> None:
    assert not crashes_mosaic(node_of([mesh(), {"a": (triangular_mesh(),)}]))
    assert crashes_mosaic(node_of([{"a": (triangular_mesh(triangles=np.array([[0, 1, 4]])),)}]))
    assert crashes_mosaic(node_of(an_object("x.Y", vertices=np.zeros((3, 3)), triangles=np.zeros((1, 3)))))
    node = node_of(cloud())
    node.fields()["points"].values, node.fields()["points"].trouble = None, "its shape and its bytes do not fit"
    assert crashes_mosaic(node)
    node.fields()["points"].kept = True
    assert not crashes_mosaic(node)
    loop: list[Any] = [node]
    loop.append(loop)
    assert not crashes_mosaic(loop)
