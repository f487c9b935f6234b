"""The judge: a stranger's implementation against the reference."""
