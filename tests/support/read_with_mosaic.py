"""Run by a real Mosaic's Python: what it has of tomograms, one answer a line.

    python read_with_mosaic.py FOLDER NAME...

For each file of the folder: what `load_density` gives of it, and what the volume viewer draws. Their values are written
beside it, as NAME.density.npy along x, y, z, and NAME.viewer.npy along z, y, x.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from mosaic.formats.parser import load_density
from mosaic.widgets.volume_viewer import _load_density_image, _load_vtk_image
from vtk.util.numpy_support import vtk_to_numpy


def density(path: Path) -> dict[str, Any] | None:
    try:
        loaded = load_density(str(path))
    except Exception:
        return None
    np.save(path.with_name(path.name + ".density.npy"), np.asarray(loaded.data))
    return {"sampling": np.asarray(loaded.sampling_rate, float).tolist(), "origin": [float(v) for v in loaded.origin]}


def viewer(path: Path) -> dict[str, Any] | None:
    try:
        image = _load_vtk_image(str(path)) or _load_density_image(str(path))
    except Exception:
        return None
    values = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])
    np.save(path.with_name(path.name + ".viewer.npy"), values)
    return {"sampling": image.GetSpacing(), "origin": image.GetOrigin()}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    out, sys.stdout = sys.stdout, sys.stderr
    folder, *names = sys.argv[1:]
    for name in names:
        answer = {"density": density(Path(folder, name)), "viewer": viewer(Path(folder, name))}
        print(json.dumps(answer), file=out)
