"""Experiments: losses whose minima are known, and races between optimizers."""
