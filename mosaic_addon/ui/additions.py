"""Context managers that add something to Blender and take it back at their end.

Each makes a single call into Blender, so that a failure leaves nothing half added.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, TypeAlias

import bpy

Addition: TypeAlias = AbstractContextManager[None]


@contextmanager
def class_added(cls: type) -> Iterator[None]:
    """Add an operator, a panel, a menu or another class that Blender knows by its base class."""
    bpy.utils.register_class(cls)
    try:
        yield
    finally:
        bpy.utils.unregister_class(cls)


@contextmanager
def property_added(owner: type, name: str, definition: Any) -> Iterator[None]:
    """Add a property to a type of bpy.types. definition: what a function of bpy.props returned."""
    setattr(owner, name, definition)
    try:
        yield
    finally:
        delattr(owner, name)


@contextmanager
def menu_entry_added(
    menu: Any, draw: Callable[[bpy.types.Menu, bpy.types.Context], None], *, first: bool = False
) -> Iterator[None]:
    """Add an entry to a menu, at its end or as the first one."""
    (menu.prepend if first else menu.append)(draw)
    try:
        yield
    finally:
        menu.remove(draw)


@contextmanager
def handler_added(event: str, function: Callable[..., None]) -> Iterator[None]:
    """Add a function that Blender calls at an event. event: the name of a list in bpy.app.handlers."""
    getattr(bpy.app.handlers, event).append(function)
    try:
        yield
    finally:
        with suppress(ValueError):  # a script may have cleared the list
            getattr(bpy.app.handlers, event).remove(function)


@contextmanager
def state_forgotten(forget: Callable[[], object]) -> Iterator[None]:
    """Add nothing, but forget at the end what a module remembers. forget: sets its variables back."""
    try:
        yield
    finally:
        forget()
