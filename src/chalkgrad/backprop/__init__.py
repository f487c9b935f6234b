"""Backpropagation: derivatives on a graph, three ways, with what each costs."""
