"""Figures of the page that compares: what ``python -m benchmarks.comparison`` found."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from chalkdocs.figures.style import INK, SERIES

__all__ = ["digits", "signals"]

RESULT = Path(__file__).parents[3] / "benchmarks/results/comparison.json"


@cache
def _measurements() -> Any:
    return json.loads(RESULT.read_text("utf-8"))


def _draw(axis: Axes, runs: Any, key: str, names: dict[str, tuple[str, str]]) -> None:
    """Draw the accuracy of each model against `key`, with 95 percent intervals."""
    runs = sorted(runs, key=lambda run: run[key])
    sizes = [run[key] for run in runs]
    for name, (colour, style) in names.items():
        found = np.array([run["accuracy"][name] for run in runs])
        # Student's t, ten runs.
        half = 2.262 * found.std(1, ddof=1) / found.shape[1] ** 0.5
        axis.errorbar(
            sizes, found.mean(1), half, fmt=style, color=colour, label=name, ms=3.5
        )
    axis.set(xscale="log")
    axis.minorticks_off()


def digits() -> Figure:
    """Accuracy against the number of images, at three resolutions."""
    figure, axes = plt.subplots(1, 3, sharey=True, figsize=(5.2, 3.3))
    names = {
        "logistic regression": (SERIES[0], "o-"),
        "random forest": (SERIES[2], "o-"),
        "support vectors": (SERIES[3], "o-"),
        "network": (SERIES[1], "s--"),
    }
    for axis, side in zip(axes, (2, 4, 8), strict=True):
        runs = [run for run in _measurements()["digits"] if run["side"] == side]
        _draw(axis, runs, "n", names)
        axis.set(title=f"{side**2} features", ylim=(0.2, 1))
        axis.set_xticks([20, 100, 500], ["20", "100", "500"])
    axes[0].set_ylabel("accuracy")
    axes[1].set_xlabel("images to learn from")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


def signals() -> Figure:
    """Accuracy against the number of signals, and against their length."""
    figure, axes = plt.subplots(1, 2, sharey=True, figsize=(5.2, 3.6))
    names = {
        "known shape": (INK, "o-"),
        "two jumps": (SERIES[0], "o-"),
        "random forest": (SERIES[2], "o-"),
        "support vectors": (SERIES[3], "o-"),
        "dense network": (SERIES[4], "s--"),
        "sliding network": (SERIES[1], "s--"),
    }
    runs = _measurements()["signals"]
    _draw(axes[0], [run for run in runs if run["length"] == 32], "n", names)
    _draw(axes[1], [run for run in runs if run["n"] == 500], "length", names)
    axes[0].set(title="signals of 32 numbers", xlabel="signals to learn from")
    axes[0].set(ylabel="accuracy", ylim=(0.45, 1))
    axes[0].set_xticks([10, 50, 200, 1000], ["10", "50", "200", "1000"])
    axes[1].set(title="500 signals", xlabel="numbers in a signal")
    axes[1].set_xticks([16, 32, 64, 128], ["16", "32", "64", "128"])
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure
