"""Figures of the page on loss functions."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import chalkgrad.numpy as cg
from chalkdocs.figures.style import INK, SERIES

__all__ = ["family", "overfitting", "saturation"]

FOR_NUMBERS: dict[str, Any] = {
    "squared": cg.losses.mse,
    "absolute": cg.losses.mae,
    "Huber, δ = 1": cg.losses.huber,
}
FOR_CLASSES: dict[str, Any] = {
    "square": cg.losses.mse,
    "hinge": cg.losses.hinge,
    "cross-entropy": cg.losses.binary_cross_entropy,
    "perceptron": cg.losses.perceptron,
}


def family() -> Figure:
    """The losses for numbers over the error, and those for classes over the margin."""
    figure, (numbers, classes) = plt.subplots(1, 2, figsize=(5.2, 3.8), sharey=True)
    d = np.linspace(-3, 3, 301)
    yes = np.ones_like(d)
    for name, loss in FOR_NUMBERS.items():
        numbers.plot(d, loss(d, 0 * d, reduction="none"), label=name)
    classes.step(d, d < 0, color=INK, linewidth=1.2, alpha=0.7, label="mistakes")
    for (name, loss), colour in zip(FOR_CLASSES.items(), SERIES, strict=False):
        style = "--" if name == "perceptron" else "-"
        losses = loss(d, yes, reduction="none")
        classes.plot(d, losses, style, color=colour, label=name)
    numbers.set(xlabel="error", ylabel="loss", title="numbers", ylim=(-0.15, 4))
    classes.set(xlabel="margin", title="two classes")
    for axis in (numbers, classes):
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2))
    return figure


def saturation() -> Figure:
    """Squared error and cross-entropy of a sigmoid, and how steep they are."""
    z = np.linspace(-10, 6, 321)
    yes = np.ones_like(z)
    p = cg.activations.sigmoid(z)
    figure, (heights, slopes) = plt.subplots(1, 2, figsize=(5.2, 2.8), sharex=True)
    heights.plot(z, cg.losses.mse(p, yes, reduction="none"), label="squared error")
    surprise = cg.losses.binary_cross_entropy(z, yes, reduction="none")
    heights.plot(z, surprise, label="cross-entropy")
    heights.set(xlabel="logit z", title="loss")
    heights.legend(loc="upper right")
    through = cg.losses.mse_grad(p, yes, reduction="sum") * p * (1 - p)
    slopes.semilogy(z, -through)
    slopes.semilogy(z, -cg.losses.binary_cross_entropy_grad(z, yes, reduction="sum"))
    slopes.axvline(-8, color=INK, linewidth=1, linestyle=":")
    slopes.set(xlabel="logit z", title="size of the slope", ylim=(3e-5, 3))
    slopes.set(xticks=[-8, -4, 0, 4])
    return figure


def overfitting() -> Figure:
    """The loss on the labels given, on other images, and where to stop."""
    images, digits = cg.data.digits()
    given = digits[:200].copy()
    given[:40] = np.random.default_rng(0).integers(0, 10, 40)
    net = cg.network([64, 32, 10], activation="tanh")
    trace = cg.training.fit(
        net,
        net.init(rng=0),
        images[:200],
        given,
        loss=cg.losses.cross_entropy,
        optimizer=cg.optimizers.sgd(lr=0.3, momentum=0.9),
        epochs=120,
        validation=(images[200:600], digits[200:600]),
    )
    assert trace.validation_loss is not None
    figure, axis = plt.subplots(figsize=(5.2, 2.9))
    axis.plot(np.arange(120), trace.loss)
    axis.plot(np.arange(1, 121), trace.validation_loss)
    stop = int(trace.validation_loss.argmin())
    turn = (stop + 1, trace.validation_loss[stop])
    axis.plot(*turn, "o", color=SERIES[1], markersize=8)
    for words, place, shift, side in (
        ("stop here", turn, (-6, 20), "left"),
        ("on 400 other images", (50, trace.validation_loss[49]), (-6, 10), "right"),
        ("on the 200 labels given", (50, trace.loss[50]), (0, 10), "left"),
    ):
        axis.annotate(words, place, shift, textcoords="offset points", ha=side)
    axis.set(xlabel="epoch", ylabel="loss (nats)", xlim=(0, 120), ylim=(0, None))
    return figure
