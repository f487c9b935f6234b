"""The contests: one file for each kind of work."""
