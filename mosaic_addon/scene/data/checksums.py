"""Check sums of arrays, which tell whether an array was edited."""

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...session.rows import Rows, slabs_of


def checksum(values: NDArray[Any] | Rows, before: int = 0) -> int:
    """Return the CRC-32 of an array's values in C order, 0 to 2**32 - 1; it depends on the order of the values, too.

    before: that of the rows before these.
    """
    for slab in slabs_of(values):
        before = zlib.crc32(np.ascontiguousarray(slab).data, before)
    return before
