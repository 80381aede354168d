"""Every custom property that this extension writes: what carries it, what it holds, who writes it and who reads it.

What is kept out of a geometry's meta when it is saved follows from this list. A property is read through its key alone
(`NAME.read(obj)`), which returns only what we could have written: a .blend may come from a stranger. Names that the
sidebar registers as Blender properties, and names of attributes that begin alike, stand at the end.
"""

from collections.abc import Callable
from enum import Flag, auto
from typing import Any, Final, Generic, TypeVar

from . import readers as of


class Carrier(Flag):
    """Kinds of datablocks that carry custom properties of ours."""

    SESSION = auto()  # a session's collection
    CONTAINER = auto()  # the collection of its clusters or models
    GROUP = auto()  # a group's collection
    ROOT = auto()  # the empty that all objects of a session hang on
    OBJECT = auto()  # what stands for a geometry
    DATA = auto()  # the points or mesh of such an object, or of a step
    SURFACE = auto()  # the mesh with a volume's surface
    STEP = auto()  # the mesh of a trajectory's step
    STEPS = auto()  # the collection of a trajectory's steps
    PART = auto()  # the object with a surface or a step, which others show
    NODES = auto()  # a node group
    MATERIAL = auto()
    LOOK = auto()  # a light, world or node tree that a look made
    SCENE = auto()
    LAMP = auto()  # a lamp that is not of a look
    SCREEN = auto()  # the layout of a workspace
    FIGURE = auto()  # an object, collection or material that is drawn for a figure


Value = TypeVar("Value")


class Key(str, Generic[Value]):
    """The name of a custom property, which reads it as well.

    writers, readers: the modules that do so, but for those that copy all properties of a datablock.
    """

    carriers: Carrier
    holds: str
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    _reader: Callable[[Any], Value | None]

    def read(self, owner: Any) -> Value | None:
        """Return what a datablock carries; None without it, and for what no import or save of ours writes."""
        value = owner.get(self)
        return None if value is None else self._reader(value)

    def write(self, owner: Any, value: Any) -> None:
        """Let a datablock carry a value, instead of an older one.

        The older one goes first: over it Blender writes a longer array of numbers beyond the end of its memory, and
        cuts bytes at the first NUL.
        """
        owner.pop(self, None)
        owner[self] = value

    def copy(self, source: Any, target: Any) -> None:
        """Let a datablock carry what another one does, or nothing."""
        if self in source:
            self.write(target, source[self])
        else:
            target.pop(self, None)


KEYS: Final[dict[str, Key[Any]]] = {}


def _key(
    name: str,
    carriers: Carrier,
    holds: str,
    reader: Callable[[Any], Value | None],
    *,
    writers: str,
    readers: str,
) -> Key[Value]:
    """Enter a custom property into the list, and return its key. writers, readers: modules, separated by spaces."""
    key: Key[Value] = Key(name)
    key.carriers, key.holds, key._reader = carriers, holds, reader
    key.writers, key.readers = tuple(writers.split()), tuple(readers.split())
    KEYS[name] = key
    return key


SESSION: Final = _key(
    "mosaic_session",
    Carrier.SESSION,
    (
        "a group of texts and numbers: the file, its layout, release and stamp, digests of the changes and "
        "edited values in it, the tomogram's shape in voxels"
    ),
    of.texts("file", "layout", "release", "stamp", "saved", "values"),
    writers="exporting/save importing/build",
    readers=(
        "exporting/save exporting/scope outline/close outline/naming outline/outside outline/tree "
        "tomograms/reading ui/browser/rows ui/session/panel"
    ),
)
RECORD: Final = _key(
    "mosaic_record",
    Carrier.OBJECT | Carrier.SESSION,
    "what was read from the file, as numbers; see record.py",
    of.packed,
    writers="importing/build reloading/reload",
    readers="exporting/objects record ui/properties/panel ui/session/panel",
)
THUMBNAIL: Final = _key(
    "mosaic_thumbnail",
    Carrier.SESSION,
    "a PNG, as numbers, that takes the place of the file's thumbnail",
    of.packed,
    writers="exporting/save reloading/reload",
    readers="exporting/save",
)
OVERRIDE_PLACE: Final = _key(
    "mosaic_saved_as",
    Carrier.SESSION,
    "JSON: the file that a library override of the session was saved to, its stamp, digests of the changes in it",
    of.text,
    writers="exporting/save importing/build",
    readers="exporting/save importing/build",
)
CONTAINER: Final = _key(
    "mosaic_container",
    Carrier.CONTAINER,
    "'clusters' or 'models'",
    of.one_of("clusters", "models"),
    writers="importing/build",
    readers=(
        "outline/arrange outline/close outline/naming outline/outside outline/tree ui/browser/rows ui/browser/structure"
    ),
)
ITEMS: Final = _key(
    "mosaic_items",
    Carrier.CONTAINER,
    "the order of its items, 'g' for a group and 'o' for an object; Blender orders each kind alone",
    of.text,
    writers="outline/tree",
    readers="outline/tree",
)
GROUP: Final = _key(
    "mosaic_group",
    Carrier.GROUP,
    "a group of texts: its name in the session, its uuid, and the name that Blender gave it instead",
    of.texts("name", "uuid", "shown"),
    writers="exporting/save importing/build outline/arrange outline/naming",
    readers=(
        "exporting/browser_tree exporting/save importing/again outline/arrange outline/close outline/naming "
        "outline/outside outline/tree reloading/structure"
    ),
)
NEXT: Final = _key(
    "mosaic_next",
    Carrier.GROUP,
    "the object that it stands before, which tells its place when others were deleted",
    of.number_of_datablock,
    writers="outline/tree",
    readers="outline/tree",
)
PIXEL_SIZE: Final = _key(
    "mosaic_pixel_size",
    Carrier.ROOT,
    "angstrom that one of Mosaic's screen pixels stands for",
    of.positive,
    writers="importing/build",
    readers="describing/origins exporting/objects importing/again outline/tree",
)
ANGSTROM_PER_UNIT: Final = _key(
    "mosaic_angstrom_per_unit",
    Carrier.ROOT,
    "the scale at import, angstrom per Blender unit",
    of.positive,
    writers="importing/build",
    readers="data/placement exporting/objects",
)
CLASS: Final = _key(
    "mosaic_class",
    Carrier.OBJECT,
    "the name of Mosaic's class",
    of.text,
    writers="importing/build outline/surface_mesh",
    readers=(
        "data/placement drawing/appearance exporting/objects figures/selecting outline/close outline/outside "
        "outline/tree reloading/update ui/browser/rows ui/properties/information"
    ),
)
NAME: Final = _key(
    "mosaic_name",
    Carrier.OBJECT,
    "the name in the session, which may be longer than Blender's or not unique",
    of.text,
    writers="importing/build outline/duplicate outline/naming outline/surface_mesh",
    readers="importing/again outline/tree",
)
SHOWN: Final = _key(
    "mosaic_shown_as",
    Carrier.OBJECT,
    "the name that Blender gave the object, where it could not have its own",
    of.text,
    writers="importing/again importing/build",
    readers="outline/duplicate outline/naming outline/surface_mesh outline/tree ui/browser/rows",
)
UUID: Final = _key(
    "mosaic_uuid",
    Carrier.OBJECT,
    "the uuid in the session",
    of.text,
    writers="exporting/save importing/build outline/duplicate outline/merge reloading/reload",
    readers="describing/origins exporting/browser_tree reloading/matching",
)
MODEL: Final = _key(
    "mosaic_model",
    Carrier.OBJECT,
    "the class of its fitted shape",
    of.text,
    writers="importing/build outline/surface_mesh",
    readers="drawing/facts exporting/soundness reloading/update",
)
SAMPLING_RATE: Final = _key(
    "mosaic_sampling_rate",
    Carrier.OBJECT,
    "angstrom a voxel along x, y and z",
    of.rates,
    writers="drawing/appearance importing/build outline/merge outline/surface_mesh",
    readers="drawing/appearance drawing/membranes exporting/edited exporting/objects exporting/unchanged outline/merge",
)
SHOWS: Final = _key(
    "mosaic_shows",
    Carrier.OBJECT | Carrier.SURFACE | Carrier.STEPS,
    "one text for an object and the volume or steps that it was imported with",
    of.text,
    writers="importing/build",
    readers="drawing/parts exporting/objects importing/build reloading/update",
)
PART: Final = _key(
    "mosaic_part",
    Carrier.PART,
    "true: it is no object of its own, but what another one shows",
    of.flag,
    writers="drawing/parts",
    readers="drawing/parts",
)
COLUMNS: Final = _key(
    "mosaic_vertex_properties",
    Carrier.DATA | Carrier.OBJECT,
    "JSON: which attributes hold each vertex property, and how",
    of.text,
    writers="data/vertex_properties exporting/evaluated reloading/update",
    readers="data/vertex_properties exporting/evaluated outline/merge reloading/update",
)
VALUES: Final = _key(
    "mosaic_values",
    Carrier.SURFACE,
    "a volume's values, as numbers",
    of.raw_numbers,
    writers="drawing/surfaces",
    readers="drawing/surfaces",
)
DTYPE: Final = _key(
    "mosaic_dtype",
    Carrier.SURFACE,
    "the numpy dtype of these values",
    of.text,
    writers="drawing/surfaces",
    readers="drawing/surfaces",
)
SHAPE: Final = _key(
    "mosaic_shape",
    Carrier.SURFACE,
    "the number of voxels along x, y and z",
    of.three_whole,
    writers="drawing/surfaces",
    readers="drawing/facts drawing/surfaces exporting/objects ui/editors/volume",
)
SPACING: Final = _key(
    "mosaic_spacing",
    Carrier.SURFACE,
    "angstrom a voxel along x, y and z",
    of.three_positive,
    writers="drawing/surfaces",
    readers="drawing/facts drawing/surfaces exporting/objects",
)
PERCENTILE: Final = _key(
    "mosaic_isovalue_percentile",
    Carrier.SURFACE,
    "the isovalue of the surface, 0-100 of the values; missing where Mosaic chooses",
    of.number,
    writers="drawing/surfaces",
    readers=(
        "drawing/surfaces exporting/edited_appearance ui/editors/volume ui/properties/panel ui/properties/properties"
    ),
)
RESOLUTION: Final = _key(
    "mosaic_target_resolution",
    Carrier.SURFACE,
    "angstrom that the volume is smoothed to before it is contoured",
    of.number,
    writers="drawing/surfaces",
    readers="drawing/surfaces exporting/edited_appearance ui/properties/properties",
)
STEP: Final = _key(
    "mosaic_step",
    Carrier.STEP,
    "its number in the trajectory, from 0",
    of.natural,
    writers="drawing/trajectories",
    readers="exporting/edited_frames exporting/object_arrays exporting/soundness",
)
STEP_SUMS: Final = _key(
    "mosaic_step_sums",
    Carrier.STEP,
    "JSON: counts and check sums of the mesh and its vertex properties at import",
    of.text,
    writers="drawing/trajectories",
    readers="drawing/trajectories exporting/edited_frames",
)
FILENAME: Final = _key(
    "mosaic_filename",
    Carrier.STEP,
    "the file that Mosaic read it from",
    of.text,
    writers="drawing/trajectories",
    readers="",
)
NODE_GROUP: Final = _key(
    "mosaic_node_group",
    Carrier.NODES,
    "its name and version, which renaming it does not change",
    of.text,
    writers="drawing/node_tree",
    readers="drawing/color_map_nodes drawing/ink drawing/node_tree drawing/representations drawing/shown_materials",
)
SHARED: Final = _key(
    "mosaic_material",
    Carrier.MATERIAL,
    "its name; it belongs to no single geometry",
    of.text,
    writers="drawing/materials",
    readers="drawing/materials outline/duplicate",
)
LOOK: Final = _key(
    "mosaic_look",
    Carrier.LOOK,
    "marks it as a look's; of a node, the view layers whose depth it asked for",
    of.flag_or_texts,
    writers="pictures/lighting pictures/silhouettes",
    readers="describing/picture describing/scene pictures/former pictures/lighting pictures/silhouettes",
)
LOOK_NAME: Final = _key(
    "mosaic_look_name",
    Carrier.SCENE,
    "which look it has",
    of.text,
    writers="pictures/looks",
    readers="pictures/looks",
)
FORMER: Final = _key(
    "mosaic_former",
    Carrier.SCENE,
    "the settings that it had before its first look",
    of.plain_values,
    writers="pictures/former",
    readers="pictures/former",
)
FORMER_WORLD: Final = _key(
    "mosaic_former_world",
    Carrier.SCENE,
    "the world that it had before its first look",
    of.datablock("WORLD"),
    writers="pictures/former",
    readers="pictures/former",
)
FORMER_VIEWS: Final = _key(
    "mosaic_former_views",
    Carrier.SCREEN,
    "for each 3D view the switches that a look turned on",
    of.list_of_texts,
    writers="pictures/former",
    readers="pictures/former",
)
SILENCED: Final = _key(
    "mosaic_silenced",
    Carrier.LAMP,
    "by which flags a look hid it",
    of.list_of_texts,
    writers="pictures/former",
    readers="pictures/former",
)
PLAYS: Final = _key(
    "mosaic_plays_trajectory",
    Carrier.SCENE,
    "true where an import has set the range of frames",
    of.flag,
    writers="importing/build",
    readers="importing/build reloading/reload",
)
FIGURE: Final = _key(
    "mosaic_figure",
    Carrier.FIGURE,
    "what it is in a figure, such as 'scale bar'",
    of.text,
    writers=(
        "drawing/ink figures/cuts figures/overlay figures/overlay_nodes films/shots tomograms/slices tomograms/tomogram"
    ),
    readers=(
        "describing/beside describing/picture describing/scene drawing/ink exporting/objects figures/cuts "
        "figures/overlay figures/overlay_nodes figures/svg pictures/camera tomograms/slices "
        "tomograms/tomogram ui/figures/camera ui/figures/items"
    ),
)
TOMOGRAM_SIZE: Final = _key(
    "mosaic_tomogram_size",
    Carrier.SESSION,
    "how large the tomogram is along x, y and z, in angstrom",
    of.three_positive,
    writers="importing/build",
    readers="figures/axes",
)
PRINT_WIDTH: Final = _key(
    "mosaic_print_width",
    Carrier.SCENE,
    "how wide the picture is in print, in mm",
    of.positive,
    writers="figures/overlay pictures/render",
    readers="figures/overlay pictures/render",
)
CUT: Final = _key(
    "mosaic_cut",
    Carrier.FIGURE,
    "JSON, of an empty that is a cut: its shape, whether it is inverted, leaves points whole, and the cap's colour",
    of.text,
    writers="figures/cuts",
    readers="figures/cuts",
)
TOMOGRAM: Final = _key(
    "mosaic_tomogram",
    Carrier.FIGURE,
    "of a tomogram's box JSON: what of the file is shown, and where; of a slice its axes; of their collection a mark",
    of.text,
    writers="tomograms/slices tomograms/tomogram",
    readers="figures/overlay tomograms/slices tomograms/tomogram",
)
TOMOGRAM_NODES: Final = _key(
    "mosaic_tomogram_nodes",
    Carrier.FIGURE,
    "of a tomogram's box: the node group that gives its colour",
    of.datablock("NODETREE"),
    writers="tomograms/tomogram",
    readers="tomograms/surfaces tomograms/tomogram",
)
SHOTS: Final = _key(
    "mosaic_shots",
    Carrier.OBJECT | Carrier.FIGURE,
    "JSON, by the names of a film's shots that move the object: of which kind each is, what it keys, and former values",
    of.text,
    writers="films/shots",
    readers="figures/overlay films/shots",
)
SPARED: Final = _key(
    "mosaic_spared",
    Carrier.OBJECT | Carrier.FIGURE,
    "a bit for each cut that leaves the object alone; of where a cut stands, the bit of that cut",
    of.natural,
    writers="figures/cuts",
    readers="drawing/cut_nodes figures/cuts",
)

# Properties that the sidebar registers on Blender's types, or hands to menus.
LABEL, COLOR, HIDDEN, ITEM = "mosaic_label", "mosaic_color", "mosaic_hidden", "mosaic_item"
BROWSER, PROPERTIES, FOLLOW = "mosaic_browser", "mosaic_properties", "mosaic_follow"
PICTURE = "mosaic_picture"
SLICE_VIEW, TOMOGRAM_VIEW = "mosaic_slice_view", "mosaic_tomogram_view"

# Attributes of what Geometry Nodes draw, which converting an object makes points of.
SPRITE, GLYPH = "mosaic_sprite", "mosaic_glyph"
# Of points and copies that cuts leave whole: 1. Of surfaces that are open: 1, inside out: 2.
WHOLE, SHELL = "mosaic_whole", "mosaic_shell"
# Of a mesh whose edges are drawn on it: their width in pixels of the picture, and at most in angstrom.
EDGES = "mosaic_edges"
# Of a membrane's surface: the size of the voxels that it was made on, and its thickness then, in angstrom.
MEMBRANE_GRID = "mosaic_membrane"
# Of the swatches of a figure's keys, drawn with a geometry's own material: 1, and more by the place in its range.
SWATCH = "mosaic_swatch"
# Of the letters of a figure's texts: where each vertex is from where its text begins, and 1.
TEXT_PLACE = "mosaic_text"
