"""The plane before the camera on which scale bars, keys and titles lie, in points of the printed picture.

An empty hangs on the camera, and drivers that Blender evaluates without Python keep one of its units equal to a point,
1/72 inch, of the print, whatever the camera and the sides of the picture. Its origin is the picture's middle.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, TypeAlias

import bpy
from mathutils import Vector

from ...session.errors import MosaicError
from ..compat import ModifierInputs, never_seen_by_light
from ..data.custom_properties import has
from ..drawing.ink import ink_material, ink_of, lay_paper, set_ink, set_ink_display, take_paper
from ..drawing.materials import material_of
from ..keys import FIGURE, PRINT_WIDTH, SHOTS, TOMOGRAM
from ..outline.outside import root_of
from ..pictures.camera import IN_FRONT, visible_points
from ..pictures.looks import background_of
from ..pictures.options import BACKGROUNDS

Source: TypeAlias = tuple[
    Literal["SCENE", "CAMERA", "MATERIAL", "OBJECT"], bpy.types.ID, str
]  # of a driver: kind, owner, path

COLLECTION: Final = "Mosaic Figure"
OVERLAY: Final = "overlay"  # the kind of the empty
POINT: Final = 25.4 / 72  # mm
DEFAULT_WIDTH: Final = 85.0  # mm: one column

# What the camera's view is wide or high at the plane, in scene units: by the side that its sensor fits.
_SIDE = "(o if t == 1 else {depth} * (v if f == 2 else u) / l)"
_FITS_WIDTH = "(f == 1 or f == 0 and w >= h)"
_WIDTH = f"{_SIDE} * (1 if {_FITS_WIDTH} else w / h)"
_SIDES = f"(1 if {_FITS_WIDTH} else h / w)"  # the side that the sensor fits, in widths of the picture
# Inputs of items that follow the picture, in points, and the camera.
_DRIVEN = {
    "Picture Width": (f"p / {POINT!r}", "p"),
    "Picture Height": (f"p / {POINT!r} * h / w", "phw"),
    "View Width": (_WIDTH.format(depth=1.0), "tofuvlwh"),
    # How far the picture's middle is from where the camera looks, in points.
    "Shift X": (f"x * {_SIDES} * p / {POINT!r}", "xfwhp"),
    "Shift Y": (f"y * {_SIDES} * p / {POINT!r}", "yfwhp"),
}
_CAMERA_VALUES = {
    "t": "type", "o": "ortho_scale", "f": "sensor_fit", "u": "sensor_width", "v": "sensor_height", "l": "lens",
    "c": "clip_start", "x": "shift_x", "y": "shift_y",
}  # fmt: skip
_SCENE_VALUES = {"w": "render.resolution_x", "h": "render.resolution_y", "p": f'["{PRINT_WIDTH}"]'}


def print_width(scene: bpy.types.Scene) -> float:
    """Return how wide a scene's picture is in print, in mm."""
    return PRINT_WIDTH.read(scene) or DEFAULT_WIDTH


def set_print_width(scene: bpy.types.Scene, width: float) -> None:
    """Set how wide a scene's picture is in print, in mm. Raises MosaicError unless it is positive."""
    if not 0 < width < float("inf"):
        raise MosaicError(f"A picture cannot be {width:g} mm wide in print.")
    PRINT_WIDTH.write(scene, float(width))


def figure_collection(scene: bpy.types.Scene) -> bpy.types.Collection:
    """Return the collection of all that is drawn for a scene's figure, made if it is missing."""
    for collection in scene.collection.children:
        if FIGURE.read(collection) is not None:
            return collection
    collection = bpy.data.collections.new(COLLECTION)
    FIGURE.write(collection, "figure")
    scene.collection.children.link(collection)
    return collection


def items_of(scene: bpy.types.Scene, kind: str | None = None) -> list[bpy.types.Object]:
    """Return what is drawn for a scene's figure, in order of names. kind: as FIGURE holds it; None for all.

    Tomograms and shots have panels of their own.
    """
    kinds = ((FIGURE.read(obj), obj) for obj in scene.objects if not (has(obj, TOMOGRAM) or has(obj, SHOTS)))
    return [obj for found, obj in kinds if found is not None and found != OVERLAY and kind in (None, found)]


def link_item(scene: bpy.types.Scene, obj: bpy.types.Object, kind: str) -> None:
    """Put an object among those of a scene's figure. kind: what it is, such as "scale bar"."""
    FIGURE.write(obj, kind)
    figure_collection(scene).objects.link(obj)


def add_item(
    scene: bpy.types.Scene, kind: str, group: bpy.types.NodeTree, inputs: Mapping[str, Any], color: Iterable[float]
) -> bpy.types.Object:
    """Add an object to the plane before the scene's camera, drawn in ink by a Geometry Nodes group.

    kind: what it is, such as "scale bar"; its name, too. inputs: those of the group; "Picture Width" and "Picture
    Height" follow the picture, in points. color: of the ink, three display values. Raises MosaicError without a camera.
    """
    overlay = overlay_of(scene)
    obj = bpy.data.objects.new(kind.capitalize(), bpy.data.meshes.new(kind.capitalize()))
    link_item(scene, obj, kind)
    obj.parent = overlay
    draw_item(scene, obj, group, inputs, color)
    return obj


def draw_item(
    scene: bpy.types.Scene,
    obj: bpy.types.Object,
    group: bpy.types.NodeTree,
    inputs: Mapping[str, Any],
    color: Iterable[float],
) -> None:
    """Let a Geometry Nodes group draw an object with a mesh, in ink that no light sees; see `add_item`."""
    obj.data.materials.append(None)
    obj.material_slots[0].link = "OBJECT"  # so that all that Geometry Nodes make is drawn with it
    obj.material_slots[0].material = ink_material(obj.name, color)
    set_ink_display(scene.view_settings.view_transform == "Raw")
    never_seen_by_light(obj)
    modifier = obj.modifiers.new(obj.name, "NODES")
    assert isinstance(modifier, bpy.types.NodesModifier)
    modifier.node_group = group
    set_item(obj, inputs)
    follow_picture(scene, obj)


def set_item(obj: bpy.types.Object, inputs: Mapping[str, Any], color: Iterable[float] | None = None) -> None:
    """Change inputs of an item, by name, and its ink: three display values."""
    modifier, sockets = drawing_of(obj)
    for name, value in inputs.items():
        sockets.set(modifier, name, value)
    material = material_of(obj)
    if color is not None and material is not None:
        set_ink(material, color)
    obj.update_tag()


def inputs_of(obj: bpy.types.Object, names: Iterable[str]) -> list[Any]:
    """Return inputs of an item."""
    modifier, sockets = drawing_of(obj)
    return sockets.several(modifier, names)


def color_of(obj: bpy.types.Object) -> tuple[float, float, float]:
    """Return an item's ink, three display values; black where another material took its place."""
    material = material_of(obj)
    return (0.0, 0.0, 0.0) if material is None else ink_of(material)


def drawing_of(obj: bpy.types.Object) -> tuple[bpy.types.NodesModifier, ModifierInputs]:
    """Return the modifier that draws an item, and its inputs. Raises MosaicError where it was removed."""
    for modifier in obj.modifiers:
        if isinstance(modifier, bpy.types.NodesModifier) and modifier.node_group is not None:
            return modifier, ModifierInputs(modifier.node_group)
    raise MosaicError(f"{obj.name!r} has lost the modifier that draws it; remove it and add it anew.")


def remove_item(obj: bpy.types.Object) -> None:
    """Remove something that is drawn for a figure, with all that was made for it alone."""
    scenes = obj.users_scene
    children = [child for child in obj.children_recursive if FIGURE.read(child) is not None]
    _remove([obj, *children])
    for scene in scenes:
        tidy(scene)


def tidy(scene: bpy.types.Scene) -> None:
    """Remove the plane and the collection of a scene's figure where nothing is left on or in them."""
    unused = [obj for obj in scene.objects if FIGURE.read(obj) == OVERLAY and not obj.children]
    for overlay in unused:
        _take_paper(overlay)
    _remove(unused)
    for collection in list(scene.collection.children):
        if FIGURE.read(collection) is not None and not collection.all_objects:
            bpy.data.collections.remove(collection)


def _remove(objects: Iterable[bpy.types.Object]) -> None:
    """Remove objects, and their data, materials and node groups that nothing else uses and that are ours."""
    for obj in objects:
        data = obj.data
        materials = [slot.material for slot in obj.material_slots if slot.material is not None]
        groups = [each.node_group for each in obj.modifiers if isinstance(each, bpy.types.NodesModifier)]
        materials += _inks_in(obj)
        bpy.data.objects.remove(obj)
        left = [data, *materials, *(group for group in groups if group is not None)]
        bpy.data.batch_remove([each for each in left if each is not None and not each.users])


def session_root(session: bpy.types.Collection) -> bpy.types.Object:
    """Return the root of a session. Raises MosaicError where it was deleted."""
    root = root_of(session)
    if root is None:
        raise MosaicError(f"{session.name!r} is no session any more, as its root was deleted.")
    return root


def middle_of(owner: bpy.types.Object, objects: Iterable[bpy.types.Object]) -> Vector:
    """Return the middle of what is visible of objects, in the coordinates of an object; its origin without any."""
    points = visible_points(objects)
    if not len(points):
        return Vector()
    return owner.matrix_world.inverted_safe() @ Vector(((points.min(axis=0) + points.max(axis=0)) / 2).tolist())


def _inks_in(obj: bpy.types.Object) -> list[bpy.types.Material]:
    """The inks that the inputs of an item hold, such as that of a halo."""
    inks = []
    for modifier in obj.modifiers:
        if isinstance(modifier, bpy.types.NodesModifier) and modifier.node_group is not None:
            sockets = ModifierInputs(modifier.node_group)
            values = sockets.several(modifier, sockets)
            inks += [value for value in values if isinstance(value, bpy.types.Material) and FIGURE.read(value)]
    return inks


# --- the plane -------------------------------------------------------------------------------------------------------


def overlay_of(scene: bpy.types.Scene) -> bpy.types.Object:
    """Return the plane before a scene's camera, made if it is missing. Raises MosaicError without a camera."""
    camera = scene.camera
    if camera is None or not isinstance(camera.data, bpy.types.Camera):
        raise MosaicError("The scene has no camera that could show it; choose Camera to Objects first.")
    overlay = _overlay_in(scene)
    if overlay is None:
        overlay = bpy.data.objects.new("Mosaic Overlay", None)
        overlay.empty_display_size = 1.0
        overlay.hide_select = True
        link_item(scene, overlay, OVERLAY)
    if overlay.parent != camera:
        if PRINT_WIDTH.read(scene) is None:
            set_print_width(scene, DEFAULT_WIDTH)
        _hang(scene, overlay)
    return overlay


def follow_camera(scene: bpy.types.Scene) -> None:
    """Let what lies on the plane lie before the scene's camera, to which somebody or a marker has switched."""
    if _overlay_in(scene) is not None and scene.camera is not None:
        overlay_of(scene)


def lies_elsewhere(scene: bpy.types.Scene) -> bool:
    """Return whether what lies on the plane is before another camera than the scene's, to which somebody switched."""
    overlay = _overlay_in(scene)
    return overlay is not None and scene.camera is not None and overlay.parent != scene.camera


def _overlay_in(scene: bpy.types.Scene) -> bpy.types.Object | None:
    return next((obj for obj in scene.objects if FIGURE.read(obj) == OVERLAY), None)


def _hang(scene: bpy.types.Scene, overlay: bpy.types.Object) -> None:
    """Hang the plane on the scene's camera, and drive its place and scale."""
    _take_paper(overlay)
    overlay.parent = scene.camera
    overlay.matrix_parent_inverse.identity()
    assert scene.camera is not None  # overlay_of has asked for a camera
    assert isinstance(scene.camera.data, bpy.types.Camera)
    lay_paper(scene.camera.data, BACKGROUNDS[background_of(scene)])
    side, width = (each.format(depth=f"{IN_FRONT} * c") for each in (_SIDE, _WIDTH))
    # Blender from 5.0 on takes a driver's value below 1e-4 for zero.
    overlay.delta_scale = (1e-3,) * 3
    for axis in range(3):
        _drive(scene, overlay, "scale", axis, f"{width} * {1000 * POINT!r} / p", "tofuvlcwhp")
    # A camera's shift counts in the side that its sensor fits.
    for axis, shift in enumerate("xy"):
        _drive(scene, overlay, "location", axis, f"{shift} * {side}", f"{shift}tofuvlcwh")
    _drive(scene, overlay, "location", 2, f"-{IN_FRONT} * c", "c")
    for item in items_of(scene):
        follow_picture(scene, item)


def _take_paper(overlay: bpy.types.Object) -> None:
    """Take the paper from the camera on which the plane hangs."""
    if overlay.parent is not None and isinstance(overlay.parent.data, bpy.types.Camera):
        take_paper(overlay.parent.data)


def follow_picture(scene: bpy.types.Scene, item: bpy.types.Object) -> None:
    """Let an item follow the picture and the camera, as far as the modifier that draws it has inputs for them."""
    if not item.modifiers:
        return
    modifier, sockets = drawing_of(item)
    for name, (expression, letters) in _DRIVEN.items():
        if name in sockets:
            _drive(scene, item, sockets.data_path(modifier, name), -1, expression, letters)


def _drive(scene: bpy.types.Scene, obj: bpy.types.Object, path: str, index: int, expression: str, letters: str) -> None:
    """Let an expression give a value of an object. letters: the values of the scene and of its camera in it."""
    sources: dict[str, Source] = {}
    for letter in letters:
        if letter in _SCENE_VALUES:
            sources[letter] = "SCENE", scene, _SCENE_VALUES[letter]
        else:
            data = scene.camera.data if scene.camera is not None else None
            assert data is not None
            sources[letter] = "CAMERA", data, _CAMERA_VALUES[letter]
    drive(obj, path, expression, sources, index)


def drive(obj: bpy.types.Object, path: str, expression: str, sources: Mapping[str, Source], index: int = -1) -> None:
    """Let an expression give a value of an object, instead of an older one.

    Blender evaluates without Python what is arithmetic, and from 5.0 on takes a result below 1e-4 for zero.
    """
    obj.driver_remove(path, index)
    driver = obj.driver_add(path, index).driver  # type: ignore[union-attr]  # one value has one curve
    driver.type = "SCRIPTED"
    for name, (kind, owner, value) in sources.items():
        variable = driver.variables.new()
        variable.name = name
        target = variable.targets[0]
        target.id_type, target.id, target.data_path = kind, owner, value
    driver.expression = expression
