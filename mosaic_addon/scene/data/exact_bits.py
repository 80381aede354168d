"""Numbers that Blender's 32 bits cannot hold, kept exactly.

Blender has no 64-bit attributes. The nearest float32 is what is drawn and edited. Hidden attributes beside it keep the
bits of the true value. They follow every edit of the points, and count as long as the float is the nearest to the
value. Their names say what the bits are: `.weight.f8.0` holds those of the first component of `weight` as a 64-bit
float, `.id.i8.0` and `.id.u8.0` those of whole numbers with and without a sign.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .attributes import PointAttributes, PointData, write_attribute

# What else than vertex properties may have bits.
OF_GEOMETRY = ("points", "vertices", "normals", "quaternions", "vertex_normals")
KINDS_OF_BITS: dict[str, np.dtype[Any]] = {kind: np.dtype(kind) for kind in ("f8", "i8", "u8")}


def bits_kind(dtype: np.dtype[Any]) -> str:
    """Return the kind of bits, "f8", "i8" or "u8", that hold a number of `dtype` exactly."""
    if dtype.kind == "f":
        return "f8"
    return "u8" if dtype.kind == "u" and dtype.itemsize == 8 else "i8"


def bits_names(stem: str, kind: str, width: int) -> list[str]:
    """Return the names of the hidden attributes with the bits of `width` components. stem: begins with a point."""
    return [f"{stem}.{kind}.{number}" for number in range(width)]


def is_nearest(values: NDArray[Any], shown: NDArray[Any]) -> bool:
    """Return whether `shown`, float32, is what float32 can hold of `values`."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.array_equal(values.astype(np.float32, copy=False), shown, equal_nan=True)


def write_bits(data: PointData, name: str, values: NDArray[Any]) -> None:
    """Store the bits of `values`, (n, k), if float32 cannot hold them. name: one of OF_GEOMETRY."""
    with np.errstate(over="ignore", invalid="ignore"):
        nearest = values.astype(np.float32).astype(values.dtype)
    if values.size and not np.array_equal(nearest, values, equal_nan=values.dtype.kind == "f"):
        write_all_bits(data, f".{name}", values)


def write_all_bits(data: PointData, stem: str, values: NDArray[Any]) -> None:
    """Store the bits of `values`, (n,) or (n, k), in hidden attributes. stem: of their names, which must be free."""
    kind = bits_kind(values.dtype)
    columns = values.astype(KINDS_OF_BITS[kind]).reshape(len(values), -1).T
    for name, column in zip(bits_names(stem, kind, len(columns)), columns, strict=True):
        write_attribute(data, name, "INT32_2D", np.ascontiguousarray(column).view(np.int32).reshape(-1, 2))


def read_exactly(attributes: PointAttributes, name: str, shown: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the values that `write_bits` stored, as `dtype`, where they have not been edited since.

    shown: (n, k), what is drawn. Where it is no longer nearest to the stored value, or no bits are stored, it counts.
    """
    kind = bits_kind(dtype)
    hidden = _read(attributes, bits_names(f".{name}", kind, shown.shape[1]))
    with np.errstate(over="ignore", invalid="ignore"):
        if hidden is None:
            return shown.astype(dtype, copy=False)
        true, untouched = _true_values(shown, hidden, KINDS_OF_BITS[kind])
        return np.where(untouched, true, shown.astype(true.dtype)).astype(dtype)


def read_with_bits(attributes: PointAttributes, name: str) -> NDArray[Any] | None:
    """Return the values of an attribute that no column accounts for; None where there is none of that name.

    Such an attribute, and the bits beside it, come with the points of another object when objects are joined.
    """
    shown = attributes.read(name)
    if shown is None or name in OF_GEOMETRY:
        return shown
    hidden = read_bits(attributes, known_bits(attributes, f".{name}", shown[:1].size))
    for kind, bits in hidden.items():
        with np.errstate(over="ignore", invalid="ignore"):
            true, known = _true_values(shown, bits, KINDS_OF_BITS[kind])
        if known.all():
            return true
    return exact_or_wider(shown, hidden, shown.dtype) if hidden else shown


def known_bits(attributes: PointAttributes, stem: str, width: int) -> dict[str, list[str]]:
    """Return the names of the hidden attributes that exist, by their kind.

    There are several kinds where objects whose numbers are of several kinds were joined. stem: how the names begin.
    width: the number of components.
    """
    found = {kind: bits_names(stem, kind, width) for kind in KINDS_OF_BITS if f"{stem}.{kind}.0" in attributes}
    return {kind: names for kind, names in found.items() if all(name in attributes for name in names)}


def read_bits(attributes: PointAttributes, names: Mapping[str, Sequence[str]]) -> dict[str, list[NDArray[np.int32]]]:
    """Read hidden attributes, (n, 2) each, by kind; without the kinds of which one is missing or was converted."""
    read = {kind: _read(attributes, of_kind) for kind, of_kind in names.items()}
    return {kind: bits for kind, bits in read.items() if bits is not None}


def _read(attributes: PointAttributes, names: Sequence[str]) -> list[NDArray[np.int32]] | None:
    """Read hidden attributes with bits, (n, 2) each; None where one is missing or was converted."""
    if not all(attributes.kind(name) == (2, np.int32) for name in names):
        return None
    return attributes.read_all(names)


def _true_values(
    shown: NDArray[Any], hidden: Sequence[NDArray[np.int32]], wide: np.dtype[Any]
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return what the bits say, in the shape of `shown`, and where `shown` is nearest to it.

    hidden: (n, 2) for each component. wide: the dtype to read the bits as.
    """
    columns = [np.ascontiguousarray(bits).view(wide).reshape(-1) for bits in hidden]
    true = np.stack(columns, axis=1).reshape(shown.shape)
    nearest = true.astype(shown.dtype)
    same = nearest == shown if shown.dtype.kind == "f" else true == shown  # a whole number is itself or another
    return true, same if same.all() else same | ((nearest != nearest) & (shown != shown))


def exact_or_wider(
    shown: NDArray[Any], hidden: Mapping[str, Sequence[NDArray[np.int32]]], dtype: np.dtype[Any]
) -> NDArray[Any]:
    """Return the true values where what is shown is nearest to them, else what is shown; as `dtype` or a wider one.

    shown: (n,) or (n, k). hidden: attributes with bits, (n, 2) for each component, by their kind. Points that were
    joined from another object have bits of that object's kind alone, and zeros in those of other kinds.
    """
    if not hidden:
        fitting = _first_that_holds([shown], _candidates(dtype, shown.dtype)) or shown.dtype
        with np.errstate(over="ignore", invalid="ignore"):
            return shown.astype(fitting, copy=False)
    parts: list[tuple[NDArray[np.bool_], NDArray[Any]]] = []  # where each kind of bits counts, and the values there
    left = np.ones(shown.shape, np.bool_)
    with np.errstate(over="ignore", invalid="ignore"):
        for kind in sorted(hidden, key=lambda kind: kind != bits_kind(dtype)):
            true, known = _true_values(shown, hidden[kind], KINDS_OF_BITS[kind])
            if not parts and known.all() and holds_all(true, dtype):
                return true.astype(dtype, copy=False)
            known &= left
            parts.append((known, true[known]))
            left &= ~known
    parts.append((left, shown[left]))
    whole, real = [np.dtype(np.int64), np.dtype(np.uint64)], np.dtype(np.float64)
    candidates = [dtype, real, *whole] if dtype.kind == "f" else [dtype, *whole]
    values = np.empty(shown.shape, _first_that_holds([part for _, part in parts], candidates) or real)
    for place, part in parts:
        values[place] = part
    return values


@lru_cache(1000)
def _candidates(dtype: np.dtype[Any], shown: np.dtype[Any]) -> list[np.dtype[Any]]:
    """Return the dtypes that values shown without bits may have, the best first; none where they were converted.

    dtype: of the values in the session. shown: of the attribute.
    """
    if shown.kind == dtype.kind == "f" or shown == dtype:
        return [dtype, np.promote_types(shown, dtype)]
    if shown.kind in "iu" and dtype.kind in "iu":
        return [dtype, np.promote_types(shown, f"i{dtype.itemsize}")]
    # Whole numbers beyond 32 bits are shown as floats.
    if shown.kind == "f" and (dtype.kind, dtype.itemsize) in (("i", 8), ("u", 8), ("u", 4)):
        return [dtype, np.dtype(np.int64)]
    return []


def _first_that_holds(parts: Sequence[NDArray[Any]], dtypes: Sequence[np.dtype[Any]]) -> np.dtype[Any] | None:
    """Return the first dtype that holds the values of all parts; None where none does."""
    return next((dtype for dtype in dtypes if all(holds_all(part, dtype) for part in parts)), None)


def holds_all(values: NDArray[Any], dtype: np.dtype[Any]) -> bool:
    """Return whether `dtype` holds all the values exactly."""
    # numpy calls these casts safe, though they round.
    rounds = dtype.kind == "f" and values.dtype.kind in "iu" and values.dtype.itemsize == 8
    if not rounds and np.can_cast(values.dtype, dtype):
        return True
    if dtype.kind in "iu" and values.dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return not values.size or (int(values.min()) >= limits.min and int(values.max()) <= limits.max)
    with np.errstate(over="ignore", invalid="ignore"):
        cast = values.astype(dtype)
        back = cast.astype(values.dtype)
    same = np.array_equal(back, values, equal_nan=values.dtype.kind == "f")
    return same and np.array_equal(cast < 0, values < 0)
