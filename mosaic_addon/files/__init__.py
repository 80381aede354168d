"""Files beside Mosaic's sessions, without Blender."""
