"""The panel "Tomogram": what is open, its slices and how they look, and density on surfaces."""

import ntpath
from collections.abc import Iterator
from contextlib import suppress

import bpy
from bpy.app.handlers import persistent

from ...scene.keys import SLICE_VIEW, TOMOGRAM_VIEW
from ...scene.outline.tree import active_session, sessions_in
from ...scene.tomograms.nodes import SETTINGS
from ...scene.tomograms.reading import megabytes_of, paths_named_by, said_of, shown_in_full
from ...scene.tomograms.slices import axis_of, number_of, slices_of
from ...scene.tomograms.tomogram import group_of, tomograms_in, volume_of
from ...session import MosaicError
from ...session.errors import printable
from ..additions import Addition, handler_added, state_forgotten
from ..selection import edited_geometries
from ..shading import draw_what_is_not_shown
from .look import (
    MOSAIC_OT_choose_tomogram,
    MOSAIC_OT_fit_contrast,
    MOSAIC_OT_keep_density,
    MOSAIC_OT_remove_tomogram,
    MOSAIC_OT_wear_tomogram,
)
from .reading import MOSAIC_OT_open_tomogram, MOSAIC_OT_read_tomogram_again
from .slices import (
    MOSAIC_OT_add_slice,
    MOSAIC_OT_choose_slice,
    MOSAIC_OT_cut_at_slice,
    MOSAIC_OT_remove_slice,
    MOSAIC_OT_show_full_slice,
    MOSAIC_OT_show_slice,
    shown_tomogram,
)

OFFERED = 4  # paths that a session names
PLANES = ("XY", "XZ", "YZ", "VIEW")

_named: dict[int, tuple[str, ...]] = {}  # what sessions name, by their session_uid


class MOSAIC_PT_tomogram(bpy.types.Panel):
    """The tomogram that the session was segmented in"""

    bl_label = "Tomogram"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Mosaic"
    bl_order = 25
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        boxes = tomograms_in(context.scene)
        shown = shown_tomogram(context)
        if len(boxes) > 1:
            column = layout.column(align=True)
            for box in boxes:
                row = column.row(align=True)
                row.operator(
                    MOSAIC_OT_choose_tomogram.bl_idname, text=box.name, depress=box == shown
                ).tomogram = box.name
        if shown is not None:
            _draw_tomogram(layout, shown)
        row = layout.row(align=True)
        row.operator(MOSAIC_OT_open_tomogram.bl_idname, text="Open Tomogram...", icon="FILE_FOLDER")
        if shown is None:
            _draw_offer(layout, context)


class _Part:
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Mosaic"
    bl_parent_id = "MOSAIC_PT_tomogram"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return shown_tomogram(context) is not None


class MOSAIC_PT_tomogram_slices(_Part, bpy.types.Panel):
    """Planes that show the tomogram"""

    bl_label = "Slices"

    def draw(self, context: bpy.types.Context) -> None:
        box = shown_tomogram(context)
        assert box is not None  # poll has seen to it
        layout = self.layout
        draw_what_is_not_shown(layout, context)
        found = slices_of(box)
        column = layout.column(align=True)
        for obj in found:
            row = column.row(align=True)
            row.operator(MOSAIC_OT_choose_slice.bl_idname, text=obj.name, depress=obj == context.object).item = obj.name
            row.prop(getattr(obj, SLICE_VIEW), "number", text="")
            row.operator(
                MOSAIC_OT_show_slice.bl_idname,
                text="",
                icon="HIDE_ON" if obj.hide_render else "HIDE_OFF",
            ).item = obj.name
            row.operator(MOSAIC_OT_remove_slice.bl_idname, text="", icon="X").item = obj.name
        row = layout.row(align=True)
        for plane in PLANES:
            button = row.operator(
                MOSAIC_OT_add_slice.bl_idname, text=plane.capitalize() if plane == "VIEW" else plane, icon="ADD"
            )
            button.tomogram, button.plane = box.name, plane  # type: ignore[assignment]
        if context.object in found:
            with suppress(MosaicError):  # it was tampered with, as the first lines of the panel say
                _draw_slice(layout, context.object)


class MOSAIC_PT_tomogram_look(_Part, bpy.types.Panel):
    """How slices and surfaces show the tomogram"""

    bl_label = "Contrast"

    def draw(self, context: bpy.types.Context) -> None:
        box = shown_tomogram(context)
        assert box is not None  # poll has seen to it
        try:
            nodes = group_of(box).nodes
        except MosaicError:
            return
        layout = self.layout
        layout.operator(MOSAIC_OT_fit_contrast.bl_idname, icon="IMAGE_ZDEPTH").tomogram = box.name
        column = layout.column()
        column.use_property_split = True
        view = getattr(box, TOMOGRAM_VIEW)
        for name in SETTINGS:
            if name == "Invert":
                column.prop(view, "invert")
            else:
                column.prop(nodes[name].outputs[0], "default_value", text=name)
        column.prop(view, "color_map")
        column.prop(view, "average")


class MOSAIC_PT_tomogram_surfaces(_Part, bpy.types.Panel):
    """Density on points, meshes and membranes"""

    bl_label = "On Surfaces"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        box = shown_tomogram(context)
        assert box is not None  # poll has seen to it
        column = self.layout.column(align=True)
        count = len(edited_geometries(context))
        column.label(text=f"{count} selected" if count else "Select objects of the session", icon="RESTRICT_SELECT_OFF")
        for operator, icon in ((MOSAIC_OT_wear_tomogram, "MATERIAL"), (MOSAIC_OT_keep_density, "GROUP_VERTEX")):
            column.operator(operator.bl_idname, icon=icon).tomogram = box.name  # type: ignore[arg-type]
        column.operator("mosaic.uncolor", text="Show Base Colour", icon="X")


def _draw_tomogram(layout: bpy.types.UILayout, box: bpy.types.Object) -> None:
    try:
        volume = volume_of(box)
        size = megabytes_of(box)
    except MosaicError as error:
        layout.label(text=str(error), icon="ERROR")
        layout.operator(MOSAIC_OT_remove_tomogram.bl_idname, icon="X").tomogram = box.name
        return
    column = layout.column(align=True)
    column.label(text=box.name, icon="IMAGE_DATA")
    for part in said_of(box).split(", "):
        column.label(text=part, icon="BLANK1")
    column.label(text=f"{size:.0f} MB in the .blend", icon="BLANK1")
    row = layout.row(align=True)
    if volume.path:
        row.operator(
            MOSAIC_OT_read_tomogram_again.bl_idname, text="Read Again...", icon="FILE_REFRESH"
        ).tomogram = box.name
    row.operator(MOSAIC_OT_remove_tomogram.bl_idname, text="Remove", icon="X").tomogram = box.name


def _draw_slice(layout: bpy.types.UILayout, obj: bpy.types.Object) -> None:
    column = layout.column()
    column.use_property_split = True
    view = getattr(obj, SLICE_VIEW)
    row = column.row(align=True)
    row.use_property_decorate = False
    row.prop(view, "position", text="Position (nm)")
    axis = axis_of(obj)
    if axis is not None:
        row.prop_decorator(obj, "location", index=axis)
    row = column.row(align=True)
    row.use_property_decorate = False
    row.prop(view, "opacity")
    row.prop_decorator(obj, "color", index=3)
    box = obj.parent
    if axis is not None and box is not None and volume_of(box).path:
        is_full = (axis, round(number_of(obj), 3)) in shown_in_full(box)
        text = "Shown at Full Resolution" if is_full else "Full Resolution"
        layout.operator(
            MOSAIC_OT_show_full_slice.bl_idname, text=text, depress=is_full, icon="FULLSCREEN_ENTER"
        ).item = obj.name
    layout.operator(MOSAIC_OT_cut_at_slice.bl_idname, icon="MOD_BOOLEAN").item = obj.name


def _draw_offer(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Offer the tomograms that a session names. No file is looked at before somebody says so."""
    session = active_session(context) or next(iter(sessions_in(context.scene)), None)
    if session is None:
        return
    number = session.session_uid
    if number not in _named:
        _named[number] = paths_named_by(session)
    for path in _named[number][:OFFERED]:
        name = printable(ntpath.basename(path))
        row = layout.row(align=True)
        row.label(text=f"This session names {name}")
        row.operator(MOSAIC_OT_open_tomogram.bl_idname, text="Open").filepath = path


@persistent
def _forget(*_: object) -> None:
    _named.clear()


def additions() -> Iterator[Addition]:
    """What sessions name."""
    yield state_forgotten(_named.clear)
    yield handler_added("load_post", _forget)
