"""`python -m mosaic_addon COMMAND`, with the bpy module."""

import os
import sys

from .cli import main

code = main(sys.argv[1:])
sys.stdout.flush()
sys.stderr.flush()
if "bpy" in sys.modules:
    os._exit(code)  # the bpy module may hang at exit after it has drawn with a GPU engine
sys.exit(code)
