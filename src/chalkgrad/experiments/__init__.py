"""Experiments: losses whose minima are known, and optimizers compared on them."""
