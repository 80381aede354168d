"""Slices of a tomogram: the operators that add, choose and remove them, and their position as a property."""

from collections.abc import Iterator
from typing import Any

import bpy
from bpy.props import EnumProperty, FloatProperty, PointerProperty, StringProperty
from mathutils import Vector

from ...scene.figures.cuts import add_cut_at
from ...scene.figures.overlay import figure_collection
from ...scene.keys import SLICE_VIEW
from ...scene.tomograms import slices
from ...scene.tomograms.reading import show_full
from ...scene.tomograms.tomogram import is_tomogram, tomograms_in
from ...session import MosaicError
from ..additions import Addition, property_added
from ..figures.cuts import session_of_figure, toward_viewer
from ..reports import MosaicOperator, OperatorReturn
from ..selection import choose
from .reading import tomogram_named

NOT_ANIMATABLE: set[Any] = set()  # without ANIMATABLE, which is an option by default
ANGSTROM = 10.0  # a nanometre


def _number(properties: Any) -> float:
    """The number of a slice; 0 in a tomogram that somebody tampered with."""
    try:
        return slices.number_of(properties.id_data)
    except MosaicError:
        return 0.0


class MosaicSlice(bpy.types.PropertyGroup):
    """Where a slice stands. It keeps nothing, and reads and writes the place of the object."""

    position: FloatProperty(
        name="Position",
        description="Where the slice stands, in nanometres from the middle of the file's first voxel. Keyframes belong "
        "to the object's location",
        precision=2,
        step=100,
        get=lambda self: slices.position_of(self.id_data) / ANGSTROM,
        set=lambda self, value: slices.set_position(self.id_data, value * ANGSTROM),
        options=NOT_ANIMATABLE,
    )
    number: FloatProperty(
        name="Slice",
        description="The number of the slice in the file, from 0. Keyframes belong to the object's location",
        precision=1,
        step=100,
        get=_number,
        set=lambda self, value: slices.set_number(self.id_data, value),
        options=NOT_ANIMATABLE,
    )
    opacity: FloatProperty(
        name="Opacity",
        description="Of this slice; the tomogram's is multiplied by it. Keyframes belong to the object's colour",
        min=0,
        max=1,
        subtype="FACTOR",
        get=lambda self: slices.opacity_of(self.id_data),
        set=lambda self, value: slices.set_opacity(self.id_data, value),
        options=NOT_ANIMATABLE,
    )


class MOSAIC_OT_add_slice(MosaicOperator):
    """Add a slice through the middle of the tomogram"""

    bl_idname = "mosaic.add_slice"
    bl_label = "Add Slice"
    bl_options = {"REGISTER", "UNDO"}

    tomogram: StringProperty(options={"HIDDEN", "SKIP_SAVE"})
    plane: EnumProperty(
        name="Plane",
        items=(
            ("XY", "XY", "Across z"),
            ("XZ", "XZ", "Across y"),
            ("YZ", "YZ", "Across x"),
            ("VIEW", "View", "Facing you, at any angle"),
        ),
    )

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        across = {"XY": "across z", "XZ": "across y", "YZ": "across x", "VIEW": "that faces you"}[properties.plane]
        return f"Add a slice {across} through the middle of the tomogram. It can be moved, turned and animated"

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        box = tomogram_named(context, self.tomogram)
        if self.plane == "VIEW":
            inverse = box.matrix_world.to_quaternion().inverted()
            obj = slices.add_slice(box, normal=tuple(inverse @ Vector(toward_viewer(context))))  # type: ignore[arg-type]
        else:
            obj = slices.add_slice(box, self.plane)
        context.view_layer.update()
        choose(context, [obj], obj)
        return {"FINISHED"}


class _OfSlice(MosaicOperator):
    """Base class of operators that act on a slice, given by its name."""

    item: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def slice_of(self, context: bpy.types.Context) -> bpy.types.Object:
        for box in tomograms_in(context.scene):
            for obj in slices.slices_of(box):
                if obj.name == self.item:
                    return obj
        raise MosaicError(f"There is no slice {self.item!r} any more.")


class MOSAIC_OT_choose_slice(_OfSlice):
    """Select this slice, to move, turn or animate it"""

    bl_idname = "mosaic.choose_slice"
    bl_label = "Select Slice"
    bl_options = {"UNDO"}

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        obj = self.slice_of(context)
        choose(context, [obj], obj)
        return {"FINISHED"}


class MOSAIC_OT_show_slice(_OfSlice):
    """Show or hide it, in the view and in the picture"""

    bl_idname = "mosaic.show_slice"
    bl_label = "Show or Hide"
    bl_options = {"UNDO"}

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        obj = self.slice_of(context)
        obj.hide_render = not obj.hide_render
        obj.hide_viewport = obj.hide_render
        return {"FINISHED"}


class MOSAIC_OT_remove_slice(_OfSlice):
    """Remove this slice"""

    bl_idname = "mosaic.remove_slice"
    bl_label = "Remove Slice"
    bl_options = {"UNDO"}

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        slices.remove_slice(self.slice_of(context))
        return {"FINISHED"}


class MOSAIC_OT_show_full_slice(_OfSlice):
    """Read this slice from the file without binning, and put it at the nearest one there. Where it is moved away, the binned tomogram shows again"""  # fmt: skip

    bl_idname = "mosaic.show_full_slice"
    bl_label = "Full Resolution"
    bl_options = {"UNDO"}

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        obj = self.slice_of(context)
        show_full(obj)
        self.report({"INFO"}, f"{obj.name} is shown as its file has it at {slices.number_of(obj):.0f}")
        return {"FINISHED"}


class MOSAIC_OT_cut_at_slice(_OfSlice):
    """Cut the session open where the slice stands, on your side of it; the cut moves and turns with the slice"""

    bl_idname = "mosaic.cut_at_slice"
    bl_label = "Cut Here"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        obj = self.slice_of(context)
        session = session_of_figure(context)
        cut = add_cut_at(context.scene, session, obj, slices.own_normal(obj), toward_viewer(context))
        context.scene.mosaic_picture.active_item = figure_collection(context.scene).objects[:].index(cut)
        return {"FINISHED"}


def shown_tomogram(context: bpy.types.Context) -> bpy.types.Object | None:
    """Return the tomogram that the panel shows: the active one, that of the active slice, or the first of the scene."""
    obj = context.object
    for each in (obj, obj.parent if obj is not None else None):
        if is_tomogram(each):
            return each
    return next(iter(tomograms_in(context.scene)), None)


def additions() -> Iterator[Addition]:
    """Where a slice stands, as a property of its object."""
    yield property_added(bpy.types.Object, SLICE_VIEW, PointerProperty(type=MosaicSlice))
