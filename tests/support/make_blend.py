"""Make the .blend of this version for tests/blends, with the oldest Blender that is supported:

    .venv/4.5/bin/python tests/support/make_blend.py SESSION BLEND

It holds the session as it was imported. A released version's file is never made again: later versions must open it.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))


def main(session: str, blend: str) -> None:
    import bpy

    from mosaic_addon import api
    from mosaic_addon.scene.keys import SESSION

    bpy.ops.wm.read_factory_settings(use_empty=True)
    imported = api.load(session)
    imported.collection[SESSION]["file"] = Path(session).name  # the file is nowhere that others could have it
    bpy.ops.wm.save_as_mainfile(filepath=os.path.abspath(blend), compress=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
    sys.stdout.flush()
    os._exit(0)  # the module bpy may hang when it ends
