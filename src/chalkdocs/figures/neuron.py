"""Figures of the page on one neuron."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Circle

import chalkgrad.numpy as cg
from chalkdocs import widgets
from chalkdocs.figures.style import INK, PAPER, SERIES

__all__ = ["diagram", "levels", "mistakes", "template"]

# Blue, the middle of both themes, orange: pixels keep their colours in the dark.
SIGNED = LinearSegmentedColormap.from_list("signed", ["#1f5fbf", "#d9d9d2", "#c2410c"])


def _arrow(axis: Axes, tail: tuple[float, float], head: tuple[float, float]) -> None:
    axis.annotate(
        "", head, tail, arrowprops={"arrowstyle": "->", "color": INK, "linewidth": 1.2}
    )


def diagram() -> Figure:
    """Inputs, weights, sum, activation, output."""
    figure, axis = plt.subplots(figsize=(5.2, 2.6))
    axis.set(xlim=(0, 10), ylim=(0.4, 4.6), aspect="equal")
    axis.axis("off")
    centre = (4.7, 2.9)
    for y, sub in zip((4.2, 2.9, 1.6), "₁₂₃", strict=True):
        axis.text(0.7, y, f"x{sub}", ha="center", va="center", fontsize=14)
        slope = (centre[1] - y) / (centre[0] - 1.1)
        _arrow(axis, (1.1, y), (4.05, y + slope * 2.95))
        axis.text(2.2, y + slope * 1.1 + 0.2, f"w{sub}", color=SERIES[1], fontsize=12)
    _arrow(axis, (4.7, 0.9), (4.7, 2.25))
    axis.text(4.95, 1.1, "b₀", color=SERIES[1], fontsize=12)
    for x, sign in ((centre[0], "Σ"), (7.2, "σ")):
        axis.add_patch(Circle((x, 2.9), 0.6, fc=PAPER, ec=SERIES[0], lw=1.8))
        axis.text(x, 2.9, sign, ha="center", va="center", fontsize=16)
    _arrow(axis, (5.3, 2.9), (6.6, 2.9))
    axis.text(5.95, 3.1, "z", ha="center", fontsize=12)
    _arrow(axis, (7.8, 2.9), (9.0, 2.9))
    axis.text(9.3, 2.9, "ŷ", ha="center", va="center", fontsize=14)
    return figure


def template() -> Figure:
    """The average zero, and the weights that Rosenblatt's rule finds for zeros."""
    x, labels = cg.data.digits()
    fit = cg.perceptron.fit(x, 2 * (labels == 0).astype(int) - 1)
    figure, (left, right) = plt.subplots(1, 2, figsize=(5.2, 2.8))
    mean = x[labels == 0].mean(0)
    weights = fit.w[:-1]
    left.imshow(mean.reshape(8, 8), cmap=SIGNED, vmin=-1, vmax=1)
    far = abs(weights).max()
    right.imshow(weights.reshape(8, 8), cmap=SIGNED, vmin=-far, vmax=far)
    left.set_title("average zero")
    right.set_title("learned weights")
    for axis in (left, right):
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
    return figure


def mistakes() -> Figure:
    """The line after each mistake of Rosenblatt's rule, on the points of the widget."""
    given = widgets.perceptron()
    x, targets = np.array(given["points"]), np.array(given["targets"])
    rows = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    w, lines = np.zeros(3), []
    for row, sign in [*zip(rows, targets, strict=True)] * 5:  # five passes are enough
        if sign * (w @ row) <= 0:
            w = w + sign * row
            lines.append(w)
    assert (lines[-1] == cg.perceptron.fit(x, targets).w).all()
    figure, axis = plt.subplots(figsize=(5.2, 4.2))
    for i, (a, b, c) in enumerate(lines):
        last = i == len(lines) - 1
        foot = -c * np.array([a, b]) / (a**2 + b**2)
        axis.axline(
            foot,
            foot + np.array([-b, a]),
            color=INK,
            linewidth=1.8 if last else 0.9,
            linestyle="-" if last else "--",
            alpha=1 if last else 0.35 + 0.4 * i / len(lines),
        )
    for sign, marker, colour in ((1, "o", SERIES[0]), (-1, "s", SERIES[1])):
        axis.plot(*x[targets == sign].T, marker, color=colour, markersize=5)
    axis.set(xlabel="x₁", ylabel="x₂", aspect="equal", xlim=(-1.3, 1.7), ylim=(-1, 1.8))
    return figure


def levels() -> Figure:
    """Level lines of one neuron under four activations."""
    ticks = np.linspace(-2, 2, 41)
    plane = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
    w = np.array([1.0, -2.0, 0.3])
    figure, axes = plt.subplots(2, 2, figsize=(5.2, 4.8), sharex=True, sharey=True)
    names = ("identity", "sigmoid", "tanh", "softplus")
    for axis, name, colour in zip(axes.flat, names, SERIES, strict=False):
        out = cg.perceptron.neuron(w, plane, activation=name).reshape(41, 41)
        heights = np.linspace(out.min(), out.max(), 11)[1:-1]
        axis.contour(ticks, ticks, out, heights, colors=colour, linestyles="solid")
        axis.set(title=name, aspect="equal")
    for axis in axes[1]:
        axis.set_xlabel("x₁")
    for axis in axes[:, 0]:
        axis.set_ylabel("x₂")
    return figure
