"""The panel for figures: camera, size in print, what is drawn beside the session, render."""
