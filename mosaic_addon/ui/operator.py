"""What the operators share: how Blender is told that they ended."""

from typing import Literal, TypeAlias

OperatorReturn: TypeAlias = set[Literal["RUNNING_MODAL", "CANCELLED", "FINISHED", "PASS_THROUGH", "INTERFACE"]]
