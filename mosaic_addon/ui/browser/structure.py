"""Operators of the browser that change the tree: group, order, duplicate, merge, remove."""

import bpy
from bpy.props import EnumProperty, IntProperty, StringProperty

from ...scene.data.custom_properties import has
from ...scene.keys import CONTAINER
from ...scene.outline.arrange import move_to, new_group, reorder, trees_of, ungroup
from ...scene.outline.duplicate import duplicate, remove
from ...scene.outline.merge import merge
from ...scene.outline.outside import root_of
from ...scene.outline.surface_mesh import surface_of, surface_to_mesh
from ...scene.outline.tree import items_of, name_of, session_of, sessions_in
from ...scene.outline.visibility import is_visible, set_visible
from ...session import MosaicError
from ..reports import OperatorReturn, say_all
from ..selection import choose
from .rows import objects_below
from .targets import OnChosen, target_of


class ChangesTree(OnChosen):
    """Base class of the operators here, which change the tree."""

    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        return {"FINISHED"} if self.change(context, self.targets(context)) else {"CANCELLED"}

    def change(self, context: bpy.types.Context, objects: list[bpy.types.Object]) -> bool:
        """Change the objects. Returns whether anything changed. Raises MosaicError where that is impossible."""
        raise NotImplementedError


class MOSAIC_OT_duplicate(ChangesTree):
    """Copy the selected objects, with data and materials of their own, each behind its original"""

    bl_idname = "mosaic.duplicate"
    bl_label = "Duplicate"

    def change(self, context: bpy.types.Context, objects: list[bpy.types.Object]) -> bool:
        visible = [is_visible(obj, context.view_layer) for obj in objects]
        copies = duplicate(objects)
        set_visible([copy for copy, shown in zip(copies, visible, strict=True) if not shown], False, context.view_layer)
        choose(context, copies)
        return bool(copies)


class MOSAIC_OT_remove(ChangesTree):
    """Remove the selected objects from the session, with their data"""

    bl_idname = "mosaic.remove"
    bl_label = "Remove"

    def change(self, context: bpy.types.Context, objects: list[bpy.types.Object]) -> bool:
        remove(objects)
        self.report({"INFO"}, f"Removed {len(objects)} {'object' if len(objects) == 1 else 'objects'}")
        return True


class MOSAIC_OT_group(ChangesTree):
    """Put the selected objects into a new group"""

    bl_idname = "mosaic.group"
    bl_label = "Group"

    name: StringProperty(name="Name", description="Name of the group", default="New Group")

    def change(self, context: bpy.types.Context, objects: list[bpy.types.Object]) -> bool:
        new_group(objects, self.name)
        return True


class MOSAIC_OT_ungroup(ChangesTree):
    """Take the selected objects out of their groups"""

    bl_idname = "mosaic.ungroup"
    bl_label = "Ungroup"

    def change(self, context: bpy.types.Context, objects: list[bpy.types.Object]) -> bool:
        if not ungroup(objects):
            raise MosaicError("None of the objects is in a group.")
        return True


class MOSAIC_OT_move_to_group(ChangesTree):
    """Move the selected objects into this group, to its end"""

    bl_idname = "mosaic.move_to_group"
    bl_label = "Move to Group"

    group: IntProperty(name="Group", description="The group's number in this run of Blender", options={"HIDDEN"})

    def change(self, context: bpy.types.Context, objects: list[bpy.types.Object]) -> bool:
        for tree in trees_of(objects):
            for group in tree.members:
                if group.session_uid == self.group:
                    move_to(objects, group)
                    return True
        raise MosaicError("Objects can be moved within the clusters or the models of a session only.")


class MOSAIC_OT_move(ChangesTree):
    """Move the selected objects among their neighbours in the list"""

    bl_idname = "mosaic.move"
    bl_label = "Move"

    direction: EnumProperty(
        name="Direction",
        description="Where to move them",
        items=(
            ("UP", "Up", "One row up", "TRIA_UP", 0),
            ("DOWN", "Down", "One row down", "TRIA_DOWN", 1),
            ("TOP", "To Top", "Before all its neighbours", "TRIA_UP_BAR", 2),
            ("BOTTOM", "To Bottom", "Behind all its neighbours", "TRIA_DOWN_BAR", 3),
        ),
    )

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        where = {"UP": "up", "DOWN": "down", "TOP": "to the top", "BOTTOM": "to the bottom"}[properties.direction]
        return f"Move the selected objects {where}, within their group. A group that is selected whole moves as one"

    def change(self, context: bpy.types.Context, objects: list[bpy.types.Object]) -> bool:
        return reorder(objects, self.direction)


class MOSAIC_OT_merge(ChangesTree):
    """Merge the selected objects, of one kind, into the first of them"""

    bl_idname = "mosaic.merge"
    bl_label = "Merge"

    def change(self, context: bpy.types.Context, objects: list[bpy.types.Object]) -> bool:
        sessions = {session_of(obj, context.scene) for obj in objects}
        if len(sessions) > 1 or len(trees_of(objects)) > 1:
            raise MosaicError("Choose objects that are all clusters, or all models, of one session.")
        visible = any(is_visible(obj, context.view_layer) for obj in objects)
        merged = merge(objects, root_of(sessions.pop()))
        if visible:
            set_visible([merged.object], True, context.view_layer)
        choose(context, [merged.object], merged.object)
        if merged.left_out:
            names = ", ".join(merged.left_out)
            self.report({"WARNING"}, f"Not all of them had these, so that they are left out: {names}")
        return True


class MOSAIC_OT_surface_to_mesh(ChangesTree):
    """Make meshes of the surfaces of the selected objects, as models of their own"""

    bl_idname = "mosaic.surface_to_mesh"
    bl_label = "Surface to Mesh"

    def change(self, context: bpy.types.Context, objects: list[bpy.types.Object]) -> bool:
        able = [obj for obj in objects if surface_of(obj) is not None] or objects
        made, troubles = [], []
        for obj in able:
            try:
                made.append(surface_to_mesh(obj, context.scene, context.view_layer))
            except MosaicError as error:
                troubles.append(str(error))
        if not made:
            raise MosaicError(troubles[0])
        choose(context, made)
        say_all(self, "WARNING", troubles, "warnings")
        if len(able) < len(objects):
            self.report({"INFO"}, f"{len(objects) - len(able)} objects have no surface beside their own data")
        return True


class MOSAIC_MT_move_to_group(bpy.types.Menu):
    """The groups beside which the selected objects stand"""

    bl_label = "Move to Group"

    def draw(self, context: bpy.types.Context) -> None:
        for group in groups_beside(context):
            entry = self.layout.operator(MOSAIC_OT_move_to_group.bl_idname, text=name_of(group))
            entry.group = group.session_uid


def groups_beside(context: bpy.types.Context) -> list[bpy.types.Collection]:
    """Return the groups of the container that holds the menu's row or, without a row, the active object."""
    item = target_of(context) or context.view_layer.objects.active
    objects = objects_below(item) if item is not None else []
    for session in sessions_in(context.scene) if objects else ():
        for container in session.children_recursive:
            if has(container, CONTAINER) and objects[0] in container.all_objects[:]:
                return [child for child in items_of(container) if isinstance(child, bpy.types.Collection)]
    return []
