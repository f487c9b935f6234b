"""Our rules in other people's loops, and our loop on many machines."""

from chalkgrad.interop._processes import Processes, process_group
from chalkgrad.interop._torch import TorchOptimizer

__all__ = ["Processes", "TorchOptimizer", "process_group"]
