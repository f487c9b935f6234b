"""Figures of the page on the pipeline.

The one about the worth of features draws what ``python -m benchmarks.pipeline`` found.
"""

import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import chalkgrad.numpy as cg
from chalkdocs.figures.style import INK, SERIES

__all__ = ["features", "leak", "worth"]

RESULT = Path(__file__).parents[3] / "benchmarks/results/pipeline.json"


def _euler(ink: Any) -> int:
    """Count pieces minus holes of one image."""
    a = np.pad(ink, 1)
    down, across = a[1:] | a[:-1], a[:, 1:] | a[:, :-1]
    corners = down[:, 1:] | down[:, :-1]
    return int(corners.sum()) - int(down.sum() + across.sum()) + int(a.sum())


def features() -> Figure:
    """Three digits with the ink of their rows and columns, and their holes."""
    x, labels = cg.data.digits()
    images = x.reshape(-1, 8, 8)
    figure, axes = plt.subplots(
        2, 6, figsize=(5.2, 2.6), width_ratios=[3, 1] * 3, height_ratios=[3, 1]
    )
    for k, (digit, holes) in enumerate(((0, 0), (1, 1), (8, -1))):
        mine = images[labels == digit]
        image = next(a for a in mine if _euler(a > 0.4) == holes)
        picture, right = axes[0, 2 * k], axes[0, 2 * k + 1]
        below, corner = axes[1, 2 * k], axes[1, 2 * k + 1]
        for (row, column), ink in np.ndenumerate(image):
            picture.add_patch(
                Rectangle((column, row), 1, 1, fc=INK, alpha=0.85 * ink, lw=0)
            )
        picture.set(xlim=(0, 8), ylim=(8, 0), title=f"{holes:2d}".replace("-", "−"))
        right.barh(np.arange(8) + 0.5, image.sum(1), 0.8, color=SERIES[0])
        right.set(ylim=(8, 0), xlim=(0, 7))
        below.bar(np.arange(8) + 0.5, image.sum(0), 0.8, color=SERIES[1])
        below.set(xlim=(0, 8), ylim=(7, 0))
        for axis in (picture, right, below, corner):
            axis.set(xticks=[], yticks=[])
        for axis in (right, below, corner):
            axis.axis("off")
        for spine in picture.spines.values():
            spine.set(visible=True, alpha=0.4)
    return figure


def _nearer_mean(x: Any, labels: Any, exam: Any) -> Any:
    """Learn from the rows outside `exam`; tell which of those inside come out right."""
    low, high = (x[~exam & (labels == k)].mean(0) for k in (0, 1))
    named = ((x[exam] - low) ** 2).sum(1) > ((x[exam] - high) ** 2).sum(1)
    return named == labels[exam]


def _best(x: Any, labels: Any, count: int) -> Any:
    """Return the features whose means differ most between the classes."""
    gap = abs(x[labels == 1].mean(0) - x[labels == 0].mean(0)) / x.std(0)
    return np.argsort(gap)[-count:]


def leak() -> Figure:
    """The accuracy on noise, with features chosen before and inside the exams."""
    sizes = [20, 50, 100, 200, 500, 1000, 2000, 5000]
    labels, part = np.arange(100) % 2, np.arange(100) // 2 % 5
    found = np.empty((2, len(sizes), 20))
    for seed in range(20):
        noise = np.random.default_rng(seed).standard_normal((100, sizes[-1]))
        for i, size in enumerate(sizes):
            x = noise[:, :size]
            all_seen = _best(x, labels, 20)
            rights: tuple[list[Any], list[Any]] = ([], [])
            for k in range(5):
                exam = part == k
                inside = _best(x[~exam], labels[~exam], 20)
                for right, chosen in zip(rights, (all_seen, inside), strict=True):
                    right.append(_nearer_mean(x[:, chosen], labels, exam))
            found[:, i, seed] = [np.mean(right) for right in rights]
    figure, axis = plt.subplots(figsize=(5.2, 3.2))
    words = ("chosen on all examples", "chosen inside the pipeline")
    for runs, word, colour in zip(found, words, SERIES[1::-1], strict=True):
        low, high = np.quantile(runs, [0.1, 0.9], axis=1)
        axis.fill_between(sizes, low, high, color=colour, alpha=0.2, lw=0)
        axis.plot(sizes, runs.mean(1), "o-", color=colour, label=word, markersize=4)
    axis.axhline(0.5, color=INK, alpha=0.4, linewidth=1)
    axis.set(xscale="log", ylim=(0.3, 1), ylabel="accuracy on noise")
    axis.set(xlabel="features to choose 20 from")
    axis.set_xticks([20, 100, 500, 2000], ["20", "100", "500", "2000"])
    axis.minorticks_off()
    axis.legend(loc="upper left")
    return figure


def worth() -> Figure:
    """Accuracy against the number of images, by kind of feature."""
    points = json.loads(RESULT.read_text("utf-8"))["curve"]
    sizes = [point["n"] for point in points]
    figure, axis = plt.subplots(figsize=(5.2, 4.2))
    names = {
        "by hand": "39 by hand",
        "pixels": "64 pixels",
        "random": "39 random sums",
        "pixels, support vectors": "pixels, support vectors",
        "seven": "7 by hand",
    }
    for (key, word), colour in zip(names.items(), SERIES, strict=False):
        runs = np.array([point["accuracy"][key][1] for point in points])
        wrong = 100 * (1 - runs)
        middle, half = (
            wrong.mean(1),
            2.262 * wrong.std(1, ddof=1) / runs.shape[1] ** 0.5,
        )
        axis.errorbar(
            sizes, middle, half, fmt="o-", color=colour, label=word, markersize=4
        )
    axis.set(xscale="log", yscale="log", xlabel="images to learn from")
    axis.set(ylabel="wrong, percent", ylim=(1.6, 70))
    axis.set_xticks(sizes, [str(n) for n in sizes])
    axis.set_yticks([2, 5, 10, 20, 50], ["2", "5", "10", "20", "50"])
    axis.minorticks_off()
    axis.legend(loc="lower left")
    return figure
