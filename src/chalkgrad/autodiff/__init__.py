"""Autodiff: reverse mode over plain NumPy code, and the same names for PyTorch."""
