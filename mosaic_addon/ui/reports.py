"""What all operators share: the type of their answers, and lists of sentences as reports."""

from collections.abc import Sequence
from typing import Literal

import bpy

OperatorReturn = set[Literal["RUNNING_MODAL", "CANCELLED", "FINISHED", "PASS_THROUGH", "INTERFACE"]]
SHOWN = 10  # sentences of one kind


def say_all(
    operator: bpy.types.Operator, kind: Literal["INFO", "WARNING"], sentences: Sequence[str], what: str
) -> None:
    """Report sentences, the first of them if there are many."""
    for sentence in sentences[:SHOWN]:
        operator.report({kind}, sentence)
    if len(sentences) > SHOWN:
        operator.report({kind}, f"… and {len(sentences) - SHOWN} more {what}")
