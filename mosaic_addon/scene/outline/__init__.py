"""The tree of a session in the Outliner, and its changes."""
