"""The panel "Film": shots on the timeline."""
