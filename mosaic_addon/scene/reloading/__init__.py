"""A session's file, which was changed by Mosaic -> the session in Blender, with all that was built around it."""
