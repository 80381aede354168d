"""The panel Objects, which mirrors Mosaic's object browser, and its operators."""
