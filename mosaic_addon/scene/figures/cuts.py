"""Cuts: empties that open all geometries of a .blend, wherever they are moved, turned, scaled or animated to.

What is drawn is cut at the place of another object, in no scene, which a constraint holds at that of the empty. Where
somebody deletes the empty, or switches it off for renders, the place lies so far away that nothing is cut.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import bpy
import numpy as np
from mathutils import Quaternion, Vector

from ...session.errors import MosaicError
from ...session.session import Color
from ..compat import cycles_of
from ..data.custom_properties import has
from ..drawing.cut_nodes import MOST, SHAPES, CutNodes, places, set_cuts
from ..drawing.representations import set_inputs
from ..keys import CUT, FIGURE, SPARED
from ..outline.tree import objects_of
from ..pictures.camera import visible_points
from ..pictures.looks import TRANSPARENT_BOUNCES
from .overlay import drive, items_of, link_item, session_root, tidy

Triple: TypeAlias = tuple[float, float, float]

KIND: Final = "cut"
PLACE: Final = "place of a cut"
CAP_COLOR: Final = (0.78, 0.74, 0.68)  # display values
AWAY: Final = 1e6  # scene units
SLICED_BOUNCES: Final = 256  # transparent surfaces that a ray goes through while points are sliced
DISPLAYS: Final[dict[str, Any]] = {"plane": "SINGLE_ARROW", "box": "CUBE", "sphere": "SPHERE"}


@dataclass(frozen=True, slots=True)
class Cut:
    """A cut. Lengths are angstrom of the session, directions along its axes.

    shape: of SHAPES. A plane goes through `point` and takes away what its z axis points to; a box and a sphere, whose
    middle is there, take away what is in them. rotation: of their axes, a quaternion (w, x, y, z). size: half the sides
    of a box, the radius of a sphere along each axis; of a plane, that of its arrow. invert: keep what would be taken
    away, and take away the rest. whole: take away points and copies whose middle is taken away, and leave the others
    whole, instead of slicing them. cap: what the inside of closed and solid meshes is shown in, three display values,
    so that they look filled; None to look into them.
    """

    shape: str = "plane"
    point: Triple = (0.0, 0.0, 0.0)
    rotation: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)
    size: Triple = (1.0, 1.0, 1.0)
    invert: bool = False
    whole: bool = True
    cap: Color | None = None


def facing(normal: Iterable[float]) -> tuple[float, float, float, float]:
    """Return the rotation of a plane that takes away what a direction points to. Raises MosaicError for none."""
    direction = Vector(tuple(normal))
    if not 0 < direction.length < math.inf:
        raise MosaicError("The normal of a plane must not be zero.")
    return _quaternion(direction.to_track_quat("Z", "Y"))


def fitting_cut(session: bpy.types.Collection, shape: str = "plane", toward: Triple = (0.0, 0.0, 1.0)) -> Cut:
    """Return a cut that opens what is visible of a session.

    toward: where it is looked at from, in the world. A plane halves it across the axis that is nearest to this, a box
    takes away the eighth that is nearest, a sphere bites into that side.
    """
    root = session_root(session)
    points = visible_points(objects_of(session))
    if not len(points):
        raise MosaicError(f"Nothing of {session.name!r} is visible that could be cut.")
    inverse = np.array(root.matrix_world.inverted_safe())
    points = points @ inverse[:3, :3].T + inverse[:3, 3]
    low, high = points.min(axis=0), points.max(axis=0)
    middle, half = (low + high) / 2, np.maximum((high - low) / 2, 1e-3)
    seen = inverse[:3, :3] @ np.array(toward)
    sides = np.where(seen < 0, -1.0, 1.0)
    axis = int(np.abs(seen).argmax())
    side = np.eye(3)[axis] * sides[axis]
    if shape == "plane":
        return Cut(shape, _triple(middle), facing(side), _triple(np.full(3, half.max())))
    if shape == "box":
        return Cut(shape, _triple(middle + sides * half), size=_triple(half))
    radius = np.delete(half, axis).mean()
    return Cut(shape, _triple(middle + side * half), size=_triple(np.full(3, radius)))


def add_cut(
    scene: bpy.types.Scene,
    session: bpy.types.Collection,
    options: Cut | None = None,
    spared: Iterable[bpy.types.Object] = (),
) -> bpy.types.Object:
    """Add a cut to a scene, which cuts all geometries of the .blend. Returns its empty, which hangs on the root.

    session: whose angstrom count. options: by default a plane that fits. spared: what it leaves alone. Raises
    MosaicError for an unknown shape, a size that is not positive, and when there are too many cuts.
    """
    root = session_root(session)
    options = options or fitting_cut(session)
    _check(options)
    refresh(scene)
    numbers = set(range(MOST)) - {_number(place) for place in places()}
    if not numbers:
        raise MosaicError(f"There can be no more than {MOST} cuts; remove one first.")
    obj = bpy.data.objects.new(f"Cut {options.shape.capitalize()}", None)
    link_item(scene, obj, KIND)
    obj.parent = root
    obj.show_in_front = True
    place = _new_place(obj, min(numbers))
    _write(obj, options)
    _set_nodes([*places(), place])
    spare(spared, obj)
    return obj


def add_cut_at(
    scene: bpy.types.Scene,
    session: bpy.types.Collection,
    carrier: bpy.types.Object,
    normal: Triple,
    toward: Triple = (0.0, 0.0, 1.0),
) -> bpy.types.Object:
    """Add a plane that opens a session where another plane is, such as a slice, and moves and turns with it.

    carrier: that plane, which is not cut. normal: across it, in its own coordinates. toward: where it is looked at
    from, in the world; that side is taken away. Raises MosaicError as `add_cut` does.
    """
    across = Vector(normal)
    if (carrier.matrix_world.to_3x3() @ across).dot(Vector(toward)) < 0:
        across.negate()
    size = max(max(map(abs, corner)) for corner in carrier.bound_box)
    options = Cut(rotation=facing((across.x, across.y, across.z)), size=_triple((max(size, 1e-3) / 4,) * 3))
    obj = add_cut(scene, session, options, [carrier])
    obj.parent = carrier
    return obj


def cut_of(obj: bpy.types.Object) -> Cut:
    """Return what a cut is set to, and where it stands now. Raises MosaicError for what is no cut."""
    _place_of(obj)
    settings = _settings(obj)
    matrix = obj.matrix_world
    if obj.parent is not None:
        matrix = obj.parent.matrix_world.inverted_safe() @ matrix
    point, rotation, size = matrix.decompose()
    return replace(settings, point=_triple(point[:]), rotation=_quaternion(rotation), size=_triple(size[:]))


def set_cut(obj: bpy.types.Object, options: Cut) -> None:
    """Change a cut. Raises MosaicError for what is no cut, an unknown shape, and a size that is not positive."""
    _check(options)
    _place_of(obj)
    _write(obj, options)
    _set_nodes(places())


def spare(objects: Iterable[bpy.types.Object], cut: bpy.types.Object, spared: bool = True) -> None:
    """Let a cut leave objects alone, or cut them again. Raises MosaicError for what is no cut."""
    number = _number(_place_of(cut))
    _set_masks(objects, lambda mask: mask | 1 << number if spared else mask & ~(1 << number))


def spared_by(cut: bpy.types.Object, objects: Iterable[bpy.types.Object]) -> list[bpy.types.Object]:
    """Return those of some objects that a cut leaves alone. Raises MosaicError for what is no cut."""
    number = _number(_place_of(cut))
    return [obj for obj in objects if (SPARED.read(obj) or 0) >> number & 1]


def show_cut(obj: bpy.types.Object, shown: bool) -> None:
    """Let a cut rest, or cut again, by whether its empty is shown in renders; that it is hidden in the view is nothing.

    Raises MosaicError for what is no cut.
    """
    place = _place_of(obj)
    obj.hide_render = not shown
    # Blender asks a driver anew when it is set, and not when such a switch is.
    for curve in place.animation_data.drivers if place.animation_data is not None else ():
        curve.driver.expression = curve.driver.expression


def remove_cut(obj: bpy.types.Object) -> None:
    """Remove a cut, which brings back all that it took away."""
    scenes = obj.users_scene
    bpy.data.objects.remove(obj)
    refresh()
    for scene in scenes:
        tidy(scene)


def refresh(*scenes: bpy.types.Scene) -> None:
    """Forget cuts whose empties were deleted by hand, and let copies of cuts that were made by hand cut.

    scenes: where to look for copies. Until then nothing is cut by either.
    """
    kept: list[bpy.types.Object] = []
    gone: list[bpy.types.Object] = []
    for place in places():
        target = _target(place)
        (kept if target is not None and target.users_scene else gone).append(place)
    taken = {_number(place) for place in kept}
    cutting = {_target(place) for place in kept}
    free = iter(sorted(set(range(MOST)) - taken - {_number(place) for place in gone}))
    copies = [obj for scene in scenes for obj in items_of(scene, KIND) if obj not in cutting]
    new = [_new_place(obj, number) for obj, number in zip(dict.fromkeys(copies), free, strict=False)]
    if not gone and not new:
        return
    _set_nodes([*kept, *new])
    freed = sum(1 << _number(place) for place in gone)
    if freed:
        sparing = [obj for obj in bpy.data.objects if has(obj, SPARED) and not has(obj, FIGURE)]
        _set_masks(sparing, lambda mask: mask & ~freed)
    bpy.data.batch_remove(gone)


# --- the place of a cut ----------------------------------------------------------------------------------------------


def _new_place(obj: bpy.types.Object, number: int) -> bpy.types.Object:
    """Make the object at whose place nodes cut, held at that of an empty."""
    place = bpy.data.objects.new("Mosaic Cut Place", None)
    FIGURE.write(place, PLACE)
    SPARED.write(place, 1 << number)
    hold: Any = place.constraints.new("COPY_TRANSFORMS")
    hold.target = obj
    path = f'constraints["{bpy.utils.escape_identifier(hold.name)}"].influence'
    drive(place, path, "1 - h", {"h": ("OBJECT", obj, "hide_render")})
    return place


def _place_of(obj: bpy.types.Object) -> bpy.types.Object:
    """The object at whose place an empty cuts. Raises MosaicError for what is no cut."""
    for place in places():
        if _target(place) == obj:
            return place
    raise MosaicError(f"{obj.name!r} is no cut.")


def _target(place: bpy.types.Object) -> bpy.types.Object | None:
    holds: list[Any] = [each for each in place.constraints if each.type == "COPY_TRANSFORMS"]
    return holds[0].target if holds else None


def _number(place: bpy.types.Object) -> int:
    """The number of a cut: the bit of SPARED that stands for it."""
    return max((SPARED.read(place) or 1).bit_length() - 1, 0)


def _set_nodes(all_places: list[bpy.types.Object]) -> None:
    """Cut at these places, and nowhere else."""
    cuts = []
    for place in all_places:
        target = _target(place)
        if target is None:
            continue
        options = _settings(target)
        # Without its empty it takes away nothing there.
        far = options.invert and options.shape != "plane"
        place.scale = (AWAY,) * 3 if far else (1, 1, 1)
        place.location = (0, 0, 0) if far else (0, 0, -AWAY if options.invert else AWAY)
        cuts.append(CutNodes(place, _number(place), options.shape, options.invert, options.whole, options.cap))
    set_cuts(cuts)
    _let_rays_through(any(not cut.whole for cut in cuts))


def _let_rays_through(sliced: bool) -> None:
    """Let rays go on through the cut parts of points and copies, of which many overlap; else Cycles shows black."""
    for scene in bpy.data.scenes:
        cycles = cycles_of(scene)
        if cycles is not None and sliced:
            cycles.transparent_max_bounces = max(cycles.transparent_max_bounces, SLICED_BOUNCES)
        elif cycles is not None and cycles.transparent_max_bounces == SLICED_BOUNCES:
            cycles.transparent_max_bounces = TRANSPARENT_BOUNCES


def _set_masks(objects: Iterable[bpy.types.Object], change: Any) -> None:
    """Change which cuts leave objects alone; the modifiers that draw them know it, too."""
    masks: dict[int, list[bpy.types.Object]] = {}
    for obj in objects:
        before = SPARED.read(obj) or 0
        mask = change(before)
        if mask != before:
            masks.setdefault(mask, []).append(obj)
            if mask:
                SPARED.write(obj, mask)
            else:
                obj.pop(SPARED, None)
    for mask, changed in masks.items():
        set_inputs(changed, {"Spared": mask})


# --- settings --------------------------------------------------------------------------------------------------------


def _write(obj: bpy.types.Object, options: Cut) -> None:
    """Let an empty stand where a cut stands, and remember the rest of it."""
    obj.location = options.point
    obj.rotation_mode = "QUATERNION"
    obj.rotation_quaternion = options.rotation
    obj.scale = options.size
    obj.empty_display_type = DISPLAYS[options.shape]
    obj.empty_display_size = 1.0
    CUT.write(
        obj,
        json.dumps(
            {"shape": options.shape, "invert": options.invert, "whole": options.whole, "cap": options.cap},
        ),
    )


def _settings(obj: bpy.types.Object) -> Cut:
    """What an empty remembers of its cut; a plane where a stranger's .blend holds something else."""
    try:
        values = json.loads(CUT.read(obj) or "")
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        return Cut()
    shape, cap = values.get("shape"), values.get("cap")
    if not (isinstance(cap, list) and len(cap) == 3 and all(isinstance(each, (int, float)) for each in cap)):
        cap = None
    return Cut(
        shape if shape in SHAPES else "plane",
        invert=values.get("invert") is True,
        whole=values.get("whole") is True,
        cap=None if cap is None else _triple(np.nan_to_num(np.array(cap, np.float64)).clip(0, 1)),
    )


def _check(options: Cut) -> None:
    """Raise MosaicError for a cut that cannot be."""
    if options.shape not in SHAPES:
        raise MosaicError(f"A cut cannot be {options.shape!r}; there are {', '.join(SHAPES)}.")
    if not all(0 < length < math.inf for length in options.size):
        raise MosaicError("The size of a cut must be positive.")
    if not np.isfinite([*options.point, *options.rotation]).all() or not Quaternion(options.rotation).magnitude:
        raise MosaicError("The place and rotation of a cut must be finite numbers, and its rotation not zero.")


def _quaternion(rotation: Quaternion) -> tuple[float, float, float, float]:
    return rotation.w, rotation.x, rotation.y, rotation.z


def _triple(values: Iterable[float]) -> Triple:
    x, y, z = (float(value) for value in values)
    return x, y, z
