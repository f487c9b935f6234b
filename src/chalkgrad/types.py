"""What a function asks of its arguments, for annotations of your own.

>>> from chalkgrad.types import Model, Schedule
"""

from chalkgrad._core.random import Rng
from chalkgrad._core.types import (
    AnyArray,
    Group,
    Layered,
    Loss,
    Model,
    Optimizer,
    Rate,
    Schedule,
)

__all__ = [
    "AnyArray",
    "Group",
    "Layered",
    "Loss",
    "Model",
    "Optimizer",
    "Rate",
    "Rng",
    "Schedule",
]
