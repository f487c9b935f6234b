"""Figures of the page on the idea behind deep learning."""

from functools import cache
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

import chalkgrad.numpy as cg
from chalkdocs.figures.style import INK, SERIES

__all__ = ["favourites", "features", "rate", "weights"]

# Blue, the middle of both themes, orange: pixels keep their colours in the dark.
SIGNED = LinearSegmentedColormap.from_list("signed", ["#1f5fbf", "#d9d9d2", "#c2410c"])
LOSS = cg.losses.cross_entropy


@cache
def _halves() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    x, labels, x_test, labels_test = cg.data.split(*cg.data.digits(), fraction=0.5)
    return x, labels, x_test, labels_test


def _learn(net: Any, w: Any, x: Any, y: Any, lr: float) -> Any:
    """Train for 100 steps, as the page does; many networks at once."""
    adam = cg.optimizers.adam(lr)
    step = net.plan(w, loss=LOSS, optimizer=adam, batch_size=y.shape[-1])
    for _ in range(100):
        step(x, y)
    return step.w


@cache
def _units() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The page's 32 units: what they look for, activations on new images, the images.

    A weight counts as much as its pixel varies. The units are sorted: those with the
    purest favourites first, the silent ones last.
    """
    x, labels, x_test, labels_test = _halves()
    net = cg.network([64, 32, 10])
    W, b = net.layers(_learn(net, net.init(0), x, labels, 0.01))[0]
    h = np.maximum(x_test @ W + b, 0)
    top = labels_test[h.argsort(0)[-20:]]
    pure = np.array([np.bincount(column).max() for column in top.T])
    order = np.lexsort((-pure, h.max(0) == 0))
    return (x.std(0)[:, None] * W)[:, order], h[:, order], x_test


def _picture(axis: Axes, pixels: np.ndarray) -> None:
    far = abs(pixels).max()
    axis.imshow(pixels.reshape(8, 8), cmap=SIGNED, vmin=-far, vmax=far)
    axis.axis("off")


def weights() -> Figure:
    """The weights into all 32 units."""
    W, _, _ = _units()
    figure, axes = plt.subplots(4, 8, figsize=(5.2, 2.8))
    for axis, unit in zip(axes.flat, W.T, strict=True):
        _picture(axis, unit)
    return figure


def favourites() -> Figure:
    """Eight units, with the four images that excite each most."""
    W, h, images = _units()
    alive = int((h.max(0) > 0).sum())
    units = [*range(4), *range(alive - 4, alive)]
    figure, axes = plt.subplots(5, 8, figsize=(5.2, 3.7))
    for column, unit in zip(axes.T, units, strict=True):
        _picture(column[0], W[:, unit])
        for axis, image in zip(column[1:], h[:, unit].argsort()[:-5:-1], strict=True):
            axis.imshow(-images[image].reshape(8, 8), cmap="gray")
            axis.axis("off")
    axes[0, 0].set_title("the most selective", loc="left")
    axes[0, 4].set_title("the least selective", loc="left")
    return figure


def features() -> Figure:
    """How often a linear classifier is right, by the number of features it gets."""
    x, labels, x_test, labels_test = _halves()
    odd, odd_test = labels % 2, labels_test % 2

    def judge(W: np.ndarray, b: np.ndarray) -> float:
        seen = np.maximum(x @ W + b[:, None, :], 0)
        new = np.maximum(x_test @ W + b[:, None, :], 0)
        head = cg.network([W.shape[-1], 2])
        v = _learn(head, head.init([0] * len(W)), seen, np.tile(odd, (len(W), 1)), 0.1)
        return float((head.forward(v, new).argmax(-1) == odd_test).mean())

    few, many = [2, 4, 8, 16, 32, 64], [2, 4, 8, 16, 32, 64, 256]
    learned, chance = [], []
    for units in many:
        net = cg.network([64, units, 2])
        w = net.init(range(2))
        chance.append(judge(*net.layers(w)[0]))
        if units in few:
            learned.append(judge(*net.layers(_learn(net, w, x, odd, 0.01))[0]))
    rows, columns = np.repeat(np.eye(8), 8, 0), np.tile(np.eye(8), (8, 1))
    by_hand = judge(np.hstack([rows, columns])[None] / 8, np.zeros((1, 16)))
    pixels = judge(np.eye(64)[None], np.zeros((1, 64)))

    figure, axis = plt.subplots(figsize=(5.2, 3.1))
    axis.semilogx(few, learned, "o-", base=2, color=SERIES[0])
    axis.semilogx(many, chance, "s-", base=2, color=SERIES[1])
    axis.plot(16, by_hand, "D", color=SERIES[2], markersize=8)
    axis.axhline(pixels, color=SERIES[3], linestyle="--", linewidth=1.2)
    for text, at, colour in (
        ("learned", (2.2, learned[0] + 0.03), SERIES[0]),
        ("random", (5.5, chance[1] - 0.06), SERIES[1]),
        ("by hand", (11.0, by_hand + 0.022), SERIES[2]),
        ("all pixels", (80.0, pixels - 0.027), SERIES[3]),
    ):
        axis.text(*at, text, color=colour)
    axis.set_xticks(many, [str(count) for count in many])
    axis.minorticks_off()
    axis.set(xlabel="features", ylabel="right on new images", ylim=(0.5, 1))
    axis.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    return figure


def _spikes(current: float, milliseconds: int) -> list[float]:
    """When the page's neuron spikes."""
    voltage, times = 0.0, []
    for step in range(10 * milliseconds):
        voltage += 0.1 / 20 * (current - voltage)
        if voltage >= 1:
            voltage = 0.0
            times.append(step / 10)
    return times


def rate() -> Figure:
    """Spikes of one neuron at four currents, and its rate against the current."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(5.2, 2.8))
    currents = [0.9, 1.2, 2.0, 4.0]
    left.eventplot(
        [_spikes(current, 200) for current in currents],
        lineoffsets=range(4),
        linelengths=0.6,
        linewidths=1.6,
        colors=SERIES[0],
    )
    left.set_yticks(range(4), [f"{current:g}" for current in currents])
    left.set(xlabel="milliseconds", ylabel="current", xlim=(0, 200), ylim=(-0.5, 3.5))
    left.set_title("its spikes")
    many = np.linspace(0, 5, 41)
    right.plot(many, [len(_spikes(current, 1000)) for current in many], color=SERIES[0])
    right.plot(many, 50 * np.maximum(0, many - 0.5), "--", color=SERIES[1])
    right.text(2.9, 75, "spikes", color=SERIES[0])
    right.text(1.6, 140, "ReLU", color=SERIES[1])
    right.axhline(0, color=INK, alpha=0.3, linewidth=1)
    right.set(xlabel="current", xlim=(0, 5))
    right.set_title("spikes a second")
    return figure
