"""What is drawn for a figure beside the session: it renders without the extension, and is never saved into a session."""
