"""Experiments, PyTorch backend: the same losses, with tensors for their points."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from chalkgrad._core._torch import array, to_tensors
from chalkgrad._core.docs import twin_of
from chalkgrad.experiments import _shared as reference
from chalkgrad.experiments._shared import (
    Comparison,
    Run,
    TestFunction,
    Trajectory,
    compare_optimizers,
    train,
)

__all__ = [
    "Comparison",
    "Run",
    "TestFunction",
    "Trajectory",
    "beale",
    "compare",
    "compare_optimizers",
    "himmelblau",
    "plateau",
    "quadratic",
    "rosenbrock",
    "saddle",
    "styblinski_tang",
    "train",
]


@twin_of(reference.quadratic)
def quadratic(kappa: float, n: int = 2, *, angle: float = 0.0) -> TestFunction:
    out: TestFunction = to_tensors(reference.quadratic(kappa, n, angle=angle))
    return out


@twin_of(reference.rosenbrock)
def rosenbrock(n: int = 2) -> TestFunction:
    out: TestFunction = to_tensors(reference.rosenbrock(n))
    return out


@twin_of(reference.styblinski_tang)
def styblinski_tang(n: int = 2) -> TestFunction:
    out: TestFunction = to_tensors(reference.styblinski_tang(n))
    return out


@twin_of(reference.beale)
def beale() -> TestFunction:
    out: TestFunction = to_tensors(reference.beale())
    return out


@twin_of(reference.himmelblau)
def himmelblau() -> TestFunction:
    out: TestFunction = to_tensors(reference.himmelblau())
    return out


@twin_of(reference.saddle)
def saddle() -> TestFunction:
    out: TestFunction = to_tensors(reference.saddle())
    return out


@twin_of(reference.plateau)
def plateau() -> TestFunction:
    out: TestFunction = to_tensors(reference.plateau())
    return out


@twin_of(reference.compare)
def compare(
    rules: Mapping[str, Callable[[Any], Any]],
    task: TestFunction | Callable[[Any, list[int]], Any],
    *,
    rates: Iterable[float] | Mapping[str, Iterable[float]],
    steps: int | None = None,
    starts: int = 8,
    at_once: bool = True,
) -> Comparison:
    return reference.compare_in(array, rules, task, rates, steps, starts, at_once)
