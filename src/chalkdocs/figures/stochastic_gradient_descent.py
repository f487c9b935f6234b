"""Figures of the page on stochastic gradient descent."""

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import chalkgrad.numpy as cg
from chalkdocs.figures.style import INK, SERIES

__all__ = ["floor", "price", "replacement", "walks"]

N = 50


def _line() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the page's 50 points, as rows with a 1, and the best weights."""
    x, targets = cg.data.line(N, noise=0.5)
    rows = np.hstack([x, np.ones((N, 1))])
    return rows, targets[:, 0], np.linalg.lstsq(rows, targets[:, 0], rcond=None)[0]


def walks() -> Figure:
    """Four passes over the same 50 points: three sizes of the batch."""
    rows, targets, best = _line()
    x, y = rows[:, :1], targets[:, None]
    hessian = 2 / N * rows.T @ rows
    net, loss, passes = cg.network([1, 1]), cg.losses.mse, 4
    across, up = np.meshgrid(np.linspace(-0.4, 2.9, 90), np.linspace(-0.6, 1.75, 90))
    away = np.stack([across, up], axis=-1) - best
    heights = np.einsum("...i,ij,...j->...", away, hessian, away) / 2
    figure, axes = plt.subplots(3, 1, figsize=(5.2, 7.4), sharex=True, sharey=True)
    sizes = [(N, "all 50", 0.7), (10, "10", 0.3), (1, "1", 0.1)]
    for axis, (size, name, lr), colour in zip(axes, sizes, SERIES, strict=False):
        opt, rng = cg.optimizers.sgd(lr=lr), np.random.default_rng(3)
        w = net.init(scheme="zeros")
        state, places = opt.init(w), [w]
        for _ in range(passes):
            for xs, ys in cg.data.batches(x, y, size=size, rng=rng):
                _, grad = net.loss_and_grad(w, xs, ys, loss)
                w, state = opt.step(w, grad, state)
                places.append(w)
        levels = np.geomspace(0.02, 4, 8)
        axis.contour(
            across, up, heights, levels, colors=INK, alpha=0.25, linewidths=0.9
        )
        axis.plot(*np.array(places).T, "o-", color=colour, markersize=3, linewidth=1.1)
        axis.plot(*best, "+", color=INK, markersize=11, markeredgewidth=2)
        axis.set(title=f"batches of {name}, η = {lr:g}: {len(places) - 1} steps")
        axis.set_ylabel("intercept")
    axes[-1].set_xlabel("slope")
    return figure


def _after(epochs: int, rates: np.ndarray, *, shuffled: bool) -> np.ndarray:
    """Return the mean squared distance to the best after each epoch, for each rate."""
    rows, targets, best = _line()
    seeds, rng = 60, np.random.default_rng(0)
    w = np.zeros((len(rates), seeds, 2))
    out = []
    for _ in range(epochs):
        order = rng.integers(N, size=(seeds, N))
        if shuffled:
            order = rng.permuted(np.tile(np.arange(N), (seeds, 1)), axis=1)
        for drawn in order.T:
            a = rows[drawn]
            error = (w * a).sum(-1) - targets[drawn]
            w -= 2 * rates[:, None, None] * error[..., None] * a
        out.append(((w - best) ** 2).sum(-1).mean(-1))
    return np.array(out)


def replacement() -> Figure:
    """Independent draws against shuffling, each with its best constant rate."""
    rates = np.geomspace(0.0008, 0.1, 15)
    epochs = np.unique(np.geomspace(1, 64, 13).round().astype(int))
    figure, axis = plt.subplots(figsize=(5.2, 3.6))
    for shuffled, name, colour in (
        (False, "independent draws", SERIES[1]),
        (True, "shuffled", SERIES[0]),
    ):
        best = _after(epochs[-1], rates, shuffled=shuffled).min(1)[epochs - 1]
        axis.loglog(epochs, best, "o-", color=colour, markersize=4, label=name)
    axis.set_xlabel("passes over the 50 points")
    axis.set_ylabel("mean squared distance")
    axis.legend()
    return figure


def floor() -> Figure:
    """Four ways to choose the rate, on the two numbers -1 and 1."""
    rates: list[tuple[str, Callable[[int], float], float | None]] = [
        ("η = 0.5", cg.schedules.constant(0.5), 0.5),
        ("η = 0.1", cg.schedules.constant(0.1), 0.1),
        ("η = 1/(t + 1)", lambda t: 1 / (t + 1), None),
        ("η = 1/(t + 2)²", lambda t: 1 / (t + 2) ** 2, None),
    ]
    figure, axis = plt.subplots(figsize=(5.2, 3.8))
    for (name, rate, constant), colour in zip(rates, SERIES, strict=False):
        rng, opt = np.random.default_rng(0), cg.optimizers.sgd(lr=rate)
        w = np.full((1000, 1), 5.0)
        state, off = opt.init(w), [25.0]
        for _ in range(1000):
            w, state = opt.step(w, w - rng.choice([-1.0, 1.0], size=w.shape), state)
            off.append((w**2).mean())
        axis.loglog(np.arange(1, 1002), off, color=colour, linewidth=1.5)
        axis.annotate(
            name, (1000, off[-1]), (4, 0), textcoords="offset points", va="center"
        )
        if constant:
            axis.axhline(constant / (2 - constant), color=INK, ls=":", linewidth=1.3)
    axis.set(xlabel="steps + 1", ylabel="mean squared distance", xlim=(1, 1000))
    return figure


def _steps(size: int, rates: Any, limit: int) -> np.ndarray:
    """Return the steps to a loss of 0.3 on 600 digits, for each rate: mean of four."""
    x, labels = cg.data.digits()
    x, labels = x[:600], labels[:600]
    net, loss = cg.network([64, 10]), cg.losses.cross_entropy
    sgd = cg.optimizers.sgd(lr=np.repeat(rates, 4)[:, None])
    w = np.zeros((4 * len(rates), net.size))
    step = net.plan(w, loss=loss, optimizer=sgd, batch_size=size)
    truth = np.tile(labels, (len(w), 1))
    rng, look = np.random.default_rng(0), 1.0
    needed: np.ndarray = np.full(len(w), np.inf)
    for count in range(1, limit + 1):
        rows = rng.integers(600, size=(len(w), size))
        step(x[rows], labels[rows])
        if count >= look:
            look = count * 1.1
            every = loss(net.forward(step.w, x), truth, reduction="none")
            needed = np.minimum(needed, np.where(every.mean(-1) < 0.3, count, np.inf))
        if max(needed) < np.inf:
            break
    means: np.ndarray = needed.reshape(-1, 4).mean(1)
    return means


def price() -> Figure:
    """Steps and examples that a loss costs, against the size of the batch."""
    tried = {
        1: ([0.2, 0.4, 0.8], 700),
        4: ([0.8, 1.6, 3.2], 220),
        16: ([1.6, 3.2, 6.4], 90),
        64: ([3.2, 6.4, 12.8], 50),
        256: ([3.2, 6.4, 12.8], 40),
    }
    sizes = np.array(list(tried))
    best = np.array([_steps(size, *how).min() for size, how in tried.items()])
    figure, axes = plt.subplots(2, 1, figsize=(5.2, 5.6), sharex=True)
    for axis, cost, name, colour, side in (
        (axes[0], best, "steps", SERIES[0], "left"),
        (axes[1], best * sizes, "examples", SERIES[1], "right"),
    ):
        axis.loglog(sizes, cost, "o-", color=colour)
        for size, number in zip(sizes, cost, strict=True):
            axis.annotate(
                f"{number:.0f}",
                (size, number),
                (4 if side == "left" else -4, 6),
                textcoords="offset points",
                ha=side,
            )
        axis.set(ylabel=name)
        axis.margins(x=0.12, y=0.2)
    axes[1].set(xlabel="examples in a batch", xticks=sizes, xticklabels=sizes)
    axes[1].minorticks_off()
    return figure
