"""The count of the steps in a compiled step.

What hangs on the count alone, as a power of it does, is one number. A compiler that
sees how it is computed computes it anew for each weight, so it does not see it.
"""

from typing import Any

import torch

from chalkgrad.optimizers import _rule

__all__ = ["clock", "wait"]


@torch.library.custom_op("chalkgrad::number", mutates_args=())
def number(name: str, given: list[float], t: int) -> torch.Tensor:
    """Return what a function of `of_time` is in step t."""
    return torch.tensor(float(_rule.NUMBERS[name](*given, t)), dtype=torch.float64)


@number.register_fake
def _(_name: str, _given: list[float], _t: int) -> torch.Tensor:
    return torch.empty((), dtype=torch.float64)


def clock(t: int) -> Any:
    """Return the count as a compiled step takes it, and else as it is."""
    return _rule.Clock(t, number) if torch.compiler.is_compiling() else t


def wait(beta2: float) -> float:
    """Return how long RAdam waits, to a compiler a number that is known."""
    return _rule.wait(beta2)


# `torch.compiler.assume_constant_result` sets no more than this, but it imports the
# compiler, which takes as long as the rest of PyTorch: most programs compile nothing.
wait._dynamo_marked_constant = True  # type: ignore[attr-defined]
