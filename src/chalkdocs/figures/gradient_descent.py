"""Figures of the page on gradient descent."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

import chalkgrad.numpy as cg
from chalkdocs.figures.style import INK, SERIES

__all__ = ["bowl", "limit"]

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
    """Four rates on one bowl: creeping, good, bouncing, gone."""
    figure, axes = plt.subplots(2, 2, figsize=(6.4, 4.8), sharex=True, sharey=True)
    rates = [(0.01, "creeps"), (0.1, "arrives"), (0.19, "bounces"), (0.205, "is lost")]
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
    figure, axis = plt.subplots()
    axis.semilogy(rates, np.linalg.norm(w, axis=1))
    axis.axvline(0.2, color=SERIES[1], linestyle="--")
    axis.annotate(
        "2 / λ = 0.2", (0.2, 1e-7), (-6, 0), textcoords="offset points", ha="right"
    )
    axis.axhline(np.hypot(2, 1), color=INK, alpha=0.4, linewidth=1)
    axis.annotate(
        "the start", (0.0, np.hypot(2, 1)), (0, 4), textcoords="offset points"
    )
    axis.set(xlabel="learning rate η", ylabel="distance after 40 steps", xlim=(0, 0.24))
    return figure
