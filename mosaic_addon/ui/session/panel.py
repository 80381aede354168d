"""The panel "Session": what is open, its file and counts; load, save, reload, close."""

import ntpath
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bpy
import bpy.utils.previews
import numpy as np
from bpy.app.handlers import persistent
from bpy.props import StringProperty

from ...scene.data.custom_properties import has
from ...scene.exporting.save import file_of, thumbnail_of
from ...scene.keys import FOLLOW, RECORD, SESSION
from ...scene.outline.outside import root_of
from ...scene.outline.tree import CONTAINERS, active_session, container_of, items_of, sessions_in
from ...scene.record import unpack_session
from ...session import MosaicError
from ...session.errors import printable
from ..additions import Addition, handler_added
from ..reports import MosaicOperator, OperatorReturn
from ..steps import draw_progress
from .follow import is_unreadable
from .load import MOSAIC_OT_load_session
from .opening import MOSAIC_OT_close_session
from .png import read_png
from .reload import MOSAIC_OT_reload_session
from .save import MOSAIC_OT_save_session, MOSAIC_OT_save_session_as
from .unsaved import is_unsaved
from .view import MOSAIC_OT_frame_session

PICTURE_SCALE = 8.0  # height of the thumbnail, in icons
MAX_PICTURES = 16  # that are kept

_pictures: bpy.utils.previews.ImagePreviewCollection | None = None


class MOSAIC_OT_activate_session(MosaicOperator):
    """Work on this session: Save, Reload and Close act on the active one"""

    bl_idname = "mosaic.activate_session"
    bl_label = "Activate Session"
    bl_options = {"INTERNAL", "UNDO"}

    session: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        session = next((s for s in sessions_in(context.scene) if s.name == self.session), None)
        target = next((t for t in (root_of(session), *session.all_objects) if t), None) if session else None
        if target is None or target.name not in context.view_layer.objects:
            raise MosaicError(f"{self.session!r} has no object in this view layer to make active.")
        for obj in context.selected_objects:
            obj.select_set(False)
        context.view_layer.objects.active = target
        target.select_set(True)
        return {"FINISHED"}


class MOSAIC_PT_session(bpy.types.Panel):
    """The sessions of the scene"""

    bl_label = "Session"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Mosaic"
    bl_order = 0

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        """Draw the name and Save beside the title, for when the panel is folded."""
        session = active_session(context)
        if session is not None:
            unsaved = is_unsaved(session)
            row = self.layout.row(align=True)
            row.label(text=f"{session.name}*" if unsaved else session.name)
            row.operator(MOSAIC_OT_save_session.bl_idname, text="", icon="FILE_TICK", emboss=False)

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        draw_progress(layout)
        sessions = sessions_in(context.scene)
        if not sessions:
            column = layout.column(align=True)
            column.label(text="No session.")
            column.label(text="Load one or drop a .pickle here.")
            column.separator()
            column.operator(MOSAIC_OT_load_session.bl_idname, text="Load", icon="FILE_FOLDER")
            return
        active = active_session(context)
        if len(sessions) > 1:
            column = layout.column(align=True)
            for session in sessions:
                row = column.row(align=True)
                text = f"{session.name}*" if is_unsaved(session) else session.name
                button = row.operator(MOSAIC_OT_activate_session.bl_idname, text=text, depress=session == active)
                button.session = session.name
        if active is None:
            layout.label(text="Choose a session", icon="INFO")
        else:
            _draw_session(layout, active)
        _draw_buttons(layout, active)


def _draw_session(layout: bpy.types.UILayout, session: bpy.types.Collection) -> None:
    picture = _picture_of(session)
    if picture:
        layout.template_icon(icon_value=picture, scale=PICTURE_SCALE)
    column = layout.column(align=True)
    path = file_of(session)
    folder, name = ntpath.split(path)  # which knows paths of every system
    name = name or session.name
    unsaved = is_unsaved(session)  # said in lines that are there anyway: another would move the panels below
    if unsaved:
        column.label(text=f"{name}*", icon="ERROR")
    else:
        column.label(text=name, icon="FILE_TICK" if path else "FILE_NEW")
    if folder:
        column.label(text=printable(folder), icon="BLANK1")
    if session.library is not None:
        column.label(text="Linked; edit it in its own .blend", icon="LINKED")
    release = (SESSION.read(session) or {}).get("release", "")
    column.label(text=f"Mosaic {release}" + (", unsaved changes" if unsaved else ""), icon="BLANK1")
    for container in CONTAINERS:
        column.label(text=_count(session, container), icon="BLANK1")


def _count(session: bpy.types.Collection, name: str) -> str:
    container = container_of(session, name)
    if container is None:
        return f"No {name}"
    count = len(container.all_objects)
    groups = sum(isinstance(item, bpy.types.Collection) for item in items_of(container))
    one = name[:-1] if count == 1 else name
    return f"{count} {one}, {groups} group{'s' if groups != 1 else ''}" if groups else f"{count} {one}"


def _draw_buttons(layout: bpy.types.UILayout, session: bpy.types.Collection | None) -> None:
    column = layout.column(align=True)
    row = column.row(align=True)
    load = row.operator(MOSAIC_OT_load_session.bl_idname, text="Load", icon="FILE_FOLDER")
    load.replace = True
    row.operator(MOSAIC_OT_load_session.bl_idname, text="Add", icon="ADD")
    row = column.row(align=True)
    row.operator(MOSAIC_OT_save_session.bl_idname, text="Save", icon="FILE_TICK")
    row.operator(MOSAIC_OT_save_session_as.bl_idname, text="Save As")
    row = column.row(align=True)
    row.operator(MOSAIC_OT_reload_session.bl_idname, text="Reload", icon="FILE_REFRESH")
    row.operator(MOSAIC_OT_close_session.bl_idname, text="Close", icon="X")
    if session is not None and session.library is None:
        row = layout.row()
        row.prop(session, FOLLOW)
        row.operator(MOSAIC_OT_frame_session.bl_idname, text="Frame", icon="VIEWZOOM")
        row.operator("mosaic.open_tomogram", text="", icon="VOLUME_DATA")  # by name: its room is above this one
        if is_unreadable(session):
            layout.label(text="Not reloaded yet; Reload says why", icon="ERROR")


# --- the thumbnail ---------------------------------------------------------------------------------------------------


def _picture_of(session: bpy.types.Collection) -> int:
    """Return the icon of a session's thumbnail, 0 without one. It is made once for each thumbnail."""
    if _pictures is None or not has(session, RECORD):
        return 0
    renewed = thumbnail_of(session)
    key = f"{session.session_uid}-{0 if renewed is None else hash(renewed)}"
    if key in _pictures:
        return _icon_of(_pictures[key])
    if len(_pictures) >= MAX_PICTURES:
        _pictures.clear()
    preview: Any = _pictures.new(key)
    try:
        record = unpack_session(session)
        section = record.sections.get("thumbnail") if record is not None else None
        data = section.data if renewed is None and section is not None else renewed
        if data is not None:
            pixels = read_png(data)[::-1].astype(np.float32) / 255
            preview.image_size = (pixels.shape[1], pixels.shape[0])
            preview.image_pixels_float.foreach_set(pixels.reshape(-1))
    except MosaicError:
        pass  # a session with a damaged thumbnail has none
    return _icon_of(preview)


def _icon_of(preview: Any) -> int:
    return preview.icon_id if preview.image_size[0] else 0


def additions() -> Iterator[Addition]:
    """Room for thumbnails, which go with the .blend."""
    yield _pictures_kept()
    yield handler_added("load_post", _forget_pictures)


@persistent
def _forget_pictures(*_: object) -> None:
    if _pictures is not None:
        _pictures.clear()


@contextmanager
def _pictures_kept() -> Iterator[None]:
    global _pictures
    _pictures = bpy.utils.previews.new()
    try:
        yield
    finally:
        bpy.utils.previews.remove(_pictures)
        _pictures = None
