"""What an extension can add to Blender, each as a context manager that takes it back at its end.

Each makes a single call into Blender, so that a failure leaves nothing half added.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, TypeAlias

import bpy

Addition: TypeAlias = AbstractContextManager[None]


@contextmanager
def class_added(cls: type) -> Iterator[None]:
    """An operator, panel, menu or other class of Blender's."""
    bpy.utils.register_class(cls)
    try:
        yield
    finally:
        bpy.utils.unregister_class(cls)


@contextmanager
def property_added(owner: type, name: str, definition: Any) -> Iterator[None]:
    """A property of a type of Blender's. definition: a call of one of the functions of bpy.props."""
    setattr(owner, name, definition)
    try:
        yield
    finally:
        delattr(owner, name)


@contextmanager
def menu_entry_added(
    menu: Any, draw: Callable[[bpy.types.Menu, bpy.types.Context], None], *, first: bool = False
) -> Iterator[None]:
    """An entry at the end of a menu, or at its beginning."""
    (menu.prepend if first else menu.append)(draw)
    try:
        yield
    finally:
        menu.remove(draw)


@contextmanager
def handler_added(event: str, function: Callable[..., None]) -> Iterator[None]:
    """A function that Blender calls at an event. event: the name of a list in bpy.app.handlers."""
    getattr(bpy.app.handlers, event).append(function)
    try:
        yield
    finally:
        with suppress(ValueError):  # a script may have cleared the list
            getattr(bpy.app.handlers, event).remove(function)


@contextmanager
def state_forgotten(forget: Callable[[], object]) -> Iterator[None]:
    """What a module remembers while the extension is enabled. forget: sets it back to what it was before."""
    try:
        yield
    finally:
        forget()
