"""The colour maps, as numbers: Mosaic's menu, matplotlib's colours, Blender's ramps."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from mosaic_addon.scene.drawing.color_maps import (
    MENU,
    PALETTES,
    RAMPS,
    SAFE,
    find_map,
    sample,
    stops,
    to_display,
    to_scene,
)
from mosaic_addon.session import MosaicError

# Every 17th of the 256 entries of matplotlib's maps.
REFERENCE = {
    "viridis": "440154 481a6c 472f7d 414487 39568c 31688e 2a788e 23888e 1f988b 22a884 35b779 54c568 7ad151 a5db36 d2e21b fde725",
    "plasma": "0d0887 330597 5002a2 6a00a8 8405a7 9c179e b12a90 c33d80 d35171 e16462 ed7953 f68f44 fca636 fec029 f9dc24 f0f921",
    "magma": "000004 0b0924 20114b 3b0f70 57157e 721f81 8c2981 a8327d c43c75 de4968 f1605d fa7f5e fe9f6d febf84 fddea0 fcfdbf",
    "inferno": "000004 0c0826 240c4f 420a68 5d126e 781c6d 932667 ae305c c73e4c dd513a ed6925 f8850f fca50a fac62d f2e661 fcffa4",
    "cividis": "00224e 002e6c 1e3a6f 35456c 47516c 575d6d 666970 757575 848279 948e77 a59c74 b7a96e c8b866 dbc75a eed649 fee838",
    "turbo": "30123b 4143a7 4771e9 3e9bfe 22c5e2 1ae4b6 46f884 88ff4e b9f635 e1dd37 faba39 fd8d27 f05b12 d63506 af1801 7a0403",
    "jet": "000080 0000cd 0008ff 004cff 0090ff 00d4ff 29ffce 60ff97 97ff60 ceff29 ffe600 ffa700 ff6800 ff2900 cd0000 800000",
    "grey": "000000 111111 222222 333333 444444 555555 666666 777777 888888 999999 aaaaaa bbbbbb cccccc dddddd eeeeee ffffff",
    "coolwarm": "3b4cc0 4f69d9 6485ec 7b9ff9 93b5fe aac7fd c0d4f5 d4dbe6 e5d8d1 f2cbb7 f7b89c f5a081 ee8468 e0654f cc403a b40426",
    "RdBu": "67001f 991027 be3036 d6604d ea8e70 f7b799 fddbc7 f9eee7 eaf1f5 d1e5f0 a7d0e4 78b4d5 4393c3 2c75b4 185493 053061",
    "RdYlBu": "a50026 c62027 e14430 f46d43 fa9857 fdbf71 fee090 fff5af f5fbd2 e0f3f8 bde2ee 99cae1 74add1 5588be 3e60aa 313695",
    "seismic": "00004c 00007c 0000ac 0000db 1111ff 5555ff 9999ff ddddff ffdddd ff9999 ff5555 ff1111 e60000 c30000 a20000 800000",
    "bwr": "0000ff 2222ff 4444ff 6666ff 8888ff aaaaff ccccff eeeeff ffeeee ffcccc ffaaaa ff8888 ff6666 ff4444 ff2222 ff0000",
    "twilight": "e2d9e2 bfccd3 8eb1c5 6d90c0 606cb8 5e43a5 531e7c 391146 3b113b 64194b 8e2c50 ac4d51 c0755e cb9f83 d8c5bb e2d9e2",
    "hsv": "ff0000 ff6400 ffc900 d1ff00 6cff00 08ff00 00ff5c 00ffc1 00d9ff 0074ff 0010ff 5400ff b900ff ff00e1 ff007c ff0018",
}


def test_mosaics_menu_is_complete() -> None:
    names = [name for names in MENU.values() for name in names]
    assert len(names) == 24  # Mosaic's, and one palette
    assert {find_map(name)[0] for name in names} == set(RAMPS) | set(PALETTES)
    assert find_map("gray_r") == ("grey", True)
    with pytest.raises(MosaicError, match="no colour map 'virdis'; there are viridis, "):
        find_map("virdis")


@pytest.mark.parametrize("name", RAMPS)
def test_maps_are_those_of_matplotlib(name: str) -> None:
    wanted = np.array([list(bytes.fromhex(color)) for color in REFERENCE[name].split()])
    entries = np.linspace(0, 255, len(wanted)) / 255
    assert np.abs(sample(name, entries) * 255 - wanted).max() <= 3
    assert len(stops(name)[0]) <= 32


@pytest.mark.parametrize("name", [*RAMPS, *PALETTES])
def test_blenders_ramp_is_the_map(bpy: ModuleType, name: str) -> None:
    from mosaic_addon.scene.drawing.color_map_nodes import color_map_group

    group = color_map_group(name)
    ramp = next(node for node in group.nodes if node.type == "VALTORGB").color_ramp
    where = (np.arange(256) + 0.25) / 256
    colors = to_display(np.array([ramp.evaluate(place)[:3] for place in where]))
    assert np.abs(colors - sample(name, where)).max() < 0.5 / 255
    assert color_map_group(name) == group, "made once"


def test_scene_values_turn_back() -> None:
    display = np.array([-0.5, 0, 0.001, 0.04045, 0.5, 1, 3])
    assert np.allclose(to_display(to_scene(display)), display, atol=1e-12)


# How colours look to readers without one of the three kinds of cones: Machado, Oliveira and Fernandes, 2009, on linear
# RGB, severity 1.
BLINDNESS = {
    "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "no blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def cielab(scene: np.ndarray) -> np.ndarray:
    """CIELAB of scene values, (n, 3), under D65."""
    xyz = scene @ TO_XYZ.T / np.array([0.95047, 1.0, 1.08883])
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


@pytest.mark.parametrize("blindness", BLINDNESS)
@pytest.mark.parametrize("name", sorted(SAFE))
def test_maps_that_are_called_safe_can_be_read_by_all(name: str, blindness: str) -> None:
    key, _ = find_map(name)
    colors, apart = (stops(key)[1], 1) if key in PALETTES else (sample(key, np.linspace(0, 1, 21)), 5)
    seen = cielab(np.clip(to_scene(colors) @ np.array(BLINDNESS[blindness]).T, 0, 1))
    distance = np.linalg.norm(seen[:, None] - seen, axis=-1)
    rows, columns = np.indices(distance.shape)
    assert distance[np.abs(rows - columns) >= apart].min() > 10  # 2.3 is the least that is seen
