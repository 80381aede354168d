"""A session built in Blender, and what there is to read from it."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from mosaic_addon.session import Session, open_session

SCALE = 1000.0  # angstrom of a Blender unit, unless asked otherwise


def build(bpy: ModuleType, session: Session | Path, **options: Any) -> Any:
    from mosaic_addon.scene.importing.build import build_session
    from mosaic_addon.scene.importing.options import ImportOptions

    if isinstance(session, Path):
        session = open_session(session)
    imported = build_session(session, bpy.context.scene, ImportOptions(**options))
    bpy.context.view_layer.update()
    return imported


def positions(obj: Any) -> np.ndarray:
    attribute = obj.data.attributes.get("position")
    count = 0 if attribute is None else len(attribute.data)
    values = np.empty(count * 3, np.float32)
    if count:
        attribute.data.foreach_get("vector", values)
    return values.reshape(-1, 3)


def world(obj: Any) -> np.ndarray:
    matrix = np.array(obj.matrix_world, np.float64)
    with np.errstate(invalid="ignore"):
        return positions(obj).astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]


def inputs_of(obj: Any) -> dict[str, Any]:
    from mosaic_addon.scene.compat import ModifierInputs

    modifier = obj.modifiers["Mosaic"]
    inputs = ModifierInputs(modifier.node_group)
    return {name: inputs.get(modifier, name) for name in ("Representation", "Size", "Pixel Size", "Instances")}


def set_input(obj: Any, name: str, value: Any) -> None:
    from mosaic_addon.scene.compat import ModifierInputs

    modifier = obj.modifiers["Mosaic"]
    ModifierInputs(modifier.node_group).set(modifier, name, value)
    obj.update_tag()


def evaluated(bpy: ModuleType, obj: Any) -> Any:
    bpy.context.view_layer.update()
    return obj.evaluated_get(bpy.context.evaluated_depsgraph_get()).evaluated_geometry()


def datablocks(bpy: ModuleType) -> set[tuple[str, str, int]]:
    """All that the file holds."""
    kinds = [name for name in dir(bpy.data) if isinstance(getattr(bpy.data, name), bpy.types.bpy_prop_collection)]
    kinds = [kind for kind in kinds if kind != "all_ids"]
    return {(kind, block.name, block.session_uid) for kind in kinds for block in getattr(bpy.data, kind)}


def plain(value: Any) -> Any:
    """A custom property as Python's own values."""
    if hasattr(value, "to_dict"):
        return value.to_dict()
    return value.to_list() if hasattr(value, "to_list") else value


def assert_same_bits(actual: np.ndarray, expected: np.ndarray, what: str) -> None:
    assert actual.dtype == expected.dtype, what
    assert actual.shape == expected.shape, what
    np.testing.assert_array_equal(actual, expected, err_msg=what)
    if expected.dtype.kind == "f":
        assert np.array_equal(np.signbit(actual), np.signbit(expected)), f"{what}: signs of zeros"
