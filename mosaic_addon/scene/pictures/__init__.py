"""Looks, light, camera and render."""
