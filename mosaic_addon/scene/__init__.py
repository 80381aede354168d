"""Session <-> Blender data. No operators and no panels; works in background, in any mode, without a context."""
