"""A session as typed Python objects, from which a scene is built.

Coordinates are angstrom, quaternions scalar-first (w, x, y, z). Arrays are read-only views of the file's bytes wherever
the file holds them in this form. Each object keeps the `node` that it was read from, so that a writer can put back what
is not modelled here.
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

    size: of a point, in screen pixels. Colours: RGB 0-1, display (sRGB) values. ambient, diffuse, specular: Phong
    weights. isovalue_percentile: 0-100 of the raw volume, None where Mosaic chooses. extra: keys that Mosaic's dialog
    leaves behind and that are not interpreted.
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
    """A triangle mesh. vertices, vertex_normals, vertex_colors: (n, 3). triangles: (m, 3) int32, all in range."""

    class_name: str
    vertices: NDArray[Any]
    triangles: NDArray[np.int32]
    vertex_normals: NDArray[Any] | None = None
    vertex_colors: NDArray[Any] | None = None


@dataclass(slots=True)
class Sphere:
    """A sphere. radius: angstrom. center: (3,)."""

    class_name: str
    radius: float
    center: NDArray[np.float64]


@dataclass(slots=True)
class Ellipsoid:
    """An ellipsoid. radii, center: (3,). orientations: (3, 3), whose columns are the axes."""

    class_name: str
    radii: NDArray[np.float64]
    center: NDArray[np.float64]
    orientations: NDArray[np.float64]


@dataclass(slots=True)
class Cylinder:
    """A cylinder. centers: (3,), its middle. orientations: (3, 3), of which column 2 is its axis. Lengths: angstrom."""

    class_name: str
    centers: NDArray[np.float64]
    orientations: NDArray[np.float64]
    radius: float
    height: float


@dataclass(slots=True)
class RBF:
    """A sheet: scipy's Rbf over a grid.

    xi: (d, n), the sites. nodes: (n,), their weights. epsilon: the kernel's width. function: the kernel's name. grid:
    (2, 2), the lowest and highest value along both sides. direction: the axes that are swapped, "xz", "yz", or "xy" for
    none.
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
    """One coordinate of a curve.

    A B-spline has knots, coefficients and a degree; a cubic has breakpoints as knots, and coefficients (4, n) from the
    highest power down.
    """

    kind: Literal["bspline", "cubic"]
    knots: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    degree: int


@dataclass(slots=True)
class SplineCurve:
    """A curve. positions: (n, 3), the points that it was fitted to. splines: of x, y and z."""

    class_name: str
    positions: NDArray[Any]
    splines: tuple[Spline, Spline, Spline]


@dataclass(slots=True)
class UnknownModel:
    """A model that is not understood. It is drawn as its points and kept for saving."""

    class_name: str


Model: TypeAlias = Mesh | Sphere | Ellipsoid | Cylinder | RBF | SplineCurve | UnknownModel


@dataclass(slots=True)
class Volume:
    """A volume. values: (x, y, z). sampling_rate: (3,) angstrom a voxel. Quantiles: 0-1. Resolution: angstrom."""

    values: NDArray[Any]
    sampling_rate: NDArray[np.float64]
    lower_quantile: float | None = None
    upper_quantile: float | None = None
    target_resolution: float | None = None


@dataclass(slots=True)
class Frame:
    """One frame of a trajectory. index: its place in the file's list."""

    index: int
    mesh: Mesh
    filename: str
    vertex_properties: dict[str, NDArray[Any]]


@dataclass(slots=True)
class Geometry:
    """One object of a session.

    class_name: the name of Mosaic's class. points, normals: (n, 3). quaternions: (n, 4). sampling_rate: (3,) angstrom a
    voxel. Each vertex property has one row per point. All lengths agree and all faces are in range; whatever did not
    hold to that was left out with a warning.
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
        """What the geometry is to a user: "trajectory", "volume", "segmentation", "mesh", "parametric" or "cluster"."""
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
    """A geometry that could not be read. trouble: why. node: to write it back from."""

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
    """One of the two containers of a session, clusters or models.

    geometries: in the file's order. items: the same and the groups, in the order that Mosaic's browser shows.
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
        """The geometries, under Mosaic's own name for them."""
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

    stamp: of its file when it was opened; "" for a session that is in no file. release: the Mosaic releases that write files like this one. shape: voxels of the tomogram along x, y and z, None
    where the file says none. physical_shape: the same in angstrom. warnings: what was odd, one sentence each.
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
    stamp: str = ""

    @property
    def geometries(self) -> list[Geometry]:
        """All geometries, clusters first."""
        return self.clusters.geometries + self.models.geometries

    def __getitem__(self, key: str) -> Any:
        """Return a part by its key in Mosaic's own `open_session`: "shape", "metadata", "_data" or "_models"."""
        if key == "shape":
            return self.shape
        if key == "metadata":
            return {"shape": self.shape, "physical_shape": self.physical_shape}
        if key in ("_data", "data"):
            return self.clusters
        if key in ("_models", "models"):
            return self.models
        raise KeyError(key)
