"""Run by a real Mosaic's Python, of any release: answers questions about session files, one a line, until its input ends.

    {"compare": [A, B]}     what `same_in_mosaic.py` prints of them
    {"load": PATH}          what Mosaic has of a session after it was loaded, as its browser lists it and as it draws it

An answer is a line of JSON. A question that Mosaic dies of has none.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parent))

import same_in_mosaic  # type: ignore[import-not-found]

CONTAINERS = {"clusters": ("_data", "_data_tree"), "models": ("_models", "_models_tree")}


def main() -> None:
    out, sys.stdout = sys.stdout, sys.stderr  # Mosaic prints, too
    teller = None
    for line in sys.stdin:
        question = json.loads(line)
        if "compare" in question:
            answer = same_in_mosaic.compare_files(question["compare"])
        else:
            teller = teller or Teller()
            answer = teller.told(question["load"])
        print(json.dumps(answer), file=out, flush=True)


class Teller:
    """Loads sessions and tells what there is."""

    def __init__(self) -> None:
        import vtk
        from qtpy.QtWidgets import QApplication  # type: ignore[import-not-found]

        self.application = QApplication.instance() or QApplication([])
        self.loader = same_in_mosaic.mosaics_loader()
        self.renderer = vtk.vtkRenderer()
        self.renderer.SetBackground(1, 1, 1)
        self.window = vtk.vtkRenderWindow()
        self.window.SetOffScreenRendering(1)
        self.window.SetMultiSamples(0)
        self.window.SetSize(120, 90)
        self.window.AddRenderer(self.renderer)

    def told(self, path: str) -> dict[str, Any]:
        state, trouble = same_in_mosaic.load(self.loader, path)
        if trouble is not None:
            return {"error": f"{type(trouble).__name__}: {trouble}"}
        try:
            metadata = state.get("metadata") or {}
            return {
                "error": None,
                "shape": plain(metadata.get("shape", state.get("shape"))),
                "geometries": [
                    {"container": name, **self.geometry(item)}
                    for name, (key, _) in CONTAINERS.items()
                    for item in state[key].data
                ],
                "browser": {
                    name: self.browser(state[key], state.get(tree)) for name, (key, tree) in CONTAINERS.items()
                },
            }
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"}

    def geometry(self, item: Any) -> dict[str, Any]:
        """One geometry. drawn: how many pixels of a small picture of it alone are not the background."""
        if type(item).__name__ == "GeometryTrajectory":
            for number in reversed(range(item.frames)):
                item.display_frame(number)
        model = getattr(item, "model", None) or item._meta.get("fit")
        columns = getattr(item, "vertex_properties", None)
        return {
            "name": item._meta.get("name"),
            "class": type(item).__name__,
            "points": len(item.points),
            "model": type(model).__name__ if model is not None else None,
            "faces": len(model.triangles) if hasattr(model, "triangles") else None,
            "representation": getattr(item, "_representation", None),
            "visible": bool(item.visible),
            "appearance": {key: plain(value) for key, value in item._appearance.items()},
            "sampling_rate": plain(item.sampling_rate),
            "columns": list(columns.properties) if columns is not None else [],
            "meta": sorted(map(str, item._meta)),
            "lower": plain(item.points.min(axis=0)) if len(item.points) else None,
            "upper": plain(item.points.max(axis=0)) if len(item.points) else None,
            "drawn": self.pixels(item),
        }

    def pixels(self, item: Any) -> int:
        import vtk
        from vtkmodules.util.numpy_support import vtk_to_numpy  # type: ignore[import-not-found]

        self.renderer.RemoveAllViewProps()
        actor = item.actor
        actor.SetVisibility(True)
        self.renderer.AddActor(actor)
        self.renderer.ResetCamera()
        self.window.Render()
        grabber = vtk.vtkWindowToImageFilter()
        grabber.SetInput(self.window)
        grabber.ReadFrontBufferOff()
        grabber.Update()
        colors = vtk_to_numpy(grabber.GetOutput().GetPointData().GetScalars())
        return int((colors < 250).any(axis=1).sum())

    def browser(self, container: Any, tree: Any) -> list[Any]:
        """What the window lists: a name, or [a group's name, [names]]."""
        from mosaic.widgets import container_list

        names = [str(geometry._meta.get("name") or f"Cluster {i}") for i, geometry in enumerate(container.data)]
        if not hasattr(container_list, "StyledTreeWidgetItem"):
            return names  # a release without groups
        items = {}
        for name, geometry in zip(names, container.data):
            uuid = getattr(geometry, "uuid", id(geometry))
            items[uuid] = container_list.StyledTreeWidgetItem(text=name, metadata={"uuid": uuid})
        shown = {id(item): name for name, item in zip(names, items.values())}
        widget = container_list.ContainerListWidget()
        if tree is not None:
            widget.apply_state(tree, items)
        widget.update(items)
        listed: list[Any] = []
        root = widget.tree_widget.invisibleRootItem()
        for child in map(root.child, range(root.childCount())):
            if isinstance(child, container_list.GroupTreeWidgetItem):
                members = [shown[id(child.child(i))] for i in range(child.childCount())]
                listed.append([child.group_name, members])
            else:
                listed.append(shown[id(child)])
        return listed


def plain(value: Any) -> Any:
    return (
        value.tolist()
        if hasattr(value, "tolist")
        else value
        if isinstance(value, (int, float, str, list, tuple))
        else repr(value)
    )


if __name__ == "__main__":
    main()
