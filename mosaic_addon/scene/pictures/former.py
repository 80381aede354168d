"""What a scene was before its first look: kept when a look takes it over, and given back with the last one."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import bpy

from ..compat import EEVEE
from ..keys import FORMER, FORMER_VIEWS, FORMER_WORLD, LOOK, SILENCED
from .options import OUTLINED

# What looks set of a scene: paths from the scene.
SETTINGS = (
    "render.film_transparent",
    "render.dither_intensity",
    "view_settings.view_transform",
    "view_settings.look",
    "view_settings.exposure",
    "view_settings.gamma",
    "cycles.transparent_max_bounces",
    "cycles.min_transparent_bounces",
    "cycles.filter_width",
)
ENGINE = "render.engine"
ENGINE_NAMES: dict[Any, str] = {"CYCLES": "Cycles", EEVEE: "EEVEE"}
# Switches of a 3D view, off and on: Material Preview shows the lamps and the world of the scene, not a picture of a
# forest, and what the compositor draws.
LINES = "use_compositor"
SWITCHES: dict[str, tuple[Any, Any]] = {
    "use_scene_lights": (False, True),
    "use_scene_world": (False, True),
    LINES: ("DISABLED", "ALWAYS"),
}
HIDING = ("hide_render", "hide_viewport")


def has_look(scene: bpy.types.Scene) -> bool:
    """Return whether a scene has a look."""
    return FORMER.read(scene) is not None


def take_over(scene: bpy.types.Scene) -> list[str]:
    """Keep what a look is about to change in a scene without one, and silence the lamps that shine in it.

    Lamps that are added later stay as they are. Returns sentences that say what was taken.
    """
    if has_look(scene):
        return []
    FORMER.write(scene, {path: _get(scene, path) for path in SETTINGS if _get(scene, path) is not None})
    if scene.world is not None:
        FORMER_WORLD.write(scene, scene.world)
    silenced = [obj for obj in scene.objects if obj.type == "LIGHT" and LOOK.read(obj) is None and _silence(obj)]
    if not silenced:
        return []
    names = ", ".join(obj.name for obj in silenced[:3]) + (" and others" if len(silenced) > 3 else "")
    return [f"Hidden, as the look has its own light: {names}. No Look brings them back"]


def choose_engine(scene: bpy.types.Scene, look: str) -> list[str]:
    """Give a scene with a look an engine that shows it, or the one that it had if that does. Returns what to say."""
    former = FORMER.read(scene) or {}
    engines = ("CYCLES",) if look == "poster" else tuple(ENGINE_NAMES)  # EEVEE hardly darkens creases
    had = former.pop(ENGINE, scene.render.engine)
    engine: Any = had if had in engines else "CYCLES"
    if engine != had:
        former[ENGINE] = had
    FORMER.write(scene, former)
    if scene.render.engine == engine:
        return []
    scene.render.engine = engine
    return [f"The render engine is {ENGINE_NAMES[engine]} now, which the look needs"]


def show_in_preview(look: str) -> None:
    """Let Material Preview show the lamps, world and lines of a look, in the 3D views of all workspaces."""
    for screen in bpy.data.screens:
        former = FORMER_VIEWS.read(screen) or []
        turned_on = []
        for number, shading in enumerate(_shadings(screen)):
            switches = former[number].split() if number < len(former) else []
            for name, (off, on) in SWITCHES.items():
                if getattr(shading, name) == off and (name != LINES or look in OUTLINED):
                    setattr(shading, name, on)
                    switches.append(name)
            turned_on.append(" ".join(dict.fromkeys(switches)))
        if any(turned_on):
            FORMER_VIEWS.write(screen, turned_on)


def give_back(scene: bpy.types.Scene) -> None:
    """Set a scene as it was before its first look; what was changed by hand since goes with the look."""
    former = FORMER.read(scene) or {}
    for path in (*SETTINGS, ENGINE):
        owner, name = _owner(scene, path)
        if path in former and owner is not None:
            with suppress(TypeError, ValueError):  # such as an engine that is not installed here
                setattr(owner, name, former[path])
    scene.world = FORMER_WORLD.read(scene)
    for obj in scene.objects:
        for name in SILENCED.read(obj) or ():
            if name in HIDING:
                setattr(obj, name, False)
        obj.pop(SILENCED, None)
    for screen in bpy.data.screens:
        for shading, switches in zip(_shadings(screen), FORMER_VIEWS.read(screen) or (), strict=False):
            for name, (off, _) in SWITCHES.items():
                if name in switches.split():
                    setattr(shading, name, off)
        screen.pop(FORMER_VIEWS, None)
    scene.pop(FORMER, None)
    scene.pop(FORMER_WORLD, None)


def _silence(lamp: bpy.types.Object) -> bool:
    """Hide a lamp from pictures and views. Returns whether it shone."""
    shown = [name for name in HIDING if not getattr(lamp, name)]
    if not shown or not lamp.is_editable:
        return False
    SILENCED.write(lamp, shown)
    for name in shown:
        setattr(lamp, name, True)
    return True


def _shadings(screen: bpy.types.Screen) -> Iterator[Any]:
    """Yield the shading of each 3D view of a screen."""
    for area in screen.areas:
        for space in area.spaces:
            if isinstance(space, bpy.types.SpaceView3D):
                yield space.shading


def _owner(scene: bpy.types.Scene, path: str) -> tuple[Any, str]:
    """Return what carries a setting, None where this Blender lacks it, and the setting's name there."""
    group, name = path.split(".")
    owner = getattr(scene, group, None)
    return (owner if hasattr(owner, name) else None), name


def _get(scene: bpy.types.Scene, path: str) -> Any:
    owner, name = _owner(scene, path)
    return None if owner is None else getattr(owner, name)
