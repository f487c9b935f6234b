"""Figures of the page on depth."""

from functools import cache
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import chalkgrad.numpy as cg
from chalkdocs.figures.style import INK, SERIES

__all__ = ["contest", "folds", "pieces", "plane", "race"]

FLAT, DEEP = (1, 34, 1), (1, 6, 6, 6, 1)


def _sawtooth(x: Any, depth: int) -> Any:
    for _ in range(depth):
        x = 1 - abs(2 * x - 1)
    return x


def folds() -> Figure:
    """Strips folded and pierced, and the holes after unfolding."""
    figure, axes = plt.subplots(
        3, 2, figsize=(5.2, 4.5), gridspec_kw={"width_ratios": [1, 2]}
    )
    for row, depth in zip(axes, (1, 2, 3), strict=True):
        count = 2**depth
        corners = np.arange(count + 1) / count
        heights = _sawtooth(corners, depth)
        holes = (np.arange(count) + 0.5) / count
        strip, unfolded = row
        # The strip lies in layers; the folds make it narrow, the page shows it wide.
        strip.plot(heights, corners, color=SERIES[0])
        strip.plot([0.5] * count, holes, "o", color=SERIES[1], markersize=5)
        strip.axvline(0.5, color=SERIES[1], linestyle="--", linewidth=1.2)
        strip.set(xlim=(-0.15, 1.15), ylim=(-0.1, 1.1))
        strip.axis("off")
        strip.set_title("1 fold" if depth == 1 else f"{depth} folds")
        unfolded.plot(corners, heights, color=SERIES[0])
        unfolded.plot(holes, [0.5] * count, "o", color=SERIES[1], markersize=5)
        unfolded.axhline(0.5, color=SERIES[1], linestyle="--", linewidth=1.2)
        unfolded.set(xticks=[0, 0.5, 1], yticks=[0, 1], ylim=(-0.1, 1.1))
        unfolded.set_title(f"{count} pieces")
    return figure


def _pieces(net: Any, w: Any, start: list[float], stop: list[float]) -> int:
    """Pieces of a line between two places, by the signs of the neurons."""
    t, h = np.array([0.0, 1.0]), np.array([start, stop])
    for W, b in net.layers(w)[:-1]:
        z = h @ W + b
        i, unit = np.nonzero(z[:-1] * z[1:] < 0)
        part = z[i, unit] / (z[i, unit] - z[i + 1, unit])
        cuts = np.union1d(t, t[i] + part * (t[i + 1] - t[i]))
        columns = [np.interp(cuts, t, column) for column in z.T]
        t, h = cuts, np.maximum(np.stack(columns, axis=1), 0)
    return len(t) - 1


def _random(hidden: list[int]) -> list[int]:
    net, counts = cg.network([2, *hidden, 1]), []
    for seed in range(20):
        w, rng = net.init(rng=seed), np.random.default_rng(100 + seed)
        for _, b in net.layers(w):
            b[:] = 0.1 * rng.standard_normal(len(b))
        counts.append(_pieces(net, w, [-1.0, -0.7], [1.0, 0.9]))
    return counts


def pieces() -> Figure:
    """What folding makes, what one layer can make, and what chance makes."""
    figure, axis = plt.subplots(figsize=(5.2, 3.4))
    neurons = np.arange(4, 37, 2)
    axis.semilogy(neurons, 2.0 ** (neurons / 2), color=SERIES[0])
    axis.semilogy(neurons, neurons + 1, "--", color=INK, linewidth=1.2)
    for n in (12, 18, 24, 30, 36):
        for shift, layers, colour in ((-0.35, 1, SERIES[1]), (0.35, 6, SERIES[2])):
            counts = _random([n // layers] * layers)
            axis.vlines(n + shift, min(counts), max(counts), color=colour, lw=4)
    axis.text(20, 4000, "folded by hand", color=SERIES[0], ha="right")
    axis.text(29, 150, "one layer: at most n + 1", ha="center")
    axis.text(24.4, 3.4, "six layers, random", color=SERIES[2])
    axis.text(22.8, 3.4, "one, random", color=SERIES[1], ha="right")
    axis.set(xlabel="hidden neurons n", ylabel="pieces on a line", xlim=(3, 38))
    axis.set_ylim(2, 4e5)
    return figure


def plane() -> Figure:
    """Islands from folding the plane four times in each direction."""
    net = cg.network([2, 4, 4, 4, 4, 1])
    w = net.init(scheme="zeros")
    fold, apart = np.array([[2.0], [-4.0]]), np.eye(2)
    for i, (W, b) in enumerate(net.layers(w)):
        left = apart if i == 0 else np.kron(apart, fold)
        right = np.ones((2, 1)) if i == 4 else np.kron(apart, np.ones((1, 2)))
        W[:] = left @ right
        b[:] = [0.0, -0.5, 0.0, -0.5] if i < 4 else -1.2
    # Within a cell of this grid the network is a plane, so the outlines are exact.
    ticks = np.linspace(0, 1, 17)
    points = np.array([[x, y] for y in ticks for x in ticks])
    out = net.forward(w, points)[:, 0].reshape(17, 17)
    figure, axis = plt.subplots(figsize=(4.6, 4.4))
    axis.contourf(ticks, ticks, out, [0, 1], colors=[SERIES[1]], alpha=0.3)
    axis.contour(ticks, ticks, out, [0], colors=[SERIES[1]], linewidths=1.2)
    axis.set(aspect="equal", xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    return figure


@cache
def _train(sizes: tuple[int, ...]) -> tuple[Any, Any, Any]:
    """Five networks on each of five sawteeth: functions, targets, errors."""
    u = np.linspace(0, 1, 129)
    saws = np.repeat([_sawtooth(u, depth) for depth in range(1, 6)], 5, axis=0)
    net = cg.network(sizes)
    x = np.broadcast_to((2 * u - 1)[:, None], (25, 129, 1))
    w, adam = np.tile(net.init(rng=range(5)), (5, 1)), cg.optimizers.adam(lr=0.01)
    step = net.plan(w, loss=cg.losses.mse, optimizer=adam, batch_size=len(u))
    for _ in range(600):
        step(x, saws[..., None])
    out = net.forward(step.w, x)[..., 0]
    errors = np.sqrt(((out - saws) ** 2).mean(1)) / saws.std(1)
    return out.reshape(5, 5, 129), saws.reshape(5, 5, 129), errors.reshape(5, 5)


def contest() -> Figure:
    """The best networks of either shape on eight pieces."""
    figure, axes = plt.subplots(2, 1, figsize=(5.2, 3.8), sharex=True, sharey=True)
    u = np.linspace(0, 1, 129)
    names = ("one layer of 34", "three layers of 6")
    for axis, sizes, name, colour in zip(
        axes, (FLAT, DEEP), names, SERIES[1:], strict=False
    ):
        out, saws, errors = _train(sizes)
        axis.plot(u, saws[2, 0], "--", color=INK, linewidth=1.2, alpha=0.7)
        axis.plot(u, out[2, errors[2].argmin()], color=colour)
        axis.set(title=name, yticks=[0, 1], xticks=[0, 0.5, 1])
    return figure


def race() -> Figure:
    """Errors of trained networks of either shape against the pieces of the target."""
    figure, axis = plt.subplots(figsize=(5.2, 3.1))
    styles = ((FLAT, "one layer of 34", -0.1), (DEEP, "three layers of 6", 0.1))
    for (sizes, name, shift), colour in zip(styles, SERIES[1:], strict=False):
        errors = _train(sizes)[2]
        places = np.arange(1, 6) + shift
        axis.vlines(places, errors.min(1), errors.max(1), color=colour, lw=2)
        axis.plot(places, np.median(errors, 1), "o", color=colour, label=name)
    axis.axhline(1, color=INK, linestyle=":", linewidth=1)
    axis.axhline(0, color=SERIES[0], linestyle="--", label="by hand")
    axis.legend(loc="center right")
    axis.set(xlabel="pieces of the target", ylabel="error / best constant's")
    axis.set_xticks(range(1, 6), ["2", "4", "8", "16", "32"])
    return figure
