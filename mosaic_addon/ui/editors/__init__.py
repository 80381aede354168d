"""Panels in Blender's Properties editor."""
