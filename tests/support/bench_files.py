"""The files of the benchmark, which all lie in FOLDER."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from tests.support import make_sessions as make

FOLDER = Path(tempfile.mkdtemp(prefix="mosaic-bench-"))
SHELLS, CLUSTERS, SMALL = 4, 8, 48  # of a session like that of a tomogram


def columns(n: int) -> dict[str, Any]:
    random = np.random.default_rng(n)
    vectors = random.standard_normal((n, 7), np.float32)
    normals, quaternions = vectors[:, :3], vectors[:, 3:]
    return {
        "points": random.random((n, 3), np.float32) * np.float32(1000),
        "normals": normals / np.linalg.norm(normals, axis=1, keepdims=True),
        "quaternions": quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True),
        "vertex_properties": make.properties(n, {"curvature": random.random(n, np.float32)}),
    }


def points_file(n: int) -> Path:
    path = FOLDER / f"points{n}.pickle"
    return path if path.exists() else make.write_session(path, [make.cloud("cloud", n, **columns(n))])


def objects_file(count: int, points: int = 200, distinct: bool = False) -> Path:
    """Small objects, of equal looks or of a base colour each."""
    path = FOLDER / f"objects{count}{'distinct' if distinct else ''}.pickle"
    if path.exists():
        return path
    clouds = []
    for number in range(count):
        look = dict(make.APPEARANCE)
        if distinct:
            look["base_color"] = (number % 251 / 250, number // 251 % 251 / 250, 0.5)
        clouds.append(make.cloud(f"cluster {number:05d}", points, appearance=look, **columns(points)))
    return make.write_session(path, clouds)


def grid(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A wavy sheet of n triangles: vertices, normals, triangles."""
    side = int(np.sqrt(n / 2)) + 1
    x, y = np.meshgrid(np.arange(side, dtype=np.float32), np.arange(side, dtype=np.float32), indexing="ij")
    vertices = np.stack([x, y, 10 * np.sin(x / 20) * np.cos(y / 20)], axis=-1).reshape(-1, 3)
    slope = np.stack(
        [-np.cos(x / 20) * np.cos(y / 20) / 2, np.sin(x / 20) * np.sin(y / 20) / 2, np.ones_like(x)], axis=-1
    )
    normals = (slope / np.linalg.norm(slope, axis=-1, keepdims=True)).reshape(-1, 3).astype(np.float32)
    corner = (np.arange(side - 1)[:, None] * side + np.arange(side - 1)).reshape(-1, 1)
    triangles = np.concatenate([corner + np.array([0, side, 1]), corner + np.array([1, side, side + 1])])
    return vertices.astype(np.float32), normals, triangles.astype(np.int32)


def triangles_file(n: int) -> Path:
    vertices, normals, triangles = grid(n)
    model = make.an_object(
        "mosaic.parametrization.TriangularMesh", vertices=vertices.astype(np.float64), triangles=triangles
    )
    mesh = make.mesh("mesh", len(vertices), points=vertices, normals=normals, model=model)
    return make.write_session(FOLDER / f"triangles{n}.pickle", models=[mesh])


def ply_file(name: str, table: np.ndarray, names: list[str], triangles: np.ndarray | None = None) -> Path:
    """A binary PLY of float columns."""
    lines = ["ply", "format binary_little_endian 1.0", f"element vertex {len(table)}"]
    lines += [f"property float {column}" for column in names]
    if triangles is not None:
        lines += [f"element face {len(triangles)}", "property list uchar int vertex_indices"]
    path = FOLDER / name
    with open(path, "wb") as file:
        file.write(("\n".join([*lines, "end_header"]) + "\n").encode())
        file.write(np.ascontiguousarray(table, np.float32).tobytes())
        if triangles is not None:
            faces = np.empty(len(triangles), [("count", "u1"), ("corners", "<i4", 3)])
            faces["count"], faces["corners"] = 3, triangles
            file.write(faces.tobytes())
    return path


def trajectory_file(count: int, vertices: int) -> Path:
    """A film of a wavy sheet, each step with a vertex property."""
    points, normals, triangles = grid(2 * vertices)
    steps = []
    for number in range(count):
        moved = points + np.float32([0, 0, number])
        fit = make.an_object(
            "mosaic.parametrization.TriangularMesh", vertices=moved, triangles=triangles, vertex_normals=normals
        )
        values = make.properties(len(points), {"curvature": normals[:, 0]})
        steps.append({"fit": fit, "filename": f"{number}.vtu", "vertex_properties": values})
    film = make.trajectory("film", len(points), points=points, model=steps[0]["fit"], trajectory=steps)
    return make.write_session(FOLDER / f"frames{count}.pickle", models=[film])


def tomogram_file() -> Path:
    """A session of some 100 MB: segmentations and clusters of about a million voxels each, and many small clusters."""
    path = FOLDER / "tomogram.pickle"
    rate = np.full(3, 6.8, np.float32)
    state = {"cls": "SegmentationGeometry", "representation": "segmentation", "sampling_rate": rate}
    items = []
    for number in range(SHELLS + CLUSTERS):
        voxels = shell(110 + 2 * number)
        voxels[:, 0] += 300 * number
        points = (voxels * 6.8).astype(np.float32)
        items.append(make.cloud(f"shell {number}", points=points, **(state if number < SHELLS else {})))
    small = [make.cloud(f"small {number}", 3000) for number in range(SMALL)]
    return make.write_session(path, [*items, *small])


def shell(radius: int) -> np.ndarray:
    """The voxels of a hollow ball, five voxels thick: indices, (n, 3)."""
    axis = np.arange(-radius - 3, radius + 4) ** 2
    squares = axis[:, None, None] + axis[:, None] + axis
    return np.argwhere((squares >= (radius - 2.5) ** 2) & (squares <= (radius + 2.5) ** 2))
