"""What all our operators share: errors that become reports, and lists of sentences as reports."""

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
    """The method, with reports in place of MosaicErrors. Blender counts its arguments, so they are spelled out."""

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
    """Report sentences, the first of them if there are many."""
    for sentence in sentences[:SHOWN]:
        operator.report({kind}, sentence)
    if len(sentences) > SHOWN:
        operator.report({kind}, f"… and {len(sentences) - SHOWN} more {what}")
