"""What an operator of the browser acts on: the chosen objects, or the row whose menu was used."""

import bpy
from bpy.props import StringProperty

from ...scene.keys import ITEM
from ...scene.outline.tree import Item, name_of, objects_of, sessions_in
from ...session import MosaicError
from ..reports import MosaicOperator
from ..selection import choose, chosen_geometries, chosen_ids, first_chosen
from .rows import objects_below

LINKED = "It comes from a linked file: make a library override or make it local (Object menu) to change it"


class OnChosen(MosaicOperator):
    """Base class of operators on the chosen objects. From the menu of a row that is not selected, they act on that row.

    editing: whether they change the objects. Those of linked files cannot be changed.
    """

    editing = True
    # What was acted on, for "Adjust Last Operation", which does not know the row.
    ids: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether something is chosen. Each button asks it at each redraw, so it looks at one object only."""
        first = target_of(context) or first_chosen(context)
        if first is None:
            cls.poll_message_set("Select objects in the list, or in the view")
            return False
        if cls.editing and not first.is_editable:
            cls.poll_message_set(LINKED)
            return False
        return True

    def targets(self, context: bpy.types.Context) -> list[bpy.types.Object]:
        """Return the objects to act on, in the browser's order. Raises MosaicError if one of them cannot be changed."""
        if not self.ids:
            item = target_of(context)
            below = objects_below(item) if item is not None else []
            if below and not {obj.session_uid for obj in below} <= chosen_ids(context):
                choose(context, below)
            self.ids = " ".join(str(obj.session_uid) for obj in (chosen_geometries(context) or below))
        objects = in_order(context.scene, set(map(int, self.ids.split())))
        linked = next((obj for obj in objects if not obj.is_editable), None) if self.editing else None
        if linked is not None:
            raise MosaicError(f"{name_of(linked)!r} cannot be changed. {LINKED}.")
        return objects


def target_of(context: bpy.types.Context) -> Item | None:
    """Return the item of the row whose button or menu is used; None elsewhere."""
    return getattr(context, ITEM, None)


def in_order(scene: bpy.types.Scene, ids: set[int]) -> list[bpy.types.Object]:
    """Return the geometries of a scene's sessions that have one of these session_uid, in the browser's order."""
    objects = (obj for session in sessions_in(scene) for obj in objects_of(session))
    return list(dict.fromkeys(obj for obj in objects if obj.session_uid in ids))


def warn_of_outside(operator: bpy.types.Operator, outside: list[bpy.types.Object]) -> None:
    """Report objects that cannot be selected or shown, as the view layer excludes their collections."""
    if outside:
        name = name_of(outside[0])
        which = f"{name!r} is" if len(outside) == 1 else f"{name!r} and {len(outside) - 1} more are"
        operator.report({"WARNING"}, f"{which} in a collection that is excluded from the view layer")
