"""What holds for a closed mesh, for the tests of all that makes one."""

import numpy as np

from mosaic_addon.scene.shapes.isosurface import Surface


def edges(mesh: Surface) -> tuple[np.ndarray, np.ndarray]:
    """The triangles' directed edges and their reverses, as sorted numbers."""
    a, b = mesh.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2).astype(np.int64).T
    return np.sort(a * len(mesh.vertices) + b), np.sort(b * len(mesh.vertices) + a)


def is_closed(mesh: Surface) -> bool:
    """Every edge belongs to exactly two triangles, which run along it in opposite directions."""
    forward, backward = edges(mesh)
    return len(forward) > 0 and bool((np.diff(forward) > 0).all()) and np.array_equal(forward, backward)


def signed_volume(mesh: Surface) -> float:
    """Positive where the triangles of a closed mesh face outwards."""
    a, b, c = mesh.vertices.astype(np.float64)[mesh.triangles].transpose(1, 0, 2)
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)
