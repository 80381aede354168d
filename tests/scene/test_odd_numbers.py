"""Numbers that Blender has no place for come in as near as can be, and go back into the file as they were."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mosaic_addon.session import open_session
from tests.support.make_sessions import (
    APPEARANCE,
    an_object,
    cloud,
    mesh,
    some_points,
    trajectory,
    volume,
    write_session,
)
from tests.support.saved_sessions import Opened, differences

NUMBERS: dict[str, Any] = {
    "10^30": 10**30,
    "minus 10^30": -(10**30),
    "10^40": 10**40,
    "2^31": 2**31,
    "minus 2^31": -(2**31),
    "2^64": np.uint64(2**64 - 1),
    "10^38": 1e38,
    "the largest of 32 bits": float(np.finfo(np.float32).max),
    "10^300": 1e300,
    "the least of 64 bits": 5e-324,
    "minus 10^-300": -1e-300,
    "10^-40": 1e-40,
    "not a number": float("nan"),
    "infinite": float("-inf"),
    "half": np.float16("inf"),
    "true": True,
    "zero": 0,
    "minus zero": -0.0,
}


def everywhere(number: Any) -> list[Any]:
    """Geometries with this number wherever a file has one."""
    looks = dict.fromkeys(("size", "opacity", "ambient", "diffuse", "specular", "isovalue_percentile"), number)
    colors = {"base_color": (number, 0.5, number), "highlight_color": (number,) * 3}
    appearance = {**APPEARANCE, **looks, **colors, "render_spheres": number}
    three = np.array([0.0 if isinstance(number, int) and abs(number) > 2**70 else number] * 3, np.float64)
    places = some_points(5).astype(np.float64)
    places[2] = three
    models = {
        "Sphere": {"radius": number, "center": three},
        "Ellipsoid": {"radii": three, "center": three, "orientations": np.eye(3)},
        "Cylinder": {"centers": three, "radius": number, "height": number, "orientations": np.eye(3)},
        "RBF": {
            "grid": ((number, 1), (0, number)),
            "direction": "xy",
            "rbf": an_object(
                "scipy.interpolate._rbf.Rbf",
                xi=np.arange(6.0).reshape(2, 3), nodes=np.ones(3), epsilon=number, norm="euclidean", function="linear",
            ),
        },
    }  # fmt: skip
    fits = [cloud(name, 5, model=an_object(f"mosaic.parametrization.{name}", parts)) for name, parts in models.items()]
    rates = {"sampling_rate": [number, 2, number]}
    return [
        cloud("looks", 5, appearance=appearance, visible=number, **rates),
        cloud("basis", 5, appearance=appearance, representation="basis", quaternions=np.tile(three[:1], (5, 4)), **rates),
        cloud("normals", 5, representation="normals", normals=np.tile(three, (5, 1)), sampling_rate=number),
        cloud("places", points=places, meta={"n": number, "list": [number, 1], "deep": {"n": number}}),
        cloud("large", 5, points=places.astype(np.float32), representation="gaussian_density"),
        volume("volume", volume_sampling_rate=[number, 3, 3], appearance=appearance),
        volume("flat", volume_sampling_rate=(2, 2, 2), lower_quantile=number, upper_quantile=number),
        volume("smooth", target_resolution=number),
        mesh("mesh", appearance=appearance),
        trajectory("trajectory", appearance=appearance),
        cloud("voxels", points=np.argwhere(np.ones((3, 3, 3))) * 2.0, cls="SegmentationGeometry", appearance=appearance, **rates),
        *fits,
    ]  # fmt: skip


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@pytest.mark.parametrize("title", NUMBERS)
def test_any_number_comes_in_and_goes_back(bpy: ModuleType, title: str, tmp_path: Path) -> None:
    number = NUMBERS[title]
    path = tmp_path / "odd.pickle"
    shapes = {"metadata": {"shape": (number,) * 3, "physical_shape": (number,) * 3}}
    write_session(path, everywhere(number), protocol=4, **shapes)
    assert len(open_session(path).geometries) + len(open_session(path).clusters.damaged) == 15
    opened, target = Opened(bpy, path), tmp_path / "saved.pickle"
    bpy.context.view_layer.update()
    opened.bpy.context.evaluated_depsgraph_get().update()
    assert opened.unsaved() == []
    saved = opened.save(target)
    told = [text for text in differences(path, target) if "tree" not in text]
    mended = {text.partition(":")[0] for text in (*saved.warnings, *saved.left_out)}
    assert [text for text in told if text.partition(":")[0] not in mended] == []
