"""A session as typed Python objects: what the scene is built from.

Coordinates are angstrom, quaternions scalar-first (w, x, y, z). Arrays are read-only views of what was read where it holds them
as they are. Each object keeps the `node` it was read from, so that a writer can put back what is not modelled here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .file import Section
from .nodes import Node

Color: TypeAlias = tuple[float, float, float]
HIGHLIGHT_COLORS: dict[str, Color] = {"clusters": (0.8, 0.2, 0.2), "models": (0.2, 0.4, 0.8)}  # by container

POINT_REPRESENTATIONS = ("pointcloud", "gaussian_density", "normals", "basis")
MESH_REPRESENTATIONS = ("surface", "mesh", "wireframe")
REPRESENTATIONS = (*POINT_REPRESENTATIONS, *MESH_REPRESENTATIONS, "volume", "segmentation")
DEFAULT_RESOLUTION = 10.0  # angstrom; what Mosaic takes for volumes whose file says none


@dataclass(slots=True)
class Appearance:
    """Colours and numbers of a geometry, with Mosaic's defaults for what the file leaves out.

    size: of a point, in screen pixels. Colours: RGB 0-1, display (sRGB) values. ambient, diffuse, specular: Phong weights.
    isovalue_percentile: 0-100 of the raw volume; None where Mosaic chooses. `extra` are keys that Mosaic's dialog leaves
    behind and nothing here uses.
    """

    size: float = 8
    opacity: float = 1.0
    render_spheres: bool = True
    ambient: float = 0.3
    diffuse: float = 0.7
    specular: float = 0.2
    base_color: Color = (0.7, 0.7, 0.7)
    highlight_color: Color = (0.8, 0.2, 0.2)
    isovalue_percentile: float | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Mesh:
    """A triangle mesh: vertices (n, 3), triangles (m, 3) int32 within range, vertex_normals and vertex_colors (n, 3)."""

    class_name: str
    vertices: NDArray[Any]
    triangles: NDArray[np.int32]
    vertex_normals: NDArray[Any] | None = None
    vertex_colors: NDArray[Any] | None = None


@dataclass(slots=True)
class Sphere:
    """radius in angstrom, center (3,)."""

    class_name: str
    radius: float
    center: NDArray[np.float64]


@dataclass(slots=True)
class Ellipsoid:
    """radii (3,), center (3,), orientations (3, 3) whose columns are the axes."""

    class_name: str
    radii: NDArray[np.float64]
    center: NDArray[np.float64]
    orientations: NDArray[np.float64]


@dataclass(slots=True)
class Cylinder:
    """centers (3,), orientations (3, 3) whose column 2 is the axis, radius and height in angstrom."""

    class_name: str
    centers: NDArray[np.float64]
    orientations: NDArray[np.float64]
    radius: float
    height: float


@dataclass(slots=True)
class RBF:
    """A sheet: scipy's Rbf over a grid.

    xi: (d, n) the sites, nodes: (n,) the weights, epsilon: the kernel's width, function: the kernel's name, grid: ((lo, hi),
    (lo, hi)), direction: which axes are swapped ("xy", "xz", "yz").
    """

    class_name: str
    xi: NDArray[np.float64]
    nodes: NDArray[np.float64]
    epsilon: float
    function: str
    grid: NDArray[np.float64]
    direction: str


@dataclass(slots=True)
class Spline:
    """One coordinate of a curve: a B-spline (knots, coefficients, degree) or a cubic (breakpoints, coefficients (4, n))."""

    kind: Literal["bspline", "cubic"]
    knots: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    degree: int


@dataclass(slots=True)
class SplineCurve:
    """positions (n, 3) that were fitted, and the three splines of x, y and z."""

    class_name: str
    positions: NDArray[Any]
    splines: tuple[Spline, Spline, Spline]


@dataclass(slots=True)
class UnknownModel:
    """A fit that is not understood: named, drawn as its points, kept for saving."""

    class_name: str


Model: TypeAlias = Mesh | Sphere | Ellipsoid | Cylinder | RBF | SplineCurve | UnknownModel


@dataclass(slots=True)
class Volume:
    """values (x, y, z), sampling_rate (3,) angstrom a voxel, quantiles as fractions, target_resolution in angstrom."""

    values: NDArray[Any]
    sampling_rate: NDArray[np.float64]
    lower_quantile: float | None = None
    upper_quantile: float | None = None
    target_resolution: float | None = None


@dataclass(slots=True)
class Frame:
    """One step of a trajectory. index: its place in the file's list."""

    index: int
    mesh: Mesh
    filename: str
    vertex_properties: dict[str, NDArray[Any]]


@dataclass(slots=True)
class Geometry:
    """One object of a session.

    class_name is the bare name of Mosaic's class; `kind` says how it is shown. points (n, 3), normals (n, 3) and
    quaternions (n, 4) or None, sampling_rate (3,) angstrom, each vertex property one row per point. Lengths agree, and
    faces lie in range: what did not hold was left out with a warning.
    """

    node: Node
    container: Literal["clusters", "models"]
    index: int
    class_name: str
    name: str
    uuid: str | None
    points: NDArray[Any]
    normals: NDArray[Any] | None
    quaternions: NDArray[Any] | None
    sampling_rate: NDArray[np.float64]
    visible: bool
    representation: str
    appearance: Appearance
    vertex_properties: dict[str, NDArray[Any]]
    meta: dict[str, Any]
    model: Model | None = None
    volume: Volume | None = None
    frames: list[Frame] | None = None

    @property
    def kind(self) -> str:
        """What it is to a user: "trajectory", "volume", "segmentation", "mesh", "parametric" or "cluster"."""
        if self.frames is not None:
            return "trajectory"
        if self.volume is not None:
            return "volume"
        if self.class_name == "SegmentationGeometry":
            return "segmentation"
        if isinstance(self.model, Mesh):
            return "mesh"
        return "cluster" if self.model is None else "parametric"


@dataclass(slots=True)
class Damaged:
    """A geometry that could not be read: why, and the node to write it back from."""

    node: Node
    index: int
    name: str
    trouble: str


@dataclass(slots=True)
class Group:
    """A named set of geometries in one container."""

    uuid: str
    name: str
    geometries: list[Geometry]


@dataclass(slots=True)
class Container:
    """Clusters (`_data`) or models (`_models`).

    geometries: in the file's order. items: the same, groups included, in the order that Mosaic's browser shows.
    """

    name: Literal["clusters", "models"]
    node: Node = None
    geometries: list[Geometry] = field(default_factory=list)
    items: list[Geometry | Group] = field(default_factory=list)
    damaged: list[Damaged] = field(default_factory=list)
    base_color: Color = (0.7, 0.7, 0.7)
    highlight_color: Color = (0.8, 0.2, 0.2)

    @property
    def data(self) -> list[Geometry]:
        """The geometries, by Mosaic's name for them."""
        return self.geometries

    @property
    def groups(self) -> list[Group]:
        return [item for item in self.items if isinstance(item, Group)]

    def __len__(self) -> int:
        return len(self.geometries)

    def __iter__(self) -> Iterator[Geometry]:
        return iter(self.geometries)

    def __getitem__(self, index: int) -> Geometry:
        return self.geometries[index]


@dataclass(slots=True)
class Session:
    """A whole session.

    shape: voxels of the tomogram along x, y, z; physical_shape: the same in angstrom; None where the file has none.
    release: the Mosaic releases that write files like this one. warnings: what was odd, one sentence each.
    """

    path: str
    layout: Literal["pickle", "indexed"]
    release: str
    state: Node
    clusters: Container
    models: Container
    shape: tuple[int, int, int] | None = None
    physical_shape: tuple[float, float, float] | None = None
    sections: dict[str, Section] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def geometries(self) -> list[Geometry]:
        """All geometries, clusters first."""
        return self.clusters.geometries + self.models.geometries

    def __getitem__(self, key: str) -> Any:
        """Parts by the keys that Mosaic's own `open_session` has: "shape", "metadata", "_data", "_models"."""
        if key == "shape":
            return self.shape
        if key == "metadata":
            return {"shape": self.shape, "physical_shape": self.physical_shape}
        if key in ("_data", "data"):
            return self.clusters
        if key in ("_models", "models"):
            return self.models
        raise KeyError(key)
