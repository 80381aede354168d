"""Blender data -> what changed -> a session's file."""
