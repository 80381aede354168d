"""Long work in steps, while Blender goes on: with progress in the sidebar and the status bar, and Esc that stops it."""

import time
from collections.abc import Generator, Iterator
from typing import Any, ClassVar, Final

import bpy

from .additions import Addition, state_forgotten
from .reports import MosaicOperator, OperatorReturn

SLICE: Final = 0.2  # seconds of work between two looks at the keyboard

# What is being done, such as "Opening", the name of the file, and the fraction of it that is done.
working: list[tuple[str, str, float]] = []


class StepsOperator(MosaicOperator):
    """Base class of operators that work in steps.

    Subclasses say what is done, `doing`, give the steps in `begin` and report in `end`. They are called with "INVOKE_DEFAULT" by
    another operator, which returns {"CANCELLED"}, so that the step to undo is made once, at the end.
    """

    doing: ClassVar[str]
    file: str = ""  # that is being read, by its name

    def begin(self, context: bpy.types.Context) -> Generator[float, None, Any] | None:
        """Return the work, which yields the fraction that is done; closed before its end, it changes nothing."""
        raise NotImplementedError

    def end(self, context: bpy.types.Context, result: Any) -> OperatorReturn:
        """Report what came of the work, its result."""
        raise NotImplementedError

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorReturn:
        steps = self.begin(context)
        if steps is None:
            return {"CANCELLED"}
        self._steps = steps
        self._timer = context.window_manager.event_timer_add(0.01, window=context.window)
        context.window_manager.progress_begin(0, 100)
        context.window_manager.modal_handler_add(self)
        self._tell(context, 0.0)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorReturn:
        if event.type == "ESC" and event.value == "PRESS":
            self.cancel(context)
            self.report({"INFO"}, f"Stopped {self.doing.lower()} {self.file}; nothing has changed")
            return {"CANCELLED"}
        if event.type != "TIMER":
            return {"RUNNING_MODAL"}
        try:
            end, fraction = time.monotonic() + SLICE, 0.0
            while time.monotonic() < end:
                fraction = next(self._steps)
            self._tell(context, fraction)
        except StopIteration as stop:
            self._put_away(context)
            return self.end(context, stop.value)
        except BaseException:
            self._put_away(context)
            raise
        return {"RUNNING_MODAL"}

    def cancel(self, context: bpy.types.Context) -> None:
        self._steps.close()
        self._put_away(context)

    def _tell(self, context: bpy.types.Context, fraction: float) -> None:
        working[:] = [(self.doing, self.file, fraction)]
        context.window_manager.progress_update(100 * fraction)
        context.workspace.status_text_set(f"{self.doing} {self.file}: {fraction:.0%}. Esc stops it.")
        for area in context.screen.areas:
            for region in area.regions if area.type == "VIEW_3D" else ():
                if region.type == "UI":  # not the view: drawing it again would take longer than the work
                    region.tag_redraw()

    def _put_away(self, context: bpy.types.Context) -> None:
        working.clear()
        context.window_manager.event_timer_remove(self._timer)
        context.window_manager.progress_end()
        context.workspace.status_text_set(None)


def draw_progress(layout: bpy.types.UILayout) -> None:
    """Draw how far the work is that goes on."""
    for doing, file, fraction in working:
        layout.progress(factor=fraction, text=f"{doing} {file}")
        layout.label(text="Esc stops it", icon="CANCEL")


def additions() -> Iterator[Addition]:
    """What is being done."""
    yield state_forgotten(working.clear)
