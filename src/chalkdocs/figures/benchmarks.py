"""Figures of the page on benchmarks: what ``python -m benchmarks`` measured."""

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from chalkdocs import results
from chalkdocs.figures.style import INK, SERIES
from chalkdocs.results import Value

__all__ = ["limit", "many", "training"]

TRAINING = ("digits", "network 784", "moons")
MANY = ("landscape, digits", "landscape, moons", "sweep")


def training() -> Figure:
    """How many times as long as ours everyone takes for a step."""
    return _ratios(TRAINING)


def many() -> Figure:
    """The same for many networks at once."""
    return _ratios(MANY)


def limit() -> Figure:
    """Which part of a step's time the machine needs at least."""
    figure = _panels(TRAINING[:2], results.share, "share of the limit", "{:.0%}", 0)
    for axis in figure.axes:
        axis.set(xlim=(0, 1.15))
        axis.xaxis.set_major_formatter(lambda x, _: f"{x:.0%}")
    figure.supxlabel("part of the time that the machine needs at least", size=10.5)
    return figure


def _ratios(names: tuple[str, ...]) -> Figure:
    figure = _panels(names, results.ratio, None, "{:.3g}", 1)
    for axis in figure.axes:
        axis.axvline(1, color=SERIES[0], lw=1.8)
        axis.set(xscale="log", xlim=(0.04, 3 * axis.get_xlim()[1]))
        axis.xaxis.set_major_formatter("{x:g}")
    figure.supxlabel("times as long as ours", size=10.5)
    return figure


def _panels(
    names: tuple[str, ...],
    measure: Callable[[dict[str, Any], str], Value | None],
    bar: str | None,
    form: str,
    start: float,
) -> Figure:
    """Draw a panel for each contest: medians, quartiles as whiskers, our bars as lines.

    `bar` names the one bar that ours has in a contest; None: each peer has its own.
    `start` is where a bar begins: at 1, ours has none, and who is faster goes left.
    """
    found = results.read("cpu") or {"contests": {}}
    contests = {k: v for k, v in found["contests"].items() if k in names}
    wanted = {one.name: one.least for one in results.bars("cpu", None)}
    counts = [len(contest["us"]) for contest in contests.values()] or [3]
    figure, axes = plt.subplots(
        len(counts), 1, figsize=(5.4, 0.28 * sum(counts) + 0.55 * len(counts) + 0.4),
        height_ratios=counts, sharex=True, squeeze=False,
    )  # fmt: skip
    for axis, (name, contest) in zip(axes[:, 0], contests.items(), strict=False):
        for row, who in enumerate(contest["us"]):
            if value := measure(contest, who):
                ours = who == contest["ours"]
                axis.barh(
                    row, value.median - start, left=start, height=0.7,
                    color=SERIES[0 if ours else 1],
                )  # fmt: skip
                ends = [[value.median - value.low], [value.high - value.median]]
                axis.errorbar(value.median, row, xerr=ends, color=INK, capsize=2, lw=1)
                left = value.median < start
                end, side = (value.low, "right") if left else (value.high, "left")
                axis.annotate(form.format(value.median), (end, row),
                              (-5 if left else 5, 0), textcoords="offset points",
                              ha=side, va="center")  # fmt: skip
                asked = wanted.get(f"{name}: {bar if ours and bar else who}")
                if asked and (ours or not bar):
                    axis.plot([asked] * 2, [row - 0.45, row + 0.45], color=INK, lw=2)
        axis.set_yticks(range(len(contest["us"])), contest["us"])
        axis.set(ylim=(len(contest["us"]) - 0.4, -0.6), title=name)
        axis.tick_params(axis="y", length=0)
    return figure
