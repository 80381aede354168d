"""Opening, saving and closing sessions; the panel Session."""
