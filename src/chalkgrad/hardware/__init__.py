"""Hardware: what a training step asks of a machine, and what the machine can give."""
