"""Duplicate and remove objects of a session, with all that is theirs alone, so that no data are left astray."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

import bpy

from ..compat import ModifierInputs
from ..data.custom_properties import clean_text
from ..drawing.representations import modifier_of
from ..keys import NAME, SHARED, SHOWN, UUID
from .arrange import trees_of
from .naming import note_name
from .tree import name_of


def duplicate(objects: Sequence[bpy.types.Object]) -> list[bpy.types.Object]:
    """Copies of objects, each behind its original in the browser and under the same name, with data and materials of their own.

    What their Geometry Nodes refer to (volumes, surfaces, the steps of a trajectory) they share, as with Blender's Duplicate.
    Raises MosaicError for objects of a linked file.
    """
    trees = trees_of(objects)
    copies = {obj: _copy(obj) for obj in objects}
    for tree in trees:
        for siblings in (tree.items, *tree.members.values()):
            siblings[:] = [each for item in siblings for each in ([item, copies[item]] if item in copies else [item])]
        tree.write()
    return list(copies.values())


def _copy(obj: bpy.types.Object) -> bpy.types.Object:
    copy = obj.copy()
    copy.data = obj.data.copy()
    _own_animation(copy, copy.data)
    for slot in copy.material_slots:
        if slot.link == "OBJECT" and slot.material is not None and SHARED not in slot.material:
            slot.material = slot.material.copy()
            _own_animation(slot.material, slot.material.node_tree)
    copy[NAME] = name = clean_text(name_of(obj))
    note_name(copy, SHOWN, name, copy.name)
    copy[UUID] = str(uuid.uuid4())
    return copy


def _own_animation(*owners: Any) -> None:
    for owner in owners:
        animation = owner.animation_data if owner is not None else None
        if animation is not None and animation.action is not None:
            animation.action = animation.action.copy()


def remove(objects: Iterable[bpy.types.Object]) -> None:
    """Take objects out of their session, and of the file unless they are linked elsewhere, too.

    With them go their data, materials, surfaces, trajectory steps and animations that nothing else uses; groups that lose their
    last object go as well. Raises MosaicError for objects of a linked file.
    """
    unique = list(dict.fromkeys(objects))
    for tree in trees_of(unique):
        tree.take(unique)
        tree.write()
    gone = [obj for obj in unique if not obj.users_collection]
    parts = [part for obj in gone for part in _parts(obj)]
    bpy.data.batch_remove(gone)
    while parts:
        parts = [part for part in dict.fromkeys(parts) if not part.users]
        inner = [each for part in parts for each in _parts(part)]
        bpy.data.batch_remove(parts)
        parts = inner


def _parts(owner: Any) -> list[bpy.types.ID]:
    """What a datablock refers to that may be its alone."""
    parts: list[Any] = [owner.animation_data.action] if getattr(owner, "animation_data", None) else []
    if isinstance(owner, bpy.types.Object):
        parts += [owner.data, *(slot.material for slot in owner.material_slots)]
        modifier = modifier_of(owner)
        if modifier is not None:
            inputs = ModifierInputs(modifier.node_group)
            parts += [inputs.get(modifier, name) for name in ("Surface", "Frames") if name in inputs]
    elif isinstance(owner, bpy.types.Collection):
        parts += owner.objects[:]
    elif isinstance(owner, bpy.types.Material) and owner.node_tree is not None and owner.node_tree.animation_data:
        parts.append(owner.node_tree.animation_data.action)
    return [part for part in parts if part is not None and SHARED not in part]
