"""Figures of the page on reverse-mode automatic differentiation."""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from chalkdocs.figures.style import INK, PAPER, SERIES

__all__ = ["toy"]

PLACES = {
    "x": (0.0, 0.0),
    "x₂": (1.9, 0.9),
    "y₂": (1.9, -0.9),
    "x₃": (3.8, 0.9),
    "y₃": (3.8, -0.9),
    "f": (5.7, 0.0),
}


def toy() -> Figure:
    """The deck's x, then (x2, y2), then (x3, y3), then f."""
    edges = [("x", "x₂"), ("x", "y₂"), ("x₂", "x₃"), ("x₂", "y₃")]
    edges += [("y₂", "x₃"), ("y₂", "y₃"), ("x₃", "f"), ("y₃", "f")]
    figure, axis = plt.subplots(figsize=(5.2, 2.5))
    axis.set(xlim=(-0.5, 6.2), ylim=(-1.35, 1.35), aspect="equal")
    axis.axis("off")
    for tail, head in edges:
        arrow = {"arrowstyle": "->", "linewidth": 1.6, "shrinkA": 17, "shrinkB": 17}
        colour = SERIES[1] if tail in ("x₂", "x") and head != "y₂" else SERIES[0]
        axis.annotate(
            "", PLACES[head], PLACES[tail], arrowprops={**arrow, "color": colour}
        )
    for name, place in PLACES.items():
        axis.add_patch(Circle(place, 0.32, fc=PAPER, ec=INK, lw=1.5, zorder=3))
        axis.text(*place, name, ha="center", va="center", fontsize=13, zorder=4)
    return figure
