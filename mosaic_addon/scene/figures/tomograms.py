"""The tomograms of a recipe: checked before anything is rendered, and shown."""

from collections.abc import Sequence
from pathlib import Path

import bpy
from mathutils import Vector

from ...files.recipe_parts import Slice, Tomogram
from ...files.tomogram import read_header
from ...session.errors import MosaicError
from ..drawing.color_maps import find_map
from ..tomograms.nodes import MOST_SLICES
from ..tomograms.reading import TomogramOptions, open_tomogram, show_full
from ..tomograms.slices import add_slice, own_normal, set_opacity
from ..tomograms.surfaces import wear_tomogram
from ..tomograms.tomogram import Look, look_of, set_look
from . import cuts
from .selecting import Entry, select

NANOMETRE = 10.0  # angstrom


def check_tomogram(table: Tomogram, entries: Sequence[Entry]) -> None:
    """Raise MosaicError, with the line, for a tomogram that cannot be shown."""
    select(entries, table, "on", table.on)
    if not 1 <= table.average <= MOST_SLICES:
        raise table.wrong("average", f"average is {table.average}, but must be from 1 to {MOST_SLICES} slices.")
    for key, check in (("file", lambda: read_header(path_of(table))), ("map", lambda: find_map(table.map))):
        try:
            check()
        except MosaicError as error:
            raise table.wrong(key, str(error)) from error


def show_tomogram(
    table: Tomogram, scene: bpy.types.Scene, session: bpy.types.Collection, entries: Sequence[Entry]
) -> None:
    """Show a tomogram of a recipe in a scene with a camera."""
    options = TomogramOptions(table.megabytes, table.bits, header_origin=table.header_origin, planes=())
    box = open_tomogram(scene, path_of(table), session, options)
    first = look_of(box)
    look = Look(
        first.black if table.black is None else table.black,
        first.white if table.white is None else table.white,
        table.gamma,
        table.invert,
        table.map,
        table.threshold,
        table.opacity,
        table.average,
    )
    set_look(box, look)
    scene.view_layers[0].update()
    for each in table.slices:
        _show_slice(each, box, scene, session)
    worn = select(entries, table, "on", table.on)
    if worn:
        wear_tomogram(worn, box, table.offset_nm * NANOMETRE)


def path_of(table: Tomogram) -> Path:
    """Return the file of a recipe's tomogram."""
    return Path(table.place.file).parent / table.file


def _show_slice(table: Slice, box: bpy.types.Object, scene: bpy.types.Scene, session: bpy.types.Collection) -> None:
    obj = add_slice(box, table.plane, None if table.at_nm is None else table.at_nm * NANOMETRE, table.normal)
    set_opacity(obj, table.opacity)
    if table.full:
        show_full(obj)
    if table.cut:
        scene.view_layers[0].update()
        camera = scene.camera
        toward = camera.matrix_world.to_3x3() @ Vector((0, 0, 1)) if camera is not None else Vector((0, 0, 1))
        cuts.add_cut_at(scene, session, obj, own_normal(obj), (toward.x, toward.y, toward.z))
