"""Figures of the page on overfitting."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import chalkgrad.numpy as cg
from chalkdocs.figures.style import INK, SERIES

__all__ = ["boundary", "split_losses"]

LOSS = cg.losses.cross_entropy


def split_losses() -> Figure:
    """Losses that part, and what early stopping and weight decay make of it."""
    x, labels = cg.data.digits()
    x_train, true, x_rest, y_rest = cg.data.split(x, labels, fraction=1497 / 1797)
    rng = np.random.default_rng(0)
    shift = rng.integers(1, 10, 300) * (rng.random(300) < 0.25)
    y_train = (true + shift) % 10
    _, _, *watched = cg.data.split(x_rest, y_rest, fraction=300 / 1497)
    net = cg.network([64, 32, 10])
    figure, (left, right) = plt.subplots(1, 2, figsize=(5.2, 2.8))
    decays = [(0.0, "none"), (3.0, "weight decay 3")]
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
