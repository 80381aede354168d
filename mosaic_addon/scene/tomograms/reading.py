"""Tomograms of files: read, binned to fit, and shown in a scene."""

import json
import os
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import bpy

from ...files.tomogram import Density, Region, density_steps, read_header, read_slice
from ...session.errors import MosaicError
from ..keys import SESSION
from ..record import unpack_session
from .atlas import LARGEST, encode_plane
from .nodes import add_full_slice, full_slices
from .slices import PLANES, add_slice, axis_of, number_of, set_number
from .tomogram import add_tomogram, density_of, image_of, new_image, show_instead, volume_of
from .volume import Shown, Triple

SUFFIXES: Final = (".mrc", ".map", ".rec", ".st", ".ccp4", ".em", ".nrrd", ".gz", ".bz2")
MEGABYTES: Final = 64  # that a tomogram may take
NANOMETRE: Final = 10.0  # angstrom
# Of what a session's file names: bytes of its section, characters of a path, paths.
MOST_META, MOST_PATH, MOST_PATHS = 2**20, 1024, 20


@dataclass(frozen=True, slots=True)
class TomogramOptions:
    """How a tomogram is opened.

    megabytes: that its values may take; it is binned until they fit. The .blend grows by a third more. bits: 8 or 16 of
    a value. region: the voxels that are read; None for all. header_origin: put it where its header says, instead of
    where Mosaic has its geometries: at voxel x sampling rate. planes: the slices that are shown.
    """

    megabytes: float = MEGABYTES
    bits: int = 8
    region: Region | None = None
    header_origin: bool = False
    planes: tuple[str, ...] = tuple(PLANES)

    @property
    def max_voxels(self) -> int:
        """How many values there may be."""
        return max(1, int(self.megabytes * 2**20 * 8 / self.bits))


def open_tomogram(
    scene: bpy.types.Scene,
    path: str | os.PathLike[str],
    session: bpy.types.Collection | None = None,
    options: TomogramOptions | None = None,
    progress: Callable[[float], None] | None = None,
) -> bpy.types.Object:
    """Show a tomogram of a file in a scene, with slices through its middle. Returns its box.

    session: in whose coordinates it lies; None for none. progress: called with the fraction that is done; an exception
    that it raises ends the reading. Raises MosaicError, with nothing added, for a file that cannot be read.
    """
    return _run(opening_steps(scene, path, session, options), progress)


def opening_steps(
    scene: bpy.types.Scene,
    path: str | os.PathLike[str],
    session: bpy.types.Collection | None = None,
    options: TomogramOptions | None = None,
) -> Generator[float, None, bpy.types.Object]:
    """Show a tomogram as `open_tomogram` does, in steps: yield the fraction that is done. Close it to stop."""
    options = options or TomogramOptions()
    density = yield from density_steps(path, max_voxels=options.max_voxels, region=options.region)
    origin = density.header.origin if options.header_origin else (0.0, 0.0, 0.0)
    box = add_tomogram(scene, _shown(density, path, options.bits), _name_of(path), session, origin)
    for plane in options.planes:
        add_slice(box, plane)
    return box


def read_again(
    box: bpy.types.Object, options: TomogramOptions | None = None, progress: Callable[[float], None] | None = None
) -> None:
    """Show another part of a tomogram's file, or more of it; slices and settings stay.

    Raises MosaicError, with nothing changed, for what is no tomogram, and a file that is gone or cannot be read.
    """
    _run(reading_steps(box, options), progress)


def reading_steps(
    box: bpy.types.Object, options: TomogramOptions | None = None
) -> Generator[float, None, bpy.types.Object]:
    """Read a tomogram again as `read_again` does, in steps: yield the fraction that is done. Returns its box."""
    options = options or TomogramOptions()
    path = file_of(box)
    density = yield from density_steps(path, max_voxels=options.max_voxels, region=options.region)
    show_instead(box, _shown(density, path, options.bits))
    return box


def show_full(obj: bpy.types.Object, progress: Callable[[float], None] | None = None) -> None:
    """Show a slice, which is moved to the nearest one of the file, as the file has it, without binning.

    Where it is moved away from there, or turned, the binned tomogram shows again. Raises MosaicError for what is no
    slice along the tomogram's axes, and a file that is gone or cannot be read.
    """
    axis, box = axis_of(obj), obj.parent
    if axis is None or box is None:
        raise MosaicError(f"{obj.name!r} is turned; only slices along the tomogram's axes can be read from the file.")
    path, volume, density = file_of(box), volume_of(box), density_of(box)
    header = read_header(path)
    number = min(max(round(number_of(obj)), 0), header.shape[axis] - 1)
    values = read_slice(path, ("x", "y", "z")[axis], number, progress=progress)
    if max(values.shape) > LARGEST:
        raise MosaicError(f"A slice of {values.shape[1]} x {values.shape[0]} voxels is too large for an image.")
    image = new_image(f"{box.name} {'xyz'[axis]} {number}", encode_plane(values, volume.value_range, 8))
    add_full_slice(density, image, axis, number, volume.file_voxel_size, volume.value_range)
    set_number(obj, number)


def shown_in_full(box: bpy.types.Object) -> list[tuple[int, int]]:
    """Return the slices of the file, each as its axis and number, that are shown as the file has them."""
    return full_slices(density_of(box))


def file_of(box: bpy.types.Object) -> Path:
    """Return the file that a tomogram was read from. Raises MosaicError for what is no tomogram, or was none of a file."""
    path = volume_of(box).path
    if not path:
        raise MosaicError(f"{box.name!r} was read from no file.")
    return Path(bpy.path.abspath(path, library=box.library))


def whole_region(box: bpy.types.Object) -> Region:
    """Return all voxels of a tomogram's file. Raises MosaicError where it cannot be read."""
    return Region((0, 0, 0), read_header(file_of(box)).shape)


def region_around(box: bpy.types.Object, low: Triple, high: Triple) -> Region:
    """Return the voxels of a tomogram's file between two corners, in angstrom from its first voxel's middle."""
    size = volume_of(box).file_voxel_size
    start = [round(a / each) for a, each in zip(low, size, strict=True)]
    stop = [round(b / each) + 1 for b, each in zip(high, size, strict=True)]
    return Region((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))


def said_of(box: bpy.types.Object) -> str:
    """Return a sentence on what is shown of a tomogram, such as "binned 2 x: 1.36 nm a voxel"."""
    volume = volume_of(box)
    sizes = [f"{size / NANOMETRE:.3g}" for size in volume.voxel_size]
    size = sizes[0] if len(set(sizes)) == 1 else " x ".join(sizes)
    shape = " x ".join(map(str, volume.shape))
    binned = f"binned {volume.binning} x: " if volume.binning > 1 else ""
    return f"{shape} voxels, {binned}{size} nm a voxel"


def megabytes_of(box: bpy.types.Object) -> float:
    """Return how much a tomogram adds to the .blend, in MB."""
    packed = image_of(box).packed_file
    return 0.0 if packed is None else packed.size / 1e6


def paths_named_by(session: bpy.types.Collection) -> tuple[str, ...]:
    """Return the paths of tomograms that a session's file names, as Mosaic remembers them, each made absolute.

    Nothing is looked at there: they are a stranger's, and only opened when somebody says so.
    """
    try:
        record = unpack_session(session)
        section = record.sections.get("meta") if record is not None else None
        if section is None or len(section.data) > MOST_META:
            return ()
        paths = json.loads(bytes(section.data)).get("volume_paths", [])
    except (MosaicError, ValueError, AttributeError, RecursionError):
        return ()
    folder = os.path.dirname((SESSION.read(session) or {}).get("file", ""))
    named = [path for path in paths if type(path) is str and 0 < len(path) <= MOST_PATH] if type(paths) is list else []
    return tuple(os.path.join(folder, path) for path in named[:MOST_PATHS] if "://" not in path and "\0" not in path)


def _shown(density: Density, path: str | os.PathLike[str], bits: int) -> Shown:
    start = [a - b for a, b in zip(density.origin, density.header.origin, strict=True)]
    return Shown(
        density.values,
        density.voxel_size,
        (start[0], start[1], start[2]),
        density.header.voxel_size,
        density.binning,
        _remembered(path),
        bits,
    )


def _remembered(path: str | os.PathLike[str]) -> str:
    """A path as it is kept: relative to the .blend where that can be."""
    absolute = os.path.abspath(path)
    if bpy.data.filepath:
        try:
            return bpy.path.relpath(absolute)
        except ValueError:  # on another drive
            pass
    return absolute


def _name_of(path: str | os.PathLike[str]) -> str:
    """The name of a file without its suffixes."""
    stem = Path(path).name
    while Path(stem).suffix.lower() in SUFFIXES and Path(stem).stem:
        stem = Path(stem).stem
    return stem


def _run(steps: Generator[float, None, bpy.types.Object], progress: Callable[[float], None] | None) -> bpy.types.Object:
    while True:
        try:
            fraction = next(steps)
        except StopIteration as end:
            box: bpy.types.Object = end.value
            return box
        if progress is not None:
            progress(fraction)
