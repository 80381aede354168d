"""Small tomograms, written by the package mrcfile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mrcfile
import numpy as np


def write_mrc(path: Path, data: np.ndarray, voxel: Any = 6.8) -> Path:
    """An MRC file of values (z, y, x)."""
    with mrcfile.new(path, overwrite=True) as file:
        file.set_data(data)
        file.voxel_size = voxel
    return path
