"""The part of the benchmark for the browser: what one does to thousands of objects."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import bpy

COUNT = 5000
GOAL = 0.5  # seconds of what one does to all of COUNT objects
TIMES = 5  # each operator, in one Blender
Report = Callable[..., None]


def browser(path: Path, import_session: Callable[[Path], Any], report: Report) -> None:
    """The browser's operators on all objects of a session. Theirs is the goal, or what Blender itself takes.

    path: a session of COUNT objects. Each time includes the step of undo, and what Blender does before it draws again.
    """
    import mosaic_addon

    mosaic_addon.register()
    objects = import_session(path).objects
    layer, ops = bpy.context.view_layer, bpy.ops.mosaic

    def select(number: int) -> None:
        for place, obj in enumerate(objects):
            obj.select_set(place < number)

    def took(work: Callable[[], object]) -> float:
        layer.update()
        start = time.process_time()
        work()
        layer.update()
        return time.process_time() - start

    times: dict[str, list[float]] = {}
    for _ in range(TIMES):
        for what, selected, work in (
            ("isolate half of", COUNT // 2, ops.isolate),
            ("show", COUNT // 2, ops.show_all),
            ("hide", COUNT, partial(ops.set_visibility, visible=False)),
            ("show hidden", COUNT, partial(ops.set_visibility, visible=True)),
            ("group", COUNT, ops.group),
            ("ungroup", COUNT, ops.ungroup),
        ):
            select(selected)
            times.setdefault(what, []).append(took(work))
        empty = bpy.data.objects.new("empty", None)
        times.setdefault("link", []).append(took(partial(bpy.context.scene.collection.objects.link, empty)))
        bpy.data.objects.remove(empty)
    medians = {what: statistics.median(each) for what, each in times.items()}
    linked = medians.pop("link")
    for what, median in medians.items():
        report(f"{what} {COUNT:,} objects / goal", median, GOAL, 1.0, "processor time")
    report(f"group {COUNT:,} objects / one empty linked beside them", medians["group"], linked, 1.5, "processor time")
    mosaic_addon.unregister()
