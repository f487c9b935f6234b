"""The lecture as data: its pages, its claims, and what its snippets print."""
