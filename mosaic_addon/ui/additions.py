"""Context managers that add something to Blender and take it back at their end.

Each makes a single call into Blender, so that a failure leaves nothing half added.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, TypeAlias

import bpy

Addition: TypeAlias = AbstractContextManager[None]


def class_added(cls: type) -> Addition:
    """Add an operator, a panel, a menu or another class that Blender knows by its base class."""
    return _added(lambda: bpy.utils.register_class(cls), lambda: bpy.utils.unregister_class(cls))


def property_added(owner: type, name: str, definition: Any) -> Addition:
    """Add a property to a type of bpy.types. definition: what a function of bpy.props returned."""
    return _added(lambda: setattr(owner, name, definition), lambda: delattr(owner, name))


def menu_entry_added(
    menu: Any, draw: Callable[[bpy.types.Menu, bpy.types.Context], None], *, first: bool = False
) -> Addition:
    """Add an entry to a menu, at its end or as the first one."""
    return _added(lambda: (menu.prepend if first else menu.append)(draw), lambda: menu.remove(draw))


def handler_added(event: str, function: Callable[..., None]) -> Addition:
    """Add a function that Blender calls at an event. event: the name of a list in bpy.app.handlers."""

    def remove() -> None:
        with suppress(ValueError):  # a script may have cleared the list
            getattr(bpy.app.handlers, event).remove(function)

    return _added(lambda: getattr(bpy.app.handlers, event).append(function), remove)


def state_forgotten(forget: Callable[[], object]) -> Addition:
    """Add nothing, but forget at the end what a module remembers. forget: sets its variables back."""
    return _added(lambda: None, forget)


@contextmanager
def _added(add: Callable[[], object], remove: Callable[[], object]) -> Iterator[None]:
    add()
    try:
        yield
    finally:
        remove()
