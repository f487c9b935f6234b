"""Figures of the page on adaptive rates."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import chalkgrad.numpy as cg
from chalkdocs.figures.style import INK, SERIES

__all__ = ["forgiving", "profile", "rotation"]

RACE = Path(__file__).parents[3] / "benchmarks/results/race.json"
SHOWN = ["sgd", "momentum", "rmsprop", "adam", "barzilai-borwein", "prodigy"]


@cache
def _race() -> tuple[dict[str, Any], Any]:
    """What the race wrote; its steps by method, task, rate and start, inf: never."""
    found = json.loads(RACE.read_text("utf-8"))
    steps = np.array(found["steps"], dtype=float)
    return found, np.where(steps == 0, np.inf, steps)


def rotation() -> Figure:
    """A bowl along the axes, and turned: who notices."""
    figure, axes = plt.subplots(1, 2, figsize=(5.2, 2.8), sharex=True, sharey=True)
    x, y = np.meshgrid(np.linspace(-1.6, 1.6, 121), np.linspace(-1.6, 1.6, 121))
    grid = np.stack([x, y], -1)
    rules = {"gradient descent": cg.optimizers.sgd(lr=0.09)}
    rules["Adam"] = cg.optimizers.adam(lr=0.08)
    for axis, angle, what in zip(
        axes, (0.0, -np.pi / 4), ("along the axes", "turned"), strict=True
    ):
        bowl = cg.experiments.quadratic(20, angle=angle)
        heights = np.geomspace(0.05, 30, 9)
        axis.contour(x, y, bowl.loss(grid), heights, colors=INK, alpha=0.25)
        walks = cg.experiments.race(bowl, rules, steps=25)
        for (name, walk), colour in zip(walks.items(), SERIES, strict=False):
            axis.plot(*walk.w.T, ".-", color=colour, linewidth=1.3, label=name)
        axis.plot(0, 0, "+", color=INK, markersize=9)
        axis.set(title=what, xlabel="w₁", aspect="equal")
    axes[0].set(ylabel="w₂", xlim=(-1.6, 1.6), ylim=(-1.6, 1.6))
    axes[0].legend(loc="lower left", fontsize=9)
    return figure


def forgiving() -> Figure:
    """The share of all runs that arrive, against the one rate for all."""
    found, steps = _race()
    arrived = np.isfinite(steps).mean((1, 3))
    figure, axis = plt.subplots()
    for name, colour in zip(SHOWN, SERIES, strict=True):
        share = arrived[found["methods"].index(name)]
        axis.semilogx(found["rates"], share, ".-", color=colour, label=name)
    axis.set(xlabel="rate η", ylabel="share of 120 runs", ylim=(0, 1))
    axis.legend(ncols=3, fontsize=9, loc="upper center", bbox_to_anchor=(0.5, 1.22))
    return figure


def _costs(steps: Any, *, one_rate: bool) -> Any:
    """The steps of each method on each run, at the best rate for all or for each."""
    arrived = np.isfinite(steps).sum(-1)  # by method, task and rate
    # Among rates by which as many arrive, the quicker one.
    quick = np.where(np.isfinite(steps), steps, 0).sum(-1)
    score = arrived - quick / (1 + quick.max()) / 10
    if one_rate:
        best = score.sum(1, keepdims=True).argmax(-1).repeat(steps.shape[1], 1)
    else:
        best = score.argmax(-1)
    picked = np.take_along_axis(steps, best[..., None, None], 2)
    return picked.reshape(len(steps), -1)


def profile() -> Figure:
    """Performance profiles: best rate for each problem, and one for all."""
    found, steps = _race()
    figure, axes = plt.subplots(1, 2, figsize=(5.2, 3.3), sharey=True)
    factors = np.geomspace(1, 100, 200)
    for axis, one_rate in zip(axes, (False, True), strict=True):
        costs = _costs(steps, one_rate=one_rate)
        fastest = costs.min(0)
        solved = np.isfinite(fastest)
        ratios = costs[:, solved] / fastest[solved]
        for name, colour in zip(SHOWN, SERIES, strict=True):
            mine = ratios[found["methods"].index(name)]
            share = [(mine <= factor).sum() / len(fastest) for factor in factors]
            axis.semilogx(factors, share, color=colour, label=name)
        axis.set(
            title="one rate for all" if one_rate else "the best rate for each",
            xlabel="times the fastest's steps",
            ylim=(0, 1),
        )
    axes[0].set_ylabel("share of runs")
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3
    )
    return figure
