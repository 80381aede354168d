"""A scene -> a recipe: what differs from what an import of its sessions shows, the camera, and what is drawn beside it."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import bpy
import numpy as np

from ...files.patterns import numbered
from ...files.recipe import VERSION, Recipe, write_recipe
from ...files.toml_tables import MAX_BYTES
from ...session.atomic_write import find_target, replace_file
from ...session.errors import MosaicError
from ..keys import FIGURE, LOOK
from ..outline.tree import sessions_in
from ..pictures.looks import background_of
from .beside import Setting, tables_beside
from .notes import Notes
from .objects import Describer, relative, rules_of
from .origins import Origin, SessionFile, file_and_origins, note_unsaved
from .picture import FINE, camera_of, picture_of
from .tomograms import tables_of_tomograms

SUFFIX = ".toml"
DRAWN = frozenset(
    {"MESH", "POINTCLOUD", "CURVE", "CURVES", "SURFACE", "META", "FONT", "VOLUME", "GREASEPENCIL", "LIGHT"}
)


def recipe_of(scene: bpy.types.Scene, folder: str) -> tuple[Recipe, list[str]]:
    """Return the recipe of the picture that a scene shows now, and a sentence for each part of it that is not in there.

    folder: of the recipe's file, from which paths in it count. Nothing in the scene changes. Raises MosaicError for a
    scene without a session, and where the file of one cannot be read.
    """
    notes = Notes()
    for layer in scene.view_layers:
        layer.update()
    files = [file_and_origins(session) for session in sessions_in(scene)]
    if not files:
        raise MosaicError(f"The scene {scene.name!r} holds no session that a recipe could show.")
    for file in files:
        note_unsaved(file, scene, notes)
    origins = _told_apart(files)
    rendered = rendered_objects(scene)
    pixel_size = _pixel_size(files, notes)
    _note_places(files, notes)
    describer = Describer(scene, rendered, folder, notes)
    looks = []
    for file in files:
        looks += [describer.look_of(origin) for origin in file.origins]
    first = files[0]
    background = background_of(scene)
    extent = float((first.plan.upper - first.plan.lower).max()) or 1.0
    setting = Setting(scene, first.session, first.root, origins, background, extent * 10 * FINE, notes)
    recipe = Recipe(
        version=VERSION,
        sessions=tuple(relative(file.path, folder) for file in files),
        pixel_size=pixel_size,
        picture=picture_of(scene, origins, notes),
        camera=camera_of(scene, first.root, origins, notes),
        rules=tuple(rules_of(origins, looks, rendered, notes)),
        tomograms=tables_of_tomograms(setting, folder),
        **tables_beside(setting),
    )
    _note_extras(scene, rendered, files, notes)
    recipe.check()
    return recipe, notes.sentences


def write_recipe_of(scene: bpy.types.Scene, path: str | os.PathLike[str], *, overwrite: bool = False) -> list[str]:
    """Write a scene's recipe into a file. Returns a sentence for each part of the picture that is not in there.

    The file says these sentences, too. overwrite: a file that is there. Raises MosaicError, with no file changed, for a
    name that does not end in .toml, a scene without a session, and where a file cannot be read or written.
    """
    target = Path(path).absolute()
    if target.suffix.lower() != SUFFIX:
        raise MosaicError(f"{target} must end in {SUFFIX}.")
    if target.exists() and not overwrite:
        raise MosaicError(f"{target} is there already; choose another name, or overwrite it.")
    recipe, sentences = recipe_of(scene, str(target.parent))
    data = write_recipe(recipe, sentences).encode()
    if len(data) > MAX_BYTES:
        raise MosaicError(
            f"The recipe would have {len(data):,} bytes, more than the {MAX_BYTES:,} that are read; let groups look alike."
        )

    def write(file: BinaryIO) -> None:
        file.write(data)

    try:
        find_target(target)
        replace_file(target, write, backup=False)
    except MosaicError as error:
        raise MosaicError(f"{target} {error}") from error
    return sentences


def rendered_objects(scene: bpy.types.Scene) -> set[bpy.types.Object]:
    """Return the objects that a render of a scene shows, by their own cameras and those of their collections."""

    def shown(layer: bpy.types.LayerCollection) -> Iterator[bpy.types.Object]:
        if not layer.exclude and not layer.collection.hide_render:
            yield from (obj for obj in layer.collection.objects if not obj.hide_render)
            for child in layer.children:
                yield from shown(child)

    return {obj for layer in scene.view_layers if layer.use for obj in shown(layer.layer_collection)}


def _told_apart(files: Sequence[SessionFile]) -> list[Origin]:
    """All geometries, numbered. None is called by its session where Blender would number the sessions' names, too."""
    names = [file.plan.name for file in files]
    origins = [origin for file in files for origin in file.origins]
    called = numbered([origin.called for origin in origins])
    taken = {"Clusters", "Models", *(each.group for each in called)}
    if len(set(names) - taken) < len(names):
        called = [replace(each, session="") for each in called]
    return [replace(origin, called=each) for origin, each in zip(origins, called, strict=True)]


def _pixel_size(files: Sequence[SessionFile], notes: Notes) -> float | None:
    """The angstrom of a pixel where an import would choose another; None where it chooses these."""
    given = [file.pixel_size for file in files]
    if set(given) == {None}:
        return None
    sizes = [file.plan.pixel_size for file in files]
    if max(sizes) > min(sizes) * 1.0001:
        notes.add("The sessions have points of different pixel sizes; the recipe has that of the first for all.")
    return sizes[0]


def _note_places(files: Sequence[SessionFile], notes: Notes) -> None:
    """Note sessions that stand beside each other otherwise than when they are opened anew."""
    first = files[0]
    for other in files[1:]:
        between = first.root.matrix_world.inverted_safe() @ other.root.matrix_world
        wanted = np.eye(4)
        wanted[:3, 3] = first.plan.centre - other.plan.centre
        size = float((first.plan.upper - first.plan.lower).max()) or 1.0
        if not np.allclose(np.array(between), wanted, rtol=1e-4, atol=1e-4 * size):
            notes.add(
                "placed or scaled otherwise beside the first session than when both are opened anew.",
                other.session.name,
            )


def _note_extras(
    scene: bpy.types.Scene, rendered: set[bpy.types.Object], files: Sequence[SessionFile], notes: Notes
) -> None:
    """Note what is rendered and no session's; what is new in a session was noted as unsaved."""
    known: set[Any] = {origin.obj for file in files for origin in file.origins}
    known.update(*(file.session.all_objects for file in files))
    for obj in scene.objects:
        if (
            obj in rendered
            and obj not in known
            and obj.type in DRAWN
            and not FIGURE.read(obj)
            and LOOK.read(obj) is None
        ):
            notes.add("in no session's file, so not in the recipe either.", obj.name)
