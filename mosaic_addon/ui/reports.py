"""Reports of operators: the base class that makes them of errors, and lists of sentences."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Literal

import bpy

from ..session import MosaicError

OperatorReturn = set[Literal["RUNNING_MODAL", "CANCELLED", "FINISHED", "PASS_THROUGH", "INTERFACE"]]
SHOWN = 10  # sentences of one kind


class MosaicOperator(bpy.types.Operator):
    """Base class of our operators: a MosaicError becomes a report, and the operator ends as cancelled.

    Subclasses let it out of `execute`, `invoke` or `modal`. Any other exception is a bug and shows its traceback.
    """

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        for name in ("execute", "invoke", "modal"):
            if name in vars(cls):
                setattr(cls, name, _reporting(vars(cls)[name]))


def _reporting(method: Callable[..., OperatorReturn]) -> Callable[..., OperatorReturn]:
    """Make a method report MosaicErrors. Blender counts the arguments of the result, so they are spelled out."""

    def report(operator: bpy.types.Operator, *arguments: Any) -> OperatorReturn:
        try:
            return method(operator, *arguments)
        except MosaicError as error:
            operator.report({"ERROR"}, str(error))
            return {"CANCELLED"}

    @wraps(method)
    def without_event(self: bpy.types.Operator, context: bpy.types.Context) -> OperatorReturn:
        return report(self, context)

    @wraps(method)
    def with_event(self: bpy.types.Operator, context: bpy.types.Context, event: bpy.types.Event) -> OperatorReturn:
        return report(self, context, event)

    return without_event if method.__name__ == "execute" else with_event


def say_all(
    operator: bpy.types.Operator, kind: Literal["INFO", "WARNING"], sentences: Sequence[str], what: str
) -> None:
    """Report sentences, or the first of them if there are many. what: their name, such as "warnings"."""
    for sentence in sentences[:SHOWN]:
        operator.report({kind}, sentence)
    if len(sentences) > SHOWN:
        operator.report({kind}, f"… and {len(sentences) - SHOWN} more {what}")
