"""Tomograms of a scene as tables of a recipe."""

from collections.abc import Sequence
from typing import Any

import bpy
import numpy as np
from mathutils import Vector

from ...files.recipe_parts import Slice, Tomogram
from ...session.errors import MosaicError
from ..figures import cuts
from ..figures.overlay import items_of
from ..tomograms.reading import MEGABYTES, file_of, shown_in_full
from ..tomograms.slices import axis_of, number_of, opacity_of, own_normal, position_of, slices_of
from ..tomograms.surfaces import worn_by
from ..tomograms.tomogram import bits_of, look_of, tomograms_in, volume_of
from ..tomograms.volume import Volume
from .beside import Setting
from .notes import rounded, short, triple
from .objects import relative

PLANES = ("YZ", "XZ", "XY")  # by the axis that each stands across


def tables_of_tomograms(setting: Setting, folder: str) -> tuple[Tomogram, ...]:
    """Return the tables of a scene's tomograms, and note what a recipe does not hold of them."""
    tables: list[Tomogram] = []
    for box in tomograms_in(setting.scene):
        try:
            table = _tomogram(box, setting, folder)
        except MosaicError as error:
            setting.notes.add(f"left out. {error}", box.name)
            continue
        if table is None:
            setting.notes.add("shown nowhere, and left out.", box.name)
        else:
            tables.append(table)
    return tuple(tables)


def _tomogram(box: bpy.types.Object, setting: Setting, folder: str) -> Tomogram | None:
    volume, look = volume_of(box), look_of(box)
    cut = {item.parent for item in items_of(setting.scene, cuts.KIND)}
    full = shown_in_full(box)
    slices = tuple(_slice(obj, obj in cut, full, setting) for obj in slices_of(box) if not obj.hide_render)
    on, offset = _worn(box, setting)
    if not slices and not on:
        return None
    if np.abs(np.array(volume.start) - (np.array(volume.voxel_size) - volume.file_voxel_size) / 2).max() > 1e-3:
        setting.notes.add("a part of its file; a recipe shows the whole.", box.name)
    bits = bits_of(box)
    threshold = None if (look.threshold or 0.0) <= volume.no_threshold + 1e-6 else short(look.threshold or 0.0)
    values: dict[str, Any] = {
        "black": short(look.black), "white": short(look.white), "gamma": short(look.gamma), "invert": look.invert,
        "threshold": threshold, "opacity": short(look.opacity), "average": look.average,
    }  # fmt: skip
    return Tomogram(
        file=relative(str(file_of(box)), folder),
        slices=slices,
        on=on,
        offset_nm=offset,
        map=look.color_map,
        megabytes=_megabytes(volume, bits),
        bits=bits,
        header_origin=bool(np.abs(np.array(box.location)).max() > 1e-6),
        **values,
    )


def _slice(obj: bpy.types.Object, cut: bool, full: Sequence[tuple[int, int]], setting: Setting) -> Slice:
    axis = axis_of(obj)
    if axis is None:
        setting.notes.add("stands at an angle; a recipe puts it through its tomogram's middle.", obj.name)
        normal = obj.matrix_basis.to_quaternion() @ Vector(own_normal(obj))
        return Slice(normal=triple(normal, 1e-6), opacity=short(opacity_of(obj)), cut=cut)
    is_full = (axis, round(number_of(obj), 3)) in full
    (place,) = rounded([position_of(obj) / 10], 1e-3)
    return Slice(plane=PLANES[axis], at_nm=place, opacity=short(opacity_of(obj)), full=is_full, cut=cut)  # type: ignore[arg-type]


def _worn(box: bpy.types.Object, setting: Setting) -> tuple[tuple[str, ...], float]:
    """The objects that show a tomogram, and how far from their surface, in nm."""
    objects = [origin.obj for origin in setting.origins if origin.obj is not None]
    found = [(obj, worn[1]) for obj in objects if (worn := worn_by(obj)) is not None and worn[0] == box]
    if not found:
        return (), 0.0
    offsets = {offset for _, offset in found}
    if len(offsets) > 1:
        setting.notes.add("on surfaces at several offsets; a recipe has one.", box.name)
    (offset,) = rounded([found[0][1] / 10], 1e-3)
    return setting.patterns(setting.numbers_of([obj for obj, _ in found])), offset


def _megabytes(volume: Volume, bits: int) -> float:
    """What a tomogram takes, where that is more than usual or it is binned; else the usual."""
    x, y, z = volume.shape
    taken = x * y * z * bits / 8 / 2**20
    if taken <= MEGABYTES and volume.binning == 1:
        return float(MEGABYTES)
    return max(1.0, float(np.ceil(taken)))
