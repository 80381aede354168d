"""What a recipe says of objects, and what is drawn beside them: rules, cuts, keys, scale bars, labels.

Coordinates are angstrom in the session's axes, sizes of fonts and lines points (1/72 inch) of the print. Without a
colour, what is drawn beside objects is black, or white on a dark background.
"""

import re
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

from ..session.session import REPRESENTATIONS
from .toml_tables import Form, Fraction, Place, Positive, Size, Table, one_word

Pair: TypeAlias = tuple[float, float]
Triple: TypeAlias = tuple[float, float, float]
Quaternion: TypeAlias = tuple[float, float, float, float]
Patterns: TypeAlias = tuple[str, ...]  # as in file names, with * and ?: of an object's name, or of "group/name"

MOST_SMOOTHING: Final = 500  # passes

CORNERS: Final[dict[str, Pair]] = {
    f"{vertical} {horizontal}".strip(): (across, up)
    for vertical, up in (("upper", 1.0), ("", 0.0), ("lower", -1.0))
    for horizontal, across in (("left", -1.0), ("middle", 0.0), ("right", 1.0))
}


def _read_corner(value: Any, place: Place) -> Pair:
    if isinstance(value, str):
        if value not in CORNERS:
            raise place.wrong(f"There is no corner {value!r}; {one_word(value, list(CORNERS))}")
        return CORNERS[value]
    if isinstance(value, list) and len(value) == 2 and all(type(each) in (int, float) for each in value):
        return float(value[0]), float(value[1])
    raise place.wrong("A corner is a text such as 'lower right', or a list of two numbers from -1 to 1.")


def _write_corner(value: Pair) -> str | Pair:
    return next((name for name, place in CORNERS.items() if place == value), value)


def _read_color(value: Any, place: Place) -> Triple:
    numbers: list[Any] = []
    if isinstance(value, str) and re.fullmatch("#[0-9a-fA-F]{6}", value):
        numbers = [int(value[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    elif isinstance(value, list) and all(type(each) in (int, float) for each in value):
        numbers = [float(each) for each in value if 0 <= each <= 1]
    if len(numbers) != 3:
        raise place.wrong('A colour is a text "#rrggbb", or a list of three numbers from 0 to 1.')
    return numbers[0], numbers[1], numbers[2]


def _write_color(value: Triple) -> str | Triple:
    numbers = [round(each * 255) for each in value]
    exact = all(number / 255 == each for number, each in zip(numbers, value, strict=True))
    return "#" + "".join(f"{number:02x}" for number in numbers) if exact else value


Corner: TypeAlias = Annotated[Pair, Form(_read_corner, _write_corner)]
Color: TypeAlias = Annotated[Triple, Form(_read_color, _write_color)]  # display values


# --- objects ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ColorBy(Table):
    """Colours by a vertex property, in one range for all objects of a rule.

    map: a map or palette of Mosaic, by default viridis, for texts and booleans Dark2. range: the values of its first and
    last colour; by default all. quantiles: in its place, as fractions. categories: a colour for each whole number.
    component: of a property with several, from 0; by default the vector's length.
    """

    inline: ClassVar[bool] = True
    short: ClassVar[str] = "property"

    property: str
    map: str | None = None
    range: Pair | None = None
    quantiles: Pair | None = None
    gamma: Positive = 1.0
    reverse: bool = False
    categories: bool | None = None
    component: int | None = None

    def check(self) -> None:
        """Refuse ranges that are none."""
        for key in ("range", "quantiles"):
            ends = getattr(self, key)
            if ends is not None and not ends[0] < ends[1]:
                raise self.wrong(key, f"The second number of {key} must be larger than the first.")
        if self.quantiles is not None and not 0 <= self.quantiles[0] < self.quantiles[1] <= 1:
            raise self.wrong("quantiles", "quantiles must be two fractions, from 0 to 1.")
        if self.range is not None and self.quantiles is not None:
            raise self.wrong("quantiles", "range already says which values count: leave quantiles out.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter(Table):
    """Which points or faces are drawn: those whose property lies in a range or is one of some categories."""

    inline: ClassVar[bool] = True

    property: str
    range: Pair | None = None
    categories: tuple[int | str, ...] = ()
    component: int | None = None
    invert: bool = False

    def check(self) -> None:
        """Refuse a filter that says nothing, or two things."""
        if (self.range is None) == (not self.categories):
            raise self.wrong("range", "A filter has either a range or categories.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape(Table):
    """What the representation "object" puts at each point: an object or a collection of a .blend.

    scale: angstrom of one unit of it. pivot: what of it stands at the point, and axis: what of it points along the
    point's normal, both in its own coordinates.
    """

    inline: ClassVar[bool] = True

    blend: str
    object: str | None = None
    collection: str | None = None
    scale: Positive = 1.0
    pivot: Triple = (0.0, 0.0, 0.0)
    axis: Triple = (0.0, 0.0, 1.0)

    def check(self) -> None:
        """Refuse a shape that is nothing, or two."""
        if (self.object is None) == (self.collection is None):
            raise self.wrong("object", "A shape is either an object or a collection of its .blend.")
        if not any(self.axis):
            raise self.wrong("axis", "axis must not be zero.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Table):
    """What some objects look like; what is left out stays as the session has it, and later rules count over earlier ones.

    select, group, class, container, session, property: which objects, those that fit all of these. group, session: of
    their names. class: Mosaic's. property: a vertex property that they have.

    size: as in Mosaic, in its pixels. spheres: instead of flat discs. on_screen: points keep their width in the picture.
    color: also instead of colours by property. isovalue: of volumes, as Mosaic's percentile. thickness and smoothing: of
    the representation "membrane_surface", in angstrom and passes; by default the points' own thickness and 20. shape: for
    the representation "object".
    """

    select: Patterns = ()
    group: Patterns = ()
    kind: Patterns = field(default=(), metadata={"key": "class"})
    container: Literal["clusters", "models"] | None = None
    session: Patterns = ()
    property: str | None = None
    visible: bool | None = None
    representation: str | None = None
    size: Positive | None = None
    spheres: bool | None = None
    on_screen: bool | None = None
    opacity: Fraction | None = None
    color: Color | None = None
    color_by: ColorBy | None = None
    ambient: Fraction | None = None
    diffuse: Fraction | None = None
    specular: Fraction | None = None
    isovalue: float | None = None
    thickness: Size | None = None
    smoothing: int | None = None
    filter: Filter | None = None
    shape: Shape | None = None

    def check(self) -> None:
        """Refuse a rule that selects or says nothing, and values that nothing can have."""
        known = [*REPRESENTATIONS, "fitted_surface", "membrane_surface", "object"]
        if self.representation is not None and self.representation not in known:
            raise self.wrong(
                "representation",
                f"There is no representation {self.representation!r}; {one_word(self.representation, known)}",
            )
        if self.shape is not None and self.representation != "object":
            raise self.wrong("shape", 'shape goes with representation = "object".')
        if self.representation == "object" and self.shape is None:
            raise self.wrong("representation", 'The representation "object" needs a shape.')
        if self.isovalue is not None and not 0 <= self.isovalue <= 100:
            raise self.wrong("isovalue", f"isovalue is {self.isovalue:g}, but must be a percentile from 0 to 100.")
        if self.smoothing is not None and not 0 <= self.smoothing <= MOST_SMOOTHING:
            raise self.wrong(
                "smoothing", f"smoothing is {self.smoothing}, but must be from 0 to {MOST_SMOOTHING} passes."
            )
        if self.color is not None and self.color_by is not None:
            raise self.wrong("color", "color_by already says how these objects are coloured: leave color out.")


# --- what is drawn for the figure ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane(Table):
    """A plane through a point, which takes away what its normal points to."""

    inline: ClassVar[bool] = True

    point: Triple
    normal: Triple

    def check(self) -> None:
        """Refuse a plane that faces nowhere."""
        if not any(self.normal):
            raise self.wrong("normal", "normal must not be zero.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Box(Table):
    """A box, which takes away what is in it. size: of its sides. rotation: a quaternion (w, x, y, z)."""

    inline: ClassVar[bool] = True

    center: Triple
    size: Triple
    rotation: Quaternion = (1.0, 0.0, 0.0, 0.0)

    def check(self) -> None:
        """Refuse a flat box and a turn that is none."""
        if not min(self.size) > 0:
            raise self.wrong("size", "The sides of a box must be more than 0.")
        if not any(self.rotation):
            raise self.wrong("rotation", "rotation must not be zero.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sphere(Table):
    """A sphere, which takes away what is in it. radius: one, or three of an ellipsoid, along the axes of a rotation."""

    inline: ClassVar[bool] = True

    center: Triple
    radius: tuple[float, ...]
    rotation: Quaternion = (1.0, 0.0, 0.0, 0.0)

    def check(self) -> None:
        """Refuse a sphere without a size."""
        if len(self.radius) not in (1, 3) or not min(self.radius) > 0:
            raise self.wrong("radius", "radius must be one number, or three, above 0.")
        if not any(self.rotation):
            raise self.wrong("rotation", "rotation must not be zero.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut(Table):
    """A cut through all objects: a plane, a box or a sphere.

    spare: the objects that it leaves alone. invert: take away what would be left. whole: leave points and instances
    whole, or out, instead of slicing them. cap: the colour in which closed meshes look solid; by default one looks in.
    """

    plane: Plane | None = None
    box: Box | None = None
    sphere: Sphere | None = None
    spare: Patterns = ()
    invert: bool = False
    whole: bool = True
    cap: Color | None = None

    def check(self) -> None:
        """Refuse a cut of no shape, or of two."""
        if sum(shape is not None for shape in (self.plane, self.box, self.sphere)) != 1:
            raise self.place.wrong("A cut has one of plane, box and sphere.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice(Table):
    """A slice of a tomogram. at_nm: from the tomogram's first voxel, by default its middle. normal: instead of a plane, of
    a slice through the tomogram's middle at any angle. full: as the file has it, without binning. cut: take away what
    stands before it, seen from the camera."""

    inline: ClassVar[bool] = True
    short: ClassVar[str] = "plane"

    plane: Literal["XY", "XZ", "YZ"] = "XY"
    at_nm: float | None = None
    normal: Triple | None = None
    opacity: Fraction = 1.0
    full: bool = False
    cut: bool = False

    def check(self) -> None:
        """Refuse a slice that faces nowhere, and one at an angle that is to be as the file has it."""
        if self.normal is not None and not any(self.normal):
            raise self.wrong("normal", "normal must not be zero.")
        if self.normal is not None and self.full:
            raise self.wrong("full", "Only slices along the tomogram's axes can be read in full: leave full out.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tomogram(Table):
    """A tomogram, as slices and on surfaces. file: from the recipe's folder.

    black, white: the densities of the map's first and last colour, by default those of 0.5 and 99.5 % of its values.
    threshold: what is not above it is clear. average: of how many slices around each one. on: the objects that show it at
    their surface, or offset_nm off it. megabytes: it is binned until it fits. bits: of a value.
    """

    file: str
    slices: tuple[Slice, ...] = ()
    on: Patterns = ()
    offset_nm: float = 0.0
    map: str = "grey"
    black: float | None = None
    white: float | None = None
    gamma: Positive = 1.0
    invert: bool = False
    threshold: float | None = None
    opacity: Fraction = 1.0
    average: int = 1
    megabytes: Positive = 64.0
    bits: Literal[8, 16] = 8
    header_origin: bool = False

    def check(self) -> None:
        """Refuse a tomogram that is shown nowhere."""
        if not self.slices and not self.on:
            raise self.place.wrong("A tomogram has slices, or objects that show it (on).")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed(Table):
    """What has a place in the picture: a corner, and a margin to its border."""

    corner: Corner
    font_size: Size = 7.0
    margin: Size = 6.0
    color: Color | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Key(Placed):
    """The key of what objects are coloured by. of: the vertex property. select: of which objects, by default of all.

    title: by default the property's name. length and breadth: of the bar, in points.
    """

    of: str
    select: Patterns = ()
    title: str = ""
    horizontal: bool = False
    length: Size = 80.0
    breadth: Size = 7.0
    corner: Corner = CORNERS["upper right"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Legend(Placed):
    """Names of objects beside their colours. names: what is written, by default the objects' names. groups: one entry
    for each group of objects, with the group's name."""

    select: Patterns
    names: tuple[str, ...] = ()
    groups: bool = False
    title: str = ""
    breadth: Size = 7.0
    corner: Corner = CORNERS["upper right"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleBar(Placed):
    """A length in the plane of the session's middle. length_nm: by default 1, 2 or 5 x 10^n near a fifth of the width.

    unit: of the label, by default a fitting one. thickness: of the bar, in points.
    """

    length_nm: Size = 0.0
    unit: Literal["", "angstrom", "nm", "um"] = ""
    label: bool = True
    thickness: Size = 2.0
    corner: Corner = CORNERS["lower right"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Label(Table):
    """A label of objects, one for all that it selects. text: by default the first one's name.

    point: what it names, by default their middle. offset: from there to the text, right and up, in points. line: the
    width of the line to it; halo: of the rim that sets text and line off from what is behind them.
    """

    of: Patterns
    text: str = ""
    point: Triple | None = None
    offset: Pair = (14.0, 14.0)
    font_size: Size = 7.0
    line: Size = 0.5
    halo: Size = 0.7
    color: Color | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Placed):
    """A text of the picture, such as its title."""

    text: str
    corner: Corner = CORNERS["upper left"]
    font_size: Size = 9.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes(Placed):
    """The session's x, y and z as arrows in a corner. length: in points."""

    length: Size = 20.0
    corner: Corner = CORNERS["lower left"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundingBox(Table):
    """The box around the session. step_nm: between its ticks, by default a round length. line: in points."""

    step_nm: Size = 0.0
    line: Size = 0.5
    color: Color | None = None
