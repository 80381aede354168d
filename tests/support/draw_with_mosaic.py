"""Run by the real Mosaic's Python: draw geometries of a session flat on white, off-screen, and print the cameras as JSON.

    python draw_with_mosaic.py SESSION FOLDER '[["a name", 1.3, null], [null, 3, {"a name": [1, 0, 0]}]]'

Writes FOLDER/0.png, 1.png, … one for each picture: the name of a geometry (null: all visible), how much nearer than in
Mosaic's first view the camera is, and colours in which geometries are drawn instead of their own, without edges.
"""

import json
import sys

import vtk
from mosaic.commands.session import Session

SIZE = (960, 720)


def new_window() -> tuple[vtk.vtkRenderWindow, vtk.vtkRenderer]:
    """One window for all pictures, as actors do not outlive the window that drew them. White, no smoothing of edges."""
    renderer = vtk.vtkRenderer()
    renderer.SetBackground(1, 1, 1)
    renderer.SetUseDepthPeeling(True)
    window = vtk.vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetAlphaBitPlanes(1)
    window.SetMultiSamples(0)
    window.SetSize(*SIZE)
    window.AddRenderer(renderer)
    return window, renderer


def paint(geometry, color: list[float]) -> None:
    """Draw a geometry in one colour, its edges as well."""
    geometry.actor.GetMapper().ScalarVisibilityOff()
    look = geometry.actor.GetProperty()
    look.SetColor(color)
    look.SetAmbientColor(color)
    look.SetEdgeColor(color)
    look.SetAmbient(1)
    look.SetDiffuse(0)
    look.SetOpacity(1)


def draw(window: vtk.vtkRenderWindow, renderer: vtk.vtkRenderer, geometries: list, zoom: float, path: str) -> dict:
    """One picture, with lights off. Returns its camera."""
    renderer.RemoveAllViewProps()
    for geometry in geometries:
        geometry.actor.GetProperty().LightingOff()
        renderer.AddActor(geometry.actor)
    camera = renderer.GetActiveCamera()
    camera.SetFocalPoint(0, 0, 0)
    camera.SetPosition(0, 0, 1)
    camera.SetViewUp(0, 1, 0)
    renderer.ResetCamera()
    camera.Dolly(zoom)
    renderer.ResetCameraClippingRange()
    window.Render()
    grabber = vtk.vtkWindowToImageFilter()
    grabber.SetInput(window)
    grabber.ReadFrontBufferOff()
    writer = vtk.vtkPNGWriter()
    writer.SetFileName(path)
    writer.SetInputConnection(grabber.GetOutputPort())
    writer.Write()
    return {
        "position": camera.GetPosition(),
        "focal_point": camera.GetFocalPoint(),
        "up": camera.GetViewUp(),
        "view_angle": camera.GetViewAngle(),
    }


def main() -> None:
    session = Session(quiet=True)
    session.load_session(sys.argv[1])
    geometries = session._data.data + session._models.data
    window, renderer = new_window()
    cameras = []
    for number, (name, zoom, colors) in enumerate(json.loads(sys.argv[3])):
        chosen = [geometry for geometry in geometries if name is None or geometry._meta.get("name") == name]
        for geometry in chosen:
            if colors is not None:
                paint(geometry, colors[geometry._meta["name"]])
        cameras.append(draw(window, renderer, chosen, zoom, f"{sys.argv[2]}/{number}.png"))
    print(json.dumps(cameras))


main()
