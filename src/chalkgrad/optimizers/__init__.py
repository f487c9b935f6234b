"""Optimizers: how to step, given the gradient."""
