"""The numbers of Mosaic's properties dialog: those of the active object, set on all selected ones.

The properties keep nothing. They read Blender's own data and write them, so that they show what was changed elsewhere.
They belong to the scene, as Ctrl+Z does not take back changes of what belongs to the window manager.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import bpy
import numpy as np
from bpy.props import BoolProperty, EnumProperty, FloatProperty, FloatVectorProperty, IntProperty, PointerProperty

from ...scene.drawing import appearance
from ...scene.drawing.coloring import coloring_of
from ...scene.drawing.membranes import draw_as
from ...scene.drawing.representations import LABELS, OFFERED, group_of, representation_of
from ...scene.drawing.surfaces import shown_at, volume_mesh
from ...scene.keys import PERCENTILE, PROPERTIES, RESOLUTION, Key
from ...session import MosaicError
from ..additions import Addition, property_added, state_forgotten
from ..editors.volume import DEFAULT_PERCENTILE
from ..editors.volume import TIPS as VOLUME_TIPS
from ..preferences import COLOR_MAPS
from ..selection import edited_geometries, shown_geometry

TIPS = {
    "pointcloud": "Points as balls or discs",
    "gaussian_density": "Points as soft dots",
    "normals": "An arrow along each point's normal",
    "basis": "Three arrows along each point's turned axes",
    "surface": "A smooth surface",
    "mesh": "A surface with its edges",
    "wireframe": "Edges alone",
    "volume": "The volume's surface at each point",
    "segmentation": "The surface of the segmentation's voxels",
    "fitted_surface": "The true shape of the fitted model, which Mosaic cannot show",
    "membrane_surface": "A smooth surface around the points, which Mosaic cannot show",
}
# The numbers are the same for all kinds of objects, so that one choice fits objects of different kinds.
REPRESENTATIONS = {name: (name, label, TIPS[name], number) for number, (name, label) in enumerate(LABELS.items())}
OFFERED_ITEMS = {kind: [REPRESENTATIONS[name] for name in names] for kind, names in OFFERED.items()}
NOTHING_OFFERED = [("NONE", "None", "The object has lost its modifier", -1)]
MAPS = tuple(item for item in COLOR_MAPS if not item[0].endswith("_r"))
MAP_NUMBERS = {item[0]: item[-1] for item in MAPS}
NOT_ANIMATABLE: set[Any] = set()  # without ANIMATABLE, which is an option by default
Write = Callable[[Sequence[bpy.types.Object], Any], None]

# Why the last change was refused: of volumes by the session_uid of their mesh, of membranes by that of the object.
_trouble: dict[int, str] = {}


def _offered(properties: Any, context: bpy.types.Context | None) -> list[tuple[str, str, str, int]]:
    shown = shown_geometry(context) if context is not None else None
    kind = group_of(shown) if shown is not None else None
    return OFFERED_ITEMS[kind] if kind is not None else NOTHING_OFFERED


def _view(read: Callable[[bpy.types.Object], Any], default: Any, write: Write) -> dict[str, Any]:
    """Make a property a view of Blender's data: read from the shown object, written to all edited ones.

    default: its value where nothing can be read. Keyframes belong to what holds the value, the material or modifier.
    """

    def get(properties: Any) -> Any:
        shown = shown_geometry(bpy.context)
        value = read(shown) if shown is not None else None
        return default if value is None else value

    def set(properties: Any, value: Any) -> None:
        write(edited_geometries(bpy.context), value)

    return {"get": get, "set": set, "options": NOT_ANIMATABLE}


def _number(key: str, default: Any) -> dict[str, Any]:
    """Make a property a view of a number of the appearance."""
    return _view(
        lambda obj: appearance.number_of(obj, key),
        default,
        lambda objects, value: appearance.set_number(objects, key, value),
    )


def _fraction(name: str, description: str, default: float) -> Any:
    """A number of the appearance from 0 to 1."""
    return FloatProperty(
        name=name, description=description, min=0, max=1, subtype="FACTOR", **_number(name.lower(), default)
    )


def _representation_number(obj: bpy.types.Object) -> int | None:
    name = representation_of(obj)
    return None if name is None else REPRESENTATIONS[name][3]


def _set_representation(objects: Sequence[bpy.types.Object], number: int) -> None:
    name = next((name for name, item in REPRESENTATIONS.items() if item[3] == number), None)
    if name is None:
        return
    _trouble.clear()
    _, troubles = draw_as(appearance.editable(objects), name)
    _trouble.update({obj.session_uid: trouble for obj, trouble in troubles.items()})


def _contoured(key: Key[float]) -> Callable[[bpy.types.Object], Any]:
    def read(obj: bpy.types.Object) -> Any:
        mesh = volume_mesh(obj)
        return None if mesh is None else key.read(mesh)

    return read


def _contour(choose: Callable[[bpy.types.Mesh, Any], tuple[float | None, float]]) -> Write:
    def write(objects: Sequence[bpy.types.Object], value: Any) -> None:
        _trouble.clear()
        try:
            appearance.contour(objects, lambda mesh: choose(mesh, _meant(value)))
        except MosaicError as error:
            _trouble.update({mesh.session_uid: str(error) for mesh in map(volume_mesh, objects) if mesh is not None})

    return write


def _meant(value: float | bool) -> float | bool:
    """Return the number that was typed. Blender's properties give the nearest one of single precision."""
    return value if isinstance(value, bool) else float(str(np.float32(value)))


def _set_sampling_rate(objects: Sequence[bpy.types.Object], rate: Sequence[float]) -> None:
    appearance.set_sampling_rate(objects, [_meant(value) for value in rate])


def _map_number(obj: bpy.types.Object) -> int | None:
    coloring = coloring_of(obj)
    return MAP_NUMBERS.get(coloring.color_map or "") if coloring is not None else None


def _set_map(objects: Sequence[bpy.types.Object], number: int) -> None:
    appearance.set_color_map(objects, COLOR_MAPS[number][0])


class MosaicProperties(bpy.types.PropertyGroup):
    """The properties of the shown object. Setting one sets it on all edited objects."""

    representation: EnumProperty(
        name="Representation",
        description="How the selected objects are drawn; those that cannot be drawn so stay as they are",
        items=_offered,
        **_view(_representation_number, -1, _set_representation),
    )
    size: FloatProperty(
        name="Size",
        description="Width of a point in Mosaic's screen pixels",
        min=0,
        soft_max=50,
        precision=1,
        step=10,
        **_number("size", 8.0),
    )
    viewport_amount: FloatProperty(
        name="Viewport Amount",
        description="Part of the points that views draw to stay fluid, at random and up to twice as wide, and below 1 "
        "the coarser surface of large segmentations. Renders draw all as they are",
        min=0,
        max=1,
        subtype="FACTOR",
        **_number("viewport_amount", 1.0),
    )
    opacity: _fraction("Opacity", "1 is solid, 0 invisible", 1.0)
    base_color: FloatVectorProperty(
        name="Base Colour",
        description="The colour of the selected objects where they are not coloured by a vertex property",
        subtype="COLOR",
        min=0,
        max=1,
        **_view(appearance.base_color_of, (0.448, 0.448, 0.448), appearance.set_base_color),
    )
    render_spheres: BoolProperty(
        name="Render Spheres",
        description="Draw points as spheres, else as flat discs that face the camera",
        **_number("render_spheres", True),
    )
    on_screen: BoolProperty(
        name="On Screen",
        description="Let points and lines keep their width in the picture of the scene's camera however near it is, as "
        "in Mosaic. Otherwise they have a size in space",
        **_number("on_screen", False),
    )
    ambient: _fraction("Ambient", "Light that reaches every side alike", 0.3)
    diffuse: _fraction("Diffuse", "Light that is scattered", 0.7)
    specular: _fraction("Specular", "Light that is reflected", 0.2)
    sampling_rate: FloatVectorProperty(
        name="Sampling Rate",
        description="Angstrom a voxel along x, y and z",
        min=1e-6,
        soft_max=100,
        precision=3,
        subtype="XYZ",
        **_view(appearance.sampling_rate_of, (1.0, 1.0, 1.0), _set_sampling_rate),
    )

    automatic_isovalue: BoolProperty(
        name="Mosaic's Choice",
        description=VOLUME_TIPS["automatic"],
        **_view(
            lambda obj: _contoured(PERCENTILE)(obj) is None,
            False,
            _contour(lambda mesh, automatic: (None if automatic else DEFAULT_PERCENTILE, shown_at(mesh)[1])),
        ),
    )
    isovalue_percentile: FloatProperty(
        name="Isovalue",
        description=VOLUME_TIPS["isovalue_percentile"],
        min=0,
        max=100,
        precision=2,
        subtype="PERCENTAGE",
        **_view(
            _contoured(PERCENTILE),
            DEFAULT_PERCENTILE,
            _contour(lambda mesh, percentile: (percentile, shown_at(mesh)[1])),
        ),
    )
    target_resolution: FloatProperty(
        name="Resolution",
        description=VOLUME_TIPS["target_resolution"],
        min=0,
        soft_max=100,
        precision=1,
        **_view(_contoured(RESOLUTION), 10.0, _contour(lambda mesh, resolution: (PERCENTILE.read(mesh), resolution))),
    )

    smoothing: IntProperty(
        name="Smoothing",
        description="Passes of smoothing",
        min=0,
        max=500,
        soft_max=100,
        **_number("smoothing", 20),
    )
    thickness: FloatProperty(
        name="Thickness",
        description="Angstrom between the two sides of the membrane, on average",
        min=0,
        soft_max=500,
        precision=1,
        step=100,
        **_number("thickness", 0.0),
    )

    color_map: EnumProperty(
        name="Map",
        description="The colour map that the vertex property is shown through",
        items=MAPS,
        **_view(_map_number, 0, _set_map),
    )
    low: FloatProperty(
        name="From",
        description="The value of the map's first colour",
        precision=3,
        **_number("low", 0.0),
    )
    high: FloatProperty(
        name="To",
        description="The value of the map's last colour",
        precision=3,
        **_number("high", 1.0),
    )
    gamma: FloatProperty(
        name="Gamma",
        description="Above 1 spreads the low values over more of the map, below 1 the high ones",
        min=0.01,
        max=10,
        **_number("gamma", 1.0),
    )
    reverse: BoolProperty(name="Reverse", description="Turn the map round", **_number("reverse", False))
    categories: BoolProperty(
        name="Categories",
        description="Each whole number has its colour of the palette, else the range is cut into equal parts",
        **_number("categories", False),
    )

    start: IntProperty(
        name="Start",
        description="Frame of the scene at which the first frame of the trajectory is shown",
        **_number("start", 1),
    )
    step: IntProperty(
        name="Step",
        description="Frames of the scene that each frame of the trajectory is shown for",
        min=1,
        soft_max=100,
        **_number("step", 1),
    )
    loop: BoolProperty(
        name="Loop",
        description="Begin again after the last frame, else hold it",
        **_number("loop", False),
    )


def trouble_of(owner: bpy.types.ID) -> str | None:
    """Return why the last change was refused; None if it was not. owner: the mesh with a volume, or an object."""
    return _trouble.get(owner.session_uid)


def additions() -> Iterator[Addition]:
    """The properties, which belong to a scene, and the troubles with volumes."""
    yield state_forgotten(_trouble.clear)
    yield property_added(bpy.types.Scene, PROPERTIES, PointerProperty(type=MosaicProperties))
