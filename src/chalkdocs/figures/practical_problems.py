"""Figures of the page on practical problems."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import chalkgrad.numpy as cg
from chalkdocs.figures.style import INK, SERIES

__all__ = ["boundary", "dead", "overfitting", "signal"]

LOSS = cg.losses.cross_entropy


def _squares(net: Any, w: np.ndarray, x: np.ndarray) -> list[float]:
    """Return the mean square of z in each layer of ReLU units."""
    h, squares = x, []
    for W, b in net.layers(w):
        z = h @ W + b
        squares.append(float((z**2).mean()))
        h = cg.activations.relu(z)
    return squares


def signal() -> Figure:
    """Four starts: the mean square by layer, predicted and measured."""
    x, _ = cg.data.digits()
    net = cg.network([64] * 41 + [10])
    starts = [
        ("1.5 times he", "he", 1.5, 1.5**2),
        ("he", "he", 1.0, 1.0),
        ("xavier", "xavier", 1.0, 0.5),
        ("normal", "normal", 1.0, 64 * 0.0001 / 2),
    ]
    figure, axis = plt.subplots(figsize=(5.2, 3.3))
    layers = np.arange(1, 41)
    for (label, scheme, scale, factor), colour in zip(starts, SERIES, strict=False):
        squares = np.array(_squares(net, scale * net.init(scheme=scheme), x[:200])[:40])
        predicted = squares[0] * factor ** (layers - 1.0)
        shown = predicted > 1e-21
        axis.semilogy(layers[shown], predicted[shown], color=colour, linewidth=1.2)
        shown = squares > 1e-21
        axis.semilogy(layers[shown], squares[shown], "o", color=colour, markersize=3)
        at = shown.sum() - 1
        axis.annotate(
            f"{label}: × {factor:.3g}",
            (layers[at], predicted[at]),
            (5, 0),
            textcoords="offset points",
            va="center",
            color=colour,
        )
    axis.set(
        xlabel="layer", ylabel="mean square of z", xlim=(0, 56), ylim=(1e-21, 1e17)
    )
    axis.set_xticks(range(0, 41, 10))
    return figure


def dead() -> Figure:
    """The share of dead units, and the loss, after 50 steps, against the rate."""
    x, labels = cg.data.digits()
    x, labels = x[:200], labels[:200]
    rates = np.geomspace(0.05, 30, 22)
    figure, (above, below) = plt.subplots(2, 1, figsize=(5.2, 3.8), sharex=True)
    kinds = [("relu", "ReLU"), ("leaky_relu", "leaky ReLU")]
    for (activation, label), colour in zip(kinds, SERIES, strict=False):
        net = cg.network([64, 100, 10], activation=activation)
        sgd, w = cg.optimizers.sgd(rates[:, None]), net.init([0] * len(rates))
        step = net.plan(w, loss=LOSS, optimizer=sgd, batch_size=len(x))
        for _ in range(50):
            loss = step(x, labels)
        if activation == "relu":
            (W, b), _ = net.layers(step.w)
            idle = (x @ W + b[:, None] <= 0).all(-2).mean(-1)
            above.semilogx(rates, 100 * idle, "o-", color=colour, markersize=4)
        below.loglog(rates, loss, "o-", color=colour, markersize=4, label=label)
    below.axhline(np.log(10), color=INK, alpha=0.5, linewidth=1)
    below.annotate(
        "ln 10: a guess", (0.05, np.log(10)), (0, 4), textcoords="offset points"
    )
    above.set(ylabel="dead ReLUs, percent", ylim=(-4, 104))
    below.set(xlabel="learning rate η", ylabel="loss", ylim=(8e-3, 30))
    below.set_xticks([0.1, 1, 10], ["0.1", "1", "10"])
    below.legend(loc="lower right", bbox_to_anchor=(1, 0.1))
    return figure


def overfitting() -> Figure:
    """Losses that part, and what early stopping and weight decay make of it."""
    x, labels = cg.data.digits()
    x_train, true, x_rest, y_rest = cg.data.split(x, labels, fraction=1497 / 1797)
    rng = np.random.default_rng(0)
    wrong = rng.random(300) < 0.25
    y_train = (true + wrong * rng.integers(1, 10, 300)) % 10
    _, _, *watched = cg.data.split(x_rest, y_rest, fraction=300 / 1497)
    net = cg.network([64, 64, 10])
    figure, (left, right) = plt.subplots(1, 2, figsize=(5.2, 2.8))
    decays = [(0.0, "none"), (10.0, "weight decay 10")]
    steps = np.arange(1, 151)
    for (decay, label), colour in zip(decays, SERIES[1:], strict=False):
        trace = cg.training.fit(
            net,
            net.init(0),
            x_train,
            y_train,
            loss=LOSS,
            optimizer=cg.optimizers.adamw(0.01, weight_decay=decay),
            epochs=150,
            validation=tuple(watched),
            progress=False,
        )
        assert trace.validation_loss is not None
        assert trace.validation_accuracy is not None
        if not decay:
            best = int(trace.validation_loss.argmin())
            left.plot(steps, trace.loss, color=SERIES[0])
            left.plot(steps, trace.validation_loss, color=colour)
            left.annotate(
                "training",
                (150, trace.loss[-1]),
                (-50, 12),
                color=SERIES[0],
                textcoords="offset points",
            )
            left.annotate(
                "validation",
                (150, trace.validation_loss[-1]),
                (0, 6),
                color=colour,
                textcoords="offset points",
                ha="right",
            )
            for axis in (left, right):
                axis.axvline(best + 1, color=INK, alpha=0.5, linewidth=1)
        right.plot(steps, 100 * trace.validation_accuracy, color=colour)
        right.annotate(
            label,
            (150, 100 * trace.validation_accuracy[-1]),
            (0, -14 if not decay else 8),
            color=colour,
            textcoords="offset points",
            ha="right",
        )
    left.set(xlabel="step", title="loss", ylim=(0, None))
    right.set(xlabel="step", title="validation accuracy, percent", ylim=(50, 100))
    return figure


def boundary() -> Figure:
    """A rare class: the line as trained, and with the rare points weighted."""
    points, kind = cg.data.blobs(2000, classes=2, rng=0, noise=0.8)
    keep = np.array([i for i in range(2000) if i % 2 == 0 or i < 40])
    points, kind = points[keep], kind[keep]
    net = cg.network([2, 2])
    figure, axis = plt.subplots(figsize=(5.2, 3.1))
    common, rare = points[kind == 0], points[kind == 1]
    axis.plot(*common.T, ".", color=INK, alpha=0.25, markersize=4)
    axis.plot(*rare.T, "D", color=SERIES[1], markersize=5)
    words = [(1, "as they are", "right"), (50, "the rare 50 times", "left")]
    for (times, label, side), colour in zip(words, (SERIES[0], SERIES[2]), strict=True):
        rows = np.repeat(np.arange(len(kind)), np.where(kind == 1, times, 1))
        w = cg.training.fit(
            net,
            net.init(),
            points[rows],
            kind[rows],
            loss=LOSS,
            optimizer=cg.optimizers.adam(0.1),
            epochs=150,
            progress=False,
        ).w
        W, b = net.layers(w)[0]
        (a, c), d = W[:, 1] - W[:, 0], b[1] - b[0]
        y = np.array([-2.6, 2.6])
        x = -(c * y + d) / a
        axis.plot(x, y, color=colour)
        axis.annotate(
            label,
            (x[1], y[1]),
            (0, 4),
            textcoords="offset points",
            color=colour,
            ha=side,
        )
    axis.set(xlim=(-3.4, 3.6), ylim=(-2.6, 3), xlabel="x₁", ylabel="x₂")
    return figure
