"""Ours and its peers side by side, by ratio: ``python -m benchmarks``."""
