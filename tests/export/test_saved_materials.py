"""Materials of the user's own: what their active output shows as a number is saved, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mosaic_addon.session import open_session
from tests.support.make_sessions import cloud, mesh, write_session
from tests.support.saved_sessions import Opened, what_differs

RED = (0.5, 0.0, 0.0, 1.0)
LOOK = {"base_color": (0.1, 0.2, 0.3), "opacity": 0.75}


def session(folder: Path) -> Path:
    return write_session(folder / "s.pickle", [cloud("A", 4, appearance=LOOK), cloud("B", 4)], [mesh("M")])


def own_material(bpy: ModuleType) -> tuple[Any, Any, Any]:
    """A new material with its Principled BSDF and output."""
    material = bpy.data.materials.new("Mine")
    if material.node_tree is None:
        material.use_nodes = True
    nodes = material.node_tree.nodes
    return material, nodes["Principled BSDF"], nodes["Material Output"]


def link(material: Any, source: Any, target: Any) -> None:
    material.node_tree.links.new(source, target)


def add(material: Any, kind: str, **inputs: Any) -> Any:
    node = material.node_tree.nodes.new(kind)
    for name, value in inputs.items():
        node.inputs[name].default_value = value
    return node


def principled(bpy: ModuleType) -> Any:
    material, shader, _ = own_material(bpy)
    shader.inputs["Base Color"].default_value = RED
    shader.inputs["Alpha"].default_value = 0.5
    return material


def through_reroute_and_rgb(bpy: ModuleType) -> Any:
    material, shader, output = own_material(bpy)
    color = add(material, "ShaderNodeRGB")
    color.outputs[0].default_value = RED
    reroute = material.node_tree.nodes.new("NodeReroute")
    link(material, color.outputs[0], reroute.inputs[0])
    link(material, reroute.outputs[0], shader.inputs["Base Color"])
    other = material.node_tree.nodes.new("NodeReroute")
    link(material, shader.outputs[0], other.inputs[0])
    link(material, other.outputs[0], output.inputs["Surface"])
    shader.inputs["Alpha"].default_value = 0.5
    return material


def other_node_is_shown(bpy: ModuleType) -> Any:
    """The Principled BSDF, first of the nodes, is linked to nothing."""
    material, shader, output = own_material(bpy)
    shader.inputs["Base Color"].default_value = (0, 1, 0, 1)
    diffuse = add(material, "ShaderNodeBsdfDiffuse", Color=RED)
    link(material, diffuse.outputs[0], output.inputs["Surface"])
    return material


def other_output_is_active(bpy: ModuleType) -> Any:
    material = other_node_is_shown(bpy)
    emission = add(material, "ShaderNodeEmission", Color=(0, 0, 1, 1))
    spare = material.node_tree.nodes.new("ShaderNodeOutputMaterial")
    link(material, emission.outputs[0], spare.inputs["Surface"])
    spare.is_active_output = False
    material.node_tree.nodes["Material Output"].is_active_output = True
    return material


def ours_is_not_shown(bpy: ModuleType) -> Any:
    """The node Mosaic Surface is still there, but the output shows another."""
    from mosaic_addon.scene.drawing.materials import surface_group

    material = other_node_is_shown(bpy)
    node = add(material, "ShaderNodeGroup")
    node.node_tree, node.name = surface_group(), "Mosaic Surface"
    node.inputs["Color"].default_value = (0, 1, 0, 1)
    return material


@pytest.mark.parametrize(
    ("make", "opacity"),
    [
        (principled, 0.5),
        (through_reroute_and_rgb, 0.5),
        (other_node_is_shown, 1.0),
        (other_output_is_active, 1.0),
        (ours_is_not_shown, 1.0),
    ],
)
def test_what_is_shown_as_a_number_is_saved(
    bpy: ModuleType, tmp_path: Path, make: Callable[..., Any], opacity: float
) -> None:
    opened = Opened(bpy, session(tmp_path))
    opened["A"].material_slots[0].material = make(bpy)
    assert opened.save(tmp_path / "edited.pickle").warnings == []
    saved = open_session(tmp_path / "edited.pickle").clusters[0].appearance
    assert np.allclose(saved.base_color, (0.7354, 0, 0), atol=1e-3)
    assert saved.opacity == opacity


def texture(bpy: ModuleType) -> Any:
    material, shader, _ = own_material(bpy)
    link(material, add(material, "ShaderNodeTexNoise").outputs["Color"], shader.inputs["Base Color"])
    link(material, add(material, "ShaderNodeTexNoise").outputs[0], shader.inputs["Alpha"])
    return material


def two_shaders(bpy: ModuleType) -> Any:
    material, shader, output = own_material(bpy)
    mix = add(material, "ShaderNodeMixShader")
    link(material, shader.outputs[0], mix.inputs[1])
    link(material, add(material, "ShaderNodeEmission").outputs[0], mix.inputs[2])
    link(material, mix.outputs[0], output.inputs["Surface"])
    return material


def nothing_is_linked(bpy: ModuleType) -> Any:
    material, _, output = own_material(bpy)
    material.node_tree.links.remove(output.inputs["Surface"].links[0])
    return material


def own_group(bpy: ModuleType) -> Any:
    material, _, output = own_material(bpy)
    group = bpy.data.node_groups.new("Mine", "ShaderNodeTree")
    group.interface.new_socket("Shader", in_out="OUTPUT", socket_type="NodeSocketShader")
    node = add(material, "ShaderNodeGroup")
    node.node_tree = group
    link(material, node.outputs[0], output.inputs["Surface"])
    return material


@pytest.mark.parametrize("make", [texture, two_shaders, nothing_is_linked, own_group])
def test_what_is_no_number_leaves_the_files(bpy: ModuleType, tmp_path: Path, make: Callable[..., Any]) -> None:
    opened = Opened(bpy, session(tmp_path))
    material = make(bpy)
    for name in ("A", "B"):
        opened[name].material_slots[0].material = material
    assert opened.unsaved() == []
    (warning,) = opened.save(tmp_path / "edited.pickle").warnings
    assert warning.startswith("The material 'Mine' shows no plain number")
    assert what_differs(tmp_path / "s.pickle", tmp_path / "edited.pickle") == []


def test_only_the_colour_is_a_texture(bpy: ModuleType, tmp_path: Path) -> None:
    opened = Opened(bpy, session(tmp_path))
    material, shader, _ = own_material(bpy)
    link(material, add(material, "ShaderNodeTexNoise").outputs["Color"], shader.inputs["Base Color"])
    shader.inputs["Alpha"].default_value = 0.5
    opened["A"].material_slots[0].material = material
    assert len(opened.save(tmp_path / "edited.pickle").warnings) == 1
    saved = open_session(tmp_path / "edited.pickle").clusters[0].appearance
    assert (saved.base_color, saved.opacity) == ((0.1, 0.2, 0.3), 0.5)


def test_ours_mixed_with_transparent_is_still_ours(bpy: ModuleType, tmp_path: Path) -> None:
    opened = Opened(bpy, session(tmp_path))
    material = opened["A"].material_slots[0].material
    surface, output = (
        material.node_tree.nodes["Mosaic Surface"],
        next(node for node in material.node_tree.nodes if node.type == "OUTPUT_MATERIAL"),
    )
    mix = add(material, "ShaderNodeMixShader")
    link(material, surface.outputs[0], mix.inputs[1])
    link(material, add(material, "ShaderNodeBsdfTransparent").outputs[0], mix.inputs[2])
    link(material, mix.outputs[0], output.inputs["Surface"])
    surface.inputs["Opacity"].default_value = 0.25
    result = opened.save(tmp_path / "edited.pickle")
    assert (result.changes, result.warnings) == (["clusters 'A': opacity 0.25"], [])


def test_ours_under_another_name_is_still_ours(bpy: ModuleType, tmp_path: Path) -> None:
    opened = Opened(bpy, session(tmp_path))
    opened["A"].material_slots[0].material.node_tree.nodes["Mosaic Surface"].name = "Look"
    assert opened.unsaved() == []


def test_a_new_object_gets_the_usual_colour_instead(bpy: ModuleType, tmp_path: Path) -> None:
    opened = Opened(bpy, session(tmp_path))
    bpy.ops.mesh.primitive_cube_add()
    cube = bpy.context.object
    for collection in cube.users_collection:
        collection.objects.unlink(cube)
    opened.container("models").objects.link(cube)
    cube.data.materials.append(texture(bpy))
    assert len(opened.save(tmp_path / "edited.pickle").warnings) == 1
    saved = open_session(tmp_path / "edited.pickle").models[1].appearance
    assert (saved.base_color, saved.opacity) == ((0.7, 0.7, 0.7), 1)


def test_the_slot_that_faces_have_counts(bpy: ModuleType, tmp_path: Path) -> None:
    opened = Opened(bpy, session(tmp_path))
    data = opened["M"].data
    data.materials.append(principled(bpy))
    assert opened.unsaved() == []
    data.polygons.foreach_set("material_index", [1] * len(data.polygons))
    assert opened.unsaved() == ["models 'M': colour, opacity 0.5"]
