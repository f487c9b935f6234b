"""The figure of the page on the architecture: who imports whom."""

from itertools import combinations, permutations

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from chalkdocs import imports
from chalkdocs.figures.style import INK, PAPER, SERIES

__all__ = ["topics"]

WIDE, HIGH, COLUMN, ROW = 0.92, 0.5, 1.0, 1.15
COLUMNS = 5
NUMPY, TORCH = SERIES[0], SERIES[1]
Places = dict[str, tuple[float, float]]


def _across(line: tuple[float, float, float, float], x: float, y: float) -> bool:
    """Tell whether a line goes through the box at a place between its ends."""
    x0, y0, x1, y1 = line
    if not y1 < y < y0:
        return False
    slope = (x0 - x1) / (y0 - y1)
    at = [x1 + slope * (y + side * HIGH / 2 - y1) for side in (-1, 1)]
    return min(at) < x + 0.55 * WIDE and max(at) > x - 0.55 * WIDE


def _long(edges: set[tuple[str, str]], places: Places) -> float:
    """Return how far the arrows go; an arrow across a box or an arrow counts more."""
    lines = [
        (x0, y0 - HIGH / 2, x1, y1 + HIGH / 2)
        for (x0, y0), (x1, y1) in ((places[a], places[b]) for a, b in edges)
    ]
    total = sum(abs(x0 - x1) for x0, _, x1, _ in lines)
    total += 100 * sum(_across(line, *at) for line in lines for at in places.values())
    for (x0, y0, x1, y1), (u0, v0, u1, v1) in combinations(lines, 2):
        total += 10 * ((y0, y1) == (v0, v1) and (x0 - u0) * (x1 - u1) < 0)
    return total


def _place(edges: set[tuple[str, str]], level: dict[str, int]) -> Places:
    """Give each topic a place in its row, row by row, until no row gets better."""
    names = sorted({topic for edge in edges for topic in edge})
    rows = [[t for t in names if level[t] == n] for n in range(max(level.values()) + 1)]

    def in_row(n: int, order: tuple[int, ...]) -> Places:
        return {
            topic: (COLUMN * column, ROW * n)
            for topic, column in zip(rows[n], order, strict=True)
        }

    places: Places = {}
    for n, row in enumerate(rows):
        places |= in_row(n, tuple(range(len(row))))
    before = float("inf")
    while (now := _long(edges, places)) < before:
        before = now
        for n, row in enumerate(rows):
            tries = (in_row(n, o) for o in permutations(range(COLUMNS), len(row)))
            places |= min(tries, key=lambda some: _long(edges, {**places, **some}))
    return places


def _box(axis: Axes, name: str, place: tuple[float, float], files: set[str]) -> None:
    """Draw a topic: a band for each backend that has a file of its own."""
    left, bottom = place[0] - WIDE / 2, place[1] - HIGH / 2
    axis.add_patch(Rectangle((left, bottom), WIDE, HIGH, fc=PAPER, ec=INK, lw=0.8))
    axis.text(place[0], place[1] + 0.04, name, ha="center", va="center")
    bands = {"_numpy": (left, NUMPY), "_torch": (place[0], TORCH)}
    for backend, (start, colour) in bands.items():
        if backend in files:
            band = Rectangle((start, bottom), WIDE / 2, 0.09, fc=colour, ec="none")
            axis.add_patch(band)


def topics() -> Figure:
    """The topics, each above those that it imports."""
    found = imports.imports()
    edges = imports.topics(found)
    arrows = imports.direct_edges(edges)
    places = _place(arrows, imports.levels(edges))
    alone = [topic for topic in edges if topic not in places]
    top = max(y for _, y in places.values())
    for i, topic in enumerate(alone):
        places[topic] = (COLUMN * (i % COLUMNS), -ROW * 0.75 * (1 + i // COLUMNS))
    figure, axis = plt.subplots(figsize=(5.2, 5.0))
    for upper, lower in sorted(arrows):
        (x0, y0), (x1, y1) = places[upper], places[lower]
        axis.annotate(
            "", (x1, y1 + HIGH / 2), (x0, y0 - HIGH / 2),
            arrowprops={"arrowstyle": "->", "color": INK, "lw": 1, "alpha": 0.7},
        )  # fmt: skip
    for topic, place in places.items():
        files = {name.partition(".")[2] for name in found if name.startswith(topic)}
        _box(axis, topic, place, files)
    low, right = min(y for _, y in places.values()), COLUMN * (COLUMNS - 1)
    middle, width = right / 2, right + WIDE
    bars = {
        "_core: what every topic imports": low - 0.75 * ROW,
        "cli: the command": top + 1.6 * ROW,
    }
    for words, y in bars.items():
        axis.add_patch(
            Rectangle((-WIDE / 2, y - HIGH / 2), width, HIGH, fc="none", ec=INK, lw=0.8)
        )
        axis.text(middle, y, words, ha="center", va="center")
    facades = (("chalkgrad.numpy", NUMPY, 0.25), ("chalkgrad.torch", TORCH, 0.75))
    for name, colour, part in facades:
        x, y = part * width - WIDE / 2, top + 0.9 * ROW
        axis.add_patch(
            Rectangle((x - width / 4 + 0.04, y - HIGH / 2), width / 2 - 0.08, HIGH,
                      fc="none", ec=colour, lw=1.6)
        )  # fmt: skip
        axis.text(x, y, name, ha="center", va="center")
    axis.set(xlim=(-0.5, right + 0.5), ylim=(low - 1.2 * ROW, top + 1.9 * ROW))
    axis.axis("off")
    return figure
