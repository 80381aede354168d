"""Appearance <-> materials: one material per geometry, whose "Mosaic Surface" node holds Mosaic's colours and weights.

The material is linked to the object, not to its data, so that all that Geometry Nodes make of the points is drawn with
it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from ...session.session import Appearance, Color
from ..compat import hide_from_light_sampling, shader_tree
from ..data.custom_properties import clean_text
from ..keys import EDGES, GLYPH, SHARED, SPRITE, SWATCH
from .color_maps import to_scene
from .cut_nodes import shading_group
from .node_tree import NodeProgram, arrange, attribute_value, shared_group, socket_named

SURFACE = "Mosaic Surface"
AXIS_COLORS: dict[str, Color] = {"X": (0.8, 0.2, 0.2), "Y": (0.26, 0.65, 0.44), "Z": (0.2, 0.4, 0.8)}
SPLAT_SIGMAS = 3.0  # radius of a soft point, in widths of its Gaussian

PALEST = 0.75  # how much of a line or shade is gone at the far end
CLEAR = 0.1  # opacity of glass that one looks at straight

NAMED_MATERIALS = 2000  # beyond that many, Blender's rename, which walks all of them, would be most of the import


@dataclass(frozen=True, slots=True)
class Shading:
    """How all surfaces of Mosaic answer to light.

    lit: by the lamps and the world of the scene; otherwise they show their plain colour, and the other fields count.
    headlight: shade by Mosaic's Phong weights as if a lamp were at the viewer. occlusion: how much darker creases are,
    0 to 1. reach: how far away a surface occludes another, in Blender units. display: give display values, for the
    view transform Raw, so that what shines through a surface adds up as it does in Mosaic.

    Of all: one_color: scene values in place of each colour. roughness: of lit surfaces. glass: meshes are clear where
    one looks through them, and shine at their rims. fade: the distances from the camera, in Blender units, between
    which unlit colours turn to white.
    """

    lit: bool = True
    headlight: bool = False
    occlusion: float = 0.0
    reach: float = 1.0
    display: bool = False
    one_color: Color | None = None
    roughness: float = 0.55
    glass: bool = False
    fade: tuple[float, float] | None = None


def faded(program: NodeProgram, depth: bpy.types.NodeSocket, fade: tuple[float, float]) -> bpy.types.NodeSocket:
    """Add how much is left of a line or shade at a depth: 1 at the first one of `fade`, little at the second."""
    near, far = fade
    node = program.node(
        "ShaderNodeMapRange",
        "Paler with distance",
        {"Value": depth, "From Min": near, "From Max": max(far, near + 1e-6), "To Min": 1.0, "To Max": 1.0 - PALEST},
    )
    return node.outputs[0]


def surface_group() -> bpy.types.NodeTree:
    """Return the node group that shades all surfaces, so that a look is set in one place."""
    return shared_group(SURFACE, "ShaderNodeTree", 1, _build_surface)


def set_shading(shading: Shading) -> None:
    """Change how the surfaces of all materials are shaded, and nothing of the materials."""
    group = surface_group()
    group.nodes.clear()
    _shade(NodeProgram(group), shading)
    arrange(group)


def _build_surface(program: NodeProgram) -> None:
    program.input("Color", "Color", "Colour of the object", default_value=(0.448, 0.448, 0.448, 1))
    program.input(
        "Opacity", "Float", "1 is solid, 0 invisible", default_value=1, min_value=0, max_value=1, subtype="FACTOR"
    )
    for name, default, tip in (
        ("Ambient", 0.3, "Light that reaches every side alike"),
        ("Diffuse", 0.7, "Light that is scattered"),
        ("Specular", 0.2, "Light that is reflected"),
    ):
        program.input(name, "Float", tip, default_value=default, min_value=0, max_value=1, subtype="FACTOR")
    program.output("Surface", "Shader")
    _shade(program, Shading())


def _shade(program: NodeProgram, shading: Shading) -> None:
    """Add the nodes of a surface group between its inputs and its output."""
    start = program.node("NodeGroupInput").outputs
    cuts = program.node("ShaderNodeGroup", "Cuts", node_tree=shading_group()).outputs
    opacity = program.math("MULTIPLY", _opacity(program, start, shading.glass), cuts["Kept"])
    surface = _lit(program, start, opacity, shading) if shading.lit else _unlit(program, start, opacity, shading)
    surface = _with_edges(program, surface, cuts["Kept"])
    surface = _capped(program, start, cuts, surface, shading.display)
    # The swatches of keys show a colour as it is.
    color = to_display_nodes(program, start["Color"]) if shading.display else start["Color"]
    plain = program.node("ShaderNodeEmission", "Swatch", {"Color": color}).outputs[0]
    is_swatch = program.math("GREATER_THAN", attribute_value(program, SWATCH), 0.5)
    surface = program.mix_shaders("Swatch of a key?", is_swatch, surface, plain)
    program.node("NodeGroupOutput", inputs={"Surface": surface})


def _capped(
    program: NodeProgram, start: Any, cuts: Any, surface: bpy.types.NodeSocket, display: bool
) -> bpy.types.NodeSocket:
    """Add the caps of cuts, of what is not seen through."""
    color = to_display_nodes(program, cuts["Cap Color"]) if display else cuts["Cap Color"]
    cap = program.node("ShaderNodeEmission", "Cap", {"Color": color}).outputs[0]
    solid = program.math("GREATER_THAN", start["Opacity"], 0.999)
    return program.mix_shaders("Cap?", program.math("MULTIPLY", cuts["Cap"], solid), surface, cap)


def _lit(program: NodeProgram, start: Any, opacity: bpy.types.NodeSocket, shading: Shading) -> bpy.types.NodeSocket:
    """Add a physical surface. The world is its ambient light, so it scatters Mosaic's ambient and diffuse weights."""
    color = start["Color"] if shading.one_color is None else _plain(program, shading.one_color)
    weight = program.math("MINIMUM", program.math("ADD", start["Ambient"], start["Diffuse"]), 1.0)
    return program.node(
        "ShaderNodeBsdfPrincipled",
        "Surface",
        {
            "Base Color": program.vector("SCALE", color, scale=weight),
            "Roughness": shading.roughness,
            "Specular IOR Level": program.math("MULTIPLY", start["Specular"], 0.5),
            "Alpha": opacity,
        },
    ).outputs[0]


def _unlit(program: NodeProgram, start: Any, opacity: bpy.types.NodeSocket, shading: Shading) -> bpy.types.NodeSocket:
    """Add a surface that glows in its own colour, whatever the lamps."""
    color = start["Color"] if shading.one_color is None else _plain(program, shading.one_color)
    if shading.headlight:
        color = _headlight(program, start, color)
    if shading.fade is not None:
        distance = program.node("ShaderNodeCameraData").outputs["View Distance"]
        shade = program.vector("SUBTRACT", (1, 1, 1), color)
        shade = program.vector("SCALE", shade, scale=faded(program, distance, shading.fade))
        color = program.vector("SUBTRACT", (1, 1, 1), shade)
    if shading.occlusion:
        near = program.node("ShaderNodeAmbientOcclusion", "Creases", {"Distance": shading.reach}, samples=4)
        open_sky = program.math("MULTIPLY_ADD", near.outputs["AO"], shading.occlusion, 1 - shading.occlusion)
        color = program.vector("SCALE", color, scale=open_sky)
    if shading.display:
        # VTK shows a colour without light times these weights.
        weight = program.math("ADD", start["Ambient"], start["Diffuse"])
        color = program.vector(
            "MINIMUM", program.vector("SCALE", to_display_nodes(program, color), scale=weight), (1, 1, 1)
        )
    glow = program.node("ShaderNodeEmission", "Colour", {"Color": color})
    clear = program.node("ShaderNodeBsdfTransparent")
    return program.mix_shaders("Opacity", opacity, clear.outputs[0], glow.outputs[0])


def _plain(program: NodeProgram, color: Color) -> bpy.types.NodeSocket:
    """Add a colour: scene values."""
    return program.node("ShaderNodeCombineXYZ", inputs=dict(zip("XYZ", color, strict=True))).outputs[0]


def _with_edges(
    program: NodeProgram, surface: bpy.types.NodeSocket, kept: bpy.types.NodeSocket
) -> bpy.types.NodeSocket:
    """Add black edges of the triangles, as wide as EDGES says; none where a geometry lacks it, nor where it is cut."""
    stored = program.node("ShaderNodeAttribute", EDGES, attribute_name=EDGES).outputs["Vector"]
    width = program.node("ShaderNodeSeparateXYZ", inputs={"Vector": stored}).outputs
    in_picture = program.node("ShaderNodeWireframe", "Pixels", {"Size": width["X"]}, use_pixel_size=True).outputs[0]
    unit = program.node(
        "ShaderNodeVectorTransform",
        "An angstrom in the world",
        {"Vector": (1, 0, 0)},
        vector_type="VECTOR",
        convert_from="OBJECT",
        convert_to="WORLD",
    ).outputs[0]
    widest = program.math("MULTIPLY", width["Y"], program.vector("LENGTH", unit))
    in_space = program.node("ShaderNodeWireframe", "Widest", {"Size": widest}).outputs[0]
    black = program.node("ShaderNodeEmission", "Black", {"Color": (0, 0, 0, 1)}).outputs[0]
    # EEVEE draws a little even of edges without width.
    some = program.math("MULTIPLY", kept, program.math("GREATER_THAN", width["X"], 0.0))
    seen = program.math("MULTIPLY", program.math("MULTIPLY", in_picture, in_space), some)
    return program.mix_shaders("Edges", seen, surface, black)


def _opacity(program: NodeProgram, start: bpy.types.bpy_prop_collection, glass: bool) -> bpy.types.NodeSocket:
    """Add the opacity, to which the Geometry Nodes add by two attributes that most geometry lacks.

    SPRITE is 1 for a point or line, of which Mosaic draws one layer, so that its back is not seen through its front; 2
    if it is soft as well. GLYPH is 1 for a copy at a point, to which VTK applies the opacity twice.
    """
    sprite, glyph = (attribute_value(program, name) for name in (SPRITE, GLYPH))
    surface = program.node("ShaderNodeNewGeometry").outputs
    opacity = program.math("POWER", start["Opacity"], program.math("ADD", glyph, 1.0))
    hidden = program.math("MULTIPLY", program.math("MINIMUM", sprite, 1.0), surface["Backfacing"])
    seen = program.math("MULTIPLY", opacity, program.math("SUBTRACT", 1.0, hidden))
    soft = program.math("MAXIMUM", program.math("SUBTRACT", sprite, 1.0), 0.0)
    facing = program.vector("DOT_PRODUCT", surface["Normal"], surface["Incoming"])
    from_middle = program.math("SUBTRACT", 1.0, program.math("MULTIPLY", facing, facing))  # squared, of the radius
    gauss = program.math("EXPONENT", program.math("MULTIPLY", from_middle, -SPLAT_SIGMAS * SPLAT_SIGMAS / 2))
    missing = program.math("MULTIPLY", soft, program.math("SUBTRACT", 1.0, gauss))
    solid = program.math("MULTIPLY", seen, program.math("SUBTRACT", 1.0, missing))
    if not glass:
        return solid
    rim = program.math("POWER", program.math("SUBTRACT", 1.0, program.math("ABSOLUTE", facing)), 1.5)
    clear = program.math("MULTIPLY_ADD", rim, 1.0 - CLEAR, CLEAR)
    # Points, lines and copies stay solid.
    is_surface = program.math("SUBTRACT", 1.0, program.math("MINIMUM", program.math("ADD", sprite, glyph), 1.0))
    kept = program.math("SUBTRACT", 1.0, program.math("MULTIPLY", is_surface, program.math("SUBTRACT", 1.0, clear)))
    return program.math("MULTIPLY", solid, kept)


def _headlight(
    program: NodeProgram, start: bpy.types.bpy_prop_collection, color: bpy.types.NodeSocket
) -> bpy.types.NodeSocket:
    """Add the colour under VTK's headlight, whose light falls along the line of sight of the picture's middle.

    VTK adds and multiplies display values, so the colour is made display values and, in the end, scene values again.
    """
    normal = program.node(
        "ShaderNodeVectorTransform",
        "Normal as the camera sees it",
        {"Vector": program.node("ShaderNodeNewGeometry").outputs["Normal"]},
        vector_type="NORMAL",
        convert_from="WORLD",
        convert_to="CAMERA",
    )
    both_sides = program.vector("ABSOLUTE", normal.outputs[0])
    facing = program.node("ShaderNodeSeparateXYZ", inputs={"Vector": both_sides}).outputs["Z"]
    weight = program.math("MULTIPLY_ADD", start["Diffuse"], facing, start["Ambient"])
    shine = program.math("MULTIPLY", start["Specular"], facing)
    display = to_display_nodes(program, color)
    shaded = program.vector("ADD", program.vector("SCALE", display, scale=weight), shine)
    clipped = program.vector("MINIMUM", shaded, (1, 1, 1))
    power = program.vector("MULTIPLY_ADD", clipped, (1 / 1.055,) * 3, (0.055 / 1.055,) * 3)
    return program.node("ShaderNodeGamma", "To scene", {"Color": power, "Gamma": 2.4}).outputs[0]


def to_display_nodes(program: NodeProgram, color: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
    """Add the display values of scene values (IEC 61966-2-1), without the straight foot of the curve, 0.01 high."""
    power = program.node("ShaderNodeGamma", "To display", {"Color": color, "Gamma": 1 / 2.4}).outputs[0]
    return program.vector("MAXIMUM", program.vector("MULTIPLY_ADD", power, (1.055,) * 3, (-0.055,) * 3), (0, 0, 0))


def material_of(obj: bpy.types.Object) -> bpy.types.Material | None:
    """Return the material that an object is drawn with; None where it has none."""
    return obj.material_slots[0].material if obj.material_slots else None


class MaterialFactory:
    """Makes the materials of an import. Those of equal opacity and weights are copies of one, which is quickest."""

    def __init__(self, count: int) -> None:
        self._named = count <= NAMED_MATERIALS
        self._seeds: dict[tuple[float, ...], bpy.types.Material] = {}

    def new(self, name: str, appearance: Appearance) -> bpy.types.Material:
        """Make a material for an appearance, with a surface node that the user finds in the Material tab."""
        weights = (appearance.opacity, appearance.ambient, appearance.diffuse, appearance.specular)
        seed = self._seeds.get(weights)
        if seed is None:
            material = self._seeds[weights] = _new_material(clean_text(name) if self._named else "Mosaic", appearance)
        else:
            material = seed.copy()
            if self._named:
                material.name = clean_text(name)
        color = (*to_scene(np.array(appearance.base_color)).tolist(), 1.0)
        # Set through the array: assigning to the socket makes Blender look through the node trees of the whole file.
        material.node_tree.nodes[SURFACE].inputs["Color"].default_value.foreach_set(color)
        material.diffuse_color = (*color[:3], appearance.opacity)  # type: ignore[assignment]  # any sequence will do
        return material


def _new_material(name: str, appearance: Appearance) -> bpy.types.Material:
    material = bpy.data.materials.new(name)
    hide_from_light_sampling(material)
    tree = shader_tree(material)
    program = NodeProgram(tree)
    surface = program.node("ShaderNodeGroup", node_tree=surface_group(), name=SURFACE, width=200)
    for key in ("opacity", "ambient", "diffuse", "specular"):
        program.connect(getattr(appearance, key), socket_named(surface.inputs, key.capitalize()))
    program.node("ShaderNodeOutputMaterial", inputs={"Surface": surface.outputs[0]})
    arrange(tree)
    return material


def axis_material(axis: str) -> bpy.types.Material:
    """Return the material of the "X", "Y" or "Z" arrows of the representation "basis", which all share."""
    appearance = Appearance(base_color=AXIS_COLORS[axis])
    return _shared_material(f"Mosaic {axis}", lambda name: MaterialFactory(1).new(name, appearance))


def edge_material() -> bpy.types.Material:
    """Return the black material of the edges that the view's Solid shading draws, which all share."""
    black = Appearance(base_color=(0.0, 0.0, 0.0), specular=0.0)
    return _shared_material("Mosaic Edges", lambda name: MaterialFactory(1).new(name, black))


def _shared_material(name: str, make: Callable[[str], bpy.types.Material]) -> bpy.types.Material:
    """Return the material marked with a name, and make it if the .blend lacks it."""
    for material in bpy.data.materials:
        if SHARED.read(material) == name and material.library is None:
            return material
    material = make(name)
    material[SHARED] = name
    return material
