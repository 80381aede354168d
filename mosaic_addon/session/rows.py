"""Arrays whose rows are made when they are asked for, so that a large one is never in memory as a whole."""

from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

SLAB = 2**23  # bytes of rows that are made at a time


class Rows:
    """An array, (n,) or (n, k), that makes its rows when they are asked for. numpy's functions make all of them.

    make: returns the rows from one number to another, of the array's dtype. fortran: in a file it stands in Fortran's
    order, column by column.
    """

    __slots__ = ("_make", "dtype", "fortran", "shape")

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        make: Callable[[int, int], NDArray[Any]],
        fortran: bool = False,
    ) -> None:
        self.shape = shape
        self.dtype = dtype
        self.fortran = fortran
        self._make = make

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        start, stop, _ = rows.indices(len(self))
        return self._make(start, max(start, stop))

    def slabs(self) -> Iterator[NDArray[Any]]:
        """Yield all rows, some megabytes at a time. A slab is only good until the next one."""
        step = slab_of(len(self), self.nbytes)
        for start in range(0, len(self), step):
            yield self._make(start, min(start + step, len(self)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        values = np.empty(self.shape, self.dtype)
        done = 0
        for slab in self.slabs():
            values[done : done + len(slab)] = slab
            done += len(slab)
        return values if dtype is None else values.astype(dtype, copy=False)


def slab_of(count: int, size: int) -> int:
    """Return how many of `count` rows, which have `size` bytes together, are made at a time."""
    return max(1, SLAB * count // max(size, 1))


def slabs_of(values: NDArray[Any] | Rows) -> Iterator[NDArray[Any]]:
    """Yield the rows of an array: all at once, or some at a time where they are made for that."""
    return values.slabs() if isinstance(values, Rows) else iter((values,))


def is_fortran(values: NDArray[Any] | Rows) -> bool:
    """Return whether an array stands in Fortran's order in a file."""
    if isinstance(values, Rows):
        return values.fortran
    return values.flags.f_contiguous and not values.flags.c_contiguous


def buffers_of(values: NDArray[Any] | Rows) -> Iterator[memoryview]:
    """Yield the bytes of an array as they stand in a file."""
    if isinstance(values, Rows) and values.fortran and values.ndim > 1:
        for column in range(values.shape[1]):
            yield from (_bytes_of(slab[:, column]) for slab in values.slabs())
    elif isinstance(values, Rows):
        yield from map(_bytes_of, values.slabs())
    else:
        yield _bytes_of(values.T if is_fortran(values) else values)


def _bytes_of(values: NDArray[Any]) -> memoryview:
    return np.ascontiguousarray(values).reshape(-1).view(np.uint8).data
