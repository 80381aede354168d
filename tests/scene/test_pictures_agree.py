"""Our flat pictures beside those of the real Mosaic, from one camera: the same pixels covered, in the same colour."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOLID, FINE = 0.95, 0.85  # least overlap of what is solid, and of points, arrows and lines
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


def compared(folder: Path, *arguments: str | Path) -> dict[str, dict[str, float]]:
    answer = folder / "answer.json"
    command = [sys.executable, "-c", COMPARE, ROOT, answer, *arguments]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return {found["name"]: found for found in json.loads(answer.read_text())}


def check(found: dict[str, dict[str, float]], least: dict[str, float], pictures: Path) -> None:
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


@pytest.mark.usefixtures("mosaic_python")
def test_the_example_session_as_a_whole_looks_as_in_mosaic(tmp_path: Path) -> None:
    found = compared(tmp_path, ROOT / "docs" / "examples" / "virion.pickle", tmp_path, "HA", "--whole")
    check(found, {"HA": SOLID, "all": SOLID}, tmp_path)
