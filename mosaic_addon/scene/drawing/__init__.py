"""The nodes and materials that draw geometries, written and read back."""
