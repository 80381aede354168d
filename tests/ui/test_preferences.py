"""The add-on's preferences. Scripts do not depend on them; what a user starts does, as the window tests show."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.support.make_sessions import cloud, write_session


@pytest.fixture
def preferred(bpy: ModuleType) -> Iterator[Any]:
    """The preferences of the add-on, as if Blender had enabled it."""
    import mosaic_addon

    mosaic_addon.register()
    addon = bpy.context.preferences.addons.new()
    addon.module = "mosaic_addon"
    yield addon.preferences
    bpy.context.preferences.addons.remove(addon)
    mosaic_addon.unregister()


@pytest.fixture
def session(tmp_path: Path) -> str:
    return str(write_session(tmp_path / "s.pickle", [cloud("c", 5)]))


def root(bpy: ModuleType) -> Any:
    return next(obj for obj in bpy.data.objects if "mosaic_pixel_size" in obj)


def test_they_begin_with_what_scripts_get(preferred: Any, bpy: ModuleType) -> None:
    operator = bpy.ops.mosaic.load_session.get_rna_type().properties
    for name in ("scale", "angstrom_per_unit", "automatic_pixel_size", "pixel_size"):
        assert getattr(preferred, name) == operator[name].default
    assert preferred.backup is True
    assert preferred.color_map == bpy.ops.mosaic.color_by.get_rna_type().properties["color_map"].default


def test_a_script_gets_what_is_documented_whatever_the_user_prefers(
    preferred: Any, bpy: ModuleType, session: str
) -> None:
    preferred.scale, preferred.automatic_pixel_size = "1NM", False
    bpy.ops.mosaic.load_session(filepath=session)
    assert root(bpy).scale.x == pytest.approx(0.001)
    assert root(bpy)["mosaic_pixel_size"] != 4.0


def test_a_colouring_begins_with_the_preferred_map(preferred: Any, bpy: ModuleType) -> None:
    from mosaic_addon.ui.preferences import preferred_map

    preferred.color_map = "magma"
    assert preferred_map(bpy.context) == "magma"


def test_without_preferences_everything_has_its_default(bpy: ModuleType) -> None:
    import mosaic_addon
    from mosaic_addon.ui.preferences import preferences, preferred_map

    mosaic_addon.register()
    assert preferences(bpy.context) is None
    assert preferred_map(bpy.context) == "viridis"
    mosaic_addon.unregister()
