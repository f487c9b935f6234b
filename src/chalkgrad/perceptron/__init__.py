"""One neuron, and Rosenblatt's rule for training it."""
