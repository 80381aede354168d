"""The extent and the spacing of points, and the size of a pixel in Mosaic's first view of them."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Mosaic frames a session in a view of 30 degrees; its 3D view is some 900 pixels high on a common screen.
VIEW_ANGLE = np.radians(30.0)
VIEW_HEIGHT = 900
BLOCK = 131_072  # points that stay in the processor's cache between the search for the lowest and the highest
CHUNK = 256  # points side by side in one row, so that numpy reduces whole cache lines
SAMPLES, NEAR = 3, 128  # places at which points are looked at for their spacing, and how many there


def extent(clouds: Iterable[NDArray[Any]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lower and upper corner, (3,) each, of the finite points of all clouds; zeros where there are none.

    clouds: (n, 3) each.
    """
    lows: list[NDArray[Any]] = []
    highs: list[NDArray[Any]] = []
    small: list[NDArray[Any]] = []
    waiting = 0
    for points in clouds:
        if len(points) > BLOCK:
            for start in range(0, len(points), BLOCK):
                _reduce(points[start : start + BLOCK], lows, highs)
        elif len(points):
            small.append(points)
            waiting += len(points)
        if waiting > 1_000_000:
            _reduce(np.concatenate(small), lows, highs)
            small, waiting = [], 0
    if small:
        _reduce(np.concatenate(small), lows, highs)
    if not lows:
        return np.zeros(3), np.zeros(3)
    return np.min(lows, axis=0).astype(np.float64), np.max(highs, axis=0).astype(np.float64)


def _reduce(points: NDArray[Any], lows: list[NDArray[Any]], highs: list[NDArray[Any]]) -> None:
    """Append the corners, (3,) each, of the finite ones of points, (n, 3), to two lists; nothing where none is."""
    whole = len(points) // CHUNK * CHUNK
    parts = [points[:whole].reshape(-1, CHUNK * 3), points[whole:].reshape(-1, 3)]
    low = np.min([part.min(axis=0).reshape(-1, 3).min(axis=0) for part in parts if len(part)], axis=0)
    high = np.max([part.max(axis=0).reshape(-1, 3).max(axis=0) for part in parts if len(part)], axis=0)
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        points = points[np.isfinite(points).all(axis=1)]
        if not len(points):
            return
        low, high = points.min(axis=0), points.max(axis=0)
    lows.append(low)
    highs.append(high)


def first_pixel_size(lower: NDArray[np.float64], upper: NDArray[np.float64]) -> float:
    """Return the angstrom per pixel of Mosaic's first view of an extent.

    VTK's vtkRenderer::ResetCamera, which Mosaic calls, fits the sphere around the extent into the view angle. lower,
    upper: its corners, (3,) each, in angstrom.
    """
    radius = float(np.linalg.norm(upper - lower)) / 2 or 0.5
    distance = radius / np.sin(VIEW_ANGLE / 2)
    return float(2 * distance * np.tan(VIEW_ANGLE / 2) / VIEW_HEIGHT)


def spacing(points: NDArray[Any], voxel: float) -> float:
    """Return how far points, (n, 3), are from their nearest neighbours: the median near a few of them.

    voxel: its size; points that are that close to those beside them in the array have their neighbours there, as those
    of a segmentation do. Others are compared with all points. Returns infinity where no two points are apart.
    """
    count = len(points)
    found = []
    for number in range(SAMPLES):
        place = (2 * number + 1) * count // (2 * SAMPLES)
        first = max(min(place - NEAR // 2, count - NEAR), 0)
        distance = _nearest(points[first : first + NEAR])
        if distance > 1.5 * voxel and count > NEAR:
            away = np.abs(points[:, 0] - points[place, 0])
            for axis in (1, 2):
                np.maximum(away, np.abs(points[:, axis] - points[place, axis]), out=away)
            distance = _nearest(points[np.argpartition(away, NEAR)[:NEAR]])
        found.append(distance)
    return float(np.median(found))


def _nearest(points: NDArray[Any]) -> float:
    """The median of how far each of points, (n, 3), is from the nearest one elsewhere; infinity where none is."""
    points = points[np.isfinite(points).all(axis=1)].astype(np.float64)
    squares = ((points[:, None] - points[None]) ** 2).sum(axis=-1)
    squares[squares == 0] = np.inf
    return float(np.sqrt(np.median(squares.min(axis=1)))) if len(points) else np.inf
