"""The base class of the operators: what goes wrong is told, and what is a bug shows itself."""

from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest


@pytest.fixture
def failing(bpy: ModuleType) -> Iterator[Any]:
    """An operator that fails."""
    from mosaic_addon.session import MosaicError
    from mosaic_addon.ui.reports import MosaicOperator, OperatorReturn

    class MOSAIC_OT_fail(MosaicOperator):
        bl_idname = "mosaic.fail"
        bl_label = "Fail"

        bug: bpy.props.BoolProperty()  # type: ignore[valid-type]

        def invoke(self, context: Any, event: Any) -> OperatorReturn:
            raise MosaicError("It cannot be asked.")

        def execute(self, context: Any) -> OperatorReturn:
            raise ZeroDivisionError if self.bug else MosaicError("It cannot be done.")

    bpy.utils.register_class(MOSAIC_OT_fail)
    yield MOSAIC_OT_fail
    bpy.utils.unregister_class(MOSAIC_OT_fail)


def test_an_error_of_ours_is_a_sentence_and_anything_else_a_traceback(bpy: ModuleType, failing: Any) -> None:
    with pytest.raises(RuntimeError, match=r"It cannot be done\.") as caught:
        bpy.ops.mosaic.fail()
    assert "Traceback" not in str(caught.value)
    with pytest.raises(RuntimeError, match=r"Traceback[\s\S]*ZeroDivisionError"):
        bpy.ops.mosaic.fail(bug=True)


def test_it_is_reported_from_a_dialog_too(failing: Any) -> None:
    told = []
    operator = SimpleNamespace(report=lambda kind, text: told.append((kind, text)))
    assert failing.invoke(operator, None, None) == {"CANCELLED"}
    assert told == [({"ERROR"}, "It cannot be asked.")]


def test_all_operators_do_so(bpy: ModuleType) -> None:
    from mosaic_addon.ui.registration import CLASSES
    from mosaic_addon.ui.reports import MosaicOperator

    operators = [cls for cls in CLASSES if issubclass(cls, bpy.types.Operator)]
    assert len(operators) > 20
    assert [cls for cls in operators if not issubclass(cls, MosaicOperator)] == []
