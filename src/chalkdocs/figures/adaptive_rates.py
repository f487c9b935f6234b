"""Figures of the page on adaptive rates."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import chalkgrad.numpy as cg
from chalkdocs.figures.style import SERIES

__all__ = ["profile", "rotation", "tolerance"]

RACE = Path(__file__).parents[3] / "benchmarks/results/race.json"
SHOWN = ["sgd", "momentum", "rmsprop", "adam", "barzilai-borwein", "prodigy"]


@cache
def _race() -> tuple[dict[str, Any], Any]:
    """What the race wrote; its steps by method, task, rate and start, inf: never."""
    found = json.loads(RACE.read_text("utf-8"))
    steps = np.array(found["steps"], dtype=float)
    return found, np.where(steps == 0, np.inf, steps)


def rotation() -> Figure:
    """The loss against the rate, on a bowl along the axes and turned."""
    rates = np.geomspace(1e-3, 3, 43)
    starts = np.random.default_rng(0).uniform(-2, 2, (64, 2))
    curves: list[tuple[str, Any, float, str]] = [
        ("gradient descent, both", cg.optimizers.sgd, 0.0, "-"),
        ("Adam, along the axes", cg.optimizers.adam, 0.0, "--"),
        ("Adam, turned", cg.optimizers.adam, np.pi / 8, "-."),
    ]
    figure, axis = plt.subplots(figsize=(5.2, 3.1))
    for (name, rule, angle, line), colour in zip(curves, SERIES, strict=False):
        bowl = cg.experiments.quadratic(100, angle=angle)
        found = cg.experiments.compare_optimizers(
            bowl,
            {name: rule(np.repeat(rates, len(starts))[:, None])},
            steps=200,
            start=np.tile(starts, (len(rates), 1)),
        )[name]
        median = np.median(found.loss[-1].reshape(len(rates), -1), 1)
        axis.loglog(rates, median, line, color=colour, label=name)
    axis.set(xlabel="rate η", ylabel="loss after 200 steps", ylim=(1e-10, 30))
    axis.legend()
    return figure


def tolerance() -> Figure:
    """The share of all runs that converge, against the one rate for all."""
    found, steps = _race()
    arrived = np.isfinite(steps).mean((1, 3))
    figure, axis = plt.subplots()
    for name, colour in zip(SHOWN, SERIES, strict=True):
        share = arrived[found["methods"].index(name)]
        axis.semilogx(found["rates"], share, ".-", color=colour, label=name)
    axis.set(xlabel="rate η", ylabel="share of 120 runs", ylim=(0, 1))
    figure.legend(ncols=3, loc="outside upper center", columnspacing=1)
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
