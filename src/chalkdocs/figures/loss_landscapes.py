"""Figures of the page on loss landscapes.

The two about depth draw what ``python -m benchmarks.landscape`` measured.
"""

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

import chalkgrad.numpy as cg
from chalkdocs import widgets
from chalkdocs.figures.style import INK, PAPER, SERIES

__all__ = ["invariance", "planes", "reliefs", "ruggedness", "walk"]

RESULT = Path(__file__).parents[3] / "benchmarks/results/landscape.json"
LOSS = cg.losses.cross_entropy


@cache
def _measurements() -> Any:
    return json.loads(RESULT.read_text("utf-8"))


def _ground(axis: Axes, across: Any, up: Any, heights: Any, levels: Any) -> None:
    """Shade by height: the higher, the stronger; a line at each level."""
    shades = [to_rgba(SERIES[0], a) for a in np.linspace(0, 0.75, len(levels) + 1)]
    axis.contourf(across, up, heights, levels, colors=shades, extend="both")
    axis.contour(
        across, up, heights, levels, colors=[INK], linewidths=0.5, linestyles="solid"
    )


def planes() -> Figure:
    """Four planes: shallow and deep, plain and with skip connections."""
    figure, axes = plt.subplots(2, 2, figsize=(5.2, 5.0), sharex=True, sharey=True)
    steps = np.linspace(-0.5, 0.5, 41)
    for axis, plane in zip(axes.flat, _measurements()["planes"], strict=True):
        heights = np.log10(plane["heights"])
        _ground(axis, steps, steps, heights.T, np.linspace(-2, 3, 11))
        axis.plot(0, 0, "+", color=SERIES[1], markersize=9)
        more = "with skips" if plane["skip"] else "plain"
        axis.set(title=f"{plane['depth']} layers, {more}", aspect="equal")
        axis.set(xticks=[-0.5, 0, 0.5], yticks=[-0.5, 0, 0.5])
    for axis in axes[1]:
        axis.set_xlabel("along d₁")
    for axis in axes[:, 0]:
        axis.set_ylabel("along d₂")
    return figure


@cache
def _moons() -> tuple[Any, Any, Any, Any]:
    """Train the network of the page; return it, its walk, and the examples."""
    x, labels = cg.data.moons(200)
    net = cg.network([2, 16, 16, 2])
    w, adam = net.init(rng=0), cg.optimizers.adam(lr=0.01)
    step = net.plan(w, loss=LOSS, optimizer=adam, batch_size=len(x))
    path = [w]
    for _ in range(150):
        step(x, labels)
        path.append(step.w.copy())
    return net, np.array(path), x, labels


def invariance() -> Figure:
    """One network written in two ways: the raw slices differ, the scaled agree."""
    net, path, x, labels = _moons()
    w = path[-1]
    rescaled = w.copy()
    (W1, b1), (W2, _), *_ = net.layers(rescaled)
    W1 *= 8
    b1 *= 8
    W2 /= 8
    figure, axes = plt.subplots(1, 2, sharey=True, figsize=(5.2, 2.6))
    steps = np.linspace(-1, 1, 101)
    for axis, kind in zip(axes, ("none", "filter"), strict=True):
        for u, label, style, width in (
            (w, "as trained", "-", 4.0),
            (rescaled, "rewritten", "--", 1.8),
        ):
            d = cg.landscape.directions(net, u, normalize=kind)[0]
            line = cg.landscape.loss_grid(net, u, x, labels, LOSS, d, points=101)
            axis.plot(steps, line, style, linewidth=width, label=label)
        axis.set(xlabel="along d₁", ylim=(0, 12))
        axis.set_title("raw direction" if kind == "none" else "scaled by filter")
    axes[0].set_ylabel("loss")
    axes[1].legend(loc="upper right")
    return figure


def walk() -> Figure:
    """The walk of training, on the plane in which it moves most."""
    net, path, x, labels = _moons()
    seen = cg.landscape.project(path)
    along, up = seen.coordinates.T
    radius = 1.15 * float(abs(seen.coordinates).max())
    heights = cg.landscape.loss_grid(
        net, path[-1], x, labels, LOSS, seen.directions, radius=radius, points=61
    )
    steps = np.linspace(-radius, radius, 61)
    figure, axis = plt.subplots(figsize=(5.2, 2.9))
    _ground(axis, steps, steps, np.log10(heights).T, np.linspace(-2, 1, 13))
    axis.plot(along, up, ".-", color=SERIES[1], markersize=3.5)
    for spot, word, shift in ((0, "start", (-2, 8)), (-1, "end", (-8, 8))):
        axis.annotate(
            word, (along[spot], up[spot]), shift, textcoords="offset points", ha="right"
        )
    first, second = seen.explained_variance_ratio
    axis.set(xlabel=f"first direction, {first:.0%} of the variance")
    axis.set(ylabel=f"second, {second:.0%}", xlim=(-3, radius), ylim=(-3, 4.2))
    return figure


def reliefs() -> Figure:
    """The ground that the widget turns, as lines one behind the other."""
    given = widgets.landscape(["filter"])
    planes, points = given["planes"]["filter"], given["points"]
    figure, axes = plt.subplots(1, 2, figsize=(5.2, 2.7), sharey=True)
    across = np.linspace(-0.5, 0.5, points)
    for axis, (name, title) in zip(
        axes, {"plain": "plain", "skips": "with skips"}.items(), strict=True
    ):
        levels = np.frombuffer(base64.b64decode(planes[name]["heights"]), "uint8")
        for row, line in list(enumerate(levels.reshape(points, points) / 255))[::-2]:
            heights = 2 * line + row / 12
            axis.fill_between(across, heights, 0, color=PAPER, lw=0, zorder=-row)
            axis.plot(across, heights, color=SERIES[0], lw=1, zorder=-row)
        axis.set(title=f"40 layers, {title}", xlabel="along d₂", xticks=[-0.5, 0, 0.5])
        axis.set(yticks=[], ylim=(0, None))
        axis.spines["left"].set_visible(False)
    axes[0].set_ylabel("along d₁, from near to far")
    return figure


def ruggedness() -> Figure:
    """Valleys on a line, and the share of it that bends down, against depth."""
    figure, axes = plt.subplots(1, 2, figsize=(5.2, 2.8))
    kinds = [(16, False), (64, False), (16, True), (64, True)]
    for (width, skip), colour in zip(kinds, SERIES, strict=False):
        runs = [
            run
            for run in _measurements()["runs"]
            if (run["width"], run["skip"]) == (width, skip)
        ]
        depths = [run["depth"] for run in runs]
        label = f"{'skips' if skip else 'plain'}, {width} wide"
        for axis, key in zip(axes, ("minima", "bends_down"), strict=True):
            found = np.array([run["0.5"][key] for run in runs])
            middle = found.mean(1)
            axis.fill_between(
                depths, found.min(1), found.max(1), color=colour, alpha=0.2, lw=0
            )
            style = "o--" if skip else "o-"
            axis.plot(depths, middle, style, color=colour, label=label, markersize=4)
    for axis in axes:
        axis.set(xscale="log", xlabel="hidden layers")
        axis.set_xticks([2, 5, 10, 20, 40, 80], ["2", "5", "10", "20", "40", "80"])
        axis.minorticks_off()
    axes[0].set(title="valleys on a line", ylim=(0, None))
    axes[1].set(title="share that bends down", ylim=(0, None))
    axes[0].legend(loc="upper left")
    return figure
