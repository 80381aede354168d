"""Duplicating and removing objects of a session together with the data that nothing else uses."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

import bpy

from ..data.custom_properties import clean_text, has
from ..drawing.parts import is_part
from ..drawing.representations import PART_INPUTS, inputs_of, modifier_of
from ..keys import NAME, SHARED, SHOWN, UUID
from .arrange import trees_of
from .naming import note_name
from .tree import name_of


def duplicate(objects: Sequence[bpy.types.Object]) -> list[bpy.types.Object]:
    """Copy objects with their data and materials. Each copy stands behind its original, under the same name.

    Volumes, surfaces and the frames of a trajectory, to which Geometry Nodes refer, are shared with the original, as
    with Blender's own Duplicate. Raises MosaicError for objects that are linked from another .blend.
    """
    trees = trees_of(objects)
    copies = {obj: _copy(obj) for obj in objects}
    for tree in trees:
        lists: list[list[Any]] = [tree.items, *tree.members.values()]
        for siblings in lists:
            siblings[:] = [each for item in siblings for each in ([item, copies[item]] if item in copies else [item])]
        tree.write()
    return list(copies.values())


def _copy(obj: bpy.types.Object) -> bpy.types.Object:
    copy = obj.copy()
    copy.data = obj.data.copy()
    _own_animation(copy, copy.data)
    for slot in copy.material_slots:
        material = slot.material
        if slot.link == "OBJECT" and material is not None and not has(material, SHARED):
            slot.material = own = material.copy()
            _own_animation(own, own.node_tree)
    copy[NAME] = name = clean_text(name_of(obj))
    note_name(copy, SHOWN, name, copy.name)
    copy[UUID] = str(uuid.uuid4())
    return copy


def _own_animation(*owners: Any) -> None:
    """Give datablocks copies of the actions that animate them."""
    for owner in owners:
        animation = owner.animation_data if owner is not None else None
        if animation is not None and animation.action is not None:
            animation.action = animation.action.copy()


def remove(objects: Iterable[bpy.types.Object]) -> None:
    """Take objects out of their session and out of the .blend, wherever they stand.

    Their data, materials, surfaces, frames and animations that nothing else uses are removed with them, and so are
    groups that lose their last object. Raises MosaicError for objects that are linked from another .blend.
    """
    unique = list(dict.fromkeys(objects))
    for tree in trees_of(unique):
        tree.take(unique)
        tree.write()
    remove_with_parts(unique)


def remove_with_parts(objects: Sequence[bpy.types.Object], leftover: Iterable[bpy.types.ID] = ()) -> None:
    """Take objects out of the .blend, wherever they stand, with all that nothing else uses.

    leftover: surfaces and frames that go, too, where nothing shows them.
    """
    parts = [part for obj in objects for part in _parts(obj)] + list(leftover)
    bpy.data.batch_remove(objects)
    remove_parts(parts)


def remove_parts(parts: list[bpy.types.ID]) -> None:
    """Remove those of some datablocks that nothing uses, and then what only they used."""
    while parts:
        parts = _unused(parts)
        inner = [each for part in parts for each in _parts(part)]
        bpy.data.batch_remove(parts)
        parts = inner


def _unused(parts: Iterable[bpy.types.ID]) -> list[bpy.types.ID]:
    """Return those that nothing uses. That Append or Paste has put surfaces and frames into a scene is no use."""
    unique = list(dict.fromkeys(parts))
    placed = [part for part in unique if part.users and is_part(part) and not part.use_fake_user]
    users = bpy.data.user_map(subset=placed) if placed else {}
    return [part for part in unique if not part.users or (part in users and not any(map(_shows, users[part])))]


def _shows(user: bpy.types.ID) -> bool:
    """Tell whether a datablock shows a surface or frame, and is not merely where it was put."""
    return is_part(user) if isinstance(user, bpy.types.Collection) else not isinstance(user, bpy.types.Scene)


def _parts(owner: Any) -> list[bpy.types.ID]:
    """The datablocks that another one refers to and that may be removed with it."""
    parts: list[Any] = [owner.animation_data.action] if getattr(owner, "animation_data", None) else []
    if isinstance(owner, bpy.types.Object):
        parts += [owner.data, *(slot.material for slot in owner.material_slots)]
        modifier = modifier_of(owner)
        if modifier is not None:
            inputs = inputs_of(modifier)
            parts += [inputs.get(modifier, name) for name in PART_INPUTS if name in inputs]
    elif isinstance(owner, bpy.types.Collection):
        parts += owner.objects[:]
    elif isinstance(owner, bpy.types.Material) and owner.node_tree is not None and owner.node_tree.animation_data:
        parts.append(owner.node_tree.animation_data.action)
    return [part for part in parts if part is not None and SHARED not in part]
