"""The panel with what a picture needs, and its operators."""
