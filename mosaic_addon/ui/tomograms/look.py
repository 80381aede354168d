"""How a tomogram is shown: its settings that are no sockets of nodes, and the operators beside them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, PointerProperty, StringProperty

from ...scene.keys import TOMOGRAM_VIEW
from ...scene.tomograms.nodes import MOST_SLICES
from ...scene.tomograms.surfaces import keep_density, unused_name, wear_tomogram
from ...scene.tomograms.tomogram import Look, fitting_contrast, look_of, refresh, remove_tomogram, set_look
from ...session import MosaicError
from ..additions import Addition, property_added
from ..preferences import COLOR_MAPS
from ..reports import MosaicOperator, OperatorReturn
from ..selection import choose, edited_geometries
from .reading import tomogram_named

MAPS = tuple(item for item in COLOR_MAPS if not item[0].endswith("_r"))
NOT_ANIMATABLE: set[Any] = set()  # without ANIMATABLE, which is an option by default


def _view(read: Callable[[Look], Any], change: Callable[[Any], dict[str, Any]], default: Any) -> dict[str, Any]:
    """Make a property a view of a tomogram's nodes. change: the fields of Look that a value stands for."""

    def get(properties: Any) -> Any:
        try:
            return read(look_of(properties.id_data))
        except MosaicError:
            return default

    def set(properties: Any, value: Any) -> None:
        box = properties.id_data
        set_look(box, replace(look_of(box), **change(value)))

    return {"get": get, "set": set, "options": NOT_ANIMATABLE}


class MosaicTomogram(bpy.types.PropertyGroup):
    """What of a tomogram's look is no number of a node. It keeps nothing."""

    color_map: EnumProperty(
        name="Map",
        description="The colour map that density is shown through",
        items=MAPS,
        **_view(
            lambda look: next((item[-1] for item in MAPS if item[0] == look.color_map), 0),
            lambda number: {"color_map": next(item[0] for item in MAPS if item[-1] == number)},
            0,
        ),
    )
    invert: BoolProperty(
        name="Invert",
        description="Turn the colour map round",
        **_view(lambda look: look.invert, lambda value: {"invert": value}, False),
    )
    average: IntProperty(
        name="Average of",
        description="How many slices around each one are averaged, which shows more and takes longer",
        min=1,
        max=MOST_SLICES,
        **_view(lambda look: look.average, lambda value: {"average": value}, 1),
    )


class _OfTomogram(MosaicOperator):
    """Base class of operators that act on a tomogram, given by its name."""

    tomogram: StringProperty(options={"HIDDEN", "SKIP_SAVE"})


class MOSAIC_OT_choose_tomogram(_OfTomogram):
    """Show this tomogram in the panel"""

    bl_idname = "mosaic.choose_tomogram"
    bl_label = "Choose Tomogram"
    bl_options = {"UNDO", "INTERNAL"}

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        refresh(context.scene)
        box = tomogram_named(context, self.tomogram)
        choose(context, [box], box)
        return {"FINISHED"}


class MOSAIC_OT_fit_contrast(_OfTomogram):
    """Let the tomogram go from black to white over most of its values"""

    bl_idname = "mosaic.fit_contrast"
    bl_label = "Auto Contrast"
    bl_options = {"REGISTER", "UNDO"}

    low: FloatProperty(
        name="Black", description="How many of the values are black", default=0.5, min=0, max=49, subtype="PERCENTAGE"
    )
    high: FloatProperty(
        name="White", description="How many of the values are white", default=0.5, min=0, max=49, subtype="PERCENTAGE"
    )

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        box = tomogram_named(context, self.tomogram)
        black, white = fitting_contrast(box, (self.low / 100, 1 - self.high / 100))
        set_look(box, replace(look_of(box), black=black, white=white))
        return {"FINISHED"}


class MOSAIC_OT_remove_tomogram(_OfTomogram):
    """Remove the tomogram with its slices from the scene; its file and the session stay as they are"""

    bl_idname = "mosaic.remove_tomogram"
    bl_label = "Remove Tomogram"
    bl_options = {"UNDO"}

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        remove_tomogram(tomogram_named(context, self.tomogram))
        refresh(context.scene)
        return {"FINISHED"}


class _OnSurfaces(_OfTomogram):
    """Base class of operators that look density up on the selected objects."""

    offset: FloatProperty(
        name="Offset (nm)",
        description="How far from the surface density is looked up, along its outward normal",
        default=0,
        soft_min=-50,
        soft_max=50,
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if edited_geometries(context):
            return True
        cls.poll_message_set("Select objects of the session")
        return False


class MOSAIC_OT_wear_tomogram(_OnSurfaces):
    """Colour the selected objects by the density at their surface"""

    bl_idname = "mosaic.wear_tomogram"
    bl_label = "Colour by Tomogram"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        refresh(context.scene)
        wear_tomogram(edited_geometries(context), tomogram_named(context, self.tomogram), self.offset * 10)
        return {"FINISHED"}


class MOSAIC_OT_keep_density(_OnSurfaces):
    """Keep the density at the points of the selected objects as a vertex property, which is saved in the session"""

    bl_idname = "mosaic.keep_density"
    bl_label = "Keep as Vertex Property"
    bl_options = {"REGISTER", "UNDO"}

    vertex_property: StringProperty(name="Name", description="Of the vertex property", default="density")

    def execute(self, context: bpy.types.Context) -> OperatorReturn:
        if not self.vertex_property:
            raise MosaicError("The vertex property needs a name.")
        box = tomogram_named(context, self.tomogram)
        objects = edited_geometries(context)
        name = unused_name(objects, self.vertex_property)  # nothing that a session holds is overwritten
        count = keep_density(objects, box, name, self.offset * 10)
        self.report({"INFO"}, f"{name}: {count} object{'s' if count != 1 else ''}")
        return {"FINISHED"}


def additions() -> Iterator[Addition]:
    """A tomogram's look, as a property of its box."""
    yield property_added(bpy.types.Object, TOMOGRAM_VIEW, PointerProperty(type=MosaicTomogram))
