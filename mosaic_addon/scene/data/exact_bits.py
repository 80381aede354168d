"""Numbers that Blender's 32 bits cannot hold, exactly.

Blender has no 64-bit attributes. The nearest float32 is what is drawn and edited; beside it, a hidden attribute keeps the bits
of the true value, which follows every edit of the points and counts for as long as the float is still the nearest to it.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .attributes import PointAttributes, PointData, write_attribute

BITS_OF_OTHERS = (
    "points",
    "vertices",
    "normals",
    "quaternions",
    "vertex_normals",
)  # what else than vertex properties has some


def is_nearest(values: NDArray[Any], shown: NDArray[Any]) -> bool:
    """Whether float32 `shown` is what float32 can hold of `values`."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.array_equal(values.astype(np.float32, copy=False), shown, equal_nan=True)


def write_bits(data: PointData, name: str, values: NDArray[Any]) -> None:
    """Store what float32 cannot hold of `values`, (n, k), beside the attribute that has the nearest: hidden, and only if needed."""
    with np.errstate(over="ignore", invalid="ignore"):
        nearest = values.astype(np.float32).astype(values.dtype)
    if values.size and not np.array_equal(nearest, values, equal_nan=values.dtype.kind == "f"):
        for number, bits in enumerate(bits_of(values)):
            write_attribute(data, f".{name}.bits{number}", "INT32_2D", bits)


def read_exactly(attributes: PointAttributes, name: str, shown: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """What `write_bits` got, of `dtype`; where `shown` is no longer the nearest of it, `shown`."""
    hidden = read_bits(attributes, [f".{name}.bits{number}" for number in range(shown.shape[1])])
    return _with_bits(shown, hidden, np.dtype(dtype))


def read_with_bits(attributes: PointAttributes, name: str) -> NDArray[Any] | None:
    """The values of an attribute of which nothing is known, and of the bits that came with it from an object that was joined."""
    shown = attributes.read(name)
    if shown is None or name in BITS_OF_OTHERS:
        return shown
    hidden = read_bits(attributes, [f".{name}.bits{number}" for number in range(shown[:1].size)])
    if not hidden or any(bits is None for bits in hidden):
        return shown
    with np.errstate(over="ignore", invalid="ignore"):
        for wide in WIDE:
            true, known = _true_values(shown, hidden, wide)
            if known.all():
                return true
    return exact_or_wider(shown, hidden, shown.dtype)


def read_bits(attributes: PointAttributes, names: Iterable[str]) -> list[NDArray[Any] | None]:
    """Hidden attributes with bits, None for one that holds none."""
    return [attributes.read(name) if attributes.kind(name) == (2, np.int32) else None for name in names]


def bits_of(values: NDArray[Any]) -> list[NDArray[np.int32]]:
    """Each column as pairs of 32 bits."""
    wide = values.astype(values.dtype.newbyteorder("=") if values.dtype.itemsize == 8 else np.int64)
    columns = wide.reshape(len(wide), -1).T
    return [np.ascontiguousarray(column).view(np.int32).reshape(-1, 2) for column in columns]


def _with_bits(shown: NDArray[Any], hidden: Sequence[NDArray[Any] | None], dtype: np.dtype[Any]) -> NDArray[Any]:
    """The true values where `shown` is the nearest to them, else `shown`."""
    if not hidden and shown.dtype == dtype:
        return shown
    with np.errstate(over="ignore", invalid="ignore"):
        if not hidden or any(bits is None for bits in hidden):
            return shown.astype(dtype, copy=False)
        wide = _wide(dtype)
        true, untouched = _true_values(shown, hidden, wide)
        return np.where(untouched, true, shown.astype(wide)).astype(dtype)


def _wide(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of the bits of a value of `dtype`."""
    return np.dtype(np.int64) if dtype.itemsize < 8 else dtype.newbyteorder("=")


def _true_values(
    shown: NDArray[Any], hidden: Sequence[NDArray[Any] | None], wide: np.dtype[Any]
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """What the bits say when they are read as `wide`, and where `shown` is the nearest to it."""
    columns = [np.ascontiguousarray(bits).view(wide).reshape(-1) for bits in hidden]
    true = np.stack(columns, axis=1).reshape(shown.shape)
    nearest = true.astype(shown.dtype)
    same = nearest == shown if shown.dtype.kind == "f" else true == shown  # a whole number is itself or another
    return true, same if same.all() else same | ((nearest != nearest) & (shown != shown))


def exact_or_wider(shown: NDArray[Any], hidden: Sequence[NDArray[Any] | None], dtype: np.dtype[Any]) -> NDArray[Any]:
    """The true values where `shown` is the nearest to them, else `shown`; of `dtype`, or of one that holds all of them.

    Points that were joined from another object have bits of that object's kind, or 0 where it had none.
    """
    if not hidden or any(bits is None for bits in hidden):
        fitting = _first_that_holds([shown], _candidates(dtype, shown.dtype)) or shown.dtype
        with np.errstate(over="ignore", invalid="ignore"):
            return shown.astype(fitting, copy=False)
    wide = np.dtype(np.float64) if dtype.kind == "f" and dtype.itemsize < 8 else _wide(dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        true, known = _true_values(shown, hidden, wide)
        if known.all() and holds_all(true, dtype):
            return true.astype(dtype, copy=False)
        parts, left = [(known, true[known])], ~known
        for other in WIDE:
            if other != wide:
                true, known = _true_values(shown, hidden, other)
                known &= left & ((shown != 0) | (true == 0))  # of large whole numbers, the bits are tiny floats
                parts.append((known, true[known]))
                left &= ~known
        parts.append((left, shown[left]))
        whole, real = [np.dtype(np.int64), np.dtype(np.uint64)], np.dtype(np.float64)
        candidates = [dtype, real, *whole] if dtype.kind == "f" else [dtype, *whole]
        values = np.empty(shown.shape, _first_that_holds([part for _, part in parts], candidates) or real)
        for place, part in parts:
            values[place] = part
    return values


WIDE = (np.dtype(np.float64), np.dtype(np.int64), np.dtype(np.uint64))  # what bits can stand for


@lru_cache(1000)
def _candidates(dtype: np.dtype[Any], shown: np.dtype[Any]) -> list[np.dtype[Any]]:
    """What a vertex property of `dtype` that is shown without bits may be, the best first; none if it is another thing now."""
    if shown.kind == dtype.kind == "f" or shown == dtype:
        return [dtype, np.promote_types(shown, dtype)]
    if shown.kind in "iu" and dtype.kind in "iu":
        return [dtype, np.promote_types(shown, f"i{dtype.itemsize}")]
    # Whole numbers beyond 32 bits are shown as floats.
    if shown.kind == "f" and (dtype.kind, dtype.itemsize) in (("i", 8), ("u", 8), ("u", 4)):
        return [dtype, np.dtype(np.int64)]
    return []


def _first_that_holds(parts: Sequence[NDArray[Any]], dtypes: Sequence[np.dtype[Any]]) -> np.dtype[Any] | None:
    return next((dtype for dtype in dtypes if all(holds_all(part, dtype) for part in parts)), None)


def holds_all(values: NDArray[Any], dtype: np.dtype[Any]) -> bool:
    """Whether numbers of `dtype` can be all the values."""
    rounds = dtype.kind == "f" and values.dtype.kind in "iu" and values.dtype.itemsize == 8  # which numpy calls safe
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
