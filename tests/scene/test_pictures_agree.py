"""Our flat pictures beside those of the real Mosaic, from one camera: the same pixels covered, in the same colour."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.make_sessions import cloud, mesh, triangular_mesh, write_session

ROOT = Path(__file__).resolve().parents[2]
SOLID, FINE = 0.95, 0.85  # least overlap of what is solid, and of points, arrows and lines
EACH = 0.9  # least overlap of what is seen of an object among others
LINES = ("Outline",)  # a wireframe
COLOR = 3.0  # largest difference of the mean colour, of 255
# Gaussian Density is left out: on white, Mosaic draws nothing of it that one could see.
MOSAIC_132 = {
    "plain cloud": FINE,
    "oriented, coloured, props": FINE,  # flat, and translucent
    "normals": FINE,
    "basis": FINE,
    "volume quat": SOLID,  # translucent
    "segmentation": SOLID,  # translucent
    "Ellipsoid": FINE,
    "TriangularMesh surface": SOLID,  # translucent
    "TriangularMesh mesh": SOLID,
    "TriangularMesh wireframe": FINE,
    "mesh shown as points": FINE,
    "trajectory": SOLID,
}

# In a process of its own, since a bpy module that has rendered may hang at its exit.
COMPARE = """
import dataclasses, json, os, sys
sys.path.insert(0, sys.argv[1])
from tests.support.compare_pictures import main
found = main(sys.argv[3:])
with open(sys.argv[2], "w") as file:
    json.dump([dataclasses.asdict(agreement) for agreement in found], file)
sys.stdout.flush()
os._exit(0)
"""


def compared(folder: Path, *arguments: str | Path) -> dict[str, dict[str, Any]]:
    answer = folder / "answer.json"
    command = [sys.executable, "-c", COMPARE, ROOT, answer, *arguments]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return {found["name"]: found for found in json.loads(answer.read_text())}


def check(found: dict[str, dict[str, Any]], least: dict[str, float], pictures: Path) -> None:
    assert set(found) == set(least)
    bad = [
        f"{name}: overlap {found[name]['overlap']:.3f} (>= {overlap}), colour {found[name]['color']:.1f} (<= {COLOR})"
        for name, overlap in least.items()
        if found[name]["overlap"] < overlap or found[name]["color"] > COLOR
    ]
    assert not bad, f"see {pictures}: {'; '.join(bad)}"


@pytest.mark.usefixtures("mosaic_python")
def test_each_representation_looks_as_in_mosaic(sessions: Path, tmp_path: Path) -> None:
    found = compared(tmp_path, sessions / "mosaic-1.3.2.pickle", tmp_path, *MOSAIC_132)
    check(found, MOSAIC_132, tmp_path)


def check_objects(found: dict[str, Any], pictures: Path) -> None:
    """Of pictures of whole sessions: each object where it is seen."""
    bad = []
    for name, each in found.items():
        least = {seen: FINE if seen in LINES else EACH for seen in each["objects"]}
        bad += [f"{name}, {seen}: {each['objects'][seen]:.3f}" for seen in least if each["objects"][seen] < least[seen]]
    assert not bad, f"see {pictures}: {'; '.join(bad)}"


@pytest.mark.usefixtures("mosaic_python")
def test_the_example_session_as_a_whole_looks_as_in_mosaic(tmp_path: Path) -> None:
    session = ROOT / "docs" / "examples" / "virion.pickle"
    found = compared(tmp_path, session, tmp_path, "HA", "--whole", "--zoom", "1", "3")
    wholes = {f"all, zoom {zoom}": SOLID for zoom in (1, 3)}
    check(found, {"HA": SOLID, **wholes}, tmp_path)
    assert all(len(found[name]["objects"]) > 10 for name in wholes)
    check_objects({name: found[name] for name in wholes}, tmp_path)


@pytest.mark.usefixtures("mosaic_python")
def test_points_reach_through_a_surface_as_far_as_in_mosaic(tmp_path: Path) -> None:
    depths = np.arange(-100.0, 101.0, 50.0)  # of points with a radius of some 250
    points = [
        cloud(f"at {z:g}", points=np.array([[600 * i - 1200, 0, z]], np.float32), appearance={"size": 45})
        for i, z in enumerate(depths)
    ]
    corners = np.array([[-3000, -3000, 0], [3000, -3000, 0], [3000, 3000, 0], [-3000, 3000, 0]], np.float64)
    square = triangular_mesh(4, vertices=corners, triangles=np.array([[0, 1, 2], [0, 2, 3]], np.int32))
    surface = mesh("surface", 4, points=corners.astype(np.float32), model=square, representation="surface")
    found = compared(tmp_path, write_session(tmp_path / "s.pickle", points, [surface]), tmp_path, "--whole")
    assert len(found["all"]["objects"]) == len(depths) + 1
    check_objects(found, tmp_path)
