"""The colour maps of Mosaic's property dialog as numbers, and Okabe and Ito's palette. Needs no Blender.

Maps are those of matplotlib, which Mosaic uses, each as a few stops between which Blender interpolates scene values.
The stops are fitted so that the outcome is within 3/255 of the map's display values. Palettes are exactly those of
matplotlib.

Origins: viridis, plasma, magma, inferno by N. Smith and S. van der Walt, twilight by B. Bechtold (CC0); cividis by J.
Nuñez, C. Anderton and R. Renslow; turbo by A. Mikhailov, Google (Apache-2.0); coolwarm by K. Moreland; RdBu, RdYlBu,
Dark2, Set1, Set2, Set3, Paired, Accent by C. Brewer, Pennsylvania State University, https://colorbrewer2.org
(Apache-2.0); tab10 by Tableau; Okabe-Ito by M. Okabe and K. Ito, https://jfly.uni-koeln.de/color; jet, grey, seismic, bwr, hsv and the form in which all are distributed by matplotlib
(PSF-style licence).
"""

import numpy as np
from numpy.typing import NDArray

from ...session.errors import MosaicError

# As Mosaic's menu groups them.
MENU: dict[str, tuple[str, ...]] = {
    "Sequential": ("viridis", "plasma", "magma", "inferno", "cividis", "turbo", "jet", "grey", "gray_r"),
    "Diverging": ("coolwarm", "RdBu", "RdYlBu", "seismic", "bwr"),
    "Cyclic": ("twilight", "hsv"),
    "Categorical": ("Dark2", "Set1", "Set2", "Set3", "tab10", "Paired", "Accent", "Okabe-Ito"),
}
# That readers of every kind of colour vision can read. Of a rainbow such as turbo they see where the steps are.
SAFE = frozenset("viridis plasma magma inferno cividis grey gray_r coolwarm RdBu RdYlBu seismic bwr Okabe-Ito".split())

# Name: position in 255ths of the map, display colour.
RAMPS: dict[str, str] = {
    "viridis": (
        "0:440154 14:471467 33:482d7d 61:3b4e8b 104:28798f 141:1d9c8a 157:24aa83 170:34b67a 183:4bc16b 196:66cd5c "
        "210:88d647 225:afde2e 236:cce01c 245:e4e518 253:f7e520 255:fde725"
    ),
    "plasma": (
        "0:0d0887 14:2c0496 33:4d03a3 57:7300a9 73:8a09a6 90:a11c99 112:bb3487 139:d7536d 167:ec7455 194:fa973d "
        "220:ffbd29 238:fbdb24 253:f0f427 255:f0f921"
    ),
    "magma": (
        "0:000004 8:020210 18:0b0825 29:18113e 42:2b105e 57:440f78 79:671b81 103:8d2982 129:b7367a 152:db4768 "
        "168:f05c5d 185:f97a5c 203:ff9c6b 223:ffc186 243:fce6a7 255:fcfdbf"
    ),
    "inferno": (
        "0:000004 7:02010f 16:0a0623 26:170d3b 38:2a0a58 53:44096a 75:68156f 99:8e236a 128:bb3653 149:d74b3d "
        "168:ec6527 185:f88110 195:fb9306 203:fda208 211:fdb115 220:fbc329 228:f6d23f 236:f2e459 243:f0f074 "
        "253:f8fb9c 255:fcffa4"
    ),
    "cividis": (
        "0:00224e 21:003070 23:00316f 52:35456b 93:5d626d 135:828079 175:a99f74 216:d4c15e 252:fde332 255:fee838"
    ),
    "turbo": (
        "0:30123b 4:341d57 10:3c2e7f 21:444dba 35:4872ec 45:468bfe 53:3a9ffe 65:26bdea 75:19d3cf 84:18e4b8 "
        "91:24eda8 98:37f590 105:51f979 113:70ff5e 121:90ff48 129:a6fb39 140:c4f233 163:f3ca3b 177:ffa833 "
        "193:fb7a1e 204:f15a11 214:e34209 226:cb2a03 238:ae1700 250:8a0801 255:7a0403"
    ),
    "jet": (
        "0:00007f 11:0000b0 24:0000eb 28:0000ff 32:0000ff 38:0016ff 45:0032ff 54:0056ff 65:0082ff 78:00b6ff "
        "87:00dafd 91:04efef 96:14ffdf 105:31ffc2 116:54ff9f 130:81ff71 143:abff48 153:ccff27 161:e5ff0d "
        "164:effc04 168:ffeb00 184:ffb000 198:ff7c00 210:ff5000 219:ff2e00 226:ff1400 229:f80900 233:e10000 "
        "246:a60000 255:7f0000"
    ),
    "grey": "0:000000 22:151515 45:2c2c2c 74:494949 108:6b6b6b 148:939393 194:c1c1c1 245:f4f4f4 255:ffffff",
    "coolwarm": (
        "0:3b4cc0 21:536fdd 45:7295f6 70:95b6ff 96:b9d1fa 124:d8dde0 140:ead7c9 166:f7bea1 192:f59778 214:e77158 "
        "234:d2483d 250:ba192a 254:b40726 255:b40426"
    ),
    "RdBu": (
        "0:67001f 13:8c0b24 26:b2182a 34:bd2f35 44:cd4b42 54:d86752 68:eb8d6f 79:f4aa87 95:f9cdb4 105:fedfcd "
        "128:f7f6f6 155:cce2f0 174:9ccce0 191:6aacd2 202:4896c4 206:3f8ec0 226:246cb0 231:1e62a8 245:0f447d "
        "255:053061"
    ),
    "RdYlBu": (
        "0:a50026 11:b91425 23:d32a26 32:dd3f2d 45:ee5e3b 55:f67647 71:fa9f5a 81:feb768 102:ffdf8f 126:fffebb "
        "135:f7fccf 153:dff2f7 176:afdcea 196:84bbd8 209:6aa2cb 227:4879b6 236:3f64ab 249:35449b 255:313695"
    ),
    "seismic": (
        "0:00004c 12:00006d 26:000094 42:0000c1 60:0000f3 64:0000ff 69:1414ff 74:2828ff 81:4444ff 89:6464ff "
        "98:8888ff 109:b4b4ff 121:e4e4ff 127:fdfeff 129:fff9f9 142:ffc4c4 153:ff9898 163:ff7070 171:ff5050 "
        "178:ff3434 184:ff1c1c 188:ff0c0c 191:fe0000 218:c80000 241:9a0000 255:7f0000"
    ),
    "bwr": (
        "0:0000ff 11:1515ff 22:2b2bff 36:4747ff 53:6969ff 73:9191ff 95:bdbdff 120:eff0ff 128:fffefe 154:ffc9c9 "
        "177:ff9b9b 197:ff7373 214:ff5151 229:ff3333 241:ff1b1b 250:fe0909 255:ff0000"
    ),
    "twilight": (
        "0:e2d9e2 10:d2d6da 29:9ab8c7 40:7fa4c2 52:6a8dbe 67:5f6db9 83:5f47a9 94:5c2c94 103:511b78 113:411156 "
        "121:351041 128:2f1335 138:3e103b 148:551448 163:7e2150 174:98324f 186:ac4a4f 199:bd6857 210:c68267 "
        "220:c99b7f 230:cfb59f 248:dfd5d8 255:e2d9e2"
    ),
    "hsv": (
        "0:ff0000 5:ff1b00 11.75:ff4302 21.25:ff7b01 32.5:ffbf00 43.25:fbfc00 58:a5ff02 68:6aff00 76:3bff00 "
        "82.25:17ff00 85.75:05ff01 90.25:00ff16 96.25:02fe38 105.25:01ff6d 116.75:00ffb1 129.5:00fdfd "
        "142.5:00b0ff 153.5:006fff 162:003dfe 168:001aff 172:0206ff 174.75:0b00ff 179.75:2800ff 187:5200fd "
        "197:8d00ff 209:d400ff 215.5:fb01fd 224.5:ff02cc 233.25:ff0097 242.25:ff0062 250:fd0033 255:ff0018"
    ),
}

# Name: display colours.
PALETTES: dict[str, str] = {
    "Dark2": "1b9e77 d95f02 7570b3 e7298a 66a61e e6ab02 a6761d 666666",
    "Set1": "e41a1c 377eb8 4daf4a 984ea3 ff7f00 ffff33 a65628 f781bf 999999",
    "Set2": "66c2a5 fc8d62 8da0cb e78ac3 a6d854 ffd92f e5c494 b3b3b3",
    "Set3": "8dd3c7 ffffb3 bebada fb8072 80b1d3 fdb462 b3de69 fccde5 d9d9d9 bc80bd ccebc5 ffed6f",
    "tab10": "1f77b4 ff7f0e 2ca02c d62728 9467bd 8c564b e377c2 7f7f7f bcbd22 17becf",
    "Paired": "a6cee3 1f78b4 b2df8a 33a02c fb9a99 e31a1c fdbf6f ff7f00 cab2d6 6a3d9a ffff99 b15928",
    "Accent": "7fc97f beaed4 fdc086 ffff99 386cb0 f0027f bf5b17 666666",
    "Okabe-Ito": "e69f00 56b4e9 009e73 f0e442 0072b2 d55e00 cc79a7 000000",
}


def find_map(name: str) -> tuple[str, bool]:
    """Return the key of a map in RAMPS or PALETTES, and whether it is turned round, as "_r" at the end of a name says.

    Raises MosaicError for an unknown name.
    """
    stem = name.removesuffix("_r")
    key = {"gray": "grey"}.get(stem, stem)
    if key not in RAMPS and key not in PALETTES:
        known = ", ".join(name for names in MENU.values() for name in names)
        raise MosaicError(f"There is no colour map {name!r}; there are {known}, and each with _r turned round.")
    return key, stem != name


def stops(key: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the positions of a map's colours, (k,) from 0 to 1, and their display values, (k, 3).

    A colour of a palette holds from its position to the next one. key: in RAMPS or PALETTES.
    """
    if key in PALETTES:
        colors = PALETTES[key].split()
        return np.arange(len(colors)) / len(colors), _display(colors)
    parts = [part.split(":") for part in RAMPS[key].split()]
    return np.array([float(position) for position, _ in parts]) / 255, _display([color for _, color in parts])


def sample(key: str, where: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return display values, (n, 3), of a map at places, (n,) from 0 to 1, as Blender's colour ramp gives them."""
    positions, colors = stops(key)
    where = np.clip(where, 0, 1)
    if key in PALETTES:
        return colors[np.searchsorted(positions, where, side="right") - 1]
    scene = to_scene(colors)
    return to_display(np.stack([np.interp(where, positions, channel) for channel in scene.T], axis=-1))


def to_scene(display: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the scene values of display values (IEC 61966-2-1), of any shape, also beyond 0 and 1."""
    display = np.asarray(display, np.float64)
    return np.where(display <= 0.04045, display / 12.92, ((np.maximum(display, 0) + 0.055) / 1.055) ** 2.4)


def to_display(scene: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the display values of scene values (IEC 61966-2-1), of any shape, also beyond 0 and 1."""
    scene = np.asarray(scene, np.float64)
    return np.where(scene <= 0.04045 / 12.92, scene * 12.92, 1.055 * np.maximum(scene, 0) ** (1 / 2.4) - 0.055)


def _display(colors: list[str]) -> NDArray[np.float64]:
    """Display values, (k, 3), of colours as hexadecimal numbers."""
    return np.array([list(bytes.fromhex(color)) for color in colors]) / 255
