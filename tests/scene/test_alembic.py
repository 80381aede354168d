"""Blender's Alembic export takes all custom properties along, and ends Blender on one with a NUL."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SESSIONS = sorted((ROOT / "tests" / "sessions").glob("*.[pm][io][cs]*"))
EXPORT = """
import os, sys
import bpy
from mosaic_addon import api
bpy.ops.wm.read_factory_settings(use_empty=True)
imported = api.load(sys.argv[1])
api.rename(imported.objects[0], "Renamed")
api.save(imported, sys.argv[2] + ".mosaic")
kinds = [bpy.data.collections, bpy.data.objects, bpy.data.meshes, bpy.data.pointclouds, bpy.data.materials, bpy.data.node_groups]
for kind in kinds:
    for datablock in kind:
        for key, value in datablock.items():
            assert not isinstance(value, bytes), (datablock.name, key)
            assert not (isinstance(value, str) and chr(0) in value), (datablock.name, key)
bpy.ops.wm.alembic_export(filepath=sys.argv[2])
print("exported", os.path.getsize(sys.argv[2]) > 0, flush=True)
os._exit(0)
"""


@pytest.mark.parametrize("session", SESSIONS, ids=lambda path: path.name)
def test_a_session_is_exported_as_alembic(tmp_path: Path, session: Path) -> None:
    command = [sys.executable, "-c", EXPORT, str(session), str(tmp_path / "session.abc")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert "exported True" in done.stdout, done.stdout[-2000:] + done.stderr[-2000:]
    assert done.returncode == 0
