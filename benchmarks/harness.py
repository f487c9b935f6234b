"""One harness for every contest: all take turns on one core, and ratios count.

The machine is noisy, and the noise hits who runs at that moment. So nobody is timed
alone: in each round everyone has a slice of time, and what counts is the ratio within a
round. Who computes other losses than the first contestant is refused, not timed.
"""

import gc
import os
import time
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

SLICE = 0.04  # seconds that a contestant has in a round
ROUNDS = 15

Clock = Callable[[], float]


class AbsentError(Exception):
    """A contestant that cannot take part here; the message says why."""


class Runner(NamedTuple):
    """A contestant, ready to run."""

    run: Callable[[], Any]
    """Do the work; return the losses that it computes."""
    units: float
    """How many units of work, steps or points, a run is."""
    answer: Callable[[Any], Any] = np.asarray
    """Turn what `run` returns into an array. This is not timed."""


class Contest(NamedTuple):
    """The same work, by everyone who could do it."""

    title: str
    unit: str
    topics: tuple[str, ...]
    """The topics of ours that it runs: if one changes, the numbers are stale."""
    contestants: dict[str, Callable[[], Runner]]
    """How to make each; the first is ours."""
    limits: dict[str, Callable[[], Runner]]
    """What no program can do without, timed in the same rounds."""
    agree: float = 1e-5
    """How far losses may be from those of the first contestant, relatively."""


def pin() -> None:
    """Keep this process on one core, the last of those that it may use."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def compete(
    contest: Contest,
    *,
    rounds: int = ROUNDS,
    slice_: float = SLICE,
    clock: Clock = time.process_time,
) -> dict[str, Any]:
    """Make everyone, check what they compute, time them; return what was found.

    Times are microseconds a unit, one a round.
    """
    runners: dict[str, Runner] = {}
    absent = {}
    for who, make in contest.contestants.items():
        try:
            runners[who] = make()
        except AbsentError as reason:
            absent[who] = str(reason)
    runners, refused = admitted(runners, contest.agree)
    limits = {what: make() for what, make in contest.limits.items()}
    times = interleaved(runners | limits, rounds=rounds, slice_=slice_, clock=clock)
    return {
        "title": contest.title,
        "unit": contest.unit,
        "ours": next(iter(contest.contestants)),
        "us": {who: times[who] for who in runners},
        "limits": {what: times[what] for what in limits},
        "absent": absent,
        "refused": refused,
    }


def admitted(
    runners: dict[str, Runner], agree: float
) -> tuple[dict[str, Runner], dict[str, str]]:
    """Divide contestants into those who compute what the first does, and the others.

    Each runs twice, from its start: that also compiles what is compiled.
    """
    answers = {
        who: np.array([runner.answer(runner.run()) for _ in range(2)], "float64")
        for who, runner in runners.items()
    }
    wanted = next(iter(answers.values()))
    refused = {}
    for who, answer in answers.items():
        if answer.shape != wanted.shape:
            refused[who] = f"computes losses of shape {answer.shape[1:]}"
            continue
        gap = abs(answer - wanted)
        with np.errstate(divide="ignore"):  # what is not 0 is far off it
            off = np.divide(gap, abs(wanted), out=np.zeros_like(gap), where=gap != 0)
        error = float(off.max())
        if not error <= agree:
            refused[who] = f"computes other losses, off by {error:.1e}"
    return {who: runners[who] for who in runners if who not in refused}, refused


def interleaved(
    runners: dict[str, Runner], *, rounds: int, slice_: float, clock: Clock
) -> dict[str, list[float]]:
    """Give everyone a slice of time in each round; return microseconds a unit.

    Each round starts with another one, so that nobody always follows the same.
    """
    counts = {}
    for who, runner in runners.items():
        runner.run()
        counts[who] = max(1, round(slice_ / max(_timed(runner, 1, clock), 1e-7)))
    times: dict[str, list[float]] = {who: [] for who in runners}
    order = deque(runners)
    gc.collect()
    for _ in range(rounds):
        for who in order:
            seconds = _timed(runners[who], counts[who], clock)
            us = 1e6 * seconds / (counts[who] * runners[who].units)
            times[who].append(float(f"{us:.5g}"))
        order.rotate(-1)
    return times


def _timed(runner: Runner, count: int, clock: Clock) -> float:
    start = clock()
    for _ in range(count):
        runner.run()
    return clock() - start
