"""Session -> Blender data."""
