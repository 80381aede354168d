"""Mosaic's session file, read and written with numpy and the standard library alone."""

from .decode import open_session
from .errors import MosaicError
from .session import Container, Geometry, Group, Session

__all__ = ["Container", "Geometry", "Group", "MosaicError", "Session", "open_session"]
