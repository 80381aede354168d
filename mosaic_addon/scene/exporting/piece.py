"""A geometry on its way from Blender into a file."""

from dataclasses import dataclass, field
from typing import Any

import bpy

from ...session.nodes import Formed, Node, ObjectNode
from ...session.values import uuid_of
from ..outline.tree import name_of
from .changes import Change, Kind, Subject
from .object_arrays import Source


@dataclass(slots=True)
class Piece:
    """A geometry on its way into a file.

    part: its node, or what makes the node. index: its number in the file's container, None for what is new there.
    origin: the container and number that it was read from. edits: the details of what was changed since, as in a
    `Change`, by kind. uuid: None where the release has none.
    """

    obj: bpy.types.Object
    part: ObjectNode | Formed
    source: Source
    container: str
    index: int | None
    uuid: str | None
    edits: dict[Kind, tuple[Any, ...]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    origin: tuple[str, int] | None = None
    read_name: str | None = None  # what it was called in the file

    @property
    def node(self) -> ObjectNode:
        """Return the node, to be examined and changed. Writing it takes `part` alone, which saves making the node."""
        part = self.part
        if isinstance(part, Formed):
            part = self.part = part.make()
        return part

    @property
    def read_uuid(self) -> Node:
        """Return the uuid that its node has."""
        return self.part.own[1] if type(self.part) is Formed else uuid_of(self.part)

    @property
    def _name(self) -> str:
        return name_of(self.obj) if self.read_name is None else self.read_name

    @property
    def label(self) -> str:
        """Return what it is called in sentences."""
        return f"{self.container} {self._name!r}"

    @property
    def changes(self) -> list[Change]:
        """Return what was edited, in the order in which it is told."""
        subject = Subject(self.container, self._name)
        return [Change(kind, subject, details) for kind, details in self.edits.items()]

    def add_edit(self, kind: Kind, *details: Any) -> None:
        """Note one more edit of a kind of which there may be several."""
        self.edits[kind] = (*self.edits.get(kind, ()), details)
