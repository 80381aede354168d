"""The panel "Tomogram", and its operators."""
