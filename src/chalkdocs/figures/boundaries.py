"""Figures of the page on decision boundaries."""

from functools import cache
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import chalkgrad.numpy as cg
from chalkdocs.figures.style import INK, SERIES

__all__ = ["bend", "cup", "regions", "seeds"]

SETS = {
    "moons": cg.data.moons,
    "circles": cg.data.circles,
    "spirals": cg.data.spirals,
}


@cache
def _train(name: str, hidden: tuple[int, ...], seeds: tuple[int, ...]) -> Any:
    """The network of the page, trained as on the page, and its points."""
    x, labels = SETS[name](200)
    net = cg.network([2, *hidden, 1], activation="tanh")
    step = net.plan(
        net.init(rng=seeds, scheme="xavier"),
        loss=cg.losses.binary_cross_entropy,
        optimizer=cg.optimizers.adam(lr=0.03),
        batch_size=len(x),
    )
    y = labels[:, None].astype(float)
    for _ in range(500):
        step(x, y)
    return net, step.w, x, labels


def _points(axis: Axes, points: np.ndarray, labels: np.ndarray, size: float) -> None:
    for k, marker in enumerate("os"):
        xy = points[labels == k].T
        axis.plot(*xy, marker, color=SERIES[k], markersize=size, markeredgewidth=0)


def _plane(x: np.ndarray, margin: float = 0.35, n: int = 80) -> Any:
    (left, low), (right, high) = x.min(0) - margin, x.max(0) + margin
    across, up = np.linspace(left, right, n), np.linspace(low, high, n)
    return across, up, np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)


def regions() -> Figure:
    """Boundaries of the network of the page on three sets."""
    figure, axes = plt.subplot_mosaic(
        [["moons", "moons"], ["circles", "spirals"]], figsize=(5.2, 5.2)
    )
    for name, axis in axes.items():
        net, w, x, labels = _train(name, (8, 8), (0,))
        across, up, plane = _plane(x)
        out = net.forward(w[0], plane).reshape(len(up), len(across))
        for k, levels in enumerate(([-1e9, 0], [0, 1e9])):
            axis.contourf(across, up, out, levels, colors=[SERIES[k]], alpha=0.13)
        axis.contour(across, up, out, [0], colors=[INK], linewidths=1.4)
        _points(axis, x, labels, 3.5)
        axis.set(title=name, aspect="equal", xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
    return figure


def _lines(x: np.ndarray) -> list[np.ndarray]:
    """A grid over the plane: lines, each as many points."""
    (left, low), (right, high) = x.min(0) - 0.2, x.max(0) + 0.2
    along_x, along_y = np.linspace(left, right, 36), np.linspace(low, high, 36)
    across = [
        np.stack([along_x, np.full(36, y)], 1) for y in np.linspace(low, high, 13)
    ]
    down = [
        np.stack([np.full(36, x), along_y], 1) for x in np.linspace(left, right, 19)
    ]
    return across + down


def _best(name: str, hidden: tuple[int, ...]) -> Any:
    """Of 20 networks that have every point right, the one whose features lie widest."""
    net, w, x, labels = _train(name, hidden, tuple(range(20)))
    right = cg.training.accuracy(net, w, x, labels) == 1
    wide = []
    for weights in w[right]:
        h = x
        for W, b in net.layers(weights)[:-1]:
            h = np.tanh(h @ W + b)
        sizes = np.linalg.svd(h - h.mean(0), compute_uv=False)
        wide.append(sizes[-1] / sizes[0])
    return net, w[right][np.argmax(wide)], x, labels


def bend() -> Figure:
    """The plane and its grid after each of two hidden layers of two neurons."""
    net, w, x, labels = _best("moons", (2, 2))
    layers, lines, points = net.layers(w), _lines(x), x
    across, up, plane = _plane(x, 0.2, 120)
    out = net.forward(w, plane).reshape(len(up), len(across))
    figure, axes = plt.subplot_mosaic(
        [["plane", "plane"], ["one", "two"]], figsize=(5.2, 5.3)
    )
    boundary = axes["plane"].contour(across, up, out, [0], alpha=0).allsegs[0]
    titles = ("the plane", "after one layer", "after two layers")
    for step, (axis, title) in enumerate(zip(axes.values(), titles, strict=True)):
        if step > 0:
            W, b = layers[step - 1]
            lines = [np.tanh(line @ W + b) for line in lines]
            boundary = [np.tanh(line @ W + b) for line in boundary]
            points = np.tanh(points @ W + b)
        for line in lines:
            drawn = line if step > 0 else line[[0, -1]]  # it is straight
            axis.plot(*drawn.T, color=INK, linewidth=0.7, alpha=0.35)
        _points(axis, points, labels, 3.5)
        for line in boundary:
            axis.plot(*line.T, "--", color=INK, linewidth=1.8)
        axis.set(title=title, aspect="equal", xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
    return figure


def cup() -> Figure:
    """Circles, lifted by three neurons so that a plane parts them."""
    net, w, x, labels = _best("circles", (3,))
    (W, b), (V, c) = net.layers(w)
    turn = np.linspace(0, 2 * np.pi, 49)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    lines = [radius * circle for radius in np.arange(1, 13) / 10]
    lines += [np.outer(np.linspace(0.1, 1.2, 12), spoke) for spoke in circle[:-1:2]]
    # Look along the plane of the output neuron, so that it is seen as a line.
    length = np.linalg.norm(V)
    up = V[:, 0] / length
    flat = np.tanh(x @ W + b) @ (np.eye(3) - np.outer(up, up))
    view = np.stack([np.linalg.svd(flat)[2][0], up], axis=1)
    figure, axes = plt.subplots(1, 2, figsize=(5.2, 2.9))
    for axis, title in zip(axes, ("the plane", "three neurons"), strict=True):
        if axis is axes[1]:
            lines = [np.tanh(line @ W + b) @ view for line in lines]
            x = np.tanh(x @ W + b) @ view
            axis.axhline(-c[0] / length, color=INK, linestyle="--", linewidth=1.8)
        for line in lines:
            axis.plot(*line.T, color=INK, linewidth=0.7, alpha=0.3)
        _points(axis, x, labels, 3.5)
        axis.set(title=title, aspect="equal", xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
    return figure


def _svm(x: np.ndarray, labels: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The scores of an RBF SVM, its bias one more feature: dual coordinate ascent."""

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        out: np.ndarray = np.exp(-((a[:, None] - b) ** 2).sum(-1)) + 1
        return out

    t, k = 2.0 * labels - 1, kernel(x, x)
    alpha, scores = np.zeros(len(x)), np.zeros(len(x))
    for _ in range(300):
        for i in range(len(x)):
            new = min(max(alpha[i] + (1 - t[i] * scores[i]) / k[i, i], 0), 100)
            scores += (new - alpha[i]) * t[i] * k[i]
            alpha[i] = new
    out: np.ndarray = kernel(places, x) @ (alpha * t)
    return out


def seeds() -> Figure:
    """The boundaries of five networks and the SVM's."""
    net, w, x, labels = _train("moons", (8, 8), tuple(range(5)))
    across, up, plane = _plane(x, 0.9, 80)
    shape = (len(up), len(across))
    figure, axis = plt.subplots(figsize=(5.2, 3.8))
    _points(axis, x, labels, 4)
    for weights in w:
        out = net.forward(weights, plane).reshape(shape)
        axis.contour(across, up, out, [0], colors=[SERIES[2]], linewidths=1.2)
    scores = _svm(x, labels, plane).reshape(shape)
    axis.contour(across, up, scores, [0], colors=[INK], linewidths=2, linestyles="--")
    axis.set(aspect="equal", xticks=[], yticks=[])
    axis.spines[:].set_visible(False)
    return figure
