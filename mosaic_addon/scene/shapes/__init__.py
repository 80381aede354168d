"""Surfaces from numbers: numpy in, numpy out, no Blender."""
