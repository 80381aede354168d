"""Camera, size, engine and look of a scene -> tables of a recipe."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import bpy
import numpy as np
from mathutils import Vector

from ...files.recipe import Camera, Picture, Waypoint
from ..compat import compositing_tree, cycles_of, socket_value
from ..drawing.color_maps import to_scene
from ..drawing.facts import frame_at, frames_of
from ..drawing.representations import TRAJECTORY, group_of
from ..drawing.trajectories import saved_frame
from ..figures.overlay import print_width
from ..figures.recipe import SAMPLES
from ..keys import FIGURE, LOOK
from ..pictures.camera import VIEWS, frame_camera, up_for, visible_points
from ..pictures.looks import background_of, look_of
from ..pictures.options import BACKGROUNDS, OUTLINED
from ..pictures.render import ENGINE_NAMES
from .notes import Notes, rounded, triple
from .origins import Origin

FINE: Final = 1e-6  # of the distance to what is seen, as which directions and places are written
# What `mosaic figure` sets of Cycles, and what Blender begins with; all else was chosen by hand.
CYCLES: Final[dict[str, tuple[Any, ...]]] = {
    "use_denoising": (False, True), "max_bounces": (3, 12), "diffuse_bounces": (3, 4), "glossy_bounces": (1, 4),
}  # fmt: skip


def picture_of(scene: bpy.types.Scene, origins: Sequence[Origin], notes: Notes) -> Picture:
    """Return the table of a scene's picture. Notes what it does not hold of engine, look and frame."""
    render = scene.render
    engine = next((name for name, given in ENGINE_NAMES.items() if given == render.engine), None)
    if engine is None:
        notes.add(f"The engine {render.engine} is none that a recipe knows; it says cycles.")
        engine = "cycles"
    samples = {
        "cycles": cycles_of(scene).samples if cycles_of(scene) else None,
        "eevee": scene.eevee.taa_render_samples,
    }
    count = samples.get(engine)
    look = look_of(scene)
    if look is None:
        notes.add("The scene has no look of ours; the recipe has the look 'full', and no lamps or world of your own.")
    background = background_of(scene)
    _note_settings(scene, engine, look, background, notes)
    return Picture(
        **_size(scene),
        look=look or "full",
        background=background,
        engine=engine,
        samples=None if count in (None, SAMPLES[engine]) else count,
        frame=_frame(scene, origins, notes),
    )


def _size(scene: bpy.types.Scene) -> dict[str, Any]:
    """The size as few short numbers, of which come as many pixels as the scene has."""
    render = scene.render
    part = render.resolution_percentage / 100
    pixels = max(1, int(render.resolution_x * part)), max(1, int(render.resolution_y * part))
    width = print_width(scene)
    for places in (0, 1, 2, 3):
        given: dict[str, Any] = {
            "width_mm": round(width, places),
            "height_mm": round(width * pixels[1] / pixels[0], places),
            "dpi": float(round(pixels[0] / width * 25.4)),
        }
        if min(given.values()) > 0 and abs(given["width_mm"] / width - 1) < 1e-4 and Picture(**given).size == pixels:
            return given
    return {"width_mm": round(width, 3), "pixels": pixels}


def _frame(scene: bpy.types.Scene, origins: Sequence[Origin], notes: Notes) -> int | None:
    """The frame of the trajectories, where a recipe would show another one by itself."""
    shown: list[tuple[int, int]] = []
    usual = None
    for origin in origins:
        if usual is None and origin.item.group == TRAJECTORY:
            usual = saved_frame(origin.item.geometry)
        if origin.obj is not None and group_of(origin.obj) == TRAJECTORY and not origin.obj.hide_render:
            count = len(frames_of(origin.obj))
            if count:
                shown.append((frame_at(origin.obj, count, scene.frame_current), count))
    if not shown:
        return None
    frame = max(number for number, _ in shown)
    if any(min(frame, count - 1) != number for number, count in shown):
        notes.add("The trajectories do not show the same frame; the recipe shows one of all.")
    return None if frame == usual else frame


def _note_settings(scene: bpy.types.Scene, engine: str, look: str | None, background: str, notes: Notes) -> None:
    """Note what was set by hand and makes the picture another one."""
    render = scene.render
    set_by_hand = []
    if (render.pixel_aspect_x, render.pixel_aspect_y) != (1.0, 1.0):
        set_by_hand.append("the sides of pixels")
    if render.use_border:
        set_by_hand.append("the render region")
    if getattr(render, "use_freestyle", False):
        set_by_hand.append("Freestyle")
    tree = compositing_tree(scene)
    if look not in OUTLINED and tree is not None and any(LOOK.read(node) is None for node in tree.nodes):
        set_by_hand.append("the compositor's nodes")
    if look is not None:
        view = scene.view_settings
        display = look == "flat" and engine != "workbench"
        if (view.view_transform, view.look) != ("Raw" if display else "Standard", "None"):
            set_by_hand.append("the view transform")
        if abs(view.exposure) > 1e-6 or abs(view.gamma - 1) > 1e-6:
            set_by_hand.append("exposure and gamma")
        wanted = np.array(BACKGROUNDS[background])
        wanted = wanted if display else to_scene(wanted)
        if scene.world is None or LOOK.read(scene.world) is None:
            set_by_hand.append("the world")
        elif background != "transparent" and any(
            not np.allclose(each, wanted, atol=2e-3) for each in _colors(scene.world)
        ):
            set_by_hand.append("the background's colour")
    cycles = cycles_of(scene) if engine == "cycles" else None
    if cycles is not None and any(getattr(cycles, name) not in known for name, known in CYCLES.items()):
        set_by_hand.append("Cycles' bounces")
    if set_by_hand:
        notes.add(f"A recipe does not hold {', '.join(set_by_hand)}, which you set by hand.")


def _colors(world: bpy.types.World) -> Iterator[Any]:
    """Yield the colours of a look's world behind the session: that of views and that of renders."""
    yield np.array(world.color)
    for node in world.node_tree.nodes if world.node_tree is not None else ():
        if "Background" in (node.name, node.label):
            yield np.array(socket_value(node.inputs["Color"]))[:3]


# --- camera ----------------------------------------------------------------------------------------------------------


def camera_of(scene: bpy.types.Scene, root: bpy.types.Object, origins: Sequence[Origin], notes: Notes) -> Camera:
    """Return the table of a scene's camera: how it frames all objects, or as a waypoint in angstrom.

    root: of the session in whose coordinates the waypoint is.
    """
    camera = scene.camera
    if camera is None or not isinstance(camera.data, bpy.types.Camera):
        notes.add("The scene has no camera; the recipe looks from the top at all that is visible.")
        return Camera()
    data: Any = camera.data
    if data.type == "PANO":
        notes.add("A recipe has no panoramic camera; it looks from where the scene's stands.")
    if data.dof.use_dof:
        notes.add("A recipe has no depth of field.")
    framing = _framing(scene, camera, root, [origin.obj for origin in origins if origin.obj is not None])
    if framing is not None:
        return framing
    matrix = camera.matrix_world.normalized()
    to_session = root.matrix_world.inverted_safe()
    position = to_session @ matrix.translation
    forward = (to_session.to_3x3() @ (matrix.to_3x3() @ Vector((0, 0, -1)))).normalized()
    up = (to_session.to_3x3() @ (matrix.to_3x3() @ Vector((0, 1, 0)))).normalized()
    depths = _depths(scene, camera, to_session)
    distance = float(depths.mean()) if len(depths) and depths.mean() > 0 else max(position.length, 1.0)
    _note_clipping(data, depths, to_session.to_scale().x, notes)
    angle, height, shift = _view(scene, data)
    fine = distance * FINE
    orthographic = data.type == "ORTHO"
    point = Waypoint(
        position=triple(position, fine),
        focal_point=triple(position + forward * distance, fine),
        up=triple(up, FINE),
        view_angle=30.0 if orthographic else round(angle, 5),
        height=float(f"{height * to_session.to_scale().x:.7g}") if orthographic else None,
        shift=(rounded(shift, FINE)[0], rounded(shift, FINE)[1]),
    )
    return Camera(orthographic=orthographic, waypoint=point)


def _framing(
    scene: bpy.types.Scene, camera: bpy.types.Object, root: bpy.types.Object, objects: Sequence[bpy.types.Object]
) -> Camera | None:
    """The table of a camera that frames all visible objects, as Camera to Objects does; None for another."""
    data: Any = camera.data
    turn = camera.matrix_world.to_3x3().normalized()
    forward, up = turn @ Vector((0, 0, -1)), turn @ Vector((0, 1, 0))
    if data.sensor_fit != "VERTICAL" or data.type == "PANO" or not np.allclose(np.array(root.rotation_euler), 0):
        return None
    direction = triple(forward / max(map(abs, forward[:])), FINE)
    given_up = (
        None if up.dot(up_for(forward)) > 0 and abs(forward.cross(up_for(forward)).dot(up)) < 1e-5 else triple(up, FINE)
    )
    trial = bpy.data.objects.new("Mosaic Trial", bpy.data.cameras.new("Mosaic Trial"))
    other: Any = trial.data
    try:
        orthographic = data.type == "ORTHO"
        frame_camera(scene, objects, direction, up=given_up, orthographic=orthographic, camera=trial)
        is_alike = np.allclose(np.array(trial.matrix_world), np.array(camera.matrix_world), rtol=1e-5, atol=1e-5)
        if not is_alike or abs(data.shift_x) + abs(data.shift_y) > FINE:
            return None
        wide, now = (other.ortho_scale, data.ortho_scale) if orthographic else (
            math.tan(other.angle_y / 2), math.tan(data.angle_y / 2)
        )  # fmt: skip
    finally:
        bpy.data.batch_remove([trial, other])
    zoom = float(f"{wide / now:.5g}")
    seen = direction, given_up or triple(up_for(forward), FINE)
    view = next((name for name, known in VIEWS.items() if known == seen), None)
    if view is not None:
        return Camera(view=view, zoom=zoom, orthographic=orthographic)  # type: ignore[arg-type]  # VIEWS has its words
    return Camera(direction=direction, up=given_up, zoom=zoom, orthographic=orthographic)


def _depths(scene: bpy.types.Scene, camera: bpy.types.Object, to_session: Any) -> Any:
    """How far before a camera the nearest and the farthest of what is rendered are, in angstrom; empty without any."""
    points = visible_points(obj for obj in scene.objects if FIGURE.read(obj) is None)
    if not len(points):
        return np.empty(0)
    inverse = np.array(camera.matrix_world.normalized().inverted_safe())
    depths = -(points @ inverse[2, :3] + inverse[2, 3]) * to_session.to_scale().x
    return np.array([depths.min(), depths.max()])


def _note_clipping(data: Any, depths: Any, scale: float, notes: Notes) -> None:
    near, far = data.clip_start * scale, data.clip_end * scale
    if len(depths) and (max(depths[0], 0) < near * 0.999 or depths[1] > far * 1.001):
        notes.add("The camera's clipping takes away some of what it sees, which a recipe does not hold; use a cut.")


def _view(scene: bpy.types.Scene, data: Any) -> tuple[float, float, tuple[float, float]]:
    """What a camera sees from bottom to top: an angle in degrees, and without perspective a height in scene units.

    Returns the shift, too, in heights of the picture.
    """
    width, height = scene.render.resolution_x, scene.render.resolution_y
    is_wide = data.sensor_fit == "HORIZONTAL" or (data.sensor_fit == "AUTO" and width >= height)
    sensor = data.sensor_height if data.sensor_fit == "VERTICAL" else data.sensor_width
    part = height / width if is_wide else 1.0
    angle = 2 * math.degrees(math.atan(sensor / 2 / data.lens * part))
    return angle, data.ortho_scale * part, (data.shift_x / part, data.shift_y / part)
