"""The Information panel: counts, extent, model, vertex properties and meta of the shown object."""

from collections.abc import Iterator
from typing import Any

import bpy

from ...scene.data.attributes import PointData
from ...scene.data.vertex_properties import column_attributes
from ...scene.drawing import facts
from ...scene.drawing.appearance import number_of
from ...scene.drawing.representations import POINT_REPRESENTATIONS, faces_in_views, representation_of
from ...scene.keys import CLASS
from ..additions import Addition, handler_added, state_forgotten
from ..selection import shown_geometry
from .panel import Section

MAX_ROWS = 50  # of a list; of the rest, only the number is shown
NANOMETRE = 10.0  # angstrom


def _row(layout: bpy.types.UILayout, name: str, *values: str) -> None:
    split = layout.split(factor=0.35)
    split.label(text=name)
    row = split.row()
    for value in values:
        row.label(text=value)


def _shown_data(context: bpy.types.Context) -> PointData | None:
    shown = shown_geometry(context)
    return None if shown is None else facts.shown_data(shown, context.scene.frame_current)


class MOSAIC_PT_information(Section, bpy.types.Panel):
    """Numbers of the active object"""

    bl_label = "Information"
    bl_order = 30
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        shown = shown_geometry(context)
        if shown is None:
            self.layout.label(text="No object selected", icon="INFO")
            return
        column = self.layout.column(align=True)
        _row(column, "Class", CLASS.read(shown) or "unknown")
        for name, value in (facts.model_parameters(shown) | facts.volume_parameters(shown)).items():
            _row(column, name, value)
        steps = facts.frames_of(shown)
        if steps:
            step = facts.frame_at(shown, len(steps), context.scene.frame_current)
            _row(column, "Frames", f"{len(steps):,}, shown is {step + 1:,}")
        data = _shown_data(context)
        counts = facts.counts_of(data) if data is not None else None
        if counts is None:
            column.label(text="Leave Edit Mode to see numbers" if data is not None else "It has no points")
            return
        _row(column, "Points", f"{counts.points:,}")
        part = number_of(shown, "viewport_amount")
        if part is not None and part < 1 and representation_of(shown) in POINT_REPRESENTATIONS:
            _row(column, "In views", f"about {round(part * counts.points):,}")
        faces = faces_in_views(shown)
        if faces is not None:
            _row(column, "In views", f"a coarser surface of {faces:,} faces")
        if counts.faces is not None:
            _row(column, "Faces", f"{counts.faces:,}")
        if counts.lower is not None and counts.upper is not None:
            column.separator()
            _row(column, "Extent", facts.ANGSTROM, "nm")
            for axis, low, high in zip("XYZ", counts.lower, counts.upper, strict=True):
                _row(column, axis, f"{high - low:,.1f}", f"{(high - low) / NANOMETRE:,.2f}")


class MOSAIC_PT_vertex_properties(Section, bpy.types.Panel):
    """The vertex properties of the active object and the range of their values"""

    bl_label = "Vertex Properties"
    bl_parent_id = "MOSAIC_PT_information"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        data = _shown_data(context)
        return data is not None and bool(column_attributes(data))

    def draw(self, context: bpy.types.Context) -> None:
        data = _shown_data(context)
        names = list(column_attributes(data))
        column = self.layout.column(align=True)
        for name in names[:MAX_ROWS]:
            _row(column, name, facts.range_of(data, name) or "being edited")
        if len(names) > MAX_ROWS:
            column.label(text=f"and {len(names) - MAX_ROWS:,} more")


class MOSAIC_PT_meta(Section, bpy.types.Panel):
    """What else the session says of the active object. The Object tab has it as custom properties"""

    bl_label = "Meta"
    bl_parent_id = "MOSAIC_PT_information"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        shown = shown_geometry(context)
        return shown is not None and bool(facts.meta_of(shown))

    def draw(self, context: bpy.types.Context) -> None:
        _draw_entries(self.layout, list(facts.meta_of(shown_geometry(context)).items()), "meta")


def _draw_entries(layout: bpy.types.UILayout, entries: list[tuple[str, Any]], path: str) -> None:
    """Draw plain values as rows and nested ones as parts that fold. path: the name of a part, for Blender's memory."""
    for key, value in entries[:MAX_ROWS]:
        children = facts.children_of(value)
        if children is None:
            _row(layout, key, facts.value_text(value))
            continue
        header, body = layout.panel(f"{path}/{key}", default_closed=True)
        header.label(text=f"{key} ({len(children):,})")
        if body is not None:
            _draw_entries(body, children, f"{path}/{key}")
    if len(entries) > MAX_ROWS:
        layout.label(text=f"and {len(entries) - MAX_ROWS:,} more")


def additions() -> Iterator[Addition]:
    """What notices changes of numbers, and the numbers that are known."""
    yield state_forgotten(facts.forget_all)
    for event, function in facts.HANDLERS:
        yield handler_added(event, function)
