"""Figures of the page on gradient descent."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

import chalkgrad.numpy as cg
from chalkdocs.figures.style import INK, SERIES

__all__ = ["bowl", "limit", "momentum"]

CURVATURE = np.array([1.0, 10.0])


def _walk(lr: float, steps: int) -> np.ndarray:
    """Descend the bowl of the page from (2, 1); return all the places."""
    opt = cg.optimizers.sgd(lr=lr)
    w = np.array([2.0, 1.0])
    state, places = opt.init(w), [w]
    for _ in range(steps):
        w, state = opt.step(w, CURVATURE * w, state)
        places.append(w)
    return np.array(places)


def bowl() -> Figure:
    """Four rates on one bowl: slow, good, oscillating, diverging."""
    figure, axes = plt.subplots(2, 2, figsize=(5.2, 4.2), sharex=True, sharey=True)
    rates = [
        (0.01, "is slow"),
        (0.1, "comes near"),
        (0.19, "oscillates"),
        (0.205, "diverges"),
    ]
    for axis, (lr, what), colour in zip(axes.flat, rates, SERIES, strict=False):
        for height in np.geomspace(0.1, 14, 8):
            # Where (w1^2 + 10 w2^2) / 2 has this height.
            across, up = 2 * np.sqrt(2 * height / CURVATURE)
            axis.add_patch(Ellipse((0, 0), across, up, fill=False, ec=INK, alpha=0.25))
        places = _walk(lr, 15)
        axis.plot(*places.T, "o-", color=colour, markersize=3.5, linewidth=1.4)
        axis.plot(0, 0, "+", color=INK, markersize=9)
        axis.set(title=f"η = {lr:g} {what}", xlim=(-2.4, 2.4), ylim=(-1.6, 1.6))
    for axis in axes[1]:
        axis.set_xlabel("w₁")
    for axis in axes[:, 0]:
        axis.set_ylabel("w₂")
    return figure


def limit() -> Figure:
    """The distance after 40 steps against the rate: a cliff at 2 / lambda."""
    rates = np.linspace(0.002, 0.24, 240)
    w = np.tile([2.0, 1.0], (len(rates), 1))
    opt = cg.optimizers.sgd(lr=rates[:, None])
    state = opt.init(w)
    for _ in range(40):
        w, state = opt.step(w, CURVATURE * w, state)
    figure, axis = plt.subplots(figsize=(5.2, 3))
    axis.semilogy(rates, np.linalg.norm(w, axis=1))
    axis.axvline(0.2, color=SERIES[1], linestyle="--")
    axis.annotate(
        "2 / λ = 0.2", (0.2, 1e5), (-6, 0), textcoords="offset points", ha="right"
    )
    axis.axhline(np.hypot(2, 1), color=INK, alpha=0.4, linewidth=1)
    axis.annotate(
        "the start", (0.0, np.hypot(2, 1)), (5, 4), textcoords="offset points"
    )
    axis.set(xlabel="learning rate η", ylabel="distance after 40 steps", xlim=(0, 0.24))
    return figure


def momentum() -> Figure:
    """Rate and momentum: where a run is overdamped, oscillates, and diverges."""
    mu = np.linspace(0, 1, 201)
    figure, axis = plt.subplots(figsize=(5.2, 3.2))
    limit, (low, high) = 2 * (1 + mu), ((1 + s * np.sqrt(mu)) ** 2 for s in (-1, 1))
    axis.fill_betweenx(mu, 0, limit, color=SERIES[0], alpha=0.12, linewidth=0)
    axis.fill_betweenx(mu, low, high, color=SERIES[0], alpha=0.25, linewidth=0)
    axis.plot(limit, mu, color=SERIES[1])
    for border in (low, high):
        axis.plot(border, mu, color=SERIES[0], linestyle=":")
    axis.text(0.02, 0.03, "overdamped", color=INK)
    axis.text(1.6, 0.55, "oscillates, and converges", color=INK, ha="center")
    axis.text(3.1, 0.2, "diverges", color=INK)
    axis.annotate(
        "alternates, and converges",
        (2.1, 0.15),
        (0.95, 0.27),
        color=INK,
        arrowprops={"arrowstyle": "-", "color": INK, "linewidth": 0.8},
    )
    axis.set(
        xlabel="rate times curvature, ηλ", ylabel="momentum μ", xlim=(0, 4), ylim=(0, 1)
    )
    return figure
