"""Figures of the page on the learning rate."""

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import chalkgrad.numpy as cg
from chalkdocs.figures.style import INK, SERIES

__all__ = ["edge", "rates", "schedules", "traps"]

Loss = Callable[..., Any]
RATES = 10.0 ** (np.arange(17) / 4 - 2)
T = np.linspace(-1, 1, 20)[:, None]
CURVE = 4 * T**3 - 3 * T


def _sweep(net: Any, x: np.ndarray, y: np.ndarray, loss: Loss) -> np.ndarray:
    """Train for 100 steps at each rate; return the loss as a share of the start."""
    step = net.plan(
        net.init([0] * len(RATES), scheme="xavier"),
        loss=loss,
        optimizer=cg.optimizers.sgd(RATES[:, None]),
        batch_size=len(x),
    )
    first, lost = step.gradient(x, y), np.zeros(len(RATES), bool)
    for _ in range(100):
        lost |= step.gradient(x, y) > 100 * first
        step.w[lost] = step.grad[lost] = 0
        step.update()
    value = step.gradient(x, y)
    return np.where(lost | (value > 100 * first), np.nan, value / first)


def rates() -> Figure:
    """The loss after 100 steps against the rate: problem, depth, width, activation."""
    mse, cross_entropy = cg.losses.mse, cg.losses.cross_entropy
    moons = cg.data.moons(100)
    images, digits = (a[:100] for a in cg.data.digits())

    def on_moons(hidden: list[int], activation: str = "relu") -> np.ndarray:
        net = cg.network([2, *hidden, 2], activation=activation)
        return _sweep(net, *moons, cross_entropy)

    deep = cg.network([1, 16, 16, 16, 1], activation="tanh")
    bent = cg.network([64, 16, 10], activation="sigmoid")
    two = on_moons([16, 16])
    panels = {
        "the problem": {
            "curve": _sweep(deep, T, CURVE, mse),
            "moons": two,
            "digits": _sweep(bent, images, digits, cross_entropy),
        },
        "moons: hidden layers": {
            "1": on_moons([16]),
            "3": on_moons([16] * 3),
            "6": on_moons([16] * 6),
        },
        "moons: units": {
            "4": on_moons([4, 4]),
            "16": two,
            "32": on_moons([32, 32]),
        },
        "moons: activation": {
            "ReLU": two,
            "tanh": on_moons([16, 16], "tanh"),
            "sigmoid": on_moons([16, 16], "sigmoid"),
        },
    }
    figure, axes = plt.subplots(2, 2, figsize=(5.2, 4.6), sharex=True, sharey=True)
    for axis, (title, curves) in zip(axes.flat, panels.items(), strict=True):
        for (name, share), colour in zip(curves.items(), SERIES, strict=False):
            axis.loglog(RATES, share, color=colour, label=name)
            last = np.flatnonzero(np.isfinite(share))[-1]
            axis.plot(RATES[last], share[last], "o", color=colour, markersize=5)
        axis.set(title=title, ylim=(8e-4, 4e3))
        axis.legend(loc="upper left", handlelength=1.2)
    for axis in axes[1]:
        axis.set_xlabel("learning rate η")
    for axis in axes[:, 0]:
        axis.set_ylabel("loss / loss at start")
    return figure


def edge() -> Figure:
    """Sharpness rises to 2 / eta and stays there, for three rates."""
    net = cg.network([1, 16, 16, 1], activation="tanh")
    etas = np.array([[0.03], [0.06], [0.12]])
    step = net.plan(
        net.init([0] * 3, scheme="xavier"),
        loss=cg.losses.mse,
        optimizer=cg.optimizers.sgd(etas),
        batch_size=len(T),
    )
    steps, sharp, losses = range(0, 2001, 40), [], []
    for count in range(2001):
        if count in steps:
            found = [
                cg.landscape.sharpness(
                    net, w, T, CURVE, cg.losses.mse, tolerance=1e-4
                ).eigenvalue
                for w in step.w
            ]
            sharp.append(found)
        losses.append(step(T, CURVE))
    figure, (above, below) = plt.subplots(2, 1, figsize=(5.2, 4.6), sharex=True)
    for i, (eta, colour) in enumerate(zip(etas[:, 0], SERIES, strict=False)):
        above.plot(steps, np.array(sharp)[:, i], color=colour, linewidth=1.5)
        above.axhline(2 / eta, color=colour, linestyle="--", linewidth=1)
        above.annotate(
            f"2 / {eta:g}",
            (2000, 2 / eta),
            (4, -3),
            textcoords="offset points",
            color=colour,
            annotation_clip=False,
        )
        below.semilogy(np.array(losses)[:, i], color=colour, linewidth=1)
    above.set(ylabel="sharpness λ", ylim=(0, 100), xlim=(0, 2000))
    below.set(ylabel="loss", xlabel="steps")
    return figure


def traps() -> Figure:
    """A bowl with ripples: where 1000 walks end, with a small and a falling rate."""
    starts = np.random.default_rng(0).uniform(-3, 3, (1000, 1))

    def ends(lr: Any) -> np.ndarray:
        opt, w = cg.optimizers.sgd(lr), starts
        state = opt.init(w)
        for _ in range(500):
            w, state = opt.step(w, w + 1.6 * np.sin(8 * w), state)
        return w[:, 0]

    across = np.linspace(-3.2, 3.2, 800)
    height = across**2 / 2 + 0.2 * (1 - np.cos(8 * across))
    figure, axes = plt.subplots(2, 1, figsize=(5.2, 4.3), sharex=True, sharey=True)
    ways = [
        ("η = 0.03", ends(0.03), SERIES[0]),
        ("η falls from 1 to 0", ends(cg.schedules.cosine(1.0, steps=500)), SERIES[1]),
    ]
    for axis, (title, places, colour) in zip(axes, ways, strict=True):
        axis.plot(across, height, color=INK, alpha=0.5, linewidth=1.2)
        found, counts = np.unique(places.round(1), return_counts=True)
        heights = found**2 / 2 + 0.2 * (1 - np.cos(8 * found))
        axis.scatter(found, heights, s=12 + counts / 3, color=colour, zorder=3)
        for x, y, count in zip(found, heights, counts, strict=True):
            axis.annotate(
                f"{count}",
                (x, y),
                (0, -16 - count / 200),
                textcoords="offset points",
                ha="center",
            )
        axis.set(title=title, ylim=(-1.4, 5.5), ylabel="loss", yticks=[0, 2, 4])
    axes[1].set_xlabel("w")
    return figure


def schedules() -> Figure:
    """Eight schedules over 100 steps, each in a panel of its own."""
    s = cg.schedules
    losses = [2.0 * 0.9**i for i in range(20)] + [0.25] * 80
    drawn = {
        "step": s.step(1.0, every=30, factor=0.4),
        "polynomial": s.polynomial(1.0, steps=100, power=0.9),
        "cosine_restarts": s.cosine_restarts(1.0, period=15, multiplier=2),
        "warmup, cosine": s.warmup(s.cosine(1.0, steps=85), steps=15),
        "inverse_sqrt": s.inverse_sqrt(1.0, steps=15),
        "one_cycle": s.one_cycle(1.0, steps=100),
        "warmup_stable_decay": s.warmup_stable_decay(
            1.0, steps=100, warmup_steps=15, decay_steps=30
        ),
        "plateau": s.plateau(1.0, losses, factor=0.5, patience=20),
    }
    figure, axes = plt.subplots(4, 2, figsize=(5.2, 5.0), sharex=True, sharey=True)
    for axis, (name, schedule) in zip(axes.flat, drawn.items(), strict=True):
        values = [schedule(t) for t in range(101)]
        axis.plot(values, color=SERIES[0])
        axis.fill_between(range(101), values, color=SERIES[0], alpha=0.15, linewidth=0)
        axis.set(title=name, ylim=(0, 1.1), yticks=[0, 1], xticks=[0, 50, 100])
    for axis in axes[-1]:
        axis.set_xlabel("step t")
    return figure
