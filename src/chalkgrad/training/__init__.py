"""Training: the loop round network, loss and optimizer, and how well it did."""
