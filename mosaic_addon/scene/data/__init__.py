"""Arrays and meta as Blender data, written and read back; each module holds both directions of one thing."""
