"""Operators that add and remove the shots of a film."""

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, StringProperty

from ...scene.drawing.appearance import is_geometry
from ...scene.figures.overlay import follow_camera
from ...scene.films.shots import (
    TURNTABLE,
    add_trajectory,
    add_turntable,
    frames_of_film,
    remove_shot,
    shots_in,
)
from ...scene.pictures.camera import frame_camera
from ...session import MosaicError
from ..reports import MosaicOperator, OperatorReturn


class _AddShot(MosaicOperator):
    """Base class of operators that add a shot: its start, and how long it is."""

    bl_options = {"REGISTER", "UNDO"}

    start: IntProperty(name="Start", description="The first frame of the shot", default=1, options={"SKIP_SAVE"})
    seconds: FloatProperty(name="Seconds", description="How long it is", default=10.0, min=0.1, soft_max=60.0)

    def choose_start(self, scene: bpy.types.Scene) -> None:
        """Let the shot begin where it fits, unless somebody said where."""
        if not self.properties.is_property_set("start"):
            self.start = self.first_frame(scene)

    @staticmethod
    def first_frame(scene: bpy.types.Scene) -> int:
        """Return the frame that a shot begins at when none was chosen."""
        film = frames_of_film(scene)
        return scene.frame_start if film is None else film[0]


class MOSAIC_OT_add_turntable(_AddShot):
    """Let the camera turn once around all that is visible, at constant speed; the film closes"""

    bl_idname = "mosaic.add_turntable"
    bl_label = "Add Turntable"

    degrees: FloatProperty(name="Degrees", description="How far it turns", default=360.0)
    axis: EnumProperty(
        name="Axis",
        items=(
            ("UP", "Up", "What is up in the picture"),
            ("X", "X", "The x axis of the world"),
            ("Y", "Y", "The y axis of the world"),
            ("Z", "Z", "The z axis of the world"),
        ),
        default="UP",
    )
    rock: BoolProperty(
        name="Rock",
        description="Swing to both sides by half of the degrees instead, and end as it began",
        default=False,
    )

    @staticmethod
    def first_frame(scene: bpy.types.Scene) -> int:
        """Return the frame after the last turntable; that of the film where there is none."""
        ends = [shot.end for shot in shots_in(scene) if shot.kind == TURNTABLE]
        return max(ends) + 1 if ends else _AddShot.first_frame(scene)

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        scene = context.scene
        objects = _visible(context)
        if not objects:
            raise MosaicError("Nothing is visible that the camera could turn around.")
        if scene.camera is None:
            frame_camera(scene, objects)
            follow_camera(scene)
        self.choose_start(scene)
        axis = self.axis.lower()
        add_turntable(
            scene, objects,
            start=self.start, seconds=self.seconds, degrees=self.degrees, axis=axis, rock=self.rock,
        )  # fmt: skip
        _play_film(scene)
        return {"FINISHED"}


class MOSAIC_OT_add_trajectory_shot(_AddShot):
    """Play all frames of the visible trajectories within some seconds"""

    bl_idname = "mosaic.add_trajectory_shot"
    bl_label = "Add Trajectory"

    loop: BoolProperty(name="Loop", description="Begin again after these seconds", default=False)
    back_and_forth: BoolProperty(
        name="Back and Forth", description="From the first frame to the last and back", default=False
    )

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        self.choose_start(context.scene)
        add_trajectory(
            context.scene, _visible(context),
            start=self.start, seconds=self.seconds, loop=self.loop, back_and_forth=self.back_and_forth,
        )  # fmt: skip
        _play_film(context.scene)
        return {"FINISHED"}


class MOSAIC_OT_remove_shot(MosaicOperator):
    """Remove this shot and its keyframes, and nothing else"""

    bl_idname = "mosaic.remove_shot"
    bl_label = "Remove Shot"
    bl_options = {"REGISTER", "UNDO"}

    name: StringProperty(name="Shot", options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        shot = next((shot for shot in shots_in(context.scene) if shot.name == self.name), None)
        if shot is None:
            raise MosaicError(f"The film has no shot {self.name}.")
        remove_shot(shot)
        _play_film(context.scene)
        return {"FINISHED"}


def _visible(context: bpy.types.Context) -> list[bpy.types.Object]:
    """The geometries of the scene that are rendered."""
    return [obj for obj in context.view_layer.objects if is_geometry(obj) and not obj.hide_render]


def _play_film(scene: bpy.types.Scene) -> None:
    """Let the scene play the frames of its film."""
    film = frames_of_film(scene)
    if film is not None:
        scene.frame_start, scene.frame_end = film
    scene.frame_set(scene.frame_current)  # new curves show at once
