"""Which objects the browser acts on: those selected in Blender, and hidden ones, which Blender cannot select.

In Mosaic hidden objects can be selected, to show them again. So hidden objects that were clicked in the browser are
remembered until the selection changes elsewhere.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress

import bpy
from bpy.props import StringProperty

from ...scene.keys import CLASS
from ...scene.outline.tree import Item, name_of, objects_of, sessions_in
from ...session import MosaicError
from ..additions import Addition, state_forgotten
from ..reports import MosaicOperator
from .rows import objects_below

_picked: set[int] = set()  # session_uid of hidden objects
_state: tuple[int, int] = (
    0,
    0,
)  # of Blender's selection when they were picked: the active object, how many are selected


def chosen(context: bpy.types.Context) -> list[bpy.types.Object]:
    """The geometries that are selected, in the order of the browser."""
    ids = chosen_ids(context)
    sessions = sessions_in(context.scene) if ids else []
    objects = {obj: None for session in sessions for obj in objects_of(session) if obj.session_uid in ids}
    return list(objects)


def chosen_ids(context: bpy.types.Context) -> set[int]:
    """The session_uid of the objects that are selected, of whatever kind."""
    ids = {obj.session_uid for obj in context.view_layer.objects.selected}
    return ids | _picked if _picked and _state == _state_of(context) else ids


def is_any_chosen(context: bpy.types.Context) -> bool:
    """Whether `chosen` will have something to give; quick."""
    if _picked and _state == _state_of(context):
        return True
    return any(CLASS in obj for obj in context.view_layer.objects.selected)


def choose(
    context: bpy.types.Context,
    objects: Iterable[bpy.types.Object],
    active: bpy.types.Object | None = None,
    extend: bool = False,
) -> list[bpy.types.Object]:
    """Select objects, and nothing else unless `extend`. Returns those that are not in the view layer, so cannot be selected.

    active: the one to make active; None leaves that to the first, if the active object is not among them.
    """
    layer = context.view_layer
    objects = list(dict.fromkeys(objects))
    _leave_mode(context, active)
    picked = {*_picked} if extend and _state == _state_of(context) else set()
    if not extend:
        unchoose(context, list(layer.objects.selected))
    inside, outside = [], []
    for obj in objects:
        try:
            obj.select_set(True, view_layer=layer)
        except RuntimeError:  # not in the view layer
            outside.append(obj)
            continue
        inside.append(obj)
        if not obj.select_get(view_layer=layer):
            picked.add(obj.session_uid)
    if active in inside:
        layer.objects.active = active
    elif inside and layer.objects.active not in inside:
        layer.objects.active = inside[0]
    _remember(context, picked)
    return outside


def unchoose(context: bpy.types.Context, objects: Iterable[bpy.types.Object]) -> None:
    """Deselect objects."""
    picked = {*_picked} if _state == _state_of(context) else set()
    for obj in objects:
        picked.discard(obj.session_uid)
        with suppress(RuntimeError):  # not in the view layer
            obj.select_set(False, view_layer=context.view_layer)
    _remember(context, picked)


def target_of(context: bpy.types.Context) -> Item | None:
    """The row whose button or menu is used; None elsewhere."""
    return getattr(context, "mosaic_item", None)


def _remember(context: bpy.types.Context, picked: set[int]) -> None:
    global _picked, _state
    _picked, _state = picked, _state_of(context)


def _forget() -> None:
    global _picked, _state
    _picked, _state = set(), (0, 0)


def additions() -> Iterator[Addition]:
    """Which hidden objects were picked."""
    yield state_forgotten(_forget)


def _state_of(context: bpy.types.Context) -> tuple[int, int]:
    active = context.view_layer.objects.active
    return active.session_uid if active is not None else 0, len(context.view_layer.objects.selected)


def _leave_mode(context: bpy.types.Context, active: bpy.types.Object | None) -> None:
    """Go from Edit Mode and the like to Object Mode before another object becomes active, as the Outliner does."""
    current = context.view_layer.objects.active
    if current is not None and current.mode != "OBJECT" and current != active:
        bpy.ops.object.mode_set(mode="OBJECT")


def warn_of_outside(operator: bpy.types.Operator, outside: list[bpy.types.Object]) -> None:
    """Say that objects are in no collection that the view layer shows."""
    if outside:
        name = name_of(outside[0])
        which = f"{name!r} is" if len(outside) == 1 else f"{name!r} and {len(outside) - 1} more are"
        operator.report({"WARNING"}, f"{which} in a collection that is excluded from the view layer")


LINKED = "It comes from a linked file: make a library override or make it local (Object menu) to change it"


class OnChosen(MosaicOperator):
    """What operators on the selection share. From the menu of a row that is not selected, they act on that row.

    editing: whether they change the objects, which those of linked files do not allow.
    """

    editing = True
    # What it acted on, for "Adjust Last Operation", which knows nothing of the row.
    ids: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether something is selected; asked for each button at each redraw, so it looks at one object only."""
        item = target_of(context)
        first = item or next((obj for obj in context.view_layer.objects.selected if CLASS in obj), None)
        if first is None and not is_any_chosen(context):
            cls.poll_message_set("Select objects in the list, or in the view")
            return False
        if cls.editing and first is not None and not first.is_editable:
            cls.poll_message_set(LINKED)
            return False
        return True

    def targets(self, context: bpy.types.Context) -> list[bpy.types.Object]:
        """The objects to act on, in the order of the browser. Raises MosaicError where some may not be edited."""
        if not self.ids:
            item = target_of(context)
            below = objects_below(item) if item is not None else []
            if below and not {obj.session_uid for obj in below} <= chosen_ids(context):
                choose(context, below)
            self.ids = " ".join(str(obj.session_uid) for obj in (chosen(context) or below))
        ids = set(map(int, self.ids.split()))
        sessions = sessions_in(context.scene)
        objects = list(dict.fromkeys(t for session in sessions for t in objects_of(session) if t.session_uid in ids))
        linked = next((obj for obj in objects if not obj.is_editable), None) if self.editing else None
        if linked is not None:
            raise MosaicError(f"{name_of(linked)!r} cannot be changed. {LINKED}.")
        return objects
