"""What every topic stands on: arrays, the checks at the door, a few types."""
