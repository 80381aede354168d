"""Films: shots on the timeline of a scene."""
