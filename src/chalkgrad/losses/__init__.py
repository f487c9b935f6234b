"""Losses: how far predictions are from the truth, each with its gradient."""
