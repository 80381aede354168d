"""What is to be saved, from which scene and how, and the notes that are made of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import bpy

from ...session.releases import NEWEST, Spelling, spelling_of
from ..keys import SESSION
from ..outline.outside import root_of
from ..record import SessionRecord, unpack_session


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """How a scene becomes a session.

    target: one of `releases.TARGETS`, to write as that release of Mosaic does; None for the one that the session came
    from. apply_modifiers: write what the objects' modifiers make of their points and faces, but for the one that draws
    them. angstrom_per_unit: the length of a Blender unit for objects without a session.
    """

    target: str | None = None
    apply_modifiers: bool = False
    angstrom_per_unit: float = 1000.0


@dataclass(frozen=True, slots=True)
class Scope:
    """A session, or single objects, and where they are saved from.

    session: its collection, None for single objects. scene, layer: where the session is linked; their eyes tell what is
    visible. root, record: of the session. release, spelling: the release that it came from, and how that writes one.
    layout: of the file that it was read from or last saved to.
    """

    session: bpy.types.Collection | None
    objects: Sequence[bpy.types.Object]
    scene: bpy.types.Scene
    layer: bpy.types.ViewLayer
    options: ExportOptions
    root: bpy.types.Object | None
    record: SessionRecord | None
    release: str
    spelling: Spelling
    layout: Literal["pickle", "indexed"]


def scope_of_session(
    session: bpy.types.Collection, scene: bpy.types.Scene, layer: bpy.types.ViewLayer, options: ExportOptions
) -> Scope:
    """Return the scope of a session. Raises MosaicError when its record was tampered with."""
    said = SESSION.read(session) or {}
    release = said.get("release", NEWEST.release)
    layout: Literal["pickle", "indexed"] = "indexed" if said.get("layout") == "indexed" else "pickle"
    root, record = root_of(session), unpack_session(session)
    return Scope(session, (), scene, layer, options, root, record, release, spelling_of(release), layout)


def scope_of_objects(
    objects: Sequence[bpy.types.Object], scene: bpy.types.Scene, layer: bpy.types.ViewLayer, options: ExportOptions
) -> Scope:
    """Return the scope of single objects, which are written as the newest release does."""
    return Scope(None, objects, scene, layer, options, None, None, NEWEST.release, NEWEST, "pickle")


@dataclass(slots=True)
class Notes:
    """Sentences for the user beside the changes: objects that are left out, and warnings."""

    left_out: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
