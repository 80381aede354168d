"""Films: shots on the timeline of a scene, their pictures, and the file that these are put together to."""
