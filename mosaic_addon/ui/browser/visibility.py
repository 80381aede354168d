"""Operators of the browser's eyes and menu: show, hide, isolate."""

from collections.abc import Iterable

import bpy
from bpy.props import BoolProperty

from ...scene.outline.tree import objects_of, sessions_in
from ...scene.outline.visibility import is_visible, set_visible
from ..reports import MosaicOperator, OperatorReturn
from ..selection import choose
from .rows import objects_below
from .targets import OnChosen, target_of, warn_of_outside


class ShowsObjects(OnChosen):
    """Base class of operators that show and hide objects. What they act on stays chosen."""

    bl_options = {"REGISTER", "UNDO"}
    editing = False

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        objects = self.targets(context)
        self.show(context, objects)
        choose(context, objects, context.view_layer.objects.active)
        return {"FINISHED"}

    def show(self, context: bpy.types.Context, objects: list[bpy.types.Object]) -> None:
        """Show and hide what is to be. objects: those that are acted on."""
        raise NotImplementedError


class MOSAIC_OT_set_visibility(ShowsObjects):
    """Show or hide the selected objects"""

    bl_idname = "mosaic.set_visibility"
    bl_label = "Show or Hide"

    visible: BoolProperty(name="Visible", description="Show the objects, else hide them", default=True)

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return f"{'Show' if properties.visible else 'Hide'} the selected objects, also in pictures"

    def show(self, context: bpy.types.Context, objects: list[bpy.types.Object]) -> None:
        _set(self, context, objects, self.visible)


class MOSAIC_OT_toggle_visibility(ShowsObjects):
    """Hide the selected objects, or show them if all are hidden; also in pictures"""

    bl_idname = "mosaic.toggle_visibility"
    bl_label = "Hide or Show Selected"

    def show(self, context: bpy.types.Context, objects: list[bpy.types.Object]) -> None:
        _set(self, context, objects, not any(is_visible(obj, context.view_layer) for obj in objects))


class MOSAIC_OT_toggle_heading(MosaicOperator):
    """Hide all objects below, or show them if all are hidden; also in pictures"""

    bl_idname = "mosaic.toggle_heading"
    bl_label = "Hide or Show Group"
    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return target_of(context) is not None

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        objects = objects_below(target_of(context))
        _set(self, context, objects, not any(is_visible(obj, context.view_layer) for obj in objects))
        return {"FINISHED"}


class MOSAIC_OT_isolate(ShowsObjects):
    """Show only the selected objects of the session, and hide its others; also in pictures"""

    bl_idname = "mosaic.isolate"
    bl_label = "Isolate"

    def show(self, context: bpy.types.Context, objects: list[bpy.types.Object]) -> None:
        _set(self, context, _others(context, objects), False)
        _set(self, context, objects, True)


class MOSAIC_OT_show_all(MosaicOperator):
    """Show all objects of all sessions in the scene, also in pictures"""

    bl_idname = "mosaic.show_all"
    bl_label = "Show All"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if sessions_in(context.scene):
            return True
        cls.poll_message_set("There is no session in the scene")
        return False

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        objects = [obj for session in sessions_in(context.scene) for obj in objects_of(session)]
        _set(self, context, objects, True)
        return {"FINISHED"}


def _others(context: bpy.types.Context, objects: Iterable[bpy.types.Object]) -> list[bpy.types.Object]:
    """Return all other objects of the sessions that objects are of."""
    ids = {obj.session_uid for obj in objects}
    of_sessions = [list(objects_of(session)) for session in sessions_in(context.scene)]
    return [
        obj
        for siblings in of_sessions
        if any(obj.session_uid in ids for obj in siblings)
        for obj in siblings
        if obj.session_uid not in ids
    ]


def _set(
    operator: bpy.types.Operator, context: bpy.types.Context, objects: Iterable[bpy.types.Object], visible: bool
) -> None:
    warn_of_outside(operator, set_visible(objects, visible, context.view_layer))
