r"""Schedules, the same in both backends: $\eta(t)$ for $t = 0, 1, 2, \dots$ steps done.

A schedule is a pure function of an int that gives a float: it keeps no state, so it may
be asked for any step in any order, drawn, and shared between optimizers. Give one to an
optimizer in place of its `lr`.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from chalkgrad._core import check
from chalkgrad._core.made import remember_call
from chalkgrad._core.types import Schedule

__all__ = [
    "constant",
    "cosine",
    "cosine_restarts",
    "cyclic",
    "exponential",
    "inverse_sqrt",
    "join",
    "linear",
    "one_cycle",
    "plateau",
    "polynomial",
    "step",
    "warmup",
    "warmup_stable_decay",
]


def _schedule(where: str, name: str, value: Any) -> Schedule:
    if not callable(value):
        raise TypeError(
            f"{where}: `{name}` must be a schedule, a function of t, got {value!r}; "
            "make one with cg.schedules.constant(lr)."
        )
    schedule: Schedule = value
    return schedule


def _list(where: str, name: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(
            f"{where}: `{name}` must be a list to which you append, got "
            f"{type(value).__name__}; begin with {name} = []."
        )
    return value


def _count_steps(where: str, t: Any) -> int:
    """Return `t` as an int if it may count steps; a float may hold no larger one."""
    return check.integer(where, "t", t, high=2**64 - 1)


@remember_call
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
        _count_steps("constant", t)
        return lr

    return schedule


@remember_call
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
        stair: int = _count_steps("step", t) // every
        try:
            return float(lr * factor**stair)
        except OverflowError:
            return math.inf

    return schedule


@remember_call
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
        return lr * math.exp(-rate * _count_steps("exponential", t))

    return schedule


@remember_call
def cosine(
    lr: float, *, steps: int, floor: float = 0.0, periodic: bool = False
) -> Schedule:
    r"""Half a wave down: $\eta(t) = \eta_1 + (\eta_0-\eta_1)\,(1+\cos(\pi t/T))/2$.

    After $T$ steps it stays at the floor $\eta_1$; with `periodic` the wave goes on, up
    again and down again, as that of PyTorch's ``CosineAnnealingLR`` does.

    Parameters
    ----------
    lr : float
        $\eta_0$, the rate at $t = 0$; 0 or more.
    steps : int
        $T$, the steps to the floor; 1 or more.
    floor : float
        $\eta_1$, the rate at the end; from 0 to `lr`.
    periodic : bool
        Go on after $T$ steps instead of staying.

    Returns
    -------
    callable
        The schedule: int to float.

    Raises
    ------
    TypeError, ValueError
        As `constant`; also if `steps` is not a whole number above 0, `floor` is not
        from 0 to `lr`, or `periodic` is not True or False.

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
    periodic = check.boolean("cosine", "periodic", periodic)

    def schedule(t: int) -> float:
        t = _count_steps("cosine", t)
        done = (t % (2 * steps) if periodic else min(t, steps)) / steps
        return floor + (lr - floor) * (1 + math.cos(math.pi * done)) / 2

    return schedule


@remember_call
def cosine_restarts(
    lr: float, *, period: int, multiplier: int = 1, floor: float = 0.0
) -> Schedule:
    r"""Half waves down, one after another: at each end it jumps back up to $\eta_0$.

    $$\eta(t) = \eta_1 + (\eta_0-\eta_1)\,\frac{1+\cos(\pi s/T_i)}2$$

    $s$ counts from the last restart, and wave $i = 0, 1, \dots$ has length
    $T_i = T_0\,m^i$.

    Parameters
    ----------
    lr : float
        $\eta_0$, the rate at each restart; 0 or more.
    period : int
        $T_0$, the steps of the first wave; 1 or more.
    multiplier : int
        $m$, from each wave's length to the next; 1 or more.
    floor : float
        $\eta_1$, what each wave goes down to; from 0 to `lr`. It is not reached: the
        step that would have it is the restart.

    Returns
    -------
    callable
        The schedule: int to float.

    Raises
    ------
    TypeError, ValueError
        As `constant`; also if `period` or `multiplier` is not a whole number above 0,
        or `floor` is not from 0 to `lr`.

    References
    ----------
    [Loshchilov and Hutter (2017)][loshchilov2017].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> lr = cg.schedules.cosine_restarts(0.1, period=10, multiplier=2)
    >>> [round(lr(t), 9) for t in (0, 5, 10, 20, 29, 30)]
    [0.1, 0.05, 0.1, 0.05, 0.00061558, 0.1]
    """
    name = "cosine_restarts"
    lr = check.number(name, "lr", lr, low=0)
    period = check.integer(name, "period", period, low=1)
    multiplier = check.integer(name, "multiplier", multiplier, low=1)
    floor = check.number(name, "floor", floor, low=0, high=lr)

    def schedule(t: int) -> float:
        since, length = _count_steps(name, t), period
        while multiplier > 1 and since >= length:
            since, length = since - length, length * multiplier
        done = since % length / length
        return floor + (lr - floor) * (1 + math.cos(math.pi * done)) / 2

    return schedule


@remember_call
def polynomial(
    lr: float, *, steps: int, power: float = 1.0, floor: float = 0.0
) -> Schedule:
    r"""Down to a floor: $\eta(t) = \eta_1 + (\eta_0-\eta_1)\,(1-t/T)^p$.

    A straight line for $p = 1$. After $T$ steps it stays at the floor $\eta_1$.

    Parameters
    ----------
    lr : float
        $\eta_0$, the rate at $t = 0$; 0 or more.
    steps : int
        $T$, the steps to the floor; 1 or more.
    power : float
        $p$, above 0; above 1 it falls fast first, below 1 fast at the end.
    floor : float
        $\eta_1$, the rate at the end; from 0 to `lr`.

    Returns
    -------
    callable
        The schedule: int to float.

    Raises
    ------
    TypeError, ValueError
        As `constant`; also if `steps` is not a whole number above 0, `power` is not
        above 0, or `floor` is not from 0 to `lr`.

    References
    ----------
    "Poly", with $p = 0.9$: [Chen and others (2018)][chen2018].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> lr = cg.schedules.polynomial(0.8, steps=100, power=2)
    >>> lr(0), lr(50), lr(100), lr(1000)
    (0.8, 0.2, 0.0, 0.0)
    """
    lr = check.number("polynomial", "lr", lr, low=0)
    steps = check.integer("polynomial", "steps", steps, low=1)
    power = check.number("polynomial", "power", power, low=0, open_low=True)
    floor = check.number("polynomial", "floor", floor, low=0, high=lr)

    def schedule(t: int) -> float:
        left = max(1 - _count_steps("polynomial", t) / steps, 0.0)
        return float(floor + (lr - floor) * left**power)

    return schedule


@remember_call
def inverse_sqrt(lr: float, *, steps: int) -> Schedule:
    r"""A climb in a straight line, then $1/\sqrt t$: the rate of the Transformer.

    $$\eta(t) = \eta_0\,\min\left(\frac{t+1}k,\ \sqrt{\frac k{t+1}}\right)$$

    Convention: the top $\eta_0$ is reached in step $k$, the one that follows $k-1$
    others. The paper counts steps from 1 and gives no top: it is
    $\eta_0 = (d_\text{model}\,k)^{-1/2}$ there.

    Parameters
    ----------
    lr : float
        $\eta_0$, the rate at the top; 0 or more.
    steps : int
        $k$, the length of the climb; 1 or more.

    Returns
    -------
    callable
        The schedule: int to float.

    Raises
    ------
    TypeError, ValueError
        As `constant`; also if `steps` is not a whole number above 0.

    References
    ----------
    [Vaswani and others (2017)][vaswani2017].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> lr = cg.schedules.inverse_sqrt(0.8, steps=4)
    >>> lr(0), lr(3), lr(15), lr(63)
    (0.2, 0.8, 0.4, 0.2)
    """
    lr = check.number("inverse_sqrt", "lr", lr, low=0)
    steps = check.integer("inverse_sqrt", "steps", steps, low=1)

    def schedule(t: int) -> float:
        count = _count_steps("inverse_sqrt", t) + 1
        return lr * min(count / steps, math.sqrt(steps / count))

    return schedule


@remember_call
def one_cycle(
    lr: float,
    *,
    steps: int,
    pct_start: float = 0.3,
    start_factor: float = 0.04,
    end_factor: float = 4e-6,
    straight: bool = False,
    three_phases: bool = False,
) -> Schedule:
    r"""Up once and down once, each half a wave of the cosine, over $T$ steps.

    From $a\,\eta_0$ at $t = 0$ it climbs to $\eta_0$ at $t = uT - 1$ and falls to
    $b\,\eta_0$ at $t = T - 1$, where it stays:

    $$\eta(t) = q + (p - q)\,\frac{1+\cos(\pi s)}2$$

    from $p$ to $q$, where $s$ goes from 0 to 1 on the way. With `straight`, each way is
    a line, $\eta = p + (q - p)\,s$. With `three_phases`, it falls to where it started
    by $t = 2uT - 2$, and to the end from there.

    Convention: the shape, the numbers and the clock of PyTorch's ``OneCycleLR``, whose
    top may lie between two steps. The paper's lines are straight, its way down is as
    long as its way up, and a short tail follows, as with `straight` and `three_phases`;
    momentum goes the other way there. It is left alone here.

    Parameters
    ----------
    lr : float
        $\eta_0$, the rate at the top; 0 or more.
    steps : int
        $T$, the length of the whole; 2 or more.
    pct_start : float
        $u$, the share of the climb, above 0 and below 1; $uT$ must be above 1.
    start_factor : float
        $a$, the share of `lr` to start from; from 0 to 1.
    end_factor : float
        $b$, the share of `lr` to end with; from 0 to 1.
    straight : bool
        Go in lines, not in waves.
    three_phases : bool
        Fall as long as the climb took, then to the end; $2uT - 2$ is below $T - 1$.

    Returns
    -------
    callable
        The schedule: int to float.

    Raises
    ------
    TypeError, ValueError
        As `constant`; also if another argument is out of its range.

    References
    ----------
    [Smith and Topin (2019)][smith2019].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> lr = cg.schedules.one_cycle(0.5, steps=100, pct_start=0.2)
    >>> [round(lr(t), 6) for t in (0, 19, 59, 99)]
    [0.02, 0.5, 0.250001, 2e-06]
    """
    lr = check.number("one_cycle", "lr", lr, low=0)
    steps = check.integer("one_cycle", "steps", steps, low=2)
    pct_start = check.number(
        "one_cycle",
        "pct_start",
        pct_start,
        low=0,
        high=1,
        open_low=True,
        open_high=True,
    )
    low = lr * check.number("one_cycle", "start_factor", start_factor, low=0, high=1)
    last = lr * check.number("one_cycle", "end_factor", end_factor, low=0, high=1)
    straight = check.boolean("one_cycle", "straight", straight)
    three_phases = check.boolean("one_cycle", "three_phases", three_phases)
    top = pct_start * steps - 1
    if top <= 0:
        raise ValueError(
            "one_cycle: `pct_start` must give the climb more than one step: above "
            f"{1 / steps:g} with `steps` {steps}, got {pct_start:g}."
        )
    corners = [(0.0, low), (top, lr), (steps - 1.0, last)]
    if three_phases:
        if 2 * top >= steps - 1:
            raise ValueError(
                "one_cycle: `pct_start` must leave steps for the third phase: below "
                f"{(steps + 1) / (2 * steps):g} with `steps` {steps}, got "
                f"{pct_start:g}."
            )
        corners.insert(2, (2 * top, low))

    def schedule(t: int) -> float:
        t = min(_count_steps("one_cycle", t), steps - 1)
        (begin, p), (finish, q) = next(
            way for way in pairwise(corners) if t <= way[1][0]
        )
        done = (t - begin) / (finish - begin)
        if straight:
            return p + (q - p) * done
        return q + (p - q) * (1 + math.cos(math.pi * done)) / 2

    return schedule


@remember_call
def linear(
    lr: float, *, steps: int, start_factor: float = 0.0, end_factor: float = 1.0
) -> Schedule:
    r"""A straight line from one share of the rate to another.

    $$\eta(t) = \eta_0\,(a + (b-a)\,\min(t/T,\,1))$$

    Convention: the clock of PyTorch's ``LinearLR``, whose defaults are $a = 1/3$ and
    $b = 1$: the first step has the rate $a\,\eta_0$, which may be 0. With `warmup` the
    first step moves.

    Parameters
    ----------
    lr : float
        $\eta_0$, 0 or more.
    steps : int
        $T$, the length of the line; 1 or more.
    start_factor : float
        $a$, the share of `lr` at $t = 0$; from 0 to 1.
    end_factor : float
        $b$, the share of `lr` from $t = T$ on; from 0 to 1.

    Returns
    -------
    callable
        The schedule: int to float.

    Raises
    ------
    TypeError, ValueError
        As `constant`; also if another argument is out of its range.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> lr = cg.schedules.linear(0.8, steps=4, start_factor=0.5)
    >>> [round(lr(t), 9) for t in (0, 1, 2, 4, 100)]
    [0.4, 0.5, 0.6, 0.8, 0.8]
    """
    lr = check.number("linear", "lr", lr, low=0)
    steps = check.integer("linear", "steps", steps, low=1)
    start_factor = check.number("linear", "start_factor", start_factor, low=0, high=1)
    end_factor = check.number("linear", "end_factor", end_factor, low=0, high=1)

    def schedule(t: int) -> float:
        done = min(_count_steps("linear", t) / steps, 1.0)
        return lr * (start_factor + (end_factor - start_factor) * done)

    return schedule


@remember_call
def cyclic(
    lr: float,
    *,
    steps_up: int,
    steps_down: int | None = None,
    floor: float = 0.0,
    cycle_factor: float = 1.0,
    step_factor: float = 1.0,
) -> Schedule:
    r"""Triangles: up in a straight line and down again, over and over.

    With $c = \lfloor t/(k+d)\rfloor$ cycles done, and the share $s$ of the way up that
    is reached,

    $$\eta(t) = \eta_1 + (\eta_0-\eta_1)\,s\,f^{\,c}\,\gamma^{\,t}$$

    Convention: the shape and the clock of PyTorch's ``CyclicLR``. With $f = 1/2$ it is
    its "triangular2", with $\gamma < 1$ its "exp_range". Momentum is left alone.

    Parameters
    ----------
    lr : float
        $\eta_0$, the rate at the first top; 0 or more.
    steps_up : int
        $k$, the steps of a way up; 1 or more.
    steps_down : int, optional
        $d$, the steps of a way down; 1 or more. By default as many as `steps_up`.
    floor : float
        $\eta_1$, the rate at the bottom, where it starts; from 0 to `lr`.
    cycle_factor : float
        $f$, from each triangle's height to the next; above 0, to 1.
    step_factor : float
        $\gamma$, by which the height shrinks in each step; above 0, to 1.

    Returns
    -------
    callable
        The schedule: int to float.

    Raises
    ------
    TypeError, ValueError
        As `constant`; also if another argument is out of its range.

    References
    ----------
    [Smith (2017)][smith2017].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> lr = cg.schedules.cyclic(0.4, steps_up=2, cycle_factor=0.5)
    >>> [round(lr(t), 9) for t in range(9)]
    [0.0, 0.2, 0.4, 0.2, 0.0, 0.1, 0.2, 0.1, 0.0]
    """
    lr = check.number("cyclic", "lr", lr, low=0)
    steps_up = check.integer("cyclic", "steps_up", steps_up, low=1)
    down = (
        steps_up
        if steps_down is None
        else check.integer("cyclic", "steps_down", steps_down, low=1)
    )
    floor = check.number("cyclic", "floor", floor, low=0, high=lr)
    cycle_factor, step_factor = (
        check.number("cyclic", name, value, low=0, high=1, open_low=True)
        for name, value in [
            ("cycle_factor", cycle_factor),
            ("step_factor", step_factor),
        ]
    )

    def schedule(t: int) -> float:
        t = _count_steps("cyclic", t)
        cycles, since = divmod(t, steps_up + down)
        share = (
            since / steps_up if since <= steps_up else (steps_up + down - since) / down
        )
        return floor + (lr - floor) * share * cycle_factor**cycles * step_factor**t

    return schedule


@remember_call
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

    def rise(t: int) -> float:
        t = _count_steps("warmup", t)
        if t < steps:
            return after(0) * (t + 1) / (steps + 1)
        return after(t - steps)

    return rise


@remember_call
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
        _schedule("join", f"schedules[{i}]", part)
        for i, part in enumerate(check.sequence("join", "schedules", schedules))
    ]
    starts = [0]
    for i, boundary in enumerate(check.sequence("join", "boundaries", boundaries)):
        low = starts[-1] + 1
        starts.append(check.integer("join", f"boundaries[{i}]", boundary, low=low))
    if len(starts) != len(parts):
        raise ValueError(
            "join: `boundaries` must be one fewer than `schedules`, got "
            f"{len(starts) - 1} for {len(parts)}."
        )

    def schedule(t: int) -> float:
        t = _count_steps("join", t)
        i = bisect_right(starts, t) - 1
        return parts[i](t - starts[i])

    return schedule


@remember_call
def warmup_stable_decay(
    lr: float, *, steps: int, warmup_steps: int, decay_steps: int, floor: float = 0.0
) -> Schedule:
    r"""Climb, stay, and fall only at the end: WSD.

    $$\eta(t) = \begin{cases} \eta_0\,\dfrac{t+1}{k+1} & t < k \\[1ex]
    \eta_0 & k \le t < T - d \\[1ex]
    \eta_1 + (\eta_0-\eta_1)\,\dfrac{T-t}d & T - d \le t < T \end{cases}$$

    After $T$ steps it stays at the floor $\eta_1$. Until the fall begins, the rate does
    not depend on $T$: a run may be made longer without being started again.

    Convention: the climb is that of `warmup`, and the fall a straight line. The paper
    leaves the shape of the fall open, and halves the rate every so many steps itself.

    Parameters
    ----------
    lr : float
        $\eta_0$, the rate of the long middle; 0 or more.
    steps : int
        $T$, the length of the whole; at least `warmup_steps` + `decay_steps`.
    warmup_steps : int
        $k$, the length of the climb; 1 or more.
    decay_steps : int
        $d$, the length of the fall; 1 or more.
    floor : float
        $\eta_1$, the rate at the end; from 0 to `lr`.

    Returns
    -------
    callable
        The schedule: int to float.

    Raises
    ------
    TypeError, ValueError
        As `constant`; also if another argument is out of its range.

    References
    ----------
    [Hu and others (2024)][hu2024].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> lr = cg.schedules.warmup_stable_decay(
    ...     0.5, steps=100, warmup_steps=4, decay_steps=20
    ... )
    >>> [round(lr(t), 9) for t in (0, 3, 4, 79, 80, 90, 100)]
    [0.1, 0.4, 0.5, 0.5, 0.5, 0.25, 0.0]
    """
    name = "warmup_stable_decay"
    lr = check.number(name, "lr", lr, low=0)
    warmup_steps = check.integer(name, "warmup_steps", warmup_steps, low=1)
    decay_steps = check.integer(name, "decay_steps", decay_steps, low=1)
    steps = check.integer(name, "steps", steps, low=warmup_steps + decay_steps)
    floor = check.number(name, "floor", floor, low=0, high=lr)
    rise = warmup(constant(lr), steps=warmup_steps)
    fall = polynomial(lr, steps=decay_steps, floor=floor)
    whole = join([rise, fall], boundaries=[steps - decay_steps])

    def schedule(t: int) -> float:
        return whole(_count_steps(name, t))

    return schedule


@remember_call
def plateau(
    lr: float,
    losses: list[Any],
    *,
    factor: float,
    patience: int,
    every: int = 1,
    threshold: float = 1e-4,
) -> Schedule:
    r"""Multiply the rate by $f$ whenever the loss has not fallen for a while.

    It reads a list that grows while you train. A loss is *better* if it is below
    $(1-\epsilon)$ times the best so far. After more than `patience` in a row that are
    not, the rate falls, and the count begins again:

    $$\eta(t) = \eta_0\,f^{\,c}, \qquad
    c = \text{falls among the first } \lfloor t/k\rfloor \text{ losses}$$

    So a loss counts from the step after the one it belongs to. The rate is a function
    of $t$ and of the list: append to it, and change nothing in it. Every call reads the
    list from its beginning.

    Parameters
    ----------
    lr : float
        $\eta_0$, the rate at first; 0 or more.
    losses : list
        Numbers, or arrays of one number; empty at first.
    factor : float
        $f$, from 0 to below 1.
    patience : int
        How many losses in a row may be no better; 0 or more.
    every : int
        $k$, how many steps go by for each loss that you append; 1 or more.
    threshold : float
        $\epsilon$, from 0 to below 1. It has a meaning for losses above 0 only.

    Returns
    -------
    callable
        The schedule: int to float.

    Raises
    ------
    TypeError, ValueError
        As `constant`; also if another argument is out of its range; when called, if a
        loss is not a finite number.

    Notes
    -----
    The rule of PyTorch's ``ReduceLROnPlateau``, without its floor and its ``eps``.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> losses = []
    >>> lr = cg.schedules.plateau(0.8, losses, factor=0.5, patience=1)
    >>> lr(0)
    0.8
    >>> losses += [1.0, 0.9, 0.9, 0.9, 0.8]
    >>> [lr(t) for t in range(6)]
    [0.8, 0.8, 0.8, 0.8, 0.4, 0.4]
    """
    lr = check.number("plateau", "lr", lr, low=0)
    losses = _list("plateau", "losses", losses)
    factor = check.number("plateau", "factor", factor, low=0, high=1, open_high=True)
    patience = check.integer("plateau", "patience", patience)
    every = check.integer("plateau", "every", every, low=1)
    threshold = check.number(
        "plateau", "threshold", threshold, low=0, high=1, open_high=True
    )

    def schedule(t: int) -> float:
        known = losses[: _count_steps("plateau", t) // every]
        best, waited, falls = math.inf, 0, 0
        for i, value in enumerate(known):
            loss = check.number("plateau", f"losses[{i}]", value)
            if loss < best * (1 - threshold):
                best, waited = loss, 0
            else:
                waited += 1
            if waited > patience:
                falls, waited = falls + 1, 0
        return float(lr * factor**falls)

    return schedule
