"""Figures of the page on wiring neurons."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

import chalkgrad.numpy as cg
from chalkdocs.figures.style import INK, PAPER, SERIES

__all__ = ["bound", "holes", "starts", "xor"]

CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
IS_ONE = np.array([False, True, True, False])


def _wires(axis: Axes) -> None:
    """Draw the two hidden ReLUs, their weights and their biases."""
    places = {
        "x₁": (1.0, 3.4), "x₂": (1.0, 0.8), "h₁": (5.0, 3.4), "h₂": (5.0, 0.8),
        "ŷ": (9.0, 2.1),
    }  # fmt: skip
    wires = [
        ("x₁", "h₁", "1", 0.35), ("x₁", "h₂", "1", 0.28), ("x₂", "h₁", "1", 0.28),
        ("x₂", "h₂", "1", 0.35), ("h₁", "ŷ", "1", 0.5), ("h₂", "ŷ", "−2", 0.5),
    ]  # fmt: skip
    for tail, head, weight, part in wires:
        (x0, y0), (x1, y1) = places[tail], places[head]
        axis.plot([x0, x1], [y0, y1], color=INK, linewidth=1.1, alpha=0.6, zorder=1)
        at = (x0 + part * (x1 - x0), y0 + part * (y1 - y0))
        axis.text(*at, weight, color=SERIES[1], ha="center", va="center", fontsize=12,
                  bbox={"fc": PAPER, "ec": "none", "pad": 1.5}, zorder=2)  # fmt: skip
    for name, place in places.items():
        axis.add_patch(Circle(place, 0.55, fc=PAPER, ec=SERIES[0], lw=1.8, zorder=3))
        axis.text(*place, name, ha="center", va="center", fontsize=13, zorder=4)
    for name, bias in (("h₁", "bias 0"), ("h₂", "bias −1")):
        x, y = places[name]
        axis.text(x + 0.75, y + (0.25 if y > 2 else -0.3), bias, color=SERIES[1],
                  va="center")  # fmt: skip
    axis.set(xlim=(0, 10.4), ylim=(0, 4.2), aspect="equal")
    axis.axis("off")


def _classes(axis: Axes, points: np.ndarray) -> None:
    for mask, marker, colour in ((IS_ONE, "s", SERIES[1]), (~IS_ONE, "o", SERIES[0])):
        axis.plot(*points[mask].T, marker, color=colour, markersize=9, zorder=3)


def xor() -> Figure:
    """The wires of XOR, its corners, and where the hidden neurons put them."""
    figure, axes = plt.subplot_mosaic(
        [["wires", "wires"], ["plane", "hidden"]],
        figsize=(5.2, 4.8),
        height_ratios=[1, 1.1],
    )
    _wires(axes["wires"])
    axis = axes["plane"]
    for level, name in ((0.0, "h₁ = 0"), (1.0, "h₂ = 0")):
        axis.plot([-0.4, level + 0.4], [level + 0.4, -0.4], "--", color=INK, alpha=0.6,
                  linewidth=1.1)  # fmt: skip
        axis.text(level + 0.38, -0.36, name, va="bottom")
    _classes(axis, CORNERS)
    axis.set(title="inputs", xlabel="x₁", ylabel="x₂", xlim=(-0.4, 1.8))
    axis.set(ylim=(-0.4, 1.4), xticks=[0, 1], yticks=[0, 1], aspect="equal")
    axis = axes["hidden"]
    total = CORNERS.sum(1)
    hidden = np.stack([total, np.maximum(total - 1, 0)], axis=1)
    # The output is a half where h1 - 2 h2 is.
    axis.plot([0.1, 2.5], [-0.2, 1.0], color=INK, linewidth=1.2)
    axis.text(1.2, 0, "two corners", color=SERIES[1], va="center")
    axis.text(1.25, 0.52, "ŷ = ½", ha="right")
    _classes(axis, hidden)
    axis.set(title="hidden neurons", xlabel="h₁", ylabel="h₂", xlim=(-0.4, 2.6))
    axis.set(ylim=(-0.4, 1.4), xticks=[0, 1, 2], yticks=[0, 1], aspect="equal")
    return figure


def _holes(pictures: np.ndarray) -> np.ndarray:
    """Holes of pictures in one piece: Euler's formula on the paper."""
    paper = 1 - np.pad(pictures, ((0, 0), (1, 1), (1, 1)))
    across, down = paper[:, :, 1:] * paper[:, :, :-1], paper[:, 1:] * paper[:, :-1]
    blocks = across[:, 1:] * across[:, :-1]
    pairs = across.sum((1, 2)) + down.sum((1, 2))
    out: np.ndarray = paper.sum((1, 2)) - pairs + blocks.sum((1, 2))
    return out


def holes() -> Figure:
    """The four pictures of the certificate, and four digits."""
    four = np.zeros((4, 8, 8))
    four[[0, 2], 1:4, 1:4] = four[[1, 3], 2:5, 1:4] = 1
    four[0, 2, 2] = four[[1, 3], 3, 2] = four[1, 2, 2] = 0
    x, labels = cg.data.digits()
    ink = (x.reshape(-1, 8, 8) > 0.4).astype(float)
    found = _holes(ink)
    wanted = ((0, 1), (1, 0), (8, 2), (8, 1))
    digits = [np.flatnonzero((labels == k) & (found == n))[0] for k, n in wanted]
    pictures = np.concatenate([four, ink[digits]])
    figure, axes = plt.subplots(2, 4, figsize=(5.2, 3.4))
    for axis, picture, count in zip(axes.flat, pictures, _holes(pictures), strict=True):
        for i, j in np.argwhere(picture):
            axis.add_patch(Rectangle((j, i), 1, 1, fc=SERIES[0], ec=PAPER, lw=0.6))
        axis.set(xlim=(0, 8), ylim=(8, 0), aspect="equal", xticks=[], yticks=[])
        axis.set_title(f"{count:.0f} hole" + "s" * int(count != 1))
        axis.spines[:].set(visible=True, alpha=0.4)
    for axis in axes[0]:  # the pixel that counts for and against
        axis.add_patch(Rectangle((2, 2), 1, 1, fill=False, ec=SERIES[1], lw=2))
    return figure


def starts() -> Figure:
    """The final losses of 100 networks of each of three widths, sorted."""
    figure, axes = plt.subplots(1, 3, figsize=(5.2, 2.8), sharey=True)
    y = IS_ONE[:, None].astype(float)
    for axis, hidden, colour in zip(axes, (2, 4, 8), SERIES, strict=False):
        net = cg.network([2, hidden, 1])
        w, adam = net.init(rng=range(100)), cg.optimizers.adam(lr=0.1)
        step = net.plan(w, loss=cg.losses.mse, optimizer=adam, batch_size=len(CORNERS))
        for _ in range(500):
            loss = step(CORNERS, y)
        for level in (0, 1 / 8, 1 / 6, 1 / 4):
            axis.axhline(level, color=INK, linewidth=0.8, alpha=0.3)
        axis.plot(np.arange(1, 101), np.sort(loss), "o", color=colour, markersize=3)
        axis.set(title=f"{hidden} hidden", xticks=[1, 50, 100], xlabel="start, sorted")
    axes[0].set_yticks([0, 1 / 8, 1 / 6, 1 / 4], ["0", "1/8", "1/6", "1/4"])
    axes[0].set_ylabel("final loss")
    return figure


def bound() -> Figure:
    """Mistakes against the margin, and the bound."""
    margins, line = np.geomspace(0.01, 1, 9), np.array([0.6, 0.8, -0.2])
    figure, axis = plt.subplots(figsize=(5.2, 3.3))
    limits = []
    for margin in margins:
        counts, bounds = [], []
        for seed in range(20):
            x, labels = cg.data.separable(100, rng=seed, margin=margin)
            targets = 2 * labels - 1
            counts.append(sum(cg.perceptron.fit(x, targets, epochs=1000).mistakes))
            bounds.append(cg.perceptron.mistake_bound(line, x, targets))
        limits.append(np.median(bounds))
        axis.plot([margin] * 20, counts, "o", color=SERIES[0], markersize=4, alpha=0.6)
    axis.loglog(margins, limits, "--", color=SERIES[1])
    axis.annotate(
        "(R / γ)²", (margins[4], limits[4]), (6, 4), textcoords="offset points",
        color=SERIES[1],
    )  # fmt: skip
    axis.set(xlabel="margin of the points", ylabel="mistakes")
    axis.set_xticks([0.01, 0.1, 1], ["0.01", "0.1", "1"])
    return figure
