"""Landscape: the loss seen as a height over the space of all weights."""
