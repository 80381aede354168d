"""A session's tree in the Outliner, and changes of it."""
