"""Our rules in other people's loops."""

from chalkgrad.interop._torch import TorchOptimizer

__all__ = ["TorchOptimizer"]
