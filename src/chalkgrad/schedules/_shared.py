r"""Schedules, the same in both halves: $\eta(t)$ for $t = 0, 1, 2, \dots$ steps done.

A schedule is a pure function of an int that gives a float: it keeps no state, so it may
be asked for any step in any order, drawn, and shared between optimizers. Give one to an
optimizer in place of its `lr`.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from chalkgrad._core import check
from chalkgrad._core.types import Schedule

__all__ = ["constant", "cosine", "exponential", "join", "step", "warmup"]


def _schedule(where: str, name: str, value: Any) -> Schedule:
    if not callable(value):
        raise TypeError(
            f"{where}: `{name}` must be a schedule, a function of t, got {value!r}; "
            "make one with cg.schedules.constant(lr)."
        )
    schedule: Schedule = value
    return schedule


def constant(lr: float) -> Schedule:
    r"""The same rate at every step: $\eta(t) = \eta_0$.

    Parameters
    ----------
    lr : float
        $\eta_0$, 0 or more.

    Returns
    -------
    callable
        The schedule: int to float.

    Raises
    ------
    TypeError
        If an argument is not a number.
    ValueError
        If `lr` is negative or not finite; when called, if $t$ is negative.

    References
    ----------
    A constant rate does not let SGD settle; rates that shrink like $1/t$ do:
    [Robbins and Monro (1951)][robbinsmonro1951].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> lr = cg.schedules.constant(0.1)
    >>> lr(0), lr(1000)
    (0.1, 0.1)
    """
    lr = check.number("constant", "lr", lr, low=0)

    def schedule(t: int) -> float:
        check.integer("constant", "t", t)
        return lr

    return schedule


def step(lr: float, *, every: int, factor: float) -> Schedule:
    r"""Stairs: $\eta(t) = \eta_0\,f^{\lfloor t/k\rfloor}$.

    Parameters
    ----------
    lr : float
        $\eta_0$, the rate of the first stair; 0 or more.
    every : int
        $k$, the length of a stair in steps.
    factor : float
        $f$, from each stair to the next; above 0, below 1 to go down.

    Returns
    -------
    callable
        The schedule: int to float.

    Raises
    ------
    TypeError, ValueError
        As `constant`; also if `every` is not a whole number above 0, or `factor` is not
        above 0.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> lr = cg.schedules.step(0.8, every=10, factor=0.5)
    >>> lr(0), lr(9), lr(10), lr(25)
    (0.8, 0.8, 0.4, 0.2)
    """
    lr = check.number("step", "lr", lr, low=0)
    every = check.integer("step", "every", every, low=1)
    factor = check.number("step", "factor", factor, low=0, open_low=True)

    def schedule(t: int) -> float:
        stair: int = check.integer("step", "t", t) // every
        return float(lr * factor**stair)

    return schedule


def exponential(lr: float, *, rate: float) -> Schedule:
    r"""A slide: $\eta(t) = \eta_0\,e^{-rt}$, halved every $\ln 2/r$ steps.

    Parameters
    ----------
    lr : float
        $\eta_0$, the rate at $t = 0$; 0 or more.
    rate : float
        $r$, the share lost per step while it is small; 0 or more, in 1/step.

    Returns
    -------
    callable
        The schedule: int to float.

    Raises
    ------
    TypeError, ValueError
        As `constant`; also if `rate` is negative.

    Notes
    -----
    PyTorch's ``ExponentialLR`` takes the factor per step, $\gamma = e^{-r}$.

    Examples
    --------
    >>> import math
    >>> import chalkgrad.numpy as cg
    >>> lr = cg.schedules.exponential(0.8, rate=math.log(2) / 100)
    >>> lr(0), round(lr(100), 9), round(lr(200), 9)
    (0.8, 0.4, 0.2)
    """
    lr = check.number("exponential", "lr", lr, low=0)
    rate = check.number("exponential", "rate", rate, low=0)

    def schedule(t: int) -> float:
        return lr * math.exp(-rate * check.integer("exponential", "t", t))

    return schedule


def cosine(lr: float, *, steps: int, floor: float = 0.0) -> Schedule:
    r"""Half a wave down: $\eta(t) = \eta_1 + (\eta_0-\eta_1)\,(1+\cos(\pi t/T))/2$.

    After $T$ steps it stays at the floor $\eta_1$.

    Parameters
    ----------
    lr : float
        $\eta_0$, the rate at $t = 0$; 0 or more.
    steps : int
        $T$, the steps to the floor; 1 or more.
    floor : float
        $\eta_1$, the rate at the end; from 0 to `lr`.

    Returns
    -------
    callable
        The schedule: int to float.

    Raises
    ------
    TypeError, ValueError
        As `constant`; also if `steps` is not a whole number above 0, or `floor` is not
        from 0 to `lr`.

    References
    ----------
    [Loshchilov and Hutter (2017)][loshchilov2017], without the restarts.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> lr = cg.schedules.cosine(0.1, steps=100)
    >>> lr(0), lr(50), lr(100), lr(1000)
    (0.1, 0.05, 0.0, 0.0)
    """
    lr = check.number("cosine", "lr", lr, low=0)
    steps = check.integer("cosine", "steps", steps, low=1)
    floor = check.number("cosine", "floor", floor, low=0, high=lr)

    def schedule(t: int) -> float:
        done = min(check.integer("cosine", "t", t) / steps, 1.0)
        return floor + (lr - floor) * (1 + math.cos(math.pi * done)) / 2

    return schedule


def warmup(schedule: Schedule, *, steps: int) -> Schedule:
    r"""Climb in $k$ equal steps to where `schedule` $s$ starts, then follow it.

    $$\eta(t) = \begin{cases} s(0)\,\dfrac{t+1}{k+1} & t < k \\[1ex]
    s(t-k) & t \ge k \end{cases}$$

    So the very first step already moves, $\eta(k) = s(0)$ is the top, and `schedule`
    has its own clock that starts there.

    Parameters
    ----------
    schedule : callable
        $s$, what to follow after the climb.
    steps : int
        $k$, the length of the climb; 1 or more.

    Returns
    -------
    callable
        The schedule: int to float.

    Raises
    ------
    TypeError
        If `schedule` is not a function, or `steps` not a whole number.
    ValueError
        If `steps` is not above 0; when called, if $t$ is negative.

    References
    ----------
    [Goyal et al. (2017)][goyal2017], "gradual warmup"; there the schedule that follows
    counts the climb's steps too.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> lr = cg.schedules.warmup(cg.schedules.constant(0.5), steps=4)
    >>> [round(lr(t), 9) for t in range(6)]
    [0.1, 0.2, 0.3, 0.4, 0.5, 0.5]
    """
    after = _schedule("warmup", "schedule", schedule)
    steps = check.integer("warmup", "steps", steps, low=1)

    def warmed(t: int) -> float:
        if check.integer("warmup", "t", t) < steps:
            return after(0) * (t + 1) / (steps + 1)
        return after(t - steps)

    return warmed


def join(schedules: Sequence[Schedule], *, boundaries: Sequence[int]) -> Schedule:
    r"""One schedule after another: the $i$-th runs until step $b_i$, on its own clock.

    $\eta(t) = s_i(t - b_{i-1})$ for $b_{i-1} \le t < b_i$, with $b_0 = 0$; the last one
    runs for ever.

    Parameters
    ----------
    schedules : sequence of callables
        $s_1, s_2, \dots$; each starts at its own $t = 0$.
    boundaries : sequence of ints
        $b_1 < b_2 < \dots$, the steps at which the next one takes over: one fewer than
        there are schedules.

    Returns
    -------
    callable
        The schedule: int to float.

    Raises
    ------
    TypeError
        If `schedules` holds something else than functions, or `boundaries` than ints.
    ValueError
        If there are not as many boundaries as gaps between schedules, or they do not
        grow from 1; when called, if $t$ is negative.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> warm, cold = cg.schedules.constant(0.1), cg.schedules.cosine(0.1, steps=10)
    >>> lr = cg.schedules.join([warm, cold], boundaries=[100])
    >>> lr(99), lr(100), lr(105), lr(110)
    (0.1, 0.1, 0.05, 0.0)
    """
    parts = [
        _schedule("join", f"schedules[{i}]", part) for i, part in enumerate(schedules)
    ]
    starts = [0]
    for i, boundary in enumerate(boundaries):
        low = starts[-1] + 1
        starts.append(check.integer("join", f"boundaries[{i}]", boundary, low=low))
    if len(starts) != len(parts):
        raise ValueError(
            "join: `boundaries` must be one fewer than `schedules`, got "
            f"{len(starts) - 1} for {len(parts)}."
        )

    def joined(t: int) -> float:
        i = bisect_right(starts, check.integer("join", "t", t)) - 1
        return parts[i](t - starts[i])

    return joined
