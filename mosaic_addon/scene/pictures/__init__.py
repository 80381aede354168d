"""Pictures of a scene: looks, light, camera and render."""
