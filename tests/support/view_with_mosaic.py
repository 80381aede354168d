"""Run by a real Mosaic's Python: pictures of slices in its volume viewer, and what its camera sees, one answer a line.

    python view_with_mosaic.py TOMOGRAM FOLDER SIZE '[["Z", 40], ["X", 12]]'

Writes FOLDER/0.png, 1.png, … of SIZE x SIZE pixels, one for each orientation and number of a slice, without perspective
and with the contrast that the viewer chooses. Prints the camera, the height of what it shows, and the values that are
black and white.
"""

from __future__ import annotations

import json
import os
import sys

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import vtk
from mosaic.widgets.volume_viewer import VolumeViewer
from qtpy.QtWidgets import QApplication

# Where the camera of the main window stands for each, and what is up (`set_camera_view`).
VIEWS = {"Z": ((0, 0, 1), (1, 0, 1)), "Y": ((0, 1, 0), (1, 0, 0)), "X": ((1, 0, 0), (0, 1, 0))}


class Window:
    """What the viewer needs of the widget that it draws into."""

    def __init__(self, size: int) -> None:
        self.window = vtk.vtkRenderWindow()
        self.window.SetOffScreenRendering(1)
        self.window.SetSize(size, size)
        self.renderer = vtk.vtkRenderer()
        self.window.AddRenderer(self.renderer)

    def GetRenderWindow(self) -> vtk.vtkRenderWindow:
        return self.window


def draw(window: Window, path: str) -> dict[str, object]:
    camera = window.renderer.GetActiveCamera()
    window.renderer.ResetCamera()
    window.renderer.ResetCameraClippingRange()
    window.window.Render()
    grabber = vtk.vtkWindowToImageFilter()
    grabber.SetInput(window.window)
    grabber.ReadFrontBufferOff()
    writer = vtk.vtkPNGWriter()
    writer.SetFileName(path)
    writer.SetInputConnection(grabber.GetOutputPort())
    writer.Write()
    return {
        "position": camera.GetPosition(),
        "focal_point": camera.GetFocalPoint(),
        "up": camera.GetViewUp(),
        "height": 2 * camera.GetParallelScale(),
    }


def main(tomogram: str, folder: str, size: str, views: str) -> None:
    app = QApplication([])
    window = Window(int(size))
    viewer = VolumeViewer(window)
    viewer.load_volume(tomogram)
    camera = window.renderer.GetActiveCamera()
    camera.ParallelProjectionOn()
    for number, (orientation, at) in enumerate(json.loads(views)):
        viewer.orientation_selector.setCurrentText(orientation)
        viewer.set_slice(at)
        viewer.auto_contrast()
        position, up = VIEWS[orientation]
        camera.SetFocalPoint(0, 0, 0)
        camera.SetPosition(*position)
        camera.SetViewUp(*up)
        answer = draw(window, f"{folder}/{number}.png")
        low, high = viewer._scalar_range
        ends = [part / 100 for part in (viewer.contrast_slider.lower_pos, viewer.contrast_slider.upper_pos)]
        answer["ends"] = [low + part * (high - low) for part in ends]
        print(json.dumps(answer), flush=True)
    del app


main(*sys.argv[1:])
