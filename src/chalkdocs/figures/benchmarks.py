"""Figures of the page on benchmarks: what ``python -m benchmarks`` measured."""

from collections.abc import Callable
from typing import Any, TypeAlias

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from chalkdocs import benchmark_results
from chalkdocs.benchmark_results import Value
from chalkdocs.figures.style import INK, SERIES

__all__ = ["limit", "many", "training"]

TRAINING = ("digits", "network 784", "moons")
Contest: TypeAlias = dict[str, Any]
MANY = ("landscape, digits", "landscape, moons", "sweep")


def training() -> Figure:
    """How many times as long as ours everyone takes for a step."""
    return _ratios(TRAINING)


def many() -> Figure:
    """The same for many networks at once."""
    return _ratios(MANY)


def limit() -> Figure:
    """Which part of a step's time the machine needs at least."""

    def bar(contest: Contest, who: str) -> str:
        return "share of the limit" if who == contest["ours"] else ""

    figure = _panels(TRAINING[:2], benchmark_results.share, bar, "{:.0%}", start=0)
    for axis in figure.axes:
        axis.set(xlim=(0, 1.15))
        axis.xaxis.set_major_formatter(lambda x, _: f"{x:.0%}")
    figure.axes[-1].set_xlabel("of the machine's own limit")
    return figure


def _ratios(names: tuple[str, ...]) -> Figure:
    figure = _panels(
        names, benchmark_results.ratio, lambda _, who: who, "{:.3g}", start=1
    )
    ends = [axis.dataLim.intervalx for axis in figure.axes]
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    for axis in figure.axes:
        axis.axvline(1, color=SERIES[0], lw=1.8)
        axis.set(xscale="log", xlim=(min(low, 1) / 3.5, 3 * high))
        axis.xaxis.set_major_formatter("{x:g}")
    figure.axes[-1].set_xlabel("times as long as ours")
    return figure


def _panels(
    names: tuple[str, ...],
    measure: Callable[[Contest, str], Value | None],
    bar: Callable[[Contest, str], str],
    form: str,
    *,
    start: float,
) -> Figure:
    """Draw a panel for each contest; `bar` ends the name of what is asked of one.

    What is drawn begins at `start`: at 1, who is faster than ours goes to the left.
    """
    found = benchmark_results.read("cpu") or {"contests": {}}
    contests = {k: v for k, v in found["contests"].items() if k in names}
    wanted = {one.name: one.least for one in benchmark_results.bars("cpu", None)}
    counts = [len(contest["us"]) for contest in contests.values()] or [3]
    figure, axes = plt.subplots(
        len(counts), 1, figsize=(5.2, 0.28 * sum(counts) + 0.55 * len(counts) + 0.4),
        height_ratios=counts, sharex=True, squeeze=False,
    )  # fmt: skip
    for axis, (name, contest) in zip(axes[:, 0], contests.items(), strict=False):
        for row, who in enumerate(contest["us"]):
            if value := measure(contest, who):
                colour = SERIES[0 if who == contest["ours"] else 1]
                asked = wanted.get(f"{name}: {bar(contest, who)}")
                _draw(axis, row, value, asked, start, colour, form)
        axis.set_yticks(range(len(contest["us"])), contest["us"])
        axis.set(ylim=(len(contest["us"]) - 0.4, -0.6), title=name)
        axis.tick_params(axis="y", length=0)
    return figure


def _draw(
    axis: Any,
    row: int,
    value: Value,
    asked: float | None,
    start: float,
    colour: str,
    form: str,
) -> None:
    """Draw a median as a bar, its quartiles as whiskers, what is asked as a line."""
    low, median, high = value
    axis.barh(row, median - start, left=start, height=0.7, color=colour)
    ends = [[median - low], [high - median]]
    axis.errorbar(median, row, xerr=ends, color=INK, capsize=2, lw=1)
    if asked:
        axis.plot([asked] * 2, [row - 0.45, row + 0.45], color=INK, lw=2)
    left = median < start
    near = asked and high < asked < 2 * high and not left
    place = low if left else asked if near else high
    axis.annotate(form.format(median), (place, row), (-5 if left else 5, 0),
                  textcoords="offset points", ha="right" if left else "left",
                  va="center")  # fmt: skip
