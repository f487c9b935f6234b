"""What a command shows: a table of who is taken for whom, and pictures."""

import math
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from matplotlib import color_sequences
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chalkgrad.cli._trained import Trained

__all__ = ["confusion", "console", "curves", "mistakes", "save"]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

COLUMNS = 6  # of a picture of images, and as many rows at most
WIDE = 20  # classes that a table has room for


def console() -> Console:
    """Return where to print: words as they are, and a line is a line, however long."""
    return Console(highlight=False, soft_wrap=True, markup=False)


def save(figure: Figure, path: Path) -> None:
    """Write a picture, whole or not at all."""
    unfinished = path.with_name(f"unfinished-{path.name}")
    try:
        figure.savefig(unfinished, dpi=150, bbox_inches="tight", format="png")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def counted(classes: list[str], labels: Array, named: Array) -> Array:
    """Count who is taken for whom, a row for each class."""
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(counts, (labels, named), 1)
    return counts


def confusion(classes: list[str], labels: Array, named: Array) -> None:
    """Print who is taken for whom."""
    if len(classes) > WIDE:
        return
    counts, to = counted(classes, labels, named), console()
    to.print("Row: what it is. Column: what the network says.")
    table = Table()
    table.add_column("", style="bold")
    for name in classes:
        table.add_column(name, justify="right")
    for k, row in enumerate(counts):
        cells = [
            Text("" if n == 0 else str(n), style="green" if i == k else "bold red")
            for i, n in enumerate(row)
        ]
        table.add_row(classes[k], *cells)
    to.print(table)


def curves(trace: Any) -> Figure:
    """Draw loss and accuracy, epoch by epoch."""
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = np.arange(1, len(trace.loss) + 1)
    left.plot(epochs, trace.loss, label="while training")
    left.plot(epochs, trace.validation_loss, label="on held-out examples")
    left.set(xlabel="epoch", ylabel="loss, nats", yscale="log")
    left.legend()
    right.plot(epochs, trace.validation_accuracy, color="C1")
    right.set(xlabel="epoch", ylabel="accuracy on held-out examples")
    for axis in (left, right):
        axis.xaxis.get_major_locator().set_params(integer=True)
    return figure


def mistakes(trained: Trained, cg: Any, x: Any, labels: Array, named: Array) -> Figure:
    """Draw what the network gets wrong: images, points on its regions, or counts."""
    wrong = np.flatnonzero(named != labels)
    figure = Figure(layout="constrained")
    title = f"{len(wrong)} of {len(labels)} held-out examples wrong"
    side = math.isqrt(x.shape[1])
    if trained.are_grey and side**2 == x.shape[1]:
        figure.suptitle(title)
        shown = wrong[: COLUMNS**2]
        images = cg.asnumpy(x[shown]).reshape(-1, side, side)
        words = [
            f"{trained.classes[labels[i]]}, read as {trained.classes[named[i]]}"
            for i in shown
        ]
        _images(figure, images, words)
        return figure
    axis = figure.subplots()
    axis.set_title(title)
    if x.shape[1] == 2:
        _plane(axis, trained, cg, x, labels, wrong)
    else:
        _counts(axis, trained.classes, labels, named)
    return figure


def _images(figure: Figure, images: Array, words: list[str]) -> None:
    rows = max(-(-len(images) // COLUMNS), 1)
    figure.set_size_inches(COLUMNS * 1.3, rows * 1.5 + 0.4)
    for axis in (axes := figure.subplots(rows, COLUMNS).ravel()):
        axis.set(xticks=[], yticks=[], frame_on=False)  # hidden ones take time
    for axis, image, word in zip(axes, images, words, strict=False):
        axis.imshow(image, cmap="gray_r", vmin=0, vmax=1)
        axis.set_title(word, fontsize=8, parse_math=False)


def _plane(
    axis: Axes, trained: Trained, cg: Any, x: Any, labels: Array, wrong: Array
) -> None:
    shift, scale = trained.scaled
    points = cg.asnumpy(x[:])
    (left, bottom), (right, top) = points.min(axis=0) - 0.2, points.max(axis=0) + 0.2
    across, up = np.linspace(left, right, 300), np.linspace(bottom, top, 300)
    grid = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    rows = cg.array(grid.astype(points.dtype), device=str(trained.w.device))
    regions = cg.asnumpy(trained.net.forward(trained.w, rows)).argmax(-1)
    colors = np.array(color_sequences["tab10"])
    picture = colors[regions.reshape(300, 300) % len(colors)]
    low, high = (scale * edge + shift for edge in ((left, bottom), (right, top)))
    points = scale * points + shift  # as they are in the file
    axis.imshow(
        picture,
        extent=(low[0], high[0], low[1], high[1]),
        origin="lower",
        alpha=0.25,
        aspect="auto",
    )
    first, second = points.T
    axis.scatter(first, second, s=12, color=colors[labels % len(colors)])
    axis.scatter(first[wrong], second[wrong], s=80, color="none", edgecolors="black")
    axis.set(xlabel="$x_1$", ylabel="$x_2$")


def _counts(axis: Axes, classes: list[str], labels: Array, named: Array) -> None:
    table = counted(classes, labels, named)
    axis.imshow(table, cmap="Blues")
    if len(classes) <= WIDE:
        ticks = range(len(classes))
        axis.set_xticks(ticks, classes, rotation=90, parse_math=False)
        axis.set_yticks(ticks, classes, parse_math=False)
        for i, j in np.argwhere(table):
            color = "white" if table[i, j] > table.max() / 2 else "black"
            axis.text(j, i, str(table[i, j]), ha="center", va="center", color=color)
    axis.set(xlabel="what the network says", ylabel="what it is")
