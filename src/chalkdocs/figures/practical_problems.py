"""Figures of the page on practical problems."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import chalkgrad.numpy as cg
from chalkdocs.figures.style import INK, SERIES

__all__ = ["curves", "dead", "signal"]

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


def _curves(
    sizes: list[int], optimizer: Any, *, rows: int = 300, **more: Any
) -> tuple[Any, Any]:
    """Train on digits; return the training loss and the validation loss."""
    x, labels = cg.data.digits()
    net = cg.network(sizes)
    w = net.init(scheme=more.pop("scheme", "he"))
    validation = more.pop("validation", (x[600:900], labels[600:900]))
    found = cg.training.fit(
        net,
        w,
        x[:rows],
        labels[:rows],
        loss=LOSS,
        optimizer=optimizer,
        epochs=more.pop("epochs", 60),
        validation=validation,
        progress=False,
        **more,
    )
    return found.loss, found.validation_loss


def _curves_with_dropout() -> tuple[Any, Any]:
    """Train with half of the units off: a loss that is higher than without."""
    x, labels = cg.data.digits()
    net, rng, opt = (
        cg.network([64, 32, 10]),
        np.random.default_rng(0),
        cg.optimizers.adam(0.01),
    )
    w = net.init()
    state, losses, unseen = opt.init(w), [], []
    for _ in range(60):
        mask = (rng.random((300, 32)) >= 0.7) / 0.3

        def height(w: Any, mask: Any = mask) -> Any:
            (V, c), (W, b) = net.layers(w)
            h = cg.activations.relu(x[:300] @ V + c) * mask
            return LOSS(h @ W + b, labels[:300])

        value, grad = cg.autodiff.value_and_grad(height)(w)
        w, state = opt.step(w, grad, state)
        losses.append(float(value))
        unseen.append(float(LOSS(net.forward(w, x[600:900]), labels[600:900])))
    return losses, unseen


def curves() -> Figure:
    """Eight learning curves: one healthy, and seven with one thing wrong each."""
    x, labels = cg.data.digits()
    adam, sgd = cg.optimizers.adam, cg.optimizers.sgd
    wide = [64, 32, 10]
    other = np.random.default_rng(0).permutation(300)
    panels = [
        (
            "A",
            _curves(wide, adam(0.01), rows=1400, validation=(x[1400:], labels[1400:])),
        ),
        ("B", _curves(wide, sgd(0.02))),
        ("C", _curves(wide, sgd(2.2))),
        ("D", _curves([64, *[32] * 12, 10], adam(0.002), scheme="normal")),
        ("E", _memorise()),
        (
            "F",
            _curves(wide, adam(0.01), validation=(x[600:900], labels[600:900][other])),
        ),
        ("G", _curves(wide, adam(0.01), validation=(x[:300], labels[:300]))),
        ("H", _curves_with_dropout()),
    ]
    figure, axes = plt.subplots(4, 2, figsize=(5.2, 6.6), sharex=True, sharey=True)
    for axis, (name, (seen, unseen)) in zip(axes.flat, panels, strict=True):
        axis.axhline(np.log(10), color=INK, linestyle=":", linewidth=1)
        steps = np.arange(1, len(seen) + 1)
        axis.plot(steps, seen, color=SERIES[0])
        axis.plot(steps, unseen, "--", color=SERIES[1])
        axis.set(ylim=(0, 4.2), xlim=(0, 60))
        axis.set_title(name, loc="left")
    for axis in axes[-1]:
        axis.set_xlabel("epoch")
    return figure


def _memorise() -> tuple[Any, Any]:
    """Train on few images with wrong labels: the validation loss rises again."""
    x, labels = cg.data.digits()
    rng = np.random.default_rng(0)
    wrong = (labels[:200] + rng.integers(1, 10, 200) * (rng.random(200) < 0.3)) % 10
    net = cg.network([64, 64, 10])
    found = cg.training.fit(
        net,
        net.init(),
        x[:200],
        wrong,
        loss=LOSS,
        optimizer=cg.optimizers.adam(0.02),
        epochs=60,
        validation=(x[600:900], labels[600:900]),
        progress=False,
    )
    return found.loss, found.validation_loss
