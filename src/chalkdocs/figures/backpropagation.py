"""Figures of the page on backpropagation."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Circle

import chalkgrad.numpy as cg
from chalkdocs.figures.style import INK, PAPER, SERIES

__all__ = ["diamond", "explosion", "neuron"]


def diamond() -> Figure:
    """The deck's h(f(x), g(x)), with its two paths."""
    places = {"x": (0.0, 0.0), "f": (2.4, 1.0), "g": (2.4, -1.0), "h": (4.8, 0.0)}
    paths = [("x", "f", "4"), ("f", "h", "6"), ("x", "g", "3"), ("g", "h", "4")]
    figure, axis = plt.subplots(figsize=(5.2, 2.9))
    axis.set(xlim=(-0.7, 5.5), ylim=(-1.5, 1.5), aspect="equal")
    axis.axis("off")
    for tail, head, derivative in paths:
        upper = "f" in (tail, head)
        colour = SERIES[1] if upper else SERIES[0]
        (x0, y0), (x1, y1) = places[tail], places[head]
        axis.annotate(
            "",
            (x1, y1),
            (x0, y0),
            arrowprops={
                "arrowstyle": "->",
                "color": colour,
                "linewidth": 1.8,
                "shrinkA": 19,
                "shrinkB": 19,
            },
        )
        axis.text(
            (x0 + x1) / 2,
            (y0 + y1) / 2 + (0.28 if upper else -0.28),
            derivative,
            color=colour,
            ha="center",
            va="center",
            fontsize=13,
        )
    for name, place in places.items():
        axis.add_patch(Circle(place, 0.34, fc=PAPER, ec=INK, lw=1.5, zorder=3))
        axis.text(*place, name, ha="center", va="center", fontsize=14, zorder=4)
    return figure


def explosion() -> Figure:
    """Work path by path against work with one visit a node."""
    depths = range(1, 19)
    ladders = [cg.backprop.layered_dag(2, depth) for depth in depths]
    # Walking them all would hold up the build: each path has depth + 1 edges.
    walked = [(depth + 1) * 2**depth for depth in depths]
    once = [ladder.reverse("f", "x").multiplications for ladder in ladders]
    figure, axis = plt.subplots(figsize=(5.2, 3))
    axis.semilogy(depths, walked, "o-", markersize=3.5)
    axis.semilogy(depths, once, "o-", markersize=3.5)
    axis.text(12.6, 2e5, "path by path", ha="right")
    axis.text(15, 1.5 * once[14], "each node once", ha="center")
    axis.set(xlabel="depth", ylabel="multiplications", xlim=(0.5, 18.5))
    return figure


def neuron() -> str:
    """A neuron with its loss, as the page records it."""

    def loss(x: float, w: float, b: float, y: float) -> float:
        out: float = (np.tanh(w * x + b) - y) ** 2
        return out

    return cg.backprop.record(loss, x=0.5, w=2.0, b=-0.6, y=1.0).svg("f")
