"""Tomograms that a session was segmented in, shown as slices and on surfaces."""
