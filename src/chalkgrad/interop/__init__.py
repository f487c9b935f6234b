"""Our rules in other people's loops, and our loop on many machines."""

from chalkgrad.interop._processes import process_group
from chalkgrad.interop._torch import TorchOptimizer

__all__ = ["TorchOptimizer", "process_group"]
