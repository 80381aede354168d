"""A picture as SVG: what was rendered, embedded, and over it scale bar, keys, labels and letters as vectors and live text.

Where texts stand is read from what Geometry Nodes drew, so that the file looks as the picture does.
"""

import base64
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final
from xml.etree import ElementTree

import bpy
import numpy as np
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector
from numpy.typing import NDArray

from ..data.attributes import read_attribute
from ..drawing.color_map_nodes import MAP, map_of
from ..drawing.color_maps import PALETTES, sample, to_display
from ..drawing.materials import SURFACE
from ..drawing.node_tree import socket_named
from ..keys import FIGURE, SWATCH, TEXT_PLACE
from ..pictures.options import ImageFile
from ..pictures.render import encode_image, render_image, replace_all
from . import axes, color_key, labels, overlay, scale_bar
from .numbers import length_text, round_number

SVG: Final = "http://www.w3.org/2000/svg"
XLINK: Final = "http://www.w3.org/1999/xlink"
FONTS: Final = "Inter, Inter Variable, Helvetica, Arial, sans-serif"
NOT_IN_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
STOPS: Final = 33  # of the gradient of a key's bar
VECTORS: Final = (scale_bar.KIND, color_key.KIND, color_key.LEGEND, labels.KIND, labels.TEXT, axes.KIND)
Element = ElementTree.Element


def render_svg(scene: bpy.types.Scene, path: str | os.PathLike[str]) -> None:
    """Render a scene into an SVG file, in the size of its print.

    Raises MosaicError when it cannot be written, with an old file there as it was.
    """
    with vectors_aside(scene) as names:
        render_image(scene)
        write_svg(scene, named(names), path)


@contextmanager
def vectors_aside(scene: bpy.types.Scene) -> Iterator[list[str]]:
    """Leave out of a render what an SVG has as vectors, while the block lasts. Gives the names of these items."""
    items = [obj for kind in VECTORS for obj in overlay.items_of(scene, kind) if not obj.hide_render]
    names = [obj.name for obj in items]  # an undo meanwhile makes other objects of them
    for obj in items:
        obj.hide_render = True
    try:
        yield names
    finally:
        for obj in named(names):
            obj.hide_render = False


def named(names: Iterable[str]) -> list[bpy.types.Object]:
    """Return the objects of these names that there still are."""
    return [bpy.data.objects[name] for name in names if name in bpy.data.objects]


def write_svg(scene: bpy.types.Scene, items: Sequence[bpy.types.Object], path: str | os.PathLike[str]) -> None:
    """Write what was rendered, and items over it, into an SVG file.

    Raises MosaicError when it cannot be written, with an old file there as it was.
    """
    png = encode_image(scene, bpy.data.images["Render Result"], ImageFile("picture.png"))
    width = overlay.print_width(scene)
    height = width * scene.render.resolution_y / scene.render.resolution_x
    middle = width / 2 / overlay.POINT, height / 2 / overlay.POINT
    replace_all([(os.fspath(path), svg_document((width, height), png, [drawn_items(scene, items, middle)]))])


def svg_document(size: tuple[float, float], png: bytes, groups: Iterable[Element]) -> bytes:
    """Return the SVG of a picture and what stands over it.

    size: width and height in print, in mm. groups: of `drawn_items`.
    """
    for prefix, namespace in (("", SVG), ("xlink", XLINK)):
        ElementTree.register_namespace(prefix, namespace)
    width, height = (side / overlay.POINT for side in size)
    root = Element(
        f"{{{SVG}}}svg",
        {
            "width": f"{size[0]:.6g}mm",
            "height": f"{size[1]:.6g}mm",
            "viewBox": f"0 0 {width:.4f} {height:.4f}",
            "font-family": FONTS,
        },
    )
    data = base64.b64encode(png).decode("ascii")
    whole = {"width": f"{width:.4f}", "height": f"{height:.4f}"}
    image = _add(root, "image", id="picture", preserveAspectRatio="none", **whole)
    image.set(f"{{{XLINK}}}href", f"data:image/png;base64,{data}")  # without the prefix only newer programs find it
    root.extend(groups)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def drawn_items(
    scene: bpy.types.Scene, items: Sequence[bpy.types.Object], middle: tuple[float, float], name: str = "picture"
) -> Element:
    """Return items as an SVG group, which can be put into a document when the scene shows something else.

    middle: of the scene's picture in the document, in points from its upper left corner. name: what the identifiers
    of the group and of what is in it begin with.
    """
    scene.view_layers[0].update()
    # From the picture's middle, upwards, to the upper left corner, downwards.
    drawn = Element(f"{{{SVG}}}g", {"id": f"{name}-items", "transform": f"translate({middle[0]:.4f} {middle[1]:.4f})"})
    for number, obj in enumerate(items):
        group = _add(drawn, "g", id=f"{name}-item-{number}")
        _add(group, "title").text = obj.name
        _Item(scene, obj, group).draw()
    return drawn


def _add(parent: Element, tag: str, **attributes: str) -> Element:
    """Add an element. attributes: a name's hyphen is written as an underscore."""
    named = {name.replace("_", "-"): value for name, value in attributes.items()}
    return ElementTree.SubElement(parent, f"{{{SVG}}}{tag}", named)


class _Item:
    """Something that stands over the picture, as it is drawn, in points from the picture's middle."""

    def __init__(self, scene: bpy.types.Scene, obj: bpy.types.Object, group: Element) -> None:
        self.scene, self.obj, self.group = scene, obj, group
        evaluated: Any = obj.evaluated_get(scene.view_layers[0].depsgraph)
        self.evaluated = evaluated
        mesh = evaluated.data
        self.mesh = mesh
        self.points = _values(mesh, "position", 3)
        places = _values(mesh, TEXT_PLACE, 3)
        self.is_text = places[:, 2] > 0.5
        self.is_swatch = _values(mesh, SWATCH, 1)[:, 0] > 0.5
        self.color = _css(overlay.color_of(obj))
        starts = np.round((self.points - places)[self.is_text][:, :2], 3)
        _, first = np.unique(starts, axis=0, return_index=True)
        self.baselines = starts[np.sort(first)]  # where each text begins or has its middle, in the order of the nodes

    def draw(self) -> None:
        """Add what is drawn to the group."""
        kind = FIGURE.read(self.obj)
        if kind == scale_bar.KIND:
            self.boxes()
            options = scale_bar.scale_bar_of(self.obj)
            length = options.length or scale_bar.automatic_length(self.scene, self.obj, self.evaluated)
            self.texts([length_text(length, options.unit or None)], options.size, "middle")
        elif kind == labels.TEXT:
            text = labels.text_of(self.obj)
            self.texts([text.text], text.size, "start")
        elif kind == labels.KIND:
            self.label()
        elif kind == axes.KIND:
            self.polygons()
            self.texts(list("XYZ"), axes.axes_of(self.obj).size, "middle")
        else:
            self.key()

    def texts(self, strings: Sequence[str], size: float, anchor: str, **more: str) -> None:
        """Add texts at the baselines, in their order."""
        written = [string for string in strings if string.strip()]
        for string, (x, y) in zip(written, self.baselines.tolist(), strict=False):
            element = _add(
                self.group, "text", x=f"{x:.3f}", y=f"{-y:.3f}", fill=self.color,
                font_size=f"{size:.4g}", text_anchor=anchor, **more,
            )  # fmt: skip
            element.text = NOT_IN_XML.sub("", string)

    def boxes(self, fill: str | None = None) -> None:
        """Add the rectangles that are drawn in ink."""
        for corners in self._quads(~self.is_text & ~self.is_swatch):
            self.box(corners, fill or self.color)

    def box(self, corners: NDArray[Any], fill: str) -> None:
        """Add a rectangle. corners: (4, 3)."""
        low, high = corners.min(axis=0), corners.max(axis=0)
        _add(
            self.group, "rect", x=f"{low[0]:.3f}", y=f"{-high[1]:.3f}",
            width=f"{high[0] - low[0]:.3f}", height=f"{high[1] - low[1]:.3f}", fill=fill,
        )  # fmt: skip

    def _quads(self, chosen: NDArray[np.bool_]) -> Iterator[NDArray[Any]]:
        """Yield the corners of rectangles, (4, 3), those behind first. chosen: of their vertices."""
        corners = self.points[chosen]
        quads = corners[: len(corners) // 4 * 4].reshape(-1, 4, 3)
        yield from quads[np.argsort(quads[:, 0, 2], kind="stable")]

    def key(self) -> None:
        """Add a key or legend: its swatches and texts."""
        options = color_key.color_key_of(self.obj)
        self.boxes()
        sockets = overlay.drawing_of(self.obj)[1]
        if "Material" in sockets:
            (material,) = overlay.inputs_of(self.obj, ("Material",))
            for corners in self._quads(self.is_swatch):
                self.box(corners, self._gradient(material, options.horizontal))
            low, high = overlay.inputs_of(self.evaluated, ("Low", "High"))
            ticks = tick_texts(low / color_key.SCALED, high / color_key.SCALED)
            titles, numbers = np.split(self.baselines, [1 if options.title.strip() else 0])
            self.baselines = titles
            self.texts([options.title], options.size, "start")
            self.baselines = numbers
            self.texts(ticks, options.size, "middle" if options.horizontal else "start")
            return
        count = sum(name.startswith("Text ") for name in sockets)
        names = [f"{kind} {number}" for number in range(1, count + 1) for kind in ("Material", "Swatch", "Text")]
        entries = overlay.inputs_of(self.obj, names)
        for number, corners in enumerate(self._quads(self.is_swatch)):
            material, swatch = entries[3 * number : 3 * number + 2]
            self.box(corners, _css(color_shown(material, swatch)))
        self.texts([*entries[2::3], options.title], options.size, "start")

    def _gradient(self, material: bpy.types.Material, lying: bool) -> str:
        """Add the colours of a bar; returns how it is filled with them."""
        name = f"{self.group.get('id')}-colors"
        ends = {"x1": "0", "x2": "1", "y1": "0", "y2": "0"} if lying else {"x1": "0", "x2": "0", "y1": "1", "y2": "0"}
        gradient = _add(self.group, "linearGradient", id=name, **ends)
        for place in np.linspace(0, 1, STOPS).tolist():
            _add(gradient, "stop", offset=f"{place:.4f}", stop_color=_css(color_shown(material, 1 + place)))
        return f"url(#{name})"

    def label(self) -> None:
        """Add a label: its line and text, each with its rim."""
        options = labels.label_of(self.obj)
        target, place = overlay.inputs_of(self.obj, ("Object", "Place"))
        camera = self.scene.camera
        if target is None or camera is None or not len(self.points):
            return
        at = world_to_camera_view(self.scene, camera, target.matrix_world @ Vector(place))
        width, height = overlay.inputs_of(self.evaluated, ("Picture Width", "Picture Height"))
        x, y = (at.x - 0.5) * width, (at.y - 0.5) * height
        rim = _css(labels.contrast(options.color))
        ends = {
            "x1": f"{x:.3f}",
            "y1": f"{-y:.3f}",
            "x2": f"{x + options.offset[0]:.3f}",
            "y2": f"{-y - options.offset[1]:.3f}",
        }
        if any(options.offset):
            if options.halo > 0:
                thick = f"{options.line + 2 * options.halo:.4g}"
                _add(self.group, "line", stroke=rim, stroke_width=thick, **ends)
            _add(self.group, "line", stroke=self.color, stroke_width=f"{options.line:.4g}", **ends)
        halo = (
            {"stroke": rim, "stroke_width": f"{2 * options.halo:.4g}", "paint_order": "stroke"} if options.halo else {}
        )
        self.texts([options.text], options.size, "middle", stroke_linejoin="round", **halo)

    def polygons(self) -> None:
        """Add the faces that are drawn with swatches, such as arrows, those behind first."""
        faces = []
        for polygon in self.mesh.polygons:
            corners = list(polygon.vertices)
            if self.is_swatch[corners].all():
                points = self.points[corners]
                material = self.mesh.materials[polygon.material_index]
                faces.append((float(points[:, 2].mean()), points, _css(color_shown(material, 1.0))))
        for _, points, color in sorted(faces, key=lambda face: face[0]):
            at = " ".join(f"{x:.3f},{-y:.3f}" for x, y in points[:, :2].tolist())
            _add(self.group, "polygon", points=at, fill=color, stroke=color, stroke_width="0.1")


def tick_texts(low: float, high: float) -> list[str]:
    """Return the numbers at the ticks of a bar from its low end to its high end; color_key.py has the same as nodes."""
    span = max(high - low, 1e-12)
    step = round_number(span / color_key.STEPS)
    places = max(int(np.ceil(-np.log10(step) - 1e-3)), 0)
    first = np.ceil(low / step - 1e-3)
    values = [(first + number) * step for number in range(color_key.MOST_TICKS)]
    return [f"{value + 0.0:.{places}f}" for value in values if (value - low) / span < color_key.END]


def color_shown(material: bpy.types.Material | None, swatch: float) -> tuple[float, float, float]:
    """Return the display values of what a swatch shows with a material. swatch: 1, and more by the place in the range."""
    tree = material.node_tree if material is not None else None
    surface = tree.nodes.get(SURFACE) if tree is not None else None
    if tree is None or surface is None:
        return 0.5, 0.5, 0.5
    node = tree.nodes.get(MAP)
    if node is None or node.node_tree is None or not surface.inputs["Color"].is_linked:
        red, green, blue = to_display(np.array(surface.inputs["Color"].default_value)[:3]).tolist()
        return red, green, blue
    low, high, gamma, reverse = (
        socket_named(node.inputs, name).default_value  # type: ignore[attr-defined]
        for name in ("From Min", "From Max", "Gamma", "Reverse")
    )
    key = map_of(node.node_tree)
    place = (swatch - 1) ** (1 / gamma)
    if "Categories" in node.inputs and node.inputs["Categories"].default_value:
        count = len(PALETTES[key].split())
        place = (round(low + (swatch - 1) * (high - low)) % count + 0.5) / count
    red, green, blue = sample(key, np.array([1 - place if reverse else place]))[0].tolist()
    return red, green, blue


def _values(mesh: bpy.types.Mesh, name: str, width: int) -> NDArray[np.float32]:
    """The values of an attribute of vertices, (n, width); zeros where there is none."""
    values = read_attribute(mesh, name) if name in mesh.attributes else None
    return np.zeros((len(mesh.vertices), width), np.float32) if values is None else values.reshape(-1, width)


def _css(color: Sequence[float]) -> str:
    """Display values as CSS writes them."""
    return "#" + "".join(f"{round(255 * min(max(channel, 0.0), 1.0)):02x}" for channel in color)
