"""Opening files that may come from strangers: regular ones alone, and without waiting for anybody."""

import os
import stat
from typing import BinaryIO

from .errors import MosaicError


def open_regular_file(path: str | os.PathLike[str], folder: str) -> BinaryIO:
    """Open a regular file for reading. folder: what is said where the path is one, such as "is a folder; choose a file".

    Raises MosaicError, in words that follow the file's name, for anything else and what cannot be opened.
    """
    try:  # with O_NONBLOCK, so that opening a FIFO does not wait for someone to write
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        raise MosaicError("does not exist; check the path") from None
    except (OSError, ValueError) as error:
        if os.path.isdir(path):
            raise MosaicError(folder) from None
        raise MosaicError(f"cannot be opened: {getattr(error, 'strerror', None) or error}") from error
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        raise MosaicError(folder if stat.S_ISDIR(mode) else "is not a regular file, so it is not opened")
    return os.fdopen(handle, "rb")
