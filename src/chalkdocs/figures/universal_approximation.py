"""Figures of the page on universal approximation."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import chalkgrad.numpy as cg
from chalkdocs.figures.style import INK, SERIES

__all__ = ["heart", "outside", "parts", "widths"]


def _wave(x: Any) -> Any:
    return np.sin(np.pi * x)


def _by_hand(
    activation: str, steepness: float, kinks: Any, heights: Any, start: float
) -> tuple[Any, Any]:
    net = cg.network([1, len(kinks), 1], activation=activation)
    w = net.init(scheme="zeros")
    (w1, b1), (w2, b2) = net.layers(w)
    w1[0], b1[:] = steepness, -steepness * np.asarray(kinks)
    w2[:, 0], b2[0] = heights, start
    return net, w


def _stairs(n: int) -> tuple[Any, Any]:
    middles = np.linspace(-1 + 1 / n, 1 - 1 / n, n)
    values = _wave(middles)
    return _by_hand("sigmoid", 1e6, middles[:-1] + 1 / n, np.diff(values), values[0])


def _hats(n: int) -> tuple[Any, Any]:
    knots = np.linspace(-1, 1, n + 1)
    values = _wave(knots)
    bends = np.diff(np.diff(values) * n / 2, prepend=0)
    return _by_hand("relu", 1.0, knots[:-1], bends, values[0])


def _curve(network: tuple[Any, Any], x: Any) -> Any:
    net, w = network
    return net.forward(w, x[:, None])[..., 0]


def parts() -> Figure:
    """A step, a bump, a hat, and a wave made of hats."""
    figure, axes = plt.subplots(2, 2, figsize=(5.2, 4.0), sharex=True, sharey=True)
    x = np.linspace(-1, 1, 1001)
    shapes = [
        ("a step: 1 sigmoid", _by_hand("sigmoid", 1e6, [0.0], [1], 0)),
        ("a bump: 2 sigmoids", _by_hand("sigmoid", 1e6, [-0.25, 0.25], [1, -1], 0)),
        ("a hat: 3 ReLUs", _by_hand("relu", 1.0, [-0.5, 0, 0.5], [2, -4, 2], 0)),
    ]
    for axis, (title, network), colour in zip(axes.flat, shapes, SERIES, strict=False):
        axis.plot(x, _curve(network, x), color=colour)
        axis.set_title(title)
    last = axes[1, 1]
    for middle in np.linspace(-0.75, 0.75, 7):
        height = _wave(middle)
        last.plot(
            [middle - 0.25, middle, middle + 0.25],
            [0, height, 0],
            color=SERIES[2],
            linewidth=1,
            alpha=0.7,
        )
    last.plot(x, _wave(x), "--", color=INK, linewidth=1.2, alpha=0.7)
    last.plot(x, _curve(_hats(8), x), color=SERIES[1])
    last.set(title="hats add up: 8 ReLUs", ylim=(-1.15, 1.15), xticks=[-1, 0, 1])
    return figure


def widths() -> Figure:
    """Worst errors by hand on their bounds, and those of trained networks."""
    figure, axis = plt.subplots(figsize=(5.2, 3.6))
    x = np.linspace(-1, 1, 2001)
    counts = 2 ** np.arange(2, 11)
    for make, bound, name, colour in (
        (_stairs, np.pi / counts, "stairs: π / n", SERIES[0]),
        (_hats, np.pi**2 / 2 / counts**2, "hats: π² / 2n²", SERIES[1]),
    ):
        errors = [abs(_curve(make(int(n)), x) - _wave(x)).max() for n in counts]
        axis.loglog(counts, bound, "--", color=colour, linewidth=1.2)
        axis.loglog(counts, errors, "o", color=colour, markersize=5)
        axis.annotate(
            name, (200, bound[5] * 200 / 128), (-4, 10), textcoords="offset points"
        )
    for n in (4, 8, 16, 32, 64):
        errors = abs(_curve(_train(n), x) - _wave(x)).max(-1)
        axis.vlines(n * 1.12, errors.min(), errors.max(), color=SERIES[2], lw=4)
    axis.annotate("trained", (72, 0.012), (6, 0), textcoords="offset points")
    axis.set(xlabel="hidden neurons n", ylabel="worst error")
    axis.set_xticks([4, 16, 64, 256, 1024], ["4", "16", "64", "256", "1024"])
    axis.minorticks_off()
    return figure


def _train(n: int) -> tuple[Any, Any]:
    """Ten networks after 600 steps of Adam."""
    x = np.linspace(-1, 1, 65)[:, None]
    net = cg.network([1, n, 1])
    w, adam = net.init(rng=range(10)), cg.optimizers.adam(lr=0.02)
    step = net.plan(w, loss=cg.losses.mse, optimizer=adam, batch_size=len(x))
    for _ in range(600):
        step(x, _wave(x))
    return net, step.w


def heart() -> Figure:
    """The heart drawn with seven directions and ever more kinks."""
    axis_ticks = np.linspace(-1.5, 1.5, 121)
    points = np.array([[x, y] for y in axis_ticks for x in axis_ticks])
    x, y = points.T
    target = x**2 * y**3 - (x**2 + y**2 - 1) ** 3
    angles = np.pi * np.arange(7) / 7
    directions = np.array([np.cos(angles), np.sin(angles)])
    powers = (points @ directions)[..., None] ** np.arange(7)
    q = np.linalg.lstsq(powers.reshape(len(points), 49), target, rcond=None)[0]
    q, reach = q.reshape(7, 7), 1.5 * 2**0.5

    figure, axes = plt.subplots(2, 2, figsize=(5.2, 5.3), sharex=True, sharey=True)
    for axis, n in zip(axes.flat, (4, 8, 16, 64), strict=True):
        knots = np.linspace(-reach, reach, n + 1)
        values = knots[:, None] ** np.arange(7) @ q.T
        slopes = np.diff(values, axis=0) * n / (2 * reach)
        net = cg.network([2, 7 * n, 1])
        w = net.init(scheme="zeros")
        (w1, b1), (w2, b2) = net.layers(w)
        w1[:], b1[:] = np.repeat(directions, n, axis=1), -np.tile(knots[:-1], 7)
        w2[:, 0] = np.diff(slopes, axis=0, prepend=0).T.ravel()
        b2[0] = values[0].sum()
        out = net.forward(w, points)[:, 0].reshape(121, 121)
        box = (axis_ticks, axis_ticks)
        inside = np.maximum(out.max(), 1)
        axis.contourf(*box, out, [0, inside], colors=[SERIES[1]], alpha=0.3)
        axis.contour(*box, out, [0], colors=[SERIES[1]])
        axis.contour(
            *box,
            target.reshape(121, 121),
            [0],
            colors=[INK],
            linestyles="--",
            linewidths=1.2,
        )
        axis.set(title=f"{7 * n} hidden neurons", aspect="equal")
        axis.set(xticks=[-1, 0, 1], yticks=[-1, 0, 1])
    return figure


def outside() -> Figure:
    """A network that is the sine inside its interval and a line outside."""
    figure, axis = plt.subplots(figsize=(5.2, 2.5))
    x = np.linspace(-3, 3, 1201)
    axis.plot(x, _wave(x), "--", color=INK, linewidth=1.2, alpha=0.7)
    axis.plot(x, _curve(_hats(64), x), color=SERIES[1])
    for edge in (-1, 1):
        axis.axvline(edge, color=INK, linestyle=":", linewidth=1)
    axis.text(1.85, -2.4, "network", color=SERIES[1], ha="left")
    axis.text(2.5, 1.2, "sine", ha="center")
    axis.set(ylim=(-3, 1.6), xlabel="x")
    return figure
