"""Activations: the non-linear functions between layers, each with its derivative."""
