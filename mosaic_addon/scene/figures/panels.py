"""Figures as files: a recipe's pictures rendered one after the other, and panels put together as one picture."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import bpy
import numpy as np
from numpy.typing import NDArray

from ...files.recipe import MM, Grid, Output, Panel, Picture, Recipe
from ...files.recipe_parts import Text
from ...files.toml_tables import one_word
from ...session.errors import MosaicError
from ..drawing.color_maps import to_scene
from ..outline.close import close_session
from ..pictures.options import BACKGROUNDS, ImageFile
from ..pictures.render import check_pictures, encode_image, render_to, replace_all, write_image
from ..tomograms.tomogram import remove_tomogram, tomograms_in
from . import cuts, overlay
from .recipe import Plan, apply_recipe, check_recipe, content_of
from .svg import drawn_items, named, render_svg, svg_document, vectors_aside

Image: TypeAlias = NDArray[np.float32]  # (height, width, 4): display values times alpha, the lowest row first
# Opens the sessions of a recipe in a scene and returns their collections.
Opener: TypeAlias = Callable[[bpy.types.Scene], Sequence[bpy.types.Collection]]

PREVIEW = 3  # how much smaller a preview is
PREVIEW_SAMPLES = 16


def plans_of(recipe: Recipe, only: str | None = None, *, preview: bool = False) -> list[Plan]:
    """Return the pictures of which a figure consists: one, or one a panel.

    only: the letter of a panel, to leave out the others. preview: smaller, with fewer samples. Raises MosaicError for a
    letter that no panel has.
    """
    picture = recipe.picture
    if preview:
        pixels = tuple(max(1, side // PREVIEW) for side in picture.size)
        samples = min(picture.samples or PREVIEW_SAMPLES, PREVIEW_SAMPLES)
        picture = Picture(
            width_mm=picture.width, pixels=(pixels[0], pixels[1]), look=picture.look, background=picture.background,
            engine=picture.engine, samples=samples, frame=picture.frame,
        )  # fmt: skip
    panels = recipe.lettered
    letters = [panel.letter or "" for panel in panels]
    if only is not None and only not in letters:
        raise MosaicError(f"There is no panel {only!r}; {one_word(only, letters)}")
    if not panels:
        return [Plan("", picture, picture.size, picture.width, content_of(recipe, None))]
    places = _places(recipe.grid, picture, len(panels))
    plans = []
    for panel, (left, _, right, _), (_, lower, _, upper) in zip(panels, places, places, strict=True):
        size = right - left, upper - lower
        content = content_of(recipe, panel)
        plans.append(
            Plan(panel.letter or "", picture, size, size[0] / picture.resolution * MM, _lettered(content, recipe.grid))
        )
    return [plan for plan in plans if only in (None, plan.letter)]


def check_figure(recipe: Recipe, outputs: Sequence[Output], open_sessions: Opener, scene: bpy.types.Scene) -> None:
    """Raise MosaicError for whatever keeps a recipe from being rendered; the scene is left as it was."""
    _check_outputs(outputs)
    sessions = open_sessions(scene)
    try:
        check_recipe(recipe, sessions)
    finally:
        _clear(scene, sessions)


def render_figure(
    recipe: Recipe,
    outputs: Sequence[Output],
    open_sessions: Opener,
    scene: bpy.types.Scene,
    *,
    only: str | None = None,
    preview: bool = False,
) -> None:
    """Render a figure into files, in a scene that is empty but for what is done here; its last picture stays there.

    outputs: the files, by their paths. open_sessions: opens the recipe's sessions in the scene; it is called for each
    panel. only: the letter of a panel, to render that alone. preview: smaller, with fewer samples. Raises MosaicError
    for whatever is wrong, with nothing rendered where it can be seen before, and no file changed.
    """
    plans = plans_of(recipe, only, preview=preview)
    _check_outputs(outputs)
    sessions = open_sessions(scene)
    check_recipe(recipe, sessions)
    vectors = [output.file for output in outputs if _is_svg(output)]
    files = [output for output in outputs if not _is_svg(output)]
    if len(plans) == 1:
        apply_recipe(plans[0], scene, sessions)
        if files:
            render_to(scene, *map(_file, files))
        for path in vectors:
            render_svg(scene, path)
        return
    picture = plans[0].picture
    pictures: list[Image] = []
    bare: list[Image] = []  # without what an .svg has as vectors
    drawn = []
    for plan, (left, lower, right, upper) in zip(plans, _places(recipe.grid, picture, len(plans)), strict=True):
        if pictures or bare:
            _clear(scene, sessions)
            sessions = open_sessions(scene)
        apply_recipe(plan, scene, sessions)
        if files:
            pictures.append(_rendered(scene, plan.size))
        if vectors:
            point = picture.resolution * overlay.POINT / MM  # in pixels
            middle = (left + right) / 2 / point, (picture.size[1] - (lower + upper) / 2) / point
            with vectors_aside(scene) as names:
                bare.append(_rendered(scene, plan.size))
                drawn.append(drawn_items(scene, named(names), middle, f"panel-{plan.letter}"))
    if files:
        _write_panels(put_together(pictures, recipe.grid, picture), picture, files)
    if vectors:
        whole = put_together(bare, recipe.grid, picture)
        with _as_image(whole, picture) as (plain, image):
            png = encode_image(plain, image, ImageFile("picture.png"))
        size = picture.width, picture.width * picture.size[1] / picture.size[0]
        replace_all([(path, svg_document(size, png, drawn)) for path in vectors])


# --- files -----------------------------------------------------------------------------------------------------------


def _is_svg(output: Output) -> bool:
    return Path(output.file).suffix.lower() == ".svg"


def _file(output: Output) -> ImageFile:
    return ImageFile(output.file, output.bits, output.quality)


def _check_outputs(outputs: Sequence[Output]) -> None:
    check_pictures([_file(output) for output in outputs if not _is_svg(output)])


def _clear(scene: bpy.types.Scene, sessions: Sequence[bpy.types.Collection]) -> None:
    """Remove sessions, what is drawn beside them, and the camera."""
    for box in tomograms_in(scene):
        remove_tomogram(box)
    for item in overlay.items_of(scene):
        if item in overlay.items_of(scene, cuts.KIND):
            cuts.remove_cut(item)
        else:
            overlay.remove_item(item)
    for session in sessions:
        close_session(session, scene)
    if scene.camera is not None:
        bpy.data.batch_remove([each for each in (scene.camera, scene.camera.data) if each is not None])


# --- panels ----------------------------------------------------------------------------------------------------------


def _places(grid: Grid, picture: Picture, count: int) -> list[tuple[int, int, int, int]]:
    """Where panels stand in a picture: left, lower, right and upper side in pixels, the picture's lowest row 0."""
    width, height = picture.size
    gap = round(grid.gap_mm / MM * picture.resolution)
    columns = min(grid.columns, count)
    rows = -(-count // columns)
    if (width + gap) // columns - gap < 1 or (height + gap) // rows - gap < 1:
        raise grid.wrong("gap_mm", f"{rows} rows of {columns} panels do not fit into {width} x {height} pixels.")
    lefts = [round(number * (width + gap) / columns) for number in range(columns + 1)]
    uppers = [height - round(number * (height + gap) / rows) for number in range(rows + 1)]
    return [
        (lefts[column], uppers[row + 1] + gap, lefts[column + 1] - gap, uppers[row])
        for row, column in (divmod(number, columns) for number in range(count))
    ]


def _lettered(content: Panel, grid: Grid) -> Panel:
    """Write the letter of a panel into it."""
    if not grid.letters or not content.letter:
        return content
    letter = Text(
        text=content.letter, corner=grid.corner, font_size=grid.font_size, margin=grid.margin, color=grid.color
    )
    return replace(content, texts=(*content.texts, letter))


def _rendered(scene: bpy.types.Scene, size: tuple[int, int]) -> Image:
    """Render a scene and return what a file of it would show."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "panel.png")
        render_to(scene, ImageFile(path, 16))
        image = bpy.data.images.load(path)
        try:
            image.colorspace_settings.name = "Non-Color"  # the values as they stand in the file
            pixels = np.empty(size[0] * size[1] * 4, np.float32)
            image.pixels.foreach_get(pixels)
        finally:
            bpy.data.images.remove(image)
    return pixels.reshape(size[1], size[0], 4)


def put_together(pictures: Sequence[Image], grid: Grid, picture: Picture) -> Image:
    """Return panels as one picture, on its background."""
    width, height = picture.size
    clear = picture.background == "transparent"
    whole = np.zeros((height, width, 4), np.float32)
    if not clear:
        whole[:] = (*BACKGROUNDS[picture.background], 1)
    for panel, (left, lower, right, upper) in zip(pictures, _places(grid, picture, len(pictures)), strict=True):
        under = whole[lower:upper, left:right]
        whole[lower:upper, left:right] = panel + under * (1 - panel[..., 3:])
    return whole


def _write_panels(whole: Image, picture: Picture, outputs: Sequence[Output]) -> None:
    """Write a picture that was put together into files."""
    exr = [_file(output) for output in outputs if Path(output.file).suffix.lower() == ".exr"]
    others = [_file(output) for output in outputs if Path(output.file).suffix.lower() != ".exr"]
    if others:
        with _as_image(whole, picture) as (plain, image):
            write_image(plain, image, picture.resolution, *others)
    if exr:
        linear = whole.copy()
        alpha = np.maximum(whole[..., 3:], 1e-6)
        linear[..., :3] = to_scene((whole[..., :3] / alpha).astype(np.float64)) * alpha
        with _as_image(linear, picture) as (plain, image):
            write_image(plain, image, picture.resolution, *exr)


@contextmanager
def _as_image(values: Image, picture: Picture) -> Iterator[tuple[bpy.types.Scene, bpy.types.Image]]:
    """Give a scene that writes values as they are, and an image of them, while the block lasts."""
    plain = bpy.data.scenes.new("Mosaic Panels")
    image: Any = bpy.data.images.new("Mosaic Panels", *picture.size, alpha=True, float_buffer=True)
    try:
        plain.view_settings.view_transform = "Raw"
        plain.render.film_transparent = picture.background == "transparent"
        image.colorspace_settings.name = "Non-Color"
        image.pixels.foreach_set(values.ravel())
        yield plain, image
    finally:
        bpy.data.batch_remove([plain, image])
