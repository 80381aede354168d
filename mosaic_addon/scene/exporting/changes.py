"""Changes: what a save finds to differ from what was read, as values, and the sentences that say them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import groupby
from typing import Any, Final

from ..drawing.representations import LABELS
from .canonical import digest_of


class Kind(Enum):
    """Kinds of changes. The digests in a .blend are made of these values, so they must stay as they are."""

    # of a geometry as a whole
    DELETED = "deleted"
    NEW = "new"
    COPY = "copy"
    SESSION = "session"
    RELEASE = "release"
    CONTAINER = "container"
    # of its numbers and looks
    NAME = "name"
    VISIBLE = "visible"
    SAMPLING_RATE = "sampling rate"
    META = "meta"
    COLOR = "color"
    OPACITY = "opacity"
    AMBIENT = "ambient"
    DIFFUSE = "diffuse"
    SPECULAR = "specular"
    REPRESENTATION = "representation"
    SIZE = "size"
    SPHERES = "spheres"
    ISOVALUE = "isovalue"
    RESOLUTION = "resolution"
    # of the frames of a trajectory
    FRAMES = "frames"
    FRAME_COLUMNS = "frame columns"
    EDITED_FRAMES = "edited frames"
    FRAME = "frame"
    # of its points, faces and vertex properties
    COUNT = "count"
    POINTS = "points"
    MOVED = "moved"
    TURNED = "turned"
    DIRECTIONS_REMOVED = "directions removed"
    DIRECTIONS_ADDED = "directions added"
    FACES_REMOVED = "faces removed"
    FACE_COUNT = "face count"
    FACES = "faces"
    FACES_FLIPPED = "faces flipped"
    FACES_ADDED = "faces added"
    VERTEX_COLORS = "vertex colors"
    VERTEX_COLORS_REMOVED = "vertex colors removed"
    COLUMNS = "columns"
    COLUMN_VALUES = "column values"
    # of a container
    ORDER = "order"
    TREE = "tree"


class ColumnEdit(Enum):
    """What became of one vertex property."""

    RENAMED = "renamed"
    REMOVED = "removed"
    ADDED = "added"
    LONGER = "longer"  # its texts
    CONVERTED = "converted"


RESHAPED: Final = frozenset(
    {Kind.COUNT, Kind.POINTS, Kind.FACES_REMOVED, Kind.FACE_COUNT, Kind.FACES, Kind.FACES_FLIPPED, Kind.FACES_ADDED}
)


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A geometry, or a container as a whole. Two geometries may have one name, so each has a subject of its own.

    container: "clusters" or "models". name: the geometry's name in the file, or in Blender for a new one; None for the
    container.
    """

    container: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. details: plain values that tell it from other changes of its kind."""

    kind: Kind
    subject: Subject
    details: tuple[Any, ...] = ()


def by_subject(changes: Iterable[Change]) -> Iterator[list[Change]]:
    """Group changes that follow one another and have one subject."""
    for _, group in groupby(changes, lambda change: change.subject):
        yield list(group)


def digest(changes: Iterable[Change]) -> str:
    """Return the digest of the changes of one subject, which a .blend remembers."""
    return digest_of(
        [[change.subject.container, change.subject.name, change.kind, change.details] for change in changes]
    )


def sentence(changes: Iterable[Change]) -> str:
    """Say the changes of one subject in one sentence."""
    changes = list(changes)
    subject = changes[0].subject
    words = ", ".join(WORDS[change.kind](*change.details) for change in changes)
    if subject.name is None:
        return f"The {subject.container} are {words}."
    return f"{subject.container} {subject.name!r}: {words}"


def sentences(changes: Iterable[Change]) -> list[str]:
    """Say all changes, one sentence for each subject."""
    return list(map(sentence, by_subject(changes)))


def _frame_numbers(*edited: tuple[Any, ...]) -> str:
    several = "frames" if len(edited) > 1 else "frame"
    return f"{several} {', '.join(str(number) for number, *_ in edited)} edited"


def _column(edit: ColumnEdit, name: str, *more: Any) -> str:
    match edit:
        case ColumnEdit.RENAMED:
            return f"{name} renamed to {more[0]}"
        case ColumnEdit.REMOVED:
            return f"without {name}"
        case ColumnEdit.ADDED:
            return f"with {name}"
        case ColumnEdit.LONGER:
            return f"{name} as longer text"
        case ColumnEdit.CONVERTED:
            return f"{name} as {' x '.join(map(str, more[1]))} {more[0]}" if more[1] else f"{name} as {more[0]}"


def _columns(edits: Iterable[tuple[Any, ...]]) -> str:
    return ", ".join(_column(*edit) for edit in edits)


def _number(name: str) -> Callable[[float], str]:
    return lambda value: f"{name} {value:.3g}"


WORDS: Final[dict[Kind, Callable[..., str]]] = {
    Kind.DELETED: lambda: "deleted",
    Kind.NEW: lambda points, faces, *_: f"new, {points} points" + (f" and {faces} triangles" if faces else ""),
    Kind.COPY: lambda: "a copy",
    Kind.SESSION: lambda *_: "from another session",
    Kind.RELEASE: lambda release: f"from a session of {release}",
    Kind.CONTAINER: lambda container: f"now among the {container}",
    Kind.NAME: lambda name: f"renamed to {name!r}",
    Kind.VISIBLE: lambda visible: "shown" if visible else "hidden",
    Kind.SAMPLING_RATE: lambda *rate: f"sampling rate {', '.join(f'{number:g}' for number in rate)}",
    Kind.META: lambda *entries: f"meta {', '.join(key for key, *_ in entries)}",
    Kind.COLOR: lambda *_: "colour",
    Kind.OPACITY: _number("opacity"),
    Kind.AMBIENT: _number("ambient"),
    Kind.DIFFUSE: _number("diffuse"),
    Kind.SPECULAR: _number("specular"),
    Kind.REPRESENTATION: lambda name: f"shown as {LABELS[name]}",
    Kind.SIZE: lambda size: f"size {size:.4g}",
    Kind.SPHERES: lambda spheres: "points as spheres" if spheres else "points as discs",
    Kind.ISOVALUE: lambda percent: (
        "isovalue " + ("of Mosaic's choice" if percent is None else f"{percent:.4g} percent")
    ),
    Kind.RESOLUTION: lambda angstrom: f"target resolution {angstrom:g}",
    Kind.FRAMES: lambda own, total: (
        f"{len(own)} frames instead of {total}" if len(own) != total else "frames in another order"
    ),
    Kind.FRAME_COLUMNS: lambda *edits: ", ".join(f"frame {number} {_columns(columns)}" for number, columns in edits),
    Kind.EDITED_FRAMES: _frame_numbers,
    Kind.FRAME: lambda number: f"frame {number}",
    Kind.COUNT: lambda now, before, *_: f"{now} points instead of {before}",
    Kind.POINTS: lambda _: "points moved",
    Kind.MOVED: lambda _: "moved",
    Kind.TURNED: lambda _: "turned or scaled",
    Kind.DIRECTIONS_REMOVED: lambda *removed: ", ".join(
        f"{key} of its shape" if is_of_shape else f"without {key}" for key, is_of_shape in removed
    ),
    Kind.DIRECTIONS_ADDED: lambda *added: ", ".join(key for key, _ in added),
    Kind.FACES_REMOVED: lambda: "no faces any more, so it is written as points",
    Kind.FACE_COUNT: lambda now, before, _: f"{now} triangles instead of {before}",
    Kind.FACES: lambda _: "faces changed",
    Kind.FACES_FLIPPED: lambda _: "faces turned round",
    Kind.FACES_ADDED: lambda count, _: f"{count} triangles",
    Kind.VERTEX_COLORS: lambda _: "vertex colours",
    Kind.VERTEX_COLORS_REMOVED: lambda: "without vertex colours",
    Kind.COLUMNS: lambda edits, _: f"vertex properties {_columns(edits)}",
    Kind.COLUMN_VALUES: lambda _: "values of vertex properties",
    Kind.ORDER: lambda *_: "in another order",
    Kind.TREE: lambda *_: "in another order or other groups",
}
