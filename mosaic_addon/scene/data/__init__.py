"""Arrays and meta as Blender data. Each module both writes and reads one kind of them."""
